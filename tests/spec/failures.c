/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every allocation made to fail, one at a time: each scenario is run once for each page request it makes, and that
 * request fails. Then exactly the call that made it fails, with a reason and a trace; nothing is half done; the same
 * call succeeds right after; at the end nothing leaked (fx_free()).
 */
#include "each.h"

static int attach(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int domain_id,
		  phys_addr_t root, unsigned int levels)
{
	(void)unit, (void)dev, (void)domain_id, (void)root, (void)levels;
	return 0;
}

static void detach(struct dma_iommu_unit *unit, struct dma_device *dev)
{
	(void)unit, (void)dev;
}

static void invalidate(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
		       uint64_t len, bool leaf_only)
{
	(void)unit, (void)domain_id, (void)iova, (void)len, (void)leaf_only;
}

static void wait(struct dma_iommu_unit *unit)
{
	(void)unit;
}

static const struct dma_iommu_unit_ops quiet_unit = {
	.size = sizeof(quiet_unit),
	.attach = attach,
	.detach = detach,
	.invalidate = invalidate,
	.wait = wait,
};

static int create_backend(struct run *run, struct dma_iommu_unit *unit,
			  struct dma_backend **backend)
{
	const struct dma_pt_config pt = {
		.size = sizeof(pt),
		.format = DMA_PT_VTD_SECOND_STAGE,
		.levels = 4,
		.output_bits = 46,
		.page_sizes = MIB(2) | GIB(1),
		.coherent_walk = true,
		.unit = unit,
		.domain_id = 7,
	};

	return dma_pt_backend_create(&run->fx->host, &pt, backend);
}

static struct dma_device *behind(struct run *run, enum dma_invalidation invalidation)
{
	const struct dma_domain_config config = { .size = sizeof(config),
						  .invalidation = invalidation };
	struct fx *fx = run->fx;
	uint64_t before = fx->live_pages;
	struct dma_domain **domain = &fx->domain[fx->nr_domain];
	struct dma_iommu_unit *unit = &fx->unit[fx->nr_domain].unit;
	struct dma_backend *backend;
	struct dma_device *dev;

	unit->ops = &quiet_unit;
	if (create_backend(run, unit, &backend)) {
		assert_int_equal(fx->live_pages, before);
		run->failures++;
		assert_int_equal(create_backend(run, unit, &backend), 0);
	}
	before = fx->live_pages;
	if (dma_domain_create(&fx->host, backend, &config, domain)) {
		assert_int_equal(fx->live_pages, before);
		run->failures++;
		assert_int_equal(dma_domain_create(&fx->host, backend, &config, domain), 0);
	}
	fx->nr_domain++;
	dev = fx_device(fx);
	before = fx->live_pages;
	if (dma_device_set_domain(dev, *domain)) {
		fx_reason(dev, DMA_REASON_NO_MEMORY);
		assert_int_equal(fx->live_pages, before);
		run->failures++;
		assert_int_equal(dma_device_set_domain(dev, *domain), 0);
	}
	return dev;
}

static void make_list(struct scatterlist *sgl, unsigned int n, uint64_t phys)
{
	sg_init_table(sgl, n);
	for (unsigned int i = 0; i < n; i++)
		sg_set_phys(&sgl[i], phys + (uint64_t)i * 0x20000 + i * 64, 0x9000);
}

/* --- scenarios */

static void iommu(struct run *run, enum dma_invalidation invalidation)
{
	struct dma_device *dev = behind(run, invalidation);
	struct dma_domain *domain = run->fx->domain[0];
	struct scatterlist sgl[40];
	dma_addr_t handle[2];
	dma_addr_t addr[5];
	void *mem[2];

	assert_int_equal(dma_set_seg_boundary(dev, 0xffff), 0);
	addr[0] = run_map(run, dev, 0x5000, 0x1000, 0);
	addr[1] = run_map(run, dev, 0x12345678, 0x3456, 0);
	addr[2] = run_map(run, dev, 0x40000000, MIB(4), 0);
	addr[3] = run_map(run, dev, 0x40001000, MIB(4), 0);
	addr[4] = run_map(run, dev, 0xf0000000, 0x10000, DMA_ATTR_MMIO);
	make_list(sgl, 40, 0x50000000);
	run_map_list(run, dev, sgl, 40);
	mem[0] = run_alloc(run, dev, 0x3000, &handle[0], GFP_KERNEL);
	mem[1] = run_alloc(run, dev, 0x1000, &handle[1], GFP_ATOMIC);
	dma_unmap_phys(dev, addr[1], 0x3456, BIDI, 0);
	dma_unmap_phys(dev, addr[3], MIB(4), BIDI, 0);
	dma_free_coherent(dev, 0x3000, mem[0], handle[0]);
	dma_unmap_sg(dev, sgl, 40, BIDI);
	dma_unmap_phys(dev, addr[0], 0x1000, BIDI, 0);
	dma_unmap_phys(dev, addr[2], MIB(4), BIDI, 0);
	dma_free_coherent(dev, 0x1000, mem[1], handle[1]);
	dma_unmap_phys(dev, addr[4], 0x10000, BIDI, DMA_ATTR_MMIO);
	dma_domain_flush(domain);
	assert_int_equal(fx_iova_bytes(domain), 0);
	assert_int_equal(dma_device_live(dev), 0);
}

static void iommu_strict(struct run *run)
{
	iommu(run, DMA_INVALIDATION_STRICT);
}

static void iommu_lazy(struct run *run)
{
	iommu(run, DMA_INVALIDATION_LAZY);
}

/* An address space in many places, so that its own bookkeeping has to grow. */
static void iommu_reserved(struct run *run)
{
	struct dma_device *dev = behind(run, DMA_INVALIDATION_STRICT);
	struct dma_domain *domain = run->fx->domain[0];
	dma_addr_t addr[16];

	for (unsigned int i = 0; i < 8; i++) {
		uint64_t at = 0x800000000000ull >> i;

		if (dma_domain_reserve(domain, at, 0x3000) == 0)
			continue;
		run->failures++;
		assert_int_equal(dma_domain_reserve(domain, at, 0x3000), 0);
	}
	for (unsigned int i = 0; i < 16; i++) {
		assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(32 + i)), 0);
		addr[i] = run_map(run, dev, 0x5000, 0x1000, 0);
		assert_true(addr[i] <= DMA_BIT_MASK(32 + i));
	}
	for (unsigned int i = 0; i < 16; i++)
		dma_unmap_phys(dev, addr[i], 0x1000, BIDI, 0);
	assert_int_equal(fx_iova_bytes(domain), 0);
}

static void untrusted(struct run *run)
{
	struct dma_bounce *slots = run_pool(run, MIB(1), 0);
	struct dma_device *dev = behind(run, DMA_INVALIDATION_LAZY);
	struct scatterlist sgl[4];
	dma_addr_t addr[2];

	assert_int_equal(dma_device_set_untrusted(dev, true), 0);
	assert_int_equal(dma_device_set_bounce(dev, slots), 0);
	addr[0] = run_map(run, dev, 0x80000234, 0x100, 0);
	addr[1] = run_map(run, dev, 0x80010234, 0x2000, 0);
	make_list(sgl, 4, 0x50000010);
	run_map_list(run, dev, sgl, 4);
	dma_unmap_sg(dev, sgl, 4, BIDI);
	dma_unmap_phys(dev, addr[0], 0x100, BIDI, 0);
	dma_unmap_phys(dev, addr[1], 0x2000, BIDI, 0);
	assert_int_equal(fx_pool_used(slots), 0);
	assert_int_equal(fx_iova_bytes(run->fx->domain[0]), 0);
}

static void bounced(struct run *run)
{
	struct dma_bounce *slots = run_pool(run, MIB(1), 0);
	struct dma_device *dev = fx_device(run->fx);
	struct scatterlist sgl[4];
	dma_addr_t handle;
	dma_addr_t addr;
	void *mem;

	assert_int_equal(dma_device_set_bounce(dev, slots), 0);
	assert_int_equal(dma_device_set_force_bounce(dev, true), 0);
	addr = run_map(run, dev, 0x80000234, 0x100, 0);
	make_list(sgl, 4, 0x50000010);
	run_map_list(run, dev, sgl, 4);
	mem = run_alloc(run, dev, 0x3000, &handle, GFP_KERNEL);
	dma_unmap_sg(dev, sgl, 4, BIDI);
	dma_unmap_phys(dev, addr, 0x100, BIDI, 0);
	dma_free_coherent(dev, 0x3000, mem, handle);
	assert_int_equal(fx_pool_used(slots), 0);
}

/* --- one failure after the other */

static void strict_domain(void **state)
{
	(void)state;
	assert_true(each_fails_in_turn(NULL, iommu_strict) > 10);
}

static void lazy_domain(void **state)
{
	(void)state;
	assert_true(each_fails_in_turn(NULL, iommu_lazy) > 10);
}

static void reserved_regions(void **state)
{
	(void)state;
	assert_true(each_fails_in_turn(NULL, iommu_reserved) > 5);
}

static void untrusted_device(void **state)
{
	(void)state;
	assert_true(each_fails_in_turn(NULL, untrusted) > 5);
}

static void bouncing_device(void **state)
{
	(void)state;
	assert_true(each_fails_in_turn(NULL, bounced) > 2);
}

/* All memory gone for a while: every call says so, what lives can be unmapped, and afterwards all is well. */
static void no_memory_at_all(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	dma_addr_t addr = dma_map_phys(dev, 0x5000, 0x1000, TO, 0);
	dma_addr_t handle;

	(void)state;
	fx->fail_all = true;
	/* Far away from the first map, so that tables are missing. */
	assert_int_equal(dma_map_resource(dev, 1ull << 40, 1ull << 40, TO, 0), E);
	fx_reason(dev, DMA_REASON_NO_MEMORY);
	assert_null(dma_alloc_coherent(dev, 0x1000, &handle, GFP_KERNEL));
	fx_reason(dev, DMA_REASON_NO_MEMORY);
	dma_unmap_phys(dev, addr, 0x1000, TO, 0);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	expect_count(fx, "warn", 0);
	fx->fail_all = false;
	addr = dma_map_phys(dev, 0x5000, 0x1000, TO, 0);
	assert_int_not_equal(addr, E);
	dma_unmap_phys(dev, addr, 0x1000, TO, 0);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strict_domain),    cmocka_unit_test(lazy_domain),
		cmocka_unit_test(reserved_regions), cmocka_unit_test(untrusted_device),
		cmocka_unit_test(bouncing_device),  cmocka_unit_test(no_memory_at_all),
	};

	return FX_RUN(tests);
}
