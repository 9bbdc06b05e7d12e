/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kept ranges come and go: kept.h says what they are.
 */
#include "kept.h"

/** Nothing of it may be free, here or there: a range that came back twice would have two owners. */
static bool is_out(const struct kept *kept, uint64_t granule, uint64_t n)
{
	for (unsigned int i = 0; i < KEPT_RANGES; i++) {
		const struct kept_range *r = &kept->range[i];

		if (r->n && granule <= r->granule + (r->n - 1) && r->granule <= granule + (n - 1))
			return false;
	}
	return true;
}

static void give_back(struct kept *kept, struct dmamap_iova *space, struct kept_range *r)
{
	if (!r->n)
		return;
	dmamap_space_free(space, r->granule, r->n);
	kept->granules -= r->n;
	r->n = 0;
}

void dmamap_kept_put(struct kept *kept, struct dmamap_iova *space, uint64_t granule, uint64_t n)
{
	struct kept_range *r = &kept->range[kept->oldest];

	if (!is_out(kept, granule, n))
		return;
	/* a part of a larger range is not where one of its size would have been placed */
	if (n < KEPT_LEAST || (granule & (((uint64_t)1 << ceil_log2(n)) - 1))) {
		dmamap_space_free(space, granule, n);
		return;
	}
	for (unsigned int i = 0; r->n && i < KEPT_RANGES; i++)
		if (!kept->range[i].n)
			r = &kept->range[i];
	if (r->n)
		kept->oldest = (kept->oldest + 1) % KEPT_RANGES;
	give_back(kept, space, r);
	*r = (struct kept_range){ granule, n };
	kept->granules += n;
}

bool dmamap_kept_drain(struct kept *kept, struct dmamap_iova *space)
{
	bool any = kept->granules != 0;

	for (unsigned int i = 0; any && i < KEPT_RANGES; i++)
		give_back(kept, space, &kept->range[i]);
	return any;
}
