/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The history of mappings: events become records (records.c), and questions are answered from them.
 *
 * An unmap is told after the device has lost the addresses, so that another thread may have mapped them anew before
 * this room hears of it; lists and allocations are told before. Both are put right by what records.c does.
 */
#include "history.h"

#define CAPACITY_MAX (1u << 24)

/* --- events */

/** What every event says of a mapping. */
static struct dma_history_record describe(const struct dma_history *h, const struct dma_event *e,
					  enum dma_mapping_kind kind)
{
	const char *name = dmamap_device_name(e->dev);
	struct dma_history_record r = {
		.device = e->dev,
		.domain = e->route == DMA_ROUTE_IOMMU ? dmamap_dev(e->dev)->domain : NULL,
		.dma_addr = e->dma_addr,
		.len = e->size,
		.phys = DMAMAP_PHYS_NONE,
		.dir = e->dir,
		.attrs = e->attrs,
		.kind = kind,
		.call_site = h->host->call_site ? h->host->call_site(h->host) : 0,
	};

	for (size_t i = 0; i + 1 < sizeof(r.name) && name[i]; i++)
		r.name[i] = name[i];
	return r;
}

static void add(struct dma_history *h, const struct dma_event *e,
		const struct dma_history_record *r)
{
	uint64_t now = dmamap_time(h->host);

	dmamap_lock(h->host, &h->lock);
	dmamap_records_add(h, space_of(e->dev, e->route), r, now);
	dmamap_unlock(h->host, &h->lock);
}

static void add_single(struct dma_history *h, const struct dma_event *e, enum dma_mapping_kind kind)
{
	struct dma_history_record r = describe(h, e, kind);

	if (e->type == DMA_EVENT_MAP_PHYS || e->type == DMA_EVENT_LINK)
		r.phys = e->phys;
	if (r.len)
		add(h, e, &r);
}

/** Segments are made of elements that follow each other: the first one tells where a segment begins in memory. */
static void add_list(struct dma_history *h, const struct dma_event *e)
{
	struct scatterlist *seg = (struct scatterlist *)(uintptr_t)e->sgl;
	struct scatterlist *element = seg;
	struct dma_history_record r = describe(h, e, DMA_MAPPED_LIST);

	for (unsigned int i = 0; i < e->ents && seg; i++, seg = sg_next(seg)) {
		uint64_t left = sg_dma_len(seg);

		r.dma_addr = sg_dma_address(seg);
		r.len = left;
		r.phys = element ? sg_phys(element) : DMAMAP_PHYS_NONE;
		r.attrs = e->attrs;
		if (element && (element->dma_flags & DMAMAP_SG_PEER))
			r.attrs |= DMA_ATTR_MMIO;
		while (element && left >= element->length) {
			left -= element->length;
			element = sg_next(element);
		}
		if (r.len)
			add(h, e, &r);
	}
}

/** Take note that [@addr, @addr + @len) was unmapped: one record, or for links all that lie there. */
static void end(struct dma_history *h, const struct dma_event *e, dma_addr_t addr, uint64_t len)
{
	const void *space = space_of(e->dev, e->route);
	uint64_t now = dmamap_time(h->host);
	struct record *record;
	uint64_t done = 0;

	dmamap_lock(h->host, &h->lock);
	do {
		record = dmamap_records_live(h, space, addr + done, len);
		if (!record)
			record = dmamap_records_live(h, space, addr + done, 0);
		if (!record)
			break;
		done += record->r.len;
		dmamap_records_end(h, record, now);
	} while (e->type == DMA_EVENT_UNLINK && done < len);
	h->stats.unknown_unmaps += !done;
	dmamap_unlock(h->host, &h->lock);
}

static void end_list(struct dma_history *h, const struct dma_event *e)
{
	struct scatterlist *sg = (struct scatterlist *)(uintptr_t)e->sgl;

	for (unsigned int i = 0; i < e->nents && sg; i++, sg = sg_next(sg))
		if (sg_dma_len(sg))
			end(h, e, sg_dma_address(sg), sg_dma_len(sg));
}

static void observe(struct dma_observer *observer, const struct dma_event *e)
{
	struct dma_history *h = history_of(observer);

	if (e->reason != DMA_REASON_NONE || !e->dev)
		return;
	switch (e->type) {
	case DMA_EVENT_MAP_PHYS:
		add_single(h, e, DMA_MAPPED_SINGLE);
		break;
	case DMA_EVENT_LINK:
		add_single(h, e, DMA_MAPPED_LINKED);
		break;
	case DMA_EVENT_ALLOC:
	case DMA_EVENT_ALLOC_PAGES:
	case DMA_EVENT_ALLOC_SGT:
		add_single(h, e, DMA_MAPPED_ALLOCATED);
		break;
	case DMA_EVENT_MAP_SG:
		add_list(h, e);
		break;
	case DMA_EVENT_UNMAP_PHYS:
	case DMA_EVENT_UNLINK:
	case DMA_EVENT_FREE:
	case DMA_EVENT_FREE_PAGES:
	case DMA_EVENT_FREE_SGT:
		end(h, e, e->dma_addr, e->size);
		break;
	case DMA_EVENT_UNMAP_SG:
		end_list(h, e);
		break;
	default:
		break;
	}
}

/* --- life */

/** Bytes of a history; *@chains: a power of two above half of @capacity. */
static uint64_t history_bytes(uint32_t capacity, uint32_t *chains)
{
	*chains = 1u << ceil_log2(capacity);
	return sizeof(struct dma_history) + capacity * sizeof(struct record) +
	       *chains * sizeof(uint32_t);
}

int dmamap_history_create(struct dma_host *host, uint32_t capacity, struct dma_history **history)
{
	struct dma_history *h;
	uint32_t chains;
	uint64_t bytes;

	if (!host || !history || !capacity || capacity > CAPACITY_MAX)
		return -DMAMAP_EINVAL;
	bytes = history_bytes(capacity, &chains);
	h = dmamap_pages_alloc(host, bytes, ~(phys_addr_t)0, DMAMAP_GFP_KERNEL, NULL);
	if (!h)
		return -DMAMAP_ENOMEM;
	h->observer.event = observe;
	h->host = host;
	h->bytes = bytes;
	h->records = (struct record *)(void *)(h + 1);
	h->chains = (uint32_t *)(void *)(h->records + capacity);
	h->chain_mask = chains - 1;
	h->stats.capacity = capacity;
	dmamap_lock_init(host, &h->lock);
	dmamap_records_init(h);
	__atomic_fetch_add(&dmamap_host(host)->objects, 1, __ATOMIC_RELAXED);
	*history = h;
	return 0;
}

int dmamap_history_destroy(struct dma_history *h)
{
	struct dma_host *host;

	if (!h)
		return 0;
	if (h->attached)
		return -DMAMAP_EBUSY;
	host = h->host;
	dmamap_lock_fini(host, &h->lock);
	dmamap_pages_free(host, h, h->bytes);
	__atomic_fetch_sub(&dmamap_host(host)->objects, 1, __ATOMIC_RELEASE);
	return 0;
}

int dmamap_history_attach(struct dma_history *h)
{
	int err;

	if (!h)
		return -DMAMAP_EINVAL;
	if (h->attached)
		return -DMAMAP_EBUSY;
	/* what was live when nobody listened any more may be anything now */
	dmamap_records_forget_live(h);
	err = dmamap_observer_attach(h->host, &h->observer);
	h->attached = !err;
	return err;
}

int dmamap_history_detach(struct dma_history *h)
{
	int err = h ? dmamap_observer_detach(h->host, &h->observer) : -DMAMAP_EINVAL;

	if (!err)
		h->attached = false;
	return err;
}

void dmamap_history_get_stats(struct dma_history *h, struct dma_history_stats *stats)
{
	dmamap_lock(h->host, &h->lock);
	*stats = h->stats;
	dmamap_unlock(h->host, &h->lock);
}

/* --- questions */

int dmamap_history_look(struct dma_history *h, struct dma_device *dev, struct dma_domain *domain,
			dma_addr_t addr, history_look_fn look, struct dma_history_record *out)
{
	struct record *record = NULL;

	if (dev && !domain)
		domain = dmamap_dev(dev)->domain;
	dmamap_lock(h->host, &h->lock);
	if (domain)
		record = look(h, domain, addr);
	if (!record && dev)
		record = look(h, dev, addr);
	if (record)
		*out = record->r;
	dmamap_unlock(h->host, &h->lock);
	return record ? 0 : -DMAMAP_ENXIO;
}

int dmamap_history_find(struct dma_history *h, struct dma_device *dev, struct dma_domain *domain,
			dma_addr_t addr, struct dma_history_record *record)
{
	if (!h || !record || (!dev && !domain))
		return -DMAMAP_EINVAL;
	return dmamap_history_look(h, dev, dev ? NULL : domain, addr, dmamap_records_holding,
				   record);
}
