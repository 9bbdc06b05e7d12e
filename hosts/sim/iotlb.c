/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IOTLB: a set-associative cache of pages. It never forgets by itself but for want of room, and never notices that
 * a table changed. The caller locks.
 */
#include "iotlb.h"

#include <stdlib.h>

#define WAYS 8u

struct sim_iotlb_entry {
	uint64_t generation; /* 0: empty */
	uint64_t page;	     /* I/O address | shift */
	uint64_t target;     /* physical address | permissions */
};

bool sim_iotlb_init(struct sim_iotlb *tlb, unsigned int entries)
{
	*tlb = (struct sim_iotlb){ .sets = 1 };
	tlb->ways = entries < WAYS ? entries : WAYS;
	if (entries > WAYS)
		tlb->sets = 1u << sim_high_bit(entries / WAYS);
	tlb->entries = calloc((size_t)tlb->sets * tlb->ways, sizeof(*tlb->entries));
	return tlb->entries != NULL;
}

void sim_iotlb_fini(struct sim_iotlb *tlb)
{
	free(tlb->entries);
}

static struct sim_iotlb_entry *set_of(const struct sim_iotlb *tlb, uint64_t generation,
				      uint64_t page)
{
	uint64_t hash = (page ^ (generation << 40)) * 0x9e3779b97f4a7c15ull;

	return &tlb->entries[((hash >> 32) & (tlb->sets - 1)) * tlb->ways];
}

static struct sim_iotlb_entry *find(const struct sim_iotlb *tlb, uint64_t generation, uint64_t page)
{
	struct sim_iotlb_entry *set = set_of(tlb, generation, page);

	for (unsigned int i = 0; i < tlb->ways; i++)
		if (set[i].page == page && set[i].generation == generation)
			return &set[i];
	return NULL;
}

static uint64_t page_at(dma_addr_t iova, unsigned int shift)
{
	return iova >> shift << shift | shift;
}

bool sim_iotlb_find(struct sim_iotlb *tlb, uint64_t generation, dma_addr_t iova,
		    struct sim_translation *out)
{
	for (uint64_t left = tlb->shifts; left; left &= left - 1) {
		unsigned int shift = (unsigned int)__builtin_ctzll(left);
		uint64_t page = page_at(iova, shift);
		const struct sim_iotlb_entry *e = find(tlb, generation, page);

		if (!e)
			continue;
		*out = (struct sim_translation){
			.iova = page - shift,
			.phys = e->target & ~(uint64_t)(SIM_PAGE - 1),
			.shift = shift,
			.perm = (unsigned int)(e->target & (SIM_PAGE - 1)),
		};
		return true;
	}
	return false;
}

void sim_iotlb_add(struct sim_iotlb *tlb, uint64_t generation, const struct sim_translation *t)
{
	uint64_t page = page_at(t->iova, t->shift);
	struct sim_iotlb_entry *set = set_of(tlb, generation, page);
	struct sim_iotlb_entry *old = find(tlb, generation, page);
	unsigned int way = old ? (unsigned int)(old - set) : 0;

	while (!old && way < tlb->ways && set[way].generation)
		way++;
	if (way == tlb->ways) {
		tlb->victim = tlb->victim + 1 < tlb->ways ? tlb->victim + 1 : 0;
		way = tlb->victim;
	}
	set[way] = (struct sim_iotlb_entry){ generation, page, t->phys | t->perm };
	tlb->shifts |= 1ull << t->shift;
}

/** Look at every entry: for ranges of more pages than the cache has. */
static void sweep(struct sim_iotlb *tlb, uint64_t generation, dma_addr_t first, dma_addr_t last)
{
	struct sim_iotlb_entry *end = tlb->entries + (size_t)tlb->sets * tlb->ways;

	for (struct sim_iotlb_entry *e = tlb->entries; e < end; e++) {
		unsigned int shift = e->page % SIM_PAGE;
		uint64_t start = e->page - shift;

		if (e->generation == generation && start <= last &&
		    start + ((1ull << shift) - 1) >= first)
			e->generation = 0;
	}
}

void sim_iotlb_drop(struct sim_iotlb *tlb, uint64_t generation, dma_addr_t first, dma_addr_t last)
{
	if ((last - first) >> SIM_PAGE_SHIFT >= tlb->sets) {
		sweep(tlb, generation, first, last);
		return;
	}
	for (uint64_t left = tlb->shifts; left; left &= left - 1) {
		unsigned int shift = (unsigned int)__builtin_ctzll(left);

		for (uint64_t n = first >> shift; n <= last >> shift; n++) {
			struct sim_iotlb_entry *e = find(tlb, generation, n << shift | shift);

			if (e)
				e->generation = 0;
		}
	}
}
