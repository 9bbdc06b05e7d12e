/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DIR: the direct route, case by case under their ids. The column of the newest kernel where columns differ.
 */
#include "fixture.h"

static const struct fx_config ram_8g = { .ram = { { 0, GIB(8) } } };
static const struct fx_config noncoherent = { .noncoherent = true };

/* Ours: the warning is once a device, not once in the life of a system. */
static void DIR_1_mask(void **state)
{
	struct fx *fx = fx_new(&ram_8g);
	struct dma_device *dev = fx_device32(fx);
	struct dma_device *other = fx_device32(fx);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0xfffff000, 0x1000, TO, 0), 0xfffff000);
	assert_int_equal(dma_map_phys(dev, 0xfffff000, 0x1001, TO, 0), E);
	fx_reason(dev, DMA_REASON_BEYOND_MASK);
	assert_int_equal(dma_map_phys(dev, 0xfffff000, 0x1001, TO, 0), E);
	fx_message(fx, "warn", 1);
	assert_int_equal(dma_map_phys(other, GIB(4), 1, TO, 0), E);
	fx_message(fx, "warn", 2);
	fx_free(fx);
}

static void DIR_2_bus_limit(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	struct dma_error err;

	(void)state;
	assert_int_equal(dma_device_set_bus_limit(dev, 0x3fffffff), 0);
	assert_int_equal(dma_map_phys(dev, 0x3ffff000, 0x1000, TO, 0), 0x3ffff000);
	assert_int_equal(dma_map_phys(dev, 0x40000000, 1, TO, 0), E);
	fx_reason(dev, DMA_REASON_BEYOND_BUS_LIMIT);
	assert_int_equal(dma_last_error(dev, &err), 0);
	assert_int_equal(err.addr, 0x40000000);
	assert_int_equal(err.size, 1);
	assert_int_equal(err.limit, 0x3fffffff);
	assert_int_equal(err.route, DMA_ROUTE_DIRECT);
	fx_free(fx);
}

static const struct dma_range window[] = { { 0x80000000, 0, 0x40000000 }, { 0, 0, 0 } };

static void DIR_3_range_map(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_range_map(dev, window), 0);
	assert_int_equal(dma_map_phys(dev, 0x80001000, 0x10, TO, 0), 0x1000);
	assert_int_equal(dma_map_phys(dev, 0xbfffffff, 1, TO, 0), 0x3fffffff);
	/* 0 is an address like any other. */
	assert_int_equal(dma_map_phys(dev, 0x80000000, 1, TO, 0), 0);
	assert_int_equal(dma_map_phys(dev, 0xc0000000, 1, TO, 0), E);
	fx_reason(dev, DMA_REASON_OUTSIDE_RANGE_MAP);
	/* Ours: the last byte is looked up too. */
	assert_int_equal(dma_map_phys(dev, 0xbfffffff, 2, TO, 0), E);
	fx_reason(dev, DMA_REASON_OUTSIDE_RANGE_MAP);
	fx_free(fx);
}

static void DIR_4_mmio_outside_range_map(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_range_map(dev, window), 0);
	assert_int_equal(dma_map_phys(dev, 0xf0000000, 0x1000, TO, DMA_ATTR_MMIO), E);
	fx_reason(dev, DMA_REASON_OUTSIDE_RANGE_MAP);
	expect_order(fx, "warn T:map_phys");
	fx_free(fx);
}

static void DIR_5_mmio_inside_range_map(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_range_map(dev, window), 0);
	assert_int_equal(dma_map_phys(dev, 0x90000000, 0x1000, TO, DMA_ATTR_MMIO), 0x10000000);
	fx_free(fx);
}

static void DIR_6_mmio_above_mask(void **state)
{
	struct fx *fx = fx_new(&ram_8g);
	struct dma_device *dev = fx_device32(fx);
	struct dma_bounce *pool = fx_pool(fx);

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, pool), 0);
	assert_int_equal(dma_map_phys(dev, GIB(4), 0x1000, TO, DMA_ATTR_MMIO), E);
	fx_reason(dev, DMA_REASON_BEYOND_MASK);
	expect_order(fx, "warn T:map_phys");
	assert_int_equal(fx_pool_used(pool), 0);
	fx_free(fx);
}

static struct dma_device *forced(struct fx *fx, struct dma_bounce **pool)
{
	struct dma_device *dev = fx_device(fx);

	*pool = fx_pool(fx);
	assert_int_equal(dma_device_set_bounce(dev, *pool), 0);
	assert_int_equal(dma_device_set_force_bounce(dev, true), 0);
	fx_clear(fx);
	return dev;
}

static void DIR_7_forced_mmio(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_bounce *pool;
	struct dma_device *dev = forced(fx, &pool);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0xf0000000, 0x1000, TO, DMA_ATTR_MMIO), E);
	fx_reason(dev, DMA_REASON_MMIO_CANNOT_BOUNCE);
	expect_order(fx, "T:map_phys");
	fx_free(fx);
}

static void DIR_8_forced_ram(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_bounce *pool;
	struct dma_device *dev = forced(fx, &pool);

	(void)state;
	fx_pattern(fx, 0x80001234, 100);
	assert_int_equal(dma_map_phys(dev, 0x80001234, 100, TO, 0), FX_POOL);
	expect_order(fx, "T:bounced copy sanitize T:map_phys");
	assert_true(fx_has_pattern(fx, FX_POOL, 0x80001234, 100));
	/* The sanitizer hears of the driver's memory, not of the copy. */
	assert_int_equal(fx_get(fx, "sanitize", 0)->addr, 0x80001234);
	dma_unmap_phys(dev, FX_POOL, 100, TO, 0);
	assert_int_equal(fx_pool_used(pool), 0);
	fx_free(fx);
}

static void DIR_9_require_coherent_never_bounces(void **state)
{
	struct fx *fx = fx_new(&ram_8g);
	struct dma_device *dev = fx_device32(fx);
	struct dma_bounce *pool = fx_pool(fx);

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, pool), 0);
	assert_int_equal(dma_map_phys(dev, GIB(4), 100, TO, DMA_ATTR_REQUIRE_COHERENT), E);
	fx_reason(dev, DMA_REASON_COHERENT_CANNOT_BOUNCE);
	expect_order(fx, "warn T:map_phys");
	fx_free(fx);
}

static void DIR_10_map_cleans(void **state)
{
	static const enum dma_data_direction dirs[] = { TO, FROM, BIDI };
	struct fx *fx = fx_new(&noncoherent);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		fx_clear(fx);
		assert_int_equal(dma_map_phys(dev, 0x1040, 0x80, dirs[i], 0), 0x1040);
		expect_order(fx, "for-device sanitize T:map_phys");
		assert_int_equal(fx_get(fx, "for-device", 0)->addr, 0x1040);
		assert_int_equal(fx_get(fx, "for-device", 0)->size, 0x80);
		assert_int_equal(fx_get(fx, "for-device", 0)->dir, dirs[i]);
	}
	fx_free(fx);
}

static void DIR_11_map_does_not_clean(void **state)
{
	struct fx *fx = fx_new(&noncoherent);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x1040, 0x80, TO, DMA_ATTR_SKIP_CPU_SYNC), 0x1040);
	assert_int_equal(dma_map_phys(dev, 0xf0000000, 0x80, TO, DMA_ATTR_MMIO), 0xf0000000);
	expect_order(fx, "sanitize T:map_phys T:map_phys");
	fx_free(fx);
}

static void DIR_12_unmap_invalidates(void **state)
{
	struct fx *fx = fx_new(&noncoherent);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	dma_map_phys(dev, 0x1040, 0x80, FROM, 0);
	fx_clear(fx);
	dma_unmap_phys(dev, 0x1040, 0x80, FROM, 0);
	expect_order(fx, "for-cpu for-cpu-all T:unmap_phys");
	assert_int_equal(fx_get(fx, "for-cpu", 0)->addr, 0x1040);
	assert_int_equal(fx_get(fx, "for-cpu", 0)->size, 0x80);
	assert_int_equal(fx_get(fx, "for-cpu", 0)->dir, FROM);
	fx_free(fx);
}

static void DIR_13_unmap_skips(void **state)
{
	struct fx *fx = fx_new(&noncoherent);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	dma_map_phys(dev, 0x1040, 0x80, FROM, 0);
	fx_clear(fx);
	dma_unmap_phys(dev, 0x1040, 0x80, FROM, DMA_ATTR_SKIP_CPU_SYNC);
	expect_order(fx, "T:unmap_phys");
	fx_free(fx);
}

static void DIR_14_bounced_map_order(void **state)
{
	struct fx *fx = fx_new(&noncoherent);
	struct dma_bounce *pool;
	struct dma_device *dev = forced(fx, &pool);
	dma_addr_t addr = dma_map_phys(dev, 0x80001234, 100, TO, 0);

	(void)state;
	expect_order(fx, "T:bounced copy for-device sanitize T:map_phys");
	assert_int_equal(fx_get(fx, "copy", 0)->addr, FX_POOL);
	assert_int_equal(fx_get(fx, "copy", 0)->extra, 0x80001234);
	assert_int_equal(fx_get(fx, "for-device", 0)->addr, FX_POOL);
	assert_int_equal(fx_get(fx, "for-device", 0)->size, 100);
	dma_unmap_phys(dev, addr, 100, TO, 0);
	fx_free(fx);
}

static void DIR_15_bounced_unmap_order(void **state)
{
	struct fx *fx = fx_new(&noncoherent);
	struct dma_bounce *pool;
	struct dma_device *dev = forced(fx, &pool);
	dma_addr_t addr = dma_map_phys(dev, 0x80001234, 100, FROM, 0);

	(void)state;
	memset(fx_ram(fx, addr), 0x77, 10);
	fx_clear(fx);
	dma_unmap_phys(dev, addr, 100, FROM, 0);
	expect_order(fx, "for-cpu for-cpu-all copy T:unmap_phys");
	assert_int_equal(fx_get(fx, "for-cpu", 0)->addr, FX_POOL);
	assert_int_equal(fx_get(fx, "copy", 0)->addr, 0x80001234);
	assert_int_equal(fx_get(fx, "copy", 0)->extra, FX_POOL);
	assert_true(fx_all(fx, 0x80001234, 10, 0x77));
	assert_int_equal(fx_pool_used(pool), 0);
	fx_free(fx);
}

static void DIR_16_bounced_unmap_skips(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_bounce *pool;
	struct dma_device *dev = forced(fx, &pool);
	dma_addr_t addr;

	(void)state;
	fx_pattern(fx, 0x80001234, 100);
	addr = dma_map_phys(dev, 0x80001234, 100, FROM, 0);
	memset(fx_ram(fx, addr), 0x77, 100);
	dma_unmap_phys(dev, addr, 100, FROM, DMA_ATTR_SKIP_CPU_SYNC);
	assert_true(fx_has_pattern(fx, 0x80001234, 0x80001234, 100));
	assert_int_equal(fx_pool_used(pool), 0);
	fx_free(fx);
}

static void DIR_17_bounced_map_skips_only_the_cache(void **state)
{
	struct fx *fx = fx_new(&noncoherent);
	struct dma_bounce *pool;
	struct dma_device *dev = forced(fx, &pool);
	dma_addr_t addr;

	(void)state;
	fx_pattern(fx, 0x80001234, 100);
	addr = dma_map_phys(dev, 0x80001234, 100, FROM, DMA_ATTR_SKIP_CPU_SYNC);
	assert_true(fx_has_pattern(fx, addr, 0x80001234, 100));
	expect_count(fx, "for-device", 0);
	dma_unmap_phys(dev, addr, 100, FROM, DMA_ATTR_SKIP_CPU_SYNC);
	fx_free(fx);
}

/* An MMIO address may have any value, even one that lies in the pool: it is not looked up there. */
static void DIR_18_unmap_mmio(void **state)
{
	struct fx *fx = fx_new(&noncoherent);
	struct dma_bounce *pool;
	struct dma_device *dev = forced(fx, &pool);
	dma_addr_t addr = dma_map_phys(dev, 0x80001234, 100, TO, 0);

	(void)state;
	fx_clear(fx);
	dma_unmap_phys(dev, addr, 100, TO, DMA_ATTR_MMIO);
	expect_order(fx, "T:unmap_phys");
	assert_int_equal(fx_pool_used(pool), 1);
	dma_unmap_phys(dev, addr, 100, TO, 0);
	fx_free(fx);
}

/* Ours: refused with a reason of its own before any arithmetic. */
static void DIR_19_size_0(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device32(fx);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0, 0, TO, 0), E);
	fx_reason(dev, DMA_REASON_ZERO_SIZE);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0, TO, DMA_ATTR_MMIO), E);
	fx_reason(dev, DMA_REASON_ZERO_SIZE);
	expect_order(fx, "T:map_phys T:map_phys");
	fx_free(fx);
}

/* Ours: wrap is refused, with and without the inline path. */
static void DIR_20_wrap(void **state)
{
	const struct fx_config quiet = { .quiet = true, .no_sanitize = true };
	const uint64_t top = ~(uint64_t)0 - 4095;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct fx *fx = fx_new(i ? &quiet : NULL);
		struct dma_device *dev = fx_device(fx);

		assert_int_equal(dma_map_phys(dev, top, 8192, TO, DMA_ATTR_MMIO), E);
		fx_reason(dev, DMA_REASON_ADDRESS_WRAP);
		assert_int_equal(dma_map_phys(dev, top, 8192, TO, 0), E);
		/* The last byte of all: its address would be the error value. */
		assert_int_equal(dma_map_phys(dev, ~(uint64_t)0, 1, TO, DMA_ATTR_MMIO), E);
		assert_int_equal(dma_map_phys(dev, top, 4095, TO, DMA_ATTR_MMIO), top);
		assert_int_equal(dma_map_phys(dev, ~(uint64_t)0, 1, TO, DMA_ATTR_MMIO), E);
		fx_reason(dev, DMA_REASON_BEYOND_MASK);
		fx_free(fx);
	}
}

static void DIR_25_list(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	struct scatterlist sgl[3];

	(void)state;
	sg_init_table(sgl, 3);
	for (unsigned int i = 0; i < 3; i++)
		sg_set_phys(&sgl[i], 0x100000 + i * 0x1000, 0x1000 - i);
	assert_int_equal(dma_map_sg(dev, sgl, 3, TO), 3);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(sg_dma_address(&sgl[i]), 0x100000 + i * 0x1000);
		assert_int_equal(sg_dma_len(&sgl[i]), 0x1000 - i);
	}
	expect_order(fx, "sanitize sanitize sanitize T:map_sg");
	dma_unmap_sg(dev, sgl, 3, TO);
	fx_free(fx);
}

static void DIR_26_list_unwinds(void **state)
{
	const struct fx_config config = { .noncoherent = true, .ram = { { 0, GIB(8) } } };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device32(fx);
	struct scatterlist sgl[2];
	struct sg_table table = { sgl, 0, 2 };

	(void)state;
	sg_init_table(sgl, 2);
	sg_set_phys(&sgl[0], 0x100000, 0x1000);
	sg_set_phys(&sgl[1], GIB(5), 0x1000);
	assert_int_equal(dma_map_sgtable(dev, &table, FROM, 0), -DMAMAP_EIO);
	fx_reason(dev, DMA_REASON_BEYOND_MASK);
	/* No for-cpu: the first element is unmapped without maintenance. */
	expect_order(fx, "for-device warn T:map_sg_err");
	fx_free(fx);
}

/* The same where the first element holds a slot, and the second finds none. */
static void DIR_26_bounced_list_unwinds(void **state)
{
	struct fx *fx = fx_new(&ram_8g);
	struct dma_device *dev = fx_device32(fx);
	struct dma_bounce *pool = fx_pool(fx);
	struct scatterlist sgl[2];

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, pool), 0);
	fx_pattern(fx, GIB(5), 0x1000);
	sg_init_table(sgl, 2);
	sg_set_phys(&sgl[0], GIB(5), 0x1000);
	sg_set_phys(&sgl[1], GIB(6), 0x50000);
	assert_int_equal(dma_map_sg(dev, sgl, 2, FROM), 0);
	fx_reason(dev, DMA_REASON_BOUNCE_TOO_LARGE);
	assert_int_equal(fx_pool_used(pool), 0);
	assert_int_equal(dma_device_live(dev), 0);
	assert_true(fx_has_pattern(fx, GIB(5), GIB(5), 0x1000));
	sgl[1].length = 0x1000;
	assert_int_equal(dma_map_sg(dev, sgl, 2, FROM), 2);
	dma_unmap_sg(dev, sgl, 2, FROM);
	fx_free(fx);
}

/* Until there is peer-to-peer, every element that is not RAM is a peer out of reach. */
static void DIR_28_list_with_a_peer(void **state)
{
	const struct fx_config config = { .noncoherent = true, .ram = { { 0, GIB(2) } } };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	struct scatterlist sgl[2];
	struct sg_table table = { sgl, 0, 2 };

	(void)state;
	sg_init_table(sgl, 2);
	sg_set_phys(&sgl[0], 0x100000, 0x1000);
	sg_set_phys(&sgl[1], 0xe0000000, 0x2000);
	assert_int_equal(dma_map_sgtable(dev, &table, FROM, 0), -DMAMAP_EREMOTEIO);
	fx_reason(dev, DMA_REASON_P2P_REFUSED);
	expect_order(fx, "for-device T:map_sg_err");
	fx_free(fx);
}

/*
 * Not here (and not in dir_alloc.c):
 *   DIR-21..24  the small-buffer heuristic of non-coherent devices: the direct-route work.
 *   DIR-27, 29  peers' memory in lists: until peer-to-peer exists. Until then all of it is refused, as in DIR-28.
 *   DIR-35      NO_KERNEL_MAPPING: accepted; the memory has a mapping all the same. Cookies: the direct-route work.
 *   DIR-37, 38  atomic and global pools: the direct-route work.
 *   DIR-39      decrypting memory for coherent allocations: the direct-route work.
 *   DIR-40      dma_direct_set_offset(): dma_device_set_range_map() sets, replaces and clears the map instead.
 *   DIR-41, 42  get_sgtable and mmap: no user space here, and memory needs no page structures.
 */
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(DIR_1_mask),
		cmocka_unit_test(DIR_2_bus_limit),
		cmocka_unit_test(DIR_3_range_map),
		cmocka_unit_test(DIR_4_mmio_outside_range_map),
		cmocka_unit_test(DIR_5_mmio_inside_range_map),
		cmocka_unit_test(DIR_6_mmio_above_mask),
		cmocka_unit_test(DIR_7_forced_mmio),
		cmocka_unit_test(DIR_8_forced_ram),
		cmocka_unit_test(DIR_9_require_coherent_never_bounces),
		cmocka_unit_test(DIR_10_map_cleans),
		cmocka_unit_test(DIR_11_map_does_not_clean),
		cmocka_unit_test(DIR_12_unmap_invalidates),
		cmocka_unit_test(DIR_13_unmap_skips),
		cmocka_unit_test(DIR_14_bounced_map_order),
		cmocka_unit_test(DIR_15_bounced_unmap_order),
		cmocka_unit_test(DIR_16_bounced_unmap_skips),
		cmocka_unit_test(DIR_17_bounced_map_skips_only_the_cache),
		cmocka_unit_test(DIR_18_unmap_mmio),
		cmocka_unit_test(DIR_19_size_0),
		cmocka_unit_test(DIR_20_wrap),
		cmocka_unit_test(DIR_25_list),
		cmocka_unit_test(DIR_26_list_unwinds),
		cmocka_unit_test(DIR_26_bounced_list_unwinds),
		cmocka_unit_test(DIR_28_list_with_a_peer),
	};

	return FX_RUN(tests);
}
