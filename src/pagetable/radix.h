/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The radix walker, written once. Each format's file includes it, describes its entries in a static const
 * struct pt_format, and wraps the three walks: everything is inlined there and the accessors fold away.
 *
 * Map: one walk for the whole vector. Each step enters as many leaves of one size as one table holds; the size is the
 * largest that the alignment of both addresses and the rest of the piece allow (adjacent pieces are one). Where a table
 * stands in the way of a large leaf, smaller leaves go into that table. Nothing is ever overwritten or split.
 *
 * Unmap: clears leaf by leaf, from the first address to the first hole. A leaf is cleared whole or not at all: one that
 * begins before the range or ends behind it counts as a hole, and so does what a domain owns (leaf.h).
 */
#ifndef DMAMAP_PAGETABLE_RADIX_H
#define DMAMAP_PAGETABLE_RADIX_H

#include "table.h"

#define PT_INLINE static inline __attribute__((always_inline, unused))

struct pt_format {
	/** The bits of a leaf besides its address and its size. */
	uint64_t (*leaf_bits)(const struct pt_backend *pt, unsigned int prot);
	/** The bits that make a leaf of @level. */
	uint64_t (*size_bits)(unsigned int level);
	/** An entry that points to a table. */
	uint64_t (*table_entry)(phys_addr_t table);
	/** The address in a leaf of @level. */
	phys_addr_t (*leaf_phys)(uint64_t entry, unsigned int level);
};

/* What is left to map: the rest of a piece, with its adjacent successors, then others. */
struct pt_source {
	phys_addr_t phys;
	uint64_t len;
	const struct dma_vec *next;
	const struct dma_vec *end;
};

PT_INLINE void pt_source_load(struct pt_source *s)
{
	if (!s->len && s->next < s->end) {
		s->phys = s->next->phys;
		s->len = s->next->len;
		s->next++;
	}
	for (; s->next < s->end && s->next->phys == s->phys + s->len; s->next++)
		s->len += s->next->len;
}

PT_INLINE bool pt_has_size(const struct pt_backend *pt, unsigned int level)
{
	return pt->backend.caps.page_sizes >> pt_shift(level) & 1;
}

/** The level of the largest leaf that fits. */
PT_INLINE unsigned int pt_best_level(const struct pt_backend *pt, uint64_t iova,
				     const struct pt_source *s)
{
	unsigned int level = 0;

	for (unsigned int l = 1; l < pt->levels; l++) {
		uint64_t span = (uint64_t)1 << pt_shift(l);

		if (s->len < span || (iova | s->phys) & (span - 1))
			break;
		if (pt_has_size(pt, l))
			level = l;
	}
	return level;
}

PT_INLINE unsigned int pt_smaller(const struct pt_backend *pt, unsigned int level)
{
	do
		level--;
	while (level && !pt_has_size(pt, level));
	return level;
}

PT_INLINE struct pt_table *pt_cached_leaf(const struct pt_backend *pt, uint64_t iova)
{
	return pt->leaf && pt->leaf_tag == iova >> pt_shift(1) ? pt->leaf : NULL;
}

PT_INLINE void pt_cache_leaf(struct pt_backend *pt, uint64_t iova, struct pt_table *t)
{
	pt->leaf = t;
	pt->leaf_tag = iova >> pt_shift(1);
}

/**
 * The table that takes leaves of *@level for @iova, made if need be; *@level falls where a table is in the way.
 * On failure NULL, and *@err.
 */
PT_INLINE struct pt_table *pt_table_for(struct pt_written *w, const struct pt_format *fmt,
					uint64_t iova, unsigned int *level, int *err)
{
	struct pt_backend *pt = w->pt;
	struct pt_table *t = *level ? NULL : pt_cached_leaf(pt, iova);

	if (t)
		return t;
	for (t = pt->root;;) {
		unsigned int i = pt_index(iova, t->level);
		struct pt_table *below;

		if (t->level == *level) {
			if (!t->level || !t->below[i])
				break;
			*level = pt_smaller(pt, *level);
		}
		below = t->below[i];
		if (!below) {
			*err = -DMAMAP_EADDRINUSE;
			if (t->entries[i])
				return NULL;
			*err = -DMAMAP_ENOMEM;
			below = dmamap_pt_add_table(w, t, i, fmt->table_entry);
			if (!below)
				return NULL;
		}
		t = below;
	}
	if (!t->level)
		pt_cache_leaf(pt, iova, t);
	return t;
}

/** Enter leaves into @t from @iova on, up to a leaf or a table that is there; the bytes entered. */
PT_INLINE uint64_t pt_fill(struct pt_written *w, const struct pt_format *fmt, struct pt_table *t,
			   unsigned int level, uint64_t iova, struct pt_source *s, uint64_t bits)
{
	unsigned int shift = pt_shift(level);
	unsigned int first = pt_index(iova, level);
	unsigned int end = first + (unsigned int)min_u64(PT_ENTRIES - first, s->len >> shift);
	uint64_t entry = s->phys | bits | fmt->size_bits(level);
	uint64_t *entries = t->entries;
	unsigned int i = first;
	uint64_t done;

	for (; i < end && !entries[i] && !(level && t->below[i]); i++) {
		pt_write_leaf(&entries[i], entry);
		entry += (uint64_t)1 << shift;
	}
	if (i == first)
		return 0;
	t->used = (uint16_t)(t->used + i - first);
	pt_note(w, t, first, i - 1);
	done = (uint64_t)(i - first) << shift;
	s->phys += done;
	s->len -= done;
	return done;
}

/** Fill the lowest table @t with pieces as long as they stay in it (a larger leaf begins with another table). */
PT_INLINE uint64_t pt_fill_pages(struct pt_written *w, const struct pt_format *fmt,
				 struct pt_table *t, uint64_t iova, struct pt_source *s,
				 uint64_t bits)
{
	uint64_t end = (iova | (((uint64_t)1 << pt_shift(1)) - 1)) + 1;
	uint64_t at = iova;

	do {
		uint64_t done = pt_fill(w, fmt, t, 0, at, s, bits);

		if (!done)
			break;
		at += done;
		pt_source_load(s);
	} while (s->len && at != end);
	return at - iova;
}

/** The table that holds, or would hold, the leaf of @iova. Changes nothing. */
PT_INLINE struct pt_table *pt_find(const struct pt_backend *pt, uint64_t iova)
{
	struct pt_table *t = pt->root;
	struct pt_table *below;

	for (; t->level; t = below) {
		below = t->below[pt_index(iova, t->level)];
		if (!below)
			break;
	}
	return t;
}

PT_INLINE struct pt_table *pt_find_cached(struct pt_backend *pt, uint64_t iova)
{
	struct pt_table *t = pt_cached_leaf(pt, iova);

	if (t)
		return t;
	t = pt_find(pt, iova);
	if (!t->level)
		pt_cache_leaf(pt, iova, t);
	return t;
}

/** Clear leaves of @t from @iova on; the bytes cleared. */
PT_INLINE uint64_t pt_clear(struct pt_written *w, struct pt_table *t, uint64_t iova, uint64_t len)
{
	unsigned int shift = pt_shift(t->level);
	unsigned int first = pt_index(iova, t->level);
	unsigned int n = (unsigned int)min_u64(PT_ENTRIES - first, len >> shift);
	uint64_t *entries = t->entries;
	unsigned int i = first;

	if (iova & (((uint64_t)1 << shift) - 1))
		return 0;
	n = pt_not_owned(t, first, n);
	while (i < first + n && entries[i] && !(t->level && t->below[i]))
		pt_write_leaf(&entries[i++], 0);
	n = i - first;
	t->used = (uint16_t)(t->used - n);
	if (n)
		pt_note(w, t, first, i - 1);
	return (uint64_t)n << shift;
}

PT_INLINE uint64_t pt_unmap_range(struct pt_backend *pt, uint64_t iova, uint64_t len)
{
	struct pt_written w;
	uint64_t at = iova;

	pt_written_init(&w, pt);
	while (at != iova + len) {
		struct pt_table *t = pt_find_cached(pt, at);
		uint64_t done = pt_clear(&w, t, at, len - (at - iova));

		if (!done)
			break;
		at += done;
		if (!t->used)
			pt_list_empty(pt, t);
	}
	pt_clean(&w);
	return at - iova;
}

/** A map failed at @at: clear what it entered from @iova on, and take back the tables it made. */
PT_INLINE void pt_undo(struct pt_backend *pt, uint64_t iova, uint64_t at)
{
	struct pt_table *t;

	pt_unmap_range(pt, iova, at - iova);
	t = pt_find(pt, at);
	if (!t->used)
		pt_list_empty(pt, t);
	dmamap_pt_undo_done(pt, at != iova);
}

PT_INLINE int pt_map_vec(struct dma_backend *backend, const struct pt_format *fmt, uint64_t iova,
			 const struct dma_vec *vec, size_t n, unsigned int prot)
{
	struct pt_backend *pt = pt_of(backend);
	struct pt_source s = { .next = vec, .end = n ? vec + n : vec };
	struct pt_written w;
	uint64_t at = iova;
	uint64_t bits;
	int err = dmamap_pt_check_map(pt, iova, vec, n, prot);

	if (err)
		return err;
	bits = fmt->leaf_bits(pt, prot);
	pt_written_init(&w, pt);
	for (pt_source_load(&s); s.len; pt_source_load(&s)) {
		unsigned int level = pt_best_level(pt, at, &s);
		struct pt_table *t = pt_table_for(&w, fmt, at, &level, &err);
		uint64_t done = 0;

		if (t) {
			err = -DMAMAP_EADDRINUSE;
			done = level ? pt_fill(&w, fmt, t, level, at, &s, bits)
				     : pt_fill_pages(&w, fmt, t, at, &s, bits);
		}
		if (!done) {
			pt_clean(&w);
			pt_undo(pt, iova, at);
			return err;
		}
		at += done;
	}
	pt_clean(&w);
	return 0;
}

PT_INLINE uint64_t pt_unmap(struct dma_backend *backend, uint64_t iova, uint64_t len)
{
	struct pt_backend *pt = pt_of(backend);
	uint64_t done;

	if ((iova | len) % PT_PAGE || iova > pt->last_iova)
		return 0;
	done = pt_unmap_range(pt, iova, min_u64(len, pt->last_iova - iova + 1));
	dmamap_pt_flush(pt);
	return done;
}

PT_INLINE int pt_iova_to_phys(struct dma_backend *backend, const struct pt_format *fmt,
			      uint64_t iova, phys_addr_t *phys)
{
	struct pt_backend *pt = pt_of(backend);
	struct pt_table *t;
	uint64_t entry;

	if (iova > pt->last_iova)
		return -DMAMAP_ENXIO;
	t = pt_find(pt, iova);
	entry = __atomic_load_n(&t->entries[pt_index(iova, t->level)], __ATOMIC_RELAXED);
	if (!entry)
		return -DMAMAP_ENXIO;
	*phys = fmt->leaf_phys(entry, t->level) |
		(iova & (((uint64_t)1 << pt_shift(t->level)) - 1));
	return 0;
}

#endif
