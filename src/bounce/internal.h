/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this room share: a pool, its areas, and the shape of a request.
 *
 * A pool is divided into areas, each with a lock, bitmaps and a search position of its own (one area for now). Slots
 * are numbered inside of their area. Two bits describe a slot: busy, and whether a live run starts there; what else
 * is known of a run stands in the record of its first slot. So a map writes one record however many slots it takes,
 * and an address inside of a run finds its record by a backward search of the second bitmap.
 */
#ifndef DMAMAP_BOUNCE_INTERNAL_H
#define DMAMAP_BOUNCE_INTERNAL_H

#include "base/host.h"
#include "bitmap.h"
#include "pool.h"

#pragma GCC visibility push(hidden)

/** A live run, kept with its first slot. */
struct bounce_run {
	phys_addr_t orig;
	uint64_t size; /* bytes mapped */
	uint32_t
		lead; /* bytes from the start of the run to the first byte mapped: padding slots, low bits */
	uint32_t slots; /* of the whole run */
};

struct bounce_area {
	struct dma_lock lock;
	uint64_t first; /* in the pool's numbering */
	uint64_t slots;
	uint64_t
		hint; /* where the next search starts: behind the last map, or at the last release */
	uint64_t used;
	uint64_t peak;
	uint64_t maps;
	uint64_t failures;
	uint64_t *busy;
	uint64_t *starts;
	struct bounce_run *runs;
};

struct dma_bounce {
	struct dma_host *host;
	phys_addr_t base;
	uint64_t bytes;
	unsigned char *virt;
	uint64_t slots;
	uint32_t segment_slots; /* 0: none */
	unsigned int shift;	/* log2 of the slot size */
	bool own_memory;
	uint64_t meta_bytes;
	unsigned int nr_areas;
	struct bounce_area *areas;
};

/** One request, in slots, with all that limits where it may lie. Bus slot numbers are DMA addresses >> shift. */
struct bounce_query {
	const struct dma_bounce *pool;
	uint64_t slots;
	uint64_t bus;	       /* bus slot of the pool's slot 0 */
	uint64_t period;       /* a run may not cross a multiple of this bus slot; 0: none */
	uint64_t align;	       /* the bus slot of a run's start has these bits … */
	uint64_t value;	       /* … equal to these */
	uint64_t first, limit; /* the device reaches the pool's slots [first, limit) */
};

/** A run that was found: the area and the first slot, BITMAP_NONE if there is none. */
uint64_t dmamap_bounce_find(const struct bounce_area *area, const struct bounce_query *q);

/**
 * The longest run that could start at an allowed place: among the free slots as they are, or, with @empty, if
 * every slot were free.
 */
uint64_t dmamap_bounce_longest(const struct bounce_area *area, const struct bounce_query *q,
			       bool empty);

/** Slots of @area that the device reaches and that are free. */
uint64_t dmamap_bounce_free(const struct bounce_area *area, const struct bounce_query *q);

/**
 * Copy @size bytes between the pool at @copy and memory at @orig. False if a part of that memory has no CPU address;
 * the rest was not copied then.
 */
bool dmamap_bounce_copy(const struct dma_bounce *pool, phys_addr_t copy, phys_addr_t orig,
			uint64_t size, bool to_pool);

static inline uint64_t bounce_slot_bytes(const struct dma_bounce *pool)
{
	return (uint64_t)1 << pool->shift;
}

static inline phys_addr_t bounce_slot_phys(const struct dma_bounce *pool,
					   const struct bounce_area *area, uint64_t slot)
{
	return pool->base + ((area->first + slot) << pool->shift);
}

static inline void *bounce_virt(const struct dma_bounce *pool, phys_addr_t copy)
{
	return pool->virt + (copy - pool->base);
}

static inline bool bounce_inside(const struct dma_bounce *pool, phys_addr_t phys)
{
	return pool && phys - pool->base < pool->bytes;
}

#pragma GCC visibility pop

#endif
