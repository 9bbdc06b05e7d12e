/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making, ending and describing a pool.
 *
 * The memory of the first part comes from the host, or from the caller, whose RAM is then checked frame by frame. A
 * pool that may grow is in a list of its host, for dma_poll().
 */
#include "internal.h"

#define DEFAULT_SLOT	2048u
#define SMALLEST_SLOT	256u
#define DEFAULT_CEILING 0xffffffffu
#define MAX_SLOTS	0xffffffffu
#define ALL_FLAGS                                                                        \
	(DMA_BOUNCE_FORCE | DMA_BOUNCE_FORBID | DMA_BOUNCE_SCRUB | DMA_BOUNCE_COHERENT | \
	 DMA_BOUNCE_TRACK_PEAK)

static uint32_t slot_size(const struct dma_bounce_config *config)
{
	return config->slot_size ? config->slot_size : DEFAULT_SLOT;
}

static bool flags_valid(const struct dma_bounce_config *config)
{
	const uint32_t flags = config->flags;

	if (flags & ~ALL_FLAGS)
		return false;
	return !(flags & DMA_BOUNCE_FORBID) || flags == DMA_BOUNCE_FORBID;
}

static bool bytes_valid(const struct dma_host *host, const struct dma_bounce_config *config)
{
	uint64_t page = host->page_size;
	uint64_t most = config->max_bytes > config->bytes ? config->max_bytes : config->bytes;

	if (!config->bytes || add_wraps(most, page - 1) || config->min_bytes > config->bytes)
		return false;
	return round_up(config->bytes, page) / slot_size(config) <= MAX_SLOTS;
}

static bool geometry_valid(const struct dma_host *host, const struct dma_bounce_config *config)
{
	uint64_t page = host->page_size;
	uint64_t slot = slot_size(config);

	if (!is_power_of_two(slot) || slot < SMALLEST_SLOT || slot > page)
		return false;
	if (config->segment_slots && !is_power_of_two(config->segment_slots))
		return false;
	return !(config->base & (page - 1));
}

static bool config_valid(const struct dma_host *host, const struct dma_bounce_config *config)
{
	if (!host || !config || config->size != sizeof(*config) || !flags_valid(config))
		return false;
	return (config->flags & DMA_BOUNCE_FORBID) ||
	       (bytes_valid(host, config) && geometry_valid(host, config));
}

uint64_t dmamap_bounce_round_bytes(const struct dma_bounce_config *config)
{
	uint64_t segment = config->segment_slots ? config->segment_slots : 1;
	uint64_t slots = config->bytes / slot_size(config);
	uint64_t areas = config->areas ? config->areas : 1;

	slots += slots * slot_size(config) < config->bytes;
	slots = round_up(slots, segment);
	areas = (uint64_t)1 << ceil_log2(areas);
	if (config->areas && slots < segment * areas)
		slots = segment * areas;
	if (config->areas && slots && slots <= (uint64_t)1 << 40)
		slots = (uint64_t)1 << ceil_log2(slots);
	return slots * slot_size(config);
}

/* --- memory of the first part */

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

/* The caller's memory. What it held is no device's business. */
static int use_memory(struct bounce_part *part, const struct dma_bounce_config *config)
{
	struct dma_host *host = part->pool->host;

	if (!memory_usable(host, config->base, part->bytes))
		return -DMAMAP_EINVAL;
	if (config->ceiling && config->base + (part->bytes - 1) > config->ceiling)
		return -DMAMAP_EINVAL;
	part->base = config->base;
	part->virt = host->phys_to_virt(host, config->base);
	if (!(part->pool->flags & DMA_BOUNCE_SCRUB))
		return 0;
	memset(part->virt, 0, part->bytes);
	dmamap_cache_for_device(host, part->base, part->bytes, DMA_TO_DEVICE);
	dmamap_cache_flush(host);
	return 0;
}

static int first_part_of(struct dma_bounce *pool, const struct dma_bounce_config *config,
			 uint64_t bytes)
{
	struct bounce_part *part = dmamap_bounce_part_create(pool, bytes, pool->areas);
	int err = -DMAMAP_ENOMEM;

	if (part && config->base)
		err = use_memory(part, config);
	else if (part && dmamap_bounce_part_fill(part, pool->ceiling, 0, DMAMAP_GFP_KERNEL))
		err = 0;
	if (err) {
		dmamap_bounce_part_free(part);
		return err;
	}
	pool->first_bytes = bytes;
	pool->bytes = bytes;
	dmamap_bounce_publish(pool, part);
	return 0;
}

/* All the memory that was asked for, or, if the caller allows it, the largest half, quarter, … that there is. */
static int first_part(struct dma_bounce *pool, const struct dma_bounce_config *config)
{
	uint64_t page = pool->host->page_size;
	uint64_t bytes = round_up(config->bytes, page);
	int err = first_part_of(pool, config, bytes);

	while (err == -DMAMAP_ENOMEM && config->min_bytes && bytes / 2 >= config->min_bytes) {
		bytes = round_up(bytes / 2, page);
		err = first_part_of(pool, config, bytes);
	}
	return err;
}

/* --- life */

static struct dma_bounce *alloc_pool(struct dma_host *host, const struct dma_bounce_config *config)
{
	struct dma_bounce *pool =
		dmamap_pages_alloc(host, sizeof(*pool), ~(phys_addr_t)0, DMAMAP_GFP_KERNEL, NULL);

	if (!pool)
		return NULL;
	pool->host = host;
	pool->flags = config->flags;
	pool->segment_slots = config->segment_slots;
	pool->shift = low_bit(slot_size(config));
	pool->areas = config->areas;
	pool->max_bytes = config->max_bytes;
	pool->ceiling = config->ceiling ? config->ceiling : DEFAULT_CEILING;
	dmamap_lock_init(host, &pool->lock);
	return pool;
}

static void free_pool(struct dma_bounce *pool)
{
	struct dma_host *host = pool->host;

	for (unsigned int i = 0; i < pool->nr_parts; i++)
		dmamap_bounce_part_free(pool->parts[i].part);
	dmamap_lock_fini(host, &pool->lock);
	dmamap_pages_free(host, pool, sizeof(*pool));
}

static void list_pool(struct dma_bounce *pool)
{
	struct dmamap_host *h = dmamap_host(pool->host);

	dmamap_lock(pool->host, &h->lock);
	if (pool->max_bytes > pool->first_bytes) {
		pool->next = h->growing_pools;
		h->growing_pools = pool;
	}
	dmamap_unlock(pool->host, &h->lock);
	__atomic_fetch_add(&h->objects, 1, __ATOMIC_RELAXED);
}

int dmamap_bounce_create(struct dma_host *host, const struct dma_bounce_config *config,
			 struct dma_bounce **pool)
{
	struct dma_bounce *made;
	int err = 0;

	if (!pool || !config_valid(host, config))
		return -DMAMAP_EINVAL;
	made = alloc_pool(host, config);
	if (!made)
		return -DMAMAP_ENOMEM;
	if (!(config->flags & DMA_BOUNCE_FORBID))
		err = first_part(made, config);
	if (err) {
		free_pool(made);
		return err;
	}
	list_pool(made);
	*pool = made;
	return 0;
}

/* False: somebody polls it. */
static bool unlist_pool(struct dma_bounce *pool)
{
	struct dmamap_host *h = dmamap_host(pool->host);
	struct dma_bounce **link;
	bool idle;

	dmamap_lock(pool->host, &h->lock);
	idle = !pool->polls;
	for (link = &h->growing_pools; idle && *link; link = &(*link)->next) {
		if (*link != pool)
			continue;
		*link = pool->next;
		break;
	}
	dmamap_unlock(pool->host, &h->lock);
	return idle;
}

int dmamap_bounce_destroy(struct dma_bounce *pool)
{
	struct dma_bounce_stats stats;
	struct dma_host *host;

	if (!pool)
		return 0;
	host = pool->host;
	dmamap_bounce_get_stats(pool, &stats);
	if (stats.used_slots || !unlist_pool(pool))
		return -DMAMAP_EBUSY;
	free_pool(pool);
	__atomic_fetch_sub(&dmamap_host(host)->objects, 1, __ATOMIC_RELAXED);
	return 0;
}

struct dma_host *dmamap_bounce_host(const struct dma_bounce *pool)
{
	return pool->host;
}

bool dmamap_bounce_forces(const struct dma_bounce *pool)
{
	return pool && pool->flags & DMA_BOUNCE_FORCE;
}

/* --- figures */

static void add_part(struct bounce_part *part, struct dma_bounce_stats *stats)
{
	const struct bounce_query anything = {
		.slots = 1,
		.segment = part->pool->segment_slots,
		.limit = part->slots,
	};
	uint64_t longest;
	bool closed;

	dmamap_bounce_lock_all(part);
	for (unsigned int i = 0; i < part->nr_areas; i++) {
		stats->used_slots += part->areas[i].used;
		stats->maps += part->areas[i].maps;
		stats->peak_slots += part->transient ? 0 : part->areas[i].peak;
	}
	longest = part->closed ? 0 : dmamap_bounce_longest(part, &anything, false);
	closed = part->closed;
	dmamap_bounce_unlock_all(part);
	stats->bytes += closed ? 0 : part->bytes;
	stats->slots += closed ? 0 : part->slots;
	stats->parts += !closed && !part->transient;
	if (longest > stats->longest_run && !part->transient)
		stats->longest_run = longest;
}

void dmamap_bounce_get_stats(struct dma_bounce *pool, struct dma_bounce_stats *stats)
{
	unsigned int parts = __atomic_load_n(&pool->nr_parts, __ATOMIC_ACQUIRE);

	*stats = (struct dma_bounce_stats){
		.base = parts ? pool->parts[0].base : DMAMAP_PHYS_NONE,
		.slot_size = (uint32_t)bounce_slot_bytes(pool),
		.areas = parts ? pool->parts[0].part->nr_areas : 0,
	};
	for (unsigned int i = 0; i < parts; i++)
		add_part(pool->parts[i].part, stats);
	dmamap_lock(pool->host, &pool->lock);
	for (struct bounce_part *part = pool->transients; part; part = part->next)
		add_part(part, stats);
	stats->maps += pool->transient_maps;
	stats->transient_slots = pool->transient_slots;
	stats->peak_slots += pool->transient_peak;
	dmamap_unlock(pool->host, &pool->lock);
	stats->failures = __atomic_load_n(&pool->failures, __ATOMIC_RELAXED);
	if (pool->flags & DMA_BOUNCE_TRACK_PEAK)
		stats->peak_slots = __atomic_load_n(&pool->tracked_peak, __ATOMIC_RELAXED);
}

void dmamap_bounce_reset_peak(struct dma_bounce *pool)
{
	for (unsigned int i = 0; i < __atomic_load_n(&pool->nr_parts, __ATOMIC_ACQUIRE); i++) {
		struct bounce_part *part = pool->parts[i].part;

		for (unsigned int a = 0; a < part->nr_areas; a++) {
			dmamap_lock(pool->host, &part->areas[a].lock);
			part->areas[a].peak = part->areas[a].used;
			dmamap_unlock(pool->host, &part->areas[a].lock);
		}
	}
	dmamap_lock(pool->host, &pool->lock);
	pool->transient_peak = pool->transient_slots;
	dmamap_unlock(pool->host, &pool->lock);
	__atomic_store_n(&pool->tracked_peak,
			 __atomic_load_n(&pool->tracked_used, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
}
