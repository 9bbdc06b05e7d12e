/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every allocation made to fail, one at a time: a scenario is run once for each request for pages that it makes, and
 * that request fails. The calls of a scenario are made through run_X(): a call may fail once, for want of memory, with a
 * reason and a trace; nothing is half done then, and the same call succeeds right after.
 */
#ifndef TESTS_SPEC_EACH_H
#define TESTS_SPEC_EACH_H

#include "fixture.h"

struct run {
	struct fx *fx;
	unsigned int failures;
	/** What a call says for which a pool could not grow. */
	enum dma_reason full;
};

dma_addr_t run_map(struct run *run, struct dma_device *dev, uint64_t phys, size_t size,
		   unsigned long attrs);
void run_map_list(struct run *run, struct dma_device *dev, struct scatterlist *sgl, int n);
void *run_alloc(struct run *run, struct dma_device *dev, size_t size, dma_addr_t *handle,
		gfp_t gfp);
struct dma_bounce *run_pool(struct run *run, uint64_t bytes, uint64_t max_bytes);

/**
 * Run @scenario with each of its requests failing in turn, on a host of @config (NULL: the usual one); at the end of each
 * run nothing may have leaked (fx_free()). Returns how many requests there are.
 */
unsigned int each_fails_in_turn(const struct fx_config *config, void (*scenario)(struct run *run));

#endif
