/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-table domains: the backend that writes I/O page tables in a hardware's real bit format.
 *
 * One radix walker serves every format. The tables live in host pages; the hardware unit is told where the root is,
 * and is asked to drop what it caches.
 */
#ifndef DMAMAP_PAGETABLE_H
#define DMAMAP_PAGETABLE_H

#include <dmamap/domain.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Formats. */
enum dma_pt_format {
	/** Intel VT-d second stage: 3, 4 or 5 levels; leaves of 4 KiB, 2 MiB, 1 GiB. */
	DMA_PT_VTD_SECOND_STAGE,
};

struct dma_iommu_unit;

/** What an IOMMU unit does for a page-table domain. */
struct dma_iommu_unit_ops {
	/** sizeof(struct dma_iommu_unit_ops). */
	size_t size;
	/** Translate @dev's requests with the table at @root from now on; -errno refuses. */
	int (*attach)(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int domain_id,
		      phys_addr_t root, unsigned int levels);
	/** Block @dev's requests, and forget what was cached for it. */
	void (*detach)(struct dma_iommu_unit *unit, struct dma_device *dev);
	/** Start dropping cached translations of a domain; @len all ones: all. @leaf_only: tables did not change. */
	void (*invalidate)(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
			   uint64_t len, bool leaf_only);
	/** Return when all that was started has finished. */
	void (*wait)(struct dma_iommu_unit *unit);
};

/** The common head of every unit. */
struct dma_iommu_unit {
	const struct dma_iommu_unit_ops *ops;
};

struct dma_pt_config {
	/** sizeof(struct dma_pt_config). */
	size_t size;
	enum dma_pt_format format;
	/** Levels of the table: 3 (39 bits of I/O address), 4 (48) or 5 (57). */
	unsigned int levels;
	/** Bits of a physical address the hardware accepts: 32 to 52. */
	unsigned int output_bits;
	/** Large leaves the hardware has: bits 21 and 30. Bit 12 is implied. */
	uint64_t page_sizes;
	/** Set the format's snoop bit in every leaf of RAM. */
	bool force_coherent;
	/** The hardware snoops CPU caches when it walks; otherwise every written line is cleaned first. */
	bool coherent_walk;
	/** The unit, and the number by which it knows this domain. Stays the caller's. */
	struct dma_iommu_unit *unit;
	unsigned int domain_id;
};

/**
 * dma_pt_backend_create() - make a page-table backend with an empty table.
 * @host:    gives the table pages
 * @config:  the format and the hardware's limits
 * @backend: receives it, for dma_domain_create()
 *
 * Return: 0; -EINVAL (NULL pointers, sizes, output width); -EOPNOTSUPP (levels or format); -ENOMEM.
 */
int dmamap_pt_backend_create(struct dma_host *host, const struct dma_pt_config *config,
			     struct dma_backend **backend);

#ifdef __cplusplus
}
#endif

#endif
