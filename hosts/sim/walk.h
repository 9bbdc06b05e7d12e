/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walker of page tables, and what a format gives to it. Each format has a file (walk_vtd.c, walk_x86.c, walk_amd.c,
 * walk_lpae.c, walk_riscv.c) that reads its entries bit by bit, written from the hardware's manuals and strict: a bit that
 * is reserved, or that software has to clear, faults when it is set. None of it is shared with the library, which writes
 * the tables.
 */
#ifndef DMAMAP_SIM_WALK_H
#define DMAMAP_SIM_WALK_H

#include "iotlb.h"

#pragma GCC visibility push(hidden)

#define SIM_BIT(n)     ((uint64_t)1 << (n))
#define SIM_BITS(h, l) ((~(uint64_t)0 >> (63 - (h))) & (~(uint64_t)0 << (l)))

struct sim_walk;

/** What one entry says. */
struct sim_entry {
	/** Present at all? If not, the rest is nothing. */
	bool present;
	bool leaf;
	/** Of a table: its level; the lowest is 1. */
	unsigned int level;
	/** Of a leaf: log2 of its size, which may be that of a run of entries. */
	unsigned int shift;
	phys_addr_t phys;
	/** SIM_PERM_READ, _WRITE, _USER: of a table what it takes away is missing. */
	unsigned int perm;
};

struct sim_format {
	unsigned int min_levels;
	unsigned int max_levels;
	unsigned int default_levels;
	unsigned int max_output_bits;
	/** An address is the sign extension of its lower bits. */
	bool canonical;
	/** What is sent to 0xfee00000 - 0xfeefffff is an interrupt. */
	bool interrupts;
	/** The width is config.input_bits, not what the levels make. Stage 2 concatenates its first tables. */
	bool input_width;
	bool concatenates;
	/** Entries of a run count up its address; otherwise they are equal. But for @run_free bits, which may differ. */
	bool run_counts;
	uint64_t run_free;
	/** Accessed and dirty bits: kept by hardware whatever the configuration says; where not kept, they must be set. */
	bool marks_always;
	bool marks_needed;
	/** The sizes of leaves, the granule included, as a bitmap; 0 for a granule that the format has not. */
	uint64_t (*page_sizes)(unsigned int granule_bits, unsigned int levels);
	/** Read @entry of a table of @level. SIM_FAULT_NONE, or what is wrong with it. */
	enum sim_fault_reason (*decode)(const struct sim_walk *walk, unsigned int level,
					uint64_t entry, struct sim_entry *out);
	/** @entry after an access that its bits are to tell of. NULL: there are none. */
	uint64_t (*mark)(const struct sim_walk *walk, uint64_t entry, bool leaf, bool write);
};

extern const struct sim_format sim_format_vtd;
extern const struct sim_format sim_format_x86;
extern const struct sim_format sim_format_amd;
extern const struct sim_format sim_format_lpae1;
extern const struct sim_format sim_format_lpae2;
extern const struct sim_format sim_format_riscv;

/** The decoder of a format, or NULL. */
const struct sim_format *sim_format_of(enum dma_pt_format format);

/** What does not change from walk to walk. */
struct sim_walk {
	const struct sim_machine *m;
	const struct sim_format *format;
	/** Read tables as devices see memory; otherwise as the CPU does. */
	bool device_view;
	/** Hardware keeps accessed and dirty bits. */
	bool track;
	/** RISC-V: entries have memory types. */
	bool memory_types;
	unsigned int granule_bits;
	unsigned int index_bits;
	unsigned int output_bits;
	/** The granule included. */
	uint64_t page_sizes;
	/** Tables found earlier, from which a walk may start. */
	struct sim_iotlb *tables;
	uint64_t table_hits;
};

/** log2 of what an entry of a table of @level spans. */
static inline unsigned int sim_level_shift(const struct sim_walk *walk, unsigned int level)
{
	return walk->granule_bits + walk->index_bits * (level - 1);
}

/** Does the hardware have leaves of that size? */
static inline bool sim_has_size(const struct sim_walk *walk, unsigned int shift)
{
	return walk->page_sizes >> shift & 1;
}

/** Address bits that the hardware has not. */
static inline uint64_t sim_beyond(const struct sim_walk *walk)
{
	return walk->output_bits >= 64 ? 0 : ~(uint64_t)0 << walk->output_bits;
}

/** A table that devices are attached to. */
struct sim_table {
	phys_addr_t root;
	unsigned int levels;
	/** Bits of an address. */
	unsigned int width;
};

/** One access of a device. */
struct sim_access {
	dma_addr_t iova;
	bool write;
	bool privileged;
};

/** Of a permission that was found, cached or not. */
enum sim_fault_reason sim_check_perm(unsigned int perm, const struct sim_access *access);

/**
 * Walk the table for an access. @generation stands for the table in the caches. SIM_FAULT_NONE and *@out, or the first
 * thing that is wrong on the way.
 */
enum sim_fault_reason sim_walk(struct sim_walk *walk, const struct sim_table *table,
			       uint64_t generation, const struct sim_access *access,
			       struct sim_translation *out);

#pragma GCC visibility pop

#endif
