/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations on the library and on the reference model, over every route: after each one both must agree, on
 * success and reason, on every byte the device moves, on every byte the CPU reads, on what a hostile device reaches,
 * and on the number of trace records. At the end nothing may be left.
 *
 * DMAMAP_TEST_SEED repeats a run, DMAMAP_TEST_STEPS makes it longer.
 */
#include "world.h"

static void step(struct world *w)
{
	static void (*const steps[])(struct world *) = {
		step_map,	  step_map,	     step_map,		step_map_sg,
		step_map_sg,	  step_vector,	     step_vector,	step_unmap,
		step_unmap,	  step_unmap,	     step_unmap,	step_unmap,
		step_sync,	  step_sync,	     step_cpu_write,	step_device_read,
		step_device_read, step_device_write, step_device_write, step_alloc,
		step_alloc,	  step_block,	     step_free,		step_free,
		step_free,	  step_memory_data,  step_memory_data,	step_memory_data,
		step_memory_sync, step_memory_sync,  step_nonsense,	step_hostile,
		step_hostile,	  step_time,	     step_acs,
	};

	steps[chance(w, sizeof(steps) / sizeof(steps[0]))](w);
	assert_int_equal(w->records, w->expected);
}

static void end_all(struct world *w)
{
	for (int i = 0; i < MODEL_MAPPINGS; i++)
		if (w->model.mapping[i].live)
			unmap(w, &w->model.mapping[i], false);
	for (int i = 0; i < MODEL_MEMORIES; i++)
		if (w->model.memory[i].live)
			free_memory(w, &w->model.memory[i]);
	compare_memory(w);
}

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
		struct world *w = make_world(setup, run);

		print_message("# %s: DMAMAP_TEST_SEED=%llu\n", setup->name,
			      (unsigned long long)run);
		for (uint64_t i = 0; i < steps; i++) {
			step(w);
			if (i % 256 == 0)
				compare_memory(w);
		}
		end_all(w);
		end_world(w);
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
