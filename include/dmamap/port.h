/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The port: how a caller gets a context of its own, chosen once for each build of the library.
 *
 * Fast paths need state that nobody else touches meanwhile. A port gives dma_ctx_enter(), which returns a struct
 * dma_ctx that is the caller's alone until dma_ctx_leave():
 *
 *   -DDMAMAP_PORT_HOSTED           a thread-local one (what the installed libraries have)
 *   -DDMAMAP_PORT_HEADER='"x.h"'   yours: a kernel disables interrupts and returns this CPU's
 *   neither                        the lock port: one context a host, behind a lock; needs nothing
 *
 * A section is short, never sleeps and never nests. The caller's last error lives in the context.
 */
#ifndef DMAMAP_PORT_H
#define DMAMAP_PORT_H

#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_host;

/** A context: all zero before its first use; the library's own afterwards. */
struct dma_ctx {
	uint64_t opaque[32];
};

/** What dma_ctx_enter() leaves for dma_ctx_leave(): interrupt flags and the like. */
typedef unsigned long dma_ctx_state;

#if defined(DMAMAP_PORT_HEADER)

#include DMAMAP_PORT_HEADER

#elif defined(DMAMAP_PORT_HOSTED)

extern _Thread_local struct dma_ctx dmamap_thread_ctx
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

static inline struct dma_ctx *dma_ctx_enter(struct dma_host *host, dma_ctx_state *state)
{
	(void)host;
	*state = 0;
	return &dmamap_thread_ctx;
}

static inline void dma_ctx_leave(struct dma_host *host, dma_ctx_state state)
{
	(void)host;
	(void)state;
}

#else

struct dma_ctx *dmamap_lock_ctx_enter(struct dma_host *host);
void dmamap_lock_ctx_leave(struct dma_host *host);

static inline struct dma_ctx *dma_ctx_enter(struct dma_host *host, dma_ctx_state *state)
{
	*state = 0;
	return dmamap_lock_ctx_enter(host);
}

static inline void dma_ctx_leave(struct dma_host *host, dma_ctx_state state)
{
	(void)state;
	dmamap_lock_ctx_leave(host);
}

#endif

#ifdef __cplusplus
}
#endif

#endif
