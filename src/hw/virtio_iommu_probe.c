/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probing endpoints of the virtio IOMMU (virtio 1.2, 5.13.6.7 and 5.13.6.8): which I/O addresses they cannot use.
 *
 * The answer is copied before it is looked at, and read as what a stranger wrote.
 */
#include "virtio_iommu.h"

/** Where in the probe memory the answer begins. */
#define ANSWER 128u

static bool known(const struct dma_virtio_iommu *v, const struct dma_reserved_region *r)
{
	for (unsigned int i = 0; i < v->n_regions; i++)
		if (v->regions[i].first == r->first && v->regions[i].last == r->last)
			return true;
	return false;
}

static int learn_region(struct dma_virtio_iommu *v, const unsigned char *p, uint32_t size)
{
	struct viommu_resv_mem m;
	struct dma_reserved_region r;

	if (size < sizeof(m))
		return -DMAMAP_EIO;
	memcpy(&m, p, sizeof(m));
	r = (struct dma_reserved_region){
		.first = (uint64_t)m.start_high << 32 | m.start_low,
		.last = (uint64_t)m.end_high << 32 | m.end_low,
		.msi = m.subtype == VIOMMU_RESV_MEM_MSI,
	};
	if (r.last < r.first)
		return -DMAMAP_EIO;
	if (known(v, &r))
		return 0;
	if (v->n_regions == VIOMMU_REGIONS)
		return -DMAMAP_ENOSPC;
	v->regions[v->n_regions++] = r;
	return 0;
}

int dmamap_viommu_learn(struct dma_virtio_iommu *v, const unsigned char *p, uint32_t size)
{
	while (size >= sizeof(struct viommu_property)) {
		struct viommu_property head;
		int err = 0;

		memcpy(&head, p, sizeof(head));
		head.type &= VIOMMU_PROPERTY_TYPE;
		if (head.type == VIOMMU_PROPERTY_NONE)
			return 0;
		p += sizeof(head);
		size -= (uint32_t)sizeof(head);
		if (head.length > size)
			return -DMAMAP_EIO;
		if (head.type == VIOMMU_PROPERTY_RESV_MEM)
			err = learn_region(v, p, head.length);
		if (err)
			return err;
		p += head.length;
		size -= head.length;
	}
	return 0;
}

/** Send the request in the probe memory, by the descriptors of slot 0. */
static int send_probe(struct dma_virtio_iommu *v, uint32_t id)
{
	const struct viommu_probe request = { .type = VIOMMU_PROBE, .endpoint = id };
	struct virtq_desc *desc = v->requests.desc;
	unsigned char *answer = (unsigned char *)v->probe.cpu + ANSWER;
	unsigned char *tail = (unsigned char *)viommu_request(v, 0) + VIOMMU_TAIL;
	int err;

	memcpy(v->probe.cpu, &request, sizeof(request));
	memset(answer, 0, v->probe_size + VIOMMU_TAIL_SIZE);
	answer[v->probe_size] = 0xff;
	tail[0] = VIOMMU_S_OK; /* this one ends elsewhere */
	desc[0] = (struct virtq_desc){ v->probe.phys, VIOMMU_PROBE_SIZE, VIRTQ_DESC_NEXT, 1 };
	desc[1] = (struct virtq_desc){ v->probe.phys + ANSWER, v->probe_size + VIOMMU_TAIL_SIZE,
				       VIRTQ_DESC_WRITE, 0 };
	err = dmamap_viommu_send(v, 1);
	return err ? err : dmamap_viommu_error(answer[v->probe_size]);
}

int dmamap_viommu_probe_id(struct dma_virtio_iommu *v, uint32_t id)
{
	int err;

	if (!v->probe.size)
		return 0;
	err = send_probe(v, id);
	return err ? err
		   : dmamap_viommu_learn(v, (unsigned char *)v->probe.cpu + ANSWER, v->probe_size);
}

int dmamap_virtio_iommu_probe(struct dma_virtio_iommu *iommu, struct dma_device *dev)
{
	uint32_t ids[DMA_REQUESTER_IDS];
	unsigned int n;
	int err;

	if (!iommu || !dev)
		return -DMAMAP_EINVAL;
	dmamap_lock(iommu->host, &iommu->lock);
	n = dmamap_hw_ids(&iommu->attached, dev, ids);
	err = n ? 0 : -DMAMAP_ENODEV;
	for (unsigned int i = 0; !err && i < n; i++)
		err = dmamap_viommu_probe_id(iommu, ids[i]);
	dmamap_unlock(iommu->host, &iommu->lock);
	return err;
}

bool dmamap_virtio_iommu_reserved(struct dma_virtio_iommu *iommu, unsigned int index,
				  struct dma_reserved_region *region)
{
	bool there;

	dmamap_lock(iommu->host, &iommu->lock);
	there = index < iommu->n_regions;
	if (there)
		*region = iommu->regions[index];
	dmamap_unlock(iommu->host, &iommu->lock);
	return there;
}
