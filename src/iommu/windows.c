/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The windows of a domain: how they are made, found and given back. window.h tells what they are.
 *
 * A block of addresses becomes a window when a shard has none with room: taken from the address space, pinned in a
 * lowest table. It is given back when nothing lives in it: taken from its shard, unpinned, and after an invalidation
 * that prunes its addresses are as free as any. All of that is under the domain's lock.
 */
#include "domain.h"

/** Slots of the first index, as a power of two. */
#define INDEX_BITS 4u

/* --- life */

static uint64_t shards_bytes(const struct windows *ws)
{
	return ((uint64_t)ws->shard_mask + 1) * sizeof(struct shard *);
}

static struct shard *new_shard(const struct dma_domain *domain, uint32_t number, gfp_t gfp)
{
	struct shard *s = dmamap_heap_alloc(domain->host, sizeof(*s), gfp);

	if (s)
		dmamap_shard_init(s, number, domain->windows.shards);
	return s;
}

/** Contexts are numbered from 1: the first one's is the first. */
static bool init_shards(struct dma_domain *domain)
{
	struct windows *ws = &domain->windows;

	ws->shard_mask = host_shards(domain->host) - 1;
	ws->shards = dmamap_heap_alloc(domain->host, shards_bytes(ws), DMAMAP_GFP_KERNEL);
	ws->first = new_shard(domain, 1 & ws->shard_mask, DMAMAP_GFP_KERNEL);
	for (uint32_t i = 0; ws->shards && i <= ws->shard_mask; i++)
		ws->shards[i] = ws->first;
	return ws->first && ws->shards;
}

struct shard *dmamap_windows_shard(struct dma_domain *domain, uint32_t number)
{
	struct windows *ws = &domain->windows;
	struct shard *s = windows_shard(ws, number);
	struct shard *own;

	number &= ws->shard_mask;
	if (s->number == number)
		return s;
	own = new_shard(domain, number, DMAMAP_GFP_ATOMIC);
	if (!own)
		return s;
	own->next = ws->first->next;
	__atomic_store_n(&ws->first->next, own, __ATOMIC_RELEASE);
	__atomic_store_n(&ws->shards[number], own, __ATOMIC_RELEASE);
	return own;
}

static void free_shards(struct dma_domain *domain)
{
	struct windows *ws = &domain->windows;

	while (ws->first) {
		struct shard *s = ws->first;

		ws->first = s->next;
		dmamap_heap_free(domain->host, s->ends, sizeof(*s->ends));
		dmamap_heap_free(domain->host, s, sizeof(*s));
	}
	dmamap_heap_free(domain->host, ws->shards, shards_bytes(ws));
}

/** Does every entry of a leaf table take what a window writes? */
static bool has_leaves(const struct dma_backend *backend)
{
	const struct dma_backend_ops *ops = backend->ops;

	return ops->pin && ops->unpin && ops->leaf_bits && !backend->caps.unmap_is_invalidation;
}

/** Windows can be of leaves of 2^@size bytes. */
static void add_large(struct windows *ws, unsigned int size, unsigned int shift, uint64_t change)
{
	uint64_t leaf = (uint64_t)1 << size;
	uint32_t i = ws->larges++;

	ws->large[i] = (struct window_large){
		.scale = (uint8_t)(size - shift),
		.shift = (uint8_t)size,
		.bit = (uint8_t)(1u << i),
		.place = (uint16_t)shard_place(WINDOW_KIND_LARGE(i)),
		.tag = window_block_of(0, size - shift),
		.mask = leaf - 1,
		.most = leaf * WINDOW_RUN,
		.step = leaf >> ws->phys_shift,
		.change = change,
	};
}

/** Sizes of leaves of which windows can be: the smallest ones, which most mappings are of. */
static void find_large(struct dma_domain *domain)
{
	const struct dma_backend *backend = domain->backend;
	const unsigned int prot = DMA_PROT_READ | DMA_PROT_WRITE;
	struct windows *ws = &domain->windows;

	for (unsigned int size = domain->shift + 1; size < 58 && ws->larges < WINDOW_LARGE;
	     size++) {
		uint64_t leaf = (uint64_t)1 << size;
		uint64_t bits = backend->caps.page_sizes & leaf
					? backend->ops->leaf_bits(domain->backend, leaf, prot)
					: 0;

		if (bits)
			add_large(ws, size, domain->shift, bits ^ ws->bits[prot]);
	}
}

void dmamap_windows_set_width(struct dma_domain *domain)
{
	const struct dma_backend_caps *caps = &domain->backend->caps;
	struct windows *ws = &domain->windows;

	uint64_t last = caps->output_bits >= 64 ? ~(uint64_t)0 : DMA_BIT_MASK(caps->output_bits);

	/* who maps looks at any time, and once more behind the domain's lock if he had to wait for that */
	__atomic_store_n(&ws->last_phys, last, __ATOMIC_RELAXED);
	__atomic_store_n(&ws->hole, round_down(caps->hole_start, granule_size(domain)),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&ws->hole_end, caps->hole_is_target ? caps->hole_end + 1 : 0,
			 __ATOMIC_RELAXED);
}

/** What forget() is for backends without it. */
static void invalidate_and_wait(struct dma_backend *backend, dma_addr_t iova, uint64_t size)
{
	if (backend->ops->invalidate)
		backend->ops->invalidate(backend, iova, size, true);
	if (backend->ops->wait)
		backend->ops->wait(backend);
}

bool dmamap_windows_init(struct dma_domain *domain)
{
	const struct dma_backend *backend = domain->backend;
	const struct dma_backend_caps *caps = &backend->caps;
	struct windows *ws = &domain->windows;

	if (!has_leaves(backend))
		return true;
	if (!init_shards(domain))
		return false;
	for (unsigned int prot = 0; prot < sizeof(ws->bits) / sizeof(ws->bits[0]); prot++)
		if (prot & (DMA_PROT_READ | DMA_PROT_WRITE))
			ws->bits[prot] = backend->ops->leaf_bits(domain->backend,
								 granule_size(domain), prot);
	ws->phys_shift = caps->leaf_phys_shift;
	dmamap_windows_set_width(domain);
	find_large(domain);
	ws->forget = backend->ops->forget ? backend->ops->forget : invalidate_and_wait;
	ws->granule_mask = granule_size(domain) - 1;
	ws->run_bytes = granule_size(domain) * WINDOW_RUN;
	ws->timed = domain->host->time_ns && !domain->host->defer;
	ws->snoops = caps->coherent_walk;
	ws->sync = backend->ops->sync_map &&
		   (!caps->coherent_walk || caps->map_side_work || domain->host->write_barrier);
	return true;
}

static uint64_t index_bytes(unsigned int bits)
{
	return sizeof(struct window_index) + (sizeof(struct window *) << bits);
}

static void free_descriptor(struct dma_domain *domain, struct window *w)
{
	dmamap_heap_free(domain->host, w->ends, sizeof(*w->ends));
	dmamap_heap_free(domain->host, w->lazy, sizeof(*w->lazy));
	dmamap_heap_free(domain->host, w, sizeof(*w));
}

/** The newest index has every descriptor. */
static void free_indexes(struct dma_domain *domain)
{
	struct window_index *index = domain->windows.index;

	for (unsigned int i = 0; index && i < 1u << index->bits; i++)
		if (index->slot[i])
			free_descriptor(domain, index->slot[i]);
	while (index) {
		struct window_index *older = index->older;

		dmamap_heap_free(domain->host, index, index_bytes(index->bits));
		index = older;
	}
}

static void free_groups(struct dma_domain *domain)
{
	for (unsigned int limit = 0; limit < WINDOW_LIMITS; limit++) {
		struct window_group *g = domain->windows.groups[limit];

		while (g) {
			struct window_group *next = g->next;

			dmamap_heap_free(domain->host, g, sizeof(*g));
			g = next;
		}
	}
}

void dmamap_windows_fini(struct dma_domain *domain)
{
	free_indexes(domain);
	free_groups(domain);
	free_shards(domain);
}

/* --- descriptors and the index */

static void index_put(struct window_index *index, struct window *w)
{
	unsigned int i = window_slot_of(w->block, index->bits);

	while (index->slot[i])
		i = (i + 1) & ((1u << index->bits) - 1);
	index->used++;
	__atomic_store_n(&index->slot[i], w, __ATOMIC_RELEASE);
}

/** An index with one more window has to grow: every eighth slot stays empty, so that searches are short. */
static bool index_is_full(const struct window_index *index)
{
	return !index || index->used >= 7u << (index->bits - 3);
}

/** Each next index has twice the slots. */
static bool grow_index(struct dma_domain *domain)
{
	struct window_index *old = domain->windows.index;
	unsigned int bits = old ? old->bits + 1 : INDEX_BITS;
	struct window_index *index =
		dmamap_heap_alloc(domain->host, index_bytes(bits), DMAMAP_GFP_ATOMIC);

	if (!index)
		return false;
	index->bits = bits;
	index->older = old;
	for (unsigned int i = 0; old && i < 1u << old->bits; i++)
		if (old->slot[i])
			index_put(index, old->slot[i]);
	__atomic_store_n(&domain->windows.index, index, __ATOMIC_RELEASE);
	return true;
}

/** The descriptor of a block (window_block()): the one that it had, or a new one. */
static struct window *descriptor(struct dma_domain *domain, uint64_t block)
{
	const struct window_index *index = domain->windows.index;
	struct window *w = window_of_block(&domain->windows.index, block);

	if (w)
		return w;
	if (index_is_full(index) && !grow_index(domain))
		return NULL;
	w = dmamap_heap_alloc(domain->host, sizeof(*w), DMAMAP_GFP_ATOMIC);
	if (!w)
		return NULL;
	w->block = block;
	index_put(domain->windows.index, w);
	return w;
}

/* --- blocks of addresses */

#define GROUP_BLOCKS 8u
#define GROUP_ALL    ((1u << GROUP_BLOCKS) - 1)

static uint64_t block_bytes(const struct dma_domain *domain)
{
	return (uint64_t)WINDOW_GRANULES << domain->shift;
}

static struct window_group *new_group(struct dma_domain *domain, unsigned int limit)
{
	struct windows *ws = &domain->windows;
	uint64_t bytes = GROUP_BLOCKS * block_bytes(domain);
	struct window_group *g = dmamap_heap_alloc(domain->host, sizeof(*g), DMAMAP_GFP_ATOMIC);
	dma_addr_t iova;

	if (!g)
		return NULL;
	if (dmamap_domain_try_alloc(domain, bytes, ws->limit[limit], &iova) != IOVA_OK) {
		dmamap_heap_free(domain->host, g, sizeof(*g));
		return NULL;
	}
	g->first = iova / block_bytes(domain);
	g->next = ws->groups[limit];
	ws->groups[limit] = g;
	ws->grouped += GROUP_BLOCKS;
	return g;
}

static struct window_group **find_group(struct windows *ws, unsigned int limit, uint64_t block)
{
	struct window_group **link = &ws->groups[limit];

	while (*link && block - (*link)->first >= GROUP_BLOCKS)
		link = &(*link)->next;
	return link;
}

/** A block alone, of leaves of 2^@scale granules. */
static bool take_alone(struct dma_domain *domain, uint64_t limit, unsigned int scale,
		       uint64_t *block)
{
	dma_addr_t iova;

	if (dmamap_domain_try_alloc(domain, block_bytes(domain) << scale, limit, &iova) != IOVA_OK)
		return false;
	domain->windows.grouped += (uint64_t)1 << scale;
	*block = window_block(iova >> domain->shift, scale);
	return true;
}

/** The highest block of a group with room, else of a new group, else one alone. False: there is none. */
static bool take_block(struct dma_domain *domain, unsigned int kind, uint64_t *block)
{
	struct windows *ws = &domain->windows;
	struct window_group *g;

	if (kind >= WINDOW_LIMITS) {
		const struct window_large *large = windows_large(ws, kind);

		return large && take_alone(domain, large->limit, large->scale, block);
	}
	g = ws->groups[kind];
	while (g && (g->taken | g->gone) == GROUP_ALL)
		g = g->next;
	if (!g)
		g = new_group(domain, kind);
	if (g) {
		unsigned int i = high_bit(GROUP_ALL & ~(g->taken | g->gone));

		g->taken |= 1u << i;
		*block = g->first + i;
		return true;
	}
	return take_alone(domain, ws->limit[kind], 0, block);
}

/** The blocks of @g that are no windows go back to the address space, if it has memory to tell them from the others. */
static void shrink_group(struct dma_domain *domain, struct window_group *g)
{
	for (unsigned int i = 0; i < GROUP_BLOCKS; i++) {
		if ((g->taken | g->gone) >> i & 1 ||
		    !dmamap_space_free(domain->iova, (g->first + i) * WINDOW_GRANULES,
				       WINDOW_GRANULES))
			continue;
		g->gone |= 1u << i;
		domain->windows.grouped--;
	}
}

void dmamap_windows_shrink_groups(struct dma_domain *domain)
{
	for (unsigned int limit = 0; limit < WINDOW_LIMITS; limit++)
		for (struct window_group *g = domain->windows.groups[limit]; g; g = g->next)
			shrink_group(domain, g);
}

/** That needs no memory: the space keeps the nodes above what is taken. */
static void end_group(struct dma_domain *domain, struct window_group **link)
{
	struct windows *ws = &domain->windows;
	struct window_group *g = *link;

	if (g->gone) {
		shrink_group(domain, g);
	} else {
		dmamap_space_free(domain->iova, g->first * WINDOW_GRANULES,
				  (uint64_t)GROUP_BLOCKS * WINDOW_GRANULES);
		ws->grouped -= GROUP_BLOCKS;
	}
	*link = g->next;
	dmamap_heap_free(domain->host, g, sizeof(*g));
}

static void give_block(struct dma_domain *domain, const struct window *w)
{
	struct windows *ws = &domain->windows;
	struct window_group *none = NULL;
	struct window_group **link = w->scale ? &none : find_group(ws, w->kind, w->block);

	if (!*link) {
		dmamap_space_free(domain->iova, window_first(w),
				  (uint64_t)WINDOW_GRANULES << w->scale);
		ws->grouped -= (uint64_t)1 << w->scale;
		return;
	}
	(*link)->taken &= ~(1u << (w->block - (*link)->first));
	if (!(*link)->taken)
		end_group(domain, link);
}

/* --- coming */

static bool prepare_lazy(struct dma_domain *domain, struct window *w)
{
	struct window_lazy *lazy;

	if (domain->lazy && !dmamap_policy_need_queue(domain))
		return false;
	if (!domain->queue || w->lazy)
		return true;
	lazy = dmamap_heap_alloc(domain->host, sizeof(*lazy), DMAMAP_GFP_ATOMIC);
	if (!lazy)
		return false;
	lazy->window = w;
	__atomic_store_n(&w->lazy, lazy, __ATOMIC_RELEASE);
	return true;
}

bool dmamap_windows_make_lazy(struct dma_domain *domain)
{
	const struct window_index *index = domain->windows.index;

	for (unsigned int i = 0; index && i < 1u << index->bits; i++) {
		struct window *w = index->slot[i];

		if (w && w->live && !prepare_lazy(domain, w))
			return false;
	}
	return true;
}

static bool prepare(struct dma_domain *domain, struct window *w)
{
	struct dma_backend *backend = domain->backend;
	struct dma_leaf_block leaf;

	if (!prepare_lazy(domain, w) || backend->ops->pin(backend, window_first(w) << domain->shift,
							  window_leaf(domain, w), &leaf))
		return false;
	w->entries = leaf.entries;
	for (unsigned int i = 0; i < WINDOW_WORDS; i++)
		w->word[i].free = ~(uint64_t)0;
	return true;
}

/** Others read it at any time. */
static void count_live(struct windows *ws, uint64_t more)
{
	__atomic_store_n(&ws->live, ws->live + more, __ATOMIC_RELAXED);
}

/** A block that was taken, with a descriptor, or NULL and it is not. */
static struct window *new_window(struct dma_domain *domain, unsigned int kind)
{
	const struct window_large *large = windows_large(&domain->windows, kind);
	struct window fallback = { .kind = (uint8_t)kind, .scale = large ? large->scale : 0 };
	struct window *w;

	if (!take_block(domain, kind, &fallback.block))
		return NULL;
	w = descriptor(domain, fallback.block);
	if (!w) {
		give_block(domain, &fallback);
		return NULL;
	}
	w->kind = fallback.kind;
	w->scale = fallback.scale;
	return w;
}

bool dmamap_windows_add(struct dma_domain *domain, struct shard *s, unsigned int kind)
{
	struct window *w = new_window(domain, kind);

	if (!w)
		return false;
	if (!prepare(domain, w)) {
		give_block(domain, w);
		return false;
	}
	count_live(&domain->windows, 1);
	dmamap_domain_note_peaks(domain);
	dmamap_shard_lock(s);
	__atomic_store_n(&w->shard, (uint8_t)s->number, __ATOMIC_RELEASE);
	__atomic_store_n(&w->live, true, __ATOMIC_RELEASE);
	dmamap_shard_add(s, w);
	shard_unlock(s);
	return true;
}

/* --- going */

static void unpin(struct dma_domain *domain, struct window *w)
{
	domain->backend->ops->unpin(domain->backend, window_first(w) << domain->shift,
				    window_leaf(domain, w));
	count_live(&domain->windows, ~(uint64_t)0);
}

void dmamap_windows_detach(struct dma_domain *domain, struct shard *s, bool all,
			   struct window **idle)
{
	struct window *before = *idle;

	dmamap_shard_lock(s);
	dmamap_shard_drop_idle(s, all, idle);
	shard_unlock(s);
	for (struct window *w = *idle; w != before; w = w->next)
		unpin(domain, w);
}

bool dmamap_windows_detach_pending(struct dma_domain *domain, struct window *w, bool all,
				   struct window **idle)
{
	struct shard *s = windows_shard(&domain->windows, w->shard);
	bool gone;

	dmamap_shard_lock(s);
	gone = all && dmamap_shard_drop_pending(s, w);
	shard_unlock(s);
	if (!gone)
		return false;
	unpin(domain, w);
	w->next = *idle;
	*idle = w;
	return true;
}

void dmamap_windows_release(struct dma_domain *domain, struct window *idle)
{
	while (idle) {
		struct window *next = idle->next;

		give_block(domain, idle);
		idle = next;
	}
}
