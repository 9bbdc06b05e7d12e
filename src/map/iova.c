/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two-step mapping: the public calls (docs/semantics.md, "Two-step mapping").
 *
 * The kernel has no event for any of them, so that none has a text; observers hear of links and unlinks that succeed. A
 * refusal is recorded as the caller's last error; one
 * that is the caller's bug goes to the warn hook too.
 */
#include <dmamap/iova.h>

#include "iommu/quick_iova.h"
#include "map.h"

/** Is the refusal a bug of the caller's, as opposed to something that happens? */
static bool is_misuse(const struct dma_error *why)
{
	switch (why->reason) {
	case DMA_REASON_IOVA_STATE:
	case DMA_REASON_IOVA_RANGE:
	case DMA_REASON_LINK_ALIGNMENT:
	case DMA_REASON_ALREADY_MAPPED:
	case DMA_REASON_NOT_MAPPED:
	case DMA_REASON_LIVE_MAPPINGS:
		return true;
	default:
		return false;
	}
}

/** End a call with this result. */
static DMAMAP_COLD int refuse(struct dma_device *dev, int err, const char *what,
			      struct dma_error *why)
{
	enum dma_route route = dmamap_dev(dev)->route;

	if (is_misuse(why))
		dmamap_misuse(dev, route, what, why);
	dmamap_record(dev, route, why);
	return err;
}

static inline int finish(struct dma_device *dev, int err, const char *what, struct dma_error *why)
{
	return err ? refuse(dev, err, what, why) : 0;
}

/** For observers: memory was linked to, or unlinked from, [@addr, @addr + @size). */
static void tell(enum dma_event_type type, struct dma_device *dev, dma_addr_t addr,
		 phys_addr_t phys, size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_event event;

	if (!observed(dev))
		return;
	event = (struct dma_event){
		.type = type,
		.dev = dev,
		.dma_addr = addr,
		.phys = phys,
		.size = size,
		.dir = dir,
		.attrs = attrs,
	};
	dmamap_finish(&event, DMA_ROUTE_IOMMU, NULL, true);
}

static DMAMAP_APART bool try_alloc(struct dma_device *dev, struct dma_iova_state *state,
				   phys_addr_t phys, size_t size)
{
	struct dma_error why;

	if (dmamap_check_mask(dev, phys, size, &why) &&
	    dmamap_twostep_alloc(dev, state, phys, size, &why))
		return true;
	*state = (struct dma_iova_state){ .addr = 0 };
	if (why.reason == DMA_REASON_ZERO_SIZE || why.reason == DMA_REASON_BAD_ARGUMENT)
		dmamap_misuse(dev, why.route, "I/O addresses of an impossible size", &why);
	dmamap_record(dev, why.route, &why);
	return false;
}

bool dmamap_iova_try_alloc(struct dma_device *dev, struct dma_iova_state *state, phys_addr_t phys,
			   size_t size)
{
	return quick_iova_alloc(dev, state, phys, size) || try_alloc(dev, state, phys, size);
}

static DMAMAP_APART int link(struct dma_device *dev, struct dma_iova_state *state, phys_addr_t phys,
			     size_t offset, size_t size, enum dma_data_direction dir,
			     unsigned long attrs)
{
	struct dma_error why;
	int err = -DMAMAP_EINVAL;

	if (dmamap_check_dir(dev, dir, phys, size, &why))
		err = dmamap_twostep_link(dev, state, phys, offset, size, dir, attrs, &why);
	if (!err)
		tell(DMA_EVENT_LINK, dev, state->addr + offset, phys, size, dir, attrs);
	return finish(dev, err, "link that does not fit into its range", &why);
}

int dmamap_iova_link(struct dma_device *dev, struct dma_iova_state *state, phys_addr_t phys,
		     size_t offset, size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	if ((unsigned int)dir <= DMA_FROM_DEVICE && !observed(dev) &&
	    quick_iova_link(dev, state, phys, offset, size, dir, attrs))
		return 0;
	return link(dev, state, phys, offset, size, dir, attrs);
}

static DMAMAP_APART int sync(struct dma_device *dev, struct dma_iova_state *state, size_t offset,
			     size_t size)
{
	struct dma_error why;

	return finish(dev, dmamap_twostep_sync(dev, state, offset, size, &why),
		      "sync outside of the range", &why);
}

int dmamap_iova_sync(struct dma_device *dev, struct dma_iova_state *state, size_t offset,
		     size_t size)
{
	if (quick_iova_sync(dev, state, offset, size))
		return 0;
	return sync(dev, state, offset, size);
}

void dmamap_iova_unlink(struct dma_device *dev, struct dma_iova_state *state, size_t offset,
			size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_error why;
	int err = -DMAMAP_EINVAL;

	if (dmamap_check_dir(dev, dir, offset, size, &why))
		err = dmamap_twostep_unlink(dev, state, offset, size, dir, attrs, &why);
	if (!err)
		tell(DMA_EVENT_UNLINK, dev, state->addr + offset, 0, size, dir, attrs);
	finish(dev, err, "unlink of what is not linked", &why);
}

static DMAMAP_APART void free_slowly(struct dma_device *dev, struct dma_iova_state *state)
{
	struct dma_error why;

	finish(dev, dmamap_twostep_free(dev, state, &why), "free of a range that is not free",
	       &why);
}

void dmamap_iova_free(struct dma_device *dev, struct dma_iova_state *state)
{
	if (!quick_iova_free(dev, state))
		free_slowly(dev, state);
}

static DMAMAP_APART void destroy(struct dma_device *dev, struct dma_iova_state *state,
				 size_t mapped_len, enum dma_data_direction dir,
				 unsigned long attrs)
{
	dma_addr_t addr = state->addr;
	struct dma_error why;
	int err = -DMAMAP_EINVAL;

	if (dmamap_check_dir(dev, dir, 0, mapped_len, &why))
		err = dmamap_twostep_destroy(dev, state, mapped_len, dir, attrs, &why);
	if (!err && mapped_len)
		tell(DMA_EVENT_UNLINK, dev, addr, 0, mapped_len, dir, attrs);
	finish(dev, err, "destroy of what is not linked", &why);
}

void dmamap_iova_destroy(struct dma_device *dev, struct dma_iova_state *state, size_t mapped_len,
			 enum dma_data_direction dir, unsigned long attrs)
{
	if ((unsigned int)dir > DMA_FROM_DEVICE || observed(dev) ||
	    !quick_iova_destroy(dev, state, mapped_len))
		destroy(dev, state, mapped_len, dir, attrs);
}
