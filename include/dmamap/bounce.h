/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounce pools: memory that every device of interest reaches, through which other memory is copied.
 *
 * A pool is an array of slots. A mapping takes a run of them, keeps the low address bits that the device's
 * min_align_mask names, and never leaves its segment or the device's segment boundary. One request may be as large as
 * the largest free run; Linux's geometry (2 KiB slots, 128-slot segments) is a configuration, not a cap.
 */
#ifndef DMAMAP_BOUNCE_H
#define DMAMAP_BOUNCE_H

#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_host;
struct dma_device;
struct dma_bounce;

struct dma_bounce_config {
	/** sizeof(struct dma_bounce_config). */
	size_t size;
	/** Bytes of the pool, rounded up to a page. */
	uint64_t bytes;
	/** Bytes of a slot: a power of two from 256 to the page size. 0: 2048. */
	uint32_t slot_size;
	/** Slots of a segment that no mapping may cross: a power of two. 0: no segments. Linux: 128. */
	uint32_t segment_slots;
	/** Highest physical address of the pool; 0: 4 GiB - 1. */
	phys_addr_t ceiling;
	/** Use this physical memory (page-aligned RAM with linear address, owned by the caller). 0: ask the host. */
	phys_addr_t base;
};

struct dma_bounce_stats {
	phys_addr_t base;
	uint64_t bytes;
	uint32_t slot_size;
	uint64_t slots;
	uint64_t used_slots;
	uint64_t peak_slots;
	/** Slots of the longest free run. */
	uint64_t longest_run;
	/** Mappings ever made, and refused. */
	uint64_t maps;
	uint64_t failures;
};

/**
 * dma_bounce_create() - make a pool.
 * @host:   whose memory to use
 * @config: geometry
 * @pool:   receives the pool; the caller destroys it after all devices that use it are gone
 *
 * May sleep if the host's allocator does.
 *
 * Return: 0; -EINVAL for an impossible geometry; -ENOMEM.
 */
int dmamap_bounce_create(struct dma_host *host, const struct dma_bounce_config *config,
			 struct dma_bounce **pool);

/** dma_bounce_destroy() - give the pool back. Return: 0; -EBUSY while mappings live in it, and then nothing happened. */
int dmamap_bounce_destroy(struct dma_bounce *pool);

/** dma_bounce_get_stats() - copy the figures. Any context. */
void dmamap_bounce_get_stats(struct dma_bounce *pool, struct dma_bounce_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
