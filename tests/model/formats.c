/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Library and model, as in differential.c, behind every IOMMU that the simulated machine has: strict and lazy, with walks
 * and devices that do not see the CPU's caches, and with an untrusted device.
 *
 * DMAMAP_TEST_SEED repeats a run, DMAMAP_TEST_STEPS makes it longer.
 */
#include "formats.h"

#include "world.h"

static const char *const kinds[] = { "strict", "lazy", "adversarial", "untrusted" };

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct case_of {
	struct setup setup;
	char name[64];
};

static void make_case(struct case_of *c, const struct test_format *format, unsigned int kind)
{
	bool command = format->iommu.command;

	snprintf(c->name, sizeof(c->name), "%s-%s", format->name, kinds[kind]);
	c->setup = (struct setup){
		.name = c->name,
		.model = { .route = DMA_ROUTE_IOMMU,
			   .limit = format->last,
			   .granule = test_format_granule(format),
			   .reads_back = format->reads_back,
			   .private_copies = kind == 2,
			   .untrusted = kind == 3,
			   .protects = true,
			   .exact = kind != 1 || command },
		.mask = ~(uint64_t)0,
		.iommu = format->iommu,
		.lazy = kind == 1,
		.noncoherent = kind == 2,
		.adversarial = kind == 2,
	};
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static void agrees(void **state)
{
	const struct case_of *c = *state;
	uint64_t seed = setting("DMAMAP_TEST_SEED", 1);

	print_message("# %s: DMAMAP_TEST_SEED=%llu\n", c->name, (unsigned long long)seed);
	run_world(&c->setup, seed, setting("DMAMAP_TEST_STEPS", 3000));
}

int main(void)
{
	size_t n = NR_TEST_FORMATS * KINDS;
	struct CMUnitTest *tests = calloc(n, sizeof(*tests));
	struct case_of *cases = calloc(n, sizeof(*cases));
	int failed;

	for (size_t i = 0; i < n; i++) {
		make_case(&cases[i], &test_formats[i / KINDS], i % KINDS);
		tests[i] = (struct CMUnitTest){ cases[i].name, agrees, NULL, NULL, &cases[i] };
	}
	failed = _cmocka_run_group_tests("the library agrees with the model, in every format",
					 tests, n, NULL, NULL);
	free(cases);
	free(tests);
	return failed;
}
