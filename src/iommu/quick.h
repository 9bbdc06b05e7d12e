/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way of a small mapping, inline in the public calls: the device is trusted and coherent, nobody observes, and
 * the domain's windows serve it, its walker snoops and needs no telling. What remains is a granule, its entry, and one
 * bit; an unmap is the same backwards. Everything else, refusals above all, is left to the long way of map.c.
 */
#ifndef DMAMAP_IOMMU_QUICK_H
#define DMAMAP_IOMMU_QUICK_H

#include "small.h"

#pragma GCC visibility push(hidden)

/** Attributes that decide more than which entry it is. */
#define QUICK_ATTRS (DMA_ATTR_CC_SHARED | DMA_ATTR_MMIO | DMA_ATTR_PRIVILEGED)

/** Sets quick and what goes with it of a device; called whenever a property has changed. */
void dmamap_iommu_update_quick(struct dmamap_dev *d);

/** Is the device still to be attached? The long way does that. quick_map() cannot find a window before. */
static inline bool quick_waits(const struct dmamap_dev *d)
{
	return __atomic_load_n(&d->attach_pending, __ATOMIC_ACQUIRE);
}

/** What quick_map() and quick_unmap() leave: several granules, other attributes, another window, a first call. */
dma_addr_t dmamap_iommu_quick_map(struct dmamap_dev *d, phys_addr_t phys, size_t size,
				  enum dma_data_direction dir, unsigned long attrs);
bool dmamap_iommu_quick_unmap(struct dmamap_dev *d, dma_addr_t addr, size_t size,
			      enum dma_data_direction dir, unsigned long attrs);

/** The granule that got @entry, where the shard of the caller has looked last. False: not there, or not now. */
static inline bool quick_enter(struct dmamap_dev *d, const struct dma_domain *domain,
			       uint64_t entry, uint64_t *granule)
{
	const struct window_place *here;
	dma_ctx_state state;
	struct shard *s;
	int at;

	if (!small_enter(domain, &state, &s))
		return false;
	at = small_take_one(d, domain, s, &here);
	if (at != PLACE_NONE) {
		__atomic_store_n(&here->entries[at], entry, __ATOMIC_RELAXED);
		word_publish(here->word, (unsigned int)at);
		*granule = here->granule + (unsigned int)at;
		small_count_map(d, s);
	}
	small_leave(domain, s, state);
	return at != PLACE_NONE;
}

/**
 * Map at most a granule, for a device with QUICK_ALL and a call that nobody observes. False where there is anything else
 * to it than an entry: nothing has happened then, and dmamap_iommu_quick_map() may know. Calls nothing.
 */
static inline bool quick_map(struct dmamap_dev *d, phys_addr_t phys, size_t size,
			     enum dma_data_direction dir, unsigned long attrs, dma_addr_t *addr)
{
	const struct dma_domain *domain = d->domain;
	const struct windows *ws = &domain->windows;
	uint64_t offset = phys & ws->granule_mask;
	uint64_t granule;

	if ((unsigned int)dir > DMA_NONE || (attrs & QUICK_ATTRS) ||
	    size - 1 > ws->granule_mask - offset ||
	    phys > __atomic_load_n(&ws->last_phys, __ATOMIC_RELAXED) ||
	    (phys >= __atomic_load_n(&ws->hole, __ATOMIC_RELAXED) &&
	     phys < __atomic_load_n(&ws->hole_end, __ATOMIC_RELAXED)) ||
	    !d->quick_bits[dir])
		return false;
	if (!quick_enter(d, domain, (phys - offset) >> ws->phys_shift | d->quick_bits[dir],
			 &granule))
		return false;
	*addr = (granule << domain->shift) + offset;
	return true;
}

/** The window of @granule: where the shard of the caller allocates, or by the index. */
static inline struct window *quick_window(const struct dmamap_dev *d, struct shard *s,
					  uint64_t granule)
{
	struct window *w = __atomic_load_n(&small_here(d, s)->window, __ATOMIC_ACQUIRE);

	if (!w || w->block != granule / WINDOW_GRANULES)
		w = window_find(&d->domain->windows.index, granule);
	return w;
}

/** Win the bit of heads that a granule has, and end its mapping; false: it is not set. */
static inline bool quick_win(struct dmamap_dev *d, const struct shard *s, struct window *w,
			     unsigned int index)
{
	if (!span_win((struct span){ w, index, 1 }))
		return false;
	__atomic_store_n(&w->entries[index], 0, __ATOMIC_RELAXED);
	small_count_unmap(d, s);
	return true;
}

/** The same, and let it wait for a flush. False also if no more may wait. */
static inline bool quick_end_lazily(struct dmamap_dev *d, struct window *w, unsigned int index)
{
	struct dma_domain *domain = d->domain;
	struct shard *owner = window_owner(&domain->windows, w);

	if (small_waits_full(domain, owner) || !quick_win(d, owner, w, index))
		return false;
	small_defer(domain, owner, window_lazy_of(w), index / 64, (uint64_t)1 << index % 64);
	return true;
}

/** Unmap, likewise: false where dmamap_iommu_quick_unmap() may know. */
static inline bool quick_unmap(struct dmamap_dev *d, dma_addr_t addr, size_t size,
			       enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_domain *domain = d->domain;
	const struct windows *ws = &domain->windows;
	uint64_t granule = addr >> domain->shift;
	unsigned int index = granule % WINDOW_GRANULES;
	struct shard *s;
	struct window *w;

	if ((unsigned int)dir > DMA_FROM_DEVICE || (attrs & DMA_ATTR_CC_SHARED) ||
	    size - 1 > ws->granule_mask - (addr & ws->granule_mask))
		return false;
	s = small_shard(domain);
	w = quick_window(d, s, granule);
	if (!w)
		return false;
	if (!(window_ends_of(w, index / 64) >> index % 64 & 1))
		return false;
	if (small_is_lazy(domain) && window_lazy_of(w))
		return quick_end_lazily(d, w, index);
	if (!quick_win(d, s, w, index))
		return false;
	small_forget(domain, s, addr & ~ws->granule_mask, ws->granule_mask + 1);
	small_give_back(domain, w, &w->word[index / 64], (uint64_t)1 << index % 64);
	return true;
}

#pragma GCC visibility pop

#endif
