/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small objects of one size, cut from host pages. The owner serialises calls; objects come zeroed; all memory goes
 * back to the host when the slab is emptied.
 */
#ifndef DMAMAP_BASE_SLAB_H
#define DMAMAP_BASE_SLAB_H

#include "device.h"

#pragma GCC visibility push(hidden)

struct dmamap_slab {
	struct dma_host *host;
	uint32_t object;
	void *free;
	void *chunks;
	uint64_t bytes; /* taken from the host */
};

/** @size: bytes of an object, at most half a page. */
void dmamap_slab_init(struct dmamap_slab *slab, struct dma_host *host, uint32_t size);
/** A zeroed object, NULL if the host has no page. */
void *dmamap_slab_alloc(struct dmamap_slab *slab);
void dmamap_slab_free(struct dmamap_slab *slab, void *object);
/** Give pages back in which nothing lives: the one that is kept for the next object. */
void dmamap_slab_trim(struct dmamap_slab *slab);
/** Give all pages back, live objects or not. */
void dmamap_slab_fini(struct dmamap_slab *slab);

#pragma GCC visibility pop

#endif
