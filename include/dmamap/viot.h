/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the VIOT table of ACPI: which virtio IOMMUs a machine has, and which endpoint numbers they know its devices by
 * (ACPI 6.5, 5.2.34).
 *
 * The reader allocates nothing and trusts nothing: every length is checked when the table is opened, and again by each
 * call, so that a table that changes underneath cannot lead it outside. Any context, several threads at once.
 */
#ifndef DMAMAP_VIOT_H
#define DMAMAP_VIOT_H

#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An open table. The bytes stay the caller's and must outlive it. */
struct dma_viot {
	const unsigned char *table;
	uint32_t len;
	/** Where the first node is, and how many there are. */
	uint16_t first;
	uint16_t nodes;
};

/** A virtio IOMMU: a PCI function, or registers. */
struct dma_viot_unit {
	/** Its place in the table, by which endpoints name it. */
	uint16_t node;
	bool pci;
	uint16_t segment;
	uint16_t id; /* bus << 8 | devfn */
	phys_addr_t registers;
};

/**
 * dma_viot_open() - check a table.
 * @table: its bytes, from the signature on
 * @len:   how many there are; the table may be shorter
 * @viot:  receives it
 *
 * The checksum is not looked at: tables of a machine whose firmware has not run have none.
 *
 * Return: 0; -EINVAL (NULL, another signature, a length that is too small, too large or does not fit its nodes).
 */
int dmamap_viot_open(const void *table, size_t len, struct dma_viot *viot);

/** The @index-th virtio IOMMU; false past the last. */
bool dmamap_viot_unit(const struct dma_viot *viot, unsigned int index, struct dma_viot_unit *unit);

/** Is this PCI function behind an IOMMU? Then which one (dma_viot_unit.node), and by which endpoint number. */
bool dmamap_viot_endpoint(const struct dma_viot *viot, uint16_t segment, uint16_t id,
			  uint16_t *node, uint32_t *endpoint);

#ifdef __cplusplus
}
#endif

#endif
