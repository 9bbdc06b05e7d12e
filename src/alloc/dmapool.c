/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools of blocks: made, ended, reported (docs/semantics.md, "Pools of blocks"). Their blocks: dmapool_blocks.c.
 */
#include "base/text.h"
#include "dmapool.h"

/** What Linux's pools keep in a free block; drivers may rely on no block being smaller. */
#define SMALLEST_BLOCK 16u

/** As INT_MAX in Linux: sizes stay far from any overflow. */
#define LARGEST_BLOCK 0x7fffffffu

/* --- geometry */

static bool set_geometry(struct dma_pool *pool, size_t size, size_t align, size_t boundary)
{
	size_t page = dev_host(pool->dev)->page_size;

	align = align ? align : 1;
	if (!is_power_of_two(align) || align > LARGEST_BLOCK || !size || size > LARGEST_BLOCK)
		return false;
	size = round_up(size < SMALLEST_BLOCK ? SMALLEST_BLOCK : size, align);
	if (boundary && (boundary < size || !is_power_of_two(boundary)))
		return false;
	pool->size = size;
	pool->align = align;
	pool->boundary = boundary;
	pool->unit = size > page ? size : page;
	pool->stride = boundary ? min_u64(boundary, pool->unit) : pool->unit;
	pool->per_row = (uint32_t)(pool->stride / size);
	pool->per_unit = (uint32_t)(pool->unit / pool->stride * pool->per_row +
				    pool->unit % pool->stride / size);
	return true;
}

static void set_name(struct dma_pool *pool, const char *name)
{
	for (unsigned int i = 0; i < POOL_NAME - 1 && name && name[i]; i++)
		pool->name[i] = name[i];
}

/* --- the device's list */

static void list_pool(struct dmamap_memory *memory, struct dma_pool *pool)
{
	dmamap_lock(dev_host(pool->dev), &memory->lock);
	pool->next = memory->pools;
	memory->pools = pool;
	dmamap_unlock(dev_host(pool->dev), &memory->lock);
}

/** Out of the list; into that of the orphans if @orphan. */
static void unlist_pool(struct dma_pool *pool, bool orphan)
{
	struct dmamap_memory *memory = dmamap_memory(pool->dev);
	struct dma_pool **link = &memory->pools;

	dmamap_lock(dev_host(pool->dev), &memory->lock);
	while (*link && *link != pool)
		link = &(*link)->next;
	if (*link)
		*link = pool->next;
	if (orphan) {
		pool->next = memory->orphans;
		memory->orphans = pool;
	}
	dmamap_unlock(dev_host(pool->dev), &memory->lock);
}

uint64_t dmamap_pools_ending(struct dmamap_memory *memory)
{
	uint64_t n = 0;

	for (struct dma_pool *p = memory->pools; p; p = p->next)
		n += p->managed ? p->nr_units : 0;
	for (struct dma_pool *p = memory->orphans; p; p = p->next)
		n += p->nr_units;
	return n;
}

bool dmamap_pools_unmanaged(struct dmamap_memory *memory)
{
	for (struct dma_pool *p = memory->pools; p; p = p->next)
		if (!p->managed)
			return true;
	return false;
}

void dmamap_pools_end(struct dmamap_memory *memory)
{
	while (memory->orphans) {
		struct dma_pool *pool = memory->orphans;

		memory->orphans = pool->next;
		dmamap_pool_release_units(pool);
	}
}

/* --- life */

static struct dma_pool *refuse(struct dma_device *dev, enum dma_reason reason, int err, size_t size)
{
	struct dma_error why;

	fail_range(&why, dev, reason, err, 0, size);
	dmamap_record(dev, dmamap_dev(dev)->alloc_route, &why);
	return NULL;
}

static struct dma_pool *new_pool(const char *name, struct dma_device *dev, size_t size,
				 size_t align, size_t boundary)
{
	struct dma_host *host = dev_host(dev);
	struct dmamap_memory *memory = dmamap_memory_get(dev);
	struct dma_pool *pool = memory ? dmamap_pages_alloc(host, sizeof(*pool), ~(phys_addr_t)0,
							    DMAMAP_GFP_KERNEL, NULL)
				       : NULL;

	if (!pool)
		return refuse(dev, DMA_REASON_NO_MEMORY, -DMAMAP_ENOMEM, size);
	pool->dev = dev;
	if (!set_geometry(pool, size, align, boundary)) {
		dmamap_pages_free(host, pool, sizeof(*pool));
		return refuse(dev, size ? DMA_REASON_BAD_ARGUMENT : DMA_REASON_ZERO_SIZE,
			      -DMAMAP_EINVAL, size);
	}
	set_name(pool, name);
	dmamap_lock_init(host, &pool->lock);
	dmamap_slab_init(&pool->slab, host,
			 (uint32_t)(sizeof(struct pool_unit) + pool->per_unit * sizeof(uint32_t)));
	return pool;
}

struct dma_pool *dmamap_pool_create(const char *name, struct dma_device *dev, size_t size,
				    size_t align, size_t boundary)
{
	struct dma_pool *pool = dev ? new_pool(name, dev, size, align, boundary) : NULL;

	if (pool)
		list_pool(dmamap_memory(dev), pool);
	return pool;
}

void dmamap_pool_destroy(struct dma_pool *pool)
{
	struct dma_error why;

	if (!pool)
		return;
	unlist_pool(pool, pool->active != 0);
	if (!pool->active) {
		dmamap_pool_release_units(pool);
		return;
	}
	fail_range(&why, pool->dev, DMA_REASON_POOL_LEAK, -DMAMAP_EBUSY, 0, pool->size);
	why.have = pool->active;
	alloc_misuse(pool->dev, "a pool ended with blocks in use", &why);
}

int dmamap_pool_set_poison(struct dma_pool *pool, bool on)
{
	int err = 0;

	dmamap_lock(dev_host(pool->dev), &pool->lock);
	if (pool->nr_units)
		err = -DMAMAP_EBUSY;
	else
		pool->poison = on;
	dmamap_unlock(dev_host(pool->dev), &pool->lock);
	return err;
}

struct dma_pool *dmamap_managed_pool_create(const char *name, struct dma_device *dev, size_t size,
					    size_t align, size_t boundary)
{
	struct dmamap_record *record;
	struct dma_pool *pool;

	if (!dev)
		return NULL;
	record = dmamap_record_new(dev);
	if (!record)
		return refuse(dev, DMA_REASON_NO_MEMORY, -DMAMAP_ENOMEM, size);
	pool = new_pool(name, dev, size, align, boundary);
	if (!pool) {
		dmamap_record_drop(dev, record);
		return NULL;
	}
	pool->managed = true;
	list_pool(dmamap_memory(dev), pool);
	record->pool = pool;
	dmamap_record_add(dev, record);
	return pool;
}

void dmamap_managed_pool_destroy(struct dma_pool *pool)
{
	struct dmamap_record *record;
	struct dma_error why;

	if (!pool)
		return;
	record = dmamap_record_take(pool->dev, NULL, pool);
	if (record) {
		dmamap_record_drop(pool->dev, record);
	} else {
		fail_range(&why, pool->dev, DMA_REASON_NOT_MANAGED, -DMAMAP_EINVAL, 0, pool->size);
		alloc_misuse(pool->dev, "managed end of a pool that is not managed", &why);
	}
	dmamap_pool_destroy(pool);
}

/* --- report */

/** A number in a column of @width, at the right of it. */
static void put_column(const struct dmamap_text *t, uint64_t value, unsigned int width)
{
	unsigned int digits = 1;

	for (uint64_t v = value; v >= 10; v /= 10)
		digits++;
	dmamap_put_str(t, " ");
	for (; digits < width; digits++)
		dmamap_put_str(t, " ");
	dmamap_put_dec(t, value);
}

static void put_pool(const struct dmamap_text *t, struct dma_pool *pool)
{
	unsigned int len = 0;

	while (pool->name[len])
		len++;
	dmamap_put_str(t, pool->name);
	for (; len < 16; len++)
		dmamap_put_str(t, " ");
	dmamap_lock(dev_host(pool->dev), &pool->lock);
	put_column(t, pool->active, 4);
	put_column(t, (uint64_t)pool->nr_units * pool->per_unit, 4);
	put_column(t, pool->size, 4);
	put_column(t, pool->nr_units, 2);
	dmamap_unlock(dev_host(pool->dev), &pool->lock);
	dmamap_put_str(t, "\n");
}

void dmamap_pools_show(struct dma_device *dev, dma_put_fn put, void *ctx)
{
	struct dmamap_memory *memory = dmamap_memory(dev);
	const struct dmamap_text t = { put, ctx };

	dmamap_put_str(&t, "poolinfo - 0.1\n");
	if (!memory)
		return;
	dmamap_lock(dev_host(dev), &memory->lock);
	for (struct dma_pool *pool = memory->pools; pool; pool = pool->next)
		put_pool(&t, pool);
	dmamap_unlock(dev_host(dev), &memory->lock);
}
