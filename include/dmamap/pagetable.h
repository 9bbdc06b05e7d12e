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

/**
 * Formats. A page size in words below is a leaf; "granule" is the smallest one. Aperture: the I/O addresses from 0 on
 * that a table of that many levels translates.
 */
enum dma_pt_format {
	/** Intel VT-d second stage: 3 to 5 levels (39, 48, 57 bits); 4 KiB, 2 MiB, 1 GiB. */
	DMA_PT_VTD_SECOND_STAGE,
	/**
	 * x86-64, which is VT-d first stage and AMD v2: 4 or 5 levels; 4 KiB, 2 MiB, 1 GiB. Hardware wants canonical
	 * addresses; the lower half is what is offered (47, 56 bits).
	 */
	DMA_PT_VTD_FIRST_STAGE,
	/**
	 * AMD v1: 3 to 6 levels (39, 48, 57, 64 bits; the number is the Mode of a device table entry); every power of two
	 * from 4 KiB to 2^51 but 2^39, as far as the levels reach. The top table of six levels takes no leaf.
	 */
	DMA_PT_AMD_V1,
	/**
	 * ARM LPAE (VMSAv8-64), stage 1 and stage 2, with granules of 4, 16 and 64 KiB. Levels follow from
	 * config->input_bits: ceil((input_bits - granule_bits) / (granule_bits - 3)); walks begin at the architecture's
	 * level 4 - levels, TxSZ is 64 - input_bits. Where the first table of a stage 2 would have 16 entries or fewer,
	 * there is one level less, and as many tables one after another for a root (concatenation), aligned to what they
	 * are together. A smaller first table lies at the beginning of a granule. Blocks: 2 MiB and 1 GiB; 32 MiB; 512 MiB.
	 * With the contiguous hint: 64 KiB, 32 MiB, 16 GiB; 2 MiB, 1 GiB; 2 MiB, 16 GiB. Stage 1 reads its memory types
	 * from DMA_PT_LPAE_MAIR.
	 */
	DMA_PT_LPAE_STAGE1,
	DMA_PT_LPAE_STAGE2,
	/**
	 * RISC-V Sv39, Sv48, Sv57: 3 to 5 levels; 4 KiB, 2 MiB, 1 GiB, 512 GiB, 256 TiB as far as the levels reach, and
	 * 64 KiB with Svnapot. Only the lower half of the addresses (38, 47, 56 bits), as for x86-64.
	 */
	DMA_PT_RISCV,
};

/** Memory types that stage-1 leaves name: 0 non-cacheable, 1 write-back, 2 device, 3 inner non-cacheable. */
#define DMA_PT_LPAE_MAIR 0x00000000f404ff44ull

struct dma_iommu_unit;

/** What one unit can do, for domains that several units share. 0: no less than any domain wants. */
struct dma_unit_caps {
	/** Formats of tables: bit n set, enum dma_pt_format n. */
	unsigned int formats;
	/** Bits of a physical address. */
	unsigned int output_bits;
	/** Bits of an I/O address. */
	unsigned int input_bits;
	/** Leaves: bit n set, 2^n bytes. */
	uint64_t page_sizes;
	/** Tables are read from memory only: the CPU's caches do not count. */
	bool incoherent_walk;
	/** New entries are seen only when mapped() has told of them. */
	bool map_side_work;
};

/** What an IOMMU unit does for a page-table domain. */
struct dma_iommu_unit_ops {
	/** sizeof(struct dma_iommu_unit_ops). */
	size_t size;
	/**
	 * Translate @dev's requests with the table at @root from now on; -errno refuses. @levels are those of the table:
	 * for LPAE those that follow from input_bits, concatenation considered.
	 */
	int (*attach)(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int domain_id,
		      phys_addr_t root, unsigned int levels);
	/** Block @dev's requests, and forget what was cached for it. */
	void (*detach)(struct dma_iommu_unit *unit, struct dma_device *dev);
	/** Start dropping cached translations of a domain; @len all ones: all. @leaf_only: tables did not change. */
	void (*invalidate)(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
			   uint64_t len, bool leaf_only);
	/** Return when all that was started has finished. */
	void (*wait)(struct dma_iommu_unit *unit);
	/**
	 * New entries of the range have been written: make the hardware see them, before the address is handed out (caching
	 * mode, write buffers). -EIO: it does not answer. NULL: it sees them.
	 */
	int (*mapped)(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
		      uint64_t len);
	/** The domain's table is gone; no device was attached. The number may be used again. NULL: nobody cares. */
	void (*domain_gone)(struct dma_iommu_unit *unit, unsigned int domain_id);
	/**
	 * A domain that was made for another unit gets its first device here: *@domain_id is the number by which this unit
	 * is to know it, from now on until domain_gone(). -errno refuses. NULL: the number that the domain has.
	 */
	int (*domain_new)(struct dma_iommu_unit *unit, unsigned int *domain_id);
	/**
	 * Start dropping what attached devices have cached themselves (ATS). Called when the unit's own invalidation has
	 * been waited for, so that no device can fetch the old translation again; wait() follows. NULL: they cache nothing.
	 */
	void (*invalidate_device_tlb)(struct dma_iommu_unit *unit, unsigned int domain_id,
				      dma_addr_t iova, uint64_t len);
	/** What the unit can do for @dev; *@caps is all 0. NULL: all that a domain wants. */
	void (*get_caps)(struct dma_iommu_unit *unit, struct dma_device *dev,
			 struct dma_unit_caps *caps);
	/** Region @index of the I/O addresses that are not @dev's to use; false behind the last. NULL: there are none. */
	bool (*reserved)(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int index,
			 struct dma_reserved_region *region);
	/** Let @dev's requests pass as they are, until detach(). -errno refuses. NULL: the unit cannot. */
	int (*attach_identity)(struct dma_iommu_unit *unit, struct dma_device *dev);
};

/** The common head of every unit. */
struct dma_iommu_unit {
	const struct dma_iommu_unit_ops *ops;
};

struct dma_pt_config {
	/** sizeof(struct dma_pt_config). */
	size_t size;
	enum dma_pt_format format;
	/** Levels of the table, as the format says. LPAE: 0, or what follows from input_bits. */
	unsigned int levels;
	/** LPAE: bits of an I/O address, 32 to 48. Other formats: 0. */
	unsigned int input_bits;
	/** log2 of the smallest page. 0: 12. LPAE: 12, 14 or 16. Other formats: 12. */
	unsigned int granule_bits;
	/** Bits of a physical address the hardware accepts: 32 to 52; LPAE with 4 and 16 KiB: to 48. */
	unsigned int output_bits;
	/** Larger leaves the hardware has: bit n set, 2^n bytes. The granule is implied. */
	uint64_t page_sizes;
	/**
	 * Make every access to RAM snoop, by the leaf's own bit: VT-d second stage (SNP), AMD v1 (FC). Other formats say it
	 * elsewhere: -EINVAL.
	 */
	bool force_coherent;
	/** The hardware snoops CPU caches when it walks; otherwise every written line is cleaned first. */
	bool coherent_walk;
	/**
	 * The hardware marks what was written (VT-d: SLADE or first stage; AMD: HAD; LPAE: HD; RISC-V: SADE), and leaves
	 * begin clean; read_dirty() works. Needs coherent_walk. LPAE leaves begin dirty.
	 */
	bool track_dirty;
	/** RISC-V: leaves carry memory types (Svpbmt). Other formats: false. */
	bool memory_types;
	/**
	 * The unit of devices that were not told theirs (dma_device_set_unit()); NULL: such devices stand behind none. Stays
	 * the caller's.
	 */
	struct dma_iommu_unit *unit;
	/** The number by which the unit knows this domain; others are asked for theirs (domain_new). */
	unsigned int domain_id;
};

/**
 * dma_pt_backend_create() - make a page-table backend with an empty table.
 * @host:    gives the table pages
 * @config:  the format and the hardware's limits
 * @backend: receives it, for dma_domain_create()
 *
 * What a format cannot express, and what it does then, is in docs/semantics.md, "Page-table formats"; caps.write_only
 * says whether a leaf can be written but not read.
 *
 * Return: 0; -EINVAL (NULL pointers, sizes, widths, an option that the format has not); -EOPNOTSUPP (levels, granule or
 * format); -ENOMEM.
 */
int dmamap_pt_backend_create(struct dma_host *host, const struct dma_pt_config *config,
			     struct dma_backend **backend);

/**
 * dma_identity_backend_create() - make the backend of an identity domain (Linux: passthrough).
 * @host:    gives its memory
 * @unit:    of devices that were not told theirs; NULL: such devices stand behind none, and are refused
 * @backend: receives it, for dma_domain_create()
 *
 * Devices of the domain are not translated, and take the direct route: masks, windows, bouncing and the rules for MMIO are
 * that route's (docs/semantics.md, "Identity domains").
 *
 * Return: 0, -EINVAL (NULL pointers) or -ENOMEM.
 */
int dmamap_identity_backend_create(struct dma_host *host, struct dma_iommu_unit *unit,
				   struct dma_backend **backend);

#ifdef __cplusplus
}
#endif

#endif
