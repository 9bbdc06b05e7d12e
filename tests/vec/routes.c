/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vectors over every route, on a machine whose device moves the bytes: what the device is told, what it reads, what
 * the CPU finds afterwards, and what the device reaches before and after. The oracle is here and is slow: it lays the
 * vectors out by the rules of docs/semantics.md, "Vectors", on its own.
 */
#include "route.h"

struct shape {
	struct dma_phys_vec vec[MAX_VECS];
	size_t n;
	uint64_t bytes;
};

enum style {
	WHOLE,	 /* pages */
	MEETING, /* unaligned only where the whole begins and ends */
	ODD,	 /* anything */
	STYLES,
};

/** Lay @n vectors out, RAM and MMIO mixed, without overlap, some of them side by side. */
static void any_shape(struct world *w, struct shape *s, enum style style, size_t n)
{
	uint64_t at[2] = { 0, 0 };

	memset(s, 0, sizeof(*s));
	s->n = n;
	for (size_t i = 0; i < n; i++) {
		struct dma_phys_vec *vec = &s->vec[i];
		bool mmio = below(w, 3) == 0;
		uint64_t *end = &at[mmio];
		uint64_t len = PAGE * (1 + below(w, 4));

		*end = (*end + PAGE - 1) / PAGE * PAGE + PAGE * below(w, 3);
		if (style == ODD) {
			*end += below(w, 2) * below(w, PAGE);
			len = 1 + below(w, 3 * PAGE);
		}
		if (style == MEETING && !i)
			*end += 8;
		if (style == MEETING && i == n - 1)
			len += 3;
		if (mmio && w->route->untrusted) /* less than whole granules is refused */
			*end = (*end + PAGE - 1) / PAGE * PAGE;
		vec->phys = (mmio ? w->mmio : w->ram) + *end;
		vec->len = style == MEETING && !i && n > 1 ? len - 8 : len;
		if (mmio && w->route->untrusted)
			vec->len = (vec->len + PAGE - 1) / PAGE * PAGE;
		vec->attrs = mmio ? DMA_ATTR_MMIO : 0;
		*end += vec->len;
		assert_true(*end <= ARENA);
		s->bytes += vec->len;
	}
}

/** Does an untrusted device have to bounce one of them? Then each is mapped by itself. */
static bool is_run(const struct world *w, const struct shape *s)
{
	if (w->route->route != DMA_ROUTE_IOMMU)
		return false;
	for (size_t i = 0; i < s->n && w->route->untrusted; i++)
		if (!s->vec[i].attrs && (s->vec[i].phys | s->vec[i].len) % PAGE)
			return false;
	return true;
}

/* --- the oracle: what the device must be told */

struct oracle {
	struct world *w;
	const struct shape *s;
	bool run;
	size_t i;
	uint64_t base; /* of the run */
	uint64_t at;
	uint64_t addr; /* of the open range */
	uint64_t left;
	bool known; /* false: a slot, whose place only the pool knows */
};

static bool joins(const struct oracle *o, size_t i)
{
	return o->run && i && (o->s->vec[i - 1].phys + o->s->vec[i - 1].len) % PAGE == 0 &&
	       o->s->vec[i].phys % PAGE == 0;
}

static bool slot(const struct oracle *o, const struct dma_phys_vec *vec)
{
	if (vec->attrs & DMA_ATTR_MMIO)
		return false;
	return o->w->route->bounces || (o->w->route->untrusted && (vec->phys | vec->len) % PAGE);
}

/** The next range, before limits. */
static void next_range(struct oracle *o)
{
	const struct dma_phys_vec *vec = &o->s->vec[o->i];

	o->known = o->run || (o->w->route->route != DMA_ROUTE_IOMMU && !slot(o, vec));
	o->addr = o->run ? o->base + o->at + vec->phys % PAGE : vec->phys + o->w->route->offset;
	o->left = 0;
	do {
		vec = &o->s->vec[o->i];
		o->left += vec->len;
		o->at += (vec->phys % PAGE + vec->len + PAGE - 1) / PAGE * PAGE;
		o->i++;
	} while (o->i < o->s->n && joins(o, o->i));
}

/** Is @seg what has to come now? */
static void expect_segment(struct oracle *o, const struct dma_vec_seg *seg)
{
	uint64_t boundary = dma_get_seg_boundary(o->w->dev);
	uint64_t max = dma_get_max_seg_size(o->w->dev);
	uint64_t len;

	if (!o->left) {
		assert_true(o->i < o->s->n);
		if (!o->i)
			o->base = seg->addr - o->s->vec[0].phys % PAGE;
		next_range(o);
		if (!o->known)
			o->addr = seg->addr;
	}
	assert_true(seg->addr == o->addr);
	len = o->left < max ? o->left : max;
	while (boundary != ~0ull &&
	       seg->addr / (boundary + 1) != (seg->addr + len - 1) / (boundary + 1))
		len--;
	assert_int_equal(seg->len, len);
	o->addr += len;
	o->left -= len;
}

/* --- moving data */

struct segs {
	struct dma_vec_seg seg[4096];
	size_t n;
};

/** Walk to the end, or @stop segments far. */
static int walk(struct world *w, struct dma_vec_map *map, const struct shape *s, struct segs *segs,
		size_t stop)
{
	struct oracle o = { .w = w, .s = s, .run = is_run(w, s) };
	int got = 1;

	segs->n = 0;
	while (segs->n < stop && (got = dma_vec_map_next(map, &segs->seg[segs->n])) > 0) {
		assert_true(segs->n < 4095);
		expect_segment(&o, &segs->seg[segs->n++]);
	}
	if (!got)
		assert_true(o.i == s->n && !o.left);
	return got;
}

static void device_reads(struct world *w, const struct segs *segs, unsigned char *to)
{
	for (size_t i = 0; i < segs->n; to += segs->seg[i++].len)
		assert_int_equal(
			sim_dma_read(w->device, segs->seg[i].addr, to, segs->seg[i].len, NULL), 0);
}

static void device_writes(struct world *w, const struct segs *segs, const unsigned char *from)
{
	for (size_t i = 0; i < segs->n; from += segs->seg[i++].len)
		assert_int_equal(
			sim_dma_write(w->device, segs->seg[i].addr, from, segs->seg[i].len, NULL),
			0);
}

/** The vectors' bytes in a copy of the arenas, one after another; or the other way round. */
static void gather(const struct world *w, const struct shape *s, unsigned char *copy,
		   unsigned char *bytes, bool back)
{
	for (size_t i = 0; i < s->n; bytes += s->vec[i++].len) {
		unsigned char *at = in_copy(w, copy, s->vec[i].phys);

		if (back)
			memcpy(at, bytes, s->vec[i].len);
		else
			memcpy(bytes, at, s->vec[i].len);
	}
}

/** Behind an IOMMU: nothing at these addresses. */
static void expect_closed(struct world *w, const struct segs *segs)
{
	unsigned char byte = 0;

	if (!w->iommu)
		return;
	for (size_t i = 0; i < segs->n; i++) {
		assert_int_equal(sim_dma_read(w->device, segs->seg[i].addr, &byte, 1, NULL),
				 -DMAMAP_EFAULT);
		assert_int_equal(sim_dma_write(w->device, segs->seg[i].addr + segs->seg[i].len - 1,
					       &byte, 1, NULL),
				 -DMAMAP_EFAULT);
	}
}

/** Behind an IOMMU: no byte outside of the granules, and nothing against the direction. */
static void expect_exact(struct world *w, const struct shape *s, const struct segs *segs,
			 enum dma_data_direction dir)
{
	uint64_t first = segs->seg[0].addr / PAGE * PAGE;
	uint64_t end = first;
	unsigned char byte = 0;

	if (!w->iommu || !is_run(w, s))
		return;
	for (size_t i = 0; i < s->n; i++)
		end += (s->vec[i].phys % PAGE + s->vec[i].len + PAGE - 1) / PAGE * PAGE;
	assert_int_equal(sim_dma_read(w->device, first - 1, &byte, 1, NULL), -DMAMAP_EFAULT);
	assert_int_equal(sim_dma_read(w->device, end, &byte, 1, NULL), -DMAMAP_EFAULT);
	if (dir == DMA_TO_DEVICE)
		assert_int_equal(sim_dma_write(w->device, segs->seg[0].addr, &byte, 1, NULL),
				 -DMAMAP_EFAULT);
	if (dir == DMA_FROM_DEVICE)
		assert_int_equal(sim_dma_read(w->device, segs->seg[0].addr, &byte, 1, NULL),
				 -DMAMAP_EFAULT);
}

/** Map, let the device move everything, unmap; the arenas hold what they must, and no byte beside it changed. */
static void round_trip(struct world *w, struct shape *s, enum dma_data_direction dir)
{
	unsigned char *before = copy_arenas(w);
	unsigned char *bytes = malloc(2 * s->bytes);
	struct segs *segs = malloc(sizeof(*segs));
	struct dma_vec_map map;
	unsigned char *after;

	assert_true(bytes && segs);
	assert_int_equal(dma_vec_map_start(w->dev, &map, s->vec, s->n, dir, 0), 0);
	assert_int_equal(map.bytes, s->bytes);
	assert_int_equal(walk(w, &map, s, segs, ~(size_t)0), 0);
	gather(w, s, before, bytes, false);
	expect_exact(w, s, segs, dir);
	if (dir != DMA_FROM_DEVICE) {
		device_reads(w, segs, bytes + s->bytes);
		assert_memory_equal(bytes, bytes + s->bytes, s->bytes);
	}
	if (dir != DMA_TO_DEVICE) {
		for (uint64_t i = 0; i < s->bytes; i++)
			bytes[i] = (unsigned char)(bytes[i] * 5 + 1);
		device_writes(w, segs, bytes);
		gather(w, s, before, bytes, true);
	}
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	world_idle(w);
	expect_closed(w, segs);
	after = copy_arenas(w);
	assert_memory_equal(before, after, 2 * ARENA);
	free(before);
	free(after);
	free(bytes);
	free(segs);
}

/** A slot never crosses the device's boundary, so that a vector that bounces has to fit between two. */
static void set_limits(struct world *w)
{
	unsigned int choices = w->pool ? 2 : 4;
	static const uint64_t boundaries[] = { ~0ull, 0xffff, 0xfff, 0x1ff };
	static const unsigned int sizes[] = { 1u << 31, 65536, 4096, 1000 };

	assert_int_equal(dma_set_seg_boundary(w->dev, boundaries[below(w, choices)]), 0);
	assert_int_equal(dma_set_max_seg_size(w->dev, sizes[below(w, 4)]), 0);
}

static void random_vectors(void **state)
{
	static const enum dma_data_direction dirs[] = { DMA_TO_DEVICE, DMA_FROM_DEVICE,
							DMA_BIDIRECTIONAL };
	struct world *w = world_new(*state, route_seed());
	struct shape *s = malloc(sizeof(*s));

	assert_non_null(s);
	fill_arenas(w);
	for (int i = 0; i < 30; i++) {
		set_limits(w);
		any_shape(w, s, (enum style)below(w, STYLES), 1 + below(w, MAX_VECS));
		round_trip(w, s, dirs[below(w, 3)]);
	}
	free(s);
	world_end(w);
}

/* --- stopping half-way */

static void stop_at(struct world *w, struct shape *s, struct segs *segs, size_t stop)
{
	struct dma_error why;
	struct dma_vec_map map;
	int got;

	assert_int_equal(dma_vec_map_start(w->dev, &map, s->vec, s->n, DMA_TO_DEVICE, 0), 0);
	got = walk(w, &map, s, segs, stop);
	assert_true(got >= 0);
	assert_int_equal(dma_vec_unmap(&map, DMA_ATTR_SKIP_CPU_SYNC), 0);
	world_idle(w);
	expect_closed(w, segs);
	/* a second time is found, and the state gives nothing any more */
	assert_int_equal(dma_vec_unmap(&map, 0), -DMAMAP_EINVAL);
	assert_int_equal(dma_device_last_error(w->dev, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_NOT_MAPPED);
	assert_int_equal(dma_vec_map_next(&map, &segs->seg[0]), -DMAMAP_EINVAL);
	assert_int_equal(dma_vec_map_rewind(&map), -DMAMAP_EINVAL);
	assert_int_equal(dma_vec_sync_for_cpu(&map, 0, DMA_VEC_ALL), -DMAMAP_EINVAL);
	world_idle(w);
}

static void stopped_everywhere(void **state)
{
	struct world *w = world_new(*state, 7);
	struct segs *segs = malloc(sizeof(*segs));
	struct shape *s = malloc(sizeof(*s));

	assert_true(s && segs);
	fill_arenas(w);
	assert_int_equal(dma_set_max_seg_size(w->dev, 8192), 0);
	for (enum style style = WHOLE; style < STYLES; style++) {
		any_shape(w, s, style, 9);
		for (size_t stop = 0; stop < 40; stop++)
			stop_at(w, s, segs, stop);
	}
	free(segs);
	free(s);
	world_end(w);
}

/** Rewound, everything has the same address, and nothing is mapped anew. */
static void rewound(void **state)
{
	struct world *w = world_new(*state, 9);
	struct segs *segs = malloc(2 * sizeof(*segs));
	struct shape *s = malloc(sizeof(*s));
	struct dma_vec_map map;
	uint64_t live;

	assert_true(s && segs);
	any_shape(w, s, ODD, 12);
	assert_int_equal(dma_vec_map_start(w->dev, &map, s->vec, s->n, DMA_TO_DEVICE, 0), 0);
	walk(w, &map, s, &segs[0], 5);
	assert_int_equal(dma_vec_map_rewind(&map), 0);
	assert_int_equal(walk(w, &map, s, &segs[0], ~(size_t)0), 0);
	live = dma_device_live(w->dev);
	assert_int_equal(dma_vec_map_rewind(&map), 0);
	assert_int_equal(walk(w, &map, s, &segs[1], ~(size_t)0), 0);
	assert_int_equal(dma_device_live(w->dev), live);
	assert_int_equal(segs[0].n, segs[1].n);
	assert_memory_equal(segs[0].seg, segs[1].seg, segs[0].n * sizeof(segs[0].seg[0]));
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	free(segs);
	free(s);
	world_end(w);
}

/* --- sync */

/** The CPU sees the part that it asked for, and the device what the CPU wrote there, while everything stays mapped. */
static void synced(void **state)
{
	struct world *w = world_new(*state, route_seed());
	struct segs *segs = malloc(sizeof(*segs));
	struct shape *s = malloc(sizeof(*s));
	unsigned char *bytes;
	unsigned char *copy;
	struct dma_vec_map map;

	assert_true(s && segs);
	for (int round = 0; round < 12; round++) {
		uint64_t from, len;

		fill_arenas(w);
		any_shape(w, s, ODD, 1 + below(w, 10));
		bytes = malloc(2 * s->bytes);
		assert_non_null(bytes);
		assert_int_equal(
			dma_vec_map_start(w->dev, &map, s->vec, s->n, DMA_BIDIRECTIONAL, 0), 0);
		assert_int_equal(walk(w, &map, s, segs, ~(size_t)0), 0);
		memset(bytes, 0x5a + round, s->bytes);
		device_writes(w, segs, bytes);
		from = round ? below(w, s->bytes) : 0;
		len = 1 + below(w, s->bytes - from);
		assert_int_equal(dma_vec_sync_for_cpu(&map, from, round ? len : DMA_VEC_ALL), 0);
		copy = copy_arenas(w);
		gather(w, s, copy, bytes + s->bytes, false);
		assert_memory_equal(bytes + from, bytes + s->bytes + from, round ? len : s->bytes);
		free(copy);
		assert_int_equal(dma_vec_sync_for_device(&map, from, round ? len : DMA_VEC_ALL), 0);
		assert_int_equal(dma_vec_unmap(&map, 0), 0);
		copy = copy_arenas(w);
		gather(w, s, copy, bytes + s->bytes, false);
		assert_memory_equal(bytes, bytes + s->bytes, s->bytes);
		free(copy);
		free(bytes);
	}
	free(segs);
	free(s);
	world_end(w);
}

/** What the CPU wrote between the two syncs reaches the device. */
static void synced_to_device(void **state)
{
	struct world *w = world_new(*state, 3);
	struct dma_phys_vec vec[2] = { { .phys = w->ram + 0x800, .len = 0x1000 },
				       { .phys = w->ram + 0x4040, .len = 0x300 } };
	struct dma_vec_map map;
	struct dma_vec_seg seg[2];
	unsigned char got[4];

	fill_arenas(w);
	assert_int_equal(dma_vec_map_start(w->dev, &map, vec, 2, DMA_TO_DEVICE, 0), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(dma_vec_map_next(&map, &seg[i]), 1);
	assert_int_equal(dma_vec_sync_for_cpu(&map, 0x1040, 4), 0);
	assert_int_equal(sim_cpu_write(w->m, vec[1].phys + 0x40, "abc", 4), 0);
	assert_int_equal(dma_vec_sync_for_device(&map, 0x1040, 4), 0);
	assert_int_equal(sim_dma_read(w->device, seg[1].addr + 0x40, got, 4, NULL), 0);
	assert_string_equal((char *)got, "abc");
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	world_end(w);
}

/* --- failures */

/** Each allocation fails in turn: the call that failed holds nothing, and the reason is there. */
static void allocations_fail(void **state)
{
	struct world *w = world_new(*state, 5);
	struct segs *segs = malloc(sizeof(*segs));
	struct shape *s = malloc(sizeof(*s));
	struct dma_vec_map map;
	struct dma_error why;
	bool done = false;

	assert_true(s && segs);
	any_shape(w, s, ODD, MAX_VECS);
	for (uint64_t nth = 1; !done; nth++) {
		uint64_t used = sim_memory_used(w->m);
		int got;

		sim_fail_alloc(w->m, nth);
		got = dma_vec_map_start(w->dev, &map, s->vec, s->n, DMA_BIDIRECTIONAL, 0);
		if (!got) {
			got = walk(w, &map, s, segs, ~(size_t)0);
			assert_int_equal(dma_vec_unmap(&map, 0), 0);
		}
		sim_fail_alloc(w->m, 0);
		done = !got;
		world_idle(w);
		if (got) {
			assert_int_equal(got, -DMAMAP_ENOMEM);
			assert_int_equal(dma_last_error(w->dev, &why), 0);
			assert_int_equal(why.reason, DMA_REASON_NO_MEMORY);
			assert_true(sim_memory_used(w->m) <= used + (64 << 10));
		}
		assert_true(nth < 100);
	}
	free(segs);
	free(s);
	world_end(w);
}

/** A vector that the pool cannot take stops the walk; what was mapped before is undone by the unmap. */
static void pool_runs_out(void **state)
{
	struct world *w = world_new(*state, 5);
	struct dma_phys_vec vec[MAX_VECS];
	struct dma_vec_map map;
	struct dma_vec_seg seg;
	struct dma_error why;
	size_t given = 0;
	int got;

	for (size_t i = 0; i < MAX_VECS; i++)
		vec[i] = (struct dma_phys_vec){ .phys = w->ram + i * 64 + 1, .len = 1 << 20 };
	assert_int_equal(dma_vec_map_start(w->dev, &map, vec, MAX_VECS, DMA_TO_DEVICE, 0), 0);
	while ((got = dma_vec_map_next(&map, &seg)) > 0)
		given++;
	assert_true(given > 0 && given < MAX_VECS);
	assert_int_equal(got, -DMAMAP_ENOMEM);
	assert_int_equal(map.index, given);
	assert_int_equal(dma_last_error(w->dev, &why), 0);
	assert_true(why.reason == DMA_REASON_BOUNCE_EXHAUSTED ||
		    why.reason == DMA_REASON_BOUNCE_FRAGMENTED);
	assert_int_equal(dma_vec_map_next(&map, &seg), -DMAMAP_ENOMEM);
	/* what is mapped can be synced, what is not cannot */
	assert_int_equal(dma_vec_sync_for_device(&map, 0, DMA_VEC_ALL), 0);
	assert_int_equal(dma_vec_sync_for_device(&map, 0, (given << 20) + 1), -DMAMAP_EINVAL);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	world_end(w);
}

int main(void)
{
	static const struct {
		const char *what;
		CMUnitTestFunction fn;
		bool pools_only;
	} tests[] = {
		{ "random vectors, data moved, nothing beside them", random_vectors, false },
		{ "stopped at every segment: exactly what was mapped is undone", stopped_everywhere,
		  false },
		{ "rewound: same addresses, nothing mapped anew", rewound, false },
		{ "syncs of parts, for the CPU", synced, false },
		{ "syncs of parts, for the device", synced_to_device, false },
		{ "each allocation failing in turn", allocations_fail, false },
		{ "a pool that runs out stops the walk", pool_runs_out, true },
	};
	static struct CMUnitTest all[128];
	static char names[128][160];
	size_t n = 0;

	for (unsigned int r = 0; r < nr_routes; r++) {
		for (size_t t = 0; t < sizeof(tests) / sizeof(tests[0]); t++) {
			if (tests[t].pools_only && !routes[r].bounces && !routes[r].untrusted)
				continue;
			snprintf(names[n], sizeof(names[n]), "%s: %s", routes[r].name,
				 tests[t].what);
			all[n] = (struct CMUnitTest){
				.name = names[n],
				.test_func = tests[t].fn,
				.initial_state = (void *)(uintptr_t)&routes[r],
			};
			n++;
		}
	}
	return _cmocka_run_group_tests("vec-routes", all, n, NULL, NULL);
}
