/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the simulated machine share: a machine with two pieces of RAM and a BAR, seeds, checks. */
#ifndef TESTS_SIM_MACHINE_H
#define TESTS_SIM_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sim.h>

#define LOW_BASE  0x00100000ull
#define LOW_SIZE  0x3ff00000ull /* up to 1 GiB */
#define HIGH_BASE 0x100000000ull
#define HIGH_SIZE (64ull << 30)
#define BAR_BASE  0xe0000000ull
#define BAR_SIZE  0x01000000ull
#define HOLE	  0x80000000ull

/** A started machine with that memory. */
struct sim_machine *start_machine(bool noncoherent);
void end_machine(struct sim_machine *m);
struct sim_device *add_device(struct sim_machine *m, const char *name, unsigned int bits);
/** From DMAMAP_TEST_SEED or the clock; printed. */
uint64_t test_seed(void);
uint64_t next_random(uint64_t *state);

/** The device's access faults there, for that reason, having moved @moved of @len bytes. */
void expect_fault(struct sim_device *device, dma_addr_t addr, uint64_t len, bool write,
		  uint64_t moved, enum sim_fault_reason reason);
/** Read @len bytes through the device: they are all @value. */
void expect_read(struct sim_device *device, dma_addr_t addr, uint64_t len, unsigned char value);
/** Write @len bytes of @value through the device. */
void device_fill(struct sim_device *device, dma_addr_t addr, uint64_t len, unsigned char value);
/** CPU's bytes. */
void cpu_fill(struct sim_machine *m, phys_addr_t phys, uint64_t len, unsigned char value);
void expect_cpu(struct sim_machine *m, phys_addr_t phys, uint64_t len, unsigned char value);

/* --- hand-made tables */

#define PTE_R	  1ull
#define PTE_W	  2ull
#define PTE_RW	  3ull
#define PTE_LARGE 0x80ull

/** An empty table. */
phys_addr_t new_table(struct sim_machine *m);
void set_entry(struct sim_machine *m, phys_addr_t table, unsigned int index, uint64_t value);
/** Enter a leaf of 2^@shift bytes, making tables on the way with all permissions. @levels of them, from @root. */
void enter(struct sim_machine *m, phys_addr_t root, unsigned int levels, dma_addr_t iova,
	   unsigned int shift, uint64_t entry);

#endif
