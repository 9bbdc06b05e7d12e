/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounce pools: memory that every device of interest reaches, through which other memory is copied.
 *
 * A pool is an array of slots. A mapping takes a run of them, keeps the low address bits that the device's
 * min_align_mask names, and never leaves its segment or the device's segment boundary. One request may be as large as
 * the largest free run; Linux's geometry (2 KiB slots, 128-slot segments) is a configuration, not a cap. Slots are
 * divided into areas with a lock each, so that CPUs do not meet. A pool may be allowed to grow.
 *
 * docs/semantics.md, "Bounce pools".
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

/** Every RAM mapping of the devices that use the pool bounces, and their MMIO is refused (mmio-cannot-bounce). */
#define DMA_BOUNCE_FORCE 0x1u
/** The pool has no memory and refuses every map (bounce-forbidden). No other flag goes with it. */
#define DMA_BOUNCE_FORBID 0x2u
/** Slots are zeroed when the pool is made and when they are released: a device finds in the pool only what is mapped. */
#define DMA_BOUNCE_SCRUB 0x4u
/** Coherent memory of the devices that use the pool comes from it too. */
#define DMA_BOUNCE_COHERENT 0x8u
/** A restricted pool: its devices never see any other memory, and in it nothing that is not mapped. */
#define DMA_BOUNCE_RESTRICTED (DMA_BOUNCE_FORCE | DMA_BOUNCE_SCRUB | DMA_BOUNCE_COHERENT)
/** Keep peak_slots exact with several areas, at the price of a counter that all CPUs write. */
#define DMA_BOUNCE_TRACK_PEAK 0x10u

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
	/** DMA_BOUNCE_*. */
	uint32_t flags;
	/**
	 * Areas: rounded up to a power of two, and down so far that each has a segment (64 slots at least). 0: as many as
	 * the host has CPUs; without segments at most one for 512 slots. dma_bounce_get_stats() says what it became.
	 */
	uint32_t areas;
	/**
	 * Bytes that the pool may grow to when it is exhausted or fragmented; at most @bytes: it does not grow. The first
	 * part stays @base; the others come from the host, and go back in dma_poll() when they have been idle for a second.
	 */
	uint64_t max_bytes;
	/** Without @base: if there are no @bytes, try half of them again and again, down to this. 0: fail. */
	uint64_t min_bytes;
};

/** Sums over areas and parts, each read at its own moment. */
struct dma_bounce_stats {
	/** Where the first part starts; DMAMAP_PHYS_NONE for a pool that forbids. */
	phys_addr_t base;
	/** Of all parts, transient ones included. */
	uint64_t bytes;
	uint32_t slot_size;
	/** Areas of the first part; parts that stay. */
	uint32_t areas;
	uint32_t parts;
	uint64_t slots;
	/** Slots of transient parts: memory taken for one mapping each, because the pool was full. */
	uint64_t transient_slots;
	uint64_t used_slots;
	/**
	 * Most slots in use at a time. Exact for a pool of one area that never grew, and with TRACK_PEAK; else the sum of
	 * what each area and all transient parts had at most: never less than the truth, and more if they were not busy
	 * at the same time.
	 */
	uint64_t peak_slots;
	/** Slots of the longest free run, transient parts left out. */
	uint64_t longest_run;
	/** Mappings (and coherent allocations) ever made, and refused. */
	uint64_t maps;
	uint64_t failures;
};

/**
 * dma_bounce_create() - make a pool.
 * @host:   whose memory to use
 * @config: geometry
 * @pool:   receives the pool; the caller destroys it after all devices that use it are gone
 *
 * May sleep if the host's allocator does. A restricted pool is one for a device at a known base: give it to
 * dma_device_set_bounce(), and the device sees no other memory.
 *
 * Return: 0; -EINVAL for an impossible geometry, for flags that exclude each other, or if @base is not RAM with one
 * linear address; -ENOMEM.
 */
int dmamap_bounce_create(struct dma_host *host, const struct dma_bounce_config *config,
			 struct dma_bounce **pool);

/**
 * dma_bounce_round_bytes() - the size that leaves no slot of a configuration unused.
 * @config: geometry; only bytes, slot_size, segment_slots and areas are read
 *
 * Slots are rounded up to whole segments. If areas are given, each (their number rounded up to a power of two) gets a
 * segment at least, and the number of slots becomes a power of two. Any context.
 *
 * Return: bytes, to be put into the configuration.
 */
uint64_t dmamap_bounce_round_bytes(const struct dma_bounce_config *config);

/**
 * dma_bounce_destroy() - give the pool back.
 * Return: 0; -EBUSY while mappings live in it, or while another thread's dma_poll() makes it grow, and then nothing
 * happened.
 */
int dmamap_bounce_destroy(struct dma_bounce *pool);

/** dma_bounce_get_stats() - copy the figures. Any context. */
void dmamap_bounce_get_stats(struct dma_bounce *pool, struct dma_bounce_stats *stats);

/** dma_bounce_reset_peak() - let peak_slots start again at what is in use now. Any context. */
void dmamap_bounce_reset_peak(struct dma_bounce *pool);

#ifdef __cplusplus
}
#endif

#endif
