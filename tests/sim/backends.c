/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library's page-table backends, each format against the simulated hardware: every size of leaf, mixed ranges,
 * protections, and dirty tracking, judged by what the device reaches and by how often the hardware had to walk.
 */
#include "formats.h"

#include "machine.h"

#define FAR_BASE (1ull << 38)
#define FAR_SIZE (1ull << 30)
#define READ	 DMA_PROT_READ
#define WRITE	 DMA_PROT_WRITE

struct backend_fx {
	const struct test_format *format;
	struct sim_machine *m;
	struct sim_iommu *iommu;
	struct sim_device *device;
	struct dma_backend *backend;
	const struct dma_backend_ops *ops;
	uint64_t granule;
	uint64_t idle; /* bytes of tables */
};

static void bx_setup(struct backend_fx *b, const struct test_format *format, bool track)
{
	const struct sim_config machine = { .size = sizeof(machine),
					    .page_size = test_format_granule(format) };
	struct sim_iommu_config config = format->iommu;
	struct dma_pt_config pt = { .size = sizeof(pt), .domain_id = 1 };

	config.size = sizeof(config);
	config.track_dirty = track;
	*b = (struct backend_fx){ .format = format, .granule = test_format_granule(format) };
	assert_int_equal(sim_machine_create(&machine, &b->m), 0);
	assert_int_equal(sim_add_ram(b->m, LOW_BASE, LOW_SIZE), 0);
	assert_int_equal(sim_add_bar(b->m, FAR_BASE, FAR_SIZE), 0); /* nobody else takes it */
	assert_int_equal(sim_start(b->m), 0);
	assert_int_equal(sim_iommu_create(b->m, &config, &b->iommu), 0);
	b->device = add_device(b->m, format->name, 0);
	assert_int_equal(sim_device_put_behind(b->device, b->iommu), 0);
	pt.format = config.format;
	pt.levels = config.levels;
	pt.input_bits = config.input_bits;
	pt.granule_bits = config.granule_bits;
	pt.output_bits = 48;
	pt.page_sizes = sim_iommu_page_sizes(b->iommu);
	pt.coherent_walk = true;
	pt.track_dirty = track;
	pt.unit = sim_iommu_unit(b->iommu);
	assert_int_equal(dma_pt_backend_create(sim_host(b->m), &pt, &b->backend), 0);
	b->ops = b->backend->ops;
	assert_int_equal(b->ops->attach(b->backend, sim_dma(b->device)), 0);
	b->idle = b->ops->table_bytes(b->backend);
}

static void bx_teardown(struct backend_fx *b)
{
	assert_true(b->ops->table_bytes(b->backend) == b->idle);
	b->ops->detach(b->backend, sim_dma(b->device));
	b->ops->destroy(b->backend);
	assert_int_equal(sim_device_destroy(b->device), 0);
	assert_int_equal(sim_iommu_destroy(b->iommu), 0);
	end_machine(b->m);
}

static void bx_map(struct backend_fx *b, dma_addr_t iova, phys_addr_t phys, uint64_t len,
		   unsigned int prot)
{
	const struct dma_vec vec = { phys, len };

	assert_int_equal(b->ops->map(b->backend, iova, &vec, 1, prot), 0);
	assert_int_equal(b->ops->sync_map(b->backend, iova, len), 0);
}

/** As a domain does it. */
static void bx_unmap(struct backend_fx *b, dma_addr_t iova, uint64_t len)
{
	struct dma_freed freed = { 0 };

	assert_true(b->ops->unmap(b->backend, iova, len) == len);
	b->ops->prune(b->backend, &freed);
	b->ops->invalidate(b->backend, iova, len, !freed.tables);
	b->ops->wait(b->backend);
	b->ops->release(b->backend, &freed);
}

static uint64_t walks(struct backend_fx *b)
{
	struct sim_iommu_stats stats;

	sim_iommu_get_stats(b->iommu, &stats);
	return stats.walks;
}

/** The device reads at @iova what the CPU has at @phys. */
static void expect_same(struct backend_fx *b, dma_addr_t iova, phys_addr_t phys)
{
	uint64_t cpu = phys ^ 0x123456789abcdef, device = 0;

	assert_int_equal(sim_cpu_write(b->m, phys, &cpu, 8), 0);
	assert_int_equal(sim_dma_read(b->device, iova, &device, 8, NULL), 0);
	assert_true(device == cpu);
}

static void one_leaf(struct backend_fx *b, unsigned int shift)
{
	uint64_t size = 1ull << shift;
	uint64_t reach = size < FAR_SIZE ? size : FAR_SIZE;
	dma_addr_t iova = size <= b->format->last / 4 ? size * 2 : 0;
	struct dma_leaf leaf;
	uint64_t before;

	bx_map(b, iova, FAR_BASE, size, READ | WRITE);
	assert_int_equal(b->ops->next_leaf(b->backend, iova, &leaf), 0);
	assert_true(leaf.len == size && leaf.phys == FAR_BASE);
	before = walks(b);
	expect_same(b, iova, FAR_BASE);
	expect_same(b, iova + reach / 2, FAR_BASE + reach / 2);
	expect_same(b, iova + reach - 8, FAR_BASE + reach - 8);
	assert_int_equal(walks(b) - before, 1); /* one leaf for all of it */
	expect_fault(b->device, iova + size, 1, false, 0, SIM_FAULT_NOT_PRESENT);
	bx_unmap(b, iova, size);
	expect_fault(b->device, iova, 1, false, 0, SIM_FAULT_NOT_PRESENT);
	expect_fault(b->device, iova + reach - 1, 1, true, 0, SIM_FAULT_NOT_PRESENT);
}

/** Each size that the format has is one leaf for the hardware, and goes without a trace. */
static void every_size(void **state)
{
	struct backend_fx b;

	bx_setup(&b, *state, false);
	for (unsigned int shift = 12; shift <= 38; shift++)
		if ((b.backend->caps.page_sizes >> shift & 1) &&
		    1ull << shift <= b.format->last / 2)
			one_leaf(&b, shift);
	bx_teardown(&b);
}

/** A range of any length from any granule on: as many leaves as it takes, each byte in its place, nothing beside it. */
static void any_range(struct backend_fx *b, uint64_t *random)
{
	uint64_t pages = FAR_SIZE / b->granule;
	uint64_t from = next_random(random) % pages;
	uint64_t len = (1 + next_random(random) % (pages - from)) * b->granule;
	uint64_t skew = next_random(random) % 4 ? 0 : b->granule * (next_random(random) % 64);
	dma_addr_t iova = b->format->last / 4 / FAR_SIZE * FAR_SIZE + from * b->granule + skew;
	phys_addr_t phys = FAR_BASE + from * b->granule;

	bx_map(b, iova, phys, len, READ | WRITE);
	for (unsigned int i = 0; i < 20; i++) {
		uint64_t at = next_random(random) % len / 8 * 8;

		expect_same(b, iova + at, phys + at);
	}
	expect_same(b, iova, phys);
	expect_same(b, iova + len - 8, phys + len - 8);
	expect_fault(b->device, iova - 1, 1, false, 0, SIM_FAULT_NOT_PRESENT);
	expect_fault(b->device, iova + len, 1, true, 0, SIM_FAULT_NOT_PRESENT);
	bx_unmap(b, iova, len);
	for (unsigned int i = 0; i < 20; i++)
		expect_fault(b->device, iova + next_random(random) % len, 1, false, 0,
			     SIM_FAULT_NOT_PRESENT);
}

static void mixed_ranges(void **state)
{
	uint64_t random = test_seed();
	struct backend_fx b;

	bx_setup(&b, *state, false);
	for (unsigned int i = 0; i < 10; i++)
		any_range(&b, &random);
	bx_teardown(&b);
}

/** What is forbidden faults, and what cannot be forbidden is admitted to. */
static void protections(void **state)
{
	const struct test_format *format = *state;
	struct backend_fx b;
	uint64_t g;

	bx_setup(&b, format, false);
	g = b.granule;
	assert_int_equal(b.backend->caps.write_only, !format->reads_back);
	bx_map(&b, g, FAR_BASE, g, READ);
	bx_map(&b, 2 * g, FAR_BASE + g, g, WRITE | DMA_PROT_CACHE);
	bx_map(&b, 3 * g, FAR_BASE + 2 * g, g, READ | WRITE | DMA_PROT_MMIO);
	bx_map(&b, 4 * g, FAR_BASE + 3 * g, g, READ | WRITE | DMA_PROT_NOEXEC | DMA_PROT_CACHE);
	bx_map(&b, 5 * g, FAR_BASE + 4 * g, g, READ | WRITE | DMA_PROT_PRIV | DMA_PROT_CACHE);
	expect_same(&b, g, FAR_BASE);
	expect_fault(b.device, g, 8, true, 0, SIM_FAULT_WRITE_DENIED);
	device_fill(b.device, 2 * g, 8, 3);
	if (format->reads_back)
		expect_same(&b, 2 * g, FAR_BASE + g);
	else
		expect_fault(b.device, 2 * g, 8, false, 0, SIM_FAULT_READ_DENIED);
	expect_same(&b, 3 * g, FAR_BASE + 2 * g);
	device_fill(b.device, 3 * g, 8, 3);
	expect_same(&b, 4 * g, FAR_BASE + 3 * g);
	if (format->iommu.format == DMA_PT_LPAE_STAGE1)
		expect_fault(b.device, 5 * g, 8, false, 0, SIM_FAULT_PRIVILEGE);
	sim_device_set_privileged(b.device, true);
	expect_same(&b, 5 * g, FAR_BASE + 4 * g);
	device_fill(b.device, 5 * g, 8, 3);
	bx_unmap(&b, g, 5 * g);
	bx_teardown(&b);
}

/* --- dirty tracking */

struct found {
	dma_addr_t iova[32];
	unsigned int n;
};

static void find(void *arg, dma_addr_t iova, uint64_t len)
{
	struct found *f = arg;

	(void)len;
	assert_true(f->n < 32);
	f->iova[f->n++] = iova;
}

static struct found read_dirty(struct backend_fx *b, bool clear)
{
	struct found f = { .n = 0 };

	assert_int_equal(
		b->ops->read_dirty(b->backend, b->granule, 16 * b->granule, clear, find, &f), 0);
	if (clear) {
		b->ops->invalidate(b->backend, b->granule, 16 * b->granule, true);
		b->ops->wait(b->backend);
	}
	return f;
}

/** The library finds the pages that the hardware marked, and no others; cleared, they are found when written again. */
static void dirty_pages(void **state)
{
	const struct test_format *format = *state;
	struct backend_fx b;
	struct found f;
	uint64_t g;

	bx_setup(&b, format, true);
	g = b.granule;
	for (unsigned int i = 0; i < 16; i++)
		bx_map(&b, g * (i + 1), FAR_BASE + 2 * g * i, g, READ | WRITE);
	read_dirty(&b, true); /* some leaves begin dirty */
	assert_int_equal(read_dirty(&b, false).n, 0);
	for (unsigned int i = 0; i < 16; i++)
		expect_same(&b, g * (i + 1), FAR_BASE + 2 * g * i);
	assert_int_equal(read_dirty(&b, false).n, 0); /* reading is not writing */
	device_fill(b.device, 4 * g - 4, 8, 1);	      /* two pages */
	device_fill(b.device, 16 * g, 8, 1);
	f = read_dirty(&b, false);
	assert_true(f.n == 3 && f.iova[0] == 3 * g && f.iova[1] == 4 * g && f.iova[2] == 16 * g);
	assert_int_equal(read_dirty(&b, true).n, 3);
	assert_int_equal(read_dirty(&b, false).n, 0);
	device_fill(b.device, 4 * g, 8, 2);
	f = read_dirty(&b, false);
	assert_true(f.n == 1 && f.iova[0] == 4 * g);
	expect_same(&b, 4 * g, FAR_BASE + 6 * g);
	bx_unmap(&b, g, 16 * g);
	bx_teardown(&b);
}

int main(void)
{
	static const struct {
		const char *what;
		CMUnitTestFunction fn;
	} tests[] = {
		{ "each size is one leaf", every_size },
		{ "mixed ranges", mixed_ranges },
		{ "protections", protections },
		{ "dirty pages", dirty_pages },
	};
	static struct CMUnitTest all[4 * NR_TEST_FORMATS];
	static char names[4 * NR_TEST_FORMATS][64];
	size_t n = 0;

	for (size_t f = 0; f < NR_TEST_FORMATS; f++) {
		if (test_formats[f].iommu.command)
			continue;
		for (size_t t = 0; t < 4; t++) {
			snprintf(names[n], sizeof(names[n]), "%s: %s", test_formats[f].name,
				 tests[t].what);
			all[n] = (struct CMUnitTest){
				.name = names[n],
				.test_func = tests[t].fn,
				.initial_state = (void *)(uintptr_t)&test_formats[f],
			};
			n++;
		}
	}
	return _cmocka_run_group_tests("backends", all, n, NULL, NULL);
}
