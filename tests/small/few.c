/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain in which no block of addresses is free that could be a window: small mappings do without, from the address
 * space and the tables, as large ones.
 */
#include "world.h"

#include "iommu/domain.h"

#define PAGES 64u

#define FEW_LOW	 (dma_addr_t)0x12345000
#define FEW_HIGH (dma_addr_t)0x40001000
#define FEW	 (300u + 511u)

/** Two free ranges are left, of 300 and of 511 pages: no block of 512, so that there can be no window. */
static void leave_few(struct world *w)
{
	dma_addr_t behind_low = FEW_LOW + 300 * PAGE, behind_high = FEW_HIGH + 511 * PAGE;

	assert_int_equal(dma_domain_reserve(w->domain, 0, FEW_LOW), 0);
	assert_int_equal(dma_domain_reserve(w->domain, behind_low, FEW_HIGH - behind_low), 0);
	assert_int_equal(dma_domain_reserve(w->domain, behind_high, ~0ull - behind_high), 0);
}

static bool is_of_the_few(dma_addr_t addr)
{
	return (addr >= FEW_LOW && addr < FEW_LOW + 300 * PAGE) ||
	       (addr >= FEW_HIGH && addr < FEW_HIGH + 511 * PAGE);
}

static void expect_last(struct world *w, enum dma_reason reason)
{
	struct dma_error why;

	assert_int_equal(dma_last_error(w->dev, &why), 0);
	assert_string_equal(dma_reason_name(why.reason), dma_reason_name(reason));
}

static void expect_no_iova(struct world *w)
{
	assert_true(dma_map_phys(w->dev, w->buf, PAGE, DMA_TO_DEVICE, 0) == DMA_MAPPING_ERROR);
	expect_last(w, DMA_REASON_NO_IOVA);
}

static void few_ways(struct world *w)
{
	struct dma_iova_state iova;
	struct scatterlist sg[3];

	sg_init_table(sg, 3);
	for (unsigned int i = 0; i < 3; i++)
		sg_set_phys(&sg[i], w->buf + 2 * i * PAGE, PAGE);
	assert_int_equal(dma_map_sg(w->dev, sg, 3, DMA_TO_DEVICE), 1);
	for (unsigned int i = 0; i < 3; i++)
		assert_true(world_reads(w, sg_dma_address(sg) + i * PAGE, 2ull * i));
	assert_true(dma_iova_try_alloc(w->dev, &iova, 0, 2 * PAGE));
	assert_int_equal(dma_iova_link(w->dev, &iova, w->buf, 0, 2 * PAGE, DMA_TO_DEVICE, 0), 0);
	assert_int_equal(dma_iova_sync(w->dev, &iova, 0, 2 * PAGE), 0);
	assert_true(world_reads(w, iova.addr + PAGE, 1));
	dma_iova_destroy(w->dev, &iova, 2 * PAGE, DMA_TO_DEVICE, 0);
	dma_unmap_sg(w->dev, sg, 3, DMA_TO_DEVICE);
}

/** Where windows find no room small mappings do without: every address once, sizes kept apart, misuse refused. */
static void few_addresses(enum dma_invalidation invalidation)
{
	static dma_addr_t addr[FEW];
	dma_addr_t pair;
	struct world w;

	world_begin(&w, invalidation, PAGES);
	leave_few(&w);
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < FEW; i++) {
			addr[i] = dma_map_phys(w.dev, w.buf + i % PAGES * PAGE, PAGE, DMA_TO_DEVICE,
					       0);
			assert_true(is_of_the_few(addr[i]));
			assert_true(world_reads(&w, addr[i], i % PAGES));
		}
		assert_int_equal(w.domain->windows.live, 0);
		expect_no_iova(&w);
		for (unsigned int i = 0; i < FEW; i++)
			assert_true(world_reads(&w, addr[i], i % PAGES));
		for (unsigned int i = 0; i < FEW; i++) {
			dma_unmap_phys(w.dev, addr[i], PAGE, DMA_TO_DEVICE, 0);
			assert_true(invalidation == DMA_INVALIDATION_LAZY ||
				    world_faults(&w, addr[i]));
		}
	}
	dma_domain_flush(w.domain);
	for (unsigned int i = 0; i < FEW; i++)
		assert_true(world_faults(&w, addr[i]));
	/* several pages: aligned, and lists and ranges of addresses too */
	pair = dma_map_phys(w.dev, w.buf, 2 * PAGE, DMA_TO_DEVICE, 0);
	assert_true(pair % (2 * PAGE) == 0 && world_reads(&w, pair + PAGE, 1));
	few_ways(&w);
	dma_unmap_phys(w.dev, pair, 2 * PAGE, DMA_TO_DEVICE, 0);
	dma_unmap_phys(w.dev, pair, 2 * PAGE, DMA_TO_DEVICE, 0);
	expect_last(&w, DMA_REASON_NOT_MAPPED);
	assert_int_equal(w.domain->windows.live, 0);
	world_end(&w);
}

static void few_addresses_strict(void **state)
{
	(void)state;
	few_addresses(DMA_INVALIDATION_STRICT);
}

static void few_addresses_lazy(void **state)
{
	(void)state;
	few_addresses(DMA_INVALIDATION_LAZY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_addresses_strict),
		cmocka_unit_test(few_addresses_lazy),
	};

	return cmocka_run_group_tests_name("small-few", tests, NULL, NULL);
}
