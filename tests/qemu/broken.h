/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A unit that stands between the page tables and the driver of an IOMMU, and leaves an invalidation out, or aims it
 * wrong.
 */
#ifndef TESTS_QEMU_BROKEN_H
#define TESTS_QEMU_BROKEN_H

#include <dmamap/pagetable.h>

enum sabotage {
	NOTHING,
	NO_INVALIDATION,
	NO_WAIT,
	WRONG_DOMAIN,
	FIRST_PAGE_ONLY,
};

struct broken_unit {
	struct dma_iommu_unit unit; /* first */
	struct dma_iommu_unit *real;
	enum sabotage how;
};

/** One that passes everything on to @real. */
struct broken_unit broken_unit(struct dma_iommu_unit *real);

#endif
