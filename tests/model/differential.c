/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations on the library and on the reference model, over every route: after each one both must agree, on
 * success and reason, on every byte the device moves, on every byte the CPU reads, on what a hostile device reaches,
 * and on the number of trace records. At the end nothing may be left.
 *
 * DMAMAP_TEST_SEED repeats a run, DMAMAP_TEST_STEPS makes it longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hosts/sim/sim.h"
#include "model.h"

#define POOL_BYTES (512u * 1024)

struct setup {
	const char *name;
	struct model_route model;
	uint64_t mask;
	bool noncoherent;
	bool adversarial; /* non-coherent, and lines move at random between calls */
	bool lazy;
	struct sim_iommu_config iommu; /* without size */
	enum sim_ops_kind ops;
};

struct world {
	const struct setup *setup;
	struct sim_machine *machine;
	struct sim_device *device;
	struct sim_iommu *iommu;
	struct dma_domain *domain;
	struct dma_bounce *pool;
	struct dma_device *dev;
	struct dma_observer observer;
	struct dma_parms parms;
	uint64_t records;  /* seen */
	uint64_t expected; /* calls made */
	uint64_t random;
	struct scatterlist sg[MODEL_MAPPINGS][MODEL_PIECES];
	struct model model;
};

static const struct dma_range window[] = { { 0, 0x80000000, 0x100000000 }, { 0, 0, 0 } };

/* Areas begin at 1 MiB, 1 GiB and 4 GiB: neighbours that continue each other, one that does not, a window that shadows part
 * of another, memory outside of all. */
static const struct dma_range windows[] = {
	{ 0x00000000, 0x4000000000, 0x110000 },
	{ 0x00110000, 0x4000110000, 0x10000 },
	{ 0x00120000, 0x5000000000, 0x10000 },
	{ 0x40010000, 0x6000000000, 0x8000 },
	{ 0x00000000, 0x7000000000, 0x100000000 },
	{ 0x100000000, 0x8000000000, 0x20000 },
	{ 0, 0, 0 },
};

/* --- chance */

static uint64_t chance(struct world *w, uint64_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random % below;
}

static enum dma_data_direction any_dir(struct world *w)
{
	return (enum dma_data_direction)chance(w, 3);
}

static struct model_mapping *pick(struct world *w, bool live)
{
	uint64_t first = chance(w, MODEL_MAPPINGS);

	for (uint64_t i = 0; i < MODEL_MAPPINGS; i++) {
		struct model_mapping *m = &w->model.mapping[(first + i) % MODEL_MAPPINGS];

		if (m->live == live)
			return m;
	}
	return NULL;
}

/* --- the machine */

static void count_record(struct dma_observer *self, const struct dma_event *event)
{
	struct world *w = (struct world *)((char *)self - offsetof(struct world, observer));

	if (event->type < DMA_EVENT_SWIOTLB_BOUNCED)
		w->records++;
}

static void make_areas(struct world *w)
{
	static const phys_addr_t ceilings[] = { DMA_BIT_MASK(24), DMA_BIT_MASK(31),
						DMA_BIT_MASK(36) };
	static const phys_addr_t floors[] = { 0x100000, 0x2000000, 0x100000000 };
	static const phys_addr_t bars[] = { 0xe0000000, 0x2000000000 };

	for (int i = 0; i < 3; i++) {
		w->model.area[i].base =
			sim_alloc(w->machine, MODEL_AREA, MODEL_AREA, floors[i], ceilings[i]);
		assert_int_not_equal(w->model.area[i].base, DMAMAP_PHYS_NONE);
	}
	for (int i = 0; i < 2; i++)
		w->model.area[3 + i] = (struct model_area){ .base = bars[i], .mmio = true };
	for (int i = 0; i < MODEL_AREAS; i++) {
		for (uint64_t b = 0; b < MODEL_AREA; b++)
			w->model.area[i].bytes[b] = (uint8_t)chance(w, 256);
		assert_int_equal(sim_cpu_write(w->machine, w->model.area[i].base,
					       w->model.area[i].bytes, MODEL_AREA),
				 0);
	}
}

static void make_iommu(struct world *w)
{
	struct sim_iommu_config config = w->setup->iommu;
	struct dma_domain_config domain = { .size = sizeof(domain) };

	config.size = sizeof(config);
	config.incoherent_walk = w->setup->noncoherent;
	domain.invalidation = w->setup->lazy ? DMA_INVALIDATION_LAZY : DMA_INVALIDATION_STRICT;
	assert_int_equal(sim_iommu_create(w->machine, &config, &w->iommu), 0);
	assert_int_equal(sim_device_put_behind(w->device, w->iommu), 0);
	assert_int_equal(sim_domain_create(w->iommu, &domain, &w->domain), 0);
	assert_int_equal(dma_domain_reserve(w->domain, 0xfee00000, 0x100000), 0);
	assert_int_equal(dma_device_set_untrusted(w->dev, w->setup->model.untrusted), 0);
	assert_int_equal(dma_device_set_domain(w->dev, w->domain), 0);
}

static void make_route(struct world *w)
{
	const struct model_route *r = &w->setup->model;

	if (r->window) {
		sim_device_set_windows(w->device, r->window);
		assert_int_equal(dma_device_set_range_map(w->dev, r->window), 0);
	}
	if (r->offset) {
		sim_device_set_offset(w->device, r->offset);
		assert_int_equal(dma_device_set_ops(w->dev, sim_ops(w->setup->ops)), 0);
	}
	if (r->boundary) {
		dma_device_set_parms(w->dev, &w->parms);
		assert_int_equal(dma_set_seg_boundary(w->dev, r->boundary), 0);
		assert_int_equal(dma_set_max_seg_size(w->dev, (unsigned int)r->max_segment), 0);
	}
	if (r->arch_limit)
		sim_device_set_bypass_window(w->device, r->arch_limit);
	if (r->route == DMA_ROUTE_IOMMU)
		make_iommu(w);
	assert_int_equal(dma_device_set_bus_limit(w->dev, r->bus_limit), 0);
	assert_int_equal(dma_device_set_force_bounce(w->dev, r->force_bounce), 0);
	assert_int_equal(dma_set_mask_and_coherent(w->dev, w->setup->mask), 0);
}

static struct world *make_world(const struct setup *setup, uint64_t seed)
{
	struct sim_config config = { .size = sizeof(config),
				     .noncoherent = setup->noncoherent,
				     .adversarial = setup->adversarial,
				     .seed = seed };
	struct sim_device_config device = { .size = sizeof(device), .name = "0000:01:00.0" };
	struct dma_bounce_config pool = { .size = sizeof(pool), .bytes = POOL_BYTES };
	struct world *w = calloc(1, sizeof(*w));

	w->setup = setup;
	w->random = seed * 2654435761u + 88172645463325252u;
	w->model.route = setup->model;
	assert_int_equal(sim_machine_create(&config, &w->machine), 0);
	assert_int_equal(sim_add_ram(w->machine, 0, 0xe0000000), 0);
	assert_int_equal(sim_add_ram(w->machine, 0x100000000, 0x100000000), 0);
	assert_int_equal(sim_add_bar(w->machine, 0xe0000000, MODEL_AREA), 0);
	assert_int_equal(sim_add_bar(w->machine, 0x2000000000, MODEL_AREA), 0);
	if (setup->model.arch_limit)
		sim_set_arch_direct(w->machine, setup->model.arch_limit, false);
	sim_host(w->machine)->bounce_small_buffers = setup->model.small_bounce;
	assert_int_equal(sim_start(w->machine), 0);
	make_areas(w);
	assert_int_equal(dma_bounce_create(sim_host(w->machine), &pool, &w->pool), 0);
	sim_host(w->machine)->default_bounce = w->pool;
	assert_int_equal(sim_device_create(w->machine, &device, &w->device), 0);
	w->dev = sim_dma(w->device);
	make_route(w);
	w->observer.event = count_record;
	assert_int_equal(dma_observer_attach(sim_host(w->machine), &w->observer), 0);
	return w;
}

/* --- bytes */

/** The device moves [from, from + len) of a mapping; 0 or -EFAULT. */
static int device_moves(struct world *w, const struct model_mapping *m, uint64_t from, uint64_t len,
			uint8_t *buf, bool write)
{
	for (unsigned int i = 0; len; i++) {
		const struct model_segment *s = &m->segment[i];
		uint64_t n = from >= s->len ? 0 : (s->len - from < len ? s->len - from : len);
		int err = 0;

		if (n && write)
			err = sim_dma_write(w->device, s->addr + from, buf, n, NULL);
		else if (n)
			err = sim_dma_read(w->device, s->addr + from, buf, n, NULL);
		if (err)
			return err;
		from = from >= s->len ? from - s->len : 0;
		buf += n;
		len -= n;
	}
	return 0;
}

static void any_part(struct world *w, const struct model_mapping *m, uint64_t *from, uint64_t *len)
{
	*from = chance(w, m->size);
	*len = 1 + chance(w, m->size - *from);
}

static void step_device_read(struct world *w)
{
	struct model_mapping *m = pick(w, true);
	uint64_t from, len;
	uint8_t *buf;
	int err;

	if (!m || !m->device_owns)
		return;
	any_part(w, m, &from, &len);
	buf = malloc(len);
	err = device_moves(w, m, from, len, buf, false);
	if (m->dir == DMA_FROM_DEVICE && w->model.route.protects) {
		assert_true(err || model_reaches(&w->model, m->segment[0].addr, false));
	} else {
		assert_int_equal(err, 0);
		for (uint64_t i = 0; i < len; i++)
			assert_int_equal(buf[i], *model_device_byte(&w->model, m, from + i));
	}
	free(buf);
}

static void step_device_write(struct world *w)
{
	struct model_mapping *m = pick(w, true);
	uint64_t from, len;
	uint8_t *buf;

	if (!m || !m->device_owns)
		return;
	any_part(w, m, &from, &len);
	buf = malloc(len);
	for (uint64_t i = 0; i < len; i++)
		buf[i] = (uint8_t)chance(w, 256);
	if (m->dir != DMA_TO_DEVICE) {
		assert_int_equal(device_moves(w, m, from, len, buf, true), 0);
		for (uint64_t i = 0; i < len; i++)
			*model_device_byte(&w->model, m, from + i) = buf[i];
	} else if (w->model.route.protects) {
		assert_int_not_equal(device_moves(w, m, from, len, buf, true), 0);
	}
	free(buf);
}

static bool touch(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len, uint64_t unit)
{
	return a / unit <= (b + b_len - 1) / unit && b / unit <= (a + a_len - 1) / unit;
}

/**
 * Does a live mapping keep the CPU, or another mapping, from [phys, phys + len)? Only where the device has its own view,
 * and by whole lines, unless both sides are @small or stores of the CPU.
 */
static bool owned_by_device(const struct world *w, phys_addr_t phys, uint64_t len, bool small)
{
	if (!w->setup->noncoherent)
		return false;
	for (int i = 0; i < MODEL_MAPPINGS; i++) {
		const struct model_mapping *m = &w->model.mapping[i];

		for (unsigned int j = 0; m->live && !m->mmio && j < m->pieces; j++)
			if (touch(m->piece[j].phys, m->piece[j].len, phys, len,
				  m->small && small ? 1 : 64))
				return true;
	}
	return false;
}

/** A few bytes beside a small mapping, most of them in its own lines. */
static void beside_small(struct world *w, struct model_area **area, uint64_t *from, uint64_t *len)
{
	struct model_mapping *m = pick(w, true);

	for (int i = 0; m && m->small && i < MODEL_AREAS; i++) {
		uint64_t at = m->piece[0].phys - w->model.area[i].base;

		if (at >= MODEL_AREA || at < 64 || at + 256 > MODEL_AREA)
			continue;
		*area = &w->model.area[i];
		*len = 1 + chance(w, 16);
		*from = chance(w, 2) ? at + m->piece[0].len : at - *len;
	}
}

static void step_cpu_write(struct world *w)
{
	struct model_area *a = &w->model.area[chance(w, MODEL_AREAS)];
	uint64_t from = chance(w, MODEL_AREA);
	uint64_t len = 1 + chance(w, MODEL_AREA - from < 8192 ? MODEL_AREA - from : 8192);

	beside_small(w, &a, &from, &len);
	if (owned_by_device(w, a->base + from, len, true))
		return;
	for (uint64_t i = 0; i < len; i++)
		a->bytes[from + i] = (uint8_t)chance(w, 256);
	assert_int_equal(sim_cpu_write(w->machine, a->base + from, a->bytes + from, len), 0);
}

/** Every byte of every area that the CPU may look at is what the model says. */
static void compare_memory(struct world *w)
{
	static const uint64_t step = 4096;
	uint8_t buf[4096];

	for (int a = 0; a < MODEL_AREAS; a++)
		for (uint64_t at = 0; at < MODEL_AREA; at += step) {
			if (owned_by_device(w, w->model.area[a].base + at, step, false))
				continue;
			assert_int_equal(
				sim_cpu_read(w->machine, w->model.area[a].base + at, buf, step), 0);
			assert_memory_equal(buf, w->model.area[a].bytes + at, step);
		}
}

/* --- calls */

/** The call failed for one of @reasons, and said so. */
static void expect_refusal(struct world *w, uint64_t reasons)
{
	struct dma_error err;

	assert_int_equal(dma_last_error(w->dev, &err), 0);
	assert_ptr_equal(err.dev, w->dev);
	if (!(reasons >> err.reason & 1))
		fail_msg("refused for %s", dma_reason_name(err.reason));
}

/** A buffer that no device-owned line of a non-coherent machine touches. */
static bool any_buffer(struct world *w, struct model_piece *p, enum dma_data_direction dir,
		       bool *mmio)
{
	struct model_area *a = &w->model.area[chance(w, MODEL_AREAS)];
	uint64_t most = chance(w, 8) ? 3 * 4096 : MODEL_AREA;
	uint64_t from = chance(w, MODEL_AREA);

	if (w->setup->model.small_bounce && chance(w, 2) && from < MODEL_AREA - 96) {
		*p = (struct model_piece){ a->base + from, 1 + chance(w, 96) };
		*mmio = a->mmio;
		if (model_judge(&w->model, p->phys, p->len, dir, a->mmio).small)
			return !owned_by_device(w, p->phys, p->len, true);
	}
	if (chance(w, 3) == 0)
		from &= ~4095ull;
	if (w->setup->noncoherent)
		from &= ~63ull;
	if (most > MODEL_AREA - from)
		most = MODEL_AREA - from;
	p->phys = a->base + from;
	p->len = 1 + chance(w, most);
	if (most > 4096 && chance(w, 3) == 0) /* end with a granule */
		p->len = ((p->phys + p->len) & ~4095ull) > p->phys
				 ? ((p->phys + p->len) & ~4095ull) - p->phys
				 : p->len;
	if (w->setup->noncoherent)
		p->len = (p->len + 63) & ~63ull;
	*mmio = a->mmio;
	return !owned_by_device(w, p->phys, p->len, false);
}

static void step_map(struct world *w)
{
	struct model_mapping *m = pick(w, false);
	enum dma_data_direction dir = any_dir(w);
	struct model_verdict v;
	struct model_piece p;
	dma_addr_t addr;
	bool mmio;

	if (!m || !any_buffer(w, &p, dir, &mmio))
		return;
	v = model_judge(&w->model, p.phys, p.len, dir, mmio);
	addr = mmio ? dma_map_resource(w->dev, p.phys, p.len, dir, 0)
		    : dma_map_phys(w->dev, p.phys, p.len, dir, 0);
	w->expected++;
	if (dma_mapping_error(w->dev, addr)) {
		expect_refusal(w, v.must ? v.must : v.may);
		return;
	}
	assert_true(!v.must);
	*m = (struct model_mapping){ .mmio = mmio,
				     .small = v.small,
				     .dir = dir,
				     .pieces = 1,
				     .segments = 1,
				     .size = p.len };
	m->piece[0] = p;
	m->segment[0] = (struct model_segment){ addr, p.len };
	assert_true(model_map(&w->model, m, v.copied));
}

/** Fill a list with RAM; returns the elements, and whether the whole is legal for the model. */
static unsigned int any_list(struct world *w, struct model_mapping *m, struct scatterlist *sg,
			     struct model_verdict *v)
{
	unsigned int n = 1 + (unsigned int)chance(w, MODEL_PIECES);
	unsigned int got = 0;
	bool mmio;

	sg_init_table(sg, n);
	while (got < n) {
		struct model_piece *p = &m->piece[got];
		struct model_verdict one;

		if (!any_buffer(w, p, m->dir, &mmio) || mmio)
			return 0;
		for (unsigned int i = 0; w->setup->noncoherent && i < got; i++)
			if (p->phys < m->piece[i].phys + m->piece[i].len &&
			    m->piece[i].phys < p->phys + p->len)
				return 0;
		one = model_judge(&w->model, p->phys, p->len, m->dir, false);
		if (one.small)
			return 0;
		v->must |= one.must;
		v->may |= one.may;
		v->copied |= one.copied;
		if (got && one.copied != v->copied)
			return 0; /* the model keeps one kind of view a mapping */
		sg_set_phys(&sg[got], p->phys, (unsigned int)p->len);
		m->size += p->len;
		got++;
	}
	return n;
}

static void step_map_sg(struct world *w)
{
	struct model_mapping *m = pick(w, false);
	struct model_verdict v = { 0 };
	struct scatterlist *sg;
	bool first_copied;

	if (!m)
		return;
	sg = w->sg[m - w->model.mapping];
	*m = (struct model_mapping){ .list = true, .dir = any_dir(w) };
	m->pieces = any_list(w, m, sg, &v);
	if (!m->pieces)
		return;
	first_copied =
		model_judge(&w->model, m->piece[0].phys, m->piece[0].len, m->dir, false).copied;
	if (first_copied != v.copied)
		return;
	m->segments = dma_map_sg(w->dev, sg, (int)m->pieces, m->dir);
	w->expected++;
	if (!m->segments) {
		expect_refusal(w, v.must ? v.must : v.may);
		return;
	}
	assert_true(!v.must && m->segments <= m->pieces);
	for (unsigned int i = 0; i < m->segments; i++)
		m->segment[i] =
			(struct model_segment){ sg_dma_address(&sg[i]), sg_dma_len(&sg[i]) };
	assert_true(model_map(&w->model, m, v.copied));
}

static void unmap(struct world *w, struct model_mapping *m, bool skip)
{
	unsigned long attrs = skip ? DMA_ATTR_SKIP_CPU_SYNC : 0;
	struct model_segment last = m->segment[m->segments - 1];
	bool write = m->dir == DMA_FROM_DEVICE;
	uint8_t byte = 0;

	w->expected++;
	if (m->list)
		dma_unmap_sg_attrs(w->dev, w->sg[m - w->model.mapping], (int)m->pieces, m->dir,
				   attrs);
	else if (m->mmio)
		dma_unmap_resource(w->dev, m->segment[0].addr, m->size, m->dir, attrs);
	else
		dma_unmap_phys(w->dev, m->segment[0].addr, m->size, m->dir, attrs);
	model_unmap(&w->model, m, skip);
	if (!w->model.route.exact)
		return;
	if (write)
		assert_int_not_equal(sim_dma_write(w->device, last.addr, &byte, 1, NULL), 0);
	else
		assert_int_not_equal(sim_dma_read(w->device, last.addr, &byte, 1, NULL), 0);
}

static void step_unmap(struct world *w)
{
	struct model_mapping *m = pick(w, true);
	/* on a non-coherent machine a skipped sync leaves the CPU with old lines: legal, but nothing to compare */
	bool skip = m && !w->setup->noncoherent && chance(w, 8) == 0;

	if (m)
		unmap(w, m, skip);
}

static void call_sync(struct world *w, struct model_mapping *m, uint64_t from, uint64_t len,
		      bool for_cpu)
{
	struct scatterlist *sg = w->sg[m - w->model.mapping];

	w->expected++;
	if (m->list && for_cpu)
		dma_sync_sg_for_cpu(w->dev, sg, (int)m->pieces, m->dir);
	else if (m->list)
		dma_sync_sg_for_device(w->dev, sg, (int)m->pieces, m->dir);
	else if (for_cpu)
		dma_sync_single_range_for_cpu(w->dev, m->segment[0].addr, from, len, m->dir);
	else
		dma_sync_single_range_for_device(w->dev, m->segment[0].addr, from, len, m->dir);
}

/** A whole sync moves ownership; a part (only where any byte may be synced alone) moves bytes. */
static void step_sync(struct world *w)
{
	struct model_mapping *m = pick(w, true);
	bool for_cpu = m && m->device_owns;
	uint64_t from = 0;
	uint64_t len;

	if (!m || m->mmio)
		return;
	len = m->size;
	if (!m->list && !w->setup->noncoherent && chance(w, 2)) {
		any_part(w, m, &from, &len);
		for_cpu = chance(w, 2);
	} else {
		m->device_owns = !m->device_owns;
	}
	call_sync(w, m, from, len, for_cpu);
	model_sync(&w->model, m, from, len, for_cpu);
}

static void step_alloc(struct world *w)
{
	size_t size = 1 + chance(w, 5 * 4096);
	uint8_t *buf = malloc(size);
	dma_addr_t handle;
	uint8_t *ptr = dma_alloc_coherent(w->dev, size, &handle, GFP_KERNEL);

	w->expected += 2;
	assert_non_null(ptr);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(ptr[i], 0);
	memset(ptr, (int)chance(w, 256), size);
	assert_int_equal(sim_dma_read(w->device, handle, buf, size, NULL), 0);
	assert_memory_equal(buf, ptr, size);
	memset(buf, (int)chance(w, 256), size);
	assert_int_equal(sim_dma_write(w->device, handle, buf, size, NULL), 0);
	assert_memory_equal(buf, ptr, size);
	dma_free_coherent(w->dev, size, ptr, handle);
	if (w->model.route.protects)
		assert_int_not_equal(sim_dma_read(w->device, handle, buf, 1, NULL), 0);
	free(buf);
}

/** Calls that must be refused, and change nothing. */
static void step_nonsense(struct world *w)
{
	struct model_area *a = &w->model.area[chance(w, 3)];
	unsigned long attrs = chance(w, 2) ? DMA_ATTR_MMIO : 0;

	w->expected++;
	if (chance(w, 2)) {
		assert_int_equal(dma_map_phys(w->dev, a->base, 0, any_dir(w), attrs),
				 DMA_MAPPING_ERROR);
		expect_refusal(w, (uint64_t)1 << DMA_REASON_ZERO_SIZE);
	} else {
		assert_int_equal(dma_map_phys(w->dev, ~(uint64_t)0 - 10, 4096, any_dir(w), attrs),
				 DMA_MAPPING_ERROR);
		expect_refusal(w, (uint64_t)1 << DMA_REASON_ADDRESS_WRAP);
	}
}

/** A hostile device tries an address of its own choice, near live ones or anywhere. */
static void step_hostile(struct world *w)
{
	struct model_mapping *m = pick(w, chance(w, 2));
	dma_addr_t addr = chance(w, ~(uint64_t)0);
	bool write = chance(w, 2);
	uint8_t byte = 0;
	int err;

	if (!w->model.route.exact)
		return;
	if (m && m->segments)
		addr = m->segment[0].addr + chance(w, 4 * 4096) - 2 * 4096;
	if (write && model_reaches(&w->model, addr, true))
		return; /* it may, and would spoil what the model knows */
	err = write ? sim_dma_write(w->device, addr, &byte, 1, NULL)
		    : sim_dma_read(w->device, addr, &byte, 1, NULL);
	if (model_reaches(&w->model, addr, write))
		assert_int_equal(err, 0);
	else
		assert_int_not_equal(err, 0);
}

static void step_time(struct world *w)
{
	sim_advance(w->machine, chance(w, 5000000));
	dma_poll(sim_host(w->machine));
}

static void step(struct world *w)
{
	static void (*const steps[])(struct world *) = {
		step_map,	  step_map,	     step_map,		step_map_sg,
		step_map_sg,	  step_unmap,	     step_unmap,	step_unmap,
		step_unmap,	  step_sync,	     step_sync,		step_cpu_write,
		step_device_read, step_device_write, step_device_write, step_device_read,
		step_alloc,	  step_nonsense,     step_hostile,	step_hostile,
		step_time,
	};

	steps[chance(w, sizeof(steps) / sizeof(steps[0]))](w);
	assert_int_equal(w->records, w->expected);
}

/* --- the end */

static void end_world(struct world *w)
{
	struct dma_bounce_stats pool;
	struct dma_domain_stats domain;
	struct sim_counters counters;

	for (int i = 0; i < MODEL_MAPPINGS; i++)
		if (w->model.mapping[i].live)
			unmap(w, &w->model.mapping[i], false);
	compare_memory(w);
	sim_get_counters(w->machine, &counters);
	assert_int_equal(counters.fatals, 0);
	assert_int_equal(dma_device_live(w->dev), 0);
	dma_bounce_get_stats(w->pool, &pool);
	assert_int_equal(pool.used_slots, 0);
	if (w->domain) {
		dma_domain_flush(w->domain);
		dma_domain_get_stats(w->domain, &domain);
		assert_int_equal(domain.iova_bytes, 0);
		assert_int_equal(domain.table_bytes, w->setup->iommu.command ? 0 : 4096);
	}
	assert_int_equal(dma_observer_detach(sim_host(w->machine), &w->observer), 0);
	assert_int_equal(sim_device_destroy(w->device), 0);
	if (w->domain) {
		assert_int_equal(dma_domain_destroy(w->domain), 0);
		assert_int_equal(sim_iommu_destroy(w->iommu), 0);
	}
	assert_int_equal(dma_bounce_destroy(w->pool), 0);
	for (int i = 0; i < 3; i++)
		sim_free(w->machine, w->model.area[i].base, MODEL_AREA);
	assert_int_equal(sim_memory_used(w->machine), 0);
	assert_int_equal(sim_machine_destroy(w->machine), 0);
	free(w);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static void agrees(void **state)
{
	const struct setup *setup = *state;
	uint64_t seed = setting("DMAMAP_TEST_SEED", 1);
	uint64_t steps = setting("DMAMAP_TEST_STEPS", 4000);

	for (uint64_t run = seed; run < seed + 3; run++) {
		struct world *w = make_world(setup, run);

		print_message("# %s: DMAMAP_TEST_SEED=%llu\n", setup->name,
			      (unsigned long long)run);
		for (uint64_t i = 0; i < steps; i++) {
			step(w);
			if (i % 256 == 0)
				compare_memory(w);
		}
		end_world(w);
	}
}

#define ALL    ~(uint64_t)0
#define OFFSET 0x10000000000ull

static const struct setup setups[] = {
	{ "direct", { .route = DMA_ROUTE_DIRECT, .limit = ALL }, .mask = ALL },
	{ "direct-mask32",
	  { .route = DMA_ROUTE_DIRECT, .limit = DMA_BIT_MASK(32) },
	  .mask = DMA_BIT_MASK(32) },
	{ "direct-forced-bounce",
	  { .route = DMA_ROUTE_DIRECT, .limit = ALL, .force_bounce = true },
	  .mask = ALL },
	{ "direct-range-map",
	  { .route = DMA_ROUTE_DIRECT, .limit = ALL, .window = window },
	  .mask = ALL },
	{ "direct-noncoherent",
	  { .route = DMA_ROUTE_DIRECT, .limit = ALL, .private_copies = true },
	  .mask = ALL,
	  .noncoherent = true },
	{ "direct-mask32-noncoherent",
	  { .route = DMA_ROUTE_DIRECT, .limit = DMA_BIT_MASK(32), .private_copies = true },
	  .mask = DMA_BIT_MASK(32),
	  .noncoherent = true },
	{ "direct-windows",
	  { .route = DMA_ROUTE_DIRECT, .limit = ALL, .window = windows },
	  .mask = ALL },
	{ "direct-bus-limit",
	  { .route = DMA_ROUTE_DIRECT, .limit = DMA_BIT_MASK(32), .bus_limit = DMA_BIT_MASK(32) },
	  .mask = ALL },
	{ "direct-small-buffers",
	  { .route = DMA_ROUTE_DIRECT, .limit = ALL, .private_copies = true, .small_bounce = true },
	  .mask = ALL,
	  .noncoherent = true },
	{ "direct-adversarial",
	  { .route = DMA_ROUTE_DIRECT, .limit = ALL, .private_copies = true },
	  .mask = ALL,
	  .noncoherent = true,
	  .adversarial = true },
	{ "direct-mask32-adversarial",
	  { .route = DMA_ROUTE_DIRECT, .limit = DMA_BIT_MASK(32), .private_copies = true },
	  .mask = DMA_BIT_MASK(32),
	  .noncoherent = true,
	  .adversarial = true },
	{ "direct-windows-adversarial",
	  { .route = DMA_ROUTE_DIRECT, .limit = ALL, .window = windows, .private_copies = true },
	  .mask = ALL,
	  .noncoherent = true,
	  .adversarial = true },
	{ "direct-forced-bounce-adversarial",
	  { .route = DMA_ROUTE_DIRECT, .limit = ALL, .force_bounce = true, .private_copies = true },
	  .mask = ALL,
	  .noncoherent = true,
	  .adversarial = true },
	{ "direct-small-buffers-adversarial",
	  { .route = DMA_ROUTE_DIRECT, .limit = ALL, .private_copies = true, .small_bounce = true },
	  .mask = ALL,
	  .noncoherent = true,
	  .adversarial = true },
	{ "arch-direct",
	  { .route = DMA_ROUTE_OPS, .limit = ALL, .offset = OFFSET, .arch_limit = 0x100000000 },
	  .mask = ALL,
	  .ops = SIM_OPS_ALL },
	{ "iommu-strict",
	  { .route = DMA_ROUTE_IOMMU, .limit = DMA_BIT_MASK(48), .protects = true, .exact = true },
	  .mask = ALL },
	{ "iommu-strict-3-levels",
	  { .route = DMA_ROUTE_IOMMU, .limit = DMA_BIT_MASK(39), .protects = true, .exact = true },
	  .mask = ALL,
	  .iommu = { .levels = 3 } },
	{ "iommu-strict-5-levels",
	  { .route = DMA_ROUTE_IOMMU, .limit = DMA_BIT_MASK(57), .protects = true, .exact = true },
	  .mask = ALL,
	  .iommu = { .levels = 5 } },
	{ "iommu-strict-mask32",
	  { .route = DMA_ROUTE_IOMMU, .limit = DMA_BIT_MASK(32), .protects = true, .exact = true },
	  .mask = DMA_BIT_MASK(32) },
	{ "iommu-boundary",
	  { .route = DMA_ROUTE_IOMMU,
	    .limit = DMA_BIT_MASK(48),
	    .protects = true,
	    .exact = true,
	    .boundary = 0xffff,
	    .max_segment = 0x8000 },
	  .mask = ALL },
	{ "iommu-lazy",
	  { .route = DMA_ROUTE_IOMMU, .limit = DMA_BIT_MASK(48), .protects = true },
	  .mask = ALL,
	  .lazy = true },
	{ "iommu-untrusted",
	  { .route = DMA_ROUTE_IOMMU,
	    .limit = DMA_BIT_MASK(48),
	    .untrusted = true,
	    .protects = true,
	    .exact = true },
	  .mask = ALL,
	  .lazy = true },
	{ "iommu-noncoherent",
	  { .route = DMA_ROUTE_IOMMU,
	    .limit = DMA_BIT_MASK(48),
	    .private_copies = true,
	    .protects = true,
	    .exact = true },
	  .mask = ALL,
	  .noncoherent = true },
	{ "iommu-adversarial",
	  { .route = DMA_ROUTE_IOMMU,
	    .limit = DMA_BIT_MASK(48),
	    .private_copies = true,
	    .protects = true,
	    .exact = true },
	  .mask = ALL,
	  .noncoherent = true,
	  .adversarial = true },
	{ "iommu-untrusted-adversarial",
	  { .route = DMA_ROUTE_IOMMU,
	    .limit = DMA_BIT_MASK(48),
	    .private_copies = true,
	    .untrusted = true,
	    .protects = true,
	    .exact = true },
	  .mask = ALL,
	  .noncoherent = true,
	  .adversarial = true },
	{ "iommu-small-buffers-adversarial",
	  { .route = DMA_ROUTE_IOMMU,
	    .limit = DMA_BIT_MASK(48),
	    .private_copies = true,
	    .small_bounce = true,
	    .protects = true,
	    .exact = true },
	  .mask = ALL,
	  .noncoherent = true,
	  .adversarial = true },
	{ "iommu-command",
	  { .route = DMA_ROUTE_IOMMU, .limit = ALL, .protects = true, .exact = true },
	  .mask = ALL,
	  .iommu = { .command = true } },
	{ "iommu-command-lazy-boundary",
	  { .route = DMA_ROUTE_IOMMU,
	    .limit = ALL,
	    .protects = true,
	    .exact = true,
	    .boundary = 0xffff,
	    .max_segment = 0x8000 },
	  .mask = ALL,
	  .iommu = { .command = true },
	  .lazy = true },
	{ "iommu-command-untrusted",
	  { .route = DMA_ROUTE_IOMMU,
	    .limit = ALL,
	    .untrusted = true,
	    .protects = true,
	    .exact = true },
	  .mask = ALL,
	  .iommu = { .command = true } },
	{ "iommu-command-adversarial",
	  { .route = DMA_ROUTE_IOMMU,
	    .limit = ALL,
	    .private_copies = true,
	    .protects = true,
	    .exact = true },
	  .mask = ALL,
	  .iommu = { .command = true },
	  .noncoherent = true,
	  .adversarial = true },
	{ "ops-phys",
	  { .route = DMA_ROUTE_OPS, .limit = ALL, .offset = OFFSET },
	  .mask = ALL,
	  .ops = SIM_OPS_PHYS },
	{ "ops-page",
	  { .route = DMA_ROUTE_OPS, .limit = ALL, .offset = OFFSET },
	  .mask = ALL,
	  .ops = SIM_OPS_PAGE },
	{ "ops-page-only",
	  { .route = DMA_ROUTE_OPS, .limit = ALL, .offset = OFFSET, .no_mmio_method = true },
	  .mask = ALL,
	  .ops = SIM_OPS_PAGE_ONLY },
};

int main(void)
{
	struct CMUnitTest tests[sizeof(setups) / sizeof(setups[0])];

	for (size_t i = 0; i < sizeof(setups) / sizeof(setups[0]); i++)
		tests[i] = (struct CMUnitTest){ setups[i].name, agrees, NULL, NULL,
						(void *)(uintptr_t)&setups[i] };
	return cmocka_run_group_tests_name("the library agrees with the model", tests, NULL, NULL);
}
