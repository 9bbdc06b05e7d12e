/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices: their life, their properties, and the route that follows from them.
 *
 * Every setter ends in dmamap_device_update(), the only place where a route is decided. A setter that would change the
 * route, or take away addresses, first asks whether mappings live.
 */
#include <dmamap/domain.h>

#include "bounce/pool.h"
#include "direct/direct.h"
#include "iommu/iommu.h"
#include "iommu/quick.h"
#include "map.h"

#define DEVICE_MAGIC 0x646d616d61702d64 /* "dmamap-d" */

/* --- the route */

enum dma_route dmamap_choose_route(const struct dma_device *dev, uint64_t mask)
{
	const struct dmamap_dev *d = dmamap_dev(dev);

	if (d->domain && !d->identity)
		return DMA_ROUTE_IOMMU;
	if (!d->ops)
		return DMA_ROUTE_DIRECT;
	if (d->ops_bypass && min_not_zero(mask, d->bus_limit) >= dmamap_direct_required_mask(dev))
		return DMA_ROUTE_DIRECT;
	return DMA_ROUTE_OPS;
}

/** dmamap_page_to_phys(NULL). */
#define NULL_FRAME (~(phys_addr_t)0 << DMAMAP_PAGE_SHIFT)

/** Can a direct map of this device be an addition? Then its window and offset are set. */
static bool inline_window(struct dma_device *dev)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	const struct dma_range *r = d->range_map;
	uint64_t limit = dev_limit(d);
	uint64_t dma = 0;
	uint64_t span;

	/* of several windows the first: nothing that it covers is another's */
	if (r && !r->size)
		return false;
	if (r)
		dma = r->dma;
	if (limit == DMA_MAPPING_ERROR)
		limit--; /* so that no success looks like a failure */
	if (dma > limit)
		return false;
	span = limit - dma;
	if (r)
		span = min_u64(span, r->size - 1);
	dev->base = r ? r->cpu : 0;
	/* the last frame is what a NULL page looks like: the full call tells them apart */
	if (dev->base > NULL_FRAME - 1)
		return false;
	dev->offset = dma - dev->base;
	dev->span = min_u64(span, NULL_FRAME - 1 - dev->base);
	return true;
}

/** Are direct maps of this device inline, once it is sealed? Sets the window, so only setters ask. */
static bool map_is_inline(struct dma_device *dev)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	const struct dma_host *host = d->host;

	return d->route == DMA_ROUTE_DIRECT && d->coherent && !dev_must_bounce(d) &&
	       !host->sanitize && !host->to_shared && !host->to_encrypted &&
	       !host->force_unencrypted && !host->encrypts_memory && inline_window(dev);
}

static void set_flag(struct dma_device *dev, uint32_t flag, bool on)
{
	if (on)
		__atomic_fetch_or(&dev->flags, flag, __ATOMIC_RELEASE);
	else
		__atomic_fetch_and(&dev->flags, ~flag, __ATOMIC_RELEASE);
}

/** Has the platform a way around method tables? What goes it is maintained as on the direct route. */
static bool has_arch_direct(const struct dma_host *host)
{
	return host->arch_map_direct || host->arch_map_sg_direct;
}

bool dmamap_may_skip_sync(const struct dma_device *dev)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	const struct dma_map_ops *ops = d->ops;

	if (d->has_bounced)
		return false;
	if (d->route != DMA_ROUTE_OPS)
		return d->coherent;
	return !ops->sync_single_for_cpu && !ops->sync_single_for_device && !ops->sync_sg_for_cpu &&
	       !ops->sync_sg_for_device && (d->coherent || !has_arch_direct(d->host));
}

void dmamap_device_update(struct dma_device *dev)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	d->route = d->mask ? dmamap_choose_route(dev, dev_mask(d)) : DMA_ROUTE_NONE;
	d->alloc_route = dmamap_choose_route(dev, d->coherent_mask);
	/* dma_set_mask() grants it; any other change can only take it away */
	d->skip_sync = d->skip_sync && dmamap_may_skip_sync(dev);
	d->inline_map = map_is_inline(dev);
	dmamap_iommu_update_quick(d);
	set_flag(dev, DMAMAP_DEV_SLOW_MAP, !d->sealed || !d->inline_map);
	set_flag(dev, DMAMAP_DEV_SLOW_UNMAP,
		 d->route != DMA_ROUTE_DIRECT || !d->coherent || d->has_bounced);
	set_flag(dev, DMAMAP_DEV_SLOW_SYNC, !d->skip_sync);
	set_flag(dev, DMAMAP_DEV_LONG, d->quick != QUICK_ALL);
}

void dmamap_first_seal(struct dma_device *dev)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	__atomic_store_n(&d->sealed, true, __ATOMIC_RELAXED);
	if (d->inline_map)
		set_flag(dev, DMAMAP_DEV_SLOW_MAP, false);
}

/* --- life */

/** Every unmap has the map of its own family, and the map that is used has its own unmap or none at all. */
static bool families_match(const struct dma_map_ops *ops)
{
	if (ops->size != sizeof(*ops))
		return false;
	if ((ops->unmap_phys && !ops->map_phys) || (ops->unmap_page && !ops->map_page) ||
	    (ops->unmap_resource && !ops->map_resource) || (ops->unmap_sg && !ops->map_sg) ||
	    (ops->free && !ops->alloc) || (ops->free_pages && !ops->alloc_pages_op))
		return false;
	return !ops->map_phys || ops->unmap_phys || (!ops->unmap_page && !ops->unmap_resource);
}

/** Bouncing is forced by the setter, or by the pool for as long as the device has it. */
static void update_force(struct dmamap_dev *d)
{
	d->force_bounce = d->force_asked || dmamap_bounce_forces(d->bounce);
}

static void list_device(struct dma_device *dev)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct dmamap_host *h = dmamap_host(d->host);

	dmamap_lock(d->host, &h->lock);
	d->next = h->devices;
	h->devices = dev;
	dmamap_observe_device(dev);
	dmamap_unlock(d->host, &h->lock);
}

static void unlist_device(struct dma_device *dev)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct dmamap_host *h = dmamap_host(d->host);
	struct dma_device **link;

	dmamap_lock(d->host, &h->lock);
	for (link = &h->devices; *link; link = &dmamap_dev(*link)->next) {
		if (*link != dev)
			continue;
		*link = d->next;
		break;
	}
	dmamap_unlock(d->host, &h->lock);
}

int dmamap_device_init(struct dma_device *dev, size_t size, struct dma_host *host)
{
	struct dmamap_dev *d;

	if (!dev || size != sizeof(*dev) || !host || host->size != sizeof(*host) ||
	    !dmamap_host(host)->magic || (host->default_ops && !families_match(host->default_ops)))
		return -DMAMAP_EINVAL;
	memset(dev, 0, sizeof(*dev));
	d = dmamap_dev(dev);
	d->magic = DEVICE_MAGIC;
	d->host = host;
	d->name = "";
	d->own_mask = DMA_BIT_MASK(32);
	d->coherent_mask = DMA_BIT_MASK(32);
	d->mask = &d->own_mask;
	d->coherent = !host_has_caches(host);
	d->decorated = host->to_shared || host->to_encrypted || host->strip;
	d->bounce = host->default_bounce;
	update_force(d);
	d->ops = host->default_ops;
	dmamap_device_update(dev);
	list_device(dev);
	return 0;
}

int dmamap_device_fini(struct dma_device *dev)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	if (d->attached ? d->attached->busy(dev) : dmamap_device_live(dev) != 0)
		return -DMAMAP_EBUSY;
	if (d->attached)
		d->attached->end(dev);
	if (d->domain)
		dmamap_iommu_leave(dev);
	dmamap_dev_free_counts(d);
	unlist_device(dev);
	d->magic = 0;
	return 0;
}

uint64_t dmamap_device_live(struct dma_device *dev)
{
	return dev_live(dmamap_dev(dev));
}

static int fail_setter(struct dma_device *dev, enum dma_reason reason, int err, uint64_t value)
{
	struct dma_error why;

	fail_range(&why, dev, reason, err, value, 0);
	why.have = dmamap_device_live(dev);
	dmamap_record(dev, dmamap_dev(dev)->route, &why);
	return err;
}

int dmamap_device_quiesce(struct dma_device *dev)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	if (dmamap_device_live(dev))
		return fail_setter(dev, DMA_REASON_LIVE_MAPPINGS, -DMAMAP_EBUSY, 0);
	d->sealed = false;
	d->has_bounced = false;
	dmamap_device_update(dev);
	return 0;
}

/** 0 if nothing of the device is or may be mapped, else -EBUSY with the reason. */
static int check_idle(struct dma_device *dev)
{
	if (!dmamap_dev(dev)->sealed && !dmamap_device_live(dev))
		return 0;
	return fail_setter(dev, DMA_REASON_LIVE_MAPPINGS, -DMAMAP_EBUSY, 0);
}

/* --- plain properties */

void dmamap_device_set_name(struct dma_device *dev, const char *name)
{
	dmamap_dev(dev)->name = name ? name : "";
}

const char *dmamap_device_name(const struct dma_device *dev)
{
	return dmamap_dev(dev)->name;
}

void dmamap_device_set_data(struct dma_device *dev, void *data)
{
	dmamap_dev(dev)->data = data;
}

void *dmamap_device_data(const struct dma_device *dev)
{
	return dmamap_dev(dev)->data;
}

struct dma_host *dmamap_device_host(const struct dma_device *dev)
{
	return dev_host(dev);
}

enum dma_route dmamap_device_route(const struct dma_device *dev)
{
	return dmamap_dev(dev)->route;
}

bool dmamap_device_is_coherent(const struct dma_device *dev)
{
	return dmamap_dev(dev)->coherent;
}

void dmamap_device_set_parms(struct dma_device *dev, struct dma_parms *parms)
{
	dmamap_dev(dev)->parms = parms;
	dmamap_device_update(dev);
}

/* --- properties that decide the route */

int dmamap_device_set_mask_storage(struct dma_device *dev, enum dma_mask_storage storage)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	int err = check_idle(dev);

	if (err)
		return err;
	if (storage == DMA_MASK_NONE)
		d->mask = NULL;
	else
		d->mask = storage == DMA_MASK_SHARED ? &d->coherent_mask : &d->own_mask;
	dmamap_device_update(dev);
	return 0;
}

int dmamap_device_set_bus_limit(struct dma_device *dev, dma_addr_t limit)
{
	int err = check_idle(dev);

	if (err)
		return err;
	dmamap_dev(dev)->bus_limit = limit;
	dmamap_device_update(dev);
	return 0;
}

int dmamap_device_set_range_map(struct dma_device *dev, const struct dma_range *map)
{
	int err = check_idle(dev);

	if (err)
		return err;
	for (const struct dma_range *r = map; r && r->size; r++)
		if (range_wraps(r->cpu, r->size) || range_wraps(r->dma, r->size))
			return fail_setter(dev, DMA_REASON_ADDRESS_WRAP, -DMAMAP_EINVAL, r->cpu);
	dmamap_dev(dev)->range_map = map;
	dmamap_device_update(dev);
	return 0;
}

int dmamap_device_set_offset(struct dma_device *dev, phys_addr_t cpu, dma_addr_t dma, uint64_t size)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	int err = check_idle(dev);

	if (err)
		return err;
	if (d->range_map) {
		err = fail_setter(dev, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, cpu);
		dmamap_log(d->host, DMA_LOG_ERROR, dev, "the device has a range map already", NULL);
		return err;
	}
	if (cpu == dma)
		return 0;
	if (!size)
		return fail_setter(dev, DMA_REASON_ZERO_SIZE, -DMAMAP_EINVAL, cpu);
	d->own_map[0] = (struct dma_range){ cpu, dma, size };
	d->own_map[1] = (struct dma_range){ 0 };
	return dmamap_device_set_range_map(dev, d->own_map);
}

int dmamap_device_set_coherent(struct dma_device *dev, bool coherent)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	int err = check_idle(dev);

	if (err)
		return err;
	d->coherent = coherent || !host_has_caches(d->host);
	dmamap_device_update(dev);
	return 0;
}

int dmamap_device_set_ops(struct dma_device *dev, const struct dma_map_ops *ops)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	int err = check_idle(dev);

	if (err)
		return err;
	if (ops && d->domain)
		return fail_setter(dev, DMA_REASON_OPS_AND_IOMMU, -DMAMAP_EINVAL, 0);
	if (ops && !families_match(ops))
		return fail_setter(dev, DMA_REASON_BAD_METHODS, -DMAMAP_EINVAL, 0);
	d->ops = ops;
	dmamap_device_update(dev);
	return 0;
}

int dmamap_device_set_ops_bypass(struct dma_device *dev, bool bypass)
{
	int err = check_idle(dev);

	if (err)
		return err;
	dmamap_dev(dev)->ops_bypass = bypass;
	dmamap_device_update(dev);
	return 0;
}

int dmamap_device_set_unit(struct dma_device *dev, struct dma_iommu_unit *unit)
{
	if (dmamap_dev(dev)->domain)
		return fail_setter(dev, DMA_REASON_LIVE_MAPPINGS, -DMAMAP_EBUSY, 0);
	dmamap_dev(dev)->unit = unit;
	return 0;
}

int dmamap_device_set_domain(struct dma_device *dev, struct dma_domain *domain)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct dma_error why;
	int err = check_idle(dev);

	if (err)
		return err;
	if (domain && d->ops)
		return fail_setter(dev, DMA_REASON_OPS_AND_IOMMU, -DMAMAP_EINVAL, 0);
	if (domain)
		err = dmamap_iommu_join(dev, domain, &why);
	else if (d->domain)
		dmamap_iommu_leave(dev);
	if (err)
		dmamap_record(dev, DMA_ROUTE_IOMMU, &why);
	dmamap_device_update(dev);
	return err;
}

int dmamap_device_set_bounce(struct dma_device *dev, struct dma_bounce *pool)
{
	int err = check_idle(dev);

	if (err)
		return err;
	if (pool && dmamap_bounce_host(pool) != dev_host(dev))
		return fail_setter(dev, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, 0);
	dmamap_dev(dev)->bounce = pool;
	update_force(dmamap_dev(dev));
	dmamap_device_update(dev);
	return 0;
}

int dmamap_device_set_force_bounce(struct dma_device *dev, bool force)
{
	int err = check_idle(dev);

	if (err)
		return err;
	dmamap_dev(dev)->force_asked = force;
	update_force(dmamap_dev(dev));
	dmamap_device_update(dev);
	return 0;
}

int dmamap_device_set_untrusted(struct dma_device *dev, bool untrusted)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	int err = check_idle(dev);

	if (err)
		return err;
	if (untrusted && d->identity)
		return fail_setter(dev, DMA_REASON_UNTRUSTED, -DMAMAP_EPERM, 0);
	if (d->domain && untrusted && !d->untrusted)
		dmamap_iommu_add_untrusted(d->domain);
	if (d->domain && !untrusted && d->untrusted)
		dmamap_iommu_drop_untrusted(d->domain);
	d->untrusted = untrusted;
	dmamap_device_update(dev);
	return 0;
}

int dmamap_device_set_deferred_attach(struct dma_device *dev, bool deferred)
{
	if (dmamap_dev(dev)->domain)
		return fail_setter(dev, DMA_REASON_LIVE_MAPPINGS, -DMAMAP_EBUSY, 0);
	dmamap_dev(dev)->defer_attach = deferred;
	return 0;
}

int dmamap_device_set_pci(struct dma_device *dev, bool pci, bool forcedac)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	int err = check_idle(dev);

	if (err)
		return err;
	d->pci = pci;
	d->pci_32bit_first = pci && !forcedac;
	dmamap_device_update(dev);
	return 0;
}
