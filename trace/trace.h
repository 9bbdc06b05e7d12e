/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace reader: ftrace text in, validated DMA events out.
 *
 * It streams: memory grows with the longest line, never with the trace. It reads what the kernel's own trace file,
 * `trace-cmd report` and `perf script` print, plain or gzipped, from a file, a pipe or memory, in every dialect of the
 * dma, iommu and swiotlb events that Linux 6.12 and later print, and what this library prints itself. Fields are found
 * by key, never by position. Every field of an event is validated: a line whose event is recognised and whose text is
 * damaged is counted and reported, never guessed at. Lines of other events are tolerated.
 *
 * Nothing here is global, prints, or exits. One reader belongs to one thread at a time.
 */
#ifndef DMT_TRACE_H
#define DMT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dmamap/types.h>

/** The path that means standard input. */
#define DMT_STDIN "-"

/** What a line recorded. The page, resource and phys forms differ by the kernel that printed them. */
enum dmt_type {
	DMT_MAP_PHYS,
	DMT_MAP_PAGE,
	DMT_MAP_RESOURCE,
	DMT_UNMAP_PHYS,
	DMT_UNMAP_PAGE,
	DMT_UNMAP_RESOURCE,
	DMT_ALLOC,
	DMT_ALLOC_PAGES,
	DMT_ALLOC_SGT,
	DMT_ALLOC_SGT_ERR,
	DMT_FREE,
	DMT_FREE_PAGES,
	DMT_FREE_SGT,
	DMT_MAP_SG,
	DMT_MAP_SG_ERR,
	DMT_UNMAP_SG,
	DMT_SYNC_SINGLE_FOR_CPU,
	DMT_SYNC_SINGLE_FOR_DEVICE,
	DMT_SYNC_SG_FOR_CPU,
	DMT_SYNC_SG_FOR_DEVICE,
	DMT_BOUNCED,
	DMT_IOMMU_MAP,
	DMT_IOMMU_UNMAP,
	DMT_IOMMU_FAULT,
	DMT_IOMMU_ADD_DEVICE,
	DMT_IOMMU_REMOVE_DEVICE,
	DMT_IOMMU_ATTACH_DEVICE,
	DMT_IOMMU_DETACH_DEVICE,
	DMT_TYPE_COUNT,
};

/**
 * One event. Fields that a type does not have are 0 or NULL. Strings and lists belong to the reader and are valid
 * until its next call.
 */
struct dmt_event {
	enum dmt_type type;
	/** MMIO: a resource event, or the attribute MMIO. */
	bool mmio;
	/**
	 * The operation failed: a single map to DMA_MAPPING_ERROR, an allocation whose CPU address is NULL or whose
	 * DMA address is DMA_MAPPING_ERROR, an _err event, or any event that carries a reason.
	 */
	bool failed;
	/** MAP_SG: the kernel left out entries; see nents and ents. */
	bool truncated;
	/** BOUNCED: bouncing was forced (FORCE), not needed (NORMAL). */
	bool force;
	/** ALLOC*, FREE*: @virt is what was printed; false if the kernel hid it, as in "(____ptrval____)". */
	bool has_virt;
	/** TS was a bare counter, not seconds: @ts_ns is that counter. */
	bool ts_is_counter;
	/**
	 * BIDIRECTIONAL for ALLOC and FREE, and for the other events of the allocation family where the direction
	 * is absent or garbage, as in early kernels. A refusal of an invalid direction reads as NONE.
	 */
	enum dma_data_direction dir;
	int cpu;
	int pid;
	/** Line in the input, from 1. */
	uint64_t line;
	uint64_t ts_ns;
	const char *task;
	/** Bus id or platform name; NULL for IOMMU_MAP and IOMMU_UNMAP, which do not name one. */
	const char *device;

	/** BOUNCED: the device-side form of the original address, not of the slot. ALLOC_SGT: of the first piece. */
	dma_addr_t dma_addr;
	/** Single maps, and IOMMU_MAP ("paddr"). */
	phys_addr_t phys_addr;
	/** Bytes. */
	uint64_t size;
	/** Hashed by the kernel in text: fit for telling NULL from not NULL, and little else. */
	uint64_t virt;
	/** Bits as DMA_ATTR_*, whatever name the dialect printed; unknown bits are kept. */
	unsigned long attrs;
	/** ALLOC*: allocation flags as printed, such as "GFP_KERNEL|__GFP_ZERO". */
	const char *flags;
	/** MAP_SG_ERR: negative errno. */
	int err;

	/**
	 * Lists. MAP_SG: n_phys CPU entries; n_dma == n_len DMA entries, fewer where entries were merged.
	 * UNMAP_SG, MAP_SG_ERR (whose label in the text lies), ALLOC_SGT, FREE_SGT: phys only. SYNC_SG: dma and len.
	 */
	const uint64_t *phys;
	const uint64_t *dma;
	const uint64_t *len;
	size_t n_phys;
	size_t n_dma;
	size_t n_len;
	/** MAP_SG: true numbers of CPU and DMA entries; larger than n_phys and n_dma if @truncated. */
	uint64_t nents;
	uint64_t ents;

	/** IOMMU_MAP, IOMMU_UNMAP: [iova_start, iova_end), 0 as end meaning 2^64. IOMMU_FAULT: iova_start. */
	uint64_t iova_start;
	uint64_t iova_end;
	/** IOMMU_UNMAP: bytes that were really mapped there. */
	uint64_t unmapped_size;
	/** IOMMU_FAULT: the driver that reported it, and its flags. */
	const char *driver;
	uint64_t fault_flags;
	/** IOMMU_ADD_DEVICE, IOMMU_REMOVE_DEVICE. */
	int group;
	/** BOUNCED: the device's mask, 0 if it had none. */
	uint64_t dma_mask;

	/** A refusal printed by this library: the route that refused and why; both NULL otherwise. */
	const char *route;
	const char *reason;
};

/** Counts so far. lines == events + skipped_lines + other_lines. */
struct dmt_stats {
	uint64_t lines;
	/** Recognised and valid. */
	uint64_t events;
	/** Recognised but damaged, or not a line of a trace at all. Each was reported to the damage function. */
	uint64_t skipped_lines;
	/** Headers, blank lines, lost-event marks, stack traces, annotations, events of others. */
	uint64_t other_lines;
	/** Sum of the lost-event marks; a mark without a number counts as 1. */
	uint64_t lost_events;
};

/** A line that was skipped. All strings are valid only while the damage function runs. */
struct dmt_damage {
	/** As given to dmt_open(), "standard input" for "-". */
	const char *file;
	uint64_t line;
	/** The beginning of the line, fit for a terminal. */
	const char *text;
	/** What is wrong with it, such as "size: not a decimal number". */
	const char *reason;
};

typedef void (*dmt_damage_fn)(void *ctx, const struct dmt_damage *damage);

/** What a look through the trace found. */
struct dmt_probe {
	/** It holds IOMMU map events: the kernel's devices were behind an IOMMU. */
	bool iommu;
	/** It holds bounces that were forced. */
	bool forced_bounce;
	/** Both answers are final: the end was seen, or an IOMMU map event was. */
	bool complete;
	uint64_t lines;
};

struct dmt_reader;

/**
 * dmt_open() - open a trace.
 * @path:  a file, plain or gzipped, or "-" for standard input (which is read, but not closed)
 * @out:   receives the reader; untouched on failure
 * @err:   receives a sentence that names the file, what is wrong and what would help; may be NULL if @errsz is 0
 * @errsz: bytes at @err
 *
 * Reads a little ahead, and refuses what is no trace: neither a trace header nor one line of a trace in the first
 * 200 lines or 64 KiB. A header without events is a trace with none.
 *
 * Return: 0; -ENODATA if there is nothing in it, -EILSEQ if it is no trace, -ENOMEM, or what opening or reading it
 * failed with (-ENOENT, -EACCES, -EISDIR, -EIO for damaged gzip data, …).
 */
int dmt_open(const char *path, struct dmt_reader **out, char *err, size_t errsz);

/**
 * dmt_open_memory() - read a trace from memory instead.
 * @data: the text, not gzipped; must stay in place until dmt_close(), and is not written to
 * @size: bytes at @data
 *
 * The other parameters and errors are those of dmt_open().
 */
int dmt_open_memory(const void *data, size_t size, struct dmt_reader **out, char *err,
		    size_t errsz);

/** dmt_close() - free @reader and what its events pointed to. NULL is allowed. */
void dmt_close(struct dmt_reader *reader);

/**
 * dmt_on_damage() - have @fn called for every line that is skipped from now on, from inside dmt_next().
 * @ctx: handed to @fn
 *
 * Without it damaged lines are only counted. NULL switches it off. @fn must not call the reader.
 */
void dmt_on_damage(struct dmt_reader *reader, dmt_damage_fn fn, void *ctx);

/**
 * dmt_next() - the next event.
 * @event: filled in; its strings and lists are valid until the next call for this reader
 *
 * Return: 1; 0 at the end; -EIO if the input became unreadable, -EFBIG for a line above 64 MiB, -ENOMEM. After an
 * error dmt_error() has a sentence for the user, and further calls return the same.
 */
int dmt_next(struct dmt_reader *reader, struct dmt_event *event);

/**
 * dmt_probe() - find out what kind of machine the trace comes from, without consuming it.
 * @probe: filled in
 *
 * To be called before the first dmt_next(). A regular file is opened once more and scanned until the answer is
 * certain; of standard input, a pipe or memory at most 20,000 lines or 64 MiB are looked at, which dmt_next() then
 * delivers as if nothing had happened. Damage and unreadable input are left for dmt_next() to report.
 *
 * Return: 0, -EINVAL if dmt_next() was called already, or -ENOMEM.
 */
int dmt_probe(struct dmt_reader *reader, struct dmt_probe *probe);

/** dmt_stats() - what was counted so far. Owned by @reader. */
const struct dmt_stats *dmt_stats(const struct dmt_reader *reader);

/** dmt_error() - why dmt_next() or dmt_probe() failed, naming the file; "" if none did. Owned by @reader. */
const char *dmt_error(const struct dmt_reader *reader);

/** dmt_name() - the name for messages: the path, or "standard input". Owned by @reader. */
const char *dmt_name(const struct dmt_reader *reader);

/**
 * dmt_progress() - how far reading got, for a progress bar.
 * @done:  bytes that were read of the input as it is, gzipped or not; of a pipe, bytes after unpacking
 * @total: bytes it has, 0 if that is not known
 */
void dmt_progress(const struct dmt_reader *reader, uint64_t *done, uint64_t *total);

/** dmt_type_name() - the event name as ftrace prints it, such as "dma_map_sg". Static; "unknown" if out of range. */
const char *dmt_type_name(enum dmt_type type);

#endif
