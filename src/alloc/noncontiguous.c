/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory in pieces, one range for the device: behind an IOMMU the host is asked for blocks as large as the table's
 * pages, and smaller ones as it runs out of them; without one it is one block (docs/semantics.md, "Memory in pieces").
 */
#include "alloc.h"
#include "base/block.h"
#include "direct/direct.h"
#include "iommu/iommu.h"

/** The largest block that is asked for: 2^10 pages. */
#define BLOCK_SHIFT 10

/** What the library keeps with a table; sgt first. */
struct piece_table {
	struct sg_table sgt;
	uint64_t size;
};

_Static_assert(sizeof(struct piece_table) <= DMAMAP_TABLE_OWNER, "the words fit");

/* --- gathering blocks */

static void free_blocks(struct dma_device *dev, struct scatterlist *sgl, unsigned int nents)
{
	struct scatterlist *sg = sgl;

	for (unsigned int i = 0; i < nents; i++, sg = sg_next(sg))
		dmamap_block_free(dev_host(dev), sg_phys(sg), sg->length);
}

/** One block of at most @left bytes, in one of @sizes; sizes that the host has no more of are dropped from the set. */
static phys_addr_t take_block(struct dma_device *dev, uint64_t left, uint64_t *sizes, gfp_t gfp,
			      uint64_t *size)
{
	struct dma_host *host = dev_host(dev);
	phys_addr_t phys;

	for (;;) {
		uint64_t fitting =
			*sizes & (left >= (uint64_t)1 << 63 ? ~(uint64_t)0
							    : DMA_BIT_MASK(high_bit(left) + 1));
		struct dma_page_request request = { .node = -1, .gfp = gfp | DMAMAP_GFP_NOWARN };

		*size = (uint64_t)1 << high_bit(fitting);
		request.size = *size;
		request.align = *size;
		request.ceiling = dmamap_iommu_ceiling(dev);
		if (fitting & (fitting - 1))
			request.gfp |= DMAMAP_GFP_NORETRY;
		phys = host->alloc_pages(host, &request);
		if (phys != DMAMAP_PHYS_NONE || !(fitting & (fitting - 1)))
			return phys;
		*sizes &= ~*size;
	}
}

/** Smallest block: what both the host and the table have. */
static uint64_t unit_of(const struct dma_device *dev)
{
	uint64_t page = dev_host(dev)->page_size;
	uint64_t granule = (uint64_t)1 << low_bit(dmamap_iommu_page_sizes(dev));

	return page > granule ? page : granule;
}

static bool gather(struct dma_device *dev, struct dmamap_table *table, uint64_t size, gfp_t gfp,
		   unsigned long attrs)
{
	uint64_t unit = unit_of(dev);
	uint64_t sizes = unit;
	uint64_t got;

	if (!(attrs & DMA_ATTR_ALLOC_SINGLE_PAGES))
		sizes |= dmamap_iommu_page_sizes(dev) & ~(unit - 1) &
			 (((dev_host(dev)->page_size << BLOCK_SHIFT) << 1) - 1);
	for (uint64_t left = size; left; left -= got) {
		phys_addr_t phys = take_block(dev, left, &sizes, gfp, &got);

		if (phys == DMAMAP_PHYS_NONE)
			return false;
		if (!dmamap_table_add(table, phys, (unsigned int)got)) {
			dmamap_block_free(dev_host(dev), phys, got);
			return false;
		}
		dmamap_block_prepare(dev, phys, got);
	}
	return true;
}

/** The blocks, mapped as one range: false and *@why, and the blocks are gone. */
static bool alloc_pieces(struct dma_device *dev, struct dmamap_table *table, uint64_t size,
			 enum dma_data_direction dir, gfp_t gfp, unsigned long attrs,
			 dma_addr_t *handle, struct dma_error *why)
{
	if (dev_needs_shared(dev)) {
		fail_range(why, dev, DMA_REASON_NEEDS_SHARED, -DMAMAP_ENOMEM, 0, size);
		return false;
	}
	if (gather(dev, table, size, gfp, attrs)) {
		*handle =
			dmamap_iommu_map_blocks(dev, table->first, table->nents, size, dir, 0, why);
		if (*handle != DMA_MAPPING_ERROR)
			return true;
	} else {
		fail_range(why, dev, DMA_REASON_NO_MEMORY, -DMAMAP_ENOMEM, 0, size);
	}
	free_blocks(dev, table->first, table->nents);
	return false;
}

/** One block, as dma_alloc_pages() has it. */
static bool alloc_whole(struct dma_device *dev, struct dmamap_table *table, uint64_t size,
			enum dma_data_direction dir, gfp_t gfp, dma_addr_t *handle,
			struct dma_error *why)
{
	phys_addr_t phys = dmamap_pages_by_route(dev, size, handle, dir, gfp, why);

	return phys != DMAMAP_PHYS_NONE && dmamap_table_add(table, phys, (unsigned int)size);
}

/* --- the calls */

static bool may_alloc(struct dma_device *dev, size_t size, enum dma_data_direction dir, gfp_t gfp,
		      unsigned long attrs, struct dma_error *why)
{
	if (attrs & ~DMA_ATTR_ALLOC_SINGLE_PAGES) {
		fail_range(why, dev, DMA_REASON_BAD_FLAGS, -DMAMAP_EINVAL, 0, size);
		if (dev_once(dmamap_dev(dev), ONCE_ALLOC_FLAGS))
			dmamap_warn(dev_host(dev), dev, "attributes that pieces cannot have", why);
		return false;
	}
	if (!dmamap_may_alloc_pages(dev, size, dir, gfp, why))
		return false;
	if (size <= UINT32_MAX - (dev_host(dev)->page_size - 1))
		return true;
	fail_range(why, dev, DMA_REASON_BAD_LIST, -DMAMAP_EINVAL, 0, size);
	return false;
}

static uint64_t table_size(const struct dma_device *dev, size_t size)
{
	return round_up(size, dmamap_dev(dev)->alloc_route == DMA_ROUTE_IOMMU
				      ? unit_of(dev)
				      : dev_host(dev)->page_size);
}

static struct sg_table *finish_table(struct dma_device *dev, const struct dmamap_table *table,
				     uint64_t size, dma_addr_t handle)
{
	struct piece_table *pieces = dmamap_table_owner(table->first, dev_host(dev));

	table->first->dma_address = handle;
	table->first->dma_length = (unsigned int)size;
	pieces->sgt = (struct sg_table){ table->first, 1, table->nents };
	pieces->size = size;
	return &pieces->sgt;
}

static struct sg_table *alloc_table(struct dma_device *dev, size_t size,
				    enum dma_data_direction dir, gfp_t gfp, unsigned long attrs,
				    struct dma_error *why)
{
	uint64_t bytes = table_size(dev, size);
	struct dmamap_table table;
	dma_addr_t handle;
	bool ok;

	if (!dmamap_table_init(&table, dev_host(dev))) {
		fail_range(why, dev, DMA_REASON_NO_MEMORY, -DMAMAP_ENOMEM, 0, size);
		return NULL;
	}
	if (dmamap_dev(dev)->alloc_route == DMA_ROUTE_IOMMU)
		ok = alloc_pieces(dev, &table, bytes, dir, gfp, attrs, &handle, why);
	else
		ok = alloc_whole(dev, &table, bytes, dir, gfp, &handle, why);
	if (ok)
		return finish_table(dev, &table, bytes, handle);
	dmamap_table_free(table.first, dev_host(dev));
	return NULL;
}

struct sg_table *dmamap_alloc_noncontiguous(struct dma_device *dev, size_t size,
					    enum dma_data_direction dir, gfp_t gfp,
					    unsigned long attrs)
{
	struct dma_error why = { .reason = DMA_REASON_NONE };
	struct dma_event event = {
		.type = DMA_EVENT_ALLOC_SGT,
		.dev = dev,
		.dir = dir,
		.size = size,
		.gfp = gfp,
		.attrs = attrs,
	};
	struct sg_table *sgt = NULL;
	bool silent = !may_alloc(dev, size, dir, gfp, attrs, &why);

	if (!silent)
		sgt = alloc_table(dev, size, dir, gfp, attrs, &why);
	if (sgt) {
		event.sgl = sgt->sgl;
		event.nents = sgt->orig_nents;
		event.dma_addr = sg_dma_address(sgt->sgl);
	} else {
		event.type = DMA_EVENT_ALLOC_SGT_ERR;
	}
	dmamap_finish(&event, dmamap_dev(dev)->alloc_route, &why, silent);
	return sgt;
}

static bool free_pieces(struct dma_device *dev, struct sg_table *sgt, uint64_t size,
			struct dma_error *why)
{
	if (!dmamap_iommu_unmap_coherent(dev, sg_dma_address(sgt->sgl), size, why))
		return false;
	free_blocks(dev, sgt->sgl, sgt->orig_nents);
	return true;
}

void dmamap_free_noncontiguous(struct dma_device *dev, size_t size, struct sg_table *sgt,
			       enum dma_data_direction dir)
{
	struct piece_table *pieces = (struct piece_table *)sgt;
	struct dma_error why = { .reason = DMA_REASON_NONE };
	struct dma_event event = {
		.type = DMA_EVENT_FREE_SGT,
		.dev = dev,
		.dir = dir,
		.size = size,
	};
	bool ok;

	if (sgt) {
		event.sgl = sgt->sgl;
		event.nents = sgt->orig_nents;
		event.dma_addr = sg_dma_address(sgt->sgl);
	}
	dmamap_finish(&event, dmamap_dev(dev)->alloc_route, NULL, false);
	if (!sgt)
		return;
	if (table_size(dev, size) != pieces->size) {
		fail_range(&why, dev, DMA_REASON_NOT_ALLOCATED, -DMAMAP_EINVAL, event.dma_addr,
			   size);
		why.have = pieces->size;
		alloc_misuse(dev, "free of pieces with another size", &why);
	}
	if (dmamap_dev(dev)->alloc_route == DMA_ROUTE_IOMMU)
		ok = free_pieces(dev, sgt, pieces->size, &why);
	else
		ok = dmamap_free_pages_by_route(dev, pieces->size, sg_phys(sgt->sgl),
						event.dma_addr, dir, &why);
	if (ok)
		dmamap_table_free(sgt->sgl, dev_host(dev));
	else
		alloc_misuse(dev, "free of pieces that are not allocated", &why);
}

/* --- one CPU address */

static bool is_contiguous(const struct sg_table *sgt)
{
	struct scatterlist *sg = sgt->sgl;
	phys_addr_t next = sg_phys(sg);

	for (unsigned int i = 0; i < sgt->orig_nents; i++, sg = sg_next(sg)) {
		if (sg_phys(sg) != next)
			return false;
		next += sg->length;
	}
	return true;
}

void *dmamap_vmap_noncontiguous(struct dma_device *dev, size_t size, struct sg_table *sgt)
{
	struct dma_host *host = dev_host(dev);
	struct dma_error why;
	void *ptr = NULL;

	if (is_contiguous(sgt))
		ptr = host->phys_to_virt(host, sg_phys(sgt->sgl));
	else if (host->map_pages && host->unmap_pages)
		ptr = host->map_pages(host, sgt->sgl, sgt->orig_nents,
				      ((struct piece_table *)sgt)->size);
	if (ptr)
		return ptr;
	fail_range(&why, dev, DMA_REASON_NOT_CONTIGUOUS, -DMAMAP_ENOMEM, sg_phys(sgt->sgl), size);
	dmamap_record(dev, dmamap_dev(dev)->alloc_route, &why);
	return NULL;
}

void dmamap_vunmap_noncontiguous(struct dma_device *dev, void *cpu_addr)
{
	struct dma_host *host = dev_host(dev);

	if (cpu_addr && host->unmap_pages && host->virt_to_phys(host, cpu_addr) == DMAMAP_PHYS_NONE)
		host->unmap_pages(host, cpu_addr);
}
