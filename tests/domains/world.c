/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine of the tests of domains. */
#include "world.h"

static void add_memory(struct world *w)
{
	assert_int_equal(sim_add_ram(w->m, RAM_BASE, RAM_SIZE), 0);
	assert_int_equal(sim_add_bar(w->m, BAR_BASE, BAR_SIZE), 0);
	assert_int_equal(sim_start(w->m), 0);
	w->host = sim_host(w->m);
	w->ram = sim_alloc(w->m, 16 * PAGE, 16 * PAGE, 0, ~0ull);
	w->mmio = sim_alloc_mmio(w->m, 16 * PAGE, 0, ~0ull);
	assert_true(w->ram != DMAMAP_PHYS_NONE && w->mmio != DMAMAP_PHYS_NONE);
}

struct sim_device *world_device(struct world *w, const char *name, struct sim_iommu *iommu)
{
	const struct sim_device_config config = { .size = sizeof(config), .name = name };
	struct sim_device *device;

	assert_int_equal(sim_device_create(w->m, &config, &device), 0);
	assert_int_equal(dma_set_mask_and_coherent(sim_dma(device), ~0ull), 0);
	if (iommu)
		assert_int_equal(sim_device_put_behind(device, iommu), 0);
	return device;
}

struct world *world_new(enum dma_invalidation invalidation)
{
	const struct sim_iommu_config unit = { .size = sizeof(unit) };

	return world_new_behind(&unit, invalidation);
}

struct world *world_new_behind(const struct sim_iommu_config *unit,
			       enum dma_invalidation invalidation)
{
	const struct dma_domain_config policy = { .size = sizeof(policy),
						  .invalidation = invalidation };

	return world_new_with(unit, &policy, 0);
}

struct world *world_new_with(const struct sim_iommu_config *unit,
			     const struct dma_domain_config *policy, uint64_t page)
{
	const struct dma_bounce_config pool = { .size = sizeof(pool), .bytes = 1u << 20 };
	const struct sim_config config = { .size = sizeof(config), .page_size = page };
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(sim_machine_create(&config, &w->m), 0);
	add_memory(w);
	assert_int_equal(dma_bounce_create(w->host, &pool, &w->pool), 0);
	assert_int_equal(sim_iommu_create(w->m, unit, &w->iommu), 0);
	assert_int_equal(sim_domain_create(w->iommu, policy, &w->domain), 0);
	w->device = world_device(w, "nvme0", w->iommu);
	w->dev = sim_dma(w->device);
	assert_int_equal(dma_device_set_bounce(w->dev, w->pool), 0);
	assert_int_equal(dma_device_set_domain(w->dev, w->domain), 0);
	return w;
}

void world_end(struct world *w)
{
	assert_int_equal(sim_device_destroy(w->device), 0);
	assert_int_equal(dma_domain_destroy(w->domain), 0);
	assert_int_equal(sim_iommu_destroy(w->iommu), 0);
	assert_int_equal(dma_bounce_destroy(w->pool), 0);
	sim_free(w->m, w->ram, 16 * PAGE);
	sim_free_mmio(w->m, w->mmio, 16 * PAGE);
	assert_int_equal(sim_memory_used(w->m), 0);
	assert_int_equal(sim_machine_destroy(w->m), 0);
	free(w);
}

struct dma_history *start_history(struct world *w, uint32_t capacity)
{
	struct dma_history *history;

	assert_int_equal(dma_history_create(w->host, capacity, &history), 0);
	assert_int_equal(dma_history_attach(history), 0);
	return history;
}

void stop_history(struct dma_history *history)
{
	assert_int_equal(dma_history_destroy(history), -DMAMAP_EBUSY);
	assert_int_equal(dma_history_detach(history), 0);
	assert_int_equal(dma_history_destroy(history), 0);
}

dma_addr_t world_map(struct world *w, phys_addr_t phys, size_t size, enum dma_data_direction dir)
{
	dma_addr_t addr = dma_map_phys(w->dev, phys, size, dir, 0);

	assert_int_equal(dma_mapping_error(w->dev, addr), 0);
	return addr;
}

void expect_access(struct sim_device *device, dma_addr_t addr, uint64_t len, bool write,
		   enum sim_fault_reason reason)
{
	unsigned char *bytes = calloc(1, len);
	struct sim_fault fault;
	int err;

	assert_non_null(bytes);
	err = write ? sim_dma_write(device, addr, bytes, len, &fault)
		    : sim_dma_read(device, addr, bytes, len, &fault);
	free(bytes);
	assert_string_equal(sim_fault_name(fault.reason), sim_fault_name(reason));
	assert_int_equal(err, reason == SIM_FAULT_NONE ? 0 : -DMAMAP_EFAULT);
}

void put_text(void *ctx, const char *s, size_t n)
{
	struct text *text = ctx;

	assert_true(text->len + n < sizeof(text->s));
	memcpy(text->s + text->len, s, n);
	text->len += n;
	text->s[text->len] = '\0';
}
