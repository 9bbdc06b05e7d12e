/* SPDX-License-Identifier: BSD-2-Clause */
/* Identity domains, through which devices go directly, and devices that are attached with their first mapping. */
#include <sim.h>

#include "spec/fixture.h"

#define RAM  0x100000000ull
#define BAR  0xe0000000ull
#define HIGH 0x800000000ull
#define SIZE MIB(16)

/* --- identity domains */

struct passing {
	struct sim_machine *m;
	struct sim_iommu *iommu;
	struct sim_device *device;
	struct dma_device *dev;
	struct dma_domain *domain;
	struct dma_bounce *pool;
};

static struct dma_domain *identity_domain(struct passing *p)
{
	const struct dma_domain_config config = { .size = sizeof(config),
						  .invalidation = DMA_INVALIDATION_LAZY };
	struct dma_backend *backend;
	struct dma_domain *domain;

	assert_int_equal(
		dma_identity_backend_create(sim_host(p->m), sim_iommu_unit(p->iommu), &backend), 0);
	assert_int_equal(dma_domain_create(sim_host(p->m), backend, &config, &domain), 0);
	return domain;
}

static struct passing passing_new(void)
{
	const struct sim_config machine = { .size = sizeof(machine) };
	const struct sim_iommu_config iommu = { .size = sizeof(iommu) };
	const struct sim_device_config device = { .size = sizeof(device), .name = "dev" };
	const struct dma_bounce_config pool = { .size = sizeof(pool),
						.bytes = MIB(1),
						.ceiling = DMA_BIT_MASK(32) };
	struct passing p = { 0 };

	assert_int_equal(sim_machine_create(&machine, &p.m), 0);
	assert_int_equal(sim_add_ram(p.m, 0x100000, SIZE), 0);
	assert_int_equal(sim_add_ram(p.m, RAM, SIZE), 0);
	assert_int_equal(sim_add_bar(p.m, BAR, SIZE), 0);
	assert_int_equal(sim_add_bar(p.m, HIGH, SIZE), 0);
	assert_int_equal(sim_start(p.m), 0);
	assert_int_equal(sim_iommu_create(p.m, &iommu, &p.iommu), 0);
	assert_int_equal(sim_device_create(p.m, &device, &p.device), 0);
	p.dev = sim_dma(p.device);
	assert_int_equal(sim_device_put_behind(p.device, p.iommu), 0);
	p.domain = identity_domain(&p);
	assert_int_equal(dma_bounce_create(sim_host(p.m), &pool, &p.pool), 0);
	return p;
}

static void passing_end(struct passing *p)
{
	assert_int_equal(sim_device_destroy(p->device), 0);
	assert_int_equal(dma_domain_destroy(p->domain), 0);
	assert_int_equal(dma_bounce_destroy(p->pool), 0);
	assert_int_equal(sim_iommu_destroy(p->iommu), 0);
	assert_int_equal(sim_machine_destroy(p->m), 0);
}

static void direct_through_the_domain(void **state)
{
	struct passing p = passing_new();
	struct dma_iova_state iova;
	char byte = 'x';

	(void)state;
	assert_int_equal(dma_set_mask_and_coherent(p.dev, DMA_BIT_MASK(64)), 0);
	assert_int_equal(sim_dma_write(p.device, RAM, &byte, 1, NULL), -DMAMAP_EFAULT);
	assert_int_equal(dma_device_set_domain(p.dev, p.domain), 0);
	assert_int_equal(dma_device_route(p.dev), DMA_ROUTE_DIRECT);
	assert_int_equal(dma_map_phys(p.dev, RAM + 0x10, 16, FROM, 0), RAM + 0x10);
	assert_int_equal(sim_dma_write(p.device, RAM + 0x10, &byte, 1, NULL), 0);
	assert_int_equal(*(char *)sim_cpu_ptr(p.m, RAM + 0x10, 1), 'x');
	dma_unmap_phys(p.dev, RAM + 0x10, 16, FROM, 0);
	/* MMIO: translated like RAM, never bounced */
	assert_int_equal(dma_map_resource(p.dev, BAR + 4, 16, FROM, 0), BAR + 4);
	assert_int_equal(sim_dma_write(p.device, BAR + 4, &byte, 1, NULL), 0);
	dma_unmap_resource(p.dev, BAR + 4, 16, FROM, 0);
	assert_int_equal(dma_get_merge_boundary(p.dev), 0);
	assert_false(dma_iova_try_alloc(p.dev, &iova, RAM, 4096));
	fx_reason(p.dev, DMA_REASON_NO_IOMMU);
	/* out of the domain the hardware blocks it again */
	assert_int_equal(dma_device_quiesce(p.dev), 0);
	assert_int_equal(dma_device_set_domain(p.dev, NULL), 0);
	assert_int_equal(sim_dma_write(p.device, RAM, &byte, 1, NULL), -DMAMAP_EFAULT);
	passing_end(&p);
}

/** The mask bounds what the device reaches, as on any direct route: RAM bounces, MMIO is refused. */
static void mask_counts(void **state)
{
	struct passing p = passing_new();
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_device_set_bounce(p.dev, p.pool), 0);
	assert_int_equal(dma_device_set_domain(p.dev, p.domain), 0);
	assert_int_equal(dma_set_mask(p.dev, 0xfff), -DMAMAP_EIO);
	assert_int_equal(dma_set_mask_and_coherent(p.dev, DMA_BIT_MASK(32)), 0);
	assert_true(dma_addressing_limited(p.dev));
	addr = dma_map_phys(p.dev, RAM, 4096, FROM, 0);
	assert_true(addr < SIZE + 0x100000);
	dma_unmap_phys(p.dev, addr, 4096, FROM, 0);
	assert_true(dma_map_resource(p.dev, HIGH, 16, FROM, 0) == E);
	fx_reason(p.dev, DMA_REASON_BEYOND_MASK);
	passing_end(&p);
}

/** A device that is not trusted is never let through. */
static void not_untrusted(void **state)
{
	struct passing p = passing_new();
	char byte = 0;

	(void)state;
	assert_int_equal(dma_device_set_untrusted(p.dev, true), 0);
	assert_int_equal(dma_device_set_domain(p.dev, p.domain), -DMAMAP_EPERM);
	fx_reason(p.dev, DMA_REASON_UNTRUSTED);
	assert_int_equal(sim_dma_read(p.device, RAM, &byte, 1, NULL), -DMAMAP_EFAULT);
	assert_int_equal(dma_device_set_untrusted(p.dev, false), 0);
	assert_int_equal(dma_device_set_domain(p.dev, p.domain), 0);
	assert_int_equal(dma_device_set_untrusted(p.dev, true), -DMAMAP_EPERM);
	fx_reason(p.dev, DMA_REASON_UNTRUSTED);
	passing_end(&p);
}

/** A unit that cannot let requests pass refuses, and so does a domain without a unit. */
static void unit_cannot(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_device *dev = fx_io(fx);
	const struct dma_domain_config config = { .size = sizeof(config) };
	struct dma_domain *domain[2];
	struct dma_backend *backend;

	(void)state;
	assert_int_equal(dma_identity_backend_create(NULL, NULL, &backend), -DMAMAP_EINVAL);
	assert_int_equal(dma_identity_backend_create(&fx->host, NULL, NULL), -DMAMAP_EINVAL);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(dma_identity_backend_create(
					 &fx->host, i ? &fx->unit[0].unit : NULL, &backend),
				 0);
		assert_int_equal(dma_domain_create(&fx->host, backend, &config, &domain[i]), 0);
		assert_int_equal(dma_device_set_domain(dev, domain[i]),
				 i ? -DMAMAP_EOPNOTSUPP : -DMAMAP_ENODEV);
		fx_reason(dev, i ? DMA_REASON_UNITS_DIFFER : DMA_REASON_BACKEND);
		assert_int_equal(dma_device_route(dev), DMA_ROUTE_IOMMU);
		assert_int_equal(dma_domain_destroy(domain[i]), 0);
	}
	fx_free(fx);
}

/* --- deferred attach */

/** The ways to map something, each as the first of a device. */
enum way { SINGLE, LIST, COHERENT, PIECES, TWO_STEP, VECTOR, WAYS };

/** 0, or the call's error. */
static int first_of(struct dma_device *dev, enum way way)
{
	struct dma_phys_vec vec = { .phys = 0x4000, .len = 4096 };
	struct dma_iova_state iova;
	struct scatterlist sg[1];
	struct dma_vec_map map;
	struct dma_error why;
	struct sg_table *table;
	dma_addr_t addr;
	void *ptr;

	switch (way) {
	case SINGLE:
		addr = dma_map_phys(dev, 0x4000, 4096, TO, 0);
		if (addr == E)
			break;
		dma_unmap_phys(dev, addr, 4096, TO, 0);
		return 0;
	case LIST:
		sg_init_table(sg, 1);
		sg_set_phys(sg, 0x4000, 4096);
		if (!dma_map_sg(dev, sg, 1, TO))
			break;
		dma_unmap_sg(dev, sg, 1, TO);
		return 0;
	case COHERENT:
		ptr = dma_alloc_coherent(dev, 4096, &addr, GFP_KERNEL);
		if (!ptr)
			break;
		dma_free_coherent(dev, 4096, ptr, addr);
		return 0;
	case PIECES:
		table = dma_alloc_noncontiguous(dev, 8192, TO, GFP_KERNEL, 0);
		if (!table)
			break;
		dma_free_noncontiguous(dev, 8192, table, TO);
		return 0;
	case TWO_STEP:
		if (!dma_iova_try_alloc(dev, &iova, 0, 4096))
			break;
		dma_iova_free(dev, &iova);
		return 0;
	default:
		if (dma_vec_map_start(dev, &map, &vec, 1, TO, 0))
			break;
		assert_int_equal(dma_vec_unmap(&map, 0), 0);
		return 0;
	}
	assert_int_equal(dma_last_error(dev, &why), 0);
	return why.err;
}

static void attached_with_the_first_mapping(void **state)
{
	(void)state;
	for (unsigned int way = 0; way < WAYS; way++) {
		struct fx *fx = fx_new(NULL);
		struct dma_domain *domain = fx_domain(fx, DMA_INVALIDATION_STRICT);
		struct dma_device *dev = fx_device(fx);

		assert_int_equal(dma_device_set_deferred_attach(dev, true), 0);
		assert_int_equal(dma_device_set_domain(dev, domain), 0);
		expect_count(fx, "U:attach", 0);
		assert_int_equal(dma_device_route(dev), DMA_ROUTE_IOMMU);
		assert_int_equal(dma_device_set_deferred_attach(dev, false), -DMAMAP_EBUSY);
		assert_int_equal(first_of(dev, (enum way)way), 0);
		expect_count(fx, "U:attach", 1);
		assert_int_equal(first_of(dev, SINGLE), 0);
		expect_count(fx, "U:attach", 1);
		assert_int_equal(dma_device_set_domain(dev, NULL), 0);
		expect_count(fx, "U:detach", 1);
		fx_free(fx);
	}
}

/** Refused: the mapping fails with the reason, nothing is held, and the next one tries again. */
static void attach_is_refused(void **state)
{
	static const int lists[][2] = { { -DMAMAP_ENODEV, -DMAMAP_EINVAL },
					{ -DMAMAP_ENOMEM, -DMAMAP_ENOMEM },
					{ -DMAMAP_EREMOTEIO, -DMAMAP_EREMOTEIO } };

	(void)state;
	for (unsigned int way = 0; way < WAYS * 3; way++) {
		struct fx *fx = fx_new(NULL);
		struct dma_domain *domain = fx_domain(fx, DMA_INVALIDATION_STRICT);
		struct dma_device *dev = fx_device(fx);
		const int *err = lists[way / WAYS];

		assert_int_equal(dma_device_set_deferred_attach(dev, true), 0);
		assert_int_equal(dma_device_set_domain(dev, domain), 0);
		fx->unit[0].refuse = err[0];
		assert_int_equal(first_of(dev, (enum way)(way % WAYS)), err[way % WAYS == LIST]);
		fx_reason(dev, DMA_REASON_BACKEND);
		assert_int_equal(dma_device_live(dev), 0);
		assert_int_equal(fx_iova_bytes(domain), 0);
		fx->unit[0].refuse = 0;
		assert_int_equal(first_of(dev, (enum way)(way % WAYS)), 0);
		expect_count(fx, "U:attach", 2);
		fx_free(fx);
	}
}

/** Never attached, never detached. */
static void leaves_without_a_mapping(void **state)
{
	struct fx *fx = fx_new(NULL);
	struct dma_domain *domain = fx_domain(fx, DMA_INVALIDATION_STRICT);
	struct dma_device *dev = fx_device(fx);

	(void)state;
	assert_int_equal(dma_device_set_deferred_attach(dev, true), 0);
	assert_int_equal(dma_device_set_domain(dev, domain), 0);
	assert_int_equal(dma_device_set_domain(dev, NULL), 0);
	expect_count(fx, "U:attach", 0);
	expect_count(fx, "U:detach", 0);
	assert_int_equal(dma_device_set_deferred_attach(dev, false), 0);
	assert_int_equal(dma_device_set_domain(dev, domain), 0);
	expect_count(fx, "U:attach", 1);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(direct_through_the_domain),
		cmocka_unit_test(mask_counts),
		cmocka_unit_test(not_untrusted),
		cmocka_unit_test(unit_cannot),
		cmocka_unit_test(attached_with_the_first_mapping),
		cmocka_unit_test(attach_is_refused),
		cmocka_unit_test(leaves_without_a_mapping),
	};

	return FX_RUN(tests);
}
