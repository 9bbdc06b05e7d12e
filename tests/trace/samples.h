/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of traces with the events that they must read as, one or more for each event and dialect, and what the tests of
 * the reader need to read single lines and compare events field by field.
 */
#ifndef DMT_TESTS_SAMPLES_H
#define DMT_TESTS_SAMPLES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace/trace.h"

struct sample {
	const char *line;
	/* Without the number of the line. */
	struct dmt_event want;
};

extern const struct sample samples[];
extern const size_t sample_count;

/* A list of 128 out of 300 entries (tools.md D.6); the caller frees it. */
char *truncated_sample(void);

/* What came of reading a header and then one line. The event's strings live until drop(). */
struct one {
	struct dmt_reader *reader;
	int result;
	struct dmt_event event;
	struct dmt_stats stats;
	char reason[160];
	char text[256];
	uint64_t damaged_line;
};

void read_one(struct one *one, const char *line, size_t len);
void read_string(struct one *one, const char *line);
void drop(struct one *one);

/* Fields of events that a comparison can leave out. */
enum {
	BUT_SIZE = 1,
	BUT_ATTRS = 2,
	BUT_UNMAPPED = 4,
	BUT_FAULT_FLAGS = 8,
	BUT_REASON = 16,
	BUT_DEVICE = 32,
	BUT_TIME = 64,
};

/* NULL if they are equal, else the name of the first field that differs. */
const char *event_difference(const struct dmt_event *a, const struct dmt_event *b,
			     unsigned int but);
void assert_event(const struct dmt_event *got, const struct dmt_event *want, const char *line);

/* Reads a whole text with small buffers or large ones and returns the counts. */
struct dmt_stats read_all(const char *text, size_t len, size_t chunk, int *result);

#endif
