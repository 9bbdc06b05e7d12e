/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory handed out: to the machine's owner, to the library, and pieces of BARs. Sizes are rounded up to pages, never
 * to powers of two. What is given back reads as anything afterwards; large pieces cost no memory from then on.
 */
#include "machine.h"

#include <sys/mman.h>

/** From this size on, pages given back go back to the operating system. */
#define RETURN_BYTES (1u << 20)

static bool fails_on_demand(struct sim_machine *m)
{
	return m->fail_in && --m->fail_in == 0;
}

static phys_addr_t take(struct sim_machine *m, bool ram, uint64_t size, uint64_t align,
			phys_addr_t first, phys_addr_t last)
{
	uint64_t bytes = sim_round_up(size, m->page_size);
	phys_addr_t phys = DMAMAP_PHYS_NONE;

	if (align < m->page_size)
		align = m->page_size;
	if (!size || bytes < size || (align & (align - 1)))
		return DMAMAP_PHYS_NONE;
	pthread_mutex_lock(&m->memory);
	if (!ram || !fails_on_demand(m))
		phys = host_zones_take(&m->zones, ram, bytes, align, first, last);
	if (ram && phys != DMAMAP_PHYS_NONE) {
		m->used += bytes;
		if (m->used > m->peak)
			m->peak = m->used;
	}
	pthread_mutex_unlock(&m->memory);
	return phys;
}

static void return_pages(const struct sim_region *r, uint64_t offset, uint64_t size)
{
	madvise(r->cpu + offset, size, MADV_DONTNEED);
	if (!r->synced)
		return;
	madvise(r->device + offset, size, MADV_DONTNEED);
	madvise(r->synced + offset, size, MADV_DONTNEED);
}

/** What happens to the bytes of pages that nobody has. */
static void clear_out(struct sim_machine *m, phys_addr_t phys, uint64_t size)
{
	struct sim_region *r = sim_region_at(m, phys);

	if (size >= RETURN_BYTES)
		return_pages(r, phys - r->base, size);
	else if (r->synced)
		sim_cache_settle(m, r, phys - r->base, size);
}

static bool give(struct sim_machine *m, bool ram, phys_addr_t phys, uint64_t size)
{
	uint64_t bytes = sim_round_up(size, m->page_size);
	bool quick = bytes < RETURN_BYTES && !m->noncoherent;
	bool ok;

	pthread_mutex_lock(&m->memory);
	ok = host_zones_disown(&m->zones, ram, phys, bytes);
	if (ok && ram)
		m->used -= bytes;
	if (ok && quick)
		host_zones_give(&m->zones, phys, bytes);
	pthread_mutex_unlock(&m->memory);
	if (ok && !quick) {
		clear_out(m, phys, bytes);
		pthread_mutex_lock(&m->memory);
		host_zones_give(&m->zones, phys, bytes);
		pthread_mutex_unlock(&m->memory);
	}
	if (!ok)
		sim_complain(m, "sim: memory given back that is not taken");
	return ok;
}

phys_addr_t sim_alloc(struct sim_machine *m, uint64_t size, uint64_t align, phys_addr_t floor,
		      phys_addr_t ceiling)
{
	return take(m, true, size, align, floor, ceiling);
}

void sim_free(struct sim_machine *m, phys_addr_t phys, uint64_t size)
{
	give(m, true, phys, size);
}

phys_addr_t sim_alloc_mmio(struct sim_machine *m, uint64_t size, phys_addr_t floor,
			   phys_addr_t ceiling)
{
	return take(m, false, size, m->page_size, floor, ceiling);
}

void sim_free_mmio(struct sim_machine *m, phys_addr_t phys, uint64_t size)
{
	give(m, false, phys, size);
}

static uint64_t read_locked(struct sim_machine *m, const uint64_t *value)
{
	uint64_t v;

	pthread_mutex_lock(&m->memory);
	v = *value;
	pthread_mutex_unlock(&m->memory);
	return v;
}

uint64_t sim_memory_used(struct sim_machine *m)
{
	return read_locked(m, &m->used);
}

uint64_t sim_memory_peak(struct sim_machine *m)
{
	return read_locked(m, &m->peak);
}

uint64_t sim_fail_alloc(struct sim_machine *m, uint64_t n)
{
	uint64_t left;

	pthread_mutex_lock(&m->memory);
	left = m->fail_in;
	m->fail_in = n;
	pthread_mutex_unlock(&m->memory);
	return left;
}

/* --- the library's requests */

static phys_addr_t hook_alloc_pages(struct dma_host *host, const struct dma_page_request *request)
{
	struct sim_machine *m = sim_machine_of(host);
	phys_addr_t phys = take(m, true, request->size, request->align, 0, request->ceiling);

	if (phys != DMAMAP_PHYS_NONE)
		sim_count(&m->counters.allocs);
	return phys;
}

static void hook_free_pages(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	struct sim_machine *m = sim_machine_of(host);

	if (give(m, true, phys, size))
		sim_count(&m->counters.frees);
}

void sim_alloc_hooks(struct dma_host *host)
{
	host->alloc_pages = hook_alloc_pages;
	host->free_pages = hook_free_pages;
}
