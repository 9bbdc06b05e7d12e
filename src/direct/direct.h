/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The direct route: a device's address is the physical one, through the bus's windows; what it cannot reach is bounced.
 *
 * MMIO takes the same translation and the same check, and never more: no bounce, no cache maintenance. Functions that
 * can refuse fill in *@why. Nothing here traces; that is map/'s.
 */
#ifndef DMAMAP_DIRECT_H
#define DMAMAP_DIRECT_H

#include "base/fail.h"
#include "base/host.h"

#pragma GCC visibility push(hidden)

/**
 * Could @dev use [phys, phys + size) as it is? NONE and *@addr, or the reason why not. @shared: the shared form of the
 * address counts as reachable by a device that needs it.
 */
enum dma_reason dmamap_direct_reach(const struct dma_device *dev, phys_addr_t phys, uint64_t size,
				    bool shared, dma_addr_t *addr);

/** No cache maintenance with any of these. */
#define DIRECT_NO_MAINTENANCE (DMA_ATTR_MMIO | DMA_ATTR_SKIP_CPU_SYNC)

/** Map in two steps, so that a list waits once: issue the cache maintenance, then wait for it. */
dma_addr_t dmamap_direct_map_issue(struct dma_device *dev, phys_addr_t phys, size_t size,
				   enum dma_data_direction dir, unsigned long attrs,
				   struct dma_error *why);

static inline void dmamap_direct_map_wait(struct dma_device *dev, unsigned long attrs)
{
	if (!dmamap_dev(dev)->coherent && !(attrs & DIRECT_NO_MAINTENANCE))
		dmamap_cache_flush(dev_host(dev));
}

/** false and *@why if the address was not mapped. */
bool dmamap_direct_unmap(struct dma_device *dev, dma_addr_t addr, size_t size,
			 enum dma_data_direction dir, unsigned long attrs, struct dma_error *why);

/** @nents, or -errno and *@why. */
int dmamap_direct_map_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			 enum dma_data_direction dir, unsigned long attrs, struct dma_error *why);
bool dmamap_direct_unmap_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			    enum dma_data_direction dir, unsigned long attrs,
			    struct dma_error *why);

bool dmamap_direct_sync_for_cpu(struct dma_device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir, struct dma_error *why);
bool dmamap_direct_sync_for_device(struct dma_device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir, struct dma_error *why);
bool dmamap_direct_sync_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			   enum dma_data_direction dir, bool for_cpu, struct dma_error *why);

void *dmamap_direct_alloc(struct dma_device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
			  unsigned long attrs, struct dma_error *why);
/** False and *@why (not-allocated) if the address and the handle do not belong together. */
bool dmamap_direct_free(struct dma_device *dev, size_t size, void *cpu_addr, dma_addr_t handle,
			unsigned long attrs, struct dma_error *why);

/** Pages (@size is whole ones) in the CPU's ordinary view, zeroed, counted as live. DMAMAP_PHYS_NONE and *@why. */
phys_addr_t dmamap_direct_alloc_pages(struct dma_device *dev, uint64_t size, dma_addr_t *handle,
				      gfp_t gfp, struct dma_error *why);
bool dmamap_direct_free_pages(struct dma_device *dev, uint64_t size, phys_addr_t phys,
			      dma_addr_t handle, struct dma_error *why);

/** A block of the host's that the device reaches; content undefined. DMAMAP_PHYS_NONE and *@why. */
phys_addr_t dmamap_direct_take(struct dma_device *dev, uint64_t size, gfp_t gfp, dma_addr_t *handle,
			       struct dma_error *why);
/** NONE and *@handle if the device can use the range for coherent memory. */
enum dma_reason dmamap_direct_coherent_reach(const struct dma_device *dev, phys_addr_t phys,
					     uint64_t size, dma_addr_t *handle);

uint64_t dmamap_direct_required_mask(const struct dma_device *dev);
/**
 * NONE if a device with @mask can do DMA here, else why not: mask-misses-window, limit-misses-window, no-ram-in-window or
 * mask-unsupported. *@lowest: the lowest DMA address at which it sees RAM, 0 if it sees none.
 */
enum dma_reason dmamap_direct_check_mask(const struct dma_device *dev, uint64_t mask,
					 dma_addr_t *lowest);
/** Does the range map cover all RAM? */
bool dmamap_direct_covers_ram(const struct dma_device *dev);
bool dmamap_direct_need_sync(const struct dma_device *dev, dma_addr_t addr);

static inline bool dev_must_bounce(const struct dmamap_dev *d)
{
	return d->force_bounce || d->host->force_bounce;
}

#pragma GCC visibility pop

#endif
