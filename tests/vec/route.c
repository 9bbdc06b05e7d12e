/* SPDX-License-Identifier: BSD-2-Clause */
/* See route.h. */
#include "route.h"

#include <time.h>

#define LOW_RAM	 0x00100000ull
#define LOW_SIZE 0x3ff00000ull
#define HIGH_RAM 0x100000000ull
#define BAR	 0xe0000000ull
#define OFFSET	 0x8000000000ull

const struct route routes[] = {
	{ .name = "direct", .route = DMA_ROUTE_DIRECT },
	{ .name = "direct-bounce", .route = DMA_ROUTE_DIRECT, .bounces = true },
	{ .name = "direct-windows", .route = DMA_ROUTE_DIRECT, .windows = true, .offset = OFFSET },
	{ .name = "direct-noncoherent", .route = DMA_ROUTE_DIRECT, .noncoherent = true },
	{ .name = "arch", .route = DMA_ROUTE_OPS, .arch = true, .ops = SIM_OPS_ALL },
	{ .name = "ops-phys", .route = DMA_ROUTE_OPS, .ops = SIM_OPS_PHYS, .offset = OFFSET },
	{ .name = "ops-page", .route = DMA_ROUTE_OPS, .ops = SIM_OPS_PAGE, .offset = OFFSET },
	{ .name = "ops-all", .route = DMA_ROUTE_OPS, .ops = SIM_OPS_ALL, .offset = OFFSET },
	{ .name = "iommu-strict", .route = DMA_ROUTE_IOMMU },
	{ .name = "iommu-lazy", .route = DMA_ROUTE_IOMMU, .lazy = true },
	{ .name = "iommu-command", .route = DMA_ROUTE_IOMMU, .command = true },
	{ .name = "iommu-noncoherent", .route = DMA_ROUTE_IOMMU, .noncoherent = true },
	{ .name = "iommu-untrusted", .route = DMA_ROUTE_IOMMU, .untrusted = true },
};
const unsigned int nr_routes = sizeof(routes) / sizeof(routes[0]);

uint64_t route_seed(void)
{
	const char *text = getenv("DMAMAP_TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);

	print_message("# DMAMAP_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed * 0x9e3779b97f4a7c15ull | 1;
}

uint64_t below(struct world *w, uint64_t n)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random % n;
}

static void make_pool(struct world *w)
{
	const struct dma_bounce_config config = { .size = sizeof(config), .bytes = 8 << 20 };

	assert_int_equal(dma_bounce_create(sim_host(w->m), &config, &w->pool), 0);
	assert_int_equal(dma_device_set_bounce(w->dev, w->pool), 0);
}

static void make_windows(struct world *w)
{
	static const struct dma_range map[] = {
		{ .cpu = 0, .dma = OFFSET, .size = 0x200000000 },
		{ .size = 0 },
	};

	sim_device_set_windows(w->device, map);
	assert_int_equal(dma_device_set_range_map(w->dev, map), 0);
}

static void make_iommu(struct world *w)
{
	const struct sim_iommu_config config = { .size = sizeof(config),
						 .format = w->route->format,
						 .granule_bits = w->route->granule_bits,
						 .command = w->route->command,
						 .incoherent_walk = w->route->noncoherent };
	const struct dma_domain_config domain = {
		.size = sizeof(domain),
		.invalidation = w->route->lazy ? DMA_INVALIDATION_LAZY : DMA_INVALIDATION_STRICT
	};

	assert_int_equal(sim_iommu_create(w->m, &config, &w->iommu), 0);
	assert_int_equal(sim_device_put_behind(w->device, w->iommu), 0);
	assert_int_equal(sim_domain_create(w->iommu, &domain, &w->domain), 0);
	assert_int_equal(dma_device_set_untrusted(w->dev, w->route->untrusted), 0);
	assert_int_equal(dma_device_set_domain(w->dev, w->domain), 0);
}

/** Of the host, and of what is mapped. */
static uint64_t page_of(const struct world *w)
{
	return w->route->granule_bits ? 1ull << w->route->granule_bits : PAGE;
}

static void make_machine(struct world *w, uint64_t seed)
{
	const struct sim_config config = { .size = sizeof(config),
					   .page_size = page_of(w),
					   .noncoherent = w->route->noncoherent,
					   .adversarial = w->route->noncoherent && !w->route->calm,
					   .seed = seed };

	assert_int_equal(sim_machine_create(&config, &w->m), 0);
	assert_int_equal(sim_add_ram(w->m, LOW_RAM, LOW_SIZE), 0);
	assert_int_equal(sim_add_ram(w->m, HIGH_RAM, 64 << 20), 0);
	assert_int_equal(sim_add_bar(w->m, BAR, ARENA), 0);
	if (w->route->arch)
		sim_set_arch_direct(w->m, 0x200000000, true);
	assert_int_equal(sim_start(w->m), 0);
}

static void make_route(struct world *w)
{
	if (w->route->route == DMA_ROUTE_OPS) {
		sim_device_set_offset(w->device, OFFSET);
		if (w->route->arch)
			sim_device_set_bypass_window(w->device, 0x200000000);
		assert_int_equal(dma_device_set_ops(w->dev, sim_ops(w->route->ops)), 0);
	}
	if (w->route->bounces || w->route->untrusted)
		make_pool(w);
	if (w->route->windows)
		make_windows(w);
	if (w->route->route == DMA_ROUTE_IOMMU)
		make_iommu(w);
}

struct world *world_new(const struct route *route, uint64_t seed)
{
	struct sim_device_config device = { .size = sizeof(device), .name = route->name };
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->route = route;
	w->random = seed | 1;
	make_machine(w, seed);
	device.address_bits = route->bounces ? 32 : 0;
	assert_int_equal(sim_device_create(w->m, &device, &w->device), 0);
	w->dev = sim_dma(w->device);
	dma_device_set_parms(w->dev, &w->parms);
	assert_int_equal(dma_set_max_seg_size(w->dev, 1u << 31), 0);
	make_route(w);
	assert_int_equal(dma_set_mask_and_coherent(w->dev, DMA_BIT_MASK(route->bounces ? 32 : 64)),
			 0);
	assert_int_equal(dma_device_route(w->dev), route->route);
	w->ram = sim_alloc(w->m, ARENA, page_of(w), route->bounces ? HIGH_RAM : 0, ~0ull);
	w->mmio = sim_alloc_mmio(w->m, ARENA, 0, ~0ull);
	assert_true(w->ram != DMAMAP_PHYS_NONE && w->mmio != DMAMAP_PHYS_NONE);
	return w;
}

void world_idle(struct world *w)
{
	struct dma_domain_stats domain;
	struct dma_bounce_stats pool;

	assert_int_equal(dma_device_live(w->dev), 0);
	if (w->domain) {
		dma_domain_flush(w->domain);
		dma_domain_get_stats(w->domain, &domain);
		assert_int_equal(domain.iova_bytes, 0);
	}
	if (w->pool) {
		dma_bounce_get_stats(w->pool, &pool);
		assert_int_equal(pool.used_slots, 0);
	}
}

void world_end(struct world *w)
{
	struct sim_counters counters;

	world_idle(w);
	sim_get_counters(w->m, &counters);
	assert_int_equal(counters.fatals, 0);
	sim_free(w->m, w->ram, ARENA);
	sim_free_mmio(w->m, w->mmio, ARENA);
	assert_int_equal(sim_device_destroy(w->device), 0);
	if (w->domain)
		assert_int_equal(dma_domain_destroy(w->domain), 0);
	if (w->iommu)
		assert_int_equal(sim_iommu_destroy(w->iommu), 0);
	if (w->pool)
		assert_int_equal(dma_bounce_destroy(w->pool), 0);
	assert_int_equal(sim_memory_used(w->m), 0);
	assert_int_equal(sim_machine_destroy(w->m), 0);
	free(w);
}

static void fill(struct world *w, phys_addr_t base)
{
	uint64_t *noise = malloc(ARENA);

	assert_non_null(noise);
	for (uint64_t i = 0; i < ARENA / 8; i++) {
		below(w, 1);
		noise[i] = w->random;
	}
	assert_int_equal(sim_cpu_write(w->m, base, noise, ARENA), 0);
	free(noise);
}

void fill_arenas(struct world *w)
{
	fill(w, w->ram);
	fill(w, w->mmio);
}

unsigned char *copy_arenas(struct world *w)
{
	unsigned char *copy = malloc(2 * ARENA);

	assert_non_null(copy);
	assert_int_equal(sim_cpu_read(w->m, w->ram, copy, ARENA), 0);
	assert_int_equal(sim_cpu_read(w->m, w->mmio, copy + ARENA, ARENA), 0);
	return copy;
}

unsigned char *in_copy(const struct world *w, unsigned char *copy, phys_addr_t phys)
{
	return phys - w->ram < ARENA ? copy + (phys - w->ram) : copy + ARENA + (phys - w->mmio);
}
