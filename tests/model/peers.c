/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PCI tree: the device and a near peer below one switch, a far peer below another root port of the same root, which
 * forwards, and a foreign one below a root that does not. The peers' BARs are the areas of MMIO.
 *
 * While no list has an element at its bus address, the switch may begin to redirect requests, or stop: then the near
 * peer is reached through the host bridge.
 */
#include "world.h"

#define BUS_OFFSET 0x1000000ull
#define REDIRECT   DMA_PCI_ACS_REQUEST_REDIRECT

enum node {
	ROOT,
	FOREIGN_ROOT,
	HOST,
	FOREIGN_HOST,
	PORT,
	FAR_PORT,
	FOREIGN_PORT,
	SWITCH,
	DOWN,
	NEAR_DOWN,
	DEVICE,
	NEAR,
	FAR,
	FOREIGN,
	NODES,
};

struct tree {
	struct dma_pci_topology topology;
	struct dma_pci_node nodes[NODES];
	struct dma_pci_bar bars[3];
	bool redirects;
};

static void put(struct tree *t, enum node node, enum dma_pci_kind kind, int parent, uint8_t bus,
		uint8_t devfn)
{
	t->nodes[node] = (struct dma_pci_node){ .kind = kind,
						.parent = parent,
						.bus = bus,
						.devfn = devfn,
						.vendor = 0x1af4,
						.device = 0x1000 };
}

static void put_bar(struct world *w, enum node node, unsigned int index)
{
	struct tree *t = w->tree;
	struct model_area *area = &w->model.area[3 + index];

	t->bars[index] = (struct dma_pci_bar){ .cpu = area->base,
					       .bus = area->base + BUS_OFFSET,
					       .size = MODEL_AREA };
	t->nodes[node].bars = &t->bars[index];
	t->nodes[node].nr_bars = 1;
}

static void put_nodes(struct tree *t)
{
	put(t, ROOT, DMA_PCI_HOST_BRIDGE, -1, 0x00, 0);
	put(t, FOREIGN_ROOT, DMA_PCI_HOST_BRIDGE, -1, 0x80, 0);
	put(t, HOST, DMA_PCI_ENDPOINT, ROOT, 0x00, 0);
	put(t, FOREIGN_HOST, DMA_PCI_ENDPOINT, FOREIGN_ROOT, 0x80, 0);
	put(t, PORT, DMA_PCI_ROOT_PORT, ROOT, 0x00, 1 << 3);
	put(t, FAR_PORT, DMA_PCI_ROOT_PORT, ROOT, 0x00, 2 << 3);
	put(t, FOREIGN_PORT, DMA_PCI_ROOT_PORT, FOREIGN_ROOT, 0x80, 1 << 3);
	put(t, SWITCH, DMA_PCI_UPSTREAM, PORT, 0x01, 0);
	put(t, DOWN, DMA_PCI_DOWNSTREAM, SWITCH, 0x02, 0);
	put(t, NEAR_DOWN, DMA_PCI_DOWNSTREAM, SWITCH, 0x02, 1 << 3);
	put(t, DEVICE, DMA_PCI_ENDPOINT, DOWN, 0x03, 0);
	put(t, NEAR, DMA_PCI_ENDPOINT, NEAR_DOWN, 0x04, 0);
	put(t, FAR, DMA_PCI_ENDPOINT, FAR_PORT, 0x05, 0);
	put(t, FOREIGN, DMA_PCI_ENDPOINT, FOREIGN_PORT, 0x81, 0);
	/* a bridge that forwards below one root, and one that nobody knows */
	t->nodes[HOST].vendor = t->nodes[FOREIGN_HOST].vendor = 0x8086;
	t->nodes[HOST].device = 0x3c00;
	t->nodes[FOREIGN_HOST].device = 0x1234;
}

static void set_near(struct world *w)
{
	w->model.area[3].peer = w->tree->redirects ? MODEL_MMIO : MODEL_BUS;
	w->model.area[3].bus_offset = w->tree->redirects ? 0 : BUS_OFFSET;
}

void make_tree(struct world *w)
{
	struct tree *t = calloc(1, sizeof(*t));
	struct dma_host *host = sim_host(w->machine);

	w->tree = t;
	put_nodes(t);
	put_bar(w, NEAR, 0);
	put_bar(w, FAR, 1);
	put_bar(w, FOREIGN, 2);
	t->topology = (struct dma_pci_topology){ .size = sizeof(t->topology),
						 .nodes = t->nodes,
						 .nr_nodes = NODES };
	assert_int_equal(sim_set_pci(w->machine, &t->topology), 0);
	assert_int_equal(sim_device_put_at(w->device, DEVICE), 0);
	for (int i = NEAR; i <= FOREIGN; i++)
		assert_int_equal(dma_p2p_init(host, i), 0);
	set_near(w);
	w->model.area[4].peer = MODEL_MMIO;
	w->model.area[5].peer = MODEL_REFUSED;
}

void end_tree(struct world *w)
{
	struct dma_host *host = sim_host(w->machine);

	for (int i = NEAR; i <= FOREIGN; i++)
		assert_int_equal(dma_p2p_fini(host, i), 0);
	assert_int_equal(dma_pci_bind(host, DEVICE, NULL), 0);
	assert_int_equal(sim_set_pci(w->machine, NULL), 0);
	free(w->tree);
	w->tree = NULL;
}

void step_acs(struct world *w)
{
	if (!w->tree)
		return;
	for (int i = 0; i < MODEL_MAPPINGS; i++) {
		const struct model_mapping *m = &w->model.mapping[i];

		for (unsigned int j = 0; m->live && j < m->pieces; j++)
			if (m->piece[j].place == MODEL_BUS)
				return;
	}
	w->tree->redirects = !w->tree->redirects;
	assert_int_equal(
		dma_pci_set_acs(sim_host(w->machine), DOWN, w->tree->redirects ? REDIRECT : 0), 0);
	set_near(w);
}
