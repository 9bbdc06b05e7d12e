/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the library reports while it works: one event for every public call that the kernel traces, and for what the
 * rooms below did on the way (bounced, IOMMU map and unmap, faults).
 *
 * Observers receive events and never change a result. Order: docs/semantics.md, "Order of operation, sanitizer, trace
 * and check". A refusal is an event like a success, with its reason.
 */
#ifndef DMAMAP_EVENT_H
#define DMAMAP_EVENT_H

#include <dmamap/page.h>
#include <dmamap/reason.h>
#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_host;
struct dma_fault;

enum dma_event_type {
	DMA_EVENT_MAP_PHYS,
	DMA_EVENT_UNMAP_PHYS,
	DMA_EVENT_ALLOC,
	DMA_EVENT_FREE,
	DMA_EVENT_MAP_SG,
	DMA_EVENT_MAP_SG_ERR,
	DMA_EVENT_UNMAP_SG,
	DMA_EVENT_SYNC_SINGLE_FOR_CPU,
	DMA_EVENT_SYNC_SINGLE_FOR_DEVICE,
	DMA_EVENT_SYNC_SG_FOR_CPU,
	DMA_EVENT_SYNC_SG_FOR_DEVICE,
	DMA_EVENT_SWIOTLB_BOUNCED,
	DMA_EVENT_IOMMU_MAP,
	DMA_EVENT_IOMMU_UNMAP,
	DMA_EVENT_IOMMU_FAULT,
	DMA_EVENT_ALLOC_PAGES,
	DMA_EVENT_ALLOC_SGT,
	DMA_EVENT_ALLOC_SGT_ERR,
	DMA_EVENT_FREE_PAGES,
	DMA_EVENT_FREE_SGT,
	/** Two-step mapping: memory was linked to I/O addresses, a range was unlinked. No dialect has a text for them. */
	DMA_EVENT_LINK,
	DMA_EVENT_UNLINK,
};

/**
 * One event. Valid only while the observer runs; pointers in it belong to the caller of the public call.
 * Fields that a type has no use for are 0. @dev is NULL for IOMMU_MAP and IOMMU_UNMAP, as in the kernel.
 */
struct dma_event {
	enum dma_event_type type;
	/** The kernel has no record of this: a refusal that it does not trace, a sync that it skips. */
	bool kernel_silent;
	/** SWIOTLB_BOUNCED: bouncing was forced, not needed. */
	bool forced;
	struct dma_device *dev;
	enum dma_data_direction dir;
	/** The route that performed or refused the call. */
	enum dma_route route;
	/** NONE on success. */
	enum dma_reason reason;
	int err;
	unsigned long attrs;
	/** MAP_PHYS, LINK, IOMMU_MAP: physical address. SWIOTLB_BOUNCED: the device-side form of the original address. */
	phys_addr_t phys;
	/** DMA address (DMA_MAPPING_ERROR for a refused map, 0 for a failed allocation) or I/O virtual address. */
	dma_addr_t dma_addr;
	uint64_t size;
	/** IOMMU_UNMAP: bytes that were really mapped there. */
	uint64_t unmapped;
	/** SWIOTLB_BOUNCED: the device's mask. */
	uint64_t mask;
	/** ALLOC, FREE, and ALLOC_PAGES, FREE_PAGES: the linear address. */
	const void *cpu_addr;
	gfp_t gfp;
	/** Lists: the first element, how many CPU elements (nents) and, for MAP_SG, DMA elements (ents). A call that was
	 *  refused before its list was looked at may say more than there are: stop where sg_next() gives NULL. */
	const struct scatterlist *sgl;
	unsigned int nents;
	unsigned int ents;
	/** IOMMU_FAULT: what was reported (dmamap/fault.h), filled in. */
	const struct dma_fault *fault;
};

/**
 * An observer. Fill in event (and nothing else), attach it, and keep it in place until it is detached.
 */
struct dma_observer {
	/** Called in the context of the public call, with no lock of the library held. Must not call back into it. */
	void (*event)(struct dma_observer *self, const struct dma_event *event);
	struct dma_observer *next;
};

/**
 * dma_observer_attach() - report everything that @host's devices do to @observer from now on.
 *
 * Several observers are called in the order in which they were attached, after the host's own trace hook. May be
 * called while other threads map through @host; of what they do meanwhile some is reported, and some is not.
 *
 * Return: 0, -EINVAL for a NULL pointer or a missing event function, -EBUSY if it is attached already.
 */
int dmamap_observer_attach(struct dma_host *host, struct dma_observer *observer);

/** dma_observer_detach() - stop that. Not while other threads map through @host. Return: 0, or -EINVAL if it was not attached. */
int dmamap_observer_detach(struct dma_host *host, struct dma_observer *observer);

/** How events are printed: DMAMAP has everything; LINUX is what the kernel (6.18) would have printed. */
enum dma_dialect {
	DMA_DIALECT_DMAMAP,
	DMA_DIALECT_LINUX,
};

/** A sink for text: @n bytes at @s, not terminated. */
typedef void (*dma_put_fn)(void *ctx, const char *s, size_t n);

/**
 * dma_event_format() - print @event as the text that follows the time stamp in an ftrace line: "dma_map_phys: …".
 * @event:   the event
 * @dialect: DMAMAP appends " route=NAME reason=NAME" to refusals and prints lists whole; LINUX does neither, caps
 *           lists as the kernel does, and has no text for what the kernel does not record
 * @put:     receives the text in pieces; no newline
 * @ctx:     handed to @put
 *
 * Allocates nothing and needs no buffer, whatever the length of a list.
 *
 * Return: true if text was produced, false if this dialect has no record of this event.
 */
bool dmamap_event_format(const struct dma_event *event, enum dma_dialect dialect, dma_put_fn put,
			 void *ctx);

#ifdef __cplusplus
}
#endif

#endif
