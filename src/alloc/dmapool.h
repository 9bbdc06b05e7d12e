/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pool of blocks, seen from its two files: dmapool.c (life, report) and dmapool_blocks.c (units, blocks).
 */
#ifndef DMAMAP_ALLOC_DMAPOOL_H
#define DMAMAP_ALLOC_DMAPOOL_H

#include "alloc.h"

#pragma GCC visibility push(hidden)

#define POOL_NAME 32

/** A block that is in use; any other value is the next free block, as number + 1, or 0. */
#define BLOCK_USED 0xffffffffu

#define POISON_FREE 0xa7
#define POISON_USED 0xa9

/** One allocation of coherent memory, and where its blocks stand. */
struct pool_unit {
	unsigned char *cpu;
	dma_addr_t dma;
	uint32_t same_hash; /* next unit of the hash chain, as number + 1 */
	uint32_t next[];
};

struct dma_pool {
	struct dma_device *dev;
	struct dma_pool *next; /* of the device */
	struct dma_lock lock;
	char name[POOL_NAME];
	bool managed;
	bool poison;

	size_t size;	  /* of a block */
	size_t align;	  /* of a block */
	size_t unit;	  /* bytes of a unit */
	size_t stride;	  /* no block crosses a multiple of this inside of a unit */
	size_t boundary;  /* what the caller asked for; 0: nothing */
	uint32_t per_row; /* blocks between two multiples of stride */
	uint32_t per_unit;

	struct dmamap_slab slab; /* units, if they are small */
	/** Units by number, and chains by address: one allocation, of room of each. */
	struct pool_unit **units;
	uint32_t *chains;
	uint32_t nr_units;
	uint32_t room; /* a power of two, 0 at first */

	uint32_t free; /* top of the stack of free blocks, as number + 1 */
	uint64_t active;
};

/** Offset of the @index-th block of a unit. */
static inline size_t pool_offset(const struct dma_pool *pool, uint32_t index)
{
	return index / pool->per_row * pool->stride + index % pool->per_row * pool->size;
}

/** Give all memory of the pool back, and its bookkeeping. */
void dmamap_pool_release_units(struct dma_pool *pool);

#pragma GCC visibility pop

#endif
