/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine with an IOMMU of any format, whose tables the test makes by hand. */
#ifndef TESTS_SIM_HANDMADE_H
#define TESTS_SIM_HANDMADE_H

#include "machine.h"

#define FAR_BASE 0x4000000000ull
#define FAR_SIZE (1ull << 30)

/** A format with all that the walks of these tests need to know of it. */
struct handmade_format {
	const char *name;
	struct sim_iommu_config config; /* without size */
	unsigned int levels;
	/** An entry that leads to the table of @level at @phys. */
	uint64_t (*table)(phys_addr_t phys, unsigned int level);
	/** A read-write leaf of the lowest level at @phys. */
	uint64_t (*page)(phys_addr_t phys);
	/** Bytes of the first table. */
	uint64_t root_bytes;
	/** Bits of an address. */
	unsigned int width;
};

enum {
	FMT_VTD,
	FMT_VTD_3,
	FMT_VTD_5,
	FMT_X86,
	FMT_X86_5,
	FMT_AMD,
	FMT_AMD_3,
	FMT_AMD_6,
	FMT_S1,
	FMT_S1_32, /* the first table has four entries */
	FMT_S1_39,
	FMT_S1_16K,
	FMT_S1_64K,
	FMT_S2,
	FMT_S2_40, /* two first tables */
	FMT_S2_43, /* sixteen */
	FMT_S2_16K,
	FMT_S2_64K,
	FMT_SV39,
	FMT_SV48,
	FMT_SV57,
	NR_FMT,
};

extern const struct handmade_format handmade_formats[NR_FMT];

struct handmade {
	const struct handmade_format *format;
	struct sim_machine *m;
	struct sim_iommu *iommu;
	struct dma_iommu_unit *unit;
	struct sim_device *device;
	phys_addr_t root;
	phys_addr_t buf; /* 256 KiB, aligned to them; granule i is filled with i + 1 */
};

#define HANDMADE_DOMAIN 3u

/** @tweak changes the IOMMU's configuration, or is NULL. The device is attached. */
void handmade_setup(struct handmade *h, unsigned int format,
		    void (*tweak)(struct sim_iommu_config *config));
void handmade_teardown(struct handmade *h);
unsigned int handmade_granule_bits(const struct handmade *h);
/** log2 of what an entry of @level spans; the lowest is 1. */
unsigned int handmade_shift(const struct handmade *h, unsigned int level);
/** The place of the entry for @iova in a table of @level, the tables above made if need be. */
phys_addr_t handmade_place(struct handmade *h, dma_addr_t iova, unsigned int level);
/** Write it. */
void handmade_enter(struct handmade *h, dma_addr_t iova, unsigned int level, uint64_t entry);
uint64_t handmade_read(struct handmade *h, dma_addr_t iova, unsigned int level);
/** Forget all that is cached. */
void handmade_flush(struct handmade *h);

#endif
