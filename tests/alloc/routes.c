/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocated memory on every route, with data moved by the device: coherent memory needs no sync, pages and pieces need
 * theirs, and every form is gone afterwards. Each scenario also runs with each of its requests for pages failing.
 */
#include "world.h"

/** A call failed: for want of memory or by the table's method, and nothing is held. Count it; it is tried again. */
static void failed(struct world *w, uint64_t live)
{
	struct dma_error err;

	assert_int_equal(dma_last_error(w->dev, &err), 0);
	if (err.reason != DMA_REASON_NO_MEMORY && err.reason != DMA_REASON_METHOD_FAILED)
		fail_msg("%s: %s", world_names[w->kind], dma_reason_name(err.reason));
	assert_int_equal(dma_device_live(w->dev), live);
	w->failures++;
}

/** Evaluate @call until it succeeds, which it does the second time at the latest. */
#define RETRY(w, result, call)                                    \
	do {                                                      \
		uint64_t live_before = dma_device_live((w)->dev); \
                                                                  \
		(result) = (call);                                \
		if (!(result)) {                                  \
			failed((w), live_before);                 \
			(result) = (call);                        \
			assert_non_null((result));                \
		}                                                 \
	} while (0)

/* --- coherent memory: both sides see it alike */

static void talk(struct world *w, unsigned char *mem, dma_addr_t handle, size_t size)
{
	unsigned char *here = malloc(size);
	unsigned char *there = malloc(size);

	assert_non_null(here);
	assert_non_null(there);
	fill(here, size, 1);
	memcpy(mem, here, size);
	device_read(w, handle, there, size);
	assert_memory_equal(here, there, size);
	fill(there, size, 2);
	device_write(w, handle, there, size);
	assert_memory_equal(mem, there, size);
	free(here);
	free(there);
}

static void coherent(struct world *w)
{
	static const size_t sizes[] = { 1, 4096, 5000, 65536, 300000 };
	unsigned char *mem[5];
	dma_addr_t handle[5];

	for (unsigned int i = 0; i < 5; i++) {
		RETRY(w, mem[i], dma_alloc_coherent(w->dev, sizes[i], &handle[i], GFP_KERNEL));
		assert_int_equal(handle[i] % 4096, 0);
		assert_true(is_zero(mem[i], sizes[i]));
		talk(w, mem[i], handle[i], sizes[i]);
	}
	assert_int_equal(dma_device_live(w->dev), 5);
	for (unsigned int i = 0; i < 5; i++)
		dma_free_coherent(w->dev, sizes[i], mem[i], handle[i]);
	assert_int_equal(dma_device_live(w->dev), 0);
	if (w->domain)
		assert_true(device_faults(w, handle[0]));
}

static void every_attribute(struct world *w)
{
	static const unsigned long attrs[] = {
		DMA_ATTR_WEAK_ORDERING,
		DMA_ATTR_WRITE_COMBINE,
		DMA_ATTR_FORCE_CONTIGUOUS,
		DMA_ATTR_ALLOC_SINGLE_PAGES,
		DMA_ATTR_NO_WARN,
		DMA_ATTR_PRIVILEGED,
		1ul << 20,
	};
	unsigned char *mem;
	dma_addr_t handle;

	for (unsigned int i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		RETRY(w, mem, dma_alloc_attrs(w->dev, 9000, &handle, GFP_KERNEL, attrs[i]));
		talk(w, mem, handle, 9000);
		dma_free_attrs(w->dev, 9000, mem, handle, attrs[i]);
	}
}

/** Memory that the CPU does not see: the device does, and finds it zeroed. */
static void no_kernel_mapping(struct world *w)
{
	unsigned char bytes[6000];
	dma_addr_t handle;
	void *cookie;

	RETRY(w, cookie,
	      dma_alloc_attrs(w->dev, 6000, &handle, GFP_KERNEL, DMA_ATTR_NO_KERNEL_MAPPING));
	device_read(w, handle, bytes, sizeof(bytes));
	assert_true(is_zero(bytes, sizeof(bytes)));
	fill(bytes, sizeof(bytes), 3);
	device_write(w, handle, bytes, sizeof(bytes));
	if (dma_device_route(w->dev) == DMA_ROUTE_DIRECT)
		assert_true((uintptr_t)cookie % 64 == 0);
	dma_free_attrs(w->dev, 6000, cookie, handle, DMA_ATTR_NO_KERNEL_MAPPING);
	assert_int_equal(dma_device_live(w->dev), 0);
}

/* --- pages: synced like a mapping */

static void pass(struct world *w, unsigned char *mem, dma_addr_t handle, size_t size,
		 enum dma_data_direction dir)
{
	unsigned char *bytes = malloc(size);

	assert_non_null(bytes);
	fill(mem, size, 4);
	dma_sync_single_for_device(w->dev, handle, size, dir);
	if (dir != DMA_FROM_DEVICE) {
		device_read(w, handle, bytes, size);
		assert_memory_equal(mem, bytes, size);
	}
	if (dir != DMA_TO_DEVICE) {
		fill(bytes, size, 5);
		device_write(w, handle, bytes, size);
		dma_sync_single_for_cpu(w->dev, handle, size, dir);
		assert_memory_equal(mem, bytes, size);
	}
	free(bytes);
}

static void pages(struct world *w)
{
	struct dma_host *host = dma_device_host(w->dev);

	for (enum dma_data_direction dir = 0; dir <= DMA_FROM_DEVICE; dir++) {
		for (size_t size = 100; size < 200000; size *= 7) {
			dma_addr_t handle;
			unsigned char *mem;
			struct page *page;

			RETRY(w, page, dma_alloc_pages(w->dev, size, &handle, dir, GFP_KERNEL));
			mem = host->phys_to_virt(host, dmamap_page_to_phys(page));
			assert_true(is_zero(mem, size));
			pass(w, mem, handle, size, dir);
			dma_free_pages(w->dev, size, page, handle, dir);
		}
	}
	assert_int_equal(dma_device_live(w->dev), 0);
}

static void by_pointer(struct world *w)
{
	dma_addr_t handle;
	unsigned char *mem;

	RETRY(w, mem, dma_alloc_noncoherent(w->dev, 7777, &handle, DMA_BIDIRECTIONAL, GFP_KERNEL));
	assert_true(is_zero(mem, 7777));
	pass(w, mem, handle, 7777, DMA_BIDIRECTIONAL);
	dma_free_noncoherent(w->dev, 7777, mem, handle, DMA_BIDIRECTIONAL);
	assert_int_equal(dma_device_live(w->dev), 0);
}

/* --- pieces: one range for the device */

static void for_pieces(struct world *w, const struct sg_table *sgt, unsigned char *bytes,
		       bool write)
{
	struct dma_host *host = dma_device_host(w->dev);
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(sgt->sgl, sg, sgt->orig_nents, i)
	{
		unsigned char *mem = host->phys_to_virt(host, sg_phys(sg));

		if (write)
			memcpy(mem, bytes, sg->length);
		else
			memcpy(bytes, mem, sg->length);
		bytes += sg->length;
	}
}

static void exchange(struct world *w, struct sg_table *sgt, size_t size)
{
	unsigned char *here = malloc(size);
	unsigned char *there = malloc(size);

	assert_non_null(here);
	assert_non_null(there);
	assert_int_equal(sgt->nents, 1);
	assert_int_equal(sg_dma_len(sgt->sgl), size);
	for_pieces(w, sgt, here, false);
	assert_true(is_zero(here, size));
	fill(here, size, 6);
	for_pieces(w, sgt, here, true);
	dma_sync_sgtable_for_device(w->dev, sgt, DMA_BIDIRECTIONAL);
	device_read(w, sg_dma_address(sgt->sgl), there, size);
	assert_memory_equal(here, there, size);
	fill(there, size, 7);
	device_write(w, sg_dma_address(sgt->sgl), there, size);
	dma_sync_sgtable_for_cpu(w->dev, sgt, DMA_BIDIRECTIONAL);
	for_pieces(w, sgt, here, false);
	assert_memory_equal(here, there, size);
	free(here);
	free(there);
}

static void pieces(struct world *w)
{
	static const size_t sizes[] = { 4096, 0x3000, 0x1f000 };

	for (unsigned int i = 0; i < 6; i++) {
		unsigned long attrs = i & 1 ? DMA_ATTR_ALLOC_SINGLE_PAGES : 0;
		size_t size = sizes[i / 2];
		struct sg_table *sgt;

		RETRY(w, sgt,
		      dma_alloc_noncontiguous(w->dev, size - 5, DMA_BIDIRECTIONAL, GFP_KERNEL,
					      attrs));
		exchange(w, sgt, size);
		dma_free_noncontiguous(w->dev, size - 5, sgt, DMA_BIDIRECTIONAL);
	}
	assert_int_equal(dma_device_live(w->dev), 0);
}

/** More pieces than a page of the list holds; and blocks of the table's large pages where the host has them. */
static void many_pieces(struct world *w)
{
	struct sg_table *sgt;

	if (!w->domain)
		return;
	sgt = dma_alloc_noncontiguous(w->dev, MIB(1), DMA_BIDIRECTIONAL, GFP_KERNEL,
				      DMA_ATTR_ALLOC_SINGLE_PAGES);
	assert_non_null(sgt);
	assert_int_equal(sgt->orig_nents, 256);
	exchange(w, sgt, MIB(1));
	dma_free_noncontiguous(w->dev, MIB(1), sgt, DMA_BIDIRECTIONAL);
	sgt = dma_alloc_noncontiguous(w->dev, MIB(5), DMA_BIDIRECTIONAL, GFP_KERNEL, 0);
	assert_non_null(sgt);
	assert_int_equal(sgt->sgl->length, MIB(2));
	assert_int_equal(sgt->orig_nents, 2 + 256);
	exchange(w, sgt, MIB(5));
	dma_free_noncontiguous(w->dev, MIB(5), sgt, DMA_BIDIRECTIONAL);
	world_limit_blocks(KIB(64));
	sgt = dma_alloc_noncontiguous(w->dev, MIB(5), DMA_BIDIRECTIONAL, GFP_KERNEL, 0);
	assert_non_null(sgt);
	assert_int_equal(sgt->orig_nents, 5 * 256);
	exchange(w, sgt, MIB(5));
	dma_free_noncontiguous(w->dev, MIB(5), sgt, DMA_BIDIRECTIONAL);
}

/* --- managed memory, and pools of blocks */

static void blocks(struct world *w)
{
	unsigned char *block[200];
	dma_addr_t handle[200];
	struct dma_pool *pool;

	RETRY(w, pool, dma_pool_create("blocks", w->dev, 100, 64, 0));
	for (unsigned int i = 0; i < 200; i++) {
		RETRY(w, block[i], dma_pool_zalloc(pool, GFP_KERNEL, &handle[i]));
		assert_int_equal(handle[i] % 64, 0);
		assert_true(is_zero(block[i], 100));
		fill(block[i], 128, i);
	}
	for (unsigned int i = 0; i < 200; i++) {
		unsigned char mine[128];
		unsigned char seen[128];

		fill(mine, 128, i);
		device_read(w, handle[i], seen, 128);
		assert_memory_equal(mine, seen, 128);
		dma_pool_free(pool, block[i], handle[i]);
	}
	dma_pool_destroy(pool);
	assert_int_equal(dma_device_live(w->dev), 0);
}

/** Nothing is freed here: the end of the device does it. */
static void managed(struct world *w)
{
	struct dma_pool *pool;
	dma_addr_t handle;
	void *block;
	void *mem;

	for (unsigned int i = 0; i < 3; i++) {
		RETRY(w, mem, dmam_alloc_coherent(w->dev, 5000, &handle, GFP_KERNEL));
		talk(w, mem, handle, 5000);
	}
	dmam_free_coherent(w->dev, 5000, mem, handle);
	RETRY(w, pool, dmam_pool_create("managed", w->dev, 64, 0, 0));
	RETRY(w, block, dma_pool_alloc(pool, GFP_KERNEL, &handle));
	dma_pool_free(pool, block, handle);
}

/* --- the cases */

static void coherent_memory(void **state)
{
	(void)state;
	on_every_route(coherent);
	on_every_route(every_attribute);
	on_every_route(no_kernel_mapping);
}

static void coherent_memory_failing(void **state)
{
	(void)state;
	each_failure_on_every_route(coherent);
	each_failure_on_every_route(no_kernel_mapping);
}

static void pages_and_pointers(void **state)
{
	(void)state;
	on_every_route(pages);
	on_every_route(by_pointer);
}

static void pages_failing(void **state)
{
	(void)state;
	each_failure_on_every_route(pages);
	each_failure_on_every_route(by_pointer);
}

static void memory_in_pieces(void **state)
{
	(void)state;
	on_every_route(pieces);
	on_every_route(many_pieces);
}

static void pieces_failing(void **state)
{
	(void)state;
	each_failure_on_every_route(pieces);
}

static void pools_of_blocks(void **state)
{
	(void)state;
	on_every_route(blocks);
}

static void pools_failing(void **state)
{
	(void)state;
	each_failure_on_every_route(blocks);
}

static void managed_memory(void **state)
{
	(void)state;
	on_every_route(managed);
}

static void managed_failing(void **state)
{
	(void)state;
	each_failure_on_every_route(managed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(coherent_memory),    cmocka_unit_test(coherent_memory_failing),
		cmocka_unit_test(pages_and_pointers), cmocka_unit_test(pages_failing),
		cmocka_unit_test(memory_in_pieces),   cmocka_unit_test(pieces_failing),
		cmocka_unit_test(pools_of_blocks),    cmocka_unit_test(pools_failing),
		cmocka_unit_test(managed_memory),     cmocka_unit_test(managed_failing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
