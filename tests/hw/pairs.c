/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two units of a kind in one domain: each knows it by a number of its own, reads the same table, and is told of every
 * invalidation. And memory that AMD's table of ACPI keeps for devices.
 */
#include "amd_model.h"
#include "smmu_model.h"

#include <dmamap/pagetable.h>

#include <string.h>

#define G1	0x40000000u /* physical memory that nobody looks at */
#define K4	0x1000u
#define SECOND	0x20000u
#define ADDRESS 0x000ffffffffff000u

/** One window, two models in it. */
struct window {
	uint64_t (*read)(void *model, uint64_t offset, unsigned int width);
	void (*write)(void *model, uint64_t offset, unsigned int width, uint64_t value);
	void *model[2];
};

static uint64_t window_read(void *arg, uint64_t offset, unsigned int width)
{
	const struct window *w = arg;

	return w->read(w->model[offset / SECOND], offset % SECOND, width);
}

static void window_write(void *arg, uint64_t offset, unsigned int width, uint64_t value)
{
	const struct window *w = arg;

	w->write(w->model[offset / SECOND], offset % SECOND, width, value);
}

/** The models have been made for the board, one after the other. */
static void share_window(struct board *board, struct window *w, void *first, void *second)
{
	*w = (struct window){ board->read, board->write, { first, second } };
	board->read = window_read;
	board->write = window_write;
	board->model = w;
}

struct pair {
	struct board board;
	struct window window;
	struct board_device a; /* behind the first unit */
	struct board_device b; /* behind the second */
	struct dma_domain *domain;
	struct dma_domain *other; /* of the second unit, with its first number */
};

static void pair_begin(struct pair *p, void *first, void *second)
{
	share_window(&p->board, &p->window, first, second);
	board_device_init(&p->board, &p->a, 8);
	board_device_init(&p->board, &p->b, 0x1010);
}

static void pair_join(struct pair *p, struct dma_iommu_unit *second)
{
	assert_int_equal(dma_device_set_domain(&p->a.dma, p->domain), 0);
	assert_int_equal(dma_device_set_unit(&p->b.dma, second), 0);
	assert_int_equal(dma_device_set_domain(&p->b.dma, p->domain), 0);
}

static void map_and_unmap(struct pair *p)
{
	dma_addr_t addr = dma_map_phys(&p->a.dma, G1, K4, DMA_TO_DEVICE, 0);

	assert_true(addr != DMA_MAPPING_ERROR);
	dma_unmap_phys(&p->a.dma, addr, K4, DMA_TO_DEVICE, 0);
}

static void pair_end(struct pair *p)
{
	assert_int_equal(dma_device_fini(&p->a.dma), 0);
	assert_int_equal(dma_device_fini(&p->b.dma), 0);
	assert_int_equal(dma_domain_destroy(p->domain), 0);
	assert_int_equal(dma_domain_destroy(p->other), 0);
}

/* --- AMD-Vi */

static struct dma_amdvi *amdvi(struct board *board, uint64_t registers, unsigned int levels,
			       const struct dma_ivrs *ivrs)
{
	const struct dma_amdvi_config config = {
		.size = sizeof(config),
		.registers = registers,
		.requesters = { .ids = board_ids },
		.levels = levels,
		.ivrs = ivrs,
	};
	struct dma_amdvi *a;

	assert_int_equal(dmamap_amdvi_create(&board->host, &config, &a), 0);
	assert_int_equal(dmamap_amdvi_enable(a), 0);
	return a;
}

static struct dma_domain *amd_domain(struct board *board, struct dma_amdvi *a)
{
	const struct dma_domain_config config = { .size = sizeof(config) };
	struct dma_domain *domain;

	assert_int_equal(dmamap_amdvi_domain_create(a, &board->host, &config, &domain), 0);
	return domain;
}

/** An invalidation of pages of that domain, from @from on in the diary. */
static bool amd_invalidated(const struct amd_model *m, unsigned int from, unsigned int domain)
{
	for (unsigned int i = from; i < m->n_commands; i++)
		if (m->diary[i % AMD_DIARY].low == ((uint64_t)3 << 60 | (uint64_t)domain << 32))
			return true;
	return false;
}

static void amd_units_number_for_themselves(void **state)
{
	struct amd_model m[2];
	unsigned int from[2];
	struct dma_amdvi *unit[2];
	struct pair p;

	(void)state;
	board_init(&p.board);
	amd_model_init(&m[0], &p.board);
	amd_model_init(&m[1], &p.board);
	pair_begin(&p, &m[0], &m[1]);
	unit[0] = amdvi(&p.board, BOARD_MMIO, 0, NULL);
	unit[1] = amdvi(&p.board, BOARD_MMIO + SECOND, 0, NULL);
	p.domain = amd_domain(&p.board, unit[0]);
	p.other = amd_domain(&p.board, unit[1]);
	pair_join(&p, dmamap_amdvi_unit(unit[1]));
	assert_int_equal(amd_model_entry(&m[0], 8)[1] & 0xffff, 1);
	assert_int_equal(amd_model_entry(&m[1], 0x1010)[1] & 0xffff, 2);
	assert_true((amd_model_entry(&m[0], 8)[0] & ADDRESS) ==
		    (amd_model_entry(&m[1], 0x1010)[0] & ADDRESS));
	from[0] = m[0].n_commands;
	from[1] = m[1].n_commands;
	map_and_unmap(&p);
	assert_true(amd_invalidated(&m[0], from[0], 1));
	assert_true(amd_invalidated(&m[1], from[1], 2));
	assert_false(amd_invalidated(&m[1], from[1], 1));
	pair_end(&p);
	assert_int_equal(dmamap_amdvi_destroy(unit[0]), 0);
	assert_int_equal(dmamap_amdvi_destroy(unit[1]), 0);
	board_fini(&p.board);
}

static void expect_units_differ(struct pair *p, struct dma_iommu_unit *unit, int err)
{
	struct dma_error why;

	assert_int_equal(dma_device_set_unit(&p->b.dma, unit), 0);
	assert_int_equal(dma_device_set_domain(&p->b.dma, p->domain), err);
	assert_int_equal(dma_device_last_error(&p->b.dma, &why), 0);
	assert_int_equal(why.reason, DMA_REASON_UNITS_DIFFER);
}

/** More levels than a unit walks are refused before anything is written for it. */
static void amd_levels_differ(void **state)
{
	struct amd_model m[2];
	struct dma_amdvi *unit[2];
	struct pair p;

	(void)state;
	board_init(&p.board);
	amd_model_init(&m[0], &p.board);
	amd_model_init(&m[1], &p.board);
	m[0].efr |= (uint64_t)2 << 10;
	m[1].efr &= ~((uint64_t)3 << 10); /* at most 4 */
	pair_begin(&p, &m[0], &m[1]);
	unit[0] = amdvi(&p.board, BOARD_MMIO, 5, NULL);
	unit[1] = amdvi(&p.board, BOARD_MMIO + SECOND, 0, NULL);
	p.domain = amd_domain(&p.board, unit[0]);
	p.other = amd_domain(&p.board, unit[1]);
	expect_units_differ(&p, dmamap_amdvi_unit(unit[1]), -DMAMAP_EOPNOTSUPP);
	pair_end(&p);
	assert_int_equal(dmamap_amdvi_destroy(unit[0]), 0);
	assert_int_equal(dmamap_amdvi_destroy(unit[1]), 0);
	board_fini(&p.board);
}

/* --- AMD-Vi: memory that firmware keeps */

static void put(unsigned char **at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++, value >>= 8)
		*(*at)++ = (unsigned char)value;
}

static void put_region(unsigned char **at, unsigned int type, unsigned int flags,
		       unsigned int first, unsigned int last, uint64_t start, uint64_t size)
{
	put(at, type, 1);
	put(at, flags, 1);
	put(at, 32, 2);
	put(at, first, 2);
	put(at, last, 2);
	put(at, 0, 8);
	put(at, start, 8);
	put(at, size, 8);
}

/** For 00:01.0, for a range of numbers, and one that is excluded from translation. */
static size_t ivrs_table(unsigned char *table)
{
	unsigned char *at = table;

	memset(table, 0, 48);
	put(&at, 0x53525649, 4); /* "IVRS" */
	at = table + 48;
	put_region(&at, 0x21, 7, 8, 0, 0xbf000000, 2 * K4);
	put_region(&at, 0x22, 7, 0x1000, 0x10ff, 0xa0000, K4);
	put_region(&at, 0x21, 8, 8, 0, 0xcf000000, K4);
	table[4] = (unsigned char)(at - table);
	return (size_t)(at - table);
}

static bool translates(struct dma_domain *domain, dma_addr_t iova)
{
	phys_addr_t phys;

	return !dma_domain_iova_to_phys(domain, iova, &phys) && phys == iova;
}

/** A device finds its memory where firmware said; another one's is not mapped for it, and no address is handed out. */
static void amd_keeps_what_firmware_gave(void **state)
{
	static unsigned char bytes[256];
	struct amd_model m[2];
	struct dma_ivrs ivrs;
	struct dma_amdvi *unit;
	struct pair p;

	(void)state;
	assert_int_equal(dmamap_ivrs_open(bytes, ivrs_table(bytes), &ivrs), 0);
	board_init(&p.board);
	amd_model_init(&m[0], &p.board);
	pair_begin(&p, &m[0], &m[0]);
	unit = amdvi(&p.board, BOARD_MMIO, 0, &ivrs);
	p.domain = amd_domain(&p.board, unit);
	p.other = amd_domain(&p.board, unit);
	assert_int_equal(dma_device_set_domain(&p.a.dma, p.domain), 0);
	assert_true(translates(p.domain, 0xbf000000) && translates(p.domain, 0xbf001fff));
	assert_true(translates(p.domain, 0xcf000000));
	assert_false(translates(p.domain, 0xbf002000) || translates(p.domain, 0xa0000));
	assert_int_equal(dma_device_set_domain(&p.b.dma, p.other), 0);
	assert_true(translates(p.other, 0xa0000));
	assert_false(translates(p.other, 0xbf000000));
	assert_int_equal(dma_set_mask(&p.a.dma, 0xbf001fff), 0);
	assert_true(dma_map_phys(&p.a.dma, G1, K4, DMA_TO_DEVICE, 0) == 0xbeffffff - (K4 - 1));
	dma_unmap_phys(&p.a.dma, 0xbeffffff - (K4 - 1), K4, DMA_TO_DEVICE, 0);
	pair_end(&p);
	assert_int_equal(dmamap_amdvi_destroy(unit), 0);
	board_fini(&p.board);
}

/* --- SMMUv3 */

static struct dma_smmuv3 *smmu(struct board *board, uint64_t registers, unsigned int input_bits)
{
	const struct dma_smmuv3_config config = {
		.size = sizeof(config),
		.registers = registers,
		.requesters = { .ids = board_ids },
		.input_bits = input_bits,
	};
	struct dma_smmuv3 *s;

	assert_int_equal(dmamap_smmuv3_create(&board->host, &config, &s), 0);
	assert_int_equal(dmamap_smmuv3_enable(s), 0);
	return s;
}

static struct dma_domain *smmu_domain(struct board *board, struct dma_smmuv3 *s)
{
	const struct dma_domain_config config = { .size = sizeof(config) };
	struct dma_domain *domain = NULL;

	assert_int_equal(dmamap_smmuv3_domain_create(s, &board->host, &config, &domain), 0);
	return domain;
}

/** A command of that code (TLBI_NH_VA or TLBI_NH_ASID) for that ASID, from @from on. */
static bool smmu_invalidated(const struct smmu_model *m, unsigned int from, unsigned int asid)
{
	for (unsigned int i = from; i < m->n_commands; i++) {
		uint64_t low = m->diary[i % SMMU_DIARY].low;

		if (((low & 0xff) == 0x11 || (low & 0xff) == 0x12) && low >> 48 == asid)
			return true;
	}
	return false;
}

static void smmus_number_for_themselves(void **state)
{
	struct smmu_model m[2];
	struct dma_smmuv3 *unit[2];
	unsigned int from[2];
	struct pair p;

	(void)state;
	board_init(&p.board);
	smmu_model_init(&m[0], &p.board);
	smmu_model_init(&m[1], &p.board);
	pair_begin(&p, &m[0], &m[1]);
	unit[0] = smmu(&p.board, BOARD_MMIO, 0);
	unit[1] = smmu(&p.board, BOARD_MMIO + SECOND, 0);
	p.domain = smmu_domain(&p.board, unit[0]);
	p.other = smmu_domain(&p.board, unit[1]);
	pair_join(&p, dmamap_smmuv3_unit(unit[1]));
	assert_int_equal(smmu_model_cd(&m[0], 8)[0] >> 48, 1);
	assert_int_equal(smmu_model_cd(&m[1], 0x1010)[0] >> 48, 2);
	assert_true(smmu_model_cd(&m[0], 8)[1] == smmu_model_cd(&m[1], 0x1010)[1]);
	from[0] = m[0].n_commands;
	from[1] = m[1].n_commands;
	map_and_unmap(&p);
	assert_true(smmu_invalidated(&m[0], from[0], 1));
	assert_true(smmu_invalidated(&m[1], from[1], 2));
	assert_false(smmu_invalidated(&m[1], from[1], 1));
	pair_end(&p);
	assert_int_equal(dmamap_smmuv3_destroy(unit[0]), 0);
	assert_int_equal(dmamap_smmuv3_destroy(unit[1]), 0);
	board_fini(&p.board);
}

/** A unit that begins its walk elsewhere, or reads past the CPU's caches, or gives fewer bits out. */
static void smmus_differ(void **state)
{
	struct smmu_model m[2];
	struct dma_smmuv3 *unit[2];
	dma_addr_t addr;
	struct pair p;

	(void)state;
	board_init(&p.board);
	smmu_model_init(&m[0], &p.board);
	smmu_model_init(&m[1], &p.board);
	pair_begin(&p, &m[0], &m[1]);
	unit[0] = smmu(&p.board, BOARD_MMIO, 48);
	unit[1] = smmu(&p.board, BOARD_MMIO + SECOND, 39);
	p.domain = smmu_domain(&p.board, unit[0]);
	p.other = smmu_domain(&p.board, unit[1]);
	expect_units_differ(&p, dmamap_smmuv3_unit(unit[1]), -DMAMAP_EOPNOTSUPP);
	assert_int_equal(dmamap_smmuv3_destroy(unit[1]), -DMAMAP_EBUSY);
	assert_int_equal(dma_domain_destroy(p.other), 0);
	assert_int_equal(dma_device_set_unit(&p.b.dma, NULL), 0);
	pair_join(&p, NULL); /* both behind the first one */
	addr = dma_map_phys(&p.a.dma, G1, K4, DMA_TO_DEVICE, 0);
	assert_true(addr < 1ull << 39); /* it was narrowed */
	dma_unmap_phys(&p.a.dma, addr, K4, DMA_TO_DEVICE, 0);
	p.other = smmu_domain(&p.board, unit[0]);
	pair_end(&p);
	assert_int_equal(dmamap_smmuv3_destroy(unit[0]), 0);
	assert_int_equal(dmamap_smmuv3_destroy(unit[1]), 0);
	board_fini(&p.board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amd_units_number_for_themselves),
		cmocka_unit_test(amd_levels_differ),
		cmocka_unit_test(amd_keeps_what_firmware_gave),
		cmocka_unit_test(smmus_number_for_themselves),
		cmocka_unit_test(smmus_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
