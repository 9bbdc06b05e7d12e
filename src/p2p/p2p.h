/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the routes ask of this room, and what its files share.
 *
 * The topology is the host's plain data; the library keeps its own part in the opaque words: the list of functions that
 * provide memory, and the lock of their pools. Decisions read the topology without a lock: nodes do not move, ACS words
 * and the generation are single words.
 */
#ifndef DMAMAP_P2P_P2P_H
#define DMAMAP_P2P_P2P_H

#include <dmamap/p2p.h>

#include "base/fail.h"
#include "base/host.h"
#include "base/slab.h"

#pragma GCC visibility push(hidden)

/** A piece of a function's memory: free, or allocated as a whole. Kept in the order of addresses. */
struct p2p_extent {
	struct p2p_extent *next;
	phys_addr_t start;
	uint64_t len;
	bool used;
};

/** A function that provides memory. */
struct p2p_function {
	struct p2p_function *next;
	int node;
	bool published;
	/** size 0: no memory BAR of that number. */
	struct dma_p2p_provider providers[DMA_PCI_BARS];
	struct dmamap_slab slab;
	struct p2p_extent *extents;
	uint64_t bytes;
	uint64_t available;
};

/** The library's part of a topology. */
struct p2p_private {
	struct p2p_function *functions;
	struct dma_lock lock;
};

static inline struct p2p_private *p2p_private(const struct dma_pci_topology *t)
{
	return (struct p2p_private *)(uintptr_t)t->opaque;
}

static inline uint64_t p2p_generation(const struct dma_pci_topology *t)
{
	return __atomic_load_n(&t->generation, __ATOMIC_ACQUIRE);
}

static inline bool p2p_is_function(const struct dma_pci_topology *t, int node)
{
	return node >= 0 && (unsigned int)node < t->nr_nodes &&
	       t->nodes[node].kind != DMA_PCI_HOST_BRIDGE;
}

/** The function that was initialised at @node, or NULL. */
static inline struct p2p_function *p2p_function(const struct dma_pci_topology *t, int node)
{
	return p2p_is_function(t, node) ? __atomic_load_n(&t->nodes[node].opaque, __ATOMIC_ACQUIRE)
					: NULL;
}

/** The node that @dev is bound to, -1 if none; with @parents that which it hangs on counts too. */
int dmamap_p2p_node_of(const struct dma_pci_topology *t, const struct dma_device *dev,
		       bool parents);

/** The provider whose BAR holds @phys, or NULL. */
const struct dma_p2p_provider *dmamap_p2p_provider_at(const struct dma_pci_topology *t,
						      phys_addr_t phys);

/**
 * Classify an element of @dev's list, all of it: the answer of dma_p2p_classify(), *@bus for BUS_ADDR, *@why (with
 * -EREMOTEIO) for NOT_SUPPORTED.
 */
enum dma_p2p_type dmamap_p2p_element(struct dma_p2p_state *state, struct dma_device *dev,
				     phys_addr_t phys, uint64_t len, dma_addr_t *bus,
				     struct dma_error *why);

#pragma GCC visibility pop

#endif
