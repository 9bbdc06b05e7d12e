/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making and ending a part of a pool: its memory, and one allocation that holds all its bookkeeping.
 */
#include "internal.h"

/* Whole words of the bitmaps, and no word in two areas; without segments an area is not cut too small either. */
#define WORD_SLOTS    64u
#define SENSIBLE_AREA 512u

/* Slots that the size of an area is a multiple of: both are powers of two. */
static uint64_t area_unit(uint32_t segment_slots)
{
	return segment_slots > WORD_SLOTS ? segment_slots : WORD_SLOTS;
}

unsigned int dmamap_bounce_limit_areas(uint64_t wanted, uint64_t slots, uint32_t segment_slots)
{
	uint64_t most = slots / area_unit(segment_slots);
	unsigned int n = 1;

	while (n < wanted && n < most && n < 1u << 16)
		n *= 2;
	return n <= most || n == 1 ? n : n / 2;
}

/* As many areas as CPUs, if they are worth having. */
static unsigned int default_areas(const struct dma_bounce *pool, uint64_t slots)
{
	uint64_t most = slots / SENSIBLE_AREA;
	uint64_t cpus = pool->host->cpu_count;

	if (!pool->segment_slots && cpus > most)
		cpus = most;
	return dmamap_bounce_limit_areas(cpus, slots, pool->segment_slots);
}

static void init_areas(struct bounce_part *part)
{
	uint64_t first = 0;

	for (unsigned int i = 0; i < part->nr_areas; i++) {
		struct bounce_area *area = &part->areas[i];
		bool last = i == part->nr_areas - 1;

		area->first = first;
		area->slots = last ? part->slots - first : part->area_slots;
		area->hint = first;
		first += area->slots;
		dmamap_lock_init(part->pool->host, &area->lock);
	}
}

_Static_assert(sizeof(struct bounce_area) == 128, "two cache lines each");
_Static_assert(sizeof(struct bounce_part) <= 128, "areas start on a cache line");

/* The part, its areas, two bitmaps and a record for each slot: one allocation. */
static uint64_t meta_bytes(const struct bounce_part *part)
{
	return (part->nr_areas + 1) * sizeof(struct bounce_area) +
	       2 * sizeof(uint64_t) * bitmap_words(part->slots) +
	       part->slots * sizeof(struct bounce_run);
}

static void lay_out(struct bounce_part *part)
{
	part->areas = (struct bounce_area *)(void *)part + 1;
	part->busy = (uint64_t *)(void *)(part->areas + part->nr_areas);
	part->starts = part->busy + bitmap_words(part->slots);
	part->runs = (struct bounce_run *)(void *)(part->starts + bitmap_words(part->slots));
}

struct bounce_part *dmamap_bounce_part_create(struct dma_bounce *pool, uint64_t bytes,
					      unsigned int areas)
{
	struct bounce_part shape = {
		.pool = pool,
		.bytes = bytes,
		.slots = bytes >> pool->shift,
	};
	struct bounce_part *part;

	shape.nr_areas = areas ? dmamap_bounce_limit_areas(areas, shape.slots, pool->segment_slots)
			       : default_areas(pool, shape.slots);
	shape.area_slots =
		(uint32_t)round_down(shape.slots / shape.nr_areas, area_unit(pool->segment_slots));
	shape.meta_bytes = meta_bytes(&shape);
	part = dmamap_pages_alloc(pool->host, shape.meta_bytes, ~(phys_addr_t)0, DMAMAP_GFP_NOWARN,
				  NULL);
	if (!part)
		return NULL;
	*part = shape;
	lay_out(part);
	init_areas(part);
	return part;
}

bool dmamap_bounce_part_fill(struct bounce_part *part, phys_addr_t ceiling, uint64_t align,
			     gfp_t gfp)
{
	struct dma_host *host = part->pool->host;
	const struct dma_page_request request = {
		.size = part->bytes,
		.align = align > host->page_size ? align : host->page_size,
		.ceiling = ceiling,
		.node = -1,
		.gfp = gfp,
	};

	part->base = host->alloc_pages(host, &request);
	if (part->base == DMAMAP_PHYS_NONE)
		return false;
	part->own_memory = true;
	part->virt = host->phys_to_virt(host, part->base);
	if (!part->virt)
		return false;
	memset(part->virt, 0, part->bytes);
	return true;
}

void dmamap_bounce_part_free(struct bounce_part *part)
{
	struct dma_host *host;

	if (!part)
		return;
	host = part->pool->host;
	if (part->own_memory)
		host->free_pages(host, part->base, part->bytes);
	for (unsigned int i = 0; i < part->nr_areas; i++)
		dmamap_lock_fini(host, &part->areas[i].lock);
	dmamap_pages_free(host, part, part->meta_bytes);
}
