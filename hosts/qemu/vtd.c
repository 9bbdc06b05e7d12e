/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VT-d: one unit, which the DMAR table describes. Where the machine has no table the address is the one that q35 always
 * has it at.
 */
#include "iommu.h"

#include <stdlib.h>

#define VTD_REGISTERS 0xfed90000u
#define REG_SECONDARY 0x19u

/** The driver, and the table that it goes on reading. */
struct vtd_state {
	struct dma_vtd *vtd;
	struct dma_dmar dmar;
};

static struct vtd_state *state_of(const struct qemu_machine *m)
{
	return m->iommu_state;
}

static int secondary_bus(void *arg, uint32_t id)
{
	struct qemu_device *bridge = qemu_device_by_id(arg, id);

	return bridge ? (int)qemu_config_read(bridge, REG_SECONDARY, 1) : -1;
}

/** Where the unit is, and what firmware's devices use, as far as the machine has a table. */
static void read_table(struct qemu_machine *m, struct vtd_state *state,
		       struct dma_vtd_config *config)
{
	struct dma_dmar_unit unit;
	const void *table;
	size_t len;

	table = qemu_acpi_table(m, "DMAR", &len);
	if (!table || dmamap_dmar_open(table, len, &state->dmar) ||
	    !dmamap_dmar_unit(&state->dmar, 0, &unit))
		return;
	config->registers = unit.registers;
	config->segment = unit.segment;
	config->address_bits = state->dmar.address_bits;
	config->dmar = &state->dmar;
	config->secondary = secondary_bus;
	config->secondary_arg = m;
}

static int start(struct qemu_machine *m)
{
	struct dma_vtd_config config = {
		.size = sizeof(config),
		.registers = VTD_REGISTERS,
		.requesters = qemu_requesters(m),
	};
	struct vtd_state *state = calloc(1, sizeof(*state));
	int err;

	if (!state)
		return -DMAMAP_ENOMEM;
	read_table(m, state, &config);
	err = dmamap_vtd_create(&m->host, &config, &state->vtd);
	if (!err) {
		err = dmamap_vtd_enable(state->vtd);
		if (err)
			dmamap_vtd_destroy(state->vtd);
	}
	if (err)
		free(state);
	else
		m->iommu_state = state;
	return err;
}

static int stop(struct qemu_machine *m)
{
	int err = dmamap_vtd_destroy(state_of(m)->vtd);

	if (!err)
		free(m->iommu_state);
	return err;
}

static int domain_create(struct qemu_machine *m, const struct dma_domain_config *config,
			 struct dma_domain **domain)
{
	return dmamap_vtd_domain_create(state_of(m)->vtd, &m->host, config, domain);
}

static unsigned int faults(struct qemu_machine *m)
{
	return dmamap_vtd_handle_faults(state_of(m)->vtd);
}

const struct qemu_iommu_driver qemu_vtd_driver = {
	.start = start,
	.stop = stop,
	.domain = domain_create,
	.faults = faults,
};

struct dma_vtd *qemu_vtd(struct qemu_machine *m)
{
	return m->driver == &qemu_vtd_driver ? state_of(m)->vtd : NULL;
}
