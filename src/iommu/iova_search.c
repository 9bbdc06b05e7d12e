/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Searching the tree of an I/O address space: is a range free, and where is the highest place for a new one?
 *
 * The search for a whole block is one walk: only the child that the limit cuts may disappoint, once a level. The search
 * for a run that is shorter than its block starts when there is no such block; it may look at every child that could
 * hold one.
 */
#include "iova_tree.h"

bool dmamap_space_range_is(const struct iova_node *node, unsigned int level, uint64_t first,
			   uint64_t last, bool taken)
{
	unsigned int want = taken ? 0 : iova_whole(level);
	uint64_t lo, hi;

	for (uint64_t i = first >> iova_child_bits(level); i <= last >> iova_child_bits(level);
	     i++) {
		if (iova_order(node, (unsigned int)i) == want)
			continue;
		iova_clip(level, i, first, last, &lo, &hi);
		if (!lo && hi == iova_child_last(level))
			return false;
		if (!level) {
			if ((taken ? node->word[i] : ~node->word[i]) & iova_word_mask(lo, hi))
				return false;
		} else if (!node->child[i] ||
			   !dmamap_space_range_is(node->child[i], level - 1, lo, hi, taken)) {
			return false;
		}
	}
	return true;
}

/* --- words of bits and bytes of orders */

/* Starts of the aligned runs of 2^@order ones. */
static uint64_t runs_of(uint64_t bits, unsigned int order)
{
	for (unsigned int r = 0; r < order; r++)
		bits = iova_pair_runs(bits, r);
	return bits;
}

/* The highest child at or below @from whose order is at least @order; -1: none. */
static int last_at_least(const struct iova_node *node, unsigned int order, unsigned int from)
{
	uint64_t keep = ~(uint64_t)0 >> (56 - from % 8 * 8);

	for (int i = (int)(from / 8); i >= 0; i--) {
		uint64_t hit = ((node->order[i] | IOVA_HIGH_BITS) - order * IOVA_EACH_BYTE) &
			       IOVA_HIGH_BITS & keep;

		if (hit)
			return i * 8 + (int)high_bit(hit) / 8;
		keep = ~(uint64_t)0;
	}
	return -1;
}

/* --- the search */

/* The highest free block of @order inside child @i, whose order says that there is one; relative to @node. */
static uint64_t highest_in_child(const struct iova_node *node, unsigned int level, unsigned int i,
				 unsigned int order)
{
	uint64_t base = 0;

	for (;;) {
		base += (uint64_t)i << iova_child_bits(level);
		if (iova_order(node, i) == iova_whole(level))
			return base + iova_child_last(level) + 1 - ((uint64_t)1 << order);
		if (!level)
			return base + high_bit(runs_of(node->word[i], order));
		node = node->child[i];
		level--;
		if (order >= iova_child_bits(level)) {
			i = high_bit(runs_of(node->free, order - iova_child_bits(level)));
			return base + ((uint64_t)i << iova_child_bits(level));
		}
		i = (unsigned int)last_at_least(node, order + 1, IOVA_FAN - 1);
	}
}

/* The highest free block of @order within the first @room granules of @node. */
static uint64_t find_block(const struct iova_node *node, unsigned int level, unsigned int order,
			   uint64_t room);

/* The same, inside the one child that the end of the room cuts. */
static uint64_t find_in_cut(const struct iova_node *node, unsigned int level, unsigned int i,
			    unsigned int order, uint64_t room)
{
	uint64_t size = (uint64_t)1 << order;
	uint64_t runs;

	if (room < size || iova_order(node, i) <= order)
		return IOVA_NONE;
	if (iova_order(node, i) == iova_whole(level))
		return round_down(room, size) - size;
	if (level)
		return find_block(node->child[i], level - 1, order, room);
	runs = runs_of(node->word[i], order) & iova_word_mask(0, room - size);
	return runs ? high_bit(runs) : IOVA_NONE;
}

static uint64_t find_block(const struct iova_node *node, unsigned int level, unsigned int order,
			   uint64_t room)
{
	unsigned int bits = iova_child_bits(level);
	uint64_t cut = room >> bits;
	uint64_t at;
	int i;

	if (order >= bits) {
		uint64_t size = (uint64_t)1 << order;
		uint64_t runs = runs_of(node->free, order - bits);

		if (room < size)
			return IOVA_NONE;
		runs &= iova_word_mask(0, (room - size) >> bits);
		return runs ? (uint64_t)high_bit(runs) << bits : IOVA_NONE;
	}
	if (cut < IOVA_FAN) {
		at = find_in_cut(node, level, (unsigned int)cut, order,
				 room & iova_child_last(level));
		if (at != IOVA_NONE)
			return (cut << bits) + at;
		if (!cut)
			return IOVA_NONE;
	}
	i = last_at_least(node, order + 1, (unsigned int)cut - 1);
	return i < 0 ? IOVA_NONE : highest_in_child(node, level, (unsigned int)i, order);
}

/*
 * The slow search, for a size that is no power of two when no whole block is left: the highest run of @n at a multiple
 * of 2^@order within the first @room granules.
 */
static uint64_t find_run(const struct iova_node *node, unsigned int level, uint64_t n,
			 unsigned int order, uint64_t room);

/* Where such a run could start, from the top down; IOVA_NONE is the end. */
static uint64_t highest_start(uint64_t n, unsigned int order, uint64_t room)
{
	return room < n ? IOVA_NONE : round_down(room - n, (uint64_t)1 << order);
}

/* Runs that start at a child's first granule. */
static uint64_t find_long_run(const struct iova_node *node, unsigned int level, uint64_t n,
			      unsigned int order, uint64_t room)
{
	uint64_t at = highest_start(n, order, room);

	while (at != IOVA_NONE && !dmamap_space_range_is(node, level, at, at + n - 1, false))
		at = at ? at - ((uint64_t)1 << order) : IOVA_NONE;
	return at;
}

static uint64_t find_run_in_word(uint64_t word, uint64_t n, unsigned int order, uint64_t room)
{
	uint64_t at = highest_start(n, order, room);

	while (at != IOVA_NONE && ~word & iova_word_mask(at, at + n - 1))
		at = at ? at - ((uint64_t)1 << order) : IOVA_NONE;
	return at;
}

static uint64_t find_run_in_child(const struct iova_node *node, unsigned int level, unsigned int i,
				  uint64_t n, unsigned int order, uint64_t room)
{
	if (iova_order(node, i) == iova_whole(level))
		return highest_start(n, order, room);
	if (!level)
		return find_run_in_word(node->word[i], n, order, room);
	return find_run(node->child[i], level - 1, n, order, room);
}

static uint64_t find_run(const struct iova_node *node, unsigned int level, uint64_t n,
			 unsigned int order, uint64_t room)
{
	unsigned int bits = iova_child_bits(level);
	int i = (int)min_u64((room - 1) >> bits, IOVA_FAN - 1);

	if (order >= bits)
		return find_long_run(node, level, n, order, room);
	/* A run of n holds a free aligned block of the largest power of two in n. */
	while (i >= 0 && (i = last_at_least(node, high_bit(n) + 1, (unsigned int)i)) >= 0) {
		uint64_t base = (uint64_t)i << bits;
		uint64_t part = min_u64(room - base, iova_child_last(level) + 1);
		uint64_t at = find_run_in_child(node, level, (unsigned int)i, n, order, part);

		if (at != IOVA_NONE)
			return base + at;
		i--;
	}
	return IOVA_NONE;
}

uint64_t dmamap_space_find(const struct iova_node *node, unsigned int level, uint64_t n,
			   uint64_t first, uint64_t room)
{
	unsigned int order = ceil_log2(n);
	uint64_t at = find_block(node, level, order, room);

	if ((at == IOVA_NONE || at < first) && !is_power_of_two(n))
		at = find_run(node, level, n, order, room);
	return at < first ? IOVA_NONE : at;
}
