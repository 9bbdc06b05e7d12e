/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this room share: the memory that hangs on a device (declared, managed, pools), the host's atomic
 * pools, and lists made of pages.
 */
#ifndef DMAMAP_ALLOC_ALLOC_H
#define DMAMAP_ALLOC_ALLOC_H

#include <dmamap/alloc.h>
#include <dmamap/dmapool.h>

#include "base/slab.h"
#include "map/map.h"

#pragma GCC visibility push(hidden)

/* --- what hangs on a device (memory.c) */

struct dmamap_declared;
struct dmamap_record;

struct dmamap_memory {
	struct dmamap_attached attached; /* first: dmamap_dev.attached */
	struct dma_device *dev;
	/** Guards the lists; never held over a call of another room. */
	struct dma_lock lock;
	struct dmamap_slab slab;
	struct dmamap_record *records; /* managed, the newest first */
	struct dma_pool *pools;	       /* all, the newest first */
	struct dma_pool *orphans;      /* destroyed with blocks in use */
	struct dmamap_declared *declared;
};

/** One managed thing: memory, or a pool. */
struct dmamap_record {
	struct dmamap_record *next;
	struct dma_pool *pool;
	void *cpu_addr;
	dma_addr_t handle;
	size_t size;
	unsigned long attrs;
};

/** NULL if nothing hangs on @dev. */
static inline struct dmamap_memory *dmamap_memory(const struct dma_device *dev)
{
	return (struct dmamap_memory *)__atomic_load_n(&dmamap_dev(dev)->attached,
						       __ATOMIC_ACQUIRE);
}

/** Make it if need be; NULL: the host has no page. */
struct dmamap_memory *dmamap_memory_get(struct dma_device *dev);

/* --- managed (managed.c) */

/** A record not yet in the list; NULL without memory. */
struct dmamap_record *dmamap_record_new(struct dma_device *dev);
void dmamap_record_drop(struct dma_device *dev, struct dmamap_record *record);
void dmamap_record_add(struct dma_device *dev, struct dmamap_record *record);
/** Take the record of this memory, or of this pool, out of the list; NULL: there is none. */
struct dmamap_record *dmamap_record_take(struct dma_device *dev, const void *cpu_addr,
					 const struct dma_pool *pool);

/* --- declared (declared.c) */

void *dmamap_declared_alloc(struct dma_device *dev, size_t size, dma_addr_t *handle,
			    struct dma_error *why);
/** Is it the declared memory's? Then *@why tells (NONE: it was freed). */
bool dmamap_declared_free(struct dma_device *dev, size_t size, void *cpu_addr,
			  struct dma_error *why);
/** The physical address behind @cpu_addr; DMAMAP_PHYS_NONE: not from there. */
phys_addr_t dmamap_declared_phys(const struct dma_device *dev, const void *cpu_addr, size_t size);
void dmamap_declared_end(struct dmamap_memory *memory);

/* --- atomic (atomic.c) */

/** Must this allocation come from an atomic pool? */
bool dmamap_atomic_wanted(const struct dma_device *dev, gfp_t gfp);
void *dmamap_atomic_alloc(struct dma_device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
			  unsigned long attrs, struct dma_error *why);
/** Is it a pool's? Then *@why tells (NONE: it was freed). */
bool dmamap_atomic_free(struct dma_device *dev, size_t size, void *cpu_addr, dma_addr_t handle,
			struct dma_error *why);

/* --- pools of blocks (dmapool.c) */

/** Mappings that the pools of @memory which end with the device hold: managed ones, orphans. */
uint64_t dmamap_pools_ending(struct dmamap_memory *memory);
/** Do pools live that nobody would end? */
bool dmamap_pools_unmanaged(struct dmamap_memory *memory);
/** End the orphans, and give their memory back. */
void dmamap_pools_end(struct dmamap_memory *memory);

/* --- pages (pages.c) */

/** Arguments that no route is asked about. False and *@why. */
bool dmamap_may_alloc_pages(struct dma_device *dev, size_t size, enum dma_data_direction dir,
			    gfp_t gfp, struct dma_error *why);
/** The first byte's physical address; DMAMAP_PHYS_NONE and *@why. */
phys_addr_t dmamap_pages_by_route(struct dma_device *dev, size_t size, dma_addr_t *handle,
				  enum dma_data_direction dir, gfp_t gfp, struct dma_error *why);
bool dmamap_free_pages_by_route(struct dma_device *dev, size_t size, phys_addr_t phys,
				dma_addr_t handle, enum dma_data_direction dir,
				struct dma_error *why);

/* --- lists of pages (table.c) */

/** Elements are appended one by one; the list is a chain of single pages. */
struct dmamap_table {
	struct dma_host *host;
	struct scatterlist *first;
	struct scatterlist *last;
	unsigned int nents;
	unsigned int room; /* elements left in the last page */
};

/** Room for one element at least: false without memory. */
bool dmamap_table_init(struct dmamap_table *table, struct dma_host *host);
bool dmamap_table_add(struct dmamap_table *table, phys_addr_t phys, unsigned int len);
/** Where the owner of the list may keep a few words, as long as the list lives. */
void *dmamap_table_owner(struct scatterlist *sgl, struct dma_host *host);
void dmamap_table_free(struct scatterlist *sgl, struct dma_host *host);

/** How many bytes dmamap_table_owner() has. */
#define DMAMAP_TABLE_OWNER 64

/** Record a failure of a call that has no event, and warn. */
static inline void alloc_misuse(struct dma_device *dev, const char *what, struct dma_error *why)
{
	dmamap_record(dev, dmamap_dev(dev)->alloc_route, why);
	dmamap_misuse(dev, dmamap_dev(dev)->alloc_route, what, why);
}

#pragma GCC visibility pop

#endif
