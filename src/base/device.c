/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses as a device's bus sees them: range map first, then the decoration of confidential-computing machines.
 * A miss is told apart before any decoration (docs/semantics.md, "Address translation").
 */
#include "device.h"

#include "heap.h"
#include "host.h"

_Static_assert(sizeof(struct dmamap_dev) <= sizeof(((struct dma_device *)0)->opaque),
	       "dma_device has room");
_Static_assert(sizeof(struct dmamap_host) <= sizeof(((struct dma_host *)0)->opaque),
	       "dma_host has room");
_Static_assert(offsetof(struct dma_device, opaque) == 64,
	       "inline code owns exactly one cache line");

bool dmamap_dev_translate(const struct dma_device *dev, phys_addr_t phys, bool shared,
			  dma_addr_t *addr)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	const struct dma_range *r = d->range_map;
	uint64_t raw = phys;

	if (r) {
		while (r->size && phys - r->cpu >= r->size)
			r++;
		if (!r->size) {
			*addr = DMA_MAPPING_ERROR;
			return false;
		}
		raw = r->dma + (phys - r->cpu);
	}
	if (shared && d->host->to_shared)
		raw = d->host->to_shared(d->host, raw);
	else if (!shared && d->host->to_encrypted)
		raw = d->host->to_encrypted(d->host, raw);
	*addr = raw;
	return true;
}

uint64_t dmamap_dev_window_rest(const struct dma_device *dev, phys_addr_t phys)
{
	const struct dma_range *map = dmamap_dev(dev)->range_map;
	uint64_t rest = ~(uint64_t)0;

	for (; map && map->size; map++) {
		if (phys - map->cpu < map->size)
			return min_u64(rest, map->size - (phys - map->cpu));
		if (map->cpu > phys)
			rest = min_u64(rest, map->cpu - phys);
	}
	return rest;
}

bool dmamap_dev_range_to_dma(const struct dma_device *dev, phys_addr_t phys, uint64_t size,
			     bool shared, dma_addr_t *addr)
{
	dma_addr_t next;

	if (!dmamap_dev_to_dma(dev, phys, shared, addr))
		return false;
	for (uint64_t done = dmamap_dev_window_rest(dev, phys); done < size;
	     done += dmamap_dev_window_rest(dev, phys + done))
		if (!dmamap_dev_to_dma(dev, phys + done, shared, &next) || next - *addr != done)
			return false;
	return true;
}

bool dmamap_dev_untranslate(const struct dma_device *dev, dma_addr_t addr, phys_addr_t *phys)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	const struct dma_range *r = d->range_map;

	if (d->host->strip)
		addr = d->host->strip(d->host, addr);
	*phys = addr;
	if (!r)
		return true;
	while (r->size && addr - r->dma >= r->size)
		r++;
	*phys = r->size ? r->cpu + (addr - r->dma) : DMAMAP_PHYS_NONE;
	return r->size != 0;
}

bool dmamap_dev_need_counts(struct dmamap_dev *d, gfp_t gfp)
{
	uint32_t n = host_shards(d->host);
	struct dmamap_count *none = NULL;
	struct dmamap_count *counts;

	if (__atomic_load_n(&d->counts, __ATOMIC_ACQUIRE))
		return true;
	counts = dmamap_heap_alloc(d->host, n * sizeof(*counts), gfp);
	if (!counts)
		return false;
	__atomic_store_n(&d->nr_counts, n, __ATOMIC_RELAXED);
	if (!__atomic_compare_exchange_n(&d->counts, &none, counts, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		dmamap_heap_free(d->host, counts, n * sizeof(*counts));
	return true;
}

void dmamap_dev_reset_counts(struct dmamap_dev *d)
{
	if (d->counts)
		memset(d->counts, 0, d->nr_counts * sizeof(*d->counts));
}

void dmamap_dev_free_counts(struct dmamap_dev *d)
{
	dmamap_heap_free(d->host, d->counts, d->nr_counts * sizeof(*d->counts));
	d->counts = NULL;
}

void dmamap_dev_first_bounce(struct dma_device *dev)
{
	struct dmamap_dev *d = dmamap_dev(dev);

	dmamap_dev_need_counts(d,
			       DMAMAP_GFP_ATOMIC); /* without them there is one counter for all */
	__atomic_store_n(&d->skip_sync, false, __ATOMIC_RELAXED);
	__atomic_fetch_or(&dev->flags, DMAMAP_DEV_SLOW_UNMAP | DMAMAP_DEV_SLOW_SYNC,
			  __ATOMIC_RELEASE);
	__atomic_store_n(&d->has_bounced, true, __ATOMIC_RELEASE);
}

/** The blocks of a common allocator of small objects. */
static uint64_t usual_bucket(uint64_t size)
{
	if (size <= 8)
		return 8;
	if (size > 64 && size <= 96)
		return 96;
	if (size > 128 && size <= 192)
		return 192;
	return (uint64_t)1 << ceil_log2(size);
}

bool dmamap_dev_small_buffer(const struct dma_device *dev, uint64_t size,
			     enum dma_data_direction dir)
{
	const struct dmamap_dev *d = dmamap_dev(dev);
	struct dma_host *host = d->host;
	uint64_t align = host->min_dma_align ? host->min_dma_align : 1;
	uint64_t line = host->cache_line ? host->cache_line : 64;

	if (!host->bounce_small_buffers || d->coherent || dir == DMA_TO_DEVICE || size >= 2 * align)
		return false;
	return (host->bucket_size ? host->bucket_size(host, size) : usual_bucket(size)) % line != 0;
}
