/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Masks and segment limits: what drivers declare (docs/semantics.md, "Masks").
 */
#include "direct/direct.h"
#include "iommu/iommu.h"
#include "map.h"

uint64_t dmamap_get_mask(const struct dma_device *dev)
{
	uint64_t mask = dev_mask(dmamap_dev(dev));

	return mask ? mask : DMA_BIT_MASK(32);
}

uint64_t dmamap_get_coherent_mask(const struct dma_device *dev)
{
	return dmamap_dev(dev)->coherent_mask;
}

/** Why no DMA could be done with @mask; *@lowest of dmamap_direct_check_mask(). */
static enum dma_reason unsupported(struct dma_device *dev, uint64_t mask, dma_addr_t *lowest)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	*lowest = 0;
	if (d->domain && !d->identity)
		return DMA_REASON_NONE;
	if (!d->ops)
		return dmamap_direct_check_mask(dev, mask, lowest);
	/* asked even while bypassed: the method keeps the bypass up to date */
	return !d->ops->dma_supported || d->ops->dma_supported(dev, mask)
		       ? DMA_REASON_NONE
		       : DMA_REASON_MASK_UNSUPPORTED;
}

bool dmamap_supported(struct dma_device *dev, uint64_t mask)
{
	dma_addr_t lowest;

	return unsupported(dev, mask, &lowest) == DMA_REASON_NONE;
}

static int refuse_mask(struct dma_device *dev, enum dma_reason reason, int err, uint64_t mask,
		       uint64_t lowest)
{
	struct dma_error why;

	fail_range(&why, dev, reason, err, lowest, 0);
	why.mask = mask;
	why.have = dmamap_device_live(dev);
	dmamap_record(dev, dmamap_dev(dev)->route, &why);
	return err;
}

/** Would the calls that *@storage decides about take another route, and unmaps not the one of their maps? */
static bool reroutes(const struct dma_device *dev, const uint64_t *storage, uint64_t mask)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	enum dma_route route = dmamap_choose_route(dev, mask);

	return (storage == d->mask && route != d->route) ||
	       (storage == &d->coherent_mask && route != d->alloc_route);
}

/** May the mask in *@storage become @mask? */
static int check_mask(struct dma_device *dev, const uint64_t *storage, uint64_t mask)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	enum dma_reason reason;
	dma_addr_t lowest;

	if (!storage)
		return refuse_mask(dev, DMA_REASON_NO_MASK, -DMAMAP_EIO, mask, 0);
	reason = unsupported(dev, mask, &lowest);
	if (reason != DMA_REASON_NONE)
		return refuse_mask(dev, reason, -DMAMAP_EIO, mask, lowest);
	if ((d->sealed || dmamap_device_live(dev)) &&
	    (mask < *storage || reroutes(dev, storage, mask)))
		return refuse_mask(dev, DMA_REASON_LIVE_MAPPINGS, -DMAMAP_EBUSY, mask, 0);
	return 0;
}

int dmamap_set_mask(struct dma_device *dev, uint64_t mask)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	int err = check_mask(dev, d->mask, mask);

	if (err)
		return err;
	if (d->host->mask_set)
		d->host->mask_set(d->host, dev, mask);
	__atomic_store_n(d->mask, mask, __ATOMIC_RELAXED);
	d->skip_sync = true; /* if the new route allows it */
	dmamap_device_update(dev);
	return 0;
}

int dmamap_set_coherent_mask(struct dma_device *dev, uint64_t mask)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	int err = check_mask(dev, &d->coherent_mask, mask);

	if (err)
		return err;
	d->coherent_mask = mask;
	dmamap_device_update(dev);
	return 0;
}

int dmamap_set_mask_and_coherent(struct dma_device *dev, uint64_t mask)
{
	int err = dmamap_set_mask(dev, mask);

	return err ? err : dmamap_set_coherent_mask(dev, mask);
}

int dmamap_coerce_mask_and_coherent(struct dma_device *dev, uint64_t mask)
{
	int err = dmamap_device_set_mask_storage(dev, DMA_MASK_SHARED);

	return err ? err : dmamap_set_mask_and_coherent(dev, mask);
}

/* --- segment limits */

unsigned int dmamap_get_max_seg_size(const struct dma_device *dev)
{
	return dev_max_segment(dmamap_dev(dev));
}

uint64_t dmamap_get_seg_boundary(const struct dma_device *dev)
{
	return dev_boundary(dmamap_dev(dev));
}

uint64_t dmamap_get_seg_boundary_nr_pages(const struct dma_device *dev, unsigned int shift)
{
	return ((dev ? dmamap_get_seg_boundary(dev) : DMA_BIT_MASK(32)) >> shift) + 1;
}

unsigned int dmamap_get_min_align_mask(const struct dma_device *dev)
{
	return dev_min_align(dmamap_dev(dev));
}

/** The device's parms, or NULL after one warning a device and setter. */
static struct dma_parms *parms_of(struct dma_device *dev, uint32_t once)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct dma_error why;

	if (d->parms)
		return d->parms;
	fail_range(&why, dev, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EIO, 0, 0);
	dmamap_record(dev, d->route, &why);
	if (dev_once(d, once))
		dmamap_warn(d->host, dev, "the device has no dma_parms to store a segment limit in",
			    NULL);
	return NULL;
}

int dmamap_set_max_seg_size(struct dma_device *dev, unsigned int size)
{
	struct dma_parms *parms = parms_of(dev, ONCE_NO_PARMS_SEG);

	if (!parms)
		return -DMAMAP_EIO;
	parms->max_segment_size = size;
	return 0;
}

int dmamap_set_seg_boundary(struct dma_device *dev, uint64_t mask)
{
	struct dma_parms *parms = parms_of(dev, ONCE_NO_PARMS_BOUNDARY);
	bool changes = parms && parms->segment_boundary_mask != mask;

	if (!parms)
		return -DMAMAP_EIO;
	/* the layout of lists behind an IOMMU follows from it: unmaps must find the one of their maps */
	if (changes && dmamap_dev(dev)->domain && dmamap_device_live(dev))
		return refuse_mask(dev, DMA_REASON_LIVE_MAPPINGS, -DMAMAP_EBUSY, mask, 0);
	parms->segment_boundary_mask = mask;
	return 0;
}

int dmamap_set_min_align_mask(struct dma_device *dev, unsigned int mask)
{
	struct dma_parms *parms = parms_of(dev, ONCE_NO_PARMS_ALIGN);

	if (!parms)
		return -DMAMAP_EIO;
	parms->min_align_mask = mask;
	dmamap_device_update(dev);
	return 0;
}

unsigned int dmamap_get_cache_alignment(const struct dma_device *dev)
{
	uint32_t align = dev_host(dev)->min_dma_align;

	return align ? align : 1;
}
