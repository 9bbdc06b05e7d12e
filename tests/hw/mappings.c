/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record of mappings, against a plain array.
 */
#include "board.h"

#include "hw/mappings.h"

#define SLOTS 64u
#define STEP  0x1000u

/** One byte for each page of the little address space: 0, or the number of the mapping there. */
static void expect_like(const struct hw_mappings *m, const unsigned int *model)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		const struct hw_mapping *x = dmamap_hw_mappings_next(m, (uint64_t)i * STEP);
		unsigned int next = i;

		while (next < SLOTS && !model[next])
			next++;
		if (next == SLOTS) {
			assert_null(x);
			continue;
		}
		assert_non_null(x);
		assert_int_equal(x->phys, model[next]);
		assert_true(x->first <= (uint64_t)next * STEP && x->last >= (uint64_t)next * STEP);
	}
}

static bool model_cut(const unsigned int *model, unsigned int first, unsigned int last)
{
	return (first && model[first] && model[first - 1] == model[first]) ||
	       (last + 1 < SLOTS && model[last] && model[last + 1] == model[last]);
}

static void random_adds_and_drops_agree_with_an_array(void **state)
{
	uint64_t seed = board_seed();
	unsigned int model[SLOTS] = { 0 };
	struct hw_mappings m;
	struct board board;

	(void)state;
	board_init(&board);
	dmamap_hw_mappings_init(&m, &board.host);
	for (unsigned int round = 1; round < 4000; round++) {
		unsigned int first = board_random(&seed) % SLOTS;
		unsigned int last = first + board_random(&seed) % (SLOTS - first);
		uint64_t from = (uint64_t)first * STEP;
		uint64_t to = (uint64_t)last * STEP + STEP - 1;
		bool used = false;

		if (board_random(&seed) % 2) {
			last = first + board_random(&seed) % 4;
			last = last < SLOTS ? last : SLOTS - 1;
			to = (uint64_t)last * STEP + STEP - 1;
			for (unsigned int i = first; i <= last; i++)
				used |= model[i] != 0;
			assert_int_equal(dmamap_hw_mappings_add(&m, from, to, round, 3),
					 used ? -DMAMAP_EADDRINUSE : 0);
			for (unsigned int i = first; !used && i <= last; i++)
				model[i] = round;
		} else {
			unsigned int end = first;

			assert_int_equal(dmamap_hw_mappings_cut(&m, from, to),
					 model_cut(model, first, last));
			if (model_cut(model, first, last))
				continue;
			while (end <= last && model[end])
				end++;
			assert_int_equal(dmamap_hw_mappings_drop(&m, from, to),
					 (uint64_t)(end - first) * STEP);
			for (unsigned int i = first; i <= last; i++)
				model[i] = 0;
		}
		expect_like(&m, model);
	}
	dmamap_hw_mappings_fini(&m);
	board_fini(&board);
}

static void the_last_address_is_an_address(void **state)
{
	struct hw_mappings m;
	struct board board;

	(void)state;
	board_init(&board);
	dmamap_hw_mappings_init(&m, &board.host);
	assert_int_equal(dmamap_hw_mappings_add(&m, ~(uint64_t)0xfff, ~(uint64_t)0, 1, 3), 0);
	assert_int_equal(dmamap_hw_mappings_add(&m, ~(uint64_t)0xfff, ~(uint64_t)0, 2, 3),
			 -DMAMAP_EADDRINUSE);
	assert_non_null(dmamap_hw_mappings_next(&m, ~(uint64_t)0));
	assert_true(dmamap_hw_mappings_cut(&m, 0, ~(uint64_t)1));
	assert_int_equal(dmamap_hw_mappings_drop(&m, ~(uint64_t)0xfff, ~(uint64_t)0), 0x1000);
	assert_null(dmamap_hw_mappings_next(&m, 0));
	dmamap_hw_mappings_fini(&m);
	board_fini(&board);
}

static void without_memory_nothing_is_entered(void **state)
{
	struct hw_mappings m;
	struct board board;

	(void)state;
	board_init(&board);
	dmamap_hw_mappings_init(&m, &board.host);
	board.fail_at = board.allocs + 1;
	assert_int_equal(dmamap_hw_mappings_add(&m, 0, 0xfff, 1, 3), -DMAMAP_ENOMEM);
	assert_null(dmamap_hw_mappings_next(&m, 0));
	dmamap_hw_mappings_fini(&m);
	board_fini(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_adds_and_drops_agree_with_an_array),
		cmocka_unit_test(the_last_address_is_an_address),
		cmocka_unit_test(without_memory_nothing_is_entered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
