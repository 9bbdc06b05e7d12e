/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the virtio IOMMU's driver share: the device, its requests (virtio_iommu_request.c), its domains
 * (virtio_iommu_domain.c), probing and faults (virtio_iommu_probe.c, virtio_iommu_fault.c).
 *
 * One lock guards all of it, the mappings of the domains included, because a fault is explained by them.
 */
#ifndef DMAMAP_HW_VIRTIO_IOMMU_H
#define DMAMAP_HW_VIRTIO_IOMMU_H

#include <dmamap/fault.h>
#include <dmamap/virtio_iommu.h>

#include "mappings.h"
#include "requester.h"
#include "virtio_iommu_regs.h"
#include "virtio_pci.h"

#pragma GCC visibility push(hidden)

/** Requests that can be under way together: each takes two descriptors. */
#define VIOMMU_SLOTS (VIRTQ_MAX / 2)
#define VIOMMU_SLOT  128u /* bytes: the request, and behind it the tail */
#define VIOMMU_TAIL  64u
/** Regions that are remembered. */
#define VIOMMU_REGIONS 16u
/** The largest answer to PROBE that is asked for. */
#define VIOMMU_MOST_PROBE 16384u

struct viommu_domain {
	struct dma_backend backend; /* first: viommu_domain_of() */
	struct dma_virtio_iommu *iommu;
	struct viommu_domain *next;
	uint32_t id;
	unsigned int regions; /* learnt when it was made */
	struct hw_mappings mappings;
};

struct dma_virtio_iommu {
	struct dma_host *host;
	struct dma_lock lock;
	struct virtio_pci transport;
	struct virtq requests;
	struct virtq events;
	struct hw_memory slots;
	struct hw_memory event_buffers;
	struct hw_memory probe; /* size 0: no PROBE */
	uint32_t probe_size;
	unsigned int n_slots;
	struct hw_attached_list attached;
	struct viommu_domain *domains;
	struct dma_virtio_iommu_info info;
	unsigned int n_regions;
	struct dma_reserved_region regions[VIOMMU_REGIONS];
};

static inline struct viommu_domain *viommu_domain_of(struct dma_backend *backend)
{
	return (struct viommu_domain *)(void *)backend;
}

static inline bool viommu_has(const struct dma_virtio_iommu *v, uint64_t feature)
{
	return v->transport.features & feature;
}

/** The memory of a request, to be filled in. @slot is below n_slots. */
static inline void *viommu_request(const struct dma_virtio_iommu *v, unsigned int slot)
{
	return (unsigned char *)v->slots.cpu + (size_t)slot * VIOMMU_SLOT;
}

/* All of these with the lock held. */

/** Say how long the request in @slot is. */
void dmamap_viommu_prepare(struct dma_virtio_iommu *v, unsigned int slot, uint32_t size);
/** Send slots 0 to @n - 1, and wait. 0, or the first refusal as -errno; -EIO: the device is broken from now on. */
int dmamap_viommu_send(struct dma_virtio_iommu *v, unsigned int n);
/** -errno of a status. */
int dmamap_viommu_error(uint8_t status);
/** Ask about one endpoint, and remember the regions. 0, -errno. */
int dmamap_viommu_probe_id(struct dma_virtio_iommu *v, uint32_t id);
/** Learn the regions in the properties [@p, @p + @size). 0; -ENOSPC; -EIO: malformed. */
int dmamap_viommu_learn(struct dma_virtio_iommu *v, const unsigned char *p, uint32_t size);
/** Never use the device again. Return: -EIO. */
int dmamap_viommu_break(struct dma_virtio_iommu *v, const char *why);

/** Give all event buffers to the device. */
void dmamap_viommu_start_events(struct dma_virtio_iommu *v);

#pragma GCC visibility pop

#endif
