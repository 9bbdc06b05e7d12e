/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARM LPAE, stage 1, with granules of 4, 16 and 64 KiB. lpae.h has what does not depend on the stage.
 *
 * What is there can be read; write-only cannot be expressed and becomes read-write. A leaf is for unprivileged accesses
 * too unless PRIV is asked for. The memory type is an index into DMA_PT_LPAE_MAIR: device for MMIO, write-back for CACHE,
 * else non-cacheable. Leaves are not global, and their access flag is set.
 *
 * Dirty tracking: a writable leaf has DBM. Hardware that may write it clears the read-only bit, so a leaf is dirty when
 * that bit is clear; a new leaf begins dirty.
 */
#include "lpae.h"

#define S1_DEVICE	((uint64_t)2 << 2)
#define S1_WRITE_BACK	((uint64_t)1 << 2)
#define S1_TYPE		((uint64_t)7 << 2)
#define S1_UNPRIVILEGED ((uint64_t)1 << 6)
#define S1_READ_ONLY	((uint64_t)1 << 7)
#define S1_NOT_GLOBAL	((uint64_t)1 << 11)

static inline uint64_t s1_leaf_bits(const struct pt_backend *pt, unsigned int prot)
{
	uint64_t bits = LPAE_AF | S1_NOT_GLOBAL;

	if (!(prot & DMA_PROT_WRITE))
		bits |= S1_READ_ONLY;
	else if (pt->backend.caps.track_dirty)
		bits |= LPAE_DBM;
	if (!(prot & DMA_PROT_PRIV))
		bits |= S1_UNPRIVILEGED;
	if (prot & DMA_PROT_MMIO)
		bits |= S1_DEVICE;
	else if (prot & DMA_PROT_CACHE)
		bits |= S1_WRITE_BACK;
	bits |= prot & DMA_PROT_CACHE ? LPAE_SH_INNER : LPAE_SH_OUTER;
	return bits | (prot & DMA_PROT_NOEXEC ? LPAE_XN : 0);
}

static inline unsigned int s1_leaf_prot(uint64_t entry)
{
	unsigned int prot = DMA_PROT_READ;

	if (!(entry & S1_READ_ONLY) || entry & LPAE_DBM)
		prot |= DMA_PROT_WRITE;
	if (!(entry & S1_UNPRIVILEGED))
		prot |= DMA_PROT_PRIV;
	if ((entry & S1_TYPE) == S1_DEVICE)
		prot |= DMA_PROT_MMIO;
	else if ((entry & S1_TYPE) == S1_WRITE_BACK)
		prot |= DMA_PROT_CACHE;
	return prot | (entry & LPAE_XN ? DMA_PROT_NOEXEC : 0);
}

static inline bool s1_is_dirty(uint64_t entry)
{
	return (entry & (LPAE_DBM | S1_READ_ONLY)) == LPAE_DBM;
}

static inline uint64_t s1_clean(uint64_t entry)
{
	return entry | S1_READ_ONLY;
}

#define S1_FORMAT(name, bits, sizes)                                                               \
	LPAE_FORMAT(name, bits, sizes, .format = DMA_PT_LPAE_STAGE1, .track_dirty = true,          \
		    .leaf_bits = s1_leaf_bits, .leaf_prot = s1_leaf_prot, .is_dirty = s1_is_dirty, \
		    .clean = s1_clean)

S1_FORMAT(lpae_s1_4k, 12, LPAE_SIZES_12);
S1_FORMAT(lpae_s1_16k, 14, LPAE_SIZES_14);
S1_FORMAT(lpae_s1_64k, 16, LPAE_SIZES_16);
