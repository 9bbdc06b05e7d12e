/* SPDX-License-Identifier: BSD-2-Clause */
/* The VT-d driver, judged by QEMU's VT-d: translation, directions, faults, units of several shapes. */
#include "rig.h"

#define PAGE 4096u

static const struct qemu_config vtd = { .iommu = QEMU_IOMMU_VTD };
static const struct qemu_config vtd48 = { .iommu = QEMU_IOMMU_VTD, .iommu_options = "aw-bits=48" };
static const struct qemu_config vtd_caching = { .iommu = QEMU_IOMMU_VTD,
						.iommu_options = "caching-mode=on" };

static dma_addr_t map(struct rig *rig, phys_addr_t phys, size_t size, enum dma_data_direction dir)
{
	dma_addr_t addr = dma_map_phys(&rig->function->dma, phys, size, dir, 0);

	assert_true(addr != DMA_MAPPING_ERROR);
	return addr;
}

static void unmap(struct rig *rig, dma_addr_t addr, size_t size, enum dma_data_direction dir)
{
	dma_unmap_phys(&rig->function->dma, addr, size, dir, 0);
}

/** Bytes arrive while they are mapped, and no longer. */
static void map_move_unmap(struct rig *rig)
{
	phys_addr_t from = rig_pages(rig, 1, 0x5a);
	phys_addr_t to = rig_pages(rig, 1, 0);
	dma_addr_t a = map(rig, from, PAGE, DMA_TO_DEVICE);
	dma_addr_t b = map(rig, to, PAGE, DMA_FROM_DEVICE);

	rig_load(rig, a, 0, EDU_BUFFER);
	rig_store(rig, 0, b, EDU_BUFFER);
	rig_no_fault(rig);
	assert_true(rig_all(rig, to, EDU_BUFFER, 0x5a));
	unmap(rig, a, PAGE, DMA_TO_DEVICE);
	unmap(rig, b, PAGE, DMA_FROM_DEVICE);
	rig_store(rig, 0, b, 64);
	rig_fault(rig, b, DMA_FAULT_WRITE, DMA_FAULT_REASON_WRITE_DENIED);
	rig_load(rig, a, 0, 64);
	rig_fault(rig, a, DMA_FAULT_READ, DMA_FAULT_REASON_READ_DENIED);
	assert_true(rig_all(rig, to, EDU_BUFFER, 0x5a));
	qemu_free(rig->m, from, PAGE);
	qemu_free(rig->m, to, PAGE);
}

static void directions_hold(struct rig *rig)
{
	phys_addr_t phys = rig_pages(rig, 1, 0x11);
	dma_addr_t addr = map(rig, phys, PAGE, DMA_TO_DEVICE);

	rig_set_buffer(rig, 0x22);
	rig_store(rig, 0, addr, 64);
	rig_fault(rig, addr, DMA_FAULT_WRITE, DMA_FAULT_REASON_WRITE_DENIED);
	assert_true(rig_all(rig, phys, PAGE, 0x11));
	unmap(rig, addr, PAGE, DMA_TO_DEVICE);
	addr = map(rig, phys, PAGE, DMA_FROM_DEVICE);
	rig_load(rig, addr, 0, 64);
	rig_fault(rig, addr, DMA_FAULT_READ, DMA_FAULT_REASON_READ_DENIED);
	unmap(rig, addr, PAGE, DMA_FROM_DEVICE);
	addr = map(rig, phys, PAGE, DMA_BIDIRECTIONAL);
	rig_store(rig, 64, addr, 64);
	rig_load(rig, addr, 0, 64);
	rig_no_fault(rig);
	unmap(rig, addr, PAGE, DMA_BIDIRECTIONAL);
	qemu_free(rig->m, phys, PAGE);
}

static void on(const struct qemu_config *config, void (*scenario)(struct rig *))
{
	struct rig rig;

	rig_start_domain(&rig, config, DMA_INVALIDATION_STRICT);
	scenario(&rig);
	rig_stop(&rig);
}

static void bytes_move_while_they_are_mapped(void **state)
{
	(void)state;
	on(&vtd, map_move_unmap);
	on(&vtd48, map_move_unmap);
	on(&vtd_caching, map_move_unmap);
}

static void directions_are_enforced(void **state)
{
	(void)state;
	on(&vtd, directions_hold);
}

static void what_the_unit_can(void **state)
{
	static const struct {
		const struct qemu_config *config;
		unsigned int levels;
		unsigned int bits;
		bool caching;
	} units[] = {
		{ &vtd, 3, 39, false },
		{ &vtd48, 4, 48, false },
		{ &vtd_caching, 3, 39, true },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct dma_vtd_info info;
		struct rig rig;

		rig_start_domain(&rig, units[i].config, DMA_INVALIDATION_STRICT);
		dmamap_vtd_get_info(qemu_vtd(rig.m), &info);
		assert_int_equal(info.levels, units[i].levels);
		assert_int_equal(info.input_bits, units[i].bits);
		assert_int_equal(info.output_bits, units[i].bits);
		assert_true(info.caching_mode == units[i].caching);
		assert_true(info.page_sizes == (1u << 21 | 1u << 30));
		assert_true(info.domains == 65536 && info.enabled && info.queued);
		assert_false(info.coherent_walk || info.broken || info.taken_over);
		rig_stop(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_unit_can),
		cmocka_unit_test(bytes_move_while_they_are_mapped),
		cmocka_unit_test(directions_are_enforced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
