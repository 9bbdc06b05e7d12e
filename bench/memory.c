/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What live mappings cost in memory: pages that the library has of its host, before and after.
 */
#include <stdlib.h>

#include "bench.h"

#define PAGE  4096u
#define LIVE  100000u
#define MOVES 1000000u
#define RAM   ((uint64_t)1 << 30)

struct measured {
	struct bench_machine *machine;
	struct dma_domain *domain;
	struct dma_device dev;
	phys_addr_t buffer;
	dma_addr_t *live;
};

static bool open_measured(struct measured *m)
{
	m->live = calloc(LIVE, sizeof(*m->live));
	m->machine = bench_machine_create(RAM);
	if (!m->live || !m->machine ||
	    dmamap_device_init(&m->dev, sizeof(m->dev), bench_host(m->machine)) ||
	    dmamap_set_mask_and_coherent(&m->dev, DMA_BIT_MASK(64)))
		return false;
	m->buffer = bench_buffers(m->machine, PAGE);
	return true;
}

static void close_measured(struct measured *m)
{
	if (m->domain) {
		dmamap_device_set_domain(&m->dev, NULL);
		dmamap_domain_destroy(m->domain);
	}
	if (m->machine)
		dmamap_device_fini(&m->dev);
	bench_machine_destroy(m->machine);
	free(m->live);
}

static bool map_one(struct measured *m, dma_addr_t *addr)
{
	*addr = dma_map_phys(&m->dev, m->buffer, PAGE, DMA_BIDIRECTIONAL, 0);
	return !dma_mapping_error(&m->dev, *addr);
}

static void unmap_one(struct measured *m, dma_addr_t *addr)
{
	dma_unmap_phys(&m->dev, *addr, PAGE, DMA_BIDIRECTIONAL, 0);
	*addr = DMA_MAPPING_ERROR;
}

/* Random maps and unmaps, of which about half of the places live. */
static bool move_about(struct measured *m)
{
	uint64_t seed = 1;

	for (uint32_t i = 0; i < MOVES; i++) {
		dma_addr_t *addr;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		addr = &m->live[(seed >> 33) % LIVE];
		if (*addr != DMA_MAPPING_ERROR)
			unmap_one(m, addr);
		else if (!map_one(m, addr))
			return false;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	dma_addr_t x = *(const dma_addr_t *)a, y = *(const dma_addr_t *)b;

	return x < y ? -1 : x > y;
}

/* Bytes of the tables that the live mappings need: one of each level for each span with a mapping in it. */
static uint64_t needed(struct measured *m)
{
	uint64_t tables = 1;

	qsort(m->live, LIVE, sizeof(*m->live), compare);
	for (unsigned int shift = 21; shift <= 39; shift += 9) {
		uint64_t last = ~(uint64_t)0;

		for (uint32_t i = 0; i < LIVE && m->live[i] != DMA_MAPPING_ERROR; i++) {
			tables += m->live[i] >> shift != last;
			last = m->live[i] >> shift;
		}
	}
	return tables * PAGE;
}

static bool measure(struct measured *m, struct bench_memory *memory)
{
	struct dma_domain_stats stats;
	uint64_t before, idle;

	before = bench_library_bytes(m->machine);
	m->domain = bench_domain_create(m->machine, DMA_INVALIDATION_STRICT);
	if (!m->domain || dmamap_device_set_domain(&m->dev, m->domain))
		return false;
	idle = bench_library_bytes(m->machine);
	memory->idle_domain = idle - before;
	for (uint32_t i = 0; i < LIVE; i++)
		if (!map_one(m, &m->live[i]))
			return false;
	memory->per_mapping = (double)(bench_library_bytes(m->machine) - idle) / LIVE;
	if (!move_about(m))
		return false;
	dma_poll(bench_host(m->machine));
	dmamap_domain_get_stats(m->domain, &stats);
	memory->tables_after = stats.table_bytes;
	memory->tables_needed = needed(m);
	for (uint32_t i = 0; i < LIVE; i++)
		if (m->live[i] != DMA_MAPPING_ERROR)
			unmap_one(m, &m->live[i]);
	return true;
}

bool bench_measure_memory(struct bench_memory *memory)
{
	struct measured m = { 0 };
	bool ok = open_measured(&m) && measure(&m, memory);

	close_measured(&m);
	return ok;
}
