/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The direct route: maps that are an addition, and maps that bounce.
 */
#include <stdlib.h>

#include "bench.h"

struct direct {
	struct bench_machine *machine;
	struct dma_bounce *pool;
	struct dma_device dev;
	phys_addr_t buffer;
};

static void close_direct(void *state)
{
	struct direct *d = state;

	dmamap_device_fini(&d->dev);
	if (d->pool)
		dmamap_bounce_destroy(d->pool);
	bench_machine_destroy(d->machine);
	free(d);
}

static struct direct *open_with(uint64_t mask, bool bounce)
{
	struct dma_bounce_config config = { .size = sizeof(config),
					    .bytes = 4 << 20,
					    .ceiling = ~(phys_addr_t)0 };
	struct direct *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->machine = bench_machine_create((uint64_t)64 << 20);
	if (!d->machine || dmamap_device_init(&d->dev, sizeof(d->dev), bench_host(d->machine)) ||
	    (bounce && dmamap_bounce_create(bench_host(d->machine), &config, &d->pool)) ||
	    dmamap_device_set_bounce(&d->dev, d->pool) ||
	    dmamap_device_set_force_bounce(&d->dev, bounce) ||
	    dmamap_set_mask_and_coherent(&d->dev, mask)) {
		close_direct(d);
		return NULL;
	}
	d->buffer = bench_buffers(d->machine, 4096);
	return d;
}

static void *open_direct(void)
{
	return open_with(DMA_BIT_MASK(64), false);
}

static void *open_bounce(void)
{
	return open_with(DMA_BIT_MASK(64), true);
}

static bool run_pairs(struct direct *d, uint64_t n, size_t size)
{
	for (uint64_t i = 0; i < n; i++) {
		dma_addr_t addr = dma_map_phys(&d->dev, d->buffer, size, DMA_TO_DEVICE, 0);

		if (dma_mapping_error(&d->dev, addr))
			return false;
		dma_unmap_phys(&d->dev, addr, size, DMA_TO_DEVICE, 0);
		__asm__ volatile("" : : "r"(addr) : "memory");
	}
	return true;
}

static bool run_64(void *state, uint64_t n)
{
	return run_pairs(state, n, 64);
}

static bool run_4k(void *state, uint64_t n)
{
	return run_pairs(state, n, 4096);
}

const struct bench_op bench_direct = {
	.name = "direct-4k",
	.what = "direct: map + unmap 4 KiB",
	.open = open_direct,
	.run = run_4k,
	.close = close_direct,
	.threads = true,
};

const struct bench_op bench_bounce_64 = {
	.name = "bounce-64",
	.what = "bounce: map + unmap 64 B to the device",
	.open = open_bounce,
	.run = run_64,
	.close = close_direct,
	.threads = true,
};

const struct bench_op bench_bounce_4k = {
	.name = "bounce-4k",
	.what = "bounce: map + unmap 4 KiB to the device",
	.open = open_bounce,
	.run = run_4k,
	.close = close_direct,
	.threads = true,
};
