/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SMMU's queues: rings of entries, with indices that have one bit more than they need, so that full and empty differ
 * (IHI 0070, 3.5). Commands are done when CONS has passed them; a SYNC is passed when all before it have taken effect
 * (4.7.3).
 *
 * Positions count entries since the queue was switched on. An index that the hardware gives is believed if it lies
 * between what was passed and what the hardware was told.
 */
#include "smmuv3.h"

bool dmamap_smmu_queue_alloc(struct dma_smmuv3 *s, struct smmu_queue *q, unsigned int bits,
			     uint64_t entry)
{
	q->bits = (unsigned int)min_u64(bits, SMMU_QUEUE_BITS);
	q->entries = (uint64_t)1 << q->bits;
	return dmamap_hw_memory_alloc(s->host, entry * q->entries, entry * q->entries,
				      DMA_BIT_MASK(s->info.output_bits), &q->memory);
}

uint64_t dmamap_smmu_queue_base(const struct smmu_queue *q)
{
	return SMMU_QUEUE_RA_WA | q->memory.phys | q->bits;
}

uint32_t dmamap_smmu_queue_index(const struct smmu_queue *q, uint64_t position)
{
	return (uint32_t)(position & (2 * q->entries - 1));
}

void dmamap_smmu_break(struct dma_smmuv3 *s, const char *why)
{
	if (!s->info.broken)
		dmamap_log(s->host, DMA_LOG_ERROR, NULL, why, NULL);
	s->info.broken = true;
}

/* --- commands; the lock is held */

static uint64_t *command_at(const struct dma_smmuv3 *s, uint64_t position)
{
	uint64_t at = position & (s->commands.entries - 1);

	return (uint64_t *)s->commands.memory.cpu + 2 * at;
}

static void write_command(struct dma_smmuv3 *s, uint64_t position, uint64_t low, uint64_t high)
{
	uint64_t *at = command_at(s, position);

	hw_store(&at[0], low);
	hw_store(&at[1], high);
	dmamap_hw_clean(
		s->host, s->info.coherent_walk,
		s->commands.memory.phys +
			(uint64_t)((unsigned char *)at - (unsigned char *)s->commands.memory.cpu),
		16);
}

static void tell(struct dma_smmuv3 *s)
{
	struct smmu_queue *q = &s->commands;

	if (q->told == q->written)
		return;
	dmamap_hw_barrier(s->host);
	q->told = q->written;
	smmu_write32(s, SMMU_CMDQ_PROD, dmamap_smmu_queue_index(q, q->told));
}

static void put(struct dma_smmuv3 *s, uint64_t low, uint64_t high)
{
	write_command(s, s->commands.written++, low, high);
	s->info.commands++;
}

/**
 * The hardware stopped at a command that it does not know (4.1, 7.1): put a SYNC, which does nothing, in its place, and go
 * on. What that command should have dropped is unknown: whoever waits sees that the count has changed, and has
 * everything dropped.
 */
static void skip_refused(struct dma_smmuv3 *s, uint32_t error)
{
	if (error == SMMU_CERROR_ABT) {
		dmamap_smmu_break(s, "smmuv3: the command queue cannot be read");
		return;
	}
	if (s->info.command_errors >= SMMU_ASIDS) {
		dmamap_smmu_break(s, "smmuv3: it refuses every command");
		return;
	}
	s->info.command_errors++;
	write_command(s, s->commands.done, SMMU_CMD_SYNC, 0);
	dmamap_hw_barrier(s->host);
	smmu_write32(s, SMMU_GERRORN, smmu_read32(s, SMMU_GERRORN) ^ SMMU_GERROR_CMDQ);
}

static bool error_pending(const struct dma_smmuv3 *s)
{
	uint32_t active = smmu_read32(s, SMMU_GERROR) ^ smmu_read32(s, SMMU_GERRORN);

	return active & SMMU_GERROR_CMDQ;
}

/** Look how far the hardware is. */
static void look(struct dma_smmuv3 *s)
{
	struct smmu_queue *q = &s->commands;
	uint32_t cons = smmu_read32(s, SMMU_CMDQ_CONS);
	uint32_t error = (uint32_t)hw_field(cons, SMMU_CMDQ_CONS_ERR_SHIFT, 7);
	uint64_t mask = 2 * q->entries - 1;
	uint64_t passed = (cons - q->done) & mask;

	if (cons == ~(uint32_t)0)
		return; /* the hardware is gone; the time-out will tell */
	if (passed > q->told - q->done) {
		dmamap_smmu_break(s, "smmuv3: the command queue's index makes no sense");
		return;
	}
	q->done += passed;
	if (error != SMMU_CERROR_NONE && q->done != q->told && error_pending(s))
		skip_refused(s, error);
}

static void wait_for_room(struct dma_smmuv3 *s)
{
	struct smmu_queue *q = &s->commands;
	struct hw_wait wait;

	tell(s);
	dmamap_hw_wait_begin(&wait, s->host, s->timeout_ns);
	do {
		look(s);
		if (q->written - q->done < q->entries || s->info.broken)
			return;
	} while (dmamap_hw_wait_more(&wait));
	dmamap_smmu_break(s, "smmuv3: the command queue stands still: "
			     "devices may still reach what was unmapped");
}

void dmamap_smmu_command(struct dma_smmuv3 *s, uint64_t low, uint64_t high)
{
	struct smmu_queue *q = &s->commands;

	if (!(s->cr0 & SMMU_CR0_CMDQEN) || s->info.broken)
		return;
	if (q->written - q->done == q->entries)
		wait_for_room(s);
	if (!s->info.broken)
		put(s, low, high);
}

void dmamap_smmu_forget_all(struct dma_smmuv3 *s)
{
	dmamap_smmu_command(s, SMMU_CMD_CFGI_ALL, SMMU_CMD_ALL_SIDS);
	if (s->info.idr0 & SMMU_IDR0_HYP)
		dmamap_smmu_command(s, SMMU_CMD_TLBI_EL2_ALL, 0);
	dmamap_smmu_command(s, SMMU_CMD_TLBI_NSNH_ALL, 0);
}

/* --- waiting */

/** What somebody waits for, and how many commands had been refused when it was asked for. */
struct goal {
	uint64_t position;
	uint64_t errors;
};

static struct goal request_sync(struct dma_smmuv3 *s)
{
	struct goal goal = { .errors = s->info.command_errors };

	if (s->last_sync != s->commands.written) {
		dmamap_smmu_command(s, SMMU_CMD_SYNC, 0);
		s->last_sync = s->commands.written;
		s->info.waits++;
	}
	tell(s);
	goal.position = s->last_sync;
	return goal;
}

/** Is it reached, or hopeless? After a refused command everything is dropped first. */
static bool is_over(struct dma_smmuv3 *s, struct goal *goal)
{
	if (s->info.broken || !(s->cr0 & SMMU_CR0_CMDQEN))
		return true;
	look(s);
	if (s->commands.done < goal->position)
		return s->info.broken;
	if (s->info.command_errors == goal->errors)
		return true;
	dmamap_smmu_forget_all(s);
	*goal = request_sync(s);
	return false;
}

static void wait_for(struct dma_smmuv3 *s, struct goal goal, bool locked)
{
	struct hw_wait wait;
	bool over;
	bool more = true;

	dmamap_hw_wait_begin(&wait, s->host, s->timeout_ns);
	do {
		bool last = !more;

		if (!locked)
			dmamap_lock(s->host, &s->lock);
		over = is_over(s, &goal);
		if (!over && last)
			dmamap_smmu_break(s, "smmuv3: an invalidation did not finish: "
					     "devices may still reach what was unmapped");
		if (!locked)
			dmamap_unlock(s->host, &s->lock);
		if (over || last)
			return;
		more = dmamap_hw_wait_more(&wait);
	} while (true);
}

void dmamap_smmu_sync_locked(struct dma_smmuv3 *s)
{
	wait_for(s, request_sync(s), true);
}

void dmamap_smmu_sync(struct dma_smmuv3 *s)
{
	struct goal goal;

	dmamap_lock(s->host, &s->lock);
	goal = request_sync(s);
	dmamap_unlock(s->host, &s->lock);
	wait_for(s, goal, false);
}
