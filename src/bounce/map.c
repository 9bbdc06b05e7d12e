/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping, syncing and releasing through a pool.
 *
 * An area's lock covers the search and the bookkeeping, never a copy or a report. A release first claims the run (it
 * is then no longer live, but its slots stay busy), copies back, and frees the slots: of two releases of one mapping
 * exactly one succeeds, and nobody else can get the slots while they are still being read.
 */
#include "internal.h"

/* What a caller asked for, and the run that would hold it. */
struct request {
	struct dma_device *dev;
	struct dma_bounce *pool;
	phys_addr_t orig;
	uint64_t size;
	uint64_t granule; /* the run is a multiple of it */
	uint64_t lead;	  /* bytes of the run before the first one mapped */
	uint64_t most;	  /* bytes that a device boundary inside of a slot leaves */
	struct bounce_query query;
};

/* One area for now; later the caller's own one first. */
static struct bounce_area *area_for_map(const struct dma_bounce *pool)
{
	return &pool->areas[0];
}

static struct bounce_area *area_of(const struct dma_bounce *pool, phys_addr_t copy)
{
	(void)copy;
	return &pool->areas[0];
}

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

	if (!host_observed(d->host))
		return;
	if (d->route != DMA_ROUTE_IOMMU)
		dmamap_dev_to_dma(dev, phys, false, &event.phys);
	dmamap_report(d->host, &event);
}

/* The bytes [*start, *end) of the pool that lie in the first window of the device's bus that meets it. */
static void window_of(const struct dma_range *map, const struct dma_bounce *pool, uint64_t *start,
		      uint64_t *end)
{
	*start = 0;
	*end = map ? 0 : pool->bytes;
	for (; map && map->size; map++) {
		if (pool->base - map->cpu < map->size) {
			*end = min_u64(pool->bytes, map->size - (pool->base - map->cpu));
			return;
		}
		if (map->cpu - pool->base < pool->bytes) {
			*start = map->cpu - pool->base;
			*end = min_u64(pool->bytes, *start + map->size);
			return;
		}
	}
}

/* Which slots does the device reach, and at which bus address? False: none. */
static bool find_reach(const struct dma_device *dev, const struct dma_bounce *pool,
		       struct bounce_query *q)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t slot = bounce_slot_bytes(pool);
	uint64_t limit = dev_limit(d);
	uint64_t start;
	uint64_t end;
	dma_addr_t addr;

	if (d->route == DMA_ROUTE_IOMMU) {
		/* The IOMMU translates: the device never emits the pool's own address. */
		q->limit = pool->slots;
		q->bus = pool->base >> pool->shift;
		return true;
	}
	window_of(d->range_map, pool, &start, &end);
	q->first = (start + slot - 1) >> pool->shift;
	q->limit = end >> pool->shift;
	if (q->first >= q->limit ||
	    !dmamap_dev_to_dma(dev, pool->base + (q->first << pool->shift), true, &addr) ||
	    (addr & (slot - 1)) || addr > limit)
		return false;
	q->bus = (addr >> pool->shift) - q->first;
	/* A slot counts if its last byte is within the limit; limit - addr + 1 bytes may be 2^64. */
	limit -= addr;
	limit = (limit >> pool->shift) + ((limit & (slot - 1)) == slot - 1);
	q->limit = min_u64(q->limit, q->first + limit);
	return q->first < q->limit;
}

/* Device boundaries: a power of two, at least the lowest bit of what is no mask. */
static void set_boundary(struct request *r)
{
	uint64_t period = dev_boundary(dmamap_dev(r->dev)) + 1;

	period &= ~period + 1;
	r->most = ~(uint64_t)0;
	if (!period)
		return;
	r->query.period = period >> r->pool->shift;
	if (r->query.period)
		return;
	r->query.period = 1;
	r->most = period - (r->lead & (period - 1));
}

/*
 * Address bits of the run's start. @align_mask aligns it; the rest of the device's min_align_mask is taken from the
 * original, at 0 like anywhere else. A page or more that has neither is page-aligned (historic, and relied upon).
 */
static void set_alignment(struct request *r, uint64_t align_mask, uint64_t keep, uint64_t total)
{
	uint64_t page = dmamap_dev(r->dev)->host->page_size;
	unsigned int shift = r->pool->shift;

	if (!align_mask && !keep && total >= page)
		align_mask = page - 1;
	keep &= ~align_mask;
	r->query.align = (align_mask | keep) >> shift;
	r->query.value = (r->orig & keep) >> shift;
}

/* Work the request out; UNREACHABLE, TOO_LARGE (it wraps), or NONE. */
static enum dma_reason prepare(struct request *r, uint64_t align_mask)
{
	uint64_t slot = bounce_slot_bytes(r->pool);
	uint64_t keep = dev_min_align(dmamap_dev(r->dev));
	uint64_t total;

	r->granule = align_mask + 1;
	r->lead = r->orig & keep & (align_mask | (slot - 1));
	r->query = (struct bounce_query){ .pool = r->pool };
	if (!find_reach(r->dev, r->pool, &r->query))
		return DMA_REASON_BOUNCE_UNREACHABLE;
	if (r->size > r->pool->bytes || r->granule > r->pool->bytes)
		total = r->pool->bytes +
			slot; /* never fits; the search of an empty pool says how much would */
	else
		total = round_up(r->size + r->lead, r->granule);
	set_boundary(r);
	set_alignment(r, align_mask, keep, total);
	r->query.slots = total ? (total + slot - 1) >> r->pool->shift : 1;
	return DMA_REASON_NONE;
}

/* How many bytes could this request have, in a run or a pool of @slots free slots? */
static uint64_t usable(const struct request *r, uint64_t slots)
{
	uint64_t bytes = round_down(slots << r->pool->shift, r->granule);

	return bytes > r->lead ? min_u64(bytes - r->lead, r->most) : 0;
}

/* Why was no run found? The area is locked. */
static enum dma_reason diagnose(const struct bounce_area *area, const struct request *r,
				uint64_t *have)
{
	uint64_t slots = dmamap_bounce_longest(area, &r->query, true);

	*have = usable(r, slots);
	if (slots < r->query.slots || r->size > r->most)
		return DMA_REASON_BOUNCE_TOO_LARGE;
	slots = dmamap_bounce_free(area, &r->query);
	*have = usable(r, slots);
	if (slots < r->query.slots)
		return DMA_REASON_BOUNCE_EXHAUSTED;
	*have = usable(r, dmamap_bounce_longest(area, &r->query, false));
	return DMA_REASON_BOUNCE_FRAGMENTED;
}

/* Enter a run in the books. The area is locked. */
static void occupy(struct bounce_area *area, uint64_t slot, const struct request *r)
{
	uint64_t end = slot + r->query.slots;

	dmamap_bounce_bitmap_fill(area->busy, slot, end, true);
	bitmap_set(area->starts, slot);
	area->runs[slot] = (struct bounce_run){
		.orig = r->orig,
		.size = r->size,
		.lead = (uint32_t)r->lead,
		.slots = (uint32_t)r->query.slots,
	};
	area->hint = end < area->slots ? end : 0;
	area->used += r->query.slots;
	if (area->used > area->peak)
		area->peak = area->used;
	area->maps++;
}

/* The slots of a run that was claimed are free again, and the next to be used: they are in the cache. */
static void vacate(struct bounce_area *area, uint64_t slot)
{
	uint64_t slots = area->runs[slot].slots;

	dmamap_bounce_bitmap_fill(area->busy, slot, slot + slots, false);
	area->hint = slot;
	area->used -= slots;
}

/* Find and take a run; BITMAP_NONE and a reason if there is none. Figures of the pool are kept either way. */
static uint64_t take(struct bounce_area *area, const struct request *r, enum dma_reason *reason,
		     uint64_t *have)
{
	struct dma_host *host = r->pool->host;
	uint64_t slot = BITMAP_NONE;

	dmamap_lock(host, &area->lock);
	if (*reason == DMA_REASON_NONE) {
		if (r->size <= r->most)
			slot = dmamap_bounce_find(area, &r->query);
		if (slot == BITMAP_NONE)
			*reason = diagnose(area, r, have);
	}
	if (slot == BITMAP_NONE)
		area->failures++;
	else
		occupy(area, slot, r);
	dmamap_unlock(host, &area->lock);
	return slot;
}

/* Undo take() for a buffer that could not be read. */
static void give_back(struct dma_host *host, struct bounce_area *area, uint64_t slot)
{
	dmamap_lock(host, &area->lock);
	bitmap_clear(area->starts, slot);
	vacate(area, slot);
	area->maps--;
	area->failures++;
	dmamap_unlock(host, &area->lock);
}

/* Zero what the granules of the mapping hold besides the buffer. */
static void zero_around(const struct request *r, phys_addr_t copy)
{
	phys_addr_t start = round_down(copy, r->granule);
	phys_addr_t end = copy + r->size;

	memset(bounce_virt(r->pool, start), 0, copy - start);
	memset(bounce_virt(r->pool, end), 0, round_up(end, r->granule) - end);
}

phys_addr_t dmamap_bounce_map(struct dma_device *dev, phys_addr_t phys, uint64_t size,
			      uint64_t align_mask, bool zero_rest, bool forced,
			      enum dma_data_direction dir, unsigned long attrs,
			      struct dma_error *why)
{
	struct request r = {
		.dev = dev, .pool = dmamap_dev(dev)->bounce, .orig = phys, .size = size
	};
	enum dma_reason reason = DMA_REASON_NO_BOUNCE_POOL;
	struct bounce_area *area = NULL;
	uint64_t slot = BITMAP_NONE;
	uint64_t have = 0;
	phys_addr_t copy;

	(void)dir;
	(void)attrs;
	report_bounced(dev, phys, size, forced);
	if (r.pool) {
		area = area_for_map(r.pool);
		reason = prepare(&r, align_mask);
		slot = take(area, &r, &reason, &have);
	}
	if (slot == BITMAP_NONE) {
		fail_range(why, dev, reason, -DMAMAP_ENOMEM, phys, size);
		why->have = have;
		return DMAMAP_PHYS_NONE;
	}
	dmamap_dev_has_bounced(dev);
	copy = bounce_slot_phys(r.pool, area, slot) + r.lead;
	if (!dmamap_bounce_copy(r.pool, copy, phys, size, true)) {
		give_back(r.pool->host, area, slot);
		fail_range(why, dev, DMA_REASON_NOT_KMAPPABLE, -DMAMAP_ENOMEM, phys, size);
		return DMAMAP_PHYS_NONE;
	}
	if (zero_rest)
		zero_around(&r, copy);
	return copy;
}

/* First slot of the live run that holds @copy, BITMAP_NONE if there is none. The area is locked. */
static uint64_t run_at(const struct dma_bounce *pool, const struct bounce_area *area,
		       phys_addr_t copy)
{
	uint64_t slot = ((copy - pool->base) >> pool->shift) - area->first;
	uint64_t start;

	if (!bitmap_test(area->busy, slot))
		return BITMAP_NONE;
	start = dmamap_bounce_bitmap_last_set(area->starts, 0, slot + 1);
	if (start == BITMAP_NONE || slot - start >= area->runs[start].slots)
		return BITMAP_NONE;
	return start;
}

/* The live run that holds @copy, with the address of its first mapped byte. */
static bool look_up(const struct dma_bounce *pool, phys_addr_t copy, struct bounce_run *run,
		    phys_addr_t *first)
{
	struct bounce_area *area;
	uint64_t slot;

	if (!bounce_inside(pool, copy))
		return false;
	area = area_of(pool, copy);
	dmamap_lock(pool->host, &area->lock);
	slot = run_at(pool, area, copy);
	if (slot != BITMAP_NONE) {
		*run = area->runs[slot];
		*first = bounce_slot_phys(pool, area, slot) + run->lead;
	}
	dmamap_unlock(pool->host, &area->lock);
	return slot != BITMAP_NONE;
}

bool dmamap_bounce_owns(const struct dma_device *dev, phys_addr_t phys)
{
	return bounce_inside(dmamap_dev(dev)->bounce, phys);
}

bool dmamap_bounce_live(const struct dma_device *dev, phys_addr_t phys)
{
	struct bounce_run run;
	phys_addr_t first;

	return look_up(dmamap_dev(dev)->bounce, phys, &run, &first);
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
static void copy_part(struct dma_device *dev, const struct bounce_run *run, uint64_t offset,
		      phys_addr_t copy, uint64_t size, bool to_pool)
{
	uint64_t room = offset < run->size ? run->size - offset : 0;
	struct dma_error err;

	size = clamp(dev, copy, size, room);
	if (dmamap_bounce_copy(dmamap_dev(dev)->bounce, copy, run->orig + offset, size, to_pool))
		return;
	fail_range(&err, dev, DMA_REASON_NOT_KMAPPABLE, -DMAMAP_ENOMEM, run->orig + offset, size);
	dmamap_warn(dev_host(dev), dev, "a bounced buffer was not copied", &err);
}

/* End the life of the run that starts at @copy; its slots stay busy if @keep. BITMAP_NONE: there is none. */
static uint64_t claim(const struct dma_bounce *pool, struct bounce_area *area, phys_addr_t copy,
		      bool keep, struct bounce_run *run)
{
	uint64_t slot;

	dmamap_lock(pool->host, &area->lock);
	slot = run_at(pool, area, copy);
	if (slot != BITMAP_NONE &&
	    bounce_slot_phys(pool, area, slot) + area->runs[slot].lead != copy)
		slot = BITMAP_NONE;
	if (slot != BITMAP_NONE) {
		*run = area->runs[slot];
		bitmap_clear(area->starts, slot);
		if (!keep)
			vacate(area, slot);
	}
	dmamap_unlock(pool->host, &area->lock);
	return slot;
}

bool dmamap_bounce_unmap(struct dma_device *dev, phys_addr_t copy, uint64_t size,
			 enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	const struct dma_bounce *pool = dmamap_dev(dev)->bounce;
	bool back = (dir == DMA_FROM_DEVICE || dir == DMA_BIDIRECTIONAL) &&
		    !(attrs & DMA_ATTR_SKIP_CPU_SYNC);
	struct bounce_area *area = NULL;
	uint64_t slot = BITMAP_NONE;
	struct bounce_run run;

	if (bounce_inside(pool, copy)) {
		area = area_of(pool, copy);
		slot = claim(pool, area, copy, back, &run);
	}
	if (slot == BITMAP_NONE) {
		fail_range(why, dev, DMA_REASON_NOT_BOUNCED, -DMAMAP_EINVAL, copy, size);
		return false;
	}
	if (back) {
		copy_part(dev, &run, 0, copy, size, false);
		dmamap_lock(pool->host, &area->lock);
		vacate(area, slot);
		dmamap_unlock(pool->host, &area->lock);
	}
	return true;
}

static void sync_part(struct dma_device *dev, phys_addr_t copy, uint64_t size, bool to_pool)
{
	struct bounce_run run;
	phys_addr_t first;

	/* Before the first byte mapped there is only what alignment left over. */
	if (!look_up(dmamap_dev(dev)->bounce, copy, &run, &first) || copy < first)
		return;
	copy_part(dev, &run, copy - first, copy, size, to_pool);
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

uint64_t dmamap_bounce_max_size(const struct dma_device *dev)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	const struct dma_bounce *pool = d->bounce;
	uint64_t most;
	uint64_t keep;

	if (!pool)
		return 0;
	most = pool->bytes;
	if (pool->segment_slots)
		most = min_u64(most, (uint64_t)pool->segment_slots << pool->shift);
	if (dev_boundary(d) < most)
		most = dev_boundary(d) + 1;
	keep = dev_min_align(d);
	if (keep)
		keep = round_up(keep, bounce_slot_bytes(pool));
	return most > keep ? most - keep : 0;
}
