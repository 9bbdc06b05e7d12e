/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table walker, the same for every format: from the root down, entry by entry, as hardware goes.
 *
 * Permissions are the AND of all entries on the way. A leaf that is a run of entries is one page; all of its entries
 * must agree, or it faults, because hardware may use any of them.
 *
 * Tables found on the way are remembered, and a later walk starts from the lowest one: a table that was unhooked is
 * used until an invalidation says that tables changed. Whoever reuses its memory earlier is found out.
 */
#include "walk.h"

#define ALL_PERM (SIM_PERM_READ | SIM_PERM_WRITE | SIM_PERM_USER)

static const struct sim_format *const formats[] = {
	[DMA_PT_VTD_SECOND_STAGE] = &sim_format_vtd, [DMA_PT_VTD_FIRST_STAGE] = &sim_format_x86,
	[DMA_PT_AMD_V1] = &sim_format_amd,	     [DMA_PT_LPAE_STAGE1] = &sim_format_lpae1,
	[DMA_PT_LPAE_STAGE2] = &sim_format_lpae2,    [DMA_PT_RISCV] = &sim_format_riscv,
};

const struct sim_format *sim_format_of(enum dma_pt_format format)
{
	return (unsigned int)format < sizeof(formats) / sizeof(formats[0]) ? formats[format] : NULL;
}

/** The place of entry @index of the table at @table; NULL if that is not RAM. */
static uint64_t *entry_at(const struct sim_walk *walk, phys_addr_t table, uint64_t index)
{
	phys_addr_t phys = table + index * sizeof(uint64_t);
	const struct sim_region *r = sim_region_at(walk->m, phys);

	if (!r || !r->ram)
		return NULL;
	return (uint64_t *)(void *)((walk->device_view ? r->device : r->cpu) + (phys - r->base));
}

enum sim_fault_reason sim_check_perm(unsigned int perm, const struct sim_access *access)
{
	if (!access->privileged && !(perm & SIM_PERM_USER))
		return SIM_FAULT_PRIVILEGE;
	if (access->write && !(perm & SIM_PERM_WRITE))
		return SIM_FAULT_WRITE_DENIED;
	if (!access->write && !(perm & SIM_PERM_READ))
		return SIM_FAULT_READ_DENIED;
	return SIM_FAULT_NONE;
}

/* --- where the walk starts */

static bool has_width(const struct sim_format *format, dma_addr_t iova, unsigned int width)
{
	unsigned int rest = 64 - width;

	if (!rest)
		return true;
	if (format->canonical)
		return (uint64_t)((int64_t)(iova << rest) >> rest) == iova;
	return iova >> width == 0;
}

static bool is_interrupt(dma_addr_t first, dma_addr_t last)
{
	return first <= 0xfeefffff && last >= 0xfee00000;
}

/** *@t is the lowest table known, and the range of addresses that it is for. */
static enum sim_fault_reason start(struct sim_walk *walk, const struct sim_table *table,
				   uint64_t generation, const struct sim_access *access,
				   struct sim_translation *t)
{
	if (!has_width(walk->format, access->iova, table->width))
		return SIM_FAULT_WIDTH;
	if (walk->format->interrupts && is_interrupt(access->iova, access->iova))
		return SIM_FAULT_INTERRUPT;
	if (sim_iotlb_find(walk->tables, generation, access->iova, t)) {
		walk->table_hits++;
		return sim_check_perm(t->perm, access);
	}
	*t = (struct sim_translation){ 0, table->root, table->width, ALL_PERM };
	return SIM_FAULT_NONE;
}

/* --- one entry */

/** The level of the table for a range of 2^@shift addresses. */
static unsigned int level_of(const struct sim_walk *walk, const struct sim_table *table,
			     unsigned int shift)
{
	return shift == table->width ? table->levels
				     : (shift - walk->granule_bits) / walk->index_bits;
}

static uint64_t index_of(dma_addr_t iova, unsigned int range, unsigned int shift)
{
	return iova << (64 - range) >> (64 - range) >> shift;
}

static bool keeps_marks(const struct sim_walk *walk)
{
	return (walk->track || walk->format->marks_always) && !walk->device_view;
}

/** Is a write all that the entry tells of already, or is nobody to tell? */
static bool is_dirty(const struct sim_walk *walk, uint64_t entry)
{
	if (!walk->format->mark || (!keeps_marks(walk) && !walk->format->marks_needed))
		return true;
	return walk->format->mark(walk, entry, true, true) == entry;
}

/** Set accessed and dirty bits in *@at. *@lost: the entry is no longer *@entry, so look again. */
static enum sim_fault_reason mark(const struct sim_walk *walk, uint64_t *at, uint64_t *entry,
				  bool leaf, bool write, bool *lost)
{
	uint64_t marked;

	*lost = false;
	if (!walk->format->mark)
		return SIM_FAULT_NONE;
	marked = walk->format->mark(walk, *entry, leaf, write);
	if (marked == *entry)
		return SIM_FAULT_NONE;
	if (!keeps_marks(walk))
		return walk->format->marks_needed ? SIM_FAULT_ACCESS_FLAG : SIM_FAULT_NONE;
	*lost = !__atomic_compare_exchange_n(at, entry, marked, false, __ATOMIC_ACQ_REL,
					     __ATOMIC_ACQUIRE);
	if (!*lost)
		*entry = marked;
	return SIM_FAULT_NONE;
}

/** Do all entries of the run in which @at is number @index agree with @entry? */
static bool run_agrees(const struct sim_walk *walk, const uint64_t *at, uint64_t index,
		       uint64_t entry, unsigned int shift, unsigned int run_shift)
{
	uint64_t n = SIM_BIT(run_shift - shift);
	uint64_t step = walk->format->run_counts ? SIM_BIT(shift) : 0;
	uint64_t mine = index & (n - 1);
	const uint64_t *first = at - mine;

	/* Each has its own address, in order, and the run's is a multiple of its size. */
	if (step && (entry & (SIM_BIT(run_shift) - step)) != mine * step)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t other = __atomic_load_n(&first[i], __ATOMIC_ACQUIRE);

		if ((other ^ (entry + (i - mine) * step)) & ~walk->format->run_free)
			return false;
	}
	return true;
}

/** A leaf in a table's entry of 2^@shift bytes: *@out becomes the page. */
static enum sim_fault_reason take_leaf(const struct sim_walk *walk, const struct sim_entry *e,
				       uint64_t entry, dma_addr_t iova, struct sim_translation *out)
{
	phys_addr_t last = e->phys + (SIM_BIT(e->shift) - 1);

	if (!sim_has_size(walk, e->shift))
		return SIM_FAULT_RESERVED_BIT;
	if (walk->format->interrupts && is_interrupt(e->phys, last))
		return SIM_FAULT_INTERRUPT;
	*out = (struct sim_translation){ iova >> e->shift << e->shift, e->phys, e->shift,
					 out->perm & e->perm };
	if (is_dirty(walk, entry))
		out->perm |= SIM_PERM_DIRTY;
	return SIM_FAULT_NONE;
}

/** A table below an entry of 2^@shift bytes; it may be lower than the next level, and then is for the start of them. */
static enum sim_fault_reason take_table(const struct sim_walk *walk, const struct sim_entry *e,
					unsigned int shift, dma_addr_t iova,
					struct sim_translation *out)
{
	unsigned int range = sim_level_shift(walk, e->level + 1);

	if (range < shift && index_of(iova, shift, range))
		return SIM_FAULT_NOT_PRESENT;
	*out = (struct sim_translation){ iova >> range << range, e->phys, range,
					 out->perm & e->perm };
	return SIM_FAULT_NONE;
}

/** Go one entry down from the table *@out, to another or to a page; *@leaf says which. */
static enum sim_fault_reason step(const struct sim_walk *walk, const struct sim_table *table,
				  const struct sim_access *access, struct sim_translation *out,
				  bool *leaf)
{
	unsigned int level = level_of(walk, table, out->shift);
	unsigned int shift = sim_level_shift(walk, level);
	uint64_t index = index_of(access->iova, out->shift, shift);
	uint64_t *at = entry_at(walk, out->phys, index);
	uint64_t entry = at ? __atomic_load_n(at, __ATOMIC_ACQUIRE) : 0;
	enum sim_fault_reason reason;
	struct sim_entry e;
	bool lost;

	if (!at)
		return SIM_FAULT_TABLE;
	do {
		e = (struct sim_entry){ .shift = shift, .level = level - 1 };
		reason = walk->format->decode(walk, level, entry, &e);
		if (reason == SIM_FAULT_NONE && !e.present)
			reason = SIM_FAULT_NOT_PRESENT;
		if (reason == SIM_FAULT_NONE)
			reason = sim_check_perm(e.perm & out->perm, access);
		if (reason != SIM_FAULT_NONE)
			return reason;
		if (e.leaf && e.shift > out->shift)
			return SIM_FAULT_RESERVED_BIT;
		if (e.leaf && e.shift > shift &&
		    !run_agrees(walk, at, index, entry, shift, e.shift))
			return SIM_FAULT_RUN;
		reason = mark(walk, at, &entry, e.leaf, access->write, &lost);
	} while (lost);
	*leaf = e.leaf;
	if (reason != SIM_FAULT_NONE)
		return reason;
	return e.leaf ? take_leaf(walk, &e, entry, access->iova, out)
		      : take_table(walk, &e, shift, access->iova, out);
}

enum sim_fault_reason sim_walk(struct sim_walk *walk, const struct sim_table *table,
			       uint64_t generation, const struct sim_access *access,
			       struct sim_translation *out)
{
	enum sim_fault_reason reason = start(walk, table, generation, access, out);
	bool leaf = false;

	while (reason == SIM_FAULT_NONE && !leaf) {
		reason = step(walk, table, access, out, &leaf);
		if (reason == SIM_FAULT_NONE && !leaf)
			sim_iotlb_add(walk->tables, generation, out);
	}
	return reason;
}
