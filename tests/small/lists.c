/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists that go the short way, and those that nearly do.
 *
 * Random lists, over every format, are compared with the layout of docs/semantics.md ("Scatterlists behind an IOMMU"),
 * written down here once more: the segments, and what the device finds behind each granule. Maps and unmaps are watched
 * or not, at random, so that what one way has mapped the other takes back; and both must say the same. Then what is out
 * of order: each case is refused with its reason, or mapped the long way, whether watched or not.
 */
#include "world.h"

#include "formats.h"
#include "iommu/domain.h"

#define PAGES	 256u
#define ELEMENTS 72u
#define LIVE	 4u

/* --- watching */

struct watcher {
	struct dma_observer observer; /* first */
	unsigned int events;
};

static void count_event(struct dma_observer *self, const struct dma_event *event)
{
	(void)event;
	((struct watcher *)(void *)self)->events++;
}

static void watch(struct world *w, struct watcher *watcher, bool on)
{
	watcher->observer.event = count_event;
	if (on)
		assert_int_equal(dma_observer_attach(sim_host(w->m), &watcher->observer), 0);
	else
		assert_int_equal(dma_observer_detach(sim_host(w->m), &watcher->observer), 0);
}

static int map(struct world *w, struct scatterlist *sg, int nents, bool watched)
{
	struct watcher watcher = { .events = 0 };
	int got;

	if (!watched)
		return (int)dma_map_sg(w->dev, sg, nents, DMA_TO_DEVICE);
	watch(w, &watcher, true);
	got = (int)dma_map_sg(w->dev, sg, nents, DMA_TO_DEVICE);
	watch(w, &watcher, false);
	assert_true(watcher.events > 0);
	return got;
}

static void unmap(struct world *w, struct scatterlist *sg, int nents, bool watched)
{
	struct watcher watcher = { .events = 0 };

	if (!watched) {
		dma_unmap_sg(w->dev, sg, nents, DMA_TO_DEVICE);
		return;
	}
	watch(w, &watcher, true);
	dma_unmap_sg(w->dev, sg, nents, DMA_TO_DEVICE);
	watch(w, &watcher, false);
	assert_true(watcher.events > 0);
}

/* --- the layout, from the document */

struct piece {
	uint64_t at; /* of its first granule, in the run */
	uint64_t offset;
	uint64_t granules;
};

struct segment {
	uint64_t at;
	uint64_t len;
};

struct layout {
	struct piece piece[ELEMENTS];
	struct segment segment[ELEMENTS];
	unsigned int segments;
	uint64_t size;
};

static void lay_out(struct world *w, struct scatterlist *sg, unsigned int nents, struct layout *l)
{
	uint64_t boundary = dma_get_seg_boundary(w->dev);
	uint64_t page = w->page;
	uint64_t end = 0;

	memset(l, 0, sizeof(*l));
	for (unsigned int i = 0; i < nents; i++, sg = sg_next(sg)) {
		uint64_t offset = sg_phys(sg) % page;
		uint64_t size = (offset + sg->length + page - 1) / page * page;
		struct segment *s = &l->segment[l->segments ? l->segments - 1 : 0];

		/* rule 2; a boundary of all ones is none */
		if (boundary + 1 && l->size && l->size % (boundary + 1) &&
		    l->size / (boundary + 1) != (l->size + size - 1) / (boundary + 1))
			l->size = (l->size / (boundary + 1) + 1) * (boundary + 1);
		l->piece[i] = (struct piece){ l->size, offset, size / page };
		if (l->segments && !offset && end == l->size &&
		    (!(boundary + 1) || l->size % (boundary + 1)) &&
		    s->len + sg->length <= dma_get_max_seg_size(w->dev)) {
			s->len += sg->length;
		} else {
			l->segment[l->segments++] =
				(struct segment){ l->size + offset, sg->length };
		}
		end = l->size + offset + sg->length;
		l->size += size;
	}
}

/* --- random lists */

struct list {
	struct scatterlist sg[2 * ELEMENTS];
	struct scatterlist before[2 * ELEMENTS]; /* its CPU side */
	struct layout layout;
	unsigned int nents; /* 0: not mapped */
	unsigned int segments;
	dma_addr_t base;
};

/** The same memory, by a page that lies @pages before it. */
static void name_from_before(struct scatterlist *sg, uint64_t pages)
{
	uint64_t back = pages * DMAMAP_PAGE_SIZE;
	phys_addr_t phys = sg_phys(sg);

	sg_set_page(sg, dmamap_phys_to_page(phys - sg->offset - back), sg->length,
		    (unsigned int)(sg->offset + back));
}

/** An element: a whole page, the end or the beginning of one, or anything. */
static void any_element(struct world *w, uint64_t *seed, struct scatterlist *sg, unsigned int kind)
{
	uint64_t page = w->page;
	uint64_t first = world_random(seed, PAGES - 8);
	uint64_t offset = 0, len = page;

	if (kind == 3 && !world_random(seed, 4)) {
		offset = world_random(seed, page); /* and as long as a page */
	} else if (kind == 1) {
		offset = world_random(seed, page);
		len = page - offset;
	} else if (kind == 2) {
		len = 1 + world_random(seed, page);
	} else if (kind == 3) {
		offset = world_random(seed, 2) ? 0 : world_random(seed, page);
		len = 1 + world_random(seed, world_random(seed, 4) ? page : 5 * page);
	}
	sg_set_phys(sg, w->buf + first * page + offset, (unsigned int)len);
	if (!world_random(seed, 30))
		name_from_before(sg, 1 + world_random(seed, 3));
}

/** Most are pages, the first and the last perhaps not; one in four is anything; one in four has chains. */
static void any_list(struct world *w, uint64_t *seed, struct list *list)
{
	unsigned int few = world_random(seed, 3) ? ELEMENTS : 4;
	unsigned int nents = 1 + (unsigned int)world_random(seed, few);
	bool pages = world_random(seed, 4);
	bool chains = !world_random(seed, 4);
	struct scatterlist *sg = list->sg;
	unsigned int n = 0;

	sg_init_table(list->sg, 2 * ELEMENTS);
	for (unsigned int i = 0; i < nents; i++, n++) {
		unsigned int kind = 3;

		if (pages)
			kind = i == 0		? (unsigned int)world_random(seed, 2)
			       : i == nents - 1 ? 2 * (unsigned int)world_random(seed, 2)
						: (world_random(seed, 100) ? 0 : 3);
		if (chains && i && n + 1 < 2 * ELEMENTS && !world_random(seed, 6)) {
			sg_chain(sg, n + 1, &sg[n + 1]);
			sg += n + 1;
			n = 0;
		}
		any_element(w, seed, &sg[n], kind);
	}
	if (world_random(seed, 4)) /* else the count alone says where it ends */
		sg[n - 1].page_link |= DMAMAP_SG_END;
	list->nents = nents;
	memcpy(list->before, list->sg, sizeof(list->sg));
}

/** The device side may be anything before a map. */
static void another_life(struct list *list)
{
	struct scatterlist *sg = list->sg;

	for (unsigned int i = 0; i < list->nents; i++, sg = sg_next(sg)) {
		sg->dma_address = 0x1234000;
		sg->dma_length = 0x5678;
		sg->dma_flags = DMAMAP_SG_MARKS;
	}
}

static void check_cpu_side(const struct list *list)
{
	for (unsigned int i = 0; i < 2 * ELEMENTS; i++) {
		assert_true(list->sg[i].page_link == list->before[i].page_link);
		assert_int_equal(list->sg[i].offset, list->before[i].offset);
		assert_int_equal(list->sg[i].length, list->before[i].length);
	}
}

static void check_device_side(struct list *list)
{
	const struct layout *l = &list->layout;
	struct scatterlist *sg = list->sg;

	assert_int_equal(list->segments, l->segments);
	for (unsigned int i = 0; i < list->nents; i++, sg = sg_next(sg)) {
		bool used = i < l->segments;

		assert_true(sg_dma_address(sg) ==
			    (used ? list->base + l->segment[i].at : DMA_MAPPING_ERROR));
		assert_int_equal(sg_dma_len(sg), used ? l->segment[i].len : 0);
		assert_false(sg->dma_flags &
			     (DMAMAP_SG_BOUNCED | DMAMAP_SG_BUS_ADDRESS | DMAMAP_SG_PEER));
	}
}

/** Each granule leads to its page, or, when it is gone, nowhere. */
static void check_granules(struct world *w, struct list *list, bool live)
{
	struct scatterlist *sg = list->sg;

	for (unsigned int i = 0; i < list->nents; i++, sg = sg_next(sg)) {
		const struct piece *p = &list->layout.piece[i];
		uint64_t first = (sg_phys(sg) - w->buf) / w->page;

		for (uint64_t k = 0; k < p->granules; k++) {
			dma_addr_t addr = list->base + p->at + k * w->page;

			assert_true(live ? world_reads(w, addr, first + k) : world_faults(w, addr));
		}
	}
}

static void begin_list(struct world *w, uint64_t *seed, struct list *list)
{
	any_list(w, seed, list);
	another_life(list);
	lay_out(w, list->sg, list->nents, &list->layout);
	list->segments =
		(unsigned int)map(w, list->sg, (int)list->nents, world_random(seed, 3) == 0);
	assert_true(list->segments > 0);
	list->base = sg_dma_address(list->sg) - list->layout.segment[0].at;
	check_device_side(list);
	check_granules(w, list, true);
	check_cpu_side(list);
}

static void end_list(struct world *w, uint64_t *seed, struct list *list)
{
	struct scatterlist *sg = list->sg;

	check_granules(w, list, true);
	unmap(w, list->sg, (int)list->nents, world_random(seed, 3) == 0);
	if (world_stats(w).invalidation == DMA_INVALIDATION_STRICT)
		check_granules(w, list, false);
	check_cpu_side(list);
	for (unsigned int i = 0; i < list->nents; i++, sg = sg_next(sg))
		assert_int_equal(sg->dma_flags, 0);
	list->nents = 0;
}

/** With all limits that make a difference, on one machine. */
static void random_lists(const struct test_format *format, enum dma_invalidation invalidation,
			 bool ranges_only, uint64_t *seed)
{
	static const unsigned int max[] = { 0, 1, 512, 4096, 5000, 8192, 40960, 65536, 0xffffffff };
	static const uint64_t boundary[] = { 0, 0, 0xfff, 0x1fff, 0xffff, 0x3ffff, 0xffffffff };
	static struct list lists[LIVE];
	struct dma_parms parms = { 0 };
	const struct world_config config = { .invalidation = invalidation,
					     .buf_pages = PAGES,
					     .iommu = format->iommu,
					     .ranges_only = ranges_only };
	struct world w;

	world_begin_with(&w, &config);
	dma_device_set_parms(w.dev, &parms);
	for (unsigned int round = 0; round < 8; round++) {
		assert_int_equal(dma_set_seg_boundary(w.dev, boundary[world_random(seed, 7)]), 0);
		for (unsigned int i = 0; i < 40; i++) {
			struct list *list = &lists[world_random(seed, LIVE)];

			dma_set_max_seg_size(w.dev, max[world_random(seed, 9)]);
			if (list->nents)
				end_list(&w, seed, list);
			else
				begin_list(&w, seed, list);
		}
		for (unsigned int i = 0; i < LIVE; i++)
			if (lists[i].nents)
				end_list(&w, seed, &lists[i]);
	}
	dma_device_set_parms(w.dev, NULL);
	world_end(&w);
}

static void lists_on_every_format(void **state)
{
	uint64_t seed = world_seed();

	(void)state;
	for (unsigned int i = 0; i < sizeof(test_formats) / sizeof(test_formats[0]); i++) {
		printf("# %s\n", test_formats[i].name);
		random_lists(&test_formats[i], DMA_INVALIDATION_STRICT, i & 1, &seed);
		random_lists(&test_formats[i], DMA_INVALIDATION_LAZY, !(i & 1), &seed);
	}
}

/* --- out of order */

#define N 8u

static void pages(struct world *w, struct scatterlist *sg, unsigned int n)
{
	sg_init_table(sg, n);
	for (unsigned int i = 0; i < n; i++)
		sg_set_phys(&sg[i], w->buf + 2 * (uint64_t)i * PAGE, PAGE);
}

static void expect_reason(struct world *w, enum dma_reason reason)
{
	struct dma_error err;

	assert_int_equal(dma_last_error(w->dev, &err), 0);
	assert_string_equal(dma_reason_name(err.reason), dma_reason_name(reason));
}

/** Other than any that the next call can give: a mapping of nothing. */
static void forget_reason(struct world *w)
{
	assert_true(dma_map_phys(w->dev, w->buf, 0, DMA_TO_DEVICE, 0) == DMA_MAPPING_ERROR);
	expect_reason(w, DMA_REASON_ZERO_SIZE);
}

static void refused(struct world *w, struct scatterlist *sg, int nents, enum dma_reason reason)
{
	for (unsigned int watched = 0; watched < 2; watched++) {
		forget_reason(w);
		assert_int_equal(map(w, sg, nents, watched), 0);
		expect_reason(w, reason);
		assert_int_equal(dma_device_live(w->dev), 0);
		assert_int_equal(world_stats(w).iova_bytes, 0);
	}
}

static void bad_lists(void **state)
{
	struct scatterlist sg[N + 1];
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	pages(&w, sg, N);
	refused(&w, NULL, 1, DMA_REASON_BAD_LIST);
	refused(&w, sg, 0, DMA_REASON_BAD_LIST);
	refused(&w, sg, -1, DMA_REASON_BAD_LIST);
	refused(&w, sg, N + 1, DMA_REASON_BAD_LIST);
	for (unsigned int at = 0; at < N; at++) {
		pages(&w, sg, N);
		sg[at].length = 0;
		refused(&w, sg, N, DMA_REASON_BAD_LIST);
		sg[at].offset = 1;
		refused(&w, sg, N, DMA_REASON_BAD_LIST);
		pages(&w, sg, N);
		sg[at].page_link &= DMAMAP_SG_END; /* no page */
		refused(&w, sg, N, DMA_REASON_BAD_LIST);
		sg[at].offset = (unsigned int)w.buf + PAGE; /* and yet RAM there */
		refused(&w, sg, N, DMA_REASON_BAD_LIST);
		pages(&w, sg, N);
		sg_set_page(&sg[at], dmamap_pfn_to_page(~(uint64_t)0 >> 12), PAGE,
			    1); /* past the end */
		refused(&w, sg, N, DMA_REASON_BAD_LIST);
		pages(&w, sg, N);
		sg[at].page_link |= DMAMAP_SG_END; /* an end too early */
		if (at < N - 1)
			refused(&w, sg, N, DMA_REASON_BAD_LIST);
	}
	world_end(&w);
}

/** The same behind an IOMMU of so many bits that no address is beyond them, on a host that has no range of RAM to start with. */
static void no_page_of_64_bits(void **state)
{
	struct scatterlist sg[N];
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	w.domain->backend->caps.output_bits = 64;
	dmamap_windows_set_width(w.domain);
	for (unsigned int n = 1; n <= N; n++) {
		pages(&w, sg, n);
		assert_true(map(&w, sg, (int)n, false) > 0);
		unmap(&w, sg, (int)n, false);
		for (unsigned int i = 0; i < n; i++)
			sg[i].page_link &= DMAMAP_SG_END;
		refused(&w, sg, (int)n, DMA_REASON_BAD_LIST);
	}
	world_end(&w);
}

static void unmap_refused(struct world *w, struct scatterlist *sg, int nents,
			  enum dma_reason reason)
{
	uint64_t live = dma_device_live(w->dev);

	for (unsigned int watched = 0; watched < 2; watched++) {
		forget_reason(w);
		unmap(w, sg, nents, watched);
		expect_reason(w, reason);
		assert_int_equal(dma_device_live(w->dev), live);
	}
}

/** A list that says it has no granules. */
static void span_of_nothing(void **state)
{
	struct scatterlist sg[N];
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	pages(&w, sg, N);
	assert_true(map(&w, sg, N, false) > 0);
	sg[0].dma_flags = DMAMAP_SG_SPAN(N, 0);
	unmap_refused(&w, sg, N, DMA_REASON_NOT_MAPPED);
	sg[0].dma_flags = DMAMAP_SG_SPAN(N, N);
	unmap(&w, sg, N, false);
	world_end(&w);
}

/** Whatever is not the list that was mapped, as it was mapped, and not yet unmapped. */
static void other_unmaps(void **state)
{
	struct scatterlist sg[N], copy[N], other[N];
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	for (unsigned int kind = 0; kind < 2; kind++) {
		pages(&w, sg, N);
		if (kind) /* not by pages */
			sg[3].length = 100;
		memcpy(other, sg, sizeof(sg));
		assert_true(map(&w, sg, N, false) > 0);
		memcpy(copy, sg, sizeof(sg));
		unmap_refused(&w, sg, N - 1, DMA_REASON_NOT_MAPPED);
		unmap_refused(&w, sg, 1, DMA_REASON_NOT_MAPPED);
		unmap_refused(&w, sg, N + 1, DMA_REASON_BAD_LIST);
		unmap_refused(&w, sg, 0, DMA_REASON_BAD_LIST);
		unmap_refused(&w, sg, (int)N - 256, DMA_REASON_BAD_LIST);
		unmap_refused(&w, sg + 1, N - 1, DMA_REASON_NOT_MAPPED);
		unmap_refused(&w, NULL, N, DMA_REASON_BAD_LIST);
		unmap_refused(&w, other, N, DMA_REASON_NOT_MAPPED);
		other[0].dma_address = sg[0].dma_address + PAGE;
		unmap_refused(&w, other, N, DMA_REASON_NOT_MAPPED);
		assert_true(world_reads(&w, sg_dma_address(sg), 0));
		unmap(&w, sg, N, kind);
		assert_true(world_faults(&w, sg_dma_address(copy)));
		unmap_refused(&w, sg, N, DMA_REASON_NOT_MAPPED);
		unmap_refused(&w, copy, N, DMA_REASON_NOT_MAPPED);
	}
	world_end(&w);
}

/** A mapped list that says another address: in the middle, another mapping's, or so that it would leave the word. */
static void other_addresses(void **state)
{
	struct scatterlist sg[N], copy[N];
	dma_addr_t single, addr;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	single = dma_map_phys(w.dev, w.buf, PAGE, DMA_TO_DEVICE,
			      0); /* the last granule of its word */
	assert_int_equal(single / PAGE % 64, 63);
	pages(&w, sg, N);
	assert_true(map(&w, sg, N, false) > 0);
	addr = sg_dma_address(sg);
	memcpy(copy, sg, sizeof(sg));
	copy[0].dma_address = addr + PAGE;
	unmap_refused(&w, copy, N, DMA_REASON_NOT_MAPPED);
	copy[0].dma_address = addr - PAGE;
	unmap_refused(&w, copy, N, DMA_REASON_NOT_MAPPED);
	copy[0].dma_address = single;
	unmap_refused(&w, copy, N, DMA_REASON_NOT_MAPPED);
	copy[0].dma_address = 0;
	unmap_refused(&w, copy, N, DMA_REASON_NOT_MAPPED);
	assert_true(world_reads(&w, single, 0));
	assert_true(world_reads(&w, addr + (N - 1) * PAGE, 2 * (N - 1)));
	/* two pages where one is mapped, and its neighbour */
	pages(&w, copy, 2);
	assert_true(map(&w, copy, 2, false) > 0);
	unmap(&w, sg, N, false);
	pages(&w, sg, 1);
	assert_true(map(&w, sg, 1, false) > 0);
	addr = sg[0].dma_address;
	sg[0].dma_address = copy[0].dma_address;
	unmap_refused(&w, sg, 1, DMA_REASON_NOT_MAPPED);
	sg[0].dma_address = addr;
	unmap(&w, sg, 1, false);
	unmap(&w, copy, 2, false);
	dma_unmap_phys(w.dev, single, PAGE, DMA_TO_DEVICE, 0);
	world_end(&w);
}

/** On a host without a timer a list's map sees to it that nothing waits for longer than it may. */
static void due_flush(void **state)
{
	struct scatterlist sg[N];
	uint64_t flushes;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_LAZY, PAGES);
	sim_host(w.m)->defer = NULL;
	pages(&w, sg, N);
	assert_true(map(&w, sg, N, false) > 0);
	unmap(&w, sg, N, false);
	flushes = world_stats(&w).flushes;
	assert_true(map(&w, sg, N, false) > 0);
	assert_int_equal(world_stats(&w).flushes, flushes);
	unmap(&w, sg, N, false);
	assert_int_equal(world_stats(&w).queued, 2);
	sim_advance(w.m, 1000000000);
	assert_true(map(&w, sg, N, false) > 0);
	assert_int_equal(world_stats(&w).flushes, flushes + 1);
	assert_int_equal(world_stats(&w).queued, 0);
	unmap(&w, sg, N, false);
	world_end(&w);
}

/** A list of one more granule than windows have together, and of as many. */
static void as_many_as_fit(void **state)
{
	struct scatterlist sg[65];
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	for (unsigned int n = 63; n <= 65; n++) {
		pages(&w, sg, n);
		assert_true(map(&w, sg, (int)n, false) > 0);
		assert_int_equal(world_stats(&w).iova_bytes, n * PAGE);
		for (unsigned int i = 0; i < n; i++)
			assert_true(world_reads(&w, sg_dma_address(sg) + i * PAGE, 2 * i));
		unmap(&w, sg, (int)n, false);
		/* one element more would be one granule more */
		sg[n / 2].length = PAGE + 1;
		assert_true(map(&w, sg, (int)n, false) > 0);
		assert_int_equal(world_stats(&w).iova_bytes, (n + 1) * PAGE);
		unmap(&w, sg, (int)n, false);
	}
	world_end(&w);
}

/** What a mapping relies on does not change while it lives. */
static void properties_are_held(void **state)
{
	struct scatterlist sg[N];
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	pages(&w, sg, N);
	assert_true(map(&w, sg, N, false) > 0);
	assert_int_equal(dma_device_set_untrusted(w.dev, true), -DMAMAP_EBUSY);
	assert_int_equal(dma_device_set_coherent(w.dev, false), -DMAMAP_EBUSY);
	assert_int_equal(dma_device_set_domain(w.dev, NULL), -DMAMAP_EBUSY);
	unmap(&w, sg, N, false);
	/* an untrusted device has lists of whole pages, and no short way */
	assert_int_equal(dma_device_set_untrusted(w.dev, true), 0);
	assert_true(map(&w, sg, N, false) > 0);
	assert_true(world_reads(&w, sg_dma_address(sg) + 3 * PAGE, 6));
	unmap(&w, sg, N, false);
	sg[0].length = 100;
	refused(&w, sg, N, DMA_REASON_NO_BOUNCE_POOL);
	assert_int_equal(dma_device_set_untrusted(w.dev, false), 0);
	assert_true(map(&w, sg, N, false) > 0);
	unmap(&w, sg, N, false);
	world_end(&w);
}

/** Directions and attributes are judged as ever. */
static void arguments(void **state)
{
	struct scatterlist sg[N];
	uint64_t mark = 77;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	pages(&w, sg, N);
	assert_int_equal(dma_map_sg(w.dev, sg, N, DMA_NONE), 0);
	expect_reason(&w, DMA_REASON_BAD_DIRECTION);
	assert_int_equal(dma_map_sg_attrs(w.dev, sg, N, DMA_TO_DEVICE, DMA_ATTR_MMIO), 0);
	expect_reason(&w, DMA_REASON_BAD_ARGUMENT);
	assert_true(map(&w, sg, N, false) > 0);
	assert_int_not_equal(sim_dma_write(w.device, sg_dma_address(sg), &mark, 8, NULL), 0);
	dma_unmap_sg(w.dev, sg, N, DMA_NONE);
	expect_reason(&w, DMA_REASON_BAD_DIRECTION);
	assert_true(world_reads(&w, sg_dma_address(sg), 0));
	unmap(&w, sg, N, false);
	assert_true(dma_map_sg(w.dev, sg, N, DMA_FROM_DEVICE) > 0);
	assert_true(world_faults(&w, sg_dma_address(sg)));
	assert_int_equal(sim_dma_write(w.device, sg_dma_address(sg), &mark, 8, NULL), 0);
	dma_unmap_sg(w.dev, sg, N, DMA_FROM_DEVICE);
	world_end(&w);
}

/* --- memory of several kinds */

#define BAR_BASE 0x80000000u
#define BAR_SIZE (1u << 20)
#define HIGH	 (1ull << 32)

static const struct world_memory memory[] = {
	{ .base = RAM, .size = RAM }, /* side by side with the first, and another range */
	{ .base = BAR_BASE, .size = BAR_SIZE, .bar = true },
	{ .base = BAR_BASE + BAR_SIZE, .size = BAR_SIZE }, /* RAM right behind it */
	{ .base = HIGH, .size = BAR_SIZE },
	{ .size = 0 },
};

static void begin_with_memory(struct world *w, bool ranges_only)
{
	const struct world_config config = { .invalidation = DMA_INVALIDATION_STRICT,
					     .buf_pages = PAGES,
					     .memory = memory,
					     .ranges_only = ranges_only };

	world_begin_with(w, &config);
}

/** A page of that memory, marked. */
static phys_addr_t page_of(struct world *w, unsigned int i)
{
	const struct world_memory *m = &memory[i];
	phys_addr_t phys = sim_alloc(w->m, PAGE, PAGE, m->base, m->base + m->size - 1);
	uint64_t mark = 1000 + i + 1;

	assert_true(phys != DMAMAP_PHYS_NONE);
	assert_int_equal(sim_cpu_write(w->m, phys, &mark, sizeof(mark)), 0);
	return phys;
}

/** RAM wherever it is: one list may have pages of every range, and an element that lies in two. */
static void try_ranges_of_ram(bool ranges_only)
{
	struct scatterlist sg[N];
	phys_addr_t phys;
	struct world w;

	begin_with_memory(&w, ranges_only);
	for (unsigned int i = 0; memory[i].size; i++) {
		if (memory[i].bar)
			continue;
		phys = page_of(&w, i);
		for (unsigned int at = 0; at < N; at++) {
			pages(&w, sg, N);
			sg_set_phys(&sg[at], phys, PAGE);
			assert_true(map(&w, sg, N, i & 1) > 0);
			assert_true(world_reads(&w, sg_dma_address(sg) + at * PAGE, 1000 + i));
			unmap(&w, sg, N, at & 1);
		}
		sim_free(w.m, phys, PAGE);
	}
	for (unsigned int at = 0; at < N; at++) {
		pages(&w, sg, N);
		sg_set_phys(&sg[at], RAM - PAGE, 2 * PAGE);
		assert_true(map(&w, sg, N, false) > 0);
		assert_int_equal(dma_domain_iova_to_phys(
					 w.domain, sg_dma_address(sg) + (at + 1) * PAGE, &phys),
				 0);
		assert_int_equal(phys, RAM);
		unmap(&w, sg, N, false);
	}
	world_end(&w);
}

static void ranges_of_ram(void **state)
{
	(void)state;
	try_ranges_of_ram(false);
	try_ranges_of_ram(true);
}

/** MMIO is a peer's, wherever in the list it is: never mapped as if it were RAM. */
static void try_mmio_in_between(bool ranges_only)
{
	struct scatterlist sg[N];
	struct world w;

	begin_with_memory(&w, ranges_only);
	for (unsigned int at = 0; at < N; at++) {
		pages(&w, sg, N);
		sg_set_phys(&sg[at], BAR_BASE, PAGE);
		refused(&w, sg, N, DMA_REASON_P2P_REFUSED);
		sg_set_phys(&sg[at], BAR_BASE + BAR_SIZE - PAGE, PAGE);
		refused(&w, sg, N, DMA_REASON_P2P_REFUSED);
		sg_set_phys(&sg[at], BAR_BASE + BAR_SIZE - PAGE, 2 * PAGE); /* RAM behind it */
		refused(&w, sg, N, DMA_REASON_P2P_REFUSED);
		/* the lowest and the highest of the list are RAM, and what lies between them is not */
		pages(&w, sg, N);
		sg_set_phys(&sg[(at + 1) % N], HIGH, PAGE);
		sg_set_phys(&sg[at], BAR_BASE + 0x10000, PAGE);
		refused(&w, sg, N, DMA_REASON_P2P_REFUSED);
	}
	world_end(&w);
}

static void mmio_in_between(void **state)
{
	(void)state;
	try_mmio_in_between(false);
	try_mmio_in_between(true);
}

/** RAM that the tables' entries cannot lead to. */
static void beyond_the_width(void **state)
{
	const struct world_config config = { .invalidation = DMA_INVALIDATION_STRICT,
					     .buf_pages = PAGES,
					     .iommu = { .output_bits = 32 },
					     .memory = memory + 3 };
	struct scatterlist sg[N];
	struct world w;

	(void)state;
	world_begin_with(&w, &config);
	for (unsigned int at = 0; at < N; at++) {
		pages(&w, sg, N);
		sg_set_phys(&sg[at], HIGH, PAGE);
		refused(&w, sg, N, DMA_REASON_OUTPUT_WIDTH);
	}
	world_end(&w);
}

/** A unit of 32 bits that does nothing. */
static int narrow_attach(struct dma_iommu_unit *unit, struct dma_device *dev,
			 unsigned int domain_id, phys_addr_t root, unsigned int levels)
{
	(void)unit, (void)dev, (void)domain_id, (void)root, (void)levels;
	return 0;
}

static void narrow_detach(struct dma_iommu_unit *unit, struct dma_device *dev)
{
	(void)unit, (void)dev;
}

static void narrow_caps(struct dma_iommu_unit *unit, struct dma_device *dev,
			struct dma_unit_caps *caps)
{
	(void)unit, (void)dev;
	caps->output_bits = 32;
}

static void narrow_invalidate(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
			      uint64_t len, bool leaf_only)
{
	(void)unit, (void)domain_id, (void)iova, (void)len, (void)leaf_only;
}

static const struct dma_iommu_unit_ops narrow_ops = {
	.size = sizeof(narrow_ops),
	.attach = narrow_attach,
	.detach = narrow_detach,
	.get_caps = narrow_caps,
	.invalidate = narrow_invalidate,
};

/** The same when the width is another device's, and that came later; on hosts of either kind. */
static void width_of_another(void **state)
{
	static const struct world_memory high[] = { { .base = HIGH, .size = 4 * RAM, .held = true },
						    { .size = 0 } };
	struct world_config config = { .invalidation = DMA_INVALIDATION_STRICT,
				       .buf_pages = PAGES,
				       .memory = high };

	(void)state;
	for (unsigned int ranges_only = 0; ranges_only < 2; ranges_only++) {
		struct dma_iommu_unit unit = { &narrow_ops };
		struct scatterlist sg[N];
		struct dma_device other;
		struct world w;

		config.ranges_only = ranges_only;
		world_begin_with(&w, &config);
		sg_init_table(sg, N);
		for (unsigned int i = 0; i < N; i++)
			sg_set_phys(&sg[i], HIGH + 3ull * i * PAGE, PAGE);
		assert_true(map(&w, sg, N, false) > 0);
		unmap(&w, sg, N, false);
		dma_domain_flush(w.domain);
		assert_int_equal(dma_device_init(&other, sizeof(other), sim_host(w.m)), 0);
		assert_int_equal(dma_device_set_unit(&other, &unit), 0);
		assert_int_equal(dma_device_set_domain(&other, w.domain), 0);
		refused(&w, sg, N, DMA_REASON_OUTPUT_WIDTH);
		pages(&w, sg, N);
		assert_true(map(&w, sg, N, false) > 0);
		assert_true(world_reads(&w, sg_dma_address(sg), 0));
		unmap(&w, sg, N, false);
		assert_int_equal(dma_device_set_domain(&other, NULL), 0);
		assert_int_equal(dma_device_fini(&other), 0);
		world_end(&w);
	}
}

/* --- hosts whose memory changes */

static struct {
	void (*describe)(struct dma_host *host, phys_addr_t phys, uint64_t len,
			 struct dma_memory *out);
	phys_addr_t taken; /* from here on it is MMIO */
} hotplug;

static void describe_less(struct dma_host *host, phys_addr_t phys, uint64_t len,
			  struct dma_memory *out)
{
	hotplug.describe(host, phys, len, out);
	if (out->kind != DMA_MEMORY_RAM)
		return;
	if (phys >= hotplug.taken)
		out->kind = DMA_MEMORY_MMIO;
	else if (out->len > hotplug.taken - phys)
		out->len = hotplug.taken - phys;
}

/** Each list is judged by what the host says then. */
static void memory_goes(void **state)
{
	struct scatterlist sg[N];
	struct dma_host *host;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	host = sim_host(w.m);
	hotplug.describe = host->describe;
	hotplug.taken = ~(phys_addr_t)0;
	host->describe = describe_less;
	pages(&w, sg, N);
	assert_true(map(&w, sg, N, false) > 0);
	unmap(&w, sg, N, false);
	hotplug.taken = sg_phys(&sg[N - 1]);
	refused(&w, sg, N, DMA_REASON_P2P_REFUSED);
	assert_true(map(&w, sg, N - 1, false) > 0);
	unmap(&w, sg, N - 1, false);
	hotplug.taken = sg_phys(&sg[0]);
	refused(&w, sg, N, DMA_REASON_P2P_REFUSED);
	for (unsigned int at = 0; at < N; at++) {
		pages(&w, sg, N);
		sg_set_phys(&sg[at], w.buf + 100 * PAGE, PAGE);
		hotplug.taken = sg_phys(&sg[at]);
		refused(&w, sg, N, DMA_REASON_P2P_REFUSED);
	}
	hotplug.taken = ~(phys_addr_t)0;
	assert_true(map(&w, sg, N, false) > 0);
	unmap(&w, sg, N, false);
	world_end(&w);
}

/** What the list was to one device it is no more when another has mapped it. */
static void mapped_for_another(void **state)
{
	const struct sim_device_config config = { .size = sizeof(config), .name = "0000:00:02.0" };
	struct scatterlist sg[N], first[N];
	struct sim_device *direct;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	assert_int_equal(sim_device_create(w.m, &config, &direct), 0);
	pages(&w, sg, N);
	assert_true(map(&w, sg, N, false) > 0);
	memcpy(first, sg, sizeof(sg));
	assert_int_equal(dma_map_sg(sim_dma(direct), sg, N, DMA_TO_DEVICE), N);
	for (unsigned int i = 0; i < N; i++)
		assert_int_equal(sg[i].dma_flags, 0);
	unmap_refused(&w, sg, N, DMA_REASON_NOT_MAPPED);
	dma_unmap_sg(sim_dma(direct), sg, N, DMA_TO_DEVICE);
	unmap(&w, first, N, false);
	assert_int_equal(sim_device_destroy(direct), 0);
	world_end(&w);
}

/* --- lists that are not what they were */

static void damage(struct scatterlist *sg, unsigned int how)
{
	if (how == 0)
		sg->page_link &= DMAMAP_SG_END; /* no page */
	else if (how == 1)
		sg->length = 0;
	else if (how == 2)
		sg->page_link |= DMAMAP_SG_END; /* an end too early */
	else
		sg_set_page(sg, dmamap_pfn_to_page(~(uint64_t)0 >> 12), PAGE, 1);
}

static void see_list(struct dma_observer *self, const struct dma_event *e)
{
	struct watcher *w = (struct watcher *)self;

	if (e->type != DMA_EVENT_UNMAP_SG)
		return;
	assert_string_equal(dma_reason_name(e->reason), dma_reason_name(DMA_REASON_NONE));
	w->events = e->nents;
}

/** A list that says what it is goes as it was mapped, watched or not; who watches is told of a list of so many elements. */
static void damaged(void **state)
{
	struct scatterlist sg[N];
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	for (unsigned int i = 0; i < 2 * 2 * 4 * N; i++) {
		unsigned int at = i % N, how = i / N % 4, watched = i / N / 4 % 2;
		struct watcher watcher = { .observer.event = see_list };
		dma_addr_t addr;

		pages(&w, sg, N);
		if (i / N / 4 / 2) /* not by pages */
			sg[3].length = 100;
		assert_true(map(&w, sg, N, false) > 0);
		addr = sg_dma_address(sg);
		damage(&sg[at], how);
		forget_reason(&w);
		if (watched)
			assert_int_equal(dma_observer_attach(sim_host(w.m), &watcher.observer), 0);
		dma_unmap_sg(w.dev, sg, N, DMA_TO_DEVICE);
		if (watched)
			assert_int_equal(dma_observer_detach(sim_host(w.m), &watcher.observer), 0);
		expect_reason(&w, DMA_REASON_ZERO_SIZE);
		assert_int_equal(watcher.events, watched ? N : 0);
		assert_int_equal(dma_device_live(w.dev), 0);
		for (unsigned int k = 0; k < N; k++)
			assert_true(world_faults(&w, addr + k * PAGE));
	}
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_on_every_format),
		cmocka_unit_test(bad_lists),
		cmocka_unit_test(no_page_of_64_bits),
		cmocka_unit_test(span_of_nothing),
		cmocka_unit_test(other_unmaps),
		cmocka_unit_test(other_addresses),
		cmocka_unit_test(due_flush),
		cmocka_unit_test(as_many_as_fit),
		cmocka_unit_test(properties_are_held),
		cmocka_unit_test(arguments),
		cmocka_unit_test(ranges_of_ram),
		cmocka_unit_test(mmio_in_between),
		cmocka_unit_test(beyond_the_width),
		cmocka_unit_test(width_of_another),
		cmocka_unit_test(memory_goes),
		cmocka_unit_test(mapped_for_another),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests_name("small-lists", tests, NULL, NULL);
}
