/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cache maintenance for walkers that do not snoop, and the memory of tables.
 */
#include "table.h"

/* --- caches */

static void each_line_is_cleaned_once(void **state)
{
	struct fixture f;
	uint64_t lines, cleans;

	(void)state;
	start(&f, 4, true);
	assert_int_equal(map(&f, 0x100000, G1, K4), 0);
	/* Seven entries of two lines in a table that is there. */
	lines = f.fake.lines;
	cleans = f.fake.cleans;
	assert_int_equal(map(&f, 0x5000, G1 + K4, 7 * K4), 0);
	assert_int_equal(f.fake.lines - lines, 2);
	assert_int_equal(f.fake.cleans - cleans, 1);
	/* Scattered pieces too. */
	{
		struct dma_vec vec[32];

		for (uint64_t i = 0; i < 32; i++)
			vec[i] = (struct dma_vec){ G1 + i * 8 * K4, K4 };
		lines = f.fake.lines;
		assert_int_equal(f.pt->ops->map(f.pt, 0x40000, vec, 32, RW), 0);
		assert_int_equal(f.fake.lines - lines, 4);
	}
	lines = f.fake.lines;
	assert_int_equal(unmap(&f, 0x5000, 7 * K4), 7 * K4);
	assert_int_equal(f.fake.lines - lines, 2);
	expect_hole(&f, 0x5000);
	finish(&f);
}

static void maintenance_is_waited_for(void **state)
{
	struct fixture f;
	uint64_t flushes, barriers;

	(void)state;
	start(&f, 4, true);
	flushes = f.fake.flushes;
	barriers = f.fake.barriers;
	assert_int_equal(map(&f, 0x1000, G1, K4), 0);
	/* Three new tables, each before its parent's entry, and the entries. */
	assert_int_equal(f.fake.flushes - flushes, 4);
	assert_int_equal(f.fake.barriers - barriers, 1);
	flushes = f.fake.flushes;
	unmap(&f, 0x1000, K4);
	assert_int_equal(f.fake.flushes - flushes, 1);
	settle(&f);
	assert_int_equal(f.fake.flushes - flushes, 2);
	finish(&f);
	/* A walker that snoops costs nothing. */
	start(&f, 4, false);
	map(&f, 0x1000, G1, K4);
	assert_int_equal(f.fake.cleans + f.fake.flushes, 0);
	finish(&f);
}

/* --- memory */

static int map_much(struct fixture *f)
{
	const struct dma_vec vec[] = { { G1, K4 }, { 5 * G1, 3 * M2 }, { 9 * G1 + K4, 2 * M2 } };

	return f->pt->ops->map(f->pt, G1 - K4, vec, 3, RW);
}

static void CORE_6_every_allocation_fails_once(void **state)
{
	struct fixture f;
	struct dma_pt_config config;
	uint64_t live;
	int err = -DMAMAP_ENOMEM;

	(void)state;
	fake_host_init(&f.fake, 2048, true);
	config = config_of(&f, 5);
	for (uint64_t nth = 1; err; nth++) {
		f.fake.fail_at = f.fake.allocs + nth;
		err = dmamap_pt_backend_create(&f.fake.host, &config, &f.pt);
		if (err) {
			assert_int_equal(err, -DMAMAP_ENOMEM);
			assert_int_equal(f.fake.live, 0);
		} else {
			f.pt->ops->destroy(f.pt);
		}
	}
	err = -DMAMAP_ENOMEM;
	for (uint64_t nth = 1; err; nth++) {
		f.fake.fail_at = 0;
		start_with(&f, &config, config.levels);
		live = f.fake.live;
		f.fake.fail_at = f.fake.allocs + nth;
		err = map_much(&f);
		if (err) {
			assert_int_equal(err, -DMAMAP_ENOMEM);
			assert_int_equal(bytes(&f), K4);
			expect_leaves(&f, 0, 0, 0);
			/* What was kept for the next time is bounded. */
			assert_true(f.fake.live <= live + 12);
			f.fake.fail_at = 0;
			assert_int_equal(map_much(&f), 0);
		}
		f.pt->ops->destroy(f.pt);
		assert_int_equal(f.fake.live, 0);
	}
	fake_host_fini(&f.fake);
}

static void tables_lie_where_the_hardware_reaches(void **state)
{
	struct fixture f;
	struct dma_pt_config config;

	(void)state;
	fake_host_init(&f.fake, 64, false);
	config = config_of(&f, 3);
	f.fake.base = (phys_addr_t)1 << 40;
	config.output_bits = 39;
	assert_int_equal(dmamap_pt_backend_create(&f.fake.host, &config, &f.pt), -DMAMAP_ENOMEM);
	assert_int_equal(f.fake.lowest_ceiling, ((phys_addr_t)1 << 39) - 1);
	f.fake.base = FAKE_PHYS_BASE;
	fake_host_fini(&f.fake);
}

static void tables_come_back(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 4, false);
	for (uint64_t i = 0; i < 600; i++)
		assert_int_equal(map(&f, i * M2, G1, K4), 0);
	assert_int_equal(bytes(&f), (1 + 1 + 2 + 600) * K4);
	for (uint64_t i = 0; i < 600; i++) {
		assert_int_equal(unmap(&f, i * M2, K4), K4);
		if (i % 3 == 0)
			settle(&f);
	}
	settle(&f);
	assert_int_equal(bytes(&f), K4);
	/* Root, spares of both kinds, and pages that descriptors of these and the backend share with nobody any more. */
	assert_in_range(f.fake.live, 2, 1 + 8 + 9);
	f.pt->ops->trim(f.pt);
	assert_int_equal(f.fake.live, 2);
	assert_int_equal(map(&f, M2, G1, K4), 0);
	f.pt->ops->trim(f.pt);
	assert_int_equal(unmap(&f, M2, K4), K4); /* what is in use is not trimmed */
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_is_cleaned_once),
		cmocka_unit_test(maintenance_is_waited_for),
		cmocka_unit_test(CORE_6_every_allocation_fails_once),
		cmocka_unit_test(tables_lie_where_the_hardware_reaches),
		cmocka_unit_test(tables_come_back),
	};

	return cmocka_run_group_tests_name("pagetable-memory", tests, NULL, NULL);
}
