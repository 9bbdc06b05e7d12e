/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects of different sizes that live long: domains, their backends, shards, counters. They share the pages of their
 * host, so that what is smaller than a page does not cost one. slab.h is for many objects of one size.
 */
#ifndef DMAMAP_BASE_HEAP_H
#define DMAMAP_BASE_HEAP_H

#include "device.h"

#pragma GCC visibility push(hidden)

/**
 * @bytes of zeroed memory, at a multiple of 64 bytes; of much more than half a page: pages. NULL: the host has none. Any
 * context, any lock of the library may be held.
 */
void *dmamap_heap_alloc(struct dma_host *host, uint64_t bytes, gfp_t gfp);

/** Give it back. @bytes as it was asked for; NULL @ptr is nothing. */
void dmamap_heap_free(struct dma_host *host, void *ptr, uint64_t bytes);

#pragma GCC visibility pop

#endif
