/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lengths of the elements of a list. Where the kernel merged elements, its event has the lengths of what came out and
 * the addresses of what went in. The `map: IOMMU` lines before the event say what lies where: one line for each
 * physically contiguous run. Inside of a merged element every boundary is on a page, so walking through the I/O
 * addresses finds where each element ends: where the next one begins.
 *
 * The lines carry no device. A line belongs to the list if it has the list's I/O address at the list's physical
 * address; lines of other CPUs in between do not.
 */
#include <errno.h>
#include <stdlib.h>

#include "replay.h"

/* Lines that are remembered: a power of two. */
#define RING (1u << 16)
/* How far before the event its lines may be, not counting a line for each element. */
#define LOOK_BACK 4096u

int iommu_lines_add(struct iommu_lines *lines, const struct dmt_event *event)
{
	if (!lines->ring) {
		lines->ring = calloc(RING, sizeof(*lines->ring));
		if (!lines->ring)
			return -ENOMEM;
	}
	lines->ring[lines->n++ & (RING - 1)] =
		(struct iommu_line){ event->iova_start, event->size, event->phys_addr };
	return 0;
}

/* A walk through the I/O addresses of one list. */
struct walk {
	const struct iommu_lines *lines;
	const struct dmt_event *event;
	/* Oldest line to look at. */
	uint64_t oldest;
	/* The line that covers the current position, and where its run ends: it may go on in further lines. */
	uint64_t line;
	uint64_t run_end;
	/* The current element and the one of the device. */
	size_t i;
	size_t k;
	uint64_t at;
	uint64_t end;
	uint64_t *len;
};

static const struct iommu_line *line_of(const struct walk *w, uint64_t n)
{
	return &w->lines->ring[n & (RING - 1)];
}

static bool has(const struct iommu_line *line, uint64_t iova, phys_addr_t phys)
{
	uint64_t at = iova - line->iova;

	return at < line->size && line->phys + at == phys;
}

/* The next line after the current one that has @phys at @iova; the current one stays if there is none. */
static bool go_on(struct walk *w, uint64_t iova, phys_addr_t phys)
{
	for (uint64_t n = w->line + 1; n < w->lines->n; n++) {
		if (has(line_of(w, n), iova, phys)) {
			w->line = n;
			w->run_end = line_of(w, n)->iova + line_of(w, n)->size;
			return true;
		}
	}
	return false;
}

static bool find_start(struct walk *w, uint64_t iova, phys_addr_t phys)
{
	for (uint64_t n = w->lines->n; n-- > w->oldest;) {
		if (has(line_of(w, n), iova, phys)) {
			w->line = n;
			w->run_end = line_of(w, n)->iova + line_of(w, n)->size;
			return true;
		}
	}
	return false;
}

/* Element i ends here; the next one begins. */
static void finish(struct walk *w, uint64_t end)
{
	w->len[w->i++] = end - w->at;
	w->at = end;
}

/* Must every element that is left be alone in one of the device's? */
static bool one_each(const struct walk *w)
{
	const struct dmt_event *ev = w->event;

	return !ev->truncated && ev->n_phys - w->i == ev->n_dma - w->k;
}

/* Does the next element begin inside of this one's run? */
static bool starts_inside(struct walk *w, uint64_t limit)
{
	const struct dmt_event *ev = w->event;
	uint64_t ahead;

	if (w->i + 1 >= ev->n_phys || one_each(w))
		return false;
	ahead = ev->phys[w->i + 1] - ev->phys[w->i];
	if (!ahead || ahead >= limit - w->at || (w->at + ahead) % DMAMAP_PAGE_SIZE)
		return false;
	finish(w, w->at + ahead);
	return true;
}

/* The run ends inside of the device's element: another element follows, or the run goes on in a further line. */
static bool pass_run_end(struct walk *w)
{
	const struct dmt_event *ev = w->event;
	uint64_t end = w->run_end;

	if (w->i + 1 < ev->n_phys && !one_each(w) && go_on(w, end, ev->phys[w->i + 1])) {
		finish(w, end);
		return true;
	}
	if (go_on(w, end, ev->phys[w->i] + (end - w->at)))
		return true;
	/* What follows a list that was cut off is not listed. */
	if (ev->truncated && w->i + 1 == ev->n_phys) {
		finish(w, end);
		return true;
	}
	return false;
}

/* All elements in one of the device's elements. */
static bool walk_one(struct walk *w)
{
	const struct dmt_event *ev = w->event;

	while (w->i < ev->n_phys) {
		uint64_t limit = w->run_end < w->end ? w->run_end : w->end;

		if (starts_inside(w, limit))
			continue;
		if (w->run_end >= w->end) {
			finish(w, w->end);
			return true;
		}
		if (!pass_run_end(w))
			return false;
	}
	return ev->truncated;
}

static bool walk_list(struct walk *w)
{
	const struct dmt_event *ev = w->event;

	for (w->k = 0; w->k < ev->n_dma && w->i < ev->n_phys; w->k++) {
		w->at = ev->dma[w->k];
		if (!ev->len[w->k] || __builtin_add_overflow(w->at, ev->len[w->k], &w->end))
			return false;
		if ((!w->k || !go_on(w, w->at, ev->phys[w->i])) &&
		    !find_start(w, w->at, ev->phys[w->i]))
			return false;
		if (!walk_one(w))
			return false;
	}
	return w->i == ev->n_phys && (w->k == ev->n_dma || ev->truncated);
}

/* The last resort: whole pages, the last element takes what is left. */
static void page_rule(const struct dmt_event *ev, uint64_t *len)
{
	uint64_t total = 0, sum = 0;

	for (size_t i = 0; i < ev->n_len; i++)
		total += ev->len[i];
	for (size_t i = 0; i < ev->n_phys; i++) {
		len[i] = DMAMAP_PAGE_SIZE - ev->phys[i] % DMAMAP_PAGE_SIZE;
		if (i + 1 == ev->n_phys && !ev->truncated && total > sum)
			len[i] = total - sum;
		sum += len[i];
	}
}

bool lengths_of_list(const struct iommu_lines *lines, const struct dmt_event *ev, uint64_t *len)
{
	uint64_t reach = LOOK_BACK + 4 * (uint64_t)ev->n_phys;
	struct walk w = { .lines = lines, .event = ev, .len = len };

	if (ev->nents == ev->ents && ev->n_phys == ev->n_len) {
		for (size_t i = 0; i < ev->n_phys; i++)
			len[i] = ev->len[i];
		return true;
	}
	reach = reach < RING ? reach : RING;
	w.oldest = lines->n > reach ? lines->n - reach : 0;
	if (lines->n && walk_list(&w))
		return true;
	page_rule(ev, len);
	return false;
}
