/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The windows of a domain: how they are made, found and given back. window.h tells what they are.
 *
 * A block of addresses becomes a window when a shard has none with room: taken from the address space, pinned in a
 * lowest table. It is given back when nothing lives in it: taken from its shard, unpinned, and after an invalidation
 * that prunes its addresses are as free as any. All of that is under the domain's lock.
 */
#include "domain.h"

/** Shards where the host does not say how many CPUs there are, and at the most. */
#define SHARDS_DEFAULT 8u
#define SHARDS_MAX     32u

/* --- life */

static unsigned int shards_wanted(const struct dma_host *host)
{
	unsigned int cpus = host->cpu_id && host->cpu_count ? host->cpu_count : SHARDS_DEFAULT;

	return cpus >= SHARDS_MAX ? SHARDS_MAX : 1u << ceil_log2(cpus);
}

static uint64_t shards_bytes(const struct dma_domain *domain)
{
	return ((uint64_t)domain->windows.shard_mask + 1) * sizeof(struct shard);
}

/** Does every entry of a leaf table take what a window writes? */
static bool has_leaves(const struct dma_backend *backend)
{
	const struct dma_backend_ops *ops = backend->ops;

	return ops->pin && ops->unpin && ops->leaf_bits && !backend->caps.unmap_is_invalidation;
}

bool dmamap_windows_init(struct dma_domain *domain)
{
	const struct dma_backend *backend = domain->backend;
	const struct dma_backend_caps *caps = &backend->caps;
	struct windows *ws = &domain->windows;

	if (!has_leaves(backend))
		return true;
	ws->shard_mask = shards_wanted(domain->host) - 1;
	ws->shards = dmamap_pages_alloc(domain->host, shards_bytes(domain), DMAMAP_PHYS_NONE,
					DMAMAP_GFP_KERNEL, NULL);
	if (!ws->shards)
		return false;
	for (uint32_t i = 0; i <= ws->shard_mask; i++)
		ws->shards[i].number = i;
	for (unsigned int prot = 0; prot < sizeof(ws->bits) / sizeof(ws->bits[0]); prot++)
		if (prot & (DMA_PROT_READ | DMA_PROT_WRITE))
			ws->bits[prot] = backend->ops->leaf_bits(domain->backend, prot);
	ws->phys_shift = caps->leaf_phys_shift;
	ws->last_phys = caps->output_bits >= 64 ? ~(uint64_t)0 : DMA_BIT_MASK(caps->output_bits);
	ws->snoops = caps->coherent_walk;
	ws->sync = backend->ops->sync_map &&
		   (!caps->coherent_walk || caps->map_side_work || domain->host->write_barrier);
	dmamap_slab_init(&ws->parts, domain->host, sizeof(union window_part));
	return true;
}

static void free_chunks(struct dma_domain *domain)
{
	void *chunk = domain->windows.chunks;

	while (chunk) {
		void *next = *(void **)chunk;

		dmamap_pages_free(domain->host, chunk, domain->host->page_size);
		chunk = next;
	}
}

static uint64_t index_bytes(unsigned int bits)
{
	return sizeof(struct window_index) + (sizeof(struct window *) << bits);
}

static void free_indexes(struct dma_domain *domain)
{
	struct window_index *index = domain->windows.index;

	while (index) {
		struct window_index *older = index->older;

		dmamap_pages_free(domain->host, index, index_bytes(index->bits));
		index = older;
	}
}

void dmamap_windows_fini(struct dma_domain *domain)
{
	struct windows *ws = &domain->windows;

	if (!ws->shards)
		return;
	free_indexes(domain);
	free_chunks(domain);
	dmamap_slab_fini(&ws->parts);
	dmamap_pages_free(domain->host, ws->shards, shards_bytes(domain));
}

/* --- descriptors and the index */

/** Descriptors begin at the second cache line of a page. */
#define CHUNK_HEAD 64u

static struct window *new_descriptor(struct dma_domain *domain)
{
	struct windows *ws = &domain->windows;
	uint64_t page = domain->host->page_size;
	struct window *w;

	if (!ws->chunks || ws->chunk_used + sizeof(*w) > page) {
		void *chunk = dmamap_pages_alloc(domain->host, page, DMAMAP_PHYS_NONE,
						 DMAMAP_GFP_ATOMIC, NULL);

		if (!chunk)
			return NULL;
		*(void **)chunk = ws->chunks;
		ws->chunks = chunk;
		ws->chunk_used = CHUNK_HEAD;
	}
	w = (struct window *)(void *)((char *)ws->chunks + ws->chunk_used);
	ws->chunk_used += (uint32_t)sizeof(*w);
	return w;
}

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

/** The first index fills half a page; each next one has twice the slots. */
static bool grow_index(struct dma_domain *domain)
{
	struct window_index *old = domain->windows.index;
	unsigned int bits = old ? old->bits + 1 : 8;
	struct window_index *index = dmamap_pages_alloc(domain->host, index_bytes(bits),
							DMAMAP_PHYS_NONE, DMAMAP_GFP_ATOMIC, NULL);

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

/** The descriptor of a block: the one that it had, or a new one. */
static struct window *descriptor(struct dma_domain *domain, uint64_t block)
{
	const struct window_index *index = domain->windows.index;
	struct window *w = window_find(&domain->windows.index, block * WINDOW_GRANULES);

	if (w)
		return w;
	if (index_is_full(index) && !grow_index(domain))
		return NULL;
	w = new_descriptor(domain);
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
	struct window_group *g = dmamap_slab_alloc(&ws->parts);
	dma_addr_t iova;

	if (!g)
		return NULL;
	if (dmamap_domain_try_alloc(domain, bytes, ws->limit[limit], &iova) != IOVA_OK) {
		dmamap_slab_free(&ws->parts, g);
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

/** The highest block of a group with room, else of a new group, else one alone. False: there is none. */
static bool take_block(struct dma_domain *domain, unsigned int limit, uint64_t *block)
{
	struct windows *ws = &domain->windows;
	struct window_group *g = ws->groups[limit];
	dma_addr_t iova;

	while (g && (g->taken | g->gone) == GROUP_ALL)
		g = g->next;
	if (!g)
		g = new_group(domain, limit);
	if (g) {
		unsigned int i = high_bit(GROUP_ALL & ~(g->taken | g->gone));

		g->taken |= 1u << i;
		*block = g->first + i;
		return true;
	}
	if (dmamap_domain_try_alloc(domain, block_bytes(domain), ws->limit[limit], &iova) !=
	    IOVA_OK)
		return false;
	ws->grouped++;
	*block = iova / block_bytes(domain);
	return true;
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

static void shrink_groups(struct dma_domain *domain)
{
	for (unsigned int limit = 0; limit < WINDOW_LIMITS; limit++)
		for (struct window_group *g = domain->windows.groups[limit]; g; g = g->next)
			shrink_group(domain, g);
}

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
	dmamap_slab_free(&ws->parts, g);
}

static void give_block(struct dma_domain *domain, unsigned int limit, uint64_t block)
{
	struct window_group **link = find_group(&domain->windows, limit, block);

	if (!*link) {
		dmamap_space_free(domain->iova, block * WINDOW_GRANULES, WINDOW_GRANULES);
		domain->windows.grouped--;
		return;
	}
	(*link)->taken &= ~(1u << (block - (*link)->first));
	if (!(*link)->taken)
		end_group(domain, link);
}

/* --- coming */

static bool prepare_lazy(struct dma_domain *domain, struct window *w)
{
	struct window_lazy *lazy;

	if (!domain->queue || w->lazy)
		return true;
	lazy = dmamap_slab_alloc(&domain->windows.parts);
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

static struct window *prepare(struct dma_domain *domain, uint64_t block)
{
	struct dma_backend *backend = domain->backend;
	struct window *w = descriptor(domain, block);
	struct dma_leaf_block leaf;

	if (!w || !prepare_lazy(domain, w) ||
	    backend->ops->pin(backend, window_first(w) << domain->shift, &leaf))
		return NULL;
	w->entries = leaf.entries;
	for (unsigned int i = 0; i < WINDOW_WORDS; i++)
		w->free[i] = ~(uint64_t)0;
	return w;
}

bool dmamap_windows_add(struct dma_domain *domain, struct shard *s, unsigned int limit)
{
	struct window *w;
	uint64_t block;

	if (!take_block(domain, limit, &block))
		return false;
	w = prepare(domain, block);
	if (!w) {
		give_block(domain, limit, block);
		return false;
	}
	domain->windows.live++;
	dmamap_domain_note_peaks(domain);
	dmamap_shard_lock(s);
	w->limit = (uint8_t)limit;
	__atomic_store_n(&w->shard, s, __ATOMIC_RELEASE);
	__atomic_store_n(&w->live, true, __ATOMIC_RELEASE);
	dmamap_shard_add(s, w);
	shard_unlock(s);
	return true;
}

/* --- going */

static void unpin(struct dma_domain *domain, struct window *w)
{
	domain->backend->ops->unpin(domain->backend, window_first(w) << domain->shift);
	domain->windows.live--;
}

void dmamap_windows_detach(struct dma_domain *domain, bool all, struct window **idle)
{
	struct windows *ws = &domain->windows;
	struct window *before = *idle;

	for (unsigned int i = 0; ws->shards && i <= ws->shard_mask; i++) {
		dmamap_shard_lock(&ws->shards[i]);
		dmamap_shard_drop_idle(&ws->shards[i], all, idle);
		shard_unlock(&ws->shards[i]);
	}
	for (struct window *w = *idle; w != before; w = w->next)
		unpin(domain, w);
	__atomic_store_n(&ws->emptied, 0, __ATOMIC_RELAXED);
}

bool dmamap_windows_detach_pending(struct dma_domain *domain, struct window *w, bool all,
				   struct window **idle)
{
	struct shard *s = w->shard;
	bool gone;

	dmamap_shard_lock(s);
	gone = (all || !w->current) && dmamap_shard_drop_pending(s, w);
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

		give_block(domain, idle->limit, idle->block);
		idle = next;
	}
}

/* --- reserving what lies in windows */

/** The part of [granule, granule + n) in word @i of @w. */
static uint64_t part_of_word(const struct window *w, unsigned int i, uint64_t granule, uint64_t n)
{
	uint64_t first = window_first(w) + (uint64_t)i * 64;
	uint64_t lo = granule > first ? granule : first;
	uint64_t hi = min_u64(granule + n, first + 64);

	return lo < hi ? iova_word_mask(lo - first, hi - first - 1) : 0;
}

/** Take the part of the range that lies in @w out of it. False: not all of it is free, and nothing happened. */
static bool reserve_in(struct window *w, uint64_t granule, uint64_t n)
{
	struct shard *s = w->shard;
	bool free = true;

	dmamap_shard_lock(s);
	for (unsigned int i = 0; i < WINDOW_WORDS; i++) {
		shard_count(s, 0, window_collect(w, i));
		free = free && !(part_of_word(w, i, granule, n) & ~w->free[i]);
	}
	for (unsigned int i = 0; free && i < WINDOW_WORDS; i++)
		w->free[i] &= ~part_of_word(w, i, granule, n);
	shard_unlock(s);
	return free;
}

static void unreserve_in(struct window *w, uint64_t granule, uint64_t n)
{
	struct shard *s = w->shard;

	dmamap_shard_lock(s);
	for (unsigned int i = 0; i < WINDOW_WORDS; i++)
		w->free[i] |= part_of_word(w, i, granule, n);
	shard_unlock(s);
}

/** The first window that ends behind @granule; NULL: there is none. */
static struct window *next_window(const struct dma_domain *domain, uint64_t granule)
{
	const struct window_index *index = domain->windows.index;
	struct window *best = NULL;

	for (unsigned int i = 0; index && i < 1u << index->bits; i++) {
		struct window *w = index->slot[i];

		if (w && w->live && window_first(w) + WINDOW_GRANULES > granule &&
		    (!best || w->block < best->block))
			best = w;
	}
	return best;
}

/** The range up to the next border of a window, and the window that it lies in, or NULL. */
static uint64_t piece_at(const struct dma_domain *domain, uint64_t at, uint64_t end,
			 struct window **w)
{
	*w = next_window(domain, at);
	if (*w && window_first(*w) <= at)
		return min_u64(end, window_first(*w) + WINDOW_GRANULES);
	if (*w)
		end = min_u64(end, window_first(*w));
	*w = NULL;
	return end;
}

static void give_back_reserved(struct dma_domain *domain, uint64_t at, uint64_t end)
{
	while (at < end) {
		struct window *w;
		uint64_t next = piece_at(domain, at, end, &w);

		if (w)
			unreserve_in(w, at, next - at);
		else
			dmamap_space_free(domain->iova, at, next - at);
		at = next;
	}
}

enum dmamap_iova_result dmamap_windows_reserve(struct dma_domain *domain, uint64_t granule,
					       uint64_t n)
{
	enum dmamap_iova_result result = IOVA_OK;
	uint64_t at = granule;

	shrink_groups(domain);
	while (at < granule + n) {
		struct window *w;
		uint64_t next = piece_at(domain, at, granule + n, &w);

		if (w)
			result = reserve_in(w, at, next - at) ? IOVA_OK : IOVA_FULL;
		else
			result = dmamap_space_reserve(domain->iova, at, next - at);
		if (result != IOVA_OK) {
			give_back_reserved(domain, granule, at);
			break;
		}
		at = next;
	}
	return result;
}

/* --- figures */

uint64_t dmamap_windows_used(const struct dma_domain *domain)
{
	const struct windows *ws = &domain->windows;
	uint64_t used = 0;

	for (unsigned int i = 0; ws->shards && i <= ws->shard_mask; i++)
		used += __atomic_load_n(&ws->shards[i].used, __ATOMIC_RELAXED);
	for (unsigned int i = 0; ws->index && i < 1u << ws->index->bits; i++) {
		const struct window *w = ws->index->slot[i];

		for (unsigned int k = 0; w && k < WINDOW_WORDS; k++)
			used -= count_bits(__atomic_load_n(&w->returned[k], __ATOMIC_RELAXED));
	}
	return used;
}

uint64_t dmamap_windows_peak(const struct dma_domain *domain)
{
	const struct windows *ws = &domain->windows;
	uint64_t peak = 0;

	for (unsigned int i = 0; ws->shards && i <= ws->shard_mask; i++)
		peak += __atomic_load_n(&ws->shards[i].peak, __ATOMIC_RELAXED);
	return peak;
}

uint32_t dmamap_windows_waiting(const struct dma_domain *domain)
{
	const struct windows *ws = &domain->windows;
	uint32_t waiting = 0;

	for (unsigned int i = 0; ws->shards && i <= ws->shard_mask; i++)
		waiting += __atomic_load_n(&ws->shards[i].waiting, __ATOMIC_RELAXED);
	return waiting;
}

uint64_t dmamap_windows_invalidations(const struct dma_domain *domain)
{
	const struct windows *ws = &domain->windows;
	uint64_t n = 0;

	for (unsigned int i = 0; ws->shards && i <= ws->shard_mask; i++)
		n += __atomic_load_n(&ws->shards[i].invalidations, __ATOMIC_RELAXED);
	return n;
}
