/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of the virtio IOMMU: sent in batches, one notification each, and waited for.
 *
 * A request that was not answered leaves the device the owner of its memory, so that no further one is ever sent.
 */
#include "virtio_iommu.h"

int dmamap_viommu_break(struct dma_virtio_iommu *v, const char *why)
{
	if (!v->info.broken)
		dmamap_log(v->host, DMA_LOG_ERROR, NULL, why, NULL);
	v->info.broken = true;
	return -DMAMAP_EIO;
}

int dmamap_viommu_error(uint8_t status)
{
	switch (status) {
	case VIOMMU_S_OK:
		return 0;
	case VIOMMU_S_UNSUPP:
		return -DMAMAP_EOPNOTSUPP;
	case VIOMMU_S_INVAL:
		return -DMAMAP_EINVAL;
	case VIOMMU_S_RANGE:
		return -DMAMAP_ERANGE;
	case VIOMMU_S_NOENT:
		return -DMAMAP_ENODEV;
	case VIOMMU_S_FAULT:
		return -DMAMAP_EFAULT;
	case VIOMMU_S_NOMEM:
		return -DMAMAP_ENOMEM;
	default: /* IOERR, DEVERR, and what is no status */
		return -DMAMAP_EIO;
	}
}

void dmamap_viommu_prepare(struct dma_virtio_iommu *v, unsigned int slot, uint32_t size)
{
	struct virtq_desc *desc = &v->requests.desc[(size_t)2 * slot];
	phys_addr_t phys = v->slots.phys + (uint64_t)slot * VIOMMU_SLOT;
	unsigned char *tail = (unsigned char *)viommu_request(v, slot) + VIOMMU_TAIL;

	tail[0] = 0xff; /* no status: the device has to write one */
	desc[0] = (struct virtq_desc){ phys, size, VIRTQ_DESC_NEXT, (uint16_t)(2 * slot + 1) };
	desc[1] = (struct virtq_desc){ phys + VIOMMU_TAIL, VIOMMU_TAIL_SIZE, VIRTQ_DESC_WRITE, 0 };
}

/** Take @n answers. */
static int wait_for(struct dma_virtio_iommu *v, unsigned int n)
{
	struct hw_wait wait;
	unsigned int done = 0;
	bool more = true;

	dmamap_hw_wait_begin(&wait, v->host, v->transport.timeout_ns);
	while (done < n) {
		uint16_t head;
		uint32_t len;
		int got = dmamap_virtq_take(&v->requests, &head, &len);

		if (got < 0)
			return dmamap_viommu_break(v, "the virtio IOMMU answered nonsense");
		done += (unsigned int)got;
		if (!got && !more)
			return dmamap_viommu_break(v, "the virtio IOMMU does not answer");
		if (!got)
			more = dmamap_hw_wait_more(&wait);
	}
	v->info.requests += n;
	return 0;
}

int dmamap_viommu_send(struct dma_virtio_iommu *v, unsigned int n)
{
	int err;

	if (v->info.broken)
		return -DMAMAP_EIO;
	for (unsigned int i = 0; i < n; i++)
		dmamap_virtq_offer(&v->requests, v->host, (uint16_t)(2 * i));
	dmamap_virtio_pci_notify(&v->transport, &v->requests);
	err = wait_for(v, n);
	for (unsigned int i = 0; !err && i < n; i++) {
		const unsigned char *tail =
			(const unsigned char *)viommu_request(v, i) + VIOMMU_TAIL;

		err = dmamap_viommu_error(__atomic_load_n(tail, __ATOMIC_RELAXED));
	}
	return err;
}
