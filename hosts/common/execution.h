/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The execution hooks of a host that lives in a process of Linux: mutexes, the number of the CPU, may-sleep.
 */
#ifndef DMAMAP_HOST_EXECUTION_H
#define DMAMAP_HOST_EXECUTION_H

#include <dmamap/host.h>

#pragma GCC visibility push(hidden)

/** Fill in the lock, cpu and may_block hooks for @cpus CPUs; 0: 1. */
void host_execution_hooks(struct dma_host *host, unsigned int cpus);

#pragma GCC visibility pop

#endif
