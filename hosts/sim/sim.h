/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated machine: a host that lives in the process, and the default one of an embedder.
 *
 * It is not a mock. Physical memory is sparse (RAM anywhere, BARs, holes); devices have DMA engines that move bytes and
 * report faults; an IOMMU walks the page tables that the library built, in their real format, behind an IOTLB that only
 * an invalidation empties; on request the CPU and the devices have two views of memory, and only cache maintenance
 * moves lines between them. So a missing invalidation, sync or permission shows as wrong bytes or as a fault.
 *
 * Calls that return int give 0 or -errno (DMAMAP_E*). Nothing is global; machines are independent. A machine may be
 * used from several threads once it has been started; configuration calls come before that and from one thread.
 */
#ifndef DMAMAP_SIM_H
#define DMAMAP_SIM_H

#include <dmamap/dmamap.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sim_machine;
struct sim_device;
struct sim_iommu;

struct sim_config {
	/** sizeof(struct sim_config). */
	size_t size;
	/** Devices do not snoop: RAM has a CPU view and a device view, and the cache hooks move lines of 64 bytes. */
	bool noncoherent;
	/** With noncoherent: between calls lines move at random (dirty ones are evicted, clean ones fetched), and
	 *  maintenance is only issued and takes effect at the cache_flush() after it at the latest. Seeded by @seed. */
	bool adversarial;
	uint64_t seed;
	/** CPUs the host reports; 0: 1. */
	unsigned int cpus;
	/** The host's page: 4096, 16384 or 65536; 0: 4096. Memory is added and handed out in whole pages. */
	uint64_t page_size;
};

/** dma_host policy members may be set through sim_host() between create and start. */
int sim_machine_create(const struct sim_config *config, struct sim_machine **machine);
/** Add demand-zero RAM. Whole pages; -EEXIST if it overlaps anything; -ENOMEM. */
int sim_add_ram(struct sim_machine *m, phys_addr_t base, uint64_t size);
/** Add a BAR: MMIO with the bytes of a device behind it. As sim_add_ram(). */
int sim_add_bar(struct sim_machine *m, phys_addr_t base, uint64_t size);
/** Initialise the host. */
int sim_start(struct sim_machine *m);
/** End it; devices, domains and pools must be gone (-EBUSY otherwise, and nothing happened). NULL is ignored. */
int sim_machine_destroy(struct sim_machine *m);
struct dma_host *sim_host(struct sim_machine *m);

/* --- time */

uint64_t sim_time(struct sim_machine *m);
/** Let virtual time pass. Deferred work runs at the library's next poll or map. */
void sim_advance(struct sim_machine *m, uint64_t ns);
void sim_set_time(struct sim_machine *m, uint64_t ns);

/* --- memory, as the machine's owner and its CPU see it */

/** Take RAM: @size bytes inside [@floor, @ceiling], aligned to @align; DMAMAP_PHYS_NONE if there is none. Not zeroed. */
phys_addr_t sim_alloc(struct sim_machine *m, uint64_t size, uint64_t align, phys_addr_t floor,
		      phys_addr_t ceiling);
/** Give back exactly what sim_alloc() returned. */
void sim_free(struct sim_machine *m, phys_addr_t phys, uint64_t size);
/** The same for MMIO inside the BARs: carve out a page-aligned piece, and give it back. */
phys_addr_t sim_alloc_mmio(struct sim_machine *m, uint64_t size, phys_addr_t floor,
			   phys_addr_t ceiling);
void sim_free_mmio(struct sim_machine *m, phys_addr_t phys, uint64_t size);
/** CPU loads and stores, RAM or BAR, through the CPU's view. -EFAULT if part of it is a hole. */
int sim_cpu_read(struct sim_machine *m, phys_addr_t phys, void *buf, uint64_t len);
int sim_cpu_write(struct sim_machine *m, phys_addr_t phys, const void *buf, uint64_t len);
/** The CPU's pointer to RAM or a BAR, NULL unless all of [phys, phys + len) is one region. */
void *sim_cpu_ptr(struct sim_machine *m, phys_addr_t phys, uint64_t len);
/** The device's view of the same bytes (equal to sim_cpu_ptr() on coherent machines and for BARs). */
void *sim_device_ptr(struct sim_machine *m, phys_addr_t phys, uint64_t len);
/** Let a moment pass: an adversarial machine moves lines, as it also does whenever the CPU or a device uses memory. */
void sim_stir(struct sim_machine *m);
/** Bytes of RAM handed out by sim_alloc() and to the library, now and at the most. */
uint64_t sim_memory_used(struct sim_machine *m);
uint64_t sim_memory_peak(struct sim_machine *m);
/** Make the @n-th allocation from now (1: the next) fail, once; 0: none. Return: what was left of the count before; 0:
 *  it has come, and failed, or none was to. */
uint64_t sim_fail_alloc(struct sim_machine *m, uint64_t n);

/* --- platform switches */

/** arch-direct: devices with a table may map directly what ends at or below @limit; 0: off. @mmio opts MMIO in. Call it
 *  before sim_start(). */
void sim_set_arch_direct(struct sim_machine *m, uint64_t limit, bool mmio);

/* --- devices */

struct sim_device_config {
	/** sizeof(struct sim_device_config). */
	size_t size;
	/** Copied. */
	const char *name;
	/** Address lines the engine really drives, whatever mask its driver sets. 0: 64. */
	unsigned int address_bits;
	/** The device snoops although the machine is non-coherent. */
	bool coherent;
};

/** Create a device; dma_device_init() has run, with the name, coherence and 32-bit masks set. */
int sim_device_create(struct sim_machine *m, const struct sim_device_config *config,
		      struct sim_device **device);
/** -EBUSY while counted mappings live. */
int sim_device_destroy(struct sim_device *device);
struct dma_device *sim_dma(struct sim_device *device);
struct sim_device *sim_device_of(struct dma_device *dev);

/** Its requests are privileged from now on, or no longer; from the start they are not. */
void sim_device_set_privileged(struct sim_device *device, bool privileged);

/** Wire inbound windows into the bus in front of the device (the hardware of dma_device_set_range_map()). Not copied. */
void sim_device_set_windows(struct sim_device *device, const struct dma_range *map);
/** A platform translator in front of the device: its address a reaches a - @offset, for RAM and BARs. */
void sim_device_set_offset(struct sim_device *device, uint64_t offset);
uint64_t sim_device_offset(struct sim_device *device);
/** Addresses below @limit go around the translator (the window of arch-direct). */
void sim_device_set_bypass_window(struct sim_device *device, uint64_t limit);

/**
 * Give the machine a PCI tree (dma_pci_attach(), after the start), or take it away with NULL. BARs are added with
 * sim_add_bar() all the same. Requests of devices that are put into it turn round as in hardware.
 */
int sim_set_pci(struct sim_machine *m, struct dma_pci_topology *topology);
/** The device is that function of the tree (dma_pci_bind()). */
int sim_device_put_at(struct sim_device *device, int node);

enum sim_fault_reason {
	SIM_FAULT_NONE,
	SIM_FAULT_ADDRESS_LINES, /* the engine cannot emit the address */
	SIM_FAULT_NO_WINDOW,	 /* no inbound window takes it */
	SIM_FAULT_HOLE,		 /* nothing answers there */
	SIM_FAULT_NO_DOMAIN,	 /* behind an IOMMU, attached to nothing */
	SIM_FAULT_WIDTH,	 /* beyond the table's width */
	SIM_FAULT_NOT_PRESENT,
	SIM_FAULT_READ_DENIED,
	SIM_FAULT_WRITE_DENIED,
	SIM_FAULT_RESERVED_BIT, /* a reserved bit is set in an entry */
	SIM_FAULT_TABLE,	/* a table lies outside of RAM */
	SIM_FAULT_OUTPUT,	/* an entry leads beyond the IOMMU's address bits */
	SIM_FAULT_PRIVILEGE,	/* the page is for privileged requests only */
	SIM_FAULT_ACCESS_FLAG,	/* accessed or dirty is not set, and the hardware does not set it */
	SIM_FAULT_RUN,		/* the entries of a page that takes several do not agree */
	SIM_FAULT_INTERRUPT,	/* interrupt messages go there, memory accesses do not */
};

struct sim_fault {
	struct sim_device *device;
	dma_addr_t addr; /* first byte that failed */
	bool write;
	enum sim_fault_reason reason;
};

/** Lower-case hyphenated name. */
const char *sim_fault_name(enum sim_fault_reason reason);

/**
 * The device reads or writes memory. Bytes before the fault have moved. @fault may be NULL.
 * Return: 0; -EFAULT and *@fault.
 */
int sim_dma_read(struct sim_device *device, dma_addr_t addr, void *buf, uint64_t len,
		 struct sim_fault *fault);
int sim_dma_write(struct sim_device *device, dma_addr_t addr, const void *buf, uint64_t len,
		  struct sim_fault *fault);

/* --- IOMMU */

struct sim_iommu_config {
	/** sizeof(struct sim_iommu_config). */
	size_t size;
	/** Format of the tables, unless @command. */
	enum dma_pt_format format;
	/** Levels of the tables, as <dmamap/pagetable.h> has them for the format. 0: 4; ARM: 0. */
	unsigned int levels;
	/** ARM: bits of an I/O address, at least @granule_bits + 10. 0: 48. Commands: 0: 64. Other formats: 0. */
	unsigned int input_bits;
	/** log2 of the smallest page. 0: 12; ARM also 14 and 16. */
	unsigned int granule_bits;
	/** Output address bits, from 32 on. 0: all that the format has, 52 or (ARM) 48. */
	unsigned int output_bits;
	/** Sizes of leaves, as a bitmap; the granule is implied. 0: all that the format has; the granule alone: no others. */
	uint64_t page_sizes;
	/** The hardware keeps accessed and dirty bits, where the format has them. */
	bool track_dirty;
	/** RISC-V: entries have memory types (Svpbmt). */
	bool memory_types;
	/** Walks do not see the CPU's caches, only memory: on a noncoherent machine unflushed entries are invisible. */
	bool incoherent_walk;
	/** Entries of the IOTLB. 0: 65536. */
	unsigned int iotlb_entries;
	/**
	 * No tables: the IOMMU takes commands (sim_iommu_command()), and what its pages may be is in page_sizes, of which the
	 * lowest bit is the granule (0: all from 4 KiB on).
	 */
	bool command;
	/** Commands: mappings that a domain can hold. 0: no limit. */
	uint64_t max_entries;
};

struct sim_iommu_stats {
	uint64_t walks;
	uint64_t hits;
	uint64_t table_hits;	/* walks that began at a table remembered from another */
	uint64_t invalidations; /* ranges */
	uint64_t flushes;	/* whole domains */
	uint64_t waits;
	uint64_t faults;
	uint64_t commands;
};

int sim_iommu_create(struct sim_machine *m, const struct sim_iommu_config *config,
		     struct sim_iommu **iommu);
/** -EBUSY while devices are attached. */
int sim_iommu_destroy(struct sim_iommu *iommu);
/** The unit, to attach devices and to invalidate; NULL if the IOMMU takes commands. */
struct dma_iommu_unit *sim_iommu_unit(struct sim_iommu *iommu);
/** Sizes of its leaves, the granule included; of one that takes commands, its page sizes. */
uint64_t sim_iommu_page_sizes(struct sim_iommu *iommu);
void sim_iommu_get_stats(struct sim_iommu *iommu, struct sim_iommu_stats *stats);
/** Wire a device behind the IOMMU: from then on it reaches nothing until it is attached to a domain. */
int sim_device_put_behind(struct sim_device *device, struct sim_iommu *iommu);
/** A domain for this IOMMU, with a number of its own: over tables of its format, or one that sends commands. */
int sim_domain_create(struct sim_iommu *iommu, const struct dma_domain_config *config,
		      struct dma_domain **domain);

/* --- an IOMMU that takes commands: the rules and the numbers of virtio-iommu (virtio 1.2, 5.13) */

enum sim_command_type {
	/** @endpoint enters @domain, which begins with its first device, and leaves the one it was in. */
	SIM_COMMAND_ATTACH = 1,
	/** It leaves; with the last device a domain ends and its mappings with it. */
	SIM_COMMAND_DETACH = 2,
	SIM_COMMAND_MAP = 3,
	/** Everything in the range goes, at once; a range that would cut a mapping in two is refused. */
	SIM_COMMAND_UNMAP = 4,
};

enum sim_command_status {
	SIM_COMMAND_OK = 0,
	SIM_COMMAND_IOERR = 1,
	SIM_COMMAND_UNSUPP = 2, /* no such type, or an IOMMU with tables */
	SIM_COMMAND_DEVERR = 3,
	SIM_COMMAND_INVAL = 4, /* flags, overlap, detached from where it is not */
	SIM_COMMAND_RANGE = 5, /* alignment, width, end before start, an unmap of a part */
	SIM_COMMAND_NOENT = 6, /* no such domain or endpoint */
	SIM_COMMAND_FAULT = 7,
	SIM_COMMAND_NOMEM = 8, /* max_entries too */
};

#define SIM_COMMAND_READ  1u
#define SIM_COMMAND_WRITE 2u
#define SIM_COMMAND_MMIO  4u

struct sim_command {
	enum sim_command_type type;
	uint32_t domain;
	/** ATTACH, DETACH. */
	struct sim_device *endpoint;
	/** MAP, UNMAP: the end is inclusive. */
	uint64_t virt_start;
	uint64_t virt_end;
	/** MAP. */
	uint64_t phys_start;
	uint32_t flags;
};

/** Send a command, and return when it is done. Any thread. */
enum sim_command_status sim_iommu_command(struct sim_iommu *iommu,
					  const struct sim_command *command);

/* --- method tables that translate by sim_device_offset() */

enum sim_ops_kind {
	SIM_OPS_PHYS,	   /* map_phys, unmap_phys */
	SIM_OPS_PAGE,	   /* map_page, map_resource and their unmaps */
	SIM_OPS_PAGE_ONLY, /* map_page, unmap_page */
	SIM_OPS_ALL,	   /* every method */
};

const struct dma_map_ops *sim_ops(enum sim_ops_kind kind);
/** Name of the table's member that was called last for this device since the last reset; NULL: none. */
const char *sim_last_method(struct sim_device *device);
void sim_reset_method(struct sim_device *device);

/* --- what the library asked of the host */

struct sim_counters {
	uint64_t cache_for_device;
	uint64_t cache_for_cpu;
	uint64_t cache_for_cpu_all;
	uint64_t cache_flush;
	uint64_t sanitized;
	uint64_t warnings;
	uint64_t fatals;
	uint64_t logs;
	uint64_t allocs;
	uint64_t frees;
};

void sim_get_counters(struct sim_machine *m, struct sim_counters *counters);
/** Text of the latest log, warn or fatal call; "" if there was none. Valid until the next. */
const char *sim_last_message(struct sim_machine *m);

#ifdef __cplusplus
}
#endif

#endif
