/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dmamap routes`: what one row is, and how it is performed.
 */
#ifndef DMAMAP_CMD_ROUTES_H
#define DMAMAP_CMD_ROUTES_H

#include <dmamap/dmamap.h>

#include "formats.h"

enum routes_kind {
	ROUTES_DIRECT,
	ROUTES_FORCED_BOUNCE,
	ROUTES_ARCH_DIRECT,
	ROUTES_IOMMU_STRICT,
	ROUTES_IOMMU_LAZY,
	ROUTES_OPS_PHYS,
	ROUTES_OPS_PAGE,
	ROUTES_OPS_PAGE_ONLY,
	ROUTES_MASK32,
	ROUTES_RANGE_MAP,
	ROUTES_COHERENT,
	ROUTES_KINDS,
};

/* Did the device's access arrive? */
enum routes_access {
	ROUTES_NOT_TRIED,
	ROUTES_ARRIVED,
	ROUTES_BLOCKED,
};

/* What was observed; everything behind @dir is written by routes_perform(). */
struct routes_row {
	enum routes_kind kind;
	bool mmio;
	enum dma_data_direction dir;

	bool ok;
	enum dma_reason reason;
	dma_addr_t dma_addr;
	enum dma_route took;
	/* Member of the method table; NULL: none was called. */
	const char *method;
	bool bounced;
	/* A cache hook was called by the map or by the unmap. */
	bool cache_synced;
	bool sanitized;
	bool traced;
	enum routes_access data;
	const char *unmap_method;
	bool unmap_traced;
	enum routes_access after_unmap;
};

const char *routes_kind_name(enum routes_kind kind);

/**
 * Build a machine for @row, with an IOMMU of @format where it has one, perform it there, take the machine down. 0, or
 * -errno if there was no machine.
 */
int routes_perform(struct routes_row *row, const struct cmd_format *format);

#endif
