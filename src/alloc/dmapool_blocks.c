/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blocks of a pool. Free blocks form a stack across all units; its links live in the units' records, so that
 * neither the device nor a late write of the driver can damage it. A unit is found by the page of an address.
 */
#include <dmamap/mapping.h>

#include "dmapool.h"

static struct dma_host *host_of(const struct dma_pool *pool)
{
	return dev_host(pool->dev);
}

/* --- units by address */

static uint32_t chain_of(const struct dma_pool *pool, const void *addr)
{
	uint64_t page = (uint64_t)(uintptr_t)addr / host_of(pool)->page_size;

	return (uint32_t)(page * 0x9e3779b97f4a7c15 >> 32) & (pool->room - 1);
}

static void enter_chain(struct dma_pool *pool, uint32_t number)
{
	struct pool_unit *unit = pool->units[number];
	uint32_t *chain = &pool->chains[chain_of(pool, unit->cpu)];

	unit->same_hash = *chain;
	*chain = number + 1;
}

static uint64_t room_bytes(uint32_t room)
{
	return (uint64_t)room * (sizeof(void *) + sizeof(uint32_t));
}

/** Room for one more unit. Lock held. */
static bool make_room(struct dma_pool *pool)
{
	uint32_t room = pool->room ? pool->room * 2 : 256;
	struct pool_unit **units;

	if (pool->nr_units < pool->room)
		return true;
	if (!room)
		return false;
	units = dmamap_pages_alloc(host_of(pool), room_bytes(room), ~(phys_addr_t)0,
				   DMAMAP_GFP_ATOMIC, NULL);
	if (!units)
		return false;
	if (pool->units) {
		memcpy(units, pool->units, pool->nr_units * sizeof(void *));
		dmamap_pages_free(host_of(pool), pool->units, room_bytes(pool->room));
	}
	pool->units = units;
	pool->chains = (uint32_t *)(units + room);
	pool->room = room;
	for (uint32_t i = 0; i < pool->nr_units; i++)
		enter_chain(pool, i);
	return true;
}

/** The number of the block at @addr; false if none is there. Lock held. */
static bool find_block(const struct dma_pool *pool, const void *addr, uint32_t *number)
{
	uint32_t n = pool->room ? pool->chains[chain_of(pool, addr)] : 0;

	for (; n; n = pool->units[n - 1]->same_hash) {
		size_t offset = (uintptr_t)addr - (uintptr_t)pool->units[n - 1]->cpu;
		size_t row = offset / pool->stride;
		size_t rest = offset % pool->stride;
		uint64_t index = row * pool->per_row + rest / pool->size;

		if (offset >= pool->unit)
			continue;
		*number = (n - 1) * pool->per_unit + (uint32_t)index;
		return rest % pool->size == 0 && rest / pool->size < pool->per_row &&
		       index < pool->per_unit;
	}
	return false;
}

static uint32_t *link_of(const struct dma_pool *pool, uint32_t number)
{
	return &pool->units[number / pool->per_unit]->next[number % pool->per_unit];
}

static void *block_of(const struct dma_pool *pool, uint32_t number, dma_addr_t *handle)
{
	const struct pool_unit *unit = pool->units[number / pool->per_unit];
	size_t offset = pool_offset(pool, number % pool->per_unit);

	*handle = unit->dma + offset;
	return unit->cpu + offset;
}

/* --- adding a unit */

static int fail_pool(const struct dma_pool *pool, enum dma_reason reason, uint64_t addr)
{
	struct dma_error why;

	fail_range(&why, pool->dev, reason, -DMAMAP_ENOMEM, addr, pool->size);
	dmamap_record(pool->dev, dmamap_dev(pool->dev)->alloc_route, &why);
	return -DMAMAP_ENOMEM;
}

/** Does coherent memory there keep what the pool promises? */
static bool placed_well(const struct dma_pool *pool, dma_addr_t dma)
{
	if (dma & (pool->align - 1))
		return false;
	return !pool->boundary || pool->stride <= host_of(pool)->page_size ||
	       !((dma ^ (dma + pool->size - 1)) & ~(uint64_t)(pool->boundary - 1));
}

/** Put the blocks of a new unit on the stack, the first on top. Lock held. */
static bool add_record(struct dma_pool *pool, void *cpu, dma_addr_t dma)
{
	uint64_t first = (uint64_t)pool->nr_units * pool->per_unit;
	struct pool_unit *unit;

	if (first + pool->per_unit >= BLOCK_USED || !make_room(pool))
		return false;
	unit = dmamap_slab_alloc(&pool->slab);
	if (!unit)
		return false;
	unit->cpu = cpu;
	unit->dma = dma;
	for (uint32_t i = 0; i < pool->per_unit; i++)
		unit->next[i] = i + 1 < pool->per_unit ? (uint32_t)first + i + 2 : pool->free;
	pool->free = (uint32_t)first + 1;
	pool->units[pool->nr_units] = unit;
	enter_chain(pool, pool->nr_units++);
	return true;
}

static int add_unit(struct dma_pool *pool, gfp_t gfp)
{
	dma_addr_t dma;
	unsigned char *cpu = dmamap_alloc_attrs(pool->dev, pool->unit, &dma, gfp & ~DMAMAP_GFP_ZERO,
						gfp & DMAMAP_GFP_NOWARN ? DMA_ATTR_NO_WARN : 0);
	bool ok = false;

	if (!cpu)
		return -DMAMAP_ENOMEM;
	if (!placed_well(pool, dma)) {
		dmamap_free_attrs(pool->dev, pool->unit, cpu, dma, 0);
		return fail_pool(pool, DMA_REASON_ALIGNMENT, dma);
	}
	if (pool->poison)
		memset(cpu, POISON_FREE, pool->unit);
	dmamap_lock(host_of(pool), &pool->lock);
	ok = add_record(pool, cpu, dma);
	dmamap_unlock(host_of(pool), &pool->lock);
	if (ok)
		return 0;
	dmamap_free_attrs(pool->dev, pool->unit, cpu, dma, 0);
	return fail_pool(pool, DMA_REASON_NO_MEMORY, 0);
}

void dmamap_pool_release_units(struct dma_pool *pool)
{
	struct dma_host *host = host_of(pool);

	for (uint32_t i = 0; i < pool->nr_units; i++)
		dmamap_free_attrs(pool->dev, pool->unit, pool->units[i]->cpu, pool->units[i]->dma,
				  0);
	dmamap_slab_fini(&pool->slab);
	dmamap_pages_free(host, pool->units, room_bytes(pool->room));
	dmamap_lock_fini(host, &pool->lock);
	dmamap_pages_free(host, pool, sizeof(*pool));
}

/* --- blocks */

static void report(struct dma_pool *pool, enum dma_reason reason, const char *what,
		   dma_addr_t handle, uint64_t have)
{
	struct dma_error why;

	fail_range(&why, pool->dev, reason, -DMAMAP_EINVAL, handle, pool->size);
	why.have = have;
	alloc_misuse(pool->dev, what, &why);
}

/** A fresh block: was it written while it was free? */
static void check_poison(struct dma_pool *pool, unsigned char *block, dma_addr_t handle, gfp_t gfp)
{
	size_t at = 0;

	if (!pool->poison)
		return;
	while (at < pool->size && block[at] == POISON_FREE)
		at++;
	if (at < pool->size)
		report(pool, DMA_REASON_POOL_CORRUPTED, "a free block of a pool was written",
		       handle + at, at);
	if (!(gfp & DMAMAP_GFP_ZERO))
		memset(block, POISON_USED, pool->size);
}

/** Take the top of the stack; false if it is empty. */
static bool pop(struct dma_pool *pool, void **block, dma_addr_t *handle)
{
	uint32_t number;
	uint32_t *link;

	dmamap_lock(host_of(pool), &pool->lock);
	number = pool->free;
	if (number) {
		link = link_of(pool, number - 1);
		pool->free = *link;
		*link = BLOCK_USED;
		pool->active++;
		*block = block_of(pool, number - 1, handle);
	}
	dmamap_unlock(host_of(pool), &pool->lock);
	return number != 0;
}

void *dmamap_pool_alloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle)
{
	void *block;

	if (!handle) {
		fail_pool(pool, DMA_REASON_BAD_ARGUMENT, 0);
		return NULL;
	}
	while (!pop(pool, &block, handle))
		if (add_unit(pool, gfp))
			return NULL;
	check_poison(pool, block, *handle, gfp);
	if (gfp & DMAMAP_GFP_ZERO)
		memset(block, 0, pool->size);
	return block;
}

/** What a free found. */
enum found {
	FOUND_NOTHING,
	FOUND_FREE,
	FOUND_USED,
};

static enum found push(struct dma_pool *pool, void *block, dma_addr_t *handle)
{
	enum found found = FOUND_NOTHING;
	uint32_t number;

	dmamap_lock(host_of(pool), &pool->lock);
	if (find_block(pool, block, &number)) {
		uint32_t *link = link_of(pool, number);

		block_of(pool, number, handle);
		found = *link == BLOCK_USED ? FOUND_USED : FOUND_FREE;
		if (found == FOUND_USED) {
			/* before anybody can have it again */
			if (pool->poison)
				memset(block, POISON_FREE, pool->size);
			*link = pool->free;
			pool->free = number + 1;
			pool->active--;
		}
	}
	dmamap_unlock(host_of(pool), &pool->lock);
	return found;
}

void dmamap_pool_free(struct dma_pool *pool, void *block, dma_addr_t handle)
{
	dma_addr_t real = 0;

	switch (push(pool, block, &real)) {
	case FOUND_NOTHING:
		report(pool, DMA_REASON_NOT_ALLOCATED, "free of what is no block of the pool",
		       handle, 0);
		break;
	case FOUND_FREE:
		report(pool, DMA_REASON_NOT_ALLOCATED, "free of a block of the pool that is free",
		       handle, 0);
		break;
	case FOUND_USED:
		if (real != handle)
			report(pool, DMA_REASON_NOT_ALLOCATED,
			       "free of a block of the pool with another DMA address", handle,
			       real);
		break;
	}
}
