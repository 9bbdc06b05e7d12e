/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two-step mapping: unlinking (docs/semantics.md, "Two-step mapping").
 *
 * The order is that of every unmap: lines of the CPU's caches, clear the entries, invalidate, wait, then copy back and
 * release copies. So copies are looked up first, while the tables still translate; they can only stand in the first and
 * in the last granule of what is linked.
 */
#include "bounce/pool.h"
#include "twostep.h"

/** One unlink or destroy. */
struct unlink {
	struct dma_device *dev;
	struct dma_iova_state *state;
	enum dma_data_direction dir;
	unsigned long attrs;
};

/* --- copies */

struct copies {
	struct {
		phys_addr_t copy;
		uint64_t size;
	} at[2];
	unsigned int n;
};

/** Note the copy in the granule @at bytes into the run, if there is one. */
static void note_copy(const struct unlink *u, uint64_t at, struct copies *c)
{
	dma_addr_t iova = run_start(u->state) + at;
	phys_addr_t phys;
	phys_addr_t copy;
	uint64_t size;

	if (iova < u->state->addr)
		iova = u->state->addr; /* the copy begins where the range does */
	if (dmamap_domain_iova_to_phys(state_domain(u->state), iova, &phys) ||
	    !dmamap_bounce_live_at(u->dev, phys, &copy, &size))
		return;
	c->at[c->n].copy = copy;
	c->at[c->n].size = size;
	c->n++;
}

static void find_copies(const struct unlink *u, const struct run_part *part, struct copies *c)
{
	uint64_t last = part->at + part->size - granule_size(state_domain(u->state));

	c->n = 0;
	if (u->state->copies)
		note_copy(u, part->at, c);
	if (c->n < u->state->copies && last != part->at)
		note_copy(u, last, c);
}

/** Copies may be read back and reused: the device has lost them. */
static void release_copies(const struct unlink *u, const struct copies *c)
{
	struct dma_error ignored;

	for (unsigned int i = 0; i < c->n; i++)
		dmamap_bounce_unmap(u->dev, c->at[i].copy, c->at[i].size, u->dir, u->attrs,
				    &ignored);
	u->state->copies -= c->n;
	if (!u->state->copies)
		u->state->__size &= ~DMA_IOVA_USE_SWIOTLB;
}

/* --- caches */

/**
 * Let the CPU see [offset, offset + size) of the range, one call for each contiguous stretch: exactly the bytes that
 * were linked, because lines beside them may be dirty.
 */
static void maintain(const struct unlink *u, uint64_t offset, uint64_t size)
{
	struct dma_domain *domain = state_domain(u->state);
	struct dma_host *host = domain->host;
	uint64_t granule = granule_size(domain);
	dma_addr_t iova = u->state->addr + offset;
	phys_addr_t begin = 0;
	uint64_t len = 0;
	phys_addr_t phys;

	if (u->state->tail && offset + size > u->state->tail)
		size = u->state->tail - offset;
	for (uint64_t step; size; iova += step, size -= step) {
		step = min_u64(size, granule - (iova & (granule - 1)));
		if (dmamap_domain_iova_to_phys(domain, iova, &phys))
			continue;
		if (len && phys != begin + len) {
			dmamap_cache_for_cpu(host, begin, len, u->dir);
			len = 0;
		}
		if (!len)
			begin = phys;
		len += step;
	}
	if (len)
		dmamap_cache_for_cpu(host, begin, len, u->dir);
	dmamap_cache_cpu_done(host);
}

static bool needs_maintenance(const struct unlink *u)
{
	return !dmamap_dev(u->dev)->coherent &&
	       !(u->attrs & (DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_MMIO));
}

/* --- the tables */

/** Clear and invalidate the part; a run that is to go goes as a whole. Returns the bytes that were mapped. */
static uint64_t clear_part(const struct unlink *u, const struct run_part *part, enum run_end end)
{
	uint64_t cleared = dmamap_run_clear(u->state, part->at, part->size, end);

	dmamap_domain_report_unmap(state_domain(u->state), run_start(u->state) + part->at,
				   part->size, cleared);
	if (end == RUN_STAYS || cleared != part->size)
		dmamap_twostep_note_unlink(u->state, part->at, cleared);
	return cleared;
}

/**
 * Unlink what was checked; @whole: and give the run back. The check can be wrong only if somebody else took entries out,
 * or if the backend unmaps whole pieces and this is none: then the rest stays as it is, addresses and copies included.
 */
static int unlink_part(const struct unlink *u, const struct run_part *part, bool whole,
		       struct dma_error *why)
{
	struct copies copies;
	uint64_t cleared;

	find_copies(u, part, &copies);
	cleared = clear_part(u, part, !whole ? RUN_STAYS : copies.n ? RUN_ENDS_STRICTLY : RUN_ENDS);
	if (cleared == part->size) {
		release_copies(u, &copies);
		return 0;
	}
	fail_range(why, u->dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL,
		   run_start(u->state) + part->at, part->size);
	why->have = cleared;
	return -DMAMAP_EINVAL;
}

/* --- the calls */

/** Is [offset, offset + size) linked, and does it begin where a granule does? 0 and *@part, or -EINVAL. */
static int check(const struct unlink *u, uint64_t offset, uint64_t size, struct run_part *part,
		 struct dma_error *why)
{
	int err = dmamap_twostep_part(u->dev, u->state, offset, size, part, why);

	if (err)
		return err;
	if (offset && part->pad)
		return fail_range(why, u->dev, DMA_REASON_LINK_ALIGNMENT, -DMAMAP_EINVAL,
				  u->state->addr + offset, size);
	if (dmamap_twostep_linked(u->state, part))
		return 0;
	fail_range(why, u->dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, u->state->addr + offset,
		   size);
	why->have = u->state->linked;
	return -DMAMAP_EINVAL;
}

int dmamap_twostep_unlink(struct dma_device *dev, struct dma_iova_state *state, uint64_t offset,
			  uint64_t size, enum dma_data_direction dir, unsigned long attrs,
			  struct dma_error *why)
{
	const struct unlink u = { dev, state, dir, attrs };
	struct run_part part;
	int err = check(&u, offset, size, &part, why);

	if (err)
		return err;
	if (needs_maintenance(&u))
		maintain(&u, offset, size);
	return unlink_part(&u, &part, false, why);
}

int dmamap_twostep_destroy(struct dma_device *dev, struct dma_iova_state *state,
			   uint64_t mapped_len, enum dma_data_direction dir, unsigned long attrs,
			   struct dma_error *why)
{
	const struct unlink u = { dev, state, dir, attrs };
	struct run_part part;
	int err;

	if (!mapped_len)
		return dmamap_twostep_free(dev, state, why);
	err = check(&u, 0, mapped_len, &part, why);
	if (err)
		return err;
	if (state->linked != part.size) {
		fail_range(why, dev, DMA_REASON_LIVE_MAPPINGS, -DMAMAP_EBUSY, state->addr,
			   mapped_len);
		why->have = state->linked;
		return -DMAMAP_EBUSY;
	}
	if (needs_maintenance(&u))
		maintain(&u, 0, mapped_len);
	err = unlink_part(&u, &part, true, why);
	if (err)
		return err;
	*state = (struct dma_iova_state){ .addr = 0 };
	return 0;
}
