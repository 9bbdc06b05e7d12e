/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two-step mapping: the short ways, inline in the public calls. Taking a run of one granule is a bit of the
 * window that the caller's shard has looked into last, giving it back is a bit too. A link behind what is linked is a
 * few entries, for a trusted and coherent device that nobody observes; that and the end of all that is linked are here
 * for larger runs too. Everything else, refusals above all, is left to twostep.c.
 */
#ifndef DMAMAP_IOMMU_QUICK_IOVA_H
#define DMAMAP_IOMMU_QUICK_IOVA_H

#include "small.h"
#include "twostep.h"

#pragma GCC visibility push(hidden)

/**
 * A granule for @d, @counted as a mapping of it: its window and its number. False where the long way may know, and where
 * that was never gone.
 */
static inline bool quick_iova_take(struct dmamap_dev *d, bool counted, struct window **w,
				   uint64_t *granule)
{
	const struct dma_domain *domain = d->domain;
	const struct window_place *here;
	dma_ctx_state state;
	struct shard *s;
	int at;

	if (!small_enter(domain, &state, &s))
		return false;
	at = small_take_one(d, domain, s, &here);
	if (at != PLACE_NONE) {
		*w = here->window;
		*granule = here->granule + (unsigned int)at;
		if (counted)
			small_count_map(d, s);
	}
	small_leave(domain, s, state);
	return at != PLACE_NONE;
}

/** A mapping of @d that never had a bit of heads ends; whose shard counts that does not matter. */
static inline void quick_iova_count_end(struct dmamap_dev *d, const struct window *w)
{
	uint8_t shard = __atomic_load_n(&w->shard, __ATOMIC_RELAXED);

	__atomic_fetch_add(&d->counts[shard].unmapped, 1, __ATOMIC_RELAXED);
}

/** The end of a granule that was taken, has no bit of heads, and was never linked or was invalidated since. */
static inline void quick_iova_give(struct dmamap_dev *d, struct window *w, unsigned int index)
{
	quick_iova_count_end(d, w);
	small_give_back(d->domain, w, &w->word[index / 64], (uint64_t)1 << index % 64);
}

/** Where @span is free only the shard can tell. */
static inline struct shard *span_shard(const struct dma_domain *domain, struct span span)
{
	return windows_shard(&domain->windows,
			     __atomic_load_n(&span.window->shard, __ATOMIC_RELAXED));
}

/** Its lock is held. */
static inline bool span_is_free(struct span span)
{
	return (span.window->word[span.index / 64].free & span_mask(span)) != 0;
}

/**
 * Nothing of @span came back just now, or is mapped by its address: with span_is_free() that finds out copies of states
 * that have ended, unless somebody else has a run there by now.
 */
static inline bool span_is_held(struct span span)
{
	const struct window_word *word = &span.window->word[span.index / 64];

	return !((__atomic_load_n(&word->returned, __ATOMIC_RELAXED) |
		  __atomic_load_n(&word->heads, __ATOMIC_RELAXED)) &
		 span_mask(span));
}

static inline bool quick_iova_alloc(struct dma_device *dev, struct dma_iova_state *state,
				    phys_addr_t phys, size_t size)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	const struct dma_domain *domain = d->domain;
	uint64_t offset, granule;
	struct window *w;

	if (!small_is_somewhere(d))
		return false;
	offset = phys & domain->windows.granule_mask;
	if (size - 1 > domain->windows.granule_mask - offset ||
	    !quick_iova_take(d, true, &w, &granule))
		return false;
	*state = (struct dma_iova_state){
		.addr = (granule << domain->shift) + offset,
		.__size = size,
		.dev = dev,
		.index = granule % WINDOW_GRANULES,
		.granules = 1,
		.window = w,
	};
	return true;
}

static inline bool quick_iova_free(struct dma_device *dev, struct dma_iova_state *state)
{
	struct span span = { state->window, state->index, 1 };
	const struct dma_domain *domain;
	dma_ctx_state ctx;
	struct shard *s;
	bool gone;

	if (state->granules != 1 || state->dev != dev || state->linked || !span_is_held(span))
		return false;
	domain = dmamap_dev(dev)->domain;
	dma_ctx_enter(domain->host, &ctx);
	s = span_shard(domain, span);
	gone = !shard_try(s);
	if (!gone) {
		gone = span_is_free(span);
		shard_unlock(s);
	}
	dma_ctx_leave(domain->host, ctx);
	if (gone)
		return false;
	quick_iova_give(dmamap_dev(dev), span.window, span.index);
	*state = (struct dma_iova_state){ .addr = 0 };
	return true;
}

/** Does @state hold a run of @dev, and [offset, offset + size) lie in it? */
static inline bool quick_iova_holds(const struct dma_device *dev,
				    const struct dma_iova_state *state, uint64_t offset,
				    uint64_t size)
{
	uint64_t total = dmamap_iova_size(state);

	return state->dev == dev && offset < total && size - 1 < total - offset;
}

static inline bool quick_iova_link(struct dma_device *dev, struct dma_iova_state *state,
				   phys_addr_t phys, uint64_t offset, uint64_t size,
				   enum dma_data_direction dir, unsigned long attrs)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	const struct dma_domain *domain = d->domain;
	uint64_t mask, pad, at, bytes;

	if (d->quick != QUICK_ALL || !quick_iova_holds(dev, state, offset, size) ||
	    (attrs & ~(unsigned long)DMA_ATTR_SKIP_CPU_SYNC) || !d->quick_bits[dir])
		return false;
	mask = domain->windows.granule_mask;
	pad = phys & mask;
	at = (state->addr & mask) + offset - pad;
	bytes = (pad + size + mask) & ~mask;
	if ((at & mask) || (pad && offset) || !small_reaches(domain, phys - pad, bytes) ||
	    (state->linked && (state->tail || at != state->high)))
		return false;
	if (state->window)
		span_write(domain, (struct span){ state->window, state->index, 0 },
			   (unsigned int)(at >> domain->shift),
			   (unsigned int)(bytes >> domain->shift), phys - pad, d->quick_bits[dir]);
	else if (dmamap_run_enter(state, at, &(struct dma_vec){ phys - pad, bytes }, 1,
				  dmamap_iommu_prot(true, dir, 0)))
		return false;
	if (!state->linked)
		state->low = at;
	state->high = at + bytes;
	state->linked += bytes;
	if ((phys + size) & mask)
		state->tail = offset + size;
	return true;
}

static inline bool quick_iova_sync(struct dma_device *dev, const struct dma_iova_state *state,
				   uint64_t offset, uint64_t size)
{
	const struct dmamap_dev *d = dmamap_dev(dev);

	if (d->quick != QUICK_ALL || !quick_iova_holds(dev, state, offset, size))
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return true;
}

static inline bool quick_iova_destroy(struct dma_device *dev, struct dma_iova_state *state,
				      uint64_t mapped_len)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t mask, end, cleared;

	if (!d->quick || !quick_iova_holds(dev, state, 0, mapped_len) || state->copies)
		return false;
	mask = d->domain->windows.granule_mask;
	end = ((state->addr & mask) + mapped_len + mask) & ~mask;
	if (state->low || state->high != end || state->linked != end)
		return false;
	cleared = dmamap_run_clear(state, 0, end, RUN_ENDS);
	if (cleared != end) { /* somebody else took entries out */
		dmamap_twostep_note_unlink(state, 0, cleared);
		return false;
	}
	*state = (struct dma_iova_state){ .addr = 0 };
	return true;
}

#pragma GCC visibility pop

#endif
