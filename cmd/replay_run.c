/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The traces, one after another, event by event.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "replay.h"

/* Inputs below this size are through before a bar is of use. */
#define BAR_INPUT (8u << 20)
#define BAR_WIDTH 40
/* Events between two looks at the clock of the bar. */
#define BAR_EVENTS 8192

static void show_damage(void *ctx, const struct dmt_damage *damage)
{
	struct replay *r = ctx;

	if (!r->options.dry && r->shown_damage++ < REPLAY_SHOWN)
		cmd_say("%s:%" PRIu64 ": skipped: %s: %s", damage->file, damage->line,
			damage->reason, damage->text);
}

/* Keep the first one for the report. */
static void note_failure(struct replay *r, const struct live *live, const char *reason)
{
	struct replay_failure *first = &r->first_failure;

	r->counts.map_failures++;
	if (first->device)
		return;
	first->device = live->device->name;
	first->trace = r->trace;
	first->line = r->line;
	first->size = live->size;
	first->reason = reason;
}

static void tell_failure(struct replay *r, const struct live *live, const char *what,
			 const char *why)
{
	if (!r->options.dry && r->shown_failures++ < REPLAY_SHOWN)
		cmd_say("%s:%" PRIu64 ": %s: %s failed: %s", dmt_name(r->reader), r->line,
			live->device->name, what, why);
}

void replay_map_failed(struct replay *r, struct live *live, const char *what)
{
	struct dma_error error = { .reason = DMA_REASON_NONE };
	char text[300] = "";

	if (dma_last_error(sim_dma(live->device->sim), &error) == 0)
		dma_error_format(&error, text, sizeof(text));
	note_failure(r, live, dma_reason_name(error.reason));
	tell_failure(r, live, what, text);
}

void replay_no_map(struct replay *r, struct live *live, const char *why)
{
	note_failure(r, live, NULL);
	tell_failure(r, live, "map", why);
}

void replay_no_frames(struct replay *r, struct live *live, phys_addr_t phys, uint64_t pages)
{
	char where[64], text[200];

	frames_class_text(&r->frames, phys, where, sizeof(where));
	if (!pages)
		snprintf(text, sizeof(text), "a range of that size is not possible");
	else
		snprintf(text, sizeof(text),
			 "the simulated machine has no %" PRIu64
			 " pages of %s left in the class %s",
			 pages, live->mmio ? "MMIO" : "RAM", where);
	replay_no_map(r, live, text);
}

static int map_kind(struct replay *r, struct replay_device *device, const struct dmt_event *event)
{
	if (event->failed) {
		r->counts.trace_failures++;
		return 0;
	}
	switch (event->type) {
	case DMT_MAP_SG:
		return replay_map_list(r, device, event);
	case DMT_ALLOC:
	case DMT_ALLOC_PAGES:
	case DMT_ALLOC_SGT:
		return replay_alloc(r, device, event);
	default:
		return replay_map(r, device, event);
	}
}

static int on_device(struct replay *r, const struct dmt_event *event)
{
	int code = 0;
	struct replay_device *device = machine_device(r, event->device, &code);

	if (!device)
		return code;
	switch (event->type) {
	case DMT_UNMAP_PHYS:
	case DMT_UNMAP_PAGE:
	case DMT_UNMAP_RESOURCE:
		return replay_unmap(r, device, event);
	case DMT_UNMAP_SG:
		return replay_unmap_list(r, device, event);
	case DMT_FREE:
	case DMT_FREE_PAGES:
	case DMT_FREE_SGT:
		return replay_free(r, device, event);
	case DMT_SYNC_SINGLE_FOR_CPU:
	case DMT_SYNC_SINGLE_FOR_DEVICE:
		replay_sync(r, device, event);
		return 0;
	case DMT_SYNC_SG_FOR_CPU:
	case DMT_SYNC_SG_FOR_DEVICE:
		replay_sync_list(r, device, event);
		return 0;
	case DMT_BOUNCED:
		return 0;
	default:
		return map_kind(r, device, event);
	}
}

static int perform(struct replay *r, const struct dmt_event *event)
{
	switch (event->type) {
	case DMT_IOMMU_MAP:
		if (iommu_lines_add(&r->lines, event) == 0)
			return 0;
		cmd_say("out of memory");
		return CMD_INTERNAL;
	case DMT_IOMMU_UNMAP:
	case DMT_IOMMU_FAULT:
	case DMT_IOMMU_ADD_DEVICE:
	case DMT_IOMMU_REMOVE_DEVICE:
	case DMT_IOMMU_ATTACH_DEVICE:
	case DMT_IOMMU_DETACH_DEVICE:
		return 0;
	default:
		return on_device(r, event);
	}
}

/* Virtual time follows the trace, never backwards; a further trace goes on where the one before ended. */
static void set_clock(struct replay *r, const struct dmt_event *event)
{
	uint64_t now;

	if (!r->has_first_ts) {
		r->has_first_ts = true;
		r->first_ts = event->ts_ns;
		r->time_base = sim_time(r->machine);
	}
	if (event->ts_ns < r->first_ts)
		return;
	now = r->time_base + (event->ts_ns - r->first_ts);
	if (now > sim_time(r->machine)) {
		sim_set_time(r->machine, now);
		dma_poll(sim_host(r->machine));
	}
}

static void draw_bar(const struct replay *r, bool last)
{
	uint64_t done, total;
	int full;

	dmt_progress(r->reader, &done, &total);
	if (total < BAR_INPUT)
		return;
	full = done >= total ? BAR_WIDTH : (int)((double)done / (double)total * BAR_WIDTH);
	if (last)
		fprintf(stderr, "\r%*s\r", BAR_WIDTH + 10, "");
	else
		fprintf(stderr, "\r[%.*s%*s] %3d %%", full,
			"########################################", BAR_WIDTH - full, "",
			full * 100 / BAR_WIDTH);
	fflush(stderr);
}

/* A dry pass knows all it wants when the pool has failed. */
static bool is_over(const struct replay *r)
{
	return r->options.dry && r->pool_failed;
}

static int read_events(struct replay *r, bool bar)
{
	struct dmt_event event;
	uint64_t n = 0;
	int rc = 0, code = 0;

	while (!code && !is_over(r) && (rc = dmt_next(r->reader, &event)) > 0) {
		r->line = event.line;
		if (r->options.clock_trace)
			set_clock(r, &event);
		code = perform(r, &event);
		if (bar && n++ % BAR_EVENTS == 0)
			draw_bar(r, false);
	}
	if (bar)
		draw_bar(r, true);
	if (code || rc >= 0)
		return code;
	cmd_say("%s", dmt_error(r->reader));
	return rc == -DMAMAP_ENOMEM ? CMD_INTERNAL : CMD_UNREADABLE;
}

/* One decision for a trace. */
static int decide_route(struct replay *r)
{
	struct dmt_probe probe = { 0 };

	r->trace_route = r->options.route;
	if (r->trace_route == REPLAY_AUTO) {
		if (dmt_probe(r->reader, &probe)) {
			cmd_say("%s: out of memory", dmt_name(r->reader));
			return CMD_INTERNAL;
		}
		r->trace_route = probe.iommu	       ? REPLAY_IOMMU
				 : probe.forced_bounce ? REPLAY_BOUNCE
						       : REPLAY_DIRECT;
	}
	if (r->trace == 1)
		r->route = r->trace_route;
	else if (r->route != r->trace_route)
		r->route = REPLAY_MIXED;
	return 0;
}

static void add_stats(struct replay *r)
{
	const struct dmt_stats *stats = dmt_stats(r->reader);

	r->counts.events += stats->events;
	r->counts.skipped_lines += stats->skipped_lines;
	r->counts.lost_events += stats->lost_events;
}

static int replay_trace(struct replay *r, const char *path, bool bar)
{
	char error[512];
	int code, rc = dmt_open(path, &r->reader, error, sizeof(error));

	if (rc) {
		cmd_say("%s", error);
		return rc == -DMAMAP_ENOMEM ? CMD_INTERNAL : CMD_UNREADABLE;
	}
	r->trace++;
	r->has_first_ts = false;
	r->lines.n = 0;
	dmt_on_damage(r->reader, show_damage, r);
	code = decide_route(r);
	if (!code)
		code = read_events(r, bar);
	add_stats(r);
	dmt_close(r->reader);
	r->reader = NULL;
	return code;
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void tell_hidden(uint64_t shown, const char *what)
{
	if (shown > REPLAY_SHOWN)
		cmd_say("… and %" PRIu64 " more %s", shown - REPLAY_SHOWN, what);
}

int replay_run(struct replay *r, char *const *traces, int n)
{
	bool bar = !r->options.dry && isatty(STDERR_FILENO);
	double start = seconds_now(), took;
	int code = 0;

	for (int i = 0; i < n && !code && !is_over(r); i++)
		code = replay_trace(r, traces[i], bar);
	took = seconds_now() - start;
	if (took > 0)
		r->counts.events_per_second = (uint64_t)((double)r->counts.events / took);
	tell_hidden(r->shown_damage, "skipped lines");
	tell_hidden(r->shown_failures, "failed maps");
	tell_hidden(r->shown_mismatches, "mismatches");
	if (r->options.invalidation == DMA_INVALIDATION_STRICT)
		tell_hidden(r->shown_stale, "stale accesses");
	return code;
}
