/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving back what a pool grew by, and taking it again.
 *
 * A part that was added, holds nothing and has held nothing for a while is closed: its memory goes back to the host. Its
 * bookkeeping, about a hundredth of that, stays in its place until the pool is destroyed, because whoever looks for an
 * address or for room does so without a lock of the pool; what they find there is that nothing is free, and nothing
 * lives. A pool that has to grow again gives such a part memory first.
 *
 * "A while" is a second in which no map came; on a host without a clock, some calls of dma_poll(). So a load that comes
 * and goes does not make a pool grow and shrink with it.
 */
#include "internal.h"

#define IDLE_NS	   1000000000u
#define IDLE_POLLS 16u

bool dmamap_bounce_has_closed(const struct dma_bounce *pool)
{
	for (unsigned int i = 1; i < pool->nr_parts; i++)
		if (!pool->parts[i].bytes)
			return true;
	return false;
}

/* Slots in use and maps so far; all areas are locked. */
static uint64_t used_slots(const struct bounce_part *part, uint64_t *maps)
{
	uint64_t used = 0;

	*maps = 0;
	for (unsigned int i = 0; i < part->nr_areas; i++) {
		used += part->areas[i].used;
		*maps += part->areas[i].maps;
	}
	return used;
}

/* Has nobody needed the part for long? All areas are locked; polls come one at a time. */
static bool is_idle(struct bounce_part *part, uint64_t now)
{
	uint64_t maps;

	if (used_slots(part, &maps)) {
		part->idle_polls = 0;
		return false;
	}
	if (!part->idle_polls || part->idle_maps != maps) {
		part->idle_polls = 1;
		part->idle_maps = maps;
		part->idle_since = now;
		return false;
	}
	part->idle_polls++;
	return part->pool->host->time_ns ? now - part->idle_since >= IDLE_NS
					 : part->idle_polls > IDLE_POLLS;
}

static void set_range(struct dma_bounce *pool, unsigned int i, phys_addr_t base, uint64_t bytes)
{
	dmamap_lock(pool->host, &pool->lock);
	__atomic_store_n(&pool->parts[i].base, base, __ATOMIC_RELAXED);
	__atomic_store_n(&pool->parts[i].bytes, bytes, __ATOMIC_RELEASE);
	dmamap_unlock(pool->host, &pool->lock);
}

/* Close part @i if it is idle. */
static void shrink_part(struct dma_bounce *pool, unsigned int i, uint64_t now)
{
	struct bounce_part *part = pool->parts[i].part;
	bool idle;

	dmamap_bounce_lock_all(part);
	idle = !part->closed && is_idle(part, now);
	part->closed |= idle;
	dmamap_bounce_unlock_all(part);
	if (!idle)
		return;
	set_range(pool, i, part->base, 0);
	pool->host->free_pages(pool->host, part->base, part->bytes);
	part->own_memory = false;
	dmamap_bounce_unreserve(pool, part->bytes);
}

void dmamap_bounce_shrink(struct dma_bounce *pool)
{
	uint64_t now;

	if (__atomic_load_n(&pool->nr_parts, __ATOMIC_ACQUIRE) < 2 ||
	    !dmamap_bounce_begin_change(pool))
		return;
	now = dmamap_time(pool->host);
	for (unsigned int i = 1; i < pool->nr_parts; i++)
		shrink_part(pool, i, now);
	dmamap_bounce_end_change(pool);
}

/* Memory for a closed part. Nobody reads its addresses: nothing lives in it, and nothing can be taken from it. */
static bool reopen_part(struct dma_bounce *pool, unsigned int i, gfp_t gfp)
{
	struct bounce_part *part = pool->parts[i].part;
	struct bounce_part fresh = { .pool = pool, .bytes = part->bytes };

	if (!dmamap_bounce_reserve(pool, part->bytes))
		return false;
	if (!dmamap_bounce_part_fill(&fresh, pool->ceiling, 0, gfp)) {
		if (fresh.own_memory)
			pool->host->free_pages(pool->host, fresh.base, fresh.bytes);
		dmamap_bounce_unreserve(pool, part->bytes);
		return false;
	}
	dmamap_bounce_lock_all(part);
	part->base = fresh.base;
	part->virt = fresh.virt;
	part->own_memory = true;
	part->idle_polls = 0;
	part->closed = false;
	dmamap_bounce_unlock_all(part);
	set_range(pool, i, part->base, part->bytes);
	return true;
}

bool dmamap_bounce_reopen(struct dma_bounce *pool, gfp_t gfp)
{
	for (unsigned int i = 1; i < pool->nr_parts; i++)
		if (!pool->parts[i].bytes && reopen_part(pool, i, gfp))
			return true;
	return false;
}
