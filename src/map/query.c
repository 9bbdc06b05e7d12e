/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capability queries (docs/semantics.md, "Capability queries"): answers follow from the cached routes.
 */
#include <dmamap/inline.h>

#include "bounce/pool.h"
#include "direct/direct.h"
#include "iommu/iommu.h"
#include "map.h"

uint64_t dmamap_get_required_mask(struct dma_device *dev)
{
	const struct dmamap_dev *d = dmamap_dev(dev);

	if (d->alloc_route == DMA_ROUTE_DIRECT)
		return dmamap_direct_required_mask(dev);
	if (d->alloc_route == DMA_ROUTE_OPS && d->ops->get_required_mask)
		return d->ops->get_required_mask(dev);
	return DMA_BIT_MASK(32);
}

bool dmamap_addressing_limited(struct dma_device *dev)
{
	const struct dmamap_dev *d = dmamap_dev(dev);

	if (min_not_zero(dmamap_get_mask(dev), d->bus_limit) < dmamap_get_required_mask(dev))
		return true;
	return !d->ops && (!d->domain || d->identity) && !dmamap_direct_covers_ram(dev);
}

static size_t direct_max_mapping_size(struct dma_device *dev)
{
	const struct dmamap_dev *d = dmamap_dev(dev);

	if (d->bounce &&
	    (dmamap_addressing_limited(dev) || dev_must_bounce(d) || dev_needs_shared(dev)))
		return dmamap_bounce_max_size(dev);
	return SIZE_MAX;
}

size_t dmamap_max_mapping_size(struct dma_device *dev)
{
	const struct dmamap_dev *d = dmamap_dev(dev);

	switch (d->route) {
	case DMA_ROUTE_DIRECT:
		return direct_max_mapping_size(dev);
	case DMA_ROUTE_IOMMU:
		return d->untrusted && d->bounce ? dmamap_bounce_max_size(dev) : SIZE_MAX;
	case DMA_ROUTE_OPS:
		return d->ops->max_mapping_size ? d->ops->max_mapping_size(dev) : SIZE_MAX;
	default:
		return 0;
	}
}

size_t dmamap_opt_mapping_size(struct dma_device *dev)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	size_t best = SIZE_MAX;

	if (d->route == DMA_ROUTE_IOMMU)
		best = d->host->page_size << 5;
	else if (d->route == DMA_ROUTE_OPS && d->ops->opt_mapping_size)
		best = d->ops->opt_mapping_size();
	return min_u64(best, dmamap_max_mapping_size(dev));
}

uint64_t dmamap_get_merge_boundary(struct dma_device *dev)
{
	const struct dmamap_dev *d = dmamap_dev(dev);

	if (d->route == DMA_ROUTE_IOMMU)
		return dmamap_iommu_granule_mask(dev);
	if (d->route == DMA_ROUTE_OPS && d->ops->get_merge_boundary)
		return d->ops->get_merge_boundary(dev);
	return 0;
}

bool dmamap_need_sync(struct dma_device *dev, dma_addr_t addr)
{
	if (!dmamap_dev_need_sync(dev))
		return false;
	return dmamap_dev(dev)->route != DMA_ROUTE_DIRECT || dmamap_direct_need_sync(dev, addr);
}

bool dmamap_need_unmap(struct dma_device *dev)
{
	const struct dmamap_dev *d = dmamap_dev(dev);

	return d->route != DMA_ROUTE_DIRECT || dmamap_dev_need_sync(dev);
}

bool dmamap_pci_p2pdma_supported(struct dma_device *dev)
{
	return !dmamap_dev(dev)->ops;
}
