/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An IOMMU that has no tables and takes commands, with the rules of virtio-iommu (virtio 1.2, 5.13.6, read strictly:
 * what a device "SHOULD" refuse is refused). Ranges have an inclusive end. There is no cache: an unmap holds at once.
 * A domain is there while devices are in it, and its mappings go with the last one.
 */
#include "iommu.h"

#define FLAGS (SIM_COMMAND_READ | SIM_COMMAND_WRITE | SIM_COMMAND_MMIO)

static bool is_aligned(const struct sim_iommu *iommu, uint64_t first, uint64_t last, uint64_t phys)
{
	uint64_t granule = iommu->walk.page_sizes & -iommu->walk.page_sizes;

	return ((first | (last + 1) | phys) & (granule - 1)) == 0;
}

static bool is_range(const struct sim_iommu *iommu, uint64_t first, uint64_t last, uint64_t phys)
{
	return first <= last && last <= DMA_BIT_MASK(iommu->input_bits) &&
	       is_aligned(iommu, first, last, phys);
}

static bool is_endpoint(struct sim_iommu *iommu, const struct sim_command *c)
{
	return c->endpoint && sim_device_known(iommu->m, sim_dma(c->endpoint)) &&
	       c->endpoint->iommu == iommu;
}

static enum sim_command_status do_attach(struct sim_iommu *iommu, const struct sim_command *c)
{
	const struct sim_table none = { 0 };

	if (!is_endpoint(iommu, c))
		return SIM_COMMAND_NOENT;
	return sim_domain_join(iommu, c->endpoint, c->domain, &none) ? SIM_COMMAND_OK
								     : SIM_COMMAND_NOMEM;
}

static enum sim_command_status do_detach(struct sim_iommu *iommu, const struct sim_command *c)
{
	if (!is_endpoint(iommu, c))
		return SIM_COMMAND_NOENT;
	if (!c->endpoint->domain || c->endpoint->domain->id != c->domain)
		return SIM_COMMAND_INVAL;
	sim_domain_leave(iommu, c->endpoint);
	return SIM_COMMAND_OK;
}

static enum sim_command_status do_map(struct sim_iommu *iommu, const struct sim_command *c)
{
	const struct sim_mapping mapping = { c->virt_start, c->virt_end, c->phys_start, c->flags };
	struct sim_domain *domain = sim_domain_find(iommu, c->domain);

	if (!domain)
		return SIM_COMMAND_NOENT;
	if ((c->flags & ~FLAGS) || !(c->flags & (SIM_COMMAND_READ | SIM_COMMAND_WRITE)))
		return SIM_COMMAND_INVAL;
	if (!is_range(iommu, c->virt_start, c->virt_end, c->phys_start))
		return SIM_COMMAND_RANGE;
	if (iommu->max_entries && domain->mappings.n >= iommu->max_entries)
		return SIM_COMMAND_NOMEM;
	switch (sim_mappings_add(&domain->mappings, &mapping)) {
	case 0:
		return SIM_COMMAND_OK;
	case -DMAMAP_EADDRINUSE:
		return SIM_COMMAND_INVAL;
	default:
		return SIM_COMMAND_NOMEM;
	}
}

static enum sim_command_status do_unmap(struct sim_iommu *iommu, const struct sim_command *c)
{
	struct sim_domain *domain = sim_domain_find(iommu, c->domain);

	if (!domain)
		return SIM_COMMAND_NOENT;
	if (!is_range(iommu, c->virt_start, c->virt_end, 0) ||
	    sim_mappings_cut(&domain->mappings, c->virt_start, c->virt_end))
		return SIM_COMMAND_RANGE;
	sim_mappings_drop(&domain->mappings, c->virt_start, c->virt_end);
	return SIM_COMMAND_OK;
}

static enum sim_command_status perform(struct sim_iommu *iommu, const struct sim_command *c)
{
	switch (c->type) {
	case SIM_COMMAND_ATTACH:
		return do_attach(iommu, c);
	case SIM_COMMAND_DETACH:
		return do_detach(iommu, c);
	case SIM_COMMAND_MAP:
		return do_map(iommu, c);
	case SIM_COMMAND_UNMAP:
		return do_unmap(iommu, c);
	default:
		return SIM_COMMAND_UNSUPP;
	}
}

enum sim_command_status sim_iommu_command(struct sim_iommu *iommu, const struct sim_command *c)
{
	enum sim_command_status status;

	if (!iommu->command)
		return SIM_COMMAND_UNSUPP;
	pthread_mutex_lock(&iommu->lock);
	iommu->stats.commands++;
	status = perform(iommu, c);
	pthread_mutex_unlock(&iommu->lock);
	return status;
}

enum sim_fault_reason sim_command_translate(const struct sim_domain *domain, dma_addr_t iova,
					    bool write, uint64_t *len, phys_addr_t *phys)
{
	const struct sim_mapping *m = sim_mappings_find(&domain->mappings, iova, iova);

	if (!m)
		return SIM_FAULT_NOT_PRESENT;
	if (write && !(m->flags & SIM_COMMAND_WRITE))
		return SIM_FAULT_WRITE_DENIED;
	if (!write && !(m->flags & SIM_COMMAND_READ))
		return SIM_FAULT_READ_DENIED;
	if (*len - 1 > m->last - iova)
		*len = m->last - iova + 1;
	*phys = m->phys + (iova - m->first);
	return SIM_FAULT_NONE;
}
