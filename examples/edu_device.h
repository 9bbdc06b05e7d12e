/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver of QEMU's "edu" device, for one thing only: its DMA engine.
 *
 * The engine copies between memory and a buffer of 4096 bytes inside of the device, one transfer at a time. That is the
 * smallest real DMA device there is, and all that a test of DMA needs. The driver knows its host by struct dma_host
 * alone: it runs wherever registers can be read and written.
 */
#ifndef EXAMPLES_EDU_DEVICE_H
#define EXAMPLES_EDU_DEVICE_H

#include <dmamap/linux.h>

#define EDU_VENDOR 0x1234
#define EDU_DEVICE 0x11e8

/** Bytes of the engine's buffer that we use. A transfer that touches the last byte of it ends QEMU 7.2. */
#define EDU_BUFFER 4095u

struct edu {
	struct dma_host *host;
	struct dma_device *dma;
	phys_addr_t regs;
};

/**
 * edu_init() - find out whether the device answers, and tell the library which addresses it can emit.
 * @edu:  filled in
 * @dma:  the function; it must be decoding memory and be a bus master
 * @regs: where its BAR 0 is
 * @bits: address lines: 28, unless the device was made with others (property dma_mask)
 *
 * Return: 0; -ENODEV: no edu there; or the refusal of dma_set_mask_and_coherent().
 */
int edu_init(struct edu *edu, struct dma_device *dma, phys_addr_t regs, unsigned int bits);

/**
 * edu_load(), edu_store() - copy @len bytes from memory to offset @at of the buffer, or back.
 * @addr: a DMA address, as a mapping of @dma gave it
 *
 * The engine does not tell whether its accesses were refused: a refused load leaves zeros. Ask the IOMMU.
 *
 * Return: 0; -EINVAL: outside of the buffer; -EIO: the engine does not stop.
 */
int edu_load(struct edu *edu, dma_addr_t addr, unsigned int at, unsigned int len);
int edu_store(struct edu *edu, unsigned int at, dma_addr_t addr, unsigned int len);

#endif
