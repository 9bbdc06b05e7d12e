/* SPDX-License-Identifier: BSD-2-Clause */
/* See handmade.h. */
#include "handmade.h"

static uint64_t vtd_table(phys_addr_t phys, unsigned int level)
{
	(void)level;
	return phys | 3;
}

static uint64_t vtd_page(phys_addr_t phys)
{
	return phys | 3;
}

static uint64_t x86_table(phys_addr_t phys, unsigned int level)
{
	(void)level;
	return phys | 7;
}

static uint64_t x86_page(phys_addr_t phys)
{
	return phys | 7;
}

static uint64_t amd_table(phys_addr_t phys, unsigned int level)
{
	return phys | 0x6000000000000001 | (uint64_t)level << 9;
}

static uint64_t amd_page(phys_addr_t phys)
{
	return phys | 0x6000000000000001;
}

static uint64_t arm_table(phys_addr_t phys, unsigned int level)
{
	(void)level;
	return phys | 3;
}

static uint64_t s1_page(phys_addr_t phys)
{
	return phys | 0xf47;
}

static uint64_t s2_page(phys_addr_t phys)
{
	return phys | 0x7ff;
}

static uint64_t riscv_table(phys_addr_t phys, unsigned int level)
{
	(void)level;
	return phys >> 2 | 1;
}

static uint64_t riscv_page(phys_addr_t phys)
{
	return phys >> 2 | 0xd7;
}

#define VTD(levels_)                                                                          \
	{                                                                                     \
		"vtd", { .format = DMA_PT_VTD_SECOND_STAGE, .levels = (levels_) }, (levels_), \
			vtd_table, vtd_page, 4096, 12 + 9 * (levels_)                         \
	}
#define X86(levels_)                                                                         \
	{                                                                                    \
		"x86", { .format = DMA_PT_VTD_FIRST_STAGE, .levels = (levels_) }, (levels_), \
			x86_table, x86_page, 4096, 11 + 9 * (levels_)                        \
	}
#define AMD(levels_, width_)                                                                   \
	{                                                                                      \
		"amd", { .format = DMA_PT_AMD_V1, .levels = (levels_) }, (levels_), amd_table, \
			amd_page, 4096, (width_)                                               \
	}
#define ARM(stage, name_, page_, granule, bits, levels_, root)                                 \
	{                                                                                      \
		name_, { .format = (stage), .granule_bits = (granule), .input_bits = (bits) }, \
			(levels_), arm_table, (page_), (root), (bits)                          \
	}
#define S1(granule, bits, levels_, root) \
	ARM(DMA_PT_LPAE_STAGE1, "s1", s1_page, granule, bits, levels_, root)
#define S2(granule, bits, levels_, root) \
	ARM(DMA_PT_LPAE_STAGE2, "s2", s2_page, granule, bits, levels_, root)
#define SV(levels_)                                                                               \
	{                                                                                         \
		"riscv", { .format = DMA_PT_RISCV, .levels = (levels_) }, (levels_), riscv_table, \
			riscv_page, 4096, 11 + 9 * (levels_)                                      \
	}

const struct handmade_format handmade_formats[NR_FMT] = {
	[FMT_VTD] = VTD(4),
	[FMT_VTD_3] = VTD(3),
	[FMT_VTD_5] = VTD(5),
	[FMT_X86] = X86(4),
	[FMT_X86_5] = X86(5),
	[FMT_AMD] = AMD(4, 48),
	[FMT_AMD_3] = AMD(3, 39),
	[FMT_AMD_6] = AMD(6, 64),
	[FMT_S1] = S1(12, 48, 4, 4096),
	[FMT_S1_32] = S1(12, 32, 3, 32),
	[FMT_S1_39] = S1(12, 39, 3, 4096),
	[FMT_S1_16K] = S1(14, 48, 4, 16),
	[FMT_S1_64K] = S1(16, 48, 3, 512),
	[FMT_S2] = S2(12, 48, 4, 4096),
	[FMT_S2_40] = S2(12, 40, 3, 8192),
	[FMT_S2_43] = S2(12, 43, 3, 65536),
	[FMT_S2_16K] = S2(14, 48, 3, 32768),
	[FMT_S2_64K] = S2(16, 48, 3, 512),
	[FMT_SV39] = SV(3),
	[FMT_SV48] = SV(4),
	[FMT_SV57] = SV(5),
};

unsigned int handmade_granule_bits(const struct handmade *h)
{
	return h->format->config.granule_bits ? h->format->config.granule_bits : 12;
}

unsigned int handmade_shift(const struct handmade *h, unsigned int level)
{
	unsigned int granule = handmade_granule_bits(h);

	return granule + (granule - 3) * (level - 1);
}

static phys_addr_t make_table(struct handmade *h, uint64_t bytes)
{
	uint64_t granule = 1ull << handmade_granule_bits(h);
	uint64_t size = bytes < granule ? granule : bytes;
	phys_addr_t table = sim_alloc(h->m, size, size, HIGH_BASE, FAR_BASE - 1);

	assert_true(table != DMAMAP_PHYS_NONE);
	cpu_fill(h->m, table, size, 0);
	return table;
}

static struct sim_machine *make_machine(void)
{
	const struct sim_config config = { .size = sizeof(config) };
	struct sim_machine *m;

	assert_int_equal(sim_machine_create(&config, &m), 0);
	assert_int_equal(sim_add_ram(m, LOW_BASE, LOW_SIZE), 0);
	assert_int_equal(sim_add_ram(m, HIGH_BASE, HIGH_SIZE), 0);
	assert_int_equal(sim_add_ram(m, FAR_BASE, FAR_SIZE), 0);
	assert_int_equal(sim_start(m), 0);
	return m;
}

void handmade_setup(struct handmade *h, unsigned int format,
		    void (*tweak)(struct sim_iommu_config *config))
{
	struct sim_iommu_config config = handmade_formats[format].config;
	uint64_t granule;

	h->format = &handmade_formats[format];
	config.size = sizeof(config);
	if (tweak)
		tweak(&config);
	h->m = make_machine();
	assert_int_equal(sim_iommu_create(h->m, &config, &h->iommu), 0);
	h->unit = sim_iommu_unit(h->iommu);
	h->device = add_device(h->m, h->format->name, 0);
	assert_int_equal(sim_device_put_behind(h->device, h->iommu), 0);
	h->root = make_table(h, h->format->root_bytes);
	granule = 1ull << handmade_granule_bits(h);
	h->buf = sim_alloc(h->m, 256 << 10, 256 << 10, 0, 0xffffffff);
	assert_true(h->buf != DMAMAP_PHYS_NONE);
	for (unsigned int i = 0; i < (256 << 10) / granule; i++)
		cpu_fill(h->m, h->buf + granule * i, granule, (unsigned char)(i + 1));
	assert_int_equal(h->unit->ops->attach(h->unit, sim_dma(h->device), HANDMADE_DOMAIN, h->root,
					      h->format->levels),
			 0);
}

void handmade_teardown(struct handmade *h)
{
	h->unit->ops->detach(h->unit, sim_dma(h->device));
	assert_int_equal(sim_device_destroy(h->device), 0);
	assert_int_equal(sim_iommu_destroy(h->iommu), 0);
	end_machine(h->m);
}

static uint64_t load(struct handmade *h, phys_addr_t at)
{
	uint64_t entry;

	assert_int_equal(sim_cpu_read(h->m, at, &entry, sizeof(entry)), 0);
	return entry;
}

static phys_addr_t table_phys(const struct handmade *h, uint64_t entry)
{
	if (h->format->config.format == DMA_PT_RISCV)
		return (entry & 0x003ffffffffffc00) << 2;
	return entry & 0x0000fffffffff000;
}

phys_addr_t handmade_place(struct handmade *h, dma_addr_t iova, unsigned int level)
{
	uint64_t entries = h->format->root_bytes / 8;
	phys_addr_t table = h->root;

	for (unsigned int l = h->format->levels;; l--) {
		phys_addr_t at = table + (iova >> handmade_shift(h, l)) % entries * 8;

		if (l == level)
			return at;
		entries = 1ull << (handmade_granule_bits(h) - 3);
		if (!load(h, at)) {
			uint64_t entry = h->format->table(make_table(h, entries * 8), l - 1);

			assert_int_equal(sim_cpu_write(h->m, at, &entry, 8), 0);
		}
		table = table_phys(h, load(h, at));
	}
}

void handmade_enter(struct handmade *h, dma_addr_t iova, unsigned int level, uint64_t entry)
{
	assert_int_equal(sim_cpu_write(h->m, handmade_place(h, iova, level), &entry, 8), 0);
}

uint64_t handmade_read(struct handmade *h, dma_addr_t iova, unsigned int level)
{
	return load(h, handmade_place(h, iova, level));
}

void handmade_flush(struct handmade *h)
{
	h->unit->ops->invalidate(h->unit, HANDMADE_DOMAIN, 0, ~0ull, false);
	h->unit->ops->wait(h->unit);
}
