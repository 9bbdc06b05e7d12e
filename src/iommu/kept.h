/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kept ranges: addresses that came back and are likely to be asked for again.
 *
 * A driver that maps a BAR or a large buffer again and again asks for the same size each time. The last few ranges that
 * came back stay taken in the address space and are handed out to whoever wants just that size. They are nobody's: they
 * count as free, and whoever finds the space full, or wants to reserve something, drains them first. Lock held in every
 * call.
 */
#ifndef DMAMAP_IOMMU_KEPT_H
#define DMAMAP_IOMMU_KEPT_H

#include "iova.h"

#pragma GCC visibility push(hidden)

#define KEPT_RANGES 8u
/** Granules; smaller ranges are the windows' business, and cost the space little. */
#define KEPT_LEAST 65u

struct kept_range {
	uint64_t granule;
	uint64_t n; /* 0: none */
};

struct kept {
	struct kept_range range[KEPT_RANGES];
	uint64_t granules; /* all of them together */
	unsigned int oldest;
};

/** A kept range of @n granules, the last at most @last. False: there is none. */
static inline bool kept_take(struct kept *kept, uint64_t n, uint64_t last, uint64_t *granule)
{
	if (n < KEPT_LEAST || !kept->granules)
		return false;
	for (unsigned int i = 0; i < KEPT_RANGES; i++) {
		struct kept_range *r = &kept->range[i];

		if (r->n != n || r->granule + (n - 1) > last)
			continue;
		*granule = r->granule;
		r->n = 0;
		kept->granules -= n;
		return true;
	}
	return false;
}

/** Keep [granule, granule + n), which @space says is taken; the oldest one goes back to @space for it. */
void dmamap_kept_put(struct kept *kept, struct dmamap_iova *space, uint64_t granule, uint64_t n);

/** Give all of them back to @space. False: there were none. */
bool dmamap_kept_drain(struct kept *kept, struct dmamap_iova *space);

#pragma GCC visibility pop

#endif
