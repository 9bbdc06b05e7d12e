/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What devices wrote, asked of a domain: over all formats, small mappings and large ones, with and without forgetting. What
 * was forgotten is found again when it is written again, also by a device whose IOMMU remembers the translation.
 */
#include "formats.h"
#include "proxy.h"

#include <pthread.h>

#define MAX_LEAVES 64u

struct found {
	dma_addr_t iova[MAX_LEAVES];
	uint64_t len[MAX_LEAVES];
	unsigned int n;
};

static void find(void *arg, dma_addr_t iova, uint64_t len)
{
	struct found *f = arg;

	assert_true(f->n < MAX_LEAVES);
	assert_true(!f->n || iova > f->iova[f->n - 1]);
	f->iova[f->n] = iova;
	f->len[f->n++] = len;
}

static struct found dirty(struct world *w, dma_addr_t iova, uint64_t len, bool clear)
{
	struct found f = { .n = 0 };

	assert_int_equal(dma_domain_read_dirty(w->domain, iova, len, clear, find, &f), 0);
	return f;
}

/** Everything in the domain. */
static struct found all_dirty(struct world *w, const struct test_format *format, bool clear)
{
	return dirty(w, 0, format->last, clear);
}

static struct world *tracking_world(const struct test_format *format,
				    enum dma_invalidation invalidation)
{
	const struct dma_domain_config policy = { .size = sizeof(policy),
						  .invalidation = invalidation };
	struct sim_iommu_config unit = format->iommu;

	unit.size = sizeof(unit);
	unit.track_dirty = true;
	return world_new_with(&unit, &policy, test_format_granule(format));
}

static void device_writes(struct world *w, dma_addr_t addr)
{
	unsigned char byte = 1;

	assert_int_equal(sim_dma_write(w->device, addr, &byte, 1, NULL), 0);
}

static void device_reads(struct world *w, dma_addr_t addr)
{
	unsigned char byte;

	assert_int_equal(sim_dma_read(w->device, addr, &byte, 1, NULL), 0);
}

/** Of three small mappings, one of them read-only, and a large one. */
static void pages(const struct test_format *format, enum dma_invalidation invalidation)
{
	struct world *w = tracking_world(format, invalidation);
	uint64_t g = test_format_granule(format), large = 2ull << 20;
	phys_addr_t far = sim_alloc(w->m, large, large, 0, ~0ull);
	dma_addr_t one, two, three, big;
	uint64_t before;
	struct dma_domain_stats stats;
	struct found f;

	assert_true(far != DMAMAP_PHYS_NONE);
	one = world_map(w, far, g, DMA_BIDIRECTIONAL);
	two = world_map(w, far + 2 * g, 2 * g, DMA_BIDIRECTIONAL);
	three = world_map(w, far + 6 * g, g, DMA_TO_DEVICE);
	big = world_map(w, far, large, DMA_BIDIRECTIONAL);
	all_dirty(w, format, true); /* some begin dirty */
	dma_domain_get_stats(w->domain, &stats);
	before = stats.invalidations;
	device_reads(w, one);
	device_reads(w, two);
	device_reads(w, three);
	device_reads(w, big);
	assert_int_equal(all_dirty(w, format, true).n, 0); /* reading is not writing */
	dma_domain_get_stats(w->domain, &stats);
	assert_int_equal(stats.invalidations, before); /* nothing was forgotten */
	for (unsigned int round = 0; round < 3; round++) {
		device_writes(w, two + g + 5);
		device_writes(w, big + large / 2);
		f = all_dirty(w, format, false);
		assert_int_equal(f.n, 2);
		f = dirty(w, two, 2 * g, false);
		assert_true(f.n == 1 && f.iova[0] == two + g && f.len[0] == g);
		assert_int_equal(dirty(w, one, g, true).n, 0);
		f = dirty(w, big, large, true);
		assert_true(f.n == 1 && f.iova[0] <= big + large / 2 &&
			    f.iova[0] + f.len[0] > big + large / 2);
		assert_int_equal(dirty(w, big, large, true).n, 0);
		assert_int_equal(all_dirty(w, format, true).n, 1);
		assert_int_equal(all_dirty(w, format, true).n, 0);
	}
	/* several in one call: all of them are invalidated */
	for (unsigned int round = 0; round < 2; round++) {
		device_writes(w, one);
		device_writes(w, two);
		device_writes(w, two + g);
		device_writes(w, big);
		assert_int_equal(all_dirty(w, format, true).n, 4);
	}
	/* a byte of a large leaf asks for the whole leaf, and it is invalidated whole */
	device_writes(w, big + large - 1);
	f = dirty(w, big + large - 1, 1, true);
	assert_true(f.n == 1 && f.iova[0] + f.len[0] == big + large);
	device_writes(w, big + large - f.len[0]);
	assert_int_equal(dirty(w, big, large, true).n, 1);
	/* NULL: only forget */
	device_writes(w, one);
	assert_int_equal(dma_domain_read_dirty(w->domain, one, 1, true, NULL, NULL), 0);
	assert_int_equal(all_dirty(w, format, false).n, 0);
	dma_unmap_phys(w->dev, one, g, DMA_BIDIRECTIONAL, 0);
	dma_unmap_phys(w->dev, two, 2 * g, DMA_BIDIRECTIONAL, 0);
	dma_unmap_phys(w->dev, three, g, DMA_TO_DEVICE, 0);
	dma_unmap_phys(w->dev, big, large, DMA_BIDIRECTIONAL, 0);
	assert_int_equal(all_dirty(w, format, true).n, 0);
	sim_free(w->m, far, large);
	world_end(w);
}

static void every_format(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_TEST_FORMATS; i++) {
		if (test_formats[i].iommu.command)
			continue;
		pages(&test_formats[i], DMA_INVALIDATION_STRICT);
		pages(&test_formats[i], DMA_INVALIDATION_LAZY);
	}
}

/** A device behind another unit of the domain: that one forgets, too. */
static void every_unit(void **state)
{
	const struct test_format *format = &test_formats[1];
	struct world *w = tracking_world(format, DMA_INVALIDATION_STRICT);
	struct sim_iommu_config unit = format->iommu;
	struct proxy proxy = { .unit.ops = &proxy_ops };
	struct sim_iommu *second;
	struct sim_device *nic;
	dma_addr_t addr;

	(void)state;
	unit.size = sizeof(unit);
	unit.track_dirty = true;
	assert_int_equal(sim_iommu_create(w->m, &unit, &second), 0);
	nic = world_device(w, "nic0", second);
	proxy.real = sim_iommu_unit(second);
	assert_int_equal(dma_device_set_unit(sim_dma(nic), &proxy.unit), 0);
	assert_int_equal(dma_device_set_domain(sim_dma(nic), w->domain), 0);
	addr = world_map(w, w->ram, PAGE, DMA_BIDIRECTIONAL);
	for (unsigned int round = 0; round < 3; round++) {
		expect_access(nic, addr, 1, true, SIM_FAULT_NONE);
		assert_int_equal(dirty(w, addr, PAGE, true).n, 1);
		assert_int_equal(dirty(w, addr, PAGE, true).n, 0);
	}
	dma_unmap_phys(w->dev, addr, PAGE, DMA_BIDIRECTIONAL, 0);
	assert_int_equal(sim_device_destroy(nic), 0);
	assert_int_equal(sim_iommu_destroy(second), 0);
	world_end(w);
}

static void expect_refusal(struct world *w, dma_addr_t iova, uint64_t len, int err,
			   enum dma_reason reason)
{
	struct found f = { .n = 0 };
	struct dma_error why;

	assert_int_equal(dma_domain_read_dirty(w->domain, iova, len, true, find, &f), err);
	assert_int_equal(f.n, 0);
	assert_int_equal(dma_last_error(w->dev, &why), 0);
	assert_string_equal(dma_reason_name(why.reason), dma_reason_name(reason));
	assert_true(why.err == err && why.addr == iova && why.size == len);
}

static void refusals(void **state)
{
	const struct test_format *format = &test_formats[1];
	struct world *w = tracking_world(format, DMA_INVALIDATION_STRICT);
	dma_addr_t addr = world_map(w, w->ram, PAGE, DMA_BIDIRECTIONAL);

	(void)state;
	device_writes(w, addr);
	expect_refusal(w, addr, 0, -DMAMAP_EINVAL, DMA_REASON_ZERO_SIZE);
	expect_refusal(w, addr, ~0ull, -DMAMAP_EINVAL, DMA_REASON_ADDRESS_WRAP);
	expect_refusal(w, addr, format->last, -DMAMAP_ERANGE, DMA_REASON_BAD_ARGUMENT);
	expect_refusal(w, format->last + 1, 1, -DMAMAP_ERANGE, DMA_REASON_BAD_ARGUMENT);
	assert_int_equal(dirty(w, 0, format->last + 1, true).n, 1);
	dma_unmap_phys(w->dev, addr, PAGE, DMA_BIDIRECTIONAL, 0);
	world_end(w);
}

/** Not a table, or one that does not track. */
static void not_tracked(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_TEST_FORMATS; i++) {
		const struct dma_domain_config policy = { .size = sizeof(policy) };
		struct sim_iommu_config unit = test_formats[i].iommu;
		struct world *w;

		unit.size = sizeof(unit);
		w = world_new_with(&unit, &policy, test_format_granule(&test_formats[i]));
		expect_refusal(w, 0, PAGE, -DMAMAP_EOPNOTSUPP, DMA_REASON_BACKEND);
		world_end(w);
	}
}

/* --- meanwhile */

struct mapper {
	struct world *w;
	pthread_t thread;
	phys_addr_t phys;
	unsigned int wrong;
};

static void *map_and_unmap(void *arg)
{
	struct mapper *m = arg;

	for (unsigned int i = 0; i < 1000; i++) {
		dma_addr_t addr = dma_map_phys(m->w->dev, m->phys, PAGE, DMA_BIDIRECTIONAL, 0);
		uint64_t there = i, got = 0;

		m->wrong += sim_dma_write(m->w->device, addr, &there, 8, NULL) != 0;
		m->wrong += sim_dma_read(m->w->device, addr, &got, 8, NULL) != 0 || got != there;
		dma_unmap_phys(m->w->dev, addr, PAGE, DMA_BIDIRECTIONAL, 0);
	}
	return NULL;
}

/** Others map and unmap: they lose nothing, and what lives on is told. */
static void meanwhile(void **state)
{
	const struct test_format *format = &test_formats[1];
	struct world *w = tracking_world(format, DMA_INVALIDATION_STRICT);
	dma_addr_t mine = world_map(w, w->ram, PAGE, DMA_BIDIRECTIONAL);
	struct mapper mappers[3];

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		mappers[i] = (struct mapper){ .w = w, .phys = w->ram + (i + 1) * PAGE };
		assert_int_equal(
			pthread_create(&mappers[i].thread, NULL, map_and_unmap, &mappers[i]), 0);
	}
	for (unsigned int i = 0; i < 300; i++) {
		device_writes(w, mine);
		assert_int_equal(dirty(w, mine, PAGE, true).n, 1);
		assert_int_equal(dirty(w, mine, PAGE, false).n, 0);
		assert_int_equal(
			dma_domain_read_dirty(w->domain, 0, format->last, true, NULL, NULL), 0);
	}
	for (unsigned int i = 0; i < 3; i++) {
		pthread_join(mappers[i].thread, NULL);
		assert_int_equal(mappers[i].wrong, 0);
	}
	dma_unmap_phys(w->dev, mine, PAGE, DMA_BIDIRECTIONAL, 0);
	world_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format), cmocka_unit_test(every_unit),
		cmocka_unit_test(refusals),	cmocka_unit_test(not_tracked),
		cmocka_unit_test(meanwhile),
	};

	return cmocka_run_group_tests_name("domains-dirty", tests, NULL, NULL);
}
