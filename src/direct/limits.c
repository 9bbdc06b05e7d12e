/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a directly mapped device can reach: required and supported masks, coverage of RAM (docs/semantics.md, "Masks").
 */
#include "base/host.h"
#include "direct.h"

/** All ones up to and including the highest set bit of @addr; a page's worth at least. */
static uint64_t mask_for(uint64_t addr)
{
	return addr ? ~(uint64_t)0 >> (63 - high_bit(addr)) : 0;
}

/** Bytes of [@phys, @phys + @size) from the start that one window covers; all of them without a map. */
static uint64_t covered(const struct dma_range *map, phys_addr_t phys, uint64_t size)
{
	if (!map)
		return size;
	for (; map->size; map++)
		if (phys - map->cpu < map->size)
			return min_u64(size, map->size - (phys - map->cpu));
	return 0;
}

/** Highest device address of [@start, @start + @size); all ones if a part of it has none. */
static uint64_t highest_address(const struct dma_device *dev, phys_addr_t start, uint64_t size)
{
	uint64_t highest = 0;
	dma_addr_t last;

	for (uint64_t done = 0, step; done < size; done += step) {
		step = covered(dmamap_dev(dev)->range_map, start + done, size - done);
		if (!step || !dmamap_dev_to_dma(dev, start + done + (step - 1), false, &last))
			return ~(uint64_t)0;
		if (last > highest)
			highest = last;
	}
	return highest;
}

uint64_t dmamap_direct_required_mask(const struct dma_device *dev)
{
	struct dma_host *host = dev_host(dev);
	uint64_t mask = 0;
	phys_addr_t start;
	uint64_t size;

	for (unsigned int i = 0; host->ram_range(host, i, &start, &size); i++)
		mask |= mask_for(highest_address(dev, start, size));
	return mask;
}

bool dmamap_direct_supported(const struct dma_device *dev, uint64_t mask)
{
	struct dma_host *host = dev_host(dev);
	uint64_t least = dmamap_ram_end(host);
	dma_addr_t addr;

	if (mask >= DMA_BIT_MASK(32))
		return true;
	if (host->zone_dma_limit && host->zone_dma_limit < least)
		least = host->zone_dma_limit;
	dmamap_dev_to_dma(dev, least, true, &addr);
	return mask >= addr;
}

bool dmamap_direct_covers_ram(const struct dma_device *dev)
{
	const struct dma_range *map = dmamap_dev(dev)->range_map;
	struct dma_host *host = dev_host(dev);
	phys_addr_t start;
	uint64_t size;

	for (unsigned int i = 0; map && host->ram_range(host, i, &start, &size); i++) {
		for (uint64_t done = 0, step; done < size; done += step) {
			step = covered(map, start + done, size - done);
			if (!step)
				return false;
		}
	}
	return true;
}
