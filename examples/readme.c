/* SPDX-License-Identifier: BSD-2-Clause */
/* The program of README.md: a device behind an IOMMU writes a buffer, and a device that cannot reach one is told why. */
#include <stdio.h>

#include <dmamap/dmamap.h>
#include <dmamap/sim.h>

#define BUFFER_SIZE 4096

/* The driver of a card: map a buffer, let the card fill it, take it back. Nothing here knows what machine it runs on. */
static int receive(struct dma_device *dev, struct sim_device *card, void *buffer)
{
	dma_addr_t addr = dma_map_single(dev, buffer, BUFFER_SIZE, DMA_FROM_DEVICE);
	struct dma_error why;
	char text[400];

	if (dma_mapping_error(dev, addr)) {
		dma_last_error(dev, &why);
		dma_error_format(&why, text, sizeof(text));
		printf("%s: refused: %s\n", dma_device_name(dev), text);
		return -1;
	}
	printf("%s: mapped at 0x%llx\n", dma_device_name(dev), (unsigned long long)addr);
	sim_dma_write(card, addr, "hello from the card", 20, NULL);
	dma_unmap_single(dev, addr, BUFFER_SIZE, DMA_FROM_DEVICE);
	printf("%s: the buffer says \"%s\"\n", dma_device_name(dev), (const char *)buffer);

	if (sim_dma_write(card, addr, "too late", 9, NULL))
		printf("%s: after the unmap it is locked out\n", dma_device_name(dev));
	return 0;
}

int main(void)
{
	struct sim_config machine_config = { .size = sizeof(machine_config) };
	struct sim_iommu_config iommu_config = { .size = sizeof(iommu_config) };
	struct dma_domain_config domain_config = { .size = sizeof(domain_config) };
	struct sim_device_config nic_config = { .size = sizeof(nic_config), .name = "nic" };
	struct sim_device_config old_config = { .size = sizeof(old_config),
						.name = "old-card",
						.address_bits = 32 };
	struct sim_machine *machine;
	struct sim_iommu *iommu;
	struct dma_domain *domain;
	struct sim_device *nic, *old;
	phys_addr_t buffer;

	/* A machine with all its RAM above 4 GiB, and an IOMMU in front of one of its two cards. */
	if (sim_machine_create(&machine_config, &machine) ||
	    sim_add_ram(machine, 0x100000000, 16 << 20) || sim_start(machine) ||
	    sim_iommu_create(machine, &iommu_config, &iommu) ||
	    sim_domain_create(iommu, &domain_config, &domain) ||
	    sim_device_create(machine, &nic_config, &nic) ||
	    sim_device_create(machine, &old_config, &old) || sim_device_put_behind(nic, iommu) ||
	    dma_device_set_domain(sim_dma(nic), domain))
		return 1;
	buffer = sim_alloc(machine, BUFFER_SIZE, BUFFER_SIZE, 0, ~0ull);

	/*
	 * Neither driver has set a mask, so both cards have the default, 32 bits. The IOMMU gives the first an address
	 * below 4 GiB; the second has no way up there.
	 */
	if (receive(sim_dma(nic), nic, sim_cpu_ptr(machine, buffer, BUFFER_SIZE)) ||
	    !receive(sim_dma(old), old, sim_cpu_ptr(machine, buffer, BUFFER_SIZE)))
		return 1;

	sim_free(machine, buffer, BUFFER_SIZE);
	sim_device_destroy(old);
	sim_device_destroy(nic);
	dma_domain_destroy(domain);
	sim_iommu_destroy(iommu);
	return sim_machine_destroy(machine) ? 1 : 0;
}
