/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host just large enough for a bounce pool, and what its tests share.
 *
 * Memory is where the cases of the specification want it, in pieces that are not neighbours for the CPU. Locks are
 * counted by thread, so that a copy, a report or a message under a lock is noticed.
 */
#ifndef TESTS_BOUNCE_MACHINE_H
#define TESTS_BOUNCE_MACHINE_H

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "bounce/pool.h"

#define PAGE  4096u
#define SLOT  2048u
#define LOW   UINT64_C(0) /* RAM at address 0 */
#define POOL  UINT64_C(0x10000000)
#define META  UINT64_C(0x40000000) /* what alloc_pages() hands out */
#define BUF   UINT64_C(0x80000000)
#define SPLIT UINT64_C(0x90010000) /* two pieces of RAM meet here, elsewhere in the linear map */
#define HIGH  UINT64_C(0xc0000000) /* no linear address */
#define MB    UINT64_C(0x100000)

struct piece {
	phys_addr_t base;
	uint64_t size;
	unsigned char *mem;
};

#define PIECES 7

struct machine {
	struct dma_host host;
	struct piece pieces[PIECES];
	uint64_t next_page;
	bool recycle; /* give pages out again: for tests that take many; next_page does not count then */
	unsigned char taken[64 * MB / PAGE];
	pthread_mutex_t pages;
	int pages_out;
	int fail_alloc; /* make the n-th allocation from now fail */
	int temporary;	/* temporary mappings that live */
	bool may_block;
	uint64_t now; /* of the clock that machine_clock() gives the host */
	int deferred; /* calls of the defer hook, which tests may set, and the last one */
	void (*later)(void *arg);
	void *later_arg;
	struct dma_page_request asked; /* the last request for pages that was granted */
	int messages;
	char message[256];
	int events;
	struct dma_event event;
	struct dma_bounce *pool;
	struct dma_device dev;
	struct dma_parms parms;
};

/** CPU of the calling thread. */
extern _Thread_local unsigned int test_cpu;

/** A machine without a pool, with one device of 64 bits. */
struct machine *machine_new(void);
void machine_free(struct machine *m);
/** Linux's pool of @slots at POOL, given to the device. */
void machine_pool(struct machine *m, uint64_t slots);
/** A pool of @slots at POOL with segments of @segment slots, given to the device. */
void machine_pool_segments(struct machine *m, uint64_t slots, uint32_t segment);
/** A pool of this configuration (its size member is set here), given to the device. */
void machine_pool_config(struct machine *m, struct dma_bounce_config config);
/** Let the host have a clock: it shows m->now. */
void machine_clock(struct machine *m);
/** The defer hook: remembers what was asked for. */
void machine_defer(struct dma_host *host, void (*fn)(void *arg), void *arg, uint64_t ns);
/** A further device, with segment limits of its own if @parms. */
void machine_device(struct machine *m, struct dma_device *dev, struct dma_parms *parms);
/** Give @dev the pool. */
void machine_attach(struct machine *m, struct dma_device *dev);

/** RAM as the CPU sees it, whether the library may or not. */
unsigned char *ram(struct machine *m, phys_addr_t phys);
/** Fill with bytes that depend on the address and on @salt. */
void pattern(struct machine *m, phys_addr_t phys, uint64_t size, unsigned int salt);
bool is_pattern(struct machine *m, phys_addr_t phys, uint64_t size, phys_addr_t as_at,
		unsigned int salt);

/** Short forms: map for the machine's device, BIDIRECTIONAL and without attributes. */
phys_addr_t map(struct machine *m, phys_addr_t phys, uint64_t size);
phys_addr_t map_aligned(struct machine *m, phys_addr_t phys, uint64_t size, uint64_t align_mask);
/** The map must fail; the reason comes back, and *@have unless NULL. */
enum dma_reason refused(struct machine *m, phys_addr_t phys, uint64_t size, uint64_t align_mask,
			uint64_t *have);
bool unmap(struct machine *m, phys_addr_t copy, uint64_t size, enum dma_data_direction dir);
struct dma_bounce_stats stats(struct machine *m);
uint64_t used(struct machine *m);

/** Seed from DMAMAP_TEST_SEED or the clock, printed; and numbers from it. */
uint64_t seed_get(void);
uint64_t rnd(uint64_t *state);
/** 0 … n - 1. */
uint64_t rnd_below(uint64_t *state, uint64_t n);

#endif
