/* SPDX-License-Identifier: BSD-2-Clause */
/* The check of a topology: each fault is found, at its node; and whose a topology is. */
#include "tree.h"

static void expect_fault(struct tree *t, int node, int other, const char *what)
{
	struct dma_pci_fault fault;

	assert_int_equal(dma_pci_check(&t->topology, &fault), -DMAMAP_EINVAL);
	assert_int_equal(fault.node, node);
	assert_int_equal(fault.other, other);
	assert_non_null(strstr(fault.what, what));
	assert_int_equal(dma_pci_check(&t->topology, NULL), -DMAMAP_EINVAL);
	tree_fill(t, 0);
}

static void a_whole_one_passes(void **state)
{
	struct dma_pci_fault fault;
	struct tree t;

	(void)state;
	tree_fill(&t, 0x1000000);
	assert_int_equal(dma_pci_check(&t.topology, &fault), 0);
	assert_int_equal(fault.node, -1);
	assert_string_equal(fault.what, "");
	t.topology.nr_nodes = 0;
	assert_int_equal(dma_pci_check(&t.topology, &fault), 0);
	assert_int_equal(dma_pci_check(NULL, &fault), -DMAMAP_EINVAL);
}

static void parents(void **state)
{
	struct tree t;

	(void)state;
	tree_fill(&t, 0);
	t.topology.size--;
	expect_fault(&t, -1, -1, "another size");
	t.nodes[ROOT1].parent = ROOT0;
	expect_fault(&t, ROOT1, ROOT0, "has no parent");
	t.nodes[PEER_B].parent = -1;
	expect_fault(&t, PEER_B, -1, "missing");
	t.nodes[PEER_B].parent = TREE_NODES;
	expect_fault(&t, PEER_B, TREE_NODES, "missing");
	t.nodes[PEER_B].parent = PEER_B;
	expect_fault(&t, PEER_B, PEER_B, "missing");
	t.nodes[PEER_B].parent = PEER_A;
	expect_fault(&t, PEER_B, PEER_A, "of that kind");
	t.nodes[PORT1].parent = DOWN_A;
	expect_fault(&t, PORT1, DOWN_A, "of that kind");
	t.nodes[DOWN_B].parent = PORT1;
	expect_fault(&t, DOWN_B, PORT1, "of that kind");
	t.nodes[UP].kind = (enum dma_pci_kind)17;
	expect_fault(&t, UP, PORT0, "kind is unknown");
	t.nodes[PEER_D].domain = 1;
	expect_fault(&t, PEER_D, PORT2, "another domain");
	/* 01:00.0 hangs on 02:00.0, which hangs on it. */
	t.nodes[UP].parent = DOWN_A;
	expect_fault(&t, UP, -1, "circle");
	t.topology.children = &(const struct dma_pci_child){ NULL, PEER_A };
	t.topology.nr_children = 1;
	expect_fault(&t, PEER_A, -1, "child");
}

static void addresses_and_bars(void **state)
{
	struct tree t;

	(void)state;
	tree_fill(&t, 0);
	t.nodes[PEER_A1].devfn = 0;
	expect_fault(&t, PEER_A1, PEER_A, "one address");
	t.nodes[ROOT1].bus = 0;
	expect_fault(&t, ROOT1, ROOT0, "one address");
	t.nodes[PEER_C].bars = NULL;
	expect_fault(&t, PEER_C, PORT1, "missing");
	t.bars[PEER_A][1].index = 6;
	expect_fault(&t, PEER_A, DOWN_A, "0 to 5");
	t.bars[PEER_A][2].index = 2;
	expect_fault(&t, PEER_A, DOWN_A, "one number");
	t.bars[PEER_A][2].size = 0;
	expect_fault(&t, PEER_A, DOWN_A, "empty");
	t.bars[PEER_A][2].cpu = ~0ull;
	expect_fault(&t, PEER_A, DOWN_A, "end of the address space");
	t.bars[PEER_A][2].bus = ~0ull;
	expect_fault(&t, PEER_A, DOWN_A, "end of the address space");
	t.bars[PEER_A][2].cpu = BAR_A + BAR_SIZE - 1;
	expect_fault(&t, PEER_A, PEER_A, "overlap");
	t.bars[PEER_C][0].cpu = BAR_B - BAR_SIZE + 1;
	expect_fault(&t, PEER_C, PEER_B, "overlap");
	/* Ports are another address space. */
	t.bars[PEER_A][1].cpu = BAR_A;
	assert_int_equal(dma_pci_check(&t.topology, NULL), 0);
}

static void it_belongs_to_one_host(void **state)
{
	struct dma_pci_topology second = { .size = sizeof(second) };
	struct dma_pci_fault fault;
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	assert_int_equal(dma_pci_attach(t.host, &second, &fault), -DMAMAP_EBUSY);
	assert_string_not_equal(fault.what, "");
	assert_int_equal(dma_pci_attach(NULL, &second, &fault), -DMAMAP_EINVAL);
	for (int i = PEER_A; i < TREE_NODES; i++)
		assert_int_equal(dma_pci_bind(t.host, i, NULL), 0);
	assert_int_equal(dma_pci_detach(t.host), 0);
	assert_int_equal(dma_pci_detach(t.host), 0);
	assert_int_equal(dma_pci_bind(t.host, PEER_A, NULL), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), -DMAMAP_EINVAL);
	assert_int_equal(dma_p2p_distance_many(t.host, PEER_A, NULL, 0, true), -1);
	assert_int_equal(dma_p2p_find_many(t.host, NULL, 0), -1);
	second.size = 1;
	assert_int_equal(dma_pci_attach(t.host, &second, NULL), -DMAMAP_EINVAL);
	assert_int_equal(dma_pci_attach(t.host, &t.topology, NULL), 0);
	tree_stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_one_passes),
		cmocka_unit_test(parents),
		cmocka_unit_test(addresses_and_bars),
		cmocka_unit_test(it_belongs_to_one_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
