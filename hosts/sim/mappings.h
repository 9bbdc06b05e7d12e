/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of mappings that do not overlap, in a balanced tree: what a command-only IOMMU keeps instead of tables, and what
 * its driver keeps to know what it has asked for. The caller locks.
 */
#ifndef DMAMAP_SIM_MAPPINGS_H
#define DMAMAP_SIM_MAPPINGS_H

#include "machine.h"

#pragma GCC visibility push(hidden)

struct sim_mapping {
	uint64_t first;
	uint64_t last; /* inclusive */
	phys_addr_t phys;
	unsigned int flags; /* SIM_COMMAND_* */
};

/** Zeroed, it is empty. */
struct sim_mappings {
	void *root;
	uint64_t n;
};

/** Any mapping that has an address in [first, last], or NULL. */
const struct sim_mapping *sim_mappings_find(const struct sim_mappings *set, uint64_t first,
					    uint64_t last);
/** The mapping that holds @at, or the first above it; NULL: there is none. */
const struct sim_mapping *sim_mappings_next(const struct sim_mappings *set, uint64_t at);
/** 0; -EADDRINUSE if it overlaps one that is there; -ENOMEM. */
int sim_mappings_add(struct sim_mappings *set, const struct sim_mapping *mapping);
/** Would taking [first, last] out cut a mapping in two? */
bool sim_mappings_cut(const struct sim_mappings *set, uint64_t first, uint64_t last);
/** Take out all that lies in [first, last], which cuts none. */
void sim_mappings_drop(struct sim_mappings *set, uint64_t first, uint64_t last);

#pragma GCC visibility pop

#endif
