/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VT-d remapping hardware: what a unit can do, its life, and its backends. docs: VT-d architecture specification 4.1.
 */
#include "vtd.h"

/* --- registers that are asked for something */

static bool status_is(struct dma_vtd *v, uint32_t mask, uint32_t value)
{
	return dmamap_hw_wait_reg32(v->host, v->regs + VTD_GSTS_32, mask, value, v->timeout_ns);
}

int dmamap_vtd_command(struct dma_vtd *v, uint32_t on, uint32_t off)
{
	v->gcmd = (v->gcmd | on) & ~off;
	vtd_write32(v, VTD_GCMD_32, v->gcmd);
	return status_is(v, on | off, on) ? 0 : -DMAMAP_EIO;
}

int dmamap_vtd_ask(struct dma_vtd *v, uint32_t bit, uint32_t mask, uint32_t value)
{
	vtd_write32(v, VTD_GCMD_32, v->gcmd | bit);
	return status_is(v, mask, value) ? 0 : -DMAMAP_EIO;
}

/* --- the unit that the page tables see */

static void domain_gone(struct dma_iommu_unit *unit, unsigned int domain_id)
{
	struct dma_vtd *v = vtd_of(unit);
	uint64_t *ids = v->ids.cpu;

	dmamap_lock(v->host, &v->lock);
	ids[domain_id / 64] &= ~((uint64_t)1 << domain_id % 64);
	v->live--;
	dmamap_unlock(v->host, &v->lock);
}

/** A number that nobody uses; 0: there is none. */
static unsigned int take_id(struct dma_vtd *v)
{
	uint64_t *ids = v->ids.cpu;

	for (unsigned int i = 0; i < (v->info.domains + 63) / 64; i++) {
		unsigned int id;

		if (ids[i] == ~(uint64_t)0)
			continue;
		id = i * 64 + low_bit(~ids[i]);
		if (id >= v->info.domains)
			return 0;
		ids[i] |= (uint64_t)1 << id % 64;
		v->live++;
		return id;
	}
	return 0;
}

static int domain_new(struct dma_iommu_unit *unit, unsigned int *domain_id)
{
	struct dma_vtd *v = vtd_of(unit);

	if (vtd_broken(v))
		return -DMAMAP_EIO;
	dmamap_lock(v->host, &v->lock);
	*domain_id = take_id(v);
	dmamap_unlock(v->host, &v->lock);
	return *domain_id ? 0 : -DMAMAP_ENOSPC;
}

static void get_caps(struct dma_iommu_unit *unit, struct dma_device *dev,
		     struct dma_unit_caps *caps)
{
	const struct dma_vtd *v = vtd_of(unit);

	(void)dev;
	*caps = (struct dma_unit_caps){
		.formats = 1u << DMA_PT_VTD_SECOND_STAGE,
		.output_bits = v->info.output_bits,
		.input_bits = v->info.input_bits,
		.page_sizes = v->info.page_sizes | 4096,
		.incoherent_walk = !v->info.coherent_walk,
		.map_side_work = v->info.caching_mode || v->info.write_buffer,
	};
}

static const struct dma_iommu_unit_ops plain_ops = {
	.size = sizeof(struct dma_iommu_unit_ops),
	.attach = dmamap_vtd_attach,
	.detach = dmamap_vtd_detach,
	.invalidate = dmamap_vtd_invalidate,
	.wait = dmamap_vtd_wait,
	.domain_gone = domain_gone,
	.domain_new = domain_new,
	.get_caps = get_caps,
	.reserved = dmamap_vtd_reserved,
};

/** The same for hardware that has to be told of new entries. */
static const struct dma_iommu_unit_ops told_ops = {
	.size = sizeof(struct dma_iommu_unit_ops),
	.attach = dmamap_vtd_attach,
	.detach = dmamap_vtd_detach,
	.invalidate = dmamap_vtd_invalidate,
	.wait = dmamap_vtd_wait,
	.mapped = dmamap_vtd_mapped,
	.domain_gone = domain_gone,
	.domain_new = domain_new,
	.get_caps = get_caps,
	.reserved = dmamap_vtd_reserved,
};

void dmamap_vtd_break(struct dma_vtd *v, const char *why)
{
	if (__atomic_exchange_n(&v->info.broken, true, __ATOMIC_RELAXED))
		return;
	/* From now on every map asks, and is refused. */
	__atomic_store_n(&v->unit.ops, &told_ops, __ATOMIC_RELEASE);
	dmamap_log(v->host, DMA_LOG_ERROR, NULL, why, NULL);
}

/* --- what it can do */

static bool answers(struct dma_vtd *v)
{
	v->info.version = vtd_read32(v, VTD_VER_32);
	if (v->info.version == 0 || v->info.version == ~(uint32_t)0)
		return false;
	v->info.cap = vtd_read64(v, VTD_CAP);
	v->info.ecap = vtd_read64(v, VTD_ECAP);
	v->gcmd = vtd_read32(v, VTD_GSTS_32) & VTD_G_LEVEL;
	return true;
}

/** Bits that a table of so many levels translates. */
static unsigned int bits_of(unsigned int levels)
{
	return 12 + 9 * levels;
}

/** As few levels as cover the unit's addresses, up to 48 bits; else the most there are. 0: none of 3 to 5. */
static unsigned int choose_levels(uint64_t cap, unsigned int wanted)
{
	unsigned int cover = VTD_CAP_MGAW(cap) < 48 ? VTD_CAP_MGAW(cap) : 48;
	unsigned int best = 0;

	for (unsigned int levels = 3; levels <= 5; levels++) {
		if (!(VTD_CAP_SAGAW(cap) & 1u << (levels - 2)))
			continue;
		if (levels == wanted)
			return levels;
		if (!best || bits_of(best) < cover)
			best = levels;
	}
	return wanted ? 0 : best;
}

static int negotiate(struct dma_vtd *v, const struct dma_vtd_config *config)
{
	struct dma_vtd_info *info = &v->info;
	uint64_t cap = info->cap;

	info->levels = choose_levels(cap, config->levels);
	if (!info->levels)
		return config->levels ? -DMAMAP_EINVAL : -DMAMAP_EOPNOTSUPP;
	info->input_bits = (unsigned int)min_u64(bits_of(info->levels), VTD_CAP_MGAW(cap));
	info->output_bits = config->address_bits ? config->address_bits : VTD_CAP_MGAW(cap);
	if (info->input_bits < 32 || info->output_bits < 32)
		return -DMAMAP_EINVAL;
	info->output_bits = (unsigned int)min_u64(info->output_bits, 52);
	info->page_sizes =
		(cap & VTD_CAP_2MB ? VTD_BIT(21) : 0) | (cap & VTD_CAP_1GB ? VTD_BIT(30) : 0);
	info->domains = (uint32_t)1 << min_u64(VTD_CAP_ND(cap), 16);
	info->caching_mode = cap & VTD_CAP_CM;
	info->write_buffer = cap & VTD_CAP_RWBF;
	info->coherent_walk = info->ecap & VTD_ECAP_COHERENT;
	v->unit.ops = info->caching_mode || info->write_buffer ? &told_ops : &plain_ops;
	return 0;
}

/* --- life */

static bool possible(struct dma_host *host, const struct dma_vtd_config *config)
{
	return host && config && config->size == sizeof(*config) && hw_has_registers(host) &&
	       config->registers % VTD_PAGE_SIZE == 0 && host->page_size >= VTD_PAGE_SIZE &&
	       config->address_bits <= 64;
}

static void free_unit(struct dma_vtd *v)
{
	struct dma_host *host = v->host;

	dmamap_hw_attached_fini(&v->attached);
	dmamap_hw_memory_free(host, &v->ids);
	dmamap_vtd_queue_fini(v);
	dmamap_vtd_tables_fini(v);
	dmamap_lock_fini(host, &v->lock);
	dmamap_pages_free(host, v, sizeof(*v));
}

static bool make_memory(struct dma_vtd *v)
{
	uint64_t *ids;

	if (!dmamap_vtd_tables_init(v) || !dmamap_vtd_queue_init(v) ||
	    !dmamap_hw_memory_alloc(v->host, (v->info.domains + 63) / 64 * sizeof(*ids), 1,
				    DMAMAP_PHYS_NONE, &v->ids))
		return false;
	ids = v->ids.cpu;
	ids[0] = 1; /* what is not present is cached under number 0 */
	return true;
}

int dmamap_vtd_create(struct dma_host *host, const struct dma_vtd_config *config,
		      struct dma_vtd **vtd)
{
	struct dma_vtd *v;
	int err;

	if (!possible(host, config) || !vtd)
		return -DMAMAP_EINVAL;
	v = dmamap_pages_alloc(host, sizeof(*v), DMAMAP_PHYS_NONE, DMAMAP_GFP_KERNEL, NULL);
	if (!v)
		return -DMAMAP_ENOMEM;
	v->host = host;
	v->regs = config->registers;
	v->dmar = config->dmar;
	v->segment = config->segment;
	v->secondary = config->secondary;
	v->secondary_arg = config->secondary_arg;
	v->timeout_ns = config->timeout_ns ? config->timeout_ns : HW_TIMEOUT_NS;
	dmamap_lock_init(host, &v->lock);
	dmamap_hw_attached_init(&v->attached, host, &config->requesters, 0xffff);
	err = answers(v) ? negotiate(v, config) : -DMAMAP_ENODEV;
	v->no_queue = config->no_queue || !(v->info.ecap & VTD_ECAP_QI);
	if (!err && !make_memory(v))
		err = -DMAMAP_ENOMEM;
	if (err) {
		free_unit(v);
		return err;
	}
	__atomic_fetch_add(&dmamap_host(host)->objects, 1, __ATOMIC_RELAXED);
	*vtd = v;
	return 0;
}

/** The hardware may still read and write there. */
static void lose_memory(struct dma_vtd *v)
{
	v->root.size = v->queue.ring.size = v->queue.status.size = 0;
	for (unsigned int bus = 0; bus < VTD_BUSES; bus++)
		v->contexts[bus].size = 0;
	dmamap_log(v->host, DMA_LOG_ERROR, NULL, "vtd: it does not stop: its tables are lost",
		   NULL);
}

int dmamap_vtd_destroy(struct dma_vtd *v)
{
	struct dma_host *host = v->host;

	if (v->live)
		return -DMAMAP_EBUSY;
	if (dmamap_vtd_disable(v))
		lose_memory(v);
	free_unit(v);
	__atomic_fetch_sub(&dmamap_host(host)->objects, 1, __ATOMIC_RELAXED);
	return 0;
}

/* --- on and off */

/** Firmware's protected memory would stay closed to devices (VT-d 11.4.8.1). */
static int open_protected_memory(struct dma_vtd *v)
{
	uint32_t pmen;

	if (!(v->info.cap & (VTD_CAP_PLMR | VTD_CAP_PHMR)))
		return 0;
	pmen = vtd_read32(v, VTD_PMEN_32);
	if (!(pmen & VTD_PMEN_EPM))
		return 0;
	vtd_write32(v, VTD_PMEN_32, pmen & ~VTD_PMEN_EPM);
	return dmamap_hw_wait_reg32(v->host, v->regs + VTD_PMEN_32, VTD_PMEN_PRS, 0, v->timeout_ns)
		       ? 0
		       : -DMAMAP_EIO;
}

/** What firmware has left. The mode of the root table must not change while translation is on (VT-d 11.4.5). */
static int take_over(struct dma_vtd *v)
{
	int err = 0;

	v->gcmd = vtd_read32(v, VTD_GSTS_32) & VTD_G_LEVEL;
	v->info.taken_over = v->gcmd & (VTD_G_TE | VTD_G_QIE);
	if (v->gcmd & VTD_G_TE && vtd_read64(v, VTD_RTADDR) & VTD_RTADDR_MODE)
		err = dmamap_vtd_command(v, 0, VTD_G_TE);
	if (!err && v->gcmd & VTD_G_QIE)
		err = dmamap_vtd_queue_evict(v);
	if (!err && v->gcmd & VTD_G_EAFL)
		err = dmamap_vtd_command(v, 0, VTD_G_EAFL);
	return err;
}

/** Everything that was cached under the old tables goes before the new ones are used (VT-d 6.6, CAP.ESRTPS = 0). */
static int set_root(struct dma_vtd *v)
{
	int err;

	dmamap_vtd_flush_buffer(v);
	v->rooted = true;
	vtd_write64(v, VTD_RTADDR, v->root.phys);
	err = dmamap_vtd_ask(v, VTD_G_SRTP, VTD_G_SRTP, VTD_G_SRTP);
	if (err)
		return err;
	dmamap_vtd_drop_context(v, VTD_GLOBAL, 0, 0);
	if (!dmamap_vtd_finish(
		    v)) /* the caches of translations come after the context cache (6.5.2.1) */
		return -DMAMAP_EIO;
	dmamap_vtd_drop_iotlb(v, VTD_GLOBAL, 0, 0);
	return dmamap_vtd_finish(v) ? 0 : -DMAMAP_EIO;
}

/** Off. -EIO: it does not stop. A translation with tables that are not ours stays as it is. */
static int switch_off(struct dma_vtd *v)
{
	uint32_t on = vtd_read32(v, VTD_GSTS_32);
	int err = 0;

	v->info.enabled = false;
	if (v->rooted && on & VTD_G_TE)
		err = dmamap_vtd_command(v, 0, VTD_G_TE);
	if (v->info.queued && !vtd_broken(v))
		err = dmamap_vtd_queue_stop(v) || err ? -DMAMAP_EIO : 0;
	else if (on & VTD_G_QIE)
		err = dmamap_vtd_command(v, 0, VTD_G_QIE) || err ? -DMAMAP_EIO : 0;
	v->info.queued = false;
	v->stuck = err;
	if (err)
		dmamap_vtd_break(v, "vtd: it does not stop");
	return err;
}

static int enable_locked(struct dma_vtd *v)
{
	int err;

	if (vtd_broken(v))
		return -DMAMAP_EIO;
	if (v->info.enabled)
		return 0;
	err = take_over(v);
	if (err)
		return err;
	vtd_write32(v, VTD_FECTL_32, VTD_FECTL_MASKED);
	dmamap_vtd_faults_clear(v);
	err = v->no_queue ? 0 : dmamap_vtd_queue_start(v);
	if (!err) {
		v->info.enabled = true; /* whoever attaches from now on invalidates */
		err = set_root(v);
	}
	if (!err)
		err = dmamap_vtd_command(v, VTD_G_TE, 0);
	if (!err)
		err = open_protected_memory(v);
	if (err)
		switch_off(v);
	return err;
}

int dmamap_vtd_enable(struct dma_vtd *v)
{
	int err;

	dmamap_lock(v->host, &v->lock);
	err = enable_locked(v);
	dmamap_unlock(v->host, &v->lock);
	return err;
}

int dmamap_vtd_disable(struct dma_vtd *v)
{
	int err = 0;

	dmamap_lock(v->host, &v->lock);
	if (v->info.enabled || v->stuck)
		err = switch_off(v);
	dmamap_unlock(v->host, &v->lock);
	return err;
}

/* --- backends */

static int make_backend(struct dma_vtd *v, unsigned int id, struct dma_backend **backend)
{
	struct dma_pt_config config = {
		.size = sizeof(config),
		.format = DMA_PT_VTD_SECOND_STAGE,
		.levels = v->info.levels,
		.output_bits = v->info.output_bits,
		.page_sizes = v->info.page_sizes,
		.force_coherent = v->info.ecap & VTD_ECAP_SC,
		.coherent_walk = v->info.coherent_walk,
		.unit = &v->unit,
		.domain_id = id,
	};
	int err = dmamap_pt_backend_create(v->host, &config, backend);

	if (err)
		return err;
	(*backend)->caps.map_side_work = true; /* a broken unit refuses, also small mappings */
	if ((*backend)->caps.aperture_end > DMA_BIT_MASK(v->info.input_bits))
		(*backend)->caps.aperture_end = DMA_BIT_MASK(v->info.input_bits);
	return 0;
}

int dmamap_vtd_backend_create(struct dma_vtd *v, struct dma_backend **backend)
{
	unsigned int id;
	int err = domain_new(&v->unit, &id);

	if (err)
		return err;
	err = make_backend(v, id, backend);
	if (err)
		domain_gone(&v->unit, id);
	return err;
}

struct dma_iommu_unit *dmamap_vtd_unit(struct dma_vtd *v)
{
	return &v->unit;
}

void dmamap_vtd_get_info(struct dma_vtd *v, struct dma_vtd_info *info)
{
	dmamap_lock(v->host, &v->lock);
	*info = v->info;
	dmamap_unlock(v->host, &v->lock);
}
