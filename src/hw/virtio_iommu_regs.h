/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio IOMMU device: feature bits, device configuration, requests, properties and fault events (virtio 1.2, 5.13).
 * All of it is little-endian; sizes that a structure's padding would change are given as numbers.
 */
#ifndef DMAMAP_HW_VIRTIO_IOMMU_REGS_H
#define DMAMAP_HW_VIRTIO_IOMMU_REGS_H

#include <stdint.h>

#define VIRTIO_ID_IOMMU 23u

#define VIOMMU_QUEUE_REQUEST 0u
#define VIOMMU_QUEUE_EVENT   1u

#define VIOMMU_F_INPUT_RANGE   ((uint64_t)1 << 0)
#define VIOMMU_F_DOMAIN_RANGE  ((uint64_t)1 << 1)
#define VIOMMU_F_MAP_UNMAP     ((uint64_t)1 << 2)
#define VIOMMU_F_BYPASS	       ((uint64_t)1 << 3)
#define VIOMMU_F_PROBE	       ((uint64_t)1 << 4)
#define VIOMMU_F_MMIO	       ((uint64_t)1 << 5)
#define VIOMMU_F_BYPASS_CONFIG ((uint64_t)1 << 6)

/* Device configuration (5.13.4). */
#define VIOMMU_CONFIG_PAGE_SIZE_MASK 0x00u /* 64 */
#define VIOMMU_CONFIG_INPUT_START    0x08u /* 64 */
#define VIOMMU_CONFIG_INPUT_END	     0x10u /* 64, inclusive */
#define VIOMMU_CONFIG_DOMAIN_START   0x18u /* 32 */
#define VIOMMU_CONFIG_DOMAIN_END     0x1cu /* 32, inclusive */
#define VIOMMU_CONFIG_PROBE_SIZE     0x20u /* 32 */
#define VIOMMU_CONFIG_BYPASS	     0x24u /* 8 */
#define VIOMMU_CONFIG_SIZE	     0x28u

/* Requests (5.13.6): what the device reads, then the tail that it writes. */
#define VIOMMU_ATTACH 1u
#define VIOMMU_DETACH 2u
#define VIOMMU_MAP    3u
#define VIOMMU_UNMAP  4u
#define VIOMMU_PROBE  5u

struct viommu_attach {
	uint32_t type;
	uint32_t domain;
	uint32_t endpoint;
	uint32_t flags; /* DETACH: reserved */
	uint32_t reserved;
};
#define VIOMMU_ATTACH_SIZE 20u

struct viommu_map {
	uint32_t type;
	uint32_t domain;
	uint64_t virt_start;
	uint64_t virt_end; /* inclusive */
	uint64_t phys_start;
	uint32_t flags;
};
#define VIOMMU_MAP_SIZE	 36u
#define VIOMMU_MAP_READ	 1u
#define VIOMMU_MAP_WRITE 2u
#define VIOMMU_MAP_MMIO	 4u

struct viommu_unmap {
	uint32_t type;
	uint32_t domain;
	uint64_t virt_start;
	uint64_t virt_end; /* inclusive */
	uint32_t reserved;
};
#define VIOMMU_UNMAP_SIZE 28u

struct viommu_probe {
	uint32_t type;
	uint32_t endpoint;
	uint8_t reserved[64];
};
#define VIOMMU_PROBE_SIZE 72u

#define VIOMMU_TAIL_SIZE 4u

/* Status, the first byte of the tail. */
#define VIOMMU_S_OK	0u
#define VIOMMU_S_IOERR	1u
#define VIOMMU_S_UNSUPP 2u
#define VIOMMU_S_DEVERR 3u
#define VIOMMU_S_INVAL	4u
#define VIOMMU_S_RANGE	5u
#define VIOMMU_S_NOENT	6u
#define VIOMMU_S_FAULT	7u
#define VIOMMU_S_NOMEM	8u

/* Properties (5.13.6.8): type (12 bits) and length of what follows. */
struct viommu_property {
	uint16_t type;
	uint16_t length;
};
#define VIOMMU_PROPERTY_TYPE	 0x0fffu
#define VIOMMU_PROPERTY_NONE	 0u
#define VIOMMU_PROPERTY_RESV_MEM 1u

struct viommu_resv_mem {
	uint8_t subtype;
	uint8_t reserved[3];
	uint32_t start_low; /* behind the 4 bytes of the head, 64-bit words would lie askew */
	uint32_t start_high;
	uint32_t end_low; /* inclusive */
	uint32_t end_high;
};
#define VIOMMU_RESV_MEM_RESERVED 0u
#define VIOMMU_RESV_MEM_MSI	 1u

/* Fault event (5.13.6.9). */
struct viommu_fault {
	uint8_t reason;
	uint8_t reserved[3];
	uint32_t flags;
	uint32_t endpoint;
	uint32_t reserved2;
	uint64_t address;
};
#define VIOMMU_FAULT_SIZE 24u

#define VIOMMU_FAULT_UNKNOWN 0u
#define VIOMMU_FAULT_DOMAIN  1u
#define VIOMMU_FAULT_MAPPING 2u

#define VIOMMU_FAULT_READ    0x001u
#define VIOMMU_FAULT_WRITE   0x002u
#define VIOMMU_FAULT_EXEC    0x004u
#define VIOMMU_FAULT_ADDRESS 0x100u

#endif
