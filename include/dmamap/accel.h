/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Optional kernels with vector registers, for hosts that may use them wherever they call the library: programs may, a
 * kernel mostly may not. Nothing else refers to them, so they are never needed to link.
 */
#ifndef DMAMAP_ACCEL_H
#define DMAMAP_ACCEL_H

#include <dmamap/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * dma_accel_init() - give a host the kernels that this processor can run.
 * @host: before dma_host_init(); hooks that are set stay
 *
 * For programs: asks the processor. A kernel sets the hooks itself.
 *
 * Return: true if a hook was set.
 */
bool dmamap_accel_init(struct dma_host *host);

#if defined(__x86_64__)
/** dma_host.pte_write and dma_host.pte_scan with AVX2: the same bits as without, 64 entries at a time. */
void dmamap_accel_avx2_write(struct dma_host *host, uint64_t *entries, size_t n, uint64_t first,
			     uint64_t step);
size_t dmamap_accel_avx2_scan(struct dma_host *host, const uint64_t *entries, size_t n, bool used);
#endif

#ifdef __cplusplus
}
#endif

#endif
