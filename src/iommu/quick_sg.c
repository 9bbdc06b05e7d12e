/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way of a small list: RAM for a device that is quick, WINDOW_RUN granules together at the most, nothing that
 * the device's boundary would move. Such a list is one span, and its unmap one invalidation. The layout and the segments
 * are those of sg.c; where something is different, and where a list is not in order, sg.c or its caller does it.
 *
 * A list is read once to judge it, before anything is taken, and once to write its entries. Most lists are pages: an
 * array of whole granules in one range of RAM, of which the first may begin, and the last end, inside of one. Such an
 * element is judged by two comparisons; others are measured. A mapped list says in its first element what it is, so that
 * an unmap need not read the rest.
 */
#include "iommu.h"
#include "quick.h"

static inline uint64_t granules_in(uint64_t addr, uint64_t len, uint64_t mask, unsigned int shift)
{
	return ((addr & mask) + len + mask) >> shift;
}

/* --- is it RAM? */

/** Physical memory that was described as RAM. */
struct known_ram {
	phys_addr_t first;
	uint64_t len;
};

/** Is all of [phys, phys + len) RAM, as far as one description tells? */
static bool is_ram(struct dma_host *host, struct known_ram *known, phys_addr_t phys, uint64_t len)
{
	struct dma_memory memory;

	if (phys - known->first < known->len && len <= known->len - (phys - known->first))
		return true;
	dmamap_describe(host, phys, len, &memory);
	*known = (struct known_ram){ phys, memory.len };
	return memory.kind != DMA_MEMORY_MMIO && memory.len >= len;
}

/** Is everything from @first to @last RAM that entries can lead to? Both are whole granules. */
static bool is_good(const struct dmamap_dev *d, phys_addr_t first, phys_addr_t last)
{
	struct known_ram none = { 0, 0 };

	return small_reaches(d->domain, first, last - first + 1) &&
	       is_ram(d->host, &none, first, last - first + 1);
}

/** The same of a list that was measured, element by element. */
static bool each_is_good(const struct dmamap_dev *d, struct scatterlist *sg, int nents)
{
	const struct dma_domain *domain = d->domain;
	uint64_t mask = granule_size(domain) - 1;
	struct known_ram known = { 0, 0 };

	for (int i = 0; i < nents; i++, sg = sg_next(sg)) {
		phys_addr_t phys = sg_phys(sg);
		uint64_t n = granules_in(phys, sg->length, mask, domain->shift);

		if (!is_ram(d->host, &known, phys, sg->length) ||
		    !small_reaches(domain, phys & ~mask, n << domain->shift))
			return false;
	}
	return true;
}

/* --- lists of pages */

/** Handles of pages are multiples of this; and what one such unit is of physical memory. */
#define LINK_UNIT  sizeof(struct page)
#define LINK_BYTES (DMAMAP_PAGE_SIZE / LINK_UNIT)

/** The handle of the page at @phys. */
static inline uint64_t link_of(phys_addr_t phys)
{
	return phys / LINK_BYTES + LINK_UNIT;
}

/** Granules side by side that are RAM, and that entries can lead to, as handles of their first pages. */
struct ram {
	uint64_t first;
	uint64_t more; /* granules behind the first */
	unsigned int shift;
};

/** The RAM around @phys, as the host describes it now. False: there is none, or it is not for here. */
static bool ram_around(const struct dma_domain *domain, phys_addr_t phys, struct ram *ram)
{
	struct dma_host *host = domain->host;
	uint64_t granule = granule_size(domain);
	phys_addr_t start, last;
	uint64_t size;
	unsigned int i = 0;

	do
		if (!host->ram_range(host, i++, &start, &size))
			return false;
	while (phys - start >= size);
	if (host->describe) {
		struct dma_memory memory;

		host->describe(host, start, size, &memory);
		if (memory.kind != DMA_MEMORY_RAM)
			return false;
		size = min_u64(size, memory.len);
	}
	last = min_u64(start + (size - 1), domain->windows.last_phys);
	if (last - start < 2 * granule || !small_reaches(domain, start, last - start + 1))
		return false;
	start = round_up(start, granule);
	*ram = (struct ram){ link_of(start), ((last + 1 - start) >> domain->shift) - 1,
			     domain->shift - ceil_log2(LINK_BYTES) };
	return true;
}

/** Is that the handle of one of the granules? Rotated, whatever it has below that of a granule makes it too large. */
static inline bool in_ram(const struct ram *ram, uint64_t link)
{
	uint64_t units = link - ram->first;

	return (units >> ram->shift | units << (64 - ram->shift)) <= ram->more;
}

/** Is the element a whole granule of @ram, and not marked as an end or a chain? */
static inline bool is_page(const struct scatterlist *sg, const struct ram *ram, uint64_t extent)
{
	return in_ram(ram, sg->page_link) && ((uint64_t)sg->length << 32 | sg->offset) == extent;
}

/** The handle of the granule that the list begins in. */
static inline uint64_t first_link(const struct dma_domain *domain, const struct scatterlist *sgl)
{
	return link_of(round_down(sg_phys(sgl), granule_size(domain)));
}

/** Is [addr, addr + len) in one granule, and not empty? */
static inline bool in_granule(const struct dma_domain *domain, uint64_t addr, unsigned int len)
{
	uint64_t mask = granule_size(domain) - 1;

	return len - 1u <= mask - (addr & mask);
}

/** So many at a time, to look less often how many are left. */
#define STEP 4u

/** Is it a list of pages in a row, all of them in @ram? */
static inline bool are_pages(const struct dma_domain *domain, const struct scatterlist *sgl,
			     unsigned int nents)
{
	const struct scatterlist *sg = sgl + 1;
	uint64_t extent = granule_size(domain) << 32;
	struct ram ram;

	if (sgl->page_link < LINK_UNIT || !in_granule(domain, sg_phys(sgl), sgl->length) ||
	    (sgl->page_link & (nents > 1 ? LINK_UNIT - 1 : DMAMAP_SG_CHAIN)) ||
	    !ram_around(domain, sg_phys(sgl), &ram) || !in_ram(&ram, first_link(domain, sgl)))
		return false;
	if (nents == 1)
		return true;
	for (nents -= 2; nents >= STEP; nents -= STEP, sg += STEP)
		for (unsigned int i = 0; i < STEP; i++)
			if (!is_page(&sg[i], &ram, extent))
				return false;
	for (; nents; nents--, sg++)
		if (!is_page(sg, &ram, extent))
			return false;
	return in_ram(&ram, sg->page_link & ~DMAMAP_SG_END) && !sg->offset &&
	       in_granule(domain, 0, sg->length);
}

static inline void no_segment(struct scatterlist *sg)
{
	sg->dma_address = DMA_MAPPING_ERROR;
	sg->dma_length = 0;
	sg->dma_flags &= ~DMAMAP_SG_MARKS;
}

/** The segments, by counting: what follows the first element is one range of whole granules up to its end. */
static int cut(struct dma_device *dev, struct scatterlist *sgl, unsigned int nents, dma_addr_t addr)
{
	uint64_t mask = granule_size(dmamap_dev(dev)->domain) - 1;
	uint64_t max = dmamap_get_max_seg_size(dev);
	uint64_t left =
		nents > 1 ? ((uint64_t)(nents - 2) * (mask + 1)) + sgl[nents - 1].length : 0;
	uint64_t offset = sg_phys(sgl) & mask;
	uint64_t len = sgl->length;
	uint64_t more = 0;
	int count = 1;

	if (offset + len == mask + 1 && len < max)
		more = left <= max - len ? left : (max - len) & ~mask;
	sgl->dma_address = addr + offset;
	sgl->dma_length = (unsigned int)(len + more);
	addr += mask + 1 + more;
	max = max > mask ? max : mask + 1;
	for (left -= more; left; left -= more, addr += more, count++) {
		more = left <= max ? left : max & ~mask;
		sgl[count].dma_address = addr;
		sgl[count].dma_length = (unsigned int)more;
	}
	return count;
}

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

static inline int write_pages(struct dma_device *dev, struct scatterlist *sgl, unsigned int nents,
			      struct span span, uint64_t bits)
{
	const struct dma_domain *domain = dmamap_dev(dev)->domain;
	uint64_t step = LINK_BYTES >> domain->windows.phys_shift;
	struct rule rule = { step, bits - LINK_UNIT * step };
	uint64_t *entry = &span.window->entries[span.index];
	const struct scatterlist *last = sgl + (nents - 1);
	struct scatterlist *sg = sgl;

	write_page(entry++, rule, sg++, first_link(domain, sgl));
	for (; last - sg >= 4; sg += 4, entry += 4) {
		write_page(&entry[0], rule, &sg[0], sg[0].page_link);
		write_page(&entry[1], rule, &sg[1], sg[1].page_link);
		write_page(&entry[2], rule, &sg[2], sg[2].page_link);
		write_page(&entry[3], rule, &sg[3], sg[3].page_link);
	}
	for (; sg <= last; sg++, entry++)
		write_page(entry, rule, sg, sg->page_link & ~DMAMAP_SG_END);
	return cut(dev, sgl, nents, span_address(domain, span));
}

/* --- other lists */

/** Granules of the whole list; 0: it is not for here, or not in order. */
static unsigned int measure(struct dmamap_dev *d, struct scatterlist *sg, int nents,
			    phys_addr_t *first, phys_addr_t *last)
{
	const struct dma_domain *domain = d->domain;
	uint64_t mask = granule_size(domain) - 1;
	uint64_t total = 0;

	*first = ~(phys_addr_t)0;
	*last = 0;
	for (int i = 0; i < nents; i++, sg = sg_next(sg)) {
		phys_addr_t phys;
		uint64_t end;

		if (!sg || !sg_page(sg) || !sg->length)
			return 0;
		phys = sg_phys(sg);
		total += granules_in(phys, sg->length, mask, domain->shift);
		end = (phys + sg->length - 1) | mask;
		phys &= ~mask;
		if (total > WINDOW_RUN || end < phys)
			return 0;
		*first = phys < *first ? phys : *first;
		*last = end > *last ? end : *last;
	}
	return (unsigned int)total;
}

/** The device's side of the list, as far as it is made. */
struct segments {
	struct scatterlist *last;
	dma_addr_t end; /* where the last one ends */
	uint64_t max;
	int count;
};

static inline void add(struct segments *s, struct scatterlist *sgl, dma_addr_t addr,
		       unsigned int len, uint64_t offset)
{
	if (s->count && !offset && addr == s->end &&
	    (uint64_t)s->last->dma_length + len <= s->max) {
		s->last->dma_length += len;
	} else {
		s->last = s->count++ ? sg_next(s->last) : sgl;
		s->last->dma_address = addr;
		s->last->dma_length = len;
	}
	s->end = addr + len;
}

/** Entries and segments in one pass: an element is read before its device side is written. */
static int write_list(struct dma_device *dev, struct scatterlist *sgl, int nents, struct span span,
		      uint64_t bits)
{
	const struct dma_domain *domain = dmamap_dev(dev)->domain;
	uint64_t mask = granule_size(domain) - 1;
	struct segments s = { .max = dmamap_get_max_seg_size(dev) };
	dma_addr_t addr = span_address(domain, span);
	struct scatterlist *sg = sgl;
	unsigned int at = 0;

	for (int i = 0; i < nents; i++, sg = sg_next(sg)) {
		phys_addr_t phys = sg_phys(sg);
		uint64_t offset = phys & mask;
		unsigned int n = (unsigned int)granules_in(phys, sg->length, mask, domain->shift);

		span_write(domain, span, at, n, phys - offset, bits);
		no_segment(sg);
		add(&s, sgl, addr + ((uint64_t)at << domain->shift) + offset, sg->length, offset);
		at += n;
	}
	return s.count;
}

/* --- map and unmap */

/** The entries' bits, 0: it is not for here. */
static inline uint64_t entry_bits(const struct dmamap_dev *d, enum dma_data_direction dir,
				  unsigned long attrs)
{
	if ((unsigned int)dir > DMA_FROM_DEVICE || (attrs & DMA_ATTR_MMIO))
		return 0;
	if (d->quick && !(attrs & QUICK_ATTRS))
		return d->quick_bits[dir];
	return small_bits(d->domain, dmamap_iommu_prot(true, dir, attrs));
}

/** Take the span of @n granules, within the device's boundary. */
static inline bool take(struct dmamap_dev *d, unsigned int n, struct span *span)
{
	uint64_t boundary = dev_boundary(d);

	return n && !(boundary & (boundary + 1)) &&
	       ((uint64_t)n << d->domain->shift) - 1 <= boundary &&
	       small_take(d, n, small_limit(d->domain, d, dev_mask(d)), span);
}

/** It is written: make it a mapping, and the list its own. */
static inline int finish(struct dmamap_dev *d, struct scatterlist *sg, int nents, struct span span,
			 int count)
{
	if (small_publish(d, span))
		return 0;
	sg->dma_flags |= DMAMAP_SG_SPAN((unsigned int)nents, span.granules);
	return count;
}

static DMAMAP_APART int map_any_list(struct dma_device *dev, struct scatterlist *sg, int nents,
				     uint64_t bits)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	phys_addr_t first, last;
	unsigned int n = measure(d, sg, nents, &first, &last);
	struct span span;

	if (!n || (!is_good(d, first, last) && !each_is_good(d, sg, nents)) || !take(d, n, &span))
		return 0;
	return finish(d, sg, nents, span, write_list(dev, sg, nents, span, bits));
}

int dmamap_iommu_quick_map_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			      enum dma_data_direction dir, unsigned long attrs)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t bits = entry_bits(d, dir, attrs);
	unsigned int n = (unsigned int)nents;
	struct span span;

	if (!bits || !sg || n - 1 >= WINDOW_RUN || dev_min_align(d) > granule_size(d->domain) - 1 ||
	    quick_waits(d))
		return 0;
	if (!are_pages(d->domain, sg, n))
		return map_any_list(dev, sg, nents, bits);
	if (!take(d, n, &span))
		return 0;
	return finish(d, sg, nents, span, write_pages(dev, sg, n, span, bits));
}

bool dmamap_iommu_quick_unmap_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
				 uint64_t *size)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t mask = granule_size(d->domain) - 1;
	unsigned int n;

	if (!sg || (unsigned int)nents - 1 >= WINDOW_RUN ||
	    DMAMAP_SG_SPAN_NENTS(sg->dma_flags) != (unsigned int)nents)
		return false;
	n = DMAMAP_SG_SPAN_GRANULES(sg->dma_flags);
	if (!n || dmamap_small_unmap(d, sg->dma_address & ~mask, n, false) != SMALL_DONE)
		return false;
	sg->dma_flags &= ~DMAMAP_SG_MARKS;
	*size = (uint64_t)n << d->domain->shift;
	return true;
}
