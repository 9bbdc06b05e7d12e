/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small ranges: see small.h, and window.h for what a window is.
 *
 * The order of docs/semantics.md, "Invalidation", holds for each by itself. A map writes entries, then sync_map, then
 * sets the bit of heads: only then can anybody unmap it. An unmap wins that bit, clears the entries, invalidates and
 * waits, and only then puts the granules into `returned`, from where the shard takes them; or, lazily, into `pending`,
 * from where a flush that begins later moves them to `returned` after its own wait.
 */
#include "small.h"

/* --- taking */

/** Domain lock held. WINDOW_NOWHERE if there are too many. */
static unsigned int add_limit(struct dma_domain *domain, uint64_t limit)
{
	struct windows *ws = &domain->windows;
	unsigned int i = small_limit_index(&domain->windows, limit);

	if (i != WINDOW_NOWHERE || ws->limits == WINDOW_LIMITS)
		return i;
	ws->limit[ws->limits] = limit;
	__atomic_store_n(&ws->limits, ws->limits + 1, __ATOMIC_RELEASE);
	return ws->limits - 1;
}

/** The caller's shard if it is free, else any that is; NULL: all are taken. */
static struct shard *try_shards(struct dma_domain *domain, uint32_t number)
{
	const struct windows *ws = &domain->windows;
	struct shard *s = windows_shard(ws, number);

	if (shard_try(s))
		return s;
	for (s = ws->first; s && !shard_try(s); s = windows_next(s))
		;
	return s;
}

static bool take_from(struct dmamap_dev *d, struct shard *s, unsigned int kind, unsigned int n,
		      unsigned int order, struct span *span)
{
	struct window_place *here = &s->current[kind];
	int at = place_take(here, n, order);

	if (at == PLACE_NONE)
		at = dmamap_shard_take(s, here, n, order);
	if (at == PLACE_NONE)
		return false;
	*span = place_span(here, at, n);
	small_count_map(d, s);
	return true;
}

/** Some granules for @d, the last address at most @limit, in windows of larger leaves if @large is one of them. */
struct request {
	struct dmamap_dev *d;
	const struct large_range *large;
	unsigned int n;
	unsigned int order;
	uint64_t limit;
};

/** Domain lock held. */
static bool take_locked(const struct request *r, struct shard *s, unsigned int kind,
			struct span *span)
{
	bool ok;

	dmamap_shard_lock(s);
	if (r->n > 1 && !s->ends)
		s->ends = dmamap_heap_alloc(r->d->host, sizeof(*s->ends), DMAMAP_GFP_ATOMIC);
	ok = take_from(r->d, s, kind, r->n, r->order, span);
	shard_unlock(s);
	return ok;
}

/** From any shard's windows, also such as were made for lower limits. */
static bool take_anywhere(const struct request *r, struct span *span)
{
	const struct windows *ws = &r->d->domain->windows;

	for (struct shard *s = ws->first; s; s = windows_next(s))
		for (unsigned int l = 0; l < ws->limits; l++)
			if (ws->limit[l] <= r->limit && take_locked(r, s, l, span))
				return true;
	return false;
}

/** From the windows of @s, or a new one. */
static bool take_of_kind(const struct request *r, struct shard *s, unsigned int kind,
			 struct span *span)
{
	return take_locked(r, s, kind, span) ||
	       (dmamap_windows_add(r->d->domain, s, kind) && take_locked(r, s, kind, span));
}

static bool take_granules(const struct request *r, struct shard *s, struct span *span)
{
	struct dma_domain *domain = r->d->domain;
	/* the domain may have been narrowed since the limit was asked for */
	uint64_t limit = min_u64(r->limit, domain->backend->caps.aperture_end);
	unsigned int kind = add_limit(domain, limit);

	return (kind != WINDOW_NOWHERE && take_of_kind(r, s, kind, span)) || take_anywhere(r, span);
}

/** Windows of larger leaves lie below the limit that was first asked for. */
static bool take_larger(const struct request *r, struct shard *s, struct span *span)
{
	struct dma_domain *domain = r->d->domain;
	struct window_large *large = windows_large(&domain->windows, r->large->kind);
	/* the same, since the range was found to fit */
	uint64_t limit = min_u64(r->limit, domain->backend->caps.aperture_end);

	if (!large->limit)
		__atomic_store_n(&large->limit, limit, __ATOMIC_RELAXED);
	return large->limit <= limit && large->most && take_of_kind(r, s, r->large->kind, span);
}

/** With the domain's lock, and whatever it takes. */
static bool take_slowly(const struct request *r, struct span *span)
{
	struct dma_domain *domain = r->d->domain;
	dma_ctx_state state;
	struct dma_ctx *ctx;
	struct shard *s;
	bool ok;

	domain_lock(domain);
	if (domain->host->time_ns)
		dmamap_domain_flush_due(domain);
	ctx = dma_ctx_enter(domain->host, &state);
	s = dmamap_windows_shard(domain, ctx_number(domain->host, ctx));
	ok = r->large ? take_larger(r, s, span) : take_granules(r, s, span);
	dma_ctx_leave(domain->host, state);
	domain_unlock(domain);
	return ok;
}

/** Is there a flush that maps have to see to, because the host has no timer? */
static bool flush_is_due(struct dma_domain *domain, const struct shard *s)
{
	struct dma_host *host = domain->host;

	if (!domain->windows.timed || !__atomic_load_n(&s->waiting, __ATOMIC_RELAXED))
		return false;
	return dmamap_time(host) - __atomic_load_n(&s->oldest, __ATOMIC_RELAXED) >=
	       domain->flush_ns;
}

/** From the windows of the caller's shard, or of any other that nobody works in. */
static bool take_quickly(const struct request *r, struct span *span)
{
	struct dma_domain *domain = r->d->domain;
	const struct windows *ws = &domain->windows;
	unsigned int kind = small_limit_index(ws, r->limit);
	dma_ctx_state state;
	uint32_t number = ctx_number(domain->host, dma_ctx_enter(domain->host, &state));
	struct shard *s = windows_shard(ws, number);
	bool ok = false;

	/* who has no shard of his own gets one, elsewhere */
	if (kind != WINDOW_NOWHERE && s->number == (number & ws->shard_mask)) {
		s = try_shards(domain, number);
		if (s) {
			ok = !flush_is_due(domain, s) &&
			     take_from(r->d, s, kind, r->n, r->order, span);
			shard_unlock(s);
		}
	}
	dma_ctx_leave(domain->host, state);
	return ok;
}

bool dmamap_small_take(struct dmamap_dev *d, unsigned int granules, uint64_t limit,
		       struct span *span)
{
	const struct request r = {
		.d = d, .n = granules, .order = ceil_log2(granules), .limit = limit
	};

	return take_quickly(&r, span) || take_slowly(&r, span);
}

bool dmamap_small_take_large(struct dmamap_dev *d, const struct large_range *range, uint64_t limit,
			     struct span *span)
{
	const struct request r = { .d = d,
				   .large = range,
				   .n = range->leaves,
				   .order = ceil_log2(range->leaves),
				   .limit = limit };

	return small_take_here(d, range->kind, range->leaves, span) || take_slowly(&r, span);
}

/* --- entries */

/** The lines of the entries, for walkers that do not snoop. */
DMAMAP_COLD void dmamap_small_clean(const struct dma_domain *domain, struct span span)
{
	const uint64_t *entries = &span.window->entries[span.index];
	struct dma_host *host = domain->host;

	dmamap_cache_for_device(host, host->virt_to_phys(host, entries),
				span.granules * sizeof(*entries), DMA_TO_DEVICE);
}

int dmamap_small_sync(struct dmamap_dev *d, struct span span)
{
	struct dma_domain *domain = d->domain;
	int err;

	if (!domain->windows.snoops)
		dmamap_small_clean(domain, span);
	err = domain->backend->ops->sync_map(domain->backend, span_address(domain, span),
					     span_bytes(domain, span));
	if (err)
		dmamap_small_abandon(d, span);
	return err;
}

/* --- giving back */

/** Windows that ran empty, of all, before somebody gives them back. */
static bool many_emptied(const struct windows *ws)
{
	return __atomic_load_n(&ws->emptied, __ATOMIC_RELAXED) >
	       __atomic_load_n(&ws->live, __ATOMIC_RELAXED) / 16 + 1;
}

/** Something came back to a window that its shard does not look into. */
DMAMAP_COLD void dmamap_small_give_back_aside(struct dma_domain *domain, struct window *w)
{
	struct windows *ws = &domain->windows;
	dma_ctx_state state;
	bool empty;

	dmamap_window_notify(ws->shards, w);
	dma_ctx_enter(domain->host, &state);
	empty = dmamap_window_is_empty(ws->shards, w);
	dma_ctx_leave(domain->host, state);
	if (!empty)
		return;
	__atomic_fetch_add(&ws->emptied, 1, __ATOMIC_RELAXED);
	if (!many_emptied(ws))
		return;
	domain_lock(domain);
	if (many_emptied(ws))
		dmamap_domain_trim(domain);
	domain_unlock(domain);
}

static void deferred_poll(void *host)
{
	dmamap_poll(host);
}

static void start_clock(struct dma_domain *domain, struct shard *s)
{
	struct dma_host *host = domain->host;

	__atomic_store_n(&s->oldest, dmamap_time(host), __ATOMIC_RELAXED);
	if (host->defer)
		host->defer(host, deferred_poll, host, domain->flush_ns);
}

DMAMAP_COLD void dmamap_small_list(struct shard *s, struct window_lazy *lazy)
{
	struct window_lazy *top;

	if (__atomic_exchange_n(&lazy->listed, true, __ATOMIC_SEQ_CST))
		return;
	top = __atomic_load_n(&s->pending, __ATOMIC_RELAXED);
	do
		lazy->next = top;
	while (!__atomic_compare_exchange_n(&s->pending, &top, lazy, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED));
}

DMAMAP_COLD void dmamap_small_flush_waiting(struct dma_domain *domain, struct shard *s)
{
	domain_lock(domain);
	dmamap_domain_flush_shard(domain, s);
	domain_unlock(domain);
}

DMAMAP_COLD void dmamap_small_begin_waiting(struct dma_domain *domain, struct shard *s)
{
	start_clock(domain, s);
	if (!small_is_lazy(domain))
		dmamap_small_flush_waiting(domain, s);
}

void dmamap_small_abandon(struct dmamap_dev *d, struct span span)
{
	struct dma_domain *domain = d->domain;
	struct shard *s = shard_of_caller(domain);

	small_clear(domain, span);
	small_count_unmap(d, s);
	span_forget(domain, s, span);
	span_give_back(domain, span);
}

/* --- unmapping */

static struct window *live_window(const struct windows *ws, uint64_t granule, unsigned int scale)
{
	struct window *w = window_of_block(&ws->index, window_block(granule, scale));

	return w && window_is_live(w) ? w : NULL;
}

/** The window that @granule lies in; NULL: none. The sort that has ranges of @granules is looked for first. */
static struct window *find_window(const struct windows *ws, uint64_t granule, uint64_t granules)
{
	struct window *w = granules <= WINDOW_RUN ? live_window(ws, granule, 0) : NULL;

	for (uint32_t i = 0; !w && i < ws->larges; i++)
		w = live_window(ws, granule, ws->large[i].scale);
	return w || granules <= WINDOW_RUN ? w : live_window(ws, granule, 0);
}

/** Is that a run which may be a mapping of @w? Else *@span is the granule that it begins in. */
static bool is_run(struct window *w, uint64_t granule, uint64_t granules, struct span *span)
{
	uint64_t part = ((uint64_t)1 << w->scale) - 1;
	uint64_t n = granules >> w->scale;

	*span = (struct span){ w, (unsigned int)(granule >> w->scale) % WINDOW_GRANULES, 1 };
	if ((granule | granules) & part || n > WINDOW_RUN)
		return false;
	span->granules = (unsigned int)n;
	return span_is_run(*span);
}

/** What there is at the first granule of @span, which is no mapping, or not that one. */
static DMAMAP_COLD enum small_result why_not(struct span span)
{
	unsigned int i = span.index / 64;
	unsigned int bit = span.index % 64;
	uint64_t heads = __atomic_load_n(&span.window->word[i].heads, __ATOMIC_RELAXED);
	uint64_t below = heads & iova_word_mask(0, bit);
	uint64_t rest;

	if (!below)
		return SMALL_NOT_MAPPED;
	/* the last mapping that begins at or before it ends at the first end from there on */
	rest = window_ends_of(span.window, i) & iova_word_mask(high_bit(below), 63);
	return rest && low_bit(rest) >= bit ? SMALL_OTHER : SMALL_NOT_MAPPED;
}

bool dmamap_small_is_mapped(struct dmamap_dev *d, dma_addr_t iova, uint64_t granules)
{
	struct dma_domain *domain = d->domain;
	uint64_t granule = iova >> domain->shift;
	struct window *w = find_window(&domain->windows, granule, granules);
	struct span span;
	uint64_t heads;

	if (!w || !is_run(w, granule, granules, &span))
		return false;
	heads = __atomic_load_n(&span.window->word[span.index / 64].heads, __ATOMIC_ACQUIRE);
	return heads >> span.index % 64 & 1;
}

enum small_result dmamap_small_unmap(struct dmamap_dev *d, dma_addr_t iova, uint64_t granules,
				     bool strict)
{
	struct dma_domain *domain = d->domain;
	uint64_t granule = iova >> domain->shift;
	struct window *w = find_window(&domain->windows, granule, granules);
	struct window_lazy *lazy;
	struct span span;
	struct shard *s, *owner;

	if (!w)
		return SMALL_ELSEWHERE;
	if (!is_run(w, granule, granules, &span))
		return why_not(span);
	s = shard_of_caller(domain);
	lazy = strict || !small_is_lazy(domain) ? NULL : window_lazy_of(w);
	owner = window_owner(&domain->windows, w);
	if (lazy && small_waits_full(domain, owner))
		dmamap_small_flush_waiting(domain, owner);
	if (!span_win(span))
		return why_not(span);
	span_end(d, s, owner, lazy, span);
	return SMALL_DONE;
}
