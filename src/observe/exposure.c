/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exposure: a walk over the leaves of a domain, beside the sorted list of what is mapped
 * (docs/semantics.md, "Exposure").
 */
#include <dmamap/exposure.h>

#include "base/domain.h"
#include "history.h"

struct kind_text {
	const char *name;
	const char *what;
};

static const struct kind_text kinds[] = {
#define KIND_TEXT(sym, name, what) { name, what },
	DMA_EXPOSURES(KIND_TEXT)
#undef KIND_TEXT
};

static const struct kind_text unknown_kind = { "unknown-kind", "the kind has no name" };

static const struct kind_text *kind_text(enum dma_exposure_kind kind)
{
	return (unsigned int)kind < DMA_EXPOSED_COUNT ? &kinds[kind] : &unknown_kind;
}

const char *dmamap_exposure_name(enum dma_exposure_kind kind)
{
	return kind_text(kind)->name;
}

const char *dmamap_exposure_what(enum dma_exposure_kind kind)
{
	return kind_text(kind)->what;
}

/** A live mapping, as bytes. */
struct part {
	dma_addr_t first;
	dma_addr_t last;
	phys_addr_t phys; /* of the first byte; NONE: not told */
	struct dma_device *device;
	unsigned int prot;
	bool untrusted;
};

struct look {
	struct dma_domain *domain;
	const struct dmamap_domain_view *view;
	uint64_t granule;
	struct dma_device *dev;
	struct dma_host *host;
	struct part *parts;
	uint64_t n;
	dma_exposure_fn fn;
	void *arg;
	struct dma_exposure_totals totals;
	/** Told in one piece with what follows it. */
	struct dma_exposure open;
};

/* --- what is told */

static void tell_open(struct look *l)
{
	const struct dma_exposure *e = &l->open;

	if (!e->len)
		return;
	l->totals.bytes[e->kind] += e->len;
	l->totals.exposed += e->len;
	if (l->fn)
		l->fn(l->arg, e);
	l->open.len = 0;
}

/** [first, last] is exposed; @leaf tells where it lies, NULL: nobody knows. */
static void tell(struct look *l, enum dma_exposure_kind kind, dma_addr_t first, dma_addr_t last,
		 const struct dma_leaf *leaf, unsigned int prot, struct dma_device *device)
{
	struct dma_exposure *e = &l->open;
	phys_addr_t phys = leaf ? leaf->phys + (first - leaf->iova) : DMAMAP_PHYS_NONE;

	if (e->len && leaf && e->kind == kind && e->dma_addr + e->len == first &&
	    e->phys + e->len == phys && e->prot == prot && e->device == device) {
		e->len += last - first + 1;
		return;
	}
	tell_open(l);
	*e = (struct dma_exposure){ kind, first, last - first + 1, phys, prot, device };
}

/* --- what is mapped */

/** Whole pages belong to an allocation; nobody else's bytes are in them. */
static struct part part_of(const struct look *l, const struct record *record)
{
	const struct dma_history_record *r = &record->r;
	struct part p = { .first = r->dma_addr,
			  .last = r->dma_addr + (r->len - 1),
			  .phys = r->phys,
			  .device = r->device,
			  .untrusted = record->untrusted };

	if (r->kind == DMA_MAPPED_ALLOCATED) {
		p.first = round_down(p.first, l->granule);
		p.last |= l->granule - 1;
	}
	if (r->dir != DMA_FROM_DEVICE)
		p.prot |= DMA_PROT_READ;
	if (r->dir != DMA_TO_DEVICE)
		p.prot |= DMA_PROT_WRITE;
	return p;
}

static void sift_down(struct part *parts, uint64_t at, uint64_t n)
{
	const struct part moving = parts[at];
	uint64_t child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && parts[child + 1].first > parts[child].first)
			child++;
		if (parts[child].first <= moving.first)
			break;
		parts[at] = parts[child];
		at = child;
	}
	parts[at] = moving;
}

static void sort(struct part *parts, uint64_t n)
{
	for (uint64_t i = n / 2; i-- > 0;)
		sift_down(parts, i, n);
	for (uint64_t end = n; end > 1; end--) {
		const struct part largest = parts[0];

		parts[0] = parts[end - 1];
		parts[end - 1] = largest;
		sift_down(parts, 0, end - 1);
	}
}

/** The live mappings of the domain, sorted. *@room: bytes taken for them. */
static int collect(struct look *l, struct dma_history *h, uint64_t *room)
{
	uint64_t live;

	dmamap_lock(h->host, &h->lock);
	live = h->stats.live;
	dmamap_unlock(h->host, &h->lock);
	*room = (live + 1) * sizeof(*l->parts);
	l->parts = dmamap_pages_alloc(h->host, *room, ~(phys_addr_t)0, DMAMAP_GFP_KERNEL, NULL);
	if (!l->parts)
		return -DMAMAP_ENOMEM;
	dmamap_lock(h->host, &h->lock);
	for (uint32_t i = h->live.first; i != NO_RECORD && l->n < live; i = h->records[i].next) {
		const struct record *record = &h->records[i];

		if (record->space != l->domain)
			continue;
		l->parts[l->n] = part_of(l, record);
		if (!l->dev || record->r.device == l->dev)
			l->totals.mapped += record->r.len;
		l->n++;
	}
	dmamap_unlock(h->host, &h->lock);
	sort(l->parts, l->n);
	return 0;
}

/* --- what the leaves have on top */

/**
 * Is what shares the granule of byte @at, which is @p's, nobody's? An untrusted device gets such bytes in a copy whose
 * rest is zero: the memory is not where the mapping asked for.
 */
static bool is_padding(const struct part *p, dma_addr_t at, const struct dma_leaf *leaf)
{
	return p->untrusted && p->phys != DMAMAP_PHYS_NONE &&
	       leaf->phys + (at - leaf->iova) != p->phys + (at - p->first);
}

/** [first, last] shares a granule with byte @beside of @p. */
static void slack(struct look *l, dma_addr_t first, dma_addr_t last, const struct dma_leaf *leaf,
		  const struct part *p, dma_addr_t beside)
{
	if (!is_padding(p, beside, leaf))
		tell(l, DMA_EXPOSED_SLACK, first, last, leaf, leaf->prot, p->device);
}

/** Nothing is mapped in [first, last], whole granules; direct regions and pages of doorbells are granules too. */
static void nobodys(struct look *l, dma_addr_t first, dma_addr_t last, const struct dma_leaf *leaf)
{
	for (dma_addr_t at = first;; at += l->granule) {
		bool known = l->view->is_reserved(l->domain, at, leaf->phys + (at - leaf->iova));

		tell(l, known ? DMA_EXPOSED_RESERVED : DMA_EXPOSED_UNKNOWN, at,
		     at + (l->granule - 1), leaf, leaf->prot, NULL);
		if (last - at < l->granule)
			return;
	}
}

/** Nothing is mapped in [first, last] of a leaf. @before ends, @behind begins beside it; NULL: the leaf does. */
static void gap(struct look *l, dma_addr_t first, dma_addr_t last, const struct dma_leaf *leaf,
		const struct part *before, const struct part *behind)
{
	uint64_t mask = l->granule - 1;
	dma_addr_t end = first | mask;

	if (before && (first & mask)) {
		end = min_u64(end, last);
		slack(l, first, end, leaf, before, before->last);
		if (end == last)
			return;
		first = end + 1;
	}
	if (!behind || (last & mask) == mask) {
		nobodys(l, first, last, leaf);
		return;
	}
	end = (last & ~mask) - 1; /* may lie right before first */
	if (end != first - 1)
		nobodys(l, first, end, leaf);
	slack(l, end + 1, last, leaf, behind, behind->first);
}

/** The bytes of a mapping that are in the leaf: may the device do there what it may not? */
static void check_part(struct look *l, const struct part *p, dma_addr_t first, dma_addr_t last,
		       const struct dma_leaf *leaf)
{
	unsigned int more = leaf->prot & ~p->prot;

	if (l->dev && p->device != l->dev) {
		tell(l, DMA_EXPOSED_OTHER_DEVICE, first, last, leaf, leaf->prot, p->device);
		return;
	}
	if (more & DMA_PROT_READ)
		tell(l, DMA_EXPOSED_READ, first, last, leaf, DMA_PROT_READ, p->device);
	if (more & DMA_PROT_WRITE)
		tell(l, DMA_EXPOSED_WRITE, first, last, leaf, DMA_PROT_WRITE, p->device);
}

/** @next: the first mapping that may reach into this leaf, or one above. */
static void check_leaf(struct look *l, const struct dma_leaf *leaf, uint64_t *next)
{
	dma_addr_t last = leaf->iova + (leaf->len - 1);
	dma_addr_t at = leaf->iova;
	const struct part *before = NULL;

	for (; *next < l->n && l->parts[*next].first <= last; ++*next) {
		const struct part *p = &l->parts[*next];
		dma_addr_t end = min_u64(p->last, last);

		if (p->last < at)
			continue; /* holds nothing that the tables have */
		if (p->first > at)
			gap(l, at, p->first - 1, leaf, before, p);
		check_part(l, p, p->first > at ? p->first : at, end, leaf);
		if (end == last)
			return;
		at = end + 1;
		before = p;
	}
	gap(l, at, last, leaf, before, NULL);
}

/** A leaf's protection as far as devices are concerned. */
static void check_leaves(struct look *l, int *err)
{
	struct dma_leaf leaf;
	dma_addr_t at = 0;
	uint64_t next = 0;

	while (!(*err = l->view->next_leaf(l->domain, at, &leaf))) {
		leaf.prot &= DMA_PROT_READ | DMA_PROT_WRITE;
		l->totals.reachable += leaf.len;
		check_leaf(l, &leaf, &next);
		at = leaf.iova + leaf.len;
		if (!at) /* the last one there is */
			break;
	}
	if (*err == -DMAMAP_ENXIO)
		*err = 0;
	tell_open(l);
}

/* --- what was unmapped and is cached */

static int check_waiting(struct look *l)
{
	uint64_t max = l->view->waiting(l->domain, NULL, 0);
	uint64_t bytes = max * sizeof(struct dmamap_io_range);
	struct dmamap_io_range *ranges;
	uint64_t n;

	if (!max)
		return 0;
	ranges = dmamap_pages_alloc(l->host, bytes, ~(phys_addr_t)0, DMAMAP_GFP_KERNEL, NULL);
	if (!ranges)
		return -DMAMAP_ENOMEM;
	n = min_u64(max, l->view->waiting(l->domain, ranges, max));
	for (uint64_t i = 0; i < n; i++)
		tell(l, DMA_EXPOSED_PENDING, ranges[i].first, ranges[i].last, NULL,
		     DMA_PROT_READ | DMA_PROT_WRITE, NULL);
	tell_open(l);
	dmamap_pages_free(l->host, ranges, bytes);
	return 0;
}

/* --- the calls */

static int finish(const struct look *l, int err, struct dma_exposure_totals *totals)
{
	if (!err && totals) {
		*totals = l->totals;
		totals->size = sizeof(*totals);
	}
	return err;
}

int dmamap_exposure(struct dma_domain *domain, struct dma_device *dev, struct dma_history *history,
		    dma_exposure_fn fn, void *arg, struct dma_exposure_totals *totals)
{
	struct look l = { .domain = domain, .dev = dev, .fn = fn, .arg = arg };
	uint64_t room;
	int err;

	if (!domain || !history || !history->attached ||
	    (dev && dmamap_dev(dev)->domain != domain) ||
	    (totals && totals->size != sizeof(*totals)))
		return -DMAMAP_EINVAL;
	l.host = history->host;
	l.view = dmamap_domain_head(domain)->view;
	l.granule = dmamap_domain_head(domain)->granule;
	err = collect(&l, history, &room);
	if (err)
		return err;
	check_leaves(&l, &err);
	if (!err)
		err = check_waiting(&l);
	dmamap_pages_free(l.host, l.parts, room);
	return finish(&l, err, totals);
}

/** Everything that the device can emit, whatever is mapped. */
static int unguarded(struct dma_device *dev, struct dma_history *h, dma_exposure_fn fn, void *arg,
		     struct dma_exposure_totals *totals)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	struct look l = { .fn = fn, .arg = arg };
	uint64_t last = dev_limit(d);

	dmamap_lock(h->host, &h->lock);
	for (uint32_t i = h->live.first; i != NO_RECORD; i = h->records[i].next)
		if (h->records[i].space == dev)
			l.totals.mapped += h->records[i].r.len;
	dmamap_unlock(h->host, &h->lock);
	l.totals.reachable = last + 1 ? last + 1 : last; /* 2^64 does not fit, and is not none */
	l.totals.bytes[DMA_EXPOSED_UNGUARDED] = l.totals.exposed = l.totals.reachable;
	if (fn)
		fn(arg, &(struct dma_exposure){ .kind = DMA_EXPOSED_UNGUARDED,
						.len = last + 1,
						.phys = DMAMAP_PHYS_NONE,
						.prot = DMA_PROT_READ | DMA_PROT_WRITE });
	return finish(&l, 0, totals);
}

int dmamap_device_exposure(struct dma_device *dev, struct dma_history *history, dma_exposure_fn fn,
			   void *arg, struct dma_exposure_totals *totals)
{
	if (!dev || !history || !history->attached || (totals && totals->size != sizeof(*totals)))
		return -DMAMAP_EINVAL;
	if (dmamap_dev(dev)->domain && !dmamap_dev(dev)->identity)
		return dmamap_exposure(dmamap_dev(dev)->domain, dev, history, fn, arg, totals);
	return unguarded(dev, history, fn, arg, totals);
}
