/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts of devices: where they are written to (docs/semantics.md, "Doorbells"). */
#include <dmamap/domain.h>

#include "iommu/iommu.h"
#include "map.h"

int dmamap_device_map_msi(struct dma_device *dev, phys_addr_t doorbell, dma_addr_t *addr)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	struct dma_error why;
	int err;

	if (!addr) {
		err = fail_range(&why, dev, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, doorbell, 0);
		dmamap_record(dev, d->route, &why);
		return err;
	}
	*addr = doorbell;
	if (!d->domain || d->identity)
		return 0;
	err = dmamap_iommu_map_msi(dev, doorbell, addr, &why);
	if (err)
		dmamap_record(dev, DMA_ROUTE_IOMMU, &why);
	return err;
}
