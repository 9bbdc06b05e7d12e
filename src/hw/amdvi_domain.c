/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device table (AMD-Vi 2.2.2), domains with version 1 tables, and what their backend asks of the unit.
 *
 * A device in no domain has an entry that is valid, with a translation of no levels that allows neither reads nor
 * writes; an entry that is not valid would let it pass. While the first word says so the others mean nothing, so that
 * an entry changes word by word, with the hardware told in between.
 */
#include "amdvi.h"

#define PAGE_SHIFT 12u

/* --- the device table; the lock is held */

static uint64_t *entry_of(const struct dma_amdvi *a, uint32_t id)
{
	return (uint64_t *)a->devices.cpu + (size_t)id * AMDVI_DTE_WORDS;
}

static uint64_t detached(const struct dma_amdvi *a)
{
	return a->bypass ? 0 : AMDVI_DTE_V | AMDVI_DTE_TV;
}

void dmamap_amdvi_devices_init(struct dma_amdvi *a)
{
	/* The hardware knows the table's size in pages: entries behind the last number count too. */
	for (uint64_t id = 0; id < a->devices.size / AMDVI_DTE_SIZE; id++)
		entry_of(a, (uint32_t)id)[0] = detached(a);
}

static void forget_device(struct dma_amdvi *a, uint32_t id)
{
	dmamap_hw_barrier(a->host);
	dmamap_amdvi_command(a, AMDVI_CMD_INVALIDATE_DEVICE | id, 0);
}

static void translate(struct dma_amdvi *a, uint32_t id, unsigned int domain_id, phys_addr_t root,
		      unsigned int levels)
{
	uint64_t *entry = entry_of(a, id);

	hw_store(&entry[0], AMDVI_DTE_V | AMDVI_DTE_TV);
	hw_store(&entry[1], domain_id);
	forget_device(a, id);
	dmamap_amdvi_sync_locked(a);
	hw_store(&entry[0], AMDVI_DTE_V | AMDVI_DTE_TV | AMDVI_DTE_MODE(levels) | root |
				    AMDVI_DTE_IR | AMDVI_DTE_IW);
	forget_device(a, id);
}

static void cut_off(struct dma_amdvi *a, uint32_t id)
{
	hw_store(&entry_of(a, id)[0], detached(a));
	forget_device(a, id);
}

/* --- invalidation */

/** All of a domain, tables too. */
static void drop_domain(struct dma_amdvi *a, unsigned int domain_id)
{
	dmamap_amdvi_command(a, AMDVI_CMD_INVALIDATE_PAGES | AMDVI_CMD_DOMAIN(domain_id),
			     AMDVI_PAGES_ALL | AMDVI_PAGES_SIZED | AMDVI_PAGES_TABLES);
}

/**
 * The second word for a range: the smallest aligned power of two that holds it. One of 2^n bytes is told by an address
 * whose bits n-2 to 12 are ones and bit n-1 is zero (2.4.3).
 */
static uint64_t pages_word(dma_addr_t first, dma_addr_t last)
{
	uint64_t differ = (first ^ last) >> PAGE_SHIFT;
	unsigned int n = differ ? PAGE_SHIFT + high_bit(differ) + 1 : PAGE_SHIFT;

	if (n == PAGE_SHIFT)
		return round_down(first, (uint64_t)1 << PAGE_SHIFT);
	if (n > 51)
		return AMDVI_PAGES_ALL | AMDVI_PAGES_SIZED;
	return round_down(first, (uint64_t)1 << n) |
	       round_down(((uint64_t)1 << (n - 1)) - 1, (uint64_t)1 << PAGE_SHIFT) |
	       AMDVI_PAGES_SIZED;
}

static void unit_invalidate(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
			    uint64_t len, bool leaf_only)
{
	struct dma_amdvi *a = amdvi_of(unit);

	if (!len)
		return;
	dmamap_lock(a->host, &a->lock);
	if (range_wraps(iova, len) || len == ~(uint64_t)0)
		drop_domain(a, domain_id);
	else
		dmamap_amdvi_command(a, AMDVI_CMD_INVALIDATE_PAGES | AMDVI_CMD_DOMAIN(domain_id),
				     pages_word(iova, iova + (len - 1)) |
					     (leaf_only ? 0 : AMDVI_PAGES_TABLES));
	dmamap_unlock(a->host, &a->lock);
}

static void unit_wait(struct dma_iommu_unit *unit)
{
	dmamap_amdvi_sync(amdvi_of(unit));
}

static int unit_mapped(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
		       uint64_t len)
{
	(void)domain_id;
	(void)iova;
	(void)len;
	return __atomic_load_n(&amdvi_of(unit)->info.broken, __ATOMIC_RELAXED) ? -DMAMAP_EIO : 0;
}

/* --- devices */

/** The lock is held. */
static void detach(struct dma_amdvi *a, struct dma_device *dev)
{
	struct hw_attached *at = dmamap_hw_attached_find(&a->attached, dev);

	if (!at)
		return;
	for (unsigned int i = 0; i < at->n; i++)
		if (!dmamap_hw_attached_shared(&a->attached, at, at->ids[i]))
			cut_off(a, at->ids[i]);
	dmamap_amdvi_sync_locked(a);
	dmamap_hw_attached_remove(&a->attached, at);
}

/** The lock is held. */
static int attach(struct dma_amdvi *a, struct dma_device *dev, unsigned int domain_id,
		  phys_addr_t root, unsigned int levels)
{
	struct hw_attached *at;
	int err;

	if (a->info.broken)
		return -DMAMAP_EIO;
	if (levels > a->most_levels)
		return -DMAMAP_EOPNOTSUPP;
	err = dmamap_hw_attached_add(&a->attached, dev, domain_id, &at);
	if (err)
		return err;
	for (unsigned int i = 0; i < at->n; i++)
		if (!dmamap_hw_attached_shared(&a->attached, at, at->ids[i]))
			translate(a, at->ids[i], domain_id, root, levels);
	dmamap_amdvi_sync_locked(a);
	if (!a->info.broken)
		return 0;
	detach(a, dev);
	return -DMAMAP_EIO;
}

static int unit_attach(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int domain_id,
		       phys_addr_t root, unsigned int levels)
{
	struct dma_amdvi *a = amdvi_of(unit);
	int err;

	dmamap_lock(a->host, &a->lock);
	err = attach(a, dev, domain_id, root, levels);
	dmamap_unlock(a->host, &a->lock);
	return err;
}

static void unit_detach(struct dma_iommu_unit *unit, struct dma_device *dev)
{
	struct dma_amdvi *a = amdvi_of(unit);

	dmamap_lock(a->host, &a->lock);
	detach(a, dev);
	dmamap_unlock(a->host, &a->lock);
}

/* --- domain numbers; 0 is never used */

static int take_id(struct dma_amdvi *a, unsigned int *id)
{
	uint64_t *words = a->ids.cpu;

	for (unsigned int i = 0; i < AMDVI_DOMAINS / 64; i++) {
		uint64_t free = ~(words[i] | (i ? 0 : 1));

		if (!free)
			continue;
		*id = i * 64 + low_bit(free);
		words[i] |= free & -free;
		a->live++;
		return 0;
	}
	return -DMAMAP_ENOSPC;
}

static void give_id(struct dma_amdvi *a, unsigned int id)
{
	((uint64_t *)a->ids.cpu)[id / 64] &= ~((uint64_t)1 << id % 64);
	a->live--;
}

static int unit_domain_new(struct dma_iommu_unit *unit, unsigned int *domain_id)
{
	struct dma_amdvi *a = amdvi_of(unit);
	int err;

	dmamap_lock(a->host, &a->lock);
	err = a->info.broken ? -DMAMAP_EIO : take_id(a, domain_id);
	dmamap_unlock(a->host, &a->lock);
	return err;
}

static void unit_domain_gone(struct dma_iommu_unit *unit, unsigned int domain_id)
{
	struct dma_amdvi *a = amdvi_of(unit);

	dmamap_lock(a->host, &a->lock);
	drop_domain(a, domain_id);
	dmamap_amdvi_sync_locked(a);
	give_id(a, domain_id);
	dmamap_unlock(a->host, &a->lock);
}

static void unit_get_caps(struct dma_iommu_unit *unit, struct dma_device *dev,
			  struct dma_unit_caps *caps)
{
	const struct dma_amdvi *a = amdvi_of(unit);

	(void)dev;
	*caps = (struct dma_unit_caps){
		.formats = 1u << DMA_PT_AMD_V1,
		.output_bits = a->info.output_bits,
		.input_bits = (unsigned int)min_u64(12 + 9 * (uint64_t)a->most_levels, 64),
	};
}

const struct dma_iommu_unit_ops dmamap_amdvi_unit_ops = {
	.size = sizeof(struct dma_iommu_unit_ops),
	.attach = unit_attach,
	.detach = unit_detach,
	.invalidate = unit_invalidate,
	.wait = unit_wait,
	.mapped = unit_mapped,
	.domain_gone = unit_domain_gone,
	.domain_new = unit_domain_new,
	.get_caps = unit_get_caps,
	.reserved = dmamap_amdvi_reserved,
};

int dmamap_amdvi_backend_create(struct dma_amdvi *amdvi, struct dma_backend **backend)
{
	struct dma_pt_config config = { .size = sizeof(config), .format = DMA_PT_AMD_V1 };
	int err;

	if (!amdvi || !backend)
		return -DMAMAP_EINVAL;
	err = unit_domain_new(&amdvi->unit, &config.domain_id);
	if (err)
		return err;
	config.levels = amdvi->info.levels;
	config.output_bits = amdvi->info.output_bits;
	config.page_sizes = (uint64_t)1 << 21 | (uint64_t)1 << 30;
	config.force_coherent = true;
	config.coherent_walk = true;
	config.unit = &amdvi->unit;
	err = dmamap_pt_backend_create(amdvi->host, &config, backend);
	if (!err)
		(*backend)->caps.map_side_work = true; /* a broken one refuses */
	if (err) {
		dmamap_lock(amdvi->host, &amdvi->lock);
		give_id(amdvi, config.domain_id);
		dmamap_unlock(amdvi->host, &amdvi->lock);
	}
	return err;
}
