/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small mappings and two-step ranges of one domain by several threads: each maps, lets the device look, and unmaps, or
 * leaves the unmap to its neighbour; others flush, poll and read figures all the while. Under the thread sanitizer this is the proof of the
 * windows' protocol; without it, that no stale translation is reachable after a strict unmap returned.
 */
#include "world.h"

#include <pthread.h>
#include <sched.h>

#define THREADS 4u
#define ROUNDS	1500u
#define MAILS	8u

#define LAST_ROUNDS 50000u

struct mail {
	dma_addr_t addr;
	uint64_t pages;
};

struct job {
	struct world *w;
	struct job *neighbour;
	bool strict;
	/** Times that the domain was made lazy and strict, where somebody does that: odd while it is lazy. */
	const uint64_t *changes;
	pthread_t thread;
	uint64_t seed;
	unsigned int wrong;
	pthread_mutex_t lock; /* of the mails to this one */
	struct mail mails[MAILS];
	unsigned int nr_mails;
};

static bool post(struct job *to, struct mail mail)
{
	bool room;

	pthread_mutex_lock(&to->lock);
	room = to->nr_mails < MAILS;
	if (room)
		to->mails[to->nr_mails++] = mail;
	pthread_mutex_unlock(&to->lock);
	return room;
}

static void unmap(struct job *job, struct mail mail)
{
	dma_unmap_phys(job->w->dev, mail.addr, mail.pages * PAGE, DMA_BIDIRECTIONAL, 0);
}

static void unmap_mails(struct job *job)
{
	struct mail mails[MAILS];
	unsigned int n;

	pthread_mutex_lock(&job->lock);
	n = job->nr_mails;
	memcpy(mails, job->mails, sizeof(mails));
	job->nr_mails = 0;
	pthread_mutex_unlock(&job->lock);
	for (unsigned int i = 0; i < n; i++)
		unmap(job, mails[i]);
}

/** The same as a list. */
static void one_list(struct job *job, uint64_t own, uint64_t pages)
{
	struct scatterlist sg[2];
	dma_addr_t addr;

	sg_init_table(sg, 2);
	for (uint64_t i = 0; i < pages; i++)
		sg_set_phys(&sg[i], job->w->buf + (own + i) * PAGE, PAGE);
	job->wrong += dma_map_sg(job->w->dev, sg, (int)pages, DMA_BIDIRECTIONAL) != 1;
	addr = sg_dma_address(sg);
	for (uint64_t i = 0; i < pages; i++)
		job->wrong += !world_reads(job->w, addr + i * PAGE, own + i);
	dma_unmap_sg(job->w->dev, sg, (int)pages, DMA_BIDIRECTIONAL);
	job->wrong += job->strict && world_reads(job->w, addr, own);
}

/** Two pages that this thread alone maps: what lies at the address is known as long as the mapping lives. */
static void one_round(struct job *job, uint64_t own)
{
	uint64_t pages = 1 + world_random(&job->seed, 2);
	phys_addr_t phys = job->w->buf + own * PAGE;
	struct mail mail = { .pages = pages };

	if (world_random(&job->seed, 3) == 0) {
		one_list(job, own, pages);
		return;
	}
	mail.addr = dma_map_phys(job->w->dev, phys, pages * PAGE, DMA_BIDIRECTIONAL, 0);
	job->wrong += mail.addr == DMA_MAPPING_ERROR;
	job->wrong += !world_reads(job->w, mail.addr, own);
	if (world_random(&job->seed, 4) == 0 && post(job->neighbour, mail))
		return;
	unmap(job, mail);
	/* others may have mapped there by now, but never this page */
	job->wrong += job->strict && world_reads(job->w, mail.addr, own);
}

static uint64_t changes_of(const struct job *job)
{
	return __atomic_load_n(job->changes, __ATOMIC_ACQUIRE);
}

/** What was unmapped before the domain is made strict is out of reach when that is done. */
static void look_after_a_change(struct job *job, uint64_t own)
{
	phys_addr_t phys = job->w->buf + own * PAGE;
	dma_addr_t addr = dma_map_phys(job->w->dev, phys, PAGE, DMA_TO_DEVICE, 0);
	uint64_t before;

	job->wrong += !world_reads(job->w, addr, own);
	while (changes_of(job) % 2 == 0)
		sched_yield();
	dma_unmap_phys(job->w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	before = changes_of(job);
	/* of two changes to strict from now on the second began after the unmap */
	while (changes_of(job) < before + 4)
		sched_yield();
	job->wrong += world_reads(job->w, addr, own);
}

/** The same with a two-step range, of which a part may stay without memory. */
static void one_range(struct job *job, uint64_t own)
{
	uint64_t pages = 1 + world_random(&job->seed, 2);
	uint64_t room = pages + world_random(&job->seed, 3);
	struct dma_device *dev = job->w->dev;
	struct dma_iova_state s;
	dma_addr_t addr;

	if (!dma_iova_try_alloc(dev, &s, 0, room * PAGE)) {
		job->wrong++;
		return;
	}
	addr = s.addr;
	for (uint64_t i = 0; i < pages; i++)
		job->wrong += dma_iova_link(dev, &s, job->w->buf + (own + i) * PAGE, i * PAGE, PAGE,
					    DMA_BIDIRECTIONAL, 0) != 0;
	job->wrong += dma_iova_sync(dev, &s, 0, pages * PAGE) != 0;
	job->wrong += !world_reads(job->w, addr, own);
	if (world_random(&job->seed, 4) == 0) {
		dma_iova_unlink(dev, &s, 0, pages * PAGE, DMA_BIDIRECTIONAL, 0);
		job->wrong += world_reads(job->w, addr, own);
		dma_iova_free(dev, &s);
	} else {
		dma_iova_destroy(dev, &s, pages * PAGE, DMA_BIDIRECTIONAL, 0);
	}
	job->wrong += job->strict && world_reads(job->w, addr, own);
	job->wrong += dma_use_iova(&s);
}

static void *work(void *arg)
{
	struct job *job = arg;
	uint64_t own = (job->seed % THREADS) * 2;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (i % 3)
			one_round(job, own);
		else
			one_range(job, own);
		unmap_mails(job);
		if (job->changes && i % 16 == 0)
			look_after_a_change(job, own);
	}
	return NULL;
}

struct keeper {
	struct world *w;
	pthread_t thread;
	bool stop;
	uint64_t changes;
	unsigned int wrong;
};

/** What else goes on in a domain. */
static void *keep(void *arg)
{
	struct keeper *k = arg;
	struct dma_domain_stats stats;

	while (!__atomic_load_n(&k->stop, __ATOMIC_ACQUIRE)) {
		dma_domain_flush(k->w->domain);
		dma_domain_get_stats(k->w->domain, &stats);
		dma_poll(sim_host(k->w->m));
		dma_device_live(k->w->dev);
	}
	return NULL;
}

/** The same, and the policy of the domain changes all the time. */
static void *change(void *arg)
{
	struct keeper *k = arg;

	while (!__atomic_load_n(&k->stop, __ATOMIC_ACQUIRE)) {
		k->wrong += dma_domain_set_invalidation(k->w->domain, DMA_INVALIDATION_LAZY) != 0;
		__atomic_fetch_add(&k->changes, 1, __ATOMIC_RELEASE);
		sched_yield();
		k->wrong += dma_domain_set_invalidation(k->w->domain, DMA_INVALIDATION_STRICT) != 0;
		__atomic_fetch_add(&k->changes, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void all_at_once(enum dma_invalidation invalidation, void *(*keep_busy)(void *))
{
	struct job jobs[THREADS] = { { .w = NULL } };
	struct keeper keeper = { .stop = false };
	bool changes = keep_busy == change;
	struct world w;

	world_begin(&w, invalidation, 2 * THREADS);
	keeper.w = &w;
	for (unsigned int i = 0; i < THREADS; i++) {
		jobs[i].w = &w;
		jobs[i].seed = i;
		jobs[i].strict = invalidation == DMA_INVALIDATION_STRICT && !changes;
		jobs[i].changes = changes ? &keeper.changes : NULL;
		jobs[i].neighbour = &jobs[(i + 1) % THREADS];
		pthread_mutex_init(&jobs[i].lock, NULL);
	}
	assert_int_equal(pthread_create(&keeper.thread, NULL, keep_busy, &keeper), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&jobs[i].thread, NULL, work, &jobs[i]), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(jobs[i].thread, NULL);
	__atomic_store_n(&keeper.stop, true, __ATOMIC_RELEASE);
	pthread_join(keeper.thread, NULL);
	assert_int_equal(keeper.wrong, 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		unmap_mails(&jobs[i]);
		assert_int_equal(jobs[i].wrong, 0);
		pthread_mutex_destroy(&jobs[i].lock);
	}
	world_end(&w);
}

static void strict(void **state)
{
	(void)state;
	all_at_once(DMA_INVALIDATION_STRICT, keep);
}

static void lazy(void **state)
{
	(void)state;
	all_at_once(DMA_INVALIDATION_LAZY, keep);
}

static void changing(void **state)
{
	(void)state;
	all_at_once(DMA_INVALIDATION_STRICT, change);
}

static void *only_flush(void *arg)
{
	struct keeper *k = arg;

	while (!__atomic_load_n(&k->stop, __ATOMIC_ACQUIRE))
		dma_domain_flush(k->w->domain);
	return NULL;
}

/** The flush that takes the last pending mapping of a window may give the window back while its unmap still goes on. */
static void last_of_window(void **state)
{
	struct keeper keeper = { .stop = false };
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_LAZY, 1);
	keeper.w = &w;
	assert_int_equal(pthread_create(&keeper.thread, NULL, only_flush, &keeper), 0);
	for (unsigned int i = 0; i < LAST_ROUNDS; i++) {
		dma_addr_t first = dma_map_phys(w.dev, w.buf, PAGE, DMA_TO_DEVICE, 0);
		dma_addr_t second = dma_map_phys(w.dev, w.buf, PAGE, DMA_TO_DEVICE, 0);

		dma_unmap_phys(w.dev, first, PAGE, DMA_TO_DEVICE, 0);
		dma_unmap_phys(w.dev, second, PAGE, DMA_TO_DEVICE, 0);
	}
	__atomic_store_n(&keeper.stop, true, __ATOMIC_RELEASE);
	pthread_join(keeper.thread, NULL);
	world_end(&w);
}

/** Of two unmaps of one mapping at once exactly one succeeds. */
struct race {
	struct world *w;
	dma_addr_t addr;
	pthread_barrier_t *start;
	pthread_t thread;
};

static void *race(void *arg)
{
	struct race *r = arg;

	pthread_barrier_wait(r->start);
	dma_unmap_phys(r->w->dev, r->addr, PAGE, DMA_TO_DEVICE, 0);
	return NULL;
}

/** Each refused unmap is one warning. The last error will not do: with the lock port all threads share it. */
static uint64_t refusals(struct world *w)
{
	struct sim_counters counters;

	sim_get_counters(w->m, &counters);
	return counters.warnings;
}

static void one_of_two(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, 1);
	for (unsigned int i = 0; i < 100; i++) {
		dma_addr_t addr = dma_map_phys(w.dev, w.buf, PAGE, DMA_TO_DEVICE, 0);
		uint64_t before = refusals(&w);
		pthread_barrier_t start;
		struct dma_error err;
		struct race races[2];

		assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
		for (unsigned int k = 0; k < 2; k++) {
			races[k] = (struct race){ .w = &w, .addr = addr, .start = &start };
			assert_int_equal(pthread_create(&races[k].thread, NULL, race, &races[k]),
					 0);
		}
		for (unsigned int k = 0; k < 2; k++)
			pthread_join(races[k].thread, NULL);
		assert_int_equal(refusals(&w) - before, 1);
		dma_device_last_error(w.dev, &err);
		assert_int_equal(err.reason, DMA_REASON_NOT_MAPPED);
		pthread_barrier_destroy(&start);
	}
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strict),     cmocka_unit_test(lazy),
		cmocka_unit_test(changing),   cmocka_unit_test(last_of_window),
		cmocka_unit_test(one_of_two),
	};

	return cmocka_run_group_tests_name("small-threads", tests, NULL, NULL);
}
