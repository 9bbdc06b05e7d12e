/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the faults of a domain go: what a domain has at its beginning, so that this room, which knows nothing else of
 * domains, can call its handler.
 */
#ifndef DMAMAP_BASE_FAULT_H
#define DMAMAP_BASE_FAULT_H

#include <dmamap/fault.h>

#pragma GCC visibility push(hidden)

struct dmamap_fault_sink {
	dma_fault_handler handler;
	void *arg;
};

#pragma GCC visibility pop

#endif
