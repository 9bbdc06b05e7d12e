/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64 page tables, which are Intel VT-d first stage and AMD's v2: 4 or 5 levels of 512 entries; leaves of 4 KiB, 2 MiB
 * and 1 GiB. (VT-d specification, "First-Stage Paging Entries"; AMD64 manual, volume 2, "Page-Translation".)
 *
 * Requests of devices come as a user's: tables and leaves are present, user and accessed. What is present can be read.
 * A leaf that may be written begins dirty, unless the hardware shall mark what is written. Execute-disable is not used:
 * a device does not fetch. A memory type is not chosen either (the PAT entry is 0), so CACHE and MMIO have no bit.
 *
 * Addresses are canonical: the lower half is offered. 0xfee00000 - 0xfeefffff is for interrupts, as in vtd_ss.c.
 */
#include "radix.h"

#define X86_PRESENT  0x001u
#define X86_WRITE    0x002u
#define X86_USER     0x004u
#define X86_ACCESSED 0x020u
#define X86_DIRTY    0x040u
#define X86_LARGE    0x080u
#define X86_ADDR     0x000ffffffffff000u

static inline uint64_t x86_leaf_bits(const struct pt_backend *pt, unsigned int prot)
{
	uint64_t bits = X86_PRESENT | X86_USER | X86_ACCESSED;

	if (prot & DMA_PROT_WRITE)
		bits |= X86_WRITE | (pt->backend.caps.track_dirty ? 0 : X86_DIRTY);
	return bits;
}

static inline uint64_t x86_leaf(phys_addr_t phys, unsigned int level, unsigned int size)
{
	(void)size;
	return phys | (level ? X86_LARGE : 0);
}

static inline uint64_t x86_table(phys_addr_t table, unsigned int level)
{
	(void)level;
	return table | X86_PRESENT | X86_WRITE | X86_USER | X86_ACCESSED;
}

static inline phys_addr_t x86_leaf_phys(uint64_t entry)
{
	return entry & X86_ADDR;
}

static inline unsigned int x86_leaf_prot(uint64_t entry)
{
	return DMA_PROT_READ | (entry & X86_WRITE ? DMA_PROT_WRITE : 0);
}

static inline bool x86_is_dirty(uint64_t entry)
{
	return entry & X86_DIRTY;
}

static inline uint64_t x86_clean(uint64_t entry)
{
	return entry & ~(uint64_t)X86_DIRTY;
}

PT_FORMAT_OPS(vtd_fs, dmamap_pt_vtd_fs);

const struct pt_format dmamap_pt_vtd_fs = {
	.format = DMA_PT_VTD_FIRST_STAGE,
	.granule_bits = 12,
	.index_bits = 9,
	.min_levels = 4,
	.max_levels = 5,
	.max_output_bits = 52,
	.page_sizes = (uint64_t)1 << 21 | (uint64_t)1 << 30,
	.lower_half = true,
	.linear_bits = 64,
	.track_dirty = true,
	.hole_first = 0xfee00000,
	.hole_last = 0xfeefffff,
	.hole_is_target = true,
	.leaf_bits = x86_leaf_bits,
	.leaf = x86_leaf,
	.table = x86_table,
	.leaf_phys = x86_leaf_phys,
	.leaf_prot = x86_leaf_prot,
	.is_dirty = x86_is_dirty,
	.clean = x86_clean,
	.ops = &vtd_fs,
};
