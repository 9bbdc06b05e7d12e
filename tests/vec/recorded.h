/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of vectors on the recording host share: RAM below the BAR, walking to the end, refusals. */
#ifndef TESTS_VEC_RECORDED_H
#define TESTS_VEC_RECORDED_H

#include "tests/spec/fixture.h"

#define MMIO	 DMA_ATTR_MMIO
#define BAR	 0xe0000000ull
#define PTE_SNP	 (1ull << 11)
#define NR(vecs) (sizeof(vecs) / sizeof((vecs)[0]))

static inline struct fx *fx_quiet_ram(void)
{
	const struct fx_config config = { .ram = { { 0, 0xe0000000ull } } };

	return fx_new(&config);
}

/** Map all, and collect at most 16 segments. */
static inline size_t map_all(struct dma_device *dev, struct dma_vec_map *map,
			     struct dma_phys_vec *vecs, size_t n, enum dma_data_direction dir,
			     struct dma_vec_seg *segs)
{
	size_t count = 0;
	int got;

	assert_int_equal(dma_vec_map_start(dev, map, vecs, n, dir, 0), 0);
	while ((got = dma_vec_map_next(map, &segs[count])) > 0)
		assert_true(++count < 16);
	assert_int_equal(got, 0);
	return count;
}

static inline void expect_refused(struct fx *fx, struct dma_device *dev, struct dma_phys_vec *vecs,
				  size_t n, unsigned long attrs, enum dma_reason reason, int err,
				  size_t index)
{
	struct dma_vec_map map;
	struct dma_error why;

	fx_clear(fx);
	assert_int_equal(dma_vec_map_start(dev, &map, vecs, n, TO, attrs), err);
	fx_reason(dev, reason);
	assert_int_equal(dma_last_error(dev, &why), 0);
	assert_int_equal(why.have, index);
	assert_int_equal(map.index, index);
	expect_count(fx, "T:map_phys", 1);
	assert_int_equal(fx_get(fx, "T:map_phys", 0)->event.reason, reason);
	assert_true(fx_get(fx, "T:map_phys", 0)->addr == E);
	assert_null(fx_get(fx, "T:map_phys", 0)->linux_text);
	assert_int_equal(dma_device_live(dev), 0);
	assert_int_equal(dma_vec_unmap(&map, 0), -DMAMAP_EINVAL);
}

#endif
