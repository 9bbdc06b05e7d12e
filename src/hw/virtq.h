/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A split virtqueue (virtio 1.2, 2.7) in host pages, driver side.
 *
 * The user owns the descriptors: it says which chain of them it offers, and gets the number of the first one back. What
 * the device writes is believed only where it can be true: an index that was not offered, or more completions than
 * there are offers, is -EIO. The device snoops the CPU's caches, as virtio devices do. The owner serialises calls.
 */
#ifndef DMAMAP_HW_VIRTQ_H
#define DMAMAP_HW_VIRTQ_H

#include "hw.h"

#pragma GCC visibility push(hidden)

#define VIRTQ_DESC_NEXT	 1u
#define VIRTQ_DESC_WRITE 2u
/** The largest queue used, in descriptors. */
#define VIRTQ_MAX 64u

struct virtq_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct virtq_used_elem {
	uint32_t id;
	uint32_t len;
};

struct virtq {
	uint16_t index; /* of the device's queues */
	uint16_t size;
	uint16_t offered;   /* offers made, modulo 2^16 */
	uint16_t completed; /* of these, taken back */
	uint64_t live;	    /* a bit for each head that the device has */
	phys_addr_t notify; /* where to write the index */
	struct hw_memory memory;
	struct virtq_desc *desc;
	uint16_t *avail; /* flags, index, ring */
	uint16_t *used;	 /* flags, index */
	struct virtq_used_elem *used_ring;
};

/** @size: a power of two, at most VIRTQ_MAX. False without memory. */
bool dmamap_virtq_init(struct virtq *q, struct dma_host *host, uint16_t size);
void dmamap_virtq_fini(struct virtq *q, struct dma_host *host);

/** Physical addresses of the three parts. */
phys_addr_t dmamap_virtq_avail_phys(const struct virtq *q);
phys_addr_t dmamap_virtq_used_phys(const struct virtq *q);

/** Offer the chain that begins at descriptor @head, which the device does not have. Notify it afterwards. */
void dmamap_virtq_offer(struct virtq *q, struct dma_host *host, uint16_t head);

/** Take one completed chain back: 1, its *@head and the bytes written; 0: there is none; -EIO: nonsense. */
int dmamap_virtq_take(struct virtq *q, uint16_t *head, uint32_t *len);

#pragma GCC visibility pop

#endif
