/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for devices whose pool gives it: blocks of the pool instead of the host's pages.
 */
#ifndef DMAMAP_DIRECT_RESTRICTED_H
#define DMAMAP_DIRECT_RESTRICTED_H

#include "base/fail.h"

#pragma GCC visibility push(hidden)

/** Coherent memory of @size bytes, a multiple of the page, zeroed; with @cookie a page's handle. NULL and *@why. */
void *dmamap_restricted_alloc(struct dma_device *dev, uint64_t size, bool cookie,
			      dma_addr_t *handle, struct dma_error *why);
/** False and *@why (not-allocated) if the pool has given no such block; then nothing happened. */
bool dmamap_restricted_free(struct dma_device *dev, uint64_t size, bool cookie, void *ptr,
			    dma_addr_t handle, phys_addr_t phys, struct dma_error *why);

/** The same in the CPU's ordinary view. DMAMAP_PHYS_NONE and *@why. */
phys_addr_t dmamap_restricted_alloc_pages(struct dma_device *dev, uint64_t size, dma_addr_t *handle,
					  struct dma_error *why);
bool dmamap_restricted_free_pages(struct dma_device *dev, uint64_t size, dma_addr_t handle,
				  phys_addr_t phys, struct dma_error *why);

#pragma GCC visibility pop

#endif
