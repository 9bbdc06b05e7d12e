/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host interface: all that the core knows of the world.
 *
 * A port fills in a struct dma_host and calls dma_host_init(). Six members are required; every other one may stay
 * NULL (or 0) and then has the default that its comment gives. docs/porting.md walks through them one by one. Several
 * hosts can live in one process; the library keeps nothing outside of them.
 *
 * Hooks are called with library locks held unless their comment says otherwise, so they must not call back into the
 * library, and must not sleep except where they say so.
 */
#ifndef DMAMAP_HOST_H
#define DMAMAP_HOST_H

#include <dmamap/event.h>
#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_host;
struct dma_device;
struct dma_map_ops;
struct dma_bounce;
struct dma_pci_topology;

/** Room for a lock of the host's, or for the library's own spinlock. */
struct dma_lock {
	uint64_t opaque[8];
};

/** What a request for pages asks for. All figures in bytes; size and align are multiples of the host's page size. */
struct dma_page_request {
	uint64_t size;
	/** Power of two, at least a page. */
	uint64_t align;
	/** Highest address the last byte may have; all ones: anywhere. */
	phys_addr_t ceiling;
	/** NUMA node, -1: any. */
	int node;
	/** DMAMAP_GFP_*; without RECLAIM the call must not sleep. */
	gfp_t gfp;
};

/** What describe() says of a physical range. */
enum dma_memory_kind {
	DMA_MEMORY_HOLE,
	DMA_MEMORY_RAM,
	DMA_MEMORY_MMIO,
};

struct dma_memory {
	enum dma_memory_kind kind;
	/** MMIO: whose it is, for the host's own use (a BAR, a provider). */
	void *owner;
	/** MMIO: byte offset inside the owner's region. */
	uint64_t offset;
	/** Bytes from the address that share this description; at least 1. */
	uint64_t len;
};

/** What kind of CPU address a pointer is. */
enum dma_pointer_kind {
	DMA_POINTER_LINEAR,
	DMA_POINTER_VMALLOC,
	DMA_POINTER_HIGH,
	DMA_POINTER_DEVICE,
	DMA_POINTER_INVALID,
};

/** What the sanitizer hook is told. Only RAM, only successful maps. */
enum dma_sanitize_event {
	DMA_SANITIZE_MAP,
};

enum dma_log_level {
	DMA_LOG_ERROR,
	DMA_LOG_WARNING,
	DMA_LOG_INFO,
};

struct dma_host {
	/** sizeof(struct dma_host), so that a library can grow the structure. */
	size_t size;
	/** The port's own; the library never looks. */
	void *priv;

	/* --- required ------------------------------------------------------------------------------------------- */

	/** CPU page size in bytes: a power of two, at least 4096. */
	uint64_t page_size;
	/** The @index-th range of RAM; false past the last. Ranges do not overlap; more may appear later,
	 *  none may go. */
	bool (*ram_range)(struct dma_host *host, unsigned int index, phys_addr_t *start,
			  uint64_t *size);
	/** CPU address of RAM at @phys, or NULL if it has no permanent one. A page has an address that is a multiple of
	 *  page_size too. */
	void *(*phys_to_virt)(struct dma_host *host, phys_addr_t phys);
	/** The inverse; DMAMAP_PHYS_NONE for a pointer that is not in the linear map. */
	phys_addr_t (*virt_to_phys)(struct dma_host *host, const void *ptr);
	/** Physically contiguous pages with a linear address, content undefined; DMAMAP_PHYS_NONE if there are none. */
	phys_addr_t (*alloc_pages)(struct dma_host *host, const struct dma_page_request *request);
	/** Give back what alloc_pages returned, whole. */
	void (*free_pages)(struct dma_host *host, phys_addr_t phys, uint64_t size);

	/* --- memory, optional ----------------------------------------------------------------------------------- */

	/** Temporary CPU mapping of memory without a linear address. Default: such memory cannot be touched. */
	void *(*map_temporary)(struct dma_host *host, phys_addr_t phys, uint64_t size);
	void (*unmap_temporary)(struct dma_host *host, void *ptr, uint64_t size);
	/** Say what is at @phys. Default: RAM where ram_range() says so, else MMIO. */
	void (*describe)(struct dma_host *host, phys_addr_t phys, uint64_t len,
			 struct dma_memory *out);
	/** Kind of a CPU pointer. Default: LINEAR where virt_to_phys() succeeds, else INVALID. */
	enum dma_pointer_kind (*pointer_kind)(struct dma_host *host, const void *ptr);
	/** Large contiguous memory: more than a page, for callers that may block. Default: alloc_pages()/free_pages(). */
	phys_addr_t (*alloc_contiguous)(struct dma_host *host,
					const struct dma_page_request *request);
	/** Give back what alloc_contiguous() returned. False: not from there, and nothing happened. */
	bool (*free_contiguous)(struct dma_host *host, phys_addr_t phys, uint64_t size);
	/** One CPU address, cached, for pages in pieces: the elements of a list, @size bytes together; and its end. May
	 *  sleep. Default: only contiguous pages have one. */
	void *(*map_pages)(struct dma_host *host, struct scatterlist *sgl, unsigned int nents,
			   uint64_t size);
	void (*unmap_pages)(struct dma_host *host, void *ptr);
	/** Highest address of a small "DMA" zone, 0: no such zone. */
	phys_addr_t zone_dma_limit;
	/** Uncached CPU alias of [phys, phys + size), for coherent memory of non-coherent devices, and its end.
	 *  Default: such devices get no coherent memory. */
	void *(*map_uncached)(struct dma_host *host, phys_addr_t phys, uint64_t size);
	void (*unmap_uncached)(struct dma_host *host, void *ptr, phys_addr_t phys, uint64_t size);

	/* --- caches, optional: all NULL means that every device is coherent ------------------------------------- */

	/** Make the CPU's view of a range visible to devices (clean), and the reverse (invalidate). */
	void (*cache_for_device)(struct dma_host *host, phys_addr_t phys, uint64_t size,
				 enum dma_data_direction dir);
	void (*cache_for_cpu)(struct dma_host *host, phys_addr_t phys, uint64_t size,
			      enum dma_data_direction dir);
	/** Once after the last cache_for_cpu() of a call. */
	void (*cache_for_cpu_all)(struct dma_host *host);
	/** Wait for maintenance that the hooks above only issued. Default: they are complete when they return. */
	void (*cache_flush)(struct dma_host *host);
	/** Remove every line of a range before it is used through an uncached alias. */
	void (*cache_prepare_coherent)(struct dma_host *host, phys_addr_t phys, uint64_t size);
	/** Cache line size and minimum DMA alignment in bytes; 0: 64 and 1. */
	uint32_t cache_line;
	uint32_t min_dma_align;
	/** Bounce buffers of non-coherent devices that are smaller than twice min_dma_align and that share a cache line
	 *  with their neighbours. Default: off, and the driver answers for it. */
	bool bounce_small_buffers;
	/** Size of the allocator's block that holds a buffer of @size bytes: it shares no line if that is a multiple of
	 *  cache_line. Default: 8, 16, 32, 64, 96, 128, 192, then the powers of two. */
	uint64_t (*bucket_size)(struct dma_host *host, uint64_t size);
	/** Order the CPU's stores before those that follow, as a device sees them. Default: a full fence. */
	void (*write_barrier)(struct dma_host *host);

	/* --- confidential computing, optional ------------------------------------------------------------------- */

	/** Decorate a bus address with the shared or the encrypted form; strip either (required with one of them).
	 *  Default: no decoration. */
	uint64_t (*to_shared)(struct dma_host *host, uint64_t addr);
	uint64_t (*to_encrypted)(struct dma_host *host, uint64_t addr);
	uint64_t (*strip)(struct dma_host *host, uint64_t addr);
	/** The device reaches only shared memory. Default: false. */
	bool (*force_unencrypted)(struct dma_host *host, struct dma_device *dev);
	/** Share pages with the hypervisor, or take them back: 0, or -errno, and then nobody uses the pages again.
	 *  Default: there is nothing to convert. */
	int (*set_shared)(struct dma_host *host, phys_addr_t phys, uint64_t size, bool shared);
	/** The host itself encrypts memory: MMIO is addressed in the shared form. */
	bool encrypts_memory;

	/* --- registers, optional: needed by drivers in hw/ ------------------------------------------------------- */

	/** Accesses of exactly that width, little-endian as registers are, in the order of the program. 8 and 16 bits
	 *  are for virtio only. */
	uint8_t (*read8)(struct dma_host *host, phys_addr_t reg);
	uint16_t (*read16)(struct dma_host *host, phys_addr_t reg);
	void (*write8)(struct dma_host *host, phys_addr_t reg, uint8_t value);
	void (*write16)(struct dma_host *host, phys_addr_t reg, uint16_t value);
	uint32_t (*read32)(struct dma_host *host, phys_addr_t reg);
	uint64_t (*read64)(struct dma_host *host, phys_addr_t reg);
	void (*write32)(struct dma_host *host, phys_addr_t reg, uint32_t value);
	void (*write64)(struct dma_host *host, phys_addr_t reg, uint64_t value);

	/* --- execution, optional --------------------------------------------------------------------------------- */

	/** Locks. Default (all NULL): a spinlock. All four together or none. */
	void (*lock_init)(struct dma_host *host, struct dma_lock *lock);
	void (*lock_fini)(struct dma_host *host, struct dma_lock *lock);
	void (*lock)(struct dma_host *host, struct dma_lock *lock);
	void (*unlock)(struct dma_host *host, struct dma_lock *lock);
	/** Current CPU, a hint that may be stale, below cpu_count. Default: 0 of 1. */
	unsigned int (*cpu_id)(struct dma_host *host);
	unsigned int cpu_count;
	/** Call @fn(@arg) once, @ns nanoseconds from now (not earlier), outside of any library call, and before
	 *  dma_host_fini() or never. Default: dma_poll() does it. */
	void (*defer)(struct dma_host *host, void (*fn)(void *arg), void *arg, uint64_t ns);
	/** Monotonic time in nanoseconds. Default: time stands still. */
	uint64_t (*time_ns)(struct dma_host *host);
	/** May the caller sleep? Default: no. */
	bool (*may_block)(struct dma_host *host);
	/** Are interrupts off? Default: no. */
	bool (*interrupts_off)(struct dma_host *host);

	/* --- platform policy, optional --------------------------------------------------------------------------- */

	/**
	 * May a device with a method table map directly? Asked with the end (address + size) of the physical range on
	 * map, of the DMA range on unmap and sync. Never asked for MMIO unless arch_direct_mmio. Map and unmap come in
	 * pairs. Default: no.
	 */
	bool (*arch_map_direct)(struct dma_host *host, struct dma_device *dev, phys_addr_t end);
	bool (*arch_unmap_direct)(struct dma_host *host, struct dma_device *dev, dma_addr_t end);
	bool (*arch_map_sg_direct)(struct dma_host *host, struct dma_device *dev,
				   struct scatterlist *sg, int nents);
	bool (*arch_unmap_sg_direct)(struct dma_host *host, struct dma_device *dev,
				     struct scatterlist *sg, int nents);
	/** Opt-in: ask the two single predicates for MMIO too, on map and on unmap. */
	bool arch_direct_mmio;
	/** Method table of devices that have none of their own. NULL: none. */
	const struct dma_map_ops *default_ops;
	/** Told of every mask that dma_set_mask() accepted. */
	void (*mask_set)(struct dma_host *host, struct dma_device *dev, uint64_t mask);
	/** Bounce pool of devices that have none of their own. NULL: none. May be set after dma_host_init(). */
	struct dma_bounce *default_bounce;
	/** Every mapping of every device bounces. */
	bool force_bounce;
	/** Untrusted devices may map FROM_DEVICE where the IOMMU's entries cannot deny reads, and so read what was in the
	 *  buffer. Default: refused (read-back). */
	bool untrusted_may_read_back;
	/** The PCI topology, for peer-to-peer; set by dma_pci_attach() only. NULL: peers cannot reach each other. */
	struct dma_pci_topology *pci;

	/* --- observation, optional -------------------------------------------------------------------------------- */

	/** RAM was mapped successfully; never called for MMIO. No lock is held. */
	void (*sanitize)(struct dma_host *host, enum dma_sanitize_event event, phys_addr_t phys,
			 uint64_t size, enum dma_data_direction dir);
	/** Trace sink: one call for every event. No lock is held. */
	void (*trace)(struct dma_host *host, const struct dma_event *event);
	/** Return address to name in reports. Default: 0. */
	uintptr_t (*call_site)(struct dma_host *host);
	/** Copy memory between a buffer and a bounce slot. Default: memcpy(). */
	void (*copy)(struct dma_host *host, void *dst, const void *src, size_t size);
	/**
	 * Many page-table entries at once. write: @first, @first + @step and so on to @n @entries, whatever is in them;
	 * both 0 to clear. Each is written once and whole: hardware reads at any time. scan: how many of @n @entries
	 * come before the first that is 0, if @used, or that is not, if not. Default: a loop. dma_accel_init()
	 * (dmamap/accel.h) sets both where the host may use vector registers.
	 */
	void (*pte_write)(struct dma_host *host, uint64_t *entries, size_t n, uint64_t first,
			  uint64_t step);
	size_t (*pte_scan)(struct dma_host *host, const uint64_t *entries, size_t n, bool used);
	/** One line of text, no newline. Default: dropped. */
	void (*log)(struct dma_host *host, enum dma_log_level level, const char *text);
	/** A bug of the caller was survived: text as for log(). Default: log(ERROR). */
	void (*warn)(struct dma_host *host, const char *text);
	/** A bug of the caller that Linux stops for. May not return; if it does, the call fails. Default: warn(). */
	void (*fatal)(struct dma_host *host, const char *text);

	/* --- the library's own --------------------------------------------------------------------------------- */

	uint64_t opaque[80];
};

/**
 * dma_host_init() - check and prepare a host.
 * @host: filled in by the port; zero what is not used
 *
 * Call once, before any object is created on @host. Members may not change afterwards, except default_bounce and
 * force_bounce, and those only before devices are initialised.
 *
 * Return: 0; -EINVAL if size is wrong, a required member or one half of a pair is missing, or the page size is
 * impossible (log() is told which).
 */
int dmamap_host_init(struct dma_host *host);

/**
 * dma_host_fini() - end the use of a host.
 *
 * Return: 0; -EBUSY if devices, domains or pools still live, and then nothing happened.
 */
int dmamap_host_fini(struct dma_host *host);

/**
 * dma_poll() - do deferred work that is due (flush queues), for hosts without defer(). Maps do so too, cheaply.
 * Any context that may map.
 */
void dmamap_poll(struct dma_host *host);

#ifdef __cplusplus
}
#endif

#endif
