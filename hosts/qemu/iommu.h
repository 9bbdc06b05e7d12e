/* SPDX-License-Identifier: BSD-2-Clause */
/* The kinds of IOMMUs that a machine may have: what each one's file gives. */
#ifndef DMAMAP_QEMU_IOMMU_H
#define DMAMAP_QEMU_IOMMU_H

#include "machine.h"

#pragma GCC visibility push(hidden)

struct qemu_iommu_driver {
	/** Find it, make its driver (m->iommu_state), and have it translate. -errno: nothing is left. */
	int (*start)(struct qemu_machine *m);
	/** -EBUSY while domains live, and then nothing happened. */
	int (*stop)(struct qemu_machine *m);
	int (*domain)(struct qemu_machine *m, const struct dma_domain_config *config,
		      struct dma_domain **domain);
	/** Report what was recorded; how many. */
	unsigned int (*faults)(struct qemu_machine *m);
};

extern const struct qemu_iommu_driver qemu_amd_driver;	  /* amd.c */
extern const struct qemu_iommu_driver qemu_smmuv3_driver; /* smmuv3.c */
extern const struct qemu_iommu_driver qemu_virtio_driver; /* virtio.c */
extern const struct qemu_iommu_driver qemu_vtd_driver;	  /* vtd.c */

#pragma GCC visibility pop

#endif
