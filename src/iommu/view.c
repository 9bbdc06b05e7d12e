/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What devices reach through a domain, for rooms that look at domains from outside: leaves, what is kept out of the
 * address space, what was unmapped and may be cached still. Nothing here changes anything.
 */
#include "regions.h"

static int next_leaf(struct dma_domain *domain, dma_addr_t iova, struct dma_leaf *leaf)
{
	const struct dma_backend_ops *ops = domain->backend->ops;
	int err;

	if (!ops->next_leaf)
		return -DMAMAP_EOPNOTSUPP;
	domain_lock(domain);
	err = ops->next_leaf(domain->backend, iova, leaf);
	domain_unlock(domain);
	return err;
}

static bool is_reserved(struct dma_domain *domain, dma_addr_t iova, phys_addr_t phys)
{
	bool leads;

	domain_lock(domain);
	leads = dmamap_regions_lead(domain, iova, phys);
	domain_unlock(domain);
	return leads;
}

/* --- waiting: ranges are counted, and those for which there is room are written */

struct waiting {
	const struct dma_domain *domain;
	struct dmamap_io_range *ranges;
	uint64_t max;
	uint64_t n;
};

static void add(struct waiting *w, uint64_t granule, uint64_t granules)
{
	dma_addr_t first = granule << w->domain->shift;

	if (w->n < w->max)
		w->ranges[w->n] =
			(struct dmamap_io_range){ first,
						  first + (granules << w->domain->shift) - 1 };
	w->n++;
}

/** The runs of bits that are set, each for 2^@scale granules. */
static void add_word(struct waiting *w, uint64_t granule, unsigned int scale, uint64_t bits)
{
	while (bits) {
		unsigned int at = low_bit(bits);
		uint64_t rest = ~(bits >> at);
		unsigned int n = rest ? low_bit(rest) : 64;

		add(w, granule + ((uint64_t)at << scale), (uint64_t)n << scale);
		bits = at + n < 64 ? bits >> (at + n) << (at + n) : 0;
	}
}

static void add_shard(struct waiting *w, const struct shard *s)
{
	for (const struct window_lazy *l = __atomic_load_n(&s->pending, __ATOMIC_ACQUIRE); l;
	     l = l->next)
		for (unsigned int i = 0; i < WINDOW_WORDS; i++)
			add_word(w, window_granule(l->window, i * 64), l->window->scale,
				 __atomic_load_n(&l->pending[i], __ATOMIC_RELAXED));
}

static uint64_t waiting(struct dma_domain *domain, struct dmamap_io_range *ranges, uint64_t max)
{
	struct waiting w = { domain, ranges, max, 0 };

	domain_lock(domain);
	for (uint32_t i = 0; i < domain->queued; i++)
		add(&w, domain->queue[i].granule, domain->queue[i].granules);
	for (struct shard *s = domain->windows.first; s; s = windows_next(s))
		add_shard(&w, s);
	domain_unlock(domain);
	return w.n;
}

const struct dmamap_domain_view dmamap_domain_view = {
	.next_leaf = next_leaf,
	.is_reserved = is_reserved,
	.waiting = waiting,
};
