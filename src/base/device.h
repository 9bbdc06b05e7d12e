/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the library keeps of a host and of a device, behind the opaque words of the public structures.
 *
 * Every room may read it; only the setters of map/ change the properties, and they recompute the cached route. The
 * counters and flags that calls change are accessed atomically, by the helpers at the end.
 */
#ifndef DMAMAP_BASE_DEVICE_H
#define DMAMAP_BASE_DEVICE_H

#include <dmamap/device.h>
#include <dmamap/host.h>
#include <dmamap/port.h>

#include "bits.h"

#pragma GCC visibility push(hidden)

/** What the library keeps in a struct dma_ctx: exclusive to a thread or a CPU. */
struct dmamap_ctx {
	struct dma_error last;
	/** Tells contexts apart, about: 0 before the first question. */
	uint32_t number;
};

struct dmamap_host {
	uint64_t magic;
	struct dma_lock lock; /* devices, observers, last errors */
	struct dma_device *devices;
	struct dma_observer *observers;
	/** Domains and pools that live. */
	uint32_t objects;
	/** Contexts that were given a number. */
	uint32_t contexts;
	/** Domains that dma_poll() has to look at. */
	struct dma_domain *domains;
	/** Atomic pools, and what dma_poll() does for them. */
	struct dma_atomic_pool *atomic_pools;
	void (*poll_atomic)(struct dma_host *host);
	/** Bytes whose conversion failed: never given back. */
	uint64_t lost_bytes;
	/** Bounce pools that may grow, in dma_poll() if not at once, and shrink there; polls so far. */
	struct dma_bounce *growing_pools;
	uint64_t bounce_round;
	/** Pages of heap.h with room. */
	struct dma_lock heap_lock;
	struct heap_page *heap;
	/** The context of the lock port, guarded by ctx_lock. */
	struct dma_lock ctx_lock;
	struct dma_ctx ctx;
};

/** What a room above keeps for a device, and ends with it. */
struct dmamap_attached {
	/** Does more live than what end() would give back? */
	bool (*busy)(struct dma_device *dev);
	void (*end)(struct dma_device *dev);
};

/** Warnings that are given once a device. */
enum dmamap_once {
	ONCE_NO_MASK = 1u << 0,
	ONCE_OVERFLOW = 1u << 1,
	ONCE_NOT_LINEAR = 1u << 2,
	ONCE_SG_RESULT = 1u << 3,
	ONCE_NO_PARMS_SEG = 1u << 4,
	ONCE_NO_PARMS_BOUNDARY = 1u << 5,
	ONCE_NO_PARMS_ALIGN = 1u << 6,
	ONCE_COHERENT_MASK = 1u << 7,
	ONCE_ALLOC_FLAGS = 1u << 8,
	ONCE_ALIGNMENT = 1u << 9,
	ONCE_NO_POOL = 1u << 10,
	ONCE_BOUNCE_SYNC = 1u << 11,
	ONCE_DAC = 1u << 12,
	ONCE_BOUNCE_UNREACHABLE = 1u << 13,
	ONCE_BOUNCE_GRANULE = 1u << 14,
	ONCE_SMALL_BUFFER = 1u << 15,
};

/** Mappings of a device that shard by shard were made and ended, where nobody shares a counter. */
struct dmamap_count {
	uint64_t mapped;   /* by who has the shard */
	uint64_t unmapped; /* by anybody */
	uint64_t bounced;  /* by anybody: made, as mapped */
	uint64_t unused[5];
};

/** Granules of RAM side by side, by the handles of pages: see iommu/quick_sg.h. */
struct dmamap_ram {
	uint64_t first;
	uint64_t more;	    /* granules behind the first */
	phys_addr_t last;   /* byte; 0: there is none */
	unsigned int shift; /* of a granule, in a handle */
};

/** The short ways of single mappings, see iommu/quick.h. */
enum dmamap_quick {
	QUICK_NOT,
	QUICK_LESS, /* not inline */
	QUICK_ALL,
};

struct dmamap_dev {
	uint64_t magic;
	struct dma_host *host;
	struct dma_device *next;
	const char *name;
	void *data;

	uint64_t *mask; /* NULL: not set up for DMA */
	uint64_t own_mask;
	uint64_t coherent_mask;
	dma_addr_t bus_limit; /* 0: none */
	const struct dma_range *range_map;
	struct dma_range own_map[2]; /* of dma_device_set_offset() */
	struct dma_parms *parms;
	const struct dma_map_ops *ops;
	struct dma_domain *domain;
	struct dmamap_count *counts; /* one for each shard; NULL while nothing is counted there */
	uint32_t nr_counts;
	struct dma_iommu_unit *unit; /* in front of it; NULL: that of the domain */
	struct dma_bounce *bounce;
	struct dmamap_attached *attached; /* declared and managed memory, pools */

	enum dma_route route;	    /* of streaming calls; never ARCH */
	enum dma_route alloc_route; /* of coherent ones */
	bool coherent;
	bool ops_bypass;
	bool force_bounce; /* by its setter, or by the pool */
	bool force_asked;  /* by its setter */
	bool untrusted;
	bool identity;	     /* its domain does not translate: direct */
	bool defer_attach;   /* by its setter */
	bool attach_pending; /* in its domain, but the hardware has not been told */
	bool pci;
	bool pci_32bit_first; /* cleared for good by the first failure below 4 GiB */
	bool skip_sync;	      /* computed by dma_set_mask() */
	bool sealed;	      /* a direct mapping may live that nobody counts */
	bool has_bounced;
	bool inline_map; /* the first cache line is good for direct maps */
	bool decorated;	 /* the host has forms of addresses */
	/** Which mappings may go the way of iommu/quick.h; which windows are meant; entries, by direction, or 0. */
	enum dmamap_quick quick;
	bool quick_list;     /* lists: whatever the sanitizer says, because it is asked elsewhere */
	uint8_t quick_large; /* of larger leaves: a bit each */
	uint16_t quick_place; /* where in a shard, in bytes */
	uint64_t quick_bits[DMA_NONE + 1];
	uint64_t quick_mmio[DMA_NONE + 1];
	/** RAM that pages of lists are looked for in first. */
	struct dmamap_ram quick_ram;

	uint64_t live;
	uint32_t once;
	struct dma_error last;
};

static inline struct dmamap_dev *dmamap_dev(const struct dma_device *dev)
{
	return (struct dmamap_dev *)(uintptr_t)dev->opaque;
}

static inline struct dmamap_host *dmamap_host(const struct dma_host *host)
{
	return (struct dmamap_host *)(uintptr_t)host->opaque;
}

static inline struct dma_host *dev_host(const struct dma_device *dev)
{
	return dmamap_dev(dev)->host;
}

/** The streaming mask; 0 without storage. */
static inline uint64_t dev_mask(const struct dmamap_dev *d)
{
	return d->mask ? __atomic_load_n(d->mask, __ATOMIC_RELAXED) : 0;
}

/** Highest DMA address a streaming mapping may have. */
static inline uint64_t dev_limit(const struct dmamap_dev *d)
{
	return min_not_zero(dev_mask(d), d->bus_limit);
}

static inline uint32_t dev_min_align(const struct dmamap_dev *d)
{
	return d->parms ? d->parms->min_align_mask : 0;
}

static inline uint64_t dev_boundary(const struct dmamap_dev *d)
{
	return d->parms && d->parms->segment_boundary_mask ? d->parms->segment_boundary_mask
							   : ~(uint64_t)0;
}

static inline uint32_t dev_max_segment(const struct dmamap_dev *d)
{
	return d->parms && d->parms->max_segment_size ? d->parms->max_segment_size : 65536;
}

static inline void dev_live_add(struct dmamap_dev *d, uint64_t n)
{
	__atomic_fetch_add(&d->live, n, __ATOMIC_RELAXED);
}

static inline void dev_live_sub(struct dmamap_dev *d, uint64_t n)
{
	__atomic_fetch_sub(&d->live, n, __ATOMIC_RELAXED);
}

/** Of counts, if there are any: a power of two. */
static inline uint32_t dev_nr_counts(const struct dmamap_dev *d)
{
	return __atomic_load_n(&d->nr_counts, __ATOMIC_RELAXED);
}

/** Mappings that live: of those that are counted by shards too. */
static inline uint64_t dev_live(const struct dmamap_dev *d)
{
	const struct dmamap_count *counts = __atomic_load_n(&d->counts, __ATOMIC_ACQUIRE);
	uint64_t live = __atomic_load_n(&d->live, __ATOMIC_ACQUIRE);
	uint32_t n = counts ? dev_nr_counts(d) : 0;

	/* ends first: what is seen to end was seen to begin, so that the sum is never too low */
	for (uint32_t i = 0; i < n; i++)
		live -= __atomic_load_n(&counts[i].unmapped, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < n; i++)
		live += __atomic_load_n(&counts[i].mapped, __ATOMIC_ACQUIRE) +
			__atomic_load_n(&counts[i].bounced, __ATOMIC_ACQUIRE);
	return live >> 63 ? 0 : live;
}

/** One of the mappings that live ends; false if none does: an unmap too many must not count below 0. */
static inline bool dev_live_end(struct dmamap_dev *d)
{
	uint64_t live = __atomic_load_n(&d->live, __ATOMIC_RELAXED);

	while (live && !__atomic_compare_exchange_n(&d->live, &live, live - 1, true,
						    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return live != 0;
}

/** The number of the context that the caller is in, from 1 on. */
static inline uint32_t ctx_number(struct dma_host *host, struct dma_ctx *ctx)
{
	struct dmamap_ctx *c = (struct dmamap_ctx *)(void *)ctx->opaque;

	if (__builtin_expect(!c->number, 0))
		c->number = __atomic_add_fetch(&dmamap_host(host)->contexts, 1, __ATOMIC_RELAXED);
	return c->number;
}

/** The same, 0 if it has none yet. */
static inline uint32_t ctx_number_or_0(struct dma_ctx *ctx)
{
	return ((struct dmamap_ctx *)(void *)ctx->opaque)->number;
}

/** Where a mapping of the caller's context is counted that no shard's lock guards; NULL: nothing is counted there. */
static inline struct dmamap_count *dev_count_here(struct dmamap_dev *d)
{
	struct dmamap_count *counts = __atomic_load_n(&d->counts, __ATOMIC_ACQUIRE);
	dma_ctx_state state;
	uint32_t number;

	if (!counts)
		return NULL;
	number = ctx_number(d->host, dma_ctx_enter(d->host, &state));
	dma_ctx_leave(d->host, state);
	return &counts[number & (dev_nr_counts(d) - 1)];
}

/** One mapping more that bounces, or one fewer, counted where the caller shares it with few. */
static inline void dev_bounced_begin(struct dmamap_dev *d)
{
	struct dmamap_count *count = dev_count_here(d);

	if (count)
		__atomic_fetch_add(&count->bounced, 1, __ATOMIC_RELAXED);
	else
		dev_live_add(d, 1);
}

static inline void dev_bounced_end(struct dmamap_dev *d)
{
	struct dmamap_count *count = dev_count_here(d);

	if (count)
		__atomic_fetch_add(&count->unmapped, 1, __ATOMIC_RELEASE);
	else
		dev_live_sub(d, 1);
}

/** For what is rarely called: the compiler keeps it away from what often is. */
#define DMAMAP_COLD __attribute__((noinline, cold))
/** For what is called often, and not on the shortest way. */
#define DMAMAP_APART __attribute__((noinline))

/** True the first time it is asked for @what on this device. */
static inline bool dev_once(struct dmamap_dev *d, uint32_t what)
{
	return !(__atomic_fetch_or(&d->once, what, __ATOMIC_RELAXED) & what);
}

/** Through windows and decoration: what the two functions below do where there is one of them. */
bool dmamap_dev_translate(const struct dma_device *dev, phys_addr_t phys, bool shared,
			  dma_addr_t *addr);
bool dmamap_dev_untranslate(const struct dma_device *dev, dma_addr_t addr, phys_addr_t *phys);

/** Is the physical address what the device emits? */
static inline bool dev_bus_is_plain(const struct dmamap_dev *d)
{
	return !d->range_map && !d->decorated;
}

/**
 * Translate RAM or MMIO at @phys to a bus address: range map, then decoration (@shared: the shared form).
 * False if no window covers it; *@addr is then DMA_MAPPING_ERROR.
 */
static inline bool dmamap_dev_to_dma(const struct dma_device *dev, phys_addr_t phys, bool shared,
				     dma_addr_t *addr)
{
	if (!dev_bus_is_plain(dmamap_dev(dev)))
		return dmamap_dev_translate(dev, phys, shared, addr);
	*addr = phys;
	return true;
}

/** The inverse; false if no window covers it. */
static inline bool dmamap_dev_to_phys(const struct dma_device *dev, dma_addr_t addr,
				      phys_addr_t *phys)
{
	if (!dev_bus_is_plain(dmamap_dev(dev)))
		return dmamap_dev_untranslate(dev, addr, phys);
	*phys = addr;
	return true;
}

/** The same for [phys, phys + size): false also if a byte between the ends is not reached, or not in its place. */
bool dmamap_dev_range_to_dma(const struct dma_device *dev, phys_addr_t phys, uint64_t size,
			     bool shared, dma_addr_t *addr);

/**
 * Bytes from @phys on that one window serves, by the rule that the first match counts, or that none serves; at least 1.
 * Without a map, and where nothing follows, all ones.
 */
uint64_t dmamap_dev_window_rest(const struct dma_device *dev, phys_addr_t phys);

/** Make counts, if there are none. False without memory. Any context. */
bool dmamap_dev_need_counts(struct dmamap_dev *d, gfp_t gfp);
/** Nothing lives: start again at 0, or end. Nobody else uses the device. */
void dmamap_dev_reset_counts(struct dmamap_dev *d);
void dmamap_dev_free_counts(struct dmamap_dev *d);

/** The first time that the function below is called for a device. */
void dmamap_dev_first_bounce(struct dma_device *dev);

/** A bounce is about to hand out a slot: unmaps and syncs have work from now on. */
static inline void dmamap_dev_has_bounced(struct dma_device *dev)
{
	/* who sees that somebody else set it sees what follows from it too */
	if (!__atomic_load_n(&dmamap_dev(dev)->has_bounced, __ATOMIC_ACQUIRE))
		dmamap_dev_first_bounce(dev);
}

/** Must the device use the shared form of addresses? */
static inline bool dev_needs_shared(const struct dma_device *dev)
{
	struct dma_host *host = dev_host(dev);

	return host->force_unencrypted &&
	       host->force_unencrypted(host, (struct dma_device *)(uintptr_t)dev);
}

/**
 * Must a buffer of RAM bounce because it may share cache lines with what the CPU writes meanwhile? Judged by size and
 * direction, never by address: a harmless part of a large buffer bounces too.
 */
bool dmamap_dev_small_buffer(const struct dma_device *dev, uint64_t size,
			     enum dma_data_direction dir);

#pragma GCC visibility pop

#endif
