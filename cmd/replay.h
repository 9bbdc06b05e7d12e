/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dmamap replay`: what its files share.
 *
 *   replay.c           options
 *   replay_run.c       the traces, event by event
 *   replay_machine.c   the simulated machine and its devices
 *   replay_pool.c      bounce pools, and what a pool must hold; replay_needed.c the size that would have done
 *   formats.c          the IOMMUs there are
 *   replay_frames.c    memory for what the trace mapped
 *   replay_index.c     live mappings, found by what the trace called them
 *   replay_map.c       map and unmap events; replay_sg.c lists; replay_alloc.c allocations; replay_sync.c syncs
 *   replay_lengths.c   lengths of list elements that the kernel merged
 *   replay_data.c      what CPU and device do with a mapping; replay_pattern.c the bytes; replay_lines.c cache lines
 *   replay_trace.c     the trace of the replay; replay_report.c its result
 *
 * Memory grows with the live mappings, not with the trace.
 */
#ifndef DMAMAP_CMD_REPLAY_H
#define DMAMAP_CMD_REPLAY_H

#include <stdio.h>

#include <dmamap/sim.h>

#include "cmd.h"
#include "formats.h"
#include "trace.h"

enum replay_route {
	REPLAY_AUTO,
	REPLAY_DIRECT,
	REPLAY_BOUNCE,
	REPLAY_IOMMU,
	REPLAY_OPS,
	/* Of several traces: not the same. */
	REPLAY_MIXED,
};

struct replay_options {
	enum replay_route route;
	enum dma_invalidation invalidation;
	const struct cmd_format *format;
	unsigned int mask_bits;
	/* Bytes of the only pool; 0: pools as they are needed. */
	uint64_t bounce_pool;
	bool clock_trace;
	/* Devices do not snoop. */
	bool noncoherent;
	bool verify;
	bool json;
	/* NULL: no trace. */
	const char *trace_out;
	enum dma_dialect dialect;
	/* Only to see whether the pool suffices: says nothing, moves no data, and stops where the pool fails. */
	bool dry;
};

/* The fields of the report, docs/json.md. */
struct replay_counts {
	uint64_t events;
	uint64_t skipped_lines;
	uint64_t lost_events;
	uint64_t devices;
	uint64_t maps;
	uint64_t unmaps;
	uint64_t unmatched_unmaps;
	uint64_t trace_failures;
	uint64_t refused_mmio;
	uint64_t map_failures;
	uint64_t syncs;
	uint64_t bytes_mapped;
	uint64_t bytes_verified;
	uint64_t mismatches;
	uint64_t stale_checked;
	uint64_t stale_blocked;
	uint64_t stale_reached;
	uint64_t live;
	uint64_t peak_live;
	uint64_t inferred_lengths;
	uint64_t truncated;
	uint64_t bounced_maps;
	uint64_t bounce_peak_bytes;
	uint64_t invalidations;
	uint64_t iova_peak_bytes;
	uint64_t table_peak_bytes;
	uint64_t events_per_second;
	uint64_t shared_lines;
};

/* The first map that failed. */
struct replay_failure {
	/* NULL: none did. */
	char *device;
	/* Which trace of the call, the first is 1. */
	unsigned int trace;
	uint64_t line;
	uint64_t size;
	/* The library's name; NULL: the machine had no memory to map. */
	const char *reason;
};

/* What mappings hold of a bounce pool, or would hold if it were large enough. */
struct pool_load {
	uint64_t slots;
	uint64_t runs;
};

struct replay_device {
	struct replay_device *next_in_bucket;
	struct replay_device *next;
	char *name;
	unsigned int trace;
	enum replay_route route;
	struct sim_device *sim;
	struct dma_domain *domain;
	struct dma_parms parms;
	/* Bit k: mappings of more than 2^(k-1) and up to 2^k bytes have been live. */
	uint64_t size_classes;
	/* Length of the lists that the kernel cut off; 0: none so far. */
	size_t cut_lists;
};

/* --- replay_frames.c */

#define FRAMES_CLASSES 4

/* A class of addresses, [start, end): what a device with some mask can tell apart. */
struct frames_class {
	uint64_t start;
	uint64_t end;
};

struct frames {
	struct sim_machine *machine;
	/* The machine's page: what frames are. */
	uint64_t page;
	struct frames_class classes[FRAMES_CLASSES];
	unsigned int n;
};

/** Give @machine, which has not started, RAM and a BAR in every class that @mask_bits and tradition make. */
int frames_init(struct frames *frames, struct sim_machine *machine, unsigned int mask_bits);
/** @addr without its offset in a frame. */
uint64_t frames_floor(const struct frames *frames, uint64_t addr);
/** A run of @pages in the class of [@phys, @phys + @pages frames); DMAMAP_PHYS_NONE if the class is exhausted. */
phys_addr_t frames_take(struct frames *frames, phys_addr_t phys, uint64_t pages, bool mmio);
/** Give back what frames_take() returned. */
void frames_give(struct frames *frames, phys_addr_t base, uint64_t pages, bool mmio);
/** The class of an address, as words for a message. */
void frames_class_text(const struct frames *frames, phys_addr_t phys, char *buf, size_t size);

/* --- live mappings */

enum live_kind {
	LIVE_SINGLE,
	LIVE_ALLOC,
	LIVE_LIST,
};

struct live;
struct live_bucket;

struct live_link {
	struct live *live;
	/* Where the trace had this, how many bytes there, and how many of the mapping come before. */
	dma_addr_t at;
	uint64_t span;
	uint64_t before;
	struct live_link *prev;
	struct live_link *next;
	struct live_bucket *bucket;
};

/* Memory behind a mapping: a run of frames in place of the trace's. */
struct live_run {
	phys_addr_t traced;
	phys_addr_t base;
	uint64_t pages;
};

/* Cache lines in which several elements of a list have bytes: addresses [start, end). */
struct shared_lines {
	phys_addr_t start;
	phys_addr_t end;
};

struct live_list {
	struct scatterlist *sgl;
	unsigned int nents;
	/* DMA elements. */
	unsigned int ents;
	struct live_run *runs;
	size_t n_runs;
	/* Addresses as the trace gave them. */
	uint64_t *traced;
	size_t n_traced;
	/* The DMA elements of the trace behind the first. */
	struct live_link *elements;
	size_t n_elements;
	/* On a non-coherent machine, if the device may write: sorted, apart from one another. */
	struct shared_lines *shared;
	size_t n_shared;
};

struct live {
	struct live_link by_addr;
	struct live_link by_list;
	/* All of them, for the end. */
	struct live *prev;
	struct live *next;
	struct replay_device *device;
	enum live_kind kind;
	enum dma_data_direction dir;
	unsigned long attrs;
	bool mmio;
	/* The map was refused or failed here; kept so that its unmap is recognised. */
	bool ghost;
	bool bounced;
	/* Some elements of the list bounced, others did not. */
	bool mixed;
	/* Nobody cleaned its lines yet (SKIP_CPU_SYNC on a non-coherent machine): the device must not use it. */
	bool idle;
	/* An allocation that drivers must sync, because it is coherent for some devices only. */
	bool syncable;
	/* The CPU may touch it: false for memory without a kernel mapping. */
	bool has_cpu;
	uint64_t size;
	/* Where the trace had it, and how many bytes there: of a list, the first DMA element. */
	dma_addr_t traced;
	uint64_t span;
	dma_addr_t dma;
	void *cpu;
	struct live_run run;
	/* Of the first byte in its frame. */
	uint64_t traced_offset;
	/* What is in it: the pattern @seed, but for overlay_len bytes from overlay_at, which hold @overlay_seed. */
	uint64_t seed;
	uint64_t overlay_at;
	uint64_t overlay_len;
	uint64_t overlay_seed;
	struct pool_load load;
	struct live_list list;
};

struct live_index {
	struct live_bucket **heads;
	size_t mask;
	size_t n;
	struct live_bucket *spare;
	struct live *all;
};

int live_index_init(struct live_index *index);
void live_index_free(struct live_index *index);
/** Enter @live, which knows its kind, device, traced address, size and list. 0 or -ENOMEM. */
int live_add(struct live_index *index, struct live *live);
void live_remove(struct live_index *index, struct live *live);
/** The oldest of that kind at exactly @addr; one of @size (of a list: its first DMA element) and @dir is preferred. */
struct live *live_find(struct live_index *index, struct replay_device *device, enum live_kind kind,
		       dma_addr_t addr, uint64_t size, enum dma_data_direction dir);
/** The oldest live mapping of any kind (of a list: a DMA element) that covers [@addr, @addr + @size). */
const struct live_link *live_find_cover(struct live_index *index, struct replay_device *device,
					dma_addr_t addr, uint64_t size);
/** The oldest live list with these addresses. */
struct live *live_find_list(struct live_index *index, struct replay_device *device,
			    const uint64_t *phys, size_t n);

/* --- replay_lengths.c */

struct iommu_line {
	uint64_t iova;
	uint64_t size;
	phys_addr_t phys;
};

/* The latest `map: IOMMU` lines. */
struct iommu_lines {
	struct iommu_line *ring;
	uint64_t n;
};

int iommu_lines_add(struct iommu_lines *lines, const struct dmt_event *event);
/** Lengths of the @event->n_phys elements of a list. Returns true if they are exact, false if the page rule was used. */
bool lengths_of_list(const struct iommu_lines *lines, const struct dmt_event *event, uint64_t *len);

/* --- the replay */

#define REPLAY_DEVICE_BUCKETS 1024
#define REPLAY_POOLS	      64
#define REPLAY_SCRATCH	      (64u << 10)
/* Findings of one kind that are shown one by one. */
#define REPLAY_SHOWN 5

struct replay {
	struct replay_options options;
	struct replay_counts counts;
	enum replay_route route;

	struct sim_machine *machine;
	struct sim_iommu *iommu;
	struct dma_bounce *pools[REPLAY_POOLS];
	unsigned int n_pools;
	struct frames frames;

	/* The bounce pools, as replay_pool.c sees them. */
	struct dma_observer pool_observer;
	/* Of all live mappings; of the map that is being made. */
	struct pool_load pool_load;
	struct pool_load pool_taken;
	uint64_t pool_peak_slots;
	/* A single pool of so many slots suffices, wherever it puts things. */
	uint64_t pool_bound_slots;
	bool pool_watched;
	bool pool_used;
	bool pool_failed;
	/* The answer; 0: there is none. */
	uint64_t pool_needed;
	bool pool_needed_is_bound;

	struct replay_device *device_buckets[REPLAY_DEVICE_BUCKETS];
	struct replay_device *devices;

	struct live_index index;
	struct iommu_lines lines;
	uint64_t *lengths;
	size_t lengths_room;

	/* The trace that is being read. */
	struct dmt_reader *reader;
	unsigned int trace;
	enum replay_route trace_route;
	/* Line of the event, for messages. */
	uint64_t line;
	uint64_t first_ts;
	uint64_t time_base;
	bool has_first_ts;

	struct replay_failure first_failure;
	/* A device tries what it may no longer reach: its faults are as they should be, and not for the trace. */
	bool probing;
	uint64_t next_seed;
	unsigned char *scratch;
	uint64_t shown_damage;
	uint64_t shown_failures;
	uint64_t shown_mismatches;
	uint64_t shown_stale;

	FILE *trace_file;
	struct dma_observer observer;
};

/* replay_machine.c: 0, or an exit code after a message. */
int machine_start(struct replay *r);
void machine_end(struct replay *r);
/** The device of that name, created if it is new. NULL after a message; then *@code is the exit code. */
struct replay_device *machine_device(struct replay *r, const char *name, int *code);
/** Sum up the figures of domains and pools. */
void machine_figures(struct replay *r);

/* replay_pool.c */

#define POOL_SLOT 2048u

/** Give @device a pool, and force it there on the bounce route. 0, -errno, or -ENOSPC if --bounce-pool does not fit. */
int pool_give(struct replay *r, struct replay_device *device);
/** Around the call that maps: afterwards @live has its load, also if the pool is why it failed. */
void pool_before_map(struct replay *r);
void pool_after_map(struct replay *r, struct live *live);
/** @live no longer holds anything. */
void pool_left(struct replay *r, const struct live *live);
/** Bytes of a single pool that suffices for all that was mapped, by counting. */
uint64_t pool_bound(const struct replay *r);

/* replay_needed.c */

/** Find out what pool would have done, if one was used. 0, or an exit code after a message. */
int needed_find(struct replay *r, char *const *traces, int n);

/* replay_run.c */
int replay_run(struct replay *r, char *const *traces, int n);
/** Name, line and what failed, with the library's reason; the first few. */
void replay_map_failed(struct replay *r, struct live *live, const char *what);
/** The same where the replay itself could not go on: @why. */
void replay_no_map(struct replay *r, struct live *live, const char *why);
void replay_no_frames(struct replay *r, struct live *live, phys_addr_t phys, uint64_t pages);

/*
 * The events; 0, or an exit code after a message. A map that fails is not an error of the replay.
 */
int replay_map(struct replay *r, struct replay_device *device, const struct dmt_event *event);
int replay_unmap(struct replay *r, struct replay_device *device, const struct dmt_event *event);
int replay_map_list(struct replay *r, struct replay_device *device, const struct dmt_event *event);
int replay_unmap_list(struct replay *r, struct replay_device *device,
		      const struct dmt_event *event);
int replay_alloc(struct replay *r, struct replay_device *device, const struct dmt_event *event);
int replay_free(struct replay *r, struct replay_device *device, const struct dmt_event *event);
void replay_sync(struct replay *r, struct replay_device *device, const struct dmt_event *event);
void replay_sync_list(struct replay *r, struct replay_device *device,
		      const struct dmt_event *event);
/** Count @live as mapped and enter it; takes it. 0 or an exit code. */
int replay_entered(struct replay *r, struct live *live);
/** Count @live as unmapped, take it out and release it with its memory. */
void replay_left(struct replay *r, struct live *live);
/** A new record; NULL after a message. */
struct live *replay_live_new(struct replay *r, struct replay_device *device, enum live_kind kind,
			     const struct dmt_event *event);
/** Release @live, which is in no index, and its memory. */
void replay_live_free(struct replay *r, struct live *live);
/** Undo a mapping at the end of the replay, unobserved, uncounted. */
void replay_drop(struct replay *r, struct live *live);

/* replay_sg.c */

/** A piece of a list that is contiguous for the CPU and for the device. */
struct list_piece {
	phys_addr_t phys;
	dma_addr_t dma;
	/* Bytes of the list before it. */
	uint64_t at;
	uint64_t len;
};

/* A walk through both sides of a mapped list; zero it but for @live. */
struct list_walk {
	const struct live *live;
	struct scatterlist *cpu;
	struct scatterlist *dma;
	uint64_t cpu_at;
	uint64_t dma_at;
	uint64_t at;
	unsigned int left;
};

struct list_walk list_walk(const struct live *live);
/** The next piece; false at the end of either side. */
bool list_next(struct list_walk *walk, struct list_piece *piece);
/** At the end: did both sides end together? */
bool list_agrees(const struct list_walk *walk);
/** What of [@start, @start + @len) lies in [@at, @at + @n): moves @start, returns the length. */
uint64_t list_clip(uint64_t *start, uint64_t len, uint64_t at, uint64_t n);

/* replay_lines.c: cache lines of non-coherent machines */

/** Store the pattern @seed through the CPU's cache: even a byte that was there before makes its line dirty. */
void lines_store(struct replay *r, phys_addr_t phys, uint64_t len, uint64_t seed);
/** Find and count the lines that elements of @live, a built list, share. 0 or -ENOMEM. */
int lines_find_shared(struct replay *r, struct live *live);
/** The first bytes of [@phys, @phys + @len) that share no line: moves @phys, returns how many. */
uint64_t lines_own(const struct live_list *list, phys_addr_t *phys, uint64_t len);

/* replay_data.c; all do nothing with --no-verify. */

/** The CPU fills what is going to be mapped. */
void data_before_map(struct replay *r, struct live *live);
/** The device uses what was mapped. */
void data_after_map(struct replay *r, struct live *live);
void data_before_unmap(struct replay *r, struct live *live);
/** The CPU looks at what came back; @attrs are the unmap's. */
void data_after_unmap(struct replay *r, struct live *live, unsigned long attrs);
/** The device tries an unmapped address again (iommu route). */
void data_try_stale(struct replay *r, struct live *live);
/** A part, [@at, @at + @len), was or is going to be synced in direction @dir. */
void data_after_sync_for_cpu(struct replay *r, struct live *live, uint64_t at, uint64_t len,
			     enum dma_data_direction dir);
void data_before_sync_for_device(struct replay *r, struct live *live, uint64_t at, uint64_t len,
				 enum dma_data_direction dir);
void data_after_sync_for_device(struct replay *r, struct live *live, uint64_t at, uint64_t len,
				enum dma_data_direction dir);

/* replay_pattern.c: bytes that depend on their address @key and on a seed. */
void pattern_fill(void *to, uint64_t key, uint64_t len, uint64_t seed);
bool pattern_matches(const void *at, uint64_t key, uint64_t len, uint64_t seed);

/* replay_trace.c: 0, or an exit code after a message. */
int trace_start(struct replay *r);
int trace_end(struct replay *r);

/* replay_report.c */
const char *replay_route_name(enum replay_route route);
int report_print(const struct replay *r, char *const *traces, int n);

#endif
