/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver of Intel VT-d remapping hardware, in legacy mode.
 *
 * A machine has one or several units, each for some of its devices; the DMAR table of ACPI lists them (dmamap/dmar.h). A
 * unit that is created does nothing yet: make domains, attach the devices that must not lose their memory, then enable
 * it. From then on a device that is attached to no domain reaches nothing. docs/hardware.md, "VT-d", shows how.
 *
 * The unit serialises itself; calls may come from several threads. Hardware is not trusted: no wait lasts longer than
 * the time-out. A unit that did not finish an invalidation is broken: what was unmapped may still be reachable, a line
 * in the log says so, and new mappings and devices are refused with -EIO.
 */
#ifndef DMAMAP_VTD_H
#define DMAMAP_VTD_H

#include <dmamap/domain.h>
#include <dmamap/requester.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_vtd;
struct dma_dmar;
struct dma_iommu_unit;

struct dma_vtd_config {
	/** sizeof(struct dma_vtd_config). */
	size_t size;
	/** Where its registers are. */
	phys_addr_t registers;
	/** Bits of a physical address that the machine has (the DMAR table says); 0: as many as an I/O address. */
	unsigned int address_bits;
	/** Levels of the page tables, where the unit has several; 0: as few as cover its I/O addresses, up to 48 bits. */
	unsigned int levels;
	/** By which numbers (bus << 8 | devfn) devices are known. */
	struct dma_requesters requesters;
	/**
	 * The DMAR table, for its reserved regions (RMRR): they are mapped as they stand before a device in their scope is
	 * attached. It must outlive the unit. NULL: there are none.
	 */
	const struct dma_dmar *dmar;
	/** The unit's segment, and how paths through bridges are followed: see dma_dmar_scope_id(). NULL: they are not. */
	uint16_t segment;
	int (*secondary)(void *arg, uint32_t id);
	void *secondary_arg;
	/** Ask for invalidations through registers, one by one, even if the unit has a queue. */
	bool no_queue;
	/** The longest wait for the hardware, in nanoseconds. 0: one second. */
	uint64_t timeout_ns;
};

struct dma_vtd_info {
	/** Registers VER, CAP and ECAP. */
	uint32_t version;
	uint64_t cap;
	uint64_t ecap;
	/** Levels of the tables, bits of an I/O address and of a physical one, large leaves, domain numbers. */
	unsigned int levels;
	unsigned int input_bits;
	unsigned int output_bits;
	uint64_t page_sizes;
	uint32_t domains;
	/** Not-present entries are cached; writes to tables must be flushed out of a buffer; walks snoop CPU caches. */
	bool caching_mode;
	bool write_buffer;
	bool coherent_walk;
	/** Firmware had left translation or the invalidation queue on, and it was taken over. */
	bool taken_over;
	bool enabled;
	/** Invalidations go through the queue. */
	bool queued;
	/** It failed to finish an invalidation, or to answer. */
	bool broken;
	/** What it was asked for: invalidations of pages, of domains, of everything, of contexts; waits for them. */
	uint64_t page_invalidations;
	uint64_t domain_invalidations;
	uint64_t global_invalidations;
	uint64_t context_invalidations;
	uint64_t waits;
	/** Faults reported; times that it had no room for more; descriptors that it refused. */
	uint64_t faults;
	uint64_t faults_lost;
	uint64_t queue_errors;
};

/**
 * dma_vtd_create() - find out what a unit can do, and make its tables.
 * @host:   with register accessors of 32 and 64 bits
 * @config: copied
 * @vtd:    receives it
 *
 * Process context. The hardware is only read.
 *
 * Return: 0; -EINVAL (NULL, a size, missing accessors, impossible levels or widths); -ENODEV (nothing answers there);
 * -EOPNOTSUPP (no translation, or no tables of 3 to 5 levels); -ENOMEM.
 */
int dmamap_vtd_create(struct dma_host *host, const struct dma_vtd_config *config,
		      struct dma_vtd **vtd);

/**
 * dma_vtd_destroy() - disable it and free everything. Tables of a unit that does not stop are lost: it may still read
 * them. Return: 0; -EBUSY while a backend of it lives.
 */
int dmamap_vtd_destroy(struct dma_vtd *vtd);

/**
 * dma_vtd_enable() - translate. (VT-d 11.4.4, 6.2.2.1, 7.3.)
 *
 * What firmware has left (translation, the queue, protected memory, faults) is taken over: the new tables come into
 * force without a moment in which nothing is checked, except from scalable mode. Everything cached is invalidated before
 * translation starts. Interrupt remapping stays as it is. Process context.
 *
 * Return: 0, also if it is enabled; -EBUSY (firmware's queue does not drain); -EIO (the hardware does not do it).
 */
int dmamap_vtd_enable(struct dma_vtd *vtd);

/**
 * dma_vtd_disable() - stop translating: every device reaches all memory by physical address. Devices must be quiet.
 * Return: 0, also if it is not enabled; -EIO.
 */
int dmamap_vtd_disable(struct dma_vtd *vtd);

/**
 * dma_vtd_backend_create() - an empty I/O address space.
 * @vtd:     must outlive it
 * @backend: receives it, for dma_domain_create()
 *
 * Return: 0; -EIO (broken); -ENOSPC (no domain number is free); -ENOMEM.
 */
int dmamap_vtd_backend_create(struct dma_vtd *vtd, struct dma_backend **backend);

/**
 * dma_vtd_domain_create() - the same with its domain, which becomes the caller's; destroy it with dma_domain_destroy().
 * Return: as the two calls.
 */
static inline int dmamap_vtd_domain_create(struct dma_vtd *vtd, struct dma_host *host,
					   const struct dma_domain_config *config,
					   struct dma_domain **domain)
{
	struct dma_backend *backend;
	int err = dmamap_vtd_backend_create(vtd, &backend);

	if (err)
		return err;
	err = dmamap_domain_create(host, backend, config, domain);
	if (err)
		backend->ops->destroy(backend);
	return err;
}

/**
 * dma_vtd_handle_faults() - report what the unit has recorded (dma_fault_report()), and make room.
 *
 * For the handler of its interrupt, or to be polled. A unit has few records: what comes while they are full is lost,
 * and counted once. Any context without a lock of the library.
 *
 * Return: faults reported.
 */
unsigned int dmamap_vtd_handle_faults(struct dma_vtd *vtd);

/** dma_vtd_set_fault_interrupt() - have this message sent for each fault; the address has at most 64 bits. */
void dmamap_vtd_set_fault_interrupt(struct dma_vtd *vtd, uint64_t address, uint32_t data);

/** dma_vtd_get_info() - what it can and what it did. Any context. */
void dmamap_vtd_get_info(struct dma_vtd *vtd, struct dma_vtd_info *info);

/** The unit, for tests that play the library's part. */
struct dma_iommu_unit *dmamap_vtd_unit(struct dma_vtd *vtd);

/** One clause on a reason code of a fault (VT-d 7.2.3); "unknown reason" for others. Static storage. */
const char *dmamap_vtd_fault_text(unsigned int code);

#ifdef __cplusplus
}
#endif

#endif
