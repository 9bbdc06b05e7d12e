/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sample lines: what real kernels printed (6.12.117), what the format files of 6.18 say, every dialect between, and
 * what this library prints itself.
 */
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>

#define TASK(name, id, on, ns) .task = (name), .pid = (id), .cpu = (on), .ts_ns = (ns)
#define NIC		       TASK("nic", 7, 3, 12000001000)
#define NIC_LINE	       "nic-7 [003] d..1. 12.000001: "
#define LIST(...)	       ((const uint64_t[]){ __VA_ARGS__ })
#define ALL_ONES	       0xffffffffffffffff

#define DIRTY_16                                                                                           \
	"0x102896000,0x102250000,0x102251000,0x102252000,0x102253000,0x102254000,0x102255000,0x102256000," \
	"0x102257000,0x102258000,0x102259000,0x10225a000,0x10225b000,0x10225c000,0x10225d000,0x10225e000"
#define LIST_16                                                                            \
	LIST(0x102896000, 0x102250000, 0x102251000, 0x102252000, 0x102253000, 0x102254000, \
	     0x102255000, 0x102256000, 0x102257000, 0x102258000, 0x102259000, 0x10225a000, \
	     0x10225b000, 0x10225c000, 0x10225d000, 0x10225e000)

#define PHYS(n, ...) .phys = LIST(__VA_ARGS__), .n_phys = (n)
#define DMAS(n, ...) .dma = LIST(__VA_ARGS__), .n_dma = (n)
#define LENS(n, ...) .len = LIST(__VA_ARGS__), .n_len = (n)

const struct sample samples[] = {
	/* Recorded, 6.12.117. */
	{ "kworker/u8:0-12 [000] ..... 9.188338: dma_alloc: 0000:00:03.0 dir=BIDIRECTIONAL dma_addr=fffff000 "
	  "size=512 virt_addr=(____ptrval____) flags=GFP_KERNEL attrs=",
	  { .type = DMT_ALLOC,
	    TASK("kworker/u8:0", 12, 0, 9188338000),
	    .device = "0000:00:03.0",
	    .dma_addr = 0xfffff000,
	    .size = 512,
	    .flags = "GFP_KERNEL" } },
	{ "kworker/u8:0-12 [000] ..... 9.191948: map: IOMMU: iova=0x00000000ffffd000 - 0x00000000ffffe000 "
	  "paddr=0x0000000100b80000 size=4096",
	  { .type = DMT_IOMMU_MAP,
	    TASK("kworker/u8:0", 12, 0, 9191948000),
	    .iova_start = 0xffffd000,
	    .iova_end = 0xffffe000,
	    .phys_addr = 0x100b80000,
	    .size = 4096 } },
	{ "kworker/u8:0-12 [000] ..... 9.192017: dma_map_page: 0000:00:03.0 dir=FROM_DEVICE dma_addr=ffffd000 "
	  "size=4096 phys_addr=100b80000 attrs=",
	  { .type = DMT_MAP_PAGE,
	    TASK("kworker/u8:0", 12, 0, 9192017000),
	    .device = "0000:00:03.0",
	    .dir = DMA_FROM_DEVICE,
	    .dma_addr = 0xffffd000,
	    .size = 4096,
	    .phys_addr = 0x100b80000 } },
	{ "<idle>-0        [001] ..s1. 9.192839: unmap: IOMMU: iova=0x00000000ffffd000 - 0x00000000ffffe000 "
	  "size=4096 unmapped_size=4096",
	  { .type = DMT_IOMMU_UNMAP,
	    TASK("<idle>", 0, 1, 9192839000),
	    .iova_start = 0xffffd000,
	    .iova_end = 0xffffe000,
	    .size = 4096,
	    .unmapped_size = 4096 } },
	{ "<idle>-0        [001] ..s1. 9.193140: dma_unmap_page: 0000:00:03.0 dir=FROM_DEVICE dma_addr=ffffd000 "
	  "size=4096 attrs=",
	  { .type = DMT_UNMAP_PAGE,
	    TASK("<idle>", 0, 1, 9193140000),
	    .device = "0000:00:03.0",
	    .dir = DMA_FROM_DEVICE,
	    .dma_addr = 0xffffd000,
	    .size = 4096 } },
	{ "kworker/u8:0-12 [000] ..... 9.213010: dma_map_page: 0000:00:03.0 dir=TO_DEVICE dma_addr=ffffb000 size=8 "
	  "phys_addr=102ebc000 attrs=",
	  { .type = DMT_MAP_PAGE,
	    TASK("kworker/u8:0", 12, 0, 9213010000),
	    .device = "0000:00:03.0",
	    .dir = DMA_TO_DEVICE,
	    .dma_addr = 0xffffb000,
	    .size = 8,
	    .phys_addr = 0x102ebc000 } },
	{ "dd-181          [000] ..... 14.394794: dma_map_sg: 0000:00:03.0 dir=FROM_DEVICE nents=16/16 ents=1/1 "
	  "dma_addrs={0xfffa0000} sizes={0x10000} phys_addrs={" DIRTY_16 "} attrs=NO_WARN",
	  { .type = DMT_MAP_SG,
	    TASK("dd", 181, 0, 14394794000),
	    .device = "0000:00:03.0",
	    .dir = DMA_FROM_DEVICE,
	    .nents = 16,
	    .ents = 1,
	    DMAS(1, 0xfffa0000),
	    LENS(1, 0x10000),
	    .phys = LIST_16,
	    .n_phys = 16,
	    .attrs = DMA_ATTR_NO_WARN } },
	{ "scsi_eh_2-166   [001] d..1. 13.575454: dma_map_sg: 0000:00:1f.2 dir=FROM_DEVICE nents=1/1 ents=1/1 "
	  "dma_addrs={0x7dc0e000} sizes={0x200} phys_addrs={0x101a868c0} attrs=",
	  { .type = DMT_MAP_SG,
	    TASK("scsi_eh_2", 166, 1, 13575454000),
	    .device = "0000:00:1f.2",
	    .dir = DMA_FROM_DEVICE,
	    .nents = 1,
	    .ents = 1,
	    DMAS(1, 0x7dc0e000),
	    LENS(1, 0x200),
	    PHYS(1, 0x101a868c0) } },
	{ "kworker/u8:0-12 [000] ..... 11.171309: swiotlb_bounced: dev_name: 0000:00:03.0 "
	  "dma_mask=ffffffffffffffff dev_addr=102aa3000 size=4096 FORCE",
	  { .type = DMT_BOUNCED,
	    TASK("kworker/u8:0", 12, 0, 11171309000),
	    .device = "0000:00:03.0",
	    .dma_mask = ALL_ONES,
	    .dma_addr = 0x102aa3000,
	    .size = 4096,
	    .force = true } },
	{ "kworker/u8:0-12 [000] ..... 11.171735: dma_map_page: 0000:00:03.0 dir=FROM_DEVICE dma_addr=7bc07000 "
	  "size=4096 phys_addr=102aa3000 attrs=",
	  { .type = DMT_MAP_PAGE,
	    TASK("kworker/u8:0", 12, 0, 11171735000),
	    .device = "0000:00:03.0",
	    .dir = DMA_FROM_DEVICE,
	    .dma_addr = 0x7bc07000,
	    .size = 4096,
	    .phys_addr = 0x102aa3000 } },
	{ "init-1          [001] ..... 531.740130: dma_free: 0000:00:04.0 dir=BIDIRECTIONAL dma_addr=101426000 "
	  "size=8192 virt_addr=(____ptrval____) attrs=",
	  { .type = DMT_FREE,
	    TASK("init", 1, 1, 531740130000),
	    .device = "0000:00:04.0",
	    .dma_addr = 0x101426000,
	    .size = 8192 } },

	/* 6.18. */
	{ "nic-7 [003] d..1. 12.000001: dma_map_phys: 0000:03:00.0 dir=TO_DEVICE dma_addr=fffe0000 size=1514 "
	  "phys_addr=1234f040 attrs=",
	  { .type = DMT_MAP_PHYS,
	    NIC,
	    .device = "0000:03:00.0",
	    .dir = DMA_TO_DEVICE,
	    .dma_addr = 0xfffe0000,
	    .size = 1514,
	    .phys_addr = 0x1234f040 } },
	{ "nic-7 [003] d..1. 12.000009: dma_unmap_phys: 0000:03:00.0 dir=TO_DEVICE dma_addr=fffe0000 size=1514 "
	  "attrs=",
	  { .type = DMT_UNMAP_PHYS,
	    TASK("nic", 7, 3, 12000009000),
	    .device = "0000:03:00.0",
	    .dir = DMA_TO_DEVICE,
	    .dma_addr = 0xfffe0000,
	    .size = 1514 } },
	{ "p2p-9 [001] ..... 12.100000: dma_map_phys: 0000:04:00.0 dir=BIDIRECTIONAL dma_addr=e0000000 size=65536 "
	  "phys_addr=e0000000 attrs=MMIO",
	  { .type = DMT_MAP_PHYS,
	    TASK("p2p", 9, 1, 12100000000),
	    .device = "0000:04:00.0",
	    .dma_addr = 0xe0000000,
	    .size = 65536,
	    .phys_addr = 0xe0000000,
	    .attrs = DMA_ATTR_MMIO,
	    .mmio = true } },
	{ "p2p-9 [001] ..... 12.100200: dma_map_phys: 0000:04:00.0 dir=TO_DEVICE dma_addr=ffffffffffffffff size=4096 "
	  "phys_addr=20000000000 attrs=SKIP_CPU_SYNC|MMIO",
	  { .type = DMT_MAP_PHYS,
	    TASK("p2p", 9, 1, 12100200000),
	    .device = "0000:04:00.0",
	    .dir = DMA_TO_DEVICE,
	    .dma_addr = ALL_ONES,
	    .size = 4096,
	    .phys_addr = 0x20000000000,
	    .attrs = DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_MMIO,
	    .mmio = true,
	    .failed = true } },
	{ "blk-8 [002] ..... 12.300000: dma_map_sg_err: 0000:01:00.0 dir=FROM_DEVICE dma_addrs={0xe0000000} err=-121 "
	  "attrs=",
	  { .type = DMT_MAP_SG_ERR,
	    TASK("blk", 8, 2, 12300000000),
	    .device = "0000:01:00.0",
	    .dir = DMA_FROM_DEVICE,
	    PHYS(1, 0xe0000000),
	    .err = -121,
	    .failed = true } },
	{ "blk-8 [002] ..... 12.400000: dma_sync_sg_for_cpu: 0000:01:00.0 dir=FROM_DEVICE "
	  "dma_addrs={0x1000,0x3000} sizes={0x800,0x1000}",
	  { .type = DMT_SYNC_SG_FOR_CPU,
	    TASK("blk", 8, 2, 12400000000),
	    .device = "0000:01:00.0",
	    .dir = DMA_FROM_DEVICE,
	    DMAS(2, 0x1000, 0x3000),
	    LENS(2, 0x800, 0x1000) } },
	{ NIC_LINE
	  "dma_sync_sg_for_device: 0000:01:00.0 dir=TO_DEVICE dma_addrs={0x1000} sizes={0xffffffff}",
	  { .type = DMT_SYNC_SG_FOR_DEVICE,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_TO_DEVICE,
	    DMAS(1, 0x1000),
	    LENS(1, 0xffffffff) } },
	{ NIC_LINE "dma_sync_single_for_cpu: 0000:01:00.0 dir=FROM_DEVICE dma_addr=1000 size=64",
	  { .type = DMT_SYNC_SINGLE_FOR_CPU,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_FROM_DEVICE,
	    .dma_addr = 0x1000,
	    .size = 64 } },
	{ NIC_LINE
	  "dma_sync_single_for_device: fe300000.mmc dir=TO_DEVICE dma_addr=0 size=18446744073709551615",
	  { .type = DMT_SYNC_SINGLE_FOR_DEVICE,
	    NIC,
	    .device = "fe300000.mmc",
	    .dir = DMA_TO_DEVICE,
	    .size = UINT64_MAX } },
	{ NIC_LINE
	  "dma_unmap_sg: 0000:01:00.0 dir=BIDIRECTIONAL phys_addrs={0x1000,0xffffffffffffffff} "
	  "attrs=PRIVILEGED|0x8000",
	  { .type = DMT_UNMAP_SG,
	    NIC,
	    .device = "0000:01:00.0",
	    PHYS(2, 0x1000, ALL_ONES),
	    .attrs = DMA_ATTR_PRIVILEGED | 0x8000 } },
	{ NIC_LINE
	  "dma_alloc: 0000:01:00.0 dir=BIDIRECTIONAL dma_addr=0 size=4096 virt_addr=0000000000000000 "
	  "flags=GFP_KERNEL|__GFP_ZERO attrs=NO_WARN",
	  { .type = DMT_ALLOC,
	    NIC,
	    .device = "0000:01:00.0",
	    .size = 4096,
	    .has_virt = true,
	    .failed = true,
	    .flags = "GFP_KERNEL|__GFP_ZERO",
	    .attrs = DMA_ATTR_NO_WARN } },
	{ NIC_LINE "dma_alloc_pages: 0000:01:00.0 dir=FROM_DEVICE dma_addr=1000 size=4096 "
		   "virt_addr=00000000deadbeef flags=none attrs=",
	  { .type = DMT_ALLOC_PAGES,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_FROM_DEVICE,
	    .dma_addr = 0x1000,
	    .size = 4096,
	    .has_virt = true,
	    .virt = 0xdeadbeef,
	    .flags = "none" } },
	{ NIC_LINE "dma_alloc_sgt: 0000:01:00.0 dir=TO_DEVICE dma_addr=ffff0000 size=8192 "
		   "phys_addrs={0x1000,0x5000} flags=GFP_KERNEL attrs=ALLOC_SINGLE_PAGES",
	  { .type = DMT_ALLOC_SGT,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_TO_DEVICE,
	    .dma_addr = 0xffff0000,
	    .size = 8192,
	    PHYS(2, 0x1000, 0x5000),
	    .flags = "GFP_KERNEL",
	    .attrs = DMA_ATTR_ALLOC_SINGLE_PAGES } },
	{ NIC_LINE
	  "dma_alloc_sgt_err: 0000:01:00.0 dir=FROM_DEVICE dma_addr=0 size=8192 virt_addr=(null) "
	  "flags=0xcc0 attrs=",
	  { .type = DMT_ALLOC_SGT_ERR,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_FROM_DEVICE,
	    .size = 8192,
	    .has_virt = true,
	    .flags = "0xcc0",
	    .failed = true } },
	{ NIC_LINE "dma_free_pages: 0000:01:00.0 dir=FROM_DEVICE dma_addr=1000 size=4096 "
		   "virt_addr=0xffff888100000000 attrs=",
	  { .type = DMT_FREE_PAGES,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_FROM_DEVICE,
	    .dma_addr = 0x1000,
	    .size = 4096,
	    .has_virt = true,
	    .virt = 0xffff888100000000 } },
	{ NIC_LINE
	  "dma_free_sgt: 0000:01:00.0 dir=TO_DEVICE dma_addr=ffff0000 size=8192 phys_addrs={0x1000,0x5000}",
	  { .type = DMT_FREE_SGT,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_TO_DEVICE,
	    .dma_addr = 0xffff0000,
	    .size = 8192,
	    PHYS(2, 0x1000, 0x5000) } },
	{ NIC_LINE
	  "dma_map_phys: 0000:01:00.0 dir=TO_DEVICE dma_addr=0 size=1 phys_addr=0 "
	  "attrs=WEAK_ORDERING|WRITE_COMBINE|NO_KERNEL_MAPPING|SKIP_CPU_SYNC|FORCE_CONTIGUOUS|"
	  "ALLOC_SINGLE_PAGES|NO_WARN|PRIVILEGED|MMIO|CACHE_CLEAN",
	  { .type = DMT_MAP_PHYS,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_TO_DEVICE,
	    .size = 1,
	    .attrs = 0xff6,
	    .mmio = true } },
	{ NIC_LINE
	  "dma_map_phys: 0000:01:00.0 dir=TO_DEVICE dma_addr=0 size=1 phys_addr=0 "
	  "attrs=CACHELINES_OVERLAP|REQUIRE_COHERENT|CC_SHARED|ALLOC_CC_SHARED|0x8000000000000000",
	  { .type = DMT_MAP_PHYS,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_TO_DEVICE,
	    .size = 1,
	    .attrs = 0x8000000000007800 } },
	{ NIC_LINE "swiotlb_bounced: dev_name: soc:usb@7000 dma_mask=0 dev_addr=8 size=1522 NORMAL",
	  { .type = DMT_BOUNCED, NIC, .device = "soc:usb@7000", .dma_addr = 8, .size = 1522 } },
	{ NIC_LINE
	  "io_page_fault: IOMMU:intel_iommu 0000:01:00.0 iova=0x00000000fffff000 flags=0x0001",
	  { .type = DMT_IOMMU_FAULT,
	    NIC,
	    .driver = "intel_iommu",
	    .device = "0000:01:00.0",
	    .iova_start = 0xfffff000,
	    .fault_flags = 1 } },
	{ NIC_LINE "add_device_to_group: IOMMU: groupID=7 device=0000:01:00.0",
	  { .type = DMT_IOMMU_ADD_DEVICE, NIC, .device = "0000:01:00.0", .group = 7 } },
	{ NIC_LINE "remove_device_from_group: IOMMU: groupID=0 device=0000:01:00.0",
	  { .type = DMT_IOMMU_REMOVE_DEVICE, NIC, .device = "0000:01:00.0" } },
	{ NIC_LINE "attach_device_to_domain: IOMMU: device=0000:01:00.0",
	  { .type = DMT_IOMMU_ATTACH_DEVICE, NIC, .device = "0000:01:00.0" } },
	{ NIC_LINE "detach_device_from_domain: IOMMU: device=0000:01:00.0",
	  { .type = DMT_IOMMU_DETACH_DEVICE, NIC, .device = "0000:01:00.0" } },
	{ NIC_LINE
	  "map: IOMMU: iova=0xfffffffffffff000 - 0x0000000000000000 paddr=0x0000000000000000 size=4096",
	  { .type = DMT_IOMMU_MAP, NIC, .iova_start = 0xfffffffffffff000, .size = 4096 } },

	/* Early 6.12 and the hybrids: other names, no counts, no direction or a wild one where memory is allocated. */
	{ NIC_LINE
	  "dma_map_resource: 0000:01:00.0 dir=BIDIRECTIONAL dma_addr=e0000000 size=4096 phys_addr=e0000000 "
	  "attrs=",
	  { .type = DMT_MAP_RESOURCE,
	    NIC,
	    .device = "0000:01:00.0",
	    .dma_addr = 0xe0000000,
	    .size = 4096,
	    .phys_addr = 0xe0000000,
	    .mmio = true } },
	{ NIC_LINE
	  "dma_unmap_resource: 0000:01:00.0 dir=NONE dma_addr=e0000000 size=4096 attrs=MMIO",
	  { .type = DMT_UNMAP_RESOURCE,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_NONE,
	    .dma_addr = 0xe0000000,
	    .size = 4096,
	    .attrs = DMA_ATTR_MMIO,
	    .mmio = true } },
	{ NIC_LINE "dma_map_sg: 0000:01:00.0 dir=TO_DEVICE dma_addrs={0x1000} sizes={0x2000} "
		   "phys_addrs={0x9000,0x5000} attrs=",
	  { .type = DMT_MAP_SG,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_TO_DEVICE,
	    .nents = 2,
	    .ents = 1,
	    DMAS(1, 0x1000),
	    LENS(1, 0x2000),
	    PHYS(2, 0x9000, 0x5000) } },
	{ NIC_LINE
	  "dma_alloc: 0000:01:00.0 dma_addr=1000 size=4096 virt_addr=00000000deadbeef flags=GFP_ATOMIC attrs=",
	  { .type = DMT_ALLOC,
	    NIC,
	    .device = "0000:01:00.0",
	    .dma_addr = 0x1000,
	    .size = 4096,
	    .has_virt = true,
	    .virt = 0xdeadbeef,
	    .flags = "GFP_ATOMIC" } },
	{ NIC_LINE "dma_free: 0000:01:00.0 dma_addr=1000 size=0 virt_addr=0000000000000000 attrs=",
	  { .type = DMT_FREE,
	    NIC,
	    .device = "0000:01:00.0",
	    .dma_addr = 0x1000,
	    .has_virt = true } },
	{ NIC_LINE
	  "dma_alloc: 0000:01:00.0 dir=FROM_DEVICE dma_addr=1000 size=4096 virt_addr=00000000deadbeef "
	  "flags=GFP_KERNEL attrs=",
	  { .type = DMT_ALLOC,
	    NIC,
	    .device = "0000:01:00.0",
	    .dma_addr = 0x1000,
	    .size = 4096,
	    .has_virt = true,
	    .virt = 0xdeadbeef,
	    .flags = "GFP_KERNEL" } },
	{ NIC_LINE "dma_alloc_pages: 0000:01:00.0 dir=0xffff8881 dma_addr=1000 size=4096 "
		   "virt_addr=00000000deadbeef flags=GFP_KERNEL attrs=",
	  { .type = DMT_ALLOC_PAGES,
	    NIC,
	    .device = "0000:01:00.0",
	    .dma_addr = 0x1000,
	    .size = 4096,
	    .has_virt = true,
	    .virt = 0xdeadbeef,
	    .flags = "GFP_KERNEL" } },
	{ NIC_LINE
	  "dma_alloc_sgt: 0000:01:00.0 dir= dma_addr=1000 size=4096 phys_addrs={} flags=GFP_KERNEL attrs=",
	  { .type = DMT_ALLOC_SGT,
	    NIC,
	    .device = "0000:01:00.0",
	    .dma_addr = 0x1000,
	    .size = 4096,
	    .flags = "GFP_KERNEL" } },
	{ NIC_LINE
	  "dma_free_pages: 0000:01:00.0 dir=NONE dma_addr=1000 size=4096 virt_addr=(____ptrval____) attrs=",
	  { .type = DMT_FREE_PAGES,
	    NIC,
	    .device = "0000:01:00.0",
	    .dma_addr = 0x1000,
	    .size = 4096 } },
	/* Fields in another order. */
	{ NIC_LINE
	  "dma_map_page: 0000:01:00.0 attrs= phys_addr=2000 size=16 dma_addr=1000 dir=TO_DEVICE",
	  { .type = DMT_MAP_PAGE,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_TO_DEVICE,
	    .dma_addr = 0x1000,
	    .size = 16,
	    .phys_addr = 0x2000 } },

	/* This library's own. */
	{ NIC_LINE
	  "dma_map_phys: 0000:01:00.0 dir=TO_DEVICE dma_addr=ffffffffffffffff size=4096 phys_addr=e0000000 "
	  "attrs=MMIO route=direct reason=mmio-cannot-bounce",
	  { .type = DMT_MAP_PHYS,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_TO_DEVICE,
	    .dma_addr = ALL_ONES,
	    .size = 4096,
	    .phys_addr = 0xe0000000,
	    .attrs = DMA_ATTR_MMIO,
	    .mmio = true,
	    .failed = true,
	    .route = "direct",
	    .reason = "mmio-cannot-bounce" } },
	{ NIC_LINE
	  "dma_map_phys: 0000:01:00.0 dir=0x7 dma_addr=ffffffffffffffff size=4096 phys_addr=1000 attrs= "
	  "route=none reason=bad-direction",
	  { .type = DMT_MAP_PHYS,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_NONE,
	    .dma_addr = ALL_ONES,
	    .size = 4096,
	    .phys_addr = 0x1000,
	    .failed = true,
	    .route = "none",
	    .reason = "bad-direction" } },
	{ NIC_LINE
	  "swiotlb_bounced: dev_name: 0000:01:00.0 dma_mask=ffff dev_addr=1000 size=64 NORMAL "
	  "route=direct reason=bounce-exhausted",
	  { .type = DMT_BOUNCED,
	    NIC,
	    .device = "0000:01:00.0",
	    .dma_mask = 0xffff,
	    .dma_addr = 0x1000,
	    .size = 64,
	    .failed = true,
	    .route = "direct",
	    .reason = "bounce-exhausted" } },
	{ NIC_LINE
	  "io_page_fault: IOMMU:dmamap 0000:01:00.0 iova=0x0000000000001000 flags=0x1 route=iommu "
	  "reason=not-mapped",
	  { .type = DMT_IOMMU_FAULT,
	    NIC,
	    .driver = "dmamap",
	    .device = "0000:01:00.0",
	    .iova_start = 0x1000,
	    .fault_flags = 1,
	    .failed = true,
	    .route = "iommu",
	    .reason = "not-mapped" } },
	{ NIC_LINE
	  "dma_sync_single_for_cpu: 0000:01:00.0 dir=FROM_DEVICE dma_addr=1000 size=64 route=iommu "
	  "reason=not-mapped",
	  { .type = DMT_SYNC_SINGLE_FOR_CPU,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_FROM_DEVICE,
	    .dma_addr = 0x1000,
	    .size = 64,
	    .failed = true,
	    .route = "iommu",
	    .reason = "not-mapped" } },
	{ NIC_LINE
	  "dma_map_sg_err: 0000:01:00.0 dir=TO_DEVICE dma_addrs={} err=-22 attrs= route=iommu "
	  "reason=bad-list",
	  { .type = DMT_MAP_SG_ERR,
	    NIC,
	    .device = "0000:01:00.0",
	    .dir = DMA_TO_DEVICE,
	    .err = -22,
	    .failed = true,
	    .route = "iommu",
	    .reason = "bad-list" } },
};

const size_t sample_count = sizeof(samples) / sizeof(samples[0]);

static void print_list(FILE *to, const char *key)
{
	fprintf(to, " %s={", key);
	for (int i = 1; i <= 128; i++)
		fprintf(to, "%s0x%x", i > 1 ? "," : "", i * 0x1000);
	fputc('}', to);
}

char *truncated_sample(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	fputs("blk-8 [002] ..... 12.200000: dma_map_sg: 0000:01:00.0 dir=FROM_DEVICE nents=128/300 ents=128/300 "
	      "[TRUNCATED]",
	      to);
	print_list(to, "dma_addrs");
	print_list(to, "sizes");
	print_list(to, "phys_addrs");
	fputs(" attrs=", to);
	assert_int_equal(fclose(to), 0);
	return text;
}
