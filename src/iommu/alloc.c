/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory allocated behind an IOMMU: pages from anywhere, mapped as one range for the device.
 *
 * Coherent memory is contiguous, because that is one leaf of the table and one address of the CPU; the limits of the
 * direct route do not matter, only the width of the tables: the I/O address is what must fit the mask. Shared memory is
 * not for this route.
 */
#include "base/block.h"
#include "domain.h"
#include "iommu.h"

/** Pieces that are entered at a time. */
#define BATCH 32

static uint64_t alloc_size(const struct dma_domain *domain, size_t bytes)
{
	uint64_t unit = domain->host->page_size;

	if (unit < granule_size(domain))
		unit = granule_size(domain);
	return bytes > ~(uint64_t)0 - unit ? 0 : round_up(bytes, unit);
}

phys_addr_t dmamap_iommu_ceiling(const struct dma_device *dev)
{
	unsigned int bits = dmamap_dev(dev)->domain->backend->caps.output_bits;

	return bits >= 64 ? DMAMAP_PHYS_NONE : DMA_BIT_MASK(bits);
}

uint64_t dmamap_iommu_page_sizes(const struct dma_device *dev)
{
	return dmamap_dev(dev)->domain->backend->caps.page_sizes;
}

/* --- blocks as one range */

/** Enter the list from @iova on. 0, or -errno; *@entered bytes are in the table then. */
static int enter_blocks(struct dma_domain *domain, dma_addr_t iova, struct scatterlist *sgl,
			unsigned int nents, unsigned int prot, uint64_t *entered)
{
	struct scatterlist *sg = sgl;
	struct dma_vec vec[BATCH];

	*entered = 0;
	while (nents) {
		uint64_t bytes = 0;
		unsigned int n;
		int err;

		for (n = 0; n < BATCH && n < nents; n++, sg = sg_next(sg)) {
			vec[n] = (struct dma_vec){ sg_phys(sg), sg->length };
			bytes += sg->length;
		}
		err = dmamap_domain_enter(domain, iova + *entered, vec, n, prot);
		if (err)
			return err;
		*entered += bytes;
		nents -= n;
	}
	return 0;
}

/** Address, entries, sync_map; whatever fails is undone. Lock held. */
static int enter_run(struct dma_device *dev, struct scatterlist *sgl, unsigned int nents,
		     uint64_t size, unsigned int prot, dma_addr_t *iova, enum dma_reason *reason)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct dma_domain *domain = d->domain;
	uint64_t entered;
	int err;

	if (!dmamap_domain_alloc(domain, dev, size, d->coherent_mask, iova, reason))
		return -DMAMAP_ENOMEM;
	err = enter_blocks(domain, *iova, sgl, nents, prot, &entered);
	if (!err)
		err = dmamap_domain_sync_map(domain, *iova, size);
	if (!err)
		return 0;
	*reason = dmamap_backend_reason(err);
	if (entered < size)
		dmamap_domain_unalloc(domain, *iova + entered, size - entered);
	if (entered) {
		dmamap_domain_clear(domain, *iova, entered);
		dmamap_domain_retire(domain, *iova, entered, true);
	}
	return err;
}

static void report_blocks(const struct dma_domain *domain, dma_addr_t iova, struct scatterlist *sgl,
			  unsigned int nents)
{
	struct scatterlist *sg = sgl;

	for (unsigned int i = 0; i < nents && host_observed(domain->host); i++, sg = sg_next(sg)) {
		dmamap_domain_report_map(domain, iova, sg_phys(sg), sg->length);
		iova += sg->length;
	}
}

dma_addr_t dmamap_iommu_map_blocks(struct dma_device *dev, struct scatterlist *sgl,
				   unsigned int nents, uint64_t size, enum dma_data_direction dir,
				   unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	enum dma_reason reason;
	dma_addr_t iova;
	int err;

	if (!dmamap_iommu_ready(dev, why))
		return DMA_MAPPING_ERROR;
	domain_lock(d->domain);
	err = enter_run(dev, sgl, nents, size, dmamap_iommu_prot(d->coherent, dir, attrs), &iova,
			&reason);
	domain_unlock(d->domain);
	if (err) {
		fail_range(why, dev, reason, err, sg_phys(sgl), size);
		why->mask = d->coherent_mask;
		return DMA_MAPPING_ERROR;
	}
	report_blocks(d->domain, iova, sgl, nents);
	dev_live_add(d, 1);
	return iova;
}

/* --- coherent memory */

static phys_addr_t take_block(struct dma_device *dev, uint64_t size, gfp_t gfp)
{
	struct dma_host *host = dev_host(dev);
	phys_addr_t top = dmamap_iommu_ceiling(dev);
	phys_addr_t phys = dmamap_block_contiguous(host, size, top, gfp);

	return phys != DMAMAP_PHYS_NONE ? phys : dmamap_block_pages(host, size, top, gfp);
}

static bool may_alloc(struct dma_device *dev, uint64_t size, size_t bytes, struct dma_error *why)
{
	enum dma_reason reason = DMA_REASON_NONE;

	if (dev_needs_shared(dev))
		reason = DMA_REASON_NEEDS_SHARED;
	else if (!size)
		reason = DMA_REASON_NO_MEMORY;
	else if (!dmamap_block_can_open(dev))
		reason = DMA_REASON_NO_UNCACHED;
	if (reason != DMA_REASON_NONE)
		fail_range(why, dev, reason, -DMAMAP_ENOMEM, 0, bytes);
	return reason == DMA_REASON_NONE;
}

void *dmamap_iommu_alloc(struct dma_device *dev, size_t bytes, dma_addr_t *handle, gfp_t gfp,
			 unsigned long attrs, struct dma_error *why)
{
	uint64_t size = alloc_size(dmamap_dev(dev)->domain, bytes);
	phys_addr_t phys;
	void *ptr;

	if (!may_alloc(dev, size, bytes, why))
		return NULL;
	phys = take_block(dev, size, gfp);
	if (phys == DMAMAP_PHYS_NONE) {
		fail_range(why, dev, DMA_REASON_NO_MEMORY, -DMAMAP_ENOMEM, 0, bytes);
		return NULL;
	}
	ptr = dmamap_block_open(dev, phys, size, why);
	if (!ptr)
		return NULL;
	*handle = dmamap_iommu_map_allocated(dev, phys, size, DMA_BIDIRECTIONAL, attrs, why);
	if (*handle != DMA_MAPPING_ERROR)
		return ptr;
	dmamap_block_close(dev, ptr, phys, size);
	return NULL;
}

/** What @handle translates to; false and *@why (not-mapped). */
static bool translate(struct dma_device *dev, dma_addr_t handle, size_t bytes, phys_addr_t *phys,
		      struct dma_error *why)
{
	if (!dmamap_domain_iova_to_phys(dmamap_dev(dev)->domain, handle, phys))
		return true;
	fail_range(why, dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, handle, bytes);
	return false;
}

bool dmamap_iommu_free(struct dma_device *dev, size_t bytes, void *cpu_addr, dma_addr_t handle,
		       unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t size = alloc_size(d->domain, bytes);
	phys_addr_t phys;

	(void)attrs;
	if (!translate(dev, handle, bytes, &phys, why))
		return false;
	if (d->coherent && cpu_addr != d->host->phys_to_virt(d->host, phys)) {
		fail_range(why, dev, DMA_REASON_NOT_ALLOCATED, -DMAMAP_EINVAL, handle, bytes);
		return false;
	}
	if (!dmamap_iommu_unmap_coherent(dev, handle, size, why))
		return false;
	dmamap_block_close(dev, cpu_addr, phys, size);
	return true;
}

/* --- pages in the CPU's ordinary view */

phys_addr_t dmamap_iommu_alloc_pages(struct dma_device *dev, uint64_t size, dma_addr_t *handle,
				     enum dma_data_direction dir, gfp_t gfp, struct dma_error *why)
{
	struct dma_host *host = dev_host(dev);
	phys_addr_t phys;
	void *ptr;

	if (dev_needs_shared(dev)) {
		fail_range(why, dev, DMA_REASON_NEEDS_SHARED, -DMAMAP_ENOMEM, 0, size);
		return DMAMAP_PHYS_NONE;
	}
	phys = take_block(dev, size, gfp);
	if (phys == DMAMAP_PHYS_NONE) {
		fail_range(why, dev, DMA_REASON_NO_MEMORY, -DMAMAP_ENOMEM, 0, size);
		return phys;
	}
	ptr = host->phys_to_virt(host, phys);
	if (ptr)
		memset(ptr, 0, size);
	*handle = dmamap_iommu_map_allocated(dev, phys, size, dir, 0, why);
	if (*handle != DMA_MAPPING_ERROR)
		return phys;
	dmamap_block_free(host, phys, size);
	return DMAMAP_PHYS_NONE;
}

bool dmamap_iommu_free_pages(struct dma_device *dev, uint64_t size, phys_addr_t phys,
			     dma_addr_t handle, struct dma_error *why)
{
	phys_addr_t at;

	if (!translate(dev, handle, size, &at, why))
		return false;
	if (at != phys) {
		fail_range(why, dev, DMA_REASON_NOT_ALLOCATED, -DMAMAP_EINVAL, handle, size);
		return false;
	}
	if (!dmamap_iommu_unmap_coherent(dev, handle, size, why))
		return false;
	dmamap_block_free(dev_host(dev), phys, size);
	return true;
}
