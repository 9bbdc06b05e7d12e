/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command buffer (AMD-Vi 2.4): a ring of one page. A completion wait has the hardware write the position that it has
 * reached, when all before it is done, so that one word serves all who wait.
 *
 * A position that the hardware writes is believed if it lies between the one before and the latest that was asked for.
 */
#include "amdvi.h"

#define ROOM 4u /* commands that are kept free: what one step adds, and a wait */
/** Looks at memory between two looks at registers. */
#define LOOKS_PER_REGISTER 256u
/** Times that the buffer is started again before the unit is given up. Few: to drop everything may need them again. */
#define MOST_ERRORS 8u

void dmamap_amdvi_break(struct dma_amdvi *a, const char *why)
{
	if (!a->info.broken)
		dmamap_log(a->host, DMA_LOG_ERROR, NULL, why, NULL);
	a->info.broken = true;
}

void dmamap_amdvi_commands_start(struct dma_amdvi *a)
{
	struct amdvi_commands *c = &a->commands;

	c->start = c->told = c->written;
	amdvi_write(a, AMDVI_CMDBASE, c->ring.phys | AMDVI_LENGTH(AMDVI_QUEUE_LOG2));
	amdvi_write(a, AMDVI_CMDHEAD, 0);
	amdvi_write(a, AMDVI_CMDTAIL, 0);
}

static void put(struct dma_amdvi *a, uint64_t low, uint64_t high)
{
	struct amdvi_commands *c = &a->commands;
	uint64_t *at = (uint64_t *)c->ring.cpu + 2 * ((c->written - c->start) % AMDVI_QUEUE);

	hw_store(&at[0], low);
	hw_store(&at[1], high);
	c->written++;
	a->info.commands++;
}

static void tell(struct dma_amdvi *a)
{
	struct amdvi_commands *c = &a->commands;

	if (c->told == c->written)
		return;
	dmamap_hw_barrier(a->host);
	c->told = c->written;
	amdvi_write(a, AMDVI_CMDTAIL, (c->told - c->start) % AMDVI_QUEUE * AMDVI_ENTRY);
}

/** A wait that covers all that was written; the position to wait for. */
static uint64_t request_wait(struct dma_amdvi *a)
{
	struct amdvi_commands *c = &a->commands;

	if (c->last_wait != c->written) {
		c->last_wait = c->written + 1;
		put(a, AMDVI_CMD_COMPLETION_WAIT | AMDVI_CMD_STORE | c->status.phys, c->last_wait);
		a->info.waits++;
	}
	tell(a);
	return c->last_wait;
}

static void look(struct dma_amdvi *a)
{
	struct amdvi_commands *c = &a->commands;
	uint64_t position = hw_load(c->status.cpu);

	if (position - c->done > c->last_wait - c->done)
		dmamap_amdvi_break(a, "amdvi: a completion makes no sense");
	else
		c->done = position;
}

/**
 * The hardware stopped at a command that it does not like (2.4), and does not say which ones it has done: begin again
 * with an empty buffer, and have everything dropped. Positions go on, so that whoever waits has waited for that too.
 */
static void restart(struct dma_amdvi *a)
{
	if (++a->info.command_errors > MOST_ERRORS) {
		dmamap_amdvi_break(a, "amdvi: it refuses every command");
		return;
	}
	amdvi_write(a, AMDVI_CONTROL, a->control & ~AMDVI_CONTROL_COMMANDS);
	dmamap_amdvi_commands_start(a);
	amdvi_write(a, AMDVI_CONTROL, a->control);
	dmamap_amdvi_forget_all(a);
	request_wait(a);
}

/** Look after a buffer that takes its time. */
static void tend(struct dma_amdvi *a)
{
	uint64_t status = amdvi_read(a, AMDVI_STATUS);

	if (status == ~(uint64_t)0)
		return; /* the hardware is gone; the time-out will tell */
	look(a);
	if (!(status & AMDVI_STATUS_COMMANDS) && a->commands.done != a->commands.last_wait &&
	    !a->info.broken)
		restart(a);
}

/** The lock is held, or (@locked false) taken for each look. */
static void wait_for(struct dma_amdvi *a, uint64_t position, bool locked)
{
	struct hw_wait wait;
	bool over;
	bool more = true;

	dmamap_hw_wait_begin(&wait, a->host, a->timeout_ns);
	do {
		bool last = !more;

		if (!locked)
			dmamap_lock(a->host, &a->lock);
		look(a);
		if (a->commands.done < position && (last || wait.looks % LOOKS_PER_REGISTER == 1))
			tend(a);
		over = a->commands.done >= position || a->info.broken || !a->control;
		if (!over && last)
			dmamap_amdvi_break(a, "amdvi: an invalidation did not finish: "
					      "devices may still reach what was unmapped");
		if (!locked)
			dmamap_unlock(a->host, &a->lock);
		if (over || last)
			return;
		more = dmamap_hw_wait_more(&wait);
	} while (true);
}

void dmamap_amdvi_command(struct dma_amdvi *a, uint64_t low, uint64_t high)
{
	struct amdvi_commands *c = &a->commands;

	if (!a->control || a->info.broken)
		return;
	if (c->written - c->done >= AMDVI_QUEUE - ROOM)
		wait_for(a, request_wait(a), true);
	if (!a->info.broken)
		put(a, low, high);
}

void dmamap_amdvi_forget_all(struct dma_amdvi *a)
{
	if (a->info.features & AMDVI_EFR_INVALIDATE_ALL) {
		dmamap_amdvi_command(a, AMDVI_CMD_INVALIDATE_ALL, 0);
		return;
	}
	for (uint32_t id = 0; id <= a->last_id; id++)
		dmamap_amdvi_command(a, AMDVI_CMD_INVALIDATE_DEVICE | id, 0);
	for (uint32_t n = 0; n < AMDVI_DOMAINS; n++)
		dmamap_amdvi_command(a, AMDVI_CMD_INVALIDATE_PAGES | AMDVI_CMD_DOMAIN(n),
				     AMDVI_PAGES_ALL | AMDVI_PAGES_SIZED | AMDVI_PAGES_TABLES);
}

void dmamap_amdvi_sync_locked(struct dma_amdvi *a)
{
	if (a->control && !a->info.broken)
		wait_for(a, request_wait(a), true);
}

void dmamap_amdvi_sync(struct dma_amdvi *a)
{
	uint64_t position = 0;
	bool running;

	dmamap_lock(a->host, &a->lock);
	running = a->control && !a->info.broken;
	if (running)
		position = request_wait(a);
	dmamap_unlock(a->host, &a->lock);
	if (running)
		wait_for(a, position, false);
}
