/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The less short ways of a small mapping: quick.h. Here are ranges of several granules or larger leaves, all attributes,
 * and shards that have to look further.
 */
#include "quick.h"

#include "iommu.h"
#include "quick_sg.h"

void dmamap_iommu_update_quick(struct dmamap_dev *d)
{
	d->quick_list = d->route == DMA_ROUTE_IOMMU && d->domain->windows.shards && d->coherent &&
			!d->untrusted;
	d->quick = QUICK_NOT;
	small_set_here(d, WINDOW_NOWHERE);
	d->quick_large = 0;
	if (!d->quick_list || d->host->sanitize)
		return;
	d->quick = QUICK_LESS;
	for (unsigned int i = 0; i < DMA_NONE; i++) {
		enum dma_data_direction dir = (enum dma_data_direction)i;

		d->quick_bits[i] = small_bits(d->domain, dmamap_iommu_prot(true, dir, 0));
		d->quick_mmio[i] =
			small_bits(d->domain, dmamap_iommu_prot(true, dir, DMA_ATTR_MMIO));
	}
	if (!d->domain->windows.sync && d->domain->windows.snoops &&
	    quick_sg_can_write(d->domain) && dev_min_align(d) <= d->domain->windows.granule_mask)
		d->quick = QUICK_ALL;
	dmamap_iommu_update_quick_sg(d);
}

/** The granules of [addr, addr + size). False: no bytes, or too many for it to be said. */
static bool widen(const struct dma_domain *domain, uint64_t addr, size_t size, struct granules *g)
{
	return size - 1 < ~(uint64_t)0 / 2 && granules_of(domain, addr, size, g);
}

static bool is_slow(enum dma_data_direction dir, unsigned long attrs)
{
	return (unsigned int)dir > DMA_FROM_DEVICE || (attrs & DMA_ATTR_CC_SHARED);
}

dma_addr_t dmamap_iommu_quick_map(struct dmamap_dev *d, phys_addr_t phys, size_t size,
				  enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_domain *domain = d->domain;
	uint64_t limit = small_limit(domain, d, dev_mask(d));
	struct granules g;
	struct span span;
	uint64_t bits;

	if (is_slow(dir, attrs) || !widen(domain, phys, size, &g) ||
	    dev_min_align(d) > granule_size(domain) - 1 || quick_waits(d))
		return DMA_MAPPING_ERROR;
	bits = small_bits(domain, dmamap_iommu_prot(true, dir, attrs));
	if (!bits || !small_reaches(domain, g.start, g.size) ||
	    !small_take_range(d, g.start, g.size, limit, &span, &bits))
		return DMA_MAPPING_ERROR;
	if (!small_still_reaches(d, g.start, g.size, span))
		return DMA_MAPPING_ERROR;
	if (span.window->scale)
		__atomic_fetch_or(&d->quick_large,
				  (uint8_t)(1u << (span.window->kind - WINDOW_KIND_LARGE(0))),
				  __ATOMIC_RELAXED);
	else
		small_set_here(d, small_limit_index(&domain->windows, limit));
	span_write(domain, span, 0, span.granules, g.start, bits);
	if (small_publish(d, span))
		return DMA_MAPPING_ERROR;
	return span_address(domain, span) + g.offset;
}

bool dmamap_iommu_quick_unmap(struct dmamap_dev *d, dma_addr_t addr, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_domain *domain = d->domain;
	struct granules g;

	return !is_slow(dir, attrs) && widen(domain, addr, size, &g) &&
	       dmamap_small_unmap(d, g.start, g.size >> domain->shift, false) == SMALL_DONE;
}
