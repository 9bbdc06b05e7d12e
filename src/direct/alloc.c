/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Coherent memory, directly: pages below what the device reaches; an uncached alias for devices that do not snoop.
 */
#include "base/host.h"
#include "direct.h"

/** Highest physical address, at most @below, with which a window ends at or below @limit; 0: none. */
static phys_addr_t ceiling(const struct dma_device *dev, dma_addr_t limit, phys_addr_t below)
{
	const struct dma_range *r = dmamap_dev(dev)->range_map;
	phys_addr_t top = 0;

	if (!r)
		return limit <= below ? limit : 0;
	for (; r->size; r++) {
		phys_addr_t last = r->cpu + min_u64(r->size - 1, limit - r->dma);

		if (r->dma <= limit && last > top && last <= below)
			top = last;
	}
	return top;
}

/** NONE and *@handle if the device can use the pages for coherent memory. */
static enum dma_reason coherent_reach(const struct dma_device *dev, phys_addr_t phys, uint64_t size,
				      dma_addr_t limit, dma_addr_t *handle)
{
	bool shared = dev_needs_shared(dev);
	dma_addr_t last;

	if (!dmamap_dev_range_to_dma(dev, phys, size, shared, handle))
		return DMA_REASON_OUTSIDE_RANGE_MAP;
	last = *handle + (size - 1);
	return last < *handle || last > limit ? DMA_REASON_BEYOND_MASK : DMA_REASON_NONE;
}

static void free_block(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	if (host->free_contiguous && host->alloc_contiguous)
		host->free_contiguous(host, phys, size);
	else
		host->free_pages(host, phys, size);
}

static phys_addr_t alloc_block(struct dma_host *host, uint64_t size, phys_addr_t top, gfp_t gfp)
{
	struct dma_page_request request = {
		.size = size,
		.align =
			size > (uint64_t)1 << 62 ? host->page_size : (uint64_t)1 << ceil_log2(size),
		.ceiling = top,
		.node = -1,
		.gfp = gfp,
	};
	phys_addr_t phys;

	if (host->free_contiguous && host->alloc_contiguous)
		return host->alloc_contiguous(host, &request);
	phys = host->alloc_pages(host, &request);
	if (phys != DMAMAP_PHYS_NONE || request.align == host->page_size)
		return phys;
	request.align = host->page_size; /* natural alignment is a wish, not a promise */
	return host->alloc_pages(host, &request);
}

/** The CPU address of fresh pages, zeroed: linear, or uncached where the device does not snoop. */
static void *cpu_address(struct dma_device *dev, phys_addr_t phys, uint64_t size)
{
	struct dma_host *host = dev_host(dev);
	void *ptr;

	if (dmamap_dev(dev)->coherent) {
		ptr = host->phys_to_virt(host, phys);
	} else {
		if (host->cache_prepare_coherent)
			host->cache_prepare_coherent(host, phys, size);
		ptr = host->map_uncached(host, phys, size);
	}
	if (ptr)
		memset(ptr, 0, size);
	return ptr;
}

/**
 * Pages that the device reaches: NONE, *@phys and *@handle. What the host has below the highest window may lie between
 * windows, so the lower ones are tried too.
 */
static enum dma_reason find_block(struct dma_device *dev, uint64_t size, gfp_t gfp,
				  phys_addr_t *phys, dma_addr_t *handle)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t limit = min_not_zero(d->coherent_mask, d->bus_limit);
	enum dma_reason reason = DMA_REASON_NO_MEMORY;
	phys_addr_t top = ceiling(dev, limit, DMAMAP_PHYS_NONE);

	for (; size && top; top = ceiling(dev, limit, top - 1)) {
		*phys = alloc_block(d->host, size, top, gfp);
		if (*phys == DMAMAP_PHYS_NONE)
			break;
		reason = coherent_reach(dev, *phys, size, limit, handle);
		if (reason == DMA_REASON_NONE)
			break;
		free_block(d->host, *phys, size);
	}
	return reason;
}

void *dmamap_direct_alloc(struct dma_device *dev, size_t bytes, dma_addr_t *handle, gfp_t gfp,
			  unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t size = round_up(bytes, d->host->page_size);
	enum dma_reason reason = DMA_REASON_NO_UNCACHED;
	phys_addr_t phys;
	void *ptr;

	(void)attrs;
	if (d->coherent || (d->host->map_uncached && d->host->unmap_uncached))
		reason = find_block(dev, size, gfp, &phys, handle);
	if (reason == DMA_REASON_NONE) {
		ptr = cpu_address(dev, phys, size);
		if (ptr) {
			dev_live_add(d, 1);
			return ptr;
		}
		free_block(d->host, phys, size);
		reason = d->coherent ? DMA_REASON_NOT_KMAPPABLE : DMA_REASON_NO_UNCACHED;
	}
	fail_range(why, dev, reason, -DMAMAP_ENOMEM, 0, bytes);
	return NULL;
}

bool dmamap_direct_free(struct dma_device *dev, size_t bytes, void *cpu_addr, dma_addr_t handle,
			unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t size = round_up(bytes, d->host->page_size);
	phys_addr_t phys;

	(void)attrs;
	if (!dmamap_dev_to_phys(dev, handle, &phys) || !dev_live_end(d)) {
		fail_range(why, dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, handle, bytes);
		return false;
	}
	if (!d->coherent && d->host->unmap_uncached)
		d->host->unmap_uncached(d->host, cpu_addr, phys, size);
	free_block(d->host, phys, size);
	return true;
}
