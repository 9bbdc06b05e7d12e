/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way of a large mapping: a BAR, a large buffer. Where a shard has a window of larger leaves, mapping some of
 * them is what mapping granules is in quick.h. Whatever does not fit, and the first of every sort, is left to quick.c.
 */
#ifndef DMAMAP_IOMMU_QUICK_LARGE_H
#define DMAMAP_IOMMU_QUICK_LARGE_H

#include "quick.h"

#pragma GCC visibility push(hidden)

/** What QUICK_ATTRS leaves to other ways, but for MMIO. */
#define QUICK_LARGE_ATTRS (QUICK_ATTRS & ~(unsigned long)DMA_ATTR_MMIO)

/** May a range of @size bytes be of larger leaves? */
static inline bool quick_is_large(const struct dmamap_dev *d, size_t size)
{
	return size > (d->domain->windows.granule_mask + 1) * WINDOW_RUN;
}

/** Which leaves [addr, addr + size) is a run of, and a run is less than one leaf of the next sort; larges: none. */
static inline uint32_t quick_large_kind(const struct windows *ws, uint64_t addr, uint64_t size)
{
	uint32_t i = 0;

	while (i < ws->larges && (((addr | size) & ws->large[i].mask) || size > ws->large[i].most))
		i++;
	return i;
}

/** Bits of an entry, 0: there is no such. */
static inline uint64_t quick_large_bits(const struct dmamap_dev *d, enum dma_data_direction dir,
					unsigned long attrs)
{
	if ((unsigned int)dir > DMA_NONE || (attrs & QUICK_LARGE_ATTRS))
		return 0;
	return attrs & DMA_ATTR_MMIO ? d->quick_mmio[dir] : d->quick_bits[dir];
}

/** @n leaves get @entry and what follows it, where the shard of the caller has looked last. False: not there, not now. */
static inline bool quick_enter_large(struct dmamap_dev *d, uint32_t i, unsigned int n,
				     uint64_t entry, dma_addr_t *addr)
{
	const struct window_large *large = &d->domain->windows.large[i];
	const struct window_place *here;
	dma_ctx_state state;
	uint64_t *ends;
	struct shard *s;
	unsigned int at;
	bool ok;

	if (!small_enter(d, &state, &s))
		return false;
	here = &s->current[WINDOW_KIND_LARGE(i)];
	ends = place_ends(here);
	ok = small_may_take(d, s) && here->word && (n == 1 || ends) &&
	     word_take(s, here->word, ends, large->scale, n, ceil_log2(n), &at);
	if (ok) {
		entries_write(here->entries + at, n, entry, large->step);
		__atomic_fetch_or(&here->word->heads, (uint64_t)1 << at, __ATOMIC_RELEASE);
		*addr = (here->granule << d->domain->shift) + ((uint64_t)at << large->shift);
		small_count_map(d, s);
	}
	small_leave(d, s, state);
	return ok;
}

/** For a device with QUICK_ALL and a call that nobody observes. False: nothing has happened. */
static inline bool quick_map_large(struct dmamap_dev *d, phys_addr_t phys, size_t size,
				   enum dma_data_direction dir, unsigned long attrs,
				   dma_addr_t *addr)
{
	const struct windows *ws = &d->domain->windows;
	uint32_t i = quick_large_kind(ws, phys, size);
	uint64_t bits;

	if (!size || !(__atomic_load_n(&d->quick_large, __ATOMIC_RELAXED) >> i & 1))
		return false;
	bits = quick_large_bits(d, dir, attrs);
	return bits && small_reaches(d->domain, phys, size) &&
	       quick_enter_large(d, i, (unsigned int)(size >> ws->large[i].shift),
				 phys >> ws->phys_shift | (bits ^ ws->large[i].change), addr);
}

/** Is [addr, addr + size) what the shard's own window of leaves of sort @i can have as one mapping? */
static inline bool quick_large_run(const struct windows *ws, const struct shard *s, uint32_t i,
				   dma_addr_t addr, uint64_t size, struct span *span)
{
	const struct window_large *large = &ws->large[i];
	struct window *w =
		__atomic_load_n(&s->current[WINDOW_KIND_LARGE(i)].window, __ATOMIC_ACQUIRE);
	uint64_t leaf = addr >> large->shift;

	if (!w || w->block != window_block(leaf << large->scale, large->scale))
		return false;
	*span = (struct span){ w, leaf % WINDOW_GRANULES, (unsigned int)(size >> large->shift) };
	return span_is_run(*span);
}

/** Unmap, likewise: false where dmamap_iommu_quick_unmap() may know. */
static inline bool quick_unmap_large(struct dmamap_dev *d, dma_addr_t addr, size_t size,
				     enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_domain *domain = d->domain;
	const struct windows *ws = &domain->windows;
	uint32_t i = quick_large_kind(ws, addr, size);
	dma_ctx_state state;
	uint32_t number = ctx_number_or_0(dma_ctx_enter(d->host, &state));
	struct shard *s = windows_shard(ws, number);
	struct span span;

	dma_ctx_leave(d->host, state);
	if (!size || i == ws->larges || (unsigned int)dir > DMA_FROM_DEVICE ||
	    (attrs & DMA_ATTR_CC_SHARED) || small_is_lazy(domain) ||
	    !quick_large_run(ws, s, i, addr, size, &span) || !span_win(span))
		return false;
	span_clear(span);
	small_count_unmap(d, s);
	small_forget(domain, s, addr, size);
	span_give_back(domain, span);
	return true;
}

#pragma GCC visibility pop

#endif
