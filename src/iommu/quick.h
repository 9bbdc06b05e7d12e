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

/** What quick_map() leaves: more than one granule, other attributes, another window. As quick_map(). */
dma_addr_t dmamap_iommu_quick_map(struct dmamap_dev *d, phys_addr_t phys, size_t size,
				  enum dma_data_direction dir, unsigned long attrs);
bool dmamap_iommu_quick_unmap(struct dmamap_dev *d, dma_addr_t addr, size_t size,
			      enum dma_data_direction dir, unsigned long attrs);

/**
 * Map, for a device that is quick and a call that nobody observes. DMA_MAPPING_ERROR where there is anything else to it
 * than entries: nothing has happened then, and the long way follows.
 */
static inline dma_addr_t quick_map(struct dmamap_dev *d, phys_addr_t phys, size_t size,
				   enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_domain *domain = d->domain;
	uint64_t mask = granule_size(domain) - 1;
	uint64_t offset = phys & mask;
	unsigned int index = 0;
	struct window *w;
	struct span span;
	unsigned int l = __atomic_load_n(&d->quick_index, __ATOMIC_RELAXED);
	uint64_t bits;

	if ((unsigned int)dir > DMA_FROM_DEVICE || (attrs & QUICK_ATTRS) ||
	    size - 1 > mask - offset || dev_min_align(d) > mask ||
	    !small_reaches(domain, phys - offset, mask + 1))
		return dmamap_iommu_quick_map(d, phys, size, dir, attrs);
	bits = d->quick_bits[dir];
	w = bits ? small_take_here(d, 1, 0, l, &index) : NULL;
	if (!w)
		return dmamap_iommu_quick_map(d, phys, size, dir, attrs);
	span = (struct span){ w, index, 1 };
	__atomic_store_n(&w->entries[index], (phys - offset) >> domain->windows.phys_shift | bits,
			 __ATOMIC_RELAXED);
	if (small_publish(d, span))
		return DMA_MAPPING_ERROR;
	return span_address(domain, span) + offset;
}

/** Unmap, likewise; false where the long way has to follow. */
static inline bool quick_unmap(struct dmamap_dev *d, dma_addr_t addr, size_t size,
			       enum dma_data_direction dir, unsigned long attrs)
{
	uint64_t mask = granule_size(d->domain) - 1;
	uint64_t offset = addr & mask;

	if ((unsigned int)dir > DMA_FROM_DEVICE || (attrs & DMA_ATTR_CC_SHARED))
		return false;
	if (size - 1 > mask - offset)
		return dmamap_iommu_quick_unmap(d, addr, size, dir, attrs);
	return small_unmap(d, addr - offset, 1, false) == SMALL_DONE;
}

#pragma GCC visibility pop

#endif
