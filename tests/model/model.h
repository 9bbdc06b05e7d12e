/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference model: what a mapping layer does, one byte at a time, with nothing clever in it.
 *
 * It knows memory as the CPU sees it, and for each mapping the bytes as the device sees them. It decides whether a map
 * must succeed and, if not, for which reasons it may be refused. It does not choose addresses: it says which are legal.
 *
 * There are five kinds of mappings (ranges of RAM and of MMIO, lists, vectors) and of allocated memory (coherent,
 * pages, pieces, blocks of pools); a mapping has pieces, each of which is RAM, MMIO or a peer's.
 */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include <dmamap/dmamap.h>

#define MODEL_AREAS    6
#define MODEL_AREA     (256u * 1024)
#define MODEL_MAPPINGS 48
#define MODEL_PIECES   12
#define MODEL_SEGMENTS 256
#define MODEL_MEMORIES 24
#define MODEL_UNITS    256

/** How the device reaches a piece of memory. */
enum model_place {
	MODEL_RAM,
	MODEL_MMIO,
	MODEL_BUS,     /* a peer's, by its address on the bus: never mapped */
	MODEL_REFUSED, /* a peer's, out of reach */
};

/** Memory that maps are made of. */
struct model_area {
	phys_addr_t base;
	bool mmio;
	enum model_place peer;	   /* of an element of a list; MODEL_RAM: of no peer's */
	uint64_t bus_offset;	   /* MODEL_BUS: from the CPU's address to the bus's */
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
	bool pool_memory;    /* allocated memory comes from the bounce pool */
	bool private_copies; /* non-coherent: the device has its own view until a sync */
	bool small_bounce;   /* small buffers bounce, and their neighbours stay the CPU's */
	bool no_mmio_method;
	bool untrusted;
	bool reads_back;      /* what the device may write it may read */
	uint64_t granule;     /* of the IOMMU; 0: 4 KiB */
	bool protects;	      /* the device reaches nothing else */
	bool exact;	      /* ... at once after an unmap */
	uint64_t boundary;    /* no merged segment crosses it; a mask, 0: none */
	uint64_t max_segment; /* nor is longer */
};

static inline uint64_t model_granule(const struct model_route *r)
{
	return r->granule ? r->granule : 4096;
}

struct model_piece {
	phys_addr_t phys;
	uint64_t len;
	enum model_place place;
	bool copied; /* the device works on a copy */
};

struct model_segment {
	dma_addr_t addr;
	uint64_t len;
};

enum model_kind {
	MODEL_RANGE,
	MODEL_LIST,
	MODEL_VECTOR,
};

struct model_mapping {
	bool live;
	enum model_kind kind;
	bool small; /* a range that is copied because it is small: it owns its bytes, and not their lines */
	bool device_owns;
	enum dma_data_direction dir;
	unsigned int pieces, segments;
	struct model_piece piece[MODEL_PIECES];
	struct model_segment segment[MODEL_SEGMENTS];
	uint64_t size;
	uint8_t *copy; /* as large as the mapping; what is not copied is not used */
};

/** Memory that the library allocated. */
struct model_memory {
	bool live;
	bool streamed; /* belongs to one side at a time */
	bool device_owns;
	enum dma_data_direction dir;
	dma_addr_t addr;
	uint64_t size;
	uint8_t *bytes; /* as the CPU sees it, or both */
	uint8_t *copy;	/* as the device sees it; NULL: the same */
};

struct model {
	struct model_route route;
	struct model_area area[MODEL_AREAS];
	struct model_mapping mapping[MODEL_MAPPINGS];
	struct model_memory memory[MODEL_MEMORIES];
	/** Granules that pools of blocks hold, with blocks in use or without. */
	dma_addr_t unit[MODEL_UNITS];
	unsigned int units;
};

/** Reasons for which a map may be refused, as bits; 0: it must succeed. With MAY bits only, it may. */
struct model_verdict {
	uint64_t must; /* one of these */
	uint64_t may;  /* or one of these, for lack of room */
	bool copied;
	bool small;
};

struct model_verdict model_judge(const struct model *model, const struct model_piece *p,
				 enum dma_data_direction dir);

/** The area that holds @phys. */
struct model_area *model_area(struct model *model, phys_addr_t phys);

/** The CPU's byte at @phys. */
uint8_t *model_byte(struct model *model, phys_addr_t phys);

/** The @index-th byte of a mapping as its device sees it. */
uint8_t *model_device_byte(struct model *model, struct model_mapping *m, uint64_t index);

/** A map succeeded: pieces and segments are filled in. False if the addresses are not legal. */
bool model_map(struct model *model, struct model_mapping *m);

/** Bytes [from, from + len) go to the CPU or to the device. */
void model_sync(struct model *model, struct model_mapping *m, uint64_t from, uint64_t len,
		bool for_cpu);

void model_unmap(struct model *model, struct model_mapping *m, bool skip_sync);

/** An allocation succeeded: address, size, direction and streamed are filled in. False if the address is not legal. */
bool model_alloc(struct model *model, struct model_memory *mem);

/** The device's byte of an allocation. */
uint8_t *model_memory_byte(struct model_memory *mem, uint64_t index);

/** Bytes of streamed memory go to the CPU or to the device. */
void model_memory_sync(struct model_memory *mem, uint64_t from, uint64_t len, bool for_cpu);

void model_free(struct model_memory *mem);

/** A pool of blocks holds this granule from now on. */
void model_add_unit(struct model *model, dma_addr_t addr);

/** May the device read or write @addr now? */
bool model_reaches(const struct model *model, dma_addr_t addr, bool write);

/** Is @addr one at which only the bus, or a pool of blocks, decides? */
bool model_undecided(const struct model *model, dma_addr_t addr);

#endif
