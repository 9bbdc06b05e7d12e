/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DMA faults: accesses of a device that were refused on their way to memory.
 *
 * Whoever sees one (the driver of an IOMMU, a host) reports it here, in words that no hardware owns; it becomes an
 * event for the observers (dmamap/event.h), and a call of the domain's fault handler. Nothing is decided: the access
 * has failed already. dmamap/history.h tells which mapping the address last belonged to.
 */
#ifndef DMAMAP_FAULT_H
#define DMAMAP_FAULT_H

#include <dmamap/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dma_host;
struct dma_device;
struct dma_domain;

enum dma_fault_access {
	DMA_FAULT_READ,
	DMA_FAULT_WRITE,
	/** Fetching instructions; only some devices do that. */
	DMA_FAULT_EXEC,
};

/**
 * X(symbol, name, what). The names are part of the interface; docs/semantics.md, "Faults", explains each.
 */
#define DMA_FAULT_REASONS(X)                                                                    \
	X(OTHER, "other", "the hardware gave a reason that has no name here")                   \
	X(NOT_PRESENT, "not-present", "nothing is mapped there")                                \
	X(READ_DENIED, "read-denied", "the mapping does not let the device read")               \
	X(WRITE_DENIED, "write-denied", "the mapping does not let the device write")            \
	X(EXEC_DENIED, "exec-denied", "the mapping does not let the device fetch instructions") \
	X(WIDTH, "width", "the address is wider than the path or the table")                    \
	X(RESERVED_BIT, "reserved-bit", "an entry of the table has a bit set that must not be") \
	X(BLOCKED, "blocked", "the device is attached to no domain, or was cut off")            \
	X(TABLE, "table", "a table could not be read, or makes no sense")                       \
	X(NO_WINDOW, "no-window", "no window of the bus takes the address")                     \
	X(HOLE, "hole", "the translation leads to a physical address at which nothing answers")

enum dma_fault_reason {
#define DMA_FAULT_ENUM(sym, name, what) DMA_FAULT_REASON_##sym,
	DMA_FAULT_REASONS(DMA_FAULT_ENUM)
#undef DMA_FAULT_ENUM
		DMA_FAULT_REASON_COUNT,
};

/** One fault. Fields that the reporter does not know are 0. */
struct dma_fault {
	/** sizeof(struct dma_fault). */
	size_t size;
	/** Who asked; NULL: the hardware named a requester that nobody knows. */
	struct dma_device *device;
	/** NULL: that of @device, if it has one. */
	struct dma_domain *domain;
	/** The first byte that was refused, or its page, where the hardware tells no more. */
	dma_addr_t dma_addr;
	enum dma_fault_access access;
	enum dma_fault_reason reason;
	/** The hardware's own code. */
	unsigned int code;
	/** Nanoseconds of the host's clock; 0: now. */
	uint64_t time_ns;
};

/**
 * A domain's fault handler. Called with no lock of the library held, in the context of the reporter, which may be an
 * interrupt; must not map or unmap. Return: 0: dealt with; anything else goes back to the reporter.
 */
typedef int (*dma_fault_handler)(struct dma_domain *domain, const struct dma_fault *fault,
				 void *arg);

/**
 * dma_domain_set_fault_handler() - have @handler called for each fault of a domain; NULL: nobody.
 *
 * Not while faults can be reported: before the first device is attached, or with its devices quiet.
 */
void dmamap_domain_set_fault_handler(struct dma_domain *domain, dma_fault_handler handler,
				     void *arg);

/**
 * dma_fault_report() - report one fault: handler first, then the event. docs/semantics.md, "Faults".
 * @host:  of the device and the domain
 * @fault: copied where something is filled in; need not live on
 *
 * Context: no lock of the library held; never sleeps by itself. May be called from several threads at once.
 *
 * Return: what the handler returned; -ENOSYS if there is none; -EINVAL for NULL pointers, another size, or a device of
 * another host.
 */
int dmamap_fault_report(struct dma_host *host, const struct dma_fault *fault);

/** The lower-case hyphenated name, and one clause that says what happened; "unknown" if out of range. Static storage. */
const char *dmamap_fault_reason_name(enum dma_fault_reason reason);
const char *dmamap_fault_reason_what(enum dma_fault_reason reason);

#ifdef __cplusplus
}
#endif

#endif
