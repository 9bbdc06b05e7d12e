/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neighbouring entries of a table: a few, which nobody has to look at first. (Where there are many, a host may have
 * better means: dma_host.pte_write.)
 *
 * A walker may read each at any moment, and sees it as it was or as it is. Two go out in one store where the compiler may
 * use registers of 16 bytes: such a store never tears an aligned word of 8. Elsewhere, and for the thread sanitizer, they
 * are two.
 */
#ifndef DMAMAP_IOMMU_ENTRIES_H
#define DMAMAP_IOMMU_ENTRIES_H

#include <stdint.h>

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define ENTRIES_ONE_BY_ONE
#endif
#endif
#if defined(__SANITIZE_THREAD__) || (!defined(__SSE2__) && !defined(__ARM_NEON))
#define ENTRIES_ONE_BY_ONE
#endif

/** Two neighbours. */
#ifdef ENTRIES_ONE_BY_ONE

typedef uint64_t __attribute__((may_alias)) entry_word;

struct entry_pair {
	uint64_t first;
	uint64_t second;
};

static inline struct entry_pair pair_of(uint64_t first, uint64_t second)
{
	return (struct entry_pair){ first, second };
}

/** Both shifted left, and both with something added. */
static inline struct entry_pair pair_shifted(struct entry_pair pair, uint64_t shift)
{
	return pair_of(pair.first << shift, pair.second << shift);
}

static inline struct entry_pair pair_plus(struct entry_pair pair, uint64_t n)
{
	return pair_of(pair.first + n, pair.second + n);
}

static inline uint64_t pair_first(struct entry_pair pair)
{
	return pair.first;
}

static inline void pair_store(void *words, struct entry_pair pair)
{
	entry_word *word = words;

	__atomic_store_n(&word[0], pair.first, __ATOMIC_RELAXED);
	__atomic_store_n(&word[1], pair.second, __ATOMIC_RELAXED);
}

static inline void pair_clear(void *words)
{
	pair_store(words, pair_of(0, 0));
}

#else

struct entry_pair {
	uint64_t __attribute__((vector_size(16))) both;
};

static inline struct entry_pair pair_of(uint64_t first, uint64_t second)
{
	return (struct entry_pair){ { first, second } };
}

static inline struct entry_pair pair_shifted(struct entry_pair pair, uint64_t shift)
{
	return (struct entry_pair){ pair.both << shift };
}

static inline struct entry_pair pair_plus(struct entry_pair pair, uint64_t n)
{
	return (struct entry_pair){ pair.both + n };
}

static inline uint64_t pair_first(struct entry_pair pair)
{
	return pair.both[0];
}

static inline void pair_store(void *words, struct entry_pair pair)
{
	typedef uint64_t __attribute__((vector_size(16), aligned(8), may_alias)) two_words;

	*(two_words *)words = pair.both;
}

/** Volatile: else compilers make a memset() of several, which may do what it likes. */
static inline void pair_clear(void *words)
{
	typedef uint64_t __attribute__((vector_size(16), aligned(8), may_alias)) two_words;

	*(volatile two_words *)words = (two_words){ 0, 0 };
}

#endif

/** @n entries: @value, and what it grows to by @step. */
static inline void entries_write(uint64_t *entry, unsigned int n, uint64_t value, uint64_t step)
{
	struct entry_pair pair = pair_of(value, value + step);

	for (; n >= 8; n -= 8, entry += 8) {
#pragma GCC unroll 4
		for (unsigned int i = 0; i < 8; i += 2, pair = pair_plus(pair, 2 * step))
			pair_store(&entry[i], pair);
	}
	for (unsigned int i = 0; i < n; i++, pair = pair_plus(pair, step))
		__atomic_store_n(&entry[i], pair_first(pair), __ATOMIC_RELAXED);
}

/** @n entries that lead nowhere. */
static inline void entries_clear(uint64_t *entry, unsigned int n)
{
	for (; n >= 16; n -= 16, entry += 16) {
#pragma GCC unroll 8
		for (unsigned int i = 0; i < 16; i += 2)
			pair_clear(&entry[i]);
	}
	for (unsigned int i = 0; i < n; i++)
		__atomic_store_n(&entry[i], 0, __ATOMIC_RELAXED);
}

#endif
