/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for what the trace mapped. Every mapping gets frames of its own, in the class of the original: below 2^24,
 * below 2^32, up to the device's mask, above it. So nothing aliases, nothing collides with the machine's own memory,
 * and memory is bounded by what is live at a time, whatever addresses the trace has.
 *
 * Every class has RAM and, above it, a BAR.
 */
#include <inttypes.h>
#include <stdio.h>

#include "replay.h"

/* RAM and BAR of one class at the most. */
#define RAM_MAX (256ull << 30)
#define BAR_MAX (32ull << 30)
/* Nothing lies above: an IOMMU's output is not wider, and a table's neither. */
#define TOP ((uint64_t)1 << 52)

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
	/* Below 16 bits a mask reaches nothing worth a class. */
	unsigned int bits = mask_bits < 16 ? 16 : mask_bits;
	uint64_t cuts[3] = { 1ull << 24, 1ull << 32, bits < 52 ? 1ull << bits : TOP };
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

uint64_t frames_floor(const struct frames *frames, uint64_t addr)
{
	return addr & ~(frames->page - 1);
}

/* The upper eighth of a class is its BAR, as far as that is sensible; frame 0 belongs to nobody. */
static int populate(struct frames *frames, const struct frames_class *c)
{
	uint64_t span = c->end - c->start, bar = frames_floor(frames, span / 8), ram = span - bar;
	uint64_t skip = c->start ? 0 : frames->page;
	int rc = 0;

	ram = ram < RAM_MAX ? ram : RAM_MAX;
	bar = bar < BAR_MAX ? bar : BAR_MAX;
	if (ram > skip)
		rc = sim_add_ram(frames->machine, c->start + skip,
				 frames_floor(frames, ram) - skip);
	if (!rc && bar)
		rc = sim_add_bar(frames->machine, c->start + frames_floor(frames, ram), bar);
	return rc;
}

int frames_init(struct frames *frames, struct sim_machine *machine, unsigned int mask_bits)
{
	int rc = 0;

	frames->machine = machine;
	frames->page = sim_host(machine)->page_size;
	cut_classes(frames, mask_bits);
	for (unsigned int i = 0; i < frames->n && !rc; i++)
		rc = populate(frames, &frames->classes[i]);
	return rc;
}

static const struct frames_class *class_of(const struct frames *frames, phys_addr_t last)
{
	unsigned int i = 0;

	while (i + 1 < frames->n && last >= frames->classes[i].end)
		i++;
	return &frames->classes[i];
}

phys_addr_t frames_take(struct frames *frames, phys_addr_t phys, uint64_t pages, bool mmio)
{
	const struct frames_class *c;
	uint64_t bytes, last;

	if (!pages || __builtin_mul_overflow(pages, frames->page, &bytes) ||
	    __builtin_add_overflow(frames_floor(frames, phys), bytes - 1, &last))
		return DMAMAP_PHYS_NONE;
	c = class_of(frames, last);
	if (mmio)
		return sim_alloc_mmio(frames->machine, bytes, c->start, c->end - 1);
	return sim_alloc(frames->machine, bytes, frames->page, c->start, c->end - 1);
}

void frames_give(struct frames *frames, phys_addr_t base, uint64_t pages, bool mmio)
{
	if (mmio)
		sim_free_mmio(frames->machine, base, pages * frames->page);
	else
		sim_free(frames->machine, base, pages * frames->page);
}

void frames_class_text(const struct frames *frames, phys_addr_t phys, char *buf, size_t size)
{
	const struct frames_class *c = class_of(frames, phys);

	snprintf(buf, size, "from 0x%" PRIx64 " to 0x%" PRIx64, c->start, c->end - 1);
}
