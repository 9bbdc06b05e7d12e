/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cache lines of a non-coherent machine. Maintenance is of whole lines, so bytes of one mapping can lose those of
 * another in the same line. Every event has frames of its own, so that happens only between the elements of one list.
 */
#include <errno.h>
#include <stdlib.h>

#include "replay.h"

/* Of the simulated machine. */
#define LINE 64ull

void lines_store(struct replay *r, phys_addr_t phys, uint64_t len, uint64_t seed)
{
	for (uint64_t at = 0, n; at < len; at += n) {
		n = len - at < REPLAY_SCRATCH ? len - at : REPLAY_SCRATCH;
		pattern_fill(r->scratch, phys + at, n, seed);
		(void)sim_cpu_write(r->machine, phys + at, r->scratch, n);
	}
}

static int by_start(const void *a, const void *b)
{
	const struct shared_lines *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* The lines of every element, sorted. */
static void collect_lines(const struct live_list *list, struct shared_lines *lines)
{
	for (unsigned int i = 0; i < list->nents; i++) {
		phys_addr_t start = sg_phys(&list->sgl[i]);

		lines[i].start = start & ~(LINE - 1);
		lines[i].end = (start + list->sgl[i].length + LINE - 1) & ~(LINE - 1);
	}
	qsort(lines, list->nents, sizeof(*lines), by_start);
}

/* Add [start, end), which begins nowhere before the ranges that are there. */
static size_t add_shared(struct shared_lines *shared, size_t n, phys_addr_t start, phys_addr_t end)
{
	if (n && start <= shared[n - 1].end) {
		if (end > shared[n - 1].end)
			shared[n - 1].end = end;
		return n;
	}
	shared[n] = (struct shared_lines){ start, end };
	return n + 1;
}

/* Ranges become what two of them have in common, in place: never more of them than were looked at. */
static size_t keep_shared(struct shared_lines *lines, size_t n)
{
	phys_addr_t reached = n ? lines[0].end : 0;
	size_t kept = 0;

	for (size_t i = 1; i < n; i++) {
		struct shared_lines one = lines[i];
		phys_addr_t end = one.end < reached ? one.end : reached;

		if (one.start < end)
			kept = add_shared(lines, kept, one.start, end);
		reached = one.end > reached ? one.end : reached;
	}
	return kept;
}

int lines_find_shared(struct replay *r, struct live *live)
{
	struct live_list *list = &live->list;

	if (!r->options.noncoherent || live->mmio || live->dir == DMA_TO_DEVICE)
		return 0;
	list->shared = calloc(list->nents, sizeof(*list->shared));
	if (!list->shared)
		return -ENOMEM;
	collect_lines(list, list->shared);
	list->n_shared = keep_shared(list->shared, list->nents);
	for (size_t i = 0; i < list->n_shared; i++)
		r->counts.shared_lines += (list->shared[i].end - list->shared[i].start) / LINE;
	return 0;
}

uint64_t lines_own(const struct live_list *list, phys_addr_t *phys, uint64_t len)
{
	phys_addr_t end = *phys + len;

	for (size_t i = 0; i < list->n_shared; i++) {
		const struct shared_lines *one = &list->shared[i];

		if (one->end <= *phys)
			continue;
		if (one->start > *phys)
			return (one->start < end ? one->start : end) - *phys;
		*phys = one->end < end ? one->end : end;
	}
	return end - *phys;
}
