/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking at a trace without consuming it: is it one at all, and what machine does it come from. What was looked at
 * stays in the buffer, so that a pipe can be looked at as well; how far is bounded.
 */
#include <errno.h>

#include "internal.h"

#define SNIFF_LINES 200
#define SNIFF_BYTES (64u << 10)

/* Files that people hand in instead of text, and what to do about it. */
static const struct {
	const char *magic;
	size_t len;
	const char *hint;
} strangers[] = {
	{ "\x17\x08\x44tracing", 10,
	  "it is trace-cmd's binary form: print it with `trace-cmd report`" },
	{ "PERFILE2", 8, "it is perf's binary form: print it with `perf script`" },
	{ "\x28\xb5\x2f\xfd", 4, "it is compressed: pipe it through `zstd -dc`" },
	{ "\xfd"
	  "7zXZ",
	  5, "it is compressed: pipe it through `xz -dc`" },
	{ "BZh", 3, "it is compressed: pipe it through `bzip2 -dc`" },
};

static const char *hint_for(const struct dmt_buffer *buf)
{
	size_t held = buf->end - buf->pos;

	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		if (held >= strangers[i].len &&
		    memcmp(buf->data + buf->pos, strangers[i].magic, strangers[i].len) == 0)
			return strangers[i].hint;
	}
	return "expected the text of the kernel's trace file, of `trace-cmd report` or of `perf script`, plain or gzipped";
}

/* 1 if a line of a trace was found, 0 if there is none as far as we look, or an error of the input. */
static int find_trace_line(struct dmt_reader *r)
{
	struct dmt_line line;
	size_t from = 0;
	int rc;

	for (int i = 0; i < SNIFF_LINES && from < SNIFF_BYTES; i++) {
		rc = dmt_buffer_line(&r->buf, from, &line);
		if (rc == -EFBIG) {
			/* The beginning of a long line shows what it is. */
			line.text = r->buf.data + r->buf.pos + from;
			line.len = r->buf.end - r->buf.pos - from;
			return dmt_is_trace_line(&r->parse, line.text, line.len);
		}
		if (rc <= 0)
			return rc;
		if (dmt_is_trace_line(&r->parse, line.text, line.len))
			return 1;
		from = line.next;
	}
	return 0;
}

int dmt_sniff(struct dmt_reader *r)
{
	struct dmt_event event;
	size_t max_line = r->buf.max_line;
	int rc;

	r->parse.event = &event;
	if (max_line > SNIFF_BYTES)
		r->buf.max_line = SNIFF_BYTES;
	rc = find_trace_line(r);
	r->buf.max_line = max_line;
	if (rc > 0)
		return 0;
	if (rc < 0) {
		snprintf(r->error, sizeof(r->error), "%s: cannot be read: %s", r->name,
			 r->src.why[0] ? r->src.why : strerror(-rc));
		return rc;
	}
	if (r->buf.end == r->buf.pos) {
		snprintf(r->error, sizeof(r->error), "%s: is empty: %s", r->name,
			 hint_for(&r->buf));
		return -ENODATA;
	}
	snprintf(r->error, sizeof(r->error), "%s: is not a trace: %s", r->name, hint_for(&r->buf));
	return -EILSEQ;
}

/* True once further lines cannot change the answer. */
static bool note(struct dmt_probe *probe, const struct dmt_event *event)
{
	if (event->type == DMT_IOMMU_MAP)
		probe->iommu = true;
	else if (event->force)
		probe->forced_bounce = true;
	return probe->iommu;
}

/* The events that can still change the answer; others need not be parsed. */
static uint32_t telling(const struct dmt_probe *probe)
{
	return 1u << DMT_IOMMU_MAP | (probe->forced_bounce ? 0 : 1u << DMT_BOUNCED);
}

static int probe_ahead(struct dmt_reader *r, struct dmt_probe *probe)
{
	struct dmt_event event;
	struct dmt_line line;
	size_t from = 0;
	enum dmt_verdict verdict;
	int rc = 1;

	r->parse.event = &event;
	while (probe->lines < r->limits.probe_lines && from < r->limits.max_line) {
		rc = dmt_buffer_line(&r->buf, from, &line);
		if (rc <= 0)
			break;
		from = line.next;
		probe->lines++;
		r->parse.want = telling(probe);
		verdict = dmt_parse_line(&r->parse, line.text, line.len);
		if (verdict == DMT_LINE_NO_MEMORY)
			return -ENOMEM;
		if (verdict == DMT_LINE_EVENT && note(probe, &event)) {
			probe->complete = true;
			return 0;
		}
	}
	probe->complete = rc == 0;
	return rc == -ENOMEM ? rc : 0;
}

static int probe_file(struct dmt_reader *second, struct dmt_probe *probe)
{
	struct dmt_event event;
	int rc;

	for (;;) {
		second->parse.want = telling(probe);
		rc = dmt_next(second, &event);
		if (rc <= 0)
			break;
		if (note(probe, &event)) {
			rc = 0;
			break;
		}
	}
	probe->lines = second->stats.lines;
	probe->complete = rc == 0;
	return rc == -ENOMEM ? rc : 0;
}

int dmt_probe(struct dmt_reader *r, struct dmt_probe *probe)
{
	struct dmt_reader *second;
	int rc;

	memset(probe, 0, sizeof(*probe));
	if (r->started)
		return -EINVAL;
	if (r->src.regular && dmt_open_limited(r->path, &r->limits, &second, NULL, 0) == 0) {
		rc = probe_file(second, probe);
		dmt_close(second);
		return rc;
	}
	rc = probe_ahead(r, probe);
	r->parse.want = UINT32_MAX;
	r->parse.continued = false;
	return rc;
}
