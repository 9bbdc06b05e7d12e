/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The AMD-Vi driver, judged by QEMU's unit. That never writes its event log, so that a refused access shows as data
 * that did not move: a refused read leaves zeros in edu's buffer.
 */
#include "rig.h"

#define PAGE 4096u

static const struct qemu_config amd = { .iommu = QEMU_IOMMU_AMD };

/** Does edu's buffer hold @value? Written out to a page that it may write. */
static bool buffer_is(struct rig *rig, unsigned char value)
{
	phys_addr_t phys = rig_pages(rig, 1, (unsigned char)~value);
	dma_addr_t addr = rig_map(rig, phys, PAGE, DMA_FROM_DEVICE);
	bool same;

	rig_store(rig, 0, addr, 64);
	rig_unmap(rig, addr, PAGE, DMA_FROM_DEVICE);
	same = rig_all(rig, phys, 64, value);
	qemu_free(rig->m, phys, PAGE);
	return same;
}

static void bytes_move_while_they_are_mapped(void **state)
{
	phys_addr_t from, to;
	dma_addr_t a, b;
	struct rig rig;

	(void)state;
	rig_start_domain(&rig, &amd, DMA_INVALIDATION_STRICT);
	from = rig_pages(&rig, 1, 0x5a);
	to = rig_pages(&rig, 1, 0);
	a = rig_map(&rig, from, PAGE, DMA_TO_DEVICE);
	b = rig_map(&rig, to, PAGE, DMA_FROM_DEVICE);
	rig_load(&rig, a, 0, EDU_BUFFER);
	rig_store(&rig, 0, b, EDU_BUFFER);
	assert_true(rig_all(&rig, to, EDU_BUFFER, 0x5a));
	memset(rig_ptr(&rig, to), 0, PAGE);
	rig_unmap(&rig, a, PAGE, DMA_TO_DEVICE);
	rig_unmap(&rig, b, PAGE, DMA_FROM_DEVICE);
	rig_store(&rig, 0, b, 64);
	assert_true(rig_all(&rig, to, PAGE, 0));
	rig_load(&rig, a, 0, 64);
	assert_true(buffer_is(&rig, 0));
	qemu_free(rig.m, from, PAGE);
	qemu_free(rig.m, to, PAGE);
	rig_stop(&rig);
}

static void directions_are_enforced(void **state)
{
	phys_addr_t phys;
	dma_addr_t addr;
	struct rig rig;

	(void)state;
	rig_start_domain(&rig, &amd, DMA_INVALIDATION_STRICT);
	phys = rig_pages(&rig, 1, 0x11);
	rig_set_buffer(&rig, 0x22);
	addr = rig_map(&rig, phys, PAGE, DMA_TO_DEVICE);
	rig_store(&rig, 0, addr, 64);
	assert_true(rig_all(&rig, phys, PAGE, 0x11));
	rig_unmap(&rig, addr, PAGE, DMA_TO_DEVICE);
	addr = rig_map(&rig, phys, PAGE, DMA_FROM_DEVICE);
	rig_load(&rig, addr, 0, 64);
	assert_true(buffer_is(&rig, 0));
	rig_unmap(&rig, addr, PAGE, DMA_FROM_DEVICE);
	qemu_free(rig.m, phys, PAGE);
	rig_stop(&rig);
}

static void a_device_in_no_domain_reaches_nothing(void **state)
{
	phys_addr_t phys;
	struct rig rig;

	(void)state;
	rig_start_domain(&rig, &amd, DMA_INVALIDATION_STRICT);
	phys = rig_pages(&rig, 1, 0x33);
	rig_set_buffer(&rig, 0x44);
	assert_int_equal(dma_device_set_domain(&rig.function->dma, NULL), 0);
	rig_store(&rig, 0, phys, 64);
	assert_true(rig_all(&rig, phys, PAGE, 0x33));
	assert_int_equal(dma_device_set_domain(&rig.function->dma, rig.domain), 0);
	rig_store(&rig, 0, phys, 64);
	assert_true(rig_all(&rig, phys, PAGE, 0x33));
	qemu_free(rig.m, phys, PAGE);
	rig_stop(&rig);
}

static void the_table_describes_the_unit(void **state)
{
	struct dma_ivrs_unit unit;
	struct dma_ivrs ivrs;
	const void *table;
	struct rig rig;
	uint16_t alias;
	size_t len;
	uint16_t id;

	(void)state;
	rig_start(&rig, &amd);
	id = (uint16_t)(rig.function->bus << 8 | rig.function->devfn);
	table = qemu_acpi_table(rig.m, "IVRS", &len);
	assert_non_null(table);
	assert_int_equal(dmamap_ivrs_open(table, len, &ivrs), 0);
	assert_true(dmamap_ivrs_unit(&ivrs, 0, &unit));
	assert_int_equal(unit.registers, 0xfed80000);
	assert_false(dmamap_ivrs_unit(&ivrs, 1, &unit));
	assert_true(dmamap_ivrs_unit(&ivrs, 0, &unit));
	assert_true(dmamap_ivrs_covers(&unit, id, &alias));
	assert_int_equal(alias, id);
	rig_stop(&rig);
}

static void what_the_unit_can(void **state)
{
	struct dma_amdvi_info info;
	struct rig rig;

	(void)state;
	rig_start_domain(&rig, &amd, DMA_INVALIDATION_STRICT);
	dmamap_amdvi_get_info(qemu_amdvi(rig.m), &info);
	assert_int_equal(info.features, 0x29d3);
	assert_int_equal(info.levels, 4);
	assert_true(info.enabled && !info.broken && !info.command_errors && !info.taken_over);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_describes_the_unit),
		cmocka_unit_test(what_the_unit_can),
		cmocka_unit_test(bytes_move_while_they_are_mapped),
		cmocka_unit_test(directions_are_enforced),
		cmocka_unit_test(a_device_in_no_domain_reaches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
