/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the readers of topologies: any bytes at all. What is read must pass the library's check, and the answers for
 * its pairs must hold together: the type of a pair is that of the pair turned round, and so is its distance.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/p2p.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void check_pair(const struct dma_pci_topology *t, int a, int b)
{
	struct dma_p2p_answer to, from;

	MUST(!dma_p2p_query(t, a, b, &to) && !dma_p2p_query(t, b, a, &from));
	MUST(to.type == from.type && to.distance == from.distance && to.common == from.common);
	MUST(to.nr_redirects == from.nr_redirects);
	MUST((to.type == DMA_P2P_NOT_SUPPORTED) == (to.reason != DMA_REASON_NONE));
	MUST((to.type == DMA_P2P_NOT_SUPPORTED) == (to.refused_by >= 0));
	MUST(to.type != DMA_P2P_BUS_ADDR || to.common >= 0);
	MUST(a != b || (to.type == DMA_P2P_BUS_ADDR && !to.distance));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct p2p_tree tree;
	size_t n;
	int err;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	err = p2p_read(text, &tree);
	MUST(!err || err == -EINVAL);
	MUST(!err || *tree.error);
	if (!err)
		MUST(tree.n && !dma_pci_check(&tree.topology, NULL));
	n = err ? 0 : tree.n < 12 ? tree.n : 12;
	for (size_t a = 0; a < n; a++)
		for (size_t b = 0; b < n; b++)
			check_pair(&tree.topology, (int)a, (int)b);
	p2p_free(&tree);
	free(text);
	return 0;
}
