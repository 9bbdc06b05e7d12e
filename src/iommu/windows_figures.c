/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in use in the windows of a domain, and what they have done: sums over its shards, under the domain's lock.
 */
#include "domain.h"

/** Of one shard, in granules of the domain; its lock is held. */
static void add_used(struct windows *ws, struct shard *s, uint64_t *used, uint64_t *peak)
{
	for (unsigned int kind = 0; kind < WINDOW_KINDS; kind++) {
		const struct window_large *large = windows_large(ws, kind);
		unsigned int scale = large ? large->scale : 0;
		uint64_t most;

		*used += dmamap_shard_used(s, kind, &most) << scale;
		*peak += most << scale;
	}
}

/** Of what came back, but was not taken back. */
static uint64_t returned(const struct window *w)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < WINDOW_WORDS; i++)
		n += count_bits(__atomic_load_n(&w->word[i].returned, __ATOMIC_RELAXED));
	return n << w->scale;
}

static uint64_t all_returned(const struct window_index *index)
{
	uint64_t n = 0;

	for (unsigned int i = 0; index && i < 1u << index->bits; i++)
		n += index->slot[i] ? returned(index->slot[i]) : 0;
	return n;
}

uint64_t dmamap_windows_used(struct dma_domain *domain, uint64_t *peak)
{
	struct windows *ws = &domain->windows;
	uint64_t used = 0;

	*peak = 0;
	/* all at once: what comes back meanwhile was out when it was counted */
	for (struct shard *s = ws->first; s; s = windows_next(s)) {
		dmamap_shard_lock(s);
		add_used(ws, s, &used, peak);
	}
	used -= all_returned(ws->index);
	for (struct shard *s = ws->first; s; s = windows_next(s))
		shard_unlock(s);
	return used;
}

uint32_t dmamap_windows_waiting(const struct dma_domain *domain)
{
	const struct windows *ws = &domain->windows;
	uint32_t waiting = 0;

	for (const struct shard *s = ws->first; s; s = windows_next(s))
		waiting += __atomic_load_n(&s->waiting, __ATOMIC_RELAXED);
	return waiting;
}

uint64_t dmamap_windows_invalidations(const struct dma_domain *domain)
{
	const struct windows *ws = &domain->windows;
	uint64_t n = 0;

	for (const struct shard *s = ws->first; s; s = windows_next(s))
		n += __atomic_load_n(&s->invalidations, __ATOMIC_RELAXED);
	return n;
}
