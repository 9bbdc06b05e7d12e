/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I/O addresses alone, and memory linked to them: the two-step calls.
 */
#include <stdlib.h>

#include "bench.h"

#define PAGE	  4096u
#define LINKED	  512u
#define SMALLEST  33u
#define SIZES	  225u /* 33 to 257 pages */
#define LIVE_FEW  100u
#define LIVE_MANY 100000u

struct space {
	struct bench_behind behind;
	uint64_t seed;
	uint32_t live;
	struct dma_iova_state *states;
};

static void close_space(void *state)
{
	struct space *s = state;

	for (uint32_t i = 0; s->states && i < s->live; i++)
		if (dma_use_iova(&s->states[i]))
			dma_iova_free(&s->behind.dev, &s->states[i]);
	free(s->states);
	bench_behind_close(&s->behind);
	free(s);
}

static uint32_t next_random(struct space *s)
{
	s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(s->seed >> 33);
}

static bool take(struct space *s, uint32_t i)
{
	uint64_t pages = SMALLEST + next_random(s) % SIZES;

	return dma_iova_try_alloc(&s->behind.dev, &s->states[i], 0, pages * PAGE);
}

static void *open_live(uint32_t live)
{
	struct space *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->seed = 1;
	s->live = live;
	s->states = calloc(live, sizeof(*s->states));
	if (!bench_behind_open(&s->behind, DMA_INVALIDATION_STRICT, 2 * LINKED * PAGE) ||
	    !s->states) {
		close_space(s);
		return NULL;
	}
	for (uint32_t i = 0; live > 1 && i < live; i++) {
		if (!take(s, i)) {
			close_space(s);
			return NULL;
		}
	}
	return s;
}

static void *open_one(void)
{
	return open_live(1);
}

static void *open_few(void)
{
	return open_live(LIVE_FEW);
}

static void *open_many(void)
{
	return open_live(LIVE_MANY);
}

static bool run_small(void *state, uint64_t n)
{
	struct space *s = state;
	struct dma_iova_state one;

	for (uint64_t i = 0; i < n; i++) {
		if (!dma_iova_try_alloc(&s->behind.dev, &one, 0, PAGE))
			return false;
		dma_iova_free(&s->behind.dev, &one);
	}
	return true;
}

/* One of the live ranges goes, another takes its place. */
static bool run_mixed(void *state, uint64_t n)
{
	struct space *s = state;

	for (uint64_t k = 0; k < n; k++) {
		uint32_t i = next_random(s) % s->live;

		dma_iova_free(&s->behind.dev, &s->states[i]);
		if (!take(s, i))
			return false;
	}
	return true;
}

/* From the second page of a large one on, so that every page needs an entry of its own. */
static bool run_link(struct space *s, uint64_t n, uint64_t pages)
{
	struct dma_device *dev = &s->behind.dev;
	phys_addr_t phys = s->behind.buffer + PAGE;
	struct dma_iova_state one;

	for (uint64_t i = 0; i < n; i++) {
		if (!dma_iova_try_alloc(dev, &one, 0, LINKED * PAGE) ||
		    dma_iova_link(dev, &one, phys, 0, pages * PAGE, DMA_BIDIRECTIONAL, 0) ||
		    dma_iova_sync(dev, &one, 0, pages * PAGE))
			return false;
		dma_iova_destroy(dev, &one, pages * PAGE, DMA_BIDIRECTIONAL, 0);
	}
	return true;
}

static bool run_link_1(void *state, uint64_t n)
{
	return run_link(state, n, 1);
}

static bool run_link_512(void *state, uint64_t n)
{
	return run_link(state, n, LINKED);
}

static bool run_link_small(void *state, uint64_t n)
{
	struct space *s = state;
	struct dma_device *dev = &s->behind.dev;
	struct dma_iova_state one;

	for (uint64_t i = 0; i < n; i++) {
		if (!dma_iova_try_alloc(dev, &one, 0, PAGE) ||
		    dma_iova_link(dev, &one, s->behind.buffer, 0, PAGE, DMA_BIDIRECTIONAL, 0) ||
		    dma_iova_sync(dev, &one, 0, PAGE))
			return false;
		dma_iova_destroy(dev, &one, PAGE, DMA_BIDIRECTIONAL, 0);
	}
	return true;
}

const struct bench_op bench_iova = {
	.name = "iova-4k",
	.what = "I/O addresses: take and free 4 KiB",
	.open = open_one,
	.run = run_small,
	.close = close_space,
	.threads = true,
};

const struct bench_op bench_iova_100 = {
	.name = "iova-mixed-100",
	.what = "I/O addresses: 33 to 257 pages, random order, 100 live",
	.open = open_few,
	.run = run_mixed,
	.close = close_space,
};

const struct bench_op bench_iova_100k = {
	.name = "iova-mixed-100k",
	.what = "I/O addresses: 33 to 257 pages, random order, 100,000 live",
	.open = open_many,
	.run = run_mixed,
	.close = close_space,
};

const struct bench_op bench_link_4k = {
	.name = "link-4k",
	.what = "two-step: take 4 KiB, link them, sync, destroy",
	.open = open_one,
	.run = run_link_small,
	.close = close_space,
	.threads = true,
};

const struct bench_op bench_link_1 = {
	.name = "link-1",
	.what = "two-step: take 2 MiB, link 4 KiB, sync, destroy",
	.open = open_one,
	.run = run_link_1,
	.close = close_space,
	.threads = true,
};

const struct bench_op bench_link_512 = {
	.name = "link-512",
	.what = "two-step: take 2 MiB, link 512 pages, sync, destroy",
	.open = open_one,
	.run = run_link_512,
	.close = close_space,
	.threads = true,
};
