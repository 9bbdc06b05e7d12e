/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The edu device's DMA engine, driven: four registers of 64 bits. Put source, destination and length there, write the
 * command, and look at the command register until its first bit is clear. While a transfer runs the device ignores
 * writes, so each one is waited for.
 */
#include "edu_device.h"

#define REG_ID		0x00u
#define REG_SOURCE	0x80u
#define REG_DESTINATION 0x88u
#define REG_COUNT	0x90u
#define REG_COMMAND	0x98u

#define ID	       0x010000edu /* version 1.0 */
#define RUN	       0x1u
#define TO_MEMORY      0x2u
#define BUFFER_ADDRESS 0x40000u /* the engine's own name for its buffer; no DMA address */

#define TIMEOUT_NS 30000000000u

static uint64_t now(struct edu *edu)
{
	return edu->host->time_ns ? edu->host->time_ns(edu->host) : 0;
}

int edu_init(struct edu *edu, struct dma_device *dma, phys_addr_t regs, unsigned int bits)
{
	edu->host = dma_device_host(dma);
	edu->dma = dma;
	edu->regs = regs;
	if (edu->host->read32(edu->host, regs + REG_ID) != ID)
		return -DMAMAP_ENODEV;
	/*
	 * The engine cuts addresses off at its mask without a word. The library must know: then it bounces, or chooses
	 * I/O addresses low enough, or refuses.
	 */
	return dma_set_mask_and_coherent(dma, DMA_BIT_MASK(bits));
}

static int run(struct edu *edu, uint64_t source, uint64_t destination, unsigned int len,
	       uint64_t command)
{
	struct dma_host *host = edu->host;
	uint64_t start = now(edu);

	host->write64(host, edu->regs + REG_SOURCE, source);
	host->write64(host, edu->regs + REG_DESTINATION, destination);
	host->write64(host, edu->regs + REG_COUNT, len);
	host->write64(host, edu->regs + REG_COMMAND, command | RUN);
	while (host->read64(host, edu->regs + REG_COMMAND) & RUN)
		if (now(edu) - start > TIMEOUT_NS)
			return -DMAMAP_EIO;
	return 0;
}

/** A length of 0 ends QEMU 7.2 as well. */
static bool fits(unsigned int at, unsigned int len)
{
	return len && at < EDU_BUFFER && len <= EDU_BUFFER - at;
}

int edu_load(struct edu *edu, dma_addr_t addr, unsigned int at, unsigned int len)
{
	return fits(at, len) ? run(edu, addr, BUFFER_ADDRESS + at, len, 0) : -DMAMAP_EINVAL;
}

int edu_store(struct edu *edu, unsigned int at, dma_addr_t addr, unsigned int len)
{
	return fits(at, len) ? run(edu, BUFFER_ADDRESS + at, addr, len, TO_MEMORY) : -DMAMAP_EINVAL;
}
