/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scalars, error values, directions, attributes and allocation flags.
 *
 * Everything else in the public API is built from these. Names and numeric values are Linux's, so that driver code
 * and recorded traces mean the same thing on both sides. Nothing here needs a library; 64-bit targets only.
 */
#ifndef DMAMAP_TYPES_H
#define DMAMAP_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A CPU physical address: RAM, MMIO or a hole. */
typedef uint64_t phys_addr_t;

/** An address as a device emits it. 0 is a legal value. */
typedef uint64_t dma_addr_t;

/** Allocation flags, DMAMAP_GFP_*. */
typedef unsigned int gfp_t;

/** The one failure value of every call that returns a DMA address (docs/semantics.md, "Failure"). */
#define DMA_MAPPING_ERROR (~(dma_addr_t)0)

/** No physical address: the failure value of host calls that return one. */
#define DMAMAP_PHYS_NONE (~(phys_addr_t)0)

/** The low @n bits set, 1 <= @n <= 64. */
#define DMA_BIT_MASK(n) ((n) == 64 ? ~(uint64_t)0 : ((uint64_t)1 << ((n)&63)) - 1)

/** The frame behind one struct page, on every host, whatever that host's page size is. */
#define DMAMAP_PAGE_SHIFT 12
#define DMAMAP_PAGE_SIZE  ((uint64_t)1 << DMAMAP_PAGE_SHIFT)

/** Who writes: the device reads (TO_DEVICE), writes (FROM_DEVICE), or both. The first three are valid in calls. */
enum dma_data_direction {
	DMA_BIDIRECTIONAL = 0,
	DMA_TO_DEVICE = 1,
	DMA_FROM_DEVICE = 2,
	DMA_NONE = 3,
};

/**
 * Attribute bits (docs/semantics.md, "Attributes"). Unknown bits are passed on and ignored.
 */
#define DMA_ATTR_WEAK_ORDERING	   (1UL << 1)
#define DMA_ATTR_WRITE_COMBINE	   (1UL << 2)
#define DMA_ATTR_NO_KERNEL_MAPPING (1UL << 4)
/** The caller does the cache maintenance itself; a bounce is still filled at map, but not copied back at unmap. */
#define DMA_ATTR_SKIP_CPU_SYNC	    (1UL << 5)
#define DMA_ATTR_FORCE_CONTIGUOUS   (1UL << 6)
#define DMA_ATTR_ALLOC_SINGLE_PAGES (1UL << 7)
/** No message when the operation fails; the reason is recorded all the same. */
#define DMA_ATTR_NO_WARN    (1UL << 8)
#define DMA_ATTR_PRIVILEGED (1UL << 9)
/** Not RAM: no page, no CPU mapping, no cache maintenance, no bounce, no sanitizer. */
#define DMA_ATTR_MMIO (1UL << 10)
/** Linux 7.x's name for bit 11; earlier ones called it CPU_CACHE_CLEAN. */
#define DMA_ATTR_DEBUGGING_IGNORE_CACHELINES (1UL << 11)
#define DMA_ATTR_CPU_CACHE_CLEAN	     DMA_ATTR_DEBUGGING_IGNORE_CACHELINES
/** Fail rather than bounce or do cache maintenance. */
#define DMA_ATTR_REQUIRE_COHERENT (1UL << 12)
/** The memory is already shared with the hypervisor: use the shared form of its address. */
#define DMA_ATTR_CC_SHARED (1UL << 13)

/**
 * Allocation flags. DMAMAP_GFP_ATOMIC may not block; the zone flags and COMP exist because Linux callers pass them:
 * dma_alloc_attrs() strips the zones and refuses COMP. Values are ours.
 */
#define DMAMAP_GFP_DMA	   0x001u
#define DMAMAP_GFP_HIGHMEM 0x002u
#define DMAMAP_GFP_DMA32   0x004u
#define DMAMAP_GFP_RECLAIM 0x008u /* may block */
#define DMAMAP_GFP_ZERO	   0x010u
#define DMAMAP_GFP_NOWARN  0x020u
#define DMAMAP_GFP_NORETRY 0x040u
#define DMAMAP_GFP_COMP	   0x080u
#define DMAMAP_GFP_KERNEL  DMAMAP_GFP_RECLAIM
#define DMAMAP_GFP_ATOMIC  0x100u

/** Errors: Linux's numbers, returned negated by calls that return int. */
#define DMAMAP_EPERM	  1
#define DMAMAP_EIO	  5
#define DMAMAP_ENXIO	  6
#define DMAMAP_ENOMEM	  12
#define DMAMAP_EFAULT	  14
#define DMAMAP_EBUSY	  16
#define DMAMAP_EEXIST	  17
#define DMAMAP_ENODEV	  19
#define DMAMAP_EINVAL	  22
#define DMAMAP_ENOSPC	  28
#define DMAMAP_ERANGE	  34
#define DMAMAP_ENOSYS	  38
#define DMAMAP_EOVERFLOW  75
#define DMAMAP_EOPNOTSUPP 95
#define DMAMAP_EADDRINUSE 98
#define DMAMAP_ETIMEDOUT  110
#define DMAMAP_EREMOTEIO  121

/** The four ways a call can go. ARCH is the direct mechanism, taken by a device that otherwise has a method table. */
enum dma_route {
	DMA_ROUTE_NONE = 0,
	DMA_ROUTE_DIRECT,
	DMA_ROUTE_ARCH,
	DMA_ROUTE_IOMMU,
	DMA_ROUTE_OPS,
};

#ifdef __cplusplus
}
#endif

#endif
