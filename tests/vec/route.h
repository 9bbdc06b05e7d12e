/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines with one device each, one machine for every route that a device's mappings can take, and memory to map:
 * an arena of RAM and one of MMIO, in which vectors and lists of any shape are laid out.
 */
#ifndef TESTS_VEC_ROUTE_H
#define TESTS_VEC_ROUTE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sim.h>

#define ARENA	 (2ull << 20)
#define PAGE	 4096ull
#define MAX_VECS 48u

struct route {
	const char *name;
	enum dma_route route;
	bool noncoherent;
	/** Not adversarial: that machine takes a store of what was there already for none. */
	bool calm;
	bool lazy;
	bool untrusted;
	bool command;
	/** Of the tables behind an IOMMU; 0 and 0: VT-d second stage, 4 KiB. */
	enum dma_pt_format format;
	unsigned int granule_bits;
	/** Its entries cannot deny reads. */
	bool reads;
	/** RAM of the arena is beyond the mask. */
	bool bounces;
	bool arch;
	bool windows;
	enum sim_ops_kind ops;
	/** What the device's addresses differ from physical ones by, off the IOMMU. */
	uint64_t offset;
};

extern const struct route routes[];
extern const unsigned int nr_routes;

struct world {
	const struct route *route;
	struct sim_machine *m;
	struct sim_iommu *iommu;
	struct dma_domain *domain;
	struct dma_bounce *pool;
	struct sim_device *device;
	struct dma_device *dev;
	struct dma_parms parms;
	phys_addr_t ram;
	phys_addr_t mmio;
	uint64_t random;
};

struct world *world_new(const struct route *route, uint64_t seed);
/** Ends everything; nothing may be mapped any more. */
void world_end(struct world *w);
/** Nothing lives: no mapping, no I/O address, no slot. Flushes what waits. */
void world_idle(struct world *w);

/** From DMAMAP_TEST_SEED or the clock; printed. */
uint64_t route_seed(void);
uint64_t below(struct world *w, uint64_t n);

/** Fill both arenas with noise. */
void fill_arenas(struct world *w);
/** Both arenas, as the CPU sees them: 2 * ARENA bytes to be freed. */
unsigned char *copy_arenas(struct world *w);
/** Where the bytes at @phys are in such a copy. */
unsigned char *in_copy(const struct world *w, unsigned char *copy, phys_addr_t phys);

#endif
