/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An unmap that a flush overtakes, step by step: it has made its bits pending and not yet put the window into the list,
 * when a flush takes the bits, finds nothing else in the window, and gives that back. What the unmap does then must not
 * give the window back once more. And one that a change to strict overtakes. (With threads: threads.c, where it takes
 * luck.)
 */
#include "world.h"

#include "iommu/small.h"

/** What is left of an unmap that has made its bits pending. */
static void list_late(struct dma_domain *domain, struct window_lazy *lazy)
{
	lazy->listed = true;
	lazy->next = domain->windows.first->pending;
	domain->windows.first->pending = lazy;
	domain->windows.first->waiting++;
}

static struct window_lazy *unmap_one(struct world *w)
{
	dma_addr_t addr = dma_map_phys(w->dev, w->buf, PAGE, DMA_TO_DEVICE, 0);

	assert_true(addr != DMA_MAPPING_ERROR);
	dma_unmap_phys(w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	assert_non_null(w->domain->windows.first->pending);
	return w->domain->windows.first->pending;
}

static void check_nothing_left(struct world *w)
{
	assert_null(w->domain->windows.first->pending);
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

/** An unmap has seen a lazy domain; when it comes to wait for a flush, the domain is strict, and its flush is over. */
static void domain_turned_strict(void **state)
{
	struct span span = { .granules = 1 };
	struct window_word *word;
	struct shard *s;
	dma_addr_t addr;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_LAZY, 1);
	addr = dma_map_phys(w.dev, w.buf, PAGE, DMA_TO_DEVICE, 0);
	assert_true(world_reads(&w, addr, 0));
	span.window = window_find(&w.domain->windows.index, addr / PAGE);
	span.index = addr / PAGE % WINDOW_GRANULES;
	word = &span.window->word[span.index / 64];
	s = w.domain->windows.first;
	assert_true(word->heads & span_mask(span));
	word->heads &= ~span_mask(span);
	assert_int_equal(dma_domain_set_invalidation(w.domain, DMA_INVALIDATION_STRICT), 0);
	small_clear(w.domain, span);
	small_count_unmap(dmamap_dev(w.dev), s);
	small_defer(w.domain, s, window_lazy_of(span.window), span.index / 64, span_mask(span));
	assert_true(world_faults(&w, addr));
	assert_int_equal(world_stats(&w).queued, 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window_is_gone),
		cmocka_unit_test(window_is_idle),
		cmocka_unit_test(domain_turned_strict),
	};

	return cmocka_run_group_tests_name("small-late", tests, NULL, NULL);
}
