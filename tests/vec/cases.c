/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vectors on the recording host: what the library asks of tables, caches, sanitizer and trace, and in which
 * order; and every refusal, with its reason.
 */
#include "recorded.h"

/* --- the run */

static void one_range_order(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = fx_io(fx);
	struct dma_phys_vec vecs[] = { { .phys = 0x1800, .len = 0x800 },
				       { .phys = 0x2000, .len = 0x1000 },
				       { .phys = BAR, .len = 0x2000, .attrs = MMIO },
				       { .phys = 0x9000, .len = 0x10 } };
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	(void)state;
	assert_int_equal(map_all(dev, &map, vecs, NR(vecs), TO, segs), 1);
	assert_true(map.contiguous);
	assert_int_equal(segs[0].len, 0x3810);
	assert_int_equal(map.bytes, 0x3810);
	/* a piece for each kind of memory that is contiguous on both sides, MMIO never shown to the sanitizer */
	expect_order(fx,
		     "T:iommu_map T:iommu_map T:iommu_map sanitize sanitize sanitize T:map_phys");
	assert_int_equal(fx_get(fx, "T:iommu_map", 0)->size, 0x2000);
	assert_int_equal(fx_get(fx, "T:iommu_map", 1)->event.phys, BAR);
	/* one record, which the kernel has not */
	assert_true(fx_get(fx, "T:map_phys", 0)->event.kernel_silent);
	assert_true(fx_get(fx, "T:map_phys", 0)->addr == segs[0].addr);
	assert_int_equal(fx_get(fx, "T:map_phys", 0)->size, 0x3810);
	assert_int_equal(fx_get(fx, "T:map_phys", 0)->attrs, 0);
	assert_null(fx_get(fx, "T:map_phys", 0)->linux_text);
	fx_clear(fx);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	expect_order(fx, "U:invalidate U:wait T:iommu_unmap T:unmap_phys");
	assert_int_equal(fx_get(fx, "T:iommu_unmap", 0)->size, 0x5000);
	assert_int_equal(fx_get(fx, "T:unmap_phys", 0)->size, 0x3810);
	fx_free(fx);
}

/** P11: one invalidation for everything; none on a lazy domain, where one queue entry holds the run. */
static void P11_one_invalidation(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_domain *lazy = fx_domain(fx, DMA_INVALIDATION_LAZY);
	struct dma_device *dev[2] = { fx_behind(fx, lazy), fx_io(fx) };
	struct dma_phys_vec vecs[10];
	struct dma_domain_stats stats;
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	(void)state;
	for (unsigned int i = 0; i < 10; i++)
		vecs[i] = (struct dma_phys_vec){ .phys = 0x10000 + 0x3100 * i, .len = 0x2080 };
	for (int i = 0; i < 2; i++) {
		assert_int_equal(map_all(dev[i], &map, vecs, 10, BIDI, segs), 10);
		assert_false(map.contiguous);
		fx_clear(fx);
		assert_int_equal(dma_vec_unmap(&map, 0), 0);
		expect_count(fx, "U:invalidate", (unsigned int)i);
		expect_count(fx, "U:flush", 0);
		/* a record for each range that the device saw */
		expect_count(fx, "T:unmap_phys", 10);
	}
	dma_domain_get_stats(lazy, &stats);
	assert_int_equal(stats.queued, 1);
	fx_free(fx);
}

/** A domain whose hardware snoops on request: the bit is in RAM's leaves and not in MMIO's. */
static struct dma_device *snooped(struct fx *fx)
{
	struct fx_unit *u;
	struct dma_pt_config pt = { .size = sizeof(pt),
				    .format = DMA_PT_VTD_SECOND_STAGE,
				    .levels = 4,
				    .output_bits = 46,
				    .page_sizes = MIB(2) | GIB(1),
				    .coherent_walk = true,
				    .force_coherent = true,
				    .domain_id = 7 };
	const struct dma_domain_config config = { .size = sizeof(config) };
	struct dma_backend *backend;

	fx_domain(fx, DMA_INVALIDATION_STRICT);
	u = &fx->unit[1];
	u->unit.ops = fx->unit[0].unit.ops;
	u->fx = fx;
	pt.unit = &u->unit;
	assert_int_equal(dma_pt_backend_create(&fx->host, &pt, &backend), 0);
	assert_int_equal(dma_domain_create(&fx->host, backend, &config, &fx->domain[1]), 0);
	fx->nr_domain++;
	return fx_behind(fx, fx->domain[1]);
}

static void mmio_protection(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = snooped(fx);
	struct dma_phys_vec vecs[] = { { .phys = BAR + 0x1000, .len = 0x1000, .attrs = MMIO },
				       { .phys = BAR - 0x1000, .len = 0x1000 },
				       { .phys = BAR, .len = 0x1000, .attrs = MMIO },
				       { .phys = 0x5000, .len = 0x1000 } };
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	(void)state;
	assert_int_equal(map_all(dev, &map, vecs, NR(vecs), FROM, segs), 1);
	assert_int_equal(fx_get(fx, "T:map_phys", 0)->attrs, 0);
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t leaf = fx_walk(fx, segs[0].addr + 0x1000 * i, NULL);

		assert_true((leaf & 0x000ffffffffff000ull) == vecs[i].phys);
		assert_int_equal(leaf & 3, 2);
		assert_int_equal(!!(leaf & PTE_SNP), !vecs[i].attrs);
	}
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	assert_int_equal(fx_walk(fx, segs[0].addr, NULL), 0);
	/* the attribute of the call makes all of them MMIO: nothing for the sanitizer */
	fx_clear(fx);
	assert_int_equal(dma_vec_map_start(dev, &map, vecs, 4, FROM, MMIO), 0);
	expect_count(fx, "sanitize", 0);
	assert_int_equal(dma_vec_map_next(&map, &segs[0]), 1);
	assert_int_equal(fx_walk(fx, segs[0].addr, NULL) & PTE_SNP, 0);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	fx_free(fx);
}

/** A backend that cannot unmap parts sees the boundaries of its maps again, and large runs go to it in batches. */
static void same_boundaries(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_STRICT));
	static struct dma_phys_vec vecs[100];
	struct dma_vec_map map;
	unsigned int maps;

	(void)state;
	for (unsigned int i = 0; i < 100; i++)
		vecs[i] = (struct dma_phys_vec){ .phys = (i % 7 ? 0x100000 : BAR) + 0x3000 * i,
						 .len = i % 3 ? 0x1000 : 0x2fff,
						 .attrs = i % 7 ? 0 : MMIO };
	assert_int_equal(dma_vec_map_start(dev, &map, vecs, 100, BIDI, 0), 0);
	maps = fx_count(fx, "B:map");
	for (unsigned int i = 0; i < maps; i++) {
		unsigned int prot = (unsigned int)fx_get(fx, "B:map", i)->extra;

		assert_true(prot == 7 || prot == 19);
	}
	expect_count(fx, "B:sync_map", 1);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	assert_int_equal(fb->partial, 0);
	assert_int_equal(fb->violations, 0);
	expect_count(fx, "B:invalidate", 1);
	fx_free(fx);
}

/* --- refusals */

static void arguments(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = fx_device(fx);
	struct dma_phys_vec good = { .phys = 0x1000, .len = 0x1000 };
	struct dma_phys_vec vecs[3] = { good, good, good };

	(void)state;
	expect_refused(fx, dev, NULL, 3, 0, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, 0);
	expect_refused(fx, dev, vecs, 0, 0, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, 0);
	vecs[2].len = 0;
	expect_refused(fx, dev, vecs, 3, 0, DMA_REASON_ZERO_SIZE, -DMAMAP_EINVAL, 2);
	vecs[2].len = ~0ull - 0xfff;
	expect_refused(fx, dev, vecs, 3, 0, DMA_REASON_ADDRESS_WRAP, -DMAMAP_EINVAL, 2);
	vecs[2].phys = 0; /* does not wrap by itself, but their sum does */
	expect_refused(fx, dev, vecs, 3, 0, DMA_REASON_ADDRESS_WRAP, -DMAMAP_EINVAL, 2);
	vecs[2] = good;
	vecs[1].attrs = DMA_ATTR_SKIP_CPU_SYNC;
	expect_refused(fx, dev, vecs, 3, 0, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, 1);
	vecs[1] = good;
	vecs[1].flags = 2;
	expect_refused(fx, dev, vecs, 3, 0, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, 1);
	vecs[1] = good;
	assert_int_equal(dma_device_set_mask_storage(dev, DMA_MASK_NONE), 0);
	expect_refused(fx, dev, vecs, 3, 0, DMA_REASON_NO_MASK, -DMAMAP_EIO, 0);
	fx_free(fx);
}

static void bad_direction(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = fx_device(fx);
	struct dma_phys_vec vec = { .phys = 0x1000, .len = 0x1000 };
	struct dma_vec_map map;

	(void)state;
	assert_int_equal(dma_vec_map_start(dev, &map, &vec, 1, BAD_DIR, 0), -DMAMAP_EINVAL);
	expect_count(fx, "fatal", 1);
	fx_reason(dev, DMA_REASON_BAD_DIRECTION);
	fx_free(fx);
}

static void never_started(void **state)
{
	struct dma_vec_map map = { .index = 0 };
	struct dma_vec_seg seg;

	(void)state;
	assert_int_equal(dma_vec_map_next(&map, &seg), -DMAMAP_EINVAL);
	assert_int_equal(dma_vec_map_rewind(&map), -DMAMAP_EINVAL);
	assert_int_equal(dma_vec_unmap(&map, 0), -DMAMAP_EINVAL);
	assert_int_equal(dma_vec_sync_for_cpu(&map, 0, 1), -DMAMAP_EINVAL);
}

static void unmapped_twice(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = fx_io(fx);
	struct dma_phys_vec vec = { .phys = 0x1000, .len = 0x1000 };
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	(void)state;
	map_all(dev, &map, &vec, 1, TO, segs);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	fx_clear(fx);
	assert_int_equal(dma_vec_unmap(&map, 0), -DMAMAP_EINVAL);
	expect_order(fx, "warn T:unmap_phys");
	fx_reason(dev, DMA_REASON_NOT_MAPPED);
	fx_free(fx);
}

static void sync_ranges(void **state)
{
	const struct fx_config config = { .ram = { { 0, 0xe0000000ull } }, .noncoherent = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	struct dma_phys_vec vecs[] = { { .phys = 0x1000, .len = 0x1000 },
				       { .phys = BAR, .len = 0x1000, .attrs = MMIO },
				       { .phys = 0x8000, .len = 0x1000 } };
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	(void)state;
	map_all(dev, &map, vecs, 3, FROM, segs);
	fx_clear(fx);
	assert_int_equal(dma_vec_sync_for_cpu(&map, 0xff0, 0x1020), 0);
	expect_count(fx, "T:sync_cpu", 2);
	assert_int_equal(fx_get(fx, "T:sync_cpu", 0)->addr, 0x1ff0);
	assert_int_equal(fx_get(fx, "T:sync_cpu", 0)->size, 0x10);
	assert_int_equal(fx_get(fx, "T:sync_cpu", 1)->addr, 0x8000);
	assert_int_equal(fx_get(fx, "T:sync_cpu", 1)->size, 0x10);
	fx_clear(fx);
	assert_int_equal(dma_vec_sync_for_device(&map, 0x1000, 0x1000), 0); /* MMIO only */
	assert_int_equal(dma_vec_sync_for_device(&map, 0x3000, DMA_VEC_ALL), 0);
	expect_order(fx, "");
	assert_int_equal(dma_vec_sync_for_device(&map, 0x2fff, 2), -DMAMAP_EINVAL);
	fx_reason(dev, DMA_REASON_NOT_MAPPED);
	assert_int_equal(dma_vec_sync_for_device(&map, 0x3001, DMA_VEC_ALL), -DMAMAP_EINVAL);
	assert_int_equal(dma_vec_sync_for_device(&map, 0, 0), -DMAMAP_EINVAL);
	fx_reason(dev, DMA_REASON_ZERO_SIZE);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	fx_free(fx);
}

/** Rewound in the middle of a range, and after a refusal, the walk begins anew. */
static void rewound_anywhere(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS);
	struct dma_phys_vec vecs[] = { { .phys = 0x4000, .len = 0x2000 },
				       { .phys = 0x9000, .len = 0x1000 } };
	struct dma_vec_map map;
	struct dma_vec_seg first, again;

	(void)state;
	assert_int_equal(dma_set_max_seg_size(dev, 0x1000), 0);
	assert_int_equal(dma_vec_map_start(dev, &map, vecs, 2, TO, 0), 0);
	assert_int_equal(dma_vec_map_next(&map, &first), 1);
	assert_int_equal(dma_vec_map_rewind(&map), 0);
	assert_int_equal(dma_vec_map_next(&map, &again), 1);
	assert_true(again.addr == first.addr);
	assert_int_equal(dma_vec_map_next(&map, &again), 1);
	fx->ops_fail = true;
	assert_int_equal(dma_vec_map_next(&map, &again), -DMAMAP_ENOMEM);
	assert_int_equal(map.index, 1);
	fx->ops_fail = false;
	assert_int_equal(dma_vec_map_next(&map, &again), -DMAMAP_ENOMEM);
	assert_int_equal(dma_vec_map_rewind(&map), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(dma_vec_map_next(&map, &again), 1);
	assert_int_equal(dma_vec_map_next(&map, &again), 0);
	expect_count(fx, "M:map_phys", 3);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	expect_count(fx, "M:unmap_phys", 2);
	fx_free(fx);
}

/** A bus address has no place in the run: a sync of what stands behind it names the right address. */
static void sync_behind_bus_address(void **state)
{
	const struct fx_config config = { .ram = { { 0, 0xe0000000ull } }, .noncoherent = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_io(fx);
	struct dma_phys_vec vecs[] = {
		{ .phys = 0xc0001000, .len = 0x1000, .flags = DMA_VEC_BUS_ADDRESS },
		{ .phys = 0x8000, .len = 0x1000 },
	};
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	(void)state;
	assert_int_equal(map_all(dev, &map, vecs, 2, FROM, segs), 2);
	fx_clear(fx);
	assert_int_equal(dma_vec_sync_for_cpu(&map, 0, DMA_VEC_ALL), 0);
	expect_count(fx, "T:sync_cpu", 1);
	assert_true(fx_get(fx, "T:sync_cpu", 0)->addr == segs[1].addr);
	assert_int_equal(fx_get(fx, "for-cpu", 0)->addr, 0x8000);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	fx_free(fx);
}

/* --- failures of the backend */

static void backend_fails(void **state)
{
	static const struct {
		int err;
		enum dma_reason reason;
	} errors[] = { { -DMAMAP_ENOMEM, DMA_REASON_NO_MEMORY },
		       { -DMAMAP_ERANGE, DMA_REASON_OUTPUT_WIDTH },
		       { -DMAMAP_EIO, DMA_REASON_BACKEND } };
	struct fx *fx = fx_quiet_ram();
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_domain *domain = fx_domain_over(fx, fb, DMA_INVALIDATION_LAZY);
	struct dma_device *dev = fx_behind(fx, domain);
	struct dma_phys_vec vecs[] = { { .phys = 0x1000, .len = 0x1000 },
				       { .phys = BAR, .len = 0x1000, .attrs = MMIO },
				       { .phys = 0x9000, .len = 0x800 } };

	(void)state;
	for (unsigned int e = 0; e < 3; e++) {
		for (unsigned int at = 1; at <= 3; at++) {
			fb->map_result = errors[e].err;
			fb->fail_at = at;
			expect_refused(fx, dev, vecs, 3, 0, errors[e].reason, errors[e].err,
				       at - 1);
			fb->map_result = 0;
			assert_int_equal(fx_iova_bytes(domain), 0);
			assert_int_equal(fb->nr, 0);
		}
	}
	fb->sync_map_result = -DMAMAP_EIO;
	fx_clear(fx);
	expect_refused(fx, dev, vecs, 3, 0, DMA_REASON_BACKEND, -DMAMAP_EIO, 2);
	assert_int_equal(fx_iova_bytes(domain), 0);
	assert_int_equal(fb->nr, 0);
	assert_int_equal(fb->violations, 0);
	fx_free(fx);
}

/** No run is long enough, but there is room for the pieces: then each has an address of its own. */
static void fragmented_space(void **state)
{
	struct fx *fx = fx_quiet_ram();
	struct dma_domain *domain = fx_domain(fx, DMA_INVALIDATION_STRICT);
	struct dma_device *dev = fx_behind(fx, domain);
	struct dma_phys_vec vecs[] = { { .phys = 0x1000, .len = 0x1000 },
				       { .phys = 0x2000, .len = 0x1000 } };
	struct dma_vec_seg segs[16];
	struct dma_error why;
	struct dma_vec_map map;

	(void)state;
	assert_int_equal(dma_device_set_bus_limit(dev, 0x5fff), 0);
	assert_int_equal(dma_domain_reserve(domain, 0x2000, 0x1000), 0);
	assert_int_equal(dma_domain_reserve(domain, 0x4000, 0x1000), 0);
	assert_int_equal(map_all(dev, &map, vecs, 2, TO, segs), 2);
	assert_false(map.contiguous);
	assert_int_equal(dma_last_error(dev, &why), 0);
	assert_true(why.reason != DMA_REASON_NO_IOVA);
	expect_count(fx, "T:map_phys", 2);
	assert_non_null(fx_get(fx, "T:map_phys", 0)->linux_text);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	assert_int_equal(fx_iova_bytes(domain), 0);
	fx_free(fx);
}

/* --- nothing to do where nothing is held */

static void no_unmap_needed(void **state)
{
	const struct fx_config config = { .quiet = true, .no_sanitize = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	struct dma_phys_vec vecs[] = { { .phys = 0x4000, .len = 0x1000 },
				       { .phys = 0x9001, .len = 0x17 } };
	struct dma_vec_seg segs[16];
	struct dma_vec_map map;

	(void)state;
	assert_int_equal(map_all(dev, &map, vecs, 2, FROM, segs), 2);
	assert_false(dma_need_unmap(dev));
	assert_int_equal(segs[1].addr, 0x9001);
	fx_clear(fx);
	assert_int_equal(dma_vec_sync_for_cpu(&map, 0, DMA_VEC_ALL), 0);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	expect_order(fx, "");
	assert_int_equal(dma_vec_unmap(&map, 0), -DMAMAP_EINVAL);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_range_order),
		cmocka_unit_test(P11_one_invalidation),
		cmocka_unit_test(mmio_protection),
		cmocka_unit_test(same_boundaries),
		cmocka_unit_test(arguments),
		cmocka_unit_test(bad_direction),
		cmocka_unit_test(never_started),
		cmocka_unit_test(unmapped_twice),
		cmocka_unit_test(sync_ranges),
		cmocka_unit_test(rewound_anywhere),
		cmocka_unit_test(sync_behind_bus_address),
		cmocka_unit_test(backend_fails),
		cmocka_unit_test(fragmented_space),
		cmocka_unit_test(no_unmap_needed),
	};

	return FX_RUN(tests);
}
