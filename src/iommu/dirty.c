/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What devices have written through a domain (docs/semantics.md, "Dirty tracking").
 *
 * Hardware marks a leaf when it writes through it and has not remembered that it did. So what is forgotten here is
 * invalidated too before the call returns: a write that comes later is marked again.
 */
#include "domain.h"

#include "base/fail.h"

/** One question: the caller's, and the bounds of the leaves that were told. */
struct dirty {
	dma_dirty_fn fn;
	void *arg;
	dma_addr_t first;
	dma_addr_t last;
	bool any;
};

static void note(void *arg, dma_addr_t iova, uint64_t len)
{
	struct dirty *d = arg;

	if (!d->any)
		d->first = iova;
	d->any = true;
	d->last = iova + (len - 1);
	if (d->fn)
		d->fn(d->arg, iova, len);
}

/** Leaves come in the order of their addresses; the first and the last may reach beyond what was asked. */
static void forget_cached(struct dma_domain *domain, const struct dirty *d)
{
	const struct dma_backend_ops *ops = domain->backend->ops;

	if (ops->invalidate)
		ops->invalidate(domain->backend, d->first, d->last - d->first + 1, true);
	if (ops->wait)
		ops->wait(domain->backend);
	domain->stats.invalidations++;
}

static int check(const struct dma_domain *domain, dma_addr_t iova, uint64_t len,
		 enum dma_reason *reason)
{
	const struct dma_backend *backend = domain->backend;

	if (!len || range_wraps(iova, len)) {
		*reason = len ? DMA_REASON_ADDRESS_WRAP : DMA_REASON_ZERO_SIZE;
		return -DMAMAP_EINVAL;
	}
	*reason = DMA_REASON_BACKEND;
	if (!backend->ops->read_dirty || !backend->caps.track_dirty)
		return -DMAMAP_EOPNOTSUPP;
	*reason = DMA_REASON_BAD_ARGUMENT;
	return iova + (len - 1) > backend->caps.aperture_end ? -DMAMAP_ERANGE : 0;
}

int dmamap_domain_read_dirty(struct dma_domain *domain, dma_addr_t iova, uint64_t len, bool clear,
			     dma_dirty_fn dirty, void *arg)
{
	struct dirty d = { .fn = dirty, .arg = arg };
	enum dma_reason reason;
	int err = check(domain, iova, len, &reason);

	if (!err) {
		domain_lock(domain);
		reason = DMA_REASON_BACKEND;
		err = domain->backend->ops->read_dirty(domain->backend, iova, len, clear, note, &d);
		if (clear && d.any)
			forget_cached(domain, &d);
		domain_unlock(domain);
	}
	if (err)
		dmamap_record_of_host(domain->host, &(struct dma_error){ .reason = reason,
									 .route = DMA_ROUTE_IOMMU,
									 .err = err,
									 .addr = iova,
									 .size = len });
	return err;
}
