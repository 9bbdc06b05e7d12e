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

#include "base/mem.h"

void dmamap_shard_lock(struct shard *s)
{
	while (!shard_try(s))
		while (__atomic_load_n(&s->lock, __ATOMIC_RELAXED))
			;
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

/** Take back all that was returned; the order of the longest run, plus 1. */
static unsigned int collect_all(struct shard *s, struct window *w)
{
	unsigned int best = 0;

	for (unsigned int i = 0; i < WINDOW_WORDS; i++) {
		unsigned int order;

		shard_count(s, 0, window_collect(w, i));
		order = iova_best_run(w->word[i].free);
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
	order = collect_all(s, w);
	if (order)
		list_window(s, w, order);
}

/** Whoever unmaps looks there too. */
static void set_current(struct shard *s, unsigned int kind, struct window *w)
{
	struct window_place *place = &s->current[kind];

	if (w)
		place_in(place, w, WINDOW_WORDS - 1);
	else
		place->word = NULL;
	__atomic_store_n(&place->window, w, __ATOMIC_RELEASE);
}

static void put_aside(struct shard *s, unsigned int kind)
{
	struct window *w = s->current[kind].window;

	set_current(s, kind, NULL);
	if (!w)
		return;
	__atomic_store_n(&w->current, false, __ATOMIC_SEQ_CST);
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

static bool has_returned(const struct window *w)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < WINDOW_WORDS; i++)
		any |= __atomic_load_n(&w->word[i].returned, __ATOMIC_SEQ_CST);
	return any;
}

static void pop_all(struct shard *s)
{
	struct window *w = __atomic_exchange_n(&s->returned, NULL, __ATOMIC_ACQUIRE);

	while (w) {
		struct window *next = w->next_returned;

		__atomic_store_n(&w->stacked, false, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&w->shard, __ATOMIC_RELAXED) != s->number) {
			if (has_returned(w)) /* it moved while somebody was pushing it */
				dmamap_window_notify(s->shards, w);
		} else if (window_is_live(w) && w != s->current[w->kind].window) {
			place(s, w);
		}
		w = next;
	}
}

/* --- taking */

/** @w is to have a mapping of several granules. So far each had one. */
static bool give_ends(struct shard *s, struct window *w)
{
	struct window_ends *ends = s->ends;

	if (!ends)
		return false;
	memset(ends, 0xff, sizeof(*ends));
	s->ends = NULL;
	__atomic_store_n(&w->ends, ends, __ATOMIC_RELEASE);
	return true;
}

/** Is there nothing to look for? */
static bool word_is_empty(const struct window_word *word)
{
	return !(word->free | __atomic_load_n(&word->returned, __ATOMIC_RELAXED));
}

static bool take_current(struct shard *s, unsigned int kind, unsigned int n, unsigned int order,
			 struct span *span)
{
	struct window_place *here = &s->current[kind];
	struct window *w = here->window;
	unsigned int first;

	if (!w || (n > 1 && !w->ends && !give_ends(s, w)))
		return false;
	if (place_take(s, here, n, order, span))
		return true;
	first = place_index(here);
	/* from the top: what came back there is taken back, and addresses stay close together */
	for (unsigned int i = WINDOW_WORDS; i--;) {
		if (i == first || word_is_empty(&w->word[i]) ||
		    !window_take_word(s, w, i, n, order, &span->index))
			continue;
		place_in(here, w, i);
		return true;
	}
	return false;
}

bool dmamap_shard_take(struct shard *s, unsigned int kind, unsigned int n, unsigned int order,
		       struct span *span)
{
	if (take_current(s, kind, n, order, span))
		return true;
	pop_all(s);
	put_aside(s, kind);
	for (unsigned int o = order; o < WINDOW_ORDERS; o++) {
		if (!s->list[kind][o])
			continue;
		make_current(s, s->list[kind][o]);
		return take_current(s, kind, n, order, span);
	}
	return false;
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
	for (unsigned int i = 0; i < WINDOW_WORDS; i++) {
		shard_count(s, 0, window_collect(w, i));
		if (~w->word[i].free)
			return false;
	}
	return true;
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
	for (unsigned int i = 0; i < WINDOW_WORDS; i++) {
		shard_count(s, 0, window_collect(w, i));
		all &= w->word[i].free | __atomic_load_n(&pending[i], __ATOMIC_ACQUIRE);
	}
	if (~all)
		return false;
	for (unsigned int i = 0; i < WINDOW_WORDS; i++) {
		uint64_t bits = __atomic_exchange_n(&pending[i], 0, __ATOMIC_ACQ_REL);

		shard_count(s, 0, (uint64_t)count_bits(bits) << w->scale);
		w->word[i].free |= bits;
	}
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
