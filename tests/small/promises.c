/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What small mappings promise, whatever the windows behind them do: no two overlap, each is aligned to its size rounded
 * up to a power of two and lies below its limit, none is reused before a flush; an unmap takes exactly what one map
 * gave; tables and addresses come back. These stand for the cases IOV-2 to IOV-9 and IOV-19 (docs/compatibility.md).
 */
#include "world.h"

#define PLACES 300u
#define MOVES  30000u
#define PAGES  64u

struct place {
	dma_addr_t addr;
	uint64_t pages; /* 0: free */
};

static uint64_t power_of_two(uint64_t n)
{
	uint64_t power = 1;

	while (power < n)
		power *= 2;
	return power;
}

static bool overlaps(const struct place *p, dma_addr_t addr, uint64_t pages)
{
	return p->pages && addr < p->addr + p->pages * PAGE && p->addr < addr + pages * PAGE;
}

/** A new place: against all that live, and its first and last page translate. */
static void check_place(struct world *w, const struct place *places, const struct place *p,
			uint64_t limit)
{
	assert_int_equal(p->addr % (power_of_two(p->pages) * PAGE), 0);
	assert_true(p->addr + (p->pages * PAGE - 1) <= limit);
	for (unsigned int i = 0; i < PLACES; i++)
		assert_true(&places[i] == p || !overlaps(&places[i], p->addr, p->pages));
	assert_true(world_reads(w, p->addr, 0));
	assert_true(world_reads(w, p->addr + (p->pages - 1) * PAGE, p->pages - 1));
}

static void move_about(enum dma_invalidation invalidation, unsigned int bits)
{
	static struct place places[PLACES];
	/* unmapped since the last flush */
	static struct place gone[MOVES];
	uint64_t seed = world_seed();
	uint64_t flushes = 0;
	unsigned int nr_gone = 0;
	struct world w;

	memset(places, 0, sizeof(places));
	world_begin(&w, invalidation, PAGES);
	assert_int_equal(dma_set_mask(w.dev, DMA_BIT_MASK(bits)), 0);
	for (unsigned int i = 0; i < MOVES; i++) {
		struct place *p = &places[world_random(&seed, PLACES)];
		uint64_t few = world_random(&seed, 4) ? 4 : PAGES;

		if (world_stats(&w).flushes != flushes)
			nr_gone = 0;
		flushes = world_stats(&w).flushes;
		if (p->pages) {
			dma_unmap_phys(w.dev, p->addr, p->pages * PAGE, DMA_BIDIRECTIONAL, 0);
			if (invalidation == DMA_INVALIDATION_STRICT)
				assert_true(world_faults(&w, p->addr));
			else if (world_stats(&w).flushes == flushes)
				gone[nr_gone++] = *p;
			else
				nr_gone = 0;
			p->pages = 0;
			continue;
		}
		p->pages = 1 + world_random(&seed, few);
		p->addr = dma_map_phys(w.dev, w.buf, p->pages * PAGE, DMA_BIDIRECTIONAL, 0);
		assert_true(p->addr != DMA_MAPPING_ERROR);
		check_place(&w, places, p, DMA_BIT_MASK(bits));
		for (unsigned int k = 0; k < nr_gone && world_stats(&w).flushes == flushes; k++)
			assert_false(overlaps(&gone[k], p->addr, p->pages));
	}
	for (unsigned int i = 0; i < PLACES; i++)
		if (places[i].pages)
			dma_unmap_phys(w.dev, places[i].addr, places[i].pages * PAGE,
				       DMA_BIDIRECTIONAL, 0);
	world_end(&w);
}

static void IOV_19_strict_moves(void **state)
{
	(void)state;
	move_about(DMA_INVALIDATION_STRICT, 48);
}

static void lazy_moves(void **state)
{
	(void)state;
	move_about(DMA_INVALIDATION_LAZY, 48);
}

static void below_a_mask(void **state)
{
	(void)state;
	move_about(DMA_INVALIDATION_STRICT, 32);
	move_about(DMA_INVALIDATION_LAZY, 27);
}

static void expect_refusal(struct world *w, dma_addr_t addr, uint64_t size, enum dma_reason reason)
{
	struct dma_error err;
	uint64_t live = dma_device_live(w->dev);
	uint64_t used = world_stats(w).iova_bytes;

	dma_unmap_phys(w->dev, addr, size, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_last_error(w->dev, &err), 0);
	assert_string_equal(dma_reason_name(err.reason), dma_reason_name(reason));
	assert_int_equal(dma_device_live(w->dev), live);
	assert_int_equal(world_stats(w).iova_bytes, used);
}

/** Whatever is not exactly one mapping is refused, and neither it nor a neighbour loses anything. */
static void IOV_17_exactly_one_mapping(void **state)
{
	dma_addr_t addr[4];
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	for (unsigned int i = 0; i < 4; i++)
		addr[i] = dma_map_phys(w.dev, w.buf, 2 * PAGE, DMA_TO_DEVICE, 0);
	/* from the top down, side by side: the second pair begins where the first is preceded */
	assert_int_equal(addr[1], addr[0] - 2 * PAGE);
	expect_refusal(&w, addr[1], PAGE, DMA_REASON_MAPPED_OTHERWISE);
	expect_refusal(&w, addr[1] + PAGE, PAGE, DMA_REASON_MAPPED_OTHERWISE);
	expect_refusal(&w, addr[1], 3 * PAGE, DMA_REASON_MAPPED_OTHERWISE);
	expect_refusal(&w, addr[1], 4 * PAGE, DMA_REASON_MAPPED_OTHERWISE);
	expect_refusal(&w, addr[1] + PAGE, 2 * PAGE, DMA_REASON_MAPPED_OTHERWISE);
	expect_refusal(&w, addr[1], 700 * PAGE, DMA_REASON_MAPPED_OTHERWISE);
	expect_refusal(&w, addr[3] - 8 * PAGE, PAGE, DMA_REASON_NOT_MAPPED);
	expect_refusal(&w, addr[3] - 2 * PAGE, 4 * PAGE, DMA_REASON_NOT_MAPPED);
	for (unsigned int i = 0; i < 4; i++)
		assert_true(world_reads(&w, addr[i], 0) && world_reads(&w, addr[i] + PAGE, 1));
	for (unsigned int i = 0; i < 4; i++)
		dma_unmap_phys(w.dev, addr[i], 2 * PAGE, DMA_TO_DEVICE, 0);
	expect_refusal(&w, addr[0], 2 * PAGE, DMA_REASON_NOT_MAPPED);
	world_end(&w);
}

/** A large unmap that was never mapped as one cannot clear what windows hold. */
static void large_unmap_over_windows(void **state)
{
	static dma_addr_t small[4096];
	dma_addr_t lowest = ~(dma_addr_t)0;
	dma_addr_t large;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, 512);
	/* windows come in groups of eight: all of one, so that nothing is free behind what lies below it */
	for (unsigned int i = 0; i < 4096; i++) {
		small[i] = dma_map_phys(w.dev, w.buf, PAGE, DMA_TO_DEVICE, 0);
		lowest = small[i] < lowest ? small[i] : lowest;
	}
	/* a page less than a large leaf: the address space gives it, not a window of such leaves */
	large = dma_map_phys(w.dev, w.buf, 511 * PAGE, DMA_TO_DEVICE, 0);
	assert_int_equal(large + 512 * PAGE, lowest);
	dma_unmap_phys(w.dev, large, 520 * PAGE, DMA_TO_DEVICE, 0);
	for (unsigned int i = 0; i < 8; i++)
		assert_true(world_reads(&w, lowest + i * PAGE, 0));
	for (unsigned int i = 0; i < 4096; i++)
		dma_unmap_phys(w.dev, small[i], PAGE, DMA_TO_DEVICE, 0);
	world_end(&w);
}

/** Also IOV-22: every page below the limit but page 0, once; then none; and one that comes back is found. */
static void IOV_11_every_address_once(void **state)
{
	static dma_addr_t addr[1024];
	static bool seen[1024];
	struct world w;

	(void)state;
	memset(seen, 0, sizeof(seen));
	world_begin(&w, DMA_INVALIDATION_LAZY, 1);
	assert_int_equal(dma_device_set_bus_limit(w.dev, 1024 * PAGE - 1), 0);
	for (unsigned int i = 1; i < 1024; i++) {
		addr[i] = dma_map_phys(w.dev, w.buf, PAGE, DMA_TO_DEVICE, 0);
		assert_true(addr[i] >= PAGE && addr[i] < 1024 * PAGE);
		assert_false(seen[addr[i] / PAGE]);
		seen[addr[i] / PAGE] = true;
	}
	assert_true(dma_map_phys(w.dev, w.buf, PAGE, DMA_TO_DEVICE, 0) == DMA_MAPPING_ERROR);
	dma_unmap_phys(w.dev, addr[77], PAGE, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_map_phys(w.dev, w.buf, PAGE, DMA_TO_DEVICE, 0), addr[77]);
	for (unsigned int i = 1; i < 1024; i++)
		dma_unmap_phys(w.dev, addr[i], PAGE, DMA_TO_DEVICE, 0);
	world_end(&w);
}

/** Tables go as their mappings do: never many that are empty, whatever the order. */
static void tables_follow(void **state)
{
	static dma_addr_t addr[20000];
	uint64_t seed = world_seed();
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, 1);
	for (unsigned int i = 0; i < 20000; i++)
		addr[i] = dma_map_phys(w.dev, w.buf, PAGE, DMA_TO_DEVICE, 0);
	assert_true(world_stats(&w).table_bytes <= w.empty_tables + (20000 / 512 + 4) * PAGE);
	for (unsigned int i = 20000; i > 1; i--) {
		unsigned int k = (unsigned int)world_random(&seed, i);
		dma_addr_t swap = addr[i - 1];

		addr[i - 1] = addr[k];
		addr[k] = swap;
	}
	for (unsigned int i = 0; i < 19990; i++)
		dma_unmap_phys(w.dev, addr[i], PAGE, DMA_TO_DEVICE, 0);
	/* ten live; a current window; what waits to be given back: a sixteenth, and two */
	assert_true(world_stats(&w).table_bytes <= w.empty_tables + (2 + 10 + 1 + 3) * PAGE);
	for (unsigned int i = 19990; i < 20000; i++)
		dma_unmap_phys(w.dev, addr[i], PAGE, DMA_TO_DEVICE, 0);
	world_end(&w);
}

/** A region that is reserved later never is handed out; one that is in use is not reserved. */
static void IOV_2_reserved_later(void **state)
{
	dma_addr_t addr[64];
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_LAZY, 1);
	addr[0] = dma_map_phys(w.dev, w.buf, PAGE, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_domain_reserve(w.domain, addr[0], PAGE), -DMAMAP_EBUSY);
	assert_int_equal(dma_domain_reserve(w.domain, addr[0] - 8 * PAGE, 9 * PAGE), -DMAMAP_EBUSY);
	assert_int_equal(dma_domain_reserve(w.domain, addr[0] - 20 * PAGE, 18 * PAGE), 0);
	/* across the window and what lies below it */
	assert_int_equal(dma_domain_reserve(w.domain, addr[0] - 3000 * PAGE, 2600 * PAGE), 0);
	for (unsigned int i = 1; i < 64; i++) {
		addr[i] = dma_map_phys(w.dev, w.buf, PAGE, DMA_TO_DEVICE, 0);
		assert_false(addr[i] >= addr[0] - 20 * PAGE && addr[i] < addr[0] - 2 * PAGE);
	}
	for (unsigned int i = 0; i < 64; i++)
		dma_unmap_phys(w.dev, addr[i], PAGE, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_device_live(w.dev), 0);
	dma_domain_flush(w.domain);
	assert_int_equal(world_stats(&w).iova_bytes, 0);
	w.empty_tables = world_stats(&w).table_bytes; /* the window with the hole stays */
	world_end(&w);
}

/** A unit that maps while it is asked to invalidate, as another CPU might. */
struct probe {
	struct dma_iommu_unit unit;
	struct dma_device dev;
	phys_addr_t phys;
	bool armed;
	unsigned int nr;
	dma_addr_t got[8];
};

static int probe_attach(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int domain_id,
			phys_addr_t root, unsigned int levels)
{
	(void)unit, (void)dev, (void)domain_id, (void)root, (void)levels;
	return 0;
}

static void probe_detach(struct dma_iommu_unit *unit, struct dma_device *dev)
{
	(void)unit, (void)dev;
}

static void probe_wait(struct dma_iommu_unit *unit)
{
	struct probe *p = (struct probe *)(void *)unit;

	if (p->armed && p->nr < 8)
		p->got[p->nr++] = dma_map_phys(&p->dev, p->phys, PAGE, DMA_TO_DEVICE, 0);
}

static void probe_invalidate(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
			     uint64_t len, bool leaf_only)
{
	(void)domain_id, (void)iova, (void)len, (void)leaf_only;
	probe_wait(unit);
}

static const struct dma_iommu_unit_ops probe_ops = {
	.size = sizeof(probe_ops),
	.attach = probe_attach,
	.detach = probe_detach,
	.invalidate = probe_invalidate,
	.wait = probe_wait,
};

/** Nobody gets an address while its last translation may still be cached. */
static void not_before_the_invalidation(enum dma_invalidation invalidation)
{
	struct probe p = { .unit.ops = &probe_ops };
	const struct dma_pt_config pt = {
		.size = sizeof(pt),
		.format = DMA_PT_VTD_SECOND_STAGE,
		.levels = 4,
		.output_bits = 48,
		.coherent_walk = true,
		.unit = &p.unit,
		.domain_id = 1,
	};
	const struct dma_domain_config config = { .size = sizeof(config),
						  .invalidation = invalidation };
	struct dma_backend *backend;
	struct dma_domain *domain;
	dma_addr_t first, second;
	struct world w;

	world_begin(&w, DMA_INVALIDATION_STRICT, 1);
	p.phys = w.buf;
	assert_int_equal(dma_pt_backend_create(sim_host(w.m), &pt, &backend), 0);
	assert_int_equal(dma_domain_create(sim_host(w.m), backend, &config, &domain), 0);
	assert_int_equal(dma_device_init(&p.dev, sizeof(p.dev), sim_host(w.m)), 0);
	assert_int_equal(dma_device_set_domain(&p.dev, domain), 0);
	first = dma_map_phys(&p.dev, w.buf, PAGE, DMA_TO_DEVICE, 0);
	second = dma_map_phys(&p.dev, w.buf, PAGE, DMA_TO_DEVICE, 0);
	p.armed = true;
	dma_unmap_phys(&p.dev, first, PAGE, DMA_TO_DEVICE, 0);
	if (invalidation == DMA_INVALIDATION_LAZY)
		dma_domain_flush(domain);
	p.armed = false;
	assert_int_equal(p.nr, 2);
	for (unsigned int i = 0; i < p.nr; i++) {
		assert_true(p.got[i] != DMA_MAPPING_ERROR && p.got[i] != first);
		dma_unmap_phys(&p.dev, p.got[i], PAGE, DMA_TO_DEVICE, 0);
	}
	if (invalidation == DMA_INVALIDATION_STRICT)
		assert_int_equal(dma_map_phys(&p.dev, w.buf, PAGE, DMA_TO_DEVICE, 0), first);
	else
		first = second;
	dma_unmap_phys(&p.dev, first, PAGE, DMA_TO_DEVICE, 0);
	if (first != second)
		dma_unmap_phys(&p.dev, second, PAGE, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_device_fini(&p.dev), 0);
	assert_int_equal(dma_domain_destroy(domain), 0);
	world_end(&w);
}

static void no_reuse_before_the_invalidation(void **state)
{
	(void)state;
	not_before_the_invalidation(DMA_INVALIDATION_STRICT);
	not_before_the_invalidation(DMA_INVALIDATION_LAZY);
}

/** Map @pages pages from the top of 48 bits, and unmap them. */
static dma_addr_t once(struct world *w, uint64_t pages)
{
	dma_addr_t addr = dma_map_phys(w->dev, w->buf, pages * PAGE, DMA_TO_DEVICE, 0);

	assert_true(addr != DMA_MAPPING_ERROR);
	dma_unmap_phys(w->dev, addr, pages * PAGE, DMA_TO_DEVICE, 0);
	return addr;
}

static void IOV_3_same_address_again(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	assert_int_equal(once(&w, 1), 0xfffffffff000);
	assert_int_equal(once(&w, 1), 0xfffffffff000);
	world_end(&w);
}

static void IOV_4_three_then_four(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	assert_int_equal(once(&w, 3), once(&w, 4));
	world_end(&w);
}

static void IOV_5_sixty_four(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	assert_int_equal(once(&w, 64), once(&w, 64));
	world_end(&w);
}

/** What lies above a device's limit is not for it, however recently it came back. */
static void IOV_6_above_the_limit(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	assert_int_equal(once(&w, 1), 0xfffffffff000);
	assert_int_equal(dma_set_mask(w.dev, DMA_BIT_MASK(32)), 0);
	assert_int_equal(once(&w, 1), 0xfffff000);
	world_end(&w);
}

/** A granule above the host's page is refused. */
static void IOV_10_granule(void **state)
{
	struct probe p = { .unit.ops = &probe_ops };
	const struct dma_pt_config pt = {
		.size = sizeof(pt),
		.format = DMA_PT_LPAE_STAGE1,
		.input_bits = 47,
		.granule_bits = 14,
		.output_bits = 48,
		.coherent_walk = true,
		.unit = &p.unit,
	};
	const struct dma_domain_config config = { .size = sizeof(config) };
	struct dma_backend *backend;
	struct dma_domain *domain;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, 1);
	assert_int_equal(dma_pt_backend_create(sim_host(w.m), &pt, &backend), 0);
	assert_int_equal(dma_domain_create(sim_host(w.m), backend, &config, &domain),
			 -DMAMAP_EINVAL);
	backend->ops->destroy(backend);
	world_end(&w);
}

static void IOV_18_thirty_three(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	assert_int_equal(once(&w, 33) % (64 * PAGE), 0);
	world_end(&w);
}

static void IOV_23_twenty_five(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	assert_int_equal(once(&w, 25), 0xfffffffe0000);
	world_end(&w);
}

/** What the device was before its properties changed is forgotten: a PCI device looks below 4 GiB first. */
static void becomes_pci(void **state)
{
	struct world w;
	dma_addr_t addr;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, 1);
	addr = dma_map_phys(w.dev, w.buf, PAGE, DMA_TO_DEVICE, 0);
	assert_true(addr > DMA_BIT_MASK(32));
	dma_unmap_phys(w.dev, addr, PAGE, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_device_set_pci(w.dev, true, false), 0);
	addr = dma_map_phys(w.dev, w.buf, PAGE, DMA_TO_DEVICE, 0);
	assert_true(addr < DMA_BIT_MASK(32));
	dma_unmap_phys(w.dev, addr, PAGE, DMA_TO_DEVICE, 0);
	world_end(&w);
}

/** Of a lazy domain too a flush gives back the tables that a strict unmap left empty, though nothing waits. */
static void strict_unmap_of_a_lazy_domain(void **state)
{
	struct world w;
	dma_addr_t addr;
	void *memory;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_LAZY, 1);
	memory = dma_alloc_coherent(w.dev, 128 * PAGE, &addr, GFP_KERNEL);
	assert_non_null(memory);
	dma_free_coherent(w.dev, 128 * PAGE, memory, addr);
	assert_int_equal(world_stats(&w).queued, 0);
	world_end(&w);
}

/** A list finds what came back last where nothing else is free, as a single map does. */
static void list_in_a_full_space(void **state)
{
	static dma_addr_t addr[1024];
	struct scatterlist sg[2];
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_LAZY, 2);
	assert_int_equal(dma_device_set_bus_limit(w.dev, 1024 * PAGE - 1), 0);
	for (unsigned int i = 1; i < 1024; i++)
		addr[i] = dma_map_phys(w.dev, w.buf, PAGE, DMA_TO_DEVICE, 0);
	for (unsigned int i = 1; i < 1024; i++)
		if (addr[i] == 0x200000 || addr[i] == 0x201000)
			dma_unmap_phys(w.dev, addr[i], PAGE, DMA_TO_DEVICE, 0);
	sg_init_table(sg, 2);
	sg_set_page(&sg[0], dmamap_phys_to_page(w.buf), PAGE, 0);
	sg_set_page(&sg[1], dmamap_phys_to_page(w.buf + PAGE), PAGE, 0);
	assert_int_equal(dma_map_sg(w.dev, sg, 2, DMA_TO_DEVICE), 1);
	assert_int_equal(sg_dma_address(&sg[0]), 0x200000);
	assert_true(world_reads(&w, 0x200000, 0) && world_reads(&w, 0x201000, 1));
	dma_unmap_sg(w.dev, sg, 2, DMA_TO_DEVICE);
	for (unsigned int i = 1; i < 1024; i++)
		if (addr[i] != 0x200000 && addr[i] != 0x201000)
			dma_unmap_phys(w.dev, addr[i], PAGE, DMA_TO_DEVICE, 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(IOV_19_strict_moves),
		cmocka_unit_test(lazy_moves),
		cmocka_unit_test(below_a_mask),
		cmocka_unit_test(IOV_17_exactly_one_mapping),
		cmocka_unit_test(large_unmap_over_windows),
		cmocka_unit_test(IOV_11_every_address_once),
		cmocka_unit_test(tables_follow),
		cmocka_unit_test(IOV_2_reserved_later),
		cmocka_unit_test(no_reuse_before_the_invalidation),
		cmocka_unit_test(IOV_3_same_address_again),
		cmocka_unit_test(IOV_4_three_then_four),
		cmocka_unit_test(IOV_5_sixty_four),
		cmocka_unit_test(IOV_6_above_the_limit),
		cmocka_unit_test(IOV_10_granule),
		cmocka_unit_test(IOV_18_thirty_three),
		cmocka_unit_test(IOV_23_twenty_five),
		cmocka_unit_test(becomes_pci),
		cmocka_unit_test(strict_unmap_of_a_lazy_domain),
		cmocka_unit_test(list_in_a_full_space),
	};

	return cmocka_run_group_tests_name("small-promises", tests, NULL, NULL);
}
