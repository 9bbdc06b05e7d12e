/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where allocated memory comes from, route by route, case by case under their ids (DIR, IOM, CMA), on the recording
 * host of the conformance tests.
 */
#include "spec/fixture.h"

static const struct fx_config uncached = { .noncoherent = true, .uncached = true };

/* --- the direct route */

static unsigned int calls;

/** The first page is wherever the host likes; then it listens. */
static phys_addr_t high_first(struct dma_host *host, const struct dma_page_request *request)
{
	struct fx *fx = host->priv;

	fx_log(fx, "pages")->addr = request->ceiling;
	if (calls++ == 0)
		return GIB(20);
	return fx_take_pages(fx, request);
}

static void forgiving_free(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	fx_log(host->priv, "free-pages")->addr = phys;
	if (phys != GIB(20))
		fx_give_pages(host->priv, phys, size);
}

static void high_host(struct fx *fx)
{
	calls = 0;
	fx->host.alloc_pages = high_first;
	fx->host.free_pages = forgiving_free;
}

static void DIR_31_page_out_of_reach_is_asked_for_again(void **state)
{
	const struct fx_config config = { .ram = { { 0, GIB(64) } }, .tweak = high_host };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;
	void *mem;

	(void)state;
	assert_int_equal(dma_set_coherent_mask(dev, DMA_BIT_MASK(34)), 0);
	mem = dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL);
	assert_non_null(mem);
	expect_order(fx, "pages free-pages pages T:alloc");
	assert_int_equal(fx_get(fx, "pages", 0)->addr, DMA_BIT_MASK(34));
	assert_int_equal(fx_get(fx, "free-pages", 0)->addr, GIB(20));
	assert_int_equal(fx_get(fx, "pages", 1)->addr, DMA_BIT_MASK(32));
	dma_free_coherent(dev, 4096, mem, handle);
	fx_free(fx);
}

static void DIR_33_zone_comes_last(void **state)
{
	const struct fx_config config = { .tweak = high_host, .zone_dma_limit = 0xffffff };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;
	void *mem;

	(void)state;
	assert_int_equal(dma_set_coherent_mask(dev, DMA_BIT_MASK(30)), 0);
	mem = dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL);
	assert_non_null(mem);
	assert_int_equal(fx_get(fx, "pages", 1)->addr, 0xffffff);
	dma_free_coherent(dev, 4096, mem, handle);
	fx_free(fx);
}

static void DIR_35_no_kernel_mapping(void **state)
{
	struct fx *fx = fx_new(&uncached);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;
	void *cookie = dma_alloc_attrs(dev, 8192, &handle, GFP_KERNEL, DMA_ATTR_NO_KERNEL_MAPPING);

	(void)state;
	assert_non_null(cookie);
	assert_ptr_not_equal(cookie, fx_ram(fx, handle));
	expect_order(fx, "prepare T:alloc");
	fx_clear(fx);
	dma_free_attrs(dev, 8192, fx_ram(fx, handle), handle, DMA_ATTR_NO_KERNEL_MAPPING);
	fx_reason(dev, DMA_REASON_NOT_ALLOCATED);
	expect_order(fx, "T:free warn");
	fx_clear(fx);
	dma_free_attrs(dev, 8192, cookie, handle, DMA_ATTR_NO_KERNEL_MAPPING);
	expect_order(fx, "T:free");
	assert_int_equal(fx->live_pages, 0);
	fx_free(fx);
}

static void DIR_37_not_blocking(void **state)
{
	const struct dma_atomic_config config = { .size = sizeof(config), .bytes = KIB(64) };
	struct fx *fx = fx_new(&uncached);
	struct dma_device *dev = fx_device(fx);
	struct dma_atomic_pool *pool;
	dma_addr_t handle[2];
	void *mem[2];

	(void)state;
	assert_int_equal(dma_atomic_pool_create(&fx->host, &config, &pool), 0);
	fx_clear(fx);
	mem[0] = dma_alloc_coherent(dev, 4096, &handle[0], GFP_ATOMIC);
	assert_non_null(mem[0]);
	expect_order(fx, "T:alloc"); /* no hook that may sleep */
	fx_clear(fx);
	mem[1] = dma_alloc_coherent(dev, 4096, &handle[1], GFP_KERNEL);
	expect_order(fx, "prepare uncached T:alloc");
	fx_clear(fx);
	dma_free_coherent(dev, 4096, mem[0], handle[0]);
	expect_order(fx, "T:free");
	dma_free_coherent(dev, 4096, mem[1], handle[1]);
	assert_int_equal(dma_atomic_pool_destroy(pool), 0);
	fx_free(fx);
}

static int convert_result;

static int convert(struct dma_host *host, phys_addr_t phys, uint64_t size, bool shared)
{
	struct fx_entry *entry = fx_log(host->priv, shared ? "share" : "unshare");

	entry->addr = phys;
	entry->size = size;
	return convert_result;
}

static bool needs_shared(struct dma_host *host, struct dma_device *dev)
{
	(void)host, (void)dev;
	return true;
}

static void confidential(struct fx *fx)
{
	fx->host.force_unencrypted = needs_shared;
	fx->host.set_shared = convert;
	convert_result = 0;
}

static const struct fx_config confidential_host = { .tweak = confidential };

static void DIR_39_conversion_fails(void **state)
{
	struct fx *fx = fx_new(&confidential_host);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;
	uint64_t lost;

	(void)state;
	convert_result = -DMAMAP_EIO;
	assert_null(dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL));
	fx_reason(dev, DMA_REASON_CONVERSION_FAILED);
	expect_order(fx, "share log T:alloc");
	/* lost on purpose: nobody may write secrets there */
	assert_int_equal(fx->live_pages, 1);
	assert_int_equal(dma_lost_bytes(&fx->host), 4096);
	lost = fx_get(fx, "share", 0)->addr;
	assert_null(dma_alloc_pages(dev, 8192, &handle, TO, GFP_KERNEL));
	fx_reason(dev, DMA_REASON_CONVERSION_FAILED);
	assert_int_equal(dma_lost_bytes(&fx->host), 3 * 4096);
	fx_give_pages(fx, lost, 4096);
	fx_give_pages(fx, fx_get(fx, "share", 1)->addr, 8192);
	fx_free(fx);
}

static void shared_memory(void **state)
{
	struct fx *fx = fx_new(&confidential_host);
	struct dma_device *dev = fx_device(fx);
	struct page *page;
	dma_addr_t handle;
	void *mem;

	(void)state;
	mem = dma_alloc_attrs(dev, 4096, &handle, GFP_KERNEL, DMA_ATTR_NO_KERNEL_MAPPING);
	assert_ptr_equal(mem, fx_ram(fx, handle)); /* the CPU has to convert it, so it has it */
	dma_free_attrs(dev, 4096, mem, handle, DMA_ATTR_NO_KERNEL_MAPPING);
	page = dma_alloc_pages(dev, 4096, &handle, TO, GFP_KERNEL);
	dma_free_pages(dev, 4096, page, handle, TO);
	expect_order(fx, "share T:alloc T:free unshare share T:alloc_pages T:free_pages unshare");
	fx_free(fx);
}

/** Not blocking, and shared: only a pool of shared memory will do. */
static void shared_atomic_pool(void **state)
{
	struct dma_atomic_config config = { .size = sizeof(config), .bytes = KIB(64) };
	struct fx *fx = fx_new(&confidential_host);
	struct dma_device *dev = fx_device(fx);
	struct dma_atomic_pool *pool;
	dma_addr_t handle;
	void *mem;

	(void)state;
	assert_int_equal(dma_atomic_pool_create(&fx->host, &config, &pool), -DMAMAP_EINVAL);
	config.shared = true;
	assert_int_equal(dma_atomic_pool_create(&fx->host, &config, &pool), 0);
	expect_order(fx, "share");
	fx_clear(fx);
	mem = dma_alloc_coherent(dev, 4096, &handle, GFP_ATOMIC);
	assert_non_null(mem);
	dma_free_coherent(dev, 4096, mem, handle);
	expect_order(fx, "T:alloc T:free");
	fx_clear(fx);
	assert_int_equal(dma_atomic_pool_destroy(pool), 0);
	expect_order(fx, "unshare");
	fx_free(fx);
}

static void DIR_41_sgtable(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	struct dma_device *io = fx_io(fx);
	struct dma_device *ops = fx_ops_device(fx, FX_PHYS | FX_MEMORY);
	struct sg_table sgt;
	dma_addr_t handle;
	uint64_t live = fx->live_pages;
	void *mem = dma_alloc_coherent(dev, 5000, &handle, GFP_KERNEL);

	(void)state;
	assert_int_equal(dma_get_sgtable(dev, &sgt, mem, handle, 5000), 0);
	assert_int_equal(sgt.orig_nents, 1);
	assert_int_equal(sgt.sgl->length, 8192);
	assert_int_equal(sg_phys(sgt.sgl), handle);
	sg_free_table(&sgt);
	sg_free_table(&sgt);
	fx->fail_at = 1;
	assert_int_equal(dma_get_sgtable(dev, &sgt, mem, handle, 5000), -DMAMAP_ENOMEM);
	assert_int_equal(dma_get_sgtable(dev, &sgt, NULL, handle, 5000), -DMAMAP_EINVAL);
	dma_free_coherent(dev, 5000, mem, handle);
	mem = dma_alloc_coherent(io, 5000, &handle, GFP_KERNEL);
	assert_int_equal(dma_get_sgtable(io, &sgt, mem, handle, 5000), 0);
	assert_ptr_equal(fx_ram(fx, sg_phys(sgt.sgl)), mem);
	sg_free_table(&sgt);
	dma_free_coherent(io, 5000, mem, handle);
	assert_int_equal(dma_get_sgtable(io, &sgt, mem, handle, 5000), -DMAMAP_EINVAL);
	fx_reason(io, DMA_REASON_NOT_ALLOCATED);
	assert_int_equal(dma_get_sgtable(ops, &sgt, mem, handle, 5000), -DMAMAP_ENXIO);
	assert_true(fx->live_pages <= live + 10); /* tables and a window may stay */
	fx_free(fx);
}

/* --- behind an IOMMU */

static void IOM_60_single_pages(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	struct sg_table *sgt = dma_alloc_noncontiguous(dev, 8 * 4096, BIDI, GFP_KERNEL,
						       DMA_ATTR_ALLOC_SINGLE_PAGES);
	struct scatterlist *sg;
	uint64_t size;
	unsigned int i;

	(void)state;
	assert_non_null(sgt);
	assert_int_equal(sgt->nents, 1);
	assert_int_equal(sgt->orig_nents, 8);
	assert_int_equal(sg_dma_len(sgt->sgl), 8 * 4096);
	for_each_sg(sgt->sgl, sg, 8, i)
	{
		assert_int_equal(sg->length, 4096);
		assert_int_equal(fx_translate(fx, sg_dma_address(sgt->sgl) + i * 4096),
				 sg_phys(sg));
		assert_int_equal(fx_walk(fx, sg_dma_address(sgt->sgl) + i * 4096, &size) & 3, 3);
	}
	dma_free_noncontiguous(dev, 8 * 4096, sgt, BIDI);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	expect_count(fx, "warn", 0);
	fx_free(fx);
}

static void *map_pages(struct dma_host *host, struct scatterlist *sgl, unsigned int nents,
		       uint64_t size)
{
	(void)sgl;
	fx_log(host->priv, "map-pages")->extra = nents;
	return malloc(size);
}

static void unmap_pages(struct dma_host *host, void *ptr)
{
	fx_log(host->priv, "unmap-pages");
	free(ptr);
}

static void with_page_tables(struct fx *fx)
{
	fx->host.map_pages = map_pages;
	fx->host.unmap_pages = unmap_pages;
}

/** Two pages with a gap between them, for which the host has one address or none. */
static void vmap(bool has_hook)
{
	const struct fx_config config = { .tweak = has_hook ? with_page_tables : NULL };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_io(fx);
	dma_addr_t gap[5];
	struct sg_table *sgt;
	void *mem[5];
	void *ptr;

	for (unsigned int i = 0; i < 5; i++)
		mem[i] = dma_alloc_coherent(dev, 4096, &gap[i], GFP_KERNEL);
	/* the list goes into the first gap, a piece into the second, the other behind them all */
	dma_free_coherent(dev, 4096, mem[1], gap[1]);
	dma_free_coherent(dev, 4096, mem[3], gap[3]);
	sgt = dma_alloc_noncontiguous(dev, 8192, TO, GFP_KERNEL, DMA_ATTR_ALLOC_SINGLE_PAGES);
	assert_true(sg_phys(sgt->sgl + 1) != sg_phys(sgt->sgl) + 4096);
	fx_clear(fx);
	ptr = dma_vmap_noncontiguous(dev, 8192, sgt);
	if (has_hook)
		assert_int_equal(fx_get(fx, "map-pages", 0)->extra, 2);
	else
		fx_reason(dev, DMA_REASON_NOT_CONTIGUOUS);
	assert_true(has_hook == (ptr != NULL));
	dma_vunmap_noncontiguous(dev, ptr);
	expect_count(fx, "unmap-pages", has_hook);
	dma_free_noncontiguous(dev, 8192, sgt, TO);
	for (unsigned int i = 0; i < 5; i += 2)
		dma_free_coherent(dev, 4096, mem[i], gap[i]);
	fx_free(fx);
}

static void one_address_for_pieces(void **state)
{
	(void)state;
	vmap(true);
	vmap(false);
}

/** A backend that fails in the middle of a list leaves nothing behind. */
static void pieces_refused_by_the_backend(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_domain *domain = fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT);
	struct dma_device *dev = fx_behind(fx, domain);

	(void)state;
	for (unsigned int at = 0; at < 3; at++) {
		fb->map_result = at < 2 ? -DMAMAP_EIO : 0;
		fb->sync_map_result = at < 2 ? 0 : -DMAMAP_EIO;
		fb->fail_at = at + 1;
		assert_null(dma_alloc_noncontiguous(dev, 80 * 4096, TO, GFP_KERNEL,
						    DMA_ATTR_ALLOC_SINGLE_PAGES));
		fx_reason(dev, DMA_REASON_BACKEND);
		assert_int_equal(fx_iova_bytes(domain), 0);
		assert_int_equal(dma_device_live(dev), 0);
	}
	assert_int_equal(fb->violations, 0);
	fx_free(fx);
}

/* --- the contiguous allocator */

static phys_addr_t contiguous(struct dma_host *host, const struct dma_page_request *request)
{
	struct fx_entry *entry = fx_log(host->priv, "contiguous");

	entry->size = request->size;
	entry->extra = request->align;
	return fx_take_pages(host->priv, request);
}

static bool free_contiguous(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	fx_log(host->priv, "free-contiguous");
	fx_give_pages(host->priv, phys, size);
	return true;
}

static void contiguous_host(struct fx *fx)
{
	fx->host.alloc_contiguous = contiguous;
	fx->host.free_contiguous = free_contiguous;
}

static void alloc_and_free(struct dma_device *dev, size_t size, gfp_t gfp)
{
	dma_addr_t handle;
	void *mem = dma_alloc_coherent(dev, size, &handle, gfp);

	assert_non_null(mem);
	dma_free_coherent(dev, size, mem, handle);
}

static bool not_mine(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	(void)phys, (void)size;
	fx_log(host->priv, "not-mine");
	return false;
}

static void discerning_host(struct fx *fx)
{
	contiguous_host(fx);
	fx->host.free_contiguous = not_mine;
}

static void CMA_1_not_blocking(void **state)
{
	const struct fx_config config = { .tweak = discerning_host };
	struct fx *fx = fx_new(&config);

	(void)state;
	alloc_and_free(fx_device(fx), MIB(1), GFP_ATOMIC);
	expect_order(fx, "T:alloc T:free not-mine");
	fx_free(fx);
}

static void CMA_2_one_page(void **state)
{
	const struct fx_config config = { .tweak = contiguous_host };
	struct fx *fx = fx_new(&config);

	(void)state;
	alloc_and_free(fx_device(fx), 4096, GFP_KERNEL);
	expect_order(fx, "T:alloc T:free");
	fx_free(fx);
}

static void CMA_3_alignment(void **state)
{
	const struct fx_config config = { .tweak = contiguous_host };
	struct fx *fx = fx_new(&config);
	struct dma_device *devs[2];

	(void)state;
	devs[0] = fx_device(fx);
	devs[1] = fx_io(fx);
	for (unsigned int i = 0; i < 2; i++) {
		fx_clear(fx);
		alloc_and_free(devs[i], MIB(4), GFP_KERNEL);
		assert_int_equal(fx_get(fx, "contiguous", 0)->extra, MIB(1));
		alloc_and_free(devs[i], KIB(20), GFP_KERNEL);
		assert_int_equal(fx_get(fx, "contiguous", 1)->extra, KIB(32));
		expect_count(fx, "free-contiguous", 2);
	}
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(DIR_31_page_out_of_reach_is_asked_for_again),
		cmocka_unit_test(DIR_33_zone_comes_last),
		cmocka_unit_test(DIR_35_no_kernel_mapping),
		cmocka_unit_test(DIR_37_not_blocking),
		cmocka_unit_test(DIR_39_conversion_fails),
		cmocka_unit_test(shared_memory),
		cmocka_unit_test(shared_atomic_pool),
		cmocka_unit_test(DIR_41_sgtable),
		cmocka_unit_test(IOM_60_single_pages),
		cmocka_unit_test(one_address_for_pieces),
		cmocka_unit_test(pieces_refused_by_the_backend),
		cmocka_unit_test(CMA_1_not_blocking),
		cmocka_unit_test(CMA_2_one_page),
		cmocka_unit_test(CMA_3_alignment),
	};

	return FX_RUN(tests);
}
