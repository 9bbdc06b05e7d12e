/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools of small blocks of coherent memory: descriptors, command blocks, anything smaller than a page.
 *
 * A pool cuts coherent memory (units) into blocks of one size, on whose alignment and boundary a device can rely. It
 * keeps its own record of every block, outside of the memory that the device sees: a free is looked up, never trusted
 * (docs/semantics.md, "Pools of blocks").
 */
#ifndef DMAMAP_DMAPOOL_H
#define DMAMAP_DMAPOOL_H

#include <dmamap/event.h>
#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_device;
struct dma_pool;

/**
 * dma_pool_create() - make an empty pool.
 * @name:     for the report; copied, 31 characters of it
 * @dev:      must outlive the pool
 * @size:     bytes of a block, at least 1; at least 16 are used, and whole multiples of @align
 * @align:    of every block's address: a power of two; 0: 1
 * @boundary: no block crosses a multiple of this power of two; 0: none but that of a unit
 *
 * Process context.
 *
 * Return: the pool, or NULL with a reason: bad-argument, zero-size, no-memory. No reason if @dev is NULL.
 */
struct dma_pool *dmamap_pool_create(const char *name, struct dma_device *dev, size_t size,
				    size_t align, size_t boundary);

/**
 * dma_pool_destroy() - end a pool. NULL is ignored.
 *
 * Blocks in use are reported (warn hook, pool-leak with their number); their pool's memory is then kept until
 * dma_device_fini(), since the device may still use it.
 */
void dmamap_pool_destroy(struct dma_pool *pool);

/**
 * dma_pool_alloc() - a block.
 * @gfp:    as for dma_alloc_coherent(); ZERO: zeroed, else the content is undefined
 * @handle: receives its DMA address
 *
 * The block freed last comes first. Return: the block, NULL with the reason of dma_alloc_attrs().
 */
void *dmamap_pool_alloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle);

/**
 * dma_pool_free() - give a block back.
 *
 * An address that is no block of the pool, or a block that is free, is reported (not-allocated) and nothing happens. A
 * @handle that is not the block's is reported; the block is freed, with the handle that it really has.
 */
void dmamap_pool_free(struct dma_pool *pool, void *block, dma_addr_t handle);

/**
 * dma_pool_set_poison() - fill free blocks with 0xa7 and fresh ones with 0xa9, and look at each allocation whether a
 * free block was written meanwhile (pool-corrupted). Costs a pass over each block.
 *
 * Return: 0; -EBUSY once the pool has memory.
 */
int dmamap_pool_set_poison(struct dma_pool *pool, bool on);

/** The same as dma_pool_create() and dma_pool_destroy(), but dma_device_fini() destroys it if nobody did. */
struct dma_pool *dmamap_managed_pool_create(const char *name, struct dma_device *dev, size_t size,
					    size_t align, size_t boundary);
void dmamap_managed_pool_destroy(struct dma_pool *pool);

/**
 * dma_pools_show() - report the pools of a device, in the form of Linux's attribute "pools": the line "poolinfo - 0.1",
 * then for each pool, the newest first, name (16 columns), blocks in use, blocks, size of a block, units.
 */
void dmamap_pools_show(struct dma_device *dev, dma_put_fn put, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
