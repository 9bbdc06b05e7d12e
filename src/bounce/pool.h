/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the routes ask of a bounce pool. The public half is dmamap/bounce.h.
 *
 * A slot run belongs to one mapping from map to release. Copies touch only the bytes that were mapped; the direction
 * that counts in a sync is the sync call's. No function sleeps.
 */
#ifndef DMAMAP_BOUNCE_POOL_H
#define DMAMAP_BOUNCE_POOL_H

#include <dmamap/bounce.h>

#include "base/fail.h"

#pragma GCC visibility push(hidden)

/**
 * Take slots for [phys, phys + size) and copy the buffer in, whatever the direction (a partial device write must not
 * expose older bytes of the pool).
 *
 * @align_mask: 0, or granule - 1: the mapping then owns whole granules. Low bits of @phys under the device's
 * min_align_mask are kept. With @zero_rest the rest of the granules is zeroed.
 *
 * Reports SWIOTLB_BOUNCED first. Marks the device as having bounced. Return: physical address of the copy, or
 * DMAMAP_PHYS_NONE and *@why: no-bounce-pool, bounce-exhausted, -fragmented, -too-large, -unreachable, not-kmappable.
 */
phys_addr_t dmamap_bounce_map(struct dma_device *dev, phys_addr_t phys, uint64_t size,
			      uint64_t align_mask, bool zero_rest, bool forced,
			      enum dma_data_direction dir, unsigned long attrs,
			      struct dma_error *why);

/** Whose memory @pool is made of. */
struct dma_host *dmamap_bounce_host(const struct dma_bounce *pool);

/** Does @phys lie in the pool of @dev (allocated or not)? */
bool dmamap_bounce_owns(const struct dma_device *dev, phys_addr_t phys);

/** Does a live mapping of the pool of @dev hold @phys? */
bool dmamap_bounce_live(const struct dma_device *dev, phys_addr_t phys);

/**
 * Copy back (FROM_DEVICE and BIDIRECTIONAL, unless SKIP_CPU_SYNC) and release the run that starts at @copy. False and
 * *@why (not-bounced) if no mapping starts there; counts stay intact.
 */
bool dmamap_bounce_unmap(struct dma_device *dev, phys_addr_t copy, uint64_t size,
			 enum dma_data_direction dir, unsigned long attrs, struct dma_error *why);

/** Copy a part of a live mapping: original to copy (TO, BIDIRECTIONAL), copy to original (FROM, BIDIRECTIONAL).
 *  More than the mapping holds is clamped, with one warning a device. A free slot: nothing happens. */
void dmamap_bounce_sync_for_device(struct dma_device *dev, phys_addr_t copy, uint64_t size,
				   enum dma_data_direction dir);
void dmamap_bounce_sync_for_cpu(struct dma_device *dev, phys_addr_t copy, uint64_t size,
				enum dma_data_direction dir);

/** Largest mapping that can ever succeed for a device with this min_align_mask. */
uint64_t dmamap_bounce_max_size(const struct dma_device *dev);

#pragma GCC visibility pop

#endif
