/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walker for every format, written from the manuals and sharing nothing with the library: levels are the manuals' own,
 * and each entry is taken apart bit by bit. What an entry must not hold, and leaves whose entries disagree, fail the
 * test.
 */
#include "variants.h"

#define BITS(v, high, low) ((v) >> (low) & ((2ull << ((high) - (low))) - 1))
#define BIT(v, n)	   ((v) >> (n)&1)

static uint64_t entry_at(const struct fixture *f, phys_addr_t table, uint64_t index)
{
	const uint64_t *entries = fake_device_ptr(&f->fake, table);

	return entries[index];
}

/** Begin a leaf of @len bytes, whose address field says @phys. */
static struct decoded leaf(uint64_t iova, uint64_t len, phys_addr_t phys, uint64_t entry,
			   phys_addr_t at)
{
	assert_int_equal(phys % len, 0);
	return (struct decoded){ .present = true,
				 .iova = iova - iova % len,
				 .len = len,
				 .phys = phys,
				 .entry = entry,
				 .entry_at = at,
				 .copies = 1 };
}

/** All @n entries around the one at @index are the same. */
static void expect_copies(const struct fixture *f, phys_addr_t table, uint64_t index, uint64_t n)
{
	uint64_t first = index - index % n;

	for (uint64_t i = 1; i < n; i++)
		assert_int_equal(entry_at(f, table, first + i), entry_at(f, table, first));
}

/* --- Intel VT-d second stage: hardware.md calls the lowest level 1 */

static struct decoded vtd_ss(const struct fixture *f, uint64_t iova)
{
	phys_addr_t table = f->unit.root;

	for (unsigned int level = f->unit.levels;; level--) {
		unsigned int span = 12 + 9 * (level - 1);
		uint64_t index = BITS(iova, span + 8, span);
		uint64_t entry = entry_at(f, table, index);
		struct decoded d;

		if (!BITS(entry, 1, 0)) {
			assert_int_equal(entry, 0);
			return (struct decoded){ 0 };
		}
		assert_int_equal(BITS(entry, 63, 52), 0);
		if (level > 1 && !BIT(entry, 7)) {
			assert_int_equal(BITS(entry, 11, 0), 3);
			table = BITS(entry, 51, 12) << 12;
			continue;
		}
		assert_true(level <= 3);
		assert_int_equal(BIT(entry, 7), level > 1);
		assert_int_equal(BITS(entry, 6, 2), 0);
		d = leaf(iova, 1ull << span, BITS(entry, 51, 12) << 12, entry, table + index * 8);
		d.read = BIT(entry, 0);
		d.write = BIT(entry, 1);
		return d;
	}
}

/* --- x86-64 */

static struct decoded x86(const struct fixture *f, uint64_t iova)
{
	phys_addr_t table = f->unit.root;

	for (unsigned int level = f->unit.levels;; level--) {
		unsigned int span = 12 + 9 * (level - 1);
		uint64_t index = BITS(iova, span + 8, span);
		uint64_t entry = entry_at(f, table, index);
		struct decoded d;

		if (!BIT(entry, 0)) {
			assert_int_equal(entry, 0);
			return (struct decoded){ 0 };
		}
		assert_int_equal(BITS(entry, 63, 52), 0);
		if (level > 1 && !BIT(entry, 7)) {
			assert_int_equal(BITS(entry, 11, 0), 0x27);
			table = BITS(entry, 51, 12) << 12;
			continue;
		}
		assert_true(level <= 3);
		assert_int_equal(BIT(entry, 7), level > 1);
		assert_true(BIT(entry, 2) && BIT(entry, 5)); /* user, accessed */
		d = leaf(iova, 1ull << span, BITS(entry, 51, 12) << 12, entry, table + index * 8);
		d.read = true;
		d.write = BIT(entry, 1);
		return d;
	}
}

/* --- AMD v1: the lowest level is 1, as NextLevel counts */

/** Bytes of a leaf with NextLevel 7: the lowest zero from bit 12 on stands for half of them. */
static uint64_t amd_sized(uint64_t entry)
{
	unsigned int bit = 12;

	while (BIT(entry, bit))
		bit++;
	return 2ull << bit;
}

static struct decoded amd_v1(const struct fixture *f, uint64_t iova)
{
	phys_addr_t table = f->unit.root;

	for (unsigned int level = f->unit.levels;; level--) {
		unsigned int span = 12 + 9 * (level - 1);
		uint64_t index = level == 6 ? iova >> 57 : BITS(iova, span + 8, span);
		uint64_t entry = entry_at(f, table, index);
		unsigned int next = BITS(entry, 11, 9);
		uint64_t len = 1ull << span;
		struct decoded d;

		if (!BIT(entry, 0)) {
			assert_int_equal(entry, 0);
			return (struct decoded){ 0 };
		}
		assert_int_equal(BITS(entry, 8, 7) | BITS(entry, 5, 1), 0);
		assert_int_equal(BITS(entry, 59, 52) | BIT(entry, 63), 0);
		if (next && next != 7) {
			assert_int_equal(next, level - 1);
			assert_int_equal(BITS(entry, 63, 52), 0x600);
			table = BITS(entry, 51, 12) << 12;
			continue;
		}
		assert_true(level <= 5);
		if (next == 7) {
			uint64_t sized = amd_sized(entry);

			assert_true(sized > len && sized < len << 9);
			expect_copies(f, table, index, sized / len);
			d = leaf(iova, sized, (BITS(entry, 51, 12) << 12) & ~(sized - 1), entry,
				 table + index * 8);
			d.copies = (unsigned int)(sized / len);
		} else {
			d = leaf(iova, len, BITS(entry, 51, 12) << 12, entry, table + index * 8);
		}
		assert_true(d.len != 1ull << 39);
		d.read = BIT(entry, 61);
		d.write = BIT(entry, 62);
		return d;
	}
}

/* --- ARM: the lowest level is 3 */

static phys_addr_t lpae_address(const struct variant *v, uint64_t entry)
{
	if (v->granule_bits == 16)
		return BITS(entry, 15, 12) << 48 | BITS(entry, 47, 16) << 16;
	return BITS(entry, 47, 12) << 12;
}

/** The architecture's table of contiguous groups. */
static uint64_t lpae_group(const struct variant *v, unsigned int level)
{
	if (v->granule_bits == 12)
		return 16;
	if (v->granule_bits == 14)
		return level == 3 ? 128 : 32;
	return 32;
}

/** Every entry of a contiguous group has the hint, the same attributes, and the next address. */
static struct decoded lpae_contiguous(const struct fixture *f, const struct variant *v,
				      unsigned int level, phys_addr_t table, uint64_t index,
				      uint64_t len, uint64_t iova)
{
	uint64_t n = lpae_group(v, level), first = index - index % n;
	uint64_t entry = entry_at(f, table, index);
	uint64_t begin = entry_at(f, table, first);
	struct decoded d;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t other = entry_at(f, table, first + i);

		assert_int_equal(BITS(other, 63, 48), BITS(begin, 63, 48));
		assert_int_equal(BITS(other, 11, 0), BITS(begin, 11, 0));
		assert_int_equal(lpae_address(v, other), lpae_address(v, begin) + i * len);
	}
	d = leaf(iova, n * len, lpae_address(v, begin), entry, table + index * 8);
	d.copies = (unsigned int)n;
	return d;
}

static bool lpae_block_allowed(const struct variant *v, unsigned int level)
{
	switch (v->granule_bits) {
	case 12:
		return level >= 1;
	case 14:
		return level >= 2;
	default:
		return level >= 2 || (level == 1 && v->output_bits > 48);
	}
}

static struct decoded lpae(const struct fixture *f, const struct variant *v, uint64_t iova)
{
	unsigned int g = v->granule_bits;
	unsigned int start = 4 - f->unit.levels;
	phys_addr_t table = f->unit.root;

	for (unsigned int level = start;; level++) {
		unsigned int span = g + (g - 3) * (3 - level);
		uint64_t index = level == start ? iova >> span : BITS(iova, span + g - 4, span);
		uint64_t entry = entry_at(f, table, index);
		unsigned int type = BITS(entry, 1, 0);
		struct decoded d;

		if (!BIT(entry, 0)) {
			assert_int_equal(entry, 0);
			return (struct decoded){ 0 };
		}
		if (level < 3 && type == 3) {
			assert_int_equal(BITS(entry, 63, 52) | BITS(entry, 11, 2), 0);
			table = lpae_address(v, entry);
			continue;
		}
		assert_int_equal(type, level == 3 ? 3 : 1);
		assert_true(lpae_block_allowed(v, level));
		assert_true(BIT(entry, 10)); /* access flag */
		if (BIT(entry, 52))
			d = lpae_contiguous(f, v, level, table, index, 1ull << span, iova);
		else
			d = leaf(iova, 1ull << span, lpae_address(v, entry), entry,
				 table + index * 8);
		if (v->format == DMA_PT_LPAE_STAGE1) {
			d.read = true;
			d.write = !BIT(entry, 7) || BIT(entry, 51);
		} else {
			d.read = BIT(entry, 6);
			d.write = BIT(entry, 7) || BIT(entry, 51);
		}
		return d;
	}
}

/* --- RISC-V: the lowest level is 0 */

static struct decoded riscv(const struct fixture *f, uint64_t iova)
{
	phys_addr_t table = f->unit.root;

	for (unsigned int level = f->unit.levels - 1;; level--) {
		unsigned int span = 12 + 9 * level;
		uint64_t index = BITS(iova, span + 8, span);
		uint64_t entry = entry_at(f, table, index);
		phys_addr_t phys = BITS(entry, 53, 10) << 12;
		uint64_t len = 1ull << span;
		struct decoded d;

		if (!BIT(entry, 0)) {
			assert_int_equal(entry, 0);
			return (struct decoded){ 0 };
		}
		assert_int_equal(BITS(entry, 60, 54) | BITS(entry, 9, 8) | BIT(entry, 5), 0);
		if (!BITS(entry, 3, 1)) {
			assert_true(level);
			assert_int_equal(entry & ~(BITS(entry, 53, 10) << 10), 1);
			table = phys;
			continue;
		}
		assert_true(BIT(entry, 1) || !BIT(entry, 2)); /* write-only is reserved */
		assert_true(BIT(entry, 4) && BIT(entry, 6));  /* user, accessed */
		if (BIT(entry, 63)) {
			assert_int_equal(level, 0);
			assert_int_equal(BITS(entry, 13, 10), 8);
			expect_copies(f, table, index, 16);
			d = leaf(iova, 0x10000, phys & ~0xffffull, entry, table + index * 8);
			d.copies = 16;
		} else {
			d = leaf(iova, len, phys, entry, table + index * 8);
		}
		d.read = BIT(entry, 1);
		d.write = BIT(entry, 2);
		return d;
	}
}

struct decoded decode(const struct fixture *f, const struct variant *v, uint64_t iova)
{
	switch (v->format) {
	case DMA_PT_VTD_SECOND_STAGE:
		return vtd_ss(f, iova);
	case DMA_PT_VTD_FIRST_STAGE:
		return x86(f, iova);
	case DMA_PT_AMD_V1:
		return amd_v1(f, iova);
	case DMA_PT_LPAE_STAGE1:
	case DMA_PT_LPAE_STAGE2:
		return lpae(f, v, iova);
	case DMA_PT_RISCV:
		return riscv(f, iova);
	}
	fail();
	return (struct decoded){ 0 };
}
