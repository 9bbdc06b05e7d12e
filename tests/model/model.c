/* SPDX-License-Identifier: BSD-2-Clause */
/* The reference model; see model.h. Slow and obvious on purpose. */
#include "model.h"

#include <stdlib.h>

#define BIT(reason) ((uint64_t)1 << DMA_REASON_##reason)
#define NO_ROOM	    (BIT(BOUNCE_EXHAUSTED) | BIT(BOUNCE_FRAGMENTED) | BIT(BOUNCE_TOO_LARGE))

/** The device address of one byte, by the first window that has it. */
static bool translate_byte(const struct model_route *r, phys_addr_t phys, dma_addr_t *addr)
{
	const struct dma_range *w = r->window;

	*addr = phys;
	if (!w)
		return true;
	while (w->size && (phys < w->cpu || phys - w->cpu >= w->size))
		w++;
	*addr = w->dma + (phys - w->cpu);
	return w->size != 0;
}

/** Does every byte have its place behind the one before it? *@last: that of the last. */
static bool translate(const struct model_route *r, phys_addr_t phys, uint64_t size,
		      dma_addr_t *last)
{
	dma_addr_t first;

	*last = phys + size - 1;
	if (!r->window)
		return true;
	if (!translate_byte(r, phys, &first))
		return false;
	for (uint64_t i = 0; i < size; i++)
		if (!translate_byte(r, phys + i, last) || *last != first + i)
			return false;
	return true;
}

/** Blocks of 8, 16, 32, 64, 96, 128: which below twice the line of 64 is no multiple of it? */
static bool is_small(const struct model_route *r, uint64_t size, enum dma_data_direction dir)
{
	return r->small_bounce && dir != DMA_TO_DEVICE && (size <= 32 || (size > 64 && size <= 96));
}

static struct model_verdict judge_direct(const struct model_route *r, phys_addr_t phys,
					 uint64_t size, bool small, bool mmio)
{
	struct model_verdict v = { 0 };
	uint64_t last = 0;
	uint64_t why = 0;

	if (r->force_bounce) {
		v.copied = !mmio;
		v.must = mmio ? BIT(MMIO_CANNOT_BOUNCE) : 0;
		v.may = mmio ? 0 : NO_ROOM;
		return v;
	}
	if (!translate(r, phys, size, &last))
		why = BIT(OUTSIDE_RANGE_MAP);
	else if (last > r->limit)
		why = r->bus_limit == r->limit ? BIT(BEYOND_BUS_LIMIT) : BIT(BEYOND_MASK);
	v.copied = r->private_copies && !mmio;
	if (why && mmio)
		v.must = why;
	if ((why || small) && !mmio) {
		v.copied = true;
		v.may = NO_ROOM;
	}
	return v;
}

/** A peer's memory at its bus address is not mapped; only the mask may be in the way. */
static struct model_verdict judge_bus(const struct model_route *r, uint64_t last)
{
	return (struct model_verdict){ .must = last > r->limit ? BIT(BEYOND_MASK) : 0 };
}

static struct model_verdict judge_ram_or_mmio(const struct model_route *r, phys_addr_t phys,
					      uint64_t size, enum dma_data_direction dir, bool mmio)
{
	bool partial = ((phys | size) & (model_granule(r) - 1)) != 0;
	bool small = !mmio && is_small(r, size, dir);
	struct model_verdict v = { 0 };

	if (r->route == DMA_ROUTE_DIRECT) {
		v = judge_direct(r, phys, size, small, mmio);
		v.small = small;
		return v;
	}
	v.copied = r->private_copies && !mmio;
	if (r->route == DMA_ROUTE_OPS) {
		v.must = mmio && r->no_mmio_method ? BIT(NO_METHOD) : 0;
		return v;
	}
	v.may = BIT(NO_IOVA);
	if (r->untrusted && mmio && partial)
		v.must = BIT(MMIO_ALIGNMENT);
	if (r->untrusted && !mmio && r->reads_back && dir == DMA_FROM_DEVICE)
		v.must = BIT(READ_BACK);
	if ((r->untrusted || small) && !mmio && partial) {
		v.small = small;
		v.copied = true;
		v.may |= NO_ROOM;
	}
	return v;
}

struct model_verdict model_judge(const struct model *model, const struct model_piece *p,
				 enum dma_data_direction dir)
{
	const struct model_area *area = model_area((struct model *)(uintptr_t)model, p->phys);

	if (p->place == MODEL_REFUSED)
		return (struct model_verdict){ .must = BIT(P2P_BRIDGE_NOT_LISTED) };
	if (p->place == MODEL_BUS)
		return judge_bus(&model->route, p->phys + area->bus_offset + p->len - 1);
	return judge_ram_or_mmio(&model->route, p->phys, p->len, dir, p->place == MODEL_MMIO);
}

struct model_area *model_area(struct model *model, phys_addr_t phys)
{
	for (int i = 0; i < MODEL_AREAS; i++)
		if (phys >= model->area[i].base && phys < model->area[i].base + MODEL_AREA)
			return &model->area[i];
	abort(); /* a bug of the test */
}

uint8_t *model_byte(struct model *model, phys_addr_t phys)
{
	struct model_area *area = model_area(model, phys);

	return &area->bytes[phys - area->base];
}

/** The piece that has the @index-th byte, which becomes the index in it. */
static struct model_piece *piece_of(struct model_mapping *m, uint64_t *index)
{
	unsigned int i = 0;

	while (*index >= m->piece[i].len)
		*index -= m->piece[i++].len;
	return &m->piece[i];
}

/** The CPU's byte behind the @index-th byte of a mapping. */
static uint8_t *cpu_byte(struct model *model, struct model_mapping *m, uint64_t index)
{
	const struct model_piece *p = piece_of(m, &index);

	return model_byte(model, p->phys + index);
}

uint8_t *model_device_byte(struct model *model, struct model_mapping *m, uint64_t index)
{
	uint64_t in_piece = index;

	return piece_of(m, &in_piece)->copied ? &m->copy[index] : cpu_byte(model, m, index);
}

/* --- which addresses are legal */

/** Merging respects the device's limits; an element that is too long by itself is the caller's affair. */
static bool legal_merge(const struct model *model, const struct model_mapping *m)
{
	uint64_t boundary = model->route.boundary;
	uint64_t longest = 0;

	for (unsigned int i = 0; i < m->pieces; i++)
		if (m->piece[i].len > longest)
			longest = m->piece[i].len;
	for (unsigned int i = 0; boundary && i < m->segments; i++) {
		const struct model_segment *s = &m->segment[i];

		if (s->len > model->route.max_segment && s->len > longest)
			return false;
		if (longest + 2 * model_granule(&model->route) <= boundary &&
		    (s->addr & boundary) + s->len - 1 > boundary)
			return false;
	}
	return true;
}

/** A segment of a vector is as long as the device's limits allow. */
static bool legal_cut(const struct model_route *r, const struct model_segment *s)
{
	uint64_t boundary = r->boundary ? r->boundary : DMA_BIT_MASK(32);
	uint64_t most = r->max_segment ? r->max_segment : 0x10000;

	return s->len <= most && (s->addr & boundary) + s->len - 1 <= boundary;
}

/** Does a device of the direct route see the byte at @offset of a piece at @addr? That of a copy is elsewhere. */
static bool legal_direct(const struct model *model, const struct model_mapping *m,
			 const struct model_piece *p, uint64_t offset, dma_addr_t addr)
{
	struct model_route plain = model->route;
	bool mmio = p->place == MODEL_MMIO;
	bool small = !mmio && is_small(&plain, p->len, m->dir);
	dma_addr_t plainly;
	bool known = translate_byte(&plain, p->phys + offset, &plainly);

	plain.private_copies = false;
	if (judge_direct(&plain, p->phys, p->len, small, mmio).copied)
		return !known || plainly != addr;
	return known && plainly == addr;
}

/** Segment by segment: where in the pieces does it begin, and may it be there? */
static bool legal_places(struct model *model, struct model_mapping *m)
{
	const struct model_route *r = &model->route;
	uint64_t at = 0;

	for (unsigned int i = 0; i < m->segments; at += m->segment[i++].len) {
		const struct model_segment *s = &m->segment[i];
		uint64_t in_piece = at;
		const struct model_piece *p = piece_of(m, &in_piece);
		bool whole = s->len <= p->len - in_piece;

		if (m->kind == MODEL_VECTOR && !legal_cut(r, s))
			return false;
		if (p->place == MODEL_BUS) {
			if (!whole ||
			    s->addr != p->phys + in_piece + model_area(model, p->phys)->bus_offset)
				return false;
			continue;
		}
		if (r->route == DMA_ROUTE_IOMMU)
			continue;
		if (!whole || (m->kind != MODEL_VECTOR && s->len != p->len))
			return false;
		if (r->route == DMA_ROUTE_DIRECT && !legal_direct(model, m, p, in_piece, s->addr))
			return false;
	}
	return true;
}

/** Within reach, in order, and all of it. */
static bool legal_addresses(struct model *model, struct model_mapping *m)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < m->segments; i++) {
		const struct model_segment *s = &m->segment[i];

		total += s->len;
		if (!s->len || s->addr + s->len - 1 < s->addr ||
		    s->addr + s->len - 1 > model->route.limit)
			return false;
	}
	return total == m->size && legal_places(model, m);
}

static bool share_granule(const struct model *model, dma_addr_t a, uint64_t a_len, dma_addr_t b,
			  uint64_t b_len)
{
	uint64_t granule = model_granule(&model->route);

	return a / granule <= (b + b_len - 1) / granule && b / granule <= (a + a_len - 1) / granule;
}

/** Is the @index-th segment of a mapping one that the bus decides, and no table? */
static bool is_bus(const struct model_mapping *m, unsigned int index)
{
	struct model_mapping *any = (struct model_mapping *)(uintptr_t)m;
	uint64_t at = 0;

	for (unsigned int i = 0; i < index; i++)
		at += m->segment[i].len;
	return piece_of(any, &at)->place == MODEL_BUS;
}

/** Does a live mapping other than @but share a granule with [addr, addr + len)? */
static bool meets_mapping(const struct model *model, const struct model_mapping *but,
			  dma_addr_t addr, uint64_t len)
{
	for (const struct model_mapping *o = model->mapping; o < model->mapping + MODEL_MAPPINGS;
	     o++)
		for (unsigned int i = 0; o != but && o->live && i < o->segments; i++)
			if (!is_bus(o, i) &&
			    share_granule(model, o->segment[i].addr, o->segment[i].len, addr, len))
				return true;
	return false;
}

/** ... or a live allocation? */
static bool meets_memory(const struct model *model, dma_addr_t addr, uint64_t len)
{
	for (const struct model_memory *o = model->memory; o < model->memory + MODEL_MEMORIES; o++)
		if (o->live && share_granule(model, o->addr, o->size, addr, len))
			return true;
	return false;
}

/** No other live mapping or allocation of the same address space shares a granule. */
static bool overlaps(const struct model *model, const struct model_mapping *m)
{
	for (unsigned int i = 0; i < m->segments; i++) {
		const struct model_segment *s = &m->segment[i];

		if (!is_bus(m, i) && (meets_mapping(model, m, s->addr, s->len) ||
				      meets_memory(model, s->addr, s->len)))
			return true;
	}
	return false;
}

/* --- life of a mapping */

bool model_map(struct model *model, struct model_mapping *m)
{
	uint64_t at = 0;

	m->copy = malloc(m->size);
	m->device_owns = true;
	m->live = true;
	for (unsigned int i = 0; i < m->pieces; at += m->piece[i++].len)
		for (uint64_t b = 0; m->piece[i].copied && b < m->piece[i].len; b++)
			m->copy[at + b] = *model_byte(model, m->piece[i].phys + b);
	if (model->route.route == DMA_ROUTE_IOMMU && overlaps(model, m))
		return false;
	return legal_addresses(model, m) && (m->kind != MODEL_LIST || legal_merge(model, m));
}

/** Bytes [from, to) of one piece that is copied, whose copy is at @copy. */
static void sync_piece(struct model *model, const struct model_piece *p, uint8_t *copy,
		       uint64_t from, uint64_t to, bool for_cpu)
{
	for (uint64_t i = from; i < to && i < p->len; i++) {
		uint8_t *cpu = model_byte(model, p->phys + i);

		if (for_cpu)
			*cpu = copy[i];
		else
			copy[i] = *cpu;
	}
}

void model_sync(struct model *model, struct model_mapping *m, uint64_t from, uint64_t len,
		bool for_cpu)
{
	uint64_t at = 0;

	if (m->dir == (for_cpu ? DMA_TO_DEVICE : DMA_FROM_DEVICE))
		return;
	for (unsigned int i = 0; i < m->pieces; at += m->piece[i++].len)
		if (m->piece[i].copied && from + len > at)
			sync_piece(model, &m->piece[i], m->copy + at, from > at ? from - at : 0,
				   from + len - at, for_cpu);
}

void model_unmap(struct model *model, struct model_mapping *m, bool skip_sync)
{
	if (!skip_sync)
		model_sync(model, m, 0, m->size, true);
	free(m->copy);
	m->copy = NULL;
	m->live = false;
}

/* --- allocated memory */

bool model_alloc(struct model *model, struct model_memory *mem)
{
	const struct model_route *r = &model->route;
	dma_addr_t last = mem->addr + mem->size - 1;

	mem->live = true;
	mem->device_owns = !mem->streamed;
	mem->bytes = calloc(1, mem->size);
	mem->copy = mem->streamed && r->private_copies ? calloc(1, mem->size) : NULL;
	if (last < mem->addr || last > r->limit)
		return false;
	/* blocks of one pool share granules, so that only their bytes tell */
	return !meets_mapping(model, NULL, mem->addr, mem->size) || r->route != DMA_ROUTE_IOMMU;
}

uint8_t *model_memory_byte(struct model_memory *mem, uint64_t index)
{
	return mem->copy ? &mem->copy[index] : &mem->bytes[index];
}

void model_memory_sync(struct model_memory *mem, uint64_t from, uint64_t len, bool for_cpu)
{
	for (uint64_t i = from; mem->copy && i < from + len; i++) {
		if (for_cpu && mem->dir != DMA_TO_DEVICE)
			mem->bytes[i] = mem->copy[i];
		if (!for_cpu && mem->dir != DMA_FROM_DEVICE)
			mem->copy[i] = mem->bytes[i];
	}
}

void model_free(struct model_memory *mem)
{
	free(mem->bytes);
	free(mem->copy);
	*mem = (struct model_memory){ .live = false };
}

void model_add_unit(struct model *model, dma_addr_t addr)
{
	for (unsigned int i = 0; i < model->units; i++)
		if (model->unit[i] == addr / model_granule(&model->route))
			return;
	if (model->units == MODEL_UNITS)
		abort(); /* a bug of the test */
	model->unit[model->units++] = addr / model_granule(&model->route);
}

/* --- what the device reaches */

bool model_reaches(const struct model *model, dma_addr_t addr, bool write)
{
	enum dma_data_direction not = write ? DMA_TO_DEVICE : DMA_FROM_DEVICE;

	if (!write && model->route.reads_back)
		not = DMA_NONE;
	for (const struct model_mapping *m = model->mapping; m < model->mapping + MODEL_MAPPINGS;
	     m++)
		for (unsigned int i = 0; m->live && m->dir != not &&i < m->segments; i++)
			if (!is_bus(m, i) &&
			    share_granule(model, m->segment[i].addr, m->segment[i].len, addr, 1))
				return true;
	for (const struct model_memory *mem = model->memory; mem < model->memory + MODEL_MEMORIES;
	     mem++)
		if (mem->live &&
		    mem->dir != not &&share_granule(model, mem->addr, mem->size, addr, 1))
			return true;
	return false;
}

bool model_undecided(const struct model *model, dma_addr_t addr)
{
	for (int i = 0; i < MODEL_AREAS; i++) {
		const struct model_area *area = &model->area[i];

		if (area->bus_offset && addr - (area->base + area->bus_offset) < MODEL_AREA)
			return true;
	}
	for (unsigned int i = 0; i < model->units; i++)
		if (model->unit[i] == addr / model_granule(&model->route))
			return true;
	return false;
}
