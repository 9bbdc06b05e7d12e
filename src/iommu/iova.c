/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I/O address spaces as radix trees of bitmaps.
 *
 * A leaf node holds 64 words, a bit for each free granule; an inner node holds 64 children. For each child a node keeps
 * a byte, the order of the child's largest free aligned block plus one (0: nothing is free), and a mask of the children
 * that are entirely free. So the highest block of an order is found by one walk from the root, whatever lives.
 *
 * A child without a node is entirely free or entirely taken: its byte says which. Nodes appear when a range ends inside
 * a child, so a huge range costs two paths at the most, and a change happens in two steps: make the nodes at both ends
 * (which may fail), then mark (which cannot). Releasing what was taken as one range never needs a node.
 *
 * A node that becomes entirely free goes away, except those on the path of the latest such leaf (idle): a range that
 * comes and goes in an otherwise empty neighbourhood finds its nodes again. An entirely free child may therefore have
 * a node, which then says the same; no walk enters it before it is used.
 *
 * Slots, levels: at level 0 a child is a word of 64 granules; a child at level l spans 2^(6 (l + 1)) granules. Ranges
 * inside a node are relative to the node's first granule.
 */
#include "iova.h"

#include "base/host.h"

#define FAN	   64u
#define FAN_BITS   6u
#define MAX_LEVELS 9u
#define NONE	   (~(uint64_t)0)

#define EACH_BYTE 0x0101010101010101u
#define HIGH_BITS 0x8080808080808080u

struct node {
	uint64_t free;
	uint64_t order[FAN / 8]; /* a byte for each child */
	union {
		uint64_t word[FAN];
		struct node *child[FAN];
	};
};

struct dmamap_iova {
	struct dma_host *host;
	uint64_t first;
	uint64_t last;
	uint64_t used;
	uint64_t idle; /* a granule on whose path entirely free nodes may remain */
	unsigned int top;
	struct dmamap_slab slab;
	struct node root;
};

static unsigned int child_bits(unsigned int level)
{
	return FAN_BITS * (level + 1);
}

static uint64_t child_last(unsigned int level)
{
	return ((uint64_t)1 << child_bits(level)) - 1;
}

static unsigned int slot(uint64_t granule, unsigned int level)
{
	return (granule >> child_bits(level)) % FAN;
}

static unsigned int whole(unsigned int level)
{
	return child_bits(level) + 1;
}

static unsigned int get_order(const struct node *node, unsigned int i)
{
	return (node->order[i / 8] >> (i % 8 * 8)) & 0xff;
}

/* --- bytes of orders and words of bits */

/* Keep the starts of aligned runs of 2^(r+1) from those of 2^r. */
static uint64_t pair_runs(uint64_t runs, unsigned int r)
{
	static const uint64_t aligned[FAN_BITS] = {
		0x5555555555555555u, 0x1111111111111111u, 0x0101010101010101u,
		0x0001000100010001u, 0x0000000100000001u, 0x0000000000000001u,
	};

	return runs & (runs >> (1u << r)) & aligned[r];
}

/* Starts of the aligned runs of 2^@order ones. */
static uint64_t runs_of(uint64_t bits, unsigned int order)
{
	for (unsigned int r = 0; r < order; r++)
		bits = pair_runs(bits, r);
	return bits;
}

/* The order of the longest aligned run of ones, plus one; 0 without ones. */
static unsigned int best_run(uint64_t bits)
{
	unsigned int r = 0;

	if (!bits)
		return 0;
	if (!~bits)
		return whole(0);
	for (; r < FAN_BITS; r++) {
		bits = pair_runs(bits, r);
		if (!bits)
			break;
	}
	return r + 1;
}

/* For each byte below 128: the larger one. */
static uint64_t max_bytes(uint64_t a, uint64_t b)
{
	uint64_t ge = ((a | HIGH_BITS) - b) & HIGH_BITS;
	uint64_t mask = (ge << 1) - (ge >> 7);

	return (a & mask) | (b & ~mask);
}

/* The byte that the parent keeps for @node. */
static unsigned int node_order(const struct node *node, unsigned int level)
{
	uint64_t max = 0;

	if (node->free)
		return child_bits(level) + best_run(node->free);
	for (unsigned int i = 0; i < FAN / 8; i++)
		max = max_bytes(max, node->order[i]);
	max = max_bytes(max, max >> 32);
	max = max_bytes(max, max >> 16);
	max = max_bytes(max, max >> 8);
	return max & 0xff;
}

/* The highest child at or below @from whose order is at least @order; -1: none. */
static int last_at_least(const struct node *node, unsigned int order, unsigned int from)
{
	uint64_t keep = ~(uint64_t)0 >> (56 - from % 8 * 8);

	for (int i = (int)(from / 8); i >= 0; i--) {
		uint64_t hit =
			((node->order[i] | HIGH_BITS) - order * EACH_BYTE) & HIGH_BITS & keep;

		if (hit)
			return i * 8 + (int)high_bit(hit) / 8;
		keep = ~(uint64_t)0;
	}
	return -1;
}

static void set_order(struct node *node, unsigned int level, unsigned int i, unsigned int order)
{
	unsigned int shift = i % 8 * 8;
	uint64_t bit = (uint64_t)1 << i;

	node->order[i / 8] =
		(node->order[i / 8] & ~((uint64_t)0xff << shift)) | ((uint64_t)order << shift);
	node->free = order == whole(level) ? node->free | bit : node->free & ~bit;
}

/* --- nodes */

/* Make @node all free or all taken. Its children have no nodes. */
static void fill_node(struct node *node, unsigned int level, bool taken)
{
	uint64_t orders = taken ? 0 : whole(level) * EACH_BYTE;

	node->free = taken ? 0 : ~(uint64_t)0;
	for (unsigned int i = 0; i < FAN / 8; i++)
		node->order[i] = orders;
	for (unsigned int i = 0; !level && i < FAN; i++)
		node->word[i] = node->free;
}

static struct node *add_child(struct dmamap_iova *iova, struct node *node, unsigned int level,
			      unsigned int i)
{
	struct node *child = dmamap_slab_alloc(&iova->slab);

	if (!child)
		return NULL;
	fill_node(child, level - 1, !get_order(node, i));
	node->child[i] = child;
	return child;
}

static void free_node(struct dmamap_iova *iova, struct node *node, unsigned int level)
{
	for (unsigned int i = 0; level && i < FAN; i++)
		if (node->child[i])
			free_node(iova, node->child[i], level - 1);
	dmamap_slab_free(&iova->slab, node);
}

/* Free the entirely free nodes on the path of @granule, except those that are on the path of @keep too. */
static void prune(struct dmamap_iova *iova, uint64_t granule, uint64_t keep)
{
	struct node *node = &iova->root;

	for (unsigned int level = iova->top; level; level--) {
		unsigned int i = slot(granule, level);
		struct node *child = node->child[i];
		bool apart = granule >> child_bits(level) != keep >> child_bits(level);

		if (!child)
			return;
		if (apart && get_order(node, i) == whole(level)) {
			node->child[i] = NULL;
			free_node(iova, child, level - 1);
			return;
		}
		node = child;
	}
}

/* Nodes on the path of @granule may have become entirely free: they take the place of the earlier ones. */
static void set_idle(struct dmamap_iova *iova, uint64_t granule)
{
	if (iova->idle != NONE)
		prune(iova, iova->idle, granule);
	iova->idle = granule;
}

/* Make the nodes on the path of @edge, one end of the range, down to a child that the range covers whole. */
static bool make_path(struct dmamap_iova *iova, uint64_t edge, uint64_t first, uint64_t last)
{
	struct node *node = &iova->root;

	for (unsigned int level = iova->top; level; level--) {
		uint64_t begin = edge & ~child_last(level);
		unsigned int i = slot(edge, level);
		struct node *child = node->child[i];

		if (first <= begin && begin + child_last(level) <= last)
			return true;
		if (!child) {
			child = add_child(iova, node, level, i);
			if (!child)
				return false;
		}
		node = child;
	}
	return true;
}

/* Make every node that marking [first, last] needs. False without memory; the tree says the same as before. */
static bool make_nodes(struct dmamap_iova *iova, uint64_t first, uint64_t last)
{
	if (make_path(iova, first, first, last) && make_path(iova, last, first, last))
		return true;
	prune(iova, first, NONE);
	prune(iova, last, NONE);
	return false;
}

/* --- ranges */

static uint64_t word_mask(uint64_t lo, uint64_t hi)
{
	return (~(uint64_t)0 >> (63 - (hi - lo))) << lo;
}

/* The part of child @i that [first, last] covers. */
static void clip(unsigned int level, uint64_t i, uint64_t first, uint64_t last, uint64_t *lo,
		 uint64_t *hi)
{
	uint64_t begin = i << child_bits(level);

	*lo = first > begin ? first - begin : 0;
	*hi = min_u64(last - begin, child_last(level));
}

/* Is each granule of [first, last] taken (or is each free)? */
static bool range_is(const struct node *node, unsigned int level, uint64_t first, uint64_t last,
		     bool taken)
{
	unsigned int want = taken ? 0 : whole(level);
	uint64_t lo, hi;

	for (uint64_t i = first >> child_bits(level); i <= last >> child_bits(level); i++) {
		if (get_order(node, (unsigned int)i) == want)
			continue;
		clip(level, i, first, last, &lo, &hi);
		if (!lo && hi == child_last(level))
			return false;
		if (!level) {
			if ((taken ? node->word[i] : ~node->word[i]) & word_mask(lo, hi))
				return false;
		} else if (!node->child[i] || !range_is(node->child[i], level - 1, lo, hi, taken)) {
			return false;
		}
	}
	return true;
}

static void mark_word(struct node *node, unsigned int i, uint64_t mask, bool taken)
{
	node->word[i] = taken ? node->word[i] & ~mask : node->word[i] | mask;
	set_order(node, 0, i, best_run(node->word[i]));
}

static void mark_child(struct dmamap_iova *iova, struct node *node, unsigned int level,
		       unsigned int i, bool taken)
{
	if (!level) {
		mark_word(node, i, ~(uint64_t)0, taken);
		return;
	}
	if (node->child[i])
		free_node(iova, node->child[i], level - 1);
	node->child[i] = NULL;
	set_order(node, level, i, taken ? 0 : whole(level));
}

/* Mark [first, last]; its nodes exist. */
static void mark(struct dmamap_iova *iova, struct node *node, unsigned int level, uint64_t first,
		 uint64_t last, bool taken)
{
	uint64_t lo, hi;

	for (uint64_t at = first >> child_bits(level); at <= last >> child_bits(level); at++) {
		unsigned int i = (unsigned int)at;

		clip(level, at, first, last, &lo, &hi);
		if (!lo && hi == child_last(level)) {
			mark_child(iova, node, level, i, taken);
		} else if (!level) {
			mark_word(node, i, word_mask(lo, hi), taken);
		} else {
			mark(iova, node->child[i], level - 1, lo, hi, taken);
			set_order(node, level, i, node_order(node->child[i], level - 1));
		}
	}
}

/* --- ranges inside a word, which is most of them */

static bool in_word(uint64_t granule, uint64_t n)
{
	return granule % FAN + n <= FAN;
}

/* Fill in the nodes from the root to the leaf of @granule. False if they do not all exist. */
static bool find_path(struct dmamap_iova *iova, uint64_t granule, struct node *path[])
{
	struct node *node = &iova->root;

	for (unsigned int level = iova->top; level; level--) {
		path[level] = node;
		node = node->child[slot(granule, level)];
		if (!node)
			return false;
	}
	path[0] = node;
	return true;
}

static bool make_word(struct dmamap_iova *iova, uint64_t granule, uint64_t n, struct node *path[])
{
	return find_path(iova, granule, path) ||
	       (make_nodes(iova, granule, granule + n - 1) && find_path(iova, granule, path));
}

static void flip_word(struct dmamap_iova *iova, struct node *path[], uint64_t granule, uint64_t n,
		      bool taken)
{
	uint64_t lo = granule % FAN;

	mark_word(path[0], slot(granule, 0), word_mask(lo, lo + n - 1), taken);
	for (unsigned int level = 0; level < iova->top; level++) {
		unsigned int order = node_order(path[level], level);
		unsigned int i = slot(granule, level + 1);

		if (get_order(path[level + 1], i) == order)
			return;
		set_order(path[level + 1], level + 1, i, order);
	}
}

/* --- the search */

/* The highest free block of @order inside child @i, whose order says that there is one; relative to @node. */
static uint64_t highest_in_child(const struct node *node, unsigned int level, unsigned int i,
				 unsigned int order)
{
	uint64_t base = 0;

	for (;;) {
		base += (uint64_t)i << child_bits(level);
		if (get_order(node, i) == whole(level))
			return base + child_last(level) + 1 - ((uint64_t)1 << order);
		if (!level)
			return base + high_bit(runs_of(node->word[i], order));
		node = node->child[i];
		level--;
		if (order >= child_bits(level)) {
			i = high_bit(runs_of(node->free, order - child_bits(level)));
			return base + ((uint64_t)i << child_bits(level));
		}
		i = (unsigned int)last_at_least(node, order + 1, FAN - 1);
	}
}

/* The highest free block of @order within the first @room granules of @node. */
static uint64_t find_block(const struct node *node, unsigned int level, unsigned int order,
			   uint64_t room);

/* The same, inside the one child that the end of the room cuts. */
static uint64_t find_in_cut(const struct node *node, unsigned int level, unsigned int i,
			    unsigned int order, uint64_t room)
{
	uint64_t size = (uint64_t)1 << order;
	uint64_t runs;

	if (room < size || get_order(node, i) <= order)
		return NONE;
	if (get_order(node, i) == whole(level))
		return round_down(room, size) - size;
	if (level)
		return find_block(node->child[i], level - 1, order, room);
	runs = runs_of(node->word[i], order) & word_mask(0, room - size);
	return runs ? high_bit(runs) : NONE;
}

static uint64_t find_block(const struct node *node, unsigned int level, unsigned int order,
			   uint64_t room)
{
	unsigned int bits = child_bits(level);
	uint64_t cut = room >> bits;
	uint64_t at;
	int i;

	if (order >= bits) {
		uint64_t size = (uint64_t)1 << order;
		uint64_t runs = runs_of(node->free, order - bits);

		if (room < size)
			return NONE;
		runs &= word_mask(0, (room - size) >> bits);
		return runs ? (uint64_t)high_bit(runs) << bits : NONE;
	}
	if (cut < FAN) {
		at = find_in_cut(node, level, (unsigned int)cut, order, room & child_last(level));
		if (at != NONE)
			return (cut << bits) + at;
		if (!cut)
			return NONE;
	}
	i = last_at_least(node, order + 1, (unsigned int)cut - 1);
	return i < 0 ? NONE : highest_in_child(node, level, (unsigned int)i, order);
}

/*
 * The slow search, for a size that is no power of two when no whole block is left: the highest run of @n at a multiple
 * of 2^@order within the first @room granules.
 */
static uint64_t find_run(const struct node *node, unsigned int level, uint64_t n,
			 unsigned int order, uint64_t room);

/* Where such a run could start, from the top down; NONE is the end. */
static uint64_t highest_start(uint64_t n, unsigned int order, uint64_t room)
{
	return room < n ? NONE : round_down(room - n, (uint64_t)1 << order);
}

/* Runs that start at a child's first granule. */
static uint64_t find_long_run(const struct node *node, unsigned int level, uint64_t n,
			      unsigned int order, uint64_t room)
{
	uint64_t at = highest_start(n, order, room);

	while (at != NONE && !range_is(node, level, at, at + n - 1, false))
		at = at ? at - ((uint64_t)1 << order) : NONE;
	return at;
}

static uint64_t find_run_in_word(uint64_t word, uint64_t n, unsigned int order, uint64_t room)
{
	uint64_t at = highest_start(n, order, room);

	while (at != NONE && ~word & word_mask(at, at + n - 1))
		at = at ? at - ((uint64_t)1 << order) : NONE;
	return at;
}

static uint64_t find_run_in_child(const struct node *node, unsigned int level, unsigned int i,
				  uint64_t n, unsigned int order, uint64_t room)
{
	if (get_order(node, i) == whole(level))
		return highest_start(n, order, room);
	if (!level)
		return find_run_in_word(node->word[i], n, order, room);
	return find_run(node->child[i], level - 1, n, order, room);
}

static uint64_t find_run(const struct node *node, unsigned int level, uint64_t n,
			 unsigned int order, uint64_t room)
{
	unsigned int bits = child_bits(level);
	int i = (int)min_u64((room - 1) >> bits, FAN - 1);

	if (order >= bits)
		return find_long_run(node, level, n, order, room);
	/* A run of n holds a free aligned block of the largest power of two in n. */
	while (i >= 0 && (i = last_at_least(node, high_bit(n) + 1, (unsigned int)i)) >= 0) {
		uint64_t base = (uint64_t)i << bits;
		uint64_t part = min_u64(room - base, child_last(level) + 1);
		uint64_t at = find_run_in_child(node, level, (unsigned int)i, n, order, part);

		if (at != NONE)
			return base + at;
		i--;
	}
	return NONE;
}

/* --- the contract */

/* Take [first, last] of the tree, whatever the space. */
static bool take(struct dmamap_iova *iova, uint64_t first, uint64_t last)
{
	if (!make_nodes(iova, first, last))
		return false;
	mark(iova, &iova->root, iova->top, first, last, true);
	return true;
}

struct dmamap_iova *dmamap_iova_create(struct dma_host *host, unsigned int shift, uint64_t first,
				       uint64_t last)
{
	struct dmamap_iova *iova;
	unsigned int top = 0;

	(void)shift; /* granules are numbers here */
	while (top < MAX_LEVELS - 1 && last >> child_bits(top + 1))
		top++;
	if (first > last || last >> child_bits(MAX_LEVELS - 1) >> FAN_BITS)
		return NULL;
	iova = dmamap_pages_alloc(host, sizeof(*iova), ~(phys_addr_t)0, DMAMAP_GFP_ATOMIC, NULL);
	if (!iova)
		return NULL;
	*iova = (struct dmamap_iova){
		.host = host, .first = first, .last = last, .idle = NONE, .top = top
	};
	dmamap_slab_init(&iova->slab, host, sizeof(struct node));
	fill_node(&iova->root, top, false);
	if ((first && !take(iova, 0, first - 1)) ||
	    (last != child_last(top + 1) && !take(iova, last + 1, child_last(top + 1)))) {
		dmamap_iova_destroy(iova);
		return NULL;
	}
	return iova;
}

void dmamap_iova_destroy(struct dmamap_iova *iova)
{
	if (!iova)
		return;
	dmamap_slab_fini(&iova->slab);
	dmamap_pages_free(iova->host, iova, sizeof(*iova));
}

static bool exists(const struct dmamap_iova *iova, uint64_t granule, uint64_t n)
{
	return n && granule >= iova->first && granule <= iova->last &&
	       n - 1 <= iova->last - granule;
}

/* Mark [granule, granule + n), which is in the other state throughout. False without memory. */
static bool change(struct dmamap_iova *iova, uint64_t granule, uint64_t n, bool taken)
{
	struct node *path[MAX_LEVELS];

	if (in_word(granule, n)) {
		if (!make_word(iova, granule, n, path))
			return false;
		flip_word(iova, path, granule, n, taken);
		if (!taken && !~path[0]->free)
			set_idle(iova, granule);
	} else {
		if (!make_nodes(iova, granule, granule + n - 1))
			return false;
		mark(iova, &iova->root, iova->top, granule, granule + n - 1, taken);
		if (!taken) {
			set_idle(iova, granule);
			set_idle(iova, granule + n - 1);
		}
	}
	iova->used = taken ? iova->used + n : iova->used - n;
	return true;
}

enum dmamap_iova_result dmamap_iova_alloc(struct dmamap_iova *iova, uint64_t n, uint64_t limit,
					  uint64_t *granule)
{
	uint64_t room = min_u64(limit, iova->last) + 1;
	unsigned int order;
	uint64_t at;

	if (!n || n > iova->last - iova->first + 1 || room < n)
		return IOVA_FULL;
	order = ceil_log2(n);
	at = find_block(&iova->root, iova->top, order, room);
	if (at == NONE && !is_power_of_two(n))
		at = find_run(&iova->root, iova->top, n, order, room);
	if (at == NONE)
		return IOVA_FULL;
	if (!change(iova, at, n, true))
		return IOVA_NO_MEMORY;
	*granule = at;
	return IOVA_OK;
}

bool dmamap_iova_free(struct dmamap_iova *iova, uint64_t granule, uint64_t n)
{
	return exists(iova, granule, n) &&
	       range_is(&iova->root, iova->top, granule, granule + n - 1, true) &&
	       change(iova, granule, n, false);
}

enum dmamap_iova_result dmamap_iova_reserve(struct dmamap_iova *iova, uint64_t granule, uint64_t n)
{
	if (!exists(iova, granule, n) ||
	    !range_is(&iova->root, iova->top, granule, granule + n - 1, false))
		return IOVA_FULL;
	return change(iova, granule, n, true) ? IOVA_OK : IOVA_NO_MEMORY;
}

uint64_t dmamap_iova_used(const struct dmamap_iova *iova)
{
	return iova->used;
}
