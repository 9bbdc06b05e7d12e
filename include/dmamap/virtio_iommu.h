/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver of virtio's paravirtual IOMMU (virtio 1.2, 5.13) on PCI.
 *
 * A domain of this IOMMU takes commands: map, unmap. An unmap is its own invalidation, so its domains are always strict,
 * and no part of a mapping can be unmapped. docs/hardware.md, "virtio-iommu", shows how.
 *
 * One device is one struct dma_virtio_iommu. It serialises itself; calls may come from several threads. The device is
 * not trusted: what it writes is checked, and no wait lasts longer than the time-out. A device that did not answer, or
 * answered nonsense, is not asked again: maps and attaches are refused with -EIO, and unmaps free nothing, because nobody
 * knows whether the device obeyed.
 */
#ifndef DMAMAP_VIRTIO_IOMMU_H
#define DMAMAP_VIRTIO_IOMMU_H

#include <dmamap/domain.h>
#include <dmamap/requester.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DMA_PCI_FUNCTION_BARS 6u

/** A PCI function, as a driver needs it. */
struct dma_pci_function {
	/** Read and write the aligned 32-bit word at @offset (below 256) of its configuration space. */
	uint32_t (*read32)(void *arg, unsigned int offset);
	void (*write32)(void *arg, unsigned int offset, uint32_t value);
	void *arg;
	/** Its memory BARs where they are placed: CPU address and bytes; size 0: none. */
	struct {
		phys_addr_t phys;
		uint64_t size;
	} bars[DMA_PCI_FUNCTION_BARS];
};

struct dma_virtio_iommu_config {
	/** sizeof(struct dma_virtio_iommu_config). */
	size_t size;
	/** The function of the IOMMU, memory BARs placed. Copied. */
	struct dma_pci_function function;
	/** Which endpoint numbers a device has. */
	struct dma_requesters requesters;
	/** Devices in no domain reach all memory; if not, and where the device can be told, none. */
	bool bypass_unattached;
	/** MSI-X vector for the event queue; false: faults are polled for. The table is the caller's to fill. */
	bool event_interrupt;
	uint16_t event_vector;
	/** The longest wait for the device, in nanoseconds. 0: one second. */
	uint64_t timeout_ns;
};

struct dma_virtio_iommu_info {
	/** Feature bits in use. */
	uint64_t features;
	/** Bitmap of page sizes. */
	uint64_t page_sizes;
	/** First and last I/O address and domain number. */
	dma_addr_t input_first;
	dma_addr_t input_last;
	uint32_t domain_first;
	uint32_t domain_last;
	/** Requests that the device answered, and faults that it reported. */
	uint64_t requests;
	uint64_t faults;
	/** It failed to answer, or answered nonsense. */
	bool broken;
};

struct dma_virtio_iommu;

/**
 * dma_virtio_iommu_create() - reset and start a virtio IOMMU.
 * @host:   with register accessors of 8, 16 and 32 bits
 * @config: copied
 * @iommu:  receives it
 *
 * Process context. Switches memory access and bus mastering of the function on.
 *
 * Return: 0; -EINVAL (NULL, a size, missing accessors, an impossible device configuration); -ENODEV (no modern virtio
 * IOMMU); -EOPNOTSUPP (it offers no map and unmap); -EIO (it does not answer); -ENOMEM.
 */
int dmamap_virtio_iommu_create(struct dma_host *host, const struct dma_virtio_iommu_config *config,
			       struct dma_virtio_iommu **iommu);

/** dma_virtio_iommu_destroy() - reset it and free everything. Return: 0; -EBUSY while a backend of it lives. */
int dmamap_virtio_iommu_destroy(struct dma_virtio_iommu *iommu);

/**
 * dma_virtio_iommu_probe() - learn which I/O addresses @dev cannot use.
 *
 * Backends made afterwards keep them out. Do this for every device of a domain before the domain is made: a device that
 * turns out to have further ones is not attached.
 *
 * Return: 0, also where the IOMMU cannot tell; -ENODEV (not behind it); -ENOSPC (more regions than are remembered);
 * -EIO, or the device's refusal.
 */
int dmamap_virtio_iommu_probe(struct dma_virtio_iommu *iommu, struct dma_device *dev);

/** The @index-th region that was learnt; false past the last. */
bool dmamap_virtio_iommu_reserved(struct dma_virtio_iommu *iommu, unsigned int index,
				  struct dma_reserved_region *region);

/**
 * dma_virtio_iommu_backend_create() - an empty I/O address space.
 * @iommu:   must outlive it
 * @backend: receives it, for dma_domain_create()
 *
 * Return: 0; -EIO (broken); -ENOSPC (no domain number is free); -ENOMEM.
 */
int dmamap_virtio_iommu_backend_create(struct dma_virtio_iommu *iommu,
				       struct dma_backend **backend);

/**
 * dma_virtio_iommu_domain_create() - the same with its domain, which keeps every region out that was learnt. It becomes
 * the caller's; destroy it with dma_domain_destroy(). Return: as the two calls; dma_domain_reserve()'s refusal.
 */
static inline int dmamap_virtio_iommu_domain_create(struct dma_virtio_iommu *iommu,
						    struct dma_host *host,
						    const struct dma_domain_config *config,
						    struct dma_domain **domain)
{
	struct dma_reserved_region region;
	struct dma_backend *backend;
	struct dma_domain *made;
	int err = dmamap_virtio_iommu_backend_create(iommu, &backend);

	*domain = NULL;
	if (err)
		return err;
	err = dmamap_domain_create(host, backend, config, &made);
	if (err) {
		backend->ops->destroy(backend);
		return err;
	}
	for (unsigned int i = 0; !err && dmamap_virtio_iommu_reserved(iommu, i, &region); i++)
		if (region.first <= backend->caps.aperture_end)
			err = dmamap_domain_reserve(made, region.first,
						    region.last - region.first + 1);
	if (err)
		dmamap_domain_destroy(made);
	else
		*domain = made;
	return err;
}

/**
 * dma_virtio_iommu_handle_faults() - report the faults that wait (dma_fault_report()). No lock may be held.
 * Return: how many; -EIO once the device is broken.
 */
int dmamap_virtio_iommu_handle_faults(struct dma_virtio_iommu *iommu);

/** dma_virtio_iommu_get_info() - what was negotiated, and the counters. */
void dmamap_virtio_iommu_get_info(struct dma_virtio_iommu *iommu,
				  struct dma_virtio_iommu_info *info);

#ifdef __cplusplus
}
#endif

#endif
