/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows of larger leaves: mappings of whole larger pages, of RAM and of BARs, over every format. The device reaches
 * the bytes of exactly what was mapped, watched or not; tables stay small; what is not exactly one mapping is refused;
 * and a domain that is narrowed, or out of which a region is taken, hands out nothing of what is gone.
 */
#include "world.h"

#include "formats.h"
#include "iommu/domain.h"

#define MIB    ((uint64_t)1 << 20)
#define GIB    ((uint64_t)1 << 30)
#define HIGH   (16 * GIB) /* RAM, and a BAR behind it */
#define HIGH_N (8 * GIB)
#define BAR    (HIGH + HIGH_N)
#define BOTH   DMA_BIDIRECTIONAL

static const struct world_memory high[] = {
	{ .base = HIGH, .size = HIGH_N, .held = true },
	{ .base = BAR, .size = HIGH_N, .bar = true },
	{ .size = 0 },
};

static void begin(struct world *w, const struct sim_iommu_config *iommu,
		  enum dma_invalidation invalidation)
{
	const struct world_config config = {
		.invalidation = invalidation, .buf_pages = 1, .iommu = *iommu, .memory = high
	};

	world_begin_with(w, &config);
}

static void begin_vtd(struct world *w, enum dma_invalidation invalidation)
{
	begin(w, &(struct sim_iommu_config){ .levels = 4 }, invalidation);
}

/* --- watching, to go the long way */

static void see_event(struct dma_observer *self, const struct dma_event *event)
{
	(void)self;
	(void)event;
}

static dma_addr_t map(struct world *w, phys_addr_t phys, uint64_t size, unsigned long attrs,
		      bool watched)
{
	struct dma_observer observer = { .event = see_event };
	dma_addr_t addr;

	if (watched)
		assert_int_equal(dma_observer_attach(sim_host(w->m), &observer), 0);
	addr = dma_map_phys(w->dev, phys, size, BOTH, attrs);
	if (watched)
		assert_int_equal(dma_observer_detach(sim_host(w->m), &observer), 0);
	assert_true(addr != DMA_MAPPING_ERROR);
	return addr;
}

static void unmap(struct world *w, dma_addr_t addr, uint64_t size, unsigned long attrs,
		  bool watched)
{
	struct dma_observer observer = { .event = see_event };

	if (watched)
		assert_int_equal(dma_observer_attach(sim_host(w->m), &observer), 0);
	dma_unmap_phys(w->dev, addr, size, BOTH, attrs);
	if (watched)
		assert_int_equal(dma_observer_detach(sim_host(w->m), &observer), 0);
}

/* --- what the device finds */

static void expect_leads(struct world *w, dma_addr_t addr, phys_addr_t phys)
{
	uint64_t mark = phys ^ 0x5a5a5a5a5a5a5a5a, found = 0;
	phys_addr_t at;

	assert_int_equal(dma_domain_iova_to_phys(w->domain, addr, &at), 0);
	assert_int_equal(at, phys);
	if (phys < BAR) {
		assert_int_equal(sim_cpu_write(w->m, phys, &mark, sizeof(mark)), 0);
		assert_int_equal(sim_dma_read(w->device, addr, &found, sizeof(found), NULL), 0);
		assert_int_equal(found, mark);
	}
}

/** The first and the last bytes of each of @n leaves. */
static void expect_leaves(struct world *w, dma_addr_t addr, phys_addr_t phys, uint64_t leaf,
			  unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct dma_leaf found;

		expect_leads(w, addr + i * leaf, phys + i * leaf);
		expect_leads(w, addr + (i + 1) * leaf - 8, phys + (i + 1) * leaf - 8);
		assert_int_equal(w->domain->backend->ops->next_leaf(w->domain->backend,
								    addr + i * leaf, &found),
				 0);
		assert_int_equal(found.iova, addr + i * leaf);
		assert_int_equal(found.phys, phys + i * leaf);
		assert_int_equal(found.len, leaf);
	}
}

static void expect_gone(struct world *w, dma_addr_t addr, uint64_t leaf, unsigned int n)
{
	phys_addr_t at;

	for (unsigned int i = 0; i < n; i++) {
		assert_true(world_faults(w, addr + i * leaf));
		assert_true(world_faults(w, addr + (i + 1) * leaf - 8));
		assert_true(dma_domain_iova_to_phys(w->domain, addr + i * leaf, &at) != 0);
	}
}

static void expect_refusal(struct world *w, dma_addr_t addr, uint64_t size, enum dma_reason reason)
{
	uint64_t live = dma_device_live(w->dev);
	uint64_t used = world_stats(w).iova_bytes;
	struct dma_error why;

	for (unsigned int watched = 0; watched < 2; watched++) {
		unmap(w, addr, size, 0, watched);
		assert_int_equal(dma_last_error(w->dev, &why), 0);
		assert_string_equal(dma_reason_name(why.reason), dma_reason_name(reason));
		assert_int_equal(dma_device_live(w->dev), live);
		assert_int_equal(world_stats(w).iova_bytes, used);
	}
}

static bool in_window(const struct world *w, dma_addr_t addr, unsigned int scale)
{
	const struct window *window = window_of_block(
		&w->domain->windows.index, window_block(addr >> w->domain->shift, scale));

	return window && window->live;
}

/* --- over all formats */

static void refuse_all_else(struct world *w, dma_addr_t addr, uint64_t leaf, unsigned int n)
{
	uint64_t granule = granule_size(w->domain);

	expect_refusal(w, addr, granule, DMA_REASON_MAPPED_OTHERWISE);
	expect_refusal(w, addr + granule, granule, DMA_REASON_MAPPED_OTHERWISE);
	expect_refusal(w, addr + leaf - granule, granule, DMA_REASON_MAPPED_OTHERWISE);
	expect_refusal(w, addr, leaf - granule, DMA_REASON_MAPPED_OTHERWISE);
	expect_refusal(w, addr, leaf / 2, DMA_REASON_MAPPED_OTHERWISE);
	expect_refusal(w, addr, (n + 1) * leaf, DMA_REASON_MAPPED_OTHERWISE);
	expect_refusal(w, addr, n * leaf + granule, DMA_REASON_MAPPED_OTHERWISE);
	expect_refusal(w, addr, 80 * leaf, DMA_REASON_MAPPED_OTHERWISE);
	if (n > 1) {
		expect_refusal(w, addr, leaf, DMA_REASON_MAPPED_OTHERWISE);
		expect_refusal(w, addr + leaf, leaf, DMA_REASON_MAPPED_OTHERWISE);
		expect_refusal(w, addr + leaf, (n - 1) * leaf, DMA_REASON_MAPPED_OTHERWISE);
		expect_refusal(w, addr, (n - 1) * leaf, DMA_REASON_MAPPED_OTHERWISE);
	}
}

static void one_mapping(struct world *w, phys_addr_t phys, const struct window_large *large,
			unsigned int n, unsigned int ways)
{
	unsigned long attrs = phys < BAR ? 0 : DMA_ATTR_MMIO;
	uint64_t leaf = large->mask + 1;
	bool lazy = w->domain->lazy;
	uint64_t bytes = world_stats(w).iova_bytes;
	dma_addr_t addr = map(w, phys, n * leaf, attrs, ways & 1);

	assert_true(in_window(w, addr, large->scale));
	expect_leaves(w, addr, phys, leaf, n);
	assert_int_equal(world_stats(w).iova_bytes, bytes + n * leaf);
	assert_true(world_stats(w).iova_peak_bytes >= bytes + n * leaf);
	refuse_all_else(w, addr, leaf, n);
	expect_leaves(w, addr, phys, leaf, n);
	unmap(w, addr, n * leaf, attrs, ways & 2);
	if (!lazy) {
		expect_gone(w, addr, leaf, n);
		assert_int_equal(world_stats(w).iova_bytes, bytes);
	}
	expect_refusal(w, addr, n * leaf, DMA_REASON_NOT_MAPPED);
	if (lazy) {
		dma_addr_t other = map(w, phys, n * leaf, attrs, ways & 1);

		/* not before the flush */
		assert_true(other >= addr + n * leaf || addr >= other + n * leaf);
		unmap(w, other, n * leaf, attrs, ways & 2);
		dma_domain_flush(w->domain);
		expect_gone(w, addr, leaf, n);
		expect_gone(w, other, leaf, n);
	}
}

static void one_size(struct world *w, const struct window_large *large)
{
	static const unsigned int counts[] = { 1, 2, 3, 4, 7 };
	uint64_t leaf = large->mask + 1;
	uint64_t tables = world_stats(w).table_bytes;

	for (unsigned int i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		for (unsigned int ways = 0; counts[i] * leaf <= HIGH_N && ways < 4; ways++) {
			one_mapping(w, HIGH, large, counts[i], ways);
			one_mapping(w, BAR + HIGH_N - counts[i] * leaf, large, counts[i], ways);
		}
	assert_true(world_stats(w).table_peak_bytes <= tables + 8 * 16 * w->page);
}

static void leaves_of(const struct test_format *format, enum dma_invalidation invalidation)
{
	unsigned int bits = low_bit(test_format_granule(format));
	const struct windows *ws;
	struct world w;

	print_message("# %s\n", format->name);
	begin(&w, &format->iommu, invalidation);
	ws = &w.domain->windows;
	/* of all page tables: the two levels above the lowest, if there is such a leaf */
	assert_int_equal(ws->larges && ws->large[0].shift == 2 * bits - 3, !format->iommu.command);
	for (unsigned int i = 0; i < ws->larges; i++)
		if (format->last >> ws->large[i].shift >= WINDOW_SHARE)
			one_size(&w, &ws->large[i]);
	world_end(&w);
}

static void exactly_what_was_mapped(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_TEST_FORMATS; i++) {
		leaves_of(&test_formats[i], DMA_INVALIDATION_STRICT);
		leaves_of(&test_formats[i], DMA_INVALIDATION_LAZY);
	}
}

/** What an entry of a larger leaf differs in is the same for every protection. */
static void same_difference(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_TEST_FORMATS; i++) {
		struct world w;
		const struct windows *ws;

		begin(&w, &test_formats[i].iommu, DMA_INVALIDATION_STRICT);
		ws = &w.domain->windows;
		for (unsigned int k = 0; k < ws->larges; k++)
			for (unsigned int prot = 0; prot < DMA_PROT_PRIV << 1; prot++) {
				uint64_t bits = w.domain->backend->ops->leaf_bits(
					w.domain->backend, ws->large[k].mask + 1, prot);

				assert_int_equal(bits, ws->bits[prot] ? ws->bits[prot] ^
										ws->large[k].change
								      : 0);
			}
		world_end(&w);
	}
}

/* --- limits */

/** A window would be too much of few addresses: mappings do without. */
static void few_addresses(void **state)
{
	static const unsigned int masks[] = { 31, 32, 35 };
	struct world w;

	(void)state;
	begin_vtd(&w, DMA_INVALIDATION_STRICT);
	for (unsigned int i = 0; i < 3; i++) {
		dma_addr_t addr;

		assert_int_equal(dma_set_mask(w.dev, DMA_BIT_MASK(masks[i])), 0);
		for (unsigned int n = 0; n < 2; n++) {
			addr = map(&w, HIGH, 4 * MIB, 0, n);
			assert_true(addr + 4 * MIB - 1 <= DMA_BIT_MASK(masks[i]));
			assert_false(in_window(&w, addr, 9));
			expect_leads(&w, addr + 2 * MIB, HIGH + 2 * MIB);
			unmap(&w, addr, 4 * MIB, 0, n);
		}
	}
	world_end(&w);
}

/** A device that asks for less later gets less, although there are windows above. */
static void lower_mask(void **state)
{
	dma_addr_t addr;
	struct world w;

	(void)state;
	begin_vtd(&w, DMA_INVALIDATION_STRICT);
	for (unsigned int i = 0; i < 4; i++) {
		addr = map(&w, HIGH, (1 + i % 2) * 2 * MIB, 0, false);
		assert_true(addr > DMA_BIT_MASK(40));
		unmap(&w, addr, (1 + i % 2) * 2 * MIB, 0, false);
	}
	assert_int_equal(dma_set_mask(w.dev, DMA_BIT_MASK(40)), 0);
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t size = (1 + i % 2) * 2 * MIB;

		addr = map(&w, HIGH, size, 0, i & 2);
		assert_true(addr + size - 1 <= DMA_BIT_MASK(40));
		unmap(&w, addr, size, 0, false);
	}
	world_end(&w);
}

/* --- addresses run out */

/** All but [first, first + size). */
static void leave_only(struct world *w, dma_addr_t first, uint64_t size)
{
	dma_addr_t end = first + size;

	assert_int_equal(dma_domain_reserve(w->domain, 0, first), 0);
	assert_int_equal(dma_domain_reserve(w->domain, end, ~0ull - end), 0);
}

/** Every leaf once; then nothing; then all of it again, in another size. And a neighbour's unmap stops at the window. */
static void all_of_it(enum dma_invalidation invalidation)
{
	static dma_addr_t addr[513];
	dma_addr_t first = 5 * GIB;
	struct world w;

	begin_vtd(&w, invalidation);
	leave_only(&w, first - 4 * MIB, GIB + 4 * MIB);
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < 512; i++) {
			addr[i] = map(&w, HIGH + i * 2 * MIB, 2 * MIB, 0, i & 1);
			assert_true(in_window(&w, addr[i], 9));
		}
		addr[512] = map(&w, HIGH, 4 * MIB, 0, false);
		assert_int_equal(addr[512], first - 4 * MIB);
		assert_true(dma_map_phys(w.dev, HIGH, 2 * MIB, BOTH, 0) == DMA_MAPPING_ERROR);
		dma_unmap_phys(w.dev, addr[512], 8 * MIB, BOTH, 0);
		for (unsigned int i = 0; i < 512; i++)
			expect_leads(&w, addr[i] + MIB, HIGH + i * 2 * MIB + MIB);
		for (unsigned int i = 0; i < 512; i++)
			unmap(&w, addr[i], 2 * MIB, 0, i & 2);
		/* what waits, and the window, must go for that */
		addr[0] = map(&w, HIGH, 513 * MIB, 0, false);
		unmap(&w, addr[0], 513 * MIB, 0, false);
		dma_domain_flush(w.domain);
	}
	world_end(&w);
}

static void addresses_run_out(void **state)
{
	(void)state;
	all_of_it(DMA_INVALIDATION_STRICT);
	all_of_it(DMA_INVALIDATION_LAZY);
}

/* --- regions that are reserved later */

static void reserved_later(enum dma_invalidation invalidation, bool in_use)
{
	dma_addr_t addr, other[513];
	unsigned int n = 0;
	struct world w;

	begin_vtd(&w, invalidation);
	leave_only(&w, 5 * GIB, GIB);
	addr = map(&w, HIGH, 2 * MIB, 0, false);
	assert_true(in_window(&w, addr, 9));
	if (in_use) { /* beside it */
		assert_int_equal(dma_domain_reserve(w.domain, addr + MIB, PAGE), -DMAMAP_EBUSY);
		assert_int_equal(dma_domain_reserve(w.domain, addr - PAGE, 2 * PAGE),
				 -DMAMAP_EBUSY);
		assert_int_equal(dma_domain_reserve(w.domain, addr - 3 * MIB, PAGE), 0);
	} else {
		unmap(&w, addr, 2 * MIB, 0, false);
		assert_int_equal(dma_domain_reserve(w.domain, addr + MIB, PAGE), 0);
		assert_false(in_window(&w, addr, 9));
	}
	while ((other[n] = dma_map_phys(w.dev, HIGH, 2 * MIB, BOTH, 0)) != DMA_MAPPING_ERROR) {
		dma_addr_t page = in_use ? addr - 3 * MIB : addr + MIB;

		assert_false(other[n] <= page && page < other[n] + 2 * MIB);
		n++;
	}
	assert_int_equal(n, in_use ? 510 : 511);
	while (n--)
		unmap(&w, other[n], 2 * MIB, 0, n & 1);
	if (in_use)
		unmap(&w, addr, 2 * MIB, 0, false);
	dma_domain_flush(w.domain);
	/* the region's neighbours keep their table as long as it is a window's */
	if (in_use)
		w.empty_tables = world_stats(&w).table_bytes;
	world_end(&w);
}

static void regions_inside(void **state)
{
	(void)state;
	for (unsigned int lazy = 0; lazy < 2; lazy++) {
		reserved_later(lazy ? DMA_INVALIDATION_LAZY : DMA_INVALIDATION_STRICT, false);
		reserved_later(lazy ? DMA_INVALIDATION_LAZY : DMA_INVALIDATION_STRICT, true);
	}
}

/* --- a second unit, with less */

/** It outlives the domain, which tells it of its end. */
struct second {
	struct dma_iommu_unit unit; /* first */
	struct dma_unit_caps caps;
	struct dma_reserved_region region; /* last 0: none */
	struct sim_device *device;
	struct dma_device *dev;
};

static void second_caps(struct dma_iommu_unit *unit, struct dma_device *dev,
			struct dma_unit_caps *caps)
{
	(void)dev;
	*caps = ((struct second *)(void *)unit)->caps;
}

static bool second_reserved(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int index,
			    struct dma_reserved_region *region)
{
	(void)dev;
	*region = ((struct second *)(void *)unit)->region;
	return !index && region->last;
}

static const struct dma_iommu_unit_ops second_ops = {
	.size = sizeof(second_ops),
	.get_caps = second_caps,
	.reserved = second_reserved,
};

static int join(struct world *w, struct second *s, const struct dma_unit_caps *caps)
{
	const struct sim_device_config device = { .size = sizeof(device), .name = "0000:00:02.0" };

	s->unit.ops = &second_ops;
	s->caps = *caps;
	assert_int_equal(sim_device_create(w->m, &device, &s->device), 0);
	s->dev = sim_dma(s->device);
	assert_int_equal(dma_set_mask_and_coherent(s->dev, DMA_BIT_MASK(64)), 0);
	assert_int_equal(dma_device_set_unit(s->dev, &s->unit), 0);
	return dma_device_set_domain(s->dev, w->domain);
}

static void leave(struct second *s)
{
	assert_int_equal(dma_device_set_domain(sim_dma(s->device), NULL), 0);
	assert_int_equal(sim_device_destroy(s->device), 0);
}

/** A mapping after the narrowing lies below @last, consists of leaves that there are, and leads nowhere more. */
static dma_addr_t map_exact(struct world *w, struct dma_device *dev, uint64_t size, dma_addr_t last)
{
	dma_addr_t addr = dma_map_phys(dev, HIGH, size, BOTH, 0);
	struct dma_leaf leaf;
	phys_addr_t behind;

	assert_true(addr != DMA_MAPPING_ERROR);
	assert_true(addr + size - 1 <= last);
	expect_leads(w, addr, HIGH);
	expect_leads(w, addr + size - 8, HIGH + size - 8);
	/* they lie from the top down: what follows is free, or the other's, which leads to its own beginning */
	assert_true(world_faults(w, addr + size) ||
		    (!dma_domain_iova_to_phys(w->domain, addr + size, &behind) && behind == HIGH));
	assert_int_equal(w->domain->backend->ops->next_leaf(w->domain->backend, addr, &leaf), 0);
	assert_true(w->domain->backend->caps.page_sizes & leaf.len);
	return addr;
}

/** By the newcomer, and while that lives by the one that was there before. */
static void expect_exact(struct world *w, struct dma_device *newcomer, uint64_t size,
			 dma_addr_t last)
{
	for (unsigned int i = 0; i < 2; i++) {
		dma_addr_t theirs = map_exact(w, newcomer, size, last);
		dma_addr_t ours = map_exact(w, w->dev, size, min_u64(last, DMA_BIT_MASK(56)));

		dma_unmap_phys(newcomer, theirs, size, BOTH, 0);
		assert_true(world_faults(w, theirs));
		dma_unmap_phys(w->dev, ours, size, BOTH, 0);
		assert_true(world_faults(w, ours));
	}
}

static void narrow_to(const struct dma_unit_caps *less, dma_addr_t last, bool region)
{
	static const uint64_t sizes[] = { PAGE, 64 * PAGE, 2 * MIB, 6 * MIB, GIB, 2 * GIB };
	struct second s = { .device = NULL };
	struct world w;

	begin(&w, &(struct sim_iommu_config){ .levels = 5 }, DMA_INVALIDATION_STRICT);
	assert_int_equal(dma_set_mask(w.dev, DMA_BIT_MASK(56)), 0);
	for (unsigned int i = 0; i < 6; i++) {
		dma_addr_t addr = map(&w, HIGH, sizes[i], 0, false);

		assert_true(addr > DMA_BIT_MASK(55));
		/* the window lives while that is reserved in it */
		if (region)
			assert_int_equal(dma_domain_reserve(w.domain, addr - PAGE, PAGE), 0);
		unmap(&w, addr, sizes[i], 0, false);
	}
	assert_int_equal(join(&w, &s, less), 0);
	for (unsigned int i = 0; i < 6; i++)
		expect_exact(&w, s.dev, sizes[i], last);
	dma_domain_flush(w.domain);
	if (region)
		w.empty_tables = world_stats(&w).table_bytes;
	leave(&s);
	world_end(&w);
}

static void narrowed(void **state)
{
	const struct dma_unit_caps less[] = {
		{ .page_sizes = PAGE | 2 * MIB },
		{ .page_sizes = PAGE | GIB },
		{ .page_sizes = PAGE },
		{ .output_bits = 38 },
		{ .input_bits = 55 },
		{ .input_bits = 48, .page_sizes = PAGE | 2 * MIB },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(less) / sizeof(less[0]); i++)
		for (unsigned int region = 0; region < 2; region++)
			narrow_to(&less[i],
				  DMA_BIT_MASK(less[i].input_bits ? less[i].input_bits : 57),
				  region);
}

/* --- other devices, other ways */

static void noncoherent(void **state)
{
	struct world w;

	(void)state;
	begin_vtd(&w, DMA_INVALIDATION_LAZY);
	for (unsigned int untrusted = 0; untrusted < 2; untrusted++) {
		assert_int_equal(dma_device_set_domain(w.dev, NULL), 0);
		assert_int_equal(dma_device_set_coherent(w.dev, untrusted), 0);
		assert_int_equal(dma_device_set_untrusted(w.dev, untrusted), 0);
		assert_int_equal(dma_device_set_domain(w.dev, w.domain), 0);
		for (unsigned int i = 0; i < w.domain->windows.larges; i++)
			one_mapping(&w, i ? BAR : HIGH, &w.domain->windows.large[i], 2, 0);
	}
	world_end(&w);
}

/** An untrusted device makes the domain strict while unmaps of large leaves wait. */
static void untrusted_joins(void **state)
{
	struct second s = { .device = NULL };
	dma_addr_t addr, other;
	struct world w;

	(void)state;
	begin_vtd(&w, DMA_INVALIDATION_LAZY);
	addr = map(&w, HIGH, 4 * MIB, 0, false);
	other = map(&w, HIGH, 2 * MIB, 0, false);
	expect_leads(&w, addr, HIGH);
	unmap(&w, addr, 4 * MIB, 0, false);
	assert_int_equal(world_stats(&w).queued, 1);
	assert_int_equal(sim_device_create(w.m,
					   &(struct sim_device_config){
						   .size = sizeof(struct sim_device_config),
						   .name = "0000:00:02.0" },
					   &s.device),
			 0);
	assert_int_equal(dma_device_set_untrusted(sim_dma(s.device), true), 0);
	assert_int_equal(sim_device_put_behind(s.device, w.iommu), 0);
	assert_int_equal(dma_device_set_domain(sim_dma(s.device), w.domain), 0);
	assert_true(world_faults(&w, addr));
	expect_leads(&w, other, HIGH);
	unmap(&w, other, 2 * MIB, 0, false);
	assert_true(world_faults(&w, other));
	assert_int_equal(world_stats(&w).queued, 0);
	leave(&s);
	world_end(&w);
}

/** A region of 4 KiB that is mapped for a device, amid leaves of a window; the neighbours stay, and it does when they go. */
static void direct_region_inside(void **state)
{
	struct second s = { .device = NULL };
	dma_addr_t addr[3];
	phys_addr_t at;
	struct world w;

	(void)state;
	begin_vtd(&w, DMA_INVALIDATION_STRICT);
	leave_only(&w, 5 * GIB, GIB);
	for (unsigned int i = 0; i < 3; i++)
		addr[i] = map(&w, HIGH + i * 2 * MIB, 2 * MIB, 0, false);
	s.region = (struct dma_reserved_region){ .first = addr[1] + MIB,
						 .last = addr[1] + MIB + PAGE - 1,
						 .direct = true };
	assert_int_equal(join(&w, &s, &(struct dma_unit_caps){ .output_bits = 0 }), -DMAMAP_EBUSY);
	unmap(&w, addr[1], 2 * MIB, 0, false);
	assert_int_equal(dma_device_set_domain(s.dev, w.domain), 0);
	expect_refusal(&w, s.region.first, PAGE, DMA_REASON_NOT_MAPPED);
	expect_refusal(&w, addr[1], 2 * MIB, DMA_REASON_NOT_MAPPED);
	for (unsigned int i = 0; i < 3; i += 2) {
		expect_leads(&w, addr[i], HIGH + i * 2 * MIB);
		unmap(&w, addr[i], 2 * MIB, 0, i);
		assert_true(world_faults(&w, addr[i]));
	}
	dma_domain_flush(w.domain);
	assert_int_equal(dma_domain_iova_to_phys(w.domain, s.region.first, &at), 0);
	assert_int_equal(at, s.region.first);
	assert_int_not_equal(dma_domain_iova_to_phys(w.domain, addr[1], &at), 0);
	w.empty_tables = world_stats(&w).table_bytes;
	leave(&s);
	world_end(&w);
}

/** Whatever allocation fails, a mapping leads where it should or there is none, and all comes back. */
static void each_allocation_fails(void **state)
{
	(void)state;
	for (unsigned int lazy = 0; lazy < 2; lazy++) {
		uint64_t left = 0;

		for (uint64_t n = 1; !left; n++) {
			dma_addr_t addr[4];
			struct world w;

			begin_vtd(&w, lazy ? DMA_INVALIDATION_LAZY : DMA_INVALIDATION_STRICT);
			sim_fail_alloc(w.m, n);
			for (unsigned int i = 0; i < 4; i++) {
				addr[i] = dma_map_phys(w.dev, HIGH, (i + 1) * 2 * MIB, BOTH, 0);
				if (addr[i] != DMA_MAPPING_ERROR)
					expect_leads(&w, addr[i] + i * 2 * MIB, HIGH + i * 2 * MIB);
			}
			for (unsigned int i = 0; i < 4; i++)
				if (addr[i] != DMA_MAPPING_ERROR)
					unmap(&w, addr[i], (i + 1) * 2 * MIB, 0, false);
			left = sim_fail_alloc(w.m, 0);
			world_end(&w);
			assert_true(n < 100);
		}
	}
}

/** Addresses are free, and a table for smaller pages is still linked there: it goes before there is a window. */
static void table_in_the_way(void **state)
{
	static dma_addr_t addr[512];
	dma_addr_t handle;
	struct world w;
	void *cpu;

	(void)state;
	begin_vtd(&w, DMA_INVALIDATION_LAZY);
	leave_only(&w, 5 * GIB, GIB);
	cpu = dma_alloc_coherent(w.dev, 100 * PAGE, &handle, DMAMAP_GFP_KERNEL);
	assert_non_null(cpu);
	dma_free_coherent(w.dev, 100 * PAGE, cpu, handle);
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < 512; i++) {
			addr[i] = map(&w, HIGH + i * 2 * MIB, 2 * MIB, 0, i & 1);
			assert_true(in_window(&w, addr[i], 9));
		}
		for (unsigned int i = 0; i < 512; i++) {
			expect_leads(&w, addr[i] + 8, HIGH + i * 2 * MIB + 8);
			unmap(&w, addr[i], 2 * MIB, 0, i & 2);
		}
		dma_domain_flush(w.domain);
		for (unsigned int i = 0; i < 512; i++)
			assert_true(world_faults(&w, addr[i]));
		assert_int_equal(world_stats(&w).table_bytes, w.empty_tables);
	}
	world_end(&w);
}

static void add_dirty(void *arg, dma_addr_t iova, uint64_t len)
{
	uint64_t *got = arg;

	got[0] += got[0] ? 0 : iova;
	got[1] += len;
}

static void dirty_leaves(void **state)
{
	const unsigned int levels[] = { 4, 5 };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t got[2] = { 0, 0 }, mark = 1;
		struct world w;
		dma_addr_t addr;

		begin(&w, &(struct sim_iommu_config){ .levels = levels[i], .track_dirty = true },
		      DMA_INVALIDATION_STRICT);
		addr = map(&w, HIGH, 6 * MIB, 0, false);
		assert_int_equal(sim_dma_write(w.device, addr + 3 * MIB, &mark, sizeof(mark), NULL),
				 0);
		for (unsigned int again = 0; again < 2; again++) {
			assert_int_equal(dma_domain_read_dirty(w.domain, addr, 6 * MIB, true,
							       add_dirty, got),
					 0);
			assert_int_equal(got[0], addr + 2 * MIB);
			assert_int_equal(got[1], 2 * MIB);
		}
		unmap(&w, addr, 6 * MIB, 0, false);
		world_end(&w);
	}
}

/** Unmaps of large leaves wait as others do: all of them are told of, and a queue that is full is flushed. */
static void waiting_leaves(void **state)
{
	struct dmamap_io_range range[4];
	dma_addr_t addr[2];
	struct world w;

	(void)state;
	begin_vtd(&w, DMA_INVALIDATION_LAZY);
	for (unsigned int i = 0; i < 2; i++)
		addr[i] = map(&w, HIGH, (3 + 61 * i) * 2 * MIB, 0, false);
	for (unsigned int i = 0; i < 2; i++) {
		assert_true(world_stats(&w).iova_bytes == 67 * 2 * MIB);
		unmap(&w, addr[i], (3 + 61 * i) * 2 * MIB, 0, false);
	}
	assert_int_equal(w.domain->head.view->waiting(w.domain, range, 4), 2);
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int k = range[0].first == addr[i] ? 0 : 1;

		assert_int_equal(range[k].first, addr[i]);
		assert_int_equal(range[k].last, addr[i] + (3 + 61 * i) * 2 * MIB - 1);
	}
	for (unsigned int i = 0; i < 600; i++) {
		addr[0] = map(&w, HIGH, 2 * MIB, 0, i & 1);
		unmap(&w, addr[0], 2 * MIB, 0, i & 2);
		assert_true(world_stats(&w).queued < 256);
	}
	assert_true(world_stats(&w).flushes >= 2);
	/* the first poll flushes what is due, the second finds nothing going on */
	for (unsigned int i = 0; i < 3; i++)
		dma_poll(sim_host(w.m));
	dma_domain_flush(w.domain);
	assert_true(world_faults(&w, addr[0]));
	assert_int_equal(world_stats(&w).table_bytes, w.empty_tables);
	world_end(&w);
}

/** The smallest queue: each unmap that finds another one waiting flushes it first. */
static void queue_of_one(void **state)
{
	const struct dma_domain_config config = { .size = sizeof(config),
						  .invalidation = DMA_INVALIDATION_LAZY,
						  .flush_entries = 2 };
	struct dma_domain *other, *before;
	dma_addr_t last = 0;
	struct world w;

	(void)state;
	begin_vtd(&w, DMA_INVALIDATION_LAZY);
	before = w.domain;
	assert_int_equal(sim_domain_create(w.iommu, &config, &other), 0);
	assert_int_equal(dma_device_set_domain(w.dev, other), 0);
	w.domain = other;
	for (unsigned int i = 0; i < 24; i++) {
		uint64_t size = i % 3 ? i % 3 * 2 * MIB : PAGE;
		dma_addr_t addr = map(&w, HIGH, size, 0, i & 1);

		expect_leads(&w, addr, HIGH);
		assert_true(!i || addr != last);
		unmap(&w, addr, size, 0, i & 2);
		assert_true(world_stats(&w).queued <= 1);
		assert_true(!i || world_faults(&w, last));
		last = addr;
	}
	dma_domain_flush(other);
	assert_true(world_faults(&w, last));
	assert_int_equal(world_stats(&w).iova_bytes, 0);
	assert_int_equal(dma_device_set_domain(w.dev, before), 0);
	assert_int_equal(dma_domain_destroy(other), 0);
	w.domain = before;
	world_end(&w);
}

/** A quiet domain: dma_poll() alone gives the window back. */
static void poll_gives_back(void **state)
{
	struct world w;

	(void)state;
	begin_vtd(&w, DMA_INVALIDATION_STRICT);
	unmap(&w, map(&w, HIGH, 2 * MIB, 0, false), 2 * MIB, 0, false);
	assert_int_not_equal(world_stats(&w).table_bytes, w.empty_tables);
	dma_poll(sim_host(w.m));
	dma_poll(sim_host(w.m));
	assert_int_equal(world_stats(&w).table_bytes, w.empty_tables);
	assert_int_equal(w.domain->windows.grouped, 0);
	world_end(&w);
}

/** What the short way must not enter: the hole of VT-d's targets, what is too wide, what wraps, directions, attributes. */
static void refused_targets(void **state)
{
	static const struct {
		phys_addr_t phys;
		uint64_t size;
		unsigned int dir;
		unsigned long attrs;
		enum dma_reason reason;
	} wrong[] = {
		{ 0xc0000000, GIB, BOTH, DMA_ATTR_MMIO, DMA_REASON_OUTPUT_WIDTH },
		{ 0xfee00000, 2 * MIB, BOTH, DMA_ATTR_MMIO, DMA_REASON_OUTPUT_WIDTH },
		{ 0xfec00000, 4 * MIB, BOTH, DMA_ATTR_MMIO, DMA_REASON_OUTPUT_WIDTH },
		{ 0xfee00000, 2 * MIB, BOTH, 0, DMA_REASON_OUTPUT_WIDTH },
		{ 0xfee00000, PAGE, BOTH, 0, DMA_REASON_OUTPUT_WIDTH },
		{ (uint64_t)1 << 52, 2 * MIB, BOTH, DMA_ATTR_MMIO, DMA_REASON_OUTPUT_WIDTH },
		{ ((uint64_t)1 << 52) - 2 * MIB, 4 * MIB, BOTH, DMA_ATTR_MMIO,
		  DMA_REASON_OUTPUT_WIDTH },
		{ 0 - 2 * MIB, 4 * MIB, BOTH, DMA_ATTR_MMIO, DMA_REASON_ADDRESS_WRAP },
		{ HIGH, 0, BOTH, 0, DMA_REASON_ZERO_SIZE },
		{ HIGH, 2 * MIB, DMA_NONE, 0, DMA_REASON_BAD_DIRECTION },
		{ HIGH, 2 * MIB, DMA_NONE + 1, 0, DMA_REASON_BAD_DIRECTION },
		{ HIGH, 2 * MIB, BOTH, DMA_ATTR_CC_SHARED, DMA_REASON_CC_SHARED },
	};
	struct dma_error why;
	struct world w;

	(void)state;
	begin_vtd(&w, DMA_INVALIDATION_STRICT);
	/* so that the short way is open */
	unmap(&w, map(&w, HIGH, 4 * MIB, 0, false), 4 * MIB, 0, false);
	unmap(&w, map(&w, HIGH, 2 * GIB, 0, false), 2 * GIB, 0, false);
	unmap(&w, map(&w, HIGH, PAGE, 0, false), PAGE, 0, false);
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_true(dma_map_phys(w.dev, wrong[i].phys, wrong[i].size,
					 (enum dma_data_direction)wrong[i].dir,
					 wrong[i].attrs) == DMA_MAPPING_ERROR);
		assert_int_equal(dma_last_error(w.dev, &why), 0);
		assert_string_equal(dma_reason_name(why.reason), dma_reason_name(wrong[i].reason));
	}
	assert_int_equal(world_stats(&w).iova_bytes, 0);
	world_end(&w);
}

/** min_align_mask that comes later: maps are refused, what lives is unmapped. */
static void alignment_later(void **state)
{
	struct dma_parms parms = { 0 };
	struct dma_error why;
	dma_addr_t addr, page;
	struct world w;

	(void)state;
	begin_vtd(&w, DMA_INVALIDATION_STRICT);
	dma_device_set_parms(w.dev, &parms);
	addr = map(&w, HIGH, 4 * MIB, 0, false);
	page = map(&w, HIGH, PAGE, 0, false);
	assert_int_equal(dma_set_min_align_mask(w.dev, 2 * PAGE - 1), 0);
	for (unsigned int i = 0; i < 2; i++) {
		assert_true(dma_map_phys(w.dev, HIGH, i ? 4 * MIB : PAGE, BOTH, 0) ==
			    DMA_MAPPING_ERROR);
		assert_int_equal(dma_last_error(w.dev, &why), 0);
		assert_int_equal(why.reason, DMA_REASON_ALIGNMENT);
	}
	unmap(&w, addr, 4 * MIB, 0, false);
	unmap(&w, page, PAGE, 0, false);
	assert_true(world_faults(&w, addr) && world_faults(&w, page));
	dma_device_set_parms(w.dev, NULL);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exactly_what_was_mapped),
		cmocka_unit_test(same_difference),
		cmocka_unit_test(few_addresses),
		cmocka_unit_test(lower_mask),
		cmocka_unit_test(addresses_run_out),
		cmocka_unit_test(regions_inside),
		cmocka_unit_test(narrowed),
		cmocka_unit_test(noncoherent),
		cmocka_unit_test(untrusted_joins),
		cmocka_unit_test(direct_region_inside),
		cmocka_unit_test(each_allocation_fails),
		cmocka_unit_test(dirty_leaves),
		cmocka_unit_test(table_in_the_way),
		cmocka_unit_test(waiting_leaves),
		cmocka_unit_test(poll_gives_back),
		cmocka_unit_test(queue_of_one),
		cmocka_unit_test(refused_targets),
		cmocka_unit_test(alignment_later),
	};

	return cmocka_run_group_tests_name("small-large", tests, NULL, NULL);
}
