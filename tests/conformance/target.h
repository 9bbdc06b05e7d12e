/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines under test. The conformance cases (cases.c) know a machine by this interface only: memory, a device that
 * does DMA, domains, faults, and a peer's memory. Every kind of IOMMU that the project has, simulated or emulated, runs
 * the same cases.
 */
#ifndef TESTS_CONFORMANCE_TARGET_H
#define TESTS_CONFORMANCE_TARGET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dmamap/linux.h>

#define PAGE	      4096u
#define TARGET_FAULTS 256u

struct target;

/** What a kind of machine does not do like the others; docs/emulation.md names each. */
#define SILENT	  1u /* refused accesses are not reported */
#define READS_ALL 2u /* a mapping that the device may only write can be read as well */
#define NO_ACCESS 4u /* what is said of an access to nothing is not whether it read or wrote */
#define COARSE	  8u /* an invalidation of one page drops its neighbours too */

struct target_kind {
	const char *name;
	unsigned int limits;
	/** Start the machine: t->host, t->dma, t->peer, t->peer_size. */
	void (*start)(struct target *t);
	void (*stop)(struct target *t);
	int (*domain)(struct target *t, const struct dma_domain_config *config,
		      struct dma_domain **domain);
	/** A backend of its own, for cases that stand in between. NULL: there is none to be had. */
	int (*backend)(struct target *t, struct dma_backend **backend);
	/** After the device has entered a domain, and before it leaves: memory that the engine needs. NULL: none. */
	void (*enter)(struct target *t);
	void (*leave)(struct target *t);
	/** RAM: taken, given back, and as the CPU sees it. */
	phys_addr_t (*alloc)(struct target *t, uint64_t size, uint64_t align);
	void (*free)(struct target *t, phys_addr_t phys, uint64_t size);
	void (*cpu_read)(struct target *t, phys_addr_t phys, void *buf, size_t len);
	void (*cpu_write)(struct target *t, phys_addr_t phys, const void *buf, size_t len);
	/** The device's engine. What it was not given reads as zeros. */
	void (*dev_read)(struct target *t, dma_addr_t addr, void *buf, size_t len);
	void (*dev_write)(struct target *t, dma_addr_t addr, const void *buf, size_t len);
	/** Report faults that the hardware has recorded. NULL: they are reported at once. */
	void (*poll)(struct target *t);
};

struct target {
	const struct target_kind *kind;
	struct dma_host *host;
	struct dma_device *dma;
	/** Memory behind a peer's BAR; 0: there is none. */
	phys_addr_t peer;
	uint64_t peer_size;
	void *priv;

	struct dma_domain *domain;
	struct dma_observer observer;
	struct dma_fault faults[TARGET_FAULTS];
	unsigned int nr_faults;
	uint64_t random;
};

extern const struct target_kind *const target_kinds[];

/** The cases, for a kind of machine; cmocka's exit code. */
int run_cases(const struct target_kind *kind);

#endif
