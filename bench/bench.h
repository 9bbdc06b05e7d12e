/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Benchmarks: the operations that `dmamap bench` times and counts, the machine that they run on, and the clock.
 *
 * An operation is opened once, run many times in slices that alternate with those of the others, and closed. It leaves
 * the state of the library as it found it, so that every slice does the same work. The machine is flat RAM in the
 * process and an IOMMU whose invalidations do nothing ("null invalidation"): what is measured is this library.
 */
#ifndef DMAMAP_BENCH_H
#define DMAMAP_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dmamap/dmamap.h>

/* --- host.c */

struct bench_machine;

/** RAM of @bytes (not touched before it is used), CPUs told apart by thread. NULL: no memory. */
struct bench_machine *bench_machine_create(uint64_t bytes);
void bench_machine_destroy(struct bench_machine *machine);
struct dma_host *bench_host(struct bench_machine *machine);
/** Physical address of the first byte that the host never hands out: buffers of @bytes in total. */
phys_addr_t bench_buffers(struct bench_machine *machine, uint64_t bytes);
/** Bytes of pages that the library has of the host now. */
uint64_t bench_library_bytes(struct bench_machine *machine);
/** A domain over VT-d second-stage tables of four levels, with a null unit. NULL: no memory. */
struct dma_domain *bench_domain_create(struct bench_machine *machine,
				       enum dma_invalidation invalidation);

/** A device behind such a domain, on a machine of its own. */
struct bench_behind {
	struct bench_machine *machine;
	struct dma_domain *domain;
	struct dma_device dev;
	/** Memory of the size that was asked for; it begins with a 2 MiB page. */
	phys_addr_t buffer;
};

/** False: no memory, and bench_behind_close() is still due. */
bool bench_behind_open(struct bench_behind *b, enum dma_invalidation invalidation, uint64_t bytes);
void bench_behind_close(struct bench_behind *b);

/* --- operations */

struct bench_op {
	/** Stable name, for --op and JSON. */
	const char *name;
	/** What one operation is, for people. */
	const char *what;
	/** NULL: no memory, or what failed went to standard error. */
	void *(*open)(void);
	/** @n operations; false if one of them failed. */
	bool (*run)(void *state, uint64_t n);
	void (*close)(void *state);
	/** A property of the machine, not of the library. */
	bool limit;
	/** Two threads may run it on one state, each with buffers of its own. */
	bool threads;
};

extern const struct bench_op *const bench_ops[]; /* ended by NULL */

/** The operation of that name; NULL. */
const struct bench_op *bench_find(const char *name);

/* limits.c, direct.c, iommu.c, iova.c, window.c: groups of operations */
extern const struct bench_op bench_store, bench_atomic, bench_copy;
extern const struct bench_op bench_direct, bench_bounce_64, bench_bounce_4k;
extern const struct bench_op bench_strict, bench_lazy, bench_sg32, bench_sg32_strict, bench_bar;
extern const struct bench_op bench_window;
extern const struct bench_op bench_iova, bench_iova_100, bench_iova_100k, bench_link_4k,
	bench_link_1, bench_link_512;

/* --- clock.c */

struct bench_time {
	/** Nanoseconds for one operation: the best slice, the middle one, and the one that nine of ten are below. */
	double min, median, p90;
};

/**
 * Time @n operations, their slices interleaved in an order that is shuffled for each of @rounds rounds; the first round
 * is dropped. False if an operation failed.
 */
bool bench_time_ops(const struct bench_op *const *ops, size_t n, unsigned int rounds, uint64_t seed,
		    struct bench_time *times);

/** How often two threads get through the operation in the time that one needs for once; 0: it failed. */
double bench_two_threads(const struct bench_op *op, unsigned int rounds);

/* --- count.c */

/**
 * Count the instructions of each operation: this program again, under valgrind, as "bench --counted NAME...".
 * counts[i] < 0: not counted. False where there is no valgrind.
 */
bool bench_count_ops(const struct bench_op *const *ops, size_t n, double *counts);

/** What the program does under valgrind: warm up and run each operation. An exit code. */
int bench_counted_run(const struct bench_op *const *ops, size_t n);

/* --- memory.c */

struct bench_memory {
	/** Bytes of pages for a domain that nothing was mapped in. */
	uint64_t idle_domain;
	/** Bytes for each of 100,000 live mappings of 4 KiB. */
	double per_mapping;
	/** Table bytes after a million random maps and unmaps, and what the tables with an entry need. */
	uint64_t tables_after;
	uint64_t tables_needed;
};

/** False: no memory. */
bool bench_measure_memory(struct bench_memory *memory);

#endif
