/* SPDX-License-Identifier: BSD-2-Clause */
/* Syncs that must not be skipped, whatever was set in which order. */
#include "spec/fixture.h"

/** A 64-bit device of a non-coherent machine with that table, which dma_set_mask() has seen. */
static struct dma_device *with_table(struct fx *fx, unsigned int methods)
{
	struct dma_device *dev = fx_ops_device(fx, methods);

	fx_clear(fx);
	return dev;
}

/** A table without sync methods lets syncs be skipped; a direct route that comes later does not. */
static void table_removed(void **state)
{
	struct fx *fx = fx_new(&(struct fx_config){ .noncoherent = true, .quiet = true });
	struct dma_device *dev = with_table(fx, FX_PHYS);

	(void)state;
	assert_false(dma_need_sync(dev, 0x1000));
	assert_int_equal(dma_device_set_ops(dev, NULL), 0);
	assert_true(dma_need_sync(dev, 0x1000));
	assert_true(dma_need_unmap(dev));
	dma_sync_single_for_device(dev, 0x1000, 64, TO);
	expect_order(fx, "for-device");
	fx_free(fx);
}

static void table_bypassed(void **state)
{
	struct fx *fx = fx_new(&(struct fx_config){ .noncoherent = true, .quiet = true });
	struct dma_device *dev = with_table(fx, FX_PHYS);

	(void)state;
	assert_int_equal(dma_device_set_ops_bypass(dev, true), 0);
	assert_int_equal(dma_device_route(dev), DMA_ROUTE_DIRECT);
	dma_sync_single_for_device(dev, 0x1000, 64, TO);
	expect_order(fx, "for-device");
	fx_free(fx);
}

static void table_added(void **state)
{
	struct fx *fx = fx_new(&(struct fx_config){ .quiet = true });
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_false(dma_need_sync(dev, 0x1000));
	assert_int_equal(dma_device_set_ops(dev, fx_table(fx, FX_PHYS | FX_SYNC)), 0);
	dma_sync_single_for_cpu(dev, 0x1000, 64, FROM);
	expect_order(fx, "M:sync_cpu");
	fx_free(fx);
}

/** Behind a domain nothing changes for a coherent device. */
static void domain_of_a_coherent_device(void **state)
{
	struct fx *fx = fx_new(&(struct fx_config){ .quiet = true });
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_domain(dev, fx_domain(fx, DMA_INVALIDATION_STRICT)), 0);
	assert_false(dma_need_sync(dev, 0x1000));
	fx_free(fx);
}

/** What went directly around a table without sync methods is cleaned all the same, single and list. */
static void arch_direct(void **state)
{
	struct fx *fx =
		fx_new(&(struct fx_config){ .noncoherent = true, .quiet = true, .arch = true });
	struct dma_device *dev = with_table(fx, FX_PHYS | FX_SG);
	struct scatterlist sg[1];

	(void)state;
	fx->arch_answer = true;
	dma_sync_single_for_device(dev, 0x1000, 64, TO);
	expect_order(fx, "A:unmap for-device");
	fx_clear(fx);
	sg_init_table(sg, 1);
	sg_set_phys(sg, 0x3000, 4096);
	assert_int_equal(dma_map_sg(dev, sg, 1, TO), 1);
	fx_clear(fx);
	dma_sync_sg_for_device(dev, sg, 1, TO);
	expect_order(fx, "A:unmap_sg for-device");
	fx_free(fx);
}

/** The record of a list's sync names the way it went. */
static void arch_direct_is_recorded(void **state)
{
	struct fx *fx = fx_new(&(struct fx_config){ .noncoherent = true, .arch = true });
	struct dma_device *dev = with_table(fx, FX_PHYS | FX_SG | FX_SYNC);
	struct scatterlist sg[1];

	(void)state;
	fx->arch_answer = true;
	sg_init_table(sg, 1);
	sg_set_phys(sg, 0x3000, 4096);
	assert_int_equal(dma_map_sg(dev, sg, 1, TO), 1);
	dma_sync_sg_for_device(dev, sg, 1, TO);
	assert_int_equal(fx_get(fx, "T:sync_sg_device", 0)->event.route, DMA_ROUTE_ARCH);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_removed), cmocka_unit_test(table_bypassed),
		cmocka_unit_test(table_added),	 cmocka_unit_test(domain_of_a_coherent_device),
		cmocka_unit_test(arch_direct),	 cmocka_unit_test(arch_direct_is_recorded),
	};

	return FX_RUN(tests);
}
