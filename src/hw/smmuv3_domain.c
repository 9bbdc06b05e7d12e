/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains of the SMMU: stage-1 tables with an ASID each, and what their backend asks of the unit.
 *
 * Ranges are invalidated page by page, or, with range invalidation (IHI 0070, 4.4), in pieces of (NUM + 1) x 2^SCALE
 * pages that hold exactly the range; more than a few pieces are dearer than the whole ASID. A piece of one page names no
 * granule, as without range invalidation: with NUM, SCALE and TTL all 0 that is reserved (4.4.1).
 */
#include "smmuv3.h"

/** Commands for one range, at the most. */
#define MOST_COMMANDS 32u
#define MOST_NUM      32u
#define MOST_SCALE    31u

/* --- invalidation; the lock is held */

static void drop_asid(struct dma_smmuv3 *s, unsigned int asid)
{
	dmamap_smmu_command(s, SMMU_CMD_TLBI_NH_ASID | SMMU_CMD_ASID(asid), 0);
}

static void drop_pages(struct dma_smmuv3 *s, unsigned int asid, dma_addr_t iova, uint64_t pages,
		       uint64_t leaf)
{
	for (uint64_t i = 0; i < pages; i++)
		dmamap_smmu_command(s, SMMU_CMD_TLBI_NH_VA | SMMU_CMD_ASID(asid),
				    (iova + (i << s->info.granule_bits)) | leaf);
}

/** The next piece of @pages: its scale, and how many times 2^scale pages. */
static uint64_t next_piece(uint64_t pages, unsigned int *scale)
{
	*scale = (unsigned int)min_u64(low_bit(pages), MOST_SCALE);
	return min_u64(pages >> *scale & (MOST_NUM - 1) ? pages >> *scale & (MOST_NUM - 1)
							: MOST_NUM,
		       pages >> *scale);
}

static unsigned int count_pieces(uint64_t pages)
{
	unsigned int n = 0;
	unsigned int scale;

	while (pages && n <= MOST_COMMANDS) {
		uint64_t num = next_piece(pages, &scale);

		pages -= num << scale;
		n++;
	}
	return n;
}

static void drop_ranges(struct dma_smmuv3 *s, unsigned int asid, dma_addr_t iova, uint64_t pages,
			uint64_t leaf)
{
	uint64_t tg = SMMU_CMD_TG((s->info.granule_bits - 10) / 2);

	while (pages) {
		unsigned int scale;
		uint64_t num = next_piece(pages, &scale);

		dmamap_smmu_command(s,
				    SMMU_CMD_TLBI_NH_VA | SMMU_CMD_ASID(asid) |
					    SMMU_CMD_NUM(num - 1) | SMMU_CMD_SCALE(scale),
				    iova | (num << scale == 1 ? 0 : tg) | leaf);
		iova += num << (scale + s->info.granule_bits);
		pages -= num << scale;
	}
}

static void unit_invalidate(struct dma_iommu_unit *unit, unsigned int asid, dma_addr_t iova,
			    uint64_t len, bool leaf_only)
{
	struct dma_smmuv3 *s = smmu_of(unit);
	uint64_t granule = (uint64_t)1 << s->info.granule_bits;
	dma_addr_t first = round_down(iova, granule);
	uint64_t pages = ((iova + (len - 1) - first) >> s->info.granule_bits) + 1;
	uint64_t leaf = leaf_only ? SMMU_CMD_LEAF : 0;

	if (!len)
		return;
	dmamap_lock(s->host, &s->lock);
	if (range_wraps(iova, len) ||
	    (s->info.range_invalidation ? count_pieces(pages) : pages) > MOST_COMMANDS)
		drop_asid(s, asid);
	else if (s->info.range_invalidation)
		drop_ranges(s, asid, first, pages, leaf);
	else
		drop_pages(s, asid, first, pages, leaf);
	dmamap_unlock(s->host, &s->lock);
}

static void unit_wait(struct dma_iommu_unit *unit)
{
	dmamap_smmu_sync(smmu_of(unit));
}

static int unit_mapped(struct dma_iommu_unit *unit, unsigned int asid, dma_addr_t iova,
		       uint64_t len)
{
	(void)asid;
	(void)iova;
	(void)len;
	return __atomic_load_n(&smmu_of(unit)->info.broken, __ATOMIC_RELAXED) ? -DMAMAP_EIO : 0;
}

/* --- devices */

static bool prepare_streams(struct dma_smmuv3 *s, const struct hw_attached *a)
{
	for (unsigned int i = 0; i < a->n; i++)
		if (!dmamap_smmu_stream_prepare(s, a->ids[i]))
			return false;
	return true;
}

/** The lock is held. */
static void detach(struct dma_smmuv3 *s, struct dma_device *dev)
{
	struct hw_attached *a = dmamap_hw_attached_find(&s->attached, dev);

	if (!a)
		return;
	for (unsigned int i = 0; i < a->n; i++)
		if (!dmamap_hw_attached_shared(&s->attached, a, a->ids[i]))
			dmamap_smmu_stream_detach(s, a->ids[i]);
	dmamap_hw_attached_remove(&s->attached, a);
}

/** The lock is held. */
static int attach(struct dma_smmuv3 *s, struct dma_device *dev, unsigned int asid, phys_addr_t root)
{
	bool first = !dmamap_hw_attached_any(&s->attached, asid);
	struct hw_attached *a;
	int err;

	if (s->info.broken)
		return -DMAMAP_EIO;
	err = dmamap_hw_attached_add(&s->attached, dev, asid, &a);
	if (err)
		return err;
	if (!prepare_streams(s, a)) {
		dmamap_hw_attached_remove(&s->attached, a);
		return -DMAMAP_ENOMEM;
	}
	if (first)
		dmamap_smmu_context_write(s, asid, root);
	for (unsigned int i = 0; i < a->n; i++)
		if (!dmamap_hw_attached_shared(&s->attached, a, a->ids[i]))
			dmamap_smmu_stream_translate(s, a->ids[i], asid);
	if (!s->info.broken)
		return 0;
	detach(s, dev);
	return -DMAMAP_EIO;
}

/** Levels of a table for so many bits of an I/O address. */
static unsigned int levels_of(const struct dma_smmuv3_info *info)
{
	unsigned int index_bits = info->granule_bits - 3;

	return (info->input_bits - info->granule_bits + index_bits - 1) / index_bits;
}

static int unit_attach(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int asid,
		       phys_addr_t root, unsigned int levels)
{
	struct dma_smmuv3 *s = smmu_of(unit);
	int err;

	/* the walk begins at a level that follows from the width: another unit's table may have another */
	if (levels != levels_of(&s->info))
		return -DMAMAP_EOPNOTSUPP;
	dmamap_lock(s->host, &s->lock);
	err = attach(s, dev, asid, root);
	dmamap_unlock(s->host, &s->lock);
	return err;
}

static void unit_detach(struct dma_iommu_unit *unit, struct dma_device *dev)
{
	struct dma_smmuv3 *s = smmu_of(unit);

	dmamap_lock(s->host, &s->lock);
	detach(s, dev);
	dmamap_unlock(s->host, &s->lock);
}

/* --- life */

static void unit_domain_gone(struct dma_iommu_unit *unit, unsigned int asid)
{
	struct dma_smmuv3 *s = smmu_of(unit);

	dmamap_lock(s->host, &s->lock);
	drop_asid(s, asid);
	dmamap_smmu_sync_locked(s);
	dmamap_smmu_asid_give(s, asid);
	s->live--;
	dmamap_unlock(s->host, &s->lock);
}

/** Blocks of a granule. */
static uint64_t block_sizes(unsigned int granule_bits)
{
	switch (granule_bits) {
	case 12:
		return (uint64_t)1 << 21 | (uint64_t)1 << 30;
	case 14:
		return (uint64_t)1 << 25;
	default:
		return (uint64_t)1 << 29;
	}
}

static int unit_domain_new(struct dma_iommu_unit *unit, unsigned int *asid)
{
	struct dma_smmuv3 *s = smmu_of(unit);
	int err;

	dmamap_lock(s->host, &s->lock);
	err = s->info.broken ? -DMAMAP_EIO : dmamap_smmu_asid_take(s, asid);
	if (!err)
		s->live++;
	dmamap_unlock(s->host, &s->lock);
	return err;
}

static void unit_get_caps(struct dma_iommu_unit *unit, struct dma_device *dev,
			  struct dma_unit_caps *caps)
{
	const struct dma_smmuv3 *s = smmu_of(unit);

	(void)dev;
	*caps = (struct dma_unit_caps){
		.formats = 1u << DMA_PT_LPAE_STAGE1,
		.output_bits = s->info.output_bits,
		.input_bits = s->info.input_bits,
		.page_sizes = block_sizes(s->info.granule_bits) | (uint64_t)1
									  << s->info.granule_bits,
		.incoherent_walk = !s->info.coherent_walk,
	};
}

const struct dma_iommu_unit_ops dmamap_smmu_unit_ops = {
	.size = sizeof(struct dma_iommu_unit_ops),
	.attach = unit_attach,
	.detach = unit_detach,
	.invalidate = unit_invalidate,
	.wait = unit_wait,
	.mapped = unit_mapped,
	.domain_gone = unit_domain_gone,
	.domain_new = unit_domain_new,
	.get_caps = unit_get_caps,
};

int dmamap_smmuv3_backend_create(struct dma_smmuv3 *smmu, struct dma_backend **backend)
{
	struct dma_pt_config config = { .size = sizeof(config), .format = DMA_PT_LPAE_STAGE1 };
	int err;

	if (!smmu || !backend)
		return -DMAMAP_EINVAL;
	err = unit_domain_new(&smmu->unit, &config.domain_id);
	if (err)
		return err;
	config.input_bits = smmu->info.input_bits;
	config.granule_bits = smmu->info.granule_bits;
	config.output_bits = smmu->info.output_bits;
	config.page_sizes = block_sizes(smmu->info.granule_bits);
	config.coherent_walk = smmu->info.coherent_walk;
	config.unit = &smmu->unit;
	err = dmamap_pt_backend_create(smmu->host, &config, backend);
	if (!err)
		(*backend)->caps.map_side_work = true; /* a broken one refuses */
	if (err) {
		dmamap_lock(smmu->host, &smmu->lock);
		dmamap_smmu_asid_give(smmu, config.domain_id);
		smmu->live--;
		dmamap_unlock(smmu->host, &smmu->lock);
	}
	return err;
}
