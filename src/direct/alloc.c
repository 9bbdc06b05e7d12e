/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Coherent memory, directly: pages below what the device reaches; an uncached alias for devices that do not snoop.
 */
#include "base/host.h"
#include "direct.h"

/** Highest physical address that can have a device address at or below @limit. */
static phys_addr_t ceiling(const struct dma_device *dev, dma_addr_t limit)
{
	const struct dma_range *r = dmamap_dev(dev)->range_map;
	phys_addr_t top = 0;

	if (!r)
		return limit;
	for (; r->size; r++) {
		phys_addr_t last = r->cpu + min_u64(r->size - 1, limit - r->dma);

		if (r->dma <= limit && last > top)
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

void *dmamap_direct_alloc(struct dma_device *dev, size_t bytes, dma_addr_t *handle, gfp_t gfp,
			  unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t limit = min_not_zero(d->coherent_mask, d->bus_limit);
	uint64_t size = round_up(bytes, d->host->page_size);
	enum dma_reason reason;
	phys_addr_t phys;
	void *ptr;

	(void)attrs;
	if (!d->coherent && (!d->host->map_uncached || !d->host->unmap_uncached)) {
		fail_range(why, dev, DMA_REASON_NO_UNCACHED, -DMAMAP_ENOMEM, 0, bytes);
		return NULL;
	}
	phys = size ? alloc_block(d->host, size, ceiling(dev, limit), gfp) : DMAMAP_PHYS_NONE;
	if (phys == DMAMAP_PHYS_NONE) {
		fail_range(why, dev, DMA_REASON_NO_MEMORY, -DMAMAP_ENOMEM, 0, bytes);
		return NULL;
	}
	reason = coherent_reach(dev, phys, size, limit, handle);
	ptr = reason == DMA_REASON_NONE ? cpu_address(dev, phys, size) : NULL;
	if (ptr) {
		dev_live_add(d, 1);
		return ptr;
	}
	free_block(d->host, phys, size);
	fail_range(why, dev, reason == DMA_REASON_NONE ? DMA_REASON_NO_UNCACHED : reason,
		   -DMAMAP_ENOMEM, phys, bytes);
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
