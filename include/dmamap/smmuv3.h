/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver of ARM's SMMUv3 (IHI 0070), stage 1.
 *
 * A machine has one or several; the device tree or the IORT table of ACPI says where, and which stream numbers a device
 * has. An SMMU that is created does nothing yet: make domains, attach the devices that must not lose their memory, then
 * enable it. From then on a device that is attached to no domain reaches nothing, unless the configuration says that
 * such devices pass. docs/hardware.md, "SMMUv3", shows how.
 *
 * It serialises itself; calls may come from several threads. Hardware is not trusted: indices that it writes are
 * checked, no wait lasts longer than the time-out. An SMMU that did not finish an invalidation is broken: what was
 * unmapped may still be reachable, a line in the log says so, and new mappings and devices are refused with -EIO.
 */
#ifndef DMAMAP_SMMUV3_H
#define DMAMAP_SMMUV3_H

#include <dmamap/domain.h>
#include <dmamap/requester.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_smmuv3;
struct dma_iommu_unit;

struct dma_smmuv3_config {
	/** sizeof(struct dma_smmuv3_config). */
	size_t size;
	/** Where its registers are: two pages of 64 KiB. */
	phys_addr_t registers;
	/** Stream numbers that devices have. */
	struct dma_requesters requesters;
	/** Bits of a stream number; 0: as many as the hardware has, but at most 16. */
	unsigned int stream_bits;
	/** Bits of an I/O address, 32 to 48. 0: 48. */
	unsigned int input_bits;
	/** Devices in no domain reach all memory. Needs a whole stream table: 64 bytes a stream. */
	bool bypass_unattached;
	/** Switch the interrupts for events and for errors on, which are wired to whatever the machine says. */
	bool interrupts;
	/** The longest wait for the hardware, in nanoseconds. 0: one second. */
	uint64_t timeout_ns;
};

struct dma_smmuv3_info {
	/** Registers IDR0, IDR1, IDR3 and IDR5. */
	uint32_t idr0;
	uint32_t idr1;
	uint32_t idr3;
	uint32_t idr5;
	/** Bits of a stream number, of an I/O address and of a physical one; log2 of the smallest page. */
	unsigned int stream_bits;
	unsigned int input_bits;
	unsigned int output_bits;
	unsigned int granule_bits;
	/** Domains that can live together. */
	uint32_t domains;
	/** The stream table has two levels; invalidations may name ranges; walks snoop CPU caches. */
	bool two_levels;
	bool range_invalidation;
	bool coherent_walk;
	/** Firmware had left it on, and it was taken over. */
	bool taken_over;
	bool enabled;
	/** It failed to finish an invalidation, or to answer. */
	bool broken;
	/** Commands given; waits for them; commands that it refused. */
	uint64_t commands;
	uint64_t waits;
	uint64_t command_errors;
	/** Events that told of a fault; times that events were lost; other global errors. */
	uint64_t faults;
	uint64_t events_lost;
	uint64_t global_errors;
};

/**
 * dma_smmuv3_create() - find out what an SMMU can do, and make its tables and queues.
 * @host:   with register accessors of 32 and 64 bits
 * @config: copied
 * @smmu:   receives it
 *
 * Process context. The hardware is only read.
 *
 * Return: 0; -EINVAL (NULL, a size, missing accessors, impossible widths); -ENODEV (nothing answers there);
 * -EOPNOTSUPP (no stage 1, no little-endian AArch64 tables, or no granule as small as the host's page); -ENOMEM.
 */
int dmamap_smmuv3_create(struct dma_host *host, const struct dma_smmuv3_config *config,
			 struct dma_smmuv3 **smmu);

/** dma_smmuv3_destroy() - disable it and free everything. Return: 0; -EBUSY while a backend of it lives. */
int dmamap_smmuv3_destroy(struct dma_smmuv3 *smmu);

/**
 * dma_smmuv3_enable() - translate. (IHI 0070, 6.3, the registers CR0 and GBPA.)
 *
 * If it is on already, whoever is behind it is cut off (GBPA) while its registers change. Everything cached is
 * invalidated before translation starts. Process context.
 *
 * Return: 0, also if it is enabled; -EIO (the hardware does not do it).
 */
int dmamap_smmuv3_enable(struct dma_smmuv3 *smmu);

/**
 * dma_smmuv3_disable() - stop translating: devices do what the register GBPA says, as a rule reach all memory by
 * physical address. Devices must be quiet. Return: 0, also if it is not enabled; -EIO.
 */
int dmamap_smmuv3_disable(struct dma_smmuv3 *smmu);

/**
 * dma_smmuv3_backend_create() - an empty I/O address space.
 * @smmu:    must outlive it
 * @backend: receives it, for dma_domain_create()
 *
 * Stage 1 cannot express memory that may be written but not read: such mappings can be read too.
 *
 * Return: 0; -EIO (broken); -ENOSPC (no number is free); -ENOMEM.
 */
int dmamap_smmuv3_backend_create(struct dma_smmuv3 *smmu, struct dma_backend **backend);

/**
 * dma_smmuv3_domain_create() - the same with its domain, which becomes the caller's; destroy it with
 * dma_domain_destroy(). Keep the machine's interrupt doorbells out of it (dma_domain_reserve()). Return: as the two calls.
 */
static inline int dmamap_smmuv3_domain_create(struct dma_smmuv3 *smmu, struct dma_host *host,
					      const struct dma_domain_config *config,
					      struct dma_domain **domain)
{
	struct dma_backend *backend;
	int err = dmamap_smmuv3_backend_create(smmu, &backend);

	if (err)
		return err;
	err = dmamap_domain_create(host, backend, config, domain);
	if (err)
		backend->ops->destroy(backend);
	return err;
}

/**
 * dma_smmuv3_handle_faults() - report what is in the event queue (dma_fault_report()), and make room; acknowledge
 * global errors.
 *
 * For the handlers of its interrupts, or to be polled. What comes while the queue is full is lost, and counted once.
 * Any context without a lock of the library.
 *
 * Return: faults reported.
 */
unsigned int dmamap_smmuv3_handle_faults(struct dma_smmuv3 *smmu);

/** dma_smmuv3_get_info() - what it can and what it did. Any context. */
void dmamap_smmuv3_get_info(struct dma_smmuv3 *smmu, struct dma_smmuv3_info *info);

/** The unit, for tests that play the library's part. */
struct dma_iommu_unit *dmamap_smmuv3_unit(struct dma_smmuv3 *smmu);

/** One clause on an event's number (IHI 0070, 7.3); "unknown event" for others. Static storage. */
const char *dmamap_smmuv3_event_text(unsigned int code);

#ifdef __cplusplus
}
#endif

#endif
