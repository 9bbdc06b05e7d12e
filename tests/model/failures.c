/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same steps as differential.c, a few of them, over and over: each request for memory that they make fails once. At
 * most one call fails for it, with the reason; library and model agree all the same, and at the end nothing is left.
 *
 * DMAMAP_TEST_SEED repeats a run, DMAMAP_TEST_STEPS makes it longer.
 */
#include "world.h"

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

/** With the @n-th request failing; false: there are fewer. */
static bool fails_at(const struct setup *setup, uint64_t seed, uint64_t steps, uint64_t n)
{
	struct world *w = make_world(setup, seed);
	bool came;

	w->failing = true;
	sim_fail_alloc(w->machine, n);
	for (uint64_t i = 0; i < steps; i++)
		step(w);
	came = sim_fail_alloc(w->machine, 0) == 0;
	assert_true(came || !w->misses);
	end_world(w);
	return came;
}

static void each_allocation_fails(void **state)
{
	const struct setup *setup = *state;
	uint64_t seed = setting("DMAMAP_TEST_SEED", 1);
	uint64_t steps = setting("DMAMAP_TEST_STEPS", 150);
	uint64_t n = 1;

	while (fails_at(setup, seed, steps, n))
		n++;
	print_message("# %s: DMAMAP_TEST_SEED=%llu, %llu requests\n", setup->name,
		      (unsigned long long)seed, (unsigned long long)n - 1);
	assert_true(n > 1);
}

int main(void)
{
	struct CMUnitTest *tests = calloc(nr_setups, sizeof(*tests));
	int failed;

	for (size_t i = 0; i < nr_setups; i++)
		tests[i] = (struct CMUnitTest){ setups[i].name, each_allocation_fails, NULL, NULL,
						(void *)(uintptr_t)&setups[i] };
	failed = _cmocka_run_group_tests("each allocation fails in turn", tests, nr_setups, NULL,
					 NULL);
	free(tests);
	return failed;
}
