/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walks that look at leaves: one address, one after another, and those that devices have written. Part of radix.h.
 */
#ifndef DMAMAP_PAGETABLE_VISIT_H
#define DMAMAP_PAGETABLE_VISIT_H

/** A leaf: its table, its first entry and their number. */
struct pt_place {
	struct pt_table *t;
	unsigned int first;
	unsigned int n;
	unsigned int size; /* log2 of its bytes */
	uint64_t iova;
	uint64_t entry; /* one of them, as it was */
};

/** The place of the leaf that entry @i of @t belongs to, by which @iova is translated. False: nothing is there. */
PT_INLINE bool pt_place_of(const struct pt_format *fmt, struct pt_table *t, unsigned int i,
			   uint64_t iova, struct pt_place *p)
{
	unsigned int shift = pt_shift(fmt, t->level);

	p->entry = pt_read(t, i);
	if (!p->entry)
		return false;
	p->t = t;
	p->size = fmt->sized ? fmt->leaf_size(p->entry, t->level) : shift;
	p->n = 1u << (p->size - shift);
	p->first = i & ~(p->n - 1);
	p->iova = iova & ~pt_mask(p->size);
	return true;
}

PT_INLINE phys_addr_t pt_place_phys(const struct pt_format *fmt, const struct pt_place *p)
{
	return fmt->leaf_phys(p->entry) & ~pt_mask(p->size);
}

PT_INLINE int pt_iova_to_phys(struct dma_backend *backend, const struct pt_format *fmt,
			      uint64_t iova, phys_addr_t *phys)
{
	const struct pt_backend *pt = pt_of(backend);
	struct pt_place p;
	struct pt_table *t;

	if (iova > pt->last_iova)
		return -DMAMAP_ENXIO;
	t = pt_find(pt, fmt, iova);
	if (!pt_place_of(fmt, t, pt_index(pt, fmt, iova, t->level), iova, &p))
		return -DMAMAP_ENXIO;
	*phys = pt_place_phys(fmt, &p) | (iova & pt_mask(p.size));
	return 0;
}

/** The leaf that holds @iova, or the first above it. False: there is none. */
PT_INLINE bool pt_next_place(const struct pt_backend *pt, const struct pt_format *fmt,
			     uint64_t iova, struct pt_place *p)
{
	struct pt_table *t = pt->root;

	while (iova <= pt->last_iova) {
		unsigned int i = pt_index(pt, fmt, iova, t->level);

		struct pt_table *below = pt_below(t, i);

		if (below) {
			t = below;
		} else if (pt_place_of(fmt, t, i, iova, p)) {
			return true;
		} else {
			iova = (iova | pt_mask(pt_shift(fmt, t->level))) + 1;
			if (!iova)
				break;
			while (t != pt->root && !pt_index(pt, fmt, iova, t->level))
				t = t->parent;
		}
	}
	return false;
}

PT_INLINE int pt_next_leaf(struct dma_backend *backend, const struct pt_format *fmt, uint64_t iova,
			   struct dma_leaf *leaf)
{
	struct pt_place p;

	if (!pt_next_place(pt_of(backend), fmt, iova, &p))
		return -DMAMAP_ENXIO;
	*leaf = (struct dma_leaf){
		.iova = p.iova,
		.len = (uint64_t)1 << p.size,
		.phys = pt_place_phys(fmt, &p),
		.prot = fmt->leaf_prot(p.entry),
	};
	return 0;
}

/** Has any entry of the leaf been written? With @clear it is forgotten, whatever the hardware does meanwhile. */
PT_INLINE bool pt_place_dirty(const struct pt_format *fmt, const struct pt_place *p, bool clear)
{
	bool any = false;

	for (unsigned int i = p->first; i < p->first + p->n; i++) {
		uint64_t entry = pt_read(p->t, i);

		any = any || fmt->is_dirty(entry);
		while (clear && fmt->is_dirty(entry) &&
		       !__atomic_compare_exchange_n(&p->t->entries[i], &entry, fmt->clean(entry),
						    false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			;
	}
	return any;
}

PT_INLINE int pt_read_dirty(struct dma_backend *backend, const struct pt_format *fmt, uint64_t iova,
			    uint64_t len, bool clear, dma_dirty_fn dirty, void *arg)
{
	const struct pt_backend *pt = pt_of(backend);
	struct pt_place p;
	uint64_t last = iova + (len - 1);

	if (!pt->backend.caps.track_dirty)
		return -DMAMAP_EOPNOTSUPP;
	if (!len || last < iova || last > pt->last_iova)
		return -DMAMAP_ERANGE;
	while (iova <= last && pt_next_place(pt, fmt, iova, &p) && p.iova <= last) {
		if (pt_place_dirty(fmt, &p, clear))
			dirty(arg, p.iova, (uint64_t)1 << p.size);
		iova = p.iova + ((uint64_t)1 << p.size);
	}
	return 0;
}

#endif
