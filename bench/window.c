/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The allocator of small ranges alone: a bit of a window, taken and given back. What dma_iova_try_alloc() and
 * dma_iova_free() check, count and write besides is not in it. For that this file looks into the library.
 */
#include <stdlib.h>

#include "bench.h"

#include "iommu/quick_iova.h"

#define PAGE 4096u

static void close_window(void *state)
{
	bench_behind_close(state);
	free(state);
}

/* The first range makes the window, and tells the device where it is. */
static void *open_window(void)
{
	struct bench_behind *b = calloc(1, sizeof(*b));
	struct dma_iova_state first;

	if (!b)
		return NULL;
	if (!bench_behind_open(b, DMA_INVALIDATION_STRICT, PAGE) ||
	    !dma_iova_try_alloc(&b->dev, &first, 0, PAGE)) {
		close_window(b);
		return NULL;
	}
	dma_iova_free(&b->dev, &first);
	return b;
}

/* What the calls do where there is more to it: another thread has the shard, or the window is full. */
static bool go_the_long_way(struct bench_behind *b)
{
	struct dma_iova_state one;
	bool ok = dma_iova_try_alloc(&b->dev, &one, 0, PAGE);

	if (ok)
		dma_iova_free(&b->dev, &one);
	return ok;
}

static inline void give(struct dmamap_dev *d, struct window *w, uint64_t granule)
{
	unsigned int index = granule % WINDOW_GRANULES;

	small_give_back(d->domain, w, &w->word[index / 64], (uint64_t)1 << index % 64);
}

static bool run_window(void *state, uint64_t n)
{
	struct bench_behind *b = state;
	struct dmamap_dev *d = dmamap_dev(&b->dev);

	for (uint64_t i = 0; i < n; i++) {
		struct window *w;
		uint64_t granule;

		if (quick_iova_take(d, false, &w, &granule))
			give(d, w, granule);
		else if (!go_the_long_way(b))
			return false;
	}
	return true;
}

const struct bench_op bench_window = {
	.name = "window-4k",
	.what = "I/O addresses: take a granule of a window and give it back, nothing else",
	.open = open_window,
	.run = run_window,
	.close = close_window,
	.threads = true,
};
