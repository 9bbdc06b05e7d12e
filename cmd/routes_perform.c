/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One row of `dmamap routes`: a machine is built for it, a buffer mapped, used by the device, unmapped and tried again.
 * Nothing is looked up: each field is what an observer, the simulated hardware or the host's counters saw.
 *
 * The machine is non-coherent, so that missing cache maintenance would show as wrong data. The device of the method
 * tables sits behind a translator that adds an offset; what is mapped directly goes around it, through a window below
 * 4 GiB. The BAR lies below 4 GiB too: a route that asked about MMIO where it must not would be seen.
 *
 * RAM and a BAR above 4 GiB are there for the device with 32 address lines: both lie where it cannot reach. The device
 * of the range map sees RAM and the BAR through one window each, neither of them at the CPU's address.
 */
#include <string.h>

#include <dmamap/sim.h>

#include "routes.h"

#define RAM_BASE   0x1000000ull
#define RAM_SIZE   0x10000000ull
#define BAR_BASE   0xe0000000ull
#define BAR_SIZE   0x100000ull
#define BOUNDARY   0x100000000ull
#define OPS_OFFSET 0x10000000000ull
#define POOL_BYTES (4u << 20)
/* Out of reach for 32 address lines. */
#define HIGH_RAM_BASE 0x200000000ull
#define HIGH_RAM_SIZE 0x1000000ull
#define HIGH_BAR_BASE 0x8000000000ull
/* Where the windows of the range map show RAM and BAR. */
#define RAM_WINDOW 0x80000000ull
#define BAR_WINDOW 0x40000000ull

/* Whole cache lines, on two pages. */
#define BUFFER_OFFSET 0x100ull
#define BUFFER_SIZE   6016u

struct bench {
	struct sim_machine *machine;
	struct sim_device *device;
	struct sim_iommu *iommu;
	struct dma_domain *domain;
	struct dma_bounce *pool;
	struct dma_observer observer;
	const struct cmd_format *format;
	struct routes_row *row;
	phys_addr_t phys;
};

const char *routes_kind_name(enum routes_kind kind)
{
	static const char *const names[ROUTES_KINDS] = {
		[ROUTES_DIRECT] = "direct",
		[ROUTES_FORCED_BOUNCE] = "direct-forced-bounce",
		[ROUTES_ARCH_DIRECT] = "arch-direct",
		[ROUTES_IOMMU_STRICT] = "iommu-strict",
		[ROUTES_IOMMU_LAZY] = "iommu-lazy",
		[ROUTES_OPS_PHYS] = "ops-phys",
		[ROUTES_OPS_PAGE] = "ops-page",
		[ROUTES_OPS_PAGE_ONLY] = "ops-page-only",
		[ROUTES_MASK32] = "direct-mask32",
		[ROUTES_RANGE_MAP] = "direct-range-map",
		[ROUTES_COHERENT] = "direct-coherent",
	};

	return names[kind];
}

static void observe(struct dma_observer *observer, const struct dma_event *event)
{
	struct bench *b =
		(struct bench *)(void *)((char *)observer - offsetof(struct bench, observer));

	switch (event->type) {
	case DMA_EVENT_MAP_PHYS:
		b->row->traced = true;
		b->row->took = event->route;
		break;
	case DMA_EVENT_UNMAP_PHYS:
		b->row->unmap_traced = true;
		break;
	case DMA_EVENT_SWIOTLB_BOUNCED:
		b->row->bounced = true;
		break;
	default:
		break;
	}
}

/* Low memory for every route; high memory only where it is used, so that elsewhere nothing is out of reach. */
static int add_memory(struct bench *b)
{
	int rc = sim_add_ram(b->machine, RAM_BASE, RAM_SIZE);

	if (!rc)
		rc = sim_add_bar(b->machine, BAR_BASE, BAR_SIZE);
	if (b->row->kind != ROUTES_MASK32)
		return rc;
	if (!rc)
		rc = sim_add_ram(b->machine, HIGH_RAM_BASE, HIGH_RAM_SIZE);
	return rc ? rc : sim_add_bar(b->machine, HIGH_BAR_BASE, BAR_SIZE);
}

static int build_machine(struct bench *b)
{
	const struct sim_config config = { .size = sizeof(config),
					   .noncoherent = true,
					   .page_size = cmd_format_page_size(b->format) };
	const struct dma_bounce_config pool = { .size = sizeof(pool), .bytes = POOL_BYTES };
	int rc = sim_machine_create(&config, &b->machine);

	if (!rc)
		rc = add_memory(b);
	if (!rc)
		rc = sim_start(b->machine);
	if (!rc)
		rc = dma_bounce_create(sim_host(b->machine), &pool, &b->pool);
	if (!rc)
		sim_host(b->machine)->default_bounce = b->pool;
	return rc;
}

static int set_iommu(struct bench *b, enum dma_invalidation invalidation)
{
	struct sim_iommu_config unit = b->format->iommu;
	const struct dma_domain_config config = { .size = sizeof(config),
						  .invalidation = invalidation };
	int rc;

	unit.size = sizeof(unit);
	rc = sim_iommu_create(b->machine, &unit, &b->iommu);
	if (!rc)
		rc = sim_device_put_behind(b->device, b->iommu);
	if (!rc)
		rc = sim_domain_create(b->iommu, &config, &b->domain);
	if (!rc)
		rc = dma_device_set_domain(sim_dma(b->device), b->domain);
	return rc;
}

static int set_ops(struct bench *b, enum sim_ops_kind kind)
{
	sim_device_set_offset(b->device, OPS_OFFSET);
	return dma_device_set_ops(sim_dma(b->device), sim_ops(kind));
}

/* The hardware and what the library is told of it: the same windows. */
static int set_windows(struct bench *b)
{
	static const struct dma_range windows[] = {
		{ .cpu = RAM_BASE, .dma = RAM_WINDOW, .size = RAM_SIZE },
		{ .cpu = BAR_BASE, .dma = BAR_WINDOW, .size = BAR_SIZE },
		{ .size = 0 },
	};

	sim_device_set_windows(b->device, windows);
	return dma_device_set_range_map(sim_dma(b->device), windows);
}

static int set_route(struct bench *b)
{
	switch (b->row->kind) {
	case ROUTES_FORCED_BOUNCE:
		return dma_device_set_force_bounce(sim_dma(b->device), true);
	case ROUTES_ARCH_DIRECT:
		sim_set_arch_direct(b->machine, BOUNDARY, false);
		sim_device_set_bypass_window(b->device, BOUNDARY);
		return set_ops(b, SIM_OPS_ALL);
	case ROUTES_IOMMU_STRICT:
		return set_iommu(b, DMA_INVALIDATION_STRICT);
	case ROUTES_IOMMU_LAZY:
		return set_iommu(b, DMA_INVALIDATION_LAZY);
	case ROUTES_OPS_PHYS:
		return set_ops(b, SIM_OPS_PHYS);
	case ROUTES_OPS_PAGE:
		return set_ops(b, SIM_OPS_PAGE);
	case ROUTES_OPS_PAGE_ONLY:
		return set_ops(b, SIM_OPS_PAGE_ONLY);
	case ROUTES_RANGE_MAP:
		return set_windows(b);
	default:
		return 0;
	}
}

static int build_device(struct bench *b)
{
	unsigned int bits = b->row->kind == ROUTES_MASK32 ? 32 : 64;
	const struct sim_device_config config = { .size = sizeof(config),
						  .name = "dev0",
						  .address_bits = bits,
						  .coherent = b->row->kind == ROUTES_COHERENT };
	int rc = sim_device_create(b->machine, &config, &b->device);

	if (!rc)
		rc = set_route(b);
	return rc ? rc : dma_set_mask_and_coherent(sim_dma(b->device), DMA_BIT_MASK(bits));
}

static int build(struct bench *b)
{
	uint64_t pages = BUFFER_OFFSET + BUFFER_SIZE + DMAMAP_PAGE_SIZE - 1;
	phys_addr_t floor = b->row->kind == ROUTES_MASK32 ? BOUNDARY : 0;
	int rc = build_machine(b);

	pages -= pages % DMAMAP_PAGE_SIZE;
	if (!rc)
		rc = build_device(b);
	if (!rc)
		rc = dma_observer_attach(sim_host(b->machine), &b->observer);
	if (rc)
		return rc;
	b->phys = b->row->mmio ? sim_alloc_mmio(b->machine, pages, floor, UINT64_MAX)
			       : sim_alloc(b->machine, pages, DMAMAP_PAGE_SIZE, floor, UINT64_MAX);
	if (b->phys == DMAMAP_PHYS_NONE)
		return -DMAMAP_ENOMEM;
	b->phys += BUFFER_OFFSET;
	return 0;
}

static void take_down(struct bench *b)
{
	if (b->device) {
		dma_observer_detach(sim_host(b->machine), &b->observer);
		sim_device_destroy(b->device);
	}
	if (b->domain)
		dma_domain_destroy(b->domain);
	if (b->iommu)
		sim_iommu_destroy(b->iommu);
	if (b->pool)
		dma_bounce_destroy(b->pool);
	sim_machine_destroy(b->machine);
}

/* Bytes that differ from those of any other @round. */
static void pattern(unsigned char *buf, unsigned int round)
{
	for (unsigned int i = 0; i < BUFFER_SIZE; i++)
		buf[i] = (unsigned char)(i * 7 + (i >> 8) + round * 31 + 1);
}

static bool matches(const unsigned char *buf, unsigned int round)
{
	unsigned char want[BUFFER_SIZE];

	pattern(want, round);
	return memcmp(buf, want, sizeof(want)) == 0;
}

/* The device moves every byte in the mapped direction: it must read round 0, and writes round 1. */
static bool use(struct bench *b)
{
	const struct routes_row *row = b->row;
	unsigned char buf[BUFFER_SIZE];

	if (row->dir != DMA_FROM_DEVICE) {
		if (sim_dma_read(b->device, row->dma_addr, buf, sizeof(buf), NULL) ||
		    !matches(buf, 0))
			return false;
	}
	if (row->dir == DMA_TO_DEVICE)
		return true;
	pattern(buf, 1);
	return sim_dma_write(b->device, row->dma_addr, buf, sizeof(buf), NULL) == 0;
}

/* After the unmap the CPU must see what the device wrote, or what it had written itself. */
static bool arrived(struct bench *b)
{
	unsigned char buf[BUFFER_SIZE];

	return sim_cpu_read(b->machine, b->phys, buf, sizeof(buf)) == 0 &&
	       matches(buf, b->row->dir == DMA_TO_DEVICE ? 0 : 1);
}

static bool try_again(struct bench *b)
{
	const struct routes_row *row = b->row;
	unsigned char buf[BUFFER_SIZE];
	bool reached = false;

	if (row->dir != DMA_FROM_DEVICE)
		reached = sim_dma_read(b->device, row->dma_addr, buf, sizeof(buf), NULL) == 0;
	pattern(buf, 2);
	if (row->dir != DMA_TO_DEVICE)
		reached |= sim_dma_write(b->device, row->dma_addr, buf, sizeof(buf), NULL) == 0;
	return reached;
}

static uint64_t cache_calls(struct bench *b)
{
	struct sim_counters c;

	sim_get_counters(b->machine, &c);
	return c.cache_for_device + c.cache_for_cpu + c.cache_for_cpu_all + c.cache_flush;
}

static uint64_t sanitizer_calls(struct bench *b)
{
	struct sim_counters c;

	sim_get_counters(b->machine, &c);
	return c.sanitized;
}

static void map(struct bench *b, unsigned long attrs)
{
	struct routes_row *row = b->row;
	struct dma_device *dev = sim_dma(b->device);
	uint64_t sanitized = sanitizer_calls(b);
	struct dma_error error;

	sim_reset_method(b->device);
	row->dma_addr = dma_map_phys(dev, b->phys, BUFFER_SIZE, row->dir, attrs);
	row->ok = dma_mapping_error(dev, row->dma_addr) == 0;
	row->method = sim_last_method(b->device);
	row->sanitized = sanitizer_calls(b) != sanitized;
	if (!row->ok && dma_last_error(dev, &error) == 0)
		row->reason = error.reason;
}

static void unmap(struct bench *b, unsigned long attrs)
{
	struct routes_row *row = b->row;

	sim_reset_method(b->device);
	dma_unmap_phys(sim_dma(b->device), row->dma_addr, BUFFER_SIZE, row->dir, attrs);
	row->unmap_method = sim_last_method(b->device);
}

static int perform(struct bench *b)
{
	struct routes_row *row = b->row;
	unsigned long attrs = row->mmio ? DMA_ATTR_MMIO : 0;
	unsigned char buf[BUFFER_SIZE];
	uint64_t cache;
	bool used;

	pattern(buf, 0);
	if (sim_cpu_write(b->machine, b->phys, buf, sizeof(buf)))
		return -DMAMAP_EFAULT;
	cache = cache_calls(b);
	map(b, attrs);
	if (row->ok) {
		used = use(b);
		unmap(b, attrs);
		row->data = used && arrived(b) ? ROUTES_ARRIVED : ROUTES_BLOCKED;
	}
	row->cache_synced = cache_calls(b) != cache;
	if (row->ok)
		row->after_unmap = try_again(b) ? ROUTES_ARRIVED : ROUTES_BLOCKED;
	return 0;
}

int routes_perform(struct routes_row *row, const struct cmd_format *format)
{
	struct bench bench = { .observer = { .event = observe }, .format = format, .row = row };
	int rc = build(&bench);

	if (!rc)
		rc = perform(&bench);
	take_down(&bench);
	return rc;
}
