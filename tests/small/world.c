/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <time.h>

static void make_domain(struct world *w, const struct world_config *config)
{
	const struct sim_device_config device = { .size = sizeof(device), .name = "0000:00:01.0" };
	const struct dma_domain_config domain = { .size = sizeof(domain),
						  .invalidation = config->invalidation };
	struct sim_iommu_config iommu = config->iommu;

	iommu.size = sizeof(iommu);
	assert_int_equal(sim_iommu_create(w->m, &iommu, &w->iommu), 0);
	assert_int_equal(sim_device_create(w->m, &device, &w->device), 0);
	assert_int_equal(sim_device_put_behind(w->device, w->iommu), 0);
	assert_int_equal(sim_domain_create(w->iommu, &domain, &w->domain), 0);
	w->empty_tables = world_stats(w).table_bytes;
	w->dev = sim_dma(w->device);
	assert_int_equal(dma_device_set_domain(w->dev, w->domain), 0);
	assert_int_equal(dma_set_mask_and_coherent(w->dev, DMA_BIT_MASK(64)), 0);
}

void world_begin_with(struct world *w, const struct world_config *config)
{
	unsigned int granule = config->iommu.granule_bits;
	const struct sim_config sim = { .size = sizeof(sim),
					.cpus = 4, /* shards: one for each thread */
					.page_size = granule > 12 ? 1ull << granule : PAGE };

	w->page = sim.page_size;
	assert_int_equal(sim_machine_create(&sim, &w->m), 0);
	sim_host(w->m)->sanitize = NULL; /* with one, maps go the long way */
	if (config->ranges_only)
		sim_host(w->m)->describe = NULL;
	assert_int_equal(sim_add_ram(w->m, 0, RAM), 0);
	for (const struct world_memory *m = config->memory; m && m->size; m++)
		assert_int_equal((m->bar ? sim_add_bar : sim_add_ram)(w->m, m->base, m->size), 0);
	assert_int_equal(sim_start(w->m), 0);
	for (const struct world_memory *m = config->memory; m && m->size; m++)
		if (m->held)
			assert_int_equal(
				sim_alloc(w->m, m->size, w->page, m->base, m->base + m->size - 1),
				m->base);
	make_domain(w, config);
	w->buf = sim_alloc(w->m, config->buf_pages * w->page, w->page, 0, RAM - 1);
	assert_true(w->buf != DMAMAP_PHYS_NONE);
	for (uint64_t i = 0; i < config->buf_pages; i++) {
		uint64_t mark = i + 1;

		assert_int_equal(sim_cpu_write(w->m, w->buf + i * w->page, &mark, sizeof(mark)), 0);
	}
}

void world_begin(struct world *w, enum dma_invalidation invalidation, uint64_t buf_pages)
{
	const struct world_config config = { .invalidation = invalidation, .buf_pages = buf_pages };

	world_begin_with(w, &config);
}

void world_end(struct world *w)
{
	assert_int_equal(dma_device_live(w->dev), 0);
	dma_domain_flush(w->domain);
	assert_int_equal(world_stats(w).iova_bytes, 0);
	assert_int_equal(world_stats(w).queued, 0);
	assert_int_equal(world_stats(w).table_bytes, w->empty_tables);
	assert_int_equal(dma_device_set_domain(w->dev, NULL), 0);
	assert_int_equal(sim_device_destroy(w->device), 0);
	assert_int_equal(dma_domain_destroy(w->domain), 0);
	assert_int_equal(sim_iommu_destroy(w->iommu), 0);
	assert_int_equal(sim_machine_destroy(w->m), 0);
}

struct dma_domain_stats world_stats(struct world *w)
{
	struct dma_domain_stats stats;

	dma_domain_get_stats(w->domain, &stats);
	return stats;
}

bool world_reads(struct world *w, dma_addr_t addr, uint64_t page)
{
	uint64_t mark = 0;

	return !sim_dma_read(w->device, addr, &mark, sizeof(mark), NULL) && mark == page + 1;
}

bool world_faults(struct world *w, dma_addr_t addr)
{
	uint64_t mark;

	return sim_dma_read(w->device, addr, &mark, sizeof(mark), NULL) != 0;
}

uint64_t world_seed(void)
{
	const char *given = getenv("DMAMAP_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	printf("# DMAMAP_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed * 2 + 1;
}

uint64_t world_random(uint64_t *seed, uint64_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (*seed >> 33) % below;
}
