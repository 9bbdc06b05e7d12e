/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One range: map, unmap, and the page and pointer forms.
 *
 * This file decides nothing but the route, and holds no mechanism: it calls the route, then the sanitizer, the trace
 * and the checks, whatever the result.
 */
#include <dmamap/mapping.h>

#include "direct/direct.h"
#include "iommu/iommu.h"
#include "iommu/quick_large.h"
#include "map.h"

/* --- the ops route: a method of the family that has one for this memory */

static dma_addr_t call_map_page(struct dma_device *dev, phys_addr_t phys, size_t size,
				enum dma_data_direction dir, unsigned long attrs,
				struct dma_error *why)
{
	struct dma_host *host = dev_host(dev);
	uint64_t offset = phys & (DMAMAP_PAGE_SIZE - 1);

	if (!host->phys_to_virt(host, phys))
		return fail_map(why, dev, DMA_REASON_NOT_KMAPPABLE, phys, size);
	return dmamap_dev(dev)->ops->map_page(dev, dmamap_phys_to_page(phys), offset, size, dir,
					      attrs);
}

static dma_addr_t ops_map(struct dma_device *dev, phys_addr_t phys, size_t size,
			  enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	const struct dma_map_ops *ops = dmamap_dev(dev)->ops;
	bool mmio = attrs & DMA_ATTR_MMIO;
	dma_addr_t addr;

	if (ops->map_phys)
		addr = ops->map_phys(dev, phys, size, dir, attrs);
	else if (mmio && ops->map_resource)
		addr = ops->map_resource(dev, phys, size, dir, attrs);
	else if (!mmio && ops->map_page)
		addr = call_map_page(dev, phys, size, dir, attrs, why);
	else
		return fail_map(why, dev, DMA_REASON_NO_METHOD, phys, size);
	if (addr != DMA_MAPPING_ERROR)
		dev_live_add(dmamap_dev(dev), 1);
	else if (why->reason == DMA_REASON_NONE)
		fail_map(why, dev, DMA_REASON_METHOD_FAILED, phys, size);
	return addr;
}

/** The family that mapped unmaps; a missing member calls nothing. */
static bool ops_unmap(struct dma_device *dev, dma_addr_t addr, size_t size,
		      enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	const struct dma_map_ops *ops = dmamap_dev(dev)->ops;
	void (*unmap)(struct dma_device *, dma_addr_t, size_t, enum dma_data_direction,
		      unsigned long);

	if (!dev_live_end(dmamap_dev(dev))) {
		fail_range(why, dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, addr, size);
		return false;
	}
	if (ops->map_phys)
		unmap = ops->unmap_phys;
	else
		unmap = attrs & DMA_ATTR_MMIO ? ops->unmap_resource : ops->unmap_page;
	if (unmap)
		unmap(dev, addr, size, dir, attrs);
	return true;
}

/* --- map */

/** Refusals that come before any route is tried; the kernel records none of them. */
static bool may_map(struct dma_device *dev, phys_addr_t phys, size_t size,
		    enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	if (!dmamap_check_dir(dev, dir, phys, size, why) ||
	    !dmamap_check_mask(dev, phys, size, why) || !dmamap_check_range(dev, phys, size, why))
		return false;
	if ((attrs & DMA_ATTR_REQUIRE_COHERENT) && !dmamap_dev(dev)->coherent) {
		fail_range(why, dev, DMA_REASON_NOT_COHERENT, -DMAMAP_EOPNOTSUPP, phys, size);
		return false;
	}
	return true;
}

static dma_addr_t map_by_route(struct dma_device *dev, enum dma_route route, phys_addr_t phys,
			       size_t size, enum dma_data_direction dir, unsigned long attrs,
			       struct dma_error *why)
{
	if (route_is_direct(route)) {
		dma_addr_t addr = dmamap_direct_map_issue(dev, phys, size, dir, attrs, why);

		if (addr != DMA_MAPPING_ERROR) {
			dmamap_direct_map_wait(dev, attrs);
			dmamap_seal(dev);
		}
		return addr;
	}
	if (attrs & DMA_ATTR_CC_SHARED) {
		fail_range(why, dev, DMA_REASON_CC_SHARED, -DMAMAP_EINVAL, phys, size);
		return DMA_MAPPING_ERROR;
	}
	if (route == DMA_ROUTE_IOMMU)
		return dmamap_iommu_map(dev, phys, size, dir, attrs, why);
	return ops_map(dev, phys, size, dir, attrs, why);
}

/** The end of a map that failed, or that somebody watches. */
static void finish_map(struct dma_device *dev, enum dma_route route, phys_addr_t phys, size_t size,
		       enum dma_data_direction dir, unsigned long attrs, dma_addr_t addr,
		       struct dma_error *why, bool silent)
{
	struct dma_event event = {
		.type = DMA_EVENT_MAP_PHYS,
		.dev = dev,
		.phys = phys,
		.dma_addr = addr,
		.size = size,
		.dir = dir,
		.attrs = attrs,
	};

	dmamap_finish(&event, route, why, silent);
}

/** Everything but the short way, which few routes have, and none with observers. */
static DMAMAP_APART dma_addr_t map_phys(struct dma_device *dev, phys_addr_t phys, size_t size,
					enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_host *host = dev_host(dev);
	enum dma_route route = dmamap_dev(dev)->route;
	dma_addr_t addr;
	struct dma_error why;

	why.reason = DMA_REASON_NONE;
	if (!may_map(dev, phys, size, dir, attrs, &why)) {
		finish_map(dev, route, phys, size, dir, attrs, DMA_MAPPING_ERROR, &why, true);
		return DMA_MAPPING_ERROR;
	}
	route = route_of_map(dev, phys, size, attrs);
	addr = map_by_route(dev, route, phys, size, dir, attrs, &why);
	if (addr != DMA_MAPPING_ERROR && !(attrs & DMA_ATTR_MMIO) && host->sanitize)
		host->sanitize(host, DMA_SANITIZE_MAP, phys, size, dir);
	if (why.reason != DMA_REASON_NONE || observed(dev))
		finish_map(dev, route, phys, size, dir, attrs, addr, &why,
			   why.reason == DMA_REASON_CC_SHARED);
	return addr;
}

/** Quick, but not inline: several granules, larger leaves, other attributes, a shard that has to look further. */
static DMAMAP_APART dma_addr_t map_less_quick(struct dma_device *dev, phys_addr_t phys, size_t size,
					      enum dma_data_direction dir, unsigned long attrs)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	dma_addr_t addr;

	addr = dmamap_iommu_quick_map(d, phys, size, dir, attrs);
	return addr != DMA_MAPPING_ERROR ? addr : map_phys(dev, phys, size, dir, attrs);
}

static DMAMAP_APART dma_addr_t map_large(struct dma_device *dev, phys_addr_t phys, size_t size,
					 enum dma_data_direction dir, unsigned long attrs)
{
	dma_addr_t addr;

	if (quick_map_large(dmamap_dev(dev), phys, size, dir, attrs, &addr))
		return addr;
	return map_less_quick(dev, phys, size, dir, attrs);
}

dma_addr_t dmamap_map_phys(struct dma_device *dev, phys_addr_t phys, size_t size,
			   enum dma_data_direction dir, unsigned long attrs)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	dma_addr_t addr;

	if (!has_long_way(dev)) {
		if (quick_is_large(d, size))
			return map_large(dev, phys, size, dir, attrs);
		if (quick_map(d, phys, size, dir, attrs, &addr))
			return addr;
	} else if (!d->quick || observed(dev)) {
		return map_phys(dev, phys, size, dir, attrs);
	}
	return map_less_quick(dev, phys, size, dir, attrs);
}

/* --- unmap */

static bool unmap_by_route(struct dma_device *dev, enum dma_route route, dma_addr_t addr,
			   size_t size, enum dma_data_direction dir, unsigned long attrs,
			   struct dma_error *why)
{
	if (route_is_direct(route))
		return dmamap_direct_unmap(dev, addr, size, dir, attrs, why);
	if (attrs & DMA_ATTR_CC_SHARED) {
		fail_range(why, dev, DMA_REASON_CC_SHARED, -DMAMAP_EINVAL, addr, size);
		return false;
	}
	if (route == DMA_ROUTE_IOMMU)
		return dmamap_iommu_unmap(dev, addr, size, dir, attrs, why);
	if (route == DMA_ROUTE_OPS)
		return ops_unmap(dev, addr, size, dir, attrs, why);
	return true;
}

static bool may_unmap(struct dma_device *dev, dma_addr_t addr, size_t size,
		      enum dma_data_direction dir, struct dma_error *why)
{
	if (!dmamap_check_dir(dev, dir, addr, size, why) ||
	    !dmamap_check_mask(dev, addr, size, why))
		return false;
	if (addr == DMA_MAPPING_ERROR) {
		fail_range(why, dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, addr, size);
		return false;
	}
	return dmamap_check_range(dev, addr, size, why);
}

/** The end of an unmap that failed, or that somebody watches. */
static void finish_unmap(struct dma_device *dev, enum dma_route route, dma_addr_t addr, size_t size,
			 enum dma_data_direction dir, unsigned long attrs, struct dma_error *why,
			 bool ok)
{
	struct dma_event event = {
		.type = DMA_EVENT_UNMAP_PHYS,
		.dev = dev,
		.dma_addr = addr,
		.size = size,
		.dir = dir,
		.attrs = attrs,
	};

	if (!ok)
		dmamap_misuse(dev, route, "unmap of what is not mapped", why);
	/* the kernel returns from this one without a record */
	dmamap_finish(&event, route, why, why->reason == DMA_REASON_CC_SHARED);
}

static DMAMAP_APART void unmap_phys(struct dma_device *dev, dma_addr_t addr, size_t size,
				    enum dma_data_direction dir, unsigned long attrs)
{
	enum dma_route route = dmamap_dev(dev)->route;
	struct dma_error why;
	bool ok;

	why.reason = DMA_REASON_NONE;
	ok = may_unmap(dev, addr, size, dir, &why);
	if (ok) {
		route = route_of_address(dev, addr, size, attrs);
		ok = unmap_by_route(dev, route, addr, size, dir, attrs, &why);
	}
	if (!ok || why.reason != DMA_REASON_NONE || observed(dev))
		finish_unmap(dev, route, addr, size, dir, attrs, &why, ok);
}

static DMAMAP_APART void unmap_less_quick(struct dma_device *dev, dma_addr_t addr, size_t size,
					  enum dma_data_direction dir, unsigned long attrs)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	if (!dmamap_iommu_quick_unmap(d, addr, size, dir, attrs))
		unmap_phys(dev, addr, size, dir, attrs);
}

static DMAMAP_APART void unmap_large(struct dma_device *dev, dma_addr_t addr, size_t size,
				     enum dma_data_direction dir, unsigned long attrs)
{
	if (!quick_unmap_large(dmamap_dev(dev), addr, size, dir, attrs))
		unmap_less_quick(dev, addr, size, dir, attrs);
}

static DMAMAP_APART void unmap_small(struct dma_device *dev, dma_addr_t addr, size_t size,
				     enum dma_data_direction dir, unsigned long attrs)
{
	if (!quick_unmap(dmamap_dev(dev), addr, size, dir, attrs))
		unmap_less_quick(dev, addr, size, dir, attrs);
}

void dmamap_unmap_phys(struct dma_device *dev, dma_addr_t addr, size_t size,
		       enum dma_data_direction dir, unsigned long attrs)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	if (!has_long_way(dev)) {
		if (quick_is_large(d, size)) {
			unmap_large(dev, addr, size, dir, attrs);
			return;
		}
		unmap_small(dev, addr, size, dir, attrs);
		return;
	} else if (!d->quick || observed(dev)) {
		unmap_phys(dev, addr, size, dir, attrs);
		return;
	}
	unmap_less_quick(dev, addr, size, dir, attrs);
}

/* --- other ways to name the memory */

dma_addr_t dmamap_map_page_attrs(struct dma_device *dev, struct page *page, size_t offset,
				 size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	phys_addr_t base = dmamap_page_to_phys(page);
	struct dma_error why;

	if (page && !add_wraps(base, offset))
		return dmamap_map_phys(dev, base + offset, size, dir, attrs);
	fail_range(&why, dev, page ? DMA_REASON_ADDRESS_WRAP : DMA_REASON_BAD_ARGUMENT,
		   -DMAMAP_EINVAL, page ? base : 0, size);
	finish_map(dev, dmamap_dev(dev)->route, why.addr, size, dir, attrs, DMA_MAPPING_ERROR, &why,
		   true);
	return DMA_MAPPING_ERROR;
}

static bool is_linear(struct dma_host *host, const void *ptr)
{
	return !host->pointer_kind || host->pointer_kind(host, ptr) == DMA_POINTER_LINEAR;
}

dma_addr_t dmamap_map_single_attrs(struct dma_device *dev, void *ptr, size_t size,
				   enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_host *host = dev_host(dev);
	phys_addr_t phys = is_linear(host, ptr) ? host->virt_to_phys(host, ptr) : DMAMAP_PHYS_NONE;
	struct dma_error why;
	struct dma_event event = {
		.type = DMA_EVENT_MAP_PHYS, .dev = dev, .size = size, .dir = dir
	};

	if (phys != DMAMAP_PHYS_NONE)
		return dmamap_map_phys(dev, phys, size, dir, attrs);
	fail_map(&why, dev, DMA_REASON_NOT_LINEAR, (uint64_t)(uintptr_t)ptr, size);
	if (dev_once(dmamap_dev(dev), ONCE_NOT_LINEAR))
		dmamap_warn(host, dev, "mapping of a pointer outside of the linear map", &why);
	event.attrs = attrs;
	event.phys = DMAMAP_PHYS_NONE;
	event.dma_addr = DMA_MAPPING_ERROR;
	dmamap_finish(&event, dmamap_dev(dev)->route, &why, true);
	return DMA_MAPPING_ERROR;
}

int dmamap_mapping_error(struct dma_device *dev, dma_addr_t addr)
{
	(void)dev;
	return addr == DMA_MAPPING_ERROR ? -DMAMAP_ENOMEM : 0;
}
