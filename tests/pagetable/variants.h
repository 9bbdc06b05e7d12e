/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every format in every shape that it comes in, for the tests that run over all of them.
 */
#ifndef DMAMAP_TESTS_VARIANTS_H
#define DMAMAP_TESTS_VARIANTS_H

#include "table.h"

/** What a test asks for, and what must come out. */
struct variant {
	const char *name;
	enum dma_pt_format format;
	unsigned int levels;	 /* asked for; LPAE: 0 */
	unsigned int input_bits; /* asked for; LPAE only */
	unsigned int granule_bits;
	unsigned int output_bits;
	uint64_t page_sizes; /* beyond the granule */
	bool memory_types;
	bool track_dirty;
	/* what must come out */
	unsigned int attached_levels;
	unsigned int aperture_bits;
	uint64_t root_bytes; /* what of the root can be in use */
};

extern const struct variant variants[];
extern const size_t n_variants;

/** The configuration that a variant stands for. */
struct dma_pt_config variant_config(struct fixture *f, const struct variant *v);
/** Make a fake host and a table; with @caches the hardware does not snoop. Prints the name. */
void variant_start(struct fixture *f, const struct variant *v, bool caches);

/** Read-only and read-write leaves that differ in every format. */
static inline uint64_t granule_of(const struct variant *v)
{
	return (uint64_t)1 << v->granule_bits;
}

/** A translation, as the manual of the format says. */
struct decoded {
	bool present;
	bool read, write;
	uint64_t iova; /* the leaf's first address */
	uint64_t len;
	phys_addr_t phys; /* of its first byte */
	uint64_t entry;
	phys_addr_t entry_at; /* where the entry that was used stands */
	unsigned int copies;  /* entries of the leaf */
};

/** Translate @iova through the device's view of memory; asserts that all on the way is as it should be. */
struct decoded decode(const struct fixture *f, const struct variant *v, uint64_t iova);

#endif
