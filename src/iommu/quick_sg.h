/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way of a list of pages, inline in the public calls, for devices whose single mappings have one (quick.h):
 * an array of up to WINDOW_RUN whole granules in one range of RAM, of which the first may begin, and the last end,
 * inside of one.
 *
 * Such a list is one span, and its unmap one invalidation. It is read once to judge it, by two comparisons an element,
 * before anything is taken, and once to write its entries. The segments are those of sg.c. A mapped list says in its
 * first element what it is, so that an unmap need not read the rest. Everything else is quick_sg.c's, or the long way's.
 */
#ifndef DMAMAP_IOMMU_QUICK_SG_H
#define DMAMAP_IOMMU_QUICK_SG_H

#include "quick.h"

#pragma GCC visibility push(hidden)

/**
 * A list that is small, of RAM, in order, and of no boundary's concern, whatever its elements; for a device with
 * quick_list. The number of segments; 0: sg.c has to do it, and nothing has happened. Any observer is told by sg.c.
 */
int dmamap_iommu_quick_map_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			      enum dma_data_direction dir, unsigned long attrs);
/** True: it was mapped by a short way, and *@size bytes of I/O addresses are not any more. */
bool dmamap_iommu_quick_unmap_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
				 uint64_t *size);

/** The RAM that most pages will be in, whenever the device's properties have changed. */
void dmamap_iommu_update_quick_sg(struct dmamap_dev *d);
/** The RAM around @phys, as the host describes it now. False: there is none, or it is not for here. */
bool dmamap_iommu_ram_around(const struct dma_domain *domain, phys_addr_t phys,
			     struct dmamap_ram *ram);
/** A span, from wherever it can be had. */
bool dmamap_iommu_take_elsewhere(struct dmamap_dev *d, struct span *span);

/* --- judging */

/** Handles of pages are multiples of this; and what one such unit is of physical memory. */
#define LINK_UNIT  sizeof(struct page)
#define LINK_BYTES (DMAMAP_PAGE_SIZE / LINK_UNIT)

/** The handle of the page at @phys. */
static inline uint64_t link_of(phys_addr_t phys)
{
	return phys / LINK_BYTES + LINK_UNIT;
}

/** Is that the handle of one of the granules? Rotated, whatever it has below that of a granule makes it too large. */
static inline bool in_ram(const struct dmamap_ram *ram, uint64_t link)
{
	uint64_t units = link - ram->first;

	return (units >> ram->shift | units << (64 - ram->shift)) <= ram->more;
}

/** Is the element a whole granule of @ram, and not marked as an end or a chain? */
static inline bool is_page(const struct scatterlist *sg, const struct dmamap_ram *ram,
			   uint64_t extent)
{
	return in_ram(ram, sg->page_link) && ((uint64_t)sg->length << 32 | sg->offset) == extent;
}

/** A list of pages. */
struct pages {
	struct scatterlist *sgl;
	struct scatterlist *last;
	uint64_t size;	 /* of a granule */
	uint64_t first;	 /* the handle of the one that the list begins in */
	uint64_t offset; /* where */
};

/** Where loops over elements that go in fours end: short of @end, if there are not enough. */
static inline const struct scatterlist *last_of_fours(const struct scatterlist *sg,
						      const struct scatterlist *end)
{
	return sg + ((end - sg) & ~(ptrdiff_t)3);
}

/** Is what follows the first element pages of @ram? The last one may be shorter, and has to be marked as no chain. */
static inline bool rest_is_pages(const struct pages *p, struct dmamap_ram ram)
{
	const struct scatterlist *sg = p->sgl + 1;
	const struct scatterlist *stop = last_of_fours(sg, p->last);
	uint64_t extent = p->size << 32;

	for (; sg != stop; sg += 4)
		if (!is_page(&sg[0], &ram, extent) || !is_page(&sg[1], &ram, extent) ||
		    !is_page(&sg[2], &ram, extent) || !is_page(&sg[3], &ram, extent))
			return false;
	for (; sg != p->last; sg++)
		if (!is_page(sg, &ram, extent))
			return false;
	return in_ram(&ram, sg->page_link & ~DMAMAP_SG_END) && !sg->offset &&
	       sg->length - 1u <= p->size - 1;
}

/** Is it a list of pages in one range of RAM? @phys: where it begins. */
static inline bool are_pages(const struct dmamap_dev *d, const struct pages *p, phys_addr_t phys)
{
	const struct dmamap_ram *ram = &d->quick_ram;
	bool more = p->sgl != p->last;
	struct dmamap_ram around;

	if (p->sgl->page_link < LINK_UNIT || p->sgl->length - 1u > p->size - 1 - p->offset ||
	    (p->sgl->page_link & (more ? LINK_UNIT - 1 : DMAMAP_SG_CHAIN)))
		return false;
	if (ram->last > d->domain->windows.last_phys || !in_ram(ram, p->first)) {
		ram = &around;
		if (!dmamap_iommu_ram_around(d->domain, phys, &around) || !in_ram(ram, p->first))
			return false;
	}
	return !more || rest_is_pages(p, *ram);
}

/* --- the device's side */

typedef uint64_t __attribute__((may_alias)) any_word;

/** An element's device side as it is where no segment is, by two stores: dma_length and dma_flags are one word. */
static inline void no_segment(struct scatterlist *sg)
{
	const union {
		unsigned int half[2];
		uint64_t word;
	} keep = { { 0, ~DMAMAP_SG_MARKS } };
	any_word *words = (any_word *)sg;

	words[2] = DMA_MAPPING_ERROR;
	words[3] &= keep.word;
}

/** The segments, by counting: what follows the first element is one range of whole granules up to its end. */
static inline int cut(const struct dmamap_dev *d, const struct pages *p, dma_addr_t addr)
{
	uint64_t max = dev_max_segment(d);
	struct scatterlist *sg = p->sgl;
	uint64_t len = sg->length;
	uint64_t left = 0;
	uint64_t more = 0;

	if (sg != p->last)
		left = (uint64_t)(p->last - sg - 1) * p->size + p->last->length;
	if (p->offset + len == p->size && len < max)
		more = left <= max - len ? left : round_down(max - len, p->size);
	sg->dma_address = addr + p->offset;
	sg->dma_length = (unsigned int)(len + more);
	addr += p->size + more;
	max = max < p->size ? p->size : max;
	for (left -= more; left; left -= more, addr += more) {
		more = left <= max ? left : round_down(max, p->size);
		sg++;
		sg->dma_address = addr;
		sg->dma_length = (unsigned int)more;
	}
	return (int)(sg - p->sgl) + 1;
}

/* --- map */

/** What makes an entry of a handle: handle * step + base. */
struct rule {
	uint64_t step;
	uint64_t base;
};

static inline void write_page(uint64_t *entry, struct rule rule, struct scatterlist *sg,
			      uint64_t link)
{
	__atomic_store_n(entry, link * rule.step + rule.base, __ATOMIC_RELAXED);
	no_segment(sg);
}

static inline void write_pages(const struct dma_domain *domain, const struct pages *p,
			       uint64_t *entry, uint64_t bits)
{
	uint64_t step = LINK_BYTES >> domain->windows.phys_shift;
	struct rule rule = { step, bits - LINK_UNIT * step };
	struct scatterlist *sg = p->sgl;
	const struct scatterlist *stop = last_of_fours(sg + 1, p->last);

	write_page(entry++, rule, sg++, p->first);
	for (; sg < stop; sg += 4, entry += 4) {
		write_page(&entry[0], rule, &sg[0], sg[0].page_link);
		write_page(&entry[1], rule, &sg[1], sg[1].page_link);
		write_page(&entry[2], rule, &sg[2], sg[2].page_link);
		write_page(&entry[3], rule, &sg[3], sg[3].page_link);
	}
	for (; sg <= p->last; sg++, entry++)
		write_page(entry, rule, sg, sg->page_link & ~DMAMAP_SG_END);
}

/** Take a span, from the windows of the caller's shard if possible. */
static inline __attribute__((always_inline)) bool quick_take(struct dmamap_dev *d,
							     struct span *span)
{
	dma_ctx_state state;
	struct shard *s;
	bool ok = false;

	if (small_enter(d, &state, &s)) {
		unsigned int l = __atomic_load_n(&d->quick_index, __ATOMIC_RELAXED);
		unsigned int order = ceil_log2(span->granules);

		ok = small_may_take(d, s) &&
		     (place_take(s, &s->current[l], span->granules, order, span) ||
		      (l < WINDOW_LIMITS && dmamap_shard_take(s, l, span->granules, order, span)));
		if (ok)
			small_count_map(d, s);
		small_leave(d, s, state);
	}
	return ok || dmamap_iommu_take_elsewhere(d, span);
}

/** May the device's boundary move something in a list of @n granules? */
static inline bool is_bounded(const struct dmamap_dev *d, unsigned int n)
{
	uint64_t boundary = dev_boundary(d);

	return boundary & (boundary + 1) || ((uint64_t)n << d->domain->shift) - 1 > boundary;
}

/** For a device with QUICK_ALL and a call that nobody observes: the number of segments, 0: nothing has happened. */
static inline int quick_map_sg(struct dmamap_dev *d, struct scatterlist *sg, int nents,
			       enum dma_data_direction dir, unsigned long attrs)
{
	const struct dma_domain *domain = d->domain;
	struct span span = { .granules = (unsigned int)nents };
	struct pages p;
	phys_addr_t phys;

	if ((unsigned int)dir > DMA_NONE || (attrs & QUICK_ATTRS) || !d->quick_bits[dir] || !sg ||
	    span.granules - 1 >= WINDOW_RUN)
		return 0;
	phys = sg_phys(sg);
	p.sgl = sg;
	p.last = sg + (span.granules - 1);
	p.size = domain->windows.granule_mask + 1;
	p.offset = phys & domain->windows.granule_mask;
	p.first = link_of(phys - p.offset);
	if (!are_pages(d, &p, phys) || is_bounded(d, span.granules) || !quick_take(d, &span))
		return 0;
	write_pages(domain, &p, &span.window->entries[span.index], d->quick_bits[dir]);
	__atomic_fetch_or(&span.window->word[span.index / 64].heads, (uint64_t)1 << span.index % 64,
			  __ATOMIC_RELEASE);
	nents = cut(d, &p, span_address(domain, span));
	sg->dma_flags |= DMAMAP_SG_SPAN(span.granules, span.granules);
	return nents;
}

/* --- unmap */

/** Unmap a span as it was mapped. False: where the short way ends, dmamap_small_unmap() may know. */
static inline bool quick_unmap_span(struct dmamap_dev *d, dma_addr_t iova, unsigned int n)
{
	struct dma_domain *domain = d->domain;
	uint64_t granule = iova >> domain->shift;
	struct span span = { .index = granule % WINDOW_GRANULES, .granules = n };
	dma_ctx_state state;
	struct shard *s =
		windows_shard(&domain->windows, ctx_number_or_0(dma_ctx_enter(d->host, &state)));
	struct window_lazy *lazy;
	struct shard *owner;

	dma_ctx_leave(d->host, state);
	span.window = quick_window(d, s, granule);
	if (!span.window || !span_is_run(span))
		return false;
	lazy = small_is_lazy(domain) ? window_lazy_of(span.window) : NULL;
	owner = lazy ? window_owner(&domain->windows, span.window) : NULL;
	if ((lazy && small_waits_full(domain, owner)) || !span_win(span))
		return false;
	span_end(d, s, owner, lazy, span);
	return true;
}

/** Was the list mapped by a short way, with just that count? */
static inline bool is_span(const struct scatterlist *sg, int nents)
{
	return sg && nents > 0 && DMAMAP_SG_SPAN_NENTS(sg->dma_flags) == (unsigned int)nents;
}

/** Likewise. */
static inline bool quick_unmap_sg(struct dmamap_dev *d, struct scatterlist *sg, int nents,
				  enum dma_data_direction dir)
{
	if ((unsigned int)dir > DMA_FROM_DEVICE || !is_span(sg, nents) ||
	    !quick_unmap_span(d, sg->dma_address & ~d->domain->windows.granule_mask,
			      DMAMAP_SG_SPAN_GRANULES(sg->dma_flags)))
		return false;
	sg->dma_flags &= ~DMAMAP_SG_MARKS;
	return true;
}

#pragma GCC visibility pop

#endif
