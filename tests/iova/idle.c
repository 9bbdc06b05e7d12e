/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a domain takes of its host while nothing lives in it: at most 16 KiB, root table and the counters of one device
 * included, before the first mapping and after the last, however many CPUs there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <dmamap/dmamap.h>
#include <dmamap/pagetable.h>

#include "../pagetable/fakehost.h"

#define LIMIT 0x4000u
#define FEW   64u
#define MANY  3000u
#define LARGE 0x200000u

struct world {
	struct fake_host fake;
	struct dma_device dev;
	struct dma_domain *domain;
	uint64_t before; /* pages of the host, without the domain */
	dma_addr_t addr[MANY];
};

static unsigned int first_cpu(struct dma_host *host)
{
	(void)host;
	return 0;
}

static struct dma_domain *new_domain(struct dma_host *host, enum dma_invalidation invalidation)
{
	const struct dma_pt_config pt = {
		.size = sizeof(pt),
		.format = DMA_PT_VTD_SECOND_STAGE,
		.levels = 4,
		.output_bits = 48,
		.page_sizes = (uint64_t)1 << 21 | (uint64_t)1 << 30,
		.coherent_walk = true,
	};
	const struct dma_domain_config config = { .size = sizeof(config),
						  .invalidation = invalidation };
	struct dma_backend *backend;
	struct dma_domain *domain;

	assert_int_equal(dma_pt_backend_create(host, &pt, &backend), 0);
	assert_int_equal(dma_domain_create(host, backend, &config, &domain), 0);
	return domain;
}

static void start(struct world *w, unsigned int cpus, enum dma_invalidation invalidation)
{
	struct dma_host *host = &w->fake.host;

	fake_host_init(&w->fake, 4096, false);
	host->cpu_count = cpus;
	host->cpu_id = first_cpu;
	assert_int_equal(dma_device_init(&w->dev, sizeof(w->dev), host), 0);
	assert_int_equal(dma_set_mask_and_coherent(&w->dev, DMA_BIT_MASK(64)), 0);
	dma_device_set_coherent(&w->dev, true);
	w->before = w->fake.live;
	w->domain = new_domain(host, invalidation);
	assert_int_equal(dma_device_set_domain(&w->dev, w->domain), 0);
}

static void finish(struct world *w)
{
	assert_int_equal(dma_device_set_domain(&w->dev, NULL), 0);
	assert_int_equal(dma_domain_destroy(w->domain), 0);
	assert_int_equal(dma_device_fini(&w->dev), 0);
	fake_host_fini(&w->fake);
}

static uint64_t taken(const struct world *w)
{
	return (w->fake.live - w->before) * FAKE_PAGE;
}

/* Single pages, pairs, and something large. */
static void map_and_unmap(struct world *w, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		w->addr[i] = dma_map_phys(&w->dev, FAKE_PHYS_BASE, FAKE_PAGE << (i % 2),
					  DMA_BIDIRECTIONAL, 0);
		assert_false(dma_mapping_error(&w->dev, w->addr[i]));
	}
	for (unsigned int i = 0; i < n; i++)
		dma_unmap_phys(&w->dev, w->addr[i], FAKE_PAGE << (i % 2), DMA_BIDIRECTIONAL, 0);
	w->addr[0] = dma_map_phys(&w->dev, FAKE_PHYS_BASE, LARGE, DMA_BIDIRECTIONAL, 0);
	assert_false(dma_mapping_error(&w->dev, w->addr[0]));
	dma_unmap_phys(&w->dev, w->addr[0], LARGE, DMA_BIDIRECTIONAL, 0);
}

static const unsigned int cpus[] = { 2, 8, 64 };
static const enum dma_invalidation policies[] = { DMA_INVALIDATION_STRICT, DMA_INVALIDATION_LAZY };

static void each(void (*check)(struct world *w))
{
	for (unsigned int p = 0; p < 2; p++) {
		for (unsigned int i = 0; i < 3; i++) {
			static struct world w;

			start(&w, cpus[i], policies[p]);
			check(&w);
			finish(&w);
		}
	}
}

static void fresh(struct world *w)
{
	assert_in_range(taken(w), FAKE_PAGE, LIMIT);
}

static void flushed(struct world *w)
{
	map_and_unmap(w, FEW);
	assert_true(taken(w) > LIMIT);
	dma_domain_flush(w->domain);
	assert_in_range(taken(w), FAKE_PAGE, LIMIT);
	/* and once more, with all that came back */
	map_and_unmap(w, FEW);
	dma_domain_flush(w->domain);
	assert_in_range(taken(w), FAKE_PAGE, LIMIT);
}

/* One round for what waits, one that finds that nothing happened since. */
static void polled(struct world *w)
{
	map_and_unmap(w, FEW);
	dma_poll(&w->fake.host);
	assert_true(taken(w) > LIMIT);
	dma_poll(&w->fake.host);
	assert_in_range(taken(w), FAKE_PAGE, LIMIT);
}

/* A small descriptor stays for each block of addresses that was ever handed out; nothing else does. */
static void had_much(struct world *w)
{
	map_and_unmap(w, MANY);
	dma_domain_flush(w->domain);
	assert_in_range(taken(w), FAKE_PAGE, LIMIT + 2 * FAKE_PAGE);
}

static void an_idle_domain_is_small(void **state)
{
	(void)state;
	each(fresh);
}

static void a_flush_gives_all_back(void **state)
{
	(void)state;
	each(flushed);
}

static void the_second_poll_gives_all_back(void **state)
{
	(void)state;
	each(polled);
}

static void descriptors_stay(void **state)
{
	(void)state;
	each(had_much);
}

/* Domains share the pages of what is small. */
static void many_domains(void **state)
{
	static struct world w;
	struct dma_domain *domain[64];
	uint64_t before;

	(void)state;
	start(&w, 8, DMA_INVALIDATION_LAZY);
	before = w.fake.live;
	for (unsigned int i = 0; i < 64; i++)
		domain[i] = new_domain(&w.fake.host, DMA_INVALIDATION_LAZY);
	assert_true((w.fake.live - before) * FAKE_PAGE <= 64 * 0x3000);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(dma_domain_destroy(domain[i]), 0);
	assert_int_equal(w.fake.live, before);
	finish(&w);
}

/* Without a page for the queue a lazy unmap is a strict one; that for the window is the map's to miss. */
static void an_unmap_needs_no_memory(void **state)
{
	static struct world w;
	struct dma_domain_stats stats;

	(void)state;
	start(&w, 2, DMA_INVALIDATION_LAZY);
	for (uint64_t nth = 1; nth < 64; nth++) {
		uint64_t allocs = w.fake.allocs;
		dma_addr_t addr;

		w.fake.fail_at = allocs + nth;
		addr = dma_map_phys(&w.dev, FAKE_PHYS_BASE, LARGE, DMA_BIDIRECTIONAL, 0);
		if (!dma_mapping_error(&w.dev, addr)) {
			w.fake.fail_at = w.fake.allocs + 1;
			dma_unmap_phys(&w.dev, addr, LARGE, DMA_BIDIRECTIONAL, 0);
		}
		w.fake.fail_at = 0;
		dma_domain_flush(w.domain);
		dma_domain_get_stats(w.domain, &stats);
		assert_int_equal(stats.iova_bytes, 0);
		assert_int_equal(dma_device_quiesce(&w.dev), 0);
		assert_in_range(taken(&w), FAKE_PAGE, LIMIT);
	}
	finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_domain_is_small),
		cmocka_unit_test(a_flush_gives_all_back),
		cmocka_unit_test(the_second_poll_gives_all_back),
		cmocka_unit_test(descriptors_stay),
		cmocka_unit_test(many_domains),
		cmocka_unit_test(an_unmap_needs_no_memory),
	};

	return cmocka_run_group_tests_name("idle", tests, NULL, NULL);
}
