/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The radix walker, written once. Each format's file includes it, describes itself in a struct pt_format, and makes its
 * operations with PT_FORMAT_OPS(): everything is inlined there and the accessors fold away. visit.h has the walks that
 * only look.
 *
 * Map: one walk for the whole vector. Each step enters as many leaves of one size as one table holds; the size is the
 * largest that the alignment of both addresses and the rest of the piece allow (adjacent pieces are one). Where a table
 * stands in the way of a large leaf, smaller leaves go into that table. Nothing is ever overwritten or split.
 *
 * Unmap: clears leaf by leaf, from the first address to the first hole. A leaf is cleared whole or not at all, all of
 * its entries together: one that begins before the range or ends behind it counts as a hole, and so does what a domain
 * owns (leaf.h).
 */
#ifndef DMAMAP_PAGETABLE_RADIX_H
#define DMAMAP_PAGETABLE_RADIX_H

#include "table.h"

#define PT_INLINE static inline __attribute__((always_inline, unused))
/* Entries that are worth a call of the host. */
#define PT_MANY 64u

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

/* --- sizes */

/** The largest size not above 2^@limit. The granule always is there. */
PT_INLINE unsigned int pt_size_to(const struct pt_backend *pt, unsigned int limit)
{
	return high_bit(pt->backend.caps.page_sizes & (((uint64_t)2 << limit) - 1));
}

/** The size of the largest leaf that fits. */
PT_INLINE unsigned int pt_best_size(const struct pt_backend *pt, uint64_t iova,
				    const struct pt_source *s)
{
	unsigned int fits = high_bit(s->len);
	uint64_t both = iova | s->phys;

	if (both && low_bit(both) < fits)
		fits = low_bit(both);
	return pt_size_to(pt, fits);
}

/** The bytes to enter as leaves of 2^@size bytes before something larger may begin, or the coding of addresses turns. */
PT_INLINE uint64_t pt_run_bytes(const struct pt_backend *pt, const struct pt_format *fmt,
				unsigned int size, uint64_t iova, const struct pt_source *s)
{
	uint64_t larger = pt->backend.caps.page_sizes & ~pt_mask(size + 1);
	uint64_t len = s->len;

	if (fmt->linear_bits < 64)
		len = min_u64(len, pt_mask(fmt->linear_bits) + 1 -
					   (s->phys & pt_mask(fmt->linear_bits)));
	if (fmt->sized && larger && !((iova ^ s->phys) & pt_mask(low_bit(larger))))
		len = min_u64(len,
			      pt_mask(low_bit(larger)) + 1 - (iova & pt_mask(low_bit(larger))));
	return len;
}

/** Of the leaf of 2^@size bytes that is to begin at free entry @i: what fits before an entry that is taken. */
PT_INLINE unsigned int pt_free_size(const struct pt_backend *pt, const struct pt_format *fmt,
				    const struct pt_table *t, unsigned int i, unsigned int size)
{
	unsigned int shift = pt_shift(fmt, t->level);
	unsigned int n = 1;

	if (!fmt->sized)
		return size;
	while (n < 1u << (size - shift) && !t->entries[i + n])
		n++;
	return pt_size_to(pt, shift + high_bit(n));
}

/* --- finding tables */

PT_INLINE struct pt_table *pt_cached_leaf(const struct pt_backend *pt, const struct pt_format *fmt,
					  uint64_t iova)
{
	return pt->leaf && pt->leaf_tag == iova >> pt_shift(fmt, 1) ? pt->leaf : NULL;
}

PT_INLINE void pt_cache_leaf(struct pt_backend *pt, const struct pt_format *fmt, uint64_t iova,
			     struct pt_table *t)
{
	pt->leaf = t;
	pt->leaf_tag = iova >> pt_shift(fmt, 1);
}

/** The table that holds, or would hold, the leaf of @iova. Changes nothing. */
PT_INLINE struct pt_table *pt_find(const struct pt_backend *pt, const struct pt_format *fmt,
				   uint64_t iova)
{
	struct pt_table *t = pt->root;
	struct pt_table *below;

	while (t->below && (below = pt_below(t, pt_index(pt, fmt, iova, t->level))))
		t = below;
	return t;
}

PT_INLINE struct pt_table *pt_find_cached(struct pt_backend *pt, const struct pt_format *fmt,
					  uint64_t iova)
{
	struct pt_table *t = pt_cached_leaf(pt, fmt, iova);

	if (t)
		return t;
	t = pt_find(pt, fmt, iova);
	if (!t->level)
		pt_cache_leaf(pt, fmt, iova, t);
	return t;
}

/** The table below entry @i of @t, made if need be. NULL and *@err: a leaf is there, or no memory. */
PT_INLINE struct pt_table *pt_descend(struct pt_written *w, struct pt_table *t, unsigned int i,
				      int *err)
{
	struct pt_table *below = pt_below(t, i);

	if (below)
		return below;
	*err = -DMAMAP_EADDRINUSE;
	if (t->entries[i])
		return NULL;
	*err = -DMAMAP_ENOMEM;
	return dmamap_pt_add_table(w, t, i);
}

/**
 * The table that takes a leaf of 2^*@size bytes for @iova, made if need be; *@size falls where tables are in the way.
 * On failure NULL, and *@err.
 */
PT_INLINE struct pt_table *pt_table_for(struct pt_written *w, const struct pt_format *fmt,
					uint64_t iova, unsigned int *size, int *err)
{
	struct pt_backend *pt = w->pt;
	struct pt_table *t = pt->root;

	while (t) {
		unsigned int i = pt_index(pt, fmt, iova, t->level);

		if (t->level == pt_level(fmt, *size)) {
			if (!t->entries[i]) {
				*size = pt_free_size(pt, fmt, t, i, *size);
				if (!t->level || t->level == pt_level(fmt, *size))
					break;
			} else if (pt_below(t, i)) {
				*size = pt_size_to(pt, pt_shift(fmt, t->level) - 1);
			}
		}
		t = pt_descend(w, t, i, err);
	}
	if (t && !t->level)
		pt_cache_leaf(pt, fmt, iova, t);
	return t;
}

/* --- map */

/** Refuse what no format enters: 0, -EINVAL (protection, alignment, size), -ERANGE (widths, hole). */
PT_INLINE int pt_check_map(const struct pt_backend *pt, const struct pt_format *fmt, uint64_t iova,
			   const struct dma_vec *vec, size_t n, unsigned int prot)
{
	uint64_t room = pt->last_iova - iova + 1;

	if (!(prot & (DMA_PROT_READ | DMA_PROT_WRITE)) || iova & pt_mask(fmt->granule_bits) || !n)
		return -DMAMAP_EINVAL;
	if (iova > pt->last_iova)
		return -DMAMAP_ERANGE;
	for (const struct dma_vec *v = vec; v != vec + n; v++) {
		if (!v->len || (v->phys | v->len) & pt_mask(fmt->granule_bits))
			return -DMAMAP_EINVAL;
		if (v->phys > pt->last_phys || v->len - 1 > pt->last_phys - v->phys)
			return -DMAMAP_ERANGE;
		if (fmt->hole_is_target && v->phys <= fmt->hole_last &&
		    v->phys + v->len - 1 >= fmt->hole_first)
			return -DMAMAP_ERANGE;
		if (v->len > room)
			return -DMAMAP_ERANGE;
		room -= v->len;
	}
	return 0;
}

/** Of @n entries, those before the first that is 0 (@used) or is not. */
PT_INLINE size_t pt_scan(struct dma_host *host, const uint64_t *entries, size_t n, bool used)
{
	size_t i = 0;

	if (host->pte_scan)
		return host->pte_scan(host, entries, n, used);
	while (i < n && (entries[i] != 0) == used)
		i++;
	return i;
}

/** Write up to @n entries of @t, to the first that is taken: @entry, growing by @step. How many. */
PT_INLINE size_t pt_fill_entries(const struct pt_backend *pt, const struct pt_table *t,
				 uint64_t *entries, size_t n, uint64_t entry, uint64_t step)
{
	size_t i;

	if (n >= PT_MANY && pt->host->pte_write) {
		if (t->used)
			n = pt_scan(pt->host, entries, n, false);
		pt->host->pte_write(pt->host, entries, n, entry, step);
		return n;
	}
	for (i = 0; n - i >= 4; i += 4, entry += 4 * step) {
		uint64_t *e = &entries[i];

		if (e[0] | e[1] | e[2] | e[3])
			break;
		pt_write_leaf(&e[0], entry);
		pt_write_leaf(&e[1], entry + step);
		pt_write_leaf(&e[2], entry + 2 * step);
		pt_write_leaf(&e[3], entry + 3 * step);
	}
	for (; i < n && !entries[i]; i++, entry += step)
		pt_write_leaf(&entries[i], entry);
	return i;
}

/** Enter leaves of 2^@size bytes into @t from @iova on, up to an entry that is taken; the bytes entered. */
PT_INLINE uint64_t pt_fill(struct pt_written *w, const struct pt_format *fmt, struct pt_table *t,
			   unsigned int size, uint64_t iova, struct pt_source *s, uint64_t bits)
{
	const struct pt_backend *pt = w->pt;
	unsigned int shift = pt_shift(fmt, t->level);
	unsigned int first = pt_index(pt, fmt, iova, t->level);
	uint64_t entry = fmt->leaf(s->phys, t->level, size) | bits;
	uint64_t *entries = t->entries + first;
	size_t n = pt_entries(pt, fmt, t->level) - first;
	uint64_t done;

	if (fmt->sized && size > shift) { /* one leaf; pt_table_for() saw that all of it is free */
		n = pt_fill_entries(pt, t, entries, (size_t)1 << (size - shift), entry,
				    fmt->replicated ? 0 : pt_step(fmt, shift));
	} else {
		n = min_u64(n, pt_run_bytes(pt, fmt, size, iova, s) >> shift);
		n = pt_fill_entries(pt, t, entries, n, entry, pt_step(fmt, shift));
	}
	if (!n)
		return 0;
	t->used += (uint32_t)n;
	pt_note(w, t, first, first + (unsigned int)n - 1);
	done = (uint64_t)n << shift;
	s->phys += done;
	s->len -= done;
	return done;
}

/** Fill the lowest table @t with pieces as long as they stay in it (a larger leaf begins with another table). */
PT_INLINE uint64_t pt_fill_pages(struct pt_written *w, const struct pt_format *fmt,
				 struct pt_table *t, uint64_t iova, struct pt_source *s,
				 uint64_t bits)
{
	uint64_t end = (iova | pt_mask(pt_shift(fmt, 1))) + 1;
	uint64_t at = iova;

	do {
		uint64_t done = pt_fill(w, fmt, t, fmt->granule_bits, at, s, bits);

		if (!done)
			break;
		at += done;
		pt_source_load(s);
	} while (s->len && at != end);
	return at - iova;
}

/** Enter what one table takes from @iova on; the bytes entered, or 0 and *@err. */
PT_INLINE uint64_t pt_enter(struct pt_written *w, const struct pt_format *fmt, uint64_t iova,
			    struct pt_source *s, uint64_t bits, int *err)
{
	unsigned int size = fmt->granule_bits;
	struct pt_table *t = NULL;

	if (s->len != pt_mask(size) + 1)
		size = pt_best_size(w->pt, iova, s);
	if (size == fmt->granule_bits)
		t = pt_cached_leaf(w->pt, fmt, iova);
	if (!t)
		t = pt_table_for(w, fmt, iova, &size, err);
	if (!t)
		return 0;
	*err = -DMAMAP_EADDRINUSE;
	if (t->level || fmt->sized)
		return pt_fill(w, fmt, t, size, iova, s, bits);
	return pt_fill_pages(w, fmt, t, iova, s, bits);
}

/* --- unmap */

/** Entries of the leaf at entry @i; 0 if it is none that begins there and ends before @end. */
PT_INLINE unsigned int pt_leaf_entries(const struct pt_format *fmt, const struct pt_table *t,
				       unsigned int i, unsigned int end)
{
	uint64_t entry = pt_read(t, i);
	unsigned int n;

	if (!entry || pt_below(t, i))
		return 0;
	n = 1u << (fmt->leaf_size(entry, t->level) - pt_shift(fmt, t->level));
	return i & (n - 1) || end - i < n ? 0 : n;
}

/** Clear the leaves in entries [@i, @end) of @t, to the first that is none, or not wholly there. Where it ended. */
PT_INLINE unsigned int pt_clear_leaves(const struct pt_format *fmt, const struct pt_table *t,
				       unsigned int i, unsigned int end)
{
	unsigned int n;

	while (i < end && (n = pt_leaf_entries(fmt, t, i, end)))
		for (n += i; i < n; i++)
			pt_write_leaf(&t->entries[i], 0);
	return i;
}

/** The same where each leaf is one entry. */
PT_INLINE unsigned int pt_clear_pages(const struct pt_backend *pt, const struct pt_format *fmt,
				      const struct pt_table *t, unsigned int i, unsigned int end)
{
	uint64_t *entries = t->entries;

	if (t->below) {
		for (; i < end && entries[i] && !pt_below(t, i); i++)
			pt_write_leaf(&entries[i], 0);
		return i;
	}
	if (end - i >= PT_MANY && pt->host->pte_write) {
		unsigned int n = end - i;

		if (t->used != pt_entries(pt, fmt, 0))
			n = (unsigned int)pt_scan(pt->host, entries + i, n, true);
		pt->host->pte_write(pt->host, entries + i, n, 0, 0);
		return i + n;
	}
	for (; i < end && entries[i]; i++)
		pt_write_leaf(&entries[i], 0);
	return i;
}

/** Clear leaves of @t from @iova on; the bytes cleared. */
PT_INLINE uint64_t pt_clear(struct pt_written *w, const struct pt_format *fmt, struct pt_table *t,
			    uint64_t iova, uint64_t len)
{
	unsigned int shift = pt_shift(fmt, t->level);
	unsigned int first = pt_index(w->pt, fmt, iova, t->level);
	unsigned int n =
		(unsigned int)min_u64(pt_entries(w->pt, fmt, t->level) - first, len >> shift);
	unsigned int end;

	if (iova & pt_mask(shift))
		return 0;
	end = first + pt_not_owned(t, first, n);
	if (fmt->sized)
		end = pt_clear_leaves(fmt, t, first, end);
	else
		end = pt_clear_pages(w->pt, fmt, t, first, end);
	if (end == first)
		return 0;
	t->used -= end - first;
	pt_note(w, t, first, end - 1);
	return (uint64_t)(end - first) << shift;
}

PT_INLINE uint64_t pt_unmap_range(struct pt_backend *pt, const struct pt_format *fmt, uint64_t iova,
				  uint64_t len)
{
	struct pt_written w;
	uint64_t at = iova;

	pt_written_init(&w, pt);
	while (at != iova + len) {
		struct pt_table *t = pt_find_cached(pt, fmt, at);
		uint64_t done = pt_clear(&w, fmt, t, at, len - (at - iova));

		if (!done)
			break;
		at += done;
		if (!t->used)
			pt_list_empty(pt, t);
	}
	pt_clean(&w);
	return at - iova;
}

PT_INLINE uint64_t pt_unmap(struct dma_backend *backend, const struct pt_format *fmt, uint64_t iova,
			    uint64_t len)
{
	struct pt_backend *pt = pt_of(backend);
	uint64_t done;

	if ((iova | len) & pt_mask(fmt->granule_bits) || iova > pt->last_iova)
		return 0;
	done = pt_unmap_range(pt, fmt, iova, min_u64(len, pt->last_iova - iova + 1));
	dmamap_pt_flush(pt);
	return done;
}

/* --- the whole map */

/** A map failed at @at: clear what it entered from @iova on, and take back the tables it made. */
PT_INLINE void pt_undo(struct pt_backend *pt, const struct pt_format *fmt, uint64_t iova,
		       uint64_t at)
{
	struct pt_table *t;

	pt_unmap_range(pt, fmt, iova, at - iova);
	t = pt_find(pt, fmt, at);
	if (!t->used)
		pt_list_empty(pt, t);
	dmamap_pt_undo_done(pt, at != iova);
}

PT_INLINE int pt_map(struct dma_backend *backend, const struct pt_format *fmt, uint64_t iova,
		     const struct dma_vec *vec, size_t n, unsigned int prot)
{
	struct pt_backend *pt = pt_of(backend);
	struct pt_source s = { .next = vec, .end = n ? vec + n : vec };
	struct pt_written w;
	uint64_t at = iova;
	uint64_t bits;
	int err = pt_check_map(pt, fmt, iova, vec, n, prot);

	if (err)
		return err;
	bits = fmt->leaf_bits(pt, prot);
	pt_written_init(&w, pt);
	for (pt_source_load(&s); s.len; pt_source_load(&s)) {
		uint64_t done = pt_enter(&w, fmt, at, &s, bits, &err);

		if (!done) {
			pt_clean(&w);
			pt_undo(pt, fmt, iova, at);
			return err;
		}
		at += done;
	}
	pt_clean(&w);
	return 0;
}

#include "visit.h"
#include "leaf.h"

/** The operations of @fmt, a struct pt_format, as a constant @ops; the functions are called @ops_map and so on. */
#define PT_FORMAT_OPS(ops, fmt)                                                                 \
	static int ops##_map(struct dma_backend *backend, dma_addr_t iova,                      \
			     const struct dma_vec *vec, size_t n, unsigned int prot)            \
	{                                                                                       \
		return pt_map(backend, &(fmt), iova, vec, n, prot);                             \
	}                                                                                       \
	static uint64_t ops##_unmap(struct dma_backend *backend, dma_addr_t iova, uint64_t len) \
	{                                                                                       \
		return pt_unmap(backend, &(fmt), iova, len);                                    \
	}                                                                                       \
	static int ops##_iova_to_phys(struct dma_backend *backend, dma_addr_t iova,             \
				      phys_addr_t *phys)                                        \
	{                                                                                       \
		return pt_iova_to_phys(backend, &(fmt), iova, phys);                            \
	}                                                                                       \
	static int ops##_next_leaf(struct dma_backend *backend, dma_addr_t iova,                \
				   struct dma_leaf *leaf)                                       \
	{                                                                                       \
		return pt_next_leaf(backend, &(fmt), iova, leaf);                               \
	}                                                                                       \
	static int ops##_read_dirty(struct dma_backend *backend, dma_addr_t iova, uint64_t len, \
				    bool clear, dma_dirty_fn dirty, void *arg)                  \
	{                                                                                       \
		return pt_read_dirty(backend, &(fmt), iova, len, clear, dirty, arg);            \
	}                                                                                       \
	static int ops##_pin(struct dma_backend *backend, dma_addr_t iova, uint64_t leaf,       \
			     struct dma_leaf_block *block)                                      \
	{                                                                                       \
		return pt_pin(backend, &(fmt), iova, leaf, block);                              \
	}                                                                                       \
	static void ops##_unpin(struct dma_backend *backend, dma_addr_t iova, uint64_t leaf)    \
	{                                                                                       \
		(void)leaf;                                                                     \
		pt_unpin(backend, &(fmt), iova);                                                \
	}                                                                                       \
	static uint64_t ops##_block_bits(struct dma_backend *backend, uint64_t leaf,            \
					 unsigned int prot)                                     \
	{                                                                                       \
		return pt_block_bits(backend, &(fmt), leaf, prot);                              \
	}                                                                                       \
	static const struct dma_backend_ops ops = {                                             \
		.size = sizeof(struct dma_backend_ops),                                         \
		.map = ops##_map,                                                               \
		.unmap = ops##_unmap,                                                           \
		.prune = dmamap_pt_prune,                                                       \
		.sync_map = dmamap_pt_sync_map,                                                 \
		.invalidate = dmamap_pt_invalidate,                                             \
		.wait = dmamap_pt_wait,                                                         \
		.forget = dmamap_pt_forget,                                                     \
		.release = dmamap_pt_release,                                                   \
		.trim = dmamap_pt_trim,                                                         \
		.iova_to_phys = ops##_iova_to_phys,                                             \
		.next_leaf = ops##_next_leaf,                                                   \
		.read_dirty = ops##_read_dirty,                                                 \
		.pin = ops##_pin,                                                               \
		.unpin = ops##_unpin,                                                           \
		.leaf_bits = ops##_block_bits,                                                  \
		.attach = dmamap_pt_attach,                                                     \
		.detach = dmamap_pt_detach,                                                     \
		.unit_of = dmamap_pt_unit_of,                                                   \
		.narrow = dmamap_pt_narrow,                                                     \
		.table_bytes = dmamap_pt_table_bytes,                                           \
		.destroy = dmamap_pt_destroy,                                                   \
	}

#endif
