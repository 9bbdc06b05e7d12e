/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model of an SMMUv3 (IHI 0070, chapters 3 to 7): registers, the two queues, the walk from a stream number to its
 * context descriptor. It writes a diary of the commands that it performed, and misbehaves on demand.
 */
#ifndef DMAMAP_TESTS_HW_SMMU_MODEL_H
#define DMAMAP_TESTS_HW_SMMU_MODEL_H

#include "board.h"

#define SMMU_DIARY 4096u

/** What the hardware does wrong. */
enum smmu_model_fault {
	SMMU_FINE,
	SMMU_SILENT,	 /* performs no command */
	SMMU_BAD_CONS,	 /* an index beyond what it was told */
	SMMU_NO_ACK,	 /* never acknowledges CR0 */
	SMMU_GONE,	 /* reads give all ones */
	SMMU_CMDQ_ABORT, /* cannot read the queue */
};

struct smmu_command {
	uint64_t low;
	uint64_t high;
};

struct smmu_model {
	struct board *board;
	uint32_t idr[6];
	uint32_t cr0;
	uint32_t cr1;
	uint32_t cr2;
	uint32_t gbpa;
	uint32_t irq;
	uint32_t gerror;
	uint32_t gerrorn;
	uint64_t strtab;
	uint32_t strtab_cfg;
	uint64_t cmdq;
	uint32_t cmdq_prod;
	uint32_t cmdq_cons;
	uint64_t evtq;
	uint32_t evtq_prod;
	uint32_t evtq_cons;
	enum smmu_model_fault fault;
	/** Refuse the command after so many more; 0: none. */
	unsigned int refuse_after;
	bool refuse_all;
	/** Commands performed, and how often PROD was written. */
	struct smmu_command diary[SMMU_DIARY];
	unsigned int n_commands;
	unsigned int kicks;
	/** Words of CR0 as they were written. */
	uint32_t cr0_history[16];
	unsigned int n_cr0;
};

/** QEMU's identity: 16 bits of stream numbers, 44 bits out, two levels, ranges. */
void smmu_model_init(struct smmu_model *m, struct board *board);
/** Put an event into the queue; false: it is full, and an overflow is told. */
bool smmu_model_event(struct smmu_model *m, const uint64_t event[4]);
/** The entry of a stream as the hardware finds it, NULL if there is none. */
const uint64_t *smmu_model_ste(struct smmu_model *m, uint32_t sid);
/** The context descriptor of a stream that translates; NULL: it does not. */
const uint64_t *smmu_model_cd(struct smmu_model *m, uint32_t sid);
/** Is there, in the diary from @from on, a command with these bits (under masks of what matters)? Its place, or -1. */
int smmu_model_find(const struct smmu_model *m, unsigned int from, uint64_t low, uint64_t high);

#endif
