/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neighbouring entries of a table: a few, which nobody has to look at first. (Where there are many, a host may have
 * better means: dma_host.pte_write.)
 *
 * A walker may read each at any moment, and sees it as it was or as it is. Two go out in one store where the machine has
 * stores of 16 bytes: these never tear an aligned word of 8. For the thread sanitizer they are single atomic stores.
 */
#ifndef DMAMAP_IOMMU_ENTRIES_H
#define DMAMAP_IOMMU_ENTRIES_H

#include <stdint.h>

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define ENTRIES_ONE_BY_ONE
#endif
#endif

typedef uint64_t entry_pair __attribute__((vector_size(16), aligned(8), may_alias));

static inline void entries_store(uint64_t *entry, entry_pair value)
{
#ifdef ENTRIES_ONE_BY_ONE
	__atomic_store_n(&entry[0], value[0], __ATOMIC_RELAXED);
	__atomic_store_n(&entry[1], value[1], __ATOMIC_RELAXED);
#else
	*(entry_pair *)entry = value;
#endif
}

/** @n entries: @value, and what it grows to by @step. */
static inline void entries_write(uint64_t *entry, unsigned int n, uint64_t value, uint64_t step)
{
	entry_pair pair = { value, value + step };

	for (; n >= 8; n -= 8, entry += 8) {
#pragma GCC unroll 4
		for (unsigned int i = 0; i < 8; i += 2, pair += 2 * step)
			entries_store(&entry[i], pair);
	}
	for (unsigned int i = 0; i < n; i++, pair += step)
		__atomic_store_n(&entry[i], pair[0], __ATOMIC_RELAXED);
}

/** @n entries that lead nowhere. */
static inline void entries_clear(uint64_t *entry, unsigned int n)
{
	const entry_pair none = { 0, 0 };

	for (; n >= 16; n -= 16, entry += 16) {
#pragma GCC unroll 8
		for (unsigned int i = 0; i < 16; i += 2)
			entries_store(&entry[i], none);
	}
	for (unsigned int i = 0; i < n; i++)
		__atomic_store_n(&entry[i], 0, __ATOMIC_RELAXED);
}

#endif
