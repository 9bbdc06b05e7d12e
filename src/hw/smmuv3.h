/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the SMMUv3's driver share: queues (smmuv3_queue.c), stream table and context descriptors
 * (smmuv3_tables.c), the unit's operations (smmuv3_domain.c), events (smmuv3_event.c).
 *
 * One lock guards everything that changes. Commands are written into the queue and handed over by the next wait, or when
 * the queue is full. A wait takes the lock for each look, so that others go on.
 */
#ifndef DMAMAP_HW_SMMUV3_H
#define DMAMAP_HW_SMMUV3_H

#include <dmamap/fault.h>
#include <dmamap/pagetable.h>
#include <dmamap/smmuv3.h>

#include "hw.h"
#include "requester.h"
#include "smmuv3_regs.h"

#pragma GCC visibility push(hidden)

#define SMMU_QUEUE_BITS 8u    /* most: 256 commands, 256 events */
#define SMMU_ASIDS	4096u /* most domains, the one that is never used included */
#define SMMU_CD_PAGE	(4096u / SMMU_CD_SIZE)
#define SMMU_L2_TABLES	(1u << (16 - SMMU_SPLIT)) /* with 16 bits of a stream number */
#define SMMU_SID_BITS	16u

/** A queue; positions count entries since it was switched on. */
struct smmu_queue {
	struct hw_memory memory;
	unsigned int bits; /* log2 of its entries */
	uint64_t entries;
	uint64_t written;
	uint64_t told; /* of these, the hardware knows of */
	uint64_t done; /* and has passed */
};

struct dma_smmuv3 {
	struct dma_iommu_unit unit; /* first: smmu_of() */
	struct dma_host *host;
	struct dma_lock lock;
	phys_addr_t regs;
	uint64_t timeout_ns;
	bool bypass;
	bool interrupts;
	struct dma_smmuv3_info info;
	/** CR0 as it should be. */
	uint32_t cr0;

	struct smmu_queue commands;
	uint64_t last_sync; /* position behind the latest SYNC */
	struct smmu_queue events;

	/** The stream table; with two levels its first one. */
	struct hw_memory streams;
	struct hw_memory second[SMMU_L2_TABLES];
	struct hw_attached_list attached;

	/** Context descriptors by ASID, and which ones are in use. */
	struct hw_memory contexts[SMMU_ASIDS / SMMU_CD_PAGE];
	uint64_t asids[SMMU_ASIDS / 64];
	uint32_t live; /* backends */
};

static inline struct dma_smmuv3 *smmu_of(struct dma_iommu_unit *unit)
{
	return (struct dma_smmuv3 *)(void *)unit;
}

static inline uint32_t smmu_read32(const struct dma_smmuv3 *s, unsigned int reg)
{
	return s->host->read32(s->host, s->regs + reg);
}

static inline void smmu_write32(const struct dma_smmuv3 *s, unsigned int reg, uint32_t value)
{
	s->host->write32(s->host, s->regs + reg, value);
}

static inline void smmu_write64(const struct dma_smmuv3 *s, unsigned int reg, uint64_t value)
{
	s->host->write64(s->host, s->regs + reg, value);
}

/* --- smmuv3_queue.c */

bool dmamap_smmu_queue_alloc(struct dma_smmuv3 *s, struct smmu_queue *q, unsigned int bits,
			     uint64_t entry);
/** What to write to the register BASE. */
uint64_t dmamap_smmu_queue_base(const struct smmu_queue *q);
/** A position as the registers PROD and CONS have it. */
uint32_t dmamap_smmu_queue_index(const struct smmu_queue *q, uint64_t position);

/** Write a command, if the queue is on. The lock is held; it waits for room. */
void dmamap_smmu_command(struct dma_smmuv3 *s, uint64_t low, uint64_t high);
/** Have all commands until now finished. Without the lock; or with it held. */
void dmamap_smmu_sync(struct dma_smmuv3 *s);
void dmamap_smmu_sync_locked(struct dma_smmuv3 *s);
/** Forget everything that is cached. */
void dmamap_smmu_forget_all(struct dma_smmuv3 *s);
/** Not to be trusted any more; says so once. */
void dmamap_smmu_break(struct dma_smmuv3 *s, const char *why);

/* --- smmuv3_tables.c */

int dmamap_smmu_tables_alloc(struct dma_smmuv3 *s);
void dmamap_smmu_tables_free(struct dma_smmuv3 *s);
/** Make the entry of a stream number exist. False without memory. The lock is held, as for all that follow. */
bool dmamap_smmu_stream_prepare(struct dma_smmuv3 *s, uint32_t sid);
/** Have a stream translated by the descriptor of @asid; or cut off, or let pass, as configured. Waits. */
void dmamap_smmu_stream_translate(struct dma_smmuv3 *s, uint32_t sid, unsigned int asid);
void dmamap_smmu_stream_detach(struct dma_smmuv3 *s, uint32_t sid);
/** The descriptor of an ASID for a table. No stream uses it yet. */
void dmamap_smmu_context_write(struct dma_smmuv3 *s, unsigned int asid, phys_addr_t root);
/** A free ASID with memory for its descriptor: 0 and *@asid; -ENOSPC, -ENOMEM. */
int dmamap_smmu_asid_take(struct dma_smmuv3 *s, unsigned int *asid);
void dmamap_smmu_asid_give(struct dma_smmuv3 *s, unsigned int asid);

/* --- smmuv3_domain.c */

extern const struct dma_iommu_unit_ops dmamap_smmu_unit_ops;

/* --- smmuv3_event.c */

/** What an event means; @device is left NULL. False: it tells of no fault. */
bool dmamap_smmu_decode(const uint64_t *event, bool attached, struct dma_fault *fault);

#pragma GCC visibility pop

#endif
