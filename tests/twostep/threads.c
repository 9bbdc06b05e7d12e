/* SPDX-License-Identifier: BSD-2-Clause */
/* Two-step mapping from several threads at once: one device, one domain, a range and a buffer for each thread. */
#include <pthread.h>

#include "tests/vec/route.h"

#define THREADS 4u
#define ROUNDS	300u
#define PIECES	3u

struct worker {
	pthread_t thread;
	struct world *w;
	phys_addr_t phys;
	unsigned int number;
	unsigned int failed;
};

/** One range: linked, written by the device, taken back, looked at. False if anything went wrong. */
static bool round_trip(struct worker *me, unsigned int round)
{
	struct dma_device *dev = me->w->dev;
	struct dma_iova_state s;
	unsigned char bytes[64];
	unsigned char got[64];
	dma_addr_t addr;
	bool ok = true;

	memset(bytes, (int)(me->number * 50 + round % 50), sizeof(bytes));
	if (!dma_iova_try_alloc(dev, &s, 0, PIECES * PAGE))
		return false;
	for (unsigned int i = 0; i < PIECES; i++)
		ok = ok && !dma_iova_link(dev, &s, me->phys + 2 * i * PAGE, i * PAGE, PAGE,
					  DMA_FROM_DEVICE, 0);
	ok = ok && !dma_iova_sync(dev, &s, 0, PIECES * PAGE);
	addr = s.addr;
	for (unsigned int i = 0; i < PIECES; i++)
		ok = ok &&
		     !sim_dma_write(me->w->device, addr + i * PAGE, bytes, sizeof(bytes), NULL);
	if (round % 2) { /* a piece by itself, and back again */
		dma_iova_unlink(dev, &s, PAGE, PAGE, DMA_FROM_DEVICE, 0);
		ok = ok &&
		     !dma_iova_link(dev, &s, me->phys + 2 * PAGE, PAGE, PAGE, DMA_FROM_DEVICE, 0);
	}
	dma_iova_destroy(dev, &s, PIECES * PAGE, DMA_FROM_DEVICE, 0);
	for (unsigned int i = 0; i < PIECES; i++) {
		ok = ok && !sim_cpu_read(me->w->m, me->phys + 2 * i * PAGE, got, sizeof(got));
		ok = ok && !memcmp(got, bytes, sizeof(got));
	}
	return ok && !dma_use_iova(&s);
}

static void *work(void *arg)
{
	struct worker *me = arg;

	for (unsigned int i = 0; i < ROUNDS; i++)
		me->failed += !round_trip(me, i);
	return NULL;
}

static void ranges_of_many_threads(void **state)
{
	struct world *w = world_new(*state, 1);
	struct worker worker[THREADS];
	struct dma_domain_stats stats;

	for (unsigned int i = 0; i < THREADS; i++) {
		worker[i] = (struct worker){ .w = w, .phys = w->ram + i * 0x10000, .number = i };
		assert_int_equal(pthread_create(&worker[i].thread, NULL, work, &worker[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(worker[i].thread, NULL), 0);
		assert_int_equal(worker[i].failed, 0);
	}
	dma_domain_get_stats(w->domain, &stats);
	if (!w->route->lazy && !w->route->command)
		assert_true(stats.invalidations >= THREADS * ROUNDS * 3 / 2);
	world_end(w);
}

int main(void)
{
	static const struct route kinds[] = {
		{ .name = "strict", .route = DMA_ROUTE_IOMMU },
		{ .name = "lazy", .route = DMA_ROUTE_IOMMU, .lazy = true },
		{ .name = "command", .route = DMA_ROUTE_IOMMU, .command = true },
	};
	const struct CMUnitTest tests[] = {
		{ "strict: ranges of many threads", ranges_of_many_threads, NULL, NULL,
		  (void *)(uintptr_t)&kinds[0] },
		{ "lazy: ranges of many threads", ranges_of_many_threads, NULL, NULL,
		  (void *)(uintptr_t)&kinds[1] },
		{ "command: ranges of many threads", ranges_of_many_threads, NULL, NULL,
		  (void *)(uintptr_t)&kinds[2] },
	};

	return _cmocka_run_group_tests("two-step threads", tests, 3, NULL, NULL);
}
