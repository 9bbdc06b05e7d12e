/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains with several devices and several IOMMU units: every unit is told of every invalidation, and what one lacks,
 * or what is reserved for a device, is known before the device is attached.
 */
#include "proxy.h"

/** A world with a second unit, and "nic0" behind it through a proxy; the nic is in no domain yet. */
struct two {
	struct world *w;
	struct sim_iommu *iommu;
	struct sim_device *nic;
	struct dma_device *dev;
	struct proxy proxy;
};

static struct two *two_new(const struct sim_iommu_config *config, enum dma_invalidation policy)
{
	const struct sim_iommu_config plain = { .size = sizeof(plain) };
	struct two *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->w = world_new(policy);
	assert_int_equal(sim_iommu_create(t->w->m, config ? config : &plain, &t->iommu), 0);
	t->nic = world_device(t->w, "nic0", t->iommu);
	t->dev = sim_dma(t->nic);
	t->proxy.unit.ops = &proxy_ops;
	t->proxy.real = sim_iommu_unit(t->iommu);
	assert_int_equal(dma_device_set_unit(t->dev, &t->proxy.unit), 0);
	return t;
}

static void two_free(struct two *t)
{
	assert_int_equal(sim_device_destroy(t->nic), 0);
	assert_int_equal(t->proxy.attached, 0);
	assert_int_equal(sim_iommu_destroy(t->iommu), 0);
	world_end(t->w);
	free(t);
}

static void join(struct two *t)
{
	assert_int_equal(dma_device_set_domain(t->dev, t->w->domain), 0);
}

/** Both reach what either maps, through one table and two IOTLBs; after the unmap neither does. */
static void two_units_one_table(void **state)
{
	for (int lazy = 0; lazy < 2; lazy++) {
		struct two *t =
			two_new(NULL, lazy ? DMA_INVALIDATION_LAZY : DMA_INVALIDATION_STRICT);
		struct world *w = t->w;
		dma_addr_t addr;

		(void)state;
		join(t);
		addr = world_map(w, w->ram, PAGE, DMA_BIDIRECTIONAL);
		expect_access(w->device, addr, PAGE, true, SIM_FAULT_NONE);
		expect_access(t->nic, addr, PAGE, true, SIM_FAULT_NONE);
		dma_unmap_phys(w->dev, addr, PAGE, DMA_BIDIRECTIONAL, 0);
		dma_domain_flush(w->domain);
		expect_access(w->device, addr, 1, false, SIM_FAULT_NOT_PRESENT);
		expect_access(t->nic, addr, 1, false, SIM_FAULT_NOT_PRESENT);
		two_free(t);
	}
}

/** The arrow broken on purpose: a unit that is not told keeps the old translation, and its device gets through. */
static void one_unit_not_told(void **state)
{
	struct two *t = two_new(NULL, DMA_INVALIDATION_STRICT);
	struct world *w = t->w;
	dma_addr_t addr;

	(void)state;
	join(t);
	t->proxy.lame = true;
	addr = world_map(w, w->ram, PAGE, DMA_BIDIRECTIONAL);
	expect_access(w->device, addr, PAGE, true, SIM_FAULT_NONE);
	expect_access(t->nic, addr, PAGE, true, SIM_FAULT_NONE);
	dma_unmap_phys(w->dev, addr, PAGE, DMA_BIDIRECTIONAL, 0);
	expect_access(w->device, addr, 1, false, SIM_FAULT_NOT_PRESENT);
	expect_access(t->nic, addr, 1, false, SIM_FAULT_NONE);
	two_free(t);
}

/** All units are started before one is waited for; devices' own caches come when the units are done. */
static void order_of_invalidations(void **state)
{
	struct two *t = two_new(NULL, DMA_INVALIDATION_STRICT);
	struct proxy first = { .unit.ops = &proxy_ops,
			       .real = sim_iommu_unit(t->w->iommu),
			       .mark = '1' };
	struct sim_device *other = world_device(t->w, "other", t->w->iommu);
	struct text log = { .len = 0 };
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_device_set_unit(sim_dma(other), &first.unit), 0);
	first.log = t->proxy.log = &log;
	t->proxy.mark = '2';
	assert_int_equal(dma_device_set_domain(sim_dma(other), t->w->domain), 0);
	join(t);
	addr = world_map(t->w, t->w->ram, PAGE, DMA_BIDIRECTIONAL);
	log.len = 0;
	dma_unmap_phys(t->w->dev, addr, PAGE, DMA_BIDIRECTIONAL, 0);
	assert_string_equal(log.s, "i1i2w1w2");
	assert_int_equal(dma_device_set_domain(t->dev, NULL), 0);
	t->proxy.unit.ops = &proxy_ats_ops;
	join(t);
	addr = world_map(t->w, t->w->ram, PAGE, DMA_BIDIRECTIONAL);
	log.len = 0;
	dma_unmap_phys(t->w->dev, addr, PAGE, DMA_BIDIRECTIONAL, 0);
	assert_string_equal(log.s, "i1i2w1w2d2w1w2");
	/* who has no device left is not asked any more */
	assert_int_equal(dma_device_set_domain(t->dev, NULL), 0);
	addr = world_map(t->w, t->w->ram, PAGE, DMA_BIDIRECTIONAL);
	log.len = 0;
	dma_unmap_phys(t->w->dev, addr, PAGE, DMA_BIDIRECTIONAL, 0);
	assert_null(strchr(log.s, '2'));
	assert_int_equal(sim_device_destroy(other), 0);
	two_free(t);
}

/** A device that joins later sees what is mapped already; one that leaves sees nothing more. */
static void joining_and_leaving(void **state)
{
	struct two *t = two_new(NULL, DMA_INVALIDATION_STRICT);
	dma_addr_t addr = world_map(t->w, t->w->ram, PAGE, DMA_TO_DEVICE);

	(void)state;
	expect_access(t->nic, addr, 1, false, SIM_FAULT_NO_DOMAIN);
	join(t);
	assert_int_equal(t->proxy.attached, 1);
	assert_int_equal(dma_device_set_unit(t->dev, NULL), -DMAMAP_EBUSY);
	expect_access(t->nic, addr, PAGE, false, SIM_FAULT_NONE);
	assert_int_equal(dma_device_set_domain(t->dev, NULL), 0);
	expect_access(t->nic, addr, 1, false, SIM_FAULT_NO_DOMAIN);
	assert_int_equal(dma_device_set_domain(t->dev, t->w->domain), 0);
	assert_int_equal(dma_domain_destroy(t->w->domain), -DMAMAP_EBUSY);
	assert_int_equal(dma_device_set_domain(t->dev, NULL), 0);
	dma_unmap_phys(t->w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	two_free(t);
}

static void expect_refusal(struct two *t, int err, enum dma_reason reason)
{
	struct dma_error why;

	assert_int_equal(dma_device_set_domain(t->dev, t->w->domain), err);
	assert_int_equal(dma_device_last_error(t->dev, &why), 0);
	assert_string_equal(dma_reason_name(why.reason), dma_reason_name(reason));
	assert_int_equal(dma_device_route(t->dev), DMA_ROUTE_DIRECT);
	expect_access(t->nic, 0x1000, 1, false, SIM_FAULT_NO_DOMAIN);
}

/** The unit's own refusal leaves the device outside. */
static void unit_refuses(void **state)
{
	struct two *t = two_new(NULL, DMA_INVALIDATION_STRICT);

	(void)state;
	t->proxy.refuses = true;
	expect_refusal(t, -DMAMAP_EIO, DMA_REASON_BACKEND);
	t->proxy.refuses = false;
	join(t);
	two_free(t);
}

/** An empty domain takes what both units have; the widths then hold for everybody. */
static void empty_domain_narrows(void **state)
{
	const struct sim_iommu_config narrow = {
		.size = sizeof(narrow), .levels = 4, .output_bits = 32, .page_sizes = 1u << 21
	};
	struct two *t = two_new(&narrow, DMA_INVALIDATION_STRICT);
	struct dma_error why;
	dma_addr_t addr;

	(void)state;
	t->proxy.caps = (struct dma_unit_caps){ .output_bits = 32,
						.input_bits = 39,
						.page_sizes = 1u << 21 | 1u << 12 };
	join(t);
	addr = world_map(t->w, t->w->ram, PAGE, DMA_TO_DEVICE);
	assert_true(addr < 1ull << 39);
	expect_access(t->nic, addr, PAGE, false, SIM_FAULT_NONE);
	assert_true(dma_map_resource(t->w->dev, 0x100000000, PAGE, DMA_TO_DEVICE, 0) ==
		    DMA_MAPPING_ERROR);
	assert_int_equal(dma_last_error(t->w->dev, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_OUTPUT_WIDTH);
	dma_unmap_phys(t->w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	two_free(t);
}

/** What is in use cannot be narrowed: each lack has its reason, and nothing changed. */
static void units_that_lack(void **state)
{
	static const struct {
		struct dma_unit_caps caps;
		int err;
		enum dma_reason reason;
	} lacks[] = {
		{ { .output_bits = 40 }, -DMAMAP_EBUSY, DMA_REASON_OUTPUT_WIDTH },
		{ { .page_sizes = 1u << 12 }, -DMAMAP_EBUSY, DMA_REASON_UNITS_DIFFER },
		{ { .input_bits = 39 }, -DMAMAP_EBUSY, DMA_REASON_UNITS_DIFFER },
		{ { .page_sizes = 1u << 21 }, -DMAMAP_EOPNOTSUPP, DMA_REASON_UNITS_DIFFER },
		{ { .incoherent_walk = true }, -DMAMAP_EOPNOTSUPP, DMA_REASON_UNITS_DIFFER },
		{ { .map_side_work = true }, -DMAMAP_EOPNOTSUPP, DMA_REASON_UNITS_DIFFER },
		{ { .formats = 1u << DMA_PT_RISCV }, -DMAMAP_EOPNOTSUPP, DMA_REASON_UNITS_DIFFER },
		{ { .input_bits = 12 }, -DMAMAP_EFAULT, DMA_REASON_APERTURE },
	};
	struct two *t = two_new(NULL, DMA_INVALIDATION_STRICT);
	dma_addr_t addr = world_map(t->w, t->w->ram, PAGE, DMA_TO_DEVICE);

	(void)state;
	for (unsigned int i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
		t->proxy.caps = lacks[i].caps;
		expect_refusal(t, lacks[i].err, lacks[i].reason);
	}
	t->proxy.caps = (struct dma_unit_caps){ .output_bits = 52, .input_bits = 57 };
	join(t);
	expect_access(t->nic, addr, PAGE, false, SIM_FAULT_NONE);
	dma_unmap_phys(t->w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	two_free(t);
}

/* --- reserved regions */

#define REGION 0x40000000ull

/** A region that arrives with a later device: kept out from then on, for good, whatever of it was out already. */
static void late_region(void **state)
{
	const struct dma_reserved_region regions[] = {
		{ .first = 0xfee00000, .last = 0xfeefffff, .msi = true }, /* the hardware's hole */
		{ .first = REGION + 0x800, .last = REGION + 0x3000 },
		{ .first = REGION, .last = REGION + 0x7fff },
		{ .first = 0, .last = 0xfff }, /* never is handed out */
		{ .first = 0xfffffffffffff000, .last = ~0ull },
	};
	struct two *t = two_new(NULL, DMA_INVALIDATION_STRICT);
	struct dma_domain *domain = t->w->domain;
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_domain_reserve(domain, REGION + 0x2000, 0x1000), 0);
	t->proxy.regions = regions;
	t->proxy.nr_regions = 5;
	join(t);
	assert_int_equal(dma_device_set_domain(t->dev, NULL), 0);
	join(t);
	assert_int_equal(dma_set_mask(t->w->dev, REGION + 0x7fff), 0);
	addr = world_map(t->w, t->w->ram, PAGE, DMA_TO_DEVICE);
	assert_true(addr == REGION - PAGE);
	dma_unmap_phys(t->w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_device_set_domain(t->dev, NULL), 0);
	addr = world_map(t->w, t->w->ram, PAGE, DMA_TO_DEVICE);
	assert_true(addr == REGION - PAGE);
	dma_unmap_phys(t->w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	two_free(t);
}

/** The unit of the domain's configuration is asked too, for devices that were not told theirs. */
static void configured_unit(void **state)
{
	const struct dma_domain_config policy = { .size = sizeof(policy) };
	const struct dma_reserved_region region = { .first = REGION, .last = REGION + 0xfff };
	struct two *t = two_new(NULL, DMA_INVALIDATION_STRICT);
	const struct dma_pt_config config = { .size = sizeof(config),
					      .format = DMA_PT_VTD_SECOND_STAGE,
					      .levels = 4,
					      .output_bits = 46,
					      .coherent_walk = true,
					      .unit = &t->proxy.unit,
					      .domain_id = 1000 };
	struct dma_backend *backend;
	struct dma_domain *domain;
	dma_addr_t addr;

	(void)state;
	t->proxy.regions = &region;
	t->proxy.nr_regions = 1;
	t->proxy.caps.output_bits = 40;
	assert_int_equal(dma_device_set_unit(t->dev, NULL), 0);
	assert_int_equal(dma_pt_backend_create(t->w->host, &config, &backend), 0);
	assert_int_equal(dma_domain_create(t->w->host, backend, &policy, &domain), 0);
	assert_int_equal(dma_device_set_domain(t->dev, domain), 0);
	assert_int_equal(t->proxy.attached, 1);
	assert_int_equal(dma_set_mask(t->dev, REGION + 0xfff), 0);
	addr = dma_map_phys(t->dev, t->w->ram, PAGE, DMA_TO_DEVICE, 0);
	assert_true(addr == REGION - PAGE);
	expect_access(t->nic, addr, PAGE, false, SIM_FAULT_NONE);
	dma_unmap_phys(t->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	assert_true(dma_map_resource(t->dev, 1ull << 40, PAGE, DMA_TO_DEVICE, 0) ==
		    DMA_MAPPING_ERROR);
	assert_int_equal(dma_device_set_domain(t->dev, NULL), 0);
	assert_int_equal(dma_domain_destroy(domain), 0);
	two_free(t);
}

/** A region in which something is mapped is refused; an unmap that only waits for its flush is no obstacle. */
static void region_in_use(void **state)
{
	struct dma_reserved_region region = { .msi = true };
	struct two *t = two_new(NULL, DMA_INVALIDATION_LAZY);
	dma_addr_t addr = world_map(t->w, t->w->ram, PAGE, DMA_TO_DEVICE);
	struct dma_error why;

	(void)state;
	region.first = addr - PAGE;
	region.last = addr + 5;
	t->proxy.regions = &region;
	t->proxy.nr_regions = 1;
	expect_refusal(t, -DMAMAP_EBUSY, DMA_REASON_RESERVED_IN_USE);
	assert_int_equal(dma_device_last_error(t->dev, &why), 0);
	assert_true(why.addr == region.first && why.size == PAGE + 6);
	dma_unmap_phys(t->w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	join(t);
	region = (struct dma_reserved_region){ .first = 2, .last = 1 };
	assert_int_equal(dma_device_set_domain(t->dev, NULL), 0);
	expect_refusal(t, -DMAMAP_EINVAL, DMA_REASON_BACKEND);
	two_free(t);
}

/** Memory that firmware gave to a device: it works there before, while and after it is attached. */
static void direct_region(void **state)
{
	struct two *t = two_new(NULL, DMA_INVALIDATION_STRICT);
	struct dma_reserved_region regions[] = {
		{ .first = t->w->ram, .last = t->w->ram + 3 * PAGE - 1, .direct = true },
		{ .first = t->w->ram + 2 * PAGE, .last = t->w->ram + 5 * PAGE - 1, .direct = true },
	};
	struct dma_error why;
	phys_addr_t phys;

	(void)state;
	t->proxy.regions = regions;
	t->proxy.nr_regions = 2;
	join(t);
	expect_access(t->nic, t->w->ram, 5 * PAGE, true, SIM_FAULT_NONE);
	expect_access(t->nic, t->w->ram + 5 * PAGE, 1, true, SIM_FAULT_NOT_PRESENT);
	assert_int_equal(dma_domain_iova_to_phys(t->w->domain, t->w->ram + 123, &phys), 0);
	assert_true(phys == t->w->ram + 123);
	/* nobody mapped it, so nobody unmaps it */
	dma_unmap_phys(t->dev, t->w->ram + PAGE, PAGE, DMA_BIDIRECTIONAL, 0);
	assert_int_equal(dma_last_error(t->dev, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_NOT_MAPPED);
	expect_access(t->nic, t->w->ram, 5 * PAGE, true, SIM_FAULT_NONE);
	assert_int_equal(dma_device_set_domain(t->dev, NULL), 0);
	join(t);
	assert_int_equal(dma_set_mask(t->w->dev, t->w->ram + 5 * PAGE - 1), 0);
	assert_true(world_map(t->w, t->w->ram, PAGE, DMA_TO_DEVICE) < t->w->ram);
	dma_unmap_phys(t->w->dev, t->w->ram - PAGE, PAGE, DMA_TO_DEVICE, 0);
	two_free(t);
}

/** Direct regions that cannot be: outside of the table, where something else is mapped. */
static void direct_region_refused(void **state)
{
	struct two *t = two_new(NULL, DMA_INVALIDATION_STRICT);
	struct dma_reserved_region region = { .first = 1ull << 50,
					      .last = (1ull << 50) + 0xfff,
					      .direct = true };
	dma_addr_t addr = world_map(t->w, t->w->ram, PAGE, DMA_TO_DEVICE);

	(void)state;
	t->proxy.regions = &region;
	t->proxy.nr_regions = 1;
	expect_refusal(t, -DMAMAP_EFAULT, DMA_REASON_APERTURE);
	region.first = addr;
	region.last = addr + PAGE - 1;
	expect_refusal(t, -DMAMAP_EBUSY, DMA_REASON_RESERVED_IN_USE);
	dma_unmap_phys(t->w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	two_free(t);
}

/** Each request for memory fails once: the device stays outside, and the next attempt succeeds. */
static void memory_fails(void **state)
{
	struct two *t = two_new(NULL, DMA_INVALIDATION_STRICT);
	struct dma_reserved_region regions[] = {
		{ .first = REGION, .last = REGION + 0xfff },
		{ .first = t->w->ram, .last = t->w->ram + PAGE - 1, .direct = true },
	};
	unsigned int failures = 0;
	int err;

	(void)state;
	t->proxy.regions = regions;
	t->proxy.nr_regions = 2;
	do {
		sim_fail_alloc(t->w->m, failures + 1);
		err = dma_device_set_domain(t->dev, t->w->domain);
		if (err) {
			assert_int_equal(err, -DMAMAP_ENOMEM);
			expect_access(t->nic, t->w->ram, 1, true, SIM_FAULT_NO_DOMAIN);
			failures++;
		}
	} while (err);
	sim_fail_alloc(t->w->m, 0);
	assert_true(failures >= 2);
	expect_access(t->nic, t->w->ram, PAGE, true, SIM_FAULT_NONE);
	two_free(t);
}

/* --- from one domain to another */

/** A second domain, of other addresses: what is mapped in the first one is not in it. */
static struct dma_domain *second_domain(struct two *t, enum dma_invalidation invalidation)
{
	const struct dma_domain_config policy = { .size = sizeof(policy),
						  .invalidation = invalidation };
	struct dma_domain *domain;

	assert_int_equal(sim_domain_create(t->iommu, &policy, &domain), 0);
	return domain;
}

static void expect_refused_move(struct two *t, struct dma_domain *to, int err,
				enum dma_reason reason)
{
	struct dma_error why;

	assert_int_equal(dma_device_set_domain(t->dev, to), err);
	assert_int_equal(dma_device_last_error(t->dev, &why), 0);
	assert_string_equal(dma_reason_name(why.reason), dma_reason_name(reason));
	assert_int_equal(why.err, err);
	assert_int_equal(dma_device_route(t->dev), DMA_ROUTE_IOMMU);
}

/** The device is in the first domain, and everything goes as ever. */
static void expect_in_first(struct two *t)
{
	dma_addr_t addr = dma_map_phys(t->dev, t->w->ram, PAGE, DMA_BIDIRECTIONAL, 0);
	phys_addr_t phys;

	assert_true(addr != DMA_MAPPING_ERROR);
	assert_int_equal(dma_domain_iova_to_phys(t->w->domain, addr, &phys), 0);
	assert_true(phys == t->w->ram);
	expect_access(t->nic, addr, PAGE, true, SIM_FAULT_NONE);
	dma_unmap_phys(t->dev, addr, PAGE, DMA_BIDIRECTIONAL, 0);
	expect_access(t->nic, addr, 1, true, SIM_FAULT_NOT_PRESENT);
}

/** What can be known before is: the device is not even detached. */
static void refused_before(void **state)
{
	struct dma_reserved_region region = { .msi = true };
	struct two *t = two_new(NULL, DMA_INVALIDATION_STRICT);
	struct dma_domain *second = second_domain(t, DMA_INVALIDATION_STRICT);
	dma_addr_t addr;

	(void)state;
	join(t);
	assert_int_equal(dma_device_set_domain(t->w->dev, second), 0);
	addr = world_map(t->w, t->w->ram, PAGE, DMA_TO_DEVICE);
	t->proxy.caps = (struct dma_unit_caps){ .output_bits = 40 };
	expect_refused_move(t, second, -DMAMAP_EBUSY, DMA_REASON_OUTPUT_WIDTH);
	t->proxy.caps = (struct dma_unit_caps){ 0 };
	region.first = addr;
	region.last = addr + PAGE - 1;
	t->proxy.regions = &region;
	t->proxy.nr_regions = 1;
	expect_refused_move(t, second, -DMAMAP_EBUSY, DMA_REASON_RESERVED_IN_USE);
	t->proxy.nr_regions = 0;
	assert_int_equal(t->proxy.attached, 1);
	assert_int_equal(t->proxy.detaches, 0);
	expect_in_first(t);
	dma_unmap_phys(t->w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_device_set_domain(t->w->dev, t->w->domain), 0);
	assert_int_equal(dma_domain_destroy(second), 0);
	two_free(t);
}

/** The new domain's unit refuses: the old one has the device back, as it was. */
static void unit_refuses_move(void **state)
{
	struct two *t = two_new(NULL, DMA_INVALIDATION_LAZY);
	struct dma_domain *second = second_domain(t, DMA_INVALIDATION_LAZY);

	(void)state;
	assert_int_equal(dma_device_set_untrusted(t->dev, true), 0);
	join(t);
	t->proxy.refuse_next = 1;
	expect_refused_move(t, second, -DMAMAP_EIO, DMA_REASON_BACKEND);
	assert_int_equal(t->proxy.attached, 1);
	expect_in_first(t);
	/* the one has an untrusted device in it, the other has none */
	assert_int_equal(dma_domain_set_invalidation(t->w->domain, DMA_INVALIDATION_LAZY),
			 -DMAMAP_EPERM);
	assert_int_equal(dma_domain_set_invalidation(second, DMA_INVALIDATION_LAZY), 0);
	assert_int_equal(dma_domain_destroy(second), 0);
	two_free(t);
}

/** It refuses to take it back, too: blocked, never direct, and attached with the first mapping that it admits. */
static void unit_refuses_return(void **state)
{
	struct two *t = two_new(NULL, DMA_INVALIDATION_STRICT);
	struct dma_domain *second = second_domain(t, DMA_INVALIDATION_STRICT);
	struct dma_error why;

	(void)state;
	join(t);
	t->proxy.refuse_next = 3;
	expect_refused_move(t, second, -DMAMAP_EIO, DMA_REASON_BACKEND);
	assert_int_equal(t->proxy.attached, 0);
	expect_access(t->nic, t->w->ram, 1, true, SIM_FAULT_NO_DOMAIN);
	assert_true(dma_map_phys(t->dev, t->w->ram, PAGE, DMA_TO_DEVICE, 0) == DMA_MAPPING_ERROR);
	assert_int_equal(dma_last_error(t->dev, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_BACKEND);
	expect_access(t->nic, t->w->ram, 1, true, SIM_FAULT_NO_DOMAIN);
	expect_in_first(t);
	assert_int_equal(t->proxy.attached, 1);
	assert_int_equal(dma_device_set_domain(t->dev, second), 0);
	assert_int_equal(t->proxy.attached, 1);
	assert_int_equal(dma_device_set_domain(t->dev, NULL), 0);
	assert_int_equal(dma_domain_destroy(second), 0);
	two_free(t);
}

/** Each request for memory fails once: the device is in its old domain all the time, until it is in the new one. */
static void memory_fails_in_a_move(void **state)
{
	struct two *t = two_new(NULL, DMA_INVALIDATION_STRICT);
	struct dma_domain *second = second_domain(t, DMA_INVALIDATION_STRICT);
	const struct dma_reserved_region region = { .first = t->w->ram,
						    .last = t->w->ram + PAGE - 1,
						    .direct = true };
	unsigned int failures = 0;
	dma_addr_t addr;
	int err;

	(void)state;
	join(t);
	addr = world_map(t->w, t->w->ram, PAGE, DMA_TO_DEVICE);
	t->proxy.regions = &region;
	t->proxy.nr_regions = 1;
	do {
		sim_fail_alloc(t->w->m, failures + 1);
		err = dma_device_set_domain(t->dev, second);
		if (err) {
			assert_int_equal(err, -DMAMAP_ENOMEM);
			sim_fail_alloc(t->w->m, 0);
			expect_access(t->nic, addr, PAGE, false, SIM_FAULT_NONE);
			expect_in_first(t);
			failures++;
		}
	} while (err);
	sim_fail_alloc(t->w->m, 0);
	assert_true(failures >= 3);
	expect_access(t->nic, addr, 1, false, SIM_FAULT_NOT_PRESENT);
	dma_unmap_phys(t->w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_device_set_domain(t->dev, NULL), 0);
	assert_int_equal(dma_domain_destroy(second), 0);
	two_free(t);
}

/** Into the domain that it is in already: out of it and in again. */
static void move_nowhere(void **state)
{
	const struct dma_domain_config policy = { .size = sizeof(policy) };
	struct two *t = two_new(NULL, DMA_INVALIDATION_STRICT);

	(void)state;
	join(t);
	join(t);
	assert_int_equal(t->proxy.attached, 1);
	expect_in_first(t);
	t->proxy.refuse_next = 1;
	expect_refused_move(t, t->w->domain, -DMAMAP_EIO, DMA_REASON_BACKEND);
	expect_in_first(t);
	assert_int_equal(dma_device_set_domain(t->dev, NULL), 0);
	assert_int_equal(dma_device_set_domain(t->w->dev, NULL), 0);
	assert_int_equal(dma_domain_destroy(t->w->domain), 0);
	assert_int_equal(sim_domain_create(t->w->iommu, &policy, &t->w->domain), 0);
	two_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_units_one_table),	  cmocka_unit_test(one_unit_not_told),
		cmocka_unit_test(order_of_invalidations), cmocka_unit_test(joining_and_leaving),
		cmocka_unit_test(unit_refuses),		  cmocka_unit_test(empty_domain_narrows),
		cmocka_unit_test(units_that_lack),	  cmocka_unit_test(late_region),
		cmocka_unit_test(configured_unit),	  cmocka_unit_test(region_in_use),
		cmocka_unit_test(direct_region),	  cmocka_unit_test(direct_region_refused),
		cmocka_unit_test(memory_fails),		  cmocka_unit_test(refused_before),
		cmocka_unit_test(unit_refuses_move),	  cmocka_unit_test(unit_refuses_return),
		cmocka_unit_test(memory_fails_in_a_move), cmocka_unit_test(move_nowhere),
	};

	return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
