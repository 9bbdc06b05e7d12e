/* SPDX-License-Identifier: BSD-2-Clause */
/* What the conformance cases share. */
#ifndef TESTS_CONFORMANCE_CASES_H
#define TESTS_CONFORMANCE_CASES_H

#include "target.h"

/** RAM of the case's own, each byte another value; the same @salt gives the same bytes. */
phys_addr_t ram_make(struct target *t, uint64_t size, unsigned char salt);
void ram_free(struct target *t, phys_addr_t phys, uint64_t size);
/** Fill it anew. */
void ram_fill(struct target *t, phys_addr_t phys, uint64_t size, unsigned char salt);
/** Bytes [at, at + len) of @salt are put at @phys; they are there. */
void ram_put(struct target *t, phys_addr_t phys, uint64_t at, uint64_t len, unsigned char salt);
void ram_check(struct target *t, phys_addr_t phys, uint64_t at, uint64_t len, unsigned char salt);
/** Byte @i of such memory; never 0. */
unsigned char ram_byte(uint64_t i, unsigned char salt);
/** Bytes [at, at + len) at @phys + @at are those of @salt, from index @at on. */
void ram_expect(struct target *t, phys_addr_t phys, uint64_t at, uint64_t len, unsigned char salt);

/** The device reads [addr, addr + len): it sees bytes [at, at + len) of @salt. */
void dev_expect(struct target *t, dma_addr_t addr, uint64_t at, uint64_t len, unsigned char salt);
/** The device writes those bytes there. */
void dev_fill(struct target *t, dma_addr_t addr, uint64_t at, uint64_t len, unsigned char salt);

/** Nothing was refused. */
void expect_no_fault(struct target *t);
/** An access to the page of @addr was; all reports are forgotten. */
void expect_fault(struct target *t, dma_addr_t addr, bool write);
/** The device cannot read (write) there: it gets zeros, a fault is reported. The caller checks memory. */
void expect_no_read(struct target *t, dma_addr_t addr);
void try_write(struct target *t, dma_addr_t addr);

uint64_t next_random(struct target *t);

/** The engine's own memory: after the device has entered a domain, before it leaves. */
void target_enter(struct target *t);
void target_leave(struct target *t);

/** stale.c: invalidations that are left out; for kinds with a backend. */
void missing_invalidations(struct target *t);
/** random.c: many mappings at once, at random, against a list of what must be. */
void random_mappings(struct target *t);

#endif
