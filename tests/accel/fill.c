/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernels with vector registers against a loop: the same entries, the same count, nothing beside, whatever the
 * offset, the length, and where the first entry that ends the work stands. Where the processor has none, there is nothing
 * to compare.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <dmamap/dmamap.h>

#include <cmocka.h>

#define ROOM 128u /* entries around and in what is written */

static size_t fill_slowly(uint64_t *entries, size_t n, uint64_t first, uint64_t step)
{
	size_t i;

	for (i = 0; i < n && !entries[i]; i++)
		entries[i] = first + i * step;
	return i;
}

static size_t clear_slowly(uint64_t *entries, size_t n)
{
	size_t i;

	for (i = 0; i < n && entries[i]; i++)
		entries[i] = 0;
	return i;
}

/** What stands beside: anything but what would end the work too soon. */
static void prepare(uint64_t *entries, uint64_t inside)
{
	for (unsigned int i = 0; i < ROOM; i++)
		entries[i] = inside;
}

static void check_fill(struct dma_host *host, size_t offset, size_t n, size_t taken)
{
	static const uint64_t steps[] = { 0, 4096, 1024, (uint64_t)1 << 30, (uint64_t)-4096 };
	_Alignas(64) uint64_t fast[ROOM], slow[ROOM];

	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		prepare(fast, 0);
		fast[offset + taken] = 7;
		memcpy(slow, fast, sizeof(slow));
		assert_int_equal(
			host->pte_fill(host, fast + offset, n, 0x8000000012345003, steps[s]),
			fill_slowly(slow + offset, n, 0x8000000012345003, steps[s]));
		assert_memory_equal(fast, slow, sizeof(slow));
	}
}

static void check_clear(struct dma_host *host, size_t offset, size_t n, size_t free)
{
	_Alignas(64) uint64_t fast[ROOM], slow[ROOM];

	prepare(fast, 1);
	fast[offset + free] = 0;
	memcpy(slow, fast, sizeof(slow));
	assert_int_equal(host->pte_clear(host, fast + offset, n), clear_slowly(slow + offset, n));
	assert_memory_equal(fast, slow, sizeof(slow));
}

static void kernels_write_what_a_loop_writes(void **state)
{
	struct dma_host host = { .size = sizeof(host) };

	(void)state;
	if (!dma_accel_init(&host)) {
		assert_null(host.pte_fill);
		assert_null(host.pte_clear);
		return;
	}
	for (size_t offset = 0; offset < 8; offset++) {
		for (size_t n = 0; n <= 100; n++) {
			/* The entry that ends it: each inside, and one behind. */
			for (size_t end = 0; end <= n; end++) {
				check_fill(&host, offset, n, end);
				check_clear(&host, offset, n, end);
			}
		}
	}
}

static size_t own_fill(struct dma_host *host, uint64_t *entries, size_t n, uint64_t first,
		       uint64_t step)
{
	(void)host;
	return fill_slowly(entries, n, first, step);
}

static size_t own_clear(struct dma_host *host, uint64_t *entries, size_t n)
{
	(void)host;
	return clear_slowly(entries, n);
}

static void hooks_that_are_set_stay(void **state)
{
	struct dma_host host = { .size = sizeof(host),
				 .pte_fill = own_fill,
				 .pte_clear = own_clear };

	(void)state;
	assert_false(dma_accel_init(&host));
	assert_true(host.pte_fill == own_fill);
	assert_true(host.pte_clear == own_clear);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_write_what_a_loop_writes),
		cmocka_unit_test(hooks_that_are_set_stay),
	};

	return cmocka_run_group_tests_name("accel-fill", tests, NULL, NULL);
}
