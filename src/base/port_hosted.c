/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hosted port's context: one a thread. The only thread-local in the library, and not part of freestanding builds.
 */
#ifndef DMAMAP_PORT_HOSTED
#define DMAMAP_PORT_HOSTED
#endif
#include <dmamap/port.h>

_Thread_local struct dma_ctx dmamap_thread_ctx;
