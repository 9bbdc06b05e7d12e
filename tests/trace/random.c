/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random damage to whole traces: whatever the bytes are, reading ends, counts every line once, and does not depend on
 * where reads end. The seed is printed; DMAMAP_TEST_SEED=N repeats a run and DMAMAP_TEST_ROUNDS=N changes its length.
 */
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % below);
}

static uint64_t from_env(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

/* A dozen samples, in a buffer with room to grow. */
static size_t make_trace(char *text, size_t size)
{
	size_t n = (size_t)snprintf(text, size, "# tracer: nop\n");

	for (int i = 0; i < 12; i++)
		n += (size_t)snprintf(text + n, size - n, "%s\n",
				      samples[rnd((uint32_t)sample_count)].line);
	return n;
}

static const char *const scraps[] = {
	"\n",
	" ",
	"=",
	"{",
	"}",
	",",
	"0x",
	"/",
	":",
	"[",
	"]",
	"|",
	"\r",
	"attrs=",
	" route=",
	" reason=x",
	"IOMMU:",
	"ffffffffffffffff",
	"[TRUNCATED]",
	"FORCE",
	"18446744073709551615",
	"CPU:1 [LOST 9 EVENTS]\n",
	" - 0x",
};

static size_t insert(char *text, size_t n, const char *what)
{
	size_t len = strlen(what), at = rnd((uint32_t)n);

	memmove(text + at + len, text + at, n - at);
	for (size_t i = 0; i < len; i++)
		text[at + i] = what[i];
	return n + len;
}

static size_t mutate(char *text, size_t n)
{
	size_t at = rnd((uint32_t)n), len = rnd(40);

	switch (rnd(5)) {
	case 0:
		text[at] = (char)rnd(256);
		return n;
	case 1:
		text[at] = (char)(text[at] ^ 1 << rnd(8));
		return n;
	case 2:
		return insert(text, n, scraps[rnd(sizeof(scraps) / sizeof(scraps[0]))]);
	case 3:
		if (at + len >= n)
			return n;
		memmove(text + at, text + at + len, n - at - len);
		return n - len;
	default:
		return rnd(4) ? n : at + 1;
	}
}

static void test_random_damage(void **state)
{
	uint64_t rounds = from_env("DMAMAP_TEST_ROUNDS", 3000);
	char text[20000];
	struct dmt_stats whole, pieces;
	int result, other;

	(void)state;
	for (uint64_t i = 0; i < rounds; i++) {
		size_t n = make_trace(text, sizeof(text) - 1000);

		for (uint32_t k = rnd(12) + 1; k; k--)
			n = mutate(text, n);
		whole = read_all(text, n, 1u << 16, &result);
		pieces = read_all(text, n, 1 + rnd(200), &other);
		assert_int_equal(result, other);
		assert_memory_equal(&whole, &pieces, sizeof(whole));
	}
}

/* One wrong byte in a message: it reads as the same kind of event, or as none. */
static void test_one_byte(void **state)
{
	uint64_t rounds = from_env("DMAMAP_TEST_ROUNDS", 3000);
	char line[1024];
	struct one one;

	(void)state;
	for (uint64_t i = 0; i < rounds; i++) {
		const struct sample *sample = &samples[rnd((uint32_t)sample_count)];
		size_t len = strlen(sample->line), start = strcspn(sample->line, ":");
		size_t at = start + rnd((uint32_t)(len - start));

		memcpy(line, sample->line, len);
		line[at] = (char)rnd(256);
		read_one(&one, line, len);
		if (one.result == 1)
			assert_int_equal(one.event.type, sample->want.type);
		assert_int_equal(one.stats.lines, one.stats.events + one.stats.skipped_lines +
							  one.stats.other_lines);
		drop(&one);
	}
}

static int print_seed(void **state)
{
	(void)state;
	seed = from_env("DMAMAP_TEST_SEED", (uint64_t)time(NULL));
	printf("# DMAMAP_TEST_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	seed = seed * 2654435761u + 1;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_random_damage, print_seed),
		cmocka_unit_test_setup(test_one_byte, print_seed),
	};

	return cmocka_run_group_tests_name("trace-random", tests, NULL, NULL);
}
