/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BARs: found, sized and placed, each at a multiple of its size and of a page, so that a page belongs to one device.
 * Memory that is 64 bits wide and prefetchable goes to the high window, other memory to the low one; ports nowhere.
 */
#include "machine.h"

#define REG_BAR	       0x10
#define BAR_PORTS      1u
#define BAR_64BIT      4u
#define BAR_TYPE       6u
#define BAR_PREFETCH   8u
#define BAR_FLAGS      0xfu
#define COMMAND_MEMORY 2u

static void write_bar(struct qemu_device *dev, unsigned int i, phys_addr_t base)
{
	qemu_config_write(dev, REG_BAR + 4 * i, 4, (uint32_t)base);
	if (dev->bars[i].is_64bit)
		qemu_config_write(dev, REG_BAR + 4 * (i + 1), 4, (uint32_t)(base >> 32));
}

/** What the register says of itself when all ones have been written; false: no memory. */
static bool size_bar(struct qemu_device *dev, unsigned int i, bool last)
{
	struct qemu_bar *bar = &dev->bars[i];
	uint64_t mask;
	uint32_t low;

	qemu_config_write(dev, REG_BAR + 4 * i, 4, ~0u);
	low = qemu_config_read(dev, REG_BAR + 4 * i, 4);
	if (!low || low & BAR_PORTS)
		return false;
	bar->is_64bit = !last && (low & BAR_TYPE) == BAR_64BIT;
	bar->prefetchable = low & BAR_PREFETCH;
	mask = 0xffffffff00000000 | (low & ~BAR_FLAGS);
	if (bar->is_64bit) {
		qemu_config_write(dev, REG_BAR + 4 * (i + 1), 4, ~0u);
		mask = (uint64_t)qemu_config_read(dev, REG_BAR + 4 * (i + 1), 4) << 32 |
		       (low & ~BAR_FLAGS);
	}
	bar->size = ~mask + 1;
	return bar->size && !(bar->size & (bar->size - 1));
}

static void place(struct qemu_device *dev, unsigned int i)
{
	struct qemu_machine *m = dev->machine;
	struct qemu_bar *bar = &dev->bars[i];
	bool high = bar->is_64bit && bar->prefetchable;
	phys_addr_t *next = high ? &m->next_high : &m->next_low;
	phys_addr_t end = high ? m->board->high.end : m->board->low.end;
	phys_addr_t at = host_round_up(*next, bar->size < HOST_PAGE ? HOST_PAGE : bar->size);

	if (at < *next || at >= end || bar->size > end - at)
		return; /* no room: it stays where nobody sees it */
	bar->base = at;
	write_bar(dev, i, at);
	*next = host_round_up(at + bar->size, HOST_PAGE);
}

void qemu_bars_place(struct qemu_device *dev, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (size_bar(dev, i, i + 1 == n))
			place(dev, i);
		else
			dev->bars[i].size = 0;
		if (!dev->bars[i].base)
			write_bar(dev, i, 0);
		if (dev->bars[i].is_64bit)
			i++;
	}
}

int qemu_place_bar(struct qemu_device *dev, unsigned int i, phys_addr_t base)
{
	struct qemu_bar *bar = i < 6 ? &dev->bars[i] : NULL;
	uint32_t command;

	if (!bar || !bar->size || !base || base % bar->size || base % HOST_PAGE)
		return -DMAMAP_EINVAL;
	if (!bar->is_64bit && base > DMA_BIT_MASK(32) - (bar->size - 1))
		return -DMAMAP_EINVAL;
	/* A BAR that moves while it is decoded answers at half an address in between. */
	command = qemu_config_read(dev, 4, 2);
	qemu_config_write(dev, 4, 2, command & ~COMMAND_MEMORY);
	write_bar(dev, i, base);
	bar->base = base;
	qemu_config_write(dev, 4, 2, command);
	return 0;
}
