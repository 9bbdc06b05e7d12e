/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dmamap emu`: scenarios on emulated hardware. A scenario drives QEMU's devices through the library, and notes each
 * step: what moved where, at which DMA address, what was blocked and with which fault, what was refused and why.
 */
#ifndef DMAMAP_CMD_EMU_H
#define DMAMAP_CMD_EMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dmamap/linux.h>
#include <dmamap/qemu.h>

#define EMU_STEPS   32u
#define EMU_DEVICES 4u

enum emu_result {
	EMU_MOVED,   /* the bytes arrived */
	EMU_BLOCKED, /* the device tried, and nothing was reached */
	EMU_REACHED, /* the device reached memory that was no longer its own */
	EMU_REFUSED, /* the library did not map it */
	EMU_WRONG,   /* something else than a scenario expects */
};

struct emu_step {
	enum emu_result result;
	/** As the scenario expects it. */
	bool ok;
	char device[24];
	char what[96];
	bool has_addr;
	dma_addr_t addr;
	uint64_t bytes;
	/** The fault in words, a reason, checksums; "" if there is nothing to say. */
	char detail[640];
};

/** A machine that a scenario runs on. */
struct emu {
	enum qemu_iommu_kind iommu;
	struct qemu_machine *m;
	struct dma_host *host;
	/** Devices, each in a domain of its own (NULL without an IOMMU), and what was seen of their faults. */
	struct qemu_device *devices[EMU_DEVICES];
	struct dma_domain *domains[EMU_DEVICES];
	unsigned int nr_devices;
	struct dma_history *history;
	struct dma_observer observer;
	unsigned int nr_faults;
	char fault[640]; /* the first one since the last look */

	struct emu_step steps[EMU_STEPS];
	unsigned int nr_steps;
};

struct emu_scenario {
	const char *name;
	/** One line. */
	const char *what;
	/** Why it cannot run with this IOMMU; NULL: it can. The member may be NULL: always. */
	const char *(*limit)(enum qemu_iommu_kind iommu);
	/** False after a message: the scenario could not be performed. Steps that are not ok are findings. */
	bool (*run)(struct emu *e);
};

/* --- emu_machine.c */

/** Start a machine with these devices (-device) and arguments, and attach the observers. False after a message. */
bool emu_start(struct emu *e, const char *const *devices, const char *const *arguments,
	       uint64_t memory);
/** End it; false after a message if something was left behind. */
bool emu_stop(struct emu *e);
/** The @index-th function of that make, a bus master, in a domain of its own where there is an IOMMU. NULL after a message. */
struct qemu_device *emu_attach(struct emu *e, uint16_t vendor, uint16_t device, unsigned int index);
/** The domain of an attached device; NULL: there is no IOMMU. */
struct dma_domain *emu_domain(const struct emu *e, const struct qemu_device *dev);

/** Note that @bytes at @addr moved as they should (@ok). */
void emu_moved(struct emu *e, const struct qemu_device *dev, const char *what, dma_addr_t addr,
	       uint64_t bytes, bool ok);
/** Note an access that must not reach anything; @untouched: it did not. Takes the fault that the IOMMU recorded. */
void emu_blocked(struct emu *e, const struct qemu_device *dev, const char *what, dma_addr_t addr,
		 uint64_t bytes, bool untouched);
/** Note a map that the library must refuse: with @addr from it. */
void emu_refused(struct emu *e, struct qemu_device *dev, const char *what, dma_addr_t addr,
		 uint64_t bytes, enum dma_reason reason);
/** Append to the latest step's detail. */
void emu_detail(struct emu *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- the scenarios */

extern const struct emu_scenario emu_copy, emu_direction, emu_mask, emu_bar, emu_p2p_nvme;

#endif
