/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory declared for one device (docs/semantics.md, "Declared memory").
 *
 * Pages are taken first-fit in naturally aligned regions of a power of two, as drivers may rely on that alignment. What
 * a region holds beyond the request is slack: others get it only when no whole region is free, so nothing is wasted
 * and nothing that need not be is cut up. The size of each allocation is recorded, so a free cannot lie about it.
 */
#include "alloc.h"

enum page_state {
	PAGE_FREE,
	PAGE_SLACK,
	PAGE_TAKEN,
};

struct dmamap_declared {
	struct dma_host *host;
	struct dma_lock lock;
	phys_addr_t phys;
	dma_addr_t device_addr;
	unsigned char *cpu;
	bool uncached;
	uint64_t pages;
	uint64_t used;
	uint64_t peak;
	uint64_t failures;
	uint64_t meta_bytes;
	uint32_t *lengths; /* pages of the allocation that starts here, 0: none does */
	unsigned char *states;
};

/* --- search */

static bool region_ok(const struct dmamap_declared *p, uint64_t start, uint64_t n, bool slack_too)
{
	if (start + n > p->pages)
		return false;
	for (uint64_t i = start; i < start + n; i++)
		if (p->states[i] == PAGE_TAKEN || (!slack_too && p->states[i] == PAGE_SLACK))
			return false;
	return true;
}

/** First naturally aligned place; p->pages if there is none. */
static uint64_t find(const struct dmamap_declared *p, uint64_t n)
{
	uint64_t region = (uint64_t)1 << ceil_log2(n);

	for (uint64_t at = 0; at + region <= p->pages; at += region)
		if (region_ok(p, at, region, false))
			return at;
	for (uint64_t at = 0; at + n <= p->pages; at += region)
		if (region_ok(p, at, n, true))
			return at;
	return p->pages;
}

static void take(struct dmamap_declared *p, uint64_t at, uint64_t n)
{
	uint64_t region = (uint64_t)1 << ceil_log2(n);

	p->lengths[at] = (uint32_t)n;
	memset(p->states + at, PAGE_TAKEN, n);
	for (uint64_t i = at + n; i < at + region && i < p->pages; i++)
		if (p->states[i] == PAGE_FREE)
			p->states[i] = PAGE_SLACK;
	p->used += n;
	if (p->used > p->peak)
		p->peak = p->used;
}

static void give(struct dmamap_declared *p, uint64_t at)
{
	uint64_t n = p->lengths[at];
	uint64_t region = (uint64_t)1 << ceil_log2(n);

	p->lengths[at] = 0;
	memset(p->states + at, PAGE_FREE, n);
	for (uint64_t i = at + n; i < at + region && i < p->pages; i++)
		if (p->states[i] == PAGE_SLACK)
			p->states[i] = PAGE_FREE;
	p->used -= n;
}

/* --- allocation */

static uint64_t pages_of(const struct dmamap_declared *p, size_t size)
{
	return (size + p->host->page_size - 1) / p->host->page_size;
}

static uint64_t longest_run(const struct dmamap_declared *p)
{
	uint64_t best = 0;

	for (uint64_t n = 1; n <= p->pages; n <<= 1)
		if (find(p, n) < p->pages)
			best = n;
	return best * p->host->page_size;
}

void *dmamap_declared_alloc(struct dma_device *dev, size_t size, dma_addr_t *handle,
			    struct dma_error *why)
{
	struct dmamap_declared *p = dmamap_memory(dev)->declared;
	uint64_t n = pages_of(p, size);
	uint64_t at;
	uint64_t have = 0;
	uint64_t offset;

	dmamap_lock(p->host, &p->lock);
	at = n <= p->pages ? find(p, n) : p->pages;
	if (at < p->pages) {
		take(p, at, n);
	} else {
		p->failures++;
		have = longest_run(p);
	}
	dmamap_unlock(p->host, &p->lock);
	if (at == p->pages) {
		fail_range(why, dev, DMA_REASON_DECLARED_EXHAUSTED, -DMAMAP_ENOMEM, 0, size);
		why->have = have;
		return NULL;
	}
	offset = at * p->host->page_size;
	memset(p->cpu + offset, 0, n * p->host->page_size);
	*handle = p->device_addr + offset;
	dev_live_add(dmamap_dev(dev), 1);
	return p->cpu + offset;
}

static bool owns(const struct dmamap_declared *p, const void *cpu_addr)
{
	return (uintptr_t)cpu_addr - (uintptr_t)p->cpu < p->pages * p->host->page_size;
}

bool dmamap_declared_free(struct dma_device *dev, size_t size, void *cpu_addr,
			  struct dma_error *why)
{
	struct dmamap_memory *memory = dmamap_memory(dev);
	struct dmamap_declared *p = memory ? memory->declared : NULL;
	uint64_t offset;
	uint64_t length;

	if (!p || !owns(p, cpu_addr))
		return false;
	offset = (uintptr_t)cpu_addr - (uintptr_t)p->cpu;
	dmamap_lock(p->host, &p->lock);
	length = offset % p->host->page_size ? 0 : p->lengths[offset / p->host->page_size];
	if (length)
		give(p, offset / p->host->page_size);
	dmamap_unlock(p->host, &p->lock);
	if (length != pages_of(p, size)) {
		fail_range(why, dev, DMA_REASON_NOT_ALLOCATED, -DMAMAP_EINVAL,
			   p->device_addr + offset, size);
		why->have = length * p->host->page_size;
	}
	if (length)
		dev_live_sub(dmamap_dev(dev), 1);
	return true;
}

phys_addr_t dmamap_declared_phys(const struct dma_device *dev, const void *cpu_addr, size_t size)
{
	const struct dmamap_memory *memory = dmamap_memory(dev);
	const struct dmamap_declared *p = memory ? memory->declared : NULL;
	uint64_t offset;

	if (!p || !owns(p, cpu_addr))
		return DMAMAP_PHYS_NONE;
	offset = (uintptr_t)cpu_addr - (uintptr_t)p->cpu;
	return size <= p->pages * p->host->page_size - offset ? p->phys + offset : DMAMAP_PHYS_NONE;
}

/* --- declaration */

/** The CPU's address of all of it: linear RAM for a device that snoops, else an uncached alias. */
static bool open_memory(struct dma_device *dev, struct dmamap_declared *p, uint64_t bytes)
{
	struct dma_host *host = p->host;

	p->cpu = dmamap_dev(dev)->coherent ? host->phys_to_virt(host, p->phys) : NULL;
	p->uncached = !p->cpu && host->map_uncached && host->unmap_uncached;
	if (!p->uncached)
		return p->cpu != NULL;
	if (host->cache_prepare_coherent && host->phys_to_virt(host, p->phys))
		host->cache_prepare_coherent(host, p->phys, bytes);
	p->cpu = host->map_uncached(host, p->phys, bytes);
	return p->cpu != NULL;
}

static struct dmamap_declared *new_declared(struct dma_host *host, uint64_t pages)
{
	uint64_t bytes = sizeof(struct dmamap_declared) + pages * (sizeof(uint32_t) + 1);
	struct dmamap_declared *p =
		dmamap_pages_alloc(host, bytes, ~(phys_addr_t)0, DMAMAP_GFP_KERNEL, NULL);

	if (!p)
		return NULL;
	p->host = host;
	p->pages = pages;
	p->meta_bytes = bytes;
	p->lengths = (uint32_t *)(p + 1);
	p->states = (unsigned char *)(p->lengths + pages);
	dmamap_lock_init(host, &p->lock);
	return p;
}

static void free_declared(struct dmamap_declared *p)
{
	if (p->uncached && p->cpu)
		p->host->unmap_uncached(p->host, p->cpu, p->phys, p->pages * p->host->page_size);
	dmamap_lock_fini(p->host, &p->lock);
	dmamap_pages_free(p->host, p, p->meta_bytes);
}

static int refuse(struct dma_device *dev, enum dma_reason reason, int err, phys_addr_t phys,
		  size_t size)
{
	struct dma_error why;

	fail_range(&why, dev, reason, err, phys, size);
	dmamap_record(dev, dmamap_dev(dev)->alloc_route, &why);
	return err;
}

int dmamap_declare_coherent_memory(struct dma_device *dev, phys_addr_t phys, dma_addr_t device_addr,
				   size_t size)
{
	struct dmamap_declared *p;
	struct dmamap_memory *memory;
	uint64_t page;

	if (!dev)
		return -DMAMAP_ENODEV;
	page = dev_host(dev)->page_size;
	if (size < page || (phys | device_addr) % page || size / page > UINT32_MAX)
		return refuse(dev, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, phys, size);
	if (range_wraps(phys, size) || range_wraps(device_addr, size))
		return refuse(dev, DMA_REASON_ADDRESS_WRAP, -DMAMAP_EINVAL, phys, size);
	memory = dmamap_memory_get(dev);
	if (memory && memory->declared)
		return refuse(dev, DMA_REASON_ALREADY_DECLARED, -DMAMAP_EBUSY, phys, size);
	p = memory ? new_declared(dev_host(dev), size / page) : NULL;
	if (!p)
		return refuse(dev, DMA_REASON_NO_MEMORY, -DMAMAP_ENOMEM, phys, size);
	p->phys = phys;
	p->device_addr = device_addr;
	if (!open_memory(dev, p, p->pages * page)) {
		free_declared(p);
		return refuse(dev, DMA_REASON_NOT_KMAPPABLE, -DMAMAP_EINVAL, phys, size);
	}
	memory->declared = p;
	return 0;
}

void dmamap_declared_end(struct dmamap_memory *memory)
{
	if (memory->declared)
		free_declared(memory->declared);
	memory->declared = NULL;
}

int dmamap_release_coherent_memory(struct dma_device *dev)
{
	struct dmamap_memory *memory = dmamap_memory(dev);
	struct dma_declared_stats stats;

	dmamap_declared_get_stats(dev, &stats);
	if (stats.used_bytes)
		return refuse(dev, DMA_REASON_LIVE_MAPPINGS, -DMAMAP_EBUSY, 0, stats.used_bytes);
	if (memory)
		dmamap_declared_end(memory);
	return 0;
}

void dmamap_declared_get_stats(struct dma_device *dev, struct dma_declared_stats *stats)
{
	struct dmamap_memory *memory = dmamap_memory(dev);
	struct dmamap_declared *p = memory ? memory->declared : NULL;

	memset(stats, 0, sizeof(*stats));
	if (!p)
		return;
	dmamap_lock(p->host, &p->lock);
	stats->bytes = p->pages * p->host->page_size;
	stats->used_bytes = p->used * p->host->page_size;
	stats->peak_bytes = p->peak * p->host->page_size;
	stats->longest_run = longest_run(p);
	stats->failures = p->failures;
	dmamap_unlock(p->host, &p->lock);
}
