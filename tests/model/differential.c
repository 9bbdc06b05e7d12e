/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations on the library and on the reference model, over every route: after each one both must agree, on
 * success and reason, on every byte the device moves, on every byte the CPU reads, on what a hostile device reaches,
 * and on the number of trace records. At the end nothing may be left.
 *
 * DMAMAP_TEST_SEED repeats a run, DMAMAP_TEST_STEPS makes it longer.
 */
#include "world.h"

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static void agrees(void **state)
{
	const struct setup *setup = *state;
	uint64_t seed = setting("DMAMAP_TEST_SEED", 1);
	uint64_t steps = setting("DMAMAP_TEST_STEPS", 4000);

	for (uint64_t run = seed; run < seed + 3; run++) {
		print_message("# %s: DMAMAP_TEST_SEED=%llu\n", setup->name,
			      (unsigned long long)run);
		run_world(setup, run, steps);
	}
}

int main(void)
{
	struct CMUnitTest *tests = calloc(nr_setups, sizeof(*tests));
	int failed;

	for (size_t i = 0; i < nr_setups; i++)
		tests[i] = (struct CMUnitTest){ setups[i].name, agrees, NULL, NULL,
						(void *)(uintptr_t)&setups[i] };
	failed = _cmocka_run_group_tests("the library agrees with the model", tests, nr_setups,
					 NULL, NULL);
	free(tests);
	return failed;
}
