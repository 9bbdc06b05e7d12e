/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small buffers of non-coherent devices: which of them bounce, by the cases DIR-21 to DIR-24, and what that does on the
 * direct and on the iommu route.
 */
#include "spec/fixture.h"

static void align_128_line_64(struct fx *fx)
{
	fx->host.bounce_small_buffers = true;
	fx->host.min_dma_align = 128;
	fx->host.cache_line = 64;
}

static void align_128_line_128(struct fx *fx)
{
	align_128_line_64(fx);
	fx->host.cache_line = 128;
}

static void off(struct fx *fx)
{
	align_128_line_64(fx);
	fx->host.bounce_small_buffers = false;
}

static uint64_t bucket_of_256(struct dma_host *host, uint64_t size)
{
	(void)host;
	return (size + 255) / 256 * 256;
}

static void own_buckets(struct fx *fx)
{
	align_128_line_64(fx);
	fx->host.bucket_size = bucket_of_256;
}

static struct fx *host_with(void (*tweak)(struct fx *fx), bool noncoherent)
{
	const struct fx_config config = { .noncoherent = noncoherent, .tweak = tweak };

	return fx_new(&config);
}

static struct dma_device *pooled(struct fx *fx, struct dma_device *dev)
{
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	return dev;
}

/** Does a map of @size bytes bounce? */
static bool bounces(struct fx *fx, struct dma_device *dev, uint64_t size,
		    enum dma_data_direction dir)
{
	const phys_addr_t phys = 0x80001000;
	dma_addr_t addr = dma_map_phys(dev, phys, size, dir, 0);
	bool bounced = fx_pool_used(fx->pool[0]) != 0;

	assert_int_not_equal(addr, E);
	assert_int_equal(addr != phys, bounced);
	dma_unmap_phys(dev, addr, size, dir, 0);
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	return bounced;
}

static void DIR_21_sizes(void **state)
{
	struct fx *fx = host_with(align_128_line_64, true);
	struct dma_device *dev = pooled(fx, fx_device(fx));

	(void)state;
	assert_true(bounces(fx, dev, 8, FROM));
	assert_false(bounces(fx, dev, 64, FROM));
	assert_true(bounces(fx, dev, 96, FROM));
	assert_false(bounces(fx, dev, 100, FROM));
	assert_false(bounces(fx, dev, 192, FROM));
	assert_false(bounces(fx, dev, 256, FROM));
	assert_true(bounces(fx, dev, 1, BIDI));
	assert_true(bounces(fx, dev, 32, BIDI));
	assert_false(bounces(fx, dev, 33, BIDI));
	assert_true(bounces(fx, dev, 65, BIDI));
	fx_free(fx);
}

static void DIR_22_lines_of_128(void **state)
{
	struct fx *fx = host_with(align_128_line_128, true);
	struct dma_device *dev = pooled(fx, fx_device(fx));

	(void)state;
	assert_true(bounces(fx, dev, 64, FROM));
	assert_true(bounces(fx, dev, 192, FROM));
	assert_true(bounces(fx, dev, 129, FROM));
	assert_false(bounces(fx, dev, 128, FROM));
	assert_false(bounces(fx, dev, 255, FROM));
	fx_free(fx);
}

/* To the device, from a device that snoops, without the switch: never. */
static void DIR_23_never(void **state)
{
	static const uint64_t sizes[] = { 8, 64, 96, 100, 192, 256 };
	struct fx *fx = host_with(align_128_line_64, true);
	struct fx *disabled = host_with(off, true);
	struct dma_device *to = pooled(fx, fx_device(fx));
	struct dma_device *coherent = pooled(fx, fx_device(fx));
	struct dma_device *unasked = pooled(disabled, fx_device(disabled));

	(void)state;
	assert_int_equal(dma_device_set_coherent(coherent, true), 0);
	for (unsigned int i = 0; i < 6; i++) {
		assert_false(bounces(fx, to, sizes[i], TO));
		assert_false(bounces(fx, coherent, sizes[i], FROM));
		assert_false(bounces(fx, coherent, sizes[i], BIDI));
		assert_false(bounces(disabled, unasked, sizes[i], FROM));
	}
	fx_free(fx);
	fx_free(disabled);
}

/* C25: this is no overflow, and both devices hear of it. */
static void DIR_24_no_pool(void **state)
{
	struct fx *fx = host_with(align_128_line_64, true);
	struct dma_device *dev = fx_device(fx);
	struct dma_device *other = fx_device(fx);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x1000, 8, FROM, 0), E);
	fx_reason(dev, DMA_REASON_SMALL_BUFFER);
	expect_order(fx, "warn T:map_phys");
	assert_int_equal(dma_map_phys(dev, 0x1000, 8, FROM, 0), E);
	fx_message(fx, "warn", 1);
	assert_null(strstr(fx_get(fx, "warn", 0)->text, "overflow"));
	assert_int_equal(dma_map_phys(other, 0x1000, 8, FROM, 0), E);
	assert_int_equal(fx_count(fx, "warn"), 2);
	assert_int_equal(dma_map_phys(dev, 0x1000, 64, FROM, 0), 0x1000);
	/* An overflow is still said after it. */
	assert_int_equal(dma_device_quiesce(dev), 0);
	assert_int_equal(dma_device_set_bus_limit(dev, 0xfff), 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 64, FROM, 0), E);
	fx_reason(dev, DMA_REASON_BEYOND_BUS_LIMIT);
	assert_int_equal(fx_count(fx, "warn"), 3);
	fx_free(fx);
}

static void the_host_knows_its_allocator(void **state)
{
	struct fx *fx = host_with(own_buckets, true);
	struct dma_device *dev = pooled(fx, fx_device(fx));

	(void)state;
	assert_false(bounces(fx, dev, 8, FROM));
	assert_false(bounces(fx, dev, 96, FROM));
	fx_free(fx);
}

/* MMIO has no lines. Shared memory moves all the same: its size is what is wrong, and slots are shared. */
static void attributes(void **state)
{
	struct fx *fx = host_with(align_128_line_64, true);
	struct dma_device *dev = pooled(fx, fx_device(fx));
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_map_resource(dev, 0xf0000000, 8, FROM, 0), 0xf0000000);
	addr = dma_map_phys(dev, 0x80000000, 8, FROM, DMA_ATTR_CC_SHARED);
	assert_int_equal(addr, FX_POOL);
	dma_unmap_phys(dev, addr, 8, FROM, DMA_ATTR_CC_SHARED);
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	addr = dma_map_phys(dev, 0x80000000, 8, FROM, DMA_ATTR_SKIP_CPU_SYNC);
	assert_int_equal(addr, FX_POOL);
	dma_unmap_phys(dev, addr, 8, FROM, DMA_ATTR_SKIP_CPU_SYNC);
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	fx_free(fx);
}

/* Copy in and clean the slot; invalidate it, copy back, release. Only bytes of the buffer move. */
static void order_and_bytes(void **state)
{
	struct fx *fx = host_with(align_128_line_64, true);
	struct dma_device *dev = pooled(fx, fx_device(fx));
	dma_addr_t addr;

	(void)state;
	fx_pattern(fx, 0x80000000, 64);
	fx_clear(fx);
	addr = dma_map_phys(dev, 0x80000010, 8, FROM, 0);
	expect_order(fx, "T:bounced copy for-device sanitize T:map_phys");
	assert_int_equal(fx_get(fx, "for-device", 0)->addr, FX_POOL);
	assert_int_equal(fx_get(fx, "for-device", 0)->size, 8);
	memset(fx_ram(fx, addr), 0xee, 8);
	fx_clear(fx);
	dma_unmap_phys(dev, addr, 8, FROM, 0);
	expect_order(fx, "for-cpu for-cpu-all copy T:unmap_phys");
	assert_true(fx_all(fx, 0x80000010, 8, 0xee));
	assert_true(fx_has_pattern(fx, 0x80000000, 0x80000000, 16));
	assert_true(fx_has_pattern(fx, 0x80000018, 0x80000018, 40));
	fx_free(fx);
}

static void lists(void **state)
{
	struct fx *fx = host_with(align_128_line_64, true);
	struct dma_device *dev = pooled(fx, fx_device(fx));
	struct scatterlist sg[3];

	(void)state;
	sg_init_table(sg, 3);
	sg_set_phys(&sg[0], 0x80000000, 4096);
	sg_set_phys(&sg[1], 0x80002010, 8);
	sg_set_phys(&sg[2], 0x80004000, 64);
	assert_int_equal(dma_map_sg(dev, sg, 3, FROM), 3);
	assert_int_equal(sg_dma_address(&sg[0]), 0x80000000);
	assert_int_equal(sg_dma_address(&sg[1]), FX_POOL);
	assert_int_equal(sg_dma_address(&sg[2]), 0x80004000);
	memset(fx_ram(fx, FX_POOL), 0x5a, 8);
	dma_unmap_sg(dev, sg, 3, FROM);
	assert_true(fx_all(fx, 0x80002010, 8, 0x5a));
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	fx_free(fx);
}

/* Behind an IOMMU only what does not fill its granules; nothing is zeroed around it, the device is trusted. */
static void behind_an_iommu(void **state)
{
	struct fx *fx = host_with(align_128_line_64, true);
	struct dma_device *dev = fx_io(fx);
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x80000010, 8, FROM, 0), E);
	fx_reason(dev, DMA_REASON_SMALL_BUFFER);
	pooled(fx, dev);
	memset(fx_ram(fx, FX_POOL), 0xaa, 4096);
	addr = dma_map_phys(dev, 0x80000010, 8, FROM, 0);
	assert_int_not_equal(addr, E);
	assert_in_range(fx_translate(fx, addr), FX_POOL, FX_POOL + MIB(1) - 1);
	assert_true(fx_all(fx, fx_translate(fx, addr) + 8, 64, 0xaa));
	memset(fx_ram(fx, fx_translate(fx, addr)), 0x77, 8);
	dma_sync_single_for_cpu(dev, addr, 4, FROM);
	assert_true(fx_all(fx, 0x80000010, 4, 0x77));
	assert_false(fx_all(fx, 0x80000014, 4, 0x77));
	dma_unmap_phys(dev, addr, 8, FROM, 0);
	assert_true(fx_all(fx, 0x80000010, 8, 0x77));
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	/* A skipped sync releases the slot too. */
	addr = dma_map_phys(dev, 0x80000010, 8, FROM, 0);
	dma_unmap_phys(dev, addr, 8, FROM, DMA_ATTR_SKIP_CPU_SYNC);
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	addr = dma_map_phys(dev, 0x80000010, 8, TO, 0);
	assert_int_equal(fx_translate(fx, addr), 0x80000010);
	dma_unmap_phys(dev, addr, 8, TO, 0);
	assert_int_equal(dma_device_live(dev), 0);
	fx_free(fx);
}

/** One small element sends the whole list through the pool, element by element; lists without one keep their run. */
static void lists_behind_an_iommu(void **state)
{
	struct fx *fx = host_with(align_128_line_64, true);
	struct dma_device *dev = pooled(fx, fx_io(fx));
	struct scatterlist sg[2];

	(void)state;
	sg_init_table(sg, 2);
	sg_set_phys(&sg[0], 0x80000000, 4096);
	sg_set_phys(&sg[1], 0x80005010, 8);
	assert_int_equal(dma_map_sg(dev, sg, 2, FROM), 2);
	assert_int_equal(fx_translate(fx, sg_dma_address(&sg[0])), 0x80000000);
	assert_int_not_equal(fx_translate(fx, sg_dma_address(&sg[1])), 0x80005010);
	memset(fx_ram(fx, fx_translate(fx, sg_dma_address(&sg[1]))), 0x77, 8);
	dma_unmap_sg(dev, sg, 2, FROM);
	assert_true(fx_all(fx, 0x80005010, 8, 0x77));
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);

	assert_int_not_equal(dma_map_sg(dev, sg, 2, TO), 0);
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	dma_unmap_sg(dev, sg, 2, TO);
	assert_int_equal(dma_device_live(dev), 0);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(DIR_21_sizes),
		cmocka_unit_test(DIR_22_lines_of_128),
		cmocka_unit_test(DIR_23_never),
		cmocka_unit_test(DIR_24_no_pool),
		cmocka_unit_test(the_host_knows_its_allocator),
		cmocka_unit_test(attributes),
		cmocka_unit_test(order_and_bytes),
		cmocka_unit_test(lists),
		cmocka_unit_test(behind_an_iommu),
		cmocka_unit_test(lists_behind_an_iommu),
	};

	return FX_RUN(tests);
}
