/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two-step mapping: the cases of the list of tests (IOM-45 to IOM-59) under their ids, on the recording host, and what
 * goes with them: protection, maintenance, orders, lazy domains.
 */
#include "recorded.h"

/* --- taking addresses */

static void refuse_alloc(struct fx *fx, struct dma_device *dev, uint64_t size,
			 enum dma_reason reason, int err, unsigned int warnings)
{
	struct dma_iova_state state = { .addr = 1, .__size = 2, .linked = 3 };

	fx_clear(fx);
	assert_false(dma_iova_try_alloc(dev, &state, 0x1234, size));
	assert_true(ts_is_zero(&state));
	assert_false(dma_use_iova(&state));
	ts_refused(fx, dev, reason, err, warnings);
	assert_int_equal(dma_device_live(dev), 0);
}

static void IOM_45_no_addresses(void **state)
{
	struct fx *fx = ts_host(false);
	struct dma_device *io = fx_io(fx);
	struct dma_device *none = fx_device(fx);

	(void)state;
	refuse_alloc(fx, io, 0, DMA_REASON_ZERO_SIZE, -DMAMAP_EINVAL, 1);
	refuse_alloc(fx, io, 1ull << 63, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, 1);
	refuse_alloc(fx, io, ~0ull, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, 1);
	refuse_alloc(fx, io, (1ull << 63) - 1, DMA_REASON_NO_IOVA, -DMAMAP_ENOMEM, 0);
	refuse_alloc(fx, fx_device(fx), 0x1000, DMA_REASON_NO_IOMMU, -DMAMAP_EOPNOTSUPP, 0);
	refuse_alloc(fx, fx_ops_device(fx, FX_PHYS), 0x1000, DMA_REASON_NO_IOMMU,
		     -DMAMAP_EOPNOTSUPP, 0);
	assert_int_equal(dma_device_set_mask_storage(none, DMA_MASK_NONE), 0);
	refuse_alloc(fx, none, 0x1000, DMA_REASON_NO_MASK, -DMAMAP_EIO, 1);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

static void IOM_46_address_and_size(void **state)
{
	struct fx *fx = ts_host(false);
	struct dma_device *dev = fx_io(fx);
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0x1234, 0x3000));
	assert_true(s.addr == 0xffffffffc234ull);
	assert_int_equal(dma_iova_size(&s), 0x3000);
	assert_true(dma_use_iova(&s));
	assert_int_equal(dma_device_live(dev), 1);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0x4000);
	expect_order(fx, "");
	dma_iova_free(dev, &s);
	assert_true(ts_is_zero(&s));
	assert_int_equal(dma_device_live(dev), 0);
	fx_free(fx);
}

/** The mask bounds the addresses; a PCI device looks below 4 GiB first. */
static void limits(void **state)
{
	struct fx *fx = ts_host(false);
	struct dma_device *dev = fx_iop(fx);
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0, 0x1000));
	assert_int_equal(s.addr, 0xfffff000);
	dma_iova_free(dev, &s);
	assert_int_equal(dma_set_mask(dev, 0x7fffffff), 0);
	assert_true(dma_iova_try_alloc(dev, &s, 0x800, 0x1000));
	assert_int_equal(s.addr, 0x7fffe800);
	dma_iova_free(dev, &s);
	assert_int_equal(dma_set_min_align_mask(dev, 0x1fff), 0);
	refuse_alloc(fx, dev, 0x1000, DMA_REASON_ALIGNMENT, -DMAMAP_ENOMEM, 1);
	fx_free(fx);
}

/* --- links */

static void IOM_47_granules(void **state)
{
	struct fx *fx = ts_host(false);
	struct dma_device *dev = fx_io(fx);
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0x1234, 0x3000));
	assert_int_equal(dma_iova_link(dev, &s, 0x1234, 0, 0x3000, TO, 0), 0);
	assert_int_equal(fx_translate(fx, 0xffffffffc000ull), 0x1000);
	assert_int_equal(fx_translate(fx, s.addr), 0x1234);
	assert_int_equal(fx_translate(fx, 0xffffffffffffull), 0x4fff);
	assert_true(fx_translate(fx, 0xffffffffbfffull) == NOTHING);
	expect_order(fx, "T:iommu_map");
	assert_int_equal(dma_iova_sync(dev, &s, 0, 0x3000), 0);
	dma_iova_destroy(dev, &s, 0x3000, TO, 0);
	assert_true(fx_translate(fx, 0xffffffffc000ull) == NOTHING);
	expect_order(fx, "T:iommu_map U:invalidate U:wait T:iommu_unmap");
	fx_free(fx);
}

static void IOM_48_unaligned_middle(void **state)
{
	struct fx *fx = ts_host(false);
	struct dma_device *dev = fx_io(fx);
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0x1000, 0x3000));
	fx_clear(fx);
	assert_int_equal(dma_iova_link(dev, &s, 0x1234, 0x1000, 0x1000, TO, 0), -DMAMAP_EIO);
	ts_refused(fx, dev, DMA_REASON_LINK_ALIGNMENT, -DMAMAP_EIO, 1);
	assert_true(fx_translate(fx, s.addr + 0x1000) == NOTHING);
	dma_iova_free(dev, &s);
	fx_free(fx);
}

static void IOM_49_other_offset(void **state)
{
	struct fx *fx = ts_host(false);
	struct dma_device *dev = fx_io(fx);
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0x1234, 0x3000));
	fx_clear(fx);
	assert_int_equal(dma_iova_link(dev, &s, 0x5800, 0, 0x800, TO, 0), -DMAMAP_EINVAL);
	ts_refused(fx, dev, DMA_REASON_LINK_ALIGNMENT, -DMAMAP_EINVAL, 1);
	assert_int_equal(dma_iova_link(dev, &s, 0x5000, 0, 0x800, TO, 0), -DMAMAP_EINVAL);
	/* an aligned piece behind one that did not end with its granule */
	assert_int_equal(dma_iova_link(dev, &s, 0x5000, 0x1000, 0x800, TO, 0), -DMAMAP_EINVAL);
	assert_int_equal(dma_iova_link(dev, &s, 0x5000, 0xdcc, 0x800, TO, 0), 0);
	assert_int_equal(fx_translate(fx, s.addr + 0xdcc), 0x5000);
	dma_iova_unlink(dev, &s, 0xdcc, 0x800, TO, 0);
	dma_iova_free(dev, &s);
	fx_free(fx);
}

static void IOM_50_two_links(void **state)
{
	struct fx *fx = ts_host(false);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_domain *domain = fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT);
	struct dma_device *dev = fx_behind(fx, domain);
	struct dma_iova_state s;
	dma_addr_t first;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0x1800, 0x1800));
	first = s.addr;
	assert_int_equal(dma_iova_link(dev, &s, 0x1800, 0, 0x800, TO, 0), 0);
	assert_int_equal(dma_iova_link(dev, &s, 0x9000, 0x800, 0x1000, TO, 0), 0);
	assert_int_equal(dma_iova_sync(dev, &s, 0, 0x1800), 0);
	expect_order(fx, "B:map T:iommu_map B:map T:iommu_map B:sync_map");
	assert_int_equal(fx_get(fx, "B:sync_map", 0)->size, 0x2000);
	assert_int_equal(fb->nr, 2);
	fx_clear(fx);
	dma_iova_destroy(dev, &s, 0x1800, TO, 0);
	expect_order(fx, "B:unmap B:prune B:invalidate B:wait T:iommu_unmap");
	assert_int_equal(fb->nr, 0);
	assert_int_equal(fb->violations, 0);
	assert_int_equal(fx_iova_bytes(domain), 0);
	assert_true(dma_iova_try_alloc(dev, &s, 0x1800, 0x1800));
	assert_true(s.addr == first);
	dma_iova_free(dev, &s);
	fx_free(fx);
}

static void IOM_51_destroy_nothing(void **state)
{
	struct fx *fx = ts_host(false);
	struct dma_device *dev = fx_io(fx);
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0, 0x10000));
	dma_iova_destroy(dev, &s, 0, TO, 0);
	expect_order(fx, "");
	assert_true(ts_is_zero(&s));
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	assert_int_equal(dma_device_live(dev), 0);
	fx_free(fx);
}

/** C14: all of the run goes back, however little of it was linked; lazily on a lazy domain. */
static void destroy_partly_linked(enum dma_invalidation invalidation, uint64_t size)
{
	struct fx *fx = ts_host(false);
	struct dma_domain *domain = fx_domain(fx, invalidation);
	struct dma_device *dev = fx_behind(fx, domain);
	bool lazy = invalidation == DMA_INVALIDATION_LAZY;
	bool small = size <= 0x40000; /* its window goes back with a flush */
	struct dma_iova_state s;
	dma_addr_t first;

	assert_true(dma_iova_try_alloc(dev, &s, 0, size));
	first = s.addr;
	assert_int_equal(dma_iova_link(dev, &s, 0x8000, 0, 0x1000, TO, 0), 0);
	fx_clear(fx);
	dma_iova_destroy(dev, &s, 0x1000, TO, 0);
	expect_count(fx, "U:invalidate", !lazy);
	assert_int_equal(fx_iova_bytes(domain), lazy ? size : 0);
	dma_domain_flush(domain);
	expect_count(fx, "U:flush", lazy || small);
	assert_int_equal(fx_iova_bytes(domain), 0);
	assert_true(dma_iova_try_alloc(dev, &s, 0, size));
	assert_true(s.addr == first);
	dma_iova_free(dev, &s);
	fx_free(fx);
}

static void IOM_52_all_goes_back(void **state)
{
	(void)state;
	destroy_partly_linked(DMA_INVALIDATION_STRICT, 0x40000);
	destroy_partly_linked(DMA_INVALIDATION_LAZY, 0x40000);
	destroy_partly_linked(DMA_INVALIDATION_STRICT, 0x41000);
	destroy_partly_linked(DMA_INVALIDATION_LAZY, 0x41000);
}

/* --- untrusted devices */

/** Head and tail are copies, the middle is the buffer; nothing beside it can be seen. */
static void head_and_tail(unsigned int min_align)
{
	struct fx *fx = ts_host(false);
	struct dma_device *dev = fx_iou(fx, min_align);
	struct dma_iova_state s;
	uint64_t head;
	uint64_t tail;

	memset(fx_ram(fx, 0x80000000), 0x55, 0x4000);
	fx_pattern(fx, 0x80000800, 0x2000);
	assert_true(dma_iova_try_alloc(dev, &s, 0x80000800, 0x2000));
	fx_clear(fx);
	assert_int_equal(dma_iova_link(dev, &s, 0x80000800, 0, 0x2000, BIDI, 0), 0);
	expect_count(fx, "T:bounced", 2);
	assert_true(s.__size & SWIOTLB);
	assert_int_equal(dma_iova_size(&s), 0x2000);
	head = fx_translate(fx, s.addr);
	tail = fx_translate(fx, s.addr + 0x1800);
	assert_true(head - FX_POOL < MIB(1) && tail - FX_POOL < MIB(1));
	assert_int_equal(head & 0xfff, 0x800);
	assert_int_equal(tail & 0xfff, 0);
	assert_int_equal(fx_translate(fx, s.addr + 0x800), 0x80001000);
	assert_true(fx_has_pattern(fx, head, 0x80000800, 0x800));
	assert_true(fx_has_pattern(fx, tail, 0x80002000, 0x800));
	assert_true(fx_all(fx, head - 0x800, 0x800, 0));
	assert_true(fx_all(fx, tail + 0x800, 0x800, 0));
	memset(fx_ram(fx, head), 0xaa, 0x800);
	memset(fx_ram(fx, tail), 0xbb, 0x800);
	fx_clear(fx);
	dma_iova_destroy(dev, &s, 0x2000, BIDI, 0);
	expect_order(fx, "U:invalidate U:wait T:iommu_unmap copy copy");
	assert_true(fx_all(fx, 0x80000800, 0x800, 0xaa));
	assert_true(fx_all(fx, 0x80002000, 0x800, 0xbb));
	assert_true(fx_all(fx, 0x80000000, 0x800, 0x55));
	assert_true(fx_all(fx, 0x80002800, 0x1800, 0x55));
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	fx_free(fx);
}

static void IOM_53_head_and_tail(void **state)
{
	(void)state;
	head_and_tail(0xfff);
}

/** C13: the copy keeps its place in the granule, whatever the device asks for. */
static void IOM_54_without_alignment(void **state)
{
	(void)state;
	head_and_tail(0);
}

static void IOM_55_untrusted_mmio(void **state)
{
	struct fx *fx = ts_host(false);
	struct dma_device *dev = fx_iou(fx, 0xfff);
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, BAR + 0x100, 0x2000));
	fx_clear(fx);
	assert_int_equal(dma_iova_link(dev, &s, BAR + 0x100, 0, 0xf00, TO, MMIO), -DMAMAP_EPERM);
	ts_refused(fx, dev, DMA_REASON_MMIO_ALIGNMENT, -DMAMAP_EPERM, 0);
	assert_int_equal(dma_iova_link(dev, &s, BAR, 0xf00, 0x800, TO, MMIO), -DMAMAP_EPERM);
	assert_int_equal(dma_iova_link(dev, &s, BAR, 0xf00, 0x1000, TO, MMIO), 0);
	expect_count(fx, "T:bounced", 0);
	assert_int_equal(fx_translate(fx, s.addr + 0xf00), BAR);
	dma_iova_unlink(dev, &s, 0xf00, 0x1000, TO, MMIO);
	dma_iova_free(dev, &s);
	fx_free(fx);
}

static void IOM_56_tail_only(void **state)
{
	struct fx *fx = ts_host(false);
	struct dma_device *dev = fx_iou(fx, 0xfff);
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0x80004000, 0x300));
	fx_clear(fx);
	assert_int_equal(dma_iova_link(dev, &s, 0x80004000, 0, 0x300, TO, 0), 0);
	expect_count(fx, "T:bounced", 1);
	expect_count(fx, "T:iommu_map", 1);
	dma_iova_destroy(dev, &s, 0x300, TO, 0);
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	fx_free(fx);
}

/** C13: a failing link takes back its own piece, and no other. */
static void IOM_57_second_link_fails(void **state)
{
	struct fx *fx = ts_host(false);
	struct dma_device *dev = fx_iou(fx, 0xfff);
	struct dma_iova_state s;
	dma_addr_t full[64];

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, fx_pool_at(fx, FX_POOL + MIB(16), 128)), 0);
	for (unsigned int i = 0; i < 64; i++)
		full[i] = dma_map_phys(dev, 0x90000000 + 0x1000 * i, 0x10, TO, 0);
	assert_true(dma_iova_try_alloc(dev, &s, 0, 0x12800));
	assert_int_equal(dma_iova_link(dev, &s, 0x80000000, 0, 0x10000, BIDI, 0), 0);
	fx_clear(fx);
	assert_int_equal(dma_iova_link(dev, &s, 0x80020000, 0x10000, 0x2800, BIDI, 0),
			 -DMAMAP_ENOMEM);
	ts_refused(fx, dev, DMA_REASON_BOUNCE_EXHAUSTED, -DMAMAP_ENOMEM, 0);
	expect_order(fx, "T:iommu_map T:bounced U:invalidate U:wait T:iommu_unmap");
	assert_int_equal(fx_translate(fx, s.addr), 0x80000000);
	assert_int_equal(fx_translate(fx, s.addr + 0xffff), 0x8000ffff);
	assert_true(fx_translate(fx, s.addr + 0x10000) == NOTHING);
	dma_unmap_phys(dev, full[0], 0x10, TO, 0);
	assert_int_equal(dma_iova_link(dev, &s, 0x80020000, 0x10000, 0x2800, BIDI, 0), 0);
	dma_iova_destroy(dev, &s, 0x12800, BIDI, 0);
	assert_true(ts_is_zero(&s));
	for (unsigned int i = 1; i < 64; i++)
		dma_unmap_phys(dev, full[i], 0x10, TO, 0);
	fx_free(fx);
}

/** The head is a copy, the tail finds no room: the head's copy is released, after the invalidation. */
static void head_released(void **state)
{
	struct fx *fx = ts_host(false);
	struct dma_device *dev = fx_iou(fx, 0xfff);
	struct dma_iova_state s;
	dma_addr_t full[63];

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, fx_pool_at(fx, FX_POOL + MIB(16), 128)), 0);
	for (unsigned int i = 0; i < 63; i++)
		full[i] = dma_map_phys(dev, 0x90000000 + 0x1000 * i, 0x10, TO, 0);
	assert_true(dma_iova_try_alloc(dev, &s, 0x800, 0x2000));
	fx_clear(fx);
	assert_int_equal(dma_iova_link(dev, &s, 0x80020800, 0, 0x2000, FROM, 0), -DMAMAP_ENOMEM);
	ts_refused(fx, dev, DMA_REASON_BOUNCE_EXHAUSTED, -DMAMAP_ENOMEM, 0);
	expect_order(fx, "T:bounced copy T:iommu_map T:iommu_map T:bounced U:invalidate U:wait "
			 "T:iommu_unmap");
	assert_int_equal(fx_pool_used(fx->pool[1]), 126);
	assert_false(s.__size & SWIOTLB);
	dma_iova_free(dev, &s);
	for (unsigned int i = 0; i < 63; i++)
		dma_unmap_phys(dev, full[i], 0x10, TO, 0);
	fx_free(fx);
}

/* --- coherence */

static void IOM_58_maintenance(void **state)
{
	const struct fx_config config = { .noncoherent = true, .batched = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_io(fx);
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0x4234, 0x20000));
	fx_clear(fx);
	/* exactly the bytes, in one call for each contiguous stretch; waited for once, by the sync */
	assert_int_equal(dma_iova_link(dev, &s, 0x4234, 0, 0xfdcc, FROM, 0), 0);
	assert_int_equal(dma_iova_link(dev, &s, 0x20000, 0xfdcc, 0x1000, FROM, 0), 0);
	assert_int_equal(dma_iova_sync(dev, &s, 0, 0x10dcc), 0);
	expect_order(fx, "for-device T:iommu_map for-device T:iommu_map flush");
	assert_int_equal(fx_get(fx, "for-device", 0)->addr, 0x4234);
	assert_int_equal(fx_get(fx, "for-device", 0)->size, 0xfdcc);
	fx_clear(fx);
	dma_iova_unlink(dev, &s, 0, 0x10dcc, FROM, 0);
	expect_order(fx, "for-cpu for-cpu flush for-cpu-all U:invalidate U:wait T:iommu_unmap");
	assert_int_equal(fx_get(fx, "for-cpu", 0)->addr, 0x4234);
	assert_int_equal(fx_get(fx, "for-cpu", 0)->size, 0xfdcc);
	assert_int_equal(fx_get(fx, "for-cpu", 1)->addr, 0x20000);
	assert_int_equal(fx_get(fx, "for-cpu", 1)->size, 0x1000);
	fx_clear(fx);
	assert_int_equal(dma_iova_link(dev, &s, 0x4234, 0, 0xfdcc, FROM, SKIP), 0);
	assert_int_equal(dma_iova_link(dev, &s, BAR, 0xfdcc, 0x1000, FROM, MMIO), 0);
	dma_iova_unlink(dev, &s, 0, 0xfdcc, FROM, SKIP);
	dma_iova_unlink(dev, &s, 0xfdcc, 0x1000, FROM, MMIO);
	expect_count(fx, "for-device", 0);
	expect_count(fx, "for-cpu", 0);
	dma_iova_free(dev, &s);
	fx_free(fx);
}

/** Lines beside the last piece may be dirty: not even an unlink of whole granules invalidates them. */
static void maintenance_of_its_bytes_only(void **state)
{
	struct fx *fx = ts_host(true);
	struct dma_device *dev = fx_io(fx);
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0, 0x2000));
	assert_int_equal(dma_iova_link(dev, &s, 0x8000, 0, 0x1100, FROM, 0), 0);
	fx_clear(fx);
	dma_iova_unlink(dev, &s, 0, 0x2000, FROM, 0);
	expect_count(fx, "for-cpu", 1);
	assert_int_equal(fx_get(fx, "for-cpu", 0)->addr, 0x8000);
	assert_int_equal(fx_get(fx, "for-cpu", 0)->size, 0x1100);
	dma_iova_free(dev, &s);
	fx_free(fx);
}

static void IOM_59_require_coherent(void **state)
{
	struct fx *fx = ts_host(true);
	struct dma_device *dev = fx_io(fx);
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0, 0x1000));
	fx_clear(fx);
	assert_int_equal(dma_iova_link(dev, &s, 0x4000, 0, 0x1000, TO, DMA_ATTR_REQUIRE_COHERENT),
			 -DMAMAP_EOPNOTSUPP);
	ts_refused(fx, dev, DMA_REASON_NOT_COHERENT, -DMAMAP_EOPNOTSUPP, 0);
	assert_int_equal(dma_iova_link(dev, &s, 0x4000, 0, 0x1000, TO, DMA_ATTR_CC_SHARED),
			 -DMAMAP_EOPNOTSUPP);
	ts_refused(fx, dev, DMA_REASON_CC_SHARED, -DMAMAP_EOPNOTSUPP, 0);
	dma_iova_free(dev, &s);
	fx_free(fx);
}

/** On a coherent device REQUIRE_COHERENT forbids the copy, and to join a range that has one. */
static void require_coherent_untrusted(void **state)
{
	struct fx *fx = ts_host(false);
	struct dma_device *dev = fx_iou(fx, 0xfff);
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0x800, 0x2000));
	fx_clear(fx);
	assert_int_equal(
		dma_iova_link(dev, &s, 0x80000800, 0, 0x800, TO, DMA_ATTR_REQUIRE_COHERENT),
		-DMAMAP_EPERM);
	ts_refused(fx, dev, DMA_REASON_COHERENT_CANNOT_BOUNCE, -DMAMAP_EPERM, 0);
	assert_int_equal(dma_iova_link(dev, &s, 0x80000800, 0, 0x800, TO, 0), 0);
	assert_int_equal(
		dma_iova_link(dev, &s, 0x80001000, 0x800, 0x1000, TO, DMA_ATTR_REQUIRE_COHERENT),
		-DMAMAP_EOPNOTSUPP);
	dma_iova_unlink(dev, &s, 0, 0x800, TO, 0);
	assert_false(s.__size & SWIOTLB);
	assert_int_equal(
		dma_iova_link(dev, &s, 0x80001000, 0x800, 0x1000, TO, DMA_ATTR_REQUIRE_COHERENT),
		0);
	dma_iova_unlink(dev, &s, 0x800, 0x1000, TO, 0);
	dma_iova_free(dev, &s);
	fx_free(fx);
}

/** Without a pool the piece that needs a copy is refused; one that does not is linked. */
static void untrusted_without_pool(void **state)
{
	struct fx *fx = ts_host(false);
	struct dma_device *dev = fx_iou(fx, 0);
	struct dma_iova_state s;

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, NULL), 0);
	assert_true(dma_iova_try_alloc(dev, &s, 0, 0x3000));
	fx_clear(fx);
	assert_int_equal(dma_iova_link(dev, &s, 0x80000000, 0, 0x1800, TO, 0), -DMAMAP_ENOMEM);
	ts_refused(fx, dev, DMA_REASON_NO_BOUNCE_POOL, -DMAMAP_ENOMEM, 0);
	assert_true(fx_translate(fx, s.addr) == NOTHING);
	assert_int_equal(dma_iova_link(dev, &s, 0x80000000, 0, 0x3000, TO, 0), 0);
	dma_iova_destroy(dev, &s, 0x3000, TO, 0);
	fx_free(fx);
}

/** Protection is that of direction, attributes and coherence, and of each link by itself. */
static void protection(void **state)
{
	static const struct {
		enum dma_data_direction dir;
		unsigned long attrs;
		unsigned int want[2]; /* coherent, or not */
	} rows[] = {
		{ TO, 0, { 5, 1 } },	    { FROM, 0, { 6, 2 } },
		{ BIDI, 0, { 7, 3 } },	    { TO, DMA_ATTR_PRIVILEGED, { 37, 33 } },
		{ TO, MMIO, { 17, 17 } },   { FROM, MMIO, { 18, 18 } },
		{ BIDI, MMIO, { 19, 19 } }, { BIDI, MMIO | DMA_ATTR_PRIVILEGED, { 51, 51 } },
	};

	(void)state;
	for (int noncoherent = 0; noncoherent < 2; noncoherent++) {
		struct fx *fx = ts_host(noncoherent);
		struct fx_backend *fb = fx_backend_new(fx);
		struct dma_device *dev =
			fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));
		struct dma_iova_state s;

		assert_true(dma_iova_try_alloc(dev, &s, 0, sizeof(rows) / sizeof(rows[0]) << 12));
		for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			assert_int_equal(dma_iova_link(dev, &s, BAR + i * 0x10000ull, i << 12,
						       0x1000, rows[i].dir, rows[i].attrs),
					 0);
			assert_int_equal(fb->live[i].prot, rows[i].want[noncoherent]);
		}
		dma_iova_destroy(dev, &s, sizeof(rows) / sizeof(rows[0]) << 12, TO, MMIO);
		fx_free(fx);
	}
}

/* --- unlinking */

/** Strict on a lazy domain too; the addresses stay, and can be linked again. */
static void unlink_keeps_addresses(void **state)
{
	struct fx *fx = ts_host(false);
	struct dma_domain *domain = fx_domain(fx, DMA_INVALIDATION_LAZY);
	struct dma_device *dev = fx_behind(fx, domain);
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0, 0x4000));
	assert_int_equal(dma_iova_link(dev, &s, 0x8000, 0, 0x4000, TO, 0), 0);
	fx_clear(fx);
	dma_iova_unlink(dev, &s, 0x1000, 0x1000, TO, 0);
	expect_order(fx, "U:invalidate U:wait T:iommu_unmap");
	assert_int_equal(fx_get(fx, "U:invalidate", 0)->addr, s.addr + 0x1000);
	assert_int_equal(fx_get(fx, "U:invalidate", 0)->size, 0x1000);
	assert_true(fx_translate(fx, s.addr + 0x1000) == NOTHING);
	assert_int_equal(fx_translate(fx, s.addr), 0x8000);
	assert_int_equal(fx_translate(fx, s.addr + 0x2000), 0xa000);
	assert_int_equal(dma_iova_link(dev, &s, 0x1000, 0x1000, 0x1000, TO, 0), 0);
	assert_int_equal(fx_translate(fx, s.addr + 0x1000), 0x1000);
	dma_iova_destroy(dev, &s, 0x4000, TO, 0);
	expect_count(fx, "U:invalidate", 1);
	fx_free(fx);
}

/** On a lazy domain a range with a copy goes strictly; one of another device's, or without, does not. */
static void lazy_with_copy(void **state)
{
	struct fx *fx = ts_host(true);
	struct dma_domain *domain;
	struct dma_device *dev;
	struct dma_iova_state s;

	(void)state;
	fx->host.bounce_small_buffers = true;
	fx->host.min_dma_align = 128;
	domain = fx_domain(fx, DMA_INVALIDATION_LAZY);
	dev = fx_behind(fx, domain);
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	assert_true(dma_iova_try_alloc(dev, &s, 0x40, 0x20));
	assert_int_equal(dma_iova_link(dev, &s, 0x80000040, 0, 0x20, FROM, 0), 0);
	assert_true(s.__size & SWIOTLB);
	memset(fx_ram(fx, fx_translate(fx, s.addr)), 0x77, 0x20);
	fx_clear(fx);
	dma_iova_destroy(dev, &s, 0x20, FROM, 0);
	assert_true(fx_before(fx, "U:wait", "copy"));
	assert_true(fx_before(fx, "for-cpu", "U:invalidate"));
	assert_true(fx_all(fx, 0x80000040, 0x20, 0x77));
	assert_int_equal(fx_iova_bytes(domain), 0);
	fx_free(fx);
}

/** A backend that fails: nothing stays, and the next link works. */
static void backend_fails(void **state)
{
	struct fx *fx = ts_host(false);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0, 0x2000));
	fb->map_result = -DMAMAP_ENOMEM;
	assert_int_equal(dma_iova_link(dev, &s, 0x4000, 0, 0x1000, TO, 0), -DMAMAP_ENOMEM);
	ts_refused(fx, dev, DMA_REASON_NO_MEMORY, -DMAMAP_ENOMEM, 0);
	fb->map_result = -DMAMAP_EFAULT;
	assert_int_equal(dma_iova_link(dev, &s, 0x4000, 0, 0x1000, TO, 0), -DMAMAP_EFAULT);
	ts_refused(fx, dev, DMA_REASON_BACKEND, -DMAMAP_EFAULT, 0);
	fb->map_result = 0;
	assert_int_equal(dma_iova_link(dev, &s, 0x4000, 0, 0x1000, TO, 0), 0);
	fb->sync_map_result = -DMAMAP_EIO;
	assert_int_equal(dma_iova_sync(dev, &s, 0, 0x1000), -DMAMAP_EIO);
	ts_refused(fx, dev, DMA_REASON_BACKEND, -DMAMAP_EIO, 0);
	dma_iova_destroy(dev, &s, 0x1000, TO, 0);
	assert_int_equal(fb->violations, 0);
	fx_free(fx);
}

/** One call of the backend for one link, however long it is. */
static void one_call(void **state)
{
	struct fx *fx = ts_host(false);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0, GIB(1)));
	fx_clear(fx);
	assert_int_equal(dma_iova_link(dev, &s, 0x40000000, 0, GIB(1), TO, 0), 0);
	expect_order(fx, "B:map T:iommu_map");
	fx_clear(fx);
	dma_iova_destroy(dev, &s, GIB(1), TO, 0);
	expect_order(fx, "B:unmap B:prune B:invalidate B:wait T:iommu_unmap");
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(IOM_45_no_addresses),
		cmocka_unit_test(IOM_46_address_and_size),
		cmocka_unit_test(limits),
		cmocka_unit_test(IOM_47_granules),
		cmocka_unit_test(IOM_48_unaligned_middle),
		cmocka_unit_test(IOM_49_other_offset),
		cmocka_unit_test(IOM_50_two_links),
		cmocka_unit_test(IOM_51_destroy_nothing),
		cmocka_unit_test(IOM_52_all_goes_back),
		cmocka_unit_test(IOM_53_head_and_tail),
		cmocka_unit_test(IOM_54_without_alignment),
		cmocka_unit_test(IOM_55_untrusted_mmio),
		cmocka_unit_test(IOM_56_tail_only),
		cmocka_unit_test(IOM_57_second_link_fails),
		cmocka_unit_test(head_released),
		cmocka_unit_test(IOM_58_maintenance),
		cmocka_unit_test(maintenance_of_its_bytes_only),
		cmocka_unit_test(IOM_59_require_coherent),
		cmocka_unit_test(require_coherent_untrusted),
		cmocka_unit_test(untrusted_without_pool),
		cmocka_unit_test(protection),
		cmocka_unit_test(unlink_keeps_addresses),
		cmocka_unit_test(lazy_with_copy),
		cmocka_unit_test(backend_fails),
		cmocka_unit_test(one_call),
	};

	return FX_RUN(tests);
}
