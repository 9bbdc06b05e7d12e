/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARM LPAE (VMSAv8-64): what both stages and all granules share. lpae_s1.c and lpae_s2.c define the attributes. (Arm
 * Architecture Reference Manual, "VMSAv8-64 translation table format descriptors".)
 *
 * The low two bits are 3 for a table and for a page of the lowest level, 1 for a block above it. Addresses stand where
 * they are; with the granule of 64 KiB bits 51:48 stand in 15:12. The contiguous hint, bit 52, says that a group of
 * entries beside each other, each with its own address, may be cached as one; here it makes one leaf of them.
 */
#ifndef DMAMAP_PAGETABLE_LPAE_H
#define DMAMAP_PAGETABLE_LPAE_H

#include "radix.h"

#define LPAE_BLOCK	1u
#define LPAE_PAGE	3u
#define LPAE_TABLE	3u
#define LPAE_SH_OUTER	((uint64_t)2 << 8)
#define LPAE_SH_INNER	((uint64_t)3 << 8)
#define LPAE_AF		((uint64_t)1 << 10)
#define LPAE_DBM	((uint64_t)1 << 51)
#define LPAE_CONTIGUOUS ((uint64_t)1 << 52)
#define LPAE_XN		((uint64_t)3 << 53)
#define LPAE_ADDR	0x0000fffffffff000u

/** Address bits as an entry of a granule of 2^@granule bytes holds them, and back. */
PT_INLINE uint64_t lpae_address(phys_addr_t phys, unsigned int granule)
{
	return granule == 16 ? (phys & LPAE_ADDR) | (phys >> 48) << 12 : phys;
}

PT_INLINE phys_addr_t lpae_phys(uint64_t entry, unsigned int granule)
{
	if (granule != 16)
		return entry & LPAE_ADDR;
	return (entry & LPAE_ADDR & ~pt_mask(16)) | (entry >> 12 & 15) << 48;
}

/** log2 of the entries of a contiguous group, in a table of the lowest level and above it. */
PT_INLINE unsigned int lpae_group(unsigned int level, unsigned int granule)
{
	switch (granule) {
	case 12:
		return 4;
	case 14:
		return level ? 5 : 7;
	default:
		return 5;
	}
}

PT_INLINE unsigned int lpae_span(unsigned int level, unsigned int granule)
{
	return granule + (granule - 3) * level;
}

PT_INLINE uint64_t lpae_leaf(phys_addr_t phys, unsigned int level, unsigned int size,
			     unsigned int granule)
{
	return lpae_address(phys, granule) | (level ? LPAE_BLOCK : LPAE_PAGE) |
	       (size == lpae_span(level, granule) ? 0 : LPAE_CONTIGUOUS);
}

PT_INLINE unsigned int lpae_leaf_size(uint64_t entry, unsigned int level, unsigned int granule)
{
	return lpae_span(level, granule) +
	       (entry & LPAE_CONTIGUOUS ? lpae_group(level, granule) : 0);
}

/** Sizes that each granule has: blocks, and groups of pages and blocks. */
#define LPAE_SIZES_12                                                                    \
	((uint64_t)1 << 16 | (uint64_t)1 << 21 | (uint64_t)1 << 25 | (uint64_t)1 << 30 | \
	 (uint64_t)1 << 34)
#define LPAE_SIZES_14 ((uint64_t)1 << 21 | (uint64_t)1 << 25 | (uint64_t)1 << 30)
#define LPAE_SIZES_16 \
	((uint64_t)1 << 21 | (uint64_t)1 << 29 | (uint64_t)1 << 34 | (uint64_t)1 << 42)

/**
 * The format of a stage with a granule of 2^@bits bytes, called @name; @word is "4k" and so on, @sizes as above; what
 * more the stage has follows.
 */
#define LPAE_FORMAT(name, bits, sizes, ...)                                                    \
	static inline uint64_t name##_leaf(phys_addr_t phys, unsigned int level,               \
					   unsigned int size)                                  \
	{                                                                                      \
		return lpae_leaf(phys, level, size, bits);                                     \
	}                                                                                      \
	static inline uint64_t name##_table(phys_addr_t table, unsigned int level)             \
	{                                                                                      \
		(void)level;                                                                   \
		return lpae_address(table, bits) | LPAE_TABLE;                                 \
	}                                                                                      \
	static inline unsigned int name##_leaf_size(uint64_t entry, unsigned int level)        \
	{                                                                                      \
		return lpae_leaf_size(entry, level, bits);                                     \
	}                                                                                      \
	static inline phys_addr_t name##_leaf_phys(uint64_t entry)                             \
	{                                                                                      \
		return lpae_phys(entry, bits);                                                 \
	}                                                                                      \
	PT_FORMAT_OPS(name, dmamap_pt_##name);                                                 \
	const struct pt_format dmamap_pt_##name = { .granule_bits = (bits),                    \
						    .index_bits = (bits)-3,                    \
						    .max_output_bits = (bits) == 16 ? 52 : 48, \
						    .page_sizes = (sizes),                     \
						    .by_input_bits = true,                     \
						    .sized = true,                             \
						    .linear_bits = (bits) == 16 ? 48 : 64,     \
						    .leaf = name##_leaf,                       \
						    .table = name##_table,                     \
						    .leaf_size = name##_leaf_size,             \
						    .leaf_phys = name##_leaf_phys,             \
						    .ops = &(name),                            \
						    __VA_ARGS__ }

#endif
