/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small ranges, from windows: 1 to WINDOW_RUN granules of a domain whose backend lets it write entries.
 *
 * Map: dmamap_small_take(), write each entry of the span, dmamap_small_publish(). Unmap: dmamap_small_unmap(), which
 * knows whether it is told of exactly one live mapping, and changes nothing if not. No call holds a lock when it
 * returns. What does not fit (too large, no block of addresses left, an address outside of every window) goes the way of
 * domain.h.
 */
#ifndef DMAMAP_IOMMU_SMALL_H
#define DMAMAP_IOMMU_SMALL_H

#include "domain.h"

#pragma GCC visibility push(hidden)

/** May a range of @granules of @domain be a span? */
static inline bool small_fits(const struct dma_domain *domain, uint64_t granules)
{
	return domain->windows.shards && granules <= WINDOW_RUN;
}

/** May the entry of [phys, phys + len) be written without asking the backend? */
static inline bool small_reaches(const struct dma_domain *domain, phys_addr_t phys, uint64_t len)
{
	const struct dma_backend_caps *caps = &domain->backend->caps;
	uint64_t last = phys + (len - 1);

	return last <= domain->windows.last_phys &&
	       (phys > caps->hole_end || last < caps->hole_start);
}

static inline uint64_t small_bits(const struct dma_domain *domain, unsigned int prot)
{
	return domain->windows.bits[prot % (sizeof(domain->windows.bits) / sizeof(uint64_t))];
}

static inline dma_addr_t span_address(const struct dma_domain *domain, const struct span *span)
{
	return (window_first(span->window) + span->index) << domain->shift;
}

/** Granules [at, at + n) of the span lead to @phys and what follows. */
static inline void span_write(const struct dma_domain *domain, const struct span *span,
			      unsigned int at, unsigned int n, phys_addr_t phys, uint64_t bits)
{
	uint64_t *entry = &span->window->entries[span->index + at];
	uint64_t value = phys >> domain->windows.phys_shift | bits;
	uint64_t step = granule_size(domain) >> domain->windows.phys_shift;

	for (unsigned int i = 0; i < n; i++, value += step)
		__atomic_store_n(&entry[i], value, __ATOMIC_RELAXED);
}

/** Take a span for @dev below its limits and @mask, and count it. False: there is none, for whatever reason. */
bool dmamap_small_take(struct dma_device *dev, unsigned int granules, uint64_t mask,
		       struct span *span);

/** Its entries are written: from now on it is a mapping. 0, or -errno of sync_map(), and the span is gone. */
int dmamap_small_publish(struct dma_device *dev, const struct span *span);

/** It was taken and not published; entries may have been written. */
void dmamap_small_abandon(struct dma_device *dev, const struct span *span);

enum small_result {
	SMALL_DONE,
	SMALL_ELSEWHERE,  /* the address is in no window */
	SMALL_NOT_MAPPED, /* nothing is mapped there */
	SMALL_OTHER,	  /* something is, but not exactly that */
};

/**
 * Unmap [iova, iova + granules). SMALL_DONE: the device has lost it, or will by the next flush if the domain is lazy
 * and not @strict. Anything else: nothing happened.
 */
enum small_result dmamap_small_unmap(struct dma_device *dev, dma_addr_t iova, uint64_t granules,
				     bool strict);

#pragma GCC visibility pop

#endif
