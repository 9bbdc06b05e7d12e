/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page allocation for hosts that own their memory, RAM and pieces of BARs alike. Nothing here touches the memory that
 * is handed out. The caller serialises all calls on one struct host_zones.
 */
#ifndef DMAMAP_HOST_ZONE_H
#define DMAMAP_HOST_ZONE_H

#include <dmamap/types.h>

#pragma GCC visibility push(hidden)

#define HOST_PAGE	4096u
#define HOST_PAGE_SHIFT 12

static inline uint64_t host_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/** @align is a power of two. */
static inline uint64_t host_round_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) & ~(align - 1);
}

/** @v is not 0. */
static inline unsigned int host_high_bit(uint64_t v)
{
	return 63u - (unsigned int)__builtin_clzll(v);
}

/** Pages that are taken and given back, and those that are. All zero: there are none. */
struct host_zone;

struct host_zones {
	struct host_zone *zone; /* highest first */
	unsigned int nr;
};

/** Hand the pages of a region to the allocator; page-aligned. 0 or -DMAMAP_ENOMEM, and then nothing happened. */
int host_zones_add(struct host_zones *zones, phys_addr_t base, uint64_t size, bool ram);
void host_zones_release(struct host_zones *zones);
/** Sizes in bytes, whole pages; @align a power of two, at least a page; @last inclusive. DMAMAP_PHYS_NONE: no room. */
phys_addr_t host_zones_take(struct host_zones *zones, bool ram, uint64_t size, uint64_t align,
			    phys_addr_t first, phys_addr_t last);
/** False if not every page of the range is taken; otherwise they are in nobody's hands from now on. */
bool host_zones_disown(struct host_zones *zones, bool ram, phys_addr_t phys, uint64_t size);
/** Make them free; after host_zones_disown() of the same range. */
void host_zones_give(struct host_zones *zones, phys_addr_t phys, uint64_t size);

#pragma GCC visibility pop

#endif
