/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reserved memory (RMRR, VT-d 8.4): what firmware's own devices go on using. A device in scope of a region reaches it
 * under its own addresses, in whatever domain it is; that comes before the device is attached. Firmware may list a region
 * several times.
 */
#include "vtd.h"

#include <dmamap/dmar.h>

static bool in_scope(struct dma_vtd *v, const struct dma_dmar_region *region, const uint32_t *ids,
		     unsigned int n)
{
	struct dma_dmar_scope scope;
	uint32_t id;

	for (unsigned int i = 0; dmamap_dmar_scope(&region->scopes, i, &scope); i++) {
		if (scope.kind != DMA_DMAR_ENDPOINT && scope.kind != DMA_DMAR_BRIDGE)
			continue;
		if (dmamap_dmar_scope_id(&scope, v->secondary, v->secondary_arg, &id))
			continue;
		for (unsigned int j = 0; j < n; j++)
			if (ids[j] == id)
				return true;
	}
	return false;
}

bool dmamap_vtd_reserved(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int index,
			 struct dma_reserved_region *reserved)
{
	struct dma_vtd *v = vtd_of(unit);
	uint32_t ids[DMA_REQUESTER_IDS];
	unsigned int n = v->dmar ? dmamap_hw_ids(&v->attached, dev, ids) : 0;
	struct dma_dmar_region region;

	for (unsigned int i = 0; n && dmamap_dmar_region(v->dmar, i, &region); i++) {
		if (region.segment != v->segment || !in_scope(v, &region, ids, n) || index--)
			continue;
		*reserved = (struct dma_reserved_region){ .first = region.first,
							  .last = region.last,
							  .direct = true };
		return true;
	}
	return false;
}
