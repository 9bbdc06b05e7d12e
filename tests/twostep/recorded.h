/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of two-step mapping on the recording host share. */
#ifndef TESTS_TWOSTEP_RECORDED_H
#define TESTS_TWOSTEP_RECORDED_H

#include "tests/spec/fixture.h"

#define MMIO	DMA_ATTR_MMIO
#define SKIP	DMA_ATTR_SKIP_CPU_SYNC
#define SWIOTLB DMA_IOVA_USE_SWIOTLB
#define BAR	0xe0000000ull
#define NOTHING (~0ull)

/** A host whose RAM ends below the BAR. */
static inline struct fx *ts_host(bool noncoherent)
{
	const struct fx_config config = { .ram = { { 0, 0xe0000000ull } },
					  .noncoherent = noncoherent };

	return fx_new(&config);
}

static inline bool ts_is_zero(const struct dma_iova_state *state)
{
	const struct dma_iova_state zero = { 0 };

	return !memcmp(state, &zero, sizeof(zero));
}

/** The latest failure: reason and error; and it went to the warn hook, or not. */
static inline void ts_refused(struct fx *fx, struct dma_device *dev, enum dma_reason reason,
			      int err, unsigned int warnings)
{
	struct dma_error why;

	fx_reason(dev, reason);
	assert_int_equal(dma_last_error(dev, &why), 0);
	assert_int_equal(why.err, err);
	expect_count(fx, "warn", warnings);
	expect_count(fx, "T:map_phys", 0);
	expect_count(fx, "T:unmap_phys", 0);
}

#endif
