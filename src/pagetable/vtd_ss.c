/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel VT-d, second stage: 3, 4 or 5 levels of 512 entries; leaves of 4 KiB, 2 MiB and 1 GiB.
 *
 * An entry is present if it may be read or written; permissions are ANDed on the way down, so tables carry both. Bit 7
 * marks a leaf above the lowest level. Bit 11 (SNP) makes the access snoop; it is set only where the owner of the unit
 * says that the unit has it, and only for RAM. Execute, memory type and the accessed and dirty bits are not used.
 *
 * What a device sends to 0xfee00000 - 0xfeefffff is an interrupt, never a memory access: no leaf may lead there, so a
 * piece that overlaps it is refused (-ERANGE).
 */
#include "leaf.h"

#define VTD_READ  0x001u
#define VTD_WRITE 0x002u
#define VTD_LARGE 0x080u
#define VTD_SNOOP 0x800u
#define VTD_ADDR  0x000ffffffffff000u

static inline uint64_t vtd_leaf_bits(const struct pt_backend *pt, unsigned int prot)
{
	uint64_t bits = 0;

	if (prot & DMA_PROT_READ)
		bits |= VTD_READ;
	if (prot & DMA_PROT_WRITE)
		bits |= VTD_WRITE;
	if (pt->force_coherent && !(prot & DMA_PROT_MMIO))
		bits |= VTD_SNOOP;
	return bits;
}

static inline uint64_t vtd_size_bits(unsigned int level)
{
	return level ? VTD_LARGE : 0;
}

static inline uint64_t vtd_table_entry(phys_addr_t table)
{
	return table | VTD_READ | VTD_WRITE;
}

static inline phys_addr_t vtd_leaf_phys(uint64_t entry, unsigned int level)
{
	(void)level;
	return entry & VTD_ADDR;
}

static const struct pt_format vtd_format = {
	.leaf_bits = vtd_leaf_bits,
	.size_bits = vtd_size_bits,
	.table_entry = vtd_table_entry,
	.leaf_phys = vtd_leaf_phys,
};

static int vtd_map(struct dma_backend *backend, dma_addr_t iova, const struct dma_vec *vec,
		   size_t n, unsigned int prot)
{
	return pt_map_vec(backend, &vtd_format, iova, vec, n, prot);
}

static uint64_t vtd_unmap(struct dma_backend *backend, dma_addr_t iova, uint64_t len)
{
	return pt_unmap(backend, iova, len);
}

static int vtd_iova_to_phys(struct dma_backend *backend, dma_addr_t iova, phys_addr_t *phys)
{
	return pt_iova_to_phys(backend, &vtd_format, iova, phys);
}

static int vtd_pin(struct dma_backend *backend, dma_addr_t iova, struct dma_leaf_block *block)
{
	return pt_pin(backend, &vtd_format, iova, block);
}

static void vtd_unpin(struct dma_backend *backend, dma_addr_t iova)
{
	pt_unpin(backend, iova);
}

static uint64_t vtd_block_bits(struct dma_backend *backend, unsigned int prot)
{
	return vtd_leaf_bits(pt_of(backend), prot);
}

static const struct dma_backend_ops vtd_ops = {
	.size = sizeof(struct dma_backend_ops),
	.map = vtd_map,
	.unmap = vtd_unmap,
	.prune = dmamap_pt_prune,
	.sync_map = dmamap_pt_sync_map,
	.invalidate = dmamap_pt_invalidate,
	.wait = dmamap_pt_wait,
	.release = dmamap_pt_release,
	.iova_to_phys = vtd_iova_to_phys,
	.pin = vtd_pin,
	.unpin = vtd_unpin,
	.leaf_bits = vtd_block_bits,
	.attach = dmamap_pt_attach,
	.detach = dmamap_pt_detach,
	.table_bytes = dmamap_pt_table_bytes,
	.destroy = dmamap_pt_destroy,
};

const struct pt_format_desc dmamap_pt_vtd_second_stage = {
	.format = DMA_PT_VTD_SECOND_STAGE,
	.min_levels = 3,
	.max_levels = 5,
	.page_sizes = (uint64_t)1 << 12 | (uint64_t)1 << 21 | (uint64_t)1 << 30,
	.hole_first = 0xfee00000,
	.hole_last = 0xfeefffff,
	.ops = &vtd_ops,
};
