/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that do not snoop: what is cleaned and invalidated, in which order with copies, and that the host is asked to
 * wait once a call (P10). Also coherent memory for such devices behind an IOMMU, and failures on the way.
 */
#include "fixture.h"

static const struct fx_config batched = { .noncoherent = true, .batched = true };

static void single_direct(void **state)
{
	struct fx *fx = fx_new(&batched);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t addr = dma_map_phys(dev, 0x1040, 0x80, BIDI, 0);

	(void)state;
	expect_order(fx, "for-device flush sanitize T:map_phys");
	fx_clear(fx);
	dma_sync_single_for_cpu(dev, addr + 0x10, 0x20, BIDI);
	expect_order(fx, "for-cpu flush for-cpu-all T:sync_cpu");
	assert_int_equal(fx_get(fx, "for-cpu", 0)->addr, 0x1050);
	assert_int_equal(fx_get(fx, "for-cpu", 0)->size, 0x20);
	fx_clear(fx);
	dma_sync_single_for_device(dev, addr + 0x10, 0x20, BIDI);
	expect_order(fx, "for-device flush T:sync_device");
	assert_int_equal(fx_get(fx, "for-device", 0)->addr, 0x1050);
	fx_clear(fx);
	dma_unmap_phys(dev, addr, 0x80, BIDI, 0);
	expect_order(fx, "for-cpu flush for-cpu-all T:unmap_phys");
	fx_free(fx);
}

static void single_bounced(void **state)
{
	struct fx *fx = fx_new(&batched);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	assert_int_equal(dma_device_set_force_bounce(dev, true), 0);
	addr = dma_map_phys(dev, 0x80001000, 0x80, BIDI, 0);
	expect_order(fx, "T:bounced copy for-device flush sanitize T:map_phys");
	fx_clear(fx);
	dma_sync_single_for_cpu(dev, addr + 0x10, 0x20, BIDI);
	expect_order(fx, "for-cpu flush for-cpu-all copy T:sync_cpu");
	assert_int_equal(fx_get(fx, "for-cpu", 0)->addr, FX_POOL + 0x10);
	assert_int_equal(fx_get(fx, "copy", 0)->addr, 0x80001010);
	assert_int_equal(fx_get(fx, "copy", 0)->size, 0x20);
	fx_clear(fx);
	dma_sync_single_for_device(dev, addr + 0x10, 0x20, BIDI);
	expect_order(fx, "copy for-device flush T:sync_device");
	assert_int_equal(fx_get(fx, "copy", 0)->addr, FX_POOL + 0x10);
	dma_unmap_phys(dev, addr, 0x80, BIDI, 0);
	fx_free(fx);
}

static void make_list(struct scatterlist *sgl)
{
	sg_init_table(sgl, 3);
	for (unsigned int i = 0; i < 3; i++)
		sg_set_phys(&sgl[i], 0x80000000 + i * 0x3000, 0x1000);
}

/** Three elements maintained one by one, each with its own range, and waited for once. */
static void expect_maintenance(struct fx *fx, const char *what, const struct scatterlist *sgl)
{
	expect_count(fx, what, 3);
	expect_count(fx, "flush", 1);
	assert_true(fx_before(fx, what, "flush"));
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(fx_get(fx, what, i)->addr, sg_phys(&sgl[i]));
		assert_int_equal(fx_get(fx, what, i)->size, sgl[i].length);
	}
	fx_clear(fx);
}

static void list_waits_once(struct fx *fx, struct dma_device *dev)
{
	struct scatterlist sgl[3];

	make_list(sgl);
	fx_clear(fx);
	assert_true(dma_map_sg(dev, sgl, 3, BIDI) > 0);
	expect_maintenance(fx, "for-device", sgl);
	dma_sync_sg_for_cpu(dev, sgl, 3, BIDI);
	expect_count(fx, "for-cpu-all", 1);
	expect_maintenance(fx, "for-cpu", sgl);
	dma_sync_sg_for_device(dev, sgl, 3, BIDI);
	expect_maintenance(fx, "for-device", sgl);
	dma_unmap_sg(dev, sgl, 3, BIDI);
	expect_count(fx, "for-cpu", 3);
	fx_clear(fx);
	/* And not at all if the driver does it. */
	assert_true(dma_map_sg_attrs(dev, sgl, 3, BIDI, DMA_ATTR_SKIP_CPU_SYNC) > 0);
	dma_unmap_sg_attrs(dev, sgl, 3, BIDI, DMA_ATTR_SKIP_CPU_SYNC);
	expect_count(fx, "for-device", 0);
	expect_count(fx, "for-cpu", 0);
	expect_count(fx, "flush", 0);
	/* The records carry the attributes. */
	assert_int_equal(fx_get(fx, "T:map_sg", 0)->attrs, DMA_ATTR_SKIP_CPU_SYNC);
	assert_int_equal(fx_get(fx, "T:unmap_sg", 0)->attrs, DMA_ATTR_SKIP_CPU_SYNC);
}

static void list_direct(void **state)
{
	struct fx *fx = fx_new(&batched);

	(void)state;
	list_waits_once(fx, fx_device(fx));
	fx_free(fx);
}

static void list_iommu(void **state)
{
	struct fx *fx = fx_new(&batched);

	(void)state;
	list_waits_once(fx, fx_io(fx));
	fx_free(fx);
}

static void list_bounced(void **state)
{
	struct fx *fx = fx_new(&batched);
	struct dma_device *dev = fx_device(fx);
	struct scatterlist sgl[3];

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	assert_int_equal(dma_device_set_force_bounce(dev, true), 0);
	make_list(sgl);
	assert_int_equal(dma_map_sg(dev, sgl, 3, FROM), 3);
	expect_count(fx, "flush", 1);
	fx_clear(fx);
	dma_sync_sg_for_cpu(dev, sgl, 3, FROM);
	/* What is invalidated must be so before the first byte is copied back. */
	expect_order(fx, "for-cpu for-cpu for-cpu flush for-cpu-all copy copy copy T:sync_sg_cpu");
	fx_clear(fx);
	dma_unmap_sg(dev, sgl, 3, FROM);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(fx_get(fx, "copy", i)->addr, sg_phys(&sgl[i]));
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	fx_free(fx);
}

static void single_iommu(void **state)
{
	struct fx *fx = fx_new(&batched);
	struct dma_device *dev = fx_io(fx);
	dma_addr_t addr = dma_map_phys(dev, 0x1040, 0x80, FROM, 0);

	(void)state;
	assert_true(fx_before(fx, "for-device", "flush"));
	assert_true(fx_before(fx, "flush", "T:iommu_map"));
	assert_int_equal(fx_get(fx, "for-device", 0)->addr, 0x1040);
	fx_clear(fx);
	dma_sync_single_for_cpu(dev, addr + 0x20, 0x10, FROM);
	expect_order(fx, "for-cpu flush for-cpu-all T:sync_cpu");
	assert_int_equal(fx_get(fx, "for-cpu", 0)->addr, 0x1060);
	fx_clear(fx);
	dma_unmap_phys(dev, addr, 0x80, FROM, 0);
	assert_true(fx_before(fx, "for-cpu-all", "U:invalidate"));
	fx_free(fx);
}

/* --- coherent memory of such a device behind an IOMMU */

static void iommu_memory_is_uncached(void **state)
{
	const struct fx_config config = { .noncoherent = true, .uncached = true };
	struct fx *fx = fx_new(&config);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));
	dma_addr_t handle;
	void *mem = dma_alloc_coherent(dev, 0x2000, &handle, GFP_KERNEL);

	(void)state;
	assert_non_null(mem);
	assert_true(fx_before(fx, "prepare", "uncached"));
	assert_true(fx_before(fx, "uncached", "B:map"));
	assert_int_equal(fx_get(fx, "B:map", 0)->extra, DMA_PROT_READ | DMA_PROT_WRITE);
	fx_clear(fx);
	dma_free_coherent(dev, 0x2000, mem, handle);
	assert_true(fx_before(fx, "B:wait", "unmap-uncached"));
	/* A map that fails gives everything back. */
	fb->map_result = -DMAMAP_ENOMEM;
	fx_clear(fx);
	assert_null(dma_alloc_coherent(dev, 0x2000, &handle, GFP_KERNEL));
	fx_reason(dev, DMA_REASON_NO_MEMORY);
	expect_count(fx, "unmap-uncached", 1);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

static void iommu_memory_without_uncached(void **state)
{
	struct fx *fx = fx_new(&batched);
	struct dma_device *dev = fx_io(fx);
	uint64_t pages = fx->live_pages;
	dma_addr_t handle;

	(void)state;
	assert_null(dma_alloc_coherent(dev, 0x2000, &handle, GFP_KERNEL));
	fx_reason(dev, DMA_REASON_NO_UNCACHED);
	assert_int_equal(fx->live_pages, pages);
	fx_free(fx);
}

/* --- bounces that come to nothing */

/* The driver's buffer is not touched by a map that fails after its copy was made. */
static void failed_map_copies_nothing_back(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));
	struct dma_bounce *pool = fx_pool(fx);

	(void)state;
	assert_int_equal(dma_device_set_untrusted(dev, true), 0);
	assert_int_equal(dma_device_set_bounce(dev, pool), 0);
	fb->map_result = -DMAMAP_ENOMEM;
	fx_clear(fx);
	assert_int_equal(dma_map_phys(dev, 0x80000234, 0x100, FROM, 0), E);
	fx_reason(dev, DMA_REASON_NO_MEMORY);
	expect_count(fx, "copy", 1);
	assert_int_equal(fx_pool_used(pool), 0);
	fx_free(fx);
}

/* C23: a pool that the device cannot reach is said to be just that, and not to be full. */
static void pool_out_of_reach(void **state)
{
	static const struct dma_range high[] = { { 0x80000000, 0, 0x40000000 }, { 0, 0, 0 } };
	struct fx *fx = fx_new(NULL);
	struct dma_device *window = fx_device(fx);
	struct dma_device *limit = fx_device(fx);
	struct dma_bounce *pool = fx_pool(fx);

	(void)state;
	assert_int_equal(dma_device_set_range_map(window, high), 0);
	assert_int_equal(dma_device_set_bus_limit(limit, 0xfffff), 0);
	assert_int_equal(dma_device_set_bounce(window, pool), 0);
	assert_int_equal(dma_device_set_bounce(limit, pool), 0);
	assert_int_equal(dma_map_phys(window, 0x1000, 0x100, TO, 0), E);
	fx_reason(window, DMA_REASON_BOUNCE_UNREACHABLE);
	assert_int_equal(dma_map_phys(limit, 0x100000, 0x100, TO, 0), E);
	fx_reason(limit, DMA_REASON_BOUNCE_UNREACHABLE);
	assert_int_equal(fx_pool_used(pool), 0);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_direct),
		cmocka_unit_test(single_bounced),
		cmocka_unit_test(list_direct),
		cmocka_unit_test(list_iommu),
		cmocka_unit_test(list_bounced),
		cmocka_unit_test(single_iommu),
		cmocka_unit_test(iommu_memory_is_uncached),
		cmocka_unit_test(iommu_memory_without_uncached),
		cmocka_unit_test(failed_map_copies_nothing_back),
		cmocka_unit_test(pool_out_of_reach),
	};

	return FX_RUN(tests);
}
