/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model of an AMD I/O memory management unit (AMD-Vi 2.2, 2.4, 2.5, 3.4): registers, command buffer, event log. It
 * writes a diary of the commands that it performed, and misbehaves on demand.
 */
#ifndef DMAMAP_TESTS_HW_AMD_MODEL_H
#define DMAMAP_TESTS_HW_AMD_MODEL_H

#include "board.h"

#define AMD_DIARY 4096u

/** What the hardware does wrong. */
enum amd_model_fault {
	AMD_FINE,
	AMD_SILENT,	 /* performs no command, and says that it does */
	AMD_BAD_STORE,	 /* stores something else */
	AMD_GONE,	 /* reads give all ones */
	AMD_ALWAYS_ON,	 /* cannot be switched off */
	AMD_LATE_EVENTS, /* the tail comes before the entry, which never comes */
};

struct amd_command {
	uint64_t low;
	uint64_t high;
};

struct amd_model {
	struct board *board;
	uint64_t devtab;
	uint64_t cmdbase;
	uint64_t evtbase;
	uint64_t control;
	uint64_t efr;
	uint64_t cmd_head;
	uint64_t cmd_tail;
	uint64_t evt_head;
	uint64_t evt_tail;
	uint64_t status;
	enum amd_model_fault fault;
	/** Refuse the command after so many more; 0: none. */
	unsigned int refuse_after;
	bool refuse_all;
	struct amd_command diary[AMD_DIARY];
	unsigned int n_commands;
	unsigned int kicks;
};

/** QEMU's features. */
void amd_model_init(struct amd_model *m, struct board *board);
/** Put an event into the log; false: it is full, and an overflow is told. */
bool amd_model_event(struct amd_model *m, uint64_t low, uint64_t high);
/** The device table entry of a number; NULL: beyond the table. */
const uint64_t *amd_model_entry(struct amd_model *m, uint32_t id);
/** Where in the diary, from @from on, this command is; -1: nowhere. Completion waits are found by code alone. */
int amd_model_find(const struct amd_model *m, unsigned int from, uint64_t low, uint64_t high);

#endif
