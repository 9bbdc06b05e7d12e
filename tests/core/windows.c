/* SPDX-License-Identifier: BSD-2-Clause */
/* Buses with several windows: what lies between them is not reached, whatever both ends say. */
#include "spec/fixture.h"

/** Both ends of 12 KiB are reached, the page between is not; and the same offset everywhere. */
static const struct dma_range holed[] = {
	{ 0x10000, 0x90000, 0x1000 },
	{ 0x12000, 0x92000, 0x1000 },
	{ 0, 0, 0 },
};

/** Windows that meet on both sides are one. */
static const struct dma_range joined[] = {
	{ 0x12000, 0x92000, 0x1000 },
	{ 0x10000, 0x90000, 0x1000 },
	{ 0x11000, 0x91000, 0x1000 },
	{ 0, 0, 0 },
};

static struct dma_device *on_bus(struct fx *fx, const struct dma_range *map)
{
	struct dma_device *dev = fx_device(fx);

	assert_int_equal(dma_device_set_range_map(dev, map), 0);
	return dev;
}

static void hole(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = on_bus(fx, holed);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x10000, 0x1000, TO, 0), 0x90000);
	assert_true(dma_map_phys(dev, 0x10000, 0x3000, TO, 0) == E);
	fx_reason(dev, DMA_REASON_OUTSIDE_RANGE_MAP);
	assert_true(dma_map_phys(dev, 0x10000, 0x3000, TO, DMA_ATTR_MMIO) == E);
	fx_free(fx);
}

static void hole_bounces(void **state)
{
	struct fx *fx = fx_new(NULL);
	static const struct dma_range map[] = {
		{ 0x10000, 0x90000, 0x1000 },
		{ 0x12000, 0x92000, 0x1000 },
		{ FX_POOL, 0x40000000, MIB(1) },
		{ 0, 0, 0 },
	};
	struct dma_device *dev = on_bus(fx, map);
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	addr = dma_map_phys(dev, 0x10000, 0x3000, TO, 0);
	assert_true(addr >= 0x40000000 && addr < 0x40000000 + MIB(1));
	dma_unmap_phys(dev, addr, 0x3000, TO, 0);
	fx_free(fx);
}

static void joined_windows(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = on_bus(fx, joined);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x10800, 0x2000, TO, 0), 0x90800);
	assert_int_equal(dma_map_phys(dev, 0x10000, 0x3000, TO, 0), 0x90000);
	assert_true(dma_map_phys(dev, 0x10000, 0x3001, TO, 0) == E);
	fx_free(fx);
}

/** The last window may be lower than the first: every window counts, not the one that holds the end of RAM. */
static void required_mask(void **state)
{
	struct fx *fx = fx_new(&(struct fx_config){ .ram = { { 0, GIB(2) } } });
	static const struct dma_range crossed[] = {
		{ 0, GIB(4), GIB(1) },
		{ GIB(1), 0, GIB(1) },
		{ 0, 0, 0 },
	};
	struct dma_device *dev = on_bus(fx, crossed);

	(void)state;
	assert_int_equal(dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32)), 0);
	assert_true(dma_get_required_mask(dev) == DMA_BIT_MASK(33));
	assert_true(dma_addressing_limited(dev));
	assert_true(dma_map_phys(dev, 0x1000, 16, TO, 0) == E);
	fx_reason(dev, DMA_REASON_BEYOND_MASK);
	fx_free(fx);
}

/** A mask that was never given limits nothing where the bus does: the same answer from the first map on. */
static void zero_mask_with_bus_limit(void **state)
{
	struct fx *fx = fx_new(&(struct fx_config){ .quiet = true, .no_sanitize = true });
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS);

	(void)state;
	assert_int_equal(dma_set_mask(dev, 0), 0);
	assert_int_equal(dma_device_set_ops(dev, NULL), 0);
	assert_int_equal(dma_device_set_bus_limit(dev, 0xffff), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(dma_map_phys(dev, 0x1000, 16, TO, 0), 0x1000);
		assert_true(dma_map_phys(dev, 0x10000, 16, TO, 0) == E);
		fx_reason(dev, DMA_REASON_BEYOND_BUS_LIMIT);
	}
	fx_free(fx);
}

/** What the host has below the highest window may lie between windows: the lower ones are tried before giving up. */
static void coherent_memory_in_a_lower_window(void **state)
{
	struct fx *fx = fx_new(NULL);
	static const struct dma_range map[] = {
		{ 0x60000000, 0x1000000, MIB(1) },
		{ 0x00800000, 0x2000000, MIB(1) },
		{ 0, 0, 0 },
	};
	struct dma_device *dev = on_bus(fx, map);
	dma_addr_t handle;
	void *ptr = dma_alloc_coherent(dev, 8192, &handle, GFP_KERNEL);

	(void)state;
	assert_non_null(ptr);
	assert_true(handle >= 0x2000000 && handle < 0x2000000 + MIB(1));
	dma_free_coherent(dev, 8192, ptr, handle);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hole),
		cmocka_unit_test(hole_bounces),
		cmocka_unit_test(joined_windows),
		cmocka_unit_test(required_mask),
		cmocka_unit_test(coherent_memory_in_a_lower_window),
		cmocka_unit_test(zero_mask_with_bus_limit),
	};

	return FX_RUN(tests);
}
