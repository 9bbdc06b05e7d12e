/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine with an IOMMU whose tables the test makes by hand. */
#ifndef TESTS_SIM_IOMMU_FX_H
#define TESTS_SIM_IOMMU_FX_H

#include "machine.h"

struct iommu_fx {
	struct sim_machine *m;
	struct sim_iommu *iommu;
	struct dma_iommu_unit *unit;
	struct sim_device *device;
	phys_addr_t root;
	unsigned int levels;
	phys_addr_t buf; /* 4 pages, filled with 1, 2, 3, 4 */
};

#define FX_DOMAIN 7u

/** @config NULL: the defaults, with 4 levels. The device is attached. */
static inline void fx_setup(struct iommu_fx *fx, const struct sim_iommu_config *config,
			    bool noncoherent)
{
	struct sim_iommu_config defaults = { .size = sizeof(defaults) };

	config = config ? config : &defaults;
	fx->levels = config->levels ? config->levels : 4;
	fx->m = start_machine(noncoherent);
	assert_int_equal(sim_iommu_create(fx->m, config, &fx->iommu), 0);
	fx->unit = sim_iommu_unit(fx->iommu);
	fx->device = add_device(fx->m, "dev", 0);
	assert_int_equal(sim_device_put_behind(fx->device, fx->iommu), 0);
	fx->root = new_table(fx->m);
	fx->buf = sim_alloc(fx->m, 0x4000, 0x4000, 0, 0xffffffff);
	for (unsigned char i = 0; i < 4; i++)
		cpu_fill(fx->m, fx->buf + 4096ull * i, 4096, (unsigned char)(i + 1));
	assert_int_equal(fx->unit->ops->attach(fx->unit, sim_dma(fx->device), FX_DOMAIN, fx->root,
					       fx->levels),
			 0);
}

static inline void fx_teardown(struct iommu_fx *fx)
{
	fx->unit->ops->detach(fx->unit, sim_dma(fx->device));
	assert_int_equal(sim_device_destroy(fx->device), 0);
	assert_int_equal(sim_iommu_destroy(fx->iommu), 0);
	end_machine(fx->m);
}

static inline void fx_enter(struct iommu_fx *fx, dma_addr_t iova, unsigned int shift,
			    uint64_t entry)
{
	enter(fx->m, fx->root, fx->levels, iova, shift, entry);
}

static inline void fx_invalidate(struct iommu_fx *fx, unsigned int domain, dma_addr_t iova,
				 uint64_t len)
{
	fx->unit->ops->invalidate(fx->unit, domain, iova, len, false);
	fx->unit->ops->wait(fx->unit);
}

#endif
