/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory set aside: declared for one device (COH), and for callers that cannot block (ATM), case by case.
 */
#include "world.h"

#define POOL_PHYS   0x08000000ull
#define POOL_DEVICE 0x08000000ull

static uint64_t atomic_free(struct dma_atomic_pool *pool)
{
	struct dma_atomic_stats stats;

	dma_atomic_pool_get_stats(pool, &stats);
	return stats.bytes - stats.used_bytes;
}

/* --- declared memory */

/** A world whose device has @pages pages of its own. */
static void declare(struct world *w, enum world_kind kind, uint64_t pages)
{
	world_begin(w, kind);
	assert_true(sim_alloc(w->m, pages * 4096, 4096, POOL_PHYS, POOL_PHYS + pages * 4096 - 1) ==
		    POOL_PHYS);
	assert_int_equal(dma_declare_coherent_memory(w->dev, POOL_PHYS, POOL_DEVICE, pages * 4096),
			 0);
}

static void undeclare(struct world *w, uint64_t pages)
{
	sim_free(w->m, POOL_PHYS, pages * 4096);
	world_end(w);
}

static unsigned char *take(struct world *w, uint64_t pages, uint64_t expected)
{
	dma_addr_t handle;
	unsigned char *mem = dma_alloc_coherent(w->dev, pages * 4096 - 100, &handle, GFP_KERNEL);

	assert_non_null(mem);
	assert_int_equal((handle - POOL_DEVICE) / 4096, expected);
	assert_true(is_zero(mem, pages * 4096));
	memset(mem, 0xee, pages * 4096);
	return mem;
}

static void give(struct world *w, void *mem, uint64_t pages, uint64_t at)
{
	dma_free_coherent(w->dev, pages * 4096 - 100, mem, POOL_DEVICE + at * 4096);
}

static void COH_1_regions(void **state)
{
	struct world w;
	void *mem[3];

	(void)state;
	declare(&w, WORLD_DIRECT, 16);
	mem[0] = take(&w, 3, 0);
	mem[1] = take(&w, 1, 4);
	mem[2] = take(&w, 5, 8);
	assert_int_equal(dma_device_live(w.dev), 3);
	give(&w, mem[0], 3, 0);
	give(&w, mem[1], 1, 4);
	give(&w, mem[2], 5, 8);
	assert_int_equal(dma_device_live(w.dev), 0);
	undeclare(&w, 16);
}

static void COH_2_too_large(void **state)
{
	struct dma_error err;
	struct world w;
	dma_addr_t handle;
	uint64_t used;

	(void)state;
	declare(&w, WORLD_DIRECT, 16);
	used = sim_memory_used(w.m);
	assert_null(dma_alloc_coherent(w.dev, 17 * 4096, &handle, GFP_KERNEL));
	expect_reason(&w, DMA_REASON_DECLARED_EXHAUSTED);
	assert_int_equal(dma_last_error(w.dev, &err), 0);
	assert_int_equal(err.have, 16 * 4096);
	assert_int_equal(sim_memory_used(w.m), used);
	undeclare(&w, 16);
}

static void COH_3_refused(void **state)
{
	struct world w;

	(void)state;
	declare(&w, WORLD_DIRECT, 16);
	assert_int_equal(dma_declare_coherent_memory(w.dev, 0x9000000, 0x9000000, 4096),
			 -DMAMAP_EBUSY);
	expect_reason(&w, DMA_REASON_ALREADY_DECLARED);
	take(&w, 1, 0);
	assert_int_equal(dma_release_coherent_memory(w.dev), -DMAMAP_EBUSY);
	expect_reason(&w, DMA_REASON_LIVE_MAPPINGS);
	assert_int_equal(sim_device_destroy(w.device), -DMAMAP_EBUSY);
	give(&w, sim_cpu_ptr(w.m, POOL_PHYS, 1), 1, 0);
	assert_int_equal(dma_release_coherent_memory(w.dev), 0);
	assert_int_equal(dma_release_coherent_memory(w.dev), 0);
	assert_int_equal(dma_declare_coherent_memory(w.dev, 0x9000000, 0x9000000, 0),
			 -DMAMAP_EINVAL);
	assert_int_equal(dma_declare_coherent_memory(w.dev, 0x9000800, 0x9000000, 4096),
			 -DMAMAP_EINVAL);
	assert_int_equal(dma_declare_coherent_memory(w.dev, ~0xfffull, 0, 8192), -DMAMAP_EINVAL);
	expect_reason(&w, DMA_REASON_ADDRESS_WRAP);
	assert_int_equal(dma_declare_coherent_memory(w.dev, GIB(64), 0, 4096), -DMAMAP_EINVAL);
	expect_reason(&w, DMA_REASON_NOT_KMAPPABLE);
	assert_int_equal(dma_declare_coherent_memory(NULL, 0, 0, 4096), -DMAMAP_ENODEV);
	undeclare(&w, 16);
}

static void COH_4_free(void **state)
{
	struct dma_declared_stats stats;
	struct world w;
	void *mem;

	(void)state;
	declare(&w, WORLD_DIRECT, 16);
	mem = take(&w, 3, 0);
	dma_declared_get_stats(w.dev, &stats);
	assert_int_equal(stats.used_bytes, 3 * 4096);
	assert_int_equal(stats.longest_run, 8 * 4096);
	give(&w, mem, 3, 0);
	dma_declared_get_stats(w.dev, &stats);
	assert_int_equal(stats.used_bytes, 0);
	assert_int_equal(stats.peak_bytes, 3 * 4096);
	assert_int_equal(stats.longest_run, 16 * 4096);
	give(&w, take(&w, 4, 0), 4, 0); /* the fourth page is as free as the others */
	give(&w, take(&w, 16, 0), 16, 0);
	undeclare(&w, 16);
}

/* P17: what regions of a power of two leave over is not lost. */
static void P17_nothing_is_wasted(void **state)
{
	struct dma_declared_stats stats;
	struct world w;
	void *mem[5];

	(void)state;
	declare(&w, WORLD_DIRECT, 16);
	mem[0] = take(&w, 5, 0);
	mem[1] = take(&w, 5, 8);
	mem[2] = take(&w, 2, 6); /* in the slack of the first */
	mem[3] = take(&w, 1, 5);
	give(&w, mem[0], 5, 0); /* the region is free, but for what others have in it */
	mem[4] = take(&w, 4, 0);
	give(&w, mem[1], 5, 8);
	give(&w, mem[2], 2, 6);
	give(&w, mem[3], 1, 5);
	give(&w, mem[4], 4, 0);
	dma_declared_get_stats(w.dev, &stats);
	assert_int_equal(stats.longest_run, 16 * 4096);
	undeclare(&w, 16);
}

/* C31: a reason of its own; a free that lies about size or address is told, and cannot hurt. */
static void C31_misuse_of_declared_memory(void **state)
{
	struct world w;
	unsigned char *mem;
	void *other;

	(void)state;
	declare(&w, WORLD_DIRECT, 4);
	mem = take(&w, 2, 0);
	other = take(&w, 2, 2);
	dma_free_coherent(w.dev, 4096, mem + 4096, POOL_DEVICE + 4096);
	expect_reason(&w, DMA_REASON_NOT_ALLOCATED);
	dma_free_coherent(w.dev, 4096, mem, POOL_DEVICE);
	expect_reason(&w, DMA_REASON_NOT_ALLOCATED);
	dma_free_coherent(w.dev, 4096, mem, POOL_DEVICE);
	assert_int_equal(dma_device_live(w.dev), 1);
	w.warnings = 3;
	give(&w, other, 2, 2);
	give(&w, take(&w, 4, 0), 4, 0);
	undeclare(&w, 4);
}

static void declared_memory_and_the_device(void **state)
{
	(void)state;
	for (enum world_kind kind = WORLD_DIRECT; kind <= WORLD_DIRECT_NONCOHERENT; kind++) {
		unsigned char bytes[4096];
		unsigned char *mem;
		struct sg_table sgt;
		struct world w;

		declare(&w, kind, 8);
		mem = take(&w, 2, 0);
		fill(mem, 4096, 1);
		device_read(&w, POOL_DEVICE, bytes, 4096);
		assert_memory_equal(mem, bytes, 4096);
		fill(bytes, 4096, 2);
		device_write(&w, POOL_DEVICE, bytes, 4096);
		assert_memory_equal(mem, bytes, 4096);
		assert_int_equal(dma_get_sgtable(w.dev, &sgt, mem, POOL_DEVICE, 5000), 0);
		assert_int_equal(sg_phys(sgt.sgl), POOL_PHYS);
		sg_free_table(&sgt);
		give(&w, mem, 2, 0);
		undeclare(&w, 8);
	}
}

/* --- atomic pools */

/** A non-coherent world with a pool of @bytes; with @max never more than that. */
static struct dma_atomic_pool *reserve(struct world *w, enum world_kind kind, uint64_t bytes,
				       uint64_t max)
{
	struct dma_atomic_config config = { .size = sizeof(config),
					    .bytes = bytes,
					    .max_bytes = max };
	struct dma_atomic_pool *pool;

	world_begin(w, kind);
	assert_int_equal(dma_atomic_pool_create(sim_host(w->m), &config, &pool), 0);
	return pool;
}

static void ATM_1_default_size(void **state)
{
	struct dma_atomic_config config = { .size = sizeof(config) };
	struct sim_config machine = { .size = sizeof(machine), .noncoherent = true };
	struct dma_atomic_pool *pool;
	struct dma_atomic_stats stats;
	struct sim_machine *m;

	(void)state;
	assert_int_equal(sim_machine_create(&machine, &m), 0);
	assert_int_equal(sim_add_ram(m, 0, GIB(4)), 0);
	assert_int_equal(sim_start(m), 0);
	assert_int_equal(dma_atomic_pool_create(sim_host(m), &config, &pool), 0);
	dma_atomic_pool_get_stats(pool, &stats);
	assert_int_equal(stats.bytes, KIB(512));
	assert_int_equal(sim_machine_destroy(m), -DMAMAP_EBUSY);
	assert_int_equal(dma_atomic_pool_destroy(pool), 0);
	assert_int_equal(dma_atomic_pool_destroy(NULL), 0);
	assert_int_equal(sim_memory_used(m), 0);
	config.max_bytes = 4096;
	assert_int_equal(dma_atomic_pool_create(sim_host(m), &config, &pool), -DMAMAP_EINVAL);
	assert_int_equal(sim_machine_destroy(m), 0);
}

static void ATM_2_grows_and_shrinks(void **state)
{
	struct dma_atomic_pool *pool;
	struct dma_atomic_stats stats;
	dma_addr_t handle[8];
	void *mem[8];
	struct world w;

	(void)state;
	pool = reserve(&w, WORLD_DIRECT_NONCOHERENT, KIB(64), KIB(1024));
	mem[0] = dma_alloc_coherent(w.dev, 4096, &handle[0], GFP_ATOMIC);
	assert_int_equal(atomic_free(pool), KIB(60));
	dma_poll(sim_host(w.m));
	assert_int_equal(atomic_free(pool), KIB(124));
	for (unsigned int i = 1; i < 8; i++) {
		mem[i] = dma_alloc_coherent(w.dev, KIB(32), &handle[i], GFP_ATOMIC);
		assert_non_null(mem[i]);
		dma_poll(sim_host(w.m));
	}
	dma_atomic_pool_get_stats(pool, &stats);
	assert_true(stats.grown >= 2 && stats.bytes <= KIB(1024));
	dma_free_coherent(w.dev, 4096, mem[0], handle[0]);
	for (unsigned int i = 1; i < 8; i++)
		dma_free_coherent(w.dev, KIB(32), mem[i], handle[i]);
	dma_poll(sim_host(w.m));
	dma_atomic_pool_get_stats(pool, &stats);
	assert_true(stats.shrunk > 0);
	assert_true(stats.bytes >= KIB(64) && stats.bytes <= KIB(64) * 8);
	assert_int_equal(stats.used_bytes, 0);
	assert_int_equal(dma_atomic_pool_destroy(pool), 0);
	world_end(&w);
}

static void ATM_3_exhausted(void **state)
{
	struct sim_counters before;
	struct sim_counters after;
	struct dma_atomic_pool *pool;
	dma_addr_t handle[2];
	struct world w;
	void *mem;

	(void)state;
	pool = reserve(&w, WORLD_DIRECT_NONCOHERENT, KIB(64), KIB(64));
	mem = dma_alloc_coherent(w.dev, KIB(40), &handle[0], GFP_ATOMIC);
	assert_non_null(mem);
	sim_get_counters(w.m, &before);
	assert_null(dma_alloc_coherent(w.dev, KIB(40), &handle[1], GFP_ATOMIC | __GFP_NOWARN));
	expect_reason(&w, DMA_REASON_ATOMIC_EXHAUSTED);
	sim_get_counters(w.m, &after);
	assert_int_equal(after.logs, before.logs);
	assert_null(dma_alloc_coherent(w.dev, KIB(40), &handle[1], GFP_ATOMIC));
	sim_get_counters(w.m, &after);
	assert_int_equal(after.logs, before.logs + 1);
	dma_poll(sim_host(w.m)); /* at its largest */
	assert_int_equal(atomic_free(pool), KIB(24));
	assert_int_equal(dma_atomic_pool_destroy(pool), -DMAMAP_EBUSY);
	dma_free_coherent(w.dev, KIB(40), mem, handle[0]);
	assert_int_equal(dma_atomic_pool_destroy(pool), 0);
	world_end(&w);
}

/* A pool out of reach is passed over, as in newer kernels. */
static void ATM_4_other_pool(void **state)
{
	struct dma_atomic_config low = { .size = sizeof(low), .bytes = KIB(64) };
	struct dma_atomic_pool *pools[2];
	struct world w;
	dma_addr_t handle;
	void *mem;

	(void)state;
	pools[0] = reserve(&w, WORLD_DIRECT_NONCOHERENT, KIB(64), 0);
	low.ceiling = 0xffffffff;
	assert_int_equal(dma_atomic_pool_create(sim_host(w.m), &low, &pools[1]), 0);
	assert_int_equal(dma_set_coherent_mask(w.dev, DMA_BIT_MASK(32)), 0);
	mem = dma_alloc_coherent(w.dev, KIB(8), &handle, GFP_ATOMIC);
	assert_non_null(mem);
	assert_true(handle + KIB(8) - 1 <= 0xffffffff);
	assert_int_equal(atomic_free(pools[1]), KIB(56));
	dma_free_coherent(w.dev, KIB(8), mem, handle);
	assert_int_equal(dma_atomic_pool_destroy(pools[0]), 0);
	assert_int_equal(dma_atomic_pool_destroy(pools[1]), 0);
	world_end(&w);
}

static void use(struct world *w, struct dma_atomic_pool *pool)
{
	unsigned char bytes[5000];
	struct sim_counters before;
	struct sim_counters after;
	dma_addr_t handle;
	unsigned char *mem;
	uint64_t had = atomic_free(pool);

	sim_get_counters(w->m, &before);
	mem = dma_alloc_coherent(w->dev, sizeof(bytes), &handle, GFP_ATOMIC);
	sim_get_counters(w->m, &after);
	assert_non_null(mem);
	assert_true(is_zero(mem, sizeof(bytes)));
	assert_int_equal(atomic_free(pool), had - 8192);
	fill(mem, sizeof(bytes), 1);
	device_read(w, handle, bytes, sizeof(bytes));
	assert_memory_equal(mem, bytes, sizeof(bytes));
	fill(bytes, sizeof(bytes), 2);
	device_write(w, handle, bytes, sizeof(bytes));
	assert_memory_equal(mem, bytes, sizeof(bytes));
	/* misuse is told, and changes nothing */
	dma_free_coherent(w->dev, 100, mem, handle);
	expect_reason(w, DMA_REASON_NOT_ALLOCATED);
	dma_free_coherent(w->dev, sizeof(bytes), mem + 4096, handle + 4096);
	expect_reason(w, DMA_REASON_NOT_ALLOCATED);
	w->warnings += 2;
	assert_int_equal(dma_device_live(w->dev), 1);
	dma_free_coherent(w->dev, sizeof(bytes), mem, handle);
	assert_int_equal(dma_device_live(w->dev), 0);
	assert_int_equal(atomic_free(pool), had);
}

static void atomic_memory_and_the_device(void **state)
{
	static const enum world_kind kinds[] = { WORLD_DIRECT_NONCOHERENT,
						 WORLD_STRICT_NONCOHERENT };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct world w;
		struct dma_atomic_pool *pool = reserve(&w, kinds[i], KIB(64), 0);

		use(&w, pool);
		use(&w, pool);
		assert_int_equal(dma_atomic_pool_destroy(pool), 0);
		world_end(&w);
	}
}

/** A pool's block comes in halves when the host has no larger one; each request fails in turn. */
static void atomic_pool_failing(void **state)
{
	bool came = true;

	(void)state;
	for (uint64_t n = 1; came; n++) {
		struct dma_atomic_config config = { .size = sizeof(config), .bytes = KIB(64) };
		struct dma_atomic_pool *pool;
		struct world w;
		dma_addr_t handle;
		void *mem;
		int err;

		world_begin(&w, WORLD_DIRECT_NONCOHERENT);
		world_limit_blocks(KIB(16));
		world_fail_at(n);
		err = dma_atomic_pool_create(sim_host(w.m), &config, &pool);
		if (err) {
			assert_int_equal(err, -DMAMAP_ENOMEM);
			err = dma_atomic_pool_create(sim_host(w.m), &config, &pool);
		}
		assert_int_equal(err, 0);
		mem = dma_alloc_coherent(w.dev, 8192, &handle, GFP_ATOMIC);
		assert_non_null(mem);
		dma_poll(sim_host(w.m));
		dma_free_coherent(w.dev, 8192, mem, handle);
		came = world_failed();
		assert_int_equal(dma_atomic_pool_destroy(pool), 0);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(COH_1_regions),
		cmocka_unit_test(COH_2_too_large),
		cmocka_unit_test(COH_3_refused),
		cmocka_unit_test(COH_4_free),
		cmocka_unit_test(P17_nothing_is_wasted),
		cmocka_unit_test(C31_misuse_of_declared_memory),
		cmocka_unit_test(declared_memory_and_the_device),
		cmocka_unit_test(ATM_1_default_size),
		cmocka_unit_test(ATM_2_grows_and_shrinks),
		cmocka_unit_test(ATM_3_exhausted),
		cmocka_unit_test(ATM_4_other_pool),
		cmocka_unit_test(atomic_memory_and_the_device),
		cmocka_unit_test(atomic_pool_failing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
