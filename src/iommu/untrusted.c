/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an untrusted device may not have, because no copy could keep it from seeing more than it was given.
 *
 * RAM beside a buffer is kept from it by copies; these two have no such way out, and are refused (docs/semantics.md,
 * "IOMMU route"). Linux maps both.
 */
#include "domain.h"
#include "iommu.h"

/** Whole granules are mapped: MMIO that does not fill them brings the registers beside it. */
static bool exposes_registers(const struct dma_device *dev, phys_addr_t phys, uint64_t size,
			      unsigned long attrs)
{
	return (attrs & DMA_ATTR_MMIO) && ((phys | size) & dmamap_iommu_granule_mask(dev));
}

/** Where entries cannot deny reads, a device that is to write a buffer can read what was in it. */
static bool exposes_content(const struct dmamap_dev *d, enum dma_data_direction dir,
			    unsigned long attrs)
{
	return dir == DMA_FROM_DEVICE && !(attrs & DMA_ATTR_MMIO) &&
	       !d->domain->backend->caps.write_only && !d->host->untrusted_may_read_back;
}

bool dmamap_iommu_may_have(struct dma_device *dev, phys_addr_t phys, uint64_t size,
			   enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	enum dma_reason reason;

	if (!d->untrusted)
		return true;
	if (exposes_registers(dev, phys, size, attrs))
		reason = DMA_REASON_MMIO_ALIGNMENT;
	else if (exposes_content(d, dir, attrs))
		reason = DMA_REASON_READ_BACK;
	else
		return true;
	fail_range(why, dev, reason, -DMAMAP_EPERM, phys, size);
	return false;
}
