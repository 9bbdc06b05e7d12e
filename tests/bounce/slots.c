/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a bounce lands, and why there is none: the SWT cases of the specification that concern the search, with a
 * pool of Linux's geometry at 0x10000000; and what this pool does beyond Linux's.
 */
#include "machine.h"

#include <string.h>

static void SWT_1_to_4_placement_and_page_rule(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a[5];

	(void)state;
	machine_pool(m, 512);
	assert_int_equal(a[0] = map(m, 0x80001234, 100), 0x10000000);
	assert_int_equal(a[1] = map(m, 0x80002234, 2048), 0x10000800);
	assert_int_equal(a[2] = map(m, 0x80004234, 4096), 0x10001000);
	assert_int_equal(a[3] = map(m, 0x80008234, 100), 0x10002000);
	assert_int_equal(used(m), 5);
	assert_int_equal(a[4] = map(m, 0x80009234, 1), 0x10002800);
	for (int i = 0; i < 5; i++)
		assert_true(unmap(m, a[i], 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_5_to_8_low_bits_and_granules(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	machine_pool(m, 512);
	m->parms.min_align_mask = 0xfff;
	assert_int_equal(map(m, 0x80001678, 100), 0x10000678);
	assert_int_equal(map(m, 0x80001e78, 100), 0x10000e78);
	assert_int_equal(map_aligned(m, 0x80001e78, 0x100, 0xfff), 0x10001e78);
	assert_int_equal(used(m), 4);
	/* Slot 2 is padding: it belongs to the run, but no mapping starts there. */
	assert_true(dmamap_bounce_live(&m->dev, 0x10001000));
	assert_false(unmap(m, 0x10001000, 1, DMA_TO_DEVICE));
	m->parms.min_align_mask = 0;
	assert_int_equal(map_aligned(m, 0x80001e78, 0x100, 0xfff), 0x10002000);
	assert_int_equal(used(m), 6);
	assert_true(unmap(m, 0x10000678, 100, DMA_TO_DEVICE));
	assert_true(unmap(m, 0x10000e78, 100, DMA_TO_DEVICE));
	assert_true(unmap(m, 0x10001e78, 0x100, DMA_TO_DEVICE));
	assert_true(unmap(m, 0x10002000, 0x100, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_9_largest_request(void **state)
{
	struct machine *m = machine_new();
	uint64_t have;

	(void)state;
	machine_pool(m, 512);
	assert_int_equal(map(m, BUF, 262144), 0x10000000);
	assert_int_equal(refused(m, BUF, 262145, 0, &have), DMA_REASON_BOUNCE_TOO_LARGE);
	assert_int_equal(have, 262144);
	assert_int_equal(stats(m).failures, 1);
	assert_int_equal(stats(m).maps, 1);
	assert_true(unmap(m, POOL, 262144, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_10_to_12_largest_with_kept_bits(void **state)
{
	struct machine *m = machine_new();
	uint64_t have;
	phys_addr_t a;
	phys_addr_t b;

	(void)state;
	machine_pool(m, 512);
	m->parms.min_align_mask = 0xfff;
	a = map(m, BUF + 0xfff, 258049);
	assert_int_equal(a, 0x10000fff);
	assert_int_equal(used(m), 127);
	assert_int_equal(refused(m, BUF + 0xfff, 258050, 0, &have), DMA_REASON_BOUNCE_TOO_LARGE);
	assert_int_equal(have, 258049);
	b = map(m, BUF, 262144);
	assert_int_equal(b & 0xfff, 0);
	assert_true(unmap(m, a, 1, DMA_TO_DEVICE));
	assert_true(unmap(m, b, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_14_whole_segments(void **state)
{
	struct machine *m = machine_new();
	uint64_t have;

	(void)state;
	machine_pool(m, 256);
	assert_int_equal(map(m, BUF, 262144), 0x10000000);
	assert_int_equal(map(m, BUF, 262144), 0x10040000);
	assert_int_equal(refused(m, BUF, 262144, 0, &have), DMA_REASON_BOUNCE_EXHAUSTED);
	assert_int_equal(have, 0);
	assert_int_equal(stats(m).longest_run, 0);
	assert_true(unmap(m, 0x10000000, 1, DMA_TO_DEVICE));
	assert_true(unmap(m, 0x10040000, 1, DMA_TO_DEVICE));
	assert_int_equal(stats(m).peak_slots, 256);
	machine_free(m);
}

static void SWT_15_16_boundary(void **state)
{
	struct machine *m = machine_new();
	uint64_t have;

	(void)state;
	machine_pool(m, 512);
	m->parms.segment_boundary_mask = 0xffff;
	assert_int_equal(map(m, BUF, 60 * 1024), 0x10000000);
	assert_int_equal(map(m, BUF, 8 * 1024), 0x10010000);
	assert_int_equal(refused(m, BUF, 65537, 0, &have), DMA_REASON_BOUNCE_TOO_LARGE);
	assert_int_equal(have, 65536);
	assert_true(unmap(m, 0x10000000, 1, DMA_TO_DEVICE));
	assert_true(unmap(m, 0x10010000, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_16_boundary_counts_in_bus_addresses(void **state)
{
	static const struct dma_range map_at_8k[] = { { 0, 0x2000, UINT64_C(0x100000000) }, { 0 } };
	struct machine *m = machine_new();

	(void)state;
	machine_pool(m, 512);
	m->parms.segment_boundary_mask = 0xffff;
	assert_int_equal(dmamap_device_set_range_map(&m->dev, map_at_8k), 0);
	/* The pool's start is 8 KiB above a boundary of the bus: only 56 KiB fit before the next one. */
	assert_int_equal(map(m, BUF, 60 * 1024), 0x1000e000);
	assert_true(unmap(m, 0x1000e000, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_17_release_merges(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	machine_pool(m, 512);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(map(m, BUF, 2048), 0x10000000 + i * SLOT);
	assert_int_equal(stats(m).longest_run, 128);
	assert_true(unmap(m, 0x10000800, 2048, DMA_TO_DEVICE));
	assert_true(unmap(m, 0x10000000, 2048, DMA_TO_DEVICE));
	assert_int_equal(used(m), 1);
	assert_true(unmap(m, 0x10001000, 2048, DMA_TO_DEVICE));
	assert_int_equal(used(m), 0);
	for (unsigned int i = 0; i < 4; i++)
		map(m, BUF, 262144);
	for (unsigned int i = 0; i < 4; i++)
		assert_true(unmap(m, 0x10000000 + i * 0x40000, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_28_no_pool(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	assert_int_equal(refused(m, BUF, 100, 0, NULL), DMA_REASON_NO_BOUNCE_POOL);
	assert_false(dmamap_bounce_owns(&m->dev, 0));
	assert_false(dmamap_bounce_live(&m->dev, 0));
	assert_false(unmap(m, POOL, 1, DMA_TO_DEVICE));
	assert_int_equal(dmamap_bounce_max_size(&m->dev), 0);
	machine_free(m);
}

static void SWT_29_full_is_silent_here(void **state)
{
	struct machine *m = machine_new();
	uint64_t have;

	(void)state;
	machine_pool(m, 128);
	assert_int_equal(map(m, BUF, 126 * SLOT), POOL);
	m->messages = 0;
	assert_int_equal(refused(m, BUF, 3 * SLOT, 0, &have), DMA_REASON_BOUNCE_EXHAUSTED);
	assert_int_equal(have, 2 * SLOT);
	assert_int_equal(m->messages, 0);
	assert_true(unmap(m, POOL, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_30_pool_above_mask(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	machine_pool(m, 512);
	assert_int_equal(dmamap_device_set_bus_limit(&m->dev, DMA_BIT_MASK(27)), 0);
	assert_int_equal(refused(m, BUF, 100, 0, NULL), DMA_REASON_BOUNCE_UNREACHABLE);
	assert_int_equal(stats(m).failures, 1);
	/* Behind an IOMMU the device never emits the pool's address. */
	dmamap_dev(&m->dev)->route = DMA_ROUTE_IOMMU;
	assert_int_equal(map(m, BUF, 100), POOL);
	assert_true(unmap(m, POOL, 100, DMA_TO_DEVICE));
	dmamap_dev(&m->dev)->route = DMA_ROUTE_DIRECT;
	machine_free(m);
}

static void SWT_30_pool_partly_above_mask(void **state)
{
	struct machine *m = machine_new();
	uint64_t have;

	(void)state;
	machine_pool(m, 512);
	/* Ten slots and a half. */
	assert_int_equal(dmamap_device_set_bus_limit(&m->dev, POOL + 10 * SLOT + SLOT / 2), 0);
	assert_int_equal(refused(m, BUF, 11 * SLOT, 0, &have), DMA_REASON_BOUNCE_TOO_LARGE);
	assert_int_equal(have, 10 * SLOT);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(map(m, BUF, SLOT), POOL + i * SLOT);
	assert_int_equal(refused(m, BUF, 1, 0, &have), DMA_REASON_BOUNCE_EXHAUSTED);
	assert_int_equal(have, 0);
	for (unsigned int i = 0; i < 10; i++)
		assert_true(unmap(m, POOL + i * SLOT, SLOT, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_31_range_map_without_pool(void **state)
{
	static const struct dma_range elsewhere[] = { { BUF, 0, 0x10000000 }, { 0 } };
	static const struct dma_range inside[] = { { 0, UINT64_C(0x300000000), 0x1000 },
						   { POOL + 0x1800, 0x5000, 0x2000 },
						   { 0 } };
	struct machine *m = machine_new();

	(void)state;
	machine_pool(m, 512);
	assert_int_equal(dmamap_device_set_range_map(&m->dev, elsewhere), 0);
	assert_int_equal(refused(m, BUF, 100, 0, NULL), DMA_REASON_BOUNCE_UNREACHABLE);
	/* A window onto four slots of the pool: they are used, by the alignment of their bus addresses. */
	assert_int_equal(dmamap_device_set_range_map(&m->dev, inside), 0);
	assert_int_equal(map(m, BUF, PAGE), POOL + 0x1800);
	assert_int_equal(map(m, BUF, PAGE), POOL + 0x2800);
	assert_int_equal(refused(m, BUF, 1, 0, NULL), DMA_REASON_BOUNCE_EXHAUSTED);
	assert_true(unmap(m, POOL + 0x1800, 1, DMA_TO_DEVICE));
	assert_true(unmap(m, POOL + 0x2800, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_32_granule_larger_than_a_page(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	machine_pool(m, 512);
	assert_int_equal(map(m, BUF, 1), POOL);
	assert_int_equal(map_aligned(m, BUF, 1, 0xfff), POOL + 0x1000);
	assert_true(unmap(m, POOL + 0x1000, 1, DMA_TO_DEVICE));
	assert_int_equal(m->messages, 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(map_aligned(m, BUF, 1, 0x1fff), POOL + 0x2000);
		assert_int_equal(m->messages, 1); /* once a device */
		assert_int_equal(used(m), 5);
		assert_true(unmap(m, POOL + 0x2000, 1, DMA_TO_DEVICE));
	}
	assert_non_null(strstr(m->message, "aligned to more than a page"));
	assert_int_equal(map_aligned(m, BUF, 1, 0x1fff), POOL + 0x2000);
	assert_true(unmap(m, POOL, 1, DMA_TO_DEVICE));
	assert_true(unmap(m, POOL + 0x2000, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_33_segment_border(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	machine_pool(m, 512);
	assert_int_equal(map(m, BUF, 100 * SLOT), POOL);
	assert_int_equal(map(m, BUF, 56 * SLOT), POOL + 128 * SLOT);
	assert_true(unmap(m, POOL, 1, DMA_TO_DEVICE));
	assert_true(unmap(m, POOL + 128 * SLOT, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_34_fragmented(void **state)
{
	struct machine *m = machine_new();
	uint64_t have;

	(void)state;
	machine_pool(m, 512);
	for (unsigned int i = 0; i < 512; i++)
		assert_int_equal(map(m, BUF, SLOT), POOL + i * SLOT);
	for (unsigned int i = 0; i < 512; i += 2)
		assert_true(unmap(m, POOL + i * SLOT, SLOT, DMA_TO_DEVICE));
	assert_int_equal(refused(m, BUF, 4096, 0, &have), DMA_REASON_BOUNCE_FRAGMENTED);
	assert_int_equal(have, SLOT);
	assert_int_equal(stats(m).longest_run, 1);
	assert_int_equal(used(m), 256);
	for (unsigned int i = 1; i < 512; i += 2)
		assert_true(unmap(m, POOL + i * SLOT, SLOT, DMA_TO_DEVICE));
	machine_free(m);
}

static void p7_one_request_as_large_as_the_free_run(void **state)
{
	struct machine *m = machine_new();
	uint64_t have;

	(void)state;
	machine_pool_segments(m, 1024, 0);
	/* The size that no setting of Linux's pool satisfies (P9), then all that is left. */
	assert_int_equal(map(m, BUF, 536576), POOL);
	assert_int_equal(map(m, BUF, 2 * MB - 536576), POOL + 536576);
	assert_int_equal(refused(m, BUF, 2 * MB + 1, 0, &have), DMA_REASON_BOUNCE_TOO_LARGE);
	assert_int_equal(have, 2 * MB);
	assert_int_equal(refused(m, BUF, UINT64_MAX, 0, &have), DMA_REASON_BOUNCE_TOO_LARGE);
	assert_true(unmap(m, POOL, 1, DMA_TO_DEVICE));
	assert_true(unmap(m, POOL + 536576, 1, DMA_TO_DEVICE));
	assert_int_equal(map(m, BUF, 2 * MB), POOL);
	assert_true(unmap(m, POOL, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void last_released_is_used_first(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t first;
	phys_addr_t second;

	(void)state;
	machine_pool(m, 512);
	first = map(m, BUF, 3 * PAGE);
	second = map(m, BUF, 3 * PAGE);
	assert_true(unmap(m, first, 1, DMA_TO_DEVICE));
	assert_int_equal(map(m, BUF, 3 * PAGE), first);
	assert_true(unmap(m, second, 1, DMA_TO_DEVICE));
	assert_int_equal(map(m, BUF, 1), second);
	assert_true(unmap(m, first, 1, DMA_TO_DEVICE));
	assert_true(unmap(m, second, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void c23_address_zero_keeps_its_alignment(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	machine_pool(m, 512);
	m->parms.min_align_mask = 0xfff;
	assert_int_equal(map(m, LOW, 100), POOL);
	assert_int_equal(map(m, LOW, 100), POOL + 2 * SLOT);
	assert_true(unmap(m, POOL, 1, DMA_TO_DEVICE));
	assert_true(unmap(m, POOL + 2 * SLOT, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void boundary_smaller_than_a_slot(void **state)
{
	struct machine *m = machine_new();
	uint64_t have;

	(void)state;
	machine_pool(m, 512);
	m->parms.segment_boundary_mask = 0xff;
	m->parms.min_align_mask = 0xff;
	assert_int_equal(map(m, BUF + 0x1f0, 16), POOL + 0xf0);
	assert_int_equal(refused(m, BUF + 0x1f0, 17, 0, &have), DMA_REASON_BOUNCE_TOO_LARGE);
	assert_int_equal(have, 16);
	assert_true(unmap(m, POOL + 0xf0, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void boundary_that_is_no_mask(void **state)
{
	const uint64_t boundary = 0x18000;
	struct machine *m = machine_new();
	phys_addr_t a[20];

	(void)state;
	machine_pool(m, 512);
	m->parms.segment_boundary_mask = boundary - 1;
	for (int i = 0; i < 20; i++) {
		a[i] = map(m, BUF, 5 * SLOT);
		assert_int_equal(a[i] / boundary, (a[i] + 5 * SLOT - 1) / boundary);
	}
	for (int i = 0; i < 20; i++)
		assert_true(unmap(m, a[i], 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void cap_largest_mapping(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	machine_pool(m, 512);
	assert_int_equal(dmamap_bounce_max_size(&m->dev), 262144);
	m->parms.min_align_mask = 0xfff;
	assert_int_equal(dmamap_bounce_max_size(&m->dev), 258048);
	m->parms.segment_boundary_mask = 0xffff;
	assert_int_equal(dmamap_bounce_max_size(&m->dev), 65536 - 4096);
	machine_free(m);

	m = machine_new();
	machine_pool_segments(m, 1024, 0);
	assert_int_equal(dmamap_bounce_max_size(&m->dev), 2 * MB);
	machine_free(m);
}

static void create_checks_its_arguments(void **state)
{
	const struct dma_bounce_config good = { .size = sizeof(good), .bytes = MB };
	struct machine *m = machine_new();
	struct dma_bounce *pool;
	struct dma_bounce_config bad[10];

	(void)state;
	for (unsigned int i = 0; i < 10; i++)
		bad[i] = good;
	bad[0].size--;
	bad[1].bytes = 0;
	bad[2].bytes = UINT64_MAX;
	bad[3].slot_size = 128;
	bad[4].slot_size = 2 * PAGE;
	bad[5].slot_size = 3072;
	bad[6].segment_slots = 100;
	bad[7].base = POOL + 1;
	bad[8].base = SPLIT - PAGE;	     /* RAM, but not one piece for the CPU */
	bad[9].base = POOL + 64 * MB - PAGE; /* runs out of RAM */
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(dmamap_bounce_create(&m->host, &bad[i], &pool), -DMAMAP_EINVAL);
	assert_int_equal(dmamap_bounce_create(NULL, &good, &pool), -DMAMAP_EINVAL);
	assert_int_equal(dmamap_bounce_create(&m->host, NULL, &pool), -DMAMAP_EINVAL);
	assert_int_equal(dmamap_bounce_create(&m->host, &good, NULL), -DMAMAP_EINVAL);
	for (int n = 1; n <= 2; n++) {
		m->fail_alloc = n;
		assert_int_equal(dmamap_bounce_create(&m->host, &good, &pool), -DMAMAP_ENOMEM);
		assert_int_equal(m->pages_out, 0);
	}
	machine_free(m);
}

static void create_asks_the_host_and_is_counted(void **state)
{
	struct dma_bounce_config config = { .size = sizeof(config),
					    .bytes = MB + 1,
					    .slot_size = 4096 };
	struct machine *m = machine_new();

	(void)state;
	config.ceiling = META - 1;
	assert_int_equal(dmamap_bounce_create(&m->host, &config, &m->pool), -DMAMAP_ENOMEM);
	config.ceiling = 0;
	assert_int_equal(dmamap_bounce_create(&m->host, &config, &m->pool), 0);
	assert_int_equal(stats(m).bytes, MB + PAGE);
	assert_int_equal(stats(m).slots, 257);
	assert_int_equal(stats(m).slot_size, 4096);
	assert_int_equal(stats(m).longest_run, 257);
	machine_attach(m, &m->dev);
	assert_int_equal(map(m, BUF, 1), stats(m).base);
	assert_int_equal(dmamap_bounce_destroy(m->pool), -DMAMAP_EBUSY);
	assert_true(unmap(m, stats(m).base, 1, DMA_TO_DEVICE));
	assert_int_equal(dmamap_device_fini(&m->dev), 0);
	assert_int_equal(dmamap_host_fini(&m->host), -DMAMAP_EBUSY);
	machine_device(m, &m->dev, NULL);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(SWT_1_to_4_placement_and_page_rule),
		cmocka_unit_test(SWT_5_to_8_low_bits_and_granules),
		cmocka_unit_test(SWT_9_largest_request),
		cmocka_unit_test(SWT_10_to_12_largest_with_kept_bits),
		cmocka_unit_test(SWT_14_whole_segments),
		cmocka_unit_test(SWT_15_16_boundary),
		cmocka_unit_test(SWT_16_boundary_counts_in_bus_addresses),
		cmocka_unit_test(SWT_17_release_merges),
		cmocka_unit_test(SWT_28_no_pool),
		cmocka_unit_test(SWT_29_full_is_silent_here),
		cmocka_unit_test(SWT_30_pool_above_mask),
		cmocka_unit_test(SWT_30_pool_partly_above_mask),
		cmocka_unit_test(SWT_31_range_map_without_pool),
		cmocka_unit_test(SWT_32_granule_larger_than_a_page),
		cmocka_unit_test(SWT_33_segment_border),
		cmocka_unit_test(SWT_34_fragmented),
		cmocka_unit_test(p7_one_request_as_large_as_the_free_run),
		cmocka_unit_test(last_released_is_used_first),
		cmocka_unit_test(c23_address_zero_keeps_its_alignment),
		cmocka_unit_test(boundary_smaller_than_a_slot),
		cmocka_unit_test(boundary_that_is_no_mask),
		cmocka_unit_test(cap_largest_mapping),
		cmocka_unit_test(create_checks_its_arguments),
		cmocka_unit_test(create_asks_the_host_and_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
