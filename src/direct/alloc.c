/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for devices, directly: pages below what the device reaches, and for coherent memory a view that both sides
 * share (docs/semantics.md, "Coherent memory").
 *
 * The ceiling that the host is asked for follows from mask, limit and windows. A host that gives a block out of reach
 * all the same is asked again with lower ceilings, and at last refused.
 */
#include "base/block.h"
#include "base/host.h"
#include "bounce/pool.h"
#include "direct.h"
#include "restricted.h"

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

static uint64_t coherent_limit(const struct dma_device *dev)
{
	const struct dmamap_dev *d = dmamap_dev(dev);

	return min_not_zero(d->coherent_mask, d->bus_limit);
}

enum dma_reason dmamap_direct_coherent_reach(const struct dma_device *dev, phys_addr_t phys,
					     uint64_t size, dma_addr_t *handle)
{
	bool shared = dev_needs_shared(dev);
	dma_addr_t last;

	if (!dmamap_dev_range_to_dma(dev, phys, size, shared, handle))
		return DMA_REASON_OUTSIDE_RANGE_MAP;
	last = *handle + (size - 1);
	return last < *handle || last > coherent_limit(dev) ? DMA_REASON_BEYOND_MASK
							    : DMA_REASON_NONE;
}

/** Keep a block that the device reaches; give any other back, and say why. */
static bool keep(const struct dma_device *dev, phys_addr_t phys, uint64_t size, dma_addr_t *handle,
		 enum dma_reason *reason)
{
	*reason = phys == DMAMAP_PHYS_NONE ? DMA_REASON_NO_MEMORY
					   : dmamap_direct_coherent_reach(dev, phys, size, handle);
	if (*reason != DMA_REASON_NONE && phys != DMAMAP_PHYS_NONE)
		dmamap_block_free(dev_host(dev), phys, size);
	return *reason == DMA_REASON_NONE;
}

/** The next ceiling to try below @top: the end of a lower window, 32 bits, the DMA zone; 0: none is left. */
static phys_addr_t lower_ceiling(const struct dma_device *dev, phys_addr_t top)
{
	const phys_addr_t zones[] = { DMA_BIT_MASK(32), dev_host(dev)->zone_dma_limit };
	phys_addr_t best = top ? ceiling(dev, coherent_limit(dev), top - 1) : 0;

	for (unsigned int i = 0; i < 2; i++)
		if (zones[i] < top && zones[i] > best)
			best = zones[i];
	return best;
}

phys_addr_t dmamap_direct_take(struct dma_device *dev, uint64_t size, gfp_t gfp, dma_addr_t *handle,
			       struct dma_error *why)
{
	struct dma_host *host = dev_host(dev);
	phys_addr_t top = ceiling(dev, coherent_limit(dev), DMAMAP_PHYS_NONE);
	phys_addr_t phys = size ? dmamap_block_contiguous(host, size, top, gfp) : DMAMAP_PHYS_NONE;
	enum dma_reason reason;

	if (keep(dev, phys, size, handle, &reason))
		return phys;
	for (; size && top; top = lower_ceiling(dev, top)) {
		phys = dmamap_block_pages(host, size, top, gfp);
		if (keep(dev, phys, size, handle, &reason))
			return phys;
		if (phys == DMAMAP_PHYS_NONE)
			break; /* nothing below either */
	}
	fail_range(why, dev, reason, -DMAMAP_ENOMEM, phys == DMAMAP_PHYS_NONE ? 0 : phys, size);
	why->mask = dmamap_dev(dev)->coherent_mask;
	return DMAMAP_PHYS_NONE;
}

/** Memory that the CPU does not need to see: the address is a page's handle, which nobody can follow. */
static bool is_cookie(const struct dma_device *dev, unsigned long attrs)
{
	return (attrs & DMA_ATTR_NO_KERNEL_MAPPING) && !dev_needs_shared(dev);
}

void *dmamap_direct_alloc(struct dma_device *dev, size_t bytes, dma_addr_t *handle, gfp_t gfp,
			  unsigned long attrs, struct dma_error *why)
{
	bool cookie = is_cookie(dev, attrs);
	uint64_t size = round_up(bytes, dev_host(dev)->page_size);
	phys_addr_t phys;
	void *ptr;

	if (!cookie && !dmamap_block_can_open(dev)) {
		fail_range(why, dev, DMA_REASON_NO_UNCACHED, -DMAMAP_ENOMEM, 0, bytes);
		return NULL;
	}
	if (dmamap_bounce_gives_coherent(dev))
		return dmamap_restricted_alloc(dev, size, cookie, handle, why);
	phys = dmamap_direct_take(dev, size, gfp, handle, why);
	if (phys == DMAMAP_PHYS_NONE)
		return NULL;
	if (cookie) {
		dmamap_block_prepare(dev, phys, size);
		ptr = dmamap_phys_to_page(phys);
	} else {
		ptr = dmamap_block_open(dev, phys, size, why);
	}
	if (ptr)
		dev_live_add(dmamap_dev(dev), 1);
	return ptr;
}

/** Can @cpu_addr be what an allocation at @phys returned? An uncached alias tells nothing. */
static bool may_be(const struct dma_device *dev, const void *cpu_addr, phys_addr_t phys,
		   unsigned long attrs)
{
	const struct dmamap_dev *d = dmamap_dev(dev);

	if (is_cookie(dev, attrs))
		return cpu_addr == dmamap_phys_to_page(phys);
	return !d->coherent || cpu_addr == d->host->phys_to_virt(d->host, phys);
}

bool dmamap_direct_free(struct dma_device *dev, size_t bytes, void *cpu_addr, dma_addr_t handle,
			unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t size = round_up(bytes, d->host->page_size);
	phys_addr_t phys;

	if (!dmamap_device_live(dev) || !dmamap_dev_to_phys(dev, handle, &phys) ||
	    !may_be(dev, cpu_addr, phys, attrs)) {
		fail_range(why, dev, DMA_REASON_NOT_ALLOCATED, -DMAMAP_EINVAL, handle, bytes);
		return false;
	}
	if (dmamap_bounce_gives_coherent(dev))
		return dmamap_restricted_free(dev, size, is_cookie(dev, attrs), cpu_addr, handle,
					      phys, why);
	if (is_cookie(dev, attrs))
		dmamap_block_free(d->host, phys, size);
	else
		dmamap_block_close(dev, cpu_addr, phys, size);
	dev_live_sub(d, 1);
	return true;
}

/* --- pages in the CPU's ordinary view */

phys_addr_t dmamap_direct_alloc_pages(struct dma_device *dev, uint64_t size, dma_addr_t *handle,
				      gfp_t gfp, struct dma_error *why)
{
	struct dma_host *host = dev_host(dev);
	phys_addr_t phys;
	void *ptr;

	if (dmamap_bounce_gives_coherent(dev))
		return dmamap_restricted_alloc_pages(dev, size, handle, why);
	phys = dmamap_direct_take(dev, size, gfp, handle, why);
	if (phys == DMAMAP_PHYS_NONE)
		return phys;
	if (dev_needs_shared(dev) && !dmamap_block_share(host, phys, size, true)) {
		fail_range(why, dev, DMA_REASON_CONVERSION_FAILED, -DMAMAP_ENOMEM, phys, size);
		return DMAMAP_PHYS_NONE;
	}
	ptr = host->phys_to_virt(host, phys);
	if (ptr)
		memset(ptr, 0, size);
	dev_live_add(dmamap_dev(dev), 1);
	return phys;
}

bool dmamap_direct_free_pages(struct dma_device *dev, uint64_t size, phys_addr_t phys,
			      dma_addr_t handle, struct dma_error *why)
{
	struct dma_host *host = dev_host(dev);
	phys_addr_t at;

	if (!dmamap_device_live(dev) || !dmamap_dev_to_phys(dev, handle, &at) || at != phys) {
		fail_range(why, dev, DMA_REASON_NOT_ALLOCATED, -DMAMAP_EINVAL, handle, size);
		return false;
	}
	if (dmamap_bounce_gives_coherent(dev))
		return dmamap_restricted_free_pages(dev, size, handle, phys, why);
	if (!dev_needs_shared(dev) || dmamap_block_share(host, phys, size, false))
		dmamap_block_free(host, phys, size);
	dev_live_sub(dmamap_dev(dev), 1);
	return true;
}
