/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hangs on a device, and its end.
 *
 * A device without any of it pays one pointer. The first thing that is declared, managed or pooled takes one page; the
 * end of the device gives all of it back: managed things in the reverse order of their making, then pools that were
 * destroyed with blocks in use, then declared memory.
 */
#include "alloc.h"

static uint64_t managed_mappings(struct dmamap_memory *memory)
{
	uint64_t n = 0;

	for (struct dmamap_record *r = memory->records; r; r = r->next)
		n += !r->pool;
	return n;
}

static bool busy(struct dma_device *dev)
{
	struct dmamap_memory *memory = dmamap_memory(dev);

	return dmamap_pools_unmanaged(memory) ||
	       dmamap_device_live(dev) != managed_mappings(memory) + dmamap_pools_ending(memory);
}

static void end(struct dma_device *dev)
{
	struct dmamap_memory *memory = dmamap_memory(dev);
	struct dma_host *host = dev_host(dev);

	while (memory->records) {
		struct dmamap_record *r = memory->records;

		if (r->pool)
			dmamap_managed_pool_destroy(r->pool);
		else
			dmamap_managed_free(dev, r->size, r->cpu_addr, r->handle);
	}
	dmamap_pools_end(memory);
	dmamap_declared_end(memory);
	dmamap_slab_fini(&memory->slab);
	dmamap_lock_fini(host, &memory->lock);
	dmamap_dev(dev)->attached = NULL;
	dmamap_pages_free(host, memory, sizeof(*memory));
}

static struct dmamap_memory *new_memory(struct dma_device *dev)
{
	struct dma_host *host = dev_host(dev);
	struct dmamap_memory *memory =
		dmamap_pages_alloc(host, sizeof(*memory), ~(phys_addr_t)0, DMAMAP_GFP_ATOMIC, NULL);

	if (!memory)
		return NULL;
	memory->attached.busy = busy;
	memory->attached.end = end;
	memory->dev = dev;
	dmamap_lock_init(host, &memory->lock);
	dmamap_slab_init(&memory->slab, host, sizeof(struct dmamap_record));
	return memory;
}

struct dmamap_memory *dmamap_memory_get(struct dma_device *dev)
{
	struct dmamap_memory *memory = dmamap_memory(dev);
	struct dmamap_attached *none = NULL;

	if (memory)
		return memory;
	memory = new_memory(dev);
	if (memory &&
	    !__atomic_compare_exchange_n(&dmamap_dev(dev)->attached, &none, &memory->attached,
					 false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		/* somebody was faster */
		dmamap_lock_fini(dev_host(dev), &memory->lock);
		dmamap_pages_free(dev_host(dev), memory, sizeof(*memory));
		memory = dmamap_memory(dev);
	}
	return memory;
}
