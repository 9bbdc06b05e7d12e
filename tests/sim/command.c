/* SPDX-License-Identifier: BSD-2-Clause */
/* The IOMMU that takes commands: its rules one by one, and a domain of the library over it. */
#include "machine.h"

#define DOMAIN 5u
#define RW     (SIM_COMMAND_READ | SIM_COMMAND_WRITE)

struct command_fx {
	struct sim_machine *m;
	struct sim_iommu *iommu;
	struct sim_device *device;
	phys_addr_t buf; /* 4 pages, filled with 1, 2, 3, 4 */
};

/** @config NULL: the defaults. The device is in no domain. */
static void fx_setup(struct command_fx *fx, const struct sim_iommu_config *config)
{
	const struct sim_iommu_config defaults = { .size = sizeof(defaults), .command = true };

	fx->m = start_machine(false);
	assert_int_equal(sim_iommu_create(fx->m, config ? config : &defaults, &fx->iommu), 0);
	fx->device = add_device(fx->m, "dev", 0);
	assert_int_equal(sim_device_put_behind(fx->device, fx->iommu), 0);
	fx->buf = sim_alloc(fx->m, 0x4000, 0x4000, 0, 0xffffffff);
	for (unsigned char i = 0; i < 4; i++)
		cpu_fill(fx->m, fx->buf + 4096ull * i, 4096, (unsigned char)(i + 1));
}

static void fx_teardown(struct command_fx *fx)
{
	assert_int_equal(sim_device_destroy(fx->device), 0);
	assert_int_equal(sim_iommu_destroy(fx->iommu), 0);
	end_machine(fx->m);
}

static enum sim_command_status fx_attach(struct command_fx *fx, struct sim_device *device,
					 uint32_t domain)
{
	return sim_iommu_command(fx->iommu, &(struct sim_command){ .type = SIM_COMMAND_ATTACH,
								   .domain = domain,
								   .endpoint = device });
}

static enum sim_command_status fx_detach(struct command_fx *fx, struct sim_device *device,
					 uint32_t domain)
{
	return sim_iommu_command(fx->iommu, &(struct sim_command){ .type = SIM_COMMAND_DETACH,
								   .domain = domain,
								   .endpoint = device });
}

static enum sim_command_status fx_map(struct command_fx *fx, uint64_t first, uint64_t last,
				      uint64_t phys, uint32_t flags)
{
	return sim_iommu_command(fx->iommu, &(struct sim_command){ .type = SIM_COMMAND_MAP,
								   .domain = DOMAIN,
								   .virt_start = first,
								   .virt_end = last,
								   .phys_start = phys,
								   .flags = flags });
}

static enum sim_command_status fx_unmap(struct command_fx *fx, uint64_t first, uint64_t last)
{
	return sim_iommu_command(fx->iommu, &(struct sim_command){ .type = SIM_COMMAND_UNMAP,
								   .domain = DOMAIN,
								   .virt_start = first,
								   .virt_end = last });
}

/* --- the device's rules */

static void mappings_hold_at_once(void **state)
{
	struct sim_iommu_stats stats;
	struct command_fx fx;

	(void)state;
	fx_setup(&fx, NULL);
	expect_fault(fx.device, 0x5000, 8, false, 0, SIM_FAULT_NO_DOMAIN);
	assert_int_equal(fx_attach(&fx, fx.device, DOMAIN), SIM_COMMAND_OK);
	expect_fault(fx.device, 0x5000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	assert_int_equal(fx_map(&fx, 0x5000, 0x6fff, fx.buf, RW), SIM_COMMAND_OK);
	assert_int_equal(fx_map(&fx, 0x7000, 0x7fff, fx.buf + 0x3000, SIM_COMMAND_READ),
			 SIM_COMMAND_OK);
	assert_int_equal(fx_map(&fx, 0x9000, 0x9fff, fx.buf + 0x2000, SIM_COMMAND_WRITE),
			 SIM_COMMAND_OK);
	expect_read(fx.device, 0x5000, 4096, 1);
	expect_read(fx.device, 0x6000, 4096, 2);
	expect_read(fx.device, 0x7000, 4096, 4);
	device_fill(fx.device, 0x5ffe, 4, 9);
	expect_cpu(fx.m, fx.buf + 0xffe, 4, 9);
	expect_fault(fx.device, 0x6ff8, 16, true, 8, SIM_FAULT_WRITE_DENIED);
	expect_fault(fx.device, 0x7ff8, 16, false, 8, SIM_FAULT_NOT_PRESENT);
	expect_fault(fx.device, 0x9000, 8, false, 0, SIM_FAULT_READ_DENIED);
	assert_int_equal(fx_unmap(&fx, 0x5000, 0x6fff), SIM_COMMAND_OK);
	expect_fault(fx.device, 0x5000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	expect_read(fx.device, 0x7000, 8, 4);
	sim_iommu_get_stats(fx.iommu, &stats);
	assert_true(stats.commands == 5 && stats.faults == 6);
	assert_true(!stats.walks && !stats.hits && !stats.invalidations && !stats.waits);
	assert_int_equal(fx_detach(&fx, fx.device, DOMAIN), SIM_COMMAND_OK);
	fx_teardown(&fx);
}

static void overlaps_are_refused(void **state)
{
	static const uint64_t bad[][2] = { { 0x5000, 0x5fff },
					   { 0x4000, 0x5fff },
					   { 0x6000, 0x7fff },
					   { 0x4000, 0x8fff },
					   { 0, ~0ull } };
	struct command_fx fx;

	(void)state;
	fx_setup(&fx, NULL);
	assert_int_equal(fx_attach(&fx, fx.device, DOMAIN), SIM_COMMAND_OK);
	assert_int_equal(fx_map(&fx, 0x5000, 0x6fff, fx.buf, RW), SIM_COMMAND_OK);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(fx_map(&fx, bad[i][0], bad[i][1], fx.buf, RW), SIM_COMMAND_INVAL);
	expect_read(fx.device, 0x5000, 4096, 1);
	expect_fault(fx.device, 0x4000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	expect_fault(fx.device, 0x7000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	assert_int_equal(fx_map(&fx, 0x4000, 0x4fff, fx.buf, RW), SIM_COMMAND_OK);
	assert_int_equal(fx_map(&fx, 0x7000, 0x7fff, fx.buf, RW), SIM_COMMAND_OK);
	fx_detach(&fx, fx.device, DOMAIN);
	fx_teardown(&fx);
}

/** A part of a mapping cannot go; whole ones can, any number of them, and so can nothing. */
static void parts_are_not_unmapped(void **state)
{
	struct command_fx fx;

	(void)state;
	fx_setup(&fx, NULL);
	assert_int_equal(fx_attach(&fx, fx.device, DOMAIN), SIM_COMMAND_OK);
	assert_int_equal(fx_map(&fx, 0x5000, 0x6fff, fx.buf, RW), SIM_COMMAND_OK);
	assert_int_equal(fx_map(&fx, 0x9000, 0xafff, fx.buf + 0x2000, RW), SIM_COMMAND_OK);
	assert_int_equal(fx_unmap(&fx, 0x5000, 0x5fff), SIM_COMMAND_RANGE);
	assert_int_equal(fx_unmap(&fx, 0x6000, 0x6fff), SIM_COMMAND_RANGE);
	assert_int_equal(fx_unmap(&fx, 0x5000, 0x9fff), SIM_COMMAND_RANGE);
	assert_int_equal(fx_unmap(&fx, 0x6000, 0xafff), SIM_COMMAND_RANGE);
	expect_read(fx.device, 0x5000, 4096, 1);
	expect_read(fx.device, 0xa000, 4096, 4);
	assert_int_equal(fx_unmap(&fx, 0x7000, 0x8fff), SIM_COMMAND_OK);
	assert_int_equal(fx_unmap(&fx, 0x4000, 0xbfff), SIM_COMMAND_OK);
	expect_fault(fx.device, 0x5000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	expect_fault(fx.device, 0xa000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	assert_int_equal(fx_unmap(&fx, 0, ~0ull), SIM_COMMAND_OK);
	fx_detach(&fx, fx.device, DOMAIN);
	fx_teardown(&fx);
}

static void malformed_commands_are_refused(void **state)
{
	const struct sim_iommu_config config = {
		.size = sizeof(config), .command = true, .input_bits = 40, .page_sizes = ~0x3fffull
	};
	const struct sim_command unknown = { .type = (enum sim_command_type)9 };
	struct command_fx fx;

	(void)state;
	fx_setup(&fx, &config);
	assert_int_equal(fx_map(&fx, 0x4000, 0x7fff, fx.buf, RW), SIM_COMMAND_NOENT);
	assert_int_equal(fx_unmap(&fx, 0x4000, 0x7fff), SIM_COMMAND_NOENT);
	assert_int_equal(fx_attach(&fx, fx.device, DOMAIN), SIM_COMMAND_OK);
	assert_int_equal(fx_map(&fx, 0x5000, 0x8fff, fx.buf, RW), SIM_COMMAND_RANGE);
	assert_int_equal(fx_map(&fx, 0x4000, 0x6fff, fx.buf, RW), SIM_COMMAND_RANGE);
	assert_int_equal(fx_map(&fx, 0x4000, 0x7fff, fx.buf + 0x1000, RW), SIM_COMMAND_RANGE);
	assert_int_equal(fx_map(&fx, 0x4000, 0x3fff, fx.buf, RW), SIM_COMMAND_RANGE);
	assert_int_equal(fx_map(&fx, 0xffffffc000, 0x10000003fff, fx.buf, RW), SIM_COMMAND_RANGE);
	assert_int_equal(fx_map(&fx, 0x4000, 0x7fff, fx.buf, 0), SIM_COMMAND_INVAL);
	assert_int_equal(fx_map(&fx, 0x4000, 0x7fff, fx.buf, SIM_COMMAND_MMIO), SIM_COMMAND_INVAL);
	assert_int_equal(fx_map(&fx, 0x4000, 0x7fff, fx.buf, RW | 8), SIM_COMMAND_INVAL);
	assert_int_equal(fx_unmap(&fx, 0x4000, 0x6fff), SIM_COMMAND_RANGE);
	assert_int_equal(fx_unmap(&fx, 0x7000, 0x3fff), SIM_COMMAND_RANGE);
	assert_int_equal(sim_iommu_command(fx.iommu, &unknown), SIM_COMMAND_UNSUPP);
	assert_int_equal(fx_map(&fx, 0xffffffc000, 0xffffffffff, fx.buf, RW), SIM_COMMAND_OK);
	expect_read(fx.device, 0xfffffff000, 4096, 4);
	fx_detach(&fx, fx.device, DOMAIN);
	fx_teardown(&fx);
}

static void the_number_of_mappings_is_bounded(void **state)
{
	const struct sim_iommu_config config = { .size = sizeof(config),
						 .command = true,
						 .max_entries = 2 };
	struct command_fx fx;

	(void)state;
	fx_setup(&fx, &config);
	assert_int_equal(fx_attach(&fx, fx.device, DOMAIN), SIM_COMMAND_OK);
	assert_int_equal(fx_map(&fx, 0x1000, 0x1fff, fx.buf, RW), SIM_COMMAND_OK);
	assert_int_equal(fx_map(&fx, 0x2000, 0x2fff, fx.buf, RW), SIM_COMMAND_OK);
	assert_int_equal(fx_map(&fx, 0x3000, 0x3fff, fx.buf, RW), SIM_COMMAND_NOMEM);
	assert_int_equal(fx_unmap(&fx, 0x1000, 0x1fff), SIM_COMMAND_OK);
	assert_int_equal(fx_map(&fx, 0x3000, 0x3fff, fx.buf, RW), SIM_COMMAND_OK);
	fx_detach(&fx, fx.device, DOMAIN);
	fx_teardown(&fx);
}

/** A domain begins with its first device and ends, mappings included, with its last. */
static void domains_live_as_long_as_devices_are_in_them(void **state)
{
	struct sim_device *second, *outside;
	struct command_fx fx;

	(void)state;
	fx_setup(&fx, NULL);
	second = add_device(fx.m, "second", 0);
	outside = add_device(fx.m, "outside", 0);
	assert_int_equal(sim_device_put_behind(second, fx.iommu), 0);
	assert_int_equal(fx_attach(&fx, outside, DOMAIN), SIM_COMMAND_NOENT);
	assert_int_equal(fx_detach(&fx, outside, DOMAIN), SIM_COMMAND_NOENT);
	assert_int_equal(fx_detach(&fx, fx.device, DOMAIN), SIM_COMMAND_INVAL);
	assert_int_equal(fx_attach(&fx, fx.device, DOMAIN), SIM_COMMAND_OK);
	assert_int_equal(fx_attach(&fx, second, DOMAIN), SIM_COMMAND_OK);
	assert_int_equal(fx_map(&fx, 0x1000, 0x1fff, fx.buf, RW), SIM_COMMAND_OK);
	expect_read(second, 0x1000, 8, 1);
	assert_int_equal(fx_detach(&fx, fx.device, DOMAIN + 1), SIM_COMMAND_INVAL);
	assert_int_equal(fx_detach(&fx, fx.device, DOMAIN), SIM_COMMAND_OK);
	expect_fault(fx.device, 0x1000, 8, false, 0, SIM_FAULT_NO_DOMAIN);
	expect_read(second, 0x1000, 8, 1);
	assert_int_equal(fx_attach(&fx, second, DOMAIN + 1), SIM_COMMAND_OK); /* leaves the other */
	expect_fault(second, 0x1000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	assert_int_equal(fx_attach(&fx, fx.device, DOMAIN), SIM_COMMAND_OK);
	expect_fault(fx.device, 0x1000, 8, false, 0, SIM_FAULT_NOT_PRESENT);
	fx_detach(&fx, fx.device, DOMAIN);
	fx_detach(&fx, second, DOMAIN + 1);
	assert_int_equal(sim_device_destroy(second), 0);
	assert_int_equal(sim_device_destroy(outside), 0);
	fx_teardown(&fx);
}

static void it_has_no_unit_and_units_no_commands(void **state)
{
	const struct sim_iommu_config tables = { .size = sizeof(tables) };
	const struct sim_iommu_config bad[] = {
		{ .size = sizeof(tables), .command = true, .levels = 4 },
		{ .size = sizeof(tables), .command = true, .page_sizes = 0x800 },
		{ .size = sizeof(tables), .command = true, .input_bits = 65 },
		{ .size = sizeof(tables), .max_entries = 4 },
	};
	struct sim_iommu *other;
	struct command_fx fx;

	(void)state;
	fx_setup(&fx, NULL);
	assert_null(sim_iommu_unit(fx.iommu));
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sim_iommu_create(fx.m, &bad[i], &other), -DMAMAP_EINVAL);
	assert_int_equal(sim_iommu_create(fx.m, &tables, &other), 0);
	assert_int_equal(sim_iommu_command(other, &(struct sim_command){ .type = SIM_COMMAND_MAP }),
			 SIM_COMMAND_UNSUPP);
	assert_int_equal(sim_iommu_destroy(other), 0);
	fx_teardown(&fx);
}

/* --- a domain of the library */

struct domain_fx {
	struct command_fx c;
	struct dma_domain *domain;
	struct dma_device *dev;
	struct dma_parms parms;
};

static void dx_setup(struct domain_fx *dx, const struct sim_iommu_config *config)
{
	/* Lazy is asked for; the backend's unmap is its invalidation. */
	const struct dma_domain_config domain = { .size = sizeof(domain),
						  .invalidation = DMA_INVALIDATION_LAZY };

	fx_setup(&dx->c, config);
	dx->dev = sim_dma(dx->c.device);
	dma_device_set_parms(dx->dev, &dx->parms);
	assert_int_equal(sim_domain_create(dx->c.iommu, &domain, &dx->domain), 0);
	assert_int_equal(dma_device_set_domain(dx->dev, dx->domain), 0);
	assert_int_equal(dma_set_mask_and_coherent(dx->dev, DMA_BIT_MASK(64)), 0);
}

static void dx_teardown(struct domain_fx *dx)
{
	struct dma_domain_stats stats;

	dma_domain_get_stats(dx->domain, &stats);
	assert_int_equal(stats.iova_bytes, 0);
	assert_int_equal(stats.invalidations, 0);
	assert_int_equal(stats.table_peak_bytes, 0);
	assert_int_equal(stats.invalidation, DMA_INVALIDATION_STRICT);
	assert_int_equal(dma_device_set_domain(dx->dev, NULL), 0);
	assert_int_equal(dma_domain_destroy(dx->domain), 0);
	fx_teardown(&dx->c);
}

static void a_lazy_domain_over_commands_is_strict(void **state)
{
	struct domain_fx dx = { 0 };
	dma_addr_t addr;
	void *ptr;

	(void)state;
	dx_setup(&dx, NULL);
	addr = dma_map_phys(dx.dev, dx.c.buf + 0xffe, 4, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_mapping_error(dx.dev, addr), 0);
	expect_read(dx.c.device, addr, 2, 1);
	expect_read(dx.c.device, addr + 2, 2, 2);
	expect_fault(dx.c.device, addr, 1, true, 0, SIM_FAULT_WRITE_DENIED);
	dma_unmap_phys(dx.dev, addr, 4, DMA_TO_DEVICE, 0);
	expect_fault(dx.c.device, addr, 1, false, 0, SIM_FAULT_NOT_PRESENT);
	addr = dma_map_resource(dx.dev, BAR_BASE, 4096, DMA_BIDIRECTIONAL, 0);
	assert_int_equal(dma_mapping_error(dx.dev, addr), 0);
	device_fill(dx.c.device, addr, 8, 6);
	expect_cpu(dx.c.m, BAR_BASE, 8, 6);
	dma_unmap_resource(dx.dev, addr, 4096, DMA_BIDIRECTIONAL, 0);
	ptr = dma_alloc_coherent(dx.dev, 0x5000, &addr, GFP_KERNEL);
	assert_non_null(ptr);
	device_fill(dx.c.device, addr, 0x5000, 3);
	assert_int_equal(((unsigned char *)ptr)[0x4fff], 3);
	dma_free_coherent(dx.dev, 0x5000, ptr, addr);
	expect_fault(dx.c.device, addr, 1, false, 0, SIM_FAULT_NOT_PRESENT);
	dx_teardown(&dx);
}

/** The pieces of a list are mappings of their own, and its unmap gives all of them back. */
static void lists_are_unmapped_piece_by_piece(void **state)
{
	struct domain_fx dx = { 0 };
	struct scatterlist sg[4];
	struct sim_iommu_stats before, after;
	int n;

	(void)state;
	dx_setup(&dx, NULL);
	assert_int_equal(dma_set_max_seg_size(dx.dev, 1u << 20), 0);
	sg_init_table(sg, 4);
	sg_set_phys(&sg[0], dx.c.buf, 0x2000);
	sg_set_phys(&sg[1], dx.c.buf + 0x2000, 0x1000); /* goes on */
	sg_set_phys(&sg[2], dx.c.buf + 0x1000, 0x1000);
	sg_set_phys(&sg[3], dx.c.buf + 0x3800, 0x400);
	sim_iommu_get_stats(dx.c.iommu, &before);
	n = (int)dma_map_sg(dx.dev, sg, 4, DMA_TO_DEVICE);
	sim_iommu_get_stats(dx.c.iommu, &after);
	assert_int_equal(n, 2);
	assert_int_equal(after.commands - before.commands, 3);
	expect_read(dx.c.device, sg_dma_address(&sg[0]), 0x1000, 1);
	expect_read(dx.c.device, sg_dma_address(&sg[0]) + 0x3000, 0x1000, 2);
	expect_read(dx.c.device, sg_dma_address(&sg[1]), 0x400, 4);
	dma_unmap_sg(dx.dev, sg, 4, DMA_TO_DEVICE);
	for (uint64_t at = 0; at < 0x5000; at += 0x1000)
		expect_fault(dx.c.device, sg_dma_address(&sg[0]) + at, 1, false, 0,
			     SIM_FAULT_NOT_PRESENT);
	dx_teardown(&dx);
}

static void expect_reason(struct domain_fx *dx, enum dma_reason reason)
{
	struct dma_error error;

	assert_int_equal(dma_last_error(dx->dev, &error), 0);
	assert_string_equal(dma_reason_name(error.reason), dma_reason_name(reason));
}

/** A driver that unmaps a part is told so, and everything stays as it was. */
static void a_part_stays_mapped(void **state)
{
	struct domain_fx dx = { 0 };
	dma_addr_t addr;

	(void)state;
	dx_setup(&dx, NULL);
	addr = dma_map_phys(dx.dev, dx.c.buf, 0x3000, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dx.dev, addr, 0x1000, DMA_TO_DEVICE, 0);
	expect_reason(&dx, DMA_REASON_NOT_MAPPED);
	dma_unmap_phys(dx.dev, addr + 0x1000, 0x2000, DMA_TO_DEVICE, 0);
	expect_reason(&dx, DMA_REASON_NOT_MAPPED);
	expect_read(dx.c.device, addr, 0x1000, 1);
	expect_read(dx.c.device, addr + 0x2000, 0x1000, 3);
	assert_int_equal(dma_device_live(dx.dev), 1);
	dma_unmap_phys(dx.dev, addr, 0x3000, DMA_TO_DEVICE, 0);
	expect_fault(dx.c.device, addr, 1, false, 0, SIM_FAULT_NOT_PRESENT);
	dx_teardown(&dx);
}

/** The limit on mappings is a reason; a list that meets it halfway leaves nothing behind. */
static void too_many_mappings(void **state)
{
	const struct sim_iommu_config config = { .size = sizeof(config),
						 .command = true,
						 .max_entries = 3 };
	struct domain_fx dx = { 0 };
	struct scatterlist sg[4];
	dma_addr_t one, two;

	(void)state;
	dx_setup(&dx, &config);
	one = dma_map_phys(dx.dev, dx.c.buf, 0x1000, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_mapping_error(dx.dev, one), 0);
	sg_init_table(sg, 4);
	for (unsigned int i = 0; i < 4; i++)
		sg_set_phys(&sg[i], dx.c.buf + 0x1000 * (i ^ 1), 0x1000);
	assert_int_equal(dma_map_sg(dx.dev, sg, 4, DMA_TO_DEVICE), 0);
	expect_reason(&dx, DMA_REASON_NO_ENTRIES);
	expect_fault(dx.c.device, one - 0x1000, 1, false, 0, SIM_FAULT_NOT_PRESENT);
	expect_read(dx.c.device, one, 0x1000, 1);
	assert_int_equal(dma_map_sg(dx.dev, sg, 2, DMA_TO_DEVICE), 1);
	two = dma_map_phys(dx.dev, dx.c.buf, 0x1000, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_mapping_error(dx.dev, two), -DMAMAP_ENOMEM);
	expect_reason(&dx, DMA_REASON_NO_ENTRIES);
	dma_unmap_sg(dx.dev, sg, 2, DMA_TO_DEVICE);
	dma_unmap_phys(dx.dev, one, 0x1000, DMA_TO_DEVICE, 0);
	dx_teardown(&dx);
}

/** RAM and BARs beyond the width of the IOMMU's output are refused with the reason. */
static void output_width(void **state)
{
	const struct sim_iommu_config config = { .size = sizeof(config),
						 .command = true,
						 .output_bits = 32 };
	struct domain_fx dx = { 0 };

	(void)state;
	dx_setup(&dx, &config);
	assert_int_equal(dma_mapping_error(
				 dx.dev, dma_map_phys(dx.dev, HIGH_BASE, 0x1000, DMA_TO_DEVICE, 0)),
			 -DMAMAP_ENOMEM);
	expect_reason(&dx, DMA_REASON_OUTPUT_WIDTH);
	dx_teardown(&dx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mappings_hold_at_once),
		cmocka_unit_test(overlaps_are_refused),
		cmocka_unit_test(parts_are_not_unmapped),
		cmocka_unit_test(malformed_commands_are_refused),
		cmocka_unit_test(the_number_of_mappings_is_bounded),
		cmocka_unit_test(domains_live_as_long_as_devices_are_in_them),
		cmocka_unit_test(it_has_no_unit_and_units_no_commands),
		cmocka_unit_test(a_lazy_domain_over_commands_is_strict),
		cmocka_unit_test(lists_are_unmapped_piece_by_piece),
		cmocka_unit_test(a_part_stays_mapped),
		cmocka_unit_test(too_many_mappings),
		cmocka_unit_test(output_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
