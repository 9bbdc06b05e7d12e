/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page handles and scatterlists.
 *
 * A struct page is a name for a frame of 4 KiB, never memory: a complete type of 64 bytes that nobody dereferences.
 * The handle of frame n is (n + 1) x 64, so that page + i, comparison, frame 0 and two free low bits all work and no
 * page array exists. A page belongs to no host; calls that need memory take the host from the device.
 */
#ifndef DMAMAP_PAGE_H
#define DMAMAP_PAGE_H

#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct page {
	unsigned char dmamap_handle_only[64];
};

/** The handle of frame @pfn, counted in 4 KiB. */
static inline struct page *dmamap_pfn_to_page(uint64_t pfn)
{
	return (struct page *)(uintptr_t)((pfn + 1) * sizeof(struct page));
}

static inline uint64_t dmamap_page_to_pfn(const struct page *page)
{
	return (uint64_t)(uintptr_t)page / sizeof(struct page) - 1;
}

static inline struct page *dmamap_phys_to_page(phys_addr_t phys)
{
	return dmamap_pfn_to_page(phys >> DMAMAP_PAGE_SHIFT);
}

static inline phys_addr_t dmamap_page_to_phys(const struct page *page)
{
	return dmamap_page_to_pfn(page) << DMAMAP_PAGE_SHIFT;
}

/** Bits of scatterlist.page_link below the page handle. */
#define DMAMAP_SG_CHAIN 1UL
#define DMAMAP_SG_END	2UL

/** Bits of scatterlist.dma_flags, which is the library's: a map may clear any other. */
#define DMAMAP_SG_BUS_ADDRESS 1u /* dma_address is a peer's bus address */
#define DMAMAP_SG_BOUNCED     2u /* elements were mapped one by one, through a bounce pool */
/* These two speak of the CPU side, of which the device side of the same element may know nothing. */
#define DMAMAP_SG_PEER_BUS  4u /* its memory is a peer's, given by bus address: nothing is mapped */
#define DMAMAP_SG_PEER_MMIO 8u /* its memory is a peer's, mapped as MMIO */
#define DMAMAP_SG_PEER	    (DMAMAP_SG_PEER_BUS | DMAMAP_SG_PEER_MMIO)
/* In the first element: the whole list, of so many elements, is one run of so many granules. The library's own. */
#define DMAMAP_SG_SPAN(nents, granules) ((nents) << 8 | (granules) << 16)
#define DMAMAP_SG_SPAN_NENTS(flags)	((flags) >> 8 & 0xffu)
#define DMAMAP_SG_SPAN_GRANULES(flags)	((flags) >> 16 & 0xffu)
/* All of them: a map and an unmap leave none of another life. */
#define DMAMAP_SG_MARKS \
	(DMAMAP_SG_BUS_ADDRESS | DMAMAP_SG_BOUNCED | DMAMAP_SG_PEER | DMAMAP_SG_SPAN(0xffu, 0xffu))

/**
 * One element of a list. offset and length are the CPU's side and never change; dma_address and dma_length are the
 * device's and valid only for the first *returned count* elements (docs/semantics.md, "Scatterlists").
 */
struct scatterlist {
	unsigned long page_link;
	unsigned int offset;
	unsigned int length;
	dma_addr_t dma_address;
	unsigned int dma_length;
	unsigned int dma_flags;
};

/** A list with its counts: orig_nents CPU elements, nents DMA elements once mapped. */
struct sg_table {
	struct scatterlist *sgl;
	unsigned int nents;
	unsigned int orig_nents;
};

#define sg_dma_address(sg) ((sg)->dma_address)
#define sg_dma_len(sg)	   ((sg)->dma_length)

static inline bool sg_is_chain(const struct scatterlist *sg)
{
	return (sg->page_link & DMAMAP_SG_CHAIN) != 0;
}

static inline bool sg_is_last(const struct scatterlist *sg)
{
	return (sg->page_link & DMAMAP_SG_END) != 0;
}

static inline struct page *sg_page(const struct scatterlist *sg)
{
	return (struct page *)(uintptr_t)(sg->page_link & ~(DMAMAP_SG_CHAIN | DMAMAP_SG_END));
}

/** The list that a chain element points to. */
static inline struct scatterlist *sg_chain_ptr(const struct scatterlist *sg)
{
	return (struct scatterlist *)(uintptr_t)(sg->page_link &
						 ~(DMAMAP_SG_CHAIN | DMAMAP_SG_END));
}

/** The element after @sg, following a chain; NULL after the one marked as the end. */
static inline struct scatterlist *sg_next(struct scatterlist *sg)
{
	if (sg_is_last(sg))
		return NULL;
	sg++;
	return sg_is_chain(sg) ? sg_chain_ptr(sg) : sg;
}

/** Physical address of an element's first byte; offset may exceed a page. */
static inline phys_addr_t sg_phys(const struct scatterlist *sg)
{
	return dmamap_page_to_phys(sg_page(sg)) + sg->offset;
}

/** Clear @nents elements and mark the last one as the end. @nents 0 does nothing. */
static inline void sg_init_table(struct scatterlist *sgl, unsigned int nents)
{
	struct scatterlist none = { 0, 0, 0, 0, 0, 0 };

	for (unsigned int i = 0; i < nents; i++)
		sgl[i] = none;
	if (nents)
		sgl[nents - 1].page_link = DMAMAP_SG_END;
}

/** Point an element at @len bytes, @offset bytes into @page; keeps the end mark. */
static inline void sg_set_page(struct scatterlist *sg, struct page *page, unsigned int len,
			       unsigned int offset)
{
	sg->page_link = (sg->page_link & (DMAMAP_SG_CHAIN | DMAMAP_SG_END)) |
			(unsigned long)(uintptr_t)page;
	sg->offset = offset;
	sg->length = len;
}

/** As sg_set_page(), by physical address. */
static inline void sg_set_phys(struct scatterlist *sg, phys_addr_t phys, unsigned int len)
{
	sg_set_page(sg, dmamap_phys_to_page(phys), len,
		    (unsigned int)(phys & (DMAMAP_PAGE_SIZE - 1)));
}

/** Make element @prv_nents - 1 of @prv a link to @sgl; that element then holds no memory. */
static inline void sg_chain(struct scatterlist *prv, unsigned int prv_nents,
			    struct scatterlist *sgl)
{
	struct scatterlist link = {
		(unsigned long)(uintptr_t)sgl | DMAMAP_SG_CHAIN, 0, 0, 0, 0, 0
	};

	prv[prv_nents - 1] = link;
}

#define for_each_sg(sglist, sg, nr, i) \
	for ((i) = 0, (sg) = (sglist); (i) < (nr); (i)++, (sg) = sg_next(sg))

#ifdef __cplusplus
}
#endif

#endif
