/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is taken out of windows: regions that are reserved while there are some, and all that a domain cannot have any more
 * after it was narrowed. The domain's lock is held; nothing here concerns what is mapped.
 */
#include "domain.h"

/* --- reserving what lies in windows */

/** The part of [granule, granule + n) in word @i of @w, widened to granules of the window. */
static uint64_t part_of_word(const struct window *w, unsigned int i, uint64_t granule, uint64_t n)
{
	uint64_t first = window_granule(w, i * 64);
	uint64_t lo = granule > first ? granule : first;
	uint64_t hi = min_u64(granule + n, window_granule(w, i * 64 + 64));

	return lo < hi ? iova_word_mask((unsigned int)((lo - first) >> w->scale),
					(unsigned int)((hi - first - 1) >> w->scale))
		       : 0;
}

/** Take the part of the range that lies in @w out of it. False: not all of it is free, and nothing happened. */
static bool reserve_in(const struct dma_domain *domain, struct window *w, uint64_t granule,
		       uint64_t n)
{
	struct shard *s = windows_shard(&domain->windows, w->shard);
	bool free = true;

	dmamap_shard_lock(s);
	dmamap_window_collect(s, w);
	for (unsigned int i = 0; i < WINDOW_WORDS; i++)
		free = free && !(part_of_word(w, i, granule, n) & ~w->word[i].free);
	for (unsigned int i = 0; free && i < WINDOW_WORDS; i++)
		dmamap_window_set_free(s, w, i, w->word[i].free & ~part_of_word(w, i, granule, n));
	dmamap_window_replace(s, w);
	shard_unlock(s);
	return free;
}

static void unreserve_in(const struct dma_domain *domain, struct window *w, uint64_t granule,
			 uint64_t n)
{
	struct shard *s = windows_shard(&domain->windows, w->shard);

	dmamap_shard_lock(s);
	for (unsigned int i = 0; i < WINDOW_WORDS; i++)
		dmamap_window_set_free(s, w, i, w->word[i].free | part_of_word(w, i, granule, n));
	dmamap_window_replace(s, w);
	shard_unlock(s);
}

/** The first window that ends behind @granule; NULL: there is none. */
static struct window *next_window(const struct dma_domain *domain, uint64_t granule)
{
	const struct window_index *index = domain->windows.index;
	struct window *best = NULL;

	for (unsigned int i = 0; index && i < 1u << index->bits; i++) {
		struct window *w = index->slot[i];

		if (w && w->live && window_granule(w, WINDOW_GRANULES) > granule &&
		    (!best || window_first(w) < window_first(best)))
			best = w;
	}
	return best;
}

/** The range up to the next border of a window, and the window that it lies in, or NULL. */
static uint64_t piece_at(const struct dma_domain *domain, uint64_t at, uint64_t end,
			 struct window **w)
{
	*w = next_window(domain, at);
	if (*w && window_first(*w) <= at)
		return min_u64(end, window_granule(*w, WINDOW_GRANULES));
	if (*w)
		end = min_u64(end, window_first(*w));
	*w = NULL;
	return end;
}

static void give_back_reserved(struct dma_domain *domain, uint64_t at, uint64_t end)
{
	while (at < end) {
		struct window *w;
		uint64_t next = piece_at(domain, at, end, &w);

		if (w)
			unreserve_in(domain, w, at, next - at);
		else
			dmamap_space_free(domain->iova, at, next - at);
		at = next;
	}
}

enum dmamap_iova_result dmamap_windows_reserve(struct dma_domain *domain, uint64_t granule,
					       uint64_t n)
{
	enum dmamap_iova_result result = IOVA_OK;
	uint64_t at = granule;

	dmamap_windows_shrink_groups(domain);
	while (at < granule + n) {
		struct window *w;
		uint64_t next = piece_at(domain, at, granule + n, &w);

		if (w)
			result = reserve_in(domain, w, at, next - at) ? IOVA_OK : IOVA_FULL;
		else
			result = dmamap_space_reserve(domain->iova, at, next - at);
		if (result != IOVA_OK) {
			give_back_reserved(domain, granule, at);
			break;
		}
		at = next;
	}
	return result;
}

/* --- a domain that is narrowed */

/** May nothing be mapped in @w any more? */
static bool is_outside(const struct dma_domain *domain, const struct window *w)
{
	const struct dma_backend_caps *caps = &domain->backend->caps;

	return window_granule(w, WINDOW_GRANULES) - 1 > caps->aperture_end >> domain->shift ||
	       !(caps->page_sizes & window_leaf(domain, w));
}

/** Nothing is ever free in @w again. */
static void close_window(const struct dma_domain *domain, struct window *w)
{
	struct shard *s = windows_shard(&domain->windows, w->shard);

	dmamap_shard_lock(s);
	dmamap_window_close(s, w);
	shard_unlock(s);
}

void dmamap_windows_narrow(struct dma_domain *domain)
{
	const struct dma_backend_caps *caps = &domain->backend->caps;
	struct windows *ws = &domain->windows;

	dmamap_windows_set_width(domain);
	for (uint32_t i = 0; i < ws->larges; i++) {
		struct window_large *large = &ws->large[i];

		if (!(caps->page_sizes & (large->mask + 1)))
			large->most = 0;
		/* who got a window has a limit at least as high */
		__atomic_store_n(&large->limit, min_u64(large->limit, caps->aperture_end),
				 __ATOMIC_RELAXED);
	}
	for (unsigned int i = 0; ws->index && i < 1u << ws->index->bits; i++) {
		struct window *w = ws->index->slot[i];

		if (w && w->live && is_outside(domain, w))
			close_window(domain, w);
	}
}
