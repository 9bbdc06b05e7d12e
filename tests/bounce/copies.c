/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a bounce copies, when, and whose addresses it believes: the SWT cases about content, syncs and release.
 */
#include <dmamap/mapping.h>

#include "machine.h"

#include <string.h>

#define BOTH DMA_BIDIRECTIONAL

static void SWT_18_map_always_copies_in(void **state)
{
	static const enum dma_data_direction dirs[] = { DMA_BIDIRECTIONAL, DMA_TO_DEVICE,
							DMA_FROM_DEVICE };
	struct machine *m = machine_new();

	(void)state;
	machine_pool(m, 512);
	assert_int_equal(dmamap_device_set_force_bounce(&m->dev, true), 0);
	pattern(m, BUF, 2 * PAGE, 1);
	for (int i = 0; i < 6; i++) {
		unsigned long attrs = i % 2 ? DMA_ATTR_SKIP_CPU_SYNC : 0;
		dma_addr_t a;

		pattern(m, POOL, PAGE, 2);
		a = dmamap_map_phys(&m->dev, BUF + 5, 100, dirs[i / 2], attrs);
		assert_int_equal(a, POOL);
		assert_true(is_pattern(m, a, 100, BUF + 5, 1));
		/* And not a byte more. */
		assert_true(is_pattern(m, a + 100, PAGE - 100, a + 100, 2));
		dmamap_unmap_phys(&m->dev, a, 100, dirs[i / 2], DMA_ATTR_SKIP_CPU_SYNC);
		assert_int_equal(used(m), 0);
	}
	machine_free(m);
}

static void SWT_19_unmap_copies_what_was_mapped(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a;

	(void)state;
	machine_pool(m, 512);
	pattern(m, BUF, PAGE, 1);
	a = map(m, BUF + 7, 100);
	memset(ram(m, a), 0xee, 10);
	memset(ram(m, a + 100), 0xee, 50); /* the device writes too far */
	assert_true(unmap(m, a, 100, DMA_FROM_DEVICE));
	assert_int_equal(*ram(m, BUF + 7), 0xee);
	assert_int_equal(*ram(m, BUF + 16), 0xee);
	assert_true(is_pattern(m, BUF, 7, BUF, 1));
	assert_true(is_pattern(m, BUF + 17, PAGE - 17, BUF + 17, 1));
	machine_free(m);
}

static void unmap_copies_only_when_the_device_may_have_written(void **state)
{
	struct machine *m = machine_new();
	struct dma_error why;
	phys_addr_t a;

	(void)state;
	machine_pool(m, 512);
	pattern(m, BUF, PAGE, 1);
	a = map(m, BUF, 100);
	memset(ram(m, a), 0xee, 100);
	assert_true(unmap(m, a, 100, DMA_TO_DEVICE));
	a = map(m, BUF, 100);
	memset(ram(m, a), 0xee, 100);
	assert_true(dmamap_bounce_unmap(&m->dev, a, 100, BOTH, DMA_ATTR_SKIP_CPU_SYNC, &why));
	assert_true(is_pattern(m, BUF, PAGE, BUF, 1));
	a = map(m, BUF, 100);
	memset(ram(m, a), 0xee, 100);
	assert_true(unmap(m, a, 40, BOTH));
	assert_int_equal(*ram(m, BUF + 39), 0xee);
	assert_true(is_pattern(m, BUF + 40, PAGE - 40, BUF + 40, 1));
	machine_free(m);
}

static void SWT_20_21_syncs(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a;

	(void)state;
	machine_pool(m, 512);
	pattern(m, BUF, PAGE, 1);
	a = map(m, BUF, PAGE);
	pattern(m, BUF, PAGE, 2);
	dmamap_bounce_sync_for_device(&m->dev, a, PAGE, BOTH);
	assert_true(is_pattern(m, a, PAGE, BUF, 2));
	memset(ram(m, a), 0xee, PAGE);
	dmamap_bounce_sync_for_cpu(&m->dev, a + 0x40, 0x10, BOTH);
	assert_true(is_pattern(m, BUF, 0x40, BUF, 2));
	assert_int_equal(*ram(m, BUF + 0x40), 0xee);
	assert_int_equal(*ram(m, BUF + 0x4f), 0xee);
	assert_true(is_pattern(m, BUF + 0x50, PAGE - 0x50, BUF + 0x50, 2));
	assert_int_equal(m->messages, 0);
	assert_true(unmap(m, a, PAGE, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_22_partial_sync_before_the_slot_offset(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a;

	(void)state;
	machine_pool(m, 512);
	m->parms.min_align_mask = 0xfff;
	pattern(m, BUF, 3 * PAGE, 1);
	a = map(m, BUF + 0xf00, 0x1000);
	assert_int_equal(a, 0x10000f00);
	assert_int_equal(used(m), 3);
	pattern(m, a, 0x1000, 3);
	/* The first byte of the second slot, and everything to the end: that is 0xf00. */
	dmamap_bounce_sync_for_cpu(&m->dev, 0x10001000, 0xf00, DMA_FROM_DEVICE);
	assert_true(is_pattern(m, BUF, 0x1000, BUF, 1));
	assert_true(is_pattern(m, BUF + 0x1000, 0xf00, 0x10001000, 3));
	assert_true(is_pattern(m, BUF + 0x1f00, 0x1100, BUF + 0x1f00, 1));
	/* What lies before the first byte is nobody's. */
	pattern(m, BUF, PAGE, 4);
	dmamap_bounce_sync_for_cpu(&m->dev, a - 0x100, 0x100, DMA_FROM_DEVICE);
	dmamap_bounce_sync_for_device(&m->dev, a - 0x100, 0x100, DMA_TO_DEVICE);
	assert_true(is_pattern(m, BUF, PAGE, BUF, 4));
	assert_int_equal(m->messages, 0);
	dmamap_bounce_sync_for_cpu(&m->dev, 0x10001000, 0xf01, DMA_FROM_DEVICE);
	assert_int_equal(m->messages, 1);
	assert_true(unmap(m, a, 0x1000, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_23_too_long_is_clamped_once(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a;

	(void)state;
	machine_pool(m, 512);
	pattern(m, BUF, PAGE, 1);
	a = map(m, BUF, 100);
	memset(ram(m, a), 0xee, PAGE);
	dmamap_bounce_sync_for_cpu(&m->dev, a, 101, BOTH);
	assert_int_equal(*ram(m, BUF + 99), 0xee);
	assert_true(is_pattern(m, BUF + 100, PAGE - 100, BUF + 100, 1));
	assert_int_equal(m->messages, 1);
	assert_non_null(strstr(m->message, "more bytes than the bounced mapping holds"));
	/* Behind the end, inside of the slot: nothing is left to copy. */
	dmamap_bounce_sync_for_cpu(&m->dev, a + 200, 8, BOTH);
	pattern(m, BUF, PAGE, 1);
	assert_true(unmap(m, a, UINT64_MAX, DMA_FROM_DEVICE));
	assert_int_equal(*ram(m, BUF + 99), 0xee);
	assert_true(is_pattern(m, BUF + 100, PAGE - 100, BUF + 100, 1));
	assert_int_equal(m->messages, 1);
	assert_int_equal(used(m), 0);
	machine_free(m);
}

static void SWT_24_to_26_syncs_that_do_nothing(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a;

	(void)state;
	machine_pool(m, 512);
	pattern(m, BUF, PAGE, 1);
	pattern(m, POOL, 4 * PAGE, 2);
	a = map(m, BUF, 100);
	pattern(m, a, 100, 2);
	dmamap_bounce_sync_for_cpu(&m->dev, POOL + PAGE, 100, BOTH); /* free slot */
	dmamap_bounce_sync_for_device(&m->dev, POOL + PAGE, 100, BOTH);
	dmamap_bounce_sync_for_cpu(&m->dev, BUF, 100, BOTH); /* not in the pool */
	dmamap_bounce_sync_for_device(&m->dev, a, 100, DMA_FROM_DEVICE);
	dmamap_bounce_sync_for_cpu(&m->dev, a, 100, DMA_TO_DEVICE);
	dmamap_bounce_sync_for_device(&m->dev, a, 100, DMA_NONE);
	dmamap_bounce_sync_for_cpu(&m->dev, a, 100, DMA_NONE);
	assert_true(is_pattern(m, BUF, PAGE, BUF, 1));
	assert_true(is_pattern(m, POOL, 4 * PAGE, POOL, 2));
	assert_int_equal(m->messages, 0);
	assert_true(unmap(m, a, 100, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_27_first_bounce_clears_the_skip_flag(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	machine_pool(m, 512);
	dmamap_dev(&m->dev)->skip_sync = true;
	assert_int_equal(refused(m, BUF, 4 * MB, 0, NULL), DMA_REASON_BOUNCE_TOO_LARGE);
	assert_true(dmamap_dev(&m->dev)->skip_sync);
	map(m, BUF, 1);
	assert_false(dmamap_dev(&m->dev)->skip_sync);
	assert_true(dmamap_dev(&m->dev)->has_bounced);
	assert_true(unmap(m, POOL, 1, BOTH));
	machine_free(m);
}

static void SWT_38_owned_is_not_live(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	machine_pool(m, 512);
	map(m, BUF, 3 * SLOT);
	assert_true(dmamap_bounce_owns(&m->dev, POOL));
	assert_true(dmamap_bounce_owns(&m->dev, POOL + MB - 1));
	assert_false(dmamap_bounce_owns(&m->dev, POOL + MB));
	assert_false(dmamap_bounce_owns(&m->dev, POOL - 1));
	assert_true(dmamap_bounce_live(&m->dev, POOL));
	assert_true(dmamap_bounce_live(&m->dev, POOL + 3 * SLOT - 1));
	assert_false(dmamap_bounce_live(&m->dev, POOL + 3 * SLOT));
	assert_false(dmamap_bounce_live(&m->dev, POOL - 1));
	assert_false(dmamap_bounce_live(&m->dev, POOL + MB));
	assert_true(unmap(m, POOL, 3 * SLOT, BOTH));
	assert_false(dmamap_bounce_live(&m->dev, POOL));
	machine_free(m);
}

static void SWT_45_only_live_starts_are_released(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a;
	phys_addr_t b;

	(void)state;
	machine_pool(m, 512);
	a = map(m, BUF, 3 * SLOT);
	b = map(m, BUF, SLOT);
	pattern(m, BUF, 2 * PAGE, 1);
	assert_false(unmap(m, a + 1, 1, BOTH));
	assert_false(unmap(m, a + SLOT, SLOT, BOTH));
	assert_false(unmap(m, b + SLOT, SLOT, BOTH));
	assert_false(unmap(m, POOL + MB, SLOT, BOTH));
	assert_false(unmap(m, BUF, SLOT, BOTH));
	assert_int_equal(used(m), 4);
	assert_true(unmap(m, a, 3 * SLOT, DMA_TO_DEVICE));
	assert_int_equal(used(m), 1);
	assert_false(unmap(m, a, 3 * SLOT, DMA_FROM_DEVICE));
	assert_true(is_pattern(m, BUF, 2 * PAGE, BUF, 1));
	assert_int_equal(used(m), 1);
	assert_int_equal(stats(m).longest_run, 128);
	assert_true(unmap(m, b, SLOT, DMA_TO_DEVICE));
	assert_false(unmap(m, b, SLOT, DMA_TO_DEVICE));
	assert_int_equal(used(m), 0);
	machine_free(m);
}

static struct machine *copying;

/* In the middle of a copy back, the run that is being released is no longer live, and its neighbour below is. */
static void look_around(struct dma_host *host, void *dst, const void *src, size_t size)
{
	(void)host;
	memcpy(dst, src, size);
	assert_true(dmamap_bounce_live(&copying->dev, POOL + SLOT - 1));
	assert_false(dmamap_bounce_live(&copying->dev, POOL + SLOT));
	assert_false(dmamap_bounce_live(&copying->dev, POOL + 3 * SLOT));
}

static void SWT_45_not_live_while_it_is_released(void **state)
{
	struct machine *m = copying = machine_new();

	(void)state;
	machine_pool(m, 512);
	map(m, BUF, SLOT);
	assert_int_equal(map(m, BUF, SLOT + 1), POOL + SLOT);
	m->host.copy = look_around;
	assert_true(unmap(m, POOL + SLOT, SLOT + 1, BOTH));
	m->host.copy = NULL;
	assert_true(unmap(m, POOL, SLOT, BOTH));
	machine_free(m);
}

static void granules_are_zeroed_around_the_buffer(void **state)
{
	struct machine *m = machine_new();
	struct dma_error why;
	phys_addr_t a;

	(void)state;
	machine_pool(m, 512);
	m->parms.min_align_mask = 0xfff;
	pattern(m, POOL, 8 * PAGE, 2);
	pattern(m, BUF, 2 * PAGE, 1);
	map(m, BUF, 1); /* so that the granules do not start at the pool's start */
	a = dmamap_bounce_map(&m->dev, BUF + 0xe78, 0x300, 0xfff, BOUNCE_ZERO_REST, &why);
	assert_int_equal(a, POOL + PAGE + 0xe78);
	assert_true(is_pattern(m, a, 0x300, BUF + 0xe78, 1));
	assert_true(is_pattern(m, POOL + 1, PAGE - 1, POOL + 1, 2));
	assert_true(is_pattern(m, POOL + 3 * PAGE, PAGE, POOL + 3 * PAGE, 2));
	for (phys_addr_t at = POOL + PAGE; at < POOL + 3 * PAGE; at++)
		if (at - a >= 0x300)
			assert_int_equal(*ram(m, at), 0);
	assert_true(unmap(m, a, 0x300, DMA_TO_DEVICE));
	assert_true(unmap(m, POOL, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void c23_memory_without_linear_address(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a;

	(void)state;
	machine_pool(m, 512);
	pattern(m, HIGH + 0x800, 0x800, 1);
	pattern(m, HIGH + 0x1010, 0xff0, 1);
	a = map(m, HIGH + 0x800, 0x1000);
	assert_true(is_pattern(m, a, 0x800, HIGH + 0x800, 1));
	assert_true(is_pattern(m, a + 0x810, 0x7f0, HIGH + 0x1010, 1));
	/* A partial sync that leaves the first page must find the second. */
	pattern(m, a + 0x900, 0x100, 3);
	dmamap_bounce_sync_for_cpu(&m->dev, a + 0x900, 0x100, DMA_FROM_DEVICE);
	assert_true(is_pattern(m, HIGH + 0x800, 0x800, HIGH + 0x800, 1));
	assert_true(is_pattern(m, HIGH + 0x1010, 0xf0, HIGH + 0x1010, 1));
	assert_true(is_pattern(m, HIGH + 0x1100, 0x100, a + 0x900, 3));
	assert_true(is_pattern(m, HIGH + 0x1200, 0xe00, HIGH + 0x1200, 1));
	assert_true(unmap(m, a, 0x1000, DMA_FROM_DEVICE));
	machine_free(m);
}

static void memory_in_two_linear_pieces(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a;

	(void)state;
	machine_pool(m, 512);
	pattern(m, SPLIT - 6000, 12000, 1);
	a = map(m, SPLIT - 6000, 12000);
	assert_true(is_pattern(m, a, 12000, SPLIT - 6000, 1));
	pattern(m, a, 12000, 2);
	assert_true(unmap(m, a, 12000, DMA_FROM_DEVICE));
	assert_true(is_pattern(m, SPLIT - 6000, 12000, a, 2));
	machine_free(m);
}

static void memory_that_no_cpu_reaches(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a;

	(void)state;
	machine_pool(m, 512);
	a = map(m, HIGH + 0x100, 0x100);
	m->host.map_temporary = NULL;
	assert_int_equal(refused(m, HIGH, 100, 0, NULL), DMA_REASON_NOT_KMAPPABLE);
	assert_int_equal(stats(m).failures, 1);
	assert_int_equal(stats(m).maps, 1);
	/* A copy back that has become impossible still gives the slots back, and says what was lost. */
	assert_true(unmap(m, a, 0x100, DMA_FROM_DEVICE));
	assert_int_equal(m->messages, 1);
	assert_int_equal(used(m), 0);
	machine_free(m);
}

static void event_comes_first_and_says_why(void **state)
{
	static const struct dma_range ranges[] = { { BUF, 0x1000, MB },
						   { POOL, 0x20000000, MB },
						   { 0 } };
	struct machine *m = machine_new();
	struct dma_error why;
	phys_addr_t a;

	(void)state;
	assert_int_equal(refused(m, BUF, 100, 0, NULL), DMA_REASON_NO_BOUNCE_POOL);
	assert_int_equal(m->events, 1);
	assert_int_equal(m->event.type, DMA_EVENT_SWIOTLB_BOUNCED);
	assert_int_equal(m->event.phys, BUF);
	machine_pool(m, 512);
	assert_int_equal(dmamap_device_set_range_map(&m->dev, ranges), 0);
	a = dmamap_bounce_map(&m->dev, BUF + 0x234, 99, 0, BOUNCE_FORCED, &why);
	assert_int_equal(a, POOL);
	assert_int_equal(m->events, 2);
	assert_ptr_equal(m->event.dev, &m->dev);
	assert_int_equal(m->event.phys, 0x1234);
	assert_int_equal(m->event.size, 99);
	assert_int_equal(m->event.mask, ~UINT64_C(0));
	assert_true(m->event.forced);
	assert_true(unmap(m, a, 99, BOTH));
	assert_int_equal(m->events, 2);
	/* TRC-4: the iommu route carries the physical address. */
	dmamap_dev(&m->dev)->route = DMA_ROUTE_IOMMU;
	a = map(m, BUF + 0x234, 99);
	assert_int_equal(m->event.phys, BUF + 0x234);
	assert_false(m->event.forced);
	assert_true(unmap(m, a, 99, BOTH));
	dmamap_dev(&m->dev)->route = DMA_ROUTE_DIRECT;
	m->host.trace = NULL;
	a = map(m, BUF, 1);
	assert_int_equal(m->events, 3);
	assert_true(unmap(m, a, 1, BOTH));
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(SWT_18_map_always_copies_in),
		cmocka_unit_test(SWT_19_unmap_copies_what_was_mapped),
		cmocka_unit_test(unmap_copies_only_when_the_device_may_have_written),
		cmocka_unit_test(SWT_20_21_syncs),
		cmocka_unit_test(SWT_22_partial_sync_before_the_slot_offset),
		cmocka_unit_test(SWT_23_too_long_is_clamped_once),
		cmocka_unit_test(SWT_24_to_26_syncs_that_do_nothing),
		cmocka_unit_test(SWT_27_first_bounce_clears_the_skip_flag),
		cmocka_unit_test(SWT_38_owned_is_not_live),
		cmocka_unit_test(SWT_45_only_live_starts_are_released),
		cmocka_unit_test(SWT_45_not_live_while_it_is_released),
		cmocka_unit_test(granules_are_zeroed_around_the_buffer),
		cmocka_unit_test(c23_memory_without_linear_address),
		cmocka_unit_test(memory_in_two_linear_pieces),
		cmocka_unit_test(memory_that_no_cpu_reaches),
		cmocka_unit_test(event_comes_first_and_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
