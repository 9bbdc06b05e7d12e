/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One range, directly: translate, check, else bounce; and its cache maintenance in the order that keeps data right:
 * copy in, then clean; invalidate, then copy back, then release (docs/semantics.md, "Direct route").
 */
#include "base/host.h"
#include "bounce/pool.h"
#include "direct.h"

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

/** Say once a device and cause that it cannot use memory; NO_WARN callers know. */
static void warn_unusable(struct dma_device *dev, unsigned long attrs, const struct dma_error *why)
{
	bool small = why->reason == DMA_REASON_SMALL_BUFFER;

	if (!(attrs & DMA_ATTR_NO_WARN) &&
	    dev_once(dmamap_dev(dev), small ? ONCE_SMALL_BUFFER : ONCE_OVERFLOW))
		dmamap_warn(dev_host(dev), dev,
			    small ? "a small buffer needs a bounce pool" : "DMA address overflow",
			    why);
}

static dma_addr_t map_bounced(struct dma_device *dev, phys_addr_t phys, size_t size,
			      unsigned int how, enum dma_data_direction dir, unsigned long attrs,
			      struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	phys_addr_t copy = dmamap_bounce_map(dev, phys, size, 0, how, why);
	dma_addr_t addr;

	if (copy == DMAMAP_PHYS_NONE)
		return DMA_MAPPING_ERROR;
	if (!dmamap_dev_to_dma(dev, copy, true, &addr)) {
		dmamap_bounce_unmap(dev, copy, size, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC, why);
		return fail_map(why, dev, DMA_REASON_BOUNCE_UNREACHABLE, phys, size);
	}
	if (!d->coherent && !(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		dmamap_cache_for_device(d->host, copy, size, dir);
	dev_bounced_begin(d);
	return addr;
}

/** Why must the memory bounce, unless it may not? NONE: the device has it at *@addr. */
static enum dma_reason place(const struct dma_device *dev, phys_addr_t phys, uint64_t size,
			     enum dma_data_direction dir, unsigned long attrs, dma_addr_t *addr)
{
	bool shared = (attrs & DMA_ATTR_CC_SHARED) ||
		      ((attrs & DMA_ATTR_MMIO) && dev_host(dev)->encrypts_memory);
	enum dma_reason reason = dmamap_direct_reach(dev, phys, size, shared, addr);

	if (reason == DMA_REASON_NONE && !(attrs & DMA_ATTR_MMIO) &&
	    dmamap_dev_small_buffer(dev, size, dir))
		return DMA_REASON_SMALL_BUFFER;
	return reason;
}

/** Shared memory stays where it is, unless it is its size that is wrong. */
static bool may_bounce(const struct dma_device *dev, enum dma_reason reason, unsigned long attrs)
{
	if (attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT))
		return false;
	return dmamap_dev(dev)->bounce &&
	       (!(attrs & DMA_ATTR_CC_SHARED) || reason == DMA_REASON_SMALL_BUFFER);
}

static dma_addr_t refuse_forced(struct dma_device *dev, phys_addr_t phys, size_t size,
				unsigned long attrs, struct dma_error *why)
{
	return fail_map(why, dev,
			attrs & DMA_ATTR_MMIO ? DMA_REASON_MMIO_CANNOT_BOUNCE
					      : DMA_REASON_COHERENT_CANNOT_BOUNCE,
			phys, size);
}

static dma_addr_t refuse_place(struct dma_device *dev, phys_addr_t phys, size_t size,
			       enum dma_reason reason, unsigned long attrs, struct dma_error *why)
{
	if (attrs & DMA_ATTR_REQUIRE_COHERENT && !(attrs & DMA_ATTR_MMIO))
		reason = DMA_REASON_COHERENT_CANNOT_BOUNCE;
	fail_map(why, dev, reason, phys, size);
	warn_unusable(dev, attrs, why);
	return DMA_MAPPING_ERROR;
}

dma_addr_t dmamap_direct_map_issue(struct dma_device *dev, phys_addr_t phys, size_t size,
				   enum dma_data_direction dir, unsigned long attrs,
				   struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	bool forced = dev_must_bounce(d) && !(attrs & DMA_ATTR_CC_SHARED);
	enum dma_reason reason;
	dma_addr_t addr;

	if (forced) {
		if (attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT))
			return refuse_forced(dev, phys, size, attrs, why);
	} else {
		reason = place(dev, phys, size, dir, attrs, &addr);
		if (reason == DMA_REASON_NONE) {
			if (!d->coherent && !(attrs & DIRECT_NO_MAINTENANCE))
				dmamap_cache_for_device(d->host, phys, size, dir);
			return addr;
		}
		if (!may_bounce(dev, reason, attrs))
			return refuse_place(dev, phys, size, reason, attrs, why);
	}
	return map_bounced(dev, phys, size, forced ? BOUNCE_FORCED : 0, dir, attrs, why);
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
	switch (dmamap_bounce_unmap_any(dev, phys, size, dir, attrs, why)) {
	case BOUNCE_FOREIGN:
		return true;
	case BOUNCE_UNMAPPED:
		dev_bounced_end(d);
		return true;
	default:
		return false;
	}
}
