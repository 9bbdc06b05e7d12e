/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the IVRS table of ACPI: which AMD-Vi units a machine has, for which devices, and which memory firmware's own
 * devices go on using (AMD I/O Virtualization Technology specification, chapter 5).
 *
 * The reader allocates nothing and trusts nothing: every length is checked when the table is opened, and again by each
 * call, so that a table that changes underneath cannot lead it outside. Any context, several threads at once.
 */
#ifndef DMAMAP_IVRS_H
#define DMAMAP_IVRS_H

#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An open table. The bytes stay the caller's and must outlive it. */
struct dma_ivrs {
	const unsigned char *table;
	uint32_t len;
	/** Bits of a physical and of a virtual address; 0: not said. */
	unsigned int address_bits;
	unsigned int virtual_bits;
	/** A unit may be described by several blocks (IVHD); the ones of this type, the latest, are read. 0: no unit. */
	uint8_t unit_type;
};

struct dma_ivrs_unit {
	phys_addr_t registers;
	uint16_t segment;
	/** Its own PCI function (bus << 8 | devfn), and its capability there. */
	uint16_t id;
	uint16_t capability;
	/** Its devices: a part of the table. */
	const unsigned char *entries;
	uint32_t entries_len;
};

/** Memory (IVMD) that the devices [first_id, last_id] must reach under its own addresses, [first, last]; or, excluded,
 *  that they reach without a translation. */
struct dma_ivrs_region {
	phys_addr_t first;
	phys_addr_t last;
	uint16_t first_id;
	uint16_t last_id;
	bool read;
	bool write;
	bool excluded;
};

/**
 * dma_ivrs_open() - check a table.
 * @table: its bytes, from the signature on
 * @len:   how many there are; the table may be shorter
 * @ivrs:  receives it
 *
 * The checksum is not looked at: tables of a machine whose firmware has not run have none.
 *
 * Return: 0; -EINVAL (NULL, another signature, a length that is too small, too large or does not fit its blocks).
 */
int dmamap_ivrs_open(const void *table, size_t len, struct dma_ivrs *ivrs);

/** The @index-th unit, or region; false past the last. What makes no sense (an empty region, registers that are not
 *  aligned to a page) is left out. */
bool dmamap_ivrs_unit(const struct dma_ivrs *ivrs, unsigned int index, struct dma_ivrs_unit *unit);
bool dmamap_ivrs_region(const struct dma_ivrs *ivrs, unsigned int index,
			struct dma_ivrs_region *region);

/** Is the device with this number behind the unit? Then *@alias is the number that its requests carry. */
bool dmamap_ivrs_covers(const struct dma_ivrs_unit *unit, uint16_t id, uint16_t *alias);

#ifdef __cplusplus
}
#endif

#endif
