/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a machine with one device on the route of a set-up, the model of it, and ending both; chance.
 */
#include "world.h"

/* --- chance */

uint64_t chance(struct world *w, uint64_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random % below;
}

enum dma_data_direction any_dir(struct world *w)
{
	return (enum dma_data_direction)chance(w, 3);
}

struct model_mapping *pick(struct world *w, bool live)
{
	uint64_t first = chance(w, MODEL_MAPPINGS);

	for (uint64_t i = 0; i < MODEL_MAPPINGS; i++) {
		struct model_mapping *m = &w->model.mapping[(first + i) % MODEL_MAPPINGS];

		if (m->live == live)
			return m;
	}
	return NULL;
}

struct model_memory *pick_memory(struct world *w, bool live)
{
	uint64_t first = chance(w, MODEL_MEMORIES);

	for (uint64_t i = 0; i < MODEL_MEMORIES; i++) {
		struct model_memory *mem = &w->model.memory[(first + i) % MODEL_MEMORIES];

		if (mem->live == live)
			return mem;
	}
	return NULL;
}

void any_part(struct world *w, uint64_t size, uint64_t *from, uint64_t *len)
{
	*from = chance(w, size);
	*len = 1 + chance(w, size - *from);
}

/* --- the machine */

static void count_record(struct dma_observer *self, const struct dma_event *event)
{
	struct world *w = (struct world *)((char *)self - offsetof(struct world, observer));

	switch (event->type) {
	case DMA_EVENT_SWIOTLB_BOUNCED:
	case DMA_EVENT_IOMMU_MAP:
	case DMA_EVENT_IOMMU_UNMAP:
	case DMA_EVENT_IOMMU_FAULT:
		break;
	default:
		w->records++;
	}
}

static void make_areas(struct world *w)
{
	static const phys_addr_t ceilings[] = { DMA_BIT_MASK(24), DMA_BIT_MASK(31),
						DMA_BIT_MASK(36) };
	static const phys_addr_t floors[] = { 0x100000, 0x2000000, 0x100000000 };
	static const phys_addr_t bars[] = { 0xe0000000, 0x2000000000, 0x2100000000 };

	for (int i = 0; i < 3; i++) {
		w->model.area[i].base =
			sim_alloc(w->machine, MODEL_AREA, MODEL_AREA, floors[i], ceilings[i]);
		assert_int_not_equal(w->model.area[i].base, DMAMAP_PHYS_NONE);
	}
	for (int i = 3; i < MODEL_AREAS; i++) {
		w->model.area[i].base = bars[i - 3];
		w->model.area[i].mmio = true;
	}
	for (int i = 0; i < MODEL_AREAS; i++) {
		for (uint64_t b = 0; b < MODEL_AREA; b += 8) {
			chance(w, 1);
			memcpy(w->model.area[i].bytes + b, &w->random, 8);
		}
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
	dma_domain_get_stats(w->domain, &w->idle);
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

struct world *make_world(const struct setup *setup, uint64_t seed)
{
	struct sim_config config = { .size = sizeof(config),
				     .noncoherent = setup->noncoherent,
				     .adversarial = setup->adversarial,
				     .page_size = model_granule(&setup->model),
				     .seed = seed };
	struct sim_device_config device = { .size = sizeof(device), .name = "0000:01:00.0" };
	const struct dma_bounce_config pool = {
		.size = sizeof(pool),
		.bytes = setup->growing ? POOL_BYTES / 8 : POOL_BYTES,
		.max_bytes = POOL_BYTES,
		.flags = setup->restricted ? DMA_BOUNCE_RESTRICTED : 0
	};
	struct world *w = calloc(1, sizeof(*w));

	w->setup = setup;
	w->random = seed * 2654435761u + 88172645463325252u;
	w->model.route = setup->model;
	assert_int_equal(sim_machine_create(&config, &w->machine), 0);
	assert_int_equal(sim_add_ram(w->machine, 0, 0xe0000000), 0);
	assert_int_equal(sim_add_ram(w->machine, 0x100000000, 0x100000000), 0);
	assert_int_equal(sim_add_bar(w->machine, 0xe0000000, MODEL_AREA), 0);
	assert_int_equal(sim_add_bar(w->machine, 0x2000000000, MODEL_AREA), 0);
	assert_int_equal(sim_add_bar(w->machine, 0x2100000000, MODEL_AREA), 0);
	if (setup->model.arch_limit)
		sim_set_arch_direct(w->machine, setup->model.arch_limit, false);
	sim_host(w->machine)->bounce_small_buffers = setup->model.small_bounce;
	assert_int_equal(sim_start(w->machine), 0);
	make_areas(w);
	assert_int_equal(dma_bounce_create(sim_host(w->machine), &pool, &w->pool), 0);
	sim_host(w->machine)->default_bounce = w->pool;
	assert_int_equal(sim_device_create(w->machine, &device, &w->device), 0);
	w->dev = sim_dma(w->device);
	if (setup->peers)
		make_tree(w);
	make_route(w);
	make_blocks(w);
	w->observer.event = count_record;
	assert_int_equal(dma_observer_attach(sim_host(w->machine), &w->observer), 0);
	return w;
}

void expect_refusal(struct world *w, uint64_t reasons)
{
	struct dma_error err;

	assert_int_equal(dma_last_error(w->dev, &err), 0);
	assert_ptr_equal(err.dev, w->dev);
	if (reasons >> err.reason & 1)
		return;
	/* a method does not say why it failed */
	if (!w->failing ||
	    (err.reason != DMA_REASON_NO_MEMORY &&
	     (err.reason != DMA_REASON_METHOD_FAILED || w->model.route.route != DMA_ROUTE_OPS)))
		fail_msg("refused for %s", dma_reason_name(err.reason));
	assert_int_equal(++w->misses, 1);
}

/* --- steps */

void step(struct world *w)
{
	static void (*const steps[])(struct world *) = {
		step_map,	  step_map,	     step_map,		step_map_sg,
		step_map_sg,	  step_vector,	     step_vector,	step_unmap,
		step_unmap,	  step_unmap,	     step_unmap,	step_unmap,
		step_sync,	  step_sync,	     step_cpu_write,	step_device_read,
		step_device_read, step_device_write, step_device_write, step_alloc,
		step_alloc,	  step_block,	     step_free,		step_free,
		step_free,	  step_memory_data,  step_memory_data,	step_memory_data,
		step_memory_sync, step_memory_sync,  step_nonsense,	step_hostile,
		step_hostile,	  step_time,	     step_acs,
	};

	steps[chance(w, sizeof(steps) / sizeof(steps[0]))](w);
	assert_int_equal(w->records, w->expected);
}

/* --- the end */

static void end_all(struct world *w)
{
	for (int i = 0; i < MODEL_MAPPINGS; i++)
		if (w->model.mapping[i].live)
			unmap(w, &w->model.mapping[i], false);
	for (int i = 0; i < MODEL_MEMORIES; i++)
		if (w->model.memory[i].live)
			free_memory(w, &w->model.memory[i]);
	compare_memory(w);
}

void end_world(struct world *w)
{
	struct dma_bounce_stats pool;
	struct dma_domain_stats domain;
	struct sim_counters counters;

	end_all(w);
	end_blocks(w);
	sim_get_counters(w->machine, &counters);
	assert_int_equal(counters.fatals, 0);
	assert_int_equal(dma_device_live(w->dev), 0);
	dma_bounce_get_stats(w->pool, &pool);
	assert_int_equal(pool.used_slots, 0);
	if (w->domain) {
		dma_domain_flush(w->domain);
		dma_domain_get_stats(w->domain, &domain);
		assert_int_equal(domain.iova_bytes, 0);
		assert_int_equal(domain.table_bytes, w->idle.table_bytes);
	}
	assert_int_equal(dma_observer_detach(sim_host(w->machine), &w->observer), 0);
	if (w->tree)
		end_tree(w);
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

void run_world(const struct setup *setup, uint64_t seed, uint64_t steps)
{
	struct world *w = make_world(setup, seed);

	for (uint64_t i = 0; i < steps; i++) {
		step(w);
		if (i % 256 == 0)
			compare_memory(w);
	}
	end_world(w);
}
