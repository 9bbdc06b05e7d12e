/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mappings that a device which takes commands was told of: it never says what is mapped, and unmaps whole mappings
 * only.
 *
 * A treap: a search tree by address that is also a heap by a hash of the address, so that it is balanced whatever the
 * order. Mappings do not overlap. The owner serialises all calls.
 */
#ifndef DMAMAP_HW_MAPPINGS_H
#define DMAMAP_HW_MAPPINGS_H

#include "base/slab.h"

#pragma GCC visibility push(hidden)

struct hw_mapping {
	dma_addr_t first;
	dma_addr_t last; /* inclusive */
	phys_addr_t phys;
	unsigned int prot;
	uint32_t rank;
	struct hw_mapping *left;
	struct hw_mapping *right;
};

struct hw_mappings {
	struct dmamap_slab slab;
	struct hw_mapping *root;
};

void dmamap_hw_mappings_init(struct hw_mappings *m, struct dma_host *host);
void dmamap_hw_mappings_fini(struct hw_mappings *m);

/** 0; -EADDRINUSE: it overlaps another one; -ENOMEM. */
int dmamap_hw_mappings_add(struct hw_mappings *m, dma_addr_t first, dma_addr_t last,
			   phys_addr_t phys, unsigned int prot);
/** The mapping that holds @iova, or the first above it; NULL: none. */
const struct hw_mapping *dmamap_hw_mappings_next(const struct hw_mappings *m, dma_addr_t iova);
/** Does a mapping lie partly in [first, last]? */
bool dmamap_hw_mappings_cut(const struct hw_mappings *m, dma_addr_t first, dma_addr_t last);
/** Forget those in [first, last], which cuts none. Return: bytes from @first to the first hole. */
uint64_t dmamap_hw_mappings_drop(struct hw_mappings *m, dma_addr_t first, dma_addr_t last);

#pragma GCC visibility pop

#endif
