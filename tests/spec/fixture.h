/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fixture of the conformance tests: a recording host, written against the public headers only.
 *
 * Everything that the library asks of the world (cache maintenance, sanitizer, copies, trace, messages, method tables,
 * IOMMU unit, backend) goes into ONE ordered log, so that a test can state an order and not only a count. RAM is one
 * lazily backed mapping; library memory comes from a part of it that tests do not use, is counted, and can be made to
 * fail. fx_free() ends everything and checks that nothing leaked.
 */
#ifndef SPEC_FIXTURE_H
#define SPEC_FIXTURE_H

#include <dmamap/dmamap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

#define E    DMA_MAPPING_ERROR
#define TO   DMA_TO_DEVICE
#define FROM DMA_FROM_DEVICE
#define BIDI DMA_BIDIRECTIONAL

/** An invalid direction, as a driver might compute one. */
#define BAD_DIR ((enum dma_data_direction)3)

#define FX_POOL 0x10000000ull
/** What the method tables of the fixture add to a physical address. */
#define FX_OPS_OFFSET 0x4000000000ull

struct fx;

/** One thing that happened. */
struct fx_entry {
	/** "T:…" trace event, "M:…" method, "A:…" arch predicate, "U:…" IOMMU unit, "B:…" backend, else a hook. */
	const char *what;
	struct dma_device *dev;
	uint64_t addr;
	uint64_t size;
	int dir;
	unsigned long attrs;
	/** A second figure: offset of map_page, protection of B:map, gfp of M:alloc, source of copy. */
	uint64_t extra;
	struct dma_event event;
	/** Text of a message, or of an event in either dialect (NULL: that dialect has none). */
	char *text;
	char *linux_text;
};

struct fx_config {
	/** RAM ranges {start, size}, ended by size 0. None: 0 to 4 GiB. */
	uint64_t ram[4][2];
	bool noncoherent;
	/** Maintenance is only issued by the hooks, and waited for by cache_flush(). */
	bool batched;
	/** No trace hook: calls take the inline paths. */
	bool quiet;
	bool no_sanitize;
	bool uncached;
	bool arch;
	bool force_bounce;
	uint64_t zone_dma_limit;
	/** Last word on the host before dma_host_init(). */
	void (*tweak)(struct fx *fx);
};

/** A recording IOMMU unit. */
struct fx_unit {
	struct dma_iommu_unit unit;
	struct fx *fx;
	phys_addr_t root;
	unsigned int levels;
	int refuse;
};

/** A live entry of the recording backend. */
struct fx_live {
	uint64_t iova;
	uint64_t phys;
	uint64_t len;
	unsigned int prot;
	/** Cleared, but the hardware may still have it cached: reuse is a violation. */
	bool stale;
	bool waited;
};

/** A backend that records, remembers, and knows when it is used in a wrong order. */
struct fx_backend {
	struct dma_backend backend;
	struct fx *fx;
	struct fx_live live[512];
	unsigned int nr;
	/** Returned by the next maps, instead of mapping. */
	int map_result;
	int sync_map_result;
	/** The @n-th map from now fails with map_result; 0: every. */
	unsigned int fail_at;
	unsigned int violations;
	bool give_tables;
	/** Parts of entries that were unmapped although the backend cannot do that. */
	unsigned int partial;
};

struct fx {
	struct dma_host host;
	struct fx_config config;
	unsigned char *ram;
	uint64_t backed;
	uint64_t now;

	struct fx_entry *log;
	size_t nr_log;
	bool log_pages;
	char order[4096];

	/* library memory, for one thread at a time */
	bool pages_busy;
	unsigned char *page_map;
	uint64_t page_size_at[33000];
	uint64_t allocs;
	uint64_t live_pages;
	uint64_t bad_frees;
	/** Fail the n-th allocation from now, once; with fail_all every one. */
	uint64_t fail_at;
	bool fail_all;
	struct dma_page_request last_request;

	/* devices and what they hang on */
	struct dma_device dev[8];
	struct dma_parms parms[8];
	unsigned int nr_dev;
	struct dma_bounce *pool[4];
	unsigned int nr_pool;
	struct dma_domain *domain[4];
	struct fx_unit unit[4];
	unsigned int nr_domain;

	/* platform policy */
	bool arch_answer;
	uint64_t arch_offset;
	bool arch_ppc;
	bool interrupts_off;

	/** Units of further domains do not snoop the CPU's caches when they walk. */
	bool incoherent_walk;

	/* method table */
	struct dma_map_ops ops;
	bool ops_fail;
	int ops_sg_result; /* 0x7fffffff: as many as asked */
	int ops_supported;
	bool ops_alloc_fail;
};

/* --- life */

struct fx *fx_new(const struct fx_config *config);
/** End all, and fail the test if anything leaked or could not end. */
void fx_free(struct fx *fx);

/* --- log */

void fx_clear(struct fx *fx);
struct fx_entry *fx_log(struct fx *fx, const char *what);
/** What happened, separated by spaces. */
const char *fx_order(struct fx *fx);
unsigned int fx_count(const struct fx *fx, const char *what);
/** The @nth (from 0) entry of that kind; fails the test if there is none. */
struct fx_entry *fx_get(struct fx *fx, const char *what, unsigned int nth);
/** All trace events together. */
unsigned int fx_traces(const struct fx *fx);

/** Was the last @first before the first @second? */
bool fx_before(struct fx *fx, const char *first, const char *second);

#define expect_order(fx, text)	  assert_string_equal(fx_order(fx), text)
#define expect_count(fx, what, n) assert_int_equal(fx_count(fx, what), n)

/** The latest failure is @reason, of @dev, and has text. */
void fx_reason(struct dma_device *dev, enum dma_reason reason);
/** One warning (or other message) was given, naming the device. */
void fx_message(struct fx *fx, const char *what, unsigned int n);

/* --- memory */

unsigned char *fx_ram(struct fx *fx, uint64_t phys);
/** Every byte of the range becomes the low 8 bits of its address. */
void fx_pattern(struct fx *fx, uint64_t phys, uint64_t len);
/** Does the range hold @value throughout? */
bool fx_all(struct fx *fx, uint64_t phys, uint64_t len, unsigned char value);
bool fx_has_pattern(struct fx *fx, uint64_t phys, uint64_t orig, uint64_t len);
phys_addr_t fx_take_pages(struct fx *fx, const struct dma_page_request *request);
void fx_give_pages(struct fx *fx, phys_addr_t phys, uint64_t size);

/* --- devices */

/** 64-bit masks, parms, coherence as the host says. */
struct dma_device *fx_device(struct fx *fx);
/** D32: 32-bit masks. */
struct dma_device *fx_device32(struct fx *fx);
struct dma_parms *fx_parms(struct fx *fx, struct dma_device *dev);
/** Linux's pool at FX_POOL: 512 slots of 2 KiB, segments of 128. Not linked to a device. */
struct dma_bounce *fx_pool(struct fx *fx);
/** The same with @slots slots at @base. */
struct dma_bounce *fx_pool_at(struct fx *fx, uint64_t base, unsigned int slots);
uint64_t fx_pool_used(struct dma_bounce *pool);

/* --- method table (fixture_ops.c) */

enum fx_method {
	FX_MAP_PHYS = 1 << 0,
	FX_UNMAP_PHYS = 1 << 1,
	FX_MAP_PAGE = 1 << 2,
	FX_UNMAP_PAGE = 1 << 3,
	FX_MAP_RESOURCE = 1 << 4,
	FX_UNMAP_RESOURCE = 1 << 5,
	FX_MAP_SG = 1 << 6,
	FX_UNMAP_SG = 1 << 7,
	FX_SYNC_CPU = 1 << 8,
	FX_SYNC_DEVICE = 1 << 9,
	FX_SYNC_SG_CPU = 1 << 10,
	FX_SYNC_SG_DEVICE = 1 << 11,
	FX_ALLOC = 1 << 12,
	FX_FREE = 1 << 13,
	FX_SUPPORTED = 1 << 14,
	FX_REQUIRED = 1 << 15,
	FX_MAX_SIZE = 1 << 16,
	FX_OPT_SIZE = 1 << 17,
	FX_MERGE = 1 << 18,

	FX_PHYS = FX_MAP_PHYS | FX_UNMAP_PHYS,
	FX_PAGE = FX_MAP_PAGE | FX_UNMAP_PAGE,
	FX_RESOURCE = FX_MAP_RESOURCE | FX_UNMAP_RESOURCE,
	FX_SG = FX_MAP_SG | FX_UNMAP_SG,
	FX_SYNC = FX_SYNC_CPU | FX_SYNC_DEVICE | FX_SYNC_SG_CPU | FX_SYNC_SG_DEVICE,
	FX_MEMORY = FX_ALLOC | FX_FREE,
};

/** Fill in fx->ops with the members of @methods. */
const struct dma_map_ops *fx_table(struct fx *fx, unsigned int methods);
/** OPS: a 64-bit device with that table. */
struct dma_device *fx_ops_device(struct fx *fx, unsigned int methods);

/** Set the four arch-direct hooks: a fixed answer, or with fx->arch_ppc the predicates of PowerPC. There a device's
 *  data points to its bus limit, and fx->arch_offset is the offset of its direct window. */
void fx_fill_arch(struct dma_host *host);

/* --- IOMMU (fixture_iommu.c, fixture_walk.c) */

/** What DMAMAP_TEST_FORMAT says, VT-d second stage if nothing. */
enum dma_pt_format fx_format(void);
bool fx_format_is_arm(void);
/** Permissions that an entry for FROM_DEVICE has there, as fx_walk() gives them: not every format can do without reads. */
unsigned int fx_write_only(void);
/** A domain over tables of that format, 4 levels, 48 bits, 4K|2M|1G, with a recording unit. */
struct dma_domain *fx_domain(struct fx *fx, enum dma_invalidation invalidation);
struct dma_domain *fx_domain_with(struct fx *fx, const struct dma_domain_config *config);
/** IO, IOP, IOU of the list of tests: a device behind a strict domain. */
struct dma_device *fx_io(struct fx *fx);
struct dma_device *fx_iop(struct fx *fx);
struct dma_device *fx_iou(struct fx *fx, unsigned int min_align_mask);
struct dma_device *fx_behind(struct fx *fx, struct dma_domain *domain);
/** What translates @iova in the last domain's table, in the form of a VT-d leaf, 0 if nothing does; *@size of the leaf. */
uint64_t fx_walk(struct fx *fx, uint64_t iova, uint64_t *size);
/** Physical address by the tables, all ones if there is none. */
uint64_t fx_translate(struct fx *fx, uint64_t iova);
/** IOVA bytes in use. */
uint64_t fx_iova_bytes(struct dma_domain *domain);

/** A recording backend; fx_domain_over() hands it to a domain. */
struct fx_backend *fx_backend_new(struct fx *fx);
struct dma_domain *fx_domain_over(struct fx *fx, struct fx_backend *fb,
				  enum dma_invalidation invalidation);

#define FX_RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

#endif
