/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain that hands out I/O page 0: mappings at the address 0 are mappings like any other, by every way to map, in
 * every format; from a window and from the space behind it.
 */
#include "formats.h"
#include "world.h"

#define HELD 12u

/** Two granules of I/O addresses are left to map in, those at 0. */
struct corner {
	struct world *w;
	struct dma_history *history;
	uint64_t granule;
	phys_addr_t ram; /* 4 granules */
	dma_addr_t held[HELD];
	uint64_t held_granules[HELD];
	unsigned int nr_held;
	struct dma_parms parms;
	/** What the latest event was about. */
	struct dma_observer observer;
	dma_addr_t latest;
};

static void observe(struct dma_observer *observer, const struct dma_event *event)
{
	struct corner *c =
		(struct corner *)(void *)((char *)observer - offsetof(struct corner, observer));

	if (event->reason == DMA_REASON_NONE && event->dev)
		c->latest = event->dma_addr;
}

/** Of a window all but two granules. */
static void hold(struct corner *c)
{
	static const uint64_t sizes[HELD] = { 64, 64, 64, 64, 64, 64, 64, 32, 16, 8, 4, 2 };

	for (; c->nr_held < HELD; c->nr_held++) {
		c->held_granules[c->nr_held] = sizes[c->nr_held];
		c->held[c->nr_held] =
			world_map(c->w, c->ram, sizes[c->nr_held] * c->granule, DMA_TO_DEVICE);
		assert_true(c->held[c->nr_held] != 0);
	}
}

static void corner_begin(struct corner *c, const struct test_format *format,
			 enum dma_invalidation invalidation, bool window)
{
	const struct dma_domain_config policy = { .size = sizeof(policy),
						  .invalidation = invalidation,
						  .use_page_0 = true };
	struct sim_iommu_config unit = format->iommu;
	uint64_t left;

	*c = (struct corner){ .granule = test_format_granule(format) };
	unit.size = sizeof(unit);
	c->w = world_new_with(&unit, &policy, c->granule);
	c->ram = sim_alloc(c->w->m, 4 * c->granule, 4 * c->granule, 0, ~0ull);
	assert_true(c->ram != DMAMAP_PHYS_NONE);
	dma_device_set_parms(c->w->dev, &c->parms);
	assert_int_equal(dma_set_max_seg_size(c->w->dev, 1u << 20), 0);
	left = (window ? 512 : 2) * c->granule;
	assert_int_equal(dma_domain_reserve(c->w->domain, left, format->last - left + 1), 0);
	c->observer.event = observe;
	assert_int_equal(dma_observer_attach(c->w->host, &c->observer), 0);
	c->history = start_history(c->w, 64);
	if (window)
		hold(c);
}

static void corner_end(struct corner *c)
{
	struct dma_domain_stats stats;

	for (unsigned int i = 0; i < c->nr_held; i++)
		dma_unmap_phys(c->w->dev, c->held[i], c->held_granules[i] * c->granule,
			       DMA_TO_DEVICE, 0);
	dma_domain_flush(c->w->domain);
	dma_domain_get_stats(c->w->domain, &stats);
	assert_int_equal(stats.iova_bytes, 0);
	stop_history(c->history);
	assert_int_equal(dma_observer_detach(c->w->host, &c->observer), 0);
	sim_free(c->w->m, c->ram, 4 * c->granule);
	world_end(c->w);
}

/** The device reads at I/O address @addr what lies at @phys. */
static void expect_bytes(struct corner *c, dma_addr_t addr, phys_addr_t phys)
{
	uint64_t there = phys * 0x9e3779b97f4a7c15u;
	uint64_t got = 0;

	assert_int_equal(sim_cpu_write(c->w->m, phys, &there, sizeof(there)), 0);
	assert_int_equal(sim_dma_read(c->w->device, addr, &got, sizeof(got), NULL), 0);
	assert_true(got == there);
}

static void expect_gone(struct corner *c)
{
	uint64_t got;

	dma_domain_flush(c->w->domain);
	assert_int_equal(sim_dma_read(c->w->device, 0, &got, sizeof(got), NULL), -DMAMAP_EFAULT);
	assert_true(c->latest == 0 || c->latest == 16);
}

static void no_more_than_mapped(struct corner *c, uint64_t slack)
{
	struct dma_exposure_totals totals = { .size = sizeof(totals) };

	assert_int_equal(dma_exposure(c->w->domain, c->w->dev, c->history, NULL, NULL, &totals), 0);
	assert_int_equal(totals.exposed, slack);
	assert_int_equal(totals.bytes[DMA_EXPOSED_SLACK], slack);
}

/* --- the ways to map */

static void single(struct corner *c)
{
	struct dma_device *dev = c->w->dev;
	struct dma_history_record record;
	struct dma_error why;
	phys_addr_t phys;

	assert_true(world_map(c->w, c->ram, 2 * c->granule, DMA_TO_DEVICE) == 0);
	assert_int_equal(dma_mapping_error(dev, 0), 0);
	expect_bytes(c, 0, c->ram);
	expect_bytes(c, 2 * c->granule - 8, c->ram + 2 * c->granule - 8);
	assert_int_equal(dma_domain_iova_to_phys(c->w->domain, 0, &phys), 0);
	assert_true(phys == c->ram);
	assert_int_equal(dma_history_find(c->history, dev, NULL, 0, &record), 0);
	assert_true(record.live && record.dma_addr == 0 && record.len == 2 * c->granule);
	no_more_than_mapped(c, 0);
	dma_sync_single_for_cpu(dev, 0, c->granule, DMA_TO_DEVICE);
	dma_sync_single_for_device(dev, 0, c->granule, DMA_TO_DEVICE);
	/* the space is full */
	assert_true(dma_map_phys(dev, c->ram, 2 * c->granule, DMA_TO_DEVICE, 0) ==
		    DMA_MAPPING_ERROR);
	assert_int_equal(dma_last_error(dev, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_NO_IOVA);
	dma_unmap_phys(dev, 0, 2 * c->granule, DMA_TO_DEVICE, 0);
	expect_gone(c);
	assert_int_equal(dma_history_find(c->history, dev, NULL, 0, &record), 0);
	assert_false(record.live);
	/* twice: refused, as elsewhere */
	dma_unmap_phys(dev, 0, 2 * c->granule, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_last_error(dev, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_NOT_MAPPED);
}

/** Inside of the first granule, and no byte of it beyond. */
static void part(struct corner *c)
{
	dma_addr_t addr = world_map(c->w, c->ram + 16, c->granule, DMA_TO_DEVICE);

	assert_true(addr == 16);
	expect_bytes(c, 16, c->ram + 16);
	no_more_than_mapped(c, c->granule);
	dma_unmap_phys(c->w->dev, addr, c->granule, DMA_TO_DEVICE, 0);
	expect_gone(c);
}

static void list(struct corner *c)
{
	struct scatterlist sg[2];

	sg_init_table(sg, 2);
	sg_set_phys(&sg[0], c->ram + 2 * c->granule, (unsigned int)c->granule);
	sg_set_phys(&sg[1], c->ram, (unsigned int)c->granule);
	assert_int_equal(dma_map_sg(c->w->dev, sg, 2, DMA_TO_DEVICE), 1);
	assert_true(sg_dma_address(&sg[0]) == 0 && sg_dma_len(&sg[0]) == 2 * c->granule);
	expect_bytes(c, 0, c->ram + 2 * c->granule);
	expect_bytes(c, c->granule, c->ram);
	no_more_than_mapped(c, 0);
	dma_sync_sg_for_device(c->w->dev, sg, 2, DMA_TO_DEVICE);
	dma_unmap_sg(c->w->dev, sg, 2, DMA_TO_DEVICE);
	expect_gone(c);
}

static void coherent(struct corner *c)
{
	dma_addr_t handle = 1;
	unsigned char *mem = dma_alloc_coherent(c->w->dev, 2 * c->granule, &handle, GFP_KERNEL);
	unsigned char byte = 0x5a;

	assert_non_null(mem);
	assert_true(handle == 0);
	assert_int_equal(sim_dma_write(c->w->device, 3, &byte, 1, NULL), 0);
	assert_int_equal(mem[3], 0x5a);
	no_more_than_mapped(c, 0);
	dma_free_coherent(c->w->dev, 2 * c->granule, mem, handle);
	expect_gone(c);
}

static void managed(struct corner *c)
{
	struct dma_device *dev = c->w->dev;
	dma_addr_t handle = 1;
	void *mem = dmam_alloc_coherent(dev, 2 * c->granule, &handle, GFP_KERNEL);

	assert_true(mem && handle == 0);
	dmam_free_coherent(dev, 2 * c->granule, mem, handle);
	expect_gone(c);
}

static void pieces(struct corner *c)
{
	struct dma_device *dev = c->w->dev;
	struct sg_table *sgt =
		dma_alloc_noncontiguous(dev, 2 * c->granule, DMA_BIDIRECTIONAL, GFP_KERNEL, 0);
	assert_non_null(sgt);
	assert_true(sg_dma_address(sgt->sgl) == 0);
	dma_free_noncontiguous(dev, 2 * c->granule, sgt, DMA_BIDIRECTIONAL);
	expect_gone(c);
}

static void blocks(struct corner *c)
{
	struct dma_pool *pool = dma_pool_create("blocks", c->w->dev, 64, 64, 0);
	dma_addr_t above = world_map(c->w, c->ram, c->granule, DMA_TO_DEVICE);
	unsigned int zeros = 0;
	dma_addr_t handle[8];
	void *block[8];

	assert_true(pool && above == c->granule);
	for (unsigned int i = 0; i < 8; i++) {
		block[i] = dma_pool_alloc(pool, GFP_KERNEL, &handle[i]);
		assert_true(block[i] && handle[i] < c->granule);
		zeros += handle[i] == 0;
	}
	assert_int_equal(zeros, 1);
	for (unsigned int i = 0; i < 8; i++)
		dma_pool_free(pool, block[i], handle[i]);
	dma_pool_destroy(pool);
	dma_unmap_phys(c->w->dev, above, c->granule, DMA_TO_DEVICE, 0);
	c->latest = 0;
	expect_gone(c);
}

static void two_step(struct corner *c)
{
	struct dma_device *dev = c->w->dev;
	uint64_t size = c->granule;
	struct dma_iova_state iova;

	assert_true(dma_iova_try_alloc(dev, &iova, 0, 2 * size));
	assert_true(dma_use_iova(&iova) && iova.addr == 0);
	assert_int_equal(dma_iova_link(dev, &iova, c->ram + size, 0, size, DMA_TO_DEVICE, 0), 0);
	assert_int_equal(dma_iova_link(dev, &iova, c->ram, size, size, DMA_TO_DEVICE, 0), 0);
	assert_int_equal(dma_iova_sync(dev, &iova, 0, 2 * size), 0);
	expect_bytes(c, 0, c->ram + size);
	expect_bytes(c, size, c->ram);
	no_more_than_mapped(c, 0);
	dma_iova_unlink(dev, &iova, 0, size, DMA_TO_DEVICE, 0);
	expect_gone(c);
	assert_int_equal(dma_iova_link(dev, &iova, c->ram, 0, size, DMA_TO_DEVICE, 0), 0);
	assert_int_equal(dma_iova_sync(dev, &iova, 0, size), 0);
	expect_bytes(c, 0, c->ram);
	dma_iova_destroy(dev, &iova, 2 * size, DMA_TO_DEVICE, 0);
	assert_false(dma_use_iova(&iova));
	expect_gone(c);
	/* and without a link */
	assert_true(dma_iova_try_alloc(dev, &iova, 0, 2 * size));
	dma_iova_free(dev, &iova);
	assert_int_equal(dma_device_live(dev), c->nr_held);
}

static void vectors(struct corner *c)
{
	struct dma_phys_vec vec[2] = { { .phys = c->ram + 2 * c->granule, .len = c->granule },
				       { .phys = c->ram, .len = c->granule } };
	struct dma_vec_map map;
	struct dma_vec_seg seg;

	assert_int_equal(dma_vec_map_start(c->w->dev, &map, vec, 2, DMA_TO_DEVICE, 0), 0);
	assert_int_equal(dma_vec_map_next(&map, &seg), 1);
	assert_true(seg.addr == 0);
	expect_bytes(c, 0, c->ram + 2 * c->granule);
	expect_bytes(c, c->granule, c->ram);
	assert_int_equal(dma_vec_sync_for_device(&map, 0, DMA_VEC_ALL), 0);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	expect_gone(c);
}

static void mmio(struct corner *c)
{
	dma_addr_t addr =
		dma_map_resource(c->w->dev, c->w->mmio, 2 * c->granule, DMA_BIDIRECTIONAL, 0);
	unsigned char byte = 7;

	assert_true(addr == 0);
	assert_int_equal(sim_dma_write(c->w->device, 0, &byte, 1, NULL), 0);
	dma_unmap_resource(c->w->dev, 0, 2 * c->granule, DMA_BIDIRECTIONAL, 0);
	expect_gone(c);
}

/** A copy in the pool, for a device that must not see what lies beside it. */
static void copy(struct corner *c)
{
	struct dma_device *dev = c->w->dev;
	unsigned char byte = 0x77;
	dma_addr_t above, addr;

	assert_int_equal(dma_device_set_untrusted(dev, true), 0);
	above = world_map(c->w, c->ram, c->granule, DMA_TO_DEVICE);
	addr = world_map(c->w, c->ram + 2 * c->granule, 64, DMA_BIDIRECTIONAL);
	assert_true(above == c->granule && addr == 0);
	assert_int_equal(sim_dma_write(c->w->device, addr, &byte, 1, NULL), 0);
	no_more_than_mapped(c, 0);
	dma_sync_single_for_cpu(dev, addr, 64, DMA_BIDIRECTIONAL);
	assert_int_equal(*(unsigned char *)sim_cpu_ptr(c->w->m, c->ram + 2 * c->granule, 1), 0x77);
	dma_unmap_phys(dev, addr, 64, DMA_BIDIRECTIONAL, 0);
	expect_gone(c);
	dma_unmap_phys(dev, above, c->granule, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_device_set_untrusted(dev, false), 0);
}

/** From a window: what most small ranges come from. Else from the space. */
static void on(const struct test_format *format, enum dma_invalidation invalidation, bool window)
{
	struct corner c;

	corner_begin(&c, format, invalidation, window);
	single(&c);
	part(&c);
	list(&c);
	coherent(&c);
	managed(&c);
	blocks(&c);
	mmio(&c);
	two_step(&c);
	vectors(&c);
	if (!window) {
		pieces(&c);
		copy(&c);
	}
	corner_end(&c);
}

static void from_the_space(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_TEST_FORMATS; i++) {
		on(&test_formats[i], DMA_INVALIDATION_STRICT, false);
		on(&test_formats[i], DMA_INVALIDATION_LAZY, false);
	}
}

static void from_a_window(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_TEST_FORMATS; i++) {
		on(&test_formats[i], DMA_INVALIDATION_STRICT, true);
		on(&test_formats[i], DMA_INVALIDATION_LAZY, true);
	}
}

/** Nobody asked for it: page 0 is never handed out, and costs nothing. */
static void not_by_default(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct dma_error why;
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_domain_reserve(w->domain, 2 * PAGE, ~0ull - 2 * PAGE), 0);
	addr = world_map(w, w->ram, PAGE, DMA_TO_DEVICE);
	assert_true(addr == PAGE);
	assert_true(dma_map_phys(w->dev, w->ram, PAGE, DMA_TO_DEVICE, 0) == DMA_MAPPING_ERROR);
	assert_int_equal(dma_last_error(w->dev, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_NO_IOVA);
	dma_unmap_phys(w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	world_end(w);
}

/** It can be reserved like any other, also when it was used. */
static void reserved(void **state)
{
	const struct dma_domain_config policy = { .size = sizeof(policy), .use_page_0 = true };
	const struct sim_iommu_config unit = { .size = sizeof(unit) };
	struct world *w = world_new_with(&unit, &policy, 0);
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_domain_reserve(w->domain, PAGE, ~0ull - PAGE), 0);
	addr = world_map(w, w->ram, PAGE, DMA_TO_DEVICE);
	assert_true(addr == 0);
	assert_int_equal(dma_domain_reserve(w->domain, 0, 1), -DMAMAP_EBUSY);
	dma_unmap_phys(w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_domain_reserve(w->domain, 0, 1), 0);
	assert_int_equal(dma_domain_reserve(w->domain, 0, 1), 0);
	assert_true(dma_map_phys(w->dev, w->ram, PAGE, DMA_TO_DEVICE, 0) == DMA_MAPPING_ERROR);
	world_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_the_space),
		cmocka_unit_test(from_a_window),
		cmocka_unit_test(not_by_default),
		cmocka_unit_test(reserved),
	};

	return cmocka_run_group_tests_name("domains-page_0", tests, NULL, NULL);
}
