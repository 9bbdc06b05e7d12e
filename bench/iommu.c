/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The iommu route: one page, a list of scattered pages, a large BAR.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define ENTRIES 32u
#define PAGE	4096u
#define BAR	((phys_addr_t)1 << 40)
#define BAR_LEN ((uint64_t)16 << 30)

struct pages {
	struct bench_behind behind; /* first: what the device and its buffers are */
	struct scatterlist sg[ENTRIES];
};

static void close_pages(void *state)
{
	struct pages *p = state;

	bench_behind_close(&p->behind);
	free(p);
}

/* Every other page, so that no two of the list are neighbours. */
static void fill_list(struct pages *p)
{
	sg_init_table(p->sg, ENTRIES);
	for (unsigned int i = 0; i < ENTRIES; i++)
		sg_set_page(&p->sg[i],
			    dmamap_phys_to_page(p->behind.buffer + 2 * (uint64_t)i * PAGE), PAGE,
			    0);
}

static void *open_pages(enum dma_invalidation invalidation)
{
	struct pages *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	if (!bench_behind_open(&p->behind, invalidation, 2 * (uint64_t)ENTRIES * PAGE)) {
		close_pages(p);
		return NULL;
	}
	fill_list(p);
	return p;
}

static void *open_strict(void)
{
	return open_pages(DMA_INVALIDATION_STRICT);
}

static void *open_lazy(void)
{
	return open_pages(DMA_INVALIDATION_LAZY);
}

static bool run_pairs(struct bench_behind *b, uint64_t n, phys_addr_t phys, uint64_t size,
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
	struct bench_behind *b = state;

	return run_pairs(b, n, b->buffer, PAGE, 0);
}

static bool run_bar(void *state, uint64_t n)
{
	return run_pairs(state, n, BAR, BAR_LEN, DMA_ATTR_MMIO);
}

static bool run_list(void *state, uint64_t n)
{
	struct pages *p = state;
	struct scatterlist sg[ENTRIES]; /* each thread has its own */

	memcpy(sg, p->sg, sizeof(sg));
	for (uint64_t i = 0; i < n; i++) {
		if (!dma_map_sg(&p->behind.dev, sg, ENTRIES, DMA_TO_DEVICE))
			return false;
		dma_unmap_sg(&p->behind.dev, sg, ENTRIES, DMA_TO_DEVICE);
	}
	return true;
}

const struct bench_op bench_strict = {
	.name = "strict-4k",
	.what = "IOMMU, strict: map + unmap 4 KiB",
	.open = open_strict,
	.run = run_page,
	.close = close_pages,
	.threads = true,
};

const struct bench_op bench_lazy = {
	.name = "lazy-4k",
	.what = "IOMMU, lazy: map + unmap 4 KiB",
	.open = open_lazy,
	.run = run_page,
	.close = close_pages,
	.threads = true,
};

const struct bench_op bench_sg32 = {
	.name = "sg-32",
	.what = "IOMMU, lazy: a list of 32 scattered pages",
	.open = open_lazy,
	.run = run_list,
	.close = close_pages,
	.threads = true,
};

const struct bench_op bench_sg32_strict = {
	.name = "sg-32-strict",
	.what = "IOMMU, strict: a list of 32 scattered pages",
	.open = open_strict,
	.run = run_list,
	.close = close_pages,
	.threads = true,
};

const struct bench_op bench_bar = {
	.name = "bar-16g",
	.what = "IOMMU, strict: map + unmap a BAR of 16 GiB",
	.open = open_strict,
	.run = run_bar,
	.close = close_pages,
	.threads = true,
};
