/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DIR, coherent memory: case by case under their ids. The rest of DIR, and the list of cases that are not here: dir.c.
 */
#include "fixture.h"

static const struct fx_config noncoherent = { .noncoherent = true };

static void DIR_30_alloc(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;
	unsigned char *mem = dma_alloc_coherent(dev, 100, &handle, GFP_KERNEL);

	(void)state;
	assert_non_null(mem);
	assert_int_equal((uintptr_t)mem & 4095, 0);
	assert_ptr_equal(mem, fx_ram(fx, handle));
	assert_true(fx_all(fx, handle, 4096, 0));
	assert_int_equal(fx->last_request.size, 4096);
	expect_order(fx, "T:alloc");
	assert_int_equal(fx_get(fx, "T:alloc", 0)->size, 100);
	fx_clear(fx);
	dma_free_coherent(dev, 100, mem, handle);
	expect_order(fx, "T:free");
	assert_int_equal(fx->live_pages, 0);
	fx_free(fx);
}

/* Zones become a ceiling: the host is told exactly what the device reaches, and no zone has to be guessed. */
static uint64_t ceiling_for(uint64_t mask)
{
	const struct fx_config config = { .ram = { { 0, GIB(64) } }, .zone_dma_limit = 0xffffff };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;
	uint64_t ceiling;
	void *mem;

	assert_int_equal(dma_set_coherent_mask(dev, mask), 0);
	mem = dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL | GFP_DMA32);
	assert_non_null(mem);
	assert_true(handle + 4095 <= mask);
	ceiling = fx->last_request.ceiling;
	dma_free_coherent(dev, 4096, mem, handle);
	fx_free(fx);
	return ceiling;
}

static void DIR_31_alloc_34_bits(void **state)
{
	(void)state;
	assert_int_equal(ceiling_for(DMA_BIT_MASK(34)), DMA_BIT_MASK(34));
}

static phys_addr_t too_high(struct dma_host *host, const struct dma_page_request *request)
{
	struct dma_page_request anywhere = *request;

	anywhere.ceiling = ~(uint64_t)0;
	return fx_take_pages(host->priv, &anywhere);
}

static void lying_host(struct fx *fx)
{
	fx->host.alloc_pages = too_high;
}

/* A host that does not keep to the ceiling gets its pages back, and the reason says where they were. */
static void DIR_31_alloc_page_out_of_reach(void **state)
{
	const struct fx_config config = { .tweak = lying_host, .zone_dma_limit = 0xffffff };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;

	(void)state;
	assert_int_equal(dma_set_coherent_mask(dev, DMA_BIT_MASK(24)), 0);
	assert_null(dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL));
	fx_reason(dev, DMA_REASON_BEYOND_MASK);
	assert_int_equal(fx->live_pages, 0);
	fx_free(fx);
}

static void DIR_31b_alloc_32_bits(void **state)
{
	(void)state;
	assert_int_equal(ceiling_for(DMA_BIT_MASK(32)), DMA_BIT_MASK(32));
}

static void DIR_32_alloc_24_bits(void **state)
{
	(void)state;
	assert_int_equal(ceiling_for(DMA_BIT_MASK(24)), DMA_BIT_MASK(24));
}

static void DIR_33_alloc_nothing_in_reach(void **state)
{
	const struct fx_config config = { .zone_dma_limit = 0xffffff };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	struct dma_error err;
	dma_addr_t handle;

	(void)state;
	assert_int_equal(dma_set_coherent_mask(dev, DMA_BIT_MASK(30)), 0);
	fx->fail_all = true;
	assert_null(dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL));
	assert_int_equal(fx->last_request.ceiling, DMA_BIT_MASK(30));
	fx_reason(dev, DMA_REASON_NO_MEMORY);
	assert_int_equal(dma_last_error(dev, &err), 0);
	assert_int_equal(err.mask, DMA_BIT_MASK(30));
	fx_free(fx);
}

static phys_addr_t high_block(struct dma_host *host, const struct dma_page_request *request)
{
	fx_log(host->priv, "contiguous")->addr = request->ceiling;
	return too_high(host, request);
}

static bool free_block(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	fx_log(host->priv, "free-contiguous")->addr = phys;
	if (phys < MIB(16))
		return false; /* a page of the ordinary allocator */
	fx_give_pages(host->priv, phys, size);
	return true;
}

static void contiguous_host(struct fx *fx)
{
	fx->host.alloc_contiguous = high_block;
	fx->host.free_contiguous = free_block;
}

static void DIR_34_alloc_contiguous_out_of_reach(void **state)
{
	const struct fx_config config = { .tweak = contiguous_host, .zone_dma_limit = 0xffffff };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;
	void *mem;

	(void)state;
	assert_int_equal(dma_set_coherent_mask(dev, DMA_BIT_MASK(24)), 0);
	mem = dma_alloc_coherent(dev, 8192, &handle, GFP_KERNEL);
	assert_non_null(mem);
	expect_order(fx, "contiguous free-contiguous T:alloc");
	assert_int_equal(fx_get(fx, "contiguous", 0)->addr, DMA_BIT_MASK(24));
	assert_true(fx_get(fx, "free-contiguous", 0)->addr > DMA_BIT_MASK(24));
	assert_true(handle + 8191 <= DMA_BIT_MASK(24));
	dma_free_coherent(dev, 8192, mem, handle);
	fx_free(fx);
}

/* Ours: a reason instead of one message in the life of a system. */
static void DIR_36_alloc_without_uncached_memory(void **state)
{
	struct fx *fx = fx_new(&noncoherent);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;

	(void)state;
	assert_null(dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL));
	fx_reason(dev, DMA_REASON_NO_UNCACHED);
	expect_count(fx, "T:alloc", 1);
	fx_free(fx);
}

static void DIR_36_alloc_uncached(void **state)
{
	const struct fx_config config = { .noncoherent = true, .uncached = true };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);
	dma_addr_t handle;
	void *mem = dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL);

	(void)state;
	assert_non_null(mem);
	expect_order(fx, "prepare uncached T:alloc");
	assert_true(fx_all(fx, handle, 4096, 0));
	fx_clear(fx);
	dma_free_coherent(dev, 4096, mem, handle);
	expect_order(fx, "T:free unmap-uncached");
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(DIR_30_alloc),
		cmocka_unit_test(DIR_31_alloc_34_bits),
		cmocka_unit_test(DIR_31_alloc_page_out_of_reach),
		cmocka_unit_test(DIR_31b_alloc_32_bits),
		cmocka_unit_test(DIR_32_alloc_24_bits),
		cmocka_unit_test(DIR_33_alloc_nothing_in_reach),
		cmocka_unit_test(DIR_34_alloc_contiguous_out_of_reach),
		cmocka_unit_test(DIR_36_alloc_without_uncached_memory),
		cmocka_unit_test(DIR_36_alloc_uncached),
	};

	return FX_RUN(tests);
}
