/* SPDX-License-Identifier: BSD-2-Clause */
/* Mapping history: what an address last belonged to, in records and in words, for every way to map. */
#include <pthread.h>

#include "world.h"

/** Remembers the latest fault. */
struct catcher {
	struct dma_observer observer;
	struct dma_history *history;
	unsigned int faults;
	struct text text;
};

static void catch (struct dma_observer *observer, const struct dma_event *event)
{
	struct catcher *c = (struct catcher *)(void *)observer;

	if (event->type != DMA_EVENT_IOMMU_FAULT)
		return;
	c->faults++;
	c->text.len = 0;
	dma_fault_explain(c->history, event->fault, put_text, &c->text);
}

/** The device's access at @addr faults, and that is how it is explained; %s in @words is the address. */
static void expect_words(struct world *w, struct dma_history *history, struct sim_device *device,
			 dma_addr_t addr, bool write, enum sim_fault_reason reason,
			 const char *words)
{
	struct catcher c = { .observer.event = catch, .history = history };
	char address[20];
	char expected[MAX_TEXT];
	const char *at = strstr(words, "%s");

	assert_int_equal(dma_observer_attach(w->host, &c.observer), 0);
	expect_access(device, addr, 1, write, reason);
	assert_int_equal(dma_observer_detach(w->host, &c.observer), 0);
	assert_int_equal(c.faults, 1);
	assert_non_null(at);
	snprintf(address, sizeof(address), "0x%016llx", (unsigned long long)addr);
	snprintf(expected, sizeof(expected), "%.*s%s%s", (int)(at - words), words, address, at + 2);
	assert_string_equal(c.text.s, expected);
}

/** The device uses what was unmapped. */
static void after_unmap(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct dma_history *history = start_history(w, 16);
	struct dma_history_record r;
	dma_addr_t addr;

	(void)state;
	sim_set_time(w->m, 1000000);
	addr = world_map(w, w->ram, PAGE, DMA_TO_DEVICE);
	assert_int_equal(dma_history_find(history, w->dev, NULL, addr + 5, &r), 0);
	assert_true(r.live && r.mapped_ns == 1000000 && r.dma_addr == addr && r.len == PAGE);
	sim_advance(w->m, 50000);
	dma_unmap_phys(w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	sim_advance(w->m, 12000);
	expect_words(w, history, w->device, addr + 16, false, SIM_FAULT_NOT_PRESENT,
		     "nvme0: read of %s refused: not-present; the address last belonged to a "
		     "TO_DEVICE mapping of 4096 bytes of RAM, unmapped 12 us ago");
	assert_int_equal(dma_history_find(history, w->dev, NULL, addr + PAGE - 1, &r), 0);
	assert_ptr_equal(r.device, w->dev);
	assert_ptr_equal(r.domain, w->domain);
	assert_string_equal(r.name, "nvme0");
	assert_true(r.phys == w->ram && r.dir == DMA_TO_DEVICE && r.kind == DMA_MAPPED_SINGLE);
	assert_true(!r.live && r.mapped_ns == 1000000 && r.unmapped_ns == 1050000);
	assert_int_equal(dma_history_find(history, NULL, w->domain, addr, &r), 0);
	assert_int_equal(dma_history_find(history, w->dev, NULL, addr + PAGE, &r), -DMAMAP_ENXIO);
	assert_int_equal(dma_history_find(history, NULL, NULL, addr, &r), -DMAMAP_EINVAL);
	stop_history(history);
	world_end(w);
}

/** The device writes what it may only read, and reads what it may only write. */
static void wrong_direction(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct dma_history *history = start_history(w, 16);
	dma_addr_t to = world_map(w, w->ram, PAGE, DMA_TO_DEVICE);
	dma_addr_t from = world_map(w, w->ram + PAGE, 100, DMA_FROM_DEVICE);

	(void)state;
	sim_advance(w->m, 700);
	expect_words(w, history, w->device, to, true, SIM_FAULT_WRITE_DENIED,
		     "nvme0: write of %s refused: write-denied; the address belongs to a live "
		     "TO_DEVICE mapping of 4096 bytes of RAM, which the device may only read, "
		     "mapped 700 ns ago");
	expect_words(w, history, w->device, from + 7, false, SIM_FAULT_READ_DENIED,
		     "nvme0: read of %s refused: read-denied; the address belongs to a live "
		     "FROM_DEVICE mapping of 100 bytes of RAM, which the device may only write, "
		     "mapped 700 ns ago");
	dma_unmap_phys(w->dev, to, PAGE, DMA_TO_DEVICE, 0);
	dma_unmap_phys(w->dev, from, 100, DMA_FROM_DEVICE, 0);
	stop_history(history);
	world_end(w);
}

/** The device runs past the end: the distance counts from the buffer's end, not from its granule's. */
static void past_the_end(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct dma_history *history = start_history(w, 16);
	dma_addr_t addr = world_map(w, w->ram, 2 * PAGE + 100, DMA_FROM_DEVICE);

	(void)state;
	expect_words(w, history, w->device, addr + 3 * PAGE + 4, true, SIM_FAULT_NOT_PRESENT,
		     "nvme0: write of %s refused: not-present; the address lies 4000 bytes past "
		     "the end of a live FROM_DEVICE mapping of 8292 bytes of RAM");
	dma_unmap_phys(w->dev, addr, 2 * PAGE + 100, DMA_FROM_DEVICE, 0);
	sim_set_time(w->m, 3000000000000);
	expect_words(w, history, w->device, addr + 3 * PAGE, true, SIM_FAULT_NOT_PRESENT,
		     "nvme0: write of %s refused: not-present; the address lies 3996 bytes past "
		     "the end of a FROM_DEVICE mapping of 8292 bytes of RAM, unmapped 3000 s ago");
	stop_history(history);
	world_end(w);
}

/** An address that was somebody's, right behind what still lives: both are said. */
static void gone_and_past_the_end(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct dma_history *history = start_history(w, 16);
	dma_addr_t upper = world_map(w, w->ram, PAGE, DMA_TO_DEVICE);
	dma_addr_t lower = world_map(w, w->ram + PAGE, PAGE, DMA_TO_DEVICE);

	(void)state;
	assert_true(upper == lower + PAGE);
	sim_advance(w->m, 5000000);
	dma_unmap_phys(w->dev, upper, PAGE, DMA_TO_DEVICE, 0);
	expect_words(w, history, w->device, upper, false, SIM_FAULT_NOT_PRESENT,
		     "nvme0: read of %s refused: not-present; the address last belonged to a "
		     "TO_DEVICE mapping of 4096 bytes of RAM, unmapped 0 ns ago; the address lies "
		     "0 bytes past the end of a live TO_DEVICE mapping of 4096 bytes of RAM");
	dma_unmap_phys(w->dev, lower, PAGE, DMA_TO_DEVICE, 0);
	stop_history(history);
	world_end(w);
}

static void never_mapped(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct dma_history *history = start_history(w, 1);
	dma_addr_t a;

	(void)state;
	expect_words(w, history, w->device, 0x40000000, true, SIM_FAULT_NOT_PRESENT,
		     "nvme0: write of %s refused: not-present; no mapping that is remembered held "
		     "the address");
	for (int i = 0; i < 3; i++) {
		a = world_map(w, w->ram, PAGE << i, DMA_TO_DEVICE);
		dma_unmap_phys(w->dev, a, PAGE << i, DMA_TO_DEVICE, 0);
	}
	expect_words(w, history, w->device, 0x40000000, true, SIM_FAULT_NOT_PRESENT,
		     "nvme0: write of %s refused: not-present; no mapping that is remembered held "
		     "the address (2 are forgotten)");
	expect_words(w, NULL, w->device, 0x40000000, false, SIM_FAULT_NOT_PRESENT,
		     "nvme0: read of %s refused: not-present");
	stop_history(history);
	world_end(w);
}

/** Segments of a list, with what was merged in them; unmapped as a whole. */
static void lists(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct dma_history *history = start_history(w, 16);
	struct dma_history_record r;
	struct dma_history_stats stats;
	struct scatterlist sg[3];

	(void)state;
	sg_init_table(sg, 3);
	sg_set_phys(&sg[0], w->ram, PAGE);
	sg_set_phys(&sg[1], w->ram + 4 * PAGE, 0x200);
	sg_set_phys(&sg[2], w->ram + 8 * PAGE + 0x100, 0x80);
	assert_int_equal(dma_map_sg(w->dev, sg, 3, DMA_FROM_DEVICE), 2);
	assert_int_equal(dma_history_find(history, w->dev, NULL, sg_dma_address(&sg[0]) + PAGE, &r),
			 0);
	assert_true(r.kind == DMA_MAPPED_LIST && r.len == PAGE + 0x200 && r.phys == w->ram);
	assert_int_equal(dma_history_find(history, w->dev, NULL, sg_dma_address(&sg[1]), &r), 0);
	assert_true(r.len == 0x80 && r.phys == w->ram + 8 * PAGE + 0x100 && r.live);
	dma_history_get_stats(history, &stats);
	assert_int_equal(stats.live, 2);
	dma_unmap_sg(w->dev, sg, 3, DMA_FROM_DEVICE);
	dma_history_get_stats(history, &stats);
	assert_int_equal(stats.live, 0);
	assert_int_equal(stats.unknown_unmaps, 0);
	sim_advance(w->m, 20000000);
	expect_words(w, history, w->device, r.dma_addr, true, SIM_FAULT_NOT_PRESENT,
		     "nvme0: write of %s refused: not-present; the address last belonged to a "
		     "FROM_DEVICE segment of 128 bytes of RAM, unmapped 20 ms ago");
	stop_history(history);
	world_end(w);
}

/** Coherent memory, pages, pieces, vectors and MMIO. */
static void other_ways(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct dma_history *history = start_history(w, 16);
	struct dma_phys_vec vecs[] = { { .phys = w->ram, .len = PAGE },
				       { .phys = w->mmio, .len = PAGE, .attrs = DMA_ATTR_MMIO } };
	struct dma_history_record r;
	struct dma_history_stats stats;
	struct dma_vec_map map;
	dma_addr_t handle;
	dma_addr_t bar;
	void *ptr = dma_alloc_coherent(w->dev, 100, &handle, GFP_KERNEL);

	(void)state;
	assert_non_null(ptr);
	dma_free_coherent(w->dev, 100, ptr, handle);
	expect_words(w, history, w->device, handle, false, SIM_FAULT_NOT_PRESENT,
		     "nvme0: read of %s refused: not-present; the address last belonged to a "
		     "BIDIRECTIONAL allocation of 100 bytes of RAM");
	bar = dma_map_resource(w->dev, w->mmio, PAGE, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_mapping_error(w->dev, bar), 0);
	expect_words(w, history, w->device, bar, true, SIM_FAULT_WRITE_DENIED,
		     "nvme0: write of %s refused: write-denied; the address belongs to a live "
		     "TO_DEVICE mapping of 4096 bytes of MMIO, which the device may only read");
	dma_unmap_resource(w->dev, bar, PAGE, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_vec_map_start(w->dev, &map, vecs, 2, DMA_TO_DEVICE, 0), 0);
	assert_int_equal(dma_history_find(history, w->dev, NULL, map.base + PAGE, &r), 0);
	assert_true(r.live && r.len == 2 * PAGE);
	assert_int_equal(dma_vec_unmap(&map, 0), 0);
	dma_history_get_stats(history, &stats);
	assert_int_equal(stats.live, 0);
	assert_int_equal(stats.unknown_unmaps, 0);
	stop_history(history);
	world_end(w);
}

/** Pieces that were linked to one range: each is a mapping of its own, and one call ends them. */
static void links(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct dma_history *history = start_history(w, 16);
	struct dma_iova_state iova;
	struct dma_history_record r;
	struct dma_history_stats stats;

	(void)state;
	assert_true(dma_iova_try_alloc(w->dev, &iova, 0x800, 3 * PAGE));
	assert_int_equal(dma_iova_link(w->dev, &iova, w->ram + 0x800, 0, 0x800, DMA_TO_DEVICE, 0),
			 0);
	assert_int_equal(
		dma_iova_link(w->dev, &iova, w->ram + 8 * PAGE, 0x800, 0x1234, DMA_TO_DEVICE, 0),
		0);
	assert_int_equal(dma_iova_sync(w->dev, &iova, 0, 0x800 + 0x1234), 0);
	assert_int_equal(dma_history_find(history, w->dev, NULL, iova.addr + 0x900, &r), 0);
	assert_true(r.live && r.kind == DMA_MAPPED_LINKED && r.len == 0x1234 &&
		    r.phys == w->ram + 8 * PAGE);
	expect_words(w, history, w->device, iova.addr + 2 * PAGE + 0x800, false,
		     SIM_FAULT_NOT_PRESENT,
		     "nvme0: read of %s refused: not-present; the address lies 3532 bytes past the "
		     "end of a live TO_DEVICE link of 4660 bytes of RAM");
	dma_history_get_stats(history, &stats);
	assert_int_equal(stats.live, 2);
	dma_iova_destroy(w->dev, &iova, 0x800 + 0x1234, DMA_TO_DEVICE, 0);
	dma_history_get_stats(history, &stats);
	assert_int_equal(stats.live, 0);
	assert_int_equal(stats.unknown_unmaps, 0);
	stop_history(history);
	world_end(w);
}

/** Devices of one domain share its addresses: the other one is named. */
static void other_device(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct sim_device *nic = world_device(w, "nic0", w->iommu);
	struct dma_history *history = start_history(w, 16);
	dma_addr_t addr = world_map(w, w->ram, PAGE, DMA_TO_DEVICE);

	(void)state;
	assert_int_equal(dma_device_set_domain(sim_dma(nic), w->domain), 0);
	expect_words(w, history, nic, addr, true, SIM_FAULT_WRITE_DENIED,
		     "nic0: write of %s refused: write-denied; the address belongs to a live "
		     "TO_DEVICE mapping of 4096 bytes of RAM for nvme0, which the device may only "
		     "read");
	dma_unmap_phys(w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	stop_history(history);
	assert_int_equal(sim_device_destroy(nic), 0);
	world_end(w);
}

/** Devices without a domain have addresses of their own. */
static void direct_devices(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct sim_device *a = world_device(w, "a", NULL);
	struct sim_device *b = world_device(w, "b", NULL);
	struct dma_history *history = start_history(w, 16);
	struct dma_history_record r;
	dma_addr_t addr = dma_map_phys(sim_dma(a), w->ram, 64, DMA_TO_DEVICE, 0);
	dma_addr_t twice = dma_map_phys(sim_dma(a), w->ram, 64, DMA_TO_DEVICE, 0);

	(void)state;
	assert_true(addr == twice);
	assert_int_equal(dma_history_find(history, sim_dma(a), NULL, addr + 63, &r), 0);
	assert_null(r.domain);
	assert_int_equal(dma_history_find(history, sim_dma(b), NULL, addr, &r), -DMAMAP_ENXIO);
	dma_unmap_phys(sim_dma(a), addr, 64, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_history_find(history, sim_dma(a), NULL, addr, &r), 0);
	assert_true(r.live);
	dma_unmap_phys(sim_dma(a), twice, 64, DMA_TO_DEVICE, 0);
	assert_int_equal(dma_history_find(history, sim_dma(a), NULL, addr, &r), 0);
	assert_false(r.live);
	stop_history(history);
	assert_int_equal(dma_device_quiesce(sim_dma(a)), 0);
	assert_int_equal(sim_device_destroy(a), 0);
	assert_int_equal(sim_device_destroy(b), 0);
	world_end(w);
}

/** What is gone makes room first, the oldest before the rest; then what lives. */
static void bounded(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct dma_history *history = start_history(w, 4);
	struct dma_history_stats stats;
	struct dma_history_record r;
	dma_addr_t a[7];

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		a[i] = world_map(w, w->ram + i * PAGE, PAGE, DMA_TO_DEVICE);
	dma_unmap_phys(w->dev, a[2], PAGE, DMA_TO_DEVICE, 0);
	dma_unmap_phys(w->dev, a[1], PAGE, DMA_TO_DEVICE, 0);
	a[4] = world_map(w, w->ram, 2 * PAGE, DMA_TO_DEVICE);
	assert_int_equal(dma_history_find(history, w->dev, NULL, a[0], &r), 0);
	assert_int_equal(dma_history_find(history, w->dev, NULL, a[1], &r), 0);
	assert_int_equal(dma_history_find(history, w->dev, NULL, a[2], &r), -DMAMAP_ENXIO);
	a[5] = world_map(w, w->ram, 2 * PAGE, DMA_TO_DEVICE);
	a[6] = world_map(w, w->ram, 2 * PAGE, DMA_TO_DEVICE);
	assert_int_equal(dma_history_find(history, w->dev, NULL, a[1], &r), -DMAMAP_ENXIO);
	assert_int_equal(dma_history_find(history, w->dev, NULL, a[0], &r), -DMAMAP_ENXIO);
	assert_int_equal(dma_history_find(history, w->dev, NULL, a[3], &r), 0);
	dma_history_get_stats(history, &stats);
	assert_int_equal(stats.capacity, 4);
	assert_int_equal(stats.records, 4);
	assert_int_equal(stats.live, 4);
	assert_int_equal(stats.forgotten, 3);
	assert_int_equal(stats.forgotten_live, 1);
	dma_unmap_phys(w->dev, a[0], PAGE, DMA_TO_DEVICE, 0);
	dma_history_get_stats(history, &stats);
	assert_int_equal(stats.unknown_unmaps, 1);
	dma_unmap_phys(w->dev, a[3], PAGE, DMA_TO_DEVICE, 0);
	for (unsigned int i = 4; i < 7; i++)
		dma_unmap_phys(w->dev, a[i], 2 * PAGE, DMA_TO_DEVICE, 0);
	stop_history(history);
	world_end(w);
}

static void arguments(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct dma_history *history;

	(void)state;
	assert_int_equal(dma_history_create(NULL, 1, &history), -DMAMAP_EINVAL);
	assert_int_equal(dma_history_create(w->host, 0, &history), -DMAMAP_EINVAL);
	assert_int_equal(dma_history_create(w->host, (1u << 24) + 1, &history), -DMAMAP_EINVAL);
	assert_int_equal(dma_history_create(w->host, 1, NULL), -DMAMAP_EINVAL);
	sim_fail_alloc(w->m, 1);
	assert_int_equal(dma_history_create(w->host, 1, &history), -DMAMAP_ENOMEM);
	assert_int_equal(dma_history_create(w->host, 1, &history), 0);
	assert_int_equal(dma_history_detach(history), -DMAMAP_EINVAL);
	assert_int_equal(dma_history_attach(history), 0);
	assert_int_equal(dma_history_attach(history), -DMAMAP_EBUSY);
	stop_history(history);
	assert_int_equal(dma_history_destroy(NULL), 0);
	world_end(w);
}

/* --- against a slow model */

#define STEPS 4000u
#define LIVE  24u

struct old {
	dma_addr_t addr;
	uint64_t len;
	enum dma_data_direction dir;
	bool live;
};

static uint64_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

static uint64_t seed_of_test(void)
{
	const char *given = getenv("DMAMAP_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : 20261126;

	print_message("# DMAMAP_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

/** The youngest live one, else the youngest of all. */
static const struct old *model_find(const struct old *all, unsigned int n, dma_addr_t addr)
{
	const struct old *gone = NULL;

	while (n--) {
		if (addr - all[n].addr >= all[n].len)
			continue;
		if (all[n].live)
			return &all[n];
		if (!gone)
			gone = &all[n];
	}
	return gone;
}

static void check_address(struct world *w, struct dma_history *history, const struct old *all,
			  unsigned int n, dma_addr_t addr)
{
	const struct old *o = model_find(all, n, addr);
	struct dma_history_record r;

	if (!o) {
		assert_int_equal(dma_history_find(history, w->dev, NULL, addr, &r), -DMAMAP_ENXIO);
		return;
	}
	assert_int_equal(dma_history_find(history, w->dev, NULL, addr, &r), 0);
	assert_true(r.dma_addr == o->addr && r.len == o->len && r.dir == o->dir);
	assert_int_equal(r.live, o->live);
}

static void random_against_model(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct dma_history *history = start_history(w, STEPS);
	struct old *all = calloc(STEPS, sizeof(*all));
	uint64_t seed = seed_of_test();
	unsigned int live[LIVE];
	unsigned int nr_live = 0;
	unsigned int n = 0;

	(void)state;
	assert_non_null(all);
	for (unsigned int step = 0; step < STEPS; step++) {
		if (nr_live == LIVE || (nr_live && random_next(&seed) % 2)) {
			unsigned int pick = random_next(&seed) % nr_live;
			struct old *o = &all[live[pick]];

			dma_unmap_phys(w->dev, o->addr, o->len, o->dir, 0);
			o->live = false;
			live[pick] = live[--nr_live];
		} else {
			struct old *o = &all[n];

			o->len = 1 + random_next(&seed) % (random_next(&seed) % 4 ? 5000 : 60000);
			o->dir = (enum dma_data_direction)(random_next(&seed) % 3);
			o->addr = world_map(
				w,
				w->ram + (random_next(&seed) % 2 ? 0 : random_next(&seed) % 5000),
				o->len, o->dir);
			o->live = true;
			live[nr_live++] = n++;
		}
		for (int i = 0; i < 4; i++) {
			const struct old *o = &all[random_next(&seed) % n];

			check_address(w, history, all, n,
				      o->addr + random_next(&seed) % (o->len + 100));
		}
	}
	while (nr_live--)
		dma_unmap_phys(w->dev, all[live[nr_live]].addr, all[live[nr_live]].len,
			       all[live[nr_live]].dir, 0);
	free(all);
	stop_history(history);
	world_end(w);
}

/* --- threads */

/** Maps what another thread is just unmapping: the address is free, but the unmap has not been told yet. */
struct thief {
	struct dma_observer observer;
	struct world *w;
	dma_addr_t addr;
};

static void *steal(void *arg)
{
	struct thief *t = arg;

	t->addr = dma_map_phys(t->w->dev, t->w->ram, PAGE, DMA_FROM_DEVICE, 0);
	return NULL;
}

static void watch(struct dma_observer *observer, const struct dma_event *event)
{
	struct thief *t = (struct thief *)(void *)observer;
	pthread_t thread;

	if (event->type != DMA_EVENT_UNMAP_PHYS || t->addr)
		return;
	assert_int_equal(pthread_create(&thread, NULL, steal, t), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void told_late(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct thief t = { .observer.event = watch, .w = w };
	struct dma_history *history;
	struct dma_history_record r;
	dma_addr_t addr;

	(void)state;
	assert_int_equal(dma_observer_attach(w->host, &t.observer), 0);
	history = start_history(w, 8);
	addr = world_map(w, w->ram, PAGE, DMA_TO_DEVICE);
	dma_unmap_phys(w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	assert_true(t.addr == addr);
	assert_int_equal(dma_history_find(history, w->dev, NULL, addr, &r), 0);
	assert_true(r.live && r.dir == DMA_FROM_DEVICE);
	dma_unmap_phys(w->dev, addr, PAGE, DMA_FROM_DEVICE, 0);
	assert_int_equal(dma_history_find(history, w->dev, NULL, addr, &r), 0);
	assert_false(r.live);
	stop_history(history);
	assert_int_equal(dma_observer_detach(w->host, &t.observer), 0);
	world_end(w);
}

static void *map_and_unmap(void *arg)
{
	struct world *w = arg;

	for (int i = 0; i < 2000; i++) {
		size_t size = PAGE << (i & 1);
		dma_addr_t addr = dma_map_phys(w->dev, w->ram, size, DMA_TO_DEVICE, 0);

		if (dma_mapping_error(w->dev, addr))
			return w;
		dma_unmap_phys(w->dev, addr, size, DMA_TO_DEVICE, 0);
	}
	return NULL;
}

/** Addresses are mapped anew before the unmap is told; nothing may stay live for that, or be ended twice. */
static void threads(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct dma_history *history = start_history(w, 64);
	struct dma_history_stats stats;
	pthread_t thread[3];
	void *failed;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, map_and_unmap, w), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(thread[i], &failed), 0);
		assert_null(failed);
	}
	dma_history_get_stats(history, &stats);
	assert_int_equal(stats.live, 0);
	assert_int_equal(stats.unknown_unmaps, 0);
	stop_history(history);
	world_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_unmap),
		cmocka_unit_test(wrong_direction),
		cmocka_unit_test(past_the_end),
		cmocka_unit_test(gone_and_past_the_end),
		cmocka_unit_test(never_mapped),
		cmocka_unit_test(lists),
		cmocka_unit_test(other_ways),
		cmocka_unit_test(links),
		cmocka_unit_test(other_device),
		cmocka_unit_test(direct_devices),
		cmocka_unit_test(bounded),
		cmocka_unit_test(arguments),
		cmocka_unit_test(random_against_model),
		cmocka_unit_test(told_late),
		cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
