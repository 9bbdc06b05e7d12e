/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI tree: where a request that a device emits turns round before it ever reaches the root, as hardware does it.
 *
 * A request climbs from its function bridge by bridge. A bridge that redirects requests, or controls egress, passes
 * everything on upwards; any other one sends it down where a BAR of a function below it holds the address. Only what
 * reaches the top meets the IOMMU and is addressed as the CPU addresses. This is written from the rules of PCI Express
 * and knows nothing of what the library decides.
 */
#include "machine.h"

int sim_set_pci(struct sim_machine *m, struct dma_pci_topology *topology)
{
	return topology ? dmamap_pci_attach(&m->host, topology, NULL) : dmamap_pci_detach(&m->host);
}

int sim_device_put_at(struct sim_device *device, int node)
{
	return dmamap_pci_bind(&device->m->host, node, &device->dma);
}

static bool is_below(const struct dma_pci_topology *t, int node, int bridge)
{
	for (; node >= 0; node = t->nodes[node].parent)
		if (node == bridge)
			return true;
	return false;
}

/** The memory BAR of a function below @bridge that holds bus address @addr, or NULL. */
static const struct dma_pci_bar *bar_below(const struct dma_pci_topology *t, int bridge,
					   uint64_t addr)
{
	for (unsigned int i = 0; i < t->nr_nodes; i++) {
		const struct dma_pci_node *n = &t->nodes[i];

		for (unsigned int j = 0; j < n->nr_bars; j++)
			if (!n->bars[j].io && addr - n->bars[j].bus < n->bars[j].size &&
			    is_below(t, (int)i, bridge))
				return &n->bars[j];
	}
	return NULL;
}

bool sim_pci_turns(const struct sim_device *device, uint64_t *addr, uint64_t *len)
{
	const uint16_t upwards = DMA_PCI_ACS_REQUEST_REDIRECT | DMA_PCI_ACS_EGRESS_CONTROL;
	const struct dma_pci_topology *t = device->m->host.pci;
	int node = -1;

	for (unsigned int i = 0; t && i < t->nr_nodes && node < 0; i++)
		if (t->nodes[i].dev == &device->dma)
			node = (int)i;
	if (node < 0)
		return false;
	for (; t->nodes[node].kind != DMA_PCI_HOST_BRIDGE; node = t->nodes[node].parent) {
		const struct dma_pci_bar *bar;

		if (__atomic_load_n(&t->nodes[node].acs, __ATOMIC_RELAXED) & upwards)
			return false;
		bar = bar_below(t, node, *addr);
		if (!bar)
			continue;
		*len = sim_min(*len, bar->size - (*addr - bar->bus));
		*addr = bar->cpu + (*addr - bar->bus);
		return true;
	}
	return false;
}
