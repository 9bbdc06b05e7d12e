/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks every public call begins with, and the way it ends; see map.h.
 */
#include "map.h"

/** Shared memory is the direct route's alone, MMIO needs the platform's opt-in. */
static bool arch_may_ask(const struct dma_host *host, unsigned long attrs)
{
	return !(attrs & DMA_ATTR_CC_SHARED) &&
	       (!(attrs & DMA_ATTR_MMIO) || host->arch_direct_mmio);
}

bool dmamap_arch_map_direct(struct dma_device *dev, phys_addr_t end, unsigned long attrs)
{
	struct dma_host *host = dev_host(dev);

	if (!host->arch_map_direct || !arch_may_ask(host, attrs))
		return false;
	return host->arch_map_direct(host, dev, end);
}

bool dmamap_arch_unmap_direct(struct dma_device *dev, dma_addr_t end, unsigned long attrs)
{
	struct dma_host *host = dev_host(dev);

	if (!host->arch_unmap_direct || !arch_may_ask(host, attrs))
		return false;
	return host->arch_unmap_direct(host, dev, end);
}

enum dma_route dmamap_route_of_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
				  bool mapped)
{
	struct dma_host *host = dev_host(dev);
	bool (*direct)(struct dma_host *, struct dma_device *, struct scatterlist *, int) =
		mapped ? host->arch_unmap_sg_direct : host->arch_map_sg_direct;
	enum dma_route route = dmamap_dev(dev)->route;

	return route == DMA_ROUTE_OPS && direct && direct(host, dev, sg, nents) ? DMA_ROUTE_ARCH
										: route;
}

void dmamap_refuse_dir(struct dma_device *dev, uint64_t addr, uint64_t size, struct dma_error *why)
{
	fail_range(why, dev, DMA_REASON_BAD_DIRECTION, -DMAMAP_EINVAL, addr, size);
	dmamap_fatal(dev_host(dev), dev, "invalid DMA direction", why);
}

void dmamap_refuse_range(const struct dma_device *dev, uint64_t addr, uint64_t size,
			 struct dma_error *why)
{
	fail_range(why, dev, size ? DMA_REASON_ADDRESS_WRAP : DMA_REASON_ZERO_SIZE, -DMAMAP_EINVAL,
		   addr, size);
}

void dmamap_refuse_mask(struct dma_device *dev, uint64_t addr, uint64_t size, struct dma_error *why)
{
	fail_range(why, dev, DMA_REASON_NO_MASK, -DMAMAP_EIO, addr, size);
	if (dev_once(dmamap_dev(dev), ONCE_NO_MASK))
		dmamap_warn(dev_host(dev), dev, "mapping for a device without a DMA mask", why);
}

void dmamap_finish(struct dma_event *event, enum dma_route route, struct dma_error *why,
		   bool silent)
{
	struct dma_device *dev = event->dev;

	event->route = route;
	event->kernel_silent = silent;
	if (why && why->reason != DMA_REASON_NONE) {
		dmamap_record(dev, route, why);
		event->reason = why->reason;
		event->err = why->err;
	}
	if (observed(dev))
		dmamap_report(dev_host(dev), event);
}

void dmamap_misuse(struct dma_device *dev, enum dma_route route, const char *what,
		   struct dma_error *why)
{
	why->route = route;
	if (why->reason != DMA_REASON_BAD_DIRECTION && why->reason != DMA_REASON_NO_MASK)
		dmamap_warn(dev_host(dev), dev, what, why);
}
