/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows and shards: where small ranges of I/O addresses come from.
 *
 * A window is a block of WINDOW_GRANULES granules, aligned to its size, taken whole from the address space and pinned
 * whole in a lowest table; or of as many larger leaves in a table of their level, which then are its granules. A mapping
 * of 1 to WINDOW_RUN granules is a run of bits of it, aligned to its size rounded up to a power of two, so that it never
 * leaves its word. What lives in a window is in bitmaps:
 *
 *   free      may be handed out. The shard's, under its lock.
 *   heads     the first granule of each live mapping. Set when the mapping is complete; who clears a bit of it has the
 *             right to unmap, and nobody else has it until the run is handed out again.
 *   returned  unmapped and invalidated, by whomever; the shard takes it back, atomically: all of it, a bit, a run.
 *
 * and in two more, apart:
 *
 *   ends      all granules but those of mappings that are not their last, in windows that have had mappings of several.
 *             Who hands out a run clears its bits, who unmaps it sets them: where nothing is mapped they are set.
 *   pending   unmapped and not invalidated, where unmaps may be lazy.
 *
 * A shard is what one CPU or thread allocates from: its lock is only ever tried on the short way of a map, and held
 * for a few stores, by figures for a look at all windows. It is made for the first map of that CPU that the shard it
 * shared until then cannot serve at once. A window belongs to one shard at a time. Unmapping needs no lock (only who
 * empties a window that no shard looks into tries one, to see whether tables can go back): it finds the window through
 * the domain's index. For that a window's descriptor stays where it is, for its block of addresses, until the domain
 * ends, whether the block is a window at the time or not; and nothing behind it is touched before a bit of heads was
 * won.
 */
#ifndef DMAMAP_IOMMU_WINDOW_H
#define DMAMAP_IOMMU_WINDOW_H

#include "iova_tree.h"

#pragma GCC visibility push(hidden)

#define WINDOW_GRANULES 512u
#define WINDOW_WORDS	8u
#define WINDOW_RUN	64u
/** Different highest addresses for which a shard has a current window, and sizes of larger leaves for which it has one. */
#define WINDOW_LIMITS 4u
#define WINDOW_LARGE  2u
/** A window of larger leaves is made only where it is a small part of the addresses: leaves below the limit. */
#define WINDOW_SHARE ((uint64_t)64 * WINDOW_GRANULES)
/** A kind of windows is a limit, or a larger leaf. A shard has a place for each, and one that is nowhere, always. */
#define WINDOW_KINDS	     (WINDOW_LIMITS + WINDOW_LARGE)
#define WINDOW_KIND_LARGE(i) (WINDOW_LIMITS + (i))
#define WINDOW_NOWHERE	     WINDOW_KINDS
/** Lists of a shard's windows, by the order of their longest run. */
#define WINDOW_ORDERS 7u

struct shard;
struct window;

struct window_ends {
	uint64_t word[WINDOW_WORDS];
};

/** What a window needs where unmaps may wait for a flush. */
struct window_lazy {
	uint64_t pending[WINDOW_WORDS];
	struct window_lazy *next; /* in the shard's list of windows with pending bits */
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

/** 64 granules. */
struct window_word {
	uint64_t free;
	uint64_t heads;
	uint64_t returned;
};

struct window {
	struct window_word word[WINDOW_WORDS];

	uint64_t block; /* window_block() of its granules, for ever */
	uint64_t *entries;
	struct window_ends *ends; /* NULL: all set */
	struct window_lazy *lazy;
	struct window *next_returned; /* in the shard's stack */
	struct window *prev;	      /* in a list of the shard, or while it is being given back */
	struct window *next;
	uint8_t kind;
	uint8_t scale; /* log2 of the domain's granules in one of its own, for ever */
	uint8_t order; /* of its longest run, plus 1, when it is in a list; else 0 */
	bool live;     /* the block is a window */
	bool current;  /* the shard looks into it by itself */
	bool stacked;  /* in the stack, or on the way into it */
	bool closed;   /* nothing is ever free in it again, whatever comes back */
	uint8_t shard; /* its number */
};

/**
 * Where a shard hands out granules of one kind: a word of its current window; else one of the shard's own, in which nothing
 * is ever free. What goes out here, and what comes back here, is not counted: it is the difference to what is free.
 */
struct window_place {
	struct window *window; /* read by whoever unmaps, too; NULL: nowhere */
	struct window_word *word;
	uint64_t *ends;	   /* the same word there; NULL: the window has none */
	uint64_t *entries; /* of its first granule */
	uint64_t granule;  /* the number of that, in granules of the window's own */
	uint32_t first;	   /* the same in the window */
	/** Granules of this kind that the shard has handed out, and those that are free here; of the former, at the most. */
	uint64_t used;
	uint64_t peak;
};

struct shard {
	uint32_t lock;
	uint32_t number;
	/** All of the domain by number, and another one. */
	struct shard **shards;
	struct shard *next;
	/** Lazy unmaps in its windows since the last flush, and when the first of them was. Whoever unmaps counts here. */
	uint32_t waiting;
	uint64_t oldest;
	uint64_t invalidations;
	struct window_word nowhere;
	struct window_place current[WINDOW_KINDS + 1];
	/** Its windows with pending bits. Pushed by anybody. */
	struct window_lazy *pending;
	/** For the next window that gets a mapping of several granules. */
	struct window_ends *ends;
	/** Windows that got something back since the shard looked at them. Pushed by anybody. */
	struct window *returned;
	/** The others with something free, by the order of their longest run. */
	struct window *list[WINDOW_KINDS][WINDOW_ORDERS];
} __attribute__((aligned(64)));

/** Where in a shard its place of @kind is, in bytes: what short ways look up instead of a kind. */
static inline size_t shard_place(unsigned int kind)
{
	return offsetof(struct shard, current) + kind * sizeof(struct window_place);
}

/** That place. */
static inline struct window_place *shard_at(struct shard *s, size_t place)
{
	void *at = (char *)s + place;

	return at;
}

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

#define WINDOW_SCALE_SHIFT 48u

/** @n bits from @bit on, 1 to WINDOW_RUN, of one word. */
static inline uint64_t run_mask(unsigned int bit, unsigned int n)
{
	return ~(uint64_t)0 >> (64 - n) << bit;
}

/** The block of WINDOW_GRANULES leaves of 2^@scale granules that number @leaf of these lies in. */
static inline uint64_t window_block_of(uint64_t leaf, unsigned int scale)
{
	return leaf / WINDOW_GRANULES | (uint64_t)scale << WINDOW_SCALE_SHIFT;
}

/** The same for a granule of the domain. */
static inline uint64_t window_block(uint64_t granule, unsigned int scale)
{
	return window_block_of(granule >> scale, scale);
}

/** The number of the first of its own granules. */
static inline uint64_t window_leaf_number(const struct window *w)
{
	return (w->block & (((uint64_t)1 << WINDOW_SCALE_SHIFT) - 1)) * WINDOW_GRANULES;
}

/** The number of the domain's granule that the one behind @index others begins. */
static inline uint64_t window_granule(const struct window *w, unsigned int index)
{
	return (window_leaf_number(w) + index) << w->scale;
}

static inline uint64_t window_first(const struct window *w)
{
	return window_granule(w, 0);
}

static inline unsigned int window_slot_of(uint64_t block, unsigned int bits)
{
	return (unsigned int)((block * 0x9e3779b97f4a7c15u) >> (64 - bits));
}

/** The window of @block, now or in former times; NULL: it never was one. Any context, no lock. */
static inline struct window *window_of_block(struct window_index *const *indexp, uint64_t block)
{
	const struct window_index *index = __atomic_load_n(indexp, __ATOMIC_ACQUIRE);
	struct window *w;
	unsigned int i;

	if (!index)
		return NULL;
	i = window_slot_of(block, index->bits);
	while ((w = __atomic_load_n(&index->slot[i], __ATOMIC_ACQUIRE)) && w->block != block)
		i = (i + 1) & ((1u << index->bits) - 1);
	return w;
}

/** The same for the block of smallest pages that @granule lies in. */
static inline struct window *window_find(struct window_index *const *indexp, uint64_t granule)
{
	return window_of_block(indexp, window_block(granule, 0));
}

static inline bool window_is_live(const struct window *w)
{
	return __atomic_load_n(&w->live, __ATOMIC_ACQUIRE);
}

/* --- a shard's own; its lock is held */

static inline bool shard_try(struct shard *s)
{
	return !__atomic_exchange_n(&s->lock, 1, __ATOMIC_ACQUIRE);
}

static inline void shard_unlock(struct shard *s)
{
	__atomic_store_n(&s->lock, 0, __ATOMIC_RELEASE);
}

void dmamap_shard_lock(struct shard *s);

/** What was returned to @word, and from now on is not. */
static inline uint64_t word_returned(struct window_word *word)
{
	if (!__atomic_load_n(&word->returned, __ATOMIC_RELAXED))
		return 0;
	return __atomic_exchange_n(&word->returned, 0, __ATOMIC_SEQ_CST);
}

/** The highest run of 2^@order free granules; 0: there is none. */
static inline uint64_t window_highest_run(uint64_t free, unsigned int order)
{
	unsigned int size = 1u << order;
	uint64_t run = ~(uint64_t)0 << (64 - size);

	if (order < 4) {
		for (unsigned int r = 0; r < order; r++)
			free = iova_pair_runs(free, r);
		return free ? run >> (64 - size - high_bit(free)) : 0;
	}
	/* few places */
	while (run & ~free)
		run = run >> (size - 1) >> 1;
	return run;
}

/**
 * Where @n granules are free, of which 2^@order make the smallest power of two: the bits, which begin with a multiple of
 * that. 0: nowhere.
 */
static inline uint64_t window_find_run(uint64_t free, unsigned int n, unsigned int order)
{
	uint64_t run;

	if (!free)
		return 0;
	run = run_mask((unsigned int)round_down(high_bit(free), (uint64_t)1 << order), n);
	if (!(run & ~free))
		return run;
	run = window_highest_run(free, order);
	return run ? run_mask(low_bit(run), n) : 0;
}

#define PLACE_NONE (-1)

/** @run goes out: its first bit. */
static inline int place_hand_out(const struct window_place *place, uint64_t run)
{
	if (run & (run - 1))
		__atomic_fetch_and(place->ends, ~(run & run >> 1), __ATOMIC_RELAXED);
	return (int)low_bit(run);
}

/** The same of a run that is free, as window_find_run(). PLACE_NONE: @run is 0. */
static inline int place_take_run(const struct window_place *place, uint64_t run)
{
	if (!run)
		return PLACE_NONE;
	place->word->free &= ~run;
	return place_hand_out(place, run);
}

/** One granule at @place, of what came back, if anything did: others only add to that. PLACE_NONE: there is none. */
static inline int place_take_one(const struct window_place *place)
{
	struct window_word *word = place->word;
	uint64_t back = __atomic_load_n(&word->returned, __ATOMIC_RELAXED);
	unsigned int at;

	if (__builtin_expect(back != 0, 1)) {
		at = high_bit(back);
		__atomic_fetch_and(&word->returned, ~((uint64_t)1 << at), __ATOMIC_SEQ_CST);
		return (int)at;
	}
	if (!word->free)
		return PLACE_NONE;
	at = high_bit(word->free);
	word->free ^= (uint64_t)1 << at;
	return (int)at;
}

/** Is @back just a run of @n, where one may begin? */
static inline bool is_run_back(uint64_t back, unsigned int n, unsigned int order)
{
	unsigned int bit = low_bit(back);

	return back == run_mask(bit, n) && !(bit & ((1u << order) - 1));
}

/**
 * A run of @n at @place: its first bit. PLACE_NONE: there is none in what is known to be free, or something else came
 * back, and dmamap_shard_take() looks further. Who maps ranges of one size again and again gets what he just gave back.
 */
static inline int place_take(const struct window_place *place, unsigned int n, unsigned int order)
{
	struct window_word *word = place->word;
	uint64_t back = __atomic_load_n(&word->returned, __ATOMIC_RELAXED);

	if (n == 1)
		return place_take_one(place);
	if (!place->ends)
		return PLACE_NONE;
	if (!back)
		return place_take_run(place, window_find_run(word->free, n, order));
	if (!is_run_back(back, n, order) ||
	    !__atomic_compare_exchange_n(&word->returned, &back, 0, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_RELAXED))
		return PLACE_NONE;
	return place_hand_out(place, back);
}

/** What place_take() took. */
static inline struct span place_span(const struct window_place *place, int at, unsigned int n)
{
	return (struct span){ place->window, place->first + (unsigned int)at, n };
}

/** The word of ends that a mapping's granules are in. */
static inline uint64_t window_ends_of(const struct window *w, unsigned int i)
{
	const struct window_ends *ends = __atomic_load_n(&w->ends, __ATOMIC_ACQUIRE);

	return ends ? __atomic_load_n(&ends->word[i], __ATOMIC_RELAXED) : ~(uint64_t)0;
}

/** Before the run with @bits of word @i comes back: it is no mapping any more. */
static inline void window_forget_ends(struct window *w, unsigned int i, uint64_t bits)
{
	if (bits & (bits - 1))
		__atomic_fetch_or(&w->ends->word[i], bits, __ATOMIC_RELAXED);
}

/**
 * A run of the kind of @here, from the windows that the shard has, where place_take() found none: its first bit there,
 * wherever that place is then. PLACE_NONE: there is none, or it needs window_ends.
 */
int dmamap_shard_take(struct shard *s, struct window_place *here, unsigned int n,
		      unsigned int order);

/** A shard without windows. */
void dmamap_shard_init(struct shard *s, uint32_t number, struct shard **shards);

/** Granules of @kind that went out and were not taken back; and at the most. */
uint64_t dmamap_shard_used(struct shard *s, unsigned int kind, uint64_t *peak);

/** From now on @free is free in word @i of @w, a window of the shard, and neither by taking nor by giving back. */
void dmamap_window_set_free(struct shard *s, struct window *w, unsigned int i, uint64_t free);

/** The same is over: @w is found by what is free in it now. */
void dmamap_window_replace(struct shard *s, struct window *w);

/** Nothing is handed out of @w any more, a window of the shard; what is out comes back to nobody. */
void dmamap_window_close(struct shard *s, struct window *w);

/** Take back what was returned to @w, a window of the shard. */
void dmamap_window_collect(struct shard *s, struct window *w);

/** The shard gets @w, of which all is free, as its current window. */
void dmamap_shard_add(struct shard *s, struct window *w);

/** Take out of the shard the windows of which all is free, and chain them to @idle: the current ones only if @all. */
void dmamap_shard_drop_idle(struct shard *s, bool all, struct window **idle);

/** If nothing is in @w but pending bits, forget them and take it out of the shard; else false. */
bool dmamap_shard_drop_pending(struct shard *s, struct window *w);

/* --- anybody's */

/** @w is not current, and got something back: its shard, one of @shards, must hear of it. */
void dmamap_window_notify(struct shard *const *shards, struct window *w);

/** The run that begins at @bit, and that the caller took, is a mapping from now on: its entries are written. */
static inline void word_publish(struct window_word *word, unsigned int bit)
{
	__atomic_fetch_or(&word->heads, (uint64_t)1 << bit, __ATOMIC_RELEASE);
}

/** Where unmaps in @w may wait; NULL: they may not. */
static inline struct window_lazy *window_lazy_of(const struct window *w)
{
	return __atomic_load_n(&w->lazy, __ATOMIC_ACQUIRE);
}

/** Does nothing live in @w? No shard's lock is held; false also if somebody else has that of its shard. */
bool dmamap_window_is_empty(struct shard *const *shards, const struct window *w);

#pragma GCC visibility pop

#endif
