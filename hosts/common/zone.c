/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages, taken and given back: a buddy system for each zone.
 *
 * A region is cut into zones at every power of two from 16 MiB up. A request goes to the highest zone it may use, so
 * memory that few can use (below 16 MiB, below 4 GiB) goes last; and the usual ceilings, which are masks of n bits,
 * never cut a zone in two. Blocks are naturally aligned in the physical address space. What a request leaves over of
 * its block is free again at once, so no rounding is ever paid for, and a range may be given back as it was taken.
 *
 * The block given back last is used first, and the smallest that fits: pages in use stay close together, and what was
 * touched once is touched again before fresh memory is. Short runs wait in small stacks before they are joined with
 * their buddies, so that a page that comes and goes does not split and join a gigabyte each time; when a request finds
 * no room the stacks are emptied first.
 *
 * A request never spans two zones, and finds room only inside one free block.
 */
#include "zone.h"

#include <stdlib.h>
#include <sys/mman.h>

#define ORDERS	 32
#define NOTHING	 UINT32_MAX
#define FIRST_AT 24 /* the first cut, as a power of two */

/** Runs of 1 to SHORT pages wait, DEPTH of each length at the most. */
#define SHORT 16u
#define DEPTH 16u

struct frame {
	uint32_t next;
	uint32_t prev;
};

struct host_zone {
	uint64_t first; /* page number */
	uint64_t pages;
	bool ram;
	/** For each page: links of a free block's first page; its order + 1 there, else 0; is it taken? */
	struct frame *frames;
	unsigned char *order;
	uint64_t *taken;
	/** Free blocks by order, and which lists hold any. */
	uint32_t heads[ORDERS];
	uint32_t lists;
	/** Runs of i + 1 pages that wait, aligned as a block that holds them. */
	uint32_t waiting[SHORT][DEPTH];
	unsigned char nr_waiting[SHORT];
	void *map;
	uint64_t map_size;
};

/* --- free blocks */

static void push(struct host_zone *z, uint32_t page, unsigned int order)
{
	uint32_t head = z->heads[order];

	z->frames[page] = (struct frame){ .next = head, .prev = NOTHING };
	if (head != NOTHING)
		z->frames[head].prev = page;
	z->heads[order] = page;
	z->order[page] = (unsigned char)(order + 1);
	z->lists |= 1u << order;
}

static void drop(struct host_zone *z, uint32_t page, unsigned int order)
{
	struct frame f = z->frames[page];

	if (f.next != NOTHING)
		z->frames[f.next].prev = f.prev;
	if (f.prev != NOTHING)
		z->frames[f.prev].next = f.next;
	else
		z->heads[order] = f.next;
	if (z->heads[order] == NOTHING)
		z->lists &= ~(1u << order);
	z->order[page] = 0;
}

/** Free one naturally aligned block, and join it with its buddies. */
static void free_block(struct host_zone *z, uint64_t page, unsigned int order)
{
	while (order < ORDERS - 1) {
		uint64_t buddy = ((z->first + page) ^ (1ull << order)) - z->first;

		if (buddy >= z->pages || z->order[buddy] != order + 1)
			break;
		drop(z, (uint32_t)buddy, order);
		page = host_min(page, buddy);
		order++;
	}
	push(z, (uint32_t)page, order);
}

static void free_range(struct host_zone *z, uint64_t page, uint64_t n)
{
	while (n) {
		uint64_t number = z->first + page;
		unsigned int order = host_high_bit(n);

		if (number && (unsigned int)__builtin_ctzll(number) < order)
			order = (unsigned int)__builtin_ctzll(number);
		if (order > ORDERS - 1)
			order = ORDERS - 1;
		free_block(z, page, order);
		page += 1ull << order;
		n -= 1ull << order;
	}
}

/* --- short runs that wait */

/** The smallest block that holds @n pages. */
static unsigned int order_of(uint64_t n)
{
	return n > 1 ? host_high_bit(n - 1) + 1 : 0;
}

static bool keep_run(struct host_zone *z, uint64_t page, uint64_t n)
{
	if (n > SHORT || z->nr_waiting[n - 1] == DEPTH ||
	    ((z->first + page) & ((1ull << order_of(n)) - 1)))
		return false;
	z->waiting[n - 1][z->nr_waiting[n - 1]++] = (uint32_t)page;
	return true;
}

static uint64_t take_run(struct host_zone *z, uint64_t n)
{
	if (n > SHORT || !z->nr_waiting[n - 1])
		return NOTHING;
	return z->waiting[n - 1][--z->nr_waiting[n - 1]];
}

static void join_runs(struct host_zone *z)
{
	for (unsigned int i = 0; i < SHORT; i++)
		while (z->nr_waiting[i])
			free_range(z, z->waiting[i][--z->nr_waiting[i]], i + 1);
}

/* --- who has what */

/** Bits of the word that holds @page, up to @n of them from there; *@count of them. */
static uint64_t word_bits(uint64_t page, uint64_t n, uint64_t *count)
{
	uint64_t bit = page % 64;

	*count = host_min(n, 64 - bit);
	return (*count == 64 ? ~0ull : (1ull << *count) - 1) << bit;
}

static void set_taken(struct host_zone *z, uint64_t page, uint64_t n, bool taken)
{
	uint64_t count;

	for (; n; page += count, n -= count) {
		uint64_t bits = word_bits(page, n, &count);

		if (taken)
			z->taken[page / 64] |= bits;
		else
			z->taken[page / 64] &= ~bits;
	}
}

static bool all_taken(const struct host_zone *z, uint64_t page, uint64_t n)
{
	uint64_t count;

	for (; n; page += count, n -= count) {
		uint64_t bits = word_bits(page, n, &count);

		if ((z->taken[page / 64] & bits) != bits)
			return false;
	}
	return true;
}

/* --- taking */

/** Any block of the zone will do: the smallest that is large enough, cut down. */
static uint64_t take_anywhere(struct host_zone *z, uint64_t n, unsigned int order)
{
	uint32_t lists = z->lists >> order << order;
	unsigned int from;
	uint32_t page;

	if (!lists)
		return NOTHING;
	from = (unsigned int)__builtin_ctz(lists);
	page = z->heads[from];
	drop(z, page, from);
	while (from > order) {
		from--;
		push(z, page + (1u << from), from);
	}
	free_range(z, page + n, (1ull << order) - n);
	return page;
}

/** Only pages @low to @high (numbers, inclusive) will do: look at every free block. */
static uint64_t take_between(struct host_zone *z, uint64_t n, unsigned int align, uint64_t low,
			     uint64_t high)
{
	for (unsigned int o = host_high_bit(n); o < ORDERS; o++) {
		for (uint32_t page = z->heads[o]; page != NOTHING; page = z->frames[page].next) {
			uint64_t start = z->first + page;
			uint64_t end = start + (1ull << o);
			uint64_t at = host_round_up(start > low ? start : low, 1ull << align);

			if (at + n > end || at + n - 1 > high)
				continue;
			drop(z, page, o);
			free_range(z, page, at - start);
			free_range(z, at + n - z->first, end - (at + n));
			return at - z->first;
		}
	}
	return NOTHING;
}

/** In [@low, @high] of the zone, which may hold all of it. */
static uint64_t take_blocks(struct host_zone *z, uint64_t n, unsigned int align, uint64_t low,
			    uint64_t high)
{
	unsigned int order = order_of(n);

	if (z->first < low || z->first + z->pages - 1 > high)
		return take_between(z, n, align, low, high);
	if (order < align)
		order = align;
	return order < ORDERS ? take_anywhere(z, n, order) : NOTHING;
}

static uint64_t take_in_zone(struct host_zone *z, uint64_t n, uint64_t align, uint64_t low,
			     uint64_t high)
{
	unsigned int align_order = host_high_bit(align);
	bool whole = z->first >= low && z->first + z->pages - 1 <= high;
	uint64_t page = NOTHING;

	if (z->first > high || z->first + z->pages - 1 < low || n > z->pages)
		return NOTHING;
	if (whole && align_order <= order_of(n))
		page = take_run(z, n);
	if (page == NOTHING)
		page = take_blocks(z, n, align_order, low, high);
	if (page != NOTHING)
		return page;
	join_runs(z);
	return take_blocks(z, n, align_order, low, high);
}

phys_addr_t host_zones_take(struct host_zones *zones, bool ram, uint64_t size, uint64_t align,
			    phys_addr_t first, phys_addr_t last)
{
	uint64_t n = size >> HOST_PAGE_SHIFT;
	uint64_t low = (first >> HOST_PAGE_SHIFT) + (first % HOST_PAGE != 0);
	uint64_t high = last >> HOST_PAGE_SHIFT;

	if (last % HOST_PAGE != HOST_PAGE - 1) {
		if (!high)
			return DMAMAP_PHYS_NONE;
		high--;
	}
	for (struct host_zone *z = zones->zone; z < zones->zone + zones->nr; z++) {
		uint64_t page = NOTHING;

		if (z->ram == ram)
			page = take_in_zone(z, n, align >> HOST_PAGE_SHIFT, low, high);
		if (page == NOTHING)
			continue;
		set_taken(z, page, n, true);
		return (z->first + page) << HOST_PAGE_SHIFT;
	}
	return DMAMAP_PHYS_NONE;
}

/* --- giving back */

static struct host_zone *zone_of(struct host_zones *zones, phys_addr_t phys)
{
	uint64_t number = phys >> HOST_PAGE_SHIFT;

	for (struct host_zone *z = zones->zone; z < zones->zone + zones->nr; z++)
		if (number - z->first < z->pages)
			return z;
	return NULL;
}

bool host_zones_disown(struct host_zones *zones, bool ram, phys_addr_t phys, uint64_t size)
{
	struct host_zone *z = zone_of(zones, phys);
	uint64_t page = z ? (phys >> HOST_PAGE_SHIFT) - z->first : 0;
	uint64_t n = size >> HOST_PAGE_SHIFT;

	if (!z || z->ram != ram || !n || phys % HOST_PAGE || n > z->pages - page ||
	    !all_taken(z, page, n))
		return false;
	set_taken(z, page, n, false);
	return true;
}

void host_zones_give(struct host_zones *zones, phys_addr_t phys, uint64_t size)
{
	struct host_zone *z = zone_of(zones, phys);
	uint64_t page = (phys >> HOST_PAGE_SHIFT) - z->first;
	uint64_t n = size >> HOST_PAGE_SHIFT;

	if (!keep_run(z, page, n))
		free_range(z, page, n);
}

/* --- making zones */

/** Last page number of the zone that starts at @number, in a region that ends with @last. */
static uint64_t zone_end(uint64_t number, uint64_t last)
{
	unsigned int bit = FIRST_AT - HOST_PAGE_SHIFT;
	uint64_t end;

	if (number >> bit)
		bit = host_high_bit(number) + 1;
	end = (1ull << bit) - 1;
	end = host_min(end, number + (1ull << (ORDERS - 1)) - 1);
	return host_min(end, last);
}

static bool make_zone(struct host_zone *z, uint64_t first, uint64_t pages, bool ram)
{
	uint64_t frames = pages * sizeof(struct frame);
	uint64_t bits = (pages + 63) / 64 * sizeof(uint64_t);
	unsigned char *map;

	*z = (struct host_zone){ .first = first, .pages = pages, .ram = ram };
	z->map_size = host_round_up(frames + bits + pages, HOST_PAGE);
	map = mmap(NULL, z->map_size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return false;
	madvise(map, z->map_size, MADV_NOHUGEPAGE);
	z->map = map;
	z->frames = (struct frame *)(void *)map;
	z->taken = (uint64_t *)(void *)(map + frames);
	z->order = map + frames + bits;
	for (unsigned int i = 0; i < ORDERS; i++)
		z->heads[i] = NOTHING;
	free_range(z, 0, pages);
	return true;
}

static void insert_zone(struct host_zones *zones, const struct host_zone *new)
{
	unsigned int at = zones->nr;

	for (; at && zones->zone[at - 1].first < new->first; at--)
		zones->zone[at] = zones->zone[at - 1];
	zones->zone[at] = *new;
	zones->nr++;
}

static void remove_zones_from(struct host_zones *zones, uint64_t first, uint64_t last)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < zones->nr; i++) {
		struct host_zone *z = &zones->zone[i];

		if (z->first >= first && z->first <= last)
			munmap(z->map, z->map_size);
		else
			zones->zone[kept++] = *z;
	}
	zones->nr = kept;
}

int host_zones_add(struct host_zones *zones, phys_addr_t base, uint64_t size, bool ram)
{
	uint64_t first = base >> HOST_PAGE_SHIFT;
	uint64_t last = first + (size >> HOST_PAGE_SHIFT) - 1;
	uint64_t next;

	for (uint64_t number = first; number <= last; number = next) {
		struct host_zone *more = realloc(zones->zone, (zones->nr + 1) * sizeof(*more));
		struct host_zone zone;

		next = zone_end(number, last) + 1;
		if (more)
			zones->zone = more;
		if (!more || !make_zone(&zone, number, next - number, ram)) {
			remove_zones_from(zones, first, last);
			return -DMAMAP_ENOMEM;
		}
		insert_zone(zones, &zone);
	}
	return 0;
}

void host_zones_release(struct host_zones *zones)
{
	remove_zones_from(zones, 0, ~0ull);
	free(zones->zone);
}
