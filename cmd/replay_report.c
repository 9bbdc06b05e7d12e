/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The result of a replay: a table for people, or JSON (docs/json.md, dmamap.replay/1).
 */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "replay.h"
#include "table.h"

const char *replay_route_name(enum replay_route route)
{
	static const char *const names[] = { "auto", "direct", "bounce", "iommu", "ops", "mixed" };

	return names[route];
}

#define FIELD(name)                                         \
	{                                                   \
#name, offsetof(struct replay_counts, name) \
	}

/* In the order of the schema. */
static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	FIELD(events),
	FIELD(skipped_lines),
	FIELD(lost_events),
	FIELD(devices),
	FIELD(maps),
	FIELD(unmaps),
	FIELD(unmatched_unmaps),
	FIELD(trace_failures),
	FIELD(refused_mmio),
	FIELD(map_failures),
	FIELD(syncs),
	FIELD(bytes_mapped),
	FIELD(bytes_verified),
	FIELD(mismatches),
	FIELD(stale_checked),
	FIELD(stale_blocked),
	FIELD(stale_reached),
	{ "live_at_end", offsetof(struct replay_counts, live) },
	FIELD(peak_live),
	FIELD(inferred_lengths),
	FIELD(truncated),
	FIELD(bounced_maps),
	FIELD(bounce_peak_bytes),
	FIELD(invalidations),
	FIELD(iova_peak_bytes),
	FIELD(table_peak_bytes),
	FIELD(events_per_second),
	FIELD(shared_lines),
};

static json_t *failure_json(const struct replay_failure *first)
{
	if (!first->device)
		return json_null();
	return json_pack("{s:I, s:s, s:I, s:o}", "line", (json_int_t)first->line, "device",
			 first->device, "size", (json_int_t)first->size, "reason",
			 first->reason ? json_string(first->reason) : json_null());
}

/* Was any of it? */
static bool behind_iommu(const struct replay *r)
{
	return r->route == REPLAY_IOMMU || r->route == REPLAY_MIXED;
}

static int print_json(const struct replay *r)
{
	json_t *json = json_pack("{s:s, s:s}", "schema", "dmamap.replay/1", "route",
				 replay_route_name(r->route));

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint64_t value;

		memcpy(&value, (const char *)&r->counts + fields[i].offset, sizeof(value));
		json_object_set_new(json, fields[i].name, json_integer((json_int_t)value));
	}
	json_object_set_new(json, "format",
			    behind_iommu(r) ? json_string(r->options.format->name) : json_null());
	json_object_set_new(json, "first_failure", failure_json(&r->first_failure));
	json_object_set_new(json, "pool_needed_bytes",
			    r->pool_needed ? json_integer((json_int_t)r->pool_needed)
					   : json_null());
	json_object_set_new(json, "pool_needed_is_bound",
			    r->pool_needed ? json_boolean(r->pool_needed_is_bound) : json_null());
	return cmd_print_json(json);
}

/* A number as people read it: 1,234,567. */
static const char *grouped(uint64_t value, char buf[32])
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, value), at = 0;

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			buf[at++] = ',';
		buf[at++] = digits[i];
	}
	buf[at] = '\0';
	return buf;
}

struct report {
	struct table table;
	const struct replay *r;
};

static void line(struct report *report, const char *what, uint64_t value, const char *note)
{
	char buf[32];
	const char *cells[] = { what, grouped(value, buf), note };

	table_row(&report->table, cells);
}

/* A line that is of interest only if it is not 0. */
static void rare(struct report *report, const char *what, uint64_t value, const char *note)
{
	if (value)
		line(report, what, value, note);
}

static void trace_lines(struct report *report)
{
	const struct replay_counts *c = &report->r->counts;

	line(report, "events", c->events, "recognised and valid");
	rare(report, "skipped lines", c->skipped_lines, "damaged");
	rare(report, "lost events", c->lost_events, "the kernel lost them");
	rare(report, "trace failures", c->trace_failures, "maps that failed in the trace");
	rare(report, "truncated lists", c->truncated, "the kernel did not print all of them");
	rare(report, "inferred lengths", c->inferred_lengths, "lists, by whole pages");
}

static void map_lines(struct report *report)
{
	const struct replay_counts *c = &report->r->counts;

	line(report, "devices", c->devices, "");
	line(report, "maps", c->maps, "made again, and used by the device");
	line(report, "unmaps", c->unmaps, "");
	rare(report, "unmatched unmaps", c->unmatched_unmaps, "of mappings older than the trace");
	line(report, "live at end", c->live, "");
	line(report, "live at most", c->peak_live, "");
	rare(report, "syncs", c->syncs, "");
	rare(report, "refused MMIO", c->refused_mmio, "MMIO never bounces");
	line(report, "bytes mapped", c->bytes_mapped, "");
	line(report, "bytes verified", c->bytes_verified,
	     report->r->options.verify ? "moved and compared" : "--no-verify");
}

static void route_lines(struct report *report)
{
	const struct replay_counts *c = &report->r->counts;

	rare(report, "bounced maps", c->bounced_maps, "");
	rare(report, "bounce pool", c->bounce_peak_bytes, "bytes at most");
	rare(report, "  needed", report->r->pool_needed,
	     report->r->pool_needed_is_bound ? "bytes of one pool suffice, perhaps fewer"
					     : "bytes of one pool suffice, a page less does not");
	rare(report, "shared lines", c->shared_lines, "cache lines of two elements of a list");
	rare(report, "I/O addresses", c->iova_peak_bytes, "bytes at most");
	rare(report, "tables", c->table_peak_bytes, "bytes at most");
	rare(report, "invalidations", c->invalidations, "");
	rare(report, "stale accesses", c->stale_checked, "addresses tried again after the unmap");
	rare(report, "  blocked", c->stale_blocked, "");
	rare(report, "  reached", c->stale_reached,
	     report->r->options.invalidation == DMA_INVALIDATION_LAZY
		     ? "until the next flush, as with a real IOMMU"
		     : "must not be under strict invalidation");
}

static void print_head(const struct replay *r, FILE *to, char *const *traces, int n)
{
	static const char *const invalidation[] = { "strict", "lazy" };

	for (int i = 0; i < n; i++)
		fprintf(to, "%s%s", i ? ", " : "", traces[i]);
	fprintf(to, ": replayed, route %s", replay_route_name(r->route));
	if (behind_iommu(r))
		fprintf(to, ", format %s, %s invalidation", r->options.format->name,
			invalidation[r->options.invalidation]);
	fputc('\n', to);
}

static bool is_clean(const struct replay *r)
{
	const struct replay_counts *c = &r->counts;

	return !c->mismatches && !c->map_failures &&
	       !(c->stale_reached && r->options.invalidation == DMA_INVALIDATION_STRICT);
}

/* With several traces, a line says little without the name of its trace. */
static void print_first_failure(const struct replay *r, char *const *traces, int n, FILE *to)
{
	const struct replay_failure *first = &r->first_failure;
	const char *trace;

	if (!first->device)
		return;
	trace = traces[first->trace - 1];
	fprintf(to, "first failure: ");
	if (n > 1)
		fprintf(to, "%s, ", strcmp(trace, DMT_STDIN) == 0 ? "standard input" : trace);
	fprintf(to, "line %" PRIu64 ", %s, %" PRIu64 " bytes: %s\n", first->line, first->device,
		first->size, first->reason ? first->reason : "no memory to map");
}

static void print_result(const struct replay *r, FILE *to)
{
	const struct replay_counts *c = &r->counts;
	const char *on = cmd_colour(to) ? (is_clean(r) ? "\033[32m" : "\033[31m") : "";
	char speed[32];

	if (is_clean(r))
		fprintf(to, "%sno mismatch, no failure%s", on, *on ? "\033[0m" : "");
	else
		fprintf(to, "%s%" PRIu64 " mismatches, %" PRIu64 " failed maps%s", on,
			c->mismatches, c->map_failures, *on ? "\033[0m" : "");
	if (r->options.verify && c->stale_checked &&
	    r->options.invalidation == DMA_INVALIDATION_STRICT)
		fprintf(to, ", %s stale access reached",
			c->stale_reached ? grouped(c->stale_reached, speed) : "no");
	fprintf(to, " (%s events a second)\n", grouped(c->events_per_second, speed));
}

static int print_table(const struct replay *r, FILE *to, char *const *traces, int n)
{
	static const char *const titles[] = { "WHAT", "COUNT", "NOTE" };
	struct report report = { .r = r };
	bool printed;

	table_init(&report.table, 3);
	report.table.right[1] = true;
	table_row(&report.table, titles);
	trace_lines(&report);
	map_lines(&report);
	route_lines(&report);
	print_head(r, to, traces, n);
	printed = table_print(&report.table, to, cmd_colour(to), NULL);
	table_free(&report.table);
	print_first_failure(r, traces, n, to);
	print_result(r, to);
	if (!printed)
		cmd_say("out of memory while printing the table");
	return printed ? 0 : CMD_INTERNAL;
}

int report_print(const struct replay *r, char *const *traces, int n)
{
	bool trace_on_stdout = r->options.trace_out && strcmp(r->options.trace_out, "-") == 0;
	int code;

	if (r->options.json)
		code = print_json(r);
	else
		code = print_table(r, trace_on_stdout ? stderr : stdout, traces, n);
	if (code)
		return code;
	return is_clean(r) ? CMD_CLEAN : CMD_FINDINGS;
}
