/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When unmaps of a domain are invalidated: at once or together later, and the change from one to the other while others
 * map and unmap (docs/semantics.md, "Invalidation").
 *
 * An unmap looks at the policy once, and small ones once more when they have queued what they cleared; what they do not
 * see of a change to strict, its flush does. A change to lazy is seen by unmaps that begin later, or not yet by them:
 * then they are strict. All that a lazy unmap of a small range needs is there before the policy changes, and stays as
 * long as anything lives; an unmap that finds no queue is strict.
 */
#include "domain.h"

#include "base/fail.h"
#include "iommu.h"

#define QUEUE_DEFAULT	 256u
#define FLUSH_NS_DEFAULT 10000000u

int dmamap_policy_init(struct dma_domain *domain, const struct dma_domain_config *config)
{
	uint32_t entries = config->flush_entries ? config->flush_entries : QUEUE_DEFAULT;

	if (!is_power_of_two(entries) || entries < 2)
		return -DMAMAP_EINVAL;
	domain->queue_size = entries;
	domain->flush_ns = config->flush_ns ? config->flush_ns : FLUSH_NS_DEFAULT;
	if (config->invalidation == DMA_INVALIDATION_STRICT || !dmamap_policy_may_be_lazy(domain))
		return 0;
	return dmamap_policy_make_lazy(domain) ? 0 : -DMAMAP_ENOMEM;
}

static uint64_t queue_bytes(const struct dma_domain *domain)
{
	return domain->queue_size * sizeof(*domain->queue);
}

bool dmamap_policy_need_queue(struct dma_domain *domain)
{
	if (!domain->queue)
		domain->queue =
			dmamap_heap_alloc(domain->host, queue_bytes(domain), DMAMAP_GFP_ATOMIC);
	return domain->queue;
}

void dmamap_policy_drop_queue(struct dma_domain *domain)
{
	dmamap_heap_free(domain->host, domain->queue, queue_bytes(domain));
	domain->queue = NULL;
}

bool dmamap_policy_may_be_lazy(const struct dma_domain *domain)
{
	return !domain->backend->caps.unmap_is_invalidation;
}

bool dmamap_policy_make_lazy(struct dma_domain *domain)
{
	if (dmamap_domain_holds(domain) &&
	    (!dmamap_policy_need_queue(domain) || !dmamap_windows_make_lazy(domain)))
		return false;
	__atomic_store_n(&domain->lazy, true, __ATOMIC_SEQ_CST);
	return true;
}

/**
 * Strict invalidations cover only their range: tables that a lazy domain left empty go now or never. Who unmaps small
 * ranges looks after it queued one: it sees that the domain is strict, or the flush sees what it queued.
 */
static void make_strict(struct dma_domain *domain)
{
	if (!domain->lazy)
		return;
	__atomic_store_n(&domain->lazy, false, __ATOMIC_SEQ_CST);
	dmamap_domain_flush_all(domain);
}

/* --- the owner's choice */

static int set_lazy(struct dma_domain *domain, enum dma_reason *reason)
{
	if (domain->lazy)
		return 0;
	*reason = DMA_REASON_BACKEND;
	if (!dmamap_policy_may_be_lazy(domain))
		return -DMAMAP_EOPNOTSUPP;
	*reason = DMA_REASON_UNTRUSTED;
	if (domain->untrusted)
		return -DMAMAP_EPERM;
	*reason = DMA_REASON_NO_MEMORY;
	return dmamap_policy_make_lazy(domain) ? 0 : -DMAMAP_ENOMEM;
}

int dmamap_domain_set_invalidation(struct dma_domain *domain, enum dma_invalidation invalidation)
{
	enum dma_reason reason = DMA_REASON_BAD_ARGUMENT;
	int err = -DMAMAP_EINVAL;

	domain_lock(domain);
	if (invalidation == DMA_INVALIDATION_STRICT) {
		make_strict(domain);
		err = 0;
	} else if (invalidation == DMA_INVALIDATION_LAZY) {
		err = set_lazy(domain, &reason);
	}
	domain_unlock(domain);
	if (err)
		dmamap_record_of_host(domain->host, &(struct dma_error){ .reason = reason,
									 .route = DMA_ROUTE_IOMMU,
									 .err = err });
	return err;
}

/* --- untrusted devices */

void dmamap_iommu_add_untrusted(struct dma_domain *domain)
{
	domain_lock(domain);
	domain->untrusted++;
	make_strict(domain);
	domain_unlock(domain);
}

void dmamap_iommu_drop_untrusted(struct dma_domain *domain)
{
	domain_lock(domain);
	domain->untrusted--;
	domain_unlock(domain);
}
