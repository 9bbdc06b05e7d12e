/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists with peers' memory, on both routes, with the bytes moved: DIR-27 to DIR-29, IOM-31 to IOM-33; the length of
 * each element (C9), syncs (C10), MMIO protection and no maintenance behind the host bridge (C8), changes of ACS while
 * a list is mapped.
 */
#include "tree.h"

#define RAM0 0x200000ull
#define RAM1 0x300000ull

/** Behind an IOMMU, a domain for PEER_B. */
struct behind {
	struct sim_iommu *iommu;
	struct dma_domain *domain;
};

static void put_behind(struct tree *t, struct behind *b, enum tree_node node)
{
	struct sim_iommu_config config = { .size = sizeof(config) };
	struct dma_domain_config domain = { .size = sizeof(domain) };

	assert_int_equal(sim_iommu_create(t->m, &config, &b->iommu), 0);
	assert_int_equal(sim_device_put_behind(t->device[node], b->iommu), 0);
	assert_int_equal(sim_domain_create(b->iommu, &domain, &b->domain), 0);
	assert_int_equal(dma_device_set_domain(tree_dma(t, node), b->domain), 0);
}

static void take_out(struct tree *t, struct behind *b, enum tree_node node)
{
	struct dma_domain_stats stats;

	dma_domain_get_stats(b->domain, &stats);
	assert_int_equal(stats.iova_bytes, 0);
	assert_int_equal(dma_device_set_domain(tree_dma(t, node), NULL), 0);
	assert_int_equal(dma_domain_destroy(b->domain), 0);
	assert_int_equal(sim_iommu_destroy(b->iommu), 0);
}

/** The device writes a pattern through every segment; what is behind @phys, element by element, has it. */
static void expect_data(struct tree *t, enum tree_node node, struct scatterlist *sg, int ents,
			struct scatterlist *cpu, int nents)
{
	static unsigned char out[0x10000], in[0x10000];
	size_t done = 0, total = 0;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (unsigned char)(i * 7 + (i >> 8) + 1);
	memset(in, 0, sizeof(in));
	for (int i = 0; i < ents; i++, total += sg_dma_len(&sg[i - 1]))
		assert_int_equal(sim_dma_write(t->device[node], sg_dma_address(&sg[i]), out + total,
					       sg_dma_len(&sg[i]), NULL),
				 0);
	for (int i = 0; i < nents; i++, done += cpu[i - 1].length)
		assert_int_equal(sim_cpu_read(t->m, sg_phys(&cpu[i]), in + done, cpu[i].length), 0);
	assert_int_equal(done, total);
	assert_memory_equal(in, out, done);
}

static void set3(struct scatterlist *sg, uint64_t a, unsigned int alen, uint64_t b,
		 unsigned int blen, uint64_t c, unsigned int clen)
{
	sg_init_table(sg, 3);
	sg_set_phys(&sg[0], a, alen);
	sg_set_phys(&sg[1], b, blen);
	sg_set_phys(&sg[2], c, clen);
}

static void expect_no_marks(const struct scatterlist *sg, int n)
{
	for (int i = 0; i < n; i++)
		assert_int_equal(sg[i].dma_flags, 0);
}

static void expect_reason(struct dma_device *dev, enum dma_reason reason)
{
	struct dma_error err;

	assert_int_equal(dma_last_error(dev, &err), 0);
	assert_string_equal(dma_reason_name(err.reason), dma_reason_name(reason));
	assert_ptr_equal(err.dev, dev);
}

static void DIR_27_bus_address_element(void **state)
{
	struct scatterlist sg[3];
	struct dma_device *dev;
	struct tree t;

	(void)state;
	tree_start(&t, 0x1000000, false);
	dev = tree_dma(&t, PEER_B);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), 0);
	set3(sg, RAM0, 0x1000, BAR_A, 0x2000, RAM1, 0x800);
	assert_int_equal(dma_map_sg(dev, sg, 3, DMA_FROM_DEVICE), 3);
	assert_int_equal(sg_dma_address(&sg[1]), 0xe1000000);
	assert_int_equal(sg_dma_len(&sg[1]), 0x2000);
	assert_true(sg[1].dma_flags & DMAMAP_SG_BUS_ADDRESS);
	assert_int_equal(sg[0].dma_flags | sg[2].dma_flags, 0);
	expect_data(&t, PEER_B, sg, 3, sg, 3);
	/* An unmap takes the mark, and nothing else. */
	dma_unmap_sg(dev, sg, 3, DMA_FROM_DEVICE);
	expect_no_marks(sg, 3);
	assert_int_equal(sg_dma_address(&sg[1]), 0xe1000000);
	assert_int_equal(sg_dma_len(&sg[1]), 0x2000);
	tree_stop(&t);
}

static void DIR_28_refused_in_the_middle(void **state)
{
	struct sg_table table;
	struct scatterlist sg[3];
	struct dma_device *dev;
	struct tree t;

	(void)state;
	tree_start(&t, 1ull << 32, true);
	dev = tree_dma(&t, PEER_B);
	table = (struct sg_table){ sg, 0, 3 };
	set3(sg, RAM0, 0x1000, BAR_C, 0x1000, RAM1, 0x1000);
	assert_int_equal(dma_map_sgtable(dev, &table, DMA_FROM_DEVICE, 0), -DMAMAP_EREMOTEIO);
	expect_reason(dev, DMA_REASON_P2P_NO_PROVIDER);
	assert_int_equal(dma_p2p_init(t.host, PEER_C), 0);
	assert_int_equal(dma_map_sgtable(dev, &table, DMA_FROM_DEVICE, 0), -DMAMAP_EREMOTEIO);
	expect_reason(dev, DMA_REASON_P2P_BRIDGE_NOT_LISTED);
	/* Past the end of the BAR. */
	sg_set_phys(&sg[1], BAR_A + BAR_SIZE - 0x800, 0x1000);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), 0);
	assert_int_equal(dma_map_sgtable(dev, &table, DMA_FROM_DEVICE, 0), -DMAMAP_EREMOTEIO);
	expect_reason(dev, DMA_REASON_P2P_NO_PROVIDER);
	/* A bus address that the device cannot emit. */
	sg_set_phys(&sg[1], BAR_A, 0x1000);
	assert_int_equal(dma_device_quiesce(dev), 0);
	assert_int_equal(dma_set_mask(dev, DMA_BIT_MASK(32)), 0);
	assert_int_equal(dma_map_sgtable(dev, &table, DMA_FROM_DEVICE, 0), -DMAMAP_EREMOTEIO);
	expect_reason(dev, DMA_REASON_BEYOND_MASK);
	expect_no_marks(sg, 3);
	tree_stop(&t);
}

static void DIR_29_through_the_host_bridge(void **state)
{
	struct sim_counters before, after;
	struct scatterlist sg[3];
	struct dma_device *dev;
	struct tree t;

	(void)state;
	tree_start(&t, 0x800000, true);
	tree_set_id(&t, HOST0, SAME_ROOT);
	dev = tree_dma(&t, PEER_B);
	assert_int_equal(dma_p2p_init(t.host, PEER_C), 0);
	sg_init_table(sg, 1);
	sg_set_phys(&sg[0], BAR_C + 0x400, 0x1c00);
	sim_get_counters(t.m, &before);
	assert_int_equal(dma_map_sg(dev, sg, 1, DMA_BIDIRECTIONAL), 1);
	/* The CPU's address; not RAM: no maintenance, no sanitizer, on map, sync and unmap. */
	assert_int_equal(sg_dma_address(&sg[0]), BAR_C + 0x400);
	assert_int_equal(sg_dma_len(&sg[0]), 0x1c00);
	assert_false(sg[0].dma_flags & DMAMAP_SG_BUS_ADDRESS);
	expect_data(&t, PEER_B, sg, 1, sg, 1);
	dma_sync_sg_for_cpu(dev, sg, 1, DMA_BIDIRECTIONAL);
	dma_sync_sg_for_device(dev, sg, 1, DMA_BIDIRECTIONAL);
	dma_unmap_sg(dev, sg, 1, DMA_BIDIRECTIONAL);
	expect_no_marks(sg, 1);
	sim_get_counters(t.m, &after);
	assert_int_equal(after.cache_for_device, before.cache_for_device);
	assert_int_equal(after.cache_for_cpu, before.cache_for_cpu);
	assert_int_equal(after.sanitized, before.sanitized);
	assert_int_equal(after.warnings, before.warnings);
	/* A device whose RAM must bounce: MMIO is refused, not copied. */
	assert_int_equal(dma_device_quiesce(dev), 0);
	assert_int_equal(dma_device_set_force_bounce(dev, true), 0);
	assert_int_equal(dma_map_sg(dev, sg, 1, DMA_BIDIRECTIONAL), 0);
	expect_reason(dev, DMA_REASON_MMIO_CANNOT_BOUNCE);
	tree_stop(&t);
}

static void IOM_31_ram_bus_ram(void **state)
{
	struct scatterlist sg[3];
	struct dma_device *dev;
	struct behind b;
	struct tree t;

	(void)state;
	tree_start(&t, 0x1000000, false);
	dev = tree_dma(&t, PEER_B);
	put_behind(&t, &b, PEER_B);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), 0);
	set3(sg, RAM0, 0x1000, BAR_A, 0x2000, RAM1, 0x800);
	assert_int_equal(dma_map_sg(dev, sg, 3, DMA_FROM_DEVICE), 3);
	assert_int_equal(sg_dma_address(&sg[1]), 0xe1000000);
	assert_int_equal(sg_dma_len(&sg[1]), 0x2000);
	assert_true(sg[1].dma_flags & DMAMAP_SG_BUS_ADDRESS);
	assert_false((sg[0].dma_flags | sg[2].dma_flags) & DMAMAP_SG_BUS_ADDRESS);
	assert_int_equal(sg_dma_len(&sg[0]), 0x1000);
	assert_int_equal(sg_dma_len(&sg[2]), 0x800);
	expect_data(&t, PEER_B, sg, 3, sg, 3);
	dma_unmap_sg(dev, sg, 3, DMA_FROM_DEVICE);
	expect_no_marks(sg, 3);
	/* The IOMMU has taken back what it translates; it never translated the peer's bus address. */
	assert_int_equal(sim_dma_write(t.device[PEER_B], sg_dma_address(&sg[0]), "x", 1, NULL),
			 -DMAMAP_EFAULT);
	assert_int_equal(sim_dma_write(t.device[PEER_B], 0xe1000000, "x", 1, NULL), 0);
	take_out(&t, &b, PEER_B);
	tree_stop(&t);
}

/* Merging elements before a bus address: the mark stands on the segment, not on the element, and unmap finds its way. */
static void IOM_31_bus_behind_merged(void **state)
{
	struct scatterlist sg[5], cpu[5];
	struct dma_device *dev;
	struct behind b;
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	dev = tree_dma(&t, PEER_B);
	put_behind(&t, &b, PEER_B);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), 0);
	sg_init_table(sg, 5);
	sg_set_phys(&sg[0], BAR_A + 0x8000, 0x1000);
	sg_set_phys(&sg[1], RAM0, 0x1000);
	sg_set_phys(&sg[2], RAM1, 0x1000);
	sg_set_phys(&sg[3], BAR_A + 0x100, 0x300);
	sg_set_phys(&sg[4], RAM0 + 0x5000, 0x1000);
	memcpy(cpu, sg, sizeof(sg));
	assert_int_equal(dma_map_sg(dev, sg, 5, DMA_FROM_DEVICE), 4);
	assert_int_equal(sg_dma_address(&sg[0]), BAR_A + 0x8000);
	assert_int_equal(sg_dma_len(&sg[1]), 0x2000);
	assert_int_equal(sg_dma_address(&sg[2]), BAR_A + 0x100);
	assert_int_equal(sg_dma_len(&sg[2]), 0x300);
	/* The segment behind a bus address is not merged with the one before it. */
	assert_int_equal(sg_dma_address(&sg[3]), sg_dma_address(&sg[1]) + 0x2000);
	assert_int_equal(sg_dma_address(&sg[4]), DMA_MAPPING_ERROR);
	assert_int_equal(sg_dma_len(&sg[4]), 0);
	expect_data(&t, PEER_B, sg, 4, cpu, 5);
	dma_unmap_sg(dev, sg, 5, DMA_FROM_DEVICE);
	expect_no_marks(sg, 5);
	take_out(&t, &b, PEER_B);
	tree_stop(&t);
}

static void IOM_32_bus_only(void **state)
{
	struct dma_domain_stats stats;
	struct scatterlist sg[3];
	struct dma_device *dev;
	struct behind b;
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	dev = tree_dma(&t, PEER_B);
	put_behind(&t, &b, PEER_B);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), 0);
	set3(sg, BAR_A, 0x1000, BAR_A + 0x1000, 0x234, BAR_A4, 0x1000);
	assert_int_equal(dma_map_sg(dev, sg, 3, DMA_BIDIRECTIONAL), 3);
	dma_domain_get_stats(b.domain, &stats);
	assert_int_equal(stats.iova_peak_bytes, 0);
	for (int i = 0; i < 3; i++)
		assert_true(sg[i].dma_flags & DMAMAP_SG_BUS_ADDRESS);
	expect_data(&t, PEER_B, sg, 3, sg, 3);
	assert_int_equal(dma_device_live(dev), 0);
	dma_unmap_sg(dev, sg, 3, DMA_BIDIRECTIONAL);
	expect_no_marks(sg, 3);
	assert_int_equal(sg_dma_address(&sg[2]), BAR_A4);
	take_out(&t, &b, PEER_B);
	tree_stop(&t);
}

static void IOM_33_refused(void **state)
{
	struct scatterlist sg[3];
	struct dma_device *dev;
	struct sg_table table;
	struct behind b;
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	dev = tree_dma(&t, PEER_B);
	put_behind(&t, &b, PEER_B);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), 0);
	assert_int_equal(dma_p2p_init(t.host, PEER_D), 0);
	table = (struct sg_table){ sg, 0, 3 };
	set3(sg, RAM0, 0x1000, BAR_A, 0x1000, BAR_D, 0x1000);
	assert_int_equal(dma_map_sgtable(dev, &table, DMA_FROM_DEVICE, 0), -DMAMAP_EREMOTEIO);
	expect_reason(dev, DMA_REASON_P2P_BRIDGE_NOT_LISTED);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(sg_dma_address(&sg[i]), DMA_MAPPING_ERROR);
		assert_int_equal(sg_dma_len(&sg[i]), 0);
	}
	expect_no_marks(sg, 3);
	/* Redirection makes the near one a refusal too. */
	assert_int_equal(dma_pci_set_acs(t.host, DOWN_B, REDIRECT), 0);
	assert_int_equal(dma_map_sg(dev, sg, 2, DMA_FROM_DEVICE), 0);
	expect_reason(dev, DMA_REASON_P2P_ACS_REDIRECT);
	/* And in hardware the bus address meets the IOMMU. */
	assert_int_equal(sim_dma_write(t.device[PEER_B], BAR_A, "x", 1, NULL), -DMAMAP_EFAULT);
	assert_int_equal(dma_pci_bind(t.host, PEER_B, NULL), 0);
	assert_int_equal(dma_map_sg(dev, sg, 2, DMA_FROM_DEVICE), 0);
	expect_reason(dev, DMA_REASON_P2P_NOT_PCI);
	take_out(&t, &b, PEER_B);
	tree_stop(&t);
}

/* An element that begins as RAM and runs into a BAR, or past the end of RAM, is one thing on no route. */
static void an_element_with_two_kinds_of_memory(void **state)
{
	const phys_addr_t starts[] = { BAR_C - 0x1000, 0x100000 + (64 << 20) - 0x1000 };
	struct scatterlist sg[2];
	struct dma_device *dev;
	struct sg_table table;
	struct behind b = { NULL, NULL };
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	tree_set_id(&t, HOST0, LISTED);
	dev = tree_dma(&t, PEER_B);
	assert_int_equal(dma_p2p_init(t.host, PEER_C), 0);
	table = (struct sg_table){ sg, 0, 2 };
	sg_init_table(sg, 2);
	sg_set_phys(&sg[0], RAM0, 0x1000);
	for (int route = 0; route < 2; route++) {
		if (route)
			put_behind(&t, &b, PEER_B);
		for (int i = 0; i < 2; i++) {
			sg_set_phys(&sg[1], starts[i], 0x1001);
			assert_int_equal(dma_map_sgtable(dev, &table, DMA_FROM_DEVICE, 0),
					 -DMAMAP_EREMOTEIO);
			expect_reason(dev, DMA_REASON_MIXED_MEMORY);
			expect_no_marks(sg, 2);
			assert_int_equal(dma_device_live(dev), 0);
			sg_set_phys(&sg[1], starts[i], 0x1000);
			assert_int_equal(dma_map_sgtable(dev, &table, DMA_FROM_DEVICE, 0), 0);
			dma_unmap_sgtable(dev, &table, DMA_FROM_DEVICE, 0);
		}
		assert_int_equal(dma_device_quiesce(dev), 0);
	}
	take_out(&t, &b, PEER_B);
	tree_stop(&t);
}

/* C8: behind an IOMMU a peer behind the host bridge is mapped as MMIO, among RAM that is mapped as RAM. */
static void through_the_host_bridge_and_the_iommu(void **state)
{
	struct sim_counters before, after;
	struct scatterlist sg[3], cpu[3];
	struct dma_device *dev;
	struct behind b;
	struct tree t;

	(void)state;
	tree_start(&t, 0x800000, true);
	tree_set_id(&t, HOST0, LISTED);
	dev = tree_dma(&t, PEER_B);
	put_behind(&t, &b, PEER_B);
	assert_int_equal(dma_p2p_init(t.host, PEER_C), 0);
	set3(sg, RAM0, 0x1000, BAR_C, 0x2000, RAM1, 0x1000);
	memcpy(cpu, sg, sizeof(sg));
	sim_get_counters(t.m, &before);
	assert_int_equal(dma_map_sg(dev, sg, 3, DMA_FROM_DEVICE), 1);
	assert_int_equal(sg_dma_len(&sg[0]), 0x4000);
	sim_get_counters(t.m, &after);
	assert_int_equal(after.cache_for_device, before.cache_for_device + 2);
	assert_int_equal(after.sanitized, before.sanitized + 2);
	dma_sync_sg_for_cpu(dev, sg, 3, DMA_FROM_DEVICE);
	sim_get_counters(t.m, &before);
	assert_int_equal(before.cache_for_cpu, after.cache_for_cpu + 2);
	dma_sync_sg_for_device(dev, sg, 3, DMA_FROM_DEVICE);
	/* ACS and lists may change meanwhile: the unmap undoes what was mapped. */
	assert_int_equal(dma_pci_set_acs(t.host, PORT1, REDIRECT), 0);
	tree_set_id(&t, HOST0, UNLISTED);
	assert_int_equal(
		sim_dma_write(t.device[PEER_B], sg_dma_address(&sg[0]) + 0x1000, "abc", 3, NULL),
		0);
	assert_memory_equal(sim_cpu_ptr(t.m, BAR_C, 3), "abc", 3);
	dma_unmap_sg(dev, sg, 3, DMA_FROM_DEVICE);
	expect_no_marks(sg, 3);
	sim_get_counters(t.m, &after);
	assert_int_equal(after.warnings, 0);
	take_out(&t, &b, PEER_B);
	tree_stop(&t);
}

/* An untrusted device's list is mapped one by one when RAM must bounce: peers' memory never does. */
static void an_untrusted_device(void **state)
{
	struct dma_bounce_config config = { .size = sizeof(config), .bytes = 1 << 20 };
	struct dma_bounce *pool;
	struct scatterlist sg[3];
	struct dma_device *dev;
	struct behind b;
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	tree_set_id(&t, HOST0, LISTED);
	dev = tree_dma(&t, PEER_B);
	put_behind(&t, &b, PEER_B);
	assert_int_equal(dma_bounce_create(t.host, &config, &pool), 0);
	assert_int_equal(dma_device_set_bounce(dev, pool), 0);
	assert_int_equal(dma_device_set_untrusted(dev, true), 0);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), 0);
	assert_int_equal(dma_p2p_init(t.host, PEER_C), 0);
	/* through the host bridge it would see the registers beside those that it is given */
	set3(sg, BAR_C + 0x10, 0x30, RAM0 + 0x10, 0x20, BAR_A + 0x10, 0x40);
	assert_int_equal(dma_map_sg(dev, sg, 3, DMA_FROM_DEVICE), 0);
	expect_reason(dev, DMA_REASON_MMIO_ALIGNMENT);
	set3(sg, BAR_C, 0x1000, RAM0 + 0x10, 0x20, BAR_A + 0x10, 0x40);
	assert_int_equal(dma_map_sg(dev, sg, 3, DMA_FROM_DEVICE), 3);
	assert_true(sg[0].dma_flags & DMAMAP_SG_BOUNCED);
	assert_int_equal(sg_dma_address(&sg[2]), BAR_A + 0x10);
	assert_int_equal(sg_dma_len(&sg[2]), 0x40);
	assert_int_equal(sim_dma_write(t.device[PEER_B], sg_dma_address(&sg[0]), "peer", 4, NULL),
			 0);
	assert_int_equal(sim_dma_write(t.device[PEER_B], sg_dma_address(&sg[1]), "ram", 3, NULL),
			 0);
	dma_sync_sg_for_cpu(dev, sg, 3, DMA_FROM_DEVICE);
	assert_memory_equal(sim_cpu_ptr(t.m, BAR_C, 4), "peer", 4);
	assert_memory_equal(sim_cpu_ptr(t.m, RAM0 + 0x10, 3), "ram", 3);
	dma_unmap_sg(dev, sg, 3, DMA_FROM_DEVICE);
	expect_no_marks(sg, 3);
	assert_int_equal(dma_device_live(dev), 0);
	/* Only peers' memory in the list: nothing bounces at all. */
	sg_init_table(sg, 1);
	sg_set_phys(&sg[0], BAR_C, 0x2000);
	assert_int_equal(dma_map_sg(dev, sg, 1, DMA_FROM_DEVICE), 1);
	assert_false(sg[0].dma_flags & DMAMAP_SG_BOUNCED);
	dma_unmap_sg(dev, sg, 1, DMA_FROM_DEVICE);
	assert_int_equal(dma_device_set_bounce(dev, NULL), 0);
	take_out(&t, &b, PEER_B);
	assert_int_equal(dma_bounce_destroy(pool), 0);
	tree_stop(&t);
}

/* C10: a sync of a list passes over bus addresses, which are no addresses of RAM. */
static void syncs_pass_over_bus_addresses(void **state)
{
	struct sim_counters before, after;
	struct scatterlist sg[3];
	struct dma_device *dev;
	struct tree t;

	(void)state;
	/* The bus address of BAR_A is that of RAM0. */
	tree_start(&t, RAM0 - BAR_A, true);
	dev = tree_dma(&t, PEER_B);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), 0);
	set3(sg, RAM1, 0x1000, BAR_A, 0x1000, RAM1 + 0x4000, 0x1000);
	assert_int_equal(dma_map_sg(dev, sg, 3, DMA_BIDIRECTIONAL), 3);
	assert_int_equal(sg_dma_address(&sg[1]), RAM0);
	/* The CPU's newest bytes at RAM0 stay in its cache. */
	assert_int_equal(sim_cpu_write(t.m, RAM0, "cpu", 3), 0);
	sim_get_counters(t.m, &before);
	dma_sync_sg_for_cpu(dev, sg, 3, DMA_BIDIRECTIONAL);
	dma_sync_sg_for_device(dev, sg, 3, DMA_BIDIRECTIONAL);
	dma_unmap_sg(dev, sg, 3, DMA_BIDIRECTIONAL);
	sim_get_counters(t.m, &after);
	assert_int_equal(after.cache_for_cpu, before.cache_for_cpu + 4);
	assert_int_equal(after.cache_for_device, before.cache_for_device + 2);
	assert_memory_equal(sim_cpu_ptr(t.m, RAM0, 3), "cpu", 3);
	tree_stop(&t);
}

/* A refusal is in the trace like a success, with its reason. */
struct last_event {
	struct dma_observer observer;
	struct dma_event event;
};

static void keep_event(struct dma_observer *observer, const struct dma_event *event)
{
	((struct last_event *)(void *)observer)->event = *event;
}

static void refusals_are_traced(void **state)
{
	struct last_event last = { .observer = { .event = keep_event } };
	struct scatterlist sg[1];
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	assert_int_equal(dma_observer_attach(t.host, &last.observer), 0);
	assert_int_equal(dma_p2p_init(t.host, PEER_D), 0);
	sg_init_table(sg, 1);
	sg_set_phys(&sg[0], BAR_D, 0x1000);
	assert_int_equal(dma_map_sg(tree_dma(&t, PEER_A), sg, 1, DMA_TO_DEVICE), 0);
	assert_int_equal(last.event.type, DMA_EVENT_MAP_SG_ERR);
	assert_int_equal(last.event.reason, DMA_REASON_P2P_BRIDGE_NOT_LISTED);
	assert_int_equal(last.event.err, -DMAMAP_EREMOTEIO);
	assert_int_equal(dma_observer_detach(t.host, &last.observer), 0);
	tree_stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(DIR_27_bus_address_element),
		cmocka_unit_test(DIR_28_refused_in_the_middle),
		cmocka_unit_test(DIR_29_through_the_host_bridge),
		cmocka_unit_test(IOM_31_ram_bus_ram),
		cmocka_unit_test(IOM_31_bus_behind_merged),
		cmocka_unit_test(IOM_32_bus_only),
		cmocka_unit_test(IOM_33_refused),
		cmocka_unit_test(an_element_with_two_kinds_of_memory),
		cmocka_unit_test(through_the_host_bridge_and_the_iommu),
		cmocka_unit_test(an_untrusted_device),
		cmocka_unit_test(syncs_pass_over_bus_addresses),
		cmocka_unit_test(refusals_are_traced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
