/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The less short ways of a small mapping: quick.h. Here are ranges of several granules, all attributes, and shards that
 * have to look further.
 */
#include "quick.h"

#include "iommu.h"
#include "quick_sg.h"

void dmamap_iommu_update_quick(struct dmamap_dev *d)
{
	d->quick_list = d->route == DMA_ROUTE_IOMMU && d->domain->windows.shards && d->coherent &&
			!d->untrusted;
	d->quick = QUICK_NOT;
	d->quick_index = WINDOW_LIMITS;
	if (!d->quick_list || d->host->sanitize)
		return;
	d->quick = QUICK_LESS;
	for (unsigned int dir = 0; dir < DMA_NONE; dir++)
		d->quick_bits[dir] = small_bits(
			d->domain, dmamap_iommu_prot(true, (enum dma_data_direction)dir, 0));
	if (!d->domain->windows.sync && d->domain->windows.snoops &&
	    dev_min_align(d) <= d->domain->windows.granule_mask)
		d->quick = QUICK_ALL;
	dmamap_iommu_update_quick_sg(d);
}

/** Granules of [addr, addr + size), or more than WINDOW_RUN. */
static uint64_t granules(const struct dma_domain *domain, uint64_t addr, size_t size)
{
	uint64_t mask = granule_size(domain) - 1;

	if (size - 1 >= (uint64_t)WINDOW_RUN << domain->shift) /* 0 too */
		return WINDOW_RUN + 1;
	return ((addr & mask) + size + mask) >> domain->shift;
}

static bool is_slow(enum dma_data_direction dir, unsigned long attrs)
{
	return (unsigned int)dir > DMA_FROM_DEVICE || (attrs & DMA_ATTR_CC_SHARED);
}

dma_addr_t dmamap_iommu_quick_map(struct dmamap_dev *d, phys_addr_t phys, size_t size,
				  enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_domain *domain = d->domain;
	uint64_t mask = granule_size(domain) - 1;
	uint64_t n = granules(domain, phys, size);
	uint64_t limit = small_limit(domain, d, dev_mask(d));
	struct span span;
	uint64_t bits;

	if (is_slow(dir, attrs) || n > WINDOW_RUN || dev_min_align(d) > mask || quick_waits(d))
		return DMA_MAPPING_ERROR;
	bits = small_bits(domain, dmamap_iommu_prot(true, dir, attrs));
	if (!bits || !small_reaches(domain, phys & ~mask, n << domain->shift) ||
	    !small_take(d, (unsigned int)n, limit, &span))
		return DMA_MAPPING_ERROR;
	__atomic_store_n(&d->quick_index, (uint8_t)small_limit_index(&domain->windows, limit),
			 __ATOMIC_RELAXED);
	span_write(domain, span, 0, span.granules, phys & ~mask, bits);
	if (small_publish(d, span))
		return DMA_MAPPING_ERROR;
	return span_address(domain, span) + (phys & mask);
}

bool dmamap_iommu_quick_unmap(struct dmamap_dev *d, dma_addr_t addr, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_domain *domain = d->domain;
	uint64_t n = granules(domain, addr, size);

	if (is_slow(dir, attrs) || n > WINDOW_RUN)
		return false;
	return dmamap_small_unmap(d, addr & ~(granule_size(domain) - 1), n, false) == SMALL_DONE;
}
