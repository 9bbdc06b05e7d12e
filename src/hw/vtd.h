/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the VT-d driver share.
 *
 * One lock guards everything that changes. Invalidations are written into the queue and handed over to the hardware by
 * the next wait, or when the queue is full. A wait spins without the lock.
 */
#ifndef DMAMAP_HW_VTD_H
#define DMAMAP_HW_VTD_H

#include <dmamap/pagetable.h>
#include <dmamap/vtd.h>

#include "hw.h"
#include "requester.h"
#include "vtd_regs.h"

#pragma GCC visibility push(hidden)

#define VTD_QUEUE     256u /* descriptors: one page */
#define VTD_BUSES     256u
#define VTD_PAGE_SIZE 4096u

struct vtd_descriptor {
	uint64_t low;
	uint64_t high;
};

struct vtd_entry {
	uint64_t low;
	uint64_t high;
};

/** The invalidation queue. Positions count descriptors since it was switched on. */
struct vtd_queue {
	struct hw_memory ring;
	/** Where the hardware writes the position that it has reached; behind it, words that nobody reads. */
	struct hw_memory status;
	uint32_t written;   /* descriptors in the ring, ever */
	uint32_t told;	    /* of these, the hardware knows of */
	uint32_t last_wait; /* position behind the latest wait descriptor */
	uint32_t made_good; /* position behind what repaired the latest refusal */
};

struct dma_vtd {
	struct dma_iommu_unit unit; /* first: vtd_of() */
	struct dma_host *host;
	struct dma_lock lock;
	phys_addr_t regs;
	uint64_t timeout_ns;
	bool no_queue;
	/** The table of which the reserved regions are read. */
	const struct dma_dmar *dmar;
	uint16_t segment;
	int (*secondary)(void *arg, uint32_t id);
	void *secondary_arg;
	struct dma_vtd_info info;
	/** The bits of GCMD that are on: every write carries them. */
	uint32_t gcmd;
	bool rooted; /* the hardware was given our root table */
	bool stuck;  /* it did not stop, and may use our memory for ever */

	struct hw_memory root;
	struct hw_memory contexts[VTD_BUSES];
	struct vtd_queue queue;
	struct hw_attached_list attached;
	struct hw_memory ids; /* bitmap of domain numbers in use */
	uint32_t live;	      /* backends */
};

static inline struct dma_vtd *vtd_of(struct dma_iommu_unit *unit)
{
	return (struct dma_vtd *)(void *)unit;
}

/** Somebody who waits finds that out without the lock. */
static inline bool vtd_broken(const struct dma_vtd *v)
{
	return __atomic_load_n(&v->info.broken, __ATOMIC_RELAXED);
}

static inline uint32_t vtd_read32(const struct dma_vtd *v, unsigned int reg)
{
	return v->host->read32(v->host, v->regs + reg);
}

static inline uint64_t vtd_read64(const struct dma_vtd *v, unsigned int reg)
{
	return v->host->read64(v->host, v->regs + reg);
}

static inline void vtd_write32(const struct dma_vtd *v, unsigned int reg, uint32_t value)
{
	v->host->write32(v->host, v->regs + reg, value);
}

static inline void vtd_write64(const struct dma_vtd *v, unsigned int reg, uint64_t value)
{
	v->host->write64(v->host, v->regs + reg, value);
}

/* --- vtd.c */

/** Switch bits of GCMD on or off, and wait until the hardware says so. -EIO: it does not. */
int dmamap_vtd_command(struct dma_vtd *v, uint32_t on, uint32_t off);
/** Ask once (root table, write buffer) and wait until the status has the bits of @mask as in @value. */
int dmamap_vtd_ask(struct dma_vtd *v, uint32_t bit, uint32_t mask, uint32_t value);
/** Nothing can be relied on any more. Lock held or not; logs once. */
void dmamap_vtd_break(struct dma_vtd *v, const char *why);

/* --- vtd_tables.c */

/** Make the root table. False without memory. */
bool dmamap_vtd_tables_init(struct dma_vtd *v);
void dmamap_vtd_tables_fini(struct dma_vtd *v);
/** A member of the unit, as are the others below. */
int dmamap_vtd_attach(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int domain_id,
		      phys_addr_t root, unsigned int levels);
void dmamap_vtd_detach(struct dma_iommu_unit *unit, struct dma_device *dev);

/* --- vtd_invalidate.c */

/** Pages [first, last] need this mask: the smallest power of two of pages, aligned, that holds them. */
static inline unsigned int vtd_mask_of(uint64_t first, uint64_t last)
{
	return first == last ? 0 : high_bit(first ^ last) + 1;
}

/** Memory for the queue. False without. */
bool dmamap_vtd_queue_init(struct dma_vtd *v);
void dmamap_vtd_queue_fini(struct dma_vtd *v);
/** Switch it on and off; @v->info.queued says which. -EIO. */
int dmamap_vtd_queue_start(struct dma_vtd *v);
int dmamap_vtd_queue_stop(struct dma_vtd *v);
/** Drain and switch off a queue that firmware has left. -EBUSY. */
int dmamap_vtd_queue_evict(struct dma_vtd *v);
/** Append one descriptor as it is. Lock held; the queue is on. */
void dmamap_vtd_queue_add(struct dma_vtd *v, uint64_t low, uint64_t high);

/** Start dropping; lock held. @granularity: VTD_GLOBAL, VTD_DOMAIN, VTD_DEVICE or VTD_PAGES. */
void dmamap_vtd_drop_context(struct dma_vtd *v, unsigned int granularity, unsigned int did,
			     unsigned int sid);
void dmamap_vtd_drop_iotlb(struct dma_vtd *v, unsigned int granularity, unsigned int did,
			   uint64_t address_and_mask);
/** Wait for all of it; lock held. False: it is broken. */
bool dmamap_vtd_finish(struct dma_vtd *v);

void dmamap_vtd_invalidate(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
			   uint64_t len, bool leaf_only);
void dmamap_vtd_wait(struct dma_iommu_unit *unit);
/** For units that cache what is not present, or that have a write buffer, and for broken ones. */
int dmamap_vtd_mapped(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
		      uint64_t len);
/** Flush the write buffer, if there is one. */
void dmamap_vtd_flush_buffer(struct dma_vtd *v);

/* --- vtd_reserved.c */

/** Member of the unit: region @index that @dev must reach; false behind the last. */
bool dmamap_vtd_reserved(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int index,
			 struct dma_reserved_region *reserved);

/* --- vtd_fault.c */

/** Forget what was recorded before us. */
void dmamap_vtd_faults_clear(struct dma_vtd *v);

#pragma GCC visibility pop

#endif
