/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which tables the domains of the recording host have, and a walk of them, bit by bit.
 *
 * DMAMAP_TEST_FORMAT says it: vtd-ss (the default), amdv1, lpae-s1 or lpae-s2, all with 4 levels of 48 bits and pages of
 * 4 KiB, 2 MiB and 1 GiB, so that every case holds for each of them, with the same addresses. What a walk finds is put
 * in the form of a VT-d entry: physical address, bit 0 to read, 1 to write, 7 for a large page. Of VT-d it is the
 * entry itself.
 */
#include "fixture.h"

static const struct {
	const char *name;
	enum dma_pt_format format;
} formats[] = {
	{ "vtd-ss", DMA_PT_VTD_SECOND_STAGE },
	{ "amdv1", DMA_PT_AMD_V1 },
	{ "lpae-s1", DMA_PT_LPAE_STAGE1 },
	{ "lpae-s2", DMA_PT_LPAE_STAGE2 },
};

enum dma_pt_format fx_format(void)
{
	const char *name = getenv("DMAMAP_TEST_FORMAT");

	for (size_t i = 0; name && i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(name, formats[i].name) == 0)
			return formats[i].format;
	if (name)
		fail_msg("DMAMAP_TEST_FORMAT: %s is none", name);
	return DMA_PT_VTD_SECOND_STAGE;
}

bool fx_format_is_arm(void)
{
	return fx_format() == DMA_PT_LPAE_STAGE1 || fx_format() == DMA_PT_LPAE_STAGE2;
}

unsigned int fx_write_only(void)
{
	return fx_format() == DMA_PT_LPAE_STAGE1 ? 3 : 2;
}

/* --- one entry: 0 if it is none */

struct entry {
	uint64_t phys;
	unsigned int perm;
	bool leaf;
};

static struct entry read_vtd(uint64_t raw, unsigned int level)
{
	return (struct entry){ raw & 0x000ffffffffff000, raw & 3, !level || (raw & 0x80) };
}

static struct entry read_amd(uint64_t raw, unsigned int level)
{
	unsigned int next = raw >> 9 & 7;

	assert_int_equal(raw & 1, 1);
	assert_true(!next || next == level);
	return (struct entry){ raw & 0x000ffffffffff000, raw >> 61 & 3, !next };
}

static struct entry read_arm(uint64_t raw, unsigned int level, bool stage1)
{
	struct entry e = { raw & 0x0000fffffffff000, 3, !level || !(raw & 2) };

	assert_int_equal(raw & 3, level && e.leaf ? 1 : 3);
	if (e.leaf) {
		assert_true(raw & 0x400); /* accessed */
		e.perm = stage1 ? (raw & 0x80 ? 1 : 3) : raw >> 6 & 3;
	}
	return e;
}

static struct entry read_entry(uint64_t raw, unsigned int level)
{
	switch (fx_format()) {
	case DMA_PT_AMD_V1:
		return read_amd(raw, level);
	case DMA_PT_LPAE_STAGE1:
		return read_arm(raw, level, true);
	case DMA_PT_LPAE_STAGE2:
		return read_arm(raw, level, false);
	default:
		return read_vtd(raw, level);
	}
}

/* --- the walk */

uint64_t fx_walk(struct fx *fx, uint64_t iova, uint64_t *size)
{
	struct fx_unit *u = &fx->unit[fx->nr_domain - 1];
	uint64_t table = u->root;

	assert_true(fx->nr_domain > 0);
	for (unsigned int level = u->levels; level--;) {
		unsigned int shift = 12 + 9 * level;
		struct entry e;
		uint64_t raw;

		assert_true(table + 4096 <= fx->backed);
		memcpy(&raw, fx_ram(fx, table + (iova >> shift & 511) * 8), sizeof(raw));
		if (!raw)
			return 0;
		e = read_entry(raw, level);
		if (e.leaf) {
			if (size)
				*size = (uint64_t)1 << shift;
			return fx_format() == DMA_PT_VTD_SECOND_STAGE
				       ? raw
				       : e.phys | e.perm | (level ? 0x80 : 0);
		}
		/* A table must not take away what its leaves grant. */
		assert_int_equal(e.perm, 3);
		table = e.phys;
	}
	return 0;
}

uint64_t fx_translate(struct fx *fx, uint64_t iova)
{
	uint64_t size = 0;
	uint64_t entry = fx_walk(fx, iova, &size);

	if (!entry)
		return ~(uint64_t)0;
	return (entry & 0x000ffffffffff000ull & ~(size - 1)) | (iova & (size - 1));
}
