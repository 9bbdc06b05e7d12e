/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Map and unmap begin here, and mostly end here: where the caller's area was used last there is room for the next
 * mapping too, and those slots are in the cache. One lock, no search, and nothing written but the run's record.
 *
 * This decides nothing by itself. Its conditions are those of request.c and search.c, for one place and for the plainest
 * of requests; what does not meet them, for whatever reason, is left to map.c, which knows all places, and why there is
 * none. Tests compare both.
 */
#include "internal.h"

/* What a run must meet, in bytes. */
struct shape {
	uint64_t slots;
	uint64_t lead;	 /* before the first byte mapped */
	uint64_t fixed;	 /* bits of the run's address … */
	uint64_t bits;	 /* … that are these */
	uint64_t period; /* a run crosses no multiple of it; 0: none */
};

/* As dmamap_bounce_prepare(), of a device that wishes nothing. */
static inline struct shape plain_shape(const struct dma_bounce *pool, uint64_t size)
{
	uint64_t page = pool->host->page_size;

	return (struct shape){
		.slots = (size + bounce_slot_bytes(pool) - 1) >> pool->shift,
		.fixed = size >= page ? page - 1 : 0,
	};
}

/* The same of one that may; @align is one less than the granule. */
static inline struct shape shape_of(const struct dmamap_dev *d, const struct dma_bounce *pool,
				    phys_addr_t phys, uint64_t size, uint64_t align)
{
	uint64_t slot = bounce_slot_bytes(pool);
	uint64_t page = pool->host->page_size;
	uint64_t keep = dev_min_align(d);
	struct shape s = { .period = dev_boundary(d) + 1 };

	s.period &= ~s.period + 1;
	s.lead = phys & keep & (align | (slot - 1));
	size = round_up(size + s.lead, align + 1);
	s.slots = (size + slot - 1) >> pool->shift;
	if (!align && !keep && size >= page)
		align = page - 1;
	s.fixed = (align | keep) & ~(slot - 1);
	s.bits = phys & keep & ~align & ~(slot - 1);
	return s;
}

/* Are the bytes [start, last] where a run of @s may be, for a device that reaches @limit? */
static inline bool may_lie(const struct shape *s, phys_addr_t start, phys_addr_t last,
			   uint64_t limit)
{
	return !((start ^ s->bits) & s->fixed) && !((start ^ last) & (0 - s->period)) &&
	       last <= limit;
}

/* May a run of @s start at @slot of @area, and is it free? Only runs within one word are known here. */
static inline bool fits_at(const struct shape *s, const struct bounce_part *part,
			   const struct bounce_area *area, uint64_t slot, uint64_t limit)
{
	const uint32_t segment = part->pool->segment_slots;
	uint64_t end = slot + s->slots;

	if (end > bounce_area_end(area) || !bitmap_one_word(slot, end) ||
	    (part->busy[slot / 64] & bitmap_word_mask(slot, end)))
		return false;
	if (segment && (slot & (segment - 1)) + s->slots > segment)
		return false;
	return may_lie(s, bounce_slot_phys(part, slot), bounce_slot_phys(part, end) - 1, limit);
}

/* As occupy() of take.c. */
static inline void occupy_at(const struct shape *s, const struct bounce_part *part,
			     struct bounce_area *area, uint64_t slot, phys_addr_t phys,
			     uint64_t size)
{
	uint64_t end = slot + s->slots;
	struct bounce_run *run = &part->runs[slot];

	part->busy[slot / 64] |= bitmap_word_mask(slot, end);
	bitmap_set(part->starts, slot);
	*run = (struct bounce_run){
		.orig = phys,
		.size = size,
		.lead = (uint32_t)s->lead,
		.slots = (uint32_t)s->slots,
	};
	area->hint = end < bounce_area_end(area) ? end : area->first;
	area->used += s->slots;
	if (area->used > area->peak)
		area->peak = area->used;
	area->maps++;
}

/* Is this a request that is decided here? Nobody listens, and the device's addresses are the pool's own. */
static inline bool is_usual(const struct dmamap_dev *d, const struct dma_bounce *pool,
			    uint64_t size, uint64_t align)
{
	const uint32_t unusual = DMA_BOUNCE_FORBID | DMA_BOUNCE_TRACK_PEAK;

	return pool && !(pool->flags & unusual) && size && size <= pool->first_bytes &&
	       align < pool->host->page_size &&
	       (dev_bus_is_plain(d) || d->route == DMA_ROUTE_IOMMU);
}

/* The run at the hint of the caller's area, taken; DMAMAP_PHYS_NONE: it does not do. */
static inline phys_addr_t take_again(const struct dmamap_dev *d, struct bounce_part *part,
				     const struct shape s, phys_addr_t phys, uint64_t size)
{
	struct dma_host *host = part->pool->host;
	uint64_t limit = d->route == DMA_ROUTE_IOMMU ? ~(uint64_t)0 : dev_limit(d);
	struct bounce_area *area = part->areas;
	phys_addr_t copy = DMAMAP_PHYS_NONE;
	uint64_t slot;

	if (part->nr_areas > 1)
		area += dmamap_cpu(host) & (part->nr_areas - 1);
	dmamap_lock(host, &area->lock);
	slot = area->hint;
	if (fits_at(&s, part, area, slot, limit)) {
		occupy_at(&s, part, area, slot, phys, size);
		copy = bounce_slot_phys(part, slot) + s.lead;
	}
	dmamap_unlock(host, &area->lock);
	return copy;
}

phys_addr_t dmamap_bounce_map(struct dma_device *dev, phys_addr_t phys, uint64_t size,
			      uint64_t align_mask, unsigned int how, struct dma_error *why)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	phys_addr_t copy = DMAMAP_PHYS_NONE;
	struct bounce_part *part = NULL;

	if (is_usual(d, d->bounce, size, align_mask) && !host_observed(d->host)) {
		part = d->bounce->parts[0].part;
		if (d->parms || align_mask)
			copy = take_again(d, part, shape_of(d, d->bounce, phys, size, align_mask),
					  phys, size);
		else
			copy = take_again(d, part, plain_shape(d->bounce, size), phys, size);
	}
	if (copy == DMAMAP_PHYS_NONE)
		return dmamap_bounce_map_anywhere(dev, phys, size, align_mask, how, why);
	if (!bounce_fill(dev, part, copy, phys, size, align_mask + 1, how))
		return dmamap_bounce_not_copied(dev, part, copy, phys, size, why);
	return copy;
}

/* --- unmap */

/* Free the run whose first byte is @copy, in its first slot, if it lies in one area. False: nothing happened. */
static inline bool drop(struct bounce_part *part, phys_addr_t copy)
{
	uint64_t offset = copy - part->base;
	uint64_t slot = offset >> part->pool->shift;
	struct bounce_area *area;
	const struct bounce_run *run;
	bool usual;

	if (slot >= part->slots)
		return false;
	area = bounce_area_of(part, slot);
	run = &part->runs[slot];
	dmamap_lock(part->pool->host, &area->lock);
	usual = bitmap_test(part->starts, slot) && !run->back && run->orig != DMAMAP_PHYS_NONE &&
		run->lead == (offset & (bounce_slot_bytes(part->pool) - 1)) &&
		slot + run->slots <= bounce_area_end(area);
	if (usual) {
		bitmap_clear(part->starts, slot);
		bitmap_fill(part->busy, slot, slot + run->slots, false);
		area->hint = slot;
		area->used -= run->slots;
	}
	dmamap_unlock(part->pool->host, &area->lock);
	return usual;
}

enum bounce_unmapped dmamap_bounce_unmap_any(struct dma_device *dev, phys_addr_t copy,
					     uint64_t size, enum dma_data_direction dir,
					     unsigned long attrs, struct dma_error *why)
{
	struct bounce_part *part = bounce_part_get(dmamap_dev(dev)->bounce, copy);
	bool back = dir != DMA_TO_DEVICE && !(attrs & DMA_ATTR_SKIP_CPU_SYNC);

	if (!part)
		return BOUNCE_FOREIGN;
	if (!back && !bounce_needs_release(part) && !(part->pool->flags & DMA_BOUNCE_TRACK_PEAK) &&
	    drop(part, copy))
		return BOUNCE_UNMAPPED;
	return dmamap_bounce_unmap_in(dev, part, copy, size, back, why) ? BOUNCE_UNMAPPED
									: BOUNCE_REFUSED;
}
