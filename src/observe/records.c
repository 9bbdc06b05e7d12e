/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of a history: lists, chains, look-ups; see history.h. The lock is held throughout. */
#include "history.h"

#define CLASS_MIN 12u

/* --- lists */

static void list_push(struct dma_history *h, struct record_list *list, struct record *record)
{
	uint32_t at = (uint32_t)(record - h->records);

	record->next = NO_RECORD;
	record->prev = list->last;
	if (list->last == NO_RECORD)
		list->first = at;
	else
		h->records[list->last].next = at;
	list->last = at;
}

static void list_drop(struct dma_history *h, struct record_list *list, const struct record *record)
{
	if (record->next == NO_RECORD)
		list->last = record->prev;
	else
		h->records[record->next].prev = record->prev;
	if (record->prev == NO_RECORD)
		list->first = record->next;
	else
		h->records[record->prev].next = record->next;
}

/** The oldest, or NULL. */
static struct record *list_first(const struct dma_history *h, const struct record_list *list)
{
	return list->first == NO_RECORD ? NULL : &h->records[list->first];
}

/* --- chains */

static unsigned int class_of(uint64_t len)
{
	unsigned int class = ceil_log2(len);

	if (class < CLASS_MIN)
		return CLASS_MIN;
	return class < 63 ? class : 63;
}

static uint32_t *chain_of(const struct dma_history *h, const void *space, unsigned int class,
			  uint64_t block)
{
	uint64_t hash = (uint64_t)(uintptr_t)space ^ block << 6 ^ class;

	hash = (hash ^ hash >> 31) * 0x9e3779b97f4a7c15ull;
	return &h->chains[hash >> 32 & h->chain_mask];
}

static void chain_push(struct dma_history *h, struct record *record)
{
	uint32_t *chain =
		chain_of(h, record->space, record->class, record->r.dma_addr >> record->class);
	uint32_t at = (uint32_t)(record - h->records);

	record->chain_prev = NO_RECORD;
	record->chain_next = *chain;
	if (*chain != NO_RECORD)
		h->records[*chain].chain_prev = at;
	*chain = at;
}

static void chain_drop(struct dma_history *h, const struct record *record)
{
	if (record->chain_next != NO_RECORD)
		h->records[record->chain_next].chain_prev = record->chain_prev;
	if (record->chain_prev != NO_RECORD)
		h->records[record->chain_prev].chain_next = record->chain_next;
	else
		*chain_of(h, record->space, record->class, record->r.dma_addr >> record->class) =
			record->chain_next;
}

/** The records of one space, class and block. */
struct chain_walk {
	const struct dma_history *h;
	const void *space;
	unsigned int class;
	uint64_t block;
	uint32_t next;
};

static struct chain_walk chain_walk(const struct dma_history *h, const void *space,
				    unsigned int class, uint64_t block)
{
	return (struct chain_walk){ h, space, class, block, *chain_of(h, space, class, block) };
}

static struct record *chain_step(struct chain_walk *w)
{
	while (w->next != NO_RECORD) {
		struct record *record = &w->h->records[w->next];

		w->next = record->chain_next;
		if (record->space == w->space && record->class == w->class &&
		    record->r.dma_addr >> w->class == w->block)
			return record;
	}
	return NULL;
}

/* --- making room */

void dmamap_records_init(struct dma_history *h)
{
	h->live = h->gone = h->unused = (struct record_list){ NO_RECORD, NO_RECORD };
	for (uint32_t i = 0; i <= h->chain_mask; i++)
		h->chains[i] = NO_RECORD;
	for (uint32_t i = 0; i < h->stats.capacity; i++)
		list_push(h, &h->unused, &h->records[i]);
}

/** Take a record out of everything. */
static void forget(struct dma_history *h, struct record *record)
{
	chain_drop(h, record);
	list_drop(h, record->r.live ? &h->live : &h->gone, record);
	h->stats.records--;
	h->stats.live -= record->r.live;
}

void dmamap_records_forget_live(struct dma_history *h)
{
	struct record *record;

	while ((record = list_first(h, &h->live))) {
		forget(h, record);
		list_push(h, &h->unused, record);
		h->stats.forgotten++;
		h->stats.forgotten_live++;
	}
}

static struct record *take_record(struct dma_history *h)
{
	struct record *record = list_first(h, &h->unused);

	if (record) {
		list_drop(h, &h->unused, record);
		return record;
	}
	record = list_first(h, &h->gone);
	if (!record)
		record = list_first(h, &h->live);
	h->stats.forgotten++;
	h->stats.forgotten_live += record->r.live;
	forget(h, record);
	return record;
}

/**
 * A record that the new one makes pointless, because it is gone, begins there too and is no longer: its place is
 * taken. In a domain nothing else can live at the new one's address: what seems to has been unmapped, by a call that
 * will tell so later.
 */
static struct record *reuse_record(struct dma_history *h, const void *space,
				   const struct dma_history_record *r, uint32_t *late)
{
	unsigned int class = class_of(r->len);
	struct chain_walk w = chain_walk(h, space, class, r->dma_addr >> class);
	struct record *record;

	for (unsigned int i = 0; i < 16; i++) {
		record = chain_step(&w);
		if (!record)
			return NULL;
		if (record->r.dma_addr != r->dma_addr || record->r.len > r->len ||
		    (record->r.live && !r->domain))
			continue;
		*late = record->late_unmaps + record->r.live;
		forget(h, record);
		return record;
	}
	return NULL;
}

void dmamap_records_add(struct dma_history *h, const void *space,
			const struct dma_history_record *r, uint64_t now)
{
	uint32_t late = 0;
	struct record *record = reuse_record(h, space, r, &late);

	if (!record)
		record = take_record(h);
	record->r = *r;
	record->r.live = true;
	record->r.mapped_ns = now;
	record->r.unmapped_ns = 0;
	record->space = space;
	record->serial = ++h->serial;
	record->class = class_of(r->len);
	record->untrusted = dmamap_dev(r->device)->untrusted;
	record->late_unmaps = late;
	h->classes |= (uint64_t)1 << record->class;
	chain_push(h, record);
	list_push(h, &h->live, record);
	h->stats.records++;
	h->stats.live++;
}

/* --- unmapping */

static struct record *live_in_block(struct dma_history *h, const void *space, unsigned int class,
				    dma_addr_t addr, uint64_t len)
{
	struct chain_walk w = chain_walk(h, space, class, addr >> class);
	struct record *record = chain_step(&w);

	while (record &&
	       (!record->r.live || record->r.dma_addr != addr || (len && record->r.len != len)))
		record = chain_step(&w);
	return record;
}

struct record *dmamap_records_live(struct dma_history *h, const void *space, dma_addr_t addr,
				   uint64_t len)
{
	if (len)
		return live_in_block(h, space, class_of(len), addr, len);
	for (uint64_t left = h->classes; left; left &= left - 1) {
		struct record *record = live_in_block(h, space, low_bit(left), addr, 0);

		if (record)
			return record;
	}
	return NULL;
}

void dmamap_records_end(struct dma_history *h, struct record *record, uint64_t now)
{
	if (record->late_unmaps) {
		record->late_unmaps--;
		return;
	}
	list_drop(h, &h->live, record);
	list_push(h, &h->gone, record);
	record->r.live = false;
	record->r.unmapped_ns = now;
	h->stats.live--;
}

/* --- looking up */

/** Is @record a better answer than @best? */
static bool is_better(const struct record *record, const struct record *best)
{
	if (!best || record->r.live != best->r.live)
		return !best || record->r.live;
	return record->serial > best->serial;
}

struct record *dmamap_records_holding(struct dma_history *h, const void *space, dma_addr_t addr)
{
	struct record *best = NULL;

	for (uint64_t left = h->classes; left; left &= left - 1) {
		unsigned int class = low_bit(left);
		uint64_t block = addr >> class;

		for (uint64_t b = block ? block - 1 : 0; b <= block; b++) {
			struct chain_walk w = chain_walk(h, space, class, b);
			struct record *record;

			while ((record = chain_step(&w)))
				if (addr - record->r.dma_addr < record->r.len &&
				    is_better(record, best))
					best = record;
		}
	}
	return best;
}

/** Bytes from the end of @record to @addr; all ones if that lies before or in it. */
static uint64_t past_end(const struct record *record, dma_addr_t addr)
{
	uint64_t at = addr - record->r.dma_addr;

	return addr >= record->r.dma_addr && at >= record->r.len ? at - record->r.len
								 : ~(uint64_t)0;
}

/** The nearest end decides, but that of a live mapping comes first. */
static bool is_nearer(const struct record *record, const struct record *best, dma_addr_t addr)
{
	uint64_t past = past_end(record, addr);

	if (past >= PAST_END)
		return false;
	if (!best || record->r.live != best->r.live)
		return !best || record->r.live;
	if (past != past_end(best, addr))
		return past < past_end(best, addr);
	return record->serial > best->serial;
}

struct record *dmamap_records_before(struct dma_history *h, const void *space, dma_addr_t addr)
{
	struct record *best = NULL;

	for (uint64_t left = h->classes; left; left &= left - 1) {
		unsigned int class = low_bit(left);
		uint64_t reach = PAST_END + ((uint64_t)1 << class);
		uint64_t first = addr < reach ? 0 : (addr - reach) >> class;

		for (uint64_t b = first; b <= addr >> class; b++) {
			struct chain_walk w = chain_walk(h, space, class, b);
			struct record *record;

			while ((record = chain_step(&w)))
				if (is_nearer(record, best, addr))
					best = record;
		}
	}
	return best;
}
