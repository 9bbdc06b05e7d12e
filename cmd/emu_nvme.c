/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Peer to peer between two NVMe controllers: A reads blocks of its disk straight into B's memory buffer, and B writes
 * them to its own disk from there. The data never touch RAM; the disks' files are compared afterwards.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "cmd.h"
#include "emu.h"
#include "mark.h"
#include "nvme.h"

#define BLOCKS	  64u
#define BLOCK	  512u
#define BYTES	  (BLOCKS * BLOCK)
#define SEED	  42u
#define DISK	  (1u << 20)
#define VENDOR	  0x1b36
#define NVME_TYPE 0x0010

struct disk {
	char path[64];
	int fd;
};

struct controller {
	struct qemu_device *dev;
	struct nvme nvme;
	bool started;
};

struct copy {
	struct emu *e;
	struct disk disks[2];
	struct controller a, b;
	struct nvme_cmb cmb;
};

/* --- disks */

static bool make_disk(struct disk *disk)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(disk->path, sizeof(disk->path), "%s/dmamap-disk-XXXXXX",
		 tmp && *tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	disk->fd = mkstemp(disk->path);
	if (disk->fd >= 0 && !ftruncate(disk->fd, DISK))
		return true;
	cmd_say("emu: %s: no disk can be made there", disk->path);
	return false;
}

static void drop_disk(struct disk *disk)
{
	if (disk->fd < 0)
		return;
	close(disk->fd);
	unlink(disk->path);
}

static uint32_t checksum(const void *bytes)
{
	return (uint32_t)crc32(0, bytes, BYTES);
}

static bool read_disk(const struct disk *disk, unsigned char *bytes)
{
	return pread(disk->fd, bytes, BYTES, 0) == (ssize_t)BYTES;
}

/* --- controllers */

static bool start_controller(struct emu *e, unsigned int index, struct controller *c)
{
	int err;

	c->dev = emu_attach(e, VENDOR, NVME_TYPE, index);
	if (!c->dev)
		return false;
	err = nvme_start(&c->nvme, &c->dev->dma, c->dev->bars[0].base);
	c->started = !err;
	if (err)
		cmd_say("emu: %s: the controller does not start: error %d", c->dev->name, err);
	return !err;
}

/** The buffer keeps the address that its BAR has: no mapping of the controller's own may be there. */
static bool enable_buffer(struct copy *copy)
{
	struct qemu_device *dev = copy->b.dev;
	struct dma_domain *domain = emu_domain(copy->e, dev);
	struct nvme_bar bars[6];

	for (int i = 0; i < 6; i++)
		bars[i] = (struct nvme_bar){ dev->bars[i].base, dev->bars[i].size };
	if (nvme_enable_cmb(&copy->b.nvme, bars, bars[2].phys, &copy->cmb) ||
	    copy->cmb.size < BYTES) {
		cmd_say("emu: %s has no memory buffer", dev->name);
		return false;
	}
	if (domain && dma_domain_reserve(domain, copy->cmb.bus, copy->cmb.size)) {
		cmd_say("emu: %s: its buffer's addresses cannot be kept free", dev->name);
		return false;
	}
	return true;
}

/** One command whose data are at @addr on the controller's own bus: mapped by the scenario, or not any more. */
static int command(struct controller *c, bool read, dma_addr_t addr)
{
	struct dma_phys_vec vec = { .phys = addr, .len = BYTES, .flags = DMA_VEC_BUS_ADDRESS };

	return read ? nvme_read(&c->nvme, 0, &vec, 1) : nvme_write(&c->nvme, 0, &vec, 1);
}

/* --- the scenario */

static void compare_disks(struct copy *copy)
{
	unsigned char *bytes = malloc(2 * (size_t)BYTES);
	uint32_t a, b;
	bool nowhere;

	if (!bytes || !read_disk(&copy->disks[0], bytes) ||
	    !read_disk(&copy->disks[1], bytes + BYTES)) {
		emu_detail(copy->e, "the disks' files cannot be read");
		free(bytes);
		return;
	}
	a = checksum(bytes);
	b = checksum(bytes + BYTES);
	nowhere = !mark_in_ram(copy->e->m, bytes, BYTES, BLOCK);
	emu_moved(copy->e, copy->b.dev, "written from B's buffer to B's disk", copy->cmb.bus, BYTES,
		  a == b && nowhere);
	emu_detail(copy->e, "checksums 0x%08x and 0x%08x, %u blocks; the data are %s", a, b, BLOCKS,
		   nowhere ? "nowhere in RAM" : "in RAM as well");
	free(bytes);
}

static bool perform(struct copy *copy)
{
	struct controller *a = &copy->a, *b = &copy->b;
	unsigned char seen[BYTES], wanted[BYTES];
	dma_addr_t addr;

	mark_fill(wanted, BYTES, SEED);
	addr = dma_map_phys(&a->dev->dma, copy->cmb.phys, BYTES, DMA_FROM_DEVICE, DMA_ATTR_MMIO);
	if (dma_mapping_error(&a->dev->dma, addr)) {
		emu_refused(copy->e, a->dev, "B's buffer", addr, BYTES, DMA_REASON_NONE);
		return true;
	}
	if (command(a, true, addr) || command(b, false, copy->cmb.bus)) {
		cmd_say("emu: a controller refuses a command");
		return false;
	}
	qemu_read_bytes(copy->e->m, copy->cmb.phys, seen, BYTES);
	emu_moved(copy->e, a->dev, "read from A's disk into B's buffer", addr, BYTES,
		  memcmp(seen, wanted, BYTES) == 0);
	emu_detail(copy->e, "B's buffer is at 0x%llx", (unsigned long long)copy->cmb.phys);
	compare_disks(copy);

	dma_unmap_phys(&a->dev->dma, addr, BYTES, DMA_FROM_DEVICE, DMA_ATTR_MMIO);
	memset(seen, 0, BYTES);
	qemu_write_bytes(copy->e->m, copy->cmb.phys, seen, BYTES);
	command(a, true, addr); /* which reports success all the same */
	qemu_read_bytes(copy->e->m, copy->cmb.phys, seen, BYTES);
	emu_blocked(copy->e, a->dev, "the same after the unmap", addr, BYTES,
		    memcmp(seen, wanted, BYTES) != 0);
	return true;
}

static bool start(struct copy *copy)
{
	static const char *const devices[] = { "nvme,serial=a,drive=a",
					       "nvme,serial=b,drive=b,cmb_size_mb=4", NULL };
	char drives[2][160];
	const char *const arguments[] = { "-drive", drives[0], "-drive", drives[1], NULL };
	unsigned char bytes[BYTES];

	for (int i = 0; i < 2; i++) {
		if (!make_disk(&copy->disks[i]))
			return false;
		snprintf(drives[i], sizeof(drives[i]), "file=%s,if=none,format=raw,id=%c",
			 copy->disks[i].path, 'a' + i);
	}
	mark_fill(bytes, BYTES, SEED);
	if (pwrite(copy->disks[0].fd, bytes, BYTES, 0) != (ssize_t)BYTES) {
		cmd_say("emu: %s cannot be written", copy->disks[0].path);
		return false;
	}
	return emu_start(copy->e, devices, arguments, 0) &&
	       start_controller(copy->e, 0, &copy->a) && start_controller(copy->e, 1, &copy->b) &&
	       enable_buffer(copy);
}

static bool run(struct emu *e)
{
	struct copy copy = { .e = e, .disks = { { .fd = -1 }, { .fd = -1 } } };
	bool ok = start(&copy) && perform(&copy);

	if (copy.a.started)
		nvme_stop(&copy.a.nvme);
	if (copy.b.started)
		nvme_stop(&copy.b.nvme);
	drop_disk(&copy.disks[0]);
	drop_disk(&copy.disks[1]);
	return ok;
}

const struct emu_scenario emu_p2p_nvme = {
	.name = "p2p-nvme",
	.what = "64 blocks from disk A to disk B through B's memory buffer, past RAM",
	.run = run,
};
