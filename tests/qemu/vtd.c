/* SPDX-License-Identifier: BSD-2-Clause */
/* The VT-d driver, judged by QEMU's VT-d: translation, directions, faults, units of several shapes. */
#include "rig.h"

#define PAGE 4096u

static const struct qemu_config vtd = { .iommu = QEMU_IOMMU_VTD };
static const struct qemu_config vtd48 = { .iommu = QEMU_IOMMU_VTD, .iommu_options = "aw-bits=48" };
static const struct qemu_config vtd_caching = { .iommu = QEMU_IOMMU_VTD,
						.iommu_options = "caching-mode=on" };

static const struct rig_unit reports = {
	.write_of_nothing = DMA_FAULT_WRITE,
	.no_write = DMA_FAULT_REASON_WRITE_DENIED,
	.no_read = DMA_FAULT_REASON_READ_DENIED,
	.write_only = true,
};

static void bytes_move_while_they_are_mapped(void **state)
{
	(void)state;
	rig_map_move_unmap(&vtd, &reports);
	rig_map_move_unmap(&vtd48, &reports);
	rig_map_move_unmap(&vtd_caching, &reports);
}

static void directions_are_enforced(void **state)
{
	(void)state;
	rig_directions_hold(&vtd, &reports);
}

static void what_the_unit_can(void **state)
{
	static const struct {
		const struct qemu_config *config;
		unsigned int levels;
		unsigned int bits;
		bool caching;
	} units[] = {
		{ &vtd, 3, 39, false },
		{ &vtd48, 4, 48, false },
		{ &vtd_caching, 3, 39, true },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct dma_vtd_info info;
		struct rig rig;

		rig_start_domain(&rig, units[i].config, DMA_INVALIDATION_STRICT);
		dmamap_vtd_get_info(qemu_vtd(rig.m), &info);
		assert_int_equal(info.levels, units[i].levels);
		assert_int_equal(info.input_bits, units[i].bits);
		assert_int_equal(info.output_bits, units[i].bits);
		assert_true(info.caching_mode == units[i].caching);
		assert_true(info.page_sizes == (1u << 21 | 1u << 30));
		assert_true(info.domains == 65536 && info.enabled && info.queued);
		assert_false(info.coherent_walk || info.broken || info.taken_over);
		rig_stop(&rig);
	}
}

/* --- who may what */

/** A second edu, driven by hand. */
static void second_edu(struct rig *rig, struct edu *edu)
{
	struct qemu_device *function = qemu_find_device(rig->m, EDU_VENDOR, EDU_DEVICE, 1);

	assert_non_null(function);
	qemu_enable(function, true, true);
	assert_int_equal(edu_init(edu, &function->dma, function->bars[0].base, 48), 0);
}

static const char *const two_edus[] = { "edu,dma_mask=0xffffffffffff", NULL };
static const struct qemu_config vtd_two = { .iommu = QEMU_IOMMU_VTD, .devices = two_edus };

/** In no domain, in none any more: blocked, and named. */
static void who_is_in_no_domain_reaches_nothing(void **state)
{
	phys_addr_t phys;
	struct edu other;
	struct rig rig;

	(void)state;
	rig_start_domain(&rig, &vtd_two, DMA_INVALIDATION_STRICT);
	phys = rig_pages(&rig, 1, 0x11);
	second_edu(&rig, &other);
	rig_set_buffer(&rig, 0x22);
	assert_int_equal(edu_store(&other, 0, phys, 16), 0);
	qemu_handle_faults(rig.m);
	assert_int_equal(rig.nr_faults, 1);
	assert_null(rig.faults[0].device); /* a number that no attached device has */
	assert_true(rig.faults[0].reason == DMA_FAULT_REASON_BLOCKED && rig.faults[0].code == 2);
	rig.nr_faults = 0;
	assert_int_equal(dma_device_set_domain(&rig.function->dma, NULL), 0);
	rig_store(&rig, 0, phys, 16);
	qemu_handle_faults(rig.m);
	assert_true(rig.nr_faults == 1 && rig.faults[0].reason == DMA_FAULT_REASON_BLOCKED);
	rig.nr_faults = 0;
	assert_true(rig_all(&rig, phys, PAGE, 0x11));
	assert_int_equal(dma_device_set_domain(&rig.function->dma, rig.domain), 0);
	rig_stop(&rig);
}

/** Two domains, one address: each device finds its own page there. In one domain both find the same. */
static void domains_are_apart(void **state)
{
	struct dma_domain_config policy = { .size = sizeof(policy) };
	struct dma_domain *apart;
	phys_addr_t mine, its;
	dma_addr_t a, b;
	struct edu other;
	struct rig rig;

	(void)state;
	rig_start_domain(&rig, &vtd_two, DMA_INVALIDATION_STRICT);
	second_edu(&rig, &other);
	assert_int_equal(qemu_domain_create(rig.m, &policy, &apart), 0);
	assert_int_equal(dma_device_set_domain(other.dma, apart), 0);
	mine = rig_pages(&rig, 1, 0x11);
	its = rig_pages(&rig, 1, 0x22);
	a = rig_map(&rig, mine, PAGE, DMA_TO_DEVICE);
	b = dma_map_phys(other.dma, its, PAGE, DMA_BIDIRECTIONAL, 0);
	assert_true(a == b);
	rig_load(&rig, a, 0, 16);
	assert_int_equal(edu_load(&other, b, 0, 16), 0);
	assert_int_equal(edu_store(&other, 0, b + 64, 16), 0);
	rig_no_fault(&rig);
	assert_true(rig_all(&rig, its, PAGE, 0x22) && rig_all(&rig, mine, PAGE, 0x11));
	dma_unmap_phys(other.dma, b, PAGE, DMA_BIDIRECTIONAL, 0);
	rig_load(&rig, a, 0, 16); /* the invalidation of the other domain concerns nobody else */
	rig_no_fault(&rig);
	assert_int_equal(dma_device_set_domain(other.dma, NULL), 0);
	assert_int_equal(dma_domain_destroy(apart), 0);
	assert_int_equal(dma_device_set_domain(other.dma, rig.domain), 0);
	assert_int_equal(edu_load(&other, a, 0, 16), 0);
	rig_no_fault(&rig);
	rig_unmap(&rig, a, PAGE, DMA_TO_DEVICE);
	assert_int_equal(edu_load(&other, a, 0, 16), 0);
	qemu_handle_faults(rig.m);
	assert_true(rig.nr_faults && rig.faults[0].device == other.dma);
	rig.nr_faults = 0;
	assert_int_equal(dma_device_set_domain(other.dma, NULL), 0);
	rig_stop(&rig);
}

/** No mastership: no access, and no fault. */
static void no_master_no_access(void **state)
{
	phys_addr_t phys;
	dma_addr_t addr;
	struct rig rig;

	(void)state;
	rig_start_domain(&rig, &vtd, DMA_INVALIDATION_STRICT);
	phys = rig_pages(&rig, 1, 0x11);
	rig_set_buffer(&rig, 0x22);
	addr = rig_map(&rig, phys, PAGE, DMA_FROM_DEVICE);
	qemu_enable(rig.function, true, false);
	rig_store(&rig, 0, addr, 16);
	rig_no_fault(&rig);
	assert_true(rig_all(&rig, phys, PAGE, 0x11));
	qemu_enable(rig.function, true, true);
	rig_store(&rig, 0, addr, 16);
	assert_true(rig_all(&rig, phys, 16, 0x22));
	rig_unmap(&rig, addr, PAGE, DMA_FROM_DEVICE);
	rig_stop(&rig);
}

/** The first page lands, the second faults, at its own address. */
static void a_transfer_that_leaves_its_mapping(void **state)
{
	phys_addr_t phys;
	dma_addr_t addr;
	struct rig rig;

	(void)state;
	rig_start_domain(&rig, &vtd, DMA_INVALIDATION_STRICT);
	phys = rig_pages(&rig, 2, 0x11);
	rig_set_buffer(&rig, 0x22);
	addr = rig_map(&rig, phys, PAGE, DMA_FROM_DEVICE);
	rig_store(&rig, 0, addr + PAGE - 32, 64);
	rig_fault(&rig, addr + PAGE, DMA_FAULT_WRITE, DMA_FAULT_REASON_WRITE_DENIED);
	assert_true(rig_all(&rig, phys + PAGE - 32, 32, 0x22));
	assert_true(rig_all(&rig, phys + PAGE, PAGE, 0x11));
	rig_unmap(&rig, addr, PAGE, DMA_FROM_DEVICE);
	rig_stop(&rig);
}

/** Beyond the width of the unit. */
static void an_address_too_wide(void **state)
{
	struct rig rig;

	(void)state;
	rig_start_domain(&rig, &vtd, DMA_INVALIDATION_STRICT);
	rig_set_buffer(&rig, 0x22);
	rig_store(&rig, 0, 1ull << 39, 16);
	rig_fault(&rig, 1ull << 39, DMA_FAULT_WRITE, DMA_FAULT_REASON_WIDTH);
	assert_int_equal(dma_device_quiesce(&rig.function->dma), 0);
	rig_stop(&rig);
}

/** One record, two devices: the second fault is lost and counted, and the next is recorded again. */
static void faults_that_overflow(void **state)
{
	struct dma_vtd_info info;
	struct edu other;
	struct rig rig;

	(void)state;
	rig_start_domain(&rig, &vtd_two, DMA_INVALIDATION_STRICT);
	second_edu(&rig, &other);
	rig_set_buffer(&rig, 0x22);
	for (unsigned int i = 0; i < 3; i++) {
		rig_store(&rig, 0, 0x10000, 16);
		assert_int_equal(edu_store(&other, 0, 0x20000, 16), 0);
		rig_fault(&rig, 0x10000, DMA_FAULT_WRITE, DMA_FAULT_REASON_WRITE_DENIED);
	}
	assert_int_equal(edu_store(&other, 0, 0x20000, 16), 0);
	qemu_handle_faults(rig.m);
	assert_true(rig.nr_faults == 1 && rig.faults[0].reason == DMA_FAULT_REASON_BLOCKED);
	rig.nr_faults = 0;
	dmamap_vtd_get_info(qemu_vtd(rig.m), &info);
	assert_true(info.faults == 4 && info.faults_lost == 3);
	rig_stop(&rig);
}

/* --- the unit */

/** More invalidations than the queue has room for, and then some rounds. */
static void the_queue_goes_round(void **state)
{
	phys_addr_t phys;
	struct rig rig;

	(void)state;
	rig_start_domain(&rig, &vtd, DMA_INVALIDATION_STRICT);
	phys = rig_pages(&rig, 1, 0x11);
	for (unsigned int i = 0; i < 700; i++) {
		dma_addr_t addr = rig_map(&rig, phys, PAGE, DMA_TO_DEVICE);

		if (i % 100 == 0)
			rig_load(&rig, addr, 0, 16);
		rig_unmap(&rig, addr, PAGE, DMA_TO_DEVICE);
		if (i % 100)
			continue;
		rig_load(&rig, addr, 0, 16);
		rig_fault(&rig, addr, DMA_FAULT_READ, DMA_FAULT_REASON_READ_DENIED);
	}
	rig_stop(&rig);
}

/** A unit of the test's own on the rig's machine: domain, device, bytes, a fault, and the end. */
static void on_unit(struct rig *rig, const struct dma_vtd_config *config)
{
	struct dma_domain_config policy = { .size = sizeof(policy) };
	struct dma_vtd_config c = *config;
	struct dma_domain *domain = NULL;
	struct dma_vtd *unit;
	dma_addr_t addr;
	phys_addr_t phys;

	c.size = sizeof(c);
	c.registers = 0xfed90000;
	c.requesters = qemu_requesters(rig->m);
	assert_int_equal(dmamap_vtd_create(rig->host, &c, &unit), 0);
	assert_int_equal(dmamap_vtd_domain_create(unit, rig->host, &policy, &domain), 0);
	assert_int_equal(dma_device_set_domain(&rig->function->dma, domain), 0);
	assert_int_equal(dmamap_vtd_enable(unit), 0);
	phys = rig_pages(rig, 1, 0x5a);
	addr = rig_map(rig, phys, PAGE, DMA_BIDIRECTIONAL);
	rig_load(rig, addr, 0, 64);
	rig_store(rig, 0, addr + 64, 64);
	assert_true(rig_all(rig, phys, 128, 0x5a));
	rig_unmap(rig, addr, PAGE, DMA_BIDIRECTIONAL);
	memset(rig_ptr(rig, phys), 0, PAGE);
	rig_store(rig, 0, addr, 64);
	assert_true(rig_all(rig, phys, PAGE, 0));
	assert_int_equal(dmamap_vtd_handle_faults(unit), 1);
	rig_fault(rig, addr, DMA_FAULT_WRITE, DMA_FAULT_REASON_WRITE_DENIED);
	assert_int_equal(dma_device_set_domain(&rig->function->dma, NULL), 0);
	assert_int_equal(dma_domain_destroy(domain), 0);
	assert_int_equal(dmamap_vtd_destroy(unit), 0);
	/* from here on nobody checks */
	rig_store(rig, 0, phys, 64);
	assert_true(rig_all(rig, phys, 64, 0x5a));
	qemu_free(rig->m, phys, PAGE);
}

static void invalidation_by_registers(void **state)
{
	struct dma_vtd_config config = { .no_queue = true };
	struct rig rig;

	(void)state;
	rig_start(&rig, &vtd);
	on_unit(&rig, &config);
	on_unit(&rig, &(struct dma_vtd_config){ .address_bits = 39 });
	rig_stop(&rig);
}

/** Three levels on a unit that has four. */
static void fewer_levels_than_there_are(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, &vtd48);
	on_unit(&rig, &(struct dma_vtd_config){ .levels = 3 });
	on_unit(&rig, &(struct dma_vtd_config){ .levels = 4 });
	rig_stop(&rig);
}

/** What firmware would have left: translation on with tables of its own, and a queue that did not end in a wait. */
static void firmware_was_here(void **state)
{
	phys_addr_t root, ring;
	struct rig rig;

	(void)state;
	for (unsigned int descriptors = 0; descriptors < 2; descriptors++) {
		rig_start(&rig, &vtd);
		root = rig_pages(&rig, 1, 0);
		ring = rig_pages(&rig, 1, 0);
		qemu_write64(rig.m, 0xfed90088, 0);
		qemu_write64(rig.m, 0xfed90090, ring);
		qemu_write32(rig.m, 0xfed90018, 1u << 26);
		qemu_write64(rig.m, 0xfed90020, root);
		qemu_write32(rig.m, 0xfed90018, 1u << 30 | 1u << 26);
		if (descriptors) {
			uint64_t *d = rig_ptr(&rig, ring);

			d[0] = 2 | 1 << 4; /* drop everything */
			qemu_write64(rig.m, 0xfed90088, 16);
		}
		qemu_write32(rig.m, 0xfed90018, 1u << 31 | 1u << 26);
		assert_int_equal(qemu_read32(rig.m, 0xfed9001c), 0xc4000000);
		on_unit(&rig, &(struct dma_vtd_config){ .levels = 0 });
		rig_stop(&rig);
	}
}

/** A table of two entries, the second of which is the first one's region once more: {bus, path} is the edu. */
static size_t make_rmrr(unsigned char *t, const struct rig *rig, phys_addr_t first,
			phys_addr_t last)
{
	static const unsigned char signature[] = { 'D', 'M', 'A', 'R' };
	unsigned char *p = t + 48;

	memset(t, 0, 48);
	memcpy(t, signature, sizeof(signature));
	t[36] = 38;
	for (unsigned int i = 0; i < 2; i++, p += 32) {
		memset(p, 0, 32);
		p[0] = 1;
		p[2] = 32;
		memcpy(p + 8, &first, 8);
		memcpy(p + 16, &last, 8);
		p[24] = 1;
		p[25] = 8;
		p[29] = rig->function->bus;
		p[30] = rig->function->devfn >> 3;
		p[31] = rig->function->devfn & 7;
	}
	t[4] = (unsigned char)(p - t);
	return (size_t)(p - t);
}

/** Memory that firmware gave the device: it goes on reaching it, under its own address, and nothing else. */
static void reserved_memory_stays_reachable(void **state)
{
	struct dma_domain_config policy = { .size = sizeof(policy) };
	struct dma_vtd_config config = { .size = sizeof(config), .registers = 0xfed90000 };
	struct dma_domain *domain = NULL;
	unsigned char table[256];
	struct dma_dmar dmar;
	struct dma_vtd *unit;
	phys_addr_t phys;
	dma_addr_t addr;
	struct rig rig;

	(void)state;
	rig_start(&rig, &vtd);
	phys = rig_pages(&rig, 4, 0x11);
	assert_int_equal(
		dmamap_dmar_open(table, make_rmrr(table, &rig, phys, phys + 2 * PAGE - 1), &dmar),
		0);
	rig_load(&rig, phys, 0, 16);
	config.dmar = &dmar;
	config.requesters = qemu_requesters(rig.m);
	assert_int_equal(dmamap_vtd_create(rig.host, &config, &unit), 0);
	assert_int_equal(dmamap_vtd_domain_create(unit, rig.host, &policy, &domain), 0);
	assert_int_equal(dma_device_set_unit(&rig.function->dma, dmamap_vtd_unit(unit)), 0);
	assert_int_equal(dma_device_set_domain(&rig.function->dma, domain), 0);
	assert_int_equal(dmamap_vtd_enable(unit), 0);
	rig_store(&rig, 0, phys + 64, 16);
	rig_load(&rig, phys + PAGE, 0, 16);
	assert_int_equal(dmamap_vtd_handle_faults(unit), 0);
	rig_store(&rig, 0, phys + 2 * PAGE, 16);
	assert_int_equal(dmamap_vtd_handle_faults(unit), 1);
	rig_fault(&rig, phys + 2 * PAGE, DMA_FAULT_WRITE, DMA_FAULT_REASON_WRITE_DENIED);
	addr = rig_map(&rig, phys + 3 * PAGE, PAGE, DMA_TO_DEVICE);
	assert_true(addr < phys || addr >= phys + 2 * PAGE);
	rig_unmap(&rig, addr, PAGE, DMA_TO_DEVICE);
	rig_load(&rig, phys, 0, 16);
	assert_int_equal(dmamap_vtd_handle_faults(unit), 0);
	assert_int_equal(dma_device_set_domain(&rig.function->dma, NULL), 0);
	assert_int_equal(dma_device_set_unit(&rig.function->dma, NULL), 0);
	assert_int_equal(dma_domain_destroy(domain), 0);
	assert_int_equal(dmamap_vtd_destroy(unit), 0);
	qemu_free(rig.m, phys, 4 * PAGE);
	rig_stop(&rig);
}

/** QEMU's own table. */
static void what_the_table_says(void **state)
{
	struct dma_dmar_scope scope;
	struct dma_dmar_unit unit;
	struct dma_dmar dmar;
	bool found = false;
	struct rig rig;
	const void *table;
	uint32_t id;
	size_t len;

	(void)state;
	rig_start(&rig, &vtd48);
	table = qemu_acpi_table(rig.m, "DMAR", &len);
	assert_int_equal(dmamap_dmar_open(table, len, &dmar), 0);
	assert_true(dmar.address_bits == 48 && dmar.interrupt_remapping);
	assert_true(dmamap_dmar_unit(&dmar, 0, &unit));
	assert_true(unit.registers == 0xfed90000 && !unit.all_devices);
	for (unsigned int i = 0; dmamap_dmar_scope(&unit.scopes, i, &scope); i++)
		found |= scope.kind == DMA_DMAR_ENDPOINT &&
			 !dmamap_dmar_scope_id(&scope, NULL, NULL, &id) &&
			 id == rig.function->devfn;
	assert_true(found);
	assert_false(dmamap_dmar_unit(&dmar, 1, &unit));
	rig_stop(&rig);
}

/** While domains live the machine stays; another IOMMU's driver is none. */
static void the_machine_and_its_iommu(void **state)
{
	struct dma_domain_config policy = { .size = sizeof(policy) };
	struct dma_domain *domain;
	struct qemu_machine *m = rig_machine(&vtd);

	(void)state;
	assert_null(qemu_vtd(m));
	assert_int_equal(qemu_domain_create(m, &policy, &domain), 0);
	assert_non_null(qemu_vtd(m));
	assert_int_equal(qemu_machine_destroy(m), -DMAMAP_EBUSY);
	assert_int_equal(dma_domain_destroy(domain), 0);
	assert_int_equal(qemu_machine_destroy(m), 0);
	m = rig_machine(&(struct qemu_config){ .iommu = QEMU_IOMMU_NONE });
	assert_int_equal(qemu_domain_create(m, &policy, &domain), -DMAMAP_ENODEV);
	assert_int_equal(qemu_handle_faults(m), 0);
	assert_int_equal(qemu_machine_destroy(m), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_unit_can),
		cmocka_unit_test(bytes_move_while_they_are_mapped),
		cmocka_unit_test(directions_are_enforced),
		cmocka_unit_test(who_is_in_no_domain_reaches_nothing),
		cmocka_unit_test(domains_are_apart),
		cmocka_unit_test(no_master_no_access),
		cmocka_unit_test(a_transfer_that_leaves_its_mapping),
		cmocka_unit_test(an_address_too_wide),
		cmocka_unit_test(faults_that_overflow),
		cmocka_unit_test(the_queue_goes_round),
		cmocka_unit_test(invalidation_by_registers),
		cmocka_unit_test(fewer_levels_than_there_are),
		cmocka_unit_test(firmware_was_here),
		cmocka_unit_test(reserved_memory_stays_reachable),
		cmocka_unit_test(what_the_table_says),
		cmocka_unit_test(the_machine_and_its_iommu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
