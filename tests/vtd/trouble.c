/* SPDX-License-Identifier: BSD-2-Clause */
/* Hardware that does not do as it should, and faults: what is recorded, decoded, lost. */
#include "model.h"

#define PAGE 4096u

static const struct dma_vtd_config defaults;

/** A descriptor that the hardware refuses is replaced; then everything goes, and that is waited for. */
static void a_refused_descriptor(void **state)
{
	struct dma_iommu_unit *unit;
	struct dma_vtd_info info;
	struct dma_vtd *vtd;
	struct model m;

	(void)state;
	model_start(&m, MODEL_CAP, MODEL_ECAP, false);
	vtd = model_unit(&m, &defaults);
	assert_int_equal(dmamap_vtd_enable(vtd), 0);
	model_forget(&m);
	unit = dmamap_vtd_unit(vtd);
	unit->ops->invalidate(unit, 1, 0x1000, 0x1000, true);
	unit->ops->invalidate(unit, 1, 0x3000, 0x1000, true);
	unit->ops->invalidate(unit, 1, 0x5000, 0x1000, true);
	m.refuse_in = 2;
	unit->ops->wait(unit);
	model_expect(&m, "iotlb:pages:1:1:0:ih refused wait iotlb:pages:1:5:0:ih wait "
			 "ctx:global wait iotlb:global wait");
	dmamap_vtd_get_info(vtd, &info);
	assert_true(info.queue_errors == 1 && !info.broken);
	unit->ops->invalidate(unit, 1, 0x1000, 0x1000, true);
	unit->ops->wait(unit);
	model_expect(&m, "iotlb:pages:1:1:0:ih wait");
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	model_stop(&m);
}

/** No answer to an invalidation: nothing hangs, it is said, and nothing new is mapped. */
static void no_answer(void **state)
{
	struct dma_domain_config policy = { .size = sizeof(policy) };
	struct sim_device *device;
	struct dma_domain *domain = NULL, *other = NULL;
	struct dma_vtd_info info;
	struct dma_vtd *vtd;
	phys_addr_t phys;
	dma_addr_t addr;
	struct model m;

	(void)state;
	model_start(&m, MODEL_CAP, MODEL_ECAP, false);
	vtd = model_unit(&m, &defaults);
	assert_int_equal(dmamap_vtd_enable(vtd), 0);
	assert_int_equal(dmamap_vtd_domain_create(vtd, m.host, &policy, &domain), 0);
	device = model_device(&m, 8);
	assert_int_equal(dma_device_set_domain(sim_dma(device), domain), 0);
	phys = sim_alloc(m.sim, PAGE, PAGE, 0, ~0ull);
	addr = dma_map_phys(sim_dma(device), phys, PAGE, DMA_TO_DEVICE, 0);
	assert_true(addr != DMA_MAPPING_ERROR);
	m.deaf = true;
	dma_unmap_phys(sim_dma(device), addr, PAGE, DMA_TO_DEVICE, 0);
	dmamap_vtd_get_info(vtd, &info);
	assert_true(info.broken);
	assert_non_null(strstr(sim_last_message(m.sim), "did not finish"));
	assert_true(dma_map_phys(sim_dma(device), phys, PAGE, DMA_TO_DEVICE, 0) ==
		    DMA_MAPPING_ERROR);
	assert_true(dma_map_phys(sim_dma(device), phys, 600 * PAGE, DMA_TO_DEVICE, 0) ==
		    DMA_MAPPING_ERROR);
	assert_int_equal(dmamap_vtd_domain_create(vtd, m.host, &policy, &other), -DMAMAP_EIO);
	assert_int_equal(dma_device_set_domain(sim_dma(device), NULL), 0);
	assert_int_equal(dma_device_set_domain(sim_dma(device), domain), -DMAMAP_EIO);
	assert_int_equal(sim_device_destroy(device), 0);
	assert_int_equal(dma_domain_destroy(domain), 0);
	assert_int_equal(dmamap_vtd_enable(vtd), -DMAMAP_EIO);
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	sim_free(m.sim, phys, PAGE);
	model_stop(&m);
}

static void nothing_answers(void **state)
{
	struct dma_vtd_config config = { .size = sizeof(config), .registers = MODEL_REGS };
	struct dma_vtd *vtd;
	struct model m;

	(void)state;
	model_start(&m, MODEL_CAP, MODEL_ECAP, false);
	m.gone = true;
	assert_int_equal(dmamap_vtd_create(m.host, &config, &vtd), -DMAMAP_ENODEV);
	m.gone = false;
	vtd = model_unit(&m, &defaults);
	m.stuck = VTD_G_TE;
	assert_int_equal(dmamap_vtd_enable(vtd), -DMAMAP_EIO);
	m.stuck = VTD_G_QIE;
	assert_int_equal(dmamap_vtd_enable(vtd), -DMAMAP_EIO);
	m.stuck = VTD_G_SRTP;
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	vtd = model_unit(&m, &defaults);
	m.gsts = 0;
	m.stuck = VTD_G_SRTP;
	assert_int_equal(dmamap_vtd_enable(vtd), -DMAMAP_EIO);
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	model_stop(&m);
}

/** What the hardware may still read is not given back. */
static void one_that_does_not_stop_keeps_its_tables(void **state)
{
	struct dma_vtd *vtd;
	struct model m;
	uint64_t used;

	(void)state;
	model_start(&m, MODEL_CAP, MODEL_ECAP, false);
	used = sim_memory_used(m.sim);
	vtd = model_unit(&m, &defaults);
	assert_int_equal(dmamap_vtd_enable(vtd), 0);
	m.stuck = VTD_G_TE;
	assert_int_equal(dmamap_vtd_disable(vtd), -DMAMAP_EIO);
	assert_int_equal(dmamap_vtd_enable(vtd), -DMAMAP_EIO);
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	assert_non_null(strstr(sim_last_message(m.sim), "its tables are lost"));
	assert_true(sim_memory_used(m.sim) > used);
	sim_free(m.sim, m.rtaddr & VTD_TABLE, PAGE);
	sim_free(m.sim, m.iqa & VTD_IQA_ADDR, PAGE);
	model_stop(&m);
}

/** Protected memory that stays closed: the enabling fails, and leaves nothing on. */
static void a_failed_start_leaves_it_off(void **state)
{
	struct dma_vtd *vtd;
	struct model m;
	uint64_t used;

	(void)state;
	model_start(&m, MODEL_CAP | VTD_CAP_PLMR, MODEL_ECAP, false);
	used = sim_memory_used(m.sim);
	vtd = model_unit(&m, &defaults);
	m.pmen = VTD_PMEN_EPM | VTD_PMEN_PRS;
	assert_int_equal(dmamap_vtd_enable(vtd), -DMAMAP_EIO);
	assert_int_equal(m.gsts & (VTD_G_TE | VTD_G_QIE), 0);
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	assert_int_equal(sim_memory_used(m.sim), used);
	model_stop(&m);
}

/** A unit that breaks while a device is attached: the device is not attached. */
static void no_answer_to_an_attach(void **state)
{
	struct dma_domain_config policy = { .size = sizeof(policy) };
	struct sim_device *device;
	struct dma_domain *domain = NULL;
	struct dma_vtd *vtd;
	struct model m;

	(void)state;
	model_start(&m, MODEL_CAP, MODEL_ECAP, false);
	vtd = model_unit(&m, &defaults);
	assert_int_equal(dmamap_vtd_enable(vtd), 0);
	assert_int_equal(dmamap_vtd_domain_create(vtd, m.host, &policy, &domain), 0);
	device = model_device(&m, 8);
	m.deaf = true;
	assert_int_equal(dma_device_set_domain(sim_dma(device), domain), -DMAMAP_EIO);
	assert_int_equal(sim_device_destroy(device), 0);
	assert_int_equal(dma_domain_destroy(domain), 0);
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	model_stop(&m);
}

/** Firmware's queue that never drains is left alone. */
static void a_queue_that_does_not_drain(void **state)
{
	struct dma_vtd *vtd;
	struct model m;

	(void)state;
	model_start(&m, MODEL_CAP, MODEL_ECAP, false);
	m.gsts = VTD_G_TE | VTD_G_QIE;
	m.iqa = MODEL_RAM;
	m.iqt = 0x20;
	m.deaf = true;
	vtd = model_unit(&m, &defaults);
	assert_int_equal(dmamap_vtd_enable(vtd), -DMAMAP_EBUSY);
	m.deaf = false;
	m.iqh = m.iqt;
	m.iqa = 0x800000000000; /* in no memory of ours */
	assert_int_equal(dmamap_vtd_enable(vtd), -DMAMAP_EBUSY);
	m.iqa = MODEL_RAM | VTD_IQA_WIDE;
	assert_int_equal(dmamap_vtd_enable(vtd), -DMAMAP_EBUSY);
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	model_stop(&m);
}

static void bad_configurations(void **state)
{
	struct dma_vtd_config config = { .size = sizeof(config), .registers = MODEL_REGS };
	struct dma_vtd *vtd;
	struct model m;

	(void)state;
	model_start(&m, MODEL_CAP, MODEL_ECAP, false);
	assert_int_equal(dmamap_vtd_create(NULL, &config, &vtd), -DMAMAP_EINVAL);
	assert_int_equal(dmamap_vtd_create(m.host, NULL, &vtd), -DMAMAP_EINVAL);
	assert_int_equal(dmamap_vtd_create(m.host, &config, NULL), -DMAMAP_EINVAL);
	config.registers++;
	assert_int_equal(dmamap_vtd_create(m.host, &config, &vtd), -DMAMAP_EINVAL);
	config.registers--;
	config.address_bits = 20;
	assert_int_equal(dmamap_vtd_create(m.host, &config, &vtd), -DMAMAP_EINVAL);
	config.address_bits = 65;
	assert_int_equal(dmamap_vtd_create(m.host, &config, &vtd), -DMAMAP_EINVAL);
	config.address_bits = 0;
	config.size--;
	assert_int_equal(dmamap_vtd_create(m.host, &config, &vtd), -DMAMAP_EINVAL);
	model_stop(&m);
}

/** Every request for memory fails in turn; nothing leaks. */
static void no_memory(void **state)
{
	struct dma_vtd_config config = { .size = sizeof(config),
					 .registers = MODEL_REGS,
					 .requesters = model_requesters() };
	struct dma_domain_config policy = { .size = sizeof(policy) };
	struct model m;
	unsigned int n;
	bool done = false;

	(void)state;
	model_start(&m, MODEL_CAP, MODEL_ECAP, false);
	for (n = 1; !done; n++) {
		struct sim_device *device = model_device(&m, 0x100 + n);
		struct dma_domain *domain = NULL;
		struct dma_vtd *vtd = NULL;
		int err;

		assert_true(n < 100);
		sim_fail_alloc(m.sim, n);
		err = dmamap_vtd_create(m.host, &config, &vtd);
		if (!err)
			err = dmamap_vtd_enable(vtd);
		if (!err)
			err = dmamap_vtd_domain_create(vtd, m.host, &policy, &domain);
		if (!err)
			err = dma_device_set_domain(sim_dma(device), domain);
		done = !err;
		if (err)
			assert_int_equal(err, -DMAMAP_ENOMEM);
		sim_fail_alloc(m.sim, 0);
		assert_int_equal(sim_device_destroy(device), 0);
		if (domain)
			assert_int_equal(dma_domain_destroy(domain), 0);
		if (vtd)
			assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	}
	assert_true(n > 8);
	model_stop(&m);
}

/** A number is used again only when its domain is gone; there are as many as the unit has, less number 0. */
static void domain_numbers_run_out(void **state)
{
	struct dma_backend *backends[16];
	struct dma_backend *backend;
	struct dma_vtd *vtd;
	struct model m;

	(void)state;
	model_start(&m, MODEL_CAP & ~7ull, MODEL_ECAP, false); /* 16 numbers */
	vtd = model_unit(&m, &defaults);
	for (unsigned int i = 0; i < 15; i++)
		assert_int_equal(dmamap_vtd_backend_create(vtd, &backends[i]), 0);
	assert_int_equal(dmamap_vtd_backend_create(vtd, &backend), -DMAMAP_ENOSPC);
	assert_int_equal(dmamap_vtd_destroy(vtd), -DMAMAP_EBUSY);
	backends[7]->ops->destroy(backends[7]);
	assert_int_equal(dmamap_vtd_backend_create(vtd, &backends[7]), 0);
	for (unsigned int i = 0; i < 15; i++)
		backends[i]->ops->destroy(backends[i]);
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	model_stop(&m);
}

/** Requesters that share a number share the entry; it stays until the last one goes. */
static void shared_numbers(void **state)
{
	struct dma_domain_config policy = { .size = sizeof(policy) };
	struct dma_domain *domain = NULL, *other = NULL;
	struct sim_device *a, *b;
	struct dma_vtd *vtd;
	struct model m;

	(void)state;
	model_start(&m, MODEL_CAP, MODEL_ECAP, false);
	vtd = model_unit(&m, &defaults);
	assert_int_equal(dmamap_vtd_enable(vtd), 0);
	assert_int_equal(dmamap_vtd_domain_create(vtd, m.host, &policy, &domain), 0);
	assert_int_equal(dmamap_vtd_domain_create(vtd, m.host, &policy, &other), 0);
	a = model_device(&m, 0x200);
	b = model_device(&m, 0x200);
	assert_int_equal(dma_device_set_domain(sim_dma(a), domain), 0);
	model_forget(&m);
	assert_int_equal(dma_device_set_domain(sim_dma(b), other), -DMAMAP_EBUSY);
	assert_int_equal(dma_device_set_domain(sim_dma(b), domain), 0);
	assert_int_equal(dma_device_set_domain(sim_dma(a), NULL), 0);
	model_expect(&m, "");
	assert_int_equal(dma_device_set_domain(sim_dma(b), NULL), 0);
	model_expect(&m, "ctx:fine:1:200 wait iotlb:domain:1 wait");
	assert_int_equal(dma_device_set_domain(sim_dma(b), other), 0);
	assert_int_equal(sim_device_destroy(a), 0);
	assert_int_equal(sim_device_destroy(b), 0);
	assert_int_equal(dma_domain_destroy(domain), 0);
	assert_int_equal(dma_domain_destroy(other), 0);
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	model_stop(&m);
}

/* --- faults */

static struct dma_fault seen[16];
static unsigned int nr_seen;

static void note_fault(struct dma_observer *self, const struct dma_event *event)
{
	(void)self;
	if (event->type == DMA_EVENT_IOMMU_FAULT && nr_seen < 16)
		seen[nr_seen++] = *event->fault;
}

/** All records, from the oldest on, round the end; then the overflow bit. */
static void faults_are_decoded(void **state)
{
	struct dma_observer observer = { .event = note_fault };
	struct dma_domain_config policy = { .size = sizeof(policy) };
	struct dma_domain *domain = NULL;
	struct sim_device *device;
	struct dma_vtd_info info;
	struct dma_vtd *vtd;
	struct model m;

	(void)state;
	model_start(&m, MODEL_CAP | (uint64_t)3 << 40, MODEL_ECAP, false); /* four records */
	vtd = model_unit(&m, &defaults);
	assert_int_equal(dmamap_vtd_enable(vtd), 0);
	assert_int_equal(dmamap_vtd_domain_create(vtd, m.host, &policy, &domain), 0);
	device = model_device(&m, 0x310);
	assert_int_equal(dma_device_set_domain(sim_dma(device), domain), 0);
	assert_int_equal(dma_observer_attach(m.host, &observer), 0);
	nr_seen = 0;
	assert_int_equal(dmamap_vtd_handle_faults(vtd), 0);
	model_fault(&m, 2, 0x123456789000, 0x310, true, VTD_FAULT_READ);
	model_fault(&m, 3, 0x5000, 0x310, false, VTD_FAULT_WRITE);
	model_fault(&m, 0, 0x6000, 0x311, false, VTD_FAULT_CONTEXT_NOT_PRESENT);
	m.fsts |= VTD_FSTS_PFO;
	assert_int_equal(dmamap_vtd_handle_faults(vtd), 3);
	assert_int_equal(nr_seen, 3);
	assert_true(seen[0].device == sim_dma(device) && seen[0].dma_addr == 0x123456789000);
	assert_true(seen[0].access == DMA_FAULT_READ);
	assert_true(seen[0].reason == DMA_FAULT_REASON_READ_DENIED && seen[0].code == 6);
	assert_true(seen[1].access == DMA_FAULT_WRITE && seen[1].dma_addr == 0x5000);
	assert_true(seen[1].reason == DMA_FAULT_REASON_WRITE_DENIED);
	assert_true(!seen[2].device && seen[2].reason == DMA_FAULT_REASON_BLOCKED);
	assert_int_equal(m.fsts & (VTD_FSTS_PFO | VTD_FSTS_PPF), 0);
	dmamap_vtd_get_info(vtd, &info);
	assert_true(info.faults == 3 && info.faults_lost == 1);
	assert_int_equal(dmamap_vtd_handle_faults(vtd), 0);
	dmamap_vtd_set_fault_interrupt(vtd, 0x12fee01000, 0x41);
	assert_non_null(strstr(m.diary, "msi:data:41 msi:address:fee01000 msi:upper:12"));
	assert_int_equal(m.fectl, 0);
	assert_int_equal(dma_observer_detach(m.host, &observer), 0);
	assert_int_equal(sim_device_destroy(device), 0);
	assert_int_equal(dma_domain_destroy(domain), 0);
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	model_stop(&m);
}

static void reasons_in_words(void **state)
{
	static const struct {
		unsigned int code;
		enum dma_fault_reason reason;
	} codes[] = {
		{ 1, DMA_FAULT_REASON_BLOCKED },       { 2, DMA_FAULT_REASON_BLOCKED },
		{ 3, DMA_FAULT_REASON_TABLE },	       { 4, DMA_FAULT_REASON_WIDTH },
		{ 5, DMA_FAULT_REASON_WRITE_DENIED },  { 6, DMA_FAULT_REASON_READ_DENIED },
		{ 7, DMA_FAULT_REASON_TABLE },	       { 8, DMA_FAULT_REASON_TABLE },
		{ 9, DMA_FAULT_REASON_TABLE },	       { 10, DMA_FAULT_REASON_RESERVED_BIT },
		{ 11, DMA_FAULT_REASON_RESERVED_BIT }, { 12, DMA_FAULT_REASON_RESERVED_BIT },
		{ 13, DMA_FAULT_REASON_BLOCKED },      { 14, DMA_FAULT_REASON_HOLE },
		{ 0x22, DMA_FAULT_REASON_OTHER },
	};
	struct dma_observer observer = { .event = note_fault };
	struct dma_vtd *vtd;
	struct model m;

	(void)state;
	model_start(&m, MODEL_CAP, MODEL_ECAP, false);
	vtd = model_unit(&m, &defaults);
	assert_int_equal(dmamap_vtd_enable(vtd), 0);
	assert_int_equal(dma_observer_attach(m.host, &observer), 0);
	for (unsigned int i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		nr_seen = 0;
		model_fault(&m, 0, 0x1000, 8, true, codes[i].code);
		assert_int_equal(dmamap_vtd_handle_faults(vtd), 1);
		assert_int_equal(seen[0].reason, codes[i].reason);
		assert_int_equal(seen[0].code, codes[i].code);
		assert_true(!strcmp(dmamap_vtd_fault_text(codes[i].code), "unknown reason") ==
			    (codes[i].code == 0x22));
	}
	assert_int_equal(dma_observer_detach(m.host, &observer), 0);
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	model_stop(&m);
}

/** What was recorded before us is nobody's. Registers of all ones are no faults, and nobody waits for their end. */
static void old_faults_and_no_registers(void **state)
{
	struct dma_vtd_info info;
	struct dma_vtd *vtd;
	struct model m;

	(void)state;
	model_start(&m, MODEL_CAP, MODEL_ECAP, false);
	model_fault(&m, 0, 0x1000, 8, true, 6);
	m.fsts |= VTD_FSTS_PFO;
	vtd = model_unit(&m, &defaults);
	assert_int_equal(dmamap_vtd_enable(vtd), 0);
	assert_int_equal(m.fsts & (VTD_FSTS_PFO | VTD_FSTS_PPF), 0);
	m.gone = true;
	assert_int_equal(dmamap_vtd_handle_faults(vtd), 0);
	dmamap_vtd_get_info(vtd, &info);
	assert_true(info.faults == 0 && info.faults_lost == 0);
	m.gone = false;
	assert_int_equal(dmamap_vtd_destroy(vtd), 0);
	model_stop(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_descriptor),
		cmocka_unit_test(no_answer),
		cmocka_unit_test(nothing_answers),
		cmocka_unit_test(one_that_does_not_stop_keeps_its_tables),
		cmocka_unit_test(a_failed_start_leaves_it_off),
		cmocka_unit_test(no_answer_to_an_attach),
		cmocka_unit_test(a_queue_that_does_not_drain),
		cmocka_unit_test(bad_configurations),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(domain_numbers_run_out),
		cmocka_unit_test(shared_numbers),
		cmocka_unit_test(faults_are_decoded),
		cmocka_unit_test(reasons_in_words),
		cmocka_unit_test(old_faults_and_no_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
