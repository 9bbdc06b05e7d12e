/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V entries of Sv39, Sv48 and Sv57, as first-stage tables (RISC-V privileged architecture, Sv39 and on; Svnapot,
 * Svpbmt).
 *
 * Bit 0 says valid; an entry that may be neither read nor executed is a table's. Write without read is reserved. User (4)
 * lets requests without privilege in. Accessed (6) and dirty (7) must be set, unless the hardware sets them. The page
 * number is 53:10, its bits below a large page are 0, but a leaf of the lowest level with bit 63 is one of 16 equal ones of
 * a page of 64 KiB, with 8 there. Memory types (62:61) are reserved without Svpbmt, and the type 3 always. Reserved are 54
 * to 60, and in a table's entry also types, bit 63, user, accessed and dirty.
 */
#include "walk.h"

#define VALID	   SIM_BIT(0)
#define READ	   SIM_BIT(1)
#define WRITE	   SIM_BIT(2)
#define EXECUTE	   SIM_BIT(3)
#define USER	   SIM_BIT(4)
#define ACCESSED   SIM_BIT(6)
#define DIRTY	   SIM_BIT(7)
#define ZERO	   SIM_BITS(60, 54)
#define TYPE	   SIM_BITS(62, 61)
#define NAPOT	   SIM_BIT(63)
#define TABLE_ZERO (USER | ACCESSED | DIRTY | TYPE | NAPOT)

#define NAPOT_SHIFT 16

static uint64_t page_sizes(unsigned int granule_bits, unsigned int levels)
{
	uint64_t sizes = SIM_BIT(12) | SIM_BIT(NAPOT_SHIFT);

	for (unsigned int level = 2; level <= levels; level++)
		sizes |= SIM_BIT(12 + 9 * (level - 1));
	return granule_bits == 12 ? sizes : 0;
}

static bool has_bad_type(const struct sim_walk *walk, uint64_t entry)
{
	return (entry & TYPE) == TYPE || ((entry & TYPE) && !walk->memory_types);
}

static enum sim_fault_reason decode_leaf(const struct sim_walk *walk, unsigned int level,
					 uint64_t entry, struct sim_entry *out)
{
	out->leaf = true;
	if (has_bad_type(walk, entry) || !sim_has_size(walk, out->shift) ||
	    (entry & (READ | WRITE)) == WRITE)
		return SIM_FAULT_RESERVED_BIT;
	if (entry & READ)
		out->perm |= SIM_PERM_READ;
	if (entry & WRITE)
		out->perm |= SIM_PERM_WRITE;
	if (entry & USER)
		out->perm |= SIM_PERM_USER;
	if (entry & NAPOT) {
		if (level != 1 || (out->phys & SIM_BITS(15, 12)) != SIM_BIT(15))
			return SIM_FAULT_RESERVED_BIT;
		out->shift = NAPOT_SHIFT;
		out->phys &= ~SIM_BITS(15, 12);
	}
	return out->phys & ~(~(uint64_t)0 << out->shift) ? SIM_FAULT_RESERVED_BIT : SIM_FAULT_NONE;
}

static enum sim_fault_reason decode(const struct sim_walk *walk, unsigned int level, uint64_t entry,
				    struct sim_entry *out)
{
	out->present = entry & VALID;
	if (!out->present)
		return SIM_FAULT_NONE;
	if (entry & ZERO)
		return SIM_FAULT_RESERVED_BIT;
	out->phys = (entry & SIM_BITS(53, 10)) << 2;
	if (out->phys & sim_beyond(walk))
		return SIM_FAULT_OUTPUT;
	if (entry & (READ | WRITE | EXECUTE))
		return decode_leaf(walk, level, entry, out);
	out->perm = SIM_PERM_READ | SIM_PERM_WRITE | SIM_PERM_USER;
	return level == 1 || (entry & TABLE_ZERO) ? SIM_FAULT_RESERVED_BIT : SIM_FAULT_NONE;
}

static uint64_t mark(const struct sim_walk *walk, uint64_t entry, bool leaf, bool write)
{
	(void)walk;
	return leaf ? entry | ACCESSED | (write ? DIRTY : 0) : entry;
}

const struct sim_format sim_format_riscv = {
	.min_levels = 3,
	.max_levels = 5,
	.default_levels = 4,
	.max_output_bits = 52,
	.canonical = true,
	.run_free = ACCESSED | DIRTY,
	.marks_needed = true,
	.page_sizes = page_sizes,
	.decode = decode,
	.mark = mark,
};
