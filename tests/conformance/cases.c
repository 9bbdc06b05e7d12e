/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conformance cases: what a driver may expect of the mapping calls behind any IOMMU. Each case runs in a strict and
 * in a lazy domain of its own, on one machine.
 */
#include "cases.h"

#include <time.h>

static dma_addr_t map(struct target *t, phys_addr_t phys, size_t size, enum dma_data_direction dir)
{
	dma_addr_t addr = dma_map_phys(t->dma, phys, size, dir, 0);

	assert_false(dma_mapping_error(t->dma, addr));
	return addr;
}

/** Ended for the device as well: a lazy domain is flushed. */
static void unmap(struct target *t, dma_addr_t addr, size_t size, enum dma_data_direction dir)
{
	dma_unmap_phys(t->dma, addr, size, dir, 0);
	dma_domain_flush(t->domain);
}

/* --- single mappings */

/** Both ends of a mapping, both ways (16 bytes at a time never leave a page); what lies beside it stays; afterwards nothing is reached. */
static void one_size(struct target *t, uint64_t offset, uint64_t size)
{
	uint64_t bytes = (offset + size + PAGE - 1) / PAGE * PAGE;
	uint64_t end = size < 64 ? size : 64;
	phys_addr_t phys = ram_make(t, bytes, 1);
	dma_addr_t addr = map(t, phys + offset, size, DMA_TO_DEVICE);

	dev_expect(t, addr, offset, end, 1);
	dev_expect(t, addr + size - end, offset + size - end, end, 1);
	unmap(t, addr, size, DMA_TO_DEVICE);
	expect_no_read(t, addr & ~15ull);
	expect_no_read(t, (addr + size - 1) & ~15ull);

	addr = map(t, phys + offset, size, DMA_FROM_DEVICE);
	dev_fill(t, addr, offset, end, 2);
	dev_fill(t, addr + size - end, offset + size - end, end, 2);
	unmap(t, addr, size, DMA_FROM_DEVICE);
	ram_expect(t, phys, 0, offset, 1);
	ram_expect(t, phys, offset, end, 2);
	if (size > 2 * end)
		ram_expect(t, phys, offset + end, size - 2 * end, 1);
	ram_expect(t, phys, offset + size - end, end, 2);
	ram_expect(t, phys, offset + size, bytes - offset - size, 1);
	try_write(t, addr & ~15ull);
	try_write(t, (addr + size - 1) & ~15ull);
	ram_expect(t, phys, offset, end, 2);
	ram_free(t, phys, bytes);
}

static void sizes(struct target *t)
{
	static const uint64_t all[] = { 1, 2, 63, 512, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 17 };

	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		one_size(t, 0, all[i]);
}

static void offsets(struct target *t)
{
	one_size(t, 1, 1);
	one_size(t, 100, 2000);
	one_size(t, PAGE - 1, 2);
	one_size(t, PAGE - 64, 2 * PAGE);
}

/** Large leaves, and a part of one at the end. */
static void large(struct target *t)
{
	one_size(t, 0, 64 * PAGE);
	one_size(t, 0, 2u << 20);
	one_size(t, 0, (4u << 20) + 3 * PAGE);
}

static void directions(struct target *t)
{
	phys_addr_t phys = ram_make(t, PAGE, 1);
	dma_addr_t addr = map(t, phys, PAGE, DMA_TO_DEVICE);

	try_write(t, addr);
	unmap(t, addr, PAGE, DMA_TO_DEVICE);
	ram_expect(t, phys, 0, PAGE, 1);
	addr = map(t, phys, PAGE, DMA_FROM_DEVICE);
	if (t->kind->limits & READS_ALL)
		dev_expect(t, addr, 0, 64, 1);
	else
		expect_no_read(t, addr);
	unmap(t, addr, PAGE, DMA_FROM_DEVICE);
	addr = map(t, phys, PAGE, DMA_BIDIRECTIONAL);
	dev_expect(t, addr, 0, 64, 1);
	dev_fill(t, addr + 64, 64, 64, 2);
	unmap(t, addr, PAGE, DMA_BIDIRECTIONAL);
	ram_expect(t, phys, 0, 64, 1);
	ram_expect(t, phys, 64, 64, 2);
	ram_expect(t, phys, 128, PAGE - 128, 1);
	ram_free(t, phys, PAGE);
}

/** Two mappings of a page, the second of which begins where the first ends: the address of the first. */
static dma_addr_t neighbours(struct target *t, phys_addr_t phys, dma_addr_t *above)
{
	dma_addr_t all[8], found = DMA_MAPPING_ERROR;

	for (unsigned int i = 0; i < 8; i++)
		all[i] = map(t, phys, PAGE, DMA_FROM_DEVICE);
	for (unsigned int i = 0; i < 8 && found == DMA_MAPPING_ERROR; i++)
		for (unsigned int j = 0; j < 8; j++)
			if (all[j] == all[i] + PAGE)
				found = all[i];
	assert_true(found != DMA_MAPPING_ERROR);
	*above = found + PAGE;
	for (unsigned int i = 0; i < 8; i++)
		if (all[i] != found && all[i] != *above)
			unmap(t, all[i], PAGE, DMA_FROM_DEVICE);
	return found;
}

/** What lies in the mapping arrives, what lies beyond is refused, at its own address. */
static void the_edge(struct target *t)
{
	phys_addr_t phys = ram_make(t, 2 * PAGE, 1);
	dma_addr_t addr, above;
	unsigned char buf[64];

	addr = neighbours(t, phys, &above);
	unmap(t, above, PAGE, DMA_FROM_DEVICE);
	for (unsigned int i = 0; i < sizeof(buf); i++)
		buf[i] = ram_byte(PAGE - 32 + i, 2);
	t->kind->dev_write(t, addr + PAGE - 32, buf, sizeof(buf));
	expect_fault(t, addr + PAGE, true);
	unmap(t, addr, PAGE, DMA_FROM_DEVICE);
	ram_expect(t, phys, PAGE - 32, 32, 2);
	ram_expect(t, phys, PAGE, PAGE, 1);
	ram_free(t, phys, 2 * PAGE);
}

/** One page mapped twice: each mapping ends by itself. */
static void twice(struct target *t)
{
	phys_addr_t phys = ram_make(t, PAGE, 1);
	dma_addr_t a = map(t, phys, PAGE, DMA_TO_DEVICE);
	dma_addr_t b = map(t, phys, PAGE, DMA_TO_DEVICE);

	assert_true(a != b);
	dev_expect(t, a, 0, 64, 1);
	dev_expect(t, b, 0, 64, 1);
	unmap(t, a, PAGE, DMA_TO_DEVICE);
	dev_expect(t, b, 0, 64, 1);
	expect_no_read(t, a);
	unmap(t, b, PAGE, DMA_TO_DEVICE);
	expect_no_read(t, b);
	ram_free(t, phys, PAGE);
}

/** An address that comes back leads to its new memory only. */
static void addresses_come_back(struct target *t)
{
	phys_addr_t a = ram_make(t, PAGE, 1);
	phys_addr_t b = ram_make(t, PAGE, 2);

	for (unsigned int i = 0; i < 4; i++) {
		dma_addr_t addr = map(t, a, PAGE, DMA_TO_DEVICE);

		dev_expect(t, addr, 0, 16, 1);
		unmap(t, addr, PAGE, DMA_TO_DEVICE);
		addr = map(t, b, PAGE, DMA_TO_DEVICE);
		dev_expect(t, addr, 0, 16, 2);
		unmap(t, addr, PAGE, DMA_TO_DEVICE);
	}
	ram_free(t, a, PAGE);
	ram_free(t, b, PAGE);
}

static void set_mask(struct target *t, unsigned int bits)
{
	target_leave(t);
	assert_int_equal(dma_set_mask_and_coherent(t->dma, DMA_BIT_MASK(bits)), 0);
	target_enter(t);
}

/** The mask holds, whatever the width of the IOMMU. */
static void masks(struct target *t)
{
	phys_addr_t phys = ram_make(t, PAGE, 1);
	dma_addr_t addr;

	set_mask(t, 28);
	addr = map(t, phys, PAGE, DMA_TO_DEVICE);
	assert_true(addr + PAGE - 1 <= DMA_BIT_MASK(28));
	dev_expect(t, addr, 0, 64, 1);
	unmap(t, addr, PAGE, DMA_TO_DEVICE);
	set_mask(t, 48);
	ram_free(t, phys, PAGE);
}

/* --- the order of invalidation */

/** Until the flush of a lazy domain nobody else gets the address, whatever the device still reaches. */
static void no_address_too_early(struct target *t)
{
	phys_addr_t a = ram_make(t, PAGE, 1);
	phys_addr_t b = ram_make(t, PAGE, 2);
	dma_addr_t first = map(t, a, PAGE, DMA_TO_DEVICE);
	struct dma_domain_stats stats;
	dma_addr_t second;

	dev_expect(t, first, 0, 16, 1);
	dma_unmap_phys(t->dma, first, PAGE, DMA_TO_DEVICE, 0);
	dma_domain_get_stats(t->domain, &stats);
	second = map(t, b, PAGE, DMA_TO_DEVICE);
	if (stats.queued)
		assert_true(second != first);
	dev_expect(t, second, 0, 16, 2);
	unmap(t, second, PAGE, DMA_TO_DEVICE);
	expect_no_read(t, first);
	expect_no_read(t, second);
	ram_free(t, a, PAGE);
	ram_free(t, b, PAGE);
}

/** Out of the domain nothing is reached; back in it, what is mapped then. */
static void out_and_in(struct target *t)
{
	phys_addr_t phys = ram_make(t, PAGE, 1);
	dma_addr_t addr = map(t, phys, PAGE, DMA_TO_DEVICE);

	dev_expect(t, addr, 0, 16, 1);
	unmap(t, addr, PAGE, DMA_TO_DEVICE);
	target_leave(t);
	assert_int_equal(dma_device_set_domain(t->dma, NULL), 0);
	assert_int_equal(dma_device_set_domain(t->dma, t->domain), 0);
	target_enter(t);
	expect_no_read(t, addr);
	addr = map(t, phys, PAGE, DMA_TO_DEVICE);
	dev_expect(t, addr, 0, 16, 1);
	unmap(t, addr, PAGE, DMA_TO_DEVICE);
	ram_free(t, phys, PAGE);
}

/* --- lists, ranges, memory */

/** What the device sees is one stream of bytes, however the list is cut; @write: it writes that of @salt. */
static void stream(struct target *t, struct scatterlist *list, int n, unsigned char salt,
		   bool write)
{
	struct scatterlist *sg;
	uint64_t at = 0;
	int i;

	for_each_sg(list, sg, n, i)
	{
		if (write)
			dev_fill(t, sg_dma_address(sg), at, sg_dma_len(sg), salt);
		else
			dev_expect(t, sg_dma_address(sg), at, sg_dma_len(sg), salt);
		at += sg_dma_len(sg);
	}
}

static void lists(struct target *t)
{
	static const struct {
		unsigned int offset, len;
	} parts[] = { { 0, PAGE }, { 0, 2 * PAGE }, { 512, 100 }, { PAGE - 4, 8 }, { 0, 1 } };
	enum { N = sizeof(parts) / sizeof(parts[0]) };
	struct scatterlist list[N];
	phys_addr_t ram[N];
	uint64_t at = 0;
	dma_addr_t last;
	int n;

	sg_init_table(list, N);
	for (int i = 0; i < N; i++) {
		ram[i] = ram_make(t, 2 * PAGE, 1);
		sg_set_phys(&list[i], ram[i] + parts[i].offset, parts[i].len);
		ram_put(t, ram[i] + parts[i].offset, at, parts[i].len, 2);
		at += parts[i].len;
	}
	n = dma_map_sg(t->dma, list, N, DMA_BIDIRECTIONAL);
	assert_in_range(n, 1, N);
	stream(t, list, n, 2, false);
	stream(t, list, n, 3, true);
	last = sg_dma_address(list);
	dma_unmap_sg(t->dma, list, N, DMA_BIDIRECTIONAL);
	dma_domain_flush(t->domain);
	try_write(t, last);
	at = 0;
	for (int i = 0; i < N; i++) {
		ram_expect(t, ram[i], 0, parts[i].offset, 1);
		ram_check(t, ram[i] + parts[i].offset, at, parts[i].len, 3);
		at += parts[i].len;
		ram_free(t, ram[i], 2 * PAGE);
	}
}

/** Two steps: one range, three pieces, one synchronisation. */
static void two_step(struct target *t)
{
	struct dma_iova_state state = { 0 };
	phys_addr_t ram[3];

	for (unsigned int i = 0; i < 3; i++)
		ram[i] = ram_make(t, PAGE, (unsigned char)(i + 1));
	assert_true(dma_iova_try_alloc(t->dma, &state, ram[0], (size_t)3 * PAGE));
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(dma_iova_link(t->dma, &state, ram[i], (size_t)i * PAGE, PAGE,
					       DMA_TO_DEVICE, 0),
				 0);
	assert_int_equal(dma_iova_sync(t->dma, &state, 0, (size_t)3 * PAGE), 0);
	for (unsigned int i = 0; i < 3; i++)
		dev_expect(t, state.addr + (dma_addr_t)i * PAGE, 0, 64, (unsigned char)(i + 1));
	dma_iova_unlink(t->dma, &state, 2 * PAGE, PAGE, DMA_TO_DEVICE, 0);
	dma_domain_flush(t->domain);
	expect_no_read(t, state.addr + 2 * PAGE);
	dev_expect(t, state.addr + PAGE, 0, 64, 2);
	dma_iova_destroy(t->dma, &state, (size_t)2 * PAGE, DMA_TO_DEVICE, 0);
	for (unsigned int i = 0; i < 3; i++)
		ram_free(t, ram[i], PAGE);
}

static void coherent_memory(struct target *t)
{
	dma_addr_t addr;
	unsigned char *p = dma_alloc_coherent(t->dma, (size_t)2 * PAGE, &addr, DMAMAP_GFP_KERNEL);

	assert_non_null(p);
	for (unsigned int i = 0; i < 2 * PAGE; i++)
		assert_int_equal(p[i], 0);
	for (unsigned int i = 0; i < 64; i++)
		p[PAGE + i] = ram_byte(i, 3);
	dev_expect(t, addr + PAGE, 0, 64, 3);
	dev_fill(t, addr, 0, 64, 4);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(p[i], ram_byte(i, 4));
	dma_free_coherent(t->dma, (size_t)2 * PAGE, p, addr);
	dma_domain_flush(t->domain);
	try_write(t, addr);
}

/** Memory of a peer: never RAM's way, and gone like any other. */
static void peers_memory(struct target *t)
{
	dma_addr_t addr = dma_map_phys(t->dma, t->peer + PAGE, (size_t)2 * PAGE, DMA_BIDIRECTIONAL,
				       DMA_ATTR_MMIO);

	assert_false(dma_mapping_error(t->dma, addr));
	ram_fill(t, t->peer, 4 * PAGE, 1);
	dev_expect(t, addr, PAGE, 64, 1);
	dev_fill(t, addr + PAGE, 2 * PAGE, 256, 2);
	dma_unmap_phys(t->dma, addr, (size_t)2 * PAGE, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	dma_domain_flush(t->domain);
	ram_expect(t, t->peer, 0, 2 * PAGE, 1);
	ram_expect(t, t->peer, 2 * PAGE, 256, 2);
	ram_expect(t, t->peer, 2 * PAGE + 256, 2 * PAGE - 256, 1);
	try_write(t, addr + PAGE);
	ram_expect(t, t->peer, 2 * PAGE, 256, 2);
}

/* --- running them */

static const struct {
	const char *name;
	void (*run)(struct target *t);
} cases[] = {
	{ "sizes", sizes },
	{ "offsets in a page", offsets },
	{ "large mappings", large },
	{ "directions", directions },
	{ "the edge of a mapping", the_edge },
	{ "a page mapped twice", twice },
	{ "addresses that come back", addresses_come_back },
	{ "masks", masks },
	{ "no address too early", no_address_too_early },
	{ "out of the domain and in again", out_and_in },
	{ "lists", lists },
	{ "two steps", two_step },
	{ "coherent memory", coherent_memory },
	{ "a peer's memory", peers_memory },
	{ "mappings at random", random_mappings },
	{ "missing invalidations", missing_invalidations },
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

/** One case under one policy. */
struct trial {
	struct target *target;
	enum dma_invalidation policy;
	unsigned int number;
};

static void note_fault(struct dma_observer *self, const struct dma_event *event)
{
	struct target *t =
		(struct target *)(void *)((char *)self - offsetof(struct target, observer));

	if (event->type != DMA_EVENT_IOMMU_FAULT)
		return;
	if (t->nr_faults < TARGET_FAULTS)
		t->faults[t->nr_faults] = *event->fault;
	t->nr_faults++;
}

/** A machine on which a case failed is left as it is; the next case gets a new one. */
static void ready(struct target *t)
{
	if (t->host && !t->domain)
		return;
	t->domain = NULL;
	t->observer = (struct dma_observer){ .event = note_fault };
	t->kind->start(t);
	assert_int_equal(dma_observer_attach(t->host, &t->observer), 0);
}

static void run_trial(void **state)
{
	const struct trial *trial = *state;
	struct target *t = trial->target;
	struct dma_domain_config policy = { .size = sizeof(policy), .invalidation = trial->policy };

	ready(t);
	t->nr_faults = 0;
	assert_int_equal(t->kind->domain(t, &policy, &t->domain), 0);
	assert_int_equal(dma_device_set_domain(t->dma, t->domain), 0);
	target_enter(t);
	cases[trial->number].run(t);
	expect_no_fault(t);
	target_leave(t);
	assert_int_equal(dma_device_live(t->dma), 0);
	assert_int_equal(dma_device_set_domain(t->dma, NULL), 0);
	assert_int_equal(dma_domain_destroy(t->domain), 0);
	t->domain = NULL;
}

int run_cases(const struct target_kind *kind)
{
	const char *seed = getenv("DMAMAP_TEST_SEED");
	struct target target = { .kind = kind };
	struct CMUnitTest tests[2 * CASES] = { 0 };
	struct trial trials[2 * CASES];
	char names[2 * CASES][64];
	unsigned int n = 0;
	int failed;

	target.random = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
	printf("# DMAMAP_TEST_SEED=%llu\n", (unsigned long long)target.random);
	for (unsigned int i = 0; i < 2 * CASES; i++) {
		if (cases[i / 2].run == missing_invalidations && (!kind->backend || i % 2))
			continue; /* a domain of its own, strict */
		trials[n] = (struct trial){ &target,
					    i % 2 ? DMA_INVALIDATION_LAZY : DMA_INVALIDATION_STRICT,
					    i / 2 };
		snprintf(names[n], sizeof(names[n]), "%s, %s", cases[i / 2].name,
			 i % 2 ? "lazy" : "strict");
		tests[n].name = names[n];
		tests[n].test_func = run_trial;
		tests[n].initial_state = &trials[n];
		n++;
	}
	failed = _cmocka_run_group_tests(kind->name, tests, n, NULL, NULL);
	if (failed || !target.host)
		return 1;
	dma_observer_detach(target.host, &target.observer);
	kind->stop(&target);
	return 0;
}
