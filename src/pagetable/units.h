/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IOMMU units of a page-table domain: the one of its configuration, and those that devices bring with them.
 *
 * All of them read one table. An invalidation goes to each, then all are waited for,
 * then the devices' own caches have their turn, and are waited for too. Units are only ever added, so that who
 * invalidates needs no lock; one without a device is left alone.
 */
#ifndef DMAMAP_PAGETABLE_UNITS_H
#define DMAMAP_PAGETABLE_UNITS_H

#include <dmamap/pagetable.h>

#include "base/heap.h"
#include "base/host.h"

#pragma GCC visibility push(hidden)

struct pt_unit {
	struct dma_iommu_unit *unit;
	unsigned int domain_id; /* what it calls the domain */
	struct pt_unit *next;
	/** Attached ones. The configured unit is asked whether it has some or not. */
	uint32_t devices;
	bool configured;
};

struct pt_units {
	struct dma_host *host;
	unsigned int domain_id;
	enum dma_pt_format format;
	struct dma_lock lock; /* guards additions */
	struct pt_unit first; /* most domains have one */
	bool device_tlbs;     /* does a unit have such devices? */
	/** The configured unit, if there is no other and no such device: then there is nothing to look for. */
	struct dma_iommu_unit *alone;
};

void dmamap_units_init(struct pt_units *units, struct dma_host *host,
		       const struct dma_pt_config *config);
/** No device is attached. Every unit that ever was the domain's hears that it is gone. */
void dmamap_units_fini(struct pt_units *units);

/** The unit in front of @dev; NULL @dev: whatever the configured one is for. */
struct dma_iommu_unit *dmamap_units_of(const struct pt_units *units, const struct dma_device *dev);
int dmamap_units_attach(struct pt_units *units, struct dma_device *dev, phys_addr_t root,
			unsigned int levels);
void dmamap_units_detach(struct pt_units *units, struct dma_device *dev);
/** 0, or the first refusal. */
int dmamap_units_mapped(struct pt_units *units, dma_addr_t iova, uint64_t len);
void dmamap_units_invalidate(struct pt_units *units, dma_addr_t iova, uint64_t len, bool leaf_only);
void dmamap_units_wait(struct pt_units *units);

#pragma GCC visibility pop

#endif
