/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI: configuration space, and the functions that answer there. Buses are numbered and BARs placed on the way, depth
 * first, so that what lies behind a bridge is one range of numbers and one range of addresses.
 */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc

#define REG_ID		 0x00
#define REG_COMMAND	 0x04
#define REG_CLASS	 0x08
#define REG_HEADER	 0x0e
#define REG_BUSES	 0x18
#define REG_WINDOW	 0x20
#define REG_PREFETCH	 0x24
#define REG_PREFETCH_HI	 0x28
#define REG_CAPABILITIES 0x34

#define CAP_EXPRESS    0x10u
#define EXPRESS_TO_PCI 7u

#define COMMAND_MEMORY 2u
#define COMMAND_MASTER 4u
#define HEADER_BRIDGE  1u
#define HEADER_MANY    0x80u

#define BRIDGE_UNIT ((uint64_t)1 << 20)

/* --- configuration space */

uint32_t qemu_config_access(struct qemu_machine *m, unsigned int bdf, unsigned int offset,
			    unsigned int width, bool write, uint32_t value)
{
	uint16_t port = (uint16_t)(CONFIG_DATA + offset % 4);

	pthread_mutex_lock(&m->config);
	qemu_out(m, CONFIG_ADDRESS, 0x80000000 | bdf << 8 | (offset & 0xfc), 4);
	if (write)
		qemu_out(m, port, value, width);
	else
		value = qemu_in(m, port, width);
	pthread_mutex_unlock(&m->config);
	return value;
}

static uint32_t ecam_read(struct qemu_machine *m, phys_addr_t addr, unsigned int width)
{
	if (width == 1)
		return qemu_read8(m, addr);
	return width == 2 ? qemu_read16(m, addr) : qemu_read32(m, addr);
}

static void ecam_write(struct qemu_machine *m, phys_addr_t addr, unsigned int width, uint32_t value)
{
	if (width == 1)
		qemu_write8(m, addr, (uint8_t)value);
	else if (width == 2)
		qemu_write16(m, addr, (uint16_t)value);
	else
		qemu_write32(m, addr, value);
}

static uint32_t config_read(struct qemu_machine *m, unsigned int bdf, unsigned int offset,
			    unsigned int width)
{
	if (m->board->ecam)
		return ecam_read(m, m->board->ecam + ((phys_addr_t)bdf << 12) + offset, width);
	return qemu_config_access(m, bdf, offset, width, false, 0);
}

static unsigned int bdf_of(const struct qemu_device *dev)
{
	return (unsigned int)dev->bus << 8 | dev->devfn;
}

uint32_t qemu_config_read(struct qemu_device *dev, unsigned int offset, unsigned int width)
{
	return config_read(dev->machine, bdf_of(dev), offset, width);
}

void qemu_config_write(struct qemu_device *dev, unsigned int offset, unsigned int width,
		       uint32_t value)
{
	struct qemu_machine *m = dev->machine;
	unsigned int bdf = bdf_of(dev);

	if (m->board->ecam)
		ecam_write(m, m->board->ecam + ((phys_addr_t)bdf << 12) + offset, width, value);
	else
		qemu_config_access(m, bdf, offset, width, true, value);
}

void qemu_enable(struct qemu_device *dev, bool memory, bool master)
{
	uint32_t command = qemu_config_read(dev, REG_COMMAND, 2);

	command &= ~(COMMAND_MEMORY | COMMAND_MASTER);
	command |= (memory ? COMMAND_MEMORY : 0) | (master ? COMMAND_MASTER : 0);
	qemu_config_write(dev, REG_COMMAND, 2, command);
}

/* --- functions */

static int init_dma(struct qemu_device *dev)
{
	int err = dmamap_device_init(&dev->dma, sizeof(dev->dma), &dev->machine->host);

	if (err)
		return err;
	dmamap_device_set_name(&dev->dma, dev->name);
	return dmamap_device_set_pci(&dev->dma, true, false);
}

static struct qemu_device *add_function(struct qemu_machine *m, unsigned int bdf, uint32_t id)
{
	struct qemu_device **more = reallocarray(m->devices, m->nr_devices + 1, sizeof(void *));
	struct qemu_device *dev;

	if (more)
		m->devices = more;
	dev = more ? aligned_alloc(64, host_round_up(sizeof(*dev), 64)) : NULL;
	if (!dev)
		return NULL;
	memset(dev, 0, sizeof(*dev));
	dev->machine = m;
	dev->bus = (uint8_t)(bdf >> 8);
	dev->devfn = (uint8_t)bdf;
	dev->vendor = (uint16_t)id;
	dev->device = (uint16_t)(id >> 16);
	dev->class_code = qemu_config_read(dev, REG_CLASS, 4) >> 8;
	snprintf(dev->name, sizeof(dev->name), "%02x:%02x.%x", dev->bus, dev->devfn >> 3,
		 dev->devfn & 7u);
	if (init_dma(dev)) {
		free(dev);
		return NULL;
	}
	m->devices[m->nr_devices++] = dev;
	return dev;
}

static int scan_bus(struct qemu_machine *m, struct qemu_device *above, unsigned int bus,
		    unsigned int *last);

/** The two addresses of a bridge's window, in the form of the registers; an empty one has its limit below its base. */
static void set_window(struct qemu_device *dev, unsigned int reg, phys_addr_t start,
		       phys_addr_t end)
{
	uint32_t base = (uint32_t)(start >> 16) & 0xfff0;
	uint32_t limit = (uint32_t)((end - 1) >> 16) & 0xfff0;

	if (start == end)
		qemu_config_write(dev, reg, 4, 0x0000fff0);
	else
		qemu_config_write(dev, reg, 4, limit << 16 | base);
}

/** The kind of PCI Express port, from its capability; all ones: conventional. */
static unsigned int express_type(struct qemu_device *dev)
{
	unsigned int at = qemu_config_read(dev, REG_CAPABILITIES, 1) & 0xfc;

	for (unsigned int i = 0; at >= 0x40 && i < 48; i++) {
		uint32_t head = qemu_config_read(dev, at, 4);

		if ((head & 0xff) == CAP_EXPRESS)
			return head >> 20 & 15;
		at = head >> 8 & 0xfc;
	}
	return ~0u;
}

/** Give a bridge its bus numbers, place what is behind it, and open the windows around that. */
static int scan_bridge(struct qemu_device *dev, unsigned int *last)
{
	struct qemu_machine *m = dev->machine;
	phys_addr_t low = m->next_low = host_round_up(m->next_low, BRIDGE_UNIT);
	phys_addr_t high = m->next_high = host_round_up(m->next_high, BRIDGE_UNIT);
	unsigned int secondary = ++*last;
	int err;

	dev->to_conventional = express_type(dev) == EXPRESS_TO_PCI;
	qemu_config_write(dev, REG_BUSES, 4, 0xff0000 | secondary << 8 | dev->bus);
	err = scan_bus(m, dev, secondary, last);
	qemu_config_write(dev, REG_BUSES, 4, *last << 16 | secondary << 8 | dev->bus);
	m->next_low = host_round_up(m->next_low, BRIDGE_UNIT);
	m->next_high = host_round_up(m->next_high, BRIDGE_UNIT);
	set_window(dev, REG_WINDOW, low, m->next_low);
	set_window(dev, REG_PREFETCH, high, m->next_high);
	qemu_config_write(dev, REG_PREFETCH_HI, 4, (uint32_t)(high >> 32));
	qemu_config_write(dev, REG_PREFETCH_HI + 4, 4, (uint32_t)((m->next_high - 1) >> 32));
	qemu_enable(dev, true, true);
	return err;
}

static int scan_function(struct qemu_machine *m, struct qemu_device *above, unsigned int bdf,
			 unsigned int *last, bool *many)
{
	uint32_t id = config_read(m, bdf, REG_ID, 4);
	struct qemu_device *dev;
	unsigned int header;

	if ((id & 0xffff) == 0xffff)
		return 0;
	dev = add_function(m, bdf, id);
	if (!dev)
		return -DMAMAP_ENOMEM;
	dev->parent = above;
	header = qemu_config_read(dev, REG_HEADER, 1);
	*many = header & HEADER_MANY;
	qemu_bars_place(dev, (header & 0x7f) == HEADER_BRIDGE ? 2 : 6);
	if ((header & 0x7f) == HEADER_BRIDGE && *last < 255)
		return scan_bridge(dev, last);
	return 0;
}

static int scan_bus(struct qemu_machine *m, struct qemu_device *above, unsigned int bus,
		    unsigned int *last)
{
	for (unsigned int slot = 0; slot < 32; slot++) {
		bool many = false, ignored;
		int err = scan_function(m, above, bus << 8 | slot << 3, last, &many);

		for (unsigned int f = 1; f < 8 && many && !err; f++)
			err = scan_function(m, above, bus << 8 | slot << 3 | f, last, &ignored);
		if (err)
			return err;
	}
	return 0;
}

int qemu_pci_scan(struct qemu_machine *m)
{
	unsigned int last = 0;

	m->next_low = m->board->low.start;
	m->next_high = m->board->high.start;
	return scan_bus(m, NULL, 0, &last);
}

int qemu_pci_release(struct qemu_machine *m)
{
	while (m->nr_devices) {
		struct qemu_device *dev = m->devices[m->nr_devices - 1];
		int err = dmamap_device_fini(&dev->dma);

		if (err)
			return err;
		free(dev);
		m->nr_devices--;
	}
	free(m->devices);
	m->devices = NULL;
	return 0;
}

/* --- finding them */

struct qemu_device *qemu_device_at(struct qemu_machine *m, unsigned int index)
{
	return index < m->nr_devices ? m->devices[index] : NULL;
}

struct qemu_device *qemu_find_device(struct qemu_machine *m, uint16_t vendor, uint16_t device,
				     unsigned int index)
{
	for (unsigned int i = 0; i < m->nr_devices; i++) {
		struct qemu_device *dev = m->devices[i];

		if (dev->vendor == vendor && dev->device == device && !index--)
			return dev;
	}
	return NULL;
}

/** An IOMMU sees what stands behind a bridge to conventional PCI under the bridge's numbers too. */
static unsigned int requester_ids(void *arg, struct dma_device *dma, uint32_t *ids,
				  unsigned int max)
{
	struct qemu_machine *m = arg;
	unsigned int n = 0;

	for (unsigned int i = 0; i < m->nr_devices; i++) {
		const struct qemu_device *dev = m->devices[i];

		if (&dev->dma != dma)
			continue;
		if (n < max)
			ids[n] = bdf_of(dev);
		n++;
		for (const struct qemu_device *b = dev->parent; b; dev = b, b = b->parent) {
			if (!b->to_conventional)
				continue;
			if (n + 1 < max) {
				ids[n] = bdf_of(b);
				ids[n + 1] = (uint32_t)dev->bus << 8;
			}
			n += 2;
		}
		break;
	}
	return n;
}

struct dma_requesters qemu_requesters(struct qemu_machine *m)
{
	return (struct dma_requesters){ .ids = requester_ids, .arg = m };
}

struct qemu_device *qemu_device_by_id(struct qemu_machine *m, uint32_t id)
{
	for (unsigned int i = 0; i < m->nr_devices; i++)
		if (bdf_of(m->devices[i]) == id)
			return m->devices[i];
	return NULL;
}
