/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The windows of one shard.
 *
 * A window with something free is current, or in the list of the order of its longest run; one with nothing free is
 * nowhere, until something comes back and whoever gave it back pushes the window on the shard's stack. The flag
 * `stacked` belongs to who pushes from the moment it is set, and is cleared only by who pops; so a window is never in
 * the stack twice, wherever it is otherwise. A current window is not pushed: the shard looks into it by itself, and once
 * more after it said that it will not any longer. So nothing that was returned is ever overlooked.
 */
#include "window.h"

#include "base/device.h"
#include "base/mem.h"

void dmamap_shard_lock(struct shard *s)
{
	while (!shard_try(s))
		while (__atomic_load_n(&s->lock, __ATOMIC_RELAXED))
			;
}

/* --- places, and counting */

static uint64_t used_at(struct window_place *here)
{
	uint64_t used = here->used - count_bits(here->word->free);

	if (used > here->peak)
		here->peak = used;
	return used;
}

uint64_t dmamap_shard_used(struct shard *s, unsigned int kind, uint64_t *peak)
{
	struct window_place *here = &s->current[kind];
	uint64_t used = used_at(here);

	*peak = here->peak;
	return used;
}

void dmamap_window_set_free(struct shard *s, struct window *w, unsigned int i, uint64_t free)
{
	struct window_place *here = &s->current[w->kind];

	if (here->word == &w->word[i])
		here->used = used_at(here) + count_bits(free);
	w->word[i].free = free;
}

/** @bits of @word, which were out, are free. */
static void add_free(struct window_place *here, struct window_word *word, uint64_t bits)
{
	word->free |= bits;
	if (word != here->word)
		here->used -= count_bits(bits);
}

static bool has_returned(const struct window_word *word)
{
	return __atomic_load_n(&word->returned, __ATOMIC_RELAXED);
}

void dmamap_window_collect(struct shard *s, struct window *w)
{
	struct window_place *here = &s->current[w->kind];

	used_at(here);
	for (unsigned int i = 0; i < WINDOW_WORDS; i++)
		if (has_returned(&w->word[i]))
			add_free(here, &w->word[i], word_returned(&w->word[i]));
}

/** Its window has ends from now on, or not yet. */
static void find_ends(struct window_place *here)
{
	struct window_ends *ends = here->window->ends;

	here->ends = ends ? &ends->word[here->first / 64] : NULL;
}

/** @here moves to @word of its window, number @i, where nobody is. */
static void move_to(struct window_place *here, struct window_word *word, unsigned int i)
{
	const struct window *w = here->window;

	here->used = used_at(here) + count_bits(word->free);
	here->word = word;
	here->entries = &w->entries[(size_t)i * 64];
	here->granule = window_leaf_number(w) + (uint64_t)i * 64;
	here->first = i * 64;
	find_ends(here);
}

static void move_away(struct shard *s, struct window_place *here)
{
	here->used = used_at(here);
	here->word = &s->nowhere;
	here->ends = NULL;
}

/** The current window of @kind is @w, or none. Whoever unmaps looks there too. */
static void set_current(struct shard *s, unsigned int kind, struct window *w)
{
	struct window_place *here = &s->current[kind];

	__atomic_store_n(&here->window, w, __ATOMIC_RELEASE);
	if (w)
		move_to(here, &w->word[WINDOW_WORDS - 1], WINDOW_WORDS - 1);
	else
		move_away(s, here);
}

void dmamap_shard_init(struct shard *s, uint32_t number, struct shard **shards)
{
	*s = (struct shard){ .number = number, .shards = shards };
	for (unsigned int kind = 0; kind <= WINDOW_KINDS; kind++)
		s->current[kind].word = &s->nowhere;
}

/* --- lists */

static void list_window(struct shard *s, struct window *w, unsigned int order)
{
	struct window **list = &s->list[w->kind][order - 1];

	w->order = (uint8_t)order;
	w->prev = NULL;
	w->next = *list;
	if (w->next)
		w->next->prev = w;
	*list = w;
}

static void unlist_window(struct shard *s, struct window *w)
{
	if (!w->order)
		return;
	if (w->next)
		w->next->prev = w->prev;
	if (w->prev)
		w->prev->next = w->next;
	else
		s->list[w->kind][w->order - 1] = w->next;
	w->order = 0;
}

/** The order of the longest run, plus 1. */
static unsigned int longest_run(const struct window *w)
{
	unsigned int best = 0;

	for (unsigned int i = 0; i < WINDOW_WORDS && best < WINDOW_ORDERS; i++) {
		uint64_t free = w->word[i].free;
		unsigned int order = free ? iova_best_run(free) : 0;

		if (order > best)
			best = order;
	}
	return best;
}

/** Not current, or not any more: into the list where it belongs. */
static void place(struct shard *s, struct window *w)
{
	unsigned int order;

	unlist_window(s, w);
	dmamap_window_collect(s, w);
	for (unsigned int i = 0; w->closed && i < WINDOW_WORDS; i++)
		w->word[i].free = 0;
	order = longest_run(w);
	if (order)
		list_window(s, w, order);
}

/** What came back to @w: a bit for each granule, of whichever word. */
static uint64_t any_returned(const struct window *w)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < WINDOW_WORDS; i++)
		any |= __atomic_load_n(&w->word[i].returned, __ATOMIC_SEQ_CST);
	return any;
}

/** What is free in it, likewise. */
static uint64_t any_free(const struct window *w)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < WINDOW_WORDS; i++)
		any |= w->word[i].free;
	return any;
}

static void put_aside(struct shard *s, unsigned int kind)
{
	struct window *w = s->current[kind].window;

	set_current(s, kind, NULL);
	if (!w)
		return;
	__atomic_store_n(&w->current, false, __ATOMIC_SEQ_CST);
	if (any_returned(w) | any_free(w))
		place(s, w);
}

void dmamap_window_close(struct shard *s, struct window *w)
{
	w->closed = true;
	if (w == s->current[w->kind].window)
		put_aside(s, w->kind);
	place(s, w);
}

void dmamap_window_replace(struct shard *s, struct window *w)
{
	if (w != s->current[w->kind].window)
		place(s, w);
}

static void make_current(struct shard *s, struct window *w)
{
	unlist_window(s, w);
	__atomic_store_n(&w->current, true, __ATOMIC_RELAXED);
	set_current(s, w->kind, w);
}

/* --- what came back */

static void push(struct shard *s, struct window *w)
{
	struct window *top = __atomic_load_n(&s->returned, __ATOMIC_RELAXED);

	do
		w->next_returned = top;
	while (!__atomic_compare_exchange_n(&s->returned, &top, w, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED));
}

void dmamap_window_notify(struct shard *const *shards, struct window *w)
{
	if (!__atomic_load_n(&w->stacked, __ATOMIC_SEQ_CST) &&
	    !__atomic_exchange_n(&w->stacked, true, __ATOMIC_SEQ_CST))
		push(shards[__atomic_load_n(&w->shard, __ATOMIC_ACQUIRE)], w);
}

static void pop_all(struct shard *s)
{
	struct window *w = __atomic_exchange_n(&s->returned, NULL, __ATOMIC_ACQUIRE);

	while (w) {
		struct window *next = w->next_returned;
		bool live;

		__atomic_store_n(&w->stacked, false, __ATOMIC_SEQ_CST);
		/* in that order: who makes it a window again says first whose it is */
		live = window_is_live(w);
		if (__atomic_load_n(&w->shard, __ATOMIC_RELAXED) != s->number) {
			if (any_returned(w)) /* it moved while somebody was pushing it */
				dmamap_window_notify(s->shards, w);
		} else if (live && w != s->current[w->kind].window) {
			place(s, w);
		}
		w = next;
	}
}

/* --- taking */

/** The window at @place is to have a mapping of several granules. So far each had one. */
static bool give_ends(struct shard *s, struct window_place *place)
{
	struct window_ends *ends = s->ends;

	if (!ends || !place->window)
		return false;
	memset(ends, 0xff, sizeof(*ends));
	s->ends = NULL;
	__atomic_store_n(&place->window->ends, ends, __ATOMIC_RELEASE);
	find_ends(place);
	return true;
}

/** From the current window. From the top: what came back is taken back there, and addresses stay close together. */
static inline __attribute__((always_inline)) int take_current(struct shard *s,
							      struct window_place *here,
							      unsigned int n, unsigned int order)
{
	struct window *w = here->window;

	if (!w || (n > 1 && !here->ends && !give_ends(s, here)))
		return PLACE_NONE;
	for (unsigned int i = WINDOW_WORDS; i--;) {
		struct window_word *word = &w->word[i];
		uint64_t run;

		if (has_returned(word)) {
			used_at(here);
			add_free(here, word, word_returned(word));
		}
		run = window_find_run(word->free, n, order);
		if (!run)
			continue;
		if (word != here->word)
			move_to(here, word, i);
		return place_take_run(here, run);
	}
	return PLACE_NONE;
}

/** From another window, which becomes the current one. */
static DMAMAP_APART int take_other(struct shard *s, struct window_place *here, unsigned int n,
				   unsigned int order)
{
	unsigned int kind = (unsigned int)(here - s->current);

	if (kind == WINDOW_NOWHERE)
		return PLACE_NONE;
	pop_all(s);
	put_aside(s, kind);
	for (unsigned int o = order; o < WINDOW_ORDERS; o++) {
		if (!s->list[kind][o])
			continue;
		make_current(s, s->list[kind][o]);
		return take_current(s, here, n, order);
	}
	return PLACE_NONE;
}

int dmamap_shard_take(struct shard *s, struct window_place *here, unsigned int n,
		      unsigned int order)
{
	int at = take_current(s, here, n, order);

	return at != PLACE_NONE ? at : take_other(s, here, n, order);
}

/* --- coming and going */

void dmamap_shard_add(struct shard *s, struct window *w)
{
	put_aside(s, w->kind);
	make_current(s, w);
}

static void drop(struct shard *s, struct window *w)
{
	unlist_window(s, w);
	if (s->current[w->kind].window == w)
		set_current(s, w->kind, NULL);
	__atomic_store_n(&w->current, false, __ATOMIC_SEQ_CST);
	__atomic_store_n(&w->live, false, __ATOMIC_RELEASE);
}

static bool all_free(struct shard *s, struct window *w)
{
	uint64_t all = ~(uint64_t)0;

	dmamap_window_collect(s, w);
	for (unsigned int i = 0; i < WINDOW_WORDS; i++)
		all &= w->word[i].free;
	return !~all;
}

static void drop_if_free(struct shard *s, struct window *w, struct window **idle)
{
	if (!w || !all_free(s, w))
		return;
	drop(s, w);
	w->next = *idle;
	*idle = w;
}

void dmamap_shard_drop_idle(struct shard *s, bool all, struct window **idle)
{
	pop_all(s);
	for (unsigned int kind = 0; kind < WINDOW_KINDS; kind++) {
		struct window *w = s->list[kind][WINDOW_ORDERS - 1];

		while (w) {
			struct window *next = w->next;

			drop_if_free(s, w, idle);
			w = next;
		}
		if (all)
			drop_if_free(s, s->current[kind].window, idle);
	}
}

bool dmamap_shard_drop_pending(struct shard *s, struct window *w)
{
	uint64_t *pending = w->lazy->pending;
	uint64_t all = ~(uint64_t)0;

	/* an earlier flush took the bits and the window, before who set them put it into the list */
	if (!w->live)
		return false;
	dmamap_window_collect(s, w);
	for (unsigned int i = 0; i < WINDOW_WORDS; i++)
		all &= w->word[i].free | __atomic_load_n(&pending[i], __ATOMIC_ACQUIRE);
	if (~all)
		return false;
	for (unsigned int i = 0; i < WINDOW_WORDS; i++)
		add_free(&s->current[w->kind], &w->word[i],
			 __atomic_exchange_n(&pending[i], 0, __ATOMIC_ACQ_REL));
	drop(s, w);
	return true;
}

static bool has_heads(const struct window *w)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < WINDOW_WORDS; i++)
		any |= __atomic_load_n(&w->word[i].heads, __ATOMIC_RELAXED);
	return any;
}

bool dmamap_window_is_empty(struct shard *const *shards, const struct window *w)
{
	struct shard *s = shards[__atomic_load_n(&w->shard, __ATOMIC_ACQUIRE)];
	uint64_t all = ~(uint64_t)0;

	/* two-step ranges have no heads: only who has the shard can tell */
	if (has_heads(w) || !shard_try(s))
		return false;
	for (unsigned int i = 0; i < WINDOW_WORDS; i++)
		all &= w->word[i].free | __atomic_load_n(&w->word[i].returned, __ATOMIC_RELAXED);
	all = __atomic_load_n(&w->shard, __ATOMIC_RELAXED) == s->number ? all : 0;
	shard_unlock(s);
	return !~all;
}
