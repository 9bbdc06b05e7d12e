/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices: what a device can reach, how it gets there, and the route that follows from it.
 *
 * struct dma_device is embedded in the driver's or bus's own structure. Properties are changed only by the setters
 * below; each recomputes the cached route, so that a map call decides nothing anew. A change that would alter the
 * route, or cut off addresses in use, returns -EBUSY (live-mappings) while mappings live; growing a mask does so only
 * where it would change the route (a bypass that opens).
 *
 * Setters run in process context before DMA starts; they are not serialised against running DMA of the same device.
 */
#ifndef DMAMAP_DEVICE_H
#define DMAMAP_DEVICE_H

#include <dmamap/reason.h>
#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_host;
struct dma_map_ops;
struct dma_bounce;

/** Bits of dma_device.flags, read by the inline calls of mapping.h. */
#define DMAMAP_DEV_SLOW_MAP   1u  /* maps take the full path */
#define DMAMAP_DEV_SLOW_UNMAP 2u  /* unmaps have something to do */
#define DMAMAP_DEV_SLOW_SYNC  4u  /* syncs have something to do */
#define DMAMAP_DEV_OBSERVED   8u  /* somebody wants to see every call */
#define DMAMAP_DEV_LONG	      16u /* single maps and unmaps have no short way behind an IOMMU */

/**
 * The first cache line is fixed for ever: inline code reads it. Everything behind it is the library's.
 *
 * A map is inline when base <= phys and the last byte is at most base + span; the result is phys + offset (mod 2^64).
 */
struct dma_device {
	uint64_t base;
	uint64_t span;
	uint64_t offset;
	uint32_t flags;
	uint32_t observers;
	uint64_t line_reserve[4];
	uint64_t opaque[88];
};

/** A window of the bus: device addresses [dma, dma + size) are CPU addresses [cpu, cpu + size). */
struct dma_range {
	phys_addr_t cpu;
	dma_addr_t dma;
	uint64_t size;
};

/** Limits on segments; 0 means the default: 65536, no boundary, no alignment to keep. */
struct dma_parms {
	unsigned int max_segment_size;
	uint64_t segment_boundary_mask;
	unsigned int min_align_mask;
};

/** Where the streaming mask lives. */
enum dma_mask_storage {
	/** The device's own word (the default; 32 bits at first, as for PCI and platform devices). */
	DMA_MASK_OWN,
	/** The same word as the coherent mask. */
	DMA_MASK_SHARED,
	/** Nowhere: the device is not set up for DMA, and every map is refused. */
	DMA_MASK_NONE,
};

/**
 * dma_device_init() - prepare a device.
 * @dev:  embedded in the caller's structure, zero or not
 * @size: sizeof(struct dma_device), so that the library knows the caller's layout
 * @host: must outlive the device
 *
 * Afterwards: 32-bit masks, no limit, identity, no parms, coherent if the host has no cache hooks, the host's
 * method table and bounce pool if it has any, trusted, not PCI, named "".
 *
 * Return: 0; -EINVAL for NULL, an uninitialised host, another layout, or a bad default method table of the host.
 */
int dmamap_device_init(struct dma_device *dev, size_t size, struct dma_host *host);

/**
 * dma_device_fini() - end it. The domain, if any, is detached.
 * Return: 0; -EBUSY while counted mappings live (bounced, IOMMU, method tables), and then nothing happened.
 */
int dmamap_device_fini(struct dma_device *dev);

/**
 * dma_device_quiesce() - state that the device has no live mapping at all.
 *
 * A direct mapping holds nothing and is not counted, so the first one seals the device's route. After its driver has
 * unmapped everything, this breaks the seal and setters work again.
 *
 * Return: 0; -EBUSY (live-mappings) if a counted mapping lives.
 */
int dmamap_device_quiesce(struct dma_device *dev);

/** Mappings that hold something (slot, I/O address, method) and live now. */
uint64_t dmamap_device_live(struct dma_device *dev);

/** The name in traces; the string stays the caller's and must outlive the device. NULL: "". */
void dmamap_device_set_name(struct dma_device *dev, const char *name);
const char *dmamap_device_name(const struct dma_device *dev);

/** A pointer for the owner's use, e.g. by method tables. */
void dmamap_device_set_data(struct dma_device *dev, void *data);
void *dmamap_device_data(const struct dma_device *dev);

struct dma_host *dmamap_device_host(const struct dma_device *dev);

/** The route that streaming calls take; ARCH is decided per address and never returned. NONE without a mask. */
enum dma_route dmamap_device_route(const struct dma_device *dev);

/** Setters: 0, or -EBUSY (live-mappings). */
int dmamap_device_set_mask_storage(struct dma_device *dev, enum dma_mask_storage storage);
/** Highest DMA address the bus accepts; 0: no limit. */
int dmamap_device_set_bus_limit(struct dma_device *dev, dma_addr_t limit);
/** Windows, ended by one of size 0; first match counts. NULL: identity. Stays the caller's. -EINVAL: one wraps. */
int dmamap_device_set_range_map(struct dma_device *dev, const struct dma_range *map);
/**
 * dma_device_set_offset() - one window, kept in the device: [@cpu, @cpu + @size) is seen at @dma. Also known as
 * dma_direct_set_offset().
 * Return: 0, also if @cpu equals @dma, and then nothing is stored; -EINVAL if there is a range map already, @size is 0 or
 * the window wraps; -EBUSY (live-mappings).
 */
int dmamap_device_set_offset(struct dma_device *dev, phys_addr_t cpu, dma_addr_t dma,
			     uint64_t size);
/** Does the device snoop CPU caches? Always true on hosts without cache hooks. */
int dmamap_device_set_coherent(struct dma_device *dev, bool coherent);
/** Method table; NULL: none, not even the host's. -EINVAL: bad-methods, or ops-and-iommu. */
int dmamap_device_set_ops(struct dma_device *dev, const struct dma_map_ops *ops);
/** Direct in spite of the table, as long as the mask covers all RAM. */
int dmamap_device_set_ops_bypass(struct dma_device *dev, bool bypass);
/** Bounce pool; NULL: none. -EINVAL (bad-argument): it belongs to another host. */
int dmamap_device_set_bounce(struct dma_device *dev, struct dma_bounce *pool);
/** Bounce every RAM mapping, refuse MMIO. */
int dmamap_device_set_force_bounce(struct dma_device *dev, bool force);
/** Untrusted: sub-page buffers bounce behind an IOMMU, invalidation is strict. */
int dmamap_device_set_untrusted(struct dma_device *dev, bool untrusted);
/**
 * Attach the device to its domain's hardware with its first mapping, not before: for devices that still run for a kernel
 * that crashed, and would only fault. -EBUSY (live-mappings) while it is in a domain.
 */
int dmamap_device_set_deferred_attach(struct dma_device *dev, bool deferred);
/** PCI devices first look for I/O addresses below 4 GiB, unless @forcedac. */
int dmamap_device_set_pci(struct dma_device *dev, bool pci, bool forcedac);
/** Segment limits; NULL: none, and then dma_set_max_seg_size() and its like refuse. Stays the caller's. */
void dmamap_device_set_parms(struct dma_device *dev, struct dma_parms *parms);
/** Is the device coherent? */
bool dmamap_device_is_coherent(const struct dma_device *dev);

/* Masks: docs/semantics.md, "Masks". */

/** The streaming mask, 32 bits if there is none or it is 0. */
uint64_t dmamap_get_mask(const struct dma_device *dev);
uint64_t dmamap_get_coherent_mask(const struct dma_device *dev);

/**
 * dma_set_mask() - declare which addresses the device can emit when it streams.
 *
 * This is where a mask, a bus limit and windows that leave nothing to reach are found out; their setters do not look.
 *
 * Return: 0; -EIO if the device has no mask storage (no-mask) or nothing could be reached with @mask (mask-unsupported,
 * mask-misses-window, limit-misses-window, no-ram-in-window), and nothing changed; -EBUSY if mappings live and @mask is smaller or changes the route.
 */
int dmamap_set_mask(struct dma_device *dev, uint64_t mask);

/** dma_set_coherent_mask() - the same for dma_alloc_attrs(); needs no mask storage. */
int dmamap_set_coherent_mask(struct dma_device *dev, uint64_t mask);

/** dma_set_mask_and_coherent() - dma_set_mask(), then, if that succeeded, dma_set_coherent_mask(). */
int dmamap_set_mask_and_coherent(struct dma_device *dev, uint64_t mask);

/** dma_coerce_mask_and_coherent() - share the coherent mask's storage first, whatever was there before. */
int dmamap_coerce_mask_and_coherent(struct dma_device *dev, uint64_t mask);

/* Segment limits. Setters without parms: one warning a device and function, -EIO, nothing stored. */

unsigned int dmamap_get_max_seg_size(const struct dma_device *dev);
uint64_t dmamap_get_seg_boundary(const struct dma_device *dev);
/** (boundary >> @shift) + 1; a NULL device has a 32-bit boundary. */
uint64_t dmamap_get_seg_boundary_nr_pages(const struct dma_device *dev, unsigned int shift);
unsigned int dmamap_get_min_align_mask(const struct dma_device *dev);
int dmamap_set_max_seg_size(struct dma_device *dev, unsigned int size);
int dmamap_set_seg_boundary(struct dma_device *dev, uint64_t mask);
int dmamap_set_min_align_mask(struct dma_device *dev, unsigned int mask);

/** Minimum alignment, in bytes, of a buffer that shares no cache line with other data. At least 1. */
unsigned int dmamap_get_cache_alignment(const struct dma_device *dev);

/* Capabilities: docs/semantics.md, "Capability queries". */

/** Could a device with @mask do DMA here? -- what dma_set_mask() asks. */
bool dmamap_supported(struct dma_device *dev, uint64_t mask);
/** The smallest mask with which no mapping of RAM needs help; all ones if some RAM lies outside of every window. */
uint64_t dmamap_get_required_mask(struct dma_device *dev);
/** Is there RAM that the device cannot reach without help? */
bool dmamap_addressing_limited(struct dma_device *dev);
/** Largest single mapping that can succeed; SIZE_MAX: no limit; 0 without a mask. */
size_t dmamap_max_mapping_size(struct dma_device *dev);
/** Largest single mapping that is fast. */
size_t dmamap_opt_mapping_size(struct dma_device *dev);
/** Segments that meet on this boundary (a mask) may be merged; 0: never. */
uint64_t dmamap_get_merge_boundary(struct dma_device *dev);
/** Must this live mapping be synced? */
bool dmamap_need_sync(struct dma_device *dev, dma_addr_t addr);
/** Must mappings be unmapped? Ask after the last map of an I/O: the first bounce changes the answer. */
bool dmamap_need_unmap(struct dma_device *dev);
/** May lists hold peers' memory? False with a method table, even if bypassed. */
bool dmamap_pci_p2pdma_supported(struct dma_device *dev);

#ifdef __cplusplus
}
#endif

#endif
