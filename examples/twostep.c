/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two-step mapping: a capture card fills one frame that lies in scattered pages. Behind an IOMMU the driver takes one
 * range of I/O addresses and links every page to it, so that the card needs one descriptor; in front of none it maps
 * page by page. The same driver runs on both, and takes back with the call that belongs to what it did.
 */
#include <stdio.h>
#include <string.h>

#include <dmamap/dmamap.h>
#include <dmamap/sim.h>

#define PAGE	 4096
#define PAGES	 6
#define RAM_BASE 0x100000000

struct frame {
	phys_addr_t page[PAGES];
	struct dma_iova_state iova;
	/* What the card is told: one address, or one for each page. */
	dma_addr_t addr[PAGES];
	unsigned int count;
};

/* The driver: nothing here knows what machine it runs on. */
static int map_as_one(struct dma_device *dev, struct frame *f)
{
	size_t linked = 0;
	int err = 0;

	for (int i = 0; !err && i < PAGES; i++) {
		err = dma_iova_link(dev, &f->iova, f->page[i], linked, PAGE, DMA_FROM_DEVICE, 0);
		linked += err ? 0 : PAGE;
	}
	if (!err)
		err = dma_iova_sync(dev, &f->iova, 0, linked);
	if (err) {
		dma_iova_destroy(dev, &f->iova, linked, DMA_FROM_DEVICE, 0);
		return err;
	}
	f->addr[0] = f->iova.addr;
	f->count = 1;
	return 0;
}

static void unmap_frame(struct dma_device *dev, struct frame *f)
{
	if (dma_use_iova(&f->iova)) {
		dma_iova_destroy(dev, &f->iova, PAGES * PAGE, DMA_FROM_DEVICE, 0);
		return;
	}
	while (f->count)
		dma_unmap_phys(dev, f->addr[--f->count], PAGE, DMA_FROM_DEVICE, 0);
}

static int map_frame(struct dma_device *dev, struct frame *f)
{
	if (dma_iova_try_alloc(dev, &f->iova, f->page[0], PAGES * PAGE))
		return map_as_one(dev, f);
	for (f->count = 0; f->count < PAGES; f->count++) {
		f->addr[f->count] = dma_map_phys(dev, f->page[f->count], PAGE, DMA_FROM_DEVICE, 0);
		if (dma_mapping_error(dev, f->addr[f->count])) {
			unmap_frame(dev, f);
			return -DMAMAP_ENOMEM;
		}
	}
	return 0;
}

static int capture(struct sim_machine *machine, struct sim_device *card)
{
	struct dma_device *dev = sim_dma(card);
	unsigned char line[PAGES * PAGE];
	struct frame f = { .count = 0 };
	int wrong = 0;

	for (int i = 0; i < PAGES; i++) {
		/* scattered: every other page stays behind */
		f.page[i] = sim_alloc(machine, 2 * PAGE, PAGE, 0, ~(phys_addr_t)0);
		if (f.page[i] == DMAMAP_PHYS_NONE)
			return 1;
	}
	if (map_frame(dev, &f))
		return 1;
	printf("%s: %u descriptor%s\n", dma_device_name(dev), f.count, f.count == 1 ? "" : "s");
	memset(line, 0x5a, sizeof(line));
	for (unsigned int i = 0; i < f.count; i++)
		wrong += sim_dma_write(card, f.addr[i], line, sizeof(line) / f.count, NULL) != 0;
	unmap_frame(dev, &f);
	for (int i = 0; i < PAGES; i++)
		wrong += memcmp(sim_cpu_ptr(machine, f.page[i], PAGE), line, PAGE) != 0;
	for (int i = 0; i < PAGES; i++)
		sim_free(machine, f.page[i], 2 * PAGE);
	printf("%s: %d of %d pages wrong\n", dma_device_name(dev), wrong, PAGES);
	return wrong;
}

int main(void)
{
	struct sim_config machine_config = { .size = sizeof(machine_config) };
	struct sim_iommu_config iommu_config = { .size = sizeof(iommu_config) };
	struct dma_domain_config domain_config = { .size = sizeof(domain_config) };
	struct sim_device_config config[2] = { { .size = sizeof(config[0]), .name = "card0" },
					       { .size = sizeof(config[0]), .name = "card1" } };
	struct sim_device *card[2];
	struct sim_machine *machine;
	struct sim_iommu *iommu;
	struct dma_domain *domain;

	if (sim_machine_create(&machine_config, &machine) ||
	    sim_add_ram(machine, RAM_BASE, 16 << 20) || sim_start(machine) ||
	    sim_iommu_create(machine, &iommu_config, &iommu) ||
	    sim_domain_create(iommu, &domain_config, &domain) ||
	    sim_device_create(machine, &config[0], &card[0]) ||
	    sim_device_create(machine, &config[1], &card[1]) ||
	    sim_device_put_behind(card[0], iommu) ||
	    dma_device_set_domain(sim_dma(card[0]), domain))
		return 1;
	for (int i = 0; i < 2; i++)
		if (dma_set_mask_and_coherent(sim_dma(card[i]), DMA_BIT_MASK(64)) ||
		    capture(machine, card[i]))
			return 1;
	return sim_device_destroy(card[0]) || sim_device_destroy(card[1]) ||
	       dma_domain_destroy(domain) || sim_iommu_destroy(iommu) ||
	       sim_machine_destroy(machine);
}
