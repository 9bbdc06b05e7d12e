/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A heap of host pages; see heap.h.
 *
 * A page is 64 lines. The first holds its head; an object is a run of the others, found by the address of the page
 * (linear addresses of pages are page-aligned). Pages with a free line are in the host's list, those that were changed
 * last first, and only the first few of them are looked at: what an allocation costs does not depend on what lives. A
 * page that runs empty goes back to the host at once.
 */
#include "heap.h"

#include "host.h"

#define PAGE_LINES 64u
/** Lines of an object at the most. */
#define MOST_LINES 40u
/** Pages that an allocation looks into. */
#define LOOK_PAGES 8u

struct heap_page {
	struct heap_page *next;
	struct heap_page *prev;
	uint64_t free; /* lines; never the first */
};

#define ALL_FREE (~(uint64_t)1)

static uint64_t line_bytes(const struct dma_host *host)
{
	return host->page_size / PAGE_LINES;
}

/** Lines for @bytes; 0: it takes pages of its own. */
static unsigned int lines_for(const struct dma_host *host, uint64_t bytes)
{
	if (bytes > MOST_LINES * line_bytes(host))
		return 0;
	return (unsigned int)((bytes + line_bytes(host) - 1) / line_bytes(host));
}

static uint64_t lines_mask(unsigned int at, unsigned int n)
{
	return (((uint64_t)1 << n) - 1) << at;
}

/* --- the list; the lock is held */

static void list_page(struct dmamap_host *h, struct heap_page *p)
{
	p->prev = NULL;
	p->next = h->heap;
	if (p->next)
		p->next->prev = p;
	h->heap = p;
}

static void unlist_page(struct dmamap_host *h, struct heap_page *p)
{
	if (p->next)
		p->next->prev = p->prev;
	if (p->prev)
		p->prev->next = p->next;
	else
		h->heap = p->next;
}

/** Where runs of @n free lines begin. */
static uint64_t runs_of(uint64_t free, unsigned int n)
{
	for (unsigned int have = 1; have < n;) {
		unsigned int step = have < n - have ? have : n - have;

		free &= free >> step;
		have += step;
	}
	return free;
}

/** @n lines of a page that is near, or NULL. */
static void *take(struct dma_host *host, unsigned int n)
{
	struct dmamap_host *h = dmamap_host(host);
	struct heap_page *p = h->heap;

	for (unsigned int looked = 0; p && looked < LOOK_PAGES; p = p->next, looked++) {
		uint64_t runs = runs_of(p->free, n);
		unsigned int at;

		if (!runs)
			continue;
		at = low_bit(runs);
		p->free &= ~lines_mask(at, n);
		if (!p->free)
			unlist_page(h, p);
		return (char *)p + at * line_bytes(host);
	}
	return NULL;
}

/** The page, if it is empty now. */
static struct heap_page *give(struct dma_host *host, void *ptr, unsigned int n)
{
	struct dmamap_host *h = dmamap_host(host);
	uintptr_t offset = (uintptr_t)ptr & (host->page_size - 1);
	struct heap_page *p = (struct heap_page *)(void *)((char *)ptr - offset);

	if (p->free)
		unlist_page(h, p);
	p->free |= lines_mask((unsigned int)(offset / line_bytes(host)), n);
	if (p->free == ALL_FREE)
		return p;
	list_page(h, p);
	return NULL;
}

/* --- the calls */

void *dmamap_heap_alloc(struct dma_host *host, uint64_t bytes, gfp_t gfp)
{
	struct dmamap_host *h = dmamap_host(host);
	unsigned int n = lines_for(host, bytes);
	struct heap_page *fresh;
	void *ptr;

	if (!n)
		return dmamap_pages_alloc(host, bytes, DMAMAP_PHYS_NONE, gfp, NULL);
	dmamap_lock(host, &h->heap_lock);
	ptr = take(host, n);
	dmamap_unlock(host, &h->heap_lock);
	if (!ptr) {
		fresh = dmamap_pages_alloc(host, host->page_size, DMAMAP_PHYS_NONE, gfp, NULL);
		if (!fresh)
			return NULL;
		fresh->free = ALL_FREE;
		dmamap_lock(host, &h->heap_lock);
		list_page(h, fresh);
		ptr = take(host, n);
		dmamap_unlock(host, &h->heap_lock);
	}
	memset(ptr, 0, n * line_bytes(host));
	return ptr;
}

void dmamap_heap_free(struct dma_host *host, void *ptr, uint64_t bytes)
{
	struct dmamap_host *h = dmamap_host(host);
	unsigned int n = lines_for(host, bytes);
	struct heap_page *empty;

	if (!ptr)
		return;
	if (!n) {
		dmamap_pages_free(host, ptr, bytes);
		return;
	}
	dmamap_lock(host, &h->heap_lock);
	empty = give(host, ptr, n);
	dmamap_unlock(host, &h->heap_lock);
	dmamap_pages_free(host, empty, host->page_size);
}
