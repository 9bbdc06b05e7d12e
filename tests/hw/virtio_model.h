/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model of a virtio IOMMU on PCI (virtio 1.2, sections 2.7, 4.1 and 5.13): registers, the two queues, endpoints,
 * domains and their mappings. It obeys the rules strictly, where QEMU's is lenient, and misbehaves on demand.
 */
#ifndef DMAMAP_TESTS_HW_VIRTIO_MODEL_H
#define DMAMAP_TESTS_HW_VIRTIO_MODEL_H

#include "board.h"

#include <dmamap/virtio_iommu.h>

#define MODEL_MAPPINGS	256
#define MODEL_ENDPOINTS 4

struct model_queue {
	uint16_t size;
	uint16_t enabled;
	uint64_t desc;
	uint64_t driver;
	uint64_t device;
	uint16_t seen; /* available entries taken */
	uint16_t used;
};

struct model_mapping {
	uint32_t domain;
	uint64_t first;
	uint64_t last;
	uint64_t phys;
	uint32_t flags;
};

struct model_endpoint {
	uint32_t id;
	bool attached;
	uint32_t domain;
	unsigned char properties[256]; /* what PROBE answers */
};

/** What the device does wrong. */
enum model_fault {
	MODEL_FINE,
	MODEL_SILENT,	      /* answers no request */
	MODEL_BAD_ID,	      /* names a descriptor that was not offered */
	MODEL_OTHER_ID,	      /* names one of the queue that nobody offered */
	MODEL_BAD_INDEX,      /* runs ahead of what was offered */
	MODEL_NO_STATUS,      /* completes without writing a status */
	MODEL_NO_RESET,	      /* never finishes a reset */
	MODEL_NO_FEATURES,    /* refuses the features that it offered */
	MODEL_SHORT_EVENT,    /* an event without a body */
	MODEL_NEW_GENERATION, /* the configuration changes at each read */
};

struct virtio_model {
	struct board *board;
	uint32_t config[64]; /* PCI configuration space */
	uint64_t features;   /* offered */
	uint64_t accepted;
	uint32_t feature_select[2]; /* device, driver */
	uint16_t queue_select;
	uint8_t status;
	uint8_t generation;
	struct model_queue queues[2];
	uint16_t queue_max;
	unsigned char device[40]; /* the device's configuration */
	struct model_endpoint endpoints[MODEL_ENDPOINTS];
	struct model_mapping mappings[MODEL_MAPPINGS];
	unsigned int n_mappings;
	enum model_fault fault;
	/** Status of the MAP that comes after so many more; 0: none is refused. */
	uint8_t refuse;
	unsigned int refuse_after;
	/** The last request of each type, as it came, and how many of each. */
	unsigned char last[8][80];
	unsigned int count[8];
	unsigned int notified[2];
	unsigned int resets;
};

/** With QEMU's features and configuration; endpoints 8, 16, 24 and all ones; an MSI window. */
void virtio_model_init(struct virtio_model *m, struct board *board);
/** The function, for the driver. */
struct dma_pci_function virtio_model_function(struct virtio_model *m);
/** Put an event into the event queue; false: there is no buffer. */
bool virtio_model_event(struct virtio_model *m, uint8_t reason, uint32_t flags, uint32_t endpoint,
			uint64_t address);
/** What an access of an endpoint does: true and *@phys. */
bool virtio_model_translate(const struct virtio_model *m, uint32_t endpoint, uint64_t iova,
			    bool write, uint64_t *phys);

#endif
