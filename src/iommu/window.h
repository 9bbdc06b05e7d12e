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
 *   returned  unmapped and invalidated, by whomever; the shard takes it back by exchange.
 *
 * and in two more, apart:
 *
 *   ends      all granules but those of mappings that are not their last, in windows that have had mappings of several.
 *             Who hands out a run clears its bits, who unmaps it sets them: where nothing is mapped they are set.
 *   pending   unmapped and not invalidated, where unmaps may be lazy.
 *
 * A shard is what one CPU or thread allocates from: its lock is only ever tried on the way of a map, and held for a few
 * stores. It is made for the first map of that CPU that the shard it shared until then cannot serve at once. A window
 * belongs to one shard at a time. Unmapping takes no lock: it finds the window through the domain's index. For that a
 * window's descriptor stays where it is, for its block of addresses, until the domain ends, whether the block is a
 * window at the time or not; and nothing behind it is touched before a bit of heads was won.
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
/** A kind of windows is a limit, or none, or a larger leaf. */
#define WINDOW_KINDS	     (WINDOW_LIMITS + 1 + WINDOW_LARGE)
#define WINDOW_KIND_LARGE(i) (WINDOW_LIMITS + 1 + (i))
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
	uint8_t shard; /* its number */
};

/** Where a shard hands out: a word of its current window. */
struct window_place {
	struct window *window;	  /* read by whoever unmaps, too; NULL: nowhere */
	struct window_word *word; /* NULL then */
	uint64_t *entries;	  /* of its first granule */
	uint64_t granule;
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
	/** Granules handed out, and not yet taken back; and at the most. */
	uint64_t used;
	uint64_t peak;
	struct window_place current[WINDOW_KINDS]; /* that of WINDOW_LIMITS is nowhere, always */
	/** Its windows with pending bits. Pushed by anybody. */
	struct window_lazy *pending;
	/** For the next window that gets a mapping of several granules. */
	struct window_ends *ends;
	/** Windows that got something back since the shard looked at them. Pushed by anybody. */
	struct window *returned;
	/** The others with something free, by the order of their longest run. */
	struct window *list[WINDOW_KINDS][WINDOW_ORDERS];
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

#define WINDOW_SCALE_SHIFT 48u

/** The block of WINDOW_GRANULES leaves of 2^@scale granules that @granule lies in. */
static inline uint64_t window_block(uint64_t granule, unsigned int scale)
{
	return (granule / WINDOW_GRANULES) >> scale | (uint64_t)scale << WINDOW_SCALE_SHIFT;
}

/** The domain's granule that begins @index granules of the window into it. */
static inline uint64_t window_granule(const struct window *w, unsigned int index)
{
	uint64_t block = w->block & (((uint64_t)1 << WINDOW_SCALE_SHIFT) - 1);

	return (block * WINDOW_GRANULES + index) << w->scale;
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

/** @taken granules go out, @back come in. The figures are read by others at any time. */
static inline void shard_count(struct shard *s, uint64_t taken, uint64_t back)
{
	uint64_t used = s->used + taken - back;

	__atomic_store_n(&s->used, used, __ATOMIC_RELAXED);
	if (used > s->peak)
		__atomic_store_n(&s->peak, used, __ATOMIC_RELAXED);
}

/** What was returned to @word, and from now on is not. */
static inline uint64_t word_returned(struct window_word *word)
{
	if (!__atomic_load_n(&word->returned, __ATOMIC_RELAXED))
		return 0;
	return __atomic_exchange_n(&word->returned, 0, __ATOMIC_SEQ_CST);
}

/** Take back what was returned to word @i: the granules of the domain. */
static inline uint64_t window_collect(struct window *w, unsigned int i)
{
	uint64_t bits = word_returned(&w->word[i]);

	w->word[i].free |= bits;
	return (uint64_t)count_bits(bits) << w->scale;
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
 * @n granules, of which 2^@order make the smallest power of two, from @word: the first bit. False: there are none. For
 * several there must be @ends, the same word there.
 */
static inline bool word_take(struct shard *s, struct window_word *word, uint64_t *ends,
			     unsigned int scale, unsigned int n, unsigned int order,
			     unsigned int *at)
{
	uint64_t back = word_returned(word);
	uint64_t free = word->free | back;
	uint64_t run, mask;

	if (!free)
		return false;
	run = window_highest_run(free, order);
	if (!run) {
		word->free = free;
		shard_count(s, 0, (uint64_t)count_bits(back) << scale);
		return false;
	}
	*at = low_bit(run);
	mask = iova_word_mask(*at, *at + n - 1);
	word->free = free & ~mask;
	if (mask != back) /* else as many came in as go out */
		shard_count(s, (uint64_t)n << scale, (uint64_t)count_bits(back) << scale);
	if (n > 1)
		__atomic_fetch_and(ends, ~(mask >> 1) | ~mask, __ATOMIC_RELAXED);
	return true;
}

/** The same from word @i. */
static inline bool window_take_word(struct shard *s, struct window *w, unsigned int i,
				    unsigned int n, unsigned int order, unsigned int *index)
{
	unsigned int at;

	if (!word_take(s, &w->word[i], n > 1 ? &w->ends->word[i] : NULL, w->scale, n, order, &at))
		return false;
	*index = i * 64 + at;
	return true;
}

/** The word of its window that @place is in. */
static inline unsigned int place_index(const struct window_place *place)
{
	return (unsigned int)(place->word - place->window->word);
}

/** The word of ends that goes with @place; NULL: its window has none, or there is no window. */
static inline uint64_t *place_ends(const struct window_place *place)
{
	if (!place->word || !place->window->ends)
		return NULL;
	return &place->window->ends->word[place_index(place)];
}

static inline void place_in(struct window_place *place, struct window *w, unsigned int i)
{
	place->word = &w->word[i];
	place->entries = &w->entries[(size_t)i * 64];
	place->granule = window_granule(w, i * 64);
}

/** A run at @place, as window_take_word(). */
static inline bool place_take(struct shard *s, const struct window_place *place, unsigned int n,
			      unsigned int order, struct span *span)
{
	if (!place->word || (n > 1 && !place->window->ends))
		return false;
	span->window = place->window;
	span->granules = n;
	return window_take_word(s, place->window, place_index(place), n, order, &span->index);
}

/** One granule at @place, one of the smallest: the one that came back last, if any. False: nothing is free there. */
static inline bool place_take_one(struct shard *s, const struct window_place *place,
				  unsigned int *at)
{
	struct window_word *word = place->word;
	uint64_t back, free;

	if (!word)
		return false;
	back = word_returned(word);
	free = word->free | back;
	if (!free)
		return false;
	*at = high_bit(free);
	word->free = free ^ (uint64_t)1 << *at;
	if (!is_power_of_two(back)) /* else one goes out, and one came in */
		shard_count(s, 1, count_bits(back));
	return true;
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
 * A run for mappings of kind @kind, from the windows that the shard has. False: it has none with such a run, or
 * needs window_ends for it and has none.
 */
bool dmamap_shard_take(struct shard *s, unsigned int kind, unsigned int n, unsigned int order,
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
