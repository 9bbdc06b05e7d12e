/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One range behind an IOMMU: map, unmap, sync (docs/semantics.md, "IOMMU route").
 */
#include "bounce/pool.h"
#include "small.h"
#include "iommu.h"

unsigned int dmamap_iommu_prot(bool coherent, enum dma_data_direction dir, unsigned long attrs)
{
	unsigned int prot = attrs & DMA_ATTR_MMIO ? DMA_PROT_MMIO : coherent ? DMA_PROT_CACHE : 0;

	if (attrs & DMA_ATTR_PRIVILEGED)
		prot |= DMA_PROT_PRIV;
	switch (dir) {
	case DMA_BIDIRECTIONAL:
		return prot | DMA_PROT_READ | DMA_PROT_WRITE;
	case DMA_TO_DEVICE:
		return prot | DMA_PROT_READ;
	case DMA_FROM_DEVICE:
		return prot | DMA_PROT_WRITE;
	default:
		return 0;
	}
}

/* --- core: one contiguous range of whole granules */

DMAMAP_COLD void dmamap_domain_tell_map(const struct dma_domain *domain, dma_addr_t iova,
					phys_addr_t phys, uint64_t size)
{
	dmamap_report(domain->host, &(struct dma_event){ .type = DMA_EVENT_IOMMU_MAP,
							 .route = DMA_ROUTE_IOMMU,
							 .dma_addr = iova,
							 .phys = phys,
							 .size = size });
}

DMAMAP_COLD void dmamap_domain_tell_unmap(const struct dma_domain *domain, dma_addr_t iova,
					  uint64_t size, uint64_t unmapped)
{
	dmamap_report(domain->host, &(struct dma_event){ .type = DMA_EVENT_IOMMU_UNMAP,
							 .route = DMA_ROUTE_IOMMU,
							 .dma_addr = iova,
							 .size = size,
							 .unmapped = unmapped });
}

/** Address, then entry, then sync_map; whatever fails is undone. 0, or -errno and *@reason. */
static int enter_range(struct dma_domain *domain, struct dma_device *dev, const struct dma_vec *vec,
		       uint64_t limit, unsigned int prot, dma_addr_t *iova, enum dma_reason *reason)
{
	int err;

	if (!dmamap_domain_alloc(domain, dev, vec->len, limit, iova, reason))
		return -DMAMAP_ENOMEM;
	err = dmamap_domain_enter(domain, *iova, vec, 1, prot);
	if (err) {
		dmamap_domain_unalloc(domain, *iova, vec->len);
		*reason = dmamap_backend_reason(err);
		return err;
	}
	err = dmamap_domain_sync_map(domain, *iova, vec->len);
	if (err) {
		dmamap_domain_clear(domain, *iova, vec->len);
		dmamap_domain_retire(domain, *iova, vec->len, true);
		*reason = dmamap_backend_reason(err);
	}
	return err;
}

/** A range from windows: all ones if they do not serve it, and then nothing happened. */
static dma_addr_t map_small(struct dma_device *dev, const struct granules *g, uint64_t limit,
			    unsigned int prot, int *err)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct dma_domain *domain = d->domain;
	uint64_t bits = small_bits(domain, prot);
	struct span span;

	*err = 0;
	if (!domain->windows.shards || !bits || !small_reaches(domain, g->start, g->size) ||
	    !small_take_range(d, g->start, g->size, small_limit(domain, d, limit), &span, &bits) ||
	    !small_still_reaches(d, g->start, g->size, span))
		return DMA_MAPPING_ERROR;
	span_write(domain, span, 0, span.granules, g->start, bits);
	*err = small_publish(d, span);
	return *err ? DMA_MAPPING_ERROR : span_address(domain, span);
}

static dma_addr_t map_large(struct dma_device *dev, const struct granules *g, uint64_t limit,
			    unsigned int prot, int *err, enum dma_reason *reason)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	const struct dma_vec vec = { g->start, g->size };
	dma_addr_t iova;

	domain_lock(d->domain);
	*err = enter_range(d->domain, dev, &vec, limit, prot, &iova, reason);
	domain_unlock(d->domain);
	if (*err)
		return DMA_MAPPING_ERROR;
	dev_live_add(d, 1);
	return iova;
}

static dma_addr_t map_granules(struct dma_device *dev, phys_addr_t phys, uint64_t size,
			       uint64_t limit, unsigned int prot, struct dma_error *why)
{
	struct dma_domain *domain = dmamap_dev(dev)->domain;
	enum dma_reason reason = DMA_REASON_BACKEND;
	struct granules g;
	dma_addr_t iova;
	int err;

	if (!granules_of(domain, phys, size, &g))
		return fail_map(why, dev, DMA_REASON_ADDRESS_WRAP, phys, size);
	iova = map_small(dev, &g, limit, prot, &err);
	if (iova == DMA_MAPPING_ERROR && !err)
		iova = map_large(dev, &g, limit, prot, &err, &reason);
	/* that has flushed what waited: windows may have room again */
	if (iova == DMA_MAPPING_ERROR && reason == DMA_REASON_NO_IOVA) {
		int again;

		iova = map_small(dev, &g, limit, prot, &again);
	}
	if (iova == DMA_MAPPING_ERROR) {
		fail_map(why, dev, reason, phys, size);
		why->err = err;
		why->mask = limit;
		return DMA_MAPPING_ERROR;
	}
	dmamap_domain_report_map(domain, iova, g.start, g.size);
	return iova + g.offset;
}

/** Outside of windows: what is mapped up to the first hole. Returns the bytes. */
static uint64_t unmap_large(struct dma_device *dev, const struct granules *g, bool strict)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct dma_domain *domain = d->domain;
	uint64_t cleared;

	domain_lock(domain);
	cleared = dmamap_domain_clear(domain, g->start, g->size);
	if (cleared)
		dmamap_domain_retire(domain, g->start, cleared, strict);
	domain_unlock(domain);
	if (cleared)
		dev_live_end(d);
	return cleared;
}

/** False and *@why if not all of it was mapped; what was not is left alone. */
static bool unmap_granules(struct dma_device *dev, dma_addr_t addr, uint64_t size, bool strict,
			   struct dma_error *why)
{
	struct dma_domain *domain = dmamap_dev(dev)->domain;
	enum dma_reason reason = DMA_REASON_NOT_MAPPED;
	enum small_result small;
	uint64_t cleared = 0;
	struct granules g;

	if (!granules_of(domain, addr, size, &g)) {
		fail_range(why, dev, DMA_REASON_ADDRESS_WRAP, -DMAMAP_EINVAL, addr, size);
		return false;
	}
	small = dmamap_small_unmap(dmamap_dev(dev), g.start, g.size >> domain->shift, strict);
	if (small == SMALL_DONE)
		cleared = g.size;
	else if (small == SMALL_ELSEWHERE)
		cleared = unmap_large(dev, &g, strict);
	else if (small == SMALL_OTHER)
		reason = DMA_REASON_MAPPED_OTHERWISE;
	if (cleared)
		dmamap_domain_report_unmap(domain, g.start, g.size, cleared);
	if (cleared == g.size)
		return true;
	fail_range(why, dev, reason, -DMAMAP_EINVAL, addr, size);
	why->have = cleared;
	return false;
}

dma_addr_t dmamap_iommu_map_allocated(struct dma_device *dev, phys_addr_t phys, uint64_t size,
				      enum dma_data_direction dir, unsigned long attrs,
				      struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	if (!dmamap_iommu_ready(dev, why))
		return DMA_MAPPING_ERROR;
	return map_granules(dev, phys, size, d->coherent_mask,
			    dmamap_iommu_prot(d->coherent, dir, attrs), why);
}

bool dmamap_iommu_unmap_coherent(struct dma_device *dev, dma_addr_t addr, uint64_t size,
				 struct dma_error *why)
{
	return unmap_granules(dev, addr, size, true, why);
}

/* --- map and unmap */

bool dmamap_iommu_must_bounce(const struct dma_device *dev, phys_addr_t phys, uint64_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	if ((attrs & DMA_ATTR_MMIO) || ((phys | size) & dmamap_iommu_granule_mask(dev)) == 0)
		return false;
	return dmamap_dev(dev)->untrusted || dmamap_dev_small_buffer(dev, size, dir);
}

void dmamap_iommu_fail_without_pool(struct dma_device *dev, phys_addr_t phys, size_t size,
				    struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	fail_map(why, dev, d->untrusted ? DMA_REASON_NO_BOUNCE_POOL : DMA_REASON_SMALL_BUFFER, phys,
		 size);
	if (dev_once(d, d->untrusted ? ONCE_NO_POOL : ONCE_SMALL_BUFFER))
		dmamap_log(d->host, DMA_LOG_WARNING, dev,
			   d->untrusted ? "an untrusted device needs a bounce pool"
					: "a small buffer needs a bounce pool",
			   why);
}

static phys_addr_t bounce(struct dma_device *dev, phys_addr_t phys, size_t size,
			  unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	if (attrs & DMA_ATTR_REQUIRE_COHERENT) {
		fail_map(why, dev, DMA_REASON_COHERENT_CANNOT_BOUNCE, phys, size);
		return DMAMAP_PHYS_NONE;
	}
	if (!d->bounce) {
		dmamap_iommu_fail_without_pool(dev, phys, size, why);
		return DMAMAP_PHYS_NONE;
	}
	return dmamap_bounce_map(dev, phys, size, dmamap_iommu_granule_mask(dev),
				 d->untrusted ? BOUNCE_ZERO_REST : 0, why);
}

bool dmamap_iommu_check_alignment(struct dma_device *dev, phys_addr_t phys, size_t size,
				  struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	if (dev_min_align(d) <= dmamap_iommu_granule_mask(dev))
		return true;
	fail_map(why, dev, DMA_REASON_ALIGNMENT, phys, size);
	if (dev_once(d, ONCE_ALIGNMENT))
		dmamap_warn(d->host, dev, "min_align_mask exceeds the IOMMU's granule", why);
	return false;
}

dma_addr_t dmamap_iommu_map(struct dma_device *dev, phys_addr_t phys, size_t size,
			    enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	bool bounced = dmamap_iommu_must_bounce(dev, phys, size, dir, attrs);
	struct dma_error ignored;
	phys_addr_t target = phys;
	dma_addr_t addr;

	if (!dmamap_iommu_ready(dev, why) || !dmamap_iommu_check_alignment(dev, phys, size, why) ||
	    !dmamap_iommu_may_have(dev, phys, size, dir, attrs, why))
		return DMA_MAPPING_ERROR;
	if (bounced) {
		target = bounce(dev, phys, size, attrs, why);
		if (target == DMAMAP_PHYS_NONE)
			return DMA_MAPPING_ERROR;
	}
	if (!d->coherent && !(attrs & (DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_MMIO))) {
		dmamap_cache_for_device(d->host, target, size, dir);
		dmamap_cache_flush(d->host);
	}
	addr = map_granules(dev, target, size, dmamap_get_mask(dev),
			    dmamap_iommu_prot(d->coherent, dir, attrs), why);
	if (addr == DMA_MAPPING_ERROR && bounced)
		dmamap_bounce_unmap(dev, target, size, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC,
				    &ignored);
	return addr;
}

/** What @addr translates to; false and *@why if to nothing. */
static bool translate(struct dma_device *dev, dma_addr_t addr, size_t size, phys_addr_t *phys,
		      struct dma_error *why)
{
	if (!dmamap_domain_iova_to_phys(dmamap_dev(dev)->domain, addr, phys))
		return true;
	fail_range(why, dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, addr, size);
	return false;
}

/** Is there more to an unmap than the tables: a cache to invalidate, or a bounce slot? Else nothing needs translating. */
static bool unmap_needs_phys(const struct dmamap_dev *d, unsigned long attrs)
{
	if (attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT))
		return false;
	if (d->untrusted)
		return true;
	return !d->coherent && (!(attrs & DMA_ATTR_SKIP_CPU_SYNC) || d->host->bounce_small_buffers);
}

bool dmamap_iommu_unmap(struct dma_device *dev, dma_addr_t addr, size_t size,
			enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	bool bounced;
	phys_addr_t phys;

	if (!unmap_needs_phys(d, attrs))
		return unmap_granules(dev, addr, size, false, why);
	if (!translate(dev, addr, size, &phys, why))
		return false;
	if (!d->coherent && !(attrs & DMA_ATTR_SKIP_CPU_SYNC)) {
		dmamap_cache_for_cpu(d->host, phys, size, dir);
		dmamap_cache_cpu_done(d->host);
	}
	bounced = dmamap_bounce_live(dev, phys);
	/* a slot may be reused only when the device has lost it: never wait in a queue for that */
	if (!unmap_granules(dev, addr, size, bounced, why))
		return false;
	return !bounced || dmamap_bounce_unmap(dev, phys, size, dir, attrs, why);
}

/* --- sync */

bool dmamap_iommu_sync(struct dma_device *dev, dma_addr_t addr, size_t size,
		       enum dma_data_direction dir, bool for_cpu, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	phys_addr_t phys;

	if (d->coherent && !d->untrusted)
		return true;
	if (!translate(dev, addr, size, &phys, why))
		return false;
	if (for_cpu && !d->coherent) {
		dmamap_cache_for_cpu(d->host, phys, size, dir);
		dmamap_cache_cpu_done(d->host);
	}
	if (dmamap_bounce_live(dev, phys)) {
		if (for_cpu)
			dmamap_bounce_sync_for_cpu(dev, phys, size, dir);
		else
			dmamap_bounce_sync_for_device(dev, phys, size, dir);
	}
	if (!for_cpu && !d->coherent) {
		dmamap_cache_for_device(d->host, phys, size, dir);
		dmamap_cache_flush(d->host);
	}
	return true;
}
