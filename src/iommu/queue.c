/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking entries out of a domain, now or later.
 *
 * The order is always: clear entry, invalidate, wait, reuse address and free table. Strict domains do it in one go.
 * Lazy ones queue the last step: a flush invalidates everything at once when the queue is full, when its time has come,
 * or when addresses run out. Everything queued was cleared before the flush began, because both hold the lock; and
 * pending bits of windows are set after their entries were cleared, and taken before the invalidation begins.
 */
#include "regions.h"

/**
 * Drop every cached translation of a range, and return when that is done. Empty tables are unlinked before, and freed
 * after. @prune is for invalidations that cover all of them: on a lazy domain only a flush does.
 */
static void invalidate(struct dma_domain *domain, dma_addr_t iova, uint64_t size, bool prune)
{
	const struct dma_backend_ops *ops = domain->backend->ops;
	struct dma_freed freed = { 0 };

	if (prune && ops->prune)
		ops->prune(domain->backend, &freed);
	if (ops->invalidate)
		ops->invalidate(domain->backend, iova, size, !freed.tables);
	if (ops->wait)
		ops->wait(domain->backend);
	domain->stats.invalidations++;
	domain->unpruned = !prune;
	if (freed.tables && ops->release)
		ops->release(domain->backend, &freed);
}

void dmamap_domain_unalloc(struct dma_domain *domain, dma_addr_t iova, uint64_t size)
{
	dmamap_kept_put(&domain->kept, domain->iova, iova >> domain->shift, size >> domain->shift);
}

uint64_t dmamap_domain_clear(struct dma_domain *domain, dma_addr_t iova, uint64_t size)
{
	if (domain->regions.direct && dmamap_regions_meet(domain, iova, size))
		return 0; /* the domain's own: nobody's to unmap */
	return domain->backend->ops->unmap(domain->backend, iova, size);
}

/* --- flushing */

static void flush_once(struct dma_domain *domain)
{
	invalidate(domain, 0, ~(uint64_t)0, true);
	domain->stats.flushes++;
}

/** A flush on its way. */
struct flush {
	struct dma_domain *domain;
	bool all;
	struct window *idle;
	/** What windows get back after the next invalidation: in the queue, behind what waits there. */
	struct flush_entry *moved;
	uint32_t n;
	uint32_t room;
};

static void give_to_window(struct dma_domain *domain, const struct flush_entry *e)
{
	struct window *w = (struct window *)(e->word & ~(uintptr_t)(WINDOW_WORDS - 1));

	__atomic_fetch_or(&w->word[e->word % WINDOW_WORDS].returned, e->bits, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&w->current, __ATOMIC_SEQ_CST))
		dmamap_window_notify(domain->windows.shards, w);
}

/** Invalidate, then give back what was cleared and noted before. */
static void flush_round(struct flush *f)
{
	struct dma_domain *domain = f->domain;

	flush_once(domain);
	for (uint32_t i = 0; i < domain->queued; i++)
		dmamap_kept_put(&domain->kept, domain->iova, domain->queue[i].granule,
				domain->queue[i].granules);
	domain->queued = 0;
	dmamap_windows_release(domain, f->idle);
	f->idle = NULL;
	for (uint32_t i = 0; i < f->n; i++)
		give_to_window(domain, &f->moved[i]);
	f->n = 0;
}

/** The pending bits of one window; with nothing else in it the window goes as it is. */
static void flush_window(struct flush *f, struct window_lazy *lazy)
{
	/* who adds bits from now on puts the window into the next chain */
	__atomic_store_n(&lazy->listed, false, __ATOMIC_SEQ_CST);
	if (dmamap_windows_detach_pending(f->domain, lazy->window, f->all, &f->idle))
		return;
	for (unsigned int i = 0; i < WINDOW_WORDS; i++) {
		if (!__atomic_load_n(&lazy->pending[i], __ATOMIC_SEQ_CST))
			continue;
		if (f->n == f->room)
			flush_round(f);
		f->moved[f->n++] = (struct flush_entry){
			.word = (uintptr_t)lazy->window | i,
			.bits = __atomic_exchange_n(&lazy->pending[i], 0, __ATOMIC_SEQ_CST),
		};
	}
}

static void begin_flush(struct flush *f, struct dma_domain *domain, bool all, struct window *idle)
{
	*f = (struct flush){ .domain = domain,
			     .all = all,
			     .idle = idle,
			     .moved = domain->queue ? domain->queue + domain->queued : NULL,
			     .room = domain->queue ? domain->queue_size - domain->queued : 0 };
}

/** What waits in the windows of one shard. */
static void flush_shard(struct flush *f, struct shard *s)
{
	struct window_lazy *lazy;

	/* who is counted here is in the list below: what waits without being counted would wait for ever */
	__atomic_exchange_n(&s->waiting, 0, __ATOMIC_ACQUIRE);
	dmamap_windows_detach(f->domain, s, f->all, &f->idle);
	lazy = __atomic_exchange_n(&s->pending, NULL, __ATOMIC_ACQUIRE);
	while (lazy) {
		struct window_lazy *next = lazy->next;

		flush_window(f, lazy);
		lazy = next;
	}
}

/** One invalidation, or as many as the room for pending bits makes necessary. @idle windows go with it. */
static void flush(struct dma_domain *domain, bool all, struct window *idle)
{
	struct flush f;

	begin_flush(&f, domain, all, idle);
	for (struct shard *s = domain->windows.first; s; s = windows_next(s))
		flush_shard(&f, s);
	__atomic_store_n(&domain->windows.emptied, 0, __ATOMIC_RELAXED);
	flush_round(&f);
}

void dmamap_domain_flush_shard(struct dma_domain *domain, struct shard *s)
{
	struct flush f;

	if (!__atomic_load_n(&s->waiting, __ATOMIC_ACQUIRE))
		return; /* somebody else has flushed it meanwhile */
	begin_flush(&f, domain, false, NULL);
	flush_shard(&f, s);
	flush_round(&f);
}

bool dmamap_domain_waits(const struct dma_domain *domain)
{
	return domain->queued || dmamap_windows_waiting(domain);
}

void dmamap_domain_flush_all(struct dma_domain *domain)
{
	flush(domain, true, NULL);
}

static struct window *detach_all(struct dma_domain *domain, bool all)
{
	struct window *idle = NULL;

	for (struct shard *s = domain->windows.first; s; s = windows_next(s))
		dmamap_windows_detach(domain, s, all, &idle);
	__atomic_store_n(&domain->windows.emptied, 0, __ATOMIC_RELAXED);
	return idle;
}

void dmamap_domain_trim(struct dma_domain *domain)
{
	struct window *idle = detach_all(domain, false);

	if (idle)
		flush(domain, false, idle);
}

void dmamap_domain_reclaim(struct dma_domain *domain)
{
	struct window *idle = detach_all(domain, true);

	if (idle || domain->unpruned || dmamap_domain_waits(domain))
		flush(domain, true, idle);
}

void dmamap_domain_flush_now(struct dma_domain *domain)
{
	if (dmamap_domain_waits(domain))
		flush(domain, false, NULL);
}

static bool is_due(const struct dma_domain *domain)
{
	const struct windows *ws = &domain->windows;
	uint64_t now;

	if (!dmamap_domain_waits(domain))
		return false;
	now = dmamap_time(domain->host);
	if (domain->queued && now - domain->oldest >= domain->flush_ns)
		return true;
	for (const struct shard *s = ws->first; s; s = windows_next(s))
		if (__atomic_load_n(&s->waiting, __ATOMIC_RELAXED) &&
		    now - __atomic_load_n(&s->oldest, __ATOMIC_RELAXED) >= domain->flush_ns)
			return true;
	return false;
}

void dmamap_domain_flush_due(struct dma_domain *domain)
{
	if (!domain->host->time_ns || is_due(domain))
		dmamap_domain_flush_now(domain);
}

/** The host's timer: its domains are looked up afresh, so that one may be gone by now. */
static void deferred_poll(void *host)
{
	dmamap_poll(host);
}

static void enqueue(struct dma_domain *domain, uint64_t granule, uint64_t granules)
{
	struct dma_host *host = domain->host;

	if (domain->queued == domain->queue_size - 1)
		dmamap_domain_flush_now(domain);
	if (!domain->queued) {
		domain->oldest = dmamap_time(host);
		if (host->defer)
			host->defer(host, deferred_poll, host, domain->flush_ns);
	}
	domain->queue[domain->queued++] =
		(struct flush_entry){ .granule = granule, .granules = granules };
}

void dmamap_domain_invalidate(struct dma_domain *domain, dma_addr_t iova, uint64_t size)
{
	if (!domain->backend->caps.unmap_is_invalidation)
		invalidate(domain, iova, size, !domain->lazy);
}

void dmamap_domain_retire(struct dma_domain *domain, dma_addr_t iova, uint64_t size, bool strict)
{
	if (domain->lazy && !strict && domain->queue) {
		enqueue(domain, iova >> domain->shift, size >> domain->shift);
		return;
	}
	dmamap_domain_invalidate(domain, iova, size);
	dmamap_domain_unalloc(domain, iova, size);
}
