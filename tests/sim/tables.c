/* SPDX-License-Identifier: BSD-2-Clause */
/* The walker of the simulated IOMMU, on VT-d second-stage tables made by hand. */
#include "iommu_fx.h"

#define IOVA 0x123456789000ull

static void small_pages(void **state)
{
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, NULL, false);
	fx_enter(&fx, IOVA, 12, (fx.buf + 0x2000) | PTE_RW);
	fx_enter(&fx, IOVA + 0x1000, 12, fx.buf | PTE_RW);
	expect_read(fx.device, IOVA, 4096, 3);
	expect_read(fx.device, IOVA + 0x1000, 4096, 1);
	device_fill(fx.device, IOVA + 0xffe, 4, 9); /* over the page boundary */
	expect_cpu(fx.m, fx.buf + 0x2ffe, 2, 9);
	expect_cpu(fx.m, fx.buf, 2, 9);
	expect_cpu(fx.m, fx.buf + 0x3000, 4096, 4);
	fx_teardown(&fx);
}

/** The golden indices: each entry stands where the format says. */
static void indices(void **state)
{
	static const unsigned int index[] = { 36, 209, 179, 393 };
	struct iommu_fx fx;
	phys_addr_t table;

	(void)state;
	fx_setup(&fx, NULL, false);
	table = fx.root;
	for (unsigned int i = 0; i < 3; i++) {
		phys_addr_t next = new_table(fx.m);

		set_entry(fx.m, table, index[i], next | PTE_RW);
		table = next;
	}
	set_entry(fx.m, table, index[3], fx.buf | PTE_RW);
	expect_read(fx.device, IOVA, 4096, 1);
	fx_teardown(&fx);
}

static void widths(void **state)
{
	(void)state;
	for (unsigned int levels = 3; levels <= 5; levels++) {
		struct sim_iommu_config config = { .size = sizeof(config), .levels = levels };
		dma_addr_t end = 1ull << (12 + 9 * levels);
		struct iommu_fx fx;

		fx_setup(&fx, &config, false);
		fx_enter(&fx, end - 4096, 12, fx.buf | PTE_RW);
		fx_enter(&fx, 0, 12, (fx.buf + 0x1000) | PTE_RW);
		expect_read(fx.device, end - 4096, 4096, 1);
		expect_read(fx.device, 0, 4096, 2); /* address 0 is one */
		expect_fault(fx.device, end - 4096, 8192, false, 4096, SIM_FAULT_WIDTH);
		expect_fault(fx.device, end, 4, false, 0, SIM_FAULT_WIDTH);
		expect_fault(fx.device, ~0ull - 4095, 4, true, 0, SIM_FAULT_WIDTH);
		fx_teardown(&fx);
	}
}

static void large_pages(void **state)
{
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, NULL, false);
	cpu_fill(fx.m, HIGH_BASE + 0x40201000, 4096, 5);
	fx_enter(&fx, 0x40000000, 21, (HIGH_BASE + 0x40200000) | PTE_RW | PTE_LARGE);
	fx_enter(&fx, 0x8000000000, 30, (HIGH_BASE + 0x40000000) | PTE_RW | PTE_LARGE);
	expect_read(fx.device, 0x40001000, 4096, 5);
	expect_fault(fx.device, 0x401fffff, 2, false, 1, SIM_FAULT_NOT_PRESENT);
	expect_read(fx.device, 0x8000201000, 4096, 5);
	device_fill(fx.device, 0x803fffffff, 1, 6);
	expect_cpu(fx.m, HIGH_BASE + 0x7fffffff, 1, 6);
	fx_teardown(&fx);
}

static void large_pages_only_where_the_hardware_has_them(void **state)
{
	static const struct {
		uint64_t sizes;
		bool two_mib;
		bool one_gib;
	} cases[] = { { 0, true, true },
		      { 1ull << 21, true, false },
		      { 1ull << 30, false, true },
		      { 1ull << 12, false, false } };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct sim_iommu_config config = { .size = sizeof(config),
						   .page_sizes = cases[i].sizes };
		struct iommu_fx fx;

		fx_setup(&fx, &config, false);
		fx_enter(&fx, 0x40000000, 21, HIGH_BASE | PTE_RW | PTE_LARGE);
		fx_enter(&fx, 0x8000000000, 30, HIGH_BASE | PTE_RW | PTE_LARGE);
		if (cases[i].two_mib)
			expect_read(fx.device, 0x40000000, 8, 0);
		else
			expect_fault(fx.device, 0x40000000, 8, false, 0, SIM_FAULT_RESERVED_BIT);
		if (cases[i].one_gib)
			expect_read(fx.device, 0x8000000000, 8, 0);
		else
			expect_fault(fx.device, 0x8000000000, 8, false, 0, SIM_FAULT_RESERVED_BIT);
		fx_teardown(&fx);
	}
}

static void permissions(void **state)
{
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, NULL, false);
	fx_enter(&fx, 0x1000, 12, fx.buf | PTE_R);
	fx_enter(&fx, 0x2000, 12, (fx.buf + 0x1000) | PTE_W);
	fx_enter(&fx, 0x3000, 12, fx.buf + 0x2000); /* an address alone is nothing */
	expect_fault(fx.device, 0x1000, 8, true, 0, SIM_FAULT_WRITE_DENIED);
	expect_read(fx.device, 0x1000, 8, 1);
	expect_fault(fx.device, 0x1000, 8, true, 0, SIM_FAULT_WRITE_DENIED);
	expect_fault(fx.device, 0x2000, 8, false, 0, SIM_FAULT_READ_DENIED);
	device_fill(fx.device, 0x2000, 8, 9);
	expect_fault(fx.device, 0x2000, 8, false, 0, SIM_FAULT_READ_DENIED);
	expect_fault(fx.device, 0x3000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	expect_cpu(fx.m, fx.buf, 8, 1);
	expect_cpu(fx.m, fx.buf + 0x1000, 8, 9);
	fx_teardown(&fx);
}

/** What a table entry does not allow, no entry below it can. */
static void permissions_are_anded(void **state)
{
	struct iommu_fx fx;
	uint64_t top;

	(void)state;
	fx_setup(&fx, NULL, false);
	fx_enter(&fx, 0, 12, fx.buf | PTE_RW);
	fx_enter(&fx, 0x1000, 12, (fx.buf + 0x1000) | PTE_RW);
	assert_int_equal(sim_cpu_read(fx.m, fx.root, &top, 8), 0);
	set_entry(fx.m, fx.root, 0, (top & ~PTE_RW) | PTE_R);
	expect_read(fx.device, 0, 8, 1);
	expect_fault(fx.device, 0, 8, true, 0, SIM_FAULT_WRITE_DENIED);
	/* Also when the walk starts from a table that it remembers. */
	expect_fault(fx.device, 0x1000, 8, true, 0, SIM_FAULT_WRITE_DENIED);
	expect_read(fx.device, 0x1000, 8, 2);
	expect_fault(fx.device, 0x1000, 8, true, 0, SIM_FAULT_WRITE_DENIED);
	fx_invalidate(&fx, FX_DOMAIN, 0, ~0ull);
	set_entry(fx.m, fx.root, 0, (top & ~PTE_RW) | PTE_W);
	device_fill(fx.device, 0, 8, 7);
	expect_fault(fx.device, 0, 8, false, 0, SIM_FAULT_READ_DENIED);
	fx_teardown(&fx);
}

/** A transfer that crosses into a page that is not there: what came before has moved. */
static void crossing_into_nothing(void **state)
{
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, NULL, false);
	fx_enter(&fx, 0x5000, 12, fx.buf | PTE_RW);
	fx_enter(&fx, 0x7000, 12, (fx.buf + 0x1000) | PTE_R);
	expect_fault(fx.device, 0x5f00, 0x200, true, 0x100, SIM_FAULT_NOT_PRESENT);
	expect_cpu(fx.m, fx.buf + 0xf00, 0x100, 0xf1);
	expect_fault(fx.device, 0x5f80, 0x3000, false, 0x80, SIM_FAULT_NOT_PRESENT);
	fx_enter(&fx, 0x6000, 12, (fx.buf + 0x2000) | PTE_RW);
	expect_fault(fx.device, 0x5000, 0x3000, true, 0x2000, SIM_FAULT_WRITE_DENIED);
	expect_cpu(fx.m, fx.buf + 0x2000, 0x1000, 0xf1);
	expect_cpu(fx.m, fx.buf + 0x1000, 0x1000, 2);
	fx_teardown(&fx);
}

static void reserved_bits(void **state)
{
	struct sim_iommu_config config = { .size = sizeof(config), .output_bits = 39 };
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, &config, false);
	for (unsigned int bit = 2; bit < 64; bit++) {
		bool reserved = (bit >= 39 && bit <= 51) || bit == 62;

		if (bit >= 12 && bit < 39)
			continue;
		fx_enter(&fx, 0x1000, 12, fx.buf | PTE_RW | 1ull << bit);
		fx_invalidate(&fx, FX_DOMAIN, 0, ~0ull);
		if (reserved)
			expect_fault(fx.device, 0x1000, 8, false, 0, SIM_FAULT_RESERVED_BIT);
		else
			expect_read(fx.device, 0x1000, 8, 1);
	}
	for (unsigned int bit = 12; bit < 30; bit++) {
		fx_enter(&fx, 0x40000000, 30, HIGH_BASE | PTE_RW | PTE_LARGE | 1ull << bit);
		fx_enter(&fx, 0x8000000000, 21, HIGH_BASE | PTE_RW | PTE_LARGE | 1ull << bit);
		expect_fault(fx.device, 0x40000000, 8, false, 0, SIM_FAULT_RESERVED_BIT);
		if (bit < 21)
			expect_fault(fx.device, 0x8000000000, 8, true, 0, SIM_FAULT_RESERVED_BIT);
	}
	fx_teardown(&fx);
}

/** Reserved in tables' entries too; and a leaf where none can be. */
static void reserved_bits_of_tables(void **state)
{
	struct sim_iommu_config config = { .size = sizeof(config), .output_bits = 39 };
	static const uint64_t bad[] = { 1ull << 39, 1ull << 51, 1ull << 62, PTE_LARGE };
	struct iommu_fx fx;
	uint64_t top;

	(void)state;
	fx_setup(&fx, &config, false);
	fx_enter(&fx, 0, 12, fx.buf | PTE_RW);
	assert_int_equal(sim_cpu_read(fx.m, fx.root, &top, 8), 0);
	for (unsigned int i = 0; i < 4; i++) {
		set_entry(fx.m, fx.root, 0, top | bad[i]);
		expect_fault(fx.device, 0, 8, false, 0, SIM_FAULT_RESERVED_BIT);
	}
	set_entry(fx.m, fx.root, 0, top | 1ull << 63 | 0x0ff0000000000800);
	expect_read(fx.device, 0, 8, 1);
	fx_teardown(&fx);
}

static void tables_outside_of_ram(void **state)
{
	struct iommu_fx fx;

	(void)state;
	fx_setup(&fx, NULL, false);
	set_entry(fx.m, fx.root, 0, HOLE | PTE_RW);
	set_entry(fx.m, fx.root, 1, BAR_BASE | PTE_RW);
	expect_fault(fx.device, 0, 8, false, 0, SIM_FAULT_TABLE);
	expect_fault(fx.device, 1ull << 39, 8, false, 0, SIM_FAULT_TABLE);
	fx_enter(&fx, 2ull << 39, 12, HOLE | PTE_RW);
	expect_fault(fx.device, 2ull << 39, 8, false, 0, SIM_FAULT_HOLE);
	fx_enter(&fx, 3ull << 39, 12, BAR_BASE | PTE_RW);
	device_fill(fx.device, 3ull << 39, 8, 4);
	expect_cpu(fx.m, BAR_BASE, 8, 4);
	fx_teardown(&fx);
}

/** Who walks through the CPU's caches sees stores at once; who does not, only what was cleaned. */
static void walks_and_caches(void **state)
{
	(void)state;
	for (unsigned int incoherent = 0; incoherent < 2; incoherent++) {
		struct sim_iommu_config config = { .size = sizeof(config),
						   .incoherent_walk = incoherent };
		struct iommu_fx fx;

		fx_setup(&fx, &config, true);
		fx_enter(&fx, 0x1000, 12, fx.buf | PTE_RW);
		if (incoherent) {
			expect_fault(fx.device, 0x1000, 8, true, 0, SIM_FAULT_NOT_PRESENT);
			sim_host(fx.m)->cache_for_device(sim_host(fx.m), LOW_BASE, LOW_SIZE >> 4,
							 DMA_TO_DEVICE);
			for (phys_addr_t at = fx.root & ~0xfffffull, end = at + 0x200000; at < end;
			     at += 4096)
				sim_host(fx.m)->cache_for_device(sim_host(fx.m), at, 4096,
								 DMA_TO_DEVICE);
		}
		device_fill(fx.device, 0x1000, 8, 3);
		fx_teardown(&fx);
	}
}

static void impossible_iommus_are_refused(void **state)
{
	struct sim_machine *m = start_machine(false);
	struct sim_iommu_config bad[] = {
		{ .size = 1 },
		{ .size = sizeof(bad[0]), .levels = 2 },
		{ .size = sizeof(bad[0]), .levels = 6 },
		{ .size = sizeof(bad[0]), .output_bits = 31 },
		{ .size = sizeof(bad[0]), .output_bits = 53 },
		{ .size = sizeof(bad[0]), .page_sizes = 1ull << 39 },
	};
	struct sim_iommu *iommu;

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sim_iommu_create(m, &bad[i], &iommu), -DMAMAP_EINVAL);
	end_machine(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_pages),
		cmocka_unit_test(indices),
		cmocka_unit_test(widths),
		cmocka_unit_test(large_pages),
		cmocka_unit_test(large_pages_only_where_the_hardware_has_them),
		cmocka_unit_test(permissions),
		cmocka_unit_test(permissions_are_anded),
		cmocka_unit_test(crossing_into_nothing),
		cmocka_unit_test(reserved_bits),
		cmocka_unit_test(reserved_bits_of_tables),
		cmocka_unit_test(tables_outside_of_ram),
		cmocka_unit_test(walks_and_caches),
		cmocka_unit_test(impossible_iommus_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
