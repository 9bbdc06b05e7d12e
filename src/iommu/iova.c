/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I/O address spaces as radix trees of bitmaps.
 *
 * iova_tree.h has the tree. Nodes appear when a range ends inside a child, so a huge range costs two paths at the most,
 * and a change happens in two steps: make the nodes at both ends (which may fail), then mark (which cannot). Releasing
 * what was taken as one range never needs a node.
 *
 * A node that becomes entirely free goes away, except those on the path of the latest such leaf (idle): a range that
 * comes and goes in an otherwise empty neighbourhood finds its nodes again.
 */
#include "iova_tree.h"

#include "base/heap.h"
#include "base/host.h"

struct dmamap_iova {
	struct dma_host *host;
	uint64_t first;
	uint64_t last;
	uint64_t used;
	uint64_t idle; /* a granule on whose path entirely free nodes may remain */
	unsigned int top;
	struct dmamap_slab slab; /* of all nodes: those of an empty space fit into one page */
	struct iova_node *root;
};

/* --- orders */

/* For each byte below 128: the larger one. */
static uint64_t max_bytes(uint64_t a, uint64_t b)
{
	uint64_t ge = ((a | IOVA_HIGH_BITS) - b) & IOVA_HIGH_BITS;
	uint64_t mask = (ge << 1) - (ge >> 7);

	return (a & mask) | (b & ~mask);
}

/* The byte that the parent keeps for @node. */
static unsigned int node_order(const struct iova_node *node, unsigned int level)
{
	uint64_t max = 0;

	if (node->free)
		return iova_child_bits(level) + iova_best_run(node->free);
	for (unsigned int i = 0; i < IOVA_FAN / 8; i++)
		max = max_bytes(max, node->order[i]);
	max = max_bytes(max, max >> 32);
	max = max_bytes(max, max >> 16);
	max = max_bytes(max, max >> 8);
	return max & 0xff;
}

static void set_order(struct iova_node *node, unsigned int level, unsigned int i,
		      unsigned int order)
{
	uint64_t bit = (uint64_t)1 << i;

	node->byte[iova_byte(i)] = (uint8_t)order;
	node->free = order == iova_whole(level) ? node->free | bit : node->free & ~bit;
}

/* --- nodes */

/* Make @node all free or all taken. Its children have no nodes. */
static void fill_node(struct iova_node *node, unsigned int level, bool taken)
{
	uint64_t orders = taken ? 0 : iova_whole(level) * IOVA_EACH_BYTE;

	node->free = taken ? 0 : ~(uint64_t)0;
	for (unsigned int i = 0; i < IOVA_FAN / 8; i++)
		node->order[i] = orders;
	for (unsigned int i = 0; !level && i < IOVA_FAN; i++)
		node->word[i] = node->free;
}

static struct iova_node *add_child(struct dmamap_iova *iova, struct iova_node *node,
				   unsigned int level, unsigned int i)
{
	struct iova_node *child = dmamap_slab_alloc(&iova->slab);

	if (!child)
		return NULL;
	fill_node(child, level - 1, !iova_order(node, i));
	node->child[i] = child;
	return child;
}

static void free_node(struct dmamap_iova *iova, struct iova_node *node, unsigned int level)
{
	for (unsigned int i = 0; level && i < IOVA_FAN; i++)
		if (node->child[i])
			free_node(iova, node->child[i], level - 1);
	dmamap_slab_free(&iova->slab, node);
}

/* Free the entirely free nodes on the path of @granule, except those that are on the path of @keep too. */
static void prune(struct dmamap_iova *iova, uint64_t granule, uint64_t keep)
{
	struct iova_node *node = iova->root;

	for (unsigned int level = iova->top; level; level--) {
		unsigned int i = iova_slot(granule, level);
		struct iova_node *child = node->child[i];
		bool apart = granule >> iova_child_bits(level) != keep >> iova_child_bits(level);

		if (!child)
			return;
		if (apart && iova_order(node, i) == iova_whole(level)) {
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
	if (iova->idle != IOVA_NONE)
		prune(iova, iova->idle, granule);
	iova->idle = granule;
}

/* Make the nodes on the path of @edge, one end of the range, down to a child that the range covers whole. */
static bool make_path(struct dmamap_iova *iova, uint64_t edge, uint64_t first, uint64_t last)
{
	struct iova_node *node = iova->root;

	for (unsigned int level = iova->top; level; level--) {
		uint64_t begin = edge & ~iova_child_last(level);
		unsigned int i = iova_slot(edge, level);
		struct iova_node *child = node->child[i];

		if (first <= begin && begin + iova_child_last(level) <= last)
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
	prune(iova, first, IOVA_NONE);
	prune(iova, last, IOVA_NONE);
	return false;
}

/* --- ranges */

/* False if the word's order, and so all above it, stays as it was. */
static bool mark_word(struct iova_node *node, unsigned int i, uint64_t mask, bool taken)
{
	unsigned int order;

	node->word[i] = taken ? node->word[i] & ~mask : node->word[i] | mask;
	order = iova_best_run(node->word[i]);
	if (iova_order(node, i) == order)
		return false;
	set_order(node, 0, i, order);
	return true;
}

static void mark_child(struct dmamap_iova *iova, struct iova_node *node, unsigned int level,
		       unsigned int i, bool taken)
{
	if (!level) {
		mark_word(node, i, ~(uint64_t)0, taken);
		return;
	}
	if (node->child[i])
		free_node(iova, node->child[i], level - 1);
	node->child[i] = NULL;
	set_order(node, level, i, taken ? 0 : iova_whole(level));
}

/* Mark [first, last]; its nodes exist. */
static void mark(struct dmamap_iova *iova, struct iova_node *node, unsigned int level,
		 uint64_t first, uint64_t last, bool taken)
{
	uint64_t lo, hi;

	for (uint64_t at = first >> iova_child_bits(level); at <= last >> iova_child_bits(level);
	     at++) {
		unsigned int i = (unsigned int)at;

		iova_clip(level, at, first, last, &lo, &hi);
		if (!lo && hi == iova_child_last(level)) {
			mark_child(iova, node, level, i, taken);
		} else if (!level) {
			mark_word(node, i, iova_word_mask(lo, hi), taken);
		} else {
			mark(iova, node->child[i], level - 1, lo, hi, taken);
			set_order(node, level, i, node_order(node->child[i], level - 1));
		}
	}
}

/* --- ranges inside a word, which is most of them */

static bool in_word(uint64_t granule, uint64_t n)
{
	return granule % IOVA_FAN + n <= IOVA_FAN;
}

/* Fill in the nodes from the root to the leaf of @granule. False if they do not all exist. */
static bool find_path(struct dmamap_iova *iova, uint64_t granule, struct iova_node *path[])
{
	struct iova_node *node = iova->root;

	for (unsigned int level = iova->top; level; level--) {
		path[level] = node;
		node = node->child[iova_slot(granule, level)];
		if (!node)
			return false;
	}
	path[0] = node;
	return true;
}

static bool make_word(struct dmamap_iova *iova, uint64_t granule, uint64_t n,
		      struct iova_node *path[])
{
	return find_path(iova, granule, path) ||
	       (make_nodes(iova, granule, granule + n - 1) && find_path(iova, granule, path));
}

static void flip_word(struct dmamap_iova *iova, struct iova_node *path[], uint64_t granule,
		      uint64_t n, bool taken)
{
	uint64_t lo = granule % IOVA_FAN;

	if (!mark_word(path[0], iova_slot(granule, 0), iova_word_mask(lo, lo + n - 1), taken))
		return;
	for (unsigned int level = 0; level < iova->top; level++) {
		unsigned int order = node_order(path[level], level);
		unsigned int i = iova_slot(granule, level + 1);

		if (iova_order(path[level + 1], i) == order)
			return;
		set_order(path[level + 1], level + 1, i, order);
	}
}

/* --- the contract */

/* Take [first, last] of the tree, whatever the space. */
static bool take(struct dmamap_iova *iova, uint64_t first, uint64_t last)
{
	if (!make_nodes(iova, first, last))
		return false;
	mark(iova, iova->root, iova->top, first, last, true);
	return true;
}

struct dmamap_iova *dmamap_space_create(struct dma_host *host, unsigned int shift, uint64_t first,
					uint64_t last)
{
	struct dmamap_iova *iova;
	unsigned int top = 0;

	(void)shift; /* granules are numbers here */
	while (top < IOVA_LEVELS - 1 && last >> iova_child_bits(top + 1))
		top++;
	if (first > last || last >> iova_child_bits(IOVA_LEVELS - 1) >> IOVA_FAN_BITS)
		return NULL;
	iova = dmamap_heap_alloc(host, sizeof(*iova), DMAMAP_GFP_KERNEL);
	if (!iova)
		return NULL;
	*iova = (struct dmamap_iova){
		.host = host, .first = first, .last = last, .idle = IOVA_NONE, .top = top
	};
	dmamap_slab_init(&iova->slab, host, sizeof(struct iova_node));
	iova->root = dmamap_slab_alloc(&iova->slab);
	if (iova->root)
		fill_node(iova->root, top, false);
	if (!iova->root ||
	    (last != iova_child_last(top + 1) && !take(iova, last + 1, iova_child_last(top + 1)))) {
		dmamap_space_destroy(iova);
		return NULL;
	}
	return iova;
}

void dmamap_space_destroy(struct dmamap_iova *iova)
{
	if (!iova)
		return;
	dmamap_slab_fini(&iova->slab);
	dmamap_heap_free(iova->host, iova, sizeof(*iova));
}

static bool exists(const struct dmamap_iova *iova, uint64_t granule, uint64_t n)
{
	return n && granule >= iova->first && granule <= iova->last &&
	       n - 1 <= iova->last - granule;
}

/* Mark [granule, granule + n), which is in the other state throughout. False without memory. */
static bool change(struct dmamap_iova *iova, uint64_t granule, uint64_t n, bool taken)
{
	struct iova_node *path[IOVA_LEVELS];

	if (in_word(granule, n)) {
		if (!make_word(iova, granule, n, path))
			return false;
		flip_word(iova, path, granule, n, taken);
		if (!taken && !~path[0]->free)
			set_idle(iova, granule);
	} else {
		if (!make_nodes(iova, granule, granule + n - 1))
			return false;
		mark(iova, iova->root, iova->top, granule, granule + n - 1, taken);
		if (!taken) {
			set_idle(iova, granule);
			set_idle(iova, granule + n - 1);
		}
	}
	iova->used = taken ? iova->used + n : iova->used - n;
	return true;
}

enum dmamap_iova_result dmamap_space_alloc(struct dmamap_iova *iova, uint64_t n, uint64_t limit,
					   uint64_t *granule)
{
	uint64_t room = min_u64(limit, iova->last) + 1;
	uint64_t at;

	if (!n || n > iova->last - iova->first + 1 || room < n)
		return IOVA_FULL;
	at = dmamap_space_find(iova->root, iova->top, n, iova->first, room);
	if (at == IOVA_NONE)
		return IOVA_FULL;
	if (!change(iova, at, n, true))
		return IOVA_NO_MEMORY;
	*granule = at;
	return IOVA_OK;
}

static bool is_taken(struct dmamap_iova *iova, uint64_t granule, uint64_t n)
{
	struct iova_node *path[IOVA_LEVELS];
	uint64_t lo = granule % IOVA_FAN;

	if (in_word(granule, n) && find_path(iova, granule, path))
		return !(path[0]->word[iova_slot(granule, 0)] & iova_word_mask(lo, lo + n - 1));
	return dmamap_space_range_is(iova->root, iova->top, granule, granule + n - 1, true);
}

bool dmamap_space_free(struct dmamap_iova *iova, uint64_t granule, uint64_t n)
{
	return exists(iova, granule, n) && is_taken(iova, granule, n) &&
	       change(iova, granule, n, false);
}

enum dmamap_iova_result dmamap_space_reserve(struct dmamap_iova *iova, uint64_t granule, uint64_t n)
{
	if (!exists(iova, granule, n) ||
	    !dmamap_space_range_is(iova->root, iova->top, granule, granule + n - 1, false))
		return IOVA_FULL;
	return change(iova, granule, n, true) ? IOVA_OK : IOVA_NO_MEMORY;
}

void dmamap_space_trim(struct dmamap_iova *iova)
{
	set_idle(iova, IOVA_NONE);
	dmamap_slab_trim(&iova->slab);
}

uint64_t dmamap_space_used(const struct dmamap_iova *iova)
{
	return iova->used;
}
