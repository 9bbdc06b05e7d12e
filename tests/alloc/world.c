/* SPDX-License-Identifier: BSD-2-Clause */
/* See world.h. The switches of the allocator are of the file: one world lives at a time. */
#include "world.h"

#include <time.h>

#define OPS_OFFSET    0x4000000000ull
#define WINDOW_OFFSET 0x40000000ull

const char *const world_names[WORLD_KINDS] = {
	[WORLD_DIRECT] = "direct",
	[WORLD_DIRECT_NONCOHERENT] = "direct, not coherent",
	[WORLD_WINDOW] = "direct, window",
	[WORLD_STRICT] = "iommu, strict",
	[WORLD_STRICT_NONCOHERENT] = "iommu, not coherent",
	[WORLD_LAZY] = "iommu, lazy",
	[WORLD_OPS] = "ops",
	[WORLD_OPS_NONCOHERENT] = "ops, not coherent",
};

/* --- an allocator that fails on demand */

static phys_addr_t (*real_alloc)(struct dma_host *, const struct dma_page_request *);
static uint64_t fail_in;
static uint64_t largest;

static phys_addr_t alloc_pages(struct dma_host *host, const struct dma_page_request *request)
{
	phys_addr_t phys;

	if (fail_in && --fail_in == 0)
		return DMAMAP_PHYS_NONE;
	if (largest && request->size > largest)
		return DMAMAP_PHYS_NONE;
	phys = real_alloc(host, request);
	/* content is undefined: make it visible if somebody forgets to zero it */
	if (phys != DMAMAP_PHYS_NONE)
		memset(host->phys_to_virt(host, phys), 0xa5, request->size);
	return phys;
}

void world_fail_at(uint64_t n)
{
	fail_in = n;
}

bool world_failed(void)
{
	return fail_in == 0;
}

void world_limit_blocks(uint64_t bytes)
{
	largest = bytes;
}

/* --- a table with pages */

static struct page *op_alloc_pages(struct dma_device *dev, size_t size, dma_addr_t *handle,
				   enum dma_data_direction dir, gfp_t gfp)
{
	struct dma_host *host = dma_device_host(dev);
	const struct dma_page_request request = {
		.size = size, .align = 4096, .ceiling = ~0ull, .node = -1, .gfp = gfp
	};
	phys_addr_t phys = host->alloc_pages(host, &request);

	assert_int_equal(size % 4096, 0);
	assert_true(dir <= DMA_FROM_DEVICE);
	if (phys == DMAMAP_PHYS_NONE)
		return NULL;
	memset(host->phys_to_virt(host, phys), 0, size);
	*handle = phys + OPS_OFFSET;
	return dmamap_phys_to_page(phys);
}

static void op_free_pages(struct dma_device *dev, size_t size, struct page *page, dma_addr_t handle,
			  enum dma_data_direction dir)
{
	struct dma_host *host = dma_device_host(dev);

	(void)dir;
	assert_true(handle == dmamap_page_to_phys(page) + OPS_OFFSET);
	host->free_pages(host, dmamap_page_to_phys(page), size);
}

static struct dma_map_ops table;

/* --- the world */

bool world_noncoherent(const struct world *w)
{
	return w->kind == WORLD_DIRECT_NONCOHERENT || w->kind == WORLD_STRICT_NONCOHERENT ||
	       w->kind == WORLD_OPS_NONCOHERENT;
}

static void start(struct world *w)
{
	struct sim_config config = { .size = sizeof(config), .seed = 1 };
	struct sim_device_config device = { .size = sizeof(device), .name = "dev" };

	config.noncoherent = config.adversarial = world_noncoherent(w);
	assert_int_equal(sim_machine_create(&config, &w->m), 0);
	assert_int_equal(sim_add_ram(w->m, 0x00100000, 0x3ff00000), 0);
	assert_int_equal(sim_add_ram(w->m, GIB(4), GIB(4)), 0);
	real_alloc = sim_host(w->m)->alloc_pages;
	sim_host(w->m)->alloc_pages = alloc_pages;
	assert_int_equal(sim_start(w->m), 0);
	assert_int_equal(sim_device_create(w->m, &device, &w->device), 0);
	w->dev = sim_dma(w->device);
}

static void put_behind_iommu(struct world *w)
{
	struct sim_iommu_config iommu = { .size = sizeof(iommu) };
	struct dma_domain_config domain = { .size = sizeof(domain) };

	domain.invalidation =
		w->kind == WORLD_LAZY ? DMA_INVALIDATION_LAZY : DMA_INVALIDATION_STRICT;
	assert_int_equal(sim_iommu_create(w->m, &iommu, &w->iommu), 0);
	assert_int_equal(sim_device_put_behind(w->device, w->iommu), 0);
	assert_int_equal(sim_domain_create(w->iommu, &domain, &w->domain), 0);
	assert_int_equal(dma_device_set_domain(w->dev, w->domain), 0);
}

static void put_window(struct world *w)
{
	static const struct dma_range map[] = { { 0, WINDOW_OFFSET, GIB(1) }, { 0, 0, 0 } };

	sim_device_set_windows(w->device, map);
	assert_int_equal(dma_device_set_range_map(w->dev, map), 0);
}

static void put_table(struct world *w)
{
	table = *sim_ops(SIM_OPS_PHYS);
	table.alloc_pages_op = op_alloc_pages;
	table.free_pages = op_free_pages;
	sim_device_set_offset(w->device, OPS_OFFSET);
	assert_int_equal(dma_device_set_ops(w->dev, &table), 0);
}

void world_begin(struct world *w, enum world_kind kind)
{
	memset(w, 0, sizeof(*w));
	w->kind = kind;
	fail_in = largest = 0;
	start(w);
	w->baseline = sim_memory_used(w->m);
	assert_int_equal(dma_set_mask_and_coherent(w->dev, DMA_BIT_MASK(64)), 0);
	switch (kind) {
	case WORLD_WINDOW:
		put_window(w);
		break;
	case WORLD_STRICT:
	case WORLD_STRICT_NONCOHERENT:
	case WORLD_LAZY:
		put_behind_iommu(w);
		break;
	case WORLD_OPS:
	case WORLD_OPS_NONCOHERENT:
		put_table(w);
		break;
	default:
		break;
	}
}

void world_end(struct world *w)
{
	struct sim_counters counters;

	world_fail_at(0);
	sim_get_counters(w->m, &counters);
	if (counters.warnings != w->warnings)
		print_message("# %s: %s\n", world_names[w->kind], sim_last_message(w->m));
	assert_int_equal(counters.warnings, w->warnings);
	if (w->device)
		assert_int_equal(sim_device_destroy(w->device), 0);
	if (w->domain)
		assert_int_equal(dma_domain_destroy(w->domain), 0);
	if (w->iommu)
		assert_int_equal(sim_iommu_destroy(w->iommu), 0);
	assert_int_equal(sim_memory_used(w->m), w->baseline);
	assert_int_equal(sim_machine_destroy(w->m), 0);
}

/* --- checks */

void expect_reason(struct world *w, enum dma_reason reason)
{
	struct dma_error err;

	assert_int_equal(dma_last_error(w->dev, &err), 0);
	assert_string_equal(dma_reason_name(err.reason), dma_reason_name(reason));
	assert_ptr_equal(err.dev, w->dev);
	assert_true(err.err < 0);
}

static void no_fault(struct world *w, int err, const struct sim_fault *fault)
{
	if (err)
		fail_msg("%s: fault at 0x%llx: %s", world_names[w->kind],
			 (unsigned long long)fault->addr, sim_fault_name(fault->reason));
}

void device_read(struct world *w, dma_addr_t addr, void *buf, uint64_t len)
{
	struct sim_fault fault;

	no_fault(w, sim_dma_read(w->device, addr, buf, len, &fault), &fault);
}

void device_write(struct world *w, dma_addr_t addr, const void *buf, uint64_t len)
{
	struct sim_fault fault;

	no_fault(w, sim_dma_write(w->device, addr, buf, len, &fault), &fault);
}

bool device_faults(struct world *w, dma_addr_t addr)
{
	unsigned char byte;

	return sim_dma_read(w->device, addr, &byte, 1, NULL) != 0;
}

void fill(unsigned char *buf, uint64_t len, unsigned int salt)
{
	for (uint64_t i = 0; i < len; i++)
		buf[i] = (unsigned char)(i * 7 + (i >> 8) + salt);
}

bool is_zero(const unsigned char *buf, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		if (buf[i])
			return false;
	return true;
}

uint64_t test_seed(void)
{
	const char *text = getenv("DMAMAP_TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);

	print_message("# DMAMAP_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed * 0x9e3779b97f4a7c15ull | 1;
}

uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* --- every route */

void on_every_route(void (*scenario)(struct world *w))
{
	for (enum world_kind kind = 0; kind < WORLD_KINDS; kind++) {
		struct world w;

		world_begin(&w, kind);
		scenario(&w);
		world_end(&w);
	}
}

static bool fails_at(enum world_kind kind, void (*scenario)(struct world *w), uint64_t n)
{
	struct world w;
	bool came;

	world_begin(&w, kind);
	world_fail_at(n);
	scenario(&w);
	came = world_failed();
	/* one request failed, so at the most one call did; it may have had another way */
	assert_true(w.failures <= (came ? 1 : 0));
	world_end(&w);
	return came;
}

void each_failure_on_every_route(void (*scenario)(struct world *w))
{
	for (enum world_kind kind = 0; kind < WORLD_KINDS; kind++) {
		uint64_t n = 1;

		while (fails_at(kind, scenario, n))
			n++;
		assert_true(n > 1);
	}
}
