/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that share a device, a pool, a domain: each sees its own data and nobody else's. Under the thread sanitizer
 * this is also the proof that the inline paths and the flags that arm them do not race.
 */
#include "spec/fixture.h"

#include <pthread.h>

#define THREADS 4
#define ROUNDS	2000

struct job {
	pthread_t thread;
	struct fx *fx;
	struct dma_device *dev;
	/** A buffer of its own that the device reaches, and one that it does not. */
	uint64_t near;
	uint64_t far;
	unsigned int wrong;
	pthread_barrier_t *start;
};

static void quiet_copy(struct fx *fx)
{
	fx->host.copy = NULL;
}

static const struct fx_config config = { .quiet = true, .no_sanitize = true, .tweak = quiet_copy };

static void run(struct fx *fx, struct dma_device *const dev[THREADS], void *(*body)(void *))
{
	pthread_barrier_t start;
	struct job jobs[THREADS];

	assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){ .fx = fx,
					.dev = dev[i],
					.near = 0x1000000 + i * 0x10000,
					.far = GIB(5) + i * 0x10000,
					.start = &start };
		assert_int_equal(pthread_create(&jobs[i].thread, NULL, body, &jobs[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(jobs[i].thread, NULL);
		assert_int_equal(jobs[i].wrong, 0);
	}
	pthread_barrier_destroy(&start);
}

/** Direct maps, and maps that bounce: the first of them arms and disarms the inline paths under the others' feet. */
static void *stream(void *arg)
{
	struct job *job = arg;
	unsigned char *far = fx_ram(job->fx, job->far);

	pthread_barrier_wait(job->start);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		dma_addr_t near = dma_map_phys(job->dev, job->near, 4096, BIDI, 0);
		dma_addr_t copy;

		job->wrong += near != job->near;
		dma_sync_single_for_cpu(job->dev, near, 4096, BIDI);
		memset(far, (int)i, 512);
		copy = dma_map_phys(job->dev, job->far, 512, BIDI, 0);
		job->wrong += copy >= GIB(4) || *fx_ram(job->fx, copy) != (unsigned char)i;
		if (copy >= GIB(4))
			continue;
		memset(fx_ram(job->fx, copy), (int)~i, 512);
		dma_unmap_phys(job->dev, copy, 512, BIDI, 0);
		job->wrong += far[511] != (unsigned char)~i;
		dma_unmap_phys(job->dev, near, 4096, BIDI, 0);
	}
	return NULL;
}

static void one_device(void **state)
{
	struct fx *fx = fx_new(&(struct fx_config){ .ram = { { 0, GIB(8) } },
						    .quiet = true,
						    .no_sanitize = true,
						    .tweak = quiet_copy });
	struct dma_device *dev = fx_device32(fx);
	struct dma_device *const devs[THREADS] = { dev, dev, dev, dev };
	struct dma_bounce *pool = fx_pool(fx);

	(void)state;
	assert_int_equal(dma_device_set_bounce(dev, pool), 0);
	for (int i = 0; i < 10; i++) {
		run(fx, devs, stream);
		assert_int_equal(dma_device_quiesce(dev), 0);
	}
	assert_int_equal(fx_pool_used(pool), 0);
	fx_free(fx);
}

#define COPIES 8

struct copies {
	struct dma_device *dev;
	dma_addr_t addr[COPIES];
};

static void *unmap_half(void *arg)
{
	const struct copies *c = arg;

	for (unsigned int i = 0; i < COPIES / 2; i++)
		dma_unmap_phys(c->dev, c->addr[i], 512, TO, 0);
	return NULL;
}

static void unmap_half_elsewhere(struct copies *c)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, unmap_half, c), 0);
	pthread_join(thread, NULL);
}

/** Copies are counted where they are made and where they end, also without memory for more than one counter. */
static void counted_apart(void **state)
{
	(void)state;
	for (int poor = 0; poor < 2; poor++) {
		struct fx *fx = fx_new(&(struct fx_config){ .quiet = true, .no_sanitize = true });
		struct copies c = { .dev = fx_device32(fx) };

		assert_int_equal(dma_device_set_bounce(c.dev, fx_pool(fx)), 0);
		for (unsigned int i = 0; i < COPIES; i++) {
			fx->fail_all = poor && !i;
			c.addr[i] = dma_map_phys(c.dev, GIB(5) + i * 4096, 512, TO, 0);
			assert_true(c.addr[i] < GIB(4));
		}
		assert_int_equal(dma_device_live(c.dev), COPIES);
		unmap_half_elsewhere(&c);
		assert_int_equal(dma_device_live(c.dev), COPIES / 2);
		unmap_half_elsewhere(&c); /* of nothing: refused */
		assert_int_equal(dma_device_live(c.dev), COPIES / 2);
		assert_int_equal(dma_device_quiesce(c.dev), -DMAMAP_EBUSY);
		for (unsigned int i = COPIES / 2; i < COPIES; i++)
			dma_unmap_phys(c.dev, c.addr[i], 512, TO, 0);
		assert_int_equal(dma_device_quiesce(c.dev), 0);
		fx_free(fx);
	}
}

static void *translate(void *arg)
{
	struct job *job = arg;

	pthread_barrier_wait(job->start);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t size = 4096u << (i % 4);
		dma_addr_t addr = dma_map_phys(job->dev, job->near, size, TO, 0);
		phys_addr_t phys = 0;

		job->wrong += addr == E;
		job->wrong += dma_domain_iova_to_phys(job->fx->domain[0], addr, &phys) != 0;
		job->wrong += phys != job->near;
		dma_unmap_phys(job->dev, addr, size, TO, 0);
	}
	return NULL;
}

static void one_domain(void **state)
{
	struct fx *fx = fx_new(&config);
	struct dma_domain *domain = fx_domain(fx, DMA_INVALIDATION_LAZY);
	struct dma_device *devs[THREADS] = { NULL };

	(void)state;
	for (unsigned int i = 0; i < THREADS; i++)
		devs[i] = i < 2 ? fx_behind(fx, domain) : devs[i - 1];
	run(fx, devs, translate);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(dma_device_live(devs[i]), 0);
	fx_free(fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_device),
		cmocka_unit_test(counted_apart),
		cmocka_unit_test(one_domain),
	};

	return FX_RUN(tests);
}
