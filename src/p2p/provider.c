/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions that let peers reach their BARs: made, found by address, published and found by distance.
 */
#include "p2p.h"

static struct dma_pci_topology *topology_with(struct dma_host *host, int node)
{
	return host && host->pci && p2p_is_function(host->pci, node) ? host->pci : NULL;
}

static void fill_providers(struct p2p_function *f, const struct dma_pci_node *n)
{
	for (unsigned int i = 0; i < n->nr_bars; i++) {
		const struct dma_pci_bar *bar = &n->bars[i];

		if (!bar->io)
			f->providers[bar->index] =
				(struct dma_p2p_provider){ f->node, bar->index, bar->cpu, bar->size,
							   bar->bus - bar->cpu };
	}
}

int dmamap_p2p_init(struct dma_host *host, int node)
{
	struct dma_pci_topology *t = topology_with(host, node);
	struct p2p_private *own;
	struct p2p_function *f;

	if (!t)
		return -DMAMAP_EINVAL;
	if (p2p_function(t, node))
		return 0;
	if (t->nodes[node].unmappable)
		return -DMAMAP_EOPNOTSUPP;
	f = dmamap_pages_alloc(host, sizeof(*f), ~(phys_addr_t)0, DMAMAP_GFP_KERNEL, NULL);
	if (!f)
		return -DMAMAP_ENOMEM;
	f->node = node;
	dmamap_slab_init(&f->slab, host, sizeof(struct p2p_extent));
	fill_providers(f, &t->nodes[node]);
	own = p2p_private(t);
	f->next = own->functions;
	__atomic_store_n(&own->functions, f, __ATOMIC_RELEASE);
	__atomic_store_n(&t->nodes[node].opaque, (void *)f, __ATOMIC_RELEASE);
	__atomic_fetch_add(&t->generation, 1, __ATOMIC_RELEASE);
	return 0;
}

int dmamap_p2p_fini(struct dma_host *host, int node)
{
	struct dma_pci_topology *t = topology_with(host, node);
	struct p2p_function *f = t ? p2p_function(t, node) : NULL;
	struct p2p_function **link;

	if (!f)
		return 0;
	if (f->available != f->bytes)
		return -DMAMAP_EBUSY;
	for (link = &p2p_private(t)->functions; *link != f; link = &(*link)->next)
		;
	*link = f->next;
	t->nodes[node].opaque = NULL;
	__atomic_fetch_add(&t->generation, 1, __ATOMIC_RELEASE);
	dmamap_slab_fini(&f->slab);
	dmamap_pages_free(host, f, sizeof(*f));
	return 0;
}

const struct dma_p2p_provider *dmamap_p2p_provider(struct dma_host *host, int node,
						   unsigned int bar)
{
	struct dma_pci_topology *t = topology_with(host, node);
	struct p2p_function *f = t ? p2p_function(t, node) : NULL;

	if (!t || bar >= DMA_PCI_BARS)
		return NULL;
	if (f)
		return f->providers[bar].size ? &f->providers[bar] : NULL;
	dmamap_warn(host, t->nodes[node].dev, "a provider before dma_p2p_init()", NULL);
	return NULL;
}

const struct dma_p2p_provider *dmamap_p2p_provider_at(const struct dma_pci_topology *t,
						      phys_addr_t phys)
{
	const struct p2p_function *f =
		__atomic_load_n(&p2p_private(t)->functions, __ATOMIC_ACQUIRE);

	for (; f; f = f->next)
		for (int i = 0; i < DMA_PCI_BARS; i++)
			if (phys - f->providers[i].base < f->providers[i].size)
				return &f->providers[i];
	return NULL;
}

int dmamap_p2p_phys_to_bus(struct dma_host *host, phys_addr_t phys, uint64_t *bus)
{
	const struct dma_p2p_provider *provider =
		host && host->pci ? dmamap_p2p_provider_at(host->pci, phys) : NULL;

	if (!provider || !bus)
		return -DMAMAP_ENXIO;
	*bus = dmamap_p2p_bus_addr(provider, phys);
	return 0;
}

/* --- publishing */

int dmamap_p2p_publish(struct dma_host *host, int node, bool publish)
{
	struct dma_pci_topology *t = topology_with(host, node);
	struct p2p_function *f = t ? p2p_function(t, node) : NULL;

	if (!f)
		return -DMAMAP_EINVAL;
	__atomic_store_n(&f->published, publish, __ATOMIC_RELAXED);
	return 0;
}

int dmamap_p2p_get_stats(struct dma_host *host, int node, struct dma_p2p_stats *stats)
{
	struct dma_pci_topology *t = topology_with(host, node);
	struct p2p_function *f = t ? p2p_function(t, node) : NULL;

	if (!t || !stats)
		return -DMAMAP_EINVAL;
	*stats = (struct dma_p2p_stats){ .published = false };
	if (!f)
		return 0;
	dmamap_lock(host, &p2p_private(t)->lock);
	*stats = (struct dma_p2p_stats){ f->bytes, f->available,
					 __atomic_load_n(&f->published, __ATOMIC_RELAXED) };
	dmamap_unlock(host, &p2p_private(t)->lock);
	return 0;
}

/** The order of addresses, in which equally near providers are preferred. */
static uint64_t address_of(const struct dma_pci_topology *t, int node)
{
	const struct dma_pci_node *n = &t->nodes[node];

	return (uint64_t)n->domain << 16 | (uint64_t)n->bus << 8 | n->devfn;
}

int dmamap_p2p_find_many(struct dma_host *host, struct dma_device *const *clients, unsigned int n)
{
	const struct p2p_function *f;
	int best = -1, nearest = 0;

	if (!host || !host->pci)
		return -1;
	for (f = p2p_private(host->pci)->functions; f; f = f->next) {
		int distance;

		if (!__atomic_load_n(&f->published, __ATOMIC_RELAXED) || !f->bytes)
			continue;
		distance = dmamap_p2p_distance_many(host, f->node, clients, n, false);
		if (distance < 0 || (best >= 0 && distance > nearest))
			continue;
		if (best >= 0 && distance == nearest &&
		    address_of(host->pci, f->node) > address_of(host->pci, best))
			continue;
		best = f->node;
		nearest = distance;
	}
	return best;
}
