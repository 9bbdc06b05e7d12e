/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists, directly: element by element, never merged; a refusal unmaps what was mapped before it.
 */
#include "base/host.h"
#include "direct.h"

bool dmamap_direct_unmap_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			    enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	bool ok = true;

	for (int i = 0; i < nents && sg; i++, sg = sg_next(sg)) {
		if (sg->dma_flags & DMAMAP_SG_BUS_ADDRESS)
			sg->dma_flags &= ~DMAMAP_SG_BUS_ADDRESS;
		else
			ok = dmamap_direct_unmap(dev, sg->dma_address, sg->dma_length, dir, attrs,
						 why) &&
			     ok;
	}
	return ok;
}

static int map_element(struct dma_device *dev, struct scatterlist *sg, enum dma_data_direction dir,
		       unsigned long attrs, struct dma_error *why)
{
	phys_addr_t phys = sg_phys(sg);
	struct dma_memory memory;

	dmamap_describe(dev_host(dev), phys, sg->length, &memory);
	if (memory.kind == DMA_MEMORY_MMIO)
		return fail_range(why, dev, DMA_REASON_P2P_REFUSED, -DMAMAP_EREMOTEIO, phys,
				  sg->length);
	sg->dma_flags &= ~(DMAMAP_SG_BUS_ADDRESS | DMAMAP_SG_BOUNCED); /* of another life */
	sg->dma_address = dmamap_direct_map_issue(dev, phys, sg->length, dir, attrs, why);
	if (sg->dma_address == DMA_MAPPING_ERROR)
		return -DMAMAP_EIO;
	sg->dma_length = sg->length;
	return 0;
}

int dmamap_direct_map_sg(struct dma_device *dev, struct scatterlist *sgl, int nents,
			 enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	struct dma_error ignored;
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i)
	{
		int err = map_element(dev, sg, dir, attrs, why);

		if (!err)
			continue;
		why->err = err;
		dmamap_direct_unmap_sg(dev, sgl, i, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC, &ignored);
		return err;
	}
	dmamap_direct_map_wait(dev, attrs);
	return nents;
}
