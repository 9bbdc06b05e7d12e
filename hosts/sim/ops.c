/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Method tables like those of platforms with DMA code of their own: an address is the physical one plus the offset of
 * the translator in front of the device. Devices that do not snoop get their cache maintenance here, through the host's
 * hooks, as such code does it: for RAM, unless SKIP_CPU_SYNC. Masks are not checked. Only for devices that
 * sim_device_create() made.
 */
#include "machine.h"

#include <string.h>

static struct sim_device *called(struct dma_device *dev, const char *method)
{
	struct sim_device *device = sim_device_of(dev);

	device->method = method;
	return device;
}

/* --- cache maintenance */

static void clean(const struct sim_device *device, phys_addr_t phys, uint64_t size,
		  enum dma_data_direction dir)
{
	struct dma_host *host = &device->m->host;

	if (!dmamap_device_is_coherent(&device->dma) && host->cache_for_device)
		host->cache_for_device(host, phys, size, dir);
}

static void invalidate(const struct sim_device *device, phys_addr_t phys, uint64_t size,
		       enum dma_data_direction dir)
{
	struct dma_host *host = &device->m->host;

	if (!dmamap_device_is_coherent(&device->dma) && host->cache_for_cpu)
		host->cache_for_cpu(host, phys, size, dir);
}

/** After the last line of a call. */
static void finish(const struct sim_device *device, bool for_cpu)
{
	struct dma_host *host = &device->m->host;

	if (dmamap_device_is_coherent(&device->dma))
		return;
	if (host->cache_flush)
		host->cache_flush(host);
	if (for_cpu && host->cache_for_cpu_all)
		host->cache_for_cpu_all(host);
}

static bool has_lines(unsigned long attrs)
{
	return !(attrs & (DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_MMIO));
}

/* --- single mappings */

static dma_addr_t map_range(const struct sim_device *device, phys_addr_t phys, size_t size,
			    enum dma_data_direction dir, unsigned long attrs)
{
	if (has_lines(attrs)) {
		clean(device, phys, size, dir);
		finish(device, false);
	}
	return phys + device->offset;
}

static void unmap_range(const struct sim_device *device, dma_addr_t addr, size_t size,
			enum dma_data_direction dir, unsigned long attrs)
{
	if (!has_lines(attrs))
		return;
	invalidate(device, addr - device->offset, size, dir);
	finish(device, true);
}

static dma_addr_t op_map_phys(struct dma_device *dev, phys_addr_t phys, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	return map_range(called(dev, "map_phys"), phys, size, dir, attrs);
}

static void op_unmap_phys(struct dma_device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	unmap_range(called(dev, "unmap_phys"), addr, size, dir, attrs);
}

static dma_addr_t op_map_page(struct dma_device *dev, struct page *page, unsigned long offset,
			      size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	return map_range(called(dev, "map_page"), dmamap_page_to_phys(page) + offset, size, dir,
			 attrs);
}

static void op_unmap_page(struct dma_device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	unmap_range(called(dev, "unmap_page"), addr, size, dir, attrs);
}

static dma_addr_t op_map_resource(struct dma_device *dev, phys_addr_t phys, size_t size,
				  enum dma_data_direction dir, unsigned long attrs)
{
	return map_range(called(dev, "map_resource"), phys, size, dir, attrs | DMA_ATTR_MMIO);
}

static void op_unmap_resource(struct dma_device *dev, dma_addr_t addr, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	unmap_range(called(dev, "unmap_resource"), addr, size, dir, attrs | DMA_ATTR_MMIO);
}

/* --- lists */

static int op_map_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
		     enum dma_data_direction dir, unsigned long attrs)
{
	const struct sim_device *device = called(dev, "map_sg");

	for (int i = 0; i < nents && sg; i++, sg = sg_next(sg)) {
		if (has_lines(attrs))
			clean(device, sg_phys(sg), sg->length, dir);
		sg->dma_address = sg_phys(sg) + device->offset;
		sg->dma_length = sg->length;
	}
	if (has_lines(attrs))
		finish(device, false);
	return nents;
}

static void invalidate_list(const struct sim_device *device, struct scatterlist *sg, int nents,
			    enum dma_data_direction dir)
{
	for (int i = 0; i < nents && sg; i++, sg = sg_next(sg))
		invalidate(device, sg->dma_address - device->offset, sg->length, dir);
	finish(device, true);
}

static void op_unmap_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			enum dma_data_direction dir, unsigned long attrs)
{
	const struct sim_device *device = called(dev, "unmap_sg");

	if (has_lines(attrs))
		invalidate_list(device, sg, nents, dir);
}

/* --- sync */

static void op_sync_single_for_cpu(struct dma_device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir)
{
	unmap_range(called(dev, "sync_single_for_cpu"), addr, size, dir, 0);
}

static void op_sync_single_for_device(struct dma_device *dev, dma_addr_t addr, size_t size,
				      enum dma_data_direction dir)
{
	const struct sim_device *device = called(dev, "sync_single_for_device");

	clean(device, addr - device->offset, size, dir);
	finish(device, false);
}

static void op_sync_sg_for_cpu(struct dma_device *dev, struct scatterlist *sg, int nents,
			       enum dma_data_direction dir)
{
	invalidate_list(called(dev, "sync_sg_for_cpu"), sg, nents, dir);
}

static void op_sync_sg_for_device(struct dma_device *dev, struct scatterlist *sg, int nents,
				  enum dma_data_direction dir)
{
	const struct sim_device *device = called(dev, "sync_sg_for_device");

	for (int i = 0; i < nents && sg; i++, sg = sg_next(sg))
		clean(device, sg->dma_address - device->offset, sg->length, dir);
	finish(device, false);
}

/* --- coherent memory: pages, through the uncached alias where the device does not snoop */

static phys_addr_t take_pages(const struct sim_device *device, uint64_t size, gfp_t gfp)
{
	uint64_t mask = dmamap_get_coherent_mask(&device->dma);
	struct dma_host *host = &device->m->host;
	struct dma_page_request request = {
		.size = size,
		.align = 1ull << (sim_high_bit(size - 1) + 1),
		.ceiling = (mask ? mask : ~(uint64_t)0) - device->offset,
		.node = -1,
		.gfp = gfp,
	};

	if (mask && mask < device->offset)
		return DMAMAP_PHYS_NONE;
	return host->alloc_pages(host, &request);
}

static void *op_alloc(struct dma_device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
		      unsigned long attrs)
{
	const struct sim_device *device = called(dev, "alloc");
	struct dma_host *host = &device->m->host;
	uint64_t bytes = sim_round_up(size, host->page_size);
	phys_addr_t phys;
	void *ptr;

	(void)attrs;
	if (!bytes || bytes >> 62)
		return NULL;
	phys = take_pages(device, bytes, gfp);
	if (phys == DMAMAP_PHYS_NONE)
		return NULL;
	if (dmamap_device_is_coherent(dev)) {
		ptr = host->phys_to_virt(host, phys);
	} else {
		host->cache_prepare_coherent(host, phys, bytes);
		ptr = host->map_uncached(host, phys, bytes);
	}
	memset(ptr, 0, bytes);
	*handle = phys + device->offset;
	return ptr;
}

static void op_free(struct dma_device *dev, size_t size, void *cpu_addr, dma_addr_t handle,
		    unsigned long attrs)
{
	const struct sim_device *device = called(dev, "free");
	struct dma_host *host = &device->m->host;
	uint64_t bytes = sim_round_up(size, host->page_size);
	phys_addr_t phys = handle - device->offset;

	(void)attrs;
	if (!dmamap_device_is_coherent(dev))
		host->unmap_uncached(host, cpu_addr, phys, bytes);
	host->free_pages(host, phys, bytes);
}

/* --- queries */

static int op_dma_supported(struct dma_device *dev, uint64_t mask)
{
	const struct sim_device *device = called(dev, "dma_supported");

	return mask >= device->offset;
}

static uint64_t op_get_required_mask(struct dma_device *dev)
{
	const struct sim_device *device = called(dev, "get_required_mask");
	const struct sim_machine *m = device->m;
	uint64_t last = device->offset;

	for (unsigned int i = 0; i < m->nr_regions; i++)
		if (m->regions[i].ram)
			last = m->regions[i].base + m->regions[i].size - 1 + device->offset;
	return last ? DMA_BIT_MASK(sim_high_bit(last) + 1) : 1;
}

static size_t op_max_mapping_size(struct dma_device *dev)
{
	called(dev, "max_mapping_size");
	return SIZE_MAX;
}

static size_t op_opt_mapping_size(void)
{
	return SIZE_MAX;
}

static unsigned long op_get_merge_boundary(struct dma_device *dev)
{
	called(dev, "get_merge_boundary");
	return 0;
}

/* --- the tables */

#define COMMON_METHODS                                                                      \
	.size = sizeof(struct dma_map_ops), .map_sg = op_map_sg, .unmap_sg = op_unmap_sg,   \
	.sync_single_for_cpu = op_sync_single_for_cpu,                                      \
	.sync_single_for_device = op_sync_single_for_device,                                \
	.sync_sg_for_cpu = op_sync_sg_for_cpu, .sync_sg_for_device = op_sync_sg_for_device, \
	.alloc = op_alloc, .free = op_free

#define PHYS_METHODS	 .map_phys = op_map_phys, .unmap_phys = op_unmap_phys
#define PAGE_METHODS	 .map_page = op_map_page, .unmap_page = op_unmap_page
#define RESOURCE_METHODS .map_resource = op_map_resource, .unmap_resource = op_unmap_resource

static const struct dma_map_ops tables[] = {
	[SIM_OPS_PHYS] = { COMMON_METHODS, PHYS_METHODS },
	[SIM_OPS_PAGE] = { COMMON_METHODS, PAGE_METHODS, RESOURCE_METHODS },
	[SIM_OPS_PAGE_ONLY] = { COMMON_METHODS, PAGE_METHODS },
	[SIM_OPS_ALL] = { COMMON_METHODS, PHYS_METHODS, PAGE_METHODS, RESOURCE_METHODS,
			  .dma_supported = op_dma_supported,
			  .get_required_mask = op_get_required_mask,
			  .max_mapping_size = op_max_mapping_size,
			  .opt_mapping_size = op_opt_mapping_size,
			  .get_merge_boundary = op_get_merge_boundary },
};

const struct dma_map_ops *sim_ops(enum sim_ops_kind kind)
{
	return (unsigned int)kind < sizeof(tables) / sizeof(tables[0]) ? &tables[kind] : NULL;
}
