/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that see nothing but their pool: coherent memory comes from it too, and there is no other source. The pool
 * is shared memory already where devices reach only that, so nothing is converted. What is given back is scrubbed by
 * the pool.
 */
#include "restricted.h"

#include "base/host.h"
#include "bounce/pool.h"
#include "direct.h"

/* A block that the device reaches as coherent memory. */
static phys_addr_t take(struct dma_device *dev, uint64_t size, dma_addr_t *handle,
			struct dma_error *why)
{
	phys_addr_t phys = dmamap_bounce_alloc(dev, size, why);
	enum dma_reason reason;

	if (phys == DMAMAP_PHYS_NONE)
		return phys;
	reason = dmamap_direct_coherent_reach(dev, phys, size, handle);
	if (reason == DMA_REASON_NONE)
		return phys;
	dmamap_bounce_free(dev, phys);
	fail_range(why, dev, reason, -DMAMAP_ENOMEM, phys, size);
	why->mask = dmamap_dev(dev)->coherent_mask;
	return DMAMAP_PHYS_NONE;
}

/* The CPU's view that both sides see alike. */
static void *open_view(struct dma_device *dev, phys_addr_t phys, uint64_t size)
{
	struct dma_host *host = dev_host(dev);

	if (dmamap_dev(dev)->coherent)
		return host->phys_to_virt(host, phys);
	if (host->cache_prepare_coherent)
		host->cache_prepare_coherent(host, phys, size);
	return host->map_uncached ? host->map_uncached(host, phys, size) : NULL;
}

void *dmamap_restricted_alloc(struct dma_device *dev, uint64_t size, bool cookie,
			      dma_addr_t *handle, struct dma_error *why)
{
	phys_addr_t phys = take(dev, size, handle, why);
	void *ptr;

	if (phys == DMAMAP_PHYS_NONE)
		return NULL;
	if (cookie) {
		dev_live_add(dmamap_dev(dev), 1);
		return dmamap_phys_to_page(phys);
	}
	ptr = open_view(dev, phys, size);
	if (!ptr) {
		dmamap_bounce_free(dev, phys);
		fail_range(why, dev, DMA_REASON_NO_UNCACHED, -DMAMAP_ENOMEM, phys, size);
		return NULL;
	}
	memset(ptr, 0, size);
	dev_live_add(dmamap_dev(dev), 1);
	return ptr;
}

bool dmamap_restricted_free(struct dma_device *dev, uint64_t size, bool cookie, void *ptr,
			    dma_addr_t handle, phys_addr_t phys, struct dma_error *why)
{
	struct dma_host *host = dev_host(dev);

	/* The view ends first: the block may be somebody else's as soon as it is free. */
	if (dmamap_bounce_holds_block(dev, phys, size) && !cookie && !dmamap_dev(dev)->coherent &&
	    host->unmap_uncached)
		host->unmap_uncached(host, ptr, phys, size);
	return dmamap_restricted_free_pages(dev, size, handle, phys, why);
}

phys_addr_t dmamap_restricted_alloc_pages(struct dma_device *dev, uint64_t size, dma_addr_t *handle,
					  struct dma_error *why)
{
	phys_addr_t phys = take(dev, size, handle, why);

	if (phys == DMAMAP_PHYS_NONE)
		return phys;
	memset(dev_host(dev)->phys_to_virt(dev_host(dev), phys), 0, size);
	dev_live_add(dmamap_dev(dev), 1);
	return phys;
}

bool dmamap_restricted_free_pages(struct dma_device *dev, uint64_t size, dma_addr_t handle,
				  phys_addr_t phys, struct dma_error *why)
{
	if (!dmamap_bounce_holds_block(dev, phys, size) || !dmamap_bounce_free(dev, phys)) {
		fail_range(why, dev, DMA_REASON_NOT_ALLOCATED, -DMAMAP_EINVAL, handle, size);
		return false;
	}
	dev_live_sub(dmamap_dev(dev), 1);
	return true;
}
