/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small objects of one size, cut from host pages.
 *
 * A chunk is one host page: a head, then objects. Its address is the object's, rounded down, so an object needs no
 * header (linear addresses of pages are page-aligned). A chunk that runs empty goes back to the host at once unless it
 * is the only one with room: a single object that comes and goes costs no page traffic.
 *
 * slab->free lists the chunks with room, slab->chunks those without.
 */
#include "slab.h"

#include "host.h"

struct chunk {
	struct chunk *next;
	struct chunk *prev;
	void *free;	/* released objects, linked through their first word */
	uint32_t fresh; /* offset of the first object never handed out, which is still zero */
	uint32_t live;
};

static struct chunk *chunk_of(const struct dmamap_slab *slab, void *object)
{
	return (struct chunk *)((uintptr_t)object & ~(uintptr_t)(slab->host->page_size - 1));
}

static bool has_room(const struct dmamap_slab *slab, const struct chunk *c)
{
	return c->free || c->fresh + slab->object <= slab->host->page_size;
}

static void push(void **list, struct chunk *c)
{
	c->prev = NULL;
	c->next = *list;
	if (c->next)
		c->next->prev = c;
	*list = c;
}

static void drop(void **list, struct chunk *c)
{
	if (c->next)
		c->next->prev = c->prev;
	if (c->prev)
		c->prev->next = c->next;
	else
		*list = c->next;
}

static void give_back(struct dmamap_slab *slab, struct chunk *c)
{
	slab->bytes -= slab->host->page_size;
	dmamap_pages_free(slab->host, c, slab->host->page_size);
}

static struct chunk *add_chunk(struct dmamap_slab *slab)
{
	uint64_t size = slab->host->page_size;
	struct chunk *c =
		dmamap_pages_alloc(slab->host, size, ~(phys_addr_t)0, DMAMAP_GFP_ATOMIC, NULL);

	if (!c)
		return NULL;
	c->fresh = (uint32_t)round_up(sizeof(*c), 16);
	slab->bytes += size;
	push(&slab->free, c);
	return c;
}

void dmamap_slab_init(struct dmamap_slab *slab, struct dma_host *host, uint32_t size)
{
	*slab = (struct dmamap_slab){ .host = host, .object = (uint32_t)round_up(size, 8) };
}

void *dmamap_slab_alloc(struct dmamap_slab *slab)
{
	struct chunk *c = slab->free;
	void *object;

	if (!c) {
		c = add_chunk(slab);
		if (!c)
			return NULL;
	}
	object = c->free;
	if (object) {
		c->free = *(void **)object;
		memset(object, 0, slab->object);
	} else {
		object = (char *)c + c->fresh;
		c->fresh += slab->object;
	}
	c->live++;
	if (!has_room(slab, c)) {
		drop(&slab->free, c);
		push(&slab->chunks, c);
	}
	return object;
}

void dmamap_slab_free(struct dmamap_slab *slab, void *object)
{
	struct chunk *c;

	if (!object)
		return;
	c = chunk_of(slab, object);
	if (!has_room(slab, c)) {
		drop(&slab->chunks, c);
		push(&slab->free, c);
	}
	*(void **)object = c->free;
	c->free = object;
	c->live--;
	if (!c->live && (c->next || c->prev)) {
		drop(&slab->free, c);
		give_back(slab, c);
	}
}

static void give_back_all(struct dmamap_slab *slab, void **list)
{
	struct chunk *c = *list;

	while (c) {
		struct chunk *next = c->next;

		give_back(slab, c);
		c = next;
	}
	*list = NULL;
}

void dmamap_slab_trim(struct dmamap_slab *slab)
{
	struct chunk *c = slab->free;

	while (c) {
		struct chunk *next = c->next;

		if (!c->live) {
			drop(&slab->free, c);
			give_back(slab, c);
		}
		c = next;
	}
}

void dmamap_slab_fini(struct dmamap_slab *slab)
{
	give_back_all(slab, &slab->free);
	give_back_all(slab, &slab->chunks);
}
