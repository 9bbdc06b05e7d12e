/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults of the virtio IOMMU (virtio 1.2, 5.13.6.9): the event queue, and what a record means.
 *
 * The device says "mapping" both where nothing is mapped and where the mapping does not allow the access; which it is
 * follows from what is mapped now.
 */
#include "virtio_iommu.h"

#define BUFFER 32u /* bytes from one event's buffer to the next */

static phys_addr_t buffer_phys(const struct dma_virtio_iommu *v, unsigned int i)
{
	return v->event_buffers.phys + (uint64_t)i * BUFFER;
}

void dmamap_viommu_start_events(struct dma_virtio_iommu *v)
{
	for (uint16_t i = 0; i < v->events.size; i++) {
		v->events.desc[i] = (struct virtq_desc){ buffer_phys(v, i), VIOMMU_FAULT_SIZE,
							 VIRTQ_DESC_WRITE, 0 };
		dmamap_virtq_offer(&v->events, v->host, i);
	}
	dmamap_virtio_pci_notify(&v->transport, &v->events);
}

static const struct viommu_domain *domain_with(const struct dma_virtio_iommu *v, unsigned int id)
{
	const struct viommu_domain *d = v->domains;

	while (d && d->id != id)
		d = d->next;
	return d;
}

/** Why the mapping that is there, or is not, refused. */
static enum dma_fault_reason mapping_reason(const struct dma_virtio_iommu *v,
					    const struct dma_fault *fault)
{
	const struct hw_attached *a =
		fault->device ? dmamap_hw_attached_find(&v->attached, fault->device) : NULL;
	const struct viommu_domain *d = a ? domain_with(v, a->domain_id) : NULL;
	const struct hw_mapping *m =
		d ? dmamap_hw_mappings_next(&d->mappings, fault->dma_addr) : NULL;

	if (!m || m->first > fault->dma_addr)
		return DMA_FAULT_REASON_NOT_PRESENT;
	return fault->access == DMA_FAULT_WRITE ? DMA_FAULT_REASON_WRITE_DENIED
						: DMA_FAULT_REASON_READ_DENIED;
}

static struct dma_fault decode(const struct dma_virtio_iommu *v, const struct viommu_fault *f)
{
	struct dma_fault fault = {
		.size = sizeof(fault),
		.device = dmamap_hw_attached_device(&v->attached, f->endpoint),
		.dma_addr = f->flags & VIOMMU_FAULT_ADDRESS ? f->address : 0,
		.access = f->flags & VIOMMU_FAULT_EXEC	  ? DMA_FAULT_EXEC
			  : f->flags & VIOMMU_FAULT_WRITE ? DMA_FAULT_WRITE
							  : DMA_FAULT_READ,
		.reason = DMA_FAULT_REASON_OTHER,
		.code = f->reason,
	};

	if (f->reason == VIOMMU_FAULT_DOMAIN ||
	    (f->reason == VIOMMU_FAULT_UNKNOWN && !fault.device))
		fault.reason = DMA_FAULT_REASON_BLOCKED;
	else if (f->reason == VIOMMU_FAULT_MAPPING)
		fault.reason = mapping_reason(v, &fault);
	return fault;
}

/** The next fault, decoded; its buffer goes back to the device. 1, 0, -EIO. The lock is held. */
static int next_fault(struct dma_virtio_iommu *v, struct dma_fault *fault)
{
	struct viommu_fault record;
	uint16_t head;
	uint32_t len;
	int got = v->info.broken ? -DMAMAP_EIO : dmamap_virtq_take(&v->events, &head, &len);

	if (got <= 0)
		return got < 0 ? dmamap_viommu_break(v, "the virtio IOMMU reports nonsense") : 0;
	memcpy(&record, (unsigned char *)v->event_buffers.cpu + (size_t)head * BUFFER,
	       sizeof(record));
	if (len < VIOMMU_FAULT_SIZE) /* what is missing is no fault's */
		memset(&record, 0, sizeof(record));
	*fault = decode(v, &record);
	v->info.faults++;
	dmamap_virtq_offer(&v->events, v->host, head);
	dmamap_virtio_pci_notify(&v->transport, &v->events);
	return 1;
}

int dmamap_virtio_iommu_handle_faults(struct dma_virtio_iommu *iommu)
{
	struct dma_fault fault;
	int n = 0;
	int got;

	/* as many as the queue holds: a device that never stops does not hold the caller */
	do {
		dmamap_lock(iommu->host, &iommu->lock);
		got = next_fault(iommu, &fault);
		dmamap_unlock(iommu->host, &iommu->lock);
		if (got <= 0)
			break;
		dmamap_fault_report(iommu->host, &fault);
		n++;
	} while (n < iommu->events.size);
	return got < 0 ? got : n;
}
