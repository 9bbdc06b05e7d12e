/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists over every route, on machines whose device moves the bytes: chains and tables, syncs, the limits of segments,
 * and what the queries say before and after a list has bounced.
 */
#include "route.h"

#define MAX_ELEMENTS 40u

/** A table whose elements lie in up to three chained arrays. */
struct chained {
	struct scatterlist array[3][MAX_ELEMENTS + 1];
	struct sg_table table;
	phys_addr_t phys[MAX_ELEMENTS];
	uint64_t len[MAX_ELEMENTS];
	unsigned int n;
	uint64_t bytes;
};

static void lay_chains(struct world *w, struct chained *c)
{
	unsigned int first = 1 + (unsigned int)below(w, c->n);
	unsigned int counts[3] = { first, c->n - first, 0 };
	unsigned int i = 0;

	if (counts[1] > 1) {
		counts[2] = (unsigned int)below(w, counts[1]);
		counts[1] -= counts[2];
	}
	for (unsigned int a = 0; a < 3 && counts[a]; a++) {
		bool more = a < 2 && counts[a + 1];

		sg_init_table(c->array[a], counts[a] + more);
		for (unsigned int e = 0; e < counts[a]; e++, i++)
			sg_set_phys(&c->array[a][e], c->phys[i], (unsigned int)c->len[i]);
		if (more)
			sg_chain(c->array[a], counts[a] + 1, c->array[a + 1]);
	}
	c->table = (struct sg_table){ .sgl = c->array[0], .orig_nents = c->n };
}

/** @n elements in the arena's RAM, in pages or of any shape, some of them side by side. */
static void any_list(struct world *w, struct chained *c, unsigned int n, bool odd)
{
	uint64_t at = 0;

	memset(c, 0, sizeof(*c));
	c->n = n;
	for (unsigned int i = 0; i < n; i++) {
		at = (at + PAGE - 1) / PAGE * PAGE + PAGE * below(w, 2);
		at += odd ? below(w, 2) * below(w, PAGE) : 0;
		c->phys[i] = w->ram + at;
		c->len[i] = odd ? 1 + below(w, 3 * PAGE) : PAGE * (1 + below(w, 4));
		at += c->len[i];
		c->bytes += c->len[i];
	}
	assert_true(at < ARENA);
	lay_chains(w, c);
}

static void gather(const struct world *w, const struct chained *c, unsigned char *copy,
		   unsigned char *bytes, bool back)
{
	for (unsigned int i = 0; i < c->n; bytes += c->len[i++]) {
		unsigned char *at = in_copy(w, copy, c->phys[i]);

		if (back)
			memcpy(at, bytes, c->len[i]);
		else
			memcpy(bytes, at, c->len[i]);
	}
}

/** The device moves all DMA elements, one after another. */
static void device_moves(struct world *w, struct chained *c, unsigned char *bytes, bool write)
{
	struct scatterlist *sg = c->table.sgl;
	uint64_t moved = 0;

	for (unsigned int i = 0; i < c->table.nents; i++, sg = sg_next(sg)) {
		int err;

		assert_true(sg && sg_dma_len(sg));
		if (write)
			err = sim_dma_write(w->device, sg_dma_address(sg), bytes + moved,
					    sg_dma_len(sg), NULL);
		else
			err = sim_dma_read(w->device, sg_dma_address(sg), bytes + moved,
					   sg_dma_len(sg), NULL);
		assert_int_equal(err, 0);
		moved += sg_dma_len(sg);
	}
	assert_int_equal(moved, c->bytes);
}

/**
 * Limits, from the mapped list alone: a DMA element that holds several CPU elements keeps size and boundary; one that
 * crosses a boundary is one CPU element which is longer than that.
 */
static void expect_limits(struct world *w, struct chained *c)
{
	uint64_t boundary = dma_get_seg_boundary(w->dev);
	uint64_t max = dma_get_max_seg_size(w->dev);
	struct scatterlist *sg = c->table.sgl;
	unsigned int cpu = 0;

	for (unsigned int i = 0; i < c->table.nents; i++, sg = sg_next(sg)) {
		uint64_t len = sg_dma_len(sg);
		uint64_t sum = 0;
		unsigned int holds = 0;
		bool crosses = boundary != ~0ull &&
			       (sg_dma_address(sg) ^ (sg_dma_address(sg) + len - 1)) > boundary;

		assert_int_equal((sg_dma_address(sg) ^ c->phys[cpu]) % PAGE * !w->route->bounces *
					 !w->route->untrusted,
				 0);
		while (sum < len) {
			sum += c->len[cpu++];
			holds++;
		}
		assert_int_equal(sum, len);
		if (holds > 1)
			assert_true(len <= max && !crosses);
		if (crosses && w->route->route == DMA_ROUTE_IOMMU)
			assert_true(len + PAGE > boundary);
		if (w->route->route != DMA_ROUTE_IOMMU)
			assert_int_equal(holds, 1);
	}
	assert_int_equal(cpu, c->n);
	for (unsigned int i = c->table.nents; i < c->n; i++, sg = sg_next(sg))
		assert_int_equal(sg_dma_len(sg), 0);
}

static void round_trip(struct world *w, struct chained *c, enum dma_data_direction dir)
{
	unsigned char *before = copy_arenas(w);
	unsigned char *bytes = malloc(2 * c->bytes);
	unsigned char *after;

	assert_non_null(bytes);
	assert_int_equal(dma_map_sgtable(w->dev, &c->table, dir, 0), 0);
	expect_limits(w, c);
	gather(w, c, before, bytes, false);
	if (dir != DMA_FROM_DEVICE) {
		device_moves(w, c, bytes + c->bytes, false);
		assert_memory_equal(bytes, bytes + c->bytes, c->bytes);
	}
	if (dir != DMA_TO_DEVICE) {
		for (uint64_t i = 0; i < c->bytes; i++)
			bytes[i] = (unsigned char)(bytes[i] * 3 + 7);
		device_moves(w, c, bytes, true);
		gather(w, c, before, bytes, true);
	}
	dma_unmap_sgtable(w->dev, &c->table, dir, 0);
	world_idle(w);
	after = copy_arenas(w);
	assert_memory_equal(before, after, 2 * ARENA);
	free(before);
	free(after);
	free(bytes);
}

static void chained_tables(void **state)
{
	static const enum dma_data_direction dirs[] = { DMA_TO_DEVICE, DMA_FROM_DEVICE,
							DMA_BIDIRECTIONAL };
	static const uint64_t boundaries[] = { ~0ull, 0x7fff, 0x3fff };
	static const unsigned int sizes[] = { 1u << 31, 0x8000, 0x3000 };
	struct world *w = world_new(*state, route_seed());
	struct chained *c = malloc(sizeof(*c));

	assert_non_null(c);
	fill_arenas(w);
	for (int i = 0; i < 30; i++) {
		any_list(w, c, 1 + (unsigned int)below(w, MAX_ELEMENTS), below(w, 2));
		assert_int_equal(dma_set_seg_boundary(w->dev, boundaries[below(w, 3)]), 0);
		assert_int_equal(dma_set_max_seg_size(w->dev, sizes[below(w, 3)]), 0);
		round_trip(w, c, dirs[below(w, 3)]);
	}
	free(c);
	world_end(w);
}

/** Between the syncs of a table the CPU sees what the device wrote, and the device what the CPU wrote. */
static void synced_tables(void **state)
{
	struct world *w = world_new(*state, route_seed());
	struct chained *c = malloc(sizeof(*c));

	assert_non_null(c);
	for (int round = 0; round < 10; round++) {
		unsigned char *bytes;
		unsigned char *copy;

		fill_arenas(w);
		any_list(w, c, 1 + (unsigned int)below(w, 12), true);
		bytes = malloc(2 * c->bytes);
		assert_non_null(bytes);
		memset(bytes, 0x40 + round, c->bytes);
		assert_int_equal(dma_map_sgtable(w->dev, &c->table, DMA_BIDIRECTIONAL, 0), 0);
		device_moves(w, c, bytes, true);
		dma_sync_sgtable_for_cpu(w->dev, &c->table, DMA_BIDIRECTIONAL);
		copy = copy_arenas(w);
		gather(w, c, copy, bytes + c->bytes, false);
		assert_memory_equal(bytes, bytes + c->bytes, c->bytes);
		memset(bytes, 0x80 + round, c->bytes);
		for (unsigned int i = 0; i < c->n; i++)
			assert_int_equal(sim_cpu_write(w->m, c->phys[i], bytes, c->len[i]), 0);
		dma_sync_sgtable_for_device(w->dev, &c->table, DMA_BIDIRECTIONAL);
		device_moves(w, c, bytes + c->bytes, false);
		assert_memory_equal(bytes, bytes + c->bytes, c->bytes);
		dma_unmap_sgtable(w->dev, &c->table, DMA_BIDIRECTIONAL, 0);
		free(copy);
		free(bytes);
	}
	free(c);
	world_end(w);
}

/** Each allocation fails in turn: no element is mapped, and the count is what it was. */
static void allocations_fail(void **state)
{
	struct world *w = world_new(*state, 5);
	struct chained *c = malloc(sizeof(*c));
	struct dma_error why;
	bool done = false;

	assert_non_null(c);
	any_list(w, c, MAX_ELEMENTS, true);
	for (uint64_t nth = 1; !done; nth++) {
		int err;

		sim_fail_alloc(w->m, nth);
		err = dma_map_sgtable(w->dev, &c->table, DMA_TO_DEVICE, 0);
		sim_fail_alloc(w->m, 0);
		done = !err;
		if (done) {
			dma_unmap_sgtable(w->dev, &c->table, DMA_TO_DEVICE, 0);
		} else {
			assert_int_equal(dma_last_error(w->dev, &why), 0);
			assert_int_equal(why.reason, DMA_REASON_NO_MEMORY);
			assert_int_equal(c->table.nents, 0);
		}
		world_idle(w);
		assert_true(nth < 100);
	}
	free(c);
	world_end(w);
}

/* --- limits, one by one */

/** Five pages that meet: how many DMA elements the device sees. */
static unsigned int five_pages(struct world *w)
{
	struct scatterlist sg[5];
	unsigned int got;

	sg_init_table(sg, 5);
	for (unsigned int i = 0; i < 5; i++)
		sg_set_phys(&sg[i], w->ram + 2 * PAGE * i, PAGE);
	got = dma_map_sg(w->dev, sg, 5, DMA_TO_DEVICE);
	if (got)
		dma_unmap_sg(w->dev, sg, 5, DMA_TO_DEVICE);
	return got;
}

static void limits(void **state)
{
	struct world *w = world_new(*state, 1);
	bool merges = w->route->route == DMA_ROUTE_IOMMU;

	assert_int_equal(five_pages(w), merges ? 1 : 5);
	assert_int_equal(dma_set_max_seg_size(w->dev, 3 * PAGE), 0);
	assert_int_equal(five_pages(w), merges ? 2 : 5);
	assert_int_equal(dma_set_max_seg_size(w->dev, PAGE - 1), 0);
	assert_int_equal(five_pages(w), 5);
	assert_int_equal(dma_set_max_seg_size(w->dev, 1u << 31), 0);
	assert_int_equal(dma_set_seg_boundary(w->dev, 2 * PAGE - 1), 0);
	assert_int_equal(five_pages(w), merges ? 3 : 5);
	world_end(w);
}

/** The low bits that the device wants kept are, on every route; where they cannot be, the list is refused. */
static void alignment(void **state)
{
	struct world *w = world_new(*state, 1);
	struct scatterlist sg[3];
	struct scatterlist *e;
	struct dma_error why;
	int i;

	assert_int_equal(dma_set_min_align_mask(w->dev, PAGE - 1), 0);
	sg_init_table(sg, 3);
	for (i = 0; i < 3; i++)
		sg_set_phys(&sg[i], w->ram + 3 * PAGE * (unsigned int)i + 0x230, 0x500);
	assert_int_equal(dma_map_sg(w->dev, sg, 3, DMA_TO_DEVICE), 3);
	for_each_sg(sg, e, 3, i) assert_int_equal(sg_dma_address(e) % PAGE, 0x230);
	dma_unmap_sg(w->dev, sg, 3, DMA_TO_DEVICE);
	if (w->route->route == DMA_ROUTE_IOMMU) {
		assert_int_equal(dma_set_min_align_mask(w->dev, 2 * PAGE - 1), 0);
		assert_int_equal(dma_map_sg(w->dev, sg, 3, DMA_TO_DEVICE), 0);
		assert_int_equal(dma_last_error(w->dev, &why), 0);
		assert_int_equal(why.reason, DMA_REASON_ALIGNMENT);
	}
	world_end(w);
}

/* --- queries */

static void queries(void **state)
{
	struct world *w = world_new(*state, 1);
	const struct route *r = w->route;
	bool bounces = r->bounces || r->untrusted;
	/* coherent, and no table, whose sync methods somebody may wait for */
	bool skips = !r->noncoherent && r->route != DMA_ROUTE_OPS;
	struct scatterlist sg[2];

	sg_init_table(sg, 2);
	sg_set_phys(&sg[0], w->ram + 0x10, 0x100);
	sg_set_phys(&sg[1], w->ram + 0x2000, 0x1000);
	assert_int_equal(dmamap_dev_need_sync(w->dev), !skips);
	assert_int_equal(dma_need_unmap(w->dev), !skips || r->route != DMA_ROUTE_DIRECT);
	assert_int_equal(dma_map_sg(w->dev, sg, 2, DMA_FROM_DEVICE), 2);
	/* the first bounce changes the answers: ask after the last map */
	assert_int_equal(dma_need_sync(w->dev, sg_dma_address(&sg[0])), !skips || bounces);
	assert_int_equal(dma_need_unmap(w->dev), !skips || bounces || r->route != DMA_ROUTE_DIRECT);
	dma_unmap_sg(w->dev, sg, 2, DMA_FROM_DEVICE);
	world_idle(w);
	assert_int_equal(dmamap_dev_need_sync(w->dev), !skips || bounces);
	assert_int_equal(dma_device_quiesce(w->dev), 0);
	world_end(w);
}

int main(void)
{
	static const struct {
		const char *what;
		CMUnitTestFunction fn;
	} tests[] = {
		{ "chained tables, data moved, limits kept", chained_tables },
		{ "syncs of tables", synced_tables },
		{ "each allocation failing in turn", allocations_fail },
		{ "segment size and boundary, one by one", limits },
		{ "min-align", alignment },
		{ "need-sync, need-unmap, skip-sync", queries },
	};
	static struct CMUnitTest all[128];
	static char names[128][160];
	size_t n = 0;

	for (unsigned int r = 0; r < nr_routes; r++) {
		for (size_t t = 0; t < sizeof(tests) / sizeof(tests[0]); t++) {
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
	return _cmocka_run_group_tests("vec-lists", all, n, NULL, NULL);
}
