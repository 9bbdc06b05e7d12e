/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doorbells: where a device writes to interrupt (docs/semantics.md, "Doorbells").
 *
 * A write to a doorbell goes through the IOMMU like any other, unless hardware takes it out before. So its granule is
 * mapped, once in a domain, and for good: interrupts have no moment at which all of them are over. The page is reserved
 * then, as direct regions are: it counts as nobody's mapping, and the domain may end with it.
 */
#include "iommu.h"
#include "regions.h"

/** What a device may do there: an interrupt is a write. */
#define MSI_PROT (DMA_PROT_WRITE | DMA_PROT_NOEXEC | DMA_PROT_MMIO)

/** Does hardware know these addresses for interrupts, before it translates? */
static bool passes(struct dma_domain *domain, struct dma_device *dev, phys_addr_t doorbell)
{
	const struct dma_backend_caps *caps = &domain->backend->caps;
	struct region_cursor cursor = { 0 };
	struct dma_reserved_region region;

	if (caps->hole_end && doorbell >= caps->hole_start && doorbell <= caps->hole_end)
		return true;
	while (dmamap_regions_next(domain, dev, &cursor, &region))
		if (region.msi && doorbell >= region.first && doorbell <= region.last)
			return true;
	return false;
}

/** The page is mapped already, where @dev can write. */
static struct domain_msi *find_page(const struct dma_domain *domain, phys_addr_t phys,
				    uint64_t limit)
{
	struct domain_msi *m = domain->regions.msi;

	while (m && (m->phys != phys || m->iova + (granule_size(domain) - 1) > limit))
		m = m->next;
	return m;
}

static int enter_page(struct dma_domain *domain, const struct domain_msi *m,
		      enum dma_reason *reason)
{
	const struct dma_vec vec = { m->phys, granule_size(domain) };
	int err = dmamap_domain_enter(domain, m->iova, &vec, 1, MSI_PROT);

	*reason = dmamap_backend_reason(err);
	if (err) {
		dmamap_domain_unalloc(domain, m->iova, vec.len);
		return err;
	}
	err = dmamap_domain_sync_map(domain, m->iova, vec.len);
	*reason = dmamap_backend_reason(err);
	if (err) {
		dmamap_domain_clear(domain, m->iova, vec.len);
		dmamap_domain_retire(domain, m->iova, vec.len, true);
	}
	return err;
}

static int add_page(struct dma_domain *domain, struct dma_device *dev, phys_addr_t phys,
		    uint64_t limit, struct domain_msi **out, enum dma_reason *reason)
{
	struct domain_msi *m = dmamap_heap_alloc(domain->host, sizeof(*m), DMAMAP_GFP_ATOMIC);
	int err = -DMAMAP_ENOMEM;

	*reason = DMA_REASON_NO_MEMORY;
	if (!m)
		return err;
	m->phys = phys;
	if (dmamap_domain_alloc(domain, dev, granule_size(domain), limit, &m->iova, reason))
		err = enter_page(domain, m, reason);
	if (err) {
		dmamap_heap_free(domain->host, m, sizeof(*m));
		return err;
	}
	domain->reserved++;
	domain->regions.direct = true;
	m->next = domain->regions.msi;
	domain->regions.msi = m;
	*out = m;
	return 0;
}

int dmamap_iommu_map_msi(struct dma_device *dev, phys_addr_t doorbell, dma_addr_t *addr,
			 struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct dma_domain *domain = d->domain;
	uint64_t mask = granule_size(domain) - 1;
	uint64_t limit = domain_limit(domain, d, dmamap_get_mask(dev));
	enum dma_reason reason;
	struct domain_msi *m;
	int err = 0;

	*addr = doorbell;
	domain_lock(domain);
	if (!passes(domain, dev, doorbell)) {
		m = find_page(domain, doorbell & ~mask, limit);
		if (!m)
			err = add_page(domain, dev, doorbell & ~mask, limit, &m, &reason);
		if (!err)
			*addr = m->iova + (doorbell & mask);
	}
	domain_unlock(domain);
	return err ? fail_range(why, dev, reason, err, doorbell, 0) : 0;
}
