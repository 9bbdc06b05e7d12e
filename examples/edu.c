/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver meets hardware: QEMU's edu device, behind QEMU's VT-d.
 *
 * Two pages of memory, one of them full of a text. The device may read the first and write the second: it copies the
 * text, through its own buffer. Then both are unmapped, and the device tries once more. It is told nothing, but the
 * IOMMU has a record of what it did, which the library puts into words.
 *
 * usage: edu. Needs qemu-system-x86_64.
 */
#include <dmamap/linux.h>
#include <dmamap/qemu.h>

#include <stdio.h>
#include <string.h>

#include "edu_device.h"

#define PAGE 4096u

static const char text[] = "what the device has read is what it wrote";

/** One line for each access that the IOMMU refused. */
static int tell(struct dma_domain *domain, const struct dma_fault *fault, void *arg)
{
	(void)domain;
	(void)arg;
	printf("refused: %s of %s at %#llx: %s\n",
	       fault->access == DMA_FAULT_WRITE ? "a write" : "a read",
	       fault->device ? dma_device_name(fault->device) : "a stranger",
	       (unsigned long long)fault->dma_addr, dmamap_vtd_fault_text(fault->code));
	return 0;
}

static int copy(struct qemu_machine *m, struct edu *edu)
{
	phys_addr_t from = qemu_alloc(m, PAGE, PAGE, 0, DMAMAP_PHYS_NONE);
	phys_addr_t to = qemu_alloc(m, PAGE, PAGE, 0, DMAMAP_PHYS_NONE);
	dma_addr_t a, b;

	memcpy(qemu_ram_ptr(m, from, PAGE), text, sizeof(text));

	/* The device gets addresses of its own, and only for as long as it needs them. */
	a = dma_map_phys(edu->dma, from, PAGE, DMA_TO_DEVICE, 0);
	b = dma_map_phys(edu->dma, to, PAGE, DMA_FROM_DEVICE, 0);
	if (dma_mapping_error(edu->dma, a) || dma_mapping_error(edu->dma, b))
		return -DMAMAP_ENOMEM;
	printf("%#llx is %#llx for the device, %#llx is %#llx\n", (unsigned long long)from,
	       (unsigned long long)a, (unsigned long long)to, (unsigned long long)b);
	edu_load(edu, a, 0, sizeof(text));
	edu_store(edu, 0, b, sizeof(text));
	dma_unmap_phys(edu->dma, b, PAGE, DMA_FROM_DEVICE, 0);
	dma_unmap_phys(edu->dma, a, PAGE, DMA_TO_DEVICE, 0);
	printf("it wrote: %s\n", (char *)qemu_ram_ptr(m, to, PAGE));

	/* From here on the addresses are nobody's. */
	edu_store(edu, 0, b, sizeof(text));
	return qemu_handle_faults(m) == 1 ? 0 : -DMAMAP_EIO;
}

static int drive(struct qemu_machine *m)
{
	struct dma_domain_config config = { .size = sizeof(config) };
	struct qemu_device *function = qemu_find_device(m, EDU_VENDOR, EDU_DEVICE, 0);
	struct dma_domain *domain;
	struct edu edu;
	int err;

	if (!function)
		return -DMAMAP_ENODEV;
	/* Before any DMA: the device behind the IOMMU, in a domain of its own. */
	err = qemu_domain_create(m, &config, &domain);
	if (err)
		return err;
	dma_domain_set_fault_handler(domain, tell, NULL);
	err = dma_device_set_domain(&function->dma, domain);
	if (!err) {
		qemu_enable(function, true, true);
		err = edu_init(&edu, &function->dma, function->bars[0].base, 28);
		if (!err)
			err = copy(m, &edu);
		qemu_enable(function, false, false);
		dma_device_set_domain(&function->dma, NULL);
	}
	dma_domain_destroy(domain);
	return err;
}

int main(void)
{
	static const char *const devices[] = { "edu", NULL };
	char why[1024] = "";
	struct qemu_config config = {
		.size = sizeof(config),
		.iommu = QEMU_IOMMU_VTD,
		.devices = devices,
		.error = why,
		.error_size = sizeof(why),
	};
	struct qemu_machine *m;
	int err = qemu_machine_create(&config, &m);

	if (err) {
		fprintf(stderr, "edu: no machine: %s\n", why);
		return 1;
	}
	err = drive(m);
	if (err)
		fprintf(stderr, "edu: error %d %s\n", err, qemu_failure(m) ? qemu_failure(m) : "");
	qemu_machine_destroy(m);
	return err ? 1 : 0;
}
