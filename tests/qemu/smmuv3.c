/* SPDX-License-Identifier: BSD-2-Clause */
/* The SMMUv3 driver, judged by QEMU's SMMU. */
#include "rig.h"

#define PAGE 4096u

static const struct qemu_config smmu = { .arch = QEMU_AARCH64, .iommu = QEMU_IOMMU_SMMUV3 };

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
	rig_fault(rig, b, DMA_FAULT_WRITE, DMA_FAULT_REASON_NOT_PRESENT);
	rig_load(rig, a, 0, 64);
	rig_fault(rig, a, DMA_FAULT_READ, DMA_FAULT_REASON_NOT_PRESENT);
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
	rig_load(rig, addr, 0, 64); /* stage 1 has no write-only memory */
	rig_no_fault(rig);
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
	on(&smmu, map_move_unmap);
}

static void directions_are_enforced(void **state)
{
	(void)state;
	on(&smmu, directions_hold);
}

static void what_the_unit_can(void **state)
{
	struct dma_smmuv3_info info;
	struct rig rig;

	(void)state;
	rig_start_domain(&rig, &smmu, DMA_INVALIDATION_STRICT);
	dmamap_smmuv3_get_info(qemu_smmuv3(rig.m), &info);
	assert_int_equal(info.stream_bits, 16);
	assert_int_equal(info.output_bits, 44);
	assert_true(info.two_levels && info.range_invalidation && info.coherent_walk);
	assert_true(info.enabled && !info.broken && !info.command_errors && !info.taken_over);
	rig_stop(&rig);
}

/** Cut off without an event: that is what the entry says. */
static void a_device_in_no_domain_reaches_nothing(void **state)
{
	phys_addr_t phys;
	struct rig rig;

	(void)state;
	rig_start_domain(&rig, &smmu, DMA_INVALIDATION_STRICT);
	phys = rig_pages(&rig, 1, 0x33);
	rig_set_buffer(&rig, 0x44);
	assert_int_equal(dma_device_set_domain(&rig.function->dma, NULL), 0);
	rig_store(&rig, 0, phys, 64);
	assert_true(rig_all(&rig, phys, PAGE, 0x33));
	rig_no_fault(&rig);
	assert_int_equal(dma_device_set_domain(&rig.function->dma, rig.domain), 0);
	rig_store(&rig, 0, phys, 64);
	rig_fault(&rig, phys, DMA_FAULT_WRITE, DMA_FAULT_REASON_NOT_PRESENT);
	qemu_free(rig.m, phys, PAGE);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_unit_can),
		cmocka_unit_test(a_device_in_no_domain_reaches_nothing),
		cmocka_unit_test(bytes_move_while_they_are_mapped),
		cmocka_unit_test(directions_are_enforced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
