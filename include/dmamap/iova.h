/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two-step mapping: take I/O addresses first, then link memory to them piece by piece.
 *
 * A driver that knows how much it will map, but has it in pieces, gets one contiguous range for the device, one
 * dma_iova_sync() for all of it and one invalidation at the end:
 *
 *	struct dma_iova_state state;
 *
 *	if (!dma_iova_try_alloc(dev, &state, first_phys, total))
 *		return map_each_piece();		// dma_map_phys() for each
 *	for (offset = 0, i = 0; i < n && !err; offset += piece[i].len, i++)
 *		err = dma_iova_link(dev, &state, piece[i].phys, offset, piece[i].len, dir, 0);
 *	if (!err)
 *		err = dma_iova_sync(dev, &state, 0, total);
 *	if (err)
 *		dma_iova_destroy(dev, &state, offset_of_what_is_linked, dir, 0);
 *	else
 *		program(state.addr, total);
 *
 * Only devices behind an IOMMU domain have this. The calls are Linux's; what is checked here and not there, and every
 * refusal, is in docs/semantics.md, "Two-step mapping". Observers hear of links and unlinks (LINK, UNLINK), which
 * have no text, as the kernel has no record of them: `map` and `unmap` records tell what the tables went through, and dma_last_error() why a call was refused.
 *
 * Context: no call sleeps, except that a bounce pool may grow. One state belongs to one caller at a time; different
 * states, also of one device, may be used at once.
 */
#ifndef DMAMAP_IOVA_H
#define DMAMAP_IOVA_H

#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_device;

/** In dma_iova_state.__size: a piece is a copy in the bounce pool. */
#define DMA_IOVA_USE_SWIOTLB (1ull << 63)

/** One range of I/O addresses. Zero, or written by dma_iova_try_alloc(); all zero again when the range has gone. */
struct dma_iova_state {
	/** To read: the I/O address of the first byte. */
	dma_addr_t addr;

	/* private */
	uint64_t __size; /* bytes, and DMA_IOVA_USE_SWIOTLB */
	struct dma_device *dev;
	/* What is linked lies in [low, high), from the first granule on, and is @linked bytes of whole granules. */
	uint64_t low;
	uint64_t high;
	uint64_t linked;
	uint64_t tail;	 /* where a piece ends inside of a granule: the last one; 0: none does */
	uint32_t copies; /* granules that are copies: the first and the last at the most */
	/* Where the range stands, if it is a small one; NULL: elsewhere. */
	uint16_t index;
	uint16_t granules;
	void *window;
};

/** Bytes of the range; 0: the state holds none. */
static inline uint64_t dmamap_iova_size(const struct dma_iova_state *state)
{
	return state->__size & ~DMA_IOVA_USE_SWIOTLB;
}

/** dma_use_iova() - does @state hold a range? If not, map piece by piece. */
static inline bool dmamap_use_iova(const struct dma_iova_state *state)
{
	return state->__size != 0;
}

/**
 * dma_iova_try_alloc() - take I/O addresses for @size bytes.
 * @dev:   the device
 * @state: receives the range; whatever it held before is overwritten, and all zero on failure
 * @phys:  the first piece's address: only its offset in the granule counts. 0: the first piece begins with a granule
 * @size:  bytes, 1 to 2^63 - 1
 *
 * Nothing is mapped by this. The range counts as one live mapping of the device until it is freed.
 *
 * Return: true, and state->addr; false with a reason, and then dma_map_phys() may still do: no-iommu (the device's
 * route is another), zero-size, bad-argument (@size), alignment, no-iova, no-memory, or the refusal of an attach that
 * was deferred.
 */
bool dmamap_iova_try_alloc(struct dma_device *dev, struct dma_iova_state *state, phys_addr_t phys,
			   size_t size);

/**
 * dma_iova_link() - map [phys, phys + size) at @offset bytes from the start of the range.
 * @offset: only the first piece (offset 0) may begin inside of a granule, and then with the offset in it that
 *          dma_iova_try_alloc() was told; all others begin where a granule does
 * @size:   at least 1. Only the last piece may end inside of a granule, which it then takes whole: nothing can be linked
 *          behind it
 * @dir:    as in dma_map_phys()
 * @attrs:  DMA_ATTR_MMIO, DMA_ATTR_SKIP_CPU_SYNC, DMA_ATTR_PRIVILEGED, DMA_ATTR_REQUIRE_COHERENT
 *
 * From here on the memory belongs to the device, which must not use it before dma_iova_sync(). What an untrusted device
 * must not see is copied: the piece's first and last granule, if the piece does not fill them, with the rest zeroed.
 *
 * Return: 0, or -errno with a reason, and then nothing of this piece is linked and earlier ones are as they were.
 * -EINVAL: iova-state, iova-range, zero-size, address-wrap, link-alignment (an offset that is not the range's, an end that is not the last), a bad
 * direction, or the backend's. -EIO: link-alignment (an unaligned piece that is not the first). -EADDRINUSE:
 * already-mapped. -EPERM: mmio-alignment, or REQUIRE_COHERENT where the piece must be copied. -EOPNOTSUPP:
 * REQUIRE_COHERENT on a device that does not snoop or on a range that has copies, CC_SHARED. -ENOMEM: no memory for
 * tables, no room in the bounce pool.
 */
int dmamap_iova_link(struct dma_device *dev, struct dma_iova_state *state, phys_addr_t phys,
		     size_t offset, size_t size, enum dma_data_direction dir, unsigned long attrs);

/**
 * dma_iova_sync() - make what was linked in [offset, offset + size) visible to the device.
 *
 * Return: 0; -EINVAL (iova-state, iova-range, zero-size); or the backend's error, and then the caller unlinks.
 */
int dmamap_iova_sync(struct dma_device *dev, struct dma_iova_state *state, size_t offset,
		     size_t size);

/**
 * dma_iova_unlink() - take [offset, offset + size) from the device; the addresses stay with the state.
 * @offset: 0, or where a granule begins
 * @size:   up to where a granule or the last piece ends; all of it must be linked
 * @dir:    the links' direction; @attrs: theirs. DMA_ATTR_SKIP_CPU_SYNC may differ, DMA_ATTR_MMIO may not
 *
 * Strict, whatever the domain: when this returns the device has no access, and copies have been copied back. A range
 * that is not wholly linked warns, and stays as it is (not-mapped; iova-state, iova-range, link-alignment).
 */
void dmamap_iova_unlink(struct dma_device *dev, struct dma_iova_state *state, size_t offset,
			size_t size, enum dma_data_direction dir, unsigned long attrs);

/**
 * dma_iova_free() - give the addresses back, of which none is linked any more. @state is all zero afterwards.
 *
 * With links left it warns and does nothing (live-mappings); without a range too (iova-state).
 */
void dmamap_iova_free(struct dma_device *dev, struct dma_iova_state *state);

/**
 * dma_iova_destroy() - unlink [0, mapped_len) and give all addresses back. @state is all zero afterwards.
 * @mapped_len: bytes that are linked: all of them, without a hole. 0: none is, as dma_iova_free()
 * @dir, @attrs: as in dma_iova_unlink()
 *
 * One invalidation; none yet on a lazy domain, unless a piece was a copy. If [0, mapped_len) is not what is linked it
 * warns and does nothing (not-mapped, live-mappings).
 */
void dmamap_iova_destroy(struct dma_device *dev, struct dma_iova_state *state, size_t mapped_len,
			 enum dma_data_direction dir, unsigned long attrs);

#ifdef __cplusplus
}
#endif

#endif
