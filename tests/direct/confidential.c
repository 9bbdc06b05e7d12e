/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines that encrypt memory: shared and encrypted forms of addresses, with a bit that one side sets and with a bit that
 * the other clears, devices that reach only shared memory, and an inbound window in front of all that.
 */
#include "spec/fixture.h"

#define HIGH_BIT (1ull << 47)

/* The shared form carries a bit, as on a guest. */
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

static bool by_name(struct dma_host *host, struct dma_device *dev)
{
	(void)host;
	return strcmp(dma_device_name(dev), "guest") == 0;
}

static void guest(struct fx *fx)
{
	fx->host.to_shared = set_bit;
	fx->host.to_encrypted = clear_bit;
	fx->host.strip = clear_bit;
	fx->host.force_unencrypted = by_name;
}

/* The encrypted form carries it, as on a host that encrypts its memory. */
static void encrypting(struct fx *fx)
{
	fx->host.to_encrypted = set_bit;
	fx->host.to_shared = clear_bit;
	fx->host.strip = clear_bit;
	fx->host.force_unencrypted = by_name;
	fx->host.encrypts_memory = true;
}

static struct fx *host_with(void (*tweak)(struct fx *fx), bool noncoherent)
{
	const struct fx_config config = { .tweak = tweak, .noncoherent = noncoherent };

	return fx_new(&config);
}

static struct dma_device *guest_device(struct fx *fx)
{
	struct dma_device *dev = fx_device(fx);

	dma_device_set_name(dev, "guest");
	return dev;
}

/* RAM of such a device goes through shared memory, and comes back from there. */
static void ram_bounces_into_shared_memory(void **state)
{
	struct fx *fx = host_with(guest, false);
	struct dma_device *dev = guest_device(fx);
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x80000100, 100, BIDI, 0), E);
	fx_reason(dev, DMA_REASON_NEEDS_SHARED);
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	fx_pattern(fx, 0x80000100, 100);
	addr = dma_map_phys(dev, 0x80000100, 100, BIDI, 0);
	assert_int_equal(addr, FX_POOL | HIGH_BIT);
	assert_true(fx_has_pattern(fx, FX_POOL, 0x80000100, 100));
	assert_true(dma_need_sync(dev, addr));
	memset(fx_ram(fx, FX_POOL), 0x33, 100);
	dma_sync_single_range_for_cpu(dev, addr, 10, 20, BIDI);
	assert_true(fx_all(fx, 0x8000010a, 20, 0x33));
	assert_true(fx_has_pattern(fx, 0x80000100, 0x80000100, 10));
	dma_unmap_phys(dev, addr, 100, BIDI, 0);
	assert_true(fx_all(fx, 0x80000100, 100, 0x33));
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	assert_int_equal(dma_max_mapping_size(dev), 262144);
	fx_free(fx);
}

/* A device that is trusted with private memory uses it where it is. */
static void other_devices_do_not_bounce(void **state)
{
	struct fx *fx = host_with(guest, false);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	assert_int_equal(dma_map_phys(dev, 0x80000100, 100, TO, 0), 0x80000100);
	assert_int_equal(dma_map_phys(dev, 0x80000100, 100, TO, DMA_ATTR_CC_SHARED),
			 0x80000100 | HIGH_BIT);
	fx_free(fx);
}

/* MMIO is shared only where the host says so; a guest's device without the attribute may not have it. */
static void mmio_forms(void **state)
{
	struct fx *fx = host_with(encrypting, false);
	struct fx *in_guest = host_with(guest, false);
	struct dma_device *dev = fx_device(fx);
	struct dma_device *gdev = guest_device(in_guest);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x1000, 16, TO, 0), 0x1000 | HIGH_BIT);
	assert_int_equal(dma_map_resource(dev, 0xf0000000, 16, TO, 0), 0xf0000000);
	assert_int_equal(dma_map_resource(gdev, 0xf0000000, 16, TO, 0), E);
	fx_reason(gdev, DMA_REASON_NEEDS_SHARED);
	assert_int_equal(dma_map_phys(gdev, 0xf0000000, 16, TO, DMA_ATTR_MMIO | DMA_ATTR_CC_SHARED),
			 0xf0000000 | HIGH_BIT);
	fx_free(fx);
	fx_free(in_guest);
}

/* The bit is beyond a narrow mask: bounce to the form without it. Setting that mask is no mistake. */
static void encryption_bit_beyond_the_mask(void **state)
{
	struct fx *fx = host_with(encrypting, false);
	struct dma_device *dev = fx_device32(fx);

	(void)state;
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(32)), 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 16, TO, 0), E);
	fx_reason(dev, DMA_REASON_BEYOND_MASK);
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	assert_int_equal(dma_map_phys(dev, 0x80000000, 16, TO, 0), FX_POOL);
	dma_unmap_phys(dev, FX_POOL, 16, TO, 0);
	fx_free(fx);
}

/* A device that reaches nothing but shared memory, whose form its mask does not hold. */
static void shared_bit_beyond_the_mask(void **state)
{
	struct fx *fx = host_with(guest, false);
	struct dma_device *dev = guest_device(fx);

	(void)state;
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(40)), -DMAMAP_EIO);
	fx_reason(dev, DMA_REASON_MASK_UNSUPPORTED);
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(48)), 0);
	assert_int_equal(dma_get_required_mask(dev), DMA_BIT_MASK(48));
	fx_free(fx);
}

/* First the window, then the bit; back in the reverse order. */
static void windows_and_bits(void **state)
{
	static const struct dma_range map[] = { { FX_POOL, 0, MIB(16) },
						{ 0x80000000, GIB(1), GIB(1) },
						{ 0, 0, 0 } };
	struct fx *fx = host_with(guest, true);
	struct dma_device *dev = guest_device(fx);
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_device_set_range_map(dev, map), 0);
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	fx_pattern(fx, 0x80000100, 100);
	fx_clear(fx);
	addr = dma_map_phys(dev, 0x80000100, 100, FROM, 0);
	assert_int_equal(addr, HIGH_BIT);
	assert_int_equal(fx_get(fx, "for-device", 0)->addr, FX_POOL);
	dma_unmap_phys(dev, addr, 100, FROM, 0);
	assert_int_equal(fx_get(fx, "for-cpu", 0)->addr, FX_POOL);
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	addr = dma_map_phys(dev, 0x80000100, 100, FROM, DMA_ATTR_CC_SHARED);
	assert_int_equal(addr, (GIB(1) + 0x100) | HIGH_BIT);
	fx_clear(fx);
	dma_unmap_phys(dev, addr, 100, FROM, DMA_ATTR_CC_SHARED);
	assert_int_equal(fx_get(fx, "for-cpu", 0)->addr, 0x80000100);
	fx_free(fx);
}

/* Where every mapping bounces, memory that is shared already stays where it is. */
static void forced(void **state)
{
	struct fx *fx = host_with(guest, false);
	struct dma_device *dev = guest_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	assert_int_equal(dma_device_set_force_bounce(dev, true), 0);
	assert_int_equal(dma_map_phys(dev, 0x80000100, 100, TO, DMA_ATTR_CC_SHARED),
			 0x80000100 | HIGH_BIT);
	assert_int_equal(dma_map_phys(dev, 0x80000100, 100, TO, 0), FX_POOL | HIGH_BIT);
	dma_unmap_phys(dev, FX_POOL | HIGH_BIT, 100, TO, 0);
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ram_bounces_into_shared_memory),
		cmocka_unit_test(other_devices_do_not_bounce),
		cmocka_unit_test(mmio_forms),
		cmocka_unit_test(encryption_bit_beyond_the_mask),
		cmocka_unit_test(shared_bit_beyond_the_mask),
		cmocka_unit_test(windows_and_bits),
		cmocka_unit_test(forced),
	};

	return FX_RUN(tests);
}
