/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated machine with an IOMMU, one domain and one device that nobody observes: maps go the shortest way. */
#ifndef TESTS_SMALL_WORLD_H
#define TESTS_SMALL_WORLD_H

#include <dmamap/dmamap.h>
#include <dmamap/sim.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 4096u
#define RAM  ((uint64_t)256 << 20)

struct world {
	struct sim_machine *m;
	struct sim_iommu *iommu;
	struct sim_device *device;
	struct dma_device *dev;
	struct dma_domain *domain;
	phys_addr_t buf; /* of the pages that tests map */
	uint64_t
		page; /* of the host, and of the pages of buf: PAGE, or the IOMMU's granule if that is larger */
	uint64_t empty_tables;
};

/** More memory than the first RAM bytes; ended by one of size 0. */
struct world_memory {
	phys_addr_t base;
	uint64_t size;
	bool bar;
	bool held; /* RAM that the library gets nothing of */
};

struct world_config {
	enum dma_invalidation invalidation;
	uint64_t buf_pages;
	struct sim_iommu_config iommu;	   /* without size */
	const struct world_memory *memory; /* NULL: no more */
	bool ranges_only;		   /* the host describes nothing */
};

void world_begin(struct world *w, enum dma_invalidation invalidation, uint64_t buf_pages);
void world_begin_with(struct world *w, const struct world_config *config);
/** Nothing may live; all of the machine must come back. */
void world_end(struct world *w);
struct dma_domain_stats world_stats(struct world *w);
/** Does the device read at @addr what page @page of the buffer begins with? */
bool world_reads(struct world *w, dma_addr_t addr, uint64_t page);
/** Is @addr closed to the device? */
bool world_faults(struct world *w, dma_addr_t addr);
/** A seed from DMAMAP_TEST_SEED or the clock, printed; then numbers from it. */
uint64_t world_seed(void);
uint64_t world_random(uint64_t *seed, uint64_t below);

#endif
