/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Map and unmap events of one range, and what all kinds of mappings have in common: their records and their memory.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "replay.h"

struct live *replay_live_new(struct replay *r, struct replay_device *device, enum live_kind kind,
			     const struct dmt_event *event)
{
	struct live *live = calloc(1, sizeof(*live));

	if (!live) {
		cmd_say("%s:%" PRIu64 ": out of memory", dmt_name(r->reader), r->line);
		return NULL;
	}
	live->device = device;
	live->kind = kind;
	live->dir = event->dir;
	live->mmio = event->mmio;
	live->attrs = event->attrs | (event->mmio ? DMA_ATTR_MMIO : 0);
	live->size = event->size;
	live->span = event->size;
	live->traced = event->dma_addr;
	live->run.base = DMAMAP_PHYS_NONE;
	/* A device that is given privileged mappings makes privileged requests. */
	if (live->attrs & DMA_ATTR_PRIVILEGED)
		sim_device_set_privileged(device->sim, true);
	return live;
}

void replay_live_free(struct replay *r, struct live *live)
{
	if (live->run.base != DMAMAP_PHYS_NONE)
		frames_give(&r->frames, live->run.base, live->run.pages, live->mmio);
	for (size_t i = 0; i < live->list.n_runs; i++)
		frames_give(&r->frames, live->list.runs[i].base, live->list.runs[i].pages,
			    live->mmio);
	free(live->list.elements);
	free(live->list.shared);
	free(live->list.runs);
	free(live->list.sgl);
	free(live->list.traced);
	free(live);
}

int replay_entered(struct replay *r, struct live *live)
{
	if (live_add(&r->index, live)) {
		cmd_say("%s:%" PRIu64 ": out of memory", dmt_name(r->reader), r->line);
		replay_live_free(r, live);
		return CMD_INTERNAL;
	}
	if (live->ghost)
		return 0;
	r->counts.maps++;
	r->counts.bytes_mapped += live->size;
	r->counts.bounced_maps += live->bounced;
	if (++r->counts.live > r->counts.peak_live)
		r->counts.peak_live = r->counts.live;
	return 0;
}

void replay_left(struct replay *r, struct live *live)
{
	if (!live->ghost) {
		r->counts.unmaps++;
		r->counts.live--;
	}
	pool_left(r, live);
	live_remove(&r->index, live);
	replay_live_free(r, live);
}

void replay_drop(struct replay *r, struct live *live)
{
	struct dma_device *dev = sim_dma(live->device->sim);

	if (live->ghost)
		;
	else if (live->kind == LIVE_ALLOC)
		dma_free_attrs(dev, live->size, live->cpu, live->dma, live->attrs);
	else if (live->kind == LIVE_LIST)
		dma_unmap_sg_attrs(dev, live->list.sgl, (int)live->list.nents, live->dir,
				   live->attrs);
	else
		dma_unmap_phys(dev, live->dma, live->size, live->dir, live->attrs);
	pool_left(r, live);
	live_remove(&r->index, live);
	replay_live_free(r, live);
}

/* Frames in place of the trace's; false after a message if their class has no more. */
static bool take_frames(struct replay *r, struct live *live, phys_addr_t phys)
{
	struct live_run *run = &live->run;

	run->traced = frames_floor(&r->frames, phys);
	live->traced_offset = phys - run->traced;
	run->pages = (live->traced_offset + live->size - 1) / r->frames.page + 1;
	if (!live->size || live->size > INT64_MAX)
		run->pages = 0;
	run->base = frames_take(&r->frames, run->traced, run->pages, live->mmio);
	if (run->base != DMAMAP_PHYS_NONE)
		return true;
	replay_no_frames(r, live, run->traced, run->pages);
	return false;
}

/* True if it succeeded; otherwise it is counted, and @live becomes a ghost. */
static bool map(struct replay *r, struct live *live)
{
	struct dma_device *dev = sim_dma(live->device->sim);
	phys_addr_t phys = live->run.base + live->traced_offset;

	pool_before_map(r);
	live->dma = dma_map_phys(dev, phys, live->size, live->dir, live->attrs);
	live->ghost = dma_mapping_error(dev, live->dma) != 0;
	pool_after_map(r, live);
	if (!live->ghost)
		return true;
	if (live->mmio && live->device->route == REPLAY_BOUNCE)
		r->counts.refused_mmio++;
	else
		replay_map_failed(r, live, "map");
	return false;
}

int replay_map(struct replay *r, struct replay_device *device, const struct dmt_event *event)
{
	struct live *live = replay_live_new(r, device, LIVE_SINGLE, event);

	if (!live)
		return CMD_INTERNAL;
	if (!take_frames(r, live, event->phys_addr)) {
		live->ghost = true;
		return replay_entered(r, live);
	}
	if (r->options.verify) {
		live->cpu =
			sim_cpu_ptr(r->machine, live->run.base + live->traced_offset, live->size);
		data_before_map(r, live);
	}
	if (map(r, live))
		data_after_map(r, live);
	return replay_entered(r, live);
}

int replay_unmap(struct replay *r, struct replay_device *device, const struct dmt_event *event)
{
	struct live *live =
		live_find(&r->index, device, LIVE_SINGLE, event->dma_addr, event->size, event->dir);
	unsigned long attrs;

	if (!live) {
		r->counts.unmatched_unmaps++;
		return 0;
	}
	/* What the address is was decided when it was mapped. */
	attrs = (event->attrs & ~DMA_ATTR_MMIO) | (live->attrs & DMA_ATTR_MMIO);
	if (!live->ghost) {
		data_before_unmap(r, live);
		dma_unmap_phys(sim_dma(device->sim), live->dma, live->size, live->dir, attrs);
		data_after_unmap(r, live, attrs);
		data_try_stale(r, live);
	}
	replay_left(r, live);
	return 0;
}
