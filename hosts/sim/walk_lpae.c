/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARM LPAE descriptors of stage 1 and stage 2 (VMSAv8-64; Arm ARM, D8.3), granules of 4, 16 and 64 KiB, addresses of up
 * to 48 bits.
 *
 * Bits 1:0: 3 is a table, or a page at the lowest level; 1 is a block above it, and nothing there; the rest is nothing.
 * Stage 1: AP[1] (6) lets requests without privilege in, AP[2] (7) forbids writing; a table may take either away
 * (APTable, 61 and 62). Stage 2: bits 6 and 7 allow reading and writing. The access flag (10) must be set, unless the
 * hardware sets it. DBM (51) with a clean page lets the hardware make it writable. A contiguous leaf (52) is one of a run,
 * in which each has its own address. Address bits from the output width on fault as such; those below a block or a table,
 * and 48 to 50, must be 0.
 */
#include "walk.h"

#define VALID	    SIM_BIT(0)
#define TABLE	    SIM_BIT(1)
#define S1_USER	    SIM_BIT(6)
#define S1_READONLY SIM_BIT(7)
#define S2_READ	    SIM_BIT(6)
#define S2_WRITE    SIM_BIT(7)
#define ACCESSED    SIM_BIT(10)
#define S2_ZERO	    SIM_BIT(11)
#define ADDRESS	    SIM_BITS(47, 12)
#define ZERO	    SIM_BITS(50, 48)
#define DBM	    SIM_BIT(51)
#define CONTIGUOUS  SIM_BIT(52)
#define S1_NO_USER  SIM_BIT(61)
#define S1_NO_WRITE SIM_BIT(62)

/** log2 of the entries of a contiguous run at @level. */
static unsigned int run_bits(unsigned int granule_bits, unsigned int level)
{
	switch (granule_bits) {
	case 12:
		return 4;
	case 14:
		return level == 1 ? 7 : 5;
	default:
		return 5;
	}
}

/** Blocks: at levels 2 and 3 with 4 KiB, at level 2 with the others. Each size also as a run. */
static uint64_t page_sizes(unsigned int granule_bits, unsigned int levels)
{
	unsigned int index_bits = granule_bits - 3;
	unsigned int last = granule_bits == 12 ? 3 : 2;
	uint64_t sizes = 0;

	if (granule_bits != 12 && granule_bits != 14 && granule_bits != 16)
		return 0;
	for (unsigned int level = 1; level <= last && level <= levels; level++) {
		unsigned int shift = granule_bits + index_bits * (level - 1);

		sizes |= SIM_BIT(shift) | SIM_BIT(shift + run_bits(granule_bits, level));
	}
	return sizes;
}

/** What both stages have in common; permissions are not in it. */
static enum sim_fault_reason decode(const struct sim_walk *walk, unsigned int level, uint64_t entry,
				    struct sim_entry *out)
{
	unsigned int low;

	out->present = (entry & VALID) && ((entry & TABLE) || level > 1);
	if (!out->present)
		return SIM_FAULT_NONE;
	out->leaf = level == 1 || !(entry & TABLE);
	if (out->leaf && !sim_has_size(walk, out->shift))
		return SIM_FAULT_RESERVED_BIT;
	low = out->leaf ? out->shift : walk->granule_bits;
	if (entry & (ZERO | (ADDRESS & ~(~(uint64_t)0 << low))))
		return SIM_FAULT_RESERVED_BIT;
	out->phys = entry & ADDRESS;
	if (out->phys & sim_beyond(walk))
		return SIM_FAULT_OUTPUT;
	if (out->leaf && (entry & CONTIGUOUS)) {
		out->shift += run_bits(walk->granule_bits, level);
		out->phys &= ~(uint64_t)0 << out->shift;
	}
	return SIM_FAULT_NONE;
}

/** Will the hardware make the page writable at the first write? */
static bool may_dirty(const struct sim_walk *walk, uint64_t entry)
{
	return walk->track && (entry & DBM);
}

static enum sim_fault_reason decode1(const struct sim_walk *walk, unsigned int level,
				     uint64_t entry, struct sim_entry *out)
{
	enum sim_fault_reason reason = decode(walk, level, entry, out);
	uint64_t no_user = out->leaf ? ~entry & S1_USER : entry & S1_NO_USER;
	uint64_t no_write = out->leaf ? entry & S1_READONLY : entry & S1_NO_WRITE;

	out->perm = SIM_PERM_READ;
	if (!no_user)
		out->perm |= SIM_PERM_USER;
	if (!no_write || (out->leaf && may_dirty(walk, entry)))
		out->perm |= SIM_PERM_WRITE;
	return reason;
}

static uint64_t mark1(const struct sim_walk *walk, uint64_t entry, bool leaf, bool write)
{
	if (!leaf)
		return entry;
	if (write && may_dirty(walk, entry))
		entry &= ~S1_READONLY;
	return entry | ACCESSED;
}

static enum sim_fault_reason decode2(const struct sim_walk *walk, unsigned int level,
				     uint64_t entry, struct sim_entry *out)
{
	enum sim_fault_reason reason = decode(walk, level, entry, out);

	if (reason == SIM_FAULT_NONE && out->present && out->leaf && (entry & S2_ZERO))
		return SIM_FAULT_RESERVED_BIT;
	out->perm = SIM_PERM_USER;
	if (!out->leaf || (entry & S2_READ))
		out->perm |= SIM_PERM_READ;
	if (!out->leaf || (entry & S2_WRITE) || may_dirty(walk, entry))
		out->perm |= SIM_PERM_WRITE;
	return reason;
}

static uint64_t mark2(const struct sim_walk *walk, uint64_t entry, bool leaf, bool write)
{
	if (!leaf)
		return entry;
	if (write && may_dirty(walk, entry))
		entry |= S2_WRITE;
	return entry | ACCESSED;
}

const struct sim_format sim_format_lpae1 = {
	.min_levels = 1,
	.max_levels = 4,
	.max_output_bits = 48,
	.input_width = true,
	.run_counts = true,
	.run_free = ACCESSED | S1_READONLY,
	.marks_needed = true,
	.page_sizes = page_sizes,
	.decode = decode1,
	.mark = mark1,
};

const struct sim_format sim_format_lpae2 = {
	.min_levels = 1,
	.max_levels = 4,
	.max_output_bits = 48,
	.input_width = true,
	.concatenates = true,
	.run_counts = true,
	.run_free = ACCESSED | S2_WRITE,
	.marks_needed = true,
	.page_sizes = page_sizes,
	.decode = decode2,
	.mark = mark2,
};
