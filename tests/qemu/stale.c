/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens when the order is broken (VT-d 6.5): a unit that stands
 * between the page tables and the VT-d driver leaves an invalidation out, or aims it wrong, and somebody else's IOMMU
 * shows it: the device reaches what it must not reach any more. Each is checked against the right order as well.
 */
#include "rig.h"

#include "broken.h"
#include "hw/vtd.h"

#define PAGE 4096u
#define DID  1u /* the first number that the driver gives out; a backend keeps it for us */

/** A rig whose edu is in a domain over tables of the test's own, behind the broken unit. */
struct broken {
	struct rig rig;
	struct broken_unit unit;
	struct dma_backend *keeper;
	struct dma_backend *backend;
};

static void broken_start(struct broken *b, enum dma_invalidation invalidation)
{
	struct dma_domain_config policy = { .size = sizeof(policy), .invalidation = invalidation };
	struct dma_pt_config config = { .size = sizeof(config),
					.format = DMA_PT_VTD_SECOND_STAGE,
					.domain_id = DID,
					.unit = &b->unit.unit };
	struct dma_vtd_info info;

	rig_start(&b->rig, &(struct qemu_config){ .iommu = QEMU_IOMMU_VTD });
	assert_int_equal(qemu_iommu_start(b->rig.m), 0);
	assert_int_equal(dmamap_vtd_backend_create(qemu_vtd(b->rig.m), &b->keeper), 0);
	dmamap_vtd_get_info(qemu_vtd(b->rig.m), &info);
	b->unit = broken_unit(dmamap_vtd_unit(qemu_vtd(b->rig.m)));
	config.levels = info.levels;
	config.output_bits = info.output_bits;
	config.page_sizes = info.page_sizes;
	assert_int_equal(dmamap_pt_backend_create(b->rig.host, &config, &b->backend), 0);
	assert_int_equal(dma_domain_create(b->rig.host, b->backend, &policy, &b->rig.domain), 0);
	assert_int_equal(dma_device_set_domain(&b->rig.function->dma, b->rig.domain), 0);
}

static void broken_stop(struct broken *b)
{
	assert_int_equal(dma_device_set_domain(&b->rig.function->dma, NULL), 0);
	assert_int_equal(dma_domain_destroy(b->rig.domain), 0);
	b->rig.domain = NULL;
	b->keeper->ops->destroy(b->keeper);
	rig_stop(&b->rig);
}

/** Enter entries by hand, as the domain would. */
static void enter(struct broken *b, dma_addr_t iova, phys_addr_t phys, uint64_t len,
		  unsigned int prot)
{
	struct dma_vec piece = { phys, len };

	assert_int_equal(b->backend->ops->map(b->backend, iova, &piece, 1, prot), 0);
	assert_int_equal(b->backend->ops->sync_map(b->backend, iova, len), 0);
}

static void clear(struct broken *b, dma_addr_t iova, uint64_t len)
{
	assert_true(b->backend->ops->unmap(b->backend, iova, len) == len);
}

static void drop(struct broken *b, dma_addr_t iova, uint64_t len)
{
	b->backend->ops->invalidate(b->backend, iova, len, true);
	b->backend->ops->wait(b->backend);
}

#define RW (DMA_PROT_READ | DMA_PROT_WRITE)

/* --- through the whole library */

/**
 * Four pages are mapped, touched, unmapped, and written to by the device: which of the writes still land?
 * Returns a bit for each.
 */
static unsigned int reached_after_unmap(struct broken *b, enum sabotage how)
{
	struct rig *rig = &b->rig;
	phys_addr_t phys = rig_pages(rig, 4, 0);
	unsigned int reached = 0;
	dma_addr_t addr;

	rig_set_buffer(rig, 0xee);
	b->unit.how = how;
	addr = dma_map_phys(&rig->function->dma, phys, 4 * PAGE, DMA_BIDIRECTIONAL, 0);
	assert_true(addr != DMA_MAPPING_ERROR);
	for (unsigned int i = 0; i < 4; i++)
		rig_load(rig, addr + i * PAGE, 2048, 16);
	dma_unmap_phys(&rig->function->dma, addr, 4 * PAGE, DMA_BIDIRECTIONAL, 0);
	for (unsigned int i = 0; i < 4; i++) {
		rig_store(rig, 0, addr + i * PAGE, 16);
		if (rig_all(rig, phys + i * PAGE, 16, 0xee))
			reached |= 1u << i;
		else
			rig_fault(rig, addr + i * PAGE, DMA_FAULT_WRITE,
				  DMA_FAULT_REASON_WRITE_DENIED);
	}
	rig_no_fault(rig);
	b->unit.how = NOTHING;
	drop(b, 0, ~0ull);
	qemu_free(rig->m, phys, 4 * PAGE);
	return reached;
}

static void what_broken_units_let_through(void **state)
{
	struct broken b;

	(void)state;
	broken_start(&b, DMA_INVALIDATION_STRICT);
	assert_int_equal(reached_after_unmap(&b, NOTHING), 0);
	assert_int_equal(reached_after_unmap(&b, NO_INVALIDATION), 15);
	assert_int_equal(reached_after_unmap(&b, NO_WAIT), 15);
	assert_int_equal(reached_after_unmap(&b, WRONG_DOMAIN), 15);
	assert_int_equal(reached_after_unmap(&b, FIRST_PAGE_ONLY), 14);
	assert_int_equal(reached_after_unmap(&b, NOTHING), 0);
	broken_stop(&b);
}

/** A lazy domain promises no more than this: until the flush the device still reaches its page. */
static void lazy_domains_flush_later(void **state)
{
	struct broken b;
	struct rig *rig = &b.rig;
	phys_addr_t phys;
	dma_addr_t addr, other;

	(void)state;
	broken_start(&b, DMA_INVALIDATION_LAZY);
	phys = rig_pages(rig, 1, 0);
	rig_set_buffer(rig, 0xee);
	addr = dma_map_phys(&rig->function->dma, phys, PAGE, DMA_BIDIRECTIONAL, 0);
	rig_load(rig, addr, 2048, 16);
	dma_unmap_phys(&rig->function->dma, addr, PAGE, DMA_BIDIRECTIONAL, 0);
	rig_store(rig, 0, addr, 16);
	assert_true(rig_all(rig, phys, 16, 0xee));
	rig_no_fault(rig);
	/* meanwhile nobody else gets the address */
	other = dma_map_phys(&rig->function->dma, phys, PAGE, DMA_BIDIRECTIONAL, 0);
	assert_true(other != addr);
	dma_unmap_phys(&rig->function->dma, other, PAGE, DMA_BIDIRECTIONAL, 0);
	dma_domain_flush(rig->domain);
	rig_store(rig, 0, addr + 64, 16);
	rig_fault(rig, addr, DMA_FAULT_WRITE, DMA_FAULT_REASON_WRITE_DENIED);
	assert_true(rig_all(rig, phys + 64, 16, 0));
	qemu_free(rig->m, phys, PAGE);
	broken_stop(&b);
}

/* --- entry by entry; addresses that the domain does not give out */

static void a_page_stays_until_it_is_dropped(void **state)
{
	struct broken b;
	phys_addr_t phys;

	(void)state;
	broken_start(&b, DMA_INVALIDATION_STRICT);
	phys = rig_pages(&b.rig, 4, 0);
	rig_set_buffer(&b.rig, 0xee);
	for (unsigned int i = 0; i < 4; i++) {
		enter(&b, 0x10000 + i * PAGE, phys + i * PAGE, PAGE, RW);
		rig_load(&b.rig, 0x10000 + i * PAGE, 2048, 16);
	}
	clear(&b, 0x10000, 4 * PAGE);
	rig_store(&b.rig, 0, 0x11000, 16);
	assert_true(rig_all(&b.rig, phys + PAGE, 16, 0xee));
	drop(&b, 0x10000, 2 * PAGE); /* exactly two of them */
	rig_store(&b.rig, 0, 0x10000, 16);
	rig_fault(&b.rig, 0x10000, DMA_FAULT_WRITE, DMA_FAULT_REASON_WRITE_DENIED);
	rig_store(&b.rig, 0, 0x11000, 16);
	rig_fault(&b.rig, 0x11000, DMA_FAULT_WRITE, DMA_FAULT_REASON_WRITE_DENIED);
	rig_store(&b.rig, 0, 0x12000, 16);
	rig_store(&b.rig, 0, 0x13000, 16);
	rig_no_fault(&b.rig);
	assert_true(rig_all(&b.rig, phys + 3 * PAGE, 16, 0xee));
	drop(&b, 0x12000, 2 * PAGE);
	qemu_free(b.rig.m, phys, 4 * PAGE);
	broken_stop(&b);
}

/** One small page of a large one drops the large one. */
static void large_pages_go_whole(void **state)
{
	phys_addr_t phys;
	struct broken b;

	(void)state;
	broken_start(&b, DMA_INVALIDATION_STRICT);
	phys = qemu_alloc(b.rig.m, 2u << 20, 2u << 20, 0, ~0ull);
	assert_true(phys != DMAMAP_PHYS_NONE);
	memset(rig_ptr(&b.rig, phys), 0, 2u << 20);
	rig_set_buffer(&b.rig, 0xee);
	enter(&b, 0x400000, phys, 2u << 20, RW);
	rig_load(&b.rig, 0x400000, 2048, 16);
	clear(&b, 0x400000, 2u << 20);
	rig_store(&b.rig, 0, 0x555000, 16);
	assert_true(rig_all(&b.rig, phys + 0x155000, 16, 0xee));
	drop(&b, 0x5ff000, PAGE);
	rig_store(&b.rig, 0, 0x555000, 16);
	rig_fault(&b.rig, 0x555000, DMA_FAULT_WRITE, DMA_FAULT_REASON_WRITE_DENIED);
	qemu_free(b.rig.m, phys, 2u << 20);
	broken_stop(&b);
}

/** A cached permission decides: what it forbids is lost without a fault. */
static void permissions_are_cached(void **state)
{
	phys_addr_t phys;
	struct broken b;

	(void)state;
	broken_start(&b, DMA_INVALIDATION_STRICT);
	phys = rig_pages(&b.rig, 1, 0);
	rig_set_buffer(&b.rig, 0xee);
	enter(&b, 0x10000, phys, PAGE, DMA_PROT_READ);
	rig_load(&b.rig, 0x10000, 2048, 16);
	clear(&b, 0x10000, PAGE);
	enter(&b, 0x10000, phys, PAGE, RW);
	rig_store(&b.rig, 0, 0x10000, 16);
	rig_no_fault(&b.rig);
	assert_true(rig_all(&b.rig, phys, PAGE, 0));
	drop(&b, 0x10000, PAGE);
	rig_store(&b.rig, 0, 0x10000, 16);
	assert_true(rig_all(&b.rig, phys, 16, 0xee));
	clear(&b, 0x10000, PAGE);
	drop(&b, 0x10000, PAGE);
	qemu_free(b.rig.m, phys, PAGE);
	broken_stop(&b);
}

/* --- context entries */

/** The context entry of the edu, as the hardware finds it. */
static struct vtd_entry *context_entry(struct rig *rig)
{
	uint64_t root = qemu_read64(rig->m, 0xfed90000 + VTD_RTADDR) & VTD_TABLE;
	const struct vtd_entry *bus = rig_ptr(rig, root + 16ull * rig->function->bus);

	assert_true(bus->low & VTD_PRESENT);
	return rig_ptr(rig, (bus->low & VTD_TABLE) + 16ull * rig->function->devfn);
}

/** A unit that only wants to know where a table is. */
struct peek {
	struct dma_iommu_unit unit; /* first */
	phys_addr_t root;
};

static int peek_attach(struct dma_iommu_unit *unit, struct dma_device *dev, unsigned int domain_id,
		       phys_addr_t root, unsigned int levels)
{
	(void)dev;
	(void)domain_id;
	(void)levels;
	((struct peek *)(void *)unit)->root = root;
	return 0;
}

static const struct dma_iommu_unit_ops peek_ops = {
	.size = sizeof(struct dma_iommu_unit_ops),
	.attach = peek_attach,
};

/** Tables of their own for three pages at @phys. */
static struct dma_backend *other_tables(struct broken *b, phys_addr_t phys, struct peek *peek)
{
	struct dma_pt_config config = { .size = sizeof(config),
					.format = DMA_PT_VTD_SECOND_STAGE,
					.levels = 3,
					.output_bits = 39,
					.unit = &peek->unit };
	struct dma_vec piece = { phys, 3 * PAGE };
	struct dma_backend *other;

	assert_int_equal(dmamap_pt_backend_create(b->rig.host, &config, &other), 0);
	assert_int_equal(other->ops->map(other, 0x10000, &piece, 1, RW), 0);
	assert_int_equal(other->ops->attach(other, &b->rig.function->dma), 0);
	return other;
}

/** Where does a write of the device to that page land? */
static bool lands_at(struct rig *rig, dma_addr_t addr, phys_addr_t phys)
{
	memset(rig_ptr(rig, phys), 0, 16);
	rig_store(rig, 0, addr, 16);
	return rig_all(rig, phys, 16, 0xee);
}

/**
 * Another table for the device: the old one is used until the context cache is dropped; what was cached under the old
 * one is used until the IOTLB is.
 */
static void context_entries_are_cached(void **state)
{
	struct peek peek = { { &peek_ops }, 0 };
	phys_addr_t old, new;
	struct dma_backend *other;
	struct vtd_entry *entry;
	struct dma_vtd *vtd;
	struct broken b;

	(void)state;
	broken_start(&b, DMA_INVALIDATION_STRICT);
	vtd = qemu_vtd(b.rig.m);
	old = rig_pages(&b.rig, 3, 0);
	new = rig_pages(&b.rig, 3, 0);
	rig_set_buffer(&b.rig, 0xee);
	enter(&b, 0x10000, old, 3 * PAGE, RW);
	other = other_tables(&b, new, &peek);
	assert_true(lands_at(&b.rig, 0x10000, old)); /* this page and the entry are cached now */
	entry = context_entry(&b.rig);
	entry->low = peek.root | VTD_PRESENT;
	assert_true(lands_at(&b.rig, 0x11000, old + PAGE));
	dmamap_vtd_drop_context(vtd, VTD_DEVICE, DID,
				(unsigned int)b.rig.function->bus << 8 | b.rig.function->devfn);
	assert_true(dmamap_vtd_finish(vtd));
	assert_true(lands_at(&b.rig, 0x12000, new + 2 * PAGE));
	assert_true(lands_at(&b.rig, 0x10000, old));
	drop(&b, 0, ~0ull);
	assert_true(lands_at(&b.rig, 0x10000, new));
	rig_no_fault(&b.rig);
	clear(&b, 0x10000, 3 * PAGE);
	qemu_free(b.rig.m, old, 3 * PAGE);
	qemu_free(b.rig.m, new, 3 * PAGE);
	assert_int_equal(dma_device_set_domain(&b.rig.function->dma, NULL), 0);
	other->ops->unmap(other, 0x10000, 3 * PAGE);
	other->ops->destroy(other);
	assert_int_equal(dma_device_set_domain(&b.rig.function->dma, b.rig.domain), 0);
	broken_stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_broken_units_let_through),
		cmocka_unit_test(lazy_domains_flush_later),
		cmocka_unit_test(a_page_stays_until_it_is_dropped),
		cmocka_unit_test(large_pages_go_whole),
		cmocka_unit_test(permissions_are_cached),
		cmocka_unit_test(context_entries_are_cached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
