/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An I/O address space: which granules are taken.
 *
 * A radix tree of bitmaps with, for each child, the order of its largest free aligned block: allocation and release
 * are a walk of constant depth, whatever lives, and neighbours coalesce by themselves. Allocation is from the top down
 * (as in Linux), aligned to the size rounded up to a power of two; only the granules asked for are taken.
 * The owner serialises calls.
 */
#ifndef DMAMAP_IOMMU_IOVA_H
#define DMAMAP_IOMMU_IOVA_H

#include "base/slab.h"

#pragma GCC visibility push(hidden)

struct dmamap_iova;

/** Granules [first, last] exist, 2^shift bytes each. NULL: no memory. */
struct dmamap_iova *dmamap_space_create(struct dma_host *host, unsigned int shift, uint64_t first,
					uint64_t last);
void dmamap_space_destroy(struct dmamap_iova *iova);

enum dmamap_iova_result {
	IOVA_OK,
	IOVA_FULL,	/* no such run at or below the limit */
	IOVA_NO_MEMORY, /* the host gave no page for a node */
};

/** @n granules, the last at most @limit; *@granule receives the first. @n is at least 1. */
enum dmamap_iova_result dmamap_space_alloc(struct dmamap_iova *iova, uint64_t n, uint64_t limit,
					   uint64_t *granule);

/** Release exactly [granule, granule + n). False, and nothing changed, if one of them is free. Needs no
 *  memory for what was taken in one piece; where it does (part of a huge range) and there is none: false as well. */
bool dmamap_space_free(struct dmamap_iova *iova, uint64_t granule, uint64_t n);

/** Take [granule, granule + n). IOVA_FULL, and nothing changed, if one of them is taken or does not exist. */
enum dmamap_iova_result dmamap_space_reserve(struct dmamap_iova *iova, uint64_t granule,
					     uint64_t n);

/** Return what was only kept for the next range. */
void dmamap_space_trim(struct dmamap_iova *iova);

/** Granules that are taken, reserved ones included. */
uint64_t dmamap_space_used(const struct dmamap_iova *iova);

#pragma GCC visibility pop

#endif
