/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vectors behind an IOMMU: one run of I/O addresses, and each vector entered into it with its own protection.
 *
 * The layout follows from the vectors alone: each takes whole granules, right behind the ones before. Map, unmap and
 * report walk the same pieces, so nothing has to be remembered, a backend may be one that unmaps only what it mapped,
 * and physical addresses are never looked up in the tables. Bus addresses have no place in the run.
 */
#include "domain.h"
#include "iommu.h"

/** Whole granules that are contiguous on both sides and of one kind: what one map: record is about. */
struct piece {
	phys_addr_t phys;
	uint64_t at; /* from the start of the run */
	uint64_t len;
	bool mmio;
};

struct walk {
	const struct dma_domain *domain;
	const struct dmamap_run *run;
	size_t i; /* of the vector that comes next */
	uint64_t at;
};

static struct walk walk_start(const struct dma_device *dev, const struct dmamap_run *run)
{
	return (struct walk){ .domain = dmamap_dev(dev)->domain, .run = run };
}

/** The granules of the next vector that has some; false at the end, or where 64 bits do not hold the run (i < n). */
static bool walk_peek(struct walk *w, struct piece *piece)
{
	const struct dmamap_run *run = w->run;
	struct granules g;

	while (w->i < run->n && (run->vecs[w->i].flags & DMA_VEC_BUS_ADDRESS))
		w->i++;
	if (w->i == run->n ||
	    !granules_of(w->domain, run->vecs[w->i].phys, run->vecs[w->i].len, &g) ||
	    add_wraps(w->at, g.size))
		return false;
	*piece = (struct piece){ g.start, w->at, g.size, run_vec_is_mmio(run, w->i) };
	return true;
}

static void walk_take(struct walk *w, const struct piece *piece)
{
	w->at += piece->len;
	w->i++;
}

static bool pieces_next(struct walk *w, struct piece *piece)
{
	struct piece more;

	if (!walk_peek(w, piece))
		return false;
	walk_take(w, piece);
	while (walk_peek(w, &more) && more.phys == piece->phys + piece->len &&
	       more.mmio == piece->mmio) {
		walk_take(w, &more);
		piece->len += more.len;
	}
	return true;
}

uint64_t dmamap_iommu_run_size(const struct dma_device *dev, const struct dmamap_run *run)
{
	struct walk w = walk_start(dev, run);
	struct piece piece;

	while (walk_peek(&w, &piece))
		walk_take(&w, &piece);
	return w.i == run->n ? w.at : 0;
}

bool dmamap_iommu_run_bounces(const struct dma_device *dev, const struct dmamap_run *run)
{
	uint64_t mask = dmamap_iommu_granule_mask(dev);

	for (size_t i = 0; dmamap_dev(dev)->untrusted && i < run->n; i++)
		if (run_vec_is_ram(run, i) && ((run->vecs[i].phys | run->vecs[i].len) & mask))
			return true;
	return false;
}

/* --- entering and clearing */

/** Pieces of one protection go to the backend together. */
#define BATCH 32u

struct batch {
	struct dma_vec vec[BATCH];
	uint32_t n;
	bool mmio;
	uint64_t at; /* up to here entries stand */
	uint64_t len;
	size_t first; /* vector that the batch begins with */
};

static int batch_enter(struct dma_device *dev, dma_addr_t base, const struct dmamap_run *run,
		       struct batch *b)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	unsigned long attrs = b->mmio ? run->attrs | DMA_ATTR_MMIO : run->attrs;
	unsigned int prot = dmamap_iommu_prot(d->coherent, run->dir, attrs);
	int err = b->n ? dmamap_domain_enter(d->domain, base + b->at, b->vec, b->n, prot) : 0;

	if (err)
		return err;
	b->at += b->len;
	b->len = 0;
	b->n = 0;
	return 0;
}

static int enter_pieces(struct dma_device *dev, dma_addr_t base, const struct dmamap_run *run,
			struct batch *b)
{
	struct walk w = walk_start(dev, run);
	size_t first = 0;
	struct piece piece;
	int err = 0;

	while (!err && pieces_next(&w, &piece)) {
		if (b->n == BATCH || piece.mmio != b->mmio)
			err = batch_enter(dev, base, run, b);
		if (err)
			break;
		if (!b->n)
			b->first = first;
		b->mmio = piece.mmio;
		b->vec[b->n++] = (struct dma_vec){ piece.phys, piece.len };
		b->len += piece.len;
		first = w.i;
	}
	return err ? err : batch_enter(dev, base, run, b);
}

/** Clear what stands below @limit of the run; true if all of it was mapped. */
static bool clear_pieces(struct dma_device *dev, dma_addr_t base, const struct dmamap_run *run,
			 uint64_t limit)
{
	struct dma_domain *domain = dmamap_dev(dev)->domain;
	struct walk w = walk_start(dev, run);
	struct piece piece;
	bool whole = true;

	while (pieces_next(&w, &piece) && piece.at < limit)
		whole = dmamap_domain_clear(domain, base + piece.at, piece.len) == piece.len &&
			whole;
	return whole;
}

/** Addresses, entries, sync_map; whatever fails is undone. 0, or -errno, *@reason, and b->first. */
static int enter_run(struct dma_device *dev, const struct dmamap_run *run, uint64_t total,
		     dma_addr_t *base, struct batch *b, enum dma_reason *reason)
{
	struct dma_domain *domain = dmamap_dev(dev)->domain;
	int err;

	if (!dmamap_domain_alloc(domain, dev, total, dmamap_get_mask(dev), base, reason))
		return -DMAMAP_ENOMEM;
	err = enter_pieces(dev, *base, run, b);
	if (!err)
		err = dmamap_domain_sync_map(domain, *base, total);
	if (!err)
		return 0;
	*reason = dmamap_backend_reason(err);
	if (b->at) {
		clear_pieces(dev, *base, run, b->at);
		dmamap_domain_retire(domain, *base, total, true);
	} else {
		dmamap_domain_unalloc(domain, *base, total);
	}
	return err;
}

/* --- map and unmap */

static void maintain(struct dma_device *dev, const struct dmamap_run *run, bool for_cpu)
{
	const struct dmamap_dev *d = dmamap_dev(dev);

	if (d->coherent || (run->attrs & DMA_ATTR_SKIP_CPU_SYNC))
		return;
	for (size_t i = 0; i < run->n; i++) {
		if (!run_vec_is_ram(run, i))
			continue;
		if (for_cpu)
			dmamap_cache_for_cpu(d->host, run->vecs[i].phys, run->vecs[i].len,
					     run->dir);
		else
			dmamap_cache_for_device(d->host, run->vecs[i].phys, run->vecs[i].len,
						run->dir);
	}
	if (for_cpu)
		dmamap_cache_cpu_done(d->host);
	else
		dmamap_cache_flush(d->host);
}

static void report_map(struct dma_device *dev, const struct dmamap_run *run, dma_addr_t base)
{
	struct walk w = walk_start(dev, run);
	struct piece piece;

	while (host_observed(dev_host(dev)) && pieces_next(&w, &piece))
		dmamap_domain_report_map(dmamap_dev(dev)->domain, base + piece.at, piece.phys,
					 piece.len);
}

int dmamap_iommu_map_run(struct dma_device *dev, const struct dmamap_run *run, dma_addr_t *base,
			 struct dma_error *why)
{
	struct dma_domain *domain = dmamap_dev(dev)->domain;
	uint64_t total = dmamap_iommu_run_size(dev, run);
	struct batch batch = { .n = 0 };
	enum dma_reason reason;
	int err;

	maintain(dev, run, false);
	domain_lock(domain);
	err = enter_run(dev, run, total, base, &batch, &reason);
	domain_unlock(domain);
	if (err) {
		fail_range(why, dev, reason, err, run->vecs[batch.first].phys, total);
		why->have = batch.first;
		return err;
	}
	report_map(dev, run, *base);
	dev_live_add(dmamap_dev(dev), 1);
	return 0;
}

bool dmamap_iommu_unmap_run(struct dma_device *dev, const struct dmamap_run *run, dma_addr_t base,
			    struct dma_error *why)
{
	struct dma_domain *domain = dmamap_dev(dev)->domain;
	uint64_t total = dmamap_iommu_run_size(dev, run);
	bool whole;

	maintain(dev, run, true);
	domain_lock(domain);
	whole = clear_pieces(dev, base, run, total);
	if (whole)
		dmamap_domain_retire(domain, base, total, false);
	domain_unlock(domain);
	if (!whole) {
		fail_range(why, dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, base, total);
		return false;
	}
	dmamap_domain_report_unmap(domain, base, total, total);
	dev_live_sub(dmamap_dev(dev), 1);
	return true;
}
