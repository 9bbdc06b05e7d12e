/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Telling observers. map/ and alloc/ describe what a public call did; this room adds what every record has, and hands
 * it on. Nothing here can change a result.
 */
#ifndef DMAMAP_OBSERVE_H
#define DMAMAP_OBSERVE_H

#include "base/host.h"

#pragma GCC visibility push(hidden)

/** Should a call on @dev build a record at all? One test of one word. */
static inline bool observed(const struct dma_device *dev)
{
	return (__atomic_load_n(&dev->flags, __ATOMIC_RELAXED) & DMAMAP_DEV_OBSERVED) != 0;
}

/** Set or clear DMAMAP_DEV_OBSERVED of one device, as its host is observed or not. */
void dmamap_observe_device(struct dma_device *dev);

#pragma GCC visibility pop

#endif
