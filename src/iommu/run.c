/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two-step mapping: where a run's addresses come from, and its entries.
 *
 * A small run is a span of a window (small.h), any other comes from the address space. A span that is a run has no bit of
 * heads: nobody can unmap it by its address, and its entries are the state's owner's alone, written and cleared without a
 * lock. The order is that of every unmap: clear entries, invalidate, wait, and only then give the granules back; or let
 * all of the run wait for a flush. For any other run it is the same, under the domain's lock.
 */
#include "quick_iova.h"

/** Granules [at, at + size) bytes of a run that is a span. */
static struct span part_of_span(const struct dma_iova_state *state, uint64_t at, uint64_t size)
{
	unsigned int shift = state_domain(state)->shift;

	return (struct span){ state->window, state->index + (unsigned int)(at >> shift),
			      (unsigned int)(size >> shift) };
}

static struct span whole_span(const struct dma_iova_state *state)
{
	return (struct span){ state->window, state->index, state->granules };
}

/* --- addresses */

static bool take_small(struct dmamap_dev *d, uint64_t n, struct dma_iova_state *state)
{
	struct dma_domain *domain = d->domain;
	struct span span;
	uint64_t limit;

	if (!small_fits(domain, n))
		return false;
	limit = small_limit(domain, d, dev_mask(d));
	if (!small_take(d, (unsigned int)n, limit, &span))
		return false;
	small_set_here(d, small_limit_index(&domain->windows, limit));
	state->addr = span_address(domain, span);
	state->window = span.window;
	state->index = (uint16_t)span.index;
	state->granules = (uint16_t)span.granules;
	return true;
}

static bool take_large(struct dma_device *dev, uint64_t size, struct dma_iova_state *state,
		       enum dma_reason *reason)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	bool got;

	domain_lock(d->domain);
	got = dmamap_domain_alloc(d->domain, dev, size, dev_mask(d), &state->addr, reason);
	domain_unlock(d->domain);
	if (got)
		dev_live_add(d, 1);
	return got;
}

bool dmamap_run_take(struct dma_device *dev, uint64_t size, struct dma_iova_state *state,
		     enum dma_reason *reason)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t n = size >> d->domain->shift;

	/* the second has flushed what waited: windows may have room again */
	return take_small(d, n, state) || take_large(dev, size, state, reason) ||
	       (*reason == DMA_REASON_NO_IOVA && take_small(d, n, state));
}

bool dmamap_run_is_held(const struct dma_iova_state *state)
{
	struct dma_domain *domain = state_domain(state);
	struct span span = whole_span(state);
	dma_ctx_state ctx;
	struct shard *s;
	bool gone;

	if (!state->window)
		return true;
	dma_ctx_enter(domain->host, &ctx);
	s = span_shard(domain, span);
	dmamap_shard_lock(s);
	gone = span_is_free(span);
	shard_unlock(s);
	dma_ctx_leave(domain->host, ctx);
	return !gone && span_is_held(span);
}

static void give_span(struct dmamap_dev *d, struct span span)
{
	quick_iova_count_end(d, span.window);
	span_give_back(d->domain, span);
}

void dmamap_run_free(const struct dma_iova_state *state)
{
	struct dma_domain *domain = state_domain(state);

	if (state->window) {
		give_span(dmamap_dev(state->dev), whole_span(state));
		return;
	}
	domain_lock(domain);
	dmamap_domain_unalloc(domain, run_start(state), run_size(state));
	domain_unlock(domain);
	dev_live_sub(dmamap_dev(state->dev), 1);
}

/* --- entries */

static int enter_span(const struct dma_iova_state *state, uint64_t at, const struct dma_vec *vec,
		      size_t n, unsigned int prot)
{
	struct dma_domain *domain = state_domain(state);
	uint64_t bits = small_bits(domain, prot);

	for (size_t i = 0; i < n; i++)
		if (!small_reaches(domain, vec[i].phys, vec[i].len))
			return -DMAMAP_ERANGE;
	for (size_t i = 0; i < n; at += vec[i].len, i++) {
		struct span part = part_of_span(state, at, vec[i].len);

		span_write(domain, part, 0, part.granules, vec[i].phys, bits);
		if (!domain->windows.snoops)
			dmamap_small_clean(domain, part);
	}
	return 0;
}

int dmamap_run_enter(const struct dma_iova_state *state, uint64_t at, const struct dma_vec *vec,
		     size_t n, unsigned int prot)
{
	struct dma_domain *domain = state_domain(state);
	int err;

	if (state->window)
		return enter_span(state, at, vec, n, prot);
	domain_lock(domain);
	err = dmamap_domain_enter(domain, run_start(state) + at, vec, n, prot);
	dmamap_domain_note_peaks(domain);
	domain_unlock(domain);
	return err;
}

int dmamap_run_sync(const struct dma_iova_state *state, uint64_t at, uint64_t size)
{
	struct dma_domain *domain = state_domain(state);
	dma_addr_t iova = run_start(state) + at;
	int err;

	if (domain->windows.shards && !domain->windows.sync) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		return 0;
	}
	if (state->window)
		return domain->backend->ops->sync_map(domain->backend, iova, size);
	domain_lock(domain);
	err = dmamap_domain_sync_map(domain, iova, size);
	domain_unlock(domain);
	return err;
}

/** The part of a span up to the first entry that is free. */
static struct span linked_part(const struct dma_iova_state *state, uint64_t at, uint64_t size)
{
	struct span part = part_of_span(state, at, size);
	const uint64_t *entry = &part.window->entries[part.index];
	unsigned int n = 0;

	while (n < part.granules && __atomic_load_n(&entry[n], __ATOMIC_RELAXED))
		n++;
	part.granules = n;
	return part;
}

/** Let all of the run wait for a flush. */
static void defer_span(struct dmamap_dev *d, struct window_lazy *lazy, struct span span)
{
	struct dma_domain *domain = d->domain;
	struct shard *owner = window_owner(&domain->windows, span.window);

	quick_iova_count_end(d, span.window);
	if (small_waits_full(domain, owner))
		dmamap_small_flush_waiting(domain, owner);
	span_defer(domain, owner, lazy, span);
}

static uint64_t clear_span(const struct dma_iova_state *state, uint64_t at, uint64_t size,
			   enum run_end end)
{
	struct dma_domain *domain = state_domain(state);
	struct span part = linked_part(state, at, size);
	uint64_t cleared = (uint64_t)part.granules << domain->shift;
	struct shard *s = shard_of_caller(domain);
	struct window_lazy *lazy =
		end == RUN_ENDS && small_is_lazy(domain) ? window_lazy_of(part.window) : NULL;

	if (!part.granules || !span_is_held(whole_span(state)))
		return 0;
	if (cleared != size)
		end = RUN_STAYS;
	small_clear(domain, part);
	if (!lazy || end == RUN_STAYS)
		span_forget(domain, s, part);
	if (end == RUN_STAYS)
		return cleared;
	if (lazy)
		defer_span(dmamap_dev(state->dev), lazy, whole_span(state));
	else
		give_span(dmamap_dev(state->dev), whole_span(state));
	return cleared;
}

uint64_t dmamap_run_clear(const struct dma_iova_state *state, uint64_t at, uint64_t size,
			  enum run_end end)
{
	struct dma_domain *domain = state_domain(state);
	dma_addr_t iova = run_start(state) + at;
	uint64_t cleared;

	if (state->window)
		return clear_span(state, at, size, end);
	domain_lock(domain);
	cleared = dmamap_domain_clear(domain, iova, size);
	if (end != RUN_STAYS && cleared == size)
		dmamap_domain_retire(domain, run_start(state), run_size(state),
				     end == RUN_ENDS_STRICTLY);
	else if (cleared)
		dmamap_domain_invalidate(domain, iova, cleared);
	domain_unlock(domain);
	if (end != RUN_STAYS && cleared == size)
		dev_live_sub(dmamap_dev(state->dev), 1);
	return cleared;
}

bool dmamap_run_agrees(const struct dma_iova_state *state, uint64_t at, uint64_t size, bool mapped)
{
	struct dma_domain *domain = state_domain(state);
	dma_addr_t iova = run_start(state) + at;
	phys_addr_t phys;

	for (uint64_t i = 0; i < size; i += granule_size(domain))
		if (!dmamap_domain_iova_to_phys(domain, iova + i, &phys) != mapped)
			return false;
	return true;
}
