/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping history: a bounded memory of what was mapped, which can be attached to a host while it works. It tells, for
 * an address that a device could not use, which mapping the address last belonged to: how it was mapped, and when it
 * was unmapped (docs/semantics.md, "Mapping history").
 *
 * It is an observer: it never changes a result, costs nothing while it is detached, and a constant amount of work for
 * each mapping while it is attached. Its memory is taken once.
 */
#ifndef DMAMAP_HISTORY_H
#define DMAMAP_HISTORY_H

#include <dmamap/event.h>
#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_host;
struct dma_device;
struct dma_domain;
struct dma_fault;
struct dma_history;

/** How the memory came to be mapped. */
enum dma_mapping_kind {
	/** One range, or vectors that are one range for the device. */
	DMA_MAPPED_SINGLE,
	/** A segment of a list. */
	DMA_MAPPED_LIST,
	/** Allocated by the library: whole pages are the allocation's. */
	DMA_MAPPED_ALLOCATED,
	/** Linked to a range of I/O addresses (two-step). */
	DMA_MAPPED_LINKED,
};

/** One mapping, exactly as the driver asked for it. */
struct dma_history_record {
	/** Of the device: NULL if the mapping was made outside of a domain. The pointers are names: both may be gone. */
	struct dma_device *device;
	struct dma_domain *domain;
	/** The device's name, cut to what fits. */
	char name[24];
	dma_addr_t dma_addr;
	uint64_t len;
	/** Where it began; DMAMAP_PHYS_NONE: not told. */
	phys_addr_t phys;
	enum dma_data_direction dir;
	unsigned long attrs;
	enum dma_mapping_kind kind;
	/** Not unmapped yet. */
	bool live;
	/** The host's clock. */
	uint64_t mapped_ns;
	uint64_t unmapped_ns;
	/** From the host's call_site hook, when it was mapped; 0: none. */
	uintptr_t call_site;
};

struct dma_history_stats {
	uint32_t capacity;
	/** Mappings that are remembered; of these, live ones. */
	uint32_t records;
	uint32_t live;
	/** Mappings that had to make room for others; of these, live ones. */
	uint64_t forgotten;
	uint64_t forgotten_live;
	/** Unmaps of what is not remembered: mapped before the history was attached, or forgotten. */
	uint64_t unknown_unmaps;
};

/**
 * dma_history_create() - make a history that remembers up to @capacity mappings.
 * @host:     whose memory, clock and locks to use
 * @capacity: 1 to 2^24; some 150 bytes of contiguous pages each
 * @history:  receives it, detached
 *
 * When it is full, the mapping that was unmapped first is forgotten; when all are live, the oldest.
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int dmamap_history_create(struct dma_host *host, uint32_t capacity, struct dma_history **history);

/** dma_history_destroy() - give its memory back. NULL is ignored. Return: 0; -EBUSY while it is attached. */
int dmamap_history_destroy(struct dma_history *history);

/**
 * dma_history_attach() - remember from now on. As dma_observer_attach(). What was live when the history was detached is
 * forgotten, because it may have been unmapped since. Return: 0; -EBUSY if it is attached; -EINVAL.
 */
int dmamap_history_attach(struct dma_history *history);

/** dma_history_detach() - stop; what is remembered stays. As dma_observer_detach(). Return: 0; -EINVAL. */
int dmamap_history_detach(struct dma_history *history);

/** dma_history_get_stats() - copy the figures. Any context that may map. */
void dmamap_history_get_stats(struct dma_history *history, struct dma_history_stats *stats);

/**
 * dma_history_find() - the mapping that @addr belongs to, or last belonged to.
 * @history: attached or not
 * @dev:     whose address it is; NULL: of any device in @domain
 * @domain:  for NULL @dev
 * @addr:    the address
 * @record:  filled in
 *
 * A live mapping comes before those that are gone, and a younger one before older ones. For a device in a domain the
 * mappings of all devices of that domain count. Any context that may map; also from an observer or a fault handler.
 *
 * Return: 0; -ENXIO: no mapping that is remembered held @addr; -EINVAL.
 */
int dmamap_history_find(struct dma_history *history, struct dma_device *dev,
			struct dma_domain *domain, dma_addr_t addr,
			struct dma_history_record *record);

/**
 * dma_fault_explain() - say in words what a fault was about, as one line without a newline.
 * @history: what is remembered; NULL: just the fault
 * @fault:   as an observer or a handler got it
 * @put:     receives the text in pieces
 * @ctx:     handed to @put
 *
 * The device, what it tried and why that was refused; then what the address is, or last was: the direction against the
 * access, how long ago it was unmapped, how far past the end of its neighbour it lies, or that it never was mapped. Any
 * context that may map, also an observer or a fault handler; @put is called with no lock held.
 */
void dmamap_fault_explain(struct dma_history *history, const struct dma_fault *fault,
			  dma_put_fn put, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
