/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vectors behind an IOMMU: one range of I/O addresses (two-step mapping), and each vector linked into it with its own
 * protection.
 *
 * The layout follows from the vectors alone: each takes whole granules, right behind the ones before. Map, unmap and
 * report walk the same pieces, so nothing has to be remembered, and physical addresses are never looked up in the
 * tables: maintenance walks the vectors. Bus addresses have no place in the run. Unlike dma_iova_link() a run has
 * vectors in its middle that begin inside of a granule; each of them begins a range of its own for the device.
 */
#include "base/host.h"
#include "internal.h"
#include "iommu/twostep.h"

/** Whole granules that are contiguous on both sides and of one kind: what one map: record is about. */
struct piece {
	phys_addr_t phys;
	uint64_t len;
	bool mmio;
};

struct walk {
	const struct dma_vec_map *map;
	uint64_t mask; /* of a granule */
	size_t i;      /* of the vector that comes next */
	uint64_t at;   /* from the start of the run */
};

static struct walk walk_start(const struct dma_vec_map *map)
{
	return (struct walk){ .map = map, .mask = dmamap_iommu_granule_mask(map->dev) };
}

/** The granules of the next vector that has some; false at the end, or where 64 bits do not hold the run (i < n). */
static bool walk_peek(struct walk *w, struct piece *piece)
{
	const struct dma_phys_vec *vecs = w->map->vecs;
	uint64_t begin;
	uint64_t size;

	while (w->i < w->map->nr && vec_is_bus(&vecs[w->i]))
		w->i++;
	if (w->i == w->map->nr)
		return false;
	begin = vecs[w->i].phys & ~w->mask;
	size = vecs[w->i].phys - begin + vecs[w->i].len;
	if (size < vecs[w->i].len || size > ~w->mask)
		return false;
	size = round_up(size, w->mask + 1);
	if (range_wraps(begin, size) || add_wraps(w->at, size))
		return false;
	*piece = (struct piece){ begin, size, vec_is_mmio(w->map, &vecs[w->i]) };
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

/** Bytes of I/O addresses: whole granules for each vector; 0 if there are none, or more than a range can have. */
static uint64_t layout_size(const struct dma_vec_map *map)
{
	struct walk w = walk_start(map);
	struct piece piece;

	while (walk_peek(&w, &piece))
		walk_take(&w, &piece);
	return w.i == map->nr && !(w.at & DMA_IOVA_USE_SWIOTLB) ? w.at : 0;
}

/** Is there RAM that an untrusted device may only have through a bounce slot? Then there is no run. */
static bool bounces(const struct dma_vec_map *map)
{
	uint64_t mask = dmamap_iommu_granule_mask(map->dev);

	for (size_t i = 0; dmamap_dev(map->dev)->untrusted && i < map->nr; i++)
		if (vec_is_ram(map, &map->vecs[i]) &&
		    ((map->vecs[i].phys | map->vecs[i].len) & mask))
			return true;
	return false;
}

/* --- links */

/** Pieces of one protection are linked together. */
#define BATCH 32u

struct batch {
	struct dma_vec vec[BATCH];
	uint32_t n;
	bool mmio;
	uint64_t at; /* up to here, from the start of the run, everything is linked */
	uint64_t len;
	size_t first; /* vector that the batch begins with */
};

static int batch_link(struct dma_vec_map *map, struct batch *b, enum dma_reason *reason)
{
	unsigned long attrs = b->mmio ? map->attrs | DMA_ATTR_MMIO : map->attrs;
	unsigned int prot = dmamap_iommu_prot(dmamap_dev(map->dev)->coherent, map->dir, attrs);
	int err = b->n ? dmamap_twostep_enter(&map->iova, b->at, b->vec, b->n, prot, reason) : 0;

	if (err)
		return err;
	b->at += b->len;
	b->len = 0;
	b->n = 0;
	return 0;
}

static int link_pieces(struct dma_vec_map *map, struct batch *b, enum dma_reason *reason)
{
	struct walk w = walk_start(map);
	size_t first = 0;
	struct piece piece;
	int err = 0;

	while (!err && pieces_next(&w, &piece)) {
		if (b->n == BATCH || piece.mmio != b->mmio)
			err = batch_link(map, b, reason);
		if (err)
			break;
		if (!b->n)
			b->first = first;
		b->mmio = piece.mmio;
		b->vec[b->n++] = (struct dma_vec){ piece.phys, piece.len };
		b->len += piece.len;
		first = w.i;
	}
	return err ? err : batch_link(map, b, reason);
}

/** Cache maintenance of the RAM among the vectors, exactly its bytes. For the device dmamap_twostep_sync() waits. */
static void maintain(const struct dma_vec_map *map, unsigned long attrs, bool for_cpu)
{
	const struct dmamap_dev *d = dmamap_dev(map->dev);

	if (d->coherent || (attrs & DMA_ATTR_SKIP_CPU_SYNC))
		return;
	for (size_t i = 0; i < map->nr; i++) {
		const struct dma_phys_vec *vec = &map->vecs[i];

		if (!vec_is_ram(map, vec))
			continue;
		if (for_cpu)
			dmamap_cache_for_cpu(d->host, vec->phys, vec->len, map->dir);
		else
			dmamap_cache_for_device(d->host, vec->phys, vec->len, map->dir);
	}
	if (for_cpu)
		dmamap_cache_cpu_done(d->host);
}

/* --- map and unmap */

bool dmamap_vec_may_run(const struct dma_vec_map *map)
{
	const struct dmamap_dev *d = dmamap_dev(map->dev);

	return d->route == DMA_ROUTE_IOMMU &&
	       dev_min_align(d) <= dmamap_iommu_granule_mask(map->dev) && !bounces(map) &&
	       layout_size(map);
}

int dmamap_vec_map_run(struct dma_vec_map *map, struct dma_error *why)
{
	struct dma_device *dev = map->dev;
	uint64_t total = layout_size(map);
	struct batch batch = { .n = 0 };
	struct dma_error ignored;
	enum dma_reason reason;
	int err;

	if (!dmamap_twostep_alloc(dev, &map->iova, 0, total, why))
		return why->err;
	map->base = map->iova.addr;
	maintain(map, map->attrs, false);
	err = link_pieces(map, &batch, &reason);
	if (!err) {
		err = dmamap_twostep_sync(dev, &map->iova, 0, total, why);
		if (!err)
			return 0;
		reason = why->reason;
	}
	if (batch.at)
		dmamap_twostep_unlink(dev, &map->iova, 0, batch.at, map->dir,
				      DMA_ATTR_SKIP_CPU_SYNC, &ignored);
	dmamap_twostep_free(dev, &map->iova, &ignored);
	fail_range(why, dev, reason, err, map->vecs[batch.first].phys, total);
	why->have = batch.first;
	return err;
}

int dmamap_vec_unmap_run(struct dma_vec_map *map, unsigned long attrs, struct dma_error *why)
{
	maintain(map, map->attrs | attrs, true);
	return dmamap_twostep_destroy(map->dev, &map->iova, layout_size(map), map->dir,
				      DMA_ATTR_SKIP_CPU_SYNC, why);
}
