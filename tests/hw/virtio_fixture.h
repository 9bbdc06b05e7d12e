/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A board with a virtio IOMMU, its driver, and two devices behind it.
 */
#ifndef DMAMAP_TESTS_HW_VIRTIO_FIXTURE_H
#define DMAMAP_TESTS_HW_VIRTIO_FIXTURE_H

#include "virtio_model.h"

#define G1 0x40000000u /* physical memory that nobody looks at */
#define K4 0x1000u

struct fixture {
	struct board board;
	struct virtio_model model;
	struct dma_virtio_iommu_config config;
	struct dma_virtio_iommu *iommu;
	struct dma_domain *domain;
	struct board_device a; /* endpoint 8 */
	struct board_device b; /* endpoint 16 */
};

/** The board and the model, with the driver's configuration. */
static inline void prepare(struct fixture *f)
{
	board_init(&f->board);
	virtio_model_init(&f->model, &f->board);
	f->config = (struct dma_virtio_iommu_config){
		.size = sizeof(f->config),
		.function = virtio_model_function(&f->model),
		.requesters = { .ids = board_ids },
	};
	f->iommu = NULL;
	f->domain = NULL;
	board_device_init(&f->board, &f->a, 8);
	board_device_init(&f->board, &f->b, 16);
}

static inline int create(struct fixture *f)
{
	return dmamap_virtio_iommu_create(&f->board.host, &f->config, &f->iommu);
}

static inline int make_domain(struct fixture *f, struct dma_domain **domain)
{
	const struct dma_domain_config config = { .size = sizeof(config) };

	return dmamap_virtio_iommu_domain_create(f->iommu, &f->board.host, &config, domain);
}

/** All of it, with device a attached. */
static inline void start(struct fixture *f)
{
	prepare(f);
	assert_int_equal(create(f), 0);
	assert_int_equal(dmamap_virtio_iommu_probe(f->iommu, &f->a.dma), 0);
	assert_int_equal(make_domain(f, &f->domain), 0);
	assert_int_equal(dma_device_set_domain(&f->a.dma, f->domain), 0);
}

static inline void finish(struct fixture *f)
{
	assert_int_equal(dma_device_fini(&f->a.dma), 0);
	assert_int_equal(dma_device_fini(&f->b.dma), 0);
	if (f->domain)
		assert_int_equal(dma_domain_destroy(f->domain), 0);
	if (f->iommu)
		assert_int_equal(dmamap_virtio_iommu_destroy(f->iommu), 0);
	board_fini(&f->board);
}

static inline void expect_reach(const struct fixture *f, uint32_t endpoint, uint64_t iova,
				bool write, uint64_t phys)
{
	uint64_t got;

	assert_true(virtio_model_translate(&f->model, endpoint, iova, write, &got));
	assert_int_equal(got, phys);
}

static inline void expect_blocked(const struct fixture *f, uint32_t endpoint, uint64_t iova,
				  bool write)
{
	uint64_t got;

	assert_false(virtio_model_translate(&f->model, endpoint, iova, write, &got));
}

#endif
