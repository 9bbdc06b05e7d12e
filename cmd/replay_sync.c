/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sync events: performed on the address that the mapping has here. A sync may be of a part of a mapping, and may name
 * an address inside of a list's first element. Syncs of what was mapped before the trace began are passed over.
 */
#include "replay.h"

static bool for_cpu(const struct dmt_event *event)
{
	return event->type == DMT_SYNC_SINGLE_FOR_CPU || event->type == DMT_SYNC_SG_FOR_CPU;
}

/* The part at @at of what is contiguous for the device. */
static bool fits(const struct live *live, uint64_t at, uint64_t size)
{
	uint64_t span = live->kind == LIVE_LIST ? live->list.sgl->dma_length : live->size;

	return at <= span && size <= span - at;
}

void replay_sync(struct replay *r, struct replay_device *device, const struct dmt_event *event)
{
	struct live *live = live_find_cover(&r->index, device, event->dma_addr, event->size);
	struct dma_device *dev = sim_dma(device->sim);
	uint64_t at;

	if (!live || live->ghost || live->mmio || live->kind == LIVE_ALLOC)
		return;
	at = event->dma_addr - live->traced;
	if (!fits(live, at, event->size))
		return;
	r->counts.syncs++;
	if (for_cpu(event)) {
		dma_sync_single_for_cpu(dev, live->dma + at, event->size, event->dir);
		if (live->kind != LIVE_LIST)
			data_after_sync_for_cpu(r, live, at, event->size, event->dir);
		return;
	}
	if (live->kind != LIVE_LIST)
		data_before_sync_for_device(r, live, at, event->size, event->dir);
	dma_sync_single_for_device(dev, live->dma + at, event->size, event->dir);
	if (live->kind != LIVE_LIST)
		data_after_sync_for_device(r, live, at, event->size, event->dir);
}

static struct live *find_list(struct replay *r, struct replay_device *device,
			      const struct dmt_event *event)
{
	struct live *live;

	if (!event->n_dma)
		return NULL;
	live = live_find_cover(&r->index, device, event->dma[0], 1);
	return live && live->kind == LIVE_LIST && !live->ghost && !live->mmio &&
			       live->traced == event->dma[0]
		       ? live
		       : NULL;
}

void replay_sync_list(struct replay *r, struct replay_device *device, const struct dmt_event *event)
{
	struct live *live = find_list(r, device, event);
	int nents;

	if (!live)
		return;
	nents = event->n_dma < live->list.nents ? (int)event->n_dma : (int)live->list.nents;
	r->counts.syncs++;
	if (for_cpu(event)) {
		dma_sync_sg_for_cpu(sim_dma(device->sim), live->list.sgl, nents, event->dir);
		if ((unsigned int)nents == live->list.nents)
			data_after_sync_for_cpu(r, live, 0, live->size, event->dir);
		return;
	}
	if ((unsigned int)nents == live->list.nents)
		data_before_sync_for_device(r, live, 0, live->size, event->dir);
	dma_sync_sg_for_device(sim_dma(device->sim), live->list.sgl, nents, event->dir);
	if ((unsigned int)nents == live->list.nents)
		data_after_sync_for_device(r, live, 0, live->size, event->dir);
}
