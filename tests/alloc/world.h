/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One device of the simulated machine on each route, so that every test of allocated memory runs on all of them by
 * construction. The machine's allocator can be made to fail at the n-th request; world_end() checks that nothing leaked
 * and that nobody complained.
 */
#ifndef TESTS_ALLOC_WORLD_H
#define TESTS_ALLOC_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sim.h>

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

enum world_kind {
	WORLD_DIRECT,
	WORLD_DIRECT_NONCOHERENT,
	WORLD_WINDOW, /* direct, through a window of the bus */
	WORLD_STRICT,
	WORLD_STRICT_NONCOHERENT,
	WORLD_LAZY,
	WORLD_OPS,
	WORLD_OPS_NONCOHERENT,
	WORLD_KINDS,
};

struct world {
	enum world_kind kind;
	struct sim_machine *m;
	struct sim_device *device;
	struct dma_device *dev;
	struct sim_iommu *iommu;
	struct dma_domain *domain;
	/** Bytes in use before the device did anything. */
	uint64_t baseline;
	uint64_t warnings;
	uint64_t failures;
};

extern const char *const world_names[WORLD_KINDS];

void world_begin(struct world *w, enum world_kind kind);
/** End the device and the machine: everything is back, and exactly @w->warnings complaints were heard. */
void world_end(struct world *w);
bool world_noncoherent(const struct world *w);

/** Fail the @n-th request for pages from now on, once; 0: none. */
void world_fail_at(uint64_t n);
/** Has that request come? */
bool world_failed(void);
/** Refuse every request of more bytes than this; 0: none. */
void world_limit_blocks(uint64_t bytes);

/** The latest failure of the device is this. */
void expect_reason(struct world *w, enum dma_reason reason);
/** The device reads or writes; a fault fails the test. */
void device_read(struct world *w, dma_addr_t addr, void *buf, uint64_t len);
void device_write(struct world *w, dma_addr_t addr, const void *buf, uint64_t len);
/** The device cannot touch [addr, addr + 1). */
bool device_faults(struct world *w, dma_addr_t addr);
/** Bytes that differ for every address and @salt. */
void fill(unsigned char *buf, uint64_t len, unsigned int salt);
bool is_zero(const unsigned char *buf, uint64_t len);

/** From DMAMAP_TEST_SEED or the clock; printed. */
uint64_t test_seed(void);
uint64_t next_random(uint64_t *state);

/** Run @scenario on every route; and on every route once for each request for pages it makes, which fails. */
void on_every_route(void (*scenario)(struct world *w));
void each_failure_on_every_route(void (*scenario)(struct world *w));

#endif
