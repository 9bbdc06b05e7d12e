/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The split virtqueue: see virtq.h.
 */
#include "virtq.h"

/* Layout (2.7.2): descriptors, then the available ring; the used ring begins at a multiple of 4. */

static uint64_t avail_offset(uint16_t size)
{
	return (uint64_t)size * sizeof(struct virtq_desc);
}

static uint64_t used_offset(uint16_t size)
{
	return round_up(avail_offset(size) + 2 * (3 + (uint64_t)size), 64);
}

bool dmamap_virtq_init(struct virtq *q, struct dma_host *host, uint16_t size)
{
	uint64_t bytes = used_offset(size) + 6 + sizeof(struct virtq_used_elem) * size;
	unsigned char *base;

	*q = (struct virtq){ .size = size };
	if (!dmamap_hw_memory_alloc(host, bytes, 1, DMAMAP_PHYS_NONE, &q->memory))
		return false;
	base = q->memory.cpu;
	q->desc = (void *)base;
	q->avail = (void *)(base + avail_offset(size));
	q->used = (void *)(base + used_offset(size));
	q->used_ring = (void *)(base + used_offset(size) + 4);
	return true;
}

void dmamap_virtq_fini(struct virtq *q, struct dma_host *host)
{
	dmamap_hw_memory_free(host, &q->memory);
}

phys_addr_t dmamap_virtq_avail_phys(const struct virtq *q)
{
	return q->memory.phys + avail_offset(q->size);
}

phys_addr_t dmamap_virtq_used_phys(const struct virtq *q)
{
	return q->memory.phys + used_offset(q->size);
}

void dmamap_virtq_offer(struct virtq *q, struct dma_host *host, uint16_t head)
{
	q->avail[2 + q->offered % q->size] = head;
	q->live |= (uint64_t)1 << head;
	q->offered++;
	dmamap_hw_barrier(host);
	__atomic_store_n(&q->avail[1], q->offered, __ATOMIC_RELEASE);
	dmamap_hw_barrier(host);
}

int dmamap_virtq_take(struct virtq *q, uint16_t *head, uint32_t *len)
{
	uint16_t seen = __atomic_load_n(&q->used[1], __ATOMIC_ACQUIRE);
	struct virtq_used_elem *elem;
	uint32_t id;

	if (seen == q->completed)
		return 0;
	if ((uint16_t)(seen - q->completed) > (uint16_t)(q->offered - q->completed))
		return -DMAMAP_EIO;
	elem = &q->used_ring[q->completed % q->size];
	id = __atomic_load_n(&elem->id, __ATOMIC_RELAXED);
	if (id >= q->size || !(q->live & (uint64_t)1 << id))
		return -DMAMAP_EIO;
	q->live &= ~((uint64_t)1 << id);
	q->completed++;
	*head = (uint16_t)id;
	*len = __atomic_load_n(&elem->len, __ATOMIC_RELAXED);
	return 1;
}
