/* SPDX-License-Identifier: BSD-2-Clause */
/* A unit that stands in front of another one. */
#include "proxy.h"

static struct proxy *proxy_of(struct dma_iommu_unit *unit)
{
	return (struct proxy *)(void *)unit;
}

static void note(struct proxy *p, char what)
{
	const char s[] = { what, p->mark };

	if (p->log)
		put_text(p->log, s, 2);
}

static int proxy_attach(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int domain_id,
			phys_addr_t root, unsigned int levels)
{
	struct proxy *p = proxy_of(unit);
	int err;

	if (p->refuses || p->refuse_next) {
		p->refuse_next -= p->refuse_next != 0;
		return -DMAMAP_EIO;
	}
	err = p->real->ops->attach(p->real, dev, domain_id, root, levels);
	p->attached += !err;
	return err;
}

static void proxy_detach(struct dma_iommu_unit *unit, struct dma_device *dev)
{
	struct proxy *p = proxy_of(unit);

	p->real->ops->detach(p->real, dev);
	p->attached--;
	p->detaches++;
}

static void proxy_invalidate(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
			     uint64_t len, bool leaf_only)
{
	struct proxy *p = proxy_of(unit);

	note(p, 'i');
	if (!p->lame)
		p->real->ops->invalidate(p->real, domain_id, iova, len, leaf_only);
}

static void proxy_wait(struct dma_iommu_unit *unit)
{
	note(proxy_of(unit), 'w');
	proxy_of(unit)->real->ops->wait(proxy_of(unit)->real);
}

static void proxy_invalidate_device_tlb(struct dma_iommu_unit *unit, unsigned int domain_id,
					dma_addr_t iova, uint64_t len)
{
	(void)domain_id;
	(void)iova;
	(void)len;
	note(proxy_of(unit), 'd');
}

static void proxy_get_caps(struct dma_iommu_unit *unit, struct dma_device *dev,
			   struct dma_unit_caps *caps)
{
	(void)dev;
	*caps = proxy_of(unit)->caps;
}

static bool proxy_reserved(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int index,
			   struct dma_reserved_region *region)
{
	(void)dev;
	if (index >= proxy_of(unit)->nr_regions)
		return false;
	*region = proxy_of(unit)->regions[index];
	return true;
}

const struct dma_iommu_unit_ops proxy_ops = {
	.size = sizeof(struct dma_iommu_unit_ops),
	.attach = proxy_attach,
	.detach = proxy_detach,
	.invalidate = proxy_invalidate,
	.wait = proxy_wait,
	.get_caps = proxy_get_caps,
	.reserved = proxy_reserved,
};

const struct dma_iommu_unit_ops proxy_ats_ops = {
	.size = sizeof(struct dma_iommu_unit_ops),
	.attach = proxy_attach,
	.detach = proxy_detach,
	.invalidate = proxy_invalidate,
	.wait = proxy_wait,
	.invalidate_device_tlb = proxy_invalidate_device_tlb,
	.get_caps = proxy_get_caps,
	.reserved = proxy_reserved,
};
