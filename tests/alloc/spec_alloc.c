/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocated memory, case by case under their ids (DSP), on the recording host of the conformance tests.
 */
#include "spec/fixture.h"

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
		cmocka_unit_test(records),
		cmocka_unit_test(misuse),
	};

	return FX_RUN(tests);
}
