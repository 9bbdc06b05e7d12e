/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waits and memory for the drivers of hardware: see hw.h.
 */
#include "hw.h"

/* --- waits */

void dmamap_hw_wait_begin(struct hw_wait *wait, struct dma_host *host, uint64_t ns)
{
	*wait = (struct hw_wait){ .host = host, .start = dmamap_time(host), .ns = ns };
}

bool dmamap_hw_wait_more(struct hw_wait *wait)
{
	uint64_t passed = dmamap_time(wait->host) - wait->start;

	wait->looks++;
	return passed ? passed < wait->ns : wait->looks < HW_LOOKS;
}

bool dmamap_hw_wait_reg32(struct dma_host *host, phys_addr_t reg, uint32_t mask, uint32_t value,
			  uint64_t ns)
{
	struct hw_wait wait;

	dmamap_hw_wait_begin(&wait, host, ns);
	do {
		if ((host->read32(host, reg) & mask) == value)
			return true;
	} while (dmamap_hw_wait_more(&wait));
	return (host->read32(host, reg) & mask) == value;
}

bool dmamap_hw_wait_reg64(struct dma_host *host, phys_addr_t reg, uint64_t mask, uint64_t value,
			  uint64_t ns)
{
	struct hw_wait wait;

	dmamap_hw_wait_begin(&wait, host, ns);
	do {
		if ((host->read64(host, reg) & mask) == value)
			return true;
	} while (dmamap_hw_wait_more(&wait));
	return (host->read64(host, reg) & mask) == value;
}

/* --- memory */

bool dmamap_hw_memory_alloc(struct dma_host *host, uint64_t size, uint64_t align,
			    phys_addr_t ceiling, struct hw_memory *memory)
{
	struct dma_page_request request = {
		.size = round_up(size, host->page_size),
		.align = align > host->page_size ? align : host->page_size,
		.ceiling = ceiling,
		.node = -1,
		.gfp = DMAMAP_GFP_KERNEL,
	};
	phys_addr_t phys = host->alloc_pages(host, &request);
	void *cpu;

	*memory = (struct hw_memory){ 0 };
	if (phys == DMAMAP_PHYS_NONE)
		return false;
	cpu = host->phys_to_virt(host, phys);
	if (!cpu || phys % request.align) {
		host->free_pages(host, phys, request.size);
		return false;
	}
	memset(cpu, 0, request.size);
	*memory = (struct hw_memory){ .cpu = cpu, .phys = phys, .size = request.size };
	dmamap_hw_clean(host, false, phys, request.size);
	return true;
}

void dmamap_hw_memory_free(struct dma_host *host, struct hw_memory *memory)
{
	if (memory->size)
		host->free_pages(host, memory->phys, memory->size);
	*memory = (struct hw_memory){ 0 };
}

void dmamap_hw_clean(struct dma_host *host, bool snoops, phys_addr_t phys, uint64_t size)
{
	if (snoops || !host_has_caches(host))
		return;
	dmamap_cache_for_device(host, phys, size, DMA_TO_DEVICE);
	dmamap_cache_flush(host);
}

void dmamap_hw_refresh(struct dma_host *host, bool snoops, phys_addr_t phys, uint64_t size)
{
	if (snoops || !host_has_caches(host))
		return;
	dmamap_cache_for_cpu(host, phys, size, DMA_FROM_DEVICE);
	dmamap_cache_cpu_done(host);
}

void dmamap_hw_barrier(struct dma_host *host)
{
	if (host->write_barrier)
		host->write_barrier(host);
	else
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
