/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IOM, second half: lists, lazy invalidation, and what a domain hands out. First half: iom.c.
 */
#include "fixture.h"

#define TOP_PAGE 0xfffffffff000ull

struct piece {
	uint64_t page;
	unsigned int offset;
	unsigned int len;
};

static void make_list(struct scatterlist *sgl, unsigned int n, const struct piece *p)
{
	sg_init_table(sgl, n);
	for (unsigned int i = 0; i < n; i++)
		sg_set_page(&sgl[i], dmamap_phys_to_page(p[i].page), p[i].len, p[i].offset);
}

static void expect_segment(const struct scatterlist *sg, uint64_t addr, uint64_t len)
{
	assert_int_equal(sg_dma_address(sg), addr);
	assert_int_equal(sg_dma_len(sg), len);
}

static void IOM_25_scattered_pages(void **state)
{
	static const struct piece pages[] = { { 0x100000, 0, 0x1000 },
					      { 0x300000, 0, 0x1000 },
					      { 0x200000, 0, 0x1000 } };
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	struct scatterlist sgl[3];

	(void)state;
	make_list(sgl, 3, pages);
	assert_int_equal(dma_map_sg(dev, sgl, 3, TO), 1);
	expect_segment(sgl, 0xffffffffc000, 0x3000);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(fx_translate(fx, 0xffffffffc000 + i * 0x1000), pages[i].page);
	fx_clear(fx);
	dma_unmap_sg(dev, sgl, 3, TO);
	expect_count(fx, "U:wait", 1);
	assert_true(fx_before(fx, "T:unmap_sg", "U:invalidate"));
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

static void IOM_26_offsets_and_holes(void **state)
{
	static const struct piece p[] = { { 0x100000, 0x800, 0x800 },
					  { 0x200000, 0, 0x1000 },
					  { 0x300000, 0, 0x200 },
					  { 0x400000, 0, 0x1000 } };
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	const uint64_t base = 0xffffffffc000;
	struct scatterlist sgl[4];

	(void)state;
	make_list(sgl, 4, p);
	assert_int_equal(dma_map_sg(dev, sgl, 4, BIDI), 2);
	expect_segment(&sgl[0], base + 0x800, 0x1a00);
	expect_segment(&sgl[1], base + 0x3000, 0x1000);
	expect_segment(&sgl[2], E, 0);
	expect_segment(&sgl[3], E, 0);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(fx_translate(fx, base + i * 0x1000), p[i].page);
		assert_int_equal(sgl[i].offset, p[i].offset);
		assert_int_equal(sgl[i].length, p[i].len);
	}
	dma_unmap_sg(dev, sgl, 4, BIDI);
	fx_free(fx);
}

static void IOM_27_max_segment(void **state)
{
	static const struct piece p[] = { { 0x100000, 0, 0x10000 }, { 0x200000, 0, 0x1000 } };
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	struct scatterlist sgl[2];

	(void)state;
	make_list(sgl, 2, p);
	assert_int_equal(dma_map_sg(dev, sgl, 2, TO), 2);
	assert_int_equal(sg_dma_len(&sgl[0]), 0x10000);
	expect_segment(&sgl[1], sg_dma_address(&sgl[0]) + 0x10000, 0x1000);
	dma_unmap_sg(dev, sgl, 2, TO);
	fx_free(fx);
}

/* Ours (C11): the gap before the boundary stays unmapped; the kernel maps the memory behind the first buffer there. */
static void IOM_28_boundary(void **state)
{
	static const struct piece p[] = { { 0x100000, 0, 0x9000 }, { 0x200000, 0, 0x9000 } };
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	struct scatterlist sgl[2];
	uint64_t base;

	(void)state;
	assert_int_equal(dma_set_seg_boundary(dev, 0xffff), 0);
	make_list(sgl, 2, p);
	assert_int_equal(dma_map_sg(dev, sgl, 2, TO), 2);
	base = sg_dma_address(&sgl[0]);
	assert_int_equal(base & 0xffff, 0);
	expect_segment(&sgl[0], base, 0x9000);
	expect_segment(&sgl[1], base + 0x10000, 0x9000);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0x19000);
	assert_int_equal(fx_translate(fx, base + 0x8000), 0x108000);
	for (uint64_t gap = 0x9000; gap < 0x10000; gap += 0x1000)
		assert_int_equal(fx_walk(fx, base + gap, NULL), 0);
	assert_int_equal(fx_translate(fx, base + 0x18000), 0x208000);
	dma_unmap_sg(dev, sgl, 2, TO);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

static void IOM_29_boundary_without_gap(void **state)
{
	static const struct piece p[] = { { 0x100000, 0, 0x8000 },
					  { 0x200000, 0, 0x8000 },
					  { 0x300000, 0, 0x1000 } };
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	struct scatterlist sgl[3];
	uint64_t base;

	(void)state;
	assert_int_equal(dma_set_seg_boundary(dev, 0xffff), 0);
	assert_int_equal(dma_set_max_seg_size(dev, 0x20000), 0);
	make_list(sgl, 3, p);
	assert_int_equal(dma_map_sg(dev, sgl, 3, TO), 2);
	base = sg_dma_address(&sgl[0]);
	expect_segment(&sgl[0], base, 0x10000);
	expect_segment(&sgl[1], base + 0x10000, 0x1000);
	dma_unmap_sg(dev, sgl, 3, TO);
	fx_free(fx);
}

static void IOM_30_list_restored(void **state)
{
	static const struct piece p[] = { { 0x100000, 0x800, 0x800 }, { 0x200000, 0x10, 0x1000 } };
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));
	struct scatterlist sgl[2];

	(void)state;
	make_list(sgl, 2, p);
	fb->map_result = -DMAMAP_ENOMEM;
	assert_int_equal(dma_map_sg(dev, sgl, 2, TO), 0);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(sgl[i].offset, p[i].offset);
		assert_int_equal(sgl[i].length, p[i].len);
		expect_segment(&sgl[i], E, 0);
	}
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	assert_int_equal(dma_device_live(dev), 0);
	expect_count(fx, "T:map_sg_err", 1);
	expect_count(fx, "sanitize", 0);
	fx_free(fx);
}

/* Until there is peer-to-peer, every element that is not RAM is a peer out of reach. */
static void IOM_33_list_with_a_peer(void **state)
{
	static const struct piece p[] = { { 0x100000, 0, 0x1000 }, { 0xe0000000, 0, 0x2000 } };
	const struct fx_config config = { .ram = { { 0, GIB(2) } } };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_io(fx);
	struct scatterlist sgl[2];
	struct sg_table table = { sgl, 0, 2 };

	(void)state;
	make_list(sgl, 2, p);
	assert_int_equal(dma_map_sgtable(dev, &table, TO, 0), -DMAMAP_EREMOTEIO);
	fx_reason(dev, DMA_REASON_P2P_REFUSED);
	expect_order(fx, "T:map_sg_err");
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

static void IOM_34_list_backend_error(void **state)
{
	static const int errors[][2] = { { -DMAMAP_EIO, -DMAMAP_EINVAL },
					 { -DMAMAP_EADDRINUSE, -DMAMAP_EINVAL },
					 { -DMAMAP_ENOMEM, -DMAMAP_ENOMEM } };
	static const struct piece p[] = { { 0x100000, 0, 0x1000 }, { 0x200000, 0, 0x1000 } };
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));
	struct scatterlist sgl[2];
	struct sg_table table = { sgl, 0, 2 };

	(void)state;
	make_list(sgl, 2, p);
	for (unsigned int i = 0; i < 3; i++) {
		fb->map_result = errors[i][0];
		assert_int_equal(dma_map_sgtable(dev, &table, TO, 0), errors[i][1]);
		fb->map_result = 0;
		assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	}
	fx_free(fx);
}

/* Ours (C12): the mark on the first element goes with the mapping. */
static void IOM_35_untrusted_list(void **state)
{
	static const struct piece p[] = { { 0x80000000, 0x234, 0x100 },
					  { 0x80001000, 0x400, 0x200 } };
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_iou(fx, 0xfff);
	struct scatterlist sgl[2];

	(void)state;
	make_list(sgl, 2, p);
	assert_int_equal(dma_map_sg(dev, sgl, 2, FROM), 2);
	assert_true(sgl[0].dma_flags & DMAMAP_SG_BOUNCED);
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t copy = fx_translate(fx, sg_dma_address(&sgl[i]));

		assert_int_equal(sg_dma_address(&sgl[i]) & 0xfff, p[i].offset);
		assert_int_equal(sg_dma_len(&sgl[i]), p[i].len);
		assert_true(copy >= FX_POOL && copy < FX_POOL + MIB(1));
		memset(fx_ram(fx, copy), 0x70 + (int)i, p[i].len);
	}
	dma_unmap_sg(dev, sgl, 2, FROM);
	assert_true(fx_all(fx, 0x80000234, 0x100, 0x70));
	assert_true(fx_all(fx, 0x80001400, 0x200, 0x71));
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	assert_false(sgl[0].dma_flags & DMAMAP_SG_BOUNCED);
	fx_free(fx);
}

static struct dma_device *lazy(struct fx *fx)
{
	return fx_behind(fx, fx_domain(fx, DMA_INVALIDATION_LAZY));
}

static void IOM_36_lazy_unmap(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = lazy(fx);
	dma_addr_t first = dma_map_phys(dev, 0x5000, 0x1000, TO, 0);

	(void)state;
	fx_clear(fx);
	dma_unmap_phys(dev, first, 0x1000, TO, 0);
	assert_int_equal(fx_walk(fx, first, NULL), 0);
	assert_int_equal(fx_count(fx, "U:invalidate") + fx_count(fx, "U:flush"), 0);
	expect_count(fx, "U:wait", 0);
	assert_int_equal(dma_map_phys(dev, 0x5000, 0x1000, TO, 0), first - 0x1000);
	dma_unmap_phys(dev, first - 0x1000, 0x1000, TO, 0);
	fx_free(fx);
}

/* Addresses that only wait for a flush are not a reason to refuse. */
static void IOM_36_lazy_exhausted(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = lazy(fx);

	(void)state;
	assert_int_equal(dma_device_set_bus_limit(dev, 0x1fff), 0);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(dma_map_phys(dev, 0x5000, 0x1000, TO, 0), 0x1000);
		expect_count(fx, "U:flush", i);
		dma_unmap_phys(dev, 0x1000, 0x1000, TO, 0);
	}
	fx_free(fx);
}

static void IOM_37_lazy_timeout(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = lazy(fx);
	dma_addr_t first = dma_map_phys(dev, 0x5000, 0x1000, TO, 0);

	(void)state;
	dma_unmap_phys(dev, first, 0x1000, TO, 0);
	fx->now += 9999999;
	dma_poll(&fx->host);
	expect_count(fx, "U:flush", 0);
	fx->now += 1;
	assert_int_equal(dma_map_phys(dev, 0x5000, 0x1000, TO, 0), first);
	expect_count(fx, "U:flush", 1);
	assert_true(fx_before(fx, "U:flush", "U:wait"));
	dma_unmap_phys(dev, first, 0x1000, TO, 0);
	/* Without a map it is the poll's work. */
	fx->now += 10000000;
	dma_poll(&fx->host);
	expect_count(fx, "U:flush", 2);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

/* Map and unmap @n times, a new address each time while unmaps wait. */
static void churn(struct dma_device *dev, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		dma_unmap_phys(dev, dma_map_phys(dev, 0x5000, 0x1000, TO, 0), 0x1000, TO, 0);
}

static void IOM_38_lazy_queue_full(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = lazy(fx);
	struct dma_domain_stats stats;

	(void)state;
	churn(dev, 255);
	expect_count(fx, "U:flush", 0);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 255 * 4096);
	churn(dev, 1);
	expect_count(fx, "U:flush", 1);
	dma_domain_get_stats(fx->domain[0], &stats);
	assert_int_equal(stats.queued, 1);
	assert_int_equal(stats.flushes, 1);
	/* Only what was queued before the flush began is free again. */
	assert_int_equal(stats.iova_bytes, 4096);
	fx_free(fx);
}

static void IOM_39_single_queue_figures(void **state)
{
	const struct dma_domain_config config = { .size = sizeof(config),
						  .invalidation = DMA_INVALIDATION_LAZY,
						  .flush_entries = 32768,
						  .flush_ns = 1000000000 };
	const struct fx_config quiet = { .quiet = true };
	struct fx *fx = fx_new(&quiet);
	struct dma_device *dev = fx_behind(fx, fx_domain_with(fx, &config));
	struct dma_domain_stats stats;

	(void)state;
	churn(dev, 32767);
	dma_domain_get_stats(fx->domain[0], &stats);
	assert_int_equal(stats.queued, 32767);
	fx->now = 999999999;
	dma_poll(&fx->host);
	dma_domain_get_stats(fx->domain[0], &stats);
	assert_int_equal(stats.flushes, 0);
	churn(dev, 1);
	dma_domain_get_stats(fx->domain[0], &stats);
	assert_int_equal(stats.flushes, 1);
	assert_int_equal(stats.queued, 1);
	fx->now += 1000000000;
	dma_poll(&fx->host);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

static enum dma_invalidation mode_of(struct dma_domain *domain)
{
	struct dma_domain_stats stats;

	dma_domain_get_stats(domain, &stats);
	return stats.invalidation;
}

/* A backend whose unmap is its invalidation has nothing to defer; an untrusted device may not have it deferred. */
static void IOM_40_lazy_turns_strict(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_domain *domain;
	struct dma_device *dev;

	(void)state;
	fb->backend.caps.unmap_is_invalidation = true;
	assert_int_equal(mode_of(fx_domain_over(fx, fb, DMA_INVALIDATION_LAZY)),
			 DMA_INVALIDATION_STRICT);
	domain = fx_domain(fx, DMA_INVALIDATION_LAZY);
	assert_int_equal(mode_of(domain), DMA_INVALIDATION_LAZY);
	dev = fx_device(fx);
	assert_int_equal(dma_device_set_untrusted(dev, true), 0);
	assert_int_equal(dma_device_set_domain(dev, domain), 0);
	assert_int_equal(mode_of(domain), DMA_INVALIDATION_STRICT);
	assert_int_equal(dma_device_set_domain(dev, NULL), 0);
	assert_int_equal(mode_of(domain), DMA_INVALIDATION_STRICT);
	fx_free(fx);
}

/* Ours: a domain has one granule, given by its backend; a second device only joins. */
static void IOM_41_two_devices(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_domain *domain = fx_domain(fx, DMA_INVALIDATION_STRICT);
	struct dma_device *a = fx_behind(fx, domain);
	struct dma_device *b = fx_behind(fx, domain);
	dma_addr_t first = dma_map_phys(a, 0x5000, 0x1000, TO, 0);
	dma_addr_t second = dma_map_phys(b, 0x6000, 0x1000, TO, 0);

	(void)state;
	assert_int_equal(first, TOP_PAGE);
	assert_int_equal(second, TOP_PAGE - 0x1000);
	dma_unmap_phys(a, first, 0x1000, TO, 0);
	dma_unmap_phys(b, second, 0x1000, TO, 0);
	fx_free(fx);
}

/* Ours (C20): the device is not behind the domain then, and does not pretend to be. */
static void IOM_42_window_outside_aperture(void **state)
{
	static const struct dma_range above[] = { { 0, 1ull << 48, GIB(4) }, { 0, 0, 0 } };
	struct fx *fx = fx_new(NULL);
	struct dma_domain *domain = fx_domain(fx, DMA_INVALIDATION_STRICT);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_range_map(dev, above), 0);
	assert_int_equal(dma_device_set_domain(dev, domain), -DMAMAP_EFAULT);
	fx_reason(dev, DMA_REASON_APERTURE);
	expect_count(fx, "U:attach", 0);
	assert_int_equal(dma_device_route(dev), DMA_ROUTE_DIRECT);
	fx_free(fx);
}

static void expect_msi_window_kept_out(struct dma_device *dev)
{
	dma_addr_t addr[64];

	assert_int_equal(dma_device_set_pci(dev, true, false), 0);
	for (unsigned int i = 0; i < 64; i++) {
		addr[i] = dma_map_resource(dev, 0x20000000000, MIB(1), TO, 0);
		assert_int_equal(addr[i], 0xfff00000 - MIB(i < 17 ? i : i + 1));
	}
	for (unsigned int i = 0; i < 64; i++)
		dma_unmap_resource(dev, addr[i], MIB(1), TO, 0);
}

/* Page-table backends of PCs keep the MSI window out by themselves, and a host may say so once more; elsewhere it can be
 * reserved. */
static void IOM_43_reserved_region(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_domain *recorded =
		fx_domain_over(fx, fx_backend_new(fx), DMA_INVALIDATION_STRICT);

	(void)state;
	assert_int_equal(dma_domain_reserve(recorded, 0xfee00000, MIB(1)), 0);
	expect_msi_window_kept_out(fx_behind(fx, recorded));
	expect_msi_window_kept_out(fx_io(fx));
	assert_int_equal(dma_domain_reserve(fx->domain[1], 0xfee00000, MIB(1)), 0);
	fx_free(fx);
}

static void IOM_44_bridge_window(void **state)
{
	static const uint64_t expected[] = { 0xe0000000, 0xb0000000, 0xa0000000, 0x90000000 };
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_iop(fx);

	(void)state;
	assert_int_equal(dma_domain_reserve(fx->domain[0], 0xc0000000, 0x20000000), 0);
	assert_int_equal(dma_domain_reserve(fx->domain[0], 0xd0000000, 0x1000), 0);
	/* 0xf0000000 would hold the MSI window. */
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(dma_map_resource(dev, 0x20000000000, MIB(256), TO, 0),
				 expected[i]);
	for (unsigned int i = 0; i < 4; i++)
		dma_unmap_resource(dev, expected[i], MIB(256), TO, 0);
	fx_free(fx);
}

/* Two doorbells of one page are one mapping, which lives as long as the domain. */
static void IOM_62_doorbells(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_domain *domain = fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT);
	struct dma_device *dev = fx_behind(fx, domain);
	dma_addr_t one, two;

	(void)state;
	assert_int_equal(dma_device_map_msi(dev, 0x8020040, &one), 0);
	assert_int_equal(dma_device_map_msi(dev, 0x8020f00, &two), 0);
	expect_count(fx, "B:map", 1);
	expect_count(fx, "B:sync_map", 1);
	assert_int_equal(fx_get(fx, "B:map", 0)->extra, 26);
	assert_int_equal(one & 0xfff, 0x40);
	assert_int_equal(two, (one & ~0xfffull) + 0xf00);
	assert_int_equal(dma_device_live(dev), 0);
	assert_int_equal(fx_iova_bytes(domain), 0);
	fx_free(fx);
}

/*
 * Not here (and not in iom.c):
 *   IOM-31, 32  peers' memory in lists: until peer-to-peer exists. Until then all of it is refused, as in IOM-33.
 *   IOM-45..59  the two-step API: the IOMMU-route work.
 *   IOM-60      noncontiguous allocation: the direct-route work.
 *   IOM-12      "direction NONE": never gets that far here, see DSP-1.
 *   IOM-41      "different granule": a domain has the granule of its backend, so that devices cannot disagree.
 */
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(IOM_25_scattered_pages),
		cmocka_unit_test(IOM_26_offsets_and_holes),
		cmocka_unit_test(IOM_27_max_segment),
		cmocka_unit_test(IOM_28_boundary),
		cmocka_unit_test(IOM_29_boundary_without_gap),
		cmocka_unit_test(IOM_30_list_restored),
		cmocka_unit_test(IOM_33_list_with_a_peer),
		cmocka_unit_test(IOM_34_list_backend_error),
		cmocka_unit_test(IOM_35_untrusted_list),
		cmocka_unit_test(IOM_36_lazy_unmap),
		cmocka_unit_test(IOM_36_lazy_exhausted),
		cmocka_unit_test(IOM_37_lazy_timeout),
		cmocka_unit_test(IOM_38_lazy_queue_full),
		cmocka_unit_test(IOM_39_single_queue_figures),
		cmocka_unit_test(IOM_40_lazy_turns_strict),
		cmocka_unit_test(IOM_41_two_devices),
		cmocka_unit_test(IOM_42_window_outside_aperture),
		cmocka_unit_test(IOM_43_reserved_region),
		cmocka_unit_test(IOM_44_bridge_window),
		cmocka_unit_test(IOM_62_doorbells),
	};

	return FX_RUN(tests);
}
