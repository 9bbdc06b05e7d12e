/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's names for the calls of this library.
 *
 * Each is an inline function around the linker symbol dmamap_X, where it is documented. Code that has these names
 * already defines DMAMAP_NO_LINUX_NAMES and uses the dmamap_ ones; types, constants and sg helpers stay.
 */
#ifndef DMAMAP_LINUX_H
#define DMAMAP_LINUX_H

#ifndef DMAMAP_NO_LINUX_NAMES

#include <dmamap/accel.h>
#include <dmamap/alloc.h>
#include <dmamap/bounce.h>
#include <dmamap/device.h>
#include <dmamap/dmapool.h>
#include <dmamap/domain.h>
#include <dmamap/event.h>
#include <dmamap/exposure.h>
#include <dmamap/fault.h>
#include <dmamap/history.h>
#include <dmamap/host.h>
#include <dmamap/inline.h>
#include <dmamap/iova.h>
#include <dmamap/mapping.h>
#include <dmamap/ops.h>
#include <dmamap/p2p.h>
#include <dmamap/pagetable.h>
#include <dmamap/reason.h>
#include <dmamap/vec.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GFP_KERNEL   DMAMAP_GFP_KERNEL
#define GFP_ATOMIC   DMAMAP_GFP_ATOMIC
#define GFP_DMA	     DMAMAP_GFP_DMA
#define GFP_DMA32    DMAMAP_GFP_DMA32
#define __GFP_ZERO   DMAMAP_GFP_ZERO
#define __GFP_NOWARN DMAMAP_GFP_NOWARN
#define __GFP_COMP   DMAMAP_GFP_COMP

/* --- mapping: one range */

static inline dma_addr_t dma_map_phys(struct dma_device *dev, phys_addr_t phys, size_t size,
				      enum dma_data_direction dir, unsigned long attrs)
{
	return dmamap_fast_map_phys(dev, phys, size, dir, attrs);
}

static inline void dma_unmap_phys(struct dma_device *dev, dma_addr_t addr, size_t size,
				  enum dma_data_direction dir, unsigned long attrs)
{
	dmamap_fast_unmap_phys(dev, addr, size, dir, attrs);
}

static inline dma_addr_t dma_map_page_attrs(struct dma_device *dev, struct page *page,
					    size_t offset, size_t size, enum dma_data_direction dir,
					    unsigned long attrs)
{
	return dmamap_fast_map_page(dev, page, offset, size, dir, attrs);
}

static inline void dma_unmap_page_attrs(struct dma_device *dev, dma_addr_t addr, size_t size,
					enum dma_data_direction dir, unsigned long attrs)
{
	dma_unmap_phys(dev, addr, size, dir, attrs);
}

static inline dma_addr_t dma_map_page(struct dma_device *dev, struct page *page, size_t offset,
				      size_t size, enum dma_data_direction dir)
{
	return dma_map_page_attrs(dev, page, offset, size, dir, 0);
}

static inline void dma_unmap_page(struct dma_device *dev, dma_addr_t addr, size_t size,
				  enum dma_data_direction dir)
{
	dma_unmap_phys(dev, addr, size, dir, 0);
}

static inline dma_addr_t dma_map_single_attrs(struct dma_device *dev, void *ptr, size_t size,
					      enum dma_data_direction dir, unsigned long attrs)
{
	return dmamap_map_single_attrs(dev, ptr, size, dir, attrs);
}

static inline void dma_unmap_single_attrs(struct dma_device *dev, dma_addr_t addr, size_t size,
					  enum dma_data_direction dir, unsigned long attrs)
{
	dma_unmap_phys(dev, addr, size, dir, attrs);
}

static inline dma_addr_t dma_map_single(struct dma_device *dev, void *ptr, size_t size,
					enum dma_data_direction dir)
{
	return dmamap_map_single_attrs(dev, ptr, size, dir, 0);
}

static inline void dma_unmap_single(struct dma_device *dev, dma_addr_t addr, size_t size,
				    enum dma_data_direction dir)
{
	dma_unmap_phys(dev, addr, size, dir, 0);
}

static inline dma_addr_t dma_map_resource(struct dma_device *dev, phys_addr_t phys, size_t size,
					  enum dma_data_direction dir, unsigned long attrs)
{
	return dma_map_phys(dev, phys, size, dir, attrs | DMA_ATTR_MMIO);
}

static inline void dma_unmap_resource(struct dma_device *dev, dma_addr_t addr, size_t size,
				      enum dma_data_direction dir, unsigned long attrs)
{
	dma_unmap_phys(dev, addr, size, dir, attrs | DMA_ATTR_MMIO);
}

static inline int dma_mapping_error(struct dma_device *dev, dma_addr_t addr)
{
	if (dmamap_dev_flags(dev) & DMAMAP_DEV_OBSERVED)
		return dmamap_mapping_error(dev, addr);
	return addr == DMA_MAPPING_ERROR ? -DMAMAP_ENOMEM : 0;
}

/* --- mapping: lists */

static inline unsigned int dma_map_sg_attrs(struct dma_device *dev, struct scatterlist *sg,
					    int nents, enum dma_data_direction dir,
					    unsigned long attrs)
{
	return dmamap_map_sg_attrs(dev, sg, nents, dir, attrs);
}

static inline void dma_unmap_sg_attrs(struct dma_device *dev, struct scatterlist *sg, int nents,
				      enum dma_data_direction dir, unsigned long attrs)
{
	dmamap_unmap_sg_attrs(dev, sg, nents, dir, attrs);
}

static inline unsigned int dma_map_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
				      enum dma_data_direction dir)
{
	return dmamap_map_sg_attrs(dev, sg, nents, dir, 0);
}

static inline void dma_unmap_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
				enum dma_data_direction dir)
{
	dmamap_unmap_sg_attrs(dev, sg, nents, dir, 0);
}

static inline int dma_map_sgtable(struct dma_device *dev, struct sg_table *sgt,
				  enum dma_data_direction dir, unsigned long attrs)
{
	return dmamap_map_sgtable(dev, sgt, dir, attrs);
}

static inline void dma_unmap_sgtable(struct dma_device *dev, struct sg_table *sgt,
				     enum dma_data_direction dir, unsigned long attrs)
{
	dmamap_unmap_sgtable(dev, sgt, dir, attrs);
}

/* --- mapping: vectors */

static inline int dma_vec_map_start(struct dma_device *dev, struct dma_vec_map *map,
				    struct dma_phys_vec *vecs, size_t n,
				    enum dma_data_direction dir, unsigned long attrs)
{
	return dmamap_vec_map_start(dev, map, vecs, n, dir, attrs);
}

static inline int dma_vec_map_next(struct dma_vec_map *map, struct dma_vec_seg *seg)
{
	return dmamap_vec_map_next(map, seg);
}

static inline int dma_vec_map_rewind(struct dma_vec_map *map)
{
	return dmamap_vec_map_rewind(map);
}

static inline int dma_vec_unmap(struct dma_vec_map *map, unsigned long attrs)
{
	return dmamap_vec_unmap(map, attrs);
}

static inline int dma_vec_sync_for_cpu(struct dma_vec_map *map, uint64_t offset, uint64_t size)
{
	return dmamap_vec_sync_for_cpu(map, offset, size);
}

static inline int dma_vec_sync_for_device(struct dma_vec_map *map, uint64_t offset, uint64_t size)
{
	return dmamap_vec_sync_for_device(map, offset, size);
}

/* --- sync */

static inline void dma_sync_single_for_cpu(struct dma_device *dev, dma_addr_t addr, size_t size,
					   enum dma_data_direction dir)
{
	if (dmamap_dev_need_sync(dev))
		dmamap_sync_single_for_cpu(dev, addr, size, dir);
}

static inline void dma_sync_single_range_for_cpu(struct dma_device *dev, dma_addr_t addr,
						 size_t offset, size_t size,
						 enum dma_data_direction dir)
{
	dma_sync_single_for_cpu(dev, addr + offset, size, dir);
}

static inline void dma_sync_sg_for_cpu(struct dma_device *dev, struct scatterlist *sg, int nents,
				       enum dma_data_direction dir)
{
	if (dmamap_dev_need_sync(dev))
		dmamap_sync_sg_for_cpu(dev, sg, nents, dir);
}

static inline void dma_sync_sgtable_for_cpu(struct dma_device *dev, struct sg_table *sgt,
					    enum dma_data_direction dir)
{
	dma_sync_sg_for_cpu(dev, sgt->sgl, (int)sgt->orig_nents, dir);
}

static inline void dma_sync_single_for_device(struct dma_device *dev, dma_addr_t addr, size_t size,
					      enum dma_data_direction dir)
{
	if (dmamap_dev_need_sync(dev))
		dmamap_sync_single_for_device(dev, addr, size, dir);
}

static inline void dma_sync_single_range_for_device(struct dma_device *dev, dma_addr_t addr,
						    size_t offset, size_t size,
						    enum dma_data_direction dir)
{
	dma_sync_single_for_device(dev, addr + offset, size, dir);
}

static inline void dma_sync_sg_for_device(struct dma_device *dev, struct scatterlist *sg, int nents,
					  enum dma_data_direction dir)
{
	if (dmamap_dev_need_sync(dev))
		dmamap_sync_sg_for_device(dev, sg, nents, dir);
}

static inline void dma_sync_sgtable_for_device(struct dma_device *dev, struct sg_table *sgt,
					       enum dma_data_direction dir)
{
	dma_sync_sg_for_device(dev, sgt->sgl, (int)sgt->orig_nents, dir);
}

/* --- coherent memory */

static inline void *dma_alloc_attrs(struct dma_device *dev, size_t size, dma_addr_t *handle,
				    gfp_t gfp, unsigned long attrs)
{
	return dmamap_alloc_attrs(dev, size, handle, gfp, attrs);
}

static inline void dma_free_attrs(struct dma_device *dev, size_t size, void *cpu_addr,
				  dma_addr_t handle, unsigned long attrs)
{
	dmamap_free_attrs(dev, size, cpu_addr, handle, attrs);
}

static inline void *dma_alloc_coherent(struct dma_device *dev, size_t size, dma_addr_t *handle,
				       gfp_t gfp)
{
	return dmamap_alloc_attrs(dev, size, handle, gfp,
				  (gfp & DMAMAP_GFP_NOWARN) ? DMA_ATTR_NO_WARN : 0);
}

static inline void dma_free_coherent(struct dma_device *dev, size_t size, void *cpu_addr,
				     dma_addr_t handle)
{
	dmamap_free_attrs(dev, size, cpu_addr, handle, 0);
}

static inline void *dma_alloc_wc(struct dma_device *dev, size_t size, dma_addr_t *handle, gfp_t gfp)
{
	return dmamap_alloc_attrs(dev, size, handle, gfp,
				  DMA_ATTR_WRITE_COMBINE |
					  ((gfp & DMAMAP_GFP_NOWARN) ? DMA_ATTR_NO_WARN : 0));
}

static inline void dma_free_wc(struct dma_device *dev, size_t size, void *cpu_addr,
			       dma_addr_t handle)
{
	dmamap_free_attrs(dev, size, cpu_addr, handle, DMA_ATTR_WRITE_COMBINE);
}

static inline int dma_get_sgtable_attrs(struct dma_device *dev, struct sg_table *sgt,
					void *cpu_addr, dma_addr_t handle, size_t size,
					unsigned long attrs)
{
	return dmamap_get_sgtable_attrs(dev, sgt, cpu_addr, handle, size, attrs);
}

static inline int dma_get_sgtable(struct dma_device *dev, struct sg_table *sgt, void *cpu_addr,
				  dma_addr_t handle, size_t size)
{
	return dmamap_get_sgtable_attrs(dev, sgt, cpu_addr, handle, size, 0);
}

static inline void sg_free_table(struct sg_table *sgt)
{
	dmamap_sg_free_table(sgt);
}

static inline void *dmam_alloc_attrs(struct dma_device *dev, size_t size, dma_addr_t *handle,
				     gfp_t gfp, unsigned long attrs)
{
	return dmamap_managed_alloc_attrs(dev, size, handle, gfp, attrs);
}

static inline void *dmam_alloc_coherent(struct dma_device *dev, size_t size, dma_addr_t *handle,
					gfp_t gfp)
{
	return dmamap_managed_alloc_attrs(dev, size, handle, gfp,
					  (gfp & DMAMAP_GFP_NOWARN) ? DMA_ATTR_NO_WARN : 0);
}

static inline void dmam_free_coherent(struct dma_device *dev, size_t size, void *cpu_addr,
				      dma_addr_t handle)
{
	dmamap_managed_free(dev, size, cpu_addr, handle);
}

/* --- pages, pieces, declared memory, reserves */

static inline struct page *dma_alloc_pages(struct dma_device *dev, size_t size, dma_addr_t *handle,
					   enum dma_data_direction dir, gfp_t gfp)
{
	return dmamap_alloc_pages(dev, size, handle, dir, gfp);
}

static inline void dma_free_pages(struct dma_device *dev, size_t size, struct page *page,
				  dma_addr_t handle, enum dma_data_direction dir)
{
	dmamap_free_pages(dev, size, page, handle, dir);
}

static inline void *dma_alloc_noncoherent(struct dma_device *dev, size_t size, dma_addr_t *handle,
					  enum dma_data_direction dir, gfp_t gfp)
{
	return dmamap_alloc_noncoherent(dev, size, handle, dir, gfp);
}

static inline void dma_free_noncoherent(struct dma_device *dev, size_t size, void *cpu_addr,
					dma_addr_t handle, enum dma_data_direction dir)
{
	dmamap_free_noncoherent(dev, size, cpu_addr, handle, dir);
}

static inline struct sg_table *dma_alloc_noncontiguous(struct dma_device *dev, size_t size,
						       enum dma_data_direction dir, gfp_t gfp,
						       unsigned long attrs)
{
	return dmamap_alloc_noncontiguous(dev, size, dir, gfp, attrs);
}

static inline void dma_free_noncontiguous(struct dma_device *dev, size_t size, struct sg_table *sgt,
					  enum dma_data_direction dir)
{
	dmamap_free_noncontiguous(dev, size, sgt, dir);
}

static inline void *dma_vmap_noncontiguous(struct dma_device *dev, size_t size,
					   struct sg_table *sgt)
{
	return dmamap_vmap_noncontiguous(dev, size, sgt);
}

static inline void dma_vunmap_noncontiguous(struct dma_device *dev, void *cpu_addr)
{
	dmamap_vunmap_noncontiguous(dev, cpu_addr);
}

static inline int dma_declare_coherent_memory(struct dma_device *dev, phys_addr_t phys,
					      dma_addr_t device_addr, size_t size)
{
	return dmamap_declare_coherent_memory(dev, phys, device_addr, size);
}

static inline int dma_release_coherent_memory(struct dma_device *dev)
{
	return dmamap_release_coherent_memory(dev);
}

static inline void dma_declared_get_stats(struct dma_device *dev, struct dma_declared_stats *stats)
{
	dmamap_declared_get_stats(dev, stats);
}

static inline int dma_atomic_pool_create(struct dma_host *host,
					 const struct dma_atomic_config *config,
					 struct dma_atomic_pool **pool)
{
	return dmamap_atomic_pool_create(host, config, pool);
}

static inline int dma_atomic_pool_destroy(struct dma_atomic_pool *pool)
{
	return dmamap_atomic_pool_destroy(pool);
}

static inline void dma_atomic_pool_get_stats(struct dma_atomic_pool *pool,
					     struct dma_atomic_stats *stats)
{
	dmamap_atomic_pool_get_stats(pool, stats);
}

static inline uint64_t dma_lost_bytes(struct dma_host *host)
{
	return dmamap_lost_bytes(host);
}

/* --- pools of blocks */

static inline struct dma_pool *dma_pool_create(const char *name, struct dma_device *dev,
					       size_t size, size_t align, size_t boundary)
{
	return dmamap_pool_create(name, dev, size, align, boundary);
}

static inline void dma_pool_destroy(struct dma_pool *pool)
{
	dmamap_pool_destroy(pool);
}

static inline void *dma_pool_alloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle)
{
	return dmamap_pool_alloc(pool, gfp, handle);
}

static inline void *dma_pool_zalloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle)
{
	return dmamap_pool_alloc(pool, gfp | DMAMAP_GFP_ZERO, handle);
}

static inline void dma_pool_free(struct dma_pool *pool, void *block, dma_addr_t handle)
{
	dmamap_pool_free(pool, block, handle);
}

static inline int dma_pool_set_poison(struct dma_pool *pool, bool on)
{
	return dmamap_pool_set_poison(pool, on);
}

static inline struct dma_pool *dmam_pool_create(const char *name, struct dma_device *dev,
						size_t size, size_t align, size_t boundary)
{
	return dmamap_managed_pool_create(name, dev, size, align, boundary);
}

static inline void dmam_pool_destroy(struct dma_pool *pool)
{
	dmamap_managed_pool_destroy(pool);
}

static inline void dma_pools_show(struct dma_device *dev, dma_put_fn put, void *ctx)
{
	dmamap_pools_show(dev, put, ctx);
}

/* --- devices, masks, limits */

static inline int dma_device_init(struct dma_device *dev, size_t size, struct dma_host *host)
{
	return dmamap_device_init(dev, size, host);
}

static inline int dma_device_fini(struct dma_device *dev)
{
	return dmamap_device_fini(dev);
}

static inline int dma_device_quiesce(struct dma_device *dev)
{
	return dmamap_device_quiesce(dev);
}

static inline uint64_t dma_device_live(struct dma_device *dev)
{
	return dmamap_device_live(dev);
}

static inline void dma_device_set_name(struct dma_device *dev, const char *name)
{
	dmamap_device_set_name(dev, name);
}

static inline const char *dma_device_name(const struct dma_device *dev)
{
	return dmamap_device_name(dev);
}

static inline void dma_device_set_data(struct dma_device *dev, void *data)
{
	dmamap_device_set_data(dev, data);
}

static inline void *dma_device_data(const struct dma_device *dev)
{
	return dmamap_device_data(dev);
}

static inline struct dma_host *dma_device_host(const struct dma_device *dev)
{
	return dmamap_device_host(dev);
}

static inline enum dma_route dma_device_route(const struct dma_device *dev)
{
	return dmamap_device_route(dev);
}

static inline int dma_device_set_mask_storage(struct dma_device *dev, enum dma_mask_storage storage)
{
	return dmamap_device_set_mask_storage(dev, storage);
}

static inline int dma_device_set_bus_limit(struct dma_device *dev, dma_addr_t limit)
{
	return dmamap_device_set_bus_limit(dev, limit);
}

static inline int dma_device_set_range_map(struct dma_device *dev, const struct dma_range *map)
{
	return dmamap_device_set_range_map(dev, map);
}

static inline int dma_device_set_offset(struct dma_device *dev, phys_addr_t cpu, dma_addr_t dma,
					uint64_t size)
{
	return dmamap_device_set_offset(dev, cpu, dma, size);
}

static inline int dma_direct_set_offset(struct dma_device *dev, phys_addr_t cpu, dma_addr_t dma,
					uint64_t size)
{
	return dmamap_device_set_offset(dev, cpu, dma, size);
}

static inline int dma_device_set_coherent(struct dma_device *dev, bool coherent)
{
	return dmamap_device_set_coherent(dev, coherent);
}

static inline int dma_device_set_ops(struct dma_device *dev, const struct dma_map_ops *ops)
{
	return dmamap_device_set_ops(dev, ops);
}

static inline int dma_device_set_ops_bypass(struct dma_device *dev, bool bypass)
{
	return dmamap_device_set_ops_bypass(dev, bypass);
}

static inline int dma_device_set_bounce(struct dma_device *dev, struct dma_bounce *pool)
{
	return dmamap_device_set_bounce(dev, pool);
}

static inline int dma_device_set_force_bounce(struct dma_device *dev, bool force)
{
	return dmamap_device_set_force_bounce(dev, force);
}

static inline int dma_device_set_untrusted(struct dma_device *dev, bool untrusted)
{
	return dmamap_device_set_untrusted(dev, untrusted);
}

static inline int dma_device_set_pci(struct dma_device *dev, bool pci, bool forcedac)
{
	return dmamap_device_set_pci(dev, pci, forcedac);
}

static inline int dma_device_set_unit(struct dma_device *dev, struct dma_iommu_unit *unit)
{
	return dmamap_device_set_unit(dev, unit);
}

static inline int dma_device_set_domain(struct dma_device *dev, struct dma_domain *domain)
{
	return dmamap_device_set_domain(dev, domain);
}

static inline int dma_device_map_msi(struct dma_device *dev, phys_addr_t doorbell, dma_addr_t *addr)
{
	return dmamap_device_map_msi(dev, doorbell, addr);
}

static inline void dma_device_set_parms(struct dma_device *dev, struct dma_parms *parms)
{
	dmamap_device_set_parms(dev, parms);
}

static inline bool dma_device_is_coherent(const struct dma_device *dev)
{
	return dmamap_device_is_coherent(dev);
}

static inline uint64_t dma_get_mask(const struct dma_device *dev)
{
	return dmamap_get_mask(dev);
}

static inline uint64_t dma_get_coherent_mask(const struct dma_device *dev)
{
	return dmamap_get_coherent_mask(dev);
}

static inline int dma_set_mask(struct dma_device *dev, uint64_t mask)
{
	return dmamap_set_mask(dev, mask);
}

static inline int dma_set_coherent_mask(struct dma_device *dev, uint64_t mask)
{
	return dmamap_set_coherent_mask(dev, mask);
}

static inline int dma_set_mask_and_coherent(struct dma_device *dev, uint64_t mask)
{
	return dmamap_set_mask_and_coherent(dev, mask);
}

static inline int dma_coerce_mask_and_coherent(struct dma_device *dev, uint64_t mask)
{
	return dmamap_coerce_mask_and_coherent(dev, mask);
}

static inline unsigned int dma_get_max_seg_size(const struct dma_device *dev)
{
	return dmamap_get_max_seg_size(dev);
}

static inline uint64_t dma_get_seg_boundary(const struct dma_device *dev)
{
	return dmamap_get_seg_boundary(dev);
}

static inline uint64_t dma_get_seg_boundary_nr_pages(const struct dma_device *dev,
						     unsigned int shift)
{
	return dmamap_get_seg_boundary_nr_pages(dev, shift);
}

static inline unsigned int dma_get_min_align_mask(const struct dma_device *dev)
{
	return dmamap_get_min_align_mask(dev);
}

static inline int dma_set_max_seg_size(struct dma_device *dev, unsigned int size)
{
	return dmamap_set_max_seg_size(dev, size);
}

static inline int dma_set_seg_boundary(struct dma_device *dev, uint64_t mask)
{
	return dmamap_set_seg_boundary(dev, mask);
}

static inline int dma_set_min_align_mask(struct dma_device *dev, unsigned int mask)
{
	return dmamap_set_min_align_mask(dev, mask);
}

static inline unsigned int dma_get_cache_alignment(const struct dma_device *dev)
{
	return dmamap_get_cache_alignment(dev);
}

static inline bool dma_supported(struct dma_device *dev, uint64_t mask)
{
	return dmamap_supported(dev, mask);
}

static inline uint64_t dma_get_required_mask(struct dma_device *dev)
{
	return dmamap_get_required_mask(dev);
}

static inline bool dma_addressing_limited(struct dma_device *dev)
{
	return dmamap_addressing_limited(dev);
}

static inline size_t dma_max_mapping_size(struct dma_device *dev)
{
	return dmamap_max_mapping_size(dev);
}

static inline size_t dma_opt_mapping_size(struct dma_device *dev)
{
	return dmamap_opt_mapping_size(dev);
}

static inline uint64_t dma_get_merge_boundary(struct dma_device *dev)
{
	return dmamap_get_merge_boundary(dev);
}

static inline bool dma_need_sync(struct dma_device *dev, dma_addr_t addr)
{
	return dmamap_dev_need_sync(dev) && dmamap_need_sync(dev, addr);
}

static inline bool dma_need_unmap(struct dma_device *dev)
{
	return dmamap_need_unmap(dev);
}

static inline bool dma_pci_p2pdma_supported(struct dma_device *dev)
{
	return dmamap_pci_p2pdma_supported(dev);
}

/* --- failures and observers */

static inline int dma_last_error(struct dma_device *dev, struct dma_error *err)
{
	return dmamap_last_error(dev, err);
}

static inline int dma_device_last_error(struct dma_device *dev, struct dma_error *err)
{
	return dmamap_device_last_error(dev, err);
}

static inline size_t dma_error_format(const struct dma_error *err, char *buf, size_t size)
{
	return dmamap_error_format(err, buf, size);
}

static inline const char *dma_reason_name(enum dma_reason reason)
{
	return dmamap_reason_name(reason);
}

static inline const char *dma_reason_what(enum dma_reason reason)
{
	return dmamap_reason_what(reason);
}

static inline const char *dma_reason_help(enum dma_reason reason)
{
	return dmamap_reason_help(reason);
}

static inline const char *dma_route_name(enum dma_route route)
{
	return dmamap_route_name(route);
}

static inline int dma_observer_attach(struct dma_host *host, struct dma_observer *observer)
{
	return dmamap_observer_attach(host, observer);
}

static inline int dma_observer_detach(struct dma_host *host, struct dma_observer *observer)
{
	return dmamap_observer_detach(host, observer);
}

static inline bool dma_event_format(const struct dma_event *event, enum dma_dialect dialect,
				    dma_put_fn put, void *ctx)
{
	return dmamap_event_format(event, dialect, put, ctx);
}

/* --- peer-to-peer */

static inline int dma_pci_check(const struct dma_pci_topology *topology,
				struct dma_pci_fault *fault)
{
	return dmamap_pci_check(topology, fault);
}

static inline int dma_pci_attach(struct dma_host *host, struct dma_pci_topology *topology,
				 struct dma_pci_fault *fault)
{
	return dmamap_pci_attach(host, topology, fault);
}

static inline int dma_pci_detach(struct dma_host *host)
{
	return dmamap_pci_detach(host);
}

static inline int dma_pci_bind(struct dma_host *host, int node, struct dma_device *dev)
{
	return dmamap_pci_bind(host, node, dev);
}

static inline int dma_pci_set_acs(struct dma_host *host, int node, uint16_t acs)
{
	return dmamap_pci_set_acs(host, node, acs);
}

static inline int dma_pci_set_allowed(struct dma_host *host, const struct dma_pci_allowed *allowed,
				      unsigned int n)
{
	return dmamap_pci_set_allowed(host, allowed, n);
}

static inline const struct dma_pci_allowed *dma_pci_known_bridges(unsigned int *n)
{
	return dmamap_pci_known_bridges(n);
}

static inline int dma_pci_bridge_id(const struct dma_pci_topology *topology, int bridge)
{
	return dmamap_pci_bridge_id(topology, bridge);
}

static inline int dma_pci_find(const struct dma_pci_topology *topology, uint32_t domain,
			       uint8_t bus, uint8_t devfn)
{
	return dmamap_pci_find(topology, domain, bus, devfn);
}

static inline int dma_p2p_query(const struct dma_pci_topology *topology, int provider, int client,
				struct dma_p2p_answer *answer)
{
	return dmamap_p2p_query(topology, provider, client, answer);
}

static inline enum dma_p2p_type dma_p2p_map_type(struct dma_host *host, int provider,
						 struct dma_device *dev, enum dma_reason *why)
{
	return dmamap_p2p_map_type(host, provider, dev, why);
}

static inline int dma_p2p_distance_many(struct dma_host *host, int provider,
					struct dma_device *const *clients, unsigned int n,
					bool verbose)
{
	return dmamap_p2p_distance_many(host, provider, clients, n, verbose);
}

static inline unsigned long dma_p2p_attrs(enum dma_p2p_type type, unsigned long attrs)
{
	return dmamap_p2p_attrs(type, attrs);
}

static inline uint64_t dma_p2p_bus_addr(const struct dma_p2p_provider *provider, phys_addr_t phys)
{
	return dmamap_p2p_bus_addr(provider, phys);
}

static inline int dma_p2p_init(struct dma_host *host, int node)
{
	return dmamap_p2p_init(host, node);
}

static inline int dma_p2p_fini(struct dma_host *host, int node)
{
	return dmamap_p2p_fini(host, node);
}

static inline const struct dma_p2p_provider *dma_p2p_provider(struct dma_host *host, int node,
							      unsigned int bar)
{
	return dmamap_p2p_provider(host, node, bar);
}

static inline int dma_p2p_add_resource(struct dma_host *host, int node, unsigned int bar,
				       uint64_t size, uint64_t offset)
{
	return dmamap_p2p_add_resource(host, node, bar, size, offset);
}

static inline phys_addr_t dma_p2p_alloc(struct dma_host *host, int node, uint64_t size)
{
	return dmamap_p2p_alloc(host, node, size);
}

static inline int dma_p2p_free(struct dma_host *host, int node, phys_addr_t phys, uint64_t size)
{
	return dmamap_p2p_free(host, node, phys, size);
}

static inline int dma_p2p_alloc_sg(struct dma_host *host, int node, struct scatterlist *sg,
				   unsigned int size)
{
	return dmamap_p2p_alloc_sg(host, node, sg, size);
}

static inline int dma_p2p_free_sg(struct dma_host *host, int node, struct scatterlist *sg)
{
	return dmamap_p2p_free_sg(host, node, sg);
}

static inline int dma_p2p_phys_to_bus(struct dma_host *host, phys_addr_t phys, uint64_t *bus)
{
	return dmamap_p2p_phys_to_bus(host, phys, bus);
}

static inline int dma_p2p_publish(struct dma_host *host, int node, bool publish)
{
	return dmamap_p2p_publish(host, node, publish);
}

static inline int dma_p2p_get_stats(struct dma_host *host, int node, struct dma_p2p_stats *stats)
{
	return dmamap_p2p_get_stats(host, node, stats);
}

static inline int dma_p2p_find_many(struct dma_host *host, struct dma_device *const *clients,
				    unsigned int n)
{
	return dmamap_p2p_find_many(host, clients, n);
}

static inline enum dma_p2p_type dma_p2p_classify(struct dma_p2p_state *state,
						 struct dma_device *dev, phys_addr_t phys)
{
	return dmamap_p2p_classify(state, dev, phys);
}

/* --- hosts, pools, domains */

static inline int dma_host_init(struct dma_host *host)
{
	return dmamap_host_init(host);
}

static inline int dma_host_fini(struct dma_host *host)
{
	return dmamap_host_fini(host);
}

static inline void dma_poll(struct dma_host *host)
{
	dmamap_poll(host);
}

static inline int dma_bounce_create(struct dma_host *host, const struct dma_bounce_config *config,
				    struct dma_bounce **pool)
{
	return dmamap_bounce_create(host, config, pool);
}

static inline uint64_t dma_bounce_round_bytes(const struct dma_bounce_config *config)
{
	return dmamap_bounce_round_bytes(config);
}

static inline void dma_bounce_reset_peak(struct dma_bounce *pool)
{
	dmamap_bounce_reset_peak(pool);
}

static inline int dma_bounce_destroy(struct dma_bounce *pool)
{
	return dmamap_bounce_destroy(pool);
}

static inline void dma_bounce_get_stats(struct dma_bounce *pool, struct dma_bounce_stats *stats)
{
	dmamap_bounce_get_stats(pool, stats);
}

static inline int dma_identity_backend_create(struct dma_host *host, struct dma_iommu_unit *unit,
					      struct dma_backend **backend)
{
	return dmamap_identity_backend_create(host, unit, backend);
}

static inline int dma_device_set_deferred_attach(struct dma_device *dev, bool deferred)
{
	return dmamap_device_set_deferred_attach(dev, deferred);
}

/* --- two-step mapping */

static inline bool dma_use_iova(const struct dma_iova_state *state)
{
	return dmamap_use_iova(state);
}

static inline size_t dma_iova_size(const struct dma_iova_state *state)
{
	return dmamap_iova_size(state);
}

static inline bool dma_iova_try_alloc(struct dma_device *dev, struct dma_iova_state *state,
				      phys_addr_t phys, size_t size)
{
	return dmamap_iova_try_alloc(dev, state, phys, size);
}

static inline int dma_iova_link(struct dma_device *dev, struct dma_iova_state *state,
				phys_addr_t phys, size_t offset, size_t size,
				enum dma_data_direction dir, unsigned long attrs)
{
	return dmamap_iova_link(dev, state, phys, offset, size, dir, attrs);
}

static inline int dma_iova_sync(struct dma_device *dev, struct dma_iova_state *state, size_t offset,
				size_t size)
{
	return dmamap_iova_sync(dev, state, offset, size);
}

static inline void dma_iova_unlink(struct dma_device *dev, struct dma_iova_state *state,
				   size_t offset, size_t size, enum dma_data_direction dir,
				   unsigned long attrs)
{
	dmamap_iova_unlink(dev, state, offset, size, dir, attrs);
}

static inline void dma_iova_free(struct dma_device *dev, struct dma_iova_state *state)
{
	dmamap_iova_free(dev, state);
}

static inline void dma_iova_destroy(struct dma_device *dev, struct dma_iova_state *state,
				    size_t mapped_len, enum dma_data_direction dir,
				    unsigned long attrs)
{
	dmamap_iova_destroy(dev, state, mapped_len, dir, attrs);
}

static inline bool dma_accel_init(struct dma_host *host)
{
	return dmamap_accel_init(host);
}

static inline int dma_pt_backend_create(struct dma_host *host, const struct dma_pt_config *config,
					struct dma_backend **backend)
{
	return dmamap_pt_backend_create(host, config, backend);
}

static inline int dma_domain_create(struct dma_host *host, struct dma_backend *backend,
				    const struct dma_domain_config *config,
				    struct dma_domain **domain)
{
	return dmamap_domain_create(host, backend, config, domain);
}

static inline int dma_domain_destroy(struct dma_domain *domain)
{
	return dmamap_domain_destroy(domain);
}

static inline int dma_domain_reserve(struct dma_domain *domain, dma_addr_t start, uint64_t len)
{
	return dmamap_domain_reserve(domain, start, len);
}

static inline void dma_domain_flush(struct dma_domain *domain)
{
	dmamap_domain_flush(domain);
}

static inline int dma_domain_set_invalidation(struct dma_domain *domain,
					      enum dma_invalidation invalidation)
{
	return dmamap_domain_set_invalidation(domain, invalidation);
}

static inline void dma_domain_get_stats(struct dma_domain *domain, struct dma_domain_stats *stats)
{
	dmamap_domain_get_stats(domain, stats);
}

static inline void dma_domain_set_fault_handler(struct dma_domain *domain,
						dma_fault_handler handler, void *arg)
{
	dmamap_domain_set_fault_handler(domain, handler, arg);
}

static inline int dma_fault_report(struct dma_host *host, const struct dma_fault *fault)
{
	return dmamap_fault_report(host, fault);
}

static inline const char *dma_fault_reason_name(enum dma_fault_reason reason)
{
	return dmamap_fault_reason_name(reason);
}

static inline const char *dma_fault_reason_what(enum dma_fault_reason reason)
{
	return dmamap_fault_reason_what(reason);
}

static inline int dma_domain_iova_to_phys(struct dma_domain *domain, dma_addr_t iova,
					  phys_addr_t *phys)
{
	return dmamap_domain_iova_to_phys(domain, iova, phys);
}

static inline int dma_domain_read_dirty(struct dma_domain *domain, dma_addr_t iova, uint64_t len,
					bool clear, dma_dirty_fn dirty, void *arg)
{
	return dmamap_domain_read_dirty(domain, iova, len, clear, dirty, arg);
}

/* --- history */

static inline int dma_history_create(struct dma_host *host, uint32_t capacity,
				     struct dma_history **history)
{
	return dmamap_history_create(host, capacity, history);
}

static inline int dma_history_destroy(struct dma_history *history)
{
	return dmamap_history_destroy(history);
}

static inline int dma_history_attach(struct dma_history *history)
{
	return dmamap_history_attach(history);
}

static inline int dma_history_detach(struct dma_history *history)
{
	return dmamap_history_detach(history);
}

static inline void dma_history_get_stats(struct dma_history *history,
					 struct dma_history_stats *stats)
{
	dmamap_history_get_stats(history, stats);
}

static inline int dma_history_find(struct dma_history *history, struct dma_device *dev,
				   struct dma_domain *domain, dma_addr_t addr,
				   struct dma_history_record *record)
{
	return dmamap_history_find(history, dev, domain, addr, record);
}

static inline int dma_exposure(struct dma_domain *domain, struct dma_device *dev,
			       struct dma_history *history, dma_exposure_fn fn, void *arg,
			       struct dma_exposure_totals *totals)
{
	return dmamap_exposure(domain, dev, history, fn, arg, totals);
}

static inline int dma_device_exposure(struct dma_device *dev, struct dma_history *history,
				      dma_exposure_fn fn, void *arg,
				      struct dma_exposure_totals *totals)
{
	return dmamap_device_exposure(dev, history, fn, arg, totals);
}

static inline const char *dma_exposure_name(enum dma_exposure_kind kind)
{
	return dmamap_exposure_name(kind);
}

static inline const char *dma_exposure_what(enum dma_exposure_kind kind)
{
	return dmamap_exposure_what(kind);
}

static inline void dma_fault_explain(struct dma_history *history, const struct dma_fault *fault,
				     dma_put_fn put, void *ctx)
{
	dmamap_fault_explain(history, fault, put, ctx);
}

#ifdef __cplusplus
}
#endif

#endif /* DMAMAP_NO_LINUX_NAMES */

#endif
