/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C8: what the iommu route tells a backend about a list of RAM and peers' memory: each piece with the protection of its
 * kind, never both kinds in one call, also where RAM and BAR touch in physical memory.
 */
#include "tree.h"

#define CALLS 16

struct call {
	phys_addr_t phys;
	uint64_t len;
	unsigned int prot;
};

/** A backend that writes down every piece, and translates nothing. */
struct recorder {
	struct dma_backend backend;
	struct call call[CALLS];
	unsigned int n;
	uint64_t mapped;
};

static int record(struct dma_backend *backend, dma_addr_t iova, const struct dma_vec *vec, size_t n,
		  unsigned int prot)
{
	struct recorder *r = (struct recorder *)(void *)backend;

	(void)iova;
	for (size_t i = 0; i < n; i++) {
		assert_true(r->n < CALLS);
		r->call[r->n++] = (struct call){ vec[i].phys, vec[i].len, prot };
		r->mapped += vec[i].len;
	}
	return 0;
}

static uint64_t forget(struct dma_backend *backend, dma_addr_t iova, uint64_t len)
{
	(void)iova;
	((struct recorder *)(void *)backend)->mapped -= len;
	return len;
}

static int translate(struct dma_backend *backend, dma_addr_t iova, phys_addr_t *phys)
{
	(void)backend;
	(void)iova;
	(void)phys;
	return -DMAMAP_ENXIO;
}

static const struct dma_backend_ops recorder_ops = {
	.size = sizeof(recorder_ops),
	.map = record,
	.unmap = forget,
	.iova_to_phys = translate,
};

static void expect_piece(const struct recorder *r, unsigned int i, phys_addr_t phys, uint64_t len,
			 unsigned int prot)
{
	assert_true(i < r->n);
	assert_int_equal(r->call[i].phys, phys);
	assert_int_equal(r->call[i].len, len);
	assert_int_equal(r->call[i].prot, prot);
}

static void each_kind_has_its_protection(void **state)
{
	struct recorder r = { .backend = { .ops = &recorder_ops,
					   .caps = { .page_sizes = 4096,
						     .aperture_end = DMA_BIT_MASK(40),
						     .output_bits = 52,
						     .may_unmap_part = true,
						     .write_only = true } } };
	struct dma_domain_config config = { .size = sizeof(config) };
	struct dma_domain *domain;
	struct scatterlist sg[5];
	struct dma_device *dev;
	struct tree t;

	(void)state;
	tree_start(&t, 0, false);
	tree_set_id(&t, HOST0, LISTED);
	dev = tree_dma(&t, PEER_B);
	assert_int_equal(dma_p2p_init(t.host, PEER_A), 0);
	assert_int_equal(dma_p2p_init(t.host, PEER_C), 0);
	assert_int_equal(dma_domain_create(t.host, &r.backend, &config, &domain), 0);
	assert_int_equal(dma_device_set_domain(dev, domain), 0);
	sg_init_table(sg, 5);
	sg_set_phys(&sg[0], BAR_C - 0x2000, 0x2000); /* RAM, and right behind it */
	sg_set_phys(&sg[1], BAR_C, 0x1000);	     /* a BAR */
	sg_set_phys(&sg[2], BAR_C + 0x1000, 0x1000);
	sg_set_phys(&sg[3], BAR_A, 0x1000); /* by bus address: the backend never hears of it */
	sg_set_phys(&sg[4], 0x200000, 0x1000);
	assert_int_equal(dma_map_sg(dev, sg, 5, DMA_TO_DEVICE), 3);
	assert_int_equal(r.n, 3);
	expect_piece(&r, 0, BAR_C - 0x2000, 0x2000, DMA_PROT_READ | DMA_PROT_CACHE);
	expect_piece(&r, 1, BAR_C, 0x2000, DMA_PROT_READ | DMA_PROT_MMIO);
	expect_piece(&r, 2, 0x200000, 0x1000, DMA_PROT_READ | DMA_PROT_CACHE);
	dma_unmap_sg(dev, sg, 5, DMA_TO_DEVICE);
	assert_int_equal(r.mapped, 0);
	assert_int_equal(dma_device_set_domain(dev, NULL), 0);
	assert_int_equal(dma_domain_destroy(domain), 0);
	tree_stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_its_protection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
