/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The unit: what the library asks of an IOMMU with tables.
 *
 * Invalidations are queued and take effect when the library waits for them (or when the queue is full), so that one
 * who forgets to wait still sees the old translation.
 */
#include "iommu.h"

static struct sim_iommu *iommu_of(struct dma_iommu_unit *unit)
{
	return (struct sim_iommu *)(void *)unit;
}

/** Bits of an address that a table of so many levels translates. */
static unsigned int width_of(const struct sim_iommu *iommu, unsigned int levels)
{
	unsigned int width = sim_level_shift(&iommu->walk, levels + 1);

	if (iommu->walk.format->input_width)
		return iommu->input_bits;
	return width < 64 ? width : 64;
}

/** False if the hardware has no such table: its depth, or where it lies. */
static bool make_table(const struct sim_iommu *iommu, phys_addr_t root, unsigned int levels,
		       struct sim_table *table)
{
	const struct sim_format *format = iommu->walk.format;
	uint64_t align = SIM_BIT(iommu->walk.granule_bits), bytes;

	if (levels < format->min_levels || levels > iommu->levels ||
	    (format->input_width && levels != iommu->levels))
		return false;
	*table = (struct sim_table){ root, levels, width_of(iommu, levels) };
	bytes = SIM_BIT(table->width - sim_level_shift(&iommu->walk, levels)) * sizeof(uint64_t);
	/* Several first tables lie one after another; a small one may begin anywhere. */
	if (format->input_width)
		align = bytes < 64 ? 64 : bytes;
	return root % align == 0 && !(root & sim_beyond(&iommu->walk));
}

static int unit_attach(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int domain_id,
		       phys_addr_t root, unsigned int levels)
{
	struct sim_iommu *iommu = iommu_of(unit);
	struct sim_device *device = sim_device_of(dev);
	struct sim_table table;
	bool joined;

	if (!sim_device_known(iommu->m, dev) || device->iommu != iommu)
		return -DMAMAP_ENODEV;
	if (!make_table(iommu, root, levels, &table))
		return -DMAMAP_EINVAL;
	pthread_mutex_lock(&iommu->lock);
	joined = sim_domain_join(iommu, device, domain_id, &table);
	pthread_mutex_unlock(&iommu->lock);
	return joined ? 0 : -DMAMAP_ENOMEM;
}

static int unit_attach_identity(struct dma_iommu_unit *unit, struct dma_device *dev)
{
	struct sim_iommu *iommu = iommu_of(unit);
	struct sim_device *device = sim_device_of(dev);

	if (!sim_device_known(iommu->m, dev) || device->iommu != iommu)
		return -DMAMAP_ENODEV;
	pthread_mutex_lock(&iommu->lock);
	sim_domain_leave(iommu, device);
	device->identity = true;
	pthread_mutex_unlock(&iommu->lock);
	return 0;
}

static void unit_detach(struct dma_iommu_unit *unit, struct dma_device *dev)
{
	struct sim_iommu *iommu = iommu_of(unit);
	struct sim_device *device = sim_device_of(dev);

	if (!sim_device_known(iommu->m, dev) || device->iommu != iommu)
		return;
	pthread_mutex_lock(&iommu->lock);
	sim_domain_leave(iommu, device);
	pthread_mutex_unlock(&iommu->lock);
}

/* --- invalidation; the lock is held below */

static void perform(struct sim_iommu *iommu, const struct sim_invalidation *r)
{
	struct sim_domain *d = sim_domain_find(iommu, r->domain_id);
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
	if (iommu->queued == SIM_IOMMU_QUEUE)
		drain(iommu);
	iommu->queue[iommu->queued++] =
		(struct sim_invalidation){ domain_id, iova, len, leaf_only };
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

static void unit_get_caps(struct dma_iommu_unit *unit, struct dma_device *dev,
			  struct dma_unit_caps *caps)
{
	const struct sim_iommu *iommu = iommu_of(unit);

	(void)dev;
	*caps = (struct dma_unit_caps){
		.formats = 1u << iommu->format,
		.output_bits = iommu->walk.output_bits,
		.input_bits = iommu->walk.format->input_width
				      ? iommu->input_bits
				      : sim_level_shift(&iommu->walk, iommu->levels + 1),
		.page_sizes = iommu->walk.page_sizes,
		.incoherent_walk = iommu->walk.device_view,
	};
}

const struct dma_iommu_unit_ops sim_unit_ops = {
	.size = sizeof(struct dma_iommu_unit_ops),
	.attach = unit_attach,
	.attach_identity = unit_attach_identity,
	.detach = unit_detach,
	.invalidate = unit_invalidate,
	.wait = unit_wait,
	.get_caps = unit_get_caps,
};
