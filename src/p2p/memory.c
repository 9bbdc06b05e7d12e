/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory that a function offers to its peers: pieces of its BARs, handed out by whole pages.
 *
 * Pieces lie in a list in the order of addresses; free neighbours that touch are one. Giving back never needs memory.
 */
#include "p2p.h"

/** The function with its pool locked; NULL if it provides nothing. */
static struct p2p_function *lock_pool(struct dma_host *host, int node)
{
	struct p2p_function *f = host && host->pci ? p2p_function(host->pci, node) : NULL;

	if (f)
		dmamap_lock(host, &p2p_private(host->pci)->lock);
	return f;
}

static void unlock_pool(struct dma_host *host)
{
	dmamap_unlock(host, &p2p_private(host->pci)->lock);
}

/** Put [@start, @start + @len), free, behind @before (NULL: first). False without memory. */
static bool insert(struct p2p_function *f, struct p2p_extent *before, phys_addr_t start,
		   uint64_t len)
{
	struct p2p_extent *e = dmamap_slab_alloc(&f->slab);
	struct p2p_extent **link = before ? &before->next : &f->extents;

	if (!e)
		return false;
	*e = (struct p2p_extent){ *link, start, len, false };
	*link = e;
	return true;
}

/** Join @e with what follows, if both are free and touch. */
static void join_next(struct p2p_function *f, struct p2p_extent *e)
{
	struct p2p_extent *next = e ? e->next : NULL;

	if (!next || e->used || next->used || e->start + e->len != next->start)
		return;
	e->len += next->len;
	e->next = next->next;
	dmamap_slab_free(&f->slab, next);
}

/* --- adding */

/** The whole pages of the part of a BAR that was asked for. */
static bool whole_pages(const struct dma_host *host, const struct dma_p2p_provider *bar,
			uint64_t size, uint64_t offset, phys_addr_t *start, uint64_t *len)
{
	phys_addr_t end;

	if (!bar->size || offset >= bar->size || size > bar->size - offset)
		return false;
	end = bar->base + offset + (size ? size : bar->size - offset);
	*start = round_up(bar->base + offset, host->page_size);
	*len = round_down(end, host->page_size) - *start;
	/* an end of 0 is 2^64; a start that was rounded past the end makes a huge length */
	return *len && *len <= bar->size;
}

static int add_extent(struct p2p_function *f, phys_addr_t start, uint64_t len)
{
	struct p2p_extent *before = NULL;
	struct p2p_extent *e;

	for (e = f->extents; e && e->start < start; e = e->next)
		before = e;
	if ((before && start - before->start < before->len) || (e && e->start - start < len))
		return -DMAMAP_EINVAL;
	if (!insert(f, before, start, len))
		return -DMAMAP_ENOMEM;
	f->bytes += len;
	f->available += len;
	return 0;
}

int dmamap_p2p_add_resource(struct dma_host *host, int node, unsigned int bar, uint64_t size,
			    uint64_t offset)
{
	int err = bar < DMA_PCI_BARS ? dmamap_p2p_init(host, node) : -DMAMAP_EINVAL;
	struct p2p_function *f;
	phys_addr_t start;
	uint64_t len;

	if (err)
		return err;
	f = p2p_function(host->pci, node);
	if (!whole_pages(host, &f->providers[bar], size, offset, &start, &len))
		return -DMAMAP_EINVAL;
	lock_pool(host, node);
	err = add_extent(f, start, len);
	unlock_pool(host);
	return err;
}

/* --- handing out and taking back */

static phys_addr_t take(struct p2p_function *f, uint64_t len)
{
	struct p2p_extent *e = f->extents;

	while (e && (e->used || e->len < len))
		e = e->next;
	if (!e || (e->len > len && !insert(f, e, e->start + len, e->len - len)))
		return DMAMAP_PHYS_NONE;
	e->len = len;
	e->used = true;
	f->available -= len;
	return e->start;
}

static uint64_t pages(const struct dma_host *host, uint64_t size)
{
	uint64_t len = round_up(size, host->page_size);

	return len < size ? 0 : len;
}

phys_addr_t dmamap_p2p_alloc(struct dma_host *host, int node, uint64_t size)
{
	struct p2p_function *f = lock_pool(host, node);
	phys_addr_t phys = DMAMAP_PHYS_NONE;

	if (!f)
		return phys;
	if (pages(host, size))
		phys = take(f, pages(host, size));
	unlock_pool(host);
	return phys;
}

static bool give_back(struct p2p_function *f, phys_addr_t phys, uint64_t len)
{
	struct p2p_extent *before = NULL;
	struct p2p_extent *e = f->extents;

	while (e && e->start != phys) {
		before = e;
		e = e->next;
	}
	if (!e || !e->used || e->len != len)
		return false;
	e->used = false;
	f->available += len;
	join_next(f, e);
	join_next(f, before);
	return true;
}

int dmamap_p2p_free(struct dma_host *host, int node, phys_addr_t phys, uint64_t size)
{
	struct p2p_function *f = lock_pool(host, node);
	bool ok = false;

	if (f) {
		ok = size && give_back(f, phys, pages(host, size));
		unlock_pool(host);
	}
	if (!ok && host)
		dmamap_warn(host, NULL, "free of peer-to-peer memory that was not allocated", NULL);
	return ok ? 0 : -DMAMAP_EINVAL;
}

int dmamap_p2p_alloc_sg(struct dma_host *host, int node, struct scatterlist *sg, unsigned int size)
{
	phys_addr_t phys;

	if (!sg || !size)
		return -DMAMAP_EINVAL;
	phys = dmamap_p2p_alloc(host, node, size);
	if (phys == DMAMAP_PHYS_NONE)
		return -DMAMAP_ENOMEM;
	sg_init_table(sg, 1);
	sg_set_phys(sg, phys, size);
	return 0;
}

int dmamap_p2p_free_sg(struct dma_host *host, int node, struct scatterlist *sg)
{
	return sg ? dmamap_p2p_free(host, node, sg_phys(sg), sg->length) : -DMAMAP_EINVAL;
}
