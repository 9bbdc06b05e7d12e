/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the differential test share: a device on a machine, and the model of what it does. Each file has
 * the steps of one concern; a step makes one random call or transfer on both and compares.
 */
#ifndef TESTS_MODEL_WORLD_H
#define TESTS_MODEL_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sim.h>

#include "model.h"

#define POOL_BYTES  (512u * 1024)
#define BLOCK_POOLS 3

struct setup {
	const char *name;
	struct model_route model;
	uint64_t mask;
	bool noncoherent;
	bool adversarial; /* non-coherent, and lines move at random between calls */
	bool lazy;
	bool growing;		       /* a small pool that may grow to POOL_BYTES */
	bool restricted;	       /* the device sees nothing but its pool */
	bool peers;		       /* the BARs are those of other functions of a PCI tree */
	struct sim_iommu_config iommu; /* without size */
	enum sim_ops_kind ops;
};

extern const struct setup setups[];
extern const size_t nr_setups;

/** What the library's calls need to end an allocation that the model has as a struct model_memory. */
struct allocation {
	enum { ATTRS, PAGES, NONCOHERENT, PIECES, BLOCK } by;
	unsigned long attrs;
	void *ptr; /* CPU address, cookie, or struct page */
	bool touchable;
	struct sg_table *pieces;
	unsigned int pool;
};

struct block_pool {
	struct dma_pool *pool;
	size_t size, align, boundary;
	/* Freed blocks, the latest last: they come first. */
	void *freed[MODEL_MEMORIES * 64];
	unsigned int nr_freed;
};

struct tree;

struct world {
	const struct setup *setup;
	struct sim_machine *machine;
	struct sim_device *device;
	struct sim_iommu *iommu;
	struct dma_domain *domain;
	struct dma_domain_stats idle; /* of the domain, before anything was mapped */
	struct dma_bounce *pool;
	struct dma_device *dev;
	struct tree *tree;
	struct dma_observer observer;
	struct dma_parms parms;
	uint64_t records;  /* seen */
	uint64_t expected; /* calls made */
	uint64_t random;
	/* One request for memory will fail; calls that failed for it, or for the room that it would have made. */
	bool failing;
	unsigned int misses;
	/* By mapping: a list's elements, or a vector's state. */
	struct scatterlist sg[MODEL_MAPPINGS][MODEL_PIECES];
	struct dma_vec_map vec_map[MODEL_MAPPINGS];
	struct dma_phys_vec vec[MODEL_MAPPINGS][MODEL_PIECES];
	/* By allocation. */
	struct allocation allocation[MODEL_MEMORIES];
	struct block_pool blocks[BLOCK_POOLS];
	struct model model;
};

/* --- world.c */

struct world *make_world(const struct setup *setup, uint64_t seed);
/** A world with @seed, @steps of any kind in it, and its end. */
void run_world(const struct setup *setup, uint64_t seed, uint64_t steps);
/** A step of any kind. */
void step(struct world *w);
/** Unmap and free everything, and compare; then end the world: nothing may be left. */
void end_world(struct world *w);

uint64_t chance(struct world *w, uint64_t below);
enum dma_data_direction any_dir(struct world *w);
struct model_mapping *pick(struct world *w, bool live);
struct model_memory *pick_memory(struct world *w, bool live);
/** A part of @size bytes. */
void any_part(struct world *w, uint64_t size, uint64_t *from, uint64_t *len);
/** The call failed for one of @reasons, or because memory was made to fail, and said so. */
void expect_refusal(struct world *w, uint64_t reasons);

/* --- data.c: bytes, moved by CPU, device, and a hostile device */

/** Does a live mapping keep the CPU, or another mapping, from [phys, phys + len)? */
bool owned_by_device(const struct world *w, phys_addr_t phys, uint64_t len, bool small);
/** Every byte of every area that the CPU may look at is what the model says. */
void compare_memory(struct world *w);
/** The device is cut off from @addr, if the route promises that. */
void expect_cut_off(struct world *w, dma_addr_t addr, enum dma_data_direction dir);
void step_device_read(struct world *w);
void step_device_write(struct world *w);
void step_cpu_write(struct world *w);
void step_hostile(struct world *w);
void step_time(struct world *w);

/* --- maps.c: ranges and lists */

/** A piece of memory that no device-owned line of a non-coherent machine touches. */
bool any_buffer(struct world *w, struct model_piece *p, enum dma_data_direction dir);
/** Does @p overlap one of the first @n pieces of a mapping of a non-coherent machine? */
bool meets_itself(const struct world *w, const struct model_mapping *m, const struct model_piece *p,
		  unsigned int n);
void unmap(struct world *w, struct model_mapping *m, bool skip);
void step_map(struct world *w);
void step_map_sg(struct world *w);
void step_unmap(struct world *w);
void step_sync(struct world *w);
void step_nonsense(struct world *w);

/* --- vectors.c */

void step_vector(struct world *w);
void unmap_vector(struct world *w, struct model_mapping *m, unsigned long attrs);
void sync_vector(struct world *w, struct model_mapping *m, uint64_t from, uint64_t len,
		 bool for_cpu);

/* --- memory.c and blocks.c: allocated memory */

void step_alloc(struct world *w);
void step_free(struct world *w);
void step_memory_data(struct world *w);
void step_memory_sync(struct world *w);
void make_blocks(struct world *w);
void end_blocks(struct world *w);
void step_block(struct world *w);
void free_block(struct world *w, struct model_memory *mem);
void free_memory(struct world *w, struct model_memory *mem);

/* --- peers.c: a PCI tree with the device, and peers to whom the areas of MMIO belong */

void make_tree(struct world *w);
void end_tree(struct world *w);
void step_acs(struct world *w);

#endif
