/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio IOMMU: start and end (virtio 1.2, 3.1 and 5.13.5).
 */
#include "virtio_iommu.h"

#include "virtio_pci_regs.h"

/** What the core keeps addresses in. */
#define MOST_INPUT_BITS 57u

/** The device's configuration; what was not negotiated has the widest value (5.13.4). */
static int read_config(struct dma_virtio_iommu *v)
{
	struct virtio_pci *t = &v->transport;
	struct dma_virtio_iommu_info *info = &v->info;
	int err = 0;

	if (t->device.size < VIOMMU_CONFIG_SIZE)
		return -DMAMAP_EINVAL;
	err = dmamap_virtio_pci_config64(t, VIOMMU_CONFIG_PAGE_SIZE_MASK, &info->page_sizes);
	info->input_last = DMA_BIT_MASK(MOST_INPUT_BITS);
	info->domain_last = ~(uint32_t)0;
	if (!err && viommu_has(v, VIOMMU_F_INPUT_RANGE)) {
		uint64_t last = 0;

		err = dmamap_virtio_pci_config64(t, VIOMMU_CONFIG_INPUT_START, &info->input_first);
		if (!err)
			err = dmamap_virtio_pci_config64(t, VIOMMU_CONFIG_INPUT_END, &last);
		info->input_last = min_u64(info->input_last, last);
	}
	if (!err && viommu_has(v, VIOMMU_F_DOMAIN_RANGE)) {
		info->domain_first = dmamap_virtio_pci_config32(t, VIOMMU_CONFIG_DOMAIN_START);
		info->domain_last = dmamap_virtio_pci_config32(t, VIOMMU_CONFIG_DOMAIN_END);
	}
	if (viommu_has(v, VIOMMU_F_PROBE))
		v->probe_size = dmamap_virtio_pci_config32(t, VIOMMU_CONFIG_PROBE_SIZE);
	if (!err && (!info->page_sizes || info->input_first > info->input_last ||
		     info->domain_first > info->domain_last || v->probe_size > VIOMMU_MOST_PROBE))
		err = -DMAMAP_EINVAL;
	return err;
}

static uint64_t wanted_features(const struct dma_virtio_iommu_config *config)
{
	return VIOMMU_F_INPUT_RANGE | VIOMMU_F_DOMAIN_RANGE | VIOMMU_F_PROBE | VIOMMU_F_MMIO |
	       VIOMMU_F_BYPASS_CONFIG | (config->bypass_unattached ? VIOMMU_F_BYPASS : 0);
}

static bool alloc_buffers(struct dma_virtio_iommu *v)
{
	uint64_t events = (uint64_t)VIRTQ_MAX * 32;

	if (v->probe_size && !dmamap_hw_memory_alloc(v->host, 256 + (uint64_t)v->probe_size, 1,
						     DMAMAP_PHYS_NONE, &v->probe))
		return false;
	return dmamap_hw_memory_alloc(v->host, (uint64_t)VIOMMU_SLOTS * VIOMMU_SLOT, 1,
				      DMAMAP_PHYS_NONE, &v->slots) &&
	       dmamap_hw_memory_alloc(v->host, events, 1, DMAMAP_PHYS_NONE, &v->event_buffers);
}

static int make_queues(struct dma_virtio_iommu *v, const struct dma_virtio_iommu_config *config)
{
	uint16_t vector = config->event_interrupt ? config->event_vector : VIRTIO_NO_VECTOR;
	int err = dmamap_virtio_pci_queue(&v->transport, VIOMMU_QUEUE_REQUEST, VIRTIO_NO_VECTOR,
					  &v->requests);

	if (!err)
		err = dmamap_virtio_pci_queue(&v->transport, VIOMMU_QUEUE_EVENT, vector,
					      &v->events);
	v->n_slots = v->requests.size / 2u;
	return err;
}

static int start(struct dma_virtio_iommu *v, const struct dma_virtio_iommu_config *config)
{
	struct virtio_pci *t = &v->transport;
	uint64_t timeout = config->timeout_ns ? config->timeout_ns : HW_TIMEOUT_NS;
	int err = dmamap_virtio_pci_init(t, v->host, &config->function, VIRTIO_ID_IOMMU, timeout);

	if (err)
		return err;
	if (!dmamap_virtio_pci_reset(t))
		return -DMAMAP_EIO;
	err = dmamap_virtio_pci_negotiate(t, wanted_features(config), VIOMMU_F_MAP_UNMAP);
	v->info.features = t->features;
	if (!err)
		err = read_config(v);
	if (!err)
		err = alloc_buffers(v) ? make_queues(v, config) : -DMAMAP_ENOMEM;
	if (err)
		return err;
	if (viommu_has(v, VIOMMU_F_BYPASS_CONFIG))
		v->host->write8(v->host, t->device.base + VIOMMU_CONFIG_BYPASS,
				config->bypass_unattached);
	dmamap_virtio_pci_ready(t);
	dmamap_viommu_start_events(v);
	return 0;
}

/** Stop the device and free all. Memory of a device that does not stop stays its own for ever. */
static void stop(struct dma_virtio_iommu *v)
{
	bool ours = !v->transport.common.size || dmamap_virtio_pci_reset(&v->transport);
	struct dma_host *host = v->host;

	if (ours) {
		dmamap_virtq_fini(&v->requests, host);
		dmamap_virtq_fini(&v->events, host);
		dmamap_hw_memory_free(host, &v->slots);
		dmamap_hw_memory_free(host, &v->event_buffers);
		dmamap_hw_memory_free(host, &v->probe);
	} else {
		dmamap_log(host, DMA_LOG_ERROR, NULL,
			   "the virtio IOMMU does not reset: its queues are lost", NULL);
	}
	dmamap_hw_attached_fini(&v->attached);
	dmamap_lock_fini(host, &v->lock);
	dmamap_pages_free(host, v, sizeof(*v));
}

int dmamap_virtio_iommu_create(struct dma_host *host, const struct dma_virtio_iommu_config *config,
			       struct dma_virtio_iommu **iommu)
{
	struct dma_virtio_iommu *v;
	int err;

	if (!host || !config || config->size != sizeof(*config) || !iommu)
		return -DMAMAP_EINVAL;
	v = dmamap_pages_alloc(host, sizeof(*v), DMAMAP_PHYS_NONE, DMAMAP_GFP_KERNEL, NULL);
	if (!v)
		return -DMAMAP_ENOMEM;
	v->host = host;
	dmamap_lock_init(host, &v->lock);
	dmamap_hw_attached_init(&v->attached, host, &config->requesters, ~(uint32_t)0);
	err = start(v, config);
	if (err) {
		stop(v);
		return err;
	}
	*iommu = v;
	return 0;
}

int dmamap_virtio_iommu_destroy(struct dma_virtio_iommu *iommu)
{
	bool used;

	dmamap_lock(iommu->host, &iommu->lock);
	used = iommu->domains;
	dmamap_unlock(iommu->host, &iommu->lock);
	if (used)
		return -DMAMAP_EBUSY;
	stop(iommu);
	return 0;
}

void dmamap_virtio_iommu_get_info(struct dma_virtio_iommu *iommu,
				  struct dma_virtio_iommu_info *info)
{
	dmamap_lock(iommu->host, &iommu->lock);
	*info = iommu->info;
	dmamap_unlock(iommu->host, &iommu->lock);
}
