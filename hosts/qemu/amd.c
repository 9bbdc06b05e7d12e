/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD-Vi: one unit, which the IVRS table describes. Where the machine has no table the address is the one that q35
 * always has it at. QEMU 7.2 never writes its event log, so that a refused access shows only
 * as data that did not move.
 */
#include "iommu.h"

#include <stdlib.h>

#define AMD_REGISTERS 0xfed80000u

/** The driver, and the table that it goes on reading. */
struct amd_state {
	struct dma_amdvi *amdvi;
	struct dma_ivrs ivrs;
};

static struct amd_state *state_of(const struct qemu_machine *m)
{
	return m->iommu_state;
}

/** Where the unit is, and what firmware's devices use, as far as the machine has a table. */
static void read_table(struct qemu_machine *m, struct amd_state *state,
		       struct dma_amdvi_config *config)
{
	struct dma_ivrs_unit unit;
	const void *table;
	size_t len;

	table = qemu_acpi_table(m, "IVRS", &len);
	if (!table || dmamap_ivrs_open(table, len, &state->ivrs) ||
	    !dmamap_ivrs_unit(&state->ivrs, 0, &unit))
		return;
	config->registers = unit.registers;
	config->ivrs = &state->ivrs;
	if (state->ivrs.address_bits >= 32 && state->ivrs.address_bits <= 52)
		config->address_bits = state->ivrs.address_bits;
}

static int start(struct qemu_machine *m)
{
	struct dma_amdvi_config config = {
		.size = sizeof(config),
		.registers = AMD_REGISTERS,
		.requesters = qemu_requesters(m),
	};
	struct amd_state *state = calloc(1, sizeof(*state));
	int err;

	if (!state)
		return -DMAMAP_ENOMEM;
	read_table(m, state, &config);
	err = dmamap_amdvi_create(&m->host, &config, &state->amdvi);
	if (!err) {
		err = dmamap_amdvi_enable(state->amdvi);
		if (err)
			dmamap_amdvi_destroy(state->amdvi);
	}
	if (err)
		free(state);
	else
		m->iommu_state = state;
	return err;
}

static int stop(struct qemu_machine *m)
{
	int err = dmamap_amdvi_destroy(state_of(m)->amdvi);

	if (!err)
		free(m->iommu_state);
	return err;
}

static int domain_create(struct qemu_machine *m, const struct dma_domain_config *config,
			 struct dma_domain **domain)
{
	return dmamap_amdvi_domain_create(state_of(m)->amdvi, &m->host, config, domain);
}

static unsigned int faults(struct qemu_machine *m)
{
	return dmamap_amdvi_handle_faults(state_of(m)->amdvi);
}

const struct qemu_iommu_driver qemu_amd_driver = {
	.start = start,
	.stop = stop,
	.domain = domain_create,
	.faults = faults,
};

struct dma_amdvi *qemu_amdvi(struct qemu_machine *m)
{
	return m->driver == &qemu_amd_driver ? state_of(m)->amdvi : NULL;
}
