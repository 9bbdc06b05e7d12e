/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VT-d second-stage entries (Intel VT-d specification, 9.8).
 *
 * An entry is present if it allows reading or writing. Bit 7 makes a leaf above the last level, where the hardware has
 * pages of that size, and is reserved elsewhere above the last level (in a 4 KiB leaf it is ignored). Reserved too:
 * address bits from the output width on, the address bits below a large page, and bit 62. Bits 2 to 6, 10, 11 (the snoop
 * bit), 52 to 61 and 63 have no effect; 8 and 9 tell of accesses where the unit keeps them.
 */
#include "walk.h"

#define PERM	 3ull
#define LARGE	 SIM_BIT(7)
#define ACCESSED SIM_BIT(8)
#define DIRTY	 SIM_BIT(9)
#define ADDRESS	 SIM_BITS(51, 12)
#define TM	 SIM_BIT(62)

static uint64_t page_sizes(unsigned int granule_bits, unsigned int levels)
{
	(void)levels;
	return granule_bits == 12 ? SIM_BIT(12) | SIM_BIT(21) | SIM_BIT(30) : 0;
}

static enum sim_fault_reason decode(const struct sim_walk *walk, unsigned int level, uint64_t entry,
				    struct sim_entry *out)
{
	uint64_t reserved = TM | (ADDRESS & sim_beyond(walk));

	out->present = (entry & PERM) != 0;
	if (!out->present)
		return SIM_FAULT_NONE;
	out->leaf = level == 1 || (entry & LARGE);
	if (out->leaf)
		reserved |= ADDRESS & ~(~(uint64_t)0 << out->shift);
	if ((entry & reserved) || (out->leaf && level > 1 && !sim_has_size(walk, out->shift)))
		return SIM_FAULT_RESERVED_BIT;
	out->phys = entry & ADDRESS;
	out->perm = (unsigned int)(entry & PERM) | SIM_PERM_USER;
	return SIM_FAULT_NONE;
}

static uint64_t mark(const struct sim_walk *walk, uint64_t entry, bool leaf, bool write)
{
	(void)walk;
	return entry | ACCESSED | (leaf && write ? DIRTY : 0);
}

const struct sim_format sim_format_vtd = {
	.min_levels = 3,
	.max_levels = 5,
	.default_levels = 4,
	.max_output_bits = 52,
	.interrupts = true,
	.page_sizes = page_sizes,
	.decode = decode,
	.mark = mark,
};
