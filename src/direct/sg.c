/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists, directly: element by element, never merged; a refusal unmaps what was mapped before it. Peers' memory has the
 * peer's bus address, or is mapped as MMIO.
 */
#include "base/host.h"
#include "direct.h"
#include "p2p/p2p.h"

bool dmamap_direct_unmap_sg(struct dma_device *dev, struct scatterlist *sg, int nents,
			    enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	bool ok = true;

	for (int i = 0; i < nents && sg; i++, sg = sg_next(sg)) {
		unsigned long mmio = sg->dma_flags & DMAMAP_SG_PEER_MMIO ? DMA_ATTR_MMIO : 0;

		if (!(sg->dma_flags & DMAMAP_SG_BUS_ADDRESS))
			ok = dmamap_direct_unmap(dev, sg->dma_address, sg->dma_length, dir,
						 attrs | mmio, why) &&
			     ok;
		sg->dma_flags &= ~DMAMAP_SG_MARKS; /* of another life */
	}
	return ok;
}

static int map_element(struct dma_device *dev, struct scatterlist *sg, enum dma_data_direction dir,
		       unsigned long attrs, struct dma_p2p_state *p2p, struct dma_error *why)
{
	phys_addr_t phys = sg_phys(sg);
	enum dma_p2p_type type =
		dmamap_p2p_element(p2p, dev, phys, sg->length, &sg->dma_address, why);

	sg->dma_flags &= ~DMAMAP_SG_MARKS; /* of another life */
	if (type == DMA_P2P_NOT_SUPPORTED)
		return -DMAMAP_EREMOTEIO;
	sg->dma_length = sg->length;
	if (type == DMA_P2P_BUS_ADDR) {
		sg->dma_flags |= DMAMAP_SG_BUS_ADDRESS | DMAMAP_SG_PEER_BUS;
		return 0;
	}
	sg->dma_address = dmamap_direct_map_issue(dev, phys, sg->length, dir,
						  dmamap_p2p_attrs(type, attrs), why);
	if (sg->dma_address == DMA_MAPPING_ERROR)
		return -DMAMAP_EIO;
	if (type == DMA_P2P_THRU_HOST_BRIDGE)
		sg->dma_flags |= DMAMAP_SG_PEER_MMIO;
	return 0;
}

int dmamap_direct_map_sg(struct dma_device *dev, struct scatterlist *sgl, int nents,
			 enum dma_data_direction dir, unsigned long attrs, struct dma_error *why)
{
	struct dma_p2p_state p2p = { 0 };
	struct dma_error ignored;
	struct scatterlist *sg;
	bool ram = false;
	int i;

	for_each_sg(sgl, sg, nents, i)
	{
		int err = map_element(dev, sg, dir, attrs, &p2p, why);

		ram |= !(sg->dma_flags & DMAMAP_SG_PEER);
		if (!err)
			continue;
		why->err = err;
		dmamap_direct_unmap_sg(dev, sgl, i, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC, &ignored);
		return err;
	}
	if (ram)
		dmamap_direct_map_wait(dev, attrs);
	return nents;
}
