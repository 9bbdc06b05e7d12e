/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking, finding and giving back runs of slots.
 *
 * The usual way takes the lock of one area: that of the caller's CPU, in the first part; then those of the others, in
 * turn. What fails there looks once more, part by part with all areas locked: that finds runs across areas, and only
 * then it is certain why there is none. Releases of a run across areas free it area by area.
 */
#include "internal.h"

static void count_up(struct dma_bounce *pool, uint64_t slots)
{
	uint64_t used = __atomic_add_fetch(&pool->tracked_used, slots, __ATOMIC_RELAXED);
	uint64_t peak = __atomic_load_n(&pool->tracked_peak, __ATOMIC_RELAXED);

	while (used > peak && !__atomic_compare_exchange_n(&pool->tracked_peak, &peak, used, true,
							   __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static void track(struct dma_bounce *pool, uint64_t slots)
{
	if (pool->flags & DMA_BOUNCE_TRACK_PEAK)
		count_up(pool, slots);
}

static void untrack(struct dma_bounce *pool, uint64_t slots)
{
	if (pool->flags & DMA_BOUNCE_TRACK_PEAK)
		__atomic_fetch_sub(&pool->tracked_used, slots, __ATOMIC_RELAXED);
}

/* Enter the slots [@from, @to) of a run that starts at @start in the books of their area, which is locked. */
static void occupy_in_area(const struct bounce_part *part, struct bounce_area *area,
			   const struct bounce_request *r, uint64_t start, uint64_t from,
			   uint64_t to)
{
	bitmap_fill(part->busy, from, to, true);
	bitmap_set(part->starts, from);
	part->runs[from] = (struct bounce_run){
		.orig = r->orig,
		.size = r->size,
		.lead = (uint32_t)r->lead,
		.slots = (uint32_t)r->query.slots,
		.back = (uint32_t)(from - start),
	};
	area->hint = to < bounce_area_end(area) ? to : area->first;
	area->used += to - from;
	if (area->used > area->peak)
		area->peak = area->used;
	area->maps += from == start;
}

/* Enter a run in the books. All areas that it touches are locked. */
static void occupy(const struct bounce_part *part, uint64_t slot, const struct bounce_request *r)
{
	uint64_t end = slot + r->query.slots;

	for (uint64_t from = slot, to; from < end; from = to) {
		struct bounce_area *area = bounce_area_of(part, from);

		to = min_u64(end, bounce_area_end(area));
		occupy_in_area(part, area, r, slot, from, to);
	}
	track(part->pool, r->query.slots);
}

/* Free the slots [@from, @to) of @area, which is locked. */
static void vacate_in_area(const struct bounce_part *part, struct bounce_area *area, uint64_t from,
			   uint64_t to)
{
	bitmap_fill(part->busy, from, to, false);
	area->hint = from;
	area->used -= to - from;
}

void dmamap_bounce_vacate(struct bounce_part *part, uint64_t slot, uint64_t slots)
{
	struct dma_host *host = part->pool->host;
	uint64_t end = slot + slots;

	untrack(part->pool, slots);
	for (uint64_t from = slot, to; from < end; from = to) {
		struct bounce_area *area = bounce_area_of(part, from);

		to = min_u64(end, bounce_area_end(area));
		dmamap_lock(host, &area->lock);
		bitmap_clear(part->starts, from);
		vacate_in_area(part, area, from, to);
		dmamap_unlock(host, &area->lock);
	}
}

void dmamap_bounce_uncount(struct bounce_part *part, uint64_t slot)
{
	struct bounce_area *area = bounce_area_of(part, slot);

	dmamap_lock(part->pool->host, &area->lock);
	area->maps--;
	dmamap_unlock(part->pool->host, &area->lock);
}

/* --- looking for room */

static bool take_in_area(struct bounce_request *r, struct bounce_part *part,
			 struct bounce_area *area, struct bounce_place *place)
{
	struct dma_host *host = r->pool->host;
	uint64_t end = bounce_area_end(area);
	uint64_t slot = BITMAP_NONE;

	dmamap_lock(host, &area->lock);
	if (!part->closed && area->slots - area->used >= r->query.slots)
		for (uint64_t from = area->first;
		     slot == BITMAP_NONE && dmamap_bounce_stretch(r, part, from, end);
		     from = r->query.limit)
			slot = dmamap_bounce_find(part, &r->query, area->hint);
	if (slot != BITMAP_NONE)
		occupy(part, slot, r);
	dmamap_unlock(host, &area->lock);
	*place = (struct bounce_place){ part, slot };
	return slot != BITMAP_NONE;
}

/* The areas of this CPU first, in all parts; then the others in turn. */
static bool take_quickly(struct bounce_request *r, unsigned int parts, struct bounce_place *place)
{
	unsigned int cpu = dmamap_cpu(r->pool->host);
	unsigned int most = 1;

	for (unsigned int turn = 0; turn < most; turn++) {
		for (unsigned int i = 0; i < parts; i++) {
			struct bounce_part *part = r->pool->parts[i].part;
			unsigned int n = part->nr_areas;

			if (n > most)
				most = n;
			if (turn < n &&
			    take_in_area(r, part, &part->areas[(cpu + turn) & (n - 1)], place))
				return true;
		}
	}
	return false;
}

void dmamap_bounce_lock_all(struct bounce_part *part)
{
	for (unsigned int i = 0; i < part->nr_areas; i++)
		dmamap_lock(part->pool->host, &part->areas[i].lock);
}

void dmamap_bounce_unlock_all(struct bounce_part *part)
{
	for (unsigned int i = part->nr_areas; i--;)
		dmamap_unlock(part->pool->host, &part->areas[i].lock);
}

/* What the parts have for a request that found no run, in slots. */
struct room {
	bool reached;
	uint64_t possible; /* longest run if everything were free */
	uint64_t free;
	uint64_t longest;
};

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Search the stretches of a part that is locked as a whole, and sum up what there is. */
static uint64_t search_part(struct bounce_request *r, const struct bounce_part *part,
			    struct room *room)
{
	struct bounce_query *q = &r->query;
	uint64_t slot;

	for (uint64_t from = 0; dmamap_bounce_stretch(r, part, from, part->slots);
	     from = q->limit) {
		room->reached = true;
		slot = r->size <= r->most ? dmamap_bounce_find(part, q, q->first) : BITMAP_NONE;
		if (slot != BITMAP_NONE)
			return slot;
		room->possible = max_u64(room->possible, dmamap_bounce_longest(part, q, true));
		room->longest = max_u64(room->longest, dmamap_bounce_longest(part, q, false));
		room->free += dmamap_bounce_free_slots(part, q);
	}
	return BITMAP_NONE;
}

static bool take_thoroughly(struct bounce_request *r, struct bounce_part *part,
			    struct bounce_place *place, struct room *room)
{
	uint64_t slot;

	dmamap_bounce_lock_all(part);
	slot = part->closed ? BITMAP_NONE : search_part(r, part, room);
	if (slot != BITMAP_NONE)
		occupy(part, slot, r);
	dmamap_bounce_unlock_all(part);
	*place = (struct bounce_place){ part, slot };
	return slot != BITMAP_NONE;
}

static enum dma_reason diagnose(const struct bounce_request *r, const struct room *room,
				uint64_t *have)
{
	*have = 0;
	if (!room->reached)
		return DMA_REASON_BOUNCE_UNREACHABLE;
	*have = dmamap_bounce_usable(r, room->possible);
	if (room->possible < r->query.slots || r->size > r->most)
		return DMA_REASON_BOUNCE_TOO_LARGE;
	*have = dmamap_bounce_usable(r, room->free);
	if (room->free < r->query.slots)
		return DMA_REASON_BOUNCE_EXHAUSTED;
	*have = dmamap_bounce_usable(r, room->longest);
	return DMA_REASON_BOUNCE_FRAGMENTED;
}

bool dmamap_bounce_take(struct bounce_request *r, struct bounce_place *place,
			enum dma_reason *reason, uint64_t *have)
{
	unsigned int parts = __atomic_load_n(&r->pool->nr_parts, __ATOMIC_ACQUIRE);
	struct room room = { .reached = false };

	if (r->size <= r->most && take_quickly(r, parts, place))
		return true;
	for (unsigned int i = 0; i < parts; i++)
		if (take_thoroughly(r, r->pool->parts[i].part, place, &room))
			return true;
	*reason = diagnose(r, &room, have);
	return false;
}

bool dmamap_bounce_take_private(struct bounce_request *r, struct bounce_part *part,
				struct bounce_place *place)
{
	return r->size <= r->most && take_in_area(r, part, part->areas, place);
}

/* --- live runs */

/* First slot of the live run that holds @slot, and what is known of it; false: none. The area of @slot is locked. */
static bool run_at(const struct bounce_part *part, const struct bounce_area *area, uint64_t slot,
		   struct bounce_run *run, uint64_t *start)
{
	uint64_t record;

	if (!bitmap_test(part->busy, slot))
		return false;
	record = slot;
	if (!bitmap_test(part->starts, slot))
		record = dmamap_bounce_bitmap_last_set(part->starts, area->first, slot);
	if (record == BITMAP_NONE)
		return false;
	*run = part->runs[record];
	*start = record - run->back;
	return slot - *start < run->slots;
}

bool dmamap_bounce_look_up(struct bounce_part *part, phys_addr_t copy, struct bounce_run *run,
			   uint64_t *slot)
{
	uint64_t at = (copy - part->base) >> part->pool->shift;
	struct bounce_area *area;
	bool found;

	if (at >= part->slots)
		return false;
	area = bounce_area_of(part, at);
	dmamap_lock(part->pool->host, &area->lock);
	found = run_at(part, area, at, run, slot);
	dmamap_unlock(part->pool->host, &area->lock);
	return found;
}

/* End the run that starts at @slot; its area is locked. False: there is none. */
static bool end_run(struct bounce_part *part, struct bounce_area *area, uint64_t slot, bool keep)
{
	uint64_t end = slot + part->runs[slot].slots;

	if (!bitmap_test(part->starts, slot) || part->runs[slot].back)
		return false;
	bitmap_clear(part->starts, slot);
	if (!keep && end <= bounce_area_end(area))
		vacate_in_area(part, area, slot, end);
	return true;
}

bool dmamap_bounce_claim(struct bounce_part *part, phys_addr_t copy, bool block, bool keep,
			 struct bounce_run *run, uint64_t *slot)
{
	struct dma_host *host = part->pool->host;
	uint64_t at = (copy - part->base) >> part->pool->shift;
	struct bounce_area *area;
	bool found;

	if (at >= part->slots)
		return false;
	area = bounce_area_of(part, at);
	dmamap_lock(host, &area->lock);
	found = run_at(part, area, at, run, slot) &&
		bounce_slot_phys(part, *slot) + run->lead == copy &&
		(run->orig == DMAMAP_PHYS_NONE) == block;
	if (found && *slot < area->first) {
		/* Padding: the run starts in an area before. Nobody else can end it and start it again meanwhile. */
		dmamap_unlock(host, &area->lock);
		area = bounce_area_of(part, *slot);
		dmamap_lock(host, &area->lock);
	}
	found = found && end_run(part, area, *slot, keep);
	dmamap_unlock(host, &area->lock);
	if (!found || keep)
		return found;
	if (*slot + run->slots > bounce_area_end(area))
		dmamap_bounce_vacate(part, *slot, run->slots);
	else
		untrack(part->pool, run->slots);
	return true;
}
