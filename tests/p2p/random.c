/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random trees: what the library decides against a slow decision of the test's own, and against the hardware: where it
 * says "bus address", a request of the simulated device arrives; and random use of a pool against a map of its pages.
 */
#include "tree.h"

#define NODES 40
#define PAGES 256u

struct forest {
	struct dma_pci_topology topology;
	struct dma_pci_node nodes[NODES];
};

static int pick_parent(const struct forest *f, int below, enum dma_pci_kind kind, uint64_t *seed)
{
	for (int tries = 0; tries < 200; tries++) {
		int i = (int)(tree_random(seed) % (uint64_t)below);
		enum dma_pci_kind above = f->nodes[i].kind;

		if (kind == DMA_PCI_DOWNSTREAM ? above == DMA_PCI_UPSTREAM
		    : kind == DMA_PCI_UPSTREAM
			    ? above == DMA_PCI_ROOT_PORT || above == DMA_PCI_DOWNSTREAM
			    : above == DMA_PCI_HOST_BRIDGE || above == DMA_PCI_ROOT_PORT ||
				      above == DMA_PCI_DOWNSTREAM)
			return i;
	}
	return 0;
}

static void grow(struct forest *f, uint64_t *seed)
{
	memset(f, 0, sizeof(*f));
	for (int i = 0; i < NODES; i++) {
		struct dma_pci_node *n = &f->nodes[i];

		*n = (struct dma_pci_node){ .bus = (uint8_t)i, .vendor = 0x8086, .parent = -1 };
		n->device = tree_random(seed) % 2 ? 0x2030 : 0x3c00;
		if (i < 3)
			continue;
		n->kind = i < 6 ? DMA_PCI_ROOT_PORT
				: (enum dma_pci_kind)(DMA_PCI_ROOT_PORT + tree_random(seed) % 5);
		if (n->kind == DMA_PCI_ROOT_PORT)
			n->parent = (int)(tree_random(seed) % 3);
		else
			n->parent = pick_parent(f, i, n->kind, seed);
		if (n->kind == DMA_PCI_DOWNSTREAM && f->nodes[n->parent].kind != DMA_PCI_UPSTREAM)
			n->kind = DMA_PCI_ENDPOINT;
		n->devfn = (uint8_t)(tree_random(seed) % 3);
		n->acs = tree_random(seed) % 6 ? 0 : (uint16_t)tree_random(seed);
	}
	f->topology = (struct dma_pci_topology){ .size = sizeof(f->topology),
						 .nodes = f->nodes,
						 .nr_nodes = NODES,
						 .cpu_amd_zen = tree_random(seed) % 8 == 0 };
}

/** The path from @node to its root bus, both included; its length. */
static int path(const struct forest *f, int node, int *out)
{
	int n = 0;

	for (; node >= 0; node = f->nodes[node].parent)
		out[n++] = node;
	return n;
}

static bool redirects(const struct forest *f, int node)
{
	return f->nodes[node].acs & (4 | 8 | 32);
}

/** May the root bus forward? By the rules, written down once more. */
static bool forwards(const struct forest *f, int root, bool two)
{
	int first = -1;

	for (int i = NODES - 1; i >= 0; i--)
		if (f->nodes[i].parent == root &&
		    (first < 0 || f->nodes[i].devfn <= f->nodes[first].devfn))
			first = i;
	if (first < 0 || (f->nodes[first].devfn && f->nodes[first].kind != DMA_PCI_ROOT_PORT))
		return false;
	return f->nodes[first].device == 0x2030 || !two;
}

static void compare(const struct forest *f, int p, int c)
{
	int up[NODES], down[NODES], n = path(f, p, up), m = path(f, c, down), same = 0;
	bool redirected = false, bridge = f->topology.cpu_amd_zen;
	struct dma_p2p_answer a;

	while (same < n && same < m && up[n - 1 - same] == down[m - 1 - same])
		same++;
	if (!bridge)
		bridge = forwards(f, up[n - 1], same == 0) && forwards(f, down[m - 1], same == 0);
	for (int i = 0; p != c && same > 1 && i <= n - same; i++)
		redirected |= redirects(f, up[i]);
	for (int i = 0; p != c && same > 1 && i < m - same; i++)
		redirected |= redirects(f, down[i]);
	assert_int_equal(dma_p2p_query(&f->topology, p, c, &a), 0);
	assert_int_equal(a.distance, same > 1 ? n - same + m - same : n - 1 + m - 1);
	assert_int_equal(a.type, same > 1 && !redirected ? DMA_P2P_BUS_ADDR
				 : bridge		 ? DMA_P2P_THRU_HOST_BRIDGE
							 : DMA_P2P_NOT_SUPPORTED);
	assert_int_equal(a.nr_redirects > 0, redirected);
	assert_int_equal(a.reason == DMA_REASON_NONE, a.type != DMA_P2P_NOT_SUPPORTED);
	assert_int_equal(a.common, same > 1 ? up[n - same] : -1);
}

static void decisions_of_random_trees(void **state)
{
	uint64_t seed = tree_seed();
	struct dma_pci_fault fault;
	struct forest f;

	(void)state;
	for (int round = 0; round < 400; round++) {
		grow(&f, &seed);
		if (dma_pci_check(&f.topology, &fault))
			fail_msg("node %d: %s", fault.node, fault.what);
		for (int p = 3; p < NODES; p++)
			for (int c = 3; c < NODES; c++)
				compare(&f, p, c);
	}
}

/* Where a bus address is promised, the request arrives, past any IOMMU. */
static void hardware_agrees(void **state)
{
	static const uint64_t bars[] = { BAR_A, BAR_A1, BAR_B, BAR_C, BAR_D };
	uint64_t seed = tree_seed(), bus;
	unsigned int arrived = 0;
	struct tree t;

	(void)state;
	tree_start(&t, 0x7000000000, false);
	for (int i = PEER_A; i < TREE_NODES; i++)
		assert_int_equal(dma_p2p_init(t.host, i), 0);
	for (int round = 0; round < 2000; round++) {
		int p = (int)(tree_random(&seed) % 5), c = (int)(tree_random(&seed) % 5);
		int turned = (int)(PORT0 + tree_random(&seed) % (PEER_A - PORT0));
		struct dma_p2p_answer a;
		char byte = (char)round;

		assert_int_equal(
			dma_pci_set_acs(t.host, turned, tree_random(&seed) % 2 ? 0 : REDIRECT), 0);
		assert_int_equal(dma_p2p_query(&t.topology, PEER_A + p, PEER_A + c, &a), 0);
		if (a.type != DMA_P2P_BUS_ADDR)
			continue;
		assert_int_equal(dma_p2p_phys_to_bus(t.host, bars[p], &bus), 0);
		assert_int_equal(sim_dma_write(t.device[PEER_A + c], bus, &byte, 1, NULL), 0);
		assert_memory_equal(sim_cpu_ptr(t.m, bars[p], 1), &byte, 1);
		arrived++;
	}
	assert_true(arrived > 100);
	tree_stop(&t);
}

struct piece {
	phys_addr_t phys;
	uint64_t size;
};

/** Every page of the piece was free, or taken, and is the other from now on. */
static void flip(bool *taken, const struct piece *piece, bool take)
{
	uint64_t first = (piece->phys - BAR_B) / 4096;

	for (uint64_t i = 0; i < (piece->size + 4095) / 4096; i++) {
		assert_true(first + i < PAGES);
		assert_int_equal(taken[first + i], !take);
		taken[first + i] = take;
	}
}

static bool has_run(const bool *taken, uint64_t pages)
{
	uint64_t run = 0;

	for (unsigned int i = 0; i < PAGES && run < pages; i++)
		run = taken[i] ? 0 : run + 1;
	return run >= pages;
}

static void a_pool_used_at_random(void **state)
{
	uint64_t seed = tree_seed(), held = 0;
	bool taken[PAGES] = { false };
	struct dma_p2p_stats stats;
	struct piece live[64];
	int n = 0;
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_B, 0, 0x40000, 0xc0000), 0);
	assert_int_equal(dma_p2p_add_resource(t.host, PEER_B, 0, 0xc0000, 0), 0);
	for (int round = 0; round < 20000; round++) {
		struct piece p = { 0, 1 + tree_random(&seed) % 0xffff };

		if (n && (n == 64 || tree_random(&seed) % 2)) {
			int i = (int)(tree_random(&seed) % (uint64_t)n);

			p = live[i];
			live[i] = live[--n];
			assert_int_equal(dma_p2p_free(t.host, PEER_B, p.phys, p.size), 0);
			flip(taken, &p, false);
			held -= (p.size + 4095) / 4096 * 4096;
		} else {
			p.phys = dma_p2p_alloc(t.host, PEER_B, p.size);
			/* The two parts touch, but were added one by one. */
			if (p.phys == DMAMAP_PHYS_NONE) {
				assert_false(has_run(taken, (p.size + 4095) / 4096));
				continue;
			}
			flip(taken, &p, true);
			live[n++] = p;
			held += (p.size + 4095) / 4096 * 4096;
		}
		assert_int_equal(dma_p2p_get_stats(t.host, PEER_B, &stats), 0);
		assert_int_equal(stats.available, stats.bytes - held);
	}
	while (n) {
		n--;
		assert_int_equal(dma_p2p_free(t.host, PEER_B, live[n].phys, live[n].size), 0);
	}
	tree_stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decisions_of_random_trees),
		cmocka_unit_test(hardware_agrees),
		cmocka_unit_test(a_pool_used_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
