/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of the simulated IOMMU: its domains, its IOTLB (iotlb.c), its walker (walk.c), its unit (iommu.c).
 */
#ifndef DMAMAP_SIM_IOMMU_H
#define DMAMAP_SIM_IOMMU_H

#include "machine.h"

#pragma GCC visibility push(hidden)

#define SIM_PERM_READ  1u
#define SIM_PERM_WRITE 2u

/** A translation: the page that holds an I/O address, where it lies, and what is allowed. Or a table for that range. */
struct sim_translation {
	uint64_t iova;
	phys_addr_t phys;
	unsigned int shift; /* 12, 21 or 30; of a table's range 21, 30, 39 or 48 */
	unsigned int perm;  /* SIM_PERM_* */
};

/** What devices are attached to: a table, under the number that the library gave it. */
struct sim_domain {
	struct sim_domain *next;
	unsigned int id;
	phys_addr_t root;
	unsigned int levels;
	unsigned int devices;
	/** Stands for the domain in the IOTLB; a new one forgets all that was cached. Never reused. */
	uint64_t generation;
};

/* --- iotlb.c */

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
/** After a sim_iotlb_find() that found nothing. */
void sim_iotlb_add(struct sim_iotlb *tlb, uint64_t generation, const struct sim_translation *t);
/** Forget every page of the generation that overlaps [first, last]. */
void sim_iotlb_drop(struct sim_iotlb *tlb, uint64_t generation, dma_addr_t first, dma_addr_t last);

/* --- walk.c */

struct sim_walk {
	const struct sim_machine *m;
	/** Read tables as devices see memory; otherwise as the CPU does. */
	bool device_view;
	unsigned int output_bits;
	uint64_t page_sizes;
	/** Tables found earlier, from which a walk may start. */
	struct sim_iotlb *tables;
};

/** Walk the domain's table for an access. SIM_FAULT_NONE and *@out, or the first thing that is wrong on the way. */
enum sim_fault_reason sim_walk(const struct sim_walk *walk, const struct sim_domain *domain,
			       dma_addr_t iova, bool write, struct sim_translation *out);

#pragma GCC visibility pop

#endif
