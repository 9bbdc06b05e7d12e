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
static struct sim_domain *get_domain(struct sim_iommu *iommu, unsigned int id,
				     const struct sim_table *table)
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
	if (!d->generation || d->table.root != table->root || d->table.levels != table->levels)
		d->generation = ++iommu->next_generation;
	d->table = *table;
	d->devices++;
	return d;
}

static void put_domain(struct sim_iommu *iommu, struct sim_domain *domain)
{
	struct sim_domain **link = &iommu->domains;

	domain->generation = ++iommu->next_generation;
	if (--domain->devices)
		return;
	while (*link && *link != domain)
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
	device->identity = false;
}

bool sim_domain_join(struct sim_iommu *iommu, struct sim_device *device, unsigned int id,
		     const struct sim_table *table)
{
	struct sim_domain *domain = get_domain(iommu, id, table);

	if (!domain)
		return false;
	sim_domain_leave(iommu, device);
	device->domain = domain;
	return true;
}

/* --- what a device's access does; the lock is held */

/** A write through a page that is not marked as written goes through the table again. */
static bool decides(const struct sim_translation *t, const struct sim_access *access)
{
	return !access->write || !(t->perm & SIM_PERM_WRITE) || (t->perm & SIM_PERM_DIRTY);
}

/** The page, from the cache or from the table. */
static enum sim_fault_reason find_page(struct sim_iommu *iommu, const struct sim_domain *domain,
				       const struct sim_access *access, struct sim_translation *t)
{
	enum sim_fault_reason reason;

	if (sim_iotlb_find(&iommu->tlb, domain->generation, access->iova, t) &&
	    decides(t, access)) {
		iommu->stats.hits++;
		return sim_check_perm(t->perm, access);
	}
	iommu->stats.walks++;
	reason = sim_walk(&iommu->walk, &domain->table, domain->generation, access, t);
	if (reason == SIM_FAULT_NONE)
		sim_iotlb_add(&iommu->tlb, domain->generation, t);
	return reason;
}

/** With tables: *@len is shortened to the page. */
static enum sim_fault_reason translate(struct sim_iommu *iommu, const struct sim_domain *domain,
				       const struct sim_access *access, uint64_t *len,
				       phys_addr_t *phys)
{
	struct sim_translation t;
	enum sim_fault_reason reason = find_page(iommu, domain, access, &t);

	if (reason != SIM_FAULT_NONE)
		return reason;
	*len = sim_min(*len, SIM_BIT(t.shift) - (access->iova - t.iova));
	*phys = t.phys + (access->iova - t.iova);
	return SIM_FAULT_NONE;
}

enum sim_fault_reason sim_iommu_translate(struct sim_device *device, dma_addr_t iova, bool write,
					  uint64_t *len, phys_addr_t *phys)
{
	const struct sim_access access = { iova, write, device->privileged };
	struct sim_iommu *iommu = device->iommu;
	enum sim_fault_reason reason = SIM_FAULT_NO_DOMAIN;

	pthread_mutex_lock(&iommu->lock);
	if (device->identity) {
		*phys = iova;
		reason = SIM_FAULT_NONE;
	} else if (device->domain && iommu->command)
		reason = sim_command_translate(device->domain, iova, write, len, phys);
	else if (device->domain)
		reason = translate(iommu, device->domain, &access, len, phys);
	if (reason != SIM_FAULT_NONE)
		iommu->stats.faults++;
	pthread_mutex_unlock(&iommu->lock);
	return reason;
}

/* --- life */

static bool in_range(unsigned int value, unsigned int low, unsigned int high)
{
	return !value || (value >= low && value <= high);
}

static unsigned int or_default(unsigned int value, unsigned int otherwise)
{
	return value ? value : otherwise;
}

static bool commands_possible(const struct sim_iommu_config *config)
{
	return in_range(config->output_bits, 32, 52) && config->input_bits <= 64 &&
	       !(config->page_sizes & (SIM_PAGE - 1)) && !config->levels && !config->granule_bits &&
	       !config->track_dirty && !config->memory_types;
}

static void configure_commands(struct sim_iommu *iommu, const struct sim_iommu_config *config)
{
	iommu->command = true;
	iommu->input_bits = or_default(config->input_bits, 64);
	iommu->max_entries = config->max_entries;
	iommu->walk.output_bits = or_default(config->output_bits, 52);
	iommu->walk.page_sizes =
		config->page_sizes ? config->page_sizes : ~(uint64_t)(SIM_PAGE - 1);
}

/** ARM: the levels that so many bits need; a stage 2 has up to 16 first tables instead of a level above them. */
static unsigned int levels_for(const struct sim_format *format, unsigned int input_bits,
			       unsigned int granule_bits)
{
	unsigned int index_bits = granule_bits - 3;
	unsigned int levels = (input_bits - granule_bits + index_bits - 1) / index_bits;
	unsigned int below = granule_bits + index_bits * (levels - 1);

	return format->concatenates && levels > 1 && input_bits - below <= 4 ? levels - 1 : levels;
}

/** The depth of the tables; 0 if there are none like that. */
static unsigned int levels_of(const struct sim_format *format,
			      const struct sim_iommu_config *config, unsigned int granule_bits)
{
	unsigned int input_bits = or_default(config->input_bits, 48);

	if (!format->input_width)
		return config->input_bits || !in_range(config->levels, format->min_levels,
						       format->max_levels)
			       ? 0
			       : or_default(config->levels, format->default_levels);
	return config->levels || !in_range(input_bits, granule_bits + 10, 48)
		       ? 0
		       : levels_for(format, input_bits, granule_bits);
}

/** False if the hardware cannot be like that. */
static bool configure_tables(struct sim_iommu *iommu, const struct sim_iommu_config *config)
{
	const struct sim_format *format = sim_format_of(config->format);
	unsigned int granule_bits = or_default(config->granule_bits, 12);
	uint64_t sizes;

	if (!format || config->max_entries || granule_bits < 12 || granule_bits > 16 ||
	    !in_range(config->output_bits, 32, format->max_output_bits))
		return false;
	iommu->levels = levels_of(format, config, granule_bits);
	sizes = format->page_sizes(granule_bits, iommu->levels);
	if (!iommu->levels || !sizes || (config->page_sizes & ~sizes))
		return false;
	iommu->format = config->format;
	iommu->input_bits = or_default(config->input_bits, 48);
	iommu->walk.format = format;
	iommu->walk.track = config->track_dirty;
	iommu->walk.memory_types = config->memory_types;
	iommu->walk.granule_bits = granule_bits;
	iommu->walk.index_bits = granule_bits - 3;
	iommu->walk.output_bits = or_default(config->output_bits, format->max_output_bits);
	iommu->walk.page_sizes =
		(config->page_sizes ? config->page_sizes : sizes) | SIM_BIT(granule_bits);
	return true;
}

static bool configure(struct sim_iommu *iommu, const struct sim_iommu_config *config)
{
	iommu->walk.m = iommu->m;
	iommu->walk.device_view = config->incoherent_walk;
	iommu->walk.tables = &iommu->tables;
	if (!config->command)
		return configure_tables(iommu, config);
	if (!commands_possible(config))
		return false;
	configure_commands(iommu, config);
	return true;
}

static struct sim_iommu *make_iommu(struct sim_machine *m, const struct sim_iommu_config *config,
				    int *err)
{
	struct sim_iommu *new = calloc(1, sizeof(*new));

	*err = -DMAMAP_ENOMEM;
	if (!new)
		return NULL;
	new->unit.ops = &sim_unit_ops;
	new->m = m;
	if (!configure(new, config)) {
		*err = -DMAMAP_EINVAL;
	} else if (sim_iotlb_init(&new->tlb, or_default(config->iotlb_entries, 65536))) {
		if (sim_iotlb_init(&new->tables, TABLES))
			return new;
		sim_iotlb_fini(&new->tlb);
	}
	free(new);
	return NULL;
}

int sim_iommu_create(struct sim_machine *m, const struct sim_iommu_config *config,
		     struct sim_iommu **iommu)
{
	struct sim_iommu *new;
	int err;

	if (!config || config->size != sizeof(*config) || !iommu)
		return -DMAMAP_EINVAL;
	new = make_iommu(m, config, &err);
	if (!new)
		return err;
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

uint64_t sim_iommu_page_sizes(struct sim_iommu *iommu)
{
	return iommu->walk.page_sizes;
}

void sim_iommu_get_stats(struct sim_iommu *iommu, struct sim_iommu_stats *stats)
{
	pthread_mutex_lock(&iommu->lock);
	*stats = iommu->stats;
	stats->table_hits = iommu->walk.table_hits;
	pthread_mutex_unlock(&iommu->lock);
}

static int make_tables(struct sim_iommu *iommu, unsigned int domain_id,
		       struct dma_backend **backend)
{
	const struct sim_walk *walk = &iommu->walk;
	const struct dma_pt_config config = {
		.size = sizeof(config),
		.format = iommu->format,
		.levels = iommu->levels,
		.input_bits = walk->format->input_width ? iommu->input_bits : 0,
		.granule_bits = walk->granule_bits,
		.output_bits = walk->output_bits,
		.page_sizes = walk->page_sizes & ~SIM_BIT(walk->granule_bits),
		.coherent_walk = !walk->device_view,
		.track_dirty = walk->track,
		.memory_types = walk->memory_types,
		.unit = &iommu->unit,
		.domain_id = domain_id,
	};

	return dmamap_pt_backend_create(&iommu->m->host, &config, backend);
}

int sim_domain_create(struct sim_iommu *iommu, const struct dma_domain_config *config,
		      struct dma_domain **domain)
{
	unsigned int id = __atomic_add_fetch(&iommu->m->next_domain_id, 1, __ATOMIC_RELAXED);
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
