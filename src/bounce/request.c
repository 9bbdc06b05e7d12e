/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From what a caller asks for to what the search needs: how many slots, with which address bits, and which stretches
 * of a part the device reaches.
 *
 * A device may see a part through several windows of its bus. A stretch lies in one of them, so that its slots are
 * neighbours for the device too, and all of it is within the device's mask and limit.
 */
#include "internal.h"

/* Device boundaries: a power of two, at least the lowest bit of what is no mask. */
static void set_boundary(struct bounce_request *r)
{
	uint64_t period = dev_boundary(dmamap_dev(r->dev)) + 1;

	period &= ~period + 1;
	r->most = ~(uint64_t)0;
	r->query.period = 0;
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
static void set_alignment(struct bounce_request *r, uint64_t align_mask, uint64_t keep,
			  uint64_t total)
{
	uint64_t page = r->pool->host->page_size;
	unsigned int shift = r->pool->shift;

	if (!align_mask && !keep && total >= page)
		align_mask = page - 1;
	keep &= ~align_mask;
	r->query.align = (align_mask | keep) >> shift;
	r->query.value = (r->orig & keep) >> shift;
}

/* Slots of @total bytes; @total is 0 if a map of nothing was asked for. */
static uint64_t slots_of(const struct bounce_request *r, uint64_t total)
{
	return total ? (total + bounce_slot_bytes(r->pool) - 1) >> r->pool->shift : 1;
}

void dmamap_bounce_prepare(struct bounce_request *r, uint64_t align_mask)
{
	uint64_t keep = dev_min_align(dmamap_dev(r->dev)) | r->keep;
	uint64_t most = r->pool->first_bytes;
	uint64_t total;

	r->granule = align_mask + 1;
	r->lead = r->orig & keep & (align_mask | (bounce_slot_bytes(r->pool) - 1));
	if (r->size > most || r->granule > most)
		/* never fits; an empty pool's longest run says how much would */
		total = most + bounce_slot_bytes(r->pool);
	else
		total = round_up(r->size + r->lead, r->granule);
	set_boundary(r);
	set_alignment(r, align_mask, keep, total);
	r->query.segment = r->pool->segment_slots;
	r->query.slots = slots_of(r, total);
}

void dmamap_bounce_prepare_block(struct bounce_request *r, uint64_t align)
{
	r->granule = r->pool->host->page_size;
	r->lead = 0;
	r->most = ~(uint64_t)0;
	r->query = (struct bounce_query){
		.slots = slots_of(r, r->size),
		.segment = r->pool->segment_slots,
		.align = (align - 1) >> r->pool->shift,
	};
}

uint64_t dmamap_bounce_usable(const struct bounce_request *r, uint64_t slots)
{
	uint64_t bytes = round_down(slots << r->pool->shift, r->granule);

	return bytes > r->lead ? min_u64(bytes - r->lead, r->most) : 0;
}

/*
 * The first bytes [*start, *end) of @part, behind the given start and before the given end, that one window of @map
 * translates. Where windows overlap the first of the list counts, so a stretch also ends where an earlier one begins.
 */
static bool next_window(const struct dma_range *map, const struct bounce_part *part,
			uint64_t *start, uint64_t *end)
{
	for (;;) {
		phys_addr_t at = part->base + *start;
		uint64_t room = *end - *start;
		const struct dma_range *w;
		uint64_t ahead = room;

		for (w = map; w->size && at - w->cpu >= w->size; w++)
			if (w->cpu > at && w->cpu - at < ahead)
				ahead = w->cpu - at;
		if (w->size) {
			*end = *start + min_u64(ahead, w->size - (at - w->cpu));
			return true;
		}
		if (ahead == room)
			return false;
		*start += ahead;
	}
}

/* Set the query to the slots [@first, @limit), as far as the device's limit allows; false: not one of them. */
static bool within_limit(struct bounce_request *r, const struct bounce_part *part, uint64_t first,
			 uint64_t limit)
{
	uint64_t slot = bounce_slot_bytes(r->pool);
	uint64_t room = r->dma_limit;
	dma_addr_t addr;

	if (first >= limit ||
	    !dmamap_dev_to_dma(r->dev, bounce_slot_phys(part, first), true, &addr) ||
	    (addr & (slot - 1)) || addr > room)
		return false;
	/* A slot counts if its last byte is within the limit; room + 1 bytes may be 2^64. */
	room -= addr;
	room = (room >> r->pool->shift) + ((room & (slot - 1)) == slot - 1);
	r->query.first = first;
	r->query.limit = min_u64(limit, first + room);
	r->query.bus = (addr >> r->pool->shift) - first;
	return room != 0;
}

static bool window_stretch(struct bounce_request *r, const struct bounce_part *part, uint64_t from,
			   uint64_t to)
{
	const struct dma_range *map = dmamap_dev(r->dev)->range_map;
	unsigned int shift = r->pool->shift;

	for (uint64_t start = from << shift; start < to << shift;) {
		uint64_t end = to << shift;

		if (!next_window(map, part, &start, &end))
			return false;
		if (within_limit(r, part, (start + bounce_slot_bytes(r->pool) - 1) >> shift,
				 end >> shift))
			return true;
		start = end;
	}
	return false;
}

bool dmamap_bounce_stretch(struct bounce_request *r, const struct bounce_part *part, uint64_t from,
			   uint64_t to)
{
	const struct dmamap_dev *d = dmamap_dev(r->dev);

	if (d->route == DMA_ROUTE_IOMMU) {
		/* The IOMMU translates: the device never emits the pool's own address. */
		r->query.first = from;
		r->query.limit = to;
		r->query.bus = part->base >> r->pool->shift;
		return from < to;
	}
	if (d->range_map)
		return window_stretch(r, part, from, to);
	return within_limit(r, part, from, to);
}

phys_addr_t dmamap_bounce_reach_end(const struct bounce_request *r)
{
	const struct dmamap_dev *d = dmamap_dev(r->dev);
	phys_addr_t end = 0;

	if (d->route == DMA_ROUTE_IOMMU)
		return ~(phys_addr_t)0;
	if (!d->range_map)
		return r->dma_limit;
	for (const struct dma_range *w = d->range_map; w->size; w++) {
		phys_addr_t last = w->cpu + min_u64(w->size - 1, r->dma_limit - w->dma);

		if (w->dma <= r->dma_limit && last > end)
			end = last;
	}
	return end;
}
