/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the DMAR table of ACPI: which VT-d units a machine has, for which devices, and which memory firmware's own
 * devices go on using (VT-d architecture specification, chapter 8).
 *
 * The reader allocates nothing and trusts nothing: every length is checked when the table is opened, and again by each
 * call, so that a table that changes underneath cannot lead it outside. Any context, several threads at once.
 */
#ifndef DMAMAP_DMAR_H
#define DMAMAP_DMAR_H

#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An open table. The bytes stay the caller's and must outlive it. */
struct dma_dmar {
	const unsigned char *table;
	uint32_t len;
	/** Bits of a physical address. */
	unsigned int address_bits;
	bool interrupt_remapping;
	/** Firmware asks that x2APIC mode is not used; and that remapping is on before devices do DMA. */
	bool x2apic_opt_out;
	bool dma_opt_in;
};

/** Device scopes: a part of the table. */
struct dma_dmar_scopes {
	const unsigned char *first;
	uint32_t len;
};

/** A remapping hardware unit (DRHD). */
struct dma_dmar_unit {
	phys_addr_t registers;
	uint64_t register_bytes;
	uint16_t segment;
	/** It serves every device of the segment that no other unit names. */
	bool all_devices;
	struct dma_dmar_scopes scopes;
};

/** Reserved memory (RMRR): the devices in scope must reach it under its own addresses, [first, last]. */
struct dma_dmar_region {
	phys_addr_t first;
	phys_addr_t last;
	uint16_t segment;
	struct dma_dmar_scopes scopes;
};

enum dma_dmar_scope_kind {
	DMA_DMAR_ENDPOINT = 1,
	DMA_DMAR_BRIDGE = 2, /* and everything below it */
	DMA_DMAR_IOAPIC = 3,
	DMA_DMAR_HPET = 4,
	DMA_DMAR_NAMED = 5, /* a device that ANDD structures name */
};

/** Hops of a path that are understood: a scope with more is left out. */
#define DMA_DMAR_HOPS 8u

struct dma_dmar_scope {
	enum dma_dmar_scope_kind kind;
	uint8_t enumeration_id;
	/** The path: from a bus, through the bridges at each hop (device << 3 | function), to the last one. */
	uint8_t bus;
	unsigned int hops;
	uint8_t hop[DMA_DMAR_HOPS];
};

/**
 * dma_dmar_open() - check a table.
 * @table: its bytes, from the signature on
 * @len:   how many there are; the table may be shorter
 * @dmar:  receives it
 *
 * The checksum is not looked at: tables of a machine whose firmware has not run have none.
 *
 * Return: 0; -EINVAL (NULL, another signature, a length that is too small, too large or does not fit its structures).
 */
int dmamap_dmar_open(const void *table, size_t len, struct dma_dmar *dmar);

/** The @index-th unit, or reserved region; false past the last. What makes no sense (an empty region, registers that are
 *  not aligned to a page) is left out. */
bool dmamap_dmar_unit(const struct dma_dmar *dmar, unsigned int index, struct dma_dmar_unit *unit);
bool dmamap_dmar_region(const struct dma_dmar *dmar, unsigned int index,
			struct dma_dmar_region *region);

/** The @index-th device of a scope; false past the last. */
bool dmamap_dmar_scope(const struct dma_dmar_scopes *scopes, unsigned int index,
		       struct dma_dmar_scope *scope);

/**
 * dma_dmar_scope_id() - the number (bus << 8 | devfn) of the device at the end of a path.
 * @secondary: returns the bus below the bridge @id, from its configuration space; negative: it is no bridge. Needed for
 *             paths of more than one hop.
 *
 * Return: 0 and *@id; -ENODEV: the path leads nowhere, or @secondary is missing.
 */
int dmamap_dmar_scope_id(const struct dma_dmar_scope *scope,
			 int (*secondary)(void *arg, uint32_t id), void *arg, uint32_t *id);

#ifdef __cplusplus
}
#endif

#endif
