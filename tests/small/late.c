/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An unmap that a flush overtakes, step by step: it has made its bits pending and not yet put the window into the list,
 * when a flush takes the bits, finds nothing else in the window, and gives that back. What the unmap does then must not
 * give the window back once more. (With threads: threads.c, where it takes luck.)
 */
#include "world.h"

#include "iommu/domain.h"

/** What is left of an unmap that has made its bits pending. */
static void list_late(struct dma_domain *domain, struct window_lazy *lazy)
{
	lazy->listed = true;
	lazy->next = domain->windows.pending;
	domain->windows.pending = lazy;
	domain->windows.shards[0].waiting++;
}

static struct window_lazy *unmap_one(struct world *w)
{
	dma_addr_t addr = dma_map_phys(w->dev, w->buf, PAGE, DMA_TO_DEVICE, 0);

	assert_true(addr != DMA_MAPPING_ERROR);
	dma_unmap_phys(w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	assert_non_null(w->domain->windows.pending);
	return w->domain->windows.pending;
}

static void check_nothing_left(struct world *w)
{
	assert_null(w->domain->windows.pending);
	assert_int_equal(w->domain->windows.live, 0);
	assert_int_equal(w->domain->windows.grouped, 0);
}

static void window_is_gone(void **state)
{
	struct window_lazy *lazy;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_LAZY, 1);
	lazy = unmap_one(&w);
	dma_domain_flush(w.domain);
	check_nothing_left(&w);
	list_late(w.domain, lazy);
	dma_domain_flush(w.domain);
	check_nothing_left(&w);
	world_end(&w);
}

/** The same flush finds the window idle, and then in the list. */
static void window_is_idle(void **state)
{
	struct window_lazy *lazy;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_LAZY, 1);
	lazy = unmap_one(&w);
	dma_domain_flush(w.domain);
	assert_ptr_equal(unmap_one(&w), lazy);
	domain_lock(w.domain);
	dmamap_domain_flush_now(w.domain); /* keeps the window: it is current */
	domain_unlock(w.domain);
	assert_int_equal(w.domain->windows.live, 1);
	list_late(w.domain, lazy);
	dma_domain_flush(w.domain);
	check_nothing_left(&w);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window_is_gone),
		cmocka_unit_test(window_is_idle),
	};

	return cmocka_run_group_tests_name("small-late", tests, NULL, NULL);
}
