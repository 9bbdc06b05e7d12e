/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for what the trace mapped. Every mapping gets frames of its own, in the class of the original: below 2^24,
 * below 2^32, up to the device's mask, above it. So nothing aliases, nothing collides with the machine's own memory,
 * and memory is bounded by what is live at a time, whatever addresses the trace has.
 *
 * Every class has RAM and, above it, a BAR. Short runs of frames go to a stack of their size when they are given back,
 * and come from there again: the one used last is still in the CPU's caches.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

/* RAM and BAR of one class at the most. */
#define RAM_MAX (256ull << 30)
#define BAR_MAX (32ull << 30)
/* Nothing lies above: an IOMMU's output is not wider, and a table's neither. */
#define TOP ((uint64_t)1 << 52)
/* Bytes that are taken at once for short runs. */
#define CHUNK_PAGES 256u

static void add_class(struct frames *frames, uint64_t start, uint64_t end)
{
	if (start >= end)
		return;
	frames->classes[frames->n].start = start;
	frames->classes[frames->n].end = end;
	frames->n++;
}

static void cut_classes(struct frames *frames, unsigned int mask_bits)
{
	uint64_t cuts[3] = { 1ull << 24, 1ull << 32, mask_bits < 52 ? 1ull << mask_bits : TOP };
	uint64_t start = 0;

	/* Three sorted numbers, one of them inserted. */
	for (int i = 2; i > 0 && cuts[i] < cuts[i - 1]; i--) {
		uint64_t swap = cuts[i];

		cuts[i] = cuts[i - 1];
		cuts[i - 1] = swap;
	}
	for (int i = 0; i < 3; i++) {
		add_class(frames, start, cuts[i]);
		start = cuts[i];
	}
	add_class(frames, start, TOP);
}

static uint64_t page_floor(uint64_t v)
{
	return v & ~(DMAMAP_PAGE_SIZE - 1);
}

/* The upper eighth of a class is its BAR, as far as that is sensible; frame 0 belongs to nobody. */
static int populate(struct frames *frames, const struct frames_class *c)
{
	uint64_t span = c->end - c->start, bar = page_floor(span / 8), ram = span - bar;
	uint64_t skip = c->start ? 0 : DMAMAP_PAGE_SIZE;
	int rc = 0;

	ram = ram < RAM_MAX ? ram : RAM_MAX;
	bar = bar < BAR_MAX ? bar : BAR_MAX;
	if (ram > skip)
		rc = sim_add_ram(frames->machine, c->start + skip, page_floor(ram) - skip);
	if (!rc && bar)
		rc = sim_add_bar(frames->machine, c->start + page_floor(ram), bar);
	return rc;
}

int frames_init(struct frames *frames, struct sim_machine *machine, unsigned int mask_bits)
{
	int rc = 0;

	frames->machine = machine;
	cut_classes(frames, mask_bits);
	for (unsigned int i = 0; i < frames->n && !rc; i++)
		rc = populate(frames, &frames->classes[i]);
	return rc;
}

void frames_free(struct frames *frames)
{
	for (unsigned int i = 0; i < frames->n; i++) {
		for (unsigned int k = 0; k <= FRAMES_KEPT; k++)
			free(frames->classes[i].kept[k].base);
	}
	memset(frames, 0, sizeof(*frames));
}

static struct frames_class *class_of(struct frames *frames, phys_addr_t last)
{
	unsigned int i = 0;

	while (i + 1 < frames->n && last >= frames->classes[i].end)
		i++;
	return &frames->classes[i];
}

static bool push(struct frames_stack *stack, phys_addr_t base)
{
	if (stack->n == stack->room) {
		size_t room = stack->room ? stack->room * 2 : 64;
		phys_addr_t *grown = realloc(stack->base, room * sizeof(*grown));

		if (!grown)
			return false;
		stack->base = grown;
		stack->room = room;
	}
	stack->base[stack->n++] = base;
	return true;
}

static phys_addr_t take_fresh(struct frames *frames, const struct frames_class *c, uint64_t pages)
{
	return sim_alloc(frames->machine, pages * DMAMAP_PAGE_SIZE, DMAMAP_PAGE_SIZE, c->start,
			 c->end - 1);
}

/* One run of @pages; the rest of a chunk is kept. */
static phys_addr_t take_short(struct frames *frames, struct frames_class *c, uint64_t pages)
{
	struct frames_stack *stack = &c->kept[pages];
	uint64_t runs = CHUNK_PAGES / pages, bytes = pages * DMAMAP_PAGE_SIZE;
	phys_addr_t base;

	if (stack->n)
		return stack->base[--stack->n];
	/* Small classes have nothing to keep in stock. */
	if (c->end - c->start < (1ull << 30))
		return take_fresh(frames, c, pages);
	base = take_fresh(frames, c, runs * pages);
	if (base == DMAMAP_PHYS_NONE)
		return take_fresh(frames, c, pages);
	for (uint64_t i = runs - 1; i > 0; i--) {
		if (!push(stack, base + i * bytes))
			break;
	}
	return base;
}

phys_addr_t frames_take(struct frames *frames, phys_addr_t phys, uint64_t pages, bool mmio)
{
	struct frames_class *c;
	uint64_t last;

	if (!pages || __builtin_mul_overflow(pages, DMAMAP_PAGE_SIZE, &last) ||
	    __builtin_add_overflow(page_floor(phys), last - 1, &last))
		return DMAMAP_PHYS_NONE;
	c = class_of(frames, last);
	if (mmio)
		return sim_alloc_mmio(frames->machine, pages * DMAMAP_PAGE_SIZE, c->start,
				      c->end - 1);
	return pages <= FRAMES_KEPT ? take_short(frames, c, pages) : take_fresh(frames, c, pages);
}

void frames_give(struct frames *frames, phys_addr_t base, uint64_t pages, bool mmio)
{
	struct frames_class *c = class_of(frames, base);

	if (mmio) {
		sim_free_mmio(frames->machine, base, pages * DMAMAP_PAGE_SIZE);
		return;
	}
	if (pages <= FRAMES_KEPT && c->end - c->start >= (1ull << 30)) {
		/* Without room to remember it the run is lost until the end: no harm but its size. */
		(void)push(&c->kept[pages], base);
		return;
	}
	sim_free(frames->machine, base, pages * DMAMAP_PAGE_SIZE);
}

void frames_class_text(struct frames *frames, phys_addr_t phys, char *buf, size_t size)
{
	const struct frames_class *c = class_of(frames, phys);

	snprintf(buf, size, "from 0x%" PRIx64 " to 0x%" PRIx64, c->start, c->end - 1);
}
