/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must hold for every format in every shape: what was mapped translates, nothing else does, leaves are as large as
 * they can be, nothing is overwritten or cut, and unmapping leaves the tables as they were.
 */
#include "variants.h"

#include <stdlib.h>

/** First and last address that a variant translates. */
static uint64_t last_of(const struct variant *v)
{
	return v->aperture_bits < 64 ? (1ull << v->aperture_bits) - 1 : ~0ull - 4096;
}

static uint64_t last_phys_of(const struct variant *v)
{
	return (1ull << v->output_bits) - 1;
}

static void for_each_variant(void (*test)(struct fixture *f, const struct variant *v), bool caches)
{
	for (size_t i = 0; i < n_variants; i++) {
		struct fixture f;

		variant_start(&f, &variants[i], caches);
		test(&f, &variants[i]);
		finish(&f);
	}
}

/** Nothing is mapped, no table but the root is left, and the root is empty. */
static void expect_pristine(struct fixture *f, const struct variant *v)
{
	const unsigned char *root = fake_device_ptr(&f->fake, f->unit.root);
	struct dma_leaf leaf;

	assert_int_equal(f->pt->ops->next_leaf(f->pt, 0, &leaf), -DMAMAP_ENXIO);
	assert_int_equal(bytes(f), v->root_bytes > granule_of(v) ? v->root_bytes : granule_of(v));
	for (uint64_t i = 0; i < v->root_bytes; i++)
		assert_int_equal(root[i], 0);
}

static void expect_no_translation(struct fixture *f, const struct variant *v, uint64_t iova)
{
	phys_addr_t phys;

	if (iova <= last_of(v))
		assert_false(decode(f, v, iova).present);
	assert_int_equal(f->pt->ops->iova_to_phys(f->pt, iova, &phys), -DMAMAP_ENXIO);
}

static void expect_translation(struct fixture *f, const struct variant *v, uint64_t iova,
			       phys_addr_t phys)
{
	struct decoded d = decode(f, v, iova);
	phys_addr_t got;

	assert_true(d.present && d.read && d.write);
	assert_int_equal(d.phys + (iova - d.iova), phys);
	assert_int_equal(f->pt->ops->iova_to_phys(f->pt, iova, &got), 0);
	assert_int_equal(got, phys);
}

/* --- one leaf of each size, at the ends and in the middle of everything */

static void expect_one_leaf(struct fixture *f, const struct variant *v, uint64_t iova,
			    uint64_t phys, uint64_t size)
{
	const uint64_t points[] = { 0, 1, granule_of(v) - 1, size / 2, size - 1 };
	struct dma_leaf leaf;

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		struct decoded d = decode(f, v, iova + points[i]);

		assert_int_equal(d.iova, iova);
		assert_int_equal(d.len, size);
		expect_translation(f, v, iova + points[i], phys + points[i]);
		assert_int_equal(f->pt->ops->next_leaf(f->pt, iova + points[i], &leaf), 0);
		assert_int_equal(leaf.iova, iova);
		assert_int_equal(leaf.len, size);
		assert_int_equal(leaf.phys, phys);
		assert_int_equal(leaf.prot & RW, RW);
	}
	assert_int_equal(f->pt->ops->next_leaf(f->pt, 0, &leaf), 0);
	assert_int_equal(leaf.iova, iova);
	assert_int_equal(f->pt->ops->next_leaf(f->pt, iova + size, &leaf), -DMAMAP_ENXIO);
	if (iova)
		expect_no_translation(f, v, iova - 1);
	expect_no_translation(f, v, iova + size);
}

static void check_leaf_at(struct fixture *f, const struct variant *v, uint64_t iova, uint64_t phys,
			  uint64_t size)
{
	uint64_t granule = granule_of(v);

	assert_int_equal(map(f, iova, phys, size), 0);
	expect_one_leaf(f, v, iova, phys, size);
	/* Nothing is overwritten ... */
	assert_int_equal(map(f, iova, 0, granule), -DMAMAP_EADDRINUSE);
	assert_int_equal(map(f, iova + size - granule, 0, granule), -DMAMAP_EADDRINUSE);
	/* ... and nothing cut. */
	if (size > granule) {
		assert_int_equal(unmap(f, iova, size - granule), 0);
		assert_int_equal(unmap(f, iova + granule, size), 0);
		assert_int_equal(unmap(f, iova + size - granule, granule), 0);
	}
	expect_one_leaf(f, v, iova, phys, size);
	assert_int_equal(unmap(f, iova, size), size);
	expect_no_translation(f, v, iova);
	expect_no_translation(f, v, iova + size - 1);
	settle(f);
	expect_pristine(f, v);
}

static void one_leaf(struct fixture *f, const struct variant *v)
{
	uint64_t sizes = f->pt->caps.page_sizes;

	assert_int_equal(sizes, (v->page_sizes | granule_of(v)) &
					(v->aperture_bits < 64 ? last_of(v) : ~0ull));
	for (unsigned int bit = 0; bit < 64; bit++) {
		uint64_t size = 1ull << bit;
		uint64_t top_phys, top;

		if (!(sizes & size))
			continue;
		top = (last_of(v) - (size - 1)) & ~(size - 1);
		top_phys =
			last_phys_of(v) < size ? 0 : (last_phys_of(v) - (size - 1)) & ~(size - 1);
		if (last_phys_of(v) < size - 1)
			continue;
		check_leaf_at(f, v, 0, top_phys, size);
		check_leaf_at(f, v, top, 0, size);
		check_leaf_at(f, v, (top / 3) & ~(size - 1), (top_phys / 3 * 2) & ~(size - 1),
			      size);
	}
	assert_int_equal(f->pt->caps.aperture_end, last_of(v));
	assert_int_equal(map(f, last_of(v) + 1, 0, granule_of(v)), -DMAMAP_ERANGE);
	assert_int_equal(map(f, (last_of(v) + 1) - granule_of(v), 0, 2 * granule_of(v)),
			 -DMAMAP_ERANGE);
	assert_int_equal(map(f, 0, last_phys_of(v) + 1, granule_of(v)), -DMAMAP_ERANGE);
	assert_int_equal(map(f, granule_of(v) / 2, 0, granule_of(v)), -DMAMAP_EINVAL);
	assert_int_equal(map(f, 0, granule_of(v) / 2, granule_of(v)), -DMAMAP_EINVAL);
	assert_int_equal(map(f, 0, 0, granule_of(v) / 2), -DMAMAP_EINVAL);
	expect_pristine(f, v);
}

static void every_size_is_one_leaf(void **state)
{
	(void)state;
	for_each_variant(one_leaf, false);
}

/* --- every offset and length, around where larger leaves may begin */

/** The largest size that both addresses and the rest allow. */
static uint64_t best(const struct fixture *f, uint64_t iova, uint64_t phys, uint64_t left)
{
	uint64_t size;

	for (size = 1ull << 63; size > 1; size /= 2)
		if (f->pt->caps.page_sizes & size && !((iova | phys) & (size - 1)) && size <= left)
			break;
	return size;
}

static void expect_best_leaves(struct fixture *f, const struct variant *v, uint64_t iova,
			       uint64_t phys, uint64_t len)
{
	uint64_t granule = granule_of(v), at = 0;
	struct dma_leaf leaf;

	while (at < len) {
		uint64_t size = best(f, iova + at, phys + at, len - at);

		assert_int_equal(f->pt->ops->next_leaf(f->pt, iova + at, &leaf), 0);
		assert_int_equal(leaf.iova, iova + at);
		assert_int_equal(leaf.len, size);
		assert_int_equal(leaf.phys, phys + at);
		assert_int_equal(decode(f, v, iova + at + size - granule).iova, iova + at);
		expect_translation(f, v, iova + at + size - 1, phys + at + size - 1);
		at += size;
	}
	assert_int_equal(f->pt->ops->next_leaf(f->pt, iova + len, &leaf), -DMAMAP_ENXIO);
	expect_no_translation(f, v, iova - 1);
	expect_no_translation(f, v, iova + len);
}

static void check_range(struct fixture *f, const struct variant *v, uint64_t iova, uint64_t phys,
			uint64_t len)
{
	assert_int_equal(map(f, iova, phys, len), 0);
	expect_best_leaves(f, v, iova, phys, len);
	/* A range that goes on behind the end is unmapped to there. */
	assert_int_equal(unmap(f, iova, len + granule_of(v)), len);
	expect_no_translation(f, v, iova);
	settle(f);
	expect_pristine(f, v);
}

/** Every length up to a little more than the second size, every offset before a boundary of the largest small one. */
static void offsets_and_lengths(struct fixture *f, const struct variant *v)
{
	uint64_t g = granule_of(v);
	uint64_t base = 1ull << 31, far = 1ull << 30;

	for (uint64_t offset = 1; offset < 20; offset += offset < 4 ? 1 : 3)
		for (uint64_t n = 1; n < 70; n += n < 20 ? 1 : 7) {
			check_range(f, v, base - offset * g, far - offset * g, n * g);
			check_range(f, v, base - offset * g, far, n * g);
			check_range(f, v, base + offset * g, far + 2 * offset * g, n * g);
		}
}

static void every_offset_and_length(void **state)
{
	(void)state;
	for_each_variant(offsets_and_lengths, false);
}

/** The same around the boundary of each size, congruent and not. */
static void around_each_size(struct fixture *f, const struct variant *v)
{
	uint64_t g = granule_of(v);

	for (unsigned int bit = v->granule_bits + 1; bit < 34 && bit + 3 < v->aperture_bits;
	     bit++) {
		uint64_t size = 1ull << bit;

		if (!(v->page_sizes & size) || (last_phys_of(v) >> bit) < 4)
			continue;
		check_range(f, v, size * 2 - g, size - g, size + 2 * g);
		check_range(f, v, size * 2, size, size + g);
		check_range(f, v, size * 2 - g, size - g, size);
		if (bit < 26)
			check_range(f, v, size * 2, size + g, 2 * size);
	}
}

static void around_the_boundaries_of_sizes(void **state)
{
	(void)state;
	for_each_variant(around_each_size, false);
}

/* --- tables and leaves in the way */

static void in_the_way(struct fixture *f, const struct variant *v)
{
	uint64_t g = granule_of(v), sizes = v->page_sizes & f->pt->caps.page_sizes;

	for (; sizes; sizes &= sizes - 1) {
		uint64_t size = sizes & -sizes, at = 2 * size + size / 2 / g * g, left;
		struct dma_leaf leaf;

		if (size > 1ull << 34 || size * 4 > last_of(v) || size * 2 > last_phys_of(v))
			continue;
		/* A live page in the middle: refused, and nothing stays. */
		assert_int_equal(map(f, at, 0, g), 0);
		assert_int_equal(map(f, 2 * size, size, size), -DMAMAP_EADDRINUSE);
		assert_int_equal(map(f, size, 0, 2 * size), -DMAMAP_EADDRINUSE);
		expect_translation(f, v, at, 0);
		assert_int_equal(f->pt->ops->next_leaf(f->pt, 0, &leaf), 0);
		assert_int_equal(leaf.iova, at);
		/* A table that only has been: leaves go around and into it, and all goes again. */
		assert_int_equal(unmap(f, at, g), g);
		assert_int_equal(map(f, 2 * size, size, size), 0);
		for (left = size; left; left -= leaf.len) {
			assert_int_equal(
				f->pt->ops->next_leaf(f->pt, 2 * size + (size - left), &leaf), 0);
			assert_int_equal(leaf.iova, 2 * size + (size - left));
			assert_int_equal(leaf.phys, size + (size - left));
			expect_translation(f, v, leaf.iova + leaf.len - 1,
					   leaf.phys + leaf.len - 1);
		}
		assert_int_equal(unmap(f, 2 * size, size), size);
		settle(f);
		expect_pristine(f, v);
	}
}

static void tables_and_leaves_in_the_way(void **state)
{
	(void)state;
	for_each_variant(in_the_way, false);
}

/* --- pieces */

static void pieces(struct fixture *f, const struct variant *v)
{
	uint64_t g = granule_of(v), at = 1ull << 30;
	struct dma_vec vec[40];

	/* Scattered, but two that are adjacent. */
	for (uint64_t i = 0; i < 40; i++)
		vec[i] = (struct dma_vec){ (100 + 3 * i) * g, g };
	vec[20].phys = vec[19].phys + g;
	assert_int_equal(f->pt->ops->map(f->pt, at, vec, 40, RW), 0);
	for (uint64_t i = 0; i < 40; i++)
		expect_translation(f, v, at + i * g + 5, vec[i].phys + 5);
	assert_int_equal(unmap(f, at, 40 * g), 40 * g);
	/* One run in pieces is as good as whole. */
	for (uint64_t i = 0; i < 40; i++)
		vec[i] = (struct dma_vec){ (1ull << 29) + i * g, g };
	assert_int_equal(f->pt->ops->map(f->pt, at, vec, 40, RW), 0);
	expect_best_leaves(f, v, at, 1ull << 29, 40 * g);
	assert_int_equal(unmap(f, at, 40 * g), 40 * g);
	settle(f);
	expect_pristine(f, v);
}

static void pieces_follow_one_another(void **state)
{
	(void)state;
	for_each_variant(pieces, false);
}

/* --- memory */

static int map_much(struct fixture *f, const struct variant *v)
{
	uint64_t g = granule_of(v);
	const struct dma_vec vec[] = { { 8 * g, g }, { 1ull << 29, 600 * g }, { 3 * g, 3 * g } };

	return f->pt->ops->map(f->pt, (1ull << 30) - g, vec, 3, RW);
}

static void each_allocation_fails(struct fixture *f, const struct variant *v)
{
	struct dma_pt_config config;
	int err = -DMAMAP_ENOMEM;

	finish(f);
	fake_host_init(&f->fake, 1, false);
	config = variant_config(f, v);
	fake_host_fini(&f->fake);
	for (uint64_t nth = 1; err; nth++) {
		fake_host_init(&f->fake, 16384, false);
		f->fake.fail_at = nth;
		err = dmamap_pt_backend_create(&f->fake.host, &config, &f->pt);
		if (err) {
			assert_int_equal(err, -DMAMAP_ENOMEM);
			fake_host_fini(&f->fake);
		}
	}
	assert_int_equal(f->pt->ops->attach(f->pt, NULL), 0);
	err = -DMAMAP_ENOMEM;
	for (uint64_t nth = 1; err; nth++) {
		/* Without what was kept. */
		f->pt->ops->detach(f->pt, NULL);
		f->pt->ops->destroy(f->pt);
		f->fake.fail_at = 0;
		start_with(f, &config, v->attached_levels);
		f->fake.fail_at = f->fake.allocs + nth;
		err = map_much(f, v);
		f->fake.fail_at = 0;
		if (err) {
			assert_int_equal(err, -DMAMAP_ENOMEM);
			expect_pristine(f, v);
		}
	}
	assert_int_equal(unmap(f, (1ull << 30) - granule_of(v), 604 * granule_of(v)),
			 604 * granule_of(v));
	settle(f);
	expect_pristine(f, v);
}

static void every_allocation_fails_once(void **state)
{
	(void)state;
	for_each_variant(each_allocation_fails, false);
}

/* --- caches */

/** Lines that hold entries of [iova, iova + len), whose leaves stand where the walker says. */
static uint64_t lines_of(struct fixture *f, const struct variant *v, uint64_t iova, uint64_t len)
{
	uint64_t lines = 0, previous = ~0ull;

	for (uint64_t at = iova; at < iova + len; at += granule_of(v)) {
		uint64_t line = decode(f, v, at).entry_at / 64;

		lines += line != previous;
		previous = line;
	}
	return lines;
}

static void lines_once(struct fixture *f, const struct variant *v)
{
	uint64_t g = granule_of(v), base = 1ull << 30, lines, flushes;

	/* The tables are there. */
	assert_int_equal(map(f, base, 0, g), 0);
	for (uint64_t n = 1; n < 200; n += n < 20 ? 1 : 31) {
		uint64_t at = base + (1 + n % 9) * g, expected;

		lines = f->fake.lines;
		flushes = f->fake.flushes;
		assert_int_equal(map(f, at, (1ull << 29) + at % (1ull << 29), n * g), 0);
		expected = lines_of(f, v, at, n * g);
		if (f->fake.flushes - flushes == 1) /* no table was made */
			assert_int_equal(f->fake.lines - lines, expected);
		lines = f->fake.lines;
		flushes = f->fake.flushes;
		assert_int_equal(unmap(f, at, n * g), n * g);
		assert_int_equal(f->fake.lines - lines, expected);
		assert_int_equal(f->fake.flushes - flushes, 1);
		expect_no_translation(f, v, at);
		expect_no_translation(f, v, at + n * g - 1);
	}
	assert_int_equal(unmap(f, base, g), g);
	settle(f);
	expect_pristine(f, v);
}

static void each_line_is_cleaned_once(void **state)
{
	(void)state;
	for_each_variant(lines_once, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_is_one_leaf),
		cmocka_unit_test(every_offset_and_length),
		cmocka_unit_test(around_the_boundaries_of_sizes),
		cmocka_unit_test(tables_and_leaves_in_the_way),
		cmocka_unit_test(pieces_follow_one_another),
		cmocka_unit_test(every_allocation_fails_once),
		cmocka_unit_test(each_line_is_cleaned_once),
	};

	return cmocka_run_group_tests_name("pagetable-properties", tests, NULL, NULL);
}
