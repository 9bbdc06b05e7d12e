/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables as the hardware sees them: a fake unit that learns where the root is, and a walker of the test's own that
 * reads raw table memory from there.
 */
#ifndef DMAMAP_TESTS_PAGETABLE_H
#define DMAMAP_TESTS_PAGETABLE_H

#include "fakehost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <dmamap/pagetable.h>

#include <cmocka.h>

#define K4  0x1000ull
#define M2  0x200000ull
#define G1  0x40000000ull
#define RW  (DMA_PROT_READ | DMA_PROT_WRITE)
#define BIG (M2 | G1)

struct unit {
	struct dma_iommu_unit unit;
	phys_addr_t root;
	unsigned int levels;
	unsigned int domain_id;
	unsigned int attached;
	unsigned int invalidations;
	unsigned int waits;
	uint64_t len;
	bool leaf_only;
};

struct fixture {
	struct fake_host fake;
	struct unit unit;
	struct dma_backend *pt;
};

/** Where a walk ended. */
struct found {
	uint64_t entry;
	unsigned int level; /* 0: 4 KiB */
};

/** What start() uses: 46 bits of output, both large sizes, domain 7. */
struct dma_pt_config config_of(struct fixture *f, unsigned int levels);
/** Make a table, of so many levels; the fake host is there already. */
void start_with(struct fixture *f, const struct dma_pt_config *config, unsigned int levels);
/** Make a fake host and a table; with @caches the hardware does not snoop. */
void start(struct fixture *f, unsigned int levels, bool caches);
/** End the table and the host; nothing may leak. */
void finish(struct fixture *f);
/** One piece, read-write, made visible. */
int map(struct fixture *f, uint64_t iova, uint64_t phys, uint64_t len);
uint64_t unmap(struct fixture *f, uint64_t iova, uint64_t len);
/** What a domain does after an unmap: prune, invalidate, wait, release. True if tables went. */
bool settle(struct fixture *f);
/** Bytes of tables. */
uint64_t bytes(struct fixture *f);
/** The walker: through the device's view of memory, straight from the manual. */
struct found walk(const struct fixture *f, uint64_t iova);
void expect_leaf(const struct fixture *f, uint64_t iova, unsigned int level, uint64_t entry);
void expect_hole(const struct fixture *f, uint64_t iova);
/** How many leaves of each size the whole table holds. */
void expect_leaves(const struct fixture *f, unsigned int pages, unsigned int m2, unsigned int g1);

#endif
