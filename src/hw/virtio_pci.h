/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The modern virtio transport over PCI (virtio 1.2, 4.1): finding the device's registers, reset, negotiation, queues.
 *
 * Knows no device type. Every capability is checked against the BAR that it names before anything is read through it;
 * waits for the device end.
 */
#ifndef DMAMAP_HW_VIRTIO_PCI_H
#define DMAMAP_HW_VIRTIO_PCI_H

#include <dmamap/virtio_iommu.h>

#include "virtq.h"

#pragma GCC visibility push(hidden)

/** A window of registers; size 0: the device has none. */
struct virtio_window {
	phys_addr_t base;
	uint32_t size;
};

struct virtio_pci {
	struct dma_host *host;
	uint64_t timeout_ns;
	struct virtio_window common;
	struct virtio_window notify;
	struct virtio_window device;
	uint32_t multiplier;
	uint64_t features; /* negotiated */
};

/**
 * Find the windows of the function, switch memory access and bus mastering on. @type: virtio device number.
 * 0; -ENODEV: not such a device, or not a modern one; -EINVAL: the host lacks accessors.
 */
int dmamap_virtio_pci_init(struct virtio_pci *t, struct dma_host *host,
			   const struct dma_pci_function *function, unsigned int type,
			   uint64_t timeout_ns);

/** Reset, and wait for it. False: the device did not answer. */
bool dmamap_virtio_pci_reset(struct virtio_pci *t);

/** From reset to FEATURES_OK: accept what is offered of @wanted. 0; -EOPNOTSUPP: @needed is not offered, or refused. */
int dmamap_virtio_pci_negotiate(struct virtio_pci *t, uint64_t wanted, uint64_t needed);

/** Make queue @index and tell the device. @vector: MSI-X, or VIRTIO_NO_VECTOR. 0; -ENODEV, -ENOMEM. */
int dmamap_virtio_pci_queue(struct virtio_pci *t, uint16_t index, uint16_t vector, struct virtq *q);

/** The driver is ready; or it gives up. */
void dmamap_virtio_pci_ready(struct virtio_pci *t);
void dmamap_virtio_pci_failed(struct virtio_pci *t);

/** Tell the device that something was offered. */
void dmamap_virtio_pci_notify(struct virtio_pci *t, const struct virtq *q);

/** Read the device's configuration; the window is large enough for it. 64 bits are read whole, or -EIO. */
uint32_t dmamap_virtio_pci_config32(struct virtio_pci *t, uint32_t offset);
int dmamap_virtio_pci_config64(struct virtio_pci *t, uint32_t offset, uint64_t *value);

#pragma GCC visibility pop

#endif
