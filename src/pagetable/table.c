/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables: memory, linking, unlinking, cache maintenance. table.h tells how they live.
 */
#include "table.h"

/* --- memory */

static uint64_t size_of(const struct pt_backend *pt, unsigned int level)
{
	return level == pt->levels - 1 ? pt->root_bytes : pt->table_bytes;
}

static uint64_t groups_of(const struct pt_backend *pt, unsigned int level)
{
	return (pt_entries(pt, pt->format, level) + PT_GROUP - 1) / PT_GROUP;
}

static void free_groups(struct pt_backend *pt, struct pt_table *t, unsigned int level)
{
	uint64_t n = groups_of(pt, level);

	for (uint64_t i = 0; t->below && i < n; i++)
		dmamap_heap_free(pt->host, t->below[i], sizeof(struct pt_group));
	dmamap_heap_free(pt->host, t->below, n * sizeof(struct pt_group *));
	t->below = NULL;
}

/** Room to note a table below entry @i. */
static bool make_group(struct pt_backend *pt, struct pt_table *t, unsigned int i)
{
	struct pt_group **group;

	if (!t->below)
		t->below = dmamap_heap_alloc(pt->host,
					     groups_of(pt, t->level) * sizeof(struct pt_group *),
					     DMAMAP_GFP_ATOMIC);
	if (!t->below)
		return false;
	group = &t->below[i / PT_GROUP];
	if (!*group)
		*group = dmamap_heap_alloc(pt->host, sizeof(**group), DMAMAP_GFP_ATOMIC);
	return *group;
}

static void free_table(struct pt_backend *pt, struct pt_table *t, unsigned int level)
{
	uint64_t size = size_of(pt, level);

	dmamap_pages_free(pt->host, t->entries, size);
	free_groups(pt, t, level);
	dmamap_heap_free(pt->host, t, sizeof(*t));
}

static bool fill_table(struct pt_backend *pt, struct pt_table *t, unsigned int level)
{
	uint64_t size = size_of(pt, level);

	t->entries = dmamap_pages_alloc_aligned(pt->host, size, size, pt->last_phys,
						DMAMAP_GFP_ATOMIC, &t->phys);
	if (!t->entries || t->phys > pt->last_phys)
		return false;
	if (!pt->backend.caps.coherent_walk) {
		dmamap_cache_for_device(pt->host, t->phys, size, DMA_TO_DEVICE);
		dmamap_cache_flush(pt->host);
	}
	return true;
}

/* An empty table, which hardware sees as empty before anything points to it. */
static struct pt_table *make_table(struct pt_backend *pt, unsigned int level)
{
	struct pt_table **spares = &pt->spares[level != 0];
	struct pt_table *t = *spares;

	if (t) {
		*spares = t->next;
		pt->n_spares[level != 0]--;
	} else {
		t = dmamap_heap_alloc(pt->host, sizeof(*t), DMAMAP_GFP_ATOMIC);
		if (t && !fill_table(pt, t, level)) {
			free_table(pt, t, level);
			t = NULL;
		}
	}
	if (t) {
		t->level = (uint8_t)level;
		pt->bytes += size_of(pt, level);
	}
	return t;
}

static void give_back(struct pt_backend *pt, struct pt_table *t)
{
	unsigned int kind = t->level != 0;

	pt->bytes -= pt->table_bytes;
	if (pt->n_spares[kind] == PT_SPARES) {
		free_table(pt, t, t->level);
		return;
	}
	t->next = pt->spares[kind];
	pt->spares[kind] = t;
	pt->n_spares[kind]++;
}

/* --- what was written */

static void clean_run(struct pt_written *w, unsigned int level)
{
	struct pt_table *t = w->run[level].table;
	uint64_t first = w->run[level].first * sizeof(uint64_t);
	uint64_t size = (w->run[level].last + 1) * sizeof(uint64_t) - first;

	if (t)
		dmamap_cache_for_device(w->pt->host, t->phys + first, size, DMA_TO_DEVICE);
	w->run[level].table = NULL;
}

void dmamap_pt_note_written(struct pt_written *w, struct pt_table *t, unsigned int first,
			    unsigned int last)
{
	if (w->run[t->level].table != t) {
		clean_run(w, t->level);
		w->run[t->level].table = t;
		w->run[t->level].first = first;
		w->run[t->level].last = last;
		return;
	}
	if (first < w->run[t->level].first)
		w->run[t->level].first = first;
	if (last > w->run[t->level].last)
		w->run[t->level].last = last;
}

void dmamap_pt_clean_written(struct pt_written *w)
{
	for (unsigned int level = 0; level < PT_MAX_LEVELS; level++)
		clean_run(w, level);
}

/* --- linking */

struct pt_table *dmamap_pt_add_table(struct pt_written *w, struct pt_table *t, unsigned int i)
{
	struct pt_table *below = make_group(w->pt, t, i) ? make_table(w->pt, t->level - 1u) : NULL;

	if (!below)
		return NULL;
	below->parent = t;
	below->index = i;
	t->below[i / PT_GROUP]->table[i % PT_GROUP] = below;
	pt_write(t, i, w->pt->format->table(below->phys, below->level));
	t->used++;
	pt_note(w, t, i, i);
	return below;
}

static void unlink_table(struct pt_written *w, struct pt_table *t, struct dma_freed *freed)
{
	struct pt_table *parent = t->parent;

	pt_write(parent, t->index, 0);
	parent->below[t->index / PT_GROUP]->table[t->index % PT_GROUP] = NULL;
	parent->used--;
	pt_note(w, parent, t->index, t->index);
	if (w->pt->leaf == t)
		w->pt->leaf = NULL;
	t->next = freed->tables;
	freed->tables = t;
	freed->bytes += w->pt->table_bytes;
}

void dmamap_pt_prune(struct dma_backend *backend, struct dma_freed *freed)
{
	struct pt_backend *pt = pt_of(backend);
	struct pt_written w;
	struct pt_table *t;

	if (!pt->empty)
		return;
	pt_written_init(&w, pt);
	while ((t = pt->empty)) {
		pt->empty = t->next;
		t->listed = false;
		/* A parent that is listed has its own turn. */
		for (; !t->used && !t->listed && t != pt->root; t = t->parent)
			unlink_table(&w, t, freed);
	}
	pt_clean(&w);
	dmamap_pt_flush(pt);
}

void dmamap_pt_release(struct dma_backend *backend, struct dma_freed *freed)
{
	struct pt_table *t = freed->tables;

	while (t) {
		struct pt_table *next = t->next;

		give_back(pt_of(backend), t);
		t = next;
	}
	*freed = (struct dma_freed){ 0 };
}

/* --- the whole */

bool dmamap_pt_make_root(struct pt_backend *pt)
{
	pt->root = make_table(pt, pt->levels - 1);
	return pt->root;
}

static void free_below(struct pt_backend *pt, struct pt_table *t)
{
	for (unsigned int i = 0; t->level && i < pt_entries(pt, pt->format, t->level); i++)
		if (pt_below(t, i))
			free_below(pt, pt_below(t, i));
	free_table(pt, t, t->level);
}

static void free_spares(struct pt_backend *pt)
{
	for (unsigned int kind = 0; kind < 2; kind++) {
		while (pt->spares[kind]) {
			struct pt_table *t = pt->spares[kind];

			pt->spares[kind] = t->next;
			free_table(pt, t, t->level);
		}
		pt->n_spares[kind] = 0;
	}
}

void dmamap_pt_trim(struct dma_backend *backend)
{
	struct pt_backend *pt = pt_of(backend);

	if (pt->root->used)
		return;
	free_spares(pt);
	free_groups(pt, pt->root, pt->root->level);
}

static bool is_below(const struct pt_backend *pt, const struct pt_table *t, phys_addr_t last)
{
	if (t->phys > last)
		return false;
	for (unsigned int i = 0; t->level && i < pt_entries(pt, pt->format, t->level); i++)
		if (pt_below(t, i) && !is_below(pt, pt_below(t, i), last))
			return false;
	return true;
}

bool dmamap_pt_tables_below(struct pt_backend *pt, phys_addr_t last)
{
	free_spares(pt);
	return is_below(pt, pt->root, last);
}

void dmamap_pt_free_tables(struct pt_backend *pt)
{
	free_spares(pt);
	if (pt->root)
		free_below(pt, pt->root);
}
