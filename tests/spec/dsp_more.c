/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DSP, second half: lists, sync, what must be synced and unmapped, coherent allocation. First half: dsp.c.
 *
 * Ours, here: failures of lists are traced like those of single ranges; a sync that is skipped is recorded while
 * somebody listens (the kernel has no such record), and then an invalid direction is noticed.
 */
#include "fixture.h"

static void make_list(struct scatterlist *sgl, unsigned int n)
{
	sg_init_table(sgl, n);
	for (unsigned int i = 0; i < n; i++)
		sg_set_phys(&sgl[i], 0x100000 + i * 0x3000, 0x1000);
}

static void DSP_19_map_sg_documented_error(void **state)
{
	static const int errors[] = { -DMAMAP_ENOMEM, -DMAMAP_EINVAL, -DMAMAP_EIO,
				      -DMAMAP_EREMOTEIO };
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_SG);
	struct scatterlist sgl[2];
	struct sg_table table = { sgl, 0, 2 };

	(void)state;
	make_list(sgl, 2);
	for (unsigned int i = 0; i < 4; i++) {
		fx->ops_sg_result = errors[i];
		fx_clear(fx);
		assert_int_equal(dma_map_sg(dev, sgl, 2, TO), 0);
		fx_reason(dev, DMA_REASON_METHOD_FAILED);
		assert_int_equal(dma_map_sgtable(dev, &table, TO, 0), errors[i]);
		expect_order(fx, "M:map_sg T:map_sg_err M:map_sg T:map_sg_err");
		assert_null(fx_get(fx, "T:map_sg_err", 0)->linux_text);
		assert_int_equal(fx_get(fx, "T:map_sg_err", 0)->event.err, errors[i]);
	}
	fx_free(fx);
}

static void DSP_20_map_sg_other_error(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_SG);
	struct scatterlist sgl[2];
	struct sg_table table = { sgl, 0, 2 };

	(void)state;
	make_list(sgl, 2);
	fx->ops_sg_result = -DMAMAP_EBUSY;
	assert_int_equal(dma_map_sgtable(dev, &table, TO, 0), -DMAMAP_EIO);
	fx_reason(dev, DMA_REASON_METHOD_FAILED);
	assert_int_equal(dma_map_sgtable(dev, &table, TO, 0), -DMAMAP_EIO);
	expect_count(fx, "T:map_sg_err", 2);
	fx_message(fx, "warn", 1);
	assert_non_null(fx_get(fx, "T:map_sg_err", 1)->linux_text);
	fx_free(fx);
}

/* Ours: an empty list is the caller's error, whatever the route, and says so without waiting for a back end. */
static void DSP_21_map_sg_nothing(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *ops = fx_ops_device(fx, FX_SG);
	struct dma_device *dev = fx_device(fx);
	struct scatterlist sgl[2];
	struct sg_table table = { sgl, 7, 2 };

	(void)state;
	make_list(sgl, 2);
	fx->ops_sg_result = 0;
	assert_int_equal(dma_map_sgtable(ops, &table, TO, 0), -DMAMAP_EIO);
	fx_reason(ops, DMA_REASON_METHOD_FAILED);
	fx_message(fx, "warn", 1);
	table.orig_nents = 0;
	assert_int_equal(dma_map_sgtable(dev, &table, TO, 0), -DMAMAP_EINVAL);
	fx_reason(dev, DMA_REASON_BAD_LIST);
	assert_int_equal(dma_map_sg(dev, sgl, 0, TO), 0);
	assert_int_equal(dma_map_sg(dev, sgl, -1, TO), 0);
	fx_reason(dev, DMA_REASON_BAD_LIST);
	expect_count(fx, "T:map_sg_err", 4);
	fx_free(fx);
}

/* Ours (C4): the kernel reports success with no entry. */
static void DSP_22_sgtable_without_mask(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	struct scatterlist sgl[2];
	struct sg_table table = { sgl, 0, 2 };

	(void)state;
	make_list(sgl, 2);
	assert_int_equal(dma_device_set_mask_storage(dev, DMA_MASK_NONE), 0);
	assert_int_equal(dma_map_sgtable(dev, &table, TO, 0), -DMAMAP_EIO);
	fx_reason(dev, DMA_REASON_NO_MASK);
	assert_int_equal(dma_map_sg(dev, sgl, 2, TO), 0);
	expect_count(fx, "T:map_sg_err", 2);
	fx_message(fx, "warn", 1);
	fx_free(fx);
}

static void DSP_23_sgtable_merged(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_SG);
	struct scatterlist sgl[5];
	struct sg_table table = { sgl, 0, 5 };
	const struct fx_entry *t;

	(void)state;
	make_list(sgl, 5);
	fx->ops_sg_result = 2;
	assert_int_equal(dma_map_sgtable(dev, &table, TO, 0), 0);
	assert_int_equal(table.nents, 2);
	assert_int_equal(table.orig_nents, 5);
	expect_order(fx, "M:map_sg sanitize sanitize sanitize sanitize sanitize T:map_sg");
	t = fx_get(fx, "T:map_sg", 0);
	assert_int_equal(t->event.nents, 5);
	assert_int_equal(t->event.ents, 2);
	dma_unmap_sgtable(dev, &table, TO, 0);
	assert_int_equal(fx_get(fx, "M:unmap_sg", 0)->size, 5);
	fx_free(fx);
}

static void DSP_24_unmap_sg_order(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_SG);
	struct scatterlist sgl[2];

	(void)state;
	make_list(sgl, 2);
	assert_int_equal(dma_map_sg(dev, sgl, 2, TO), 2);
	fx_clear(fx);
	dma_unmap_sg(dev, sgl, 2, TO);
	expect_order(fx, "T:unmap_sg M:unmap_sg");
	assert_int_equal(fx_get(fx, "M:unmap_sg", 0)->size, 2);
	fx_free(fx);
}

static void DSP_25_skipped_sync_unobserved(void **state)
{
	const struct fx_config config = { .quiet = true, .no_sanitize = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_false(dmamap_dev_need_sync(dev));
	dma_sync_single_for_cpu(dev, 0x1000, 0x100, FROM);
	dma_sync_single_for_device(dev, 0x1000, 0x100, BAD_DIR);
	expect_order(fx, "");
	fx_free(fx);
}

static void DSP_26_skipped_sync_observed(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	dma_sync_single_for_cpu(dev, 0x1000, 0x100, FROM);
	expect_order(fx, "T:sync_cpu");
	assert_null(fx_get(fx, "T:sync_cpu", 0)->linux_text);
	assert_string_equal(
		fx_get(fx, "T:sync_cpu", 0)->text,
		"dma_sync_single_for_cpu: 0000:00:03.0 dir=FROM_DEVICE dma_addr=1000 size=256");
	fx_clear(fx);
	dma_sync_single_for_device(dev, 0x1000, 0x100, BAD_DIR);
	expect_count(fx, "fatal", 1);
	fx_reason(dev, DMA_REASON_BAD_DIRECTION);
	fx_free(fx);
}

static void DSP_27_sync_range(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS | FX_SYNC);
	const struct fx_entry *m;

	(void)state;
	dma_sync_single_range_for_cpu(dev, 0x1000, 0x40, 0x20, FROM);
	dma_sync_single_range_for_device(dev, 0x1000, 0x80, 0x30, TO);
	expect_order(fx, "M:sync_cpu T:sync_cpu M:sync_device T:sync_device");
	m = fx_get(fx, "M:sync_cpu", 0);
	assert_int_equal(m->addr, 0x1040);
	assert_int_equal(m->size, 0x20);
	assert_int_equal(m->dir, FROM);
	m = fx_get(fx, "M:sync_device", 0);
	assert_int_equal(m->addr, 0x1080);
	assert_int_equal(m->size, 0x30);
	assert_int_equal(fx_get(fx, "T:sync_device", 0)->addr, 0x1080);
	fx_free(fx);
}

static bool needs_sync(bool noncoherent, unsigned int methods)
{
	const struct fx_config config = { .noncoherent = noncoherent,
					  .quiet = true,
					  .no_sanitize = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = methods ? fx_ops_device(fx, methods) : fx_device(fx);
	bool yes = dmamap_dev_need_sync(dev);

	fx_free(fx);
	return yes;
}

static void DSP_28_skip_sync(void **state)
{
	(void)state;
	assert_false(needs_sync(false, 0));
	assert_true(needs_sync(true, 0));
	assert_false(needs_sync(false, FX_PHYS));
	assert_true(needs_sync(false, FX_PHYS | FX_SYNC_CPU));
	assert_true(needs_sync(false, FX_PHYS | FX_SYNC_DEVICE));
	assert_true(needs_sync(false, FX_PHYS | FX_SYNC_SG_CPU));
	assert_true(needs_sync(false, FX_PHYS | FX_SYNC_SG_DEVICE));
}

static void DSP_29_need_unmap(void **state)
{
	const struct fx_config config = { .quiet = true, .no_sanitize = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	assert_int_equal(dma_device_set_force_bounce(dev, true), 0);
	assert_false(dma_need_unmap(dev));
	addr = dma_map_phys(dev, 0x80001234, 100, TO, 0);
	assert_int_equal(addr, FX_POOL);
	assert_true(dma_need_unmap(dev));
	dma_unmap_phys(dev, addr, 100, TO, 0);
	assert_true(dma_need_unmap(fx_io(fx)));
	fx_free(fx);
}

static void DSP_29_need_unmap_while_observed(void **state)
{
	struct fx *fx = fx_new(NULL);

	(void)state;
	assert_true(dma_need_unmap(fx_device(fx)));
	fx_free(fx);
}

static void DSP_30_need_sync(void **state)
{
	const struct fx_config config = { .noncoherent = true, .quiet = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dn = fx_device(fx);
	struct dma_device *io = fx_io(fx);
	struct dma_device *d = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_coherent(d, true), 0);
	assert_int_equal(dma_set_mask(d, DMA_BIT_MASK(64)), 0);
	assert_false(dma_need_sync(d, 0x1000));
	assert_true(dma_need_sync(dn, 0x1000));
	assert_true(dma_need_sync(io, 0x1000));
	fx_free(fx);
}

static void DSP_31_need_sync_after_a_bounce(void **state)
{
	const struct fx_config config = { .quiet = true, .ram = { { 0, GIB(8) } } };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device32(fx);
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	addr = dma_map_phys(dev, GIB(4), 100, TO, 0);
	assert_int_equal(addr, FX_POOL);
	assert_true(dma_need_sync(dev, addr));
	assert_false(dma_need_sync(dev, 0x1000));
	dma_unmap_phys(dev, addr, 100, TO, 0);
	fx_free(fx);
}

/* Ours: the refusal is traced; the warning is once a device. */
static void DSP_32_alloc_comp(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;

	(void)state;
	assert_null(dma_alloc_attrs(dev, 4096, &handle, GFP_KERNEL | __GFP_COMP, 0));
	fx_reason(dev, DMA_REASON_BAD_FLAGS);
	assert_null(dma_alloc_attrs(dev, 4096, &handle, GFP_KERNEL | __GFP_COMP, 0));
	expect_order(fx, "warn T:alloc T:alloc");
	assert_null(fx_get(fx, "T:alloc", 0)->linux_text);
	fx_free(fx);
}

/* Only a method table accepts a coherent mask of 0; without the table nothing can be reached with it. */
static void DSP_33_alloc_coherent_mask_0(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS | FX_MEMORY);
	dma_addr_t handle;
	void *mem;

	(void)state;
	assert_int_equal(dma_set_coherent_mask(dev, 0), 0);
	mem = dma_alloc_attrs(dev, 4096, &handle, GFP_KERNEL, 0);
	assert_non_null(mem);
	expect_order(fx, "warn M:alloc T:alloc");
	dma_free_attrs(dev, 4096, mem, handle, 0);
	assert_int_equal(dma_device_set_ops(dev, NULL), 0);
	fx_clear(fx);
	assert_null(dma_alloc_attrs(dev, 4096, &handle, GFP_KERNEL, 0));
	expect_count(fx, "T:alloc", 1);
	assert_int_equal(dma_device_set_bus_limit(dev, 0xffffffff), 0);
	mem = dma_alloc_attrs(dev, 4096, &handle, GFP_KERNEL, 0);
	assert_non_null(mem);
	dma_free_attrs(dev, 4096, mem, handle, 0);
	fx_free(fx);
}

static void DSP_34_alloc_gfp(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS | FX_MEMORY);
	const gfp_t zones = GFP_DMA | GFP_DMA32 | DMAMAP_GFP_HIGHMEM;
	dma_addr_t handle;
	void *mem = dma_alloc_attrs(dev, 4096, &handle, GFP_KERNEL | __GFP_ZERO | zones,
				    DMA_ATTR_WRITE_COMBINE);

	(void)state;
	assert_non_null(mem);
	assert_int_equal(fx_get(fx, "M:alloc", 0)->extra, GFP_KERNEL | __GFP_ZERO);
	assert_int_equal(fx_get(fx, "M:alloc", 0)->attrs, DMA_ATTR_WRITE_COMBINE);
	dma_free_attrs(dev, 4096, mem, handle, DMA_ATTR_WRITE_COMBINE);
	assert_int_equal(fx_get(fx, "M:free", 0)->attrs, DMA_ATTR_WRITE_COMBINE);
	fx_free(fx);
}

static void DSP_35_alloc_without_method(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS);
	dma_addr_t handle;

	(void)state;
	assert_null(dma_alloc_attrs(dev, 4096, &handle, GFP_KERNEL, 0));
	expect_order(fx, "T:alloc");
	fx_reason(dev, DMA_REASON_NO_METHOD);
	assert_int_equal(fx_get(fx, "T:alloc", 0)->addr, 0);
	assert_non_null(fx_get(fx, "T:alloc", 0)->linux_text);
	fx_free(fx);
}

static void DSP_36_free_null(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *ops = fx_ops_device(fx, FX_PHYS | FX_MEMORY);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	dma_free_attrs(dev, 4096, NULL, 0x1000, 0);
	dma_free_attrs(ops, 4096, NULL, 0x1000, 0);
	expect_order(fx, "T:free T:free");
	fx_free(fx);
}

static void DSP_37_free_with_interrupts_off(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;
	void *mem = dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL);

	(void)state;
	assert_non_null(mem);
	fx->interrupts_off = true;
	fx_clear(fx);
	dma_free_coherent(dev, 4096, mem, handle);
	expect_order(fx, "warn T:free");
	assert_int_equal(fx->live_pages, 0);
	fx_free(fx);
}

static void DSP_45_no_warn(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS | FX_MEMORY);
	dma_addr_t handle;
	void *mem = dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL | __GFP_NOWARN);

	(void)state;
	assert_non_null(mem);
	assert_int_equal(fx_get(fx, "M:alloc", 0)->attrs, DMA_ATTR_NO_WARN);
	dma_free_coherent(dev, 4096, mem, handle);
	assert_int_equal(fx_get(fx, "M:free", 0)->attrs, 0);
	fx_free(fx);
}

/*
 * Not here:
 *   DSP-38         memory declared for one device: the calls belong to the direct-route work.
 *   DSP-39, 40     dma_alloc_pages(): the direct-route work.
 *   DSP-41, 42     dma_alloc_noncontiguous(): the direct-route work.
 *   DSP-43, 44     mapping to user space: this library has no user space to map into; the port does that.
 *   DSP-46, 47     managed (dmam_) memory: the direct-route work.
 */
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(DSP_19_map_sg_documented_error),
		cmocka_unit_test(DSP_20_map_sg_other_error),
		cmocka_unit_test(DSP_21_map_sg_nothing),
		cmocka_unit_test(DSP_22_sgtable_without_mask),
		cmocka_unit_test(DSP_23_sgtable_merged),
		cmocka_unit_test(DSP_24_unmap_sg_order),
		cmocka_unit_test(DSP_25_skipped_sync_unobserved),
		cmocka_unit_test(DSP_26_skipped_sync_observed),
		cmocka_unit_test(DSP_27_sync_range),
		cmocka_unit_test(DSP_28_skip_sync),
		cmocka_unit_test(DSP_29_need_unmap),
		cmocka_unit_test(DSP_29_need_unmap_while_observed),
		cmocka_unit_test(DSP_30_need_sync),
		cmocka_unit_test(DSP_31_need_sync_after_a_bounce),
		cmocka_unit_test(DSP_32_alloc_comp),
		cmocka_unit_test(DSP_33_alloc_coherent_mask_0),
		cmocka_unit_test(DSP_34_alloc_gfp),
		cmocka_unit_test(DSP_35_alloc_without_method),
		cmocka_unit_test(DSP_36_free_null),
		cmocka_unit_test(DSP_37_free_with_interrupts_off),
		cmocka_unit_test(DSP_45_no_warn),
	};

	return FX_RUN(tests);
}
