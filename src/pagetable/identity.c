/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The backend of identity domains: the unit lets a device's requests pass as they are (Linux: passthrough).
 *
 * There are no tables, and nothing is ever mapped: a device of such a domain takes the direct route. What is left is to
 * tell the unit of devices that come and go, so that a device stands behind its IOMMU in a known state.
 */
#include <dmamap/pagetable.h>

#include "base/heap.h"

struct identity {
	struct dma_backend backend;
	struct dma_host *host;
	struct dma_iommu_unit *unit;
};

static struct identity *identity_of(struct dma_backend *backend)
{
	return (struct identity *)(void *)backend;
}

static int identity_map(struct dma_backend *backend, dma_addr_t iova, const struct dma_vec *vec,
			size_t n, unsigned int prot)
{
	(void)backend;
	(void)iova;
	(void)vec;
	(void)n;
	(void)prot;
	return -DMAMAP_EOPNOTSUPP;
}

static uint64_t identity_unmap(struct dma_backend *backend, dma_addr_t iova, uint64_t len)
{
	(void)backend;
	(void)iova;
	(void)len;
	return 0;
}

static int identity_iova_to_phys(struct dma_backend *backend, dma_addr_t iova, phys_addr_t *phys)
{
	(void)backend;
	*phys = iova;
	return 0;
}

static struct dma_iommu_unit *unit_of(struct dma_backend *backend, const struct dma_device *dev)
{
	struct dma_iommu_unit *unit = dmamap_dev(dev)->unit;

	return unit ? unit : identity_of(backend)->unit;
}

static int identity_attach(struct dma_backend *backend, struct dma_device *dev)
{
	struct dma_iommu_unit *unit = unit_of(backend, dev);

	if (!unit)
		return -DMAMAP_ENODEV;
	return unit->ops->attach_identity ? unit->ops->attach_identity(unit, dev)
					  : -DMAMAP_EOPNOTSUPP;
}

static void identity_detach(struct dma_backend *backend, struct dma_device *dev)
{
	struct dma_iommu_unit *unit = unit_of(backend, dev);

	unit->ops->detach(unit, dev);
}

static void identity_destroy(struct dma_backend *backend)
{
	dmamap_heap_free(identity_of(backend)->host, backend, sizeof(struct identity));
}

static const struct dma_backend_ops identity_ops = {
	.size = sizeof(identity_ops),
	.map = identity_map,
	.unmap = identity_unmap,
	.iova_to_phys = identity_iova_to_phys,
	.attach = identity_attach,
	.detach = identity_detach,
	.destroy = identity_destroy,
};

int dmamap_identity_backend_create(struct dma_host *host, struct dma_iommu_unit *unit,
				   struct dma_backend **backend)
{
	struct identity *identity;

	if (!host || !backend)
		return -DMAMAP_EINVAL;
	identity = dmamap_heap_alloc(host, sizeof(*identity), DMAMAP_GFP_KERNEL);
	if (!identity)
		return -DMAMAP_ENOMEM;
	identity->host = host;
	identity->unit = unit;
	identity->backend = (struct dma_backend){
		.ops = &identity_ops,
		.caps = { .page_sizes = host->page_size,
			  .aperture_end = ~(uint64_t)0,
			  .output_bits = 64,
			  .unmap_is_invalidation = true,
			  .write_only = true,
			  .identity = true },
	};
	*backend = &identity->backend;
	return 0;
}
