/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocated memory, case by case under their ids (DSP, DIR, IOM, CMA), on the recording host of the conformance tests.
 */
#include "spec/fixture.h"

static const struct fx_config uncached = { .noncoherent = true, .uncached = true };

/* --- dispatch */

static void DSP_38_declared_memory_exhausted(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle[2];
	uint64_t before;
	void *mem;

	(void)state;
	assert_int_equal(dma_declare_coherent_memory(dev, 0x1000000, 0x5000000, 4096), 0);
	mem = dma_alloc_coherent(dev, 4096, &handle[0], GFP_KERNEL);
	assert_ptr_equal(mem, fx_ram(fx, 0x1000000));
	assert_int_equal(handle[0], 0x5000000);
	before = fx->allocs;
	fx_clear(fx);
	assert_null(dma_alloc_coherent(dev, 4096, &handle[1], GFP_KERNEL));
	assert_int_equal(fx->allocs, before);
	expect_order(fx, "T:alloc");
	assert_int_equal(fx_get(fx, "T:alloc", 0)->addr, 0);
	fx_reason(dev, DMA_REASON_DECLARED_EXHAUSTED);
	fx_clear(fx);
	/* the kernel has no record of this release; we have one */
	dma_free_coherent(dev, 4096, mem, handle[0]);
	expect_order(fx, "T:free");
	assert_null(fx_get(fx, "T:free", 0)->linux_text);
	fx_free(fx);
}

static void refused_pages(struct fx *fx, struct dma_device *dev, gfp_t gfp, enum dma_reason reason,
			  unsigned int warnings)
{
	dma_addr_t handle;

	fx_clear(fx);
	assert_null(dma_alloc_pages(dev, 4096, &handle, TO, gfp));
	fx_reason(dev, reason);
	expect_count(fx, "warn", warnings);
	expect_count(fx, "T:alloc_pages", 1);
	assert_null(fx_get(fx, "T:alloc_pages", 0)->linux_text);
}

static void DSP_39_pages_refused(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	struct dma_device *io = fx_io(fx);
	dma_addr_t handle;

	(void)state;
	refused_pages(fx, dev, GFP_KERNEL | GFP_DMA32, DMA_REASON_BAD_FLAGS, 1);
	refused_pages(fx, dev, GFP_KERNEL | __GFP_COMP, DMA_REASON_BAD_FLAGS, 0);
	assert_int_equal(dma_set_coherent_mask(io, 0), 0);
	refused_pages(fx, io, GFP_KERNEL, DMA_REASON_NO_MASK, 1);
	refused_pages(fx, io, GFP_KERNEL, DMA_REASON_NO_MASK, 0);
	assert_null(dma_alloc_pages(dev, 4096, NULL, TO, GFP_KERNEL));
	fx_reason(dev, DMA_REASON_BAD_ARGUMENT);
	assert_null(dma_alloc_pages(dev, 0, &handle, TO, GFP_KERNEL));
	fx_reason(dev, DMA_REASON_ZERO_SIZE);
	assert_null(dma_alloc_pages(dev, SIZE_MAX, &handle, TO, GFP_KERNEL));
	fx_reason(dev, DMA_REASON_ADDRESS_WRAP);
	fx_clear(fx);
	assert_null(dma_alloc_pages(dev, 4096, &handle, BAD_DIR, GFP_KERNEL));
	fx_reason(dev, DMA_REASON_BAD_DIRECTION);
	expect_order(fx, "fatal T:alloc_pages");
	fx_free(fx);
}

static void DSP_40_pages_of_100_bytes(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;
	struct page *page = dma_alloc_pages(dev, 100, &handle, FROM, GFP_KERNEL);

	(void)state;
	assert_int_equal(dmamap_page_to_phys(page), handle);
	assert_int_equal(fx->last_request.size, 4096);
	expect_order(fx, "T:alloc_pages");
	assert_int_equal(fx_get(fx, "T:alloc_pages", 0)->size, 100);
	assert_int_equal(fx_get(fx, "T:alloc_pages", 0)->dir, FROM);
	assert_true(fx_all(fx, handle, 4096, 0));
	fx_clear(fx);
	dma_free_pages(dev, 100, page, handle, FROM);
	expect_order(fx, "T:free_pages");
	assert_int_equal(fx->live_pages, 0);
	fx_free(fx);
}

static void DSP_41_pieces_with_attributes(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_null(dma_alloc_noncontiguous(dev, 4096, TO, GFP_KERNEL, DMA_ATTR_WRITE_COMBINE));
	expect_order(fx, "warn T:alloc_sgt_err");
	fx_reason(dev, DMA_REASON_BAD_FLAGS);
	assert_null(dma_alloc_noncontiguous(dev, 1ull << 32, TO, GFP_KERNEL, 0));
	fx_reason(dev, DMA_REASON_BAD_LIST);
	fx_free(fx);
}

static void DSP_42_pieces_without_iommu(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	struct sg_table *sgt = dma_alloc_noncontiguous(dev, 0x3000, TO, GFP_KERNEL, 0);

	(void)state;
	assert_int_equal(sgt->nents, 1);
	assert_int_equal(sgt->orig_nents, 1);
	assert_int_equal(sgt->sgl->length, 0x3000);
	assert_int_equal(sg_dma_len(sgt->sgl), 0x3000);
	assert_int_equal(sg_dma_address(sgt->sgl), sg_phys(sgt->sgl));
	assert_true(sg_is_last(sgt->sgl));
	assert_ptr_equal(dma_vmap_noncontiguous(dev, 0x3000, sgt), fx_ram(fx, sg_phys(sgt->sgl)));
	dma_vunmap_noncontiguous(dev, fx_ram(fx, sg_phys(sgt->sgl)));
	expect_order(fx, "T:alloc_sgt");
	fx_clear(fx);
	dma_free_noncontiguous(dev, 0x3000, sgt, TO);
	dma_free_noncontiguous(dev, 0x3000, NULL, TO);
	expect_order(fx, "T:free_sgt T:free_sgt");
	fx_free(fx);
}

static void DSP_46_managed_free_of_unknown(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;
	void *mem = dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL);

	(void)state;
	fx_clear(fx);
	dmam_free_coherent(dev, 4096, mem, handle);
	expect_order(fx, "warn T:free");
	fx_reason(dev, DMA_REASON_NOT_MANAGED);
	assert_int_equal(fx->live_pages, 0);
	fx_free(fx);
}

static void DSP_47_managed_free_with_other_size(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;
	void *mem = dmam_alloc_coherent(dev, 8192, &handle, GFP_KERNEL);

	(void)state;
	fx_clear(fx);
	dmam_free_coherent(dev, 4096, mem, handle);
	expect_order(fx, "warn T:free");
	fx_reason(dev, DMA_REASON_NOT_ALLOCATED);
	/* freed as it was allocated, whatever the caller said */
	assert_int_equal(fx_get(fx, "T:free", 0)->size, 8192);
	fx_clear(fx);
	dmam_free_coherent(dev, 8192, mem, handle);
	fx_message(fx, "warn", 2);
	fx_free(fx);
}

/** The end of the device frees what is managed, the newest first. */
static void managed_in_reverse_order(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle[3];

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		assert_non_null(dmam_alloc_coherent(dev, 4096, &handle[i], GFP_KERNEL));
	fx_clear(fx);
	assert_int_equal(dma_device_fini(dev), 0);
	expect_order(fx, "T:free T:free T:free");
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(fx_get(fx, "T:free", i)->addr, handle[2 - i]);
	fx->nr_dev = 0;
	fx_free(fx);
}

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
	assert_true(fx->live_pages <= live + 8); /* tables may stay */
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

/* --- records */

static void expect_text(struct fx *fx, const char *what, const char *text)
{
	assert_string_equal(fx_get(fx, what, 0)->text, text);
	assert_string_equal(fx_get(fx, what, 0)->linux_text, text);
}

static void records(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	struct sg_table *sgt;
	struct page *page;
	dma_addr_t handle;
	char text[256];

	(void)state;
	page = dma_alloc_pages(dev, 100, &handle, TO, GFP_KERNEL | __GFP_ZERO);
	snprintf(text, sizeof(text),
		 "dma_alloc_pages: 0000:00:03.0 dir=TO_DEVICE dma_addr=%llx size=100 "
		 "virt_addr=%llx flags=GFP_KERNEL|__GFP_ZERO attrs=",
		 (unsigned long long)handle, (unsigned long long)(uintptr_t)fx_ram(fx, handle));
	expect_text(fx, "T:alloc_pages", text);
	dma_free_pages(dev, 100, page, handle, TO);
	snprintf(text, sizeof(text),
		 "dma_free_pages: 0000:00:03.0 dir=TO_DEVICE dma_addr=%llx size=100 virt_addr=%llx "
		 "attrs=",
		 (unsigned long long)handle, (unsigned long long)(uintptr_t)fx_ram(fx, handle));
	expect_text(fx, "T:free_pages", text);
	sgt = dma_alloc_noncontiguous(dev, 5000, FROM, GFP_KERNEL, DMA_ATTR_ALLOC_SINGLE_PAGES);
	handle = sg_dma_address(sgt->sgl);
	dma_free_noncontiguous(dev, 5000, sgt, FROM);
	snprintf(text, sizeof(text),
		 "dma_alloc_sgt: 0000:00:03.0 dir=FROM_DEVICE dma_addr=%llx size=5000 "
		 "phys_addrs={0x%llx} flags=GFP_KERNEL attrs=ALLOC_SINGLE_PAGES",
		 (unsigned long long)handle, (unsigned long long)handle);
	expect_text(fx, "T:alloc_sgt", text);
	snprintf(text, sizeof(text),
		 "dma_free_sgt: 0000:00:03.0 dir=FROM_DEVICE dma_addr=%llx size=5000 "
		 "phys_addrs={0x%llx}",
		 (unsigned long long)handle, (unsigned long long)handle);
	expect_text(fx, "T:free_sgt", text);
	fx->fail_all = true;
	assert_null(dma_alloc_noncontiguous(dev, 5000, FROM, GFP_KERNEL, 0));
	assert_string_equal(fx_get(fx, "T:alloc_sgt_err", 0)->linux_text,
			    "dma_alloc_sgt_err: 0000:00:03.0 dir=FROM_DEVICE dma_addr=0 size=5000 "
			    "virt_addr=0 flags=GFP_KERNEL attrs=");
	assert_non_null(strstr(fx_get(fx, "T:alloc_sgt_err", 0)->text, " reason=no-memory"));
	fx_free(fx);
}

/** Frees that name nothing are told, and change nothing. */
static void misuse(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *devs[2];

	(void)state;
	devs[0] = fx_device(fx);
	devs[1] = fx_io(fx);
	for (unsigned int i = 0; i < 2; i++) {
		dma_addr_t handle;
		struct sg_table *sgt;
		struct page *page;
		void *mem;

		page = dma_alloc_pages(devs[i], 4096, &handle, TO, GFP_KERNEL);
		dma_free_pages(devs[i], 4096, page + 1, handle, TO);
		fx_reason(devs[i], DMA_REASON_NOT_ALLOCATED);
		dma_free_pages(devs[i], 4096, page, handle, TO);
		dma_free_pages(devs[i], 4096, page, handle, TO);
		fx_reason(devs[i], i ? DMA_REASON_NOT_MAPPED : DMA_REASON_NOT_ALLOCATED);
		mem = dma_alloc_coherent(devs[i], 4096, &handle, GFP_KERNEL);
		dma_free_coherent(devs[i], 4096, (char *)mem + 4096, handle);
		fx_reason(devs[i], DMA_REASON_NOT_ALLOCATED);
		dma_free_coherent(devs[i], 4096, mem, handle);
		sgt = dma_alloc_noncontiguous(devs[i], 8192, TO, GFP_KERNEL, 0);
		dma_free_noncontiguous(devs[i], 4096, sgt, TO);
		fx_reason(devs[i], DMA_REASON_NOT_ALLOCATED);
		assert_int_equal(dma_device_live(devs[i]), 0);
		dma_free_noncoherent(devs[i], 4096, &handle, 0, TO);
		fx_reason(devs[i], DMA_REASON_NOT_ALLOCATED);
	}
	fx_message(fx, "warn", 10);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(DSP_38_declared_memory_exhausted),
		cmocka_unit_test(DSP_39_pages_refused),
		cmocka_unit_test(DSP_40_pages_of_100_bytes),
		cmocka_unit_test(DSP_41_pieces_with_attributes),
		cmocka_unit_test(DSP_42_pieces_without_iommu),
		cmocka_unit_test(DSP_46_managed_free_of_unknown),
		cmocka_unit_test(DSP_47_managed_free_with_other_size),
		cmocka_unit_test(managed_in_reverse_order),
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
		cmocka_unit_test(records),
		cmocka_unit_test(misuse),
	};

	return FX_RUN(tests);
}
