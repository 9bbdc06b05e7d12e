/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A storage controller's descriptors from vectors: three buffers of RAM and a piece of a peer's BAR, for a controller
 * behind an IOMMU and for one without. The same loop builds page lists (PRP) where the device sees one range, and
 * scatter lists (SGL) where it does not; one call undoes both. docs/architecture.md explains it.
 */
#include <stdio.h>

#include <dmamap/dmamap.h>
#include <dmamap/sim.h>

#define PAGE	  4096
#define RAM_BASE  0x100000000
#define BAR_BASE  0xe0000000
#define MAX_DESCS 32

struct command {
	struct dma_vec_seg desc[MAX_DESCS];
	unsigned int count;
	bool prp; /* each entry is (the rest of) a page, so that its address says all */
};

/* The driver: nothing here knows what machine it runs on. */
static int build(struct dma_device *dev, struct dma_vec_map *map, struct dma_phys_vec *vecs,
		 size_t n, struct command *cmd)
{
	int got = dma_vec_map_start(dev, map, vecs, n, DMA_TO_DEVICE, 0);

	if (got)
		return got;
	cmd->count = 0;
	cmd->prp = map->contiguous;
	while (cmd->count < MAX_DESCS && (got = dma_vec_map_next(map, &cmd->desc[cmd->count])) > 0)
		cmd->count++;
	if (got)
		dma_vec_unmap(map,
			      DMA_ATTR_SKIP_CPU_SYNC); /* refused, or more than the command holds */
	return got;
}

static int transfer(struct sim_device *ctrl, struct dma_phys_vec *vecs, size_t n)
{
	struct dma_device *dev = sim_dma(ctrl);
	struct dma_vec_map map;
	struct command cmd;
	uint64_t moved = 0;
	char data[PAGE];

	/* Descriptors that end where a page ends: what a PRP list needs, and what keeps SGL entries simple. */
	dma_set_seg_boundary(dev, PAGE - 1);
	if (build(dev, &map, vecs, n, &cmd))
		return 1;
	printf("%s: %u %s entries\n", dma_device_name(dev), cmd.count, cmd.prp ? "PRP" : "SGL");
	for (unsigned int i = 0; i < cmd.count; i++) {
		if (sim_dma_read(ctrl, cmd.desc[i].addr, data, cmd.desc[i].len, NULL))
			return 1;
		moved += cmd.desc[i].len;
	}
	printf("%s: the device read %llu of %llu bytes, \"%s\" last\n", dma_device_name(dev),
	       (unsigned long long)moved, (unsigned long long)map.bytes, data);
	return dma_vec_unmap(&map, 0);
}

int main(void)
{
	struct dma_phys_vec vecs[] = {
		{ .phys = RAM_BASE + 0x1200, .len = 2 * PAGE - 0x200 }, /* ends with its page */
		{ .phys = BAR_BASE + 0x3000, .len = PAGE, .attrs = DMA_ATTR_MMIO },
		{ .phys = RAM_BASE + 0x8000, .len = 2 * PAGE },
		{ .phys = RAM_BASE + 0xf000, .len = 512 },
	};
	struct sim_config machine_config = { .size = sizeof(machine_config) };
	struct sim_iommu_config iommu_config = { .size = sizeof(iommu_config) };
	struct dma_domain_config domain_config = { .size = sizeof(domain_config) };
	struct sim_device_config config[2] = { { .size = sizeof(config[0]), .name = "nvme0" },
					       { .size = sizeof(config[0]), .name = "nvme1" } };
	struct dma_parms parms[2] = { { .max_segment_size = 0 } };
	struct sim_device *ctrl[2];
	struct sim_machine *machine;
	struct sim_iommu *iommu;
	struct dma_domain *domain;

	if (sim_machine_create(&machine_config, &machine) ||
	    sim_add_ram(machine, RAM_BASE, 16 << 20) || sim_add_bar(machine, BAR_BASE, 1 << 20) ||
	    sim_start(machine) || sim_iommu_create(machine, &iommu_config, &iommu) ||
	    sim_domain_create(iommu, &domain_config, &domain) ||
	    sim_device_create(machine, &config[0], &ctrl[0]) ||
	    sim_device_create(machine, &config[1], &ctrl[1]) ||
	    sim_device_put_behind(ctrl[0], iommu) ||
	    dma_device_set_domain(sim_dma(ctrl[0]), domain))
		return 1;
	sim_cpu_write(machine, RAM_BASE + 0xf000, "the end", sizeof("the end"));
	for (int i = 0; i < 2; i++) {
		dma_device_set_parms(sim_dma(ctrl[i]), &parms[i]);
		if (dma_set_mask_and_coherent(sim_dma(ctrl[i]), DMA_BIT_MASK(64)) ||
		    transfer(ctrl[i], vecs, sizeof(vecs) / sizeof(vecs[0])))
			return 1;
	}
	return sim_device_destroy(ctrl[0]) || sim_device_destroy(ctrl[1]) ||
	       dma_domain_destroy(domain) || sim_iommu_destroy(iommu) ||
	       sim_machine_destroy(machine);
}
