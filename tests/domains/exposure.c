/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exposure: every kind by name, with the bytes that make it; and by construction over all formats: an untrusted device
 * reaches what was mapped and nothing else.
 */
#include "formats.h"
#include "proxy.h"

#define MAX_RANGES 32u

/** What was told, as "kind dma_addr+len prot", one on a line; addresses relative to @base. */
struct told {
	struct text text;
	dma_addr_t base;
	unsigned int n;
	uint64_t bytes[DMA_EXPOSED_COUNT];
	struct dma_exposure last;
};

static void tell(void *arg, const struct dma_exposure *e)
{
	struct told *t = arg;
	char line[80];

	t->n++;
	t->bytes[e->kind] += e->len;
	t->last = *e;
	if (t->n > MAX_RANGES || t->text.len > MAX_TEXT - sizeof(line))
		return;
	snprintf(line, sizeof(line), "%s %lld+%llu %u\n", dma_exposure_name(e->kind),
		 (long long)(e->dma_addr - t->base), (unsigned long long)e->len, e->prot);
	put_text(&t->text, line, strlen(line));
}

/** That, exactly, can be reached beyond what was mapped; and the totals agree. */
static struct told expect(struct world *w, struct dma_device *dev, struct dma_history *history,
			  dma_addr_t base, const char *ranges)
{
	struct dma_exposure_totals totals = { .size = sizeof(totals) };
	struct told t = { .base = base };
	uint64_t sum = 0;

	assert_int_equal(dma_exposure(w->domain, dev, history, tell, &t, &totals), 0);
	assert_string_equal(t.text.s, ranges);
	for (unsigned int i = 0; i < DMA_EXPOSED_COUNT; i++) {
		assert_true(totals.bytes[i] == t.bytes[i]);
		sum += t.bytes[i];
	}
	assert_true(totals.exposed == sum);
	return t;
}

/** Whole pages: nothing but what was mapped. A part of one: the rest of the page, on both sides. */
static void slack_behind(const struct sim_iommu_config *unit)
{
	struct world *w = world_new_behind(unit, DMA_INVALIDATION_STRICT);
	struct dma_history *history = start_history(w, 16);
	struct dma_exposure_totals totals = { .size = sizeof(totals) };
	dma_addr_t whole = world_map(w, w->ram, 3 * PAGE, DMA_BIDIRECTIONAL);
	dma_addr_t part;
	struct told t;

	expect(w, NULL, history, 0, "");
	part = world_map(w, w->ram + 4 * PAGE + 16, PAGE + 84, DMA_TO_DEVICE);
	t = expect(w, w->dev, history, part - 16, "slack 0+16 1\nslack 4196+3996 1\n");
	assert_true(t.last.phys == w->ram + 5 * PAGE + 100);
	assert_ptr_equal(t.last.device, w->dev);
	expect_access(w->device, part - 16, 2 * PAGE, false, SIM_FAULT_NONE);
	assert_int_equal(dma_exposure(w->domain, NULL, history, NULL, NULL, &totals), 0);
	assert_true(totals.mapped == 3 * PAGE + PAGE + 84);
	assert_true(totals.reachable == 5 * PAGE && totals.exposed == PAGE - 84);
	dma_unmap_phys(w->dev, whole, 3 * PAGE, DMA_BIDIRECTIONAL, 0);
	dma_unmap_phys(w->dev, part, PAGE + 84, DMA_TO_DEVICE, 0);
	expect(w, NULL, history, 0, "");
	stop_history(history);
	world_end(w);
}

static void slack(void **state)
{
	const struct sim_iommu_config tables = { .size = sizeof(tables) };
	const struct sim_iommu_config command = { .size = sizeof(command), .command = true };

	(void)state;
	slack_behind(&tables);
	slack_behind(&command);
}

/** What was unmapped on a lazy domain, small and large, until the flush. */
static void pending(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_LAZY);
	struct dma_history *history = start_history(w, 16);
	dma_addr_t small = world_map(w, w->ram, PAGE, DMA_TO_DEVICE);
	phys_addr_t big = sim_alloc(w->m, 1u << 20, 1u << 20, 0, ~0ull);
	dma_addr_t large = world_map(w, big, 1u << 20, DMA_TO_DEVICE);
	struct told t = { .base = 0 };

	(void)state;
	expect_access(w->device, small, PAGE, false, SIM_FAULT_NONE);
	dma_unmap_phys(w->dev, small, PAGE, DMA_TO_DEVICE, 0);
	expect_access(w->device, small, PAGE, false, SIM_FAULT_NONE);
	expect(w, NULL, history, small, "pending 0+4096 3\n");
	dma_unmap_phys(w->dev, large, 1u << 20, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_exposure(w->domain, NULL, history, tell, &t, NULL), 0);
	assert_true(t.n == 2 && t.bytes[DMA_EXPOSED_PENDING] == (1u << 20) + PAGE);
	dma_domain_flush(w->domain);
	expect(w, NULL, history, 0, "");
	expect_access(w->device, small, 1, false, SIM_FAULT_NOT_PRESENT);
	sim_free(w->m, big, 1u << 20);
	stop_history(history);
	world_end(w);
}

#define LEAF ((uint64_t)2 << 20)

/** Mappings of larger leaves: reached as they were mapped, remembered, and until the flush if the domain is lazy. */
static void leaves(enum dma_invalidation invalidation)
{
	struct world *w = world_new(invalidation);
	struct dma_history *history = start_history(w, 16);
	phys_addr_t big = sim_alloc(w->m, 3 * LEAF, LEAF, 0, ~0ull);
	struct dma_exposure_totals totals = { .size = sizeof(totals) };
	struct dma_history_record record;
	dma_addr_t addr[2];

	assert_true(big != DMAMAP_PHYS_NONE);
	for (unsigned int i = 0; i < 2; i++) {
		addr[i] = world_map(w, big + i * LEAF, (1 + i) * LEAF, DMA_BIDIRECTIONAL);
		expect_access(w->device, addr[i], 64, false, SIM_FAULT_NONE);
	}
	expect(w, w->dev, history, 0, "");
	assert_int_equal(dma_exposure(w->domain, NULL, history, NULL, NULL, &totals), 0);
	assert_true(totals.mapped == 3 * LEAF && totals.reachable == 3 * LEAF);
	dma_unmap_phys(w->dev, addr[1], 2 * LEAF, DMA_BIDIRECTIONAL, 0);
	if (invalidation == DMA_INVALIDATION_LAZY) {
		expect(w, NULL, history, addr[1], "pending 0+4194304 3\n");
		dma_domain_flush(w->domain);
	}
	expect(w, NULL, history, 0, "");
	expect_access(w->device, addr[1] + 2 * LEAF - 8, 8, false, SIM_FAULT_NOT_PRESENT);
	assert_int_equal(dma_history_find(history, w->dev, NULL, addr[1] + LEAF + 5, &record), 0);
	assert_true(record.dma_addr == addr[1] && record.len == 2 * LEAF && !record.live);
	assert_true(record.phys == big + LEAF);
	assert_int_equal(dma_history_find(history, w->dev, NULL, addr[0] + 5, &record), 0);
	assert_true(record.dma_addr == addr[0] && record.len == LEAF && record.live);
	dma_unmap_phys(w->dev, addr[0], LEAF, DMA_BIDIRECTIONAL, 0);
	dma_domain_flush(w->domain);
	sim_free(w->m, big, 3 * LEAF);
	stop_history(history);
	world_end(w);
}

static void larger_leaves(void **state)
{
	(void)state;
	leaves(DMA_INVALIDATION_STRICT);
	leaves(DMA_INVALIDATION_LAZY);
}

/** A format without write-only entries lets a device read what it may only write. */
static void read_excess(void **state)
{
	const struct sim_iommu_config x86 = { .size = sizeof(x86),
					      .format = DMA_PT_VTD_FIRST_STAGE };
	struct world *w = world_new_behind(&x86, DMA_INVALIDATION_STRICT);
	struct dma_history *history = start_history(w, 16);
	dma_addr_t addr = world_map(w, w->ram, PAGE, DMA_FROM_DEVICE);

	(void)state;
	expect_access(w->device, addr, PAGE, false, SIM_FAULT_NONE);
	expect(w, NULL, history, addr, "read 0+4096 1\n");
	dma_unmap_phys(w->dev, addr, PAGE, DMA_FROM_DEVICE, 0);
	stop_history(history);
	world_end(w);
}

/** Devices of one domain reach what was mapped for each other. */
static void other_device(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct sim_device *nic = world_device(w, "nic0", w->iommu);
	struct dma_history *history = start_history(w, 16);
	dma_addr_t addr = world_map(w, w->ram, PAGE, DMA_TO_DEVICE);
	struct told t;

	(void)state;
	assert_int_equal(dma_device_set_domain(sim_dma(nic), w->domain), 0);
	expect(w, NULL, history, 0, "");
	expect(w, w->dev, history, 0, "");
	t = expect(w, sim_dma(nic), history, addr, "other-device 0+4096 1\n");
	assert_ptr_equal(t.last.device, w->dev);
	expect_access(nic, addr, PAGE, false, SIM_FAULT_NONE);
	dma_unmap_phys(w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	stop_history(history);
	assert_int_equal(sim_device_destroy(nic), 0);
	world_end(w);
}

/** Memory that firmware gave to one device, and which all of the domain reach. */
static void direct_region(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	const struct dma_reserved_region region = { .first = w->ram,
						    .last = w->ram + 2 * PAGE - 1,
						    .direct = true };
	struct proxy proxy = { .unit.ops = &proxy_ops,
			       .real = sim_iommu_unit(w->iommu),
			       .regions = &region,
			       .nr_regions = 1 };
	struct sim_device *nic = world_device(w, "nic0", w->iommu);
	struct dma_history *history = start_history(w, 16);

	(void)state;
	assert_int_equal(dma_device_set_unit(sim_dma(nic), &proxy.unit), 0);
	assert_int_equal(dma_device_set_domain(sim_dma(nic), w->domain), 0);
	expect(w, w->dev, history, w->ram, "reserved 0+8192 3\n");
	expect_access(w->device, w->ram, 2 * PAGE, true, SIM_FAULT_NONE);
	stop_history(history);
	assert_int_equal(sim_device_destroy(nic), 0);
	world_end(w);
}

/** What the history has not seen, or has forgotten, is not taken for mapped. */
static void unknown(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	dma_addr_t before = world_map(w, w->ram, PAGE, DMA_TO_DEVICE);
	struct dma_history *history = start_history(w, 1);
	dma_addr_t first = world_map(w, w->ram + PAGE, PAGE, DMA_TO_DEVICE);
	dma_addr_t second = world_map(w, w->ram + 2 * PAGE, PAGE, DMA_TO_DEVICE);

	(void)state;
	assert_true(before == first + PAGE && first == second + PAGE);
	expect(w, NULL, history, second, "unknown 4096+4096 1\nunknown 8192+4096 1\n");
	dma_unmap_phys(w->dev, before, PAGE, DMA_TO_DEVICE, 0);
	expect(w, NULL, history, second, "unknown 4096+4096 1\n");
	assert_int_equal(dma_history_detach(history), 0);
	assert_int_equal(dma_exposure(w->domain, NULL, history, NULL, NULL, NULL), -DMAMAP_EINVAL);
	assert_int_equal(dma_history_attach(history), 0);
	dma_unmap_phys(w->dev, second, PAGE, DMA_TO_DEVICE, 0);
	expect(w, NULL, history, first, "unknown 0+4096 1\n");
	dma_unmap_phys(w->dev, first, PAGE, DMA_TO_DEVICE, 0);
	stop_history(history);
	world_end(w);
}

/** Without an IOMMU a device reaches everything, bounced or not. */
static void unguarded(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct sim_device *plain = world_device(w, "plain", NULL);
	struct dma_history *history = start_history(w, 16);
	struct dma_exposure_totals totals = { .size = sizeof(totals) };
	struct told t = { .base = 0 };
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_set_mask(sim_dma(plain), DMA_BIT_MASK(40)), 0);
	addr = dma_map_phys(sim_dma(plain), w->ram, 100, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_device_exposure(sim_dma(plain), history, tell, &t, &totals), 0);
	assert_string_equal(t.text.s, "unguarded 0+1099511627776 3\n");
	assert_true(totals.mapped == 100 && totals.reachable == 1ull << 40);
	assert_true(totals.exposed == 1ull << 40);
	/* 2^64 bytes are not none */
	assert_int_equal(dma_set_mask(sim_dma(plain), DMA_BIT_MASK(64)), 0);
	assert_int_equal(dma_device_exposure(sim_dma(plain), history, NULL, NULL, &totals), 0);
	assert_true(totals.reachable == UINT64_MAX && totals.exposed == UINT64_MAX);
	assert_true(totals.bytes[DMA_EXPOSED_UNGUARDED] == UINT64_MAX);
	dma_unmap_phys(sim_dma(plain), addr, 100, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_device_exposure(w->dev, history, NULL, NULL, &totals), 0);
	assert_true(totals.exposed == 0);
	assert_int_equal(dma_device_quiesce(sim_dma(plain)), 0);
	stop_history(history);
	assert_int_equal(sim_device_destroy(plain), 0);
	world_end(w);
}

/** An IOMMU that lets a device through is none; and the domain as such has no leaves. */
static void passthrough(void **state)
{
	const struct dma_domain_config policy = { .size = sizeof(policy) };
	struct dma_exposure_totals totals = { .size = sizeof(totals) };
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct dma_history *history = start_history(w, 16);
	struct told t = { .base = 0 };
	struct dma_backend *backend;
	struct dma_domain *identity;

	(void)state;
	assert_int_equal(dma_identity_backend_create(w->host, sim_iommu_unit(w->iommu), &backend),
			 0);
	assert_int_equal(dma_domain_create(w->host, backend, &policy, &identity), 0);
	assert_int_equal(dma_device_set_domain(w->dev, identity), 0);
	assert_int_equal(dma_set_mask(w->dev, DMA_BIT_MASK(40)), 0);
	expect_access(w->device, w->ram, 1, false, SIM_FAULT_NONE);
	assert_int_equal(dma_device_exposure(w->dev, history, tell, &t, &totals), 0);
	assert_string_equal(t.text.s, "unguarded 0+1099511627776 3\n");
	assert_true(totals.reachable == 1ull << 40);
	assert_int_equal(dma_exposure(identity, NULL, history, NULL, NULL, NULL),
			 -DMAMAP_EOPNOTSUPP);
	assert_int_equal(dma_device_set_domain(w->dev, NULL), 0);
	assert_int_equal(dma_domain_destroy(identity), 0);
	stop_history(history);
	world_end(w);
}

static uint64_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

#define MANY 400u

/** All leaves are found, whatever the order in which they came and went. */
static void every_leaf(const struct test_format *format, uint64_t *seed)
{
	struct dma_exposure_totals totals = { .size = sizeof(totals) };
	struct sim_iommu_config unit = format->iommu;
	struct dma_history *history;
	dma_addr_t addr[MANY];
	uint64_t live = MANY;
	struct world *w;

	unit.size = sizeof(unit);
	w = world_new_behind(&unit, DMA_INVALIDATION_STRICT);
	history = start_history(w, 2 * MANY);
	for (unsigned int i = 0; i < MANY; i++)
		addr[i] = world_map(w, w->ram + i % 16 * PAGE, PAGE, DMA_TO_DEVICE);
	for (unsigned int i = 0; i < MANY; i++) {
		if (random_next(seed) % 2)
			continue;
		dma_unmap_phys(w->dev, addr[i], PAGE, DMA_TO_DEVICE, 0);
		addr[i] = DMA_MAPPING_ERROR;
		live--;
	}
	assert_int_equal(dma_exposure(w->domain, NULL, history, NULL, NULL, &totals), 0);
	assert_true(totals.mapped == live * PAGE && totals.reachable == live * PAGE);
	assert_true(totals.exposed == 0);
	for (unsigned int i = 0; i < MANY; i++)
		if (addr[i] != DMA_MAPPING_ERROR)
			dma_unmap_phys(w->dev, addr[i], PAGE, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_exposure(w->domain, NULL, history, NULL, NULL, &totals), 0);
	assert_true(totals.reachable == 0);
	stop_history(history);
	world_end(w);
}

static void arguments(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_LAZY);
	struct sim_device *plain = world_device(w, "plain", NULL);
	struct dma_history *history = start_history(w, 16);
	struct dma_exposure_totals totals = { .size = 1 };
	dma_addr_t addr = world_map(w, w->ram, PAGE, DMA_TO_DEVICE);

	(void)state;
	assert_int_equal(dma_exposure(NULL, NULL, history, NULL, NULL, NULL), -DMAMAP_EINVAL);
	assert_int_equal(dma_exposure(w->domain, NULL, NULL, NULL, NULL, NULL), -DMAMAP_EINVAL);
	assert_int_equal(dma_exposure(w->domain, sim_dma(plain), history, NULL, NULL, NULL),
			 -DMAMAP_EINVAL);
	assert_int_equal(dma_exposure(w->domain, NULL, history, NULL, NULL, &totals),
			 -DMAMAP_EINVAL);
	assert_int_equal(dma_device_exposure(NULL, history, NULL, NULL, NULL), -DMAMAP_EINVAL);
	sim_fail_alloc(w->m, 1);
	assert_int_equal(dma_exposure(w->domain, NULL, history, NULL, NULL, NULL), -DMAMAP_ENOMEM);
	dma_unmap_phys(w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	sim_fail_alloc(w->m, 2);
	assert_int_equal(dma_exposure(w->domain, NULL, history, NULL, NULL, NULL), -DMAMAP_ENOMEM);
	assert_int_equal(dma_exposure(w->domain, NULL, history, NULL, NULL, NULL), 0);
	assert_string_equal(dma_exposure_name(DMA_EXPOSED_COUNT), "unknown-kind");
	stop_history(history);
	assert_int_equal(sim_device_destroy(plain), 0);
	world_end(w);
}

/* --- untrusted devices, over every format */

#define LIVE 20u

struct mapping {
	dma_addr_t addr;
	size_t size;
	enum dma_data_direction dir;
	void *coherent;
};

static void map_something(struct world *w, uint64_t *seed, struct mapping *m)
{
	m->size = 1 + random_next(seed) % (3 * PAGE);
	m->dir = (enum dma_data_direction)(random_next(seed) % 3);
	m->coherent = NULL;
	if (random_next(seed) % 4 == 0) {
		m->dir = DMA_BIDIRECTIONAL;
		m->coherent = dma_alloc_coherent(w->dev, m->size, &m->addr, GFP_KERNEL);
		assert_non_null(m->coherent);
		return;
	}
	m->addr = dma_map_phys(w->dev, w->ram + random_next(seed) % (8 * PAGE), m->size, m->dir, 0);
	/* refused where the format cannot keep the device from reading */
	if (dma_mapping_error(w->dev, m->addr)) {
		assert_int_equal(m->dir, DMA_FROM_DEVICE);
		m->size = 0;
	}
}

static void unmap_it(struct world *w, const struct mapping *m)
{
	if (m->coherent)
		dma_free_coherent(w->dev, m->size, m->coherent, m->addr);
	else if (m->size)
		dma_unmap_phys(w->dev, m->addr, m->size, m->dir, 0);
}

static void links_of_an_untrusted_device(struct world *w, struct dma_history *history)
{
	struct dma_iova_state iova;

	assert_true(dma_iova_try_alloc(w->dev, &iova, 0x800, 3 * PAGE));
	assert_int_equal(dma_iova_link(w->dev, &iova, w->ram + 0x800, 0, 0x800, DMA_TO_DEVICE, 0),
			 0);
	assert_int_equal(
		dma_iova_link(w->dev, &iova, w->ram + 8 * PAGE, 0x800, 0x1234, DMA_TO_DEVICE, 0),
		0);
	assert_int_equal(dma_iova_sync(w->dev, &iova, 0, 0x800 + 0x1234), 0);
	expect(w, w->dev, history, 0, "");
	dma_iova_destroy(w->dev, &iova, 0x800 + 0x1234, DMA_TO_DEVICE, 0);
}

static void list_of_an_untrusted_device(struct world *w, struct dma_history *history)
{
	struct scatterlist sg[3];

	sg_init_table(sg, 3);
	sg_set_phys(&sg[0], w->ram, PAGE);
	sg_set_phys(&sg[1], w->ram + 4 * PAGE + 8, 0x200);
	sg_set_phys(&sg[2], w->ram + 8 * PAGE + 0x100, 0x80);
	assert_true(dma_map_sg(w->dev, sg, 3, DMA_TO_DEVICE) > 0);
	expect(w, w->dev, history, 0, "");
	dma_unmap_sg(w->dev, sg, 3, DMA_TO_DEVICE);
}

static void untrusted_on(const struct test_format *format, uint64_t *seed)
{
	struct sim_iommu_config unit = format->iommu;
	struct dma_history *history;
	struct mapping live[LIVE];
	struct world *w;

	unit.size = sizeof(unit);
	w = world_new_behind(&unit, DMA_INVALIDATION_LAZY);
	assert_int_equal(dma_device_set_untrusted(w->dev, true), 0);
	history = start_history(w, 4 * LIVE);
	for (unsigned int i = 0; i < LIVE; i++)
		map_something(w, seed, &live[i]);
	expect(w, w->dev, history, 0, "");
	for (unsigned int i = 0; i < LIVE; i += 2) {
		unmap_it(w, &live[i]);
		expect(w, w->dev, history, 0, "");
	}
	for (unsigned int i = 1; i < LIVE; i += 2)
		unmap_it(w, &live[i]);
	expect(w, w->dev, history, 0, "");
	list_of_an_untrusted_device(w, history);
	links_of_an_untrusted_device(w, history);
	stop_history(history);
	world_end(w);
}

static uint64_t first_seed(void)
{
	const char *given = getenv("DMAMAP_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : 8;

	print_message("# DMAMAP_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

static void untrusted_devices(void **state)
{
	uint64_t seed = first_seed();

	(void)state;
	for (unsigned int i = 0; i < NR_TEST_FORMATS; i++)
		if (test_format_granule(&test_formats[i]) == PAGE)
			untrusted_on(&test_formats[i], &seed);
}

static void all_leaves(void **state)
{
	uint64_t seed = first_seed();

	(void)state;
	for (unsigned int i = 0; i < NR_TEST_FORMATS; i++)
		if (test_format_granule(&test_formats[i]) == PAGE)
			every_leaf(&test_formats[i], &seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slack),
		cmocka_unit_test(pending),
		cmocka_unit_test(larger_leaves),
		cmocka_unit_test(read_excess),
		cmocka_unit_test(other_device),
		cmocka_unit_test(direct_region),
		cmocka_unit_test(unknown),
		cmocka_unit_test(unguarded),
		cmocka_unit_test(passthrough),
		cmocka_unit_test(arguments),
		cmocka_unit_test(untrusted_devices),
		cmocka_unit_test(all_leaves),
	};

	return cmocka_run_group_tests_name("exposure", tests, NULL, NULL);
}
