/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio IOMMU: a PCI function, which the VIOT table names; where the machine has no table, the first of that make.
 * Every other function is asked beforehand which addresses it cannot use, so that a
 * domain suits them all.
 */
#include "iommu.h"

#define VIRTIO_VENDOR 0x1af4u
#define VIRTIO_IOMMU  0x1057u

static uint32_t config_read(void *arg, unsigned int offset)
{
	return qemu_config_read(arg, offset, 4);
}

static void config_write(void *arg, unsigned int offset, uint32_t value)
{
	qemu_config_write(arg, offset, 4, value);
}

static struct dma_pci_function function_of(struct qemu_device *dev)
{
	struct dma_pci_function f = { .read32 = config_read, .write32 = config_write, .arg = dev };

	for (unsigned int i = 0; i < DMA_PCI_FUNCTION_BARS; i++) {
		f.bars[i].phys = dev->bars[i].base;
		f.bars[i].size = dev->bars[i].base ? dev->bars[i].size : 0;
	}
	return f;
}

/** A function that the IOMMU does not know has nothing to say. */
static void probe_all(struct qemu_machine *m, const struct qemu_device *self,
		      struct dma_virtio_iommu *iommu)
{
	struct qemu_device *dev;

	for (unsigned int i = 0; (dev = qemu_device_at(m, i)); i++)
		if (dev != self)
			dmamap_virtio_iommu_probe(iommu, &dev->dma);
}

static struct qemu_device *find(struct qemu_machine *m)
{
	struct dma_viot_unit unit;
	struct dma_viot viot;
	size_t len;
	const void *table = qemu_acpi_table(m, "VIOT", &len);

	if (table && !dmamap_viot_open(table, len, &viot) && dmamap_viot_unit(&viot, 0, &unit) &&
	    unit.pci)
		return qemu_device_by_id(m, unit.id);
	return qemu_find_device(m, VIRTIO_VENDOR, VIRTIO_IOMMU, 0);
}

static int start(struct qemu_machine *m)
{
	struct qemu_device *dev = find(m);
	struct dma_virtio_iommu_config config = {
		.size = sizeof(config),
		.requesters = qemu_requesters(m),
	};
	struct dma_virtio_iommu *iommu;
	int err;

	if (!dev)
		return -DMAMAP_ENODEV;
	config.function = function_of(dev);
	err = dmamap_virtio_iommu_create(&m->host, &config, &iommu);
	if (err)
		return err;
	probe_all(m, dev, iommu);
	m->iommu_state = iommu;
	return 0;
}

static int stop(struct qemu_machine *m)
{
	return dmamap_virtio_iommu_destroy(m->iommu_state);
}

static int domain_create(struct qemu_machine *m, const struct dma_domain_config *config,
			 struct dma_domain **domain)
{
	return dmamap_virtio_iommu_domain_create(m->iommu_state, &m->host, config, domain);
}

static unsigned int faults(struct qemu_machine *m)
{
	int n = dmamap_virtio_iommu_handle_faults(m->iommu_state);

	return n > 0 ? (unsigned int)n : 0;
}

const struct qemu_iommu_driver qemu_virtio_driver = {
	.start = start,
	.stop = stop,
	.domain = domain_create,
	.faults = faults,
};

struct dma_virtio_iommu *qemu_virtio_iommu(struct qemu_machine *m)
{
	return m->driver == &qemu_virtio_driver ? m->iommu_state : NULL;
}
