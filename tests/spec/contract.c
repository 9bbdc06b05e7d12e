/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract table, row by row: which route is asked what, which method of a table is called, which tables are
 * refused, and what MMIO is spared on every route. Observers, reasons and live mappings: promises.c.
 */
#include "fixture.h"

static const struct fx_config arch = { .arch = true };

/* --- arch-direct */

static void arch_is_asked_on_map_unmap_and_sync(void **state)
{
	struct fx *fx = fx_new(&arch);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS | FX_SYNC);

	(void)state;
	fx->arch_answer = true;
	assert_int_equal(dma_map_phys(dev, 0x1040, 0x80, BIDI, 0), 0x1040);
	dma_sync_single_for_cpu(dev, 0x1040, 0x20, BIDI);
	dma_sync_single_range_for_device(dev, 0x1040, 0x10, 0x30, BIDI);
	dma_unmap_phys(dev, 0x1040, 0x80, BIDI, 0);
	expect_order(fx, "A:map sanitize T:map_phys A:unmap T:sync_cpu A:unmap T:sync_device "
			 "A:unmap T:unmap_phys");
	assert_int_equal(fx_get(fx, "A:map", 0)->addr, 0x10c0);
	assert_int_equal(fx_get(fx, "A:unmap", 0)->addr, 0x1060);
	assert_int_equal(fx_get(fx, "A:unmap", 1)->addr, 0x1080);
	assert_int_equal(fx_get(fx, "A:unmap", 2)->addr, 0x10c0);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(fx_get(fx, i ? "T:sync_device" : "T:sync_cpu", 0)->event.route,
				 DMA_ROUTE_ARCH);
	fx_free(fx);
}

static void arch_says_no(void **state)
{
	struct fx *fx = fx_new(&arch);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS | FX_SYNC);
	dma_addr_t addr = dma_map_phys(dev, 0x1040, 0x80, BIDI, 0);

	(void)state;
	dma_sync_single_for_cpu(dev, addr, 0x20, BIDI);
	dma_unmap_phys(dev, addr, 0x80, BIDI, 0);
	expect_order(fx, "A:map M:map_phys sanitize T:map_phys A:unmap M:sync_cpu T:sync_cpu "
			 "A:unmap M:unmap_phys T:unmap_phys");
	fx_free(fx);
}

static void arch_is_asked_for_lists(void **state)
{
	struct fx *fx = fx_new(&arch);
	struct dma_device *dev = fx_ops_device(fx, FX_SG | FX_SYNC);
	struct scatterlist sg;

	(void)state;
	fx->arch_answer = true;
	sg_init_table(&sg, 1);
	sg_set_phys(&sg, 0x1000, 0x100);
	assert_int_equal(dma_map_sg(dev, &sg, 1, TO), 1);
	assert_int_equal(sg_dma_address(&sg), 0x1000);
	dma_sync_sg_for_cpu(dev, &sg, 1, TO);
	dma_unmap_sg(dev, &sg, 1, TO);
	expect_order(fx, "A:map_sg sanitize T:map_sg A:unmap_sg T:sync_sg_cpu A:unmap_sg "
			 "T:unmap_sg");
	fx_free(fx);
}

static void arch_is_not_asked_for_mmio(void **state)
{
	struct fx *fx = fx_new(&arch);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS);
	dma_addr_t addr;

	(void)state;
	fx->arch_answer = true;
	addr = dma_map_resource(dev, 0xf0000000, 0x1000, BIDI, 0);
	dma_unmap_resource(dev, addr, 0x1000, BIDI, 0);
	expect_order(fx, "M:map_phys T:map_phys M:unmap_phys T:unmap_phys");
	fx_free(fx);
}

static void opt_in(struct fx *fx)
{
	fx->host.arch_direct_mmio = true;
}

/* C1: a host may opt in, and then for map and unmap alike. */
static void arch_is_asked_for_mmio_after_opt_in(void **state)
{
	const struct fx_config config = { .arch = true, .tweak = opt_in };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS);

	(void)state;
	fx->arch_answer = true;
	assert_int_equal(dma_map_resource(dev, 0xf0000000, 0x1000, BIDI, 0), 0xf0000000);
	dma_unmap_resource(dev, 0xf0000000, 0x1000, BIDI, 0);
	expect_order(fx, "A:map T:map_phys A:unmap T:unmap_phys");
	assert_int_equal(fx_get(fx, "A:map", 0)->addr, 0xf0001000);
	assert_int_equal(fx_get(fx, "A:unmap", 0)->addr, 0xf0001000);
	fx_free(fx);
}

/* Without a table there is nothing to go around. */
static void arch_is_not_asked_without_table(void **state)
{
	struct fx *fx = fx_new(&arch);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	dma_map_phys(dev, 0x1000, 0x100, TO, 0);
	dma_unmap_phys(dev, 0x1000, 0x100, TO, 0);
	expect_order(fx, "sanitize T:map_phys T:unmap_phys");
	fx_free(fx);
}

/* --- method tables */

static void bad_tables_are_refused(void **state)
{
	static const unsigned int bad[] = {
		FX_UNMAP_PHYS,
		FX_UNMAP_PAGE,
		FX_UNMAP_RESOURCE,
		FX_UNMAP_SG,
		FX_PHYS | FX_UNMAP_PAGE,
		FX_PAGE | FX_UNMAP_RESOURCE,
		FX_PAGE | FX_UNMAP_PHYS,
		/* The map would be of one family and the only unmap of another. */
		FX_MAP_PHYS | FX_PAGE,
		FX_MAP_PHYS | FX_RESOURCE,
	};
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(dma_device_set_ops(dev, fx_table(fx, bad[i])), -DMAMAP_EINVAL);
		fx_reason(dev, DMA_REASON_BAD_METHODS);
		assert_int_equal(dma_device_route(dev), DMA_ROUTE_DIRECT);
	}
	fx_table(fx, FX_PHYS);
	fx->ops.size--;
	assert_int_equal(dma_device_set_ops(dev, &fx->ops), -DMAMAP_EINVAL);
	fx_reason(dev, DMA_REASON_BAD_METHODS);
	fx_free(fx);
}

static void good_tables_are_accepted(void **state)
{
	static const unsigned int good[] = {
		0,
		FX_MAP_PHYS,
		FX_PHYS,
		FX_MAP_PAGE,
		FX_PAGE,
		FX_PAGE | FX_MAP_RESOURCE,
		FX_RESOURCE,
		FX_MAP_PHYS | FX_MAP_PAGE | FX_MAP_RESOURCE,
		FX_PHYS | FX_PAGE | FX_RESOURCE | FX_SG | FX_SYNC | FX_MEMORY,
	};
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	for (unsigned int i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(dma_device_set_ops(dev, fx_table(fx, good[i])), 0);
		assert_int_equal(dma_device_route(dev), DMA_ROUTE_OPS);
	}
	assert_int_equal(dma_device_set_ops(dev, NULL), 0);
	assert_int_equal(dma_device_route(dev), DMA_ROUTE_DIRECT);
	fx_free(fx);
}

static void bad_default(struct fx *fx)
{
	fx->host.default_ops = fx_table(fx, FX_UNMAP_PAGE);
}

static void bad_default_table_is_refused(void **state)
{
	const struct fx_config config = { .tweak = bad_default };
	struct fx *fx = fx_new(&config);
	struct dma_device dev;

	(void)state;
	assert_int_equal(dma_device_init(&dev, sizeof(dev), &fx->host), -DMAMAP_EINVAL);
	fx_free(fx);
}

static void good_default(struct fx *fx)
{
	fx->host.default_ops = fx_table(fx, FX_PHYS);
}

static void default_table_is_used(void **state)
{
	const struct fx_config config = { .tweak = good_default };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_route(dev), DMA_ROUTE_OPS);
	/* NULL: none, not even the host's. */
	assert_int_equal(dma_device_set_ops(dev, NULL), 0);
	assert_int_equal(dma_device_route(dev), DMA_ROUTE_DIRECT);
	fx_free(fx);
}

static void round_trip(unsigned int methods, unsigned long attrs, const char *order)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, methods);
	dma_addr_t addr = dma_map_phys(dev, 0xc0001234, 0x100, BIDI, attrs);

	assert_int_equal(addr, 0xc0001234 + FX_OPS_OFFSET);
	dma_unmap_phys(dev, addr, 0x100, BIDI, attrs);
	expect_order(fx, order);
	assert_int_equal(dma_device_live(dev), 0);
	fx_free(fx);
}

static void unmap_is_of_the_family_that_mapped(void **state)
{
	const unsigned int all = FX_PHYS | FX_PAGE | FX_RESOURCE;

	(void)state;
	round_trip(all, 0, "M:map_phys sanitize T:map_phys M:unmap_phys T:unmap_phys");
	round_trip(all, DMA_ATTR_MMIO, "M:map_phys T:map_phys M:unmap_phys T:unmap_phys");
	round_trip(FX_PAGE | FX_RESOURCE, 0,
		   "M:map_page sanitize T:map_phys M:unmap_page T:unmap_phys");
	round_trip(FX_PAGE | FX_RESOURCE, DMA_ATTR_MMIO,
		   "M:map_resource T:map_phys M:unmap_resource T:unmap_phys");
}

static void missing_unmap_calls_nothing_and_is_traced(void **state)
{
	(void)state;
	round_trip(FX_MAP_PHYS, 0, "M:map_phys sanitize T:map_phys T:unmap_phys");
	round_trip(FX_MAP_PHYS, DMA_ATTR_MMIO, "M:map_phys T:map_phys T:unmap_phys");
	round_trip(FX_MAP_PAGE | FX_RESOURCE, 0, "M:map_page sanitize T:map_phys T:unmap_phys");
	round_trip(FX_PAGE | FX_MAP_RESOURCE, DMA_ATTR_MMIO,
		   "M:map_resource T:map_phys T:unmap_phys");
	round_trip(FX_MAP_PHYS | FX_MAP_PAGE, 0, "M:map_phys sanitize T:map_phys T:unmap_phys");
}

static void missing_map_is_a_traced_error(void **state)
{
	static const struct {
		unsigned int methods;
		unsigned long attrs;
	} cases[] = { { 0, 0 },
		      { 0, DMA_ATTR_MMIO },
		      { FX_RESOURCE, 0 },
		      { FX_PAGE, DMA_ATTR_MMIO },
		      { FX_SG, 0 } };

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		struct fx *fx = fx_new(NULL);
		struct dma_device *dev = fx_ops_device(fx, cases[i].methods);

		assert_int_equal(dma_map_phys(dev, 0xc0000000, 16, TO, cases[i].attrs), E);
		expect_order(fx, "T:map_phys");
		fx_reason(dev, DMA_REASON_NO_METHOD);
		assert_int_equal(fx_get(fx, "T:map_phys", 0)->event.route, DMA_ROUTE_OPS);
		fx_free(fx);
	}
}

static void missing_list_map_is_a_traced_error(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS);
	struct scatterlist sg;

	(void)state;
	sg_init_table(&sg, 1);
	sg_set_phys(&sg, 0x1000, 0x100);
	assert_int_equal(dma_map_sg(dev, &sg, 1, TO), 0);
	fx_reason(dev, DMA_REASON_NO_METHOD);
	expect_order(fx, "T:map_sg_err");
	fx_free(fx);
}

/* RAM without a CPU address: map_page() cannot have it, map_phys() can. */
static void map_page_needs_kmappable_memory(void **state)
{
	const struct fx_config config = { .ram = { { 0, GIB(64) } } };
	struct fx *fx = fx_new(&config);
	struct dma_device *page = fx_ops_device(fx, FX_PAGE);
	struct dma_device *phys;
	struct dma_map_ops other;

	(void)state;
	assert_int_equal(dma_map_phys(page, GIB(32), 0x100, TO, 0), E);
	fx_reason(page, DMA_REASON_NOT_KMAPPABLE);
	expect_order(fx, "T:map_phys");
	other = *fx_table(fx, FX_PHYS);
	fx_table(fx, FX_PAGE);
	phys = fx_device(fx);
	assert_int_equal(dma_device_set_ops(phys, &other), 0);
	assert_int_equal(dma_map_phys(phys, GIB(32), 0x100, TO, 0), GIB(32) + FX_OPS_OFFSET);
	dma_unmap_phys(phys, GIB(32) + FX_OPS_OFFSET, 0x100, TO, 0);
	fx_free(fx);
}

/* --- MMIO: no sanitizer, no cache maintenance, no bounce, on any route */

static void mmio_is_left_alone(struct fx *fx, struct dma_device *dev, phys_addr_t phys, size_t size)
{
	static const enum dma_data_direction dirs[] = { TO, FROM, BIDI };

	for (unsigned int i = 0; i < 3; i++) {
		dma_addr_t addr = dma_map_resource(dev, phys, size, dirs[i], 0);

		assert_int_not_equal(addr, E);
		dma_unmap_resource(dev, addr, size, dirs[i], 0);
	}
	expect_count(fx, "T:map_phys", 3);
	expect_count(fx, "T:unmap_phys", 3);
	expect_count(fx, "sanitize", 0);
	expect_count(fx, "for-device", 0);
	expect_count(fx, "for-cpu", 0);
	expect_count(fx, "for-cpu-all", 0);
	expect_count(fx, "T:bounced", 0);
	expect_count(fx, "copy", 0);
	expect_count(fx, "warn", 0);
}

static void mmio_is_left_alone_on_every_route(void **state)
{
	const struct fx_config config = { .noncoherent = true, .arch = true, .tweak = opt_in };

	(void)state;
	for (unsigned int route = 0; route < 6; route++) {
		struct fx *fx = fx_new(&config);
		struct dma_device *dev = NULL;

		fx->arch_answer = route == 1;
		if (route == 0)
			dev = fx_device(fx);
		else if (route == 1 || route == 2)
			dev = fx_ops_device(fx, FX_PHYS);
		else if (route == 3)
			dev = fx_ops_device(fx, FX_PAGE | FX_RESOURCE);
		else if (route == 4)
			dev = fx_io(fx);
		else
			dev = fx_iou(fx, 0);
		/* an untrusted device gets whole granules or nothing */
		mmio_is_left_alone(fx, dev, route == 5 ? 0xf0000000 : 0xf0000234,
				   route == 5 ? 0x1000 : 0x100);
		fx_free(fx);
	}
}

/* --- shared and encrypted addresses */

#define SHARED	  (1ull << 50)
#define ENCRYPTED (1ull << 51)

static uint64_t to_shared(struct dma_host *host, uint64_t addr)
{
	(void)host;
	return addr | SHARED;
}

static uint64_t to_encrypted(struct dma_host *host, uint64_t addr)
{
	(void)host;
	return addr | ENCRYPTED;
}

static uint64_t strip(struct dma_host *host, uint64_t addr)
{
	(void)host;
	return addr & ~(SHARED | ENCRYPTED);
}

static bool all_shared(struct dma_host *host, struct dma_device *dev)
{
	(void)dev;
	return host->encrypts_memory;
}

static void decorate(struct fx *fx)
{
	fx->host.to_shared = to_shared;
	fx->host.to_encrypted = to_encrypted;
	fx->host.strip = strip;
}

static void shared_host(struct fx *fx)
{
	decorate(fx);
	fx->host.encrypts_memory = true;
	fx->host.force_unencrypted = all_shared;
}

static void decoration_of_direct_addresses(void **state)
{
	const struct fx_config config = { .tweak = decorate };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x1000, 16, TO, 0), 0x1000 | ENCRYPTED);
	assert_int_equal(dma_map_phys(dev, 0x1000, 16, TO, DMA_ATTR_CC_SHARED), 0x1000 | SHARED);
	assert_int_equal(dma_map_resource(dev, 0xf0000000, 16, TO, 0), 0xf0000000 | ENCRYPTED);
	expect_count(fx, "T:map_phys", 3);
	fx_free(fx);
}

/* A device that reaches only shared memory: RAM bounces, what is shared already does not, MMIO is shared. */
static void device_that_needs_shared_memory(void **state)
{
	const struct fx_config config = { .tweak = shared_host };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x80001000, 16, TO, 0), E);
	fx_reason(dev, DMA_REASON_NEEDS_SHARED);
	assert_int_equal(dma_device_quiesce(dev), 0);
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	addr = dma_map_phys(dev, 0x80001000, 16, TO, 0);
	assert_int_equal(addr, FX_POOL | SHARED);
	dma_unmap_phys(dev, addr, 16, TO, 0);
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	assert_int_equal(dma_map_phys(dev, 0x80001000, 16, TO, DMA_ATTR_CC_SHARED),
			 0x80001000 | SHARED);
	assert_int_equal(dma_map_resource(dev, 0xf0000000, 16, TO, 0), 0xf0000000 | SHARED);
	fx_free(fx);
}

/* A miss of the range map is found before the decoration could turn it into an address. */
static void miss_is_not_decorated(void **state)
{
	static const struct dma_range window[] = { { 0, 0, MIB(16) }, { 0, 0, 0 } };
	const struct fx_config config = { .tweak = decorate };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_range_map(dev, window), 0);
	assert_int_equal(dma_map_phys(dev, MIB(16), 16, TO, 0), E);
	fx_reason(dev, DMA_REASON_OUTSIDE_RANGE_MAP);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arch_is_asked_on_map_unmap_and_sync),
		cmocka_unit_test(arch_says_no),
		cmocka_unit_test(arch_is_asked_for_lists),
		cmocka_unit_test(arch_is_not_asked_for_mmio),
		cmocka_unit_test(arch_is_asked_for_mmio_after_opt_in),
		cmocka_unit_test(arch_is_not_asked_without_table),
		cmocka_unit_test(bad_tables_are_refused),
		cmocka_unit_test(good_tables_are_accepted),
		cmocka_unit_test(bad_default_table_is_refused),
		cmocka_unit_test(default_table_is_used),
		cmocka_unit_test(unmap_is_of_the_family_that_mapped),
		cmocka_unit_test(missing_unmap_calls_nothing_and_is_traced),
		cmocka_unit_test(missing_map_is_a_traced_error),
		cmocka_unit_test(missing_list_map_is_a_traced_error),
		cmocka_unit_test(map_page_needs_kmappable_memory),
		cmocka_unit_test(mmio_is_left_alone_on_every_route),
		cmocka_unit_test(decoration_of_direct_addresses),
		cmocka_unit_test(device_that_needs_shared_memory),
		cmocka_unit_test(miss_is_not_decorated),
	};

	return FX_RUN(tests);
}
