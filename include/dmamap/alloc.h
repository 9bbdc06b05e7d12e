/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory allocated for a device, in all forms but dma_alloc_attrs() (mapping.h) and pools of blocks (dmapool.h): pages
 * that are synced like any streaming mapping, pages that need not be contiguous, memory that a device brings along,
 * managed memory that ends with its device, and the reserve of callers that cannot block.
 *
 * Names to use are Linux's, dma_X, from dmamap/linux.h. Rules: docs/semantics.md, "Pages, tables and pieces" and the
 * sections behind it. Sizes are bytes, at least 1. What is allocated is zeroed. Failure: NULL or -errno, a reason, and
 * a trace record where the kernel has one; nothing is held then.
 *
 * Context: allocations may sleep if gfp has RECLAIM and the host's allocator sleeps; frees run where mapping may, but
 * for dma_free_attrs()'s rule about interrupts.
 */
#ifndef DMAMAP_ALLOC_H
#define DMAMAP_ALLOC_H

#include <dmamap/device.h>
#include <dmamap/page.h>
#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_atomic_pool;

/* --- pages, in the CPU's ordinary (cached) view */

/**
 * dma_alloc_pages() - pages mapped for a device.
 * @dev:    the device; its coherent mask says what it reaches
 * @size:   rounded up to pages
 * @handle: receives the DMA address
 * @dir:    as for dma_map_phys()
 * @gfp:    without zone flags and COMP
 *
 * The caller owns the memory and gives it to the device with dma_sync_single_for_device(), and takes it back with
 * dma_sync_single_for_cpu(), as if it had mapped it.
 *
 * Return: the first page (contiguous ones follow), NULL with a reason: bad-argument, zero-size, address-wrap,
 * bad-direction, bad-flags, no-mask (the coherent mask is 0), or the route's.
 */
struct page *dmamap_alloc_pages(struct dma_device *dev, size_t size, dma_addr_t *handle,
				enum dma_data_direction dir, gfp_t gfp);

/** dma_free_pages() - give them back: @size, @handle and @dir as they were. What is not allocated is reported
 *  (not-allocated, not-mapped) and nothing happens. */
void dmamap_free_pages(struct dma_device *dev, size_t size, struct page *page, dma_addr_t handle,
		       enum dma_data_direction dir);

/** dma_alloc_noncoherent() - dma_alloc_pages(), by CPU address. */
void *dmamap_alloc_noncoherent(struct dma_device *dev, size_t size, dma_addr_t *handle,
			       enum dma_data_direction dir, gfp_t gfp);
void dmamap_free_noncoherent(struct dma_device *dev, size_t size, void *cpu_addr, dma_addr_t handle,
			     enum dma_data_direction dir);

/* --- pages that need not be contiguous */

/**
 * dma_alloc_noncontiguous() - memory that is one range for the device, and perhaps many for the CPU.
 * @attrs: 0 or DMA_ATTR_ALLOC_SINGLE_PAGES: behind an IOMMU, no block larger than its smallest page
 *
 * The table has nents 1: sg_dma_address() and sg_dma_len() of its first element are the whole range. Its orig_nents
 * elements are the CPU's side. Sync it with dma_sync_sgtable_for_cpu() and …_for_device(). Only behind an IOMMU can
 * there be more than one element.
 *
 * Return: the table, which belongs to the library until dma_free_noncontiguous(); NULL with a reason.
 */
struct sg_table *dmamap_alloc_noncontiguous(struct dma_device *dev, size_t size,
					    enum dma_data_direction dir, gfp_t gfp,
					    unsigned long attrs);
void dmamap_free_noncontiguous(struct dma_device *dev, size_t size, struct sg_table *sgt,
			       enum dma_data_direction dir);

/**
 * dma_vmap_noncontiguous() - one CPU address for all of it.
 *
 * Pieces that happen to be contiguous have their linear address; others need the host's map_pages hook. Flush and
 * invalidate through the table's syncs, as for the pieces.
 *
 * Return: the address, to be ended with dma_vunmap_noncontiguous() before the memory is freed; NULL: not-contiguous.
 */
void *dmamap_vmap_noncontiguous(struct dma_device *dev, size_t size, struct sg_table *sgt);
void dmamap_vunmap_noncontiguous(struct dma_device *dev, void *cpu_addr);

/**
 * dma_get_sgtable_attrs() - describe coherent memory as a list, for exporters.
 * @sgt: filled in; sg_free_table() ends it
 *
 * The elements are pages as the CPU's bus sees them. They must not be mapped for another device of a non-coherent
 * machine: the CPU's view of them is not the cached one.
 *
 * Return: 0; -EINVAL (not-allocated, bad-argument), -ENOMEM; -ENXIO (no-method) for method tables.
 */
int dmamap_get_sgtable_attrs(struct dma_device *dev, struct sg_table *sgt, void *cpu_addr,
			     dma_addr_t handle, size_t size, unsigned long attrs);

/** sg_free_table() - free the list that dma_get_sgtable_attrs() made. A table without a list is left alone. */
void dmamap_sg_free_table(struct sg_table *sgt);

/* --- memory that belongs to one device */

/**
 * dma_declare_coherent_memory() - give a device coherent memory of its own.
 * @phys:        page-aligned: RAM, or memory for which the host's map_uncached hook has an address
 * @device_addr: where the device sees it
 * @size:        bytes; what does not fill a page is left over
 *
 * From then on every dma_alloc_attrs() of the device comes from there, and nothing else does: when it is used up the
 * reason is declared-exhausted. Process context.
 *
 * Return: 0; -ENODEV for a NULL device, -EINVAL (bad-argument, address-wrap, not-kmappable), -EBUSY
 * (already-declared), -ENOMEM.
 */
int dmamap_declare_coherent_memory(struct dma_device *dev, phys_addr_t phys, dma_addr_t device_addr,
				   size_t size);

/** dma_release_coherent_memory() - take it away. Return: 0; -EBUSY (live-mappings) while some of it is allocated. */
int dmamap_release_coherent_memory(struct dma_device *dev);

struct dma_declared_stats {
	uint64_t bytes;
	uint64_t used_bytes;
	uint64_t peak_bytes;
	/** The largest allocation, of a power of two of pages, that would succeed now, in bytes. */
	uint64_t longest_run;
	uint64_t failures;
};

/** All 0 if nothing is declared. Any context. */
void dmamap_declared_get_stats(struct dma_device *dev, struct dma_declared_stats *stats);

/* --- managed memory: freed by dma_device_fini(), the newest first */

void *dmamap_managed_alloc_attrs(struct dma_device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
				 unsigned long attrs);

/**
 * dmam_free_coherent() - free managed memory before its device ends.
 *
 * An address that is not managed warns (not-managed) and is freed as dma_free_attrs() would, with attributes 0. A size
 * or handle that differ from the allocation's warn (not-allocated); the memory is freed by those of the allocation.
 */
void dmamap_managed_free(struct dma_device *dev, size_t size, void *cpu_addr, dma_addr_t handle);

/* --- the reserve of callers that cannot block */

struct dma_atomic_config {
	/** sizeof(struct dma_atomic_config). */
	size_t size;
	/** Bytes to begin with, rounded up to pages. 0: 128 KiB for each GiB of RAM, from 128 KiB to 4 MiB. */
	uint64_t bytes;
	/** Never more than this many. 0: sixteen times the first. */
	uint64_t max_bytes;
	/** Below this many free bytes dma_poll() doubles the pool. 0: the first size. */
	uint64_t low;
	/** dma_poll() gives an unused block back if this many bytes stay free without it. 0: four times low. */
	uint64_t high;
	/** Highest physical address. 0: anywhere. */
	phys_addr_t ceiling;
	/** The memory is shared with the hypervisor: for devices that reach nothing else. */
	bool shared;
};

struct dma_atomic_stats {
	uint64_t bytes;
	uint64_t used_bytes;
	uint64_t peak_bytes;
	uint64_t blocks;
	uint64_t allocs;
	uint64_t failures;
	/** How often the pool grew and shrank. */
	uint64_t grown;
	uint64_t shrunk;
};

/**
 * dma_atomic_pool_create() - set memory aside for dma_alloc_attrs() without RECLAIM.
 *
 * For hosts whose map_uncached or set_shared hook may sleep. Once a host has such a pool, every allocation that may
 * not block, and needs an uncached or a shared view, comes from the host's pools, in the order in which they were
 * created; if none has room, the reason is atomic-exhausted. Process context; may sleep.
 *
 * Return: 0; -EINVAL for an impossible configuration; -ENOMEM.
 */
int dmamap_atomic_pool_create(struct dma_host *host, const struct dma_atomic_config *config,
			      struct dma_atomic_pool **pool);

/** Return: 0; -EBUSY while something of it is allocated. NULL is ignored. */
int dmamap_atomic_pool_destroy(struct dma_atomic_pool *pool);

/** Any context. */
void dmamap_atomic_pool_get_stats(struct dma_atomic_pool *pool, struct dma_atomic_stats *stats);

/** Bytes of the host's that are lost because their conversion failed (conversion-failed). Any context. */
uint64_t dmamap_lost_bytes(struct dma_host *host);

#ifdef __cplusplus
}
#endif

#endif
