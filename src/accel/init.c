/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of the kernels this processor can run. For programs: the compiler's library asks the processor and the operating
 * system.
 */
#include <dmamap/accel.h>

bool dmamap_accel_init(struct dma_host *host)
{
#if defined(__x86_64__)
	if (!__builtin_cpu_supports("avx2") || (host->pte_write && host->pte_scan))
		return false;
	if (!host->pte_write)
		host->pte_write = dmamap_accel_avx2_write;
	if (!host->pte_scan)
		host->pte_scan = dmamap_accel_avx2_scan;
	return true;
#else
	(void)host;
	return false;
#endif
}
