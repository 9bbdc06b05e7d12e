/* SPDX-License-Identifier: BSD-2-Clause */
/* The noncoherent machine: what the CPU and a device see of each other's bytes, and when. */
#include "machine.h"

struct fx {
	struct sim_machine *m;
	struct dma_host *host;
	struct sim_device *device;
	phys_addr_t buf;
};

static void setup(struct fx *fx)
{
	fx->m = start_machine(true);
	fx->host = sim_host(fx->m);
	fx->device = add_device(fx->m, "dev", 0);
	fx->buf = sim_alloc(fx->m, 4096, 4096, 0, ~0ull);
	assert_true(fx->buf != DMAMAP_PHYS_NONE);
}

static void teardown(struct fx *fx)
{
	assert_int_equal(sim_device_destroy(fx->device), 0);
	end_machine(fx->m);
}

static void for_device(struct fx *fx, uint64_t offset, uint64_t len, enum dma_data_direction dir)
{
	fx->host->cache_for_device(fx->host, fx->buf + offset, len, dir);
}

static void for_cpu(struct fx *fx, uint64_t offset, uint64_t len, enum dma_data_direction dir)
{
	fx->host->cache_for_cpu(fx->host, fx->buf + offset, len, dir);
}

static void stores_need_a_clean(void **state)
{
	static const enum dma_data_direction dirs[] = { DMA_TO_DEVICE, DMA_FROM_DEVICE,
							DMA_BIDIRECTIONAL };
	struct fx fx;

	(void)state;
	setup(&fx);
	for (unsigned char i = 0; i < 3; i++) {
		cpu_fill(fx.m, fx.buf, 256, 0x10 + i);
		expect_read(fx.device, fx.buf, 256, i ? 0x10 + i - 1 : 0);
		for_device(&fx, 0, 256, dirs[i]);
		expect_read(fx.device, fx.buf, 256, 0x10 + i);
	}
	teardown(&fx);
}

static void device_bytes_need_an_invalidate(void **state)
{
	struct fx fx;

	(void)state;
	setup(&fx);
	cpu_fill(fx.m, fx.buf, 256, 1);
	for_device(&fx, 0, 256, DMA_FROM_DEVICE);
	device_fill(fx.device, fx.buf, 256, 2);
	expect_cpu(fx.m, fx.buf, 256, 1);
	for_cpu(&fx, 0, 256, DMA_TO_DEVICE);
	expect_cpu(fx.m, fx.buf, 256, 1);
	for_cpu(&fx, 0, 256, DMA_FROM_DEVICE);
	expect_cpu(fx.m, fx.buf, 256, 2);
	device_fill(fx.device, fx.buf, 256, 3);
	for_cpu(&fx, 0, 256, DMA_BIDIRECTIONAL);
	expect_cpu(fx.m, fx.buf, 256, 3);
	teardown(&fx);
}

/** Cleaning a line that the CPU did not write cannot bury what the device wrote. */
static void a_clean_line_is_not_written(void **state)
{
	struct fx fx;

	(void)state;
	setup(&fx);
	cpu_fill(fx.m, fx.buf, 256, 1);
	for_device(&fx, 0, 256, DMA_BIDIRECTIONAL);
	device_fill(fx.device, fx.buf, 256, 2);
	for_device(&fx, 0, 256, DMA_BIDIRECTIONAL);
	expect_read(fx.device, fx.buf, 256, 2);
	for_device(&fx, 0, 256, DMA_FROM_DEVICE);
	for_cpu(&fx, 0, 256, DMA_FROM_DEVICE);
	expect_cpu(fx.m, fx.buf, 256, 2);
	device_fill(fx.device, fx.buf, 256, 3); /* an invalidated line is clean */
	for_device(&fx, 0, 256, DMA_BIDIRECTIONAL);
	expect_read(fx.device, fx.buf, 256, 3);
	teardown(&fx);
}

/** The same value stored again: the direction says that it counts. */
static void an_equal_store_reaches_the_device(void **state)
{
	struct fx fx;

	(void)state;
	setup(&fx);
	cpu_fill(fx.m, fx.buf, 100, 1);
	for_device(&fx, 0, 100, DMA_FROM_DEVICE);
	device_fill(fx.device, fx.buf, 100, 2); /* unmapped with SKIP_CPU_SYNC */
	cpu_fill(fx.m, fx.buf, 100, 1);
	for_device(&fx, 0, 100, DMA_TO_DEVICE);
	expect_read(fx.device, fx.buf, 100, 1);
	teardown(&fx);
}

static void whole_lines_move(void **state)
{
	struct fx fx;

	(void)state;
	setup(&fx);
	cpu_fill(fx.m, fx.buf, 256, 1);
	for_device(&fx, 70, 1, DMA_TO_DEVICE); /* the second line */
	expect_read(fx.device, fx.buf, 64, 0);
	expect_read(fx.device, fx.buf + 64, 64, 1);
	expect_read(fx.device, fx.buf + 128, 128, 0);
	device_fill(fx.device, fx.buf, 256, 2);
	for_cpu(&fx, 127, 2, DMA_FROM_DEVICE); /* the second and the third */
	expect_cpu(fx.m, fx.buf, 64, 1);
	expect_cpu(fx.m, fx.buf + 64, 128, 2);
	expect_cpu(fx.m, fx.buf + 192, 64, 1);
	for_device(&fx, 0, 256, DMA_TO_DEVICE);
	device_fill(fx.device, fx.buf + 60, 4, 5);
	for_cpu(&fx, 0, 1, DMA_FROM_DEVICE); /* a line whose other end changed */
	expect_cpu(fx.m, fx.buf + 60, 4, 5);
	teardown(&fx);
}

/** A neighbour's store into a line that the device writes is lost, or destroys: here lost. */
static void sharing_a_line_loses_a_store(void **state)
{
	struct fx fx;

	(void)state;
	setup(&fx);
	for_device(&fx, 0, 32, DMA_FROM_DEVICE);
	device_fill(fx.device, fx.buf, 32, 2);
	cpu_fill(fx.m, fx.buf + 32, 32, 7);
	for_cpu(&fx, 0, 32, DMA_FROM_DEVICE);
	expect_cpu(fx.m, fx.buf, 32, 2);
	expect_cpu(fx.m, fx.buf + 32, 32, 0);
	teardown(&fx);
}

/** sim_cpu_write() is seen to write, even what was there. */
static void cpu_writes_make_lines_dirty(void **state)
{
	unsigned char ones[64];
	struct fx fx;

	(void)state;
	setup(&fx);
	memset(ones, 1, sizeof(ones));
	cpu_fill(fx.m, fx.buf, 64, 1);
	for_device(&fx, 0, 64, DMA_BIDIRECTIONAL);
	device_fill(fx.device, fx.buf, 64, 2);
	assert_int_equal(sim_cpu_write(fx.m, fx.buf, ones, 64), 0);
	for_device(&fx, 0, 64, DMA_BIDIRECTIONAL);
	expect_read(fx.device, fx.buf, 64, 1);
	teardown(&fx);
}

static void a_snooping_device_sees_all(void **state)
{
	struct sim_device_config config = { .size = sizeof(config), .coherent = true };
	struct sim_device *snoops;
	struct fx fx;

	(void)state;
	setup(&fx);
	assert_int_equal(sim_device_create(fx.m, &config, &snoops), 0);
	assert_true(dma_device_is_coherent(sim_dma(snoops)));
	assert_false(dma_device_is_coherent(sim_dma(fx.device)));
	cpu_fill(fx.m, fx.buf, 64, 1);
	expect_read(snoops, fx.buf, 64, 1);
	device_fill(snoops, fx.buf, 32, 2);
	expect_cpu(fx.m, fx.buf, 32, 2);
	expect_cpu(fx.m, fx.buf + 32, 32, 1);
	expect_read(fx.device, fx.buf, 32, 2);
	expect_read(fx.device, fx.buf + 32, 32, 0); /* still dirty in the cache */
	for_device(&fx, 0, 64, DMA_BIDIRECTIONAL);
	device_fill(snoops, fx.buf, 64, 3); /* leaves the line clean */
	device_fill(fx.device, fx.buf, 64, 4);
	for_device(&fx, 0, 64, DMA_BIDIRECTIONAL);
	expect_read(fx.device, fx.buf, 64, 4);
	assert_int_equal(sim_device_destroy(snoops), 0);
	teardown(&fx);
}

static void the_uncached_alias_is_memory(void **state)
{
	unsigned char *alias;
	struct fx fx;

	(void)state;
	setup(&fx);
	cpu_fill(fx.m, fx.buf, 4096, 1);
	fx.host->cache_prepare_coherent(fx.host, fx.buf, 4096);
	alias = fx.host->map_uncached(fx.host, fx.buf, 4096);
	assert_ptr_equal(alias, sim_device_ptr(fx.m, fx.buf, 4096));
	assert_int_equal(alias[4095], 1);
	memset(alias, 3, 4096);
	expect_read(fx.device, fx.buf, 4096, 3);
	device_fill(fx.device, fx.buf, 4096, 4);
	assert_int_equal(alias[0], 4);
	fx.host->unmap_uncached(fx.host, alias, fx.buf, 4096);
	assert_null(fx.host->map_uncached(fx.host, BAR_BASE, 4096));
	teardown(&fx);
}

/** Pages of another owner hold no difference that a later owner could meet. */
static void freed_memory_is_settled(void **state)
{
	struct fx fx;

	(void)state;
	setup(&fx);
	cpu_fill(fx.m, fx.buf, 4096, 1);
	device_fill(fx.device, fx.buf, 4096, 2);
	sim_free(fx.m, fx.buf, 4096);
	assert_true(sim_alloc(fx.m, 4096, 4096, 0, ~0ull) == fx.buf);
	assert_memory_equal(sim_cpu_ptr(fx.m, fx.buf, 4096), sim_device_ptr(fx.m, fx.buf, 4096),
			    4096);
	teardown(&fx);
}

static void mmio_has_no_lines(void **state)
{
	struct fx fx;

	(void)state;
	setup(&fx);
	cpu_fill(fx.m, BAR_BASE, 64, 1);
	expect_read(fx.device, BAR_BASE, 64, 1);
	device_fill(fx.device, BAR_BASE, 64, 2);
	expect_cpu(fx.m, BAR_BASE, 64, 2);
	fx.host->cache_for_device(fx.host, BAR_BASE, 64, DMA_TO_DEVICE);
	fx.host->cache_for_cpu(fx.host, BAR_BASE - 4096, 8192, DMA_FROM_DEVICE);
	expect_cpu(fx.m, BAR_BASE, 64, 2);
	teardown(&fx);
}

static void maintenance_is_counted(void **state)
{
	struct sim_counters c;
	struct fx fx;

	(void)state;
	setup(&fx);
	for_device(&fx, 0, 64, DMA_TO_DEVICE);
	for_cpu(&fx, 0, 64, DMA_TO_DEVICE);
	for_cpu(&fx, 0, 64, DMA_FROM_DEVICE);
	fx.host->cache_for_cpu_all(fx.host);
	fx.host->cache_flush(fx.host);
	sim_get_counters(fx.m, &c);
	assert_true(c.cache_for_device == 1 && c.cache_for_cpu == 2);
	assert_true(c.cache_for_cpu_all == 1 && c.cache_flush == 1);
	teardown(&fx);
}

static void a_coherent_machine_has_one_view(void **state)
{
	struct sim_machine *m = start_machine(false);

	(void)state;
	assert_null(sim_host(m)->cache_for_device);
	assert_null(sim_host(m)->map_uncached);
	assert_ptr_equal(sim_cpu_ptr(m, HIGH_BASE, 64), sim_device_ptr(m, HIGH_BASE, 64));
	end_machine(m);
}

/* --- adversarial */

static void adversary(struct fx *fx, uint64_t seed)
{
	struct sim_config config = {
		.size = sizeof(config), .noncoherent = true, .adversarial = true, .seed = seed
	};

	assert_int_equal(sim_machine_create(&config, &fx->m), 0);
	assert_int_equal(sim_add_ram(fx->m, HIGH_BASE, 1 << 20), 0);
	assert_int_equal(sim_start(fx->m), 0);
	fx->host = sim_host(fx->m);
	fx->device = add_device(fx->m, "dev", 0);
	fx->buf = sim_alloc(fx->m, 4096, 4096, 0, ~0ull);
}

/** Correct code never notices. */
static void correct_code_survives_the_adversary(void **state)
{
	uint64_t random = test_seed();
	struct fx fx;

	(void)state;
	adversary(&fx, random);
	for (unsigned int i = 0; i < 5000; i++) {
		uint64_t len = 64 * (1 + next_random(&random) % 32);
		uint64_t at = 64 * (next_random(&random) % 32);
		unsigned char value = (unsigned char)next_random(&random);

		cpu_fill(fx.m, fx.buf + at, len, value);
		if (i % 2) {
			for_device(&fx, at, len, DMA_TO_DEVICE);
			expect_read(fx.device, fx.buf + at, len, value);
			for_cpu(&fx, at, len, DMA_TO_DEVICE);
			expect_cpu(fx.m, fx.buf + at, len, value);
		} else {
			for_device(&fx, at, len, DMA_FROM_DEVICE);
			device_fill(fx.device, fx.buf + at, len, (unsigned char)~value);
			for_cpu(&fx, at, len, DMA_FROM_DEVICE);
			expect_cpu(fx.m, fx.buf + at, len, (unsigned char)~value);
		}
	}
	teardown(&fx);
}

/** A map for the device that does not clean: sooner or later an eviction buries what the device wrote. */
static void a_missing_clean_is_found(void **state)
{
	uint64_t random = test_seed();
	bool found = false;
	struct fx fx;

	(void)state;
	adversary(&fx, random);
	for (unsigned int i = 0; i < 200 && !found; i++) {
		const unsigned char *cpu = sim_cpu_ptr(fx.m, fx.buf, 4096);

		cpu_fill(fx.m, fx.buf, 4096, (unsigned char)(2 * i));
		device_fill(fx.device, fx.buf, 4096, (unsigned char)(2 * i + 1));
		for_cpu(&fx, 0, 4096, DMA_FROM_DEVICE);
		for (unsigned int j = 0; j < 4096; j++)
			found |= cpu[j] != (unsigned char)(2 * i + 1);
	}
	assert_true(found);
	teardown(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_need_a_clean),
		cmocka_unit_test(device_bytes_need_an_invalidate),
		cmocka_unit_test(a_clean_line_is_not_written),
		cmocka_unit_test(an_equal_store_reaches_the_device),
		cmocka_unit_test(whole_lines_move),
		cmocka_unit_test(sharing_a_line_loses_a_store),
		cmocka_unit_test(cpu_writes_make_lines_dirty),
		cmocka_unit_test(a_snooping_device_sees_all),
		cmocka_unit_test(the_uncached_alias_is_memory),
		cmocka_unit_test(freed_memory_is_settled),
		cmocka_unit_test(mmio_has_no_lines),
		cmocka_unit_test(maintenance_is_counted),
		cmocka_unit_test(a_coherent_machine_has_one_view),
		cmocka_unit_test(correct_code_survives_the_adversary),
		cmocka_unit_test(a_missing_clean_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
