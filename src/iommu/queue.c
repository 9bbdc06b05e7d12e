/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking entries out of a domain, now or later.
 *
 * The order is always: clear entry, invalidate, wait, reuse address and free table. Strict domains do it in one go.
 * Lazy ones queue the last step: a flush invalidates everything at once when the queue is full, when its time has come,
 * or when addresses run out. Everything queued was cleared before the flush began, because both hold the lock.
 */
#include "domain.h"

static void invalidate(struct dma_domain *domain, dma_addr_t iova, uint64_t size, bool leaf_only)
{
	const struct dma_backend_ops *ops = domain->backend->ops;

	if (ops->invalidate)
		ops->invalidate(domain->backend, iova, size, leaf_only);
	if (ops->wait)
		ops->wait(domain->backend);
	domain->stats.invalidations++;
}

static void give_back(struct dma_domain *domain, uint64_t granule, uint64_t granules,
		      struct dma_freed *freed)
{
	const struct dma_backend_ops *ops = domain->backend->ops;

	if (freed->tables && ops->release)
		ops->release(domain->backend, freed);
	dmamap_iova_free(domain->iova, granule, granules);
}

void dmamap_domain_unalloc(struct dma_domain *domain, dma_addr_t iova, uint64_t size)
{
	dmamap_iova_free(domain->iova, iova >> domain->shift, size >> domain->shift);
}

uint64_t dmamap_domain_clear(struct dma_domain *domain, dma_addr_t iova, uint64_t size,
			     struct dma_freed *freed)
{
	return domain->backend->ops->unmap(domain->backend, iova, size, freed);
}

void dmamap_domain_flush_now(struct dma_domain *domain)
{
	if (!domain->queued)
		return;
	invalidate(domain, 0, ~(uint64_t)0, false);
	domain->stats.flushes++;
	for (uint32_t i = 0; i < domain->queued; i++) {
		struct flush_entry *e = &domain->queue[i];

		give_back(domain, e->granule, e->granules, &e->freed);
	}
	domain->queued = 0;
}

void dmamap_domain_flush_due(struct dma_domain *domain)
{
	if (domain->queued && dmamap_time(domain->host) >= domain->flush_due)
		dmamap_domain_flush_now(domain);
}

static void deferred_flush(void *arg)
{
	struct dma_domain *domain = arg;

	domain_lock(domain);
	dmamap_domain_flush_due(domain);
	domain_unlock(domain);
}

static void enqueue(struct dma_domain *domain, uint64_t granule, uint64_t granules,
		    struct dma_freed *freed)
{
	struct dma_host *host = domain->host;

	if (domain->queued == domain->queue_size - 1)
		dmamap_domain_flush_now(domain);
	if (!domain->queued) {
		domain->flush_due = dmamap_time(host) + domain->flush_ns;
		if (host->defer)
			host->defer(host, deferred_flush, domain, domain->flush_ns);
	}
	domain->queue[domain->queued++] = (struct flush_entry){ granule, granules, *freed };
}

void dmamap_domain_retire(struct dma_domain *domain, dma_addr_t iova, uint64_t size,
			  struct dma_freed *freed, bool strict)
{
	uint64_t granule = iova >> domain->shift;
	uint64_t granules = size >> domain->shift;

	if (domain->lazy && !strict) {
		enqueue(domain, granule, granules, freed);
		return;
	}
	if (!domain->backend->caps.unmap_is_invalidation)
		invalidate(domain, iova, size, !freed->tables);
	give_back(domain, granule, granules, freed);
}
