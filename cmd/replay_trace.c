/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace of a replay: what the library reports, in the form of the kernel's trace file. `dmamap replay` reads it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "replay.h"

static const char header[] = "# tracer: nop\n"
			     "#\n"
			     "#                                _-----=> irqs-off/BH-disabled\n"
			     "#                               / _----=> need-resched\n"
			     "#                              | / _---=> hardirq/softirq\n"
			     "#                              || / _--=> preempt-depth\n"
			     "#                              ||| / _-=> migrate-disable\n"
			     "#                              |||| /     delay\n"
			     "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
			     "#              | |         |   |||||     |         |\n";

/* The envelope is written in front of the first piece: whether an event has a text at all is not known before. */
struct line {
	FILE *file;
	uint64_t now;
	bool begun;
};

static void put(void *ctx, const char *s, size_t n)
{
	struct line *line = ctx;

	if (!line->begun)
		fprintf(line->file,
			"          dmamap-1       [000] ..... %5" PRIu64 ".%06" PRIu64 ": ",
			line->now / 1000000000, line->now / 1000 % 1000000);
	line->begun = true;
	fwrite(s, 1, n, line->file);
}

static void observe(struct dma_observer *observer, const struct dma_event *event)
{
	const struct replay *r =
		(const struct replay *)(const void *)((char *)observer -
						      offsetof(struct replay, observer));
	struct line line = { r->trace_file, sim_time(r->machine), false };

	if (r->probing && event->type == DMA_EVENT_IOMMU_FAULT)
		return;
	if (dma_event_format(event, r->options.dialect, put, &line))
		putc('\n', r->trace_file);
}

int trace_start(struct replay *r)
{
	const char *path = r->options.trace_out;

	if (!path)
		return 0;
	r->trace_file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	if (!r->trace_file) {
		cmd_say("%s: the trace cannot be written: %s", path, strerror(errno));
		return CMD_INTERNAL;
	}
	fputs(header, r->trace_file);
	r->observer.event = observe;
	dma_observer_attach(sim_host(r->machine), &r->observer);
	return 0;
}

int trace_end(struct replay *r)
{
	bool failed;
	int saved;

	if (!r->trace_file)
		return 0;
	dma_observer_detach(sim_host(r->machine), &r->observer);
	failed = fflush(r->trace_file) || ferror(r->trace_file);
	saved = errno;
	if (r->trace_file != stdout && fclose(r->trace_file) && !failed) {
		saved = errno;
		failed = true;
	}
	r->trace_file = NULL;
	if (!failed)
		return 0;
	cmd_say("%s: the trace cannot be written: %s", r->options.trace_out, strerror(saved));
	return CMD_INTERNAL;
}
