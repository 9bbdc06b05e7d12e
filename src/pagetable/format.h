/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a format is: the shape of its tables, what a configuration may ask of it, and how its entries are coded.
 *
 * Each format's file defines one constant of this type and includes radix.h, which writes the walks with it: all of it
 * is inlined there and folds away. backend.c and table.c read the shape only.
 *
 * Words: levels count from 0, the lowest, up to the root. The size of a leaf is given as its log2. A leaf of 2^size bytes
 * stands in a table of level (size - granule_bits) / index_bits; it has 2^(size - shift of the level) entries there,
 * which are entered and cleared together. An entry of 0 is not present, and nothing else is.
 */
#ifndef DMAMAP_PAGETABLE_FORMAT_H
#define DMAMAP_PAGETABLE_FORMAT_H

#include <dmamap/pagetable.h>

#include "base/bits.h"

struct pt_backend;

#define PT_MAX_LEVELS 6u

struct pt_format {
	enum dma_pt_format format;
	/* --- the shape */
	unsigned int granule_bits; /* log2 of the smallest page, and of the size of a table */
	unsigned int index_bits;   /* log2 of the entries of a table */
	unsigned int min_levels;
	unsigned int max_levels;
	unsigned int max_output_bits;
	uint64_t page_sizes;
	/** Levels follow from the bits of an I/O address; the root may be smaller than a table. */
	bool by_input_bits;
	/** A root of up to 16 tables, one after another. */
	bool concatenated;
	/** Hardware sign-extends addresses: only the lower half is offered. */
	bool lower_half;
	/** There are leaves of several entries. */
	bool sized;
	/** They repeat one entry; otherwise each has its own address. */
	bool replicated;
	/** Entries hold addresses shifted right by so many bits. */
	unsigned int address_shift;
	/** The coding of addresses is linear within aligned blocks of so many bits; 64: everywhere. */
	unsigned int linear_bits;
	/* --- what a configuration may ask for */
	bool force_coherent;
	bool track_dirty;
	bool memory_types;
	/* --- what it cannot avoid */
	bool write_only;
	/** I/O addresses that the hardware takes for interrupts, and whether a leaf may lead there. 0, 0: none. */
	uint64_t hole_first;
	uint64_t hole_last;
	bool hole_is_target;
	/* --- entries */
	/** The bits of a leaf besides its address and its size. */
	uint64_t (*leaf_bits)(const struct pt_backend *pt, unsigned int prot);
	/** The rest of the (first entry of a) leaf of 2^@size bytes in a table of @level. */
	uint64_t (*leaf)(phys_addr_t phys, unsigned int level, unsigned int size);
	/** An entry that points to a table of @level. */
	uint64_t (*table)(phys_addr_t table, unsigned int level);
	/** log2 of the bytes of a leaf; NULL unless sized. */
	unsigned int (*leaf_size)(uint64_t entry, unsigned int level);
	/** The address in a leaf, and any bits below its size. */
	phys_addr_t (*leaf_phys)(uint64_t entry);
	unsigned int (*leaf_prot)(uint64_t entry);
	/** Has a leaf been written, and how does it look before that? NULL: unknown. */
	bool (*is_dirty)(uint64_t entry);
	uint64_t (*clean)(uint64_t entry);
	const struct dma_backend_ops *ops;
};

/** log2 of what an entry at @level spans. */
static inline unsigned int pt_shift(const struct pt_format *fmt, unsigned int level)
{
	return fmt->granule_bits + fmt->index_bits * level;
}

/** The level where a leaf of 2^@size bytes stands. */
static inline unsigned int pt_level(const struct pt_format *fmt, unsigned int size)
{
	return (size - fmt->granule_bits) / fmt->index_bits;
}

/** Bits below 2^@bits; @bits is at most 63. */
static inline uint64_t pt_mask(unsigned int bits)
{
	return ((uint64_t)1 << bits) - 1;
}

/** What an entry grows by from one leaf of 2^@size bytes to the next. */
static inline uint64_t pt_step(const struct pt_format *fmt, unsigned int size)
{
	return ((uint64_t)1 << size) >> fmt->address_shift;
}

#pragma GCC visibility push(hidden)
/** The formats. */
extern const struct pt_format dmamap_pt_vtd_ss;
extern const struct pt_format dmamap_pt_vtd_fs;
extern const struct pt_format dmamap_pt_amd_v1;
extern const struct pt_format dmamap_pt_lpae_s1_4k;
extern const struct pt_format dmamap_pt_lpae_s1_16k;
extern const struct pt_format dmamap_pt_lpae_s1_64k;
extern const struct pt_format dmamap_pt_lpae_s2_4k;
extern const struct pt_format dmamap_pt_lpae_s2_16k;
extern const struct pt_format dmamap_pt_lpae_s2_64k;
extern const struct pt_format dmamap_pt_riscv;
#pragma GCC visibility pop

#endif
