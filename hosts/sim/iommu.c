/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IOMMU: its life, its domains, and what it makes of a device's access.
 *
 * What was denied or not present is never cached; a cached entry decides alone, also when the table has been changed
 * since.
 */
#include "iommu.h"

#include <stdlib.h>

#define TABLES 128 /* the walker remembers */

/* --- domains; the lock is held */

struct sim_domain *sim_domain_find(const struct sim_iommu *iommu, unsigned int id)
{
	struct sim_domain *d = iommu->domains;

	while (d && d->id != id)
		d = d->next;
	return d;
}

/** The domain with that number, made if need be. The same number over another table begins anew. */
static struct sim_domain *get_domain(struct sim_iommu *iommu, unsigned int id, phys_addr_t root,
				     unsigned int levels)
{
	struct sim_domain *d = sim_domain_find(iommu, id);

	if (!d) {
		d = calloc(1, sizeof(*d));
		if (!d)
			return NULL;
		d->id = id;
		d->next = iommu->domains;
		iommu->domains = d;
	}
	if (!d->generation || d->root != root || d->levels != levels)
		d->generation = ++iommu->next_generation;
	d->root = root;
	d->levels = levels;
	d->devices++;
	return d;
}

static void put_domain(struct sim_iommu *iommu, struct sim_domain *domain)
{
	struct sim_domain **link = &iommu->domains;

	domain->generation = ++iommu->next_generation;
	if (--domain->devices)
		return;
	while (*link != domain)
		link = &(*link)->next;
	*link = domain->next;
	sim_mappings_drop(&domain->mappings, 0, ~(uint64_t)0);
	free(domain);
}

void sim_domain_leave(struct sim_iommu *iommu, struct sim_device *device)
{
	if (device->domain)
		put_domain(iommu, device->domain);
	device->domain = NULL;
}

bool sim_domain_join(struct sim_iommu *iommu, struct sim_device *device, unsigned int id,
		     phys_addr_t root, unsigned int levels)
{
	struct sim_domain *domain = get_domain(iommu, id, root, levels);

	if (!domain)
		return false;
	sim_domain_leave(iommu, device);
	device->domain = domain;
	return true;
}

/* --- what a device's access does; the lock is held */

static enum sim_fault_reason translate(struct sim_iommu *iommu, const struct sim_domain *domain,
				       dma_addr_t iova, bool write, struct sim_translation *t)
{
	enum sim_fault_reason reason;

	if (sim_iotlb_find(&iommu->tlb, domain->generation, iova, t)) {
		iommu->stats.hits++;
		if (write && !(t->perm & SIM_PERM_WRITE))
			return SIM_FAULT_WRITE_DENIED;
		if (!write && !(t->perm & SIM_PERM_READ))
			return SIM_FAULT_READ_DENIED;
		return SIM_FAULT_NONE;
	}
	iommu->stats.walks++;
	reason = sim_walk(&iommu->walk, domain, iova, write, t);
	if (reason == SIM_FAULT_NONE)
		sim_iotlb_add(&iommu->tlb, domain->generation, t);
	return reason;
}

/** With tables: *@len is shortened to the page. */
static enum sim_fault_reason translate_page(struct sim_iommu *iommu,
					    const struct sim_domain *domain, dma_addr_t iova,
					    bool write, uint64_t *len, phys_addr_t *phys)
{
	struct sim_translation t;
	enum sim_fault_reason reason = translate(iommu, domain, iova, write, &t);

	if (reason != SIM_FAULT_NONE)
		return reason;
	*len = sim_min(*len, (1ull << t.shift) - (iova - t.iova));
	*phys = t.phys + (iova - t.iova);
	return SIM_FAULT_NONE;
}

enum sim_fault_reason sim_iommu_translate(struct sim_device *device, dma_addr_t iova, bool write,
					  uint64_t *len, phys_addr_t *phys)
{
	struct sim_iommu *iommu = device->iommu;
	enum sim_fault_reason reason = SIM_FAULT_NO_DOMAIN;

	pthread_mutex_lock(&iommu->lock);
	if (device->domain && iommu->command)
		reason = sim_command_translate(device->domain, iova, write, len, phys);
	else if (device->domain)
		reason = translate_page(iommu, device->domain, iova, write, len, phys);
	if (reason != SIM_FAULT_NONE)
		iommu->stats.faults++;
	pthread_mutex_unlock(&iommu->lock);
	return reason;
}

/* --- life */

static bool possible(const struct sim_iommu_config *config)
{
	uint64_t large = 1ull << 21 | 1ull << 30;

	if (!config || config->size != sizeof(*config) || config->input_bits > 64 ||
	    (config->output_bits && (config->output_bits < 32 || config->output_bits > 52)))
		return false;
	if (config->command)
		return !(config->page_sizes & (SIM_PAGE - 1)) && !config->levels;
	return (!config->levels || (config->levels >= 3 && config->levels <= 5)) &&
	       !(config->page_sizes & ~(large | SIM_PAGE)) && !config->input_bits &&
	       !config->max_entries;
}

static uint64_t default_page_sizes(const struct sim_iommu_config *config)
{
	return config->command ? ~(uint64_t)(SIM_PAGE - 1) : 1ull << 21 | 1ull << 30;
}

static void configure(struct sim_iommu *iommu, const struct sim_iommu_config *config)
{
	iommu->levels = config->levels ? config->levels : 4;
	iommu->coherent_walk = !config->incoherent_walk;
	iommu->command = config->command;
	iommu->input_bits = config->input_bits ? config->input_bits : 64;
	iommu->max_entries = config->max_entries;
	iommu->walk = (struct sim_walk){
		.m = iommu->m,
		.device_view = config->incoherent_walk,
		.output_bits = config->output_bits ? config->output_bits : 52,
		.page_sizes = config->page_sizes ? config->page_sizes : default_page_sizes(config),
		.tables = &iommu->tables,
	};
}

int sim_iommu_create(struct sim_machine *m, const struct sim_iommu_config *config,
		     struct sim_iommu **iommu)
{
	struct sim_iommu *new;

	if (!possible(config) || !iommu)
		return -DMAMAP_EINVAL;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -DMAMAP_ENOMEM;
	if (!sim_iotlb_init(&new->tlb, config->iotlb_entries ? config->iotlb_entries : 65536) ||
	    !sim_iotlb_init(&new->tables, TABLES)) {
		sim_iotlb_fini(&new->tlb);
		free(new);
		return -DMAMAP_ENOMEM;
	}
	new->unit.ops = &sim_unit_ops;
	new->m = m;
	configure(new, config);
	pthread_mutex_init(&new->lock, NULL);
	pthread_mutex_lock(&m->lists);
	m->nr_iommus++;
	pthread_mutex_unlock(&m->lists);
	*iommu = new;
	return 0;
}

int sim_iommu_destroy(struct sim_iommu *iommu)
{
	if (!iommu)
		return 0;
	if (!sim_devices_orphan(iommu->m, iommu))
		return -DMAMAP_EBUSY;
	pthread_mutex_lock(&iommu->m->lists);
	iommu->m->nr_iommus--;
	pthread_mutex_unlock(&iommu->m->lists);
	pthread_mutex_destroy(&iommu->lock);
	sim_iotlb_fini(&iommu->tables);
	sim_iotlb_fini(&iommu->tlb);
	free(iommu);
	return 0;
}

struct dma_iommu_unit *sim_iommu_unit(struct sim_iommu *iommu)
{
	return iommu->command ? NULL : &iommu->unit;
}

void sim_iommu_get_stats(struct sim_iommu *iommu, struct sim_iommu_stats *stats)
{
	pthread_mutex_lock(&iommu->lock);
	*stats = iommu->stats;
	pthread_mutex_unlock(&iommu->lock);
}

static int make_tables(struct sim_iommu *iommu, unsigned int domain_id,
		       struct dma_backend **backend)
{
	const struct dma_pt_config config = {
		.size = sizeof(config),
		.format = DMA_PT_VTD_SECOND_STAGE,
		.levels = iommu->levels,
		.output_bits = iommu->walk.output_bits,
		.page_sizes = iommu->walk.page_sizes & ~(uint64_t)SIM_PAGE,
		.coherent_walk = iommu->coherent_walk,
		.unit = &iommu->unit,
		.domain_id = domain_id,
	};

	return dmamap_pt_backend_create(&iommu->m->host, &config, backend);
}

int sim_domain_create(struct sim_iommu *iommu, const struct dma_domain_config *config,
		      struct dma_domain **domain)
{
	unsigned int id = __atomic_add_fetch(&iommu->next_id, 1, __ATOMIC_RELAXED);
	struct dma_backend *backend;
	int err;

	err = iommu->command ? sim_command_backend_create(iommu, id, &backend)
			     : make_tables(iommu, id, &backend);
	if (err)
		return err;
	err = dmamap_domain_create(&iommu->m->host, backend, config, domain);
	if (err && backend->ops->destroy)
		backend->ops->destroy(backend);
	return err;
}
