/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Coherent memory described as a list, for those who export it.
 */
#include <dmamap/domain.h>

#include "alloc.h"

/** The physical address behind an allocation; DMAMAP_PHYS_NONE if there is none. */
static phys_addr_t phys_of(struct dma_device *dev, void *cpu_addr, dma_addr_t handle, size_t size)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	phys_addr_t phys = dmamap_declared_phys(dev, cpu_addr, size);

	if (phys != DMAMAP_PHYS_NONE)
		return phys;
	if (d->alloc_route == DMA_ROUTE_IOMMU)
		return dmamap_domain_iova_to_phys(d->domain, handle, &phys) ? DMAMAP_PHYS_NONE
									    : phys;
	return dmamap_dev_to_phys(dev, handle, &phys) ? phys : DMAMAP_PHYS_NONE;
}

static int refuse(struct dma_device *dev, enum dma_reason reason, int err, dma_addr_t handle,
		  size_t size)
{
	struct dma_error why;

	fail_range(&why, dev, reason, err, handle, size);
	dmamap_record(dev, dmamap_dev(dev)->alloc_route, &why);
	return err;
}

int dmamap_get_sgtable_attrs(struct dma_device *dev, struct sg_table *sgt, void *cpu_addr,
			     dma_addr_t handle, size_t size, unsigned long attrs)
{
	uint64_t page = dev_host(dev)->page_size;
	struct dmamap_table table;
	phys_addr_t phys;

	(void)attrs;
	if (!sgt || !cpu_addr || !size || size > UINT32_MAX - (page - 1))
		return refuse(dev, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, handle, size);
	if (dmamap_dev(dev)->alloc_route == DMA_ROUTE_OPS &&
	    dmamap_declared_phys(dev, cpu_addr, size) == DMAMAP_PHYS_NONE)
		return refuse(dev, DMA_REASON_NO_METHOD, -DMAMAP_ENXIO, handle, size);
	phys = phys_of(dev, cpu_addr, handle, size);
	if (phys == DMAMAP_PHYS_NONE)
		return refuse(dev, DMA_REASON_NOT_ALLOCATED, -DMAMAP_EINVAL, handle, size);
	if (!dmamap_table_init(&table, dev_host(dev)))
		return refuse(dev, DMA_REASON_NO_MEMORY, -DMAMAP_ENOMEM, handle, size);
	dmamap_table_add(&table, phys, (unsigned int)round_up(size, page));
	*sgt = (struct sg_table){ table.first, table.nents, table.nents };
	return 0;
}
