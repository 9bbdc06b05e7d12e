/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain: an I/O address space over a backend, and the queue of unmaps that wait for an invalidation.
 *
 * One lock guards all of it but the windows (window.h), which serve small ranges without it where the backend lets a
 * domain write entries: small.h. The order of docs/semantics.md, "Invalidation", is in two functions for the others:
 * dmamap_domain_enter() and dmamap_domain_clear(). No event is reported with the lock held. Locks are taken in the
 * order domain, context, shard.
 */
#ifndef DMAMAP_IOMMU_DOMAIN_H
#define DMAMAP_IOMMU_DOMAIN_H

#include <dmamap/domain.h>

#include "base/domain.h"
#include "base/heap.h"
#include "base/host.h"
#include "kept.h"
#include "window.h"

#pragma GCC visibility push(hidden)

/**
 * An unmap that waits: its addresses go back after a flush that began after it was queued. During a flush also the
 * pending bits of one word of a window.
 */
struct flush_entry {
	union {
		uint64_t granule;
		uintptr_t word; /* the window, and in the lowest bits which of its words */
	};
	union {
		uint64_t granules;
		uint64_t bits;
	};
};

_Static_assert(_Alignof(struct window) >= WINDOW_WORDS, "a pointer to a window has room for that");

/** All that small.h and windows.c need. Without shards there are no windows. */
struct windows {
	/** By the number of the caller. Who has none yet finds the first: `number` tells. */
	struct shard **shards;
	uint32_t shard_mask;
	/** All of them, chained; one is only ever added behind it. */
	struct shard *first;
	/** Highest addresses that were asked for, in the order of their coming. */
	uint32_t limits;
	uint64_t limit[WINDOW_LIMITS];
	/** Larger leaves that windows may be of, from the smallest on: what an entry differs in, the limit of the windows. */
	struct window_large {
		uint8_t scale;	/* log2 of granules in it */
		uint8_t shift;	/* log2 of bytes */
		uint8_t bit;	/* of dmamap_dev.quick_large */
		uint16_t place; /* where in a shard, in bytes */
		uint64_t tag;	/* of windows of such leaves, in their window_block_of() */
		uint64_t mask;	/* its bytes, minus 1 */
		uint64_t most;	/* bytes of WINDOW_RUN; 0: a unit has no such leaves */
		uint64_t step;	/* of entries side by side that lead to leaves side by side */
		uint64_t change;
		uint64_t limit; /* 0: none was asked for yet */
	} large[WINDOW_LARGE];
	uint32_t larges;
	/** Of an entry, by protection; 0: there is no such. */
	uint64_t bits[DMA_PROT_PRIV << 1];
	unsigned int phys_shift;
	uint64_t last_phys;
	/** That of the backend, or its invalidate() and wait(). */
	void (*forget)(struct dma_backend *backend, dma_addr_t iova, uint64_t size);
	uint64_t granule_mask; /* of an offset in a granule */
	uint64_t run_bytes;    /* the most that a run of granules can be */
	/** What no entry may lead to, widened to granules. */
	phys_addr_t hole;
	phys_addr_t hole_end;
	/** sync_map() has to be called; the walker reads through the CPU's caches. */
	bool sync;
	bool snoops;
	/** Maps have to see to flushes that are due: there is a clock and no timer. */
	bool timed;

	struct window_index *index;
	struct window_group *groups[WINDOW_LIMITS];
	uint64_t live;
	/** Blocks that were taken from the address space for windows. */
	uint64_t grouped;
	/** Windows that ran empty, about. */
	uint32_t emptied;
};

/** The larger leaf that windows of @kind are of; NULL: they are of granules. */
static inline struct window_large *windows_large(struct windows *ws, unsigned int kind)
{
	return kind - WINDOW_LIMITS < WINDOW_LARGE ? &ws->large[kind - WINDOW_LIMITS] : NULL;
}

/** Where callers with @number begin to look. */
static inline struct shard *windows_shard(const struct windows *ws, uint32_t number)
{
	return __atomic_load_n(&ws->shards[number & ws->shard_mask], __ATOMIC_ACQUIRE);
}

/** The shard that @w belongs to, at this moment. */
static inline struct shard *window_owner(const struct windows *ws, const struct window *w)
{
	return __atomic_load_n(&ws->shards[__atomic_load_n(&w->shard, __ATOMIC_ACQUIRE)],
			       __ATOMIC_ACQUIRE);
}

/** The shards one after another: the first, the one behind @s, NULL. */
static inline struct shard *windows_next(const struct shard *s)
{
	return __atomic_load_n(&s->next, __ATOMIC_ACQUIRE);
}

/** Granules that are kept out of the address space. */
struct domain_region {
	struct domain_region *next;
	uint64_t granule;
	uint64_t granules;
};

/** A page of doorbells, mapped for as long as the domain lives: msi.c. */
struct domain_msi {
	struct domain_msi *next;
	dma_addr_t iova;
	phys_addr_t phys;
};

struct dma_domain {
	struct dmamap_domain_head head; /* first: other rooms find it by the domain's address */
	struct dma_host *host;
	struct dma_backend *backend;
	struct dma_lock lock;
	struct dmamap_iova *iova;
	struct kept kept;
	unsigned int shift; /* of the granule */
	uint64_t first;	    /* granule that may be handed out */
	uint32_t devices;
	uint32_t untrusted; /* of these; the domain is strict while there are any */
	/** Granules reserved for ever, on top of those that do not exist. */
	uint64_t reserved;

	bool lazy;
	/** There may be empty tables although nothing waits: the last invalidation did not prune. */
	bool unpruned;
	struct flush_entry *queue; /* NULL while nothing lives that could wait in it */
	uint32_t queue_size;	   /* entries, one of which stays empty; with flush_ns, for ever */
	uint32_t queued;
	uint64_t flush_ns;
	uint64_t oldest; /* when the oldest entry was queued */
	uint64_t polled; /* invalidations before the last dma_poll() ended */
	struct dma_domain *next_polled;

	struct windows windows;
	/** What is kept out of the space: regions.c. */
	struct {
		struct domain_region *first;
		struct domain_msi *msi;
		bool direct; /* is something mapped that no unmap will take away? */
	} regions;

	struct dma_domain_stats stats;
};

_Static_assert(offsetof(struct dma_domain, head) == 0, "a domain begins with its head");

static inline uint64_t granule_size(const struct dma_domain *domain)
{
	return (uint64_t)1 << domain->shift;
}

/** Bytes of the leaves that @w is of. */
static inline uint64_t window_leaf(const struct dma_domain *domain, const struct window *w)
{
	return granule_size(domain) << w->scale;
}

/** The highest last address that a mapping of @d with @mask may have. */
static inline uint64_t domain_limit(const struct dma_domain *domain, const struct dmamap_dev *d,
				    uint64_t mask)
{
	uint64_t limit =
		min_u64(min_not_zero(mask, d->bus_limit), domain->backend->caps.aperture_end);

	return min_u64(limit, DMA_MAPPING_ERROR - 1); /* no success looks like a failure */
}

/** [addr, addr + size) widened to whole granules. */
struct granules {
	dma_addr_t start;
	uint64_t size;
	uint64_t offset; /* of addr in start */
};

/** False if the widened range passes 2^64. */
static inline bool granules_of(const struct dma_domain *domain, uint64_t addr, uint64_t size,
			       struct granules *g)
{
	g->offset = addr & (granule_size(domain) - 1);
	g->start = addr - g->offset;
	g->size = round_up(size + g->offset, granule_size(domain));
	return g->size && g->size >= size && !range_wraps(g->start, g->size);
}

/** Protection bits of a mapping; 0 for an invalid direction. */
unsigned int dmamap_iommu_prot(bool coherent, enum dma_data_direction dir, unsigned long attrs);

/**
 * Take @size bytes (whole granules) of I/O addresses for @dev, the last at most at @limit. Lock held.
 * False and *@reason (NO_IOVA, NO_MEMORY).
 */
bool dmamap_domain_alloc(struct dma_domain *domain, struct dma_device *dev, uint64_t size,
			 uint64_t limit, dma_addr_t *iova, enum dma_reason *reason);
/** Take addresses out of the space for ever. 0; -EBUSY: some are in use; -ENOMEM. Lock held. */
int dmamap_domain_keep_out(struct dma_domain *domain, uint64_t granule, uint64_t granules);
/** Is there a window, or an address outside of them that is in use or waits? Lock held. */
bool dmamap_domain_holds(const struct dma_domain *domain);
/** Is nothing mapped but direct regions, and does nothing wait? Lock held. */
bool dmamap_domain_idle(struct dma_domain *domain);
/** Give addresses back that never held an entry. Lock held. */
void dmamap_domain_unalloc(struct dma_domain *domain, dma_addr_t iova, uint64_t size);

/** Enter pieces from @iova on. Not yet visible to the hardware: sync_map() comes last. Lock held. 0, -errno. */
int dmamap_domain_enter(struct dma_domain *domain, dma_addr_t iova, const struct dma_vec *vec,
			size_t n, unsigned int prot);
int dmamap_domain_sync_map(struct dma_domain *domain, dma_addr_t iova, uint64_t size);

/** Clear [iova, iova + size), which has no hole; returns the bytes cleared: 0 of what the domain maps. Lock held. */
uint64_t dmamap_domain_clear(struct dma_domain *domain, dma_addr_t iova, uint64_t size);

/**
 * After dmamap_domain_clear(): invalidate and wait, then give addresses and empty tables back; or queue all that, on a
 * lazy domain unless @strict. Lock held.
 */
void dmamap_domain_retire(struct dma_domain *domain, dma_addr_t iova, uint64_t size, bool strict);

/** After dmamap_domain_clear(): the same at once and for good, but the addresses stay taken. Lock held. */
void dmamap_domain_invalidate(struct dma_domain *domain, dma_addr_t iova, uint64_t size);

/** Does anything wait for a flush? Lock held. */
bool dmamap_domain_waits(const struct dma_domain *domain);

/**
 * The widths and the sizes of leaves are as the backend has them now. Nothing is mapped; but there may be windows, which
 * regions were reserved in: of these, none hands out what is not to be had any more. Lock held.
 */
void dmamap_windows_narrow(struct dma_domain *domain);

/** Flush what waits: if its time has come (or the host has no clock), or whatever the time. Lock held. */
void dmamap_domain_flush_due(struct dma_domain *domain);
void dmamap_domain_flush_now(struct dma_domain *domain);
/** Flush what waits in the windows of @s, and in the queue. Lock held. */
void dmamap_domain_flush_shard(struct dma_domain *domain, struct shard *s);
/** Flush whatever waits: empty tables may. Lock held. */
void dmamap_domain_flush_all(struct dma_domain *domain);
/** Give back everything that nothing lives in: what waits, idle windows, empty tables. Lock held. */
void dmamap_domain_reclaim(struct dma_domain *domain);
/** The same, but each shard keeps its current windows. Lock held. */
void dmamap_domain_trim(struct dma_domain *domain);

/** One try in the address space, the last address at most @limit. Lock held. */
enum dmamap_iova_result dmamap_domain_try_alloc(struct dma_domain *domain, uint64_t size,
						uint64_t limit, dma_addr_t *iova);
/** New highest figures of tables and addresses. Lock held. */
void dmamap_domain_note_peaks(struct dma_domain *domain);

/* --- policy.c */

/** What @config says. 0; -EINVAL; -ENOMEM. */
int dmamap_policy_init(struct dma_domain *domain, const struct dma_domain_config *config);
/** The queue, before something lives whose unmap may wait. False without memory. Lock held. */
bool dmamap_policy_need_queue(struct dma_domain *domain);
/** Nothing lives, and nothing waits. Lock held. */
void dmamap_policy_drop_queue(struct dma_domain *domain);
/** Is there anything to defer? */
bool dmamap_policy_may_be_lazy(const struct dma_domain *domain);
/** From now on lazy. False without memory, and then nothing changes. Lock held, or nobody else knows the domain. */
bool dmamap_policy_make_lazy(struct dma_domain *domain);

/* --- windows.c; domain lock held */

/** Windows for @domain, if its backend can have them. False without memory. */
bool dmamap_windows_init(struct dma_domain *domain);
void dmamap_windows_fini(struct dma_domain *domain);
/** Let unmaps in the windows that there are wait. False without memory: in some they may, and will not. */
bool dmamap_windows_make_lazy(struct dma_domain *domain);
/** The shard of the callers with @number, made if need be; another one without memory. */
struct shard *dmamap_windows_shard(struct dma_domain *domain, uint32_t number);
/** A new window of @kind for @s. False: no block of addresses, or no memory. */
bool dmamap_windows_add(struct dma_domain *domain, struct shard *s, unsigned int kind);
/**
 * Take idle windows from @s, the current ones only if @all, and unpin their tables. An invalidation that prunes follows,
 * and then dmamap_windows_release().
 */
void dmamap_windows_detach(struct dma_domain *domain, struct shard *s, bool all,
			   struct window **idle);
/** The same for one with pending bits, if nothing else is in it. True: done, and the bits are gone. */
bool dmamap_windows_detach_pending(struct dma_domain *domain, struct window *w, bool all,
				   struct window **idle);
void dmamap_windows_release(struct dma_domain *domain, struct window *idle);
/** Keep [granule, granule + n) out of the address space and the windows in it. IOVA_FULL: some of it is in use. */
enum dmamap_iova_result dmamap_windows_reserve(struct dma_domain *domain, uint64_t granule,
					       uint64_t n);
/** Blocks that were taken in groups and are no windows go back to the address space. */
void dmamap_windows_shrink_groups(struct dma_domain *domain);
/** Output width and hole as the backend has them now. */
void dmamap_windows_set_width(struct dma_domain *domain);
/* windows_figures.c */

/** Granules in mappings, waiting ones included; and at the most, or more. */
uint64_t dmamap_windows_used(struct dma_domain *domain, uint64_t *peak);
/** Lazy unmaps that wait, and strict ones that were invalidated. */
uint32_t dmamap_windows_waiting(const struct dma_domain *domain);
uint64_t dmamap_windows_invalidations(const struct dma_domain *domain);

/** The records of what the tables went through, if anybody listens. No lock held. */
void dmamap_domain_tell_map(const struct dma_domain *domain, dma_addr_t iova, phys_addr_t phys,
			    uint64_t size);
void dmamap_domain_tell_unmap(const struct dma_domain *domain, dma_addr_t iova, uint64_t size,
			      uint64_t unmapped);

static inline void dmamap_domain_report_map(const struct dma_domain *domain, dma_addr_t iova,
					    phys_addr_t phys, uint64_t size)
{
	if (host_observed(domain->host))
		dmamap_domain_tell_map(domain, iova, phys, size);
}

static inline void dmamap_domain_report_unmap(const struct dma_domain *domain, dma_addr_t iova,
					      uint64_t size, uint64_t unmapped)
{
	if (host_observed(domain->host))
		dmamap_domain_tell_unmap(domain, iova, size, unmapped);
}

/** What other rooms may ask: view.c. */
extern const struct dmamap_domain_view dmamap_domain_view;

/** -errno of a backend as a reason. */
enum dma_reason dmamap_backend_reason(int err);

static inline void domain_lock(struct dma_domain *domain)
{
	dmamap_lock(domain->host, &domain->lock);
}

static inline void domain_unlock(struct dma_domain *domain)
{
	dmamap_unlock(domain->host, &domain->lock);
}

#pragma GCC visibility pop

#endif
