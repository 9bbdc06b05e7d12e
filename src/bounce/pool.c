/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making, ending and describing a pool.
 *
 * One allocation holds all bookkeeping: the pool, its areas, two bitmaps and one record for each slot. The memory of
 * the pool itself comes from the host, or from the caller, whose RAM is then checked frame by frame.
 */
#include "internal.h"

#define DEFAULT_SLOT	2048u
#define SMALLEST_SLOT	256u
#define DEFAULT_CEILING 0xffffffffu
#define MAX_SLOTS	0xffffffffu

static uint32_t slot_size(const struct dma_bounce_config *config)
{
	return config->slot_size ? config->slot_size : DEFAULT_SLOT;
}

static bool geometry_valid(const struct dma_host *host, const struct dma_bounce_config *config)
{
	uint64_t page = host->page_size;
	uint64_t slot = slot_size(config);

	if (!is_power_of_two(slot) || slot < SMALLEST_SLOT || slot > page)
		return false;
	if (config->segment_slots && !is_power_of_two(config->segment_slots))
		return false;
	if (!config->bytes || add_wraps(config->bytes, page - 1))
		return false;
	if (round_up(config->bytes, page) / slot > MAX_SLOTS)
		return false;
	return !(config->base & (page - 1));
}

/* Is [base, base + bytes) RAM with one linear address? */
static bool memory_usable(struct dma_host *host, phys_addr_t base, uint64_t bytes)
{
	const unsigned char *virt = host->phys_to_virt(host, base);
	struct dma_memory memory;

	if (!virt || range_wraps(base, bytes))
		return false;
	for (uint64_t done = 0; done < bytes; done += host->page_size)
		if (host->phys_to_virt(host, base + done) != virt + done)
			return false;
	for (uint64_t done = 0; done < bytes; done += memory.len) {
		dmamap_describe(host, base + done, bytes - done, &memory);
		if (memory.kind != DMA_MEMORY_RAM || !memory.len)
			return false;
	}
	return true;
}

/* The pool's own memory; 0 or a negative error. */
static int take_memory(struct dma_bounce *pool, const struct dma_bounce_config *config)
{
	phys_addr_t ceiling = config->ceiling ? config->ceiling : DEFAULT_CEILING;

	pool->own_memory = !config->base;
	if (pool->own_memory) {
		pool->virt = dmamap_pages_alloc(pool->host, pool->bytes, ceiling, DMAMAP_GFP_KERNEL,
						&pool->base);
		return pool->virt ? 0 : -DMAMAP_ENOMEM;
	}
	if (!memory_usable(pool->host, config->base, pool->bytes))
		return -DMAMAP_EINVAL;
	if (config->ceiling && config->base + (pool->bytes - 1) > ceiling)
		return -DMAMAP_EINVAL;
	pool->base = config->base;
	pool->virt = pool->host->phys_to_virt(pool->host, config->base);
	return 0;
}

/* Lay one area out behind the pool and its array of areas, in @meta. */
static void init_area(struct dma_bounce *pool, struct bounce_area *area, void *meta)
{
	uint64_t words = bitmap_words(pool->slots);

	area->slots = pool->slots;
	area->busy = meta;
	area->starts = area->busy + words;
	area->runs = (struct bounce_run *)(area->starts + words);
	dmamap_lock_init(pool->host, &area->lock);
}

/* A pool of @slots slots without memory; NULL if the host gives no pages. */
static struct dma_bounce *alloc_pool(struct dma_host *host, uint64_t slots)
{
	uint64_t bytes = sizeof(struct dma_bounce) + sizeof(struct bounce_area) +
			 2 * sizeof(uint64_t) * bitmap_words(slots) +
			 slots * sizeof(struct bounce_run);
	struct dma_bounce *pool =
		dmamap_pages_alloc(host, bytes, ~(phys_addr_t)0, DMAMAP_GFP_KERNEL, NULL);

	if (!pool)
		return NULL;
	pool->host = host;
	pool->meta_bytes = bytes;
	pool->slots = slots;
	pool->nr_areas = 1;
	pool->areas = (struct bounce_area *)(pool + 1);
	init_area(pool, pool->areas, pool->areas + 1);
	return pool;
}

static void free_pool(struct dma_bounce *pool)
{
	struct dma_host *host = pool->host;

	for (unsigned int i = 0; i < pool->nr_areas; i++)
		dmamap_lock_fini(host, &pool->areas[i].lock);
	dmamap_pages_free(host, pool, pool->meta_bytes);
}

int dmamap_bounce_create(struct dma_host *host, const struct dma_bounce_config *config,
			 struct dma_bounce **pool)
{
	struct dma_bounce *made;
	uint64_t bytes;
	int err;

	if (!host || !config || !pool || config->size != sizeof(*config) ||
	    !geometry_valid(host, config))
		return -DMAMAP_EINVAL;
	bytes = round_up(config->bytes, host->page_size);
	made = alloc_pool(host, bytes / slot_size(config));
	if (!made)
		return -DMAMAP_ENOMEM;
	made->bytes = bytes;
	made->shift = low_bit(slot_size(config));
	made->segment_slots = config->segment_slots;
	err = take_memory(made, config);
	if (err) {
		free_pool(made);
		return err;
	}
	__atomic_fetch_add(&dmamap_host(host)->objects, 1, __ATOMIC_RELAXED);
	*pool = made;
	return 0;
}

int dmamap_bounce_destroy(struct dma_bounce *pool)
{
	struct dma_bounce_stats stats;
	struct dma_host *host;

	if (!pool)
		return 0;
	host = pool->host;
	dmamap_bounce_get_stats(pool, &stats);
	if (stats.used_slots)
		return -DMAMAP_EBUSY;
	if (pool->own_memory)
		dmamap_pages_free(host, pool->virt, pool->bytes);
	free_pool(pool);
	__atomic_fetch_sub(&dmamap_host(host)->objects, 1, __ATOMIC_RELAXED);
	return 0;
}

struct dma_host *dmamap_bounce_host(const struct dma_bounce *pool)
{
	return pool->host;
}

static void add_area(struct dma_bounce *pool, struct bounce_area *area,
		     struct dma_bounce_stats *stats)
{
	const struct bounce_query anything = {
		.pool = pool,
		.slots = 1,
		.limit = pool->slots,
	};
	uint64_t longest;

	dmamap_lock(pool->host, &area->lock);
	stats->used_slots += area->used;
	stats->peak_slots += area->peak;
	stats->maps += area->maps;
	stats->failures += area->failures;
	longest = dmamap_bounce_longest(area, &anything, false);
	dmamap_unlock(pool->host, &area->lock);
	if (longest > stats->longest_run)
		stats->longest_run = longest;
}

void dmamap_bounce_get_stats(struct dma_bounce *pool, struct dma_bounce_stats *stats)
{
	*stats = (struct dma_bounce_stats){
		.base = pool->base,
		.bytes = pool->bytes,
		.slot_size = (uint32_t)bounce_slot_bytes(pool),
		.slots = pool->slots,
	};
	for (unsigned int i = 0; i < pool->nr_areas; i++)
		add_area(pool, &pool->areas[i], stats);
}
