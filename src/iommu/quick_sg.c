/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The less short way of a small list: RAM for a device that is quick, WINDOW_RUN granules together at the most, nothing
 * that the device's boundary would move. Elements may be anything; each is measured. The layout and the segments are
 * those of sg.c; where something is different, and where a list is not in order, sg.c or its caller does it.
 */
#include "quick_sg.h"

#include "iommu.h"

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

bool dmamap_iommu_ram_around(const struct dma_domain *domain, phys_addr_t phys,
			     struct dmamap_ram *ram)
{
	struct dma_host *host = domain->host;
	uint64_t mask = granule_size(domain) - 1;
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
	last = min_u64(start + (size - 1),
		       __atomic_load_n(&domain->windows.last_phys, __ATOMIC_RELAXED));
	if ((start & mask) || last - start < mask ||
	    !small_reaches(domain, start, last - start + 1))
		return false;
	*ram = (struct dmamap_ram){ link_of(start), (last - start - mask) >> domain->shift, last,
				    domain->shift - ceil_log2(LINK_BYTES) };
	return true;
}

/** The largest range, if nothing but the ranges tells what is RAM: of them none ever goes. */
void dmamap_iommu_update_quick_sg(struct dmamap_dev *d)
{
	struct dma_host *host = d->host;
	struct dmamap_ram ram;
	phys_addr_t start;
	uint64_t size;

	d->quick_ram = (struct dmamap_ram){ .last = 0 };
	for (unsigned int i = 0; !host->describe && host->ram_range(host, i, &start, &size); i++)
		if (size && dmamap_iommu_ram_around(d->domain, start, &ram) &&
		    (!d->quick_ram.last || ram.more > d->quick_ram.more))
			d->quick_ram = ram;
}

/* --- any list */

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
	struct segments s = { .max = dev_max_segment(dmamap_dev(dev)) };
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
	return small_bits(d->domain, dmamap_iommu_prot(true, dir, attrs));
}

bool dmamap_iommu_take_elsewhere(struct dmamap_dev *d, unsigned int n, struct span *span)
{
	const struct dma_domain *domain = d->domain;
	const phys_addr_t *width = &domain->windows.last_phys;
	phys_addr_t before = __atomic_load_n(width, __ATOMIC_RELAXED);
	uint64_t limit = small_limit(domain, d, dev_mask(d));

	if (quick_waits(d) || !small_take(d, n, limit, span))
		return false;
	if (__atomic_load_n(width, __ATOMIC_RELAXED) != before) { /* the list was judged by that */
		dmamap_small_abandon(d, *span);
		return false;
	}
	small_set_here(d, small_limit_index(&domain->windows, limit));
	return true;
}

int dmamap_iommu_quick_map_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			      enum dma_data_direction dir, unsigned long attrs)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t bits = entry_bits(d, dir, attrs);
	phys_addr_t first, last;
	struct span span;
	unsigned int n;
	int count;

	if (!bits || nents < 1 || dev_min_align(d) > d->domain->windows.granule_mask)
		return 0;
	n = measure(d, sg, nents, &first, &last);
	if (!n || (!is_good(d, first, last) && !each_is_good(d, sg, nents)) || is_bounded(d, n) ||
	    !dmamap_iommu_take_elsewhere(d, n, &span))
		return 0;
	count = write_list(dev, sg, nents, span, bits);
	if (small_publish(d, span))
		return 0;
	sg->dma_flags |= DMAMAP_SG_SPAN((unsigned int)nents, n);
	return count;
}

bool dmamap_iommu_is_marked(struct dma_device *dev, struct scatterlist *sg, int nents)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	return d->quick_list && is_span(sg, nents) &&
	       dmamap_small_is_mapped(d, sg->dma_address & ~d->domain->windows.granule_mask,
				      DMAMAP_SG_SPAN_GRANULES(sg->dma_flags));
}

bool dmamap_iommu_quick_unmap_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
				 uint64_t *size)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	unsigned int n;

	if (!is_span(sg, nents))
		return false;
	n = DMAMAP_SG_SPAN_GRANULES(sg->dma_flags);
	if (dmamap_small_unmap(d, sg->dma_address & ~d->domain->windows.granule_mask, n, false) !=
	    SMALL_DONE)
		return false;
	sg->dma_flags &= ~DMAMAP_SG_MARKS;
	*size = (uint64_t)n << d->domain->shift;
	return true;
}
