/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table walker: VT-d second-stage tables, bit by bit as the hardware reads them.
 *
 * An entry is present if it allows reading or writing; permissions are the AND of all entries on the way. Bit 7 makes a
 * leaf above the last level, where the hardware has pages of that size, and is reserved elsewhere above the last level
 * (in a 4 KiB leaf it is ignored). Reserved too: address bits from the output width on, the address bits below a large
 * page, and bit 62. Bits 2 to 6, 8 to 11 (11 is the snoop bit), 52 to 61 and 63 have no effect.
 *
 * Tables found on the way are remembered, and a later walk starts from the lowest one: a table that was unhooked is
 * used until an invalidation says that tables changed. Whoever reuses its memory earlier is found out.
 */
#include "iommu.h"

#define ENTRY_PERM    3ull
#define ENTRY_LARGE   (1ull << 7)
#define ENTRY_ADDRESS 0x000ffffffffff000ull
#define ENTRY_TM      (1ull << 62)
#define LEVEL_BITS    9

static unsigned int level_shift(unsigned int level)
{
	return SIM_PAGE_SHIFT + LEVEL_BITS * (level - 1);
}

/** Read entry @index of the table at @table; false if that is not RAM. */
static bool read_entry(const struct sim_walk *walk, phys_addr_t table, uint64_t index,
		       uint64_t *entry)
{
	const struct sim_region *r = sim_region_at(walk->m, table);
	const unsigned char *view;

	if (!r || !r->ram)
		return false;
	view = (walk->device_view ? r->device : r->cpu) + (table - r->base);
	*entry = __atomic_load_n((const uint64_t *)(const void *)view + index, __ATOMIC_ACQUIRE);
	return true;
}

static bool is_leaf(uint64_t entry, unsigned int level)
{
	return level == 1 || (entry & ENTRY_LARGE);
}

static bool has_reserved_bit(const struct sim_walk *walk, uint64_t entry, unsigned int level)
{
	uint64_t reserved = ENTRY_TM;

	if (walk->output_bits < 52)
		reserved |= ENTRY_ADDRESS & ~((1ull << walk->output_bits) - 1);
	if (level > 1 && (entry & ENTRY_LARGE)) {
		if (!(walk->page_sizes >> level_shift(level) & 1))
			return true;
		reserved |= ENTRY_ADDRESS & ((1ull << level_shift(level)) - 1);
	}
	return (entry & reserved) != 0;
}

static enum sim_fault_reason check_perm(uint64_t perm, bool write)
{
	if (write && !(perm & SIM_PERM_WRITE))
		return SIM_FAULT_WRITE_DENIED;
	if (!write && !(perm & SIM_PERM_READ))
		return SIM_FAULT_READ_DENIED;
	return SIM_FAULT_NONE;
}

static enum sim_fault_reason check(const struct sim_walk *walk, uint64_t entry, unsigned int level,
				   bool write)
{
	if (!(entry & ENTRY_PERM))
		return SIM_FAULT_NOT_PRESENT;
	if (has_reserved_bit(walk, entry, level))
		return SIM_FAULT_RESERVED_BIT;
	return check_perm(entry, write);
}

/** Where the walk starts: *@t is the lowest table known. Its range has the shift of an entry one level up. */
static enum sim_fault_reason start(const struct sim_walk *walk, const struct sim_domain *domain,
				   dma_addr_t iova, bool write, struct sim_translation *t)
{
	unsigned int width = level_shift(domain->levels) + LEVEL_BITS;

	if (iova >> width)
		return SIM_FAULT_WIDTH;
	if (sim_iotlb_find(walk->tables, domain->generation, iova, t))
		return check_perm(t->perm, write);
	*t = (struct sim_translation){ 0, domain->root, width, ENTRY_PERM };
	return SIM_FAULT_NONE;
}

enum sim_fault_reason sim_walk(const struct sim_walk *walk, const struct sim_domain *domain,
			       dma_addr_t iova, bool write, struct sim_translation *out)
{
	enum sim_fault_reason reason = start(walk, domain, iova, write, out);

	while (reason == SIM_FAULT_NONE) {
		unsigned int shift = out->shift - LEVEL_BITS;
		unsigned int level = (shift - SIM_PAGE_SHIFT) / LEVEL_BITS + 1;
		uint64_t entry;

		if (!read_entry(walk, out->phys, iova >> shift & 511, &entry))
			return SIM_FAULT_TABLE;
		reason = check(walk, entry, level, write);
		*out = (struct sim_translation){ iova >> shift << shift, entry & ENTRY_ADDRESS,
						 shift, out->perm & (unsigned int)entry };
		if (is_leaf(entry, level))
			break;
		if (reason == SIM_FAULT_NONE)
			sim_iotlb_add(walk->tables, domain->generation, out);
	}
	return reason;
}
