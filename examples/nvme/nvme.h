/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small NVMe driver, written to be read: one admin queue, one I/O queue, one command at a time.
 *
 * It knows nothing of the machine. All memory that the controller sees goes through the mapping layer: queues are
 * coherent memory, data are vectors (dma_vec_*), and a vector may be RAM, a peer's memory, or the controller's own
 * memory buffer. Registers are reached through the host. Names and offsets follow the NVM Express base specification,
 * revision 1.4.
 */
#ifndef EXAMPLES_NVME_H
#define EXAMPLES_NVME_H

#include <dmamap/dmamap.h>

/** Entries of each queue. One command is out at a time, so that more would not help. */
#define NVME_ENTRIES 8

/** Descriptors that one command may have: a page of them. */
#define NVME_DESCRIPTORS 256

/** A pair of queues: commands go in at the tail of one, completions come out at the head of the other. */
struct nvme_queue {
	unsigned int id;
	void *commands;
	dma_addr_t commands_dma;
	void *completions;
	dma_addr_t completions_dma;
	unsigned int tail;
	unsigned int head;
	/** What the phase bit of the next completion will be; it flips each time the queue wraps. */
	unsigned int phase;
};

struct nvme {
	struct dma_device *dev;
	struct dma_host *host;
	struct dma_parms parms;
	phys_addr_t regs;
	unsigned int doorbell_stride;
	uint64_t timeout_ns;
	struct nvme_queue admin;
	struct nvme_queue io;
	/** A page for descriptor lists and for answers to identify. */
	void *page;
	dma_addr_t page_dma;
	uint16_t next_id;

	/** What the controller says of itself. */
	char model[41];
	char serial[21];
	bool sgl;
	/** Namespace 1: its size, and the size of a block in bytes. */
	uint64_t blocks;
	uint32_t block_size;
	/** Of the latest command: status field (0: success), and whether its data were described by a page list. */
	uint16_t status;
	bool used_prp;
};

/**
 * nvme_start() - reset the controller, make its queues, ask who it is.
 * @nvme: receives the state; zero or not
 * @dev:  the function, its bus mastership enabled; its masks and segment limits become the driver's
 * @regs: physical address of BAR 0
 *
 * Return: 0; -ETIMEDOUT if the controller does not answer; -EIO if it refuses a command; -ENOMEM; what the mapping layer
 * refused with. On failure nothing stays allocated, and the controller is disabled; one that does not let itself be disabled
 * keeps its queues for ever.
 */
int nvme_start(struct nvme *nvme, struct dma_device *dev, phys_addr_t regs);

/** nvme_stop() - shut the controller down and give everything back, if it stops. */
void nvme_stop(struct nvme *nvme);

/**
 * nvme_read(), nvme_write() - move whole blocks of namespace 1.
 * @block: the first one
 * @vecs:  where to, where from: @n vectors, whole blocks together, of at most NVME_DESCRIPTORS - 1 pieces of a page
 *
 * That a controller reports success does not prove that its accesses reached memory: some go on when an IOMMU has
 * blocked them. Whoever must know looks at the IOMMU's faults.
 *
 * Return: 0; -EINVAL (not whole blocks, too many pieces); -EIO and nvme->status; -ETIMEDOUT; or the refusal of the mapping.
 */
int nvme_read(struct nvme *nvme, uint64_t block, struct dma_phys_vec *vecs, size_t n);
int nvme_write(struct nvme *nvme, uint64_t block, struct dma_phys_vec *vecs, size_t n);

/** A controller memory buffer: memory inside of the controller that peers (and the CPU) may reach through a BAR. */
struct nvme_cmb {
	/** Where the CPU and other devices see it. */
	phys_addr_t phys;
	uint64_t size;
	/** By which address the controller itself knows it: a vector with DMA_VEC_BUS_ADDRESS. */
	dma_addr_t bus;
};

/** Where a BAR is; @size 0: there is none. */
struct nvme_bar {
	phys_addr_t phys;
	uint64_t size;
};

/**
 * nvme_enable_cmb() - switch the memory buffer on.
 * @bars: the function's BARs 0 to 5: what the controller says of its buffer must lie in one of them
 * @bus:  the address by which the controller shall know it; nothing else may be mapped there for this controller
 *
 * Return: 0; -ENODEV if it has none that data may lie in.
 */
int nvme_enable_cmb(struct nvme *nvme, const struct nvme_bar bars[6], dma_addr_t bus,
		    struct nvme_cmb *cmb);

#endif
