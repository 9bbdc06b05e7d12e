/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table walker: VT-d second-stage tables, bit by bit as the hardware reads them.
 *
 * An entry is present if it allows reading or writing; permissions are the AND of all entries on the way. Bit 7 makes a
 * leaf above the last level, where the hardware has pages of that size, and is reserved elsewhere above the last level
 * (in a 4 KiB leaf it is ignored). Reserved too: address bits from the output width on, the address bits below a large
 * page, and bit 62. Bits 2 to 6, 8 to 11 (11 is the snoop bit), 52 to 61 and 63 have no effect.
 */
#include "iommu.h"

#define ENTRY_PERM    3ull
#define ENTRY_LARGE   (1ull << 7)
#define ENTRY_ADDRESS 0x000ffffffffff000ull
#define ENTRY_TM      (1ull << 62)
#define LEVEL_BITS    9
#define LARGEST_LEAF  3u /* 1 GiB */

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
		if (level > LARGEST_LEAF || !(walk->page_sizes >> level_shift(level) & 1))
			return true;
		reserved |= ENTRY_ADDRESS & ((1ull << level_shift(level)) - 1);
	}
	return (entry & reserved) != 0;
}

static enum sim_fault_reason check(const struct sim_walk *walk, uint64_t entry, unsigned int level,
				   bool write)
{
	if (!(entry & ENTRY_PERM))
		return SIM_FAULT_NOT_PRESENT;
	if (has_reserved_bit(walk, entry, level))
		return SIM_FAULT_RESERVED_BIT;
	if (write && !(entry & SIM_PERM_WRITE))
		return SIM_FAULT_WRITE_DENIED;
	if (!write && !(entry & SIM_PERM_READ))
		return SIM_FAULT_READ_DENIED;
	return SIM_FAULT_NONE;
}

enum sim_fault_reason sim_walk(const struct sim_walk *walk, const struct sim_domain *domain,
			       dma_addr_t iova, bool write, struct sim_translation *out)
{
	phys_addr_t table = domain->root;
	uint64_t perm = ENTRY_PERM;

	if (iova >> (level_shift(domain->levels) + LEVEL_BITS))
		return SIM_FAULT_WIDTH;
	for (unsigned int level = domain->levels; level; level--) {
		unsigned int shift = level_shift(level);
		enum sim_fault_reason reason;
		uint64_t entry;

		if (!read_entry(walk, table, iova >> shift & 511, &entry))
			return SIM_FAULT_TABLE;
		reason = check(walk, entry, level, write);
		if (reason != SIM_FAULT_NONE)
			return reason;
		perm &= entry;
		table = entry & ENTRY_ADDRESS;
		if (!is_leaf(entry, level))
			continue;
		*out = (struct sim_translation){ iova >> shift << shift, table, shift,
						 (unsigned int)perm };
		return SIM_FAULT_NONE;
	}
	return SIM_FAULT_NOT_PRESENT; /* not reached: level 1 is a leaf */
}
