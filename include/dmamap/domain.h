/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IOMMU domains and their backends.
 *
 * A domain is what the iommu route maps into: an I/O address space, shared by the devices attached to it. How an entry
 * gets into hardware is the backend's business: a page table (dmamap/pagetable.h), or a device that takes commands.
 *
 * Order, guaranteed to the backend and enforced by tests: map -> sync_map -> the address is returned; unmap -> prune ->
 * invalidate -> wait -> release, and the address is reused. The domain serialises all of these calls, except as said at
 * pin().
 */
#ifndef DMAMAP_DOMAIN_H
#define DMAMAP_DOMAIN_H

#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_host;
struct dma_device;
struct dma_domain;
struct dma_backend;
struct dma_iommu_unit;

/** Protection, with Linux's values. MMIO never comes with CACHE. */
#define DMA_PROT_READ	1u
#define DMA_PROT_WRITE	2u
#define DMA_PROT_CACHE	4u
#define DMA_PROT_NOEXEC 8u
#define DMA_PROT_MMIO	16u
#define DMA_PROT_PRIV	32u

/** A physically contiguous piece; both a multiple of the smallest page. */
struct dma_vec {
	phys_addr_t phys;
	uint64_t len;
};

/** What a backend has at an I/O address: one leaf, whole. */
struct dma_leaf {
	dma_addr_t iova;
	uint64_t len; /* 0: 2^64 */
	phys_addr_t phys;
	/** DMA_PROT_*, as far as the format keeps them. */
	unsigned int prot;
};

/** Leaves in a block whose entries a domain may own, a multiple of it in every table that is not a root. */
#define DMA_LEAF_BLOCK 512u

/** The entries of a block, one for each of its leaves, in order. All 0 when the block is taken and given back. */
struct dma_leaf_block {
	uint64_t *entries;
	phys_addr_t phys;
};

/** What read_dirty() calls for each leaf that was written: whole, so that the range may begin before what was asked. */
typedef void (*dma_dirty_fn)(void *arg, dma_addr_t iova, uint64_t len);

/** I/O addresses that are not a device's to use: both ends belong to it. */
struct dma_reserved_region {
	dma_addr_t first;
	dma_addr_t last;
	/** Writes there are interrupts. */
	bool msi;
	/**
	 * The device works there by itself, with memory that firmware gave it at the same address: the region is mapped as it
	 * stands, readable and writable, before the device is attached.
	 */
	bool direct;
};

/** Tables that were unlinked because they are empty: they go back to the host after the invalidation that covers them. */
struct dma_freed {
	void *tables;
	uint64_t bytes;
};

struct dma_backend_caps {
	/** Bitmap of page sizes: bit n set, 2^n bytes. */
	uint64_t page_sizes;
	/** First and last I/O address. */
	dma_addr_t aperture_start;
	dma_addr_t aperture_end;
	/** I/O addresses that never reach memory (the MSI window of a PCI bus): the domain keeps them out. 0, 0: none. */
	dma_addr_t hole_start;
	dma_addr_t hole_end;
	/** Physical addresses must be below 2^output_bits. */
	unsigned int output_bits;
	/**
	 * Any part of a mapping may be unmapped, but no part of a large leaf. If not, an unmap covers whole pieces, any
	 * number of them, with the boundaries that map() got them with; one that would cut a piece clears nothing.
	 */
	bool may_unmap_part;
	/** Unmap already invalidates: no deferred mode. */
	bool unmap_is_invalidation;
	/** 0: no limit on live entries. */
	uint64_t max_entries;
	/** The hardware reads tables through the CPU's caches. */
	bool coherent_walk;
	/** What is mapped without DMA_PROT_READ cannot be read. If not, a device can read all that it can write. */
	bool write_only;
	/** read_dirty() works. */
	bool track_dirty;
	/** Addresses pass as they are: devices take the direct route, and nothing is ever mapped. */
	bool identity;
	/** No entry may lead to [hole_start, hole_end] either. */
	bool hole_is_target;
	/** pin(): an entry is a physical address shifted right by this, and the bits that leaf_bits() gives. */
	unsigned int leaf_phys_shift;
	/** sync_map() has work to do although the walker is coherent (caching mode, write buffers). */
	bool map_side_work;
};

struct dma_backend_ops {
	/** sizeof(struct dma_backend_ops). */
	size_t size;
	/**
	 * Enter @n pieces one after another from @iova. Nothing is there yet. On failure everything this call entered
	 * is gone again. Return: 0, -ENOMEM, -EADDRINUSE, -ERANGE, -ENOSPC (max_entries), -EINVAL.
	 */
	int (*map)(struct dma_backend *backend, dma_addr_t iova, const struct dma_vec *vec,
		   size_t n, unsigned int prot);
	/**
	 * Clear [iova, iova + len). Tables that become empty stay linked, because the hardware may have cached the way
	 * to them while addresses beside these are handed out again. Return: bytes cleared, counted from @iova up to
	 * the first hole.
	 */
	uint64_t (*unmap)(struct dma_backend *backend, dma_addr_t iova, uint64_t len);
	/**
	 * Unlink the tables that are empty now and add them to @freed. Called right
	 * before an invalidation that covers them, with no map in between. NULL: there never are any.
	 */
	void (*prune)(struct dma_backend *backend, struct dma_freed *freed);
	/** Make new entries visible to the hardware before the address is handed out. NULL: they are. */
	int (*sync_map)(struct dma_backend *backend, dma_addr_t iova, uint64_t len);
	/** Start dropping cached translations of the range, or all of them if @len is all ones. NULL: nothing cached. */
	void (*invalidate)(struct dma_backend *backend, dma_addr_t iova, uint64_t len,
			   bool leaf_only);
	/** Wait until every invalidation started before has finished everywhere. NULL: they are synchronous. */
	void (*wait)(struct dma_backend *backend);
	/**
	 * invalidate() of leaves and wait(), in one call: what follows the unmap of a small range. NULL: the two are
	 * called.
	 */
	void (*forget)(struct dma_backend *backend, dma_addr_t iova, uint64_t len);
	/** Return freed tables to the host, after wait(). NULL: there never are any. */
	void (*release)(struct dma_backend *backend, struct dma_freed *freed);
	/** Nothing happens any more, for a while: return what was only kept for the next map. NULL: that is nothing. */
	void (*trim)(struct dma_backend *backend);
	/** 0 and *@phys, or -ENXIO where nothing is mapped. Required. */
	int (*iova_to_phys)(struct dma_backend *backend, dma_addr_t iova, phys_addr_t *phys);
	/** The leaf that holds @iova, or the first above it. 0 and *@leaf, or -ENXIO: none. NULL: unknown. */
	int (*next_leaf)(struct dma_backend *backend, dma_addr_t iova, struct dma_leaf *leaf);
	/**
	 * Call @dirty for each leaf in [iova, iova + len) that devices have written since it was entered or read with
	 * @clear; holes are skipped. @clear forgets it; then the caller invalidates the range before it trusts the next
	 * answer, because hardware may remember that it has marked a leaf. @dirty must not call the backend.
	 * 0; -EOPNOTSUPP without caps.track_dirty; -ERANGE. NULL: not supported.
	 */
	int (*read_dirty)(struct dma_backend *backend, dma_addr_t iova, uint64_t len, bool clear,
			  dma_dirty_fn dirty, void *arg);
	/**
	 * Page tables only, all three or none: a domain takes blocks of DMA_LEAF_BLOCK leaves of @leaf bytes, aligned to
	 * their size, and writes their entries itself, whole and by any thread. @leaf is the smallest page, or another of
	 * caps.page_sizes for which leaf_bits() is not 0. While it has a block, no other call concerns
	 * an address in it but iova_to_phys(), next_leaf(), read_dirty(), sync_map(), invalidate(), wait() and forget(),
	 * and the last four come from several threads at once, also while the domain makes another call. A coherent walker
	 * without map_side_work, on a host without write_barrier, gets no sync_map() for them: the entries were written
	 * before the address is known to anybody. pin(): 0, or -errno, and nothing changed.
	 */
	int (*pin)(struct dma_backend *backend, dma_addr_t iova, uint64_t leaf,
		   struct dma_leaf_block *block);
	/** The block is empty, and never used again before the next pin(). Its table may be the next to be pruned. */
	void (*unpin)(struct dma_backend *backend, dma_addr_t iova, uint64_t leaf);
	/**
	 * The bits of an entry of @leaf bytes besides the address; 0: map() would refuse that protection, or a leaf of
	 * that size is not one entry in a table of its own level.
	 */
	uint64_t (*leaf_bits)(struct dma_backend *backend, uint64_t leaf, unsigned int prot);
	/** Put @dev behind this backend, take it out. -ENODEV etc. refuse. NULL: nothing to do. */
	int (*attach)(struct dma_backend *backend, struct dma_device *dev);
	void (*detach)(struct dma_backend *backend, struct dma_device *dev);
	/** The unit that will stand in front of @dev in this domain. NULL: there are none, or the device's own is meant. */
	struct dma_iommu_unit *(*unit_of)(struct dma_backend *backend,
					  const struct dma_device *dev);
	/** Region @index of addresses that are not @dev's to use; false behind the last. NULL: none but its unit's. */
	bool (*reserved)(struct dma_backend *backend, struct dma_device *dev, unsigned int index,
			 struct dma_reserved_region *region);
	/**
	 * Nothing is mapped; work within these caps from now on: page_sizes, output_bits and aperture_end, none larger than
	 * today's. 0; -ERANGE: a table lies beyond the output width. NULL: caps are fixed.
	 */
	int (*narrow)(struct dma_backend *backend, const struct dma_backend_caps *caps);
	/** Bytes of table memory in use. NULL: 0. */
	uint64_t (*table_bytes)(struct dma_backend *backend);
	/** Free the backend; called once, with no device attached. NULL: nothing to do. */
	void (*destroy)(struct dma_backend *backend);
};

/** The common head of every backend. */
struct dma_backend {
	const struct dma_backend_ops *ops;
	struct dma_backend_caps caps;
};

enum dma_invalidation {
	/** The device loses access before the unmap returns. */
	DMA_INVALIDATION_STRICT,
	/** Unmaps are invalidated together, later; untrusted devices never get this. */
	DMA_INVALIDATION_LAZY,
};

struct dma_domain_config {
	/** sizeof(struct dma_domain_config). */
	size_t size;
	enum dma_invalidation invalidation;
	/** While LAZY: unmaps that wait for one flush at the most; a power of two, 0: 256 (of which 255 fit). */
	uint32_t flush_entries;
	/** While LAZY: nanoseconds after which a flush is due. 0: 10 ms. */
	uint64_t flush_ns;
	/** I/O page 0 is handed out like any other: a mapping may have the address 0. false: it never is. */
	bool use_page_0;
};

struct dma_domain_stats {
	/** Bytes of I/O address space in use (waiting unmaps included), now and at the most. */
	uint64_t iova_bytes;
	/** A sum of the peaks of each shard for each mask and size of leaf, and of other ranges: the truth or more. Exact
	 *  for one thread with one mask that maps only pages, or only ranges that are no leaves, but that addresses which
	 *  came back count until the shard looks at them again. */
	uint64_t iova_peak_bytes;
	/** Bytes of table memory, now and at the most. */
	uint64_t table_bytes;
	uint64_t table_peak_bytes;
	/** Invalidations that were waited for; of these, whole-domain flushes. */
	uint64_t invalidations;
	uint64_t flushes;
	/** Unmaps that wait for a flush. */
	uint64_t queued;
	enum dma_invalidation invalidation;
};

/**
 * dma_domain_create() - make a domain over a backend.
 * @host:    whose memory, time and locks to use
 * @backend: owned by the domain on success (destroyed with it); still the caller's on failure
 * @config:  policy
 * @domain:  receives the domain
 *
 * I/O page 0 is not handed out, unless @config says so. LAZY with a backend whose unmap is its invalidation becomes STRICT.
 *
 * Return: 0; -EINVAL (no page size, a smallest page above the host's, an empty aperture, flush_entries); -ENOMEM.
 */
int dmamap_domain_create(struct dma_host *host, struct dma_backend *backend,
			 const struct dma_domain_config *config, struct dma_domain **domain);

/** dma_domain_destroy() - flush and free. Return: 0; -EBUSY while a device is attached or a mapping lives. */
int dmamap_domain_destroy(struct dma_domain *domain);

/**
 * dma_domain_reserve() - keep [start, start + len) out of the I/O address space for ever (MSI windows, bridge windows).
 *
 * What is reserved already, or lies outside of the aperture, counts as done.
 *
 * Return: 0; -EINVAL for an empty or wrapping range; -EBUSY if part of it is in use; -ENOMEM. Parts may be reserved then.
 */
int dmamap_domain_reserve(struct dma_domain *domain, dma_addr_t start, uint64_t len);

/**
 * dma_domain_flush() - invalidate everything that waits, and give it back; if nothing is mapped, also what was kept for
 * the next map. May spin; never sleeps.
 */
void dmamap_domain_flush(struct dma_domain *domain);

/**
 * dma_domain_set_invalidation() - choose strict or lazy anew, also while others map and unmap.
 *
 * To STRICT: when it returns, nothing waits any more of what was unmapped before the call, and no later unmap will. To
 * LAZY: unmaps that begin after it has returned may wait, as the domain's configuration says. Memory for that is taken
 * here if something is mapped, else by maps. Setting what there is changes nothing.
 *
 * Context: as dma_domain_flush(); any thread, at any time. Semantics: docs/semantics.md, "Invalidation".
 *
 * Return: 0. Else nothing has changed, and dma_last_error() for any device of the host has the reason: -EINVAL
 * (bad-argument); -EPERM (untrusted) to LAZY while an untrusted device is in the domain; -EOPNOTSUPP (backend) to LAZY
 * where an unmap is its invalidation; -ENOMEM (no-memory).
 */
int dmamap_domain_set_invalidation(struct dma_domain *domain, enum dma_invalidation invalidation);

/**
 * dma_domain_get_stats() - copy the figures.
 *
 * They belong to one moment: who maps meanwhile waits until they are taken. Any context that may map.
 */
void dmamap_domain_get_stats(struct dma_domain *domain, struct dma_domain_stats *stats);

/**
 * dma_device_set_unit() - say which IOMMU unit stands in front of a device; NULL: the one of its domain.
 *
 * A page-table domain may have devices behind several units: each is told of the table, and of every invalidation.
 * @unit stays the caller's, and outlives every domain that the device was ever attached to.
 *
 * Return: 0; -EBUSY (live-mappings) while the device is in a domain.
 */
int dmamap_device_set_unit(struct dma_device *dev, struct dma_iommu_unit *unit);

/**
 * dma_device_set_domain() - put a device behind a domain; NULL takes it out.
 *
 * From then on its streaming and coherent calls take the iommu route. The first untrusted device turns a LAZY domain
 * STRICT; so it stays until dma_domain_set_invalidation(). A domain in which nothing is mapped is narrowed to what the device's unit can; regions that are
 * reserved for the device are kept out of the domain from now on, also when the device has left (docs/semantics.md,
 * "Attaching").
 *
 * Return: 0; -EBUSY (live-mappings) while mappings live; -EINVAL (ops-and-iommu) if it has a method table;
 * -EFAULT (aperture) if its range map lies outside of the aperture; -EBUSY (reserved-in-use) if a reserved region holds
 * live mappings; -EBUSY (units-differ, output-width) if the unit can do less than the domain has in use, -EOPNOTSUPP
 * (units-differ) if it can never do; -ENOMEM; or the backend's own refusal. Then the device is where it was, in its old
 * domain if it had one.
 */
int dmamap_device_set_domain(struct dma_device *dev, struct dma_domain *domain);

/**
 * dma_device_map_msi() - the address that a device is to write its interrupts (MSI) to.
 * @doorbell: what the interrupt controller wants to be written, a physical address
 * @addr:     receives the address for the device's MSI capability
 *
 * Where the device's requests are not translated, or hardware takes that address out of them (a reserved region with
 * msi, as the interrupt window of PCs), it is @doorbell. Else the doorbell's granule is mapped in the device's domain,
 * write-only where the format can say that, once for all that ask; and stays so for as long as the domain lives. It is
 * no mapping of the device's: nothing unmaps it, and it is in nobody's way when the device leaves.
 *
 * Context: as dma_map_phys(). Semantics: docs/semantics.md, "Doorbells".
 *
 * Return: 0; -EINVAL (bad-argument): @addr is NULL; -ENOMEM (no-iova, no-memory); -ERANGE (output-width); or the
 * backend's.
 */
int dmamap_device_map_msi(struct dma_device *dev, phys_addr_t doorbell, dma_addr_t *addr);

/** dma_domain_iova_to_phys() - translate as the tables do. Return: 0 and *@phys, or -ENXIO. */
int dmamap_domain_iova_to_phys(struct dma_domain *domain, dma_addr_t iova, phys_addr_t *phys);

/**
 * dma_domain_read_dirty() - what have devices written in [iova, iova + len) since it was mapped or last forgotten?
 * @iova, @len: I/O addresses, at least one; what is not mapped there is passed over
 * @clear: forget it, so that the next call tells of later writes only
 * @dirty: called for each leaf that was written, whole, in the order of their addresses, with the domain's lock held: it
 *         must not call anything of the domain or its devices. NULL: nobody
 * @arg:   for @dirty
 *
 * Needs a table with dirty tracking (caps.track_dirty: dma_pt_config.track_dirty). With @clear the leaves that were told
 * are invalidated before the call returns: what a device wrote until then is in this answer or the next one, and so the
 * caller reads the memory after the call, not in @dirty. Others may map and unmap meanwhile; of what they unmap,
 * nothing is told any more.
 *
 * Context: as dma_domain_flush(). Semantics: docs/semantics.md, "Dirty tracking".
 *
 * Return: 0. Else nothing was told or forgotten, and dma_last_error() for any device of the host has the reason: -EINVAL
 * (zero-size, address-wrap), -ERANGE (bad-argument) beyond the aperture, -EOPNOTSUPP (backend) without dirty tracking.
 */
int dmamap_domain_read_dirty(struct dma_domain *domain, dma_addr_t iova, uint64_t len, bool clear,
			     dma_dirty_fn dirty, void *arg);

#ifdef __cplusplus
}
#endif

#endif
