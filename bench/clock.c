/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timing on a machine that is never quiet: short slices of all operations alternate, in an order that is shuffled for
 * each round; the minimum, the median and the 90th percentile say together what one figure cannot.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

#define SLICE_NS   2000000.0
#define WARM_UP_NS 50000000.0

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Operations that fill a slice, at least 1000; found while the operation warms up. 0: it failed. */
static uint64_t slice_of(const struct bench_op *op, void *state)
{
	double start = now(), spent = 0;
	uint64_t n = 1000, done = 0;

	while (spent < WARM_UP_NS) {
		if (!op->run(state, n))
			return 0;
		done += n;
		spent = now() - start;
	}
	n = (uint64_t)((double)done / spent * SLICE_NS);
	return n < 1000 ? 1000 : n;
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void shuffle(size_t *order, size_t n, uint64_t *seed)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = next_random(seed) % i, swap = order[i - 1];

		order[i - 1] = order[j];
		order[j] = swap;
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void summarise(double *slices, unsigned int n, struct bench_time *time)
{
	qsort(slices, n, sizeof(*slices), compare);
	time->min = slices[0];
	time->median = slices[n / 2];
	time->p90 = slices[(uint64_t)n * 9 / 10];
}

struct running {
	void *state;
	uint64_t slice;
	double *slices;
};

static bool run_round(const struct bench_op *const *ops, struct running *running,
		      const size_t *order, size_t n, unsigned int round)
{
	for (size_t i = 0; i < n; i++) {
		struct running *r = &running[order[i]];
		double start = now();

		if (!ops[order[i]]->run(r->state, r->slice))
			return false;
		if (round) /* the first one warms up what the others have cooled down */
			r->slices[round - 1] = (now() - start) / (double)r->slice;
	}
	return true;
}

static bool open_all(const struct bench_op *const *ops, struct running *running, size_t n,
		     unsigned int rounds)
{
	for (size_t i = 0; i < n; i++) {
		running[i].slices = calloc(rounds, sizeof(double));
		running[i].state = ops[i]->open();
		if (!running[i].slices || !running[i].state)
			return false;
		running[i].slice = slice_of(ops[i], running[i].state);
		if (!running[i].slice)
			return false;
	}
	return true;
}

static void close_all(const struct bench_op *const *ops, struct running *running, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (running[i].state)
			ops[i]->close(running[i].state);
		free(running[i].slices);
	}
}

bool bench_time_ops(const struct bench_op *const *ops, size_t n, unsigned int rounds, uint64_t seed,
		    struct bench_time *times)
{
	struct running *running = calloc(n ? n : 1, sizeof(*running));
	size_t *order = calloc(n ? n : 1, sizeof(*order));
	bool ok = running && order && open_all(ops, running, n, rounds);

	for (size_t i = 0; ok && i < n; i++)
		order[i] = i;
	for (unsigned int round = 0; ok && round <= rounds; round++) {
		shuffle(order, n, &seed);
		ok = run_round(ops, running, order, n, round);
	}
	for (size_t i = 0; ok && i < n; i++)
		summarise(running[i].slices, rounds, &times[i]);
	if (running)
		close_all(ops, running, n);
	free(running);
	free(order);
	return ok;
}

/* --- two threads on one state */

struct racer {
	const struct bench_op *op;
	void *state;
	uint64_t n;
	pthread_barrier_t *start;
	double begin, end; /* its own: whoever started it may be scheduled late */
	bool ok;
};

static void *race(void *arg)
{
	struct racer *r = arg;

	pthread_barrier_wait(r->start);
	r->begin = now();
	r->ok = r->op->run(r->state, r->n);
	r->end = now();
	return NULL;
}

/* Nanoseconds from the first start to the last end of @threads threads that do @n operations each; negative: failed. */
static double race_time(const struct bench_op *op, void *state, uint64_t n, unsigned int threads)
{
	double begin = 0, end = 0;
	struct racer racers[2];
	pthread_t ids[2];
	pthread_barrier_t start;
	bool ok = true;

	pthread_barrier_init(&start, NULL, threads);
	for (unsigned int i = 0; i < threads; i++) {
		racers[i] = (struct racer){ .op = op, .state = state, .n = n, .start = &start };
		if (pthread_create(&ids[i], NULL, race, &racers[i]))
			abort(); /* the others wait at the barrier */
	}
	for (unsigned int i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		ok = ok && racers[i].ok;
		begin = i && begin < racers[i].begin ? begin : racers[i].begin;
		end = end > racers[i].end ? end : racers[i].end;
	}
	pthread_barrier_destroy(&start);
	return ok ? end - begin : -1;
}

double bench_two_threads(const struct bench_op *op, unsigned int rounds)
{
	double *ratios = calloc(rounds, sizeof(double));
	void *state = op->open();
	struct bench_time summary = { 0 };
	uint64_t n = state ? slice_of(op, state) * 4 : 0;

	for (unsigned int i = 0; n && ratios && i < rounds; i++) {
		double one = race_time(op, state, n, 1);
		double two = race_time(op, state, n, 2);

		if (one <= 0 || two <= 0) {
			n = 0;
			break;
		}
		ratios[i] = 2 * one / two;
	}
	if (n && ratios)
		summarise(ratios, rounds, &summary);
	if (state)
		op->close(state);
	free(ratios);
	return summary.median;
}
