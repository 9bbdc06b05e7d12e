/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU cache of a noncoherent machine.
 *
 * The CPU's view of RAM is what its cache holds, the device's view is memory. The CPU stores through plain pointers,
 * so nobody sees a store; a third copy keeps what each line held when cache and memory last agreed, and a line whose
 * CPU view differs from it is dirty. Maintenance and eviction move whole lines, as hardware does:
 *
 *   for device   a dirty line is written to memory; a clean one is not, so it cannot bury what a device wrote
 *   for CPU      nothing for TO_DEVICE; otherwise the line is dropped: the CPU sees memory, and what it had stored
 *                into the line meanwhile is lost
 *
 * A store of the value that was there before cannot be told from no store at all. Where the direction says that the
 * CPU's bytes are the ones that count (TO_DEVICE), the bytes that were named are therefore always written; and memory
 * that is given back is settled, so that no difference outlives its owner.
 *
 * Until an invalidation the CPU sees old bytes: every line counts as cached. An adversarial machine also evicts dirty
 * lines in the ranges that maintenance named recently, which hardware may do at any time, and fetches lines that a
 * device has just written, which are certainly not the CPU's to write.
 */
#include "machine.h"

#include <string.h>

/* --- one line */

static bool dirty(const struct sim_region *r, uint64_t line)
{
	return memcmp(r->cpu + line, r->synced + line, SIM_LINE) != 0;
}

static void write_back(struct sim_region *r, uint64_t line)
{
	unsigned char bytes[SIM_LINE];

	memcpy(bytes, r->cpu + line, SIM_LINE);
	memcpy(r->device + line, bytes, SIM_LINE);
	memcpy(r->synced + line, bytes, SIM_LINE);
}

static void fetch(struct sim_region *r, uint64_t line)
{
	unsigned char bytes[SIM_LINE];

	memcpy(bytes, r->device + line, SIM_LINE);
	memcpy(r->cpu + line, bytes, SIM_LINE);
	memcpy(r->synced + line, bytes, SIM_LINE);
}

static uint64_t line_of(uint64_t offset)
{
	return offset & ~(uint64_t)(SIM_LINE - 1);
}

/* --- ranges: bytes [offset, end) of a region */

static void clean_range(struct sim_region *r, uint64_t offset, uint64_t end, bool named_bytes)
{
	for (uint64_t line = line_of(offset); line < end; line += SIM_LINE)
		if (dirty(r, line))
			write_back(r, line);
	if (named_bytes && memcmp(r->device + offset, r->cpu + offset, end - offset) != 0)
		memcpy(r->device + offset, r->cpu + offset, end - offset);
}

/** Is there nothing to move, either way? */
static bool agrees(const struct sim_region *r, uint64_t line, uint64_t len)
{
	return memcmp(r->cpu + line, r->synced + line, len) == 0 &&
	       memcmp(r->cpu + line, r->device + line, len) == 0;
}

/** Make the views agree, line by line: with memory (@drop), or with the cache. */
static void agree_range(struct sim_region *r, uint64_t offset, uint64_t end, bool drop)
{
	uint64_t line = line_of(offset);

	end = sim_round_up(end, SIM_LINE);
	if (agrees(r, line, end - line))
		return;
	for (; line < end; line += SIM_LINE) {
		if (agrees(r, line, SIM_LINE))
			continue;
		if (drop)
			fetch(r, line);
		else
			write_back(r, line);
	}
}

/* --- the adversary; machine.cache is held */

static uint64_t next_random(struct sim_machine *m)
{
	uint64_t x = m->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	m->random = x;
	return x;
}

static void note_recent(struct sim_machine *m, phys_addr_t phys, uint64_t size)
{
	m->recent[m->next_recent++ % SIM_RECENT] = (struct sim_range){ phys, size };
}

/** A few lines from a random place of a range: written back if they are dirty. */
static void evict_some(struct sim_machine *m, phys_addr_t phys, uint64_t size)
{
	struct sim_region *r = sim_region_at(m, phys);
	uint64_t line;

	if (!size || !r || !r->synced)
		return;
	line = line_of(phys - r->base + next_random(m) % size);
	for (unsigned int i = 0; i < 4 && line < r->size; i++, line += SIM_LINE)
		if (dirty(r, line))
			write_back(r, line);
}

static void evict_recent(struct sim_machine *m)
{
	const struct sim_range *range = &m->recent[next_random(m) % SIM_RECENT];

	if (next_random(m) % 4 == 0)
		evict_some(m, range->phys, range->size);
}

void sim_cache_stir(struct sim_machine *m, struct sim_region *region, uint64_t offset, uint64_t len,
		    bool write)
{
	uint64_t line;

	pthread_mutex_lock(&m->cache);
	evict_recent(m);
	line = line_of(offset + next_random(m) % len);
	if (write && next_random(m) % 4 == 0 && !dirty(region, line))
		fetch(region, line);
	pthread_mutex_unlock(&m->cache);
}

/* --- what the library asks for */

enum maintenance {
	CLEAN,
	CLEAN_NAMED,
	INVALIDATE,
	AGREE,
};

static void maintain_part(struct sim_region *r, uint64_t offset, uint64_t end,
			  enum maintenance what)
{
	if (what == INVALIDATE || what == AGREE)
		agree_range(r, offset, end, what == INVALIDATE);
	else
		clean_range(r, offset, end, what == CLEAN_NAMED);
}

/** Whatever part of the range is RAM; MMIO and holes have no lines. */
static void maintain(struct sim_machine *m, phys_addr_t phys, uint64_t size, enum maintenance what)
{
	pthread_mutex_lock(&m->cache);
	if (m->adversarial) {
		evict_some(m, phys, size);
		evict_recent(m);
		note_recent(m, phys, size);
	}
	while (size) {
		struct sim_region *r = sim_region_above(m, phys);
		uint64_t part;

		if (!r || (r->base > phys && r->base - phys >= size))
			break;
		if (r->base > phys) {
			size -= r->base - phys;
			phys = r->base;
		}
		part = sim_min(size, r->size - (phys - r->base));
		if (r->synced)
			maintain_part(r, phys - r->base, phys - r->base + part, what);
		phys += part;
		size -= part;
	}
	pthread_mutex_unlock(&m->cache);
}

static void hook_for_device(struct dma_host *host, phys_addr_t phys, uint64_t size,
			    enum dma_data_direction dir)
{
	struct sim_machine *m = sim_machine_of(host);

	sim_count(&m->counters.cache_for_device);
	maintain(m, phys, size, dir == DMA_TO_DEVICE ? CLEAN_NAMED : CLEAN);
}

static void hook_for_cpu(struct dma_host *host, phys_addr_t phys, uint64_t size,
			 enum dma_data_direction dir)
{
	struct sim_machine *m = sim_machine_of(host);

	sim_count(&m->counters.cache_for_cpu);
	if (dir != DMA_TO_DEVICE)
		maintain(m, phys, size, INVALIDATE);
}

static void hook_for_cpu_all(struct dma_host *host)
{
	sim_count(&sim_machine_of(host)->counters.cache_for_cpu_all);
}

static void hook_flush(struct dma_host *host)
{
	sim_count(&sim_machine_of(host)->counters.cache_flush);
}

static void hook_prepare_coherent(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	maintain(sim_machine_of(host), phys, size, AGREE);
}

static void *hook_map_uncached(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	struct sim_machine *m = sim_machine_of(host);
	const struct sim_region *r = sim_region_at(m, phys);

	return r && r->ram ? sim_device_ptr(m, phys, size) : NULL;
}

static void hook_unmap_uncached(struct dma_host *host, void *ptr, phys_addr_t phys, uint64_t size)
{
	(void)host;
	(void)ptr;
	(void)phys;
	(void)size;
}

void sim_cache_hooks(struct dma_host *host)
{
	host->cache_for_device = hook_for_device;
	host->cache_for_cpu = hook_for_cpu;
	host->cache_for_cpu_all = hook_for_cpu_all;
	host->cache_flush = hook_flush;
	host->cache_prepare_coherent = hook_prepare_coherent;
	host->map_uncached = hook_map_uncached;
	host->unmap_uncached = hook_unmap_uncached;
	host->cache_line = SIM_LINE;
	host->min_dma_align = SIM_LINE;
}

/* --- what the machine itself does */

void sim_cache_touch(struct sim_region *region, uint64_t offset, const void *bytes, uint64_t len)
{
	const unsigned char *stored = bytes;

	for (uint64_t i = 0; i < len; i++)
		region->synced[offset + i] = (unsigned char)~stored[i];
}

void sim_cache_settle(struct sim_machine *m, struct sim_region *region, uint64_t offset,
		      uint64_t len)
{
	pthread_mutex_lock(&m->cache);
	agree_range(region, offset, offset + len, false);
	pthread_mutex_unlock(&m->cache);
}
