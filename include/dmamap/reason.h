/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a call failed.
 *
 * DMA_MAPPING_ERROR and -errno say that something failed; the record kept here says what, where, with which figures,
 * and what would help. Every failure of every public call leaves one; success never touches it. The names are the
 * ones that the trace and the command print (docs/semantics.md, "Reasons").
 */
#ifndef DMAMAP_REASON_H
#define DMAMAP_REASON_H

#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_device;

/**
 * The list of reasons: X(symbol, "name", "what happened", "what would help").
 * One list, so that the enumeration, the names and the documentation cannot drift apart.
 */
#define DMA_REASONS(X)                                                                               \
	X(NONE, "none", "no failure is recorded", "nothing to do")                                   \
	X(BAD_ARGUMENT, "bad-argument", "an argument is NULL or malformed",                          \
	  "pass what the call's comment asks for")                                                   \
	X(BAD_DIRECTION, "bad-direction",                                                            \
	  "the direction is not TO_DEVICE, FROM_DEVICE or BIDIRECTIONAL",                            \
	  "pass one of the three valid directions")                                                  \
	X(ZERO_SIZE, "zero-size", "the size is 0", "map at least one byte")                          \
	X(ADDRESS_WRAP, "address-wrap", "address + size passes 2^64",                                \
	  "check the size computation of the caller")                                                \
	X(NO_MASK, "no-mask", "the device has no streaming DMA mask",                                \
	  "give the device a mask pointer before mapping")                                           \
	X(MASK_UNSUPPORTED, "mask-unsupported", "no memory could be reached with that mask",         \
	  "use a wider mask")                                                                        \
	X(BEYOND_MASK, "beyond-mask",                                                                \
	  "the address is beyond the device's DMA mask and cannot be bounced",                       \
	  "widen the mask, attach a bounce pool, or allocate lower memory")                          \
	X(BEYOND_BUS_LIMIT, "beyond-bus-limit",                                                      \
	  "the address is beyond the bus's limit and cannot be bounced",                             \
	  "attach a bounce pool or allocate memory below the limit")                                 \
	X(OUTSIDE_RANGE_MAP, "outside-range-map",                                                    \
	  "no window of the bus (dma-ranges) covers the address",                                    \
	  "use memory inside a window, or correct the range map")                                    \
	X(MMIO_CANNOT_BOUNCE, "mmio-cannot-bounce",                                                  \
	  "the device must bounce every mapping, and MMIO is never bounced",                         \
	  "lift forced bouncing for this device, or do not give it MMIO")                            \
	X(COHERENT_CANNOT_BOUNCE, "coherent-cannot-bounce",                                          \
	  "REQUIRE_COHERENT forbids the bounce this mapping needs",                                  \
	  "drop REQUIRE_COHERENT or use memory that the device reaches")                             \
	X(NOT_COHERENT, "not-coherent", "REQUIRE_COHERENT on a device that does not snoop caches",   \
	  "drop REQUIRE_COHERENT and sync")                                                          \
	X(CC_SHARED, "cc-shared", "CC_SHARED memory on a route that cannot use shared addresses",    \
	  "use the direct route for shared memory")                                                  \
	X(NEEDS_SHARED, "needs-shared",                                                              \
	  "the device reaches only shared memory and this mapping cannot bounce",                    \
	  "attach a shared bounce pool")                                                             \
	X(NO_BOUNCE_POOL, "no-bounce-pool",                                                          \
	  "the mapping must bounce and the device has no bounce pool",                               \
	  "give the host or the device a bounce pool")                                               \
	X(BOUNCE_EXHAUSTED, "bounce-exhausted", "the bounce pool has too few free slots",            \
	  "enlarge the pool or unmap earlier")                                                       \
	X(BOUNCE_FRAGMENTED, "bounce-fragmented",                                                    \
	  "enough slots are free, but no run of them is long enough",                                \
	  "enlarge the pool or map smaller pieces")                                                  \
	X(BOUNCE_TOO_LARGE, "bounce-too-large",                                                      \
	  "the request is larger than any run the pool can ever have",                               \
	  "map smaller pieces or configure larger segments; enlarging the pool alone does not help") \
	X(BOUNCE_UNREACHABLE, "bounce-unreachable",                                                  \
	  "the device cannot reach the bounce pool itself",                                          \
	  "give the device a pool below its mask and inside its window")                             \
	X(NOT_BOUNCED, "not-bounced", "the address is in the pool, but no mapping lives there",      \
	  "unmap and sync only live mappings, once")                                                 \
	X(NOT_KMAPPABLE, "not-kmappable", "the memory has no CPU address and this path needs one",   \
	  "use memory with a linear address, or a route that does not touch it")                     \
	X(NOT_LINEAR, "not-linear",                                                                  \
	  "the pointer is not in the linear map (stack, vmalloc or module memory)",                  \
	  "allocate the buffer from the page allocator")                                             \
	X(NO_METHOD, "no-method", "the device's method table has no method for this memory",         \
	  "add map_phys, or map_page for RAM and map_resource for MMIO")                             \
	X(METHOD_FAILED, "method-failed", "the device's own mapping method refused",                 \
	  "see the provider of the table")                                                           \
	X(BAD_METHODS, "bad-methods",                                                                \
	  "the method table pairs an unmap with no map, or with one of another family",              \
	  "give each unmap method the map method of its family")                                     \
	X(OPS_AND_IOMMU, "ops-and-iommu",                                                            \
	  "the device has both a method table and an IOMMU domain", "remove one of the two")         \
	X(NO_IOVA, "no-iova", "no free run of I/O addresses within mask, limit and aperture",        \
	  "unmap earlier, widen the mask, or map smaller pieces")                                    \
	X(NO_MEMORY, "no-memory", "the host gave no memory",                                         \
	  "free memory, or retry where blocking is allowed")                                         \
	X(ALIGNMENT, "alignment",                                                                    \
	  "the device's minimum alignment is larger than the IOMMU's page",                          \
	  "lower the device's min_align_mask")                                                       \
	X(ALREADY_MAPPED, "already-mapped", "the I/O address is in use",                             \
	  "report a bug: the address space disagrees")                                               \
	X(NOT_MAPPED, "not-mapped", "the I/O address is not mapped",                                 \
	  "unmap and sync only live mappings, once")                                                 \
	X(NO_IOMMU, "no-iommu", "the device's mappings do not go through an IOMMU domain",           \
	  "map piece by piece with dma_map_phys()")                                                  \
	X(IOVA_STATE, "iova-state", "the state holds no I/O addresses of this device",               \
	  "dma_iova_try_alloc() first; free or destroy once")                                        \
	X(IOVA_RANGE, "iova-range", "the bytes lie outside of the I/O addresses that were taken",    \
	  "take as many as will be linked")                                                          \
	X(LINK_ALIGNMENT, "link-alignment",                                                          \
	  "a piece begins or ends inside of a granule where none may",                               \
	  "only the first piece may begin inside of one, and only the last may end there")           \
	X(MMIO_ALIGNMENT, "mmio-alignment",                                                          \
	  "MMIO that does not fill its granules would show an untrusted device what lies beside it", \
	  "map whole granules")                                                                      \
	X(READ_BACK, "read-back",                                                                    \
	  "the IOMMU cannot deny reads, so an untrusted device could read what it is to overwrite",  \
	  "map BIDIRECTIONAL what it may read, use another format, or let the host allow it")        \
	X(OUTPUT_WIDTH, "output-width", "the physical address is wider than the IOMMU's output",     \
	  "use lower memory for this device")                                                        \
	X(NO_ENTRIES, "no-entries", "the IOMMU holds as many mappings as it can",                    \
	  "unmap earlier, or map larger pieces")                                                     \
	X(APERTURE, "aperture", "the IOMMU's aperture and the device's window do not meet",          \
	  "correct the device's window or use another domain")                                       \
	X(BAD_LIST, "bad-list", "the scatterlist is empty, too short, or its lengths do not fit",    \
	  "check nents and the length of each element")                                              \
	X(P2P_REFUSED, "p2p-refused",                                                                \
	  "an element of the list is a peer's memory that this device may not reach",                \
	  "map it by physical address with DMA_ATTR_MMIO")                                           \
	X(LIVE_MAPPINGS, "live-mappings", "the change would break mappings that still live",         \
	  "unmap everything, then call dma_device_quiesce()")                                        \
	X(BAD_FLAGS, "bad-flags", "the allocation flags are not allowed here",                       \
	  "drop COMP and internal attributes")                                                       \
	X(NO_UNCACHED, "no-uncached",                                                                \
	  "the host cannot give uncached memory to a non-coherent device",                           \
	  "provide the host's uncached hook")                                                        \
	X(UNTRUSTED, "untrusted", "an untrusted device may not have that",                           \
	  "put it into a strict domain that translates")                                             \
	X(DECLARED_EXHAUSTED, "declared-exhausted",                                                  \
	  "the memory declared for the device has no free region of that size",                      \
	  "declare more, or free earlier; nothing else is ever given to this device")                \
	X(ALREADY_DECLARED, "already-declared", "the device has declared memory",                    \
	  "release it first, or declare one larger range")                                           \
	X(ATOMIC_EXHAUSTED, "atomic-exhausted",                                                      \
	  "the caller may not block, and the host's atomic pools have no free run of that size",     \
	  "enlarge the pool or its low water mark, call dma_poll(), or allow blocking")              \
	X(CONVERSION_FAILED, "conversion-failed",                                                    \
	  "the host could not share the pages or take them back; they are never used again",         \
	  "see the host's set_shared hook")                                                          \
	X(NOT_ALLOCATED, "not-allocated",                                                            \
	  "the address and the handle do not name memory that is allocated",                         \
	  "free with exactly what the allocation returned, once")                                    \
	X(NOT_MANAGED, "not-managed", "the memory was not allocated by a managed call",              \
	  "free it with the call of its own family")                                                 \
	X(NOT_CONTIGUOUS, "not-contiguous",                                                          \
	  "the memory lies in pieces and the host cannot show them as one",                          \
	  "use the pieces one by one, or provide the host's map_pages hook")                         \
	X(POOL_LEAK, "pool-leak", "blocks of the pool are still in use",                             \
	  "free every block before the pool ends")                                                   \
	X(POOL_CORRUPTED, "pool-corrupted", "a free block of the pool was written",                  \
	  "look for a use after free, by the CPU or by the device")                                  \
	X(MIXED_MEMORY, "mixed-memory",                                                              \
	  "the element of the list is RAM at first and something else further on",                   \
	  "split it where the RAM ends")                                                             \
	X(P2P_NOT_PCI, "p2p-not-pci", "the device is bound to no PCI function of the topology",      \
	  "bind it with dma_pci_bind()")                                                             \
	X(P2P_NO_PROVIDER, "p2p-no-provider",                                                        \
	  "the memory is MMIO, and not wholly in a BAR that its function offers to peers",           \
	  "call dma_p2p_init() for the function that owns it")                                       \
	X(P2P_ACS_REDIRECT, "p2p-acs-redirect",                                                      \
	  "ACS sends peers' traffic up to a host bridge that is not known to forward it",            \
	  "switch it off on the bridges that dma_p2p_query() names, or allow the host bridge")       \
	X(P2P_BRIDGE_NOT_LISTED, "p2p-bridge-not-listed",                                            \
	  "the peers meet at a host bridge that is not known to forward their traffic",              \
	  "allow the host bridge if it does, or put both behind one switch")                         \
	X(P2P_BRIDGES_DIFFER, "p2p-bridges-differ",                                                  \
	  "the peers are below two host bridges, and one forwards within its own root only",         \
	  "put both below one host bridge")                                                          \
	X(P2P_BRIDGE_UNKNOWN, "p2p-bridge-unknown",                                                  \
	  "the host bridge cannot be told: its first function is neither 00.0 nor a root port",      \
	  "put both behind one switch")                                                              \
	X(BOUNCE_FORBIDDEN, "bounce-forbidden",                                                      \
	  "the mapping must bounce and the device's pool forbids it",                                \
	  "use memory that the device reaches, or give it a pool that may bounce")                   \
	X(SMALL_BUFFER, "small-buffer-needs-bounce",                                                 \
	  "the buffer may share cache lines with other data, and the device has no bounce pool",     \
	  "give the host or the device a bounce pool, or map whole cache lines")                     \
	X(MASK_MISSES_WINDOW, "mask-misses-window",                                                  \
	  "the device cannot emit any address at which its bus shows RAM",                           \
	  "use a wider mask, or correct the inbound windows (dma-ranges)")                           \
	X(LIMIT_MISSES_WINDOW, "limit-misses-window",                                                \
	  "the bus's limit lies below every address at which it shows RAM",                          \
	  "correct the limit or the inbound windows (dma-ranges)")                                   \
	X(NO_RAM_IN_WINDOW, "no-ram-in-window", "no window of the bus (dma-ranges) shows RAM",       \
	  "correct the inbound windows; outbound ones, where the CPU sees devices, are others")      \
	X(MAPPED_OTHERWISE, "mapped-otherwise",                                                      \
	  "the I/O address is mapped, but not as one mapping of that beginning and size",            \
	  "unmap exactly what one call mapped")                                                      \
	X(UNITS_DIFFER, "units-differ",                                                              \
	  "the IOMMU in front of the device can do less than its domain has in use",                 \
	  "attach the device first, or configure the domain by what all its units can do")           \
	X(RESERVED_IN_USE, "reserved-in-use",                                                        \
	  "a region that is reserved for the device holds live mappings of the domain",              \
	  "attach the device before others map, or give it a domain of its own")                     \
	X(BACKEND, "backend", "the domain's backend failed", "see err for its error value")

enum dma_reason {
#define DMA_REASON_ENUM(sym, name, what, help) DMA_REASON_##sym,
	DMA_REASONS(DMA_REASON_ENUM)
#undef DMA_REASON_ENUM
		DMA_REASON_COUNT,
};

/**
 * One recorded failure. Fields that do not apply are 0. @err is a negative DMAMAP_E*; @addr is the address that was
 * asked for (physical on map, DMA address on unmap and sync); @mask and @limit are the ones it was compared with;
 * @have is what there was where @size was wanted (free bytes of a pool, bytes of the longest run, …).
 */
struct dma_error {
	const struct dma_device *dev;
	enum dma_reason reason;
	enum dma_route route;
	int err;
	uint64_t addr;
	uint64_t size;
	uint64_t mask;
	uint64_t limit;
	uint64_t have;
};

/** The lower-case hyphenated name of @reason, "unknown" if out of range. Static storage, never NULL. */
const char *dmamap_reason_name(enum dma_reason reason);

/** One clause that says what happened. Static storage, never NULL. */
const char *dmamap_reason_what(enum dma_reason reason);

/** One clause that says what would help. Static storage, never NULL. */
const char *dmamap_reason_help(enum dma_reason reason);

/** "none", "direct", "arch", "iommu" or "ops"; "unknown" if out of range. Static storage. */
const char *dmamap_route_name(enum dma_route route);

/**
 * dma_last_error() - copy the calling context's own latest failure.
 * @dev:  device whose host's context is meant
 * @err:  filled in; reason NONE if this context never failed
 *
 * A context is a thread on hosted ports, a CPU in a kernel; with the lock port all callers of a host share one.
 * Success of later calls does not clear it. Any context; never sleeps.
 *
 * Return: 0, or -EINVAL if a pointer is NULL.
 */
int dmamap_last_error(struct dma_device *dev, struct dma_error *err);

/**
 * dma_device_last_error() - copy the latest failure of any caller on @dev. Otherwise as dma_last_error().
 */
int dmamap_device_last_error(struct dma_device *dev, struct dma_error *err);

/**
 * dma_error_format() - write @err as one line of text: reason, figures, cure. No newline.
 * @err:  the record
 * @buf:  receives at most @size bytes, always terminated if @size > 0; may be NULL if @size is 0
 * @size: bytes in @buf
 *
 * Return: the length of the whole text without the terminator, as snprintf() does.
 */
size_t dmamap_error_format(const struct dma_error *err, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
