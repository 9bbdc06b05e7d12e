/* SPDX-License-Identifier: BSD-2-Clause */
/* Kept ranges: who gets one, and what becomes of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "iommu/kept.h"
#include "../pagetable/fakehost.h"

#define ANY (~(uint64_t)0)

struct fixture {
	struct fake_host fake;
	struct dmamap_iova *space;
	struct kept kept;
};

static int start(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	fake_host_init(&f.fake, 1024, false);
	f.space = dmamap_space_create(&f.fake.host, 12, 0, 0xfffff);
	assert_non_null(f.space);
	*state = &f;
	return 0;
}

static int finish(void **state)
{
	struct fixture *f = *state;

	dmamap_kept_drain(&f->kept, f->space);
	assert_int_equal(f->kept.granules, 0);
	assert_int_equal(dmamap_space_used(f->space), 0);
	dmamap_space_destroy(f->space);
	fake_host_fini(&f->fake);
	return 0;
}

static uint64_t take(struct fixture *f, uint64_t n)
{
	uint64_t granule;

	assert_int_equal(dmamap_space_alloc(f->space, n, ANY, &granule), IOVA_OK);
	return granule;
}

/** Whoever wants the same size gets it, and only once. */
static void the_same_size_comes_again(void **state)
{
	struct fixture *f = *state;
	uint64_t first = take(f, 512), again;

	dmamap_kept_put(&f->kept, f->space, first, 512);
	assert_int_equal(f->kept.granules, 512);
	assert_false(kept_take(&f->kept, 511, ANY, &again));
	assert_false(kept_take(&f->kept, 513, ANY, &again));
	assert_true(kept_take(&f->kept, 512, ANY, &again));
	assert_int_equal(again, first);
	assert_false(kept_take(&f->kept, 512, ANY, &again));
	assert_true(dmamap_space_free(f->space, first, 512));
}

/** The last granule is at or below the limit. */
static void limits_are_kept(void **state)
{
	struct fixture *f = *state;
	uint64_t first = take(f, 100), again;

	dmamap_kept_put(&f->kept, f->space, first, 100);
	assert_false(kept_take(&f->kept, 100, first + 98, &again));
	assert_true(kept_take(&f->kept, 100, first + 99, &again));
	assert_true(dmamap_space_free(f->space, first, 100));
}

/** What is small, or not aligned to its size, goes back at once: the space would not have placed it there. */
static void small_and_odd_ones_go_back(void **state)
{
	struct fixture *f = *state;
	uint64_t small = take(f, 64), large = take(f, 512);

	dmamap_kept_put(&f->kept, f->space, small, 64);
	dmamap_kept_put(&f->kept, f->space, large + 100, 200);
	assert_int_equal(f->kept.granules, 0);
	assert_int_equal(dmamap_space_used(f->space), 312);
	dmamap_kept_put(&f->kept, f->space, large, 100);
	assert_true(dmamap_space_free(f->space, large + 300, 212));
}

/** There is room for a few; the oldest makes room. */
static void the_oldest_makes_room(void **state)
{
	struct fixture *f = *state;
	uint64_t first[KEPT_RANGES + 1], again = ANY;

	for (unsigned int i = 0; i <= KEPT_RANGES; i++)
		first[i] = take(f, 128 + i);
	for (unsigned int i = 0; i <= KEPT_RANGES; i++)
		dmamap_kept_put(&f->kept, f->space, first[i], 128 + i);
	assert_false(kept_take(&f->kept, 128, ANY, &again));
	assert_true(kept_take(&f->kept, 129, ANY, &again));
	dmamap_kept_put(&f->kept, f->space, again, 129);
	assert_int_equal(dmamap_space_used(f->space), f->kept.granules);
	assert_true(dmamap_kept_drain(&f->kept, f->space));
	assert_false(dmamap_kept_drain(&f->kept, f->space));
	assert_int_equal(dmamap_space_used(f->space), 0);
}

/** A range that comes back twice has one owner afterwards. */
static void twice_is_once(void **state)
{
	struct fixture *f = *state;
	uint64_t first = take(f, 256), again;

	dmamap_kept_put(&f->kept, f->space, first, 256);
	dmamap_kept_put(&f->kept, f->space, first, 256);
	dmamap_kept_put(&f->kept, f->space, first, 128);
	assert_int_equal(f->kept.granules, 256);
	assert_true(kept_take(&f->kept, 256, ANY, &again));
	assert_false(kept_take(&f->kept, 256, ANY, &again));
	assert_false(kept_take(&f->kept, 128, ANY, &again));
	assert_true(dmamap_space_free(f->space, first, 256));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_same_size_comes_again, start, finish),
		cmocka_unit_test_setup_teardown(limits_are_kept, start, finish),
		cmocka_unit_test_setup_teardown(small_and_odd_ones_go_back, start, finish),
		cmocka_unit_test_setup_teardown(the_oldest_makes_room, start, finish),
		cmocka_unit_test_setup_teardown(twice_is_once, start, finish),
	};

	return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
