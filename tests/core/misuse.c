/* SPDX-License-Identifier: BSD-2-Clause */
/* What callers get wrong is told, and costs nobody else anything. */
#include "spec/fixture.h"

/** Flags that an element brings along from another life do not hide its mapping from the unmap. */
static void stale_flags(void **state)
{
	struct fx *fx = fx_new(&(struct fx_config){ .force_bounce = true });
	struct dma_device *dev = fx_device(fx);
	struct dma_bounce *pool = fx_pool(fx);
	struct scatterlist sg[2];

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, pool), 0);
	sg_init_table(sg, 2);
	sg_set_phys(&sg[0], 0x1000, 64);
	sg_set_phys(&sg[1], 0x3000, 64);
	sg[1].dma_flags = DMAMAP_SG_BUS_ADDRESS;
	assert_int_equal(dma_map_sg(dev, sg, 2, TO), 2);
	dma_unmap_sg(dev, sg, 2, TO);
	assert_int_equal(fx_pool_used(pool), 0);
	fx_free(fx);
}

/** One attribute cannot speak for every element: a list with DMA_ATTR_MMIO is refused, and hides no slot at the unmap. */
static void list_of_mmio(void **state)
{
	struct fx *fx = fx_new(&(struct fx_config){ .force_bounce = true, .noncoherent = true });
	struct dma_device *dev = fx_device(fx);
	struct dma_bounce *pool = fx_pool(fx);
	struct scatterlist sg[1];

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, pool), 0);
	sg_init_table(sg, 1);
	sg_set_phys(sg, 0x1000, 64);
	assert_int_equal(dma_map_sg_attrs(dev, sg, 1, TO, DMA_ATTR_MMIO), 0);
	fx_reason(dev, DMA_REASON_BAD_ARGUMENT);
	expect_count(fx, "T:map_sg_err", 1);
	expect_count(fx, "sanitize", 0);
	expect_count(fx, "for-device", 0);
	assert_int_equal(dma_map_sg(dev, sg, 1, TO), 1);
	dma_unmap_sg_attrs(dev, sg, 1, TO, DMA_ATTR_MMIO);
	assert_int_equal(fx_pool_used(pool), 0);
	fx_free(fx);
}

/** No page, and an offset that wraps, are refused inline and not: also where the inline path would add them up. */
static void no_page(void **state)
{
	struct page *page = dmamap_phys_to_page(0x5000);

	(void)state;
	for (int quiet = 0; quiet < 2; quiet++) {
		struct fx *fx = fx_new(&(struct fx_config){ .quiet = quiet, .no_sanitize = true });
		struct dma_device *dev = fx_device(fx);

		assert_int_equal(dma_map_page(dev, page, 0x10, 0x20, TO), 0x5010); /* arms it */
		assert_int_equal(dma_map_page(dev, NULL, 0, 16, TO), E);
		fx_reason(dev, DMA_REASON_BAD_ARGUMENT);
		assert_int_equal(dma_map_page(dev, NULL, 0x6000, 16, TO), E);
		fx_reason(dev, DMA_REASON_BAD_ARGUMENT);
		assert_int_equal(dma_map_page(dev, page, ~(size_t)0xfff, 16, TO), E);
		fx_reason(dev, DMA_REASON_ADDRESS_WRAP);
		/* The same address by its number is an address like any other. */
		assert_int_equal(dma_map_phys(dev, ~(phys_addr_t)0xfff, 16, TO, 0),
				 ~(dma_addr_t)0xfff);
		assert_int_equal(dma_map_page(dev, page, 0x3000, 16, TO), 0x8000);
		expect_count(fx, "T:map_phys", quiet ? 0 : 6);
		fx_free(fx);
	}
}

/** Whoever follows a record's list never counts from a negative number. */
static void negative_count(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	struct scatterlist sg[1];

	(void)state;
	sg_init_table(sg, 1);
	sg_set_phys(sg, 0x1000, 64);
	assert_int_equal(dma_map_sg(dev, sg, -1, BAD_DIR), 0);
	assert_int_equal(fx_get(fx, "T:map_sg_err", 0)->event.nents, 0);
	dma_unmap_sg(dev, sg, -1, BAD_DIR);
	assert_int_equal(fx_get(fx, "T:unmap_sg", 0)->event.nents, 0);
	fx_free(fx);
}

/** Shared memory is refused on the way out as on the way in; a platform is not asked for it. */
static void shared_memory(void **state)
{
	struct fx *fx = fx_new(&(struct fx_config){ .arch = true });
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS);

	(void)state;
	fx->arch_answer = true;
	assert_true(dma_map_phys(dev, 0x1000, 16, TO, DMA_ATTR_CC_SHARED) == E);
	fx_reason(dev, DMA_REASON_CC_SHARED);
	fx_clear(fx);
	dma_unmap_phys(dev, 0x1000, 16, TO, DMA_ATTR_CC_SHARED);
	expect_count(fx, "A:unmap", 0);
	expect_count(fx, "M:unmap_phys", 0);
	expect_count(fx, "T:unmap_phys", 1);
	fx_free(fx);
}

/** The mask in a refused allocation's record is the one that allocations have. */
static void alloc_names_its_mask(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	struct dma_error err;
	dma_addr_t handle;

	(void)state;
	assert_int_equal(dma_set_coherent_mask(dev, DMA_BIT_MASK(24)), 0);
	fx->fail_all = true;
	assert_null(dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL));
	fx->fail_all = false;
	assert_int_equal(dma_last_error(dev, &err), 0);
	assert_int_equal(err.reason, DMA_REASON_NO_MEMORY);
	assert_true(err.mask == DMA_BIT_MASK(24));
	fx_free(fx);
}

/** Memory that is given back twice is given back once. */
static void one_free_too_many(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;
	void *ptr = dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL);

	(void)state;
	assert_non_null(ptr);
	dma_free_coherent(dev, 4096, ptr, handle);
	dma_free_coherent(dev, 4096, ptr, handle);
	fx_reason(dev, DMA_REASON_NOT_ALLOCATED);
	assert_int_equal(fx->bad_frees, 0);
	assert_int_equal(dma_device_live(dev), 0);
	fx_free(fx);
}

/** A driver that unmaps in halves what it mapped whole is told, and loses nothing by it. */
static void halves_of_a_mapping(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	dma_addr_t addr = dma_map_phys(dev, 0x10000, 8192, TO, 0);

	(void)state;
	dma_unmap_phys(dev, addr, 4096, TO, 0);
	fx_reason(dev, DMA_REASON_MAPPED_OTHERWISE);
	dma_unmap_phys(dev, addr + 4096, 4096, TO, 0);
	fx_reason(dev, DMA_REASON_MAPPED_OTHERWISE);
	assert_int_equal(fx_translate(fx, addr), 0x10000);
	assert_int_equal(fx_translate(fx, addr + 4096), 0x11000);
	assert_int_equal(dma_device_live(dev), 1);
	dma_unmap_phys(dev, addr, 8192, TO, 0);
	assert_int_equal(dma_device_live(dev), 0);
	fx_free(fx);
}

/** The same for what is too large for windows: parts go, and no device is left that can never be ended. */
static void halves_of_a_large_mapping(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	dma_addr_t addr = dma_map_phys(dev, 0x100000, MIB(1), TO, 0);

	(void)state;
	dma_unmap_phys(dev, addr, KIB(512), TO, 0);
	dma_unmap_phys(dev, addr + KIB(512), KIB(512), TO, 0);
	assert_int_equal(dma_device_live(dev), 0);
	fx_free(fx);
}

/** A reason has one error value, whichever call it comes from. */
static void reasons_have_one_error(void **state)
{
	struct fx *fx = fx_new(&(struct fx_config){ .noncoherent = true });
	struct dma_device *dev = fx_io(fx);
	struct dma_error err;

	(void)state;
	assert_true(dma_map_phys(dev, 0x1000, 16, TO, DMA_ATTR_REQUIRE_COHERENT) == E);
	assert_int_equal(dma_last_error(dev, &err), 0);
	assert_int_equal(err.err, -DMAMAP_EOPNOTSUPP);
	assert_true(dma_map_phys(dev, 0x1000, 16, TO, DMA_ATTR_CC_SHARED) == E);
	assert_int_equal(dma_last_error(dev, &err), 0);
	assert_int_equal(err.err, -DMAMAP_EINVAL);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stale_flags),
		cmocka_unit_test(list_of_mmio),
		cmocka_unit_test(no_page),
		cmocka_unit_test(negative_count),
		cmocka_unit_test(shared_memory),
		cmocka_unit_test(alloc_names_its_mask),
		cmocka_unit_test(one_free_too_many),
		cmocka_unit_test(halves_of_a_mapping),
		cmocka_unit_test(halves_of_a_large_mapping),
		cmocka_unit_test(reasons_have_one_error),
	};

	return FX_RUN(tests);
}
