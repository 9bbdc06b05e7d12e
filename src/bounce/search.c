/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slot search: first fit from a hint, over candidates that are computed and not tried.
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

/* The first border behind the slot @slot. */
static uint64_t border_after(const struct bounce_query *q, uint64_t slot)
{
	uint64_t border = q->limit;

	if (q->segment)
		border = min_u64(border, (slot | (q->segment - 1)) + 1);
	if (q->period)
		border = min_u64(border, slot + q->period - ((q->bus + slot) & (q->period - 1)));
	return border;
}

/* The first allowed start at or behind the slot @slot, q->limit if there is none. */
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

/* First fit with a start in [from, to). */
static uint64_t find_between(const struct bounce_part *part, const struct bounce_query *q,
			     uint64_t from, uint64_t to)
{
	uint64_t slot = from;

	while ((slot = start_from(q, slot)) < to) {
		uint64_t busy = bitmap_last_set(part->busy, slot, slot + q->slots);

		if (busy == BITMAP_NONE)
			return slot;
		slot = dmamap_bounce_bitmap_next_clear(part->busy, busy + 1, q->limit);
		if (slot == BITMAP_NONE)
			break;
	}
	return BITMAP_NONE;
}

uint64_t dmamap_bounce_find(const struct bounce_part *part, const struct bounce_query *q,
			    uint64_t hint)
{
	uint64_t slot;

	if (q->limit - q->first < q->slots)
		return BITMAP_NONE;
	if (hint < q->first || hint >= q->limit)
		hint = q->first;
	slot = find_between(part, q, hint, q->limit);
	if (slot == BITMAP_NONE)
		slot = find_between(part, q, q->first, hint);
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

uint64_t dmamap_bounce_longest(const struct bounce_part *part, const struct bounce_query *q,
			       bool empty)
{
	uint64_t slot = q->first;
	uint64_t longest = 0;

	if (empty)
		return longest_between(q, q->first, q->limit);
	while ((slot = dmamap_bounce_bitmap_next_clear(part->busy, slot, q->limit)) !=
	       BITMAP_NONE) {
		uint64_t busy = dmamap_bounce_bitmap_next_set(part->busy, slot, q->limit);
		uint64_t run = longest_between(q, slot, min_u64(busy, q->limit));

		if (run > longest)
			longest = run;
		slot = min_u64(busy, q->limit);
	}
	return longest;
}

uint64_t dmamap_bounce_free_slots(const struct bounce_part *part, const struct bounce_query *q)
{
	return q->limit - q->first - dmamap_bounce_bitmap_count(part->busy, q->first, q->limit);
}
