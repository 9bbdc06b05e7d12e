/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults: the records of a unit, decoded and reported (VT-d 7.2, 11.4.7).
 *
 * A record is taken under the lock and given back to the hardware before anybody hears of it. While the overflow bit is
 * set nothing is recorded, so it is cleared last: then there is room again.
 */
#include "vtd.h"

#include <dmamap/fault.h>

static const struct {
	unsigned int code;
	enum dma_fault_reason reason;
	const char *text;
} reasons[] = {
	{ VTD_FAULT_ROOT_NOT_PRESENT, DMA_FAULT_REASON_BLOCKED,
	  "no device of that bus is attached to a domain" },
	{ VTD_FAULT_CONTEXT_NOT_PRESENT, DMA_FAULT_REASON_BLOCKED,
	  "the device is attached to no domain" },
	{ VTD_FAULT_CONTEXT_INVALID, DMA_FAULT_REASON_TABLE,
	  "the device's context entry makes no sense to the hardware" },
	{ VTD_FAULT_WIDTH, DMA_FAULT_REASON_WIDTH,
	  "the address is beyond the width of the table or of the unit" },
	{ VTD_FAULT_WRITE, DMA_FAULT_REASON_WRITE_DENIED,
	  "nothing that the device may write is mapped there" },
	{ VTD_FAULT_READ, DMA_FAULT_REASON_READ_DENIED,
	  "nothing that the device may read is mapped there" },
	{ VTD_FAULT_TABLE_ACCESS, DMA_FAULT_REASON_TABLE, "a page table could not be read" },
	{ VTD_FAULT_ROOT_ACCESS, DMA_FAULT_REASON_TABLE, "the root table could not be read" },
	{ VTD_FAULT_CONTEXT_ACCESS, DMA_FAULT_REASON_TABLE, "a context table could not be read" },
	{ VTD_FAULT_ROOT_RESERVED, DMA_FAULT_REASON_RESERVED_BIT,
	  "a reserved bit is set in a root entry" },
	{ VTD_FAULT_CONTEXT_RESERVED, DMA_FAULT_REASON_RESERVED_BIT,
	  "a reserved bit is set in a context entry" },
	{ VTD_FAULT_PAGING_RESERVED, DMA_FAULT_REASON_RESERVED_BIT,
	  "a reserved bit is set in a page-table entry" },
	{ VTD_FAULT_BLOCKED, DMA_FAULT_REASON_BLOCKED,
	  "the device may not send translation requests or translated addresses" },
	{ VTD_FAULT_INTERRUPT_RANGE, DMA_FAULT_REASON_HOLE,
	  "the translation leads to the addresses of interrupts" },
};

#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

static unsigned int find_reason(unsigned int code)
{
	unsigned int i = 0;

	while (i < REASONS && reasons[i].code != code)
		i++;
	return i;
}

const char *dmamap_vtd_fault_text(unsigned int code)
{
	unsigned int i = find_reason(code);

	return i < REASONS ? reasons[i].text : "unknown reason";
}

static enum dma_fault_reason reason_of(unsigned int code)
{
	unsigned int i = find_reason(code);

	return i < REASONS ? reasons[i].reason : DMA_FAULT_REASON_OTHER;
}

static enum dma_fault_access access_of(uint64_t high)
{
	if (!(high & VTD_FRCD_READ))
		return DMA_FAULT_WRITE;
	return high & VTD_FRCD_EXE ? DMA_FAULT_EXEC : DMA_FAULT_READ;
}

static unsigned int record_at(const struct dma_vtd *v, unsigned int index)
{
	return VTD_CAP_FRO(v->info.cap) + index % VTD_CAP_NFR(v->info.cap) * VTD_FRCD_BYTES;
}

/** Take one record, if there is one, and give it back to the hardware. Lock held. */
static bool take_record(struct dma_vtd *v, unsigned int index, struct dma_fault *fault)
{
	unsigned int record = record_at(v, index);
	uint64_t high = vtd_read64(v, record + VTD_FRCD_HIGH);
	uint64_t low;

	if (!(high & VTD_FRCD_F) || high == ~(uint64_t)0)
		return false;
	low = vtd_read64(v, record);
	vtd_write32(v, record + VTD_FRCD_TOP_32, VTD_FRCD_F_32);
	*fault = (struct dma_fault){
		.size = sizeof(*fault),
		.device = dmamap_hw_attached_device(&v->attached, VTD_FRCD_SID(high)),
		.dma_addr = low & VTD_FRCD_ADDR,
		.access = access_of(high),
		.reason = reason_of(VTD_FRCD_CODE(high)),
		.code = VTD_FRCD_CODE(high),
	};
	return true;
}

/** Clear the overflow bit, so that faults are recorded again. Lock held. */
static void clear_overflow(struct dma_vtd *v)
{
	uint32_t status = vtd_read32(v, VTD_FSTS_32);

	if (status == ~(uint32_t)0 || !(status & VTD_FSTS_PFO))
		return;
	vtd_write32(v, VTD_FSTS_32, VTD_FSTS_PFO);
	v->info.faults_lost++;
}

/** The next record; *@index is where the hardware's oldest is, at first. */
static bool next_fault(struct dma_vtd *v, unsigned int *index, unsigned int done,
		       struct dma_fault *fault)
{
	bool found = false;

	dmamap_lock(v->host, &v->lock);
	if (!done) {
		uint32_t status = vtd_read32(v, VTD_FSTS_32);

		*index = status & VTD_FSTS_PPF && status != ~(uint32_t)0 ? VTD_FSTS_FRI(status) : 0;
	}
	found = take_record(v, *index, fault);
	++*index;
	v->info.faults += found;
	dmamap_unlock(v->host, &v->lock);
	return found;
}

unsigned int dmamap_vtd_handle_faults(struct dma_vtd *v)
{
	unsigned int index = 0, done = 0;
	struct dma_fault fault;

	/* A device that never stops must not keep us for ever. */
	while (done < 2 * VTD_CAP_NFR(v->info.cap) && next_fault(v, &index, done, &fault)) {
		dmamap_fault_report(v->host, &fault);
		done++;
	}
	dmamap_lock(v->host, &v->lock);
	clear_overflow(v);
	dmamap_unlock(v->host, &v->lock);
	return done;
}

void dmamap_vtd_faults_clear(struct dma_vtd *v)
{
	struct dma_fault fault;

	for (unsigned int i = 0; i < VTD_CAP_NFR(v->info.cap); i++)
		take_record(v, i, &fault);
	clear_overflow(v);
	v->info.faults_lost = 0;
}

void dmamap_vtd_set_fault_interrupt(struct dma_vtd *v, uint64_t address, uint32_t data)
{
	dmamap_lock(v->host, &v->lock);
	vtd_write32(v, VTD_FEDATA_32, data);
	vtd_write32(v, VTD_FEADDR_32, (uint32_t)address);
	vtd_write32(v, VTD_FEUADDR_32, (uint32_t)(address >> 32));
	vtd_write32(v, VTD_FECTL_32, 0);
	dmamap_unlock(v->host, &v->lock);
}
