/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failures on their way up. A room that refuses fills in the caller's struct dma_error and returns its error value;
 * the public call at the top records it, once, in the caller's context and in the device.
 */
#ifndef DMAMAP_BASE_FAIL_H
#define DMAMAP_BASE_FAIL_H

#include "device.h"

#pragma GCC visibility push(hidden)

/** Fill in @why for a range; route, mask and limit come from @dev. Returns @err, which is negative. */
static inline int fail_range(struct dma_error *why, const struct dma_device *dev,
			     enum dma_reason reason, int err, uint64_t addr, uint64_t size)
{
	const struct dmamap_dev *d = dmamap_dev(dev);

	*why = (struct dma_error){
		.dev = dev,
		.route = d->route,
		.reason = reason,
		.err = err,
		.addr = addr,
		.size = size,
		.mask = dev_mask(d),
		.limit = d->bus_limit,
	};
	return err;
}

/** The same, for functions that return an address. */
static inline dma_addr_t fail_map(struct dma_error *why, const struct dma_device *dev,
				  enum dma_reason reason, uint64_t addr, uint64_t size)
{
	fail_range(why, dev, reason, -DMAMAP_ENOMEM, addr, size);
	return DMA_MAPPING_ERROR;
}

/** Record @why as the caller's and the device's latest failure, with the route that refused. */
void dmamap_record(struct dma_device *dev, enum dma_route route, struct dma_error *why);

/** The same for what concerns no device: the caller's latest failure, with @why->dev as it is. */
void dmamap_record_of_host(struct dma_host *host, const struct dma_error *why);

#pragma GCC visibility pop

#endif
