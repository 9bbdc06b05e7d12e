/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARM LPAE, stage 2, with granules of 4, 16 and 64 KiB. lpae.h has what does not depend on the stage.
 *
 * Read and write have a bit each, so write-only can be expressed. The memory type stands in the leaf: device for MMIO,
 * write-back for CACHE, else non-cacheable. PRIV has no bit. Where the root would have 16 entries or fewer, up to 16
 * tables of the next level stand one after another in its place.
 *
 * Dirty tracking: a writable leaf has DBM. Hardware that may write it sets the write bit, so a leaf is dirty when that bit
 * is set; a new leaf begins dirty, as in stage 1. (Arm Architecture Reference Manual, "Hardware management of the dirty
 * state".)
 */
#include "lpae.h"

#define S2_DEVICE	 ((uint64_t)1 << 2)
#define S2_NON_CACHEABLE ((uint64_t)5 << 2)
#define S2_WRITE_BACK	 ((uint64_t)15 << 2)
#define S2_TYPE		 ((uint64_t)15 << 2)
#define S2_READ		 ((uint64_t)1 << 6)
#define S2_WRITE	 ((uint64_t)1 << 7)

static inline uint64_t s2_leaf_bits(const struct pt_backend *pt, unsigned int prot)
{
	uint64_t bits = LPAE_AF;

	if (prot & DMA_PROT_READ)
		bits |= S2_READ;
	if (prot & DMA_PROT_WRITE)
		bits |= S2_WRITE | (pt->backend.caps.track_dirty ? LPAE_DBM : 0);
	if (prot & DMA_PROT_MMIO)
		bits |= S2_DEVICE;
	else
		bits |= prot & DMA_PROT_CACHE ? S2_WRITE_BACK : S2_NON_CACHEABLE;
	bits |= prot & DMA_PROT_CACHE ? LPAE_SH_INNER : LPAE_SH_OUTER;
	return bits | (prot & DMA_PROT_NOEXEC ? LPAE_XN : 0);
}

static inline unsigned int s2_leaf_prot(uint64_t entry)
{
	unsigned int prot = entry & S2_READ ? DMA_PROT_READ : 0;

	if (entry & (S2_WRITE | LPAE_DBM))
		prot |= DMA_PROT_WRITE;
	if ((entry & S2_TYPE) == S2_DEVICE)
		prot |= DMA_PROT_MMIO;
	else if ((entry & S2_TYPE) == S2_WRITE_BACK)
		prot |= DMA_PROT_CACHE;
	return prot | (entry & LPAE_XN ? DMA_PROT_NOEXEC : 0);
}

static inline bool s2_is_dirty(uint64_t entry)
{
	return (entry & (LPAE_DBM | S2_WRITE)) == (LPAE_DBM | S2_WRITE);
}

static inline uint64_t s2_clean(uint64_t entry)
{
	return entry & ~S2_WRITE;
}

#define S2_FORMAT(name, bits, sizes)                                                       \
	LPAE_FORMAT(name, bits, sizes, .format = DMA_PT_LPAE_STAGE2, .concatenated = true, \
		    .write_only = true, .track_dirty = true, .leaf_bits = s2_leaf_bits,    \
		    .leaf_prot = s2_leaf_prot, .is_dirty = s2_is_dirty, .clean = s2_clean)

S2_FORMAT(lpae_s2_4k, 12, LPAE_SIZES_12);
S2_FORMAT(lpae_s2_16k, 14, LPAE_SIZES_14);
S2_FORMAT(lpae_s2_64k, 16, LPAE_SIZES_16);
