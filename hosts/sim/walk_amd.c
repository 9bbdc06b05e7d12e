/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD v1 entries (AMD I/O Virtualization Technology specification, 2.2.3).
 *
 * Bit 0 says present, 61 readable, 62 writable. NextLevel (11:9) is 0 for a leaf of the level's own size, 7 for one whose
 * size is in its address, and otherwise the level of the table below, which is lower than the entry's own. A sized leaf of
 * 2^n bytes has ones in its address from bit 12 to bit n - 2 and a zero at n - 1, and stands in every entry that it spans.
 * Level 6 has no leaves: no size is so large. Reserved: 52 to 58 in a leaf, 52 to 60 in a table's entry, address bits from the output width on
 * and those below a leaf. Bits 5 and 6 tell of accesses where the unit keeps them.
 */
#include "walk.h"

#define PRESENT	   SIM_BIT(0)
#define ACCESSED   SIM_BIT(5)
#define DIRTY	   SIM_BIT(6)
#define NEXT(e)	   ((unsigned int)((e) >> 9 & 7))
#define ADDRESS	   SIM_BITS(51, 12)
#define LEAF_ZERO  SIM_BITS(58, 52)
#define TABLE_ZERO SIM_BITS(60, 52)
#define READ	   SIM_BIT(61)
#define WRITE	   SIM_BIT(62)

/** Every power of two up to half of the address space, 2^51 at the most, but 2^39. */
static uint64_t page_sizes(unsigned int granule_bits, unsigned int levels)
{
	unsigned int last = 12 + 9 * levels - 1;

	if (granule_bits != 12)
		return 0;
	return SIM_BITS(last < 51 ? last : 51, 12) & ~SIM_BIT(39);
}

/** A leaf whose size is in its address: log2 of it. */
static unsigned int sized_shift(uint64_t entry)
{
	return (unsigned int)__builtin_ctzll(~(entry | SIM_BITS(11, 0))) + 1;
}

static enum sim_fault_reason decode_leaf(const struct sim_walk *walk, uint64_t entry,
					 struct sim_entry *out)
{
	uint64_t size_bits = 0;

	out->leaf = true;
	if (NEXT(entry) == 7) {
		unsigned int shift = sized_shift(entry);

		if (shift <= out->shift || shift >= out->shift + walk->index_bits)
			return SIM_FAULT_RESERVED_BIT;
		size_bits = SIM_BITS(shift - 1, 12);
		out->shift = shift;
	}
	out->phys = entry & ADDRESS & ~size_bits;
	if (out->phys & ~(~(uint64_t)0 << out->shift))
		return SIM_FAULT_RESERVED_BIT;
	return entry & (LEAF_ZERO | (ADDRESS & ~size_bits & sim_beyond(walk)))
		       ? SIM_FAULT_RESERVED_BIT
		       : SIM_FAULT_NONE;
}

static enum sim_fault_reason decode(const struct sim_walk *walk, unsigned int level, uint64_t entry,
				    struct sim_entry *out)
{
	unsigned int next = NEXT(entry);

	out->present = entry & PRESENT;
	if (!out->present)
		return SIM_FAULT_NONE;
	out->perm = SIM_PERM_USER;
	if (entry & READ)
		out->perm |= SIM_PERM_READ;
	if (entry & WRITE)
		out->perm |= SIM_PERM_WRITE;
	if (next == 0 || next == 7)
		return decode_leaf(walk, entry, out);
	if (next >= level || (entry & (TABLE_ZERO | (ADDRESS & sim_beyond(walk)))))
		return SIM_FAULT_RESERVED_BIT;
	out->level = next;
	out->phys = entry & ADDRESS;
	return SIM_FAULT_NONE;
}

static uint64_t mark(const struct sim_walk *walk, uint64_t entry, bool leaf, bool write)
{
	(void)walk;
	return leaf ? entry | ACCESSED | (write ? DIRTY : 0) : entry;
}

const struct sim_format sim_format_amd = {
	.min_levels = 3,
	.max_levels = 6,
	.default_levels = 4,
	.max_output_bits = 52,
	.interrupts = true,
	.run_free = ACCESSED | DIRTY,
	.page_sizes = page_sizes,
	.decode = decode,
	.mark = mark,
};
