/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bitmaps of slots, a word at a time. The caller serialises access and keeps every index inside of the map.
 *
 * Searches answer BITMAP_NONE where there is nothing; a bit that is set means "taken".
 */
#ifndef DMAMAP_BOUNCE_BITMAP_H
#define DMAMAP_BOUNCE_BITMAP_H

#include "base/bits.h"

#pragma GCC visibility push(hidden)

#define BITMAP_NONE (~(uint64_t)0)

/** 64-bit words that hold @bits bits. */
static inline uint64_t bitmap_words(uint64_t bits)
{
	return (bits + 63) / 64;
}

static inline bool bitmap_test(const uint64_t *map, uint64_t bit)
{
	return map[bit / 64] >> (bit % 64) & 1;
}

static inline void bitmap_set(uint64_t *map, uint64_t bit)
{
	map[bit / 64] |= (uint64_t)1 << (bit % 64);
}

static inline void bitmap_clear(uint64_t *map, uint64_t bit)
{
	map[bit / 64] &= ~((uint64_t)1 << (bit % 64));
}

/** Do [start, end), which is not empty, and its last bit lie in one word? Then these are its bits there. */
static inline bool bitmap_one_word(uint64_t start, uint64_t end)
{
	return ((start ^ (end - 1)) & ~(uint64_t)63) == 0;
}

static inline uint64_t bitmap_word_mask(uint64_t start, uint64_t end)
{
	return ~(uint64_t)0 << (start % 64) & ~(uint64_t)0 >> (63 - (end - 1) % 64);
}

/** Set or clear [start, end). */
void dmamap_bounce_bitmap_fill(uint64_t *map, uint64_t start, uint64_t end, bool value);

/** First bit of [start, end) that is set, or that is clear. */
uint64_t dmamap_bounce_bitmap_next_set(const uint64_t *map, uint64_t start, uint64_t end);
uint64_t dmamap_bounce_bitmap_next_clear(const uint64_t *map, uint64_t start, uint64_t end);

/** Last bit of [start, end) that is set. */
uint64_t dmamap_bounce_bitmap_last_set(const uint64_t *map, uint64_t start, uint64_t end);

/** The same two for ranges that are not empty, quick if they are short. */
static inline void bitmap_fill(uint64_t *map, uint64_t start, uint64_t end, bool value)
{
	uint64_t *word = &map[start / 64];

	if (!bitmap_one_word(start, end))
		dmamap_bounce_bitmap_fill(map, start, end, value);
	else if (value)
		*word |= bitmap_word_mask(start, end);
	else
		*word &= ~bitmap_word_mask(start, end);
}

static inline uint64_t bitmap_last_set(const uint64_t *map, uint64_t start, uint64_t end)
{
	uint64_t bits;

	if (!bitmap_one_word(start, end))
		return dmamap_bounce_bitmap_last_set(map, start, end);
	bits = map[start / 64] & bitmap_word_mask(start, end);
	return bits ? round_down(start, 64) + high_bit(bits) : BITMAP_NONE;
}

/** How many bits of [start, end) are set. */
uint64_t dmamap_bounce_bitmap_count(const uint64_t *map, uint64_t start, uint64_t end);

#pragma GCC visibility pop

#endif
