/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IOMMUs of the recording host: a unit whose tables the test walks by itself (fixture_walk.c), and a backend without
 * tables that records its calls and knows when it is used in a wrong order.
 */
#include "fixture.h"

/* --- a unit */

static struct fx_unit *unit_of(struct dma_iommu_unit *unit)
{
	return (struct fx_unit *)(void *)unit;
}

static int unit_attach(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int domain_id,
		       phys_addr_t root, unsigned int levels)
{
	struct fx_unit *u = unit_of(unit);

	fx_log(u->fx, "U:attach")->dev = dev;
	assert_int_equal(domain_id, 7);
	if (u->refuse)
		return u->refuse;
	u->root = root;
	u->levels = levels;
	return 0;
}

static void unit_detach(struct dma_iommu_unit *unit, struct dma_device *dev)
{
	fx_log(unit_of(unit)->fx, "U:detach")->dev = dev;
}

static void unit_invalidate(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
			    uint64_t len, bool leaf_only)
{
	struct fx_entry *entry;

	assert_int_equal(domain_id, 7);
	entry = fx_log(unit_of(unit)->fx, len == ~(uint64_t)0 ? "U:flush" : "U:invalidate");
	entry->addr = iova;
	entry->size = len;
	entry->extra = leaf_only;
}

static void unit_wait(struct dma_iommu_unit *unit)
{
	fx_log(unit_of(unit)->fx, "U:wait");
}

static const struct dma_iommu_unit_ops unit_ops = {
	.size = sizeof(unit_ops),
	.attach = unit_attach,
	.detach = unit_detach,
	.invalidate = unit_invalidate,
	.wait = unit_wait,
};

struct dma_domain *fx_domain_with(struct fx *fx, const struct dma_domain_config *config)
{
	struct fx_unit *u = &fx->unit[fx->nr_domain];
	const struct dma_pt_config pt = {
		.size = sizeof(pt),
		.format = fx_format(),
		.levels = 4,
		.input_bits = fx_format_is_arm() ? 48 : 0,
		.output_bits = 46,
		.page_sizes = MIB(2) | GIB(1),
		.coherent_walk = !fx->incoherent_walk,
		.unit = &u->unit,
		.domain_id = 7,
	};
	struct dma_backend *backend;

	assert_true(fx->nr_domain < 4);
	u->unit.ops = &unit_ops;
	u->fx = fx;
	assert_int_equal(dma_pt_backend_create(&fx->host, &pt, &backend), 0);
	assert_int_equal(dma_domain_create(&fx->host, backend, config, &fx->domain[fx->nr_domain]),
			 0);
	/* There it is not the format that keeps the MSI window out, but who owns the bus. */
	if (fx_format_is_arm())
		assert_int_equal(dma_domain_reserve(fx->domain[fx->nr_domain], 0xfee00000, MIB(1)),
				 0);
	fx->host.untrusted_may_read_back = fx_write_only() != 2;
	return fx->domain[fx->nr_domain++];
}

struct dma_domain *fx_domain(struct fx *fx, enum dma_invalidation invalidation)
{
	const struct dma_domain_config config = { .size = sizeof(config),
						  .invalidation = invalidation };

	return fx_domain_with(fx, &config);
}

struct dma_device *fx_behind(struct fx *fx, struct dma_domain *domain)
{
	struct dma_device *dev = fx_device(fx);

	assert_int_equal(dma_device_set_domain(dev, domain), 0);
	assert_int_equal(dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	fx_clear(fx);
	return dev;
}

struct dma_device *fx_io(struct fx *fx)
{
	return fx_behind(fx, fx_domain(fx, DMA_INVALIDATION_STRICT));
}

struct dma_device *fx_iop(struct fx *fx)
{
	struct dma_device *dev = fx_io(fx);

	assert_int_equal(dma_device_set_pci(dev, true, false), 0);
	return dev;
}

struct dma_device *fx_iou(struct fx *fx, unsigned int min_align_mask)
{
	struct dma_device *dev = fx_iop(fx);

	assert_int_equal(dma_device_set_untrusted(dev, true), 0);
	assert_int_equal(dma_device_set_bounce(dev, fx_pool(fx)), 0);
	assert_int_equal(dma_set_min_align_mask(dev, min_align_mask), 0);
	fx_clear(fx);
	return dev;
}

uint64_t fx_iova_bytes(struct dma_domain *domain)
{
	struct dma_domain_stats stats;

	dma_domain_get_stats(domain, &stats);
	return stats.iova_bytes;
}

/* --- the recording backend */

static struct fx_backend *fb_of(struct dma_backend *backend)
{
	return (struct fx_backend *)(void *)backend;
}

static struct fx_entry *called(struct fx_backend *fb, const char *what, uint64_t iova, uint64_t len)
{
	struct fx_entry *entry = fx_log(fb->fx, what);

	entry->addr = iova;
	entry->size = len;
	return entry;
}

static bool overlap(const struct fx_live *live, uint64_t iova, uint64_t len)
{
	return live->len && iova < live->iova + live->len && live->iova < iova + len;
}

/** Is the address still in use, or still cached by the hardware? */
static void check_unused(struct fx_backend *fb, uint64_t iova, uint64_t len)
{
	for (unsigned int i = 0; i < fb->nr; i++) {
		if (!overlap(&fb->live[i], iova, len))
			continue;
		fb->violations++;
	}
}

static bool fails_now(struct fx_backend *fb)
{
	if (!fb->map_result)
		return false;
	if (!fb->fail_at)
		return true;
	return --fb->fail_at == 0;
}

static int fb_map(struct dma_backend *backend, dma_addr_t iova, const struct dma_vec *vec, size_t n,
		  unsigned int prot)
{
	struct fx_backend *fb = fb_of(backend);
	uint64_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += vec[i].len;
	called(fb, "B:map", iova, len)->extra = prot;
	if (fails_now(fb)) {
		fb->fail_at = 0;
		return fb->map_result;
	}
	check_unused(fb, iova, len);
	for (size_t i = 0; i < n; i++) {
		assert_true(fb->nr < 512);
		assert_int_equal((vec[i].phys | vec[i].len | iova) & 4095, 0);
		fb->live[fb->nr++] =
			(struct fx_live){ iova, vec[i].phys, vec[i].len, prot, false, false };
		iova += vec[i].len;
	}
	return 0;
}

static uint64_t fb_unmap(struct dma_backend *backend, dma_addr_t iova, uint64_t len)
{
	struct fx_backend *fb = fb_of(backend);
	uint64_t done = 0;

	called(fb, "B:unmap", iova, len);
	for (unsigned int i = 0; i < fb->nr; i++) {
		if (fb->live[i].stale || !overlap(&fb->live[i], iova, len))
			continue;
		fb->live[i].stale = true;
		fb->partial +=
			fb->live[i].iova < iova || fb->live[i].iova + fb->live[i].len > iova + len;
		done += fb->live[i].len;
	}
	return done;
}

/** With give_tables every unmap left an empty table. */
static void fb_prune(struct dma_backend *backend, struct dma_freed *freed)
{
	struct fx_backend *fb = fb_of(backend);

	called(fb, "B:prune", 0, 0);
	if (!fb->give_tables)
		return;
	freed->tables = fb;
	freed->bytes += 4096;
}

static int fb_sync_map(struct dma_backend *backend, dma_addr_t iova, uint64_t len)
{
	struct fx_backend *fb = fb_of(backend);

	called(fb, "B:sync_map", iova, len);
	return fb->sync_map_result;
}

static void fb_invalidate(struct dma_backend *backend, dma_addr_t iova, uint64_t len,
			  bool leaf_only)
{
	struct fx_backend *fb = fb_of(backend);

	called(fb, len == ~(uint64_t)0 ? "B:flush" : "B:invalidate", iova, len)->extra = leaf_only;
	for (unsigned int i = 0; i < fb->nr; i++)
		if (fb->live[i].stale && (len == ~(uint64_t)0 || overlap(&fb->live[i], iova, len)))
			fb->live[i].waited = true;
}

static void fb_wait(struct dma_backend *backend)
{
	struct fx_backend *fb = fb_of(backend);
	unsigned int kept = 0;

	called(fb, "B:wait", 0, 0);
	for (unsigned int i = 0; i < fb->nr; i++)
		if (!fb->live[i].waited)
			fb->live[kept++] = fb->live[i];
	fb->nr = kept;
}

static void fb_release(struct dma_backend *backend, struct dma_freed *freed)
{
	struct fx_backend *fb = fb_of(backend);

	called(fb, "B:release", 0, freed->bytes);
	for (unsigned int i = 0; i < fb->nr; i++)
		fb->violations += fb->live[i].stale;
	freed->tables = NULL;
	freed->bytes = 0;
}

static int fb_iova_to_phys(struct dma_backend *backend, dma_addr_t iova, phys_addr_t *phys)
{
	struct fx_backend *fb = fb_of(backend);

	called(fb, "B:iova_to_phys", iova, 0);
	for (unsigned int i = 0; i < fb->nr; i++) {
		if (fb->live[i].stale || !overlap(&fb->live[i], iova, 1))
			continue;
		*phys = fb->live[i].phys + (iova - fb->live[i].iova);
		return 0;
	}
	return -6; /* ENXIO */
}

static int fb_attach(struct dma_backend *backend, struct dma_device *dev)
{
	called(fb_of(backend), "B:attach", 0, 0)->dev = dev;
	return 0;
}

static void fb_detach(struct dma_backend *backend, struct dma_device *dev)
{
	called(fb_of(backend), "B:detach", 0, 0)->dev = dev;
}

static void fb_destroy(struct dma_backend *backend)
{
	called(fb_of(backend), "B:destroy", 0, 0);
	free(fb_of(backend));
}

static const struct dma_backend_ops fb_ops = {
	.size = sizeof(fb_ops),
	.map = fb_map,
	.unmap = fb_unmap,
	.prune = fb_prune,
	.sync_map = fb_sync_map,
	.invalidate = fb_invalidate,
	.wait = fb_wait,
	.release = fb_release,
	.iova_to_phys = fb_iova_to_phys,
	.attach = fb_attach,
	.detach = fb_detach,
	.destroy = fb_destroy,
};

struct fx_backend *fx_backend_new(struct fx *fx)
{
	struct fx_backend *fb = calloc(1, sizeof(*fb));

	assert_non_null(fb);
	fb->fx = fx;
	fb->backend.ops = &fb_ops;
	fb->backend.caps = (struct dma_backend_caps){
		.page_sizes = KIB(4) | MIB(2) | GIB(1),
		.aperture_end = DMA_BIT_MASK(48),
		.output_bits = 46,
		.may_unmap_part = true,
		.write_only = true,
		.coherent_walk = true,
	};
	return fb;
}

struct dma_domain *fx_domain_over(struct fx *fx, struct fx_backend *fb,
				  enum dma_invalidation invalidation)
{
	const struct dma_domain_config config = { .size = sizeof(config),
						  .invalidation = invalidation };

	assert_int_equal(
		dma_domain_create(&fx->host, &fb->backend, &config, &fx->domain[fx->nr_domain]), 0);
	return fx->domain[fx->nr_domain++];
}
