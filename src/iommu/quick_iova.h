/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two-step mapping: the short way of small runs, inline in the public calls. Taking a run of one granule is a bit of the
 * window that the caller's shard has looked into last, giving it back is a bit too. A link behind what is linked is a
 * few entries, for a trusted and coherent device that nobody observes. Everything else, refusals above all, is left to
 * twostep.c.
 */
#ifndef DMAMAP_IOMMU_QUICK_IOVA_H
#define DMAMAP_IOMMU_QUICK_IOVA_H

#include "small.h"
#include "twostep.h"

#pragma GCC visibility push(hidden)

/** A granule for @d; false where the long way may know. Not before that has been gone once. */
static inline bool quick_iova_take(struct dmamap_dev *d, struct span *span)
{
	dma_ctx_state state;
	const struct window_place *here;
	struct shard *s;
	unsigned int at;
	bool ok;

	if (!small_enter(d, &state, &s))
		return false;
	here = small_here(d, s);
	ok = small_may_take(d, s) && place_take_one(s, here, &at);
	if (ok) {
		*span = (struct span){ here->window, place_index(here) * 64 + at, 1 };
		small_count_map(d, s);
	}
	small_leave(d, s, state);
	return ok;
}

/** The end of a span that was taken, has no bit of heads, and was never linked or was invalidated since. */
static inline void quick_iova_give(struct dmamap_dev *d, struct span span)
{
	uint8_t shard = __atomic_load_n(&span.window->shard, __ATOMIC_RELAXED);

	__atomic_fetch_add(&d->counts[shard].unmapped, 1, __ATOMIC_RELAXED);
	span_give_back(d->domain, span);
}

/** Nothing of @span is free or mapped by its address, so that a copy of a state that has ended is found out. */
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
	struct dma_domain *domain = d->domain;
	struct span span;
	uint64_t mask;

	if (__atomic_load_n(&d->quick_index, __ATOMIC_RELAXED) == WINDOW_LIMITS)
		return false;
	mask = granule_size(domain) - 1;
	if (size - 1 > mask - (phys & mask) || dev_min_align(d) > mask)
		return false;
	if (!quick_iova_take(d, &span))
		return false;
	*state = (struct dma_iova_state){
		.addr = span_address(domain, span) + (phys & mask),
		.__size = size,
		.dev = dev,
		.index = (uint16_t)span.index,
		.granules = 1,
		.window = span.window,
	};
	return true;
}

static inline bool quick_iova_free(struct dma_device *dev, struct dma_iova_state *state)
{
	struct span span = { state->window, state->index, state->granules };

	if (!span.window || state->dev != dev || state->linked || !span_is_held(span))
		return false;
	quick_iova_give(dmamap_dev(dev), span);
	*state = (struct dma_iova_state){ .addr = 0 };
	return true;
}

/** Does @state hold a small run of @dev, and [offset, offset + size) lie in it? */
static inline bool quick_iova_holds(const struct dma_device *dev,
				    const struct dma_iova_state *state, uint64_t offset,
				    uint64_t size)
{
	uint64_t total = dmamap_iova_size(state);

	return state->window && state->dev == dev && offset < total && size - 1 < total - offset;
}

static inline bool quick_iova_link(struct dma_device *dev, struct dma_iova_state *state,
				   phys_addr_t phys, uint64_t offset, uint64_t size,
				   enum dma_data_direction dir, unsigned long attrs)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	const struct dma_domain *domain = d->domain;
	uint64_t mask, pad, at, bytes;
	struct span part;

	if (!d->quick || !quick_iova_holds(dev, state, offset, size) ||
	    (attrs & ~(unsigned long)DMA_ATTR_SKIP_CPU_SYNC) || !d->quick_bits[dir] ||
	    !domain->windows.snoops)
		return false;
	mask = granule_size(domain) - 1;
	pad = phys & mask;
	at = (state->addr & mask) + offset;
	if (pad != (at & mask) || (pad && offset) ||
	    (state->linked && (state->tail || at != state->high)))
		return false;
	at -= pad;
	bytes = round_up(pad + size, mask + 1);
	if (!small_reaches(domain, phys - pad, bytes))
		return false;
	part = (struct span){ state->window, state->index + (unsigned int)(at >> domain->shift),
			      (unsigned int)(bytes >> domain->shift) };
	span_write(domain, part, 0, part.granules, phys - pad, d->quick_bits[dir]);
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

	if (!quick_iova_holds(dev, state, offset, size) || !d->coherent || d->domain->windows.sync)
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return true;
}

static inline bool quick_iova_destroy(struct dma_device *dev, struct dma_iova_state *state,
				      uint64_t mapped_len)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t mask, end;

	if (!d->quick || !quick_iova_holds(dev, state, 0, mapped_len) || state->copies)
		return false;
	mask = granule_size(d->domain) - 1;
	end = round_up((state->addr & mask) + mapped_len, mask + 1);
	if (state->low || state->high != end || state->linked != end ||
	    dmamap_run_clear(state, 0, end, RUN_ENDS) != end)
		return false;
	*state = (struct dma_iova_state){ .addr = 0 };
	return true;
}

#pragma GCC visibility pop

#endif
