/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random maps and unmaps against a map of pages that the test keeps, failing allocations included.
 */
#include "variants.h"

#include <stdlib.h>

#include <dmamap/accel.h>

/* --- against a map of pages */

#define WINDOWS 6     /* separate stretches of I/O addresses */
#define PAGES	2048u /* of the smallest size, in each */
#define SPACE	(WINDOWS * PAGES)

struct reference {
	const struct variant *v;
	uint64_t granule;
	uint64_t base[WINDOWS];
	uint64_t page[SPACE];  /* phys | 1 */
	uint64_t begin[SPACE]; /* first page of the mapping, plus one */
	uint64_t len[SPACE];
};

/** At both ends of the aperture, and across boundaries of large leaves and of the first half. */
static void reference_init(struct reference *r, const struct variant *v, uint64_t last)
{
	uint64_t g = 1ull << v->granule_bits, size = PAGES * g;
	uint64_t top = last + 1;

	memset(r, 0, sizeof(*r));
	r->v = v;
	r->granule = g;
	r->base[0] = 0;
	r->base[1] = G1 - size / 2;
	r->base[2] = last / 16 * 7 & ~(G1 / 4 - 1);
	r->base[3] = ((last / 2 + 1) & ~(G1 - 1)) - size / 2;
	r->base[4] = top - G1;
	r->base[5] = top - size;
}

static uint64_t reference_iova(const struct reference *r, uint64_t i)
{
	return r->base[i / PAGES] + i % PAGES * r->granule;
}

/** Every page through the walker and through the library, sampled by @step. */
static void compare(const struct fixture *f, const struct reference *r, uint64_t from,
		    uint64_t step)
{
	for (uint64_t i = from; i < SPACE; i += step) {
		uint64_t iova = reference_iova(r, i);
		struct decoded d = decode(f, r->v, iova);
		phys_addr_t phys;

		assert_int_equal(d.present, r->page[i] != 0);
		if (!d.present) {
			assert_int_equal(f->pt->ops->iova_to_phys(f->pt, iova, &phys), -6);
			continue;
		}
		assert_true(d.read && d.write);
		assert_int_equal(d.phys + (iova - d.iova), r->page[i] - 1);
		assert_int_equal(f->pt->ops->iova_to_phys(f->pt, iova | 0x123, &phys), 0);
		assert_int_equal(phys, (r->page[i] - 1) | 0x123);
	}
}

/** All leaves together are what is mapped, and nothing more. */
static void compare_leaves(const struct fixture *f, const struct reference *r)
{
	uint64_t mapped = 0, listed = 0, at = 0;
	struct dma_leaf leaf;

	for (uint64_t i = 0; i < SPACE; i++)
		mapped += r->page[i] ? r->granule : 0;
	while (!f->pt->ops->next_leaf(f->pt, at, &leaf)) {
		assert_true(leaf.iova >= at);
		at = leaf.iova + leaf.len;
		listed += leaf.len;
	}
	assert_int_equal(listed, mapped);
}

static uint64_t random_phys(const struct reference *r, uint64_t *rng)
{
	uint64_t phys = fake_random(rng) & ((1ull << r->v->output_bits) - 1) & ~(G1 - 1);

	if (phys < 4 * G1 || phys > (1ull << r->v->output_bits) - 4 * G1)
		return 4 * G1;
	return phys;
}

static uint64_t random_piece(struct reference *r, uint64_t *rng, uint64_t at, uint64_t room,
			     struct dma_vec *v)
{
	uint64_t pages = 1 + fake_random(rng) % (fake_random(rng) % 4 ? 40 : 1200);

	if (pages > room)
		pages = room;
	/* Congruent often enough for large leaves. */
	v->phys = random_phys(r, rng);
	v->phys += fake_random(rng) % 2 ? reference_iova(r, at) % G1
					: fake_random(rng) % (G1 / r->granule) * r->granule;
	v->len = pages * r->granule;
	return pages;
}

static void random_map(struct fixture *f, struct reference *r, uint64_t *rng)
{
	struct dma_vec vec[8];
	uint64_t begin = fake_random(rng) % SPACE;
	uint64_t at = begin, end = (begin / PAGES + 1) * PAGES;
	size_t n, wanted = 1 + fake_random(rng) % 8;
	bool free_range = true;
	int err;

	for (n = 0; n < wanted && at < end; n++)
		at += random_piece(r, rng, at, end - at, &vec[n]);
	for (uint64_t i = begin; i < at; i++)
		free_range = free_range && !r->page[i];
	/* Now and then no memory. */
	f->fake.fail_at = fake_random(rng) % 4 ? 0 : f->fake.allocs + 1 + fake_random(rng) % 4;
	err = f->pt->ops->map(f->pt, reference_iova(r, begin), vec, n, RW);
	if (!err)
		f->pt->ops->sync_map(f->pt, reference_iova(r, begin), (at - begin) * r->granule);
	if (f->fake.allocs >= f->fake.fail_at && f->fake.fail_at && err == -DMAMAP_ENOMEM)
		return;
	assert_int_equal(err, free_range ? 0 : -DMAMAP_EADDRINUSE);
	if (err)
		return;
	at = begin;
	for (size_t k = 0; k < n; k++) {
		for (uint64_t p = 0; p < vec[k].len; p += r->granule, at++) {
			r->page[at] = (vec[k].phys + p) + 1;
			r->begin[at] = begin + 1;
		}
	}
	r->len[begin] = at - begin;
}

static void random_unmap(struct fixture *f, struct reference *r, uint64_t *rng)
{
	uint64_t i = fake_random(rng) % SPACE;
	uint64_t n;

	if (!r->begin[i])
		return;
	i = r->begin[i] - 1;
	n = r->len[i] * r->granule;
	assert_int_equal(unmap(f, reference_iova(r, i), n), n);
	n = r->len[i];
	memset(&r->page[i], 0, n * sizeof(r->page[0]));
	memset(&r->begin[i], 0, n * sizeof(r->begin[0]));
	if (fake_random(rng) % 2)
		settle(f);
}

static void random_walk(const struct variant *v, bool caches, bool accel, uint64_t seed)
{
	struct reference *r = malloc(sizeof(*r));
	uint64_t rng = seed, root;
	struct fixture f;

	assert_non_null(r);
	variant_start(&f, v, caches);
	if (accel)
		dmamap_accel_init(&f.fake.host);
	root = bytes(&f);
	reference_init(r, v, f.pt->caps.aperture_end);
	for (int step = 0; step < 2500; step++) {
		if (fake_random(&rng) % 2)
			random_map(&f, r, &rng);
		else
			random_unmap(&f, r, &rng);
		compare(&f, r, fake_random(&rng) % 499, 499);
		if (step % 500 == 0) {
			compare(&f, r, 0, 1);
			compare_leaves(&f, r);
		}
	}
	f.fake.fail_at = 0;
	for (uint64_t i = 0; i < SPACE; i++) {
		uint64_t n = r->len[i] * r->granule;

		if (!r->begin[i])
			continue;
		assert_int_equal(unmap(&f, reference_iova(r, i), n), n);
		i += r->len[i] - 1;
	}
	settle(&f);
	assert_int_equal(bytes(&f), root);
	memset(r->page, 0, sizeof(r->page));
	compare(&f, r, 0, 1);
	compare_leaves(&f, r);
	finish(&f);
	free(r);
}

static void random_sequences(void **state)
{
	uint64_t seed = fake_seed();

	(void)state;
	for (size_t i = 0; i < n_variants; i++)
		random_walk(&variants[i], false, false, seed + 3 * i);
}

static void random_sequences_without_snooping(void **state)
{
	uint64_t seed = fake_seed();

	(void)state;
	for (size_t i = 0; i < n_variants; i++)
		random_walk(&variants[i], true, false, seed + 3 * i + 1);
}

static void random_sequences_with_vectors(void **state)
{
	uint64_t seed = fake_seed();

	(void)state;
	for (size_t i = 0; i < n_variants; i++)
		random_walk(&variants[i], false, true, seed + 3 * i + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_sequences),
		cmocka_unit_test(random_sequences_without_snooping),
		cmocka_unit_test(random_sequences_with_vectors),
	};

	return cmocka_run_group_tests_name("pagetable-random", tests, NULL, NULL);
}
