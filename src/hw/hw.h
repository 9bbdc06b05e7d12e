/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the drivers of IOMMU hardware share: registers of exact width, memory that the hardware reads and writes, waits
 * that end.
 *
 * Hardware is not trusted: a driver checks every number that it reads before it uses it, and nothing here spins for
 * ever. A host without a clock counts looks instead of nanoseconds.
 */
#ifndef DMAMAP_HW_HW_H
#define DMAMAP_HW_HW_H

#include "base/host.h"

#pragma GCC visibility push(hidden)

/** How long a driver waits for its hardware unless it is told otherwise: 1 s. */
#define HW_TIMEOUT_NS 1000000000u
/** Looks after which a wait is over on a host whose clock stands still. */
#define HW_LOOKS (1u << 22)

/** Does the host have the register accessors of 32 and 64 bits? */
static inline bool hw_has_registers(const struct dma_host *host)
{
	return host->read32 && host->read64 && host->write32 && host->write64;
}

/** A wait: do { look } while (hw_wait_more(&wait)); and then look once more. */
struct hw_wait {
	struct dma_host *host;
	uint64_t start;
	uint64_t ns;
	uint64_t looks;
};

void dmamap_hw_wait_begin(struct hw_wait *wait, struct dma_host *host, uint64_t ns);
/** False when the time is up. */
bool dmamap_hw_wait_more(struct hw_wait *wait);

/** Wait until (read32(@reg) & @mask) == @value. False: it never was. */
bool dmamap_hw_wait_reg32(struct dma_host *host, phys_addr_t reg, uint32_t mask, uint32_t value,
			  uint64_t ns);
bool dmamap_hw_wait_reg64(struct dma_host *host, phys_addr_t reg, uint64_t mask, uint64_t value,
			  uint64_t ns);

/** Contiguous pages for hardware, zeroed and cleaned. */
struct hw_memory {
	void *cpu;
	phys_addr_t phys;
	uint64_t size; /* 0: none */
};

/** @size is rounded up to pages; @align is a power of two, @ceiling the highest last byte. False without memory. */
bool dmamap_hw_memory_alloc(struct dma_host *host, uint64_t size, uint64_t align,
			    phys_addr_t ceiling, struct hw_memory *memory);
void dmamap_hw_memory_free(struct dma_host *host, struct hw_memory *memory);

/** What the CPU wrote there is what the hardware will read; @snoops: it reads through the caches. */
void dmamap_hw_clean(struct dma_host *host, bool snoops, phys_addr_t phys, uint64_t size);
/** What the hardware wrote there is what the CPU will read. */
void dmamap_hw_refresh(struct dma_host *host, bool snoops, phys_addr_t phys, uint64_t size);
/** Earlier stores come before later ones, for the hardware too. */
void dmamap_hw_barrier(struct dma_host *host);

/** Words shared with the hardware: whole, once, in the order of the program. */
static inline uint64_t hw_load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void hw_store(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/** Bits [first, first + n) of a word. */
static inline uint64_t hw_field(uint64_t word, unsigned int first, unsigned int n)
{
	return (word >> first) & (((uint64_t)1 << n) - 1);
}

#pragma GCC visibility pop

#endif
