/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver of an IOMMU that takes commands: a backend of the library. Each piece of a map is a mapping of the device.
 *
 * It remembers what it has asked for, because the device never says what is mapped: to tell a hole from a mapping, and
 * to translate. An unmap that would cut a mapping is refused by the device; then nothing is unmapped. The domain
 * serialises all calls.
 */
#include "iommu.h"

#include <stdlib.h>

struct backend {
	struct dma_backend backend; /* first: of() */
	struct sim_iommu *iommu;
	unsigned int domain_id;
	struct sim_mappings asked;
};

static struct backend *of(struct dma_backend *backend)
{
	return (struct backend *)(void *)backend;
}

static int error_of(enum sim_command_status status)
{
	switch (status) {
	case SIM_COMMAND_OK:
		return 0;
	case SIM_COMMAND_INVAL:
		return -DMAMAP_EINVAL;
	case SIM_COMMAND_RANGE:
		return -DMAMAP_ERANGE;
	case SIM_COMMAND_NOENT:
		return -DMAMAP_ENODEV;
	case SIM_COMMAND_NOMEM:
		return -DMAMAP_ENOSPC;
	default:
		return -DMAMAP_EIO;
	}
}

/* --- map and unmap */

static unsigned int flags_of(unsigned int prot)
{
	unsigned int flags = 0;

	if (prot & DMA_PROT_READ)
		flags |= SIM_COMMAND_READ;
	if (prot & DMA_PROT_WRITE)
		flags |= SIM_COMMAND_WRITE;
	if (prot & DMA_PROT_MMIO)
		flags |= SIM_COMMAND_MMIO;
	return flags;
}

static bool fits(const struct backend *b, const struct dma_vec *vec)
{
	phys_addr_t top = DMA_BIT_MASK(b->backend.caps.output_bits);

	return vec->len && vec->phys <= top && vec->len - 1 <= top - vec->phys;
}

static int map_piece(struct backend *b, dma_addr_t iova, const struct dma_vec *vec,
		     unsigned int prot)
{
	const struct sim_command c = {
		.type = SIM_COMMAND_MAP,
		.domain = b->domain_id,
		.virt_start = iova,
		.virt_end = iova + (vec->len - 1),
		.phys_start = vec->phys,
		.flags = flags_of(prot),
	};
	const struct sim_mapping mapping = { c.virt_start, c.virt_end, c.phys_start, c.flags };
	int err;

	if (!fits(b, vec))
		return -DMAMAP_ERANGE;
	err = sim_mappings_add(&b->asked, &mapping);
	if (err)
		return err;
	err = error_of(sim_iommu_command(b->iommu, &c));
	if (err)
		sim_mappings_drop(&b->asked, mapping.first, mapping.last);
	return err;
}

static bool unmap_range(struct backend *b, dma_addr_t first, dma_addr_t last)
{
	const struct sim_command c = {
		.type = SIM_COMMAND_UNMAP,
		.domain = b->domain_id,
		.virt_start = first,
		.virt_end = last,
	};

	if (sim_iommu_command(b->iommu, &c) != SIM_COMMAND_OK)
		return false;
	sim_mappings_drop(&b->asked, first, last);
	return true;
}

static int backend_map(struct dma_backend *backend, dma_addr_t iova, const struct dma_vec *vec,
		       size_t n, unsigned int prot)
{
	struct backend *b = of(backend);
	dma_addr_t at = iova;

	for (size_t i = 0; i < n; i++) {
		int err = map_piece(b, at, &vec[i], prot);

		if (err && at != iova)
			unmap_range(b, iova, at - 1);
		if (err)
			return err;
		at += vec[i].len;
	}
	return 0;
}

/** The last address before the first hole from @first on, @last at the most; false if @first is one. */
static bool before_hole(const struct backend *b, dma_addr_t first, dma_addr_t last, dma_addr_t *end)
{
	const struct sim_mapping *m = sim_mappings_find(&b->asked, first, first);

	if (!m)
		return false;
	while (m && m->last < last) {
		*end = m->last;
		m = sim_mappings_find(&b->asked, *end + 1, *end + 1);
	}
	if (m)
		*end = last;
	return true;
}

static uint64_t backend_unmap(struct dma_backend *backend, dma_addr_t iova, uint64_t len)
{
	struct backend *b = of(backend);
	dma_addr_t end;

	if (!len || !before_hole(b, iova, iova + (len - 1), &end) || !unmap_range(b, iova, end))
		return 0;
	return end - iova + 1;
}

static int backend_iova_to_phys(struct dma_backend *backend, dma_addr_t iova, phys_addr_t *phys)
{
	const struct sim_mapping *m = sim_mappings_find(&of(backend)->asked, iova, iova);

	if (!m)
		return -DMAMAP_ENXIO;
	*phys = m->phys + (iova - m->first);
	return 0;
}

static unsigned int prot_of(unsigned int flags)
{
	unsigned int prot = 0;

	if (flags & SIM_COMMAND_READ)
		prot |= DMA_PROT_READ;
	if (flags & SIM_COMMAND_WRITE)
		prot |= DMA_PROT_WRITE;
	if (flags & SIM_COMMAND_MMIO)
		prot |= DMA_PROT_MMIO;
	return prot;
}

static int backend_next_leaf(struct dma_backend *backend, dma_addr_t iova, struct dma_leaf *leaf)
{
	const struct sim_mapping *m = sim_mappings_next(&of(backend)->asked, iova);

	if (!m)
		return -DMAMAP_ENXIO;
	*leaf = (struct dma_leaf){ .iova = m->first,
				   .len = m->last - m->first + 1,
				   .phys = m->phys,
				   .prot = prot_of(m->flags) };
	return 0;
}

/* --- devices and life */

static int backend_attach(struct dma_backend *backend, struct dma_device *dev)
{
	struct backend *b = of(backend);
	const struct sim_command c = {
		.type = SIM_COMMAND_ATTACH,
		.domain = b->domain_id,
		.endpoint = sim_device_of(dev),
	};

	return error_of(sim_iommu_command(b->iommu, &c));
}

static void backend_detach(struct dma_backend *backend, struct dma_device *dev)
{
	struct backend *b = of(backend);
	const struct sim_command c = {
		.type = SIM_COMMAND_DETACH,
		.domain = b->domain_id,
		.endpoint = sim_device_of(dev),
	};

	sim_iommu_command(b->iommu, &c);
}

static void backend_destroy(struct dma_backend *backend)
{
	struct backend *b = of(backend);

	sim_mappings_drop(&b->asked, 0, ~(uint64_t)0);
	free(b);
}

static const struct dma_backend_ops backend_ops = {
	.size = sizeof(struct dma_backend_ops),
	.map = backend_map,
	.unmap = backend_unmap,
	.iova_to_phys = backend_iova_to_phys,
	.next_leaf = backend_next_leaf,
	.attach = backend_attach,
	.detach = backend_detach,
	.destroy = backend_destroy,
};

int sim_command_backend_create(struct sim_iommu *iommu, unsigned int domain_id,
			       struct dma_backend **backend)
{
	struct backend *b = calloc(1, sizeof(*b));

	if (!b)
		return -DMAMAP_ENOMEM;
	b->iommu = iommu;
	b->domain_id = domain_id;
	b->backend.ops = &backend_ops;
	b->backend.caps = (struct dma_backend_caps){
		.page_sizes = iommu->walk.page_sizes,
		.aperture_end = DMA_BIT_MASK(iommu->input_bits),
		.output_bits = iommu->walk.output_bits,
		.unmap_is_invalidation = true,
		.write_only = true,
		.max_entries = iommu->max_entries,
	};
	*backend = &b->backend;
	return 0;
}
