/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests on emulated hardware share: a machine with an edu device, its faults, bytes moved. */
#ifndef TESTS_QEMU_RIG_H
#define TESTS_QEMU_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dmamap/linux.h>
#include <dmamap/qemu.h>

#include "examples/edu_device.h"

#define RIG_FAULTS 64u

/** A machine, its first edu device, and every fault that was reported since the last look. */
struct rig {
	struct qemu_machine *m;
	struct dma_host *host;
	struct qemu_device *function;
	struct edu edu;
	struct dma_domain *domain;
	struct dma_observer observer;
	struct dma_fault faults[RIG_FAULTS];
	unsigned int nr_faults;
};

/** Start @config with one edu of 48 address bits in front of its devices; size, error and devices are filled in. */
void rig_start(struct rig *rig, const struct qemu_config *config);
/** The same, with a domain that the edu is in. */
void rig_start_domain(struct rig *rig, const struct qemu_config *config,
		      enum dma_invalidation invalidation);
/** Take the edu out of the domain, end all; no unexpected fault, no failure of QEMU. */
void rig_stop(struct rig *rig);

/** Start or fail the test with QEMU's words. */
struct qemu_machine *rig_machine(const struct qemu_config *config);

/** RAM of the test's own, filled with @value. */
phys_addr_t rig_pages(struct rig *rig, unsigned int n, unsigned char value);
void *rig_ptr(struct rig *rig, phys_addr_t phys);

/** The device reads @len bytes there into its buffer, or writes its buffer there. */
void rig_load(struct rig *rig, dma_addr_t addr, unsigned int at, unsigned int len);
void rig_store(struct rig *rig, unsigned int at, dma_addr_t addr, unsigned int len);
/** Fill the device's buffer with @value, through a mapping of its own. */
void rig_set_buffer(struct rig *rig, unsigned char value);
/** All @len bytes at @phys are @value. */
bool rig_all(struct rig *rig, phys_addr_t phys, uint64_t len, unsigned char value);

/** A mapping for the edu, which must not fail; and its end. */
dma_addr_t rig_map(struct rig *rig, phys_addr_t phys, size_t size, enum dma_data_direction dir);
void rig_unmap(struct rig *rig, dma_addr_t addr, size_t size, enum dma_data_direction dir);

/** Nothing was reported. */
void rig_no_fault(struct rig *rig);
/** Something was, and the first fault is that. All are forgotten. */
void rig_fault(struct rig *rig, dma_addr_t addr, enum dma_fault_access access,
	       enum dma_fault_reason reason);

/* --- what is true of every unit that reports faults */

/** How a unit tells of accesses where nothing is mapped. */
struct rig_unit {
	enum dma_fault_access write_of_nothing;
	enum dma_fault_reason no_write;
	enum dma_fault_reason no_read;
	/** What is mapped from the device cannot be read by it. */
	bool write_only;
};

/** Bytes arrive while they are mapped, and no longer. */
void rig_map_move_unmap(const struct qemu_config *config, const struct rig_unit *unit);
/** The device does what its mapping's direction says, and nothing else. */
void rig_directions_hold(const struct qemu_config *config, const struct rig_unit *unit);

#endif
