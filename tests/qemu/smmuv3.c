/* SPDX-License-Identifier: BSD-2-Clause */
/* The SMMUv3 driver, judged by QEMU's SMMU. */
#include "rig.h"

#define PAGE 4096u

static const struct qemu_config smmu = { .arch = QEMU_AARCH64, .iommu = QEMU_IOMMU_SMMUV3 };

/* stage 1 has no write-only memory */
static const struct rig_unit reports = {
	.write_of_nothing = DMA_FAULT_WRITE,
	.no_write = DMA_FAULT_REASON_NOT_PRESENT,
	.no_read = DMA_FAULT_REASON_NOT_PRESENT,
};

static void bytes_move_while_they_are_mapped(void **state)
{
	(void)state;
	rig_map_move_unmap(&smmu, &reports);
}

static void directions_are_enforced(void **state)
{
	(void)state;
	rig_directions_hold(&smmu, &reports);
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
