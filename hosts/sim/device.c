/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices: made, wired, and their DMA engines, which move bytes along the path that the wiring gives:
 *
 *   engine -> address lines -> translator (or the window around it) -> a peer's BAR, by its bus address (pci.c),
 *             or inbound windows -> IOMMU -> RAM or BAR
 *
 * A transfer goes piece by piece, each as long as one window, one page of the IOMMU and one region allow; what was
 * moved before a fault stays moved.
 */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

/* --- life */

static uint64_t last_of_bits(unsigned int bits)
{
	return bits ? DMA_BIT_MASK(bits) : ~(uint64_t)0;
}

static void enlist(struct sim_machine *m, struct sim_device *device)
{
	pthread_mutex_lock(&m->lists);
	device->next = m->devices;
	if (device->next)
		device->next->prev = device;
	m->devices = device;
	pthread_mutex_unlock(&m->lists);
}

static void delist(struct sim_machine *m, struct sim_device *device)
{
	pthread_mutex_lock(&m->lists);
	if (device->next)
		device->next->prev = device->prev;
	if (device->prev)
		device->prev->next = device->next;
	else
		m->devices = device->next;
	pthread_mutex_unlock(&m->lists);
}

static int init_dma(struct sim_machine *m, struct sim_device *device)
{
	int err = dmamap_device_init(&device->dma, sizeof(device->dma), &m->host);

	if (err)
		return err;
	dmamap_device_set_name(&device->dma, device->name);
	return m->noncoherent ? dmamap_device_set_coherent(&device->dma, device->coherent) : 0;
}

static struct sim_device *make_device(struct sim_machine *m, const struct sim_device_config *config)
{
	struct sim_device *device = aligned_alloc(64, sim_round_up(sizeof(*device), 64));

	if (!device)
		return NULL;
	memset(device, 0, sizeof(*device));
	device->m = m;
	device->last_address = last_of_bits(config->address_bits);
	device->coherent = config->coherent || !m->noncoherent;
	device->name = strdup(config->name ? config->name : "");
	if (device->name)
		return device;
	free(device);
	return NULL;
}

int sim_device_create(struct sim_machine *m, const struct sim_device_config *config,
		      struct sim_device **device)
{
	struct sim_device *d;
	int err;

	if (!config || !device || config->size != sizeof(*config) || config->address_bits > 64)
		return -DMAMAP_EINVAL;
	d = make_device(m, config);
	if (!d)
		return -DMAMAP_ENOMEM;
	err = init_dma(m, d);
	if (err) {
		free(d->name);
		free(d);
		return err;
	}
	enlist(m, d);
	*device = d;
	return 0;
}

int sim_device_destroy(struct sim_device *device)
{
	int err;

	if (!device)
		return 0;
	err = dmamap_device_fini(&device->dma);
	if (err)
		return err;
	delist(device->m, device);
	free(device->name);
	free(device);
	return 0;
}

struct dma_device *sim_dma(struct sim_device *device)
{
	return &device->dma;
}

struct sim_device *sim_device_of(struct dma_device *dev)
{
	return (struct sim_device *)(void *)dev;
}

_Static_assert(offsetof(struct sim_device, dma) == 0, "sim_device_of() is a cast");

bool sim_device_known(struct sim_machine *m, const struct dma_device *dev)
{
	const struct sim_device *d;

	pthread_mutex_lock(&m->lists);
	for (d = m->devices; d && &d->dma != dev; d = d->next)
		;
	pthread_mutex_unlock(&m->lists);
	return d != NULL;
}

/* --- wiring */

void sim_device_set_privileged(struct sim_device *device, bool privileged)
{
	device->privileged = privileged;
}

void sim_device_set_windows(struct sim_device *device, const struct dma_range *map)
{
	device->windows = map;
}

void sim_device_set_offset(struct sim_device *device, uint64_t offset)
{
	device->offset = offset;
}

uint64_t sim_device_offset(struct sim_device *device)
{
	return device->offset;
}

void sim_device_set_bypass_window(struct sim_device *device, uint64_t limit)
{
	device->bypass = limit;
}

int sim_device_put_behind(struct sim_device *device, struct sim_iommu *iommu)
{
	int err;

	if (device->domain)
		return -DMAMAP_EBUSY;
	err = dmamap_device_set_unit(&device->dma, iommu ? sim_iommu_unit(iommu) : NULL);
	if (err)
		return err;
	device->iommu = iommu;
	device->blocked = false;
	return 0;
}

bool sim_devices_orphan(struct sim_machine *m, const struct sim_iommu *iommu)
{
	bool attached = false;

	pthread_mutex_lock(&m->lists);
	for (const struct sim_device *d = m->devices; d; d = d->next)
		attached |= d->iommu == iommu && d->domain;
	for (struct sim_device *d = m->devices; d && !attached; d = d->next) {
		if (d->iommu != iommu)
			continue;
		d->iommu = NULL;
		d->blocked = true;
		dmamap_device_set_unit(&d->dma, NULL);
	}
	pthread_mutex_unlock(&m->lists);
	return !attached;
}

const char *sim_last_method(struct sim_device *device)
{
	return device->method;
}

void sim_reset_method(struct sim_device *device)
{
	device->method = NULL;
}

/* --- the path of one access: each stage shortens *len to what it treats alike */

static enum sim_fault_reason pass_translator(const struct sim_device *device, uint64_t *addr,
					     uint64_t *len)
{
	if (!device->offset)
		return SIM_FAULT_NONE;
	if (*addr < device->bypass) {
		*len = sim_min(*len, device->bypass - *addr);
		return SIM_FAULT_NONE;
	}
	if (*addr < device->offset)
		return SIM_FAULT_HOLE;
	*addr -= device->offset;
	return SIM_FAULT_NONE;
}

static enum sim_fault_reason pass_windows(const struct sim_device *device, uint64_t *addr,
					  uint64_t *len)
{
	const struct dma_range *w = device->windows;

	if (!w)
		return SIM_FAULT_NONE;
	for (; w->size; w++) {
		uint64_t offset = *addr - w->dma;

		if (offset < w->size) {
			*len = sim_min(*len, w->size - offset);
			*addr = w->cpu + offset;
			return SIM_FAULT_NONE;
		}
		/* An earlier window that begins inside the piece has precedence there. */
		if (w->dma > *addr)
			*len = sim_min(*len, w->dma - *addr);
	}
	return SIM_FAULT_NO_WINDOW;
}

static enum sim_fault_reason pass_iommu(struct sim_device *device, uint64_t *addr, bool write,
					uint64_t *len)
{
	if (device->blocked)
		return SIM_FAULT_NO_DOMAIN;
	if (!device->iommu)
		return SIM_FAULT_NONE;
	return sim_iommu_translate(device, *addr, write, len, addr);
}

/** The region and *@offset that the piece at @addr reaches. */
static enum sim_fault_reason resolve(struct sim_device *device, dma_addr_t addr, bool write,
				     uint64_t *len, struct sim_region **region, uint64_t *offset)
{
	uint64_t a = addr;
	enum sim_fault_reason reason;

	if (addr > device->last_address)
		return SIM_FAULT_ADDRESS_LINES;
	if (*len - 1 > device->last_address - addr)
		*len = device->last_address - addr + 1;
	reason = pass_translator(device, &a, len);
	if (reason == SIM_FAULT_NONE && !sim_pci_turns(device, &a, len)) {
		reason = pass_windows(device, &a, len);
		if (reason == SIM_FAULT_NONE)
			reason = pass_iommu(device, &a, write, len);
	}
	if (reason != SIM_FAULT_NONE)
		return reason;
	*region = sim_region_at(device->m, a);
	if (!*region)
		return SIM_FAULT_HOLE;
	*offset = a - (*region)->base;
	*len = sim_min(*len, (*region)->size - *offset);
	return SIM_FAULT_NONE;
}

/* --- moving bytes */

#if defined(__SANITIZE_THREAD__)
#define BUS_IS_ATOMIC
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BUS_IS_ATOMIC
#endif
#endif

/** Devices may use the same memory at the same time, as on a bus: the thread sanitizer must not call that a race. */
static void bus_copy(void *to, const void *from, uint64_t len)
{
#ifdef BUS_IS_ATOMIC
	for (uint64_t i = 0; i < len; i++)
		__atomic_store_n((unsigned char *)to + i,
				 __atomic_load_n((const unsigned char *)from + i, __ATOMIC_RELAXED),
				 __ATOMIC_RELAXED);
#else
	memcpy(to, from, len);
#endif
}

static void load(const struct sim_device *device, struct sim_region *r, uint64_t offset, void *to,
		 uint64_t len)
{
	bool snoops = device->coherent || !r->synced;

	bus_copy(to, (snoops ? r->cpu : r->device) + offset, len);
	if (!snoops && device->m->adversarial)
		sim_cache_stir(device->m, r, offset, len, false);
}

static void store(const struct sim_device *device, struct sim_region *r, uint64_t offset,
		  const void *from, uint64_t len)
{
	bus_copy(r->device + offset, from, len);
	if (!r->synced)
		return;
	if (device->coherent) {
		bus_copy(r->cpu + offset, from, len);
		bus_copy(r->synced + offset, from, len);
	} else if (device->m->adversarial) {
		sim_cache_stir(device->m, r, offset, len, true);
	}
}

/** The same in the library's words. */
static enum dma_fault_reason reason_of(const struct sim_fault *f)
{
	static const enum dma_fault_reason reasons[] = {
		[SIM_FAULT_ADDRESS_LINES] = DMA_FAULT_REASON_WIDTH,
		[SIM_FAULT_NO_WINDOW] = DMA_FAULT_REASON_NO_WINDOW,
		[SIM_FAULT_HOLE] = DMA_FAULT_REASON_HOLE,
		[SIM_FAULT_NO_DOMAIN] = DMA_FAULT_REASON_BLOCKED,
		[SIM_FAULT_WIDTH] = DMA_FAULT_REASON_WIDTH,
		[SIM_FAULT_NOT_PRESENT] = DMA_FAULT_REASON_NOT_PRESENT,
		[SIM_FAULT_READ_DENIED] = DMA_FAULT_REASON_READ_DENIED,
		[SIM_FAULT_WRITE_DENIED] = DMA_FAULT_REASON_WRITE_DENIED,
		[SIM_FAULT_RESERVED_BIT] = DMA_FAULT_REASON_RESERVED_BIT,
		[SIM_FAULT_TABLE] = DMA_FAULT_REASON_TABLE,
		[SIM_FAULT_OUTPUT] = DMA_FAULT_REASON_TABLE,
		[SIM_FAULT_ACCESS_FLAG] = DMA_FAULT_REASON_OTHER,
		[SIM_FAULT_RUN] = DMA_FAULT_REASON_TABLE,
		[SIM_FAULT_INTERRUPT] = DMA_FAULT_REASON_OTHER,
	};

	if (f->reason == SIM_FAULT_PRIVILEGE)
		return f->write ? DMA_FAULT_REASON_WRITE_DENIED : DMA_FAULT_REASON_READ_DENIED;
	return reasons[f->reason];
}

/** Tell the library what its observers want to know. */
static void report_fault(struct sim_device *device, const struct sim_fault *f)
{
	const struct dma_fault fault = {
		.size = sizeof(fault),
		.device = &device->dma,
		.dma_addr = f->addr,
		.access = f->write ? DMA_FAULT_WRITE : DMA_FAULT_READ,
		.reason = reason_of(f),
		.code = (unsigned int)f->reason,
	};

	dmamap_fault_report(&device->m->host, &fault);
}

/** One transfer; @buf is only read if it is a write. */
static int transfer(struct sim_device *device, dma_addr_t addr, unsigned char *buf, uint64_t len,
		    bool write, struct sim_fault *fault)
{
	enum sim_fault_reason reason = SIM_FAULT_NONE;
	struct sim_fault seen;
	bool wrapped = false;

	while (len) {
		struct sim_region *region;
		uint64_t offset;
		uint64_t part = len;

		reason = wrapped ? SIM_FAULT_ADDRESS_LINES
				 : resolve(device, addr, write, &part, &region, &offset);
		if (reason != SIM_FAULT_NONE)
			break;
		if (write)
			store(device, region, offset, buf, part);
		else
			load(device, region, offset, buf, part);
		buf += part;
		len -= part;
		addr += part;
		wrapped = addr == 0;
	}
	seen = (struct sim_fault){ device, len ? addr : 0, write, reason };
	if (fault)
		*fault = seen;
	if (!len)
		return 0;
	report_fault(device, &seen);
	return -DMAMAP_EFAULT;
}

int sim_dma_read(struct sim_device *device, dma_addr_t addr, void *buf, uint64_t len,
		 struct sim_fault *fault)
{
	return transfer(device, addr, buf, len, false, fault);
}

int sim_dma_write(struct sim_device *device, dma_addr_t addr, const void *buf, uint64_t len,
		  struct sim_fault *fault)
{
	return transfer(device, addr, (unsigned char *)(uintptr_t)buf, len, true, fault);
}

const char *sim_fault_name(enum sim_fault_reason reason)
{
	static const char *const names[] = {
		[SIM_FAULT_NONE] = "none",
		[SIM_FAULT_ADDRESS_LINES] = "address-lines",
		[SIM_FAULT_NO_WINDOW] = "no-window",
		[SIM_FAULT_HOLE] = "hole",
		[SIM_FAULT_NO_DOMAIN] = "no-domain",
		[SIM_FAULT_WIDTH] = "width",
		[SIM_FAULT_NOT_PRESENT] = "not-present",
		[SIM_FAULT_READ_DENIED] = "read-denied",
		[SIM_FAULT_WRITE_DENIED] = "write-denied",
		[SIM_FAULT_RESERVED_BIT] = "reserved-bit",
		[SIM_FAULT_TABLE] = "table",
		[SIM_FAULT_OUTPUT] = "output-width",
		[SIM_FAULT_PRIVILEGE] = "privilege",
		[SIM_FAULT_ACCESS_FLAG] = "access-flag",
		[SIM_FAULT_RUN] = "run",
		[SIM_FAULT_INTERRUPT] = "interrupt",
	};

	return (unsigned int)reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "unknown";
}
