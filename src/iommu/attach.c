/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices join domains and leave them (docs/semantics.md, "Attaching").
 *
 * What can be refused without a trace is refused first: what the device's unit lacks. Then the regions that are
 * reserved for the device are kept out, and stay so; then the domain is narrowed; the backend comes last, so that the
 * device never translates through a domain that is not ready for it. A device that changes from one domain to another
 * leaves the old one when the new one has everything but the hardware's consent, and goes back if it is withheld: there
 * is no moment at which it is in none, where it would go directly.
 */
#include <dmamap/pagetable.h>

#include "iommu.h"
#include "regions.h"

/** Is every window of the device outside of the aperture? */
static bool windows_miss(const struct dmamap_dev *d, const struct dma_backend_caps *caps)
{
	const struct dma_range *r = d->range_map;

	if (!r || !r->size)
		return false;
	for (; r->size; r++)
		if (r->dma <= caps->aperture_end && r->dma + (r->size - 1) >= caps->aperture_start)
			return false;
	return true;
}

/* --- what the unit can do */

static struct dma_unit_caps unit_caps(const struct dma_domain *domain, struct dma_device *dev)
{
	struct dma_iommu_unit *unit = dmamap_regions_unit(domain, dev);
	struct dma_unit_caps caps = { 0 };

	if (unit && unit->ops->get_caps)
		unit->ops->get_caps(unit, dev, &caps);
	return caps;
}

/** The domain's caps, as far as the unit has them. */
static struct dma_backend_caps narrowed(const struct dma_domain *domain,
					const struct dma_unit_caps *unit)
{
	struct dma_backend_caps caps = domain->backend->caps;

	if (unit->output_bits && unit->output_bits < caps.output_bits)
		caps.output_bits = unit->output_bits;
	if (unit->input_bits && unit->input_bits < 64)
		caps.aperture_end = min_u64(caps.aperture_end, DMA_BIT_MASK(unit->input_bits));
	if (unit->page_sizes)
		caps.page_sizes &= unit->page_sizes;
	return caps;
}

static bool is_same(const struct dma_backend_caps *a, const struct dma_backend_caps *b)
{
	return a->output_bits == b->output_bits && a->aperture_end == b->aperture_end &&
	       a->page_sizes == b->page_sizes;
}

static int fail_units(struct dma_device *dev, enum dma_reason reason, int err, uint64_t domain,
		      uint64_t unit, struct dma_error *why)
{
	fail_range(why, dev, reason, err, 0, 0);
	why->limit = domain;
	why->have = unit;
	return err;
}

/** May the domain be used with the unit, narrowed to @to if need be? */
static int check_unit(struct dma_device *dev, struct dma_domain *domain,
		      const struct dma_unit_caps *unit, const struct dma_backend_caps *to,
		      struct dma_error *why)
{
	const struct dma_backend_caps *caps = &domain->backend->caps;

	if ((unit->incoherent_walk && caps->coherent_walk) ||
	    (unit->map_side_work && !caps->map_side_work))
		return fail_units(dev, DMA_REASON_UNITS_DIFFER, -DMAMAP_EOPNOTSUPP, 0, 0, why);
	if (!(to->page_sizes & granule_size(domain)))
		return fail_units(dev, DMA_REASON_UNITS_DIFFER, -DMAMAP_EOPNOTSUPP,
				  caps->page_sizes, unit->page_sizes, why);
	if (to->aperture_end < caps->aperture_start ||
	    to->aperture_end >> domain->shift < domain->first)
		return fail_units(dev, DMA_REASON_APERTURE, -DMAMAP_EFAULT, caps->aperture_start,
				  to->aperture_end, why);
	if (is_same(caps, to))
		return 0;
	if (domain->backend->ops->narrow && !domain->regions.direct && dmamap_domain_idle(domain))
		return 0;
	if (to->output_bits != caps->output_bits)
		return fail_units(dev, DMA_REASON_OUTPUT_WIDTH, -DMAMAP_EBUSY, caps->output_bits,
				  to->output_bits, why);
	if (to->page_sizes != caps->page_sizes)
		return fail_units(dev, DMA_REASON_UNITS_DIFFER, -DMAMAP_EBUSY, caps->page_sizes,
				  to->page_sizes, why);
	return fail_units(dev, DMA_REASON_UNITS_DIFFER, -DMAMAP_EBUSY, caps->aperture_end,
			  to->aperture_end, why);
}

static int narrow(struct dma_device *dev, struct dma_domain *domain,
		  const struct dma_backend_caps *to, struct dma_error *why)
{
	unsigned int had = domain->backend->caps.output_bits;

	if (is_same(&domain->backend->caps, to))
		return 0;
	if (domain->backend->ops->narrow(domain->backend, to))
		return fail_units(dev, DMA_REASON_OUTPUT_WIDTH, -DMAMAP_ERANGE, had,
				  to->output_bits, why);
	dmamap_windows_narrow(domain);
	return 0;
}

/* --- regions */

static int add_region(struct dma_device *dev, struct dma_domain *domain,
		      const struct dma_reserved_region *region)
{
	unsigned int prot = dmamap_iommu_prot(dmamap_dev(dev)->coherent, DMA_BIDIRECTIONAL, 0);
	int err = dmamap_regions_reserve(domain, region->first, region->last);

	if (err || !region->direct)
		return err;
	if (region->last > domain->backend->caps.aperture_end)
		return -DMAMAP_EFAULT;
	return dmamap_regions_map(domain, region->first, region->last, prot);
}

static enum dma_reason region_reason(int err)
{
	switch (err) {
	case -DMAMAP_EBUSY:
		return DMA_REASON_RESERVED_IN_USE;
	case -DMAMAP_EFAULT:
		return DMA_REASON_APERTURE;
	default:
		return dmamap_backend_reason(err);
	}
}

static int add_regions(struct dma_device *dev, struct dma_domain *domain, struct dma_error *why)
{
	struct dma_reserved_region region;
	struct region_cursor cursor = { 0 };
	enum dma_reason reason;
	int err;

	while (dmamap_regions_next(domain, dev, &cursor, &region)) {
		err = region.first > region.last ? -DMAMAP_EINVAL
						 : add_region(dev, domain, &region);
		if (!err)
			continue;
		reason = region_reason(err);
		return fail_range(why, dev, reason, err, region.first,
				  region.last - region.first + 1);
	}
	return 0;
}

/* --- joining */

/** What a device has in its domain. */
struct place {
	struct dma_domain *domain;
	bool identity;
	bool attach_pending;
};

static struct place place_of(const struct dmamap_dev *d)
{
	return (struct place){ d->domain, d->identity, d->attach_pending };
}

static void put_in_place(struct dmamap_dev *d, struct place place)
{
	d->domain = place.domain;
	dmamap_dev_reset_counts(d);
	d->identity = place.identity;
	d->attach_pending = place.attach_pending;
}

/** Ends what begin_place() began. */
static void end_place(struct dmamap_dev *d, struct place place)
{
	if (d->untrusted)
		dmamap_iommu_drop_untrusted(place.domain);
	__atomic_fetch_sub(&place.domain->devices, 1, __ATOMIC_RELAXED);
}

/** False without memory. */
static bool begin_place(struct dmamap_dev *d, struct dma_domain *domain, struct place *place)
{
	*place = (struct place){ .domain = domain, .identity = domain->backend->caps.identity };
	if (domain->windows.shards && !dmamap_dev_need_counts(d, DMAMAP_GFP_KERNEL))
		return false;
	place->attach_pending = d->defer_attach && !place->identity;
	__atomic_fetch_add(&domain->devices, 1, __ATOMIC_RELAXED);
	if (d->untrusted)
		dmamap_iommu_add_untrusted(domain);
	return true;
}

/** All that needs nobody else to be at work in the domain. */
static int prepare(struct dma_device *dev, struct dma_domain *domain, struct dma_error *why)
{
	const struct dma_unit_caps unit = unit_caps(domain, dev);
	const struct dma_backend_caps to = narrowed(domain, &unit);
	int err;

	domain_lock(domain);
	if (!is_same(&domain->backend->caps, &to))
		dmamap_domain_reclaim(domain);
	err = check_unit(dev, domain, &unit, &to, why);
	if (!err)
		err = narrow(dev, domain, &to, why);
	if (!err)
		err = add_regions(dev, domain, why);
	domain_unlock(domain);
	return err;
}

/** Tell the hardware, now or with the first mapping. */
static int attach(struct dma_device *dev, struct dma_domain *domain, struct dma_error *why)
{
	const struct dma_backend_ops *ops = domain->backend->ops;
	int err = ops->attach ? ops->attach(domain->backend, dev) : 0;

	if (!err)
		return 0;
	return fail_range(why, dev,
			  err == -DMAMAP_EOPNOTSUPP ? DMA_REASON_UNITS_DIFFER : DMA_REASON_BACKEND,
			  err, 0, 0);
}

bool dmamap_iommu_attach_now(struct dma_device *dev, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	int err = 0;

	domain_lock(d->domain);
	if (__atomic_load_n(&d->attach_pending, __ATOMIC_RELAXED)) {
		err = attach(dev, d->domain, why);
		if (!err)
			__atomic_store_n(&d->attach_pending, false, __ATOMIC_RELEASE);
	}
	domain_unlock(d->domain);
	return !err;
}

/** May @dev join, as far as that can be told without touching it? 0, and the domain is ready for it. */
static int admit(struct dma_device *dev, struct dma_domain *domain, struct dma_error *why)
{
	bool identity = domain->backend->caps.identity;
	const struct dmamap_dev *d = dmamap_dev(dev);

	if (domain->host != d->host)
		return fail_range(why, dev, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, 0, 0);
	if (windows_miss(d, &domain->backend->caps))
		return fail_range(why, dev, DMA_REASON_APERTURE, -DMAMAP_EFAULT, d->range_map->dma,
				  d->range_map->size);
	if (identity && d->untrusted)
		return fail_range(why, dev, DMA_REASON_UNTRUSTED, -DMAMAP_EPERM, 0, 0);
	return identity ? 0 : prepare(dev, domain, why);
}

/** What waits is flushed while the device's unit still hears of it. */
static void detach(struct dma_device *dev, const struct place *place)
{
	struct dma_backend *backend = place->domain->backend;

	dmamap_domain_flush(place->domain);
	if (backend->ops->detach && !place->attach_pending)
		backend->ops->detach(backend, dev);
}

/** Back to where it was. What refuses that too blocks the device, and is asked again with its next mapping. */
static void attach_again(struct dma_device *dev, struct place *old)
{
	struct dma_error ignored;

	if (!old->attach_pending && attach(dev, old->domain, &ignored)) {
		dmamap_log(dmamap_dev(dev)->host, DMA_LOG_ERROR, dev,
			   "its domain does not take it back: it is blocked until it maps",
			   &ignored);
		old->attach_pending = true;
	}
}

int dmamap_iommu_join(struct dma_device *dev, struct dma_domain *domain, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct place old = place_of(d);
	struct place new;
	int err = admit(dev, domain, why);

	if (err)
		return err;
	if (!begin_place(d, domain, &new))
		return fail_range(why, dev, DMA_REASON_NO_MEMORY, -DMAMAP_ENOMEM, 0, 0);
	if (old.domain)
		detach(dev, &old);
	err = new.attach_pending ? 0 : attach(dev, domain, why);
	if (err) {
		end_place(d, new);
		if (old.domain)
			attach_again(dev, &old);
		put_in_place(d, old);
		return err;
	}
	put_in_place(d, new);
	if (old.domain)
		end_place(d, old);
	return 0;
}

void dmamap_iommu_leave(struct dma_device *dev)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct place old = place_of(d);

	detach(dev, &old);
	put_in_place(d, (struct place){ .domain = NULL });
	end_place(d, old);
}
