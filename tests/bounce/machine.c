/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tests' host. Its linear map is one reservation for each piece of RAM, so that only what was asked for by address
 * can be reached.
 */
#include "machine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static _Thread_local int locks_held;
_Thread_local unsigned int test_cpu;

static struct machine *machine_of(struct dma_host *host)
{
	return host->priv;
}

static struct piece *piece_at(struct machine *m, phys_addr_t phys)
{
	for (int i = 0; i < PIECES; i++)
		if (phys - m->pieces[i].base < m->pieces[i].size)
			return &m->pieces[i];
	return NULL;
}

unsigned char *ram(struct machine *m, phys_addr_t phys)
{
	struct piece *p = piece_at(m, phys);

	assert_non_null(p);
	return p->mem + (phys - p->base);
}

static bool ram_range(struct dma_host *host, unsigned int index, phys_addr_t *start, uint64_t *size)
{
	if (index >= PIECES)
		return false;
	*start = machine_of(host)->pieces[index].base;
	*size = machine_of(host)->pieces[index].size;
	return true;
}

static void *phys_to_virt(struct dma_host *host, phys_addr_t phys)
{
	struct piece *p = piece_at(machine_of(host), phys);

	return p && p->base != HIGH ? p->mem + (phys - p->base) : NULL;
}

static phys_addr_t virt_to_phys(struct dma_host *host, const void *ptr)
{
	struct machine *m = machine_of(host);

	for (int i = 0; i < PIECES; i++) {
		uint64_t offset = (uintptr_t)ptr - (uintptr_t)m->pieces[i].mem;

		if (offset < m->pieces[i].size)
			return m->pieces[i].base + offset;
	}
	return DMAMAP_PHYS_NONE;
}

/* The first free pages for @request, or the next ones. */
static phys_addr_t place(struct machine *m, const struct dma_page_request *request)
{
	phys_addr_t phys = m->recycle ? META : m->next_page;

	phys = (phys + request->align - 1) & ~(request->align - 1);
	while (m->recycle && phys + request->size <= META + 64 * MB &&
	       memchr(&m->taken[(phys - META) / PAGE], 1, request->size / PAGE))
		phys += request->align;
	if (phys + request->size - 1 > request->ceiling || !piece_at(m, phys + request->size - 1))
		return DMAMAP_PHYS_NONE;
	return phys;
}

static phys_addr_t alloc_pages(struct dma_host *host, const struct dma_page_request *request)
{
	struct machine *m = machine_of(host);
	phys_addr_t phys = DMAMAP_PHYS_NONE;

	assert_int_equal(locks_held, 0);
	pthread_mutex_lock(&m->pages);
	if (!m->fail_alloc || --m->fail_alloc)
		phys = place(m, request);
	if (phys != DMAMAP_PHYS_NONE) {
		m->next_page = phys + request->size;
		m->pages_out++;
		m->asked = *request;
		memset(&m->taken[(phys - META) / PAGE], 1, request->size / PAGE);
		/* Content is undefined: make sure that nobody counts on zeroes. */
		memset(ram(m, phys), 0xa5, request->size);
	}
	pthread_mutex_unlock(&m->pages);
	return phys;
}

static void free_pages(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	struct machine *m = machine_of(host);

	pthread_mutex_lock(&m->pages);
	memset(ram(m, phys), 0xdd, size);
	memset(&m->taken[(phys - META) / PAGE], 0, size / PAGE);
	m->pages_out--;
	pthread_mutex_unlock(&m->pages);
}

/* A window onto one page frame: reading or writing past it faults. */
static void *map_temporary(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	struct machine *m = machine_of(host);
	uint64_t offset = phys % PAGE;
	unsigned char *window;

	assert_true(offset + size <= PAGE);
	window = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(window, MAP_FAILED);
	assert_int_equal(mprotect(window + PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	memcpy(window + PAGE, ram(m, phys - offset), PAGE);
	m->temporary++;
	return window + PAGE + offset;
}

static phys_addr_t last_temporary_phys(struct machine *m, const unsigned char *page)
{
	struct piece *p = piece_at(m, HIGH);

	/* The first bytes of every frame of HIGH carry its number: see machine_new(). */
	for (uint64_t at = 0; at < p->size; at += PAGE)
		if (!memcmp(p->mem + at, page, sizeof(uint64_t)))
			return HIGH + at;
	fail_msg("a temporary page of nowhere");
	return 0;
}

static void unmap_temporary(struct dma_host *host, void *ptr, uint64_t size)
{
	struct machine *m = machine_of(host);
	unsigned char *page = (unsigned char *)((uintptr_t)ptr & ~(uintptr_t)(PAGE - 1));

	(void)size;
	memcpy(ram(m, last_temporary_phys(m, page)), page, PAGE);
	munmap(page - PAGE, 3 * PAGE);
	m->temporary--;
}

static void lock_init(struct dma_host *host, struct dma_lock *lock)
{
	(void)host;
	_Static_assert(sizeof(pthread_mutex_t) <= sizeof(struct dma_lock), "a mutex fits");
	pthread_mutex_init((pthread_mutex_t *)(void *)lock, NULL);
}

static void lock_fini(struct dma_host *host, struct dma_lock *lock)
{
	(void)host;
	pthread_mutex_destroy((pthread_mutex_t *)(void *)lock);
}

static void lock_take(struct dma_host *host, struct dma_lock *lock)
{
	(void)host;
	pthread_mutex_lock((pthread_mutex_t *)(void *)lock);
	locks_held++;
}

static void lock_drop(struct dma_host *host, struct dma_lock *lock)
{
	(void)host;
	locks_held--;
	pthread_mutex_unlock((pthread_mutex_t *)(void *)lock);
}

static unsigned int cpu_hook(struct dma_host *host)
{
	(void)host;
	return test_cpu;
}

static bool may_block_hook(struct dma_host *host)
{
	return machine_of(host)->may_block;
}

static uint64_t clock_hook(struct dma_host *host)
{
	return __atomic_load_n(&((struct machine *)host->priv)->now, __ATOMIC_RELAXED);
}

void machine_clock(struct machine *m)
{
	m->host.time_ns = clock_hook;
}

void machine_defer(struct dma_host *host, void (*fn)(void *arg), void *arg, uint64_t ns)
{
	struct machine *m = machine_of(host);

	(void)ns;
	assert_int_equal(locks_held, 0);
	m->deferred++;
	m->later = fn;
	m->later_arg = arg;
}

static void copy_hook(struct dma_host *host, void *dst, const void *src, size_t size)
{
	(void)host;
	assert_int_equal(locks_held, 0);
	memcpy(dst, src, size);
}

static void trace_hook(struct dma_host *host, const struct dma_event *event)
{
	struct machine *m = machine_of(host);

	assert_int_equal(locks_held, 0);
	m->events++;
	m->event = *event;
}

static void warn_hook(struct dma_host *host, const char *text)
{
	struct machine *m = machine_of(host);

	assert_int_equal(locks_held, 0);
	pthread_mutex_lock(&m->pages);
	m->messages++;
	snprintf(m->message, sizeof(m->message), "%s", text);
	pthread_mutex_unlock(&m->pages);
}

static void log_hook(struct dma_host *host, enum dma_log_level level, const char *text)
{
	(void)level;
	warn_hook(host, text);
}

static void add_piece(struct piece *p, phys_addr_t base, uint64_t size)
{
	p->base = base;
	p->size = size;
	p->mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(p->mem, MAP_FAILED);
}

static void add_memory(struct machine *m)
{
	add_piece(&m->pieces[0], LOW, MB);
	add_piece(&m->pieces[1], POOL, 64 * MB);
	add_piece(&m->pieces[2], META, 64 * MB);
	add_piece(&m->pieces[3], BUF, 128 * MB);
	add_piece(&m->pieces[4], SPLIT - MB / 16, MB / 16);
	add_piece(&m->pieces[5], SPLIT, MB / 16);
	assert_ptr_not_equal(m->pieces[4].mem + MB / 16, m->pieces[5].mem);
	add_piece(&m->pieces[6], HIGH, MB / 16);
	for (uint64_t at = 0; at < MB / 16; at += PAGE) {
		uint64_t number = HIGH + at;

		memcpy(m->pieces[6].mem + at, &number, sizeof(number));
	}
}

void machine_device(struct machine *m, struct dma_device *dev, struct dma_parms *parms)
{
	assert_int_equal(dmamap_device_init(dev, sizeof(*dev), &m->host), 0);
	dmamap_device_set_parms(dev, parms);
	assert_int_equal(dmamap_set_mask_and_coherent(dev, ~UINT64_C(0)), 0);
}

struct machine *machine_new(void)
{
	struct machine *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	add_memory(m);
	m->next_page = META;
	pthread_mutex_init(&m->pages, NULL);
	m->host = (struct dma_host){
		.size = sizeof(m->host),
		.priv = m,
		.page_size = PAGE,
		.ram_range = ram_range,
		.phys_to_virt = phys_to_virt,
		.virt_to_phys = virt_to_phys,
		.alloc_pages = alloc_pages,
		.free_pages = free_pages,
		.map_temporary = map_temporary,
		.unmap_temporary = unmap_temporary,
		.lock_init = lock_init,
		.lock_fini = lock_fini,
		.lock = lock_take,
		.unlock = lock_drop,
		.cpu_id = cpu_hook,
		.may_block = may_block_hook,
		.copy = copy_hook,
		.trace = trace_hook,
		.warn = warn_hook,
		.log = log_hook,
	};
	assert_int_equal(dmamap_host_init(&m->host), 0);
	machine_device(m, &m->dev, &m->parms);
	return m;
}

void machine_attach(struct machine *m, struct dma_device *dev)
{
	assert_int_equal(dmamap_device_set_bounce(dev, m->pool), 0);
}

void machine_pool_config(struct machine *m, struct dma_bounce_config config)
{
	config.size = sizeof(config);
	assert_int_equal(dmamap_bounce_create(&m->host, &config, &m->pool), 0);
	machine_attach(m, &m->dev);
}

void machine_pool_segments(struct machine *m, uint64_t slots, uint32_t segment)
{
	machine_pool_config(m, (struct dma_bounce_config){
				       .bytes = slots * SLOT,
				       .segment_slots = segment,
				       .base = POOL,
			       });
}

void machine_pool(struct machine *m, uint64_t slots)
{
	machine_pool_segments(m, slots, 128);
}

void machine_free(struct machine *m)
{
	assert_int_equal(dmamap_device_fini(&m->dev), 0);
	assert_int_equal(dmamap_bounce_destroy(m->pool), 0);
	assert_int_equal(dmamap_host_fini(&m->host), 0);
	assert_int_equal(m->pages_out, 0);
	assert_int_equal(m->temporary, 0);
	for (int i = 0; i < PIECES; i++)
		munmap(m->pieces[i].mem, m->pieces[i].size);
	pthread_mutex_destroy(&m->pages);
	free(m);
	test_cpu = 0;
}

static unsigned char pattern_byte(phys_addr_t phys, unsigned int salt)
{
	return (unsigned char)((phys * 167 + (phys >> 8) * 59 + salt * 101) >> 1);
}

/* Bytes from @phys that stay inside of one page frame. */
static uint64_t frame_part(phys_addr_t phys, uint64_t size)
{
	uint64_t room = PAGE - phys % PAGE;

	return size < room ? size : room;
}

void pattern(struct machine *m, phys_addr_t phys, uint64_t size, unsigned int salt)
{
	while (size) {
		uint64_t n = frame_part(phys, size);
		unsigned char *at = ram(m, phys);

		for (uint64_t i = 0; i < n; i++)
			at[i] = pattern_byte(phys + i, salt);
		phys += n;
		size -= n;
	}
}

bool is_pattern(struct machine *m, phys_addr_t phys, uint64_t size, phys_addr_t as_at,
		unsigned int salt)
{
	while (size) {
		uint64_t n = frame_part(phys, size);
		const unsigned char *at = ram(m, phys);
		unsigned int wrong = 0;

		for (uint64_t i = 0; i < n; i++)
			wrong |= at[i] ^ pattern_byte(as_at + i, salt);
		if (wrong)
			return false;
		phys += n;
		as_at += n;
		size -= n;
	}
	return true;
}

phys_addr_t map_aligned(struct machine *m, phys_addr_t phys, uint64_t size, uint64_t align_mask)
{
	struct dma_error why;
	phys_addr_t copy = dmamap_bounce_map(&m->dev, phys, size, align_mask, 0, &why);

	assert_true(copy != DMAMAP_PHYS_NONE);
	return copy;
}

phys_addr_t map(struct machine *m, phys_addr_t phys, uint64_t size)
{
	return map_aligned(m, phys, size, 0);
}

enum dma_reason refused(struct machine *m, phys_addr_t phys, uint64_t size, uint64_t align_mask,
			uint64_t *have)
{
	struct dma_error why = { .reason = DMA_REASON_NONE };
	uint64_t before = m->pool ? used(m) : 0;

	assert_true(dmamap_bounce_map(&m->dev, phys, size, align_mask, 0, &why) ==
		    DMAMAP_PHYS_NONE);
	assert_true(!m->pool || used(m) == before);
	assert_ptr_equal(why.dev, &m->dev);
	assert_int_equal(why.err, -DMAMAP_ENOMEM);
	assert_int_equal(why.addr, phys);
	assert_int_equal(why.size, size);
	if (have)
		*have = why.have;
	return why.reason;
}

bool unmap(struct machine *m, phys_addr_t copy, uint64_t size, enum dma_data_direction dir)
{
	struct dma_error why = { .reason = DMA_REASON_NONE };
	bool done = dmamap_bounce_unmap(&m->dev, copy, size, dir, 0, &why);

	assert_int_equal(why.reason, done ? DMA_REASON_NONE : DMA_REASON_NOT_BOUNCED);
	return done;
}

struct dma_bounce_stats stats(struct machine *m)
{
	struct dma_bounce_stats s;

	dmamap_bounce_get_stats(m->pool, &s);
	return s;
}

uint64_t used(struct machine *m)
{
	return stats(m).used_slots;
}

uint64_t seed_get(void)
{
	const char *text = getenv("DMAMAP_TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);

	printf("# DMAMAP_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed ? seed : 1;
}

uint64_t rnd(uint64_t *state)
{
	uint64_t v = *state += UINT64_C(0x9e3779b97f4a7c15);

	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

uint64_t rnd_below(uint64_t *state, uint64_t n)
{
	return rnd(state) % n;
}
