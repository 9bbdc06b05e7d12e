/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The events of the groups dma, iommu and swiotlb: which fields each has in the dialects of Linux 6.12 and later, and
 * what must hold between fields that are valid each by itself. A refusal that this library printed may end with its
 * route and reason, whatever the event.
 */
#include "internal.h"

#define REFUSAL (DMT_F_ROUTE | DMT_F_REASON)
#define SINGLE	(DMT_F_DMA_ADDR | DMT_F_SIZE)
#define ALLOCED (SINGLE | DMT_F_VIRT | DMT_F_FLAGS | DMT_F_ATTRS)
#define FREED	(SINGLE | DMT_F_VIRT | DMT_F_ATTRS)
#define MAPPED	(DMT_F_DIR | SINGLE | DMT_F_PHYS_ADDR | DMT_F_ATTRS)
#define SG_SYNC (DMT_F_DIR | DMT_F_DMA_ADDRS | DMT_F_SIZES)

/* Need these fields; may also have those. */
#define DMA(name, need, may)                                                        \
	{                                                                           \
		name, sizeof(name) - 1, DMT_SHAPE_DMA, false, need, (may) | REFUSAL \
	}
/* The same for the allocation family, where the direction came late. */
#define ALLOC(name, need)                                                              \
	{                                                                              \
		name, sizeof(name) - 1, DMT_SHAPE_DMA, true, need, DMT_F_DIR | REFUSAL \
	}
#define IOMMU(name, need)                                                     \
	{                                                                     \
		name, sizeof(name) - 1, DMT_SHAPE_IOMMU, false, need, REFUSAL \
	}

static const struct dmt_form forms[DMT_TYPE_COUNT] = {
	[DMT_MAP_PHYS] = DMA("dma_map_phys", MAPPED, 0),
	[DMT_MAP_PAGE] = DMA("dma_map_page", MAPPED, 0),
	[DMT_MAP_RESOURCE] = DMA("dma_map_resource", MAPPED, 0),
	[DMT_UNMAP_PHYS] = DMA("dma_unmap_phys", DMT_F_DIR | SINGLE | DMT_F_ATTRS, 0),
	[DMT_UNMAP_PAGE] = DMA("dma_unmap_page", DMT_F_DIR | SINGLE | DMT_F_ATTRS, 0),
	[DMT_UNMAP_RESOURCE] = DMA("dma_unmap_resource", DMT_F_DIR | SINGLE | DMT_F_ATTRS, 0),
	[DMT_ALLOC] = ALLOC("dma_alloc", ALLOCED),
	[DMT_ALLOC_PAGES] = ALLOC("dma_alloc_pages", ALLOCED),
	[DMT_ALLOC_SGT] =
		ALLOC("dma_alloc_sgt", SINGLE | DMT_F_PHYS_ADDRS | DMT_F_FLAGS | DMT_F_ATTRS),
	[DMT_ALLOC_SGT_ERR] = ALLOC("dma_alloc_sgt_err", ALLOCED),
	[DMT_FREE] = ALLOC("dma_free", FREED),
	[DMT_FREE_PAGES] = ALLOC("dma_free_pages", FREED),
	[DMT_FREE_SGT] = ALLOC("dma_free_sgt", SINGLE | DMT_F_PHYS_ADDRS),
	[DMT_MAP_SG] = DMA("dma_map_sg", SG_SYNC | DMT_F_PHYS_ADDRS | DMT_F_ATTRS,
			   DMT_F_NENTS | DMT_F_ENTS | DMT_F_TRUNCATED),
	[DMT_MAP_SG_ERR] =
		DMA("dma_map_sg_err", DMT_F_DIR | DMT_F_DMA_ADDRS | DMT_F_ERR | DMT_F_ATTRS, 0),
	[DMT_UNMAP_SG] = DMA("dma_unmap_sg", DMT_F_DIR | DMT_F_PHYS_ADDRS | DMT_F_ATTRS, 0),
	[DMT_SYNC_SINGLE_FOR_CPU] = DMA("dma_sync_single_for_cpu", DMT_F_DIR | SINGLE, 0),
	[DMT_SYNC_SINGLE_FOR_DEVICE] = DMA("dma_sync_single_for_device", DMT_F_DIR | SINGLE, 0),
	[DMT_SYNC_SG_FOR_CPU] = DMA("dma_sync_sg_for_cpu", SG_SYNC, 0),
	[DMT_SYNC_SG_FOR_DEVICE] = DMA("dma_sync_sg_for_device", SG_SYNC, 0),
	[DMT_BOUNCED] = { "swiotlb_bounced", 15, DMT_SHAPE_BOUNCED, false,
			  DMT_F_DMA_MASK | DMT_F_DEV_ADDR | DMT_F_SIZE | DMT_F_FORCE, REFUSAL },
	[DMT_IOMMU_MAP] = IOMMU("map", DMT_F_IOVA | DMT_F_PADDR | DMT_F_SIZE),
	[DMT_IOMMU_UNMAP] = IOMMU("unmap", DMT_F_IOVA | DMT_F_SIZE | DMT_F_UNMAPPED),
	[DMT_IOMMU_FAULT] = { "io_page_fault", 13, DMT_SHAPE_FAULT, false, DMT_F_IOVA | DMT_F_FLAGS,
			      REFUSAL },
	[DMT_IOMMU_ADD_DEVICE] = IOMMU("add_device_to_group", DMT_F_GROUP | DMT_F_DEVICE),
	[DMT_IOMMU_REMOVE_DEVICE] = IOMMU("remove_device_from_group", DMT_F_GROUP | DMT_F_DEVICE),
	[DMT_IOMMU_ATTACH_DEVICE] = IOMMU("attach_device_to_domain", DMT_F_DEVICE),
	[DMT_IOMMU_DETACH_DEVICE] = IOMMU("detach_device_from_domain", DMT_F_DEVICE),
};

const struct dmt_form *dmt_find_form(struct dmt_slice name, enum dmt_type *type)
{
	for (int i = 0; i < DMT_TYPE_COUNT; i++) {
		if (forms[i].len == name.len && memcmp(forms[i].name, name.at, name.len) == 0) {
			*type = (enum dmt_type)i;
			return &forms[i];
		}
	}
	return NULL;
}

bool dmt_is_form_prefix(struct dmt_slice name)
{
	for (int i = 0; i < DMT_TYPE_COUNT; i++) {
		if (name.len <= forms[i].len && memcmp(forms[i].name, name.at, name.len) == 0)
			return true;
	}
	return false;
}

const char *dmt_form_group(const struct dmt_form *form)
{
	static const char *const groups[] = {
		[DMT_SHAPE_DMA] = "dma",
		[DMT_SHAPE_BOUNCED] = "swiotlb",
		[DMT_SHAPE_IOMMU] = "iommu",
		[DMT_SHAPE_FAULT] = "iommu",
	};

	return groups[form->shape];
}

const char *dmt_type_name(enum dmt_type type)
{
	return (unsigned int)type < DMT_TYPE_COUNT ? forms[type].name : "unknown";
}

/* The counts of a kernel that prints them: what is shown, and what there was. */
static const char *check_counts(struct dmt_parse *ps)
{
	struct dmt_event *ev = ps->event;
	bool cut;

	if (!(ps->seen & DMT_F_NENTS) != !(ps->seen & DMT_F_ENTS))
		return "nents and ents do not come together";
	if (!(ps->seen & DMT_F_NENTS)) {
		ev->nents = ps->phys.n;
		ev->ents = ps->dma.n;
		return ev->truncated ? "TRUNCATED without counts" : NULL;
	}
	if (ps->shown_nents != ps->phys.n || ps->shown_ents != ps->dma.n)
		return "the lists are not as long as the counts say";
	if (ps->shown_nents > ev->nents || ps->shown_ents > ev->ents)
		return "more entries are shown than there are";
	cut = ps->shown_nents < ev->nents || ps->shown_ents < ev->ents;
	return cut == ev->truncated ? NULL : "TRUNCATED and the counts contradict each other";
}

static const char *check_map_sg(struct dmt_parse *ps)
{
	const char *why = check_counts(ps);

	if (why)
		return why;
	if (ps->dma.n != ps->len.n)
		return "dma_addrs and sizes differ in length";
	if (ps->event->ents > ps->event->nents)
		return "more DMA entries than CPU entries";
	return NULL;
}

static const char *check_range(const struct dmt_event *ev)
{
	if (ev->iova_end != ev->iova_start + ev->size)
		return "the range is not as long as the size says";
	if (ev->iova_end && ev->iova_end < ev->iova_start)
		return "the range passes 2^64";
	return NULL;
}

static const char *check_lists(struct dmt_parse *ps)
{
	switch (ps->event->type) {
	case DMT_MAP_SG:
		return check_map_sg(ps);
	case DMT_SYNC_SG_FOR_CPU:
	case DMT_SYNC_SG_FOR_DEVICE:
		return ps->dma.n != ps->len.n ? "dma_addrs and sizes differ in length" : NULL;
	case DMT_IOMMU_MAP:
	case DMT_IOMMU_UNMAP:
		return check_range(ps->event);
	default:
		return NULL;
	}
}

static bool has_failed(const struct dmt_parse *ps)
{
	const struct dmt_event *ev = ps->event;

	switch (ev->type) {
	case DMT_MAP_PHYS:
	case DMT_MAP_PAGE:
	case DMT_MAP_RESOURCE:
	case DMT_ALLOC_SGT:
		return ev->dma_addr == DMA_MAPPING_ERROR;
	case DMT_ALLOC:
	case DMT_ALLOC_PAGES:
		return ev->dma_addr == DMA_MAPPING_ERROR || (ev->has_virt && !ev->virt);
	case DMT_ALLOC_SGT_ERR:
	case DMT_MAP_SG_ERR:
		return true;
	default:
		return false;
	}
}

const char *dmt_check_event(struct dmt_parse *ps)
{
	struct dmt_event *ev = ps->event;
	const char *why = check_lists(ps);

	if (why)
		return why;
	if (!ps->route.len != !ps->reason.len)
		return "route and reason do not come together";
	if (ps->odd_dir && !ps->reason.len)
		return "not a direction";
	if (ev->type == DMT_ALLOC || ev->type == DMT_FREE)
		ev->dir = DMA_BIDIRECTIONAL;
	ev->mmio = ev->type == DMT_MAP_RESOURCE || ev->type == DMT_UNMAP_RESOURCE ||
		   (ev->attrs & DMA_ATTR_MMIO);
	ev->failed = ps->reason.len || has_failed(ps);
	return NULL;
}
