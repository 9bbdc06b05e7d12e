/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bitmaps of slots. Each function walks the words that a range touches, the first and the last one masked.
 */
#include "bitmap.h"

/* The bits of word @word that lie in [start, end), which is not empty there. */
static uint64_t mask_of(uint64_t word, uint64_t start, uint64_t end)
{
	uint64_t mask = ~(uint64_t)0;

	if (word == start / 64)
		mask &= ~(uint64_t)0 << (start % 64);
	if (word == (end - 1) / 64)
		mask &= ~(uint64_t)0 >> (63 - (end - 1) % 64);
	return mask;
}

void dmamap_bounce_bitmap_fill(uint64_t *map, uint64_t start, uint64_t end, bool value)
{
	if (start >= end)
		return;
	for (uint64_t w = start / 64; w <= (end - 1) / 64; w++) {
		if (value)
			map[w] |= mask_of(w, start, end);
		else
			map[w] &= ~mask_of(w, start, end);
	}
}

static uint64_t next_match(const uint64_t *map, uint64_t start, uint64_t end, uint64_t invert)
{
	if (start >= end)
		return BITMAP_NONE;
	for (uint64_t w = start / 64; w <= (end - 1) / 64; w++) {
		uint64_t bits = (map[w] ^ invert) & mask_of(w, start, end);

		if (bits)
			return w * 64 + low_bit(bits);
	}
	return BITMAP_NONE;
}

uint64_t dmamap_bounce_bitmap_next_set(const uint64_t *map, uint64_t start, uint64_t end)
{
	return next_match(map, start, end, 0);
}

uint64_t dmamap_bounce_bitmap_next_clear(const uint64_t *map, uint64_t start, uint64_t end)
{
	return next_match(map, start, end, ~(uint64_t)0);
}

uint64_t dmamap_bounce_bitmap_last_set(const uint64_t *map, uint64_t start, uint64_t end)
{
	if (start >= end)
		return BITMAP_NONE;
	for (uint64_t w = (end - 1) / 64 + 1; w-- > start / 64;) {
		uint64_t bits = map[w] & mask_of(w, start, end);

		if (bits)
			return w * 64 + high_bit(bits);
	}
	return BITMAP_NONE;
}

uint64_t dmamap_bounce_bitmap_count(const uint64_t *map, uint64_t start, uint64_t end)
{
	uint64_t count = 0;

	if (start >= end)
		return 0;
	for (uint64_t w = start / 64; w <= (end - 1) / 64; w++)
		count += count_bits(map[w] & mask_of(w, start, end));
	return count;
}
