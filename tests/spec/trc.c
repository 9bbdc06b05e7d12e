/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TRC: what is traced, and how it is printed, case by case under their ids.
 */
#include "fixture.h"

static void TRC_1_success_and_failure(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	const struct fx_entry *t;

	(void)state;
	assert_int_equal(dma_device_set_bus_limit(dev, 0xfffff), 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 16, TO, 0), 0x1000);
	assert_int_equal(dma_map_phys(dev, 0x100000, 16, FROM, DMA_ATTR_NO_WARN), E);
	expect_order(fx, "sanitize T:map_phys T:map_phys");
	t = fx_get(fx, "T:map_phys", 0);
	assert_int_equal(t->addr, 0x1000);
	assert_int_equal(t->event.reason, DMA_REASON_NONE);
	t = fx_get(fx, "T:map_phys", 1);
	assert_int_equal(t->addr, E);
	assert_string_equal(t->text, "dma_map_phys: 0000:00:03.0 dir=FROM_DEVICE "
				     "dma_addr=ffffffffffffffff size=16 phys_addr=100000 "
				     "attrs=NO_WARN route=direct reason=beyond-bus-limit");
	assert_string_equal(t->linux_text,
			    "dma_map_phys: 0000:00:03.0 dir=FROM_DEVICE "
			    "dma_addr=ffffffffffffffff size=16 phys_addr=100000 attrs=NO_WARN");
	fx_free(fx);
}

static unsigned int items(const char *text, const char *label)
{
	const char *s = strstr(text, label);
	unsigned int n = 1;

	assert_non_null(s);
	for (; *s != '}'; s++)
		n += *s == ',';
	return n;
}

/* Ours: our own dialect prints the whole list. */
static void TRC_2_long_list(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	struct scatterlist sgl[130];
	const struct fx_entry *t;

	(void)state;
	assert_int_equal(dma_set_max_seg_size(dev, 0x100000), 0);
	sg_init_table(sgl, 130);
	for (unsigned int i = 0; i < 130; i++)
		sg_set_phys(&sgl[i], 0x40000000 + (uint64_t)i * 0x2000, 0x1000);
	assert_int_equal(dma_map_sg(dev, sgl, 130, TO), 1);
	t = fx_get(fx, "T:map_sg", 0);
	assert_int_equal(t->event.nents, 130);
	assert_int_equal(t->event.ents, 1);
	assert_non_null(strstr(t->linux_text, "nents=128/130 ents=1/1 [TRUNCATED] dma_addrs={0x"));
	assert_int_equal(items(t->linux_text, "phys_addrs="), 128);
	assert_int_equal(items(t->linux_text, "dma_addrs="), 1);
	assert_non_null(strstr(t->linux_text, "sizes={0x82000}"));
	assert_non_null(strstr(t->text, "nents=130/130 ents=1/1 dma_addrs={0x"));
	assert_int_equal(items(t->text, "phys_addrs="), 130);
	dma_unmap_sg(dev, sgl, 130, TO);
	assert_int_equal(items(fx_get(fx, "T:unmap_sg", 0)->linux_text, "phys_addrs="), 130);
	fx_free(fx);
}

static void TRC_3_attribute_names(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	dma_map_phys(dev, 0xf0000000, 16, TO, DMA_ATTR_MMIO | DMA_ATTR_SKIP_CPU_SYNC);
	assert_non_null(strstr(fx_get(fx, "T:map_phys", 0)->text, "attrs=SKIP_CPU_SYNC|MMIO"));
	fx_free(fx);
}

static void TRC_4_bounce_behind_an_iommu(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_iou(fx, 0);
	dma_addr_t addr = dma_map_phys(dev, 0x80000234, 0x100, TO, 0);
	const struct fx_entry *t = fx_get(fx, "T:bounced", 0);

	(void)state;
	assert_int_equal(t->event.phys, 0x80000234);
	assert_string_equal(t->text, "swiotlb_bounced: dev_name: 0000:00:03.0 "
				     "dma_mask=ffffffffffffffff dev_addr=80000234 size=256 NORMAL");
	dma_unmap_phys(dev, addr, 0x100, TO, 0);
	fx_free(fx);
}

static void TRC_4_forced_bounce(void **state)
{
	static const struct dma_range map[] = { { 0, 0x1000000000, GIB(4) }, { 0, 0, 0 } };
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_device_set_range_map(dev, map), 0);
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	assert_int_equal(dma_device_set_force_bounce(dev, true), 0);
	addr = dma_map_phys(dev, 0x80000234, 0x100, TO, 0);
	assert_int_equal(addr, 0x1000000000 + FX_POOL);
	/* Here it is the bus's form of the original address. */
	assert_string_equal(fx_get(fx, "T:bounced", 0)->text,
			    "swiotlb_bounced: dev_name: 0000:00:03.0 dma_mask=ffffffffffffffff "
			    "dev_addr=1080000234 size=256 FORCE");
	dma_unmap_phys(dev, addr, 0x100, TO, 0);
	fx_free(fx);
}

static void TRC_5_failed_allocation(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle = 0x1234;
	const struct fx_entry *t;

	(void)state;
	fx->fail_all = true;
	assert_null(dma_alloc_coherent(dev, 8192, &handle, GFP_KERNEL));
	fx->fail_all = false;
	t = fx_get(fx, "T:alloc", 0);
	assert_int_equal(t->addr, 0);
	assert_string_equal(t->linux_text,
			    "dma_alloc: 0000:00:03.0 dir=BIDIRECTIONAL dma_addr=0 size=8192 "
			    "virt_addr=0 flags=GFP_KERNEL attrs=");
	fx_reason(dev, DMA_REASON_NO_MEMORY);
	fx_free(fx);
}

/*
 * Not here: nothing of TRC. The cases KMS belong to a sanitizer; the library's share (called for RAM that was mapped,
 * never for MMIO, never after a failure) is in contract.c and DSP-3, 5, 6, 13.
 */
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(TRC_1_success_and_failure),
		cmocka_unit_test(TRC_2_long_list),
		cmocka_unit_test(TRC_3_attribute_names),
		cmocka_unit_test(TRC_4_bounce_behind_an_iommu),
		cmocka_unit_test(TRC_4_forced_bounce),
		cmocka_unit_test(TRC_5_failed_allocation),
	};

	return FX_RUN(tests);
}
