/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-table entries with AVX2, on x86-64 only. Each entry is written once, by a store to an address that is a multiple
 * of the store's size, so that a walker never sees half of one.
 */
#include <dmamap/accel.h>

#if defined(__x86_64__)

#define AVX2  __attribute__((target("avx2")))
#define LANES ((size_t)4)
/* Entries that are written, and vectors that are looked at, between two tests of a loop. */
#define BLOCK ((size_t)128)
#define SEEN  ((size_t)16)

/* Four entries, and what the compiler's test of them wants. */
typedef uint64_t entries_t __attribute__((vector_size(32), may_alias));
typedef long long test_t __attribute__((vector_size(32)));

static bool is_odd(const uint64_t *entries)
{
	return (uintptr_t)entries % sizeof(entries_t);
}

AVX2 static void repeat(uint64_t *entries, size_t n, uint64_t entry)
{
	entries_t same = { entry, entry, entry, entry };
	uint64_t *end;

	for (; n && is_odd(entries); n--)
		__atomic_store_n(entries++, entry, __ATOMIC_RELAXED);
	for (end = entries + n / BLOCK * BLOCK; entries != end; entries += BLOCK) {
#pragma GCC unroll 32
		for (size_t k = 0; k < BLOCK; k += LANES)
			*(volatile entries_t *)(entries + k) = same;
	}
	n %= BLOCK;
	if (!n)
		return;
	for (end += n / LANES * LANES; entries != end; entries += LANES)
		*(volatile entries_t *)entries = same;
	for (end += n % LANES; entries != end; entries++)
		__atomic_store_n(entries, entry, __ATOMIC_RELAXED);
}

AVX2 void dmamap_accel_avx2_write(struct dma_host *host, uint64_t *entries, size_t n,
				  uint64_t first, uint64_t step)
{
	entries_t next, four = { 4 * step, 4 * step, 4 * step, 4 * step };
	uint64_t *end;

	(void)host;
	if (!step) {
		repeat(entries, n, first);
		return;
	}
	for (; n && is_odd(entries); n--, first += step)
		__atomic_store_n(entries++, first, __ATOMIC_RELAXED);
	next = (entries_t){ first, first + step, first + 2 * step, first + 3 * step };
	for (end = entries + n / BLOCK * BLOCK; entries != end; entries += BLOCK) {
#pragma GCC unroll 32
		for (size_t k = 0; k < BLOCK; k += LANES, next += four)
			*(volatile entries_t *)(entries + k) = next;
	}
	n %= BLOCK;
	if (!n)
		return;
	for (end += n / LANES * LANES; entries != end; entries += LANES, next += four)
		*(volatile entries_t *)entries = next;
	first = next[0];
	for (end += n % LANES; entries != end; entries++, first += step)
		__atomic_store_n(entries, first, __ATOMIC_RELAXED);
}

/* --- looking */

/** OR one after another: left alone, compilers load half of a block first. */
AVX2 static bool all_free(const entries_t *v)
{
	entries_t any = v[0];

#pragma GCC unroll 16
	for (size_t k = 1; k < SEEN; k++) {
		any |= v[k];
		__asm__("" : "+x"(any));
	}
	return __builtin_ia32_ptestz256((test_t)any, (test_t)any);
}

AVX2 static bool all_used(const entries_t *v)
{
	test_t any = v[0] == 0;

#pragma GCC unroll 16
	for (size_t k = 1; k < SEEN; k++)
		any |= v[k] == 0;
	return __builtin_ia32_ptestz256(any, any);
}

AVX2 size_t dmamap_accel_avx2_scan(struct dma_host *host, const uint64_t *entries, size_t n,
				   bool used)
{
	size_t i = 0;

	(void)host;
	for (; i < n && is_odd(entries + i); i++)
		if ((entries[i] != 0) != used)
			return i;
	for (; n - i >= SEEN * LANES; i += SEEN * LANES) {
		const entries_t *v = (const entries_t *)(entries + i);

		if (!(used ? all_used(v) : all_free(v)))
			break;
	}
	while (i < n && (entries[i] != 0) == used)
		i++;
	return i;
}

#endif
