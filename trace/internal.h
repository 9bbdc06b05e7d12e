/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the trace reader share: the layers from bytes to events.
 *
 *   source.c    bytes, from zlib or from memory
 *   buffer.c    lines, with look-ahead, in one buffer that grows up to the cap
 *   envelope.c  task, CPU and time in front of an event, in every form in use
 *   fields.c    one value: numbers, lists, directions, attributes, words
 *   keys.c      the fields of a message, found by key
 *   forms.c     the events: which fields each one has, and what must hold between them
 *   line.c      one line: event, damage or something to tolerate
 *   reader.c    the public calls
 *   probe.c     looking at a trace without consuming it
 *
 * Parsing never writes to the line until all of it was found valid, so that a damaged line can be shown as it was and a
 * line that was looked at can be delivered later.
 */
#ifndef DMT_INTERNAL_H
#define DMT_INTERNAL_H

#include <stdio.h>
#include <string.h>

#include "trace.h"

/* Bytes that the envelope of a line may take; nothing in use comes near. */
#define DMT_ENVELOPE_MAX 512

/* Sizes that tests make small. */
struct dmt_limits {
	size_t max_line;
	size_t chunk;
	uint64_t probe_lines;
};

extern const struct dmt_limits dmt_default_limits;

struct dmt_slice {
	char *at;
	size_t len;
};

/* Where bytes come from. */
struct dmt_source {
	void *gz;
	const char *mem;
	uint64_t total;
	uint64_t taken;
	bool regular;
	char why[160];
};

int dmt_source_open(struct dmt_source *src, const char *path);
void dmt_source_memory(struct dmt_source *src, const void *data, size_t size);
void dmt_source_close(struct dmt_source *src);
/* Bytes read, 0 at the end, or -errno with src->why saying more. */
int64_t dmt_source_read(struct dmt_source *src, void *to, size_t n);
uint64_t dmt_source_offset(const struct dmt_source *src);

/*
 * Input that was read and not consumed: data[pos..end). One byte behind every line can be written. An error of the
 * source waits in status (1 is the end) until the complete lines before it were delivered.
 */
struct dmt_buffer {
	struct dmt_source *src;
	char *data;
	size_t cap;
	size_t pos;
	size_t end;
	size_t chunk;
	size_t max_line;
	int status;
};

/* A line that starts from bytes behind buffer.pos; the next one starts at next. */
struct dmt_line {
	char *text;
	size_t len;
	size_t next;
};

int dmt_buffer_init(struct dmt_buffer *buf, struct dmt_source *src,
		    const struct dmt_limits *limits);
void dmt_buffer_free(struct dmt_buffer *buf);
int dmt_buffer_line(struct dmt_buffer *buf, size_t from, struct dmt_line *line);

/* A list that is used again for every line. */
struct dmt_list {
	uint64_t *v;
	size_t n;
	size_t cap;
};

enum dmt_shape {
	DMT_SHAPE_DMA,	   /* DEVICE key=value… */
	DMT_SHAPE_BOUNCED, /* dev_name: DEVICE key=value… */
	DMT_SHAPE_IOMMU,   /* IOMMU: key=value… */
	DMT_SHAPE_FAULT,   /* IOMMU:DRIVER DEVICE key=value… */
};

/* One bit for each field that a message can have. */
enum {
	DMT_F_DIR = 1u << 0,
	DMT_F_DMA_ADDR = 1u << 1,
	DMT_F_SIZE = 1u << 2,
	DMT_F_PHYS_ADDR = 1u << 3,
	DMT_F_ATTRS = 1u << 4,
	DMT_F_VIRT = 1u << 5,
	DMT_F_FLAGS = 1u << 6,
	DMT_F_NENTS = 1u << 7,
	DMT_F_ENTS = 1u << 8,
	DMT_F_DMA_ADDRS = 1u << 9,
	DMT_F_SIZES = 1u << 10,
	DMT_F_PHYS_ADDRS = 1u << 11,
	DMT_F_ERR = 1u << 12,
	DMT_F_ROUTE = 1u << 13,
	DMT_F_REASON = 1u << 14,
	DMT_F_TRUNCATED = 1u << 15,
	DMT_F_DMA_MASK = 1u << 16,
	DMT_F_DEV_ADDR = 1u << 17,
	DMT_F_FORCE = 1u << 18,
	DMT_F_IOVA = 1u << 19,
	DMT_F_PADDR = 1u << 20,
	DMT_F_UNMAPPED = 1u << 21,
	DMT_F_GROUP = 1u << 22,
	DMT_F_DEVICE = 1u << 23,
};

/* An event: its name, and the fields that it must and may have. */
struct dmt_form {
	const char *name;
	unsigned char len;
	enum dmt_shape shape;
	/* The direction may be absent or garbage. */
	bool loose_dir;
	uint32_t need;
	uint32_t may;
};

/* The state of parsing one line; the lists stay from line to line. */
struct dmt_parse {
	struct dmt_event *event;
	const struct dmt_form *form;
	/* The rest of the line. */
	char *at;
	char *end;
	uint32_t seen;
	/* Bit for each enum dmt_type that the caller wants; others are OTHER. */
	uint32_t want;
	/* The line before was an event of others, which may go on over further lines. */
	bool continued;
	/* The direction was a number: valid only with a reason. */
	bool odd_dir;
	/* Events that the line, a lost-event mark, says were lost. */
	uint64_t lost;
	struct dmt_slice task;
	struct dmt_slice group;
	struct dmt_slice name;
	struct dmt_slice device;
	struct dmt_slice driver;
	struct dmt_slice flags;
	struct dmt_slice route;
	struct dmt_slice reason;
	struct dmt_list phys;
	struct dmt_list dma;
	struct dmt_list len;
	uint64_t shown_nents;
	uint64_t shown_ents;
	/* What was wrong: a field (or NULL) and what about it. */
	const char *field;
	const char *why;
};

enum dmt_verdict {
	DMT_LINE_EVENT,
	DMT_LINE_OTHER,
	DMT_LINE_DAMAGED,
	DMT_LINE_NO_MEMORY,
};

struct dmt_reader {
	struct dmt_source src;
	struct dmt_buffer buf;
	struct dmt_parse parse;
	struct dmt_stats stats;
	struct dmt_limits limits;
	dmt_damage_fn damage;
	void *damage_ctx;
	/* The result of an earlier call that failed. */
	int failed;
	bool started;
	char *path;
	const char *name;
	char error[512];
};

/* The "why" of a line that could not be parsed because there was no memory. */
extern const char dmt_no_memory[];

static inline bool dmt_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool dmt_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool dmt_slice_is(struct dmt_slice s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

static inline void dmt_skip_blanks(struct dmt_parse *ps)
{
	while (ps->at < ps->end && dmt_is_blank(*ps->at))
		ps->at++;
}

/* True if the cursor is behind a complete word. */
static inline bool dmt_at_word_end(const struct dmt_parse *ps)
{
	return ps->at == ps->end || dmt_is_blank(*ps->at);
}

/* envelope.c: task, PID, CPU, time; leaves the cursor at the event's name. False if the line has no envelope. */
bool dmt_read_envelope(struct dmt_parse *ps, char *line, size_t len);

/*
 * fields.c: each reads one value at the cursor and moves behind it. NULL if it is valid, else what is wrong with it.
 */
const char *dmt_read_dec(struct dmt_parse *ps, uint64_t max, uint64_t *value);
const char *dmt_read_hex(struct dmt_parse *ps, uint64_t *value);
const char *dmt_read_0x(struct dmt_parse *ps, uint64_t *value);
const char *dmt_read_pointer(struct dmt_parse *ps);
const char *dmt_read_list(struct dmt_parse *ps, struct dmt_list *list, uint64_t max);
const char *dmt_read_dir(struct dmt_parse *ps);
const char *dmt_read_attrs(struct dmt_parse *ps);
const char *dmt_read_gfp(struct dmt_parse *ps);
const char *dmt_read_device(struct dmt_parse *ps, struct dmt_slice *slice);
const char *dmt_read_name(struct dmt_parse *ps, struct dmt_slice *slice);

/* keys.c: all fields to the end of the line. NULL or what is wrong, with ps->field. */
const char *dmt_read_fields(struct dmt_parse *ps);

/* forms.c */
const struct dmt_form *dmt_find_form(struct dmt_slice name, enum dmt_type *type);
/* The name begins as that of an event that we know. */
bool dmt_is_form_prefix(struct dmt_slice name);
/* The group that the events of a form are in. */
const char *dmt_form_group(const struct dmt_form *form);
/* What must hold between fields that are valid each. NULL or what is wrong. */
const char *dmt_check_event(struct dmt_parse *ps);

/* line.c */
enum dmt_verdict dmt_parse_line(struct dmt_parse *ps, char *line, size_t len);
/* Turns what was parsed into strings of the event: writes to the line. */
void dmt_commit_line(struct dmt_parse *ps);
/* The line can stand in a trace and hardly anywhere else: an envelope, or a line of a tracer's header. */
bool dmt_is_trace_line(struct dmt_parse *ps, char *line, size_t len);

/* probe.c: 0, or an error with a sentence in reader->error. */
int dmt_sniff(struct dmt_reader *reader);

/* reader.c: what the public forms do, with other limits. */
int dmt_open_limited(const char *path, const struct dmt_limits *limits, struct dmt_reader **out,
		     char *err, size_t errsz);
int dmt_open_memory_limited(const void *data, size_t size, const struct dmt_limits *limits,
			    struct dmt_reader **out, char *err, size_t errsz);

#endif
