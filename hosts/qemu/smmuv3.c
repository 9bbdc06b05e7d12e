/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SMMUv3 of the machine virt: where the device tree says, else where virt always has it. A function's stream number
 * is its requester number.
 */
#include "iommu.h"

#define SMMU_REGISTERS 0x09050000u
/** Writes there are interrupts: the frame of the interrupt translation service. */
#define ITS_START 0x08080000u
#define ITS_SIZE  0x20000u

static int start(struct qemu_machine *m)
{
	struct dma_smmuv3_config config = {
		.size = sizeof(config),
		.registers = SMMU_REGISTERS,
		.requesters = qemu_requesters(m),
	};
	struct dma_smmuv3 *smmu;
	phys_addr_t registers;
	int err;

	if (qemu_devicetree_find(m, "arm,smmu-v3", &registers))
		config.registers = registers;
	err = dmamap_smmuv3_create(&m->host, &config, &smmu);
	if (err)
		return err;
	err = dmamap_smmuv3_enable(smmu);
	if (err)
		dmamap_smmuv3_destroy(smmu);
	else
		m->iommu_state = smmu;
	return err;
}

static int stop(struct qemu_machine *m)
{
	return dmamap_smmuv3_destroy(m->iommu_state);
}

static int domain_create(struct qemu_machine *m, const struct dma_domain_config *config,
			 struct dma_domain **domain)
{
	int err = dmamap_smmuv3_domain_create(m->iommu_state, &m->host, config, domain);

	if (err)
		return err;
	err = dmamap_domain_reserve(*domain, ITS_START, ITS_SIZE);
	if (err)
		dmamap_domain_destroy(*domain);
	return err;
}

static unsigned int faults(struct qemu_machine *m)
{
	return dmamap_smmuv3_handle_faults(m->iommu_state);
}

const struct qemu_iommu_driver qemu_smmuv3_driver = {
	.start = start,
	.stop = stop,
	.domain = domain_create,
	.faults = faults,
};

struct dma_smmuv3 *qemu_smmuv3(struct qemu_machine *m)
{
	return m->driver == &qemu_smmuv3_driver ? m->iommu_state : NULL;
}
