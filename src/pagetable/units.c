/* SPDX-License-Identifier: BSD-2-Clause */
/* Telling all units of a domain; see units.h. */
#include "units.h"

#include "base/device.h"
#include "table.h"

void dmamap_units_init(struct pt_units *units, struct dma_host *host,
		       const struct dma_pt_config *config)
{
	units->host = host;
	units->domain_id = config->domain_id;
	units->format = config->format;
	units->first.unit = config->unit;
	units->first.domain_id = config->domain_id;
	units->first.configured = config->unit;
	units->alone = config->unit;
	dmamap_lock_init(host, &units->lock);
}

static void tell_gone(const struct pt_unit *u)
{
	if (u->unit && u->unit->ops->domain_gone)
		u->unit->ops->domain_gone(u->unit, u->domain_id);
}

static void give_back(struct pt_units *units, struct pt_unit *place)
{
	if (place != &units->first)
		dmamap_heap_free(units->host, place, sizeof(*place));
}

void dmamap_units_fini(struct pt_units *units)
{
	struct pt_unit *u = units->first.next;

	tell_gone(&units->first);
	while (u) {
		struct pt_unit *next = u->next;

		tell_gone(u);
		give_back(units, u);
		u = next;
	}
	dmamap_lock_fini(units->host, &units->lock);
}

/* --- which units */

static struct dma_iommu_unit *load_unit(const struct pt_unit *u)
{
	return __atomic_load_n(&u->unit, __ATOMIC_ACQUIRE);
}

static struct pt_unit *next_unit(const struct pt_unit *u)
{
	return __atomic_load_n(&u->next, __ATOMIC_ACQUIRE);
}

/** May the unit have cached something of the domain, or be about to? */
static bool is_used(const struct pt_unit *u)
{
	return load_unit(u) && (u->configured || __atomic_load_n(&u->devices, __ATOMIC_SEQ_CST));
}

static struct pt_unit *find_unit(struct pt_units *units, const struct dma_iommu_unit *unit)
{
	struct pt_unit *u = &units->first;

	while (u && load_unit(u) != unit)
		u = next_unit(u);
	return u;
}

/** Where the next unit is to be: the first place, or a new one; NULL without memory. */
static struct pt_unit *new_place(struct pt_units *units)
{
	if (!units->first.unit)
		return &units->first;
	return dmamap_heap_alloc(units->host, sizeof(struct pt_unit), DMAMAP_GFP_ATOMIC);
}

/** Who reads sees the number when it sees the unit. */
static void publish(struct pt_units *units, struct pt_unit *place, struct dma_iommu_unit *unit)
{
	struct pt_unit **link = &units->first.next;

	__atomic_store_n(&place->unit, unit, __ATOMIC_RELEASE);
	if (place == &units->first)
		return;
	while (*link)
		link = &(*link)->next;
	__atomic_store_n(link, place, __ATOMIC_RELEASE);
}

static int add_unit(struct pt_units *units, struct dma_iommu_unit *unit, struct pt_unit **out)
{
	struct pt_unit *place = new_place(units);
	int err;

	if (!place)
		return -DMAMAP_ENOMEM;
	place->domain_id = units->domain_id;
	err = unit->ops->domain_new ? unit->ops->domain_new(unit, &place->domain_id) : 0;
	if (err) {
		give_back(units, place);
		return err;
	}
	publish(units, place, unit);
	*out = place;
	return 0;
}

/** The unit as this domain's, made so if need be. */
static int get_unit(struct pt_units *units, struct dma_iommu_unit *unit, struct pt_unit **out)
{
	int err = 0;

	dmamap_lock(units->host, &units->lock);
	*out = find_unit(units, unit);
	if (!*out)
		err = add_unit(units, unit, out);
	if (!err && unit->ops->invalidate_device_tlb)
		__atomic_store_n(&units->device_tlbs, true, __ATOMIC_RELEASE);
	/* before the device is attached: who clears an entry and sees the unit alone did so before that */
	if (units->first.next || units->device_tlbs)
		__atomic_store_n(&units->alone, NULL, __ATOMIC_SEQ_CST);
	dmamap_unlock(units->host, &units->lock);
	return err;
}

struct dma_iommu_unit *dmamap_units_of(const struct pt_units *units, const struct dma_device *dev)
{
	struct dma_iommu_unit *unit = dev ? dmamap_dev(dev)->unit : NULL;

	if (unit)
		return unit;
	return units->first.configured ? units->first.unit : NULL;
}

static bool reads_format(const struct pt_units *units, struct dma_iommu_unit *unit,
			 struct dma_device *dev)
{
	struct dma_unit_caps caps = { 0 };

	if (unit->ops->get_caps)
		unit->ops->get_caps(unit, dev, &caps);
	return !caps.formats || (caps.formats >> units->format & 1);
}

/* --- what they are told */

int dmamap_units_attach(struct pt_units *units, struct dma_device *dev, phys_addr_t root,
			unsigned int levels)
{
	struct dma_iommu_unit *unit = dmamap_units_of(units, dev);
	struct pt_unit *u;
	int err;

	if (!unit)
		return 0;
	if (!reads_format(units, unit, dev))
		return -DMAMAP_EOPNOTSUPP;
	err = get_unit(units, unit, &u);
	if (err)
		return err;
	/* from here on it hears of every invalidation: what it reads now may be cleared before it is attached */
	__atomic_fetch_add(&u->devices, 1, __ATOMIC_SEQ_CST);
	err = unit->ops->attach ? unit->ops->attach(unit, dev, u->domain_id, root, levels) : 0;
	if (err)
		__atomic_fetch_sub(&u->devices, 1, __ATOMIC_SEQ_CST);
	return err;
}

void dmamap_units_detach(struct pt_units *units, struct dma_device *dev)
{
	struct dma_iommu_unit *unit = dmamap_units_of(units, dev);
	struct pt_unit *u = unit ? find_unit(units, unit) : NULL;

	if (!u)
		return;
	if (unit->ops->detach)
		unit->ops->detach(unit, dev);
	__atomic_fetch_sub(&u->devices, 1, __ATOMIC_SEQ_CST);
}

int dmamap_units_mapped(struct pt_units *units, dma_addr_t iova, uint64_t len)
{
	int err = 0;

	for (struct pt_unit *u = &units->first; u && !err; u = next_unit(u))
		if (is_used(u) && u->unit->ops->mapped)
			err = u->unit->ops->mapped(u->unit, u->domain_id, iova, len);
	return err;
}

static void invalidate_device_tlbs(struct pt_units *units, dma_addr_t iova, uint64_t len)
{
	for (struct pt_unit *u = &units->first; u; u = next_unit(u))
		if (is_used(u) && u->unit->ops->invalidate_device_tlb)
			u->unit->ops->invalidate_device_tlb(u->unit, u->domain_id, iova, len);
}

void dmamap_units_invalidate(struct pt_units *units, dma_addr_t iova, uint64_t len, bool leaf_only)
{
	for (struct pt_unit *u = &units->first; u; u = next_unit(u))
		if (is_used(u) && u->unit->ops->invalidate)
			u->unit->ops->invalidate(u->unit, u->domain_id, iova, len, leaf_only);
	if (!__atomic_load_n(&units->device_tlbs, __ATOMIC_ACQUIRE))
		return;
	/* a device must not fetch again what its unit still has */
	dmamap_units_wait(units);
	invalidate_device_tlbs(units, iova, len);
}

void dmamap_units_wait(struct pt_units *units)
{
	for (struct pt_unit *u = &units->first; u; u = next_unit(u))
		if (is_used(u) && u->unit->ops->wait)
			u->unit->ops->wait(u->unit);
}

static DMAMAP_COLD void forget_several(struct pt_units *units, dma_addr_t iova, uint64_t len)
{
	dmamap_units_invalidate(units, iova, len, true);
	dmamap_units_wait(units);
}

void dmamap_pt_forget(struct dma_backend *backend, dma_addr_t iova, uint64_t len)
{
	struct pt_units *units = &pt_of(backend)->units;
	struct dma_iommu_unit *unit = __atomic_load_n(&units->alone, __ATOMIC_SEQ_CST);

	if (!unit) {
		forget_several(units, iova, len);
		return;
	}
	if (unit->ops->invalidate)
		unit->ops->invalidate(unit, units->first.domain_id, iova, len, true);
	if (unit->ops->wait)
		unit->ops->wait(unit);
}
