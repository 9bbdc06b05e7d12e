/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event log, and what an event means (AMD-Vi 2.5).
 *
 * An entry may lag behind the tail that counts it: it is looked at a few times, and cleared when it was read.
 */
#include "amdvi.h"

/** Looks at an entry that is not there yet. */
#define MOST_LOOKS 1000u

static const char *const texts[] = {
	[AMDVI_EVENT_ILLEGAL_DTE] = "a device table entry is not valid",
	[AMDVI_EVENT_PAGE_FAULT] = "an I/O page fault",
	[AMDVI_EVENT_DTE_ERROR] = "the device table could not be read",
	[AMDVI_EVENT_TABLE_ERROR] = "a page table could not be read",
	[AMDVI_EVENT_ILLEGAL_CMD] = "a command that does not exist",
	[AMDVI_EVENT_CMD_ERROR] = "the command buffer could not be read",
	[AMDVI_EVENT_IOTLB] = "a device's own cache did not answer",
	[AMDVI_EVENT_BAD_REQUEST] = "a request not allowed",
	[AMDVI_EVENT_BAD_PPR] = "a page request not allowed",
	[AMDVI_EVENT_COUNTER] = "a counter has run out",
	[AMDVI_EVENT_GUEST] = "a guest's event",
};

const char *dmamap_amdvi_event_text(unsigned int code)
{
	return code < sizeof(texts) / sizeof(texts[0]) && texts[code] ? texts[code]
								      : "unknown event";
}

static enum dma_fault_reason page_fault_reason(uint64_t flags)
{
	if (flags & AMDVI_EVENT_INTERRUPT)
		return DMA_FAULT_REASON_OTHER;
	if (flags & AMDVI_EVENT_RESERVED)
		return DMA_FAULT_REASON_RESERVED_BIT;
	if (!(flags & AMDVI_EVENT_PRESENT))
		return DMA_FAULT_REASON_NOT_PRESENT;
	return flags & AMDVI_EVENT_WRITE ? DMA_FAULT_REASON_WRITE_DENIED
					 : DMA_FAULT_REASON_READ_DENIED;
}

bool dmamap_amdvi_decode(const uint64_t event[2], bool attached, struct dma_fault *fault)
{
	unsigned int code = (unsigned int)(event[0] >> AMDVI_EVENT_CODE_SHIFT);

	*fault = (struct dma_fault){
		.size = sizeof(*fault),
		.dma_addr = event[1],
		.access = event[0] & AMDVI_EVENT_WRITE ? DMA_FAULT_WRITE : DMA_FAULT_READ,
		.reason = DMA_FAULT_REASON_OTHER,
		.code = code,
	};
	switch (code) {
	case AMDVI_EVENT_PAGE_FAULT:
		fault->reason = attached ? page_fault_reason(event[0]) : DMA_FAULT_REASON_BLOCKED;
		return true;
	case AMDVI_EVENT_ILLEGAL_DTE:
	case AMDVI_EVENT_DTE_ERROR:
	case AMDVI_EVENT_TABLE_ERROR:
		fault->reason = DMA_FAULT_REASON_TABLE;
		return true;
	case AMDVI_EVENT_BAD_REQUEST:
	case AMDVI_EVENT_BAD_PPR:
	case AMDVI_EVENT_GUEST:
		return true;
	default: /* no device's access */
		return false;
	}
}

void dmamap_amdvi_events_start(struct dma_amdvi *a)
{
	a->event_head = 0;
	memset(a->events.cpu, 0, a->events.size);
	amdvi_write(a, AMDVI_EVTBASE, a->events.phys | AMDVI_LENGTH(AMDVI_QUEUE_LOG2));
	amdvi_write(a, AMDVI_EVTHEAD, 0);
	amdvi_write(a, AMDVI_EVTTAIL, 0);
}

/** The log was full, and stands still: begin again with an empty one (2.5). The lock is held. */
static void restart(struct dma_amdvi *a)
{
	a->info.events_lost++;
	amdvi_write(a, AMDVI_CONTROL, a->control & ~AMDVI_CONTROL_EVENTS);
	dmamap_amdvi_events_start(a);
	amdvi_write(a, AMDVI_STATUS, AMDVI_STATUS_OVERFLOW);
	amdvi_write(a, AMDVI_CONTROL, a->control);
}

/** Take the entry at the head; false: it never came. The lock is held. */
static bool take_entry(struct dma_amdvi *a, uint64_t event[2])
{
	uint64_t *entry = (uint64_t *)a->events.cpu + (size_t)2 * a->event_head;
	unsigned int looks = 0;

	do
		event[0] = hw_load(&entry[0]);
	while (!event[0] && ++looks < MOST_LOOKS);
	event[1] = hw_load(&entry[1]);
	hw_store(&entry[0], 0);
	hw_store(&entry[1], 0);
	a->event_head = (a->event_head + 1) % AMDVI_QUEUE;
	return event[0];
}

/** The next fault before @tail, decoded. The lock is held. */
static bool next_fault(struct dma_amdvi *a, uint32_t tail, struct dma_fault *fault)
{
	while (a->event_head != tail) {
		struct dma_device *dev;
		uint64_t event[2];

		if (!take_entry(a, event))
			continue;
		dev = dmamap_hw_attached_device(&a->attached,
						(uint32_t)(event[0] & AMDVI_EVENT_DEVICE));
		if (!dmamap_amdvi_decode(event, dev, fault))
			continue;
		fault->device = dev;
		a->info.faults++;
		return true;
	}
	return false;
}

/** Where the log ends, in entries; the head if that makes no sense. The lock is held. */
static uint32_t read_tail(const struct dma_amdvi *a)
{
	uint64_t tail = amdvi_read(a, AMDVI_EVTTAIL);

	if (tail & ~(uint64_t)AMDVI_POINTER || tail / AMDVI_ENTRY >= AMDVI_QUEUE)
		return a->event_head;
	return (uint32_t)(tail / AMDVI_ENTRY);
}

/** All of it was read. The lock is held. */
static void give_room(struct dma_amdvi *a)
{
	uint64_t status = amdvi_read(a, AMDVI_STATUS);

	amdvi_write(a, AMDVI_EVTHEAD, (uint64_t)a->event_head * AMDVI_ENTRY);
	if (status == ~(uint64_t)0)
		return;
	if (status & AMDVI_STATUS_OVERFLOW)
		restart(a);
	if (status & AMDVI_STATUS_EVENT)
		amdvi_write(a, AMDVI_STATUS, AMDVI_STATUS_EVENT);
}

unsigned int dmamap_amdvi_handle_faults(struct dma_amdvi *amdvi)
{
	struct dma_fault fault;
	unsigned int n = 0;
	uint32_t tail;

	dmamap_lock(amdvi->host, &amdvi->lock);
	if (!amdvi->info.enabled) {
		dmamap_unlock(amdvi->host, &amdvi->lock);
		return 0;
	}
	tail = read_tail(amdvi); /* once: a device that never stops does not hold the caller */
	while (next_fault(amdvi, tail, &fault)) {
		dmamap_unlock(amdvi->host, &amdvi->lock);
		dmamap_fault_report(amdvi->host, &fault);
		n++;
		dmamap_lock(amdvi->host, &amdvi->lock);
	}
	give_room(amdvi);
	dmamap_unlock(amdvi->host, &amdvi->lock);
	return n;
}
