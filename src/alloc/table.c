/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists that the library allocates: single pages, chained, so that a list of any length needs no contiguous memory. A
 * page has a head, which links it to the next and gives the owner a few words; elements fill the rest, the last of
 * which is kept for the chain.
 */
#include "alloc.h"

struct list_page {
	struct list_page *next;
	struct dma_host *host;
	unsigned char owner[DMAMAP_TABLE_OWNER];
	struct scatterlist sg[];
};

_Static_assert(sizeof(struct list_page) + 3 * sizeof(struct scatterlist) <= DMAMAP_PAGE_SIZE,
	       "a page has room for elements");

static struct list_page *page_of(struct scatterlist *sg, const struct dma_host *host)
{
	return (struct list_page *)((uintptr_t)sg & ~(uintptr_t)(host->page_size - 1));
}

static struct list_page *new_page(struct dmamap_table *table)
{
	struct dma_host *host = table->host;
	struct list_page *page =
		dmamap_pages_alloc(host, host->page_size, ~(phys_addr_t)0, DMAMAP_GFP_ATOMIC, NULL);

	if (!page)
		return NULL;
	page->host = host;
	table->room = (unsigned int)((host->page_size - sizeof(*page)) / sizeof(page->sg[0])) - 1;
	return page;
}

bool dmamap_table_init(struct dmamap_table *table, struct dma_host *host)
{
	struct list_page *page;

	*table = (struct dmamap_table){ .host = host };
	page = new_page(table);
	if (page)
		table->first = page->sg;
	return page != NULL;
}

/** The next element; NULL without memory. */
static struct scatterlist *next_element(struct dmamap_table *table)
{
	struct list_page *page;

	if (!table->last)
		return table->first;
	if (table->room)
		return table->last + 1;
	page = new_page(table);
	if (!page)
		return NULL;
	page_of(table->last, table->host)->next = page;
	sg_chain(table->last + 1, 1, page->sg);
	return page->sg;
}

bool dmamap_table_add(struct dmamap_table *table, phys_addr_t phys, unsigned int len)
{
	struct scatterlist *sg = next_element(table);

	if (!sg)
		return false;
	if (table->last)
		table->last->page_link &= ~DMAMAP_SG_END;
	sg_set_phys(sg, phys, len);
	sg->page_link |= DMAMAP_SG_END;
	table->last = sg;
	table->nents++;
	table->room--;
	return true;
}

void *dmamap_table_owner(struct scatterlist *sgl, struct dma_host *host)
{
	return page_of(sgl, host)->owner;
}

void dmamap_table_free(struct scatterlist *sgl, struct dma_host *host)
{
	struct list_page *page = page_of(sgl, host);

	while (page) {
		struct list_page *next = page->next;

		dmamap_pages_free(host, page, host->page_size);
		page = next;
	}
}

void dmamap_sg_free_table(struct sg_table *sgt)
{
	struct list_page *page;

	if (!sgt || !sgt->sgl)
		return;
	/* the list begins right behind its head */
	page = (struct list_page *)((uintptr_t)sgt->sgl - offsetof(struct list_page, sg));
	dmamap_table_free(sgt->sgl, page->host);
	*sgt = (struct sg_table){ NULL, 0, 0 };
}
