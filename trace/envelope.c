/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands in front of an event: task, PID, CPU, perhaps flags, time. Three programs print it in three ways:
 *
 *   TASK-PID   [CPU] FLAGS TIME: EVENT: …          the kernel's trace file (FLAGS of four or five characters, or none)
 *   TASK-PID   [CPU]       TIME: EVENT:     …      trace-cmd report
 *   TASK   PID [CPU]       TIME: GROUP:EVENT: …    perf script
 *
 * A task's name may hold blanks, dashes, slashes, colons and brackets. So the anchor is "[CPU]" with a PID in front of
 * it and a time behind, and the first place that has all three wins. A column "(TGID)" between PID and CPU is allowed.
 */
#include <limits.h>

#include "internal.h"

/* Digits from @p on, below @end. NULL if there are none, or too large for an int. */
static char *read_int(char *p, const char *end, int *value)
{
	long v = 0;
	const char *start = p;

	for (; p < end && dmt_is_digit(*p); p++) {
		v = v * 10 + (*p - '0');
		if (v > INT_MAX)
			return NULL;
	}
	*value = (int)v;
	return p == start ? NULL : p;
}

/* Steps back over an optional "(TGID)" that ends at @p; returns where the PID column ends. */
static char *skip_tgid(const char *line, char *p)
{
	char *open = p;

	if (p == line || p[-1] != ')')
		return p;
	do
		open--;
	while (open > line && *open != '(');
	if (*open != '(')
		return p;
	while (open > line && dmt_is_blank(open[-1]))
		open--;
	return open;
}

/* The task and the PID, which end at @end. "PID/TID", as perf prints for threads, counts as the TID. */
static bool read_task(struct dmt_parse *ps, char *line, char *end)
{
	char *digits = end, *task;

	while (digits > line && dmt_is_digit(digits[-1]))
		digits--;
	if (!read_int(digits, end, &ps->event->pid))
		return false;
	task = digits;
	if (task > line && task[-1] == '/') {
		task--;
		while (task > line && dmt_is_digit(task[-1]))
			task--;
	}
	if (task == line || (task[-1] != '-' && !dmt_is_blank(task[-1])))
		return false;
	task--;
	while (task > line && dmt_is_blank(task[-1]))
		task--;
	while (line < task && dmt_is_blank(*line))
		line++;
	ps->task = (struct dmt_slice){ line, (size_t)(task - line) };
	return true;
}

static bool read_fraction(char **at, const char *end, uint64_t *ns)
{
	char *p = *at;
	uint64_t v = 0;
	int n = 0;

	for (; p < end && dmt_is_digit(*p) && n < 9; p++, n++)
		v = v * 10 + (uint64_t)(*p - '0');
	if (!n)
		return false;
	for (; n < 9; n++)
		v *= 10;
	*at = p;
	*ns = v;
	return true;
}

/* "SECONDS.FRACTION:" or "COUNTER:"; moves behind the colon. */
static bool read_time(struct dmt_parse *ps)
{
	uint64_t seconds, ns = 0;

	if (dmt_read_dec(ps, UINT64_MAX, &seconds))
		return false;
	ps->event->ts_is_counter = true;
	if (ps->at < ps->end && *ps->at == '.') {
		ps->at++;
		if (seconds > UINT64_MAX / 1000000000 - 1 || !read_fraction(&ps->at, ps->end, &ns))
			return false;
		seconds *= 1000000000;
		ps->event->ts_is_counter = false;
	}
	if (ps->at == ps->end || *ps->at != ':')
		return false;
	ps->at++;
	ps->event->ts_ns = seconds + ns;
	return dmt_at_word_end(ps);
}

static bool is_flag(char c)
{
	return c == '.' || c == '#' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       dmt_is_digit(c);
}

/* Flags, if a time does not follow at once: a word of four or five characters (room is left for kernels to come). */
static bool skip_flags(struct dmt_parse *ps)
{
	char *p = ps->at;

	while (p < ps->end && is_flag(*p))
		p++;
	if (p == ps->end || !dmt_is_blank(*p))
		return true;
	if (p - ps->at < 4 || p - ps->at > 8)
		return false;
	ps->at = p;
	dmt_skip_blanks(ps);
	return true;
}

/* The envelope around the '[' at @open, if there is one. */
static bool try_anchor(struct dmt_parse *ps, char *line, char *open)
{
	char *pid_end = open, *close = read_int(open + 1, ps->end, &ps->event->cpu);

	if (!close || close == ps->end || *close != ']')
		return false;
	while (pid_end > line && dmt_is_blank(pid_end[-1]))
		pid_end--;
	if (pid_end == open || !read_task(ps, line, skip_tgid(line, pid_end)))
		return false;
	ps->at = close + 1;
	if (dmt_at_word_end(ps))
		dmt_skip_blanks(ps);
	else
		return false;
	if (!skip_flags(ps) || !read_time(ps))
		return false;
	dmt_skip_blanks(ps);
	return true;
}

bool dmt_read_envelope(struct dmt_parse *ps, char *line, size_t len)
{
	size_t look = len < DMT_ENVELOPE_MAX ? len : DMT_ENVELOPE_MAX;
	char *p = line;

	ps->end = line + len;
	for (;;) {
		p = memchr(p, '[', look - (size_t)(p - line));
		if (!p)
			return false;
		if (try_anchor(ps, line, p))
			return true;
		p++;
	}
}
