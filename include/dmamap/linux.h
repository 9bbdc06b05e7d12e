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

#include <dmamap/bounce.h>
#include <dmamap/device.h>
#include <dmamap/domain.h>
#include <dmamap/event.h>
#include <dmamap/host.h>
#include <dmamap/inline.h>
#include <dmamap/mapping.h>
#include <dmamap/ops.h>
#include <dmamap/pagetable.h>
#include <dmamap/reason.h>

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
	return dmamap_fast_map_phys(dev, dmamap_page_to_phys(page) + offset, size, dir, attrs);
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

static inline int dma_device_set_domain(struct dma_device *dev, struct dma_domain *domain)
{
	return dmamap_device_set_domain(dev, domain);
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

static inline int dma_bounce_destroy(struct dma_bounce *pool)
{
	return dmamap_bounce_destroy(pool);
}

static inline void dma_bounce_get_stats(struct dma_bounce *pool, struct dma_bounce_stats *stats)
{
	dmamap_bounce_get_stats(pool, stats);
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

static inline void dma_domain_get_stats(struct dma_domain *domain, struct dma_domain_stats *stats)
{
	dmamap_domain_get_stats(domain, stats);
}

static inline int dma_domain_iova_to_phys(struct dma_domain *domain, dma_addr_t iova,
					  phys_addr_t *phys)
{
	return dmamap_domain_iova_to_phys(domain, iova, phys);
}

#ifdef __cplusplus
}
#endif

#endif /* DMAMAP_NO_LINUX_NAMES */

#endif
