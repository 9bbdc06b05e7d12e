/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses that are kept out of windows with mappings in them: nobody gets them, and the windows are found by what is
 * free in them afterwards. A shard that looked for a long run into one that has none any more would make a new window
 * each time, although others have room.
 */
#include "world.h"

#include "iommu/domain.h"

#define RUN   64u
#define RUNS  8u /* of a window */
#define MANY  4u /* windows, and one more that is full */
#define BYTES (RUN * PAGE)

static dma_addr_t map_run(struct world *w)
{
	dma_addr_t addr = dma_map_phys(w->dev, w->buf, BYTES, DMA_BIDIRECTIONAL, 0);

	assert_false(dma_mapping_error(w->dev, addr));
	return addr;
}

static void unmap_run(struct world *w, dma_addr_t addr)
{
	dma_unmap_phys(w->dev, addr, BYTES, DMA_BIDIRECTIONAL, 0);
}

static void keep_out(struct world *w, dma_addr_t addr)
{
	struct dma_domain *domain = w->domain;

	domain_lock(domain);
	assert_int_equal(dmamap_domain_keep_out(domain, addr / PAGE, 1), 0);
	domain_unlock(domain);
}

static void found_by_what_is_free(void **state)
{
	dma_addr_t run[MANY + 1][RUNS];
	dma_addr_t more[2 * RUNS];
	dma_addr_t single;
	struct world w;
	uint64_t live;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, RUN);
	for (unsigned int i = 0; i <= MANY; i++)
		for (unsigned int k = 0; k < RUNS; k++)
			run[i][k] = map_run(&w);
	/* one run stays in each, so that none is given back; the last window is full, and the current one */
	for (unsigned int i = 0; i < MANY; i++)
		for (unsigned int k = 1; k < RUNS; k++)
			unmap_run(&w, run[i][k]);
	single = dma_map_phys(w.dev, w.buf, PAGE, DMA_BIDIRECTIONAL, 0);
	/* in all but the current window and one */
	for (unsigned int i = 1; i + 1 < MANY; i++)
		for (unsigned int k = 1; k < RUNS; k++)
			keep_out(&w, run[i][k] + k * PAGE);
	live = w.domain->windows.live;
	for (unsigned int k = 0; k < 2 * (RUNS - 1) - 1; k++)
		more[k] = map_run(&w);
	assert_int_equal(w.domain->windows.live, live);
	for (unsigned int k = 0; k < 2 * (RUNS - 1) - 1; k++) {
		for (unsigned int i = 1; i + 1 < MANY; i++)
			for (unsigned int j = 1; j < RUNS; j++)
				assert_true(run[i][j] != more[k]);
		unmap_run(&w, more[k]);
	}
	dma_unmap_phys(w.dev, single, PAGE, DMA_BIDIRECTIONAL, 0);
	for (unsigned int k = 0; k < RUNS; k++)
		unmap_run(&w, run[MANY][k]);
	for (unsigned int i = 0; i < MANY; i++)
		unmap_run(&w, run[i][0]);
	dma_domain_flush(w.domain);
	/* windows that addresses were kept out of stay */
	assert_in_range(w.domain->windows.live, MANY - 2, MANY - 1);
	w.empty_tables = world_stats(&w).table_bytes;
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(found_by_what_is_free) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
