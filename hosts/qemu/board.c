/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two kinds of machines: where QEMU's q35 and virt have their memory, their PCI windows and their firmware
 * configuration, and a processor's program that does nothing, for each.
 *
 * No firmware runs, so what firmware would decide is decided here: BARs go to the windows below. The first MiB of virt
 * holds the device tree; below 1 MiB q35 has a hole from 640 KiB.
 */
#include "machine.h"

/* hlt, over and over: whatever the first instruction is, the next is a halt as well. */
static const unsigned char halt_x86[] = { 0xf4 };
/* wfi; b .-4 */
static const unsigned char halt_aarch64[] = { 0x7f, 0x20, 0x03, 0xd5, 0xff, 0xff, 0xff, 0x17 };

static const struct qemu_board q35 = {
	.program = "qemu-system-x86_64",
	.type = "q35",
	.halt = halt_x86,
	.halt_len = sizeof(halt_x86),
	.ram = { { 0, 0xa0000 }, { 0x100000, 0 } },
	.low = { 0xc0000000, 0xfe000000 },
	.high = { 0x800000000, 0x1000000000 },
};

static const struct qemu_board virt = {
	.program = "qemu-system-aarch64",
	.type = "virt",
	.halt = halt_aarch64,
	.halt_len = sizeof(halt_aarch64),
	.ram_base = 0x40000000,
	.ram = { { 0x100000, 0 } },
	.ecam = 0x4010000000,
	.low = { 0x10000000, 0x3eff0000 },
	.high = { 0x8000000000, 0x10000000000 },
	.fw_cfg_dma = 0x09020010,
};

const struct qemu_board *qemu_board_of(enum qemu_arch arch)
{
	return arch == QEMU_AARCH64 ? &virt : &q35;
}
