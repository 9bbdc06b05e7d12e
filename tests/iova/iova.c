/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The I/O address space against a model: a sorted list of the ranges that are taken, searched from the top.
 */
#include "../pagetable/fakehost.h"

#include "iommu/iova.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOP_48 0xfffffffffu /* last granule of 48 bits */
#define ANY    (~(uint64_t)0)

/* --- the model */

struct range {
	uint64_t first;
	uint64_t n;
};

struct model {
	struct range *taken; /* sorted by first */
	size_t count;
	size_t room;
	uint64_t first;
	uint64_t last;
	uint64_t used;
};

static void model_init(struct model *m, uint64_t first, uint64_t last)
{
	*m = (struct model){ .first = first, .last = last, .room = 1 << 16 };
	m->taken = calloc(m->room, sizeof(*m->taken));
	assert_non_null(m->taken);
}

/* Index of the first range that begins above @granule. */
static size_t model_above(const struct model *m, uint64_t granule)
{
	size_t i = 0;

	while (i < m->count && m->taken[i].first <= granule)
		i++;
	return i;
}

static bool model_is_free(const struct model *m, uint64_t first, uint64_t n)
{
	size_t i = model_above(m, first);

	if (first < m->first || first > m->last || n - 1 > m->last - first)
		return false;
	if (i && m->taken[i - 1].first + m->taken[i - 1].n > first)
		return false;
	return i == m->count || m->taken[i].first - first >= n;
}

static void model_insert(struct model *m, uint64_t first, uint64_t n)
{
	size_t i = model_above(m, first);

	assert_true(m->count < m->room);
	memmove(&m->taken[i + 1], &m->taken[i], (m->count - i) * sizeof(*m->taken));
	m->taken[i] = (struct range){ first, n };
	m->count++;
	m->used += n;
}

static void model_remove(struct model *m, size_t i)
{
	m->used -= m->taken[i].n;
	m->count--;
	memmove(&m->taken[i], &m->taken[i + 1], (m->count - i) * sizeof(*m->taken));
}

/* The highest multiple of @align with @n free granules at or below @limit; ANY if there is none. */
static uint64_t model_search(const struct model *m, uint64_t n, uint64_t align, uint64_t limit)
{
	uint64_t end = m->last; /* of the gap above range i - 1 */

	for (size_t i = m->count;; i--) {
		uint64_t begin = i ? m->taken[i - 1].first + m->taken[i - 1].n : m->first;
		uint64_t top = end < limit ? end : limit;

		if (begin <= end && top + 1 >= n && top + 1 - n >= begin) {
			uint64_t at = (top + 1 - n) / align * align;

			if (at >= begin)
				return at;
		}
		if (!i || !m->taken[i - 1].first)
			return ANY;
		end = m->taken[i - 1].first - 1;
	}
}

/* What the contract says: a whole block if there is one, else any run that begins aligned. */
static uint64_t model_place(const struct model *m, uint64_t n, uint64_t limit)
{
	uint64_t align = 1;
	uint64_t at;

	while (align < n)
		align *= 2;
	at = model_search(m, align, align, limit);
	return at != ANY ? at : model_search(m, n, align, limit);
}

/* --- both */

struct fixture {
	struct fake_host fake;
	struct dmamap_iova *iova;
	struct model model;
};

static void start(struct fixture *f, uint64_t first, uint64_t last)
{
	fake_host_init(&f->fake, 4096, false);
	f->iova = dmamap_space_create(&f->fake.host, 12, first, last);
	assert_non_null(f->iova);
	assert_int_equal(dmamap_space_used(f->iova), 0);
	model_init(&f->model, first, last);
}

static void finish(struct fixture *f)
{
	dmamap_space_destroy(f->iova);
	fake_host_fini(&f->fake);
	free(f->model.taken);
}

static uint64_t take(struct fixture *f, uint64_t n, uint64_t limit)
{
	uint64_t want = model_place(&f->model, n, limit);
	uint64_t got = ANY;
	enum dmamap_iova_result result = dmamap_space_alloc(f->iova, n, limit, &got);

	assert_int_equal(got, want);
	assert_int_equal(result, want == ANY ? IOVA_FULL : IOVA_OK);
	if (want != ANY)
		model_insert(&f->model, want, n);
	assert_int_equal(dmamap_space_used(f->iova), f->model.used);
	return got;
}

static void give(struct fixture *f, uint64_t first)
{
	size_t i = model_above(&f->model, first) - 1;
	uint64_t n = f->model.taken[i].n;

	assert_int_equal(f->model.taken[i].first, first);
	assert_true(dmamap_space_free(f->iova, first, n));
	model_remove(&f->model, i);
	assert_int_equal(dmamap_space_used(f->iova), f->model.used);
	assert_false(dmamap_space_free(f->iova, first, n));
	assert_int_equal(dmamap_space_used(f->iova), f->model.used);
}

static void reserve(struct fixture *f, uint64_t first, uint64_t n)
{
	bool can = model_is_free(&f->model, first, n);

	assert_int_equal(dmamap_space_reserve(f->iova, first, n), can ? IOVA_OK : IOVA_FULL);
	if (can)
		model_insert(&f->model, first, n);
	assert_int_equal(dmamap_space_used(f->iova), f->model.used);
}

/* --- placement */

static void iom_1_3_first_is_the_highest_and_comes_again(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 1, TOP_48);
	assert_int_equal(take(&f, 1, ANY), TOP_48);
	give(&f, TOP_48);
	assert_int_equal(take(&f, 1, ANY), TOP_48);
	assert_int_equal(take(&f, 1, ANY), TOP_48 - 1);
	finish(&f);
}

static void iom_4_iov_4_three_then_four(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 1, TOP_48);
	assert_int_equal(take(&f, 3, ANY), 0xffffffffc);
	give(&f, 0xffffffffc);
	assert_int_equal(take(&f, 4, ANY), 0xffffffffc);
	finish(&f);
}

static void the_tail_of_a_block_stays_usable(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 1, TOP_48);
	assert_int_equal(take(&f, 3, ANY), 0xffffffffc);
	assert_int_equal(take(&f, 1, ANY), TOP_48);
	assert_int_equal(take(&f, 2, ANY), 0xffffffffa);
	finish(&f);
}

static void iom_5_sizes_are_aligned(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 1, TOP_48);
	assert_int_equal(take(&f, 1, ANY), TOP_48);
	assert_int_equal(take(&f, 512, ANY), 0xffffffc00);
	assert_int_equal(take(&f, 1 << 18, ANY), 0xffff80000);
	finish(&f);
}

static void iov_18_23_sizes_between_powers_of_two(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 1, TOP_48);
	assert_int_equal(take(&f, 25, ANY), 0xfffffffe0);
	assert_int_equal(take(&f, 33, ANY), 0xfffffff80);
	finish(&f);
}

static void iom_6_9_limits(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 1, TOP_48);
	assert_int_equal(take(&f, 1, 0xfffff), 0xfffff);
	assert_int_equal(take(&f, 1, 0x7ffff), 0x7ffff);
	assert_int_equal(take(&f, 1, 0x12345), 0x12345);
	assert_int_equal(take(&f, 4, 0x12345), 0x12340);
	assert_int_equal(take(&f, 1, 1), 1);
	assert_int_equal(take(&f, 1, 1), ANY);
	assert_int_equal(take(&f, 1, 0), ANY);
	finish(&f);
}

static void iov_2_reserved_is_never_given(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 1, TOP_48);
	reserve(&f, 0xffff0, 16);
	assert_int_equal(take(&f, 1, 0xfffff), 0xfffef);
	reserve(&f, 0xfffff, 1);
	reserve(&f, 0xffff0, 16);
	reserve(&f, 0, 1);
	reserve(&f, TOP_48, 2);
	reserve(&f, TOP_48 + 1, 1);
	finish(&f);
}

static void iov_11_granule_0_is_never_given(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 1, 100);
	for (uint64_t i = 100; i; i--)
		assert_int_equal(take(&f, 1, ANY), i);
	assert_int_equal(take(&f, 1, ANY), ANY);
	assert_false(dmamap_space_free(f.iova, 0, 1));
	assert_false(dmamap_space_free(f.iova, 101, 1));
	assert_false(dmamap_space_free(f.iova, 100, 2));
	finish(&f);
}

static void iov_17_a_free_granule_is_not_freed(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 0, TOP_48);
	reserve(&f, 0x1000, 0x5000);
	assert_false(dmamap_space_free(f.iova, 0x1000, 0x5001));
	assert_false(dmamap_space_free(f.iova, 0xfff, 2));
	assert_false(dmamap_space_free(f.iova, 7, 1));
	assert_false(dmamap_space_free(f.iova, 7, 0));
	assert_false(dmamap_space_free(f.iova, ANY, 2));
	give(&f, 0x1000);
	finish(&f);
}

static void iov_20_21_holes_are_filled_first(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 1, TOP_48);
	assert_int_equal(take(&f, 64, 0xfffff), 0xfffc0);
	assert_int_equal(take(&f, 64, 0xfffff), 0xfff80);
	assert_int_equal(take(&f, 64, 0xfffff), 0xfff40);
	give(&f, 0xfffc0);
	assert_int_equal(take(&f, 128, 0xfffff), 0xffe80);
	assert_int_equal(take(&f, 64, 0xfffff), 0xfffc0);
	finish(&f);
}

static void a_run_without_its_tail_is_found(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 0, 255);
	reserve(&f, 67, 189);
	reserve(&f, 0, 64);
	assert_int_equal(take(&f, 3, ANY), 64);
	give(&f, 64);
	assert_int_equal(take(&f, 4, ANY), ANY);
	finish(&f);
}

static void spaces_end_anywhere(void **state)
{
	static const uint64_t lasts[] = { 0, 1, 62, 63, 64, 4094, 4095, 4096, 0x3ffff, 0x12345678 };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof(lasts) / sizeof(lasts[0]); i++) {
		start(&f, 0, lasts[i]);
		assert_int_equal(take(&f, lasts[i] + 1, ANY), 0);
		assert_int_equal(take(&f, 1, ANY), ANY);
		give(&f, 0);
		assert_int_equal(take(&f, 1, ANY), lasts[i]);
		finish(&f);
	}
}

static void huge_ranges_cost_two_paths(void **state)
{
	struct fixture f;
	uint64_t before;

	(void)state;
	start(&f, 1, ((uint64_t)1 << 52) - 1);
	before = f.fake.live;
	assert_int_equal(take(&f, (uint64_t)1 << 40, ANY),
			 (((uint64_t)1 << 52) - ((uint64_t)1 << 40)));
	assert_int_equal(take(&f, ((uint64_t)1 << 40) - 1, ANY),
			 (((uint64_t)1 << 52) - ((uint64_t)2 << 40)));
	assert_in_range(f.fake.live, before, before + 4);
	finish(&f);
}

/* --- random sequences */

static uint64_t random_size(uint64_t *rng, unsigned int max_bits)
{
	unsigned int bits = (unsigned int)(fake_random(rng) % (max_bits + 1));
	uint64_t size = (uint64_t)1 << bits;

	return fake_random(rng) % 3 ? size : size + fake_random(rng) % size;
}

static void random_step(struct fixture *f, uint64_t *rng, unsigned int size_bits, size_t live)
{
	uint64_t n = random_size(rng, size_bits);
	uint64_t what = fake_random(rng) % 16;

	if (what == 0) {
		reserve(f, fake_random(rng) % (f->model.last + 1), n);
	} else if (what == 1) {
		uint64_t at = fake_random(rng) % (f->model.last + 1);

		if (model_is_free(&f->model, at, 1))
			assert_false(dmamap_space_free(f->iova, at, n));
	} else if (what < 9 && f->model.count < live) {
		take(f, n, fake_random(rng) % 2 ? ANY : fake_random(rng) % (f->model.last + 2));
	} else if (f->model.count) {
		give(f, f->model.taken[fake_random(rng) % f->model.count].first);
	}
}

static void random_run(uint64_t first, uint64_t last, unsigned int size_bits, size_t live,
		       int steps)
{
	uint64_t rng = fake_seed() ^ last;
	struct fixture f;

	start(&f, first, last);
	for (int i = 0; i < steps; i++)
		random_step(&f, &rng, size_bits, live);
	while (f.model.count)
		give(&f, f.model.taken[fake_random(&rng) % f.model.count].first);
	/* Everything is free: what a first allocation sees is what it saw at the start. */
	take(&f, 1, ANY);
	finish(&f);
}

static void iov_19_random_small(void **state)
{
	(void)state;
	random_run(1, 300, 5, 1000, 60000);
	random_run(3, 5000, 8, 1000, 60000);
	random_run(0, 0x3ffff, 13, 2000, 40000);
}

static void iov_19_random_huge(void **state)
{
	(void)state;
	random_run(1, TOP_48, 10, 1500, 40000);
	random_run(1, TOP_48 - 12345, 34, 1500, 40000);
	random_run(0, ((uint64_t)1 << 52) - 1, 48, 1500, 40000);
}

/* --- memory */

static void nodes_go_away_when_empty(void **state)
{
	struct fixture f;
	uint64_t at[2000];

	(void)state;
	start(&f, 1, TOP_48);
	for (int i = 0; i < 2000; i++)
		reserve(&f, at[i] = 1 + (uint64_t)i * 0x1000000, 7);
	assert_true(f.fake.live > 600);
	for (int i = 0; i < 2000; i++)
		give(&f, at[i]);
	assert_in_range(f.fake.live, 1, 6);
	finish(&f);
}

static void each_allocation_fails_once(void **state)
{
	struct fixture f;
	uint64_t got;

	(void)state;
	start(&f, 1, TOP_48);
	for (uint64_t i = 0; i < 300; i++) {
		/* Two edges far apart, so that both need nodes. */
		uint64_t first = 0x1234567 + i * 0x2000003;
		enum dmamap_iova_result result = IOVA_NO_MEMORY;

		for (uint64_t nth = 1; result == IOVA_NO_MEMORY; nth++) {
			f.fake.fail_at = f.fake.allocs + nth;
			result = dmamap_space_reserve(f.iova, first, 0x1000003);
			if (result == IOVA_NO_MEMORY)
				assert_int_equal(dmamap_space_used(f.iova), f.model.used);
		}
		f.fake.fail_at = 0;
		assert_int_equal(result, IOVA_OK);
		model_insert(&f.model, first, 0x1000003);
	}
	f.fake.fail_at = f.fake.allocs + 1;
	while (dmamap_space_alloc(f.iova, 100, ANY, &got) == IOVA_OK)
		model_insert(&f.model, got, 100);
	/* Releasing needs no memory. */
	for (uint64_t i = 0; i < f.model.count; i++) {
		f.fake.fail_at = f.fake.allocs + 1;
		assert_true(dmamap_space_free(f.iova, f.model.taken[i].first, f.model.taken[i].n));
	}
	assert_int_equal(dmamap_space_used(f.iova), 0);
	finish(&f);
}

static void a_failure_leaves_no_nodes(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 1, TOP_48);
	for (uint64_t i = 0; i < 2; i++) {
		/* Eight nodes are needed, and the page that granule 0 began has two. */
		f.fake.fail_at = f.fake.allocs + 1;
		assert_int_equal(dmamap_space_reserve(f.iova, 0x1234567, 0x80000003),
				 IOVA_NO_MEMORY);
		assert_int_equal(dmamap_space_used(f.iova), f.model.used);
		/* One is needed: the failure gave back the two. */
		f.fake.fail_at = f.fake.allocs + 1;
		reserve(&f, 0x2000 * (i + 1), 1);
	}
	finish(&f);
}

static void creation_fails_whole(void **state)
{
	struct fake_host fake;

	(void)state;
	fake_host_init(&fake, 64, false);
	for (uint64_t nth = 1;; nth++) {
		struct dmamap_iova *iova;

		fake.fail_at = fake.allocs + nth;
		iova = dmamap_space_create(&fake.host, 12, 5, 0x123456789);
		if (iova) {
			dmamap_space_destroy(iova);
			break;
		}
		assert_int_equal(fake.live, 0);
	}
	assert_null(dmamap_space_create(&fake.host, 12, 5, 4));
	assert_null(dmamap_space_create(&fake.host, 12, 0, ANY));
	fake_host_fini(&fake);
}

/* --- the slab */

static void slab_objects_are_zero_and_pages_come_back(void **state)
{
	struct fake_host fake;
	struct dmamap_slab slab;
	unsigned char *object[200];
	static const unsigned char zero[100];

	(void)state;
	fake_host_init(&fake, 64, false);
	dmamap_slab_init(&slab, &fake.host, 100);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 200; i++) {
			object[i] = dmamap_slab_alloc(&slab);
			assert_non_null(object[i]);
			assert_memory_equal(object[i], zero, 100);
			memset(object[i], 0xff, 100);
		}
		assert_int_equal(fake.live, 6);
		assert_int_equal(slab.bytes, 6 * FAKE_PAGE);
		for (int i = 0; i < 200; i++)
			dmamap_slab_free(&slab, object[(i * 7) % 200]);
		assert_in_range(fake.live, 0, 2);
	}
	fake.fail_at = fake.allocs + 1;
	while (dmamap_slab_alloc(&slab))
		;
	fake.fail_at = 0;
	assert_non_null(dmamap_slab_alloc(&slab));
	dmamap_slab_fini(&slab);
	assert_int_equal(slab.bytes, 0);
	fake_host_fini(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(iom_1_3_first_is_the_highest_and_comes_again),
		cmocka_unit_test(iom_4_iov_4_three_then_four),
		cmocka_unit_test(the_tail_of_a_block_stays_usable),
		cmocka_unit_test(iom_5_sizes_are_aligned),
		cmocka_unit_test(iov_18_23_sizes_between_powers_of_two),
		cmocka_unit_test(iom_6_9_limits),
		cmocka_unit_test(iov_2_reserved_is_never_given),
		cmocka_unit_test(iov_11_granule_0_is_never_given),
		cmocka_unit_test(iov_17_a_free_granule_is_not_freed),
		cmocka_unit_test(iov_20_21_holes_are_filled_first),
		cmocka_unit_test(a_run_without_its_tail_is_found),
		cmocka_unit_test(spaces_end_anywhere),
		cmocka_unit_test(huge_ranges_cost_two_paths),
		cmocka_unit_test(iov_19_random_small),
		cmocka_unit_test(iov_19_random_huge),
		cmocka_unit_test(nodes_go_away_when_empty),
		cmocka_unit_test(each_allocation_fails_once),
		cmocka_unit_test(a_failure_leaves_no_nodes),
		cmocka_unit_test(creation_fails_whole),
		cmocka_unit_test(slab_objects_are_zero_and_pages_come_back),
	};

	return cmocka_run_group_tests_name("iova", tests, NULL, NULL);
}
