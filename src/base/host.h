/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's optional hooks with their defaults: the core calls these, never a hook that may be NULL.
 */
#ifndef DMAMAP_BASE_HOST_H
#define DMAMAP_BASE_HOST_H

#include "device.h"
#include "mem.h"

#pragma GCC visibility push(hidden)

void dmamap_lock_init(struct dma_host *host, struct dma_lock *lock);
void dmamap_lock_fini(struct dma_host *host, struct dma_lock *lock);
/** Wait for the default lock, a test-and-set spinlock, that somebody else has. */
void dmamap_spin(struct dma_lock *lock);

static inline void dmamap_lock(struct dma_host *host, struct dma_lock *lock)
{
	if (host->lock)
		host->lock(host, lock);
	else if (__atomic_exchange_n(&lock->opaque[0], 1, __ATOMIC_ACQUIRE))
		dmamap_spin(lock);
}

static inline void dmamap_unlock(struct dma_host *host, struct dma_lock *lock)
{
	if (host->unlock)
		host->unlock(host, lock);
	else
		__atomic_store_n(&lock->opaque[0], 0, __ATOMIC_RELEASE);
}

/** Shards where the host does not say how many CPUs there are, and at the most. */
#define HOST_SHARDS_DEFAULT 8u
#define HOST_SHARDS_MAX	    32u

/** Into how many parts things are split that CPUs would share: about one for a CPU, a power of two. */
static inline uint32_t host_shards(const struct dma_host *host)
{
	unsigned int cpus = host->cpu_id && host->cpu_count ? host->cpu_count : HOST_SHARDS_DEFAULT;

	return cpus >= HOST_SHARDS_MAX ? HOST_SHARDS_MAX : 1u << ceil_log2(cpus);
}

uint64_t dmamap_time(struct dma_host *host);
bool dmamap_may_block(struct dma_host *host);
static inline unsigned int dmamap_cpu(struct dma_host *host)
{
	return host->cpu_id ? host->cpu_id(host) : 0;
}

/** Default describe(): RAM where ram_range() says so, else MMIO. */
void dmamap_describe(struct dma_host *host, phys_addr_t phys, uint64_t len, struct dma_memory *out);

/** Does @host have any cache maintenance at all? */
static inline bool host_has_caches(const struct dma_host *host)
{
	return host->cache_for_device || host->cache_for_cpu || host->cache_for_cpu_all;
}

void dmamap_cache_for_device(struct dma_host *host, phys_addr_t phys, uint64_t size,
			     enum dma_data_direction dir);
void dmamap_cache_for_cpu(struct dma_host *host, phys_addr_t phys, uint64_t size,
			  enum dma_data_direction dir);
/** After the last for-CPU of a call: flush, then for-CPU-all. */
void dmamap_cache_cpu_done(struct dma_host *host);
void dmamap_cache_flush(struct dma_host *host);

/** CPU pointer to [phys, phys + size) inside one page frame: linear, or temporary. NULL: no way. */
void *dmamap_kmap(struct dma_host *host, phys_addr_t phys, uint64_t size, bool *temporary);
void dmamap_kunmap(struct dma_host *host, void *ptr, uint64_t size, bool temporary);

/** @size bytes of pages, zeroed. *@phys may be NULL. NULL if there are none. Freed with dmamap_pages_free(). */
void *dmamap_pages_alloc(struct dma_host *host, uint64_t size, phys_addr_t ceiling, gfp_t gfp,
			 phys_addr_t *phys);
/** The same, at a multiple of @align, a power of two. */
void *dmamap_pages_alloc_aligned(struct dma_host *host, uint64_t size, uint64_t align,
				 phys_addr_t ceiling, gfp_t gfp, phys_addr_t *phys);
void dmamap_pages_free(struct dma_host *host, void *ptr, uint64_t size);

/** Highest byte of RAM; 0 if there is none. */
phys_addr_t dmamap_ram_end(struct dma_host *host);

/** One line to the host's log, warn or fatal hook: device, text, and the figures of @err unless NULL. */
void dmamap_log(struct dma_host *host, enum dma_log_level level, const struct dma_device *dev,
		const char *text, const struct dma_error *err);
void dmamap_warn(struct dma_host *host, const struct dma_device *dev, const char *text,
		 const struct dma_error *err);
void dmamap_fatal(struct dma_host *host, const struct dma_device *dev, const char *text,
		  const struct dma_error *err);

/** Hand @event to the host's trace hook and to the observers. No lock may be held. */
void dmamap_report(struct dma_host *host, const struct dma_event *event);

/** Does anybody listen? */
static inline bool host_observed(const struct dma_host *host)
{
	return host->trace || __atomic_load_n(&dmamap_host(host)->observers, __ATOMIC_ACQUIRE);
}

#pragma GCC visibility pop

#endif
