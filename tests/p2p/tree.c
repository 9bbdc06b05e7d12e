/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine with a PCI tree that the tests of peer-to-peer share; see tree.h. */
#include "tree.h"

#include <time.h>

static void put(struct tree *t, enum tree_node node, enum dma_pci_kind kind, int parent,
		uint8_t bus, uint8_t devfn)
{
	t->nodes[node] = (struct dma_pci_node){
		.kind = kind,
		.parent = parent,
		.bus = bus,
		.devfn = devfn,
		.vendor = 0x1af4,
		.device = 0x1000,
		.bars = t->bars[node],
	};
}

static void add_bar(struct tree *t, enum tree_node node, uint8_t index, bool io, uint64_t cpu,
		    uint64_t size, uint64_t bus_offset)
{
	t->bars[node][t->nodes[node].nr_bars++] =
		(struct dma_pci_bar){ index, io, cpu, cpu + bus_offset, size };
}

void tree_set_id(struct tree *t, enum tree_node node, uint16_t vendor, uint16_t device)
{
	t->nodes[node].vendor = vendor;
	t->nodes[node].device = device;
}

void tree_fill(struct tree *t, uint64_t offset)
{
	memset(t, 0, sizeof(*t));
	put(t, ROOT0, DMA_PCI_HOST_BRIDGE, -1, 0x00, 0);
	put(t, ROOT1, DMA_PCI_HOST_BRIDGE, -1, 0x80, 0);
	put(t, HOST0, DMA_PCI_ENDPOINT, ROOT0, 0x00, 0);
	put(t, HOST1, DMA_PCI_ENDPOINT, ROOT1, 0x80, 0);
	put(t, PORT0, DMA_PCI_ROOT_PORT, ROOT0, 0x00, 1 << 3);
	put(t, PORT1, DMA_PCI_ROOT_PORT, ROOT0, 0x00, 2 << 3);
	put(t, PORT2, DMA_PCI_ROOT_PORT, ROOT1, 0x80, 1 << 3);
	put(t, UP, DMA_PCI_UPSTREAM, PORT0, 0x01, 0);
	put(t, DOWN_A, DMA_PCI_DOWNSTREAM, UP, 0x02, 0);
	put(t, DOWN_B, DMA_PCI_DOWNSTREAM, UP, 0x02, 1 << 3);
	put(t, PEER_A, DMA_PCI_ENDPOINT, DOWN_A, 0x03, 0);
	put(t, PEER_A1, DMA_PCI_ENDPOINT, DOWN_A, 0x03, 1);
	put(t, PEER_B, DMA_PCI_ENDPOINT, DOWN_B, 0x04, 0);
	put(t, PEER_C, DMA_PCI_ENDPOINT, PORT1, 0x05, 0);
	put(t, PEER_D, DMA_PCI_ENDPOINT, PORT2, 0x81, 0);
	add_bar(t, PEER_A, 0, false, BAR_A, BAR_SIZE, offset);
	add_bar(t, PEER_A, 2, true, 0xe000, 32, 0);
	add_bar(t, PEER_A, 4, false, BAR_A4, 0x10000, offset);
	add_bar(t, PEER_A1, 0, false, BAR_A1, BAR_SIZE, offset);
	add_bar(t, PEER_B, 0, false, BAR_B, BAR_SIZE, offset);
	add_bar(t, PEER_C, 0, false, BAR_C, BAR_SIZE, offset);
	add_bar(t, PEER_D, 0, false, BAR_D, BAR_SIZE, offset);
	tree_set_id(t, HOST0, UNLISTED);
	tree_set_id(t, HOST1, UNLISTED);
	t->topology = (struct dma_pci_topology){ .size = sizeof(t->topology),
						 .nodes = t->nodes,
						 .nr_nodes = TREE_NODES };
}

void tree_start(struct tree *t, uint64_t offset, bool noncoherent)
{
	struct sim_config config = { .size = sizeof(config), .noncoherent = noncoherent };
	struct sim_device_config device = { .size = sizeof(device), .name = "peer" };

	tree_fill(t, offset);
	assert_int_equal(sim_machine_create(&config, &t->m), 0);
	assert_int_equal(sim_add_ram(t->m, 0x100000, 64 << 20), 0);
	assert_int_equal(sim_add_ram(t->m, BAR_C - 0x10000, 0x10000), 0);
	for (int i = 0; i < TREE_NODES; i++)
		for (unsigned int j = 0; j < t->nodes[i].nr_bars; j++)
			if (!t->bars[i][j].io)
				assert_int_equal(
					sim_add_bar(t->m, t->bars[i][j].cpu, t->bars[i][j].size),
					0);
	assert_int_equal(sim_start(t->m), 0);
	t->host = sim_host(t->m);
	assert_int_equal(sim_set_pci(t->m, &t->topology), 0);
	for (int i = PEER_A; i < TREE_NODES; i++) {
		assert_int_equal(sim_device_create(t->m, &device, &t->device[i]), 0);
		assert_int_equal(sim_device_put_at(t->device[i], i), 0);
		assert_int_equal(dma_set_mask_and_coherent(sim_dma(t->device[i]), DMA_BIT_MASK(64)),
				 0);
	}
}

void tree_stop(struct tree *t)
{
	for (int i = 0; i < TREE_NODES; i++) {
		assert_int_equal(dma_p2p_fini(t->host, i), 0);
		assert_int_equal(sim_device_destroy(t->device[i]), 0);
	}
	assert_int_equal(sim_set_pci(t->m, NULL), 0);
	assert_int_equal(sim_memory_used(t->m), 0);
	assert_int_equal(sim_machine_destroy(t->m), 0);
}

struct dma_device *tree_dma(struct tree *t, enum tree_node node)
{
	return sim_dma(t->device[node]);
}

void expect_answer(struct tree *t, int provider, int client, enum dma_p2p_type type, int distance,
		   enum dma_reason reason)
{
	struct dma_p2p_answer answer;

	assert_int_equal(dma_p2p_query(&t->topology, provider, client, &answer), 0);
	assert_int_equal(answer.type, type);
	assert_int_equal(answer.distance, distance);
	assert_string_equal(dma_reason_name(answer.reason), dma_reason_name(reason));
}

uint64_t tree_seed(void)
{
	const char *text = getenv("DMAMAP_TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);

	printf("# DMAMAP_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed ? seed : 1;
}

uint64_t tree_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}
