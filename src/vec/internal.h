/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the vector mapper share. */
#ifndef DMAMAP_VEC_INTERNAL_H
#define DMAMAP_VEC_INTERNAL_H

#include <dmamap/vec.h>

#include "iommu/iommu.h"
#include "map/map.h"

#pragma GCC visibility push(hidden)

/** In dma_vec_map.live between start and unmap. */
#define VEC_LIVE 0x76656321u

static inline bool vec_is_bus(const struct dma_phys_vec *vec)
{
	return (vec->flags & DMA_VEC_BUS_ADDRESS) != 0;
}

/** An MMIO bit in the map's attributes stands for all vectors. */
static inline bool vec_is_mmio(const struct dma_vec_map *map, const struct dma_phys_vec *vec)
{
	return ((map->attrs | vec->attrs) & DMA_ATTR_MMIO) != 0;
}

static inline bool vec_is_ram(const struct dma_vec_map *map, const struct dma_phys_vec *vec)
{
	return !vec_is_bus(vec) && !vec_is_mmio(map, vec);
}

/** The attributes one vector is mapped with. */
static inline unsigned long vec_attrs(const struct dma_vec_map *map, const struct dma_phys_vec *vec)
{
	return map->attrs | (vec->attrs & DMA_ATTR_MMIO);
}

/** Address of a vector in the run, whose granules begin at @at; moves @at behind them. */
static inline dma_addr_t vec_in_run(const struct dma_vec_map *map, const struct dma_phys_vec *vec,
				    uint64_t *at)
{
	uint64_t mask = dmamap_iommu_granule_mask(map->dev);
	dma_addr_t addr = map->base + *at + (vec->phys & mask);

	*at += round_up((vec->phys & mask) + vec->len, mask + 1);
	return addr;
}

/** Record, trace and warn about a call that had nothing to work on. -EINVAL; a state without a device is mute. */
int dmamap_vec_misuse(struct dma_vec_map *map, struct dma_event *event, const char *what,
		      struct dma_error *why);

/** May all vectors be one run of I/O addresses? */
bool dmamap_vec_may_run(const struct dma_vec_map *map);
/** All or nothing, and a record of no event. 0, or -errno, and why->have: the vector. */
int dmamap_vec_map_run(struct dma_vec_map *map, struct dma_error *why);
/** 0, or -EINVAL if not all of it was mapped: then the addresses are not given back. */
int dmamap_vec_unmap_run(struct dma_vec_map *map, unsigned long attrs, struct dma_error *why);

/** Is @map live? If not, the misuse is reported as a call of that type. */
bool dmamap_vec_check(struct dma_vec_map *map, enum dma_event_type type, const char *what);

#pragma GCC visibility pop

#endif
