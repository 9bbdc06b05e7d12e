/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neighbouring entries are what they should be, and nothing beside them changes; whether they go out two at a time or
 * one by one makes no difference in a single bit.
 */
#include "world.h"

#include "iommu/entries.h"
#include "one_by_one.h"

#define MOST  64u
#define ROOM  (MOST + 4)
#define TRIES 20000u

struct table {
	uint64_t two[ROOM];
	uint64_t one[ROOM];
	uint64_t want[ROOM];
};

static void fill(struct table *t, uint64_t *seed)
{
	for (unsigned int i = 0; i < ROOM; i++)
		t->want[i] = world_random(seed, ~(uint64_t)0);
	memcpy(t->two, t->want, sizeof(t->want));
	memcpy(t->one, t->want, sizeof(t->want));
}

static void check(const struct table *t)
{
	assert_memory_equal(t->two, t->want, sizeof(t->want));
	assert_memory_equal(t->one, t->want, sizeof(t->want));
}

static void runs(void **state)
{
	uint64_t seed = world_seed();
	struct table t;

	(void)state;
	for (unsigned int i = 0; i < TRIES; i++) {
		unsigned int n = (unsigned int)world_random(&seed, MOST + 1);
		unsigned int at = (unsigned int)world_random(&seed, ROOM - n + 1);
		uint64_t value = world_random(&seed, ~(uint64_t)0);
		uint64_t step = world_random(&seed, 2) ? 4096 : world_random(&seed, ~(uint64_t)0);
		bool clear = world_random(&seed, 2);

		fill(&t, &seed);
		for (unsigned int k = 0; k < n; k++)
			t.want[at + k] = clear ? 0 : value + k * step;
		if (clear) {
			entries_clear(t.two + at, n);
			one_by_one_clear(t.one + at, n);
		} else {
			entries_write(t.two + at, n, value, step);
			one_by_one_write(t.one + at, n, value, step);
		}
		check(&t);
	}
}

static void pairs(void **state)
{
	uint64_t seed = world_seed();
	struct table t;

	(void)state;
	for (unsigned int i = 0; i < TRIES; i++) {
		unsigned int at = (unsigned int)world_random(&seed, ROOM - 1);
		unsigned int shift = (unsigned int)world_random(&seed, 64);
		uint64_t base = world_random(&seed, ~(uint64_t)0);

		fill(&t, &seed);
		for (unsigned int k = at; k < at + 2; k++)
			t.want[k] = (t.want[k] << shift) + base;
		pair_store(&t.two[at],
			   pair_plus(pair_shifted(pair_of(t.two[at], t.two[at + 1]), shift), base));
		one_by_one_shift(&t.one[at], shift, base);
		check(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(runs), cmocka_unit_test(pairs) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
