/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a line is: an event of ours; a damaged one; or something that traces hold and that is not our business, such as
 * headers, lost-event marks, stack traces, annotations and events of others. Text that is none of that is damage too:
 * a reader that drops lines in silence hides what is wrong with a trace.
 */
#include "internal.h"

static bool starts_with(const char *line, size_t len, const char *text)
{
	size_t n = strlen(text);

	return len >= n && memcmp(line, text, n) == 0;
}

static bool contains(const char *line, size_t len, const char *text)
{
	return memmem(line, len, text, strlen(text)) != NULL;
}

static enum dmt_verdict damaged(struct dmt_parse *ps, const char *why)
{
	ps->why = why;
	ps->continued = false;
	return why == dmt_no_memory ? DMT_LINE_NO_MEMORY : DMT_LINE_DAMAGED;
}

/* An event of others. Its text may go on over further lines, as stack traces and annotations do. */
static enum dmt_verdict foreign(struct dmt_parse *ps)
{
	ps->continued = true;
	return DMT_LINE_OTHER;
}

/* "CPU:n [LOST k EVENTS]" of the kernel; "[EVENTS DROPPED]", with or without a number, of trace-cmd. */
static bool read_lost(struct dmt_parse *ps, char *line, size_t len)
{
	uint64_t cpu, n = 1;

	if (!starts_with(line, len, "CPU:"))
		return false;
	ps->end = line + len;
	ps->at = line + 4;
	if (dmt_read_dec(ps, INT32_MAX, &cpu))
		return false;
	dmt_skip_blanks(ps);
	if (ps->at == ps->end || *ps->at++ != '[')
		return false;
	if (starts_with(ps->at, (size_t)(ps->end - ps->at), "LOST "))
		ps->at += 5;
	if (ps->at < ps->end && dmt_is_digit(*ps->at)) {
		if (dmt_read_dec(ps, INT64_MAX, &n))
			return false;
		dmt_skip_blanks(ps);
	}
	len = (size_t)(ps->end - ps->at);
	if (!(len == 7 && memcmp(ps->at, "EVENTS]", 7) == 0) &&
	    !(len == 15 && memcmp(ps->at, "EVENTS DROPPED]", 15) == 0))
		return false;
	ps->lost = n;
	return true;
}

/* "=> function" of the kernel and trace-cmd; "   ffffffff81234567 function" of perf. */
static bool is_stack_line(const char *line, size_t len)
{
	size_t i = 0, start;

	while (i < len && dmt_is_blank(line[i]))
		i++;
	if (starts_with(line + i, len - i, "=> "))
		return true;
	start = i;
	while (i < len && (dmt_is_digit(line[i]) || (line[i] >= 'a' && line[i] <= 'f')))
		i++;
	return start && i - start >= 6 && i < len && line[i] == ' ';
}

/* What trace-cmd report prints before the first event. */
static bool is_preamble(const char *line, size_t len)
{
	return starts_with(line, len, "cpus=") || starts_with(line, len, "version = ") ||
	       (starts_with(line, len, "CPU ") && len > 9 &&
		memcmp(line + len - 9, " is empty", 9) == 0) ||
	       starts_with(line, len, "trace-cmd version");
}

/* A line without envelope. */
static enum dmt_verdict bare_line(struct dmt_parse *ps, char *line, size_t len)
{
	if (is_stack_line(line, len))
		return DMT_LINE_OTHER;
	while (len && dmt_is_blank(*line)) {
		line++;
		len--;
	}
	if (!len || is_preamble(line, len) || read_lost(ps, line, len))
		return DMT_LINE_OTHER;
	if (contains(line, len, ": dma_") || contains(line, len, ": IOMMU:") ||
	    contains(line, len, "swiotlb_bounced"))
		return damaged(ps, "no task, CPU and time in front of the event");
	if (ps->continued)
		return DMT_LINE_OTHER;
	return damaged(ps, "not a line of a trace");
}

/*
 * "EVENT:" or "GROUP:EVENT:". False if there is no such thing, as in lines of the function tracer, and for the head
 * of an annotation that has one later.
 */
static bool read_event_name(struct dmt_parse *ps)
{
	char *start = ps->at, *p = start;

	ps->group.len = 0;
	for (;; p++) {
		if (p == ps->end || dmt_is_blank(*p)) {
			ps->name = (struct dmt_slice){ start, (size_t)(p - start) };
			return false;
		}
		if (*p != ':')
			continue;
		if (p + 1 == ps->end || dmt_is_blank(p[1]))
			break;
		ps->group = (struct dmt_slice){ ps->at, (size_t)(p - ps->at) };
		start = p + 1;
	}
	ps->name = (struct dmt_slice){ start, (size_t)(p - start) };
	ps->at = p + 1;
	dmt_skip_blanks(ps);
	return true;
}

static bool skip_text(struct dmt_parse *ps, const char *text)
{
	size_t n = strlen(text);

	if (!starts_with(ps->at, (size_t)(ps->end - ps->at), text))
		return false;
	ps->at += n;
	return true;
}

/* What stands in front of the fields. */
static const char *read_subject(struct dmt_parse *ps)
{
	const char *why;

	switch (ps->form->shape) {
	case DMT_SHAPE_DMA:
		return dmt_read_device(ps, &ps->device);
	case DMT_SHAPE_BOUNCED:
		if (!skip_text(ps, "dev_name: "))
			return "no dev_name";
		return dmt_read_device(ps, &ps->device);
	case DMT_SHAPE_IOMMU:
		return skip_text(ps, "IOMMU: ") ? NULL : "no IOMMU";
	case DMT_SHAPE_FAULT:
		if (!skip_text(ps, "IOMMU:"))
			return "no IOMMU";
		why = dmt_read_name(ps, &ps->driver);
		if (why)
			return "no driver name";
		dmt_skip_blanks(ps);
		return dmt_read_device(ps, &ps->device);
	}
	return "unknown shape";
}

/*
 * Text output has no groups, and "map" could be anyone's event: the message tells. A message that was cut short before
 * it could tell is taken for ours.
 */
static bool is_ours(const struct dmt_parse *ps)
{
	size_t left = (size_t)(ps->end - ps->at);

	if (ps->group.len)
		return dmt_slice_is(ps->group, dmt_form_group(ps->form));
	if (ps->form->shape != DMT_SHAPE_IOMMU && ps->form->shape != DMT_SHAPE_FAULT)
		return true;
	return memcmp(ps->at, "IOMMU:", left < 6 ? left : 6) == 0;
}

static enum dmt_verdict read_message(struct dmt_parse *ps)
{
	const char *why;

	if (skip_text(ps, "[FAILED TO PARSE]"))
		return damaged(
			ps,
			"trace-cmd could not print this event; use the kernel's own trace file");
	why = read_subject(ps);
	if (!why)
		why = dmt_read_fields(ps);
	if (!why)
		why = dmt_check_event(ps);
	if (why)
		return damaged(ps, why);
	ps->continued = false;
	return DMT_LINE_EVENT;
}

static enum dmt_verdict event_line(struct dmt_parse *ps)
{
	if (!read_event_name(ps)) {
		if (ps->at + ps->name.len == ps->end && dmt_is_form_prefix(ps->name))
			return damaged(ps, "the line ends in the name of the event");
		return foreign(ps);
	}
	ps->form = dmt_find_form(ps->name, &ps->event->type);
	if (!ps->form || !is_ours(ps))
		return foreign(ps);
	if (!(ps->want & 1u << ps->event->type)) {
		ps->continued = false;
		return DMT_LINE_OTHER;
	}
	return read_message(ps);
}

static void reset(struct dmt_parse *ps)
{
	memset(ps->event, 0, sizeof(*ps->event));
	ps->seen = 0;
	ps->lost = 0;
	ps->odd_dir = false;
	ps->device.len = 0;
	ps->driver.len = 0;
	ps->flags.len = 0;
	ps->route.len = 0;
	ps->reason.len = 0;
	ps->phys.n = 0;
	ps->dma.n = 0;
	ps->len.n = 0;
	ps->field = NULL;
	ps->why = NULL;
}

static size_t trim(const char *line, size_t len)
{
	while (len && (dmt_is_blank(line[len - 1]) || line[len - 1] == '\r'))
		len--;
	return len;
}

enum dmt_verdict dmt_parse_line(struct dmt_parse *ps, char *line, size_t len)
{
	reset(ps);
	len = trim(line, len);
	if (!len)
		return DMT_LINE_OTHER;
	if (*line == '#') {
		ps->continued = false;
		return DMT_LINE_OTHER;
	}
	return dmt_read_envelope(ps, line, len) ? event_line(ps) : bare_line(ps, line, len);
}

static const char *commit(struct dmt_slice slice)
{
	if (!slice.len)
		return NULL;
	slice.at[slice.len] = '\0';
	return slice.at;
}

/* Every slice ends at a blank, a dash, or the end of the line, none of which is needed any more. */
void dmt_commit_line(struct dmt_parse *ps)
{
	struct dmt_event *ev = ps->event;

	ev->task = commit(ps->task);
	if (!ev->task)
		ev->task = "";
	ev->device = commit(ps->device);
	ev->driver = commit(ps->driver);
	ev->flags = commit(ps->flags);
	ev->route = commit(ps->route);
	ev->reason = commit(ps->reason);
	ev->phys = ps->phys.n ? ps->phys.v : NULL;
	ev->dma = ps->dma.n ? ps->dma.v : NULL;
	ev->len = ps->len.n ? ps->len.v : NULL;
	ev->n_phys = ps->phys.n;
	ev->n_dma = ps->dma.n;
	ev->n_len = ps->len.n;
}

bool dmt_is_trace_line(struct dmt_parse *ps, char *line, size_t len)
{
	reset(ps);
	len = trim(line, len);
	if (starts_with(line, len, "# tracer:") || starts_with(line, len, "# entries-in-buffer") ||
	    starts_with(line, len, "# captured on") || read_lost(ps, line, len))
		return true;
	if (len && *line == '#')
		return contains(line, len, "TASK-PID") && contains(line, len, "CPU#");
	return starts_with(line, len, "cpus=") || dmt_read_envelope(ps, line, len);
}
