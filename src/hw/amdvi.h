/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the AMD-Vi driver share: commands (amdvi_command.c), the device table and the unit's operations
 * (amdvi_domain.c), events (amdvi_event.c).
 *
 * One lock guards everything that changes. Commands are written into the buffer and handed over by the next wait, or
 * when the buffer is full. A wait takes the lock for each look, so that others go on.
 */
#ifndef DMAMAP_HW_AMDVI_H
#define DMAMAP_HW_AMDVI_H

#include <dmamap/amdvi.h>
#include <dmamap/fault.h>
#include <dmamap/pagetable.h>

#include "amdvi_regs.h"
#include "hw.h"
#include "requester.h"

#pragma GCC visibility push(hidden)

#define AMDVI_QUEUE_LOG2 8u /* entries of the command buffer and of the event log: 256, one page */
#define AMDVI_QUEUE	 (1u << AMDVI_QUEUE_LOG2)
#define AMDVI_ENTRY	 16u
#define AMDVI_DOMAINS	 65536u

/** The command buffer. Positions count commands since the unit was created. */
struct amdvi_commands {
	struct hw_memory ring;
	/** Where the hardware writes the position that it has reached. */
	struct hw_memory status;
	uint64_t start;	    /* the position at the beginning of the ring */
	uint64_t written;   /* commands in the ring, ever */
	uint64_t told;	    /* of these, the hardware knows of */
	uint64_t last_wait; /* position behind the latest completion wait */
	uint64_t done;	    /* position that was reached */
};

struct dma_amdvi {
	struct dma_iommu_unit unit; /* first: amdvi_of() */
	struct dma_host *host;
	struct dma_lock lock;
	phys_addr_t regs;
	uint64_t timeout_ns;
	const struct dma_ivrs *ivrs;
	bool bypass;
	bool interrupts;
	unsigned int most_levels;
	struct dma_amdvi_info info;
	uint32_t last_id;
	uint64_t control;

	struct hw_memory devices;
	struct amdvi_commands commands;
	struct hw_memory events;
	uint32_t event_head; /* entries */
	struct hw_attached_list attached;
	struct hw_memory ids; /* bitmap of domain numbers in use */
	uint32_t live;	      /* backends */
};

static inline struct dma_amdvi *amdvi_of(struct dma_iommu_unit *unit)
{
	return (struct dma_amdvi *)(void *)unit;
}

static inline uint64_t amdvi_read(const struct dma_amdvi *a, unsigned int reg)
{
	return a->host->read64(a->host, a->regs + reg);
}

static inline void amdvi_write(const struct dma_amdvi *a, unsigned int reg, uint64_t value)
{
	a->host->write64(a->host, a->regs + reg, value);
}

/* --- amdvi_command.c; the lock is held, except by dmamap_amdvi_sync() */

/** Begin with an empty buffer: registers, and positions. It is switched off. */
void dmamap_amdvi_commands_start(struct dma_amdvi *a);
/** Write a command, if the unit is on. It waits for room. */
void dmamap_amdvi_command(struct dma_amdvi *a, uint64_t low, uint64_t high);
/** Forget everything that is cached. */
void dmamap_amdvi_forget_all(struct dma_amdvi *a);
/** Have all commands until now finished. */
void dmamap_amdvi_sync_locked(struct dma_amdvi *a);
void dmamap_amdvi_sync(struct dma_amdvi *a);
/** Not to be trusted any more; says so once. */
void dmamap_amdvi_break(struct dma_amdvi *a, const char *why);

/* --- amdvi_domain.c */

extern const struct dma_iommu_unit_ops dmamap_amdvi_unit_ops;
bool dmamap_amdvi_reserved(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int index,
			   struct dma_reserved_region *reserved);
/** Fill the device table: nobody is attached. */
void dmamap_amdvi_devices_init(struct dma_amdvi *a);

/* --- amdvi_event.c */

/** What an event means; @device is left NULL. False: it tells of no fault. */
bool dmamap_amdvi_decode(const uint64_t event[2], bool attached, struct dma_fault *fault);
/** Begin with an empty log: registers. It is switched off. */
void dmamap_amdvi_events_start(struct dma_amdvi *a);

#pragma GCC visibility pop

#endif
