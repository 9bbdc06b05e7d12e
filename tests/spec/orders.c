/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arrows of "Domains and backends", one by one:
 *
 *   write entry -> flush line -> sync_map -> return the address
 *   clear entry -> invalidate -> wait -> copy back, release slot -> reuse I/O address, free table
 *
 * A recording backend sees every call and knows which addresses the hardware may still have cached; the page-table
 * backend shows what happens to lines and tables.
 */
#include "fixture.h"

static struct dma_device *recorded(struct fx *fx, enum dma_invalidation invalidation,
				   struct fx_backend **fb)
{
	*fb = fx_backend_new(fx);
	return fx_behind(fx, fx_domain_over(fx, *fb, invalidation));
}

static void map_then_sync_map_then_return(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb;
	struct dma_device *dev = recorded(fx, DMA_INVALIDATION_STRICT, &fb);
	dma_addr_t addr = dma_map_phys(dev, 0x5234, 0x100, TO, 0);

	(void)state;
	expect_order(fx, "B:map B:sync_map T:iommu_map sanitize T:map_phys");
	assert_int_equal(fx_get(fx, "B:map", 0)->addr, addr & ~(uint64_t)4095);
	assert_int_equal(fx_get(fx, "B:map", 0)->size, 4096);
	assert_int_equal(fx_get(fx, "B:sync_map", 0)->addr, addr & ~(uint64_t)4095);
	assert_int_equal(fx_get(fx, "B:sync_map", 0)->size, 4096);
	dma_unmap_phys(dev, addr, 0x100, TO, 0);
	fx_free(fx);
}

static void strict_unmap_invalidates_and_waits(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb;
	struct dma_device *dev = recorded(fx, DMA_INVALIDATION_STRICT, &fb);
	dma_addr_t addr = dma_map_phys(dev, 0x5000, 0x1000, TO, 0);

	(void)state;
	fx_clear(fx);
	dma_unmap_phys(dev, addr, 0x1000, TO, 0);
	expect_order(fx, "B:unmap B:prune B:invalidate B:wait T:iommu_unmap T:unmap_phys");
	assert_int_equal(fx_get(fx, "B:invalidate", 0)->addr, addr);
	assert_int_equal(fx_get(fx, "B:invalidate", 0)->size, 0x1000);
	assert_true(fx_get(fx, "B:invalidate", 0)->extra);
	fx_free(fx);
}

static void tables_are_released_after_the_wait(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb;
	struct dma_device *dev = recorded(fx, DMA_INVALIDATION_STRICT, &fb);
	dma_addr_t addr = dma_map_phys(dev, 0x5000, 0x1000, TO, 0);

	(void)state;
	fb->give_tables = true;
	fx_clear(fx);
	dma_unmap_phys(dev, addr, 0x1000, TO, 0);
	expect_order(fx,
		     "B:unmap B:prune B:invalidate B:wait B:release T:iommu_unmap T:unmap_phys");
	/* Tables went, so what is cached of the way to them must go too. */
	assert_false(fx_get(fx, "B:invalidate", 0)->extra);
	assert_int_equal(fb->violations, 0);
	fx_free(fx);
}

static void lazy_unmap_waits_for_one_flush(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb;
	struct dma_device *dev = recorded(fx, DMA_INVALIDATION_LAZY, &fb);
	dma_addr_t a = dma_map_phys(dev, 0x5000, 0x1000, TO, 0);
	dma_addr_t b = dma_map_phys(dev, 0x6000, 0x1000, TO, 0);

	(void)state;
	fb->give_tables = true;
	fx_clear(fx);
	dma_unmap_phys(dev, a, 0x1000, TO, 0);
	dma_unmap_phys(dev, b, 0x1000, TO, 0);
	expect_order(fx, "B:unmap T:iommu_unmap T:unmap_phys B:unmap T:iommu_unmap T:unmap_phys");
	fx_clear(fx);
	dma_domain_flush(fx->domain[0]);
	expect_order(fx, "B:prune B:flush B:wait B:release");
	assert_int_equal(fb->violations, 0);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

static void CORE_8_failed_sync_map_is_undone_in_order(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb;
	struct dma_device *dev = recorded(fx, DMA_INVALIDATION_LAZY, &fb);
	struct scatterlist sg;

	(void)state;
	fb->sync_map_result = -DMAMAP_EIO;
	assert_int_equal(dma_map_phys(dev, 0x5000, 0x1000, TO, 0), E);
	fx_reason(dev, DMA_REASON_BACKEND);
	assert_true(fx_before(fx, "B:sync_map", "B:unmap"));
	assert_true(fx_before(fx, "B:unmap", "B:wait"));
	expect_count(fx, "T:iommu_map", 0);
	expect_count(fx, "sanitize", 0);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	sg_init_table(&sg, 1);
	sg_set_phys(&sg, 0x5000, 0x1000);
	assert_int_equal(dma_map_sg(dev, &sg, 1, TO), 0);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	assert_int_equal(dma_device_live(dev), 0);
	fb->sync_map_result = 0;
	assert_int_equal(dma_map_sg(dev, &sg, 1, TO), 1);
	dma_unmap_sg(dev, &sg, 1, TO);
	assert_int_equal(fb->violations, 0);
	fx_free(fx);
}

/* A list is one invalidation, whatever its length, and a failure in its middle leaves nothing. */
static void list_is_one_invalidation(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb;
	struct dma_device *dev = recorded(fx, DMA_INVALIDATION_STRICT, &fb);
	struct scatterlist sgl[100];

	(void)state;
	assert_int_equal(dma_set_seg_boundary(dev, 0xffff), 0);
	sg_init_table(sgl, 100);
	for (unsigned int i = 0; i < 100; i++)
		sg_set_phys(&sgl[i], MIB(16) + (uint64_t)i * 0x20000, 0x9000);
	assert_true(dma_map_sg(dev, sgl, 100, TO) > 0);
	expect_count(fx, "B:sync_map", 1);
	fx_clear(fx);
	dma_unmap_sg(dev, sgl, 100, TO);
	expect_count(fx, "B:invalidate", 1);
	expect_count(fx, "B:wait", 1);
	for (unsigned int at = 1; at <= 3; at++) {
		fb->map_result = -DMAMAP_ENOMEM;
		fb->fail_at = at;
		assert_int_equal(dma_map_sg(dev, sgl, 100, TO), 0);
		fb->map_result = 0;
		assert_int_equal(fb->nr, 0);
		assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	}
	assert_int_equal(fb->violations, 0);
	assert_int_equal(fb->partial, 0);
	fx_free(fx);
}

/* A list of which a part was taken back by mistake: all the rest is taken from the device, and nothing twice. */
static void list_that_is_no_longer_whole(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb;
	struct dma_device *dev = recorded(fx, DMA_INVALIDATION_STRICT, &fb);
	struct scatterlist sgl[3];

	(void)state;
	sg_init_table(sgl, 3);
	for (unsigned int i = 0; i < 3; i++)
		sg_set_phys(&sgl[i], MIB(16) + (uint64_t)i * 0x20000, 0x1000);
	assert_int_equal(dma_map_sg(dev, sgl, 3, TO), 1);
	dma_unmap_phys(dev, sg_dma_address(&sgl[0]) + 0x1000, 0x1000, TO, 0);
	fx_clear(fx);
	dma_unmap_sg(dev, sgl, 3, TO);
	expect_count(fx, "warn", 1);
	fx_reason(dev, DMA_REASON_NOT_MAPPED);
	/* Nothing is left cleared but cached, and the addresses are free again. */
	assert_int_equal(fb->nr, 0);
	assert_int_equal(fb->violations, 0);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	assert_int_equal(dma_device_live(dev), 0);
	fx_free(fx);
}

static void unmap_that_is_its_own_invalidation(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb = fx_backend_new(fx);
	struct dma_device *dev;
	dma_addr_t addr;

	(void)state;
	fb->backend.caps.unmap_is_invalidation = true;
	dev = fx_behind(fx, fx_domain_over(fx, fb, DMA_INVALIDATION_LAZY));
	addr = dma_map_phys(dev, 0x5000, 0x1000, TO, 0);
	fx_clear(fx);
	dma_unmap_phys(dev, addr, 0x1000, TO, 0);
	expect_order(fx, "B:unmap T:iommu_unmap T:unmap_phys");
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

/* Coherent pages go back to the host at once, so their unmap may not wait in a queue. */
static void coherent_memory_is_freed_after_the_wait(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb;
	struct dma_device *dev = recorded(fx, DMA_INVALIDATION_LAZY, &fb);
	dma_addr_t handle;
	void *mem = dma_alloc_coherent(dev, 0x3000, &handle, GFP_KERNEL);

	(void)state;
	assert_non_null(mem);
	fx_clear(fx);
	fx->log_pages = true;
	dma_free_coherent(dev, 0x3000, mem, handle);
	assert_true(fx_before(fx, "T:free", "B:unmap"));
	assert_true(fx_before(fx, "B:unmap", "B:wait"));
	assert_true(fx_before(fx, "B:wait", "free-pages"));
	fx->log_pages = false;
	fx_free(fx);
}

/* A device that leaves takes nothing with it: what waits is flushed before it is detached. */
static void leaving_flushes_first(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb;
	struct dma_device *dev = recorded(fx, DMA_INVALIDATION_LAZY, &fb);
	dma_addr_t addr = dma_map_phys(dev, 0x5000, 0x1000, TO, 0);

	(void)state;
	dma_unmap_phys(dev, addr, 0x1000, TO, 0);
	fx_clear(fx);
	assert_int_equal(dma_device_set_domain(dev, NULL), 0);
	expect_order(fx, "B:prune B:flush B:wait B:detach");
	assert_ptr_equal(fx_get(fx, "B:detach", 0)->dev, dev);
	fx_clear(fx);
	assert_int_equal(dma_device_set_domain(dev, fx->domain[0]), 0);
	expect_order(fx, "B:attach");
	fx_free(fx);
}

/* Addresses are not reused before an invalidation of them was waited for, whatever the order of maps and unmaps. */
static void random_reuse(enum dma_invalidation invalidation, unsigned int seed)
{
	struct {
		dma_addr_t addr;
		size_t size;
	} live[64];
	struct fx *fx = fx_new(NULL);
	struct fx_backend *fb;
	struct dma_device *dev = recorded(fx, invalidation, &fb);
	unsigned int nr = 0;

	assert_int_equal(dma_device_set_bus_limit(dev, 0x7ffff), 0);
	for (unsigned int step = 0; step < 4000; step++) {
		bool add = rand_r(&seed) % 2;

		fx_clear(fx);
		fx->now += (unsigned int)rand_r(&seed) % 1000000;
		if (add && nr < 64) {
			live[nr].size = (size_t)(rand_r(&seed) % 0x4000 + 1);
			live[nr].addr = dma_map_phys(dev, 0x100000, live[nr].size, BIDI, 0);
			nr += live[nr].addr != E;
		} else if (nr) {
			unsigned int i = (unsigned int)rand_r(&seed) % nr;

			dma_unmap_phys(dev, live[i].addr, live[i].size, BIDI, 0);
			live[i] = live[--nr];
		}
		assert_int_equal(fb->violations, 0);
	}
	while (nr--)
		dma_unmap_phys(dev, live[nr].addr, live[nr].size, BIDI, 0);
	dma_domain_flush(fx->domain[0]);
	assert_int_equal(fb->violations, 0);
	assert_int_equal(fb->partial, 0);
	assert_int_equal(fb->nr, 0);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

static void addresses_are_reused_after_the_wait_only(void **state)
{
	const char *env = getenv("DMAMAP_TEST_SEED");
	unsigned int seed = env ? (unsigned int)strtoul(env, NULL, 0) : 1;

	(void)state;
	print_message("# seed %u\n", seed);
	random_reuse(DMA_INVALIDATION_STRICT, seed);
	random_reuse(DMA_INVALIDATION_LAZY, seed);
}

/* --- the page-table backend: lines and tables */

static struct fx *noncoherent_tables(void)
{
	const struct fx_config config = { .noncoherent = true };
	struct fx *fx = fx_new(&config);

	fx->incoherent_walk = true;
	return fx;
}

/** Is the 8-byte entry for @iova in a line that was cleaned? */
static bool cleaned(struct fx *fx, uint64_t from, uint64_t to)
{
	for (unsigned int i = 0; i < fx_count(fx, "for-device"); i++) {
		const struct fx_entry *clean = fx_get(fx, "for-device", i);

		if (clean->addr <= from && clean->addr + clean->size >= to)
			return true;
	}
	return false;
}

/* The leaf table of the last page of 48 bits, followed by hand. */
static uint64_t leaf_entry_at(struct fx *fx)
{
	uint64_t table = fx->unit[0].root;

	for (unsigned int level = 3; level; level--) {
		uint64_t entry;

		memcpy(&entry, fx_ram(fx, table + 511 * 8), sizeof(entry));
		assert_true(entry);
		assert_true(cleaned(fx, table + 511 * 8, table + 512 * 8));
		table = entry & 0x000ffffffffff000ull;
	}
	return table + 511 * 8;
}

static void lines_are_flushed_before_the_address_is_returned(void **state)
{
	struct fx *fx = noncoherent_tables();
	struct dma_device *dev = fx_io(fx);
	dma_addr_t addr = dma_map_phys(dev, 0xf0000000, 0x1000, TO, DMA_ATTR_MMIO);
	uint64_t at;

	(void)state;
	assert_int_equal(addr, 0xfffffffff000);
	at = leaf_entry_at(fx);
	assert_true(cleaned(fx, at, at + 8));
	assert_true(fx_before(fx, "for-device", "T:iommu_map"));
	/* Nothing but tables was cleaned: the memory is MMIO. */
	assert_false(cleaned(fx, 0xf0000000, 0xf0000001));

	/* Cleared entries too, before the hardware is told to forget them. */
	fx_clear(fx);
	dma_unmap_phys(dev, addr, 0x1000, TO, DMA_ATTR_MMIO);
	assert_true(cleaned(fx, at, at + 8));
	assert_true(fx_before(fx, "for-device", "U:invalidate"));
	fx_free(fx);
}

static void coherent_walk_flushes_nothing(void **state)
{
	const struct fx_config config = { .noncoherent = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_io(fx);
	dma_addr_t addr = dma_map_phys(dev, 0xf0000000, 0x1000, TO, DMA_ATTR_MMIO);

	(void)state;
	dma_unmap_phys(dev, addr, 0x1000, TO, DMA_ATTR_MMIO);
	expect_count(fx, "for-device", 0);
	fx_free(fx);
}

/* Whichever unmap gives the empty tables back: never before a wait, and never without forgetting the way to them. */
static void empty_tables_go_back_after_a_full_invalidation(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	dma_addr_t addr;

	(void)state;
	fx->log_pages = true;
	addr = dma_map_phys(dev, 0x40000000, MIB(4), TO, 0);
	dma_unmap_phys(dev, addr, MIB(4), TO, 0);
	addr = dma_map_phys(dev, 0x5000, 0x1000, TO, 0);
	fx_clear(fx);
	dma_unmap_phys(dev, addr, 0x1000, TO, 0);
	if (fx_count(fx, "free-pages")) {
		assert_true(fx_before(fx, "U:wait", "free-pages"));
		assert_false(fx_get(fx, "U:invalidate", 0)->extra);
	}
	fx->log_pages = false;
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_then_sync_map_then_return),
		cmocka_unit_test(strict_unmap_invalidates_and_waits),
		cmocka_unit_test(tables_are_released_after_the_wait),
		cmocka_unit_test(lazy_unmap_waits_for_one_flush),
		cmocka_unit_test(CORE_8_failed_sync_map_is_undone_in_order),
		cmocka_unit_test(list_is_one_invalidation),
		cmocka_unit_test(list_that_is_no_longer_whole),
		cmocka_unit_test(unmap_that_is_its_own_invalidation),
		cmocka_unit_test(coherent_memory_is_freed_after_the_wait),
		cmocka_unit_test(leaving_flushes_first),
		cmocka_unit_test(addresses_are_reused_after_the_wait_only),
		cmocka_unit_test(lines_are_flushed_before_the_address_is_returned),
		cmocka_unit_test(coherent_walk_flushes_nothing),
		cmocka_unit_test(empty_tables_go_back_after_a_full_invalidation),
	};

	return FX_RUN(tests);
}
