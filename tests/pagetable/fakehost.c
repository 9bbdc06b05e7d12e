/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake host: see fakehost.h.
 */
#include "fakehost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct fake_host *fake_of(struct dma_host *host)
{
	return host->priv;
}

static bool ram_range(struct dma_host *host, unsigned int index, phys_addr_t *start, uint64_t *size)
{
	*start = fake_of(host)->base;
	*size = fake_of(host)->pages * FAKE_PAGE;
	return !index;
}

static void *phys_to_virt(struct dma_host *host, phys_addr_t phys)
{
	struct fake_host *fake = fake_of(host);

	if (phys < fake->base || phys - fake->base >= fake->pages * FAKE_PAGE)
		return NULL;
	return fake->cpu + (phys - fake->base);
}

static phys_addr_t virt_to_phys(struct dma_host *host, const void *ptr)
{
	return fake_of(host)->base + (phys_addr_t)((const unsigned char *)ptr - fake_of(host)->cpu);
}

/** Are the @n pages from @page on free? */
static bool is_free(const struct fake_host *fake, uint64_t page, uint64_t n)
{
	return page + n <= fake->pages && !memchr(fake->taken + page, 1, n);
}

static phys_addr_t alloc_pages(struct dma_host *host, const struct dma_page_request *request)
{
	struct fake_host *fake = fake_of(host);
	uint64_t n = request->size / FAKE_PAGE;

	assert_true(n && request->size % host->page_size == 0);
	assert_true(request->align >= host->page_size);
	if (request->ceiling < fake->lowest_ceiling)
		fake->lowest_ceiling = request->ceiling;
	if (++fake->allocs == fake->fail_at)
		return DMAMAP_PHYS_NONE;
	for (uint64_t i = 0; i < fake->pages; i++) {
		uint64_t page = (fake->next + i) % fake->pages;

		if ((fake->base + page * FAKE_PAGE) % request->align || !is_free(fake, page, n))
			continue;
		memset(fake->taken + page, 1, n);
		fake->next = page + n;
		fake->live += n;
		memset(fake->cpu + page * FAKE_PAGE, 0xa5, n * FAKE_PAGE);
		memset(fake->device + page * FAKE_PAGE, 0xa5, n * FAKE_PAGE);
		return fake->base + page * FAKE_PAGE;
	}
	return DMAMAP_PHYS_NONE;
}

static void free_pages(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	struct fake_host *fake = fake_of(host);
	uint64_t page = (phys - fake->base) / FAKE_PAGE;

	assert_true(size && size % FAKE_PAGE == 0 && page + size / FAKE_PAGE <= fake->pages);
	assert_null(memchr(fake->taken + page, 0, size / FAKE_PAGE));
	memset(fake->taken + page, 0, size / FAKE_PAGE);
	fake->live -= size / FAKE_PAGE;
	memset(fake->cpu + page * FAKE_PAGE, 0x5a, size);
	memset(fake->device + page * FAKE_PAGE, 0x5a, size);
}

static void cache_for_device(struct dma_host *host, phys_addr_t phys, uint64_t size,
			     enum dma_data_direction dir)
{
	struct fake_host *fake = fake_of(host);
	uint64_t first = (phys - fake->base) / 64;
	uint64_t last = (phys - fake->base + size - 1) / 64;

	assert_int_equal(dir, DMA_TO_DEVICE);
	memcpy(fake->device + first * 64, fake->cpu + first * 64, (last - first + 1) * 64);
	fake->cleans++;
	fake->lines += last - first + 1;
}

static void cache_flush(struct dma_host *host)
{
	fake_of(host)->flushes++;
}

static void write_barrier(struct dma_host *host)
{
	fake_of(host)->barriers++;
}

/* Not touched before it is used: alloc_pages() fills what it gives with garbage. */
static unsigned char *arena(uint64_t pages)
{
	void *ptr = NULL;

	assert_int_equal(posix_memalign(&ptr, FAKE_ALIGN, pages * FAKE_PAGE), 0);
	return ptr;
}

void fake_host_init(struct fake_host *fake, uint64_t pages, bool caches)
{
	*fake = (struct fake_host){
		.host = {
			.size = sizeof(struct dma_host),
			.priv = fake,
			.page_size = FAKE_PAGE,
			.ram_range = ram_range,
			.phys_to_virt = phys_to_virt,
			.virt_to_phys = virt_to_phys,
			.alloc_pages = alloc_pages,
			.free_pages = free_pages,
			.write_barrier = write_barrier,
		},
		.pages = pages,
		.base = FAKE_PHYS_BASE,
		.lowest_ceiling = ~(phys_addr_t)0,
	};
	fake->cpu = arena(pages);
	fake->device = caches ? arena(pages) : fake->cpu;
	fake->taken = calloc(pages, 1);
	assert_non_null(fake->taken);
	if (caches) {
		fake->host.cache_for_device = cache_for_device;
		fake->host.cache_flush = cache_flush;
	}
	assert_int_equal(dmamap_host_init(&fake->host), 0);
}

void fake_host_fini(struct fake_host *fake)
{
	assert_int_equal(fake->live, 0);
	assert_int_equal(dmamap_host_fini(&fake->host), 0);
	if (fake->device != fake->cpu)
		free(fake->device);
	free(fake->cpu);
	free(fake->taken);
}

const void *fake_device_ptr(const struct fake_host *fake, phys_addr_t phys)
{
	assert_true(phys >= fake->base && phys - fake->base < fake->pages * FAKE_PAGE);
	return fake->device + (phys - fake->base);
}

uint64_t fake_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t fake_seed(void)
{
	const char *text = getenv("DMAMAP_TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);

	printf("# DMAMAP_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}
