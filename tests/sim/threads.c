/* SPDX-License-Identifier: BSD-2-Clause */
/* Several threads on one machine: pages, transfers and invalidations at once. Its worth is under a thread sanitizer. */
#include "formats.h"

#include "iommu_fx.h"

#include <pthread.h>

#define THREADS 4
#define ROUNDS	3000

struct worker {
	struct iommu_fx *fx;
	unsigned int index;
	unsigned int errors;
	pthread_t thread;
};

/** Each worker has a page of I/O address space for itself. */
static void one_round(struct worker *w, uint64_t *random)
{
	struct iommu_fx *fx = w->fx;
	dma_addr_t iova = 0x1000ull * w->index;
	uint64_t size = 4096 * (1 + next_random(random) % 8);
	phys_addr_t phys = sim_alloc(fx->m, size, 4096, 0, ~0ull);
	unsigned char out[256];
	unsigned char in[256];

	memset(out, (int)(next_random(random) & 0xff), sizeof(out));
	w->errors += phys == DMAMAP_PHYS_NONE || sim_cpu_write(fx->m, phys, out, sizeof(out));
	w->errors += sim_dma_read(fx->device, phys, in, sizeof(in), NULL) == 0; /* not mapped */
	w->errors += sim_dma_read(fx->device, iova, in, sizeof(in), NULL) != 0;
	w->errors += in[0] != w->index % 4 + 1;
	fx->unit->ops->invalidate(fx->unit, FX_DOMAIN, iova, 0x1000, w->index % 2);
	fx->unit->ops->wait(fx->unit);
	w->errors += sim_cpu_read(fx->m, phys, in, sizeof(in)) || memcmp(in, out, sizeof(in)) != 0;
	sim_free(fx->m, phys, size);
	sim_advance(fx->m, 1);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	uint64_t random = w->index + 1;

	for (unsigned int i = 0; i < ROUNDS; i++)
		one_round(w, &random);
	return NULL;
}

static void all_at_once(bool noncoherent)
{
	struct worker workers[THREADS] = { { .errors = 0 } };
	struct sim_counters counters;
	struct iommu_fx fx;
	uint64_t used;

	fx_setup(&fx, NULL, noncoherent);
	for (unsigned int i = 0; i < THREADS; i++)
		fx_enter(&fx, 0x1000ull * i, 12, (fx.buf + 0x1000 * (i % 4)) | PTE_R);
	if (noncoherent)
		sim_host(fx.m)->cache_for_device(sim_host(fx.m), fx.buf, 0x4000, DMA_TO_DEVICE);
	used = sim_memory_used(fx.m);
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i].fx = &fx;
		workers[i].index = i;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
		assert_int_equal(workers[i].errors, 0);
	}
	sim_get_counters(fx.m, &counters);
	assert_true(counters.warnings == 0);
	assert_true(sim_memory_used(fx.m) == used);
	assert_true(sim_time(fx.m) == THREADS * ROUNDS);
	fx_teardown(&fx);
}

static void threads(void **state)
{
	(void)state;
	all_at_once(false);
}

static void threads_two_views(void **state)
{
	(void)state;
	all_at_once(true);
}

/* --- the library's tables, and devices that use them while it changes them */

struct mapper {
	struct sim_machine *m;
	struct sim_device *device;
	uint64_t granule;
	unsigned int index;
	unsigned int errors;
	bool stop;
	pthread_t thread;
};

/** Map a buffer, let the device fill it, unmap it, and see that the device is cut off. */
static void map_and_use(struct mapper *w, phys_addr_t buf, uint64_t *random)
{
	struct dma_device *dev = sim_dma(w->device);
	uint64_t size = 1 + next_random(random) % (3 * w->granule);
	unsigned char out[64], in[64];
	dma_addr_t addr = dma_map_phys(dev, buf, size, DMA_BIDIRECTIONAL, 0);
	uint64_t n = size < sizeof(out) ? size : sizeof(out);

	memset(out, (int)(next_random(random) & 0xff), sizeof(out));
	if (dma_mapping_error(dev, addr)) {
		w->errors++;
		return;
	}
	w->errors += sim_dma_write(w->device, addr + size - n, out, n, NULL) != 0;
	w->errors += sim_dma_read(w->device, addr + size - n, in, n, NULL) != 0;
	dma_unmap_phys(dev, addr, size, DMA_BIDIRECTIONAL, 0);
	w->errors += memcmp(in, out, n) != 0;
	w->errors += sim_cpu_read(w->m, buf + size - n, in, n) || memcmp(in, out, n) != 0;
	w->errors += sim_dma_read(w->device, addr, in, 1, NULL) == 0;
}

static void *map_forever(void *arg)
{
	struct mapper *w = arg;
	uint64_t random = w->index + 1;
	phys_addr_t buf = sim_alloc(w->m, 4 * w->granule, w->granule, 0, ~0ull);

	for (unsigned int i = 0; i < 400; i++)
		map_and_use(w, buf, &random);
	sim_free(w->m, buf, 4 * w->granule);
	return NULL;
}

/** Read wherever mappings come and go: the walker meets entries in every state. */
static void *snoop(void *arg)
{
	struct mapper *w = arg;
	uint64_t random = 99;
	unsigned char byte;

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED))
		sim_dma_read(w->device, 0xffffffff - next_random(&random) % (64 * w->granule),
			     &byte, 1, NULL);
	return NULL;
}

static void maps_and_walks(void **state)
{
	const struct test_format *format = *state;
	const struct sim_config machine = { .size = sizeof(machine),
					    .cpus = 4,
					    .page_size = test_format_granule(format) };
	const struct dma_domain_config strict = { .size = sizeof(strict) };
	struct sim_iommu_config config = format->iommu;
	struct mapper w[THREADS] = { { .errors = 0 } };
	struct dma_domain *domains[THREADS];
	struct sim_iommu *iommu;
	struct sim_machine *m;

	config.size = sizeof(config);
	assert_int_equal(sim_machine_create(&machine, &m), 0);
	assert_int_equal(sim_add_ram(m, LOW_BASE, LOW_SIZE), 0);
	assert_int_equal(sim_start(m), 0);
	assert_int_equal(sim_iommu_create(m, &config, &iommu), 0);
	/* each in a domain of its own, so that nobody else gets an address that it has unmapped; the snoop joins one */
	for (unsigned int i = THREADS; i--;) {
		struct sim_device *device = add_device(m, format->name, 0);

		w[i] = (struct mapper){ m, device, test_format_granule(format), i, 0, false, 0 };
		assert_int_equal(sim_device_put_behind(device, iommu), 0);
		if (i)
			assert_int_equal(sim_domain_create(iommu, &strict, &domains[i]), 0);
		else
			domains[0] = domains[1];
		assert_int_equal(dma_device_set_domain(sim_dma(device), domains[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&w[i].thread, NULL, i ? map_forever : snoop, &w[i]),
				 0);
	}
	for (unsigned int i = THREADS; i--;) {
		__atomic_store_n(&w[0].stop, i == 0, __ATOMIC_RELAXED);
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
		assert_int_equal(w[i].errors, 0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(sim_device_destroy(w[i].device), 0);
	for (unsigned int i = 1; i < THREADS; i++)
		assert_int_equal(dma_domain_destroy(domains[i]), 0);
	assert_int_equal(sim_iommu_destroy(iommu), 0);
	end_machine(m);
}

int main(void)
{
	struct CMUnitTest tests[2 + NR_TEST_FORMATS] = {
		cmocka_unit_test(threads),
		cmocka_unit_test(threads_two_views),
	};

	for (size_t i = 0; i < NR_TEST_FORMATS; i++)
		tests[2 + i] = (struct CMUnitTest){ test_formats[i].name, maps_and_walks, NULL,
						    NULL, (void *)(uintptr_t)&test_formats[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
