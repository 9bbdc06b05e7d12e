/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64 entries, which are those of VT-d's first stage and of AMD's guest tables (Intel VT-d specification, 9.7).
 *
 * Bit 0 says present, and readable; 1 writable, 2 for requests without privilege too; 3, 4 and the PAT bit are memory
 * types, 8 global, 63 no execute: no concern of data. Bit 7 is a leaf at levels 2 and 3 and reserved above. Reserved
 * too: address bits from the output width on, and those below a large page but for bit 12, its PAT bit. Accessed (5)
 * and dirty (6) bits are always kept.
 */
#include "walk.h"

#define PRESENT	  SIM_BIT(0)
#define WRITABLE  SIM_BIT(1)
#define USER	  SIM_BIT(2)
#define ACCESSED  SIM_BIT(5)
#define DIRTY	  SIM_BIT(6)
#define LARGE	  SIM_BIT(7)
#define ADDRESS	  SIM_BITS(51, 12)
#define LARGE_PAT SIM_BIT(12)

static uint64_t page_sizes(unsigned int granule_bits, unsigned int levels)
{
	(void)levels;
	return granule_bits == 12 ? SIM_BIT(12) | SIM_BIT(21) | SIM_BIT(30) : 0;
}

static enum sim_fault_reason decode(const struct sim_walk *walk, unsigned int level, uint64_t entry,
				    struct sim_entry *out)
{
	bool large = level > 1 && (entry & LARGE);
	uint64_t reserved = ADDRESS & sim_beyond(walk);

	out->present = entry & PRESENT;
	if (!out->present)
		return SIM_FAULT_NONE;
	if (large)
		reserved |= SIM_BITS(out->shift - 1, 13);
	if ((entry & reserved) || (large && !sim_has_size(walk, out->shift)))
		return SIM_FAULT_RESERVED_BIT;
	out->leaf = level == 1 || large;
	out->phys = entry & ADDRESS & ~(large ? LARGE_PAT : 0);
	out->perm = SIM_PERM_READ;
	if (entry & WRITABLE)
		out->perm |= SIM_PERM_WRITE;
	if (entry & USER)
		out->perm |= SIM_PERM_USER;
	return SIM_FAULT_NONE;
}

static uint64_t mark(const struct sim_walk *walk, uint64_t entry, bool leaf, bool write)
{
	(void)walk;
	return entry | ACCESSED | (leaf && write ? DIRTY : 0);
}

const struct sim_format sim_format_x86 = {
	.min_levels = 4,
	.max_levels = 5,
	.default_levels = 4,
	.max_output_bits = 52,
	.canonical = true,
	.interrupts = true,
	.marks_always = true,
	.page_sizes = page_sizes,
	.decode = decode,
	.mark = mark,
};
