/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Atomic pools: memory whose special view (uncached, shared) was made while that was allowed, for callers that may not
 * block now (docs/semantics.md, "Atomic pools").
 *
 * A pool is a list of blocks. An allocation is the first free run of a block, aligned to the size rounded up to a
 * power of two. An allocation that leaves less than the low mark asks for more; dma_poll() makes it, outside of all
 * locks, and gives blocks back that nobody needs. Pools of a host are made and destroyed while nobody allocates.
 */
#include "alloc.h"
#include "base/block.h"
#include "bounce/pool.h"
#include "direct/direct.h"
#include "iommu/iommu.h"

#define KIB(n) ((uint64_t)(n) << 10)

/** Marks a page inside of an allocation that starts before it. */
#define INNER 0xffffffffu

struct atomic_block {
	struct atomic_block *next;
	phys_addr_t phys;
	unsigned char *cpu;
	uint64_t pages;
	uint64_t used;
	uint64_t meta_bytes;
	uint32_t lengths[]; /* pages of the allocation that starts here; 0: free */
};

struct dma_atomic_pool {
	struct dma_host *host;
	struct dma_atomic_pool *next;
	struct dma_lock lock;
	struct dma_atomic_config config;
	struct atomic_block *blocks;
	struct dma_atomic_stats stats;
	bool wants_more;
};

/** Where an allocation lies. */
struct spot {
	struct dma_atomic_pool *pool;
	struct atomic_block *block;
	uint64_t at;
	uint64_t pages;
};

static phys_addr_t spot_phys(const struct spot *s)
{
	return s->block->phys + s->at * s->pool->host->page_size;
}

static unsigned char *spot_cpu(const struct spot *s)
{
	return s->block->cpu + s->at * s->pool->host->page_size;
}

/* --- blocks */

static void free_block(struct dma_atomic_pool *pool, struct atomic_block *block)
{
	struct dma_host *host = pool->host;
	uint64_t bytes = block->pages * host->page_size;

	if (host->map_uncached && host->unmap_uncached)
		host->unmap_uncached(host, block->cpu, block->phys, bytes);
	if (!pool->config.shared || dmamap_block_share(host, block->phys, bytes, false))
		dmamap_block_free(host, block->phys, bytes);
	dmamap_pages_free(host, block, block->meta_bytes);
}

/** The view of the whole block; NULL, and the pages are gone. */
static unsigned char *open_block(struct dma_atomic_pool *pool, phys_addr_t phys, uint64_t bytes)
{
	struct dma_host *host = pool->host;
	unsigned char *cpu;

	if (pool->config.shared && !dmamap_block_share(host, phys, bytes, true))
		return NULL;
	if (host->cache_prepare_coherent)
		host->cache_prepare_coherent(host, phys, bytes);
	cpu = host->map_uncached && host->unmap_uncached ? host->map_uncached(host, phys, bytes)
							 : host->phys_to_virt(host, phys);
	if (cpu)
		return cpu;
	if (!pool->config.shared || dmamap_block_share(host, phys, bytes, false))
		dmamap_block_free(host, phys, bytes);
	return NULL;
}

static struct atomic_block *try_block(struct dma_atomic_pool *pool, uint64_t bytes, gfp_t gfp)
{
	struct dma_host *host = pool->host;
	uint64_t pages = bytes / host->page_size;
	uint64_t meta = sizeof(struct atomic_block) + pages * sizeof(uint32_t);
	phys_addr_t top = pool->config.ceiling ? pool->config.ceiling : ~(phys_addr_t)0;
	struct atomic_block *block = dmamap_pages_alloc(host, meta, ~(phys_addr_t)0, gfp, NULL);

	if (!block)
		return NULL;
	block->pages = pages;
	block->meta_bytes = meta;
	block->phys = dmamap_block_contiguous(host, bytes, top, gfp);
	if (block->phys == DMAMAP_PHYS_NONE || block->phys + bytes - 1 > top) {
		if (block->phys != DMAMAP_PHYS_NONE)
			dmamap_block_free(host, block->phys, bytes);
		block->phys = dmamap_block_pages(host, bytes, top, gfp);
	}
	if (block->phys != DMAMAP_PHYS_NONE) {
		block->cpu = open_block(pool, block->phys, bytes);
		if (block->cpu)
			return block;
	}
	dmamap_pages_free(host, block, meta);
	return NULL;
}

/** Add a block of @bytes, or of half as much, and so on. False: not even a page. */
static bool add_block(struct dma_atomic_pool *pool, uint64_t bytes, gfp_t gfp)
{
	uint64_t page = pool->host->page_size;
	struct atomic_block *block = NULL;

	for (; bytes >= page && !block; bytes = round_down(bytes / 2, page)) {
		block = try_block(pool, bytes, gfp);
		if (block)
			break;
	}
	if (!block)
		return false;
	dmamap_lock(pool->host, &pool->lock);
	block->next = pool->blocks;
	pool->blocks = block;
	pool->stats.bytes += block->pages * page;
	pool->stats.blocks++;
	dmamap_unlock(pool->host, &pool->lock);
	return true;
}

/* --- taking and giving */

static bool run_free(const struct atomic_block *block, uint64_t at, uint64_t n)
{
	for (uint64_t i = at; i < at + n; i++)
		if (block->lengths[i])
			return false;
	return true;
}

/** Can @dev use it? */
static bool reaches(struct dma_device *dev, const struct spot *s, dma_addr_t *handle)
{
	uint64_t bytes = s->pages * s->pool->host->page_size;

	if (dmamap_dev(dev)->alloc_route == DMA_ROUTE_IOMMU)
		return spot_phys(s) + bytes - 1 <= dmamap_iommu_ceiling(dev);
	return dmamap_direct_coherent_reach(dev, spot_phys(s), bytes, handle) == DMA_REASON_NONE;
}

static bool find_in_block(struct dma_device *dev, struct spot *s, dma_addr_t *handle)
{
	uint64_t step = (uint64_t)1 << ceil_log2(s->pages);

	for (s->at = 0; s->at + s->pages <= s->block->pages; s->at += step)
		if (run_free(s->block, s->at, s->pages) && reaches(dev, s, handle))
			return true;
	return false;
}

static void mark(const struct spot *s, uint32_t first, uint32_t rest)
{
	s->block->lengths[s->at] = first;
	for (uint64_t i = 1; i < s->pages; i++)
		s->block->lengths[s->at + i] = rest;
}

static void count_taken(const struct spot *s)
{
	struct dma_atomic_pool *pool = s->pool;
	uint64_t bytes = s->pages * pool->host->page_size;

	s->block->used += s->pages;
	pool->stats.allocs++;
	pool->stats.used_bytes += bytes;
	if (pool->stats.used_bytes > pool->stats.peak_bytes)
		pool->stats.peak_bytes = pool->stats.used_bytes;
}

/** Lock held. */
static bool find_in_pool(struct dma_device *dev, struct spot *s, dma_addr_t *handle)
{
	for (s->block = s->pool->blocks; s->block; s->block = s->block->next)
		if (find_in_block(dev, s, handle))
			return true;
	return false;
}

static bool take(struct dma_device *dev, struct spot *s, dma_addr_t *handle)
{
	struct dma_atomic_pool *pool = s->pool;
	bool found;

	dmamap_lock(pool->host, &pool->lock);
	found = find_in_pool(dev, s, handle);
	if (found) {
		mark(s, (uint32_t)s->pages, INNER);
		count_taken(s);
	} else {
		pool->stats.failures++;
	}
	if (!found || pool->stats.bytes - pool->stats.used_bytes < pool->config.low)
		pool->wants_more = true;
	dmamap_unlock(pool->host, &pool->lock);
	return found;
}

static void give(const struct spot *s)
{
	struct dma_atomic_pool *pool = s->pool;

	dmamap_lock(pool->host, &pool->lock);
	mark(s, 0, 0);
	s->block->used -= s->pages;
	pool->stats.used_bytes -= s->pages * pool->host->page_size;
	dmamap_unlock(pool->host, &pool->lock);
}

/* --- allocation */

static struct dma_atomic_pool *first_pool(const struct dma_device *dev)
{
	return __atomic_load_n(&dmamap_host(dev_host(dev))->atomic_pools, __ATOMIC_ACQUIRE);
}

bool dmamap_atomic_wanted(const struct dma_device *dev, gfp_t gfp)
{
	const struct dmamap_dev *d = dmamap_dev(dev);

	if (d->alloc_route == DMA_ROUTE_DIRECT && dmamap_bounce_gives_coherent(dev))
		return false; /* nothing but its pool may be shown to it */
	return !(gfp & DMAMAP_GFP_RECLAIM) && first_pool(dev) && d->alloc_route != DMA_ROUTE_OPS &&
	       (!d->coherent || dev_needs_shared(dev));
}

static void *refuse(struct dma_device *dev, enum dma_reason reason, size_t size, gfp_t gfp,
		    struct dma_error *why)
{
	fail_range(why, dev, reason, -DMAMAP_ENOMEM, 0, size);
	for (struct dma_atomic_pool *pool = first_pool(dev); pool; pool = pool->next) {
		dmamap_lock(pool->host, &pool->lock);
		why->have += pool->stats.bytes - pool->stats.used_bytes;
		dmamap_unlock(pool->host, &pool->lock);
	}
	if (!(gfp & DMAMAP_GFP_NOWARN))
		dmamap_log(dev_host(dev), DMA_LOG_WARNING, dev, "no memory in an atomic pool", why);
	return NULL;
}

void *dmamap_atomic_alloc(struct dma_device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
			  unsigned long attrs, struct dma_error *why)
{
	uint64_t page = dev_host(dev)->page_size;
	bool shared = dev_needs_shared(dev);
	struct spot s = { .pool = first_pool(dev), .pages = (size + page - 1) / page };

	if (shared && dmamap_dev(dev)->alloc_route == DMA_ROUTE_IOMMU)
		return refuse(dev, DMA_REASON_NEEDS_SHARED, size, gfp, why);
	while (s.pool && (s.pool->config.shared != shared || !take(dev, &s, handle)))
		s.pool = s.pool->next;
	if (!s.pool || !s.block)
		return refuse(dev, DMA_REASON_ATOMIC_EXHAUSTED, size, gfp, why);
	memset(spot_cpu(&s), 0, s.pages * page);
	if (dmamap_dev(dev)->alloc_route != DMA_ROUTE_IOMMU) {
		dev_live_add(dmamap_dev(dev), 1);
		return spot_cpu(&s);
	}
	*handle = dmamap_iommu_map_allocated(dev, spot_phys(&s), s.pages * page, DMA_BIDIRECTIONAL,
					     attrs, why);
	if (*handle != DMA_MAPPING_ERROR)
		return spot_cpu(&s);
	give(&s);
	return NULL;
}

/** Where @cpu_addr lies: false if in no pool; pages 0 if no allocation starts there. */
static bool locate(const struct dma_device *dev, const void *cpu_addr, struct spot *s)
{
	uint64_t page = dev_host(dev)->page_size;

	for (s->pool = first_pool(dev); s->pool; s->pool = s->pool->next) {
		dmamap_lock(s->pool->host, &s->pool->lock);
		for (s->block = s->pool->blocks; s->block; s->block = s->block->next) {
			uint64_t offset = (uintptr_t)cpu_addr - (uintptr_t)s->block->cpu;
			uint32_t length;

			if (offset >= s->block->pages * page)
				continue;
			s->at = offset / page;
			length = offset % page ? 0 : s->block->lengths[s->at];
			s->pages = length == INNER ? 0 : length;
			dmamap_unlock(s->pool->host, &s->pool->lock);
			return true;
		}
		dmamap_unlock(s->pool->host, &s->pool->lock);
	}
	return false;
}

bool dmamap_atomic_free(struct dma_device *dev, size_t size, void *cpu_addr, dma_addr_t handle,
			struct dma_error *why)
{
	uint64_t page = dev_host(dev)->page_size;
	phys_addr_t phys;
	struct spot s;

	if (!first_pool(dev) || !locate(dev, cpu_addr, &s))
		return false;
	if (!s.pages || s.pages != (size + page - 1) / page) {
		fail_range(why, dev, DMA_REASON_NOT_ALLOCATED, -DMAMAP_EINVAL, handle, size);
		why->have = s.pages * page;
		return true;
	}
	if (dmamap_dev(dev)->alloc_route == DMA_ROUTE_IOMMU) {
		if (!dmamap_iommu_unmap_coherent(dev, handle, s.pages * page, why))
			return true;
	} else if (!dmamap_dev_to_phys(dev, handle, &phys) || phys != spot_phys(&s)) {
		fail_range(why, dev, DMA_REASON_NOT_ALLOCATED, -DMAMAP_EINVAL, handle, size);
		return true;
	} else {
		dev_live_sub(dmamap_dev(dev), 1);
	}
	give(&s);
	return true;
}

/* --- growing and shrinking, from dma_poll() */

static void grow(struct dma_atomic_pool *pool)
{
	gfp_t gfp = DMAMAP_GFP_NOWARN | DMAMAP_GFP_NORETRY;
	uint64_t bytes;

	gfp |= dmamap_may_block(pool->host) ? DMAMAP_GFP_KERNEL : DMAMAP_GFP_ATOMIC;
	dmamap_lock(pool->host, &pool->lock);
	bytes = pool->wants_more ? pool->stats.bytes : 0;
	if (bytes >= pool->config.max_bytes)
		bytes = 0;
	bytes = min_u64(bytes, pool->config.max_bytes -
				       min_u64(pool->stats.bytes, pool->config.max_bytes));
	pool->wants_more = false; /* and so nobody else makes a block */
	dmamap_unlock(pool->host, &pool->lock);
	if (!bytes)
		return;
	if (add_block(pool, bytes, gfp)) {
		dmamap_lock(pool->host, &pool->lock);
		pool->stats.grown++;
		dmamap_unlock(pool->host, &pool->lock);
	}
}

/** An unused block without which the high mark still stays free, and the first size is kept. Lock held. */
static struct atomic_block *take_spare(struct dma_atomic_pool *pool)
{
	uint64_t unused = pool->stats.bytes - pool->stats.used_bytes;

	for (struct atomic_block **link = &pool->blocks; *link; link = &(*link)->next) {
		struct atomic_block *block = *link;
		uint64_t bytes = block->pages * pool->host->page_size;

		if (block->used || unused < bytes + pool->config.high ||
		    pool->stats.bytes - bytes < pool->config.bytes)
			continue;
		*link = block->next;
		pool->stats.bytes -= bytes;
		pool->stats.blocks--;
		pool->stats.shrunk++;
		return block;
	}
	return NULL;
}

static void shrink(struct dma_atomic_pool *pool)
{
	struct atomic_block *block;

	do {
		dmamap_lock(pool->host, &pool->lock);
		block = take_spare(pool);
		dmamap_unlock(pool->host, &pool->lock);
		if (block)
			free_block(pool, block);
	} while (block);
}

static void poll_pools(struct dma_host *host)
{
	struct dma_atomic_pool *pool =
		__atomic_load_n(&dmamap_host(host)->atomic_pools, __ATOMIC_ACQUIRE);

	for (; pool; pool = pool->next) {
		grow(pool);
		shrink(pool);
	}
}

/* --- life */

static uint64_t default_bytes(struct dma_host *host)
{
	uint64_t ram = 0;
	phys_addr_t start;
	uint64_t size;

	for (unsigned int i = 0; host->ram_range(host, i, &start, &size); i++)
		ram += size;
	ram = (ram >> 30) * KIB(128);
	return ram < KIB(128) ? KIB(128) : min_u64(ram, KIB(4096));
}

/** Fill in what was left open; false if it is impossible. */
static bool complete(struct dma_host *host, struct dma_atomic_config *config)
{
	if (!config->bytes)
		config->bytes = default_bytes(host);
	if (config->bytes > (uint64_t)1 << 40 || (!config->shared && !host->map_uncached))
		return false;
	config->bytes = round_up(config->bytes, host->page_size);
	if (!config->max_bytes)
		config->max_bytes = config->bytes * 16;
	if (!config->low)
		config->low = config->bytes;
	if (!config->high)
		config->high = config->low > ~(uint64_t)0 / 4 ? ~(uint64_t)0 : config->low * 4;
	return config->max_bytes >= config->bytes && config->high >= config->low;
}

static void list_pool(struct dma_atomic_pool *pool)
{
	struct dmamap_host *h = dmamap_host(pool->host);
	struct dma_atomic_pool **link = &h->atomic_pools;

	dmamap_lock(pool->host, &h->lock);
	while (*link)
		link = &(*link)->next;
	__atomic_store_n(link, pool, __ATOMIC_RELEASE);
	h->poll_atomic = poll_pools;
	h->objects++;
	dmamap_unlock(pool->host, &h->lock);
}

int dmamap_atomic_pool_create(struct dma_host *host, const struct dma_atomic_config *config,
			      struct dma_atomic_pool **out)
{
	struct dma_atomic_config full;
	struct dma_atomic_pool *pool;

	if (!host || !config || !out || config->size != sizeof(*config))
		return -DMAMAP_EINVAL;
	full = *config;
	if (!complete(host, &full))
		return -DMAMAP_EINVAL;
	pool = dmamap_pages_alloc(host, sizeof(*pool), ~(phys_addr_t)0, DMAMAP_GFP_KERNEL, NULL);
	if (!pool)
		return -DMAMAP_ENOMEM;
	pool->host = host;
	pool->config = full;
	dmamap_lock_init(host, &pool->lock);
	if (!add_block(pool, full.bytes, DMAMAP_GFP_KERNEL)) {
		dmamap_lock_fini(host, &pool->lock);
		dmamap_pages_free(host, pool, sizeof(*pool));
		return -DMAMAP_ENOMEM;
	}
	list_pool(pool);
	*out = pool;
	return 0;
}

static void unlist_pool(struct dma_atomic_pool *pool)
{
	struct dmamap_host *h = dmamap_host(pool->host);
	struct dma_atomic_pool **link = &h->atomic_pools;

	dmamap_lock(pool->host, &h->lock);
	while (*link && *link != pool)
		link = &(*link)->next;
	if (*link)
		*link = pool->next;
	h->objects--;
	dmamap_unlock(pool->host, &h->lock);
}

int dmamap_atomic_pool_destroy(struct dma_atomic_pool *pool)
{
	struct dma_host *host = pool ? pool->host : NULL;

	if (!pool)
		return 0;
	if (pool->stats.used_bytes)
		return -DMAMAP_EBUSY;
	unlist_pool(pool);
	while (pool->blocks) {
		struct atomic_block *block = pool->blocks;

		pool->blocks = block->next;
		free_block(pool, block);
	}
	dmamap_lock_fini(host, &pool->lock);
	dmamap_pages_free(host, pool, sizeof(*pool));
	return 0;
}

void dmamap_atomic_pool_get_stats(struct dma_atomic_pool *pool, struct dma_atomic_stats *stats)
{
	dmamap_lock(pool->host, &pool->lock);
	*stats = pool->stats;
	dmamap_unlock(pool->host, &pool->lock);
}

uint64_t dmamap_lost_bytes(struct dma_host *host)
{
	return __atomic_load_n(&dmamap_host(host)->lost_bytes, __ATOMIC_RELAXED);
}
