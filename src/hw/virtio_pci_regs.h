/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A modern virtio device on PCI: capabilities and the common configuration (virtio 1.2, 4.1.4), status and feature bits
 * (2.1, 6).
 */
#ifndef DMAMAP_HW_VIRTIO_PCI_REGS_H
#define DMAMAP_HW_VIRTIO_PCI_REGS_H

/* Configuration space of any PCI function. */
#define PCI_ID		     0x00u
#define PCI_COMMAND	     0x04u
#define PCI_COMMAND_MEMORY   0x0002u
#define PCI_COMMAND_MASTER   0x0004u
#define PCI_STATUS_HAS_CAPS  0x00100000u /* in the word at PCI_COMMAND */
#define PCI_CAPS	     0x34u
#define PCI_CAP_VENDOR	     0x09u
#define PCI_VENDOR_VIRTIO    0x1af4u
#define PCI_DEVICE_VIRTIO(n) (0x1040u + (n))

/* Capability (4.1.4): byte 3 is the type, byte 4 the BAR, then offset and length; and for NOTIFY the multiplier. */
#define VIRTIO_CAP_COMMON     1u
#define VIRTIO_CAP_NOTIFY     2u
#define VIRTIO_CAP_DEVICE     4u
#define VIRTIO_CAP_BAR	      0x04u
#define VIRTIO_CAP_OFFSET     0x08u
#define VIRTIO_CAP_LENGTH     0x0cu
#define VIRTIO_CAP_MULTIPLIER 0x10u

/* Common configuration (4.1.4.3); the comment gives the width in bits. */
#define VIRTIO_COMMON_DEVICE_FEATURE_SELECT 0x00u /* 32 */
#define VIRTIO_COMMON_DEVICE_FEATURE	    0x04u /* 32 */
#define VIRTIO_COMMON_DRIVER_FEATURE_SELECT 0x08u /* 32 */
#define VIRTIO_COMMON_DRIVER_FEATURE	    0x0cu /* 32 */
#define VIRTIO_COMMON_CONFIG_VECTOR	    0x10u /* 16 */
#define VIRTIO_COMMON_NUM_QUEUES	    0x12u /* 16 */
#define VIRTIO_COMMON_STATUS		    0x14u /* 8 */
#define VIRTIO_COMMON_GENERATION	    0x15u /* 8 */
#define VIRTIO_COMMON_QUEUE_SELECT	    0x16u /* 16 */
#define VIRTIO_COMMON_QUEUE_SIZE	    0x18u /* 16 */
#define VIRTIO_COMMON_QUEUE_VECTOR	    0x1au /* 16 */
#define VIRTIO_COMMON_QUEUE_ENABLE	    0x1cu /* 16 */
#define VIRTIO_COMMON_QUEUE_NOTIFY_OFF	    0x1eu /* 16 */
#define VIRTIO_COMMON_QUEUE_DESC	    0x20u /* 2 x 32 */
#define VIRTIO_COMMON_QUEUE_DRIVER	    0x28u /* 2 x 32 */
#define VIRTIO_COMMON_QUEUE_DEVICE	    0x30u /* 2 x 32 */
#define VIRTIO_COMMON_SIZE		    0x38u

#define VIRTIO_STATUS_ACKNOWLEDGE 0x01u
#define VIRTIO_STATUS_DRIVER	  0x02u
#define VIRTIO_STATUS_DRIVER_OK	  0x04u
#define VIRTIO_STATUS_FEATURES_OK 0x08u
#define VIRTIO_STATUS_NEEDS_RESET 0x40u
#define VIRTIO_STATUS_FAILED	  0x80u

#define VIRTIO_F_VERSION_1	 ((uint64_t)1 << 32)
#define VIRTIO_F_ACCESS_PLATFORM ((uint64_t)1 << 33)
#define VIRTIO_F_ORDER_PLATFORM	 ((uint64_t)1 << 36)

#define VIRTIO_NO_VECTOR 0xffffu

#endif
