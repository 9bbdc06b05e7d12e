/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The direct route with each of its requests for memory failing in turn: coherent memory of devices that do not snoop or
 * that reach only shared memory, and pools that have to grow for a range or a list.
 */
#include "spec/each.h"

#define HIGH_BIT (1ull << 47)

static uint64_t set_bit(struct dma_host *host, uint64_t addr)
{
	(void)host;
	return addr | HIGH_BIT;
}

static uint64_t clear_bit(struct dma_host *host, uint64_t addr)
{
	(void)host;
	return addr & ~HIGH_BIT;
}

static bool always(struct dma_host *host, struct dma_device *dev)
{
	(void)host;
	(void)dev;
	return true;
}

static void guest(struct fx *fx)
{
	fx->host.to_shared = set_bit;
	fx->host.to_encrypted = clear_bit;
	fx->host.strip = clear_bit;
	fx->host.force_unencrypted = always;
}

static void small_lines(struct fx *fx)
{
	fx->host.bounce_small_buffers = true;
	fx->host.min_dma_align = 128;
}

static const struct fx_config guests = { .tweak = guest };
static const struct fx_config noncoherent = { .tweak = small_lines,
					      .noncoherent = true,
					      .uncached = true };

/** Ranges and a list that bounce, more of them than the first part holds. */
static void bounce_more(struct run *run, struct dma_device *dev, size_t size)
{
	struct dma_bounce *pool = run_pool(run, KIB(64), MIB(1));
	struct scatterlist sgl[4];
	dma_addr_t addr[6];

	run->full = DMA_REASON_BOUNCE_EXHAUSTED;
	assert_int_equal(dma_device_set_bounce(dev, pool), 0);
	for (unsigned int i = 0; i < 6; i++)
		addr[i] = run_map(run, dev, 0x80000000 + i * MIB(1) + 0x100, size, 0);
	sg_init_table(sgl, 4);
	for (unsigned int i = 0; i < 4; i++)
		sg_set_phys(&sgl[i], 0x90000000 + i * MIB(1) + 0x40, (unsigned int)size);
	run_map_list(run, dev, sgl, 4);
	for (unsigned int i = 0; i < 6; i++)
		dma_unmap_phys(dev, addr[i], size, BIDI, 0);
	dma_unmap_sg(dev, sgl, 4, BIDI);
	assert_int_equal(fx_pool_used(pool), 0);
}

static void memory(struct run *run, struct dma_device *dev)
{
	dma_addr_t handle[3];
	void *mem[3];

	mem[0] = run_alloc(run, dev, 0x1000, &handle[0], GFP_KERNEL);
	mem[1] = run_alloc(run, dev, 0x5000, &handle[1], GFP_KERNEL);
	mem[2] = run_alloc(run, dev, 0x1000, &handle[2], GFP_ATOMIC);
	dma_free_coherent(dev, 0x5000, mem[1], handle[1]);
	dma_free_coherent(dev, 0x1000, mem[0], handle[0]);
	dma_free_coherent(dev, 0x1000, mem[2], handle[2]);
}

static void shared(struct run *run)
{
	struct dma_device *dev = fx_device(run->fx);

	bounce_more(run, dev, 0x4000);
	memory(run, dev);
	assert_int_equal(dma_device_live(dev), 0);
}

static void small(struct run *run)
{
	struct dma_device *dev = fx_device(run->fx);
	const struct dma_range window[] = { { 0, 0x4000000000, GIB(4) }, { 0, 0, 0 } };

	assert_int_equal(dma_device_set_range_map(dev, window), 0);
	assert_int_equal(dma_device_set_force_bounce(dev, true), 0);
	bounce_more(run, dev, 0x4000);
	memory(run, dev);
	assert_int_equal(dma_device_live(dev), 0);
}

static void only_shared_memory(void **state)
{
	(void)state;
	assert_true(each_fails_in_turn(&guests, shared) > 8);
}

static void a_device_that_does_not_snoop(void **state)
{
	(void)state;
	assert_true(each_fails_in_turn(&noncoherent, small) > 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_shared_memory),
		cmocka_unit_test(a_device_that_does_not_snoop),
	};

	return FX_RUN(tests);
}
