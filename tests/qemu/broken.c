/* SPDX-License-Identifier: BSD-2-Clause */
#include "broken.h"

#define PAGE 4096u

static struct broken_unit *broken_of(struct dma_iommu_unit *unit)
{
	return (struct broken_unit *)(void *)unit;
}

static int attach(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int domain_id,
		  phys_addr_t root, unsigned int levels)
{
	struct dma_iommu_unit *real = broken_of(unit)->real;

	return real->ops->attach(real, dev, domain_id, root, levels);
}

static void detach(struct dma_iommu_unit *unit, struct dma_device *dev)
{
	struct dma_iommu_unit *real = broken_of(unit)->real;

	real->ops->detach(real, dev);
}

static void invalidate(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
		       uint64_t len, bool leaf_only)
{
	struct dma_iommu_unit *real = broken_of(unit)->real;

	switch (broken_of(unit)->how) {
	case NO_INVALIDATION:
		return;
	case WRONG_DOMAIN:
		domain_id++;
		break;
	case FIRST_PAGE_ONLY:
		len = PAGE;
		break;
	default:
		break;
	}
	real->ops->invalidate(real, domain_id, iova, len, leaf_only);
}

static void wait_for(struct dma_iommu_unit *unit)
{
	struct dma_iommu_unit *real = broken_of(unit)->real;

	if (broken_of(unit)->how != NO_WAIT)
		real->ops->wait(real);
}

static const struct dma_iommu_unit_ops broken_ops = {
	.size = sizeof(struct dma_iommu_unit_ops),
	.attach = attach,
	.detach = detach,
	.invalidate = invalidate,
	.wait = wait_for,
};

struct broken_unit broken_unit(struct dma_iommu_unit *real)
{
	return (struct broken_unit){ { &broken_ops }, real, NOTHING };
}
