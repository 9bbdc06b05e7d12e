/* SPDX-License-Identifier: BSD-2-Clause */
/* Strict or lazy, chosen anew while mappings live: what waits, what is refused, what it costs. */
#include "world.h"

#define LARGE (128 * PAGE)
/** What one entry maps, and where. */
#define LEAF (2ull << 20)

static struct dma_domain_stats stats_of(const struct world *w)
{
	struct dma_domain_stats stats;

	dma_domain_get_stats(w->domain, &stats);
	return stats;
}

static int set(const struct world *w, enum dma_invalidation invalidation)
{
	return dma_domain_set_invalidation(w->domain, invalidation);
}

static void expect_policy(const struct world *w, enum dma_invalidation invalidation)
{
	assert_int_equal(stats_of(w).invalidation, invalidation);
}

/** The caller's latest failure; it concerns no device. */
static void expect_refusal(const struct world *w, enum dma_reason reason, int err)
{
	struct dma_error why;

	assert_int_equal(dma_last_error(w->dev, &why), 0);
	assert_string_equal(dma_reason_name(why.reason), dma_reason_name(reason));
	assert_int_equal(why.err, err);
	assert_null(why.dev);
}

/** One small and two large mappings, one of them a large leaf. */
struct three {
	dma_addr_t small;
	dma_addr_t large;
	dma_addr_t leaf;
};

static struct three map_three(struct world *w)
{
	return (struct three){ world_map(w, w->ram, PAGE, DMA_BIDIRECTIONAL),
			       world_map(w, RAM_BASE, LARGE, DMA_BIDIRECTIONAL),
			       world_map(w, LEAF, LEAF, DMA_BIDIRECTIONAL) };
}

static void unmap_three(struct world *w, struct three p)
{
	dma_unmap_phys(w->dev, p.small, PAGE, DMA_BIDIRECTIONAL, 0);
	dma_unmap_phys(w->dev, p.large, LARGE, DMA_BIDIRECTIONAL, 0);
	dma_unmap_phys(w->dev, p.leaf, LEAF, DMA_BIDIRECTIONAL, 0);
}

static void expect_reach(struct world *w, struct three p, enum sim_fault_reason reason)
{
	expect_access(w->device, p.small, 8, false, reason);
	expect_access(w->device, p.large, 8, false, reason);
	expect_access(w->device, p.leaf, 8, false, reason);
}

/** What was unmapped lazily is out of reach when the domain has turned strict, and nothing is left lying. */
static void to_strict(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_LAZY);
	struct three gone = map_three(w);
	struct three lives = map_three(w);

	(void)state;
	expect_reach(w, gone, SIM_FAULT_NONE);
	unmap_three(w, gone);
	expect_reach(w, gone, SIM_FAULT_NONE);
	assert_int_equal(stats_of(w).queued, 3);
	assert_int_equal(set(w, DMA_INVALIDATION_STRICT), 0);
	expect_reach(w, gone, SIM_FAULT_NOT_PRESENT);
	expect_reach(w, lives, SIM_FAULT_NONE);
	expect_policy(w, DMA_INVALIDATION_STRICT);
	assert_int_equal(stats_of(w).queued, 0);
	assert_int_equal(stats_of(w).flushes, 1);
	unmap_three(w, lives);
	expect_reach(w, lives, SIM_FAULT_NOT_PRESENT);
	assert_int_equal(stats_of(w).iova_bytes, 0);
	/* once more: there is nothing to do */
	assert_int_equal(set(w, DMA_INVALIDATION_STRICT), 0);
	assert_int_equal(stats_of(w).flushes, 1);
	world_end(w);
}

/** Mappings and windows from before the change may wait as those that come later. */
static void to_lazy(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct three before = map_three(w);
	struct three behind;
	uint64_t invalidations;

	(void)state;
	assert_int_equal(set(w, DMA_INVALIDATION_LAZY), 0);
	assert_int_equal(set(w, DMA_INVALIDATION_LAZY), 0);
	expect_policy(w, DMA_INVALIDATION_LAZY);
	behind = map_three(w);
	expect_reach(w, before, SIM_FAULT_NONE);
	expect_reach(w, behind, SIM_FAULT_NONE);
	invalidations = stats_of(w).invalidations;
	unmap_three(w, before);
	unmap_three(w, behind);
	assert_int_equal(stats_of(w).queued, 6);
	expect_reach(w, before, SIM_FAULT_NONE);
	expect_reach(w, behind, SIM_FAULT_NONE);
	assert_int_equal(stats_of(w).invalidations, invalidations);
	sim_advance(w->m, 10000000);
	dma_poll(w->host);
	expect_reach(w, before, SIM_FAULT_NOT_PRESENT);
	expect_reach(w, behind, SIM_FAULT_NOT_PRESENT);
	assert_int_equal(stats_of(w).invalidations, invalidations + 1);
	assert_int_equal(stats_of(w).iova_bytes, 0);
	world_end(w);
}

/** The figures of the queue hold for a domain that was made strict. */
static void as_configured(void **state)
{
	const struct dma_domain_config config = { .size = sizeof(config),
						  .flush_entries = 4,
						  .flush_ns = 1000 };
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct dma_domain *old = w->domain;

	(void)state;
	assert_int_equal(sim_domain_create(w->iommu, &config, &w->domain), 0);
	assert_int_equal(dma_device_set_domain(w->dev, w->domain), 0);
	assert_int_equal(dma_domain_destroy(old), 0);
	assert_int_equal(set(w, DMA_INVALIDATION_LAZY), 0);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(stats_of(w).queued, i);
		assert_int_equal(stats_of(w).flushes, 0);
		dma_unmap_phys(w->dev, world_map(w, RAM_BASE, LARGE, DMA_TO_DEVICE), LARGE,
			       DMA_TO_DEVICE, 0);
	}
	assert_int_equal(stats_of(w).flushes, 1);
	assert_int_equal(stats_of(w).queued, 1);
	sim_advance(w->m, 1000);
	dma_poll(w->host);
	assert_int_equal(stats_of(w).queued, 0);
	world_end(w);
}

static void back_and_forth(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);

	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		bool lazy = i % 2 == 0;
		struct three p = map_three(w);

		assert_int_equal(set(w, lazy ? DMA_INVALIDATION_LAZY : DMA_INVALIDATION_STRICT), 0);
		expect_reach(w, p, SIM_FAULT_NONE);
		unmap_three(w, p);
		expect_reach(w, p, lazy ? SIM_FAULT_NONE : SIM_FAULT_NOT_PRESENT);
	}
	assert_int_equal(stats_of(w).iova_bytes, 0);
	world_end(w);
}

/** Whoever joins as untrusted, or becomes it, makes the domain strict; while one is there it stays so. */
static void untrusted(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_LAZY);
	struct sim_device *stranger = world_device(w, "stranger", w->iommu);
	struct dma_device *dev = sim_dma(stranger);
	struct three p;

	(void)state;
	assert_int_equal(dma_device_set_untrusted(dev, true), 0);
	assert_int_equal(dma_device_set_domain(dev, w->domain), 0);
	assert_int_equal(dma_device_set_untrusted(dev, true), 0);
	expect_policy(w, DMA_INVALIDATION_STRICT);
	assert_int_equal(set(w, DMA_INVALIDATION_LAZY), -DMAMAP_EPERM);
	expect_refusal(w, DMA_REASON_UNTRUSTED, -DMAMAP_EPERM);
	assert_int_equal(set(w, DMA_INVALIDATION_STRICT), 0);
	p = map_three(w);
	expect_reach(w, p, SIM_FAULT_NONE);
	unmap_three(w, p);
	expect_reach(w, p, SIM_FAULT_NOT_PRESENT);
	/* it has become trusted: the domain is what it was last, until somebody says otherwise */
	assert_int_equal(dma_device_set_untrusted(dev, false), 0);
	expect_policy(w, DMA_INVALIDATION_STRICT);
	assert_int_equal(set(w, DMA_INVALIDATION_LAZY), 0);
	assert_int_equal(dma_device_set_untrusted(dev, true), 0);
	expect_policy(w, DMA_INVALIDATION_STRICT);
	assert_int_equal(set(w, DMA_INVALIDATION_LAZY), -DMAMAP_EPERM);
	/* it has left */
	assert_int_equal(dma_device_set_domain(dev, NULL), 0);
	assert_int_equal(set(w, DMA_INVALIDATION_LAZY), 0);
	/* outside of a domain it is nobody's concern */
	assert_int_equal(dma_device_set_untrusted(dev, false), 0);
	assert_int_equal(dma_device_set_domain(dev, w->domain), 0);
	expect_policy(w, DMA_INVALIDATION_LAZY);
	assert_int_equal(sim_device_destroy(stranger), 0);
	world_end(w);
}

static void nothing_to_defer(void **state)
{
	const struct sim_iommu_config command = { .size = sizeof(command), .command = true };
	struct world *w = world_new_behind(&command, DMA_INVALIDATION_LAZY);
	struct three p;

	(void)state;
	expect_policy(w, DMA_INVALIDATION_STRICT);
	assert_int_equal(set(w, DMA_INVALIDATION_LAZY), -DMAMAP_EOPNOTSUPP);
	expect_refusal(w, DMA_REASON_BACKEND, -DMAMAP_EOPNOTSUPP);
	assert_int_equal(set(w, DMA_INVALIDATION_STRICT), 0);
	p = map_three(w);
	unmap_three(w, p);
	expect_reach(w, p, SIM_FAULT_NOT_PRESENT);
	world_end(w);
}

static void no_such_policy(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_LAZY);

	(void)state;
	assert_int_equal(set(w, (enum dma_invalidation)2), -DMAMAP_EINVAL);
	expect_refusal(w, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL);
	expect_policy(w, DMA_INVALIDATION_LAZY);
	world_end(w);
}

/** Each request for memory fails in turn: the domain stays strict, and what lives goes on. */
static void no_memory(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	dma_addr_t addr[2000];
	struct three p = map_three(w);
	uint64_t n = 1;

	(void)state;
	/* windows enough that their parts need more than one page */
	for (unsigned int i = 0; i < 2000; i++)
		addr[i] = world_map(w, w->ram, 32 * PAGE, DMA_TO_DEVICE);
	for (;; n++) {
		int err;

		sim_fail_alloc(w->m, n);
		err = set(w, DMA_INVALIDATION_LAZY);
		if (sim_fail_alloc(w->m, 0))
			break;
		assert_int_equal(err, -DMAMAP_ENOMEM);
		expect_refusal(w, DMA_REASON_NO_MEMORY, -DMAMAP_ENOMEM);
		expect_policy(w, DMA_INVALIDATION_STRICT);
		unmap_three(w, p);
		expect_reach(w, p, SIM_FAULT_NOT_PRESENT);
		p = map_three(w);
		expect_reach(w, p, SIM_FAULT_NONE);
	}
	assert_true(n > 2);
	expect_policy(w, DMA_INVALIDATION_LAZY);
	unmap_three(w, p);
	expect_reach(w, p, SIM_FAULT_NONE);
	for (unsigned int i = 0; i < 2000; i++)
		dma_unmap_phys(w->dev, addr[i], 32 * PAGE, DMA_TO_DEVICE, 0);
	world_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_strict),	  cmocka_unit_test(to_lazy),
		cmocka_unit_test(as_configured),  cmocka_unit_test(back_and_forth),
		cmocka_unit_test(untrusted),	  cmocka_unit_test(nothing_to_defer),
		cmocka_unit_test(no_such_policy), cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests_name("domains-policy", tests, NULL, NULL);
}
