/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio IOMMU's driver with a device that does not keep the rules: every number that it gives may be wrong, and it
 * may never answer.
 */
#include "virtio_fixture.h"

#include <string.h>

/** Create must fail with @err, and everything come back. */
static void expect_no_driver(struct fixture *f, int err)
{
	assert_int_equal(create(f), err);
	f->iommu = NULL;
	f->model.fault = MODEL_FINE;
	finish(f);
}

static void a_function_that_is_none_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f);
	f.model.config[0] = 0x10411af4;
	expect_no_driver(&f, -DMAMAP_ENODEV);
	prepare(&f);
	f.model.config[1] = 0; /* no capabilities */
	expect_no_driver(&f, -DMAMAP_ENODEV);
	prepare(&f);
	f.config.function.bars[4].size = 0x3000; /* the notifications lie behind the end */
	expect_no_driver(&f, -DMAMAP_ENODEV);
	prepare(&f);
	f.model.config[0x40 / 4 + 1] = 7; /* no such BAR */
	expect_no_driver(&f, -DMAMAP_ENODEV);
	prepare(&f);
	f.model.config[0x40 / 4 + 2] = 0xffffff00; /* wraps */
	expect_no_driver(&f, -DMAMAP_ENODEV);
	prepare(&f);
	f.model.config[0x60 / 4 + 3] = 36; /* a configuration without its end */
	expect_no_driver(&f, -DMAMAP_EINVAL);
	prepare(&f);
	f.model.config[0x40 / 4] |= 0x84 << 8; /* the capabilities make a loop */
	assert_int_equal(create(&f), 0);
	finish(&f);
}

static void garbage_for_capabilities_is_survived(void **state)
{
	uint64_t seed = board_seed();

	(void)state;
	for (unsigned int i = 0; i < 300; i++) {
		struct fixture f;
		int err;

		prepare(&f);
		for (unsigned int k = 0; k < 8; k++) {
			unsigned int word = 0x10 + board_random(&seed) % 0x20;
			unsigned int bit = board_random(&seed) % 32;

			f.model.config[word] ^= 1u << bit;
		}
		/* what is left may lie anywhere in the BAR; only the search is of interest */
		f.config.function.bars[4].size = 1;
		err = create(&f);
		assert_int_equal(err, -DMAMAP_ENODEV);
		f.iommu = NULL;
		finish(&f);
	}
}

static void impossible_configurations_are_refused(void **state)
{
	static const uint32_t huge = 0x80000000u;
	static const uint64_t one = 1;
	struct fixture f;

	(void)state;
	prepare(&f);
	memset(f.model.device, 0, 8); /* no page size */
	expect_no_driver(&f, -DMAMAP_EINVAL);
	prepare(&f);
	memset(f.model.device + 8, 0xff, 8); /* the first address behind the last */
	memcpy(f.model.device + 16, &one, 8);
	expect_no_driver(&f, -DMAMAP_EINVAL);
	prepare(&f);
	memcpy(f.model.device + 24, &huge, 4); /* the same for domains */
	memset(f.model.device + 28, 0, 4);
	expect_no_driver(&f, -DMAMAP_EINVAL);
	prepare(&f);
	memcpy(f.model.device + 32, &huge, 4); /* an answer of 2 GiB */
	expect_no_driver(&f, -DMAMAP_EINVAL);
	prepare(&f);
	f.model.fault = MODEL_NEW_GENERATION;
	expect_no_driver(&f, -DMAMAP_EIO);
	prepare(&f);
	f.model.queue_max = 0;
	f.model.queues[0].size = 0;
	expect_no_driver(&f, -DMAMAP_ENODEV);
	prepare(&f);
	f.model.queue_max = 1;
	expect_no_driver(&f, -DMAMAP_ENODEV);
	prepare(&f);
	f.model.queue_max = 3;
	expect_no_driver(&f, -DMAMAP_ENODEV);
	prepare(&f);
	f.model.config[0x70 / 4 + 4] = 0xffffffff; /* notifications far away */
	expect_no_driver(&f, -DMAMAP_ENODEV);
	prepare(&f);
	f.model.features &= ~(uint64_t)4; /* neither map nor unmap */
	expect_no_driver(&f, -DMAMAP_EOPNOTSUPP);
	prepare(&f);
	f.model.features &= ~((uint64_t)1 << 32); /* not modern */
	expect_no_driver(&f, -DMAMAP_EOPNOTSUPP);
	prepare(&f);
	f.model.fault = MODEL_NO_FEATURES;
	expect_no_driver(&f, -DMAMAP_EOPNOTSUPP);
}

static void a_small_queue_is_enough(void **state)
{
	struct dma_vec vec[5];
	struct dma_backend *b;
	struct fixture f;

	(void)state;
	prepare(&f);
	f.model.queue_max = 2;
	f.model.queues[0].size = f.model.queues[1].size = 2;
	assert_int_equal(create(&f), 0);
	assert_int_equal(dmamap_virtio_iommu_probe(f.iommu, &f.a.dma), 0);
	assert_int_equal(dmamap_virtio_iommu_backend_create(f.iommu, &b), 0);
	assert_int_equal(b->ops->attach(b, &f.a.dma), 0);
	for (unsigned int i = 0; i < 5; i++)
		vec[i] = (struct dma_vec){ G1 + 2 * (uint64_t)i * K4, K4 };
	for (unsigned int i = 0; i < 30000; i++) { /* the 16-bit indices wrap */
		assert_int_equal(b->ops->map(b, 0x1000, vec, 5, DMA_PROT_READ), 0);
		assert_int_equal(b->ops->unmap(b, 0x1000, 5 * K4), 5 * K4);
	}
	b->ops->detach(b, &f.a.dma);
	b->ops->destroy(b);
	finish(&f);
}

/** With a device that went wrong: nothing more is asked, everything ends in time. */
static void expect_broken(enum model_fault fault, const char *text)
{
	struct dma_virtio_iommu_info info;
	struct dma_backend *b;
	struct dma_error why;
	unsigned int kicks;
	struct fixture f;
	uint64_t before;

	start(&f);
	assert_int_equal(dmamap_virtio_iommu_backend_create(f.iommu, &b), 0);
	f.model.fault = fault;
	before = f.board.now;
	assert_int_equal(dma_map_phys(&f.a.dma, G1, K4, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	assert_int_equal(dma_last_error(&f.a.dma, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_BACKEND);
	assert_int_equal(why.err, -DMAMAP_EIO);
	assert_true(f.board.now - before < 1200000000u);
	assert_non_null(strstr(f.board.log, text));
	dmamap_virtio_iommu_get_info(f.iommu, &info);
	assert_true(info.broken);
	kicks = f.model.notified[0];
	f.model.fault = MODEL_FINE;
	assert_int_equal(dma_map_phys(&f.a.dma, G1, K4, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	assert_int_equal(dma_device_set_domain(&f.b.dma, f.domain), -DMAMAP_EIO);
	assert_int_equal(dmamap_virtio_iommu_handle_faults(f.iommu), -DMAMAP_EIO);
	assert_int_equal(dmamap_virtio_iommu_backend_create(f.iommu, &b), -DMAMAP_EIO);
	assert_int_equal(f.model.notified[0], kicks);
	b->ops->destroy(b);
	finish(&f);
}

static void silence_and_nonsense_break_the_driver_not_the_caller(void **state)
{
	(void)state;
	expect_broken(MODEL_SILENT, "does not answer");
	expect_broken(MODEL_BAD_ID, "nonsense");
	expect_broken(MODEL_OTHER_ID, "nonsense");
	expect_broken(MODEL_BAD_INDEX, "nonsense");
}

static void without_a_clock_silence_ends_too(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	f.board.frozen = true;
	f.model.fault = MODEL_SILENT;
	assert_int_equal(dma_map_phys(&f.a.dma, G1, K4, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	f.model.fault = MODEL_FINE;
	finish(&f);
}

static void an_answer_without_a_status_is_an_error(void **state)
{
	struct dma_error why;
	struct fixture f;

	(void)state;
	start(&f);
	f.model.fault = MODEL_NO_STATUS;
	assert_int_equal(dma_map_phys(&f.a.dma, G1, K4, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	assert_int_equal(dma_last_error(&f.a.dma, &why), 0);
	assert_int_equal(why.err, -DMAMAP_EIO);
	f.model.fault = MODEL_FINE;
	finish(&f);
}

/** A device that stays attached may reach what is unmapped later, so that nothing more is mapped. */
static void an_endpoint_that_stays_breaks_the_driver(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	f.model.fault = MODEL_NO_STATUS;
	assert_int_equal(dma_device_set_domain(&f.a.dma, NULL), 0);
	f.model.fault = MODEL_FINE;
	assert_non_null(strstr(f.board.log, "does not let go"));
	assert_int_equal(dma_device_set_domain(&f.b.dma, f.domain), -DMAMAP_EIO);
	finish(&f);
}

static void a_device_that_does_not_reset_keeps_its_memory(void **state)
{
	uint64_t live;
	struct fixture f;

	(void)state;
	prepare(&f);
	f.model.fault = MODEL_NO_RESET;
	f.model.status = 0x0f;
	assert_int_equal(create(&f), -DMAMAP_EIO);
	f.model.fault = MODEL_FINE;
	f.iommu = NULL;
	finish(&f);

	prepare(&f);
	live = f.board.live;
	assert_int_equal(create(&f), 0);
	f.model.fault = MODEL_NO_RESET;
	assert_int_equal(dmamap_virtio_iommu_destroy(f.iommu), 0);
	assert_true(f.board.live > live); /* the device may still write there */
	assert_non_null(strstr(f.board.log, "does not reset"));
	memset(f.board.taken, 0, BOARD_PAGES);
	f.board.live = live;
	f.iommu = NULL;
	finish(&f);
}

static void nonsense_in_the_event_queue_breaks_the_driver(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	f.model.fault = MODEL_SHORT_EVENT;
	assert_true(virtio_model_event(&f.model, 2, 0x102, 8, 0x5000));
	assert_int_equal(dmamap_virtio_iommu_handle_faults(f.iommu), 1);
	assert_null(f.board.faults[0].device); /* what was not written is not believed */
	f.model.fault = MODEL_BAD_ID;
	assert_true(virtio_model_event(&f.model, 2, 0x102, 8, 0x5000));
	assert_int_equal(dmamap_virtio_iommu_handle_faults(f.iommu), -DMAMAP_EIO);
	assert_int_equal(f.board.n_faults, 1);
	f.model.fault = MODEL_FINE;
	finish(&f);
}

static void properties_are_read_as_a_strangers(void **state)
{
	/* type, length; what follows decides */
	static const struct {
		unsigned char bytes[8];
		int err;
	} cases[] = {
		{ { 0 }, 0 },			       /* none */
		{ { 9, 0, 4, 0, 0, 0, 0, 0 }, 0 },     /* unknown: skipped */
		{ { 1, 0, 0, 0 }, -DMAMAP_EIO },       /* a region without a body */
		{ { 1, 0, 8, 0 }, -DMAMAP_EIO },       /* half of one */
		{ { 9, 0, 0xff, 0xff }, -DMAMAP_EIO }, /* longer than the answer */
		{ { 9, 0xf0, 0, 0, 0, 0, 0, 0 }, 0 },  /* reserved bits of the type */
	};
	uint64_t seed = board_seed();
	struct fixture f;

	(void)state;
	start(&f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(f.model.endpoints[1].properties, 0, 256);
		memcpy(f.model.endpoints[1].properties, cases[i].bytes, 8);
		assert_int_equal(dmamap_virtio_iommu_probe(f.iommu, &f.b.dma), cases[i].err);
	}
	for (unsigned int i = 0; i < 2000; i++) {
		struct dma_reserved_region r;
		int err;

		for (unsigned int k = 0; k < 256; k++)
			f.model.endpoints[1].properties[k] =
				board_random(&seed) % 4 ? (unsigned char)(k % 24 == 2) * 20
							: (unsigned char)board_random(&seed);
		f.model.endpoints[1].properties[0] = 1;
		err = dmamap_virtio_iommu_probe(f.iommu, &f.b.dma);
		assert_true(!err || err == -DMAMAP_EIO || err == -DMAMAP_ENOSPC);
		for (unsigned int k = 0; dmamap_virtio_iommu_reserved(f.iommu, k, &r); k++)
			assert_true(r.first <= r.last && k < 16);
	}
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_function_that_is_none_is_refused),
		cmocka_unit_test(garbage_for_capabilities_is_survived),
		cmocka_unit_test(impossible_configurations_are_refused),
		cmocka_unit_test(a_small_queue_is_enough),
		cmocka_unit_test(silence_and_nonsense_break_the_driver_not_the_caller),
		cmocka_unit_test(without_a_clock_silence_ends_too),
		cmocka_unit_test(an_answer_without_a_status_is_an_error),
		cmocka_unit_test(an_endpoint_that_stays_breaks_the_driver),
		cmocka_unit_test(a_device_that_does_not_reset_keeps_its_memory),
		cmocka_unit_test(nonsense_in_the_event_queue_breaks_the_driver),
		cmocka_unit_test(properties_are_read_as_a_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
