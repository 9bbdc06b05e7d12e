/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Promises that hold on every route: why a call failed is kept, observers see everything and change nothing, live
 * mappings are not pulled from under a device, misuse is survived. The contract table itself: contract.c.
 */
#include "fixture.h"

/* --- reasons */

static void every_reason_has_a_name_and_texts(void **state)
{
	(void)state;
	for (int i = 0; i < DMA_REASON_COUNT; i++) {
		const char *name = dma_reason_name((enum dma_reason)i);
		struct dma_error err = { .reason = (enum dma_reason)i, .err = -DMAMAP_ENOMEM };
		char text[512];

		assert_true(strlen(name) > 3);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"),
				 strlen(name));
		assert_true(strlen(dma_reason_what((enum dma_reason)i)) > 8);
		assert_true(strlen(dma_reason_help((enum dma_reason)i)) > 8);
		for (int other = 0; other < i; other++)
			assert_string_not_equal(name, dma_reason_name((enum dma_reason)other));
		assert_true(dma_error_format(&err, text, sizeof(text)) < sizeof(text));
		assert_non_null(strstr(text, name));
		assert_non_null(strstr(text, dma_reason_help((enum dma_reason)i)));
	}
	assert_string_equal(dma_reason_name(DMA_REASON_COUNT), "unknown");
	assert_string_equal(dma_reason_name((enum dma_reason) - 1), "unknown");
	assert_non_null(dma_reason_what((enum dma_reason)9999));
	assert_string_equal(dma_route_name(DMA_ROUTE_IOMMU), "iommu");
	assert_string_equal(dma_route_name((enum dma_route)99), "unknown");
}

static void error_text_is_cut_cleanly(void **state)
{
	const struct dma_error err = { .reason = DMA_REASON_BEYOND_MASK, .err = -DMAMAP_ENOMEM };
	char whole[512];
	char part[20];
	size_t len = dma_error_format(&err, whole, sizeof(whole));

	(void)state;
	assert_int_equal(len, strlen(whole));
	memset(part, 'x', sizeof(part));
	assert_int_equal(dma_error_format(&err, part, sizeof(part)), len);
	assert_int_equal(part[19], 0);
	assert_memory_equal(part, whole, 19);
	assert_int_equal(dma_error_format(&err, NULL, 0), len);
}

static void success_never_writes_the_last_error(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	struct dma_device *other = fx_device(fx);
	struct dma_error before;
	struct dma_error after;

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x1000, 0, TO, 0), E);
	fx_reason(dev, DMA_REASON_ZERO_SIZE);
	assert_int_equal(dma_last_error(dev, &before), 0);
	assert_int_equal(dma_map_phys(dev, 0x1000, 16, TO, 0), 0x1000);
	dma_unmap_phys(dev, 0x1000, 16, TO, 0);
	assert_int_equal(dma_map_phys(other, 0x1000, 16, TO, 0), 0x1000);
	assert_int_equal(dma_last_error(other, &after), 0);
	assert_memory_equal(&before, &after, sizeof(before));
	/* The caller's latest is tagged with the device that it was about; the other device never failed. */
	assert_ptr_equal(after.dev, dev);
	assert_int_equal(dma_device_last_error(other, &after), 0);
	assert_int_equal(after.reason, DMA_REASON_NONE);
	fx_free(fx);
}

static void last_error_of_each_device(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *a = fx_device(fx);
	struct dma_device *b = fx_device(fx);
	struct dma_error err;

	(void)state;
	assert_int_equal(dma_map_phys(a, 0x1000, 0, TO, 0), E);
	assert_int_equal(dma_map_phys(b, ~(uint64_t)0, 16, TO, 0), E);
	assert_int_equal(dma_device_last_error(a, &err), 0);
	assert_int_equal(err.reason, DMA_REASON_ZERO_SIZE);
	assert_int_equal(err.addr, 0x1000);
	assert_int_equal(dma_device_last_error(b, &err), 0);
	assert_int_equal(err.reason, DMA_REASON_ADDRESS_WRAP);
	assert_int_equal(dma_last_error(a, &err), 0);
	assert_ptr_equal(err.dev, b);
	assert_int_equal(dma_last_error(NULL, &err), -DMAMAP_EINVAL);
	assert_int_equal(dma_last_error(a, NULL), -DMAMAP_EINVAL);
	assert_int_equal(dma_device_last_error(NULL, &err), -DMAMAP_EINVAL);
	assert_int_equal(dma_device_last_error(a, NULL), -DMAMAP_EINVAL);
	fx_free(fx);
}

/* --- observers */

struct watcher {
	struct dma_observer observer;
	unsigned int events;
	enum dma_event_type last;
	enum dma_reason reason;
	dma_addr_t addr;
	struct watcher *before;
	bool in_order;
};

static void watch(struct dma_observer *self, const struct dma_event *event)
{
	struct watcher *w = (struct watcher *)(void *)self;

	w->events++;
	w->last = event->type;
	w->reason = event->reason;
	w->addr = event->dma_addr;
	w->in_order = !w->before || w->before->events == w->events;
}

/** The host traces nothing and sanitizes nothing, so that calls are inline until somebody attaches. */
static const struct fx_config quiet = { .quiet = true, .no_sanitize = true };

static void observers_see_inline_calls_from_then_on(void **state)
{
	struct fx *fx = fx_new(&quiet);
	struct dma_device *dev = fx_device(fx);
	struct watcher w = { .observer = { .event = watch } };

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(dma_map_phys(dev, 0x1000, 16, TO, 0), 0x1000);
	/* The fast path is really in use, or this test would show nothing. */
	assert_false(dev->flags & (DMAMAP_DEV_SLOW_MAP | DMAMAP_DEV_OBSERVED));
	assert_int_equal(dma_observer_attach(&fx->host, &w.observer), 0);
	assert_int_equal(w.events, 0);
	assert_int_equal(dma_map_phys(dev, 0x2000, 16, TO, 0), 0x2000);
	assert_int_equal(w.events, 1);
	assert_int_equal(w.last, DMA_EVENT_MAP_PHYS);
	assert_int_equal(w.addr, 0x2000);
	dma_sync_single_for_cpu(dev, 0x2000, 16, TO);
	assert_int_equal(w.last, DMA_EVENT_SYNC_SINGLE_FOR_CPU);
	dma_unmap_phys(dev, 0x2000, 16, TO, 0);
	assert_int_equal(w.last, DMA_EVENT_UNMAP_PHYS);
	assert_int_equal(dma_map_phys(dev, 0x2000, 0, TO, 0), E);
	assert_int_equal(w.reason, DMA_REASON_ZERO_SIZE);
	assert_int_equal(w.events, 4);
	assert_int_equal(dma_observer_detach(&fx->host, &w.observer), 0);
	assert_int_equal(dma_map_phys(dev, 0x2000, 16, TO, 0), 0x2000);
	dma_unmap_phys(dev, 0x2000, 16, TO, 0);
	assert_int_equal(w.events, 4);
	assert_false(dev->flags & DMAMAP_DEV_OBSERVED);
	fx_free(fx);
}

/* What a device needs beyond an addition keeps it off the inline path, from the second map on too. */
static void inline_path_is_only_for_plain_devices(void **state)
{
	const struct fx_config noncoherent = { .noncoherent = true,
					       .quiet = true,
					       .no_sanitize = true };
	struct fx *fx = fx_new(&noncoherent);
	struct dma_device *dn = fx_device(fx);
	struct dma_device *forced = fx_device(fx);
	dma_addr_t addr[2];

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(dma_map_phys(dn, 0x1000, 16, TO, 0), 0x1000);
	for (unsigned int i = 0; i < 2; i++)
		dma_unmap_phys(dn, 0x1000, 16, FROM, 0);
	expect_order(fx, "for-device for-device for-device for-cpu for-cpu-all for-cpu "
			 "for-cpu-all");
	assert_int_equal(dma_device_set_coherent(forced, true), 0);
	assert_int_equal(dma_device_set_bounce(forced, fx_pool(fx)), 0);
	assert_int_equal(dma_device_set_force_bounce(forced, true), 0);
	for (unsigned int i = 0; i < 2; i++) {
		addr[i] = dma_map_phys(forced, 0x80001000, 16, TO, 0);
		assert_int_equal(addr[i], FX_POOL + i * 2048);
	}
	assert_int_equal(dma_map_resource(forced, 0xf0000000, 16, TO, 0), E);
	for (unsigned int i = 0; i < 2; i++)
		dma_unmap_phys(forced, addr[i], 16, TO, 0);
	assert_int_equal(fx_pool_used(fx->pool[0]), 0);
	fx_free(fx);
}

static void forced_host(struct fx *fx)
{
	fx->host.force_bounce = true;
}

static void host_forces_bouncing(void **state)
{
	const struct fx_config config = { .quiet = true,
					  .no_sanitize = true,
					  .tweak = forced_host };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(dma_map_phys(dev, 0x80001000, 16, TO, 0), FX_POOL);
		dma_unmap_phys(dev, FX_POOL, 16, TO, 0);
	}
	fx_free(fx);
}

static void observers_see_devices_that_come_later(void **state)
{
	struct fx *fx = fx_new(&quiet);
	struct watcher w = { .observer = { .event = watch } };
	struct dma_device *dev;

	(void)state;
	assert_int_equal(dma_observer_attach(&fx->host, &w.observer), 0);
	dev = fx_device(fx);
	dma_map_phys(dev, 0x1000, 16, TO, 0);
	dma_map_phys(dev, 0x1000, 16, TO, 0);
	assert_int_equal(w.events, 2);
	assert_int_equal(dma_observer_detach(&fx->host, &w.observer), 0);
	fx_free(fx);
}

static void observers_are_called_in_order(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	struct watcher first = { .observer = { .event = watch } };
	struct watcher second = { .observer = { .event = watch }, .before = &first };

	(void)state;
	assert_int_equal(dma_observer_attach(&fx->host, &first.observer), 0);
	assert_int_equal(dma_observer_attach(&fx->host, &second.observer), 0);
	assert_int_equal(dma_observer_attach(&fx->host, &first.observer), -DMAMAP_EBUSY);
	dma_map_phys(dev, 0x1000, 16, TO, 0);
	assert_int_equal(first.events, 1);
	assert_int_equal(second.events, 1);
	assert_true(second.in_order);
	assert_int_equal(dma_observer_detach(&fx->host, &first.observer), 0);
	assert_int_equal(dma_observer_detach(&fx->host, &first.observer), -DMAMAP_EINVAL);
	dma_map_phys(dev, 0x1000, 16, TO, 0);
	assert_int_equal(first.events, 1);
	assert_int_equal(second.events, 2);
	assert_int_equal(dma_observer_detach(&fx->host, &second.observer), 0);
	assert_int_equal(dma_observer_attach(NULL, &first.observer), -DMAMAP_EINVAL);
	assert_int_equal(dma_observer_attach(&fx->host, NULL), -DMAMAP_EINVAL);
	first.observer.event = NULL;
	assert_int_equal(dma_observer_attach(&fx->host, &first.observer), -DMAMAP_EINVAL);
	fx_free(fx);
}

/* --- live mappings */

static void refused_while_live(struct dma_device *dev, int err)
{
	assert_int_equal(err, -DMAMAP_EBUSY);
	fx_reason(dev, DMA_REASON_LIVE_MAPPINGS);
}

static void every_setter_refuses(struct fx *fx, struct dma_device *dev)
{
	static const struct dma_range map[] = { { 0, 0x1000, GIB(4) }, { 0, 0, 0 } };

	refused_while_live(dev, dma_device_set_mask_storage(dev, DMA_MASK_SHARED));
	refused_while_live(dev, dma_device_set_bus_limit(dev, 0xffff));
	refused_while_live(dev, dma_device_set_range_map(dev, map));
	refused_while_live(dev, dma_device_set_coherent(dev, false));
	refused_while_live(dev, dma_device_set_ops(dev, fx_table(fx, FX_PHYS)));
	refused_while_live(dev, dma_device_set_bounce(dev, NULL));
	refused_while_live(dev, dma_device_set_force_bounce(dev, true));
	refused_while_live(dev, dma_device_set_untrusted(dev, true));
	refused_while_live(dev, dma_device_set_domain(dev, NULL));
	refused_while_live(dev, dma_set_mask(dev, DMA_BIT_MASK(32)));
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(64)), 0);
}

/* A direct mapping holds nothing and is not counted: the first one seals the device until it is quiesced. */
static void setters_refuse_while_direct_mappings_may_live(void **state)
{
	struct fx *fx = fx_new(&quiet);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_map_phys(dev, 0x1000, 16, TO, 0), 0x1000);
	every_setter_refuses(fx, dev);
	dma_unmap_phys(dev, 0x1000, 16, TO, 0);
	refused_while_live(dev, dma_device_set_force_bounce(dev, true));
	assert_int_equal(dma_device_quiesce(dev), 0);
	assert_int_equal(dma_device_set_bus_limit(dev, 0xffff), 0);
	/* The new limit is obeyed at once, by the inline path too. */
	assert_int_equal(dma_map_phys(dev, 0xfff0, 16, TO, 0), 0xfff0);
	assert_int_equal(dma_map_phys(dev, 0xfff1, 16, TO, 0), E);
	fx_reason(dev, DMA_REASON_BEYOND_BUS_LIMIT);
	fx_free(fx);
}

static void setters_refuse_while_counted_mappings_live(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	dma_addr_t addr = dma_map_phys(dev, 0x1000, 16, TO, 0);

	(void)state;
	assert_int_equal(dma_device_live(dev), 1);
	every_setter_refuses(fx, dev);
	assert_int_equal(dma_device_route(dev), DMA_ROUTE_IOMMU);
	refused_while_live(dev, dma_device_quiesce(dev));
	assert_int_equal(dma_device_fini(dev), -DMAMAP_EBUSY);
	assert_int_equal(dma_domain_destroy(fx->domain[0]), -DMAMAP_EBUSY);
	assert_int_equal(dma_host_fini(&fx->host), -DMAMAP_EBUSY);
	dma_unmap_phys(dev, addr, 16, TO, 0);
	assert_int_equal(dma_device_live(dev), 0);
	assert_int_equal(dma_device_set_domain(dev, NULL), 0);
	assert_int_equal(dma_device_route(dev), DMA_ROUTE_DIRECT);
	fx_free(fx);
}

static void pool_is_not_pulled_away(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_device(fx);
	struct dma_bounce *pool = fx_pool(fx);
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, pool), 0);
	assert_int_equal(dma_device_set_force_bounce(dev, true), 0);
	addr = dma_map_phys(dev, 0x80001000, 16, TO, 0);
	assert_int_equal(dma_bounce_destroy(pool), -DMAMAP_EBUSY);
	refused_while_live(dev, dma_device_set_bounce(dev, NULL));
	assert_int_equal(dma_device_fini(dev), -DMAMAP_EBUSY);
	dma_unmap_phys(dev, addr, 16, TO, 0);
	fx_free(fx);
}

/* A mask that grows may end the need for a table; the way back of live mappings must stay. */
static void growing_mask_keeps_the_way_back(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_ops_device(fx, FX_PHYS | FX_MEMORY);
	dma_addr_t handle;
	dma_addr_t addr;
	void *mem;

	(void)state;
	assert_int_equal(dma_set_mask_and_coherent(dev, DMA_BIT_MASK(31)), 0);
	assert_int_equal(dma_device_set_ops_bypass(dev, true), 0);
	addr = dma_map_phys(dev, 0x1000, 16, TO, 0);
	mem = dma_alloc_coherent(dev, 4096, &handle, GFP_KERNEL);
	assert_int_equal(addr, 0x1000 + FX_OPS_OFFSET);
	refused_while_live(dev, dma_set_mask(dev, DMA_BIT_MASK(64)));
	refused_while_live(dev, dma_set_coherent_mask(dev, DMA_BIT_MASK(64)));
	assert_int_equal(dma_device_route(dev), DMA_ROUTE_OPS);
	/* One that leaves the route alone is welcome. */
	assert_int_equal(dma_set_mask_and_coherent(dev, DMA_BIT_MASK(31) + 1), 0);
	dma_unmap_phys(dev, addr, 16, TO, 0);
	dma_free_coherent(dev, 4096, mem, handle);
	expect_count(fx, "M:unmap_phys", 1);
	expect_count(fx, "M:free", 1);
	assert_int_equal(dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	assert_int_equal(dma_device_route(dev), DMA_ROUTE_DIRECT);
	fx_free(fx);
}

/* Nor may it make syncs of a live bounce look needless. */
static void growing_mask_keeps_syncs(void **state)
{
	const struct fx_config config = { .quiet = true,
					  .no_sanitize = true,
					  .ram = { { 0, GIB(8) } } };
	struct fx *fx = fx_new(&config);
	struct dma_device *dev = fx_device32(fx);
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	addr = dma_map_phys(dev, GIB(5), 16, FROM, 0);
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(64)), 0);
	assert_true(dma_need_sync(dev, addr));
	memset(fx_ram(fx, FX_POOL), 0x66, 16);
	dma_sync_single_for_cpu(dev, addr, 16, FROM);
	assert_true(fx_all(fx, GIB(5), 16, 0x66));
	memset(fx_ram(fx, FX_POOL), 0x67, 16);
	dma_unmap_phys(dev, addr, 16, FROM, 0);
	assert_true(fx_all(fx, GIB(5), 16, 0x67));
	fx_free(fx);
}

/* The layout of a live list depends on the boundary, so it may not change under it. */
static void boundary_stays_while_lists_live(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	struct scatterlist sgl[2];

	(void)state;
	assert_int_equal(dma_set_seg_boundary(dev, 0xffff), 0);
	sg_init_table(sgl, 2);
	sg_set_phys(&sgl[0], 0x100000, 0x9000);
	sg_set_phys(&sgl[1], 0x200000, 0x9000);
	assert_int_equal(dma_map_sg(dev, sgl, 2, TO), 2);
	refused_while_live(dev, dma_set_seg_boundary(dev, 0xffffffff));
	dma_unmap_sg(dev, sgl, 2, TO);
	expect_count(fx, "warn", 0);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	assert_int_equal(dma_set_seg_boundary(dev, 0xffffffff), 0);
	fx_free(fx);
}

/* A refused change of domain changes nothing: the device stays where it was, never in front of no domain at all. */
static void refused_domain_leaves_the_old_one(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	struct dma_domain *other = fx_domain(fx, DMA_INVALIDATION_STRICT);
	dma_addr_t addr;

	(void)state;
	fx->unit[1].refuse = -DMAMAP_ENODEV;
	assert_int_equal(dma_device_set_domain(dev, other), -DMAMAP_ENODEV);
	fx_reason(dev, DMA_REASON_BACKEND);
	assert_int_equal(dma_device_route(dev), DMA_ROUTE_IOMMU);
	addr = dma_map_phys(dev, 0x1000, 16, TO, 0);
	assert_int_not_equal(addr, E);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 4096);
	dma_unmap_phys(dev, addr, 16, TO, 0);
	fx_free(fx);
}

/* --- misuse is survived */

static void unmap_of_the_error_value(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *devs[] = { fx_device(fx), fx_io(fx), fx_ops_device(fx, FX_PHYS) };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		fx_clear(fx);
		dma_unmap_phys(devs[i], E, 16, TO, 0);
		expect_order(fx, "warn T:unmap_phys");
		fx_reason(devs[i], DMA_REASON_NOT_MAPPED);
	}
	fx_free(fx);
}

static void double_unmap(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *devs[] = { fx_device(fx), fx_io(fx), fx_ops_device(fx, FX_PHYS) };

	(void)state;
	assert_int_equal(dma_device_set_bounce(devs[0], fx_pool(fx)), 0);
	assert_int_equal(dma_device_set_force_bounce(devs[0], true), 0);
	for (unsigned int i = 0; i < 3; i++) {
		dma_addr_t addr = dma_map_phys(devs[i], 0x80001000, 16, FROM, 0);

		dma_unmap_phys(devs[i], addr, 16, FROM, 0);
		dma_unmap_phys(devs[i], addr, 16, FROM, 0);
		/* Whatever the route could notice: the count stays sane. */
		assert_int_equal(dma_device_live(devs[i]), 0);
	}
	fx_message(fx, "warn", 3);
	fx_free(fx);
}

static void bad_lists(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	struct scatterlist sgl[2];

	(void)state;
	sg_init_table(sgl, 2);
	sg_set_phys(&sgl[0], 0x1000, 0x1000);
	/* The second element has no memory; then the list is shorter than its count. */
	assert_int_equal(dma_map_sg(dev, sgl, 2, TO), 0);
	fx_reason(dev, DMA_REASON_BAD_LIST);
	sg_set_phys(&sgl[1], 0x2000, 0x1000);
	assert_int_equal(dma_map_sg(dev, sgl, 3, TO), 0);
	fx_reason(dev, DMA_REASON_BAD_LIST);
	sgl[1].length = 0;
	assert_int_equal(dma_map_sg(dev, sgl, 2, TO), 0);
	fx_reason(dev, DMA_REASON_BAD_LIST);
	expect_count(fx, "T:map_sg_err", 3);
	expect_count(fx, "T:iommu_map", 0);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

static void chained_list(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	struct scatterlist first[3];
	struct scatterlist second[2];

	(void)state;
	sg_init_table(first, 3);
	sg_init_table(second, 2);
	sg_set_phys(&first[0], 0x100000, 0x1000);
	sg_set_phys(&first[1], 0x200000, 0x1000);
	sg_set_phys(&second[0], 0x300000, 0x800);
	sg_set_phys(&second[1], 0x400000, 0x1000);
	sg_chain(first, 3, second);
	assert_int_equal(dma_map_sg(dev, first, 4, TO), 2);
	assert_int_equal(sg_dma_len(&first[0]), 0x2800);
	assert_int_equal(sg_dma_len(&first[1]), 0x1000);
	assert_int_equal(fx_translate(fx, sg_dma_address(&first[1])), 0x400000);
	dma_unmap_sg(dev, first, 4, TO);
	assert_int_equal(fx_iova_bytes(fx->domain[0]), 0);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_a_name_and_texts),
		cmocka_unit_test(error_text_is_cut_cleanly),
		cmocka_unit_test(success_never_writes_the_last_error),
		cmocka_unit_test(last_error_of_each_device),
		cmocka_unit_test(observers_see_inline_calls_from_then_on),
		cmocka_unit_test(inline_path_is_only_for_plain_devices),
		cmocka_unit_test(host_forces_bouncing),
		cmocka_unit_test(observers_see_devices_that_come_later),
		cmocka_unit_test(observers_are_called_in_order),
		cmocka_unit_test(setters_refuse_while_direct_mappings_may_live),
		cmocka_unit_test(setters_refuse_while_counted_mappings_live),
		cmocka_unit_test(pool_is_not_pulled_away),
		cmocka_unit_test(growing_mask_keeps_the_way_back),
		cmocka_unit_test(growing_mask_keeps_syncs),
		cmocka_unit_test(boundary_stays_while_lists_live),
		cmocka_unit_test(refused_domain_leaves_the_old_one),
		cmocka_unit_test(unmap_of_the_error_value),
		cmocka_unit_test(double_unmap),
		cmocka_unit_test(bad_lists),
		cmocka_unit_test(chained_list),
	};

	return FX_RUN(tests);
}
