/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hosts: checking what a port filled in, and the defaults of every optional hook.
 */
#include "host.h"

#include "text.h"

#define HOST_MAGIC 0x646d616d61702d68 /* "dmamap-h" */

/* --- locks and contexts: the default is a test-and-set spinlock */

void dmamap_spin(struct dma_lock *lock)
{
	do
		while (__atomic_load_n(&lock->opaque[0], __ATOMIC_RELAXED))
			;
	while (__atomic_exchange_n(&lock->opaque[0], 1, __ATOMIC_ACQUIRE));
}

void dmamap_lock_init(struct dma_host *host, struct dma_lock *lock)
{
	memset(lock, 0, sizeof(*lock));
	if (host->lock_init)
		host->lock_init(host, lock);
}

void dmamap_lock_fini(struct dma_host *host, struct dma_lock *lock)
{
	if (host->lock_fini)
		host->lock_fini(host, lock);
}

#if !defined(DMAMAP_PORT_HOSTED) && !defined(DMAMAP_PORT_HEADER)
struct dma_ctx *dmamap_lock_ctx_enter(struct dma_host *host)
{
	dmamap_lock(host, &dmamap_host(host)->ctx_lock);
	return &dmamap_host(host)->ctx;
}

void dmamap_lock_ctx_leave(struct dma_host *host)
{
	dmamap_unlock(host, &dmamap_host(host)->ctx_lock);
}
#endif

/* --- time, CPUs, memory */

uint64_t dmamap_time(struct dma_host *host)
{
	return host->time_ns ? host->time_ns(host) : 0;
}

bool dmamap_may_block(struct dma_host *host)
{
	return host->may_block && host->may_block(host);
}

void dmamap_describe(struct dma_host *host, phys_addr_t phys, uint64_t len, struct dma_memory *out)
{
	phys_addr_t start;
	uint64_t size;

	if (host->describe) {
		host->describe(host, phys, len, out);
		return;
	}
	*out = (struct dma_memory){ .kind = DMA_MEMORY_MMIO, .len = 1 };
	for (unsigned int i = 0; host->ram_range(host, i, &start, &size); i++) {
		if (phys - start >= size)
			continue;
		*out = (struct dma_memory){ .kind = DMA_MEMORY_RAM, .len = size - (phys - start) };
		return;
	}
}

phys_addr_t dmamap_ram_end(struct dma_host *host)
{
	phys_addr_t end = 0;
	phys_addr_t start;
	uint64_t size;

	for (unsigned int i = 0; host->ram_range(host, i, &start, &size); i++)
		if (size && start + size - 1 > end)
			end = start + size - 1;
	return end;
}

void *dmamap_kmap(struct dma_host *host, phys_addr_t phys, uint64_t size, bool *temporary)
{
	void *ptr = host->phys_to_virt(host, phys);

	*temporary = !ptr && host->map_temporary;
	return *temporary ? host->map_temporary(host, phys, size) : ptr;
}

void dmamap_kunmap(struct dma_host *host, void *ptr, uint64_t size, bool temporary)
{
	if (temporary && host->unmap_temporary)
		host->unmap_temporary(host, ptr, size);
}

void *dmamap_pages_alloc_aligned(struct dma_host *host, uint64_t size, uint64_t align,
				 phys_addr_t ceiling, gfp_t gfp, phys_addr_t *phys)
{
	struct dma_page_request request = {
		.size = round_up(size, host->page_size),
		.align = align > host->page_size ? align : host->page_size,
		.ceiling = ceiling,
		.node = -1,
		.gfp = gfp,
	};
	phys_addr_t got;
	void *ptr;

	if (!size || request.size < size)
		return NULL;
	got = host->alloc_pages(host, &request);
	if (got == DMAMAP_PHYS_NONE)
		return NULL;
	ptr = host->phys_to_virt(host, got);
	if (!ptr || ((uintptr_t)ptr & (host->page_size - 1))) {
		dmamap_log(host, DMA_LOG_ERROR, NULL,
			   "the host's pages have no page-aligned address", NULL);
		host->free_pages(host, got, request.size);
		return NULL;
	}
	memset(ptr, 0, request.size);
	if (phys)
		*phys = got;
	return ptr;
}

void *dmamap_pages_alloc(struct dma_host *host, uint64_t size, phys_addr_t ceiling, gfp_t gfp,
			 phys_addr_t *phys)
{
	return dmamap_pages_alloc_aligned(host, size, host->page_size, ceiling, gfp, phys);
}

void dmamap_pages_free(struct dma_host *host, void *ptr, uint64_t size)
{
	if (ptr)
		host->free_pages(host, host->virt_to_phys(host, ptr),
				 round_up(size, host->page_size));
}

/* --- caches */

void dmamap_cache_for_device(struct dma_host *host, phys_addr_t phys, uint64_t size,
			     enum dma_data_direction dir)
{
	if (host->cache_for_device)
		host->cache_for_device(host, phys, size, dir);
}

void dmamap_cache_for_cpu(struct dma_host *host, phys_addr_t phys, uint64_t size,
			  enum dma_data_direction dir)
{
	if (host->cache_for_cpu)
		host->cache_for_cpu(host, phys, size, dir);
}

void dmamap_cache_cpu_done(struct dma_host *host)
{
	dmamap_cache_flush(host);
	if (host->cache_for_cpu_all)
		host->cache_for_cpu_all(host);
}

void dmamap_cache_flush(struct dma_host *host)
{
	if (host->cache_flush)
		host->cache_flush(host);
}

/* --- messages */

static size_t message(char *buf, size_t size, const struct dma_device *dev, const char *text,
		      const struct dma_error *err)
{
	struct dmamap_buffer b = { buf, size, 0 };
	const struct dmamap_text t = { dmamap_buffer_put, &b };

	if (dev) {
		dmamap_put_str(&t, dmamap_device_name(dev));
		dmamap_put_str(&t, ": ");
	}
	dmamap_put_str(&t, text);
	if (err && b.len + 2 < size) {
		dmamap_put_str(&t, ": ");
		b.len += dmamap_error_format(err, buf + b.len, size - b.len);
	}
	return dmamap_buffer_end(&b);
}

void dmamap_log(struct dma_host *host, enum dma_log_level level, const struct dma_device *dev,
		const char *text, const struct dma_error *err)
{
	char line[512];

	if (!host->log)
		return;
	message(line, sizeof(line), dev, text, err);
	host->log(host, level, line);
}

void dmamap_warn(struct dma_host *host, const struct dma_device *dev, const char *text,
		 const struct dma_error *err)
{
	char line[512];

	if (!host->warn) {
		dmamap_log(host, DMA_LOG_ERROR, dev, text, err);
		return;
	}
	message(line, sizeof(line), dev, text, err);
	host->warn(host, line);
}

void dmamap_fatal(struct dma_host *host, const struct dma_device *dev, const char *text,
		  const struct dma_error *err)
{
	char line[512];

	if (!host->fatal) {
		dmamap_warn(host, dev, text, err);
		return;
	}
	message(line, sizeof(line), dev, text, err);
	host->fatal(host, line);
}

/* --- observers */

void dmamap_report(struct dma_host *host, const struct dma_event *event)
{
	struct dma_observer *o;

	if (host->trace)
		host->trace(host, event);
	o = __atomic_load_n(&dmamap_host(host)->observers, __ATOMIC_ACQUIRE);
	for (; o; o = __atomic_load_n(&o->next, __ATOMIC_ACQUIRE))
		o->event(o, event);
}

/* --- life */

static const char *missing_member(const struct dma_host *host)
{
	if (!host->ram_range)
		return "ram_range is missing";
	if (!host->phys_to_virt || !host->virt_to_phys)
		return "phys_to_virt or virt_to_phys is missing";
	if (!host->alloc_pages || !host->free_pages)
		return "alloc_pages or free_pages is missing";
	if (!is_power_of_two(host->page_size) || host->page_size < DMAMAP_PAGE_SIZE)
		return "page_size is not a power of two of at least 4096";
	if (!host->lock_init != !host->lock || !host->lock_init != !host->unlock ||
	    !host->lock_init != !host->lock_fini)
		return "the four lock hooks come together or not at all";
	if (!host->arch_map_direct != !host->arch_unmap_direct ||
	    !host->arch_map_sg_direct != !host->arch_unmap_sg_direct)
		return "arch-direct hooks come in pairs of map and unmap";
	if ((host->to_shared || host->to_encrypted) && !host->strip)
		return "decorated addresses need strip";
	return NULL;
}

int dmamap_host_init(struct dma_host *host)
{
	struct dmamap_host *h;
	const char *wrong;

	if (!host || host->size != sizeof(*host))
		return -DMAMAP_EINVAL;
	wrong = missing_member(host);
	if (wrong) {
		dmamap_log(host, DMA_LOG_ERROR, NULL, wrong, NULL);
		return -DMAMAP_EINVAL;
	}
	h = dmamap_host(host);
	memset(host->opaque, 0, sizeof(host->opaque));
	dmamap_lock_init(host, &h->lock);
	dmamap_lock_init(host, &h->heap_lock);
	dmamap_lock_init(host, &h->ctx_lock);
	h->magic = HOST_MAGIC;
	return 0;
}

int dmamap_host_fini(struct dma_host *host)
{
	struct dmamap_host *h = dmamap_host(host);

	if (h->devices || __atomic_load_n(&h->objects, __ATOMIC_ACQUIRE))
		return -DMAMAP_EBUSY;
	h->magic = 0;
	dmamap_lock_fini(host, &h->lock);
	dmamap_lock_fini(host, &h->heap_lock);
	dmamap_lock_fini(host, &h->ctx_lock);
	return 0;
}
