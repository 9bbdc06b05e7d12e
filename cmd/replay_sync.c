/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sync events: performed on the address that the mapping has here. A sync may be of a part of a mapping, and may name
 * an address inside of any DMA element of a list. Syncs of what was mapped before the trace began are passed over, and
 * so are those of MMIO and of coherent memory, which drivers do not make.
 */
#include "replay.h"

static bool for_cpu(const struct dmt_event *event)
{
	return event->type == DMT_SYNC_SINGLE_FOR_CPU || event->type == DMT_SYNC_SG_FOR_CPU;
}

/* May [@at, @at + @size) of it be synced? MMIO never is; coherent memory needs it only where it may not be coherent. */
static bool may_sync(const struct replay *r, const struct live *live, uint64_t at, uint64_t size)
{
	if (live->ghost || live->mmio || at > live->size || size > live->size - at)
		return false;
	/* What the driver took for cached pages is uncached memory here: maintenance would be of lines that nobody uses. */
	return live->kind != LIVE_ALLOC || (live->syncable && !r->options.noncoherent);
}

/* The mapping that starts there, or else one that the range is in; @at: where in it. */
static struct live *find(struct replay *r, struct replay_device *device,
			 const struct dmt_event *event, uint64_t *at)
{
	struct live *live =
		live_find(&r->index, device, LIVE_SINGLE, event->dma_addr, event->size, event->dir);
	const struct live_link *link;

	*at = 0;
	if (live && event->size <= live->size)
		return live;
	link = live_find_cover(&r->index, device, event->dma_addr, event->size);
	if (!link)
		return NULL;
	*at = link->before + (event->dma_addr - link->at);
	return link->live;
}

static void call(struct replay *r, const struct live *live, const struct dmt_event *event,
		 dma_addr_t dma, uint64_t size)
{
	struct dma_device *dev = sim_dma(live->device->sim);

	r->counts.syncs++;
	if (for_cpu(event))
		dma_sync_single_for_cpu(dev, dma, size, event->dir);
	else
		dma_sync_single_for_device(dev, dma, size, event->dir);
}

/* A part of a list: a call for each piece of it that lies in one place, for the CPU and for the device. */
static void call_pieces(struct replay *r, const struct live *live, const struct dmt_event *event,
			uint64_t at)
{
	struct list_walk walk = list_walk(live);
	struct list_piece piece;

	while (list_next(&walk, &piece)) {
		uint64_t start = piece.at;
		uint64_t len = list_clip(&start, piece.len, at, event->size);

		if (len)
			call(r, live, event, piece.dma + (start - piece.at), len);
	}
}

void replay_sync(struct replay *r, struct replay_device *device, const struct dmt_event *event)
{
	uint64_t at;
	struct live *live = find(r, device, event, &at);

	if (!live || !may_sync(r, live, at, event->size))
		return;
	if (live->kind != LIVE_ALLOC && !for_cpu(event))
		data_before_sync_for_device(r, live, at, event->size, event->dir);
	if (live->kind == LIVE_LIST)
		call_pieces(r, live, event, at);
	else
		call(r, live, event, live->dma + at, event->size);
	if (live->kind == LIVE_ALLOC)
		return;
	if (for_cpu(event))
		data_after_sync_for_cpu(r, live, at, event->size, event->dir);
	else
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
