/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks of pages for devices: taken from the host, opened for the CPU as the device needs it, closed, given back.
 * Nothing here knows a route; who takes a block checks that the device reaches it.
 */
#ifndef DMAMAP_BASE_BLOCK_H
#define DMAMAP_BASE_BLOCK_H

#include "fail.h"

#pragma GCC visibility push(hidden)

/** From the host's contiguous allocator: more than a page, for callers that may block. DMAMAP_PHYS_NONE: no. */
phys_addr_t dmamap_block_contiguous(struct dma_host *host, uint64_t size, phys_addr_t ceiling,
				    gfp_t gfp);

/** From the page allocator, aligned to its size if the host can, else to a page. */
phys_addr_t dmamap_block_pages(struct dma_host *host, uint64_t size, phys_addr_t ceiling,
			       gfp_t gfp);

/** Give a block back to where it came from. */
void dmamap_block_free(struct dma_host *host, phys_addr_t phys, uint64_t size);

/** Can the host give @dev a view of memory that both see alike? */
bool dmamap_block_can_open(const struct dma_device *dev);

/**
 * The CPU address of a fresh block, zeroed: shared if the device needs that, uncached if it does not snoop. NULL and
 * *@why: the block is then gone (given back; after a failed conversion lost for ever).
 */
void *dmamap_block_open(struct dma_device *dev, phys_addr_t phys, uint64_t size,
			struct dma_error *why);

/** Undo it, and give the block back. */
void dmamap_block_close(struct dma_device *dev, void *ptr, phys_addr_t phys, uint64_t size);

/** The same without a view: zeroed, every line gone from the caches. */
void dmamap_block_prepare(struct dma_device *dev, phys_addr_t phys, uint64_t size);

/** Share a block with the hypervisor, or take it back. False: it is lost, and counted. */
bool dmamap_block_share(struct dma_host *host, phys_addr_t phys, uint64_t size, bool shared);

#pragma GCC visibility pop

#endif
