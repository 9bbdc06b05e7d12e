/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine with a PCI tree for the tests of peer-to-peer:
 *
 *   root bus 0 (identified by 00:00.0)
 *     00:00.0 HOST0          vendor and device as the test says
 *     00:01.0 PORT0  -- 01:00.0 UP -- 02:00.0 DOWN_A -- 03:00.0 PEER_A, 03:00.1 PEER_A1
 *                                  \- 02:01.0 DOWN_B -- 04:00.0 PEER_B
 *     00:02.0 PORT1  -- 05:00.0 PEER_C
 *   root bus 80 (identified by 80:00.0)
 *     80:00.0 HOST1
 *     80:01.0 PORT2  -- 81:00.0 PEER_D
 *
 * Every PEER has BAR 0 of 1 MiB; PEER_A also I/O ports as BAR 2, and BAR 4 of 64 KiB.
 */
#ifndef TESTS_P2P_TREE_H
#define TESTS_P2P_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sim.h>

enum tree_node {
	ROOT0,
	ROOT1,
	HOST0,
	HOST1,
	PORT0,
	PORT1,
	PORT2,
	UP,
	DOWN_A,
	DOWN_B,
	PEER_A,
	PEER_A1,
	PEER_B,
	PEER_C,
	PEER_D,
	TREE_NODES,
};

#define BAR_SIZE 0x100000ull
#define BAR_A	 0xe0000000ull
#define BAR_A4	 0xe1000000ull
#define BAR_A1	 0xe2000000ull
#define BAR_B	 0xe3000000ull
#define BAR_C	 0xe4000000ull
#define BAR_D	 0xe5000000ull

#define REDIRECT DMA_PCI_ACS_REQUEST_REDIRECT

/** Ids of host bridges. */
#define LISTED	  0x8086, 0x2030
#define SAME_ROOT 0x8086, 0x3c00
#define UNLISTED  0x8086, 0x1234

struct tree {
	struct dma_pci_topology topology;
	struct dma_pci_node nodes[TREE_NODES];
	struct dma_pci_bar bars[TREE_NODES][3];
	struct sim_machine *m;
	struct dma_host *host;
	/** By node; NULL but for the PEERs. */
	struct sim_device *device[TREE_NODES];
};

/** Only the topology; bus = CPU address + @bus_offset. */
void tree_fill(struct tree *tree, uint64_t bus_offset);
void tree_set_id(struct tree *tree, enum tree_node node, uint16_t vendor, uint16_t device);

/** With a machine of 64 MiB RAM at 1 MiB and 64 KiB right below BAR_C, the BARs and five devices, bound, with 64-bit masks. */
void tree_start(struct tree *tree, uint64_t bus_offset, bool noncoherent);
void tree_stop(struct tree *tree);
struct dma_device *tree_dma(struct tree *tree, enum tree_node node);

/** The answer must be this. */
void expect_answer(struct tree *tree, int provider, int client, enum dma_p2p_type type,
		   int distance, enum dma_reason reason);

/** From DMAMAP_TEST_SEED or the clock; printed. */
uint64_t tree_seed(void);
uint64_t tree_random(uint64_t *state);

#endif
