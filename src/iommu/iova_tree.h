/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree behind an I/O address space, as its two files see it: iova.c changes it, iova_search.c looks into it.
 *
 * A leaf node holds 64 words, a bit for each free granule; an inner node holds 64 children. For each child a node keeps
 * a byte, the order of the child's largest free aligned block plus one (0: nothing is free), and a mask of the children
 * that are entirely free. So the highest block of an order is found by one walk from the root, whatever lives.
 *
 * A child without a node is entirely free or entirely taken: its byte says which. A child with a node may be entirely
 * free too; then the byte says so, and no walk enters the node.
 *
 * Slots, levels: at level 0 a child is a word of 64 granules; a child at level l spans 2^(6 (l + 1)) granules. Ranges
 * inside a node are relative to the node's first granule.
 */
#ifndef DMAMAP_IOMMU_IOVA_TREE_H
#define DMAMAP_IOMMU_IOVA_TREE_H

#include "iova.h"

#pragma GCC visibility push(hidden)

#define IOVA_FAN      64u
#define IOVA_FAN_BITS 6u
#define IOVA_LEVELS   9u
#define IOVA_NONE     (~(uint64_t)0)

#define IOVA_EACH_BYTE 0x0101010101010101u
#define IOVA_HIGH_BITS 0x8080808080808080u

struct iova_node {
	uint64_t free;
	union {
		uint64_t order[IOVA_FAN /
			       8]; /* eight at a time: the byte of the first child is the lowest */
		uint8_t byte[IOVA_FAN]; /* for each child: iova_byte() */
	};
	union {
		uint64_t word[IOVA_FAN];
		struct iova_node *child[IOVA_FAN];
	};
};

static inline unsigned int iova_child_bits(unsigned int level)
{
	return IOVA_FAN_BITS * (level + 1);
}

static inline uint64_t iova_child_last(unsigned int level)
{
	return ((uint64_t)1 << iova_child_bits(level)) - 1;
}

static inline unsigned int iova_slot(uint64_t granule, unsigned int level)
{
	return (granule >> iova_child_bits(level)) % IOVA_FAN;
}

static inline unsigned int iova_whole(unsigned int level)
{
	return iova_child_bits(level) + 1;
}

static inline unsigned int iova_byte(unsigned int i)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? i : i ^ 7;
}

static inline unsigned int iova_order(const struct iova_node *node, unsigned int i)
{
	return node->byte[iova_byte(i)];
}

static inline uint64_t iova_word_mask(uint64_t lo, uint64_t hi)
{
	return (~(uint64_t)0 >> (63 - (hi - lo))) << lo;
}

/* Keep the starts of aligned runs of 2^(r+1) from those of 2^r. */
static inline uint64_t iova_pair_runs(uint64_t runs, unsigned int r)
{
	static const uint64_t aligned[IOVA_FAN_BITS] = {
		0x5555555555555555u, 0x1111111111111111u, 0x0101010101010101u,
		0x0001000100010001u, 0x0000000100000001u, 0x0000000000000001u,
	};

	return runs & (runs >> (1u << r)) & aligned[r];
}

/* The order of the longest aligned run of ones, plus one; 0 without ones. */
static inline unsigned int iova_best_run(uint64_t bits)
{
	uint64_t runs = bits & (bits >> 1) & 0x5555555555555555u;

	if (!~bits)
		return iova_whole(0);
	if (!runs)
		return bits ? 1 : 0;
	runs &= (runs >> 2) & 0x1111111111111111u;
	if (!runs)
		return 2;
	runs &= (runs >> 4) & 0x0101010101010101u;
	if (!runs)
		return 3;
	runs &= (runs >> 8) & 0x0001000100010001u;
	if (!runs)
		return 4;
	runs &= (runs >> 16) & 0x0000000100000001u;
	if (!runs)
		return 5;
	return runs & (runs >> 32) & 1 ? iova_whole(0) : 6;
}

/* The part of child @i that [first, last] covers. */
static inline void iova_clip(unsigned int level, uint64_t i, uint64_t first, uint64_t last,
			     uint64_t *lo, uint64_t *hi)
{
	uint64_t begin = i << iova_child_bits(level);

	*lo = first > begin ? first - begin : 0;
	*hi = min_u64(last - begin, iova_child_last(level));
}

/** Is each granule of [first, last] taken (or is each free)? */
bool dmamap_space_range_is(const struct iova_node *node, unsigned int level, uint64_t first,
			   uint64_t last, bool taken);

/**
 * Where to take @n granules within the first @room of @node, from @first on: the highest free block of @n rounded up to
 * a power of two; without one, the highest run of @n that begins like such a block. IOVA_NONE: nowhere.
 */
uint64_t dmamap_space_find(const struct iova_node *node, unsigned int level, uint64_t n,
			   uint64_t first, uint64_t room);

#pragma GCC visibility pop

#endif
