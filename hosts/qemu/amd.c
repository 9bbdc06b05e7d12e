/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD-Vi: one unit, always at the same place. QEMU 7.2 never writes its event log, so that a refused access shows only
 * as data that did not move.
 */
#include "iommu.h"

#define AMD_REGISTERS 0xfed80000u

static int start(struct qemu_machine *m)
{
	const struct dma_amdvi_config config = {
		.size = sizeof(config),
		.registers = AMD_REGISTERS,
		.requesters = qemu_requesters(m),
	};
	struct dma_amdvi *amdvi;
	int err = dmamap_amdvi_create(&m->host, &config, &amdvi);

	if (err)
		return err;
	err = dmamap_amdvi_enable(amdvi);
	if (err)
		dmamap_amdvi_destroy(amdvi);
	else
		m->iommu_state = amdvi;
	return err;
}

static int stop(struct qemu_machine *m)
{
	return dmamap_amdvi_destroy(m->iommu_state);
}

static int domain_create(struct qemu_machine *m, const struct dma_domain_config *config,
			 struct dma_domain **domain)
{
	return dmamap_amdvi_domain_create(m->iommu_state, &m->host, config, domain);
}

static unsigned int faults(struct qemu_machine *m)
{
	return dmamap_amdvi_handle_faults(m->iommu_state);
}

const struct qemu_iommu_driver qemu_amd_driver = {
	.start = start,
	.stop = stop,
	.domain = domain_create,
	.faults = faults,
};

struct dma_amdvi *qemu_amdvi(struct qemu_machine *m)
{
	return m->driver == &qemu_amd_driver ? m->iommu_state : NULL;
}
