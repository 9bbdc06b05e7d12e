/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading single lines and comparing events, for the tests of the trace reader.
 */
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/internal.h"

static const char header[] = "# tracer: nop\n";

static void note_damage(void *ctx, const struct dmt_damage *damage)
{
	struct one *one = ctx;

	snprintf(one->reason, sizeof(one->reason), "%s", damage->reason);
	snprintf(one->text, sizeof(one->text), "%s", damage->text);
	one->damaged_line = damage->line;
	assert_string_equal(damage->file, "memory");
}

/* The text is copied to memory of its exact size, so that a sanitizer sees every byte read beyond it. */
void read_one(struct one *one, const char *line, size_t len)
{
	size_t size = sizeof(header) - 1 + len;
	char *text = malloc(size), err[512];
	struct dmt_event rest;

	assert_non_null(text);
	memcpy(text, header, sizeof(header) - 1);
	memcpy(text + sizeof(header) - 1, line, len);
	memset(one, 0, sizeof(*one));
	assert_int_equal(dmt_open_memory(text, size, &one->reader, err, sizeof(err)), 0);
	dmt_on_damage(one->reader, note_damage, one);
	one->result = dmt_next(one->reader, &one->event);
	one->stats = *dmt_stats(one->reader);
	/* The event must not depend on memory that the caller gave. */
	memset(text, 'x', size);
	if (one->result == 1 && one->stats.lines > 1 && !memchr(line, '\n', len))
		assert_int_equal(dmt_next(one->reader, &rest), 0);
	free(text);
}

void read_string(struct one *one, const char *line)
{
	read_one(one, line, strlen(line));
}

void drop(struct one *one)
{
	dmt_close(one->reader);
	one->reader = NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_list(const uint64_t *a, size_t n, const uint64_t *b, size_t m)
{
	return n == m && (!n || memcmp(a, b, n * sizeof(*a)) == 0);
}

static const char *text_difference(const struct dmt_event *a, const struct dmt_event *b,
				   unsigned int but)
{
	if (!(but & BUT_TIME) && !same_text(a->task, b->task))
		return "task";
	if (!(but & BUT_DEVICE) && !same_text(a->device, b->device))
		return "device";
	if (!same_text(a->flags, b->flags))
		return "flags";
	if (!same_text(a->driver, b->driver))
		return "driver";
	if (!same_text(a->route, b->route))
		return "route";
	if (!(but & BUT_REASON) && !same_text(a->reason, b->reason))
		return "reason";
	if (!same_list(a->phys, a->n_phys, b->phys, b->n_phys))
		return "phys";
	if (!same_list(a->dma, a->n_dma, b->dma, b->n_dma))
		return "dma";
	if (!same_list(a->len, a->n_len, b->len, b->n_len))
		return "len";
	return NULL;
}

#define DIFFERS(field)                    \
	do {                              \
		if (a->field != b->field) \
			return #field;    \
	} while (0)

static const char *flag_difference(const struct dmt_event *a, const struct dmt_event *b)
{
	DIFFERS(type);
	DIFFERS(failed);
	DIFFERS(truncated);
	DIFFERS(force);
	DIFFERS(has_virt);
	DIFFERS(dir);
	DIFFERS(virt);
	DIFFERS(err);
	DIFFERS(nents);
	DIFFERS(ents);
	DIFFERS(group);
	return NULL;
}

static const char *number_difference(const struct dmt_event *a, const struct dmt_event *b,
				     unsigned int but)
{
	if (!(but & BUT_TIME)) {
		DIFFERS(cpu);
		DIFFERS(pid);
		DIFFERS(ts_ns);
		DIFFERS(ts_is_counter);
	}
	if (!(but & BUT_SIZE))
		DIFFERS(size);
	if (!(but & BUT_ATTRS)) {
		DIFFERS(attrs);
		DIFFERS(mmio);
	}
	if (!(but & BUT_UNMAPPED))
		DIFFERS(unmapped_size);
	if (!(but & BUT_FAULT_FLAGS))
		DIFFERS(fault_flags);
	DIFFERS(dma_addr);
	DIFFERS(phys_addr);
	DIFFERS(iova_start);
	DIFFERS(iova_end);
	DIFFERS(dma_mask);
	return NULL;
}

const char *event_difference(const struct dmt_event *a, const struct dmt_event *b, unsigned int but)
{
	const char *what = flag_difference(a, b);

	if (!what)
		what = number_difference(a, b, but);
	if (!what)
		what = text_difference(a, b, but);
	return what;
}

void assert_event(const struct dmt_event *got, const struct dmt_event *want, const char *line)
{
	const char *what = event_difference(got, want, 0);

	if (what)
		fail_msg("%s is wrong in: %s", what, line);
}

/* Walks everything that an event points to, for a sanitizer to see. */
static uint64_t touch(const struct dmt_event *ev)
{
	const char *const texts[] = { ev->task,	  ev->device, ev->flags,
				      ev->driver, ev->route,  ev->reason };
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		sum += texts[i] ? strlen(texts[i]) : 0;
	for (size_t i = 0; i < ev->n_phys; i++)
		sum += ev->phys[i];
	for (size_t i = 0; i < ev->n_dma; i++)
		sum += ev->dma[i] + ev->len[i];
	return sum;
}

struct dmt_stats read_all(const char *text, size_t len, size_t chunk, int *result)
{
	struct dmt_limits limits = dmt_default_limits;
	struct dmt_stats stats = { 0 };
	struct dmt_reader *reader;
	struct dmt_event event;
	uint64_t sum = 0;
	volatile uint64_t sink;

	limits.chunk = chunk;
	*result = dmt_open_memory_limited(text, len, &limits, &reader, NULL, 0);
	if (*result < 0)
		return stats;
	do {
		*result = dmt_next(reader, &event);
		if (*result == 1)
			sum += touch(&event);
	} while (*result == 1);
	sink = sum; /* so that the reads stay */
	(void)sink;
	stats = *dmt_stats(reader);
	assert_int_equal(stats.lines, stats.events + stats.skipped_lines + stats.other_lines);
	dmt_close(reader);
	return stats;
}
