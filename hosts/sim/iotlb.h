/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cache of translations: pages for the IOTLB, tables for the walker.
 */
#ifndef DMAMAP_SIM_IOTLB_H
#define DMAMAP_SIM_IOTLB_H

#include "machine.h"

#pragma GCC visibility push(hidden)

#define SIM_PERM_READ  1u
#define SIM_PERM_WRITE 2u
/** Requests without privilege may. */
#define SIM_PERM_USER 4u
/** A write needs no mark in the table any more. */
#define SIM_PERM_DIRTY 8u

/** A translation: the page that holds an I/O address, where it lies, and what is allowed. Or a table for that range. */
struct sim_translation {
	uint64_t iova;
	phys_addr_t phys;
	unsigned int shift; /* log2 of the page's, or of the table's range */
	unsigned int perm;  /* SIM_PERM_* */
};

struct sim_iotlb_entry;

struct sim_iotlb {
	struct sim_iotlb_entry *entries;
	unsigned int sets; /* a power of two */
	unsigned int ways;
	unsigned int victim;
	/** Page sizes that were ever cached, as a bitmap of shifts. */
	uint64_t shifts;
};

bool sim_iotlb_init(struct sim_iotlb *tlb, unsigned int entries);
void sim_iotlb_fini(struct sim_iotlb *tlb);
bool sim_iotlb_find(struct sim_iotlb *tlb, uint64_t generation, dma_addr_t iova,
		    struct sim_translation *out);
/** In place of what is there for the same page, if anything is. */
void sim_iotlb_add(struct sim_iotlb *tlb, uint64_t generation, const struct sim_translation *t);
/** Forget every page of the generation that overlaps [first, last]. */
void sim_iotlb_drop(struct sim_iotlb *tlb, uint64_t generation, dma_addr_t first, dma_addr_t last);

#pragma GCC visibility pop

#endif
