/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walker of the simulated IOMMU on tables of every format, made by hand: leaves of every size with the values that
 * hardware manuals and drivers give, widths, permissions, what faults, what the hardware marks.
 */
#include "handmade.h"

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)
#define CONT   (1ull << 52)
#define NAPOT  (1ull << 63)

#define IOVA 0x3480000000ull /* index 0 at the two lowest levels of every format */

/* --- leaves */

struct leaf {
	unsigned int format;
	unsigned int level;
	uint64_t entry;
	/** Equal entries, or, if each has its own address, what it goes up by. */
	unsigned int copies;
	uint64_t step;
	phys_addr_t phys;
	uint64_t size;
	bool read;
	bool write;
};

#define RW true, true
#define RO true, false
#define WO false, true

/* As hardware.md has them, or made of the bits that it gives. */
static const struct leaf leaves[] = {
	{ FMT_VTD, 1, FAR_BASE | 0x003, 1, 0, FAR_BASE, KIB(4), RW },
	{ FMT_VTD, 1, FAR_BASE | 0x001, 1, 0, FAR_BASE, KIB(4), RO },
	{ FMT_VTD, 1, FAR_BASE | 0x002, 1, 0, FAR_BASE, KIB(4), WO },
	{ FMT_VTD, 1, FAR_BASE | 0x803, 1, 0, FAR_BASE, KIB(4), RW },
	{ FMT_VTD, 2, FAR_BASE | 0x083, 1, 0, FAR_BASE, MIB(2), RW },
	{ FMT_VTD, 3, FAR_BASE | 0x083, 1, 0, FAR_BASE, GIB(1), RW },
	{ FMT_VTD_3, 3, FAR_BASE | 0x081, 1, 0, FAR_BASE, GIB(1), RO },
	{ FMT_VTD_5, 2, FAR_BASE | 0x082, 1, 0, FAR_BASE, MIB(2), WO },
	{ FMT_X86, 1, FAR_BASE | 0x067, 1, 0, FAR_BASE, KIB(4), RW },
	{ FMT_X86, 1, FAR_BASE | 0x8000000000000065, 1, 0, FAR_BASE, KIB(4), RO },
	{ FMT_X86, 2, FAR_BASE | 0x10e7, 1, 0, FAR_BASE, MIB(2), RW },
	{ FMT_X86_5, 3, FAR_BASE | 0x0e7, 1, 0, FAR_BASE, GIB(1), RW },
	{ FMT_AMD, 1, 0x6000004000000001, 1, 0, FAR_BASE, KIB(4), RW },
	{ FMT_AMD, 1, 0x7000004000000001, 1, 0, FAR_BASE, KIB(4), RW },
	{ FMT_AMD, 1, 0x2000004000000001, 1, 0, FAR_BASE, KIB(4), RO },
	{ FMT_AMD, 1, 0x4000004000000001, 1, 0, FAR_BASE, KIB(4), WO },
	{ FMT_AMD, 1, 0x6000004000000e01, 2, 0, FAR_BASE, KIB(8), RW },
	{ FMT_AMD, 1, 0x6000004000001e01, 4, 0, FAR_BASE, KIB(16), RW },
	{ FMT_AMD, 1, 0x6000004000003e01, 8, 0, FAR_BASE, KIB(32), RW },
	{ FMT_AMD, 1, 0x6000004000007e01, 16, 0, FAR_BASE, KIB(64), RW },
	{ FMT_AMD, 1, 0x600000400007fe01, 256, 0, FAR_BASE, MIB(1), RW },
	{ FMT_AMD, 2, 0x6000004000000001, 1, 0, FAR_BASE, MIB(2), RW },
	{ FMT_AMD_3, 2, 0x60000040001ffe01, 2, 0, FAR_BASE, MIB(4), RW },
	{ FMT_AMD_6, 2, 0x60000040007ffe01, 8, 0, FAR_BASE, MIB(16), RW },
	{ FMT_AMD, 2, 0x600000400ffffe01, 256, 0, FAR_BASE, MIB(512), RW },
	{ FMT_AMD, 3, 0x6000004000000001, 1, 0, FAR_BASE, GIB(1), RW },
	{ FMT_AMD, 3, 0x600000403ffffe01, 2, 0, FAR_BASE, GIB(2), RW },
	{ FMT_AMD, 3, 0x6000005ffffffe01, 256, 0, FAR_BASE, GIB(256), RW },
	{ FMT_S1, 1, FAR_BASE | 0xf47, 1, 0, FAR_BASE, KIB(4), RW },
	{ FMT_S1, 1, FAR_BASE | 0xfc7, 1, 0, FAR_BASE, KIB(4), RO },
	{ FMT_S1, 1, FAR_BASE | 0xe4b, 1, 0, FAR_BASE, KIB(4), RW },
	{ FMT_S1, 2, FAR_BASE | 0xf45, 1, 0, FAR_BASE, MIB(2), RW },
	{ FMT_S1, 3, FAR_BASE | 0xf45, 1, 0, FAR_BASE, GIB(1), RW },
	{ FMT_S1, 1, FAR_BASE | 0xf47 | CONT, 16, KIB(4), FAR_BASE, KIB(64), RW },
	{ FMT_S1_39, 2, FAR_BASE | 0xf45 | CONT, 16, MIB(2), FAR_BASE, MIB(32), RW },
	{ FMT_S1, 3, FAR_BASE | 0xf45 | CONT, 16, GIB(1), FAR_BASE, GIB(16), RW },
	{ FMT_S1_16K, 1, FAR_BASE | 0xf47, 1, 0, FAR_BASE, KIB(16), RW },
	{ FMT_S1_16K, 1, FAR_BASE | 0xfc7 | CONT, 128, KIB(16), FAR_BASE, MIB(2), RO },
	{ FMT_S1_16K, 2, FAR_BASE | 0xf45, 1, 0, FAR_BASE, MIB(32), RW },
	{ FMT_S1_16K, 2, FAR_BASE | 0xf45 | CONT, 32, MIB(32), FAR_BASE, GIB(1), RW },
	{ FMT_S1_64K, 1, FAR_BASE | 0xf47, 1, 0, FAR_BASE, KIB(64), RW },
	{ FMT_S1_64K, 1, FAR_BASE | 0xf47 | CONT, 32, KIB(64), FAR_BASE, MIB(2), RW },
	{ FMT_S1_64K, 2, FAR_BASE | 0xf45, 1, 0, FAR_BASE, MIB(512), RW },
	{ FMT_S2, 1, FAR_BASE | 0x7ff, 1, 0, FAR_BASE, KIB(4), RW },
	{ FMT_S2, 1, FAR_BASE | 0x77f, 1, 0, FAR_BASE, KIB(4), RO },
	{ FMT_S2, 1, FAR_BASE | 0x7bf, 1, 0, FAR_BASE, KIB(4), WO },
	{ FMT_S2, 1, FAR_BASE | 0x6c7, 1, 0, FAR_BASE, KIB(4), RW },
	{ FMT_S2_40, 2, FAR_BASE | 0x7fd, 1, 0, FAR_BASE, MIB(2), RW },
	{ FMT_S2_40, 3, FAR_BASE | 0x7fd, 1, 0, FAR_BASE, GIB(1), RW },
	{ FMT_S2_16K, 1, FAR_BASE | 0x7ff | CONT, 128, KIB(16), FAR_BASE, MIB(2), RW },
	{ FMT_S2_64K, 2, FAR_BASE | 0x7fd | CONT, 32, MIB(512), FAR_BASE, GIB(16), RW },
	{ FMT_SV39, 1, FAR_BASE >> 2 | 0xd7, 1, 0, FAR_BASE, KIB(4), RW },
	{ FMT_SV39, 1, FAR_BASE >> 2 | 0xd3, 1, 0, FAR_BASE, KIB(4), RO },
	{ FMT_SV48, 1, FAR_BASE >> 2 | 0x20d7 | NAPOT, 16, 0, FAR_BASE, KIB(64), RW },
	{ FMT_SV48, 2, FAR_BASE >> 2 | 0xd7, 1, 0, FAR_BASE, MIB(2), RW },
	{ FMT_SV57, 3, FAR_BASE >> 2 | 0xd7, 1, 0, FAR_BASE, GIB(1), RW },
};

#define NR_LEAVES (sizeof(leaves) / sizeof(leaves[0]))

static void enter_copies(struct handmade *h, dma_addr_t iova, const struct leaf *l)
{
	for (unsigned int i = 0; i < l->copies; i++) {
		uint64_t up = i * l->step;

		if (h->format->config.format == DMA_PT_RISCV)
			up >>= 2;
		handmade_enter(h, iova + ((uint64_t)i << handmade_shift(h, l->level)), l->level,
			       l->entry + up);
	}
}

static void expect_data(struct handmade *h, dma_addr_t addr, phys_addr_t phys, const struct leaf *l,
			unsigned char value)
{
	cpu_fill(h->m, phys, 8, value);
	if (l->read)
		expect_read(h->device, addr, 8, value);
	else
		expect_fault(h->device, addr, 8, false, 0, SIM_FAULT_READ_DENIED);
	if (l->write) {
		device_fill(h->device, addr, 8, (unsigned char)(value + 1));
		expect_cpu(h->m, phys, 8, (unsigned char)(value + 1));
	} else {
		expect_fault(h->device, addr, 8, true, 0, SIM_FAULT_WRITE_DENIED);
		expect_cpu(h->m, phys, 8, value);
	}
}

/** Every leaf leads to its bytes, first and last, lets through what it says, and ends where it ends. */
static void golden_leaves(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_LEAVES; i++) {
		const struct leaf *l = &leaves[i];
		uint64_t reach = l->size < FAR_SIZE ? l->size : FAR_SIZE;
		struct sim_iommu_stats stats;
		struct handmade h;
		dma_addr_t iova;

		print_message("# leaf %u, %s, %llu KiB\n", i, handmade_formats[l->format].name,
			      (unsigned long long)(l->size >> 10));
		handmade_setup(&h, l->format, NULL);
		iova = IOVA / l->size * l->size;
		enter_copies(&h, iova, l);
		expect_data(&h, iova, l->phys, l, 3);
		expect_data(&h, iova + reach - 8, l->phys + reach - 8, l, 5);
		expect_data(&h, iova + reach / 2, l->phys + reach / 2, l, 7);
		sim_iommu_get_stats(h.iommu, &stats);
		/* One page: what was allowed first is cached whole. */
		assert_int_equal(stats.walks, l->read ? 1 : 2);
		expect_fault(h.device, iova + l->size, 1, false, 0, SIM_FAULT_NOT_PRESENT);
		if (iova)
			expect_fault(h.device, iova - 1, 1, false, 0, SIM_FAULT_NOT_PRESENT);
		handmade_teardown(&h);
	}
}

/** One page within a page drops it whole. */
static void large_leaves_are_dropped_whole(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_LEAVES; i++) {
		const struct leaf *l = &leaves[i];
		struct leaf nothing = *l;
		struct handmade h;
		dma_addr_t iova, some;

		if (!l->read)
			continue;
		handmade_setup(&h, l->format, NULL);
		iova = IOVA / l->size * l->size;
		some = iova + l->size / 2 / 4096 * 4096;
		enter_copies(&h, iova, l);
		expect_data(&h, iova, l->phys, l, 3);
		nothing.entry = 0;
		nothing.step = 0;
		enter_copies(&h, iova, &nothing);
		h.unit->ops->invalidate(h.unit, HANDMADE_DOMAIN, iova + l->size, 4096, true);
		h.unit->ops->wait(h.unit);
		expect_data(&h, iova, l->phys, l, 3);
		h.unit->ops->invalidate(h.unit, HANDMADE_DOMAIN, some, 4096, true);
		h.unit->ops->wait(h.unit);
		expect_fault(h.device, iova, 1, false, 0, SIM_FAULT_NOT_PRESENT);
		handmade_teardown(&h);
	}
}

/* --- addresses */

static void widths(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_FMT; i++) {
		uint64_t granule, end, root;
		struct handmade h;

		handmade_setup(&h, i, NULL);
		granule = 1ull << handmade_granule_bits(&h);
		end = h.format->width < 64 ? 1ull << h.format->width : 0;
		root = 1ull << handmade_shift(&h, h.format->levels);
		handmade_enter(&h, 0, 1, h.format->page(h.buf));
		handmade_enter(&h, end - granule, 1, h.format->page(h.buf + granule));
		handmade_enter(&h, end - root, 1, h.format->page(h.buf + 2 * granule));
		expect_read(h.device, 0, granule, 1);
		expect_read(h.device, end - granule, granule, 2);
		if (root != end)
			expect_read(h.device, end - root, granule, 3);
		if (end) {
			expect_fault(h.device, end - granule, 2 * granule, false, granule,
				     SIM_FAULT_WIDTH);
			expect_fault(h.device, end, 4, false, 0, SIM_FAULT_WIDTH);
		}
		handmade_teardown(&h);
	}
}

/** Where addresses are sign-extended the upper half has tables too. */
static void canonical_addresses(void **state)
{
	static const unsigned int formats[] = { FMT_X86, FMT_X86_5, FMT_SV39, FMT_SV48, FMT_SV57 };
	struct handmade h;

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		handmade_setup(&h, formats[i], NULL);
		handmade_enter(&h, ~0ull - 4095, 1, h.format->page(h.buf));
		expect_read(h.device, ~0ull - 4095, 4096, 1);
		expect_fault(h.device, (2ull << h.format->width) - 4096, 4, false, 0,
			     SIM_FAULT_WIDTH);
		handmade_teardown(&h);
	}
	handmade_setup(&h, FMT_VTD, NULL);
	handmade_enter(&h, (1ull << 48) - 4096, 1, h.format->page(h.buf));
	expect_fault(h.device, ~0ull - 4095, 4, false, 0, SIM_FAULT_WIDTH);
	handmade_teardown(&h);
}

/** What a PC's bus takes for interrupts is no memory, on either side. */
static void interrupt_window(void **state)
{
	static const unsigned int formats[] = { FMT_VTD, FMT_X86, FMT_AMD };
	struct handmade h;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		handmade_setup(&h, formats[i], NULL);
		handmade_enter(&h, 0xfee00000, 1, h.format->page(h.buf));
		handmade_enter(&h, 0xfedff000, 1, h.format->page(h.buf));
		handmade_enter(&h, 0xfef00000, 1, h.format->page(h.buf));
		handmade_enter(&h, IOVA, 1, h.format->page(0xfeeff000));
		expect_fault(h.device, 0xfee00000, 4, true, 0, SIM_FAULT_INTERRUPT);
		expect_read(h.device, 0xfedff000, 4096, 1);
		expect_read(h.device, 0xfef00000, 4096, 1);
		expect_fault(h.device, IOVA, 4, true, 0, SIM_FAULT_INTERRUPT);
		handmade_teardown(&h);
	}
	handmade_setup(&h, FMT_S1, NULL);
	handmade_enter(&h, 0xfee00000, 1, h.format->page(h.buf));
	expect_read(h.device, 0xfee00000, 4096, 1);
	handmade_teardown(&h);
}

/* --- what faults */

struct bad {
	unsigned int format;
	unsigned int level;
	uint64_t entry;
	bool write;
	enum sim_fault_reason reason;
};

static const struct bad bad[] = {
	{ FMT_X86, 1, FAR_BASE | 0x66, false, SIM_FAULT_NOT_PRESENT },
	{ FMT_X86, 1, FAR_BASE | 0x63, false, SIM_FAULT_PRIVILEGE },
	{ FMT_X86, 2, FAR_BASE | 0x3, false, SIM_FAULT_PRIVILEGE }, /* of the table */
	{ FMT_X86, 2, FAR_BASE | 0x5, true, SIM_FAULT_WRITE_DENIED },
	{ FMT_X86, 4, FAR_BASE | 0x87, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_X86, 3, FAR_BASE | 0x2087, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_X86, 2, FAR_BASE | 0x100087, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_AMD, 1, 0x6000004000000000, false, SIM_FAULT_NOT_PRESENT },
	{ FMT_AMD, 1, 0x0000004000000001, false, SIM_FAULT_READ_DENIED },
	{ FMT_AMD, 2, 0x2000004000000201, true, SIM_FAULT_WRITE_DENIED },
	{ FMT_AMD, 1, 0x6000004000000201, false, SIM_FAULT_RESERVED_BIT }, /* table of its level */
	{ FMT_AMD, 2, 0x6000004000000401, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_AMD, 2, 0x6000004000000601, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_AMD, 2, 0x7000004000000201, false, SIM_FAULT_RESERVED_BIT }, /* FC of a table */
	{ FMT_AMD, 1, 0x6010004000000001, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_AMD, 1, 0x60000040000ffe01, false, SIM_FAULT_RESERVED_BIT }, /* 2 MiB at level 1 */
	{ FMT_AMD, 2, 0x6000004000007e01, false, SIM_FAULT_RESERVED_BIT }, /* 64 KiB at level 2 */
	{ FMT_AMD, 2, 0x6000004000001001, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_AMD, 4, 0x6000000000000001, false, SIM_FAULT_RESERVED_BIT }, /* 512 GiB */
	{ FMT_AMD_6, 6, 0x6000000000000001, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_S1_32, 3, 0x100000f45 | CONT, false, SIM_FAULT_RESERVED_BIT }, /* of 16 GiB */
	{ FMT_S1, 1, FAR_BASE | 0xf46, false, SIM_FAULT_NOT_PRESENT },
	{ FMT_S1, 1, FAR_BASE | 0xf45, false, SIM_FAULT_NOT_PRESENT }, /* no block there */
	{ FMT_S1, 1, FAR_BASE | 0xb47, false, SIM_FAULT_ACCESS_FLAG },
	{ FMT_S1, 1, FAR_BASE | 0xf07, false, SIM_FAULT_PRIVILEGE },
	{ FMT_S1, 4, FAR_BASE | 0xf45, false, SIM_FAULT_RESERVED_BIT }, /* a block of 512 GiB */
	{ FMT_S1, 2, FAR_BASE | 0x1f45, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_S1, 1, FAR_BASE | 0x1000000000f47, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_S1, 2, FAR_BASE | 3 | 1ull << 61, false, SIM_FAULT_PRIVILEGE },
	{ FMT_S1, 2, FAR_BASE | 3 | 1ull << 62, true, SIM_FAULT_WRITE_DENIED },
	{ FMT_S1_16K, 1, FAR_BASE | 0x2f47, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_S1_16K, 3, FAR_BASE | 0xf45, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_S1_64K, 1, FAR_BASE | 0x8f47, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_S1_64K, 2, FAR_BASE | 0x1003, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_S2, 1, FAR_BASE | 0x3ff, false, SIM_FAULT_ACCESS_FLAG },
	{ FMT_S2, 1, FAR_BASE | 0xfff, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_S2, 1, FAR_BASE | 0x73f, false, SIM_FAULT_READ_DENIED },
	{ FMT_SV39, 1, FAR_BASE >> 2 | 0xd6, false, SIM_FAULT_NOT_PRESENT },
	{ FMT_SV39, 1, FAR_BASE >> 2 | 0xd5, true, SIM_FAULT_RESERVED_BIT }, /* W without R */
	{ FMT_SV39, 1, FAR_BASE >> 2 | 0xd9, false, SIM_FAULT_READ_DENIED },
	{ FMT_SV39, 1, FAR_BASE >> 2 | 0xc7, false, SIM_FAULT_PRIVILEGE },
	{ FMT_SV39, 1, FAR_BASE >> 2 | 0x97, false, SIM_FAULT_ACCESS_FLAG },
	{ FMT_SV39, 1, FAR_BASE >> 2 | 0x57, true, SIM_FAULT_ACCESS_FLAG },
	{ FMT_SV39, 1, FAR_BASE >> 2 | 1, false, SIM_FAULT_RESERVED_BIT }, /* a table */
	{ FMT_SV39, 2, FAR_BASE >> 2 | 0x11, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_SV39, 2, FAR_BASE >> 2 | 0x41, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_SV39, 2, FAR_BASE >> 2 | 0x4d7, false, SIM_FAULT_RESERVED_BIT }, /* not aligned */
	{ FMT_SV39, 1, FAR_BASE >> 2 | 0xd7 | 1ull << 54, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_SV39, 1, FAR_BASE >> 2 | 0xd7 | 1ull << 61, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_SV39, 1, FAR_BASE >> 2 | 0xd7 | NAPOT, false, SIM_FAULT_RESERVED_BIT },
	{ FMT_SV39, 2, FAR_BASE >> 2 | 0x20d7 | NAPOT, false, SIM_FAULT_RESERVED_BIT },
};

static void bad_entries(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct handmade h;
		dma_addr_t iova;

		print_message("# entry %u, %s\n", i, handmade_formats[bad[i].format].name);
		handmade_setup(&h, bad[i].format, NULL);
		iova = h.format->width < 40 ? IOVA & ((1ull << h.format->width) - 1) : IOVA;
		handmade_enter(&h, iova, bad[i].level, bad[i].entry);
		expect_fault(h.device, iova, 8, bad[i].write, 0, bad[i].reason);
		handmade_teardown(&h);
	}
}

static void narrow_output(struct sim_iommu_config *config)
{
	config->output_bits = 38;
}

/** Address bits that the hardware does not have: FAR_BASE is just beyond. */
static void output_width(void **state)
{
	static const struct {
		unsigned int format;
		enum sim_fault_reason reason;
	} cases[] = { { FMT_VTD, SIM_FAULT_RESERVED_BIT }, { FMT_X86, SIM_FAULT_RESERVED_BIT },
		      { FMT_AMD, SIM_FAULT_RESERVED_BIT }, { FMT_S1, SIM_FAULT_OUTPUT },
		      { FMT_S2_16K, SIM_FAULT_OUTPUT },	   { FMT_SV48, SIM_FAULT_OUTPUT } };

	(void)state;
	for (unsigned int i = 0; i < 6; i++) {
		struct handmade h;
		dma_addr_t other;

		handmade_setup(&h, cases[i].format, narrow_output);
		handmade_enter(&h, IOVA, 1, h.format->page(FAR_BASE));
		other = 1ull << (h.format->width - 1);
		handmade_enter(&h, other, h.format->levels, h.format->table(FAR_BASE, 1));
		handmade_enter(&h, IOVA + MIB(1), 1, h.format->page(h.buf));
		expect_fault(h.device, IOVA, 8, false, 0, cases[i].reason);
		expect_fault(h.device, other, 8, false, 0, cases[i].reason);
		expect_read(h.device, IOVA + MIB(1), 8, 1);
		handmade_teardown(&h);
	}
}

static void only_small_pages(struct sim_iommu_config *config)
{
	config->page_sizes = 1ull << (config->granule_bits ? config->granule_bits : 12);
}

/** Sizes that the unit does not have are refused, also those that take several entries. */
static void sizes_that_are_not_there(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_LEAVES; i++) {
		const struct leaf *l = &leaves[i];
		struct handmade h;

		handmade_setup(&h, l->format, only_small_pages);
		enter_copies(&h, 0, l);
		if (l->size == 1ull << handmade_granule_bits(&h))
			expect_data(&h, 0, l->phys, l, 3);
		else
			expect_fault(h.device, 0, 8, false, 0, SIM_FAULT_RESERVED_BIT);
		handmade_teardown(&h);
	}
}

/** Entries of one page that do not agree fault wherever the page is entered. */
static void runs_must_agree(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_LEAVES; i++) {
		const struct leaf *l = &leaves[i];
		uint64_t entry;
		struct handmade h;
		dma_addr_t last;

		if (l->copies == 1 || !l->read)
			continue;
		handmade_setup(&h, l->format, NULL);
		last = l->size - (1ull << handmade_shift(&h, l->level));
		enter_copies(&h, 0, l);
		entry = handmade_read(&h, last, l->level);
		handmade_enter(&h, last, l->level, 0);
		expect_fault(h.device, 0, 8, false, 0, SIM_FAULT_RUN);
		handmade_enter(&h, last, l->level, entry + (1ull << 40));
		expect_fault(h.device, 0, 8, false, 0, SIM_FAULT_RUN);
		handmade_enter(&h, last, l->level, entry);
		expect_data(&h, 0, l->phys, l, 3);
		handmade_teardown(&h);
	}
}

/** A contiguous run whose address is not a multiple of its size. */
static void runs_must_be_aligned(void **state)
{
	const struct leaf leaf = { FMT_S1,  1,	    (FAR_BASE + KIB(4)) | 0xf47 | CONT,
				   16,	    KIB(4), FAR_BASE,
				   KIB(64), RW };
	struct handmade h;

	(void)state;
	handmade_setup(&h, FMT_S1, NULL);
	enter_copies(&h, 0, &leaf);
	expect_fault(h.device, 0, 8, false, 0, SIM_FAULT_RUN);
	handmade_teardown(&h);
}

/** AMD: a table may be several levels lower, and is for the first addresses then. */
static void skipped_levels(void **state)
{
	struct handmade h;
	uint64_t low;

	(void)state;
	handmade_setup(&h, FMT_AMD, NULL);
	handmade_enter(&h, 0, 1, h.format->page(h.buf));
	low = handmade_read(&h, 0, 2); /* leads to the lowest table */
	handmade_enter(&h, 1ull << 39, 4, low);
	expect_read(h.device, 1ull << 39, 4096, 1);
	expect_fault(h.device, (1ull << 39) + 0x1000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	expect_fault(h.device, (1ull << 39) + MIB(2), 8, false, 0, SIM_FAULT_NOT_PRESENT);
	expect_fault(h.device, (1ull << 39) + GIB(1), 8, false, 0, SIM_FAULT_NOT_PRESENT);
	handmade_teardown(&h);
}

/* --- privilege */

static void privileged_requests(void **state)
{
	static const struct {
		unsigned int format;
		uint64_t entry;
	} pages[] = { { FMT_X86, FAR_BASE | 0x63 },
		      { FMT_S1, FAR_BASE | 0xf07 },
		      { FMT_SV48, FAR_BASE >> 2 | 0xc7 } };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct handmade h;

		handmade_setup(&h, pages[i].format, NULL);
		handmade_enter(&h, IOVA, 1, pages[i].entry);
		handmade_enter(&h, IOVA + MIB(1), 1, h.format->page(h.buf));
		sim_device_set_privileged(h.device, true);
		device_fill(h.device, IOVA, 8, 4);
		expect_read(h.device, IOVA + MIB(1), 8, 1);
		sim_device_set_privileged(h.device, false);
		expect_fault(h.device, IOVA, 8, false, 0, SIM_FAULT_PRIVILEGE); /* cached */
		handmade_flush(&h);
		expect_fault(h.device, IOVA, 8, true, 0, SIM_FAULT_PRIVILEGE);
		handmade_teardown(&h);
	}
}

/* --- accessed and dirty */

static void tracking(struct sim_iommu_config *config)
{
	config->track_dirty = true;
}

struct marks {
	unsigned int format;
	uint64_t clean;
	uint64_t read;
	uint64_t written;
	/** Kept without being asked for. */
	bool always;
};

/* ARM: a page that is read-only with DBM is clean, and becomes writable. */
static const struct marks marks[] = {
	{ FMT_VTD, FAR_BASE | 3, FAR_BASE | 0x103, FAR_BASE | 0x303, false },
	{ FMT_X86, FAR_BASE | 7, FAR_BASE | 0x27, FAR_BASE | 0x67, true },
	{ FMT_AMD, 0x6000004000000001, 0x6000004000000021, 0x6000004000000061, false },
	{ FMT_S1, FAR_BASE | 0x8000000000bc7, FAR_BASE | 0x8000000000fc7,
	  FAR_BASE | 0x8000000000f47, false },
	{ FMT_S2, FAR_BASE | 0x800000000037f, FAR_BASE | 0x800000000077f,
	  FAR_BASE | 0x80000000007ff, false },
	{ FMT_SV39, FAR_BASE >> 2 | 0x17, FAR_BASE >> 2 | 0x57, FAR_BASE >> 2 | 0xd7, false },
};

/** A read marks as accessed, a write also as written, and the cache does not hide a write. */
static void hardware_marks(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const struct marks *k = &marks[i];
		struct sim_iommu_stats before, after;
		struct handmade h;

		handmade_setup(&h, k->format, k->always ? NULL : tracking);
		handmade_enter(&h, IOVA, 1, k->clean);
		expect_read(h.device, IOVA, 8, 0);
		assert_true(handmade_read(&h, IOVA, 1) == k->read);
		device_fill(h.device, IOVA, 8, 9);
		assert_true(handmade_read(&h, IOVA, 1) == k->written);
		sim_iommu_get_stats(h.iommu, &before);
		device_fill(h.device, IOVA, 8, 9);
		sim_iommu_get_stats(h.iommu, &after);
		assert_int_equal(after.walks, before.walks);
		/* Marked clean again: the cache remembers that it was written, until it is told. */
		handmade_enter(&h, IOVA, 1, k->read);
		device_fill(h.device, IOVA, 8, 9);
		assert_true(handmade_read(&h, IOVA, 1) == k->read);
		handmade_flush(&h);
		device_fill(h.device, IOVA, 8, 9);
		assert_true(handmade_read(&h, IOVA, 1) == k->written);
		handmade_teardown(&h);
	}
}

/** Where they are not kept, entries stay as they are. */
static void nothing_is_marked_unasked(void **state)
{
	static const unsigned int formats[] = { FMT_VTD, FMT_AMD, FMT_S1, FMT_S2, FMT_SV39 };

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		struct handmade h;

		handmade_setup(&h, formats[i], NULL);
		handmade_enter(&h, IOVA, 1, h.format->page(h.buf));
		device_fill(h.device, IOVA, 8, 9);
		assert_true(handmade_read(&h, IOVA, 1) == h.format->page(h.buf));
		handmade_teardown(&h);
	}
}

static void incoherent(struct sim_iommu_config *config)
{
	config->incoherent_walk = true;
}

/** A walker that does not see the CPU's caches could not keep them: x86 goes without. */
static void incoherent_walkers_do_not_mark(void **state)
{
	struct handmade h;

	(void)state;
	handmade_setup(&h, FMT_X86, incoherent);
	handmade_enter(&h, IOVA, 1, FAR_BASE | 7);
	device_fill(h.device, IOVA, 8, 9);
	assert_true(handmade_read(&h, IOVA, 1) == (FAR_BASE | 7));
	handmade_teardown(&h);
}

/** Of a page that takes several entries one is marked, and they agree all the same. */
static void one_of_a_run_is_marked(void **state)
{
	static const struct leaf runs[] = {
		{ FMT_AMD, 1, 0x6000004000007e01, 16, 0, FAR_BASE, KIB(64), RW },
		{ FMT_S1, 1, FAR_BASE | 0x8000000000bc7 | CONT, 16, KIB(4), FAR_BASE, KIB(64), RW },
		{ FMT_SV48, 1, FAR_BASE >> 2 | 0x2017 | NAPOT, 16, 0, FAR_BASE, KIB(64), RW },
	};

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct handmade h;
		uint64_t before;

		handmade_setup(&h, runs[i].format, tracking);
		enter_copies(&h, IOVA, &runs[i]);
		before = handmade_read(&h, IOVA + KIB(8), 1);
		device_fill(h.device, IOVA + KIB(8), 8, 9);
		assert_true(handmade_read(&h, IOVA + KIB(8), 1) != before);
		handmade_flush(&h);
		expect_read(h.device, IOVA + KIB(12), 8, 0);
		expect_read(h.device, IOVA + KIB(8), 8, 9);
		handmade_teardown(&h);
	}
}

/** RISC-V without hardware updates: a page that was never written faults at the write, also once it is cached. */
static void clean_pages_fault(void **state)
{
	struct handmade h;

	(void)state;
	handmade_setup(&h, FMT_SV39, NULL);
	handmade_enter(&h, IOVA, 1, FAR_BASE >> 2 | 0x57);
	expect_read(h.device, IOVA, 8, 0);
	expect_fault(h.device, IOVA, 8, true, 0, SIM_FAULT_ACCESS_FLAG);
	expect_read(h.device, IOVA, 8, 0);
	handmade_teardown(&h);
}

/** x86: tables are marked too. */
static void tables_are_marked(void **state)
{
	struct handmade h;

	(void)state;
	handmade_setup(&h, FMT_X86, NULL);
	handmade_enter(&h, IOVA, 1, FAR_BASE | 7);
	device_fill(h.device, IOVA, 8, 9);
	for (unsigned int level = 2; level <= 4; level++)
		assert_int_equal(handmade_read(&h, IOVA, level) & 0x60, 0x20);
	handmade_teardown(&h);
}

static void types(struct sim_iommu_config *config)
{
	config->memory_types = true;
}

static void memory_types(void **state)
{
	struct handmade h;

	(void)state;
	handmade_setup(&h, FMT_SV48, types);
	for (uint64_t type = 0; type < 4; type++) {
		handmade_enter(&h, IOVA + KIB(4) * type, 1, FAR_BASE >> 2 | 0xd7 | type << 61);
		if (type < 3)
			expect_read(h.device, IOVA + KIB(4) * type, 8, 0);
		else
			expect_fault(h.device, IOVA + KIB(4) * type, 8, false, 0,
				     SIM_FAULT_RESERVED_BIT);
	}
	handmade_teardown(&h);
}

/* --- caches, in every format */

/** A walk begins at the table that one before found; an invalidation of leaves alone keeps it. */
static void tables_are_remembered(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_FMT; i++) {
		struct sim_iommu_stats stats;
		struct handmade h;
		uint64_t granule;

		handmade_setup(&h, i, NULL);
		granule = 1ull << handmade_granule_bits(&h);
		handmade_enter(&h, 0, 1, h.format->page(h.buf));
		handmade_enter(&h, granule, 1, h.format->page(h.buf + granule));
		expect_read(h.device, 0, 8, 1);
		sim_iommu_get_stats(h.iommu, &stats);
		assert_int_equal(stats.table_hits, 0);
		handmade_enter(&h, 0, 2, 0); /* unhooked */
		h.unit->ops->invalidate(h.unit, HANDMADE_DOMAIN, 0, granule, true);
		h.unit->ops->wait(h.unit);
		expect_read(h.device, granule, 8, 2);
		sim_iommu_get_stats(h.iommu, &stats);
		assert_int_equal(stats.table_hits, 1);
		h.unit->ops->invalidate(h.unit, HANDMADE_DOMAIN, 0, 2 * granule, false);
		h.unit->ops->wait(h.unit);
		expect_fault(h.device, 0, 8, false, 0, SIM_FAULT_NOT_PRESENT);
		handmade_teardown(&h);
	}
}

/* --- configurations */

static void impossible_configurations(void **state)
{
	const struct sim_iommu_config configs[] = {
		{ .format = (enum dma_pt_format)99 },
		{ .format = DMA_PT_VTD_FIRST_STAGE, .levels = 3 },
		{ .format = DMA_PT_AMD_V1, .levels = 7 },
		{ .format = DMA_PT_AMD_V1, .page_sizes = 1ull << 39 },
		{ .format = DMA_PT_AMD_V1, .levels = 3, .page_sizes = 1ull << 40 },
		{ .format = DMA_PT_LPAE_STAGE1, .levels = 4 },
		{ .format = DMA_PT_LPAE_STAGE1, .input_bits = 49 },
		{ .format = DMA_PT_LPAE_STAGE1, .input_bits = 20 },
		{ .format = DMA_PT_LPAE_STAGE1, .output_bits = 52 },
		{ .format = DMA_PT_LPAE_STAGE1, .granule_bits = 13 },
		{ .format = DMA_PT_LPAE_STAGE1, .granule_bits = 14, .page_sizes = 1ull << 21 | 1 },
		{ .format = DMA_PT_RISCV, .granule_bits = 16 },
		{ .format = DMA_PT_RISCV, .input_bits = 39 },
		{ .format = DMA_PT_RISCV, .levels = 6 },
	};
	struct sim_machine *m = start_machine(false);
	struct sim_iommu *iommu;

	(void)state;
	for (unsigned int i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		struct sim_iommu_config config = configs[i];

		config.size = sizeof(config);
		assert_int_equal(sim_iommu_create(m, &config, &iommu), -DMAMAP_EINVAL);
	}
	end_machine(m);
}

/** Depth and place of the first table must be the hardware's. */
static void impossible_tables(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_FMT; i++) {
		struct handmade h;
		struct dma_device *dev;

		handmade_setup(&h, i, NULL);
		dev = sim_dma(h.device);
		assert_int_equal(h.unit->ops->attach(h.unit, dev, 4, h.root, h.format->levels + 1),
				 -DMAMAP_EINVAL);
		assert_int_equal(h.unit->ops->attach(h.unit, dev, 4, h.root, 2), -DMAMAP_EINVAL);
		assert_int_equal(h.unit->ops->attach(h.unit, dev, 4, h.root + 8, h.format->levels),
				 -DMAMAP_EINVAL);
		if (h.format->root_bytes > 4096)
			assert_int_equal(h.unit->ops->attach(h.unit, dev, 4, h.root + 4096,
							     h.format->levels),
					 -DMAMAP_EINVAL);
		handmade_teardown(&h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_leaves),
		cmocka_unit_test(large_leaves_are_dropped_whole),
		cmocka_unit_test(widths),
		cmocka_unit_test(canonical_addresses),
		cmocka_unit_test(interrupt_window),
		cmocka_unit_test(bad_entries),
		cmocka_unit_test(output_width),
		cmocka_unit_test(sizes_that_are_not_there),
		cmocka_unit_test(runs_must_agree),
		cmocka_unit_test(runs_must_be_aligned),
		cmocka_unit_test(skipped_levels),
		cmocka_unit_test(privileged_requests),
		cmocka_unit_test(hardware_marks),
		cmocka_unit_test(nothing_is_marked_unasked),
		cmocka_unit_test(incoherent_walkers_do_not_mark),
		cmocka_unit_test(one_of_a_run_is_marked),
		cmocka_unit_test(clean_pages_fault),
		cmocka_unit_test(tables_are_marked),
		cmocka_unit_test(memory_types),
		cmocka_unit_test(tables_are_remembered),
		cmocka_unit_test(impossible_configurations),
		cmocka_unit_test(impossible_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
