/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way of a small list: RAM for a device that is quick, WINDOW_RUN granules together at the most, nothing that
 * the device's boundary would move. Such a list is one span, written from the elements as they come, and its unmap one
 * invalidation. The layout and the segments are those of sg.c; where something is different, sg.c does it.
 */
#include "iommu.h"
#include "quick.h"

/** Physical memory that was described as RAM. */
struct known_ram {
	phys_addr_t first;
	uint64_t len;
};

/** Is all of an element RAM, as far as one description tells? */
static bool is_ram(struct dma_host *host, struct known_ram *known, phys_addr_t phys, uint64_t len)
{
	struct dma_memory memory;

	if (phys - known->first < known->len && len <= known->len - (phys - known->first))
		return true;
	dmamap_describe(host, phys, len, &memory);
	*known = (struct known_ram){ phys, memory.len };
	return memory.kind != DMA_MEMORY_MMIO && memory.len >= len;
}

static inline uint64_t granules_in(uint64_t addr, uint64_t len, uint64_t mask, unsigned int shift)
{
	return ((addr & mask) + len + mask) >> shift;
}

/** Granules of the whole list; 0 if it is not for here. */
static unsigned int measure(struct dmamap_dev *d, struct scatterlist *sg, int nents)
{
	const struct dma_domain *domain = d->domain;
	uint64_t mask = granule_size(domain) - 1;
	struct known_ram known = { 0, 0 };
	uint64_t total = 0;

	for (int i = 0; i < nents; i++, sg = sg_next(sg)) {
		phys_addr_t phys = sg_phys(sg);
		uint64_t n = granules_in(phys, sg->length, mask, domain->shift);

		total += n;
		if (total > WINDOW_RUN || !is_ram(d->host, &known, phys, sg->length) ||
		    !small_reaches(domain, phys & ~mask, n << domain->shift))
			return 0;
	}
	return (total << domain->shift) - 1 <= dev_boundary(d) ? (unsigned int)total : 0;
}

/** The device's side of the list, as far as it is made. */
struct segments {
	struct scatterlist *last;
	dma_addr_t end; /* where the last one ends */
	uint64_t max;
	uint64_t boundary;
	int count;
};

static inline void add(struct segments *s, struct scatterlist *sgl, dma_addr_t addr,
		       unsigned int len, uint64_t offset)
{
	if (s->count && !offset && addr == s->end && (addr & s->boundary) &&
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
static int fill(struct dma_device *dev, struct scatterlist *sgl, int nents, struct span span,
		uint64_t bits)
{
	const struct dma_domain *domain = dmamap_dev(dev)->domain;
	uint64_t mask = granule_size(domain) - 1;
	struct segments s = { .max = dmamap_get_max_seg_size(dev),
			      .boundary = dev_boundary(dmamap_dev(dev)) };
	dma_addr_t addr = span_address(domain, span);
	struct scatterlist *sg = sgl;
	unsigned int at = 0;

	for (int i = 0; i < nents; i++, sg = sg_next(sg)) {
		phys_addr_t phys = sg_phys(sg);
		uint64_t offset = phys & mask;
		unsigned int n = (unsigned int)granules_in(phys, sg->length, mask, domain->shift);

		span_write(domain, span, at, n, phys - offset, bits);
		sg->dma_flags &= ~(DMAMAP_SG_BOUNCED | DMAMAP_SG_BUS_ADDRESS | DMAMAP_SG_PEER);
		if (sg != sgl) {
			sg->dma_address = DMA_MAPPING_ERROR;
			sg->dma_length = 0;
		}
		add(&s, sgl, addr + ((uint64_t)at << domain->shift) + offset, sg->length, offset);
		at += n;
	}
	return s.count;
}

int dmamap_iommu_quick_map_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			      enum dma_data_direction dir, unsigned long attrs)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t bits = small_bits(d->domain, dmamap_iommu_prot(true, dir, attrs));
	unsigned int n;
	struct span span;
	int count;

	if (!bits || dev_min_align(d) > granule_size(d->domain) - 1 || quick_waits(d))
		return 0;
	n = measure(d, sg, nents);
	if (!n || !small_take(d, n, small_limit(d->domain, d, dev_mask(d)), &span))
		return 0;
	count = fill(dev, sg, nents, span, bits);
	return small_publish(d, span) ? 0 : count;
}

bool dmamap_iommu_quick_unmap_sg(struct dma_device *dev, struct scatterlist *sgl, int nents,
				 uint64_t *size)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	const struct dma_domain *domain = d->domain;
	uint64_t mask = granule_size(domain) - 1;
	struct scatterlist *sg = sgl;
	uint64_t total = 0;

	for (int i = 0; i < nents; i++, sg = sg_next(sg)) {
		total += granules_in(sg_phys(sg), sg->length, mask, domain->shift);
		if (total > WINDOW_RUN || sg->dma_flags & (DMAMAP_SG_BOUNCED | DMAMAP_SG_PEER))
			return false;
	}
	*size = total << domain->shift;
	return sgl->dma_address != DMA_MAPPING_ERROR &&
	       dmamap_small_unmap(d, sgl->dma_address & ~mask, total, false) == SMALL_DONE;
}
