/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of a page-table backend: their memory, and how they are linked, unlinked and given back.
 *
 * Each hardware table has a descriptor (struct pt_table) that counts its entries and, above the lowest level, knows the
 * tables below it, so that a walk never turns a physical address into a pointer.
 *
 * Life of a table: made (zeroed and cleaned), linked into its parent, filled. When its last entry goes it is listed as
 * empty but stays linked, and what is mapped there next finds it: hardware may have cached the way to it, and a second
 * table in its place would be invisible until an invalidation. Only prune, which an invalidation of the way follows
 * before any map, unlinks it (and then its parents, if they are empty too); release gives it back. Up to PT_SPARES
 * tables of a kind are kept, empty, for the next that is made. The root is never unlinked.
 *
 * The owner (the domain) serialises all calls. Entries are written whole, because the hardware reads at any time.
 */
#ifndef DMAMAP_PAGETABLE_TABLE_H
#define DMAMAP_PAGETABLE_TABLE_H

#include "format.h"

#include "base/heap.h"
#include "base/host.h"
#include "units.h"

#pragma GCC visibility push(hidden)

/** Empty tables kept, of each kind, to save the host's allocator and the zeroing. */
#define PT_SPARES 4u

/** The tables below PT_GROUP entries of a table, or NULL. */
#define PT_GROUP 64u
struct pt_group {
	struct pt_table *table[PT_GROUP];
};

/** A hardware table. Level 0 is the lowest. */
struct pt_table {
	uint64_t *entries;
	phys_addr_t phys;
	struct pt_table *parent;
	/** Level above 0: what leads to tables, by group; NULL: no entry does. A group appears with its first table. */
	struct pt_group **below;
	/** In the list of empty tables, of freed ones or of spares. */
	struct pt_table *next;
	uint32_t index; /* in the parent */
	uint32_t used;	/* entries that are not 0, and blocks that a domain owns */
	uint16_t owned; /* blocks of DMA_LEAF_BLOCK entries that a domain owns, a bitmap */
	uint8_t level;
	bool listed; /* in the list of empty tables; it may have been filled since */
};

/** The table below entry @i, or NULL. */
static inline struct pt_table *pt_below(const struct pt_table *t, unsigned int i)
{
	const struct pt_group *group = t->below ? t->below[i / PT_GROUP] : NULL;

	return group ? group->table[i % PT_GROUP] : NULL;
}

/** The block of entry @i is a domain's own, or no longer: leaf.h. */
static inline void pt_own(struct pt_table *t, unsigned int i)
{
	t->owned |= (uint16_t)(1u << i / DMA_LEAF_BLOCK);
	t->used++;
}

static inline void pt_disown(struct pt_table *t, unsigned int i)
{
	t->owned &= (uint16_t) ~(1u << i / DMA_LEAF_BLOCK);
	t->used--;
}

/** Of @n entries from @i on, those before the first that a domain owns. */
static inline unsigned int pt_not_owned(const struct pt_table *t, unsigned int i, unsigned int n)
{
	unsigned int free = 0;

	if (!t->owned)
		return n;
	while (free < n && !(t->owned >> (i + free) / DMA_LEAF_BLOCK & 1))
		free += DMA_LEAF_BLOCK - (i + free) % DMA_LEAF_BLOCK;
	return free < n ? free : n;
}

struct pt_backend {
	struct dma_backend backend;
	struct dma_host *host;
	const struct pt_format *format;
	struct pt_units units;
	unsigned int levels;
	bool force_coherent;
	bool memory_types;
	uint64_t last_iova;
	uint64_t last_phys;
	struct pt_table *root;
	uint32_t root_entries; /* if concatenated */
	/** In whole pages of the host. */
	uint64_t root_bytes;
	uint64_t table_bytes;
	/** The lowest table used last, and the I/O addresses it serves, shifted by what it spans. */
	struct pt_table *leaf;
	uint64_t leaf_tag;

	struct pt_table *empty;
	struct pt_table *spares[2]; /* of level 0, of higher ones */
	unsigned int n_spares[2];
	uint64_t bytes; /* of tables, spares not included */
};

static inline struct pt_backend *pt_of(struct dma_backend *backend)
{
	return (struct pt_backend *)backend;
}

/** Entries of a table of @level, and which of them serves @iova (at most last_iova). */
static inline unsigned int pt_entries(const struct pt_backend *pt, const struct pt_format *fmt,
				      unsigned int level)
{
	if (fmt->concatenated && level == pt->levels - 1)
		return pt->root_entries;
	return 1u << fmt->index_bits;
}

static inline unsigned int pt_index(const struct pt_backend *pt, const struct pt_format *fmt,
				    uint64_t iova, unsigned int level)
{
	return (iova >> pt_shift(fmt, level)) & (pt_entries(pt, fmt, level) - 1);
}

/** An entry that leads to a table, or no longer: it follows what it points to. */
static inline void pt_write(struct pt_table *t, unsigned int i, uint64_t entry)
{
	__atomic_store_n(&t->entries[i], entry, __ATOMIC_RELEASE);
}

/** An entry as it is now: hardware marks leaves, and domains write theirs. */
static inline uint64_t pt_read(const struct pt_table *t, unsigned int i)
{
	return __atomic_load_n(&t->entries[i], __ATOMIC_RELAXED);
}

/** A leaf: never torn; sync_map() orders it. */
static inline void pt_write_leaf(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELAXED);
}

/**
 * Entries written by one call, a run for each level, to be cleaned when the call leaves the table or ends: for walkers
 * that do not snoop.
 */
struct pt_written {
	struct pt_backend *pt;
	struct {
		struct pt_table *table;
		unsigned int first;
		unsigned int last;
	} run[PT_MAX_LEVELS];
};

static inline void pt_written_init(struct pt_written *w, struct pt_backend *pt)
{
	w->pt = pt;
	if (pt->backend.caps.coherent_walk)
		return;
	for (unsigned int i = 0; i < PT_MAX_LEVELS; i++)
		w->run[i].table = NULL;
}

void dmamap_pt_note_written(struct pt_written *w, struct pt_table *t, unsigned int first,
			    unsigned int last);

static inline void pt_note(struct pt_written *w, struct pt_table *t, unsigned int first,
			   unsigned int last)
{
	if (!w->pt->backend.caps.coherent_walk)
		dmamap_pt_note_written(w, t, first, last);
}

void dmamap_pt_clean_written(struct pt_written *w);

/** Clean all that was noted. The host may still have to finish: dmamap_pt_flush(). */
static inline void pt_clean(struct pt_written *w)
{
	if (!w->pt->backend.caps.coherent_walk)
		dmamap_pt_clean_written(w);
}

/** A new table below entry @i of @t, which is 0. NULL without memory. */
struct pt_table *dmamap_pt_add_table(struct pt_written *w, struct pt_table *t, unsigned int i);

/** @t has run empty: the next prune will see to it. */
static inline void pt_list_empty(struct pt_backend *pt, struct pt_table *t)
{
	if (t->listed || t == pt->root)
		return;
	t->listed = true;
	t->next = pt->empty;
	pt->empty = t;
}

void dmamap_pt_prune(struct dma_backend *backend, struct dma_freed *freed);
void dmamap_pt_release(struct dma_backend *backend, struct dma_freed *freed);
void dmamap_pt_trim(struct dma_backend *backend);

/**
 * A failed map has cleared what it had entered (@entered: anything at all). Hardware may have seen that, and the tables
 * made for it; the caller reuses the addresses at once. So invalidate here, and give every empty table back.
 */
void dmamap_pt_undo_done(struct pt_backend *pt, bool entered);

/** Wait for cache maintenance. */
static inline void dmamap_pt_flush(struct pt_backend *pt)
{
	if (!pt->backend.caps.coherent_walk)
		dmamap_cache_flush(pt->host);
}

/** Does no table lie above @last? Spare ones that do are given back. */
bool dmamap_pt_tables_below(struct pt_backend *pt, phys_addr_t last);

/* The format-independent members of struct dma_backend_ops. */
int dmamap_pt_sync_map(struct dma_backend *backend, dma_addr_t iova, uint64_t len);
void dmamap_pt_invalidate(struct dma_backend *backend, dma_addr_t iova, uint64_t len,
			  bool leaf_only);
void dmamap_pt_wait(struct dma_backend *backend);
void dmamap_pt_forget(struct dma_backend *backend, dma_addr_t iova, uint64_t len);
int dmamap_pt_attach(struct dma_backend *backend, struct dma_device *dev);
struct dma_iommu_unit *dmamap_pt_unit_of(struct dma_backend *backend, const struct dma_device *dev);
int dmamap_pt_narrow(struct dma_backend *backend, const struct dma_backend_caps *caps);
void dmamap_pt_detach(struct dma_backend *backend, struct dma_device *dev);
uint64_t dmamap_pt_table_bytes(struct dma_backend *backend);
void dmamap_pt_destroy(struct dma_backend *backend);

/** Make the root. False without memory. */
bool dmamap_pt_make_root(struct pt_backend *pt);
/** Free every table. */
void dmamap_pt_free_tables(struct pt_backend *pt);

#pragma GCC visibility pop

#endif
