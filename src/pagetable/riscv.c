/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V Sv39, Sv48 and Sv57: 3, 4 or 5 levels of 512 entries; a leaf at every level, and 64 KiB with Svnapot. (RISC-V
 * privileged specification, "Sv39"; RISC-V IOMMU specification, first-stage translation.)
 *
 * An entry is a leaf if it may be read, written or executed, else it points to a table. The address stands two bits
 * lower than in other formats. Leaves are accessed and a user's; what may be written may be read too (write-only is
 * reserved), and begins dirty unless the hardware shall mark what is written. With Svpbmt MMIO is of type I/O and what
 * is not cached of type NC; without it types follow from the address. A Svnapot leaf has bit 63, bit 3 of its page
 * number, and 16 equal entries.
 *
 * Addresses are sign-extended: the lower half is offered.
 */
#include "radix.h"

#define RV_VALID    0x001u
#define RV_READ	    0x002u
#define RV_WRITE    0x004u
#define RV_EXECUTE  0x008u
#define RV_USER	    0x010u
#define RV_ACCESSED 0x040u
#define RV_DIRTY    0x080u
#define RV_NC	    ((uint64_t)1 << 61)
#define RV_IO	    ((uint64_t)1 << 62)
#define RV_NAPOT    ((uint64_t)1 << 63)
#define RV_PPN	    0x003ffffffffffc00u
/* In a leaf of 64 KiB: half of its size, as an address. */
#define RV_NAPOT_HALF 0x8000u
#define RV_SHIFT      2u

static inline uint64_t rv_leaf_bits(const struct pt_backend *pt, unsigned int prot)
{
	uint64_t bits = RV_VALID | RV_READ | RV_USER | RV_ACCESSED;

	if (prot & DMA_PROT_WRITE)
		bits |= RV_WRITE | (pt->backend.caps.track_dirty ? 0 : RV_DIRTY);
	if (!(prot & DMA_PROT_NOEXEC))
		bits |= RV_EXECUTE;
	if (pt->memory_types && prot & DMA_PROT_MMIO)
		bits |= RV_IO;
	else if (pt->memory_types && !(prot & DMA_PROT_CACHE))
		bits |= RV_NC;
	return bits;
}

static inline uint64_t rv_leaf(phys_addr_t phys, unsigned int level, unsigned int size)
{
	(void)level;
	if (size != 16)
		return phys >> RV_SHIFT;
	return (phys | RV_NAPOT_HALF) >> RV_SHIFT | RV_NAPOT;
}

static inline uint64_t rv_table(phys_addr_t table, unsigned int level)
{
	(void)level;
	return table >> RV_SHIFT | RV_VALID;
}

static inline unsigned int rv_leaf_size(uint64_t entry, unsigned int level)
{
	return entry & RV_NAPOT ? 16 : 12 + 9 * level;
}

static inline phys_addr_t rv_leaf_phys(uint64_t entry)
{
	return (entry & RV_PPN) << RV_SHIFT;
}

static inline unsigned int rv_leaf_prot(uint64_t entry)
{
	unsigned int prot = entry & RV_READ ? DMA_PROT_READ : 0;

	if (entry & RV_WRITE)
		prot |= DMA_PROT_WRITE;
	if (!(entry & RV_EXECUTE))
		prot |= DMA_PROT_NOEXEC;
	return prot | (entry & RV_IO ? DMA_PROT_MMIO : 0);
}

static inline bool rv_is_dirty(uint64_t entry)
{
	return entry & RV_DIRTY;
}

static inline uint64_t rv_clean(uint64_t entry)
{
	return entry & ~(uint64_t)RV_DIRTY;
}

PT_FORMAT_OPS(riscv, dmamap_pt_riscv);

const struct pt_format dmamap_pt_riscv = {
	.format = DMA_PT_RISCV,
	.granule_bits = 12,
	.index_bits = 9,
	.min_levels = 3,
	.max_levels = 5,
	.max_output_bits = 52,
	.page_sizes = (uint64_t)1 << 16 | (uint64_t)1 << 21 | (uint64_t)1 << 30 |
		      (uint64_t)1 << 39 | (uint64_t)1 << 48,
	.lower_half = true,
	.sized = true,
	.replicated = true,
	.address_shift = RV_SHIFT,
	.linear_bits = 64,
	.track_dirty = true,
	.memory_types = true,
	.leaf_bits = rv_leaf_bits,
	.leaf = rv_leaf,
	.table = rv_table,
	.leaf_size = rv_leaf_size,
	.leaf_phys = rv_leaf_phys,
	.leaf_prot = rv_leaf_prot,
	.is_dirty = rv_is_dirty,
	.clean = rv_clean,
	.ops = &riscv,
};
