/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this room share: a pool, its parts, their areas, and the shape of a request.
 *
 * A pool is one part, or several: the first one, those it grew by, and transient ones that live as long as the one
 * mapping they were made for. A part is contiguous memory, cut into slots, which are divided into areas. Two bits
 * describe a slot: busy, and whether a record stands there; what else is known of a run stands in the record of its
 * first slot. So a map writes one record however many slots it takes, and an address inside of a run finds its record
 * by a backward search of the second bitmap.
 *
 * An area's lock covers its slots' bits and records, its hint and its counters. A map starts at the area of its CPU,
 * and tries the others in turn. Runs do not cross the borders of areas while there is another way; where segments
 * limit a run they never do, because a segment lies inside of one area. Without segments a request may be larger than
 * an area, or the only free run may straddle a border: then the locks of all areas are taken, in ascending order, and
 * the part is searched as one. Such a run has a further record at the start of each area that it enters, so that an
 * address needs only the lock of its own area to be looked up. So the guarantee stays that one request may be as large
 * as the largest free run, and the price is paid only by those who need it.
 */
#ifndef DMAMAP_BOUNCE_INTERNAL_H
#define DMAMAP_BOUNCE_INTERNAL_H

#include "base/host.h"
#include "bitmap.h"
#include "pool.h"

#pragma GCC visibility push(hidden)

/** Parts that stay: the first, and what a pool grew by. */
#define BOUNCE_PARTS 64u

/** A live run, kept with its first slot, and with the first slot of each area that it enters. */
struct bounce_run {
	/** DMAMAP_PHYS_NONE: coherent memory, which is a copy of nothing. */
	phys_addr_t orig;
	/** Bytes mapped. */
	uint64_t size;
	/** Bytes from the start of the run to the first byte mapped: padding slots, low bits. */
	uint32_t lead;
	/** Of the whole run. */
	uint32_t slots;
	/** From the first slot of the run to this record. */
	uint32_t back;
};

/** The lock has a cache line of its own, and so have the figures. */
struct bounce_area {
	struct dma_lock lock;
	uint64_t first;
	uint64_t slots;
	/** Where the next search starts: behind the last map, or at the last release. */
	uint64_t hint;
	uint64_t used;
	uint64_t peak;
	uint64_t maps;
	uint64_t reserve[2];
};

struct bounce_part {
	struct dma_bounce *pool;
	phys_addr_t base;
	uint64_t bytes;
	unsigned char *virt;
	uint64_t slots;
	uint64_t *busy;
	uint64_t *starts;
	struct bounce_run *runs;
	struct bounce_area *areas;
	unsigned int nr_areas;
	/** Slots of each area but the last, which has the rest too. */
	uint32_t area_slots;
	uint64_t meta_bytes;
	bool own_memory;
	/** Its memory was given back; nothing can be taken until it has some again. Under the locks of all areas. */
	bool closed;
	/** Since when dma_poll() has found it idle (idle_polls times), and how many maps it had seen by then. */
	unsigned int idle_polls;
	uint64_t idle_since;
	uint64_t idle_maps;
	/** A transient part: in the pool's list, under its lock; freed with the last user once it is dead. */
	bool transient;
	bool dead;
	unsigned int users;
	struct bounce_part *next;
};

/** Where a part that stays lies, side by side so that a look-up reads little. */
struct bounce_range {
	phys_addr_t base;
	uint64_t bytes;
	struct bounce_part *part;
};

struct dma_bounce {
	struct dma_host *host;
	uint32_t flags;
	uint32_t segment_slots; /* 0: none */
	unsigned int shift;	/* log2 of the slot size */
	unsigned int areas;	/* of each part; 0: as many as CPUs */
	uint64_t first_bytes;
	uint64_t max_bytes;
	phys_addr_t ceiling;
	/** Written once each, then nr_parts is raised. The first is for good; 0 bytes: closed. */
	unsigned int nr_parts;
	unsigned int nr_transients;
	struct bounce_range parts[BOUNCE_PARTS];

	/** Growth, transient parts and the figures below. Taken after no other lock of the pool. */
	struct dma_lock lock;
	uint64_t bytes;
	struct bounce_part *transients;
	uint64_t transient_slots;
	uint64_t transient_peak;
	uint64_t transient_maps; /* of those that are gone */
	uint64_t failures;
	/** Counted by everybody, only on request. */
	uint64_t tracked_used;
	uint64_t tracked_peak;
	/** A part is wanted; parts are being added, or given back. */
	bool wanted;
	bool changing;
	/** In the host's list of pools that grow, under the host's lock; polls that look at it, and the latest of them. */
	struct dma_bounce *next;
	unsigned int polls;
	uint64_t poll_round;
};

/** One request, in slots, with all that limits where it may lie. Bus slot numbers are DMA addresses >> shift. */
struct bounce_query {
	uint64_t slots;
	uint64_t segment; /* slots of a segment; 0: none */
	uint64_t period;  /* a run may not cross a multiple of this bus slot; 0: none */
	uint64_t align;	  /* the bus slot of a run's start has these bits … */
	uint64_t value;	  /* … equal to these */
	/* The stretch that is searched: the device reaches the slots [first, limit), which lie side by side for it. */
	uint64_t bus; /* bus slot of the part's slot 0, as if it were in the stretch too */
	uint64_t first, limit;
};

/** What a caller asked for, and the run that would hold it. */
struct bounce_request {
	struct dma_device *dev;
	struct dma_bounce *pool;
	phys_addr_t orig;
	uint64_t size;
	uint64_t dma_limit; /* highest address that the device may be given */
	uint64_t keep;	    /* low address bits to keep besides the device's min_align_mask */
	uint64_t granule;   /* the run is a multiple of it */
	uint64_t lead;	    /* bytes of the run before the first one mapped */
	uint64_t most;	    /* bytes that a device boundary inside of a slot leaves */
	struct bounce_query query;
};

/** A run that was taken. */
struct bounce_place {
	struct bounce_part *part;
	uint64_t slot;
};

/* --- search.c: one stretch, whose area or areas are locked */

/** First slot of a run in the stretch, found from @hint on; BITMAP_NONE if there is none. */
uint64_t dmamap_bounce_find(const struct bounce_part *part, const struct bounce_query *q,
			    uint64_t hint);

/**
 * The longest run that could start at an allowed place: among the free slots as they are, or, with @empty, if
 * every slot were free.
 */
uint64_t dmamap_bounce_longest(const struct bounce_part *part, const struct bounce_query *q,
			       bool empty);

/** Slots of the stretch that are free. */
uint64_t dmamap_bounce_free_slots(const struct bounce_part *part, const struct bounce_query *q);

/* --- request.c */

/** Work out the run that @r asks for; granules of @align_mask + 1. */
void dmamap_bounce_prepare(struct bounce_request *r, uint64_t align_mask);

/** The same for coherent memory of r->size bytes, a multiple of the page, aligned to @align. */
void dmamap_bounce_prepare_block(struct bounce_request *r, uint64_t align);

/** Set the query to the first stretch of @part in [@from, @to) that the device reaches; false: there is none. */
bool dmamap_bounce_stretch(struct bounce_request *r, const struct bounce_part *part, uint64_t from,
			   uint64_t to);

/** Highest physical address that the device reaches. */
phys_addr_t dmamap_bounce_reach_end(const struct bounce_request *r);

/** How many bytes could this request have, in a run or a pool of @slots free slots? */
uint64_t dmamap_bounce_usable(const struct bounce_request *r, uint64_t slots);

/* --- take.c */

/** Find and take a run; false, and the reason and what there was, if there is none. */
bool dmamap_bounce_take(struct bounce_request *r, struct bounce_place *place,
			enum dma_reason *reason, uint64_t *have);

/** The same in one part that nobody else knows. */
bool dmamap_bounce_take_private(struct bounce_request *r, struct bounce_part *part,
				struct bounce_place *place);

/** Make the slots of a run that was claimed free, and the next to be used: they are in the cache. */
void dmamap_bounce_vacate(struct bounce_part *part, uint64_t slot, uint64_t slots);

/** A run that was taken at @slot did not become a mapping after all. */
void dmamap_bounce_uncount(struct bounce_part *part, uint64_t slot);

/** The live run that holds @copy, and its first slot. */
bool dmamap_bounce_look_up(struct bounce_part *part, phys_addr_t copy, struct bounce_run *run,
			   uint64_t *slot);

/**
 * End the life of the run whose first byte is @copy; its slots stay busy if @keep. False: there is none, or it is not
 * of the kind (@block: coherent memory).
 */
bool dmamap_bounce_claim(struct bounce_part *part, phys_addr_t copy, bool block, bool keep,
			 struct bounce_run *run, uint64_t *slot);

/* --- map.c: what quick.c leaves to it */

phys_addr_t dmamap_bounce_map_anywhere(struct dma_device *dev, phys_addr_t phys, uint64_t size,
				       uint64_t align_mask, unsigned int how,
				       struct dma_error *why);
/** End the mapping at @copy in @part, which is put; copy @back. False and *@why: none starts there. */
bool dmamap_bounce_unmap_in(struct dma_device *dev, struct bounce_part *part, phys_addr_t copy,
			    uint64_t size, bool back, struct dma_error *why);
/** Zero what the granules of a mapping hold besides the buffer, also in what the device sees. */
void dmamap_bounce_zero_around(struct dma_device *dev, const struct bounce_part *part,
			       phys_addr_t copy, uint64_t size, uint64_t granule);
/** Undo a map whose buffer could not be read, and put the part. */
phys_addr_t dmamap_bounce_not_copied(struct dma_device *dev, struct bounce_part *part,
				     phys_addr_t copy, phys_addr_t orig, uint64_t size,
				     struct dma_error *why);

/** All areas, in ascending order. */
void dmamap_bounce_lock_all(struct bounce_part *part);
void dmamap_bounce_unlock_all(struct bounce_part *part);

/* --- part.c */

struct bounce_part *dmamap_bounce_part_create(struct dma_bounce *pool, uint64_t bytes,
					      unsigned int areas);
/** Memory of the part's own: aligned to @align, which is a power of two. False: the host has none. */
bool dmamap_bounce_part_fill(struct bounce_part *part, phys_addr_t ceiling, uint64_t align,
			     gfp_t gfp);
void dmamap_bounce_part_free(struct bounce_part *part);

/** Areas of a part of @slots: a power of two, at most @wanted, each with at least one segment. */
unsigned int dmamap_bounce_limit_areas(uint64_t wanted, uint64_t slots, uint32_t segment_slots);

/* --- grow.c */

/** Try to have more slots for @r than the pool has, and take them. */
bool dmamap_bounce_grow(struct bounce_request *r, struct bounce_place *place);
/** The part that holds @phys, or NULL; it is kept until it is put. */
struct bounce_part *dmamap_bounce_transient_get(struct dma_bounce *pool, phys_addr_t phys);
void dmamap_bounce_transient_put(struct bounce_part *part);
/** The only mapping of a transient part is gone. */
void dmamap_bounce_transient_retire(struct bounce_part *part);
/** A part that stays is complete: let everybody see it. The pool is locked, or nobody knows it. */
bool dmamap_bounce_publish(struct dma_bounce *pool, struct bounce_part *part);

/** Let one caller at a time change the parts of a pool; false: somebody does. */
bool dmamap_bounce_begin_change(struct dma_bounce *pool);
void dmamap_bounce_end_change(struct dma_bounce *pool);
/** Take @bytes from what the pool may still grow by, and give them back. */
bool dmamap_bounce_reserve(struct dma_bounce *pool, uint64_t bytes);
void dmamap_bounce_unreserve(struct dma_bounce *pool, uint64_t bytes);

/* --- shrink.c */

/** Give back the memory of grown parts that have been idle for long. No lock is held. */
void dmamap_bounce_shrink(struct dma_bounce *pool);
/** Give a closed part memory again, if there is one: as if it had been added. No lock is held; change begun. */
bool dmamap_bounce_reopen(struct dma_bounce *pool, gfp_t gfp);
/** Is one of the parts closed? The pool is locked. */
bool dmamap_bounce_has_closed(const struct dma_bounce *pool);

/* --- copy.c */

/** bounce_copy() piece by piece. */
bool dmamap_bounce_copy_pieces(const struct bounce_part *part, phys_addr_t copy, phys_addr_t orig,
			       uint64_t size, bool to_pool);

static inline uint64_t bounce_slot_bytes(const struct dma_bounce *pool)
{
	return (uint64_t)1 << pool->shift;
}

static inline phys_addr_t bounce_slot_phys(const struct bounce_part *part, uint64_t slot)
{
	return part->base + (slot << part->pool->shift);
}

static inline void *bounce_virt(const struct bounce_part *part, phys_addr_t copy)
{
	return part->virt + (copy - part->base);
}

static inline struct bounce_area *bounce_area_of(const struct bounce_part *part, uint64_t slot)
{
	uint32_t index = part->nr_areas == 1 ? 0 : (uint32_t)slot / part->area_slots;

	return &part->areas[index < part->nr_areas ? index : part->nr_areas - 1];
}

static inline void bounce_copy_bytes(struct dma_host *host, void *dst, const void *src,
				     uint64_t size)
{
	if (host->copy)
		host->copy(host, dst, src, size);
	else
		memcpy(dst, src, size);
}

/**
 * Copy @size bytes between the pool at @copy and memory at @orig. False if a part of that memory has no CPU address;
 * the rest was not copied then.
 */
static inline bool bounce_copy(const struct bounce_part *part, phys_addr_t copy, phys_addr_t orig,
			       uint64_t size, bool to_pool)
{
	struct dma_host *host = part->pool->host;
	unsigned char *ptr;

	if ((orig & (host->page_size - 1)) + size > host->page_size)
		return dmamap_bounce_copy_pieces(part, copy, orig, size, to_pool);
	ptr = host->phys_to_virt(host, orig);
	if (!ptr)
		return dmamap_bounce_copy_pieces(part, copy, orig, size, to_pool);
	if (to_pool)
		bounce_copy_bytes(host, bounce_virt(part, copy), ptr, size);
	else
		bounce_copy_bytes(host, ptr, bounce_virt(part, copy), size);
	return true;
}

/** Must a claimed run stay busy until something has been done to its bytes, or to its part? */
static inline bool bounce_needs_release(const struct bounce_part *part)
{
	return part->transient || part->pool->flags & DMA_BOUNCE_SCRUB;
}

/** Copy the buffer into the run that was found for it. False: it cannot be read. */
static inline bool bounce_fill(struct dma_device *dev, const struct bounce_part *part,
			       phys_addr_t copy, phys_addr_t orig, uint64_t size, uint64_t granule,
			       unsigned int how)
{
	dmamap_dev_has_bounced(dev);
	if (!bounce_copy(part, copy, orig, size, true))
		return false;
	if (how & BOUNCE_ZERO_REST)
		dmamap_bounce_zero_around(dev, part, copy, size, granule);
	return true;
}

/** Slot behind the last one of @area. */
static inline uint64_t bounce_area_end(const struct bounce_area *area)
{
	return area->first + area->slots;
}

/** Parts that were added may be given back, and come again elsewhere: then they are as large as before. */
static inline bool bounce_range_holds(const struct bounce_range *range, phys_addr_t phys)
{
	uint64_t bytes = __atomic_load_n(&range->bytes, __ATOMIC_ACQUIRE);

	return phys - __atomic_load_n(&range->base, __ATOMIC_RELAXED) < bytes;
}

/** The part of @pool, which may be NULL, that holds @phys; NULL: none. */
static inline struct bounce_part *bounce_part_get(struct dma_bounce *pool, phys_addr_t phys)
{
	unsigned int n;

	if (!pool)
		return NULL;
	if (phys - pool->parts[0].base < pool->parts[0].bytes)
		return pool->parts[0].part;
	n = __atomic_load_n(&pool->nr_parts, __ATOMIC_ACQUIRE);
	for (unsigned int i = 1; i < n; i++)
		if (bounce_range_holds(&pool->parts[i], phys))
			return pool->parts[i].part;
	if (!n || !__atomic_load_n(&pool->nr_transients, __ATOMIC_RELAXED))
		return NULL;
	return dmamap_bounce_transient_get(pool, phys);
}

static inline void bounce_part_put(struct bounce_part *part)
{
	if (part && part->transient)
		dmamap_bounce_transient_put(part);
}

#pragma GCC visibility pop

#endif
