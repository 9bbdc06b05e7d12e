/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all formats of the page-table backend share: making one, checking what is to be mapped, and handing on to the
 * IOMMU unit.
 */
#include "table.h"

static const struct pt_format *const formats[] = {
	&dmamap_pt_vtd_ss,     &dmamap_pt_vtd_fs,      &dmamap_pt_amd_v1,
	&dmamap_pt_lpae_s1_4k, &dmamap_pt_lpae_s1_16k, &dmamap_pt_lpae_s1_64k,
	&dmamap_pt_lpae_s2_4k, &dmamap_pt_lpae_s2_16k, &dmamap_pt_lpae_s2_64k,
	&dmamap_pt_riscv,
};

static const struct pt_format *find_format(enum dma_pt_format format, unsigned int granule_bits)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i]->format == format && formats[i]->granule_bits == granule_bits)
			return formats[i];
	return NULL;
}

/** What follows from a configuration. */
struct shape {
	const struct pt_format *format;
	unsigned int levels;
	unsigned int input_bits; /* of the aperture */
	uint32_t root_entries;	 /* if concatenated */
};

/** LPAE: as many levels as the input needs, one less where a few tables can be the root. */
static int shape_by_input(const struct dma_pt_config *config, struct shape *shape)
{
	const struct pt_format *fmt = shape->format;
	unsigned int bits, root_bits;

	if (config->input_bits < 32 || config->input_bits > 48)
		return -DMAMAP_EINVAL;
	bits = config->input_bits - fmt->granule_bits;
	shape->input_bits = config->input_bits;
	shape->levels = (bits + fmt->index_bits - 1) / fmt->index_bits;
	root_bits = bits - fmt->index_bits * (shape->levels - 1);
	shape->root_entries = 1u << fmt->index_bits;
	if (fmt->concatenated && root_bits <= 4) {
		shape->levels--;
		shape->root_entries <<= root_bits;
	}
	return config->levels && config->levels != shape->levels ? -DMAMAP_EOPNOTSUPP : 0;
}

static int shape_by_levels(const struct dma_pt_config *config, struct shape *shape)
{
	const struct pt_format *fmt = shape->format;

	if (config->levels < fmt->min_levels || config->levels > fmt->max_levels)
		return -DMAMAP_EOPNOTSUPP;
	shape->levels = config->levels;
	shape->input_bits = (unsigned int)min_u64(pt_shift(fmt, config->levels), 64);
	if (fmt->lower_half)
		shape->input_bits--;
	return config->input_bits ? -DMAMAP_EINVAL : 0;
}

static int check_config(const struct dma_pt_config *config, struct shape *shape)
{
	const struct pt_format *fmt;
	uint64_t sizes;
	int err;

	if (config->size != sizeof(*config))
		return -DMAMAP_EINVAL;
	fmt = find_format(config->format, config->granule_bits ? config->granule_bits : 12);
	if (!fmt)
		return -DMAMAP_EOPNOTSUPP;
	shape->format = fmt;
	err = fmt->by_input_bits ? shape_by_input(config, shape) : shape_by_levels(config, shape);
	if (err)
		return err;
	sizes = config->page_sizes & ~((uint64_t)1 << fmt->granule_bits);
	if (config->output_bits < 32 || config->output_bits > fmt->max_output_bits ||
	    sizes & ~fmt->page_sizes || (config->force_coherent && !fmt->force_coherent) ||
	    (config->memory_types && !fmt->memory_types) ||
	    (config->track_dirty && !(fmt->track_dirty && config->coherent_walk)))
		return -DMAMAP_EINVAL;
	return 0;
}

/** All ones, below the last page of 64 bits: no address looks like DMA_MAPPING_ERROR. */
static uint64_t last_address(unsigned int bits)
{
	return bits < 64 ? pt_mask(bits) : ~(uint64_t)0 - 4096;
}

static void init_backend(struct pt_backend *pt, struct dma_host *host,
			 const struct dma_pt_config *config, const struct shape *shape)
{
	const struct pt_format *fmt = shape->format;

	pt->host = host;
	pt->format = fmt;
	dmamap_units_init(&pt->units, host, config);
	pt->levels = shape->levels;
	pt->root_entries = shape->root_entries;
	pt->table_bytes = round_up((uint64_t)1 << fmt->granule_bits, host->page_size);
	pt->root_bytes = pt->table_bytes;
	if (shape->root_entries * sizeof(uint64_t) > pt->root_bytes)
		pt->root_bytes = shape->root_entries * sizeof(uint64_t);
	pt->force_coherent = config->force_coherent;
	pt->memory_types = config->memory_types;
	pt->last_iova = last_address(shape->input_bits);
	pt->last_phys = DMA_BIT_MASK(config->output_bits);
	pt->backend.ops = fmt->ops;
	pt->backend.caps = (struct dma_backend_caps){
		.page_sizes = config->page_sizes & pt->last_iova,
		.aperture_end = pt->last_iova,
		.hole_start = fmt->hole_first,
		.hole_end = fmt->hole_last,
		.hole_is_target = fmt->hole_is_target,
		.output_bits = config->output_bits,
		.may_unmap_part = true,
		.coherent_walk = config->coherent_walk,
		.write_only = fmt->write_only,
		.track_dirty = config->track_dirty,
		.leaf_phys_shift = fmt->address_shift,
	};
	/* The granule fits, although the last page of 64 bits is not in the aperture. */
	pt->backend.caps.page_sizes |= (uint64_t)1 << fmt->granule_bits;
}

int dmamap_pt_backend_create(struct dma_host *host, const struct dma_pt_config *config,
			     struct dma_backend **backend)
{
	struct shape shape = { 0 };
	struct pt_backend *pt;
	int err;

	if (!host || !config || !backend)
		return -DMAMAP_EINVAL;
	err = check_config(config, &shape);
	if (err)
		return err;
	pt = dmamap_heap_alloc(host, sizeof(*pt), DMAMAP_GFP_KERNEL);
	if (!pt)
		return -DMAMAP_ENOMEM;
	init_backend(pt, host, config, &shape);
	if (!dmamap_pt_make_root(pt)) {
		pt->units.first.unit = NULL; /* never heard of it */
		dmamap_pt_destroy(&pt->backend);
		return -DMAMAP_ENOMEM;
	}
	*backend = &pt->backend;
	return 0;
}

void dmamap_pt_destroy(struct dma_backend *backend)
{
	struct pt_backend *pt = pt_of(backend);

	dmamap_pt_free_tables(pt);
	dmamap_units_fini(&pt->units);
	dmamap_heap_free(pt->host, pt, sizeof(*pt));
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
	return dmamap_units_mapped(&pt->units, iova, len);
}

/* --- the unit */

void dmamap_pt_invalidate(struct dma_backend *backend, dma_addr_t iova, uint64_t len,
			  bool leaf_only)
{
	dmamap_units_invalidate(&pt_of(backend)->units, iova, len, leaf_only);
}

void dmamap_pt_wait(struct dma_backend *backend)
{
	dmamap_units_wait(&pt_of(backend)->units);
}

int dmamap_pt_attach(struct dma_backend *backend, struct dma_device *dev)
{
	struct pt_backend *pt = pt_of(backend);

	return dmamap_units_attach(&pt->units, dev, pt->root->phys, pt->levels);
}

void dmamap_pt_detach(struct dma_backend *backend, struct dma_device *dev)
{
	dmamap_units_detach(&pt_of(backend)->units, dev);
}

struct dma_iommu_unit *dmamap_pt_unit_of(struct dma_backend *backend, const struct dma_device *dev)
{
	return dmamap_units_of(&pt_of(backend)->units, dev);
}

int dmamap_pt_narrow(struct dma_backend *backend, const struct dma_backend_caps *caps)
{
	struct pt_backend *pt = pt_of(backend);
	uint64_t last_phys = DMA_BIT_MASK(caps->output_bits);

	if (!dmamap_pt_tables_below(pt, last_phys))
		return -DMAMAP_ERANGE;
	pt->last_phys = last_phys;
	backend->caps.output_bits = caps->output_bits;
	backend->caps.page_sizes = caps->page_sizes;
	backend->caps.aperture_end = caps->aperture_end;
	return 0;
}

uint64_t dmamap_pt_table_bytes(struct dma_backend *backend)
{
	return __atomic_load_n(&pt_of(backend)->bytes, __ATOMIC_RELAXED);
}
