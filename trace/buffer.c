/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines out of bytes. One buffer holds what was read and not consumed; it grows for a long line and for look-ahead, up
 * to a cap, and is used again from then on. A line is found by its offset from the first unconsumed byte, so looking
 * ahead and consuming are the same operation. What an error of the source leaves behind without an end of line is not
 * a line: half a number must not be taken for a whole one.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

int dmt_buffer_init(struct dmt_buffer *buf, struct dmt_source *src, const struct dmt_limits *limits)
{
	memset(buf, 0, sizeof(*buf));
	buf->src = src;
	buf->chunk = limits->chunk;
	buf->max_line = limits->max_line;
	buf->cap = limits->chunk * 2;
	buf->data = malloc(buf->cap);
	return buf->data ? 0 : -ENOMEM;
}

void dmt_buffer_free(struct dmt_buffer *buf)
{
	free(buf->data);
	buf->data = NULL;
}

/*
 * Makes room for one chunk behind the data. The read that finds the end comes after this and leaves the room unused, so
 * a last line without newline has a byte behind it as every other.
 */
static int make_room(struct dmt_buffer *buf)
{
	size_t cap = buf->cap * 2;
	char *data;

	if (buf->cap - buf->end >= buf->chunk)
		return 0;
	if (buf->pos) {
		memmove(buf->data, buf->data + buf->pos, buf->end - buf->pos);
		buf->end -= buf->pos;
		buf->pos = 0;
	}
	if (buf->cap - buf->end >= buf->chunk)
		return 0;
	data = realloc(buf->data, cap);
	if (!data)
		return -ENOMEM;
	buf->data = data;
	buf->cap = cap;
	return 0;
}

static int fill(struct dmt_buffer *buf)
{
	int64_t got;
	int rc = make_room(buf);

	if (rc < 0)
		return rc;
	got = dmt_source_read(buf->src, buf->data + buf->end, buf->chunk);
	if (got > 0)
		buf->end += (size_t)got;
	else
		buf->status = got < 0 ? (int)got : 1;
	return 0;
}

static int found(struct dmt_buffer *buf, size_t from, size_t len, size_t newline,
		 struct dmt_line *line)
{
	if (len > buf->max_line)
		return -EFBIG;
	line->text = buf->data + buf->pos + from;
	line->len = len;
	line->next = from + len + newline;
	return 1;
}

/*
 * The line that starts @from bytes behind the first unconsumed one. 1; 0 at the end; -EFBIG, -ENOMEM, or the error of
 * the source. @line is valid until the next call.
 */
int dmt_buffer_line(struct dmt_buffer *buf, size_t from, struct dmt_line *line)
{
	size_t seen = from;
	int rc;

	for (;;) {
		size_t held = buf->end - buf->pos;
		const char *text = buf->data + buf->pos;
		const char *newline = memchr(text + seen, '\n', held - seen);

		if (newline)
			return found(buf, from, (size_t)(newline - text) - from, 1, line);
		seen = held;
		if (seen - from > buf->max_line)
			return -EFBIG;
		if (buf->status < 0)
			return buf->status;
		if (buf->status)
			return seen > from ? found(buf, from, seen - from, 0, line) : 0;
		rc = fill(buf);
		if (rc < 0)
			return rc;
	}
}
