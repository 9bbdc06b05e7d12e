/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two-step mapping: the mechanism behind dma_iova_*(), and what vectors use of it.
 *
 * A state is one run of I/O addresses. What is linked in it is known by its bounds and its bytes: as long as links
 * leave no hole, which is nearly always, no call looks into the tables to tell whether its range is linked. Only the
 * first granule and the last can hold less than a granule of memory, so only they can be copies. Functions that can
 * refuse fill in *@why, and have then changed nothing.
 */
#ifndef DMAMAP_IOMMU_TWOSTEP_H
#define DMAMAP_IOMMU_TWOSTEP_H

#include <dmamap/iova.h>

#include "domain.h"
#include "iommu.h"

#pragma GCC visibility push(hidden)

/** Take a run for @size bytes that begin at the offset in the granule that @phys has; false: @state is untouched. */
bool dmamap_twostep_alloc(struct dma_device *dev, struct dma_iova_state *state, phys_addr_t phys,
			  uint64_t size, struct dma_error *why);

/** The public calls, whose direction has been checked; 0 or -errno. */
int dmamap_twostep_link(struct dma_device *dev, struct dma_iova_state *state, phys_addr_t phys,
			uint64_t offset, uint64_t size, enum dma_data_direction dir,
			unsigned long attrs, struct dma_error *why);
int dmamap_twostep_sync(struct dma_device *dev, struct dma_iova_state *state, uint64_t offset,
			uint64_t size, struct dma_error *why);
int dmamap_twostep_unlink(struct dma_device *dev, struct dma_iova_state *state, uint64_t offset,
			  uint64_t size, enum dma_data_direction dir, unsigned long attrs,
			  struct dma_error *why);
int dmamap_twostep_free(struct dma_device *dev, struct dma_iova_state *state,
			struct dma_error *why);
int dmamap_twostep_destroy(struct dma_device *dev, struct dma_iova_state *state,
			   uint64_t mapped_len, enum dma_data_direction dir, unsigned long attrs,
			   struct dma_error *why);

/**
 * Enter @n pieces of whole granules, of one protection, @at bytes behind the run's first granule: a link without
 * maintenance and without copies, for a caller who lays the run out himself. 0, or the backend's error and *@reason.
 */
int dmamap_twostep_enter(struct dma_iova_state *state, uint64_t at, const struct dma_vec *vec,
			 size_t n, unsigned int prot, enum dma_reason *reason);

/* --- what the files of the mechanism share */

/** The part of a run that a call is about: whole granules. */
struct run_part {
	uint64_t at; /* from the run's first granule on */
	uint64_t size;
	uint64_t pad; /* bytes of the first granule before the part */
};

static inline struct dma_domain *state_domain(const struct dma_iova_state *state)
{
	return dmamap_dev(state->dev)->domain;
}

static inline dma_addr_t run_start(const struct dma_iova_state *state)
{
	return round_down(state->addr, granule_size(state_domain(state)));
}

static inline uint64_t run_size(const struct dma_iova_state *state)
{
	uint64_t end = state->addr - run_start(state) + dmamap_iova_size(state);

	return round_up(end, granule_size(state_domain(state)));
}

/** Does @state hold a range of @dev, and [offset, offset + size) lie in it? 0 and *@part, or -EINVAL. */
int dmamap_twostep_part(struct dma_device *dev, const struct dma_iova_state *state, uint64_t offset,
			uint64_t size, struct run_part *part, struct dma_error *why);

/** Is each granule of the part linked, or is none? */
bool dmamap_twostep_linked(const struct dma_iova_state *state, const struct run_part *part);
bool dmamap_twostep_unlinked(const struct dma_iova_state *state, const struct run_part *part);

/** The part was linked, was unlinked. */
void dmamap_twostep_note_link(struct dma_iova_state *state, uint64_t at, uint64_t size);
void dmamap_twostep_note_unlink(struct dma_iova_state *state, uint64_t at, uint64_t size);

#pragma GCC visibility pop

#endif
