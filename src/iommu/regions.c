/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses that a domain never hands out: reserved by its owner, or for a device that joins, and kept for the life of
 * the domain. A region may overlap earlier ones, the backend's own hole and what lies outside of the aperture; only what
 * is left of it has to be free.
 *
 * Direct regions are mapped as they stand, so that a device which works there by itself goes on when it is attached.
 */
#include "regions.h"

#include <dmamap/pagetable.h>

static bool holds(uint64_t first, uint64_t last, uint64_t granule)
{
	return granule >= first && granule <= last;
}

/** The last granule of the backend's hole or of a region that holds @granule; or @granule - 1: none does. */
static uint64_t out_until(const struct dma_domain *domain, uint64_t granule)
{
	const struct dma_backend_caps *caps = &domain->backend->caps;

	if (caps->hole_end &&
	    holds(caps->hole_start >> domain->shift, caps->hole_end >> domain->shift, granule))
		return caps->hole_end >> domain->shift;
	for (const struct domain_region *r = domain->regions.first; r; r = r->next)
		if (holds(r->granule, r->granule + (r->granules - 1), granule))
			return r->granule + (r->granules - 1);
	return granule - 1;
}

bool dmamap_regions_meet(const struct dma_domain *domain, dma_addr_t iova, uint64_t size)
{
	uint64_t first = iova >> domain->shift;
	uint64_t last = (iova + (size - 1)) >> domain->shift;

	for (const struct domain_region *r = domain->regions.first; r; r = r->next)
		if (r->granule <= last && r->granule + (r->granules - 1) >= first)
			return true;
	for (const struct domain_msi *m = domain->regions.msi; m; m = m->next)
		if (holds(first, last, m->iova >> domain->shift))
			return true;
	return false;
}

bool dmamap_regions_lead(const struct dma_domain *domain, dma_addr_t iova, phys_addr_t phys)
{
	uint64_t granule = iova >> domain->shift;

	for (const struct domain_msi *m = domain->regions.msi; m; m = m->next)
		if (m->iova >> domain->shift == granule)
			return m->phys + (iova - m->iova) == phys;
	return phys == iova && out_until(domain, granule) != granule - 1;
}

/** The first granule from @granule to @last that is out of the space, or @last + 1. */
static uint64_t in_until(const struct dma_domain *domain, uint64_t granule, uint64_t last)
{
	const struct dma_backend_caps *caps = &domain->backend->caps;
	uint64_t end = last + 1;
	uint64_t hole = caps->hole_start >> domain->shift;

	if (caps->hole_end && hole >= granule && hole < end)
		end = hole;
	for (const struct domain_region *r = domain->regions.first; r; r = r->next)
		if (r->granule >= granule && r->granule < end)
			end = r->granule;
	return end;
}

/** Take a piece that is in the space. 0; -EBUSY; -ENOMEM. */
static int take(struct dma_domain *domain, uint64_t granule, uint64_t granules)
{
	struct domain_region *r = dmamap_heap_alloc(domain->host, sizeof(*r), DMAMAP_GFP_ATOMIC);
	int err;

	if (!r)
		return -DMAMAP_ENOMEM;
	err = dmamap_domain_keep_out(domain, granule, granules);
	if (err) {
		dmamap_heap_free(domain->host, r, sizeof(*r));
		return err;
	}
	*r = (struct domain_region){ domain->regions.first, granule, granules };
	domain->regions.first = r;
	return 0;
}

int dmamap_regions_reserve(struct dma_domain *domain, dma_addr_t first, dma_addr_t last)
{
	const struct dma_backend_caps *caps = &domain->backend->caps;
	uint64_t at = first >> domain->shift;
	uint64_t end = min_u64(last, caps->aperture_end) >> domain->shift;
	int err = 0;

	if (at < domain->first)
		at = domain->first;
	while (!err && at <= end) {
		uint64_t next = out_until(domain, at) + 1;

		if (next == at) {
			next = in_until(domain, at, end);
			err = take(domain, at, next - at);
		}
		at = next;
	}
	return err;
}

/* --- whose they are */

struct dma_iommu_unit *dmamap_regions_unit(const struct dma_domain *domain,
					   const struct dma_device *dev)
{
	struct dma_backend *backend = domain->backend;

	return backend->ops->unit_of ? backend->ops->unit_of(backend, dev) : dmamap_dev(dev)->unit;
}

bool dmamap_regions_next(struct dma_domain *domain, struct dma_device *dev,
			 struct region_cursor *cursor, struct dma_reserved_region *region)
{
	struct dma_backend *backend = domain->backend;
	struct dma_iommu_unit *unit = dmamap_regions_unit(domain, dev);

	*region = (struct dma_reserved_region){ .first = 0 };
	if (!cursor->of_unit && backend->ops->reserved &&
	    backend->ops->reserved(backend, dev, cursor->index, region)) {
		cursor->index++;
		return true;
	}
	if (!cursor->of_unit)
		cursor->index = 0;
	cursor->of_unit = true;
	return unit && unit->ops->reserved &&
	       unit->ops->reserved(unit, dev, cursor->index++, region);
}

/* --- direct regions */

/** How @iova stands: free, mapped as it is, or to something else. */
enum standing { STANDS_FREE, STANDS_DIRECT, STANDS_ELSEWHERE };

static enum standing standing(struct dma_domain *domain, dma_addr_t iova)
{
	phys_addr_t phys;

	if (domain->backend->ops->iova_to_phys(domain->backend, iova, &phys))
		return STANDS_FREE;
	return phys == iova ? STANDS_DIRECT : STANDS_ELSEWHERE;
}

/** The next granules from *@at to @last that are free; false: there are none. */
static bool next_free(struct dma_domain *domain, dma_addr_t *at, dma_addr_t last,
		      struct dma_vec *vec)
{
	uint64_t size = granule_size(domain);

	while (*at <= last && standing(domain, *at) == STANDS_DIRECT)
		*at += size;
	vec->phys = *at;
	while (*at <= last && standing(domain, *at) == STANDS_FREE)
		*at += size;
	vec->len = *at - vec->phys;
	return vec->len != 0;
}

int dmamap_regions_map(struct dma_domain *domain, dma_addr_t first, dma_addr_t last,
		       unsigned int prot)
{
	dma_addr_t at = round_down(first, granule_size(domain));
	struct dma_vec vec;
	int err;

	while (next_free(domain, &at, last, &vec)) {
		err = dmamap_domain_enter(domain, vec.phys, &vec, 1, prot);
		if (!err)
			err = dmamap_domain_sync_map(domain, vec.phys, vec.len);
		if (err)
			return err;
		domain->regions.direct = true;
	}
	return at > last ? 0 : -DMAMAP_EBUSY;
}

/* --- the whole */

void dmamap_regions_fini(struct dma_domain *domain)
{
	struct domain_region *r = domain->regions.first;

	while (r) {
		struct domain_region *next = r->next;

		dmamap_heap_free(domain->host, r, sizeof(*r));
		r = next;
	}
	while (domain->regions.msi) {
		struct domain_msi *m = domain->regions.msi;

		domain->regions.msi = m->next;
		dmamap_heap_free(domain->host, m, sizeof(*m));
	}
}

int dmamap_domain_reserve(struct dma_domain *domain, dma_addr_t start, uint64_t len)
{
	int err;

	if (!len || range_wraps(start, len))
		return -DMAMAP_EINVAL;
	domain_lock(domain);
	err = dmamap_regions_reserve(domain, start, start + (len - 1));
	domain_unlock(domain);
	return err;
}
