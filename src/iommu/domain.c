/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains: their life, their address space, and the devices in them.
 */
#include "small.h"

#include "bounce/pool.h"
#include "iommu.h"
#include "regions.h"

/* --- life */

/** The first granule that lies wholly in the aperture and may be handed out. */
static uint64_t first_granule(const struct dma_backend_caps *caps, bool use_page_0)
{
	unsigned int shift = low_bit(caps->page_sizes);
	uint64_t first = caps->aperture_start >> shift;

	if (caps->aperture_start != first << shift)
		first++;
	return first || use_page_0 ? first : 1;
}

static int check_backend(struct dma_host *host, const struct dma_backend *backend, bool use_page_0)
{
	uint64_t sizes = backend->caps.page_sizes;
	unsigned int shift;

	if (!sizes || !backend->ops || backend->ops->size != sizeof(*backend->ops) ||
	    !backend->ops->map || !backend->ops->unmap || !backend->ops->iova_to_phys)
		return -DMAMAP_EINVAL;
	shift = low_bit(sizes);
	if (((uint64_t)1 << shift) > host->page_size) {
		dmamap_log(
			host, DMA_LOG_ERROR, NULL,
			"no domain: the smallest page of its table is larger than the host's pages",
			NULL);
		return -DMAMAP_EINVAL;
	}
	return backend->caps.aperture_end >> shift >= first_granule(&backend->caps, use_page_0)
		       ? 0
		       : -DMAMAP_EINVAL;
}

static void free_domain(struct dma_domain *domain)
{
	struct dma_host *host = domain->host;

	dmamap_windows_fini(domain);
	dmamap_regions_fini(domain);
	if (domain->iova)
		dmamap_space_destroy(domain->iova);
	dmamap_policy_drop_queue(domain);
	dmamap_lock_fini(host, &domain->lock);
	dmamap_heap_free(host, domain, sizeof(*domain));
}

/** Does dma_poll() have something to do for it? */
static bool is_polled(const struct dma_domain *domain)
{
	return dmamap_policy_may_be_lazy(domain) || domain->windows.shards;
}

/** Such domains are in a list of their host. */
static void list_domain(struct dma_domain *domain)
{
	struct dmamap_host *h = dmamap_host(domain->host);

	dmamap_lock(domain->host, &h->lock);
	domain->next_polled = h->domains;
	h->domains = domain;
	dmamap_unlock(domain->host, &h->lock);
}

static void unlist_domain(struct dma_domain *domain)
{
	struct dmamap_host *h = dmamap_host(domain->host);
	struct dma_domain **link;

	dmamap_lock(domain->host, &h->lock);
	for (link = &h->domains; *link; link = &(*link)->next_polled) {
		if (*link != domain)
			continue;
		*link = domain->next_polled;
		break;
	}
	dmamap_unlock(domain->host, &h->lock);
}

/** The backend's own hole, as far as it lies in the aperture. */
static bool reserve_hole(struct dma_domain *domain)
{
	const struct dma_backend_caps *caps = &domain->backend->caps;
	uint64_t first = domain->first;
	uint64_t last = min_u64(caps->hole_end, caps->aperture_end) >> domain->shift;

	if (caps->hole_start >> domain->shift > first)
		first = caps->hole_start >> domain->shift;
	if (!caps->hole_end || first > last)
		return true;
	return dmamap_space_reserve(domain->iova, first, last - first + 1) == IOVA_OK;
}

static struct dma_domain *new_domain(struct dma_host *host, struct dma_backend *backend,
				     bool use_page_0)
{
	const struct dma_backend_caps *caps = &backend->caps;
	struct dma_domain *domain = dmamap_heap_alloc(host, sizeof(*domain), DMAMAP_GFP_KERNEL);

	if (!domain)
		return NULL;
	domain->host = host;
	domain->backend = backend;
	domain->shift = low_bit(caps->page_sizes);
	domain->first = first_granule(caps, use_page_0);
	dmamap_lock_init(host, &domain->lock);
	domain->head = (struct dmamap_domain_head){ .granule = granule_size(domain),
						    .view = &dmamap_domain_view };
	domain->iova = dmamap_space_create(host, domain->shift, domain->first,
					   caps->aperture_end >> domain->shift);
	if (!domain->iova || !reserve_hole(domain) || !dmamap_windows_init(domain)) {
		free_domain(domain);
		return NULL;
	}
	domain->reserved = dmamap_space_used(domain->iova);
	return domain;
}

int dmamap_domain_create(struct dma_host *host, struct dma_backend *backend,
			 const struct dma_domain_config *config, struct dma_domain **out)
{
	struct dma_domain *domain;
	int err;

	if (!host || !backend || !config || config->size != sizeof(*config) || !out)
		return -DMAMAP_EINVAL;
	err = check_backend(host, backend, config->use_page_0);
	if (err)
		return err;
	domain = new_domain(host, backend, config->use_page_0);
	if (!domain)
		return -DMAMAP_ENOMEM;
	err = dmamap_policy_init(domain, config);
	if (err) {
		free_domain(domain);
		return err;
	}
	if (is_polled(domain))
		list_domain(domain);
	__atomic_fetch_add(&dmamap_host(host)->objects, 1, __ATOMIC_RELAXED);
	*out = domain;
	return 0;
}

/** Granules outside of windows that are in a mapping, or wait. */
static uint64_t used_in_space(const struct dma_domain *domain)
{
	return dmamap_space_used(domain->iova) - domain->kept.granules - domain->reserved -
	       domain->windows.grouped * WINDOW_GRANULES;
}

static void raise_peak(uint64_t *peak, uint64_t value)
{
	if (value > *peak)
		*peak = value;
}

static void note_addresses(struct dma_domain *domain)
{
	raise_peak(&domain->stats.iova_peak_bytes, used_in_space(domain) << domain->shift);
}

/** All of them; @peak: those in windows, at the most. */
static uint64_t used(struct dma_domain *domain, uint64_t *peak)
{
	return used_in_space(domain) + dmamap_windows_used(domain, peak);
}

bool dmamap_domain_holds(const struct dma_domain *domain)
{
	return domain->windows.live || used_in_space(domain);
}

int dmamap_domain_destroy(struct dma_domain *domain)
{
	struct dma_host *host = domain->host;

	dmamap_domain_flush(domain);
	if (domain->devices || !dmamap_domain_idle(domain))
		return -DMAMAP_EBUSY;
	if (is_polled(domain))
		unlist_domain(domain);
	if (domain->backend->ops->destroy)
		domain->backend->ops->destroy(domain->backend);
	free_domain(domain);
	__atomic_fetch_sub(&dmamap_host(host)->objects, 1, __ATOMIC_RELAXED);
	return 0;
}

/* --- address space */

int dmamap_domain_keep_out(struct dma_domain *domain, uint64_t granule, uint64_t granules)
{
	enum dmamap_iova_result result;
	uint64_t before;

	dmamap_kept_drain(&domain->kept, domain->iova);
	before = used_in_space(domain);
	result = dmamap_space_reserve(domain->iova, granule, granules);
	if (result == IOVA_FULL) {
		dmamap_domain_reclaim(domain);
		dmamap_kept_drain(&domain->kept, domain->iova);
		before = used_in_space(domain);
		result = dmamap_windows_reserve(domain, granule, granules);
	}
	/* groups of windows may have shrunk meanwhile, so that the space alone does not tell */
	domain->reserved += used_in_space(domain) - before;
	if (result == IOVA_OK)
		return 0;
	return result == IOVA_FULL ? -DMAMAP_EBUSY : -DMAMAP_ENOMEM;
}

bool dmamap_domain_idle(struct dma_domain *domain)
{
	uint64_t peak;

	return !used(domain, &peak);
}

enum dmamap_iova_result dmamap_domain_try_alloc(struct dma_domain *domain, uint64_t size,
						uint64_t limit, dma_addr_t *iova)
{
	enum dmamap_iova_result result;
	uint64_t last = (limit >> domain->shift);
	uint64_t granule;

	if ((limit & (granule_size(domain) - 1)) != granule_size(domain) - 1) {
		if (!last)
			return IOVA_FULL;
		last--; /* the granule that holds the limit is not wholly below it */
	}
	if (kept_take(&domain->kept, size >> domain->shift, last, &granule))
		result = IOVA_OK;
	else
		result = dmamap_space_alloc(domain->iova, size >> domain->shift, last, &granule);
	if (result != IOVA_OK && dmamap_kept_drain(&domain->kept, domain->iova))
		result = dmamap_space_alloc(domain->iova, size >> domain->shift, last, &granule);
	*iova = result == IOVA_OK ? granule << domain->shift : DMA_MAPPING_ERROR;
	return result;
}

/** PCI devices look below 4 GiB first, until that fails once. */
static enum dmamap_iova_result alloc_pci(struct dma_domain *domain, struct dma_device *dev,
					 uint64_t size, uint64_t limit, dma_addr_t *iova)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	enum dmamap_iova_result result;

	if (!d->pci_32bit_first || limit <= DMA_BIT_MASK(32))
		return dmamap_domain_try_alloc(domain, size, limit, iova);
	result = dmamap_domain_try_alloc(domain, size, DMA_BIT_MASK(32), iova);
	if (result != IOVA_FULL)
		return result;
	__atomic_store_n(&d->pci_32bit_first, false, __ATOMIC_RELAXED);
	small_set_here(d, WINDOW_NOWHERE);
	__atomic_store_n(&d->quick_large, 0, __ATOMIC_RELAXED);
	if (dev_once(d, ONCE_DAC))
		dmamap_log(domain->host, DMA_LOG_INFO, dev, "I/O addresses above 4 GiB from now on",
			   NULL);
	return dmamap_domain_try_alloc(domain, size, limit, iova);
}

bool dmamap_domain_alloc(struct dma_domain *domain, struct dma_device *dev, uint64_t size,
			 uint64_t limit, dma_addr_t *iova, enum dma_reason *reason)
{
	enum dmamap_iova_result result;

	limit = domain_limit(domain, dmamap_dev(dev), limit);
	if (domain->lazy)
		dmamap_policy_need_queue(domain); /* without it the unmap will be strict */
	if (domain->host->time_ns)
		dmamap_domain_flush_due(domain);
	result = alloc_pci(domain, dev, size, limit, iova);
	if (result == IOVA_FULL && (domain->queue || domain->windows.grouped)) {
		dmamap_domain_reclaim(domain);
		result = dmamap_domain_try_alloc(domain, size, limit, iova);
	}
	*reason = result == IOVA_NO_MEMORY ? DMA_REASON_NO_MEMORY : DMA_REASON_NO_IOVA;
	if (result == IOVA_OK) /* it may be long before it is mapped */
		note_addresses(domain);
	return result == IOVA_OK;
}

int dmamap_domain_enter(struct dma_domain *domain, dma_addr_t iova, const struct dma_vec *vec,
			size_t n, unsigned int prot)
{
	return domain->backend->ops->map(domain->backend, iova, vec, n, prot);
}

void dmamap_domain_note_peaks(struct dma_domain *domain)
{
	const struct dma_backend_ops *ops = domain->backend->ops;

	note_addresses(domain);
	if (ops->table_bytes)
		raise_peak(&domain->stats.table_peak_bytes, ops->table_bytes(domain->backend));
}

int dmamap_domain_sync_map(struct dma_domain *domain, dma_addr_t iova, uint64_t size)
{
	const struct dma_backend_ops *ops = domain->backend->ops;

	dmamap_domain_note_peaks(domain);
	return ops->sync_map ? ops->sync_map(domain->backend, iova, size) : 0;
}

enum dma_reason dmamap_backend_reason(int err)
{
	switch (err) {
	case -DMAMAP_ENOMEM:
		return DMA_REASON_NO_MEMORY;
	case -DMAMAP_EADDRINUSE:
		return DMA_REASON_ALREADY_MAPPED;
	case -DMAMAP_ENOSPC:
		return DMA_REASON_NO_ENTRIES;
	case -DMAMAP_ERANGE:
		return DMA_REASON_OUTPUT_WIDTH;
	default:
		return DMA_REASON_BACKEND;
	}
}

/* --- flushing and figures */

/** If nothing lives, what was only kept for the next map goes too. */
static void give_back(struct dma_domain *domain)
{
	struct dma_backend *backend = domain->backend;

	dmamap_domain_reclaim(domain);
	dmamap_kept_drain(&domain->kept, domain->iova);
	if (dmamap_domain_holds(domain))
		return;
	dmamap_space_trim(domain->iova);
	dmamap_policy_drop_queue(domain);
	if (backend->ops->trim)
		backend->ops->trim(backend);
}

void dmamap_domain_flush(struct dma_domain *domain)
{
	domain_lock(domain);
	give_back(domain);
	domain_unlock(domain);
}

static uint64_t invalidations(const struct dma_domain *domain)
{
	return domain->stats.invalidations + dmamap_windows_invalidations(domain);
}

/** What is due, and windows that ran empty; of a domain that nobody unmapped in since the last time: everything. */
static void poll(struct dma_domain *domain)
{
	bool quiet;

	domain_lock(domain);
	quiet = invalidations(domain) == domain->polled && !dmamap_domain_waits(domain);
	dmamap_domain_flush_due(domain);
	if (quiet)
		give_back(domain);
	else
		dmamap_domain_trim(domain);
	domain->polled = invalidations(domain);
	domain_unlock(domain);
}

void dmamap_poll(struct dma_host *host)
{
	struct dmamap_host *h = dmamap_host(host);

	dmamap_lock(host, &h->lock);
	for (struct dma_domain *domain = h->domains; domain; domain = domain->next_polled)
		poll(domain);
	dmamap_unlock(host, &h->lock);
	if (h->poll_atomic)
		h->poll_atomic(host);
	dmamap_bounce_poll(host);
}

void dmamap_domain_get_stats(struct dma_domain *domain, struct dma_domain_stats *stats)
{
	const struct dma_backend_ops *ops = domain->backend->ops;
	uint64_t peak;

	domain_lock(domain);
	*stats = domain->stats;
	stats->iova_bytes = used(domain, &peak) << domain->shift;
	stats->iova_peak_bytes += peak << domain->shift;
	stats->table_bytes = ops->table_bytes ? ops->table_bytes(domain->backend) : 0;
	stats->invalidations = invalidations(domain);
	stats->queued = domain->queued + dmamap_windows_waiting(domain);
	stats->invalidation = domain->lazy ? DMA_INVALIDATION_LAZY : DMA_INVALIDATION_STRICT;
	domain_unlock(domain);
}

int dmamap_domain_iova_to_phys(struct dma_domain *domain, dma_addr_t iova, phys_addr_t *phys)
{
	int err;

	domain_lock(domain);
	err = domain->backend->ops->iova_to_phys(domain->backend, iova, phys);
	domain_unlock(domain);
	return err;
}
