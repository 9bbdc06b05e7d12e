/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SMMUv3's driver on a model: start, tables, commands word by word, events, and hardware that does wrong.
 */
#include "smmu_model.h"

#include <string.h>

#define G1   0x40000000u /* physical memory that nobody looks at */
#define K4   0x1000u
#define M2   0x200000u
#define SYNC 0x46u
#define FULL (~(uint64_t)0)

struct fixture {
	struct board board;
	struct smmu_model model;
	struct dma_smmuv3_config config;
	struct dma_smmuv3 *smmu;
	struct dma_domain *domain;
	struct board_device a; /* stream 8 */
	struct board_device b; /* stream 0x1010 */
};

static void prepare_on(struct fixture *f, void (*init)(struct board *))
{
	init(&f->board);
	smmu_model_init(&f->model, &f->board);
	f->config = (struct dma_smmuv3_config){
		.size = sizeof(f->config),
		.registers = BOARD_MMIO,
		.requesters = { .ids = board_ids },
	};
	f->smmu = NULL;
	f->domain = NULL;
	board_device_init(&f->board, &f->a, 8);
	board_device_init(&f->board, &f->b, 0x1010);
}

static void prepare(struct fixture *f)
{
	prepare_on(f, board_init);
}

static int create(struct fixture *f)
{
	return dmamap_smmuv3_create(&f->board.host, &f->config, &f->smmu);
}

static int make_domain(struct fixture *f, struct dma_domain **domain)
{
	const struct dma_domain_config config = { .size = sizeof(config) };

	*domain = NULL;
	return dmamap_smmuv3_domain_create(f->smmu, &f->board.host, &config, domain);
}

static void start(struct fixture *f)
{
	prepare(f);
	assert_int_equal(create(f), 0);
	assert_int_equal(make_domain(f, &f->domain), 0);
	assert_int_equal(dma_device_set_domain(&f->a.dma, f->domain), 0);
	assert_int_equal(dmamap_smmuv3_enable(f->smmu), 0);
}

static void finish(struct fixture *f)
{
	assert_int_equal(dma_device_fini(&f->a.dma), 0);
	assert_int_equal(dma_device_fini(&f->b.dma), 0);
	if (f->domain)
		assert_int_equal(dma_domain_destroy(f->domain), 0);
	if (f->smmu)
		assert_int_equal(dmamap_smmuv3_destroy(f->smmu), 0);
	board_fini(&f->board);
}

static struct dma_smmuv3_info info_of(const struct fixture *f)
{
	struct dma_smmuv3_info info;

	dmamap_smmuv3_get_info(f->smmu, &info);
	return info;
}

/** Ask for an invalidation as the tables would, and wait. Return: where its commands begin in the diary. */
static unsigned int invalidate(struct fixture *f, dma_addr_t iova, uint64_t len, bool leaf_only)
{
	struct dma_iommu_unit *unit = dmamap_smmuv3_unit(f->smmu);
	unsigned int from = f->model.n_commands;

	unit->ops->invalidate(unit, 1, iova, len, leaf_only);
	unit->ops->wait(unit);
	return from;
}

/* --- start and end */

static void what_it_can_is_read(void **state)
{
	struct dma_smmuv3_info info;
	struct fixture f;

	(void)state;
	prepare(&f);
	assert_int_equal(create(&f), 0);
	info = info_of(&f);
	assert_int_equal(info.stream_bits, 16);
	assert_int_equal(info.output_bits, 44);
	assert_int_equal(info.granule_bits, 12);
	assert_true(info.two_levels && info.range_invalidation && info.coherent_walk);
	assert_int_equal(f.model.n_cr0, 0); /* it was only read */
	finish(&f);
}

static void what_it_cannot_is_refused(void **state)
{
	static const struct {
		unsigned int idr;
		uint32_t clear;
		uint32_t set;
		int err;
	} cases[] = {
		{ 0, 2, 0, -DMAMAP_EOPNOTSUPP },	       /* no stage 1 */
		{ 0, 8, 0, -DMAMAP_EOPNOTSUPP },	       /* no AArch64 tables */
		{ 0, 3u << 21, 3u << 21, -DMAMAP_EOPNOTSUPP }, /* big endian */
		{ 1, 0, 1u << 29, -DMAMAP_EOPNOTSUPP },	       /* queues of its own */
		{ 1, 0, 1u << 30, -DMAMAP_EOPNOTSUPP },	       /* tables of its own */
		{ 5, 0x10, 0, -DMAMAP_EOPNOTSUPP },	       /* pages of 16 and 64 KiB */
		{ 0, 0, FULL & 0xffffffff, -DMAMAP_ENODEV },
		{ 1, FULL & 0xffffffff, 0, -DMAMAP_ENODEV },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;

		prepare(&f);
		f.model.idr[cases[i].idr] &= ~cases[i].clear;
		f.model.idr[cases[i].idr] |= cases[i].set;
		assert_int_equal(create(&f), cases[i].err);
		f.smmu = NULL;
		finish(&f);
	}
}

static void it_is_switched_on_in_the_order_of_the_manual(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(f.model.n_cr0, 4);
	assert_int_equal(f.model.cr0_history[0], 0);
	assert_int_equal(f.model.cr0_history[1], 8);
	assert_int_equal(f.model.cr0_history[2], 0xc);
	assert_int_equal(f.model.cr0_history[3], 0xd);
	assert_int_equal(f.model.cr1, 0xd75);
	assert_int_equal(f.model.cr2, 6);
	assert_int_equal(f.model.strtab_cfg, 16 | 8 << 6 | 1 << 16);
	assert_int_equal(f.model.gbpa, 0x1000); /* nobody was behind it before */
	/* everything dropped, and waited for, before translation begins */
	assert_int_equal(smmu_model_find(&f.model, 0, 0x04, 31), 0);
	assert_int_equal(smmu_model_find(&f.model, 0, 0x30, 0), 1);
	assert_int_equal(smmu_model_find(&f.model, 0, SYNC, 0), 2);
	finish(&f);
	assert_int_equal(f.model.cr0, 0);
}

static void what_firmware_left_on_is_cut_off_first(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f);
	assert_int_equal(create(&f), 0);
	f.model.cr0 = 0xd;
	f.model.idr[0] |= 1u << 9; /* too late to count */
	assert_int_equal(dmamap_smmuv3_enable(f.smmu), 0);
	assert_true(f.model.gbpa & 1u << 20);
	assert_true(info_of(&f).taken_over);
	finish(&f);
}

static void interrupts_are_on_if_asked_for(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f);
	f.config.interrupts = true;
	f.model.idr[0] |= 1u << 9; /* EL2 is there: its entries are dropped too */
	assert_int_equal(create(&f), 0);
	assert_int_equal(dmamap_smmuv3_enable(f.smmu), 0);
	assert_int_equal(f.model.irq, 5);
	assert_true(smmu_model_find(&f.model, 0, 0x20, 0) >= 0);
	assert_int_equal(dmamap_smmuv3_disable(f.smmu), 0);
	assert_int_equal(f.model.irq, 0);
	finish(&f);
}

static void memory_that_is_refused_leaks_nothing(void **state)
{
	unsigned int tried = 0;

	(void)state;
	for (uint64_t n = 1;; n++) {
		struct fixture f;
		int err;

		prepare(&f);
		f.board.fail_at = f.board.allocs + n;
		err = create(&f);
		if (err)
			f.smmu = NULL;
		if (!err)
			err = make_domain(&f, &f.domain);
		if (!err)
			err = dma_device_set_domain(&f.a.dma, f.domain);
		tried++;
		finish(&f);
		if (!err)
			break;
		assert_int_equal(err, -DMAMAP_ENOMEM);
	}
	assert_true(tried > 6);
}

/* --- tables */

static void the_entries_of_a_device_are_the_manuals(void **state)
{
	const uint64_t *ste, *cd, *other;
	struct fixture f;

	(void)state;
	start(&f);
	ste = smmu_model_ste(&f.model, 8);
	assert_non_null(ste);
	assert_int_equal(ste[0] & 0x3f, 0xb);	  /* valid, stage 1 */
	assert_int_equal(ste[1], 0x1000000000d4); /* cacheable, shareable as it comes */
	assert_int_equal(ste[2] | ste[3] | ste[4] | ste[5], 0);
	cd = smmu_model_cd(&f.model, 8);
	/* T0SZ 16, write-back inner shareable walks, no TTB1, valid; 44 bits, AArch64, R, A, ASET, ASID 1 */
	assert_int_equal(cd[0], 0x0001e204c0003510u);
	assert_int_equal(cd[1] & 0xfff, 0);
	assert_non_null(board_ptr(&f.board, cd[1], 4096));
	assert_int_equal(cd[3], 0xf404ff44);
	/* its neighbour is cut off silently; a table that is not there blocks too */
	other = smmu_model_ste(&f.model, 9);
	assert_int_equal(other[0], 1);
	assert_null(smmu_model_ste(&f.model, 0x1010));
	assert_int_equal(dma_device_set_domain(&f.a.dma, NULL), 0);
	assert_int_equal(ste[0], 1);
	finish(&f);
}

static void entries_change_in_steps(void **state)
{
	const uint64_t cfgi = 0x03 | (uint64_t)0x1010 << 32;
	unsigned int from;
	struct fixture f;
	int first, second;

	(void)state;
	start(&f);
	from = f.model.n_commands;
	assert_int_equal(dma_device_set_domain(&f.b.dma, f.domain), 0);
	first = smmu_model_find(&f.model, from, cfgi, 1);
	assert_true(first >= 0);
	assert_true(smmu_model_find(&f.model, (unsigned int)first, SYNC, 0) > first);
	second = smmu_model_find(&f.model, (unsigned int)first + 1, cfgi, 1);
	assert_true(second > first);
	assert_true(smmu_model_find(&f.model, (unsigned int)second, 0x05 | (uint64_t)0x1010 << 32,
				    1) > second);
	assert_int_equal(f.model.diary[f.model.n_commands - 1].low, SYNC);
	assert_ptr_equal(smmu_model_cd(&f.model, 8), smmu_model_cd(&f.model, 0x1010));
	finish(&f);
}

static void a_linear_table_serves_few_streams(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f);
	f.config.stream_bits = 6;
	assert_int_equal(create(&f), 0);
	assert_false(info_of(&f).two_levels);
	assert_int_equal(make_domain(&f, &f.domain), 0);
	assert_int_equal(dma_device_set_domain(&f.a.dma, f.domain), 0);
	assert_int_equal(dma_device_set_domain(&f.b.dma, f.domain), -DMAMAP_ENODEV);
	assert_int_equal(dmamap_smmuv3_enable(f.smmu), 0);
	assert_int_equal(f.model.strtab_cfg, 6);
	assert_non_null(smmu_model_cd(&f.model, 8));
	assert_int_equal(smmu_model_ste(&f.model, 63)[0], 1);
	finish(&f);
}

static void unattached_devices_pass_if_so_configured(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f);
	f.config.bypass_unattached = true;
	f.config.stream_bits = 10;
	assert_int_equal(create(&f), 0);
	assert_int_equal(dmamap_smmuv3_enable(f.smmu), 0);
	for (uint32_t sid = 0; sid < 1024; sid++)
		assert_int_equal(smmu_model_ste(&f.model, sid)[0], 9);
	finish(&f);
}

static void numbers_of_domains_come_back(void **state)
{
	struct dma_domain *domains[300] = { 0 };
	unsigned int n = 0;
	struct fixture f;

	(void)state;
	prepare(&f);
	f.model.idr[0] &= ~(1u << 12); /* ASIDs of 8 bits */
	assert_int_equal(create(&f), 0);
	while (n < 300 && !make_domain(&f, &domains[n]))
		n++;
	assert_int_equal(n, 255);
	assert_int_equal(make_domain(&f, &domains[n]), -DMAMAP_ENOSPC);
	assert_int_equal(dmamap_smmuv3_destroy(f.smmu), -DMAMAP_EBUSY);
	assert_int_equal(dmamap_smmuv3_enable(f.smmu), 0);
	assert_int_equal(dma_domain_destroy(domains[7]), 0);
	/* its entries are gone before the number is used again */
	assert_int_equal(f.model.diary[f.model.n_commands - 2].low, 0x11 | (uint64_t)8 << 48);
	assert_int_equal(f.model.diary[f.model.n_commands - 1].low, SYNC);
	assert_int_equal(make_domain(&f, &domains[7]), 0);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(dma_domain_destroy(domains[i]), 0);
	finish(&f);
}

/* --- invalidation */

/** Pages that the range commands from @from on name: each of [first, first + pages) once. */
static void expect_ranges(const struct fixture *f, unsigned int from, dma_addr_t iova,
			  uint64_t pages, bool leaf)
{
	for (; f->model.diary[from].low != SYNC; from++) {
		uint64_t low = f->model.diary[from].low;
		uint64_t high = f->model.diary[from].high;
		uint64_t n = ((low >> 12 & 31) + 1) << (low >> 20 & 31);

		assert_int_equal(low & 0xff, 0x12);
		assert_int_equal(low >> 48, 1);
		/* granules of 4 KiB; with NUM, SCALE and TTL all 0 that would be reserved */
		assert_int_equal(high & 0xfff, (n == 1 ? 0 : 0x400) | leaf);
		assert_int_equal(high & ~(uint64_t)0xfff, iova);
		iova += n * K4;
		assert_true(n <= pages);
		pages -= n;
	}
	assert_int_equal(pages, 0);
}

static void ranges_are_named_exactly(void **state)
{
	static const uint64_t pages[] = {
		1,   2,	  3,   5,    31,      32,      33,	63,
		511, 512, 513, 1000, 0x3ffff, 0x40000, 0x12345, 0x7fffffff
	};
	struct fixture f;

	(void)state;
	start(&f);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		unsigned int from = invalidate(&f, 0x100000000u, pages[i] * K4, true);

		expect_ranges(&f, from, 0x100000000u, pages[i], true);
		assert_true(f.model.n_commands - from <= 9);
	}
	expect_ranges(&f, invalidate(&f, 0x5000, K4, false), 0x5000, 1, false);
	expect_ranges(&f, invalidate(&f, 0x5800, K4, true), 0x5000, 2, true);
	finish(&f);
}

static void everything_is_the_whole_asid(void **state)
{
	unsigned int from;
	struct fixture f;

	(void)state;
	start(&f);
	from = invalidate(&f, 0, FULL, false);
	assert_int_equal(smmu_model_find(&f.model, from, 0x11 | (uint64_t)1 << 48, 0), (int)from);
	from = invalidate(&f, 0x1000, FULL, false);
	assert_int_equal(smmu_model_find(&f.model, from, 0x11 | (uint64_t)1 << 48, 0), (int)from);
	from = invalidate(&f, 0x1000, 0, false);
	assert_int_equal(f.model.n_commands, from);
	finish(&f);
}

static void without_ranges_pages_go_one_by_one(void **state)
{
	const uint64_t va = 0x12 | (uint64_t)1 << 48;
	unsigned int from;
	struct fixture f;

	(void)state;
	prepare(&f);
	f.model.idr[3] = 0;
	assert_int_equal(create(&f), 0);
	assert_int_equal(make_domain(&f, &f.domain), 0);
	assert_int_equal(dmamap_smmuv3_enable(f.smmu), 0);
	from = invalidate(&f, 0x7000, 3 * K4, true);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(smmu_model_find(&f.model, from, va, 0x7001 + i * K4),
				 (int)(from + i));
	from = invalidate(&f, 0, 33 * K4, true);
	assert_int_equal(f.model.diary[from].low, 0x11 | (uint64_t)1 << 48);
	assert_int_equal(f.model.n_commands, from + 2);
	finish(&f);
}

static void an_unmap_is_invalidated_and_waited_for(void **state)
{
	unsigned int from, kicks;
	dma_addr_t addr, other;
	struct fixture f;

	(void)state;
	start(&f);
	other = dma_map_phys(&f.a.dma, G1, K4, DMA_BIDIRECTIONAL, 0); /* keeps the tables */
	addr = dma_map_phys(&f.a.dma, G1, 2 * K4, DMA_BIDIRECTIONAL, 0);
	from = f.model.n_commands;
	kicks = f.model.kicks;
	dma_unmap_phys(&f.a.dma, addr, 2 * K4, DMA_BIDIRECTIONAL, 0);
	expect_ranges(&f, from, addr, 2, true);
	assert_int_equal(f.model.n_commands, from + 2); /* one range, one SYNC */
	assert_int_equal(f.model.kicks, kicks + 1);
	dma_unmap_phys(&f.a.dma, other, K4, DMA_BIDIRECTIONAL, 0);
	finish(&f);
}

static void the_command_queue_goes_round(void **state)
{
	struct dma_iommu_unit *unit;
	struct fixture f;

	(void)state;
	start(&f);
	unit = dmamap_smmuv3_unit(f.smmu);
	for (unsigned int i = 0; i < 3000; i++) /* more than fit, without a wait */
		unit->ops->invalidate(unit, 1, (uint64_t)i * K4, K4, true);
	unit->ops->wait(unit);
	assert_true(smmu_model_find(&f.model, 0, 0x12 | (uint64_t)1 << 48, 2999 * K4 | 1) > 0);
	assert_false(info_of(&f).broken);
	finish(&f);
}

/* --- events */

static void event(struct fixture *f, unsigned int type, uint32_t sid, bool read, uint64_t addr)
{
	const uint64_t words[4] = { type | (uint64_t)sid << 32, (uint64_t)read << 35, addr, 0 };

	assert_true(smmu_model_event(&f->model, words));
}

static void events_say_device_address_and_reason(void **state)
{
	static const struct {
		unsigned int type;
		uint32_t sid;
		bool read;
		uint64_t addr;
		enum dma_fault_access access;
		enum dma_fault_reason reason;
	} cases[] = {
		{ 0x10, 8, true, 0x5004, DMA_FAULT_READ, DMA_FAULT_REASON_NOT_PRESENT },
		{ 0x10, 8, false, 0x6000, DMA_FAULT_WRITE, DMA_FAULT_REASON_NOT_PRESENT },
		{ 0x13, 8, false, 0x7000, DMA_FAULT_WRITE, DMA_FAULT_REASON_WRITE_DENIED },
		{ 0x13, 8, true, 0x7000, DMA_FAULT_READ, DMA_FAULT_REASON_READ_DENIED },
		{ 0x11, 8, true, 0x8000, DMA_FAULT_READ, DMA_FAULT_REASON_WIDTH },
		{ 0x0b, 8, true, 0x9000, DMA_FAULT_READ, DMA_FAULT_REASON_TABLE },
		{ 0x0a, 8, false, 0, DMA_FAULT_READ, DMA_FAULT_REASON_TABLE },
		{ 0x04, 77, false, 0, DMA_FAULT_READ, DMA_FAULT_REASON_BLOCKED },
		{ 0x04, 8, false, 0, DMA_FAULT_READ,
		  DMA_FAULT_REASON_TABLE }, /* it should be valid */
		{ 0x02, 0x10000, false, 0, DMA_FAULT_READ, DMA_FAULT_REASON_BLOCKED },
		{ 0xfe, 8, true, 0x5000, DMA_FAULT_READ, DMA_FAULT_REASON_OTHER },
	};
	const unsigned int n = sizeof(cases) / sizeof(cases[0]);
	struct fixture f;

	(void)state;
	start(&f);
	for (unsigned int i = 0; i < n; i++)
		event(&f, cases[i].type, cases[i].sid, cases[i].read, cases[i].addr);
	assert_int_equal(dmamap_smmuv3_handle_faults(f.smmu), n);
	assert_int_equal(f.board.n_faults, n);
	for (unsigned int i = 0; i < n; i++) {
		const struct dma_fault *fault = &f.board.faults[i];

		assert_ptr_equal(fault->device, cases[i].sid == 8 ? &f.a.dma : NULL);
		assert_int_equal(fault->reason, cases[i].reason);
		assert_int_equal(fault->access, cases[i].access);
		assert_int_equal(fault->code, cases[i].type);
		if (fault->reason != DMA_FAULT_REASON_OTHER)
			assert_int_equal(fault->dma_addr, cases[i].addr);
	}
	assert_int_equal(dmamap_smmuv3_handle_faults(f.smmu), 0);
	assert_int_equal(f.model.evtq_cons, n);
	assert_string_equal(dmamap_smmuv3_event_text(0x10), "nothing is mapped there");
	assert_string_equal(dmamap_smmuv3_event_text(0xfe), "unknown event");
	finish(&f);
}

static void the_event_queue_goes_round_and_overflows(void **state)
{
	const uint64_t words[4] = { 0x10 | (uint64_t)8 << 32, 0, 0x1000, 0 };
	struct fixture f;

	(void)state;
	start(&f);
	for (unsigned int i = 0; i < 1000; i++) {
		event(&f, 0x10, 8, true, i);
		if (i % 100 == 99)
			assert_int_equal(dmamap_smmuv3_handle_faults(f.smmu), 100);
	}
	for (unsigned int i = 0; i < 256; i++)
		assert_true(smmu_model_event(&f.model, words));
	assert_false(smmu_model_event(&f.model, words));
	assert_int_equal(dmamap_smmuv3_handle_faults(f.smmu), 256);
	assert_int_equal(info_of(&f).events_lost, 1);
	assert_int_equal((f.model.evtq_prod ^ f.model.evtq_cons) & 1u << 31, 0);
	assert_true(smmu_model_event(&f.model, words));
	assert_int_equal(dmamap_smmuv3_handle_faults(f.smmu), 1);
	assert_int_equal(info_of(&f).events_lost, 1);
	finish(&f);
}

static void garbage_events_are_survived(void **state)
{
	uint64_t seed = board_seed();
	struct fixture f;

	(void)state;
	start(&f);
	for (unsigned int i = 0; i < 2000; i++) {
		uint64_t words[4];

		for (unsigned int k = 0; k < 4; k++)
			words[k] = board_random(&seed);
		assert_true(smmu_model_event(&f.model, words));
		assert_true(dmamap_smmuv3_handle_faults(f.smmu) <= 1);
	}
	for (unsigned int i = 0; i < 200; i++) { /* the index too */
		f.model.evtq_prod = (uint32_t)board_random(&seed);
		assert_true(dmamap_smmuv3_handle_faults(f.smmu) <= 256);
	}
	finish(&f);
}

/** A queue full of events that tell of nothing, with a fault at its end. */
static void empty_events_are_passed_over(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	for (unsigned int i = 0; i < 127; i++)
		event(&f, 0, 8, true, 0);
	event(&f, 0x10, 8, true, 0x5000);
	assert_int_equal(dmamap_smmuv3_handle_faults(f.smmu), 1);
	assert_int_equal(f.board.faults[0].dma_addr, 0x5000);
	assert_int_equal(f.model.evtq_cons, 128);
	finish(&f);
}

/** Hardware that does not snoop sees every table, command and event in memory, and nothing else. */
static void without_coherence_everything_is_cleaned(void **state)
{
	const struct dma_vec page = { BOARD_RAM, K4 };
	struct dma_backend *b;
	const uint64_t *cd, *top;
	unsigned int from;
	struct fixture f;

	(void)state;
	prepare_on(&f, board_init_caches);
	f.model.idr[0] &= ~0x10u;
	assert_int_equal(create(&f), 0);
	assert_false(info_of(&f).coherent_walk);
	assert_int_equal(dmamap_smmuv3_enable(f.smmu), 0);
	assert_int_equal(f.model.cr1, 0);
	assert_int_equal(smmu_model_find(&f.model, 0, 0x04, 31), 0);
	assert_int_equal(dmamap_smmuv3_backend_create(f.smmu, &b), 0);
	assert_int_equal(b->ops->attach(b, &f.a.dma), 0);
	assert_int_equal(b->ops->attach(b, &f.b.dma), 0);
	assert_int_equal(smmu_model_ste(&f.model, 8)[1], 0x100000000000u); /* not cacheable */
	assert_int_equal(smmu_model_ste(&f.model, 9)[0], 1);
	cd = smmu_model_cd(&f.model, 0x1010);
	assert_int_equal(cd[0], 0x0001e204c0000010u);
	assert_int_equal(cd[3], 0xf404ff44);
	assert_int_equal(b->ops->map(b, 0x1000, &page, 1, DMA_PROT_READ), 0);
	assert_int_equal(b->ops->sync_map(b, 0x1000, K4), 0);
	top = board_ptr(&f.board, cd[1], 8);
	assert_int_equal(top[0] & 3, 3);
	from = f.model.n_commands;
	assert_int_equal(b->ops->unmap(b, 0x1000, K4), K4);
	b->ops->invalidate(b, 0x1000, K4, true);
	b->ops->wait(b);
	expect_ranges(&f, from, 0x1000, 1, true);
	for (unsigned int i = 0; i < 600; i++) {
		event(&f, 0x10, 8, true, i);
		if (i % 200 == 199)
			assert_int_equal(dmamap_smmuv3_handle_faults(f.smmu), 200);
	}
	assert_int_equal(f.board.faults[599 % BOARD_FAULTS].dma_addr, 599);
	assert_ptr_equal(f.board.faults[599 % BOARD_FAULTS].device, &f.a.dma);
	b->ops->detach(b, &f.a.dma);
	assert_int_equal(smmu_model_ste(&f.model, 8)[0], 1);
	b->ops->detach(b, &f.b.dma);
	b->ops->destroy(b);
	finish(&f);
}

static void global_errors_are_acknowledged(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	f.model.gerror ^= 4; /* events could not be written */
	assert_int_equal(dmamap_smmuv3_handle_faults(f.smmu), 0);
	assert_int_equal(f.model.gerror, f.model.gerrorn);
	assert_int_equal(info_of(&f).events_lost, 1);
	assert_false(info_of(&f).broken);
	f.model.gerror ^= 0x100; /* service failure */
	dmamap_smmuv3_handle_faults(f.smmu);
	assert_true(info_of(&f).broken);
	finish(&f);
}

/* --- hardware that does wrong */

static void a_refused_command_drops_everything(void **state)
{
	unsigned int from;
	struct fixture f;
	int all;

	(void)state;
	start(&f);
	f.model.refuse_after = 1;
	from = invalidate(&f, 0x4000, K4, true);
	assert_int_equal(info_of(&f).command_errors, 1);
	assert_false(info_of(&f).broken);
	all = smmu_model_find(&f.model, from, 0x30, 0);
	assert_true(all >= 0 && smmu_model_find(&f.model, from, 0x04, 31) >= 0);
	assert_true(smmu_model_find(&f.model, (unsigned int)all, SYNC, 0) > all);
	/* and it goes on */
	expect_ranges(&f, invalidate(&f, 0x5000, K4, true), 0x5000, 1, true);
	finish(&f);
}

/** A map is refused, and everything ends in time. */
static void expect_broken(struct fixture *f, const char *text)
{
	struct dma_error why;

	assert_true(info_of(f).broken);
	assert_non_null(strstr(f->board.log, text));
	assert_int_equal(dma_map_phys(&f->a.dma, G1, K4, DMA_BIDIRECTIONAL, 0), DMA_MAPPING_ERROR);
	assert_int_equal(dma_last_error(&f->a.dma, &why), 0);
	assert_int_equal(why.err, -DMAMAP_EIO);
	assert_int_equal(dma_device_set_domain(&f->b.dma, f->domain), -DMAMAP_EIO);
	assert_int_equal(dmamap_smmuv3_handle_faults(f->smmu), 0);
}

static void what_cannot_be_believed_breaks_it(void **state)
{
	static const struct {
		enum smmu_model_fault fault;
		bool refuse_all;
		const char *text;
	} cases[] = {
		{ SMMU_SILENT, false, "did not finish" },
		{ SMMU_BAD_CONS, false, "makes no sense" },
		{ SMMU_GONE, false, "did not finish" },
		{ SMMU_CMDQ_ABORT, false, "cannot be read" },
		{ SMMU_FINE, true, "refuses every command" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		uint64_t before;

		start(&f);
		before = f.board.now;
		f.model.fault = cases[i].fault;
		f.model.refuse_all = cases[i].refuse_all;
		invalidate(&f, 0x4000, K4, true);
		assert_true(f.board.now - before < 2500000000u);
		expect_broken(&f, cases[i].text);
		f.model.fault = SMMU_FINE;
		f.model.refuse_all = false;
		finish(&f);
	}
}

static void a_full_queue_that_stands_still_breaks_it(void **state)
{
	struct dma_iommu_unit *unit;
	struct fixture f;

	(void)state;
	start(&f);
	unit = dmamap_smmuv3_unit(f.smmu);
	f.model.fault = SMMU_SILENT;
	for (unsigned int i = 0; i < 300; i++)
		unit->ops->invalidate(unit, 1, 0x1000, K4, true);
	expect_broken(&f, "stands still");
	f.model.fault = SMMU_FINE;
	finish(&f);
}

static void one_that_does_not_switch_is_no_use(void **state)
{
	uint64_t live;
	struct fixture f;

	(void)state;
	prepare(&f);
	assert_int_equal(create(&f), 0);
	f.model.fault = SMMU_NO_ACK;
	assert_int_equal(dmamap_smmuv3_enable(f.smmu), -DMAMAP_EIO);
	assert_false(info_of(&f).enabled);
	f.model.fault = SMMU_FINE;
	finish(&f);

	prepare(&f);
	live = f.board.live;
	assert_int_equal(create(&f), 0);
	assert_int_equal(dmamap_smmuv3_enable(f.smmu), 0);
	f.model.fault = SMMU_NO_ACK;
	assert_int_equal(dmamap_smmuv3_destroy(f.smmu), 0);
	assert_true(f.board.live > live); /* the hardware may still read there */
	assert_non_null(strstr(f.board.log, "does not stop"));
	memset(f.board.taken, 0, BOARD_PAGES);
	f.board.live = live;
	f.smmu = NULL;
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_can_is_read),
		cmocka_unit_test(what_it_cannot_is_refused),
		cmocka_unit_test(it_is_switched_on_in_the_order_of_the_manual),
		cmocka_unit_test(what_firmware_left_on_is_cut_off_first),
		cmocka_unit_test(interrupts_are_on_if_asked_for),
		cmocka_unit_test(memory_that_is_refused_leaks_nothing),
		cmocka_unit_test(the_entries_of_a_device_are_the_manuals),
		cmocka_unit_test(entries_change_in_steps),
		cmocka_unit_test(a_linear_table_serves_few_streams),
		cmocka_unit_test(unattached_devices_pass_if_so_configured),
		cmocka_unit_test(without_coherence_everything_is_cleaned),
		cmocka_unit_test(numbers_of_domains_come_back),
		cmocka_unit_test(ranges_are_named_exactly),
		cmocka_unit_test(everything_is_the_whole_asid),
		cmocka_unit_test(without_ranges_pages_go_one_by_one),
		cmocka_unit_test(an_unmap_is_invalidated_and_waited_for),
		cmocka_unit_test(the_command_queue_goes_round),
		cmocka_unit_test(events_say_device_address_and_reason),
		cmocka_unit_test(the_event_queue_goes_round_and_overflows),
		cmocka_unit_test(garbage_events_are_survived),
		cmocka_unit_test(empty_events_are_passed_over),
		cmocka_unit_test(global_errors_are_acknowledged),
		cmocka_unit_test(a_refused_command_drops_everything),
		cmocka_unit_test(what_cannot_be_believed_breaks_it),
		cmocka_unit_test(a_full_queue_that_stands_still_breaks_it),
		cmocka_unit_test(one_that_does_not_switch_is_no_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
