/* SPDX-License-Identifier: BSD-2-Clause */
/* Properties: what a refusal leaves as it was, and what may not change while mappings live. */
#include "spec/fixture.h"

/** What failed holds nothing, so it does not seal the device. */
static void failure_does_not_seal(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device32(fx);
	struct scatterlist sg[1];

	(void)state;
	assert_true(dma_map_phys(dev, GIB(4), 16, TO, 0) == E);
	sg_init_table(sg, 1);
	sg_set_phys(sg, GIB(4), 16);
	assert_int_equal(dma_map_sg(dev, sg, 1, TO), 0);
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 16, TO, 0), 0x1000);
	assert_int_equal(dma_device_set_bounce(dev, NULL), -DMAMAP_EBUSY);
	fx_reason(dev, DMA_REASON_LIVE_MAPPINGS);
	fx_free(fx);
}

static void one_arch_hook(struct fx *fx)
{
	fx->host.arch_unmap_direct = NULL;
}

static void no_strip(struct fx *fx)
{
	fx->host.strip = NULL;
}

static uint64_t decorate(struct dma_host *host, uint64_t addr)
{
	(void)host;
	return addr | (uint64_t)1 << 47;
}

static int init_with(bool arch, void (*tweak)(struct fx *fx))
{
	struct fx *fx = fx_new(&(struct fx_config){ .arch = arch });
	struct dma_host host = fx->host;
	int err;

	host.to_shared = arch ? NULL : decorate;
	host.strip = arch ? NULL : decorate;
	fx->host = host;
	tweak(fx);
	host = fx->host;
	err = dma_host_init(&host);
	if (!err)
		assert_int_equal(dma_host_fini(&host), 0);
	fx_free(fx);
	return err;
}

static void untouched(struct fx *fx)
{
	(void)fx;
}

/** Hooks that undo each other come together: half of a pair would take a map one way and its unmap another. */
static void hooks_in_pairs(void **state)
{
	(void)state;
	assert_int_equal(init_with(true, untouched), 0);
	assert_int_equal(init_with(false, untouched), 0);
	assert_int_equal(init_with(true, one_arch_hook), -DMAMAP_EINVAL);
	assert_int_equal(init_with(false, no_strip), -DMAMAP_EINVAL);
}

static void *crooked_virt(struct dma_host *host, phys_addr_t phys)
{
	return fx_ram(host->priv, phys) + 4096;
}

static phys_addr_t crooked_phys(struct dma_host *host, const void *ptr)
{
	const struct fx *fx = host->priv;

	return (phys_addr_t)((const unsigned char *)ptr - fx->ram) - 4096;
}

static void crooked(struct fx *fx)
{
	fx->host.page_size = 65536;
	fx->host.phys_to_virt = crooked_virt;
	fx->host.virt_to_phys = crooked_phys;
}

/** The library finds the head of a page by its address: a linear map that shifts pages is refused, not believed. */
static void linear_map_keeps_pages(void **state)
{
	struct fx *fx = fx_new(&(struct fx_config){ .tweak = crooked });
	const struct dma_bounce_config config = { .size = sizeof(config), .bytes = MIB(1) };
	struct dma_bounce *pool;

	(void)state;
	assert_int_equal(dma_bounce_create(&fx->host, &config, &pool), -DMAMAP_ENOMEM);
	expect_count(fx, "log", 1);
	fx_free(fx);
}

/** A pool belongs to its host: another host's addresses mean other memory. */
static void pool_of_another_host(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct fx *other = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(other)), -DMAMAP_EINVAL);
	fx_reason(dev, DMA_REASON_BAD_ARGUMENT);
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	fx_free(other);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failure_does_not_seal),
		cmocka_unit_test(hooks_in_pairs),
		cmocka_unit_test(linear_map_keeps_pages),
		cmocka_unit_test(pool_of_another_host),
	};

	return FX_RUN(tests);
}
