/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools that grow: transient parts for one mapping, parts that stay, who makes them and when, and every allocation
 * made to fail.
 */
#include "machine.h"

#include <string.h>

#include <dmamap/dmamap.h>

/* Linux's pool at POOL, of @bytes, which may grow to @most. */
static void growing_pool(struct machine *m, uint64_t bytes, uint64_t most, uint32_t segment)
{
	machine_pool_config(m, (struct dma_bounce_config){
				       .bytes = bytes,
				       .segment_slots = segment,
				       .base = POOL,
				       .max_bytes = most,
				       .areas = 1,
			       });
}

/* Fill the pool of 1 MiB in pieces of 256 KiB. */
static void fill(struct machine *m)
{
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(map(m, BUF, 262144), POOL + i * 0x40000);
}

static void empty(struct machine *m)
{
	for (unsigned int i = 0; i < 4; i++)
		assert_true(unmap(m, POOL + i * 0x40000, 1, DMA_TO_DEVICE));
}

static void SWT_39_transient_when_it_may_not_block(void **state)
{
	struct machine *m = machine_new();
	int pages;
	phys_addr_t a;
	phys_addr_t b;

	(void)state;
	m->host.defer = machine_defer;
	growing_pool(m, MB, 8 * MB, 128);
	fill(m);
	pages = m->pages_out;
	pattern(m, BUF + MB, 8192, 1);
	a = map(m, BUF + MB, 8192);
	assert_true(a - POOL >= MB);
	assert_true(is_pattern(m, a, 8192, BUF + MB, 1));
	assert_int_equal(stats(m).transient_slots, 4);
	assert_int_equal(stats(m).used_slots, 516);
	assert_int_equal(stats(m).slots, 516);
	assert_int_equal(stats(m).parts, 1);
	assert_int_equal(m->asked.size, 8192);
	assert_int_equal(m->asked.gfp & DMAMAP_GFP_RECLAIM, 0);
	/* Asked once, however many find no room. */
	assert_int_equal(m->deferred, 1);
	b = map(m, BUF + MB, 100);
	assert_int_equal(m->deferred, 1);
	assert_int_equal(stats(m).transient_slots, 6); /* whole pages */
	/* It is a mapping like any other. */
	assert_true(dmamap_bounce_owns(&m->dev, a) && dmamap_bounce_live(&m->dev, a + 8191));
	assert_true(dma_need_sync(&m->dev, a));
	pattern(m, a, 8192, 2);
	dmamap_bounce_sync_for_cpu(&m->dev, a + 100, 100, DMA_FROM_DEVICE);
	assert_true(is_pattern(m, BUF + MB + 100, 100, a + 100, 2));
	assert_false(unmap(m, a + 1, 1, DMA_FROM_DEVICE));
	assert_true(unmap(m, a, 8192, DMA_FROM_DEVICE));
	assert_true(is_pattern(m, BUF + MB, 8192, a, 2));
	assert_false(dmamap_bounce_owns(&m->dev, a));
	assert_false(unmap(m, a, 8192, DMA_FROM_DEVICE));
	assert_true(unmap(m, b, 100, DMA_TO_DEVICE));
	assert_int_equal(m->pages_out, pages);
	assert_int_equal(stats(m).transient_slots, 0);
	assert_int_equal(stats(m).used_slots, 512);
	assert_int_equal(stats(m).maps, 6);
	assert_int_equal(stats(m).failures, 0);
	assert_true(stats(m).peak_slots >= 516);
	empty(m);
	machine_free(m);
}

static void SWT_39_the_worker_adds_a_part(void **state)
{
	for (int by_timer = 0; by_timer < 2; by_timer++) {
		struct machine *m = machine_new();
		phys_addr_t transient;
		phys_addr_t a;

		if (by_timer)
			m->host.defer = machine_defer;
		growing_pool(m, MB, 4 * MB, 128);
		fill(m);
		dma_poll(&m->host); /* nobody has asked yet */
		assert_int_equal(stats(m).parts, 1);
		transient = map(m, BUF, 4096);
		m->may_block = true;
		if (by_timer)
			m->later(m->later_arg);
		else
			dma_poll(&m->host);
		m->may_block = false;
		assert_int_equal(stats(m).parts, 2);
		assert_int_equal(stats(m).bytes, 2 * MB + 4096);
		assert_int_equal(m->asked.gfp & DMAMAP_GFP_RECLAIM, DMAMAP_GFP_RECLAIM);
		a = map(m, BUF, 262144);
		assert_int_equal(stats(m).transient_slots, 2);
		assert_true(unmap(m, transient, 4096, DMA_TO_DEVICE));
		assert_true(unmap(m, a, 4096, DMA_TO_DEVICE));
		dma_poll(&m->host);
		assert_int_equal(stats(m).parts, 2);
		/* The first part still comes first. */
		assert_true(unmap(m, POOL, 1, DMA_TO_DEVICE));
		assert_int_equal(map(m, BUF, 262144), POOL);
		empty(m);
		machine_free(m);
	}
	(void)state;
}

static void growth_at_once_where_it_may_block(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a[12];
	uint64_t have;

	(void)state;
	m->may_block = true;
	m->host.defer = machine_defer;
	growing_pool(m, MB, 4 * MB, 128);
	fill(m);
	for (int i = 0; i < 12; i++)
		a[i] = map(m, BUF, 262144);
	assert_int_equal(stats(m).parts, 4);
	assert_int_equal(stats(m).transient_slots, 0);
	assert_int_equal(m->deferred, 0);
	/* The limit holds. */
	assert_int_equal(refused(m, BUF, 1, 0, &have), DMA_REASON_BOUNCE_EXHAUSTED);
	assert_int_equal(stats(m).bytes, 4 * MB);
	assert_int_equal(stats(m).peak_slots, 2048);
	for (int i = 0; i < 12; i++)
		assert_true(unmap(m, a[i], 1, DMA_TO_DEVICE));
	assert_int_equal(stats(m).longest_run, 128);
	empty(m);
	machine_free(m);
}

static void transients_count_for_the_limit(void **state)
{
	struct machine *m = machine_new();
	uint64_t have;
	phys_addr_t a;

	(void)state;
	growing_pool(m, MB, MB + 300 * 1024, 128);
	fill(m);
	a = map(m, BUF, 262144);
	assert_int_equal(refused(m, BUF, 262144, 0, &have), DMA_REASON_BOUNCE_EXHAUSTED);
	assert_int_equal(stats(m).bytes, MB + 262144);
	assert_true(unmap(m, a, 1, DMA_TO_DEVICE));
	a = map(m, BUF, 262144);
	assert_true(unmap(m, a, 1, DMA_TO_DEVICE));
	empty(m);
	machine_free(m);
}

static void growth_takes_what_the_host_has(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a;

	(void)state;
	m->may_block = true;
	growing_pool(m, 16 * MB, 64 * MB, 128);
	for (unsigned int i = 0; i < 64; i++)
		map(m, BUF, 262144);
	m->next_page = META + 57 * MB; /* 7 MiB are left, for the bookkeeping too */
	a = map(m, BUF, 262144);
	assert_int_equal(stats(m).parts, 2);
	assert_int_equal(stats(m).bytes, 16 * MB + 4 * MB);
	assert_true(unmap(m, a, 1, DMA_TO_DEVICE));
	for (unsigned int i = 0; i < 64; i++)
		assert_true(unmap(m, POOL + i * 0x40000, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_40_what_can_never_fit_does_not_grow(void **state)
{
	struct machine *m = machine_new();
	uint64_t have;
	int pages;

	(void)state;
	m->may_block = true;
	m->host.defer = machine_defer;
	growing_pool(m, MB, 4 * MB, 128);
	pages = m->pages_out;
	assert_int_equal(refused(m, BUF, 262145, 0, &have), DMA_REASON_BOUNCE_TOO_LARGE);
	assert_int_equal(have, 262144);
	m->may_block = false;
	assert_int_equal(refused(m, BUF, 262145, 0, &have), DMA_REASON_BOUNCE_TOO_LARGE);
	assert_int_equal(m->pages_out, pages);
	assert_int_equal(m->deferred, 0);
	assert_int_equal(stats(m).parts, 1);
	machine_free(m);

	/* Without segments the first part's size is the limit. */
	m = machine_new();
	growing_pool(m, MB, 4 * MB, 0);
	assert_int_equal(dmamap_bounce_max_size(&m->dev), MB);
	assert_int_equal(refused(m, BUF, MB + 1, 0, &have), DMA_REASON_BOUNCE_TOO_LARGE);
	assert_int_equal(map(m, BUF, 100), POOL);
	assert_int_not_equal(map(m, BUF, MB), POOL);
	assert_int_equal(stats(m).transient_slots, 512);
	assert_true(unmap(m, POOL, 100, DMA_TO_DEVICE));
	assert_true(unmap(m, m->next_page - MB, MB, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_41_transient_out_of_reach(void **state)
{
	struct machine *m = machine_new();
	uint64_t have;
	int pages;

	(void)state;
	growing_pool(m, MB, 4 * MB, 128);
	fill(m);
	pages = m->pages_out;
	/* All that the host has left is above the mask: it is asked for less, and has nothing. */
	assert_int_equal(dmamap_device_set_bus_limit(&m->dev, META - 1), 0);
	assert_int_equal(refused(m, BUF, 4096, 0, &have), DMA_REASON_BOUNCE_EXHAUSTED);
	assert_int_equal(m->pages_out, pages);
	assert_int_equal(dmamap_device_set_bus_limit(&m->dev, META + 64 * MB - 1), 0);
	m->next_page = META + 63 * MB;
	map(m, BUF, 4096);
	assert_int_equal(m->asked.ceiling, META + 64 * MB - 1);
	assert_true(unmap(m, m->next_page - 4096, 4096, DMA_TO_DEVICE));
	empty(m);
	machine_free(m);
}

static void transient_within_the_window(void **state)
{
	static const struct dma_range window[] = { { META, 0x10000, 32 * MB },
						   { POOL, 0x80000000, MB },
						   { 0 } };
	struct machine *m = machine_new();
	uint64_t have;
	phys_addr_t a;
	int pages;

	(void)state;
	growing_pool(m, MB, 4 * MB, 128);
	fill(m);
	assert_int_equal(dmamap_device_set_range_map(&m->dev, window), 0);
	a = map(m, BUF, 4096);
	assert_int_equal(m->asked.ceiling, META + 32 * MB - 1);
	assert_true(unmap(m, a, 4096, DMA_TO_DEVICE));
	/* A host that gives what was not asked for: it is not used. */
	pages = m->pages_out;
	m->next_page = META + 40 * MB;
	assert_int_equal(refused(m, BUF, 4096, 0, &have), DMA_REASON_BOUNCE_EXHAUSTED);
	assert_int_equal(m->pages_out, pages);
	/* And where the pool itself is out of reach, a transient part may help. */
	m->next_page = META + 2 * MB;
	assert_int_equal(dmamap_device_set_bus_limit(&m->dev, 0x7fffffff), 0);
	a = map(m, BUF, 4096);
	assert_true(a - META < 32 * MB);
	assert_true(unmap(m, a, 4096, DMA_TO_DEVICE));
	empty(m);
	machine_free(m);
}

static void transient_keeps_low_bits_and_boundaries(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a;

	(void)state;
	growing_pool(m, MB, 4 * MB, 128);
	fill(m);
	m->parms.min_align_mask = 0xffff;
	a = map(m, BUF + 0xf234, 0x3000);
	assert_int_equal(a & 0xffff, 0xf234);
	assert_true(unmap(m, a, 0x3000, DMA_TO_DEVICE));
	m->parms.min_align_mask = 0xfff;
	m->parms.segment_boundary_mask = 0x1ffff;
	m->next_page += 0x1000;
	a = map(m, BUF + 0x800, 0x1f000);
	assert_int_equal(a & 0xfff, 0x800);
	assert_int_equal(a / 0x20000, (a + 0x1efff) / 0x20000);
	assert_true(unmap(m, a, 0x1f000, DMA_TO_DEVICE));
	/* A whole segment and a slot before it: the transient part has no segments. */
	m->parms.segment_boundary_mask = 0;
	a = map(m, BUF + 0x800, 0x3f900);
	assert_int_equal(a & 0xfff, 0x800);
	assert_true(unmap(m, a, 0x3f900, DMA_TO_DEVICE));
	m->parms.min_align_mask = 0;
	a = map_aligned(m, BUF, 100, 0x3fff);
	assert_int_equal(a & 0x3fff, 0);
	assert_true(unmap(m, a, 100, DMA_TO_DEVICE));
	empty(m);
	machine_free(m);
}

static void every_allocation_fails_in_turn(void **state)
{
	(void)state;
	for (int may_block = 0; may_block < 2; may_block++) {
		for (int n = 1; n < 6; n++) {
			struct machine *m = machine_new();
			struct dma_error why = { .reason = DMA_REASON_NONE };
			phys_addr_t a;
			int pages;

			growing_pool(m, MB, 4 * MB, 128);
			fill(m);
			pages = m->pages_out;
			m->may_block = may_block;
			m->fail_alloc = n;
			a = dmamap_bounce_map(&m->dev, BUF, 4096, 0, 0, &why);
			if (a == DMAMAP_PHYS_NONE) {
				assert_int_equal(why.reason, DMA_REASON_BOUNCE_EXHAUSTED);
				assert_int_equal(m->pages_out, pages);
				assert_int_equal(used(m), 512);
			} else {
				assert_true(unmap(m, a, 4096, DMA_BIDIRECTIONAL));
			}
			m->fail_alloc = n;
			dma_poll(&m->host);
			m->fail_alloc = 0;
			/* Whatever failed: the next one succeeds. */
			a = map(m, BUF, 4096);
			assert_true(unmap(m, a, 4096, DMA_BIDIRECTIONAL));
			empty(m);
			machine_free(m);
		}
	}
}

static void creation_fails_in_turn(void **state)
{
	struct machine *m = machine_new();
	const struct dma_bounce_config config = { .size = sizeof(config),
						  .bytes = MB,
						  .max_bytes = 2 * MB };
	int n = 0;

	(void)state;
	do {
		m->fail_alloc = ++n;
		m->pool = NULL;
	} while (dmamap_bounce_create(&m->host, &config, &m->pool) == -DMAMAP_ENOMEM &&
		 !m->pages_out);
	assert_int_equal(n, 4); /* the pool, its first part, the memory */
	machine_free(m);
}

static void a_buffer_that_cannot_be_read_frees_the_transient(void **state)
{
	struct machine *m = machine_new();
	int pages;

	(void)state;
	growing_pool(m, MB, 4 * MB, 128);
	fill(m);
	pages = m->pages_out;
	m->host.map_temporary = NULL;
	assert_int_equal(refused(m, HIGH, 100, 0, NULL), DMA_REASON_NOT_KMAPPABLE);
	assert_int_equal(m->pages_out, pages);
	assert_int_equal(stats(m).maps, 4);
	assert_int_equal(stats(m).failures, 1);
	empty(m);
	machine_free(m);
}

static void destroy_waits_for_transients(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a;

	(void)state;
	growing_pool(m, MB, 4 * MB, 128);
	fill(m);
	a = map(m, BUF, 1);
	empty(m);
	assert_int_equal(dmamap_bounce_destroy(m->pool), -DMAMAP_EBUSY);
	assert_true(unmap(m, a, 1, DMA_TO_DEVICE));
	machine_free(m);
}

/* A pool of 1 MiB that grew by as much again and holds nothing any more; the place of the mapping that was in it. */
static phys_addr_t grow_and_leave(struct machine *m)
{
	phys_addr_t a;

	m->may_block = true;
	fill(m);
	a = map(m, BUF + MB, 262144);
	assert_true(a - POOL >= MB);
	assert_int_equal(stats(m).parts, 2);
	assert_int_equal(stats(m).bytes, 2 * MB);
	assert_true(unmap(m, a, 262144, DMA_TO_DEVICE));
	return a;
}

static void poll_at(struct machine *m, uint64_t ms)
{
	m->now = ms * 1000000;
	dmamap_poll(&m->host);
}

static void an_idle_part_goes_back_after_a_second(void **state)
{
	struct machine *m = machine_new();
	struct dma_error why;
	phys_addr_t a, b;
	int pages;

	(void)state;
	machine_clock(m);
	growing_pool(m, MB, 8 * MB, 128);
	a = grow_and_leave(m);
	pages = m->pages_out;
	poll_at(m, 100);
	poll_at(m, 1099);
	assert_int_equal(stats(m).parts, 2);
	poll_at(m, 1100);
	assert_int_equal(stats(m).parts, 1);
	assert_int_equal(stats(m).bytes, MB);
	assert_int_equal(stats(m).slots, 512);
	assert_int_equal(m->pages_out, pages - 1);
	/* What was there is no slot any more. */
	assert_false(dmamap_bounce_owns(&m->dev, a));
	assert_false(dmamap_bounce_unmap(&m->dev, a, 1, DMA_TO_DEVICE, 0, &why));
	assert_int_equal(why.reason, DMA_REASON_NOT_BOUNCED);
	/* It comes again when it is needed, and holds what is mapped. */
	pattern(m, BUF + MB, 262144, 3);
	b = map(m, BUF + MB, 262144);
	assert_true(is_pattern(m, b, 262144, BUF + MB, 3));
	assert_int_equal(stats(m).parts, 2);
	assert_int_equal(m->pages_out, pages);
	memset(ram(m, b), 0x42, 262144);
	assert_true(unmap(m, b, 262144, DMA_FROM_DEVICE));
	assert_int_equal(*ram(m, BUF + MB + 262143), 0x42);
	empty(m);
	machine_free(m);
}

static void a_part_in_use_stays(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a, b;

	(void)state;
	machine_clock(m);
	growing_pool(m, MB, 8 * MB, 128);
	grow_and_leave(m);
	poll_at(m, 100);
	/* A map in between, though it is gone by the next poll; then one that lives. */
	a = map(m, BUF + MB, 262144);
	assert_true(unmap(m, a, 262144, DMA_TO_DEVICE));
	poll_at(m, 1200);
	assert_int_equal(stats(m).parts, 2);
	b = map(m, BUF + MB, 100);
	poll_at(m, 9000);
	poll_at(m, 19000);
	assert_int_equal(stats(m).parts, 2);
	assert_true(unmap(m, b, 100, DMA_TO_DEVICE));
	poll_at(m, 29000);
	poll_at(m, 29999);
	assert_int_equal(stats(m).parts, 2);
	poll_at(m, 30000);
	assert_int_equal(stats(m).parts, 1);
	/* The first part is for good. */
	empty(m);
	poll_at(m, 40000);
	poll_at(m, 50000);
	assert_int_equal(stats(m).bytes, MB);
	machine_free(m);
}

static void polls_count_without_a_clock(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	growing_pool(m, MB, 8 * MB, 128);
	grow_and_leave(m);
	for (int i = 0; i < 16; i++)
		dmamap_poll(&m->host);
	assert_int_equal(stats(m).parts, 2);
	dmamap_poll(&m->host);
	assert_int_equal(stats(m).parts, 1);
	empty(m);
	machine_free(m);
}

/* What was given back counts for the limit no more, and may be refused when it is asked for again. */
static void what_went_back_may_be_had_again_or_not(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a;
	int pages;

	(void)state;
	machine_clock(m);
	growing_pool(m, MB, 2 * MB, 128);
	grow_and_leave(m);
	poll_at(m, 1);
	poll_at(m, 2000);
	assert_int_equal(stats(m).parts, 1);
	pages = m->pages_out;
	m->may_block = false;
	m->fail_alloc = 1;
	assert_int_equal(refused(m, BUF + MB, 4096, 0, NULL), DMA_REASON_BOUNCE_EXHAUSTED);
	assert_int_equal(m->pages_out, pages);
	/* Without memory for the old part a new one is tried. */
	m->may_block = true;
	m->fail_alloc = 1;
	a = map(m, BUF + MB, 4096);
	m->fail_alloc = 0;
	assert_int_equal(stats(m).bytes, 2 * MB);
	assert_true(unmap(m, a, 4096, DMA_TO_DEVICE));
	poll_at(m, 2500); /* the refused map asked for a part; there is one by now */
	poll_at(m, 3000);
	poll_at(m, 5000);
	assert_int_equal(stats(m).bytes, MB);
	assert_int_equal(m->pages_out, pages + 1); /* its bookkeeping */
	m->may_block = true;
	a = map(m, BUF + MB, 262144);
	assert_int_equal(stats(m).bytes, 2 * MB);
	assert_true(unmap(m, a, 262144, DMA_TO_DEVICE));
	empty(m);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(SWT_39_transient_when_it_may_not_block),
		cmocka_unit_test(SWT_39_the_worker_adds_a_part),
		cmocka_unit_test(growth_at_once_where_it_may_block),
		cmocka_unit_test(transients_count_for_the_limit),
		cmocka_unit_test(growth_takes_what_the_host_has),
		cmocka_unit_test(SWT_40_what_can_never_fit_does_not_grow),
		cmocka_unit_test(SWT_41_transient_out_of_reach),
		cmocka_unit_test(transient_within_the_window),
		cmocka_unit_test(transient_keeps_low_bits_and_boundaries),
		cmocka_unit_test(every_allocation_fails_in_turn),
		cmocka_unit_test(creation_fails_in_turn),
		cmocka_unit_test(a_buffer_that_cannot_be_read_frees_the_transient),
		cmocka_unit_test(destroy_waits_for_transients),
		cmocka_unit_test(an_idle_part_goes_back_after_a_second),
		cmocka_unit_test(a_part_in_use_stays),
		cmocka_unit_test(polls_count_without_a_clock),
		cmocka_unit_test(what_went_back_may_be_had_again_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
