/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port of dmamap to a machine with flat RAM and no IOMMU: the six required members and nothing else.
 *
 * Replace the first part by what your kernel knows about its memory; here an array plays the RAM, so that the port runs
 * as an ordinary program. main() then does what a driver would do, and checks it.
 */
#include <stdio.h>
#include <string.h>

#include <dmamap/dmamap.h>

/* --- the machine: RAM_PAGES pages of RAM at RAM_BASE, which the CPU sees at ram */

#define RAM_BASE  0x40000000u
#define RAM_PAGES 64u
#define PAGE	  4096u

static _Alignas(PAGE) unsigned char ram[RAM_PAGES * PAGE];
static bool page_used[RAM_PAGES];

/* --- the port */

static bool ram_range(struct dma_host *host, unsigned int index, phys_addr_t *start, uint64_t *size)
{
	(void)host;
	*start = RAM_BASE;
	*size = sizeof(ram);
	return index == 0;
}

static void *phys_to_virt(struct dma_host *host, phys_addr_t phys)
{
	(void)host;
	return phys - RAM_BASE < sizeof(ram) ? ram + (phys - RAM_BASE) : NULL;
}

static phys_addr_t virt_to_phys(struct dma_host *host, const void *ptr)
{
	uint64_t offset = (uint64_t)(uintptr_t)ptr - (uint64_t)(uintptr_t)ram;

	(void)host;
	return offset < sizeof(ram) ? RAM_BASE + offset : DMAMAP_PHYS_NONE;
}

/* Are all pages of the block free, aligned as wished and below the ceiling? */
static bool block_fits(const struct dma_page_request *request, unsigned int page)
{
	phys_addr_t phys = RAM_BASE + (phys_addr_t)page * PAGE;

	if ((phys & (request->align - 1)) || phys + request->size - 1 > request->ceiling)
		return false;
	for (uint64_t i = 0; i < request->size / PAGE; i++)
		if (page + i >= RAM_PAGES || page_used[page + i])
			return false;
	return true;
}

static phys_addr_t alloc_pages(struct dma_host *host, const struct dma_page_request *request)
{
	(void)host;
	for (unsigned int page = 0; page < RAM_PAGES; page++) {
		if (!block_fits(request, page))
			continue;
		for (uint64_t i = 0; i < request->size / PAGE; i++)
			page_used[page + i] = true;
		return RAM_BASE + (phys_addr_t)page * PAGE;
	}
	return DMAMAP_PHYS_NONE;
}

static void free_pages(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	(void)host;
	for (uint64_t i = 0; i < size / PAGE; i++)
		page_used[(phys - RAM_BASE) / PAGE + i] = false;
}

static struct dma_host host = {
	.size = sizeof(host),
	.page_size = PAGE,
	.ram_range = ram_range,
	.phys_to_virt = phys_to_virt,
	.virt_to_phys = virt_to_phys,
	.alloc_pages = alloc_pages,
	.free_pages = free_pages,
};

/* --- a driver on it */

int main(void)
{
	struct dma_device dev;
	struct dma_error why;
	dma_addr_t addr, handle;
	void *ring;

	if (dma_host_init(&host) || dma_device_init(&dev, sizeof(dev), &host) ||
	    dma_set_mask_and_coherent(&dev, DMA_BIT_MASK(32)))
		return 1;

	/* Coherent memory for a descriptor ring, and a streaming mapping of a buffer. */
	ring = dma_alloc_coherent(&dev, 3 * PAGE, &handle, GFP_KERNEL);
	addr = dma_map_single(&dev, ram + 20 * PAGE + 16, 100, DMA_TO_DEVICE);
	if (!ring || dma_mapping_error(&dev, addr))
		return 1;
	printf("ring at 0x%llx, buffer at 0x%llx\n", (unsigned long long)handle,
	       (unsigned long long)addr);
	if (addr != RAM_BASE + 20 * PAGE + 16 || phys_to_virt(&host, handle) != ring)
		return 1;
	dma_unmap_single(&dev, addr, 100, DMA_TO_DEVICE);
	dma_free_coherent(&dev, 3 * PAGE, ring, handle);

	/* What does not fit is refused, with a reason. */
	if (dma_map_phys(&dev, 0x100000000, 100, DMA_TO_DEVICE, 0) != DMA_MAPPING_ERROR)
		return 1;
	dma_last_error(&dev, &why);
	printf("refused: %s\n", dma_reason_name(why.reason));
	return strcmp(dma_reason_name(why.reason), "beyond-mask") || dma_device_fini(&dev) ||
	       dma_host_fini(&host);
}
