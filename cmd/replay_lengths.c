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
/* Steps of a walk, not counting some for each element: lists that overlap themselves can have many dead ends. */
#define STEPS (1u << 20)

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

/* Where the walk is: at I/O address @at, in element @i of the list and @k of the device's. */
struct place {
	size_t i;
	size_t k;
	uint64_t at;
	/* End of the device's element. */
	uint64_t end;
	/* The line that covers @at, and where its run ends: it may go on in further lines. */
	uint64_t line;
	uint64_t run_end;
	/* The way to try next from here, and whether the latest one finished element i, of this length. */
	int way;
	bool finished;
	uint64_t len;
};

/* A walk through the I/O addresses of one list: the places on the way, so that it can turn back at a wrong one. */
struct walk {
	const struct iommu_lines *lines;
	const struct dmt_event *event;
	/* Oldest line to look at. */
	uint64_t oldest;
	struct place *places;
	size_t depth;
	size_t room;
	uint64_t steps_left;
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

static void take_line(const struct walk *w, struct place *p, uint64_t n)
{
	p->line = n;
	p->run_end = line_of(w, n)->iova + line_of(w, n)->size;
}

/* The next line after the current one that has @phys at @iova. */
static bool go_on(const struct walk *w, struct place *p, uint64_t iova, phys_addr_t phys)
{
	for (uint64_t n = p->line + 1; n < w->lines->n; n++) {
		if (has(line_of(w, n), iova, phys)) {
			take_line(w, p, n);
			return true;
		}
	}
	return false;
}

/* The latest line that has it. */
static bool find_start(const struct walk *w, struct place *p, uint64_t iova, phys_addr_t phys)
{
	for (uint64_t n = w->lines->n; n-- > w->oldest;) {
		if (has(line_of(w, n), iova, phys)) {
			take_line(w, p, n);
			return true;
		}
	}
	return false;
}

/* Enter the device's element k; its first line is behind those of the one before, if there was one. */
static bool enter(const struct walk *w, struct place *p)
{
	const struct dmt_event *ev = w->event;

	p->at = ev->dma[p->k];
	if (!ev->len[p->k] || __builtin_add_overflow(p->at, ev->len[p->k], &p->end))
		return false;
	if (p->k && go_on(w, p, p->at, ev->phys[p->i]))
		return true;
	return find_start(w, p, p->at, ev->phys[p->i]);
}

/* May another element of the list follow inside of this one of the device's? */
static bool may_follow(const struct walk *w, const struct place *p)
{
	const struct dmt_event *ev = w->event;

	return p->i + 1 < ev->n_phys && (ev->truncated || ev->n_phys - p->i > ev->n_dma - p->k);
}

/* Element i has @len bytes, and the next one begins. */
static void finish(struct place *p, struct place *next, uint64_t len)
{
	p->finished = true;
	p->len = len;
	next->i++;
	next->at += len;
}

/* The next element begins inside of this one's run. */
static bool starts_inside(const struct walk *w, struct place *p, struct place *next)
{
	uint64_t limit = p->run_end < p->end ? p->run_end : p->end, ahead;

	if (!may_follow(w, p))
		return false;
	ahead = w->event->phys[p->i + 1] - w->event->phys[p->i];
	if (!ahead || ahead >= limit - p->at || (p->at + ahead) % DMAMAP_PAGE_SIZE)
		return false;
	finish(p, next, ahead);
	return true;
}

/* The next element begins where the run ends. */
static bool starts_behind(const struct walk *w, struct place *p, struct place *next)
{
	if (p->run_end >= p->end || !may_follow(w, p) ||
	    !go_on(w, next, p->run_end, w->event->phys[p->i + 1]))
		return false;
	finish(p, next, p->run_end - p->at);
	return true;
}

/* The run goes on in a further line. */
static bool continues(const struct walk *w, struct place *p, struct place *next)
{
	p->finished = false;
	return p->run_end < p->end &&
	       go_on(w, next, p->run_end, w->event->phys[p->i] + (p->run_end - p->at));
}

/* The device's element ends, or what is listed of a list that was cut off. */
static bool ends(const struct walk *w, struct place *p, struct place *next)
{
	const struct dmt_event *ev = w->event;
	uint64_t end = p->run_end < p->end ? p->run_end : p->end;

	if (end != p->end && !(ev->truncated && p->i + 1 == ev->n_phys))
		return false;
	finish(p, next, end - p->at);
	next->k++;
	if (next->i == ev->n_phys)
		return next->k == ev->n_dma || ev->truncated;
	return next->k < ev->n_dma && enter(w, next);
}

static bool try_way(const struct walk *w, struct place *p, struct place *next)
{
	*next = *p;
	next->way = 0;
	switch (p->way++) {
	case 0:
		return starts_inside(w, p, next);
	case 1:
		return starts_behind(w, p, next);
	case 2:
		return continues(w, p, next);
	default:
		return ends(w, p, next);
	}
}

#define WAYS 4

static bool push(struct walk *w, const struct place *place)
{
	if (w->depth == w->room) {
		size_t room = w->room ? w->room * 2 : 256;
		struct place *grown = realloc(w->places, room * sizeof(*grown));

		if (!grown)
			return false;
		w->places = grown;
		w->room = room;
	}
	w->places[w->depth++] = *place;
	return true;
}

/* Goes through the list; at a dead end it turns back to the last place with another way. */
static bool walk_list(struct walk *w)
{
	struct place next = { 0 };

	if (!w->event->n_dma || !enter(w, &next) || !push(w, &next))
		return false;
	while (w->depth && w->steps_left--) {
		struct place *p = &w->places[w->depth - 1];

		if (p->way == WAYS)
			w->depth--;
		else if (!try_way(w, p, &next))
			continue;
		else if (next.i == w->event->n_phys)
			return true;
		else if (!push(w, &next))
			return false;
	}
	return false;
}

static bool lengths_by_lines(struct walk *w, uint64_t *len)
{
	bool found = walk_list(w);

	for (size_t i = 0, n = 0; found && i < w->depth; i++) {
		if (w->places[i].finished)
			len[n++] = w->places[i].len;
	}
	free(w->places);
	return found;
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
	struct walk w = { .lines = lines, .event = ev };

	if (ev->nents == ev->ents && ev->n_phys == ev->n_len) {
		for (size_t i = 0; i < ev->n_phys; i++)
			len[i] = ev->len[i];
		return true;
	}
	reach = reach < RING ? reach : RING;
	w.oldest = lines->n > reach ? lines->n - reach : 0;
	w.steps_left = STEPS + 16 * (uint64_t)ev->n_phys;
	if (lines->n && lengths_by_lines(&w, len))
		return true;
	page_rule(ev, len);
	return false;
}
