/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The modern virtio transport over PCI: see virtio_pci.h.
 */
#include "virtio_pci.h"

#include "virtio_pci_regs.h"

/** More capabilities than fit into the 192 bytes behind the header make a loop. */
#define MOST_CAPS 48u
/** Reads of a configuration that changes each time. */
#define MOST_READS 16u

static uint32_t common_read32(struct virtio_pci *t, uint32_t offset)
{
	return t->host->read32(t->host, t->common.base + offset);
}

static void common_write32(struct virtio_pci *t, uint32_t offset, uint32_t value)
{
	t->host->write32(t->host, t->common.base + offset, value);
}

static uint16_t common_read16(struct virtio_pci *t, uint32_t offset)
{
	return t->host->read16(t->host, t->common.base + offset);
}

static void common_write16(struct virtio_pci *t, uint32_t offset, uint16_t value)
{
	t->host->write16(t->host, t->common.base + offset, value);
}

static uint8_t read_status(struct virtio_pci *t)
{
	return t->host->read8(t->host, t->common.base + VIRTIO_COMMON_STATUS);
}

static void write_status(struct virtio_pci *t, uint8_t status)
{
	t->host->write8(t->host, t->common.base + VIRTIO_COMMON_STATUS, status);
}

/* --- capabilities */

/** The window that the capability at @at describes, if it lies in its BAR and is not there yet. */
static void take_window(const struct dma_pci_function *f, unsigned int at, uint32_t least,
			struct virtio_window *window)
{
	uint32_t bar = f->read32(f->arg, at + VIRTIO_CAP_BAR) & 0xff;
	uint32_t offset = f->read32(f->arg, at + VIRTIO_CAP_OFFSET);
	uint32_t length = f->read32(f->arg, at + VIRTIO_CAP_LENGTH);

	if (window->size || bar >= DMA_PCI_FUNCTION_BARS || length < least)
		return;
	if (length > f->bars[bar].size || offset > f->bars[bar].size - length)
		return;
	*window = (struct virtio_window){ f->bars[bar].phys + offset, length };
}

static void take_capability(struct virtio_pci *t, const struct dma_pci_function *f, unsigned int at,
			    uint32_t head)
{
	bool had_notify = t->notify.size;

	switch (head >> 24) {
	case VIRTIO_CAP_COMMON:
		take_window(f, at, VIRTIO_COMMON_SIZE, &t->common);
		break;
	case VIRTIO_CAP_NOTIFY:
		if (at + VIRTIO_CAP_MULTIPLIER > 0xfc)
			break;
		take_window(f, at, 2, &t->notify);
		if (!had_notify && t->notify.size)
			t->multiplier = f->read32(f->arg, at + VIRTIO_CAP_MULTIPLIER);
		break;
	case VIRTIO_CAP_DEVICE:
		take_window(f, at, 1, &t->device);
		break;
	default:
		break;
	}
}

static void find_windows(struct virtio_pci *t, const struct dma_pci_function *f)
{
	unsigned int at = f->read32(f->arg, PCI_CAPS) & 0xfc;

	if (!(f->read32(f->arg, PCI_COMMAND) & PCI_STATUS_HAS_CAPS))
		return;
	for (unsigned int i = 0; i < MOST_CAPS && at >= 0x40; i++) {
		uint32_t head = f->read32(f->arg, at);

		if ((head & 0xff) == PCI_CAP_VENDOR && at + VIRTIO_CAP_LENGTH <= 0xfc)
			take_capability(t, f, at, head);
		at = head >> 8 & 0xfc;
	}
}

static bool is_virtio(const struct dma_pci_function *f, unsigned int type)
{
	return f->read32(f->arg, PCI_ID) == (PCI_DEVICE_VIRTIO(type) << 16 | PCI_VENDOR_VIRTIO);
}

int dmamap_virtio_pci_init(struct virtio_pci *t, struct dma_host *host,
			   const struct dma_pci_function *function, unsigned int type,
			   uint64_t timeout_ns)
{
	uint32_t command;

	if (!host->read8 || !host->read16 || !host->read32 || !host->write8 || !host->write16 ||
	    !host->write32 || !function->read32 || !function->write32)
		return -DMAMAP_EINVAL;
	*t = (struct virtio_pci){ .host = host, .timeout_ns = timeout_ns };
	if (!is_virtio(function, type))
		return -DMAMAP_ENODEV;
	find_windows(t, function);
	if (!t->common.size || !t->notify.size || !t->device.size)
		return -DMAMAP_ENODEV;
	/* the upper half is the status, in which a 1 would clear a bit */
	command = function->read32(function->arg, PCI_COMMAND) & 0xffff;
	function->write32(function->arg, PCI_COMMAND,
			  command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return 0;
}

/* --- from reset to ready (3.1.1) */

bool dmamap_virtio_pci_reset(struct virtio_pci *t)
{
	struct hw_wait wait;

	write_status(t, 0);
	dmamap_hw_wait_begin(&wait, t->host, t->timeout_ns);
	do {
		if (!read_status(t))
			return true;
	} while (dmamap_hw_wait_more(&wait));
	return !read_status(t);
}

static uint64_t offered_features(struct virtio_pci *t)
{
	uint64_t low, high;

	common_write32(t, VIRTIO_COMMON_DEVICE_FEATURE_SELECT, 0);
	low = common_read32(t, VIRTIO_COMMON_DEVICE_FEATURE);
	common_write32(t, VIRTIO_COMMON_DEVICE_FEATURE_SELECT, 1);
	high = common_read32(t, VIRTIO_COMMON_DEVICE_FEATURE);
	return high << 32 | low;
}

static void accept_features(struct virtio_pci *t, uint64_t features)
{
	common_write32(t, VIRTIO_COMMON_DRIVER_FEATURE_SELECT, 0);
	common_write32(t, VIRTIO_COMMON_DRIVER_FEATURE, (uint32_t)features);
	common_write32(t, VIRTIO_COMMON_DRIVER_FEATURE_SELECT, 1);
	common_write32(t, VIRTIO_COMMON_DRIVER_FEATURE, (uint32_t)(features >> 32));
}

int dmamap_virtio_pci_negotiate(struct virtio_pci *t, uint64_t wanted, uint64_t needed)
{
	uint8_t status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;

	write_status(t, VIRTIO_STATUS_ACKNOWLEDGE);
	write_status(t, status);
	needed |= VIRTIO_F_VERSION_1;
	wanted |= needed | VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_ORDER_PLATFORM;
	t->features = offered_features(t) & wanted;
	if ((t->features & needed) != needed)
		return -DMAMAP_EOPNOTSUPP;
	accept_features(t, t->features);
	write_status(t, status | VIRTIO_STATUS_FEATURES_OK);
	return read_status(t) & VIRTIO_STATUS_FEATURES_OK ? 0 : -DMAMAP_EOPNOTSUPP;
}

void dmamap_virtio_pci_ready(struct virtio_pci *t)
{
	write_status(t, read_status(t) | VIRTIO_STATUS_DRIVER_OK);
}

void dmamap_virtio_pci_failed(struct virtio_pci *t)
{
	write_status(t, read_status(t) | VIRTIO_STATUS_FAILED);
}

/* --- queues (4.1.5.1.3) */

static void write_address(struct virtio_pci *t, uint32_t offset, phys_addr_t phys)
{
	common_write32(t, offset, (uint32_t)phys);
	common_write32(t, offset + 4, (uint32_t)(phys >> 32));
}

/** Where to notify the selected queue; false: outside of the window. */
static bool notify_address(struct virtio_pci *t, phys_addr_t *notify)
{
	uint64_t offset =
		(uint64_t)common_read16(t, VIRTIO_COMMON_QUEUE_NOTIFY_OFF) * t->multiplier;

	*notify = t->notify.base + offset;
	return offset <= t->notify.size - 2;
}

int dmamap_virtio_pci_queue(struct virtio_pci *t, uint16_t index, uint16_t vector, struct virtq *q)
{
	phys_addr_t notify;
	uint16_t size;

	if (index >= common_read16(t, VIRTIO_COMMON_NUM_QUEUES))
		return -DMAMAP_ENODEV;
	common_write16(t, VIRTIO_COMMON_QUEUE_SELECT, index);
	size = common_read16(t, VIRTIO_COMMON_QUEUE_SIZE);
	if (size < 2 || !is_power_of_two(size) || !notify_address(t, &notify))
		return -DMAMAP_ENODEV;
	if (size > VIRTQ_MAX)
		size = VIRTQ_MAX;
	if (!dmamap_virtq_init(q, t->host, size))
		return -DMAMAP_ENOMEM;
	q->index = index;
	q->notify = notify;
	common_write16(t, VIRTIO_COMMON_QUEUE_SIZE, size);
	common_write16(t, VIRTIO_COMMON_QUEUE_VECTOR, vector);
	write_address(t, VIRTIO_COMMON_QUEUE_DESC, q->memory.phys);
	write_address(t, VIRTIO_COMMON_QUEUE_DRIVER, dmamap_virtq_avail_phys(q));
	write_address(t, VIRTIO_COMMON_QUEUE_DEVICE, dmamap_virtq_used_phys(q));
	common_write16(t, VIRTIO_COMMON_QUEUE_ENABLE, 1);
	return 0;
}

void dmamap_virtio_pci_notify(struct virtio_pci *t, const struct virtq *q)
{
	t->host->write16(t->host, q->notify, q->index);
}

/* --- the device's configuration */

uint32_t dmamap_virtio_pci_config32(struct virtio_pci *t, uint32_t offset)
{
	return t->host->read32(t->host, t->device.base + offset);
}

int dmamap_virtio_pci_config64(struct virtio_pci *t, uint32_t offset, uint64_t *value)
{
	phys_addr_t generation = t->common.base + VIRTIO_COMMON_GENERATION;

	for (unsigned int i = 0; i < MOST_READS; i++) {
		uint8_t before = t->host->read8(t->host, generation);
		uint64_t low = dmamap_virtio_pci_config32(t, offset);
		uint64_t high = dmamap_virtio_pci_config32(t, offset + 4);

		*value = high << 32 | low;
		if (t->host->read8(t->host, generation) == before)
			return 0;
	}
	return -DMAMAP_EIO;
}
