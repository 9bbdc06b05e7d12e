/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * May two functions talk, and which way? Peers' traffic turns round at the nearest bridge above both, unless a bridge
 * on the way redirects it upwards; then, and where there is no such bridge, the host bridge must forward it, which is
 * known of some only (docs/semantics.md, "Peer-to-peer").
 */
#include "p2p.h"

#define INTEL  0x8086
#define GOOGLE 0x1ae0
#define NVIDIA 0x10de

static const struct dma_pci_allowed known[] = {
	/* Xeon E5 and Core i7 of the second and third generation: not across two sockets */
	{ INTEL, 0x3c00, true },
	{ INTEL, 0x3c01, true },
	{ INTEL, 0x2f00, true },
	{ INTEL, 0x2f01, true },
	/* Xeon Scalable, Ice Lake and later */
	{ INTEL, 0x2030, false },
	{ INTEL, 0x2031, false },
	{ INTEL, 0x2032, false },
	{ INTEL, 0x2033, false },
	{ INTEL, 0x2020, false },
	{ INTEL, 0x09a2, false },
	{ GOOGLE, DMA_PCI_ANY, false },
	{ NVIDIA, 0x2f95, false },
	{ NVIDIA, 0x2f96, false },
	{ NVIDIA, 0x2f97, false },
	{ NVIDIA, 0x2f98, false },
};

const struct dma_pci_allowed *dmamap_pci_known_bridges(unsigned int *n)
{
	*n = sizeof(known) / sizeof(known[0]);
	return known;
}

/* --- host bridges */

int dmamap_pci_bridge_id(const struct dma_pci_topology *t, int bridge)
{
	const struct dma_pci_node *first = NULL;

	for (unsigned int i = 0; i < t->nr_nodes; i++) {
		const struct dma_pci_node *n = &t->nodes[i];

		if (n->parent == bridge && bridge >= 0 && (!first || n->devfn < first->devfn))
			first = n;
	}
	if (!first || (first->devfn && first->kind != DMA_PCI_ROOT_PORT))
		return -1;
	return (int)(first - t->nodes);
}

static const struct dma_pci_allowed *find_allowed(const struct dma_pci_allowed *list,
						  unsigned int n, const struct dma_pci_node *id,
						  bool two_roots)
{
	const struct dma_pci_allowed *found = NULL;

	for (unsigned int i = 0; i < n; i++)
		if (list[i].vendor == id->vendor &&
		    (list[i].device == DMA_PCI_ANY || list[i].device == id->device) &&
		    (!found || (two_roots && found->same_root)))
			found = &list[i];
	return found;
}

/** NONE, or why host bridge @bridge does not forward; @two_roots: to another one. */
static enum dma_reason ask_bridge(const struct dma_pci_topology *t, int bridge, bool two_roots)
{
	const struct dma_pci_allowed *own, *users;
	int id = dmamap_pci_bridge_id(t, bridge);

	if (id < 0)
		return DMA_REASON_P2P_BRIDGE_UNKNOWN;
	own = find_allowed(known, sizeof(known) / sizeof(known[0]), &t->nodes[id], two_roots);
	users = find_allowed(t->allowed, t->nr_allowed, &t->nodes[id], two_roots);
	if (!own && !users)
		return DMA_REASON_P2P_BRIDGE_NOT_LISTED;
	if (two_roots && (!own || own->same_root) && (!users || users->same_root))
		return DMA_REASON_P2P_BRIDGES_DIFFER;
	return DMA_REASON_NONE;
}

static void through_host_bridge(const struct dma_pci_topology *t, struct dma_p2p_answer *a)
{
	bool two_roots = a->bridge[0] != a->bridge[1];
	enum dma_reason reason = DMA_REASON_NONE;

	for (int i = 0; !t->cpu_amd_zen && reason == DMA_REASON_NONE && i <= two_roots; i++) {
		reason = ask_bridge(t, a->bridge[i], two_roots);
		a->refused_by = reason == DMA_REASON_NONE ? -1 : a->bridge[i];
	}
	a->type = reason == DMA_REASON_NONE ? DMA_P2P_THRU_HOST_BRIDGE : DMA_P2P_NOT_SUPPORTED;
	/* What keeps the two apart is the redirection: without it the bridge would not be asked. */
	a->reason =
		reason != DMA_REASON_NONE && a->nr_redirects ? DMA_REASON_P2P_ACS_REDIRECT : reason;
}

/* --- the way up */

static bool is_root(const struct dma_pci_topology *t, int node)
{
	return t->nodes[node].kind == DMA_PCI_HOST_BRIDGE;
}

static int host_bridge_of(const struct dma_pci_topology *t, int node, int *height)
{
	for (*height = 0; !is_root(t, node); ++*height)
		node = t->nodes[node].parent;
	return node;
}

/** Links from @from up to @to; -1 if it is not above. */
static int links_up(const struct dma_pci_topology *t, int from, int to)
{
	int links = 0;

	for (; !is_root(t, from); from = t->nodes[from].parent, links++)
		if (from == to)
			return links;
	return -1;
}

/** Note every node from @from up to @last that redirects. */
static void note_redirects(const struct dma_pci_topology *t, int from, int last,
			   struct dma_p2p_answer *a)
{
	for (; from != last; from = t->nodes[from].parent) {
		uint16_t acs = __atomic_load_n(&t->nodes[from].acs, __ATOMIC_RELAXED);

		if (!(acs & DMA_PCI_ACS_REDIRECTS))
			continue;
		if (a->nr_redirects < DMA_P2P_REDIRECTS)
			a->redirects[a->nr_redirects] = from;
		a->nr_redirects++;
	}
}

static void decide(const struct dma_pci_topology *t, int provider, int client,
		   struct dma_p2p_answer *a)
{
	int up = 0, down = -1;
	int node = provider;

	while (!is_root(t, node) && (down = links_up(t, client, node)) < 0) {
		node = t->nodes[node].parent;
		up++;
	}
	if (down < 0) {
		int heights[2];

		host_bridge_of(t, provider, &heights[0]);
		host_bridge_of(t, client, &heights[1]);
		a->distance = heights[0] + heights[1];
		through_host_bridge(t, a);
		return;
	}
	a->common = node;
	a->distance = up + down;
	if (provider != client) {
		note_redirects(t, provider, t->nodes[node].parent, a);
		note_redirects(t, client, node, a);
	}
	if (a->nr_redirects)
		through_host_bridge(t, a);
	else
		a->type = DMA_P2P_BUS_ADDR;
}

int dmamap_p2p_query(const struct dma_pci_topology *t, int provider, int client,
		     struct dma_p2p_answer *answer)
{
	int ignored;

	if (!t || !answer || !p2p_is_function(t, provider) || !p2p_is_function(t, client))
		return -DMAMAP_EINVAL;
	*answer = (struct dma_p2p_answer){ .common = -1, .refused_by = -1 };
	answer->generation = p2p_generation(t);
	answer->bridge[0] = host_bridge_of(t, provider, &ignored);
	answer->bridge[1] = host_bridge_of(t, client, &ignored);
	for (int i = 0; i < DMA_P2P_REDIRECTS; i++)
		answer->redirects[i] = -1;
	decide(t, provider, client, answer);
	return 0;
}
