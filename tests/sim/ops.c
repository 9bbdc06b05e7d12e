/* SPDX-License-Identifier: BSD-2-Clause */
/* The simulated machine's method tables and its arch-direct predicates, called as the library calls them. */
#include "machine.h"

#define OFFSET (1ull << 40)

struct fx {
	struct sim_machine *m;
	struct sim_device *device;
	struct dma_device *dev;
	phys_addr_t buf;
};

static void setup(struct fx *fx, bool noncoherent)
{
	fx->m = start_machine(noncoherent);
	fx->device = add_device(fx->m, "dev", 0);
	fx->dev = sim_dma(fx->device);
	sim_device_set_offset(fx->device, OFFSET);
	fx->buf = sim_alloc(fx->m, 4096, 4096, 0, 0xffffffff);
	assert_true(fx->buf != DMAMAP_PHYS_NONE);
}

static void teardown(struct fx *fx)
{
	assert_int_equal(sim_device_destroy(fx->device), 0);
	end_machine(fx->m);
}

static void expect_method(struct fx *fx, const char *name)
{
	assert_string_equal(sim_last_method(fx->device), name);
	sim_reset_method(fx->device);
	assert_null(sim_last_method(fx->device));
}

static void tables_have_their_members(void **state)
{
	const struct dma_map_ops *phys = sim_ops(SIM_OPS_PHYS);
	const struct dma_map_ops *page = sim_ops(SIM_OPS_PAGE);
	const struct dma_map_ops *only = sim_ops(SIM_OPS_PAGE_ONLY);
	const struct dma_map_ops *all = sim_ops(SIM_OPS_ALL);

	(void)state;
	assert_true(phys->map_phys && phys->unmap_phys && !phys->map_page && !phys->map_resource);
	assert_true(page->map_page && page->unmap_page && page->map_resource && !page->map_phys);
	assert_true(only->map_page && only->unmap_page && !only->map_resource && !only->map_phys);
	assert_true(all->map_phys && all->map_page && all->map_resource && all->dma_supported);
	assert_true(phys->map_sg && phys->sync_sg_for_device && phys->alloc && phys->free);
	assert_null(sim_ops((enum sim_ops_kind)9));
}

static void the_library_accepts_them(void **state)
{
	struct fx fx;

	(void)state;
	setup(&fx, false);
	for (int kind = SIM_OPS_PHYS; kind <= SIM_OPS_ALL; kind++)
		assert_int_equal(dma_device_set_ops(fx.dev, sim_ops((enum sim_ops_kind)kind)), 0);
	teardown(&fx);
}

static void single_mappings(void **state)
{
	const struct dma_map_ops *ops = sim_ops(SIM_OPS_ALL);
	struct page *page;
	struct fx fx;

	(void)state;
	setup(&fx, false);
	page = dmamap_phys_to_page(fx.buf);
	assert_true(ops->map_phys(fx.dev, fx.buf + 5, 8, DMA_TO_DEVICE, 0) == fx.buf + 5 + OFFSET);
	expect_method(&fx, "map_phys");
	ops->unmap_phys(fx.dev, fx.buf + 5 + OFFSET, 8, DMA_TO_DEVICE, 0);
	expect_method(&fx, "unmap_phys");
	assert_true(ops->map_page(fx.dev, page, 9, 8, DMA_TO_DEVICE, 0) == fx.buf + 9 + OFFSET);
	expect_method(&fx, "map_page");
	ops->unmap_page(fx.dev, fx.buf + 9 + OFFSET, 8, DMA_TO_DEVICE, 0);
	expect_method(&fx, "unmap_page");
	assert_true(ops->map_resource(fx.dev, BAR_BASE, 8, DMA_TO_DEVICE, DMA_ATTR_MMIO) ==
		    BAR_BASE + OFFSET);
	expect_method(&fx, "map_resource");
	ops->unmap_resource(fx.dev, BAR_BASE + OFFSET, 8, DMA_TO_DEVICE, DMA_ATTR_MMIO);
	expect_method(&fx, "unmap_resource");
	device_fill(fx.device, fx.buf + OFFSET, 8, 3);
	expect_cpu(fx.m, fx.buf, 8, 3);
	teardown(&fx);
}

/** On a noncoherent machine the table does the maintenance: for RAM, unless it is told not to. */
static void maintenance(void **state)
{
	const struct dma_map_ops *ops = sim_ops(SIM_OPS_ALL);
	struct sim_counters c;
	dma_addr_t addr;
	struct fx fx;

	(void)state;
	setup(&fx, true);
	cpu_fill(fx.m, fx.buf, 64, 1);
	addr = ops->map_phys(fx.dev, fx.buf, 64, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	expect_read(fx.device, addr, 64, 0);
	ops->sync_single_for_device(fx.dev, addr, 64, DMA_BIDIRECTIONAL);
	expect_read(fx.device, addr, 64, 1);
	device_fill(fx.device, addr, 64, 2);
	ops->unmap_phys(fx.dev, addr, 64, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	expect_cpu(fx.m, fx.buf, 64, 1);
	ops->sync_single_for_cpu(fx.dev, addr, 64, DMA_BIDIRECTIONAL);
	expect_cpu(fx.m, fx.buf, 64, 2);
	cpu_fill(fx.m, fx.buf, 64, 3);
	addr = ops->map_phys(fx.dev, fx.buf, 64, DMA_BIDIRECTIONAL, 0);
	expect_read(fx.device, addr, 64, 3);
	device_fill(fx.device, addr, 64, 4);
	ops->unmap_phys(fx.dev, addr, 64, DMA_BIDIRECTIONAL, 0);
	expect_cpu(fx.m, fx.buf, 64, 4);
	sim_get_counters(fx.m, &c);
	assert_true(c.cache_for_device == 2 && c.cache_for_cpu == 2);
	addr = ops->map_phys(fx.dev, BAR_BASE, 64, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	ops->unmap_phys(fx.dev, addr, 64, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	addr = ops->map_resource(fx.dev, BAR_BASE, 64, DMA_BIDIRECTIONAL, 0);
	ops->unmap_resource(fx.dev, addr, 64, DMA_BIDIRECTIONAL, 0);
	sim_get_counters(fx.m, &c);
	assert_true(c.cache_for_device == 2 && c.cache_for_cpu == 2);
	teardown(&fx);
}

static void lists(void **state)
{
	const struct dma_map_ops *ops = sim_ops(SIM_OPS_PHYS);
	struct scatterlist sg[2];
	struct fx fx;

	(void)state;
	setup(&fx, true);
	sg_init_table(sg, 2);
	sg_set_phys(&sg[0], fx.buf, 64);
	sg_set_phys(&sg[1], fx.buf + 1024, 128);
	cpu_fill(fx.m, fx.buf, 4096, 1);
	assert_int_equal(ops->map_sg(fx.dev, sg, 2, DMA_BIDIRECTIONAL, 0), 2);
	expect_method(&fx, "map_sg");
	assert_true(sg_dma_address(&sg[1]) == fx.buf + 1024 + OFFSET);
	assert_int_equal(sg_dma_len(&sg[1]), 128);
	expect_read(fx.device, sg_dma_address(&sg[1]), 128, 1);
	expect_read(fx.device, sg_dma_address(&sg[1]) + 128, 64, 0);
	device_fill(fx.device, sg_dma_address(&sg[0]), 64, 2);
	ops->sync_sg_for_cpu(fx.dev, sg, 2, DMA_BIDIRECTIONAL);
	expect_method(&fx, "sync_sg_for_cpu");
	expect_cpu(fx.m, fx.buf, 64, 2);
	cpu_fill(fx.m, fx.buf, 64, 3);
	ops->sync_sg_for_device(fx.dev, sg, 2, DMA_BIDIRECTIONAL);
	expect_method(&fx, "sync_sg_for_device");
	expect_read(fx.device, sg_dma_address(&sg[0]), 64, 3);
	device_fill(fx.device, sg_dma_address(&sg[1]), 128, 4);
	ops->unmap_sg(fx.dev, sg, 2, DMA_BIDIRECTIONAL, 0);
	expect_method(&fx, "unmap_sg");
	expect_cpu(fx.m, fx.buf + 1024, 128, 4);
	teardown(&fx);
}

static void coherent_memory(void **state)
{
	const struct dma_map_ops *ops = sim_ops(SIM_OPS_PHYS);

	(void)state;
	for (unsigned int noncoherent = 0; noncoherent < 2; noncoherent++) {
		phys_addr_t dirty;
		dma_addr_t handle;
		unsigned char *ptr;
		uint64_t used;
		struct fx fx;

		setup(&fx, noncoherent);
		used = sim_memory_used(fx.m);
		assert_int_equal(dma_set_coherent_mask(fx.dev, OFFSET + 0xffffffff), 0);
		dirty = sim_alloc(fx.m, 3 * 4096, 4 * 4096, 0, 0xffffffff);
		memset(sim_device_ptr(fx.m, dirty, 3 * 4096), 0xee, 3 * 4096);
		cpu_fill(fx.m, dirty, 3 * 4096, 0xee);
		sim_free(fx.m, dirty, 3 * 4096);
		ptr = ops->alloc(fx.dev, 3 * 4096 - 5, &handle, DMAMAP_GFP_KERNEL, 0);
		expect_method(&fx, "alloc");
		assert_non_null(ptr);
		assert_true(handle == dirty + OFFSET); /* the memory came dirty */
		expect_read(fx.device, handle, 3 * 4096, 0);
		memset(ptr, 5, 3 * 4096);
		expect_read(fx.device, handle, 3 * 4096, 5);
		device_fill(fx.device, handle, 100, 6);
		assert_int_equal(ptr[99], 6);
		ops->free(fx.dev, 3 * 4096 - 5, ptr, handle, 0);
		expect_method(&fx, "free");
		assert_true(sim_memory_used(fx.m) == used);
		assert_int_equal(dma_set_coherent_mask(fx.dev, 0xffffffff), 0);
		assert_null(ops->alloc(fx.dev, 4096, &handle, DMAMAP_GFP_KERNEL, 0));
		assert_null(ops->alloc(fx.dev, SIZE_MAX, &handle, DMAMAP_GFP_KERNEL, 0));
		teardown(&fx);
	}
}

static void queries(void **state)
{
	const struct dma_map_ops *ops = sim_ops(SIM_OPS_ALL);
	struct fx fx;

	(void)state;
	setup(&fx, false);
	assert_true(ops->get_required_mask(fx.dev) == DMA_BIT_MASK(41));
	expect_method(&fx, "get_required_mask");
	assert_int_equal(ops->dma_supported(fx.dev, 0xffffffff), 0);
	assert_int_equal(ops->dma_supported(fx.dev, ~0ull), 1);
	assert_true(ops->max_mapping_size(fx.dev) == SIZE_MAX);
	assert_true(ops->opt_mapping_size() == SIZE_MAX);
	assert_true(ops->get_merge_boundary(fx.dev) == 0);
	teardown(&fx);
}

static void arch_direct(void **state)
{
	struct scatterlist sg[2];
	struct dma_host *host;
	struct fx fx;

	(void)state;
	setup(&fx, false);
	host = sim_host(fx.m);
	sim_set_arch_direct(fx.m, 0x2000, true);
	assert_true(host->arch_direct_mmio);
	assert_true(host->arch_map_direct(host, fx.dev, 0x2000));
	assert_false(host->arch_map_direct(host, fx.dev, 0x2001));
	assert_true(host->arch_unmap_direct(host, fx.dev, 0x2000));
	assert_false(host->arch_unmap_direct(host, fx.dev, 0x2001));
	sg_init_table(sg, 2);
	sg_set_phys(&sg[0], 0x1000, 0x1000);
	sg_set_phys(&sg[1], 0x1ff0, 0x10);
	sg[0].dma_address = 0;
	sg[0].dma_length = 0x1000;
	sg[1].dma_address = 0x1fff;
	sg[1].dma_length = 2;
	assert_true(host->arch_map_sg_direct(host, fx.dev, sg, 2));
	assert_false(host->arch_unmap_sg_direct(host, fx.dev, sg, 2));
	assert_true(host->arch_unmap_sg_direct(host, fx.dev, sg, 1));
	sg_set_phys(&sg[1], 0x1ff0, 0x11);
	assert_false(host->arch_map_sg_direct(host, fx.dev, sg, 2));
	sim_set_arch_direct(fx.m, 0, true);
	assert_null(host->arch_map_direct);
	assert_false(host->arch_direct_mmio);
	teardown(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_have_their_members),
		cmocka_unit_test(the_library_accepts_them),
		cmocka_unit_test(single_mappings),
		cmocka_unit_test(maintenance),
		cmocka_unit_test(lists),
		cmocka_unit_test(coherent_memory),
		cmocka_unit_test(queries),
		cmocka_unit_test(arch_direct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
