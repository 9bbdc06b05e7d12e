/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping, syncing and releasing through a pool.
 *
 * An area's lock covers the search and the bookkeeping, never a copy or a report. A release first claims the run (it
 * is then no longer live, but its slots stay busy), copies back, and frees the slots: of two releases of one mapping
 * exactly one succeeds, and nobody else can get the slots while they are still being read. Where slots are scrubbed,
 * that happens in the same interval.
 *
 * Every map copies in, also one that a device will only write: it may write less than all of it, and the bytes that it
 * leaves out must come back as they were. Only a promise to write everything would do without, and callers have no way
 * to give one. A map copies what was mapped and not a byte more.
 */
#include "internal.h"

static void report_bounced(struct dma_device *dev, phys_addr_t phys, uint64_t size, bool forced)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	struct dma_event event = {
		.type = DMA_EVENT_SWIOTLB_BOUNCED,
		.forced = forced,
		.dev = dev,
		.phys = phys,
		.size = size,
		.mask = dev_mask(d),
	};

	if (d->route != DMA_ROUTE_IOMMU)
		dmamap_dev_to_dma(dev, phys, false, &event.phys);
	dmamap_report(d->host, &event);
}

/* --- release */

/* The bytes of a run are nobody's any more: no device may read them. */
static void scrub(struct dma_device *dev, const struct bounce_part *part, uint64_t slot,
		  uint64_t slots)
{
	struct dma_host *host = part->pool->host;
	phys_addr_t start = bounce_slot_phys(part, slot);
	uint64_t bytes = slots << part->pool->shift;

	memset(bounce_virt(part, start), 0, bytes);
	if (dmamap_dev(dev)->coherent)
		return;
	dmamap_cache_for_device(host, start, bytes, DMA_TO_DEVICE);
	dmamap_cache_flush(host);
}

/* Free the slots of a run that was claimed, and whose bytes nobody needs any more. */
static void release(struct dma_device *dev, struct bounce_part *part, uint64_t slot, uint64_t slots)
{
	if (part->pool->flags & DMA_BOUNCE_SCRUB)
		scrub(dev, part, slot, slots);
	dmamap_bounce_vacate(part, slot, slots);
	if (part->transient)
		dmamap_bounce_transient_retire(part);
}

/* --- map */

static phys_addr_t refuse(const struct bounce_request *r, enum dma_reason reason, uint64_t have,
			  struct dma_error *why)
{
	if (r->pool)
		__atomic_fetch_add(&r->pool->failures, 1, __ATOMIC_RELAXED);
	fail_range(why, r->dev, reason, -DMAMAP_ENOMEM, r->orig, r->size);
	why->have = have;
	return DMAMAP_PHYS_NONE;
}

/* A run for a request that was worked out, if need be by growing. */
static bool find_room(struct bounce_request *r, struct bounce_place *place, struct dma_error *why)
{
	enum dma_reason reason;
	uint64_t have;

	if (dmamap_bounce_take(r, place, &reason, &have) || dmamap_bounce_grow(r, place))
		return true;
	refuse(r, reason, have, why);
	return false;
}

/* Say once that large granules ask for more than pools promise. */
static void check_granule(struct dma_device *dev, uint64_t align_mask, phys_addr_t phys,
			  uint64_t size)
{
	struct dma_error err;

	if (align_mask < dev_host(dev)->page_size ||
	    !dev_once(dmamap_dev(dev), ONCE_BOUNCE_GRANULE))
		return;
	fail_range(&err, dev, DMA_REASON_ALIGNMENT, -DMAMAP_EINVAL, phys, size);
	err.have = align_mask + 1;
	dmamap_warn(dev_host(dev), dev, "a bounce is aligned to more than a page", &err);
}

/** Zero [start, end), for a device that does not snoop as well: nobody else will clean what belongs to no mapping. */
static void zero(struct dma_device *dev, const struct bounce_part *part, phys_addr_t start,
		 phys_addr_t end)
{
	if (start == end)
		return;
	memset(bounce_virt(part, start), 0, end - start);
	if (!dmamap_dev(dev)->coherent)
		dmamap_cache_for_device(part->pool->host, start, end - start, DMA_TO_DEVICE);
}

void dmamap_bounce_zero_around(struct dma_device *dev, const struct bounce_part *part,
			       phys_addr_t copy, uint64_t size, uint64_t granule)
{
	phys_addr_t end = copy + size;

	zero(dev, part, round_down(copy, granule), copy);
	zero(dev, part, end, round_up(end, granule));
	if (!dmamap_dev(dev)->coherent)
		dmamap_cache_flush(part->pool->host);
}

phys_addr_t dmamap_bounce_not_copied(struct dma_device *dev, struct bounce_part *part,
				     phys_addr_t copy, phys_addr_t orig, uint64_t size,
				     struct dma_error *why)
{
	const struct bounce_request r = {
		.dev = dev, .pool = part->pool, .orig = orig, .size = size
	};
	struct bounce_run run;
	uint64_t slot;

	if (dmamap_bounce_claim(part, copy, false, true, &run, &slot)) {
		dmamap_bounce_uncount(part, slot);
		release(dev, part, slot, run.slots);
	}
	bounce_part_put(part);
	return refuse(&r, DMA_REASON_NOT_KMAPPABLE, 0, why);
}

/* Map what @r asks for, with a record of it. */
static phys_addr_t map_request(struct bounce_request *r, uint64_t align_mask, unsigned int how,
			       struct dma_error *why)
{
	const struct dmamap_dev *d = dmamap_dev(r->dev);
	struct bounce_place place;
	phys_addr_t copy;

	r->pool = d->bounce;
	r->dma_limit = dev_limit(d);
	if (r->pool && r->pool->flags & DMA_BOUNCE_FORBID)
		return refuse(r, DMA_REASON_BOUNCE_FORBIDDEN, 0, why);
	if (host_observed(d->host))
		report_bounced(r->dev, r->orig, r->size, how & BOUNCE_FORCED);
	if (!r->pool)
		return refuse(r, DMA_REASON_NO_BOUNCE_POOL, 0, why);
	check_granule(r->dev, align_mask, r->orig, r->size);
	dmamap_bounce_prepare(r, align_mask);
	if (!find_room(r, &place, why))
		return DMAMAP_PHYS_NONE;
	copy = bounce_slot_phys(place.part, place.slot) + r->lead;
	if (!bounce_fill(r->dev, place.part, copy, r->orig, r->size, r->granule, how))
		return dmamap_bounce_not_copied(r->dev, place.part, copy, r->orig, r->size, why);
	bounce_part_put(place.part);
	return copy;
}

phys_addr_t dmamap_bounce_map_anywhere(struct dma_device *dev, phys_addr_t phys, uint64_t size,
				       uint64_t align_mask, unsigned int how, struct dma_error *why)
{
	struct bounce_request r = { .dev = dev, .orig = phys, .size = size };

	return map_request(&r, align_mask, how, why);
}

phys_addr_t dmamap_bounce_map_piece(struct dma_device *dev, phys_addr_t phys, uint64_t size,
				    uint64_t align_mask, bool zero_rest, struct dma_error *why)
{
	struct bounce_request r = { .dev = dev, .orig = phys, .size = size, .keep = align_mask };

	return map_request(&r, align_mask, zero_rest ? BOUNCE_ZERO_REST : 0, why);
}

/* --- what lives where */

/* The live mapping that holds @copy, with the address of its first byte. The part is to be put if there is one. */
static struct bounce_part *look_up(struct dma_bounce *pool, phys_addr_t copy,
				   struct bounce_run *run, phys_addr_t *first)
{
	struct bounce_part *part = bounce_part_get(pool, copy);
	uint64_t slot;

	if (!part)
		return NULL;
	if (dmamap_bounce_look_up(part, copy, run, &slot) && run->orig != DMAMAP_PHYS_NONE) {
		*first = bounce_slot_phys(part, slot) + run->lead;
		return part;
	}
	bounce_part_put(part);
	return NULL;
}

bool dmamap_bounce_owns(const struct dma_device *dev, phys_addr_t phys)
{
	struct bounce_part *part = bounce_part_get(dmamap_dev(dev)->bounce, phys);

	bounce_part_put(part);
	return part;
}

bool dmamap_bounce_live_at(const struct dma_device *dev, phys_addr_t phys, phys_addr_t *copy,
			   uint64_t *size)
{
	struct bounce_run run;
	struct bounce_part *part = look_up(dmamap_dev(dev)->bounce, phys, &run, copy);

	if (part)
		*size = run.size;
	bounce_part_put(part);
	return part;
}

bool dmamap_bounce_live(const struct dma_device *dev, phys_addr_t phys)
{
	phys_addr_t copy;
	uint64_t size;

	return dmamap_bounce_live_at(dev, phys, &copy, &size);
}

/* @size, or @room with a warning if that is less. */
static uint64_t clamp(struct dma_device *dev, phys_addr_t copy, uint64_t size, uint64_t room)
{
	struct dma_error err;

	if (size <= room)
		return size;
	if (dev_once(dmamap_dev(dev), ONCE_BOUNCE_SYNC)) {
		fail_range(&err, dev, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, copy, size);
		err.have = room;
		dmamap_warn(dev_host(dev), dev, "more bytes than the bounced mapping holds", &err);
	}
	return room;
}

/* Copy a part of a live mapping; what it cannot copy any more is told to the host. */
static void copy_part(struct dma_device *dev, const struct bounce_part *part,
		      const struct bounce_run *run, uint64_t offset, phys_addr_t copy,
		      uint64_t size, bool to_pool)
{
	uint64_t room = offset < run->size ? run->size - offset : 0;
	struct dma_error err;

	size = clamp(dev, copy, size, room);
	if (bounce_copy(part, copy, run->orig + offset, size, to_pool))
		return;
	fail_range(&err, dev, DMA_REASON_NOT_KMAPPABLE, -DMAMAP_ENOMEM, run->orig + offset, size);
	dmamap_warn(dev_host(dev), dev, "a bounced buffer was not copied", &err);
}

/* --- unmap and sync */

bool dmamap_bounce_unmap_in(struct dma_device *dev, struct bounce_part *part, phys_addr_t copy,
			    uint64_t size, bool back, struct dma_error *why)
{
	bool keep = back || bounce_needs_release(part);
	struct bounce_run run;
	uint64_t slot;
	bool found;

	found = dmamap_bounce_claim(part, copy, false, keep, &run, &slot);
	if (!found)
		fail_range(why, dev, DMA_REASON_NOT_BOUNCED, -DMAMAP_EINVAL, copy, size);
	if (found && back)
		copy_part(dev, part, &run, 0, copy, size, false);
	if (found && keep)
		release(dev, part, slot, run.slots);
	bounce_part_put(part);
	return found;
}

bool dmamap_bounce_unmap(struct dma_device *dev, phys_addr_t copy, uint64_t size,
			 enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	switch (dmamap_bounce_unmap_any(dev, copy, size, dir, attrs, why)) {
	case BOUNCE_UNMAPPED:
		return true;
	case BOUNCE_FOREIGN:
		fail_range(why, dev, DMA_REASON_NOT_BOUNCED, -DMAMAP_EINVAL, copy, size);
		return false;
	default:
		return false;
	}
}

static void sync_part(struct dma_device *dev, phys_addr_t copy, uint64_t size, bool to_pool)
{
	struct bounce_run run;
	phys_addr_t first;
	struct bounce_part *part = look_up(dmamap_dev(dev)->bounce, copy, &run, &first);

	/* Before the first byte mapped there is only what alignment left over. */
	if (part && copy >= first)
		copy_part(dev, part, &run, copy - first, copy, size, to_pool);
	bounce_part_put(part);
}

void dmamap_bounce_sync_for_device(struct dma_device *dev, phys_addr_t copy, uint64_t size,
				   enum dma_data_direction dir)
{
	if (dir == DMA_TO_DEVICE || dir == DMA_BIDIRECTIONAL)
		sync_part(dev, copy, size, true);
}

void dmamap_bounce_sync_for_cpu(struct dma_device *dev, phys_addr_t copy, uint64_t size,
				enum dma_data_direction dir)
{
	if (dir == DMA_FROM_DEVICE || dir == DMA_BIDIRECTIONAL)
		sync_part(dev, copy, size, false);
}

/* --- coherent memory */

bool dmamap_bounce_gives_coherent(const struct dma_device *dev)
{
	const struct dma_bounce *pool = dmamap_dev(dev)->bounce;

	return pool && pool->flags & DMA_BOUNCE_COHERENT;
}

phys_addr_t dmamap_bounce_alloc(struct dma_device *dev, uint64_t size, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct bounce_request r = {
		.dev = dev,
		.pool = d->bounce,
		.orig = DMAMAP_PHYS_NONE,
		.size = size,
		.dma_limit = min_not_zero(d->coherent_mask, d->bus_limit),
	};
	struct bounce_place place;
	enum dma_reason reason;
	phys_addr_t phys;
	uint64_t have;

	if (size > r.pool->first_bytes) /* larger than anything: let the search say how large */
		r.size = r.pool->first_bytes + d->host->page_size;
	dmamap_bounce_prepare_block(&r, (uint64_t)1 << ceil_log2(r.size));
	if (!dmamap_bounce_take(&r, &place, &reason, &have)) {
		/* Natural alignment is a wish, not a promise. */
		dmamap_bounce_prepare_block(&r, d->host->page_size);
		if (!find_room(&r, &place, why)) {
			why->addr = 0;
			why->size = size;
			return DMAMAP_PHYS_NONE;
		}
	}
	phys = bounce_slot_phys(place.part, place.slot);
	bounce_part_put(place.part);
	return phys;
}

bool dmamap_bounce_holds_block(const struct dma_device *dev, phys_addr_t phys, uint64_t size)
{
	struct bounce_part *part = bounce_part_get(dmamap_dev(dev)->bounce, phys);
	struct bounce_run run;
	uint64_t slot;
	bool holds = part && dmamap_bounce_look_up(part, phys, &run, &slot) &&
		     run.orig == DMAMAP_PHYS_NONE && run.size == size &&
		     bounce_slot_phys(part, slot) == phys;

	bounce_part_put(part);
	return holds;
}

bool dmamap_bounce_free(struct dma_device *dev, phys_addr_t phys)
{
	struct bounce_part *part = bounce_part_get(dmamap_dev(dev)->bounce, phys);
	struct bounce_run run;
	uint64_t slot;
	bool found = part && dmamap_bounce_claim(part, phys, true, true, &run, &slot);

	if (found)
		release(dev, part, slot, run.slots);
	bounce_part_put(part);
	return found;
}

/* --- limits */

uint64_t dmamap_bounce_max_size(const struct dma_device *dev)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	const struct dma_bounce *pool = d->bounce;
	uint64_t most;
	uint64_t keep;

	if (!pool)
		return 0;
	if (pool->flags & DMA_BOUNCE_FORBID)
		return ~(uint64_t)0;
	most = pool->first_bytes;
	if (pool->segment_slots)
		most = min_u64(most, (uint64_t)pool->segment_slots << pool->shift);
	if (dev_boundary(d) < most)
		most = dev_boundary(d) + 1;
	keep = dev_min_align(d);
	if (keep)
		keep = round_up(keep, bounce_slot_bytes(pool));
	return most > keep ? most - keep : 0;
}
