/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a missing invalidation lets through: a backend that stands between a domain and the real one leaves it out, or
 * makes it too small, and the device reaches pages that were unmapped. With the whole invalidation it does not, so that
 * the other cases would have shown it.
 */
#include "cases.h"

enum sabotage {
	NOTHING,
	NO_INVALIDATION,
	FIRST_PAGE_ONLY,
};

struct broken {
	struct dma_backend backend; /* first */
	struct dma_backend *real;
	enum sabotage how;
};

static struct broken *broken_of(struct dma_backend *backend)
{
	return (struct broken *)(void *)backend;
}

static struct dma_backend *real_of(struct dma_backend *backend)
{
	return broken_of(backend)->real;
}

static int forward_map(struct dma_backend *b, dma_addr_t iova, const struct dma_vec *vec, size_t n,
		       unsigned int prot)
{
	return real_of(b)->ops->map(real_of(b), iova, vec, n, prot);
}

static uint64_t forward_unmap(struct dma_backend *b, dma_addr_t iova, uint64_t len)
{
	return real_of(b)->ops->unmap(real_of(b), iova, len);
}

static int forward_sync_map(struct dma_backend *b, dma_addr_t iova, uint64_t len)
{
	return real_of(b)->ops->sync_map(real_of(b), iova, len);
}

static void forward_invalidate(struct dma_backend *b, dma_addr_t iova, uint64_t len, bool leaf_only)
{
	enum sabotage how = broken_of(b)->how;

	if (how == NO_INVALIDATION)
		return;
	real_of(b)->ops->invalidate(real_of(b), iova, how == FIRST_PAGE_ONLY ? PAGE : len,
				    leaf_only);
}

static void forward_wait(struct dma_backend *b)
{
	real_of(b)->ops->wait(real_of(b));
}

static int forward_iova_to_phys(struct dma_backend *b, dma_addr_t iova, phys_addr_t *phys)
{
	return real_of(b)->ops->iova_to_phys(real_of(b), iova, phys);
}

static int forward_attach(struct dma_backend *b, struct dma_device *dev)
{
	return real_of(b)->ops->attach(real_of(b), dev);
}

static void forward_detach(struct dma_backend *b, struct dma_device *dev)
{
	real_of(b)->ops->detach(real_of(b), dev);
}

static void forward_destroy(struct dma_backend *b)
{
	real_of(b)->ops->destroy(real_of(b));
}

/** Tables are never pruned, and no block of entries is lent: every change comes through here. */
static const struct dma_backend_ops forward_ops = {
	.size = sizeof(struct dma_backend_ops),
	.map = forward_map,
	.unmap = forward_unmap,
	.sync_map = forward_sync_map,
	.invalidate = forward_invalidate,
	.wait = forward_wait,
	.iova_to_phys = forward_iova_to_phys,
	.attach = forward_attach,
	.detach = forward_detach,
	.destroy = forward_destroy,
};

/** Four pages are mapped, touched, unmapped, and written to: a bit for each in which the bytes are found. */
static unsigned int reached(struct target *t, struct broken *b, enum sabotage how)
{
	static const unsigned char bytes[16] = "came through";
	phys_addr_t phys = ram_make(t, 4 * PAGE, 1);
	unsigned int result = 0;
	unsigned char buf[16];
	dma_addr_t addr = dma_map_phys(t->dma, phys, (size_t)4 * PAGE, DMA_BIDIRECTIONAL, 0);

	assert_false(dma_mapping_error(t->dma, addr));
	for (unsigned int i = 0; i < 4; i++)
		dev_expect(t, addr + (dma_addr_t)i * PAGE, (uint64_t)i * PAGE, 16, 1);
	b->how = how;
	dma_unmap_phys(t->dma, addr, (size_t)4 * PAGE, DMA_BIDIRECTIONAL, 0);
	b->how = NOTHING;
	for (unsigned int i = 0; i < 4; i++) {
		t->kind->dev_write(t, addr + (dma_addr_t)i * PAGE, bytes, sizeof(bytes));
		t->kind->cpu_read(t, phys + (phys_addr_t)i * PAGE, buf, sizeof(buf));
		if (!memcmp(buf, bytes, sizeof(buf)))
			result |= 1u << i;
		else
			expect_fault(t, addr + (dma_addr_t)i * PAGE, true);
	}
	expect_no_fault(t);
	b->real->ops->invalidate(b->real, 0, ~(uint64_t)0, false);
	b->real->ops->wait(b->real);
	ram_free(t, phys, 4 * PAGE);
	return result;
}

void missing_invalidations(struct target *t)
{
	struct dma_domain_config policy = { .size = sizeof(policy) };
	struct dma_domain *usual = t->domain;
	struct broken b = { .backend.ops = &forward_ops };

	target_leave(t);
	assert_int_equal(dma_device_set_domain(t->dma, NULL), 0);
	assert_int_equal(t->kind->backend(t, &b.real), 0);
	b.backend.caps = b.real->caps;
	assert_int_equal(dma_domain_create(t->host, &b.backend, &policy, &t->domain), 0);
	assert_int_equal(dma_device_set_domain(t->dma, t->domain), 0);
	target_enter(t);

	assert_int_equal(reached(t, &b, NOTHING), 0);
	assert_int_equal(reached(t, &b, NO_INVALIDATION), 15);
	assert_int_equal(reached(t, &b, FIRST_PAGE_ONLY), t->kind->limits & COARSE ? 0 : 14);
	assert_int_equal(reached(t, &b, NOTHING), 0);

	target_leave(t);
	assert_int_equal(dma_device_set_domain(t->dma, NULL), 0);
	assert_int_equal(dma_domain_destroy(t->domain), 0);
	t->domain = usual;
	assert_int_equal(dma_device_set_domain(t->dma, t->domain), 0);
	target_enter(t);
}
