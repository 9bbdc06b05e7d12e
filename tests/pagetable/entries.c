/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What gets into a table and out of it: leaf sizes, golden entries, refusals, partial unmaps, empty tables.
 */
#include "table.h"

#include <dmamap/accel.h>

/* --- leaf sizes */

static void CORE_1_sizes_around_two_2m_leaves(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 4, false);
	assert_int_equal(map(&f, 0x1ff000, 0x401ff000, 0x402000), 0);
	expect_leaves(&f, 2, 2, 0);
	expect_leaf(&f, 0x1ff000, 0, 0x401ff003);
	expect_leaf(&f, 0x200000, 1, 0x40200083);
	expect_leaf(&f, 0x400000, 1, 0x40400083);
	expect_leaf(&f, 0x600000, 0, 0x40600003);
	finish(&f);
}

static void CORE_2_a_1g_leaf_and_a_2m_leaf(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 4, false);
	assert_int_equal(map(&f, 0x40000000, 0x80000000, 0x40200000), 0);
	expect_leaves(&f, 0, 1, 1);
	expect_leaf(&f, 0x40000000, 2, 0x80000083);
	expect_leaf(&f, 0x80000000, 1, 0xc0000083);
	finish(&f);
}

static void CORE_3_incongruent_addresses_take_pages(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 4, false);
	assert_int_equal(map(&f, 0x1000, 0x2000, 0x200000), 0);
	expect_leaves(&f, 512, 0, 0);
	finish(&f);
}

static void CORE_4_up_to_1g_and_down_again(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 4, false);
	assert_int_equal(map(&f, 0x3fe00000, 0x17fe00000, 0x80400000), 0);
	expect_leaves(&f, 0, 2, 2);
	assert_int_equal(unmap(&f, 0x3fe00000, 0x80400000), 0x80400000);
	expect_leaves(&f, 0, 0, 0);
	finish(&f);
}

static void sizes_the_hardware_lacks_are_not_used(void **state)
{
	struct fixture f;
	struct dma_pt_config config;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_of(&f, 4);
	config.page_sizes = M2;
	start_with(&f, &config, config.levels);
	assert_int_equal(f.pt->caps.page_sizes, K4 | M2);
	assert_int_equal(map(&f, G1, G1, G1), 0);
	expect_leaves(&f, 0, 512, 0);
	f.pt->ops->destroy(f.pt);
	config.page_sizes = G1;
	start_with(&f, &config, config.levels);
	assert_int_equal(map(&f, G1, G1, G1 + M2), 0);
	expect_leaves(&f, 512, 0, 1);
	finish(&f);
}

/* --- entries */

static void VTD_1_golden_entries(void **state)
{
	static const unsigned int prots[] = { RW, DMA_PROT_READ, DMA_PROT_WRITE, RW | DMA_PROT_MMIO,
					      RW | DMA_PROT_CACHE };
	static const uint64_t bits[2][5] = { { 3, 1, 2, 3, 3 }, { 0x803, 0x801, 0x802, 3, 0x803 } };
	struct fixture f;

	(void)state;
	for (int snoop = 0; snoop < 2; snoop++) {
		struct dma_pt_config config;

		fake_host_init(&f.fake, 2048, false);
		config = config_of(&f, 4);
		config.force_coherent = snoop;
		start_with(&f, &config, config.levels);
		for (unsigned int i = 0; i < 5; i++) {
			const struct dma_vec page = { G1, K4 }, large = { G1, M2 },
					     huge = { G1, G1 };
			uint64_t at = (i + 1) * 4 * G1;

			assert_int_equal(f.pt->ops->map(f.pt, at, &page, 1, prots[i]), 0);
			assert_int_equal(f.pt->ops->map(f.pt, at + M2, &large, 1, prots[i]), 0);
			assert_int_equal(f.pt->ops->map(f.pt, at + G1, &huge, 1, prots[i]), 0);
			expect_leaf(&f, at, 0, G1 | bits[snoop][i]);
			expect_leaf(&f, at + M2, 1, G1 | 0x80 | bits[snoop][i]);
			expect_leaf(&f, at + G1, 2, G1 | 0x80 | bits[snoop][i]);
		}
		finish(&f);
	}
}

static void tables_of_each_depth(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned int levels = 3; levels <= 5; levels++) {
		uint64_t top = ((uint64_t)1 << (12 + 9 * levels)) - K4;

		start(&f, levels, false);
		assert_int_equal(f.pt->caps.aperture_start, 0);
		assert_int_equal(f.pt->caps.aperture_end, top + K4 - 1);
		assert_int_equal(map(&f, top, 0x40000000, K4), 0);
		assert_int_equal(map(&f, 0, 0x40001000, K4), 0);
		expect_leaf(&f, top, 0, 0x40000003);
		expect_leaf(&f, 0, 0, 0x40001003);
		assert_int_equal(map(&f, top, 0x40000000, 2 * K4), -DMAMAP_ERANGE);
		assert_int_equal(map(&f, top + K4, 0x40000000, K4), -DMAMAP_ERANGE);
		assert_int_equal(unmap(&f, top, 2 * K4), K4);
		assert_int_equal(unmap(&f, top + K4, K4), 0);
		expect_hole(&f, top);
		finish(&f);
	}
}

/* --- refusals */

static void CORE_5_CORE_5b_GPT_1_VTD_2_what_is_refused(void **state)
{
	static const struct {
		uint64_t iova, phys, len;
		unsigned int prot;
		int err;
	} cases[] = {
		{ 0x1800, 0x2000, 0x1000, RW, -DMAMAP_EINVAL },
		{ 0x1000, 0x2800, 0x1000, RW, -DMAMAP_EINVAL },
		{ 0x1000, 0x2000, 0x1800, RW, -DMAMAP_EINVAL },
		{ 0x1000, 0x2000, 0, RW, -DMAMAP_EINVAL },
		{ 0x1000, 0x2000, 0x1000, 0, -DMAMAP_EINVAL },
		{ 0x1000, 0x2000, 0x1000, DMA_PROT_CACHE | DMA_PROT_MMIO, -DMAMAP_EINVAL },
		{ 1ull << 48, 0x2000, 0x1000, RW, -DMAMAP_ERANGE },
		{ (1ull << 48) - K4, 0x2000, 0x2000, RW, -DMAMAP_ERANGE },
		{ 0x1000, 0x2000, 0xfffffffffffff000, RW, -DMAMAP_ERANGE },
		{ 0x1000, 1ull << 46, 0x1000, RW, -DMAMAP_ERANGE },
		{ 0x1000, (1ull << 46) - K4, 0x2000, RW, -DMAMAP_ERANGE },
		{ 0x1000, 0xfee00000, 0x1000, RW, -DMAMAP_ERANGE },
		{ 0x1000, 0xfeeff000, 0x1000, RW, -DMAMAP_ERANGE },
		{ 0, 0xc0000000, G1, RW, -DMAMAP_ERANGE },
	};
	struct fixture f;

	(void)state;
	start(&f, 4, false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct dma_vec vec[2] = { { 0x5000, K4 }, { cases[i].phys, cases[i].len } };

		assert_int_equal(f.pt->ops->map(f.pt, cases[i].iova, vec + 1, 1, cases[i].prot),
				 cases[i].err);
		/* The first piece is good; nothing of it may stay. */
		assert_true(f.pt->ops->map(f.pt, cases[i].iova & ~K4, vec, 2, cases[i].prot) < 0);
		expect_leaves(&f, 0, 0, 0);
		assert_int_equal(bytes(&f), K4);
	}
	assert_int_equal(f.pt->ops->map(f.pt, 0, NULL, 0, RW), -DMAMAP_EINVAL);
	assert_int_equal(map(&f, 0, 0xfedff000, K4), 0);
	assert_int_equal(map(&f, M2, 0xfef00000, K4), 0);
	assert_int_equal(map(&f, 2 * M2, 0xfec00000, M2), 0);
	assert_int_equal(unmap(&f, 0x800, K4), 0);
	assert_int_equal(unmap(&f, 0, 0x800), 0);
	finish(&f);
}

static void VTD_3_impossible_tables(void **state)
{
	struct fake_host fake;
	struct fixture f;
	struct dma_pt_config good, c;
	struct dma_backend *pt;

	(void)state;
	fake_host_init(&f.fake, 16, false);
	fake_host_init(&fake, 16, false);
	good = config_of(&f, 4);
	good.unit = NULL;
	for (unsigned int levels = 0; levels < 8; levels++) {
		c = good;
		c.levels = levels;
		if (levels < 3 || levels > 5)
			assert_int_equal(dmamap_pt_backend_create(&fake.host, &c, &pt), -95);
	}
	c = good;
	c.format = (enum dma_pt_format)99;
	assert_int_equal(dmamap_pt_backend_create(&fake.host, &c, &pt), -95);
	c = good;
	c.output_bits = 53;
	assert_int_equal(dmamap_pt_backend_create(&fake.host, &c, &pt), -22);
	c.output_bits = 31;
	assert_int_equal(dmamap_pt_backend_create(&fake.host, &c, &pt), -22);
	c = good;
	c.size--;
	assert_int_equal(dmamap_pt_backend_create(&fake.host, &c, &pt), -22);
	c = good;
	c.page_sizes = 1 << 16;
	assert_int_equal(dmamap_pt_backend_create(&fake.host, &c, &pt), -22);
	assert_int_equal(dmamap_pt_backend_create(NULL, &good, &pt), -22);
	assert_int_equal(dmamap_pt_backend_create(&fake.host, NULL, &pt), -22);
	assert_int_equal(dmamap_pt_backend_create(&fake.host, &good, NULL), -22);
	/* Without a unit everything that concerns one is nothing. */
	assert_int_equal(dmamap_pt_backend_create(&fake.host, &good, &pt), 0);
	assert_int_equal(pt->ops->attach(pt, NULL), 0);
	pt->ops->invalidate(pt, 0, 4096, true);
	pt->ops->wait(pt);
	pt->ops->detach(pt, NULL);
	pt->ops->destroy(pt);
	fake_host_fini(&fake);
	fake_host_fini(&f.fake);
}

static void nothing_is_overwritten(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 4, false);
	assert_int_equal(map(&f, M2 + K4, G1, K4), 0);
	assert_int_equal(map(&f, 4 * M2, G1, M2), 0);
	assert_int_equal(map(&f, M2 + K4, 2 * G1, K4), -DMAMAP_EADDRINUSE);
	assert_int_equal(map(&f, M2, 2 * G1, M2), -DMAMAP_EADDRINUSE);
	assert_int_equal(map(&f, 0, 2 * G1, G1), -DMAMAP_EADDRINUSE);
	assert_int_equal(map(&f, 4 * M2, 2 * G1, M2), -DMAMAP_EADDRINUSE);
	assert_int_equal(map(&f, 4 * M2 + K4, 2 * G1, K4), -DMAMAP_EADDRINUSE);
	assert_int_equal(map(&f, 2 * M2, 2 * G1, 3 * M2), -DMAMAP_EADDRINUSE);
	assert_int_equal(map(&f, 3 * M2 - K4, 2 * G1 - K4, M2 + 2 * K4), -DMAMAP_EADDRINUSE);
	expect_leaves(&f, 1, 1, 0);
	expect_leaf(&f, M2 + K4, 0, G1 | 3);
	expect_leaf(&f, 4 * M2, 1, G1 | 0x83);
	/* Root, two levels, and the one table of pages. */
	assert_int_equal(bytes(&f), 4 * K4);
	finish(&f);
}

static void a_failure_is_invalidated_before_its_tables_go(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 4, false);
	assert_int_equal(map(&f, M2, G1, K4), 0);
	assert_int_equal(f.unit.invalidations, 0);
	assert_int_equal(map(&f, M2 - K4, G1, 2 * K4), -DMAMAP_EADDRINUSE);
	assert_int_equal(f.unit.invalidations, 1);
	assert_int_equal(f.unit.waits, 1);
	assert_int_equal(f.unit.len, ~(uint64_t)0);
	assert_false(f.unit.leaf_only);
	/* Nothing entered, no table made: nothing to drop. */
	assert_int_equal(map(&f, M2, G1, K4), -DMAMAP_EADDRINUSE);
	assert_int_equal(f.unit.invalidations, 1);
	finish(&f);
}

/* --- unmapping */

static void CORE_10_holes_stop_an_unmap(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 4, false);
	assert_int_equal(map(&f, 0x1000, G1, 3 * K4), 0);
	assert_int_equal(map(&f, 0x5000, G1, K4), 0);
	assert_int_equal(unmap(&f, 0x1000, 5 * K4), 3 * K4);
	assert_int_equal(unmap(&f, 0x1000, 5 * K4), 0);
	expect_leaf(&f, 0x5000, 0, G1 | 3);
	assert_int_equal(unmap(&f, 0x5000, G1), K4);
	assert_int_equal(unmap(&f, 1ull << 40, K4), 0);
	finish(&f);
}

/** Pages [@first, @first + @n) of the second lowest table lead to the memory behind @phys; none, if that is 0. */
static void expect_pages(const struct fixture *f, uint64_t first, uint64_t n, uint64_t phys)
{
	for (uint64_t i = 0; i < n; i++) {
		if (phys)
			expect_leaf(f, M2 + (first + i) * K4, 0, (phys + i * K4) | 3);
		else
			expect_hole(f, M2 + (first + i) * K4);
	}
}

/** Many at once, with a host's kernels and without: what is taken and what is free ends it where it does for few. */
static void many_entries(bool kernels)
{
	const uint64_t phys = G1 + K4; /* no large leaf */
	struct fixture f;

	start(&f, 4, false);
	if (kernels)
		dmamap_accel_init(&f.fake.host);
	assert_int_equal(map(&f, M2, phys, M2), 0);
	expect_pages(&f, 0, 512, phys);
	assert_int_equal(unmap(&f, M2 + 150 * K4, 100 * K4), 100 * K4);
	expect_pages(&f, 150, 100, 0);
	/* over what is taken, from the hole on and into it */
	assert_int_equal(map(&f, M2 + 150 * K4, phys, 200 * K4), -DMAMAP_EADDRINUSE);
	assert_int_equal(map(&f, M2 + 50 * K4, phys, 200 * K4), -DMAMAP_EADDRINUSE);
	expect_pages(&f, 0, 150, phys);
	expect_pages(&f, 150, 100, 0);
	expect_pages(&f, 250, 262, phys + 250 * K4);
	assert_int_equal(unmap(&f, M2 + 10 * K4, 500 * K4), 140 * K4);
	expect_pages(&f, 0, 10, phys);
	expect_pages(&f, 10, 240, 0);
	expect_pages(&f, 250, 262, phys + 250 * K4);
	assert_int_equal(map(&f, M2 + 10 * K4, phys, 240 * K4), 0);
	expect_pages(&f, 10, 240, phys);
	assert_int_equal(unmap(&f, M2, M2), M2);
	expect_pages(&f, 0, 512, 0);
	finish(&f);
}

static void many_entries_stop_where_few_do(void **state)
{
	(void)state;
	many_entries(false);
	many_entries(true);
}

static void VTD_4_VTD_5_a_large_leaf_goes_whole_or_not_at_all(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 4, false);
	assert_int_equal(map(&f, M2 - K4, G1 - K4, M2 + K4), 0);
	assert_int_equal(unmap(&f, M2 + K4, K4), 0);
	assert_int_equal(unmap(&f, M2 + K4, 2 * M2), 0);
	assert_int_equal(unmap(&f, M2, K4), 0);
	assert_int_equal(unmap(&f, M2, M2 - K4), 0);
	assert_int_equal(unmap(&f, M2 - K4, 2 * K4), K4);
	expect_leaf(&f, M2, 1, G1 | 0x83);
	assert_int_equal(unmap(&f, M2, M2), M2);
	expect_leaves(&f, 0, 0, 0);
	finish(&f);
}

static void empty_tables_stay_until_pruned(void **state)
{
	struct fixture f;
	struct found before;

	(void)state;
	start(&f, 4, false);
	assert_int_equal(map(&f, 0x1000, G1, K4), 0);
	assert_int_equal(map(&f, 0x2000, G1, K4), 0);
	assert_int_equal(bytes(&f), 4 * K4);
	assert_int_equal(unmap(&f, 0x1000, K4), K4);
	assert_false(settle(&f));
	assert_int_equal(unmap(&f, 0x2000, K4), K4);
	assert_int_equal(bytes(&f), 4 * K4);
	before = walk(&f, 0x2000);
	assert_int_equal(before.level, 0);
	/* Found again by the next map, and not pruned then. */
	assert_int_equal(map(&f, 0x3000, G1, K4), 0);
	assert_int_equal(bytes(&f), 4 * K4);
	assert_false(settle(&f));
	assert_int_equal(unmap(&f, 0x3000, K4), K4);
	assert_true(settle(&f));
	assert_int_equal(bytes(&f), K4);
	assert_int_equal(walk(&f, 0x3000).level, 3);
	finish(&f);
}

static void GPT_2_large_leaf_where_an_empty_table_waits(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 4, false);
	assert_int_equal(map(&f, M2, G1, K4), 0);
	assert_int_equal(unmap(&f, M2, K4), K4);
	/* The hardware may know the table: pages go into it, the neighbours are large. */
	assert_int_equal(map(&f, 0, 4 * G1, G1), 0);
	expect_leaves(&f, 512, 511, 0);
	expect_leaf(&f, M2 + K4, 0, (4 * G1 + M2 + K4) | 3);
	assert_int_equal(unmap(&f, 0, G1), G1);
	assert_true(settle(&f));
	assert_int_equal(map(&f, 0, 4 * G1, G1), 0);
	expect_leaves(&f, 0, 0, 1);
	finish(&f);
}

static void a_prune_takes_empty_parents(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 5, false);
	assert_int_equal(map(&f, 1ull << 50, G1, K4), 0);
	assert_int_equal(map(&f, (1ull << 50) + G1, G1, G1), 0);
	assert_int_equal(map(&f, (1ull << 50) + 3 * G1, G1, M2 + K4), 0);
	assert_int_equal(bytes(&f), 7 * K4);
	/* A parent that runs empty by itself, and one by its children, both orders. */
	assert_int_equal(unmap(&f, (1ull << 50) + 3 * G1, M2 + K4), M2 + K4);
	assert_int_equal(unmap(&f, 1ull << 50, K4), K4);
	assert_int_equal(unmap(&f, (1ull << 50) + G1, G1), G1);
	assert_true(settle(&f));
	assert_int_equal(bytes(&f), K4);
	assert_int_equal(map(&f, 1ull << 50, G1, K4), 0);
	expect_leaf(&f, 1ull << 50, 0, G1 | 3);
	finish(&f);
}

static void a_prune_takes_a_parent_that_was_empty_before(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 4, false);
	assert_int_equal(map(&f, M2, G1, M2), 0);
	assert_int_equal(unmap(&f, M2, M2), M2);
	assert_int_equal(map(&f, M2, G1, K4), 0);
	assert_int_equal(unmap(&f, M2, K4), K4);
	assert_true(settle(&f));
	assert_int_equal(bytes(&f), K4);
	assert_int_equal(map(&f, M2, G1, K4), 0);
	assert_int_equal(bytes(&f), 4 * K4);
	expect_leaf(&f, M2, 0, G1 | 3);
	finish(&f);
}

static void CORE_9_adjacent_pieces_are_one(void **state)
{
	const struct dma_vec vec[] = { { G1, K4 },	     { G1 + K4, M2 - 2 * K4 },
				       { G1 + M2 - K4, K4 }, { 3 * G1, K4 },
				       { 2 * G1, K4 },	     { 2 * G1 + K4, K4 } };
	struct fixture f;
	phys_addr_t phys;

	(void)state;
	start(&f, 4, false);
	assert_int_equal(f.pt->ops->map(f.pt, M2, vec, 6, RW), 0);
	expect_leaves(&f, 3, 1, 0);
	expect_leaf(&f, M2, 1, G1 | 0x83);
	expect_leaf(&f, 2 * M2, 0, 3 * G1 | 3);
	expect_leaf(&f, 2 * M2 + 2 * K4, 0, (2 * G1 + K4) | 3);
	assert_int_equal(f.pt->ops->iova_to_phys(f.pt, M2 + 0x12345, &phys), 0);
	assert_int_equal(phys, G1 + 0x12345);
	assert_int_equal(unmap(&f, M2, M2 + 3 * K4), M2 + 3 * K4);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(CORE_1_sizes_around_two_2m_leaves),
		cmocka_unit_test(CORE_2_a_1g_leaf_and_a_2m_leaf),
		cmocka_unit_test(CORE_3_incongruent_addresses_take_pages),
		cmocka_unit_test(CORE_4_up_to_1g_and_down_again),
		cmocka_unit_test(sizes_the_hardware_lacks_are_not_used),
		cmocka_unit_test(VTD_1_golden_entries),
		cmocka_unit_test(tables_of_each_depth),
		cmocka_unit_test(CORE_5_CORE_5b_GPT_1_VTD_2_what_is_refused),
		cmocka_unit_test(VTD_3_impossible_tables),
		cmocka_unit_test(nothing_is_overwritten),
		cmocka_unit_test(a_failure_is_invalidated_before_its_tables_go),
		cmocka_unit_test(CORE_10_holes_stop_an_unmap),
		cmocka_unit_test(many_entries_stop_where_few_do),
		cmocka_unit_test(VTD_4_VTD_5_a_large_leaf_goes_whole_or_not_at_all),
		cmocka_unit_test(empty_tables_stay_until_pruned),
		cmocka_unit_test(GPT_2_large_leaf_where_an_empty_table_waits),
		cmocka_unit_test(a_prune_takes_empty_parents),
		cmocka_unit_test(a_prune_takes_a_parent_that_was_empty_before),
		cmocka_unit_test(CORE_9_adjacent_pieces_are_one),
	};

	return cmocka_run_group_tests_name("pagetable-entries", tests, NULL, NULL);
}
