/* SPDX-License-Identifier: BSD-2-Clause */
/* The recording host: log, memory, hooks, devices. See fixture.h. */
#include "fixture.h"

#include <sys/mman.h>

/* Library memory: a part below 16 MiB and a larger one; a byte a page says whether it is taken. */
#define LOW_BASE   0x00800000ull
#define LOW_PAGES  1024u
#define MAIN_BASE  0x20000000ull
#define MAIN_PAGES 31976u
#define NR_PAGES   (LOW_PAGES + MAIN_PAGES)
#define BACKED	   (16ull << 30)

static struct fx *fx_of(struct dma_host *host)
{
	return host->priv;
}

/* --- log */

struct fx_entry *fx_log(struct fx *fx, const char *what)
{
	struct fx_entry *entry;

	if ((fx->nr_log & (fx->nr_log - 1)) == 0) {
		size_t room = fx->nr_log ? fx->nr_log * 2 : 1;

		fx->log = realloc(fx->log, room * sizeof(*fx->log));
		assert_non_null(fx->log);
	}
	entry = &fx->log[fx->nr_log++];
	memset(entry, 0, sizeof(*entry));
	entry->what = what;
	return entry;
}

void fx_clear(struct fx *fx)
{
	for (size_t i = 0; i < fx->nr_log; i++) {
		free(fx->log[i].text);
		free(fx->log[i].linux_text);
	}
	free(fx->log);
	fx->log = NULL;
	fx->nr_log = 0;
}

const char *fx_order(struct fx *fx)
{
	size_t len = 0;

	fx->order[0] = 0;
	for (size_t i = 0; i < fx->nr_log && len < sizeof(fx->order); i++)
		len += (size_t)snprintf(fx->order + len, sizeof(fx->order) - len, "%s%s",
					i ? " " : "", fx->log[i].what);
	return fx->order;
}

unsigned int fx_count(const struct fx *fx, const char *what)
{
	unsigned int n = 0;

	for (size_t i = 0; i < fx->nr_log; i++)
		n += strcmp(fx->log[i].what, what) == 0;
	return n;
}

unsigned int fx_traces(const struct fx *fx)
{
	unsigned int n = 0;

	for (size_t i = 0; i < fx->nr_log; i++)
		n += strncmp(fx->log[i].what, "T:", 2) == 0;
	return n;
}

struct fx_entry *fx_get(struct fx *fx, const char *what, unsigned int nth)
{
	for (size_t i = 0; i < fx->nr_log; i++)
		if (strcmp(fx->log[i].what, what) == 0 && nth-- == 0)
			return &fx->log[i];
	fail_msg("no such entry: %s; there were: %s", what, fx_order(fx));
	return NULL;
}

bool fx_before(struct fx *fx, const char *first, const char *second)
{
	const struct fx_entry *earlier = fx_get(fx, first, fx_count(fx, first) - 1);

	return earlier < fx_get(fx, second, 0);
}

void fx_reason(struct dma_device *dev, enum dma_reason reason)
{
	struct dma_error mine;
	struct dma_error devices;
	char text[512];

	assert_int_equal(dma_last_error(dev, &mine), 0);
	assert_int_equal(dma_device_last_error(dev, &devices), 0);
	assert_string_equal(dma_reason_name(mine.reason), dma_reason_name(reason));
	assert_string_equal(dma_reason_name(devices.reason), dma_reason_name(reason));
	assert_ptr_equal(mine.dev, dev);
	assert_true(mine.err < 0);
	assert_true(dma_error_format(&mine, text, sizeof(text)) > strlen(dma_reason_name(reason)));
	assert_non_null(strstr(text, dma_reason_name(reason)));
}

void fx_message(struct fx *fx, const char *what, unsigned int n)
{
	expect_count(fx, what, n);
	for (unsigned int i = 0; i < n; i++)
		assert_true(strlen(fx_get(fx, what, i)->text) > 10);
}

/* --- memory */

unsigned char *fx_ram(struct fx *fx, uint64_t phys)
{
	assert_true(phys < fx->backed);
	return fx->ram + phys;
}

void fx_pattern(struct fx *fx, uint64_t phys, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		*fx_ram(fx, phys + i) = (unsigned char)(phys + i);
}

bool fx_all(struct fx *fx, uint64_t phys, uint64_t len, unsigned char value)
{
	for (uint64_t i = 0; i < len; i++)
		if (*fx_ram(fx, phys + i) != value)
			return false;
	return true;
}

bool fx_has_pattern(struct fx *fx, uint64_t phys, uint64_t orig, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		if (*fx_ram(fx, phys + i) != (unsigned char)(orig + i))
			return false;
	return true;
}

static uint64_t page_phys(unsigned int page)
{
	if (page < LOW_PAGES)
		return LOW_BASE + (uint64_t)page * 4096;
	return MAIN_BASE + (uint64_t)(page - LOW_PAGES) * 4096;
}

static bool pages_free(const struct fx *fx, unsigned int page, unsigned int n)
{
	if (page + n > NR_PAGES || (page < LOW_PAGES && page + n > LOW_PAGES))
		return false;
	for (unsigned int i = 0; i < n; i++)
		if (fx->page_map[page + i])
			return false;
	return true;
}

phys_addr_t fx_take_pages(struct fx *fx, const struct dma_page_request *request)
{
	unsigned int n = (unsigned int)(request->size / 4096);
	unsigned int first = request->ceiling < MAIN_BASE + request->size - 1 ? 0 : LOW_PAGES;

	for (unsigned int page = first; page < NR_PAGES; page++) {
		uint64_t phys = page_phys(page);

		if (phys & (request->align - 1) || phys + request->size - 1 > request->ceiling ||
		    !pages_free(fx, page, n))
			continue;
		memset(fx->page_map + page, 1, n);
		fx->page_size_at[page] = request->size;
		fx->live_pages += n;
		/* Content is undefined: make it visible if somebody forgets to zero it. */
		memset(fx_ram(fx, phys), 0xa5, request->size);
		return phys;
	}
	return DMAMAP_PHYS_NONE;
}

static void lock_pages(struct fx *fx)
{
	while (__atomic_exchange_n(&fx->pages_busy, true, __ATOMIC_ACQUIRE))
		;
}

static void unlock_pages(struct fx *fx)
{
	__atomic_store_n(&fx->pages_busy, false, __ATOMIC_RELEASE);
}

static phys_addr_t alloc_pages(struct dma_host *host, const struct dma_page_request *request)
{
	struct fx *fx = fx_of(host);
	phys_addr_t phys = DMAMAP_PHYS_NONE;

	lock_pages(fx);
	fx->last_request = *request;
	fx->allocs++;
	if (!fx->fail_all && !(fx->fail_at && --fx->fail_at == 0))
		phys = fx_take_pages(fx, request);
	unlock_pages(fx);
	return phys;
}

void fx_give_pages(struct fx *fx, phys_addr_t phys, uint64_t size)
{
	unsigned int page = phys < MAIN_BASE
				    ? (unsigned int)((phys - LOW_BASE) / 4096)
				    : LOW_PAGES + (unsigned int)((phys - MAIN_BASE) / 4096);

	if (page >= NR_PAGES || page_phys(page) != phys || fx->page_size_at[page] != size) {
		fx->bad_frees++;
		return;
	}
	memset(fx->page_map + page, 0, size / 4096);
	fx->page_size_at[page] = 0;
	fx->live_pages -= size / 4096;
	memset(fx_ram(fx, phys), 0x5a, size);
}

static void free_pages(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	struct fx *fx = fx_of(host);

	if (fx->log_pages)
		fx_log(fx, "free-pages")->addr = phys;
	lock_pages(fx);
	fx_give_pages(fx, phys, size);
	unlock_pages(fx);
}

static bool ram_range(struct dma_host *host, unsigned int index, phys_addr_t *start, uint64_t *size)
{
	struct fx *fx = fx_of(host);

	if (index >= 4 || !fx->config.ram[index][1])
		return false;
	*start = fx->config.ram[index][0];
	*size = fx->config.ram[index][1];
	return true;
}

static void *phys_to_virt(struct dma_host *host, phys_addr_t phys)
{
	struct fx *fx = fx_of(host);

	return phys < fx->backed ? fx->ram + phys : NULL;
}

static phys_addr_t virt_to_phys(struct dma_host *host, const void *ptr)
{
	struct fx *fx = fx_of(host);
	uint64_t at = (uint64_t)((uintptr_t)ptr - (uintptr_t)fx->ram);

	return at < fx->backed ? at : DMAMAP_PHYS_NONE;
}

/* --- hooks */

static void log_range(struct dma_host *host, const char *what, uint64_t addr, uint64_t size,
		      enum dma_data_direction dir)
{
	struct fx_entry *entry = fx_log(fx_of(host), what);

	entry->addr = addr;
	entry->size = size;
	entry->dir = (int)dir;
}

static void cache_for_device(struct dma_host *host, phys_addr_t phys, uint64_t size,
			     enum dma_data_direction dir)
{
	log_range(host, "for-device", phys, size, dir);
}

static void cache_for_cpu(struct dma_host *host, phys_addr_t phys, uint64_t size,
			  enum dma_data_direction dir)
{
	log_range(host, "for-cpu", phys, size, dir);
}

static void cache_for_cpu_all(struct dma_host *host)
{
	fx_log(fx_of(host), "for-cpu-all");
}

static void cache_flush(struct dma_host *host)
{
	fx_log(fx_of(host), "flush");
}

static void cache_prepare(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	log_range(host, "prepare", phys, size, BIDI);
}

static void *map_uncached(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	log_range(host, "uncached", phys, size, BIDI);
	return phys_to_virt(host, phys);
}

static void unmap_uncached(struct dma_host *host, void *ptr, phys_addr_t phys, uint64_t size)
{
	assert_ptr_equal(ptr, phys_to_virt(host, phys));
	log_range(host, "unmap-uncached", phys, size, BIDI);
}

static void sanitize(struct dma_host *host, enum dma_sanitize_event event, phys_addr_t phys,
		     uint64_t size, enum dma_data_direction dir)
{
	assert_int_equal(event, DMA_SANITIZE_MAP);
	log_range(host, "sanitize", phys, size, dir);
}

static void copy(struct dma_host *host, void *dst, const void *src, size_t size)
{
	struct fx_entry *entry = fx_log(fx_of(host), "copy");

	entry->addr = virt_to_phys(host, dst);
	entry->extra = virt_to_phys(host, src);
	entry->size = size;
	memcpy(dst, src, size);
}

static void log_text(struct dma_host *host, enum dma_log_level level, const char *text)
{
	struct fx_entry *entry = fx_log(fx_of(host), "log");

	entry->extra = level;
	entry->text = strdup(text);
}

static void warn(struct dma_host *host, const char *text)
{
	fx_log(fx_of(host), "warn")->text = strdup(text);
}

static void fatal(struct dma_host *host, const char *text)
{
	fx_log(fx_of(host), "fatal")->text = strdup(text);
}

static void put_text(void *ctx, const char *s, size_t n)
{
	char **text = ctx;
	size_t len = *text ? strlen(*text) : 0;

	*text = realloc(*text, len + n + 1);
	assert_non_null(*text);
	memcpy(*text + len, s, n);
	(*text)[len + n] = 0;
}

static void trace(struct dma_host *host, const struct dma_event *event)
{
	static const char *const kinds[] = {
		[DMA_EVENT_MAP_PHYS] = "T:map_phys",
		[DMA_EVENT_UNMAP_PHYS] = "T:unmap_phys",
		[DMA_EVENT_ALLOC] = "T:alloc",
		[DMA_EVENT_FREE] = "T:free",
		[DMA_EVENT_MAP_SG] = "T:map_sg",
		[DMA_EVENT_MAP_SG_ERR] = "T:map_sg_err",
		[DMA_EVENT_UNMAP_SG] = "T:unmap_sg",
		[DMA_EVENT_SYNC_SINGLE_FOR_CPU] = "T:sync_cpu",
		[DMA_EVENT_SYNC_SINGLE_FOR_DEVICE] = "T:sync_device",
		[DMA_EVENT_SYNC_SG_FOR_CPU] = "T:sync_sg_cpu",
		[DMA_EVENT_SYNC_SG_FOR_DEVICE] = "T:sync_sg_device",
		[DMA_EVENT_SWIOTLB_BOUNCED] = "T:bounced",
		[DMA_EVENT_IOMMU_MAP] = "T:iommu_map",
		[DMA_EVENT_IOMMU_UNMAP] = "T:iommu_unmap",
		[DMA_EVENT_IOMMU_FAULT] = "T:fault",
		[DMA_EVENT_ALLOC_PAGES] = "T:alloc_pages",
		[DMA_EVENT_ALLOC_SGT] = "T:alloc_sgt",
		[DMA_EVENT_ALLOC_SGT_ERR] = "T:alloc_sgt_err",
		[DMA_EVENT_FREE_PAGES] = "T:free_pages",
		[DMA_EVENT_FREE_SGT] = "T:free_sgt",
	};
	struct fx_entry *entry;

	if (event->type == DMA_EVENT_LINK || event->type == DMA_EVENT_UNLINK)
		return; /* no record of the kernel's */
	entry = fx_log(fx_of(host), kinds[event->type]);
	entry->event = *event;
	entry->dev = event->dev;
	entry->addr = event->dma_addr;
	entry->size = event->size;
	entry->dir = (int)event->dir;
	entry->attrs = event->attrs;
	dma_event_format(event, DMA_DIALECT_DMAMAP, put_text, &entry->text);
	dma_event_format(event, DMA_DIALECT_LINUX, put_text, &entry->linux_text);
}

static uint64_t time_ns(struct dma_host *host)
{
	return fx_of(host)->now;
}

static bool yes(struct dma_host *host)
{
	(void)host;
	return true;
}

static bool interrupts_off(struct dma_host *host)
{
	return fx_of(host)->interrupts_off;
}

/* --- life */

static void fill_caches(struct dma_host *host)
{
	host->cache_for_device = cache_for_device;
	host->cache_for_cpu = cache_for_cpu;
	host->cache_for_cpu_all = cache_for_cpu_all;
	host->cache_prepare_coherent = cache_prepare;
}

static void fill_host(struct fx *fx)
{
	struct dma_host *host = &fx->host;

	*host = (struct dma_host){
		.size = sizeof(*host),
		.priv = fx,
		.page_size = 4096,
		.ram_range = ram_range,
		.phys_to_virt = phys_to_virt,
		.virt_to_phys = virt_to_phys,
		.alloc_pages = alloc_pages,
		.free_pages = free_pages,
		.zone_dma_limit = fx->config.zone_dma_limit,
		.time_ns = time_ns,
		.may_block = yes,
		.interrupts_off = interrupts_off,
		.copy = copy,
		.log = log_text,
		.warn = warn,
		.fatal = fatal,
		.force_bounce = fx->config.force_bounce,
		.trace = fx->config.quiet ? NULL : trace,
		.sanitize = fx->config.no_sanitize ? NULL : sanitize,
	};
	if (fx->config.noncoherent)
		fill_caches(host);
	if (fx->config.batched)
		host->cache_flush = cache_flush;
	if (fx->config.uncached) {
		host->map_uncached = map_uncached;
		host->unmap_uncached = unmap_uncached;
	}
	if (fx->config.arch)
		fx_fill_arch(host);
}

struct fx *fx_new(const struct fx_config *config)
{
	struct fx *fx = calloc(1, sizeof(*fx));

	assert_non_null(fx);
	if (config)
		fx->config = *config;
	if (!fx->config.ram[0][1])
		fx->config.ram[0][1] = GIB(4);
	fx->backed = BACKED;
	fx->ram = mmap(NULL, BACKED, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(fx->ram != MAP_FAILED);
	fx->page_map = calloc(1, NR_PAGES);
	assert_non_null(fx->page_map);
	fx->ops_sg_result = 0x7fffffff;
	fx->ops_supported = 1;
	fill_host(fx);
	if (fx->config.tweak)
		fx->config.tweak(fx);
	assert_int_equal(dma_host_init(&fx->host), 0);
	return fx;
}

void fx_free(struct fx *fx)
{
	for (unsigned int i = 0; i < fx->nr_dev; i++)
		assert_int_equal(dma_device_fini(&fx->dev[i]), 0);
	for (unsigned int i = 0; i < fx->nr_domain; i++)
		assert_int_equal(dma_domain_destroy(fx->domain[i]), 0);
	for (unsigned int i = 0; i < fx->nr_pool; i++)
		assert_int_equal(dma_bounce_destroy(fx->pool[i]), 0);
	assert_int_equal(dma_host_fini(&fx->host), 0);
	assert_int_equal(fx->live_pages, 0);
	assert_int_equal(fx->bad_frees, 0);
	fx_clear(fx);
	munmap(fx->ram, BACKED);
	free(fx->page_map);
	free(fx);
}

/* --- devices */

static struct dma_device *new_device(struct fx *fx, uint64_t mask)
{
	struct dma_device *dev = &fx->dev[fx->nr_dev];

	assert_true(fx->nr_dev < 8);
	assert_int_equal(dma_device_init(dev, sizeof(*dev), &fx->host), 0);
	dma_device_set_name(dev, "0000:00:03.0");
	dma_device_set_parms(dev, &fx->parms[fx->nr_dev]);
	fx->nr_dev++;
	assert_int_equal(dma_set_mask_and_coherent(dev, mask), 0);
	return dev;
}

struct dma_device *fx_device(struct fx *fx)
{
	return new_device(fx, DMA_BIT_MASK(64));
}

struct dma_device *fx_device32(struct fx *fx)
{
	return new_device(fx, DMA_BIT_MASK(32));
}

struct dma_parms *fx_parms(struct fx *fx, struct dma_device *dev)
{
	return &fx->parms[dev - fx->dev];
}

struct dma_bounce *fx_pool_at(struct fx *fx, uint64_t base, unsigned int slots)
{
	const struct dma_bounce_config config = {
		.size = sizeof(config),
		.bytes = (uint64_t)slots * 2048,
		.slot_size = 2048,
		.segment_slots = 128,
		.base = base,
	};

	assert_int_equal(dma_bounce_create(&fx->host, &config, &fx->pool[fx->nr_pool]), 0);
	return fx->pool[fx->nr_pool++];
}

struct dma_bounce *fx_pool(struct fx *fx)
{
	return fx_pool_at(fx, FX_POOL, 512);
}

uint64_t fx_pool_used(struct dma_bounce *pool)
{
	struct dma_bounce_stats stats;

	dma_bounce_get_stats(pool, &stats);
	return stats.used_slots;
}
