/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exposure: which bytes a device can reach, against which bytes were mapped for it (docs/semantics.md, "Exposure").
 *
 * Hardware protects pages, drivers map bytes. What lies between the two is listed here, kind by kind. The tables tell
 * what can be reached, a mapping history (dmamap/history.h) what was asked for.
 */
#ifndef DMAMAP_EXPOSURE_H
#define DMAMAP_EXPOSURE_H

#include <dmamap/history.h>

#ifdef __cplusplus
extern "C" {
#endif

/** X(symbol, name, what) */
#define DMA_EXPOSURES(X)                                                                   \
	X(SLACK, "slack", "beside a mapping, in the same smallest page")                   \
	X(PENDING, "pending", "unmapped, but the invalidation has yet to come")            \
	X(READ, "read", "mapped for writing only, and can be read")                        \
	X(WRITE, "write", "mapped for reading only, and can be written")                   \
	X(OTHER_DEVICE, "other-device", "mapped for another device of the domain")         \
	X(RESERVED, "reserved", "a direct region or a doorbell: mapped, but by no driver") \
	X(UNKNOWN, "unknown", "mapped, but not as the history remembers")                  \
	X(UNGUARDED, "unguarded", "no IOMMU stands in front of the device: all that it can emit")

enum dma_exposure_kind {
#define DMA_EXPOSURE_ENUM(sym, name, what) DMA_EXPOSED_##sym,
	DMA_EXPOSURES(DMA_EXPOSURE_ENUM)
#undef DMA_EXPOSURE_ENUM
		DMA_EXPOSED_COUNT,
};

/** Bytes that can be reached and were not mapped so. */
struct dma_exposure {
	enum dma_exposure_kind kind;
	dma_addr_t dma_addr;
	/** 0: 2^64. */
	uint64_t len;
	/** Where they begin in memory; DMAMAP_PHYS_NONE: not told (PENDING, UNGUARDED). */
	phys_addr_t phys;
	/** What the device may do there: DMA_PROT_READ, DMA_PROT_WRITE. */
	unsigned int prot;
	/** SLACK, READ, WRITE, OTHER_DEVICE: whose mapping it is, or lies beside. Else NULL. */
	struct dma_device *device;
};

struct dma_exposure_totals {
	/** sizeof(struct dma_exposure_totals). */
	size_t size;
	/** Bytes of the live mappings that count. */
	uint64_t mapped;
	/** Bytes that the tables lead to; not what waits for an invalidation. All ones, here and below: 2^64 or one less. */
	uint64_t reachable;
	/** Bytes of each kind, and of all. A byte that can be reached in two wrong ways counts twice. */
	uint64_t bytes[DMA_EXPOSED_COUNT];
	uint64_t exposed;
};

/** Called for each range, in the order of addresses but for PENDING, which come last. No lock is held. */
typedef void (*dma_exposure_fn)(void *arg, const struct dma_exposure *exposure);

/**
 * dma_exposure() - list what can be reached through a domain and was not mapped.
 * @domain:  the domain
 * @dev:     one of its devices: mappings for other devices are exposures then; NULL: they are all one
 * @history: attached since before the first mapping of the domain, and large enough for all that live; what it does not
 *           know is listed as UNKNOWN
 * @fn:      called for each range; NULL: nobody
 * @arg:     handed to @fn
 * @totals:  filled in; NULL: nobody asks
 *
 * A look at one moment only if nobody maps meanwhile. Takes memory for the live mappings that are remembered, some 64
 * bytes each. Process context.
 *
 * Return: 0, also if nothing is exposed; -EINVAL; -ENOMEM; -EOPNOTSUPP: the backend cannot list what it has.
 */
int dmamap_exposure(struct dma_domain *domain, struct dma_device *dev, struct dma_history *history,
		    dma_exposure_fn fn, void *arg, struct dma_exposure_totals *totals);

/**
 * dma_device_exposure() - the same for a device: of its domain, if it has one.
 *
 * A device without a domain, or in an identity domain, reaches all that its mask lets it emit, whatever was mapped: one
 * range, UNGUARDED. Otherwise as dma_exposure().
 */
int dmamap_device_exposure(struct dma_device *dev, struct dma_history *history, dma_exposure_fn fn,
			   void *arg, struct dma_exposure_totals *totals);

/** The lower-case hyphenated name, and one clause; "unknown-kind" if out of range. Static storage. */
const char *dmamap_exposure_name(enum dma_exposure_kind kind);
const char *dmamap_exposure_what(enum dma_exposure_kind kind);

#ifdef __cplusplus
}
#endif

#endif
