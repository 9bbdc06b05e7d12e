/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD-Vi: one unit, which the IVRS table describes. Where the machine has no table the address is the one that q35
 * always has it at. QEMU 7.2 never writes its event log, so that a refused access shows only
 * as data that did not move.
 */
#include "iommu.h"

#define AMD_REGISTERS 0xfed80000u

static int start(struct qemu_machine *m)
{
	struct dma_amdvi_config config = {
		.size = sizeof(config),
		.registers = AMD_REGISTERS,
		.requesters = qemu_requesters(m),
	};
	struct dma_ivrs_unit unit;
	struct dma_amdvi *amdvi;
	struct dma_ivrs ivrs;
	const void *table;
	size_t len;
	int err;

	table = qemu_acpi_table(m, "IVRS", &len);
	if (table && !dmamap_ivrs_open(table, len, &ivrs) && dmamap_ivrs_unit(&ivrs, 0, &unit)) {
		config.registers = unit.registers;
		if (ivrs.address_bits >= 32 && ivrs.address_bits <= 52)
			config.address_bits = ivrs.address_bits;
	}
	err = dmamap_amdvi_create(&m->host, &config, &amdvi);
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
