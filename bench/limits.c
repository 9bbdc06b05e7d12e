/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the machine itself can do, measured in the same run: a store, an atomic that nobody contends for, a copy.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define COPY 4096u

struct limits {
	uint64_t word[8];
	unsigned char from[COPY], to[COPY];
};

static void *open_limits(void)
{
	struct limits *l = aligned_alloc(64, (sizeof(*l) + 63) / 64 * 64);

	if (l)
		memset(l, 1, sizeof(*l));
	return l;
}

static bool run_store(void *state, uint64_t n)
{
	struct limits *l = state;

	for (uint64_t i = 0; i < n; i++)
		__atomic_store_n(&l->word[0], i, __ATOMIC_RELAXED);
	return true;
}

static bool run_atomic(void *state, uint64_t n)
{
	struct limits *l = state;

	for (uint64_t i = 0; i < n; i++)
		__atomic_fetch_add(&l->word[0], 1, __ATOMIC_RELAXED);
	return true;
}

static bool run_copy(void *state, uint64_t n)
{
	struct limits *l = state;

	for (uint64_t i = 0; i < n; i++) {
		memcpy(l->to, l->from, COPY);
		__asm__ volatile("" : : "r"(l) : "memory");
	}
	return true;
}

const struct bench_op bench_store = {
	.name = "store",
	.what = "a plain 8-byte store",
	.open = open_limits,
	.run = run_store,
	.close = free,
	.limit = true,
};

const struct bench_op bench_atomic = {
	.name = "atomic",
	.what = "an uncontended atomic add",
	.open = open_limits,
	.run = run_atomic,
	.close = free,
	.limit = true,
};

const struct bench_op bench_copy = {
	.name = "copy-4k",
	.what = "a copy of 4 KiB, hot",
	.open = open_limits,
	.run = run_copy,
	.close = free,
	.limit = true,
};
