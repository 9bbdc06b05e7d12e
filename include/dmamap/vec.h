/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vector mapper: many physical vectors, RAM and MMIO mixed, mapped the best way the device's route has.
 *
 * Behind an IOMMU all vectors get one run of I/O addresses, entered at once and taken back with one invalidation;
 * vectors that meet on granules are one contiguous range for the device. On every other route, and where an untrusted
 * device has to bounce, each vector is mapped by itself while the driver walks over the segments. Either way the driver
 * writes the same loop, and what was mapped is undone by one call, wherever the loop stopped:
 *
 *	struct dma_vec_map map;
 *	struct dma_vec_seg seg;
 *	int got;
 *
 *	got = dma_vec_map_start(dev, &map, vecs, n, dir, 0);
 *	if (got)
 *		return got;
 *	while ((got = dma_vec_map_next(&map, &seg)) > 0)
 *		add_descriptor(seg.addr, seg.len);
 *	if (got < 0)
 *		dma_vec_unmap(&map, DMA_ATTR_SKIP_CPU_SYNC);
 *
 * State and vectors are the caller's; the mapper allocates nothing of its own. Rules: docs/semantics.md, "Vectors".
 *
 * Context: no call sleeps; one state belongs to one caller at a time, different ones may be used concurrently.
 */
#ifndef DMAMAP_VEC_H
#define DMAMAP_VEC_H

#include <dmamap/iova.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_device;

/** @phys is an address on the device's own bus already (a peer's below the same switch): reported, never mapped. */
#define DMA_VEC_BUS_ADDRESS 1u

/** A physically contiguous vector. The caller fills in all but @dma, and leaves it alone until the unmap. */
struct dma_phys_vec {
	phys_addr_t phys;
	/** Bytes, at least 1. */
	uint64_t len;
	/** DMA_ATTR_MMIO, or 0 for RAM. */
	unsigned long attrs;
	/** DMA_VEC_*. */
	uint32_t flags;
	/** The mapper's: where a vector that was mapped by itself is. */
	dma_addr_t dma;
};

/** What the device is told: one descriptor's worth of addresses. */
struct dma_vec_seg {
	dma_addr_t addr;
	uint64_t len;
};

/** The state of one mapping; all of it is written by dma_vec_map_start(). */
struct dma_vec_map {
	/** To read: the vector that the latest refusal was about. */
	size_t index;
	/** To read: sum of the vectors' lengths. */
	uint64_t bytes;
	/** To read: the device sees all vectors as one range (before its segment limits cut it). */
	bool contiguous;

	/* private */
	bool run;
	uint32_t live;
	struct dma_device *dev;
	struct dma_phys_vec *vecs;
	size_t nr;
	unsigned long attrs;
	enum dma_data_direction dir;
	int err;
	size_t mapped;
	size_t next;
	uint64_t at;
	struct dma_iova_state iova;
	dma_addr_t base; /* of the run, also when it has gone */
	dma_addr_t seg_addr;
	uint64_t seg_left;
};

/**
 * dma_vec_map_start() - begin to map vectors for a device.
 * @dev:   the device
 * @map:   receives the state; whatever it held before is overwritten
 * @vecs:  @n vectors (at least 1), which stay in place until dma_vec_unmap()
 * @dir:   as in dma_map_phys()
 * @attrs: DMA_ATTR_*, for every vector; with DMA_ATTR_MMIO all of them are MMIO
 *
 * With a run of I/O addresses everything is mapped when this returns; otherwise nothing is yet, and each vector will be
 * by dma_vec_map_next(). From there on the vectors belong to the device, as after dma_map_phys().
 *
 * Return: 0, or -errno with a reason; then nothing is mapped, @map is not live and needs no unmap. -EINVAL: no vectors
 * (bad-argument), or one that is empty, wraps or has other attributes than MMIO, @map->index says which; a bad
 * direction. -EIO: no mask, or a bus address beyond it. -EOPNOTSUPP: REQUIRE_COHERENT on a device that does not snoop,
 * or CC_SHARED behind an IOMMU. -ENOMEM: memory for tables. Other errors: the domain's backend.
 */
int dmamap_vec_map_start(struct dma_device *dev, struct dma_vec_map *map, struct dma_phys_vec *vecs,
			 size_t n, enum dma_data_direction dir, unsigned long attrs);

/**
 * dma_vec_map_next() - the next segment for the device, in the order of the vectors.
 * @seg: receives it; at most dma_get_max_seg_size() long, and inside one dma_get_seg_boundary()
 *
 * The lengths of all segments add up to @map->bytes. Nothing bounds their number but bytes and limits.
 *
 * Return: 1 and *@seg; 0 when all were given; -errno (of the map that was refused, with its reason, and @map->index) when
 * a vector could not be mapped: then the ones before it are still mapped, every further call says the same, and
 * dma_vec_unmap() ends it. -EINVAL if @map is not live (not-mapped).
 */
int dmamap_vec_map_next(struct dma_vec_map *map, struct dma_vec_seg *seg);

/**
 * dma_vec_map_rewind() - begin with the first segment again.
 *
 * What is mapped stays so and has the same addresses: a driver may count first and fill in then. A refused vector is
 * tried again when its turn comes.
 *
 * Return: 0, or -EINVAL if @map is not live (not-mapped).
 */
int dmamap_vec_map_rewind(struct dma_vec_map *map);

/**
 * dma_vec_unmap() - undo exactly what was mapped, wherever the iteration stands.
 * @attrs: 0, or DMA_ATTR_SKIP_CPU_SYNC where the map did not have it; other attributes are the map's
 *
 * Afterwards the vectors belong to the CPU and @map is not live. A run costs one invalidation (none yet on a lazy
 * domain). Where dma_need_unmap() is false nothing is done.
 *
 * Return: 0; -EINVAL (not-mapped, and the warn hook) if @map is not live, for example because it was unmapped already,
 * or if its I/O addresses are not all mapped.
 */
int dmamap_vec_unmap(struct dma_vec_map *map, unsigned long attrs);

/**
 * dma_vec_sync_for_cpu() - let the CPU see what the device wrote into the RAM among the vectors.
 * @offset: first byte, counted over all vectors
 * @size:   bytes, or DMA_VEC_ALL: up to the end of what is mapped
 *
 * MMIO and bus addresses in the range are passed over. The rules of ownership are dma_sync_single_for_cpu()'s.
 *
 * Return: 0; -EINVAL if @map is not live or the range is not mapped (not-mapped), or @size is 0 (zero-size).
 */
int dmamap_vec_sync_for_cpu(struct dma_vec_map *map, uint64_t offset, uint64_t size);
/** dma_vec_sync_for_device() - let the device see what the CPU wrote, and own the bytes again. */
int dmamap_vec_sync_for_device(struct dma_vec_map *map, uint64_t offset, uint64_t size);

/** Everything from the offset on. */
#define DMA_VEC_ALL (~(uint64_t)0)

#ifdef __cplusplus
}
#endif

#endif
