/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio IOMMU's driver with a device that keeps the rules: start, requests byte by byte, devices, faults.
 */
#include "virtio_fixture.h"

#include <string.h>

/* --- start and end */

static void it_starts_and_ends(void **state)
{
	struct dma_virtio_iommu_info info;
	struct fixture f;

	(void)state;
	prepare(&f);
	assert_int_equal(create(&f), 0);
	assert_int_equal(f.model.status, 0x0f);
	assert_int_equal(f.model.accepted, 0x100000077u);
	assert_int_equal(f.model.queues[0].size, 64);
	assert_int_equal(f.model.config[1] & 0xffff, 6);
	assert_int_equal(f.model.device[36], 0); /* nobody passes */
	dmamap_virtio_iommu_get_info(f.iommu, &info);
	assert_int_equal(info.page_sizes, 0xfffffffffffff000u);
	assert_int_equal(info.domain_last, 0xffffffffu);
	assert_false(info.broken);
	finish(&f);
	assert_int_equal(f.model.status, 0);
}

static void unattached_devices_pass_if_so_configured(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f);
	f.config.bypass_unattached = true;
	assert_int_equal(create(&f), 0);
	expect_reach(&f, 8, 0x1234, true, 0x1234);
	finish(&f);
}

static void the_platforms_addresses_are_accepted_where_offered(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f);
	f.model.features |= (uint64_t)1 << 33 | (uint64_t)1 << 36;
	assert_int_equal(create(&f), 0);
	assert_int_equal(f.model.accepted >> 32, 0x13);
	finish(&f);
}

static void ranges_of_the_device_are_kept(void **state)
{
	static const uint64_t first = 0x100000, last = 0x1fffff;
	static const uint32_t domains[] = { 5, 6 };
	struct dma_domain *one, *two, *three;
	dma_addr_t addr;
	struct fixture f;

	(void)state;
	prepare(&f);
	memcpy(f.model.device + 8, &first, 8);
	memcpy(f.model.device + 16, &last, 8);
	memcpy(f.model.device + 24, domains, 8);
	assert_int_equal(create(&f), 0);
	assert_int_equal(make_domain(&f, &one), 0);
	assert_int_equal(make_domain(&f, &two), 0);
	assert_int_equal(make_domain(&f, &three), -DMAMAP_ENOSPC);
	assert_int_equal(dma_domain_destroy(one), 0);
	assert_int_equal(make_domain(&f, &one), 0); /* 5 again */
	assert_int_equal(dmamap_virtio_iommu_destroy(f.iommu), -DMAMAP_EBUSY);
	assert_int_equal(dmamap_virtio_iommu_probe(f.iommu, &f.a.dma), 0);
	assert_int_equal(dma_domain_destroy(one), 0);
	assert_int_equal(make_domain(&f, &one), 0);
	assert_int_equal(dma_device_set_domain(&f.a.dma, one), 0);
	assert_int_equal(f.model.endpoints[0].domain, 5);
	addr = dma_map_phys(&f.a.dma, G1, 0x100000, DMA_TO_DEVICE, DMA_ATTR_MMIO);
	assert_int_equal(addr, 0x100000);
	assert_int_equal(dma_map_phys(&f.a.dma, G1, K4, DMA_TO_DEVICE, DMA_ATTR_MMIO),
			 DMA_MAPPING_ERROR);
	dma_unmap_phys(&f.a.dma, addr, 0x100000, DMA_TO_DEVICE, DMA_ATTR_MMIO);
	assert_int_equal(dma_device_set_domain(&f.a.dma, NULL), 0);
	assert_int_equal(dma_domain_destroy(one), 0);
	assert_int_equal(dma_domain_destroy(two), 0);
	finish(&f);
}

static void memory_that_is_refused_leaks_nothing(void **state)
{
	unsigned int tried = 0;

	(void)state;
	for (uint64_t n = 1;; n++) {
		struct fixture f;
		int err;

		prepare(&f);
		f.board.fail_at = f.board.allocs + n;
		err = create(&f);
		if (!err)
			err = dmamap_virtio_iommu_probe(f.iommu, &f.a.dma);
		if (!err)
			err = make_domain(&f, &f.domain);
		if (!err)
			err = dma_device_set_domain(&f.a.dma, f.domain);
		tried++;
		finish(&f);
		if (!err)
			break;
		assert_int_equal(err, -DMAMAP_ENOMEM);
	}
	assert_true(tried > 5);
}

/* --- requests, as bytes */

static void requests_are_what_the_specification_says(void **state)
{
	static const unsigned char attach[20] = { 1, 0, 0, 0, 0, 0, 0, 0, 8 };
	static const unsigned char map[36] = { 3,    0, 0, 0, 0, 0,    0,    0,	   0,	 0, 0xff,
					       0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0,
					       0,    0, 0, 0, 0, 0x40, 0,    0,	   0,	 0, 1 };
	static const unsigned char unmap[28] = { 4,    0,    0, 0, 0, 0, 0,    0,    0,	   0,
						 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };
	static const unsigned char probe[72] = { 5, 0, 0, 0, 8 };
	struct fixture f;
	dma_addr_t addr;

	(void)state;
	start(&f);
	assert_memory_equal(f.model.last[1], attach, sizeof(attach));
	assert_memory_equal(f.model.last[5], probe, sizeof(probe));
	addr = dma_map_phys(&f.a.dma, G1, 0x10000, DMA_TO_DEVICE, 0);
	assert_int_equal(addr, 0x1ffffffffff0000u); /* from the top of 57 bits down */
	dma_unmap_phys(&f.a.dma, addr, 0x10000, DMA_TO_DEVICE, 0);
	assert_int_equal(f.model.last[3][32], 1);
	dmamap_set_mask(&f.a.dma, DMA_BIT_MASK(32));
	addr = dma_map_phys(&f.a.dma, G1, 0x10000, DMA_TO_DEVICE, 0);
	assert_int_equal(addr, 0xffff0000u);
	assert_memory_equal(f.model.last[3], map, sizeof(map));
	dma_unmap_phys(&f.a.dma, addr, 0x10000, DMA_TO_DEVICE, 0);
	assert_memory_equal(f.model.last[4], unmap, sizeof(unmap));
	assert_int_equal(dma_device_set_domain(&f.a.dma, NULL), 0);
	assert_int_equal(f.model.last[2][0], 2);
	assert_int_equal(f.model.last[2][8], 8);
	finish(&f);
}

static void directions_and_mmio_become_flags(void **state)
{
	static const struct {
		enum dma_data_direction dir;
		unsigned long attrs;
		unsigned char flags;
	} cases[] = {
		{ DMA_TO_DEVICE, 0, 1 },
		{ DMA_FROM_DEVICE, 0, 2 },
		{ DMA_BIDIRECTIONAL, 0, 3 },
		{ DMA_BIDIRECTIONAL, DMA_ATTR_MMIO, 7 },
	};
	struct fixture f;

	(void)state;
	start(&f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dma_addr_t addr = dma_map_phys(&f.a.dma, G1, K4, cases[i].dir, cases[i].attrs);

		assert_int_equal(f.model.last[3][32], cases[i].flags);
		if (cases[i].flags & 1)
			expect_reach(&f, 8, addr + 5, false, G1 + 5);
		else
			expect_blocked(&f, 8, addr + 5, false);
		if (cases[i].flags & 2)
			expect_reach(&f, 8, addr, true, G1);
		else
			expect_blocked(&f, 8, addr, true);
		dma_unmap_phys(&f.a.dma, addr, K4, cases[i].dir, cases[i].attrs);
		expect_blocked(&f, 8, addr, false);
	}
	finish(&f);
}

static void without_the_feature_mmio_is_refused(void **state)
{
	struct dma_error why;
	struct fixture f;

	(void)state;
	prepare(&f);
	f.model.features &= ~(uint64_t)0x20;
	assert_int_equal(create(&f), 0);
	assert_int_equal(dmamap_virtio_iommu_probe(f.iommu, &f.a.dma), 0);
	assert_int_equal(make_domain(&f, &f.domain), 0);
	assert_int_equal(dma_device_set_domain(&f.a.dma, f.domain), 0);
	assert_int_equal(dma_map_phys(&f.a.dma, G1, K4, DMA_TO_DEVICE, DMA_ATTR_MMIO),
			 DMA_MAPPING_ERROR);
	assert_int_equal(dma_last_error(&f.a.dma, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_BACKEND);
	assert_int_equal(why.err, -DMAMAP_EOPNOTSUPP);
	finish(&f);
}

/* --- lists: batches */

static void a_long_list_is_sent_in_batches(void **state)
{
	static struct scatterlist sg[100];
	struct fixture f;
	unsigned int kicks;
	int n;

	(void)state;
	start(&f);
	sg_init_table(sg, 100);
	for (unsigned int i = 0; i < 100; i++) /* no two are neighbours */
		sg_set_page(&sg[i], dmamap_phys_to_page(BOARD_RAM + 2 * (uint64_t)i * K4), K4, 0);
	kicks = f.model.notified[0];
	n = dma_map_sg(&f.a.dma, sg, 100, DMA_BIDIRECTIONAL);
	assert_true(n > 0);
	assert_int_equal(f.model.count[3], 100);
	assert_int_equal(f.model.notified[0] - kicks, 4); /* 32 at a time */
	for (unsigned int i = 0; i < 100; i++)
		expect_reach(&f, 8, sg_dma_address(sg) + (uint64_t)i * K4, true,
			     BOARD_RAM + 2 * (uint64_t)i * K4);
	dma_unmap_sg(&f.a.dma, sg, 100, DMA_BIDIRECTIONAL);
	assert_int_equal(f.model.n_mappings, 0);
	finish(&f);
}

static void what_is_refused_in_the_middle_is_undone(void **state)
{
	static const struct {
		uint8_t status;
		int err;
	} cases[] = { { 1, -DMAMAP_EIO },    { 2, -DMAMAP_EOPNOTSUPP }, { 3, -DMAMAP_EIO },
		      { 4, -DMAMAP_EINVAL }, { 5, -DMAMAP_ERANGE },	{ 6, -DMAMAP_ENODEV },
		      { 7, -DMAMAP_EFAULT }, { 8, -DMAMAP_ENOMEM },	{ 99, -DMAMAP_EIO } };
	struct dma_vec vec[40];
	struct dma_backend *backend;
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(dmamap_virtio_iommu_backend_create(f.iommu, &backend), 0);
	assert_int_equal(backend->ops->attach(backend, &f.b.dma), 0);
	for (unsigned int i = 0; i < 40; i++)
		vec[i] = (struct dma_vec){ G1 + 2 * (uint64_t)i * K4, K4 };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		phys_addr_t phys;

		f.model.refuse = cases[i].status;
		f.model.refuse_after = 35;
		assert_int_equal(backend->ops->map(backend, 0x10000, vec, 40,
						   DMA_PROT_READ | DMA_PROT_WRITE),
				 cases[i].err);
		f.model.refuse = 0;
		assert_int_equal(f.model.n_mappings, 0);
		assert_int_equal(backend->ops->iova_to_phys(backend, 0x10000, &phys),
				 -DMAMAP_ENXIO);
	}
	assert_int_equal(backend->ops->map(backend, 0x10000, vec, 40, DMA_PROT_READ), 0);
	assert_int_equal(backend->ops->unmap(backend, 0x10000, 40 * K4), 40 * K4);
	backend->ops->detach(backend, &f.b.dma);
	backend->ops->destroy(backend);
	finish(&f);
}

/* --- the backend's own checks */

static void what_no_device_should_see_is_refused_here(void **state)
{
	const unsigned int rw = DMA_PROT_READ | DMA_PROT_WRITE;
	const struct dma_vec page = { G1, K4 };
	const struct dma_vec odd = { G1 + 1, K4 };
	const struct dma_vec empty = { G1, 0 };
	const struct dma_vec high = { (uint64_t)1 << 52, K4 };
	const struct dma_vec two[] = { { G1, 2 * K4 }, { G1, 2 * K4 } };
	struct dma_backend *b;
	struct dma_leaf leaf;
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(dmamap_virtio_iommu_backend_create(f.iommu, &b), 0);
	assert_int_equal(b->ops->attach(b, &f.b.dma), 0);
	assert_false(b->caps.may_unmap_part);
	assert_true(b->caps.unmap_is_invalidation);
	assert_int_equal(b->ops->map(b, 0x1000, &page, 1, 0), -DMAMAP_EINVAL);
	assert_int_equal(b->ops->map(b, 0x1001, &page, 1, rw), -DMAMAP_EINVAL);
	assert_int_equal(b->ops->map(b, 0x1000, &odd, 1, rw), -DMAMAP_EINVAL);
	assert_int_equal(b->ops->map(b, 0x1000, &empty, 1, rw), -DMAMAP_EINVAL);
	assert_int_equal(b->ops->map(b, 0x1000, &high, 1, rw), -DMAMAP_ERANGE);
	assert_int_equal(b->ops->map(b, (uint64_t)1 << 57, &page, 1, rw), -DMAMAP_ERANGE);
	assert_int_equal(b->ops->map(b, ((uint64_t)1 << 57) - K4, two, 2, rw), -DMAMAP_ERANGE);
	assert_int_equal(b->ops->map(b, ((uint64_t)1 << 57) - 2 * K4, two, 2, rw), -DMAMAP_ERANGE);
	assert_int_equal(f.model.count[3], 0);
	assert_int_equal(b->ops->map(b, 0x4000, two, 2, rw), 0);
	assert_int_equal(b->ops->map(b, 0x6000, &page, 1, rw), -DMAMAP_EADDRINUSE);
	/* whole mappings only, whatever the device would do */
	assert_int_equal(b->ops->unmap(b, 0x4000, K4), 0);
	assert_int_equal(b->ops->unmap(b, 0x5000, 2 * K4), 0);
	assert_int_equal(b->ops->unmap(b, 0x4000, 0), 0);
	assert_int_equal(f.model.count[4], 0);
	assert_int_equal(b->ops->next_leaf(b, 0x5000, &leaf), 0);
	assert_int_equal(leaf.iova, 0x4000);
	assert_int_equal(leaf.len, 2 * K4);
	assert_int_equal(leaf.prot, rw);
	assert_int_equal(b->ops->unmap(b, 0x4000, 2 * K4), 2 * K4);
	assert_int_equal(b->ops->unmap(b, 0x4000, 4 * K4),
			 0); /* begins with a hole; the rest went */
	assert_int_equal(b->ops->next_leaf(b, 0, &leaf), -DMAMAP_ENXIO);
	b->ops->detach(b, &f.b.dma);
	b->ops->destroy(b);
	finish(&f);
}

static void what_was_mapped_before_is_told_to_the_first_endpoint(void **state)
{
	struct dma_vec page = { G1, K4 };
	struct dma_backend *b;
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(dmamap_virtio_iommu_backend_create(f.iommu, &b), 0);
	for (unsigned int i = 0; i < 70; i++)
		assert_int_equal(b->ops->map(b, 0x1000 + (uint64_t)i * K4, &page, 1, DMA_PROT_READ),
				 0);
	assert_int_equal(f.model.count[3], 0);
	assert_int_equal(b->ops->unmap(b, 0x1000, K4), K4);
	assert_int_equal(b->ops->attach(b, &f.b.dma), 0);
	assert_int_equal(f.model.count[3], 69);
	expect_blocked(&f, 16, 0x1000, false);
	expect_reach(&f, 16, 0x2004, false, G1 + 4);
	/* the device forgets with the last endpoint, the driver does not */
	b->ops->detach(b, &f.b.dma);
	assert_int_equal(f.model.n_mappings, 0);
	f.model.refuse = 8;
	f.model.refuse_after = 40;
	assert_int_equal(b->ops->attach(b, &f.b.dma), -DMAMAP_ENOMEM);
	assert_false(f.model.endpoints[1].attached);
	f.model.refuse = 0;
	assert_int_equal(b->ops->attach(b, &f.b.dma), 0);
	assert_int_equal(f.model.n_mappings, 69);
	b->ops->detach(b, &f.b.dma);
	b->ops->destroy(b);
	finish(&f);
}

/* --- devices */

static void two_devices_share_a_domain(void **state)
{
	struct fixture f;
	dma_addr_t addr;

	(void)state;
	start(&f);
	assert_int_equal(dma_device_set_domain(&f.b.dma, f.domain), 0);
	addr = dma_map_phys(&f.a.dma, G1, K4, DMA_BIDIRECTIONAL, 0);
	expect_reach(&f, 8, addr, true, G1);
	expect_reach(&f, 16, addr, true, G1);
	assert_int_equal(dma_device_set_domain(&f.b.dma, NULL), 0);
	expect_blocked(&f, 16, addr, true);
	expect_reach(&f, 8, addr, true, G1);
	dma_unmap_phys(&f.a.dma, addr, K4, DMA_BIDIRECTIONAL, 0);
	finish(&f);
}

static void a_device_that_the_iommu_does_not_know_is_refused(void **state)
{
	struct board_device stranger;
	struct fixture f;

	(void)state;
	start(&f);
	board_device_init(&f.board, &stranger, 77);
	assert_int_equal(dmamap_virtio_iommu_probe(f.iommu, &stranger.dma), -DMAMAP_ENODEV);
	assert_int_equal(dma_device_set_domain(&stranger.dma, f.domain), -DMAMAP_ENODEV);
	assert_int_equal(dma_device_fini(&stranger.dma), 0);
	finish(&f);
}

static unsigned int shared_ids(void *arg, struct dma_device *dev, uint32_t *ids, unsigned int max)
{
	assert_true(max >= 2);
	board_ids(arg, dev, ids, max);
	ids[1] = 24; /* the bridge's */
	return 2;
}

static void devices_behind_one_bridge_stay_together(void **state)
{
	struct dma_domain *other;
	struct fixture f;

	(void)state;
	prepare(&f);
	f.config.requesters.ids = shared_ids;
	assert_int_equal(create(&f), 0);
	assert_int_equal(dmamap_virtio_iommu_probe(f.iommu, &f.a.dma), 0);
	assert_int_equal(make_domain(&f, &f.domain), 0);
	assert_int_equal(make_domain(&f, &other), 0);
	assert_int_equal(dma_device_set_domain(&f.a.dma, f.domain), 0);
	assert_int_equal(dma_device_set_domain(&f.b.dma, other), -DMAMAP_EBUSY);
	assert_int_equal(dma_device_set_domain(&f.b.dma, f.domain), 0);
	assert_int_equal(dma_device_set_domain(&f.a.dma, NULL), 0);
	assert_true(f.model.endpoints[2].attached); /* b still needs it */
	assert_int_equal(dma_device_set_domain(&f.b.dma, NULL), 0);
	assert_false(f.model.endpoints[2].attached);
	assert_int_equal(dma_domain_destroy(other), 0);
	finish(&f);
}

static void reserved_regions_are_never_handed_out(void **state)
{
	struct dma_reserved_region region;
	struct fixture f;

	(void)state;
	start(&f);
	assert_true(dmamap_virtio_iommu_reserved(f.iommu, 0, &region));
	assert_int_equal(region.first, 0xfee00000);
	assert_int_equal(region.last, 0xfeefffff);
	assert_true(region.msi);
	assert_false(dmamap_virtio_iommu_reserved(f.iommu, 1, &region));
	dmamap_set_mask(&f.a.dma, DMA_BIT_MASK(32));
	/* 16 MiB at the top would be 0xff000000; the next ones skip the window */
	assert_int_equal(dma_map_phys(&f.a.dma, G1, 1 << 24, DMA_TO_DEVICE, 0), 0xff000000);
	assert_int_equal(dma_map_phys(&f.a.dma, G1, 1 << 24, DMA_TO_DEVICE, 0), 0xfd000000);
	dma_unmap_phys(&f.a.dma, 0xff000000, 1 << 24, DMA_TO_DEVICE, 0);
	dma_unmap_phys(&f.a.dma, 0xfd000000, 1 << 24, DMA_TO_DEVICE, 0);
	finish(&f);
}

static void a_device_with_further_regions_does_not_join(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	f.model.endpoints[1].properties[10] = 0xd0; /* another window */
	assert_int_equal(dma_device_set_domain(&f.b.dma, f.domain), -DMAMAP_EBUSY);
	assert_false(f.model.endpoints[1].attached);
	finish(&f);
}

/* --- faults */

static void faults_say_device_address_and_reason(void **state)
{
	struct dma_virtio_iommu_info info;
	struct fixture f;
	dma_addr_t addr;

	(void)state;
	start(&f);
	addr = dma_map_phys(&f.a.dma, G1, K4, DMA_TO_DEVICE, 0);
	assert_int_equal(dmamap_virtio_iommu_handle_faults(f.iommu), 0);
	assert_true(virtio_model_event(&f.model, 2, 0x101, 8, 0x5000));
	assert_true(virtio_model_event(&f.model, 2, 0x102, 8, addr + 4));
	assert_true(virtio_model_event(&f.model, 1, 0x102, 16, 0x6000));
	assert_true(virtio_model_event(&f.model, 0, 0, 0xdead, 0x7000));
	assert_true(virtio_model_event(&f.model, 0, 0x104, 8, 0x8000));
	assert_int_equal(dmamap_virtio_iommu_handle_faults(f.iommu), 5);
	assert_int_equal(f.board.n_faults, 5);
	assert_ptr_equal(f.board.faults[0].device, &f.a.dma);
	assert_int_equal(f.board.faults[0].dma_addr, 0x5000);
	assert_int_equal(f.board.faults[0].access, DMA_FAULT_READ);
	assert_int_equal(f.board.faults[0].reason, DMA_FAULT_REASON_NOT_PRESENT);
	assert_int_equal(f.board.faults[0].code, 2);
	assert_int_equal(f.board.faults[1].dma_addr, addr + 4);
	assert_int_equal(f.board.faults[1].access, DMA_FAULT_WRITE);
	assert_int_equal(f.board.faults[1].reason, DMA_FAULT_REASON_WRITE_DENIED);
	assert_null(f.board.faults[2].device); /* attached nowhere */
	assert_int_equal(f.board.faults[2].reason, DMA_FAULT_REASON_BLOCKED);
	assert_int_equal(f.board.faults[3].dma_addr, 0); /* the record has no address */
	assert_int_equal(f.board.faults[4].access, DMA_FAULT_EXEC);
	assert_int_equal(f.board.faults[4].reason, DMA_FAULT_REASON_OTHER);
	dmamap_virtio_iommu_get_info(f.iommu, &info);
	assert_int_equal(info.faults, 5);
	dma_unmap_phys(&f.a.dma, addr, K4, DMA_TO_DEVICE, 0);
	finish(&f);
}

static void buffers_of_faults_go_round(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	for (unsigned int i = 0; i < 200; i++) {
		assert_true(virtio_model_event(&f.model, 2, 0x100, 8, i));
		if (i % 50 == 49)
			assert_int_equal(dmamap_virtio_iommu_handle_faults(f.iommu), 50);
	}
	assert_int_equal(f.board.n_faults, 200);
	assert_int_equal(f.board.faults[199].dma_addr, 199);
	/* without a poll the device runs out of buffers, and nothing breaks */
	for (unsigned int i = 0; i < 64; i++)
		assert_true(virtio_model_event(&f.model, 2, 0x100, 8, i));
	assert_false(virtio_model_event(&f.model, 2, 0x100, 8, 0));
	assert_int_equal(dmamap_virtio_iommu_handle_faults(f.iommu), 64);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_starts_and_ends),
		cmocka_unit_test(unattached_devices_pass_if_so_configured),
		cmocka_unit_test(the_platforms_addresses_are_accepted_where_offered),
		cmocka_unit_test(ranges_of_the_device_are_kept),
		cmocka_unit_test(memory_that_is_refused_leaks_nothing),
		cmocka_unit_test(requests_are_what_the_specification_says),
		cmocka_unit_test(directions_and_mmio_become_flags),
		cmocka_unit_test(without_the_feature_mmio_is_refused),
		cmocka_unit_test(a_long_list_is_sent_in_batches),
		cmocka_unit_test(what_is_refused_in_the_middle_is_undone),
		cmocka_unit_test(what_no_device_should_see_is_refused_here),
		cmocka_unit_test(what_was_mapped_before_is_told_to_the_first_endpoint),
		cmocka_unit_test(two_devices_share_a_domain),
		cmocka_unit_test(a_device_that_the_iommu_does_not_know_is_refused),
		cmocka_unit_test(devices_behind_one_bridge_stay_together),
		cmocka_unit_test(reserved_regions_are_never_handed_out),
		cmocka_unit_test(a_device_with_further_regions_does_not_join),
		cmocka_unit_test(faults_say_device_address_and_reason),
		cmocka_unit_test(buffers_of_faults_go_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
