/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live mappings, found by what the trace called them.
 *
 * Several live mappings of one device may have one address (a page that is mapped many times for reading), so a key
 * leads to a queue, oldest first. There are two kinds of keys: the addresses of a list; and, for everything, the block
 * in which a mapping starts; of a list, each of its DMA elements. Blocks are as large as the mapping, rounded up to a
 * power of two: an address inside of a mapping is then in the block where it starts or in the next one, so that syncs of
 * a part find it without a search.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

/* Tells the keys of lists from those of blocks, which have 0 to 64 here. */
#define KEY_LIST 255u

struct live_key {
	const struct replay_device *device;
	uint64_t value;
	unsigned int what;
};

struct live_bucket {
	struct live_bucket *next;
	struct live_key key;
	struct live_link *first;
	struct live_link *last;
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0xff51afd7ed558ccdull;
	return h ^ (h >> 32);
}

static uint64_t hash_key(const struct live_key *key)
{
	return mix(mix(mix(key->what, (uint64_t)(uintptr_t)key->device), key->value), 0);
}

static bool same_key(const struct live_key *a, const struct live_key *b)
{
	return a->device == b->device && a->value == b->value && a->what == b->what;
}

int live_index_init(struct live_index *index)
{
	memset(index, 0, sizeof(*index));
	index->mask = 4095;
	index->heads = calloc(index->mask + 1, sizeof(struct live_bucket *));
	return index->heads ? 0 : -ENOMEM;
}

static void free_chain(struct live_bucket *bucket)
{
	while (bucket) {
		struct live_bucket *next = bucket->next;

		free(bucket);
		bucket = next;
	}
}

void live_index_free(struct live_index *index)
{
	for (size_t i = 0; index->heads && i <= index->mask; i++)
		free_chain(index->heads[i]);
	free_chain(index->spare);
	free(index->heads);
	memset(index, 0, sizeof(*index));
}

/* Twice as many heads; without memory for them chains only get longer. */
static void grow(struct live_index *index)
{
	size_t mask = index->mask * 2 + 1;
	struct live_bucket **heads = calloc(mask + 1, sizeof(struct live_bucket *));

	if (!heads)
		return;
	for (size_t i = 0; i <= index->mask; i++) {
		for (struct live_bucket *b = index->heads[i], *next; b; b = next) {
			size_t at = hash_key(&b->key) & mask;

			next = b->next;
			b->next = heads[at];
			heads[at] = b;
		}
	}
	free(index->heads);
	index->heads = heads;
	index->mask = mask;
}

static struct live_bucket **seek(struct live_index *index, const struct live_key *key)
{
	struct live_bucket **at = &index->heads[hash_key(key) & index->mask];

	while (*at && !same_key(&(*at)->key, key))
		at = &(*at)->next;
	return at;
}

static struct live_bucket *bucket_for(struct live_index *index, const struct live_key *key)
{
	struct live_bucket **at = seek(index, key), *bucket = *at;

	if (bucket)
		return bucket;
	if (index->n > index->mask) {
		grow(index);
		at = seek(index, key);
	}
	bucket = index->spare;
	if (bucket)
		index->spare = bucket->next;
	else
		bucket = malloc(sizeof(*bucket));
	if (!bucket)
		return NULL;
	*bucket = (struct live_bucket){ .key = *key };
	*at = bucket;
	index->n++;
	return bucket;
}

static int link_in(struct live_index *index, struct live_link *link, struct live *live,
		   const struct live_key *key)
{
	struct live_bucket *bucket = bucket_for(index, key);

	if (!bucket)
		return -ENOMEM;
	link->live = live;
	link->prev = bucket->last;
	link->next = NULL;
	link->bucket = bucket;
	if (bucket->last)
		bucket->last->next = link;
	else
		bucket->first = link;
	bucket->last = link;
	return 0;
}

static void link_out(struct live_index *index, struct live_link *link)
{
	struct live_bucket *bucket = link->bucket, **at;

	if (!bucket)
		return;
	*(link->prev ? &link->prev->next : &bucket->first) = link->next;
	*(link->next ? &link->next->prev : &bucket->last) = link->prev;
	link->bucket = NULL;
	if (bucket->first)
		return;
	at = seek(index, &bucket->key);
	*at = bucket->next;
	bucket->next = index->spare;
	index->spare = bucket;
	index->n--;
}

/* The least k with size <= 2^k. */
static unsigned int size_class(uint64_t size)
{
	return size <= 1 ? 0 : 64 - (unsigned int)__builtin_clzll(size - 1);
}

static uint64_t block_of(dma_addr_t addr, unsigned int k)
{
	return k > 63 ? 0 : addr >> k;
}

static uint64_t hash_list(const uint64_t *phys, size_t n)
{
	uint64_t h = n;

	for (size_t i = 0; i < n; i++)
		h = mix(h, phys[i]);
	return h;
}

/* Enter one range of addresses. */
static int link_range(struct live_index *index, struct live_link *link, struct live *live)
{
	unsigned int k = size_class(link->span);
	const struct live_key key = { live->device, block_of(link->at, k), k };
	int rc = link_in(index, link, live, &key);

	if (!rc && k < 64)
		live->device->size_classes |= 1ull << k;
	return rc;
}

static void unlink_all(struct live_index *index, struct live *live)
{
	link_out(index, &live->by_addr);
	link_out(index, &live->by_list);
	for (size_t i = 0; i < live->list.n_elements; i++)
		link_out(index, &live->list.elements[i]);
}

static int link_all(struct live_index *index, struct live *live)
{
	struct live_key key = { live->device, 0, KEY_LIST };
	int rc = link_range(index, &live->by_addr, live);

	for (size_t i = 0; i < live->list.n_elements && !rc; i++)
		rc = link_range(index, &live->list.elements[i], live);
	if (rc || live->kind != LIVE_LIST)
		return rc;
	key.value = hash_list(live->list.traced, live->list.n_traced);
	return link_in(index, &live->by_list, live, &key);
}

int live_add(struct live_index *index, struct live *live)
{
	int rc;

	live->by_addr.at = live->traced;
	live->by_addr.span = live->span;
	rc = link_all(index, live);
	if (rc) {
		unlink_all(index, live);
		return rc;
	}
	live->next = index->all;
	if (index->all)
		index->all->prev = live;
	index->all = live;
	return 0;
}

void live_remove(struct live_index *index, struct live *live)
{
	unlink_all(index, live);
	*(live->prev ? &live->prev->next : &index->all) = live->next;
	if (live->next)
		live->next->prev = live->prev;
	live->prev = NULL;
	live->next = NULL;
}

/* What a search wants: an exact start, or a range that must be covered. */
struct wanted {
	bool exact;
	enum live_kind kind;
	dma_addr_t addr;
	uint64_t size;
	/* Also the same size and direction. */
	bool strict;
	enum dma_data_direction dir;
};

static bool suits(const struct live_link *link, const struct wanted *want)
{
	const struct live *live = link->live;
	uint64_t at = want->addr - link->at;
	bool same = link->span == want->size && live->dir == want->dir;

	if (!want->exact)
		return at < link->span && want->size <= link->span - at;
	return at == 0 && link == &live->by_addr && live->kind == want->kind &&
	       (same || !want->strict);
}

static struct live_link *find_in_block(struct live_index *index, const struct live_key *key,
				       const struct wanted *want)
{
	const struct live_bucket *bucket = *seek(index, key);

	for (struct live_link *link = bucket ? bucket->first : NULL; link; link = link->next) {
		if (suits(link, want))
			return link;
	}
	return NULL;
}

/* All classes of sizes that the device has used; the block of the address, and the one before. */
static struct live_link *find_any(struct live_index *index, struct replay_device *device,
				  const struct wanted *want)
{
	for (uint64_t left = device->size_classes; left; left &= left - 1) {
		unsigned int k = (unsigned int)__builtin_ctzll(left);
		struct live_key key = { device, block_of(want->addr, k), k };
		struct live_link *link = find_in_block(index, &key, want);

		if (!link && !want->exact && key.value) {
			key.value--;
			link = find_in_block(index, &key, want);
		}
		if (link)
			return link;
	}
	return NULL;
}

struct live *live_find(struct live_index *index, struct replay_device *device, enum live_kind kind,
		       dma_addr_t addr, uint64_t size, enum dma_data_direction dir)
{
	unsigned int k = size_class(size);
	struct live_key key = { device, block_of(addr, k), k };
	struct wanted want = { true, kind, addr, size, true, dir };
	const struct live_link *link = find_in_block(index, &key, &want);

	if (!link) {
		want.strict = false;
		link = find_any(index, device, &want);
	}
	return link ? link->live : NULL;
}

const struct live_link *live_find_cover(struct live_index *index, struct replay_device *device,
					dma_addr_t addr, uint64_t size)
{
	const struct wanted want = { .addr = addr, .size = size };

	return find_any(index, device, &want);
}

static bool same_list(const struct live_list *list, const uint64_t *phys, size_t n)
{
	return list->n_traced == n && memcmp(list->traced, phys, n * sizeof(*phys)) == 0;
}

struct live *live_find_list(struct live_index *index, struct replay_device *device,
			    const uint64_t *phys, size_t n)
{
	const struct live_key key = { device, hash_list(phys, n), KEY_LIST };
	const struct live_bucket *bucket = *seek(index, &key);

	for (struct live_link *link = bucket ? bucket->first : NULL; link; link = link->next) {
		if (same_list(&link->live->list, phys, n))
			return link->live;
	}
	return NULL;
}
