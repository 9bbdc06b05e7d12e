/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mappings by address: see mappings.h.
 */
#include "mappings.h"

void dmamap_hw_mappings_init(struct hw_mappings *m, struct dma_host *host)
{
	*m = (struct hw_mappings){ 0 };
	dmamap_slab_init(&m->slab, host, sizeof(struct hw_mapping));
}

void dmamap_hw_mappings_fini(struct hw_mappings *m)
{
	m->root = NULL;
	dmamap_slab_fini(&m->slab);
}

/** Those that begin below @at to *@low, the others to *@high. As deep as the tree. */
static void split(struct hw_mapping *tree, dma_addr_t at, struct hw_mapping **low,
		  struct hw_mapping **high)
{
	if (!tree) {
		*low = NULL;
		*high = NULL;
	} else if (tree->first < at) {
		*low = tree;
		split(tree->right, at, &tree->right, high);
	} else {
		*high = tree;
		split(tree->left, at, low, &tree->left);
	}
}

/** All of @low lies below all of @high. */
static struct hw_mapping *join(struct hw_mapping *low, struct hw_mapping *high)
{
	if (!low || !high)
		return low ? low : high;
	if (low->rank > high->rank) {
		low->right = join(low->right, high);
		return low;
	}
	high->left = join(low, high->left);
	return high;
}

static uint32_t rank_of(dma_addr_t first)
{
	return (uint32_t)((first >> 12) * 0x9e3779b97f4a7c15u >> 32);
}

int dmamap_hw_mappings_add(struct hw_mappings *m, dma_addr_t first, dma_addr_t last,
			   phys_addr_t phys, unsigned int prot)
{
	const struct hw_mapping *after = dmamap_hw_mappings_next(m, first);
	struct hw_mapping *low, *high, *new;

	if (after && after->first <= last)
		return -DMAMAP_EADDRINUSE;
	new = dmamap_slab_alloc(&m->slab);
	if (!new)
		return -DMAMAP_ENOMEM;
	new->first = first;
	new->last = last;
	new->phys = phys;
	new->prot = prot;
	new->rank = rank_of(first);
	split(m->root, first, &low, &high);
	m->root = join(join(low, new), high);
	return 0;
}

const struct hw_mapping *dmamap_hw_mappings_next(const struct hw_mappings *m, dma_addr_t iova)
{
	const struct hw_mapping *found = NULL;
	const struct hw_mapping *t = m->root;

	while (t) {
		if (t->last < iova) {
			t = t->right;
		} else {
			found = t;
			t = t->left;
		}
	}
	return found;
}

bool dmamap_hw_mappings_cut(const struct hw_mappings *m, dma_addr_t first, dma_addr_t last)
{
	const struct hw_mapping *low = dmamap_hw_mappings_next(m, first);
	const struct hw_mapping *high = dmamap_hw_mappings_next(m, last);

	return (low && low->first < first && low->last >= first) ||
	       (high && high->first <= last && high->last > last);
}

/** Free in the order of addresses; *@next is the first address that is not known to be mapped. */
static void free_tree(struct hw_mappings *m, struct hw_mapping *tree, dma_addr_t *next, bool *hole)
{
	struct hw_mapping *right;

	if (!tree)
		return;
	free_tree(m, tree->left, next, hole);
	if (tree->first != *next)
		*hole = true;
	if (!*hole)
		*next = tree->last + 1;
	right = tree->right;
	dmamap_slab_free(&m->slab, tree);
	free_tree(m, right, next, hole);
}

uint64_t dmamap_hw_mappings_drop(struct hw_mappings *m, dma_addr_t first, dma_addr_t last)
{
	struct hw_mapping *low, *middle, *high = NULL;
	dma_addr_t next = first;
	bool hole = false;

	split(m->root, first, &low, &middle);
	if (last != ~(dma_addr_t)0)
		split(middle, last + 1, &middle, &high);
	free_tree(m, middle, &next, &hole);
	m->root = join(low, high);
	return next - first;
}
