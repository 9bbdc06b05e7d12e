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

/* The mapping that starts there, or else one that the range is in. */
static struct live *find(struct replay *r, struct replay_device *device,
			 const struct dmt_event *event)
{
	struct live *live =
		live_find(&r->index, device, LIVE_SINGLE, event->dma_addr, event->size, event->dir);

	if (live && fits(live, 0, event->size))
		return live;
	return live_find_cover(&r->index, device, event->dma_addr, event->size);
}

void replay_sync(struct replay *r, struct replay_device *device, const struct dmt_event *event)
{
	struct live *live = find(r, device, event);
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
		data_after_sync_for_cpu(r, live, at, event->size, event->dir);
		return;
	}
	data_before_sync_for_device(r, live, at, event->size, event->dir);
	dma_sync_single_for_device(dev, live->dma + at, event->size, event->dir);
	data_after_sync_for_device(r, live, at, event->size, event->dir);
}

static struct live *find_list(struct replay *r, struct replay_device *device,
			      const struct dmt_event *event)
{
	struct live *live;

	if (!event->n_dma)
		return NULL;
	live = live_find(&r->index, device, LIVE_LIST, event->dma[0], event->len[0], event->dir);
	return live && !live->ghost && !live->mmio ? live : NULL;
}

/* Bytes of the first @n elements. */
static uint64_t length_of(const struct live *live, unsigned int n)
{
	struct scatterlist *sg;
	uint64_t len = 0;
	unsigned int i;

	for_each_sg(live->list.sgl, sg, n, i) len += sg->length;
	return len;
}

void replay_sync_list(struct replay *r, struct replay_device *device, const struct dmt_event *event)
{
	struct live *live = find_list(r, device, event);
	uint64_t len;
	int nents;

	if (!live)
		return;
	nents = event->n_dma < live->list.nents ? (int)event->n_dma : (int)live->list.nents;
	r->counts.syncs++;
	len = length_of(live, (unsigned int)nents);
	if (for_cpu(event)) {
		dma_sync_sg_for_cpu(sim_dma(device->sim), live->list.sgl, nents, event->dir);
		data_after_sync_for_cpu(r, live, 0, len, event->dir);
		return;
	}
	data_before_sync_for_device(r, live, 0, len, event->dir);
	dma_sync_sg_for_device(sim_dma(device->sim), live->list.sgl, nents, event->dir);
	data_after_sync_for_device(r, live, 0, len, event->dir);
}
