/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many mappings at once, made, used and ended at random. The list below is the model: what each one maps, which way,
 * and what was unmapped lately and must not be reached any more.
 */
#include "cases.h"

#define MAPPINGS 24u
#define STEPS	 160u

struct mapping {
	phys_addr_t ram;
	uint64_t bytes; /* of RAM, whole pages */
	uint64_t offset;
	uint64_t size; /* 0: none */
	dma_addr_t addr;
	enum dma_data_direction dir;
	unsigned char salt;
};

static void begin(struct target *t, struct mapping *m)
{
	static const enum dma_data_direction dirs[] = { DMA_BIDIRECTIONAL, DMA_TO_DEVICE,
							DMA_FROM_DEVICE };

	m->salt = (unsigned char)next_random(t);
	m->offset = next_random(t) % 3 ? 0 : next_random(t) % PAGE;
	m->size = 1 + next_random(t) % (next_random(t) % 4 ? PAGE : 8 * PAGE);
	m->bytes = (m->offset + m->size + PAGE - 1) / PAGE * PAGE;
	m->dir = dirs[next_random(t) % 3];
	m->ram = ram_make(t, m->bytes, m->salt);
	m->addr = dma_map_phys(t->dma, m->ram + m->offset, m->size, m->dir, 0);
	assert_false(dma_mapping_error(t->dma, m->addr));
	assert_int_equal(m->addr % PAGE, (m->ram + m->offset) % PAGE);
}

/** A part of it moves, the way that it may. */
static void use(struct target *t, const struct mapping *m)
{
	uint64_t at = next_random(t) % m->size;
	uint64_t len = 1 + next_random(t) % (m->size - at);

	if (len > 256)
		len = 256;
	if (m->dir != DMA_FROM_DEVICE) {
		dev_expect(t, m->addr + at, m->offset + at, len, m->salt);
		return;
	}
	/* what it writes is what is there: the model stays as it is */
	dev_fill(t, m->addr + at, m->offset + at, len, m->salt);
}

static void end(struct target *t, struct mapping *m)
{
	dma_unmap_phys(t->dma, m->addr, m->size, m->dir, 0);
	ram_expect(t, m->ram, 0, m->bytes, m->salt);
	ram_free(t, m->ram, m->bytes);
	m->size = 0;
}

/** The domain is flushed: what has just gone is gone. */
static void gone(struct target *t, dma_addr_t addr, const struct mapping *all)
{
	for (const struct mapping *m = all; m < all + MAPPINGS; m++)
		if (m->size && addr / PAGE >= m->addr / PAGE &&
		    addr / PAGE <= (m->addr + m->size - 1) / PAGE)
			return; /* somebody has the address now */
	dma_domain_flush(t->domain);
	try_write(t, addr);
}

void random_mappings(struct target *t)
{
	struct mapping all[MAPPINGS] = { 0 };

	for (unsigned int step = 0; step < STEPS; step++) {
		struct mapping *m = &all[next_random(t) % MAPPINGS];
		dma_addr_t addr = m->addr;

		if (!m->size) {
			begin(t, m);
		} else if (next_random(t) % 3) {
			use(t, m);
		} else {
			end(t, m);
			if (next_random(t) % 8 == 0)
				gone(t, addr, all);
		}
	}
	for (unsigned int i = 0; i < MAPPINGS; i++)
		if (all[i].size)
			end(t, &all[i]);
}
