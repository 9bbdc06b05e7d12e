/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IOMMU: a unit that the library attaches devices to and asks for invalidations.
 *
 * Invalidations are queued and take effect when the library waits for them (or when the queue is full), so that one
 * who forgets to wait still sees the old translation. What was denied or not present is never cached; a cached entry
 * decides alone, also when the table has been changed since.
 */
#include "iommu.h"

#include <stdlib.h>

#define QUEUE  1024
#define TABLES 128 /* the walker remembers */

struct request {
	unsigned int domain_id;
	dma_addr_t iova;
	uint64_t len; /* all ones: the whole domain */
	bool leaf_only;
};

struct sim_iommu {
	struct dma_iommu_unit unit; /* first: iommu_of() */
	struct sim_machine *m;
	unsigned int levels;
	struct sim_walk walk;
	bool coherent_walk;
	unsigned int next_id;

	pthread_mutex_t lock; /* guards all that follows, and sim_device.domain */
	struct sim_domain *domains;
	uint64_t next_generation;
	struct sim_iotlb tlb;
	struct sim_iotlb tables;
	struct request queue[QUEUE];
	unsigned int queued;
	struct sim_iommu_stats stats;
};

static struct sim_iommu *iommu_of(struct dma_iommu_unit *unit)
{
	return (struct sim_iommu *)(void *)unit;
}

/* --- domains; the lock is held */

static struct sim_domain *find_domain(const struct sim_iommu *iommu, unsigned int id)
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
	struct sim_domain *d = find_domain(iommu, id);

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

/** One device less; with the last one the domain is forgotten. What was cached for it goes in any case. */
static void put_domain(struct sim_iommu *iommu, struct sim_domain *domain)
{
	struct sim_domain **link = &iommu->domains;

	domain->generation = ++iommu->next_generation;
	if (--domain->devices)
		return;
	while (*link != domain)
		link = &(*link)->next;
	*link = domain->next;
	free(domain);
}

/* --- what the library asks of the unit */

static int unit_attach(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int domain_id,
		       phys_addr_t root, unsigned int levels)
{
	struct sim_iommu *iommu = iommu_of(unit);
	struct sim_device *device = sim_device_of(dev);
	struct sim_domain *domain;

	if (!sim_device_known(iommu->m, dev) || device->iommu != iommu)
		return -DMAMAP_ENODEV;
	if (root % SIM_PAGE || levels < 3 || levels > iommu->levels)
		return -DMAMAP_EINVAL;
	pthread_mutex_lock(&iommu->lock);
	domain = get_domain(iommu, domain_id, root, levels);
	if (domain) {
		if (device->domain)
			put_domain(iommu, device->domain);
		device->domain = domain;
	}
	pthread_mutex_unlock(&iommu->lock);
	return domain ? 0 : -DMAMAP_ENOMEM;
}

static void unit_detach(struct dma_iommu_unit *unit, struct dma_device *dev)
{
	struct sim_iommu *iommu = iommu_of(unit);
	struct sim_device *device = sim_device_of(dev);

	if (!sim_device_known(iommu->m, dev) || device->iommu != iommu)
		return;
	pthread_mutex_lock(&iommu->lock);
	if (device->domain)
		put_domain(iommu, device->domain);
	device->domain = NULL;
	pthread_mutex_unlock(&iommu->lock);
}

static void perform(struct sim_iommu *iommu, const struct request *r)
{
	struct sim_domain *d = find_domain(iommu, r->domain_id);
	dma_addr_t last = r->iova + sim_min(r->len - 1, ~r->iova);

	if (!d || !r->len)
		return;
	if (r->len == ~(uint64_t)0) {
		d->generation = ++iommu->next_generation;
		return;
	}
	sim_iotlb_drop(&iommu->tlb, d->generation, r->iova, last);
	if (!r->leaf_only)
		sim_iotlb_drop(&iommu->tables, d->generation, r->iova, last);
}

static void drain(struct sim_iommu *iommu)
{
	for (unsigned int i = 0; i < iommu->queued; i++)
		perform(iommu, &iommu->queue[i]);
	iommu->queued = 0;
}

static void unit_invalidate(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
			    uint64_t len, bool leaf_only)
{
	struct sim_iommu *iommu = iommu_of(unit);

	pthread_mutex_lock(&iommu->lock);
	if (len == ~(uint64_t)0)
		iommu->stats.flushes++;
	else
		iommu->stats.invalidations++;
	if (iommu->queued == QUEUE)
		drain(iommu);
	iommu->queue[iommu->queued++] = (struct request){ domain_id, iova, len, leaf_only };
	pthread_mutex_unlock(&iommu->lock);
}

static void unit_wait(struct dma_iommu_unit *unit)
{
	struct sim_iommu *iommu = iommu_of(unit);

	pthread_mutex_lock(&iommu->lock);
	iommu->stats.waits++;
	drain(iommu);
	pthread_mutex_unlock(&iommu->lock);
}

/* --- what a device's access does; the lock is held */

static enum sim_fault_reason translate(struct sim_iommu *iommu, const struct sim_domain *domain,
				       dma_addr_t iova, bool write, struct sim_translation *t)
{
	enum sim_fault_reason reason;

	if (!domain)
		return SIM_FAULT_NO_DOMAIN;
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

enum sim_fault_reason sim_iommu_translate(struct sim_device *device, dma_addr_t iova, bool write,
					  uint64_t *len, phys_addr_t *phys)
{
	struct sim_iommu *iommu = device->iommu;
	enum sim_fault_reason reason;
	struct sim_translation t;

	pthread_mutex_lock(&iommu->lock);
	reason = translate(iommu, device->domain, iova, write, &t);
	if (reason != SIM_FAULT_NONE)
		iommu->stats.faults++;
	pthread_mutex_unlock(&iommu->lock);
	if (reason != SIM_FAULT_NONE)
		return reason;
	*len = sim_min(*len, (1ull << t.shift) - (iova - t.iova));
	*phys = t.phys + (iova - t.iova);
	return SIM_FAULT_NONE;
}

/* --- life */

static const struct dma_iommu_unit_ops unit_ops = {
	.size = sizeof(struct dma_iommu_unit_ops),
	.attach = unit_attach,
	.detach = unit_detach,
	.invalidate = unit_invalidate,
	.wait = unit_wait,
};

static bool possible(const struct sim_iommu_config *config)
{
	uint64_t large = 1ull << 21 | 1ull << 30;

	return config && config->size == sizeof(*config) &&
	       (!config->levels || (config->levels >= 3 && config->levels <= 5)) &&
	       (!config->output_bits || (config->output_bits >= 32 && config->output_bits <= 52)) &&
	       !(config->page_sizes & ~(large | SIM_PAGE));
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
	new->unit.ops = &unit_ops;
	new->m = m;
	new->levels = config->levels ? config->levels : 4;
	new->coherent_walk = !config->incoherent_walk;
	new->walk = (struct sim_walk){
		.m = m,
		.device_view = config->incoherent_walk,
		.output_bits = config->output_bits ? config->output_bits : 52,
		.page_sizes = config->page_sizes ? config->page_sizes : 1ull << 21 | 1ull << 30,
		.tables = &new->tables,
	};
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
	return &iommu->unit;
}

void sim_iommu_get_stats(struct sim_iommu *iommu, struct sim_iommu_stats *stats)
{
	pthread_mutex_lock(&iommu->lock);
	*stats = iommu->stats;
	pthread_mutex_unlock(&iommu->lock);
}

int sim_domain_create(struct sim_iommu *iommu, const struct dma_domain_config *config,
		      struct dma_domain **domain)
{
	struct dma_host *host = &iommu->m->host;
	struct dma_pt_config pt = {
		.size = sizeof(pt),
		.format = DMA_PT_VTD_SECOND_STAGE,
		.levels = iommu->levels,
		.output_bits = iommu->walk.output_bits,
		.page_sizes = iommu->walk.page_sizes & ~(uint64_t)SIM_PAGE,
		.coherent_walk = iommu->coherent_walk,
		.unit = &iommu->unit,
	};
	struct dma_backend *backend;
	int err;

	pt.domain_id = __atomic_add_fetch(&iommu->next_id, 1, __ATOMIC_RELAXED);
	err = dmamap_pt_backend_create(host, &pt, &backend);
	if (err)
		return err;
	err = dmamap_domain_create(host, backend, config, domain);
	if (err && backend->ops->destroy)
		backend->ops->destroy(backend);
	return err;
}
