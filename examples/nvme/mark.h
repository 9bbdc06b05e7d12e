/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Did data pass through memory? Bytes that occur nowhere else, and a search of an emulated machine's RAM for them.
 */
#ifndef EXAMPLES_NVME_MARK_H
#define EXAMPLES_NVME_MARK_H

#include <dmamap/qemu.h>

#include <string.h>

/** Bytes of each block that are looked for. */
#define MARK_BYTES 64u

/** Bytes that @seed decides. */
static inline void mark_fill(unsigned char *bytes, size_t size, uint64_t seed)
{
	for (size_t i = 0; i < size; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		bytes[i] = (unsigned char)(seed >> 56);
	}
}

/** Does the RAM of @m hold the beginning of any block of @bytes? */
static inline bool mark_in_ram(struct qemu_machine *m, const unsigned char *bytes, size_t size,
			       size_t block)
{
	struct dma_host *host = qemu_host(m);
	phys_addr_t start;
	uint64_t len;

	for (unsigned int r = 0; host->ram_range(host, r, &start, &len); r++)
		for (size_t i = 0; i < size; i += block)
			if (memmem(qemu_ram_ptr(m, start, len), len, bytes + i, MARK_BYTES))
				return true;
	return false;
}

#endif
