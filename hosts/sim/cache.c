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
 * Until an invalidation the CPU sees old bytes: every line counts as cached. An adversarial machine does besides what
 * hardware may do at any time, in the ranges that were used last, whenever the CPU, a device or the library uses
 * memory: dirty lines are evicted, which buries what a device has written to them, and clean ones are fetched anew.
 * Maintenance is only issued there; it takes effect some time before the flush that follows it returns.
 */
#include "machine.h"

#include <string.h>

/** So many lines move at a time. */
#define MOST_LINES 16

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

/** Lines from a random place of a range on: the dirty ones are written back, or the clean ones fetched. */
static void move_some(struct sim_machine *m, const struct sim_range *range, bool evict)
{
	struct sim_region *r = range->size ? sim_region_above(m, range->phys) : NULL;
	uint64_t line;
	uint64_t end;

	if (!r || !r->synced || r->base > range->phys)
		return;
	end = range->phys - r->base + sim_min(range->size, r->size - (range->phys - r->base));
	line = line_of(range->phys - r->base + next_random(m) % range->size);
	for (unsigned int i = 0; i < MOST_LINES && line < end; i++, line += SIM_LINE) {
		if (evict && dirty(r, line))
			write_back(r, line);
		else if (!evict && !dirty(r, line) &&
			 memcmp(r->cpu + line, r->device + line, SIM_LINE) != 0)
			fetch(r, line);
	}
}

static void move_recent(struct sim_machine *m)
{
	uint64_t chance = next_random(m);

	if (chance % 2)
		move_some(m, &m->recent[chance / 16 % SIM_RECENT], chance / 2 % 4 != 0);
}

/** Something happens to a range: it is among those that move. */
static void use(struct sim_machine *m, phys_addr_t phys, uint64_t size)
{
	const struct sim_range range = { phys, size };

	move_some(m, &range, true);
	move_recent(m);
	note_recent(m, phys, size);
}

void sim_cache_moment(struct sim_machine *m, phys_addr_t phys, uint64_t size)
{
	if (!m->adversarial)
		return;
	pthread_mutex_lock(&m->cache);
	use(m, phys, size);
	pthread_mutex_unlock(&m->cache);
}

void sim_stir(struct sim_machine *m)
{
	if (!m->adversarial)
		return;
	pthread_mutex_lock(&m->cache);
	/* often nothing happens: an eviction at the right time hides a missing clean */
	for (unsigned int i = 0, quiet = next_random(m) % 2; i < SIM_RECENT && !quiet; i++)
		move_some(m, &m->recent[i], next_random(m) % 4 != 0);
	pthread_mutex_unlock(&m->cache);
}

void sim_cache_stir(struct sim_machine *m, struct sim_region *region, uint64_t offset, uint64_t len,
		    bool write)
{
	const struct sim_range range = { region->base + offset, len };

	pthread_mutex_lock(&m->cache);
	use(m, range.phys, range.size);
	if (write && next_random(m) % 4 == 0)
		move_some(m, &range, false);
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
static void perform(struct sim_machine *m, phys_addr_t phys, uint64_t size, enum maintenance what)
{
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
}

/** What was issued takes effect, in its order. */
static void complete(struct sim_machine *m)
{
	for (unsigned int i = 0; i < m->nr_pending; i++) {
		const struct sim_pending *p = &m->pending[i];

		perform(m, p->range.phys, p->range.size, (enum maintenance)p->what);
	}
	m->nr_pending = 0;
}

/** Maintenance of an adversarial machine: now, or when somebody waits for it. */
static void issue(struct sim_machine *m, phys_addr_t phys, uint64_t size, enum maintenance what)
{
	use(m, phys, size);
	if (m->nr_pending == SIM_PENDING)
		complete(m);
	m->pending[m->nr_pending++] = (struct sim_pending){ { phys, size }, what };
	if (what == AGREE || next_random(m) % 2)
		complete(m);
}

static void maintain(struct sim_machine *m, phys_addr_t phys, uint64_t size, enum maintenance what)
{
	pthread_mutex_lock(&m->cache);
	if (m->adversarial)
		issue(m, phys, size, what);
	else
		perform(m, phys, size, what);
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
	struct sim_machine *m = sim_machine_of(host);

	sim_count(&m->counters.cache_flush);
	if (!m->adversarial)
		return;
	pthread_mutex_lock(&m->cache);
	complete(m);
	pthread_mutex_unlock(&m->cache);
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
	host->copy = sim_cache_copy;
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

void sim_cache_copy(struct dma_host *host, void *dst, const void *src, size_t size)
{
	struct sim_machine *m = sim_machine_of(host);
	phys_addr_t phys = host->virt_to_phys(host, dst);
	struct sim_region *r = phys == DMAMAP_PHYS_NONE ? NULL : sim_region_at(m, phys);

	memcpy(dst, src, size);
	if (r && r->synced)
		sim_cache_touch(r, phys - r->base, src, size);
}

void sim_cache_settle(struct sim_machine *m, struct sim_region *region, uint64_t offset,
		      uint64_t len)
{
	pthread_mutex_lock(&m->cache);
	complete(m);
	agree_range(region, offset, offset + len, false);
	pthread_mutex_unlock(&m->cache);
}
