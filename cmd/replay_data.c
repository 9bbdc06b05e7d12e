/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPU and device do with a mapping, and whether each sees what the other wrote.
 *
 * TO_DEVICE: the CPU fills the buffer before the map, the device reads it after the map and again before the unmap.
 * FROM_DEVICE: the CPU fills it with something else, the device writes after the map and again before the unmap, and
 * after the unmap the CPU must see what was written last. BIDIRECTIONAL does both. Between them the rules of the API
 * hold: the CPU looks at a live mapping only after a sync that the trace has, and rewrites it only before one. Every
 * write takes a new seed, so that old data shows.
 *
 * A buffer holds one pattern, or a second one in one part of it, which is what syncs of a part leave behind. A part
 * that would need a third is read, but not written.
 */
#include <inttypes.h>
#include <string.h>

#include "replay.h"

/* Splitmix64: seeds that differ in every byte, most of the time. */
static uint64_t new_seed(struct replay *r)
{
	uint64_t z = r->next_seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

enum data_op {
	CPU_FILL,
	CPU_CHECK,
	DEVICE_READ,
	DEVICE_WRITE,
};

/* One contiguous piece of a mapping, as CPU and device address it. */
struct piece {
	unsigned char *cpu;
	/* Address that the pattern goes by. */
	uint64_t key;
	dma_addr_t dma;
	uint64_t len;
};

static void tell_mismatch(struct replay *r, const struct live *live, const struct piece *piece,
			  const char *what)
{
	r->counts.mismatches++;
	if (r->shown_mismatches++ < REPLAY_SHOWN)
		cmd_say("%s:%" PRIu64 ": %s: mapping of 0x%" PRIx64 " (here 0x%" PRIx64 ", %" PRIu64
			" bytes): %s",
			dmt_name(r->reader), r->line, live->device->name, live->traced, piece->dma,
			live->size, what);
}

static void device_fault(struct replay *r, const struct live *live, const struct piece *piece,
			 const struct sim_fault *fault)
{
	char text[120];

	snprintf(text, sizeof(text), "the device cannot %s 0x%" PRIx64 ": %s",
		 fault->write ? "write" : "read", fault->addr, sim_fault_name(fault->reason));
	tell_mismatch(r, live, piece, text);
}

static void device_read(struct replay *r, const struct live *live, const struct piece *piece,
			uint64_t seed)
{
	struct sim_fault fault;

	for (uint64_t at = 0, n; at < piece->len; at += n) {
		n = piece->len - at < REPLAY_SCRATCH ? piece->len - at : REPLAY_SCRATCH;
		if (sim_dma_read(live->device->sim, piece->dma + at, r->scratch, n, &fault)) {
			device_fault(r, live, piece, &fault);
			return;
		}
		r->counts.bytes_verified += n;
		if (!pattern_matches(r->scratch, piece->key + at, n, seed)) {
			tell_mismatch(r, live, piece,
				      "the device read other data than the CPU wrote");
			return;
		}
	}
}

static void device_write(struct replay *r, const struct live *live, const struct piece *piece,
			 uint64_t seed)
{
	struct sim_fault fault;

	for (uint64_t at = 0, n; at < piece->len; at += n) {
		n = piece->len - at < REPLAY_SCRATCH ? piece->len - at : REPLAY_SCRATCH;
		pattern_fill(r->scratch, piece->key + at, n, seed);
		if (sim_dma_write(live->device->sim, piece->dma + at, r->scratch, n, &fault)) {
			device_fault(r, live, piece, &fault);
			return;
		}
	}
}

static void do_piece(struct replay *r, const struct live *live, enum data_op op,
		     const struct piece *piece, uint64_t seed)
{
	if (!piece->len)
		return;
	switch (op) {
	case CPU_FILL:
		if (r->options.noncoherent && live->kind != LIVE_ALLOC)
			lines_store(r, piece->key, piece->len, seed);
		else
			pattern_fill(piece->cpu, piece->key, piece->len, seed);
		break;
	case CPU_CHECK:
		r->counts.bytes_verified += piece->len;
		if (!pattern_matches(piece->cpu, piece->key, piece->len, seed))
			tell_mismatch(r, live, piece,
				      "the CPU sees other data than the device wrote");
		break;
	case DEVICE_READ:
		device_read(r, live, piece, seed);
		break;
	case DEVICE_WRITE:
		device_write(r, live, piece, seed);
		break;
	}
}

/*
 * Where an element that bounced shares a line with one that did not, the copies and the maintenance of the other get in
 * each other's way, in an order that is the library's and the cache's: such lines prove nothing, on either side.
 */
static void check_own(struct replay *r, struct live *live, enum data_op op,
		      const struct piece *whole)
{
	const uint64_t end = whole->key + whole->len;
	struct piece own = *whole;

	while (own.key < end) {
		own.len = lines_own(&live->list, &own.key, end - own.key);
		own.dma = whole->dma + (own.key - whole->key);
		own.cpu = op == CPU_CHECK ? whole->cpu + (own.key - whole->key) : NULL;
		do_piece(r, live, op, &own, live->seed);
		own.key += own.len;
	}
}

static void do_list_piece(struct replay *r, struct live *live, enum data_op op,
			  const struct piece *piece)
{
	if (live->mixed && (op == CPU_CHECK || op == DEVICE_READ))
		check_own(r, live, op, piece);
	else
		do_piece(r, live, op, piece, live->seed);
}

/* The CPU's side of [at, at + n) of a list, element by element. */
static void do_elements(struct replay *r, struct live *live, enum data_op op, uint64_t at,
			uint64_t n)
{
	struct scatterlist *sg;
	uint64_t begin = 0;
	unsigned int i;

	for_each_sg(live->list.sgl, sg, live->list.nents, i)
	{
		uint64_t start = begin, len = list_clip(&start, sg->length, at, n);
		struct piece piece = { .key = sg_phys(sg) + (start - begin), .len = len };

		begin += sg->length;
		if (!len)
			continue;
		piece.cpu = sim_cpu_ptr(r->machine, piece.key, len);
		do_list_piece(r, live, op, &piece);
	}
}

/* The device's side: its elements cover those of the CPU in order, with other boundaries. */
static void do_segments(struct replay *r, struct live *live, enum data_op op, uint64_t at,
			uint64_t n)
{
	struct list_walk walk = list_walk(live);
	struct list_piece part;

	while (list_next(&walk, &part)) {
		uint64_t start = part.at;
		struct piece piece = { .len = list_clip(&start, part.len, at, n) };

		piece.key = part.phys + (start - part.at);
		piece.dma = part.dma + (start - part.at);
		do_list_piece(r, live, op, &piece);
	}
	if (!list_agrees(&walk))
		tell_mismatch(r, live, &(struct piece){ .dma = live->dma },
			      "the device's elements are not as long as the list");
}

static void do_list(struct replay *r, struct live *live, enum data_op op, uint64_t at, uint64_t n)
{
	if (op == CPU_FILL || op == CPU_CHECK)
		do_elements(r, live, op, at, n);
	else
		do_segments(r, live, op, at, n);
}

static void do_part(struct replay *r, struct live *live, enum data_op op, uint64_t at, uint64_t len,
		    uint64_t seed)
{
	uint64_t base = live->kind == LIVE_ALLOC ? 0 : live->run.base + live->traced_offset;
	struct piece piece = { (unsigned char *)live->cpu + at, base + at, live->dma + at, len };

	do_piece(r, live, op, &piece, seed);
}

/* What is in [at, at + len) decides the seed: up to three parts. */
static void do_known(struct replay *r, struct live *live, enum data_op op, uint64_t at,
		     uint64_t len)
{
	uint64_t end = at + len, from = live->overlay_at, to = from + live->overlay_len;

	if (!live->overlay_len || from >= end || to <= at) {
		do_part(r, live, op, at, len, live->seed);
		return;
	}
	from = from > at ? from : at;
	to = to < end ? to : end;
	do_part(r, live, op, at, from - at, live->seed);
	do_part(r, live, op, from, to - from, live->overlay_seed);
	do_part(r, live, op, to, end - to, live->seed);
}

/* Read or check [at, at + len), or fill it with what is in it. */
static void look_part(struct replay *r, struct live *live, enum data_op op, uint64_t at,
		      uint64_t len)
{
	if (live->kind == LIVE_LIST)
		do_list(r, live, op, at, len);
	else
		do_known(r, live, op, at, len);
}

static void look(struct replay *r, struct live *live, enum data_op op)
{
	look_part(r, live, op, 0, live->size);
}

/* Write new data to the whole mapping. */
static void renew(struct replay *r, struct live *live, enum data_op op)
{
	live->seed = new_seed(r);
	live->overlay_len = 0;
	look(r, live, op);
}

/* Could a second pattern be in this part, and nowhere else? Elements of a list may share memory. */
static bool can_differ(const struct live *live, uint64_t at, uint64_t len)
{
	return live->kind != LIVE_LIST &&
	       (!live->overlay_len ||
		(at <= live->overlay_at && at + len >= live->overlay_at + live->overlay_len));
}

/* Write new data to a part, if that is possible. */
static void renew_part(struct replay *r, struct live *live, enum data_op op, uint64_t at,
		       uint64_t len)
{
	if (at == 0 && len == live->size) {
		renew(r, live, op);
		return;
	}
	if (can_differ(live, at, len)) {
		live->overlay_at = at;
		live->overlay_len = len;
		live->overlay_seed = new_seed(r);
	} else if (op == DEVICE_WRITE) {
		return;
	}
	/* A sync copies the CPU's side: it must at least be what the device sees now. */
	look_part(r, live, op, at, len);
}

static bool device_reads(enum dma_data_direction dir)
{
	return dir == DMA_TO_DEVICE || dir == DMA_BIDIRECTIONAL;
}

static bool device_writes(enum dma_data_direction dir)
{
	return dir == DMA_FROM_DEVICE || dir == DMA_BIDIRECTIONAL;
}

void data_before_map(struct replay *r, struct live *live)
{
	live->idle =
		r->options.noncoherent && !live->mmio && (live->attrs & DMA_ATTR_SKIP_CPU_SYNC);
	if (r->options.verify && !live->idle)
		renew(r, live, CPU_FILL);
}

/* Coherent memory needs no sync: both see at once what the other writes. */
static void use_coherent(struct replay *r, struct live *live)
{
	if (live->has_cpu) {
		renew(r, live, CPU_FILL);
		look(r, live, DEVICE_READ);
	}
	renew(r, live, DEVICE_WRITE);
	look(r, live, live->has_cpu ? CPU_CHECK : DEVICE_READ);
}

static void use(struct replay *r, struct live *live)
{
	if (live->idle)
		return;
	if (live->kind == LIVE_ALLOC) {
		use_coherent(r, live);
		return;
	}
	if (device_reads(live->dir))
		look(r, live, DEVICE_READ);
	if (device_writes(live->dir))
		renew(r, live, DEVICE_WRITE);
}

void data_after_map(struct replay *r, struct live *live)
{
	if (r->options.verify)
		use(r, live);
}

void data_before_unmap(struct replay *r, struct live *live)
{
	if (r->options.verify)
		use(r, live);
}

void data_after_unmap(struct replay *r, struct live *live, unsigned long attrs)
{
	if (!r->options.verify || live->kind == LIVE_ALLOC || !device_writes(live->dir))
		return;
	/* The trace's driver did not want the slot copied back, or the lines maintained. */
	if ((live->bounced || (r->options.noncoherent && !live->mmio)) &&
	    (attrs & DMA_ATTR_SKIP_CPU_SYNC))
		return;
	if (live->idle)
		return;
	look(r, live, CPU_CHECK);
}

static bool reaches(const struct live *live, dma_addr_t addr)
{
	unsigned char byte = 0;

	if (live->dir == DMA_FROM_DEVICE)
		return sim_dma_write(live->device->sim, addr, &byte, 1, NULL) == 0;
	return sim_dma_read(live->device->sim, addr, &byte, 1, NULL) == 0;
}

static bool list_reached(const struct live *live)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(live->list.sgl, sg, live->list.ents, i)
	{
		if (reaches(live, sg->dma_address) ||
		    reaches(live, sg->dma_address + sg->dma_length - 1))
			return true;
	}
	return false;
}

void data_try_stale(struct replay *r, struct live *live)
{
	bool reached;

	if (!r->options.verify || live->device->route != REPLAY_IOMMU)
		return;
	r->probing = true;
	reached = live->kind == LIVE_LIST
			  ? list_reached(live)
			  : reaches(live, live->dma) || reaches(live, live->dma + live->size - 1);
	r->probing = false;
	r->counts.stale_checked++;
	if (!reached) {
		r->counts.stale_blocked++;
		return;
	}
	r->counts.stale_reached++;
	if (r->options.invalidation == DMA_INVALIDATION_STRICT && r->shown_stale++ < REPLAY_SHOWN)
		cmd_say("%s:%" PRIu64 ": %s: 0x%" PRIx64
			" was reached by the device after its unmap",
			dmt_name(r->reader), r->line, live->device->name, live->dma);
}

/* The first sync for the device of all of it is what SKIP_CPU_SYNC left to the driver. */
static void end_idle(struct live *live, uint64_t at, uint64_t len, enum dma_data_direction dir)
{
	if (at == 0 && len == live->size && (device_reads(dir) || !device_reads(live->dir)))
		live->idle = false;
}

/*
 * A sync for the device maintains whole lines: what the device wrote beside the part is lost where the CPU's line is
 * older, as on any non-coherent machine. So the device writes all anew.
 */
static bool neighbours_lost(const struct replay *r, const struct live *live, uint64_t len)
{
	return r->options.noncoherent && len != live->size && device_writes(live->dir);
}

void data_after_sync_for_cpu(struct replay *r, struct live *live, uint64_t at, uint64_t len,
			     enum dma_data_direction dir)
{
	if (r->options.verify && !live->idle && device_writes(dir) && device_writes(live->dir))
		look_part(r, live, CPU_CHECK, at, len);
}

void data_before_sync_for_device(struct replay *r, struct live *live, uint64_t at, uint64_t len,
				 enum dma_data_direction dir)
{
	end_idle(live, at, len, dir);
	if (!r->options.verify || live->idle || !device_reads(dir))
		return;
	if (device_reads(live->dir))
		renew_part(r, live, CPU_FILL, at, len);
	else
		look_part(r, live, CPU_FILL, at, len);
}

void data_after_sync_for_device(struct replay *r, struct live *live, uint64_t at, uint64_t len,
				enum dma_data_direction dir)
{
	if (!r->options.verify || live->idle)
		return;
	if (device_reads(dir) && device_reads(live->dir))
		look_part(r, live, DEVICE_READ, at, len);
	if (neighbours_lost(r, live, len))
		renew(r, live, DEVICE_WRITE);
	else if (device_writes(dir) && device_writes(live->dir))
		renew_part(r, live, DEVICE_WRITE, at, len);
}
