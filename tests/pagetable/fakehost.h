/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host for unit tests of the rooms that take memory from it: an arena of pages that knows its holders, fails on
 * demand, and remembers cache maintenance.
 *
 * With @caches set, cache_for_device() copies the lines it is given from the arena to a second view: what a walker
 * that does not snoop would read.
 */
#ifndef DMAMAP_TESTS_FAKEHOST_H
#define DMAMAP_TESTS_FAKEHOST_H

#include <dmamap/host.h>

#define FAKE_PHYS_BASE 0x10000000u
#define FAKE_PAGE      4096u
/* Of the arena, so that what is aligned for the device is for the CPU. */
#define FAKE_ALIGN 0x100000u

struct fake_host {
	struct dma_host host;
	unsigned char *cpu;    /* what the CPU sees */
	unsigned char *device; /* what a device sees; the same memory without caches */
	unsigned char *taken;  /* a byte for each page */
	uint64_t pages;
	phys_addr_t base; /* of the arena */
	uint64_t next;
	uint64_t live;		    /* pages taken */
	uint64_t allocs;	    /* requests ever made */
	phys_addr_t lowest_ceiling; /* ever asked for */
	uint64_t fail_at;	    /* number of the request to refuse; 0: none */
	uint64_t cleans;	    /* calls of cache_for_device */
	uint64_t lines;		    /* lines cleaned */
	uint64_t flushes;	    /* calls of cache_flush */
	uint64_t barriers;	    /* calls of write_barrier */
};

void fake_host_init(struct fake_host *fake, uint64_t pages, bool caches);
/** Asserts that every page came back. */
void fake_host_fini(struct fake_host *fake);

/** The device's view of physical memory. */
const void *fake_device_ptr(const struct fake_host *fake, phys_addr_t phys);

/** A small generator with a seed of its own. */
uint64_t fake_random(uint64_t *state);
/** The seed from DMAMAP_TEST_SEED, or one from the clock; printed. */
uint64_t fake_seed(void);

#endif
