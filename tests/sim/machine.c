/* SPDX-License-Identifier: BSD-2-Clause */
/* See machine.h. */
#include "machine.h"

#include <time.h>

struct sim_machine *start_machine(bool noncoherent)
{
	struct sim_config config = { .size = sizeof(config), .noncoherent = noncoherent };
	struct sim_machine *m;

	assert_int_equal(sim_machine_create(&config, &m), 0);
	assert_int_equal(sim_add_ram(m, LOW_BASE, LOW_SIZE), 0);
	assert_int_equal(sim_add_ram(m, HIGH_BASE, HIGH_SIZE), 0);
	assert_int_equal(sim_add_bar(m, BAR_BASE, BAR_SIZE), 0);
	assert_int_equal(sim_start(m), 0);
	return m;
}

void end_machine(struct sim_machine *m)
{
	assert_int_equal(sim_machine_destroy(m), 0);
}

struct sim_device *add_device(struct sim_machine *m, const char *name, unsigned int bits)
{
	struct sim_device_config config = { .size = sizeof(config),
					    .name = name,
					    .address_bits = bits };
	struct sim_device *device;

	assert_int_equal(sim_device_create(m, &config, &device), 0);
	return device;
}

uint64_t test_seed(void)
{
	const char *text = getenv("DMAMAP_TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);

	print_message("# DMAMAP_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed * 0x9e3779b97f4a7c15ull | 1;
}

uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void expect_moved(const unsigned char *bytes, uint64_t len, uint64_t moved,
			 unsigned char new, unsigned char old)
{
	for (uint64_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], i < moved ? new : old);
}

void expect_fault(struct sim_device *device, dma_addr_t addr, uint64_t len, bool write,
		  uint64_t moved, enum sim_fault_reason reason)
{
	unsigned char *bytes = malloc(len);
	struct sim_fault fault;
	int err;

	assert_non_null(bytes);
	memset(bytes, 0xf1, len);
	if (write)
		err = sim_dma_write(device, addr, bytes, len, &fault);
	else
		err = sim_dma_read(device, addr, bytes, len, &fault);
	assert_int_equal(err, -DMAMAP_EFAULT);
	assert_string_equal(sim_fault_name(fault.reason), sim_fault_name(reason));
	assert_ptr_equal(fault.device, device);
	assert_true(fault.addr == addr + moved);
	assert_int_equal(fault.write, write);
	if (!write && moved < len)
		expect_moved(bytes + moved, len - moved, 0, 0, 0xf1);
	free(bytes);
}

void expect_read(struct sim_device *device, dma_addr_t addr, uint64_t len, unsigned char value)
{
	unsigned char *bytes = malloc(len);
	struct sim_fault fault;

	assert_non_null(bytes);
	memset(bytes, ~value, len);
	assert_int_equal(sim_dma_read(device, addr, bytes, len, &fault), 0);
	assert_int_equal(fault.reason, SIM_FAULT_NONE);
	expect_moved(bytes, len, len, value, 0);
	free(bytes);
}

void device_fill(struct sim_device *device, dma_addr_t addr, uint64_t len, unsigned char value)
{
	unsigned char *bytes = malloc(len);

	assert_non_null(bytes);
	memset(bytes, value, len);
	assert_int_equal(sim_dma_write(device, addr, bytes, len, NULL), 0);
	free(bytes);
}

void cpu_fill(struct sim_machine *m, phys_addr_t phys, uint64_t len, unsigned char value)
{
	unsigned char *ptr = sim_cpu_ptr(m, phys, len);

	assert_non_null(ptr);
	memset(ptr, value, len);
}

void expect_cpu(struct sim_machine *m, phys_addr_t phys, uint64_t len, unsigned char value)
{
	const unsigned char *ptr = sim_cpu_ptr(m, phys, len);

	assert_non_null(ptr);
	expect_moved(ptr, len, len, value, 0);
}

/* --- tables */

phys_addr_t new_table(struct sim_machine *m)
{
	phys_addr_t phys = sim_alloc(m, 4096, 4096, 0, ~0ull);

	assert_true(phys != DMAMAP_PHYS_NONE);
	cpu_fill(m, phys, 4096, 0);
	return phys;
}

void set_entry(struct sim_machine *m, phys_addr_t table, unsigned int index, uint64_t value)
{
	assert_int_equal(sim_cpu_write(m, table + 8ull * index, &value, 8), 0);
}

void enter(struct sim_machine *m, phys_addr_t root, unsigned int levels, dma_addr_t iova,
	   unsigned int shift, uint64_t entry)
{
	phys_addr_t table = root;

	for (unsigned int at = 3 + 9 * levels; at > shift; at -= 9) {
		uint64_t *slot = sim_cpu_ptr(m, table + 8 * (iova >> at & 511), 8);

		assert_non_null(slot);
		if (!*slot)
			*slot = new_table(m) | PTE_RW;
		table = *slot & 0x000ffffffffff000ull;
	}
	set_entry(m, table, (unsigned int)(iova >> shift & 511), entry);
}
