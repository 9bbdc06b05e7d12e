/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver of AMD's I/O memory management unit (AMD-Vi), with version 1 page tables.
 *
 * A machine has one or several units; the IVRS table of ACPI lists them (dmamap/ivrs.h). A unit that is created does
 * nothing yet: make domains, attach the devices that must not lose their memory, then enable it. From then on a device
 * that is attached to no domain reaches nothing, unless the configuration says that such devices pass.
 * docs/hardware.md, "AMD-Vi", shows how.
 *
 * The unit serialises itself; calls may come from several threads. Hardware is not trusted: what it writes is checked,
 * no wait lasts longer than the time-out. A unit that did not finish an invalidation is broken: what was unmapped may
 * still be reachable, a line in the log says so, and new mappings and devices are refused with -EIO.
 */
#ifndef DMAMAP_AMDVI_H
#define DMAMAP_AMDVI_H

#include <dmamap/domain.h>
#include <dmamap/requester.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_amdvi;
struct dma_ivrs;
struct dma_iommu_unit;

struct dma_amdvi_config {
	/** sizeof(struct dma_amdvi_config). */
	size_t size;
	/** Where its registers are. */
	phys_addr_t registers;
	/** By which numbers (bus << 8 | devfn) devices are known. */
	struct dma_requesters requesters;
	/** The highest number; 0: 0xffff. The device table takes 32 bytes for each. */
	uint32_t last_id;
	/** Levels of the page tables: 3 (39 bits of an I/O address), 4 (48), 5 (57) or 6 (64). 0: 4. */
	unsigned int levels;
	/** Bits of a physical address that the machine has, 32 to 52. 0: 52. */
	unsigned int address_bits;
	/** The table whose memory (IVMD) is kept for its devices, in every domain; it outlives the unit. NULL: none. */
	const struct dma_ivrs *ivrs;
	/** Devices in no domain reach all memory. */
	bool bypass_unattached;
	/** Switch the interrupt for events on; what it sends is in the unit's PCI capability. */
	bool interrupts;
	/** The longest wait for the hardware, in nanoseconds. 0: one second. */
	uint64_t timeout_ns;
};

struct dma_amdvi_info {
	/** The extended feature register. */
	uint64_t features;
	/** Levels of the tables, bits of an I/O address and of a physical one. */
	unsigned int levels;
	unsigned int input_bits;
	unsigned int output_bits;
	/** Firmware had left it on, and it was taken over. */
	bool taken_over;
	bool enabled;
	/** It failed to finish an invalidation, or to answer. */
	bool broken;
	/** Commands given; waits for them; times that it stopped at a command that it did not like. */
	uint64_t commands;
	uint64_t waits;
	uint64_t command_errors;
	/** Events that told of a fault; times that events were lost. */
	uint64_t faults;
	uint64_t events_lost;
};

/**
 * dma_amdvi_create() - find out what a unit can do, and make its tables.
 * @host:   with register accessors of 32 and 64 bits
 * @config: copied
 * @amdvi:  receives it
 *
 * Process context. The hardware is only read.
 *
 * Return: 0; -EINVAL (NULL, a size, missing accessors, impossible widths); -ENODEV (nothing answers there);
 * -EOPNOTSUPP (more levels than it has); -ENOMEM.
 */
int dmamap_amdvi_create(struct dma_host *host, const struct dma_amdvi_config *config,
			struct dma_amdvi **amdvi);

/** dma_amdvi_destroy() - disable it and free everything. Return: 0; -EBUSY while a backend of it lives. */
int dmamap_amdvi_destroy(struct dma_amdvi *amdvi);

/**
 * dma_amdvi_enable() - translate.
 *
 * If firmware has left it on it is switched off first: for a moment nothing is checked. Everything cached is
 * invalidated. Process context.
 *
 * Return: 0, also if it is enabled; -EIO (the hardware does not do it).
 */
int dmamap_amdvi_enable(struct dma_amdvi *amdvi);

/**
 * dma_amdvi_disable() - stop translating: every device reaches all memory by physical address. Devices must be quiet.
 * Return: 0, also if it is not enabled; -EIO.
 */
int dmamap_amdvi_disable(struct dma_amdvi *amdvi);

/**
 * dma_amdvi_backend_create() - an empty I/O address space.
 * @amdvi:   must outlive it
 * @backend: receives it, for dma_domain_create()
 *
 * Return: 0; -EIO (broken); -ENOSPC (no domain number is free); -ENOMEM.
 */
int dmamap_amdvi_backend_create(struct dma_amdvi *amdvi, struct dma_backend **backend);

/** I/O addresses that HyperTransport takes for itself: never memory. */
#define DMA_AMDVI_HT_START 0xfd00000000u
#define DMA_AMDVI_HT_SIZE  0x300000000u

/**
 * dma_amdvi_domain_create() - the same with its domain, which keeps HyperTransport's addresses out. It becomes the
 * caller's; destroy it with dma_domain_destroy(). Return: as the two calls; dma_domain_reserve()'s refusal.
 */
static inline int dmamap_amdvi_domain_create(struct dma_amdvi *amdvi, struct dma_host *host,
					     const struct dma_domain_config *config,
					     struct dma_domain **domain)
{
	struct dma_backend *backend;
	struct dma_domain *made;
	int err = dmamap_amdvi_backend_create(amdvi, &backend);

	*domain = NULL;
	if (err)
		return err;
	err = dmamap_domain_create(host, backend, config, &made);
	if (err) {
		backend->ops->destroy(backend);
		return err;
	}
	if (backend->caps.aperture_end >= DMA_AMDVI_HT_START)
		err = dmamap_domain_reserve(made, DMA_AMDVI_HT_START, DMA_AMDVI_HT_SIZE);
	if (err)
		dmamap_domain_destroy(made);
	else
		*domain = made;
	return err;
}

/**
 * dma_amdvi_handle_faults() - report what is in the event log (dma_fault_report()), and make room.
 *
 * For the handler of its interrupt, or to be polled. What comes while the log is full is lost, and counted once. Any
 * context without a lock of the library.
 *
 * Return: faults reported.
 */
unsigned int dmamap_amdvi_handle_faults(struct dma_amdvi *amdvi);

/** dma_amdvi_get_info() - what it can and what it did. Any context. */
void dmamap_amdvi_get_info(struct dma_amdvi *amdvi, struct dma_amdvi_info *info);

/** The unit, for tests that play the library's part. */
struct dma_iommu_unit *dmamap_amdvi_unit(struct dma_amdvi *amdvi);

/** One clause on an event's code (AMD-Vi 2.5); "unknown event" for others. Static storage. */
const char *dmamap_amdvi_event_text(unsigned int code);

#ifdef __cplusplus
}
#endif

#endif
