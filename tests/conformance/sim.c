/* SPDX-License-Identifier: BSD-2-Clause */
/* The simulated machine, with every format of its IOMMU, and with CPU caches that nobody snoops. */
#include <sim.h>

#include "targets.h"

#define RAM_BASE 0x100000000
#define RAM_SIZE (256ull << 20)
#define BAR_BASE 0xe0000000
#define BAR_SIZE (1u << 20)

struct sim {
	struct sim_machine *m;
	struct sim_device *device;
	struct sim_iommu *iommu;
};

static struct sim *sim_of(struct target *t)
{
	return t->priv;
}

static void start_with(struct target *t, const struct sim_iommu_config *iommu, bool noncoherent)
{
	struct sim_config config = { .size = sizeof(config), .noncoherent = noncoherent };
	struct sim_device_config device = { .size = sizeof(device), .name = "engine" };
	struct sim_iommu_config c = *iommu;
	struct sim *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	c.size = sizeof(c);
	c.incoherent_walk = noncoherent;
	assert_int_equal(sim_machine_create(&config, &s->m), 0);
	assert_int_equal(sim_add_ram(s->m, RAM_BASE, RAM_SIZE), 0);
	assert_int_equal(sim_add_bar(s->m, BAR_BASE, BAR_SIZE), 0);
	assert_int_equal(sim_start(s->m), 0);
	assert_int_equal(sim_iommu_create(s->m, &c, &s->iommu), 0);
	assert_int_equal(sim_device_create(s->m, &device, &s->device), 0);
	assert_int_equal(sim_device_put_behind(s->device, s->iommu), 0);
	t->priv = s;
	t->host = sim_host(s->m);
	t->dma = sim_dma(s->device);
	t->peer = BAR_BASE;
	t->peer_size = BAR_SIZE;
	assert_int_equal(dma_set_mask_and_coherent(t->dma, DMA_BIT_MASK(48)), 0);
}

static void sim_stop(struct target *t)
{
	struct sim *s = sim_of(t);

	assert_int_equal(sim_device_destroy(s->device), 0);
	assert_int_equal(sim_iommu_destroy(s->iommu), 0);
	assert_int_equal(sim_machine_destroy(s->m), 0);
	free(s);
}

static int sim_make_domain(struct target *t, const struct dma_domain_config *config,
			   struct dma_domain **domain)
{
	return sim_domain_create(sim_of(t)->iommu, config, domain);
}

static phys_addr_t sim_take(struct target *t, uint64_t size, uint64_t align)
{
	return sim_alloc(sim_of(t)->m, size, align, 0, ~0ull);
}

static void sim_give(struct target *t, phys_addr_t phys, uint64_t size)
{
	sim_free(sim_of(t)->m, phys, size);
}

static void cpu_read(struct target *t, phys_addr_t phys, void *buf, size_t len)
{
	assert_int_equal(sim_cpu_read(sim_of(t)->m, phys, buf, len), 0);
}

static void cpu_write(struct target *t, phys_addr_t phys, const void *buf, size_t len)
{
	assert_int_equal(sim_cpu_write(sim_of(t)->m, phys, buf, len), 0);
}

static void dev_read(struct target *t, dma_addr_t addr, void *buf, size_t len)
{
	memset(buf, 0, len);
	sim_dma_read(sim_of(t)->device, addr, buf, len, NULL);
}

static void dev_write(struct target *t, dma_addr_t addr, const void *buf, size_t len)
{
	sim_dma_write(sim_of(t)->device, addr, buf, len, NULL);
}

#define SIM_KIND(id, title, bits, caches, ...)                                    \
	static void id##_start(struct target *t)                                  \
	{                                                                         \
		start_with(t, &(struct sim_iommu_config){ __VA_ARGS__ }, caches); \
	}                                                                         \
	const struct target_kind id = {                                           \
		.name = title,                                                    \
		.limits = bits,                                                   \
		.start = id##_start,                                              \
		.stop = sim_stop,                                                 \
		.domain = sim_make_domain,                                        \
		.alloc = sim_take,                                                \
		.free = sim_give,                                                 \
		.cpu_read = cpu_read,                                             \
		.cpu_write = cpu_write,                                           \
		.dev_read = dev_read,                                             \
		.dev_write = dev_write,                                           \
	}

SIM_KIND(target_sim_vtd, "sim-vtd", 0, false, .format = DMA_PT_VTD_SECOND_STAGE);
SIM_KIND(target_sim_x86, "sim-x86", READS_ALL, false, .format = DMA_PT_VTD_FIRST_STAGE);
SIM_KIND(target_sim_amd, "sim-amd", 0, false, .format = DMA_PT_AMD_V1);
SIM_KIND(target_sim_lpae1, "sim-lpae1", READS_ALL, false, .format = DMA_PT_LPAE_STAGE1);
SIM_KIND(target_sim_lpae2, "sim-lpae2", 0, false, .format = DMA_PT_LPAE_STAGE2);
SIM_KIND(target_sim_riscv, "sim-riscv", READS_ALL, false, .format = DMA_PT_RISCV);
SIM_KIND(target_sim_command, "sim-command", 0, false, .command = true);
SIM_KIND(target_sim_caches, "sim-caches", 0, true, .format = DMA_PT_VTD_SECOND_STAGE);
