/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel VT-d, second stage: 3, 4 or 5 levels of 512 entries; leaves of 4 KiB, 2 MiB and 1 GiB. (VT-d specification,
 * "Second-Stage Paging Entries".)
 *
 * An entry is present if it may be read or written; permissions are ANDed on the way down, so tables carry both. Bit 7
 * marks a leaf above the lowest level. Bit 11 (SNP) makes the access snoop; it is set only where the owner of the unit
 * says that the unit has it, and only for RAM. Hardware sets bits 8 (accessed) and 9 (dirty) where it is told to.
 * Execute and memory type are not used.
 *
 * What a device sends to 0xfee00000 - 0xfeefffff is an interrupt, never a memory access: no leaf may lead there, so a
 * piece that overlaps it is refused (-ERANGE).
 */
#include "radix.h"

#define VTD_READ  0x001u
#define VTD_WRITE 0x002u
#define VTD_LARGE 0x080u
#define VTD_DIRTY 0x200u
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

static inline uint64_t vtd_leaf(phys_addr_t phys, unsigned int level, unsigned int size)
{
	(void)size;
	return phys | (level ? VTD_LARGE : 0);
}

static inline uint64_t vtd_table(phys_addr_t table, unsigned int level)
{
	(void)level;
	return table | VTD_READ | VTD_WRITE;
}

static inline phys_addr_t vtd_leaf_phys(uint64_t entry)
{
	return entry & VTD_ADDR;
}

static inline unsigned int vtd_leaf_prot(uint64_t entry)
{
	return (entry & VTD_READ ? DMA_PROT_READ : 0) | (entry & VTD_WRITE ? DMA_PROT_WRITE : 0) |
	       (entry & VTD_SNOOP ? DMA_PROT_CACHE : 0);
}

static inline bool vtd_is_dirty(uint64_t entry)
{
	return entry & VTD_DIRTY;
}

static inline uint64_t vtd_clean(uint64_t entry)
{
	return entry & ~(uint64_t)VTD_DIRTY;
}

PT_FORMAT_OPS(vtd_ss, dmamap_pt_vtd_ss);

const struct pt_format dmamap_pt_vtd_ss = {
	.format = DMA_PT_VTD_SECOND_STAGE,
	.granule_bits = 12,
	.index_bits = 9,
	.min_levels = 3,
	.max_levels = 5,
	.max_output_bits = 52,
	.page_sizes = (uint64_t)1 << 21 | (uint64_t)1 << 30,
	.linear_bits = 64,
	.force_coherent = true,
	.track_dirty = true,
	.write_only = true,
	.hole_first = 0xfee00000,
	.hole_last = 0xfeefffff,
	.hole_is_target = true,
	.leaf_bits = vtd_leaf_bits,
	.leaf = vtd_leaf,
	.table = vtd_table,
	.leaf_phys = vtd_leaf_phys,
	.leaf_prot = vtd_leaf_prot,
	.is_dirty = vtd_is_dirty,
	.clean = vtd_clean,
	.ops = &vtd_ss,
};
