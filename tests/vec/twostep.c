/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vectors: the cases of the lists of tests for two-step mappings (IOM-45 to IOM-59) and for peer-to-peer consumers
 * (P2P-17 to P2P-22) that have a counterpart in the vector mapper, under their ids.
 */
#include "recorded.h"

/* --- two-step cases with a counterpart */

/** No run: refused for its size, or every vector by itself where there is no IOMMU. */
static void IOM_45_no_run(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_phys_vec vec = { .phys = 0x1234, .len = 0 };
	struct dma_device *io = fx_io(fx);
	struct dma_device *direct = fx_device(fx);
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	(void)state;
	expect_refused(fx, io, &vec, 1, 0, DMA_REASON_ZERO_SIZE, -DMAMAP_EINVAL, 0);
	vec.len = 1ull << 63; /* more than there are addresses: one by one is no better */
	assert_int_equal(dma_vec_map_start(io, &map, &vec, 1, TO, 0), 0);
	assert_int_equal(dma_vec_map_next(&map, segs), -DMAMAP_ENOMEM);
	fx_reason(io, DMA_REASON_NO_IOVA);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	vec.len = 0x3000;
	assert_int_equal(map_all(direct, &map, &vec, 1, TO, segs), 1);
	assert_int_equal(segs[0].addr, 0x1234);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	fx_free(fx);
}

/** Two vectors, checked by @check and unmapped. */
static void with_two(struct dma_phys_vec *vecs, unsigned int n, unsigned int want,
		     void (*check)(struct fx *fx, const struct dma_vec_seg *segs))
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = fx_io(fx);
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	assert_int_equal(map_all(dev, &map, vecs, n, TO, segs), want);
	check(fx, segs);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	fx_free(fx);
}

static void head_address(struct fx *fx, const struct dma_vec_seg *segs)
{
	(void)fx;
	assert_true(segs[0].addr == 0xffffffffc234ull);
	assert_int_equal(segs[0].len, 0x3000);
}

static void IOM_46_unaligned_head_address(void **state)
{
	struct dma_phys_vec vec = { .phys = 0x1234, .len = 0x3000 };

	(void)state;
	with_two(&vec, 1, 1, head_address);
}

static void head_granules(struct fx *fx, const struct dma_vec_seg *segs)
{
	(void)segs;
	assert_int_equal(fx_translate(fx, 0xffffffffc000ull), 0x1000);
	assert_int_equal(fx_translate(fx, 0xffffffffffffull), 0x4fff);
	assert_true(fx_translate(fx, 0xffffffffbfffull) == ~0ull);
}

static void IOM_47_unaligned_head_granules(void **state)
{
	struct dma_phys_vec vec = { .phys = 0x1234, .len = 0x3000 };

	(void)state;
	with_two(&vec, 1, 1, head_granules);
}

static void middle_by_itself(struct fx *fx, const struct dma_vec_seg *segs)
{
	assert_int_equal(segs[1].addr - segs[0].addr, 0x1234);
	assert_int_equal(fx_translate(fx, segs[1].addr), 0x1234);
}

/** A vector that begins inside of a granule does not continue the range; nothing fails. */
static void IOM_48_unaligned_middle(void **state)
{
	struct dma_phys_vec vecs[] = { { .phys = 0x2000, .len = 0x1000 },
				       { .phys = 0x1234, .len = 0x1000 } };

	(void)state;
	with_two(vecs, 2, 2, middle_by_itself);
}

static void other_offset(struct fx *fx, const struct dma_vec_seg *segs)
{
	assert_int_equal(segs[0].addr & 0xfff, 0x234);
	assert_int_equal(segs[1].addr & 0xfff, 0x800);
	assert_int_equal(fx_translate(fx, segs[1].addr), 0x5800);
}

/** Each vector keeps the offset in its granule, whatever that of the first one is. */
static void IOM_49_other_offset(void **state)
{
	struct dma_phys_vec vecs[] = { { .phys = 0x1234, .len = 0xdcc },
				       { .phys = 0x5800, .len = 0x800 } };

	(void)state;
	with_two(vecs, 2, 2, other_offset);
}

static void IOM_50_two_vectors(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_domain *domain = fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT);
	struct dma_device *dev = fx_behind(fx, domain);
	struct dma_phys_vec vecs[] = { { .phys = 0x8000, .len = 0x1000 },
				       { .phys = 0x3000, .len = 0x1000 } };
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	(void)state;
	map_all(dev, &map, vecs, 2, TO, segs);
	expect_count(fx, "B:sync_map", 1);
	assert_int_equal(fb->nr, 2);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	assert_int_equal(fb->nr, 0);
	assert_int_equal(fx_iova_bytes(domain), 0);
	fx_free(fx);
}

/** All of a run goes back, and is found again. */
static void IOM_52_run_reusable(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = fx_io(fx);
	struct dma_phys_vec vecs[] = { { .phys = 0x100000, .len = 0x1000 },
				       { .phys = 0x200000, .len = 0x3f000 } };
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;
	dma_addr_t first;

	(void)state;
	map_all(dev, &map, vecs, 2, TO, segs);
	first = segs[0].addr;
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	map_all(dev, &map, vecs, 2, TO, segs);
	assert_true(segs[0].addr == first);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	fx_free(fx);
}

/** An untrusted device: what does not fill its granules is bounced as a whole, at an address of its own. */
static void untrusted(unsigned int min_align, struct dma_phys_vec *vecs)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = fx_iou(fx, min_align);
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	assert_int_equal(map_all(dev, &map, vecs, 2, BIDI, segs), 2);
	expect_count(fx, "T:bounced", 1);
	assert_true(fx_translate(fx, segs[0].addr) - FX_POOL < MIB(1));
	assert_int_equal(fx_translate(fx, segs[1].addr), 0x80010000);
	assert_true(fx_pool_used(fx->pool[0]) > 0);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	fx_free(fx);
}

static void IOM_53_untrusted_head_and_tail(void **state)
{
	struct dma_phys_vec vecs[] = { { .phys = 0x80000800, .len = 0x2000 },
				       { .phys = 0x80010000, .len = 0x1000 } };

	(void)state;
	untrusted(0xfff, vecs);
}

static void IOM_54_untrusted_without_alignment(void **state)
{
	struct dma_phys_vec vecs[] = { { .phys = 0x80000800, .len = 0x2000 },
				       { .phys = 0x80010000, .len = 0x1000 } };

	(void)state;
	untrusted(0, vecs);
}

static void IOM_56_untrusted_tail_only(void **state)
{
	struct dma_phys_vec vecs[] = { { .phys = 0x80004000, .len = 0x300 },
				       { .phys = 0x80010000, .len = 0x1000 } };

	(void)state;
	untrusted(0xfff, vecs);
}

/** A later bounce fails: what came before stays mapped, until the unmap takes it back. */
static void IOM_57_later_bounce_fails(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = fx_iou(fx, 0xfff);
	struct dma_phys_vec vecs[] = { { .phys = 0x8000, .len = 0x10000 },
				       { .phys = 0x20800, .len = 0x100000 } };
	struct dma_vec_seg seg;
	struct dma_vec_map map;

	(void)state;
	assert_int_equal(dma_vec_map_start(dev, &map, vecs, 2, TO, 0), 0);
	assert_int_equal(dma_vec_map_next(&map, &seg), 1);
	assert_int_equal(dma_vec_map_next(&map, &(struct dma_vec_seg){ 0, 0 }), -DMAMAP_ENOMEM);
	assert_int_equal(map.index, 1);
	assert_int_equal(fx_translate(fx, seg.addr), 0x8000);
	assert_int_equal(fx_translate(fx, seg.addr + 0xffff), 0x17fff);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

/** MMIO of an untrusted device is never bounced: whole granules are mapped, less is refused. */
static void IOM_55_untrusted_mmio(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = fx_iou(fx, 0xfff);
	struct dma_phys_vec vecs[] = { { .phys = 0x4000, .len = 0x2000 },
				       { .phys = BAR + 0x100, .len = 0x80, .attrs = MMIO } };
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	(void)state;
	expect_refused(fx, dev, vecs, 2, 0, DMA_REASON_MMIO_ALIGNMENT, -DMAMAP_EPERM, 1);
	vecs[1].phys = BAR;
	vecs[1].len = 0x1000;
	fx_clear(fx);
	assert_int_equal(map_all(dev, &map, vecs, 2, TO, segs), 1);
	expect_count(fx, "T:bounced", 0);
	assert_int_equal(fx_translate(fx, segs[0].addr + 0x2000), BAR);
	fx_clear(fx);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	expect_count(fx, "U:invalidate", 1);
	fx_free(fx);
}

static void IOM_58_maintenance(void **state)
{
	const struct fx_config config = { .ram = { { 0, 0xe0000000ull } }, .noncoherent = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_io(fx);
	struct dma_phys_vec vecs[] = { { .phys = 0x4000, .len = 0x10000 },
				       { .phys = BAR, .len = 0x10000, .attrs = MMIO } };
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	(void)state;
	map_all(dev, &map, vecs, 2, FROM, segs);
	fx_clear(fx);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	assert_true(fx_before(fx, "for-cpu", "U:invalidate"));
	expect_count(fx, "for-cpu", 1);
	assert_int_equal(fx_get(fx, "for-cpu", 0)->addr, 0x4000);
	assert_int_equal(fx_get(fx, "for-cpu", 0)->size, 0x10000);
	map_all(dev, &map, vecs, 2, FROM, segs);
	fx_clear(fx);
	assert_int_equal(dma_vec_unmap(&map, DMA_ATTR_SKIP_CPU_SYNC), 0);
	expect_count(fx, "for-cpu", 0);
	fx_free(fx);
}

static void IOM_59_require_coherent(void **state)
{
	const struct fx_config config = { .noncoherent = true };
	struct fx *fx = fx_new(&config);
	struct dma_phys_vec vec = { .phys = 0x4000, .len = 0x1000 };

	(void)state;
	expect_refused(fx, fx_io(fx), &vec, 1, DMA_ATTR_REQUIRE_COHERENT, DMA_REASON_NOT_COHERENT,
		       -DMAMAP_EOPNOTSUPP, 0);
	fx_free(fx);
}

static void cc_shared(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_phys_vec vec = { .phys = 0x4000, .len = 0x1000 };

	(void)state;
	expect_refused(fx, fx_io(fx), &vec, 1, DMA_ATTR_CC_SHARED, DMA_REASON_CC_SHARED,
		       -DMAMAP_EOPNOTSUPP, 0);
	fx_free(fx);
}

/* --- peer-to-peer consumers */

static void P2P_17_bus_addresses(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = fx_io(fx);
	struct dma_phys_vec vecs[] = {
		{ .phys = 0xc0001000, .len = 0x1000, .flags = DMA_VEC_BUS_ADDRESS },
		{ .phys = 0xc0004000, .len = 0x800, .flags = DMA_VEC_BUS_ADDRESS }
	};
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	(void)state;
	assert_int_equal(map_all(dev, &map, vecs, 2, TO, segs), 2);
	assert_int_equal(segs[0].addr, 0xc0001000);
	assert_int_equal(segs[1].len, 0x800);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	assert_int_equal(dma_vec_sync_for_cpu(&map, 0, DMA_VEC_ALL), 0);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	expect_order(fx, "");
	fx_free(fx);
}

/** Between mapped vectors they keep their place, take no I/O address, and end the range before them. */
static void bus_addresses_between(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = fx_io(fx);
	struct dma_phys_vec vecs[] = {
		{ .phys = 0x4000, .len = 0x1000 },
		{ .phys = 0xc0001000, .len = 0x1000, .flags = DMA_VEC_BUS_ADDRESS },
		{ .phys = 0x8000, .len = 0x1000 },
		{ .phys = 0xa000, .len = 0x1000 },
	};
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	(void)state;
	assert_int_equal(map_all(dev, &map, vecs, 4, TO, segs), 3);
	assert_false(map.contiguous);
	assert_int_equal(segs[1].addr, 0xc0001000);
	assert_int_equal(segs[2].len, 0x2000);
	assert_int_equal(fx_translate(fx, segs[2].addr), 0x8000);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	/* beyond the mask the device could not emit it */
	assert_int_equal(dma_device_set_bus_limit(dev, 0xbfffffff), 0);
	expect_refused(fx, dev, vecs, 4, 0, DMA_REASON_BEYOND_MASK, -DMAMAP_EIO, 1);
	fx_free(fx);
}

/** Through the host bridge: MMIO on every map and on the unmap, on the routes where it shows. */
static void P2P_18_host_bridge(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS);
	struct dma_phys_vec vecs[] = { { .phys = BAR, .len = 0x1000, .attrs = MMIO },
				       { .phys = 0x4000, .len = 0x1000 },
				       { .phys = BAR + 0x8000, .len = 0x1000, .attrs = MMIO } };
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	(void)state;
	map_all(dev, &map, vecs, 3, TO, segs);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	expect_count(fx, "M:map_phys", 3);
	expect_count(fx, "M:unmap_phys", 3);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(fx_get(fx, "M:map_phys", i)->attrs, vecs[i].attrs);
		assert_int_equal(fx_get(fx, "M:unmap_phys", i)->attrs, vecs[i].attrs);
		assert_true(fx_get(fx, "M:unmap_phys", i)->addr == segs[i].addr);
	}
	fx_free(fx);
}

/** P2P-19, C15: the failure of a later vector is the result, and nothing of the ones before it stays. */
static void P2P_19_later_vector_fails(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_domain *domain = fx_domain(fx, DMA_INVALIDATION_STRICT);
	struct dma_device *dev = fx_behind(fx, domain);
	struct dma_phys_vec vecs[] = { { .phys = 0x4000, .len = 0x1000 },
				       { .phys = 1ull << 50, .len = 0x1000, .attrs = MMIO } };

	(void)state;
	expect_refused(fx, dev, vecs, 2, 0, DMA_REASON_OUTPUT_WIDTH, -DMAMAP_ERANGE, 1);
	assert_int_equal(fx_iova_bytes(domain), 0);
	assert_int_equal(fx_walk(fx, 0xfffffffff000ull, NULL), 0);
	assert_int_equal(fx_walk(fx, 0xffffffffe000ull, NULL), 0);
	fx_free(fx);
}

/** Walked again, a mapping has the same addresses, and nothing is entered anew. */
static void P2P_21_walked_again(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = fx_io(fx);
	struct dma_phys_vec vec = { .phys = BAR, .len = 0x1000, .attrs = MMIO };
	struct dma_vec_seg segs[16];
	struct dma_vec_seg again;
	struct dma_vec_map map;

	(void)state;
	map_all(dev, &map, &vec, 1, BIDI, segs);
	fx_clear(fx);
	assert_int_equal(dma_vec_map_rewind(&map), 0);
	assert_int_equal(dma_vec_map_next(&map, &again), 1);
	assert_true(again.addr == segs[0].addr);
	expect_order(fx, "");
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	fx_free(fx);
}

/** P2P-22, C16: every range has an offset of its own. */
static void P2P_22_two_ranges(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = fx_io(fx);
	struct dma_phys_vec vecs[] = { { .phys = BAR, .len = 0x3000, .attrs = MMIO },
				       { .phys = BAR + 0x10000, .len = 0x2000, .attrs = MMIO } };
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	(void)state;
	assert_int_equal(map_all(dev, &map, vecs, 2, BIDI, segs), 1);
	assert_int_equal(segs[0].len, 0x5000);
	assert_int_equal(fx_translate(fx, segs[0].addr), BAR);
	assert_int_equal(fx_translate(fx, segs[0].addr + 0x3000), BAR + 0x10000);
	assert_int_equal(fx_get(fx, "T:map_phys", 0)->attrs, MMIO);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(IOM_45_no_run),
		cmocka_unit_test(IOM_46_unaligned_head_address),
		cmocka_unit_test(IOM_47_unaligned_head_granules),
		cmocka_unit_test(IOM_48_unaligned_middle),
		cmocka_unit_test(IOM_49_other_offset),
		cmocka_unit_test(IOM_50_two_vectors),
		cmocka_unit_test(IOM_52_run_reusable),
		cmocka_unit_test(IOM_53_untrusted_head_and_tail),
		cmocka_unit_test(IOM_54_untrusted_without_alignment),
		cmocka_unit_test(IOM_56_untrusted_tail_only),
		cmocka_unit_test(IOM_57_later_bounce_fails),
		cmocka_unit_test(IOM_55_untrusted_mmio),
		cmocka_unit_test(IOM_58_maintenance),
		cmocka_unit_test(IOM_59_require_coherent),
		cmocka_unit_test(cc_shared),
		cmocka_unit_test(P2P_17_bus_addresses),
		cmocka_unit_test(bus_addresses_between),
		cmocka_unit_test(P2P_18_host_bridge),
		cmocka_unit_test(P2P_19_later_vector_fails),
		cmocka_unit_test(P2P_21_walked_again),
		cmocka_unit_test(P2P_22_two_ranges),
	};

	return FX_RUN(tests);
}
