/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated machine of a replay, and its devices. A device is created at its first event, with the route that was
 * chosen for its trace; behind the IOMMU it has a domain of its own. Devices of different traces are different devices,
 * whatever their names.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

/*
 * Lazily, an invalidation is due that long after the first unmap. Recordings are of machines so idle that the library's
 * default of 10 ms rarely finds two to do together.
 */
#define FLUSH_NS 30000000ull

/* Like a PC's: without such a zone no mask below 32 bits would be of use. */
#define ZONE_TOP 0xffffffull

static uint64_t mask_of(const struct replay *r)
{
	return DMA_BIT_MASK(r->options.mask_bits);
}

static int make_iommu(struct replay *r)
{
	struct sim_iommu_config config = r->options.format->iommu;

	config.size = sizeof(config);
	config.incoherent_walk = r->options.noncoherent;
	return sim_iommu_create(r->machine, &config, &r->iommu);
}

/* Buffers that may share a cache line with other data bounce on a non-coherent machine, as in kernels built for them. */
static void enable_small_buffer_bounce(struct dma_host *host)
{
	host->min_dma_align = 128;
	host->cache_line = 64;
	host->bounce_small_buffers = true;
}

/* A dry pass wants to know where copies go, not what is in them. */
static void copy_nothing(struct dma_host *host, void *dst, const void *src, size_t size)
{
	(void)host;
	(void)dst;
	(void)src;
	(void)size;
}

static int build(struct replay *r)
{
	/* Lines are evicted and fetched at random, so that a missing sync shows. */
	const struct sim_config config = { .size = sizeof(config),
					   .noncoherent = r->options.noncoherent,
					   .adversarial = r->options.noncoherent,
					   .page_size = cmd_format_page_size(r->options.format) };
	int rc = sim_machine_create(&config, &r->machine);

	if (!rc)
		rc = frames_init(&r->frames, r->machine, r->options.mask_bits);
	if (!rc) {
		sim_host(r->machine)->zone_dma_limit = ZONE_TOP;
		if (r->options.noncoherent)
			enable_small_buffer_bounce(sim_host(r->machine));
		if (r->options.dry)
			sim_host(r->machine)->copy = copy_nothing;
		rc = sim_start(r->machine);
	}
	return rc;
}

int machine_start(struct replay *r)
{
	int rc = build(r);

	if (!rc)
		rc = live_index_init(&r->index);
	if (!rc) {
		r->scratch = malloc(REPLAY_SCRATCH);
		rc = r->scratch ? 0 : -ENOMEM;
	}
	if (!rc)
		return 0;
	cmd_say("the simulated machine cannot be built: %s", strerror(-rc));
	return CMD_INTERNAL;
}

static void destroy_device(struct replay_device *device)
{
	if (device->sim)
		sim_device_destroy(device->sim);
	if (device->domain)
		dma_domain_destroy(device->domain);
	free(device->name);
	free(device);
}

void machine_end(struct replay *r)
{
	while (r->index.all)
		replay_drop(r, r->index.all);
	for (struct replay_device *device = r->devices, *next; device; device = next) {
		next = device->next;
		destroy_device(device);
	}
	if (r->iommu)
		sim_iommu_destroy(r->iommu);
	if (r->pool_watched)
		dma_observer_detach(sim_host(r->machine), &r->pool_observer);
	for (unsigned int i = 0; i < r->n_pools; i++)
		dma_bounce_destroy(r->pools[i]);
	live_index_free(&r->index);
	sim_machine_destroy(r->machine);
	free(r->lines.ring);
	free(r->lengths);
	free(r->scratch);
}

/* A name like 0000:00:02.0. */
static bool is_pci(const char *name)
{
	const char *p = name;

	while (isxdigit((unsigned char)*p) || *p == ':')
		p++;
	return p - name >= 7 && p[-3] == ':' && *p == '.' && p[1] >= '0' && p[1] <= '7' && !p[2];
}

static int put_behind_iommu(struct replay *r, struct replay_device *device)
{
	const struct dma_domain_config config = { .size = sizeof(config),
						  .invalidation = r->options.invalidation,
						  .flush_ns = FLUSH_NS };
	int rc = r->iommu ? 0 : make_iommu(r);

	if (!rc)
		rc = sim_device_put_behind(device->sim, r->iommu);
	if (!rc)
		rc = sim_domain_create(r->iommu, &config, &device->domain);
	if (!rc)
		rc = dma_device_set_domain(sim_dma(device->sim), device->domain);
	return rc;
}

/* What the translator in front of devices with a method table adds: something that the mask leaves room for. */
static uint64_t ops_offset(const struct replay *r)
{
	unsigned int bits = r->options.mask_bits;

	return bits >= 48 ? 1ull << 40 : bits >= 28 ? 1ull << 24 : r->frames.page;
}

static int set_route(struct replay *r, struct replay_device *device)
{
	switch (device->route) {
	case REPLAY_IOMMU:
		return put_behind_iommu(r, device);
	case REPLAY_OPS:
		sim_device_set_offset(device->sim, ops_offset(r));
		return dma_device_set_ops(sim_dma(device->sim), sim_ops(SIM_OPS_PHYS));
	default:
		return 0;
	}
}

static int set_up(struct replay *r, struct replay_device *device)
{
	struct sim_device_config config = { .size = sizeof(config), .name = device->name };
	struct dma_device *dev;
	int rc;

	/* The engine drives no more lines than the mask says, unless a translator adds its offset. */
	config.address_bits = device->route == REPLAY_OPS ? 0 : r->options.mask_bits;
	rc = sim_device_create(r->machine, &config, &device->sim);
	if (rc)
		return rc;
	dev = sim_dma(device->sim);
	dma_device_set_parms(dev, &device->parms);
	rc = set_route(r, device);
	/* Storage controllers set no limit; lists are then merged as far as an IOMMU can. */
	if (!rc)
		rc = dma_set_max_seg_size(dev, UINT32_MAX);
	if (!rc && is_pci(device->name))
		rc = dma_device_set_pci(dev, true, false);
	return rc;
}

static int refuse_mask(const struct replay *r, struct replay_device *device)
{
	struct dma_error error = { .reason = DMA_REASON_NONE };
	char text[256] = "";

	if (dma_last_error(sim_dma(device->sim), &error) == 0)
		dma_error_format(&error, text, sizeof(text));
	return cmd_usage("replay", "--mask: %u bits are not enough for %s on this route: %s",
			 r->options.mask_bits, device->name, text);
}

static int no_device(const struct replay_device *device, int rc)
{
	cmd_say("%s: the simulated device cannot be set up: %s", device->name, strerror(-rc));
	return CMD_INTERNAL;
}

static int no_pool(const struct replay *r)
{
	/* A dry pass only asks. */
	if (r->options.dry)
		return CMD_USAGE;
	return cmd_usage("replay",
			 "--bounce-pool: %" PRIu64 " bytes do not fit below 4 GiB and the mask",
			 r->options.bounce_pool);
}

/* The pool comes last: a mask that reaches nothing is the user's error and shall be called so. */
static int create(struct replay *r, struct replay_device *device)
{
	int rc = set_up(r, device);

	if (rc)
		return no_device(device, rc);
	if (dma_set_mask_and_coherent(sim_dma(device->sim), mask_of(r)))
		return refuse_mask(r, device);
	rc = pool_give(r, device);
	if (rc == -ENOSPC)
		return no_pool(r);
	if (rc)
		return no_device(device, rc);
	r->counts.devices++;
	return 0;
}

static struct replay_device **bucket_of(struct replay *r, const char *name)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3ull;
	return &r->device_buckets[(h ^ (h >> 32)) % REPLAY_DEVICE_BUCKETS];
}

struct replay_device *machine_device(struct replay *r, const char *name, int *code)
{
	struct replay_device **bucket = bucket_of(r, name), *device;

	for (device = *bucket; device; device = device->next_in_bucket) {
		if (device->trace == r->trace && strcmp(device->name, name) == 0)
			return device;
	}
	device = calloc(1, sizeof(*device));
	if (device)
		device->name = strdup(name);
	if (!device || !device->name) {
		free(device);
		cmd_say("out of memory");
		*code = CMD_INTERNAL;
		return NULL;
	}
	device->trace = r->trace;
	device->route = r->trace_route;
	device->next_in_bucket = *bucket;
	*bucket = device;
	device->next = r->devices;
	r->devices = device;
	*code = create(r, device);
	return *code ? NULL : device;
}

static void add_domain(struct replay *r, struct dma_domain *domain)
{
	struct dma_domain_stats stats;

	dma_domain_get_stats(domain, &stats);
	r->counts.invalidations += stats.invalidations;
	r->counts.iova_peak_bytes += stats.iova_peak_bytes;
	r->counts.table_peak_bytes += stats.table_peak_bytes;
}

void machine_figures(struct replay *r)
{
	struct dma_bounce_stats pool;

	for (struct replay_device *device = r->devices; device; device = device->next) {
		if (device->domain)
			add_domain(r, device->domain);
	}
	for (unsigned int i = 0; i < r->n_pools; i++) {
		dma_bounce_get_stats(r->pools[i], &pool);
		r->counts.bounce_peak_bytes += pool.peak_slots * pool.slot_size;
	}
}
