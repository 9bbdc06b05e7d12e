/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IOM, single mappings and coherent memory behind an IOMMU, case by case under their ids. Entries are read from the raw
 * tables (fixture_walk.c). Lists, lazy invalidation and the life of domains: iom_more.c.
 */
#include "fixture.h"

#define TOP_PAGE 0xfffffffff000ull

static void IOM_1_map(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	uint64_t size = 0;

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x12345678, 0x100, BIDI, 0), 0xfffffffff678);
	assert_int_equal(fx_walk(fx, TOP_PAGE, &size), 0x12345003);
	assert_int_equal(size, 4096);
	assert_int_equal(fx_translate(fx, 0xfffffffff678), 0x12345678);
	assert_string_equal(fx_get(fx, "T:iommu_map", 0)->text,
			    "map: IOMMU: iova=0x0000fffffffff000 - 0x0001000000000000 "
			    "paddr=0x0000000012345000 size=4096");
	dma_unmap_phys(dev, 0xfffffffff678, 0x100, BIDI, 0);
	fx_free(fx);
}

static void IOM_1_table_permissions(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x12345000, 0x1000, TO, 0), TOP_PAGE);
	assert_int_equal(dma_map_phys(dev, 0x12346000, 0x1000, FROM, 0), TOP_PAGE - 0x1000);
	assert_int_equal(fx_walk(fx, TOP_PAGE, NULL), 0x12345001);
	assert_int_equal(fx_walk(fx, TOP_PAGE - 0x1000, NULL), 0x12346000 | fx_write_only());
	dma_unmap_phys(dev, TOP_PAGE, 0x1000, TO, 0);
	dma_unmap_phys(dev, TOP_PAGE - 0x1000, 0x1000, FROM, 0);
	fx_free(fx);
}

static void IOM_2_unmap(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	dma_addr_t addr = dma_map_phys(dev, 0x12345678, 0x100, TO, 0);

	(void)state;
	fx_clear(fx);
	dma_unmap_phys(dev, addr, 0x100, TO, 0);
	assert_int_equal(fx_walk(fx, addr, NULL), 0);
	expect_count(fx, "U:invalidate", 1);
	expect_count(fx, "U:wait", 1);
	assert_true(fx_before(fx, "U:invalidate", "U:wait"));
	assert_true(fx_before(fx, "U:wait", "T:unmap_phys"));
	assert_int_equal(fx_get(fx, "U:invalidate", 0)->addr, TOP_PAGE);
	assert_int_equal(fx_get(fx, "U:invalidate", 0)->size, 4096);
	assert_string_equal(fx_get(fx, "T:iommu_unmap", 0)->text,
			    "unmap: IOMMU: iova=0x0000fffffffff000 - 0x0001000000000000 size=4096 "
			    "unmapped_size=4096");
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

static void IOM_3_same_address_again(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(dma_map_phys(dev, 0x12345000, 0x100, TO, 0), TOP_PAGE);
		dma_unmap_phys(dev, TOP_PAGE, 0x100, TO, 0);
	}
	fx_free(fx);
}

static void IOM_4_three_pages(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x10000, 0x3000, TO, 0), 0xffffffffc000);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(fx_walk(fx, 0xffffffffc000 + i * 0x1000, NULL),
				 0x10001 + i * 0x1000);
	assert_int_equal(fx_walk(fx, TOP_PAGE, NULL), 0);
	dma_unmap_phys(dev, 0xffffffffc000, 0x3000, TO, 0);
	assert_int_equal(dma_map_phys(dev, 0x10000, 0x4000, TO, 0), 0xffffffffc000);
	dma_unmap_phys(dev, 0xffffffffc000, 0x4000, TO, 0);
	fx_free(fx);
}

static void IOM_5_large_leaf(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	dma_addr_t addr = dma_map_phys(dev, 0x40000000, MIB(2), BIDI, 0);
	uint64_t size = 0;

	(void)state;
	assert_int_equal(addr & (MIB(2) - 1), 0);
	assert_int_equal(fx_walk(fx, addr, &size), 0x40000083);
	assert_int_equal(size, MIB(2));
	dma_unmap_phys(dev, addr, MIB(2), BIDI, 0);
	assert_int_equal(fx_walk(fx, addr, NULL), 0);
	fx_free(fx);
}

static void IOM_6_pci_first_map(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_iop(fx);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x1000, TO, 0), 0xfffff000);
	dma_unmap_phys(dev, 0xfffff000, 0x1000, TO, 0);
	fx_free(fx);
}

/* 2 GiB, 1 GiB, … 4 KiB: together all of the first 4 GiB but page 0 (of a backend that has no hole there). */
static void IOM_7_pci_space_full(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));
	const uint64_t bar = 1ull << 40;

	(void)state;
	assert_int_equal(dma_device_set_pci(dev, true, false), 0);
	for (unsigned int bit = 31; bit >= 12; bit--)
		assert_int_equal(dma_map_resource(dev, bar, 1ull << bit, TO, 0), 1ull << bit);
	expect_count(fx, "log", 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x1000, TO, 0), TOP_PAGE);
	fx_message(fx, "log", 1);
	dma_unmap_resource(dev, 0x1000, 0x1000, TO, 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x1000, TO, 0), TOP_PAGE - 0x1000);
	expect_count(fx, "log", 1);
	dma_unmap_phys(dev, TOP_PAGE, 0x1000, TO, 0);
	dma_unmap_phys(dev, TOP_PAGE - 0x1000, 0x1000, TO, 0);
	for (unsigned int bit = 31; bit > 12; bit--)
		dma_unmap_resource(dev, 1ull << bit, 1ull << bit, TO, 0);
	fx_free(fx);
}

static void IOM_8_forcedac(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);

	(void)state;
	assert_int_equal(dma_device_set_pci(dev, true, true), 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x1000, TO, 0), TOP_PAGE);
	dma_unmap_phys(dev, TOP_PAGE, 0x1000, TO, 0);
	fx_free(fx);
}

static void IOM_9_mask(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);

	(void)state;
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(32)), 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x1000, TO, 0), 0xfffff000);
	dma_unmap_phys(dev, 0xfffff000, 0x1000, TO, 0);
	fx_free(fx);
}

static void IOM_10_bus_limit(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);

	(void)state;
	assert_int_equal(dma_device_set_bus_limit(dev, 0x7fffffff), 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x1000, TO, 0), 0x7ffff000);
	dma_unmap_phys(dev, 0x7ffff000, 0x1000, TO, 0);
	fx_free(fx);
}

/* I/O page 0 is never handed out, so a limit of two pages leaves one. */
static void IOM_11_exhausted(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	struct scatterlist sg;
	struct sg_table table = { &sg, 0, 1 };

	(void)state;
	assert_int_equal(dma_device_set_bus_limit(dev, 0x1fff), 0);
	assert_int_equal(dma_map_phys(dev, 0x5000, 0x1000, TO, 0), 0x1000);
	assert_int_equal(dma_map_phys(dev, 0x6000, 0x1000, TO, 0), E);
	fx_reason(dev, DMA_REASON_NO_IOVA);
	sg_init_table(&sg, 1);
	sg_set_phys(&sg, 0x6000, 0x1000);
	assert_int_equal(dma_map_sgtable(dev, &table, TO, 0), -DMAMAP_ENOMEM);
	fx_reason(dev, DMA_REASON_NO_IOVA);
	dma_unmap_phys(dev, 0x1000, 0x1000, TO, 0);
	assert_int_equal(dma_map_phys(dev, 0x6000, 0x1000, TO, 0), 0x1000);
	dma_unmap_phys(dev, 0x1000, 0x1000, TO, 0);
	fx_free(fx);
}

static unsigned int prot_of(bool noncoherent, enum dma_data_direction dir, unsigned long attrs)
{
	const struct fx_config config = { .noncoherent = noncoherent };
	struct fx *fx = fx_new(&config);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));
	dma_addr_t addr = dma_map_phys(dev, 0x1000, 0x1000, dir, attrs);
	unsigned int prot = (unsigned int)fx_get(fx, "B:map", 0)->extra;

	dma_unmap_phys(dev, addr, 0x1000, dir, attrs);
	fx_free(fx);
	return prot;
}

/* Ours: an invalid direction never gets as far as a protection (DSP-1). */
static void IOM_12_protection(void **state)
{
	(void)state;
	assert_int_equal(prot_of(false, TO, 0), 5);
	assert_int_equal(prot_of(true, FROM, 0), 2);
	assert_int_equal(prot_of(false, BIDI, DMA_ATTR_MMIO), 19);
	assert_int_equal(prot_of(true, BIDI, DMA_ATTR_MMIO), 19);
	assert_int_equal(prot_of(false, TO, DMA_ATTR_PRIVILEGED), 37);
}

static void IOM_13_alignment(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);

	(void)state;
	assert_int_equal(dma_set_min_align_mask(dev, 0x1fff), 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x1000, TO, 0), E);
	fx_reason(dev, DMA_REASON_ALIGNMENT);
	assert_int_equal(dma_map_phys(dev, 0x1000, 0x1000, TO, 0), E);
	fx_message(fx, "warn", 1);
	expect_count(fx, "T:map_phys", 2);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

static void IOM_14_backend_refuses(void **state)
{
	static const struct {
		int err;
		enum dma_reason reason;
	} cases[] = {
		{ -DMAMAP_ENOMEM, DMA_REASON_NO_MEMORY },
		{ -DMAMAP_EADDRINUSE, DMA_REASON_ALREADY_MAPPED },
		{ -DMAMAP_ERANGE, DMA_REASON_OUTPUT_WIDTH },
		{ -DMAMAP_EINVAL, DMA_REASON_BACKEND },
	};
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		fb->map_result = cases[i].err;
		assert_int_equal(dma_map_phys(dev, 0x1000, 0x1000, TO, 0), E);
		fx_reason(dev, cases[i].reason);
		assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
		assert_int_equal(dma_device_live(dev), 0);
	}
	fx_free(fx);
}

/* Ours: the hardware's output width is checked, not truncated. */
static void IOM_14_output_width(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);

	(void)state;
	assert_int_equal(dma_map_resource(dev, 1ull << 46, 0x1000, TO, 0), E);
	fx_reason(dev, DMA_REASON_OUTPUT_WIDTH);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

static void IOM_15_untrusted(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_iou(fx, 0);

	(void)state;
	memset(fx_ram(fx, FX_POOL), 0xee, 0x1000);
	fx_pattern(fx, 0x80000234, 0x100);
	assert_int_equal(dma_map_phys(dev, 0x80000234, 0x100, TO, 0), 0xfffff000);
	assert_int_equal(fx_translate(fx, 0xfffff000), FX_POOL);
	assert_true(fx_has_pattern(fx, FX_POOL, 0x80000234, 0x100));
	assert_true(fx_all(fx, FX_POOL + 0x100, 0xf00, 0));
	dma_unmap_phys(dev, 0xfffff000, 0x100, TO, 0);
	fx_free(fx);
}

static void IOM_16_untrusted_keeps_offset(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_iou(fx, 0xfff);

	(void)state;
	memset(fx_ram(fx, FX_POOL), 0xee, 0x1000);
	fx_pattern(fx, 0x80000234, 0x100);
	assert_int_equal(dma_map_phys(dev, 0x80000234, 0x100, TO, 0), 0xfffff234);
	assert_int_equal(fx_translate(fx, 0xfffff234), FX_POOL + 0x234);
	assert_true(fx_all(fx, FX_POOL, 0x234, 0));
	assert_true(fx_has_pattern(fx, FX_POOL + 0x234, 0x80000234, 0x100));
	assert_true(fx_all(fx, FX_POOL + 0x334, 0x1000 - 0x334, 0));
	dma_unmap_phys(dev, 0xfffff234, 0x100, TO, 0);
	fx_free(fx);
}

static void IOM_17_untrusted_second_slot(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_iou(fx, 0xfff);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x80000a34, 0x100, TO, 0), 0xfffffa34);
	assert_int_equal(fx_translate(fx, 0xfffffa34), FX_POOL + 0xa34);
	dma_unmap_phys(dev, 0xfffffa34, 0x100, TO, 0);
	fx_free(fx);
}

static void IOM_18_untrusted_whole_pages(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_iou(fx, 0);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x80000000, 0x2000, TO, 0), 0xffffe000);
	assert_int_equal(fx_translate(fx, 0xffffe000), 0x80000000);
	expect_count(fx, "T:bounced", 0);
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	dma_unmap_phys(dev, 0xffffe000, 0x2000, TO, 0);
	fx_free(fx);
}

static void IOM_19_untrusted_mmio(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_iou(fx, 0);

	(void)state;
	assert_true(dma_map_resource(dev, 0xf0000234, 0x100, TO, 0) == E);
	fx_reason(dev, DMA_REASON_MMIO_ALIGNMENT);
	expect_order(fx, "T:map_phys");
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	assert_int_equal(dma_map_resource(dev, 0xf0000000, 0x1000, TO, 0), 0xfffff000);
	assert_int_equal(fx_translate(fx, 0xfffff000), 0xf0000000);
	dma_unmap_resource(dev, 0xfffff000, 0x1000, TO, 0);
	fx_free(fx);
}

static void IOM_20_untrusted_without_pool(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_iop(fx);

	(void)state;
	assert_int_equal(dma_device_set_untrusted(dev, true), 0);
	fx_clear(fx);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(dma_map_phys(dev, 0x80000234, 0x100, TO, 0), E);
		fx_reason(dev, DMA_REASON_NO_BOUNCE_POOL);
	}
	assert_int_equal(fx_count(fx, "warn") + fx_count(fx, "log"), 1);
	expect_count(fx, "T:map_phys", 2);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

static void IOM_21_untrusted_unmap_order(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_iou(fx, 0xfff);
	dma_addr_t addr = dma_map_phys(dev, 0x80000234, 0x100, FROM, 0);

	(void)state;
	memset(fx_ram(fx, FX_POOL + 0x234), 0x77, 0x100);
	fx_clear(fx);
	dma_unmap_phys(dev, addr, 0x100, FROM, 0);
	assert_true(fx_before(fx, "U:invalidate", "U:wait"));
	assert_true(fx_before(fx, "U:wait", "copy"));
	assert_true(fx_before(fx, "copy", "T:unmap_phys"));
	assert_true(fx_all(fx, 0x80000234, 0x100, 0x77));
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	fx_free(fx);
}

static void IOM_22_unmap_of_nothing(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	dma_addr_t addr = dma_map_phys(dev, 0x5000, 0x1000, TO, 0);

	(void)state;
	fx_clear(fx);
	dma_unmap_phys(dev, addr - 0x1000, 0x1000, TO, 0);
	fx_message(fx, "warn", 1);
	fx_reason(dev, DMA_REASON_NOT_MAPPED);
	expect_count(fx, "T:unmap_phys", 1);
	assert_int_equal(fx_get(fx, "T:unmap_phys", 0)->event.reason, DMA_REASON_NOT_MAPPED);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 4096);
	assert_int_equal(fx_translate(fx, addr), 0x5000);
	assert_int_equal(dma_device_live(dev), 1);
	dma_unmap_phys(dev, addr, 0x1000, TO, 0);
	fx_free(fx);
}

/* C17: physical page 0 is memory like any other. */
static void IOM_22_physical_page_0(void **state)
{
	const struct fx_config config = { .noncoherent = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_io(fx);
	dma_addr_t addr = dma_map_phys(dev, 0, 0x1000, FROM, 0);
	phys_addr_t phys = 1;

	(void)state;
	assert_int_equal(addr, TOP_PAGE);
	assert_int_equal(dma_domain_iova_to_phys(fx->domain[0], addr, &phys), 0);
	assert_int_equal(phys, 0);
	fx_clear(fx);
	dma_unmap_phys(dev, addr, 0x1000, FROM, 0);
	expect_count(fx, "warn", 0);
	expect_count(fx, "for-cpu", 1);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	assert_int_not_equal(dma_domain_iova_to_phys(fx->domain[0], addr, &phys), 0);
	fx_free(fx);
}

static void IOM_23_unmap_mmio_does_not_translate(void **state)
{
	const struct fx_config config = { .noncoherent = true };
	struct fx *fx = fx_new(&config);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));
	dma_addr_t addr = dma_map_resource(dev, 0xf0000000, 0x1000, BIDI, 0);

	(void)state;
	dma_unmap_resource(dev, addr, 0x1000, BIDI, 0);
	expect_count(fx, "B:iova_to_phys", 0);
	expect_count(fx, "for-cpu", 0);
	addr = dma_map_phys(dev, 0x5000, 0x1000, BIDI, 0);
	dma_unmap_phys(dev, addr, 0x1000, BIDI, 0);
	expect_count(fx, "B:iova_to_phys", 1);
	assert_int_equal(fx_get(fx, "for-cpu", 0)->addr, 0x5000);
	fx_free(fx);
}

static void IOM_24_coherent_sync_does_not_translate(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));
	dma_addr_t addr = dma_map_phys(dev, 0x5000, 0x1000, BIDI, 0);

	(void)state;
	fx_clear(fx);
	dma_sync_single_for_cpu(dev, addr, 0x1000, BIDI);
	dma_sync_single_for_device(dev, addr, 0x1000, BIDI);
	expect_order(fx, "T:sync_cpu T:sync_device");
	dma_unmap_phys(dev, addr, 0x1000, BIDI, 0);
	fx_free(fx);
}

static void IOM_61_alloc_without_blocking(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));
	dma_addr_t handle;
	unsigned char *mem = dma_alloc_coherent(dev, 0x2000, &handle, GFP_ATOMIC);

	(void)state;
	assert_non_null(mem);
	assert_int_equal(fx_get(fx, "B:map", 0)->extra,
			 DMA_PROT_READ | DMA_PROT_WRITE | DMA_PROT_CACHE);
	assert_int_equal(fx_get(fx, "B:map", 0)->size, 0x2000);
	assert_int_equal(fb->nr, 1);
	assert_ptr_equal(fx_ram(fx, fb->live[0].phys), mem);
	assert_true(fx_all(fx, fb->live[0].phys, 0x2000, 0));
	assert_int_equal(handle, fb->live[0].iova);
	assert_true(fx_before(fx, "B:sync_map", "T:alloc"));
	fx_clear(fx);
	fx->log_pages = true;
	dma_free_coherent(dev, 0x2000, mem, handle);
	assert_true(fx_before(fx, "T:free", "B:unmap"));
	assert_true(fx_before(fx, "B:wait", "free-pages"));
	fx->log_pages = false;
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(IOM_1_map),
		cmocka_unit_test(IOM_1_table_permissions),
		cmocka_unit_test(IOM_2_unmap),
		cmocka_unit_test(IOM_3_same_address_again),
		cmocka_unit_test(IOM_4_three_pages),
		cmocka_unit_test(IOM_5_large_leaf),
		cmocka_unit_test(IOM_6_pci_first_map),
		cmocka_unit_test(IOM_7_pci_space_full),
		cmocka_unit_test(IOM_8_forcedac),
		cmocka_unit_test(IOM_9_mask),
		cmocka_unit_test(IOM_10_bus_limit),
		cmocka_unit_test(IOM_11_exhausted),
		cmocka_unit_test(IOM_12_protection),
		cmocka_unit_test(IOM_13_alignment),
		cmocka_unit_test(IOM_14_backend_refuses),
		cmocka_unit_test(IOM_14_output_width),
		cmocka_unit_test(IOM_15_untrusted),
		cmocka_unit_test(IOM_16_untrusted_keeps_offset),
		cmocka_unit_test(IOM_17_untrusted_second_slot),
		cmocka_unit_test(IOM_18_untrusted_whole_pages),
		cmocka_unit_test(IOM_19_untrusted_mmio),
		cmocka_unit_test(IOM_20_untrusted_without_pool),
		cmocka_unit_test(IOM_21_untrusted_unmap_order),
		cmocka_unit_test(IOM_22_unmap_of_nothing),
		cmocka_unit_test(IOM_22_physical_page_0),
		cmocka_unit_test(IOM_23_unmap_mmio_does_not_translate),
		cmocka_unit_test(IOM_24_coherent_sync_does_not_translate),
		cmocka_unit_test(IOM_61_alloc_without_blocking),
	};

	return FX_RUN(tests);
}
