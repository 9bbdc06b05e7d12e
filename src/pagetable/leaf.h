/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leaf tables in the hands of a domain.
 *
 * A domain may own blocks of DMA_LEAF_BLOCK leaves of one size, each inside one table, and write the entries itself,
 * without a walk and without this room's locks. pin() finds or makes the table, marks the block as owned and keeps the
 * table linked; unpin() ends that, and the table is then as empty as any other. No entry of an owned block is counted
 * in pt_table.used: one count stands for the block. Walks leave owned blocks alone: to unmap() they are holes, so that a
 * range that was never mapped as one cannot clear what belongs to somebody else.
 */
#ifndef DMAMAP_PAGETABLE_LEAF_H
#define DMAMAP_PAGETABLE_LEAF_H

#include "table.h"

/** Does the block that begins at entry @i of @t have all of its entries, and nothing in them? */
PT_INLINE bool pt_block_is_free(const struct pt_backend *pt, const struct pt_format *fmt,
				const struct pt_table *t, unsigned int i)
{
	uint64_t any = 0;

	if (i % DMA_LEAF_BLOCK || i + DMA_LEAF_BLOCK > pt_entries(pt, fmt, t->level))
		return false;
	for (unsigned int k = 0; k < DMA_LEAF_BLOCK; k++)
		any |= t->entries[i + k];
	return !any;
}

PT_INLINE int pt_pin(struct dma_backend *backend, const struct pt_format *fmt, uint64_t iova,
		     uint64_t leaf, struct dma_leaf_block *block)
{
	struct pt_backend *pt = pt_of(backend);
	unsigned int size = low_bit(leaf);
	struct pt_written w;
	struct pt_table *t;
	unsigned int i;
	int err = -DMAMAP_EINVAL;

	if (iova & (leaf - 1) || iova > pt->last_iova)
		return err;
	if (pt->backend.caps.output_bits > fmt->linear_bits)
		return -DMAMAP_EOPNOTSUPP; /* an entry is more than the address and bits */
	pt_written_init(&w, pt);
	t = pt_table_for(&w, fmt, iova, &size, &err);
	pt_clean(&w);
	i = t ? pt_index(pt, fmt, iova, t->level) : 0;
	if (!t || size != low_bit(leaf) || !pt_block_is_free(pt, fmt, t, i)) {
		pt_undo(pt, fmt, iova, iova);
		return t ? -DMAMAP_EADDRINUSE : err;
	}
	pt_own(t, i);
	block->entries = &t->entries[i];
	block->phys = t->phys + i * sizeof(t->entries[0]);
	return 0;
}

PT_INLINE void pt_unpin(struct dma_backend *backend, const struct pt_format *fmt, uint64_t iova)
{
	struct pt_backend *pt = pt_of(backend);
	struct pt_table *t = pt_find(pt, fmt, iova);

	pt_disown(t, pt_index(pt, fmt, iova, t->level));
	if (!t->used)
		pt_list_empty(pt, t);
}

PT_INLINE uint64_t pt_block_bits(struct dma_backend *backend, const struct pt_format *fmt,
				 uint64_t leaf, unsigned int prot)
{
	unsigned int size = low_bit(leaf);
	unsigned int level = pt_level(fmt, size);

	if (!(prot & (DMA_PROT_READ | DMA_PROT_WRITE)) || size != pt_shift(fmt, level))
		return 0;
	return fmt->leaf(0, level, size) | fmt->leaf_bits(pt_of(backend), prot);
}

#endif
