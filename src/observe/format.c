/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events as text, in the words of Linux 6.18's trace events (docs/semantics.md, "Traces").
 *
 * Number style is the kernel's: scalars are hex without 0x, size= is decimal, arrays are {0x1,0x2}.
 */
#include <dmamap/fault.h>

#include "base/device.h"
#include "base/text.h"

/** The kernel's limit on the arrays of dma_map_sg. */
#define LINUX_LIST_CAP 128u

struct out {
	struct dmamap_text t;
	const struct dma_event *e;
	bool linux_dialect;
};

static const char *const names[] = {
	[DMA_EVENT_MAP_PHYS] = "dma_map_phys",
	[DMA_EVENT_UNMAP_PHYS] = "dma_unmap_phys",
	[DMA_EVENT_ALLOC] = "dma_alloc",
	[DMA_EVENT_FREE] = "dma_free",
	[DMA_EVENT_MAP_SG] = "dma_map_sg",
	[DMA_EVENT_MAP_SG_ERR] = "dma_map_sg_err",
	[DMA_EVENT_UNMAP_SG] = "dma_unmap_sg",
	[DMA_EVENT_SYNC_SINGLE_FOR_CPU] = "dma_sync_single_for_cpu",
	[DMA_EVENT_SYNC_SINGLE_FOR_DEVICE] = "dma_sync_single_for_device",
	[DMA_EVENT_SYNC_SG_FOR_CPU] = "dma_sync_sg_for_cpu",
	[DMA_EVENT_SYNC_SG_FOR_DEVICE] = "dma_sync_sg_for_device",
	[DMA_EVENT_SWIOTLB_BOUNCED] = "swiotlb_bounced",
	[DMA_EVENT_IOMMU_MAP] = "map",
	[DMA_EVENT_IOMMU_UNMAP] = "unmap",
	[DMA_EVENT_IOMMU_FAULT] = "io_page_fault",
	[DMA_EVENT_ALLOC_PAGES] = "dma_alloc_pages",
	[DMA_EVENT_ALLOC_SGT] = "dma_alloc_sgt",
	[DMA_EVENT_ALLOC_SGT_ERR] = "dma_alloc_sgt_err",
	[DMA_EVENT_FREE_PAGES] = "dma_free_pages",
	[DMA_EVENT_FREE_SGT] = "dma_free_sgt",
};

/** One word, whatever the owner called the device: traces are split at blanks. */
static void put_name(const struct out *o, const struct dma_device *dev)
{
	const char *name = dev ? dmamap_device_name(dev) : "";

	if (!*name)
		name = "unnamed";
	for (; *name; name++)
		o->t.put(o->t.ctx, *name > ' ' && *name < 0x7f ? name : "_", 1);
}

static void put_dir(const struct out *o)
{
	static const char *const dirs[] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE", "NONE" };

	dmamap_put_str(&o->t, " dir=");
	if ((unsigned int)o->e->dir < 4) {
		dmamap_put_str(&o->t, dirs[o->e->dir]);
		return;
	}
	dmamap_put_str(&o->t, "0x");
	dmamap_put_hex(&o->t, (unsigned int)o->e->dir);
}

/** Names joined with "|", then whatever is left as hex. */
static void put_flags(const struct out *o, const char *label, uint64_t v, const char *const *bits,
		      unsigned int n)
{
	const char *sep = "";

	dmamap_put_str(&o->t, label);
	for (unsigned int i = 0; i < n; i++) {
		if (!bits[i] || !(v >> i & 1))
			continue;
		dmamap_put_str(&o->t, sep);
		dmamap_put_str(&o->t, bits[i]);
		v &= ~((uint64_t)1 << i);
		sep = "|";
	}
	if (!v)
		return;
	dmamap_put_str(&o->t, sep);
	dmamap_put_str(&o->t, "0x");
	dmamap_put_hex(&o->t, v);
}

static void put_attrs(const struct out *o)
{
	static const char *const bits[] = {
		NULL,
		"WEAK_ORDERING",
		"WRITE_COMBINE",
		NULL,
		"NO_KERNEL_MAPPING",
		"SKIP_CPU_SYNC",
		"FORCE_CONTIGUOUS",
		"ALLOC_SINGLE_PAGES",
		"NO_WARN",
		"PRIVILEGED",
		"MMIO",
		"CACHE_CLEAN",
		"REQUIRE_COHERENT",
		"CC_SHARED",
	};

	put_flags(o, " attrs=", o->e->attrs, bits, sizeof(bits) / sizeof(bits[0]));
}

static void put_gfp(const struct out *o)
{
	static const char *const bits[] = { "__GFP_DMA",     "__GFP_HIGHMEM", "__GFP_DMA32",
					    "GFP_KERNEL",    "__GFP_ZERO",    "__GFP_NOWARN",
					    "__GFP_NORETRY", "__GFP_COMP",    "GFP_ATOMIC" };

	if (!o->e->gfp)
		dmamap_put_str(&o->t, " flags=none");
	else
		put_flags(o, " flags=", o->e->gfp, bits, sizeof(bits) / sizeof(bits[0]));
}

static void put_hex(const struct out *o, const char *label, uint64_t v)
{
	dmamap_put_str(&o->t, label);
	dmamap_put_hex(&o->t, v);
}

static void put_dec(const struct out *o, const char *label, uint64_t v)
{
	dmamap_put_str(&o->t, label);
	dmamap_put_dec(&o->t, v);
}

static uint64_t item_phys(const struct scatterlist *sg)
{
	return sg_phys(sg);
}

static uint64_t item_dma(const struct scatterlist *sg)
{
	return sg->dma_address;
}

static uint64_t item_dma_len(const struct scatterlist *sg)
{
	return sg->dma_length;
}

static uint64_t item_len(const struct scatterlist *sg)
{
	return sg->length;
}

static void put_list(const struct out *o, const char *label, unsigned int n,
		     uint64_t (*item)(const struct scatterlist *))
{
	const struct scatterlist *sg = o->e->sgl;
	const char *sep = "{0x";

	dmamap_put_str(&o->t, label);
	if (!n || !sg)
		dmamap_put_str(&o->t, "{");
	for (unsigned int i = 0; i < n && sg; i++) {
		dmamap_put_str(&o->t, sep);
		dmamap_put_hex(&o->t, item(sg));
		sep = ",0x";
		sg = sg_next((struct scatterlist *)(uintptr_t)sg);
	}
	dmamap_put_str(&o->t, "}");
}

static unsigned int capped(const struct out *o, unsigned int n)
{
	return o->linux_dialect && n > LINUX_LIST_CAP ? LINUX_LIST_CAP : n;
}

static void put_count(const struct out *o, const char *label, unsigned int n)
{
	put_dec(o, label, capped(o, n));
	put_dec(o, "/", n);
}

static void put_map_sg(const struct out *o)
{
	const struct dma_event *e = o->e;

	put_count(o, " nents=", e->nents);
	put_count(o, " ents=", e->ents);
	if (capped(o, e->nents) != e->nents || capped(o, e->ents) != e->ents)
		dmamap_put_str(&o->t, " [TRUNCATED]");
	put_list(o, " dma_addrs=", capped(o, e->ents), item_dma);
	put_list(o, " sizes=", capped(o, e->ents), item_dma_len);
	put_list(o, " phys_addrs=", capped(o, e->nents), item_phys);
	put_attrs(o);
}

/** Does the record name a CPU address? */
static bool has_virt(enum dma_event_type type)
{
	return type == DMA_EVENT_ALLOC || type == DMA_EVENT_FREE || type == DMA_EVENT_ALLOC_PAGES ||
	       type == DMA_EVENT_FREE_PAGES || type == DMA_EVENT_ALLOC_SGT_ERR;
}

static bool has_flags(enum dma_event_type type)
{
	return type == DMA_EVENT_ALLOC || type == DMA_EVENT_ALLOC_PAGES ||
	       type == DMA_EVENT_ALLOC_SGT || type == DMA_EVENT_ALLOC_SGT_ERR;
}

static bool has_attrs(enum dma_event_type type)
{
	return type != DMA_EVENT_SYNC_SINGLE_FOR_CPU && type != DMA_EVENT_SYNC_SINGLE_FOR_DEVICE &&
	       type != DMA_EVENT_FREE_SGT;
}

static void put_single(const struct out *o)
{
	const struct dma_event *e = o->e;

	put_hex(o, " dma_addr=", e->dma_addr);
	put_dec(o, " size=", e->size);
	if (e->type == DMA_EVENT_MAP_PHYS)
		put_hex(o, " phys_addr=", e->phys);
	if (e->type == DMA_EVENT_ALLOC_SGT || e->type == DMA_EVENT_FREE_SGT)
		put_list(o, " phys_addrs=", e->nents, item_phys);
	if (has_virt(e->type)) {
		dmamap_put_str(&o->t, " virt_addr=");
		dmamap_put_hex(&o->t, (uint64_t)(uintptr_t)e->cpu_addr);
	}
	if (has_flags(e->type))
		put_gfp(o);
	if (has_attrs(e->type))
		put_attrs(o);
}

static void put_sg_err(const struct out *o)
{
	/* The kernel's label lies: these are physical addresses. */
	put_list(o, " dma_addrs=", o->e->nents, item_phys);
	dmamap_put_str(&o->t, " err=");
	dmamap_put_signed(&o->t, o->e->err);
	put_attrs(o);
}

static void put_dma_event(const struct out *o)
{
	put_name(o, o->e->dev);
	put_dir(o);
	switch (o->e->type) {
	case DMA_EVENT_MAP_SG:
		put_map_sg(o);
		break;
	case DMA_EVENT_MAP_SG_ERR:
		put_sg_err(o);
		break;
	case DMA_EVENT_UNMAP_SG:
		put_list(o, " phys_addrs=", o->e->nents, item_phys);
		put_attrs(o);
		break;
	case DMA_EVENT_SYNC_SG_FOR_CPU:
	case DMA_EVENT_SYNC_SG_FOR_DEVICE:
		put_list(o, " dma_addrs=", o->e->nents, item_dma);
		put_list(o, " sizes=", o->e->nents, item_len);
		break;
	default:
		put_single(o);
	}
}

static void put_bounced(const struct out *o)
{
	dmamap_put_str(&o->t, "dev_name: ");
	put_name(o, o->e->dev);
	put_hex(o, " dma_mask=", o->e->mask);
	put_hex(o, " dev_addr=", o->e->phys);
	put_dec(o, " size=", o->e->size);
	dmamap_put_str(&o->t, o->e->forced ? " FORCE" : " NORMAL");
}

static void put_iommu(const struct out *o)
{
	const struct dma_event *e = o->e;

	dmamap_put_str(&o->t, "IOMMU: iova=");
	dmamap_put_hex_wide(&o->t, e->dma_addr);
	dmamap_put_str(&o->t, " - ");
	dmamap_put_hex_wide(&o->t, e->dma_addr + e->size);
	if (e->type == DMA_EVENT_IOMMU_MAP) {
		dmamap_put_str(&o->t, " paddr=");
		dmamap_put_hex_wide(&o->t, e->phys);
	}
	put_dec(o, " size=", e->size);
	if (e->type == DMA_EVENT_IOMMU_UNMAP)
		put_dec(o, " unmapped_size=", e->unmapped);
}

static void put_fault(const struct out *o)
{
	const struct dma_fault *f = o->e->fault;

	dmamap_put_str(&o->t, "IOMMU:dmamap ");
	put_name(o, o->e->dev);
	dmamap_put_str(&o->t, " iova=");
	dmamap_put_hex_wide(&o->t, o->e->dma_addr);
	dmamap_put_str(&o->t, f && f->access == DMA_FAULT_WRITE ? " flags=0x1" : " flags=0x0");
	if (!f || o->linux_dialect)
		return;
	dmamap_put_str(&o->t, " reason=");
	dmamap_put_str(&o->t, dmamap_fault_reason_name(f->reason));
}

bool dmamap_event_format(const struct dma_event *event, enum dma_dialect dialect, dma_put_fn put,
			 void *ctx)
{
	const struct out o = { { put, ctx }, event, dialect == DMA_DIALECT_LINUX };

	if ((unsigned int)event->type >= sizeof(names) / sizeof(names[0])) /* LINK, UNLINK */
		return false;
	if (o.linux_dialect && event->kernel_silent)
		return false;
	dmamap_put_str(&o.t, names[event->type]);
	dmamap_put_str(&o.t, ": ");
	if (event->type == DMA_EVENT_SWIOTLB_BOUNCED)
		put_bounced(&o);
	else if (event->type == DMA_EVENT_IOMMU_MAP || event->type == DMA_EVENT_IOMMU_UNMAP)
		put_iommu(&o);
	else if (event->type == DMA_EVENT_IOMMU_FAULT)
		put_fault(&o);
	else
		put_dma_event(&o);
	if (event->reason != DMA_REASON_NONE && !o.linux_dialect) {
		dmamap_put_str(&o.t, " route=");
		dmamap_put_str(&o.t, dmamap_route_name(event->route));
		dmamap_put_str(&o.t, " reason=");
		dmamap_put_str(&o.t, dmamap_reason_name(event->reason));
	}
	return true;
}
