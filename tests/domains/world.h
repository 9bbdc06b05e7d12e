/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated machine with one IOMMU, a domain and devices in it, for the tests of domains.
 */
#ifndef TESTS_DOMAINS_WORLD_H
#define TESTS_DOMAINS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sim.h>

#define PAGE	 4096ull
#define RAM_BASE 0x00100000ull
#define RAM_SIZE (64ull << 20)
#define BAR_BASE 0xe0000000ull
#define BAR_SIZE 0x00100000ull
#define MAX_TEXT 512u

struct world {
	struct sim_machine *m;
	struct dma_host *host;
	struct sim_iommu *iommu;
	struct dma_domain *domain;
	struct dma_bounce *pool;
	struct sim_device *device;
	struct dma_device *dev;
	/** 16 pages of RAM, and as many of a BAR. */
	phys_addr_t ram;
	phys_addr_t mmio;
};

/** A machine, and "nvme0" with a mask of 64 bits behind a domain. */
struct world *world_new(enum dma_invalidation invalidation);
struct world *world_new_behind(const struct sim_iommu_config *unit,
			       enum dma_invalidation invalidation);
/** The same on a machine with pages of @page bytes, 0: PAGE. */
struct world *world_new_with(const struct sim_iommu_config *unit,
			     const struct dma_domain_config *policy, uint64_t page);
/** Nothing may be mapped any more. */
void world_end(struct world *w);
/** One more device of the machine, behind @iommu unless NULL, with a mask of 64 bits; in no domain. */
struct sim_device *world_device(struct world *w, const char *name, struct sim_iommu *iommu);
/** A history of that many mappings, attached; and its end. */
struct dma_history *start_history(struct world *w, uint32_t capacity);
void stop_history(struct dma_history *history);
dma_addr_t world_map(struct world *w, phys_addr_t phys, size_t size, enum dma_data_direction dir);

/** The device's access of @len bytes succeeds, or fails for that reason. */
void expect_access(struct sim_device *device, dma_addr_t addr, uint64_t len, bool write,
		   enum sim_fault_reason reason);

/** A sink for text (dma_put_fn) into @MAX_TEXT bytes; ctx is a struct text. */
struct text {
	char s[MAX_TEXT];
	size_t len;
};
void put_text(void *ctx, const char *s, size_t n);

#endif
