/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools of blocks of three shapes, one of them poisoned: where blocks lie, whose bytes they are, and that the block
 * freed last comes first.
 */
#include "world.h"

#define BIT(reason) ((uint64_t)1 << DMA_REASON_##reason)
#define NO_ROOM	    (BIT(BOUNCE_EXHAUSTED) | BIT(BOUNCE_FRAGMENTED) | BIT(BOUNCE_TOO_LARGE))

void make_blocks(struct world *w)
{
	static const struct block_pool shapes[BLOCK_POOLS] = {
		{ .size = 24, .align = 64 },
		{ .size = 700, .align = 32, .boundary = 2048 },
		{ .size = 4096, .align = 0 },
	};

	for (int i = 0; i < BLOCK_POOLS; i++) {
		struct block_pool *p = &w->blocks[i];

		*p = shapes[i];
		p->pool = dma_pool_create("blocks", w->dev, p->size, p->align, p->boundary);
		assert_non_null(p->pool);
	}
	assert_int_equal(dma_pool_set_poison(w->blocks[1].pool, true), 0);
}

void end_blocks(struct world *w)
{
	for (int i = 0; i < BLOCK_POOLS; i++)
		dma_pool_destroy(w->blocks[i].pool);
	w->expected = w->records;
}

static void expect_place(const struct block_pool *p, dma_addr_t addr)
{
	if (p->align)
		assert_int_equal(addr % p->align, 0);
	if (p->boundary)
		assert_int_equal(addr / p->boundary, (addr + p->size - 1) / p->boundary);
}

void step_block(struct world *w)
{
	struct model_memory *mem = pick_memory(w, false);
	unsigned int number = (unsigned int)chance(w, BLOCK_POOLS);
	struct block_pool *p = &w->blocks[number];
	bool zero = chance(w, 2);
	struct allocation *a;

	if (!mem)
		return;
	a = &w->allocation[mem - w->model.memory];
	*a = (struct allocation){ .by = BLOCK, .touchable = true, .pool = number };
	*mem = (struct model_memory){ .size = p->size, .dir = DMA_BIDIRECTIONAL };
	a->ptr = dma_pool_alloc(p->pool, zero ? GFP_KERNEL | DMAMAP_GFP_ZERO : GFP_KERNEL,
				&mem->addr);
	if (p->nr_freed)
		assert_ptr_equal(a->ptr, p->freed[--p->nr_freed]);
	else if (w->records != w->expected)
		w->expected++; /* a unit was added */
	if (!a->ptr) {
		w->expected = w->records; /* a unit may have come and gone */
		expect_refusal(w, w->model.route.pool_memory ? NO_ROOM : 0);
		return;
	}
	expect_place(p, mem->addr);
	model_add_unit(&w->model, mem->addr);
	assert_true(model_alloc(&w->model, mem));
	if (!zero)
		memset(a->ptr, 0, mem->size);
}

void free_block(struct world *w, struct model_memory *mem)
{
	struct allocation *a = &w->allocation[mem - w->model.memory];
	struct block_pool *p = &w->blocks[a->pool];

	dma_pool_free(p->pool, a->ptr, mem->addr);
	p->freed[p->nr_freed++] = a->ptr;
	model_free(mem);
}
