/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two-step mapping: the life of a run, what of it is linked, and links (docs/semantics.md, "Two-step mapping").
 *
 * A link is checked whole before anything is done, then entered with one call of the backend, however long it is. What
 * an untrusted device must not see is entered as a copy: at most the first and the last granule of a piece. A link
 * that fails half-way takes back what it entered, invalidates, and only then releases the copy.
 */
#include "twostep.h"

#include "bounce/pool.h"

/* --- what is linked */

static DMAMAP_COLD void fill_in(struct dma_error *why, const struct dma_device *dev,
				enum dma_reason reason, uint64_t offset, uint64_t size,
				uint64_t have)
{
	fail_range(why, dev, reason, -DMAMAP_EINVAL, offset, size);
	why->have = have;
}

static inline int fail(struct dma_error *why, const struct dma_device *dev, enum dma_reason reason,
		       uint64_t offset, uint64_t size, uint64_t have)
{
	fill_in(why, dev, reason, offset, size, have);
	return -DMAMAP_EINVAL;
}

int dmamap_twostep_part(struct dma_device *dev, const struct dma_iova_state *state, uint64_t offset,
			uint64_t size, struct run_part *part, struct dma_error *why)
{
	uint64_t total = dmamap_iova_size(state);
	uint64_t mask, pad;

	if (!dmamap_use_iova(state) || state->dev != dev)
		return fail(why, dev, DMA_REASON_IOVA_STATE, offset, size, 0);
	if (!size)
		return fail(why, dev, DMA_REASON_ZERO_SIZE, offset, size, total);
	if (offset >= total || size > total - offset)
		return fail(why, dev, DMA_REASON_IOVA_RANGE, offset, size, total);
	mask = dmamap_iommu_granule_mask(dev);
	pad = state->addr & mask;
	part->pad = (pad + offset) & mask;
	part->at = pad + offset - part->pad;
	part->size = round_up(part->pad + size, mask + 1);
	return 0;
}

static bool has_hole(const struct dma_iova_state *state)
{
	return state->linked != state->high - state->low;
}

bool dmamap_twostep_linked(const struct dma_iova_state *state, const struct run_part *part)
{
	if (part->at < state->low || part->at + part->size > state->high)
		return false;
	return !has_hole(state) || dmamap_run_agrees(state, part->at, part->size, true);
}

bool dmamap_twostep_unlinked(const struct dma_iova_state *state, const struct run_part *part)
{
	if (part->at >= state->high || part->at + part->size <= state->low)
		return true;
	return has_hole(state) && dmamap_run_agrees(state, part->at, part->size, false);
}

void dmamap_twostep_note_link(struct dma_iova_state *state, uint64_t at, uint64_t size)
{
	if (!state->linked || at < state->low)
		state->low = at;
	if (!state->linked || at + size > state->high)
		state->high = at + size;
	state->linked += size;
}

/** Draw the bounds in to what is linked, behind a hole that now lies at one of them. */
static void tighten(struct dma_iova_state *state)
{
	uint64_t granule = granule_size(state_domain(state));

	while (has_hole(state) && dmamap_run_agrees(state, state->low, granule, false))
		state->low += granule;
	while (has_hole(state) && dmamap_run_agrees(state, state->high - granule, granule, false))
		state->high -= granule;
}

void dmamap_twostep_note_unlink(struct dma_iova_state *state, uint64_t at, uint64_t size)
{
	if (size && at + size == state->high)
		state->tail = 0;
	state->linked -= size;
	if (!state->linked)
		state->low = state->high = 0;
	else
		tighten(state);
}

/* --- the run */

bool dmamap_twostep_alloc(struct dma_device *dev, struct dma_iova_state *state, phys_addr_t phys,
			  uint64_t size, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	enum dma_reason reason = DMA_REASON_NONE;
	struct dma_iova_state run = { .__size = size, .dev = dev };
	uint64_t mask, pad;

	if (d->route != DMA_ROUTE_IOMMU)
		reason = DMA_REASON_NO_IOMMU;
	else if (!size || (size & DMA_IOVA_USE_SWIOTLB))
		reason = size ? DMA_REASON_BAD_ARGUMENT : DMA_REASON_ZERO_SIZE;
	if (reason != DMA_REASON_NONE) {
		fail_range(why, dev, reason,
			   reason == DMA_REASON_NO_IOMMU ? -DMAMAP_EOPNOTSUPP : -DMAMAP_EINVAL,
			   phys, size);
		return false;
	}
	if (!dmamap_iommu_ready(dev, why) || !dmamap_iommu_check_alignment(dev, phys, size, why))
		return false;
	mask = dmamap_iommu_granule_mask(dev);
	pad = phys & mask;
	if (!dmamap_run_take(dev, round_up(pad + size, mask + 1), &run, &reason)) {
		fail_range(why, dev, reason, -DMAMAP_ENOMEM, phys, size);
		return false;
	}
	run.addr += pad;
	*state = run;
	return true;
}

int dmamap_twostep_free(struct dma_device *dev, struct dma_iova_state *state, struct dma_error *why)
{
	if (!dmamap_use_iova(state) || state->dev != dev || !dmamap_run_is_held(state))
		return fail(why, dev, DMA_REASON_IOVA_STATE, 0, 0, 0);
	if (state->linked) {
		fail_range(why, dev, DMA_REASON_LIVE_MAPPINGS, -DMAMAP_EBUSY, state->addr,
			   dmamap_iova_size(state));
		why->have = state->linked;
		return -DMAMAP_EBUSY;
	}
	dmamap_run_free(state);
	*state = (struct dma_iova_state){ .addr = 0 };
	return 0;
}

int dmamap_twostep_sync(struct dma_device *dev, struct dma_iova_state *state, uint64_t offset,
			uint64_t size, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct run_part part;
	int err = dmamap_twostep_part(dev, state, offset, size, &part, why);

	if (err)
		return err;
	if (!d->coherent)
		dmamap_cache_flush(d->host);
	err = dmamap_run_sync(state, part.at, part.size);
	return err ? fail_range(why, dev, dmamap_backend_reason(err), err, state->addr + offset,
				size)
		   : 0;
}

/* --- links */

/** What all pieces of a link share. */
struct link {
	struct dma_device *dev;
	struct dma_iova_state *state;
	enum dma_data_direction dir;
	unsigned long attrs;
	/** Up to here, from the start of the run, this link has entered something; from @start on. */
	uint64_t start;
	uint64_t at;
	/** The copy that the link begins with. */
	phys_addr_t head;
	uint64_t head_size;
};

int dmamap_twostep_enter(struct dma_iova_state *state, uint64_t at, const struct dma_vec *vec,
			 size_t n, unsigned int prot, enum dma_reason *reason)
{
	struct dma_domain *domain = state_domain(state);
	dma_addr_t iova = run_start(state) + at;
	uint64_t size = 0;
	int err = dmamap_run_enter(state, at, vec, n, prot);

	if (err) {
		*reason = dmamap_backend_reason(err);
		return err;
	}
	for (size_t i = 0; i < n; i++) {
		dmamap_domain_report_map(domain, iova + size, vec[i].phys, vec[i].len);
		size += vec[i].len;
	}
	dmamap_twostep_note_link(state, at, size);
	return 0;
}

/** The granules of [phys, phys + size), next in the run, cleaned for the device where that is the link's business. */
static int enter_next(struct link *l, phys_addr_t phys, uint64_t size, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(l->dev);
	enum dma_reason reason;
	struct granules g;
	struct dma_vec vec;
	int err;

	if (!d->coherent && !(l->attrs & (DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_MMIO)))
		dmamap_cache_for_device(d->host, phys, size, l->dir);
	granules_of(d->domain, phys, size, &g);
	vec = (struct dma_vec){ g.start, g.size };
	err = dmamap_twostep_enter(l->state, l->at, &vec, 1,
				   dmamap_iommu_prot(d->coherent, l->dir, l->attrs), &reason);
	if (err)
		return fail_range(why, l->dev, reason, err, phys, size);
	l->at += g.size;
	return 0;
}

/** A copy of less than a granule, next in the run; *@copy is where it is. Zeroed bytes beside it are cleaned too. */
static int enter_copy(struct link *l, phys_addr_t phys, uint64_t size, phys_addr_t *copy,
		      struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(l->dev);
	uint64_t mask = dmamap_iommu_granule_mask(l->dev);
	struct dma_error ignored;
	int err;

	if (!d->bounce) {
		dmamap_iommu_fail_without_pool(l->dev, phys, size, why);
		return -DMAMAP_ENOMEM;
	}
	*copy = dmamap_bounce_map_piece(l->dev, phys, size, mask, d->untrusted, why);
	if (*copy == DMAMAP_PHYS_NONE)
		return -DMAMAP_ENOMEM;
	err = enter_next(l, round_down(*copy, mask + 1), mask + 1, why);
	if (err)
		dmamap_bounce_unmap(l->dev, *copy, size, l->dir, DMA_ATTR_SKIP_CPU_SYNC, &ignored);
	else
		l->state->copies++;
	return err;
}

/** Take back what a failing link has entered: clear, invalidate, and only then release the copy. */
static void take_back(struct link *l)
{
	struct dma_domain *domain = state_domain(l->state);
	dma_addr_t iova = run_start(l->state) + l->start;
	uint64_t size = l->at - l->start;
	struct dma_error ignored;

	if (!size)
		return;
	dmamap_run_clear(l->state, l->start, size, RUN_STAYS);
	dmamap_domain_report_unmap(domain, iova, size, size);
	dmamap_twostep_note_unlink(l->state, l->start, size);
	if (l->head == DMAMAP_PHYS_NONE)
		return;
	dmamap_bounce_unmap(l->dev, l->head, l->head_size, l->dir, DMA_ATTR_SKIP_CPU_SYNC,
			    &ignored);
	l->state->copies--;
}

/** A piece of which the device must not see the surroundings: first and last granule are copies if it does not fill them. */
static int link_copies(struct link *l, phys_addr_t phys, uint64_t size, struct dma_error *why)
{
	uint64_t granule = dmamap_iommu_granule_mask(l->dev) + 1;
	uint64_t pad = phys & (granule - 1);
	uint64_t head = pad ? min_u64(size, granule - pad) : 0;
	uint64_t tail = head == size ? 0 : (phys + size) & (granule - 1);
	uint64_t middle = size - head - tail;
	phys_addr_t copy;
	int err = 0;

	if (head) {
		err = enter_copy(l, phys, head, &copy, why);
		if (!err) {
			l->head = copy;
			l->head_size = head;
		}
	}
	if (!err && middle)
		err = enter_next(l, phys + head, middle, why);
	if (!err && tail)
		err = enter_copy(l, phys + head + middle, tail, &copy, why);
	if (err)
		take_back(l);
	return err;
}

/** Refusals of one link by its attributes; 0, or -errno. */
static int check_attrs(const struct link *l, phys_addr_t phys, uint64_t size, bool copies,
		       struct dma_error *why)
{
	const struct dmamap_dev *d = dmamap_dev(l->dev);

	if (l->attrs & DMA_ATTR_CC_SHARED)
		return fail_range(why, l->dev, DMA_REASON_CC_SHARED, -DMAMAP_EOPNOTSUPP, phys,
				  size);
	if (!dmamap_iommu_may_have(l->dev, phys, size, l->dir, l->attrs, why))
		return why->err;
	if (!(l->attrs & DMA_ATTR_REQUIRE_COHERENT))
		return 0;
	if (!d->coherent)
		return fail_range(why, l->dev, DMA_REASON_NOT_COHERENT, -DMAMAP_EOPNOTSUPP, phys,
				  size);
	if (l->state->__size & DMA_IOVA_USE_SWIOTLB)
		return fail_range(why, l->dev, DMA_REASON_COHERENT_CANNOT_BOUNCE,
				  -DMAMAP_EOPNOTSUPP, phys, size);
	return copies ? fail_range(why, l->dev, DMA_REASON_COHERENT_CANNOT_BOUNCE, -DMAMAP_EPERM,
				   phys, size)
		      : 0;
}

/** Does the piece begin and end where it may? 0 or -errno; the caller fills in *@why. */
static int check_ends(const struct link *l, phys_addr_t phys, uint64_t offset, uint64_t size,
		      const struct run_part *part)
{
	uint64_t mask = dmamap_iommu_granule_mask(l->dev);
	uint64_t pad = phys & mask;
	uint64_t end = part->at + part->size;

	if (pad && offset)
		return -DMAMAP_EIO;
	if (pad != part->pad)
		return -DMAMAP_EINVAL;
	/* what ends inside of a granule is the last, now and later */
	if (((phys + size) & mask) && end < l->state->high)
		return -DMAMAP_EINVAL;
	return l->state->tail && end > l->state->high ? -DMAMAP_EINVAL : 0;
}

/** Where the link goes, if it may go there. */
static int check_place(const struct link *l, phys_addr_t phys, uint64_t offset, uint64_t size,
		       struct run_part *part, struct dma_error *why)
{
	int err = dmamap_twostep_part(l->dev, l->state, offset, size, part, why);

	if (err)
		return err;
	if (range_wraps(phys, size))
		return fail_range(why, l->dev, DMA_REASON_ADDRESS_WRAP, -DMAMAP_EINVAL, phys, size);
	err = check_ends(l, phys, offset, size, part);
	if (err) {
		fail_range(why, l->dev, DMA_REASON_LINK_ALIGNMENT, err, phys, size);
		why->have = part->pad;
		return err;
	}
	return dmamap_twostep_unlinked(l->state, part)
		       ? 0
		       : fail_range(why, l->dev, DMA_REASON_ALREADY_MAPPED, -DMAMAP_EADDRINUSE,
				    phys, size);
}

int dmamap_twostep_link(struct dma_device *dev, struct dma_iova_state *state, phys_addr_t phys,
			uint64_t offset, uint64_t size, enum dma_data_direction dir,
			unsigned long attrs, struct dma_error *why)
{
	struct link l = {
		.dev = dev, .state = state, .dir = dir, .attrs = attrs, .head = DMAMAP_PHYS_NONE
	};
	struct run_part part;
	bool copies;
	int err = check_place(&l, phys, offset, size, &part, why);

	if (err)
		return err;
	copies = dmamap_iommu_must_bounce(dev, phys, size, dir, attrs);
	err = check_attrs(&l, phys, size, copies, why);
	if (err)
		return err;
	l.start = l.at = part.at;
	err = copies ? link_copies(&l, phys, size, why) : enter_next(&l, phys, size, why);
	if (state->copies)
		state->__size |= DMA_IOVA_USE_SWIOTLB;
	if (!err && ((phys + size) & dmamap_iommu_granule_mask(dev)))
		state->tail = offset + size;
	return err;
}
