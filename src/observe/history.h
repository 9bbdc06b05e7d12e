/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of mappings behind dmamap/history.h: records in one block, found by address, in one list of those that
 * live and one of those that are gone.
 *
 * Index. A record hangs in a chain under its space (a domain, or a device without one), its class (the power of two,
 * a page at least, that its length does not exceed) and the block of that size that it begins in. So it reaches into
 * the next block at the most, and a look-up asks two blocks of each class that was ever used. In a space of I/O
 * addresses a block holds one live record of its class.
 */
#ifndef DMAMAP_OBSERVE_HISTORY_H
#define DMAMAP_OBSERVE_HISTORY_H

#include <dmamap/history.h>

#include "observe.h"

#pragma GCC visibility push(hidden)

#define NO_RECORD ((uint32_t)~0u)

/** What lies past the end of a mapping by less than this is said to do so. */
#define PAST_END 65536u

struct record {
	struct dma_history_record r;
	/** The domain, or the device: addresses of different spaces have nothing to do with each other. */
	const void *space;
	/** When it was made, as a number that only grows. */
	uint64_t serial;
	unsigned int class;
	/** The device was, when it was mapped: it is not asked later, when it may be gone. */
	bool untrusted;
	/** Unmaps that are still to come for mappings that this one followed: they are told after the addresses are free. */
	uint32_t late_unmaps;
	/** In its chain, and in the list of live or of gone records. */
	uint32_t chain_next;
	uint32_t chain_prev;
	uint32_t next;
	uint32_t prev;
};

/** The oldest first. */
struct record_list {
	uint32_t first;
	uint32_t last;
};

struct dma_history {
	struct dma_observer observer; /* first: history_of() */
	struct dma_host *host;
	struct dma_lock lock; /* guards all that follows */
	bool attached;
	uint64_t bytes; /* of this block */
	struct record *records;
	uint32_t *chains;
	uint32_t chain_mask;
	struct record_list live;
	struct record_list gone;
	struct record_list unused;
	/** Bitmap of classes that were ever used. */
	uint64_t classes;
	uint64_t serial;
	struct dma_history_stats stats;
};

static inline struct dma_history *history_of(struct dma_observer *observer)
{
	return (struct dma_history *)(void *)observer;
}

/** Where addresses of a call that took @route belong. */
static inline const void *space_of(const struct dma_device *dev, enum dma_route route)
{
	return route == DMA_ROUTE_IOMMU ? (const void *)dmamap_dev(dev)->domain : dev;
}

/* --- records.c; the lock is held */

void dmamap_records_init(struct dma_history *history);

/** Remember one mapping: @r is copied, all but its times and whether it lives. The device lives. */
void dmamap_records_add(struct dma_history *history, const void *space,
			const struct dma_history_record *r, uint64_t now);

/** The live record that begins at @addr in @space, or NULL. @len: its length, 0: any. */
struct record *dmamap_records_live(struct dma_history *history, const void *space, dma_addr_t addr,
				   uint64_t len);

/** Forget all that lives: nobody listened meanwhile. */
void dmamap_records_forget_live(struct dma_history *history);

/** It was unmapped. */
void dmamap_records_end(struct dma_history *history, struct record *record, uint64_t now);

/** Live before gone, young before old; NULL: none held @addr. */
struct record *dmamap_records_holding(struct dma_history *history, const void *space,
				      dma_addr_t addr);

/** The record that ends the least below @addr, by less than PAST_END; live before gone. NULL: none. */
struct record *dmamap_records_before(struct dma_history *history, const void *space,
				     dma_addr_t addr);

/* --- history.c */

typedef struct record *(*history_look_fn)(struct dma_history *history, const void *space,
					  dma_addr_t addr);

/** Copy what @look finds in the domain's space, else in the device's. 0 or -ENXIO. Takes the lock. */
int dmamap_history_look(struct dma_history *history, struct dma_device *dev,
			struct dma_domain *domain, dma_addr_t addr, history_look_fn look,
			struct dma_history_record *out);

#pragma GCC visibility pop

#endif
