/* SPDX-License-Identifier: BSD-2-Clause */
/* Platforms of the recording host: a method table with any set of members, and arch-direct predicates. */
#include "fixture.h"

static struct fx *fx_of_dev(struct dma_device *dev)
{
	return dma_device_host(dev)->priv;
}

/* --- the method table */

static struct fx_entry *method(struct dma_device *dev, const char *what, uint64_t addr,
			       uint64_t size, enum dma_data_direction dir, unsigned long attrs)
{
	struct fx_entry *entry = fx_log(fx_of_dev(dev), what);

	entry->dev = dev;
	entry->addr = addr;
	entry->size = size;
	entry->dir = (int)dir;
	entry->attrs = attrs;
	return entry;
}

static dma_addr_t answer(struct dma_device *dev, phys_addr_t phys)
{
	return fx_of_dev(dev)->ops_fail ? E : phys + FX_OPS_OFFSET;
}

static dma_addr_t op_map_phys(struct dma_device *dev, phys_addr_t phys, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	method(dev, "M:map_phys", phys, size, dir, attrs);
	return answer(dev, phys);
}

static void op_unmap_phys(struct dma_device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	method(dev, "M:unmap_phys", addr, size, dir, attrs);
}

static dma_addr_t op_map_page(struct dma_device *dev, struct page *page, unsigned long offset,
			      size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	method(dev, "M:map_page", dmamap_page_to_phys(page), size, dir, attrs)->extra = offset;
	return answer(dev, dmamap_page_to_phys(page) + offset);
}

static void op_unmap_page(struct dma_device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	method(dev, "M:unmap_page", addr, size, dir, attrs);
}

static dma_addr_t op_map_resource(struct dma_device *dev, phys_addr_t phys, size_t size,
				  enum dma_data_direction dir, unsigned long attrs)
{
	method(dev, "M:map_resource", phys, size, dir, attrs);
	return answer(dev, phys);
}

static void op_unmap_resource(struct dma_device *dev, dma_addr_t addr, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	method(dev, "M:unmap_resource", addr, size, dir, attrs);
}

static int op_map_sg(struct dma_device *dev, struct scatterlist *sgl, int nents,
		     enum dma_data_direction dir, unsigned long attrs)
{
	struct fx *fx = fx_of_dev(dev);
	struct scatterlist *sg;
	int i;

	method(dev, "M:map_sg", 0, (uint64_t)nents, dir, attrs);
	for_each_sg(sgl, sg, nents, i)
	{
		sg->dma_address = sg_phys(sg) + FX_OPS_OFFSET;
		sg->dma_length = sg->length;
	}
	return fx->ops_sg_result == 0x7fffffff ? nents : fx->ops_sg_result;
}

static void op_unmap_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			enum dma_data_direction dir, unsigned long attrs)
{
	(void)sg;
	method(dev, "M:unmap_sg", 0, (uint64_t)nents, dir, attrs);
}

static void op_sync_cpu(struct dma_device *dev, dma_addr_t addr, size_t size,
			enum dma_data_direction dir)
{
	method(dev, "M:sync_cpu", addr, size, dir, 0);
}

static void op_sync_device(struct dma_device *dev, dma_addr_t addr, size_t size,
			   enum dma_data_direction dir)
{
	method(dev, "M:sync_device", addr, size, dir, 0);
}

static void op_sync_sg_cpu(struct dma_device *dev, struct scatterlist *sg, int nents,
			   enum dma_data_direction dir)
{
	(void)sg;
	method(dev, "M:sync_sg_cpu", 0, (uint64_t)nents, dir, 0);
}

static void op_sync_sg_device(struct dma_device *dev, struct scatterlist *sg, int nents,
			      enum dma_data_direction dir)
{
	(void)sg;
	method(dev, "M:sync_sg_device", 0, (uint64_t)nents, dir, 0);
}

static uint64_t whole_pages(size_t size)
{
	return (size + 4095) & ~(uint64_t)4095;
}

static void *op_alloc(struct dma_device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
		      unsigned long attrs)
{
	const struct dma_page_request request = { whole_pages(size), 4096, ~(uint64_t)0, -1, gfp };
	struct fx *fx = fx_of_dev(dev);
	phys_addr_t phys;

	method(dev, "M:alloc", 0, size, BIDI, attrs)->extra = gfp;
	if (fx->ops_alloc_fail)
		return NULL;
	phys = fx_take_pages(fx, &request);
	assert_true(phys != DMAMAP_PHYS_NONE);
	*handle = phys + FX_OPS_OFFSET;
	memset(fx_ram(fx, phys), 0, request.size);
	return fx_ram(fx, phys);
}

static void op_free(struct dma_device *dev, size_t size, void *cpu_addr, dma_addr_t handle,
		    unsigned long attrs)
{
	(void)cpu_addr;
	method(dev, "M:free", handle, size, BIDI, attrs);
	fx_give_pages(fx_of_dev(dev), handle - FX_OPS_OFFSET, whole_pages(size));
}

static int op_supported(struct dma_device *dev, uint64_t mask)
{
	method(dev, "M:dma_supported", mask, 0, BIDI, 0);
	return fx_of_dev(dev)->ops_supported;
}

static uint64_t op_required(struct dma_device *dev)
{
	method(dev, "M:get_required_mask", 0, 0, BIDI, 0);
	return DMA_BIT_MASK(40);
}

static size_t op_max_size(struct dma_device *dev)
{
	method(dev, "M:max_mapping_size", 0, 0, BIDI, 0);
	return MIB(3);
}

static size_t op_opt_size(void)
{
	return MIB(1);
}

static unsigned long op_merge(struct dma_device *dev)
{
	method(dev, "M:get_merge_boundary", 0, 0, BIDI, 0);
	return 8191;
}

static const struct dma_map_ops every_member = {
	.size = sizeof(every_member),
	.map_phys = op_map_phys,
	.unmap_phys = op_unmap_phys,
	.map_page = op_map_page,
	.unmap_page = op_unmap_page,
	.map_resource = op_map_resource,
	.unmap_resource = op_unmap_resource,
	.map_sg = op_map_sg,
	.unmap_sg = op_unmap_sg,
	.sync_single_for_cpu = op_sync_cpu,
	.sync_single_for_device = op_sync_device,
	.sync_sg_for_cpu = op_sync_sg_cpu,
	.sync_sg_for_device = op_sync_sg_device,
	.alloc = op_alloc,
	.free = op_free,
	.dma_supported = op_supported,
	.get_required_mask = op_required,
	.max_mapping_size = op_max_size,
	.opt_mapping_size = op_opt_size,
	.get_merge_boundary = op_merge,
};

const struct dma_map_ops *fx_table(struct fx *fx, unsigned int methods)
{
	struct dma_map_ops *ops = &fx->ops;

	*ops = (struct dma_map_ops){ .size = sizeof(*ops) };
#define MEMBER(bit, member)  \
	if (methods & (bit)) \
	ops->member = every_member.member
	MEMBER(FX_MAP_PHYS, map_phys);
	MEMBER(FX_UNMAP_PHYS, unmap_phys);
	MEMBER(FX_MAP_PAGE, map_page);
	MEMBER(FX_UNMAP_PAGE, unmap_page);
	MEMBER(FX_MAP_RESOURCE, map_resource);
	MEMBER(FX_UNMAP_RESOURCE, unmap_resource);
	MEMBER(FX_MAP_SG, map_sg);
	MEMBER(FX_UNMAP_SG, unmap_sg);
	MEMBER(FX_SYNC_CPU, sync_single_for_cpu);
	MEMBER(FX_SYNC_DEVICE, sync_single_for_device);
	MEMBER(FX_SYNC_SG_CPU, sync_sg_for_cpu);
	MEMBER(FX_SYNC_SG_DEVICE, sync_sg_for_device);
	MEMBER(FX_ALLOC, alloc);
	MEMBER(FX_FREE, free);
	MEMBER(FX_SUPPORTED, dma_supported);
	MEMBER(FX_REQUIRED, get_required_mask);
	MEMBER(FX_MAX_SIZE, max_mapping_size);
	MEMBER(FX_OPT_SIZE, opt_mapping_size);
	MEMBER(FX_MERGE, get_merge_boundary);
#undef MEMBER
	return ops;
}

struct dma_device *fx_ops_device(struct fx *fx, unsigned int methods)
{
	struct dma_device *dev = fx_device(fx);

	assert_int_equal(dma_device_set_ops(dev, fx_table(fx, methods)), 0);
	assert_int_equal(dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	fx_clear(fx);
	return dev;
}

/* --- arch-direct */

static struct fx_entry *asked(struct dma_host *host, struct dma_device *dev, const char *what,
			      uint64_t end)
{
	struct fx_entry *entry = fx_log(host->priv, what);

	entry->dev = dev;
	entry->addr = end;
	return entry;
}

static uint64_t ppc_limit(const struct dma_device *dev)
{
	const uint64_t *limit = dma_device_data(dev);

	return limit ? *limit : 0;
}

static bool arch_map(struct dma_host *host, struct dma_device *dev, phys_addr_t end)
{
	struct fx *fx = host->priv;

	asked(host, dev, "A:map", end);
	if (!fx->arch_ppc)
		return fx->arch_answer;
	return ppc_limit(dev) && ppc_limit(dev) >= end + fx->arch_offset;
}

static bool arch_unmap(struct dma_host *host, struct dma_device *dev, dma_addr_t end)
{
	struct fx *fx = host->priv;

	asked(host, dev, "A:unmap", end);
	if (!fx->arch_ppc)
		return fx->arch_answer;
	return ppc_limit(dev) && end >= fx->arch_offset;
}

static bool arch_map_sg(struct dma_host *host, struct dma_device *dev, struct scatterlist *sgl,
			int nents)
{
	struct fx *fx = host->priv;
	struct scatterlist *sg;
	int i;

	asked(host, dev, "A:map_sg", 0)->size = (uint64_t)nents;
	if (!fx->arch_ppc)
		return fx->arch_answer;
	/* The platform's own predicate counts an element's offset twice; that is its right. */
	for_each_sg(sgl, sg, nents, i)
	{
		uint64_t end = sg_phys(sg) + sg->offset + sg->length + fx->arch_offset;

		if (!ppc_limit(dev) || ppc_limit(dev) < end)
			return false;
	}
	return true;
}

static bool arch_unmap_sg(struct dma_host *host, struct dma_device *dev, struct scatterlist *sgl,
			  int nents)
{
	struct fx *fx = host->priv;
	struct scatterlist *sg;
	int i;

	asked(host, dev, "A:unmap_sg", 0)->size = (uint64_t)nents;
	if (!fx->arch_ppc)
		return fx->arch_answer;
	for_each_sg(sgl, sg, nents, i)
	{
		if (!ppc_limit(dev) || sg->dma_address + sg->length < fx->arch_offset)
			return false;
	}
	return true;
}

void fx_fill_arch(struct dma_host *host)
{
	host->arch_map_direct = arch_map;
	host->arch_unmap_direct = arch_unmap;
	host->arch_map_sg_direct = arch_map_sg;
	host->arch_unmap_sg_direct = arch_unmap_sg;
}
