/* SPDX-License-Identifier: BSD-2-Clause */
/* Reserved and direct regions of a domain: regions.c. The domain's lock is held, but for init and fini. */
#ifndef DMAMAP_IOMMU_REGIONS_H
#define DMAMAP_IOMMU_REGIONS_H

#include "domain.h"

#pragma GCC visibility push(hidden)

void dmamap_regions_fini(struct dma_domain *domain);

/**
 * Keep [@first, @last] out of the address space for ever, as far as it is not. 0; -EBUSY: part of it is in use;
 * -ENOMEM. Parts that were free are kept out then.
 */
int dmamap_regions_reserve(struct dma_domain *domain, dma_addr_t first, dma_addr_t last);

/** Is the granule kept out? */
bool dmamap_regions_hold(const struct dma_domain *domain, uint64_t granule);

/**
 * Map [@first, @last], which is kept out and in the aperture, as it stands; what is mapped so already stays. 0; -EBUSY: something else is
 * mapped there; or the backend's error. What was entered before stays.
 */
int dmamap_regions_map(struct dma_domain *domain, dma_addr_t first, dma_addr_t last,
		       unsigned int prot);

#pragma GCC visibility pop

#endif
