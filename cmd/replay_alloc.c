/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocations: coherent memory, pages and tables of pages are all performed as coherent memory of the same size.
 */
#include "replay.h"

int replay_alloc(struct replay *r, struct replay_device *device, const struct dmt_event *event)
{
	struct live *live = replay_live_new(r, device, LIVE_ALLOC, event);

	if (!live)
		return CMD_INTERNAL;
	/* What the CPU and the device do with it is up to us. */
	live->dir = DMA_BIDIRECTIONAL;
	live->syncable = event->type != DMT_ALLOC;
	live->has_cpu = !(live->attrs & DMA_ATTR_NO_KERNEL_MAPPING);
	live->cpu = dma_alloc_attrs(sim_dma(device->sim), live->size, &live->dma, GFP_KERNEL,
				    live->attrs);
	if (live->cpu) {
		data_after_map(r, live);
	} else {
		live->ghost = true;
		replay_map_failed(r, live, "allocation");
	}
	return replay_entered(r, live);
}

int replay_free(struct replay *r, struct replay_device *device, const struct dmt_event *event)
{
	struct live *live;

	/* Drivers free what they never got: legal, and nothing happens. */
	if (!event->size || (event->type != DMT_FREE_SGT && event->has_virt && !event->virt))
		return 0;
	live = live_find(&r->index, device, LIVE_ALLOC, event->dma_addr, event->size,
			 DMA_BIDIRECTIONAL);
	if (!live) {
		r->counts.unmatched_unmaps++;
		return 0;
	}
	if (!live->ghost) {
		data_before_unmap(r, live);
		dma_free_attrs(sim_dma(device->sim), live->size, live->cpu, live->dma, live->attrs);
		data_try_stale(r, live);
	}
	replay_left(r, live);
	return 0;
}
