/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Areas: who starts where, what happens when an area is full or too small, and what the figures say.
 */
#include "machine.h"

#include <dmamap/dmamap.h>

static void pool_with_areas(struct machine *m, uint64_t slots, uint32_t segment, uint32_t areas,
			    uint32_t flags)
{
	machine_pool_config(m, (struct dma_bounce_config){
				       .bytes = slots * SLOT,
				       .segment_slots = segment,
				       .base = POOL,
				       .areas = areas,
				       .flags = flags,
			       });
}

static phys_addr_t map_on(struct machine *m, unsigned int cpu, phys_addr_t phys, uint64_t size)
{
	test_cpu = cpu;
	return map(m, phys, size);
}

static void SWT_13_a_map_starts_at_the_area_of_its_cpu(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	pool_with_areas(m, 1024, 128, 4, 0);
	assert_int_equal(stats(m).areas, 4);
	assert_int_equal(map_on(m, 5, BUF, 100), 0x10080000);
	assert_int_equal(map_on(m, 2, BUF, 100), 0x10100000);
	assert_int_equal(map_on(m, 0, BUF, 100), 0x10000000);
	/* Whoever releases it: a slot goes back to its own area. */
	test_cpu = 3;
	assert_true(unmap(m, 0x10080000, 100, DMA_TO_DEVICE));
	assert_int_equal(map_on(m, 1, BUF, 100), 0x10080000);
	assert_true(unmap(m, 0x10000000, 100, DMA_TO_DEVICE));
	assert_true(unmap(m, 0x10080000, 100, DMA_TO_DEVICE));
	assert_true(unmap(m, 0x10100000, 100, DMA_TO_DEVICE));
	assert_int_equal(used(m), 0);
	machine_free(m);
}

static void SWT_14_a_full_area_sends_to_the_next(void **state)
{
	struct machine *m = machine_new();
	uint64_t have;

	(void)state;
	pool_with_areas(m, 256, 128, 2, 0);
	assert_int_equal(map_on(m, 0, BUF, 262144), 0x10000000);
	assert_int_equal(map_on(m, 0, BUF, 262144), 0x10040000);
	assert_int_equal(refused(m, BUF, 262144, 0, &have), DMA_REASON_BOUNCE_EXHAUSTED);
	assert_int_equal(have, 0);
	assert_int_equal(stats(m).failures, 1);
	assert_true(unmap(m, 0x10000000, 1, DMA_TO_DEVICE));
	assert_true(unmap(m, 0x10040000, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_14_the_others_are_tried_in_turn(void **state)
{
	struct machine *m = machine_new();
	static const phys_addr_t turn[] = { POOL + 2 * 0x40000, POOL + 3 * 0x40000, POOL,
					    POOL + 0x40000 };

	(void)state;
	pool_with_areas(m, 512, 128, 4, 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(map_on(m, 2, BUF, 262144), turn[i]);
	for (int i = 0; i < 4; i++)
		assert_true(unmap(m, turn[i], 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void SWT_36_areas_have_a_segment_each(void **state)
{
	static const struct {
		uint64_t slots;
		uint32_t segment, asked, cpus, areas;
	} rows[] = {
		{ 512, 128, 8, 1, 4 },	 { 512, 128, 2, 1, 2 },	  { 512, 128, 0, 8, 4 },
		{ 512, 128, 3, 1, 4 },	 { 128, 128, 4, 1, 1 },	  { 64, 128, 4, 1, 1 },
		{ 1024, 0, 0, 64, 2 },	 { 32768, 0, 0, 64, 64 }, { 32768, 128, 0, 6, 8 },
		{ 1022, 0, 16, 1, 8 },	 { 384, 128, 4, 1, 2 },	  { 512, 512, 4, 1, 1 },
		{ 4096, 16, 64, 1, 64 }, { 512, 128, 1, 64, 1 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct machine *m = machine_new();

		m->host.cpu_count = rows[i].cpus;
		pool_with_areas(m, rows[i].slots, rows[i].segment, rows[i].asked, 0);
		assert_int_equal(stats(m).areas, rows[i].areas);
		assert_int_equal(stats(m).slots, rows[i].slots);
		machine_free(m);
	}
}

static void SWT_35_sizes_are_rounded_to_segments_and_areas(void **state)
{
	static const struct {
		uint64_t slots;
		uint32_t segment, areas;
		uint64_t rounded;
	} rows[] = {
		{ 1000, 128, 0, 1024 }, { 1000, 128, 3, 1024 }, { 0, 128, 4, 512 },
		{ 1025, 128, 0, 1152 }, { 1025, 128, 2, 2048 }, { 32768, 128, 8, 32768 },
		{ 7, 0, 0, 7 },		{ 0, 0, 0, 0 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dma_bounce_config config = {
			.size = sizeof(config),
			.bytes = rows[i].slots * SLOT,
			.segment_slots = rows[i].segment,
			.areas = rows[i].areas,
		};

		assert_int_equal(dma_bounce_round_bytes(&config), rows[i].rounded * SLOT);
	}
}

/* --- runs across areas */

static void p7_a_request_larger_than_an_area(void **state)
{
	struct machine *m = machine_new();
	phys_addr_t a;
	uint64_t have;

	(void)state;
	pool_with_areas(m, 1024, 0, 8, 0);
	pattern(m, BUF, 2 * MB, 1);
	a = map_on(m, 3, BUF, 2 * MB);
	assert_int_equal(a, POOL);
	assert_true(is_pattern(m, a, 2 * MB, BUF, 1));
	assert_int_equal(used(m), 1024);
	assert_int_equal(stats(m).maps, 1);
	assert_int_equal(stats(m).longest_run, 0);
	assert_int_equal(refused(m, BUF, 1, 0, &have), DMA_REASON_BOUNCE_EXHAUSTED);
	/* Only its first byte releases it, and only once. */
	for (unsigned int i = 1; i < 8; i++) {
		assert_true(dmamap_bounce_live(&m->dev, a + i * MB / 4));
		assert_false(unmap(m, a + i * MB / 4, 1, DMA_TO_DEVICE));
	}
	assert_int_equal(used(m), 1024);
	/* Syncs in the middle, across a border of areas. */
	pattern(m, a + MB - 8, 16, 2);
	dmamap_bounce_sync_for_cpu(&m->dev, a + MB - 8, 16, DMA_FROM_DEVICE);
	assert_true(is_pattern(m, BUF + MB - 8, 16, a + MB - 8, 2));
	pattern(m, BUF + 3 * MB / 2 + 5, 100, 3);
	dmamap_bounce_sync_for_device(&m->dev, a + 3 * MB / 2 + 5, 100, DMA_TO_DEVICE);
	assert_true(is_pattern(m, a + 3 * MB / 2 + 5, 100, BUF + 3 * MB / 2 + 5, 3));
	pattern(m, a, 2 * MB, 4);
	assert_true(unmap(m, a, 2 * MB, DMA_FROM_DEVICE));
	assert_true(is_pattern(m, BUF, 2 * MB, a, 4));
	assert_false(unmap(m, a, 2 * MB, DMA_FROM_DEVICE));
	assert_int_equal(used(m), 0);
	assert_int_equal(stats(m).longest_run, 1024);
	assert_int_equal(refused(m, BUF, 2 * MB + 1, 0, &have), DMA_REASON_BOUNCE_TOO_LARGE);
	assert_int_equal(have, 2 * MB);
	machine_free(m);
}

static void p7_the_only_free_run_straddles_a_border(void **state)
{
	struct machine *m = machine_new();
	uint64_t have;

	(void)state;
	pool_with_areas(m, 128, 0, 2, 0);
	assert_int_equal(map_on(m, 0, BUF, 60 * SLOT), POOL);
	/* Behind an obstacle of 60 slots in either area, 4 slots are left at the end of the first. */
	assert_int_equal(map_on(m, 1, BUF, 3 * SLOT), POOL + 64 * SLOT);
	assert_int_equal(map_on(m, 1, BUF, 55 * SLOT), POOL + 68 * SLOT);
	assert_true(unmap(m, POOL + 64 * SLOT, 1, DMA_TO_DEVICE));
	assert_int_equal(stats(m).longest_run, 8);
	assert_int_equal(map_on(m, 0, BUF, 8 * SLOT), POOL + 60 * SLOT);
	assert_int_equal(used(m), 123);
	assert_int_equal(refused(m, BUF, 6 * SLOT, 0, &have), DMA_REASON_BOUNCE_EXHAUSTED);
	assert_int_equal(have, 5 * SLOT);
	assert_true(dmamap_bounce_live(&m->dev, POOL + 66 * SLOT));
	assert_true(unmap(m, POOL + 60 * SLOT, 1, DMA_BIDIRECTIONAL));
	assert_false(dmamap_bounce_live(&m->dev, POOL + 60 * SLOT));
	assert_false(dmamap_bounce_live(&m->dev, POOL + 66 * SLOT));
	assert_true(unmap(m, POOL, 1, DMA_TO_DEVICE));
	assert_true(unmap(m, POOL + 68 * SLOT, 1, DMA_TO_DEVICE));
	assert_int_equal(used(m), 0);
	machine_free(m);
}

static void padding_may_lie_in_the_area_before(void **state)
{
	struct machine *m = machine_new();
	struct dma_error why;
	phys_addr_t copy;

	(void)state;
	pool_with_areas(m, 128, 0, 2, 0);
	/* 47 slots and 65 to come, of which 49 are padding: the run starts below slot 64, its first byte is above. */
	assert_int_equal(map(m, BUF, 47 * SLOT), POOL);
	assert_int_equal(map_on(m, 1, BUF, SLOT), POOL + 64 * SLOT);
	assert_true(unmap(m, POOL + 64 * SLOT, 1, DMA_TO_DEVICE));
	m->parms.min_align_mask = 0x1ffff;
	copy = dmamap_bounce_map(&m->dev, BUF + 0x1ffff - 0x400, 0x300, 0x7fff, BOUNCE_ZERO_REST,
				 &why);
	assert_true(copy != DMAMAP_PHYS_NONE);
	assert_int_equal(copy & 0x1ffff, 0x1fbff);
	assert_true(unmap(m, copy, 0x300, DMA_BIDIRECTIONAL));
	assert_false(unmap(m, copy, 0x300, DMA_BIDIRECTIONAL));
	/* The whole pool as one granule: all but the last bytes are padding. */
	assert_true(unmap(m, POOL, 1, DMA_TO_DEVICE));
	m->parms.min_align_mask = 0x3ffff;
	copy = dmamap_bounce_map(&m->dev, BUF + 0x3ff00, 0x100, 0x3ffff, BOUNCE_ZERO_REST, &why);
	assert_int_equal(copy, POOL + 0x3ff00);
	assert_int_equal(used(m), 128);
	assert_false(unmap(m, POOL, 0x100, DMA_BIDIRECTIONAL));
	assert_true(unmap(m, copy, 0x100, DMA_TO_DEVICE));
	assert_int_equal(used(m), 0);
	assert_false(unmap(m, copy, 0x100, DMA_TO_DEVICE));
	/* Each area has its own slots back. */
	m->parms.min_align_mask = 0;
	assert_int_equal(map_on(m, 0, BUF, 64 * SLOT), POOL);
	assert_int_equal(map_on(m, 1, BUF, 64 * SLOT), POOL + 64 * SLOT);
	assert_true(unmap(m, POOL, 1, DMA_TO_DEVICE));
	assert_true(unmap(m, POOL + 64 * SLOT, 1, DMA_TO_DEVICE));
	machine_free(m);
}

static void peak_is_exact_only_if_asked_for(void **state)
{
	for (uint32_t flags = 0; flags <= DMA_BOUNCE_TRACK_PEAK; flags += DMA_BOUNCE_TRACK_PEAK) {
		struct machine *m = machine_new();

		pool_with_areas(m, 512, 128, 4, flags);
		for (unsigned int cpu = 0; cpu < 4; cpu++) {
			phys_addr_t a = map_on(m, cpu, BUF, 3 * SLOT);

			assert_true(unmap(m, a, 1, DMA_TO_DEVICE));
		}
		/* Never less than the truth, which is 3. */
		assert_int_equal(stats(m).peak_slots, flags ? 3 : 12);
		machine_free(m);
	}
	(void)state;
}

static void SWT_37_high_water(void **state)
{
	for (uint32_t flags = 0; flags <= DMA_BOUNCE_TRACK_PEAK; flags += DMA_BOUNCE_TRACK_PEAK) {
		struct machine *m = machine_new();
		phys_addr_t a;

		pool_with_areas(m, 512, 128, 1, flags);
		a = map(m, BUF, 3 * SLOT);
		assert_true(unmap(m, a, 1, DMA_TO_DEVICE));
		assert_int_equal(stats(m).peak_slots, 3);
		dmamap_bounce_reset_peak(m->pool);
		assert_int_equal(stats(m).peak_slots, 0);
		a = map(m, BUF, 2 * SLOT);
		assert_int_equal(stats(m).peak_slots, 2);
		dmamap_bounce_reset_peak(m->pool);
		assert_int_equal(stats(m).peak_slots, 2);
		assert_true(unmap(m, a, 1, DMA_TO_DEVICE));
		machine_free(m);
	}
	(void)state;
}

/* --- several windows onto one pool */

static void every_window_onto_the_pool_is_used(void **state)
{
	static const struct dma_range map_of[] = {
		{ BUF, 0, 0x10000000 },
		{ POOL + 0x40000, UINT64_C(0x200000000), 4 * SLOT },
		{ POOL, UINT64_C(0x100000000), 2 * SLOT },
		{ POOL + 0x1000 + 0x800, UINT64_C(0x300000800), SLOT },
		{ 0 },
	};
	struct machine *m = machine_new();
	phys_addr_t a[7];
	uint64_t have;

	(void)state;
	pool_with_areas(m, 512, 128, 2, 0);
	assert_int_equal(dmamap_device_set_range_map(&m->dev, map_of), 0);
	for (int i = 0; i < 7; i++)
		a[i] = map(m, BUF, SLOT);
	assert_int_equal(a[0], POOL);
	assert_int_equal(a[1], POOL + SLOT);
	assert_int_equal(a[2], POOL + 3 * SLOT);
	assert_int_equal(a[3], POOL + 0x40000);
	assert_int_equal(a[6], POOL + 0x40000 + 3 * SLOT);
	assert_int_equal(refused(m, BUF, SLOT, 0, &have), DMA_REASON_BOUNCE_EXHAUSTED);
	/* A run stays inside of one window. */
	for (int i = 0; i < 7; i++)
		assert_true(unmap(m, a[i], SLOT, DMA_TO_DEVICE));
	assert_int_equal(map(m, BUF, 3 * SLOT), POOL + 0x40000);
	assert_int_equal(refused(m, BUF, 3 * SLOT, 0, &have), DMA_REASON_BOUNCE_FRAGMENTED);
	assert_int_equal(have, 2 * SLOT);
	assert_int_equal(refused(m, BUF, 5 * SLOT, 0, &have), DMA_REASON_BOUNCE_TOO_LARGE);
	assert_int_equal(have, 4 * SLOT);
	assert_true(unmap(m, POOL + 0x40000, SLOT, DMA_TO_DEVICE));
	machine_free(m);
}

static void overlapping_windows_translate_by_the_first(void **state)
{
	static const struct dma_range map_of[] = {
		{ POOL + 2 * SLOT, UINT64_C(0x100000000), SLOT },
		{ POOL, UINT64_C(0x200000000), 4 * SLOT },
		{ 0 },
	};
	struct machine *m = machine_new();
	uint64_t have;

	(void)state;
	pool_with_areas(m, 512, 128, 1, 0);
	assert_int_equal(dmamap_device_set_range_map(&m->dev, map_of), 0);
	/* Slot 2 is elsewhere for the device, so no run goes through it. */
	assert_int_equal(refused(m, BUF, 3 * SLOT, 0, &have), DMA_REASON_BOUNCE_TOO_LARGE);
	assert_int_equal(have, 2 * SLOT);
	assert_int_equal(map(m, BUF, 2 * SLOT), POOL);
	assert_int_equal(map(m, BUF, SLOT), POOL + 2 * SLOT);
	assert_int_equal(map(m, BUF, SLOT), POOL + 3 * SLOT);
	for (int i = 0; i < 4; i++)
		if (i != 1)
			assert_true(unmap(m, POOL + i * SLOT, SLOT, DMA_TO_DEVICE));
	machine_free(m);
}

/* --- modes */

static void a_pool_that_forbids(void **state)
{
	struct machine *m = machine_new();
	struct dma_bounce_config config = { .size = sizeof(config),
					    .flags = DMA_BOUNCE_FORBID | DMA_BOUNCE_FORCE };
	struct dma_bounce *none;

	(void)state;
	assert_int_equal(dmamap_bounce_create(&m->host, &config, &none), -DMAMAP_EINVAL);
	config.flags = 0x80000000;
	config.bytes = MB;
	assert_int_equal(dmamap_bounce_create(&m->host, &config, &none), -DMAMAP_EINVAL);
	machine_pool_config(m, (struct dma_bounce_config){ .flags = DMA_BOUNCE_FORBID });
	assert_int_equal(m->pages_out, 1);
	m->events = 0;
	assert_int_equal(refused(m, BUF, 100, 0, NULL), DMA_REASON_BOUNCE_FORBIDDEN);
	assert_int_equal(m->events, 0);
	assert_int_equal(stats(m).failures, 1);
	assert_int_equal(stats(m).slots, 0);
	assert_false(dmamap_bounce_owns(&m->dev, POOL));
	assert_true(dmamap_bounce_max_size(&m->dev) == UINT64_MAX);
	assert_false(dmamap_bounce_forces(m->pool));
	machine_free(m);
}

static void a_pool_that_forces(void **state)
{
	struct machine *m = machine_new();
	dma_addr_t a;

	(void)state;
	pool_with_areas(m, 512, 128, 1, DMA_BOUNCE_FORCE);
	a = dma_map_phys(&m->dev, BUF, 100, DMA_TO_DEVICE, 0);
	assert_int_equal(a, POOL);
	assert_true(m->event.type == DMA_EVENT_MAP_PHYS);
	dma_unmap_phys(&m->dev, a, 100, DMA_TO_DEVICE, 0);
	assert_true(dma_map_phys(&m->dev, BUF, 100, DMA_TO_DEVICE, DMA_ATTR_MMIO) ==
		    DMA_MAPPING_ERROR);
	assert_int_equal(dma_device_quiesce(&m->dev), 0);
	/* Not even its setter lifts it; another pool does. */
	assert_int_equal(dma_device_set_force_bounce(&m->dev, false), 0);
	a = dma_map_phys(&m->dev, BUF, 100, DMA_TO_DEVICE, 0);
	assert_int_equal(a, POOL);
	dma_unmap_phys(&m->dev, a, 100, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_device_quiesce(&m->dev), 0);
	assert_int_equal(dma_device_set_bounce(&m->dev, NULL), 0);
	assert_int_equal(dma_map_phys(&m->dev, BUF, 100, DMA_TO_DEVICE, 0), BUF);
	machine_free(m);
}

static void a_pool_may_start_smaller(void **state)
{
	struct dma_bounce_config config = {
		.size = sizeof(config),
		.bytes = 128 * MB,
		.min_bytes = 20 * MB,
	};
	struct machine *m = machine_new();

	(void)state;
	assert_int_equal(dmamap_bounce_create(&m->host, &config, &m->pool), 0);
	assert_int_equal(stats(m).bytes, 32 * MB);
	assert_int_equal(dmamap_bounce_destroy(m->pool), 0);
	m->next_page = META + 60 * MB;
	assert_int_equal(dmamap_bounce_create(&m->host, &config, &m->pool), -DMAMAP_ENOMEM);
	m->pool = NULL;
	config.min_bytes = 129 * MB;
	assert_int_equal(dmamap_bounce_create(&m->host, &config, &m->pool), -DMAMAP_EINVAL);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(SWT_13_a_map_starts_at_the_area_of_its_cpu),
		cmocka_unit_test(SWT_14_a_full_area_sends_to_the_next),
		cmocka_unit_test(SWT_14_the_others_are_tried_in_turn),
		cmocka_unit_test(SWT_35_sizes_are_rounded_to_segments_and_areas),
		cmocka_unit_test(SWT_36_areas_have_a_segment_each),
		cmocka_unit_test(SWT_37_high_water),
		cmocka_unit_test(p7_a_request_larger_than_an_area),
		cmocka_unit_test(p7_the_only_free_run_straddles_a_border),
		cmocka_unit_test(padding_may_lie_in_the_area_before),
		cmocka_unit_test(peak_is_exact_only_if_asked_for),
		cmocka_unit_test(every_window_onto_the_pool_is_used),
		cmocka_unit_test(overlapping_windows_translate_by_the_first),
		cmocka_unit_test(a_pool_that_forbids),
		cmocka_unit_test(a_pool_that_forces),
		cmocka_unit_test(a_pool_may_start_smaller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
