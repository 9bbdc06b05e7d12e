/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Root and context tables: which page table a requester's accesses are translated with (VT-d 9.1, 9.3).
 *
 * An entry that the hardware may be reading changes in one order only. To make one: the high word, then the low word
 * with the present bit. To take one away: the present bit, then, once the hardware has forgotten it, the rest. Each
 * step is cleaned out of the CPU's caches where walks do not snoop.
 */
#include "vtd.h"

bool dmamap_vtd_tables_init(struct dma_vtd *v)
{
	return dmamap_hw_memory_alloc(v->host, VTD_PAGE_SIZE, VTD_PAGE_SIZE,
				      DMA_BIT_MASK(v->info.output_bits), &v->root);
}

void dmamap_vtd_tables_fini(struct dma_vtd *v)
{
	for (unsigned int bus = 0; bus < VTD_BUSES; bus++)
		dmamap_hw_memory_free(v->host, &v->contexts[bus]);
	dmamap_hw_memory_free(v->host, &v->root);
}

static void clean_entry(struct dma_vtd *v, const struct hw_memory *table, unsigned int index)
{
	dmamap_hw_clean(v->host, v->info.coherent_walk,
			table->phys + (uint64_t)index * sizeof(struct vtd_entry),
			sizeof(struct vtd_entry));
}

static void set_entry(struct dma_vtd *v, const struct hw_memory *table, unsigned int index,
		      uint64_t low, uint64_t high)
{
	struct vtd_entry *e = (struct vtd_entry *)table->cpu + index;

	hw_store(&e->high, high);
	hw_store(&e->low, low);
	clean_entry(v, table, index);
}

static struct vtd_entry *context_of(struct dma_vtd *v, uint32_t id)
{
	struct vtd_entry *table = v->contexts[id >> 8].cpu;

	return table ? &table[id & 255] : NULL;
}

/** The context table of a bus, made and hung into the root table if need be. */
static bool add_bus(struct dma_vtd *v, unsigned int bus)
{
	struct hw_memory *table = &v->contexts[bus];

	if (table->size)
		return true;
	if (!dmamap_hw_memory_alloc(v->host, VTD_PAGE_SIZE, VTD_PAGE_SIZE,
				    DMA_BIT_MASK(v->info.output_bits), table))
		return false;
	set_entry(v, &v->root, bus, table->phys | VTD_PRESENT, 0);
	return true;
}

/**
 * Forget a requester's entry, and all translations of its domain. What was not present may be cached too, under number
 * 0, in caching mode (VT-d 6.1).
 */
static void forget(struct dma_vtd *v, uint32_t id, unsigned int old_did, unsigned int did)
{
	if (!v->info.enabled)
		return;
	dmamap_vtd_flush_buffer(v);
	dmamap_vtd_drop_context(v, VTD_DEVICE, old_did, id);
	dmamap_vtd_finish(v); /* the context cache first (6.5.2.1) */
	dmamap_vtd_drop_iotlb(v, VTD_DOMAIN, did, 0);
	dmamap_vtd_finish(v);
}

static bool make_tables(struct dma_vtd *v, const struct hw_attached *a)
{
	for (unsigned int i = 0; i < a->n; i++)
		if (!add_bus(v, a->ids[i] >> 8))
			return false;
	return true;
}

static void clear_context(struct dma_vtd *v, uint32_t id, unsigned int did)
{
	struct vtd_entry *e = context_of(v, id);

	hw_store(&e->low, e->low & ~VTD_PRESENT);
	clean_entry(v, &v->contexts[id >> 8], id & 255);
	forget(v, id, did, did);
	set_entry(v, &v->contexts[id >> 8], id & 255, 0, 0);
}

/** The lock is held. */
static void detach(struct dma_vtd *v, struct hw_attached *a)
{
	for (unsigned int i = 0; i < a->n; i++)
		if (!dmamap_hw_attached_shared(&v->attached, a, a->ids[i]))
			clear_context(v, a->ids[i], a->domain_id);
	dmamap_hw_attached_remove(&v->attached, a);
}

int dmamap_vtd_attach(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int domain_id,
		      phys_addr_t root, unsigned int levels)
{
	struct dma_vtd *v = vtd_of(unit);
	struct hw_attached *a;
	int err;

	if (vtd_broken(v))
		return -DMAMAP_EIO;
	dmamap_lock(v->host, &v->lock);
	err = dmamap_hw_attached_add(&v->attached, dev, domain_id, &a);
	if (!err && !make_tables(v, a)) {
		dmamap_hw_attached_remove(&v->attached, a);
		err = -DMAMAP_ENOMEM;
	}
	for (unsigned int i = 0; !err && i < a->n; i++) {
		uint32_t id = a->ids[i];

		if (context_of(v, id)->low & VTD_PRESENT)
			continue; /* it shares the number with another device of the domain */
		set_entry(v, &v->contexts[id >> 8], id & 255, root | VTD_PRESENT,
			  VTD_CONTEXT_DID(domain_id) | (levels - 2));
		forget(v, id, 0, domain_id);
	}
	if (!err && vtd_broken(v)) {
		detach(v, a);
		err = -DMAMAP_EIO;
	}
	dmamap_unlock(v->host, &v->lock);
	return err;
}

void dmamap_vtd_detach(struct dma_iommu_unit *unit, struct dma_device *dev)
{
	struct dma_vtd *v = vtd_of(unit);
	struct hw_attached *a;

	dmamap_lock(v->host, &v->lock);
	a = dmamap_hw_attached_find(&v->attached, dev);
	if (a)
		detach(v, a);
	dmamap_unlock(v->host, &v->lock);
}
