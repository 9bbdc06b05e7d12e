/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes to move: the word at address a (a multiple of 8) is seed + a / 8 x an odd constant. So a byte at a wrong place
 * shows, and so does one that is older than the latest seed; and a compiler turns the loops into vector code, because
 * recordings have tens of megabytes.
 */
#include <string.h>

#include "replay.h"

#define STEP 0x9e3779b97f4a7c15ull

static uint64_t word_at(uint64_t key, uint64_t seed)
{
	return seed + (key >> 3) * STEP;
}

/* Bytes of the word around @key, from @key on, at most @len. */
static uint64_t part(unsigned char *to, uint64_t key, uint64_t len, uint64_t seed)
{
	uint64_t word = word_at(key, seed), skip = key & 7, n = 8 - skip;
	unsigned char bytes[8];

	n = n < len ? n : len;
	memcpy(bytes, &word, 8);
	memcpy(to, bytes + skip, n);
	return n;
}

void pattern_fill(void *to, uint64_t key, uint64_t len, uint64_t seed)
{
	unsigned char *p = to;
	uint64_t word, words, n = key & 7 ? part(p, key, len, seed) : 0;

	p += n;
	key += n;
	len -= n;
	words = len / 8;
	word = word_at(key, seed);
	for (uint64_t i = 0; i < words; i++) {
		uint64_t w = word + i * STEP;

		memcpy(p + i * 8, &w, 8);
	}
	if (len & 7)
		part(p + words * 8, key + words * 8, len & 7, seed);
}

static bool part_matches(const unsigned char *at, uint64_t key, uint64_t len, uint64_t seed,
			 uint64_t *n)
{
	unsigned char want[8];

	*n = part(want, key, len, seed);
	return memcmp(at, want, *n) == 0;
}

bool pattern_matches(const void *at, uint64_t key, uint64_t len, uint64_t seed)
{
	const unsigned char *p = at;
	uint64_t word, words, n = 0, differ = 0;

	if (key & 7 && !part_matches(p, key, len, seed, &n))
		return false;
	p += n;
	key += n;
	len -= n;
	words = len / 8;
	word = word_at(key, seed);
	for (uint64_t i = 0; i < words; i++) {
		uint64_t w;

		memcpy(&w, p + i * 8, 8);
		differ |= w ^ (word + i * STEP);
	}
	if (differ)
		return false;
	return !(len & 7) || part_matches(p + words * 8, key + words * 8, len & 7, seed, &n);
}
