/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small ranges, from windows: 1 to WINDOW_RUN granules of a domain whose backend lets it write entries.
 *
 * Map: dmamap_small_take(), write each entry of the span, dmamap_small_publish(). Unmap: dmamap_small_unmap(), which
 * knows whether it is told of exactly one live mapping, and changes nothing if not. No call holds a lock when it
 * returns. What does not fit (too large, no block of addresses left, an address outside of every window) goes the way of
 * domain.h.
 */
#ifndef DMAMAP_IOMMU_SMALL_H
#define DMAMAP_IOMMU_SMALL_H

#include "domain.h"
#include "entries.h"

#pragma GCC visibility push(hidden)

/** May a range of @granules of @domain be a span? */
static inline bool small_fits(const struct dma_domain *domain, uint64_t granules)
{
	return domain->windows.shards && granules <= WINDOW_RUN;
}

/** May the entry of [phys, phys + len) be written without asking the backend? */
static inline bool small_reaches(const struct dma_domain *domain, phys_addr_t phys, uint64_t len)
{
	const struct windows *ws = &domain->windows;
	phys_addr_t last = phys + (len - 1);

	return last >= phys && last <= __atomic_load_n(&ws->last_phys, __ATOMIC_RELAXED) &&
	       (phys >= __atomic_load_n(&ws->hole_end, __ATOMIC_RELAXED) ||
		last < __atomic_load_n(&ws->hole, __ATOMIC_RELAXED));
}

static inline uint64_t small_bits(const struct dma_domain *domain, unsigned int prot)
{
	return domain->windows.bits[prot % (sizeof(domain->windows.bits) / sizeof(uint64_t))];
}

static inline dma_addr_t span_address(const struct dma_domain *domain, struct span span)
{
	return window_granule(span.window, span.index) << domain->shift;
}

static inline uint64_t span_bytes(const struct dma_domain *domain, struct span span)
{
	return (uint64_t)span.granules << (domain->shift + span.window->scale);
}

/** Granules [at, at + n) of the span lead to @phys and what follows. */
static inline void span_write(const struct dma_domain *domain, struct span span, unsigned int at,
			      unsigned int n, phys_addr_t phys, uint64_t bits)
{
	entries_write(&span.window->entries[span.index + at], n,
		      phys >> domain->windows.phys_shift | bits,
		      granule_size(domain) << span.window->scale >> domain->windows.phys_shift);
}

static inline void span_clear(struct span span)
{
	entries_clear(&span.window->entries[span.index], span.granules);
}

/** Where the caller's maps and unmaps begin to look. */
static inline struct shard *shard_of_caller(const struct dma_domain *domain)
{
	dma_ctx_state state;
	struct dma_ctx *ctx = dma_ctx_enter(domain->host, &state);
	uint32_t number = ctx_number(domain->host, ctx);

	dma_ctx_leave(domain->host, state);
	return windows_shard(&domain->windows, number);
}

/** The index of a limit that was asked for before, or WINDOW_NOWHERE. */
static inline unsigned int small_limit_index(const struct windows *ws, uint64_t limit)
{
	uint32_t n = __atomic_load_n(&ws->limits, __ATOMIC_ACQUIRE);
	uint32_t i = 0;

	while (i < n && ws->limit[i] != limit)
		i++;
	return i < n ? i : WINDOW_NOWHERE;
}

static inline uint64_t small_limit(const struct dma_domain *domain, const struct dmamap_dev *d,
				   uint64_t mask)
{
	uint64_t limit = domain_limit(domain, d, mask);

	return __atomic_load_n(&d->pci_32bit_first, __ATOMIC_RELAXED)
		       ? min_u64(limit, DMA_BIT_MASK(32))
		       : limit;
}

/** A mapping of @d, by the shard whose lock is held. */
static inline void small_count_map(struct dmamap_dev *d, const struct shard *s)
{
	struct dmamap_count *count = &d->counts[s->number];

	__atomic_store_n(&count->mapped, count->mapped + 1, __ATOMIC_RELAXED);
}

/** Take a span for @d, the last address at most @limit, and count it. False: there is none, for whatever reason. */
bool dmamap_small_take(struct dmamap_dev *d, unsigned int granules, uint64_t limit,
		       struct span *span);

/** The shard of the caller, in its context and with the lock held. False: somebody else has it. */
static inline bool small_enter(const struct dma_domain *domain, dma_ctx_state *state,
			       struct shard **s)
{
	uint32_t number = ctx_number_or_0(dma_ctx_enter(domain->host, state));

	*s = windows_shard(&domain->windows, number);
	if (__builtin_expect(shard_try(*s), 1))
		return true;
	dma_ctx_leave(domain->host, *state);
	return false;
}

/** The same without the lock: nothing of it is the caller's. */
static inline struct shard *small_shard(const struct dma_domain *domain)
{
	dma_ctx_state state;
	uint32_t number = ctx_number_or_0(dma_ctx_enter(domain->host, &state));

	dma_ctx_leave(domain->host, state);
	return windows_shard(&domain->windows, number);
}

static inline void small_leave(const struct dma_domain *domain, struct shard *s,
			       dma_ctx_state state)
{
	shard_unlock(s);
	dma_ctx_leave(domain->host, state);
}

/** Is it certain that no flush is due? Else that is for dmamap_small_take(). */
static inline bool small_may_take(const struct dma_domain *domain, const struct shard *s)
{
	return !domain->windows.timed || !__atomic_load_n(&s->waiting, __ATOMIC_RELAXED);
}

/** From now on that is where windows of @kind are. */
static inline void small_set_here(struct dmamap_dev *d, unsigned int kind)
{
	__atomic_store_n(&d->quick_place, (uint16_t)shard_place(kind), __ATOMIC_RELAXED);
}

/** Has @d got a window, and with it a domain? */
static inline bool small_is_somewhere(const struct dmamap_dev *d)
{
	return __atomic_load_n(&d->quick_place, __ATOMIC_RELAXED) != shard_place(WINDOW_NOWHERE);
}

/** Where the shard has looked last for what is not larger leaves of @d. */
static inline struct window_place *small_here(const struct dmamap_dev *d, struct shard *s)
{
	return shard_at(s, __atomic_load_n(&d->quick_place, __ATOMIC_RELAXED));
}

/** A granule at @*here, which is small_here(): its bit. PLACE_NONE: not there, or not now. */
static inline int small_take_one(const struct dmamap_dev *d, const struct dma_domain *domain,
				 struct shard *s, const struct window_place **here)
{
	struct window_place *place = small_here(d, s);

	*here = place;
	return small_may_take(domain, s) ? place_take_one(place) : PLACE_NONE;
}

/** A span of @kind from where the shard of the caller has looked last. False: not there, or not now. */
static inline bool small_take_here(struct dmamap_dev *d, unsigned int kind, unsigned int granules,
				   struct span *span)
{
	dma_ctx_state state;
	struct shard *s;
	int at = PLACE_NONE;

	if (!small_enter(d->domain, &state, &s))
		return false;
	if (small_may_take(d->domain, s))
		at = place_take(&s->current[kind], granules, ceil_log2(granules));
	if (at != PLACE_NONE) {
		*span = place_span(&s->current[kind], at, granules);
		small_count_map(d, s);
	}
	small_leave(d->domain, s, state);
	return at != PLACE_NONE;
}

static inline bool small_take(struct dmamap_dev *d, unsigned int granules, uint64_t limit,
			      struct span *span)
{
	unsigned int l = small_limit_index(&d->domain->windows, limit);

	return small_take_here(d, l, granules, span) || dmamap_small_take(d, granules, limit, span);
}

/** A range of several larger leaves, or of one: how it is to be entered. */
struct large_range {
	unsigned int kind;
	unsigned int leaves;
	uint64_t change; /* of bits */
};

/**
 * May [phys, phys + size), whole granules and more than WINDOW_RUN, be a span of larger leaves whose last address is at
 * most @limit?
 */
static inline bool small_large_fits(const struct dma_domain *domain, phys_addr_t phys,
				    uint64_t size, uint64_t limit, struct large_range *range)
{
	const struct windows *ws = &domain->windows;

	for (unsigned int i = 0; i < ws->larges; i++) {
		const struct window_large *large = &ws->large[i];

		if (((phys | size) & large->mask) || size > large->most ||
		    limit >> large->shift < WINDOW_SHARE ||
		    __atomic_load_n(&large->limit, __ATOMIC_RELAXED) > limit)
			continue;
		*range =
			(struct large_range){ WINDOW_KIND_LARGE(i),
					      (unsigned int)(size >> large->shift), large->change };
		return true;
	}
	return false;
}

/** Take a span for @range and count it. False: there is none, for whatever reason. */
bool dmamap_small_take_large(struct dmamap_dev *d, const struct large_range *range, uint64_t limit,
			     struct span *span);

/** A span for [phys, phys + size), whole granules that entries reach; *@bits become those of its entries. */
static inline bool small_take_range(struct dmamap_dev *d, phys_addr_t phys, uint64_t size,
				    uint64_t limit, struct span *span, uint64_t *bits)
{
	uint64_t n = size >> d->domain->shift;
	struct large_range large;

	if (n <= WINDOW_RUN)
		return small_take(d, (unsigned int)n, limit, span);
	if (!small_large_fits(d->domain, phys, size, limit, &large) ||
	    !dmamap_small_take_large(d, &large, limit, span))
		return false;
	*bits ^= large.change;
	return true;
}

/** Make the entries visible. 0, or -errno of sync_map(), and the span is gone. */
int dmamap_small_sync(struct dmamap_dev *d, struct span span);

/** Its entries are written: from now on it is a mapping. 0, or -errno of sync_map(), and the span is gone. */
static inline int small_publish(struct dmamap_dev *d, struct span span)
{
	int err = d->domain->windows.sync ? dmamap_small_sync(d, span) : 0;

	if (!err)
		word_publish(&span.window->word[span.index / 64], span.index % 64);
	return err;
}

/** It was taken and not published; entries may have been written. */
void dmamap_small_abandon(struct dmamap_dev *d, struct span span);

/** The same once more: taking @span may have waited for who narrowed the domain. False: it does not, and the span is gone. */
static inline bool small_still_reaches(struct dmamap_dev *d, phys_addr_t phys, uint64_t size,
				       struct span span)
{
	bool ok = small_reaches(d->domain, phys, size);

	if (!ok)
		dmamap_small_abandon(d, span);
	return ok;
}

enum small_result {
	SMALL_DONE,
	SMALL_ELSEWHERE,  /* the address is in no window */
	SMALL_NOT_MAPPED, /* nothing is mapped there */
	SMALL_OTHER,	  /* something is, but not exactly that */
};

/**
 * Unmap [iova, iova + granules). SMALL_DONE: the device has lost it, or will by the next flush if the domain is lazy
 * and not @strict. Anything else: nothing happened.
 */
enum small_result dmamap_small_unmap(struct dmamap_dev *d, dma_addr_t iova, uint64_t granules,
				     bool strict);

/** Is just that mapped, in a window? */
bool dmamap_small_is_mapped(struct dmamap_dev *d, dma_addr_t iova, uint64_t granules);

/* --- the parts of an unmap */

/** The lines of the entries, for walkers that do not snoop. */
void dmamap_small_clean(const struct dma_domain *domain, struct span span);
/** Parts of small_defer() that have seldom anything to do. */
void dmamap_small_list(struct shard *s, struct window_lazy *lazy);
void dmamap_small_begin_waiting(struct dma_domain *domain, struct shard *s);
void dmamap_small_flush_waiting(struct dma_domain *domain, struct shard *s);
/** Something came back to a window that its shard does not look into. */
void dmamap_small_give_back_aside(struct dma_domain *domain, struct window *w);

static inline bool small_is_lazy(const struct dma_domain *domain)
{
	return __atomic_load_n(&domain->lazy, __ATOMIC_SEQ_CST);
}

static inline uint64_t span_mask(struct span span)
{
	return run_mask(span.index % 64, span.granules);
}

static inline void small_clear(const struct dma_domain *domain, struct span span)
{
	span_clear(span);
	if (domain->windows.snoops)
		return;
	dmamap_small_clean(domain, span);
	dmamap_cache_flush(domain->host);
}

/** Invalidate the leaves of [iova, iova + size), and wait. */
static inline void small_forget(struct dma_domain *domain, struct shard *s, dma_addr_t iova,
				uint64_t size)
{
	/* a barrier too: for who cleared the entries and has counted nothing */
	__atomic_fetch_add(&s->invalidations, 1, __ATOMIC_SEQ_CST);
	domain->windows.forget(domain->backend, iova, size);
}

static inline void small_give_back(struct dma_domain *domain, struct window *w,
				   struct window_word *word, uint64_t bits)
{
	__atomic_fetch_or(&word->returned, bits, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&w->current, __ATOMIC_SEQ_CST))
		dmamap_small_give_back_aside(domain, w);
}

/** May no more unmaps of a shard wait before the next flush? */
static inline bool small_waits_full(const struct dma_domain *domain, const struct shard *s)
{
	return __atomic_load_n(&s->waiting, __ATOMIC_RELAXED) + 1 >= domain->queue_size;
}

/** Let granules of a window of @s wait for a flush; counted last: a count may be too high for a while, never too low. */
static inline void small_defer(struct dma_domain *domain, struct shard *s, struct window_lazy *lazy,
			       unsigned int i, uint64_t bits)
{
	__atomic_fetch_or(&lazy->pending[i], bits, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&lazy->listed, __ATOMIC_SEQ_CST))
		dmamap_small_list(s, lazy);
	if (!__atomic_fetch_add(&s->waiting, 1, __ATOMIC_SEQ_CST))
		dmamap_small_begin_waiting(domain, s);
	else if (!small_is_lazy(domain)) /* since a moment ago, and its flush may be over */
		dmamap_small_flush_waiting(domain, s);
}

/** A mapping of @d ended, in the hands of @s. Between clearing the entry and looking for units: a barrier. */
static inline void small_count_unmap(struct dmamap_dev *d, const struct shard *s)
{
	__atomic_fetch_add(&d->counts[s->number].unmapped, 1, __ATOMIC_SEQ_CST);
}

/** May it be one mapping? Its window's ends say so, or do not. */
static inline bool span_is_run(struct span span)
{
	uint64_t mask;

	if (span.granules - 1 >= 64 - span.index % 64)
		return false;
	mask = span_mask(span);
	return (window_ends_of(span.window, span.index / 64) & mask) == (mask & ~(mask >> 1));
}

/** Win its bit of heads; false: it is not set. */
static inline bool span_win(struct span span)
{
	uint64_t head = (uint64_t)1 << span.index % 64;
	uint64_t *heads = &span.window->word[span.index / 64].heads;

	return (__atomic_fetch_and(heads, ~head, __ATOMIC_ACQ_REL) & head) != 0;
}

/* --- the same for a span: its entries were cleared */

static inline void span_forget(struct dma_domain *domain, struct shard *s, struct span span)
{
	small_forget(domain, s, span_address(domain, span), span_bytes(domain, span));
}

static inline void span_give_back(struct dma_domain *domain, struct span span)
{
	uint64_t bits = span_mask(span);

	window_forget_ends(span.window, span.index / 64, bits);
	small_give_back(domain, span.window, &span.window->word[span.index / 64], bits);
}

static inline void span_defer(struct dma_domain *domain, struct shard *s, struct window_lazy *lazy,
			      struct span span)
{
	uint64_t bits = span_mask(span);

	window_forget_ends(span.window, span.index / 64, bits);
	small_defer(domain, s, lazy, span.index / 64, bits);
}

/** Its bit was won by who works in @s: the mapping ends, at once or with a flush of @owner, whose window has @lazy. */
static inline void span_end(struct dmamap_dev *d, struct shard *s, struct shard *owner,
			    struct window_lazy *lazy, struct span span)
{
	small_clear(d->domain, span);
	small_count_unmap(d, s);
	if (lazy) {
		span_defer(d->domain, owner, lazy, span);
		return;
	}
	span_forget(d->domain, s, span);
	span_give_back(d->domain, span);
}

#pragma GCC visibility pop

#endif
