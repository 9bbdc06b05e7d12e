/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OPS: platforms with method tables and with arch-direct predicates, case by case under their ids.
 *
 * The predicates of PowerPC are the fixture's (fx_fill_arch()); what is tested is that the library asks them with the
 * right figures, believes them, and takes the same way back.
 */
#include "fixture.h"

/* The direct window starts at 2^59: its offset is what the bus adds, told to the library as a range map. */
#define WINDOW 0x800000000000000ull

static const struct dma_range window[] = { { 0, WINDOW, GIB(8) }, { 0, 0, 0 } };
static const struct fx_config ppc = { .arch = true, .ram = { { 0, GIB(8) } } };

static struct dma_device *ppc_device(struct fx *fx, uint64_t *limit)
{
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS | FX_SG);

	fx->arch_ppc = true;
	dma_device_set_data(dev, limit);
	return dev;
}

static void OPS_4_ppc_without_limit(void **state)
{
	struct fx *fx = fx_new(&ppc);
	uint64_t limit = 0;
	struct dma_device *dev = ppc_device(fx, &limit);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, TO, 0), 0x1000 + FX_OPS_OFFSET);
	dma_unmap_phys(dev, 0x1000 + FX_OPS_OFFSET, 0x100, TO, 0);
	expect_order(fx, "A:map M:map_phys sanitize T:map_phys A:unmap M:unmap_phys T:unmap_phys");
	fx_free(fx);
}

static void OPS_5_ppc_limit(void **state)
{
	struct fx *fx = fx_new(&ppc);
	uint64_t limit = WINDOW + 0xffffffff;
	struct dma_device *dev = ppc_device(fx, &limit);

	(void)state;
	fx->arch_offset = WINDOW;
	assert_int_equal(dma_device_set_range_map(dev, window), 0);
	/* Ends at 2^32: one byte too far. */
	assert_int_equal(dma_map_phys(dev, 0xffff0000, 0x10000, TO, 0), 0xffff0000 + FX_OPS_OFFSET);
	assert_int_equal(fx_get(fx, "A:map", 0)->addr, 0x100000000);
	dma_unmap_phys(dev, 0xffff0000 + FX_OPS_OFFSET, 0x10000, TO, 0);
	expect_count(fx, "M:unmap_phys", 1);
	fx_clear(fx);
	assert_int_equal(dma_map_phys(dev, 0xffff0000, 0xffff, TO, 0), WINDOW + 0xffff0000);
	assert_int_equal(fx_get(fx, "A:map", 0)->addr, 0xffffffff);
	dma_unmap_phys(dev, WINDOW + 0xffff0000, 0xffff, TO, 0);
	expect_order(fx, "A:map sanitize T:map_phys A:unmap T:unmap_phys");
	assert_int_equal(dma_device_live(dev), 0);
	fx_free(fx);
}

static void OPS_6_ppc_list(void **state)
{
	struct fx *fx = fx_new(&ppc);
	uint64_t limit = WINDOW + 0xffffffff;
	struct dma_device *dev = ppc_device(fx, &limit);
	struct scatterlist sg;

	(void)state;
	fx->arch_offset = WINDOW;
	assert_int_equal(dma_device_set_range_map(dev, window), 0);
	sg_init_table(&sg, 1);
	/* Ends at 0xfffff100; with the offset counted twice beyond the limit. */
	sg_set_page(&sg, dmamap_phys_to_page(0xffffe000), 0x100, 0x1000);
	assert_int_equal(dma_map_sg(dev, &sg, 1, TO), 1);
	dma_unmap_sg(dev, &sg, 1, TO);
	expect_order(fx, "A:map_sg M:map_sg sanitize T:map_sg A:unmap_sg T:unmap_sg M:unmap_sg");
	fx_clear(fx);
	sg_set_page(&sg, dmamap_phys_to_page(0xffffd000), 0x100, 0x1000);
	assert_int_equal(dma_map_sg(dev, &sg, 1, TO), 1);
	assert_int_equal(sg_dma_address(&sg), WINDOW + 0xffffe000);
	dma_unmap_sg(dev, &sg, 1, TO);
	expect_order(fx, "A:map_sg sanitize T:map_sg A:unmap_sg T:unmap_sg");
	fx_free(fx);
}

/* The dummy table of a device that firmware forbids DMA: the warning is the table's own, the call must reach it. */
static void OPS_8_dummy_table(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PAGE | FX_SG);
	struct scatterlist sg;
	struct sg_table table = { &sg, 0, 1 };

	(void)state;
	fx->ops_fail = true;
	fx->ops_sg_result = -DMAMAP_EINVAL;
	sg_init_table(&sg, 1);
	sg_set_phys(&sg, 0x1000, 0x100);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, TO, 0), E);
	assert_int_equal(dma_map_sgtable(dev, &table, TO, 0), -DMAMAP_EINVAL);
	fx_clear(fx);
	fx->ops_fail = false;
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, TO, 0), 0x1000 + FX_OPS_OFFSET);
	dma_unmap_phys(dev, 0x1000 + FX_OPS_OFFSET, 0x100, TO, 0);
	expect_count(fx, "M:unmap_page", 1);
	fx_free(fx);
}

/*
 * Not here:
 *   OPS-1, 2  common_alloc_pages(): helper of dma_alloc_pages(), which belongs to the direct-route work.
 *   OPS-3     remap helpers: a kernel's virtual memory; a port brings its own (host hook map_uncached).
 *   OPS-7     Xen's table: a platform that this library does not run on.
 */
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(OPS_4_ppc_without_limit),
		cmocka_unit_test(OPS_5_ppc_limit),
		cmocka_unit_test(OPS_6_ppc_list),
		cmocka_unit_test(OPS_8_dummy_table),
	};

	return FX_RUN(tests);
}
