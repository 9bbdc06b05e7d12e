/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Peer-to-peer: may one PCI function reach the memory (a BAR) of another, and by which address?
 *
 * The host hands over its PCI topology as plain data. From it follow the answer for a pair of functions (the peer's
 * bus address, or through the host bridge, or a refusal with its reason), the memory that functions offer to their
 * peers, and what the list calls do with elements that are a peer's. Answers are computed from the topology as it is:
 * nothing is remembered beyond a change of it. Rules: docs/semantics.md, "Peer-to-peer".
 */
#ifndef DMAMAP_P2P_H
#define DMAMAP_P2P_H

#include <dmamap/page.h>
#include <dmamap/reason.h>
#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_host;
struct dma_device;

/* --- the topology: plain data, the host's own */

enum dma_pci_kind {
	/** A root bus; no function. Its children are the functions on that bus. */
	DMA_PCI_HOST_BRIDGE,
	DMA_PCI_ROOT_PORT,
	DMA_PCI_UPSTREAM,
	DMA_PCI_DOWNSTREAM,
	/** Any other bridge: PCI, PCI-X, PCI Express to PCI and back. */
	DMA_PCI_BRIDGE,
	DMA_PCI_ENDPOINT,
};

/** ACS control bits that send peers' traffic upwards, at their places in the ACS control register. */
#define DMA_PCI_ACS_REQUEST_REDIRECT	0x0004u
#define DMA_PCI_ACS_COMPLETION_REDIRECT 0x0008u
#define DMA_PCI_ACS_EGRESS_CONTROL	0x0020u
#define DMA_PCI_ACS_REDIRECTS                                             \
	(DMA_PCI_ACS_REQUEST_REDIRECT | DMA_PCI_ACS_COMPLETION_REDIRECT | \
	 DMA_PCI_ACS_EGRESS_CONTROL)

#define DMA_PCI_BARS 6

struct dma_pci_bar {
	/** Number, 0 to 5. */
	uint8_t index;
	/** I/O ports, not memory; addresses are then not looked at. */
	bool io;
	/** First byte as the CPU, and as the PCI bus addresses it. They differ by the host bridge's offset. */
	phys_addr_t cpu;
	uint64_t bus;
	/** Bytes, at least 1. */
	uint64_t size;
};

struct dma_pci_node {
	uint32_t domain;
	uint8_t bus;
	/** Device << 3 | function; 0 for a host bridge. */
	uint8_t devfn;
	enum dma_pci_kind kind;
	/** Index of the bridge or host bridge above; -1 for a host bridge only. */
	int parent;
	uint16_t vendor;
	uint16_t device;
	/** Control bits DMA_PCI_ACS_*; others are ignored. Change it with dma_pci_set_acs(). */
	uint16_t acs;
	/** The platform cannot map this function's BARs into a CPU or a peer. */
	bool unmappable;
	const struct dma_pci_bar *bars;
	unsigned int nr_bars;
	/** The device whose DMA this function does; NULL: none. Change it with dma_pci_bind(). */
	struct dma_device *dev;
	/** The library's; zero. */
	void *opaque;
};

/** A device that is no PCI function itself but does its DMA through the one it hangs on. */
struct dma_pci_child {
	struct dma_device *dev;
	int node;
};

/** Any device of a vendor. */
#define DMA_PCI_ANY 0xffffu

/** A host bridge through which peers may talk. */
struct dma_pci_allowed {
	uint16_t vendor;
	/** DMA_PCI_ANY: every one of the vendor. */
	uint16_t device;
	/** Only if both peers are below one such bridge. */
	bool same_root;
};

struct dma_pci_topology {
	/** sizeof(struct dma_pci_topology). */
	size_t size;
	struct dma_pci_node *nodes;
	unsigned int nr_nodes;
	const struct dma_pci_child *children;
	unsigned int nr_children;
	/** Host bridges allowed besides those that the library knows. Change it with dma_pci_set_allowed(). */
	const struct dma_pci_allowed *allowed;
	unsigned int nr_allowed;
	/** The CPU is an AMD of family 0x17 or later: every host bridge forwards peers' traffic. */
	bool cpu_amd_zen;
	/** Counts changes; nobody's answer outlives one. */
	uint64_t generation;
	/** The library's; zero. */
	uint64_t opaque[16];
};

/** What is wrong with a topology. */
struct dma_pci_fault {
	/** The node, and the other one that it collides with; -1: none. */
	int node;
	int other;
	/** One clause; static storage. "" if nothing is wrong. */
	const char *what;
};

/**
 * dma_pci_check() - is a topology whole?
 * @topology: to look at; not changed
 * @fault:    receives the first fault found; may be NULL
 *
 * Return: 0; -EINVAL for NULL, a wrong size, a parent that is missing, cyclic or of an impossible kind, two nodes at
 * one address, or a BAR that is empty, wraps, has a number of its own function's or overlaps another one.
 */
int dmamap_pci_check(const struct dma_pci_topology *topology, struct dma_pci_fault *fault);

/**
 * dma_pci_attach() - give a host its PCI topology.
 * @host:     initialised; has none yet
 * @topology: stays the caller's, and in place, until dma_pci_detach()
 * @fault:    as for dma_pci_check()
 *
 * Process context, before lists with peers' memory are mapped.
 *
 * Return: 0; -EINVAL as dma_pci_check(); -EBUSY if @host has a topology.
 */
int dmamap_pci_attach(struct dma_host *host, struct dma_pci_topology *topology,
		      struct dma_pci_fault *fault);

/** dma_pci_detach() - take it back. Return: 0; -EBUSY while functions provide memory (dma_p2p_fini() ends that). */
int dmamap_pci_detach(struct dma_host *host);

/** dma_pci_bind() - this function does the DMA of @dev; NULL unbinds. Return: 0; -EINVAL, no such function. */
int dmamap_pci_bind(struct dma_host *host, int node, struct dma_device *dev);

/** dma_pci_set_acs() - a bridge's ACS control changed; later answers obey. Any context. Return: 0; -EINVAL. */
int dmamap_pci_set_acs(struct dma_host *host, int node, uint16_t acs);

/** dma_pci_set_allowed() - another list of additional host bridges; stays the caller's. Return: 0; -EINVAL. Not while
 *  lists are mapped. */
int dmamap_pci_set_allowed(struct dma_host *host, const struct dma_pci_allowed *allowed,
			   unsigned int n);

/** dma_pci_known_bridges() - the list of host bridges that the library knows, and its length. Static storage. */
const struct dma_pci_allowed *dmamap_pci_known_bridges(unsigned int *n);

/** dma_pci_find() - index of the function at an address, -1 if there is none. */
int dmamap_pci_find(const struct dma_pci_topology *topology, uint32_t domain, uint8_t bus,
		    uint8_t devfn);

/* --- the decision */

enum dma_p2p_type {
	/** Not computed yet; no call returns it. */
	DMA_P2P_UNKNOWN,
	/** No peer's memory: RAM. */
	DMA_P2P_NONE,
	/** Refused. */
	DMA_P2P_NOT_SUPPORTED,
	/** By the peer's bus address: no IOMMU, no maintenance, nothing to unmap. */
	DMA_P2P_BUS_ADDR,
	/** By the CPU's address, mapped as MMIO by the device's route. */
	DMA_P2P_THRU_HOST_BRIDGE,
};

#define DMA_P2P_REDIRECTS 8

/** The answer for one pair. Nodes are indices; -1 where there is none. */
struct dma_p2p_answer {
	/** NOT_SUPPORTED, BUS_ADDR or THRU_HOST_BRIDGE. */
	enum dma_p2p_type type;
	/** Why NOT_SUPPORTED: p2p-acs-redirect, p2p-bridge-not-listed, p2p-bridges-differ, p2p-bridge-unknown. */
	enum dma_reason reason;
	/** Links between the two; without a bridge above both, the sum of their heights. Also given for a refusal. */
	int distance;
	/** The nearest bridge above both. */
	int common;
	/** Host bridges of provider and client. */
	int bridge[2];
	/** The host bridge that the list does not accept. */
	int refused_by;
	/** Nodes on the way that redirect peers' traffic, the first of them by name; 0 if there is no common bridge. */
	unsigned int nr_redirects;
	int redirects[DMA_P2P_REDIRECTS];
	/** Of the topology that was asked. */
	uint64_t generation;
};

/**
 * dma_p2p_query() - may @client reach the memory of @provider?
 * @topology: valid (dma_pci_check()); need not be attached
 * @provider: index of a function
 * @client:   index of a function; may be the same
 * @answer:   filled in
 *
 * Any context. Return: 0; -EINVAL if one is no function.
 */
int dmamap_p2p_query(const struct dma_pci_topology *topology, int provider, int client,
		     struct dma_p2p_answer *answer);

/** dma_pci_bridge_id() - the function that stands for host bridge @bridge, -1 if none may (semantics.md). */
int dmamap_pci_bridge_id(const struct dma_pci_topology *topology, int bridge);

/**
 * dma_p2p_map_type() - how @dev reaches the memory of function @provider. *@why, unless NULL, gets the reason of a
 * refusal: those of dma_p2p_query(), p2p-no-provider (dma_p2p_init() was not called), p2p-not-pci (@dev is not bound
 * to a function; what it hangs on is not asked), p2p-refused (no topology).
 */
enum dma_p2p_type dmamap_p2p_map_type(struct dma_host *host, int provider, struct dma_device *dev,
				      enum dma_reason *why);

/**
 * dma_p2p_distance_many() - sum of the distances of @n devices from function @provider.
 * @clients: bound to functions, or children of one (struct dma_pci_child)
 * @verbose: go on after the first refusal, and give each to the host's log
 *
 * Return: the sum; -1 without clients, or if one is not PCI or refused.
 */
int dmamap_p2p_distance_many(struct dma_host *host, int provider, struct dma_device *const *clients,
			     unsigned int n, bool verbose);

/** Attributes to map a segment of this type with: MMIO through the host bridge. BUS_ADDR is not mapped at all. */
static inline unsigned long dmamap_p2p_attrs(enum dma_p2p_type type, unsigned long attrs)
{
	return type == DMA_P2P_THRU_HOST_BRIDGE ? attrs | DMA_ATTR_MMIO : attrs;
}

/* --- providers */

/** A BAR that peers may reach. */
struct dma_p2p_provider {
	int node;
	uint8_t bar;
	phys_addr_t base;
	uint64_t size;
	/** Bus address = physical address + bus_offset, modulo 2^64. */
	uint64_t bus_offset;
};

/** The bus address of a byte of the provider's BAR. */
static inline uint64_t dmamap_p2p_bus_addr(const struct dma_p2p_provider *provider,
					   phys_addr_t phys)
{
	return phys + provider->bus_offset;
}

/**
 * dma_p2p_init() - let peers reach the memory BARs of a function. Again: nothing more happens.
 * Process context. Return: 0; -EINVAL, no such function; -EOPNOTSUPP, its BARs cannot be mapped; -ENOMEM.
 */
int dmamap_p2p_init(struct dma_host *host, int node);

/** dma_p2p_fini() - end that. No list with its memory may be mapped. Return: 0; -EBUSY while memory is allocated. */
int dmamap_p2p_fini(struct dma_host *host, int node);

/** dma_p2p_provider() - the provider of a BAR. NULL if the BAR is none of memory; with a warning without init. */
const struct dma_p2p_provider *dmamap_p2p_provider(struct dma_host *host, int node,
						   unsigned int bar);

/**
 * dma_p2p_add_resource() - make part of a memory BAR available to dma_p2p_alloc(); dma_p2p_init() is done if needed.
 * @bar:    its number
 * @size:   bytes; 0: all behind @offset
 * @offset: into the BAR
 *
 * Only whole pages are handed out. Process context.
 *
 * Return: 0; -EINVAL for a BAR that is none of memory, an @offset or @size outside of it, no whole page, or a part that
 * was added before; -EOPNOTSUPP; -ENOMEM.
 */
int dmamap_p2p_add_resource(struct dma_host *host, int node, unsigned int bar, uint64_t size,
			    uint64_t offset);

/** dma_p2p_alloc() - @size bytes, rounded up to pages, of the function's memory; DMAMAP_PHYS_NONE if there are none. */
phys_addr_t dmamap_p2p_alloc(struct dma_host *host, int node, uint64_t size);

/** dma_p2p_free() - give back what dma_p2p_alloc() returned. Return: 0; -EINVAL and a warning if it is not that. */
int dmamap_p2p_free(struct dma_host *host, int node, phys_addr_t phys, uint64_t size);

/** dma_p2p_alloc_sg() - the same as a list of one element, which is initialised. Return: 0; -EINVAL; -ENOMEM. */
int dmamap_p2p_alloc_sg(struct dma_host *host, int node, struct scatterlist *sg, unsigned int size);
int dmamap_p2p_free_sg(struct dma_host *host, int node, struct scatterlist *sg);

/** dma_p2p_phys_to_bus() - the bus address of a provider's byte. Return: 0; -ENXIO if it is no provider's. */
int dmamap_p2p_phys_to_bus(struct dma_host *host, phys_addr_t phys, uint64_t *bus);

/** dma_p2p_publish() - let dma_p2p_find_many() find the function's memory, or not. Return: 0; -EINVAL without init. */
int dmamap_p2p_publish(struct dma_host *host, int node, bool publish);

struct dma_p2p_stats {
	/** Bytes that were added, and those that are free. */
	uint64_t bytes;
	uint64_t available;
	bool published;
};

/** dma_p2p_get_stats() - zero if the function provides nothing. Return: 0; -EINVAL, no such function. */
int dmamap_p2p_get_stats(struct dma_host *host, int node, struct dma_p2p_stats *stats);

/**
 * dma_p2p_find_many() - the published function with memory that is nearest to all @n clients; of equally near ones
 * that with the lowest address. Return: its index; -1 if there is none.
 */
int dmamap_p2p_find_many(struct dma_host *host, struct dma_device *const *clients, unsigned int n);

/* --- segment by segment */

/** What was found out about the segment before; zero at first. Belongs to one caller and one device. */
struct dma_p2p_state {
	const struct dma_p2p_provider *provider;
	/** Of the last peer's segment: use what dma_p2p_classify() returns. */
	enum dma_p2p_type type;
	/** Why NOT_SUPPORTED; in that case DMA_P2P_UNKNOWN answers leave it too. */
	enum dma_reason reason;
	uint64_t generation;
	/** How often the decision was made anew. */
	unsigned int computed;
};

/**
 * dma_p2p_classify() - what is the segment at @phys to @dev? RAM: NONE. A provider's memory: the type for the pair,
 * computed again if provider or topology changed. Other MMIO: NOT_SUPPORTED. Any context.
 */
enum dma_p2p_type dmamap_p2p_classify(struct dma_p2p_state *state, struct dma_device *dev,
				      phys_addr_t phys);

#ifdef __cplusplus
}
#endif

#endif
