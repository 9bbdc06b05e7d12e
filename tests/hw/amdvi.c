/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD-Vi's driver on a model: start, device table, commands word by word, hand-made events, and hardware that does
 * wrong.
 */
#include "amd_model.h"

#include <string.h>

#define G1	   0x40000000u /* physical memory that nobody looks at */
#define K4	   0x1000u
#define FULL	   (~(uint64_t)0)
#define BLOCKED	   3u
#define CMD(n)	   ((uint64_t)(n) << 60)
#define PAGES(n)   (CMD(3) | (uint64_t)(n) << 32)
#define EVERYTHING 0x7ffffffffffff003u /* all pages, and tables */

struct fixture {
	struct board board;
	struct amd_model model;
	struct dma_amdvi_config config;
	struct dma_amdvi *amdvi;
	struct dma_domain *domain;
	struct board_device a; /* 8 */
	struct board_device b; /* 0x1010 */
};

static void prepare(struct fixture *f)
{
	board_init(&f->board);
	amd_model_init(&f->model, &f->board);
	f->config = (struct dma_amdvi_config){
		.size = sizeof(f->config),
		.registers = BOARD_MMIO,
		.requesters = { .ids = board_ids },
	};
	f->amdvi = NULL;
	f->domain = NULL;
	board_device_init(&f->board, &f->a, 8);
	board_device_init(&f->board, &f->b, 0x1010);
}

static int create(struct fixture *f)
{
	return dmamap_amdvi_create(&f->board.host, &f->config, &f->amdvi);
}

static int make_domain(struct fixture *f, struct dma_domain **domain)
{
	const struct dma_domain_config config = { .size = sizeof(config) };

	return dmamap_amdvi_domain_create(f->amdvi, &f->board.host, &config, domain);
}

static void start(struct fixture *f)
{
	prepare(f);
	assert_int_equal(create(f), 0);
	assert_int_equal(make_domain(f, &f->domain), 0);
	assert_int_equal(dma_device_set_domain(&f->a.dma, f->domain), 0);
	assert_int_equal(dmamap_amdvi_enable(f->amdvi), 0);
}

static void finish(struct fixture *f)
{
	assert_int_equal(dma_device_fini(&f->a.dma), 0);
	assert_int_equal(dma_device_fini(&f->b.dma), 0);
	if (f->domain)
		assert_int_equal(dma_domain_destroy(f->domain), 0);
	if (f->amdvi)
		assert_int_equal(dmamap_amdvi_destroy(f->amdvi), 0);
	board_fini(&f->board);
}

static struct dma_amdvi_info info_of(const struct fixture *f)
{
	struct dma_amdvi_info info;

	dmamap_amdvi_get_info(f->amdvi, &info);
	return info;
}

/** Ask for an invalidation as the tables would, and wait. Return: where its commands begin in the diary. */
static unsigned int invalidate(struct fixture *f, dma_addr_t iova, uint64_t len, bool leaf_only)
{
	struct dma_iommu_unit *unit = dmamap_amdvi_unit(f->amdvi);
	unsigned int from = f->model.n_commands;

	unit->ops->invalidate(unit, 1, iova, len, leaf_only);
	unit->ops->wait(unit);
	return from;
}

/* --- start and end */

static void it_is_switched_on_and_off(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(f.model.control, 0x1405);	 /* on, events, coherent, commands */
	assert_int_equal(f.model.devtab & 0xfff, 0x1ff); /* 2 MiB */
	assert_int_equal(f.model.cmdbase >> 56, 8);
	assert_int_equal(f.model.evtbase >> 56, 8);
	assert_int_equal(amd_model_find(&f.model, 0, CMD(8), 0), 0);
	assert_int_equal(amd_model_find(&f.model, 0, CMD(1), 0), 1);
	assert_int_equal(f.model.n_commands, 2);
	finish(&f);
	assert_int_equal(f.model.control, 0);
}

static void what_firmware_decided_stays(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f);
	f.config.interrupts = true;
	assert_int_equal(create(&f), 0);
	f.model.control = 0xe503; /* on; HyperTransport's bit, pass-PW, page requests */
	assert_int_equal(dmamap_amdvi_enable(f.amdvi), 0);
	assert_true(info_of(&f).taken_over);
	assert_int_equal(f.model.control, 0x150f);
	finish(&f);
}

static void without_the_feature_all_is_dropped_one_by_one(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f);
	f.model.efr &= ~(uint64_t)0x40;
	f.config.last_id = 0xff;
	assert_int_equal(create(&f), 0);
	assert_int_equal(dmamap_amdvi_enable(f.amdvi), 0);
	assert_true(f.model.n_commands >= 256 + 65536 + 1);
	assert_int_equal(f.model.diary[(f.model.n_commands - 2) % AMD_DIARY].low, PAGES(0xffff));
	finish(&f);
}

static void impossible_configurations_are_refused(void **state)
{
	static const struct {
		unsigned int levels;
		unsigned int bits;
		uint32_t last;
		uint64_t efr;
		int err;
	} cases[] = {
		{ 2, 0, 0, 0x29d3, -DMAMAP_EINVAL },
		{ 7, 0, 0, 0x29d3, -DMAMAP_EINVAL },
		{ 0, 31, 0, 0x29d3, -DMAMAP_EINVAL },
		{ 0, 53, 0, 0x29d3, -DMAMAP_EINVAL },
		{ 0, 0, 0x10000, 0x29d3, -DMAMAP_EINVAL },
		{ 5, 0, 0, 0x21d3, -DMAMAP_EOPNOTSUPP }, /* HATS 0: four levels */
		{ 0, 0, 0, FULL, -DMAMAP_ENODEV },
		{ 6, 48, 0xff, 0x29d3, 0 },
		{ 3, 0, 0xff, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;

		prepare(&f);
		f.model.efr = cases[i].efr;
		f.config.levels = cases[i].levels;
		f.config.address_bits = cases[i].bits;
		f.config.last_id = cases[i].last;
		assert_int_equal(create(&f), cases[i].err);
		if (cases[i].err)
			f.amdvi = NULL;
		finish(&f);
	}
}

static void memory_that_is_refused_leaks_nothing(void **state)
{
	unsigned int tried = 0;

	(void)state;
	for (uint64_t n = 1;; n++) {
		struct fixture f;
		int err;

		prepare(&f);
		f.config.last_id = 0xffff;
		f.board.fail_at = f.board.allocs + n;
		err = create(&f);
		if (err)
			f.amdvi = NULL;
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

/* --- the device table */

static void entries_are_the_manuals(void **state)
{
	const uint64_t *entry;
	struct fixture f;

	(void)state;
	start(&f);
	entry = amd_model_entry(&f.model, 8);
	/* valid, translation valid, four levels, reads and writes; domain 1 */
	assert_int_equal(entry[0] & ~(uint64_t)0x000ffffffffff000u, 0x6000000000000803u);
	assert_non_null(board_ptr(&f.board, entry[0] & 0x000ffffffffff000u, 4096));
	assert_int_equal(entry[1], 1);
	assert_int_equal(entry[2] | entry[3], 0);
	for (uint32_t id = 0; id < 65536; id++)
		if (id != 8)
			assert_int_equal(amd_model_entry(&f.model, id)[0], BLOCKED);
	assert_null(amd_model_entry(&f.model, 65536));
	assert_int_equal(dma_device_set_domain(&f.a.dma, NULL), 0);
	assert_int_equal(entry[0], BLOCKED);
	finish(&f);
}

static void entries_change_in_steps(void **state)
{
	unsigned int from;
	struct fixture f;
	int first, wait;

	(void)state;
	start(&f);
	from = f.model.n_commands;
	assert_int_equal(dma_device_set_domain(&f.b.dma, f.domain), 0);
	first = amd_model_find(&f.model, from, CMD(2) | 0x1010, 0);
	wait = amd_model_find(&f.model, from, CMD(1), 0);
	assert_true(first >= 0 && wait > first);
	assert_true(amd_model_find(&f.model, (unsigned int)wait, CMD(2) | 0x1010, 0) > wait);
	assert_int_equal(f.model.diary[f.model.n_commands - 1].low >> 60, 1);
	from = f.model.n_commands;
	assert_int_equal(dma_device_set_domain(&f.b.dma, NULL), 0);
	assert_true(amd_model_find(&f.model, from, CMD(2) | 0x1010, 0) >= 0);
	assert_int_equal(f.model.diary[f.model.n_commands - 1].low >> 60, 1);
	finish(&f);
}

static void unattached_devices_pass_if_so_configured(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f);
	f.config.bypass_unattached = true;
	assert_int_equal(create(&f), 0);
	assert_int_equal(make_domain(&f, &f.domain), 0);
	assert_int_equal(dma_device_set_domain(&f.a.dma, f.domain), 0);
	assert_int_equal(dmamap_amdvi_enable(f.amdvi), 0);
	assert_int_equal(amd_model_entry(&f.model, 9)[0], 0); /* not valid: it passes */
	assert_int_equal(dma_device_set_domain(&f.a.dma, NULL), 0);
	assert_int_equal(amd_model_entry(&f.model, 8)[0], 0);
	finish(&f);
}

/** The hardware counts the table in pages: what lies behind the last number does not pass either. */
static void nobody_passes_behind_the_last_number(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f);
	f.config.last_id = 9;
	assert_int_equal(create(&f), 0);
	assert_int_equal(dmamap_amdvi_enable(f.amdvi), 0);
	for (uint32_t id = 0; id < 128; id++)
		assert_int_equal(amd_model_entry(&f.model, id)[0], BLOCKED);
	assert_null(amd_model_entry(&f.model, 128));
	finish(&f);
}

static void numbers_of_domains_come_back(void **state)
{
	struct dma_domain *one, *two;
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(make_domain(&f, &one), 0);
	assert_int_equal(dmamap_amdvi_destroy(f.amdvi), -DMAMAP_EBUSY);
	assert_int_equal(dma_domain_destroy(one), 0);
	/* its entries are gone before the number is used again */
	assert_int_equal(f.model.diary[f.model.n_commands - 2].low, PAGES(2));
	assert_int_equal(f.model.diary[f.model.n_commands - 2].high, EVERYTHING);
	assert_int_equal(f.model.diary[f.model.n_commands - 1].low >> 60, 1);
	assert_int_equal(make_domain(&f, &two), 0);
	assert_int_equal(dma_device_set_domain(&f.b.dma, two), 0);
	assert_int_equal(amd_model_entry(&f.model, 0x1010)[1], 2);
	assert_int_equal(dma_device_set_domain(&f.b.dma, NULL), 0);
	assert_int_equal(dma_domain_destroy(two), 0);
	finish(&f);
}

static void hypertransports_addresses_are_never_handed_out(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	dmamap_set_mask(&f.a.dma, DMA_BIT_MASK(40));
	/* the highest gibibyte below 2^40 that is not theirs */
	assert_int_equal(dma_map_phys(&f.a.dma, G1, 0x40000000, DMA_TO_DEVICE, DMA_ATTR_MMIO),
			 0xfcc0000000);
	dma_unmap_phys(&f.a.dma, 0xfcc0000000, 0x40000000, DMA_TO_DEVICE, DMA_ATTR_MMIO);
	finish(&f);
}

/* --- invalidation */

static void ranges_are_aligned_powers_of_two(void **state)
{
	static const struct {
		dma_addr_t iova;
		uint64_t len;
		uint64_t word;
	} cases[] = {
		{ 0x5000, 0x1000, 0x5000 },
		{ 0x5800, 0x800, 0x5000 },
		{ 0x4000, 0x2000, 0x4001 },	  /* 8 KiB: bit 12 is 0 */
		{ 0x5000, 0x2000, 0x5001 },	  /* two halves: 16 KiB, bit 12 is 1, bit 13 is 0 */
		{ 0x7000, 0x2000, 0x7001 },	  /* 64 KiB: 12 to 14 are ones */
		{ 0x200000, 0x200000, 0x2ff001 }, /* 2 MiB */
		{ 0x1ff000, 0x2000, 0x1ff001 },	  /* 4 MiB */
		{ 0, (uint64_t)1 << 51, 0x0003fffffffff001u },
		{ 0, (uint64_t)1 << 52, 0x7ffffffffffff001u },
		{ 0, (uint64_t)1 << 60, 0x7ffffffffffff001u },
	};
	struct fixture f;

	(void)state;
	start(&f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned int from = invalidate(&f, cases[i].iova, cases[i].len, true);

		assert_int_equal(f.model.diary[from].low, PAGES(1));
		assert_int_equal(f.model.diary[from].high, cases[i].word);
		assert_int_equal(f.model.n_commands, from + 2);
		from = invalidate(&f, cases[i].iova, cases[i].len, false);
		assert_int_equal(f.model.diary[from].high, cases[i].word | 2); /* tables too */
	}
	assert_int_equal(f.model.diary[invalidate(&f, 0, FULL, true)].high, EVERYTHING);
	assert_int_equal(invalidate(&f, 0, 0, true), f.model.n_commands);
	finish(&f);
}

/** Decode the word as the specification says; does it hold the range? */
static void random_ranges_are_held(void **state)
{
	uint64_t seed = board_seed();
	struct fixture f;

	(void)state;
	start(&f);
	for (unsigned int i = 0; i < 3000; i++) {
		uint64_t iova = (board_random(&seed) >> 16 >> board_random(&seed) % 30) & ~0xfffull;
		uint64_t len = (board_random(&seed) >> (20 + board_random(&seed) % 32)) + 1;
		uint64_t word = f.model.diary[invalidate(&f, iova, len, true) % AMD_DIARY].high;
		unsigned int n = 12;

		if (word & 1)
			for (n = 13; word >> (n - 1) & 1; n++)
				;
		if (n >= 52)
			continue;
		assert_int_equal(word >> n, iova >> n);
		assert_int_equal((iova + len - 1) >> n, iova >> n);
	}
	finish(&f);
}

static void an_unmap_is_invalidated_and_waited_for(void **state)
{
	unsigned int from, kicks;
	struct fixture f;
	dma_addr_t addr, other;

	(void)state;
	start(&f);
	other = dma_map_phys(&f.a.dma, G1, K4, DMA_BIDIRECTIONAL, 0);
	addr = dma_map_phys(&f.a.dma, G1, K4, DMA_BIDIRECTIONAL, 0);
	from = f.model.n_commands;
	kicks = f.model.kicks;
	dma_unmap_phys(&f.a.dma, addr, K4, DMA_BIDIRECTIONAL, 0);
	assert_int_equal(amd_model_find(&f.model, from, PAGES(1), addr), (int)from);
	assert_int_equal(amd_model_find(&f.model, from, CMD(1), 0), (int)from + 1);
	assert_int_equal(f.model.n_commands, from + 2);
	assert_int_equal(f.model.kicks, kicks + 1);
	dma_unmap_phys(&f.a.dma, other, K4, DMA_BIDIRECTIONAL, 0);
	finish(&f);
}

static void the_command_buffer_goes_round(void **state)
{
	struct dma_iommu_unit *unit;
	struct fixture f;

	(void)state;
	start(&f);
	unit = dmamap_amdvi_unit(f.amdvi);
	for (unsigned int i = 0; i < 3000; i++) /* more than fit, without a wait */
		unit->ops->invalidate(unit, 1, (uint64_t)i * K4, K4, true);
	unit->ops->wait(unit);
	assert_true(amd_model_find(&f.model, 0, PAGES(1), 2999 * K4) > 0);
	assert_false(info_of(&f).broken);
	finish(&f);
}

/* --- events, made by hand */

static void events_say_device_address_and_reason(void **state)
{
	static const struct {
		uint64_t low;
		bool known;
		enum dma_fault_access access;
		enum dma_fault_reason reason;
	} cases[] = {
		/* page fault: bits 51 interrupt, 52 present, 53 write, 54 permission, 55 reserved bits */
		{ CMD(2) | 8, true, DMA_FAULT_READ, DMA_FAULT_REASON_NOT_PRESENT },
		{ CMD(2) | 8 | 1ull << 53, true, DMA_FAULT_WRITE, DMA_FAULT_REASON_NOT_PRESENT },
		{ CMD(2) | 8 | 7ull << 52, true, DMA_FAULT_WRITE, DMA_FAULT_REASON_WRITE_DENIED },
		{ CMD(2) | 8 | 5ull << 52, true, DMA_FAULT_READ, DMA_FAULT_REASON_READ_DENIED },
		{ CMD(2) | 8 | 9ull << 52, true, DMA_FAULT_READ, DMA_FAULT_REASON_RESERVED_BIT },
		{ CMD(2) | 8 | 1ull << 51, true, DMA_FAULT_READ, DMA_FAULT_REASON_OTHER },
		{ CMD(2) | 9 | 1ull << 53, false, DMA_FAULT_WRITE, DMA_FAULT_REASON_BLOCKED },
		{ CMD(1) | 8, true, DMA_FAULT_READ, DMA_FAULT_REASON_TABLE },
		{ CMD(3) | 8, true, DMA_FAULT_READ, DMA_FAULT_REASON_TABLE },
		{ CMD(4) | 8, true, DMA_FAULT_READ, DMA_FAULT_REASON_TABLE },
		{ CMD(8) | 8, true, DMA_FAULT_READ, DMA_FAULT_REASON_OTHER },
	};
	const unsigned int n = sizeof(cases) / sizeof(cases[0]);
	struct fixture f;

	(void)state;
	start(&f);
	for (unsigned int i = 0; i < n; i++)
		assert_true(amd_model_event(&f.model, cases[i].low, 0x5000 + i));
	/* these tell of no device's access */
	assert_true(amd_model_event(&f.model, CMD(5), 0x1234));
	assert_true(amd_model_event(&f.model, CMD(7) | 8, 0));
	assert_true(amd_model_event(&f.model, CMD(15) | 8, 0));
	assert_int_equal(dmamap_amdvi_handle_faults(f.amdvi), n);
	assert_int_equal(f.board.n_faults, n);
	for (unsigned int i = 0; i < n; i++) {
		const struct dma_fault *fault = &f.board.faults[i];

		assert_ptr_equal(fault->device, cases[i].known ? &f.a.dma : NULL);
		assert_int_equal(fault->reason, cases[i].reason);
		assert_int_equal(fault->access, cases[i].access);
		assert_int_equal(fault->code, cases[i].low >> 60);
		assert_int_equal(fault->dma_addr, 0x5000 + i);
	}
	assert_int_equal(f.model.evt_head, f.model.evt_tail);
	assert_int_equal(f.model.status & 2, 0);
	assert_string_equal(dmamap_amdvi_event_text(2), "an I/O page fault");
	assert_string_equal(dmamap_amdvi_event_text(15), "unknown event");
	assert_string_equal(dmamap_amdvi_event_text(0), "unknown event");
	finish(&f);
}

static void the_event_log_goes_round_and_overflows(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	for (unsigned int i = 0; i < 1000; i++) {
		assert_true(amd_model_event(&f.model, CMD(2) | 8, i));
		if (i % 100 == 99)
			assert_int_equal(dmamap_amdvi_handle_faults(f.amdvi), 100);
	}
	for (unsigned int i = 0; i < 255; i++)
		assert_true(amd_model_event(&f.model, CMD(2) | 8, i));
	assert_false(amd_model_event(&f.model, CMD(2) | 8, 0));
	assert_int_equal(dmamap_amdvi_handle_faults(f.amdvi), 255);
	assert_int_equal(info_of(&f).events_lost, 1);
	assert_int_equal(f.model.status & 1, 0);
	assert_true(amd_model_event(&f.model, CMD(2) | 8, 7));
	assert_int_equal(dmamap_amdvi_handle_faults(f.amdvi), 1);
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
		assert_true(amd_model_event(&f.model, board_random(&seed), board_random(&seed)));
		assert_true(dmamap_amdvi_handle_faults(f.amdvi) <= 1);
	}
	f.model.fault = AMD_LATE_EVENTS;
	assert_true(amd_model_event(&f.model, CMD(2) | 8, 0));
	assert_int_equal(dmamap_amdvi_handle_faults(f.amdvi), 0);
	assert_int_equal(f.model.evt_head, f.model.evt_tail);
	f.model.fault = AMD_FINE;
	for (unsigned int i = 0; i < 200; i++) { /* the tail too */
		f.model.evt_tail = board_random(&seed) >> board_random(&seed) % 60;
		assert_true(dmamap_amdvi_handle_faults(f.amdvi) <= 256);
	}
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
	all = amd_model_find(&f.model, from, CMD(8), 0);
	assert_true(all >= 0);
	assert_true(amd_model_find(&f.model, (unsigned int)all, CMD(1), 0) > all);
	/* and it goes on */
	from = invalidate(&f, 0x5000, K4, true);
	assert_int_equal(amd_model_find(&f.model, from, PAGES(1), 0x5000), (int)from);
	finish(&f);
}

static void what_cannot_be_believed_breaks_it(void **state)
{
	static const struct {
		enum amd_model_fault fault;
		bool refuse_all;
		const char *text;
	} cases[] = {
		{ AMD_SILENT, false, "did not finish" },
		{ AMD_BAD_STORE, false, "makes no sense" },
		{ AMD_FINE, true, "refuses every command" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dma_error why;
		uint64_t before;
		struct fixture f;

		start(&f);
		before = f.board.now;
		f.model.fault = cases[i].fault;
		f.model.refuse_all = cases[i].refuse_all;
		invalidate(&f, 0x4000, K4, true);
		assert_true(f.board.now - before < 2500000000u);
		assert_true(info_of(&f).broken);
		assert_non_null(strstr(f.board.log, cases[i].text));
		assert_int_equal(dma_map_phys(&f.a.dma, G1, K4, DMA_BIDIRECTIONAL, 0),
				 DMA_MAPPING_ERROR);
		assert_int_equal(dma_last_error(&f.a.dma, &why), 0);
		assert_int_equal(why.err, -DMAMAP_EIO);
		assert_int_equal(dma_device_set_domain(&f.b.dma, f.domain), -DMAMAP_EIO);
		f.model.fault = AMD_FINE;
		finish(&f);
	}
}

static void hardware_that_is_gone_breaks_it(void **state)
{
	uint64_t live;
	struct fixture f;

	(void)state;
	prepare(&f);
	live = f.board.live;
	assert_int_equal(create(&f), 0);
	assert_int_equal(dmamap_amdvi_enable(f.amdvi), 0);
	f.model.control &= ~(uint64_t)0x1000; /* nothing is performed any more */
	f.model.fault = AMD_GONE;
	invalidate(&f, 0x4000, K4, true);
	assert_true(info_of(&f).broken);
	assert_int_equal(dmamap_amdvi_handle_faults(f.amdvi), 0);
	f.model.fault = AMD_ALWAYS_ON;
	assert_int_equal(dmamap_amdvi_destroy(f.amdvi), 0);
	assert_true(f.board.live > live); /* the hardware may still read there */
	assert_non_null(strstr(f.board.log, "does not stop"));
	memset(f.board.taken, 0, BOARD_PAGES);
	f.board.live = live;
	f.amdvi = NULL;
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_switched_on_and_off),
		cmocka_unit_test(what_firmware_decided_stays),
		cmocka_unit_test(without_the_feature_all_is_dropped_one_by_one),
		cmocka_unit_test(impossible_configurations_are_refused),
		cmocka_unit_test(memory_that_is_refused_leaks_nothing),
		cmocka_unit_test(entries_are_the_manuals),
		cmocka_unit_test(entries_change_in_steps),
		cmocka_unit_test(unattached_devices_pass_if_so_configured),
		cmocka_unit_test(nobody_passes_behind_the_last_number),
		cmocka_unit_test(numbers_of_domains_come_back),
		cmocka_unit_test(hypertransports_addresses_are_never_handed_out),
		cmocka_unit_test(ranges_are_aligned_powers_of_two),
		cmocka_unit_test(random_ranges_are_held),
		cmocka_unit_test(an_unmap_is_invalidated_and_waited_for),
		cmocka_unit_test(the_command_buffer_goes_round),
		cmocka_unit_test(events_say_device_address_and_reason),
		cmocka_unit_test(the_event_log_goes_round_and_overflows),
		cmocka_unit_test(garbage_events_are_survived),
		cmocka_unit_test(a_refused_command_drops_everything),
		cmocka_unit_test(what_cannot_be_believed_breaks_it),
		cmocka_unit_test(hardware_that_is_gone_breaks_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
