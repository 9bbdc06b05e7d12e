/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of the simulated machine: regions, holes, and pages taken and given back. */
#include "machine.h"

#include <sys/mman.h>

static void regions_must_be_sane(void **state)
{
	struct sim_config config = { .size = sizeof(config) };
	struct sim_machine *m;

	(void)state;
	assert_int_equal(sim_machine_create(&config, &m), 0);
	assert_int_equal(sim_add_ram(m, 0x1000, 0), -DMAMAP_EINVAL);
	assert_int_equal(sim_add_ram(m, 0x1800, 0x1000), -DMAMAP_EINVAL);
	assert_int_equal(sim_add_ram(m, 0x1000, 0x1800), -DMAMAP_EINVAL);
	assert_int_equal(sim_add_ram(m, ~0ull - 0xfff, 0x2000), -DMAMAP_EINVAL);
	assert_int_equal(sim_add_ram(m, 0x4000, 0x4000), 0);
	assert_int_equal(sim_add_bar(m, 0x7000, 0x1000), -DMAMAP_EEXIST);
	assert_int_equal(sim_add_bar(m, 0x2000, 0x3000), -DMAMAP_EEXIST);
	assert_int_equal(sim_add_ram(m, 0x0000, 0x10000), -DMAMAP_EEXIST);
	assert_int_equal(sim_add_bar(m, 0x8000, 0x1000), 0);
	assert_int_equal(sim_add_ram(m, 0x2000, 0x2000), 0);
	assert_int_equal(sim_start(m), 0);
	end_machine(m);
	assert_int_equal(sim_machine_destroy(NULL), 0);
}

static void pointers_end_with_their_region(void **state)
{
	struct sim_machine *m = start_machine(false);
	unsigned char *ptr = sim_cpu_ptr(m, HIGH_BASE, HIGH_SIZE);
	unsigned char byte = 7;

	(void)state;
	assert_non_null(ptr);
	assert_null(sim_cpu_ptr(m, HIGH_BASE, HIGH_SIZE + 1));
	assert_null(sim_cpu_ptr(m, HIGH_BASE - 1, 2));
	assert_null(sim_cpu_ptr(m, HOLE, 1));
	assert_non_null(sim_cpu_ptr(m, BAR_BASE + BAR_SIZE - 1, 1));
	assert_int_equal(sim_cpu_write(m, HIGH_BASE + HIGH_SIZE - 1, &byte, 1), 0);
	assert_int_equal(ptr[HIGH_SIZE - 1], 7);
	assert_int_equal(sim_cpu_write(m, LOW_BASE + LOW_SIZE - 1, "ab", 2), -DMAMAP_EFAULT);
	assert_int_equal(sim_cpu_read(m, LOW_BASE + LOW_SIZE - 1, &byte, 1), 0);
	assert_int_equal(byte, 0); /* nothing was written before the hole */
	end_machine(m);
}

static void the_host_describes_it(void **state)
{
	struct sim_machine *m = start_machine(true);
	struct dma_host *host = sim_host(m);
	struct dma_memory ram;
	struct dma_memory bar;
	struct dma_memory hole;
	int local = 0;

	(void)state;
	host->describe(host, HIGH_BASE + 0x1234, 1, &ram);
	host->describe(host, BAR_BASE + 0x1234, 1, &bar);
	host->describe(host, HOLE, 1, &hole);
	assert_int_equal(ram.kind, DMA_MEMORY_RAM);
	assert_true(ram.len == HIGH_SIZE - 0x1234);
	assert_int_equal(bar.kind, DMA_MEMORY_MMIO);
	assert_true(bar.offset == 0x1234);
	assert_int_equal(hole.kind, DMA_MEMORY_HOLE);
	assert_true(hole.len == BAR_BASE - HOLE);
	assert_int_equal(host->pointer_kind(host, sim_cpu_ptr(m, LOW_BASE, 1)), DMA_POINTER_LINEAR);
	assert_int_equal(host->pointer_kind(host, sim_device_ptr(m, LOW_BASE, 1)),
			 DMA_POINTER_VMALLOC);
	assert_int_equal(host->pointer_kind(host, sim_cpu_ptr(m, BAR_BASE, 1)), DMA_POINTER_DEVICE);
	assert_int_equal(host->pointer_kind(host, &local), DMA_POINTER_INVALID);
	assert_true(host->virt_to_phys(host, sim_cpu_ptr(m, LOW_BASE + 5, 1)) == LOW_BASE + 5);
	assert_true(host->virt_to_phys(host, sim_device_ptr(m, LOW_BASE, 1)) == DMAMAP_PHYS_NONE);
	assert_true(host->virt_to_phys(host, sim_cpu_ptr(m, BAR_BASE, 1)) == DMAMAP_PHYS_NONE);
	assert_null(host->phys_to_virt(host, BAR_BASE));
	end_machine(m);
}

static void high_memory_goes_first(void **state)
{
	struct sim_machine *m = start_machine(false);
	phys_addr_t any = sim_alloc(m, 4096, 0, 0, ~0ull);
	phys_addr_t below_4g = sim_alloc(m, 4096, 0, 0, 0xffffffff);
	phys_addr_t below_16m = sim_alloc(m, 4096, 0, 0, 0xffffff);
	phys_addr_t piece = sim_alloc_mmio(m, 0x3000, 0, ~0ull);

	(void)state;
	assert_true(any >= HIGH_BASE);
	assert_true(below_4g >= 0x1000000 && below_4g < 0x100000000);
	assert_true(below_16m < 0x1000000);
	assert_true(piece >= BAR_BASE && piece < BAR_BASE + BAR_SIZE);
	assert_true(sim_alloc(m, 4096, 0, 0, LOW_BASE - 1) == DMAMAP_PHYS_NONE);
	assert_true(sim_alloc(m, 4096, 0, 0, LOW_BASE + 4094) == DMAMAP_PHYS_NONE);
	assert_true(sim_alloc(m, 4096, 0, 0x800000, 0x800fff) == 0x800000);
	assert_true(sim_alloc(m, 4096, 0, 0x800000, 0x800fff) == DMAMAP_PHYS_NONE);
	assert_true(sim_alloc(m, 8192, 0, 0x900001, 0x902fff) == 0x901000);
	assert_true(sim_alloc_mmio(m, BAR_SIZE, 0, ~0ull) == DMAMAP_PHYS_NONE);
	sim_free_mmio(m, piece, 0x3000);
	assert_true(sim_alloc_mmio(m, BAR_SIZE, 0, ~0ull) == BAR_BASE);
	end_machine(m);
}

static void impossible_requests_fail(void **state)
{
	struct sim_machine *m = start_machine(false);
	static const uint64_t sizes[] = { 0, 1ull << 40, 1ull << 62, 1ull << 63, ~0ull };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_true(sim_alloc(m, sizes[i], 4096, 0, ~0ull) == DMAMAP_PHYS_NONE);
		assert_true(sim_alloc_mmio(m, sizes[i], 0, ~0ull) == DMAMAP_PHYS_NONE);
	}
	assert_true(sim_alloc(m, 4096, 3 * 4096, 0, ~0ull) == DMAMAP_PHYS_NONE);
	assert_true(sim_alloc(m, 4096, 1ull << 63, 0, ~0ull) == DMAMAP_PHYS_NONE);
	assert_true(sim_alloc(m, 4096, 1ull << 40, 1, ~0ull) == DMAMAP_PHYS_NONE);
	assert_true(sim_alloc(m, 4096, 1ull << 34, 0, ~0ull) % (1ull << 34) == 0);
	assert_true(sim_memory_used(m) == 4096);
	end_machine(m);
}

/** Nothing is given back twice, or by halves of others. */
static void wrong_frees_are_reported(void **state)
{
	struct sim_machine *m = start_machine(false);
	phys_addr_t phys = sim_alloc(m, 0x5000, 0, 0, ~0ull);
	struct sim_counters counters;

	(void)state;
	sim_free(m, phys, 0x6000);
	sim_free(m, HOLE, 0x1000);
	sim_free(m, BAR_BASE, 0x1000);
	sim_free_mmio(m, phys, 0x5000);
	assert_true(sim_memory_used(m) == 0x5000);
	sim_free(m, phys, 0x5000);
	sim_free(m, phys, 0x5000);
	assert_true(sim_memory_used(m) == 0);
	sim_get_counters(m, &counters);
	assert_true(counters.warnings == 5);
	assert_non_null(strstr(sim_last_message(m), "not taken"));
	end_machine(m);
}

static void allocations_fail_on_demand(void **state)
{
	struct sim_machine *m = start_machine(false);

	(void)state;
	sim_fail_alloc(m, 2);
	assert_true(sim_alloc(m, 4096, 0, 0, ~0ull) != DMAMAP_PHYS_NONE);
	assert_true(sim_alloc(m, 4096, 0, 0, ~0ull) == DMAMAP_PHYS_NONE);
	assert_true(sim_alloc(m, 4096, 0, 0, ~0ull) != DMAMAP_PHYS_NONE);
	sim_fail_alloc(m, 1);
	sim_fail_alloc(m, 0);
	assert_true(sim_alloc(m, 4096, 0, 0, ~0ull) != DMAMAP_PHYS_NONE);
	assert_true(sim_memory_peak(m) == 3 * 4096);
	end_machine(m);
}

/* --- random */

#define SLOTS  700
#define ROUNDS 200000

struct piece {
	phys_addr_t phys;
	uint64_t size;
};

/** Marks its first and last bytes, so that pieces that overlap spoil each other. */
static void mark(struct sim_machine *m, const struct piece *p, uint64_t value)
{
	assert_int_equal(sim_cpu_write(m, p->phys, &value, 8), 0);
	assert_int_equal(sim_cpu_write(m, p->phys + p->size - 8, &value, 8), 0);
}

static void check(struct sim_machine *m, const struct piece *p, uint64_t value)
{
	uint64_t first;
	uint64_t last;

	assert_int_equal(sim_cpu_read(m, p->phys, &first, 8), 0);
	assert_int_equal(sim_cpu_read(m, p->phys + p->size - 8, &last, 8), 0);
	assert_true(first == value && last == value);
}

static bool take_random(struct sim_machine *m, uint64_t *random, struct piece *p)
{
	static const uint64_t limits[] = { ~0ull,    ~0ull,	 ~0ull,	     0xffffffff,
					   0xffffff, 0x3fffffff, 0x00ffc123, 0x123456fff };
	uint64_t ceiling = limits[next_random(random) % 8];
	uint64_t floor = next_random(random) % 4 ? 0 : 0x1000000;
	uint64_t align = 4096ull << (next_random(random) % 8 ? 0 : next_random(random) % 10);
	uint64_t pages = 1 + next_random(random) % 16;

	if (next_random(random) % 16 == 0)
		pages = 1 + next_random(random) % 700;
	p->size = pages * 4096;
	p->phys = sim_alloc(m, p->size, align, floor, ceiling);
	if (p->phys == DMAMAP_PHYS_NONE)
		return false;
	assert_true(p->phys % align == 0);
	assert_true(p->phys >= floor && p->phys + p->size - 1 <= ceiling);
	return true;
}

/** Sorted by address, no two pieces touch the same byte. */
static int by_address(const void *a, const void *b)
{
	phys_addr_t x = ((const struct piece *)a)->phys;
	phys_addr_t y = ((const struct piece *)b)->phys;

	return x < y ? -1 : x > y;
}

static void no_overlap(const struct piece *pieces)
{
	struct piece *sorted = malloc(SLOTS * sizeof(*sorted));
	phys_addr_t end = 0;

	assert_non_null(sorted);
	memcpy(sorted, pieces, SLOTS * sizeof(*sorted));
	qsort(sorted, SLOTS, sizeof(*sorted), by_address);
	for (unsigned int i = 0; i < SLOTS; i++) {
		if (!sorted[i].size)
			continue;
		assert_true(sorted[i].phys >= end);
		end = sorted[i].phys + sorted[i].size;
	}
	free(sorted);
}

static void stress(bool noncoherent)
{
	struct sim_machine *m = start_machine(noncoherent);
	struct piece *pieces = calloc(SLOTS, sizeof(*pieces));
	uint64_t random = test_seed();
	uint64_t used = 0;

	assert_non_null(pieces);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		unsigned int k = (unsigned int)(next_random(&random) % SLOTS);
		struct piece *p = &pieces[k];

		if (p->size) {
			check(m, p, p->phys ^ k);
			sim_free(m, p->phys, p->size);
			used -= p->size;
			p->size = 0;
		} else if (take_random(m, &random, p)) {
			mark(m, p, p->phys ^ k);
			used += p->size;
		} else {
			p->size = 0;
		}
		assert_true(sim_memory_used(m) == used);
		if (i % 10000 == 0)
			no_overlap(pieces);
	}
	for (unsigned int k = 0; k < SLOTS; k++)
		if (pieces[k].size)
			sim_free(m, pieces[k].phys, pieces[k].size);
	assert_true(sim_memory_used(m) == 0);
	/* All is joined again: the largest pieces there ever were can be had. */
	assert_true(sim_alloc(m, 32ull << 30, 4096, 0, ~0ull) == 32ull << 30);
	assert_true(sim_alloc(m, 512 << 20, 4096, 0, 0xffffffff) == 512 << 20);
	assert_true(sim_alloc(m, 8 << 20, 4096, 0, 0xffffff) == 8 << 20);
	free(pieces);
	end_machine(m);
}

static void random_pages(void **state)
{
	(void)state;
	stress(false);
}

static void random_pages_two_views(void **state)
{
	(void)state;
	stress(true);
}

/** Pages of the region that are in the process's memory. */
static uint64_t resident(struct sim_machine *m, phys_addr_t base, uint64_t size)
{
	unsigned char *present = malloc(size / 4096);
	uint64_t n = 0;

	assert_non_null(present);
	assert_int_equal(mincore(sim_cpu_ptr(m, base, size), size, present), 0);
	for (uint64_t i = 0; i < size / 4096; i++)
		n += present[i] & 1;
	free(present);
	return n;
}

/** Long runs of mixed sizes touch few more pages than ever live at once. */
static void memory_stays_bounded(void **state)
{
	struct sim_machine *m = start_machine(false);
	struct piece pieces[64] = { { 0, 0 } };
	uint64_t random = test_seed();
	uint64_t pages;

	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		struct piece *p = &pieces[next_random(&random) % 64];

		if (p->size) {
			sim_free(m, p->phys, p->size);
			p->size = 0;
			continue;
		}
		p->size = (1 + next_random(&random) % 40) * 4096;
		p->phys = sim_alloc(m, p->size, 4096, 0, ~0ull);
		cpu_fill(m, p->phys, p->size, 1);
	}
	pages = resident(m, HIGH_BASE + (60ull << 30), 4ull << 30) +
		resident(m, HIGH_BASE + (28ull << 30), 4ull << 30);
	assert_true(pages * 4096 <= 4 * sim_memory_peak(m));
	end_machine(m);
}

static void large_pieces_go_back(void **state)
{
	struct sim_machine *m = start_machine(false);
	phys_addr_t phys = sim_alloc(m, 64 << 20, 4096, 0, ~0ull);

	(void)state;
	cpu_fill(m, phys, 64 << 20, 1);
	assert_true(resident(m, phys, 64 << 20) == (64 << 20) / 4096);
	sim_free(m, phys, 64 << 20);
	assert_true(resident(m, phys, 64 << 20) == 0);
	end_machine(m);
}

/** A machine with larger pages hands out nothing else, aligned for both sides. */
static void larger_pages(void **state)
{
	static const uint64_t good[] = { 0, 4096, 16384, 65536 };
	static const uint64_t bad[] = { 1, 2048, 8192, 32768, 131072, 65537 };
	struct sim_config config = { .size = sizeof(config) };
	struct sim_machine *m;

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		config.page_size = bad[i];
		assert_int_equal(sim_machine_create(&config, &m), -DMAMAP_EINVAL);
	}
	for (unsigned int i = 0; i < 8; i++) {
		uint64_t page = good[i / 2] ? good[i / 2] : 4096;
		phys_addr_t one, two;

		config.page_size = good[i / 2];
		config.noncoherent = i % 2;
		assert_int_equal(sim_machine_create(&config, &m), 0);
		assert_int_equal(sim_host(m)->page_size, page);
		if (page > 4096)
			assert_int_equal(sim_add_ram(m, 4096, 16 * page), -DMAMAP_EINVAL);
		assert_int_equal(sim_add_ram(m, page, 0 - 2 * page), -DMAMAP_ENOMEM);
		assert_int_equal(sim_add_ram(m, 3 * page, 64 * page), 0);
		assert_int_equal(sim_start(m), 0);
		one = sim_alloc(m, 1, 1, 0, ~0ull);
		two = sim_alloc(m, page + 1, 4096, 0, ~0ull);
		assert_true(one % page == 0 && two % page == 0);
		assert_true((uintptr_t)sim_cpu_ptr(m, one, 1) % page == 0);
		assert_true((uintptr_t)sim_device_ptr(m, two, 1) % page == 0);
		assert_int_equal(sim_memory_used(m), 3 * page);
		sim_free(m, one, 1);
		sim_free(m, two, page + 1);
		end_machine(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(larger_pages),
		cmocka_unit_test(regions_must_be_sane),
		cmocka_unit_test(pointers_end_with_their_region),
		cmocka_unit_test(the_host_describes_it),
		cmocka_unit_test(high_memory_goes_first),
		cmocka_unit_test(impossible_requests_fail),
		cmocka_unit_test(wrong_frees_are_reported),
		cmocka_unit_test(allocations_fail_on_demand),
		cmocka_unit_test(random_pages),
		cmocka_unit_test(random_pages_two_views),
		cmocka_unit_test(memory_stays_bounded),
		cmocka_unit_test(large_pieces_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
