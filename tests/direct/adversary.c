/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drivers on the adversarial non-coherent machine. Each program moves bytes between CPU and device and says whether all
 * of them arrived. Written correctly it never loses one, on any setup, with any seed; with a sync left out, made too
 * early, of the wrong part or in the wrong direction, or with stores into a buffer that is the device's, it does within a
 * few seeds.
 *
 * DMAMAP_TEST_SEED is the first seed; DMAMAP_TEST_STEPS how many seeds a correct program gets (100).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hosts/sim/sim.h"

/** Within so many seeds a fault must show. */
#define FEW	   16
#define MOST_BYTES (3u * 4096)
#define STRIDE	   0x3000u

enum fault {
	CORRECT,
	MAP_WITHOUT_CLEAN,
	UNMAP_WITHOUT_INVALIDATE,
	SYNC_TOO_EARLY,
	STORE_WHILE_MAPPED,
	WRONG_PART,
	WRONG_DIRECTION,
	NO_SYNC_FOR_DEVICE,
	NO_SYNC_FOR_CPU,
};

struct setup {
	const char *name;
	bool force_bounce, mask32, iommu, lazy, untrusted;
	/** The driver's buffer is not what the device uses. */
	bool copies;
};

struct rig {
	const struct setup *setup;
	struct sim_machine *m;
	struct sim_device *device;
	struct dma_device *dev;
	struct sim_iommu *iommu;
	struct dma_domain *domain;
	struct dma_bounce *pool;
	uint64_t random;
	/* the buffer */
	bool list;
	bool explicit; /* syncs are calls of their own, map and unmap skip them */
	phys_addr_t base;
	unsigned int pieces;
	uint64_t piece; /* bytes of each */
	uint64_t total;
	struct scatterlist sg[3];
	unsigned int segments;
	dma_addr_t addr;
	uint8_t expect[MOST_BYTES];
};

static uint64_t chance(struct rig *r, uint64_t below)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random % below;
}

/* --- the machine */

static void make_iommu(struct rig *r)
{
	struct sim_iommu_config config = { .size = sizeof(config), .incoherent_walk = true };
	struct dma_domain_config domain = { .size = sizeof(domain) };

	domain.invalidation = r->setup->lazy ? DMA_INVALIDATION_LAZY : DMA_INVALIDATION_STRICT;
	assert_int_equal(sim_iommu_create(r->m, &config, &r->iommu), 0);
	assert_int_equal(sim_device_put_behind(r->device, r->iommu), 0);
	assert_int_equal(sim_domain_create(r->iommu, &domain, &r->domain), 0);
	assert_int_equal(dma_device_set_untrusted(r->dev, r->setup->untrusted), 0);
	assert_int_equal(dma_device_set_domain(r->dev, r->domain), 0);
}

static struct rig *make_rig(const struct setup *setup, uint64_t seed, bool small_bounce)
{
	struct sim_config config = {
		.size = sizeof(config), .noncoherent = true, .adversarial = true, .seed = seed
	};
	struct sim_device_config device = { .size = sizeof(device), .name = "0000:01:00.0" };
	struct dma_bounce_config pool = { .size = sizeof(pool), .bytes = 256 * 1024 };
	struct rig *r = calloc(1, sizeof(*r));

	r->setup = setup;
	r->random = seed * 2654435761u + 88172645463325252u;
	assert_int_equal(sim_machine_create(&config, &r->m), 0);
	assert_int_equal(sim_add_ram(r->m, 0, 64 << 20), 0);
	assert_int_equal(sim_add_ram(r->m, 0x100000000, 64 << 20), 0);
	sim_host(r->m)->bounce_small_buffers = small_bounce;
	assert_int_equal(sim_start(r->m), 0);
	assert_int_equal(dma_bounce_create(sim_host(r->m), &pool, &r->pool), 0);
	sim_host(r->m)->default_bounce = r->pool;
	assert_int_equal(sim_device_create(r->m, &device, &r->device), 0);
	r->dev = sim_dma(r->device);
	if (setup->iommu)
		make_iommu(r);
	assert_int_equal(dma_device_set_force_bounce(r->dev, setup->force_bounce), 0);
	assert_int_equal(dma_set_mask_and_coherent(r->dev, DMA_BIT_MASK(setup->mask32 ? 32 : 64)),
			 0);
	r->base = sim_alloc(r->m, 0x10000, 4096, 0x100000000, ~(uint64_t)0);
	assert_int_not_equal(r->base, DMAMAP_PHYS_NONE);
	return r;
}

static void end_rig(struct rig *r)
{
	assert_int_equal(dma_device_live(r->dev), 0);
	sim_free(r->m, r->base, 0x10000);
	assert_int_equal(sim_device_destroy(r->device), 0);
	if (r->domain) {
		assert_int_equal(dma_domain_destroy(r->domain), 0);
		assert_int_equal(sim_iommu_destroy(r->iommu), 0);
	}
	assert_int_equal(dma_bounce_destroy(r->pool), 0);
	assert_int_equal(sim_memory_used(r->m), 0);
	assert_int_equal(sim_machine_destroy(r->m), 0);
	free(r);
}

/* --- bytes */

/** Whole lines, but not whole pages, so that untrusted devices bounce. */
static void choose_buffer(struct rig *r, bool list, bool explicit)
{
	r->list = list;
	r->explicit = explicit;
	r->pieces = list ? 3 : 1;
	r->piece = 64 * (2 + chance(r, 60));
	r->total = r->piece * r->pieces;
	sg_init_table(r->sg, 3);
	for (unsigned int i = 0; i < 3; i++)
		sg_set_phys(&r->sg[i], r->base + i * STRIDE, (unsigned int)r->piece);
}

/** The CPU stores expect[from, from + len) into the buffer. */
static void cpu_store(struct rig *r, uint64_t from, uint64_t len)
{
	for (unsigned int i = 0; i < r->pieces; i++) {
		uint64_t start = i * r->piece > from ? i * r->piece : from;
		uint64_t end = (i + 1) * r->piece < from + len ? (i + 1) * r->piece : from + len;

		if (start < end)
			assert_int_equal(sim_cpu_write(r->m,
						       r->base + i * STRIDE + start - i * r->piece,
						       r->expect + start, end - start),
					 0);
	}
}

/** Does the CPU load what is expected? */
static bool cpu_agrees(struct rig *r)
{
	uint8_t got[MOST_BYTES] = { 0 };

	for (unsigned int i = 0; i < r->pieces; i++)
		assert_int_equal(
			sim_cpu_read(r->m, r->base + i * STRIDE, got + i * r->piece, r->piece), 0);
	return memcmp(got, r->expect, r->total) == 0;
}

static int device_moves(struct rig *r, uint64_t from, uint64_t len, uint8_t *buf, bool write)
{
	uint64_t at = 0;
	int err = 0;

	for (unsigned int i = 0; i < r->segments && len && !err; i++) {
		dma_addr_t addr = r->list ? sg_dma_address(&r->sg[i]) : r->addr;
		uint64_t size = r->list ? sg_dma_len(&r->sg[i]) : r->total;
		uint64_t n = from < at + size ? at + size - from : 0;

		n = n < len ? n : len;
		if (n && write)
			err = sim_dma_write(r->device, addr + (from - at), buf, n, NULL);
		else if (n)
			err = sim_dma_read(r->device, addr + (from - at), buf, n, NULL);
		at += size;
		from += n;
		buf += n;
		len -= n;
	}
	return err;
}

static bool device_agrees(struct rig *r)
{
	uint8_t got[MOST_BYTES];

	return device_moves(r, 0, r->total, got, false) == 0 &&
	       memcmp(got, r->expect, r->total) == 0;
}

static void renew(struct rig *r, uint64_t from, uint64_t len)
{
	for (uint64_t i = from; i < from + len; i++)
		r->expect[i] = (uint8_t)chance(r, 256);
}

/** The device writes new bytes; false if it could not. */
static bool device_renews(struct rig *r, uint64_t from, uint64_t len)
{
	renew(r, from, len);
	return device_moves(r, from, len, r->expect + from, true) == 0;
}

/* --- calls of the driver */

static void map(struct rig *r, enum dma_data_direction dir, unsigned long attrs)
{
	r->segments = 1;
	if (r->list) {
		r->segments = dma_map_sg_attrs(r->dev, r->sg, 3, dir, attrs);
		assert_int_not_equal(r->segments, 0);
		return;
	}
	r->addr = dma_map_phys(r->dev, r->base, r->total, dir, attrs);
	assert_int_equal(dma_mapping_error(r->dev, r->addr), 0);
}

static void unmap(struct rig *r, enum dma_data_direction dir, unsigned long attrs)
{
	if (r->list)
		dma_unmap_sg_attrs(r->dev, r->sg, 3, dir, attrs);
	else
		dma_unmap_phys(r->dev, r->addr, r->total, dir, attrs);
}

static void sync_for_device(struct rig *r, enum dma_data_direction dir)
{
	if (r->list)
		dma_sync_sg_for_device(r->dev, r->sg, 3, dir);
	else
		dma_sync_single_for_device(r->dev, r->addr, r->total, dir);
}

static void sync_for_cpu(struct rig *r, enum dma_data_direction dir)
{
	if (r->list)
		dma_sync_sg_for_cpu(r->dev, r->sg, 3, dir);
	else
		dma_sync_single_for_cpu(r->dev, r->addr, r->total, dir);
}

static void map_for_device(struct rig *r, enum dma_data_direction dir, enum fault fault)
{
	if (fault == MAP_WITHOUT_CLEAN) {
		map(r, dir, DMA_ATTR_SKIP_CPU_SYNC);
	} else if (r->explicit) {
		map(r, dir, DMA_ATTR_SKIP_CPU_SYNC);
		sync_for_device(r, dir);
	} else {
		map(r, dir, 0);
	}
}

static void unmap_for_cpu(struct rig *r, enum dma_data_direction dir, enum fault fault)
{
	if (fault == UNMAP_WITHOUT_INVALIDATE || fault == SYNC_TOO_EARLY || fault == WRONG_PART) {
		unmap(r, dir, DMA_ATTR_SKIP_CPU_SYNC);
	} else if (r->explicit) {
		sync_for_cpu(r, dir);
		unmap(r, dir, DMA_ATTR_SKIP_CPU_SYNC);
	} else {
		unmap(r, dir, 0);
	}
}

/* --- programs: true if every byte arrived */

/** CPU to device. */
static bool transmit(struct rig *r, enum fault fault)
{
	bool good;

	renew(r, 0, r->total);
	cpu_store(r, 0, r->total);
	map_for_device(r, DMA_TO_DEVICE, fault);
	if (fault == STORE_WHILE_MAPPED) {
		renew(r, r->total / 2, 64);
		cpu_store(r, r->total / 2, 64);
	}
	sim_stir(r->m);
	good = device_agrees(r);
	unmap_for_cpu(r, DMA_TO_DEVICE, fault);
	return good && cpu_agrees(r);
}

/** Device to CPU: sometimes all of the buffer, sometimes a part, and the rest stays. */
static bool receive(struct rig *r, enum fault fault)
{
	uint64_t from = chance(r, 2) ? chance(r, r->total / 2) : 0;
	bool good;

	renew(r, 0, r->total);
	cpu_store(r, 0, r->total);
	map_for_device(r, DMA_FROM_DEVICE, fault);
	if (fault == SYNC_TOO_EARLY)
		sync_for_cpu(r, DMA_FROM_DEVICE);
	sim_stir(r->m);
	good = device_renews(r, from, r->total - from);
	if (fault == STORE_WHILE_MAPPED)
		cpu_store(r, r->total - 1, 1);
	sim_stir(r->m);
	if (fault == WRONG_PART)
		dma_sync_single_range_for_cpu(r->dev, r->addr, 0, from + 1, DMA_FROM_DEVICE);
	unmap_for_cpu(r, fault == WRONG_DIRECTION ? DMA_TO_DEVICE : DMA_FROM_DEVICE, fault);
	sim_stir(r->m);
	return cpu_agrees(r) && good;
}

/** A mapping that lives long: both sides change parts of it in turn. */
static bool ring(struct rig *r, enum fault fault)
{
	bool good = true;

	renew(r, 0, r->total);
	cpu_store(r, 0, r->total);
	map_for_device(r, DMA_BIDIRECTIONAL, CORRECT);
	for (unsigned int i = 0; i < 6 && good; i++) {
		uint64_t from = chance(r, r->total);

		good = device_agrees(r) && device_renews(r, from, 1 + chance(r, r->total - from));
		sim_stir(r->m);
		if (fault == WRONG_DIRECTION)
			sync_for_cpu(r, DMA_TO_DEVICE);
		else if (fault != NO_SYNC_FOR_CPU)
			sync_for_cpu(r, DMA_BIDIRECTIONAL);
		good = good && cpu_agrees(r);
		from = chance(r, r->total);
		renew(r, from, r->total - from);
		cpu_store(r, from, r->total - from);
		if (fault == WRONG_PART)
			dma_sync_single_for_device(r->dev, r->addr, 64, DMA_BIDIRECTIONAL);
		else if (fault != NO_SYNC_FOR_DEVICE)
			sync_for_device(r, DMA_BIDIRECTIONAL);
		sim_stir(r->m);
	}
	unmap_for_cpu(r, DMA_BIDIRECTIONAL, CORRECT);
	return good && cpu_agrees(r);
}

/** A buffer of 16 bytes whose neighbours in the same line are the driver's own, and change meanwhile. */
static bool neighbour(struct rig *r, enum fault fault)
{
	uint8_t line[64], got[64];
	dma_addr_t addr;

	(void)fault;
	memset(line, 0x11, sizeof(line));
	assert_int_equal(sim_cpu_write(r->m, r->base, line, 64), 0);
	addr = dma_map_phys(r->dev, r->base + 16, 16, DMA_FROM_DEVICE, 0);
	assert_int_equal(dma_mapping_error(r->dev, addr), 0);
	memset(line + 16, (int)chance(r, 256), 16);
	assert_int_equal(sim_dma_write(r->device, addr, line + 16, 16, NULL), 0);
	memset(line + 32, (int)chance(r, 256), 32);
	assert_int_equal(sim_cpu_write(r->m, r->base + 32, line + 32, 32), 0);
	sim_stir(r->m);
	dma_unmap_phys(r->dev, addr, 16, DMA_FROM_DEVICE, 0);
	sim_stir(r->m);
	assert_int_equal(sim_cpu_read(r->m, r->base, got, 64), 0);
	return memcmp(got, line, 64) == 0;
}

/* --- many seeds */

static const struct setup setups[] = {
	{ .name = "direct" },
	{ .name = "direct-forced-bounce", .force_bounce = true, .copies = true },
	{ .name = "direct-mask32", .mask32 = true, .copies = true },
	{ .name = "iommu-strict", .iommu = true },
	{ .name = "iommu-lazy", .iommu = true, .lazy = true },
	{ .name = "iommu-untrusted", .iommu = true, .untrusted = true, .copies = true },
};

#define SETUPS (sizeof(setups) / sizeof(setups[0]))

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

typedef bool program_fn(struct rig *r, enum fault fault);

/** In how many of @seeds runs were bytes wrong? */
static unsigned int runs_wrong(program_fn *program, enum fault fault, const struct setup *setup,
			       bool list, uint64_t seeds)
{
	uint64_t first = setting("DMAMAP_TEST_SEED", 1);
	unsigned int wrong = 0;

	for (uint64_t seed = first; seed < first + seeds; seed++) {
		struct rig *r = make_rig(setup, seed, false);

		choose_buffer(r, list, fault == CORRECT && seed % 2);
		wrong += !program(r, fault);
		end_rig(r);
	}
	return wrong;
}

static void correct(program_fn *program)
{
	uint64_t seeds = setting("DMAMAP_TEST_STEPS", 100);

	print_message("# DMAMAP_TEST_SEED=%llu\n",
		      (unsigned long long)setting("DMAMAP_TEST_SEED", 1));
	for (size_t i = 0; i < SETUPS; i++)
		for (unsigned int list = 0; list < 2; list++)
			if (runs_wrong(program, CORRECT, &setups[i], list, seeds))
				fail_msg("%s%s: bytes are wrong", setups[i].name,
					 list ? ", list" : "");
}

/** The fault shows on every setup, whether it concerns lists (@lists) or not. */
static void found(program_fn *program, enum fault fault, bool lists, bool of_copies)
{
	for (size_t i = 0; i < SETUPS; i++)
		for (unsigned int list = 0; list <= (lists ? 1u : 0u); list++) {
			unsigned int wrong;

			if (setups[i].copies && !of_copies)
				continue;
			wrong = runs_wrong(program, fault, &setups[i], list, FEW);
			print_message("# %s%s: wrong bytes in %u of %d runs\n", setups[i].name,
				      list ? ", list" : "", wrong, FEW);
			if (!wrong)
				fail_msg("%s: nobody noticed", setups[i].name);
		}
}

static void correct_transmit(void **state)
{
	(void)state;
	correct(transmit);
}

static void correct_receive(void **state)
{
	(void)state;
	correct(receive);
}

static void correct_ring(void **state)
{
	(void)state;
	correct(ring);
}

static void transmit_without_clean(void **state)
{
	(void)state;
	found(transmit, MAP_WITHOUT_CLEAN, true, true);
}

static void store_after_map(void **state)
{
	(void)state;
	found(transmit, STORE_WHILE_MAPPED, true, true);
}

/* The dirty lines of the buffer, or of the slot, are evicted over what the device wrote. */
static void receive_without_clean(void **state)
{
	(void)state;
	found(receive, MAP_WITHOUT_CLEAN, true, true);
}

static void receive_without_invalidate(void **state)
{
	(void)state;
	found(receive, UNMAP_WITHOUT_INVALIDATE, true, true);
}

static void receive_with_early_sync(void **state)
{
	(void)state;
	found(receive, SYNC_TOO_EARLY, true, true);
}

/* A copy takes no harm: the slot is not what the CPU writes to. */
static void store_while_the_device_writes(void **state)
{
	(void)state;
	found(receive, STORE_WHILE_MAPPED, true, false);
}

static void receive_with_sync_of_the_wrong_part(void **state)
{
	(void)state;
	found(receive, WRONG_PART, false, true);
}

static void receive_in_the_wrong_direction(void **state)
{
	(void)state;
	found(receive, WRONG_DIRECTION, true, true);
}

static void ring_without_sync_for_device(void **state)
{
	(void)state;
	found(ring, NO_SYNC_FOR_DEVICE, true, true);
}

static void ring_without_sync_for_cpu(void **state)
{
	(void)state;
	found(ring, NO_SYNC_FOR_CPU, true, true);
}

static void ring_with_sync_of_the_wrong_part(void **state)
{
	(void)state;
	found(ring, WRONG_PART, false, true);
}

static void ring_in_the_wrong_direction(void **state)
{
	(void)state;
	found(ring, WRONG_DIRECTION, true, true);
}

/** Runs of neighbour() with wrong bytes. */
static unsigned int neighbours_wrong(const struct setup *setup, bool small_bounce, uint64_t seeds)
{
	uint64_t first = setting("DMAMAP_TEST_SEED", 1);
	unsigned int wrong = 0;

	for (uint64_t seed = first; seed < first + seeds; seed++) {
		struct rig *r = make_rig(setup, seed, small_bounce);

		wrong += !neighbour(r, CORRECT);
		end_rig(r);
	}
	return wrong;
}

/* What the small-buffer bounce is for: without it a line has two owners. */
static void small_buffers(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETUPS; i++) {
		assert_int_equal(neighbours_wrong(&setups[i], true, 100), 0);
		if (!setups[i].copies)
			assert_int_not_equal(neighbours_wrong(&setups[i], false, FEW), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(correct_transmit),
		cmocka_unit_test(correct_receive),
		cmocka_unit_test(correct_ring),
		cmocka_unit_test(transmit_without_clean),
		cmocka_unit_test(store_after_map),
		cmocka_unit_test(receive_without_clean),
		cmocka_unit_test(receive_without_invalidate),
		cmocka_unit_test(receive_with_early_sync),
		cmocka_unit_test(store_while_the_device_writes),
		cmocka_unit_test(receive_with_sync_of_the_wrong_part),
		cmocka_unit_test(receive_in_the_wrong_direction),
		cmocka_unit_test(ring_without_sync_for_device),
		cmocka_unit_test(ring_without_sync_for_cpu),
		cmocka_unit_test(ring_with_sync_of_the_wrong_part),
		cmocka_unit_test(ring_in_the_wrong_direction),
		cmocka_unit_test(small_buffers),
	};

	return cmocka_run_group_tests_name("drivers on the adversarial machine", tests, NULL, NULL);
}
