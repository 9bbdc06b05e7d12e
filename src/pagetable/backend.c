/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all formats of the page-table backend share: making one, checking what is to be mapped, and handing on to the
 * IOMMU unit.
 */
#include "table.h"

static const struct pt_format_desc *const formats[] = {
	&dmamap_pt_vtd_second_stage,
};

static const struct pt_format_desc *find_format(enum dma_pt_format format)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i]->format == format)
			return formats[i];
	return NULL;
}

static int check_config(const struct dma_pt_config *config, const struct pt_format_desc **desc)
{
	if (config->size != sizeof(*config) || config->output_bits < 32 || config->output_bits > 52)
		return -DMAMAP_EINVAL;
	if ((config->granule_bits && config->granule_bits != PT_PAGE_SHIFT) || config->track_dirty)
		return -DMAMAP_EOPNOTSUPP;
	*desc = find_format(config->format);
	if (!*desc || config->levels < (*desc)->min_levels || config->levels > (*desc)->max_levels)
		return -DMAMAP_EOPNOTSUPP;
	return config->page_sizes & ~(*desc)->page_sizes ? -DMAMAP_EINVAL : 0;
}

static void init_backend(struct pt_backend *pt, struct dma_host *host,
			 const struct dma_pt_config *config, const struct pt_format_desc *desc)
{
	pt->host = host;
	pt->desc = desc;
	pt->unit = config->unit;
	pt->domain_id = config->domain_id;
	pt->levels = config->levels;
	pt->force_coherent = config->force_coherent;
	pt->last_iova = DMA_BIT_MASK(pt_shift(config->levels));
	pt->last_phys = DMA_BIT_MASK(config->output_bits);
	pt->backend.ops = desc->ops;
	pt->backend.caps = (struct dma_backend_caps){
		.page_sizes = config->page_sizes | PT_PAGE,
		.aperture_end = pt->last_iova,
		.hole_start = desc->hole_first,
		.hole_end = desc->hole_last,
		.output_bits = config->output_bits,
		.may_unmap_part = true,
		.coherent_walk = config->coherent_walk,
		.write_only = true,
	};
	dmamap_slab_init(&pt->tables, host, sizeof(struct pt_table));
}

int dmamap_pt_backend_create(struct dma_host *host, const struct dma_pt_config *config,
			     struct dma_backend **backend)
{
	const struct pt_format_desc *desc;
	struct pt_backend *pt;
	int err;

	if (!host || !config || !backend)
		return -DMAMAP_EINVAL;
	err = check_config(config, &desc);
	if (err)
		return err;
	pt = dmamap_pages_alloc(host, sizeof(*pt), ~(phys_addr_t)0, DMAMAP_GFP_KERNEL, NULL);
	if (!pt)
		return -DMAMAP_ENOMEM;
	init_backend(pt, host, config, desc);
	if (!dmamap_pt_make_root(pt)) {
		pt->unit = NULL; /* never heard of it */
		dmamap_pt_destroy(&pt->backend);
		return -DMAMAP_ENOMEM;
	}
	*backend = &pt->backend;
	return 0;
}

void dmamap_pt_destroy(struct dma_backend *backend)
{
	struct pt_backend *pt = pt_of(backend);
	struct dma_iommu_unit *unit = pt->unit;
	unsigned int domain_id = pt->domain_id;

	dmamap_pt_free_tables(pt);
	dmamap_pages_free(pt->host, pt, sizeof(*pt));
	if (unit && unit->ops->domain_gone)
		unit->ops->domain_gone(unit, domain_id);
}

static int check_piece(const struct pt_backend *pt, const struct dma_vec *v)
{
	if (!v->len || (v->phys | v->len) % PT_PAGE)
		return -DMAMAP_EINVAL;
	if (v->phys > pt->last_phys || v->len - 1 > pt->last_phys - v->phys)
		return -DMAMAP_ERANGE;
	if (v->phys <= pt->desc->hole_last && v->phys + v->len - 1 >= pt->desc->hole_first)
		return -DMAMAP_ERANGE;
	return 0;
}

int dmamap_pt_check_map(const struct pt_backend *pt, dma_addr_t iova, const struct dma_vec *vec,
			size_t n, unsigned int prot)
{
	uint64_t room = pt->last_iova - iova + 1;

	if (!(prot & (DMA_PROT_READ | DMA_PROT_WRITE)) || iova % PT_PAGE || !n)
		return -DMAMAP_EINVAL;
	if (iova > pt->last_iova)
		return -DMAMAP_ERANGE;
	for (size_t i = 0; i < n; i++) {
		int err = check_piece(pt, &vec[i]);

		if (err)
			return err;
		if (vec[i].len > room)
			return -DMAMAP_ERANGE;
		room -= vec[i].len;
	}
	return 0;
}

void dmamap_pt_undo_done(struct pt_backend *pt, bool entered)
{
	struct dma_freed freed = { 0 };

	dmamap_pt_flush(pt);
	dmamap_pt_prune(&pt->backend, &freed);
	if (!entered && !freed.tables)
		return;
	/* The empty tables may be anywhere: all of it. */
	dmamap_pt_invalidate(&pt->backend, 0, ~(uint64_t)0, false);
	dmamap_pt_wait(&pt->backend);
	dmamap_pt_release(&pt->backend, &freed);
}

int dmamap_pt_sync_map(struct dma_backend *backend, dma_addr_t iova, uint64_t len)
{
	struct pt_backend *pt = pt_of(backend);

	dmamap_pt_flush(pt);
	if (pt->host->write_barrier)
		pt->host->write_barrier(pt->host);
	else
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (pt->unit && pt->unit->ops->mapped)
		return pt->unit->ops->mapped(pt->unit, pt->domain_id, iova, len);
	return 0;
}

/* --- the unit */

void dmamap_pt_invalidate(struct dma_backend *backend, dma_addr_t iova, uint64_t len,
			  bool leaf_only)
{
	struct pt_backend *pt = pt_of(backend);

	if (pt->unit && pt->unit->ops->invalidate)
		pt->unit->ops->invalidate(pt->unit, pt->domain_id, iova, len, leaf_only);
}

void dmamap_pt_wait(struct dma_backend *backend)
{
	struct pt_backend *pt = pt_of(backend);

	if (pt->unit && pt->unit->ops->wait)
		pt->unit->ops->wait(pt->unit);
}

int dmamap_pt_attach(struct dma_backend *backend, struct dma_device *dev)
{
	struct pt_backend *pt = pt_of(backend);

	if (!pt->unit || !pt->unit->ops->attach)
		return 0;
	return pt->unit->ops->attach(pt->unit, dev, pt->domain_id, pt->root->phys, pt->levels);
}

void dmamap_pt_detach(struct dma_backend *backend, struct dma_device *dev)
{
	struct pt_backend *pt = pt_of(backend);

	if (pt->unit && pt->unit->ops->detach)
		pt->unit->ops->detach(pt->unit, dev);
}

uint64_t dmamap_pt_table_bytes(struct dma_backend *backend)
{
	return __atomic_load_n(&pt_of(backend)->bytes, __ATOMIC_RELAXED);
}
