/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a hostile device finds in a pool that it may read as a whole, on the simulated machine: in a restricted pool
 * nothing but what is mapped at that moment; in a shared one also what the others left, which this test states. And
 * coherent memory from a restricted pool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dmamap/dmamap.h>

#include "hosts/sim/sim.h"

#define MB     UINT64_C(0x100000)
#define PAGE   4096u
#define SLOT   2048u
#define RAM    UINT64_C(0x10000000)
#define POOL   UINT64_C(0x18000000)
#define BYTES  (512 * SLOT)
#define SECRET 0x5e

struct world {
	struct sim_machine *machine;
	struct sim_device *sim;
	struct dma_device *dev;
	struct dma_bounce *pool;
	phys_addr_t buf;
	unsigned char seen[BYTES];
};

/* A machine of 256 MiB whose device may be non-coherent, with a pool at POOL that held secrets before. */
static struct world *world_new(uint32_t flags, bool noncoherent)
{
	const struct sim_config config = { .size = sizeof(config), .noncoherent = noncoherent };
	const struct sim_device_config device = { .size = sizeof(device), .name = "spy" };
	const struct dma_bounce_config pool = {
		.size = sizeof(pool),
		.bytes = BYTES,
		.segment_slots = 128,
		.base = POOL,
		.flags = flags,
	};
	struct world *w = calloc(1, sizeof(*w));
	phys_addr_t reserved;

	assert_non_null(w);
	assert_int_equal(sim_machine_create(&config, &w->machine), 0);
	assert_int_equal(sim_add_ram(w->machine, RAM, 256 * MB), 0);
	assert_int_equal(sim_start(w->machine), 0);
	reserved = sim_alloc(w->machine, BYTES, PAGE, POOL, POOL + BYTES - 1);
	assert_int_equal(reserved, POOL);
	memset(w->seen, SECRET, BYTES);
	assert_int_equal(sim_cpu_write(w->machine, POOL, w->seen, BYTES), 0);
	assert_int_equal(dma_bounce_create(sim_host(w->machine), &pool, &w->pool), 0);
	assert_int_equal(sim_device_create(w->machine, &device, &w->sim), 0);
	w->dev = sim_dma(w->sim);
	assert_int_equal(dma_set_mask_and_coherent(w->dev, DMA_BIT_MASK(64)), 0);
	assert_int_equal(dma_device_set_bounce(w->dev, w->pool), 0);
	w->buf = sim_alloc(w->machine, MB, PAGE, 0, ~UINT64_C(0));
	assert_true(w->buf != DMAMAP_PHYS_NONE);
	return w;
}

static void world_free(struct world *w)
{
	assert_int_equal(sim_device_destroy(w->sim), 0);
	assert_int_equal(dma_bounce_destroy(w->pool), 0);
	sim_free(w->machine, w->buf, MB);
	sim_free(w->machine, POOL, BYTES);
	assert_int_equal(sim_machine_destroy(w->machine), 0);
	free(w);
}

static void fill(struct world *w, phys_addr_t phys, uint64_t size, unsigned char with)
{
	unsigned char bytes[PAGE];

	memset(bytes, with, sizeof(bytes));
	for (uint64_t done = 0; done < size; done += PAGE)
		assert_int_equal(sim_cpu_write(w->machine, phys + done, bytes,
					       size - done < PAGE ? size - done : PAGE),
				 0);
}

/* Bytes in the whole pool, read by the device, that are not 0 outside of [except, except + len). */
static unsigned int spy(struct world *w, dma_addr_t except, uint64_t len)
{
	unsigned int found = 0;

	memset(w->seen, 0, BYTES);
	assert_int_equal(sim_dma_read(w->sim, POOL, w->seen, BYTES, NULL), 0);
	for (uint64_t i = 0; i < BYTES; i++)
		found += w->seen[i] && POOL + i - except >= len;
	return found;
}

/* One mapping of 100 bytes amid secrets, before, while and after it lives; what of it is found at the end. */
static unsigned int one_life(struct world *w, enum dma_data_direction dir, unsigned long attrs)
{
	dma_addr_t a;

	fill(w, w->buf, PAGE, SECRET);
	assert_int_equal(spy(w, 0, 0), 0);
	a = dma_map_phys(w->dev, w->buf + 0x123, 100, dir, 0);
	assert_true(a != DMA_MAPPING_ERROR);
	assert_true(a - POOL < BYTES);
	assert_int_equal(spy(w, a, 100), 0);
	assert_int_equal(w->seen[a - POOL], SECRET);
	assert_int_equal(w->seen[a - POOL + 99], SECRET);
	dma_unmap_phys(w->dev, a, 100, dir, attrs);
	return spy(w, 0, 0);
}

static void SWT_42_a_restricted_pool_shows_nothing_else(void **state)
{
	static const enum dma_data_direction dirs[] = { DMA_BIDIRECTIONAL, DMA_TO_DEVICE,
							DMA_FROM_DEVICE };

	(void)state;
	for (int noncoherent = 0; noncoherent < 2; noncoherent++) {
		struct world *w = world_new(DMA_BOUNCE_RESTRICTED, noncoherent);

		for (int i = 0; i < 6; i++)
			assert_int_equal(
				one_life(w, dirs[i / 2], i % 2 ? DMA_ATTR_SKIP_CPU_SYNC : 0), 0);
		world_free(w);
	}
}

static void padding_shows_nothing_either(void **state)
{
	struct world *w = world_new(DMA_BOUNCE_RESTRICTED, false);
	struct dma_parms parms = { .min_align_mask = 0xfff };
	dma_addr_t a;
	dma_addr_t b;

	(void)state;
	dma_device_set_parms(w->dev, &parms);
	fill(w, w->buf, 16 * PAGE, SECRET);
	/* Whole slots of somebody else, then a small one at the end of a page: three slots, most of them padding. */
	a = dma_map_phys(w->dev, w->buf, 8 * PAGE, DMA_TO_DEVICE, 0);
	assert_true(a != DMA_MAPPING_ERROR);
	dma_unmap_phys(w->dev, a, 8 * PAGE, DMA_TO_DEVICE, 0);
	b = dma_map_phys(w->dev, w->buf + 0xf00, 0x200, DMA_TO_DEVICE, 0);
	assert_true(b - a < 8 * PAGE);
	assert_int_equal(spy(w, b, 0x200), 0);
	dma_unmap_phys(w->dev, b, 0x200, DMA_TO_DEVICE, 0);
	assert_int_equal(spy(w, 0, 0), 0);
	world_free(w);
}

static void other_memory_is_never_shown(void **state)
{
	struct world *w = world_new(DMA_BOUNCE_RESTRICTED, false);
	unsigned char got[16];
	struct dma_error why;
	dma_addr_t a;

	(void)state;
	/* However it is mapped, the address is in the pool, and MMIO is refused. */
	for (unsigned int size = 1; size < 70000; size = size * 3 + 1) {
		a = dma_map_phys(w->dev, w->buf + size % 7, size, DMA_TO_DEVICE, 0);
		assert_true(a - POOL < BYTES);
		dma_unmap_phys(w->dev, a, size, DMA_TO_DEVICE, 0);
	}
	assert_true(dma_map_phys(w->dev, w->buf, 64, DMA_TO_DEVICE, DMA_ATTR_MMIO) ==
		    DMA_MAPPING_ERROR);
	assert_int_equal(dma_last_error(w->dev, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_MMIO_CANNOT_BOUNCE);
	/* A full pool refuses; it does not fall back. */
	for (int i = 0; i < 4; i++)
		assert_true(dma_map_phys(w->dev, w->buf, 262144, DMA_TO_DEVICE, 0) !=
			    DMA_MAPPING_ERROR);
	assert_true(dma_map_phys(w->dev, w->buf, 1, DMA_TO_DEVICE, 0) == DMA_MAPPING_ERROR);
	assert_int_equal(dma_last_error(w->dev, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_BOUNCE_EXHAUSTED);
	assert_null(dma_alloc_attrs(w->dev, PAGE, &a, DMAMAP_GFP_KERNEL, 0));
	assert_null(dma_alloc_attrs(w->dev, PAGE, &a, DMAMAP_GFP_ATOMIC, 0));
	for (int i = 0; i < 4; i++)
		dma_unmap_phys(w->dev, POOL + (unsigned int)i * 262144, 262144, DMA_TO_DEVICE, 0);
	(void)got;
	world_free(w);
}

/* This is what "shared" means: whoever reads the pool finds what the others had in it, until slots are used again. */
static void a_shared_pool_exposes_released_slots(void **state)
{
	struct world *w = world_new(0, false);
	dma_addr_t a;

	(void)state;
	assert_int_equal(dma_device_set_force_bounce(w->dev, true), 0);
	/* From before the pool was made: memory of the caller's is not cleared. */
	assert_int_equal(spy(w, 0, 0), BYTES);
	memset(w->seen, 0, BYTES);
	assert_int_equal(sim_cpu_write(w->machine, POOL, w->seen, BYTES), 0);
	assert_int_equal(one_life(w, DMA_TO_DEVICE, 0), 100);
	/* Even so a mapping copies in only its own bytes, and none of the pool's reaches a buffer. */
	a = dma_map_phys(w->dev, w->buf, 10, DMA_FROM_DEVICE, 0);
	dma_unmap_phys(w->dev, a, 10, DMA_FROM_DEVICE, 0);
	assert_int_equal(spy(w, 0, 0), 100);
	world_free(w);
}

/* --- coherent memory */

static void SWT_42_coherent_memory_comes_from_the_pool(void **state)
{
	(void)state;
	for (int noncoherent = 0; noncoherent < 2; noncoherent++) {
		struct world *w = world_new(DMA_BOUNCE_RESTRICTED, noncoherent);
		unsigned char got[8] = { 0 };
		struct dma_bounce_stats s;
		dma_addr_t small;
		dma_addr_t a;
		unsigned char *ptr;
		void *page;

		page = dma_alloc_attrs(w->dev, PAGE, &small, DMAMAP_GFP_KERNEL, 0);
		assert_non_null(page);
		ptr = dma_alloc_attrs(w->dev, 8192, &a, DMAMAP_GFP_KERNEL, 0);
		assert_non_null(ptr);
		assert_true(a - POOL < BYTES);
		assert_int_equal(a & 8191, 0);
		for (int i = 0; i < 8192; i++)
			assert_int_equal(ptr[i], 0);
		memset(ptr, 7, 8192);
		assert_int_equal(sim_dma_read(w->sim, a + 8184, got, 8, NULL), 0);
		assert_int_equal(got[7], 7);
		dma_bounce_get_stats(w->pool, &s);
		assert_int_equal(s.used_slots, 6);
		assert_int_equal(dma_device_live(w->dev), 2);
		dma_free_attrs(w->dev, 8192, ptr, a, 0);
		dma_free_attrs(w->dev, PAGE, page, small, 0);
		assert_int_equal(spy(w, 0, 0), 0);
		dma_bounce_get_stats(w->pool, &s);
		assert_int_equal(s.used_slots, 0);
		assert_int_equal(dma_device_live(w->dev), 0);
		world_free(w);
	}
}

static void coherent_memory_is_no_mapping(void **state)
{
	struct world *w = world_new(DMA_BOUNCE_RESTRICTED, false);
	struct dma_bounce_stats s;
	struct dma_error why;
	unsigned char *ptr;
	dma_addr_t a;
	dma_addr_t b;

	(void)state;
	ptr = dma_alloc_attrs(w->dev, PAGE, &a, DMAMAP_GFP_KERNEL, 0);
	assert_non_null(ptr);
	memset(ptr, 9, PAGE);
	b = dma_map_phys(w->dev, w->buf, PAGE, DMA_TO_DEVICE, 0);
	dma_sync_single_for_cpu(w->dev, a, 64, DMA_BIDIRECTIONAL);
	dma_unmap_phys(w->dev, a, PAGE, DMA_BIDIRECTIONAL, 0);
	assert_int_equal(dma_last_error(w->dev, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_NOT_BOUNCED);
	dma_free_attrs(w->dev, PAGE, sim_cpu_ptr(w->machine, b, PAGE), b, 0);
	dma_bounce_get_stats(w->pool, &s);
	assert_int_equal(s.used_slots, 4);
	assert_int_equal(ptr[PAGE - 1], 9);
	dma_unmap_phys(w->dev, b, PAGE, DMA_TO_DEVICE, 0);
	/* Nor is it freed with another size. */
	dma_free_attrs(w->dev, 2 * PAGE, ptr, a, 0);
	assert_int_equal(dma_last_error(w->dev, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_NOT_ALLOCATED);
	dma_bounce_get_stats(w->pool, &s);
	assert_int_equal(s.used_slots, 2);
	dma_free_attrs(w->dev, PAGE, ptr, a, 0);
	dma_bounce_get_stats(w->pool, &s);
	assert_int_equal(s.used_slots, 0);
	world_free(w);
}

static void SWT_43_what_is_no_usable_ram(void **state)
{
	struct world *w = world_new(DMA_BOUNCE_RESTRICTED, false);
	struct dma_bounce_config config = {
		.size = sizeof(config),
		.bytes = BYTES,
		.base = RAM + 255 * MB,
		.flags = DMA_BOUNCE_RESTRICTED,
	};
	struct dma_bounce *pool;

	(void)state;
	/* Half of it is a hole; all of it is a BAR. */
	config.bytes = 2 * MB;
	assert_int_equal(dma_bounce_create(sim_host(w->machine), &config, &pool), -DMAMAP_EINVAL);
	config.base = RAM + 512 * MB;
	assert_int_equal(dma_bounce_create(sim_host(w->machine), &config, &pool), -DMAMAP_EINVAL);
	world_free(w);
}

static void SWT_44_larger_than_a_segment(void **state)
{
	struct world *w = world_new(DMA_BOUNCE_RESTRICTED, false);
	struct dma_error why;
	dma_addr_t a;
	void *ptr;

	(void)state;
	ptr = dma_alloc_attrs(w->dev, 262144, &a, DMAMAP_GFP_KERNEL, 0);
	assert_non_null(ptr);
	dma_free_attrs(w->dev, 262144, ptr, a, 0);
	for (size_t size = 262145; size; size = size < 4 * MB ? size * 2 : 0) {
		assert_null(dma_alloc_attrs(w->dev, size, &a, DMAMAP_GFP_KERNEL, 0));
		assert_int_equal(dma_last_error(w->dev, &why), 0);
		assert_int_equal(why.reason, DMA_REASON_BOUNCE_TOO_LARGE);
		assert_int_equal(why.have, 262144);
	}
	world_free(w);
}

static void SWT_42_out_of_coherent_reach(void **state)
{
	struct world *w = world_new(DMA_BOUNCE_RESTRICTED, false);
	struct dma_error why;
	dma_addr_t a;

	(void)state;
	/* RAM would be within the limit; the pool is not. */
	assert_int_equal(dma_device_set_bus_limit(w->dev, POOL - 1), 0);
	assert_null(dma_alloc_attrs(w->dev, PAGE, &a, DMAMAP_GFP_KERNEL, 0));
	assert_int_equal(dma_last_error(w->dev, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_BOUNCE_UNREACHABLE);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(SWT_42_a_restricted_pool_shows_nothing_else),
		cmocka_unit_test(padding_shows_nothing_either),
		cmocka_unit_test(other_memory_is_never_shown),
		cmocka_unit_test(a_shared_pool_exposes_released_slots),
		cmocka_unit_test(SWT_42_coherent_memory_comes_from_the_pool),
		cmocka_unit_test(coherent_memory_is_no_mapping),
		cmocka_unit_test(SWT_43_what_is_no_usable_ram),
		cmocka_unit_test(SWT_44_larger_than_a_segment),
		cmocka_unit_test(SWT_42_out_of_coherent_reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
