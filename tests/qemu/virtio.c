/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio IOMMU's driver, judged by QEMU's device, on both architectures. */
#include "rig.h"

#define PAGE 4096u

static const struct qemu_config on_x86 = { .iommu = QEMU_IOMMU_VIRTIO };
static const struct qemu_config on_arm = { .arch = QEMU_AARCH64, .iommu = QEMU_IOMMU_VIRTIO };

/* where nothing is mapped QEMU does not say that it was a write */
static const struct rig_unit reports = {
	.write_of_nothing = DMA_FAULT_READ,
	.no_write = DMA_FAULT_REASON_NOT_PRESENT,
	.no_read = DMA_FAULT_REASON_NOT_PRESENT,
	.write_only = true,
};

static void bytes_move_while_they_are_mapped(void **state)
{
	(void)state;
	rig_map_move_unmap(&on_x86, &reports);
	rig_map_move_unmap(&on_arm, &reports);
}

static void directions_are_enforced(void **state)
{
	(void)state;
	rig_directions_hold(&on_x86, &reports);
}

static void the_table_names_the_function(void **state)
{
	static const struct qemu_config *const configs[] = { &on_x86, &on_arm };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct dma_viot_unit unit;
		struct dma_viot viot;
		const void *table;
		uint32_t endpoint;
		struct rig rig;
		uint16_t node;
		uint16_t id;
		size_t len;

		rig_start(&rig, configs[i]);
		id = (uint16_t)(rig.function->bus << 8 | rig.function->devfn);
		table = qemu_acpi_table(rig.m, "VIOT", &len);
		assert_non_null(table);
		assert_int_equal(dmamap_viot_open(table, len, &viot), 0);
		assert_true(dmamap_viot_unit(&viot, 0, &unit));
		assert_true(unit.pci);
		assert_ptr_equal(qemu_device_by_id(rig.m, unit.id),
				 qemu_find_device(rig.m, 0x1af4, 0x1057, 0));
		assert_true(dmamap_viot_endpoint(&viot, 0, id, &node, &endpoint));
		assert_int_equal(node, unit.node);
		assert_int_equal(endpoint, id);
		rig_stop(&rig);
	}
}

static void what_the_device_can(void **state)
{
	struct dma_virtio_iommu_info info;
	struct dma_reserved_region region;
	struct rig rig;

	(void)state;
	rig_start_domain(&rig, &on_x86, DMA_INVALIDATION_STRICT);
	dmamap_virtio_iommu_get_info(qemu_virtio_iommu(rig.m), &info);
	assert_int_equal(info.features, 0x100000077u);
	assert_true(dmamap_virtio_iommu_reserved(qemu_virtio_iommu(rig.m), 0, &region));
	assert_true(region.msi && region.first == 0xfee00000 && region.last == 0xfeefffff);
	assert_false(info.broken);
	rig_stop(&rig);
}

/** A device in no domain is cut off, and the device says so, if not who it was: it is attached nowhere. */
static void a_device_in_no_domain_reaches_nothing(void **state)
{
	phys_addr_t phys;
	struct rig rig;

	(void)state;
	rig_start_domain(&rig, &on_x86, DMA_INVALIDATION_STRICT);
	phys = rig_pages(&rig, 1, 0x33);
	rig_set_buffer(&rig, 0x44);
	assert_int_equal(dma_device_set_domain(&rig.function->dma, NULL), 0);
	rig_store(&rig, 0, phys, 64);
	assert_true(rig_all(&rig, phys, PAGE, 0x33));
	assert_true(qemu_handle_faults(rig.m) > 0);
	assert_null(rig.faults[0].device);
	assert_int_equal(rig.faults[0].reason, DMA_FAULT_REASON_BLOCKED);
	rig.nr_faults = 0;
	assert_int_equal(dma_device_set_domain(&rig.function->dma, rig.domain), 0);
	qemu_free(rig.m, phys, PAGE);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_names_the_function),
		cmocka_unit_test(what_the_device_can),
		cmocka_unit_test(a_device_in_no_domain_reaches_nothing),
		cmocka_unit_test(bytes_move_while_they_are_mapped),
		cmocka_unit_test(directions_are_enforced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
