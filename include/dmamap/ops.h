/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Method tables: the route of platforms that bring their own DMA code ("legacy ops").
 *
 * docs/semantics.md, "Method tables", has the contract of each member and what its absence means.
 */
#ifndef DMAMAP_OPS_H
#define DMAMAP_OPS_H

#include <dmamap/page.h>
#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_device;

/**
 * A table of methods. Mapping methods return a DMA address or DMA_MAPPING_ERROR; map_sg returns a count > 0 or one of
 * -EINVAL, -ENOMEM, -EIO, -EREMOTEIO. Any member may be NULL.
 *
 * A map uses map_phys if it is there, else map_page for RAM (which must have a CPU address) and map_resource for
 * MMIO; without one the map fails with reason no-method. The unmap is taken from the family that mapped: unmap_phys,
 * unmap_page or unmap_resource; without one nothing is called. A table is refused (bad-methods) if an unmap member
 * lacks its map member, or if map_phys is there without unmap_phys while an older unmap member is.
 */
struct dma_map_ops {
	/** sizeof(struct dma_map_ops). */
	size_t size;

	/** Either kind of memory; attrs tell which (DMA_ATTR_MMIO). */
	dma_addr_t (*map_phys)(struct dma_device *dev, phys_addr_t phys, size_t size,
			       enum dma_data_direction dir, unsigned long attrs);
	void (*unmap_phys)(struct dma_device *dev, dma_addr_t addr, size_t size,
			   enum dma_data_direction dir, unsigned long attrs);

	/** RAM: @offset is below the page size. */
	dma_addr_t (*map_page)(struct dma_device *dev, struct page *page, unsigned long offset,
			       size_t size, enum dma_data_direction dir, unsigned long attrs);
	void (*unmap_page)(struct dma_device *dev, dma_addr_t addr, size_t size,
			   enum dma_data_direction dir, unsigned long attrs);

	/** MMIO. */
	dma_addr_t (*map_resource)(struct dma_device *dev, phys_addr_t phys, size_t size,
				   enum dma_data_direction dir, unsigned long attrs);
	void (*unmap_resource)(struct dma_device *dev, dma_addr_t addr, size_t size,
			       enum dma_data_direction dir, unsigned long attrs);

	int (*map_sg)(struct dma_device *dev, struct scatterlist *sg, int nents,
		      enum dma_data_direction dir, unsigned long attrs);
	void (*unmap_sg)(struct dma_device *dev, struct scatterlist *sg, int nents,
			 enum dma_data_direction dir, unsigned long attrs);

	void (*sync_single_for_cpu)(struct dma_device *dev, dma_addr_t addr, size_t size,
				    enum dma_data_direction dir);
	void (*sync_single_for_device)(struct dma_device *dev, dma_addr_t addr, size_t size,
				       enum dma_data_direction dir);
	void (*sync_sg_for_cpu)(struct dma_device *dev, struct scatterlist *sg, int nents,
				enum dma_data_direction dir);
	void (*sync_sg_for_device)(struct dma_device *dev, struct scatterlist *sg, int nents,
				   enum dma_data_direction dir);

	/** Zeroed memory and its DMA address; @gfp comes without zone flags and COMP. NULL: no memory. */
	void *(*alloc)(struct dma_device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
		       unsigned long attrs);
	void (*free)(struct dma_device *dev, size_t size, void *cpu_addr, dma_addr_t handle,
		     unsigned long attrs);

	/** Absent: every mask is supported. May set or clear the bypass (dma_device_set_ops_bypass()). */
	int (*dma_supported)(struct dma_device *dev, uint64_t mask);
	/** Absent: a 32-bit mask. */
	uint64_t (*get_required_mask)(struct dma_device *dev);
	/** Absent: SIZE_MAX. */
	size_t (*max_mapping_size)(struct dma_device *dev);
	size_t (*opt_mapping_size)(void);
	/** Absent: 0, no merging. */
	unsigned long (*get_merge_boundary)(struct dma_device *dev);

	/** Pages of @size bytes (whole pages), mapped for @dir, and their DMA address; content undefined. NULL: none. */
	struct page *(*alloc_pages_op)(struct dma_device *dev, size_t size, dma_addr_t *handle,
				       enum dma_data_direction dir, gfp_t gfp);
	void (*free_pages)(struct dma_device *dev, size_t size, struct page *page,
			   dma_addr_t handle, enum dma_data_direction dir);
};

#ifdef __cplusplus
}
#endif

#endif
