/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory that functions offer to peers: cases P2P-13 to P2P-16, the pool, publishing, every allocation failing. */
#include "tree.h"

static void P2P_13_add_resource(void **state)
{
	struct dma_p2p_stats stats;
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 2, 0, 0), -DMAMAP_EINVAL); /* I/O */
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 0, 0, BAR_SIZE), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 0, BAR_SIZE - 0xfff, 0x1000),
			 -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 0, ~0ull, 0x1000), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 1, 0, 0), -DMAMAP_EINVAL); /* none */
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 6, 0, 0), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_add_resource(t.host, ROOT0, 0, 0, 0), -DMAMAP_EINVAL);
	/* No whole page. */
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 0, 0x1000, 0x800), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 0, 0x10, 0xff8), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_get_stats(t.host, PEER_A, &stats), 0);
	assert_int_equal(stats.bytes, 0);
	/* Size 0 is the rest. */
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 0, 0, 0x80000), 0);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 0, 0x1000, 0x0), 0);
	/* Twice the same, or over it. */
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 0, 0x1000, 0x80000), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 0, 0x7f000, 0x1000), 0);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 0, 0, 0), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_get_stats(t.host, PEER_A, &stats), 0);
	assert_int_equal(stats.bytes, BAR_SIZE);
	tree_stop(&t);
}

static void P2P_14_bus_address(void **state)
{
	const struct dma_p2p_provider *provider;
	uint64_t bus;
	struct tree t;

	(void)state;
	tree_start(&t, 0xc0000000ull - BAR_A, false);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), 0);
	provider = dma_p2p_provider(t.host, PEER_A, 0);
	assert_non_null(provider);
	assert_int_equal(dma_p2p_bus_addr(provider, BAR_A + 0x1000), 0xc0001000);
	assert_int_equal(dma_p2p_phys_to_bus(t.host, BAR_A + 0x1000, &bus), 0);
	assert_int_equal(bus, 0xc0001000);
	assert_int_equal(dma_p2p_phys_to_bus(t.host, BAR_A - 1, &bus), -DMAMAP_ENXIO);
	assert_int_equal(dma_p2p_phys_to_bus(t.host, BAR_A + BAR_SIZE, &bus), -DMAMAP_ENXIO);
	assert_int_equal(dma_p2p_phys_to_bus(t.host, BAR_B, &bus), -DMAMAP_ENXIO);
	tree_stop(&t);
}

static void P2P_15_segments(void **state)
{
	struct dma_p2p_state segments = { 0 };
	struct dma_device *dev;
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	dev = tree_dma(&t, PEER_B);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), 0);
	assert_int_equal(dma_p2p_classify(&segments, dev, 0x200000), DMA_P2P_NONE);
	assert_int_equal(segments.computed, 0);
	assert_int_equal(dma_p2p_classify(&segments, dev, BAR_A), DMA_P2P_BUS_ADDR);
	assert_int_equal(dma_p2p_classify(&segments, dev, 0x200000), DMA_P2P_NONE);
	assert_int_equal(segments.type, DMA_P2P_BUS_ADDR);
	assert_int_equal(dma_p2p_classify(&segments, dev, BAR_A + 0x5000), DMA_P2P_BUS_ADDR);
	assert_int_equal(segments.computed, 1);
	/* Another provider. */
	assert_int_equal(dma_p2p_init(t.host, PEER_C), 0);
	assert_int_equal(dma_p2p_classify(&segments, dev, BAR_C), DMA_P2P_NOT_SUPPORTED);
	assert_int_equal(segments.reason, DMA_REASON_P2P_BRIDGE_NOT_LISTED);
	assert_int_equal(segments.computed, 2);
	/* A BAR that nobody offers leaves what is known. */
	assert_int_equal(dma_p2p_classify(&segments, dev, BAR_D), DMA_P2P_NOT_SUPPORTED);
	assert_int_equal(segments.reason, DMA_REASON_P2P_NO_PROVIDER);
	assert_int_equal(segments.computed, 2);
	tree_stop(&t);
}

static void P2P_16_providers(void **state)
{
	struct sim_counters before, after;
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	sim_get_counters(t.m, &before);
	assert_null(dma_p2p_provider(t.host, PEER_A, 0));
	sim_get_counters(t.m, &after);
	assert_int_equal(after.warnings, before.warnings + 1);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), 0);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), 0);
	assert_null(dma_p2p_provider(t.host, PEER_A, 2)); /* I/O */
	assert_null(dma_p2p_provider(t.host, PEER_A, 1)); /* none */
	assert_null(dma_p2p_provider(t.host, PEER_A, 6));
	assert_int_equal(dma_p2p_provider(t.host, PEER_A, 4)->base, BAR_A4);
	assert_int_equal(dma_p2p_provider(t.host, PEER_A, 4)->size, 0x10000);
	assert_int_equal(dma_p2p_provider(t.host, PEER_A, 4)->node, PEER_A);
	t.nodes[PEER_B].unmappable = true;
	assert_int_equal(dma_p2p_init(t.host, PEER_B), -DMAMAP_EOPNOTSUPP);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_B, 0, 0, 0), -DMAMAP_EOPNOTSUPP);
	assert_int_equal(dma_p2p_init(t.host, ROOT1), -DMAMAP_EINVAL);
	sim_get_counters(t.m, &before);
	assert_int_equal(before.warnings, after.warnings);
	tree_stop(&t);
}

static void the_pool_hands_out_and_takes_back(void **state)
{
	struct sim_counters before, after;
	struct dma_p2p_stats stats;
	phys_addr_t a, b, c;
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	assert_int_equal(dma_p2p_alloc(t.host, PEER_A, 1), DMAMAP_PHYS_NONE);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 0, 0x4000, 0), 0);
	assert_int_equal(dma_p2p_alloc(t.host, PEER_A, 0), DMAMAP_PHYS_NONE);
	assert_int_equal(dma_p2p_alloc(t.host, PEER_A, ~0ull), DMAMAP_PHYS_NONE);
	assert_int_equal(dma_p2p_alloc(t.host, PEER_A, 0x4001), DMAMAP_PHYS_NONE);
	a = dma_p2p_alloc(t.host, PEER_A, 1);
	b = dma_p2p_alloc(t.host, PEER_A, 0x1001);
	c = dma_p2p_alloc(t.host, PEER_A, 0x1000);
	assert_int_equal(a, BAR_A);
	assert_int_equal(b, BAR_A + 0x1000);
	assert_int_equal(c, BAR_A + 0x3000);
	assert_int_equal(dma_p2p_alloc(t.host, PEER_A, 1), DMAMAP_PHYS_NONE);
	assert_int_equal(dma_p2p_fini(t.host, PEER_A), -DMAMAP_EBUSY);
	assert_int_equal(dma_pci_detach(t.host), -DMAMAP_EBUSY);
	sim_get_counters(t.m, &before);
	assert_int_equal(dma_p2p_free(t.host, PEER_A, b, 0x1000), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_free(t.host, PEER_A, b + 0x1000, 0x1000), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_free(t.host, PEER_B, b, 0x2000), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_free(t.host, PEER_A, a, 1), 0);
	assert_int_equal(dma_p2p_free(t.host, PEER_A, a, 1), -DMAMAP_EINVAL);
	sim_get_counters(t.m, &after);
	assert_int_equal(after.warnings, before.warnings + 4);
	assert_int_equal(dma_p2p_free(t.host, PEER_A, c, 0x1000), 0);
	assert_int_equal(dma_p2p_free(t.host, PEER_A, b, 0x1001), 0);
	/* Neighbours became one again. */
	assert_int_equal(dma_p2p_get_stats(t.host, PEER_A, &stats), 0);
	assert_int_equal(stats.bytes, 0x4000);
	assert_int_equal(stats.available, 0x4000);
	a = dma_p2p_alloc(t.host, PEER_A, 0x4000);
	assert_int_equal(a, BAR_A);
	assert_int_equal(dma_p2p_free(t.host, PEER_A, a, 0x4000), 0);
	tree_stop(&t);
}

static void a_list_of_one_element(void **state)
{
	struct scatterlist sg;
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 4, 0, 0), 0);
	assert_int_equal(dma_p2p_alloc_sg(t.host, PEER_A, &sg, 0), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_alloc_sg(t.host, PEER_A, &sg, 0x10001), -DMAMAP_ENOMEM);
	assert_int_equal(dma_p2p_alloc_sg(t.host, PEER_A, &sg, 0x1234), 0);
	assert_int_equal(sg_phys(&sg), BAR_A4);
	assert_int_equal(sg.length, 0x1234);
	assert_true(sg_is_last(&sg));
	assert_int_equal(dma_p2p_free_sg(t.host, PEER_A, &sg), 0);
	tree_stop(&t);
}

static void the_nearest_published_provider(void **state)
{
	struct dma_device *clients[2];
	struct dma_p2p_stats stats;
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	tree_set_id(&t, HOST0, LISTED);
	clients[0] = tree_dma(&t, PEER_A1);
	clients[1] = tree_dma(&t, PEER_C);
	assert_int_equal(dma_p2p_publish(t.host, PEER_A, true), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_B, 0, 0, 0), 0);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_A, 0, 0, 0), 0);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_C, 0, 0, 0), 0);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_D, 0, 0, 0), 0);
	assert_int_equal(dma_p2p_find_many(t.host, clients, 1), -1);
	assert_int_equal(dma_p2p_publish(t.host, PEER_D, true), 0);
	assert_int_equal(dma_p2p_find_many(t.host, clients, 1), -1); /* refused */
	assert_int_equal(dma_p2p_publish(t.host, PEER_B, true), 0);
	assert_int_equal(dma_p2p_find_many(t.host, clients, 1), PEER_B); /* 4 */
	assert_int_equal(dma_p2p_publish(t.host, PEER_A, true), 0);
	assert_int_equal(dma_p2p_find_many(t.host, clients, 1), PEER_A); /* 2 */
	/* To both: A 2 + 6, B 4 + 6, C 6 + 0. */
	assert_int_equal(dma_p2p_publish(t.host, PEER_C, true), 0);
	assert_int_equal(dma_p2p_find_many(t.host, clients, 2), PEER_C);
	/* Equally near: the lowest address, in whatever order they came. */
	assert_int_equal(dma_p2p_find_many(t.host, clients + 1, 1), PEER_C);
	assert_int_equal(dma_p2p_publish(t.host, PEER_C, false), 0);
	assert_int_equal(dma_p2p_find_many(t.host, clients + 1, 1), PEER_A);
	assert_int_equal(dma_p2p_find_many(t.host, clients, 0), -1);
	assert_int_equal(dma_p2p_get_stats(t.host, PEER_A, &stats), 0);
	assert_true(stats.published);
	assert_int_equal(dma_p2p_get_stats(t.host, PEER_C, &stats), 0);
	assert_false(stats.published);
	tree_stop(&t);
}

/* What a provider does, with memory failing at each place in turn: what failed left nothing behind. */
static void every_allocation_fails_in_turn(void **state)
{
	struct tree t;
	int failures = 0;

	(void)state;
	tree_start(&t, 0, false);
	for (uint64_t n = 1; failures == (int)n - 1; n++) {
		uint64_t used = sim_memory_used(t.m);
		phys_addr_t phys = DMAMAP_PHYS_NONE;
		int err;

		sim_fail_alloc(t.m, n);
		err = dma_p2p_add_resource(t.host, PEER_A, 0, 0, 0);
		if (err)
			assert_int_equal(err, -DMAMAP_ENOMEM);
		else
			phys = dma_p2p_alloc(t.host, PEER_A, 0x1000);
		failures += err || phys == DMAMAP_PHYS_NONE;
		sim_fail_alloc(t.m, 0);
		if (phys != DMAMAP_PHYS_NONE)
			assert_int_equal(dma_p2p_free(t.host, PEER_A, phys, 0x1000), 0);
		assert_int_equal(dma_p2p_fini(t.host, PEER_A), 0);
		assert_int_equal(sim_memory_used(t.m), used);
	}
	assert_true(failures >= 2);
	tree_stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(P2P_13_add_resource),
		cmocka_unit_test(P2P_14_bus_address),
		cmocka_unit_test(P2P_15_segments),
		cmocka_unit_test(P2P_16_providers),
		cmocka_unit_test(the_pool_hands_out_and_takes_back),
		cmocka_unit_test(a_list_of_one_element),
		cmocka_unit_test(the_nearest_published_provider),
		cmocka_unit_test(every_allocation_fails_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
