/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One range, directly: translate, check, else bounce; and its cache maintenance in the order that keeps data right:
 * copy in, then clean; invalidate, then copy back, then release (docs/semantics.md, "Direct route").
 */
#include "base/host.h"
#include "bounce/pool.h"
#include "direct.h"

/** No cache maintenance with any of these. */
#define NO_MAINTENANCE (DMA_ATTR_MMIO | DMA_ATTR_SKIP_CPU_SYNC)

enum dma_reason dmamap_direct_reach(const struct dma_device *dev, phys_addr_t phys, uint64_t size,
				    bool shared, dma_addr_t *addr)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t mask = dev_mask(d);
	dma_addr_t last;

	if (!dmamap_dev_range_to_dma(dev, phys, size, shared, addr))
		return DMA_REASON_OUTSIDE_RANGE_MAP;
	if (!shared && dev_needs_shared(dev))
		return DMA_REASON_NEEDS_SHARED;
	last = *addr + (size - 1);
	if (last < *addr || last == DMA_MAPPING_ERROR)
		return DMA_REASON_BEYOND_MASK;
	if (last <= dev_limit(d))
		return DMA_REASON_NONE;
	/* a mask of 0 says nothing where the bus has a limit */
	return last > mask && (mask || !d->bus_limit) ? DMA_REASON_BEYOND_MASK
						      : DMA_REASON_BEYOND_BUS_LIMIT;
}

/** Say once a device that it cannot reach memory; NO_WARN callers know. */
static void warn_overflow(struct dma_device *dev, unsigned long attrs, const struct dma_error *why)
{
	if (!(attrs & DMA_ATTR_NO_WARN) && dev_once(dmamap_dev(dev), ONCE_OVERFLOW))
		dmamap_warn(dev_host(dev), dev, "DMA address overflow", why);
}

static dma_addr_t map_bounced(struct dma_device *dev, phys_addr_t phys, size_t size, bool forced,
			      enum dma_data_direction dir, unsigned long attrs,
			      struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	phys_addr_t copy = dmamap_bounce_map(dev, phys, size, 0, false, forced, dir, attrs, why);
	dma_addr_t addr;

	if (copy == DMAMAP_PHYS_NONE)
		return DMA_MAPPING_ERROR;
	if (!dmamap_dev_to_dma(dev, copy, true, &addr)) {
		dmamap_bounce_unmap(dev, copy, size, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC, why);
		return fail_map(why, dev, DMA_REASON_BOUNCE_UNREACHABLE, phys, size);
	}
	if (!d->coherent && !(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		dmamap_cache_for_device(d->host, copy, size, dir);
	dev_live_add(d, 1);
	return addr;
}

static dma_addr_t map_forced(struct dma_device *dev, phys_addr_t phys, size_t size,
			     enum dma_data_direction dir, unsigned long attrs,
			     struct dma_error *why)
{
	if (attrs & DMA_ATTR_MMIO)
		return fail_map(why, dev, DMA_REASON_MMIO_CANNOT_BOUNCE, phys, size);
	if (attrs & DMA_ATTR_REQUIRE_COHERENT)
		return fail_map(why, dev, DMA_REASON_COHERENT_CANNOT_BOUNCE, phys, size);
	return map_bounced(dev, phys, size, true, dir, attrs, why);
}

/** What to do with RAM that the device cannot use where it is. */
static dma_addr_t map_unreachable(struct dma_device *dev, phys_addr_t phys, size_t size,
				  enum dma_reason reason, enum dma_data_direction dir,
				  unsigned long attrs, struct dma_error *why)
{
	bool may_bounce =
		!(attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT | DMA_ATTR_CC_SHARED));

	if (may_bounce && dmamap_dev(dev)->bounce)
		return map_bounced(dev, phys, size, false, dir, attrs, why);
	if (attrs & DMA_ATTR_REQUIRE_COHERENT && !(attrs & DMA_ATTR_MMIO))
		reason = DMA_REASON_COHERENT_CANNOT_BOUNCE;
	fail_map(why, dev, reason, phys, size);
	warn_overflow(dev, attrs, why);
	return DMA_MAPPING_ERROR;
}

dma_addr_t dmamap_direct_map_issue(struct dma_device *dev, phys_addr_t phys, size_t size,
				   enum dma_data_direction dir, unsigned long attrs,
				   struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	enum dma_reason reason;
	bool shared;
	dma_addr_t addr;

	if (dev_must_bounce(d) && !(attrs & DMA_ATTR_CC_SHARED))
		return map_forced(dev, phys, size, dir, attrs, why);
	shared = (attrs & DMA_ATTR_CC_SHARED) ||
		 ((attrs & DMA_ATTR_MMIO) && d->host->encrypts_memory);
	reason = dmamap_direct_reach(dev, phys, size, shared, &addr);
	if (reason != DMA_REASON_NONE)
		return map_unreachable(dev, phys, size, reason, dir, attrs, why);
	if (!d->coherent && !(attrs & NO_MAINTENANCE))
		dmamap_cache_for_device(d->host, phys, size, dir);
	return addr;
}

void dmamap_direct_map_wait(struct dma_device *dev, unsigned long attrs)
{
	if (!dmamap_dev(dev)->coherent && !(attrs & NO_MAINTENANCE))
		dmamap_cache_flush(dev_host(dev));
}

dma_addr_t dmamap_direct_map(struct dma_device *dev, phys_addr_t phys, size_t size,
			     enum dma_data_direction dir, unsigned long attrs,
			     struct dma_error *why)
{
	dma_addr_t addr = dmamap_direct_map_issue(dev, phys, size, dir, attrs, why);

	if (addr != DMA_MAPPING_ERROR)
		dmamap_direct_map_wait(dev, attrs);
	return addr;
}

bool dmamap_direct_unmap(struct dma_device *dev, dma_addr_t addr, size_t size,
			 enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	phys_addr_t phys;

	if (attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT))
		return true;
	if (!dmamap_dev_to_phys(dev, addr, &phys)) {
		fail_range(why, dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, addr, size);
		return false;
	}
	if (!d->coherent && !(attrs & DMA_ATTR_SKIP_CPU_SYNC)) {
		dmamap_cache_for_cpu(d->host, phys, size, dir);
		dmamap_cache_cpu_done(d->host);
	}
	if (!dmamap_bounce_owns(dev, phys))
		return true;
	if (!dmamap_bounce_unmap(dev, phys, size, dir, attrs, why))
		return false;
	dev_live_sub(d, 1);
	return true;
}
