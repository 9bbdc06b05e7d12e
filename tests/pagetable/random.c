/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random maps and unmaps against a map of pages that the test keeps, failing allocations included.
 */
#include "table.h"

#include <stdlib.h>

/* --- against a map of pages */

#define WINDOWS 6     /* separate stretches of I/O addresses */
#define PAGES	2048u /* of each: four 2 MiB regions */
#define SPACE	(WINDOWS * PAGES)

struct reference {
	uint64_t base[WINDOWS];
	uint64_t page[SPACE];  /* phys | 1 */
	uint64_t begin[SPACE]; /* first page of the mapping, plus one */
	uint64_t len[SPACE];
};

static void reference_init(struct reference *r, unsigned int levels)
{
	uint64_t top = (uint64_t)1 << (12 + 9 * levels);

	memset(r, 0, sizeof(*r));
	r->base[0] = 0;
	r->base[1] = G1 - PAGES * K4 / 2;
	r->base[2] = 7 * G1;
	r->base[3] = top / 2 - PAGES * K4 / 2;
	r->base[4] = top - G1;
	r->base[5] = top - PAGES * K4;
}

static uint64_t reference_iova(const struct reference *r, uint64_t i)
{
	return r->base[i / PAGES] + i % PAGES * K4;
}

/* Every page through the walker and through the library, sampled by @step. */
static void compare(const struct fixture *f, const struct reference *r, uint64_t from,
		    uint64_t step)
{
	for (uint64_t i = from; i < SPACE; i += step) {
		uint64_t iova = reference_iova(r, i);
		struct found found = walk(f, iova);
		uint64_t inside = ((uint64_t)1 << (12 + 9 * found.level)) - 1;
		phys_addr_t phys;

		if (!r->page[i]) {
			expect_hole(f, iova);
			continue;
		}
		assert_int_equal(found.entry & 0xfff, found.level ? 0x83 : 3);
		assert_int_equal((found.entry & ~(uint64_t)0xfff) + (iova & inside),
				 r->page[i] - 1);
		assert_int_equal(f->pt->ops->iova_to_phys(f->pt, iova | 0x123, &phys), 0);
		assert_int_equal(phys, (r->page[i] - 1) | 0x123);
	}
}

static uint64_t random_piece(struct reference *r, uint64_t *rng, uint64_t at, uint64_t room,
			     struct dma_vec *v)
{
	uint64_t pages = 1 + fake_random(rng) % (fake_random(rng) % 4 ? 6 : 1200);

	if (pages > room)
		pages = room;
	v->phys = ((fake_random(rng) & 0xfff) << 30) + G1 * 4;
	/* Congruent often enough for large leaves. */
	v->phys += fake_random(rng) % 2 ? reference_iova(r, at) % G1
					: (fake_random(rng) % 0x40000) * K4;
	v->len = pages * K4;
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
		f->pt->ops->sync_map(f->pt, reference_iova(r, begin), (at - begin) * K4);
	if (f->fake.allocs >= f->fake.fail_at && f->fake.fail_at && err == -DMAMAP_ENOMEM)
		return;
	assert_int_equal(err, free_range ? 0 : -DMAMAP_EADDRINUSE);
	if (err)
		return;
	at = begin;
	for (size_t k = 0; k < n; k++) {
		for (uint64_t p = 0; p < vec[k].len; p += K4, at++) {
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
	n = r->len[i];
	assert_int_equal(unmap(f, reference_iova(r, i), n * K4), n * K4);
	memset(&r->page[i], 0, n * sizeof(r->page[0]));
	memset(&r->begin[i], 0, n * sizeof(r->begin[0]));
	if (fake_random(rng) % 2)
		settle(f);
}

static void random_walk(unsigned int levels, bool caches, uint64_t seed)
{
	struct reference *r = malloc(sizeof(*r));
	uint64_t rng = seed + levels * 2 + caches;
	struct fixture f;

	assert_non_null(r);
	start(&f, levels, caches);
	reference_init(r, levels);
	for (int step = 0; step < 4000; step++) {
		if (fake_random(&rng) % 2)
			random_map(&f, r, &rng);
		else
			random_unmap(&f, r, &rng);
		compare(&f, r, fake_random(&rng) % 499, 499);
		if (step % 400 == 0)
			compare(&f, r, 0, 1);
	}
	f.fake.fail_at = 0;
	for (uint64_t i = 0; i < SPACE; i++) {
		if (!r->begin[i])
			continue;
		assert_int_equal(unmap(&f, reference_iova(r, i), r->len[i] * K4), r->len[i] * K4);
		i += r->len[i] - 1;
	}
	settle(&f);
	assert_int_equal(bytes(&f), K4);
	memset(r->page, 0, sizeof(r->page));
	compare(&f, r, 0, 1);
	finish(&f);
	free(r);
}

static void random_sequences(void **state)
{
	uint64_t seed = fake_seed();

	(void)state;
	for (unsigned int levels = 3; levels <= 5; levels++)
		random_walk(levels, false, seed);
}

static void random_sequences_without_snooping(void **state)
{
	uint64_t seed = fake_seed();

	(void)state;
	for (unsigned int levels = 3; levels <= 5; levels++)
		random_walk(levels, true, seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_sequences),
		cmocka_unit_test(random_sequences_without_snooping),
	};

	return cmocka_run_group_tests_name("pagetable-random", tests, NULL, NULL);
}
