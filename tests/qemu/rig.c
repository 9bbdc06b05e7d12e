/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#define EDU_BITS 48
#define PAGE	 4096u

struct qemu_machine *rig_machine(const struct qemu_config *config)
{
	struct qemu_config c = *config;
	struct qemu_machine *m = NULL;
	char why[2048] = "";
	int err;

	c.size = sizeof(c);
	c.error = why;
	c.error_size = sizeof(why);
	err = qemu_machine_create(&c, &m);
	if (err)
		print_message("# %s\n", why);
	assert_int_equal(err, 0);
	return m;
}

static void note_fault(struct dma_observer *self, const struct dma_event *event)
{
	struct rig *rig = (struct rig *)(void *)((char *)self - offsetof(struct rig, observer));

	if (event->type != DMA_EVENT_IOMMU_FAULT)
		return;
	if (rig->nr_faults < RIG_FAULTS)
		rig->faults[rig->nr_faults] = *event->fault;
	rig->nr_faults++;
}

void rig_start(struct rig *rig, const struct qemu_config *config)
{
	static const char edu[] = "edu,dma_mask=0xffffffffffff";
	const char *devices[16] = { edu };
	struct qemu_config c = *config;

	for (unsigned int i = 0; config->devices && config->devices[i]; i++)
		devices[i + 1] = config->devices[i];
	c.devices = devices;
	*rig = (struct rig){ .m = rig_machine(&c), .observer.event = note_fault };
	rig->host = qemu_host(rig->m);
	rig->function = qemu_find_device(rig->m, EDU_VENDOR, EDU_DEVICE, 0);
	assert_non_null(rig->function);
	qemu_enable(rig->function, true, true);
	assert_int_equal(
		edu_init(&rig->edu, &rig->function->dma, rig->function->bars[0].base, EDU_BITS), 0);
	assert_int_equal(dma_observer_attach(rig->host, &rig->observer), 0);
}

void rig_start_domain(struct rig *rig, const struct qemu_config *config,
		      enum dma_invalidation invalidation)
{
	struct dma_domain_config domain = { .size = sizeof(domain), .invalidation = invalidation };

	rig_start(rig, config);
	assert_int_equal(qemu_domain_create(rig->m, &domain, &rig->domain), 0);
	assert_int_equal(dma_device_set_domain(&rig->function->dma, rig->domain), 0);
}

void rig_stop(struct rig *rig)
{
	rig_no_fault(rig);
	if (rig->domain) {
		assert_int_equal(dma_device_set_domain(&rig->function->dma, NULL), 0);
		assert_int_equal(dma_domain_destroy(rig->domain), 0);
	}
	assert_int_equal(dma_observer_detach(rig->host, &rig->observer), 0);
	if (qemu_failure(rig->m))
		fail_msg("%s", qemu_failure(rig->m));
	assert_int_equal(qemu_machine_destroy(rig->m), 0);
}

/* --- memory */

phys_addr_t rig_pages(struct rig *rig, unsigned int n, unsigned char value)
{
	phys_addr_t phys = qemu_alloc(rig->m, n * 4096ull, 4096, 0, ~0ull);

	assert_true(phys != DMAMAP_PHYS_NONE);
	memset(qemu_ram_ptr(rig->m, phys, n * 4096ull), value, n * 4096ull);
	return phys;
}

void *rig_ptr(struct rig *rig, phys_addr_t phys)
{
	void *p = qemu_ram_ptr(rig->m, phys, 1);

	assert_non_null(p);
	return p;
}

bool rig_all(struct rig *rig, phys_addr_t phys, uint64_t len, unsigned char value)
{
	const unsigned char *p = qemu_ram_ptr(rig->m, phys, len);

	assert_non_null(p);
	for (uint64_t i = 0; i < len; i++)
		if (p[i] != value)
			return false;
	return true;
}

dma_addr_t rig_map(struct rig *rig, phys_addr_t phys, size_t size, enum dma_data_direction dir)
{
	dma_addr_t addr = dma_map_phys(&rig->function->dma, phys, size, dir, 0);

	assert_true(addr != DMA_MAPPING_ERROR);
	return addr;
}

void rig_unmap(struct rig *rig, dma_addr_t addr, size_t size, enum dma_data_direction dir)
{
	dma_unmap_phys(&rig->function->dma, addr, size, dir, 0);
}

/* --- the device */

void rig_load(struct rig *rig, dma_addr_t addr, unsigned int at, unsigned int len)
{
	assert_int_equal(edu_load(&rig->edu, addr, at, len), 0);
}

void rig_store(struct rig *rig, unsigned int at, dma_addr_t addr, unsigned int len)
{
	assert_int_equal(edu_store(&rig->edu, at, addr, len), 0);
}

void rig_set_buffer(struct rig *rig, unsigned char value)
{
	phys_addr_t phys = rig_pages(rig, 1, value);
	dma_addr_t addr = rig_map(rig, phys, PAGE, DMA_TO_DEVICE);

	rig_load(rig, addr, 0, EDU_BUFFER);
	rig_unmap(rig, addr, PAGE, DMA_TO_DEVICE);
	qemu_free(rig->m, phys, 4096);
}

/* --- faults */

void rig_no_fault(struct rig *rig)
{
	qemu_handle_faults(rig->m);
	if (rig->nr_faults)
		fail_msg("fault: %s at %#llx, code %u",
			 dma_fault_reason_name(rig->faults[0].reason),
			 (unsigned long long)rig->faults[0].dma_addr, rig->faults[0].code);
}

void rig_fault(struct rig *rig, dma_addr_t addr, enum dma_fault_access access,
	       enum dma_fault_reason reason)
{
	const struct dma_fault *f = &rig->faults[0];

	qemu_handle_faults(rig->m);
	assert_true(rig->nr_faults > 0);
	rig->nr_faults = 0;
	if (f->device != &rig->function->dma || f->dma_addr != addr || f->access != access ||
	    f->reason != reason)
		fail_msg("fault: %s %s at %#llx, code %u", f->device ? "" : "(no device)",
			 dma_fault_reason_name(f->reason), (unsigned long long)f->dma_addr,
			 f->code);
}

/* --- every unit */

void rig_map_move_unmap(const struct qemu_config *config, const struct rig_unit *unit)
{
	phys_addr_t from, to;
	dma_addr_t a, b;
	struct rig rig;

	rig_start_domain(&rig, config, DMA_INVALIDATION_STRICT);
	from = rig_pages(&rig, 1, 0x5a);
	to = rig_pages(&rig, 1, 0);
	a = rig_map(&rig, from, PAGE, DMA_TO_DEVICE);
	b = rig_map(&rig, to, PAGE, DMA_FROM_DEVICE);
	rig_load(&rig, a, 0, EDU_BUFFER);
	rig_store(&rig, 0, b, EDU_BUFFER);
	rig_no_fault(&rig);
	assert_true(rig_all(&rig, to, EDU_BUFFER, 0x5a));
	rig_unmap(&rig, a, PAGE, DMA_TO_DEVICE);
	rig_unmap(&rig, b, PAGE, DMA_FROM_DEVICE);
	rig_store(&rig, 0, b, 64);
	rig_fault(&rig, b, unit->write_of_nothing, unit->no_write);
	rig_load(&rig, a, 0, 64);
	rig_fault(&rig, a, DMA_FAULT_READ, unit->no_read);
	assert_true(rig_all(&rig, to, EDU_BUFFER, 0x5a));
	qemu_free(rig.m, from, PAGE);
	qemu_free(rig.m, to, PAGE);
	rig_stop(&rig);
}

void rig_directions_hold(const struct qemu_config *config, const struct rig_unit *unit)
{
	phys_addr_t phys;
	dma_addr_t addr;
	struct rig rig;

	rig_start_domain(&rig, config, DMA_INVALIDATION_STRICT);
	phys = rig_pages(&rig, 1, 0x11);
	addr = rig_map(&rig, phys, PAGE, DMA_TO_DEVICE);
	rig_set_buffer(&rig, 0x22);
	rig_store(&rig, 0, addr, 64);
	rig_fault(&rig, addr, DMA_FAULT_WRITE, DMA_FAULT_REASON_WRITE_DENIED);
	assert_true(rig_all(&rig, phys, PAGE, 0x11));
	rig_unmap(&rig, addr, PAGE, DMA_TO_DEVICE);
	addr = rig_map(&rig, phys, PAGE, DMA_FROM_DEVICE);
	rig_load(&rig, addr, 0, 64);
	if (unit->write_only)
		rig_fault(&rig, addr, DMA_FAULT_READ, DMA_FAULT_REASON_READ_DENIED);
	rig_no_fault(&rig);
	rig_unmap(&rig, addr, PAGE, DMA_FROM_DEVICE);
	addr = rig_map(&rig, phys, PAGE, DMA_BIDIRECTIONAL);
	rig_store(&rig, 64, addr, 64);
	rig_load(&rig, addr, 0, 64);
	rig_no_fault(&rig);
	rig_unmap(&rig, addr, PAGE, DMA_BIDIRECTIONAL);
	qemu_free(rig.m, phys, PAGE);
	rig_stop(&rig);
}
