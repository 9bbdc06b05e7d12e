/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the public calls share: choosing the route of one call, and ending it.
 *
 * One routing function serves map, unmap and sync, so that they can never disagree. Every call ends in one of the
 * functions below: the sanitizer (maps of RAM that succeeded), then the trace and whoever checks. A refusal is first
 * recorded as the caller's last error. docs/semantics.md, "Order of operation, sanitizer, trace and check".
 */
#ifndef DMAMAP_MAP_MAP_H
#define DMAMAP_MAP_MAP_H

#include <dmamap/ops.h>

#include "base/fail.h"
#include "base/host.h"
#include "observe/observe.h"

#pragma GCC visibility push(hidden)

/** May this address of a device with a method table go directly? @end: address + size. */
bool dmamap_arch_map_direct(struct dma_device *dev, phys_addr_t end, unsigned long attrs);
bool dmamap_arch_unmap_direct(struct dma_device *dev, dma_addr_t end, unsigned long attrs);

/** The route of a map of physical memory, and of an unmap or sync of a DMA address. */
static inline enum dma_route route_of_map(struct dma_device *dev, phys_addr_t phys, uint64_t size,
					  unsigned long attrs)
{
	enum dma_route route = dmamap_dev(dev)->route;

	return route == DMA_ROUTE_OPS && dmamap_arch_map_direct(dev, phys + size, attrs)
		       ? DMA_ROUTE_ARCH
		       : route;
}

static inline enum dma_route route_of_address(struct dma_device *dev, dma_addr_t addr,
					      uint64_t size, unsigned long attrs)
{
	enum dma_route route = dmamap_dev(dev)->route;

	return route == DMA_ROUTE_OPS && dmamap_arch_unmap_direct(dev, addr + size, attrs)
		       ? DMA_ROUTE_ARCH
		       : route;
}

/** The route of a list, to be mapped or @mapped already. */
enum dma_route dmamap_route_of_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
				  bool mapped);

static inline bool route_is_direct(enum dma_route route)
{
	return route == DMA_ROUTE_DIRECT || route == DMA_ROUTE_ARCH;
}

/** Are mappings more than the short ways of iommu/quick.h and quick_sg.h, or is there somebody who wants to see them? */
static inline bool has_long_way(const struct dma_device *dev)
{
	return (__atomic_load_n(&dev->flags, __ATOMIC_RELAXED) &
		(DMAMAP_DEV_LONG | DMAMAP_DEV_OBSERVED)) != 0;
}

/* The tails of the checks below: fill in *@why, and say so. */
void dmamap_refuse_dir(struct dma_device *dev, uint64_t addr, uint64_t size, struct dma_error *why);
void dmamap_refuse_range(const struct dma_device *dev, uint64_t addr, uint64_t size,
			 struct dma_error *why);
void dmamap_refuse_mask(struct dma_device *dev, uint64_t addr, uint64_t size,
			struct dma_error *why);

/** Is @dir one of the three? If not, the fatal hook is called, and if that returns, the call has failed: *@why. */
static inline bool dmamap_check_dir(struct dma_device *dev, enum dma_data_direction dir,
				    uint64_t addr, uint64_t size, struct dma_error *why)
{
	if ((unsigned int)dir <= DMA_FROM_DEVICE)
		return true;
	dmamap_refuse_dir(dev, addr, size, why);
	return false;
}

/** A size of 0 or a range that passes 2^64: false and *@why. */
static inline bool dmamap_check_range(const struct dma_device *dev, uint64_t addr, uint64_t size,
				      struct dma_error *why)
{
	if (size && !range_wraps(addr, size))
		return true;
	dmamap_refuse_range(dev, addr, size, why);
	return false;
}

/** The device has no mask: false, *@why, and one warning. */
static inline bool dmamap_check_mask(struct dma_device *dev, uint64_t addr, uint64_t size,
				     struct dma_error *why)
{
	if (dmamap_dev(dev)->mask)
		return true;
	dmamap_refuse_mask(dev, addr, size, why);
	return false;
}

/** May syncs be skipped? Coherent devices need none, nor do method tables without any sync method. */
bool dmamap_may_skip_sync(const struct dma_device *dev);

/** The first time that the function below is called for a device. */
void dmamap_first_seal(struct dma_device *dev);

/** The first direct mapping of a device may live from now on; arms the inline path. */
static inline void dmamap_seal(struct dma_device *dev)
{
	if (!__atomic_load_n(&dmamap_dev(dev)->sealed, __ATOMIC_RELAXED))
		dmamap_first_seal(dev);
}

/** The route of a device with this mask, as its other properties are now. */
enum dma_route dmamap_choose_route(const struct dma_device *dev, uint64_t mask);

/** Recompute the cached route, the flags and the inline path after a property changed. */
void dmamap_device_update(struct dma_device *dev);

/** Finish an event with what the caller knows, record a refusal, and report it. */
void dmamap_finish(struct dma_event *event, enum dma_route route, struct dma_error *why,
		   bool silent);

/** Warn about a misuse that was survived, unless the check that found it has done so. */
void dmamap_misuse(struct dma_device *dev, enum dma_route route, const char *what,
		   struct dma_error *why);

#pragma GCC visibility pop

#endif
