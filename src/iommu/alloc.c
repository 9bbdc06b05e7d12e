/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Coherent memory behind an IOMMU: contiguous pages from anywhere, mapped for both directions.
 *
 * The pages come from the direct route's host calls, without its limits: the I/O address is what must fit the mask.
 */
#include "domain.h"
#include "iommu.h"

static uint64_t alloc_size(const struct dma_domain *domain, size_t bytes)
{
	uint64_t unit = domain->host->page_size;

	return bytes > ~(uint64_t)0 - unit ? 0 : round_up(bytes, unit);
}

static void *cpu_address(struct dma_device *dev, void *linear, phys_addr_t phys, uint64_t size)
{
	struct dma_host *host = dev_host(dev);

	if (dmamap_dev(dev)->coherent)
		return linear;
	if (!host->map_uncached || !host->unmap_uncached)
		return NULL;
	if (host->cache_prepare_coherent)
		host->cache_prepare_coherent(host, phys, size);
	return host->map_uncached(host, phys, size);
}

static void *fail_alloc(struct dma_device *dev, enum dma_reason reason, size_t bytes,
			struct dma_error *why)
{
	fail_range(why, dev, reason, -DMAMAP_ENOMEM, 0, bytes);
	return NULL;
}

void *dmamap_iommu_alloc(struct dma_device *dev, size_t bytes, dma_addr_t *handle, gfp_t gfp,
			 unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t size = alloc_size(d->domain, bytes);
	phys_addr_t top = d->domain->backend->caps.output_bits >= 64
				  ? DMAMAP_PHYS_NONE
				  : DMA_BIT_MASK(d->domain->backend->caps.output_bits);
	phys_addr_t phys;
	void *linear = size ? dmamap_pages_alloc(d->host, size, top, gfp, &phys) : NULL;
	void *ptr;

	if (!linear)
		return fail_alloc(dev, DMA_REASON_NO_MEMORY, bytes, why);
	ptr = cpu_address(dev, linear, phys, size);
	if (!ptr) {
		dmamap_pages_free(d->host, linear, size);
		return fail_alloc(dev, DMA_REASON_NO_UNCACHED, bytes, why);
	}
	*handle = dmamap_iommu_map_coherent(dev, phys, size, attrs, why);
	if (*handle != DMA_MAPPING_ERROR)
		return ptr;
	if (!d->coherent)
		d->host->unmap_uncached(d->host, ptr, phys, size);
	dmamap_pages_free(d->host, linear, size);
	return NULL;
}

bool dmamap_iommu_free(struct dma_device *dev, size_t bytes, void *cpu_addr, dma_addr_t handle,
		       unsigned long attrs, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	uint64_t size = alloc_size(d->domain, bytes);
	phys_addr_t phys;

	(void)attrs;
	if (dmamap_domain_iova_to_phys(d->domain, handle, &phys)) {
		fail_range(why, dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, handle, bytes);
		return false;
	}
	if (!dmamap_iommu_unmap_coherent(dev, handle, size, why))
		return false;
	if (!d->coherent && d->host->unmap_uncached)
		d->host->unmap_uncached(d->host, cpu_addr, phys, size);
	d->host->free_pages(d->host, phys, size);
	return true;
}
