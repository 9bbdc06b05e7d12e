/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SMMU's event queue, and what an event means (IHI 0070, 7.2 and 7.3); its global errors (7.5).
 */
#include "smmuv3.h"

static const struct event {
	unsigned char type;
	bool has_address; /* and direction */
	enum dma_fault_reason reason;
	const char *text;
} events[] = {
	{ SMMU_F_UUT, true, DMA_FAULT_REASON_OTHER, "an unsupported request" },
	{ SMMU_C_BAD_STREAMID, false, DMA_FAULT_REASON_BLOCKED, "a stream beyond the table" },
	{ SMMU_F_STE_FETCH, false, DMA_FAULT_REASON_TABLE, "a stream's entry could not be read" },
	{ SMMU_C_BAD_STE, false, DMA_FAULT_REASON_BLOCKED, "a stream's entry is not valid" },
	{ SMMU_F_BAD_ATS_TREQ, true, DMA_FAULT_REASON_OTHER, "a translation request not allowed" },
	{ SMMU_F_STREAM_DISABLED, false, DMA_FAULT_REASON_BLOCKED, "the stream is disabled" },
	{ SMMU_F_TRANSL_FORBIDDEN, true, DMA_FAULT_REASON_OTHER,
	  "a translated request not allowed" },
	{ SMMU_C_BAD_SUBSTREAMID, false, DMA_FAULT_REASON_BLOCKED,
	  "a substream that does not exist" },
	{ SMMU_F_CD_FETCH, true, DMA_FAULT_REASON_TABLE, "a context descriptor could not be read" },
	{ SMMU_C_BAD_CD, false, DMA_FAULT_REASON_TABLE, "a context descriptor is not valid" },
	{ SMMU_F_WALK_EABT, true, DMA_FAULT_REASON_TABLE, "a table could not be read" },
	{ SMMU_F_TRANSLATION, true, DMA_FAULT_REASON_NOT_PRESENT, "nothing is mapped there" },
	{ SMMU_F_ADDR_SIZE, true, DMA_FAULT_REASON_WIDTH, "an address beyond the output width" },
	{ SMMU_F_ACCESS, true, DMA_FAULT_REASON_OTHER, "the access flag is not set" },
	{ SMMU_F_PERMISSION, true, DMA_FAULT_REASON_READ_DENIED, "the mapping does not allow it" },
	{ SMMU_F_TLB_CONFLICT, true, DMA_FAULT_REASON_OTHER, "two translations are cached for it" },
	{ SMMU_F_CFG_CONFLICT, false, DMA_FAULT_REASON_OTHER,
	  "two configurations are cached for it" },
	{ SMMU_E_PAGE_REQUEST, true, DMA_FAULT_REASON_OTHER, "a page is asked for" },
};

static const struct event *find_event(unsigned int type)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i].type == type)
			return &events[i];
	return NULL;
}

const char *dmamap_smmuv3_event_text(unsigned int code)
{
	const struct event *e = find_event(code);

	return e ? e->text : "unknown event";
}

static enum dma_fault_reason denied(enum dma_fault_access access)
{
	switch (access) {
	case DMA_FAULT_WRITE:
		return DMA_FAULT_REASON_WRITE_DENIED;
	case DMA_FAULT_EXEC:
		return DMA_FAULT_REASON_EXEC_DENIED;
	default:
		return DMA_FAULT_REASON_READ_DENIED;
	}
}

bool dmamap_smmu_decode(const uint64_t *event, bool attached, struct dma_fault *fault)
{
	unsigned int type = event[0] & SMMU_EVENT_TYPE;
	const struct event *e = find_event(type);

	*fault = (struct dma_fault){ .size = sizeof(*fault),
				     .reason = e ? e->reason : DMA_FAULT_REASON_OTHER,
				     .code = type };
	if (e && e->has_address) {
		fault->dma_addr = event[2];
		fault->access = event[1] & SMMU_EVENT_INSTRUCTION ? DMA_FAULT_EXEC
				: event[1] & SMMU_EVENT_READ	  ? DMA_FAULT_READ
								  : DMA_FAULT_WRITE;
	}
	if (type == SMMU_F_PERMISSION)
		fault->reason = denied(fault->access);
	if (fault->reason == DMA_FAULT_REASON_BLOCKED && attached)
		fault->reason = DMA_FAULT_REASON_TABLE;
	return type != 0;
}

/** Take one event; false: it tells of no fault. The lock is held. */
static bool take_event(struct dma_smmuv3 *s, struct dma_fault *fault)
{
	struct smmu_queue *q = &s->events;
	uint64_t at = q->done & (q->entries - 1);
	const uint64_t *entry = (const uint64_t *)q->memory.cpu + at * SMMU_EVENT_WORDS;
	uint64_t event[SMMU_EVENT_WORDS];
	struct dma_device *dev;
	bool is_fault;

	dmamap_hw_refresh(s->host, s->info.coherent_walk, q->memory.phys + at * SMMU_EVENT_SIZE,
			  SMMU_EVENT_SIZE);
	for (unsigned int i = 0; i < SMMU_EVENT_WORDS; i++)
		event[i] = hw_load(&entry[i]);
	q->done++;
	dev = dmamap_hw_attached_device(&s->attached, (uint32_t)(event[0] >> SMMU_EVENT_SID_SHIFT));
	is_fault = dmamap_smmu_decode(event, dev, fault);
	fault->device = dev;
	s->info.faults += is_fault;
	return is_fault;
}

/** The next fault, decoded; false: there is none. The lock is held. */
static bool next_fault(struct dma_smmuv3 *s, struct dma_fault *fault)
{
	while (s->events.done != s->events.written)
		if (take_event(s, fault))
			return true;
	return false;
}

/** How far the hardware has written; an overflow is acknowledged with the next CONS. The lock is held. */
static void look(struct dma_smmuv3 *s)
{
	struct smmu_queue *q = &s->events;
	uint32_t prod = smmu_read32(s, SMMU_EVENTQ_PROD);
	uint64_t fresh = (prod - q->done) & (2 * q->entries - 1);

	if (prod == ~(uint32_t)0)
		return;
	if (fresh > q->entries) {
		dmamap_smmu_break(s, "smmuv3: the event queue's index makes no sense");
		fresh = 0;
	}
	q->written = q->done + fresh;
	if ((prod ^ smmu_read32(s, SMMU_EVENTQ_CONS)) & SMMU_EVENTQ_OVERFLOW)
		s->info.events_lost++;
	q->told = prod & SMMU_EVENTQ_OVERFLOW; /* what to write with the next CONS */
}

static void give_room(struct dma_smmuv3 *s)
{
	struct smmu_queue *q = &s->events;

	dmamap_hw_barrier(s->host);
	smmu_write32(s, SMMU_EVENTQ_CONS, dmamap_smmu_queue_index(q, q->done) | (uint32_t)q->told);
}

/** Errors that have no queue of their own; those of commands are the waiters' business. The lock is held. */
static void handle_errors(struct dma_smmuv3 *s)
{
	uint32_t error = smmu_read32(s, SMMU_GERROR);
	uint32_t seen = smmu_read32(s, SMMU_GERRORN);
	uint32_t active = (error ^ seen) & SMMU_GERROR_ALL & ~SMMU_GERROR_CMDQ;

	if (error == ~(uint32_t)0 || !active)
		return;
	s->info.global_errors++;
	if (active & SMMU_GERROR_EVENTQ)
		s->info.events_lost++;
	if (active & SMMU_GERROR_SFM)
		dmamap_smmu_break(s, "smmuv3: it is in service failure mode");
	smmu_write32(s, SMMU_GERRORN, seen ^ active);
}

unsigned int dmamap_smmuv3_handle_faults(struct dma_smmuv3 *smmu)
{
	struct dma_fault fault;
	unsigned int n = 0;
	bool got;

	dmamap_lock(smmu->host, &smmu->lock);
	if (!smmu->info.enabled || smmu->info.broken) {
		dmamap_unlock(smmu->host, &smmu->lock);
		return 0;
	}
	handle_errors(smmu);
	look(smmu); /* once: a device that never stops does not hold the caller */
	do {
		got = next_fault(smmu, &fault);
		if (!got)
			give_room(smmu);
		dmamap_unlock(smmu->host, &smmu->lock);
		if (!got)
			return n;
		dmamap_fault_report(smmu->host, &fault);
		n++;
		dmamap_lock(smmu->host, &smmu->lock);
	} while (true);
}
