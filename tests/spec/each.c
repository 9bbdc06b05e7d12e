/* SPDX-License-Identifier: BSD-2-Clause */
/* See each.h. */
#include "each.h"

/** A call failed for want of memory, and left nothing behind. */
static void failed(struct run *run, struct dma_device *dev, uint64_t live, const char *trace)
{
	struct dma_error err;
	char text[64];

	run->failures++;
	assert_int_equal(dma_last_error(dev, &err), 0);
	fx_reason(dev, run->full && err.reason == run->full ? run->full : DMA_REASON_NO_MEMORY);
	assert_int_equal(dma_device_live(dev), live);
	snprintf(text, sizeof(text), "reason=%s", dma_reason_name(err.reason));
	assert_non_null(strstr(fx_get(run->fx, trace, fx_count(run->fx, trace) - 1)->text, text));
}

dma_addr_t run_map(struct run *run, struct dma_device *dev, uint64_t phys, size_t size,
		   unsigned long attrs)
{
	uint64_t live = dma_device_live(dev);
	unsigned int clean = fx_count(run->fx, "sanitize");
	dma_addr_t addr = dma_map_phys(dev, phys, size, BIDI, attrs);

	if (addr != E)
		return addr;
	failed(run, dev, live, "T:map_phys");
	expect_count(run->fx, "sanitize", clean);
	addr = dma_map_phys(dev, phys, size, BIDI, attrs);
	assert_int_not_equal(addr, E);
	return addr;
}

void run_map_list(struct run *run, struct dma_device *dev, struct scatterlist *sgl, int n)
{
	uint64_t live = dma_device_live(dev);

	if (dma_map_sg(dev, sgl, n, BIDI))
		return;
	failed(run, dev, live, "T:map_sg_err");
	assert_true(dma_map_sg(dev, sgl, n, BIDI) > 0);
}

void *run_alloc(struct run *run, struct dma_device *dev, size_t size, dma_addr_t *handle, gfp_t gfp)
{
	uint64_t live = dma_device_live(dev);
	void *mem = dma_alloc_coherent(dev, size, handle, gfp);

	if (mem)
		return mem;
	failed(run, dev, live, "T:alloc");
	mem = dma_alloc_coherent(dev, size, handle, gfp);
	assert_non_null(mem);
	return mem;
}

struct dma_bounce *run_pool(struct run *run, uint64_t bytes, uint64_t max_bytes)
{
	const struct dma_bounce_config config = { .size = sizeof(config),
						  .bytes = bytes,
						  .max_bytes = max_bytes };
	struct fx *fx = run->fx;
	int err = dma_bounce_create(&fx->host, &config, &fx->pool[fx->nr_pool]);

	if (err) {
		assert_int_equal(err, -DMAMAP_ENOMEM);
		assert_int_equal(fx->live_pages, 0);
		run->failures++;
		assert_int_equal(dma_bounce_create(&fx->host, &config, &fx->pool[fx->nr_pool]), 0);
	}
	return fx->pool[fx->nr_pool++];
}

unsigned int each_fails_in_turn(const struct fx_config *config, void (*scenario)(struct run *run))
{
	for (unsigned int n = 1;; n++) {
		struct run run = { .fx = fx_new(config) };
		bool done;

		run.fx->fail_at = n;
		scenario(&run);
		done = run.fx->fail_at != 0;
		/* A request may have a second way (alignment, smaller tables), but never two failures. */
		assert_true(run.failures <= (done ? 0 : 1));
		run.fx->fail_at = 0;
		fx_free(run.fx);
		if (done)
			return n - 1;
	}
}
