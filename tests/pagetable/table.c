/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake unit and the walker: see table.h.
 */
#include "table.h"

/* --- the unit */

static int unit_attach(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int domain_id,
		       phys_addr_t root, unsigned int levels)
{
	struct unit *u = (struct unit *)unit;

	(void)dev;
	u->root = root;
	u->levels = levels;
	u->domain_id = domain_id;
	u->attached++;
	return 0;
}

static void unit_detach(struct dma_iommu_unit *unit, struct dma_device *dev)
{
	(void)dev;
	((struct unit *)unit)->attached--;
}

static void unit_invalidate(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
			    uint64_t len, bool leaf_only)
{
	struct unit *u = (struct unit *)unit;

	(void)iova;
	assert_int_equal(domain_id, u->domain_id);
	u->invalidations++;
	u->len = len;
	u->leaf_only = leaf_only;
}

static void unit_wait(struct dma_iommu_unit *unit)
{
	((struct unit *)unit)->waits++;
}

static const struct dma_iommu_unit_ops unit_ops = {
	.size = sizeof(struct dma_iommu_unit_ops),
	.attach = unit_attach,
	.detach = unit_detach,
	.invalidate = unit_invalidate,
	.wait = unit_wait,
};

/* --- making and ending a table */

struct dma_pt_config config_of(struct fixture *f, unsigned int levels)
{
	f->unit = (struct unit){ .unit.ops = &unit_ops };
	return (struct dma_pt_config){
		.size = sizeof(struct dma_pt_config),
		.format = DMA_PT_VTD_SECOND_STAGE,
		.levels = levels,
		.output_bits = 46,
		.page_sizes = BIG,
		.coherent_walk = !f->fake.host.cache_for_device,
		.unit = &f->unit.unit,
		.domain_id = 7,
	};
}

void start_with(struct fixture *f, const struct dma_pt_config *config, unsigned int levels)
{
	f->unit = (struct unit){ .unit.ops = &unit_ops };
	assert_int_equal(dmamap_pt_backend_create(&f->fake.host, config, &f->pt), 0);
	assert_int_equal(f->pt->ops->attach(f->pt, NULL), 0);
	assert_int_equal(f->unit.domain_id, 7);
	assert_int_equal(f->unit.levels, levels);
}

void start(struct fixture *f, unsigned int levels, bool caches)
{
	struct dma_pt_config config;

	fake_host_init(&f->fake, 2048, caches);
	config = config_of(f, levels);
	start_with(f, &config, levels);
}

void finish(struct fixture *f)
{
	f->pt->ops->detach(f->pt, NULL);
	assert_int_equal(f->unit.attached, 0);
	f->pt->ops->destroy(f->pt);
	fake_host_fini(&f->fake);
}

int map(struct fixture *f, uint64_t iova, uint64_t phys, uint64_t len)
{
	const struct dma_vec vec = { phys, len };
	int err = f->pt->ops->map(f->pt, iova, &vec, 1, RW);

	if (!err)
		assert_int_equal(f->pt->ops->sync_map(f->pt, iova, len), 0);
	return err;
}

uint64_t unmap(struct fixture *f, uint64_t iova, uint64_t len)
{
	return f->pt->ops->unmap(f->pt, iova, len);
}

/* What a domain does after an unmap: prune, invalidate, wait, release. True if tables went. */
bool settle(struct fixture *f)
{
	struct dma_freed freed = { 0 };
	bool any;

	f->pt->ops->prune(f->pt, &freed);
	any = freed.tables;
	assert_int_equal(any, freed.bytes != 0);
	f->pt->ops->invalidate(f->pt, 0, ~(uint64_t)0, !any);
	assert_int_equal(f->unit.leaf_only, !any);
	f->pt->ops->wait(f->pt);
	f->pt->ops->release(f->pt, &freed);
	return any;
}

uint64_t bytes(struct fixture *f)
{
	return f->pt->ops->table_bytes(f->pt);
}

/* --- the walker: straight from the manual, through the device's view of memory */

struct found walk(const struct fixture *f, uint64_t iova)
{
	struct found found = { 0 };
	phys_addr_t table = f->unit.root;

	for (int level = (int)f->unit.levels - 1; level >= 0; level--) {
		const uint64_t *entries = fake_device_ptr(&f->fake, table);

		found.level = (unsigned int)level;
		found.entry = entries[(iova >> (12 + 9 * level)) & 511];
		if (!(found.entry & 3) || !level || found.entry & 0x80)
			break;
		assert_int_equal(found.entry & ~0x000ffffffffff000ull, 3);
		table = found.entry & 0x000ffffffffff000ull;
	}
	return found;
}

void expect_leaf(const struct fixture *f, uint64_t iova, unsigned int level, uint64_t entry)
{
	struct found found = walk(f, iova);

	assert_int_equal(found.entry, entry);
	assert_int_equal(found.level, level);
}

void expect_hole(const struct fixture *f, uint64_t iova)
{
	phys_addr_t phys;

	assert_int_equal(walk(f, iova).entry, 0);
	assert_int_equal(f->pt->ops->iova_to_phys(f->pt, iova, &phys), -6);
}

/* Leaves of each level in the whole table. */
static void count_leaves(const struct fixture *f, phys_addr_t table, unsigned int level,
			 unsigned int count[5])
{
	const uint64_t *entries = fake_device_ptr(&f->fake, table);

	for (unsigned int i = 0; i < 512; i++) {
		if (!entries[i])
			continue;
		if (!level || entries[i] & 0x80)
			count[level]++;
		else
			count_leaves(f, entries[i] & 0x000ffffffffff000ull, level - 1, count);
	}
}

void expect_leaves(const struct fixture *f, unsigned int pages, unsigned int m2, unsigned int g1)
{
	unsigned int count[5] = { 0 };

	count_leaves(f, f->unit.root, f->unit.levels - 1, count);
	assert_int_equal(count[0], pages);
	assert_int_equal(count[1], m2);
	assert_int_equal(count[2], g1);
	assert_int_equal(count[3] + count[4], 0);
}
