/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requesters: by which numbers an IOMMU knows a device.
 *
 * A request on the bus carries a number: a PCI requester id (bus << 8 | device << 3 | function), a stream id, an
 * endpoint. One device may have several: a bridge to conventional PCI puts its own in place of what stands behind it.
 * The drivers of IOMMUs ask here; an operating system with tables of its own (device tree, IORT) answers.
 */
#ifndef DMAMAP_REQUESTER_H
#define DMAMAP_REQUESTER_H

#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_device;

/** Numbers that one device may have. */
#define DMA_REQUESTER_IDS 8u

struct dma_requesters {
	/**
	 * Write up to @max numbers of @dev to @ids. Return how many there are; 0, or more than @max: it is not behind this
	 * IOMMU. NULL: the requester id of the PCI function that dma_pci_bind() bound to @dev, and for each bridge to
	 * conventional PCI above it the bridge's own and that of function 0 of device 0 of the bus below it.
	 */
	unsigned int (*ids)(void *arg, struct dma_device *dev, uint32_t *ids, unsigned int max);
	void *arg;
};

#ifdef __cplusplus
}
#endif

#endif
