/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * List events. The frames of a list are replaced run by run: elements that share frames, or follow one another, do so
 * here as well, and a frame is left between runs so that none follow one another that did not.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

static int by_traced(const void *a, const void *b)
{
	const struct live_run *x = a, *y = b;

	return x->traced < y->traced ? -1 : x->traced > y->traced;
}

/* Sorted runs of frames become fewer where they touch. */
static size_t join_runs(struct live_run *runs, size_t n, uint64_t page)
{
	size_t last = 0;

	qsort(runs, n, sizeof(*runs), by_traced);
	for (size_t i = 1; i < n; i++) {
		uint64_t ahead = (runs[i].traced - runs[last].traced) / page;

		if (ahead > runs[last].pages)
			runs[++last] = runs[i];
		else if (ahead + runs[i].pages > runs[last].pages)
			runs[last].pages = ahead + runs[i].pages;
	}
	return n ? last + 1 : 0;
}

/* The frames of all elements; false if one passes the end of all addresses. */
static bool collect_runs(const struct frames *frames, struct live *live, const uint64_t *phys,
			 const uint64_t *len, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct live_run *run = &live->list.runs[i];
		uint64_t last;

		if (!len[i] || __builtin_add_overflow(phys[i], len[i] - 1, &last))
			return false;
		run->traced = frames_floor(frames, phys[i]);
		run->pages = (frames_floor(frames, last) - run->traced) / frames->page + 1;
	}
	return true;
}

/* Memory for every run; on failure those that were taken are what the list has. */
static bool take_runs(struct replay *r, struct live *live, size_t n)
{
	n = join_runs(live->list.runs, n, r->frames.page);
	for (size_t i = 0; i < n; i++) {
		struct live_run *run = &live->list.runs[i];

		/* The guard between runs. */
		run->pages += n > 1;
		run->base = frames_take(&r->frames, run->traced, run->pages, live->mmio);
		if (run->base == DMAMAP_PHYS_NONE) {
			replay_no_frames(r, live, run->traced, run->pages);
			return false;
		}
		live->list.n_runs = i + 1;
	}
	return true;
}

static phys_addr_t translate(const struct live_list *list, phys_addr_t traced)
{
	size_t low = 0, high = list->n_runs;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (list->runs[middle].traced <= traced)
			low = middle;
		else
			high = middle;
	}
	return list->runs[low].base + (traced - list->runs[low].traced);
}

static bool build_list(struct replay *r, struct live *live, const uint64_t *len)
{
	struct live_list *list = &live->list;

	if (!collect_runs(&r->frames, live, list->traced, len, list->n_traced)) {
		replay_no_map(r, live, "an element has no length");
		return false;
	}
	if (!take_runs(r, live, list->n_traced))
		return false;
	sg_init_table(list->sgl, list->nents);
	for (unsigned int i = 0; i < list->nents; i++)
		sg_set_phys(&list->sgl[i], translate(list, list->traced[i]), (unsigned int)len[i]);
	return true;
}

static uint64_t *room_for_lengths(struct replay *r, size_t n)
{
	uint64_t *grown;

	if (n <= r->lengths_room)
		return r->lengths;
	grown = realloc(r->lengths, n * sizeof(*grown));
	if (!grown)
		return NULL;
	r->lengths = grown;
	r->lengths_room = n;
	return grown;
}

static int out_of_memory(const struct replay *r)
{
	cmd_say("%s: out of memory", dmt_name(r->reader));
	return CMD_INTERNAL;
}

/* The DMA elements behind the first: syncs name their addresses. */
static bool note_elements(struct live *live, const struct dmt_event *event)
{
	struct live_list *list = &live->list;
	uint64_t before = live->span;
	size_t n = event->n_dma < event->n_len ? event->n_dma : event->n_len;

	if (n < 2)
		return true;
	list->elements = calloc(n - 1, sizeof(*list->elements));
	if (!list->elements)
		return false;
	list->n_elements = n - 1;
	for (size_t i = 1; i < n; i++) {
		list->elements[i - 1].at = event->dma[i];
		list->elements[i - 1].span = event->len[i];
		list->elements[i - 1].before = before;
		before += event->len[i];
	}
	return true;
}

static struct live *new_list(struct replay *r, struct replay_device *device,
			     const struct dmt_event *event)
{
	struct live *live = replay_live_new(r, device, LIVE_LIST, event);
	struct live_list *list = live ? &live->list : NULL;
	size_t n = event->n_phys;

	if (!live)
		return NULL;
	list->sgl = calloc(n + 1, sizeof(*list->sgl));
	list->runs = calloc(n + 1, sizeof(*list->runs));
	list->traced = calloc(n + 1, sizeof(*list->traced));
	live->traced = event->n_dma ? event->dma[0] : 0;
	live->span = event->n_len ? event->len[0] : 0;
	if (!list->sgl || !list->runs || !list->traced || !room_for_lengths(r, n) ||
	    !note_elements(live, event)) {
		out_of_memory(r);
		replay_live_free(r, live);
		return NULL;
	}
	memcpy(list->traced, event->phys, n * sizeof(*list->traced));
	list->n_traced = n;
	list->nents = (unsigned int)n;
	return live;
}

struct list_walk list_walk(const struct live *live)
{
	const struct live_list *list = &live->list;

	return (struct list_walk){
		.live = live, .cpu = list->sgl, .dma = list->sgl, .left = list->ents
	};
}

bool list_next(struct list_walk *w, struct list_piece *piece)
{
	uint64_t cpu_left, dma_left;

	if (!w->left || !w->cpu)
		return false;
	cpu_left = w->cpu->length - w->cpu_at;
	dma_left = w->dma->dma_length - w->dma_at;
	*piece = (struct list_piece){ .phys = sg_phys(w->cpu) + w->cpu_at,
				      .dma = w->dma->dma_address + w->dma_at,
				      .at = w->at,
				      .len = cpu_left < dma_left ? cpu_left : dma_left };
	w->at += piece->len;
	w->cpu_at += piece->len;
	w->dma_at += piece->len;
	if (w->cpu_at == w->cpu->length) {
		w->cpu = sg_next(w->cpu);
		w->cpu_at = 0;
	}
	if (w->dma_at == w->dma->dma_length) {
		w->dma = sg_next(w->dma);
		w->dma_at = 0;
		w->left--;
	}
	return true;
}

bool list_agrees(const struct list_walk *w)
{
	return !w->left && !w->cpu;
}

uint64_t list_clip(uint64_t *start, uint64_t len, uint64_t at, uint64_t n)
{
	uint64_t end = *start + len;

	*start = *start > at ? *start : at;
	end = end < at + n ? end : at + n;
	return end > *start ? end - *start : 0;
}

/* True if it succeeded; otherwise it is counted, and @live becomes a ghost. */
static bool map(struct replay *r, struct live *live)
{
	struct dma_device *dev = sim_dma(live->device->sim);
	struct live_list *list = &live->list;

	pool_before_map(r);
	list->ents = dma_map_sg_attrs(dev, list->sgl, (int)list->nents, live->dir, live->attrs);
	live->ghost = !list->ents;
	pool_after_map(r, live);
	if (live->ghost) {
		if (live->mmio && live->device->route == REPLAY_BOUNCE)
			r->counts.refused_mmio++;
		else
			replay_map_failed(r, live, "list");
		return false;
	}
	live->dma = list->sgl->dma_address;
	return true;
}

static void note_lengths(struct replay *r, struct live *live, const struct dmt_event *event)
{
	if (!lengths_of_list(&r->lines, event, r->lengths))
		r->counts.inferred_lengths++;
	if (event->truncated) {
		r->counts.truncated++;
		live->device->cut_lists = event->n_phys;
	}
	live->size = 0;
	for (size_t i = 0; i < event->n_phys; i++) {
		if (r->lengths[i] > UINT_MAX)
			r->lengths[i] = 0;
		live->size += r->lengths[i];
	}
}

int replay_map_list(struct replay *r, struct replay_device *device, const struct dmt_event *event)
{
	struct live *live;

	if (event->n_phys > INT_MAX)
		return 0;
	live = new_list(r, device, event);
	if (!live)
		return CMD_INTERNAL;
	note_lengths(r, live, event);
	if (!event->n_phys || !build_list(r, live, r->lengths)) {
		live->ghost = true;
		return replay_entered(r, live);
	}
	if (lines_find_shared(r, live)) {
		replay_live_free(r, live);
		return out_of_memory(r);
	}
	data_before_map(r, live);
	if (map(r, live))
		data_after_map(r, live);
	return replay_entered(r, live);
}

/* A list that was cut off when it was mapped is not when it is unmapped. */
static struct live *find_list(struct replay *r, struct replay_device *device,
			      const struct dmt_event *event)
{
	struct live *live = live_find_list(&r->index, device, event->phys, event->n_phys);

	if (live || !device->cut_lists || event->n_phys <= device->cut_lists)
		return live;
	return live_find_list(&r->index, device, event->phys, device->cut_lists);
}

int replay_unmap_list(struct replay *r, struct replay_device *device, const struct dmt_event *event)
{
	struct live *live = find_list(r, device, event);
	unsigned long attrs;

	if (!live) {
		r->counts.unmatched_unmaps++;
		return 0;
	}
	attrs = (event->attrs & ~DMA_ATTR_MMIO) | (live->attrs & DMA_ATTR_MMIO);
	if (!live->ghost) {
		data_before_unmap(r, live);
		dma_unmap_sg_attrs(sim_dma(device->sim), live->list.sgl, (int)live->list.nents,
				   live->dir, attrs);
		data_after_unmap(r, live, attrs);
		data_try_stale(r, live);
	}
	replay_left(r, live);
	return 0;
}
