/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random maps, syncs and releases against a model that tries slot after slot, as the specification words it: the same
 * place, the same reason and figures of the same truth; and from two threads, where only the truth is checked.
 */
#include "machine.h"

#include <dmamap/dmamap.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define MAX_SLOTS 1024u
#define LIVE	  200u
#define STRIDE	  (UINT64_C(640) * 1024) /* between the buffers of two live mappings */
#define GUARD	  64u

struct shape {
	phys_addr_t orig;
	uint64_t size;
	uint64_t align;
	uint64_t keep;
	uint64_t boundary;
};

struct mapping {
	struct shape shape;
	phys_addr_t copy;
	uint64_t first; /* slots of the model */
	uint64_t slots;
	unsigned int salt;
};

struct model {
	uint64_t slots;
	uint64_t segment;
	uint64_t used;
	uint64_t hint;
	bool busy[MAX_SLOTS];
};

static uint64_t model_lead(const struct shape *s)
{
	return s->orig & s->keep & (s->align | (SLOT - 1));
}

static uint64_t model_bytes(const struct shape *s)
{
	return (s->size + model_lead(s) + s->align) / (s->align + 1) * (s->align + 1);
}

static uint64_t model_slots(const struct shape *s)
{
	return (model_bytes(s) + SLOT - 1) / SLOT;
}

static bool model_allows(const struct model *model, const struct shape *s, uint64_t slot)
{
	uint64_t n = model_slots(s);
	uint64_t a = s->align | (SLOT - 1);
	phys_addr_t t = POOL + slot * SLOT;

	if (!s->align && !s->keep && model_bytes(s) >= PAGE)
		a = PAGE - 1;
	if ((t & a) || ((t ^ s->orig) & s->keep & ~a) || slot + n > model->slots)
		return false;
	if (model->segment && slot / model->segment != (slot + n - 1) / model->segment)
		return false;
	return (t & ~s->boundary) == ((t + n * SLOT - 1) & ~s->boundary);
}

static bool model_is_free(const struct model *model, uint64_t slot, uint64_t n)
{
	for (uint64_t i = slot; i < slot + n; i++)
		if (model->busy[i])
			return false;
	return true;
}

/* The model's answer: a slot, or a reason. */
static enum dma_reason model_find(const struct model *model, const struct shape *s, uint64_t *slot)
{
	enum dma_reason reason = DMA_REASON_BOUNCE_TOO_LARGE;
	uint64_t n = model_slots(s);

	for (uint64_t i = 0; i < model->slots; i++) {
		*slot = (model->hint + i) % model->slots;
		if (!model_allows(model, s, *slot))
			continue;
		if (model_is_free(model, *slot, n))
			return DMA_REASON_NONE;
		reason = model->slots - model->used < n ? DMA_REASON_BOUNCE_EXHAUSTED
							: DMA_REASON_BOUNCE_FRAGMENTED;
	}
	return reason;
}

static void model_mark(struct model *model, uint64_t slot, uint64_t n, bool busy)
{
	for (uint64_t i = slot; i < slot + n; i++) {
		assert_true(model->busy[i] != busy);
		model->busy[i] = busy;
	}
	model->used += busy ? n : -n;
	model->hint = busy ? (slot + n) % model->slots : slot;
}

static uint64_t model_longest(const struct model *model)
{
	uint64_t longest = 0;
	uint64_t run = 0;

	for (uint64_t i = 0; i < model->slots; i++) {
		if (model->segment && i % model->segment == 0)
			run = 0;
		run = model->busy[i] ? 0 : run + 1;
		if (run > longest)
			longest = run;
	}
	return longest;
}

static struct shape random_shape(uint64_t *seed, phys_addr_t buffer)
{
	static const uint64_t aligns[] = { 0, 0, 0, 0xfff, 0x1fff, 0x7fff };
	static const uint64_t keeps[] = { 0, 0, 0x1ff, 0x7ff, 0xfff, 0x1fff, 0x1800, 0x2800 };
	static const uint64_t boundaries[] = { UINT64_MAX, UINT64_MAX, UINT64_MAX, 0xffff, 0x3fff };
	static const uint64_t sizes[] = { 64, SLOT, 2 * PAGE, 64 * 1024, 300 * 1024 };
	struct shape s = {
		.orig = buffer + GUARD + rnd_below(seed, 4 * PAGE),
		.size = 1 + rnd_below(seed, sizes[rnd_below(seed, rnd_below(seed, 5) + 1)]),
		.align = aligns[rnd_below(seed, 6)],
		.keep = keeps[rnd_below(seed, 8)],
		.boundary = boundaries[rnd_below(seed, 5)],
	};

	return s;
}

static bool guards_intact(struct machine *m, const struct mapping *live)
{
	phys_addr_t end = live->shape.orig + live->shape.size;

	return is_pattern(m, live->shape.orig - GUARD, GUARD, live->shape.orig - GUARD, ~0u) &&
	       is_pattern(m, end, GUARD, end, ~0u);
}

/* A new mapping of @s for @dev: its bytes are checked. False: refused, and *@why says so. */
static bool start(struct machine *m, struct dma_device *dev, struct mapping *live,
		  struct dma_error *why)
{
	struct shape *s = &live->shape;

	pattern(m, s->orig - GUARD, s->size + 2 * GUARD, ~0u);
	pattern(m, s->orig, s->size, live->salt);
	dmamap_dev(dev)->parms->min_align_mask = (unsigned int)s->keep;
	dmamap_dev(dev)->parms->segment_boundary_mask = s->boundary;
	live->copy = dmamap_bounce_map(dev, s->orig, s->size, s->align, 0, why);
	if (live->copy == DMAMAP_PHYS_NONE)
		return false;
	assert_true(((live->copy ^ s->orig) & s->keep) == 0);
	assert_true(is_pattern(m, live->copy, s->size, s->orig, live->salt));
	return true;
}

/* The device writes all of it; a part is synced; the release brings the rest. */
static void finish(struct machine *m, struct dma_device *dev, struct mapping *live, uint64_t *seed)
{
	uint64_t from = rnd_below(seed, live->shape.size);
	uint64_t len = 1 + rnd_below(seed, live->shape.size - from);
	struct dma_error why;

	/* Nobody else wrote into it. */
	assert_true(is_pattern(m, live->copy, live->shape.size, live->shape.orig, live->salt));
	pattern(m, live->copy, live->shape.size, live->salt + 1);
	dmamap_bounce_sync_for_cpu(dev, live->copy + from, len, DMA_FROM_DEVICE);
	assert_true(is_pattern(m, live->shape.orig, from, live->shape.orig, live->salt));
	assert_true(is_pattern(m, live->shape.orig + from, len, live->copy + from, live->salt + 1));
	from += len;
	assert_true(is_pattern(m, live->shape.orig + from, live->shape.size - from,
			       live->shape.orig + from, live->salt));
	assert_true(
		dmamap_bounce_unmap(dev, live->copy, live->shape.size, DMA_FROM_DEVICE, 0, &why));
	assert_true(is_pattern(m, live->shape.orig, live->shape.size, live->copy, live->salt + 1));
	assert_true(guards_intact(m, live));
}

static void model_map(struct machine *m, struct model *model, struct mapping *live)
{
	struct dma_error why = { .reason = DMA_REASON_NONE };
	enum dma_reason expected = model_find(model, &live->shape, &live->first);

	if (!start(m, &m->dev, live, &why)) {
		assert_int_equal(why.reason, expected);
		assert_true(why.have < live->shape.size);
		live->slots = 0;
		return;
	}
	assert_int_equal(expected, DMA_REASON_NONE);
	live->slots = model_slots(&live->shape);
	assert_int_equal(live->copy, POOL + live->first * SLOT + model_lead(&live->shape));
	model_mark(model, live->first, live->slots, true);
}

static void check_figures(struct machine *m, const struct model *model)
{
	struct dma_bounce_stats s = stats(m);

	assert_int_equal(s.used_slots, model->used);
	assert_int_equal(s.longest_run, model_longest(model));
	assert_true(s.peak_slots >= s.used_slots);
}

static void run_model(uint64_t slots, uint64_t segment, unsigned int steps, uint64_t *seed)
{
	static struct mapping live[LIVE];
	struct machine *m = machine_new();
	struct model model = { .slots = slots, .segment = segment };
	unsigned int limit = LIVE;

	memset(live, 0, sizeof(live));
	machine_pool_segments(m, slots, (uint32_t)segment);
	m->host.trace = NULL;
	for (unsigned int i = 0; i < steps; i++) {
		unsigned int which = (unsigned int)rnd_below(seed, limit);
		struct mapping *one = &live[which];

		/* Now a nearly empty pool, now a crowded one. */
		if (i % 512 == 0)
			limit = 1 + (unsigned int)rnd_below(seed, LIVE);
		if (one->slots) {
			finish(m, &m->dev, one, seed);
			model_mark(&model, one->first, one->slots, false);
			one->slots = 0;
		} else {
			one->shape = random_shape(seed, BUF + which * STRIDE);
			one->salt = i;
			model_map(m, &model, one);
		}
		check_figures(m, &model);
	}
	for (unsigned int which = 0; which < LIVE; which++)
		if (live[which].slots)
			finish(m, &m->dev, &live[which], seed);
	assert_int_equal(used(m), 0);
	machine_free(m);
}

static void SWT_46_random_in_linux_geometry(void **state)
{
	uint64_t seed = seed_get();

	(void)state;
	run_model(512, 128, 100000, &seed);
}

static void SWT_46_random_without_segments(void **state)
{
	uint64_t seed = seed_get();

	(void)state;
	run_model(1022, 0, 50000, &seed);
}

struct worker {
	struct machine *m;
	struct dma_device dev;
	struct dma_parms parms;
	uint64_t seed;
	unsigned int number;
	uint64_t maps;
	uint64_t refusals;
	bool waves; /* all of them give everything back now and then, and time flies */
	pthread_t thread;
};

#define WORKER_LIVE 16u

/* The load is gone for a while: so are parts that are needed no more. */
static void pause_for_long(struct worker *w, struct mapping *live)
{
	for (unsigned int which = 0; which < WORKER_LIVE; which++) {
		if (live[which].slots)
			finish(w->m, &w->dev, &live[which], &w->seed);
		live[which].slots = 0;
	}
	for (int i = 0; i < 3; i++) {
		__atomic_fetch_add(&w->m->now, 600000000, __ATOMIC_RELAXED);
		dmamap_poll(&w->m->host);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct mapping live[WORKER_LIVE] = { 0 };
	struct dma_error why;

	test_cpu = w->number;
	for (unsigned int i = 0; i < (w->waves ? 8000u : 20000u); i++) {
		unsigned int which = (unsigned int)rnd_below(&w->seed, WORKER_LIVE);
		struct mapping *one = &live[which];

		if (w->waves && i % 512 == 511)
			pause_for_long(w, live);
		if (one->slots) {
			finish(w->m, &w->dev, one, &w->seed);
			one->slots = 0;
			continue;
		}
		if (i % 1024 < 2)
			dmamap_poll(&w->m->host);
		one->shape =
			random_shape(&w->seed, BUF + (w->number * WORKER_LIVE + which) * STRIDE);
		one->salt = i + w->number * 17;
		one->slots = start(w->m, &w->dev, one, &why);
		w->maps += one->slots;
		w->refusals += !one->slots;
	}
	for (unsigned int which = 0; which < WORKER_LIVE; which++)
		if (live[which].slots)
			finish(w->m, &w->dev, &live[which], &w->seed);
	return NULL;
}

#define WORKERS 4u

/* Each on a CPU of its own, with a device of its own. Truth is what every worker finds in its own memory. */
static void share_a_pool(unsigned int threads, struct dma_bounce_config config, uint64_t longest,
			 bool waves)
{
	static struct worker workers[WORKERS];
	struct machine *m = machine_new();
	uint64_t seed = seed_get();
	uint64_t maps = 0;
	uint64_t refusals = 0;
	struct dma_bounce_stats s;

	m->recycle = true;
	m->may_block = waves; /* parts, not transient ones */
	if (waves)
		machine_clock(m);
	machine_pool_config(m, config);
	m->host.trace = NULL;
	for (unsigned int i = 0; i < threads; i++) {
		workers[i] =
			(struct worker){ .m = m, .seed = rnd(&seed), .number = i, .waves = waves };
		machine_device(m, &workers[i].dev, &workers[i].parms);
		machine_attach(m, &workers[i].dev);
	}
	for (unsigned int i = 0; i < threads; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	for (unsigned int i = 0; i < threads; i++) {
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
		maps += workers[i].maps;
		refusals += workers[i].refusals;
		assert_int_equal(dmamap_device_fini(&workers[i].dev), 0);
	}
	s = stats(m);
	assert_int_equal(s.maps, maps);
	assert_int_equal(s.failures, refusals);
	assert_int_equal(s.used_slots, 0);
	assert_int_equal(s.transient_slots, 0);
	assert_int_equal(s.longest_run, longest);
	machine_free(m);
}

static void two_threads_share_a_pool(void **state)
{
	(void)state;
	share_a_pool(2,
		     (struct dma_bounce_config){
			     .bytes = 512 * SLOT,
			     .segment_slots = 128,
			     .base = POOL,
		     },
		     128, false);
}

static void threads_with_an_area_each(void **state)
{
	(void)state;
	share_a_pool(WORKERS,
		     (struct dma_bounce_config){
			     .bytes = 1024 * SLOT,
			     .segment_slots = 128,
			     .base = POOL,
			     .areas = 4,
			     .flags = DMA_BOUNCE_SCRUB | DMA_BOUNCE_TRACK_PEAK,
		     },
		     128, false);
}

static void threads_whose_runs_cross_areas(void **state)
{
	(void)state;
	share_a_pool(WORKERS,
		     (struct dma_bounce_config){
			     .bytes = 1000 * SLOT,
			     .base = POOL,
			     .areas = 8,
		     },
		     1000, false);
}

static void threads_that_make_a_pool_grow(void **state)
{
	(void)state;
	share_a_pool(WORKERS,
		     (struct dma_bounce_config){
			     .bytes = 128 * SLOT,
			     .segment_slots = 128,
			     .base = POOL,
			     .areas = 2,
			     .max_bytes = 3 * MB / 2,
		     },
		     128, false);
}

static void threads_that_make_a_pool_grow_and_shrink(void **state)
{
	(void)state;
	share_a_pool(WORKERS,
		     (struct dma_bounce_config){
			     .bytes = 128 * SLOT,
			     .segment_slots = 128,
			     .base = POOL,
			     .areas = 2,
			     .max_bytes = 3 * MB / 2,
		     },
		     128, true);
}

/* Two threads release the same mapping: one of them is told that it was not there. */
struct rival {
	struct machine *m;
	pthread_barrier_t *barrier;
	phys_addr_t copy;
	unsigned int won;
	pthread_t thread;
};

#define ROUNDS 2000u

static void *release(void *arg)
{
	struct rival *r = arg;
	struct dma_error why;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(r->barrier);
		r->won += dmamap_bounce_unmap(&r->m->dev, r->copy, 64, DMA_FROM_DEVICE, 0, &why);
		pthread_barrier_wait(r->barrier);
	}
	return NULL;
}

static void SWT_45_racing_releases(void **state)
{
	struct machine *m = machine_new();
	pthread_barrier_t barrier;
	struct rival rivals[2];

	(void)state;
	machine_pool(m, 128);
	assert_int_equal(pthread_barrier_init(&barrier, NULL, 3), 0);
	for (int i = 0; i < 2; i++) {
		rivals[i] = (struct rival){ .m = m, .barrier = &barrier, .copy = POOL };
		assert_int_equal(pthread_create(&rivals[i].thread, NULL, release, &rivals[i]), 0);
	}
	for (unsigned int i = 0; i < ROUNDS; i++) {
		assert_int_equal(map(m, BUF, 64), POOL);
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		assert_int_equal(used(m), 0);
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(rivals[i].thread, NULL), 0);
	assert_int_equal(rivals[0].won + rivals[1].won, ROUNDS);
	pthread_barrier_destroy(&barrier);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(SWT_46_random_in_linux_geometry),
		cmocka_unit_test(SWT_46_random_without_segments),
		cmocka_unit_test(two_threads_share_a_pool),
		cmocka_unit_test(threads_with_an_area_each),
		cmocka_unit_test(threads_whose_runs_cross_areas),
		cmocka_unit_test(threads_that_make_a_pool_grow),
		cmocka_unit_test(threads_that_make_a_pool_grow_and_shrink),
		cmocka_unit_test(SWT_45_racing_releases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
