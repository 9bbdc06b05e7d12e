/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows and shards: where small ranges of I/O addresses come from.
 *
 * A window is a block of WINDOW_GRANULES granules, aligned to its size, taken whole from the address space and pinned
 * whole in a lowest table. A mapping of 1 to WINDOW_RUN granules is a run of bits of it, aligned to its size rounded up
 * to a power of two, so that it never leaves its word. What lives in a window is in three bitmaps:
 *
 *   free      may be handed out. The shard's, under its lock.
 *   heads     the first granule of each live mapping. Set when the mapping is complete; who clears a bit of it has the
 *             right to unmap, and nobody else has it until the run is handed out again.
 *   returned  unmapped and invalidated, by whomever; the shard takes it back by exchange.
 *
 * and in two more, apart:
 *
 *   ends      the last granule of each mapping, in windows with mappings of several. Written by the shard when it hands
 *             out, under its lock. A window without it has only mappings of one granule.
 *   pending   unmapped and not invalidated, where unmaps may be lazy.
 *
 * A shard is what one CPU or thread allocates from: its lock is only ever tried on the way of a map, and held for a few
 * stores. It is made for the first map of that CPU that the shard it shared until then cannot serve at once. A window belongs to one shard at a time. Unmapping takes no lock: it finds the window through the domain's
 * index. For that a window's descriptor stays where it is, for its block of addresses, until the domain ends, whether
 * the block is a window at the time or not; and nothing behind it is touched before a bit of heads was won.
 */
#ifndef DMAMAP_IOMMU_WINDOW_H
#define DMAMAP_IOMMU_WINDOW_H

#include "iova_tree.h"

#pragma GCC visibility push(hidden)

#define WINDOW_GRANULES 512u
#define WINDOW_WORDS	8u
#define WINDOW_RUN	64u
/** Different highest addresses for which a shard has a current window. */
#define WINDOW_LIMITS 4u
/** Lists of a shard's windows, by the order of their longest run. */
#define WINDOW_ORDERS 7u

struct shard;
struct window;

/** The last granules of mappings; all of them, where none has more than one. */
struct window_ends {
	uint64_t word[WINDOW_WORDS];
};

/** What a window needs where unmaps may wait for a flush. */
struct window_lazy {
	uint64_t pending[WINDOW_WORDS];
	struct window_lazy *next; /* in the domain's list of windows with pending bits */
	struct window *window;
	bool listed;
};

/**
 * Blocks come from the address space in groups where it has room for them: that is one bit for all of them in its tree,
 * where single ones would need a node.
 */
struct window_group {
	struct window_group *next;
	uint64_t first; /* block */
	uint32_t taken; /* blocks that are windows, as a bitmap */
	uint32_t gone;	/* blocks that the address space has back already */
};

struct window {
	uint64_t free[WINDOW_WORDS];
	uint64_t heads[WINDOW_WORDS];
	uint64_t returned[WINDOW_WORDS];

	uint64_t block; /* its first granule / WINDOW_GRANULES, for ever */
	uint64_t *entries;
	struct window_ends *ends;
	struct window_lazy *lazy;
	struct window *next_returned; /* in the shard's stack */
	struct window *prev;	      /* in a list of the shard, or while it is being given back */
	struct window *next;
	uint8_t limit; /* index of the limit that it lies below */
	uint8_t word;  /* in which the shard looks first */
	uint8_t order; /* of its longest run, plus 1, when it is in a list; else 0 */
	bool live;     /* the block is a window */
	bool current;  /* the shard looks into it by itself */
	bool stacked;  /* in the stack, or on the way into it */
	uint8_t shard; /* its number */
};

struct shard {
	uint32_t lock;
	uint32_t number;
	/** All of the domain by number, and another one. */
	struct shard **shards;
	struct shard *next;
	/** Lazy unmaps since the last flush, and when the first of them was. Whoever unmaps counts here. */
	uint32_t waiting;
	uint64_t oldest;
	uint64_t invalidations;
	/** Granules handed out, and not yet taken back; and at the most. */
	uint64_t used;
	uint64_t peak;
	struct window *current[WINDOW_LIMITS];
	/** For the next window that gets a mapping of several granules. */
	struct window_ends *ends;
	/** Windows that got something back since the shard looked at them. Pushed by anybody. */
	struct window *returned;
	/** The others with something free, by the order of their longest run. */
	struct window *list[WINDOW_LIMITS][WINDOW_ORDERS];
} __attribute__((aligned(64)));

/** Windows by block: open addressing. Grown by a copy; those before stay until the domain ends, for who still reads. */
struct window_index {
	struct window_index *older;
	unsigned int bits;
	unsigned int used;
	struct window *slot[];
};

/** A run that was handed out. */
struct span {
	struct window *window;
	unsigned int index;
	unsigned int granules;
};

static inline uint64_t window_first(const struct window *w)
{
	return w->block * WINDOW_GRANULES;
}

static inline unsigned int window_slot_of(uint64_t block, unsigned int bits)
{
	return (unsigned int)((block * 0x9e3779b97f4a7c15u) >> (64 - bits));
}

/** The window that @granule belongs to, or belonged to; NULL: it never was in one. Any context, no lock. */
static inline struct window *window_find(struct window_index *const *indexp, uint64_t granule)
{
	const struct window_index *index = __atomic_load_n(indexp, __ATOMIC_ACQUIRE);
	uint64_t block = granule / WINDOW_GRANULES;
	struct window *w;
	unsigned int i;

	if (!index)
		return NULL;
	i = window_slot_of(block, index->bits);
	while ((w = __atomic_load_n(&index->slot[i], __ATOMIC_ACQUIRE)) && w->block != block)
		i = (i + 1) & ((1u << index->bits) - 1);
	return w;
}

static inline bool window_is_live(const struct window *w)
{
	return __atomic_load_n(&w->live, __ATOMIC_ACQUIRE);
}

/* --- a shard's own; its lock is held */

static inline bool shard_try(struct shard *s)
{
	return !__atomic_load_n(&s->lock, __ATOMIC_RELAXED) &&
	       !__atomic_exchange_n(&s->lock, 1, __ATOMIC_ACQUIRE);
}

static inline void shard_unlock(struct shard *s)
{
	__atomic_store_n(&s->lock, 0, __ATOMIC_RELEASE);
}

void dmamap_shard_lock(struct shard *s);

/** @taken granules go out, @back come in. The figures are read by others at any time. */
static inline void shard_count(struct shard *s, uint64_t taken, uint64_t back)
{
	uint64_t used = s->used + taken - back;

	__atomic_store_n(&s->used, used, __ATOMIC_RELAXED);
	if (used > s->peak)
		__atomic_store_n(&s->peak, used, __ATOMIC_RELAXED);
}

/** Take back what was returned to word @i: the granules. */
static inline uint64_t window_collect(struct window *w, unsigned int i)
{
	uint64_t bits;

	if (!__atomic_load_n(&w->returned[i], __ATOMIC_RELAXED))
		return 0;
	bits = __atomic_exchange_n(&w->returned[i], 0, __ATOMIC_SEQ_CST);
	w->free[i] |= bits;
	return count_bits(bits);
}

/** @n granules, of which 2^@order make the smallest power of two, from word @i. */
static inline bool window_take_word(struct shard *s, struct window *w, unsigned int i,
				    unsigned int n, unsigned int order, unsigned int *index)
{
	uint64_t back = window_collect(w, i);
	uint64_t runs = w->free[i];
	uint64_t mask;
	unsigned int at;

	for (unsigned int r = 0; r < order; r++)
		runs = iova_pair_runs(runs, r);
	shard_count(s, runs ? n : 0, back);
	if (!runs)
		return false;
	at = high_bit(runs);
	mask = iova_word_mask(at, at + n - 1);
	w->free[i] &= ~mask;
	if (w->ends)
		__atomic_store_n(&w->ends->word[i],
				 (w->ends->word[i] & ~mask) | (uint64_t)1 << (at + n - 1),
				 __ATOMIC_RELAXED);
	*index = i * 64 + at;
	return true;
}

/** The word of ends that a mapping's granules are in; see window_ends. */
static inline uint64_t window_ends_of(const struct window *w, unsigned int i)
{
	const struct window_ends *ends = __atomic_load_n(&w->ends, __ATOMIC_ACQUIRE);

	return ends ? __atomic_load_n(&ends->word[i], __ATOMIC_RELAXED) : ~(uint64_t)0;
}

/**
 * A run for mappings below limit @limit, from the windows that the shard has. False: it has none with such a run, or
 * needs window_ends for it and has none.
 */
bool dmamap_shard_take(struct shard *s, unsigned int limit, unsigned int n, unsigned int order,
		       struct span *span);

/** The shard gets @w, of which all is free, as its current window. */
void dmamap_shard_add(struct shard *s, struct window *w);

/** Take out of the shard the windows of which all is free, and chain them to @idle: the current ones only if @all. */
void dmamap_shard_drop_idle(struct shard *s, bool all, struct window **idle);

/** If nothing is in @w but pending bits, forget them and take it out of the shard; else false. */
bool dmamap_shard_drop_pending(struct shard *s, struct window *w);

/* --- anybody's */

/** @w is not current, and got something back: its shard, one of @shards, must hear of it. */
void dmamap_window_notify(struct shard *const *shards, struct window *w);

/** Where unmaps in @w may wait; NULL: they may not. */
static inline struct window_lazy *window_lazy_of(const struct window *w)
{
	return __atomic_load_n(&w->lazy, __ATOMIC_ACQUIRE);
}

/** Does nothing live in @w? No shard's lock is held; false also if somebody else has that of its shard. */
bool dmamap_window_is_empty(struct shard *const *shards, const struct window *w);

#pragma GCC visibility pop

#endif
