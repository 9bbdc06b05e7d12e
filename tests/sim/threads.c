/* SPDX-License-Identifier: BSD-2-Clause */
/* Several threads on one machine: pages, transfers and invalidations at once. Its worth is under a thread sanitizer. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads),
		cmocka_unit_test(threads_two_views),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
