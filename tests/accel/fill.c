/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernels with vector registers against a loop: the same entries, the same count, nothing beside, whatever the
 * offset, the length, and where the first entry that ends a scan stands. Where the processor has none, there is nothing
 * to compare.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <dmamap/dmamap.h>

#include <cmocka.h>

#define ROOM 192u /* entries around and in what is written */

static void write_slowly(uint64_t *entries, size_t n, uint64_t first, uint64_t step)
{
	for (size_t i = 0; i < n; i++)
		entries[i] = first + i * step;
}

static size_t scan_slowly(const uint64_t *entries, size_t n, bool used)
{
	size_t i;

	for (i = 0; i < n && (entries[i] != 0) == used; i++)
		;
	return i;
}

/** Whatever was there before. */
static void check_write(struct dma_host *host, size_t offset, size_t n)
{
	static const uint64_t steps[] = { 0, 4096, 1024, (uint64_t)1 << 30, (uint64_t)-4096 };
	_Alignas(64) uint64_t fast[ROOM], slow[ROOM];

	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		for (unsigned int i = 0; i < ROOM; i++)
			fast[i] = i % 3;
		memcpy(slow, fast, sizeof(slow));
		host->pte_write(host, fast + offset, n, 0x8000000012345003, steps[s]);
		write_slowly(slow + offset, n, 0x8000000012345003, steps[s]);
		assert_memory_equal(fast, slow, sizeof(slow));
		host->pte_write(host, fast + offset, n, 0, 0);
		memset(slow + offset, 0, n * sizeof(slow[0]));
		assert_memory_equal(fast, slow, sizeof(slow));
	}
}

/** The entry that ends it stands at @end: what is behind is as before, so that nothing else ends it. */
static void check_scan(struct dma_host *host, size_t offset, size_t n, size_t end)
{
	_Alignas(64) uint64_t entries[ROOM];

	for (unsigned int used = 0; used < 2; used++) {
		for (unsigned int i = 0; i < ROOM; i++)
			entries[i] = used ? (uint64_t)1 << i % 64 : 0;
		entries[offset + end] = used ? 0 : (uint64_t)1 << end % 64;
		assert_int_equal(host->pte_scan(host, entries + offset, n, used),
				 scan_slowly(entries + offset, n, used));
	}
}

static void kernels_do_what_a_loop_does(void **state)
{
	struct dma_host host = { .size = sizeof(host) };

	(void)state;
	if (!dma_accel_init(&host)) {
		assert_null(host.pte_write);
		assert_null(host.pte_scan);
		return;
	}
	for (size_t offset = 0; offset < 8; offset++) {
		for (size_t n = 0; n <= 150; n++) {
			check_write(&host, offset, n);
			/* The entry that ends it: each inside, and one behind. */
			for (size_t end = 0; end <= n; end++)
				check_scan(&host, offset, n, end);
		}
	}
}

static void own_write(struct dma_host *host, uint64_t *entries, size_t n, uint64_t first,
		      uint64_t step)
{
	(void)host;
	write_slowly(entries, n, first, step);
}

static size_t own_scan(struct dma_host *host, const uint64_t *entries, size_t n, bool used)
{
	(void)host;
	return scan_slowly(entries, n, used);
}

static void hooks_that_are_set_stay(void **state)
{
	struct dma_host host = { .size = sizeof(host),
				 .pte_write = own_write,
				 .pte_scan = own_scan };

	(void)state;
	assert_false(dma_accel_init(&host));
	assert_true(host.pte_write == own_write);
	assert_true(host.pte_scan == own_scan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_do_what_a_loop_does),
		cmocka_unit_test(hooks_that_are_set_stay),
	};

	return cmocka_run_group_tests_name("accel-fill", tests, NULL, NULL);
}
