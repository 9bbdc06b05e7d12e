/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD I/O page tables, version 1: 3 to 6 levels of 512 entries (the sixth has 128 in use); a leaf of every power of two
 * from 4 KiB to 2^51 but 2^39, which hardware has broken. (AMD I/O Virtualization Technology specification, "I/O Page
 * Tables for Host Translations".)
 *
 * Bit 0 is present, 61 and 62 read and write, ANDed on the way down, 60 (FC) forces coherence, 6 is dirty. Bits 11:9 of
 * an entry (NextLevel) are the level of the table below, counted from 1; 0 for a leaf of the entry's own span; 7 for a
 * larger one: then the lowest zero bit from bit 12 on is half of its size, and all of its entries are the same.
 *
 * 0xfee00000 - 0xfeefffff is for interrupts: what devices send there is not translated.
 */
#include "radix.h"

#define AMD_PRESENT	   0x001u
#define AMD_DIRTY	   0x040u
#define AMD_NEXT(n)	   ((uint64_t)(n) << 9)
#define AMD_NEXT_OF(entry) ((entry) >> 9 & 7)
#define AMD_SIZED	   7u
#define AMD_COHERENT	   ((uint64_t)1 << 60)
#define AMD_READ	   ((uint64_t)1 << 61)
#define AMD_WRITE	   ((uint64_t)1 << 62)
#define AMD_ADDR	   0x000ffffffffff000u
/* Every power of two from 8 KiB to 2^51 but 2^39. */
#define AMD_SIZES ((((uint64_t)1 << 52) - ((uint64_t)1 << 13)) & ~((uint64_t)1 << 39))

static inline uint64_t amd_leaf_bits(const struct pt_backend *pt, unsigned int prot)
{
	uint64_t bits = AMD_PRESENT;

	if (prot & DMA_PROT_READ)
		bits |= AMD_READ;
	if (prot & DMA_PROT_WRITE)
		bits |= AMD_WRITE;
	if (pt->force_coherent && !(prot & DMA_PROT_MMIO))
		bits |= AMD_COHERENT;
	return bits;
}

static inline uint64_t amd_leaf(phys_addr_t phys, unsigned int level, unsigned int size)
{
	if (size == 12 + 9 * level)
		return phys;
	return phys | AMD_NEXT(AMD_SIZED) | (pt_mask(size - 1) & AMD_ADDR);
}

static inline uint64_t amd_table(phys_addr_t table, unsigned int level)
{
	return table | AMD_NEXT(level + 1) | AMD_PRESENT | AMD_READ | AMD_WRITE;
}

static inline unsigned int amd_leaf_size(uint64_t entry, unsigned int level)
{
	if (AMD_NEXT_OF(entry) != AMD_SIZED)
		return 12 + 9 * level;
	return low_bit(~(entry | pt_mask(12))) + 1;
}

static inline phys_addr_t amd_leaf_phys(uint64_t entry)
{
	return entry & AMD_ADDR;
}

static inline unsigned int amd_leaf_prot(uint64_t entry)
{
	return (entry & AMD_READ ? DMA_PROT_READ : 0) | (entry & AMD_WRITE ? DMA_PROT_WRITE : 0) |
	       (entry & AMD_COHERENT ? DMA_PROT_CACHE : 0);
}

static inline bool amd_is_dirty(uint64_t entry)
{
	return entry & AMD_DIRTY;
}

static inline uint64_t amd_clean(uint64_t entry)
{
	return entry & ~(uint64_t)AMD_DIRTY;
}

PT_FORMAT_OPS(amd_v1, dmamap_pt_amd_v1);

const struct pt_format dmamap_pt_amd_v1 = {
	.format = DMA_PT_AMD_V1,
	.granule_bits = 12,
	.index_bits = 9,
	.min_levels = 3,
	.max_levels = 6,
	.max_output_bits = 52,
	.page_sizes = AMD_SIZES,
	.sized = true,
	.replicated = true,
	.linear_bits = 64,
	.force_coherent = true,
	.track_dirty = true,
	.write_only = true,
	.hole_first = 0xfee00000,
	.hole_last = 0xfeefffff,
	.leaf_bits = amd_leaf_bits,
	.leaf = amd_leaf,
	.table = amd_table,
	.leaf_size = amd_leaf_size,
	.leaf_phys = amd_leaf_phys,
	.leaf_prot = amd_leaf_prot,
	.is_dirty = amd_is_dirty,
	.clean = amd_clean,
	.ops = &amd_v1,
};
