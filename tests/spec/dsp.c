/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DSP, first half: routing of single mappings, case by case under their ids. Lists, sync and allocation: dsp_more.c.
 *
 * The contract is the improved one: every refusal is traced once, with its reason, and the sanitizer only hears of RAM
 * that was mapped. Cases where this differs from the kernel say "ours".
 */
#include "fixture.h"

/* Ours: the fatal hook of this host returns, so the call fails with a reason, and the refusal is traced. */
static void DSP_1_invalid_direction(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, BAD_DIR, 0), E);
	expect_order(fx, "fatal T:map_phys");
	assert_int_equal(fx_get(fx, "T:map_phys", 0)->event.reason, DMA_REASON_BAD_DIRECTION);
	fx_message(fx, "fatal", 1);
	fx_reason(dev, DMA_REASON_BAD_DIRECTION);

	fx_clear(fx);
	dma_unmap_phys(dev, 0x1000, 0x100, BAD_DIR, 0);
	expect_count(fx, "fatal", 1);
	expect_count(fx, "T:unmap_phys", 1);
	fx_free(fx);
}

/* The inline path must not swallow it either. */
static void DSP_1_invalid_direction_unobserved(void **state)
{
	const struct fx_config config = { .quiet = true, .no_sanitize = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, TO, 0), 0x1000);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, BAD_DIR, 0), E);
	dma_unmap_phys(dev, 0x1000, 0x100, BAD_DIR, 0);
	expect_order(fx, "fatal fatal");
	fx_free(fx);
}

/* Ours: both refusals are traced, though the kernel has no record of them. */
static void DSP_2_no_mask(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_mask_storage(dev, DMA_MASK_NONE), 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, TO, 0), E);
	fx_reason(dev, DMA_REASON_NO_MASK);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, TO, 0), E);
	expect_order(fx, "warn T:map_phys T:map_phys");
	assert_null(fx_get(fx, "T:map_phys", 0)->linux_text);
	fx_message(fx, "warn", 1);
	fx_free(fx);
}

static void DSP_3_direct_map_order(void **state)
{
	const struct fx_config config = { .noncoherent = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	const struct fx_entry *t;

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, TO, 0), 0x1000);
	expect_order(fx, "for-device sanitize T:map_phys");
	t = fx_get(fx, "T:map_phys", 0);
	assert_string_equal(
		t->text,
		"dma_map_phys: 0000:00:03.0 dir=TO_DEVICE dma_addr=1000 size=256 phys_addr=1000 attrs=");
	assert_string_equal(t->text, t->linux_text);
	assert_int_equal(t->event.route, DMA_ROUTE_DIRECT);
	fx_free(fx);
}

static void DSP_4_ops_ram_uses_map_phys(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS | FX_PAGE | FX_RESOURCE);
	const struct fx_entry *m;

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x1234, 0x10, TO, DMA_ATTR_WEAK_ORDERING),
			 0x1234 + FX_OPS_OFFSET);
	expect_order(fx, "M:map_phys sanitize T:map_phys");
	m = fx_get(fx, "M:map_phys", 0);
	assert_int_equal(m->addr, 0x1234);
	assert_int_equal(m->size, 0x10);
	assert_int_equal(m->dir, TO);
	assert_int_equal(m->attrs, DMA_ATTR_WEAK_ORDERING);
	dma_unmap_phys(dev, 0x1234 + FX_OPS_OFFSET, 0x10, TO, DMA_ATTR_WEAK_ORDERING);
	fx_free(fx);
}

static void DSP_4_ops_ram_uses_map_page(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PAGE);
	const struct fx_entry *m;

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x1234, 0x10, TO, 0), 0x1234 + FX_OPS_OFFSET);
	expect_order(fx, "M:map_page sanitize T:map_phys");
	m = fx_get(fx, "M:map_page", 0);
	assert_int_equal(m->addr, 0x1000);
	assert_int_equal(m->extra, 0x234);
	assert_int_equal(m->size, 0x10);
	dma_unmap_phys(dev, 0x1234 + FX_OPS_OFFSET, 0x10, TO, 0);
	assert_int_equal(fx_get(fx, "M:unmap_page", 0)->addr, 0x1234 + FX_OPS_OFFSET);
	fx_free(fx);
}

static void DSP_5_ops_mmio_without_method(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PAGE);
	const struct fx_entry *t;

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0xf0000000, 0x1000, TO, DMA_ATTR_MMIO), E);
	expect_order(fx, "T:map_phys");
	fx_reason(dev, DMA_REASON_NO_METHOD);
	t = fx_get(fx, "T:map_phys", 0);
	assert_string_equal(t->text, "dma_map_phys: 0000:00:03.0 dir=TO_DEVICE "
				     "dma_addr=ffffffffffffffff size=4096 phys_addr=f0000000 "
				     "attrs=MMIO route=ops reason=no-method");
	/* The newest kernel records it too, without the reason. */
	assert_string_equal(t->linux_text,
			    "dma_map_phys: 0000:00:03.0 dir=TO_DEVICE "
			    "dma_addr=ffffffffffffffff size=4096 phys_addr=f0000000 attrs=MMIO");
	assert_int_equal(dma_device_live(dev), 0);
	fx_free(fx);
}

static void mmio_takes(unsigned int methods, const char *map, const char *unmap)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, methods);
	char order[64];

	assert_int_equal(dma_map_phys(dev, 0xf0000040, 0x80, FROM, DMA_ATTR_MMIO),
			 0xf0000040 + FX_OPS_OFFSET);
	snprintf(order, sizeof(order), "%s T:map_phys", map);
	expect_order(fx, order);
	assert_int_equal(fx_get(fx, map, 0)->addr, 0xf0000040);
	assert_true(fx_get(fx, map, 0)->attrs & DMA_ATTR_MMIO);
	fx_clear(fx);
	dma_unmap_phys(dev, 0xf0000040 + FX_OPS_OFFSET, 0x80, FROM, DMA_ATTR_MMIO);
	snprintf(order, sizeof(order), "%s T:unmap_phys", unmap);
	expect_order(fx, order);
	fx_free(fx);
}

static void DSP_6_ops_mmio_with_method(void **state)
{
	(void)state;
	mmio_takes(FX_PHYS, "M:map_phys", "M:unmap_phys");
	mmio_takes(FX_PAGE | FX_RESOURCE, "M:map_resource", "M:unmap_resource");
	mmio_takes(FX_RESOURCE, "M:map_resource", "M:unmap_resource");
}

static void DSP_7_ops_unmap_without_method(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PAGE | FX_MAP_RESOURCE);
	dma_addr_t addr = dma_map_resource(dev, 0xf0000000, 0x1000, TO, 0);

	(void)state;
	assert_int_equal(addr, 0xf0000000 + FX_OPS_OFFSET);
	assert_int_equal(dma_device_live(dev), 1);
	fx_clear(fx);
	dma_unmap_phys(dev, addr, 0x1000, TO, DMA_ATTR_MMIO);
	expect_order(fx, "T:unmap_phys");
	assert_int_equal(fx_get(fx, "T:unmap_phys", 0)->event.reason, DMA_REASON_NONE);
	assert_int_equal(dma_device_live(dev), 0);
	fx_free(fx);
}

/* Ours: the kernel refuses silently; here it is the same map as dma_map_resource(). */
static void DSP_8_map_page_with_mmio(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	struct page *page = dmamap_phys_to_page(0xf0000000);

	(void)state;
	assert_int_equal(dma_map_page_attrs(dev, page, 0x20, 0x100, TO, DMA_ATTR_MMIO), 0xf0000020);
	expect_order(fx, "T:map_phys");
	assert_int_equal(fx_get(fx, "T:map_phys", 0)->attrs, DMA_ATTR_MMIO);
	fx_free(fx);
}

/* Ours: and its unmap unmaps. */
static void DSP_9_unmap_page_with_mmio(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PAGE | FX_RESOURCE);
	struct page *page = dmamap_phys_to_page(0xf0000000);
	dma_addr_t addr = dma_map_page_attrs(dev, page, 0, 0x100, TO, DMA_ATTR_MMIO);

	(void)state;
	expect_order(fx, "M:map_resource T:map_phys");
	fx_clear(fx);
	dma_unmap_page_attrs(dev, addr, 0x100, TO, DMA_ATTR_MMIO);
	expect_order(fx, "M:unmap_resource T:unmap_phys");
	fx_free(fx);
}

/* Ours: one warning a device, a reason, and a trace. */
static void DSP_11_map_single_of_other_memory(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	char stack[16];

	(void)state;
	assert_int_equal(dma_map_single(dev, stack, sizeof(stack), TO), E);
	fx_reason(dev, DMA_REASON_NOT_LINEAR);
	assert_int_equal(dma_map_single(dev, stack, sizeof(stack), TO), E);
	expect_order(fx, "warn T:map_phys T:map_phys");
	fx_message(fx, "warn", 1);
	assert_int_equal(dma_map_single(dev, fx_ram(fx, 0x80001234), 16, TO), 0x80001234);
	fx_free(fx);
}

static void DSP_12_map_resource(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_map_resource(dev, 0xf0000000, 0x1000, BIDI, 0), 0xf0000000);
	dma_unmap_resource(dev, 0xf0000000, 0x1000, BIDI, 0);
	expect_order(fx, "T:map_phys T:unmap_phys");
	assert_int_equal(fx_get(fx, "T:map_phys", 0)->attrs, DMA_ATTR_MMIO);
	assert_int_equal(fx_get(fx, "T:unmap_phys", 0)->attrs, DMA_ATTR_MMIO);
	fx_free(fx);
}

/* Ours: the sanitizer does not hear of a map that failed. */
static void DSP_13_method_fails(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS);

	(void)state;
	fx->ops_fail = true;
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, FROM, 0), E);
	expect_order(fx, "M:map_phys T:map_phys");
	assert_int_equal(fx_get(fx, "T:map_phys", 0)->addr, E);
	fx_reason(dev, DMA_REASON_METHOD_FAILED);
	assert_int_equal(dma_device_live(dev), 0);
	fx_free(fx);
}

static void DSP_14_bypass(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS);

	(void)state;
	assert_int_equal(dma_device_route(dev), DMA_ROUTE_OPS);
	assert_int_equal(dma_device_set_ops_bypass(dev, true), 0);
	assert_int_equal(dma_device_route(dev), DMA_ROUTE_DIRECT);
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(31)), 0);
	assert_int_equal(dma_device_route(dev), DMA_ROUTE_OPS);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, TO, 0), 0x1000 + FX_OPS_OFFSET);
	dma_unmap_phys(dev, 0x1000 + FX_OPS_OFFSET, 0x100, TO, 0);
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(64)), 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, TO, 0), 0x1000);
	fx_free(fx);
}

static void DSP_15_bypass_and_bus_limit(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS);

	(void)state;
	assert_int_equal(dma_device_set_ops_bypass(dev, true), 0);
	assert_int_equal(dma_device_set_bus_limit(dev, 0x3fffffff), 0);
	assert_int_equal(dma_device_route(dev), DMA_ROUTE_OPS);
	fx_free(fx);
}

static void DSP_16_bypass_for_maps_only(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS | FX_MEMORY);
	dma_addr_t handle;
	void *mem;

	(void)state;
	assert_int_equal(dma_set_coherent_mask(dev, DMA_BIT_MASK(24)), 0);
	assert_int_equal(dma_device_set_ops_bypass(dev, true), 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, TO, 0), 0x1000);
	mem = dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL);
	assert_non_null(mem);
	expect_order(fx, "sanitize T:map_phys M:alloc T:alloc");
	dma_free_coherent(dev, 4096, mem, handle);
	expect_count(fx, "M:free", 1);
	fx_free(fx);
}

static void DSP_17_arch_direct(void **state)
{
	const struct fx_config config = { .arch = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_ops_device(fx, FX_PAGE | FX_RESOURCE);

	(void)state;
	fx->arch_answer = true;
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, TO, 0), 0x1000);
	assert_int_equal(fx_get(fx, "T:map_phys", 0)->event.route, DMA_ROUTE_ARCH);
	assert_int_equal(dma_map_phys(dev, 0xf0000000, 0x100, TO, DMA_ATTR_MMIO),
			 0xf0000000 + FX_OPS_OFFSET);
	assert_int_equal(fx_get(fx, "T:map_phys", 1)->event.route, DMA_ROUTE_OPS);
	expect_order(fx, "A:map sanitize T:map_phys M:map_resource T:map_phys");
	fx_clear(fx);
	dma_unmap_phys(dev, 0x1000, 0x100, TO, 0);
	dma_unmap_phys(dev, 0xf0000000 + FX_OPS_OFFSET, 0x100, TO, DMA_ATTR_MMIO);
	expect_order(fx, "A:unmap T:unmap_phys M:unmap_resource T:unmap_phys");
	fx_free(fx);
}

static void DSP_18_arch_direct_is_told(void **state)
{
	const struct fx_config config = { .arch = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, TO, 0), 0x1000 + FX_OPS_OFFSET);
	dma_unmap_phys(dev, 0x1000 + FX_OPS_OFFSET, 0x100, TO, 0);
	assert_int_equal(fx_get(fx, "A:map", 0)->addr, 0x1100);
	assert_ptr_equal(fx_get(fx, "A:map", 0)->dev, dev);
	assert_int_equal(fx_get(fx, "A:unmap", 0)->addr, 0x1100 + FX_OPS_OFFSET);
	fx_free(fx);
}

/* Ours: the kernel traces neither refusal. */
static void DSP_48_require_coherent(void **state)
{
	const struct fx_config config = { .noncoherent = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	struct scatterlist sg;
	struct sg_table table = { &sg, 0, 1 };

	(void)state;
	sg_init_table(&sg, 1);
	sg_set_phys(&sg, 0x1000, 0x100);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, TO, DMA_ATTR_REQUIRE_COHERENT), E);
	fx_reason(dev, DMA_REASON_NOT_COHERENT);
	assert_int_equal(dma_map_sgtable(dev, &table, TO, DMA_ATTR_REQUIRE_COHERENT),
			 -DMAMAP_EOPNOTSUPP);
	fx_reason(dev, DMA_REASON_NOT_COHERENT);
	expect_order(fx, "T:map_phys T:map_sg_err");
	assert_null(fx_get(fx, "T:map_phys", 0)->linux_text);
	assert_null(fx_get(fx, "T:map_sg_err", 0)->linux_text);
	fx_free(fx);
}

static void DSP_48_require_coherent_of_a_coherent_device(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, TO, DMA_ATTR_REQUIRE_COHERENT), 0x1000);
	dma_unmap_phys(dev, 0x1000, 0x100, TO, DMA_ATTR_REQUIRE_COHERENT);
	expect_order(fx, "sanitize T:map_phys T:unmap_phys");
	fx_free(fx);
}

static void DSP_49_cc_shared_elsewhere(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *io = fx_io(fx);
	struct dma_device *ops = fx_ops_device(fx, FX_PHYS);

	(void)state;
	assert_int_equal(dma_map_phys(io, 0x1000, 0x100, TO, DMA_ATTR_CC_SHARED), E);
	fx_reason(io, DMA_REASON_CC_SHARED);
	assert_int_equal(dma_map_phys(ops, 0x1000, 0x100, TO, DMA_ATTR_CC_SHARED), E);
	fx_reason(ops, DMA_REASON_CC_SHARED);
	expect_order(fx, "T:map_phys T:map_phys");
	assert_null(fx_get(fx, "T:map_phys", 0)->linux_text);
	fx_free(fx);
}

static void DSP_50_coherence_before_mask(void **state)
{
	const struct fx_config config = { .noncoherent = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	struct scatterlist sg;
	struct sg_table table = { &sg, 0, 1 };

	(void)state;
	sg_init_table(&sg, 1);
	sg_set_phys(&sg, 0x1000, 0x100);
	assert_int_equal(dma_device_set_mask_storage(dev, DMA_MASK_NONE), 0);
	assert_int_equal(dma_map_sgtable(dev, &table, TO, DMA_ATTR_REQUIRE_COHERENT),
			 -DMAMAP_EOPNOTSUPP);
	/* A single range asks for the mask first. */
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x100, TO, DMA_ATTR_REQUIRE_COHERENT), E);
	fx_reason(dev, DMA_REASON_NO_MASK);
	fx_free(fx);
}

/*
 * Not here (and not in dsp_more.c, whose own list has the rest):
 *   DSP-10  a page of device memory through the page wrapper: a struct page here is only a number and has no kind;
 *           what lies at an address is said by the attribute (dma_map_page_attrs() with DMA_ATTR_MMIO).
 */
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(DSP_1_invalid_direction),
		cmocka_unit_test(DSP_1_invalid_direction_unobserved),
		cmocka_unit_test(DSP_2_no_mask),
		cmocka_unit_test(DSP_3_direct_map_order),
		cmocka_unit_test(DSP_4_ops_ram_uses_map_phys),
		cmocka_unit_test(DSP_4_ops_ram_uses_map_page),
		cmocka_unit_test(DSP_5_ops_mmio_without_method),
		cmocka_unit_test(DSP_6_ops_mmio_with_method),
		cmocka_unit_test(DSP_7_ops_unmap_without_method),
		cmocka_unit_test(DSP_8_map_page_with_mmio),
		cmocka_unit_test(DSP_9_unmap_page_with_mmio),
		cmocka_unit_test(DSP_11_map_single_of_other_memory),
		cmocka_unit_test(DSP_12_map_resource),
		cmocka_unit_test(DSP_13_method_fails),
		cmocka_unit_test(DSP_14_bypass),
		cmocka_unit_test(DSP_15_bypass_and_bus_limit),
		cmocka_unit_test(DSP_16_bypass_for_maps_only),
		cmocka_unit_test(DSP_17_arch_direct),
		cmocka_unit_test(DSP_18_arch_direct_is_told),
		cmocka_unit_test(DSP_48_require_coherent),
		cmocka_unit_test(DSP_48_require_coherent_of_a_coherent_device),
		cmocka_unit_test(DSP_49_cc_shared_elsewhere),
		cmocka_unit_test(DSP_50_coherence_before_mask),
	};

	return FX_RUN(tests);
}
