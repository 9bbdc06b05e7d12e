/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is attached to an IOMMU, by number: what the drivers of hardware ask before they write a device's entry, and
 * when a fault names a number.
 *
 * The owner serialises all calls. A number belongs to one domain at a time; devices that share one (they stand behind
 * one bridge) share the domain, and the number stays until the last of them has gone.
 */
#ifndef DMAMAP_HW_REQUESTER_H
#define DMAMAP_HW_REQUESTER_H

#include <dmamap/requester.h>

#include "base/slab.h"

#pragma GCC visibility push(hidden)

/** A device that is attached. */
struct hw_attached {
	struct hw_attached *next;
	struct dma_device *dev;
	unsigned int domain_id;
	unsigned int n;
	uint32_t ids[DMA_REQUESTER_IDS];
};

struct hw_attached_list {
	struct dmamap_slab slab;
	struct dma_requesters requesters;
	uint32_t last_id;
	struct hw_attached *first;
};

void dmamap_hw_attached_init(struct hw_attached_list *list, struct dma_host *host,
			     const struct dma_requesters *requesters, uint32_t last_id);
void dmamap_hw_attached_fini(struct hw_attached_list *list);

/** The numbers of @dev, all within last_id; 0: it is not behind this IOMMU. */
unsigned int dmamap_hw_ids(const struct hw_attached_list *list, struct dma_device *dev,
			   uint32_t *ids);

/**
 * Enter @dev with its numbers; the caller then writes its entries. *@attached: it.
 * 0; -ENODEV: it has no number, or one above last_id; -EBUSY: it is there already, or one of its numbers belongs to
 * another domain; -ENOMEM.
 */
int dmamap_hw_attached_add(struct hw_attached_list *list, struct dma_device *dev,
			   unsigned int domain_id, struct hw_attached **attached);

/** The entry of a device, NULL if it is not attached. */
struct hw_attached *dmamap_hw_attached_find(const struct hw_attached_list *list,
					    const struct dma_device *dev);

/** Does an attached device other than @self use this number? */
bool dmamap_hw_attached_shared(const struct hw_attached_list *list, const struct hw_attached *self,
			       uint32_t id);

/** Take it out and free it. */
void dmamap_hw_attached_remove(struct hw_attached_list *list, struct hw_attached *attached);

/** The device behind a number that the hardware named; NULL: nobody's. */
struct dma_device *dmamap_hw_attached_device(const struct hw_attached_list *list, uint32_t id);

/** Is any device attached to this domain? */
bool dmamap_hw_attached_any(const struct hw_attached_list *list, unsigned int domain_id);

#pragma GCC visibility pop

#endif
