/* SPDX-License-Identifier: BSD-2-Clause */
/* Reserved and direct regions of a domain: regions.c. The domain's lock is held, but for init and fini. */
#ifndef DMAMAP_IOMMU_REGIONS_H
#define DMAMAP_IOMMU_REGIONS_H

#include "domain.h"

#pragma GCC visibility push(hidden)

void dmamap_regions_fini(struct dma_domain *domain);

/** The unit that stands in front of @dev in the domain; NULL: none. */
struct dma_iommu_unit *dmamap_regions_unit(const struct dma_domain *domain,
					   const struct dma_device *dev);

/** How far a walk of a device's regions has come. Zeroed: nowhere. */
struct region_cursor {
	unsigned int index;
	bool of_unit;
};

/** The next region that is not @dev's to use: the backend's own come first, then those of its unit. False: no more. */
bool dmamap_regions_next(struct dma_domain *domain, struct dma_device *dev,
			 struct region_cursor *cursor, struct dma_reserved_region *region);

/**
 * Keep [@first, @last] out of the address space for ever, as far as it is not. 0; -EBUSY: part of it is in use;
 * -ENOMEM. Parts that were free are kept out then.
 */
int dmamap_regions_reserve(struct dma_domain *domain, dma_addr_t first, dma_addr_t last);

/** Does the range meet a region that is kept out, or a page of msi.c? */
bool dmamap_regions_meet(const struct dma_domain *domain, dma_addr_t iova, uint64_t size);

/** Is @iova in a region that is kept out, or in a page of msi.c, and does it lead to @phys there? */
bool dmamap_regions_lead(const struct dma_domain *domain, dma_addr_t iova, phys_addr_t phys);

/**
 * Map [@first, @last], which is kept out and in the aperture, as it stands; what is mapped so already stays. 0; -EBUSY: something else is
 * mapped there; or the backend's error. What was entered before stays.
 */
int dmamap_regions_map(struct dma_domain *domain, dma_addr_t first, dma_addr_t last,
		       unsigned int prot);

#pragma GCC visibility pop

#endif
