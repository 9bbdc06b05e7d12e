/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sync: hand bytes of a live mapping to the CPU or to the device, by the route that mapped them.
 */
#include <dmamap/mapping.h>

#include "direct/direct.h"
#include "iommu/iommu.h"
#include "map.h"

static void ops_sync(struct dma_device *dev, dma_addr_t addr, size_t size,
		     enum dma_data_direction dir, bool for_cpu)
{
	const struct dma_map_ops *ops = dmamap_dev(dev)->ops;

	if (for_cpu && ops->sync_single_for_cpu)
		ops->sync_single_for_cpu(dev, addr, size, dir);
	else if (!for_cpu && ops->sync_single_for_device)
		ops->sync_single_for_device(dev, addr, size, dir);
}

static void ops_sync_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			enum dma_data_direction dir, bool for_cpu)
{
	const struct dma_map_ops *ops = dmamap_dev(dev)->ops;

	if (for_cpu && ops->sync_sg_for_cpu)
		ops->sync_sg_for_cpu(dev, sg, nents, dir);
	else if (!for_cpu && ops->sync_sg_for_device)
		ops->sync_sg_for_device(dev, sg, nents, dir);
}

/** Does nobody need this sync's effect? Then it is only recorded. */
static bool skipped(const struct dma_device *dev)
{
	return !(__atomic_load_n(&dev->flags, __ATOMIC_RELAXED) & DMAMAP_DEV_SLOW_SYNC);
}

static bool sync_by_route(struct dma_device *dev, enum dma_route route, dma_addr_t addr,
			  size_t size, enum dma_data_direction dir, bool for_cpu,
			  struct dma_error *why)
{
	if (route == DMA_ROUTE_IOMMU)
		return dmamap_iommu_sync(dev, addr, size, dir, for_cpu, why);
	if (route == DMA_ROUTE_OPS)
		ops_sync(dev, addr, size, dir, for_cpu);
	else if (for_cpu)
		return dmamap_direct_sync_for_cpu(dev, addr, size, dir, why);
	else
		return dmamap_direct_sync_for_device(dev, addr, size, dir, why);
	return true;
}

static void sync_single(struct dma_device *dev, dma_addr_t addr, size_t size,
			enum dma_data_direction dir, bool for_cpu)
{
	struct dma_error why = { .reason = DMA_REASON_NONE };
	struct dma_event event = { .dev = dev, .dma_addr = addr, .size = size, .dir = dir };
	enum dma_route route = dmamap_dev(dev)->route;
	bool skip = skipped(dev);
	bool ok = dmamap_check_dir(dev, dir, addr, size, &why) &&
		  dmamap_check_mask(dev, addr, size, &why) &&
		  dmamap_check_range(dev, addr, size, &why);

	if (ok) {
		route = route_of_address(dev, addr, size, 0);
		ok = skip || sync_by_route(dev, route, addr, size, dir, for_cpu, &why);
	}
	if (!ok)
		dmamap_misuse(dev, route, "sync of what is not mapped", &why);
	event.type = for_cpu ? DMA_EVENT_SYNC_SINGLE_FOR_CPU : DMA_EVENT_SYNC_SINGLE_FOR_DEVICE;
	dmamap_finish(&event, route, &why, skip);
}

void dmamap_sync_single_for_cpu(struct dma_device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir)
{
	sync_single(dev, addr, size, dir, true);
}

void dmamap_sync_single_for_device(struct dma_device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir)
{
	sync_single(dev, addr, size, dir, false);
}

static bool sync_sg_by_route(struct dma_device *dev, enum dma_route route, struct scatterlist *sg,
			     int nents, enum dma_data_direction dir, bool for_cpu,
			     struct dma_error *why)
{
	if (route == DMA_ROUTE_IOMMU)
		return dmamap_iommu_sync_sg(dev, sg, nents, dir, for_cpu, why);
	if (route_is_direct(route))
		return dmamap_direct_sync_sg(dev, sg, nents, dir, for_cpu, why);
	ops_sync_sg(dev, sg, nents, dir, for_cpu);
	return true;
}

static void sync_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
		    enum dma_data_direction dir, bool for_cpu)
{
	struct dma_error why = { .reason = DMA_REASON_NONE };
	struct dma_event event = {
		.dev = dev, .sgl = sg, .nents = nents > 0 ? (unsigned int)nents : 0, .dir = dir
	};
	enum dma_route route = dmamap_dev(dev)->route;
	bool skip = skipped(dev);
	bool ok = dmamap_check_dir(dev, dir, 0, 0, &why) && dmamap_check_mask(dev, 0, 0, &why);

	if (ok) {
		route = dmamap_route_of_sg(dev, sg, nents, true);
		ok = skip || sync_sg_by_route(dev, route, sg, nents, dir, for_cpu, &why);
	}
	if (!ok)
		dmamap_misuse(dev, route, "sync of a list that is not mapped", &why);
	event.type = for_cpu ? DMA_EVENT_SYNC_SG_FOR_CPU : DMA_EVENT_SYNC_SG_FOR_DEVICE;
	dmamap_finish(&event, route, &why, skip);
}

void dmamap_sync_sg_for_cpu(struct dma_device *dev, struct scatterlist *sg, int nents,
			    enum dma_data_direction dir)
{
	sync_sg(dev, sg, nents, dir, true);
}

void dmamap_sync_sg_for_device(struct dma_device *dev, struct scatterlist *sg, int nents,
			       enum dma_data_direction dir)
{
	sync_sg(dev, sg, nents, dir, false);
}
