/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Managed memory: a record for each allocation, made before the allocation so that success needs nothing more
 * (docs/semantics.md, "Managed memory").
 */
#include <dmamap/mapping.h>

#include "alloc.h"

struct dmamap_record *dmamap_record_new(struct dma_device *dev)
{
	struct dmamap_memory *memory = dmamap_memory_get(dev);
	struct dmamap_record *record;

	if (!memory)
		return NULL;
	dmamap_lock(dev_host(dev), &memory->lock);
	record = dmamap_slab_alloc(&memory->slab);
	dmamap_unlock(dev_host(dev), &memory->lock);
	return record;
}

void dmamap_record_drop(struct dma_device *dev, struct dmamap_record *record)
{
	struct dmamap_memory *memory = dmamap_memory(dev);

	dmamap_lock(dev_host(dev), &memory->lock);
	dmamap_slab_free(&memory->slab, record);
	dmamap_unlock(dev_host(dev), &memory->lock);
}

void dmamap_record_add(struct dma_device *dev, struct dmamap_record *record)
{
	struct dmamap_memory *memory = dmamap_memory(dev);

	dmamap_lock(dev_host(dev), &memory->lock);
	record->next = memory->records;
	memory->records = record;
	dmamap_unlock(dev_host(dev), &memory->lock);
}

struct dmamap_record *dmamap_record_take(struct dma_device *dev, const void *cpu_addr,
					 const struct dma_pool *pool)
{
	struct dmamap_memory *memory = dmamap_memory(dev);
	struct dmamap_record **link;
	struct dmamap_record *record;

	if (!memory)
		return NULL;
	dmamap_lock(dev_host(dev), &memory->lock);
	link = &memory->records;
	while (*link && ((*link)->pool != pool || (*link)->cpu_addr != cpu_addr))
		link = &(*link)->next;
	record = *link;
	if (record)
		*link = record->next;
	dmamap_unlock(dev_host(dev), &memory->lock);
	return record;
}

/** A failure without an allocation to blame: it is an event like any other failed one. */
static void *fail_managed(struct dma_device *dev, size_t size, gfp_t gfp, unsigned long attrs)
{
	struct dma_error why;
	struct dma_event event = {
		.type = DMA_EVENT_ALLOC,
		.dev = dev,
		.dir = DMA_BIDIRECTIONAL,
		.size = size,
		.gfp = gfp,
		.attrs = attrs,
	};

	fail_range(&why, dev, DMA_REASON_NO_MEMORY, -DMAMAP_ENOMEM, 0, size);
	dmamap_finish(&event, dmamap_dev(dev)->alloc_route, &why, true);
	return NULL;
}

void *dmamap_managed_alloc_attrs(struct dma_device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
				 unsigned long attrs)
{
	struct dmamap_record *record = dmamap_record_new(dev);
	void *ptr;

	if (!record)
		return fail_managed(dev, size, gfp, attrs);
	ptr = dmamap_alloc_attrs(dev, size, handle, gfp, attrs);
	if (!ptr) {
		dmamap_record_drop(dev, record);
		return NULL;
	}
	record->cpu_addr = ptr;
	record->handle = *handle;
	record->size = size;
	record->attrs = attrs;
	dmamap_record_add(dev, record);
	return ptr;
}

void dmamap_managed_free(struct dma_device *dev, size_t size, void *cpu_addr, dma_addr_t handle)
{
	struct dmamap_record *record = dmamap_record_take(dev, cpu_addr, NULL);
	struct dma_error why;

	if (!record) {
		fail_range(&why, dev, DMA_REASON_NOT_MANAGED, -DMAMAP_EINVAL, handle, size);
		alloc_misuse(dev, "managed free of memory that is not managed", &why);
		dmamap_free_attrs(dev, size, cpu_addr, handle, 0);
		return;
	}
	if (record->size != size || record->handle != handle) {
		fail_range(&why, dev, DMA_REASON_NOT_ALLOCATED, -DMAMAP_EINVAL, handle, size);
		why.have = record->size;
		alloc_misuse(dev, "managed free with another size or handle", &why);
	}
	dmamap_free_attrs(dev, record->size, record->cpu_addr, record->handle, record->attrs);
	dmamap_record_drop(dev, record);
}
