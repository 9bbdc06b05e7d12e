/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that firmware's own devices go on using (IVMD, AMD-Vi 5.2): a device whose number is in the range of a region
 * reaches it under its own addresses, in whatever domain it is; that comes before the device is attached. A region that
 * is excluded from translation is mapped too, because the exclusion range of the unit is not used here.
 */
#include "amdvi.h"

#include <dmamap/ivrs.h>

static bool is_meant(const struct dma_ivrs_region *region, const uint32_t *ids, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (ids[i] >= region->first_id && ids[i] <= region->last_id)
			return true;
	return false;
}

bool dmamap_amdvi_reserved(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int index,
			   struct dma_reserved_region *reserved)
{
	const struct dma_amdvi *a = amdvi_of(unit);
	uint32_t ids[DMA_REQUESTER_IDS];
	unsigned int n = a->ivrs ? dmamap_hw_ids(&a->attached, dev, ids) : 0;
	struct dma_ivrs_region region;

	for (unsigned int i = 0; n && dmamap_ivrs_region(a->ivrs, i, &region); i++) {
		if (!is_meant(&region, ids, n) || index--)
			continue;
		*reserved = (struct dma_reserved_region){ .first = region.first,
							  .last = region.last,
							  .direct = true };
		return true;
	}
	return false;
}
