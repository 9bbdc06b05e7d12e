/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of the simulated IOMMU: what its files share.
 *
 *   iommu.c            made, asked by devices, ended; its domains
 *   unit.c             what the library asks of an IOMMU with tables
 *   walk.c             the walker, and walk_*.c what formats give to it; iotlb.c caches of pages and of tables
 *   command.c          what is asked of an IOMMU without tables; command_backend.c its driver
 */
#ifndef DMAMAP_SIM_IOMMU_H
#define DMAMAP_SIM_IOMMU_H

#include "mappings.h"
#include "walk.h"

#pragma GCC visibility push(hidden)

/** What devices are attached to: a table, or mappings, under the number that the library gave it. */
struct sim_domain {
	struct sim_domain *next;
	unsigned int id;
	struct sim_table table;
	unsigned int devices;
	/** Stands for the domain in the IOTLB; a new one forgets all that was cached. Never reused. */
	uint64_t generation;
	/** Instead of a table. */
	struct sim_mappings mappings;
};

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
	enum dma_pt_format format;
	/** At the most; what is asked for. */
	unsigned int levels;
	/** Of commands, or of a format whose width is said and not made by its levels. */
	unsigned int input_bits;
	bool command;
	uint64_t max_entries;

	pthread_mutex_t lock; /* guards all that follows, and sim_device.domain */
	struct sim_walk walk;
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
		     const struct sim_table *table);
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
