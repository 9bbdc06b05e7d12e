/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the simulated machine share. Users see sim.h; nothing here reaches into the library.
 *
 * Locks: machine.memory guards the zones, machine.cache the movement of lines, machine.lists the devices and the last
 * message, sim_iommu.lock one IOMMU. Only sim_iommu.lock is ever held when another (none of the machine's) could be
 * wanted, so there is no order to keep. Regions change before the start only, and are read without a lock.
 */
#ifndef DMAMAP_SIM_MACHINE_H
#define DMAMAP_SIM_MACHINE_H

#include "sim.h"

#include "common/zone.h"

#include <pthread.h>

#pragma GCC visibility push(hidden)

/* What memory is handed out in, at the least; sim_machine.page_size may be larger. */
#define SIM_PAGE       4096u
#define SIM_PAGE_SHIFT 12
#define SIM_LINE       64u

static inline uint64_t sim_min(uint64_t a, uint64_t b)
{
	return host_min(a, b);
}

/** @align is a power of two. */
static inline uint64_t sim_round_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) & ~(align - 1);
}

/** @v is not 0. */
static inline unsigned int sim_high_bit(uint64_t v)
{
	return 63u - (unsigned int)__builtin_clzll(v);
}

/** A piece of the physical address space. On a coherent machine, and in a BAR, both views are one. */
struct sim_region {
	phys_addr_t base;
	uint64_t size;
	bool ram;
	unsigned char *cpu;
	unsigned char *device;
	/** RAM of a noncoherent machine: what each line held when the views last agreed; NULL otherwise. */
	unsigned char *synced;
};

/** Where lines may be moved at random: the ranges that maintenance, the CPU or a device named last. */
#define SIM_RECENT 32
/** Maintenance that was issued and not waited for. */
#define SIM_PENDING 64

struct sim_range {
	phys_addr_t phys;
	uint64_t size;
};

struct sim_pending {
	struct sim_range range;
	unsigned int what;
};

struct sim_machine {
	struct dma_host host;
	bool started;
	bool noncoherent;
	bool adversarial;
	uint64_t page_size;

	struct sim_region *regions; /* by address */
	unsigned int nr_regions;

	pthread_mutex_t memory;
	struct host_zones zones;
	uint64_t used;
	uint64_t peak;
	uint64_t fail_in;

	pthread_mutex_t cache;
	uint64_t random;
	struct sim_range recent[SIM_RECENT];
	unsigned int next_recent;
	struct sim_pending pending[SIM_PENDING];
	unsigned int nr_pending;

	pthread_mutex_t lists;
	struct sim_device *devices;
	unsigned int nr_iommus;
	unsigned int next_domain_id; /* one number for all units, atomically */
	char message[512];

	uint64_t time;
	uint64_t arch_limit;
	struct sim_counters counters; /* atomically */
};

struct sim_domain;

struct sim_device {
	struct dma_device dma; /* first: sim_device_of() */
	struct sim_machine *m;
	struct sim_device *next;
	struct sim_device *prev;
	char *name;
	uint64_t last_address;
	bool coherent;
	bool privileged;
	const struct dma_range *windows;
	uint64_t offset;
	uint64_t bypass;
	const char *method;
	/** Its IOMMU, if any; blocked: that is gone. domain is guarded by the IOMMU's lock. */
	struct sim_iommu *iommu;
	struct sim_domain *domain;
	bool blocked;
	bool identity; /* requests pass as they are; guarded like domain */
};

static inline struct sim_machine *sim_machine_of(const struct dma_host *host)
{
	return host->priv;
}

static inline void sim_count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* --- memory.c */

/** The region that holds @phys, or NULL. */
struct sim_region *sim_region_at(const struct sim_machine *m, phys_addr_t phys);
/** The first region that ends above @phys, or NULL. */
struct sim_region *sim_region_above(const struct sim_machine *m, phys_addr_t phys);
void sim_memory_hooks(struct dma_host *host);
void sim_memory_release(struct sim_machine *m);

/* --- alloc.c */

void sim_alloc_hooks(struct dma_host *host);

/* --- cache.c */

void sim_cache_hooks(struct dma_host *host);
/** The CPU is about to write these bytes through sim_cpu_write(): their lines become dirty. */
void sim_cache_touch(struct sim_region *region, uint64_t offset, const void *bytes, uint64_t len);
/** The same for stores of the library: a copy from or to a bounce slot. */
void sim_cache_copy(struct dma_host *host, void *dst, const void *src, size_t size);
/** The CPU of an adversarial machine uses these bytes: its caches work. */
void sim_cache_moment(struct sim_machine *m, phys_addr_t phys, uint64_t size);
/** Memory without an owner: make the views agree again. */
void sim_cache_settle(struct sim_machine *m, struct sim_region *region, uint64_t offset,
		      uint64_t len);
/** What a device's access does to the caches of an adversarial machine. */
void sim_cache_stir(struct sim_machine *m, struct sim_region *region, uint64_t offset, uint64_t len,
		    bool write);

/* --- machine.c */

/** Say something through the machine's own warn hook. */
void sim_complain(struct sim_machine *m, const char *text);

/* --- device.c */

/** Is @dev one of the machine's own devices? */
bool sim_device_known(struct sim_machine *m, const struct dma_device *dev);
/** Cut every device behind @iommu off for good; false, and nothing, if one is attached to a domain. */
bool sim_devices_orphan(struct sim_machine *m, const struct sim_iommu *iommu);

/* --- pci.c */

/** Does a bridge turn the request at *@addr round, down to a peer's BAR? Then *@addr is the CPU's, *@len shortened. */
bool sim_pci_turns(const struct sim_device *device, uint64_t *addr, uint64_t *len);

/* --- iommu.c */

/**
 * Translate one address of @device. *@len is shortened to the bytes that lie in one page.
 * Return: SIM_FAULT_NONE and *@phys, or why not.
 */
enum sim_fault_reason sim_iommu_translate(struct sim_device *device, dma_addr_t iova, bool write,
					  uint64_t *len, phys_addr_t *phys);

#pragma GCC visibility pop

#endif
