/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the trace reader: any bytes at all. Besides not breaking memory, it must count every line once, give events
 * that keep what trace.h promises, and read the same whatever the sizes of its buffers and whether or not the trace was
 * looked at before.
 */
#include <stdlib.h>

#include "trace/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static size_t length(const char *text)
{
	return text ? strlen(text) : 0;
}

static uint64_t sum_list(uint64_t sum, const uint64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum = sum * 31 + v[i];
	return sum;
}

static void check_lists(const struct dmt_event *ev)
{
	MUST(ev->n_phys <= ev->nents || ev->type != DMT_MAP_SG);
	MUST(ev->n_dma <= ev->ents || ev->type != DMT_MAP_SG);
	MUST(ev->ents <= ev->nents);
	MUST(ev->n_dma == ev->n_len);
	MUST(!ev->truncated || ev->type == DMT_MAP_SG);
	MUST(!ev->n_phys == !ev->phys && !ev->n_dma == !ev->dma && !ev->n_len == !ev->len);
}

/* Everything that an event promises, folded into a number. */
static uint64_t check_event(const struct dmt_event *ev)
{
	uint64_t sum = ev->line;

	MUST((unsigned int)ev->type < DMT_TYPE_COUNT);
	MUST((unsigned int)ev->dir <= DMA_NONE);
	MUST(ev->task && ev->cpu >= 0 && ev->pid >= 0);
	MUST(!ev->device == (ev->type == DMT_IOMMU_MAP || ev->type == DMT_IOMMU_UNMAP));
	MUST(!ev->route == !ev->reason);
	MUST(!ev->reason || ev->failed);
	MUST(ev->err <= 0);
	check_lists(ev);
	sum = sum * 31 + length(ev->task) + length(ev->device) + length(ev->flags) +
	      length(ev->driver);
	sum = sum * 31 + length(ev->route) + length(ev->reason);
	sum = sum * 31 + ev->dma_addr + ev->phys_addr + ev->size + ev->virt + ev->attrs + ev->ts_ns;
	sum = sum_list(sum, ev->phys, ev->n_phys);
	sum = sum_list(sum, ev->dma, ev->n_dma);
	return sum_list(sum, ev->len, ev->n_len);
}

static void check_damage(void *ctx, const struct dmt_damage *damage)
{
	uint64_t *count = ctx;

	MUST(length(damage->file) && length(damage->reason) && damage->line);
	for (const char *p = damage->text; *p; p++)
		MUST(*p >= ' ' && *p <= '~');
	++*count;
}

static uint64_t read_events(struct dmt_reader *reader)
{
	const struct dmt_stats *stats = dmt_stats(reader);
	struct dmt_event event;
	uint64_t sum = 0, damaged = 0;
	int rc;

	dmt_on_damage(reader, check_damage, &damaged);
	while ((rc = dmt_next(reader, &event)) == 1)
		sum = sum * 31 + check_event(&event);
	MUST(rc == 0 || *dmt_error(reader));
	MUST(stats->lines == stats->events + stats->skipped_lines + stats->other_lines);
	MUST(stats->skipped_lines == damaged);
	return sum * 31 + stats->lost_events + (uint64_t)rc;
}

static uint64_t read_trace(const uint8_t *data, size_t size, size_t chunk, bool probe)
{
	struct dmt_limits limits = { 4096, chunk, 100 };
	struct dmt_reader *reader;
	struct dmt_probe found;
	char err[256];
	uint64_t sum;
	int rc = dmt_open_memory_limited(data, size, &limits, &reader, err, sizeof(err));

	if (rc < 0) {
		MUST(*err);
		return (uint64_t)rc;
	}
	if (probe)
		MUST(dmt_probe(reader, &found) == 0);
	sum = read_events(reader);
	dmt_close(reader);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t sum = read_trace(data, size, 65536, false);

	MUST(sum == read_trace(data, size, 1 + size % 97, true));
	return 0;
}
