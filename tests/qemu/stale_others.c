/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens when the order is broken, on QEMU's AMD-Vi and SMMUv3: what was unmapped stays within reach until it is
 * invalidated, and no longer. (stale.c does the same and more for VT-d.)
 *
 * AMD-Vi reports no fault here and drops a whole domain for each page, so that an invalidation of too little is not
 * seen.
 */
#include "rig.h"

#include "broken.h"

#define PAGE 4096u
#define RW   (DMA_PROT_READ | DMA_PROT_WRITE)

/** A kind of IOMMU, with the first number that its driver gives out; a backend keeps it for us. */
struct kind {
	struct qemu_config config;
	struct dma_pt_config tables;
	struct dma_iommu_unit *(*unit)(struct qemu_machine *m, struct dma_backend **keeper);
	bool silent;
	/** Of four pages, what the device still reaches when only the first one is invalidated. */
	unsigned int first_only;
};

struct broken {
	const struct kind *kind;
	struct rig rig;
	struct broken_unit unit;
	struct dma_backend *keeper;
	struct dma_backend *backend;
};

static struct dma_iommu_unit *amd_unit(struct qemu_machine *m, struct dma_backend **keeper)
{
	assert_int_equal(dmamap_amdvi_backend_create(qemu_amdvi(m), keeper), 0);
	return dmamap_amdvi_unit(qemu_amdvi(m));
}

static struct dma_iommu_unit *smmu_unit(struct qemu_machine *m, struct dma_backend **keeper)
{
	assert_int_equal(dmamap_smmuv3_backend_create(qemu_smmuv3(m), keeper), 0);
	return dmamap_smmuv3_unit(qemu_smmuv3(m));
}

static const struct kind amd = {
	.config = { .iommu = QEMU_IOMMU_AMD },
	.tables = { .format = DMA_PT_AMD_V1,
		    .levels = 4,
		    .output_bits = 52,
		    .coherent_walk = true },
	.unit = amd_unit,
	.silent = true,
	.first_only = 0,
};

static const struct kind smmu = {
	.config = { .arch = QEMU_AARCH64, .iommu = QEMU_IOMMU_SMMUV3 },
	.tables = { .format = DMA_PT_LPAE_STAGE1,
		    .input_bits = 48,
		    .output_bits = 44,
		    .coherent_walk = true },
	.unit = smmu_unit,
	.first_only = 14,
};

static const struct kind *const kinds[] = { &amd, &smmu };

static void broken_start(struct broken *b, const struct kind *kind,
			 enum dma_invalidation invalidation)
{
	struct dma_domain_config policy = { .size = sizeof(policy), .invalidation = invalidation };
	struct dma_pt_config config = kind->tables;

	b->kind = kind;
	rig_start(&b->rig, &kind->config);
	assert_int_equal(qemu_iommu_start(b->rig.m), 0);
	b->unit = broken_unit(kind->unit(b->rig.m, &b->keeper));
	config.size = sizeof(config);
	config.page_sizes = 1u << 21 | 1u << 30;
	config.unit = &b->unit.unit;
	config.domain_id = 1;
	assert_int_equal(dmamap_pt_backend_create(b->rig.host, &config, &b->backend), 0);
	assert_int_equal(dma_domain_create(b->rig.host, b->backend, &policy, &b->rig.domain), 0);
	assert_int_equal(dma_device_set_domain(&b->rig.function->dma, b->rig.domain), 0);
}

static void broken_stop(struct broken *b)
{
	assert_int_equal(dma_device_set_domain(&b->rig.function->dma, NULL), 0);
	assert_int_equal(dma_domain_destroy(b->rig.domain), 0);
	b->rig.domain = NULL;
	b->keeper->ops->destroy(b->keeper);
	rig_stop(&b->rig);
}

static void expect_fault(struct broken *b, dma_addr_t addr)
{
	if (b->kind->silent)
		rig_no_fault(&b->rig);
	else
		rig_fault(&b->rig, addr, DMA_FAULT_WRITE, DMA_FAULT_REASON_NOT_PRESENT);
}

static void drop(struct broken *b, dma_addr_t iova, uint64_t len)
{
	b->backend->ops->invalidate(b->backend, iova, len, true);
	b->backend->ops->wait(b->backend);
}

/**
 * Four pages are mapped, touched, unmapped, and written to by the device: which of the writes still land?
 * Returns a bit for each.
 */
static unsigned int reached_after_unmap(struct broken *b, enum sabotage how)
{
	struct rig *rig = &b->rig;
	phys_addr_t phys = rig_pages(rig, 4, 0);
	unsigned int reached = 0;
	dma_addr_t addr;

	rig_set_buffer(rig, 0xee);
	b->unit.how = how;
	addr = dma_map_phys(&rig->function->dma, phys, 4 * PAGE, DMA_BIDIRECTIONAL, 0);
	assert_true(addr != DMA_MAPPING_ERROR);
	for (unsigned int i = 0; i < 4; i++)
		rig_load(rig, addr + i * PAGE, 2048, 16);
	dma_unmap_phys(&rig->function->dma, addr, 4 * PAGE, DMA_BIDIRECTIONAL, 0);
	for (unsigned int i = 0; i < 4; i++) {
		rig_store(rig, 0, addr + i * PAGE, 16);
		if (rig_all(rig, phys + i * PAGE, 16, 0xee))
			reached |= 1u << i;
		else
			expect_fault(b, addr + i * PAGE);
	}
	rig_no_fault(rig);
	b->unit.how = NOTHING;
	drop(b, 0, ~0ull);
	qemu_free(rig->m, phys, 4 * PAGE);
	return reached;
}

static void what_broken_units_let_through(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct broken b;

		broken_start(&b, kinds[i], DMA_INVALIDATION_STRICT);
		assert_int_equal(reached_after_unmap(&b, NOTHING), 0);
		assert_int_equal(reached_after_unmap(&b, NO_INVALIDATION), 15);
		assert_int_equal(reached_after_unmap(&b, NO_WAIT), 15);
		assert_int_equal(reached_after_unmap(&b, WRONG_DOMAIN), 15);
		assert_int_equal(reached_after_unmap(&b, FIRST_PAGE_ONLY), kinds[i]->first_only);
		assert_int_equal(reached_after_unmap(&b, NOTHING), 0);
		broken_stop(&b);
	}
}

static void lazy_domains_flush_later(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct broken b;
		struct rig *rig = &b.rig;
		phys_addr_t phys;
		dma_addr_t addr;

		broken_start(&b, kinds[i], DMA_INVALIDATION_LAZY);
		phys = rig_pages(rig, 1, 0);
		rig_set_buffer(rig, 0xee);
		addr = dma_map_phys(&rig->function->dma, phys, PAGE, DMA_BIDIRECTIONAL, 0);
		rig_load(rig, addr, 2048, 16);
		dma_unmap_phys(&rig->function->dma, addr, PAGE, DMA_BIDIRECTIONAL, 0);
		rig_store(rig, 0, addr, 16);
		assert_true(rig_all(rig, phys, 16, 0xee));
		rig_no_fault(rig);
		dma_domain_flush(rig->domain);
		rig_store(rig, 0, addr + 64, 16);
		expect_fault(&b, addr + 64);
		assert_true(rig_all(rig, phys + 64, 16, 0));
		qemu_free(rig->m, phys, PAGE);
		broken_stop(&b);
	}
}

/** One small page of a large one drops the large one. */
static void large_pages_go_whole(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct dma_vec piece = { 0, 2u << 20 };
		struct broken b;

		broken_start(&b, kinds[i], DMA_INVALIDATION_STRICT);
		piece.phys = qemu_alloc(b.rig.m, piece.len, piece.len, 0, ~0ull);
		assert_true(piece.phys != DMAMAP_PHYS_NONE);
		memset(rig_ptr(&b.rig, piece.phys), 0, piece.len);
		rig_set_buffer(&b.rig, 0xee);
		assert_int_equal(b.backend->ops->map(b.backend, 0x400000, &piece, 1, RW), 0);
		assert_int_equal(b.backend->ops->sync_map(b.backend, 0x400000, piece.len), 0);
		rig_load(&b.rig, 0x555000, 2048, 16);
		assert_true(b.backend->ops->unmap(b.backend, 0x400000, piece.len) == piece.len);
		rig_store(&b.rig, 0, 0x555000, 16);
		assert_true(rig_all(&b.rig, piece.phys + 0x155000, 16, 0xee));
		drop(&b, 0x555000, PAGE);
		rig_store(&b.rig, 0, 0x555040, 16);
		expect_fault(&b, 0x555040);
		assert_true(rig_all(&b.rig, piece.phys + 0x155040, 16, 0));
		qemu_free(b.rig.m, piece.phys, piece.len);
		broken_stop(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_broken_units_let_through),
		cmocka_unit_test(lazy_domains_flush_later),
		cmocka_unit_test(large_pages_go_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
