/* SPDX-License-Identifier: BSD-2-Clause */
/* May two functions talk, which way, and if not, why: cases P2P-1 to P2P-12, and what the answer names. */
#include "tree.h"

#define BUS	DMA_P2P_BUS_ADDR
#define THRU	DMA_P2P_THRU_HOST_BRIDGE
#define REFUSED DMA_P2P_NOT_SUPPORTED
#define NO_WHY	DMA_REASON_NONE

static void P2P_1_same_function(void **state)
{
	struct tree t;

	(void)state;
	tree_fill(&t, 0);
	expect_answer(&t, PEER_A, PEER_A, BUS, 0, NO_WHY);
	/* What never leaves the function is not redirected. */
	t.nodes[DOWN_A].acs = t.nodes[PEER_A].acs = REDIRECT;
	expect_answer(&t, PEER_A, PEER_A, BUS, 0, NO_WHY);
}

static void P2P_2_two_functions(void **state)
{
	struct tree t;
	struct dma_p2p_answer answer;

	(void)state;
	tree_fill(&t, 0);
	expect_answer(&t, PEER_A, PEER_A1, BUS, 2, NO_WHY);
	assert_int_equal(dma_p2p_query(&t.topology, PEER_A, PEER_A1, &answer), 0);
	assert_int_equal(answer.common, DOWN_A);
	assert_int_equal(answer.bridge[0], ROOT0);
	assert_int_equal(answer.bridge[1], ROOT0);
	/* The bridge above both redirects: what it turns round otherwise goes up. */
	t.nodes[DOWN_A].acs = REDIRECT;
	expect_answer(&t, PEER_A, PEER_A1, REFUSED, 2, DMA_REASON_P2P_ACS_REDIRECT);
}

static void P2P_3_one_switch(void **state)
{
	struct tree t;

	(void)state;
	tree_fill(&t, 0);
	expect_answer(&t, PEER_A, PEER_B, BUS, 4, NO_WHY);
	expect_answer(&t, PEER_B, PEER_A, BUS, 4, NO_WHY);
	/* Bits that redirect nothing, and redirection above the common bridge, change nothing. */
	t.nodes[DOWN_A].acs = (uint16_t)~DMA_PCI_ACS_REDIRECTS;
	t.nodes[PORT0].acs = REDIRECT;
	expect_answer(&t, PEER_A, PEER_B, BUS, 4, NO_WHY);
}

static void P2P_4_redirect(void **state)
{
	static const uint16_t bits[] = { DMA_PCI_ACS_REQUEST_REDIRECT,
					 DMA_PCI_ACS_COMPLETION_REDIRECT,
					 DMA_PCI_ACS_EGRESS_CONTROL };
	static const enum tree_node ports[] = { DOWN_A, DOWN_B, UP };
	struct dma_p2p_answer answer;
	struct tree t;

	(void)state;
	for (int i = 0; i < 9; i++) {
		tree_fill(&t, 0);
		t.nodes[ports[i / 3]].acs = bits[i % 3];
		expect_answer(&t, PEER_A, PEER_B, REFUSED, 4, DMA_REASON_P2P_ACS_REDIRECT);
		assert_int_equal(dma_p2p_query(&t.topology, PEER_A, PEER_B, &answer), 0);
		assert_int_equal(answer.nr_redirects, 1);
		assert_int_equal(answer.redirects[0], ports[i / 3]);
		assert_int_equal(answer.redirects[1], -1);
		assert_int_equal(answer.refused_by, ROOT0);
	}
	/* All that redirect are named: the provider's way first. */
	t.nodes[DOWN_A].acs = t.nodes[DOWN_B].acs = t.nodes[UP].acs = REDIRECT;
	assert_int_equal(dma_p2p_query(&t.topology, PEER_B, PEER_A, &answer), 0);
	assert_int_equal(answer.nr_redirects, 3);
	assert_int_equal(answer.redirects[0], DOWN_B);
	assert_int_equal(answer.redirects[1], UP);
	assert_int_equal(answer.redirects[2], DOWN_A);
	/* A listed bridge forwards. */
	tree_set_id(&t, HOST0, LISTED);
	expect_answer(&t, PEER_A, PEER_B, THRU, 4, NO_WHY);
}

static void P2P_5_amd_zen(void **state)
{
	struct tree t;

	(void)state;
	tree_fill(&t, 0);
	t.topology.cpu_amd_zen = true;
	t.nodes[DOWN_B].acs = REDIRECT;
	expect_answer(&t, PEER_A, PEER_B, THRU, 4, NO_WHY);
	expect_answer(&t, PEER_A, PEER_D, THRU, 6, NO_WHY);
	/* It makes no detour where none is needed. */
	expect_answer(&t, PEER_A, PEER_A1, BUS, 2, NO_WHY);
}

static void P2P_6_root_ports_of_a_listed_bridge(void **state)
{
	struct dma_p2p_answer answer;
	struct tree t;

	(void)state;
	tree_fill(&t, 0);
	expect_answer(&t, PEER_A, PEER_C, REFUSED, 6, DMA_REASON_P2P_BRIDGE_NOT_LISTED);
	tree_set_id(&t, HOST0, SAME_ROOT);
	expect_answer(&t, PEER_A, PEER_C, THRU, 6, NO_WHY);
	assert_int_equal(dma_p2p_query(&t.topology, PEER_A, PEER_C, &answer), 0);
	assert_int_equal(answer.common, -1);
	assert_int_equal(answer.refused_by, -1);
	tree_set_id(&t, HOST0, LISTED);
	expect_answer(&t, PEER_A, PEER_C, THRU, 6, NO_WHY);
}

static void P2P_7_two_bridges_same_root_only(void **state)
{
	struct dma_p2p_answer answer;
	struct tree t;

	(void)state;
	tree_fill(&t, 0);
	tree_set_id(&t, HOST0, SAME_ROOT);
	tree_set_id(&t, HOST1, SAME_ROOT);
	expect_answer(&t, PEER_C, PEER_D, REFUSED, 4, DMA_REASON_P2P_BRIDGES_DIFFER);
	/* One that may does not help the other. */
	tree_set_id(&t, HOST0, LISTED);
	expect_answer(&t, PEER_C, PEER_D, REFUSED, 4, DMA_REASON_P2P_BRIDGES_DIFFER);
	assert_int_equal(dma_p2p_query(&t.topology, PEER_C, PEER_D, &answer), 0);
	assert_int_equal(answer.refused_by, ROOT1);
}

static void P2P_8_two_bridges(void **state)
{
	struct tree t;

	(void)state;
	tree_fill(&t, 0);
	tree_set_id(&t, HOST0, LISTED);
	expect_answer(&t, PEER_C, PEER_D, REFUSED, 4, DMA_REASON_P2P_BRIDGE_NOT_LISTED);
	tree_set_id(&t, HOST1, LISTED);
	expect_answer(&t, PEER_C, PEER_D, THRU, 4, NO_WHY);
}

static void P2P_9_bridge_without_identity(void **state)
{
	struct tree t;

	(void)state;
	tree_fill(&t, 0);
	/* The first function of the root bus is 00:01.0, and it is no root port. */
	t.nodes[HOST0].devfn = 1 << 3;
	t.nodes[PORT0].devfn = 3 << 3;
	tree_set_id(&t, HOST0, LISTED);
	assert_int_equal(dma_pci_bridge_id(&t.topology, ROOT0), -1);
	expect_answer(&t, PEER_A, PEER_C, REFUSED, 6, DMA_REASON_P2P_BRIDGE_UNKNOWN);
	/* A root port in that place counts, at any address. */
	t.nodes[HOST0].devfn = 4 << 3;
	tree_set_id(&t, PORT1, LISTED);
	assert_int_equal(dma_pci_bridge_id(&t.topology, ROOT0), PORT1);
	expect_answer(&t, PEER_A, PEER_C, THRU, 6, NO_WHY);
}

static void P2P_10_not_pci(void **state)
{
	struct dma_pci_child child[1];
	struct dma_device *clients[1];
	enum dma_reason why;
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), 0);
	clients[0] = tree_dma(&t, PEER_B);
	assert_int_equal(dma_p2p_map_type(t.host, PEER_A, clients[0], &why), BUS);
	assert_int_equal(why, NO_WHY);
	assert_int_equal(dma_p2p_distance_many(t.host, PEER_A, clients, 1, true), 4);
	/* Now it is no function, but hangs on one. */
	assert_int_equal(dma_pci_bind(t.host, PEER_B, NULL), 0);
	child[0] = (struct dma_pci_child){ clients[0], PEER_B };
	t.topology.children = child;
	t.topology.nr_children = 1;
	assert_int_equal(dma_p2p_map_type(t.host, PEER_A, clients[0], &why), REFUSED);
	assert_int_equal(why, DMA_REASON_P2P_NOT_PCI);
	assert_int_equal(dma_p2p_distance_many(t.host, PEER_A, clients, 1, true), 4);
	/* And now nothing at all. */
	t.topology.nr_children = 0;
	assert_int_equal(dma_p2p_distance_many(t.host, PEER_A, clients, 1, true), -1);
	assert_non_null(strstr(sim_last_message(t.m), "p2p-not-pci"));
	/* Nobody provides anything at PEER_C. */
	assert_int_equal(dma_p2p_map_type(t.host, PEER_C, tree_dma(&t, PEER_A), &why), REFUSED);
	assert_int_equal(why, DMA_REASON_P2P_NO_PROVIDER);
	tree_stop(&t);
}

static void P2P_11_distance_of_many(void **state)
{
	struct dma_device *clients[4];
	struct sim_counters before, after;
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	for (int i = 0; i < 4; i++)
		clients[i] = tree_dma(&t, (enum tree_node)(PEER_A + i)); /* A, A1, B, C */
	assert_int_equal(dma_p2p_distance_many(t.host, PEER_A, clients, 0, false), -1);
	assert_int_equal(dma_p2p_distance_many(t.host, PEER_A, clients, 3, false), 0 + 2 + 4);
	sim_get_counters(t.m, &before);
	assert_int_equal(dma_p2p_distance_many(t.host, PEER_A, clients, 4, false), -1);
	sim_get_counters(t.m, &after);
	assert_int_equal(after.logs, before.logs);
	/* Verbose: each refusal is told. */
	clients[0] = tree_dma(&t, PEER_D);
	assert_int_equal(dma_p2p_distance_many(t.host, PEER_A, clients, 4, true), -1);
	sim_get_counters(t.m, &after);
	assert_int_equal(after.logs, before.logs + 2);
	assert_non_null(strstr(sim_last_message(t.m), "p2p-bridge-not-listed"));
	assert_int_equal(dma_p2p_distance_many(t.host, ROOT0, clients, 1, false), -1);
	tree_stop(&t);
}

/* Linux keeps the first answer for ever (C28); here a change shows at once. */
static void P2P_12_acs_changes(void **state)
{
	const struct dma_pci_allowed allowed[] = { { UNLISTED, true } };
	struct dma_p2p_state segments = { 0 };
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), 0);
	assert_int_equal(dma_p2p_classify(&segments, tree_dma(&t, PEER_B), BAR_A), BUS);
	assert_int_equal(dma_pci_set_acs(t.host, DOWN_A, REDIRECT), 0);
	assert_int_equal(dma_p2p_classify(&segments, tree_dma(&t, PEER_B), BAR_A), REFUSED);
	assert_int_equal(segments.reason, DMA_REASON_P2P_ACS_REDIRECT);
	assert_int_equal(dma_pci_set_allowed(t.host, allowed, 1), 0);
	assert_int_equal(dma_p2p_classify(&segments, tree_dma(&t, PEER_B), BAR_A), THRU);
	assert_int_equal(dma_pci_set_allowed(t.host, NULL, 0), 0);
	assert_int_equal(dma_pci_set_acs(t.host, DOWN_A, 0), 0);
	assert_int_equal(dma_p2p_classify(&segments, tree_dma(&t, PEER_B), BAR_A), BUS);
	assert_int_equal(segments.computed, 4);
	assert_int_equal(dma_pci_set_acs(t.host, ROOT0, 0), -DMAMAP_EINVAL);
	assert_int_equal(dma_pci_bind(t.host, TREE_NODES, NULL), -DMAMAP_EINVAL);
	tree_stop(&t);
}

static void the_list_can_be_extended(void **state)
{
	const struct dma_pci_allowed same[] = { { UNLISTED, true } };
	const struct dma_pci_allowed both[] = { { 0x8086, DMA_PCI_ANY, true },
						{ UNLISTED, false } };
	struct tree t;

	(void)state;
	tree_fill(&t, 0);
	t.topology.allowed = same;
	t.topology.nr_allowed = 1;
	expect_answer(&t, PEER_A, PEER_C, THRU, 6, NO_WHY);
	expect_answer(&t, PEER_C, PEER_D, REFUSED, 4, DMA_REASON_P2P_BRIDGES_DIFFER);
	/* Of several entries the one that allows more counts. */
	t.topology.allowed = both;
	t.topology.nr_allowed = 2;
	expect_answer(&t, PEER_C, PEER_D, THRU, 4, NO_WHY);
	/* The built-in restriction yields to the user's word. */
	tree_set_id(&t, HOST0, SAME_ROOT);
	tree_set_id(&t, HOST1, SAME_ROOT);
	t.topology.allowed = &(const struct dma_pci_allowed){ SAME_ROOT, false };
	t.topology.nr_allowed = 1;
	expect_answer(&t, PEER_C, PEER_D, THRU, 4, NO_WHY);
}

static void the_list_can_be_asked(void **state)
{
	const struct dma_pci_allowed *known;
	unsigned int n, same = 0, google = 0;

	(void)state;
	known = dma_pci_known_bridges(&n);
	for (unsigned int i = 0; i < n; i++) {
		same += known[i].same_root;
		google += known[i].vendor == 0x1ae0 && known[i].device == DMA_PCI_ANY;
	}
	assert_int_equal(n, 15);
	assert_int_equal(same, 4);
	assert_int_equal(google, 1);
}

static void what_is_no_function_is_refused(void **state)
{
	struct dma_p2p_answer answer;
	struct tree t;

	(void)state;
	tree_fill(&t, 0);
	assert_int_equal(dma_p2p_query(&t.topology, ROOT0, PEER_A, &answer), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_query(&t.topology, PEER_A, -1, &answer), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_query(&t.topology, PEER_A, TREE_NODES, &answer), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_query(NULL, PEER_A, PEER_A, &answer), -DMAMAP_EINVAL);
	assert_int_equal(dma_pci_find(&t.topology, 0, 0x81, 0), PEER_D);
	assert_int_equal(dma_pci_find(&t.topology, 1, 0x81, 0), -1);
}

static void the_attribute_follows_the_type(void **state)
{
	(void)state;
	assert_int_equal(dma_p2p_attrs(THRU, DMA_ATTR_NO_WARN), DMA_ATTR_NO_WARN | DMA_ATTR_MMIO);
	assert_int_equal(dma_p2p_attrs(DMA_P2P_NONE, DMA_ATTR_NO_WARN), DMA_ATTR_NO_WARN);
	assert_int_equal(dma_p2p_attrs(BUS, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(P2P_1_same_function),
		cmocka_unit_test(P2P_2_two_functions),
		cmocka_unit_test(P2P_3_one_switch),
		cmocka_unit_test(P2P_4_redirect),
		cmocka_unit_test(P2P_5_amd_zen),
		cmocka_unit_test(P2P_6_root_ports_of_a_listed_bridge),
		cmocka_unit_test(P2P_7_two_bridges_same_root_only),
		cmocka_unit_test(P2P_8_two_bridges),
		cmocka_unit_test(P2P_9_bridge_without_identity),
		cmocka_unit_test(P2P_10_not_pci),
		cmocka_unit_test(P2P_11_distance_of_many),
		cmocka_unit_test(P2P_12_acs_changes),
		cmocka_unit_test(the_list_can_be_extended),
		cmocka_unit_test(the_list_can_be_asked),
		cmocka_unit_test(what_is_no_function_is_refused),
		cmocka_unit_test(the_attribute_follows_the_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
