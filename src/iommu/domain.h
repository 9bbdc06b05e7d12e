/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain: an I/O address space over a backend, and the queue of unmaps that wait for an invalidation.
 *
 * One lock guards all of it. The order of docs/semantics.md, "Invalidation", is in two functions: dmamap_domain_enter()
 * and dmamap_domain_clear(). No event is reported with the lock held.
 */
#ifndef DMAMAP_IOMMU_DOMAIN_H
#define DMAMAP_IOMMU_DOMAIN_H

#include <dmamap/domain.h>

#include "base/fault.h"
#include "base/host.h"
#include "iova.h"

#pragma GCC visibility push(hidden)

/** An unmap that waits: its addresses go back after a flush that began after it was queued. */
struct flush_entry {
	uint64_t granule;
	uint64_t granules;
};

struct dma_domain {
	struct dmamap_fault_sink faults; /* first: base/fault.c finds it by the domain's address */
	struct dma_host *host;
	struct dma_backend *backend;
	struct dma_lock lock;
	struct dmamap_iova *iova;
	unsigned int shift; /* of the granule */
	uint32_t devices;
	/** Granules reserved for ever, on top of those that do not exist. */
	uint64_t reserved;

	bool lazy;
	struct flush_entry *queue;
	uint32_t queue_size; /* entries, one of which stays empty */
	uint32_t queued;
	uint64_t flush_ns;
	uint64_t oldest; /* when the oldest entry was queued */
	struct dma_domain *next_lazy;

	struct dma_domain_stats stats;
};

_Static_assert(offsetof(struct dma_domain, faults) == 0, "a domain begins with its fault sink");

static inline uint64_t granule_size(const struct dma_domain *domain)
{
	return (uint64_t)1 << domain->shift;
}

/** [addr, addr + size) widened to whole granules. */
struct granules {
	dma_addr_t start;
	uint64_t size;
	uint64_t offset; /* of addr in start */
};

/** False if the widened range passes 2^64. */
static inline bool granules_of(const struct dma_domain *domain, uint64_t addr, uint64_t size,
			       struct granules *g)
{
	g->offset = addr & (granule_size(domain) - 1);
	g->start = addr - g->offset;
	g->size = round_up(size + g->offset, granule_size(domain));
	return g->size && g->size >= size && !range_wraps(g->start, g->size);
}

/** Protection bits of a mapping; 0 for an invalid direction. */
unsigned int dmamap_iommu_prot(bool coherent, enum dma_data_direction dir, unsigned long attrs);

/**
 * Take @size bytes (whole granules) of I/O addresses for @dev, the last at most at @limit. Lock held.
 * False and *@reason (NO_IOVA, NO_MEMORY).
 */
bool dmamap_domain_alloc(struct dma_domain *domain, struct dma_device *dev, uint64_t size,
			 uint64_t limit, dma_addr_t *iova, enum dma_reason *reason);
/** Give addresses back that never held an entry. Lock held. */
void dmamap_domain_unalloc(struct dma_domain *domain, dma_addr_t iova, uint64_t size);

/** Enter pieces from @iova on. Not yet visible to the hardware: sync_map() comes last. Lock held. 0, -errno. */
int dmamap_domain_enter(struct dma_domain *domain, dma_addr_t iova, const struct dma_vec *vec,
			size_t n, unsigned int prot);
int dmamap_domain_sync_map(struct dma_domain *domain, dma_addr_t iova, uint64_t size);

/** Clear [iova, iova + size), which has no hole; returns the bytes cleared. Lock held. */
uint64_t dmamap_domain_clear(struct dma_domain *domain, dma_addr_t iova, uint64_t size);

/**
 * After dmamap_domain_clear(): invalidate and wait, then give addresses and empty tables back; or queue all that, on a
 * lazy domain unless @strict. Lock held.
 */
void dmamap_domain_retire(struct dma_domain *domain, dma_addr_t iova, uint64_t size, bool strict);

/** After dmamap_domain_clear(): the same at once and for good, but the addresses stay taken. Lock held. */
void dmamap_domain_invalidate(struct dma_domain *domain, dma_addr_t iova, uint64_t size);

/** Flush what waits: if its time has come (or the host has no clock), or whatever the time. Lock held. */
void dmamap_domain_flush_due(struct dma_domain *domain);
void dmamap_domain_flush_now(struct dma_domain *domain);
/** Flush even if nothing waits: empty tables may. Lock held. */
void dmamap_domain_flush_all(struct dma_domain *domain);

/** The records of what the tables went through, if anybody listens. No lock held. */
void dmamap_domain_report_map(const struct dma_domain *domain, dma_addr_t iova, phys_addr_t phys,
			      uint64_t size);
void dmamap_domain_report_unmap(const struct dma_domain *domain, dma_addr_t iova, uint64_t size,
				uint64_t unmapped);

/** -errno of a backend as a reason. */
enum dma_reason dmamap_backend_reason(int err);

static inline void domain_lock(struct dma_domain *domain)
{
	dmamap_lock(domain->host, &domain->lock);
}

static inline void domain_unlock(struct dma_domain *domain)
{
	dmamap_unlock(domain->host, &domain->lock);
}

#pragma GCC visibility pop

#endif
