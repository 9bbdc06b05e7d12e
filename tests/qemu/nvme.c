/* SPDX-License-Identifier: BSD-2-Clause */
/* The example's NVMe driver on QEMU's controllers: blocks that reach the disk's file, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dmamap/qemu.h>

#include <fcntl.h>
#include <unistd.h>

#include "mark.h"
#include "nvme.h"

#define BLOCK 512u
#define DISK  (1u << 20)
#define PAGE  4096u

struct disk {
	char path[64];
	int fd;
};

struct fixture {
	struct disk disks[2];
	struct qemu_machine *m;
	struct qemu_device *fn[2];
	struct nvme nvme[2];
};

static void make_disk(struct disk *disk)
{
	strcpy(disk->path, "/tmp/dmamap-disk-XXXXXX");
	disk->fd = mkstemp(disk->path);
	assert_true(disk->fd >= 0);
	assert_int_equal(ftruncate(disk->fd, DISK), 0);
}

static void drop_disk(struct disk *disk)
{
	close(disk->fd);
	unlink(disk->path);
}

static int start(void **state)
{
	static const char *const devices[] = { "nvme,serial=disk-a,drive=a,cmb_size_mb=4",
					       "nvme,serial=disk-b,drive=b,cmb_size_mb=4", NULL };
	struct fixture *f = calloc(1, sizeof(*f));
	char drives[2][160], why[2048] = "";
	const char *arguments[] = { "-drive", drives[0], "-drive", drives[1], NULL };
	struct qemu_config config = { .size = sizeof(config),
				      .devices = devices,
				      .arguments = arguments,
				      .error = why,
				      .error_size = sizeof(why) };

	for (int i = 0; i < 2; i++) {
		make_disk(&f->disks[i]);
		snprintf(drives[i], sizeof(drives[i]), "file=%s,if=none,format=raw,id=%c",
			 f->disks[i].path, 'a' + i);
	}
	if (qemu_machine_create(&config, &f->m)) {
		print_message("# %s\n", why);
		return -1;
	}
	for (unsigned int i = 0; i < 2; i++) {
		f->fn[i] = qemu_find_device(f->m, 0x1b36, 0x0010, i);
		assert_non_null(f->fn[i]);
		qemu_enable(f->fn[i], true, true);
		assert_int_equal(nvme_start(&f->nvme[i], &f->fn[i]->dma, f->fn[i]->bars[0].base),
				 0);
	}
	*state = f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		nvme_stop(&f->nvme[i]);
		assert_int_equal(dma_device_live(&f->fn[i]->dma), 0);
		drop_disk(&f->disks[i]);
	}
	assert_null(qemu_failure(f->m));
	assert_int_equal(qemu_machine_destroy(f->m), 0);
	free(f);
	return 0;
}

static void assert_on_disk(const struct disk *disk, uint64_t block, const void *bytes, size_t size)
{
	unsigned char *found = malloc(size);

	assert_int_equal(pread(disk->fd, found, size, (off_t)(block * BLOCK)), (ssize_t)size);
	assert_memory_equal(found, bytes, size);
	free(found);
}

static void identifies_itself(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(f->nvme[0].serial, "disk-a");
	assert_string_equal(f->nvme[1].serial, "disk-b");
	assert_true(f->nvme[0].sgl);
	assert_int_equal(f->nvme[0].block_size, BLOCK);
	assert_int_equal(f->nvme[0].blocks, DISK / BLOCK);
}

/** Sizes and offsets that make one pointer, two, and a list. */
static void page_lists(void **state)
{
	static const struct {
		uint64_t offset, len;
	} cases[] = {
		{ 0, BLOCK },	    { 512, BLOCK },  { PAGE - 512, 2 * BLOCK }, { 0, 2 * PAGE },
		{ 1024, 2 * PAGE }, { 0, 3 * PAGE }, { 3584, 16 * PAGE + 512 }, { 0, 64 * PAGE }
	};
	struct fixture *f = *state;
	phys_addr_t buffer = qemu_alloc(f->m, 128 * PAGE, PAGE, 0, ~0ull);
	unsigned char *bytes = qemu_ram_ptr(f->m, buffer, 128 * PAGE);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dma_phys_vec out = { .phys = buffer + cases[i].offset, .len = cases[i].len };
		struct dma_phys_vec in = { .phys = buffer + 66 * PAGE, .len = cases[i].len };

		mark_fill(bytes + cases[i].offset, cases[i].len, i);
		memset(bytes + 66 * PAGE, 0xee, 62 * PAGE);
		if (cases[i].len > 60 * PAGE)
			in.phys = buffer + cases[i].offset;
		assert_int_equal(nvme_write(&f->nvme[0], 16 + i, &out, 1), 0);
		assert_true(f->nvme[0].used_prp);
		assert_on_disk(&f->disks[0], 16 + i, bytes + cases[i].offset, cases[i].len);
		assert_int_equal(nvme_read(&f->nvme[0], 16 + i, &in, 1), 0);
		assert_memory_equal(bytes + (in.phys - buffer), bytes + cases[i].offset,
				    cases[i].len);
		if (in.phys != buffer + cases[i].offset)
			assert_int_equal(bytes[in.phys - buffer + cases[i].len], 0xee);
	}
	qemu_free(f->m, buffer, 128 * PAGE);
}

/** Vectors that do not meet on pages become a scatter list. */
static void scatter_lists(void **state)
{
	struct fixture *f = *state;
	phys_addr_t buffer = qemu_alloc(f->m, 16 * PAGE, PAGE, 0, ~0ull);
	unsigned char *bytes = qemu_ram_ptr(f->m, buffer, 16 * PAGE);
	struct dma_phys_vec vecs[] = { { .phys = buffer + 100, .len = 412 },
				       { .phys = buffer + 3 * PAGE + 8, .len = 100 },
				       { .phys = buffer + 5 * PAGE - 12, .len = 512 } };
	unsigned char wanted[1024];

	mark_fill(bytes, 16 * PAGE, 9);
	memcpy(wanted, bytes + 100, 412);
	memcpy(wanted + 412, bytes + 3 * PAGE + 8, 100);
	memcpy(wanted + 512, bytes + 5 * PAGE - 12, 512);
	assert_int_equal(nvme_write(&f->nvme[0], 100, vecs, 3), 0);
	assert_false(f->nvme[0].used_prp);
	assert_on_disk(&f->disks[0], 100, wanted, sizeof(wanted));
	memset(bytes, 0, 16 * PAGE);
	assert_int_equal(nvme_read(&f->nvme[0], 100, vecs, 3), 0);
	assert_memory_equal(bytes + 100, wanted, 412);
	assert_memory_equal(bytes + 3 * PAGE + 8, wanted + 412, 100);
	assert_memory_equal(bytes + 5 * PAGE - 12, wanted + 512, 512);
	assert_int_equal(bytes[99], 0);
	assert_int_equal(bytes[512], 0);
	qemu_free(f->m, buffer, 16 * PAGE);
}

static void refusals(void **state)
{
	struct fixture *f = *state;
	phys_addr_t buffer = qemu_alloc(f->m, PAGE, PAGE, 0, ~0ull);
	struct dma_phys_vec half = { .phys = buffer, .len = 256 };
	struct dma_phys_vec whole = { .phys = buffer, .len = 512 };

	assert_int_equal(nvme_read(&f->nvme[0], 0, &half, 1), -DMAMAP_EINVAL);
	/* LBA out of range, generic status 0x80 */
	assert_int_equal(nvme_read(&f->nvme[0], DISK / BLOCK, &whole, 1), -DMAMAP_EIO);
	assert_int_equal(f->nvme[0].status & 0xff, 0x80);
	assert_int_equal(nvme_read(&f->nvme[0], 0, &whole, 1), 0);
	qemu_free(f->m, buffer, PAGE);
}

/** Peer to peer without an IOMMU: A reads into B's memory, B writes it to its disk from there. RAM sees nothing. */
static void peer_to_peer(void **state)
{
	struct fixture *f = *state;
	phys_addr_t buffer = qemu_alloc(f->m, 64 * BLOCK, PAGE, 0, ~0ull);
	unsigned char *bytes = qemu_ram_ptr(f->m, buffer, 64 * BLOCK);
	struct dma_phys_vec ram = { .phys = buffer, .len = 64 * BLOCK };
	struct dma_phys_vec peer, own;
	unsigned char wanted[64 * BLOCK];
	struct nvme_bar bars[6];
	struct nvme_cmb cmb;

	for (int i = 0; i < 6; i++)
		bars[i] = (struct nvme_bar){ f->fn[1]->bars[i].base, f->fn[1]->bars[i].size };
	/* A buffer larger than its BAR is none. */
	bars[2].size = 2 << 20;
	assert_int_equal(nvme_enable_cmb(&f->nvme[1], bars, bars[2].phys, &cmb), -DMAMAP_ENODEV);
	bars[2].size = f->fn[1]->bars[2].size;
	assert_int_equal(nvme_enable_cmb(&f->nvme[1], bars, bars[2].phys, &cmb), 0);
	assert_true(cmb.size == 4 << 20 && cmb.phys == bars[2].phys);
	mark_fill(wanted, sizeof(wanted), 77);
	memcpy(bytes, wanted, sizeof(wanted));
	assert_int_equal(nvme_write(&f->nvme[0], 0, &ram, 1), 0);
	memset(bytes, 0xaa, sizeof(wanted));

	peer = (struct dma_phys_vec){ .phys = cmb.phys,
				      .len = sizeof(wanted),
				      .attrs = DMA_ATTR_MMIO };
	own = (struct dma_phys_vec){ .phys = cmb.bus,
				     .len = sizeof(wanted),
				     .flags = DMA_VEC_BUS_ADDRESS };
	assert_int_equal(nvme_read(&f->nvme[0], 0, &peer, 1), 0);
	assert_int_equal(nvme_write(&f->nvme[1], 8, &own, 1), 0);
	assert_on_disk(&f->disks[1], 8, wanted, sizeof(wanted));
	assert_false(mark_in_ram(f->m, wanted, sizeof(wanted), BLOCK));
	qemu_free(f->m, buffer, 64 * BLOCK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identifies_itself), cmocka_unit_test(page_lists),
		cmocka_unit_test(scatter_lists),     cmocka_unit_test(refusals),
		cmocka_unit_test(peer_to_peer),
	};

	return cmocka_run_group_tests_name("nvme", tests, start, stop);
}
