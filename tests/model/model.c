/* SPDX-License-Identifier: BSD-2-Clause */
/* The reference model; see model.h. Slow and obvious on purpose. */
#include "model.h"

#include <stdlib.h>

#define BIT(reason) ((uint64_t)1 << DMA_REASON_##reason)
#define NO_ROOM	    (BIT(BOUNCE_EXHAUSTED) | BIT(BOUNCE_FRAGMENTED) | BIT(BOUNCE_TOO_LARGE))
#define GRANULE	    4096u

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

struct model_verdict model_judge(const struct model *model, phys_addr_t phys, uint64_t size,
				 enum dma_data_direction dir, bool mmio)
{
	const struct model_route *r = &model->route;
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
	v.may = BIT(NO_IOVA) | BIT(NO_MEMORY);
	if ((r->untrusted || small) && !mmio && ((phys | size) & (GRANULE - 1))) {
		v.small = small;
		v.copied = true;
		v.may |= NO_ROOM;
	}
	return v;
}

uint8_t *model_byte(struct model *model, phys_addr_t phys)
{
	for (int i = 0; i < MODEL_AREAS; i++)
		if (phys >= model->area[i].base && phys < model->area[i].base + MODEL_AREA)
			return &model->area[i].bytes[phys - model->area[i].base];
	abort(); /* a bug of the test */
}

/** The CPU's byte behind the @index-th byte of a mapping. */
static uint8_t *cpu_byte(struct model *model, struct model_mapping *m, uint64_t index)
{
	unsigned int i = 0;

	while (index >= m->piece[i].len)
		index -= m->piece[i++].len;
	return model_byte(model, m->piece[i].phys + index);
}

uint8_t *model_device_byte(struct model *model, struct model_mapping *m, uint64_t index)
{
	return m->copied ? &m->copy[index] : cpu_byte(model, m, index);
}

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
		if (longest + 2 * GRANULE <= boundary &&
		    (s->addr & boundary) + s->len - 1 > boundary)
			return false;
	}
	return true;
}

/** A direct address is the translated physical one, and a copy's is not. */
static bool legal_direct(const struct model *model, const struct model_mapping *m, unsigned int i)
{
	const struct model_piece *p = &m->piece[i];
	struct model_route plain = model->route;
	bool small = !m->mmio && is_small(&plain, p->len, m->dir);
	dma_addr_t addr;

	plain.private_copies = false;
	if (judge_direct(&plain, p->phys, p->len, small, m->mmio).copied)
		return !translate_byte(&plain, p->phys, &addr) || m->segment[i].addr != addr;
	return translate_byte(&plain, p->phys, &addr) && m->segment[i].addr == addr;
}

/** Within reach, in order, and all of it. */
static bool legal_addresses(const struct model *model, const struct model_mapping *m)
{
	const struct model_route *r = &model->route;
	uint64_t total = 0;

	for (unsigned int i = 0; i < m->segments; i++) {
		const struct model_segment *s = &m->segment[i];

		total += s->len;
		if (!s->len || s->addr + s->len - 1 < s->addr || s->addr + s->len - 1 > r->limit)
			return false;
		if (r->route == DMA_ROUTE_IOMMU)
			continue;
		if (m->segments != m->pieces || s->len != m->piece[i].len)
			return false;
		if (r->route == DMA_ROUTE_DIRECT && !legal_direct(model, m, i))
			return false;
	}
	return total == m->size;
}

/** No other live mapping of the same address space shares a granule. */
static bool overlaps(const struct model *model, const struct model_mapping *m)
{
	for (const struct model_mapping *o = model->mapping; o < model->mapping + MODEL_MAPPINGS;
	     o++)
		for (unsigned int i = 0; o != m && o->live && i < o->segments; i++)
			for (unsigned int j = 0; j < m->segments; j++)
				if (o->segment[i].addr / GRANULE <=
					    (m->segment[j].addr + m->segment[j].len - 1) /
						    GRANULE &&
				    m->segment[j].addr / GRANULE <=
					    (o->segment[i].addr + o->segment[i].len - 1) / GRANULE)
					return true;
	return false;
}

bool model_map(struct model *model, struct model_mapping *m, bool copied)
{
	m->copied = copied;
	m->copy = copied ? malloc(m->size) : NULL;
	m->device_owns = true;
	m->live = true;
	for (uint64_t i = 0; copied && i < m->size; i++)
		m->copy[i] = *cpu_byte(model, m, i);
	if (model->route.route == DMA_ROUTE_IOMMU && overlaps(model, m))
		return false;
	return legal_addresses(model, m) && legal_merge(model, m);
}

void model_sync(struct model *model, struct model_mapping *m, uint64_t from, uint64_t len,
		bool for_cpu)
{
	for (uint64_t i = from; m->copied && i < from + len; i++) {
		if (for_cpu && m->dir != DMA_TO_DEVICE)
			*cpu_byte(model, m, i) = m->copy[i];
		if (!for_cpu && m->dir != DMA_FROM_DEVICE)
			m->copy[i] = *cpu_byte(model, m, i);
	}
}

void model_unmap(struct model *model, struct model_mapping *m, bool skip_sync)
{
	if (!skip_sync)
		model_sync(model, m, 0, m->size, true);
	free(m->copy);
	m->copy = NULL;
	m->live = false;
}

bool model_reaches(const struct model *model, dma_addr_t addr, bool write)
{
	for (const struct model_mapping *m = model->mapping; m < model->mapping + MODEL_MAPPINGS;
	     m++) {
		if (!m->live || m->dir == (write ? DMA_TO_DEVICE : DMA_FROM_DEVICE))
			continue;
		for (unsigned int i = 0; i < m->segments; i++)
			if (addr / GRANULE >= m->segment[i].addr / GRANULE &&
			    addr / GRANULE <=
				    (m->segment[i].addr + m->segment[i].len - 1) / GRANULE)
				return true;
	}
	return false;
}
