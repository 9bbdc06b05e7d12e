/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The iommu route: one page, a list of scattered pages, a large BAR.
 */
#include <stdlib.h>

#include "bench.h"

#define ENTRIES 32u
#define PAGE	4096u
#define BAR	((phys_addr_t)1 << 40)
#define BAR_LEN ((uint64_t)16 << 30)

struct behind {
	struct bench_machine *machine;
	struct dma_domain *domain;
	struct dma_device dev;
	phys_addr_t buffer;
	struct scatterlist sg[ENTRIES];
};

static void close_behind(void *state)
{
	struct behind *b = state;

	dmamap_device_fini(&b->dev);
	if (b->domain)
		dmamap_domain_destroy(b->domain);
	bench_machine_destroy(b->machine);
	free(b);
}

/* Every other page, so that no two of the list are neighbours. */
static void fill_list(struct behind *b)
{
	sg_init_table(b->sg, ENTRIES);
	for (unsigned int i = 0; i < ENTRIES; i++)
		sg_set_page(&b->sg[i], dmamap_phys_to_page(b->buffer + 2 * (uint64_t)i * PAGE),
			    PAGE, 0);
}

static void *open_behind(enum dma_invalidation invalidation)
{
	struct behind *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->machine = bench_machine_create((uint64_t)64 << 20);
	if (!b->machine || dmamap_device_init(&b->dev, sizeof(b->dev), bench_host(b->machine)) ||
	    dmamap_set_mask_and_coherent(&b->dev, DMA_BIT_MASK(64))) {
		close_behind(b);
		return NULL;
	}
	b->domain = bench_domain_create(b->machine, invalidation);
	if (!b->domain || dmamap_device_set_domain(&b->dev, b->domain)) {
		close_behind(b);
		return NULL;
	}
	b->buffer = bench_buffers(b->machine, 2 * (uint64_t)ENTRIES * PAGE);
	fill_list(b);
	return b;
}

static void *open_strict(void)
{
	return open_behind(DMA_INVALIDATION_STRICT);
}

static void *open_lazy(void)
{
	return open_behind(DMA_INVALIDATION_LAZY);
}

static bool run_pairs(struct behind *b, uint64_t n, phys_addr_t phys, uint64_t size,
		      unsigned long attrs)
{
	for (uint64_t i = 0; i < n; i++) {
		dma_addr_t addr = dma_map_phys(&b->dev, phys, size, DMA_BIDIRECTIONAL, attrs);

		if (dma_mapping_error(&b->dev, addr))
			return false;
		dma_unmap_phys(&b->dev, addr, size, DMA_BIDIRECTIONAL, attrs);
	}
	return true;
}

static bool run_page(void *state, uint64_t n)
{
	struct behind *b = state;

	return run_pairs(b, n, b->buffer, PAGE, 0);
}

static bool run_bar(void *state, uint64_t n)
{
	return run_pairs(state, n, BAR, BAR_LEN, DMA_ATTR_MMIO);
}

static bool run_list(void *state, uint64_t n)
{
	struct behind *b = state;

	for (uint64_t i = 0; i < n; i++) {
		if (!dma_map_sg(&b->dev, b->sg, ENTRIES, DMA_TO_DEVICE))
			return false;
		dma_unmap_sg(&b->dev, b->sg, ENTRIES, DMA_TO_DEVICE);
	}
	return true;
}

const struct bench_op bench_strict = {
	.name = "strict-4k",
	.what = "IOMMU, strict: map + unmap 4 KiB",
	.open = open_strict,
	.run = run_page,
	.close = close_behind,
	.threads = true,
};

const struct bench_op bench_lazy = {
	.name = "lazy-4k",
	.what = "IOMMU, lazy: map + unmap 4 KiB",
	.open = open_lazy,
	.run = run_page,
	.close = close_behind,
	.threads = true,
};

const struct bench_op bench_sg32 = {
	.name = "sg-32",
	.what = "IOMMU, lazy: a list of 32 scattered pages",
	.open = open_lazy,
	.run = run_list,
	.close = close_behind,
};

const struct bench_op bench_bar = {
	.name = "bar-16g",
	.what = "IOMMU, lazy: map + unmap a BAR of 16 GiB",
	.open = open_lazy,
	.run = run_bar,
	.close = close_behind,
	.threads = true,
};
