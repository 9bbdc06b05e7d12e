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
	return size > d->domain->windows.run_bytes;
}

/** The leaves that [addr, addr + size), at least one byte, may be a run of; NULL: none. */
static inline const struct window_large *quick_large(const struct dmamap_dev *d, uint64_t addr,
						     uint64_t size)
{
	const struct window_large *large = d->domain->windows.large;

	_Static_assert(WINDOW_LARGE == 2, "one or the other");
	if (size > large->most) {
		large++;
		if (size > large->most)
			return NULL;
	}
	return (addr | size) & large->mask ? NULL : large;
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
static inline bool quick_enter_large(struct dmamap_dev *d, const struct dma_domain *domain,
				     const struct window_large *large, unsigned int n,
				     uint64_t entry, dma_addr_t *addr)
{
	struct window_place *here;
	dma_ctx_state state;
	struct shard *s;
	int at = PLACE_NONE;

	if (!small_enter(domain, &state, &s))
		return false;
	here = shard_at(s, large->place);
	if (small_may_take(domain, s)) {
		unsigned int order = ceil_log2(n);

		at = place_take(here, n, order);
		if (at == PLACE_NONE)
			at = dmamap_shard_take(s, here, n, order);
	}
	if (at != PLACE_NONE) {
		entries_write(here->entries + at, n, entry, large->step);
		word_publish(here->word, (unsigned int)at);
		*addr = (here->granule + (unsigned int)at) << large->shift;
		small_count_map(d, s);
	}
	small_leave(domain, s, state);
	return at != PLACE_NONE;
}

/** For a device with QUICK_ALL and a call that nobody observes. False: nothing has happened. */
static inline bool quick_map_large(struct dmamap_dev *d, phys_addr_t phys, size_t size,
				   enum dma_data_direction dir, unsigned long attrs,
				   dma_addr_t *addr)
{
	const struct dma_domain *domain = d->domain;
	const struct window_large *large = quick_large(d, phys, size);
	uint64_t bits;

	if (!large || !(__atomic_load_n(&d->quick_large, __ATOMIC_RELAXED) & large->bit))
		return false;
	bits = quick_large_bits(d, dir, attrs);
	return bits && small_reaches(domain, phys, size) &&
	       quick_enter_large(d, domain, large, (unsigned int)(size >> large->shift),
				 phys >> domain->windows.phys_shift | (bits ^ large->change), addr);
}

/** The window that the shard of the caller takes such leaves from, if @leaf is in it; NULL. */
static inline struct window *quick_large_window(struct shard *s, const struct window_large *large,
						uint64_t leaf)
{
	struct window *w = __atomic_load_n(&shard_at(s, large->place)->window, __ATOMIC_ACQUIRE);

	return w && w->block == (leaf / WINDOW_GRANULES | large->tag) ? w : NULL;
}

/** Unmap, likewise: false where dmamap_iommu_quick_unmap() may know. */
static inline bool quick_unmap_large(struct dmamap_dev *d, dma_addr_t addr, size_t size,
				     enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_domain *domain = d->domain;
	const struct window_large *large = quick_large(d, addr, size);
	struct span span;
	struct shard *s;
	uint64_t leaf;

	if (!large || (unsigned int)dir > DMA_FROM_DEVICE || (attrs & DMA_ATTR_CC_SHARED) ||
	    small_is_lazy(domain))
		return false;
	leaf = addr >> large->shift;
	s = small_shard(domain);
	span = (struct span){ quick_large_window(s, large, leaf), leaf % WINDOW_GRANULES,
			      (unsigned int)(size >> large->shift) };
	if (!span.window || !span_is_run(span) || !span_win(span))
		return false;
	span_clear(span);
	small_count_unmap(d, s);
	small_forget(domain, s, addr, size);
	span_give_back(domain, span);
	return true;
}

#pragma GCC visibility pop

#endif
