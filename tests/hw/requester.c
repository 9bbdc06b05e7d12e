/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * By which numbers the drivers know a device: those of the PCI topology where nobody else answers, and answers that
 * cannot be.
 */
#include "board.h"

#include <string.h>

#include "hw/requester.h"

/*
 * 00:00.0 host bridge's bus; 00:01.0 root port to bus 1; 01:00.0 bridge to conventional PCI, bus 2; 02:03.0 a device;
 * 00:02.0 another one.
 */
static const struct dma_pci_node tree[] = {
	{ .kind = DMA_PCI_HOST_BRIDGE, .parent = -1 },
	{ .devfn = 0x08, .kind = DMA_PCI_ROOT_PORT, .parent = 0 },
	{ .bus = 1, .devfn = 0x00, .kind = DMA_PCI_BRIDGE, .parent = 1 },
	{ .bus = 2, .devfn = 0x18, .kind = DMA_PCI_ENDPOINT, .parent = 2 },
	{ .devfn = 0x10, .kind = DMA_PCI_ENDPOINT, .parent = 0 },
};

struct fixture {
	struct board board;
	struct dma_pci_node nodes[5];
	struct dma_pci_topology topology;
	struct board_device a;
	struct board_device b;
	struct hw_attached_list list;
};

static void start(struct fixture *f, const struct dma_requesters *requesters)
{
	board_init(&f->board);
	memcpy(f->nodes, tree, sizeof(tree));
	f->topology = (struct dma_pci_topology){ .size = sizeof(f->topology),
						 .nodes = f->nodes,
						 .nr_nodes = 5 };
	assert_int_equal(dma_pci_attach(&f->board.host, &f->topology, NULL), 0);
	board_device_init(&f->board, &f->a, 1);
	board_device_init(&f->board, &f->b, 2);
	assert_int_equal(dma_pci_bind(&f->board.host, 3, &f->a.dma), 0);
	dmamap_hw_attached_init(&f->list, &f->board.host, requesters, 0xffff);
}

static void finish(struct fixture *f)
{
	dmamap_hw_attached_fini(&f->list);
	assert_int_equal(dma_pci_bind(&f->board.host, 3, NULL), 0);
	assert_int_equal(dma_pci_bind(&f->board.host, 4, NULL), 0);
	assert_int_equal(dma_device_fini(&f->a.dma), 0);
	assert_int_equal(dma_device_fini(&f->b.dma), 0);
	assert_int_equal(dma_pci_detach(&f->board.host), 0);
	board_fini(&f->board);
}

static void bridges_to_conventional_pci_add_their_numbers(void **state)
{
	const struct dma_requesters none = { 0 };
	uint32_t ids[DMA_REQUESTER_IDS];
	struct fixture f;

	(void)state;
	start(&f, &none);
	assert_int_equal(dmamap_hw_ids(&f.list, &f.a.dma, ids), 3);
	assert_int_equal(ids[0], 0x218); /* its own */
	assert_int_equal(ids[1], 0x100); /* the bridge's */
	assert_int_equal(ids[2], 0x200); /* what the bridge may put in place of any below it */
	assert_int_equal(dmamap_hw_ids(&f.list, &f.b.dma, ids), 0); /* bound to nothing */
	assert_int_equal(dma_pci_bind(&f.board.host, 4, &f.b.dma), 0);
	assert_int_equal(dmamap_hw_ids(&f.list, &f.b.dma, ids), 1);
	assert_int_equal(ids[0], 0x10);
	finish(&f);
}

static unsigned int answer(void *arg, struct dma_device *dev, uint32_t *ids, unsigned int max)
{
	const unsigned int *n = arg;

	(void)dev;
	for (unsigned int i = 0; i < *n && i < max; i++)
		ids[i] = 0xfffe + i;
	return *n;
}

static void impossible_answers_are_no_device(void **state)
{
	unsigned int n = 0;
	const struct dma_requesters requesters = { answer, &n };
	uint32_t ids[DMA_REQUESTER_IDS];
	struct fixture f;

	(void)state;
	start(&f, &requesters);
	assert_int_equal(dmamap_hw_ids(&f.list, &f.a.dma, ids), 0);
	n = 2;
	assert_int_equal(dmamap_hw_ids(&f.list, &f.a.dma, ids), 2);
	n = 3; /* the third is beyond the last */
	assert_int_equal(dmamap_hw_ids(&f.list, &f.a.dma, ids), 0);
	n = DMA_REQUESTER_IDS + 1;
	assert_int_equal(dmamap_hw_ids(&f.list, &f.a.dma, ids), 0);
	finish(&f);
}

static void a_number_belongs_to_one_domain(void **state)
{
	unsigned int n = 2;
	const struct dma_requesters requesters = { answer, &n };
	struct hw_attached *a, *b;
	struct fixture f;

	(void)state;
	start(&f, &requesters);
	assert_int_equal(dmamap_hw_attached_add(&f.list, &f.a.dma, 1, &a), 0);
	assert_int_equal(dmamap_hw_attached_add(&f.list, &f.a.dma, 1, &a), -DMAMAP_EBUSY);
	assert_int_equal(dmamap_hw_attached_add(&f.list, &f.b.dma, 2, &b), -DMAMAP_EBUSY);
	n = 1;
	assert_int_equal(dmamap_hw_attached_add(&f.list, &f.b.dma, 1, &b), 0);
	assert_true(dmamap_hw_attached_shared(&f.list, a, 0xfffe));
	assert_false(dmamap_hw_attached_shared(&f.list, a, 0xffff));
	assert_ptr_equal(dmamap_hw_attached_device(&f.list, 0xffff), &f.a.dma);
	assert_null(dmamap_hw_attached_device(&f.list, 0x1234));
	dmamap_hw_attached_remove(&f.list, a);
	assert_ptr_equal(dmamap_hw_attached_device(&f.list, 0xfffe), &f.b.dma);
	assert_null(dmamap_hw_attached_device(&f.list, 0xffff));
	assert_true(dmamap_hw_attached_any(&f.list, 1));
	dmamap_hw_attached_remove(&f.list, b);
	assert_false(dmamap_hw_attached_any(&f.list, 1));
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bridges_to_conventional_pci_add_their_numbers),
		cmocka_unit_test(impossible_answers_are_no_device),
		cmocka_unit_test(a_number_belongs_to_one_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
