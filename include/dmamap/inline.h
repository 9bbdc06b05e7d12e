/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The direct route as inline code: one add, two compares against the device's first cache line, one test of its flags.
 *
 * The line is armed by the library only for devices whose direct maps need nothing else: no bounce, no cache
 * maintenance, no sanitizer, no decoration, no observer, at most one window. Everything else takes the full call, and
 * so does every argument that deserves an error message.
 */
#ifndef DMAMAP_INLINE_H
#define DMAMAP_INLINE_H

#include <dmamap/mapping.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Attributes that change what a direct map does. */
#define DMAMAP_ATTRS_SLOW (DMA_ATTR_REQUIRE_COHERENT | DMA_ATTR_CC_SHARED)

/** The device's flags. Others may be raising one meanwhile; what concerns a mapping is raised before it is handed out. */
static inline uint32_t dmamap_dev_flags(const struct dma_device *dev)
{
	return __atomic_load_n(&dev->flags, __ATOMIC_RELAXED);
}

static inline bool dmamap_dir_valid(enum dma_data_direction dir)
{
	return (unsigned int)dir <= DMA_FROM_DEVICE;
}

/** Is this map an addition, and nothing else? */
static inline bool dmamap_map_is_fast(const struct dma_device *dev, phys_addr_t phys, size_t size,
				      enum dma_data_direction dir, unsigned long attrs)
{
	uint64_t first = phys - dev->base;

	return __builtin_expect(
		!(dmamap_dev_flags(dev) & (DMAMAP_DEV_SLOW_MAP | DMAMAP_DEV_OBSERVED)) &&
			first <= dev->span && (uint64_t)size - 1 <= dev->span - first &&
			dmamap_dir_valid(dir) && !(attrs & DMAMAP_ATTRS_SLOW),
		1);
}

/** dma_map_phys(), inline where possible. */
static inline dma_addr_t dmamap_fast_map_phys(struct dma_device *dev, phys_addr_t phys, size_t size,
					      enum dma_data_direction dir, unsigned long attrs)
{
	if (!dmamap_map_is_fast(dev, phys, size, dir, attrs))
		return dmamap_map_phys(dev, phys, size, dir, attrs);
	return phys + dev->offset;
}

/** dma_map_page_attrs(), inline where possible. No page, and an offset that wraps, are the full call's. */
static inline dma_addr_t dmamap_fast_map_page(struct dma_device *dev, struct page *page,
					      size_t offset, size_t size,
					      enum dma_data_direction dir, unsigned long attrs)
{
	phys_addr_t phys;

	if (__builtin_add_overflow(dmamap_page_to_phys(page), (phys_addr_t)offset, &phys) ||
	    !dmamap_map_is_fast(dev, phys, size, dir, attrs))
		return dmamap_map_page_attrs(dev, page, offset, size, dir, attrs);
	return phys + dev->offset;
}

/** dma_unmap_phys(), nothing at all where the mapping holds nothing. */
static inline void dmamap_fast_unmap_phys(struct dma_device *dev, dma_addr_t addr, size_t size,
					  enum dma_data_direction dir, unsigned long attrs)
{
	if (__builtin_expect(
		    (dmamap_dev_flags(dev) & (DMAMAP_DEV_SLOW_UNMAP | DMAMAP_DEV_OBSERVED)) ||
			    !dmamap_dir_valid(dir),
		    0))
		dmamap_unmap_phys(dev, addr, size, dir, attrs);
}

/** Must a sync of this device do anything, or be seen? */
static inline bool dmamap_dev_need_sync(const struct dma_device *dev)
{
	return (dmamap_dev_flags(dev) & (DMAMAP_DEV_SLOW_SYNC | DMAMAP_DEV_OBSERVED)) != 0;
}

#ifdef __cplusplus
}
#endif

#endif
