/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks of pages for devices; see block.h.
 *
 * A block whose conversion between shared and private failed is in an unknown state: whoever used it next might write
 * secrets into shared memory. It is never given back, and dma_lost_bytes() says how much was lost.
 */
#include "block.h"

#include "host.h"

/** The contiguous allocator aligns to 2^8 pages at the most. */
#define CONTIGUOUS_ALIGN_SHIFT 8

static uint64_t natural_align(const struct dma_host *host, uint64_t size)
{
	return size > (uint64_t)1 << 62 ? host->page_size : (uint64_t)1 << ceil_log2(size);
}

phys_addr_t dmamap_block_contiguous(struct dma_host *host, uint64_t size, phys_addr_t ceiling,
				    gfp_t gfp)
{
	struct dma_page_request request = {
		.size = size,
		.align = min_u64(natural_align(host, size),
				 host->page_size << CONTIGUOUS_ALIGN_SHIFT),
		.ceiling = ceiling,
		.node = -1,
		.gfp = gfp,
	};

	if (!host->alloc_contiguous || !host->free_contiguous || size <= host->page_size ||
	    !(gfp & DMAMAP_GFP_RECLAIM))
		return DMAMAP_PHYS_NONE;
	return host->alloc_contiguous(host, &request);
}

phys_addr_t dmamap_block_pages(struct dma_host *host, uint64_t size, phys_addr_t ceiling, gfp_t gfp)
{
	struct dma_page_request request = {
		.size = size,
		.align = natural_align(host, size),
		.ceiling = ceiling,
		.node = -1,
		.gfp = gfp,
	};
	phys_addr_t phys = host->alloc_pages(host, &request);

	if (phys != DMAMAP_PHYS_NONE || request.align == host->page_size)
		return phys;
	request.align = host->page_size; /* natural alignment is a wish, not a promise */
	return host->alloc_pages(host, &request);
}

void dmamap_block_free(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	if (host->alloc_contiguous && host->free_contiguous && size > host->page_size &&
	    host->free_contiguous(host, phys, size))
		return;
	host->free_pages(host, phys, size);
}

bool dmamap_block_share(struct dma_host *host, phys_addr_t phys, uint64_t size, bool shared)
{
	if (!host->set_shared || !host->set_shared(host, phys, size, shared))
		return true;
	__atomic_fetch_add(&dmamap_host(host)->lost_bytes, size, __ATOMIC_RELAXED);
	dmamap_log(host, DMA_LOG_WARNING, NULL, "pages lost: their conversion failed", NULL);
	return false;
}

bool dmamap_block_can_open(const struct dma_device *dev)
{
	const struct dmamap_dev *d = dmamap_dev(dev);

	return d->coherent || (d->host->map_uncached && d->host->unmap_uncached);
}

static void *fail_open(struct dma_device *dev, enum dma_reason reason, phys_addr_t phys,
		       uint64_t size, struct dma_error *why)
{
	fail_range(why, dev, reason, -DMAMAP_ENOMEM, phys, size);
	return NULL;
}

static void *view(struct dma_device *dev, phys_addr_t phys, uint64_t size)
{
	struct dma_host *host = dev_host(dev);

	if (dmamap_dev(dev)->coherent)
		return host->phys_to_virt(host, phys);
	if (!dmamap_block_can_open(dev))
		return NULL;
	if (host->cache_prepare_coherent)
		host->cache_prepare_coherent(host, phys, size);
	return host->map_uncached(host, phys, size);
}

void *dmamap_block_open(struct dma_device *dev, phys_addr_t phys, uint64_t size,
			struct dma_error *why)
{
	struct dma_host *host = dev_host(dev);
	bool shared = dev_needs_shared(dev);
	void *ptr;

	if (shared && !dmamap_block_share(host, phys, size, true))
		return fail_open(dev, DMA_REASON_CONVERSION_FAILED, phys, size, why);
	ptr = view(dev, phys, size);
	if (ptr) {
		memset(ptr, 0, size);
		return ptr;
	}
	if (!shared || dmamap_block_share(host, phys, size, false))
		dmamap_block_free(host, phys, size);
	return fail_open(dev, DMA_REASON_NO_UNCACHED, phys, size, why);
}

void dmamap_block_close(struct dma_device *dev, void *ptr, phys_addr_t phys, uint64_t size)
{
	struct dma_host *host = dev_host(dev);

	if (!dmamap_dev(dev)->coherent && host->unmap_uncached)
		host->unmap_uncached(host, ptr, phys, size);
	if (!dev_needs_shared(dev) || dmamap_block_share(host, phys, size, false))
		dmamap_block_free(host, phys, size);
}

void dmamap_block_prepare(struct dma_device *dev, phys_addr_t phys, uint64_t size)
{
	struct dma_host *host = dev_host(dev);
	void *ptr = host->phys_to_virt(host, phys);

	if (ptr)
		memset(ptr, 0, size);
	if (!dmamap_dev(dev)->coherent && host->cache_prepare_coherent)
		host->cache_prepare_coherent(host, phys, size);
}
