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
/** A span of @n granules, from wherever it can be had. */
bool dmamap_iommu_take_elsewhere(struct dmamap_dev *d, unsigned int n, struct span *span);

/* --- judging */

/** Handles of pages are multiples of this; and what one such unit is of physical memory. */
#define LINK_UNIT  sizeof(struct page)
#define LINK_BYTES (DMAMAP_PAGE_SIZE / LINK_UNIT)

/** The handle of the page at @phys. */
static inline uint64_t link_of(phys_addr_t phys)
{
	return phys / LINK_BYTES + LINK_UNIT;
}

static inline phys_addr_t phys_of(uint64_t link)
{
	return (link - LINK_UNIT) * LINK_BYTES;
}

/** Is that the handle of one of the granules? Rotated, whatever it has below that of a granule makes it too large. */
static inline bool in_ram(const struct dmamap_ram *ram, uint64_t link)
{
	return rotate_right(link - ram->first, ram->shift) <= ram->more;
}

/** Is the element a whole granule of @ram, and not marked as an end or a chain? */
static inline bool is_page(const struct scatterlist *sg, const struct dmamap_ram *ram,
			   uint64_t extent)
{
	return __builtin_expect(in_ram(ram, sg->page_link), 1) &&
	       __builtin_expect(((uint64_t)sg->length << 32 | sg->offset) == extent, 1);
}

/** A list of pages. */
struct pages {
	struct scatterlist *sgl;
	size_t last;   /* its last element, by number */
	uint64_t size; /* of a granule */
};

/** Without the mark that the last element may have; any other makes it no handle. */
static inline uint64_t last_link(const struct pages *p)
{
	return p->sgl[p->last].page_link & ~DMAMAP_SG_END;
}

/** Is what follows the first element pages of @ram? The last one may be shorter. */
static inline bool rest_is_pages(const struct pages *p, struct dmamap_ram ram)
{
	const struct scatterlist *sg = p->sgl + 1;
	const struct scatterlist *last = p->sgl + p->last;
	uint64_t extent = p->size << 32;

	if (p->last % 2 == 0 && !is_page(sg++, &ram, extent))
		return false;
	if ((last - sg) & 2) {
		if (!is_page(&sg[0], &ram, extent) || !is_page(&sg[1], &ram, extent))
			return false;
		sg += 2;
	}
	for (; sg != last; sg += 4)
		if (!is_page(&sg[0], &ram, extent) || !is_page(&sg[1], &ram, extent) ||
		    !is_page(&sg[2], &ram, extent) || !is_page(&sg[3], &ram, extent))
			return false;
	return in_ram(&ram, last_link(p)) && !last->offset && last->length - 1u <= p->size - 1;
}

/** Is it a list of pages in one range of RAM? */
static inline bool are_pages(const struct dmamap_dev *d, const struct pages *p)
{
	const struct dmamap_ram *ram = &d->quick_ram;
	const struct scatterlist *sg = p->sgl;
	uint64_t first = p->last ? sg->page_link : last_link(p);
	struct dmamap_ram around;

	if (sg->offset >= p->size || sg->length - 1u > p->size - 1 - sg->offset)
		return false;
	/* no RAM has its last byte at 0 */
	if (ram->last - 1 >= __atomic_load_n(&d->domain->windows.last_phys, __ATOMIC_RELAXED) ||
	    !in_ram(ram, first)) {
		ram = &around;
		if (!dmamap_iommu_ram_around(d->domain, phys_of(first), &around) ||
		    !in_ram(ram, first))
			return false;
	}
	return !p->last || rest_is_pages(p, *ram);
}

/* --- the device's side */

/** An element's device side as it is where no segment is, by one store where the machine has it. */
static inline void no_segment(struct scatterlist *sg)
{
	_Static_assert(offsetof(struct scatterlist, dma_address) == 16 && sizeof(*sg) == 32,
		       "the device side is its second half");
	pair_store(&sg->dma_address, pair_of(DMA_MAPPING_ERROR, 0));
}

/** The segments, by counting: what follows the first element is one range of whole granules up to its end. */
static inline int cut(const struct dmamap_dev *d, const struct pages *p, dma_addr_t addr)
{
	uint64_t max = dev_max_segment(d);
	struct scatterlist *sg = p->sgl;
	uint64_t len = sg->length;
	uint64_t left = 0;
	uint64_t more = 0;

	if (p->last)
		left = (p->last - 1) * p->size + sg[p->last].length;
	if (sg->offset + len == p->size && len < max)
		more = left <= max - len ? left : round_down(max - len, p->size);
	sg->dma_address = addr + sg->offset;
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

/** Has an entry all the bits of a handle? */
static inline bool quick_sg_can_write(const struct dma_domain *domain)
{
	return domain->windows.phys_shift <= ceil_log2(LINK_BYTES);
}

/** What makes an entry of a handle: handle << shift, + base. */
struct rule {
	unsigned int shift;
	uint64_t base;
};

static inline struct rule rule_of(const struct dma_domain *domain, uint64_t bits)
{
	unsigned int shift = ceil_log2(LINK_BYTES) - domain->windows.phys_shift;

	return (struct rule){ shift, bits - (LINK_UNIT << shift) };
}

static inline void write_page(uint64_t *entry, struct rule rule, struct scatterlist *sg,
			      uint64_t link)
{
	__atomic_store_n(entry, (link << rule.shift) + rule.base, __ATOMIC_RELAXED);
	no_segment(sg);
}

static inline void write_two(uint64_t *entry, struct rule rule, struct scatterlist *sg)
{
	const struct entry_pair links = pair_of(sg[0].page_link, sg[1].page_link);

	pair_store(entry, pair_plus(pair_shifted(links, rule.shift), rule.base));
	no_segment(&sg[0]);
	no_segment(&sg[1]);
}

static inline void write_pages(const struct dma_domain *domain, const struct pages *p,
			       uint64_t *entry, uint64_t bits)
{
	struct rule rule = rule_of(domain, bits);
	struct scatterlist *sg = p->sgl;
	size_t i = 0;

	size_t fours = p->last / 4 * 4;

	for (; i != fours; i += 4) {
		write_two(&entry[i], rule, &sg[i]);
		write_two(&entry[i + 2], rule, &sg[i + 2]);
	}
	for (; i != p->last; i++)
		write_page(&entry[i], rule, &sg[i], sg[i].page_link);
	write_page(&entry[i], rule, &sg[i], last_link(p));
}

/** A run that was taken: its entries, its bit of heads, its address. */
struct taken {
	uint64_t *entries;
	struct window_word *word;
	unsigned int bit;
	dma_addr_t addr;
};

static inline struct taken taken_here(const struct dma_domain *domain,
				      const struct window_place *here, int at)
{
	unsigned int bit = (unsigned int)at;

	return (struct taken){ here->entries + bit, here->word, bit,
			       (here->granule + bit) << domain->shift };
}

static inline struct taken taken_span(const struct dma_domain *domain, struct span span)
{
	return (struct taken){ &span.window->entries[span.index],
			       &span.window->word[span.index / 64], span.index % 64,
			       span_address(domain, span) };
}

/** Take a run of @n granules, from the windows of the caller's shard if possible. */
static inline __attribute__((always_inline)) bool quick_take(struct dmamap_dev *d,
							     const struct dma_domain *domain,
							     unsigned int n, struct taken *taken)
{
	dma_ctx_state state;
	struct shard *s;
	struct span span;
	int at = PLACE_NONE;

	if (small_enter(domain, &state, &s)) {
		struct window_place *here = small_here(d, s);
		unsigned int order = ceil_log2(n);

		if (small_may_take(domain, s)) {
			at = place_take(here, n, order);
			if (at == PLACE_NONE)
				at = dmamap_shard_take(s, here, n, order);
		}
		if (at != PLACE_NONE) {
			*taken = taken_here(domain, here, at);
			small_count_map(d, s);
		}
		small_leave(domain, s, state);
	}
	if (at != PLACE_NONE)
		return true;
	if (!dmamap_iommu_take_elsewhere(d, n, &span))
		return false;
	*taken = taken_span(domain, span);
	return true;
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
	unsigned int n = (unsigned int)nents;
	struct taken taken;
	struct pages p;

	if ((unsigned int)dir > DMA_NONE || (attrs & QUICK_ATTRS) || !d->quick_bits[dir] || !sg ||
	    n - 1 >= WINDOW_RUN)
		return 0;
	p = (struct pages){ sg, n - 1, domain->windows.granule_mask + 1 };
	if (!are_pages(d, &p) || is_bounded(d, n) || !quick_take(d, domain, n, &taken))
		return 0;
	write_pages(domain, &p, taken.entries, d->quick_bits[dir]);
	word_publish(taken.word, taken.bit);
	nents = cut(d, &p, taken.addr);
	sg->dma_flags = DMAMAP_SG_SPAN(n, n);
	return nents;
}

/* --- unmap */

/** Unmap a span as it was mapped. False: where the short way ends, dmamap_small_unmap() may know. */
static inline bool quick_unmap_span(struct dmamap_dev *d, dma_addr_t iova, unsigned int n)
{
	struct dma_domain *domain = d->domain;
	uint64_t granule = iova >> domain->shift;
	struct span span = { .index = granule % WINDOW_GRANULES, .granules = n };
	struct shard *s = small_shard(domain);
	struct window_lazy *lazy;
	struct shard *owner;

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
