/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way of a small mapping, inline in the public calls: the device is trusted and coherent, nobody observes, and
 * the domain's windows serve it. What remains is a span, its entries, and one bit; an unmap is the same backwards.
 * Everything else, refusals above all, is left to the long way of map.c.
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

/** A list, for a device with quick_list: the number of segments; 0: sg.c has to do it. Any observer is told by sg.c. */
int dmamap_iommu_quick_map_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			      enum dma_data_direction dir, unsigned long attrs);
/** True: it was mapped so, and *@size bytes of I/O addresses are not any more. */
bool dmamap_iommu_quick_unmap_sg(struct dma_device *dev, struct scatterlist *sgl, int nents,
				 uint64_t *size);

/**
 * Map at most a granule, for a device that is quick and a call that nobody observes. DMA_MAPPING_ERROR where there is
 * anything else to it than an entry: nothing has happened then, and dmamap_iommu_quick_map() may know. Calls nothing.
 */
static inline dma_addr_t quick_map(struct dmamap_dev *d, phys_addr_t phys, size_t size,
				   enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_domain *domain = d->domain;
	uint64_t mask = granule_size(domain) - 1;
	uint64_t offset = phys & mask;
	unsigned int l = __atomic_load_n(&d->quick_index, __ATOMIC_RELAXED);
	unsigned int index;
	struct window *w;

	if ((unsigned int)dir > DMA_FROM_DEVICE || (attrs & QUICK_ATTRS) ||
	    size - 1 > mask - offset || dev_min_align(d) > mask || domain->windows.sync ||
	    !d->quick_bits[dir] || !small_reaches(domain, phys - offset, mask + 1))
		return DMA_MAPPING_ERROR;
	w = small_take_here(d, 1, 0, l, &index);
	if (!w)
		return DMA_MAPPING_ERROR;
	__atomic_store_n(&w->entries[index],
			 (phys - offset) >> domain->windows.phys_shift | d->quick_bits[dir],
			 __ATOMIC_RELAXED);
	__atomic_fetch_or(&w->heads[index / 64], (uint64_t)1 << index % 64, __ATOMIC_RELEASE);
	return ((window_first(w) + index) << domain->shift) + offset;
}

/** The window of @granule: where the shard of the caller allocates, or by the index. */
static inline struct window *quick_window(const struct dmamap_dev *d, const struct shard *s,
					  uint64_t granule)
{
	unsigned int l = __atomic_load_n(&d->quick_index, __ATOMIC_RELAXED);
	struct window *w;

	w = l < WINDOW_LIMITS ? __atomic_load_n(&s->current[l], __ATOMIC_ACQUIRE) : NULL;
	if (!w || w->block != granule / WINDOW_GRANULES)
		w = window_find(&d->domain->windows.index, granule);
	return w;
}

/** Unmap, likewise: false where dmamap_iommu_quick_unmap() may know. Nothing that it calls does much. */
static inline bool quick_unmap(struct dmamap_dev *d, dma_addr_t addr, size_t size,
			       enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_domain *domain = d->domain;
	const struct windows *ws = &domain->windows;
	uint64_t mask = granule_size(domain) - 1;
	uint64_t granule = addr >> domain->shift;
	unsigned int index = granule % WINDOW_GRANULES;
	unsigned int bit = index % 64;
	dma_ctx_state state;
	uint32_t number = ctx_number_or_0(dma_ctx_enter(domain->host, &state));
	struct shard *s = windows_shard(ws, number);
	struct window *w;
	bool lazy;

	dma_ctx_leave(domain->host, state);
	if ((unsigned int)dir > DMA_FROM_DEVICE || (attrs & DMA_ATTR_CC_SHARED) ||
	    size - 1 > mask - (addr & mask) || !ws->snoops || !number)
		return false;
	w = quick_window(d, s, granule);
	if (!w || !(window_ends_of(w, index / 64) >> bit & 1))
		return false;
	lazy = window_lazy_of(w) && small_is_lazy(domain);
	if (lazy && __atomic_load_n(&s->waiting, __ATOMIC_RELAXED) >= domain->queue_size - 1)
		return false;
	if (!(__atomic_fetch_and(&w->heads[index / 64], ~((uint64_t)1 << bit), __ATOMIC_ACQ_REL) &
	      (uint64_t)1 << bit))
		return false;
	small_end(d, s, (struct span){ w, index, 1 }, lazy);
	return true;
}

#pragma GCC visibility pop

#endif
