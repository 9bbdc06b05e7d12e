/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-table entries with AVX2, on x86-64 only. Each entry is written once, by a store to an address that is a multiple
 * of the store's size, so that a walker never sees half of one. The first entry that is not as it should be ends the
 * work, as it does without vectors: a block of 32 that holds one is left to the loop behind.
 */
#include <dmamap/accel.h>

#if defined(__x86_64__)

#define AVX2 __attribute__((target("avx2")))
/* Vectors, and entries, that are looked at, and then written, at once. */
#define VECTORS ((size_t)8)
#define BLOCK	(VECTORS * 4)

/* Four entries, and what the compiler's test of them wants. */
typedef uint64_t entries_t __attribute__((vector_size(32), may_alias));
typedef long long test_t __attribute__((vector_size(32)));

/** Entries before the first that lies at a multiple of a vector's size. */
static size_t head(const uint64_t *entries, size_t n)
{
	size_t odd = -((uintptr_t)entries / sizeof(*entries)) % 4;

	return odd < n ? odd : n;
}

static void write_entry(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELAXED);
}

/** The scalar part: entries [i, end), up to the first in use. */
static size_t fill_some(uint64_t *entries, size_t i, size_t end, uint64_t first, uint64_t step)
{
	for (; i < end && !entries[i]; i++)
		write_entry(&entries[i], first + i * step);
	return i;
}

static size_t clear_some(uint64_t *entries, size_t i, size_t end)
{
	for (; i < end && entries[i]; i++)
		write_entry(&entries[i], 0);
	return i;
}

/** OR one after another: left alone, compilers load half of a block first. */
AVX2 static bool all_free(const entries_t *v)
{
	entries_t any = v[0];

#pragma GCC unroll 8
	for (size_t k = 1; k < VECTORS; k++) {
		any |= v[k];
		__asm__("" : "+x"(any));
	}
	return __builtin_ia32_ptestz256((test_t)any, (test_t)any);
}

AVX2 static bool all_used(const entries_t *v)
{
	test_t any = v[0] == 0;

#pragma GCC unroll 8
	for (size_t k = 1; k < VECTORS; k++)
		any |= v[k] == 0;
	return __builtin_ia32_ptestz256(any, any);
}

AVX2 size_t dmamap_accel_avx2_fill(struct dma_host *host, uint64_t *entries, size_t n,
				   uint64_t first, uint64_t step)
{
	size_t begin = head(entries, n);
	size_t i = fill_some(entries, 0, begin, first, step);
	uint64_t f = first + i * step;
	entries_t next = { f, f + step, f + 2 * step, f + 3 * step };
	entries_t four = { 4 * step, 4 * step, 4 * step, 4 * step };
	entries_t *v = (entries_t *)(entries + i);
	entries_t *end = v + (n - i) / BLOCK * VECTORS;

	(void)host;
	if (i < begin)
		return i;
	for (; v != end && all_free(v); v += VECTORS) {
#pragma GCC unroll 8
		for (size_t k = 0; k < VECTORS; k++) {
			*(volatile entries_t *)&v[k] = next;
			next += four;
		}
	}
	return fill_some(entries, (size_t)((uint64_t *)v - entries), n, first, step);
}

AVX2 size_t dmamap_accel_avx2_clear(struct dma_host *host, uint64_t *entries, size_t n)
{
	size_t begin = head(entries, n);
	size_t i = clear_some(entries, 0, begin);
	entries_t *v = (entries_t *)(entries + i);
	entries_t *end = v + (n - i) / BLOCK * VECTORS;

	(void)host;
	if (i < begin)
		return i;
	for (; v != end && all_used(v); v += VECTORS) {
#pragma GCC unroll 8
		for (size_t k = 0; k < VECTORS; k++)
			*(volatile entries_t *)&v[k] = (entries_t){ 0, 0, 0, 0 };
	}
	return clear_some(entries, (size_t)((uint64_t *)v - entries), n);
}

#endif
