/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking entries out of a domain, now or later.
 *
 * The order is always: clear entry, invalidate, wait, reuse address and free table. Strict domains do it in one go.
 * Lazy ones queue the last step: a flush invalidates everything at once when the queue is full, when its time has come,
 * or when addresses run out. Everything queued was cleared before the flush began, because both hold the lock.
 */
#include "domain.h"

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
	if (freed.tables && ops->release)
		ops->release(domain->backend, &freed);
}

void dmamap_domain_unalloc(struct dma_domain *domain, dma_addr_t iova, uint64_t size)
{
	dmamap_space_free(domain->iova, iova >> domain->shift, size >> domain->shift);
}

uint64_t dmamap_domain_clear(struct dma_domain *domain, dma_addr_t iova, uint64_t size)
{
	return domain->backend->ops->unmap(domain->backend, iova, size);
}

void dmamap_domain_flush_all(struct dma_domain *domain)
{
	invalidate(domain, 0, ~(uint64_t)0, true);
	domain->stats.flushes++;
	for (uint32_t i = 0; i < domain->queued; i++)
		dmamap_space_free(domain->iova, domain->queue[i].granule,
				  domain->queue[i].granules);
	domain->queued = 0;
}

void dmamap_domain_flush_now(struct dma_domain *domain)
{
	if (domain->queued)
		dmamap_domain_flush_all(domain);
}

void dmamap_domain_flush_due(struct dma_domain *domain)
{
	if (!domain->host->time_ns ||
	    dmamap_time(domain->host) - domain->oldest >= domain->flush_ns)
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
	domain->queue[domain->queued++] = (struct flush_entry){ granule, granules };
}

void dmamap_domain_invalidate(struct dma_domain *domain, dma_addr_t iova, uint64_t size)
{
	if (!domain->backend->caps.unmap_is_invalidation)
		invalidate(domain, iova, size, !domain->lazy);
}

void dmamap_domain_retire(struct dma_domain *domain, dma_addr_t iova, uint64_t size, bool strict)
{
	if (domain->lazy && !strict) {
		enqueue(domain, iova >> domain->shift, size >> domain->shift);
		return;
	}
	dmamap_domain_invalidate(domain, iova, size);
	dmamap_domain_unalloc(domain, iova, size);
}
