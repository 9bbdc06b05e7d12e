/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages mapped for a device, in the CPU's ordinary view: dma_alloc_pages() and its pointer form.
 *
 * Trace and route as for coherent memory; the size in the record is the caller's, the route gets whole pages.
 */
#include "alloc.h"
#include "direct/direct.h"
#include "iommu/iommu.h"

#define REFUSED_FLAGS (DMAMAP_GFP_DMA | DMAMAP_GFP_DMA32 | DMAMAP_GFP_HIGHMEM | DMAMAP_GFP_COMP)

static void warn_once(struct dma_device *dev, uint32_t once, const char *text,
		      const struct dma_error *why)
{
	if (dev_once(dmamap_dev(dev), once))
		dmamap_warn(dev_host(dev), dev, text, why);
}

bool dmamap_may_alloc_pages(struct dma_device *dev, size_t size, enum dma_data_direction dir,
			    gfp_t gfp, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	if (!dmamap_check_dir(dev, dir, 0, size, why))
		return false;
	if (!size || size > SIZE_MAX / 2) {
		fail_range(why, dev, size ? DMA_REASON_ADDRESS_WRAP : DMA_REASON_ZERO_SIZE,
			   -DMAMAP_EINVAL, 0, size);
		return false;
	}
	if (!d->coherent_mask) {
		fail_range(why, dev, DMA_REASON_NO_MASK, -DMAMAP_EIO, 0, size);
		warn_once(dev, ONCE_COHERENT_MASK, "allocation without a coherent mask", why);
		return false;
	}
	if (gfp & REFUSED_FLAGS) {
		fail_range(why, dev, DMA_REASON_BAD_FLAGS, -DMAMAP_EINVAL, 0, size);
		warn_once(dev, ONCE_ALLOC_FLAGS, "allocation of pages with zone flags or COMP",
			  why);
		return false;
	}
	return true;
}

static phys_addr_t ops_alloc_pages(struct dma_device *dev, uint64_t size, dma_addr_t *handle,
				   enum dma_data_direction dir, gfp_t gfp, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct page *page = NULL;

	if (d->ops->alloc_pages_op)
		page = d->ops->alloc_pages_op(dev, size, handle, dir, gfp);
	if (page) {
		dev_live_add(d, 1);
		return dmamap_page_to_phys(page);
	}
	fail_range(why, dev,
		   d->ops->alloc_pages_op ? DMA_REASON_METHOD_FAILED : DMA_REASON_NO_METHOD,
		   -DMAMAP_ENOMEM, 0, size);
	return DMAMAP_PHYS_NONE;
}

static bool ops_free_pages(struct dma_device *dev, uint64_t size, phys_addr_t phys,
			   dma_addr_t handle, enum dma_data_direction dir, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	if (!dev_live_end(d)) {
		fail_range(why, dev, DMA_REASON_NOT_ALLOCATED, -DMAMAP_EINVAL, handle, size);
		return false;
	}
	if (d->ops->free_pages)
		d->ops->free_pages(dev, size, dmamap_phys_to_page(phys), handle, dir);
	return true;
}

phys_addr_t dmamap_pages_by_route(struct dma_device *dev, size_t size, dma_addr_t *handle,
				  enum dma_data_direction dir, gfp_t gfp, struct dma_error *why)
{
	uint64_t bytes = round_up(size, dev_host(dev)->page_size);

	switch (dmamap_dev(dev)->alloc_route) {
	case DMA_ROUTE_IOMMU:
		return dmamap_iommu_alloc_pages(dev, bytes, handle, dir, gfp, why);
	case DMA_ROUTE_OPS:
		return ops_alloc_pages(dev, bytes, handle, dir, gfp, why);
	default:
		return dmamap_direct_alloc_pages(dev, bytes, handle, gfp, why);
	}
}

bool dmamap_free_pages_by_route(struct dma_device *dev, size_t size, phys_addr_t phys,
				dma_addr_t handle, enum dma_data_direction dir,
				struct dma_error *why)
{
	uint64_t bytes = round_up(size, dev_host(dev)->page_size);

	switch (dmamap_dev(dev)->alloc_route) {
	case DMA_ROUTE_IOMMU:
		return dmamap_iommu_free_pages(dev, bytes, phys, handle, why);
	case DMA_ROUTE_OPS:
		return ops_free_pages(dev, bytes, phys, handle, dir, why);
	default:
		return dmamap_direct_free_pages(dev, bytes, phys, handle, why);
	}
}

static const void *linear(struct dma_device *dev, phys_addr_t phys)
{
	struct dma_host *host = dev_host(dev);

	return phys == DMAMAP_PHYS_NONE ? NULL : host->phys_to_virt(host, phys);
}

struct page *dmamap_alloc_pages(struct dma_device *dev, size_t size, dma_addr_t *handle,
				enum dma_data_direction dir, gfp_t gfp)
{
	struct dma_error why = { .reason = DMA_REASON_NONE };
	struct dma_event event = {
		.type = DMA_EVENT_ALLOC_PAGES,
		.dev = dev,
		.dir = dir,
		.size = size,
		.gfp = gfp,
	};
	phys_addr_t phys = DMAMAP_PHYS_NONE;
	bool silent = true;

	if (!handle) {
		fail_range(&why, dev, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, 0, size);
	} else if (dmamap_may_alloc_pages(dev, size, dir, gfp, &why)) {
		silent = false;
		phys = dmamap_pages_by_route(dev, size, handle, dir, gfp, &why);
	}
	event.cpu_addr = linear(dev, phys);
	event.dma_addr = phys == DMAMAP_PHYS_NONE ? 0 : *handle;
	dmamap_finish(&event, dmamap_dev(dev)->alloc_route, &why, silent);
	return phys == DMAMAP_PHYS_NONE ? NULL : dmamap_phys_to_page(phys);
}

void dmamap_free_pages(struct dma_device *dev, size_t size, struct page *page, dma_addr_t handle,
		       enum dma_data_direction dir)
{
	struct dma_error why = { .reason = DMA_REASON_NONE };
	phys_addr_t phys = page ? dmamap_page_to_phys(page) : DMAMAP_PHYS_NONE;
	struct dma_event event = {
		.type = DMA_EVENT_FREE_PAGES,
		.dev = dev,
		.dir = dir,
		.size = size,
		.cpu_addr = linear(dev, phys),
		.dma_addr = handle,
	};

	dmamap_finish(&event, dmamap_dev(dev)->alloc_route, NULL, false);
	if (!page || !size)
		return;
	if (!dmamap_free_pages_by_route(dev, size, phys, handle, dir, &why))
		alloc_misuse(dev, "free of pages that are not allocated", &why);
}

/* --- by CPU address */

void *dmamap_alloc_noncoherent(struct dma_device *dev, size_t size, dma_addr_t *handle,
			       enum dma_data_direction dir, gfp_t gfp)
{
	struct dma_host *host = dev_host(dev);
	struct page *page = dmamap_alloc_pages(dev, size, handle, dir, gfp);

	return page ? host->phys_to_virt(host, dmamap_page_to_phys(page)) : NULL;
}

void dmamap_free_noncoherent(struct dma_device *dev, size_t size, void *cpu_addr, dma_addr_t handle,
			     enum dma_data_direction dir)
{
	struct dma_host *host = dev_host(dev);
	phys_addr_t phys = cpu_addr ? host->virt_to_phys(host, cpu_addr) : DMAMAP_PHYS_NONE;
	struct dma_error why;

	if (cpu_addr && phys == DMAMAP_PHYS_NONE) {
		fail_range(&why, dev, DMA_REASON_NOT_ALLOCATED, -DMAMAP_EINVAL, handle, size);
		alloc_misuse(dev, "free of pages that are not allocated", &why);
		return;
	}
	dmamap_free_pages(dev, size, cpu_addr ? dmamap_phys_to_page(phys) : NULL, handle, dir);
}
