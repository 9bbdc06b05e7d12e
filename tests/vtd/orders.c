/* SPDX-License-Identifier: BSD-2-Clause */
/* What the driver tells the hardware, and in which order. */
#include "model.h"

#define PAGE 4096u

static const struct dma_vtd_config defaults;

/** A model, a unit that translates, a device in a domain. */
struct world {
	struct model model;
	struct dma_vtd *vtd;
	struct sim_device *device;
	struct dma_domain *domain;
};

static void world_start(struct world *w, uint64_t cap, uint64_t ecap, bool noncoherent,
			const struct dma_vtd_config *config)
{
	struct dma_domain_config policy = { .size = sizeof(policy) };

	model_start(&w->model, cap, ecap, noncoherent);
	w->vtd = model_unit(&w->model, config);
	assert_int_equal(dmamap_vtd_enable(w->vtd), 0);
	assert_int_equal(dmamap_vtd_domain_create(w->vtd, w->model.host, &policy, &w->domain), 0);
	w->device = model_device(&w->model, 0x123);
	assert_int_equal(dma_device_set_domain(sim_dma(w->device), w->domain), 0);
	model_forget(&w->model);
}

static void world_stop(struct world *w)
{
	assert_int_equal(dma_device_set_domain(sim_dma(w->device), NULL), 0);
	assert_int_equal(sim_device_destroy(w->device), 0);
	assert_int_equal(dma_domain_destroy(w->domain), 0);
	assert_int_equal(dmamap_vtd_destroy(w->vtd), 0);
	model_stop(&w->model);
}

/* --- on and off */

/** V29: the root table, then the context cache, then the IOTLB, each waited for, then translation. */
static void caches_are_emptied_before_translation(void **state)
{
	struct model m;
	struct dma_vtd *vtd;

	(void)state;
	model_start(&m, MODEL_CAP, MODEL_ECAP, false);
	vtd = model_unit(&m, &defaults);
	model_expect(&m, "");
	assert_int_equal(dmamap_vtd_enable(vtd), 0);
	model_expect(&m, "qie+ root ctx:global wait iotlb:global wait te+");
	assert_int_equal(m.rtaddr & 0xfff, 0);
	assert_int_equal(m.iqa & 0xfff, 0);
	assert_int_equal(dmamap_vtd_enable(vtd), 0);
	model_expect(&m, "");
	assert_int_equal(dmamap_vtd_disable(vtd), 0);
	model_expect(&m, "te- wait qie-");
	assert_true(m.iqt == 0);
	assert_int_equal(dmamap_vtd_enable(vtd), 0);
	model_forget(&m);
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	model_expect(&m, "te- wait qie-");
	model_stop(&m);
}

/** The same where there is no queue, or where it is not wanted. */
static void registers_do_as_well(void **state)
{
	struct dma_vtd_config no_queue = { .no_queue = true };
	struct world w;
	char expected[64];
	phys_addr_t phys;
	dma_addr_t addr;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		world_start(&w, MODEL_CAP, i ? MODEL_ECAP : MODEL_ECAP & ~VTD_ECAP_QI, false,
			    i ? &no_queue : &defaults);
		phys = sim_alloc(w.model.sim, PAGE, PAGE, 0, ~0ull);
		addr = dma_map_phys(sim_dma(w.device), phys, PAGE, DMA_TO_DEVICE, 0);
		model_expect(&w.model, "");
		assert_true(addr != DMA_MAPPING_ERROR);
		dma_unmap_phys(sim_dma(w.device), addr, PAGE, DMA_TO_DEVICE, 0);
		snprintf(expected, sizeof(expected), "iotlb:pages:1:%llx:0:ih",
			 (unsigned long long)addr >> 12);
		model_expect(&w.model, expected);
		sim_free(w.model.sim, phys, PAGE);
		assert_int_equal(dma_device_set_domain(sim_dma(w.device), NULL), 0);
		model_expect_end(&w.model, "ctx:fine:1:123 iotlb:domain:1");
		assert_int_equal(dma_device_set_domain(sim_dma(w.device), w.domain), 0);
		model_forget(&w.model);
		world_stop(&w);
	}
}

/** The context cache comes before the IOTLB, and is waited for. */
static void a_device_comes_and_goes(void **state)
{
	struct world w;
	uint64_t *entry;

	(void)state;
	world_start(&w, MODEL_CAP, MODEL_ECAP, false, &defaults);
	assert_int_equal(dma_device_set_domain(sim_dma(w.device), NULL), 0);
	model_expect_end(&w.model, "ctx:fine:1:123 wait iotlb:domain:1 wait");
	assert_int_equal(dma_device_set_domain(sim_dma(w.device), w.domain), 0);
	model_expect(&w.model, "ctx:fine:0:123+ wait iotlb:domain:1 wait");
	/* bus 1: its root entry; device and function 0x23: its context entry, 3 levels, number 1 */
	entry = sim_cpu_ptr(w.model.sim, w.model.rtaddr + 16, 16);
	assert_true((entry[0] & 0xfff) == 1 && entry[1] == 0);
	entry = sim_cpu_ptr(w.model.sim, (entry[0] & ~0xfffull) + 16 * 0x23, 16);
	assert_true((entry[0] & 0xfff) == 1 && entry[1] == (1 << 8 | 1));
	world_stop(&w);
}

/** V31: entries that are not there are cached in caching mode: a map invalidates, and waits. */
static void caching_mode_invalidates_maps(void **state)
{
	struct world w;
	phys_addr_t phys;
	dma_addr_t addr;

	(void)state;
	world_start(&w, MODEL_CAP | VTD_CAP_CM, MODEL_ECAP, false, &defaults);
	phys = sim_alloc(w.model.sim, PAGE, PAGE, 0, ~0ull);
	addr = dma_map_phys(sim_dma(w.device), phys, PAGE, DMA_TO_DEVICE, 0);
	assert_true(addr != DMA_MAPPING_ERROR);
	assert_non_null(strstr(w.model.diary, "iotlb:pages:1:"));
	assert_string_equal(w.model.diary + w.model.written - 5, " wait");
	model_forget(&w.model);
	dma_unmap_phys(sim_dma(w.device), addr, PAGE, DMA_TO_DEVICE, 0);
	sim_free(w.model.sim, phys, PAGE);
	world_stop(&w);
}

/** Where writes wait in a buffer it is flushed after new entries, and before invalidations. */
static void write_buffers_are_flushed(void **state)
{
	struct world w;
	phys_addr_t phys;
	dma_addr_t addr;

	(void)state;
	world_start(&w, MODEL_CAP | VTD_CAP_RWBF, MODEL_ECAP, false, &defaults);
	phys = sim_alloc(w.model.sim, PAGE, PAGE, 0, ~0ull);
	addr = dma_map_phys(sim_dma(w.device), phys, PAGE, DMA_TO_DEVICE, 0);
	assert_true(addr != DMA_MAPPING_ERROR);
	model_expect(&w.model, "wbf");
	dma_unmap_phys(sim_dma(w.device), addr, PAGE, DMA_TO_DEVICE, 0);
	assert_non_null(strstr(w.model.diary, "wbf iotlb:pages:1:"));
	model_forget(&w.model);
	sim_free(w.model.sim, phys, PAGE);
	world_stop(&w);
}

/** Everything that the hardware reads was cleaned out of the CPU's caches: the model reads past them. */
static void walks_that_do_not_snoop(void **state)
{
	struct world w;
	const uint64_t *root, *context;

	(void)state;
	world_start(&w, MODEL_CAP, MODEL_ECAP, true, &defaults);
	root = sim_device_ptr(w.model.sim, w.model.rtaddr + 16, 16);
	assert_int_equal(root[0] & 0xfff, 1);
	context = sim_device_ptr(w.model.sim, (root[0] & ~0xfffull) + 16 * 0x23, 16);
	assert_true((context[0] & 0xfff) == 1 && context[1] == (1 << 8 | 1));
	assert_int_equal(dma_device_set_domain(sim_dma(w.device), NULL), 0);
	model_expect_end(&w.model, "ctx:fine:1:123 wait iotlb:domain:1 wait");
	assert_true(context[0] == 0 && context[1] == 0);
	assert_int_equal(dma_device_set_domain(sim_dma(w.device), w.domain), 0);
	model_forget(&w.model);
	world_stop(&w);
}

/* --- ranges (VT-d 6.5.2.3; hardware.md C.1.5) */

static void the_mask_of_a_range(void **state)
{
	static const struct {
		uint64_t page, n;
		const char *diary;
	} vectors[] = {
		{ 0x10000, 1, "iotlb:pages:5:10000:0:ih wait" },
		{ 0x10000, 2, "iotlb:pages:5:10000:1:ih wait" },
		{ 0x10001, 2, "iotlb:pages:5:10000:2:ih wait" },
		{ 0x10000, 3, "iotlb:pages:5:10000:2:ih wait" },
		{ 0x10003, 3, "iotlb:pages:5:10000:3:ih wait" },
		{ 0x10000, 0x200, "iotlb:pages:5:10000:9:ih wait" },
		{ 0x101ff, 2, "iotlb:pages:5:10000:10:ih wait" },
		{ 0x1ffff, 2, "iotlb:pages:5:0:18:ih wait" },
		{ 0x3ffff, 2, "iotlb:domain:5 wait" },
		{ 0, 0x40000, "iotlb:pages:5:0:18:ih wait" },
		{ 0, 0x40001, "iotlb:domain:5 wait" },
	};
	struct dma_iommu_unit *unit;
	struct world w;

	(void)state;
	world_start(&w, MODEL_CAP, MODEL_ECAP, false, &defaults);
	unit = dmamap_vtd_unit(w.vtd);
	for (unsigned int i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		unit->ops->invalidate(unit, 5, vectors[i].page << 12, vectors[i].n << 12, true);
		model_expect(&w.model, ""); /* the hardware hears of it with the wait */
		unit->ops->wait(unit);
		model_expect(&w.model, vectors[i].diary);
		unit->ops->wait(unit);
		model_expect(&w.model, ""); /* nothing to wait for */
	}
	unit->ops->invalidate(unit, 5, 0x10000fff, 2,
			      false); /* bytes of two pages; tables changed */
	unit->ops->invalidate(unit, 5, 0, ~0ull, false);
	unit->ops->invalidate(unit, 5, 0x1000, 0, false);
	unit->ops->wait(unit);
	model_expect(&w.model, "iotlb:pages:5:10000:1 iotlb:domain:5 wait");
	world_stop(&w);
}

static void without_page_selection(void **state)
{
	struct dma_iommu_unit *unit;
	struct world w;

	(void)state;
	world_start(&w, MODEL_CAP & ~VTD_CAP_PSI, MODEL_ECAP, false, &defaults);
	unit = dmamap_vtd_unit(w.vtd);
	unit->ops->invalidate(unit, 5, 0x1000, 0x1000, true);
	unit->ops->wait(unit);
	model_expect(&w.model, "iotlb:domain:5 wait");
	world_stop(&w);
}

/** The ring goes round many times, and never runs over. */
static void a_queue_of_any_length(void **state)
{
	struct dma_iommu_unit *unit;
	struct world w;
	unsigned int n = 0;

	(void)state;
	world_start(&w, MODEL_CAP, MODEL_ECAP, false, &defaults);
	unit = dmamap_vtd_unit(w.vtd);
	for (unsigned int i = 0; i < 2000; i++) {
		unit->ops->invalidate(unit, 5, (uint64_t)i << 12, 4096, true);
		if (i % 700 == 699)
			unit->ops->wait(unit);
		for (const char *p = w.model.diary; (p = strstr(p, "iotlb:pages:5:")); p++)
			n++;
		model_forget(&w.model);
	}
	unit->ops->wait(unit);
	for (const char *p = w.model.diary; (p = strstr(p, "iotlb:pages:5:")); p++)
		n++;
	assert_int_equal(n, 2000);
	model_forget(&w.model);
	world_stop(&w);
}

/** Hardware that takes its time: when a call returns it is done. */
static void waits_are_waited_for(void **state)
{
	struct dma_iommu_unit *unit;
	struct world w;

	(void)state;
	world_start(&w, MODEL_CAP, MODEL_ECAP, false, &defaults);
	unit = dmamap_vtd_unit(w.vtd);
	w.model.slow = 50;
	unit->ops->invalidate(unit, 5, 0x1000, 0x1000, true);
	unit->ops->wait(unit);
	model_expect(&w.model, "iotlb:pages:5:1:0:ih wait");
	assert_int_equal(dma_device_set_domain(sim_dma(w.device), NULL), 0);
	model_expect_end(&w.model, "ctx:fine:1:123 wait iotlb:domain:1 wait");
	assert_int_equal(dma_device_set_domain(sim_dma(w.device), w.domain), 0);
	model_expect(&w.model, "ctx:fine:0:123+ wait iotlb:domain:1 wait");
	assert_int_equal(dmamap_vtd_disable(w.vtd), 0);
	model_expect(&w.model, "te- wait qie-");
	assert_int_equal(dmamap_vtd_enable(w.vtd), 0);
	model_expect(&w.model, "qie+ root ctx:global wait iotlb:global wait te+");
	world_stop(&w);
}

/* --- firmware */

/** Translation goes on, under the new tables; the queue changes hands. */
static void take_over_at(uint64_t tail)
{
	struct dma_vtd_info info;
	phys_addr_t ring;
	struct dma_vtd *vtd;
	struct model m;

	model_start(&m, MODEL_CAP | VTD_CAP_PLMR, MODEL_ECAP, false);
	ring = sim_alloc(m.sim, PAGE, PAGE, 0, ~0ull);
	m.gsts = VTD_G_TE | VTD_G_QIE | VTD_G_IRE | VTD_G_EAFL;
	m.iqa = ring;
	m.iqh = m.iqt = tail;
	m.pmen = VTD_PMEN_EPM;
	m.rtaddr = 0x1234000;
	vtd = model_unit(&m, &defaults);
	assert_int_equal(dmamap_vtd_enable(vtd), 0);
	model_expect(&m, "wait qie- eafl- qie+ root ctx:global wait iotlb:global wait pmen:0");
	assert_true(m.gsts & VTD_G_TE && m.gsts & VTD_G_IRE);
	assert_true(m.rtaddr != 0x1234000);
	dmamap_vtd_get_info(vtd, &info);
	assert_true(info.taken_over && !info.queue_errors);
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	assert_int_equal(m.gsts & (VTD_G_TE | VTD_G_IRE | VTD_G_QIE), VTD_G_IRE);
	model_forget(&m);
	sim_free(m.sim, ring, PAGE);
	model_stop(&m);
}

static void firmware_is_taken_over(void **state)
{
	(void)state;
	take_over_at(0x40);
	take_over_at(0xff0); /* the last descriptor: the one that is added goes round */
}

/** The mode of the tables changes only while nothing is translated. */
static void scalable_mode_is_left(void **state)
{
	struct dma_vtd *vtd;
	struct model m;

	(void)state;
	model_start(&m, MODEL_CAP, MODEL_ECAP, false);
	m.gsts = VTD_G_TE;
	m.rtaddr = 0x1234400;
	vtd = model_unit(&m, &defaults);
	assert_int_equal(dmamap_vtd_enable(vtd), 0);
	model_expect(&m, "te- qie+ root ctx:global wait iotlb:global wait te+");
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	model_stop(&m);
}

/* --- widths */

static void widths_are_negotiated(void **state)
{
	static const struct {
		unsigned int sagaw, mgaw, wanted;
		int err;
		unsigned int levels, bits;
	} units[] = {
		{ 2, 39, 0, 0, 3, 39 },
		{ 6, 48, 0, 0, 4, 48 },
		{ 6, 39, 0, 0, 3, 39 },
		{ 14, 57, 0, 0, 4, 48 },
		{ 14, 57, 5, 0, 5, 57 },
		{ 14, 57, 3, 0, 3, 39 },
		{ 4, 42, 0, 0, 4, 42 },
		{ 2, 48, 0, 0, 3, 39 },
		{ 8, 57, 0, 0, 5, 57 },
		{ 2, 39, 4, -DMAMAP_EINVAL, 0, 0 },
		{ 0, 39, 0, -DMAMAP_EOPNOTSUPP, 0, 0 },
		{ 1, 30, 0, -DMAMAP_EOPNOTSUPP, 0, 0 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct dma_vtd_config config = { .size = sizeof(config),
						 .registers = MODEL_REGS,
						 .requesters = model_requesters(),
						 .levels = units[i].wanted };
		struct dma_backend *backend;
		struct dma_vtd_info info;
		struct dma_vtd *vtd;
		struct model m;

		model_start(&m,
			    (MODEL_CAP & ~0x3f1f00ull) | units[i].sagaw << 8 |
				    (uint64_t)(units[i].mgaw - 1) << 16,
			    MODEL_ECAP, false);
		assert_int_equal(dmamap_vtd_create(m.host, &config, &vtd), units[i].err);
		if (!units[i].err) {
			dmamap_vtd_get_info(vtd, &info);
			assert_int_equal(info.levels, units[i].levels);
			assert_int_equal(info.input_bits, units[i].bits);
			assert_int_equal(dmamap_vtd_backend_create(vtd, &backend), 0);
			assert_true(backend->caps.aperture_end == DMA_BIT_MASK(units[i].bits));
			backend->ops->destroy(backend);
			assert_int_equal(dmamap_vtd_destroy(vtd), 0);
		}
		model_stop(&m);
	}
}

/** RAM snoops where the unit can make it. */
static void snoop_control_is_used(void **state)
{
	struct dma_vec piece = { 0x2000000, PAGE };
	struct dma_backend *backend;
	struct dma_vtd *vtd;
	struct model m;

	(void)state;
	for (unsigned int sc = 0; sc < 2; sc++) {
		phys_addr_t table;

		model_start(&m, MODEL_CAP, MODEL_ECAP | (sc ? VTD_ECAP_SC : 0), false);
		vtd = model_unit(&m, &defaults);
		assert_int_equal(dmamap_vtd_backend_create(vtd, &backend), 0);
		assert_int_equal(backend->ops->map(backend, 0x1000, &piece, 1,
						   DMA_PROT_READ | DMA_PROT_WRITE | DMA_PROT_CACHE),
				 0);
		assert_int_equal(backend->ops->iova_to_phys(backend, 0x1000, &table), 0);
		assert_int_equal(table, 0x2000000);
		assert_int_equal(backend->ops->unmap(backend, 0x1000, PAGE), PAGE);
		backend->ops->destroy(backend);
		assert_int_equal(dmamap_vtd_destroy(vtd), 0);
		model_stop(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(caches_are_emptied_before_translation),
		cmocka_unit_test(registers_do_as_well),
		cmocka_unit_test(a_device_comes_and_goes),
		cmocka_unit_test(caching_mode_invalidates_maps),
		cmocka_unit_test(write_buffers_are_flushed),
		cmocka_unit_test(walks_that_do_not_snoop),
		cmocka_unit_test(the_mask_of_a_range),
		cmocka_unit_test(without_page_selection),
		cmocka_unit_test(a_queue_of_any_length),
		cmocka_unit_test(waits_are_waited_for),
		cmocka_unit_test(firmware_is_taken_over),
		cmocka_unit_test(scalable_mode_is_left),
		cmocka_unit_test(widths_are_negotiated),
		cmocka_unit_test(snoop_control_is_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
