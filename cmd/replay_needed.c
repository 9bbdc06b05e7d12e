/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The size of the bounce pool that would have done. The traces are replayed again, dry, with pools of other sizes: the
 * same devices, the same calls, the same pool, but nobody looks at the data. So whatever makes a pool of the library
 * fragment is in the answer. It is a multiple of the page size that suffices, and one page less does not.
 *
 * What cannot be read twice, standard input or a pipe, has an upper bound for an answer; so has a replay in which
 * nothing failed and nobody asked for a pool of some size.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "replay.h"

/* No pool is larger: all must lie below 4 GiB. */
#define MOST (4ull << 30)

/* Whole pages of the machine. */
static uint64_t page_ceiling(const struct replay *r, uint64_t bytes)
{
	return frames_floor(&r->frames, bytes + r->frames.page - 1);
}

/* Where a search for the size is: @low does not suffice, @high does (0: not known yet). */
struct search {
	const struct replay *r;
	char *const *traces;
	int n;
	uint64_t low;
	uint64_t high;
};

/* What a dry replay found. Fewer bytes than were in use at a time never suffice. */
static void note_result(struct search *s, const struct replay *dry, uint64_t bytes)
{
	struct dma_bounce_stats stats;
	uint64_t peak;

	if (dry->pool_failed) {
		s->low = bytes;
		return;
	}
	s->high = bytes;
	dma_bounce_get_stats(dry->pools[0], &stats);
	peak = page_ceiling(dry, stats.peak_slots * stats.slot_size);
	if (peak > s->low + dry->frames.page)
		s->low = peak - dry->frames.page;
}

/* A dry replay with one pool of @bytes: does it suffice? */
static int try_size(struct search *s, uint64_t bytes)
{
	struct replay *dry = calloc(1, sizeof(*dry));
	int code;

	if (!dry) {
		cmd_say("out of memory");
		return CMD_INTERNAL;
	}
	dry->options = s->r->options;
	dry->options.bounce_pool = bytes;
	dry->options.verify = false;
	dry->options.dry = true;
	code = machine_start(dry);
	if (!code)
		code = replay_run(dry, s->traces, s->n);
	if (!code)
		note_result(s, dry, bytes);
	machine_end(dry);
	free(dry);
	return code;
}

/* From what was in use at most upwards, then halving. */
static int search(struct search *s)
{
	uint64_t bytes = page_ceiling(s->r, s->r->pool_peak_slots * POOL_SLOT);
	int code = 0;

	while (!code && !s->high && bytes <= MOST) {
		code = try_size(s, bytes);
		bytes += page_ceiling(s->r, bytes / 8);
	}
	while (!code && s->high && s->high - s->low > s->r->frames.page) {
		bytes = s->low + (s->high - s->low) / 2;
		code = try_size(s, frames_floor(&s->r->frames, bytes));
	}
	return code;
}

static bool can_read_again(char *const *traces, int n)
{
	struct stat st;

	for (int i = 0; i < n; i++) {
		if (stat(traces[i], &st) || !S_ISREG(st.st_mode))
			return false;
	}
	return true;
}

int needed_find(struct replay *r, char *const *traces, int n)
{
	struct search s = { .r = r, .traces = traces, .n = n };
	int code;

	if (!r->pool_used)
		return 0;
	if ((r->options.bounce_pool || r->pool_failed) && can_read_again(traces, n)) {
		code = search(&s);
		/* A pool that does not fit into the machine: the bound has to do. */
		if (code != CMD_USAGE) {
			r->pool_needed = s.high;
			return code;
		}
	}
	r->pool_needed = pool_bound(r);
	r->pool_needed_is_bound = true;
	return 0;
}
