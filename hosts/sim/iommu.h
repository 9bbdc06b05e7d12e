/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of the simulated IOMMU: what its files share.
 *
 *   iommu.c            made, asked by devices, ended; its domains
 *   unit.c             what the library asks of an IOMMU with tables
 *   walk.c             the walker; iotlb.c caches of pages and of tables
 *   command.c          what is asked of an IOMMU without tables; command_backend.c its driver
 */
#ifndef DMAMAP_SIM_IOMMU_H
#define DMAMAP_SIM_IOMMU_H

#include "mappings.h"

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

/** What devices are attached to: a table, or mappings, under the number that the library gave it. */
struct sim_domain {
	struct sim_domain *next;
	unsigned int id;
	phys_addr_t root;
	unsigned int levels;
	unsigned int devices;
	/** Stands for the domain in the IOTLB; a new one forgets all that was cached. Never reused. */
	uint64_t generation;
	/** Instead of a table. */
	struct sim_mappings mappings;
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

/* --- the IOMMU */

#define SIM_IOMMU_QUEUE 1024

/** An invalidation that was asked for and not yet waited for. */
struct sim_invalidation {
	unsigned int domain_id;
	dma_addr_t iova;
	uint64_t len; /* all ones: the whole domain */
	bool leaf_only;
};

struct sim_iommu {
	struct dma_iommu_unit unit; /* first: sim_iommu_of() */
	struct sim_machine *m;
	unsigned int levels;
	struct sim_walk walk;
	bool coherent_walk;
	bool command;
	unsigned int input_bits;
	uint64_t max_entries;
	unsigned int next_id;

	pthread_mutex_t lock; /* guards all that follows, and sim_device.domain */
	struct sim_domain *domains;
	uint64_t next_generation;
	struct sim_iotlb tlb;
	struct sim_iotlb tables;
	struct sim_invalidation queue[SIM_IOMMU_QUEUE];
	unsigned int queued;
	struct sim_iommu_stats stats;
};

/* --- iommu.c; the lock is held */

struct sim_domain *sim_domain_find(const struct sim_iommu *iommu, unsigned int id);
/** @device leaves its domain, if it has one, and joins that number, which is made if need be; false without memory. */
bool sim_domain_join(struct sim_iommu *iommu, struct sim_device *device, unsigned int id,
		     phys_addr_t root, unsigned int levels);
/** @device leaves its domain, which is forgotten with its last device. What was cached for it goes in any case. */
void sim_domain_leave(struct sim_iommu *iommu, struct sim_device *device);

/* --- unit.c */

extern const struct dma_iommu_unit_ops sim_unit_ops;

/* --- command.c */

/** What a mapping of the domain makes of an access. The lock is held. */
enum sim_fault_reason sim_command_translate(const struct sim_domain *domain, dma_addr_t iova,
					    bool write, uint64_t *len, phys_addr_t *phys);

/* --- command_backend.c */

int sim_command_backend_create(struct sim_iommu *iommu, unsigned int domain_id,
			       struct dma_backend **backend);

#pragma GCC visibility pop

#endif
