/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attached devices and their numbers: see requester.h.
 */
#include "requester.h"

#include <dmamap/p2p.h>

#include "base/host.h"

/* --- the numbers of a PCI function */

static const struct dma_pci_node *node_of(const struct dma_pci_topology *t,
					  const struct dma_device *dev)
{
	for (unsigned int i = 0; i < t->nr_nodes; i++)
		if (t->nodes[i].dev == dev && t->nodes[i].kind != DMA_PCI_HOST_BRIDGE)
			return &t->nodes[i];
	for (unsigned int i = 0; i < t->nr_children; i++)
		if (t->children[i].dev == dev)
			return &t->nodes[t->children[i].node];
	return NULL;
}

static unsigned int put_id(uint32_t *ids, unsigned int max, unsigned int n, uint32_t id)
{
	if (n < max)
		ids[n] = id;
	return n + 1;
}

/** Own number, and what bridges to conventional PCI may put in its place (PCI Express to PCI bridge, 2.3). */
static unsigned int pci_ids(const struct dma_pci_topology *t, const struct dma_device *dev,
			    uint32_t *ids, unsigned int max)
{
	const struct dma_pci_node *node = t ? node_of(t, dev) : NULL;
	unsigned int n = 0;

	if (!node)
		return 0;
	n = put_id(ids, max, n, (uint32_t)node->bus << 8 | node->devfn);
	while (node->parent >= 0) {
		const struct dma_pci_node *bridge = &t->nodes[node->parent];

		if (bridge->kind == DMA_PCI_BRIDGE) {
			n = put_id(ids, max, n, (uint32_t)bridge->bus << 8 | bridge->devfn);
			n = put_id(ids, max, n, (uint32_t)node->bus << 8);
		}
		node = bridge;
	}
	return n;
}

/* --- the list */

void dmamap_hw_attached_init(struct hw_attached_list *list, struct dma_host *host,
			     const struct dma_requesters *requesters, uint32_t last_id)
{
	*list = (struct hw_attached_list){ .requesters = *requesters, .last_id = last_id };
	dmamap_slab_init(&list->slab, host, sizeof(struct hw_attached));
}

void dmamap_hw_attached_fini(struct hw_attached_list *list)
{
	list->first = NULL;
	dmamap_slab_fini(&list->slab);
}

unsigned int dmamap_hw_ids(const struct hw_attached_list *list, struct dma_device *dev,
			   uint32_t *ids)
{
	const struct dma_requesters *r = &list->requesters;
	unsigned int n = r->ids ? r->ids(r->arg, dev, ids, DMA_REQUESTER_IDS)
				: pci_ids(dev_host(dev)->pci, dev, ids, DMA_REQUESTER_IDS);

	if (n > DMA_REQUESTER_IDS)
		return 0;
	for (unsigned int i = 0; i < n; i++)
		if (ids[i] > list->last_id)
			return 0;
	return n;
}

static bool has_id(const struct hw_attached *a, uint32_t id)
{
	for (unsigned int i = 0; i < a->n; i++)
		if (a->ids[i] == id)
			return true;
	return false;
}

static bool elsewhere(const struct hw_attached_list *list, unsigned int domain_id,
		      const uint32_t *ids, unsigned int n)
{
	for (const struct hw_attached *a = list->first; a; a = a->next)
		for (unsigned int i = 0; i < n; i++)
			if (a->domain_id != domain_id && has_id(a, ids[i]))
				return true;
	return false;
}

int dmamap_hw_attached_add(struct hw_attached_list *list, struct dma_device *dev,
			   unsigned int domain_id, struct hw_attached **attached)
{
	uint32_t ids[DMA_REQUESTER_IDS];
	unsigned int n = dmamap_hw_ids(list, dev, ids);
	struct hw_attached *new;

	if (!n)
		return -DMAMAP_ENODEV;
	if (dmamap_hw_attached_find(list, dev) || elsewhere(list, domain_id, ids, n))
		return -DMAMAP_EBUSY;
	new = dmamap_slab_alloc(&list->slab);
	if (!new)
		return -DMAMAP_ENOMEM;
	new->dev = dev;
	new->domain_id = domain_id;
	new->n = n;
	memcpy(new->ids, ids, n * sizeof(ids[0]));
	new->next = list->first;
	list->first = new;
	*attached = new;
	return 0;
}

struct hw_attached *dmamap_hw_attached_find(const struct hw_attached_list *list,
					    const struct dma_device *dev)
{
	struct hw_attached *a = list->first;

	while (a && a->dev != dev)
		a = a->next;
	return a;
}

bool dmamap_hw_attached_shared(const struct hw_attached_list *list, const struct hw_attached *self,
			       uint32_t id)
{
	for (const struct hw_attached *a = list->first; a; a = a->next)
		if (a != self && has_id(a, id))
			return true;
	return false;
}

void dmamap_hw_attached_remove(struct hw_attached_list *list, struct hw_attached *attached)
{
	struct hw_attached **link = &list->first;

	while (*link != attached)
		link = &(*link)->next;
	*link = attached->next;
	dmamap_slab_free(&list->slab, attached);
}

struct dma_device *dmamap_hw_attached_device(const struct hw_attached_list *list, uint32_t id)
{
	for (const struct hw_attached *a = list->first; a; a = a->next)
		if (has_id(a, id))
			return a->dev;
	return NULL;
}

bool dmamap_hw_attached_any(const struct hw_attached_list *list, unsigned int domain_id)
{
	for (const struct hw_attached *a = list->first; a; a = a->next)
		if (a->domain_id == domain_id)
			return true;
	return false;
}
