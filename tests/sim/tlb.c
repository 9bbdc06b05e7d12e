/* SPDX-License-Identifier: BSD-2-Clause */
/* The IOTLB: what is forgotten, when, and what is not; and who is attached to what. */
#include "iommu_fx.h"

#define OTHER_DOMAIN 8u

/** Unhook the lowest table of address 0, and return it. */
static phys_addr_t fx_unhook(struct iommu_fx *fx)
{
	phys_addr_t table = fx->root;
	uint64_t entry;

	for (unsigned int level = fx->levels; level > 2; level--) {
		assert_int_equal(sim_cpu_read(fx->m, table, &entry, 8), 0);
		table = entry & ~0xfffull;
	}
	assert_int_equal(sim_cpu_read(fx->m, table, &entry, 8), 0);
	set_entry(fx->m, table, 0, 0);
	return entry & ~0xfffull;
}

/** Still the old page, whatever the tables say, until an invalidation has been waited for. */
static void translations_stay_until_the_wait(void **state)
{
	struct sim_iommu_stats stats;
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, NULL, false);
	fx_enter(&fx, 0x1000, 12, fx.buf | PTE_RW);
	expect_read(fx.device, 0x1000, 8, 1);
	fx_enter(&fx, 0x1000, 12, 0);
	expect_read(fx.device, 0x1000, 8, 1);
	fx.unit->ops->wait(fx.unit);
	expect_read(fx.device, 0x1000, 8, 1);
	fx.unit->ops->invalidate(fx.unit, FX_DOMAIN, 0x1000, 0x1000, true);
	expect_read(fx.device, 0x1000, 8, 1); /* started is not finished */
	fx.unit->ops->wait(fx.unit);
	expect_fault(fx.device, 0x1000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	sim_iommu_get_stats(fx.iommu, &stats);
	assert_true(stats.walks == 2 && stats.hits == 3 && stats.faults == 1);
	assert_true(stats.invalidations == 1 && stats.flushes == 0 && stats.waits == 2);
	fx_teardown(&fx);
}

static void nothing_is_learnt_from_a_denial(void **state)
{
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, NULL, false);
	expect_fault(fx.device, 0x1000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	fx_enter(&fx, 0x1000, 12, fx.buf | PTE_R);
	expect_fault(fx.device, 0x1000, 8, true, 0, SIM_FAULT_WRITE_DENIED);
	fx_enter(&fx, 0x1000, 12, fx.buf | PTE_RW);
	device_fill(fx.device, 0x1000, 8, 9); /* no invalidation was needed */
	fx_teardown(&fx);
}

/** A cached permission decides until it is dropped. */
static void permissions_are_cached(void **state)
{
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, NULL, false);
	fx_enter(&fx, 0x1000, 12, fx.buf | PTE_R);
	expect_read(fx.device, 0x1000, 8, 1);
	fx_enter(&fx, 0x1000, 12, fx.buf | PTE_RW);
	expect_fault(fx.device, 0x1000, 8, true, 0, SIM_FAULT_WRITE_DENIED);
	fx_invalidate(&fx, FX_DOMAIN, 0x1000, 0x1000);
	device_fill(fx.device, 0x1000, 8, 9);
	fx_enter(&fx, 0x1000, 12, fx.buf | PTE_R);
	device_fill(fx.device, 0x1000, 8, 8);
	fx_invalidate(&fx, FX_DOMAIN, 0x1000, 0x1000);
	expect_fault(fx.device, 0x1000, 8, true, 0, SIM_FAULT_WRITE_DENIED);
	fx_teardown(&fx);
}

static void only_the_range_is_dropped(void **state)
{
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, NULL, false);
	for (unsigned int i = 0; i < 4; i++) {
		fx_enter(&fx, 0x1000 * (i + 1), 12, (fx.buf + 0x1000 * i) | PTE_RW);
		expect_read(fx.device, 0x1000 * (i + 1), 8, (unsigned char)(i + 1));
		fx_enter(&fx, 0x1000 * (i + 1), 12, 0);
	}
	fx_invalidate(&fx, FX_DOMAIN, 0x2fff, 2); /* bytes of the second and the third page */
	expect_read(fx.device, 0x1000, 8, 1);
	expect_fault(fx.device, 0x2000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	expect_fault(fx.device, 0x3000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	expect_read(fx.device, 0x4000, 8, 4);
	fx_invalidate(&fx, FX_DOMAIN, 0, 0);
	expect_read(fx.device, 0x1000, 8, 1);
	fx_invalidate(&fx, FX_DOMAIN, 0, 1ull << 47); /* more pages than there are entries */
	expect_fault(fx.device, 0x1000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	expect_fault(fx.device, 0x4000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	fx_teardown(&fx);
}

/** One page inside a large one drops the large one. */
static void large_entries_are_dropped_whole(void **state)
{
	static const unsigned int shifts[] = { 21, 30 };
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, NULL, false);
	for (unsigned int i = 0; i < 2; i++) {
		dma_addr_t iova = 0x8000000000ull;
		uint64_t size = 1ull << shifts[i];

		fx_enter(&fx, iova, shifts[i], HIGH_BASE | PTE_RW | PTE_LARGE);
		fx_invalidate(&fx, FX_DOMAIN, iova, size); /* a table may have stood there */
		expect_read(fx.device, iova + 0x1000, 8, 0);
		fx_enter(&fx, iova, shifts[i], 0);
		fx_invalidate(&fx, FX_DOMAIN, iova + size, 0x1000);
		fx_invalidate(&fx, FX_DOMAIN, iova - 0x1000, 0x1000);
		expect_read(fx.device, iova + 0x1000, 8, 0);
		fx_invalidate(&fx, FX_DOMAIN, iova + size - 0x1000, 0x1000);
		expect_fault(fx.device, iova + 0x1000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	}
	fx_teardown(&fx);
}

/** A table that was unhooked is walked until an invalidation says that tables changed. */
static void tables_are_remembered(void **state)
{
	struct iommu_fx fx;
	phys_addr_t table;

	(void)state;
	fx_setup(&fx, NULL, false);
	fx_enter(&fx, 0x1000, 12, fx.buf | PTE_RW);
	expect_read(fx.device, 0x1000, 8, 1);
	table = fx_unhook(&fx);
	set_entry(fx.m, table, 2, (fx.buf + 0x1000) | PTE_RW); /* what its next owner writes */
	fx.unit->ops->invalidate(fx.unit, FX_DOMAIN, 0x1000, 0x1000, true);
	fx.unit->ops->wait(fx.unit);
	expect_read(fx.device, 0x2000, 8, 2);
	expect_read(fx.device, 0x1000, 8, 1);
	fx_invalidate(&fx, FX_DOMAIN, 0x1000, 0x1000);
	expect_read(fx.device, 0x2000, 8, 2); /* its leaf is still cached */
	expect_fault(fx.device, 0x1000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	expect_fault(fx.device, 0x3000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	fx_teardown(&fx);
}

static void domains_are_apart(void **state)
{
	struct sim_device *second;
	struct iommu_fx fx;
	phys_addr_t root;

	(void)state;
	fx_setup(&fx, NULL, false);
	second = add_device(fx.m, "second", 0);
	assert_int_equal(sim_device_put_behind(second, fx.iommu), 0);
	root = new_table(fx.m);
	assert_int_equal(fx.unit->ops->attach(fx.unit, sim_dma(second), OTHER_DOMAIN, root, 4), 0);
	fx_enter(&fx, 0x1000, 12, fx.buf | PTE_RW);
	enter(fx.m, root, 4, 0x1000, 12, (fx.buf + 0x1000) | PTE_RW);
	expect_read(fx.device, 0x1000, 8, 1);
	expect_read(second, 0x1000, 8, 2);
	fx_enter(&fx, 0x1000, 12, 0);
	enter(fx.m, root, 4, 0x1000, 12, 0);
	fx_invalidate(&fx, OTHER_DOMAIN, 0x1000, 0x1000);
	fx_invalidate(&fx, 99, 0, ~0ull);
	expect_read(fx.device, 0x1000, 8, 1);
	expect_fault(second, 0x1000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	fx_invalidate(&fx, OTHER_DOMAIN, 0, ~0ull);
	expect_read(fx.device, 0x1000, 8, 1);
	fx_invalidate(&fx, FX_DOMAIN, 0, ~0ull);
	expect_fault(fx.device, 0x1000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	fx.unit->ops->detach(fx.unit, sim_dma(second));
	assert_int_equal(sim_device_destroy(second), 0);
	fx_teardown(&fx);
}

static void who_is_attached_to_nothing_reaches_nothing(void **state)
{
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, NULL, false);
	fx_enter(&fx, 0x1000, 12, fx.buf | PTE_RW);
	expect_read(fx.device, 0x1000, 8, 1);
	assert_int_equal(sim_iommu_destroy(fx.iommu), -DMAMAP_EBUSY);
	assert_int_equal(sim_device_put_behind(fx.device, NULL), -DMAMAP_EBUSY);
	fx.unit->ops->detach(fx.unit, sim_dma(fx.device));
	expect_fault(fx.device, 0x1000, 8, false, 0, SIM_FAULT_NO_DOMAIN);
	fx_enter(&fx, 0x1000, 12, 0);
	assert_int_equal(fx.unit->ops->attach(fx.unit, sim_dma(fx.device), FX_DOMAIN, fx.root, 4),
			 0);
	expect_fault(fx.device, 0x1000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	fx_teardown(&fx);
}

static void strangers_are_refused(void **state)
{
	struct sim_device *outside;
	struct dma_device foreign;
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, NULL, false);
	outside = add_device(fx.m, "outside", 0);
	assert_int_equal(dma_device_init(&foreign, sizeof(foreign), sim_host(fx.m)), 0);
	assert_int_equal(fx.unit->ops->attach(fx.unit, sim_dma(outside), 1, fx.root, 4),
			 -DMAMAP_ENODEV);
	assert_int_equal(fx.unit->ops->attach(fx.unit, &foreign, 1, fx.root, 4), -DMAMAP_ENODEV);
	fx.unit->ops->detach(fx.unit, &foreign);
	assert_int_equal(fx.unit->ops->attach(fx.unit, sim_dma(fx.device), 1, fx.root, 5),
			 -DMAMAP_EINVAL);
	assert_int_equal(fx.unit->ops->attach(fx.unit, sim_dma(fx.device), 1, fx.root + 8, 4),
			 -DMAMAP_EINVAL);
	assert_int_equal(dma_device_fini(&foreign), 0);
	assert_int_equal(sim_device_destroy(outside), 0);
	fx_teardown(&fx);
}

/** A device whose IOMMU is gone does not get loose. */
static void no_iommu_no_access(void **state)
{
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, NULL, false);
	fx.unit->ops->detach(fx.unit, sim_dma(fx.device));
	assert_int_equal(sim_iommu_destroy(fx.iommu), 0);
	expect_fault(fx.device, fx.buf, 8, true, 0, SIM_FAULT_NO_DOMAIN);
	assert_int_equal(sim_device_put_behind(fx.device, NULL), 0);
	expect_read(fx.device, fx.buf, 8, 1);
	assert_int_equal(sim_device_destroy(fx.device), 0);
	end_machine(fx.m);
}

/** A small cache forgets for want of room, and stays correct. */
static void the_cache_is_bounded(void **state)
{
	struct sim_iommu_config config = { .size = sizeof(config), .iotlb_entries = 4 };
	struct sim_iommu_stats stats;
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, &config, false);
	for (unsigned int i = 0; i < 64; i++)
		fx_enter(&fx, 0x1000ull * i, 12, (fx.buf + 0x1000 * (i % 4)) | PTE_RW);
	for (unsigned int i = 0; i < 640; i++)
		expect_read(fx.device, 0x1000ull * (i % 64), 8, (unsigned char)(i % 4 + 1));
	for (unsigned int i = 0; i < 10; i++)
		expect_read(fx.device, 0x1000ull * (i % 4), 8, (unsigned char)(i % 4 + 1));
	sim_iommu_get_stats(fx.iommu, &stats);
	assert_true(stats.walks >= 640 && stats.hits >= 6);
	fx_teardown(&fx);
}

/** A queue of any length is worked off. */
static void many_invalidations(void **state)
{
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, NULL, false);
	fx_enter(&fx, 0x1000, 12, fx.buf | PTE_RW);
	expect_read(fx.device, 0x1000, 8, 1);
	fx_enter(&fx, 0x1000, 12, 0);
	fx.unit->ops->invalidate(fx.unit, FX_DOMAIN, 0x1000, 0x1000, true);
	for (unsigned int i = 0; i < 5000; i++)
		fx.unit->ops->invalidate(fx.unit, FX_DOMAIN, 0x100000 + 0x1000ull * i, 0x1000,
					 true);
	fx.unit->ops->wait(fx.unit);
	expect_fault(fx.device, 0x1000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	fx_teardown(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(translations_stay_until_the_wait),
		cmocka_unit_test(nothing_is_learnt_from_a_denial),
		cmocka_unit_test(permissions_are_cached),
		cmocka_unit_test(only_the_range_is_dropped),
		cmocka_unit_test(large_entries_are_dropped_whole),
		cmocka_unit_test(tables_are_remembered),
		cmocka_unit_test(domains_are_apart),
		cmocka_unit_test(who_is_attached_to_nothing_reaches_nothing),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(no_iommu_no_access),
		cmocka_unit_test(the_cache_is_bounded),
		cmocka_unit_test(many_invalidations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
