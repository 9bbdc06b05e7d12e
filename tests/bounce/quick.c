/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The quick way and the thorough one are the same: two machines go through the same maps and unmaps; one of the pools
 * counts its peak exactly, which keeps it off the quick way. After each step both have the same slots, bytes and figures.
 */
#include "machine.h"

#include <string.h>

#define MANY   96
#define PAGES  250 /* the last area is cut off in the middle of a word */
#define ROUNDS 200
#define STEPS  400

struct mapping {
	phys_addr_t copy, orig;
	uint64_t size;
};

struct pair {
	struct machine *quick, *thorough;
	struct mapping live[MANY];
	unsigned int n, most;
	uint64_t seed;
};

static struct machine *make(const struct dma_bounce_config *config, const struct dma_parms *parms,
			    uint64_t limit)
{
	struct machine *m = machine_new();

	m->host.trace = NULL;
	m->parms = *parms;
	machine_pool_config(m, *config);
	assert_int_equal(dmamap_device_set_bus_limit(&m->dev, limit), 0);
	return m;
}

/* One that is usual, and ones that are not, in every respect. */
static void any_pair(struct pair *p)
{
	static const uint32_t slots[] = { 2048, 512, 4096 };
	static const uint32_t keep[] = { 0, 0, 0xfff, 0x1ff, 0x3fff };
	static const uint64_t boundaries[] = { 0, ~UINT64_C(0), 0xffffffff, 0x3fff, 0x7ff };
	struct dma_bounce_config config = {
		.bytes = PAGES * PAGE,
		.base = POOL,
		.slot_size = slots[rnd_below(&p->seed, 3)],
		.segment_slots = rnd_below(&p->seed, 2) ? 0 : 16u << rnd_below(&p->seed, 4),
		.areas = 1u << rnd_below(&p->seed, 3),
		.flags = rnd_below(&p->seed, 4) ? 0 : DMA_BOUNCE_SCRUB,
	};
	const struct dma_parms parms = {
		.min_align_mask = keep[rnd_below(&p->seed, 5)],
		.segment_boundary_mask = boundaries[rnd_below(&p->seed, 5)],
	};
	/* All of the pool, or a part of it. */
	uint64_t limit = rnd_below(&p->seed, 3) ? 0 : POOL + 100 * PAGE - 1;

	p->n = 0;
	p->most = rnd_below(&p->seed, 2) ? MANY : 6;
	p->quick = make(&config, &parms, limit);
	config.flags |= DMA_BOUNCE_TRACK_PEAK;
	p->thorough = make(&config, &parms, limit);
}

static void expect_same(struct pair *p)
{
	struct dma_bounce_stats a = stats(p->quick), b = stats(p->thorough);

	assert_int_equal(a.used_slots, b.used_slots);
	if (a.areas == 1) /* else it is a sum of different moments */
		assert_int_equal(a.peak_slots, b.peak_slots);
	assert_int_equal(a.longest_run, b.longest_run);
	assert_int_equal(a.maps, b.maps);
	assert_int_equal(a.failures, b.failures);
}

static void map_both(struct pair *p)
{
	struct mapping *m = &p->live[p->n];
	uint64_t align = rnd_below(&p->seed, 4) ? 0 : (UINT64_C(512) << rnd_below(&p->seed, 5)) - 1;
	uint64_t most = rnd_below(&p->seed, 4) ? 2 * PAGE : 100 * PAGE;
	unsigned int how = rnd_below(&p->seed, 2) ? BOUNCE_ZERO_REST : 0;
	struct dma_error why[2] = { { .reason = DMA_REASON_NONE }, { .reason = DMA_REASON_NONE } };

	if (p->n == p->most)
		return;
	m->orig = BUF + rnd_below(&p->seed, 64 * PAGE);
	m->size = rnd_below(&p->seed, most);
	if (rnd_below(&p->seed, 50) == 0) {
		m->orig = 0;
		m->size = ~UINT64_C(0) - rnd_below(&p->seed, 3);
	}
	m->copy = dmamap_bounce_map(&p->quick->dev, m->orig, m->size, align, how, &why[0]);
	assert_true(dmamap_bounce_map(&p->thorough->dev, m->orig, m->size, align, how, &why[1]) ==
		    m->copy);
	assert_int_equal(why[0].reason, why[1].reason);
	assert_int_equal(why[0].have, why[1].have);
	if (m->copy == DMAMAP_PHYS_NONE)
		return;
	assert_memory_equal(ram(p->quick, m->copy), ram(p->quick, m->orig), m->size);
	/* The device writes, and what it leaves is seen after the unmap. */
	pattern(p->quick, m->copy, m->size / 2, p->n);
	pattern(p->thorough, m->copy, m->size / 2, p->n);
	p->n++;
}

static void unmap_both(struct pair *p)
{
	uint64_t i = rnd_below(&p->seed, p->most);
	enum dma_data_direction dir = (enum dma_data_direction)rnd_below(&p->seed, 3);
	/* Sometimes one that does not begin there, or has gone. */
	uint64_t off = rnd_below(&p->seed, 8) ? 0 : rnd_below(&p->seed, PAGE);
	phys_addr_t addr;
	bool done;

	if (i >= p->n)
		return;
	addr = p->live[i].copy + off;
	if (rnd_below(&p->seed, 8) == 0) /* where an area begins, maybe in the middle of it */
		addr = POOL + PAGE * 32 * rnd_below(&p->seed, 8) + addr % 512;
	done = unmap(p->quick, addr, p->live[i].size, dir);
	assert_int_equal(unmap(p->thorough, addr, p->live[i].size, dir), done);
	if (!done)
		return;
	for (uint64_t n = 0; n < p->n; n++) /* it may have been another one's beginning */
		if (p->live[n].copy == addr)
			i = n;
	p->live[i] = p->live[--p->n];
}

/* Coherent memory is no mapping. */
static void block_both(struct pair *p)
{
	struct dma_error why[2];
	phys_addr_t block = dmamap_bounce_alloc(&p->quick->dev, PAGE, &why[0]);

	assert_true(dmamap_bounce_alloc(&p->thorough->dev, PAGE, &why[1]) == block);
	if (block == DMAMAP_PHYS_NONE)
		return;
	assert_false(unmap(p->quick, block, PAGE, DMA_TO_DEVICE));
	assert_false(unmap(p->thorough, block, PAGE, DMA_TO_DEVICE));
	assert_true(dmamap_bounce_free(&p->quick->dev, block));
	assert_true(dmamap_bounce_free(&p->thorough->dev, block));
}

static void same_steps(void **state)
{
	struct pair p = { .seed = seed_get() };

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		any_pair(&p);
		for (int i = 0; i < STEPS; i++) {
			test_cpu = (unsigned int)rnd_below(&p.seed, 4);
			if (rnd_below(&p.seed, 16) == 0)
				block_both(&p);
			else if (rnd_below(&p.seed, 2))
				map_both(&p);
			else
				unmap_both(&p);
			expect_same(&p);
		}
		while (p.n) {
			p.n--;
			assert_true(
				unmap(p.quick, p.live[p.n].copy, p.live[p.n].size, DMA_TO_DEVICE));
			assert_true(unmap(p.thorough, p.live[p.n].copy, p.live[p.n].size,
					  DMA_TO_DEVICE));
		}
		expect_same(&p);
		assert_memory_equal(ram(p.quick, POOL), ram(p.thorough, POOL), PAGES * PAGE);
		assert_memory_equal(ram(p.quick, BUF), ram(p.thorough, BUF), 128 * PAGE);
		machine_free(p.quick);
		machine_free(p.thorough);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
