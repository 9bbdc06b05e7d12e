/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mappings of larger leaves by several threads, as threads.c has small ones: each maps memory of its own, looks, and
 * unmaps or leaves that to its neighbour, while another flushes, polls, and reads figures. Nobody ever reads another's
 * memory; strictly, nobody reads his own after an unmap returned.
 */
#include "world.h"

#include <pthread.h>

#define THREADS 3u
#define ROUNDS	3000u
#define LEAF	((uint64_t)2 << 20)
#define HIGH	((uint64_t)1 << 34)
#define OWN	(8 * LEAF)

struct job {
	struct world *w;
	struct job *neighbour;
	bool strict;
	phys_addr_t phys;
	pthread_t thread;
	uint64_t seed;
	unsigned int wrong;
	/** A mapping that was left here to be unmapped: DMA_MAPPING_ERROR is none. */
	dma_addr_t mail;
	uint64_t mail_size;
};

static uint64_t look(struct job *job, dma_addr_t addr)
{
	uint64_t mark = 0;

	return sim_dma_read(job->w->device, addr, &mark, sizeof(mark), NULL) ? 0 : mark;
}

/** The size goes first, and is read after the address was taken: one thread posts, one takes. */
static bool post(struct job *to, dma_addr_t addr, uint64_t size)
{
	if (__atomic_load_n(&to->mail, __ATOMIC_ACQUIRE) != DMA_MAPPING_ERROR)
		return false;
	to->mail_size = size;
	__atomic_store_n(&to->mail, addr, __ATOMIC_RELEASE);
	return true;
}

static void take_mail(struct job *job)
{
	dma_addr_t addr = __atomic_load_n(&job->mail, __ATOMIC_ACQUIRE);

	if (addr == DMA_MAPPING_ERROR)
		return;
	dma_unmap_phys(job->w->dev, addr, job->mail_size, DMA_BIDIRECTIONAL, 0);
	__atomic_store_n(&job->mail, DMA_MAPPING_ERROR, __ATOMIC_RELEASE);
}

static void *work(void *arg)
{
	struct job *job = arg;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t n = 1 + world_random(&job->seed, 8), at;
		dma_addr_t addr;

		addr = dma_map_phys(job->w->dev, job->phys, n * LEAF, DMA_BIDIRECTIONAL, 0);
		at = addr + world_random(&job->seed, n) * LEAF;
		job->wrong += addr == DMA_MAPPING_ERROR || look(job, at) != job->phys;
		take_mail(job);
		if (!world_random(&job->seed, 3) && post(job->neighbour, addr, n * LEAF))
			continue;
		dma_unmap_phys(job->w->dev, addr, n * LEAF, DMA_BIDIRECTIONAL, 0);
		job->wrong += job->strict && look(job, at) == job->phys;
	}
	return NULL;
}

struct keeper {
	struct world *w;
	pthread_t thread;
	bool stop;
};

static void *keep(void *arg)
{
	struct keeper *k = arg;

	while (!__atomic_load_n(&k->stop, __ATOMIC_ACQUIRE)) {
		dma_poll(sim_host(k->w->m));
		world_stats(k->w);
		dma_domain_flush(k->w->domain);
	}
	return NULL;
}

static void all_at_once(enum dma_invalidation invalidation)
{
	static const struct world_memory memory[] = {
		{ .base = HIGH, .size = 4 * OWN, .held = true },
		{ .size = 0 },
	};
	const struct world_config config = { .invalidation = invalidation,
					     .buf_pages = 1,
					     .memory = memory };
	struct keeper keeper = { .stop = false };
	uint64_t seed = world_seed();
	struct job jobs[THREADS];
	struct world w;

	world_begin_with(&w, &config);
	keeper.w = &w;
	for (unsigned int i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){ .w = &w,
					.neighbour = &jobs[(i + 1) % THREADS],
					.strict = invalidation == DMA_INVALIDATION_STRICT,
					.phys = HIGH + i * OWN,
					.seed = seed + 2 * i,
					.mail = DMA_MAPPING_ERROR };
		for (unsigned int k = 0; k < 8; k++)
			assert_int_equal(sim_cpu_write(w.m, jobs[i].phys + k * LEAF, &jobs[i].phys,
						       sizeof(jobs[i].phys)),
					 0);
	}
	assert_int_equal(pthread_create(&keeper.thread, NULL, keep, &keeper), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&jobs[i].thread, NULL, work, &jobs[i]), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(jobs[i].thread, NULL);
	__atomic_store_n(&keeper.stop, true, __ATOMIC_RELEASE);
	pthread_join(keeper.thread, NULL);
	for (unsigned int i = 0; i < THREADS; i++) {
		assert_int_equal(jobs[i].wrong, 0);
		take_mail(&jobs[i]);
	}
	world_end(&w);
}

static void strict(void **state)
{
	(void)state;
	all_at_once(DMA_INVALIDATION_STRICT);
}

static void lazy(void **state)
{
	(void)state;
	all_at_once(DMA_INVALIDATION_LAZY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strict),
		cmocka_unit_test(lazy),
	};

	return cmocka_run_group_tests_name("small-large_threads", tests, NULL, NULL);
}
