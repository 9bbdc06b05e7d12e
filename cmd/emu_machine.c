/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine of a scenario: QEMU with its devices, a domain for each of them, a history of mappings that turns faults
 * into words; and the notes that a scenario takes.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "emu.h"

#define REMEMBERED 4096u

/* --- faults */

static void put_fault(void *ctx, const char *text, size_t len)
{
	struct emu *e = ctx;
	size_t used = strlen(e->fault);

	if (len > sizeof(e->fault) - 1 - used)
		len = sizeof(e->fault) - 1 - used;
	memcpy(e->fault + used, text, len);
	e->fault[used + len] = '\0';
}

static void note_fault(struct dma_observer *observer, const struct dma_event *event)
{
	struct emu *e = (struct emu *)(void *)((char *)observer - offsetof(struct emu, observer));

	if (event->type != DMA_EVENT_IOMMU_FAULT)
		return;
	if (!e->nr_faults++)
		dma_fault_explain(e->history, event->fault, put_fault, e);
}

/* --- life */

bool emu_start(struct emu *e, const char *const *devices, const char *const *arguments,
	       uint64_t memory)
{
	char why[2048] = "";
	struct qemu_config config = {
		.size = sizeof(config),
		.arch = e->iommu == QEMU_IOMMU_SMMUV3 ? QEMU_AARCH64 : QEMU_X86_64,
		.iommu = e->iommu,
		.memory = memory,
		.devices = devices,
		.arguments = arguments,
		.error = why,
		.error_size = sizeof(why),
	};

	if (qemu_machine_create(&config, &e->m)) {
		cmd_say("emu: no machine: %s", why);
		return false;
	}
	e->host = qemu_host(e->m);
	e->observer.event = note_fault;
	if (dma_history_create(e->host, REMEMBERED, &e->history) ||
	    dma_history_attach(e->history) || dma_observer_attach(e->host, &e->observer)) {
		cmd_say("emu: no memory for a history of mappings");
		return false;
	}
	return true;
}

bool emu_stop(struct emu *e)
{
	const char *failure;
	bool ok = true;

	if (!e->m)
		return false;
	failure = qemu_failure(e->m);
	if (failure)
		cmd_say("emu: %s", failure);
	for (unsigned int i = 0; i < e->nr_devices; i++) {
		qemu_enable(e->devices[i], false, false);
		if (!e->domains[i])
			continue;
		ok = !dma_device_set_domain(&e->devices[i]->dma, NULL) && ok;
		ok = !dma_domain_destroy(e->domains[i]) && ok;
	}
	if (e->observer.event)
		dma_observer_detach(e->host, &e->observer);
	if (e->history) {
		dma_history_detach(e->history);
		dma_history_destroy(e->history);
	}
	ok = !qemu_machine_destroy(e->m) && ok;
	if (!ok)
		cmd_say("emu: mappings were left behind");
	return ok && !failure;
}

static bool put_behind(struct emu *e, struct qemu_device *dev, struct dma_domain **domain)
{
	struct dma_domain_config config = { .size = sizeof(config) };
	int err = qemu_domain_create(e->m, &config, domain);

	if (err) {
		*domain = NULL;
		cmd_say("emu: no domain: error %d", err);
		return false;
	}
	err = dma_device_set_domain(&dev->dma, *domain);
	if (err)
		cmd_say("emu: %s cannot be put behind the IOMMU: error %d", dev->name, err);
	return !err;
}

struct qemu_device *emu_attach(struct emu *e, uint16_t vendor, uint16_t device, unsigned int index)
{
	struct qemu_device *dev = qemu_find_device(e->m, vendor, device, index);
	unsigned int n = e->nr_devices;

	if (!dev || n == EMU_DEVICES) {
		cmd_say("emu: the machine has no device %04x:%04x", vendor, device);
		return NULL;
	}
	e->devices[n] = dev;
	e->nr_devices++;
	if (e->iommu != QEMU_IOMMU_NONE && !put_behind(e, dev, &e->domains[n]))
		return NULL;
	qemu_enable(dev, true, true);
	return dev;
}

struct dma_domain *emu_domain(const struct emu *e, const struct qemu_device *dev)
{
	for (unsigned int i = 0; i < e->nr_devices; i++)
		if (e->devices[i] == dev)
			return e->domains[i];
	return NULL;
}

/* --- notes */

static struct emu_step *add_step(struct emu *e, const struct qemu_device *dev, const char *what,
				 uint64_t bytes)
{
	/* the last one is overwritten: a scenario with more steps is a mistake that shows */
	struct emu_step *step = &e->steps[e->nr_steps < EMU_STEPS ? e->nr_steps++ : EMU_STEPS - 1];

	*step = (struct emu_step){ .bytes = bytes };
	snprintf(step->device, sizeof(step->device), "%s", dev->name);
	snprintf(step->what, sizeof(step->what), "%s", what);
	return step;
}

/** The fault since the last look, if there was one, into @step. */
static bool take_fault(struct emu *e, struct emu_step *step)
{
	bool any;

	qemu_handle_faults(e->m);
	any = e->nr_faults != 0;
	memcpy(step->detail, e->fault, sizeof(step->detail));
	e->nr_faults = 0;
	e->fault[0] = '\0';
	return any;
}

void emu_moved(struct emu *e, const struct qemu_device *dev, const char *what, dma_addr_t addr,
	       uint64_t bytes, bool ok)
{
	struct emu_step *step = add_step(e, dev, what, bytes);

	step->has_addr = true;
	step->addr = addr;
	step->ok = !take_fault(e, step) && ok;
	step->result = step->ok ? EMU_MOVED : EMU_WRONG;
}

void emu_blocked(struct emu *e, const struct qemu_device *dev, const char *what, dma_addr_t addr,
		 uint64_t bytes, bool untouched)
{
	struct emu_step *step = add_step(e, dev, what, bytes);
	bool fault = take_fault(e, step);

	step->has_addr = true;
	step->addr = addr;
	step->result = untouched ? EMU_BLOCKED : EMU_REACHED;
	if (e->iommu == QEMU_IOMMU_NONE) {
		step->ok = !fault;
		emu_detail(e, "nothing stands between the device and memory");
		return;
	}
	step->ok = untouched && (fault || e->iommu == QEMU_IOMMU_AMD);
	if (!fault)
		emu_detail(
			e,
			e->iommu == QEMU_IOMMU_AMD
				? "no event: this emulation never writes its event log; the data say it"
				: "no fault was recorded");
}

void emu_refused(struct emu *e, struct qemu_device *dev, const char *what, dma_addr_t addr,
		 uint64_t bytes, enum dma_reason reason)
{
	struct emu_step *step = add_step(e, dev, what, bytes);
	struct dma_error why;

	step->has_addr = addr != DMA_MAPPING_ERROR;
	step->addr = addr;
	step->result = step->has_addr ? EMU_WRONG : EMU_REFUSED;
	if (step->has_addr)
		return;
	dma_last_error(&dev->dma, &why);
	dma_error_format(&why, step->detail, sizeof(step->detail));
	step->ok = why.reason == reason;
}

void emu_detail(struct emu *e, const char *format, ...)
{
	struct emu_step *step = &e->steps[e->nr_steps - 1];
	size_t used = strlen(step->detail);
	va_list args;

	va_start(args, format);
	vsnprintf(step->detail + used, sizeof(step->detail) - used, format, args);
	va_end(args);
}
