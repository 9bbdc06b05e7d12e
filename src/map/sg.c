/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists: map, unmap, and the table forms. Same order as for one range, but that an unmap is traced before it is done,
 * as in Linux. A failure is a dma_map_sg_err record, whatever its code.
 */
#include <dmamap/mapping.h>

#include "direct/direct.h"
#include "iommu/iommu.h"
#include "iommu/quick_sg.h"
#include "map.h"

/* --- arguments */

/** Are there @nents elements with memory in them? */
static bool check_list(const struct dma_device *dev, struct scatterlist *sg, int nents,
		       struct dma_error *why)
{
	int i = 0;

	while (i < nents && sg && sg_page(sg) && sg->length &&
	       !range_wraps(sg_phys(sg), sg->length)) {
		sg = sg_next(sg);
		i++;
	}
	if (nents > 0 && i == nents)
		return true;
	fail_range(why, dev, DMA_REASON_BAD_LIST, -DMAMAP_EINVAL, sg ? sg_phys(sg) : 0,
		   sg ? sg->length : 0);
	why->have = (uint64_t)i;
	return false;
}

/** How many elements a record has: those that are there, never a negative number. */
static unsigned int listed(int nents, const struct dma_error *why)
{
	if (why->reason == DMA_REASON_BAD_LIST)
		return (unsigned int)why->have;
	return nents > 0 ? (unsigned int)nents : 0;
}

static bool may_map_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
		       enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	if (!dmamap_check_dir(dev, dir, 0, 0, why))
		return false;
	if ((attrs & DMA_ATTR_REQUIRE_COHERENT) && !dmamap_dev(dev)->coherent) {
		fail_range(why, dev, DMA_REASON_NOT_COHERENT, -DMAMAP_EOPNOTSUPP, 0, 0);
		return false;
	}
	if (attrs & DMA_ATTR_MMIO) { /* one attribute cannot speak for all elements */
		fail_range(why, dev, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, 0, 0);
		return false;
	}
	return dmamap_check_mask(dev, 0, 0, why) && check_list(dev, sg, nents, why);
}

/* --- the ops route */

static bool is_documented(int err)
{
	return err == -DMAMAP_EINVAL || err == -DMAMAP_ENOMEM || err == -DMAMAP_EIO ||
	       err == -DMAMAP_EREMOTEIO;
}

static int ops_map_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
		      enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	int got;

	if (!d->ops->map_sg)
		return fail_range(why, dev, DMA_REASON_NO_METHOD, -DMAMAP_EINVAL, sg_phys(sg),
				  sg->length);
	got = d->ops->map_sg(dev, sg, nents, dir, attrs);
	if (got > 0) {
		dev_live_add(d, 1);
		return got;
	}
	fail_range(why, dev, DMA_REASON_METHOD_FAILED, got, sg_phys(sg), sg->length);
	if (is_documented(got))
		return got;
	if (dev_once(d, ONCE_SG_RESULT))
		dmamap_warn(d->host, dev,
			    "map_sg returned something else than a count or a documented error",
			    why);
	why->err = got;
	return -DMAMAP_EIO;
}

/* --- map */

static int map_sg_by_route(struct dma_device *dev, enum dma_route route, struct scatterlist *sg,
			   int nents, enum dma_data_direction dir, unsigned long attrs,
			   struct dma_error *why)
{
	if (route_is_direct(route)) {
		int got = dmamap_direct_map_sg(dev, sg, nents, dir, attrs, why);

		if (got > 0)
			dmamap_seal(dev);
		return got;
	}
	if (route == DMA_ROUTE_IOMMU)
		return dmamap_iommu_map_sg(dev, sg, nents, dir, attrs, why);
	return ops_map_sg(dev, sg, nents, dir, attrs, why);
}

static void sanitize_sg(struct dma_host *host, struct scatterlist *sg, int nents,
			enum dma_data_direction dir)
{
	for (int i = 0; host->sanitize && i < nents && sg; i++, sg = sg_next(sg))
		if (!(sg->dma_flags & DMAMAP_SG_PEER))
			host->sanitize(host, DMA_SANITIZE_MAP, sg_phys(sg), sg->length, dir);
}

/** Everything but the short way, which few routes have, and none with observers. */
static DMAMAP_APART int map_sg_by_steps(struct dma_device *dev, struct scatterlist *sg, int nents,
					enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_error why = { .reason = DMA_REASON_NONE };
	struct dma_event event = { .type = DMA_EVENT_MAP_SG, .dev = dev, .dir = dir, .sgl = sg };
	enum dma_route route = dmamap_dev(dev)->route;
	bool silent = !may_map_sg(dev, sg, nents, dir, attrs, &why);
	int got = why.err;

	if (!silent) {
		route = dmamap_route_of_sg(dev, sg, nents, false);
		got = map_sg_by_route(dev, route, sg, nents, dir, attrs, &why);
	}
	event.attrs = attrs;
	event.nents = listed(nents, &why);
	if (got > 0) {
		sanitize_sg(dev_host(dev), sg, nents, dir);
		event.ents = (unsigned int)got;
	} else {
		event.type = DMA_EVENT_MAP_SG_ERR;
		silent = silent || is_documented(why.err);
		if (!why.err)
			why.err = got; /* a method said 0: no error, but no mapping either */
	}
	dmamap_finish(&event, route, &why, silent);
	return got;
}

static DMAMAP_APART int map_sg_less_quick(struct dma_device *dev, struct scatterlist *sg, int nents,
					  enum dma_data_direction dir, unsigned long attrs)
{
	int got = 0;

	if (dmamap_dev(dev)->quick && !observed(dev))
		got = dmamap_iommu_quick_map_sg(dev, sg, nents, dir, attrs);
	return got ? got : map_sg_by_steps(dev, sg, nents, dir, attrs);
}

/** The count of DMA elements, or -errno; always traced. */
static inline int map_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			 enum dma_data_direction dir, unsigned long attrs)
{
	int got = has_long_way(dev) ? 0 : quick_map_sg(dmamap_dev(dev), sg, nents, dir, attrs);

	return got ? got : map_sg_less_quick(dev, sg, nents, dir, attrs);
}

unsigned int dmamap_map_sg_attrs(struct dma_device *dev, struct scatterlist *sg, int nents,
				 enum dma_data_direction dir, unsigned long attrs)
{
	int got = map_sg(dev, sg, nents, dir, attrs);

	return got > 0 ? (unsigned int)got : 0;
}

int dmamap_map_sgtable(struct dma_device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		       unsigned long attrs)
{
	int nents = sgt->orig_nents > INT32_MAX ? -1 : (int)sgt->orig_nents;
	int got = map_sg(dev, sgt->sgl, nents, dir, attrs);

	if (got < 0)
		return got;
	sgt->nents = (unsigned int)got;
	return 0;
}

/* --- unmap */

static bool unmap_sg_by_route(struct dma_device *dev, struct scatterlist *sg, int nents,
			      enum dma_data_direction dir, unsigned long attrs,
			      enum dma_route route, struct dma_error *why)
{
	const struct dma_map_ops *ops = dmamap_dev(dev)->ops;

	if (route_is_direct(route))
		return dmamap_direct_unmap_sg(dev, sg, nents, dir, attrs, why);
	if (route == DMA_ROUTE_IOMMU)
		return dmamap_iommu_unmap_sg(dev, sg, nents, dir, attrs, why);
	if (route != DMA_ROUTE_OPS)
		return true;
	if (!dev_live_end(dmamap_dev(dev))) {
		fail_range(why, dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, sg_phys(sg),
			   sg->length);
		return false;
	}
	if (ops->unmap_sg)
		ops->unmap_sg(dev, sg, nents, dir, attrs);
	return true;
}

/**
 * A list that was mapped by a short way is unmapped as it was mapped, whatever has become of its elements meanwhile, and
 * whether somebody observes or not. False: it is no such list.
 */
static bool unmap_damaged(struct dma_event *event, struct scatterlist *sg, int nents)
{
	struct dma_device *dev = event->dev;
	struct dma_error why = { .reason = DMA_REASON_NONE };

	if (!dmamap_iommu_is_marked(dev, sg, nents))
		return false;
	event->nents = (unsigned int)nents;
	dmamap_finish(event, dmamap_dev(dev)->route, &why, false);
	return dmamap_iommu_unmap_marked(dev, sg, nents);
}

static DMAMAP_APART void unmap_sg_by_steps(struct dma_device *dev, struct scatterlist *sg,
					   int nents, enum dma_data_direction dir,
					   unsigned long attrs)
{
	struct dma_error why = { .reason = DMA_REASON_NONE };
	struct dma_event event = { .type = DMA_EVENT_UNMAP_SG, .dev = dev, .dir = dir, .sgl = sg };
	enum dma_route route = dmamap_dev(dev)->route;
	bool ok = dmamap_check_dir(dev, dir, 0, 0, &why) && dmamap_check_mask(dev, 0, 0, &why) &&
		  check_list(dev, sg, nents, &why);

	event.attrs = attrs;
	event.nents = listed(nents, &why);
	if (why.reason == DMA_REASON_BAD_LIST && unmap_damaged(&event, sg, nents))
		return;
	if (ok)
		route = dmamap_route_of_sg(dev, sg, nents, true);
	dmamap_finish(&event, route, &why, false);
	/* no list was mapped with DMA_ATTR_MMIO, so that it may hide nothing here */
	if (ok && !unmap_sg_by_route(dev, sg, nents, dir, attrs & ~DMA_ATTR_MMIO, route, &why)) {
		dmamap_record(dev, route, &why);
		ok = false;
	}
	if (!ok)
		dmamap_misuse(dev, route, "unmap of a list that is not mapped", &why);
}

static DMAMAP_APART void unmap_sg_less_quick(struct dma_device *dev, struct scatterlist *sg,
					     int nents, enum dma_data_direction dir,
					     unsigned long attrs)
{
	uint64_t size;

	if (!dmamap_dev(dev)->quick || observed(dev) || (unsigned int)dir > DMA_FROM_DEVICE ||
	    !dmamap_iommu_quick_unmap_sg(dev, sg, nents, &size))
		unmap_sg_by_steps(dev, sg, nents, dir, attrs);
}

void dmamap_unmap_sg_attrs(struct dma_device *dev, struct scatterlist *sg, int nents,
			   enum dma_data_direction dir, unsigned long attrs)
{
	if (has_long_way(dev) || !quick_unmap_sg(dmamap_dev(dev), sg, nents, dir))
		unmap_sg_less_quick(dev, sg, nents, dir, attrs);
}

void dmamap_unmap_sgtable(struct dma_device *dev, struct sg_table *sgt, enum dma_data_direction dir,
			  unsigned long attrs)
{
	dmamap_unmap_sg_attrs(dev, sgt->sgl,
			      sgt->orig_nents > INT32_MAX ? -1 : (int)sgt->orig_nents, dir, attrs);
}
