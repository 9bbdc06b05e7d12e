/* SPDX-License-Identifier: BSD-2-Clause */
/* The path from a DMA engine to memory: address lines, translator, windows, holes; what faults say. */
#include "machine.h"

struct fx {
	struct sim_machine *m;
	struct sim_device *device;
	phys_addr_t buf;
};

static void setup(struct fx *fx, unsigned int bits)
{
	fx->m = start_machine(false);
	fx->device = add_device(fx->m, "dev", bits);
	fx->buf = sim_alloc(fx->m, 0x4000, 0x4000, 0, 0xffffffff);
	assert_true(fx->buf != DMAMAP_PHYS_NONE);
}

static void teardown(struct fx *fx)
{
	assert_int_equal(sim_device_destroy(fx->device), 0);
	end_machine(fx->m);
}

static void devices_move_bytes(void **state)
{
	struct fx fx;

	(void)state;
	setup(&fx, 0);
	assert_ptr_equal(sim_device_of(sim_dma(fx.device)), fx.device);
	assert_string_equal(dma_device_name(sim_dma(fx.device)), "dev");
	cpu_fill(fx.m, fx.buf, 0x4000, 1);
	expect_read(fx.device, fx.buf, 0x4000, 1);
	device_fill(fx.device, fx.buf + 1, 0x3ffe, 2);
	expect_cpu(fx.m, fx.buf, 1, 1);
	expect_cpu(fx.m, fx.buf + 1, 0x3ffe, 2);
	expect_cpu(fx.m, fx.buf + 0x3fff, 1, 1);
	assert_int_equal(sim_dma_read(fx.device, HOLE, NULL, 0, NULL), 0);
	teardown(&fx);
}

static void devices_reach_other_bars(void **state)
{
	struct fx fx;

	(void)state;
	setup(&fx, 0);
	device_fill(fx.device, BAR_BASE + 0x100, 64, 5);
	expect_cpu(fx.m, BAR_BASE + 0x100, 64, 5);
	teardown(&fx);
}

static void holes_fault_at_their_first_byte(void **state)
{
	struct fx fx;

	(void)state;
	setup(&fx, 0);
	expect_fault(fx.device, HOLE + 5, 8, false, 0, SIM_FAULT_HOLE);
	expect_fault(fx.device, LOW_BASE + LOW_SIZE - 8, 64, true, 8, SIM_FAULT_HOLE);
	expect_cpu(fx.m, LOW_BASE + LOW_SIZE - 8, 8, 0xf1); /* what came before has moved */
	expect_fault(fx.device, LOW_BASE - 8, 64, true, 0, SIM_FAULT_HOLE);
	teardown(&fx);
}

static void address_lines_end(void **state)
{
	struct fx fx;

	(void)state;
	setup(&fx, 29);
	device_fill(fx.device, (1u << 29) - 16, 16, 1);
	expect_fault(fx.device, (1u << 29) - 16, 32, true, 16, SIM_FAULT_ADDRESS_LINES);
	expect_cpu(fx.m, (1u << 29) - 16, 16, 0xf1);
	expect_cpu(fx.m, 1u << 29, 16, 0);
	expect_fault(fx.device, 1ull << 40, 4, false, 0, SIM_FAULT_ADDRESS_LINES);
	teardown(&fx);
}

static void the_last_address_does_not_wrap(void **state)
{
	struct sim_config config = { .size = sizeof(config) };
	struct sim_device *device;
	struct sim_machine *m;

	(void)state;
	assert_int_equal(sim_machine_create(&config, &m), 0);
	assert_int_equal(sim_add_bar(m, 0ull - 0x10000, 0x10000), 0);
	assert_int_equal(sim_add_ram(m, 0, 0x10000), 0);
	assert_int_equal(sim_start(m), 0);
	device = add_device(m, "dev", 0);
	device_fill(device, ~0ull - 7, 8, 3);
	expect_fault(device, ~0ull - 7, 16, true, 8, SIM_FAULT_ADDRESS_LINES);
	expect_cpu(m, 0, 16, 0);
	assert_int_equal(sim_cpu_write(m, ~0ull, "ab", 2), -DMAMAP_EFAULT);
	assert_int_equal(sim_device_destroy(device), 0);
	end_machine(m);
}

static void translators_subtract(void **state)
{
	const uint64_t offset = 1ull << 40;
	struct fx fx;

	(void)state;
	setup(&fx, 0);
	sim_device_set_offset(fx.device, offset);
	assert_true(sim_device_offset(fx.device) == offset);
	device_fill(fx.device, fx.buf + offset, 64, 1);
	expect_cpu(fx.m, fx.buf, 64, 1);
	device_fill(fx.device, BAR_BASE + offset, 64, 2);
	expect_cpu(fx.m, BAR_BASE, 64, 2);
	expect_fault(fx.device, fx.buf, 64, true, 0, SIM_FAULT_HOLE);
	sim_device_set_bypass_window(fx.device, fx.buf + 64);
	expect_read(fx.device, fx.buf, 64, 1);
	expect_fault(fx.device, fx.buf, 128, true, 64, SIM_FAULT_HOLE);
	expect_read(fx.device, fx.buf + offset, 64, 0xf1);
	teardown(&fx);
}

static void windows_translate(void **state)
{
	struct dma_range map[] = {
		{ 0, 0x10001000, 0x1000 },
		{ 0, 0x10000000, 0x10000 },
		{ BAR_BASE, 0x40000000, 0x1000 },
		{ 0, 0, 0 },
	};
	struct fx fx;

	(void)state;
	setup(&fx, 0);
	map[0].cpu = fx.buf + 0x3000;
	map[1].cpu = fx.buf;
	sim_device_set_windows(fx.device, map);
	device_fill(fx.device, 0x10000000, 0x2000, 1);
	expect_cpu(fx.m, fx.buf, 0x1000, 1);	      /* by the second window */
	expect_cpu(fx.m, fx.buf + 0x1000, 0x1000, 0); /* the first match counts... */
	expect_cpu(fx.m, fx.buf + 0x3000, 0x1000, 1); /* ...and that is the first window */
	device_fill(fx.device, 0x40000010, 16, 2);
	expect_cpu(fx.m, BAR_BASE + 0x10, 16, 2);
	expect_fault(fx.device, 0x40000ff0, 32, true, 16, SIM_FAULT_NO_WINDOW);
	expect_fault(fx.device, fx.buf, 4, false, 0, SIM_FAULT_NO_WINDOW);
	teardown(&fx);
}

static void faults_have_names(void **state)
{
	(void)state;
	assert_string_equal(sim_fault_name(SIM_FAULT_NONE), "none");
	assert_string_equal(sim_fault_name(SIM_FAULT_ADDRESS_LINES), "address-lines");
	assert_string_equal(sim_fault_name(SIM_FAULT_TABLE), "table");
	assert_string_equal(sim_fault_name((enum sim_fault_reason)99), "unknown");
}

static void time_is_virtual(void **state)
{
	struct sim_machine *m = start_machine(false);

	(void)state;
	assert_true(sim_time(m) == 0);
	sim_advance(m, 5);
	sim_advance(m, 7);
	assert_true(sim_time(m) == 12);
	sim_set_time(m, 1000);
	assert_true(sim_host(m)->time_ns(sim_host(m)) == 1000);
	end_machine(m);
}

static void a_machine_in_use_stays(void **state)
{
	struct sim_iommu_config config = { .size = sizeof(config) };
	struct sim_iommu *iommu;
	struct fx fx;

	(void)state;
	setup(&fx, 0);
	assert_int_equal(sim_machine_destroy(fx.m), -DMAMAP_EBUSY);
	assert_int_equal(sim_iommu_create(fx.m, &config, &iommu), 0);
	assert_int_equal(sim_device_destroy(fx.device), 0);
	assert_int_equal(sim_machine_destroy(fx.m), -DMAMAP_EBUSY);
	assert_int_equal(sim_iommu_destroy(iommu), 0);
	end_machine(fx.m);
}

static void the_library_speaks_to_the_machine(void **state)
{
	struct sim_machine *m = start_machine(false);
	struct dma_host *host = sim_host(m);
	struct sim_counters c;

	(void)state;
	assert_string_equal(sim_last_message(m), "");
	host->log(host, DMA_LOG_INFO, "one");
	host->warn(host, "two");
	host->fatal(host, "three");
	host->sanitize(host, DMA_SANITIZE_MAP, LOW_BASE, 1, DMA_TO_DEVICE);
	sim_get_counters(m, &c);
	assert_true(c.logs == 1 && c.warnings == 1 && c.fatals == 1 && c.sanitized == 1);
	assert_string_equal(sim_last_message(m), "three");
	end_machine(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_move_bytes),
		cmocka_unit_test(devices_reach_other_bars),
		cmocka_unit_test(holes_fault_at_their_first_byte),
		cmocka_unit_test(address_lines_end),
		cmocka_unit_test(the_last_address_does_not_wrap),
		cmocka_unit_test(translators_subtract),
		cmocka_unit_test(windows_translate),
		cmocka_unit_test(faults_have_names),
		cmocka_unit_test(time_is_virtual),
		cmocka_unit_test(a_machine_in_use_stays),
		cmocka_unit_test(the_library_speaks_to_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
