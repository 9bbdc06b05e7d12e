/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI topology: is it whole, whose is it, and what changed. A topology that passed the check has no cycle, so every
 * walk upwards ends.
 */
#include "p2p.h"

_Static_assert(sizeof(struct p2p_private) <= sizeof(((struct dma_pci_topology *)0)->opaque),
	       "dma_pci_topology has room");

static int faulty(struct dma_pci_fault *fault, int node, int other, const char *what)
{
	if (fault)
		*fault = (struct dma_pci_fault){ node, other, what };
	return -DMAMAP_EINVAL;
}

/* --- the check */

static bool is_bridge(enum dma_pci_kind kind)
{
	return kind != DMA_PCI_ENDPOINT;
}

/** May a node of kind @below hang on one of kind @above? */
static bool may_hang(enum dma_pci_kind below, enum dma_pci_kind above)
{
	switch (below) {
	case DMA_PCI_ROOT_PORT:
		return above == DMA_PCI_HOST_BRIDGE;
	case DMA_PCI_DOWNSTREAM:
		return above == DMA_PCI_UPSTREAM;
	case DMA_PCI_UPSTREAM:
		return above != DMA_PCI_UPSTREAM && is_bridge(above);
	default:
		return is_bridge(above);
	}
}

static const char *wrong_parent(const struct dma_pci_topology *t, int i)
{
	const struct dma_pci_node *n = &t->nodes[i];
	int up = n->parent;

	if ((unsigned int)n->kind > DMA_PCI_ENDPOINT)
		return "its kind is unknown";
	if (n->kind == DMA_PCI_HOST_BRIDGE)
		return up == -1 ? NULL : "a host bridge has no parent";
	if (up < 0 || (unsigned int)up >= t->nr_nodes || up == i)
		return "its parent is missing";
	if (!may_hang(n->kind, t->nodes[up].kind))
		return "it cannot hang on a parent of that kind";
	return n->domain == t->nodes[up].domain ? NULL : "its parent is in another domain";
}

/** Parents are indices inside of the topology; do they lead to a host bridge? */
static bool reaches_root(const struct dma_pci_topology *t, int i)
{
	for (unsigned int steps = 0; steps < t->nr_nodes; steps++) {
		if (t->nodes[i].parent == -1)
			return true;
		i = t->nodes[i].parent;
	}
	return false;
}

static bool same_address(const struct dma_pci_node *a, const struct dma_pci_node *b)
{
	bool roots = a->kind == DMA_PCI_HOST_BRIDGE;

	return a->domain == b->domain && a->bus == b->bus &&
	       roots == (b->kind == DMA_PCI_HOST_BRIDGE) && (roots || a->devfn == b->devfn);
}

static const char *wrong_bar(const struct dma_pci_node *n, unsigned int i)
{
	const struct dma_pci_bar *bar = &n->bars[i];

	if (bar->index >= DMA_PCI_BARS)
		return "the number of a BAR is not 0 to 5";
	for (unsigned int j = 0; j < i; j++)
		if (n->bars[j].index == bar->index)
			return "two BARs have one number";
	if (bar->io)
		return NULL;
	if (!bar->size)
		return "a BAR is empty";
	return range_wraps(bar->cpu, bar->size) || range_wraps(bar->bus, bar->size)
		       ? "a BAR passes the end of the address space"
		       : NULL;
}

static const char *wrong_bars(const struct dma_pci_node *n)
{
	const char *what = n->nr_bars && !n->bars ? "its BARs are missing" : NULL;

	for (unsigned int i = 0; !what && i < n->nr_bars; i++)
		what = wrong_bar(n, i);
	return what;
}

static bool bars_overlap(const struct dma_pci_node *a, const struct dma_pci_node *b)
{
	for (unsigned int i = 0; i < a->nr_bars; i++)
		for (unsigned int j = 0; j < b->nr_bars; j++) {
			const struct dma_pci_bar *x = &a->bars[i];
			const struct dma_pci_bar *y = &b->bars[j];

			if (x == y || x->io || y->io)
				continue;
			if (x->cpu - y->cpu < y->size || y->cpu - x->cpu < x->size)
				return true;
		}
	return false;
}

static int check_pairs(const struct dma_pci_topology *t, struct dma_pci_fault *fault)
{
	for (unsigned int i = 0; i < t->nr_nodes; i++)
		for (unsigned int j = 0; j <= i; j++) {
			const struct dma_pci_node *a = &t->nodes[i];
			const struct dma_pci_node *b = &t->nodes[j];

			if (i != j && same_address(a, b))
				return faulty(fault, (int)i, (int)j, "two nodes have one address");
			if (bars_overlap(a, b))
				return faulty(fault, (int)i, (int)j, "BARs overlap");
		}
	return 0;
}

int dmamap_pci_check(const struct dma_pci_topology *t, struct dma_pci_fault *fault)
{
	if (fault)
		*fault = (struct dma_pci_fault){ -1, -1, "" };
	if (!t || t->size != sizeof(*t) || t->nr_nodes > INT32_MAX || (t->nr_nodes && !t->nodes))
		return faulty(fault, -1, -1, "the topology is NULL or has another size");
	if ((t->nr_children && !t->children) || (t->nr_allowed && !t->allowed))
		return faulty(fault, -1, -1, "a list is missing");
	for (unsigned int i = 0; i < t->nr_nodes; i++) {
		const char *what = wrong_parent(t, (int)i);

		if (!what)
			what = wrong_bars(&t->nodes[i]);
		if (what)
			return faulty(fault, (int)i, t->nodes[i].parent, what);
	}
	for (unsigned int i = 0; i < t->nr_nodes; i++)
		if (!reaches_root(t, (int)i))
			return faulty(fault, (int)i, -1, "its parents lead in a circle");
	for (unsigned int i = 0; i < t->nr_children; i++)
		if (!t->children[i].dev || !p2p_is_function(t, t->children[i].node))
			return faulty(fault, t->children[i].node, -1,
				      "a child hangs on no function");
	return check_pairs(t, fault);
}

/* --- whose it is */

int dmamap_pci_attach(struct dma_host *host, struct dma_pci_topology *topology,
		      struct dma_pci_fault *fault)
{
	int err;

	if (!host)
		return faulty(fault, -1, -1, "there is no host");
	if (host->pci) {
		faulty(fault, -1, -1, "the host has a topology");
		return -DMAMAP_EBUSY;
	}
	err = dmamap_pci_check(topology, fault);
	if (err)
		return err;
	for (unsigned int i = 0; i < topology->nr_nodes; i++)
		topology->nodes[i].opaque = NULL;
	memset(topology->opaque, 0, sizeof(topology->opaque));
	dmamap_lock_init(host, &p2p_private(topology)->lock);
	host->pci = topology;
	return 0;
}

int dmamap_pci_detach(struct dma_host *host)
{
	if (!host || !host->pci)
		return 0;
	if (p2p_private(host->pci)->functions)
		return -DMAMAP_EBUSY;
	dmamap_lock_fini(host, &p2p_private(host->pci)->lock);
	host->pci = NULL;
	return 0;
}

/* --- changes */

static void changed(struct dma_pci_topology *t)
{
	__atomic_fetch_add(&t->generation, 1, __ATOMIC_RELEASE);
}

int dmamap_pci_bind(struct dma_host *host, int node, struct dma_device *dev)
{
	if (!host || !host->pci || !p2p_is_function(host->pci, node))
		return -DMAMAP_EINVAL;
	__atomic_store_n(&host->pci->nodes[node].dev, dev, __ATOMIC_RELAXED);
	changed(host->pci);
	return 0;
}

int dmamap_pci_set_acs(struct dma_host *host, int node, uint16_t acs)
{
	if (!host || !host->pci || !p2p_is_function(host->pci, node))
		return -DMAMAP_EINVAL;
	__atomic_store_n(&host->pci->nodes[node].acs, acs, __ATOMIC_RELAXED);
	changed(host->pci);
	return 0;
}

int dmamap_pci_set_allowed(struct dma_host *host, const struct dma_pci_allowed *allowed,
			   unsigned int n)
{
	if (!host || !host->pci || (n && !allowed))
		return -DMAMAP_EINVAL;
	host->pci->allowed = allowed;
	host->pci->nr_allowed = n;
	changed(host->pci);
	return 0;
}

/* --- finding nodes */

int dmamap_pci_find(const struct dma_pci_topology *t, uint32_t domain, uint8_t bus, uint8_t devfn)
{
	for (unsigned int i = 0; i < t->nr_nodes; i++) {
		const struct dma_pci_node *n = &t->nodes[i];

		if (n->kind != DMA_PCI_HOST_BRIDGE && n->domain == domain && n->bus == bus &&
		    n->devfn == devfn)
			return (int)i;
	}
	return -1;
}

int dmamap_p2p_node_of(const struct dma_pci_topology *t, const struct dma_device *dev, bool parents)
{
	for (unsigned int i = 0; dev && i < t->nr_nodes; i++)
		if (__atomic_load_n(&t->nodes[i].dev, __ATOMIC_RELAXED) == dev)
			return (int)i;
	for (unsigned int i = 0; parents && i < t->nr_children; i++)
		if (t->children[i].dev == dev)
			return t->children[i].node;
	return -1;
}
