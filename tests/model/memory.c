/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocated memory, which lives on between steps: coherent with attributes, pages, and pieces. The first is one view for
 * both sides; the others belong to one side at a time.
 */
#include "world.h"

#define BIT(reason) ((uint64_t)1 << DMA_REASON_##reason)
#define NO_ROOM	    (BIT(BOUNCE_EXHAUSTED) | BIT(BOUNCE_FRAGMENTED) | BIT(BOUNCE_TOO_LARGE))

static struct allocation *allocation_of(struct world *w, const struct model_memory *mem)
{
	return &w->allocation[mem - w->model.memory];
}

/* --- alloc */

/** Reasons for which an allocation may be refused. */
static uint64_t excuses(const struct world *w, bool pages)
{
	uint64_t reasons = w->model.route.pool_memory ? NO_ROOM : 0;

	return pages && w->model.route.route == DMA_ROUTE_OPS ? reasons | BIT(NO_METHOD) : reasons;
}

static unsigned long any_attrs(struct world *w)
{
	static const unsigned long some[] = { 0,
					      DMA_ATTR_NO_KERNEL_MAPPING,
					      DMA_ATTR_WRITE_COMBINE,
					      DMA_ATTR_FORCE_CONTIGUOUS,
					      DMA_ATTR_ALLOC_SINGLE_PAGES,
					      DMA_ATTR_NO_WARN };
	unsigned long attrs = some[chance(w, sizeof(some) / sizeof(some[0]))];

	/* only the direct route makes no view, and there the address is a word */
	return w->model.route.arch_limit ? attrs & ~DMA_ATTR_NO_KERNEL_MAPPING : attrs;
}

static void alloc_attrs(struct world *w, struct model_memory *mem, struct allocation *a)
{
	a->by = ATTRS;
	a->attrs = any_attrs(w);
	a->touchable = !(a->attrs & DMA_ATTR_NO_KERNEL_MAPPING) ||
		       w->model.route.route != DMA_ROUTE_DIRECT;
	mem->dir = DMA_BIDIRECTIONAL;
	a->ptr = dma_alloc_attrs(w->dev, mem->size, &mem->addr,
				 chance(w, 2) ? GFP_KERNEL : GFP_ATOMIC, a->attrs);
}

static void alloc_streamed(struct world *w, struct model_memory *mem, struct allocation *a)
{
	unsigned long attrs = chance(w, 2) ? DMA_ATTR_ALLOC_SINGLE_PAGES : 0;

	mem->dir = any_dir(w);
	mem->streamed = true;
	a->touchable = true;
	switch (chance(w, 3)) {
	case 0:
		a->by = PAGES;
		a->ptr = dma_alloc_pages(w->dev, mem->size, &mem->addr, mem->dir, GFP_KERNEL);
		break;
	case 1:
		a->by = NONCOHERENT;
		a->ptr = dma_alloc_noncoherent(w->dev, mem->size, &mem->addr, mem->dir, GFP_KERNEL);
		break;
	default:
		a->by = PIECES;
		a->pieces = dma_alloc_noncontiguous(w->dev, mem->size, mem->dir, GFP_KERNEL, attrs);
		a->ptr = a->pieces;
		mem->addr = a->pieces ? sg_dma_address(a->pieces->sgl) : 0;
	}
}

void step_alloc(struct world *w)
{
	struct model_memory *mem = pick_memory(w, false);
	struct allocation *a;

	if (!mem)
		return;
	*mem = (struct model_memory){ .size = 1 + chance(w, chance(w, 8) ? 0x5000 : 0x20000) };
	a = allocation_of(w, mem);
	*a = (struct allocation){ .by = ATTRS };
	if (chance(w, 2))
		alloc_attrs(w, mem, a);
	else
		alloc_streamed(w, mem, a);
	w->expected++;
	if (a->ptr)
		assert_true(model_alloc(&w->model, mem));
	else
		expect_refusal(w, excuses(w, mem->streamed));
}

/* --- free */

void free_memory(struct world *w, struct model_memory *mem)
{
	struct allocation *a = allocation_of(w, mem);

	if (a->by == BLOCK) {
		free_block(w, mem);
		return;
	}
	if (a->by == ATTRS)
		dma_free_attrs(w->dev, mem->size, a->ptr, mem->addr, a->attrs);
	else if (a->by == PAGES)
		dma_free_pages(w->dev, mem->size, a->ptr, mem->addr, mem->dir);
	else if (a->by == NONCOHERENT)
		dma_free_noncoherent(w->dev, mem->size, a->ptr, mem->addr, mem->dir);
	else
		dma_free_noncontiguous(w->dev, mem->size, a->pieces, mem->dir);
	w->expected++;
	expect_cut_off(w, mem->addr, mem->dir);
	model_free(mem);
}

void step_free(struct world *w)
{
	struct model_memory *mem = pick_memory(w, true);

	if (mem)
		free_memory(w, mem);
}

/* --- bytes */

/** Pieces, element by element: each in the CPU's ordinary view. */
static void cpu_pieces(struct world *w, const struct allocation *a, uint64_t from, uint8_t *buf,
		       uint64_t len, bool write)
{
	struct scatterlist *sg = a->pieces->sgl;

	for (; len; sg = sg_next(sg)) {
		uint64_t room = from < sg->length ? sg->length - from : 0;
		uint64_t n = room < len ? room : len;

		if (n && write)
			assert_int_equal(sim_cpu_write(w->machine, sg_phys(sg) + from, buf, n), 0);
		else if (n)
			assert_int_equal(sim_cpu_read(w->machine, sg_phys(sg) + from, buf, n), 0);
		from = from < sg->length ? 0 : from - sg->length;
		buf += n;
		len -= n;
	}
}

static void cpu_bytes(struct world *w, struct model_memory *mem, uint64_t from, uint8_t *buf,
		      uint64_t len, bool write)
{
	const struct allocation *a = allocation_of(w, mem);
	struct dma_host *host = sim_host(w->machine);
	phys_addr_t phys;

	if (a->by == PIECES) {
		cpu_pieces(w, a, from, buf, len, write);
		return;
	}
	if (a->by == ATTRS || a->by == BLOCK) {
		if (write)
			memcpy((uint8_t *)a->ptr + from, buf, len);
		else
			memcpy(buf, (uint8_t *)a->ptr + from, len);
		return;
	}
	phys = a->by == PAGES ? dmamap_page_to_phys(a->ptr) : host->virt_to_phys(host, a->ptr);
	if (write)
		assert_int_equal(sim_cpu_write(w->machine, phys + from, buf, len), 0);
	else
		assert_int_equal(sim_cpu_read(w->machine, phys + from, buf, len), 0);
}

static void any_bytes(struct world *w, uint8_t *buf, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		buf[i] = (uint8_t)chance(w, 256);
}

static void cpu_uses(struct world *w, struct model_memory *mem, uint64_t from, uint8_t *buf,
		     uint64_t len)
{
	/* on a non-coherent machine the stores into memory that the device writes are lost or not */
	bool may_write = !mem->copy || mem->dir != DMA_FROM_DEVICE;

	if (may_write && chance(w, 2)) {
		any_bytes(w, buf, len);
		cpu_bytes(w, mem, from, buf, len, true);
		memcpy(mem->bytes + from, buf, len);
	}
	cpu_bytes(w, mem, from, buf, len, false);
	assert_memory_equal(buf, mem->bytes + from, len);
}

static void device_uses(struct world *w, struct model_memory *mem, uint64_t from, uint8_t *buf,
			uint64_t len)
{
	if (mem->dir != DMA_TO_DEVICE && chance(w, 2)) {
		any_bytes(w, buf, len);
		assert_int_equal(sim_dma_write(w->device, mem->addr + from, buf, len, NULL), 0);
		memcpy(model_memory_byte(mem, from), buf, len);
	}
	if (mem->dir == DMA_FROM_DEVICE)
		return;
	assert_int_equal(sim_dma_read(w->device, mem->addr + from, buf, len, NULL), 0);
	assert_memory_equal(buf, model_memory_byte(mem, from), len);
}

void step_memory_data(struct world *w)
{
	struct model_memory *mem = pick_memory(w, true);
	uint64_t from, len;
	uint8_t *buf;
	bool cpu;

	if (!mem)
		return;
	cpu = mem->streamed ? !mem->device_owns : chance(w, 2);
	if (cpu && !allocation_of(w, mem)->touchable)
		return;
	any_part(w, mem->size, &from, &len);
	buf = malloc(len);
	if (cpu)
		cpu_uses(w, mem, from, buf, len);
	else
		device_uses(w, mem, from, buf, len);
	free(buf);
}

/** A whole sync moves ownership; a part, only on coherent machines, does nothing. */
void step_memory_sync(struct world *w)
{
	struct model_memory *mem = pick_memory(w, true);
	bool for_cpu = mem && mem->device_owns;
	uint64_t from = 0;
	uint64_t len;

	if (!mem || !mem->streamed)
		return;
	len = mem->size;
	if (!w->setup->noncoherent && chance(w, 3) == 0)
		any_part(w, len, &from, &len);
	else
		mem->device_owns = !mem->device_owns;
	w->expected++;
	if (allocation_of(w, mem)->by == PIECES && for_cpu)
		dma_sync_sgtable_for_cpu(w->dev, allocation_of(w, mem)->pieces, mem->dir);
	else if (allocation_of(w, mem)->by == PIECES)
		dma_sync_sgtable_for_device(w->dev, allocation_of(w, mem)->pieces, mem->dir);
	else if (for_cpu)
		dma_sync_single_for_cpu(w->dev, mem->addr + from, len, mem->dir);
	else
		dma_sync_single_for_device(w->dev, mem->addr + from, len, mem->dir);
	model_memory_sync(mem, from, len, for_cpu);
}
