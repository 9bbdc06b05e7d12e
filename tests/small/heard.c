/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who hears of an unmap. A unit that is alone is told without looking for others: so it is told before the unmap returns,
 * in the order invalidate, wait, and whoever joins later, a second unit or a device with a cache of its own, hears of
 * every unmap from then on, also while other threads are at it. Members that a unit has not are not called.
 */
#include "world.h"

#include "iommu/domain.h"

#include <pthread.h>
#include <time.h>

#define LARGE	((uint64_t)2 << 20)
#define HIGH	((uint64_t)1 << 34)
#define THREADS 3u
#define JOINS	200u

/** What units were told by this thread. */
static _Thread_local char told[64];
static _Thread_local unsigned int nr_told;

struct ear {
	struct dma_iommu_unit unit; /* first */
	char mark;
};

static void tell(struct dma_iommu_unit *unit, char what)
{
	if (nr_told + 2 < sizeof(told)) {
		told[nr_told++] = what;
		told[nr_told++] = ((struct ear *)(void *)unit)->mark;
	}
	told[nr_told] = 0;
}

static void forget_told(void)
{
	nr_told = 0;
	told[0] = 0;
}

static void ear_invalidate(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
			   uint64_t len, bool leaf_only)
{
	(void)domain_id;
	(void)iova;
	(void)len;
	(void)leaf_only;
	tell(unit, 'i');
}

static void ear_device(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
		       uint64_t len)
{
	(void)domain_id;
	(void)iova;
	(void)len;
	tell(unit, 'd');
}

static void ear_wait(struct dma_iommu_unit *unit)
{
	tell(unit, 'w');
}

static const struct dma_iommu_unit_ops both = { .size = sizeof(both),
						.invalidate = ear_invalidate,
						.wait = ear_wait };
static const struct dma_iommu_unit_ops only_invalidate = { .size = sizeof(only_invalidate),
							   .invalidate = ear_invalidate };
static const struct dma_iommu_unit_ops only_wait = { .size = sizeof(only_wait), .wait = ear_wait };
static const struct dma_iommu_unit_ops neither = { .size = sizeof(neither) };
static const struct dma_iommu_unit_ops with_tlbs = { .size = sizeof(with_tlbs),
						     .invalidate = ear_invalidate,
						     .wait = ear_wait,
						     .invalidate_device_tlb = ear_device };

/** A machine with a domain of our own, its unit an ear; devices are the simulated ones' structures. */
struct room {
	struct sim_machine *m;
	struct sim_device *device[2];
	struct dma_device *dev[2];
	struct ear ear[2];
	struct dma_backend_ops ops;
	struct dma_domain *domain;
};

static void enter_room(struct room *r, const struct dma_iommu_unit_ops *first,
		       const struct dma_iommu_unit_ops *second, bool without_forget)
{
	const struct sim_config sim = { .size = sizeof(sim) };
	const struct dma_domain_config config = { .size = sizeof(config) };
	struct dma_pt_config pt = { .size = sizeof(pt),
				    .levels = 4,
				    .output_bits = 48,
				    .page_sizes = LARGE,
				    .coherent_walk = true };
	struct dma_backend *backend;

	memset(r, 0, sizeof(*r));
	r->ear[0] = (struct ear){ { first }, '1' };
	r->ear[1] = (struct ear){ { second }, '2' };
	pt.unit = &r->ear[0].unit;
	assert_int_equal(sim_machine_create(&sim, &r->m), 0);
	sim_host(r->m)->sanitize = NULL;
	assert_int_equal(sim_add_ram(r->m, 0, RAM), 0);
	assert_int_equal(sim_add_bar(r->m, HIGH, 64 * LARGE), 0);
	assert_int_equal(sim_start(r->m), 0);
	assert_int_equal(dma_pt_backend_create(sim_host(r->m), &pt, &backend), 0);
	if (without_forget) {
		r->ops = *backend->ops;
		r->ops.forget = NULL;
		backend->ops = &r->ops;
	}
	assert_int_equal(dma_domain_create(sim_host(r->m), backend, &config, &r->domain), 0);
	for (unsigned int i = 0; i < 2; i++) {
		const struct sim_device_config device = { .size = sizeof(device),
							  .name = i ? "two" : "one" };

		assert_int_equal(sim_device_create(r->m, &device, &r->device[i]), 0);
		r->dev[i] = sim_dma(r->device[i]);
		assert_int_equal(dma_set_mask_and_coherent(r->dev[i], DMA_BIT_MASK(64)), 0);
	}
	if (second)
		assert_int_equal(dma_device_set_unit(r->dev[1], &r->ear[1].unit), 0);
	assert_int_equal(dma_device_set_domain(r->dev[0], r->domain), 0);
}

static void leave_room(struct room *r)
{
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(dma_device_set_domain(r->dev[i], NULL), 0);
		assert_int_equal(sim_device_destroy(r->device[i]), 0);
	}
	assert_int_equal(dma_domain_destroy(r->domain), 0);
	assert_int_equal(sim_machine_destroy(r->m), 0);
}

/** One of a size, mapped and unmapped: what was told in between. */
static const char *one(struct room *r, uint64_t size)
{
	dma_addr_t addr = dma_map_phys(r->dev[0], HIGH, size, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);

	assert_true(addr != DMA_MAPPING_ERROR);
	forget_told();
	dma_unmap_phys(r->dev[0], addr, size, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	return told;
}

static void expect_told(struct room *r, const char *all)
{
	static const uint64_t sizes[] = { PAGE, 3 * PAGE, LARGE, 3 * LARGE };

	for (unsigned int i = 0; i < 4; i++)
		for (unsigned int k = 0; k < 3; k++)
			assert_string_equal(one(r, sizes[i]), all);
}

static void alone(void **state)
{
	static const struct {
		const struct dma_iommu_unit_ops *ops;
		const char *told;
	} units[] = {
		{ &both, "i1w1" }, { &only_invalidate, "i1" }, { &only_wait, "w1" },
		{ &neither, "" },  { &with_tlbs, "i1w1d1w1" },
	};
	struct room r;

	(void)state;
	for (unsigned int i = 0; i < 5; i++)
		for (unsigned int without = 0; without < 2; without++) {
			enter_room(&r, units[i].ops, NULL, without);
			expect_told(&r, units[i].told);
			leave_room(&r);
		}
}

/** And one whose last device has left hears no more; it does when one comes again. */
static void second_joins(void **state)
{
	static const struct {
		const struct dma_iommu_unit_ops *ops;
		const char *told;
	} units[] = {
		{ &both, "i1i2w1w2" }, { &only_invalidate, "i1i2w1" },	 { &only_wait, "i1w1w2" },
		{ &neither, "i1w1" },  { &with_tlbs, "i1i2w1w2d2w1w2" },
	};
	struct room r;

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		enter_room(&r, &both, units[i].ops, false);
		for (unsigned int again = 0; again < 2; again++) {
			bool tlbs = again && units[i].ops->invalidate_device_tlb;

			expect_told(&r, tlbs ? "i1w1w1" : "i1w1");
			assert_int_equal(dma_device_set_domain(r.dev[1], r.domain), 0);
			expect_told(&r, units[i].told);
			assert_int_equal(dma_device_set_domain(r.dev[1], NULL), 0);
		}
		leave_room(&r);
	}
}

/* --- joining while others unmap */

struct unmapper {
	struct room *r;
	const uint64_t *joins; /* odd while the second is in the domain */
	const bool *stop;
	pthread_t thread;
	uint64_t size;
	unsigned int checked;
	unsigned int wrong;
};

static void *keep_unmapping(void *arg)
{
	struct unmapper *u = arg;

	while (!__atomic_load_n(u->stop, __ATOMIC_ACQUIRE)) {
		dma_addr_t addr =
			dma_map_phys(u->r->dev[0], HIGH, u->size, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
		uint64_t before = __atomic_load_n(u->joins, __ATOMIC_ACQUIRE);

		u->wrong += addr == DMA_MAPPING_ERROR;
		forget_told();
		dma_unmap_phys(u->r->dev[0], addr, u->size, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
		u->wrong += !strstr(told, "i1") || !strstr(told, "w1");
		if (!(before & 1) || __atomic_load_n(u->joins, __ATOMIC_ACQUIRE) != before)
			continue;
		u->checked++;
		u->wrong += !strstr(told, "i2") || !strstr(told, "w2") || !strstr(told, "d2");
	}
	return NULL;
}

static void joins_meanwhile(void **state)
{
	static const uint64_t sizes[THREADS] = { PAGE, 2 * PAGE, LARGE };
	struct unmapper jobs[THREADS];
	unsigned int checked = 0;
	uint64_t joins = 0;
	bool stop = false;
	struct room r;

	(void)state;
	enter_room(&r, &both, &with_tlbs, false);
	for (unsigned int i = 0; i < THREADS; i++) {
		jobs[i] = (struct unmapper){
			.r = &r, .joins = &joins, .stop = &stop, .size = sizes[i]
		};
		assert_int_equal(pthread_create(&jobs[i].thread, NULL, keep_unmapping, &jobs[i]),
				 0);
	}
	for (unsigned int i = 0; i < JOINS; i++) {
		const struct timespec moment = { .tv_nsec = 200000 };

		assert_int_equal(dma_device_set_domain(r.dev[1], r.domain), 0);
		__atomic_add_fetch(&joins, 1, __ATOMIC_RELEASE);
		nanosleep(&moment, NULL);
		__atomic_add_fetch(&joins, 1, __ATOMIC_RELEASE);
		assert_int_equal(dma_device_set_domain(r.dev[1], NULL), 0);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(jobs[i].thread, NULL);
		assert_int_equal(jobs[i].wrong, 0);
		checked += jobs[i].checked;
	}
	assert_true(checked > 0);
	leave_room(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone),
		cmocka_unit_test(second_joins),
		cmocka_unit_test(joins_meanwhile),
	};

	return cmocka_run_group_tests_name("small-heard", tests, NULL, NULL);
}
