/* SPDX-License-Identifier: BSD-2-Clause */
/* Address spaces of IOMMUs: nothing stays visible, leaks or is reused too early, not even in the wrong hands. */
#include "spec/fixture.h"

/** Part of a list is gone already: the rest is cut off all the same, invalidated, and given back. */
static void partly_unmapped_large_list(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	struct scatterlist sg[3];

	(void)state;
	sg_init_table(sg, 3);
	sg_set_phys(&sg[0], 0x100000, 32 * 4096);
	sg_set_phys(&sg[1], 0x200000, 32 * 4096);
	sg_set_phys(&sg[2], 0x300000, 32 * 4096);
	assert_int_equal(dma_map_sg(dev, sg, 3, BIDI), 3);
	dma_unmap_phys(dev, sg[0].dma_address + 32 * 4096, 32 * 4096, BIDI, 0);
	fx_clear(fx);
	dma_unmap_sg(dev, sg, 3, BIDI);
	fx_reason(dev, DMA_REASON_NOT_MAPPED);
	assert_true(fx_translate(fx, sg[0].dma_address) == ~0ull);
	assert_true(fx_translate(fx, sg[0].dma_address + 64 * 4096) == ~0ull);
	expect_count(fx, "U:invalidate", 2);
	expect_count(fx, "U:wait", 2);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	assert_int_equal(dma_device_live(dev), 0);
	fx_free(fx);
}

/** Part of a list cannot go: the driver is told, and the list is whole until it goes as a whole. */
static void part_of_a_list(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	struct scatterlist sg[3];

	(void)state;
	sg_init_table(sg, 3);
	sg_set_phys(&sg[0], 0x10000, 4096);
	sg_set_phys(&sg[1], 0x20000, 4096);
	sg_set_phys(&sg[2], 0x30000, 4096);
	assert_int_equal(dma_map_sg(dev, sg, 3, BIDI), 1);
	dma_unmap_phys(dev, sg[0].dma_address + 4096, 4096, BIDI, 0);
	fx_reason(dev, DMA_REASON_MAPPED_OTHERWISE);
	dma_unmap_sg(dev, sg, 2, BIDI);
	assert_true(fx_translate(fx, sg[0].dma_address + 4096) == 0x20000);
	fx_clear(fx);
	dma_unmap_sg(dev, sg, 3, BIDI);
	assert_true(fx_translate(fx, sg[0].dma_address) == ~0ull);
	assert_true(fx_translate(fx, sg[0].dma_address + 8192) == ~0ull);
	expect_count(fx, "U:invalidate", 1);
	expect_count(fx, "U:wait", 1);
	expect_count(fx, "warn", 0);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	assert_int_equal(dma_device_live(dev), 0);
	fx_free(fx);
}

/** The last byte of the address space is the failure value: no mapping may be given it. */
static void top_of_64_bits(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev;
	dma_addr_t addr;

	(void)state;
	fb->backend.caps.aperture_end = ~(uint64_t)0;
	dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));
	addr = dma_map_phys(dev, 0x1fff, 1, TO, 0);
	assert_true(addr == ~0ull - 4096);
	assert_int_equal(dma_mapping_error(dev, addr), 0);
	dma_unmap_phys(dev, addr, 1, TO, 0);
	assert_int_equal(fb->violations, 0);
	fx_free(fx);
}

/** An aperture that begins inside a granule does not have that granule. */
static void odd_aperture(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev;
	dma_addr_t addr;

	(void)state;
	fb->backend.caps.aperture_start = 0x10800;
	fb->backend.caps.aperture_end = 0x12800;
	dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));
	addr = dma_map_phys(dev, 0x1000, 4096, TO, 0);
	assert_int_equal(addr, 0x11000);
	assert_true(dma_map_phys(dev, 0x2000, 4096, TO, 0) == E);
	fx_reason(dev, DMA_REASON_NO_IOVA);
	dma_unmap_phys(dev, addr, 4096, TO, 0);
	fx_free(fx);
}

/** Empty tables that a lazy domain still holds go when it turns strict, before anything else can. */
static void strict_forgets_tables(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_domain *domain = fx_domain(fx, DMA_INVALIDATION_LAZY);
	struct dma_device *dev = fx_behind(fx, domain);
	struct dma_domain_stats before;
	struct dma_domain_stats after;
	dma_addr_t handle;
	void *ptr;

	(void)state;
	dma_domain_get_stats(domain, &before);
	ptr = dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL);
	assert_non_null(ptr);
	dma_free_coherent(dev, 4096, ptr, handle);
	fx_clear(fx);
	assert_int_equal(dma_device_set_untrusted(dev, true), 0);
	expect_count(fx, "U:flush", 1);
	dma_domain_get_stats(domain, &after);
	assert_int_equal(after.table_bytes, before.table_bytes);
	assert_int_equal(after.invalidation, DMA_INVALIDATION_STRICT);
	fx_free(fx);
}

/** A time-out that never comes is not one that came long ago. */
static void flush_never(void **state)
{
	const struct dma_domain_config config = { .size = sizeof(config),
						  .invalidation = DMA_INVALIDATION_LAZY,
						  .flush_ns = ~(uint64_t)0 };
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev;

	(void)state;
	fx->now = 1000;
	assert_int_equal(dma_domain_create(&fx->host, &fb->backend, &config, &fx->domain[0]), 0);
	fx->nr_domain = 1;
	dev = fx_behind(fx, fx->domain[0]);
	for (int i = 0; i < 10; i++)
		dma_unmap_phys(dev, dma_map_phys(dev, 0x1000, 16, TO, 0), 16, TO, 0);
	dma_poll(&fx->host);
	expect_count(fx, "B:flush", 0);
	fx_free(fx);
}

/** Without a pool nothing bounced, and nothing says that it did. */
static void no_pool_no_bounce(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);

	(void)state;
	assert_int_equal(dma_device_set_untrusted(dev, true), 0);
	assert_int_equal(dma_device_set_bounce(dev, NULL), 0);
	fx_clear(fx);
	assert_true(dma_map_phys(dev, 0x1010, 16, TO, 0) == E);
	fx_reason(dev, DMA_REASON_NO_BOUNCE_POOL);
	expect_count(fx, "T:bounced", 0);
	expect_count(fx, "T:map_phys", 1);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(partly_unmapped_large_list),
		cmocka_unit_test(part_of_a_list),
		cmocka_unit_test(top_of_64_bits),
		cmocka_unit_test(odd_aperture),
		cmocka_unit_test(strict_forgets_tables),
		cmocka_unit_test(flush_never),
		cmocka_unit_test(no_pool_no_bounce),
	};

	return FX_RUN(tests);
}
