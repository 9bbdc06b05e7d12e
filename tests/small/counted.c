/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of I/O addresses that a domain says are in use: after every step of a random sequence just those of what
 * lives and what waits, whichever thread takes and gives, in whichever order, and of whatever size; and never more than
 * what it says were in use at the most.
 */
#include "world.h"

#include <pthread.h>

#define MIB    ((uint64_t)1 << 20)
#define HIGH   ((uint64_t)16 << 30)
#define HIGH_N ((uint64_t)8 << 30)
#define PLACES 150u
#define PAGES  200u
#define TURNS  60u
#define STEPS  100u /* of a turn: fewer than what makes a flush by itself */

static const struct world_memory high[] = { { .base = HIGH, .size = HIGH_N, .bar = true },
					    { .size = 0 } };

struct place {
	uint64_t size; /* 0: nothing */
	dma_addr_t addr;
	phys_addr_t phys;
	struct dma_iova_state state; /* of a two-step range */
	bool two_step;
};

/** Other threads cannot fail a test: what is wrong is noted. */
struct turn {
	struct world *w;
	const char *wrong;
	uint64_t *seed;
	struct place place[PLACES];
	uint64_t live;
	uint64_t waiting;
	uint64_t last; /* of these, what came with the last step */
	uint64_t most;
	uint64_t flushes;
};

/** A few pages, many, more than a window has for one mapping, or larger leaves of a BAR. */
static void choose(struct turn *t, struct place *p)
{
	static const uint64_t most[] = { 1, 1, 4, 64, PAGES };
	uint64_t what = world_random(t->seed, 7);

	p->phys = t->w->buf;
	if (what < 5) {
		p->size = PAGE * (1 + world_random(t->seed, most[what]));
		return;
	}
	p->size = 2 * MIB * (1 + world_random(t->seed, what == 5 ? 4 : 70));
	p->phys = HIGH;
}

static void take(struct turn *t, struct place *p)
{
	unsigned long attrs;

	choose(t, p);
	attrs = p->phys == HIGH ? DMA_ATTR_MMIO : 0;
	p->two_step = !attrs && world_random(t->seed, 3) == 0;
	if (p->two_step) {
		if (!dma_iova_try_alloc(t->w->dev, &p->state, p->phys, p->size))
			t->wrong = "no addresses";
	} else {
		p->addr = dma_map_phys(t->w->dev, p->phys, p->size, DMA_BIDIRECTIONAL, attrs);
		if (dma_mapping_error(t->w->dev, p->addr))
			t->wrong = "not mapped";
	}
	t->live += p->size;
}

/** What was linked never has nothing to invalidate. */
static void give(struct turn *t, struct place *p)
{
	unsigned long attrs = p->phys == HIGH ? DMA_ATTR_MMIO : 0;

	if (p->two_step)
		dma_iova_free(t->w->dev, &p->state);
	else
		dma_unmap_phys(t->w->dev, p->addr, p->size, DMA_BIDIRECTIONAL, attrs);
	if (!p->two_step && world_stats(t->w).invalidation == DMA_INVALIDATION_LAZY)
		t->last = p->size;
	t->waiting += t->last;
	t->live -= p->size;
	p->size = 0;
}

static void check(struct turn *t)
{
	struct dma_domain_stats stats = world_stats(t->w);

	/* many windows that ran empty are flushed for: with the last step, or just before it */
	if (stats.flushes != t->flushes)
		t->waiting = stats.iova_bytes > t->live ? t->last : 0;
	t->flushes = stats.flushes;
	t->last = 0;
	if (t->live + t->waiting > t->most)
		t->most = t->live + t->waiting;
	if (stats.iova_bytes != t->live + t->waiting)
		t->wrong = "not what is in use";
	if (stats.iova_peak_bytes < t->most)
		t->wrong = "more than at the most";
}

static void *take_turn(void *arg)
{
	struct turn *t = arg;

	for (unsigned int i = 0; i < STEPS && !t->wrong; i++) {
		struct place *p = &t->place[world_random(t->seed, PLACES)];

		if (p->size)
			give(t, p);
		else
			take(t, p);
		check(t);
	}
	return NULL;
}

static void by_another_thread(struct turn *t)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, take_turn, t), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void flush(struct turn *t)
{
	dma_domain_flush(t->w->domain);
	t->waiting = 0;
	check(t);
	if (t->wrong)
		fail_msg("%s", t->wrong);
}

static void all_that_is_in_use(enum dma_invalidation invalidation)
{
	const struct world_config config = { .invalidation = invalidation,
					     .buf_pages = PAGES,
					     .memory = high };
	uint64_t seed = world_seed();
	static struct turn t;
	struct world w;

	world_begin_with(&w, &config);
	t = (struct turn){ .w = &w, .seed = &seed };
	for (unsigned int i = 0; i < TURNS; i++) {
		if (world_random(&seed, 2))
			by_another_thread(&t);
		else
			take_turn(&t);
		flush(&t);
	}
	for (unsigned int i = 0; i < PLACES; i++)
		if (t.place[i].size)
			give(&t, &t.place[i]);
	flush(&t);
	world_end(&w);
}

static void strict(void **state)
{
	(void)state;
	all_that_is_in_use(DMA_INVALIDATION_STRICT);
}

static void lazy(void **state)
{
	(void)state;
	all_that_is_in_use(DMA_INVALIDATION_LAZY);
}

#define READS 300000u

struct others {
	struct world *w;
	bool stop;
};

static void *map_and_unmap(void *arg)
{
	struct others *o = arg;

	for (unsigned int n = 1; !__atomic_load_n(&o->stop, __ATOMIC_RELAXED); n = n % 6 + 1) {
		dma_addr_t addr =
			dma_map_phys(o->w->dev, o->w->buf, n * PAGE, DMA_BIDIRECTIONAL, 0);

		dma_unmap_phys(o->w->dev, addr, n * PAGE, DMA_BIDIRECTIONAL, 0);
	}
	return NULL;
}

/** While others map and unmap, what is said lies between what they never touch and all that they can have. */
static void meanwhile(void **state)
{
	pthread_t thread[2];
	struct world w;
	struct others o = { .w = &w };
	dma_addr_t addr;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	addr = dma_map_phys(w.dev, w.buf, PAGE, DMA_BIDIRECTIONAL, 0);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, map_and_unmap, &o), 0);
	for (unsigned int i = 0; i < READS; i++)
		assert_in_range(world_stats(&w).iova_bytes, PAGE, (1 + 2 * 6) * PAGE);
	__atomic_store_n(&o.stop, true, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	dma_unmap_phys(w.dev, addr, PAGE, DMA_BIDIRECTIONAL, 0);
	world_end(&w);
}

#define RING 1024u

/** What one thread maps another unmaps. */
struct handover {
	struct others o;
	dma_addr_t ring[RING];
	uint64_t made;
	uint64_t ended;
	bool all; /* that there will be are made */
};

static void *make(void *arg)
{
	struct handover *h = arg;

	while (!__atomic_load_n(&h->o.stop, __ATOMIC_RELAXED)) {
		if (h->made - __atomic_load_n(&h->ended, __ATOMIC_ACQUIRE) == RING)
			continue;
		h->ring[h->made % RING] =
			dma_map_phys(h->o.w->dev, h->o.w->buf, PAGE, DMA_BIDIRECTIONAL, 0);
		__atomic_store_n(&h->made, h->made + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void *end(void *arg)
{
	struct handover *h = arg;

	while (!__atomic_load_n(&h->all, __ATOMIC_ACQUIRE) || h->ended != h->made) {
		if (h->ended == __atomic_load_n(&h->made, __ATOMIC_ACQUIRE))
			continue;
		dma_unmap_phys(h->o.w->dev, h->ring[h->ended % RING], PAGE, DMA_BIDIRECTIONAL, 0);
		__atomic_store_n(&h->ended, h->ended + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/** Mappings that are made in one shard and end in another: what lives is never counted too low. */
static void handed_over(void **state)
{
	dma_addr_t addr[3];
	static struct handover h;
	pthread_t thread[2];
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	h = (struct handover){ .o = { .w = &w } };
	for (unsigned int i = 0; i < 3; i++)
		addr[i] = dma_map_phys(w.dev, w.buf, PAGE, DMA_BIDIRECTIONAL, 0);
	assert_int_equal(pthread_create(&thread[0], NULL, make, &h), 0);
	assert_int_equal(pthread_create(&thread[1], NULL, end, &h), 0);
	for (unsigned int i = 0; i < 10 * READS; i++)
		assert_true(dma_device_live(w.dev) >= 3);
	__atomic_store_n(&h.o.stop, true, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(thread[0], NULL), 0);
	__atomic_store_n(&h.all, true, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(thread[1], NULL), 0);
	assert_int_equal(dma_device_live(w.dev), 3);
	for (unsigned int i = 0; i < 3; i++)
		dma_unmap_phys(w.dev, addr[i], PAGE, DMA_BIDIRECTIONAL, 0);
	world_end(&w);
}

/** Where nothing came back, the most is what is in use now; and it stays when all is gone. */
static void the_most(void **state)
{
	dma_addr_t addr[PAGES];
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, 1);
	for (unsigned int i = 0; i < PAGES; i++) {
		addr[i] = dma_map_phys(w.dev, w.buf, PAGE, DMA_BIDIRECTIONAL, 0);
		if (i % 7 == 0)
			assert_int_equal(world_stats(&w).iova_peak_bytes, (i + 1) * PAGE);
	}
	for (unsigned int i = 0; i < PAGES; i++)
		dma_unmap_phys(w.dev, addr[i], PAGE, DMA_BIDIRECTIONAL, 0);
	assert_int_equal(world_stats(&w).iova_bytes, 0);
	assert_int_equal(world_stats(&w).iova_peak_bytes, PAGES * PAGE);
	world_end(&w);
}

/** The same page again and again takes one page, and so does the same list of pages. */
static void again_and_again(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	for (unsigned int n = 1; n <= 64; n++) {
		for (unsigned int i = 0; i < 200; i++) {
			dma_addr_t addr =
				dma_map_phys(w.dev, w.buf, n * PAGE, DMA_BIDIRECTIONAL, 0);

			dma_unmap_phys(w.dev, addr, n * PAGE, DMA_BIDIRECTIONAL, 0);
		}
		assert_int_equal(world_stats(&w).iova_peak_bytes, n * PAGE);
	}
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strict),    cmocka_unit_test(lazy),
		cmocka_unit_test(meanwhile), cmocka_unit_test(handed_over),
		cmocka_unit_test(the_most),  cmocka_unit_test(again_and_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
