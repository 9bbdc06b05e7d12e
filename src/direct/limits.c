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

/** How many of the @left bytes from @phys on share one window, or the lack of one. */
static uint64_t together(const struct dma_device *dev, phys_addr_t phys, uint64_t left)
{
	return min_u64(left, dmamap_dev_window_rest(dev, phys));
}

/** Highest device address of [@start, @start + @size); all ones if a part of it has none. */
static uint64_t highest_address(const struct dma_device *dev, phys_addr_t start, uint64_t size)
{
	bool shared = dev_needs_shared(dev);
	uint64_t highest = 0;
	dma_addr_t addr;

	for (uint64_t done = 0, step; done < size; done += step) {
		step = together(dev, start + done, size - done);
		if (!dmamap_dev_to_dma(dev, start + done, shared, &addr))
			return ~(uint64_t)0;
		if (addr + (step - 1) > highest)
			highest = addr + (step - 1);
	}
	return highest;
}

/** The lower of the forms in which the device may use @phys. */
static bool lower_form(const struct dma_device *dev, phys_addr_t phys, dma_addr_t *addr)
{
	dma_addr_t encrypted;

	if (!dmamap_dev_to_dma(dev, phys, true, addr))
		return false;
	if (!dev_needs_shared(dev) && dmamap_dev_to_dma(dev, phys, false, &encrypted))
		*addr = min_u64(*addr, encrypted);
	return true;
}

/** Lowest address at which a device sees RAM; false if it sees none, or there is none. */
static bool lowest_address(const struct dma_device *dev, dma_addr_t *lowest)
{
	struct dma_host *host = dev_host(dev);
	bool any = false;
	phys_addr_t start;
	dma_addr_t addr;
	uint64_t size;

	for (unsigned int i = 0; host->ram_range(host, i, &start, &size); i++) {
		for (uint64_t done = 0; done < size;
		     done += together(dev, start + done, size - done)) {
			if (!lower_form(dev, start + done, &addr))
				continue;
			*lowest = any ? min_u64(*lowest, addr) : addr;
			any = true;
		}
	}
	return any;
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

/** Does the mask reach the little that must be reached: all RAM, or the small zone, or 32 bits? */
static bool wide_enough(const struct dma_device *dev, uint64_t mask)
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

static bool has_ram(struct dma_host *host)
{
	phys_addr_t start;
	uint64_t size;

	return host->ram_range(host, 0, &start, &size);
}

enum dma_reason dmamap_direct_check_mask(const struct dma_device *dev, uint64_t mask,
					 dma_addr_t *lowest)
{
	const struct dmamap_dev *d = dmamap_dev(dev);

	*lowest = 0;
	if (has_ram(d->host)) {
		if (!lowest_address(dev, lowest))
			return DMA_REASON_NO_RAM_IN_WINDOW;
		if (*lowest > mask)
			return d->range_map ? DMA_REASON_MASK_MISSES_WINDOW
					    : DMA_REASON_MASK_UNSUPPORTED;
		if (d->bus_limit && *lowest > d->bus_limit)
			return DMA_REASON_LIMIT_MISSES_WINDOW;
	}
	return wide_enough(dev, mask) ? DMA_REASON_NONE : DMA_REASON_MASK_UNSUPPORTED;
}

bool dmamap_direct_covers_ram(const struct dma_device *dev)
{
	struct dma_host *host = dev_host(dev);
	phys_addr_t start;
	dma_addr_t addr;
	uint64_t size;

	if (!dmamap_dev(dev)->range_map)
		return true;
	for (unsigned int i = 0; host->ram_range(host, i, &start, &size); i++)
		for (uint64_t done = 0; done < size;
		     done += together(dev, start + done, size - done))
			if (!dmamap_dev_to_dma(dev, start + done, false, &addr))
				return false;
	return true;
}
