/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scenarios with QEMU's edu device, a DMA engine with a buffer of its own: bytes that move, directions that hold, a
 * mask that is too small, memory behind a peer's BAR.
 */
#include <string.h>

#include "cmd.h"
#include "edu_device.h"
#include "emu.h"

#define PAGE	       4096u
#define BYTES	       2048u
#define WIDE	       48
#define NARROW	       28 /* what an edu has if nobody says otherwise */
#define MEBIBYTE       ((uint64_t)1 << 20)
#define HIGH	       ((phys_addr_t)256 * MEBIBYTE)
#define IVSHMEM_VENDOR 0x1af4
#define IVSHMEM_DEVICE 0x1110

static const char wide_edu[] = "edu,dma_mask=0xffffffffffff";

/** A page of RAM, and what is in it. */
struct buffer {
	phys_addr_t phys;
	unsigned char *bytes;
};

static bool get_buffer(struct emu *e, phys_addr_t floor, unsigned char value, struct buffer *page)
{
	page->phys = qemu_alloc(e->m, PAGE, PAGE, floor, ~(phys_addr_t)0);
	if (page->phys == DMAMAP_PHYS_NONE) {
		cmd_say("emu: the machine has no free page");
		return false;
	}
	page->bytes = qemu_ram_ptr(e->m, page->phys, PAGE);
	memset(page->bytes, value, PAGE);
	return true;
}

static bool all(const struct buffer *page, unsigned char value)
{
	for (unsigned int i = 0; i < BYTES; i++)
		if (page->bytes[i] != value)
			return false;
	return true;
}

static struct qemu_device *start_edu(struct emu *e, const char *const *devices,
				     const char *const *arguments, uint64_t memory,
				     unsigned int bits, struct edu *edu)
{
	struct qemu_device *dev;
	int err;

	if (!emu_start(e, devices, arguments, memory))
		return NULL;
	dev = emu_attach(e, EDU_VENDOR, EDU_DEVICE, 0);
	err = dev ? edu_init(edu, &dev->dma, dev->bars[0].base, bits) : 0;
	if (!err)
		return dev;
	cmd_say("emu: the edu device cannot be used: error %d", err);
	return NULL;
}

/** Map @page for the device, or say why not. */
static bool map(struct qemu_device *dev, const struct buffer *page, enum dma_data_direction dir,
		dma_addr_t *addr)
{
	struct dma_error why;
	char text[400];

	*addr = dma_map_phys(&dev->dma, page->phys, BYTES, dir, 0);
	if (!dma_mapping_error(&dev->dma, *addr))
		return true;
	dma_last_error(&dev->dma, &why);
	dma_error_format(&why, text, sizeof(text));
	cmd_say("emu: %s: %s", dev->name, text);
	return false;
}

/* --- copy */

static bool run_copy(struct emu *e)
{
	const char *const devices[] = { wide_edu, NULL };
	struct edu edu;
	struct qemu_device *dev = start_edu(e, devices, NULL, 0, WIDE, &edu);
	struct buffer from, to;
	dma_addr_t a, b;

	if (!dev || !get_buffer(e, 0, 0x5a, &from) || !get_buffer(e, 0, 0, &to) ||
	    !map(dev, &from, DMA_TO_DEVICE, &a) || !map(dev, &to, DMA_FROM_DEVICE, &b))
		return false;
	edu_load(&edu, a, 0, BYTES);
	edu_store(&edu, 0, b, BYTES);
	dma_unmap_phys(&dev->dma, a, BYTES, DMA_TO_DEVICE, 0);
	dma_unmap_phys(&dev->dma, b, BYTES, DMA_FROM_DEVICE, 0);
	emu_moved(e, dev, "read from RAM into the device", a, BYTES, all(&to, 0x5a));
	emu_moved(e, dev, "written from the device to RAM", b, BYTES, all(&to, 0x5a));

	memset(to.bytes, 0x11, PAGE);
	edu_store(&edu, 0, b, BYTES);
	emu_blocked(e, dev, "a write after the unmap", b, BYTES, all(&to, 0x11));
	return true;
}

const struct emu_scenario emu_copy = {
	.name = "copy",
	.what = "a device reads one buffer and writes another, and is locked out afterwards",
	.run = run_copy,
};

/* --- direction */

static const char *needs_an_iommu(enum qemu_iommu_kind iommu)
{
	return iommu == QEMU_IOMMU_NONE ? "nothing can hold a device back without an IOMMU" : NULL;
}

static bool run_direction(struct emu *e)
{
	const char *const devices[] = { wide_edu, NULL };
	struct edu edu;
	struct qemu_device *dev = start_edu(e, devices, NULL, 0, WIDE, &edu);
	struct buffer page;
	dma_addr_t addr;

	if (!dev || !get_buffer(e, 0, 0x5a, &page) || !map(dev, &page, DMA_TO_DEVICE, &addr))
		return false;
	/* The write comes first: QEMU's VT-d records no fault for a page that it has in its cache. */
	edu_store(&edu, 0, addr, BYTES);
	emu_blocked(e, dev, "a write to memory mapped TO_DEVICE", addr, BYTES, all(&page, 0x5a));
	edu_load(&edu, addr, 0, BYTES);
	dma_unmap_phys(&dev->dma, addr, BYTES, DMA_TO_DEVICE, 0);
	if (!map(dev, &page, DMA_FROM_DEVICE, &addr))
		return false;
	memset(page.bytes, 0x11, PAGE);
	edu_store(&edu, 0, addr, BYTES);
	emu_moved(e, dev, "what it had read, written to memory mapped FROM_DEVICE", addr, BYTES,
		  all(&page, 0x5a));
	dma_unmap_phys(&dev->dma, addr, BYTES, DMA_FROM_DEVICE, 0);
	return true;
}

const struct emu_scenario emu_direction = {
	.name = "direction",
	.what = "a device may read a buffer, and tries to write it",
	.limit = needs_an_iommu,
	.run = run_direction,
};

/* --- mask */

/** 28 address bits, and memory above them: through the IOMMU's addresses, or through a bounce pool. */
static bool run_mask(struct emu *e)
{
	const char *const devices[] = { "edu", NULL };
	struct dma_bounce_config config = { .size = sizeof(config),
					    .bytes = MEBIBYTE,
					    .ceiling = HIGH - 1 };
	struct dma_bounce *pool = NULL;
	struct edu edu;
	struct qemu_device *dev = start_edu(e, devices, NULL, 512 * MEBIBYTE, NARROW, &edu);
	struct buffer from, to;
	dma_addr_t a, b;

	if (!dev || !get_buffer(e, HIGH, 0x77, &from) || !get_buffer(e, HIGH, 0, &to))
		return false;
	if (e->iommu == QEMU_IOMMU_NONE) {
		emu_refused(e, dev, "memory above the mask, without a bounce pool",
			    dma_map_phys(&dev->dma, from.phys, BYTES, DMA_TO_DEVICE, 0), BYTES,
			    DMA_REASON_BEYOND_MASK);
		if (dma_bounce_create(e->host, &config, &pool) ||
		    dma_device_set_bounce(&dev->dma, pool)) {
			cmd_say("emu: no bounce pool");
			return false;
		}
	}
	if (!map(dev, &from, DMA_TO_DEVICE, &a) || !map(dev, &to, DMA_FROM_DEVICE, &b))
		return false;
	edu_load(&edu, a, 0, BYTES);
	edu_store(&edu, 0, b, BYTES);
	dma_unmap_phys(&dev->dma, a, BYTES, DMA_TO_DEVICE, 0);
	dma_unmap_phys(&dev->dma, b, BYTES, DMA_FROM_DEVICE, 0);
	emu_moved(e, dev, pool ? "through the bounce pool" : "through the IOMMU", b, BYTES,
		  all(&to, 0x77) && b + BYTES <= HIGH);
	return !pool || (!dma_device_quiesce(&dev->dma) &&
			 !dma_device_set_bounce(&dev->dma, NULL) && !dma_bounce_destroy(pool));
}

const struct emu_scenario emu_mask = {
	.name = "mask",
	.what = "a device with 28 address bits, and buffers above 256 MiB",
	.run = run_mask,
};

/* --- p2p-bar */

/** The highest address that the IOMMU of the machine can lead to, and an address beyond it; 0: there is none. */
static phys_addr_t beyond_output(enum qemu_iommu_kind iommu)
{
	switch (iommu) {
	case QEMU_IOMMU_VTD: /* 39 bits, unless the command line says otherwise */
		return (phys_addr_t)1 << 39;
	case QEMU_IOMMU_SMMUV3:
		return (phys_addr_t)1 << 44;
	default:
		return 0;
	}
}

/** Write to the peer's memory through a mapping, look at it through the BAR, and try again after the unmap. */
static bool write_to_bar(struct emu *e, struct qemu_device *dev, struct edu *edu, phys_addr_t bar)
{
	unsigned char seen[BYTES];
	dma_addr_t addr = dma_map_phys(&dev->dma, bar, BYTES, DMA_FROM_DEVICE, DMA_ATTR_MMIO);
	bool same = true;

	if (dma_mapping_error(&dev->dma, addr)) {
		emu_refused(e, dev, "the peer's memory", addr, BYTES, DMA_REASON_NONE);
		return true;
	}
	edu_store(edu, 0, addr, BYTES);
	qemu_read_bytes(e->m, bar, seen, BYTES);
	for (unsigned int i = 0; i < BYTES; i++)
		same = same && seen[i] == 0x3c;
	emu_moved(e, dev, "written to the peer's memory", addr, BYTES, same);
	emu_detail(e, "the BAR is at 0x%llx", (unsigned long long)bar);
	dma_unmap_phys(&dev->dma, addr, BYTES, DMA_FROM_DEVICE, DMA_ATTR_MMIO);

	memset(seen, 0, BYTES);
	qemu_write_bytes(e->m, bar, seen, BYTES);
	edu_store(edu, 0, addr, BYTES);
	qemu_read_bytes(e->m, bar, seen, BYTES);
	same = true;
	for (unsigned int i = 0; i < BYTES; i++)
		same = same && !seen[i];
	emu_blocked(e, dev, "a write to it after the unmap", addr, BYTES, same);
	return true;
}

static bool run_bar(struct emu *e)
{
	const char *const devices[] = { wide_edu, "ivshmem-plain,memdev=shm", NULL };
	const char *const arguments[] = { "-object", "memory-backend-ram,id=shm,size=1M", NULL };
	phys_addr_t beyond = beyond_output(e->iommu);
	struct edu edu;
	struct qemu_device *dev = start_edu(e, devices, arguments, 0, WIDE, &edu);
	struct qemu_device *peer =
		dev ? qemu_find_device(e->m, IVSHMEM_VENDOR, IVSHMEM_DEVICE, 0) : NULL;
	struct buffer page;
	dma_addr_t addr;

	if (!peer || !get_buffer(e, 0, 0x3c, &page) || !map(dev, &page, DMA_TO_DEVICE, &addr))
		return false;
	edu_load(&edu, addr, 0, BYTES);
	dma_unmap_phys(&dev->dma, addr, BYTES, DMA_TO_DEVICE, 0);
	qemu_enable(peer, true, false);
	if (!write_to_bar(e, dev, &edu, peer->bars[2].base))
		return false;
	if (!beyond)
		return true;
	if (qemu_place_bar(peer, 2, beyond)) {
		cmd_say("emu: the BAR cannot be moved");
		return false;
	}
	emu_refused(e, dev, "the peer's memory, beyond what the IOMMU can lead to",
		    dma_map_phys(&dev->dma, beyond, BYTES, DMA_FROM_DEVICE, DMA_ATTR_MMIO), BYTES,
		    DMA_REASON_OUTPUT_WIDTH);
	return true;
}

const struct emu_scenario emu_bar = {
	.name = "p2p-bar",
	.what = "a device writes into the memory behind another one's BAR, above 4 GiB",
	.run = run_bar,
};
