/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools of blocks: their layout case by case, misuse, poison, the report, and random use against a model.
 */
#include "world.h"

struct text {
	char bytes[1024];
	size_t len;
};

static void put(void *ctx, const char *s, size_t n)
{
	struct text *t = ctx;

	assert_true(t->len + n < sizeof(t->bytes));
	memcpy(t->bytes + t->len, s, n);
	t->len += n;
	t->bytes[t->len] = 0;
}

static void expect_report(struct world *w, const char *text)
{
	struct text t = { .len = 0 };

	dma_pools_show(w->dev, put, &t);
	assert_string_equal(t.bytes, text);
}

static void *take(struct dma_pool *pool, dma_addr_t *handle)
{
	void *block = dma_pool_alloc(pool, GFP_KERNEL, handle);

	assert_non_null(block);
	return block;
}

/** The offsets of the first @n blocks in their unit; -1: in another unit. */
static void expect_offsets(size_t size, size_t align, size_t boundary, unsigned int n,
			   const long *offsets)
{
	struct world w;
	struct dma_pool *pool;
	dma_addr_t first;
	dma_addr_t handle[200];
	void *block[200];

	world_begin(&w, WORLD_DIRECT);
	pool = dma_pool_create("offsets", w.dev, size, align, boundary);
	assert_non_null(pool);
	for (unsigned int i = 0; i < n; i++)
		block[i] = take(pool, &handle[i]);
	first = handle[0] & ~4095ull;
	for (unsigned int i = 0; i < n; i++) {
		if (offsets[i] < 0)
			assert_true(handle[i] - first >= 4096);
		else
			assert_int_equal(handle[i] - first, offsets[i]);
		dma_pool_free(pool, block[i], handle[i]);
	}
	dma_pool_destroy(pool);
	world_end(&w);
}

static void POOL_1_blocks_of_24(void **state)
{
	long offsets[171];

	(void)state;
	for (int i = 0; i < 170; i++)
		offsets[i] = i * 24;
	offsets[170] = -1;
	expect_offsets(24, 8, 0, 171, offsets);
}

static void POOL_2_aligned(void **state)
{
	long offsets[33];

	(void)state;
	for (int i = 0; i < 32; i++)
		offsets[i] = i * 128;
	offsets[32] = -1;
	expect_offsets(100, 64, 0, 33, offsets);
}

static void POOL_3_boundary(void **state)
{
	(void)state;
	expect_offsets(1500, 0, 2048, 3, (const long[]){ 0, 2048, -1 });
}

static void POOL_4_no_boundary(void **state)
{
	(void)state;
	expect_offsets(1500, 0, 0, 3, (const long[]){ 0, 1500, -1 });
}

static void POOL_5_larger_than_a_page(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, WORLD_DIRECT);
	for (size_t boundary = 0; boundary <= 8192; boundary += 4096) {
		struct dma_pool *pool = dma_pool_create("large", w.dev, 5000, 0, boundary);
		dma_addr_t handle[2];
		void *block[2];

		if (boundary == 4096) {
			assert_null(pool);
			expect_reason(&w, DMA_REASON_BAD_ARGUMENT);
			continue;
		}
		for (unsigned int i = 0; i < 2; i++)
			block[i] = take(pool, &handle[i]);
		expect_report(&w, "poolinfo - 0.1\nlarge               2    2 5000  2\n");
		if (boundary)
			assert_int_equal(handle[0] >> 13, (handle[0] + 4999) >> 13);
		for (unsigned int i = 0; i < 2; i++)
			dma_pool_free(pool, block[i], handle[i]);
		dma_pool_destroy(pool);
	}
	world_end(&w);
}

static void POOL_6_refused(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, WORLD_DIRECT);
	assert_null(dma_pool_create("bad", w.dev, 16, 3, 0));
	expect_reason(&w, DMA_REASON_BAD_ARGUMENT);
	assert_null(dma_pool_create("bad", w.dev, 0, 8, 0));
	expect_reason(&w, DMA_REASON_ZERO_SIZE);
	assert_null(dma_pool_create("bad", w.dev, 0x80000000ull, 8, 0));
	assert_null(dma_pool_create("bad", w.dev, 64, 0, 96));
	assert_null(dma_pool_create("bad", w.dev, 64, 0, 32));
	assert_null(dma_pool_create("bad", NULL, 16, 8, 0));
	assert_null(dmam_pool_create("bad", NULL, 16, 8, 0));
	assert_null(dmam_pool_create("bad", w.dev, 16, 3, 0));
	world_end(&w);
}

static void POOL_7_smallest(void **state)
{
	(void)state;
	expect_offsets(4, 0, 0, 3, (const long[]){ 0, 16, 32 });
}

static void POOL_8_last_freed_first(void **state)
{
	struct world w;
	dma_addr_t handle[4];
	void *block[4];
	struct dma_pool *pool;

	(void)state;
	world_begin(&w, WORLD_STRICT);
	pool = dma_pool_create("lifo", w.dev, 64, 64, 0);
	block[0] = take(pool, &handle[0]);
	block[1] = take(pool, &handle[1]);
	dma_pool_free(pool, block[0], handle[0]);
	dma_pool_free(pool, block[1], handle[1]);
	block[2] = take(pool, &handle[2]);
	block[3] = take(pool, &handle[3]);
	assert_ptr_equal(block[2], block[1]);
	assert_ptr_equal(block[3], block[0]);
	assert_true(handle[2] == handle[1] && handle[3] == handle[0]);
	dma_pool_free(pool, block[2], handle[2]);
	dma_pool_free(pool, block[3], handle[3]);
	dma_pool_destroy(pool);
	world_end(&w);
}

/* Ours: the memory is not lost for ever, but kept until the device ends. */
static void POOL_9_destroyed_with_blocks_in_use(void **state)
{
	struct world w;
	struct dma_error err;
	struct dma_pool *pool;
	dma_addr_t handle;
	unsigned char *block;
	unsigned char byte = 5;

	(void)state;
	world_begin(&w, WORLD_STRICT);
	pool = dma_pool_create("leak", w.dev, 64, 64, 0);
	block = take(pool, &handle);
	take(pool, &(dma_addr_t){ 0 });
	dma_pool_destroy(pool);
	expect_reason(&w, DMA_REASON_POOL_LEAK);
	assert_int_equal(dma_last_error(w.dev, &err), 0);
	assert_int_equal(err.have, 2);
	device_write(&w, handle, &byte, 1);
	assert_int_equal(block[0], 5);
	expect_report(&w, "poolinfo - 0.1\n");
	w.warnings = 1;
	world_end(&w);
}

static void POOL_9_managed_with_blocks_in_use(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, WORLD_LAZY);
	take(dmam_pool_create("leak", w.dev, 64, 64, 0), &(dma_addr_t){ 0 });
	assert_int_equal(sim_device_destroy(w.device), 0);
	w.device = NULL;
	w.warnings = 1;
	world_end(&w);
}

static void POOL_10_report(void **state)
{
	struct world w;
	dma_addr_t handle[2];
	struct dma_pool *second;
	struct dma_pool *pool;
	void *block[2];

	(void)state;
	world_begin(&w, WORLD_DIRECT);
	expect_report(&w, "poolinfo - 0.1\n");
	pool = dma_pool_create("descriptors", w.dev, 24, 8, 0);
	block[0] = take(pool, &handle[0]);
	block[1] = take(pool, &handle[1]);
	second = dma_pool_create("a_name_of_more_than_thirty_one_letters", w.dev, 32, 0, 0);
	expect_report(&w, "poolinfo - 0.1\n"
			  "a_name_of_more_than_thirty_one_    0    0   32  0\n"
			  "descriptors         2  170   24  1\n");
	dma_pool_destroy(second);
	dma_pool_free(pool, block[0], handle[0]);
	dma_pool_free(pool, block[1], handle[1]);
	dma_pool_destroy(pool);
	world_end(&w);
}

static void misuse(struct world *w, struct dma_pool *pool, void *block, dma_addr_t handle)
{
	struct sim_counters before;
	struct sim_counters after;

	sim_get_counters(w->m, &before);
	dma_pool_free(pool, block, handle);
	sim_get_counters(w->m, &after);
	assert_int_equal(after.warnings, before.warnings + 1);
	expect_reason(w, DMA_REASON_NOT_ALLOCATED);
	w->warnings++;
}

static void POOL_11_misuse(void **state)
{
	struct world w;
	dma_addr_t handle[3];
	unsigned char *block[3];
	struct dma_pool *pool;
	int local;

	(void)state;
	world_begin(&w, WORLD_DIRECT);
	pool = dma_pool_create("misuse", w.dev, 1500, 4, 2048);
	misuse(&w, pool, &local, 0); /* while there is no unit at all */
	block[0] = take(pool, &handle[0]);
	block[1] = take(pool, &handle[1]);
	misuse(&w, pool, &local, handle[0]);
	misuse(&w, pool, NULL, handle[0]);
	misuse(&w, pool, block[0] + 1, handle[0] + 1);
	misuse(&w, pool, block[0] + 1500, handle[0] + 1500); /* the gap before the boundary */
	misuse(&w, pool, block[0] + 4096, handle[0] + 4096);
	dma_pool_free(pool, block[0], handle[0]);
	misuse(&w, pool, block[0], handle[0]);
	expect_report(&w, "poolinfo - 0.1\nmisuse              1    2 1500  1\n");
	/* the wrong DMA address (C32): reported, and never handed out */
	misuse(&w, pool, block[1], handle[0]);
	block[2] = take(pool, &handle[2]);
	assert_ptr_equal(block[2], block[1]);
	assert_true(handle[2] == handle[1]);
	dma_pool_free(pool, block[2], handle[2]);
	dma_pool_destroy(pool);
	world_end(&w);
}

static void poison(void **state)
{
	struct world w;
	dma_addr_t handle;
	unsigned char *block;
	struct dma_pool *pool;
	struct dma_error err;
	unsigned char late = 1;

	(void)state;
	world_begin(&w, WORLD_DIRECT_NONCOHERENT);
	pool = dma_pool_create("poison", w.dev, 64, 0, 0);
	assert_int_equal(dma_pool_set_poison(pool, true), 0);
	block = take(pool, &handle);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(block[i], 0xa9);
	assert_int_equal(dma_pool_set_poison(pool, false), -DMAMAP_EBUSY);
	dma_pool_free(pool, block, handle);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(block[i], 0xa7);
	/* the device is late, at byte 63 */
	device_write(&w, handle + 63, &late, 1);
	assert_ptr_equal(dma_pool_zalloc(pool, GFP_KERNEL, &handle), block);
	expect_reason(&w, DMA_REASON_POOL_CORRUPTED);
	assert_int_equal(dma_last_error(w.dev, &err), 0);
	assert_int_equal(err.have, 63);
	assert_true(is_zero(block, 64));
	w.warnings = 1;
	dma_pool_free(pool, block, handle);
	assert_ptr_equal(take(pool, &handle), block);
	dma_pool_free(pool, block, handle);
	dma_pool_destroy(pool);
	world_end(&w);
}

/** A live pool holds its device, even without memory. */
static void pool_outlives_no_device(void **state)
{
	struct world w;
	struct dma_pool *pool;

	(void)state;
	world_begin(&w, WORLD_DIRECT);
	pool = dma_pool_create("holds", w.dev, 64, 0, 0);
	assert_int_equal(sim_device_destroy(w.device), -DMAMAP_EBUSY);
	dma_pool_destroy(pool);
	dma_pool_destroy(NULL);
	world_end(&w);
}

/* --- random use against a model */

#define LIVE 3000

struct live {
	unsigned char *block;
	dma_addr_t handle;
	unsigned int salt;
};

static void check_block(struct world *w, const struct live *l, size_t size)
{
	unsigned char want[512];
	unsigned char got[512];

	fill(want, size, l->salt);
	assert_memory_equal(l->block, want, size);
	device_read(w, l->handle, got, size);
	assert_memory_equal(got, want, size);
}

static void random_use(struct world *w, uint64_t *random)
{
	size_t size = 1 + next_random(random) % 512;
	size_t align = 1u << next_random(random) % 7;
	size_t boundary = next_random(random) % 2 ? 0 : 1024;
	struct dma_pool *pool = dma_pool_create("random", w->dev, size, align, boundary);
	struct live *live = calloc(LIVE, sizeof(*live));
	unsigned int n = 0;

	assert_non_null(pool);
	assert_non_null(live);
	for (unsigned int step = 0; step < 8000; step++) {
		if (n < LIVE && next_random(random) % 5 < 3) {
			struct live *l = &live[n++];

			l->block = take(pool, &l->handle);
			l->salt = step;
			assert_int_equal(l->handle & (align - 1), 0);
			if (boundary)
				assert_int_equal(l->handle / boundary,
						 (l->handle + size - 1) / boundary);
			fill(l->block, size, step);
		} else if (n) {
			unsigned int i = (unsigned int)(next_random(random) % n);

			check_block(w, &live[i], size);
			dma_pool_free(pool, live[i].block, live[i].handle);
			live[i] = live[--n];
		}
	}
	while (n--) {
		check_block(w, &live[n], size);
		dma_pool_free(pool, live[n].block, live[n].handle);
	}
	dma_pool_destroy(pool);
	free(live);
}

static void random_blocks(void **state)
{
	uint64_t random = test_seed();

	(void)state;
	for (enum world_kind kind = 0; kind < WORLD_KINDS; kind++) {
		struct world w;

		world_begin(&w, kind);
		random_use(&w, &random);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(POOL_1_blocks_of_24),
		cmocka_unit_test(POOL_2_aligned),
		cmocka_unit_test(POOL_3_boundary),
		cmocka_unit_test(POOL_4_no_boundary),
		cmocka_unit_test(POOL_5_larger_than_a_page),
		cmocka_unit_test(POOL_6_refused),
		cmocka_unit_test(POOL_7_smallest),
		cmocka_unit_test(POOL_8_last_freed_first),
		cmocka_unit_test(POOL_9_destroyed_with_blocks_in_use),
		cmocka_unit_test(POOL_9_managed_with_blocks_in_use),
		cmocka_unit_test(POOL_10_report),
		cmocka_unit_test(POOL_11_misuse),
		cmocka_unit_test(poison),
		cmocka_unit_test(pool_outlives_no_device),
		cmocka_unit_test(random_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
