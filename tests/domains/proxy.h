/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_DOMAINS_PROXY_H
#define TESTS_DOMAINS_PROXY_H

#include "world.h"

/** A unit in front of another one: it can forget to pass invalidations on, and writes down what it was asked. */
struct proxy {
	struct dma_iommu_unit unit;
	struct dma_iommu_unit *real;
	bool lame;
	bool refuses;
	unsigned int refuse_next; /* so many attaches */
	unsigned int detaches;
	struct dma_unit_caps caps;
	const struct dma_reserved_region *regions;
	unsigned int nr_regions;
	unsigned int attached;
	struct text *log; /* one letter and @mark for each call */
	char mark;
};

/** Everything is passed on; the second one has devices with caches of their own. */
extern const struct dma_iommu_unit_ops proxy_ops;
extern const struct dma_iommu_unit_ops proxy_ats_ops;

#endif
