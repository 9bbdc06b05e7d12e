/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's IOMMU: found, its driver started when the first domain is wanted, and ended with the machine. Each kind
 * has a file of its own.
 */
#include "iommu.h"

static const struct qemu_iommu_driver *driver_of(const struct qemu_machine *m)
{
	switch (m->iommu) {
	case QEMU_IOMMU_VTD:
		return &qemu_vtd_driver;
	case QEMU_IOMMU_AMD:
		return &qemu_amd_driver;
	case QEMU_IOMMU_SMMUV3:
		return &qemu_smmuv3_driver;
	case QEMU_IOMMU_VIRTIO:
		return &qemu_virtio_driver;
	default:
		return NULL;
	}
}

int qemu_iommu_start(struct qemu_machine *m)
{
	const struct qemu_iommu_driver *d = driver_of(m);
	int err;

	if (!d)
		return m->iommu == QEMU_IOMMU_NONE ? -DMAMAP_ENODEV : -DMAMAP_EOPNOTSUPP;
	if (m->driver)
		return 0;
	err = d->start(m);
	if (!err && qemu_failure(m)) {
		d->stop(m);
		err = -DMAMAP_EIO;
	}
	if (!err)
		m->driver = d;
	return err;
}

int qemu_iommu_stop(struct qemu_machine *m)
{
	int err = m->driver ? m->driver->stop(m) : 0;

	if (!err)
		m->driver = NULL;
	return err;
}

int qemu_domain_create(struct qemu_machine *m, const struct dma_domain_config *config,
		       struct dma_domain **domain)
{
	int err = qemu_iommu_start(m);

	return err ? err : m->driver->domain(m, config, domain);
}

unsigned int qemu_handle_faults(struct qemu_machine *m)
{
	return m->driver ? m->driver->faults(m) : 0;
}
