/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public calls of the trace reader: open, next, what was counted, how far it got. Every line of the input is
 * counted once, as an event, as skipped or as other, and what is skipped is reported. An error ends the reading for
 * good and leaves a sentence that names the file, what is wrong and what would help.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "internal.h"

const struct dmt_limits dmt_default_limits = {
	.max_line = 64u << 20,
	.chunk = 256u << 10,
	.probe_lines = 20000,
};

static int fail(struct dmt_reader *r, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct dmt_reader *r, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->error, sizeof(r->error), format, args);
	va_end(args);
	r->failed = err;
	return err;
}

static const char *cure_for(int err)
{
	switch (err) {
	case -ENOENT:
		return " (check the path)";
	case -EACCES:
	case -EPERM:
		return " (the kernel's trace file needs root; copy it first)";
	case -EISDIR:
		return " (give the trace file in it)";
	default:
		return "";
	}
}

/* Hands the reader's sentence to the caller of open and frees the reader. */
static int give_up(struct dmt_reader *r, int rc, char *err, size_t errsz)
{
	if (errsz)
		snprintf(err, errsz, "%s", r->error);
	dmt_close(r);
	return rc;
}

static int no_reader(const char *name, char *err, size_t errsz)
{
	if (errsz)
		snprintf(err, errsz, "%s: out of memory", name);
	return -ENOMEM;
}

static struct dmt_reader *new_reader(const char *path, const char *name,
				     const struct dmt_limits *limits)
{
	struct dmt_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->path = strdup(path);
	if (!r->path) {
		free(r);
		return NULL;
	}
	r->name = name ? name : r->path;
	r->limits = *limits;
	r->parse.want = UINT32_MAX;
	return r;
}

static int start(struct dmt_reader *r, struct dmt_reader **out, char *err, size_t errsz)
{
	int rc = dmt_buffer_init(&r->buf, &r->src, &r->limits);

	if (rc < 0)
		fail(r, rc, "%s: out of memory", r->name);
	else
		rc = dmt_sniff(r);
	if (rc < 0)
		return give_up(r, rc, err, errsz);
	*out = r;
	return 0;
}

int dmt_open_limited(const char *path, const struct dmt_limits *limits, struct dmt_reader **out,
		     char *err, size_t errsz)
{
	const char *name = strcmp(path, DMT_STDIN) == 0 ? "standard input" : NULL;
	struct dmt_reader *r = new_reader(path, name, limits);
	int rc;

	if (!r)
		return no_reader(path, err, errsz);
	rc = dmt_source_open(&r->src, path);
	if (rc < 0) {
		fail(r, rc, "%s: cannot be opened: %s%s", r->name, strerror(-rc), cure_for(rc));
		return give_up(r, rc, err, errsz);
	}
	return start(r, out, err, errsz);
}

int dmt_open_memory_limited(const void *data, size_t size, const struct dmt_limits *limits,
			    struct dmt_reader **out, char *err, size_t errsz)
{
	struct dmt_reader *r = new_reader("memory", NULL, limits);

	if (!r)
		return no_reader("memory", err, errsz);
	dmt_source_memory(&r->src, data, size);
	return start(r, out, err, errsz);
}

int dmt_open(const char *path, struct dmt_reader **out, char *err, size_t errsz)
{
	return dmt_open_limited(path, &dmt_default_limits, out, err, errsz);
}

int dmt_open_memory(const void *data, size_t size, struct dmt_reader **out, char *err, size_t errsz)
{
	return dmt_open_memory_limited(data, size, &dmt_default_limits, out, err, errsz);
}

void dmt_close(struct dmt_reader *r)
{
	if (!r)
		return;
	dmt_source_close(&r->src);
	dmt_buffer_free(&r->buf);
	free(r->parse.phys.v);
	free(r->parse.dma.v);
	free(r->parse.len.v);
	free(r->path);
	free(r);
}

void dmt_on_damage(struct dmt_reader *r, dmt_damage_fn fn, void *ctx)
{
	r->damage = fn;
	r->damage_ctx = ctx;
}

/* The beginning of a line without what a terminal might act upon. */
static void excerpt(char *to, size_t size, const char *line, size_t len)
{
	size_t n = 0;

	while (len && dmt_is_blank(*line)) {
		line++;
		len--;
	}
	for (; n < len && n + 1 < size; n++)
		to[n] = line[n] >= ' ' && line[n] <= '~' ? line[n] : '?';
	if (n < len)
		memcpy(to + n - 3, "...", 3);
	to[n] = '\0';
}

static void report(struct dmt_reader *r, const struct dmt_line *line)
{
	char text[200], reason[120];
	const char *field = r->parse.field;
	struct dmt_damage damage = { r->name, r->stats.lines, text, reason };

	if (!r->damage)
		return;
	snprintf(reason, sizeof(reason), "%s%s%s", field ? field : "", field ? ": " : "",
		 r->parse.why);
	excerpt(text, sizeof(text), line->text, line->len);
	r->damage(r->damage_ctx, &damage);
}

/* 1 if the line was an event, 0 if not. */
static int take_line(struct dmt_reader *r, const struct dmt_line *line)
{
	r->stats.lines++;
	switch (dmt_parse_line(&r->parse, line->text, line->len)) {
	case DMT_LINE_EVENT:
		dmt_commit_line(&r->parse);
		r->parse.event->line = r->stats.lines;
		r->stats.events++;
		return 1;
	case DMT_LINE_DAMAGED:
		r->stats.skipped_lines++;
		report(r, line);
		return 0;
	case DMT_LINE_OTHER:
		r->stats.other_lines++;
		if (r->parse.lost > UINT64_MAX - r->stats.lost_events)
			r->parse.lost = UINT64_MAX - r->stats.lost_events;
		r->stats.lost_events += r->parse.lost;
		return 0;
	case DMT_LINE_NO_MEMORY:
		break;
	}
	return fail(r, -ENOMEM, "%s: line %llu: out of memory", r->name,
		    (unsigned long long)r->stats.lines);
}

static int input_failed(struct dmt_reader *r, int err)
{
	unsigned long long line = r->stats.lines + 1;

	if (err == -EFBIG)
		return fail(r, err, "%s: line %llu is longer than %zu bytes: is it a trace?",
			    r->name, line, r->limits.max_line);
	return fail(r, err, "%s: cannot be read beyond line %llu: %s", r->name, line - 1,
		    r->src.why[0] ? r->src.why : strerror(-err));
}

int dmt_next(struct dmt_reader *r, struct dmt_event *event)
{
	struct dmt_line line;
	int rc;

	r->started = true;
	if (r->failed)
		return r->failed;
	r->parse.event = event;
	for (;;) {
		rc = dmt_buffer_line(&r->buf, 0, &line);
		if (rc <= 0)
			return rc < 0 ? input_failed(r, rc) : 0;
		r->buf.pos += line.next;
		rc = take_line(r, &line);
		if (rc)
			return rc;
	}
}

const struct dmt_stats *dmt_stats(const struct dmt_reader *r)
{
	return &r->stats;
}

const char *dmt_error(const struct dmt_reader *r)
{
	return r->error;
}

const char *dmt_name(const struct dmt_reader *r)
{
	return r->name;
}

void dmt_progress(const struct dmt_reader *r, uint64_t *done, uint64_t *total)
{
	*done = dmt_source_offset(&r->src);
	*total = r->src.total;
}
