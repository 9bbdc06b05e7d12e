/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vectors: hand bytes of the RAM among them to the CPU or to the device. Each vector that the range touches is one
 * sync of a single mapping, with its record; MMIO and bus addresses have nothing to sync.
 */
#include <dmamap/inline.h>
#include <dmamap/mapping.h>

#include "internal.h"

/** Bytes of the vectors that are mapped by now. */
static uint64_t mapped_bytes(const struct dma_vec_map *map)
{
	uint64_t bytes = 0;

	if (map->mapped == map->nr)
		return map->bytes;
	for (size_t i = 0; i < map->mapped; i++)
		bytes += map->vecs[i].len;
	return bytes;
}

static int check_range(struct dma_vec_map *map, uint64_t offset, uint64_t *size, bool for_cpu)
{
	uint64_t bytes = mapped_bytes(map);
	struct dma_event event = { .type = for_cpu ? DMA_EVENT_SYNC_SINGLE_FOR_CPU
						   : DMA_EVENT_SYNC_SINGLE_FOR_DEVICE };
	struct dma_error why;

	if (*size == DMA_VEC_ALL && offset <= bytes) {
		*size = bytes - offset;
		return 0;
	}
	if (*size && offset <= bytes && *size <= bytes - offset)
		return 0;
	event.size = *size;
	fail_range(&why, map->dev, *size ? DMA_REASON_NOT_MAPPED : DMA_REASON_ZERO_SIZE,
		   -DMAMAP_EINVAL, offset, *size);
	why.have = bytes;
	return dmamap_vec_misuse(map, &event, "sync beyond the vectors that are mapped", &why);
}

/** Sync what [offset, offset + size), counted over all vectors, has of each. */
static void sync_vecs(struct dma_vec_map *map, uint64_t offset, uint64_t size, bool for_cpu)
{
	uint64_t end = offset + size;
	uint64_t begin = 0;
	uint64_t at = 0;

	for (size_t i = 0; i < map->mapped && begin < end; begin += map->vecs[i++].len) {
		const struct dma_phys_vec *vec = &map->vecs[i];
		uint64_t first = offset > begin ? offset - begin : 0;
		uint64_t last = min_u64(vec->len, end - begin);
		dma_addr_t addr = vec->dma;

		if (map->run && !vec_is_bus(vec))
			addr = vec_in_run(map, vec, &at);
		if (!vec_is_ram(map, vec) || first >= last)
			continue;
		if (for_cpu)
			dmamap_sync_single_for_cpu(map->dev, addr + first, last - first, map->dir);
		else
			dmamap_sync_single_for_device(map->dev, addr + first, last - first,
						      map->dir);
	}
}

static int sync_range(struct dma_vec_map *map, uint64_t offset, uint64_t size, bool for_cpu)
{
	int err;

	if (!dmamap_vec_check(
		    map, for_cpu ? DMA_EVENT_SYNC_SINGLE_FOR_CPU : DMA_EVENT_SYNC_SINGLE_FOR_DEVICE,
		    "sync of vectors that are not mapped"))
		return -DMAMAP_EINVAL;
	err = check_range(map, offset, &size, for_cpu);
	if (!err && dmamap_dev_need_sync(map->dev))
		sync_vecs(map, offset, size, for_cpu);
	return err;
}

int dmamap_vec_sync_for_cpu(struct dma_vec_map *map, uint64_t offset, uint64_t size)
{
	return sync_range(map, offset, size, true);
}

int dmamap_vec_sync_for_device(struct dma_vec_map *map, uint64_t offset, uint64_t size)
{
	return sync_range(map, offset, size, false);
}
