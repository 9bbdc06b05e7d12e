/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VT-d: one unit, which the DMAR table describes. Where the machine has no table the address is the one that q35 always
 * has it at.
 */
#include "iommu.h"

#define VTD_REGISTERS 0xfed90000u

static int start(struct qemu_machine *m)
{
	struct dma_vtd_config config = {
		.size = sizeof(config),
		.registers = VTD_REGISTERS,
		.requesters = qemu_requesters(m),
	};
	struct dma_dmar_unit unit;
	struct dma_dmar dmar;
	struct dma_vtd *vtd;
	const void *table;
	size_t len;
	int err;

	table = qemu_acpi_table(m, "DMAR", &len);
	if (table && !dmamap_dmar_open(table, len, &dmar) && dmamap_dmar_unit(&dmar, 0, &unit)) {
		config.registers = unit.registers;
		config.address_bits = dmar.address_bits;
	}
	err = dmamap_vtd_create(&m->host, &config, &vtd);
	if (err)
		return err;
	err = dmamap_vtd_enable(vtd);
	if (err)
		dmamap_vtd_destroy(vtd);
	else
		m->iommu_state = vtd;
	return err;
}

static int stop(struct qemu_machine *m)
{
	return dmamap_vtd_destroy(m->iommu_state);
}

static int domain_create(struct qemu_machine *m, const struct dma_domain_config *config,
			 struct dma_domain **domain)
{
	return dmamap_vtd_domain_create(m->iommu_state, &m->host, config, domain);
}

static unsigned int faults(struct qemu_machine *m)
{
	return dmamap_vtd_handle_faults(m->iommu_state);
}

const struct qemu_iommu_driver qemu_vtd_driver = {
	.start = start,
	.stop = stop,
	.domain = domain_create,
	.faults = faults,
};

struct dma_vtd *qemu_vtd(struct qemu_machine *m)
{
	return m->driver == &qemu_vtd_driver ? m->iommu_state : NULL;
}
