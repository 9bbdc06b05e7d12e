/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bits of each format against values from the manuals, the shapes of tables, and what devices mark in leaves. Names are
 * those of the conformance cases where there is one.
 */
#include "variants.h"

#define R  DMA_PROT_READ
#define W  DMA_PROT_WRITE
#define C  DMA_PROT_CACHE
#define X  DMA_PROT_NOEXEC
#define M  DMA_PROT_MMIO
#define P  DMA_PROT_PRIV
#define AT (1ull << 36)

/** A configuration with all sizes of @format up to 2^36 that every variant of it has. */
static struct dma_pt_config config_for(struct fixture *f, enum dma_pt_format format,
				       unsigned int granule_bits)
{
	struct dma_pt_config config = config_of(f, 4);

	config.format = format;
	config.output_bits = 48;
	if (format == DMA_PT_LPAE_STAGE1 || format == DMA_PT_LPAE_STAGE2) {
		config.levels = 0;
		config.input_bits = 48;
		config.granule_bits = granule_bits;
		config.page_sizes = granule_bits == 12	 ? 1ull << 16 | BIG
				    : granule_bits == 14 ? 1ull << 25
							 : 1ull << 29;
	} else if (format == DMA_PT_AMD_V1) {
		config.page_sizes = ((1ull << 42) - (1ull << 13)) & ~(1ull << 39);
	} else if (format == DMA_PT_RISCV) {
		config.page_sizes = 1ull << 16 | BIG;
	}
	return config;
}

static void begin(struct fixture *f, const struct dma_pt_config *config)
{
	struct dma_pt_config c = *config;

	f->pt = NULL;
	f->unit.unit.ops = config->unit->ops;
	c.unit = &f->unit.unit;
	assert_int_equal(dmamap_pt_backend_create(&f->fake.host, &c, &f->pt), 0);
	assert_int_equal(f->pt->ops->attach(f->pt, NULL), 0);
}

static void end(struct fixture *f)
{
	f->pt->ops->detach(f->pt, NULL);
	f->pt->ops->destroy(f->pt);
}

static struct variant variant_for(const struct dma_pt_config *config)
{
	return (struct variant){ .format = config->format,
				 .granule_bits = config->granule_bits ? config->granule_bits : 12,
				 .output_bits = config->output_bits };
}

/** One leaf of @len bytes is entered at AT; its entry, of which there are @copies. */
static uint64_t entry_of(struct fixture *f, const struct dma_pt_config *config, uint64_t phys,
			 uint64_t len, unsigned int prot, unsigned int copies)
{
	struct variant v = variant_for(config);
	const struct dma_vec vec = { phys, len };
	struct decoded d;

	begin(f, config);
	assert_int_equal(f->pt->ops->map(f->pt, AT, &vec, 1, prot), 0);
	d = decode(f, &v, AT);
	assert_int_equal(d.len, len);
	assert_int_equal(d.copies, copies);
	assert_int_equal(d.write, (prot & W) != 0);
	if (f->pt->caps.write_only)
		assert_int_equal(d.read, (prot & R) != 0);
	end(f);
	return d.entry;
}

struct golden {
	uint64_t phys;
	uint64_t len;
	unsigned int prot;
	uint64_t entry;
	unsigned int copies;
};

static void check_golden(const struct golden *g, size_t n, struct dma_pt_config *config,
			 struct fixture *f)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(entry_of(f, config, g[i].phys, g[i].len, g[i].prot,
					  g[i].copies ? g[i].copies : 1),
				 g[i].entry);
}

#define CHECK(table, config, f) check_golden(table, sizeof(table) / sizeof((table)[0]), config, f)

/* --- VT-d */

static void VTD_1_leaves(void **state)
{
	static const struct golden plain[] = {
		{ 0x40000000, K4, R | W, 0x40000003, 0 },
		{ 0x40000000, K4, R, 0x40000001, 0 },
		{ 0x40000000, K4, W, 0x40000002, 0 },
		{ 0x40000000, M2, R | W, 0x40000083, 0 },
		{ 0x40000000, G1, R | W, 0x40000083, 0 },
		{ 0x40000000, K4, R | W | M, 0x40000003, 0 },
	};
	static const struct golden snoop[] = {
		{ 0x40000000, K4, R | W, 0x40000803, 0 },
		{ 0x40000000, M2, R | W | C, 0x40000883, 0 },
		{ 0x40000000, K4, R | W | M, 0x40000003, 0 },
	};
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_VTD_SECOND_STAGE, 12);
	CHECK(plain, &config, &f);
	config.force_coherent = true;
	CHECK(snoop, &config, &f);
	fake_host_fini(&f.fake);
}

static void X86_1_leaves(void **state)
{
	static const struct golden golden[] = {
		{ 0x40000000, K4, R, 0x40000025, 0 },
		{ 0x40000000, K4, R | W, 0x40000067, 0 },
		{ 0x40000000, K4, W, 0x40000067, 0 },
		{ 0x40000000, M2, R | W, 0x400000e7, 0 },
		{ 0x40000000, G1, R | W | M | X | P, 0x400000e7, 0 },
	};
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_VTD_FIRST_STAGE, 12);
	CHECK(golden, &config, &f);
	config.track_dirty = true;
	assert_int_equal(entry_of(&f, &config, 0x40000000, K4, R | W, 1), 0x40000027);
	fake_host_fini(&f.fake);
}

/** Hardware sign-extends: the upper half is not offered, the gap between the halves is no address. */
static void X86_2_upper_half(void **state)
{
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_VTD_FIRST_STAGE, 12);
	begin(&f, &config);
	assert_int_equal(f.pt->caps.aperture_end, 0x00007fffffffffff);
	assert_int_equal(map(&f, 0x00007ffffffff000, G1, K4), 0);
	assert_int_equal(map(&f, 0x0000800000000000, G1, K4), -DMAMAP_ERANGE);
	assert_int_equal(map(&f, 0xffff800000000000, G1, K4), -DMAMAP_ERANGE);
	assert_int_equal(unmap(&f, 0xffff800000000000, K4), 0);
	end(&f);
	fake_host_fini(&f.fake);
}

/* --- AMD */

static void AMD_1_two_entries(void **state)
{
	static const struct golden golden[] = {
		{ 0x40000000, 2 * K4, R | W, 0x6000000040000e01, 2 },
		{ 0x4000000000, 2 * K4, R | W, 0x6000004000000e01, 2 },
	};
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_AMD_V1, 12);
	CHECK(golden, &config, &f);
	fake_host_fini(&f.fake);
}

static void AMD_2_sized_leaves(void **state)
{
	static const struct golden golden[] = {
		{ 0x40000000, 0x10000, R | W, 0x6000000040007e01, 16 },
		{ 0x40000000, 0x100000, R | W, 0x600000004007fe01, 256 },
		{ 0x40000000, 0x400000, R | W, 0x60000000401ffe01, 2 },
		{ 0x40000000, M2, R | W, 0x6000000040000001, 1 },
		{ 0x4000000000, 0x4000, R | W, 0x6000004000001e01, 4 },
		{ 0x4000000000, 0x8000, R | W, 0x6000004000003e01, 8 },
		{ 0x4000000000, 0x10000, R | W, 0x6000004000007e01, 16 },
		{ 0x4000000000, 0x100000, R | W, 0x600000400007fe01, 256 },
		{ 0x4000000000, 0x400000, R | W, 0x60000040001ffe01, 2 },
		{ 0x4000000000, 0x1000000, R | W, 0x60000040007ffe01, 8 },
		{ 0x4000000000, 0x20000000, R | W, 0x600000400ffffe01, 256 },
		{ 0x4000000000, 0x80000000, R | W, 0x600000403ffffe01, 2 },
		{ 0x4000000000, 0x1000000000, R | W, 0x60000047fffffe01, 64 },
	};
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_AMD_V1, 12);
	CHECK(golden, &config, &f);
	fake_host_fini(&f.fake);
}

static void AMD_3_pages(void **state)
{
	static const struct golden plain[] = {
		{ 0x40000000, K4, R | W, 0x6000000040000001, 0 },
		{ 0x400000, K4, R | W, 0x6000000000400001, 0 },
		{ 0x400000, K4, R, 0x2000000000400001, 0 },
		{ 0x400000, K4, W, 0x4000000000400001, 0 },
	};
	static const struct golden coherent[] = {
		{ 0x400000, K4, R | W, 0x7000000000400001, 0 },
		{ 0x400000, K4, R | W | M, 0x6000000000400001, 0 },
	};
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_AMD_V1, 12);
	CHECK(plain, &config, &f);
	config.force_coherent = true;
	CHECK(coherent, &config, &f);
	fake_host_fini(&f.fake);
}

static void AMD_4_best_size(void **state)
{
	static const uint64_t cases[][2] = { { 0x1000, 0x1000 },
					     { 0x3000, 0x2000 },
					     { 0x8000, 0x8000 },
					     { 0x10000, 0x10000 },
					     { 0x20000, 0x10000 } };
	struct dma_pt_config config;
	struct dma_leaf leaf;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_AMD_V1, 12);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&f, &config);
		assert_int_equal(map(&f, 0x10000, 0x20000, cases[i][0]), 0);
		assert_int_equal(f.pt->ops->next_leaf(f.pt, 0x10000, &leaf), 0);
		assert_int_equal(leaf.len, cases[i][1]);
		end(&f);
	}
	fake_host_fini(&f.fake);
}

/** Write @set into and out of the entry of @iova, as hardware does. */
static void mark(struct fixture *f, const struct variant *v, uint64_t iova, uint64_t set,
		 uint64_t reset)
{
	struct decoded d = decode(f, v, iova);
	uint64_t *entry = (uint64_t *)(uintptr_t)fake_device_ptr(&f->fake, d.entry_at);

	assert_true(d.present);
	*entry = (*entry | set) & ~reset;
}

struct reported {
	unsigned int n;
	uint64_t iova, len; /* of the last, and all together */
};

static void report(void *arg, dma_addr_t iova, uint64_t len)
{
	struct reported *r = arg;

	r->n++;
	r->iova = iova;
	r->len += len;
}

/** Ask for dirty leaves of [iova, iova + len): so many are told, so many bytes. */
static void expect_dirty(struct fixture *f, uint64_t iova, uint64_t len, bool clear, unsigned int n,
			 uint64_t total)
{
	struct reported r = { 0 };

	assert_int_equal(f->pt->ops->read_dirty(f->pt, iova, len, clear, report, &r), 0);
	assert_int_equal(r.n, n);
	assert_int_equal(r.len, total);
}

static void AMD_6_one_dirty_copy(void **state)
{
	struct dma_pt_config config;
	struct variant v;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_AMD_V1, 12);
	config.track_dirty = true;
	v = variant_for(&config);
	begin(&f, &config);
	assert_int_equal(map(&f, AT, G1, 0x10000), 0);
	expect_dirty(&f, AT, 0x10000, false, 0, 0);
	{
		struct decoded d = decode(&f, &v, AT);
		uint64_t *entries = (uint64_t *)(uintptr_t)fake_device_ptr(&f.fake, d.entry_at);

		entries[5] |= 0x40;
		/* Whole, wherever one asks. */
		expect_dirty(&f, AT, K4, false, 1, 0x10000);
		expect_dirty(&f, AT + 0xf000, K4, false, 1, 0x10000);
		entries[11] |= 0x40;
		expect_dirty(&f, AT, 0x10000, true, 1, 0x10000);
		for (unsigned int i = 0; i < 16; i++)
			assert_int_equal(entries[i], d.entry);
	}
	expect_dirty(&f, AT, 0x10000, true, 0, 0);
	assert_int_equal(unmap(&f, AT, 0x10000), 0x10000);
	end(&f);
	fake_host_fini(&f.fake);
}

static void AMD_7_nothing_is_overwritten(void **state)
{
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_AMD_V1, 12);
	begin(&f, &config);
	assert_int_equal(map(&f, AT, G1, 0x10000), 0);
	assert_int_equal(map(&f, AT, 2 * G1, K4), -DMAMAP_EADDRINUSE);
	assert_int_equal(map(&f, AT + 0xf000, 2 * G1, K4), -DMAMAP_EADDRINUSE);
	assert_int_equal(map(&f, AT - 0x10000, 2 * G1, 0x20000), -DMAMAP_EADDRINUSE);
	assert_int_equal(map(&f, AT + 0x10000, 2 * G1, K4), 0);
	assert_int_equal(map(&f, AT + 0x10000, 2 * G1, 0x10000), -DMAMAP_EADDRINUSE);
	end(&f);
	fake_host_fini(&f.fake);
}

static void AMD_8_no_leaf_of_512_gib(void **state)
{
	struct dma_pt_config config;
	struct dma_leaf leaf;
	struct fixture f;
	unsigned int leaves = 0;
	uint64_t at = 1ull << 40;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_AMD_V1, 12);
	begin(&f, &config);
	assert_int_equal(map(&f, at, 1ull << 40, 1ull << 39), 0);
	for (; !f.pt->ops->next_leaf(f.pt, at, &leaf); at += leaf.len, leaves++)
		assert_int_equal(leaf.len, 1ull << 38);
	assert_int_equal(leaves, 2);
	end(&f);
	config.page_sizes |= 1ull << 39;
	assert_int_equal(dmamap_pt_backend_create(&f.fake.host, &config, &f.pt), -DMAMAP_EINVAL);
	fake_host_fini(&f.fake);
}

/* --- ARM */

static void ARM_1_stage_1_cached(void **state)
{
	static const struct golden golden[] = {
		{ 0x80000000, K4, R | W | C, 0x80000f47, 0 },
		{ 0x80000000, K4, W | C, 0x80000f47, 0 },
		{ 0x80000000, M2, R | W | C, 0x80000f45, 0 },
		{ 0x80000000, K4, R | W | C | P, 0x80000f07, 0 },
		{ 0x80000000, K4, R | W | C | X, 0x0060000080000f47, 0 },
		{ 0x80000000, K4, R | W, 0x80000e43, 0 },
		{ 0x80000000, 0x10000, R | W | C, 0x0010000080000f47, 16 },
	};
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_LPAE_STAGE1, 12);
	CHECK(golden, &config, &f);
	fake_host_fini(&f.fake);
}

static void ARM_2_stage_1_read_only(void **state)
{
	static const struct golden golden[] = { { 0x80000000, K4, R | C, 0x80000fc7, 0 } };
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_LPAE_STAGE1, 12);
	CHECK(golden, &config, &f);
	fake_host_fini(&f.fake);
}

static void ARM_3_stage_1_mmio(void **state)
{
	static const struct golden golden[] = { { 0x80000000, K4, R | W | M, 0x80000e4b, 0 },
						{ 0x80000000, M2, R | W | M, 0x80000e49, 0 } };
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_LPAE_STAGE1, 12);
	CHECK(golden, &config, &f);
	fake_host_fini(&f.fake);
}

static void ARM_4_stage_2(void **state)
{
	static const struct golden golden[] = {
		{ 0x80000000, K4, R | W | C, 0x800007ff, 0 },
		{ 0x80000000, K4, R | C, 0x8000077f, 0 },
		{ 0x80000000, K4, W | C, 0x800007bf, 0 },
		{ 0x80000000, K4, R | W | M, 0x800006c7, 0 },
		{ 0x80000000, K4, R | W, 0x800006d7, 0 },
		{ 0x80000000, G1, R | W | C, 0x800007fd, 0 },
	};
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_LPAE_STAGE2, 12);
	CHECK(golden, &config, &f);
	fake_host_fini(&f.fake);
}

/** With 64 KiB bits 51:48 of an address stand in bits 15:12; a run that passes 2^48 is coded right on both sides. */
static void ARM_5_addresses_of_52_bits(void **state)
{
	struct dma_pt_config config;
	struct variant v;
	struct fixture f;
	phys_addr_t phys;

	(void)state;
	fake_host_init(&f.fake, 8192, false);
	config = config_for(&f, DMA_PT_LPAE_STAGE1, 16);
	config.output_bits = 52;
	v = variant_for(&config);
	assert_int_equal(entry_of(&f, &config, 0xa123456780000, 0x10000, R | W | C, 1),
			 0x12345678a000 | 0xf47);
	begin(&f, &config);
	assert_int_equal(map(&f, AT, (1ull << 48) - 0x20000, 0x40000), 0);
	for (uint64_t i = 0; i < 4; i++) {
		assert_int_equal(decode(&f, &v, AT + i * 0x10000).phys,
				 (1ull << 48) - 0x20000 + i * 0x10000);
		assert_int_equal(f.pt->ops->iova_to_phys(f.pt, AT + i * 0x10000, &phys), 0);
		assert_int_equal(phys, (1ull << 48) - 0x20000 + i * 0x10000);
	}
	end(&f);
	/* The other granules do not reach so far. */
	config = config_for(&f, DMA_PT_LPAE_STAGE1, 12);
	config.output_bits = 52;
	assert_int_equal(dmamap_pt_backend_create(&f.fake.host, &config, &f.pt), -DMAMAP_EINVAL);
	fake_host_fini(&f.fake);
}

static void ARM_6_nothing_is_overwritten(void **state)
{
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_LPAE_STAGE1, 12);
	begin(&f, &config);
	assert_int_equal(map(&f, AT, G1, K4), 0);
	assert_int_equal(map(&f, AT, 2 * G1, K4), -DMAMAP_EADDRINUSE);
	end(&f);
	fake_host_fini(&f.fake);
}

static void ARM_7_no_block_over_live_pages(void **state)
{
	struct dma_pt_config config;
	struct fixture f;
	phys_addr_t phys;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_LPAE_STAGE1, 12);
	begin(&f, &config);
	assert_int_equal(map(&f, AT + 5 * K4, G1, K4), 0);
	assert_int_equal(map(&f, AT, 2 * G1, M2), -DMAMAP_EADDRINUSE);
	assert_int_equal(f.pt->ops->iova_to_phys(f.pt, AT + 5 * K4, &phys), 0);
	assert_int_equal(phys, G1);
	assert_int_equal(f.pt->ops->iova_to_phys(f.pt, AT, &phys), -DMAMAP_ENXIO);
	end(&f);
	fake_host_fini(&f.fake);
}

static void ARM_8_no_page_out_of_a_block(void **state)
{
	struct dma_pt_config config;
	struct fixture f;
	phys_addr_t phys;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_LPAE_STAGE1, 12);
	begin(&f, &config);
	assert_int_equal(map(&f, AT, G1, M2), 0);
	assert_int_equal(unmap(&f, AT, K4), 0);
	assert_int_equal(unmap(&f, AT + K4, K4), 0);
	assert_int_equal(f.pt->ops->iova_to_phys(f.pt, AT + K4, &phys), 0);
	assert_int_equal(phys, G1 + K4);
	end(&f);
	fake_host_fini(&f.fake);
}

static void ARM_9_beyond_the_input(void **state)
{
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_LPAE_STAGE1, 12);
	config.input_bits = 39;
	begin(&f, &config);
	assert_int_equal(map(&f, (1ull << 39) - K4, G1, K4), 0);
	assert_int_equal(map(&f, 1ull << 39, G1, K4), -DMAMAP_ERANGE);
	assert_int_equal(map(&f, 0, 1ull << 48, K4), -DMAMAP_ERANGE);
	end(&f);
	fake_host_fini(&f.fake);
}

static void ARM_10_no_protection(void **state)
{
	static const enum dma_pt_format formats[] = {
		DMA_PT_VTD_SECOND_STAGE, DMA_PT_VTD_FIRST_STAGE, DMA_PT_AMD_V1,
		DMA_PT_LPAE_STAGE1,	 DMA_PT_LPAE_STAGE2,	 DMA_PT_RISCV
	};
	const struct dma_vec vec = { G1, K4 };
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct dma_pt_config config = config_for(&f, formats[i], 12);

		begin(&f, &config);
		assert_int_equal(f.pt->ops->map(f.pt, AT, &vec, 1, 0), -DMAMAP_EINVAL);
		assert_int_equal(f.pt->ops->map(f.pt, AT, &vec, 1, C | X | P), -DMAMAP_EINVAL);
		assert_int_equal(f.pt->ops->leaf_bits(f.pt, 4096, X), 0);
		end(&f);
	}
	fake_host_fini(&f.fake);
}

static void ARM_11_dirty(void **state)
{
	const struct dma_vec vec = { G1, K4 };
	struct dma_leaf leaf;
	struct dma_pt_config config;
	struct variant v;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_LPAE_STAGE1, 12);
	config.track_dirty = true;
	v = variant_for(&config);
	begin(&f, &config);
	assert_int_equal(map(&f, AT, G1, K4), 0);
	assert_int_equal(f.pt->ops->map(f.pt, AT + K4, &vec, 1, R), 0);
	assert_int_equal(map(&f, AT + 0x10000, 3 * G1, 0x10000), 0);
	expect_dirty(&f, AT, 0x20000, true, 2, K4 + 0x10000);
	expect_dirty(&f, AT, 0x20000, false, 0, 0);
	assert_int_equal(decode(&f, &v, AT).write, true);
	/* The hardware takes the read-only bit away where it writes. */
	mark(&f, &v, AT, 0, 1 << 7);
	expect_dirty(&f, AT, 0x20000, false, 1, K4);
	end(&f);
	config = config_for(&f, DMA_PT_LPAE_STAGE2, 12);
	config.track_dirty = true;
	v = variant_for(&config);
	assert_true(entry_of(&f, &config, G1, K4, R | W | C, 1) == (G1 | 0x80000000007ff));
	assert_true(entry_of(&f, &config, G1, K4, R | C, 1) == (G1 | 0x77f));
	begin(&f, &config);
	assert_int_equal(map(&f, AT, G1, K4), 0);
	assert_int_equal(f.pt->ops->map(f.pt, AT + K4, &vec, 1, R), 0);
	assert_int_equal(f.pt->ops->map(f.pt, AT + 2 * K4, &vec, 1, W), 0);
	expect_dirty(&f, AT, 0x20000, true, 2, 2 * K4);
	expect_dirty(&f, AT, 0x20000, false, 0, 0);
	/* clean, and writable all the same; what may only be read is neither */
	assert_int_equal(decode(&f, &v, AT).write, true);
	assert_int_equal(decode(&f, &v, AT + K4).write, false);
	assert_int_equal(f.pt->ops->next_leaf(f.pt, AT + 2 * K4, &leaf), 0);
	assert_int_equal(leaf.prot & (R | W), W);
	/* The hardware sets the write bit where it writes. */
	mark(&f, &v, AT, 1 << 7, 0);
	expect_dirty(&f, AT, 0x20000, false, 1, K4);
	end(&f);
	fake_host_fini(&f.fake);
}

static void ARM_12_start_levels(void **state)
{
	static const struct {
		enum dma_pt_format format;
		unsigned int granule, input, levels;
	} cases[] = {
		{ DMA_PT_LPAE_STAGE1, 12, 48, 4 }, { DMA_PT_LPAE_STAGE1, 12, 39, 3 },
		{ DMA_PT_LPAE_STAGE1, 12, 32, 3 }, { DMA_PT_LPAE_STAGE1, 14, 48, 4 },
		{ DMA_PT_LPAE_STAGE1, 16, 48, 3 }, { DMA_PT_LPAE_STAGE1, 16, 42, 2 },
		{ DMA_PT_LPAE_STAGE2, 12, 48, 4 }, { DMA_PT_LPAE_STAGE2, 12, 44, 4 },
		{ DMA_PT_LPAE_STAGE2, 12, 43, 3 }, { DMA_PT_LPAE_STAGE2, 12, 42, 3 },
		{ DMA_PT_LPAE_STAGE2, 12, 40, 3 }, { DMA_PT_LPAE_STAGE2, 14, 48, 3 },
		{ DMA_PT_LPAE_STAGE2, 14, 40, 2 }, { DMA_PT_LPAE_STAGE2, 16, 46, 2 },
		{ DMA_PT_LPAE_STAGE2, 16, 47, 3 },
	};
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 8192, false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dma_pt_config config = config_for(&f, cases[i].format, cases[i].granule);

		config.input_bits = cases[i].input;
		begin(&f, &config);
		assert_int_equal(f.unit.levels, cases[i].levels);
		end(&f);
		/* Said as well, it must be right. */
		config.levels = cases[i].levels;
		begin(&f, &config);
		end(&f);
		config.levels++;
		assert_int_equal(dmamap_pt_backend_create(&f.fake.host, &config, &f.pt),
				 -DMAMAP_EOPNOTSUPP);
	}
	fake_host_fini(&f.fake);
}

/* --- RISC-V */

static void RV_1_pages(void **state)
{
	static const struct golden golden[] = {
		{ 0x80010000, K4, R | W | X | C, 0x200040d7, 0 },
		{ 0x80010000, K4, R | X | C, 0x20004053, 0 },
		{ 0x80010000, K4, W | X | C, 0x200040d7, 0 },
		{ 0x80010000, K4, R | W | C, 0x200040df, 0 },
		{ 0x80200000, M2, R | W | X | C, 0x200800d7, 0 },
	};
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_RISCV, 12);
	CHECK(golden, &config, &f);
	config.track_dirty = true;
	assert_int_equal(entry_of(&f, &config, 0x80010000, K4, R | W | X, 1), 0x20004057);
	fake_host_fini(&f.fake);
}

static void RV_2_napot(void **state)
{
	static const struct golden golden[] = { { 0x80010000, 0x10000, R | W | X | C,
						  0x80000000200060d7, 16 } };
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_RISCV, 12);
	CHECK(golden, &config, &f);
	fake_host_fini(&f.fake);
}

static void RV_3_memory_types(void **state)
{
	static const struct golden golden[] = {
		{ 0x80010000, K4, R | W | X | M, 0x40000000200040d7, 0 },
		{ 0x80010000, K4, R | W | X, 0x20000000200040d7, 0 },
		{ 0x80010000, K4, R | W | X | C, 0x200040d7, 0 },
	};
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_RISCV, 12);
	config.memory_types = true;
	CHECK(golden, &config, &f);
	config.memory_types = false;
	assert_int_equal(entry_of(&f, &config, 0x80010000, K4, R | W | X | M, 1), 0x200040d7);
	fake_host_fini(&f.fake);
}

/** The width follows from the levels; there are three. */
static void RV_4_other_widths(void **state)
{
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_RISCV, 12);
	config.input_bits = 40;
	assert_int_equal(dmamap_pt_backend_create(&f.fake.host, &config, &f.pt), -DMAMAP_EINVAL);
	config.input_bits = 0;
	config.levels = 2;
	assert_int_equal(dmamap_pt_backend_create(&f.fake.host, &config, &f.pt),
			 -DMAMAP_EOPNOTSUPP);
	config.levels = 6;
	assert_int_equal(dmamap_pt_backend_create(&f.fake.host, &config, &f.pt),
			 -DMAMAP_EOPNOTSUPP);
	fake_host_fini(&f.fake);
}

static void RV_5_execute_is_no_access(void **state)
{
	const struct dma_vec vec = { G1, K4 };
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	config = config_for(&f, DMA_PT_RISCV, 12);
	begin(&f, &config);
	assert_int_equal(f.pt->ops->map(f.pt, AT, &vec, 1, X), -DMAMAP_EINVAL);
	end(&f);
	fake_host_fini(&f.fake);
}

/* --- what all have */

/** Look at dirty leaves without forgetting, then with; only what was asked for; refusals. */
static void dirty_reads(const struct variant *v)
{
	static const uint64_t bits[] = {
		[DMA_PT_VTD_SECOND_STAGE] = 1 << 9, [DMA_PT_VTD_FIRST_STAGE] = 1 << 6,
		[DMA_PT_AMD_V1] = 1 << 6,	    [DMA_PT_LPAE_STAGE1] = 1 << 7,
		[DMA_PT_LPAE_STAGE2] = 1 << 7,	    [DMA_PT_RISCV] = 1 << 7
	};
	uint64_t bit = bits[v->format], g = 1ull << v->granule_bits;
	bool inverse = v->format == DMA_PT_LPAE_STAGE1;
	bool begins_dirty = inverse || v->format == DMA_PT_LPAE_STAGE2;
	struct fixture f;

	variant_start(&f, v, false);
	/* No two of these make one leaf. */
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(map(&f, G1 + i * g, 3 * G1 + (5 - i) * g, g), 0);
	expect_dirty(&f, 0, 2 * G1, true, begins_dirty ? 5 : 0, begins_dirty ? 5 * g : 0);
	expect_dirty(&f, 0, 2 * G1, true, 0, 0);
	mark(&f, v, G1 + g, inverse ? 0 : bit, inverse ? bit : 0);
	mark(&f, v, G1 + 3 * g, inverse ? 0 : bit, inverse ? bit : 0);
	expect_dirty(&f, 0, 2 * G1, false, 2, 2 * g);
	expect_dirty(&f, 0, 2 * G1, false, 2, 2 * g);
	expect_dirty(&f, G1, 3 * g, true, 1, g);
	expect_dirty(&f, 0, 2 * G1, true, 1, g);
	expect_dirty(&f, 0, 2 * G1, true, 0, 0);
	assert_int_equal(f.pt->ops->read_dirty(f.pt, 0, 0, true, report, NULL), -DMAMAP_ERANGE);
	assert_int_equal(f.pt->ops->read_dirty(f.pt, g, ~0ull, true, report, NULL), -DMAMAP_ERANGE);
	/* What is marked is unmapped as everything else. */
	mark(&f, v, G1 + g, inverse ? 0 : bit, inverse ? bit : 0);
	assert_int_equal(unmap(&f, G1, 5 * g), 5 * g);
	settle(&f);
	finish(&f);
}

static void GPT_3_dirty_until_forgotten(void **state)
{
	unsigned int n = 0;

	(void)state;
	for (size_t i = 0; i < n_variants; i++) {
		if (!variants[i].track_dirty)
			continue;
		dirty_reads(&variants[i]);
		n++;
	}
	assert_true(n >= 8);
}

static void dirty_needs_what_it_needs(void **state)
{
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < n_variants; i++) {
		if (variants[i].track_dirty)
			continue;
		variant_start(&f, &variants[i], false);
		assert_false(f.pt->caps.track_dirty);
		assert_int_equal(f.pt->ops->read_dirty(f.pt, 0, K4, true, report, NULL),
				 -DMAMAP_EOPNOTSUPP);
		finish(&f);
	}
	fake_host_init(&f.fake, 64, true);
	config = config_for(&f, DMA_PT_AMD_V1, 12);
	config.track_dirty = true;
	assert_int_equal(dmamap_pt_backend_create(&f.fake.host, &config, &f.pt), -DMAMAP_EINVAL);
	fake_host_fini(&f.fake);
}

/** Which protections come back from next_leaf(), and what write-only becomes. */
static void protections(void **state)
{
	static const struct {
		enum dma_pt_format format;
		unsigned int prot, got;
	} cases[] = {
		{ DMA_PT_VTD_SECOND_STAGE, R | M, R },
		{ DMA_PT_VTD_SECOND_STAGE, W | C, W },
		{ DMA_PT_VTD_FIRST_STAGE, R | C, R },
		{ DMA_PT_VTD_FIRST_STAGE, W, R | W },
		{ DMA_PT_AMD_V1, R, R },
		{ DMA_PT_AMD_V1, W, W },
		{ DMA_PT_LPAE_STAGE1, R | C | X | P, R | C | X | P },
		{ DMA_PT_LPAE_STAGE1, W | M, R | W | M },
		{ DMA_PT_LPAE_STAGE2, W | M | X, W | M | X },
		{ DMA_PT_LPAE_STAGE2, R | W | C, R | W | C },
		{ DMA_PT_RISCV, W, R | W },
		{ DMA_PT_RISCV, R | X, R | X },
	};
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 2048, false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dma_pt_config config = config_for(&f, cases[i].format, 12);
		const struct dma_vec vec = { G1, K4 };
		struct dma_leaf leaf;

		begin(&f, &config);
		assert_int_equal(f.pt->ops->map(f.pt, AT, &vec, 1, cases[i].prot), 0);
		assert_int_equal(f.pt->ops->next_leaf(f.pt, 0, &leaf), 0);
		assert_int_equal(leaf.prot, cases[i].got);
		if (cases[i].prot & W && !(cases[i].prot & R))
			assert_int_equal(f.pt->caps.write_only, !(leaf.prot & R));
		end(&f);
	}
	fake_host_fini(&f.fake);
}

/** Options that a format has not are refused, not forgotten. */
static void options_that_a_format_has_not(void **state)
{
	struct dma_pt_config config;
	struct fixture f;

	(void)state;
	fake_host_init(&f.fake, 64, false);
	for (int format = DMA_PT_VTD_SECOND_STAGE; format <= DMA_PT_RISCV; format++) {
		bool snoop = format == DMA_PT_VTD_SECOND_STAGE || format == DMA_PT_AMD_V1;

		config = config_for(&f, (enum dma_pt_format)format, 12);
		config.force_coherent = true;
		assert_int_equal(dmamap_pt_backend_create(&f.fake.host, &config, &f.pt),
				 snoop ? 0 : -DMAMAP_EINVAL);
		if (snoop)
			f.pt->ops->destroy(f.pt);
		config = config_for(&f, (enum dma_pt_format)format, 12);
		config.memory_types = true;
		if (format != DMA_PT_RISCV)
			assert_int_equal(dmamap_pt_backend_create(&f.fake.host, &config, &f.pt),
					 -DMAMAP_EINVAL);
		config = config_for(&f, (enum dma_pt_format)format, 12);
		config.granule_bits = 13;
		assert_int_equal(dmamap_pt_backend_create(&f.fake.host, &config, &f.pt),
				 -DMAMAP_EOPNOTSUPP);
	}
	for (unsigned int bits = 0; bits < 64; bits++) {
		config = config_for(&f, DMA_PT_LPAE_STAGE2, 12);
		config.input_bits = bits;
		if (bits < 32 || bits > 48)
			assert_int_equal(dmamap_pt_backend_create(&f.fake.host, &config, &f.pt),
					 -DMAMAP_EINVAL);
	}
	fake_host_fini(&f.fake);
}

/** A block of leaves of @g bytes at @base: its entries are those that a map beside it writes. */
static void block_is_written_as_maps_are(struct fixture *f, const struct variant *v, uint64_t base,
					 uint64_t g)
{
	const uint64_t phys = 5 * g, beside = base + DMA_LEAF_BLOCK * g;
	const uint64_t granule = 1ull << v->granule_bits;
	struct dma_leaf_block block;
	struct dma_leaf leaf;

	assert_int_equal(f->pt->ops->pin(f->pt, base, g, &block), 0);
	block.entries[7] =
		phys >> f->pt->caps.leaf_phys_shift | f->pt->ops->leaf_bits(f->pt, g, RW);
	assert_int_equal(map(f, beside, phys, g), 0);
	assert_int_equal(decode(f, v, base + 7 * g).entry, decode(f, v, beside).entry);
	assert_int_equal(f->pt->ops->next_leaf(f->pt, 0, &leaf), 0);
	assert_int_equal(leaf.iova, base + 7 * g);
	assert_int_equal(leaf.phys, phys);
	assert_int_equal(leaf.len, g);
	/* To an unmap it is a hole. */
	assert_int_equal(unmap(f, base, DMA_LEAF_BLOCK * g), 0);
	assert_int_equal(unmap(f, base + 7 * g, g), 0);
	block.entries[7] = 0;
	f->pt->ops->unpin(f->pt, base, g);
	/* A block with something in it is nobody's. */
	assert_int_equal(map(f, base + 3 * g, phys, granule), 0);
	assert_int_equal(f->pt->ops->pin(f->pt, base, g, &block), -DMAMAP_EADDRINUSE);
	assert_int_equal(unmap(f, base + 3 * g, granule), granule);
	assert_int_equal(unmap(f, beside, g), g);
	settle(f);
	assert_int_equal(f->pt->ops->next_leaf(f->pt, 0, &leaf), -DMAMAP_ENXIO);
}

/** Entries that a domain writes into its blocks are those that a map would have written, for every size of leaves. */
static void blocks_are_written_as_maps_are(void **state)
{
	unsigned int large = 0;

	(void)state;
	for (size_t i = 0; i < n_variants; i++) {
		const struct variant *v = &variants[i];
		uint64_t granule = 1ull << v->granule_bits;
		struct dma_leaf_block block;
		struct fixture f;

		variant_start(&f, v, false);
		if (v->granule_bits == 16 && v->output_bits > 48) {
			assert_int_equal(f.pt->ops->pin(f.pt, G1, granule, &block),
					 -DMAMAP_EOPNOTSUPP);
			finish(&f);
			continue;
		}
		for (uint64_t g = granule; g && g <= f.pt->caps.page_sizes; g <<= 1) {
			uint64_t base = 2 * DMA_LEAF_BLOCK * g;

			if (!(f.pt->caps.page_sizes & g) || !f.pt->ops->leaf_bits(f.pt, g, RW) ||
			    base > f.pt->caps.aperture_end / 4)
				continue;
			large += g != granule;
			block_is_written_as_maps_are(&f, v, base, g);
		}
		finish(&f);
	}
	assert_true(large > n_variants / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(VTD_1_leaves),
		cmocka_unit_test(X86_1_leaves),
		cmocka_unit_test(X86_2_upper_half),
		cmocka_unit_test(AMD_1_two_entries),
		cmocka_unit_test(AMD_2_sized_leaves),
		cmocka_unit_test(AMD_3_pages),
		cmocka_unit_test(AMD_4_best_size),
		cmocka_unit_test(AMD_6_one_dirty_copy),
		cmocka_unit_test(AMD_7_nothing_is_overwritten),
		cmocka_unit_test(AMD_8_no_leaf_of_512_gib),
		cmocka_unit_test(ARM_1_stage_1_cached),
		cmocka_unit_test(ARM_2_stage_1_read_only),
		cmocka_unit_test(ARM_3_stage_1_mmio),
		cmocka_unit_test(ARM_4_stage_2),
		cmocka_unit_test(ARM_5_addresses_of_52_bits),
		cmocka_unit_test(ARM_6_nothing_is_overwritten),
		cmocka_unit_test(ARM_7_no_block_over_live_pages),
		cmocka_unit_test(ARM_8_no_page_out_of_a_block),
		cmocka_unit_test(ARM_9_beyond_the_input),
		cmocka_unit_test(ARM_10_no_protection),
		cmocka_unit_test(ARM_11_dirty),
		cmocka_unit_test(ARM_12_start_levels),
		cmocka_unit_test(RV_1_pages),
		cmocka_unit_test(RV_2_napot),
		cmocka_unit_test(RV_3_memory_types),
		cmocka_unit_test(RV_4_other_widths),
		cmocka_unit_test(RV_5_execute_is_no_access),
		cmocka_unit_test(GPT_3_dirty_until_forgotten),
		cmocka_unit_test(dirty_needs_what_it_needs),
		cmocka_unit_test(protections),
		cmocka_unit_test(options_that_a_format_has_not),
		cmocka_unit_test(blocks_are_written_as_maps_are),
	};

	return cmocka_run_group_tests_name("pagetable-golden", tests, NULL, NULL);
}
