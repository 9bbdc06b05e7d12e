/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every IOMMU that the simulated machine has, so that a test can run over all of them: each format at each depth and
 * with each granule, and the one that takes commands.
 */
#ifndef TESTS_FORMATS_H
#define TESTS_FORMATS_H

#include <sim.h>

struct test_format {
	const char *name;
	struct sim_iommu_config iommu; /* without size */
	/** The last I/O address. */
	dma_addr_t last;
	/** A device reads what it may write: the format has no write-only entries. */
	bool reads_back;
};

#define TEST_VTD(levels_)                                                                      \
	{                                                                                      \
		"vtd-ss-" #levels_, { .levels = (levels_) }, DMA_BIT_MASK(12 + 9 * (levels_)), \
			false                                                                  \
	}
#define TEST_X86(levels_)                                                                      \
	{                                                                                      \
		"vtd-fs-" #levels_, { .format = DMA_PT_VTD_FIRST_STAGE, .levels = (levels_) }, \
			DMA_BIT_MASK(11 + 9 * (levels_)), true                                 \
	}
#define TEST_AMD(levels_, last)                                                                    \
	{                                                                                          \
		"amdv1-" #levels_, { .format = DMA_PT_AMD_V1, .levels = (levels_) }, (last), false \
	}
#define TEST_ARM(stage, bits, granule)                        \
	{                                                     \
		"lpae-s" #stage "-" #bits "-" #granule,       \
			{ .format = DMA_PT_LPAE_STAGE##stage, \
			  .input_bits = (bits),               \
			  .granule_bits = (granule) },        \
			DMA_BIT_MASK(bits), (stage) == 1      \
	}
#define TEST_RISCV(levels_)                                                         \
	{                                                                           \
		"riscv-" #levels_, { .format = DMA_PT_RISCV, .levels = (levels_) }, \
			DMA_BIT_MASK(11 + 9 * (levels_)), true                      \
	}

static const struct test_format test_formats[] = {
	TEST_VTD(3),
	TEST_VTD(4),
	TEST_VTD(5),
	TEST_X86(4),
	TEST_X86(5),
	TEST_AMD(3, DMA_BIT_MASK(39)),
	TEST_AMD(4, DMA_BIT_MASK(48)),
	TEST_AMD(5, DMA_BIT_MASK(57)),
	TEST_AMD(6, ~(dma_addr_t)0 - 4096),
	TEST_ARM(1, 39, 12),
	TEST_ARM(1, 48, 12),
	TEST_ARM(1, 47, 14),
	TEST_ARM(1, 48, 16),
	TEST_ARM(2, 40, 12),
	TEST_ARM(2, 48, 12),
	TEST_ARM(2, 48, 14),
	TEST_ARM(2, 42, 16),
	TEST_RISCV(3),
	TEST_RISCV(4),
	TEST_RISCV(5),
	{ "command", { .command = true }, ~(dma_addr_t)0, false },
};

#define NR_TEST_FORMATS (sizeof(test_formats) / sizeof(test_formats[0]))

/** The format's granule, which is the page that the machine must have. */
static inline uint64_t test_format_granule(const struct test_format *format)
{
	unsigned int bits = format->iommu.granule_bits;

	return (uint64_t)1 << (bits ? bits : 12);
}

#endif
