/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The variants, and how each begins: see variants.h.
 */
#include "variants.h"

#include <stdio.h>

#define BIT(n) ((uint64_t)1 << (n))
/* Powers of two from 2^13 to 2^51 but 2^39. */
#define AMD_ALL ((BIT(52) - BIT(13)) & ~BIT(39))

const struct variant variants[] = {
	{ "vtd-ss-3", DMA_PT_VTD_SECOND_STAGE, 3, 0, 12, 39, BIG, .track_dirty = true,
	  .attached_levels = 3, .aperture_bits = 39, .root_bytes = 4096 },
	{ "vtd-ss-4", DMA_PT_VTD_SECOND_STAGE, 4, 0, 12, 46, BIG, .attached_levels = 4,
	  .aperture_bits = 48, .root_bytes = 4096 },
	{ "vtd-ss-4-small", DMA_PT_VTD_SECOND_STAGE, 4, 0, 12, 46, 0, .attached_levels = 4,
	  .aperture_bits = 48, .root_bytes = 4096 },
	{ "vtd-ss-5", DMA_PT_VTD_SECOND_STAGE, 5, 0, 12, 52, BIG, .attached_levels = 5,
	  .aperture_bits = 57, .root_bytes = 4096 },
	{ "vtd-fs-4", DMA_PT_VTD_FIRST_STAGE, 4, 0, 12, 46, BIG, .track_dirty = true,
	  .attached_levels = 4, .aperture_bits = 47, .root_bytes = 4096 },
	{ "vtd-fs-5", DMA_PT_VTD_FIRST_STAGE, 5, 0, 12, 52, BIG, .attached_levels = 5,
	  .aperture_bits = 56, .root_bytes = 4096 },
	{ "amdv1-3", DMA_PT_AMD_V1, 3, 0, 12, 48, AMD_ALL, .track_dirty = true,
	  .attached_levels = 3, .aperture_bits = 39, .root_bytes = 4096 },
	{ "amdv1-4", DMA_PT_AMD_V1, 4, 0, 12, 52, AMD_ALL, .attached_levels = 4,
	  .aperture_bits = 48, .root_bytes = 4096 },
	{ "amdv1-4-few", DMA_PT_AMD_V1, 4, 0, 12, 52, BIT(15) | BIT(22) | BIT(30),
	  .attached_levels = 4, .aperture_bits = 48, .root_bytes = 4096 },
	{ "amdv1-5", DMA_PT_AMD_V1, 5, 0, 12, 52, AMD_ALL, .attached_levels = 5,
	  .aperture_bits = 57, .root_bytes = 4096 },
	{ "amdv1-6", DMA_PT_AMD_V1, 6, 0, 12, 52, AMD_ALL, .attached_levels = 6,
	  .aperture_bits = 64, .root_bytes = 1024 },
	{ "lpae-s1-4k-48", DMA_PT_LPAE_STAGE1, 0, 48, 12, 48, BIT(21) | BIT(30),
	  .track_dirty = true, .attached_levels = 4, .aperture_bits = 48, .root_bytes = 4096 },
	{ "lpae-s1-4k-48-contiguous", DMA_PT_LPAE_STAGE1, 0, 48, 12, 48,
	  BIT(16) | BIT(21) | BIT(25) | BIT(30) | BIT(34), .track_dirty = true,
	  .attached_levels = 4, .aperture_bits = 48, .root_bytes = 4096 },
	{ "lpae-s1-4k-39", DMA_PT_LPAE_STAGE1, 0, 39, 12, 40, BIT(21) | BIT(30),
	  .attached_levels = 3, .aperture_bits = 39, .root_bytes = 4096 },
	{ "lpae-s1-4k-32", DMA_PT_LPAE_STAGE1, 0, 32, 12, 40, BIT(16) | BIT(21) | BIT(30),
	  .attached_levels = 3, .aperture_bits = 32, .root_bytes = 32 },
	{ "lpae-s1-16k-48", DMA_PT_LPAE_STAGE1, 0, 48, 14, 48, BIT(21) | BIT(25) | BIT(30),
	  .attached_levels = 4, .aperture_bits = 48, .root_bytes = 16 },
	{ "lpae-s1-16k-40", DMA_PT_LPAE_STAGE1, 0, 40, 14, 44, BIT(25), .attached_levels = 3,
	  .aperture_bits = 40, .root_bytes = 128 },
	{ "lpae-s1-64k-48", DMA_PT_LPAE_STAGE1, 0, 48, 16, 48, BIT(21) | BIT(29) | BIT(34),
	  .attached_levels = 3, .aperture_bits = 48, .root_bytes = 512 },
	{ "lpae-s1-64k-48-52", DMA_PT_LPAE_STAGE1, 0, 48, 16, 52,
	  BIT(21) | BIT(29) | BIT(34) | BIT(42), .track_dirty = true, .attached_levels = 3,
	  .aperture_bits = 48, .root_bytes = 512 },
	{ "lpae-s2-4k-48", DMA_PT_LPAE_STAGE2, 0, 48, 12, 48, BIT(21) | BIT(30),
	  .track_dirty = true, .attached_levels = 4, .aperture_bits = 48, .root_bytes = 4096 },
	{ "lpae-s2-4k-43", DMA_PT_LPAE_STAGE2, 0, 43, 12, 44, BIT(16) | BIT(21) | BIT(25) | BIT(30),
	  .track_dirty = true, .attached_levels = 3, .aperture_bits = 43, .root_bytes = 65536 },
	{ "lpae-s2-4k-40", DMA_PT_LPAE_STAGE2, 0, 40, 12, 40, BIT(21) | BIT(30),
	  .attached_levels = 3, .aperture_bits = 40, .root_bytes = 8192 },
	{ "lpae-s2-4k-32", DMA_PT_LPAE_STAGE2, 0, 32, 12, 40, BIT(16) | BIT(21),
	  .attached_levels = 2, .aperture_bits = 32, .root_bytes = 16384 },
	{ "lpae-s2-16k-48", DMA_PT_LPAE_STAGE2, 0, 48, 14, 48, BIT(21) | BIT(25) | BIT(30),
	  .attached_levels = 3, .aperture_bits = 48, .root_bytes = 32768 },
	{ "lpae-s2-16k-40", DMA_PT_LPAE_STAGE2, 0, 40, 14, 44, BIT(25), .attached_levels = 2,
	  .aperture_bits = 40, .root_bytes = 262144 },
	{ "lpae-s2-64k-48", DMA_PT_LPAE_STAGE2, 0, 48, 16, 52,
	  BIT(21) | BIT(29) | BIT(34) | BIT(42), .attached_levels = 3, .aperture_bits = 48,
	  .root_bytes = 512 },
	{ "lpae-s2-64k-44", DMA_PT_LPAE_STAGE2, 0, 44, 16, 48, BIT(29), .attached_levels = 2,
	  .aperture_bits = 44, .root_bytes = 262144 },
	{ "riscv-sv39", DMA_PT_RISCV, 3, 0, 12, 52, BIG, .track_dirty = true, .attached_levels = 3,
	  .aperture_bits = 38, .root_bytes = 4096 },
	{ "riscv-sv48", DMA_PT_RISCV, 4, 0, 12, 52, BIG | BIT(39), .memory_types = true,
	  .attached_levels = 4, .aperture_bits = 47, .root_bytes = 4096 },
	{ "riscv-sv48-napot", DMA_PT_RISCV, 4, 0, 12, 52, BIG | BIT(16) | BIT(39),
	  .attached_levels = 4, .aperture_bits = 47, .root_bytes = 4096 },
	{ "riscv-sv57", DMA_PT_RISCV, 5, 0, 12, 52, BIG | BIT(39) | BIT(48), .attached_levels = 5,
	  .aperture_bits = 56, .root_bytes = 4096 },
};
const size_t n_variants = sizeof(variants) / sizeof(variants[0]);

struct dma_pt_config variant_config(struct fixture *f, const struct variant *v)
{
	struct dma_pt_config config = config_of(f, v->levels);

	config.format = v->format;
	config.input_bits = v->input_bits;
	config.granule_bits = v->granule_bits;
	config.output_bits = v->output_bits;
	config.page_sizes = v->page_sizes;
	config.memory_types = v->memory_types;
	config.track_dirty = v->track_dirty && config.coherent_walk;
	return config;
}

void variant_start(struct fixture *f, const struct variant *v, bool caches)
{
	struct dma_pt_config config;

	printf("# %s%s\n", v->name, caches ? ", no snooping" : "");
	fake_host_init(&f->fake, 16384, caches);
	config = variant_config(f, v);
	start_with(f, &config, v->attached_levels);
}
