/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doorbells: over all formats, a device rings the bell that it was told; what else it can reach is told by exposure; and
 * nobody's unmap, reservation or departure is in the way.
 */
#include "formats.h"
#include "proxy.h"

static struct world *world_for(const struct test_format *format)
{
	const struct dma_domain_config policy = { .size = sizeof(policy) };
	struct sim_iommu_config unit = format->iommu;

	unit.size = sizeof(unit);
	return world_new_with(&unit, &policy, test_format_granule(format));
}

static dma_addr_t map_msi(struct dma_device *dev, phys_addr_t doorbell)
{
	dma_addr_t addr;

	assert_int_equal(dma_device_map_msi(dev, doorbell, &addr), 0);
	return addr;
}

static void expect_rings(struct world *w, struct sim_device *device, dma_addr_t addr,
			 phys_addr_t doorbell)
{
	uint32_t message = (uint32_t)(addr ^ doorbell) | 1;

	assert_int_equal(sim_dma_write(device, addr, &message, sizeof(message), NULL), 0);
	assert_memory_equal(sim_cpu_ptr(w->m, doorbell, sizeof(message)), &message,
			    sizeof(message));
}

static uint64_t iova_bytes(const struct world *w)
{
	struct dma_domain_stats stats;

	dma_domain_get_stats(w->domain, &stats);
	return stats.iova_bytes;
}

static void rings(const struct test_format *format)
{
	struct dma_exposure_totals totals = { .size = sizeof(totals) };
	struct world *w = world_for(format);
	struct dma_history *history = start_history(w, 16);
	uint64_t g = test_format_granule(format);
	phys_addr_t page = BAR_BASE + 4 * g;
	dma_addr_t one = map_msi(w->dev, page + 0x40);
	dma_addr_t two = map_msi(w->dev, page + 0xf00);
	dma_addr_t other = map_msi(w->dev, page + g + 0x40);

	assert_true(two == one - 0x40 + 0xf00);
	assert_true(other / g != one / g && other % g == 0x40);
	expect_rings(w, w->device, one, page + 0x40);
	expect_rings(w, w->device, two, page + 0xf00);
	expect_rings(w, w->device, other, page + g + 0x40);
	expect_access(w->device, one, 4, false,
		      format->reads_back ? SIM_FAULT_NONE : SIM_FAULT_READ_DENIED);
	/* nobody's mapping; what it opens is told, and nothing else is open */
	assert_int_equal(dma_device_live(w->dev), 0);
	assert_int_equal(iova_bytes(w), 0);
	assert_int_equal(dma_exposure(w->domain, w->dev, history, NULL, NULL, &totals), 0);
	assert_true(totals.exposed == 2 * g && totals.bytes[DMA_EXPOSED_RESERVED] == 2 * g);
	stop_history(history);
	world_end(w);
}

static void every_format(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_TEST_FORMATS; i++)
		rings(&test_formats[i]);
}

/** Devices share the page, those with a lower mask have one that they reach, and it outlives who asked first. */
static void devices(void **state)
{
	struct world *w = world_for(&test_formats[1]);
	struct sim_device *nic = world_device(w, "nic0", w->iommu);
	struct sim_device *old = world_device(w, "old0", w->iommu);
	phys_addr_t doorbell = BAR_BASE + 0x40;
	dma_addr_t addr = map_msi(w->dev, doorbell);
	struct dma_error why;
	dma_addr_t low;

	(void)state;
	assert_int_equal(dma_device_set_domain(sim_dma(nic), w->domain), 0);
	assert_int_equal(dma_device_set_domain(sim_dma(old), w->domain), 0);
	assert_int_equal(dma_set_mask(sim_dma(old), DMA_BIT_MASK(32)), 0);
	assert_true(map_msi(sim_dma(nic), doorbell) == addr);
	low = map_msi(sim_dma(old), doorbell);
	assert_true(addr > UINT32_MAX && low < UINT32_MAX);
	assert_true(map_msi(sim_dma(old), doorbell) == low);
	assert_int_equal(dma_device_set_domain(w->dev, NULL), 0);
	expect_rings(w, nic, addr, doorbell);
	expect_rings(w, old, low, doorbell);
	/* nobody mapped it, so nobody unmaps it */
	dma_unmap_resource(sim_dma(nic), addr & ~0xfffull, PAGE, DMA_FROM_DEVICE, 0);
	assert_int_equal(dma_last_error(sim_dma(nic), &why), 0);
	assert_int_equal(why.reason, DMA_REASON_NOT_MAPPED);
	expect_rings(w, nic, addr, doorbell);
	assert_int_equal(dma_device_set_domain(w->dev, w->domain), 0);
	assert_int_equal(sim_device_destroy(nic), 0);
	assert_int_equal(sim_device_destroy(old), 0);
	world_end(w);
}

/** What hardware takes for an interrupt by its address, and what is not translated, needs no mapping. */
static void nothing_to_map(void **state)
{
	const struct dma_reserved_region region = { .first = 0x08000000,
						    .last = 0x080fffff,
						    .msi = true };
	const struct dma_domain_config policy = { .size = sizeof(policy) };
	struct world *w = world_for(&test_formats[1]);
	struct sim_device *plain = world_device(w, "plain", NULL);
	struct sim_device *nic = world_device(w, "nic0", w->iommu);
	struct proxy proxy = { .unit.ops = &proxy_ops,
			       .real = sim_iommu_unit(w->iommu),
			       .regions = &region,
			       .nr_regions = 1 };
	struct dma_backend *backend;
	struct dma_domain *identity;

	(void)state;
	assert_true(map_msi(w->dev, 0xfee01000) == 0xfee01000);
	assert_true(map_msi(sim_dma(plain), BAR_BASE + 0x40) == BAR_BASE + 0x40);
	assert_int_equal(dma_device_set_unit(sim_dma(nic), &proxy.unit), 0);
	assert_int_equal(dma_device_set_domain(sim_dma(nic), w->domain), 0);
	assert_true(map_msi(sim_dma(nic), 0x08000040) == 0x08000040);
	assert_true(map_msi(sim_dma(nic), 0x08100000) != 0x08100000);
	assert_int_equal(dma_identity_backend_create(w->host, sim_iommu_unit(w->iommu), &backend),
			 0);
	assert_int_equal(dma_domain_create(w->host, backend, &policy, &identity), 0);
	assert_int_equal(dma_device_set_domain(w->dev, identity), 0);
	assert_true(map_msi(w->dev, BAR_BASE + 0x40) == BAR_BASE + 0x40);
	assert_int_equal(dma_device_set_domain(w->dev, NULL), 0);
	assert_int_equal(dma_domain_destroy(identity), 0);
	assert_int_equal(sim_device_destroy(plain), 0);
	assert_int_equal(sim_device_destroy(nic), 0);
	world_end(w);
}

static void expect_refusal(struct world *w, phys_addr_t doorbell, int err, enum dma_reason reason)
{
	struct dma_error why;
	dma_addr_t addr;

	assert_int_equal(dma_device_map_msi(w->dev, doorbell, &addr), err);
	assert_int_equal(dma_device_last_error(w->dev, &why), 0);
	assert_string_equal(dma_reason_name(why.reason), dma_reason_name(reason));
	assert_true(why.err == err && why.addr == doorbell);
}

static void refusals(void **state)
{
	const struct dma_domain_config policy = { .size = sizeof(policy) };
	struct world *w = world_for(&test_formats[1]);
	struct dma_error why;
	struct dma_domain *full;
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_device_map_msi(w->dev, BAR_BASE, NULL), -DMAMAP_EINVAL);
	assert_int_equal(dma_device_last_error(w->dev, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_BAD_ARGUMENT);
	expect_refusal(w, 1ull << 60, -DMAMAP_ERANGE, DMA_REASON_OUTPUT_WIDTH);
	assert_int_equal(iova_bytes(w), 0);
	/* no address is left: one is reserved for nothing but itself */
	assert_int_equal(sim_domain_create(w->iommu, &policy, &full), 0);
	assert_int_equal(dma_domain_reserve(full, 2 * PAGE, ~0ull - 2 * PAGE), 0);
	assert_int_equal(dma_device_set_domain(w->dev, full), 0);
	addr = map_msi(w->dev, BAR_BASE);
	assert_true(addr == PAGE);
	expect_refusal(w, BAR_BASE + PAGE, -DMAMAP_ENOMEM, DMA_REASON_NO_IOVA);
	assert_int_equal(dma_domain_reserve(full, PAGE, PAGE), -DMAMAP_EBUSY);
	expect_rings(w, w->device, addr, BAR_BASE);
	assert_int_equal(dma_device_set_domain(w->dev, w->domain), 0);
	assert_int_equal(dma_domain_destroy(full), 0);
	world_end(w);
}

/** Each request for memory fails in turn. */
static void no_memory(void **state)
{
	struct world *w = world_for(&test_formats[1]);
	unsigned int failures = 0;
	dma_addr_t addr;
	int err;

	(void)state;
	do {
		sim_fail_alloc(w->m, failures + 1);
		err = dma_device_map_msi(w->dev, BAR_BASE + 8, &addr);
		assert_int_equal(iova_bytes(w), 0);
		if (err)
			assert_int_equal(err, -DMAMAP_ENOMEM);
		failures += err != 0;
	} while (err);
	sim_fail_alloc(w->m, 0);
	assert_true(failures >= 2);
	expect_rings(w, w->device, addr, BAR_BASE + 8);
	world_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format),	  cmocka_unit_test(devices),
		cmocka_unit_test(nothing_to_map), cmocka_unit_test(refusals),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests_name("domains-msi", tests, NULL, NULL);
}
