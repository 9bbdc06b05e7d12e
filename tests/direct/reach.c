/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a device reaches: range maps of many windows, masks and limits that miss them, offsets. Two reports from the
 * field are here as they were: a device of 36 bits behind a window that starts at 2^36, and one of 32 bits that sees RAM
 * at 16 GiB.
 */
#include "spec/fixture.h"

static void expect_mask_error(struct dma_device *dev, enum dma_reason reason, uint64_t mask,
			      uint64_t addr)
{
	struct dma_error err;

	fx_reason(dev, reason);
	assert_int_equal(dma_last_error(dev, &err), 0);
	assert_int_equal(err.err, -DMAMAP_EIO);
	assert_int_equal(err.mask, mask);
	assert_int_equal(err.addr, addr);
}

/* The controller was clamped to 36 bits; the bridge shows RAM from 2^36 on. */
static void window_at_36_bits(void **state)
{
	static const struct dma_range map[] = { { 0, 1ull << 36, GIB(4) }, { 0, 0, 0 } };
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_range_map(dev, map), 0);
	assert_false(dmamap_supported(dev, DMA_BIT_MASK(36)));
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(36)), -DMAMAP_EIO);
	expect_mask_error(dev, DMA_REASON_MASK_MISSES_WINDOW, DMA_BIT_MASK(36), 1ull << 36);
	assert_int_equal(dma_get_mask(dev), DMA_BIT_MASK(64));
	assert_int_equal(dma_set_coherent_mask(dev, DMA_BIT_MASK(36)), -DMAMAP_EIO);
	expect_mask_error(dev, DMA_REASON_MASK_MISSES_WINDOW, DMA_BIT_MASK(36), 1ull << 36);
	assert_int_equal(dma_set_mask_and_coherent(dev, DMA_BIT_MASK(37)), 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 16, TO, 0), (1ull << 36) + 0x1000);
	fx_free(fx);
}

/* A pool does not help: it is seen there too. */
static void ram_seen_at_16_gib(void **state)
{
	static const struct dma_range map[] = { { 0, GIB(16), GIB(4) }, { 0, 0, 0 } };
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	assert_int_equal(dma_device_set_range_map(dev, map), 0);
	assert_int_equal(dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32)), -DMAMAP_EIO);
	expect_mask_error(dev, DMA_REASON_MASK_MISSES_WINDOW, DMA_BIT_MASK(32), GIB(16));
	/* One more window that is low enough, for a little RAM only. */
	static const struct dma_range two[] = { { MIB(16), 0, MIB(1) },
						{ 0, GIB(16), GIB(4) },
						{ 0, 0, 0 } };
	assert_int_equal(dma_device_set_range_map(dev, two), 0);
	assert_int_equal(dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32)), 0);
	assert_int_equal(dma_map_phys(dev, MIB(16) + 0x100, 16, TO, 0), 0x100);
	fx_free(fx);
}

/* Outbound windows, where the CPU sees devices, are not inbound ones. */
static void outbound_is_not_inbound(void **state)
{
	static const struct dma_range outbound[] = { { GIB(24), GIB(1), GIB(1) }, { 0, 0, 0 } };
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_range_map(dev, outbound), 0);
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(64)), -DMAMAP_EIO);
	expect_mask_error(dev, DMA_REASON_NO_RAM_IN_WINDOW, DMA_BIT_MASK(64), 0);
	fx_free(fx);
}

static void limit_below_the_window(void **state)
{
	static const struct dma_range map[] = { { 0, GIB(2), GIB(1) }, { 0, 0, 0 } };
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	struct dma_error err;

	(void)state;
	assert_int_equal(dma_device_set_range_map(dev, map), 0);
	assert_int_equal(dma_device_set_bus_limit(dev, GIB(2) - 1), 0);
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(64)), -DMAMAP_EIO);
	expect_mask_error(dev, DMA_REASON_LIMIT_MISSES_WINDOW, DMA_BIT_MASK(64), GIB(2));
	assert_int_equal(dma_last_error(dev, &err), 0);
	assert_int_equal(err.limit, GIB(2) - 1);
	assert_int_equal(dma_device_set_bus_limit(dev, GIB(2)), 0);
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(64)), 0);
	fx_free(fx);
}

/* Without windows nothing is missed by them: the mask itself is too small for where RAM is. */
static void ram_above_the_mask(void **state)
{
	static const struct fx_config high = { .ram = { { GIB(8), GIB(1) } } };
	struct fx *fx = fx_new(&high);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(33)), -DMAMAP_EIO);
	expect_mask_error(dev, DMA_REASON_MASK_UNSUPPORTED, DMA_BIT_MASK(33), GIB(8));
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(34)), 0);
	fx_free(fx);
}

/** Adjacent windows that keep their bytes together, one that does not, one that shadows part of another. */
static const struct dma_range many[] = {
	{ 0x10000000, 0x90000000, 0x1000 }, { 0x10001000, 0x90001000, 0x1000 },
	{ 0x10002000, 0xa0000000, 0x1000 }, { 0x20001000, 0xb0000000, 0x1000 },
	{ 0x20000000, 0xc0000000, 0x3000 }, { 0, 0, 0 },
};

static void adjacent_windows(void **state)
{
	static const struct {
		phys_addr_t phys;
		uint64_t size;
		dma_addr_t addr;
	} cases[] = {
		{ 0x10000000, 0x1000, 0x90000000 },
		{ 0x10000800, 0x1000, 0x90000800 },
		{ 0x10000000, 0x2000, 0x90000000 },
		{ 0x10001fff, 2, E },
		{ 0x10002000, 0x1000, 0xa0000000 },
		{ 0x10002fff, 2, E },
		{ 0x20000000, 0x1000, 0xc0000000 },
		{ 0x20001000, 0x1000, 0xb0000000 },
		{ 0x20002000, 0x1000, 0xc0002000 },
		{ 0x20000000, 0x3000, E },
		{ 0x20001fff, 2, E },
		{ 0x0ffff000, 0x1001, E },
	};
	const struct fx_config quiet = { .quiet = true, .no_sanitize = true };

	(void)state;
	/* by the full path, and by the inline one, which serves the first window */
	for (unsigned int inlined = 0; inlined < 2; inlined++) {
		struct fx *fx = fx_new(inlined ? &quiet : NULL);
		struct dma_device *dev = fx_device(fx);

		assert_int_equal(dma_device_set_range_map(dev, many), 0);
		assert_int_equal(dma_map_phys(dev, 0x10000000, 1, TO, 0), 0x90000000);
		assert_int_equal(!(dev->flags & DMAMAP_DEV_SLOW_MAP), inlined);
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			assert_int_equal(dma_map_phys(dev, cases[i].phys, cases[i].size, TO, 0),
					 cases[i].addr);
			if (cases[i].addr == E)
				fx_reason(dev, DMA_REASON_OUTSIDE_RANGE_MAP);
		}
		fx_free(fx);
	}
}

/* The highest address of the device, not of the last window; a shadowed part does not count. */
static void required_mask_of_windows(void **state)
{
	static const struct dma_range map[] = { { MIB(1), 0x10000, MIB(1) },
						{ 0, GIB(1), MIB(4) },
						{ 0, 0, 0 } };
	static const struct fx_config little = { .ram = { { 0, MIB(4) } } };
	static const struct fx_config less = { .ram = { { MIB(1), MIB(1) } } };
	static const struct fx_config more = { .ram = { { 0, MIB(5) } } };
	const struct fx_config *configs[] = { &little, &less, &more };
	const uint64_t masks[] = { DMA_BIT_MASK(31), DMA_BIT_MASK(21), ~(uint64_t)0 };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct fx *fx = fx_new(configs[i]);
		struct dma_device *dev = fx_device(fx);

		assert_int_equal(dma_device_set_range_map(dev, map), 0);
		assert_int_equal(dma_get_required_mask(dev), masks[i]);
		assert_int_equal(dma_addressing_limited(dev), i == 2);
		fx_free(fx);
	}
}

/* dma_direct_set_offset(): existing map, offset 0, a window. */
static void DIR_40_set_offset(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_direct_set_offset(dev, 0x1000, 0x1000, 0x1000), 0);
	assert_int_equal(dma_map_phys(dev, 0x80000000, 16, TO, 0), 0x80000000);
	assert_int_equal(dma_direct_set_offset(dev, 0, GIB(1), GIB(2)), -DMAMAP_EBUSY);
	fx_reason(dev, DMA_REASON_LIVE_MAPPINGS);
	assert_int_equal(dma_device_quiesce(dev), 0);
	assert_int_equal(dma_direct_set_offset(dev, ~(uint64_t)0xfff, 0, 0x2000), -DMAMAP_EINVAL);
	fx_reason(dev, DMA_REASON_ADDRESS_WRAP);
	assert_int_equal(dma_direct_set_offset(dev, 0, GIB(1), 0), -DMAMAP_EINVAL);
	fx_reason(dev, DMA_REASON_ZERO_SIZE);
	assert_int_equal(dma_direct_set_offset(dev, 0, GIB(1), GIB(2)), 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 16, TO, 0), GIB(1) + 0x1000);
	assert_int_equal(dma_map_phys(dev, GIB(2), 16, TO, 0), E);
	assert_int_equal(dma_device_quiesce(dev), 0);
	fx_clear(fx);
	/* the test of the map comes before that of the offset */
	assert_int_equal(dma_direct_set_offset(dev, 0x1000, 0x1000, 0x1000), -DMAMAP_EINVAL);
	fx_reason(dev, DMA_REASON_BAD_ARGUMENT);
	expect_count(fx, "log", 1);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window_at_36_bits),
		cmocka_unit_test(ram_seen_at_16_gib),
		cmocka_unit_test(outbound_is_not_inbound),
		cmocka_unit_test(limit_below_the_window),
		cmocka_unit_test(ram_above_the_mask),
		cmocka_unit_test(adjacent_windows),
		cmocka_unit_test(required_mask_of_windows),
		cmocka_unit_test(DIR_40_set_offset),
	};

	return FX_RUN(tests);
}
