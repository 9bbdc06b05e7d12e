/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies between a pool, which always has a linear address, and a caller's memory, which may have none: then it is
 * mapped for a moment, page frame by page frame. Only the bytes asked for are touched. No lock is held.
 */
#include "internal.h"

/*
 * Linear address of @phys, and how many bytes from there are contiguous for the CPU too, at most @size. Asked page by
 * page: neighbours in physical memory need not be neighbours in the host's linear map.
 */
static unsigned char *linear_piece(struct dma_host *host, phys_addr_t phys, uint64_t size,
				   uint64_t *len)
{
	unsigned char *start = host->phys_to_virt(host, phys);
	uint64_t done = host->page_size - (phys & (host->page_size - 1));

	while (start && done < size && host->phys_to_virt(host, phys + done) == start + done)
		done += host->page_size;
	*len = min_u64(done, size);
	return start;
}

static bool copy_temporary(struct dma_host *host, unsigned char *pool, phys_addr_t orig,
			   uint64_t size, bool to_pool)
{
	bool temporary;
	unsigned char *ptr = dmamap_kmap(host, orig, size, &temporary);

	if (!ptr)
		return false;
	if (to_pool)
		bounce_copy_bytes(host, pool, ptr, size);
	else
		bounce_copy_bytes(host, ptr, pool, size);
	dmamap_kunmap(host, ptr, size, temporary);
	return true;
}

bool dmamap_bounce_copy_pieces(const struct bounce_part *part, phys_addr_t copy, phys_addr_t orig,
			       uint64_t size, bool to_pool)
{
	struct dma_host *host = part->pool->host;
	unsigned char *bytes = bounce_virt(part, copy);

	while (size) {
		uint64_t len;
		unsigned char *ptr = linear_piece(host, orig, size, &len);

		if (!ptr) {
			len = DMAMAP_PAGE_SIZE - (orig & (DMAMAP_PAGE_SIZE - 1));
			len = min_u64(len, size);
			if (!copy_temporary(host, bytes, orig, len, to_pool))
				return false;
		} else if (to_pool) {
			bounce_copy_bytes(host, bytes, ptr, len);
		} else {
			bounce_copy_bytes(host, ptr, bytes, len);
		}
		bytes += len;
		orig += len;
		size -= len;
	}
	return true;
}
