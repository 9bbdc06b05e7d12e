/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slot search: first fit from the area's hint, over candidates that are computed and not tried.
 *
 * The next start that has the right address bits, the next border that a run may not cross and the next free slot are
 * each one calculation or a search of whole words, so the cost depends on how many obstacles there are, not on slots.
 */
#include "internal.h"

/* The smallest value not below @v whose bits under @mask are @bits; smaller than @v if there is none (it wrapped). */
static uint64_t next_with_bits(uint64_t v, uint64_t mask, uint64_t bits)
{
	uint64_t wrong = (v ^ bits) & mask;
	uint64_t low;

	if (!wrong)
		return v;
	/* Everything up to the highest wrong bit is chosen anew: that bit is set, or a carry goes past it. */
	low = ((uint64_t)2 << high_bit(wrong)) - 1;
	if (bits & (low ^ low >> 1))
		v &= ~low;
	else
		v = (v | mask | low) + 1;
	return (v & ~mask) | bits;
}

/* The first border behind the pool's slot @slot. */
static uint64_t border_after(const struct bounce_query *q, uint64_t slot)
{
	uint64_t border = q->limit;

	if (q->pool->segment_slots)
		border = min_u64(border, (slot | (q->pool->segment_slots - 1)) + 1);
	if (q->period)
		border = min_u64(border, slot + q->period - ((q->bus + slot) & (q->period - 1)));
	return border;
}

/* The first allowed start at or behind the pool's slot @slot, q->limit if there is none. */
static uint64_t aligned_from(const struct bounce_query *q, uint64_t slot)
{
	uint64_t start = next_with_bits(q->bus + slot, q->align, q->value) - q->bus;

	return start < slot ? q->limit : min_u64(start, q->limit);
}

/* The same, where the whole run also fits before the next border. */
static uint64_t start_from(const struct bounce_query *q, uint64_t slot)
{
	for (;;) {
		uint64_t border;

		slot = aligned_from(q, slot);
		if (q->limit - slot < q->slots)
			return q->limit;
		border = border_after(q, slot);
		if (border - slot >= q->slots)
			return slot;
		slot = border;
	}
}

/* First fit with a start in [from, to), the pool's numbers; the answer is the area's number. */
static uint64_t find_between(const struct bounce_area *area, const struct bounce_query *q,
			     uint64_t from, uint64_t to)
{
	uint64_t slot = from;

	while ((slot = start_from(q, slot)) < to) {
		uint64_t local = slot - area->first;
		uint64_t busy = dmamap_bounce_bitmap_last_set(area->busy, local, local + q->slots);

		if (busy == BITMAP_NONE)
			return local;
		busy = dmamap_bounce_bitmap_next_clear(area->busy, busy + 1, area->slots);
		if (busy == BITMAP_NONE)
			break;
		slot = area->first + busy;
	}
	return BITMAP_NONE;
}

/* @q with the slots of @area only. */
static struct bounce_query clip(const struct bounce_area *area, const struct bounce_query *q)
{
	struct bounce_query part = *q;

	if (part.first < area->first)
		part.first = area->first;
	part.limit = min_u64(part.limit, area->first + area->slots);
	if (part.limit < part.first)
		part.limit = part.first;
	return part;
}

uint64_t dmamap_bounce_find(const struct bounce_area *area, const struct bounce_query *q)
{
	struct bounce_query part = clip(area, q);
	uint64_t hint = area->first + area->hint;
	uint64_t slot;

	if (part.limit - part.first < q->slots || area->slots - area->used < q->slots)
		return BITMAP_NONE;
	if (hint < part.first || hint >= part.limit)
		hint = part.first;
	slot = find_between(area, &part, hint, part.limit);
	if (slot == BITMAP_NONE)
		slot = find_between(area, &part, part.first, hint);
	return slot;
}

/* The longest run with an allowed start in [from, to), all of it free. */
static uint64_t longest_between(const struct bounce_query *q, uint64_t from, uint64_t to)
{
	uint64_t longest = 0;

	for (uint64_t slot = aligned_from(q, from); slot < to;) {
		uint64_t end = min_u64(border_after(q, slot), to);

		if (end - slot > longest)
			longest = end - slot;
		slot = aligned_from(q, end);
	}
	return longest;
}

uint64_t dmamap_bounce_longest(const struct bounce_area *area, const struct bounce_query *q,
			       bool empty)
{
	struct bounce_query part = clip(area, q);
	uint64_t end = part.limit - area->first;
	uint64_t slot = part.first - area->first;
	uint64_t longest = 0;

	if (empty)
		return longest_between(&part, part.first, part.limit);
	while ((slot = dmamap_bounce_bitmap_next_clear(area->busy, slot, end)) != BITMAP_NONE) {
		uint64_t busy = min_u64(dmamap_bounce_bitmap_next_set(area->busy, slot, end), end);
		uint64_t run = longest_between(&part, area->first + slot, area->first + busy);

		if (run > longest)
			longest = run;
		slot = busy;
	}
	return longest;
}

uint64_t dmamap_bounce_free(const struct bounce_area *area, const struct bounce_query *q)
{
	struct bounce_query part = clip(area, q);

	return part.limit - part.first -
	       dmamap_bounce_bitmap_count(area->busy, part.first - area->first,
					  part.limit - area->first);
}
