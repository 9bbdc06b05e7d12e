/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The iommu route: a device's address is an I/O virtual address of its domain.
 *
 * RAM is mapped with the protection of its direction, cacheable if the device snoops; MMIO with the MMIO protection,
 * never cacheable, never bounced. Whole granules are mapped; buffers of untrusted devices that do not fill theirs are
 * bounced, so that the device sees nothing beside them. Functions that can refuse fill in *@why.
 */
#ifndef DMAMAP_IOMMU_H
#define DMAMAP_IOMMU_H

#include <dmamap/domain.h>

#include "base/domain.h"
#include "base/fail.h"

#pragma GCC visibility push(hidden)

dma_addr_t dmamap_iommu_map(struct dma_device *dev, phys_addr_t phys, size_t size,
			    enum dma_data_direction dir, unsigned long attrs,
			    struct dma_error *why);
/** Attach @dev to its domain's hardware, which was put off until now. False and *@why. */
bool dmamap_iommu_attach_now(struct dma_device *dev, struct dma_error *why);

/** Before anything is mapped: is the device attached? False and *@why. */
static inline bool dmamap_iommu_ready(struct dma_device *dev, struct dma_error *why)
{
	return !__atomic_load_n(&dmamap_dev(dev)->attach_pending, __ATOMIC_ACQUIRE) ||
	       dmamap_iommu_attach_now(dev, why);
}

/** Would the device see bytes beside the buffer that it must not see, or the CPU lose bytes there? */
bool dmamap_iommu_must_bounce(const struct dma_device *dev, phys_addr_t phys, uint64_t size,
			      enum dma_data_direction dir, unsigned long attrs);
bool dmamap_iommu_unmap(struct dma_device *dev, dma_addr_t addr, size_t size,
			enum dma_data_direction dir, unsigned long attrs, struct dma_error *why);

int dmamap_iommu_map_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			enum dma_data_direction dir, unsigned long attrs, struct dma_error *why);
/** The same of a list whose first element says what it is, by a short way; else false. Its rest may be gone. */
bool dmamap_iommu_is_marked(struct dma_device *dev, struct scatterlist *sg, int nents);
bool dmamap_iommu_unmap_marked(struct dma_device *dev, struct scatterlist *sg, int nents);
bool dmamap_iommu_unmap_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			   enum dma_data_direction dir, unsigned long attrs, struct dma_error *why);

bool dmamap_iommu_sync(struct dma_device *dev, dma_addr_t addr, size_t size,
		       enum dma_data_direction dir, bool for_cpu, struct dma_error *why);
bool dmamap_iommu_sync_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			  enum dma_data_direction dir, bool for_cpu, struct dma_error *why);

void *dmamap_iommu_alloc(struct dma_device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
			 unsigned long attrs, struct dma_error *why);
bool dmamap_iommu_free(struct dma_device *dev, size_t size, void *cpu_addr, dma_addr_t handle,
		       unsigned long attrs, struct dma_error *why);

/** May @dev map that? False and *@why (-EPERM: mmio-alignment, read-back) only if it is untrusted. */
bool dmamap_iommu_may_have(struct dma_device *dev, phys_addr_t phys, uint64_t size,
			   enum dma_data_direction dir, unsigned long attrs, struct dma_error *why);

/** Fill in *@why: a copy is needed and the device has no pool. One message a device. */
void dmamap_iommu_fail_without_pool(struct dma_device *dev, phys_addr_t phys, size_t size,
				    struct dma_error *why);

/** False, *@why and one warning a device: I/O addresses keep fewer low bits than its min_align_mask asks for. */
bool dmamap_iommu_check_alignment(struct dma_device *dev, phys_addr_t phys, size_t size,
				  struct dma_error *why);

/** Highest physical address that the device's domain can map, and the sizes of its pages. */
phys_addr_t dmamap_iommu_ceiling(const struct dma_device *dev);
uint64_t dmamap_iommu_page_sizes(const struct dma_device *dev);

/** Map allocated pages within the coherent mask; DMA_MAPPING_ERROR and *@why. */
dma_addr_t dmamap_iommu_map_allocated(struct dma_device *dev, phys_addr_t phys, uint64_t size,
				      enum dma_data_direction dir, unsigned long attrs,
				      struct dma_error *why);

/** Pages in the CPU's ordinary view, zeroed and mapped for @dir, and their end. As dmamap_direct_alloc_pages(). */
phys_addr_t dmamap_iommu_alloc_pages(struct dma_device *dev, uint64_t size, dma_addr_t *handle,
				     enum dma_data_direction dir, gfp_t gfp, struct dma_error *why);
bool dmamap_iommu_free_pages(struct dma_device *dev, uint64_t size, phys_addr_t phys,
			     dma_addr_t handle, struct dma_error *why);

/**
 * Map the @nents blocks of @sgl, whole pages and @size bytes together, as one range within the coherent mask; and unmap
 * it: nothing but the tables. The unmap is strict: the pages go back to the host at once.
 */
dma_addr_t dmamap_iommu_map_blocks(struct dma_device *dev, struct scatterlist *sgl,
				   unsigned int nents, uint64_t size, enum dma_data_direction dir,
				   unsigned long attrs, struct dma_error *why);
bool dmamap_iommu_unmap_coherent(struct dma_device *dev, dma_addr_t addr, uint64_t size,
				 struct dma_error *why);

/** Smallest page of the device's domain, minus 1. */
static inline uint64_t dmamap_iommu_granule_mask(const struct dma_device *dev)
{
	return dmamap_domain_head(dmamap_dev(dev)->domain)->granule - 1;
}

/** Take @dev out of its domain: nothing of it may be mapped. */
void dmamap_iommu_leave(struct dma_device *dev);

/**
 * Put @dev into @domain, out of the one that it is in. Nothing of it is mapped. 0, or the refusal: then it is where it
 * was; if its old domain's hardware does not take it back, blocked there until its next mapping.
 */
int dmamap_iommu_join(struct dma_device *dev, struct dma_domain *domain, struct dma_error *why);

/**
 * Where @dev, which is in a domain that translates, writes for [@doorbell] to be written: mapped if need be. 0 and
 * *@addr, or -errno and *@why.
 */
int dmamap_iommu_map_msi(struct dma_device *dev, phys_addr_t doorbell, dma_addr_t *addr,
			 struct dma_error *why);

/** An untrusted device more in the domain, which turns strict; and one fewer. The domain stays strict. */
void dmamap_iommu_add_untrusted(struct dma_domain *domain);
void dmamap_iommu_drop_untrusted(struct dma_domain *domain);

#pragma GCC visibility pop

#endif
