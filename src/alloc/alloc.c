/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Coherent memory: choose the route by the coherent mask, tell the observers (docs/semantics.md, "Coherent memory").
 * An allocation is traced after it is done, a free before, as in Linux.
 */
#include <dmamap/mapping.h>

#include "alloc.h"
#include "direct/direct.h"
#include "iommu/iommu.h"

#define ZONE_FLAGS (DMAMAP_GFP_DMA | DMAMAP_GFP_DMA32 | DMAMAP_GFP_HIGHMEM)

static void warn_once(struct dma_device *dev, uint32_t once, const char *text)
{
	if (dev_once(dmamap_dev(dev), once))
		dmamap_warn(dev_host(dev), dev, text, NULL);
}

/* --- the ops route */

static void *ops_alloc(struct dma_device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
		       unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	void *ptr;

	if (!d->ops->alloc) {
		fail_range(why, dev, DMA_REASON_NO_METHOD, -DMAMAP_ENOMEM, 0, size);
		return NULL;
	}
	ptr = d->ops->alloc(dev, size, handle, gfp, attrs);
	if (ptr)
		dev_live_add(d, 1);
	else
		fail_range(why, dev, DMA_REASON_METHOD_FAILED, -DMAMAP_ENOMEM, 0, size);
	return ptr;
}

static bool ops_free(struct dma_device *dev, size_t size, void *cpu_addr, dma_addr_t handle,
		     unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	if (!dev_live_end(d)) {
		fail_range(why, dev, DMA_REASON_NOT_ALLOCATED, -DMAMAP_EINVAL, handle, size);
		return false;
	}
	if (d->ops->free)
		d->ops->free(dev, size, cpu_addr, handle, attrs);
	return true;
}

/* --- alloc */

/** Refusals before any route is tried. */
static bool may_alloc(struct dma_device *dev, size_t size, const dma_addr_t *handle, gfp_t gfp,
		      unsigned long attrs, struct dma_error *why)
{
	enum dma_reason reason = DMA_REASON_NONE;

	if (!handle) {
		reason = DMA_REASON_BAD_ARGUMENT;
	} else if (!size) {
		reason = DMA_REASON_ZERO_SIZE;
	} else if (size > SIZE_MAX / 2) {
		reason = DMA_REASON_ADDRESS_WRAP;
	} else if (gfp & DMAMAP_GFP_COMP) {
		reason = DMA_REASON_BAD_FLAGS;
		warn_once(dev, ONCE_ALLOC_FLAGS, "coherent allocation with COMP");
	} else if (attrs & DMA_ATTR_CC_SHARED) {
		reason = DMA_REASON_CC_SHARED;
	}
	if (reason == DMA_REASON_NONE)
		return true;
	fail_range(why, dev, reason, -DMAMAP_EINVAL, 0, size);
	return false;
}

static bool has_declared(const struct dma_device *dev)
{
	const struct dmamap_memory *memory = dmamap_memory(dev);

	return memory && memory->declared;
}

static void *alloc_by_route(struct dma_device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
			    unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	if (!d->coherent_mask)
		warn_once(dev, ONCE_COHERENT_MASK, "coherent allocation without a coherent mask");
	if (attrs & DMA_ATTR_NO_WARN)
		gfp |= DMAMAP_GFP_NOWARN;
	gfp &= ~ZONE_FLAGS;
	if (has_declared(dev))
		return dmamap_declared_alloc(dev, size, handle, why);
	if (dmamap_atomic_wanted(dev, gfp))
		return dmamap_atomic_alloc(dev, size, handle, gfp, attrs, why);
	switch (d->alloc_route) {
	case DMA_ROUTE_IOMMU:
		return dmamap_iommu_alloc(dev, size, handle, gfp, attrs, why);
	case DMA_ROUTE_OPS:
		return ops_alloc(dev, size, handle, gfp, attrs, why);
	default:
		return dmamap_direct_alloc(dev, size, handle, gfp, attrs, why);
	}
}

void *dmamap_alloc_attrs(struct dma_device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
			 unsigned long attrs)
{
	struct dma_error why = { .reason = DMA_REASON_NONE };
	struct dma_event event = {
		.type = DMA_EVENT_ALLOC,
		.dev = dev,
		.dir = DMA_BIDIRECTIONAL,
		.size = size,
		.gfp = gfp,
		.attrs = attrs,
	};
	bool silent = !may_alloc(dev, size, handle, gfp, attrs, &why);
	void *ptr = silent ? NULL : alloc_by_route(dev, size, handle, gfp, attrs, &why);

	why.mask = dmamap_dev(dev)->coherent_mask;
	event.cpu_addr = ptr;
	event.dma_addr = ptr ? *handle : 0;
	/* of these refusals the kernel records the shared one */
	dmamap_finish(&event, dmamap_dev(dev)->alloc_route, &why,
		      silent && why.reason != DMA_REASON_CC_SHARED);
	return ptr;
}

/* --- free */

static bool free_by_route(struct dma_device *dev, size_t size, void *cpu_addr, dma_addr_t handle,
			  unsigned long attrs, struct dma_error *why)
{
	if (dmamap_atomic_free(dev, size, cpu_addr, handle, why))
		return why->reason == DMA_REASON_NONE;
	switch (dmamap_dev(dev)->alloc_route) {
	case DMA_ROUTE_IOMMU:
		return dmamap_iommu_free(dev, size, cpu_addr, handle, attrs, why);
	case DMA_ROUTE_OPS:
		return ops_free(dev, size, cpu_addr, handle, attrs, why);
	default:
		return dmamap_direct_free(dev, size, cpu_addr, handle, attrs, why);
	}
}

void dmamap_free_attrs(struct dma_device *dev, size_t size, void *cpu_addr, dma_addr_t handle,
		       unsigned long attrs)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct dma_error why = { .reason = DMA_REASON_NONE };
	struct dma_event event = {
		.type = DMA_EVENT_FREE,
		.dev = dev,
		.dir = DMA_BIDIRECTIONAL,
		.size = size,
		.cpu_addr = cpu_addr,
		.dma_addr = handle,
		.attrs = attrs,
	};
	/* of this release the kernel has no record, and does not care about interrupts */
	bool declared = size && dmamap_declared_free(dev, size, cpu_addr, &why);

	if (!declared && d->host->interrupts_off && d->host->interrupts_off(d->host))
		dmamap_warn(d->host, dev, "coherent memory freed with interrupts off", NULL);
	dmamap_finish(&event, d->alloc_route, NULL, declared);
	if (!cpu_addr || !size)
		return;
	if (!declared)
		free_by_route(dev, size, cpu_addr, handle, attrs, &why);
	if (why.reason != DMA_REASON_NONE)
		alloc_misuse(dev, "free of coherent memory that is not allocated", &why);
}
