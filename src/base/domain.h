/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a domain has at its beginning, so that rooms beside and below src/iommu/, which know nothing else of domains, can
 * call its fault handler and ask what a device reaches through it.
 */
#ifndef DMAMAP_BASE_DOMAIN_H
#define DMAMAP_BASE_DOMAIN_H

#include <dmamap/domain.h>
#include <dmamap/fault.h>

#pragma GCC visibility push(hidden)

/** I/O addresses, both ends included. */
struct dmamap_io_range {
	dma_addr_t first;
	dma_addr_t last;
};

/** Questions; each takes the domain's lock. */
struct dmamap_domain_view {
	/** The leaf that holds @iova, or the first above it. 0; -ENXIO: none; -EOPNOTSUPP: the backend cannot tell. */
	int (*next_leaf)(struct dma_domain *domain, dma_addr_t iova, struct dma_leaf *leaf);
	/** Does the domain itself lead the address to @phys: a direct region, a page of doorbells? */
	bool (*is_reserved)(struct dma_domain *domain, dma_addr_t iova, phys_addr_t phys);
	/** Write up to @max ranges that were unmapped and wait for their invalidation; how many there are. */
	uint64_t (*waiting)(struct dma_domain *domain, struct dmamap_io_range *ranges,
			    uint64_t max);
};

struct dmamap_domain_head {
	uint64_t granule;
	const struct dmamap_domain_view *view;
	dma_fault_handler fault_handler;
	void *fault_arg;
};

static inline struct dmamap_domain_head *dmamap_domain_head(struct dma_domain *domain)
{
	return (struct dmamap_domain_head *)(void *)domain;
}

#pragma GCC visibility pop

#endif
