/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the routes ask of a bounce pool. The public half is dmamap/bounce.h.
 *
 * A slot run belongs to one mapping from map to release. Copies touch only the bytes that were mapped; the direction
 * that counts in a sync is the sync call's. No function sleeps, unless the host may block and the pool grows.
 */
#ifndef DMAMAP_BOUNCE_POOL_H
#define DMAMAP_BOUNCE_POOL_H

#include <dmamap/bounce.h>

#include "base/fail.h"

#pragma GCC visibility push(hidden)

/** How a mapping bounces: the rest of its granules is zeroed; it is the device's lot (for the record). */
#define BOUNCE_ZERO_REST 0x1u
#define BOUNCE_FORCED	 0x2u

/**
 * Take slots for [phys, phys + size) and copy the buffer in, whatever the direction (a partial device write must not
 * expose older bytes of the pool).
 *
 * @align_mask: 0, or granule - 1: the mapping then owns whole granules. Low bits of @phys under the device's
 * min_align_mask are kept. @how: BOUNCE_*.
 *
 * Reports SWIOTLB_BOUNCED first. Marks the device as having bounced. Return: physical address of the copy, or
 * DMAMAP_PHYS_NONE and *@why: no-bounce-pool, bounce-forbidden, -exhausted, -fragmented, -too-large,
 * -unreachable, not-kmappable.
 */
phys_addr_t dmamap_bounce_map(struct dma_device *dev, phys_addr_t phys, uint64_t size,
			      uint64_t align_mask, unsigned int how, struct dma_error *why);

/**
 * The same for a piece of a larger mapping, which keeps its place in the granule of @align_mask + 1 bytes, whatever the
 * device's min_align_mask is.
 */
phys_addr_t dmamap_bounce_map_piece(struct dma_device *dev, phys_addr_t phys, uint64_t size,
				    uint64_t align_mask, bool zero_rest, struct dma_error *why);

/** Whose memory @pool is made of. */
struct dma_host *dmamap_bounce_host(const struct dma_bounce *pool);

/** Does @phys lie in the pool of @dev (allocated or not)? */
bool dmamap_bounce_owns(const struct dma_device *dev, phys_addr_t phys);

/** Does a live mapping of the pool of @dev hold @phys? */
bool dmamap_bounce_live(const struct dma_device *dev, phys_addr_t phys);
/** The same, with the address of that mapping's first byte and its size. */
bool dmamap_bounce_live_at(const struct dma_device *dev, phys_addr_t phys, phys_addr_t *copy,
			   uint64_t *size);

/**
 * Copy back (FROM_DEVICE and BIDIRECTIONAL, unless SKIP_CPU_SYNC) and release the run that starts at @copy. False and
 * *@why (not-bounced) if no mapping starts there; counts stay intact.
 */
bool dmamap_bounce_unmap(struct dma_device *dev, phys_addr_t copy, uint64_t size,
			 enum dma_data_direction dir, unsigned long attrs, struct dma_error *why);

/** What an address was that a device may no longer use. */
enum bounce_unmapped {
	BOUNCE_FOREIGN,	 /* no slot of the pool: nothing happened */
	BOUNCE_UNMAPPED, /* a mapping, which ended */
	BOUNCE_REFUSED,	 /* a slot at which none starts: *@why */
};

/** The same for an address that may lie in the pool or not. */
enum bounce_unmapped dmamap_bounce_unmap_any(struct dma_device *dev, phys_addr_t copy,
					     uint64_t size, enum dma_data_direction dir,
					     unsigned long attrs, struct dma_error *why);

/** Copy a part of a live mapping: original to copy (TO, BIDIRECTIONAL), copy to original (FROM, BIDIRECTIONAL).
 *  More than the mapping holds is clamped, with one warning a device. A free slot: nothing happens. */
void dmamap_bounce_sync_for_device(struct dma_device *dev, phys_addr_t copy, uint64_t size,
				   enum dma_data_direction dir);
void dmamap_bounce_sync_for_cpu(struct dma_device *dev, phys_addr_t copy, uint64_t size,
				enum dma_data_direction dir);

/** Must every RAM mapping through @pool bounce? NULL: no. */
bool dmamap_bounce_forces(const struct dma_bounce *pool);

/** Does coherent memory of @dev come from its pool? */
bool dmamap_bounce_gives_coherent(const struct dma_device *dev);

/**
 * A block of coherent memory from the pool of @dev, which gives some: @size bytes, a multiple of the page, aligned to
 * the power of two that holds them if that is possible, else to a page. Its content is undefined. Return: physical
 * address within the device's coherent reach, or DMAMAP_PHYS_NONE and *@why (bounce-exhausted, -fragmented, …).
 */
phys_addr_t dmamap_bounce_alloc(struct dma_device *dev, uint64_t size, struct dma_error *why);

/** Give a block back. False if none starts at @phys; then nothing happened. */
bool dmamap_bounce_free(struct dma_device *dev, phys_addr_t phys);

/** Does a block of @size bytes start at @phys? */
bool dmamap_bounce_holds_block(const struct dma_device *dev, phys_addr_t phys, uint64_t size);

/** Let the pools of @host that wait for it grow. No lock is held. */
void dmamap_bounce_poll(struct dma_host *host);

/** Largest mapping that can ever succeed for a device with this min_align_mask. */
uint64_t dmamap_bounce_max_size(const struct dma_device *dev);

#pragma GCC visibility pop

#endif
