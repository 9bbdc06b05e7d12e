/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A board for the drivers of IOMMU hardware: RAM, one window of registers that a model of the hardware answers, a clock
 * that goes on with every look, and a log. Models are written from the specifications, not from the drivers.
 *
 * The board fails a test on an access outside of the window or of a width that the model does not take.
 */
#ifndef DMAMAP_TESTS_HW_BOARD_H
#define DMAMAP_TESTS_HW_BOARD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dmamap/dmamap.h>

#define BOARD_RAM    0x10000000u
#define BOARD_PAGES  8192u
#define BOARD_PAGE   4096u
#define BOARD_MMIO   0xfe000000u
#define BOARD_SIZE   0x40000u
#define BOARD_LOOK   100000u /* nanoseconds */
#define BOARD_FAULTS 256u

struct board {
	struct dma_host host;
	unsigned char *ram;    /* as the CPU sees it */
	unsigned char *device; /* as the hardware does; the same, unless there are caches */
	unsigned char *taken;
	uint64_t live;	  /* pages */
	uint64_t allocs;  /* requests ever made */
	uint64_t fail_at; /* number of the request to refuse; 0: none */
	uint64_t now;
	bool frozen; /* the clock */
	char log[256];
	unsigned int logged;
	/** The model: registers at an offset, @width in bytes. */
	uint64_t (*read)(void *model, uint64_t offset, unsigned int width);
	void (*write)(void *model, uint64_t offset, unsigned int width, uint64_t value);
	void *model;
	/** Faults that were reported. */
	struct dma_observer observer;
	struct dma_fault faults[BOARD_FAULTS];
	unsigned int n_faults;
};

void board_init(struct board *board);
/** The same, with caches that the hardware does not snoop: lines move by the host's hooks only. */
void board_init_caches(struct board *board);
/** Asserts that every page came back. */
void board_fini(struct board *board);

/** RAM at a physical address that the hardware uses; fails the test if it is not all there. */
void *board_ptr(struct board *board, uint64_t phys, uint64_t size);

/** A device whose requester number is @id (board_ids()). */
struct board_device {
	struct dma_device dma;
	uint32_t id;
};

void board_device_init(struct board *board, struct board_device *device, uint32_t id);
/** For struct dma_requesters. */
unsigned int board_ids(void *arg, struct dma_device *dev, uint32_t *ids, unsigned int max);

/** A small generator, and its seed, printed. */
uint64_t board_random(uint64_t *state);
uint64_t board_seed(void);

#endif
