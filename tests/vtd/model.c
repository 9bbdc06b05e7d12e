/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of a VT-d unit: see model.h. */
#include "model.h"

/* Hooks find the model here: the host's private pointer is the machine's. */
static struct model *current;

static void note(struct model *m, const char *format, ...)
{
	va_list args;

	if (m->written)
		m->diary[m->written++] = ' ';
	va_start(args, format);
	m->written += (size_t)vsnprintf(m->diary + m->written, sizeof(m->diary) - m->written,
					format, args);
	va_end(args);
	assert_true(m->written < sizeof(m->diary) - 64);
}

void model_forget(struct model *m)
{
	m->written = 0;
	m->diary[0] = '\0';
}

void model_expect(struct model *m, const char *diary)
{
	m->diary[m->written] = '\0';
	assert_string_equal(m->diary, diary);
	model_forget(m);
}

void model_expect_end(struct model *m, const char *end)
{
	size_t len = strlen(end);

	m->diary[m->written] = '\0';
	assert_string_equal(m->diary + (m->written > len ? m->written - len : 0), end);
	model_forget(m);
}

/* --- what it does */

static const char *extent(unsigned int granularity)
{
	return granularity == VTD_GLOBAL ? "global" : granularity == VTD_DOMAIN ? "domain" : "fine";
}

static const void *device_view(struct model *m, phys_addr_t phys, uint64_t len)
{
	const void *p = m->ecap & VTD_ECAP_COHERENT ? sim_cpu_ptr(m->sim, phys, len)
						    : sim_device_ptr(m->sim, phys, len);

	assert_non_null(p);
	return p;
}

/** Does the requester have a context entry, as the hardware sees it? */
static bool present(struct model *m, unsigned int sid)
{
	const uint64_t *e = device_view(m, (m->rtaddr & VTD_TABLE) + 16ull * (sid >> 8), 16);

	if (!(e[0] & VTD_PRESENT))
		return false;
	e = device_view(m, (e[0] & VTD_TABLE) + 16ull * (sid & 255), 16);
	return e[0] & VTD_PRESENT;
}

static void context(struct model *m, unsigned int granularity, unsigned int did, unsigned int sid)
{
	if (granularity == VTD_GLOBAL)
		note(m, "ctx:global");
	else
		note(m, "ctx:%s:%u:%x%s", extent(granularity), did, sid,
		     present(m, sid) ? "+" : "");
}

static void iotlb(struct model *m, unsigned int granularity, unsigned int did, uint64_t address)
{
	if (granularity == VTD_GLOBAL)
		note(m, "iotlb:global");
	else if (granularity == VTD_DOMAIN)
		note(m, "iotlb:domain:%u", did);
	else
		note(m, "iotlb:pages:%u:%llx:%u%s", did, (unsigned long long)address >> 12,
		     (unsigned int)address & 63, address & VTD_INV_IH ? ":ih" : "");
}

static void status_write(struct model *m, phys_addr_t phys, uint32_t data)
{
	void *device = sim_device_ptr(m->sim, phys, 4);
	void *cpu = sim_cpu_ptr(m->sim, phys, 4);

	assert_non_null(device);
	memcpy(device, &data, 4);
	if (m->ecap & VTD_ECAP_COHERENT)
		memcpy(cpu, &data, 4);
}

static bool perform(struct model *m, uint64_t low, uint64_t high)
{
	unsigned int granularity = (unsigned int)(low >> 4) & 3;

	if (m->refuse_in && !--m->refuse_in) {
		note(m, "refused");
		return false;
	}
	switch (low & 15) {
	case VTD_INV_CONTEXT:
		context(m, granularity, (low >> 16) & 0xffff, (low >> 32) & 0xffff);
		return true;
	case VTD_INV_IOTLB:
		assert_true(!(low & VTD_INV_DR) == !(m->cap & VTD_CAP_DRD));
		assert_true(!(low & VTD_INV_DW) == !(m->cap & VTD_CAP_DWD));
		iotlb(m, granularity, (low >> 16) & 0xffff, high);
		return true;
	case VTD_INV_WAIT:
		assert_true((low & 0x70) == VTD_WAIT_STATUS);
		note(m, "wait");
		status_write(m, high, (uint32_t)(low >> 32));
		return true;
	default:
		return false;
	}
}

static void run_queue(struct model *m)
{
	while (m->gsts & VTD_G_QIE && !m->deaf && !(m->fsts & VTD_FSTS_IQE) && m->iqh != m->iqt) {
		uint64_t d[2];

		memcpy(d, device_view(m, (m->iqa & VTD_IQA_ADDR) + m->iqh, 16), 16);
		if (!perform(m, d[0], d[1])) {
			m->fsts |= VTD_FSTS_IQE;
			return;
		}
		m->iqh = (m->iqh + 16) % (16u << VTD_IQA_SIZE(m->iqa));
	}
}

static void command(struct model *m, uint32_t value)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} levels[] = { { VTD_G_TE, "te" }, { VTD_G_QIE, "qie" }, { VTD_G_EAFL, "eafl" } };

	for (unsigned int i = 0; i < 3; i++)
		if ((m->gsts ^ value) & levels[i].bit)
			note(m, "%s%c", levels[i].name, value & levels[i].bit ? '+' : '-');
	if (value & VTD_G_SRTP)
		note(m, "root");
	if (value & VTD_G_WBF)
		note(m, "wbf");
	if (value & VTD_G_QIE && !(m->gsts & VTD_G_QIE))
		m->iqh = 0;
	m->gsts = (m->gsts & m->stuck) | ((value & (VTD_G_LEVEL | VTD_G_SRTP)) & ~m->stuck);
	run_queue(m);
}

/* --- registers */

static uint32_t read32(struct dma_host *host, phys_addr_t reg)
{
	struct model *m = current;

	(void)host;
	if (m->gone)
		return ~0u;
	switch (reg - MODEL_REGS) {
	case VTD_VER_32:
		return 0x10;
	case VTD_GSTS_32:
		return m->gsts;
	case VTD_FSTS_32:
		return m->fsts;
	case VTD_FECTL_32:
		return m->fectl;
	case VTD_PMEN_32:
		return m->pmen;
	default:
		fail_msg("read of 32 bits at %#llx", (unsigned long long)reg - MODEL_REGS);
		return 0;
	}
}

static uint64_t read64(struct dma_host *host, phys_addr_t reg)
{
	struct model *m = current;
	unsigned int offset = (unsigned int)(reg - MODEL_REGS);

	(void)host;
	if (m->gone)
		return ~0ull;
	if (offset >= MODEL_FRO && offset < MODEL_FRO + 64)
		return m->record[(offset - MODEL_FRO) / 16][offset / 8 % 2];
	switch (offset) {
	case VTD_CAP:
		return m->cap;
	case VTD_ECAP:
		return m->ecap;
	case VTD_RTADDR:
		return m->rtaddr;
	case VTD_CCMD:
		return m->ccmd;
	case VTD_IQH:
		return m->iqh;
	case VTD_IQT:
		return m->iqt;
	case VTD_IQA:
		return m->iqa;
	case MODEL_IRO + VTD_IOTLB:
		return m->iotlb;
	default:
		fail_msg("read of 64 bits at %#x", offset);
		return 0;
	}
}

static void write_top(struct model *m, unsigned int offset, uint32_t value)
{
	uint64_t *high = &m->record[(offset - MODEL_FRO) / 16][1];

	assert_int_equal(offset % 16, VTD_FRCD_TOP_32);
	if (value & VTD_FRCD_F_32)
		*high &= ~VTD_FRCD_F;
	for (unsigned int i = 0; i < 4; i++)
		if (m->record[i][1] & VTD_FRCD_F)
			return;
	m->fsts &= ~VTD_FSTS_PPF;
}

static void write32(struct dma_host *host, phys_addr_t reg, uint32_t value)
{
	struct model *m = current;
	unsigned int offset = (unsigned int)(reg - MODEL_REGS);

	(void)host;
	if (offset >= MODEL_FRO && offset < MODEL_FRO + 64) {
		write_top(m, offset, value);
		return;
	}
	switch (offset) {
	case VTD_GCMD_32:
		command(m, value);
		return;
	case VTD_FSTS_32:
		m->fsts &= ~(value & (VTD_FSTS_PFO | VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE));
		return;
	case VTD_FECTL_32:
		m->fectl = value;
		return;
	case VTD_PMEN_32:
		note(m, "pmen:%x", value);
		m->pmen = value;
		return;
	case VTD_FEDATA_32:
		note(m, "msi:data:%x", value);
		return;
	case VTD_FEADDR_32:
		note(m, "msi:address:%x", value);
		return;
	case VTD_FEUADDR_32:
		note(m, "msi:upper:%x", value);
		return;
	default:
		fail_msg("write of 32 bits at %#x", offset);
	}
}

static void write64(struct dma_host *host, phys_addr_t reg, uint64_t value)
{
	struct model *m = current;

	(void)host;
	switch (reg - MODEL_REGS) {
	case VTD_RTADDR:
		m->rtaddr = value;
		return;
	case VTD_IQT:
		m->iqt = value;
		m->queue_due = m->slow;
		if (!m->slow)
			run_queue(m);
		return;
	case VTD_IQA:
		m->iqa = value;
		return;
	case VTD_CCMD:
		assert_false(m->gsts & VTD_G_QIE);
		context(m, (value >> 61) & 3, value & 0xffff, (value >> 16) & 0xffff);
		m->ccmd = m->deaf ? value : value & ~VTD_CCMD_ICC;
		return;
	case MODEL_IRO + VTD_IVA:
		m->iva = value;
		return;
	case MODEL_IRO + VTD_IOTLB:
		assert_false(m->gsts & VTD_G_QIE);
		iotlb(m, (value >> 60) & 3, (value >> 32) & 0xffff, m->iva);
		m->iotlb = (value & ~VTD_IVT) | (value >> 60 & 3) << 57;
		if (m->deaf)
			m->iotlb = value;
		return;
	default:
		fail_msg("write of 64 bits at %#llx", (unsigned long long)reg - MODEL_REGS);
	}
}

/* --- life */

/** A microsecond for each look at the clock. */
static uint64_t clock_hook(struct dma_host *host)
{
	(void)host;
	if (current->queue_due && !--current->queue_due)
		run_queue(current);
	return current->clock += 1000;
}

void model_start(struct model *m, uint64_t cap, uint64_t ecap, bool noncoherent)
{
	struct sim_config config = { .size = sizeof(config), .noncoherent = noncoherent };

	*m = (struct model){ .cap = cap, .ecap = ecap };
	current = m;
	assert_int_equal(sim_machine_create(&config, &m->sim), 0);
	assert_int_equal(sim_add_ram(m->sim, MODEL_RAM, 64u << 20), 0);
	m->host = sim_host(m->sim);
	m->host->time_ns = clock_hook;
	m->host->read32 = read32;
	m->host->read64 = read64;
	m->host->write32 = write32;
	m->host->write64 = write64;
	assert_int_equal(sim_start(m->sim), 0);
}

void model_stop(struct model *m)
{
	assert_int_equal(sim_machine_destroy(m->sim), 0);
	current = NULL;
}

static unsigned int ids_of(void *arg, struct dma_device *dev, uint32_t *ids, unsigned int max)
{
	(void)arg;
	if (max)
		ids[0] = (uint32_t)(uintptr_t)dma_device_data(dev);
	return 1;
}

struct dma_requesters model_requesters(void)
{
	return (struct dma_requesters){ .ids = ids_of };
}

struct sim_device *model_device(struct model *m, uint32_t id)
{
	struct sim_device_config config = { .size = sizeof(config), .name = "device" };
	struct sim_device *device;

	assert_int_equal(sim_device_create(m->sim, &config, &device), 0);
	dma_device_set_data(sim_dma(device), (void *)(uintptr_t)id);
	return device;
}

struct dma_vtd *model_unit(struct model *m, const struct dma_vtd_config *config)
{
	struct dma_vtd_config c = *config;
	struct dma_vtd *vtd;

	c.size = sizeof(c);
	c.registers = MODEL_REGS;
	c.requesters = model_requesters();
	if (!c.timeout_ns)
		c.timeout_ns = 1000000;
	assert_int_equal(dmamap_vtd_create(m->host, &c, &vtd), 0);
	return vtd;
}

void model_fault(struct model *m, unsigned int record, uint64_t addr, uint32_t id, bool read,
		 unsigned int code)
{
	m->record[record][0] = addr & ~0xfffull;
	m->record[record][1] = VTD_FRCD_F | (read ? VTD_FRCD_READ : 0) | (uint64_t)code << 32 | id;
	if (!(m->fsts & VTD_FSTS_PPF))
		m->fsts = (m->fsts & ~0xff00u) | record << 8;
	m->fsts |= VTD_FSTS_PPF;
}
