/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Growth: what a pool does, if it may, when a request finds no room.
 *
 * Where the host may block now, the pool gets a further part for good, of between 1 MiB and its first size. Where it
 * may not, that is left to dma_poll() or the host's timer (asked once until it is done), and this mapping gets a
 * transient part of its own: as many slots as it needs, in pages within the device's reach, freed by its unmap.
 *
 * Parts that stay are found without a lock; transient ones are in a list, and stay for as long as somebody uses them.
 * shrink.c gives back what stays when it has been idle for long.
 */
#include "internal.h"

#define SMALLEST_PART ((uint64_t)1 << 20)

bool dmamap_bounce_reserve(struct dma_bounce *pool, uint64_t bytes)
{
	bool fits;

	dmamap_lock(pool->host, &pool->lock);
	fits = pool->max_bytes > pool->bytes && pool->max_bytes - pool->bytes >= bytes;
	if (fits)
		pool->bytes += bytes;
	dmamap_unlock(pool->host, &pool->lock);
	return fits;
}

void dmamap_bounce_unreserve(struct dma_bounce *pool, uint64_t bytes)
{
	dmamap_lock(pool->host, &pool->lock);
	pool->bytes -= bytes;
	dmamap_unlock(pool->host, &pool->lock);
}

bool dmamap_bounce_publish(struct dma_bounce *pool, struct bounce_part *part)
{
	unsigned int n = pool->nr_parts;

	if (n == BOUNCE_PARTS)
		return false;
	pool->parts[n] = (struct bounce_range){ part->base, part->bytes, part };
	__atomic_store_n(&pool->nr_parts, n + 1, __ATOMIC_RELEASE);
	return true;
}

/* --- parts that stay */

static uint64_t smallest_part(const struct dma_bounce *pool)
{
	return min_u64(pool->first_bytes, SMALLEST_PART);
}

/* May the pool have another part that stays? */
static bool may_add(struct dma_bounce *pool)
{
	bool may;

	dmamap_lock(pool->host, &pool->lock);
	may = (pool->nr_parts < BOUNCE_PARTS || dmamap_bounce_has_closed(pool)) &&
	      pool->max_bytes > pool->bytes && pool->max_bytes - pool->bytes >= smallest_part(pool);
	dmamap_unlock(pool->host, &pool->lock);
	return may;
}

static bool add_part_of(struct dma_bounce *pool, uint64_t bytes, gfp_t gfp)
{
	struct bounce_part *part;
	bool done;

	if (!dmamap_bounce_reserve(pool, bytes))
		return false;
	part = dmamap_bounce_part_create(pool, bytes, pool->areas);
	done = part && dmamap_bounce_part_fill(part, pool->ceiling, 0, gfp);
	if (done) {
		dmamap_lock(pool->host, &pool->lock);
		done = dmamap_bounce_publish(pool, part);
		dmamap_unlock(pool->host, &pool->lock);
	}
	if (!done) {
		dmamap_bounce_part_free(part);
		dmamap_bounce_unreserve(pool, bytes);
	}
	return done;
}

bool dmamap_bounce_begin_change(struct dma_bounce *pool)
{
	return !__atomic_exchange_n(&pool->changing, true, __ATOMIC_ACQUIRE);
}

void dmamap_bounce_end_change(struct dma_bounce *pool)
{
	__atomic_store_n(&pool->changing, false, __ATOMIC_RELEASE);
}

/* As large as the first part, or what the limit and the host's memory allow. One caller at a time. */
static bool add_part(struct dma_bounce *pool)
{
	bool may_block = dmamap_may_block(pool->host);
	gfp_t gfp = may_block ? DMAMAP_GFP_KERNEL : DMAMAP_GFP_ATOMIC;
	uint64_t page = pool->host->page_size;
	uint64_t least = smallest_part(pool);
	bool done = false;

	if (!dmamap_bounce_begin_change(pool))
		return false;
	done = dmamap_bounce_reopen(pool, gfp | DMAMAP_GFP_NOWARN);
	for (uint64_t bytes = pool->first_bytes; !done && bytes >= least;
	     bytes = round_down(bytes / 2, page))
		done = add_part_of(pool, bytes, gfp | DMAMAP_GFP_NOWARN);
	dmamap_bounce_end_change(pool);
	return done;
}

/* --- growth that waits for a better moment */

/* A pool of the host that this round has not seen, kept from being destroyed. @round 0: a new round begins. */
static struct dma_bounce *next_pool(struct dma_host *host, uint64_t *round)
{
	struct dmamap_host *h = dmamap_host(host);
	struct dma_bounce *pool;

	dmamap_lock(host, &h->lock);
	if (!*round)
		*round = ++h->bounce_round;
	for (pool = h->growing_pools; pool; pool = pool->next)
		if (pool->poll_round < *round)
			break;
	if (pool) {
		pool->poll_round = *round;
		pool->polls++;
	}
	dmamap_unlock(host, &h->lock);
	return pool;
}

static void poll_pool(struct dma_bounce *pool)
{
	if (!__atomic_exchange_n(&pool->wanted, false, __ATOMIC_ACQ_REL))
		dmamap_bounce_shrink(pool);
	else if (may_add(pool) && !add_part(pool))
		dmamap_log(pool->host, DMA_LOG_WARNING, NULL,
			   "a bounce pool cannot grow: the host has no memory", NULL);
}

void dmamap_bounce_poll(struct dma_host *host)
{
	struct dmamap_host *h = dmamap_host(host);
	struct dma_bounce *pool;
	uint64_t round = 0;

	while ((pool = next_pool(host, &round))) {
		poll_pool(pool);
		dmamap_lock(host, &h->lock);
		pool->polls--;
		dmamap_unlock(host, &h->lock);
	}
}

/* The host's timer: its pools are looked up afresh, so that one may be gone by now. */
static void deferred(void *host)
{
	dmamap_bounce_poll(host);
}

/* Have the pool grow later; once is enough. */
static void want_part(struct dma_bounce *pool)
{
	struct dma_host *host = pool->host;

	if (!may_add(pool) || __atomic_exchange_n(&pool->wanted, true, __ATOMIC_ACQ_REL))
		return;
	if (host->defer)
		host->defer(host, deferred, host, 0);
}

/* --- transient parts */

struct bounce_part *dmamap_bounce_transient_get(struct dma_bounce *pool, phys_addr_t phys)
{
	struct bounce_part *part;

	dmamap_lock(pool->host, &pool->lock);
	for (part = pool->transients; part; part = part->next)
		if (phys - part->base < part->bytes)
			break;
	if (part)
		part->users++;
	dmamap_unlock(pool->host, &pool->lock);
	return part;
}

void dmamap_bounce_transient_put(struct bounce_part *part)
{
	struct dma_bounce *pool = part->pool;
	uint64_t bytes = part->bytes;
	bool gone;

	dmamap_lock(pool->host, &pool->lock);
	gone = !--part->users && part->dead;
	dmamap_unlock(pool->host, &pool->lock);
	if (!gone)
		return;
	dmamap_bounce_part_free(part);
	dmamap_bounce_unreserve(pool, bytes);
}

void dmamap_bounce_transient_retire(struct bounce_part *part)
{
	struct dma_bounce *pool = part->pool;
	struct bounce_part **link = &pool->transients;

	dmamap_lock(pool->host, &pool->lock);
	while (*link != part)
		link = &(*link)->next;
	*link = part->next;
	part->dead = true;
	pool->transient_slots -= part->slots;
	pool->transient_maps += part->areas[0].maps;
	__atomic_fetch_sub(&pool->nr_transients, 1, __ATOMIC_RELAXED);
	dmamap_unlock(pool->host, &pool->lock);
}

static void list_transient(struct dma_bounce *pool, struct bounce_part *part)
{
	dmamap_lock(pool->host, &pool->lock);
	part->transient = true;
	part->users = 1;
	part->next = pool->transients;
	pool->transients = part;
	pool->transient_slots += part->slots;
	if (pool->transient_slots > pool->transient_peak)
		pool->transient_peak = pool->transient_slots;
	__atomic_fetch_add(&pool->nr_transients, 1, __ATOMIC_RELAXED);
	dmamap_unlock(pool->host, &pool->lock);
}

/* A power of two that memory for @r is aligned to, so that neither its own alignment nor a boundary is in its way. */
static uint64_t transient_align(const struct bounce_request *r, uint64_t bytes)
{
	uint64_t align = (r->query.align + 1) << r->pool->shift;

	align = (uint64_t)1 << ceil_log2(align);
	if (r->query.period && bytes > align)
		align = (uint64_t)1 << ceil_log2(bytes);
	return align;
}

/* Memory for this one request: its slots, and as many before as its low address bits ask for. */
static bool fill_transient(struct bounce_request *r, struct bounce_part *part,
			   struct bounce_place *place)
{
	const gfp_t gfp = DMAMAP_GFP_ATOMIC | DMAMAP_GFP_NOWARN;

	r->query.segment = 0; /* the part is one */
	return dmamap_bounce_part_fill(part, dmamap_bounce_reach_end(r),
				       transient_align(r, part->bytes), gfp) &&
	       dmamap_bounce_take_private(r, part, place);
}

static bool take_transient(struct bounce_request *r, struct bounce_place *place)
{
	struct dma_bounce *pool = r->pool;
	uint64_t bytes =
		round_up((r->query.slots + r->query.value) << pool->shift, pool->host->page_size);
	struct bounce_part *part;

	if (!dmamap_bounce_reserve(pool, bytes))
		return false;
	part = dmamap_bounce_part_create(pool, bytes, 1);
	if (part && fill_transient(r, part, place)) {
		list_transient(pool, part);
		return true;
	}
	dmamap_bounce_part_free(part);
	dmamap_bounce_unreserve(pool, bytes);
	return false;
}

/* Could a part of the pool's geometry hold the request at all? */
static bool can_ever_fit(const struct bounce_request *r)
{
	const struct bounce_query *q = &r->query;

	return r->size <= r->most && (!q->segment || q->slots <= q->segment) &&
	       (!q->period || q->slots <= q->period) &&
	       q->slots <= r->pool->first_bytes >> r->pool->shift;
}

bool dmamap_bounce_grow(struct bounce_request *r, struct bounce_place *place)
{
	enum dma_reason ignored;
	uint64_t have;

	if (r->pool->max_bytes <= r->pool->first_bytes || !can_ever_fit(r))
		return false;
	if (dmamap_may_block(r->pool->host)) {
		if (add_part(r->pool) && dmamap_bounce_take(r, place, &ignored, &have))
			return true;
	} else {
		want_part(r->pool);
	}
	return take_transient(r, place);
}
