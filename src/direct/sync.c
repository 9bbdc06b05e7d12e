/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handing bytes to and fro inside a live direct mapping (docs/semantics.md, "Sync").
 */
#include "base/host.h"
#include "bounce/pool.h"
#include "direct.h"

static bool to_phys(const struct dma_device *dev, dma_addr_t addr, size_t size, phys_addr_t *phys,
		    struct dma_error *why)
{
	if (dmamap_dev_to_phys(dev, addr, phys))
		return true;
	fail_range(why, dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, addr, size);
	return false;
}

bool dmamap_direct_sync_for_cpu(struct dma_device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	phys_addr_t phys;

	if (!to_phys(dev, addr, size, &phys, why))
		return false;
	if (!d->coherent) {
		dmamap_cache_for_cpu(d->host, phys, size, dir);
		dmamap_cache_cpu_done(d->host);
	}
	if (dmamap_bounce_owns(dev, phys))
		dmamap_bounce_sync_for_cpu(dev, phys, size, dir);
	return true;
}

/** Copy in and clean; the caller flushes. */
static bool sync_one_for_device(struct dma_device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	phys_addr_t phys;

	if (!to_phys(dev, addr, size, &phys, why))
		return false;
	if (dmamap_bounce_owns(dev, phys))
		dmamap_bounce_sync_for_device(dev, phys, size, dir);
	if (!d->coherent)
		dmamap_cache_for_device(d->host, phys, size, dir);
	return true;
}

bool dmamap_direct_sync_for_device(struct dma_device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir, struct dma_error *why)
{
	bool ok = sync_one_for_device(dev, addr, size, dir, why);

	if (!dmamap_dev(dev)->coherent)
		dmamap_cache_flush(dev_host(dev));
	return ok;
}

/** Peers' memory belongs to no cache. */
static bool is_peer(const struct scatterlist *sg)
{
	return (sg->dma_flags & (DMAMAP_SG_BUS_ADDRESS | DMAMAP_SG_PEER)) != 0;
}

/** Invalidate the whole list before the first copy back, so that the host waits once. */
static bool invalidate_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			  enum dma_data_direction dir, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	phys_addr_t phys;
	bool ok = true;

	for (int i = 0; i < nents && sg; i++, sg = sg_next(sg)) {
		if (is_peer(sg))
			continue;
		if (!to_phys(dev, sg->dma_address, sg->length, &phys, why))
			ok = false;
		else if (!d->coherent)
			dmamap_cache_for_cpu(d->host, phys, sg->length, dir);
	}
	if (!d->coherent)
		dmamap_cache_cpu_done(d->host);
	return ok;
}

static bool sync_sg_for_cpu(struct dma_device *dev, struct scatterlist *sg, int nents,
			    enum dma_data_direction dir, struct dma_error *why)
{
	bool ok = invalidate_sg(dev, sg, nents, dir, why);
	phys_addr_t phys;

	for (int i = 0; i < nents && sg; i++, sg = sg_next(sg))
		if (!is_peer(sg) && dmamap_dev_to_phys(dev, sg->dma_address, &phys) &&
		    dmamap_bounce_owns(dev, phys))
			dmamap_bounce_sync_for_cpu(dev, phys, sg->length, dir);
	return ok;
}

static bool sync_sg_for_device(struct dma_device *dev, struct scatterlist *sg, int nents,
			       enum dma_data_direction dir, struct dma_error *why)
{
	bool ok = true;

	for (int i = 0; i < nents && sg; i++, sg = sg_next(sg))
		if (!is_peer(sg))
			ok = sync_one_for_device(dev, sg->dma_address, sg->length, dir, why) && ok;
	if (!dmamap_dev(dev)->coherent)
		dmamap_cache_flush(dev_host(dev));
	return ok;
}

bool dmamap_direct_sync_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			   enum dma_data_direction dir, bool for_cpu, struct dma_error *why)
{
	return for_cpu ? sync_sg_for_cpu(dev, sg, nents, dir, why)
		       : sync_sg_for_device(dev, sg, nents, dir, why);
}

bool dmamap_direct_need_sync(const struct dma_device *dev, dma_addr_t addr)
{
	phys_addr_t phys;

	if (!dmamap_dev(dev)->coherent)
		return true;
	return dmamap_dev_to_phys(dev, addr, &phys) && dmamap_bounce_owns(dev, phys);
}
