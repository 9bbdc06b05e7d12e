/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mapping calls: give a device an address for memory or MMIO, keep the data right, take the address back.
 *
 * Each call is declared with its linker symbol, dmamap_X; the name to use is Linux's, dma_X, an inline function of
 * dmamap/linux.h (include dmamap/dmamap.h for both). Rules that hold for all of them: docs/semantics.md.
 *
 * Context: unless a comment says otherwise no call sleeps, and all may run with interrupts off. Different mappings of
 * one device may be made and undone concurrently; one scatterlist belongs to one caller at a time.
 *
 * Failure: DMA_MAPPING_ERROR or -errno, a reason (dma_last_error()), and a trace record like that of a success. What
 * failed holds nothing and needs no unmap.
 */
#ifndef DMAMAP_MAPPING_H
#define DMAMAP_MAPPING_H

#include <dmamap/device.h>
#include <dmamap/page.h>
#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * dma_map_phys() - map a physical range for a device.
 * @dev:   the device
 * @phys:  first byte; RAM, or MMIO with DMA_ATTR_MMIO
 * @size:  bytes, at least 1; phys + size may not pass 2^64
 * @dir:   TO_DEVICE (it reads), FROM_DEVICE (it writes) or BIDIRECTIONAL; anything else is fatal
 * @attrs: DMA_ATTR_*
 *
 * On success the range belongs to the device until dma_unmap_phys(): the CPU must not touch it (for TO_DEVICE: must
 * not write it) but between dma_sync_single_for_cpu() and dma_sync_single_for_device(). MMIO is never bounced, cleaned,
 * or shown to the sanitizer.
 *
 * Return: the DMA address of the first byte (0 is one), or DMA_MAPPING_ERROR.
 */
dma_addr_t dmamap_map_phys(struct dma_device *dev, phys_addr_t phys, size_t size,
			   enum dma_data_direction dir, unsigned long attrs);

/**
 * dma_unmap_phys() - take a mapping back.
 * @addr:  what the map returned
 * @size:  the map's size; parts cannot be unmapped
 * @dir:   the map's direction
 * @attrs: the map's attributes; SKIP_CPU_SYNC may differ
 *
 * Afterwards the range belongs to the CPU, and holds what the device wrote (not with SKIP_CPU_SYNC on a route that
 * bounced or on a non-coherent device). A strict domain cuts the device off before this returns. An address that is
 * not mapped is reported (warn hook, reason not-mapped or not-bounced) and changes nothing.
 */
void dmamap_unmap_phys(struct dma_device *dev, dma_addr_t addr, size_t size,
		       enum dma_data_direction dir, unsigned long attrs);

/**
 * dma_map_page_attrs() - dma_map_phys() of @offset bytes into @page. With DMA_ATTR_MMIO it is dma_map_resource(). No
 * page is refused (bad-argument), and an offset that passes 2^64 (address-wrap).
 */
dma_addr_t dmamap_map_page_attrs(struct dma_device *dev, struct page *page, size_t offset,
				 size_t size, enum dma_data_direction dir, unsigned long attrs);

/**
 * dma_map_single_attrs() - dma_map_phys() of the RAM at a CPU pointer, which must be linear: stack, vmalloc and other
 * mapped memory is refused with reason not-linear (one warning a device).
 */
dma_addr_t dmamap_map_single_attrs(struct dma_device *dev, void *ptr, size_t size,
				   enum dma_data_direction dir, unsigned long attrs);

/**
 * dma_map_sg_attrs() - map a list.
 * @sg:    first element; @nents of them, chains followed; DMA fields are written, CPU fields never
 * @nents: CPU elements, at least 1
 * @attrs: as for dma_map_phys(), but DMA_ATTR_MMIO is refused (bad-argument): MMIO is mapped by physical address
 *
 * Return: the number of DMA elements, at most @nents (an IOMMU merges), 0 on failure; then no element is mapped.
 * Program the hardware from that many elements; unmap and sync with @nents.
 */
unsigned int dmamap_map_sg_attrs(struct dma_device *dev, struct scatterlist *sg, int nents,
				 enum dma_data_direction dir, unsigned long attrs);

/** dma_unmap_sg_attrs() - undo dma_map_sg_attrs(); @nents, @dir and @attrs as there. */
void dmamap_unmap_sg_attrs(struct dma_device *dev, struct scatterlist *sg, int nents,
			   enum dma_data_direction dir, unsigned long attrs);

/**
 * dma_map_sgtable() - map @sgt->orig_nents elements, and store the count of DMA elements in @sgt->nents.
 *
 * Return: 0; -EINVAL (caller's error, will fail again), -ENOMEM (memory or addresses, may succeed later), -EIO (a
 * lower layer failed, or no mask), -EREMOTEIO (an element is a peer's and out of reach), -EOPNOTSUPP (REQUIRE_COHERENT).
 */
int dmamap_map_sgtable(struct dma_device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		       unsigned long attrs);

/** dma_unmap_sgtable() - undo it. */
void dmamap_unmap_sgtable(struct dma_device *dev, struct sg_table *sgt, enum dma_data_direction dir,
			  unsigned long attrs);

/**
 * dma_sync_single_for_cpu() - let the CPU see what the device wrote.
 * @addr: an address inside a live mapping; with @size any part of it
 * @dir:  the map's direction
 *
 * The bytes belong to the CPU until dma_sync_single_for_device(). Not for MMIO.
 */
void dmamap_sync_single_for_cpu(struct dma_device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir);

/** dma_sync_single_for_device() - let the device see what the CPU wrote, and own the bytes again. */
void dmamap_sync_single_for_device(struct dma_device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir);

/** The same for a mapped list, all of it; @nents as mapped. Peers' elements are skipped. */
void dmamap_sync_sg_for_cpu(struct dma_device *dev, struct scatterlist *sg, int nents,
			    enum dma_data_direction dir);
void dmamap_sync_sg_for_device(struct dma_device *dev, struct scatterlist *sg, int nents,
			       enum dma_data_direction dir);

/** dma_mapping_error() - -ENOMEM if @addr is DMA_MAPPING_ERROR, else 0. Every map must be asked. */
int dmamap_mapping_error(struct dma_device *dev, dma_addr_t addr);

/**
 * dma_alloc_attrs() - memory that CPU and device see alike without syncs.
 * @size:   bytes, at least 1; rounded up to pages
 * @handle: receives the DMA address
 * @gfp:    DMAMAP_GFP_*; zone flags are ignored, COMP is refused
 * @attrs:  DMA_ATTR_*
 *
 * Zeroed, aligned to its size rounded up to a power of two as far as the host can. Sleeps if @gfp and the host allow.
 *
 * Return: the CPU address, or NULL with a reason. Given back with dma_free_attrs().
 */
void *dmamap_alloc_attrs(struct dma_device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
			 unsigned long attrs);

/**
 * dma_free_attrs() - give it back: the same size, handle and attributes. A NULL @cpu_addr is traced and ignored.
 * Interrupts must be on (a warning otherwise).
 */
void dmamap_free_attrs(struct dma_device *dev, size_t size, void *cpu_addr, dma_addr_t handle,
		       unsigned long attrs);

#ifdef __cplusplus
}
#endif

#endif
