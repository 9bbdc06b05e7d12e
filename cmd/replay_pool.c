/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bounce pools of a replay. With --bounce-pool there is one of exactly that size, for all devices of all traces;
 * without it there are pools of 64 MiB, another one when the latest is half full.
 *
 * What mappings hold of them is counted here, from the records of bounces that observers get: also of those that found
 * no room, until the trace unmaps them. So the figures are those of the sequence in the trace, whatever fitted.
 */
#include <errno.h>
#include <stddef.h>

#include "replay.h"

#define POOL_BYTES (64ull << 20)
#define POOL_TOP   0xffffffffull

/* Slots of a page: where runs of a page or more begin. */
static uint64_t page_slots(const struct replay *r)
{
	return r->frames.page / POOL_SLOT;
}

/*
 * A request of @slots slots that start at a multiple of @align finds no room only if every gap between live runs is too
 * short for it, and k runs leave at most k + 1 gaps. A pool larger than the runs and the longest such gaps together has
 * room, wherever the runs lie.
 */
static void add_request(struct replay *r, uint64_t slots, uint64_t align)
{
	struct pool_load *load = &r->pool_load;
	uint64_t need = load->slots + (load->runs + 1) * (slots + align - 2) + 1;

	if (need > r->pool_bound_slots)
		r->pool_bound_slots = need;
	load->slots += slots;
	load->runs++;
	if (load->slots > r->pool_peak_slots)
		r->pool_peak_slots = load->slots;
	r->pool_taken.slots += slots;
	r->pool_taken.runs++;
}

static void take_back(struct replay *r, const struct pool_load *load)
{
	r->pool_load.slots -= load->slots;
	r->pool_load.runs -= load->runs;
}

/* @pages: in whole pages, with the offset in the first one, as behind an IOMMU. */
static void count_request(struct replay *r, uint64_t size, bool pages)
{
	uint64_t bytes = pages ? size + r->frames.page : size;
	uint64_t slots = (bytes + POOL_SLOT - 1) / POOL_SLOT;

	if (pages)
		slots = (slots + page_slots(r) - 1) / page_slots(r) * page_slots(r);
	add_request(r, slots, bytes >= r->frames.page ? page_slots(r) : 1);
}

static void observe(struct dma_observer *observer, const struct dma_event *event)
{
	struct replay *r = (struct replay *)(void *)((char *)observer -
						     offsetof(struct replay, pool_observer));

	if (event->type != DMA_EVENT_SWIOTLB_BOUNCED)
		return;
	r->pool_used = true;
	count_request(r, event->size, r->trace_route == REPLAY_IOMMU);
}

void pool_before_map(struct replay *r)
{
	r->pool_taken = (struct pool_load){ 0 };
}

/* Was it for want of room in the pool that the latest map failed? */
static bool pool_refused(const struct live *live)
{
	struct dma_error error;

	if (!live->ghost || dma_last_error(sim_dma(live->device->sim), &error))
		return false;
	return error.reason == DMA_REASON_BOUNCE_EXHAUSTED ||
	       error.reason == DMA_REASON_BOUNCE_FRAGMENTED ||
	       error.reason == DMA_REASON_BOUNCE_TOO_LARGE;
}

/* A list that found no room for one element never asked for the others: count as if all of them bounced. */
static void count_list(struct replay *r, const struct live *live)
{
	take_back(r, &r->pool_taken);
	r->pool_taken = (struct pool_load){ 0 };
	for (unsigned int i = 0; i < live->list.nents; i++)
		count_request(r, live->list.sgl[i].length, live->device->route == REPLAY_IOMMU);
}

void pool_after_map(struct replay *r, struct live *live)
{
	if (!r->pool_watched)
		return;
	if (pool_refused(live)) {
		r->pool_failed = true;
		if (live->kind == LIVE_LIST)
			count_list(r, live);
	} else if (live->ghost) {
		take_back(r, &r->pool_taken);
		return;
	}
	live->load = r->pool_taken;
	live->bounced = live->load.runs != 0;
	live->mixed =
		live->kind == LIVE_LIST && live->bounced && live->load.runs < live->list.nents;
}

void pool_left(struct replay *r, const struct live *live)
{
	take_back(r, &live->load);
}

uint64_t pool_bound(const struct replay *r)
{
	uint64_t bytes = (r->pool_bound_slots + page_slots(r) - 1) / page_slots(r) * r->frames.page;
	struct dma_bounce_stats stats;

	/* A single pool in which everything found room is one that suffices. */
	if (r->n_pools != 1 || r->pool_failed)
		return bytes;
	dma_bounce_get_stats(r->pools[0], &stats);
	return bytes < stats.bytes ? bytes : stats.bytes;
}

static uint64_t ceiling_of(const struct replay *r)
{
	uint64_t mask = DMA_BIT_MASK(r->options.mask_bits);

	return mask < POOL_TOP ? mask : POOL_TOP;
}

static int watch(struct replay *r)
{
	int rc;

	if (r->pool_watched)
		return 0;
	r->pool_observer.event = observe;
	rc = dma_observer_attach(sim_host(r->machine), &r->pool_observer);
	r->pool_watched = !rc;
	return rc;
}

/*
 * Below the mask and below 4 GiB. The memory is the machine's, untouched: what the library takes itself it clears, which
 * would be most of the work of a short replay.
 */
static int make_pool(struct replay *r, uint64_t bytes)
{
	struct dma_bounce_config config = { .size = sizeof(config),
					    .bytes = bytes,
					    .slot_size = POOL_SLOT,
					    .ceiling = ceiling_of(r) };
	int rc;

	config.base = sim_alloc(r->machine, bytes, r->frames.page, 0, config.ceiling);
	if (!bytes || config.base == DMAMAP_PHYS_NONE)
		return -ENOMEM;
	rc = dma_bounce_create(sim_host(r->machine), &config, &r->pools[r->n_pools]);
	if (!rc)
		r->n_pools++;
	return rc ? rc : watch(r);
}

/* The size of one of several pools: no more than a quarter of what the mask reaches. */
static uint64_t usual_bytes(const struct replay *r)
{
	uint64_t bytes = ceiling_of(r) / 4;

	bytes = frames_floor(&r->frames, bytes);
	return POOL_BYTES < bytes ? POOL_BYTES : bytes;
}

/* The pool of a new device: another one when the latest is half full, as long as there is memory for it. */
static int choose_pool(struct replay *r)
{
	struct dma_bounce_stats stats;

	if (!r->n_pools && r->options.bounce_pool)
		return make_pool(r, r->options.bounce_pool) ? -ENOSPC : 0;
	if (!r->n_pools)
		return make_pool(r, usual_bytes(r));
	if (r->options.bounce_pool)
		return 0;
	dma_bounce_get_stats(r->pools[r->n_pools - 1], &stats);
	if (stats.used_slots > stats.slots / 2 && r->n_pools < REPLAY_POOLS)
		(void)make_pool(r, usual_bytes(r));
	return 0;
}

/* Only devices that may have to bounce get one: with so many lines nothing is out of reach of a device that snoops. */
static bool wants_pool(const struct replay *r, const struct replay_device *device)
{
	switch (device->route) {
	case REPLAY_BOUNCE:
		return true;
	case REPLAY_DIRECT:
		return r->options.noncoherent || r->options.mask_bits < 52;
	case REPLAY_IOMMU:
		return r->options.noncoherent;
	default:
		return false;
	}
}

int pool_give(struct replay *r, struct replay_device *device)
{
	int rc;

	if (!wants_pool(r, device))
		return 0;
	rc = choose_pool(r);
	if (!rc)
		rc = dma_device_set_bounce(sim_dma(device->sim), r->pools[r->n_pools - 1]);
	if (!rc && device->route == REPLAY_BOUNCE)
		rc = dma_device_set_force_bounce(sim_dma(device->sim), true);
	return rc;
}
