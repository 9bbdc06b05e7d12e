/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists behind an IOMMU: one run of I/O addresses for all elements, so that the device sees few segments.
 *
 * The layout (docs/semantics.md, "Scatterlists behind an IOMMU") follows from the lengths alone: each element takes
 * whole granules; where the next one would cross the device's segment boundary, it begins on that boundary and the gap
 * before it stays unmapped. Map, unmap and report walk the same layout, so nothing has to be remembered but what each
 * element is: peers' memory that has a bus address takes no part in it, peers' memory behind the host bridge is MMIO.
 */
#include "domain.h"
#include "iommu.h"
#include "p2p/p2p.h"
#include "quick_sg.h"

/** One element in the layout. */
struct slot {
	phys_addr_t phys; /* of its first granule */
	uint64_t offset;  /* of the data in it */
	uint64_t len;	  /* whole granules */
	uint64_t at;	  /* from the start of the run */
	bool mmio;
};

struct layout {
	const struct dma_domain *domain;
	uint64_t boundary;
	struct scatterlist *sg;
	int left;
	uint64_t total;
};

static struct layout layout_start(const struct dma_device *dev, struct scatterlist *sg, int nents)
{
	return (struct layout){ dmamap_dev(dev)->domain, dev_boundary(dmamap_dev(dev)), sg, nents,
				0 };
}

static void layout_step(struct layout *l)
{
	l->left--;
	l->sg = l->left ? sg_next(l->sg) : NULL;
}

/** The next element's place; false at the end, or where the list no longer fits 64 bits (left is then not 0). */
static bool layout_next(struct layout *l, struct slot *slot)
{
	struct granules g;
	uint64_t pad;

	while (l->left && (l->sg->dma_flags & DMAMAP_SG_PEER_BUS))
		layout_step(l);
	if (!l->left || !granules_of(l->domain, sg_phys(l->sg), l->sg->length, &g))
		return false;
	pad = (l->boundary + 1 - l->total) & l->boundary;
	if (l->total && pad && pad < g.size - 1)
		l->total += pad;
	if (add_wraps(l->total, g.size))
		return false;
	*slot = (struct slot){ g.start, g.offset, g.size, l->total,
			       (l->sg->dma_flags & DMAMAP_SG_PEER_MMIO) != 0 };
	l->total += g.size;
	layout_step(l);
	return true;
}

/** Bytes of I/O addresses for the list, 0 if it needs none; false if it does not fit. */
static bool layout_size(const struct dma_device *dev, struct scatterlist *sg, int nents,
			uint64_t *total)
{
	struct layout l = layout_start(dev, sg, nents);
	struct slot slot;

	while (layout_next(&l, &slot))
		;
	*total = l.total;
	return !l.left;
}

/** A piece that is contiguous on both sides: what one map call, and one map: record, is about. */
struct piece {
	phys_addr_t phys;
	uint64_t at;
	uint64_t len;
	bool mmio;
};

struct pieces {
	struct layout layout;
	struct slot next;
	bool more;
};

static struct pieces pieces_start(const struct dma_device *dev, struct scatterlist *sg, int nents)
{
	struct pieces p = { .layout = layout_start(dev, sg, nents) };

	p.more = layout_next(&p.layout, &p.next);
	return p;
}

static bool pieces_next(struct pieces *p, struct piece *piece)
{
	if (!p->more)
		return false;
	*piece = (struct piece){ p->next.phys, p->next.at, 0, p->next.mmio };
	while (p->more && p->next.mmio == piece->mmio && p->next.phys == piece->phys + piece->len &&
	       p->next.at == piece->at + piece->len) {
		piece->len += p->next.len;
		p->more = layout_next(&p->layout, &p->next);
	}
	return true;
}

/* --- entering and clearing */

/** Pieces that follow each other in I/O addresses go to the backend together. */
#define BATCH 32u

struct batch {
	struct dma_vec vec[BATCH];
	uint32_t n;
	uint64_t at;
	uint64_t len;
	bool mmio;
	/** Of RAM, and of MMIO. */
	unsigned int prot[2];
};

static int batch_enter(struct dma_domain *domain, dma_addr_t base, struct batch *b)
{
	int err = b->n ? dmamap_domain_enter(domain, base + b->at, b->vec, b->n, b->prot[b->mmio])
		       : 0;

	if (err)
		return err;
	b->at += b->len;
	b->len = 0;
	b->n = 0;
	return 0;
}

/** Enter the whole list; on failure b->at says up to where entries stand. */
static int enter_list(struct dma_domain *domain, dma_addr_t base, struct pieces p, struct batch *b)
{
	struct piece piece;
	int err = 0;

	while (!err && pieces_next(&p, &piece)) {
		if (b->n == BATCH || piece.at != b->at + b->len || piece.mmio != b->mmio)
			err = batch_enter(domain, base, b);
		if (err)
			break;
		if (!b->n)
			b->at = piece.at;
		b->mmio = piece.mmio;
		b->vec[b->n++] = (struct dma_vec){ piece.phys, piece.len };
		b->len += piece.len;
	}
	return err ? err : batch_enter(domain, base, b);
}

/** Clear the first @limit bytes of the run, up to the first hole: returns where that is, or @limit. */
static uint64_t clear_list(struct dma_domain *domain, dma_addr_t base, struct pieces p,
			   uint64_t limit)
{
	struct piece piece;

	while (pieces_next(&p, &piece) && piece.at < limit) {
		uint64_t cleared = dmamap_domain_clear(domain, base + piece.at, piece.len);

		if (cleared != piece.len)
			return piece.at + cleared;
	}
	return limit;
}

/**
 * A list with a hole, which clear_list() found at @hole: what is mapped behind it is cleared too, and all that was goes
 * back piece by piece, at once. Returns the bytes that were mapped.
 */
static uint64_t retire_parts(struct dma_domain *domain, dma_addr_t base, struct pieces p,
			     uint64_t hole)
{
	struct piece piece;
	uint64_t mapped = 0;

	while (pieces_next(&p, &piece)) {
		dma_addr_t iova = base + piece.at;
		uint64_t cleared = piece.at <= hole ? min_u64(piece.len, hole - piece.at)
						    : dmamap_domain_clear(domain, iova, piece.len);

		if (cleared)
			dmamap_domain_retire(domain, iova, cleared, true);
		mapped += cleared;
	}
	return mapped;
}

/** Take the whole run out, or what is mapped of it. Returns the bytes that were: @total, less if there is a hole. */
static uint64_t leave_run(struct dma_domain *domain, dma_addr_t base, const struct pieces *p,
			  uint64_t total)
{
	uint64_t hole = clear_list(domain, base, *p, total);

	if (hole != total)
		return retire_parts(domain, base, *p, hole);
	dmamap_domain_retire(domain, base, total, false);
	return total;
}

static int enter_run(struct dma_device *dev, struct scatterlist *sg, int nents, uint64_t total,
		     const unsigned int prot[2], dma_addr_t *base, enum dma_reason *reason)
{
	struct dma_domain *domain = dmamap_dev(dev)->domain;
	struct batch batch = { .prot = { prot[0], prot[1] } };
	int err;

	if (!dmamap_domain_alloc(domain, dev, total, dmamap_get_mask(dev), base, reason))
		return -DMAMAP_ENOMEM;
	err = enter_list(domain, *base, pieces_start(dev, sg, nents), &batch);
	if (!err)
		err = dmamap_domain_sync_map(domain, *base, total);
	if (!err)
		return 0;
	*reason = dmamap_backend_reason(err);
	clear_list(domain, *base, pieces_start(dev, sg, nents), batch.at);
	dmamap_domain_retire(domain, *base, total, true);
	return err == -DMAMAP_ENOMEM ? err : -DMAMAP_EINVAL;
}

/* --- the device's view of the list */

static void clear_dma_side(struct scatterlist *sg, int nents)
{
	for (int i = 0; i < nents && sg; i++, sg = sg_next(sg)) {
		sg->dma_address = DMA_MAPPING_ERROR;
		sg->dma_length = 0;
		sg->dma_flags &= ~DMAMAP_SG_MARKS;
	}
}

static void clear_marks(struct scatterlist *sg, int nents)
{
	for (int i = 0; i < nents && sg; i++, sg = sg_next(sg))
		sg->dma_flags &= ~DMAMAP_SG_MARKS;
}

/** The list of segments being made, in the elements' device sides from the first on. */
struct segments {
	struct scatterlist *sgl;
	struct scatterlist *last;
	int count;
	/** The last one may grow, and ends there, counted from the run's base. */
	bool open;
	uint64_t end;
};

static void add_segment(struct segments *s, dma_addr_t addr, unsigned int len, bool bus)
{
	s->last = s->last ? sg_next(s->last) : s->sgl;
	s->last->dma_address = addr;
	s->last->dma_length = len;
	s->last->dma_flags |= bus ? DMAMAP_SG_BUS_ADDRESS : 0;
	s->open = !bus;
	s->count++;
}

/**
 * Merge what the device may see as one segment; returns the number of segments. An element is read before its device
 * side is written: there are never more segments than elements.
 */
static int fill_dma_side(struct dma_device *dev, struct scatterlist *sgl, int nents,
			 dma_addr_t base)
{
	struct layout l = layout_start(dev, sgl, nents);
	uint64_t max = dmamap_get_max_seg_size(dev);
	struct segments s = { .sgl = sgl };
	struct scatterlist *sg = sgl;
	struct slot slot;

	for (int i = 0; i < nents; i++, sg = sg_next(sg)) {
		dma_addr_t addr = sg->dma_address; /* a peer's bus address */

		sg->dma_address = DMA_MAPPING_ERROR;
		sg->dma_length = 0;
		if (sg->dma_flags & DMAMAP_SG_PEER_BUS) {
			add_segment(&s, addr, sg->length, true);
			continue;
		}
		layout_next(&l, &slot);
		addr = base + slot.at;
		if (s.open && !slot.offset && slot.at == s.end && (addr & l.boundary) &&
		    (uint64_t)s.last->dma_length + sg->length <= max)
			s.last->dma_length += sg->length;
		else
			add_segment(&s, addr + slot.offset, sg->length, false);
		s.end = slot.at + slot.offset + sg->length;
	}
	return s.count;
}

/* --- lists of which an element must bounce: each of them by itself */

static unsigned long element_attrs(const struct scatterlist *sg, unsigned long attrs)
{
	return sg->dma_flags & DMAMAP_SG_PEER_MMIO ? attrs | DMA_ATTR_MMIO : attrs;
}

static bool must_bounce(struct dma_device *dev, struct scatterlist *sg, int nents,
			enum dma_data_direction dir, unsigned long attrs)
{
	for (int i = 0; i < nents; i++, sg = sg_next(sg))
		if (!(sg->dma_flags & DMAMAP_SG_PEER) &&
		    dmamap_iommu_must_bounce(dev, sg_phys(sg), sg->length, dir, attrs))
			return true;
	return false;
}

static bool unmap_each(struct dma_device *dev, struct scatterlist *sgl, int nents,
		       enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	struct scatterlist *sg = sgl;
	bool ok = true;

	for (int i = 0; i < nents && sg; i++, sg = sg_next(sg))
		if (!(sg->dma_flags & DMAMAP_SG_PEER_BUS))
			ok = dmamap_iommu_unmap(dev, sg->dma_address, sg->dma_length, dir,
						element_attrs(sg, attrs), why) &&
			     ok;
	clear_marks(sgl, nents);
	return ok;
}

static int map_each(struct dma_device *dev, struct scatterlist *sgl, int nents,
		    enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	struct scatterlist *sg;
	struct dma_error ignored;
	int i;

	for_each_sg(sgl, sg, nents, i)
	{
		sg->dma_length = sg->length;
		if (sg->dma_flags & DMAMAP_SG_PEER_BUS) {
			sg->dma_flags |= DMAMAP_SG_BUS_ADDRESS;
			continue;
		}
		sg->dma_address = dmamap_iommu_map(dev, sg_phys(sg), sg->length, dir,
						   element_attrs(sg, attrs), why);
		if (sg->dma_address == DMA_MAPPING_ERROR) {
			unmap_each(dev, sgl, i, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC, &ignored);
			clear_dma_side(sgl, nents);
			why->err = -DMAMAP_EIO;
			return -DMAMAP_EIO;
		}
	}
	sgl->dma_flags |= DMAMAP_SG_BOUNCED;
	return nents;
}

/* --- map and unmap */

static void report_list(struct dma_device *dev, struct scatterlist *sg, int nents, dma_addr_t base)
{
	struct pieces p = pieces_start(dev, sg, nents);
	struct piece piece;

	while (host_observed(dev_host(dev)) && pieces_next(&p, &piece))
		dmamap_domain_report_map(dmamap_dev(dev)->domain, base + piece.at, piece.phys,
					 piece.len);
}

/** Mark what is a peer's, with its bus address where it has one; 0, or the refusal. */
static int mark_peers(struct dma_device *dev, struct scatterlist *sg, int nents,
		      struct dma_error *why)
{
	struct dma_p2p_state p2p = { 0 };

	for (int i = 0; i < nents; i++, sg = sg_next(sg)) {
		enum dma_p2p_type type = dmamap_p2p_element(&p2p, dev, sg_phys(sg), sg->length,
							    &sg->dma_address, why);

		sg->dma_flags &= ~DMAMAP_SG_MARKS;
		if (type == DMA_P2P_NOT_SUPPORTED)
			return -DMAMAP_EREMOTEIO;
		if (type == DMA_P2P_BUS_ADDR)
			sg->dma_flags |= DMAMAP_SG_PEER_BUS;
		if (type == DMA_P2P_THRU_HOST_BRIDGE)
			sg->dma_flags |= DMAMAP_SG_PEER_MMIO;
	}
	return 0;
}

static void maintain(struct dma_device *dev, struct scatterlist *sg, int nents,
		     enum dma_data_direction dir, bool for_cpu)
{
	struct dma_host *host = dev_host(dev);

	for (int i = 0; i < nents && sg; i++, sg = sg_next(sg)) {
		if (sg->dma_flags & DMAMAP_SG_PEER)
			continue;
		if (for_cpu)
			dmamap_cache_for_cpu(host, sg_phys(sg), sg->length, dir);
		else
			dmamap_cache_for_device(host, sg_phys(sg), sg->length, dir);
	}
	if (for_cpu)
		dmamap_cache_cpu_done(host);
	else
		dmamap_cache_flush(host);
}

/** Take a run for the marked list and enter it: the number of segments, or -errno and *@why. */
static int map_run(struct dma_device *dev, struct scatterlist *sg, int nents,
		   enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	const unsigned int prot[] = { dmamap_iommu_prot(d->coherent, dir, attrs),
				      dmamap_iommu_prot(d->coherent, dir, attrs | DMA_ATTR_MMIO) };
	enum dma_reason reason = DMA_REASON_BAD_LIST;
	dma_addr_t base = 0;
	uint64_t total;
	int err = layout_size(dev, sg, nents, &total) ? 0 : -DMAMAP_EINVAL;

	if (!err && total) {
		domain_lock(d->domain);
		err = enter_run(dev, sg, nents, total, prot, &base, &reason);
		domain_unlock(d->domain);
	}
	if (err)
		return fail_range(why, dev, reason, err, sg_phys(sg), total);
	if (total) {
		report_list(dev, sg, nents, base);
		dev_live_add(d, 1);
	}
	return fill_dma_side(dev, sg, nents, base);
}

/** May the device have each element of the marked list? 0, or the refusal. */
static int check_each(struct dma_device *dev, struct scatterlist *sg, int nents,
		      enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	for (int i = 0; dmamap_dev(dev)->untrusted && i < nents; i++, sg = sg_next(sg)) {
		if (sg->dma_flags & DMAMAP_SG_PEER_BUS ||
		    dmamap_iommu_may_have(dev, sg_phys(sg), sg->length, dir,
					  element_attrs(sg, attrs), why))
			continue;
		why->err = -DMAMAP_EINVAL;
		return -DMAMAP_EINVAL;
	}
	return 0;
}

/** As one span, where that is possible; else 0. */
static int map_small(struct dma_device *dev, struct scatterlist *sg, int nents,
		     enum dma_data_direction dir, unsigned long attrs)
{
	int got = 0;

	if (dmamap_dev(dev)->quick_list)
		got = dmamap_iommu_quick_map_sg(dev, sg, nents, dir, attrs);
	if (got)
		report_list(dev, sg, nents, sg->dma_address & ~dmamap_iommu_granule_mask(dev));
	return got;
}

int dmamap_iommu_map_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	int got = map_small(dev, sg, nents, dir, attrs);

	if (got)
		return got;
	got = mark_peers(dev, sg, nents, why);
	if (!got && !dmamap_iommu_ready(dev, why)) {
		got = why->err == -DMAMAP_ENOMEM || why->err == -DMAMAP_EREMOTEIO ? why->err
										  : -DMAMAP_EINVAL;
		why->err = got;
	}
	if (!got && !dmamap_iommu_check_alignment(dev, sg_phys(sg), sg->length, why))
		why->err = got = -DMAMAP_EINVAL;
	if (!got)
		got = check_each(dev, sg, nents, dir, attrs, why);
	if (!got && must_bounce(dev, sg, nents, dir, attrs))
		return map_each(dev, sg, nents, dir, attrs, why);
	if (!got && !dmamap_dev(dev)->coherent && !(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		maintain(dev, sg, nents, dir, false);
	if (!got)
		got = map_run(dev, sg, nents, dir, attrs, why);
	/* that has flushed what waited: windows may have room again */
	if (got < 0 && why->reason == DMA_REASON_NO_IOVA) {
		int again = map_small(dev, sg, nents, dir, attrs);

		if (again)
			return again;
	}
	if (got < 0)
		clear_dma_side(sg, nents);
	return got;
}

/** The first segment that the domain translates, NULL if there is none. */
static struct scatterlist *first_mapped(struct scatterlist *sg, int nents)
{
	for (int i = 0; i < nents && sg && sg->dma_length; i++, sg = sg_next(sg))
		if (!(sg->dma_flags & DMAMAP_SG_BUS_ADDRESS))
			return sg->dma_address == DMA_MAPPING_ERROR ? NULL : sg;
	return NULL;
}

static bool unmap_run(struct dma_device *dev, struct scatterlist *sg, int nents, dma_addr_t base,
		      uint64_t total, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct pieces p = pieces_start(dev, sg, nents);
	uint64_t unmapped;

	domain_lock(d->domain);
	unmapped = leave_run(d->domain, base, &p, total);
	domain_unlock(d->domain);
	if (unmapped) {
		dmamap_domain_report_unmap(d->domain, base, total, unmapped);
		dev_live_end(d);
	}
	if (unmapped == total)
		return true;
	fail_range(why, dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, base, total);
	why->have = unmapped;
	return false;
}

bool dmamap_iommu_unmap_marked(struct dma_device *dev, struct scatterlist *sg, int nents)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t total;

	if (!d->quick_list || !dmamap_iommu_quick_unmap_sg(dev, sg, nents, &total))
		return false;
	dmamap_domain_report_unmap(d->domain, round_down(sg->dma_address, granule_size(d->domain)),
				   total, total);
	return true;
}

bool dmamap_iommu_unmap_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			   enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct scatterlist *first;
	uint64_t total;
	bool fits;

	if (dmamap_iommu_unmap_marked(dev, sg, nents))
		return true;
	first = first_mapped(sg, nents);
	if (sg->dma_flags & DMAMAP_SG_BOUNCED)
		return unmap_each(dev, sg, nents, dir, attrs, why);
	fits = layout_size(dev, sg, nents, &total);
	if (!fits || (total && !first)) {
		fail_range(why, dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, sg->dma_address, total);
		return false;
	}
	if (!d->coherent && !(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		maintain(dev, sg, nents, dir, true);
	if (total &&
	    !unmap_run(dev, sg, nents, round_down(first->dma_address, granule_size(d->domain)),
		       total, why))
		return false;
	clear_marks(sg, nents);
	return true;
}

/* --- sync */

bool dmamap_iommu_sync_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			  enum dma_data_direction dir, bool for_cpu, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	bool ok = true;

	if (!sg || nents < 1)
		return true;
	if (!(sg->dma_flags & DMAMAP_SG_BOUNCED)) {
		if (!d->coherent)
			maintain(dev, sg, nents, dir, for_cpu);
		return true;
	}
	for (int i = 0; i < nents && sg; i++, sg = sg_next(sg))
		if (!(sg->dma_flags & DMAMAP_SG_PEER))
			ok = dmamap_iommu_sync(dev, sg->dma_address, sg->length, dir, for_cpu,
					       why) &&
			     ok;
	return ok;
}
