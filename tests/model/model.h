/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference model: what a mapping layer does, one byte at a time, with nothing clever in it.
 *
 * It knows memory as the CPU sees it, and for each mapping the bytes as the device sees them. It decides whether a map
 * must succeed and, if not, for which reasons it may be refused. It does not choose addresses: it says which are legal.
 */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include <dmamap/dmamap.h>

#define MODEL_AREAS    5
#define MODEL_AREA     (256u * 1024)
#define MODEL_MAPPINGS 48
#define MODEL_PIECES   12

/** Memory that maps are made of. */
struct model_area {
	phys_addr_t base;
	bool mmio;
	uint8_t bytes[MODEL_AREA]; /* as the CPU sees it */
};

/** What a route promises. */
struct model_route {
	enum dma_route route;
	uint64_t limit;			/* highest device address: mask or bus limit */
	uint64_t bus_limit;		/* the bus's, 0: none */
	const struct dma_range *window; /* windows, or NULL */
	uint64_t offset;		/* of a method table's translator */
	uint64_t arch_limit;		/* RAM that ends at or below goes directly */
	bool force_bounce;
	bool private_copies; /* non-coherent: the device has its own view until a sync */
	bool small_bounce;   /* small buffers bounce, and their neighbours stay the CPU's */
	bool no_mmio_method;
	bool untrusted;
	bool protects;	      /* the device reaches nothing else */
	bool exact;	      /* ... at once after an unmap */
	uint64_t boundary;    /* no merged segment crosses it; a mask, 0: none */
	uint64_t max_segment; /* nor is longer */
};

struct model_piece {
	phys_addr_t phys;
	uint64_t len;
};

struct model_segment {
	dma_addr_t addr;
	uint64_t len;
};

struct model_mapping {
	bool live;
	bool list;
	bool mmio;
	bool copied; /* the device works on a copy */
	bool small;  /* ... because it is small: it owns its bytes, and not their lines */
	bool device_owns;
	enum dma_data_direction dir;
	unsigned int pieces, segments;
	struct model_piece piece[MODEL_PIECES];
	struct model_segment segment[MODEL_PIECES];
	uint64_t size;
	uint8_t *copy;
};

struct model {
	struct model_route route;
	struct model_area area[MODEL_AREAS];
	struct model_mapping mapping[MODEL_MAPPINGS];
};

/** Reasons for which a map may be refused, as bits; 0: it must succeed. With MAY bits only, it may. */
struct model_verdict {
	uint64_t must; /* one of these */
	uint64_t may;  /* or one of these, for lack of room */
	bool copied;
	bool small;
};

struct model_verdict model_judge(const struct model *model, phys_addr_t phys, uint64_t size,
				 enum dma_data_direction dir, bool mmio);

/** The CPU's byte at @phys. */
uint8_t *model_byte(struct model *model, phys_addr_t phys);

/** The @index-th byte of a mapping as its device sees it. */
uint8_t *model_device_byte(struct model *model, struct model_mapping *m, uint64_t index);

/** A map succeeded: pieces and segments are filled in. False if the addresses are not legal. */
bool model_map(struct model *model, struct model_mapping *m, bool copied);

/** Bytes [from, from + len) go to the CPU or to the device. */
void model_sync(struct model *model, struct model_mapping *m, uint64_t from, uint64_t len,
		bool for_cpu);

void model_unmap(struct model *model, struct model_mapping *m, bool skip_sync);

/** May the device read or write @addr now? */
bool model_reaches(const struct model *model, dma_addr_t addr, bool write);

#endif
