/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model of VT-d registers on the simulated machine: it does what it is told at once, and writes down in which order.
 *
 * The diary is one word for each step, e.g. "te+ ctx:global ctx:fine:0:123+ iotlb:pages:1:12345:0:ih wait"; a test
 * compares it with what must be there. "+": the requester's context entry is present at that moment. Descriptors are read as hardware reads them: past the CPU's caches unless ECAP.C is set.
 */
#ifndef TESTS_VTD_MODEL_H
#define TESTS_VTD_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dmamap/linux.h>
#include <sim.h>

#include "hw/vtd_regs.h"

#define MODEL_REGS 0xfed90000u
#define MODEL_FRO  0x220u
#define MODEL_IRO  0xf0u
#define MODEL_RAM  0x1000000u

/** QEMU's, with 256 domains: 39 bits, large pages, page-selective invalidation up to 2^18 pages, one record. */
#define MODEL_CAP  0x00d2008c22260202u
#define MODEL_ECAP 0xf02u /* a queue */

struct model {
	struct sim_machine *sim;
	struct dma_host *host;
	uint64_t cap, ecap;
	/** Looks at the clock before what was queued is done; 0: it is done at once. */
	unsigned int slow;
	/** Misbehaviour: registers read all ones; no wait is ever answered; bits of GSTS that never change. */
	bool gone;
	bool deaf;
	uint32_t stuck;
	/** Descriptors to take before one is refused; 0: none is. */
	unsigned int refuse_in;

	uint64_t clock;
	unsigned int queue_due; /* looks left */
	uint32_t gsts, fsts, fectl, pmen;
	uint64_t rtaddr, ccmd, iva, iotlb, iqh, iqt, iqa;
	uint64_t record[4][2];
	char diary[8192];
	size_t written;
};

/** A machine with the model's registers; @noncoherent: the CPU has caches. */
void model_start(struct model *model, uint64_t cap, uint64_t ecap, bool noncoherent);
void model_stop(struct model *model);
/** A unit on it: created, not enabled. */
struct dma_vtd *model_unit(struct model *model, const struct dma_vtd_config *config);
/** Requester ids: the number that was given as the device's data. */
struct dma_requesters model_requesters(void);
struct sim_device *model_device(struct model *model, uint32_t id);

/** Compare the diary since the last look, and begin a new one. */
void model_expect(struct model *model, const char *diary);
/** The same for the end of the diary. */
void model_expect_end(struct model *model, const char *end);
/** Throw it away. */
void model_forget(struct model *model);

/** A fault as hardware records it. */
void model_fault(struct model *model, unsigned int record, uint64_t addr, uint32_t id, bool read,
		 unsigned int code);

#endif
