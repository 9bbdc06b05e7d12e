/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CAP: scalars, masks, segment limits and capability queries, case by case under their ids.
 *
 * Where the comment of a case says "ours" it asserts this library's stated contract and not the kernel's accident.
 */
#include "fixture.h"

static void CAP_1_mapping_error(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_mapping_error(dev, E), -DMAMAP_ENOMEM);
	assert_int_equal(dma_mapping_error(dev, 0), 0);
	fx_free(fx);
}

static void CAP_2_bit_mask(void **state)
{
	(void)state;
	assert_int_equal(DMA_BIT_MASK(64), ~(uint64_t)0);
	assert_int_equal(DMA_BIT_MASK(32), 0xffffffff);
	assert_int_equal(DMA_BIT_MASK(1), 1);
}

/* A streaming mask of 0 is only accepted by a method table: it decides alone what it supports. */
static void CAP_3_get_mask(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS);

	(void)state;
	assert_int_equal(dma_device_set_mask_storage(dev, DMA_MASK_NONE), 0);
	assert_int_equal(dma_get_mask(dev), DMA_BIT_MASK(32));
	assert_int_equal(dma_device_set_mask_storage(dev, DMA_MASK_OWN), 0);
	assert_int_equal(dma_set_mask(dev, 0), 0);
	assert_int_equal(dma_get_mask(dev), DMA_BIT_MASK(32));
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(24)), 0);
	assert_int_equal(dma_get_mask(dev), DMA_BIT_MASK(24));
	fx_free(fx);
}

static void CAP_4_getters_without_parms(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	dma_device_set_parms(dev, NULL);
	assert_int_equal(dma_get_max_seg_size(dev), 65536);
	assert_int_equal(dma_get_seg_boundary(dev), ~(uint64_t)0);
	assert_int_equal(dma_get_min_align_mask(dev), 0);
	fx_free(fx);
}

/* Ours: the setters say so (-EIO), and the warning is once a device and function, not once in the life of a system. */
static void CAP_5_setters_without_parms(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev[2] = { fx_device(fx), fx_device(fx) };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		dma_device_set_parms(dev[i], NULL);
		for (unsigned int twice = 0; twice < 2; twice++) {
			assert_int_equal(dma_set_max_seg_size(dev[i], 4096), -DMAMAP_EIO);
			assert_int_equal(dma_set_seg_boundary(dev[i], 0xffff), -DMAMAP_EIO);
			assert_int_equal(dma_set_min_align_mask(dev[i], 0xfff), -DMAMAP_EIO);
		}
		fx_message(fx, "warn", 3 * (i + 1));
		assert_int_equal(dma_get_max_seg_size(dev[i]), 65536);
		assert_int_equal(dma_get_seg_boundary(dev[i]), ~(uint64_t)0);
		assert_int_equal(dma_get_min_align_mask(dev[i]), 0);
	}
	fx_free(fx);
}

static void CAP_6_boundary_pages(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_set_seg_boundary(dev, 0xffff), 0);
	assert_int_equal(dma_get_seg_boundary_nr_pages(dev, 12), 16);
	assert_int_equal(dma_get_seg_boundary_nr_pages(NULL, 12), 0x100000);
	fx_free(fx);
}

static void CAP_7_set_mask_without_storage(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device32(fx);

	(void)state;
	assert_int_equal(dma_device_set_mask_storage(dev, DMA_MASK_NONE), 0);
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(64)), -DMAMAP_EIO);
	fx_reason(dev, DMA_REASON_NO_MASK);
	assert_int_equal(dma_get_coherent_mask(dev), DMA_BIT_MASK(32));
	assert_int_equal(dma_get_mask(dev), DMA_BIT_MASK(32));
	assert_int_equal(dma_device_route(dev), DMA_ROUTE_NONE);
	fx_free(fx);
}

static void CAP_8_set_both_masks(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32)), 0);
	assert_int_equal(dma_get_mask(dev), DMA_BIT_MASK(32));
	assert_int_equal(dma_get_coherent_mask(dev), DMA_BIT_MASK(32));
	fx_free(fx);
}

/* The streaming mask then is the coherent one: whoever changes one changes the other. */
static void CAP_9_coerce(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_mask_storage(dev, DMA_MASK_NONE), 0);
	assert_int_equal(dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(40)), 0);
	assert_int_equal(dma_get_mask(dev), DMA_BIT_MASK(40));
	assert_int_equal(dma_set_coherent_mask(dev, DMA_BIT_MASK(48)), 0);
	assert_int_equal(dma_get_mask(dev), DMA_BIT_MASK(48));
	fx_free(fx);
}

static void CAP_10_dummy_table_supports_no_mask(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device32(fx);

	(void)state;
	fx->ops_supported = 0;
	assert_int_equal(dma_device_set_ops(dev, fx_table(fx, FX_PHYS | FX_SUPPORTED)), 0);
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(64)), -DMAMAP_EIO);
	fx_reason(dev, DMA_REASON_MASK_UNSUPPORTED);
	assert_int_equal(dma_get_mask(dev), DMA_BIT_MASK(32));
	fx_free(fx);
}

static uint64_t required_with_ram(uint64_t bytes)
{
	const struct fx_config config = { .ram = { { 0, bytes } } };
	struct fx *fx = fx_new(&config);
	uint64_t mask = dma_get_required_mask(fx_device(fx));

	fx_free(fx);
	return mask;
}

static void CAP_11_required_mask(void **state)
{
	(void)state;
	assert_int_equal(required_with_ram(GIB(4)), 0xffffffff);
	assert_int_equal(required_with_ram(GIB(4) + KIB(4)), 0x1ffffffff);
	assert_int_equal(required_with_ram(GIB(1)), 0x3fffffff);
}

static void CAP_12_required_mask_of_one_page(void **state)
{
	(void)state;
	assert_int_equal(required_with_ram(KIB(4)), 0xfff);
}

static void CAP_13_required_mask_elsewhere(void **state)
{
	struct fx *fx = fx_new(NULL);

	(void)state;
	assert_int_equal(dma_get_required_mask(fx_io(fx)), DMA_BIT_MASK(32));
	assert_int_equal(dma_get_required_mask(fx_ops_device(fx, FX_PHYS)), DMA_BIT_MASK(32));
	assert_int_equal(dma_get_required_mask(fx_ops_device(fx, FX_PHYS | FX_REQUIRED)),
			 DMA_BIT_MASK(40));
	fx_free(fx);
}

static void CAP_14_addressing_limited(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device32(fx);

	(void)state;
	assert_false(dma_addressing_limited(dev));
	dev = fx_device(fx);
	assert_int_equal(dma_device_set_bus_limit(dev, 0x7fffffff), 0);
	assert_true(dma_addressing_limited(dev));
	fx_free(fx);
}

/* A 31-bit mask is only accepted where a DMA zone makes it useful. */
static void CAP_14_addressing_limited_31_bits(void **state)
{
	const struct fx_config config = { .zone_dma_limit = DMA_BIT_MASK(24) };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(31)), 0);
	assert_true(dma_addressing_limited(dev));
	fx_free(fx);
}

static void CAP_15_range_map_leaves_ram_out(void **state)
{
	static const struct dma_range map[] = { { 0, 0, 0x80000000 }, { 0, 0, 0 } };
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_false(dma_addressing_limited(dev));
	assert_int_equal(dma_device_set_range_map(dev, map), 0);
	assert_int_equal(dma_get_required_mask(dev), ~(uint64_t)0);
	assert_true(dma_addressing_limited(dev));
	fx_free(fx);
}

static bool supported(uint64_t mask, uint64_t ram, uint64_t zone)
{
	const struct fx_config config = { .ram = { { 0, ram } }, .zone_dma_limit = zone };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	bool yes = dma_supported(dev, mask);

	/* The setter and the question agree. */
	assert_int_equal(dma_set_mask(dev, mask), yes ? 0 : -DMAMAP_EIO);
	if (!yes)
		fx_reason(dev, DMA_REASON_MASK_UNSUPPORTED);
	fx_free(fx);
	return yes;
}

static void CAP_16_supported_31_bits_with_zone(void **state)
{
	(void)state;
	assert_true(supported(DMA_BIT_MASK(31), GIB(4), DMA_BIT_MASK(24)));
	/* Without a zone there may be no RAM at all below the mask. */
	assert_false(supported(DMA_BIT_MASK(31), GIB(4), 0));
}

static void CAP_17_supported_below_zone(void **state)
{
	(void)state;
	assert_false(supported(0x7fffff, GIB(4), DMA_BIT_MASK(24)));
}

/* The last byte of RAM counts, not the start of its page. */
static void CAP_18_supported_last_byte(void **state)
{
	(void)state;
	assert_false(supported(0xfff000, MIB(16), 0));
	assert_true(supported(0xffffff, MIB(16), 0));
}

static void CAP_19_supported_32_bits_always(void **state)
{
	(void)state;
	assert_true(supported(DMA_BIT_MASK(32), GIB(1024), 0));
}

static void CAP_20_max_size_not_limited(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	assert_int_equal(dma_max_mapping_size(dev), SIZE_MAX);
	fx_free(fx);
}

static void CAP_21_max_size_when_bouncing(void **state)
{
	const struct fx_config config = { .ram = { { 0, GIB(8) } } };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device32(fx);

	(void)state;
	assert_int_equal(dma_max_mapping_size(dev), SIZE_MAX);
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	assert_int_equal(dma_max_mapping_size(dev), 262144);
	assert_int_equal(dma_set_min_align_mask(dev, 4095), 0);
	assert_int_equal(dma_max_mapping_size(dev), 258048);
	assert_int_equal(dma_set_min_align_mask(dev, 511), 0);
	assert_int_equal(dma_max_mapping_size(dev), 260096);
	fx_free(fx);
}

static void CAP_22_max_size_iommu(void **state)
{
	struct fx *fx = fx_new(NULL);

	(void)state;
	assert_int_equal(dma_max_mapping_size(fx_io(fx)), SIZE_MAX);
	assert_int_equal(dma_max_mapping_size(fx_iou(fx, 0)), 262144);
	fx_free(fx);
}

static void CAP_23_opt_size(void **state)
{
	struct fx *fx = fx_new(NULL);

	(void)state;
	assert_int_equal(dma_opt_mapping_size(fx_io(fx)), 131072);
	assert_int_equal(dma_opt_mapping_size(fx_iou(fx, 4095)), 131072);
	assert_int_equal(dma_opt_mapping_size(fx_device(fx)), SIZE_MAX);
	fx_free(fx);
}

static void CAP_23_opt_size_ops(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS | FX_OPT_SIZE | FX_MAX_SIZE);

	(void)state;
	assert_int_equal(dma_max_mapping_size(dev), MIB(3));
	assert_int_equal(dma_opt_mapping_size(dev), MIB(1));
	fx_free(fx);
}

static void CAP_24_merge_boundary(void **state)
{
	struct fx *fx = fx_new(NULL);

	(void)state;
	assert_int_equal(dma_get_merge_boundary(fx_io(fx)), 4095);
	assert_int_equal(dma_get_merge_boundary(fx_device(fx)), 0);
	assert_int_equal(dma_get_merge_boundary(fx_ops_device(fx, FX_PHYS)), 0);
	assert_int_equal(dma_get_merge_boundary(fx_ops_device(fx, FX_PHYS | FX_MERGE)), 8191);
	fx_free(fx);
}

static void CAP_25_p2p_supported(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *ops = fx_ops_device(fx, FX_PHYS);

	(void)state;
	assert_true(dma_pci_p2pdma_supported(fx_device(fx)));
	assert_int_equal(dma_device_set_ops_bypass(ops, true), 0);
	assert_int_equal(dma_device_route(ops), DMA_ROUTE_DIRECT);
	assert_false(dma_pci_p2pdma_supported(ops));
	fx_free(fx);
}

/* Ours: the contradiction is refused when it is made, by either setter, and never reaches a mask. */
static void CAP_26_ops_and_iommu(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *io = fx_io(fx);
	struct dma_device *ops = fx_ops_device(fx, FX_PHYS);

	(void)state;
	assert_int_equal(dma_device_set_ops(io, fx_table(fx, FX_PHYS)), -DMAMAP_EINVAL);
	fx_reason(io, DMA_REASON_OPS_AND_IOMMU);
	assert_int_equal(dma_device_route(io), DMA_ROUTE_IOMMU);
	assert_int_equal(dma_device_set_domain(ops, fx->domain[0]), -DMAMAP_EINVAL);
	fx_reason(ops, DMA_REASON_OPS_AND_IOMMU);
	assert_int_equal(dma_device_route(ops), DMA_ROUTE_OPS);
	fx_free(fx);
}

static void CAP_27_max_size_without_mask(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_mask_storage(dev, DMA_MASK_NONE), 0);
	assert_int_equal(dma_max_mapping_size(dev), 0);
	fx_free(fx);
}

/*
 * Not here:
 *   CAP-28  a build without DMA: this library has no such build; who has no DMA does not link it.
 */
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(CAP_1_mapping_error),
		cmocka_unit_test(CAP_2_bit_mask),
		cmocka_unit_test(CAP_3_get_mask),
		cmocka_unit_test(CAP_4_getters_without_parms),
		cmocka_unit_test(CAP_5_setters_without_parms),
		cmocka_unit_test(CAP_6_boundary_pages),
		cmocka_unit_test(CAP_7_set_mask_without_storage),
		cmocka_unit_test(CAP_8_set_both_masks),
		cmocka_unit_test(CAP_9_coerce),
		cmocka_unit_test(CAP_10_dummy_table_supports_no_mask),
		cmocka_unit_test(CAP_11_required_mask),
		cmocka_unit_test(CAP_12_required_mask_of_one_page),
		cmocka_unit_test(CAP_13_required_mask_elsewhere),
		cmocka_unit_test(CAP_14_addressing_limited),
		cmocka_unit_test(CAP_14_addressing_limited_31_bits),
		cmocka_unit_test(CAP_15_range_map_leaves_ram_out),
		cmocka_unit_test(CAP_16_supported_31_bits_with_zone),
		cmocka_unit_test(CAP_17_supported_below_zone),
		cmocka_unit_test(CAP_18_supported_last_byte),
		cmocka_unit_test(CAP_19_supported_32_bits_always),
		cmocka_unit_test(CAP_20_max_size_not_limited),
		cmocka_unit_test(CAP_21_max_size_when_bouncing),
		cmocka_unit_test(CAP_22_max_size_iommu),
		cmocka_unit_test(CAP_23_opt_size),
		cmocka_unit_test(CAP_23_opt_size_ops),
		cmocka_unit_test(CAP_24_merge_boundary),
		cmocka_unit_test(CAP_25_p2p_supported),
		cmocka_unit_test(CAP_26_ops_and_iommu),
		cmocka_unit_test(CAP_27_max_size_without_mask),
	};

	return FX_RUN(tests);
}
