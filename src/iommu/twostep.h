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

/** Take addresses of @size bytes, whole granules, and count a mapping: fills in where @state stands. False, *@reason. */
bool dmamap_run_take(struct dma_device *dev, uint64_t size, struct dma_iova_state *state,
		     enum dma_reason *reason);
/** False: @state is a copy of one that has ended, and the run is free or somebody's single mapping. */
bool dmamap_run_is_held(const struct dma_iova_state *state);
/** The end of a run of which nothing is linked. */
void dmamap_run_free(const struct dma_iova_state *state);
/** Enter pieces, @at bytes behind the run's first granule. 0 or the backend's error, and then nothing of them is there. */
int dmamap_run_enter(const struct dma_iova_state *state, uint64_t at, const struct dma_vec *vec,
		     size_t n, unsigned int prot);
int dmamap_run_sync(const struct dma_iova_state *state, uint64_t at, uint64_t size);

/** What becomes of a run when a part of it is cleared. */
enum run_end {
	RUN_STAYS,
	RUN_ENDS, /* lazily on a lazy domain */
	RUN_ENDS_STRICTLY,
};

/**
 * Clear [at, at + size) up to the first hole, and invalidate; the bytes cleared. If that was all of it the run ends as
 * @end says: its addresses go back, or wait for that.
 */
uint64_t dmamap_run_clear(const struct dma_iova_state *state, uint64_t at, uint64_t size,
			  enum run_end end);
/** Is each granule of [at, at + size) mapped (or is none), by the tables? */
bool dmamap_run_agrees(const struct dma_iova_state *state, uint64_t at, uint64_t size, bool mapped);

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
